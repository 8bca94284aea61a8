"""Starts the warm process, and does not wait for it.

Apart from :mod:`course_lib.grader.engine.processes`, because that imports torch, and so does the warm process: for a
single submission they had better do it side by side.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from course_lib.grader.engine.sandbox import Sandbox, find_sandbox


@dataclass(frozen=True)
class Launched:
    """A warm process that is getting ready.

    Attributes:
        process: bubblewrap, or the warm process itself.
        control: the socket on which it takes orders.
    """

    process: subprocess.Popen[bytes]
    control: socket.socket


_ahead: dict[tuple[str, str], Launched] = {}


def launch(sandbox: Sandbox | None, *, patient: bool) -> Launched:
    """Start a warm process, and do not wait for it.

    Args:
        sandbox: makes the command line; None for no sandbox.
        patient: whether to import also what takes long and pays only for many submissions.
    """
    ours, theirs = socket.socketpair()
    command: Sequence[str] = [
        *(sys.executable, "-m", "course_lib.candidate.server", str(theirs.fileno())),
        *([] if patient else ["--quick"]),
    ]
    if sandbox is not None:
        command = sandbox.command(command, fds=[theirs.fileno()])
    with theirs:
        process = subprocess.Popen(
            command,
            pass_fds=[theirs.fileno()],
            env={} if sandbox is not None else plain_environment(),  # bubblewrap's own process keeps what it is given
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            # Its own session: Ctrl-C at the terminal ends the grading in good order, and not the sandbox before it.
            start_new_session=True,
        )
    return Launched(process, ours)


def launch_ahead(kind: str, root: Path) -> None:
    """Start a warm process for one submission, before anything else is imported.

    Args:
        kind: ``"bubblewrap"`` or ``"none"``.
        root: the course's folder.

    Raises:
        SandboxMissing: when there is no usable sandbox.
    """
    if sys.platform == "linux":
        sandbox = find_sandbox(hidden=[root]) if kind != "none" else None
        _ahead[kind, str(root)] = launch(sandbox, patient=False)


def launched_ahead(kind: str, root: str) -> Launched | None:
    """The process that :func:`launch_ahead` started, once."""
    return _ahead.pop((kind, root), None)


def forget_launched() -> None:
    """End what :func:`launch_ahead` started and nobody took: there was nothing to run, after all."""
    while _ahead:
        end(_ahead.popitem()[1])


def end(launched: Launched) -> None:
    """End a warm process and all its forks."""
    launched.control.close()
    kill(launched.process)
    launched.process.wait()
    if launched.process.stderr is not None:
        launched.process.stderr.close()


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process that was started here, with its group; nothing when it has ended: its number may be another's."""
    if process.poll() is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def plain_environment() -> dict[str, str]:
    """What an unprotected process gets: this one's environment, and one thread."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
