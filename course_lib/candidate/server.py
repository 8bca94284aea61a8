"""The warm process: has everything imported that notebooks use, and forks a candidate for each submission.

Started inside the sandbox as ``python -m course_lib.candidate.server FD``. It knows nothing of the course but this
package, runs no student's code itself, and talks only to the trusted process that started it, in lines of JSON on the
socket FD; with a ``start`` comes the socket over which the new candidate is to be spoken with.

=================================================  ===========================================================
asked                                              answered
=================================================  ===========================================================
``{"do": "start", "limits": {...}}`` and a socket  ``{"pid": 17}``, or ``{"error": "..."}``
``{"do": "end", "pid": 17, "patience": 1.0}``      ``{"status": -9}``: how it had ended by itself (a signal is
                                                   negative), or null when it was still running and was killed
``{"do": "import", "names": ["torchmetrics"]}``    ``{}``, when these modules are there for the next forks
=================================================  ===========================================================
"""

import gc
import importlib
import json
import os
import signal
import socket
import sys
from collections.abc import Iterable
from typing import Any

from course_lib.candidate import confine, kernel
from course_lib.candidate.limits import Limits

PRELOADED = (
    "torch.nn.functional",
    "torch.func",
    "torch.optim",
    "course_lib.lab",
    "course_lib.checks",
    "cloudpickle",
    "numpy.random",
)
"""What all notebooks import, and what those import later by themselves."""


IDLE_SECONDS = 900.0
"""How long to wait for another submission: Formgrader's server would keep an idle process for ever."""


def main(descriptor: int, patient: bool = True) -> None:
    """Get warm, then serve until the other side hangs up."""
    control = socket.socket(fileno=descriptor)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    notebook = _warm(patient)
    control.sendall(b'{"ready": true}\n')
    control.settimeout(IDLE_SECONDS)
    while True:
        try:
            line, descriptors = _receive(control)
        except TimeoutError:
            if confine.any_left():  # a submission may be given more time than this
                continue
            return
        if not line:
            return
        request = json.loads(line)
        answer: dict[str, object]
        if request["do"] == "start":
            answer = _start(notebook, Limits(**request["limits"]), request["confined"], descriptors[0])
        elif request["do"] == "end":
            answer = {"status": confine.end(int(request["pid"]), request["patience"])}
        else:
            answer = _import(notebook, request["names"])
        control.sendall(json.dumps(answer).encode() + b"\n")


def _warm(patient: bool) -> Any:
    gc.disable()  # what is imported stays: `_import` says so to the collector when all of it is there
    import torch

    from course_lib.candidate.devices import without_devices

    torch.set_num_threads(1)
    without_devices()
    for name in PRELOADED:
        importlib.import_module(name)
    from course_lib.candidate import candidate  # noqa: F401 (every fork needs it)
    from course_lib.candidate.notebook import Notebook

    notebook = Notebook()
    if patient:
        _rehearse(notebook)
    _import(notebook, ())
    return notebook


def _import(notebook: Any, names: Iterable[str]) -> dict[str, object]:
    for name in names:
        importlib.import_module(name)
    if any(name.startswith("matplotlib.") for name in names):
        notebook.show_figures_inline()
    # What exists now is shared by all forks: the collector must not touch, and so copy, its pages.
    gc.collect()
    gc.freeze()
    gc.enable()
    return {}


def _rehearse(notebook: Any) -> None:
    """Use once what is slow at its first use (parsers, dispatchers, fonts), so that no fork pays for it."""
    notebook.run(
        "import torch\n"
        "w = torch.randn(3, 3, requires_grad=True)\n"
        "(torch.softmax(w @ w, -1).log().sum()).backward()\n"
        "torch.autograd.grad(w * w, [w], w.detach())\n"
        "1 / 0",
        seconds=60,
        output_chars=10_000,
    )
    notebook.shell.reset(new_session=False)
    notebook.shell.execution_count = 1


def _receive(control: socket.socket) -> tuple[bytes, list[int]]:
    line, descriptors, _, _ = socket.recv_fds(control, 65536, 1)
    while line and not line.endswith(b"\n"):
        more = control.recv(65536)
        if not more:
            return b"", []
        line += more
    return line, list(descriptors)


def _start(notebook: Any, limits: Limits, confined: bool, descriptor: int) -> dict[str, object]:
    from course_lib.candidate.candidate import serve

    def run() -> None:
        serve(socket.socket(fileno=descriptor), notebook)

    fork = confine.fork_confined if confined else confine.fork_plain
    try:
        return {"pid": fork(limits, run, keep_fds=[descriptor])}
    except OSError as error:
        return {"error": f"{type(error).__name__}: {error}"}
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    kernel.die_with_parent(signal.SIGKILL)  # it may die without a word
    main(int(sys.argv[1]), patient="--quick" not in sys.argv)
