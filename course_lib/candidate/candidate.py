"""The process that holds one student's code: answers requests, one after the other, until its socket closes."""

import contextlib
import os
import pickle
import random
import socket
import sys
from pathlib import Path
from typing import Any

import torch

from course_lib.candidate.notebook import Notebook, redirect_descriptors
from course_lib.candidate.requests import Files, Look, Request, RunCell, RunScenario
from course_lib.candidate.wire import HEADER_BYTES, MAX_FRAME, encode, frame, frame_length
from course_lib.checks.data import Raised, plain, raised
from course_lib.checks.run import InProcessRunner, Observation
from course_lib.checks.verdict import Outcome

_TRUSTED_LIMIT = 2**31  # what comes from the trusted side is as long as it says


def serve(connection: socket.socket, notebook: Notebook) -> None:
    """Answer requests until the other side hangs up. Called in a fresh fork, after it was confined."""
    redirect_descriptors()
    # Appended, not put first: a file `torch.py` among a student's files must shadow nothing.
    sys.path.append(os.getcwd())
    _reseed()
    state = _Candidate(notebook)
    while True:
        request = _receive(connection)
        if request is None:
            return
        number, wanted = request
        answer = encode([number, state.answer(wanted)])
        if len(answer) > MAX_FRAME:
            answer = encode([number, state.too_long(wanted, len(answer))])
        connection.sendall(frame(answer))


class _Candidate:
    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.names = notebook.shell.user_ns

    def answer(self, request: Request) -> Any:
        if isinstance(request, RunCell):
            return self.notebook.run(request.text, seconds=request.seconds, output_chars=request.output_chars)
        if isinstance(request, RunScenario):
            return _as_data(self._observe(request))
        if isinstance(request, Files):
            return _write(request.files)
        assert isinstance(request, Look)
        return {name: _kind(self.names[name]) for name in request.names if name in self.names}

    def _observe(self, request: RunScenario) -> Observation:
        try:
            scenario = pickle.loads(request.scenario)
        except NameError as error:  # it refers to another of the student's functions, which does not exist
            return Observation(raised(error), Outcome.RAISED)
        runner = InProcessRunner(case_seconds=request.seconds, shared=False)
        return runner.run(
            scenario, self.names.get(request.name), name=request.name, seed=request.seed, refused=request.refused
        )

    def too_long(self, request: Request, size: int) -> Any:
        """What is said instead of an answer that the other side would not read."""
        if isinstance(request, RunScenario):
            data = Raised(("DataLimit",), f"{size / 1e6:.0f} MB of data, more than {MAX_FRAME / 1e6:.0f} MB")
            return _as_data(Observation(data, Outcome.LIMIT))
        if isinstance(request, RunCell):
            text = f"the output of this cell was left out: {size / 1e6:.0f} MB\n"
            return {"outputs": [{"output_type": "stream", "name": "stderr", "text": text}], "count": 0}
        return {}


def _as_data(seen: Observation) -> dict[str, Any]:
    return {
        "data": seen.data,
        "stopped": seen.stopped.value if seen.stopped else None,
        "place": seen.place,
        "calls": [[call.text, call.returned] for call in seen.calls],
        "refused": list(seen.refused),
        "printed": seen.printed,
    }


def _kind(value: Any) -> Any:
    with contextlib.suppress(Exception):
        if callable(value):
            return "callable"
    return ["data", plain(value)]


def _write(files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = Path(name)
        with contextlib.suppress(OSError):  # too big for the scratch folder: the code that wants it will say so
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def _reseed() -> None:
    """Every fork inherits the warm process's random state; Jupyter's kernels start each with their own."""
    random.seed()
    torch.default_generator.seed()  # of the processor; torch.seed() asks every other kind of device too
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


def _receive(connection: socket.socket) -> tuple[int, Request] | None:
    header = _exactly(connection, HEADER_BYTES)
    if header is None:
        return None
    payload = _exactly(connection, frame_length(header, _TRUSTED_LIMIT))
    return None if payload is None else pickle.loads(payload)


def _exactly(connection: socket.socket, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(min(count - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)
