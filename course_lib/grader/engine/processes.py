"""The trusted side of the processes that run students' code: starts them, asks them, believes only data.

A :class:`WarmServer` is a process in the sandbox that has torch loaded; each submission gets a fork of it, a
:class:`Candidate`. Where processes cannot be forked safely (macOS, Windows) and no sandbox exists, :class:`FreshServer`
starts a new interpreter for each, which is slow and unprotected.
"""

import json
import pickle
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import asdict
from time import monotonic
from typing import Any, Protocol

from course_lib.candidate.limits import Limits
from course_lib.candidate.requests import Request
from course_lib.candidate.wire import HEADER_BYTES, WireError, decode, frame, frame_length
from course_lib.grader.engine.launch import Launched, end, kill, launch, plain_environment
from course_lib.grader.engine.sandbox import Sandbox

_ON_DEMAND = {
    "torchmetrics": ("torchmetrics",),
    "matplotlib.pyplot": ("matplotlib", "plt.", "lab."),
    "matplotlib.backends.backend_agg": ("matplotlib", "plt.", "lab."),
    # by torch.optim and torch.func, at their first use
    "torch._dynamo": ("optim.", "import optim", "compile(", "_dynamo", "vmap", "torch.func", "functorch"),
}
"""What takes a part of a second or more to import, and what stands in the text of a notebook that uses it."""

START_SECONDS = 120.0
"""How long a warm process may take to get ready, on a very busy machine."""


class EngineError(Exception):
    """The grader's own processes failed; no student's fault."""


class CandidateLost(Exception):
    """A candidate cannot go on. Its text is for people.

    Attributes:
        late: whether it did not answer in time (else it ended, or answered nonsense).
    """

    def __init__(self, message: str, *, late: bool = False) -> None:
        super().__init__(message)
        self.late = late


