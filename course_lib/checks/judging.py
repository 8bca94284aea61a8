"""Judging what was observed: the verdict on a case, the mistake in it, and the message a student reads.

Nothing here runs a student's code: it looks at data and decides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from course_lib.checks.compare import Difference, Tolerance, compare, compare_form
from course_lib.checks.data import Raised, own_kinds
from course_lib.checks.describe import describe
from course_lib.checks.run import Observation
from course_lib.checks.scenario import Implementation, Scenario
from course_lib.checks.verdict import CaseResult, Outcome

UNSET: Any = object()
"""Stands for an argument that was not given, where ``None`` is a value like any other."""

_STUB = ("NotImplementedError", "")


@dataclass(frozen=True)
class Finding:
    """What a judge found wrong.

    Attributes:
        kind: a short stable word; two implementations with the same kinds of findings made the same mistake.
        message: a sentence with the measured numbers.
    """

    kind: str
    message: str


Judge = Callable[[Any], Finding | None]


@dataclass(frozen=True)
class Case:
    """One stated case; see :meth:`course_lib.checks.exercise.Exercise.case`."""

    title: str
    scenario: Scenario
    expected: Any
    judge: Judge | None
    reference: Implementation | None
    like: Any
    weight: float
    tolerance: Tolerance
    why: str
    hidden: bool


@dataclass(frozen=True)
class Verdict:
    """The verdict on one observation: nothing found, a difference, or a judge's finding."""

    difference: Difference | None = None
    finding: Finding | None = None

    @property
    def right(self) -> bool:
        """Whether nothing was found wrong."""
        return self.difference is None and self.finding is None


def judge(case: Case, seen: Observation, right: Any) -> Verdict:
    """Judge an observation.

    Args:
        case: the case that was run.
        seen: what was observed.
        right: what is right, as data; for a case with a judge, data of the right form; ``UNSET`` when nothing is known.
    """
    if seen.stopped is not None and not (
        seen.stopped is Outcome.RAISED and isinstance(right, Raised) and case.judge is None and not is_stub(seen)
    ):
        return Verdict(finding=Finding("stopped", ""))
    if case.judge is not None and case.expected is UNSET:
        if right is not UNSET:
            difference = compare_form(seen.data, right)
            if difference is not None:
                return Verdict(difference=difference)
        return Verdict(finding=_judged(case.judge, seen.data, right))
    return Verdict(difference=compare(seen.data, right, case.tolerance))


def _judged(judge: Judge, data: Any, right: Any) -> Finding | None:
    """What a judge says. One that stumbles over a student's data, and not over data that are right, has found them odd.

    Raises:
        Exception: what the judge raises, where it stumbles over data of the right form too, or none are known: an error
            of the course's.
    """
    try:
        return judge(data)
    except Exception as error:
        if right is UNSET:
            raise
        judge(right)
        return Finding("odd", f"the result has the right form, but cannot be judged ({type(error).__name__}: {error})")


def is_stub(seen: Observation) -> bool:
    """Whether the run met code that is not written yet: nbgrader's stub raises NotImplementedError without a text."""
    error = seen.data
    return seen.stopped is Outcome.RAISED and isinstance(error, Raised) and (error.kind, error.message) == _STUB


def same_mistake(seen: Observation, verdict: Verdict, theirs: Observation, its: Verdict, tolerance: Tolerance) -> bool:
    """Whether two wrong observations are wrong in the same way: the same data, exception or kind of finding."""
    if seen.stopped is not None or theirs.stopped is not None:
        same_kind = (
            isinstance(seen.data, Raised) and isinstance(theirs.data, Raised) and seen.data.kind == theirs.data.kind
        )
        return seen.stopped is theirs.stopped and same_kind
    if verdict.finding is not None and its.finding is not None:
        return verdict.finding.kind == its.finding.kind
    if verdict.finding is not None or its.finding is not None:
        return False
    return compare(seen.data, own_kinds(theirs.data), tolerance) is None


def case_result(case: Case, seen: Observation, verdict: Verdict, name: str) -> CaseResult:
    """Put a verdict into words: what a student reads about this case."""
    common: dict[str, Any] = {"hidden": case.hidden, "weight": case.weight, "printed": seen.printed}
    if seen.refused:
        message = f"{name} uses {seen.refused[0]}"
        return CaseResult(case.title, Outcome.REFUSED, message=message, called=_called(seen), **common)
    if verdict.right:
        return CaseResult(case.title, Outcome.PASSED, **common)
    if seen.stopped is not None:
        return CaseResult(
            case.title,
            Outcome.UNWRITTEN if is_stub(seen) else seen.stopped,
            message=_stopped_message(seen, name),
            called=_called(seen),
            reason="" if is_stub(seen) else seen.place or case.why,
            **common,
        )
    if verdict.finding is not None:
        return CaseResult(
            case.title,
            Outcome.FAILED,
            message=verdict.finding.message,
            called=_called(seen),
            came=describe(seen.data),
            reason=case.why,
            **common,
        )
    difference = verdict.difference
    assert difference is not None
    return CaseResult(
        case.title,
        Outcome.FAILED,
        message=difference.message,
        called=_called(seen, difference.path),
        came=difference.came,
        expected=difference.expected,
        reason=difference.reason or case.why,
        **common,
    )


def _stopped_message(seen: Observation, name: str) -> str:
    error = seen.data if isinstance(seen.data, Raised) else Raised(("Exception",))
    if seen.stopped is Outcome.TIMED_OUT and error.kind == "TimeoutError":
        return f"{name} did not finish within {error.message}: is there a loop that never ends?"
    if seen.stopped is Outcome.CRASHED:
        how = f" ({error.message})" if error.message else ""
        return f"{name} ended the process that ran it{how}; the cases after this one ran in a fresh one"
    if seen.stopped is not Outcome.RAISED:
        return f"{name} was stopped: {error.message}"
    if is_stub(seen):
        return f"{name} is not written yet: replace the line that raises NotImplementedError"
    text = f"{error.kind}: {error.message}" if error.message else error.kind
    last = seen.calls[-1] if seen.calls else None
    if last is not None and last.returned and not seen.place:
        return f"what {name} returned ({last.returned}) cannot be used: {text}"
    return f"{name} stopped with {text}"


def _called(seen: Observation, path: tuple[int | str, ...] = ()) -> str:
    """The call that a message is about: the one that stopped, the one whose result differs, or the first."""
    calls = seen.calls
    if not calls:
        return ""
    if seen.stopped is not None:
        return calls[-1].text
    if path and isinstance(path[0], int) and isinstance(seen.data, list) and len(seen.data) == len(calls):
        return calls[path[0]].text
    more = f"  (and {len(calls) - 1} more call{'s' if len(calls) > 2 else ''})" if len(calls) > 1 else ""
    return calls[0].text + more
