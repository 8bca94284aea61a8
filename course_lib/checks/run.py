"""Running a scenario with an implementation, and what was observed.

A :class:`Runner` is the seam between judging and student code: :class:`InProcessRunner` runs both in one process, as a
notebook does; the grader puts one in its place that sends the scenario to the process which holds the student's code.
"""

import contextlib
import functools
import io
import linecache
import random
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType, FunctionType, TracebackType
from typing import Any, Protocol

import torch

from course_lib.checks.data import Raised, plain, raised
from course_lib.checks.describe import describe, form
from course_lib.checks.refused import Group
from course_lib.checks.scenario import Implementation, Scenario, isolated
from course_lib.checks.verdict import Outcome
from course_lib.checks.watch import Watch

_MAX_PRINTED = 2000
_MAX_CALLS = 50


@dataclass(frozen=True)
class Call:
    """One call of the implementation: its text, and the form of what it returned (empty when it did not return)."""

    text: str
    returned: str = ""


@dataclass(frozen=True)
class Observation:
    """What a scenario's run gave, as data.

    Attributes:
        data: plain data that came back; :class:`Raised` when the run stopped with an exception.
        stopped: how the run ended early, or ``None`` when the scenario returned.
        place: where in the student's cell it stopped, as text; empty when that is not known.
        calls: the calls of the implementation, in their order.
        refused: refused built-ins that were used.
        printed: what was printed, to either stream, warnings included.
    """

    data: Any
    stopped: Outcome | None = None
    place: str = ""
    calls: tuple[Call, ...] = ()
    refused: tuple[str, ...] = ()
    printed: str = ""


class Runner(Protocol):
    """Runs a scenario with an implementation. Called once a case by :meth:`Exercise.score`."""

    def run(
        self, scenario: Scenario, implementation: Implementation, *, name: str, seed: int, refused: Sequence[Group] = ()
    ) -> Observation:
        """Run ``scenario(implementation)``; every way in which that can end is an observation, not an exception."""
        ...


class _TimeIsUp(BaseException):
    """Raised by the alarm; no ``except Exception`` of a student holds it."""


class InProcessRunner:
    """Runs scenarios here, with the time limit that a signal can give (on POSIX systems, in the main thread)."""

    def __init__(self, case_seconds: float = 10.0) -> None:
        self.case_seconds = case_seconds
        self._timed_out = False

    def run(
        self, scenario: Scenario, implementation: Implementation, *, name: str, seed: int, refused: Sequence[Group] = ()
    ) -> Observation:
        """Run a scenario in this process; see :class:`Runner`."""
        recorder = _Recorder(implementation, name)
        watch = Watch(refused)
        printed = io.StringIO()
        # Who hangs once hangs again: after a first time-out the others get a fifth, so that the cell ends in time.
        seconds = self.case_seconds / 5 if self._timed_out else self.case_seconds
        stopped: Outcome | None = None
        place = ""
        fresh = isolated(scenario)
        with _quiet(printed), _seeded(seed), _alarm(seconds):
            try:
                with watch:
                    data = plain(fresh(recorder.implementation))
            except KeyboardInterrupt:
                raise  # the reader stops the cell
            except _TimeIsUp:
                stopped, data, self._timed_out = Outcome.TIMED_OUT, Raised(("TimeoutError",), f"{seconds:g} s"), True
            except BaseException as error:
                stopped, data = Outcome.RAISED, raised(error)
                place = _place_in_cell(error.__traceback__, implementation)
        return Observation(data, stopped, place, tuple(recorder.calls), tuple(watch.found), _cut(printed.getvalue()))


class _Recorder:
    """Passes calls on to the implementation, and keeps a line about each."""

    def __init__(self, implementation: Implementation, name: str) -> None:
        self.calls: list[Call] = []

        @functools.wraps(implementation, updated=())
        def recorded(*args: Any, **kwargs: Any) -> Any:
            if len(self.calls) >= _MAX_CALLS:
                return implementation(*args, **kwargs)
            # Described before the call: the arguments may be different afterwards.
            self.calls.append(Call(_call_text(name, args, kwargs)))
            at = len(self.calls) - 1
            result = implementation(*args, **kwargs)
            self.calls[at] = Call(self.calls[at].text, _returned(result))
            return result

        self.implementation = recorded


