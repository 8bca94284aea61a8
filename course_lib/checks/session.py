"""Who is checking: a student in a notebook, a reader at the terminal, or the grader.

The session says how long a case may take, which misconceptions are known (none on a student's machine), and which
runner runs scenarios. The grader sets its own; everybody else gets one from the environment.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from course_lib.checks.memory import Memory
from course_lib.checks.misconception import Misconception, load_misconceptions
from course_lib.checks.run import CASE_SECONDS, InProcessRunner, Runner
from course_lib.checks.verdict import ExerciseResult


@dataclass(frozen=True)
class Session:
    """How exercises are run and judged.

    Attributes:
        misconceptions: wrong implementations to recognise, of any exercise.
        runner: what runs scenarios.
        seed: added to every case's seed; another one gives random implementations other draws.
        show: whether :meth:`Exercise.score` shows its table.
        sink: gets every result as soon as it is known; what grades listens here, not to the cell's output.
        memory: where the right results and those of misconceptions are kept from one run of the same test cells to the
            next; None to work them out each time.
    """

    misconceptions: Sequence[Misconception] = ()
    runner: Runner = field(default_factory=InProcessRunner)
    seed: int = 0
    show: bool = True
    sink: Callable[[ExerciseResult], None] | None = None
    memory: Memory | None = None


_active: ContextVar[Session | None] = ContextVar("course_lib_session", default=None)


def current() -> Session:
    """The session in force, or one made from the environment.

    ``COURSE_LIB_MISCONCEPTIONS`` names a file of misconceptions, ``COURSE_LIB_CASE_SECONDS`` the time a case may take.
    """
    return _active.get() or _from_environment()


@contextmanager
def session(new: Session) -> Iterator[Session]:
    """Put a session in force for the length of a ``with`` block."""
    token = _active.set(new)
    try:
        yield new
    finally:
        _active.reset(token)


def _from_environment() -> Session:
    path = os.environ.get("COURSE_LIB_MISCONCEPTIONS")
    text = os.environ.get("COURSE_LIB_CASE_SECONDS", "")
    try:
        seconds = float(text) if text else CASE_SECONDS
        if not 0 < seconds < 1e6:
            raise ValueError(text)
    except ValueError:
        raise ValueError(f"COURSE_LIB_CASE_SECONDS must be a number of seconds, not {text!r}") from None
    return Session(
        misconceptions=load_misconceptions(Path(path)) if path else (),
        runner=InProcessRunner(case_seconds=seconds),
    )
