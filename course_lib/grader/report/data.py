"""The results of a class as typed, cleaned data: what the statistics count and the pages show.

Reads mappings in the shape of ``Result.to_json()`` and trusts none of their fields: a number that is none, a
record that cannot be read or a missing key leaves that one submission for a human, and never stops the report.
"""

import math
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from course_lib.checks.verdict import ExerciseResult, Outcome
from course_lib.grader.report.outcomes import submission_outcome
from course_lib.grader.report.text import line

_MAX_NOTES = 50


@runtime_checkable
class HasJson(Protocol):
    """A result that can say what it holds, such as ``course_lib.grader.results.Result``."""

    def to_json(self) -> dict[str, Any]:
        """The result as JSON-ready data."""
        ...


ResultLike = Mapping[str, Any] | HasJson
"""What the report accepts as the result of one submission."""


@dataclass(frozen=True)
class Exercise:
    """One exercise that the machine graded, in one submission.

    Attributes:
        record: its cases and what was recognised in them.
        points: what it is worth.
        score: points earned: those of the gradebook where the result names them, else those of the record.
        blank: whether it is not written yet.
    """

    record: ExerciseResult
    points: float
    score: float
    blank: bool = False

    @property
    def name(self) -> str:
        """The exercise's name."""
        return self.record.exercise

    @property
    def full(self) -> bool:
        """Whether all of its points were earned."""
        return self.score >= self.points if self.points > 0 else self.record.passed


@dataclass(frozen=True)
class Written:
    """One written answer: its points, and its score once a human has given one."""

    name: str
    points: float
    score: float | None = None


@dataclass(frozen=True)
class Submission:
    """What became of one student's submission of one assignment.

    Attributes:
        assignment: the assignment's name.
        student: the student's id.
        name: the student's name; the id where none is known.
        outcome: of the whole submission, a key of ``outcomes.SUBMISSION_OUTCOMES``.
        score: points so far, None when no score was given.
        max_score: points that can be reached, those given by hand included; None when not known.
        manual_points_open: points that wait for grading by hand.
        late_seconds: how long after the deadline it came, 0 when in time.
        notes: what the grader did or noticed, one sentence each.
        exercises: each exercise that the machine graded, in the order of the notebook.
        written: each written answer, in the order of the notebook.
        feedback: path of the feedback page relative to the course's root, None when there is none.
        trouble: what could not be read in the result; not empty means that a human has to look.
    """

    assignment: str
    student: str
    name: str
    outcome: str
    score: float | None = None
    max_score: float | None = None
    manual_points_open: float = 0.0
    late_seconds: float = 0.0
    notes: tuple[str, ...] = ()
    exercises: tuple[Exercise, ...] = ()
    written: tuple[Written, ...] = ()
    feedback: str | None = None
    trouble: tuple[str, ...] = field(default=())

    @property
    def needs_human(self) -> bool:
        """Whether an instructor must look: no score, an outcome that is not the student's doing, or unreadable data."""
        return self.score is None or bool(self.trouble) or submission_outcome(self.outcome).kind == "human"

    @property
    def late(self) -> bool:
        """Whether it came after the deadline."""
        return self.late_seconds > 0

    @property
    def max_so_far(self) -> float | None:
        """Points that could be reached without those that wait for grading by hand."""
        return None if self.max_score is None else max(0.0, self.max_score - self.manual_points_open)

    @property
    def tested_score(self) -> float | None:
        """The score without written answers."""
        if self.score is None:
            return None
        return max(0.0, self.score - math.fsum(answer.score or 0.0 for answer in self.written))

    @property
    def tested_max(self) -> float | None:
        """The points that can be reached without written answers."""
        if self.max_score is None or not self.written:
            return self.max_so_far
        return max(0.0, self.max_score - math.fsum(answer.points for answer in self.written))

    def exercise(self, name: str) -> Exercise | None:
        """One exercise by its name, None when the submission holds nothing on it."""
        return next((exercise for exercise in self.exercises if exercise.name == name), None)


def read_submission(result: ResultLike) -> Submission:
    """One result as a :class:`Submission`; what cannot be read is named in its ``trouble``."""
    data = result.to_json() if isinstance(result, HasJson) else result
    trouble: list[str] = []
    student = line(data.get("student") or "") or "(no student id)"
    cells = [cell for cell in _items(data.get("cells")) if isinstance(cell, Mapping)]
    tested = {line(cell.get("name")): cell for cell in cells if not cell.get("written")}
    return Submission(
        assignment=line(data.get("assignment") or "") or "(no assignment)",
        student=student,
        name=line(data.get("name") or "") or student,
        outcome=line(data.get("outcome") or ""),
        score=_number(data.get("score"), "score", trouble),
        max_score=_number(data.get("max_score"), "max_score", trouble),
        manual_points_open=max(0.0, _number(data.get("manual_points_open"), "manual_points_open", trouble) or 0.0),
        late_seconds=max(0.0, _number(data.get("late_seconds"), "late_seconds", trouble) or 0.0),
        notes=tuple(line(note) for note in _items(data.get("notes"))[:_MAX_NOTES]),
        exercises=tuple(
            _exercise(record, tested.get(line(record.exercise), {}), trouble)
            for record in _records(data.get("exercises"), trouble)
        ),
        written=tuple(_written(cell, trouble) for cell in cells if cell.get("written")),
        feedback=str(data["feedback"]) if data.get("feedback") else None,
        trouble=tuple(dict.fromkeys(trouble)),
    )


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _number(value: Any, what: str, trouble: list[str]) -> float | None:
    """A finite number or None; anything else is None too, and named in ``trouble``."""
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    trouble.append(f"The field {what} of the result holds no finite number.")
    return None


