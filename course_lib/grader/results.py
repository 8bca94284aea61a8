"""What came of one submission, as plain data: read from the graded notebook, carried as JSON, shown by the report.

A :class:`Result` is a function of files alone (``autograded/`` and the gradebook), so it can be made again at any
time and in any process. Outcomes keep blame apart: what the student's work did, what was wrong with the files, what
the grader did.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from course_lib.checks.verdict import ExerciseResult

_VERSION = 1
_LATER = ("kept",)  # not in every result of this version


class Outcome(StrEnum):
    """What became of a graded cell or of a whole submission.

    The first block is earned by the work, the second by how it ran, the third by the files; the last is ours.
    """

    PASSED = "passed"
    """Every point that the machine gives."""
    PARTIAL = "partial"
    FAILED = "failed"
    """Tried, and no points."""
    BLANK = "blank"
    """Left as it was handed out."""
    REFUSED = "refused"
    """Used torch's own version of what was to be built (cells only)."""
    WRITTEN = "written"
    """A written answer: a human marks it, or has marked it (cells only)."""

    TIMED_OUT = "timed out"
    """A test or a solution was cut off at its time limit; what ran before and after it is scored."""
    CRASHED = "crashed"
    """A test or a solution ended the process that ran it; what ran before and after it is scored."""
    LIMIT = "limit exceeded"
    """A test or a solution needed more memory, files or processes than it may; what ran before and after is scored."""

    MISSING = "missing"
    """No notebook of that name was handed in."""
    UNREADABLE = "unreadable"
    """What was handed in is not a notebook that can be graded."""

    GRADER_ERROR = "grader error"
    """The grader failed, not the student. Never a zero."""

    @property
    def needs_human(self) -> bool:
        """Whether there is no score, and somebody has to look."""
        return self in (Outcome.MISSING, Outcome.UNREADABLE, Outcome.GRADER_ERROR)

    @property
    def advice(self) -> str:
        """What the instructor does next, where somebody has to look; apart from the notes, which students read too."""
        return _ADVICE.get(self, "")


_ADVICE = {
    Outcome.MISSING: "Ask the student for it.",
    Outcome.UNREADABLE: "Ask the student to hand in again.",
}


@dataclass(frozen=True)
class GradedCell:
    """One cell that carries points, in one submission.

    Attributes:
        name: the exercise's name, such as ``"softmax"``.
        cell: the cell's ``grade_id``, such as ``"test_softmax"``.
        points: how many points there are.
        score: how many were earned; None while a written answer waits for a human.
        outcome: what happened.
        written: whether a human marks it.
        message: one sentence when something other than a wrong answer happened (an exception in the test cell, say).
    """

    name: str
    cell: str
    points: float
    score: float | None
    outcome: Outcome
    written: bool = False
    message: str = ""


@dataclass(frozen=True)
class Result:
    """One submission, graded, or the reason why it could not be.

    Attributes:
        assignment: such as ``"09_dropout"``.
        student: the student's id.
        name: the student's name; the id where the gradebook has none.
        outcome: what became of it as a whole.
        score: the points so far, written answers included as far as they are marked; None when nothing was graded.
        max_score: all points of the assignment.
        manual_points_open: the points of written answers that wait to be marked.
        cells: every cell with points in the notebook's order; empty when nothing was graded.
        exercises: the record, case by case, of every exercise that the machine graded.
        notes: sentences for the instructor: what was odd about the files, and what was done about it.
        late_seconds: how long after the due date it was handed in; 0.0 when in time, or without a due date.
        submitted: when it was handed in, UTC, ISO 8601; empty when unknown.
        seconds: how long the notebook ran.
        feedback: the student's page, relative to the course's folder; empty when there is none yet.
        kept: whether it is that of an earlier run, because nothing had changed since.
    """

    assignment: str
    student: str
    outcome: Outcome
    name: str = ""
    score: float | None = None
    max_score: float = 0.0
    manual_points_open: float = 0.0
    cells: tuple[GradedCell, ...] = ()
    exercises: tuple[ExerciseResult, ...] = ()
    notes: tuple[str, ...] = field(default=())
    late_seconds: float = 0.0
    submitted: str = ""
    seconds: float = 0.0
    feedback: str = ""
    kept: bool = field(default=False, compare=False)

    @property
    def summary(self) -> str:
        """A few words on what happened, for a table's column."""
        if self.outcome.needs_human:
            return self.outcome.value
        graded = [cell for cell in self.cells if not cell.written]
        if self.outcome is Outcome.PASSED:
            words = ["all right"]
        elif self.outcome is Outcome.BLANK:
            words = ["left blank"]
        else:
            words = [f"{sum(cell.outcome is Outcome.PASSED for cell in graded)} of {len(graded)} right"]
            for outcome in (Outcome.REFUSED, Outcome.TIMED_OUT, Outcome.CRASHED, Outcome.LIMIT):
                names = [cell.name for cell in graded if cell.outcome is outcome]
                if names:
                    said = "over a limit" if outcome is Outcome.LIMIT else outcome.value
                    words.append(f"{', '.join(names)} {said}")
        unwritten = [cell.name for cell in self.cells if cell.written and cell.outcome is Outcome.BLANK]
        if unwritten and self.outcome is not Outcome.BLANK:
            words.append(f"{', '.join(unwritten)} not answered")
        if self.late_seconds > 0:
            words.append(f"{_duration(self.late_seconds)} late")
        return "; ".join(words)

    def to_json(self) -> dict[str, Any]:
        """The result as JSON-ready data."""
        data = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            "version": _VERSION,
            **data,
            "outcome": self.outcome.value,
            "cells": [{**asdict(cell), "outcome": cell.outcome.value} for cell in self.cells],
            "exercises": [record.to_json() for record in self.exercises],
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Result":
        """Read a result back.

        Raises:
            ValueError: when the data is not a result of a version known here.
        """
        try:
            if data["version"] != _VERSION:
                raise ValueError(f"a result of version {data['version']!r}; this version reads {_VERSION}")
            fields = {key: data[key] for key in cls.__dataclass_fields__ if key in data or key not in _LATER}
            fields["outcome"] = Outcome(fields["outcome"])
            fields["notes"] = tuple(fields["notes"])
            fields["cells"] = tuple(GradedCell(**{**c, "outcome": Outcome(c["outcome"])}) for c in fields["cells"])
            fields["exercises"] = tuple(ExerciseResult.from_json(record) for record in fields["exercises"])
            return cls(**fields)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a result: {error!r}") from error


def overall(cells: Iterable[GradedCell]) -> Outcome:
    """The outcome of a submission whose notebook ran to its end, from its cells.

    >>> def cell(score, outcome): return GradedCell("e", "test_e", 2.0, score, outcome)
    >>> overall([cell(2.0, Outcome.PASSED), cell(0.0, Outcome.FAILED)]).value
    'partial'
    >>> overall([cell(0.0, Outcome.BLANK), cell(0.0, Outcome.BLANK)]).value
    'blank'
    """
    everything = list(cells)
    if everything and all(cell.outcome is Outcome.BLANK for cell in everything):
        return Outcome.BLANK
    graded = [cell for cell in everything if not cell.written]
    if all(cell.outcome is Outcome.PASSED for cell in graded):
        return Outcome.PASSED
    return Outcome.PARTIAL if any(cell.score for cell in graded) else Outcome.FAILED


def _duration(seconds: float) -> str:
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{max(minutes, 1)} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h"
    return f"{minutes // (24 * 60)} days"