class Candidate:
    """A process that holds one student's code. Everything that comes from it may be a lie; see :meth:`ask`."""

    def __init__(self, connection: socket.socket, pid: int, server: "Server") -> None:
        self._connection = connection
        self._pid = pid
        self._server = server
        self._number = 0
        self.ended = False

    def ask(self, request: Request, seconds: float) -> Any:
        """Send a request and wait for its answer.

        Args:
            request: what to do.
            seconds: how long the answer may take, on this process's clock and from now on.

        Returns:
            Plain data, see :func:`course_lib.candidate.wire.decode`.

        Raises:
            CandidateLost: when it ended, did not answer in time, or answered what is no answer. It has been ended then.
            EngineError: when the warm process died.
        """
        self._number += 1
        deadline = monotonic() + seconds
        try:
            self._send(frame(pickle.dumps((self._number, request))), deadline)
            answer = decode(self._receive(deadline))
            if type(answer) is not list or len(answer) != 2 or answer[0] is True or answer[0] != self._number:
                raise WireError("an answer to nothing that was asked")
            return answer[1]
        except TimeoutError:
            self.end()
            raise CandidateLost(f"it did not answer within {seconds:g} s", late=True) from None
        except WireError as error:
            self.end()
            raise CandidateLost(f"it sent what is no answer ({error})") from None
        except OSError:
            raise CandidateLost(_how(self.end(patience=1.0))) from None

    def end(self, patience: float = 0.0) -> int | None:
        """End the process and all that it started. Returns how it had ended by itself, see :func:`_how`.

        Args:
            patience: seconds that it gets to end by itself: one that has hung up is mostly about to.
        """
        if self.ended:
            return None
        self.ended = True
        self._connection.close()
        return self._server.end(self._pid, patience)

    def __enter__(self) -> "Candidate":
        return self

    def __exit__(self, *exception: object) -> None:
        self.end()

    def _send(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            self._connection.settimeout(_left(deadline))
            view = view[self._connection.send(view) :]

    def _receive(self, deadline: float) -> bytes:
        header = self._exactly(HEADER_BYTES, deadline)
        return self._exactly(frame_length(header), deadline)

    def _exactly(self, count: int, deadline: float) -> bytes:
        # Grows with what really comes: an announced length costs nothing.
        data = bytearray()
        while len(data) < count:
            self._connection.settimeout(_left(deadline))
            part = self._connection.recv(min(count - len(data), 1 << 20))
            if not part:
                raise ConnectionResetError
            data += part
        return bytes(data)


class Server(Protocol):
    """Something that starts candidates and ends them."""

    def start(self, limits: Limits) -> Candidate:
        """Start a candidate for one submission."""
        ...

    def end(self, pid: int, patience: float) -> int | None:
        """End a candidate; how it had ended by itself, within so many seconds, or None."""
        ...

    def expect(self, text: str) -> None:
        """Get ready for what a notebook is going to use, judging by its text."""
        ...

    def close(self) -> None:
        """End everything."""
        ...

    @property
    def ended(self) -> bool:
        """Whether it is gone: a warm process ends when nothing is asked of it for a long time."""
        ...


class WarmServer:
    """A warm process, in the sandbox or (``sandbox=None``) in none, and its forks.

    Args:
        sandbox: makes the command line; None for no sandbox.
        patient: whether to do beforehand also what takes long and pays only for many submissions.
        launched: a process that has been started already.
    """

    def __init__(self, sandbox: Sandbox | None, *, patient: bool = True, launched: Launched | None = None) -> None:
        self._sandbox = sandbox
        started = launched or launch(sandbox, patient=patient)
        self._process, self._control = started.process, started.control
        self._ready = False
        self._imported: set[str] = set()
        self._rest = b""

    @property
    def pid(self) -> int:
        """The process that was started: bubblewrap, or the warm process itself."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Wait for the imports; nothing when that is done.

        Raises:
            EngineError: with the last lines that the process left, when it did not come up.
        """
        if not self._ready:
            self._answer(START_SECONDS)
            self._ready = True

    def expect(self, text: str) -> None:
        """Import once for all forks what is slow and will be used; see :class:`Server`.

        Raises:
            EngineError: when the warm process died.
        """
        wanted = [
            name
            for name, signs in _ON_DEMAND.items()
            if name not in self._imported and any(sign in text for sign in signs)
        ]
        if wanted:
            self._imported.update(wanted)
            self.wait_until_ready()
            self._tell({"do": "import", "names": wanted})
            self._answer(START_SECONDS)

    def start(self, limits: Limits) -> Candidate:
        """Fork a candidate; see :class:`Server`.

        Raises:
            EngineError: when the warm process died, or could not fork.
        """
        self.wait_until_ready()
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                asked = {"do": "start", "limits": asdict(limits), "confined": self._sandbox is not None}
                self._tell(asked, theirs.fileno())
            answer = self._answer(30)
            if "error" in answer:
                raise EngineError(f"no process could be started for a submission: {answer['error']}")
        except EngineError:
            ours.close()
            raise
        return Candidate(ours, int(answer["pid"]), self)

    def end(self, pid: int, patience: float = 0.0) -> int | None:
        """End a candidate; see :class:`Server`."""
        self._tell({"do": "end", "pid": pid, "patience": patience})
        status = self._answer(60)["status"]
        return None if status is None else int(status)

    @property
    def ended(self) -> bool:
        """Whether the process is gone; see :class:`Server`."""
        return self._process.poll() is not None

    def close(self) -> None:
        """End the warm process and all its forks."""
        end(Launched(self._process, self._control))

    def _tell(self, order: dict[str, object], *descriptors: int) -> None:
        try:
            socket.send_fds(self._control, [json.dumps(order).encode() + b"\n"], descriptors)
        except OSError as error:
            raise EngineError(self._last_words(str(error))) from error

    def _answer(self, seconds: float) -> dict[str, Any]:
        deadline = monotonic() + seconds
        try:
            while b"\n" not in self._rest:
                self._control.settimeout(_left(deadline))
                part = self._control.recv(65536)
                if not part:
                    raise ConnectionResetError("it ended")
                self._rest += part
        except OSError as error:
            raise EngineError(self._last_words(str(error))) from error
        line, _, self._rest = self._rest.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _last_words(self, error: str) -> str:
        kill(self._process)
        words = self._process.stderr.read().decode("utf-8", "replace").strip() if self._process.stderr else ""
        last = words.splitlines()[-1] if words else "it left no message"
        return f"the process that runs students' code is gone ({error}; {last})"


class FreshServer:
    """A new interpreter for each candidate, without any protection: for systems without safe forks."""

    def __init__(self) -> None:
        self._processes: dict[int, tuple[subprocess.Popen[bytes], str]] = {}

    def start(self, limits: Limits) -> Candidate:
        """Start an interpreter; see :class:`Server`."""
        token = secrets.token_hex(16)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            env = {**plain_environment(), "COURSE_LIB_TOKEN": token}
            folder = tempfile.mkdtemp(prefix="candidate-")
            process = subprocess.Popen(
                [sys.executable, "-m", "course_lib.candidate.alone", str(port), folder],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            self._processes[process.pid] = process, folder
            listener.settimeout(START_SECONDS)
            try:
                while True:
                    connection, _ = listener.accept()
                    connection.settimeout(10)
                    # Anybody on this machine can connect; only the process that was started knows the token.
                    if secrets.compare_digest(connection.recv(len(token)), token.encode()):
                        return Candidate(connection, process.pid, self)
                    connection.close()
            except OSError as error:
                self.end(process.pid)
                raise EngineError(f"no process could be started for a submission: {error}") from error

    def end(self, pid: int, patience: float = 0.0) -> int | None:
        """End a candidate; see :class:`Server`."""
        process, folder = self._processes.pop(pid)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
        status = process.poll()
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)
        return status

    def expect(self, text: str) -> None:
        """Nothing: each candidate imports for itself."""

    @property
    def ended(self) -> bool:
        """Never: there is nothing that waits."""
        return False

    def close(self) -> None:
        """End all that still run."""
        for pid in list(self._processes):
            self.end(pid)


def open_server(sandbox: Sandbox | None, *, patient: bool = True, launched: Launched | None = None) -> Server:
    """The server for this system: warm where it can be, else fresh processes.

    Args:
        sandbox: what :func:`course_lib.grader.engine.sandbox.find_sandbox` found, or None to run unprotected.
        patient: see :class:`WarmServer`.
        launched: see :class:`WarmServer`.
    """
    if sandbox is None and sys.platform != "linux":
        return FreshServer()
    return WarmServer(sandbox, patient=patient, launched=launched)


def _left(deadline: float) -> float:
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _how(status: int | None) -> str:
    """How a process ended, in words."""
    if status is None:
        return "it closed its connection to the grader"
    if status >= 0:
        return f"its Python process ended by itself (exit status {status})"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"its Python process was ended by {name}"
