"""What came of an exercise, as plain data: by case what happened and why, and the points that follow.

A record is made where points are decided and read where they are shown (the notebook, the feedback, the class page),
so it holds numbers and strings only and goes through JSON unchanged.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

RESULT_MIME = "application/vnd.course-lib.result+json"
"""The MIME type under which a test cell's output carries its record."""

_VERSION = 1


class Outcome(StrEnum):
    """What became of one case. Only ``PASSED`` earns points."""

    PASSED = "passed"
    FAILED = "failed"
    """It answered, and the answer is wrong."""
    RAISED = "raised"
    """The student's code stopped with an exception."""
    UNWRITTEN = "not written"
    """The stub is still there."""
    TIMED_OUT = "timed out"
    CRASHED = "crashed"
    """The process that ran the student's code ended."""
    REFUSED = "refused"
    """It called torch's own version of what the exercise asks to build."""
    LIMIT = "limit exceeded"
    """It used more memory, output, files or processes than a case may."""
    MISSING = "missing"
    """The name that the exercise asks for does not exist."""


@dataclass(frozen=True)
class CaseResult:
    """One case of one exercise.

    Attributes:
        title: the case's title.
        outcome: what happened.
        hidden: whether the case stands between the hidden-test markers.
        weight: the case's share in the points, relative to the other cases.
        message: one sentence that says what is wrong; empty when the case passed.
        called: the student's call that it is about, as text.
        came: what came back, as text.
        expected: what was expected, as text.
        reason: the likely reason, as text.
        printed: what the student's code printed meanwhile, cut to a readable length.
    """

    title: str
    outcome: Outcome
    hidden: bool = False
    weight: float = 1.0
    message: str = ""
    called: str = ""
    came: str = ""
    expected: str = ""
    reason: str = ""
    printed: str = ""

    @property
    def passed(self) -> bool:
        """Whether the case earns its points."""
        return self.outcome is Outcome.PASSED


@dataclass(frozen=True)
class Recognised:
    """A misconception whose results equal the student's, and the hint that helps out of it."""

    name: str
    hint: str


@dataclass(frozen=True)
class ExerciseResult:
    """All cases of one exercise, and the points they earn.

    Attributes:
        exercise: the name of the contract, such as ``"softmax"``.
        points: how many points the exercise is worth.
        cases: every case in the order in which the test cell states it.
        refused: what was used and is refused, as readable names; not empty means no points.
        misconceptions: the misconceptions recognised.
    """

    exercise: str
    points: float
    cases: tuple[CaseResult, ...] = ()
    refused: tuple[str, ...] = ()
    misconceptions: tuple[Recognised, ...] = field(default=())

    @property
    def passed(self) -> bool:
        """Whether every case passed (an exercise without cases has not passed) and nothing refused was used."""
        return bool(self.cases) and not self.refused and all(case.passed for case in self.cases)

    @property
    def score(self) -> float:
        """The points earned: the passed cases' share of the weight, in [0, points].

        All of ``points`` comes only from all cases: rounding never completes a score.
        """
        if self.passed:
            return float(self.points)
        total = sum(case.weight for case in self.cases)
        if self.refused or total <= 0:
            return 0.0
        share = sum(case.weight for case in self.cases if case.passed) / total
        return max(0.0, min(round(self.points * share, 4), self.points - 0.0001))

    def to_json(self) -> dict[str, Any]:
        """The record as JSON-ready data (lists, dicts, numbers, strings)."""
        return {
            "version": _VERSION,
            "exercise": self.exercise,
            "points": float(self.points),
            "score": self.score,
            "refused": list(self.refused),
            "misconceptions": [asdict(m) for m in self.misconceptions],
            "cases": [{**vars(case), "outcome": case.outcome.value} for case in self.cases],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ExerciseResult":
        """Read a record back; unknown keys are ignored.

        Raises:
            ValueError: when the data is not a record of a version known here.
        """
        try:
            if data["version"] != _VERSION:
                raise ValueError(f"a result record of version {data['version']!r}; this version reads {_VERSION}")
            cases = tuple(
                CaseResult(
                    title=str(case["title"]),
                    outcome=Outcome(case["outcome"]),
                    hidden=bool(case.get("hidden", False)),
                    weight=float(case.get("weight", 1.0)),
                    **{key: str(case.get(key, "")) for key in _TEXTS},
                )
                for case in data["cases"]
            )
            return cls(
                exercise=str(data["exercise"]),
                points=float(data["points"]),
                cases=cases,
                refused=tuple(str(name) for name in data.get("refused", ())),
                misconceptions=tuple(
                    Recognised(str(m["name"]), str(m["hint"])) for m in data.get("misconceptions", ())
                ),
            )
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"not a result record: {error!r}") from error


_TEXTS = ("message", "called", "came", "expected", "reason", "printed")