def _call_text(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    parts = [_argument(value) for value in args] + [f"{key}={_argument(value)}" for key, value in kwargs.items()]
    return f"{name}({', '.join(parts)})"


def _argument(value: Any) -> str:
    if isinstance(value, torch.Generator):
        return "torch.Generator()"
    if isinstance(value, torch.nn.Module):
        return type(value).__name__ + "(…)"
    if isinstance(value, FunctionType):
        return value.__name__ if value.__name__ != "<lambda>" else "f"
    with torch._C._DisableFuncTorch():
        return describe(plain(value), limit=120)


def _returned(result: Any) -> str:
    value = plain(result) if isinstance(result, torch.Tensor | int | float | str | list | tuple | dict) else result
    return "None" if value is None else form(list(value) if isinstance(value, tuple) else value)


def code_file(implementation: Implementation) -> str:
    """The name under which Python knows the cell (or file) that defines an implementation; empty when unknown."""
    seen: Any = implementation
    while hasattr(seen, "__wrapped__"):
        seen = seen.__wrapped__
    if isinstance(seen, type):
        for value in vars(seen).values():
            function = getattr(value, "__func__", value)
            if isinstance(function, FunctionType):
                return function.__code__.co_filename
        return ""
    function = getattr(seen, "__func__", seen)
    return function.__code__.co_filename if isinstance(function, FunctionType) else ""


def cell_source(implementation: Implementation) -> str:
    """The whole text of the cell (or file) that defines an implementation; empty when Python does not know it."""
    return "".join(linecache.getlines(code_file(implementation)))


def _place_in_cell(at: TracebackType | None, implementation: Implementation) -> str:
    """The innermost line of the student's cell that the exception went through."""
    filename = code_file(implementation)
    lines = [frame for frame in traceback.extract_tb(at) if frame.filename == filename] if filename else []
    if not lines:
        return ""
    text = (lines[-1].line or "").strip()
    return f"line {lines[-1].lineno} of your cell: {text[:120]}" if text else f"line {lines[-1].lineno} of your cell"


def _cut(text: str) -> str:
    text = text.replace("\x00", "")
    return (
        text
        if len(text) <= _MAX_PRINTED
        else text[:_MAX_PRINTED] + f"\n… and {len(text) - _MAX_PRINTED} more characters"
    )


class _Bounded(io.StringIO):
    """Keeps the beginning of what is printed: an endless loop that prints must not fill the memory."""

    def write(self, text: str) -> int:
        if self.tell() < 50 * _MAX_PRINTED:
            super().write(text)
        return len(text)


@contextlib.contextmanager
def _quiet(printed: io.StringIO) -> Iterator[None]:
    """Catch both streams and warnings: nbgrader takes anything on stderr in a test cell for a failure."""
    caught = _Bounded()
    try:
        with contextlib.redirect_stdout(caught), contextlib.redirect_stderr(caught), warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.showwarning = _show_warning
            yield
    finally:
        printed.write(caught.getvalue())


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    print(f"{category.__name__}: {message}", file=sys.stderr)


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Give Python's and torch's random numbers a fixed start, and put them, and torch's switches, back afterwards."""
    python_state, torch_state = random.getstate(), torch.get_rng_state()
    dtype, grad = torch.get_default_dtype(), torch.is_grad_enabled()
    random.seed(seed)
    torch.default_generator.manual_seed(seed)
    torch.set_default_dtype(torch.float32)
    torch.set_grad_enabled(True)
    try:
        yield
    finally:
        random.setstate(python_state)
        torch.set_rng_state(torch_state)
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(grad)


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise :class:`_TimeIsUp` after so many seconds, and again each half second for who catches everything."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise _TimeIsUp

    previous: Callable[[int, FrameType | None], Any] | int | None = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
