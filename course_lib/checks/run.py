"""Running a scenario with an implementation, and what was observed.

A :class:`Runner` is the seam between judging and student code: :class:`InProcessRunner` runs both in one process, as a
notebook does; the grader puts one in its place that sends the scenario to the process which holds the student's code.
"""

import contextlib
import functools
import inspect
import io
import linecache
import logging
import random
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import FunctionType, TracebackType
from typing import Any, Protocol

import torch

from course_lib.checks.alarm import Alarm, TimeIsUp
from course_lib.checks.data import Raised, plain, raised, writable
from course_lib.checks.describe import describe, form
from course_lib.checks.refused import Group
from course_lib.checks.scenario import Implementation, Scenario, isolated
from course_lib.checks.verdict import Outcome
from course_lib.checks.watch import Watch

CASE_SECONDS = 10.0
"""How long one case may take where nothing else is said, in seconds."""

_MAX_PRINTED = 2000
_MAX_CALLS = 12


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


@dataclass(frozen=True)
class Elsewhere:
    """An implementation that lives in another process: nothing here can call it, only a :class:`Runner` can.

    Attributes:
        name: what it is called there.
        source: the text that defines it, as it was handed in.
    """

    name: str
    source: str = ""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Never works; it is here so that an implementation can be told from other data."""
        raise RuntimeError(f"{self.name} lives in another process and is run there")


class Runner(Protocol):
    """Runs a scenario with an implementation. Called once a case by :meth:`Exercise.score`."""

    def run(
        self,
        scenario: Scenario,
        implementation: Implementation,
        *,
        name: str,
        seed: int,
        refused: Sequence[Group] = (),
        hidden: bool = False,
    ) -> Observation:
        """Run ``scenario(implementation)``; every way in which that can end is an observation, not an exception.

        Args:
            scenario: what to run.
            implementation: the student's function or class.
            name: what to call it in messages.
            seed: of the random numbers.
            refused: the built-ins to look out for.
            hidden: whether the scenario belongs to a hidden case, of which students learn less.
        """
        ...


class InProcessRunner:
    """Runs scenarios here, with the time limit that a signal can give (on POSIX systems, in the main thread).

    Args:
        case_seconds: how long one may take.
        shared: whether a scenario's data are used again after it, so that it must get copies of its own.
    """

    def __init__(self, case_seconds: float = CASE_SECONDS, *, shared: bool = True) -> None:
        self.case_seconds = case_seconds
        self.shared = shared
        self._timed_out = False

    def run(
        self,
        scenario: Scenario,
        implementation: Implementation,
        *,
        name: str,
        seed: int,
        refused: Sequence[Group] = (),
        hidden: bool = False,
    ) -> Observation:
        """Run a scenario in this process; see :class:`Runner`."""
        recorder = _Recorder(implementation, name)
        watch = Watch(refused)
        printed = io.StringIO()
        # Who hangs once hangs again: after a first time-out the others get a fifth, so that the cell ends in time.
        seconds = self.case_seconds / 5 if self._timed_out else self.case_seconds
        fresh = isolated(scenario) if self.shared else scenario
        alarm = Alarm(seconds)
        stopped: Outcome | None
        with _quiet(printed), seeded(seed), watch:
            try:
                alarm.start()
                try:
                    data, stopped, place = _observed(fresh, recorder.implementation)
                finally:
                    alarm.over = True  # no call before this: a ring that comes now is none
            except TimeIsUp:
                data, stopped, place = Raised(("TimeoutError",), f"{seconds:g} s"), Outcome.TIMED_OUT, ""
                self._timed_out = True
            finally:
                alarm.stop()
        return Observation(data, stopped, place, tuple(recorder.calls), tuple(watch.found), _cut(printed.getvalue()))


def _observed(scenario: Scenario, implementation: Implementation) -> tuple[Any, Outcome | None, str]:
    """Run a scenario: what came as data, whether it was an exception, and where that stopped."""
    try:
        return plain(scenario(implementation)), None, ""
    except (KeyboardInterrupt, TimeIsUp):
        raise  # the reader, or the alarm, stops it
    except BaseException as error:
        return raised(error), Outcome.RAISED, _place_in_cell(error.__traceback__, implementation)


class _Recorder:
    """Passes calls on to the implementation, and keeps a line about the first ones, and about one that fails."""

    def __init__(self, implementation: Implementation, name: str) -> None:
        self.calls: list[Call] = []

        def recorded(*args: Any, **kwargs: Any) -> Any:
            if len(self.calls) >= _MAX_CALLS:
                try:
                    return implementation(*args, **kwargs)
                except BaseException:
                    self.calls[_MAX_CALLS:] = [Call(_call_text(name, args, kwargs))]
                    raise
            # Described before the call: the arguments may be different afterwards.
            self.calls.append(Call(_call_text(name, args, kwargs)))
            at = len(self.calls) - 1
            result = implementation(*args, **kwargs)
            self.calls[at] = Call(self.calls[at].text, _returned(result))
            return result

        # The signature and the name are a courtesy; a student's object may refuse to be asked for them.
        with contextlib.suppress(Exception):
            functools.update_wrapper(recorded, implementation, updated=())
        self.implementation = recorded


def _call_text(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    parts = [_argument(value) for value in args] + [f"{key}={_argument(value)}" for key, value in kwargs.items()]
    return f"{name}({', '.join(parts)})"


def _argument(value: Any) -> str:
    if type(value) is torch.Generator:
        return "torch.Generator()"
    if issubclass(type(value), torch.nn.Module):
        return type(value).__name__ + "(…)"
    if type(value) is FunctionType:
        return value.__name__ if value.__name__ != "<lambda>" else "f"
    try:
        with torch._C._DisableFuncTorch():
            return describe(plain(value, shared=True), limit=120)
    except RuntimeError:
        return "a tensor inside torch.func"


def _returned(result: Any) -> str:
    return form(plain(result, shared=True))


def code_file(implementation: Implementation) -> str:
    """The name under which Python knows the cell (or file) that defines an implementation; empty when unknown."""
    seen: Any = implementation
    with contextlib.suppress(Exception):  # wrapped in a circle, say
        seen = inspect.unwrap(implementation)
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
    if isinstance(implementation, Elsewhere):
        return implementation.source
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
    text = writable(text)
    return (
        text
        if len(text) <= _MAX_PRINTED
        else text[:_MAX_PRINTED] + f"\n… and {len(text) - _MAX_PRINTED} more characters"
    )


class _Bounded(io.StringIO):
    """Keeps the beginning of what is printed: an endless loop that prints must not fill the memory."""

    def write(self, text: str) -> int:
        super().write(text[: max(0, 50 * _MAX_PRINTED - self.tell())])
        return len(text)

    def close(self) -> None:
        """Stay open: a student who closes ``sys.stdout`` closes nothing of ours."""


@contextlib.contextmanager
def _quiet(printed: io.StringIO) -> Iterator[None]:
    """Catch both streams and warnings: nbgrader takes anything on stderr in a test cell for a failure."""
    caught = _Bounded()
    streams = {id(sys.stdout): sys.stdout, id(sys.stderr): sys.stderr}
    # Handlers hold the stream that they were made with (logging.basicConfig in a student's cell).
    handlers = [(handler, handler.stream) for handler in _log_handlers() if id(handler.stream) in streams]
    try:
        with contextlib.redirect_stdout(caught), contextlib.redirect_stderr(caught), warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.showwarning = _show_warning
            for handler, _ in handlers:
                handler.stream = caught  # setStream would flush it first, forty times a case
            yield
    finally:
        for handler, stream in handlers:
            handler.stream = stream
        printed.write(caught.getvalue())


def _log_handlers() -> Iterator["logging.StreamHandler[Any]"]:
    for logger in [logging.root, *logging.root.manager.loggerDict.values()]:
        for handler in getattr(logger, "handlers", ()):
            if isinstance(handler, logging.StreamHandler):
                yield handler


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
def seeded(seed: int) -> Iterator[None]:
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
