"""From a graded notebook, and what the gradebook says about it, to a :class:`Result`."""

from dataclasses import replace
from typing import TYPE_CHECKING

from nbformat import NotebookNode, v4

from course_lib.grader.annotations import Record, notes_of, seconds_of
from course_lib.grader.grading.graded_notebook import outcome_of, read_cells
from course_lib.grader.results import GradedCell, Result

if TYPE_CHECKING:  # checking one's own notebook needs no gradebook, nor the time to import one
    from course_lib.grader.book.gradebook import Entry


def read_own(text: str) -> NotebookNode:
    """A notebook of format 4 that we wrote ourselves, which need not be validated again."""
    nb: NotebookNode = v4.reads(text)  # type: ignore[no-untyped-call]
    return nb


def result_of(nb: NotebookNode, assignment: str, student: str) -> Result:
    """The result as far as the notebook tells it: without a human's marks, a name, or what is known of the hand-in."""
    cells, records = read_cells(nb)
    result = Result(
        assignment=assignment,
        student=student,
        name=student,
        outcome=outcome_of(nb, cells),
        exercises=records,
        notes=notes_of(nb),
        seconds=seconds_of(nb),
    )
    return _with_cells(result, cells, 0.0)


def with_entry(result: Result, entry: "Entry") -> Result:
    """A result with what the gradebook says about the submission.

    The gradebook's scores go before the notebook's: a human may have marked a cell.
    """
    result = replace(result, name=entry.name, late_seconds=entry.late_seconds, submitted=entry.submitted)
    if result.score is None:
        return result
    cells = tuple(replace(cell, score=entry.scores.get(cell.cell, cell.score)) for cell in result.cells)
    return _with_cells(result, cells, entry.penalty)


def agrees(record: Record, entry: "Entry | None") -> bool:
    """Whether a graded notebook and the gradebook speak of the same grading."""
    return (
        entry is not None
        and record.scores == entry.auto_scores
        and (record.late_seconds, record.penalty) == (entry.late_seconds, entry.penalty)
    )


def _with_cells(result: Result, cells: tuple[GradedCell, ...], penalty: float) -> Result:
    return replace(
        result,
        cells=cells,
        score=round(max(0.0, sum(cell.score or 0.0 for cell in cells) - penalty), 4),
        max_score=sum(cell.points for cell in cells),
        manual_points_open=sum(cell.points for cell in cells if cell.score is None),
    )