def _records(value: Any, trouble: list[str]) -> tuple[ExerciseResult, ...]:
    """The readable records, each exercise once (the last record counts), in the order given."""
    found: dict[str, ExerciseResult] = {}
    for data in _items(value):
        try:
            record = ExerciseResult.from_json(data)
            if not all(math.isfinite(number) for number in (record.points, *(case.weight for case in record.cases))):
                raise ValueError("points or weights are not finite")
        except (ValueError, OverflowError):
            name = line(data.get("exercise", "")) if isinstance(data, Mapping) else ""
            trouble.append(
                f"The record of {name or 'one exercise'} could not be read; its points are not in the tables."
            )
            continue
        found[record.exercise] = record
    return tuple(found.values())


def _exercise(record: ExerciseResult, cell: Mapping[str, Any], trouble: list[str]) -> Exercise:
    score = _number(cell.get("score"), "score", trouble)
    return Exercise(
        record,
        record.points,
        record.score if score is None else score,
        blank=cell.get("outcome") == "blank" or _is_stub(record),
    )


def _is_stub(record: ExerciseResult) -> bool:
    """Whether no case got further than the line that the exercise was handed out with."""
    return bool(record.cases) and all(case.outcome is Outcome.UNWRITTEN for case in record.cases)


def _written(cell: Mapping[str, Any], trouble: list[str]) -> Written:
    return Written(
        line(cell.get("name") or ""),
        _number(cell.get("points"), "points", trouble) or 0.0,
        _number(cell.get("score"), "score", trouble),
    )


@dataclass(frozen=True)
class ClassData:
    """All submissions of one assignment, by name, each student once."""

    assignment: str
    submissions: tuple[Submission, ...]

    @property
    def scored(self) -> tuple[Submission, ...]:
        """Those that have a score, right or wrong."""
        return tuple(s for s in self.submissions if s.score is not None)

    @property
    def needs_human(self) -> tuple[Submission, ...]:
        """Those that an instructor must look at."""
        return tuple(s for s in self.submissions if s.needs_human)

    @property
    def late(self) -> tuple[Submission, ...]:
        """Those that came after the deadline."""
        return tuple(s for s in self.submissions if s.late)

    @property
    def waiting(self) -> tuple[Submission, ...]:
        """Those with points that wait for grading by hand."""
        return tuple(s for s in self.submissions if s.manual_points_open > 0)

    @property
    def scores(self) -> list[float]:
        """The scores that can be compared, in points, of those that have one.

        While some written answer waits for its points these are the scores of the automatic tests alone, for everybody.
        """
        scores = [s.tested_score if self.waiting else s.score for s in self.submissions]
        return [score for score in scores if score is not None]

    @property
    def max_score(self) -> float:
        """The points that ``scores`` can reach, 0 when nothing says so."""
        # What has no score has no cells either, and would count the written answers in.
        compared = [s for s in self.submissions if s.score is not None] or self.submissions
        reachable = [s.tested_max if self.waiting else s.max_score for s in compared]
        return max((points for points in reachable if points is not None), default=0.0)

    @property
    def exercises(self) -> tuple[str, ...]:
        """The exercises' names in the order of the notebook."""
        longest_first = sorted(self.submissions, key=lambda s: -len(s.exercises))
        return tuple(dict.fromkeys(exercise.name for s in longest_first for exercise in s.exercises))


def _by_name(submission: Submission) -> tuple[str, str]:
    """Order of names: an accent does not move a letter to the end of the alphabet."""
    letters = unicodedata.normalize("NFKD", submission.name)
    return "".join(c for c in letters if not unicodedata.combining(c)).casefold(), submission.student


def by_assignment(results: Iterable[ResultLike]) -> tuple[ClassData, ...]:
    """Results of any assignments in any order, as one :class:`ClassData` for each assignment, sorted by name.

    When a student comes twice in an assignment the last result counts.
    """
    classes: dict[str, dict[str, Submission]] = {}
    for result in results:
        submission = read_submission(result)
        classes.setdefault(submission.assignment, {})[submission.student] = submission
    return tuple(
        ClassData(assignment, tuple(sorted(students.values(), key=_by_name)))
        for assignment, students in sorted(classes.items())
    )
