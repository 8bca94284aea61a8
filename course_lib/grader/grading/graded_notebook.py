"""Reads the cells of a graded notebook: what each scored by nbgrader's own rule, and the record of its cases."""

from collections.abc import Iterable, Mapping
from typing import Any

from nbformat import NotebookNode
from nbgrader.utils import determine_grade, is_grade, is_solution

from course_lib.checks.verdict import RESULT_MIME, CaseResult, ExerciseResult
from course_lib.checks.verdict import Outcome as CaseOutcome
from course_lib.grader.engine.examiner import DIED, NOT_RUN, TIMED_OUT
from course_lib.grader.intake.rebuild import is_untouched
from course_lib.grader.results import GradedCell, Outcome, overall

_RAN_BADLY = {TIMED_OUT: Outcome.TIMED_OUT, NOT_RUN: Outcome.TIMED_OUT, DIED: Outcome.CRASHED}
_AS_CASE = {
    Outcome.TIMED_OUT: CaseOutcome.TIMED_OUT,
    Outcome.CRASHED: CaseOutcome.CRASHED,
    Outcome.LIMIT: CaseOutcome.LIMIT,
}


def read_cells(nb: NotebookNode) -> tuple[tuple[GradedCell, ...], tuple[ExerciseResult, ...]]:
    """Every cell with points in a graded notebook, and the record of each that the machine graded."""
    blank = {cell.metadata.nbgrader["grade_id"] for cell in nb.cells if is_solution(cell) and is_untouched(cell)}
    cells, records = [], []
    for cell in nb.cells:
        if not is_grade(cell):
            continue
        if is_solution(cell):
            cells.append(_written(cell, blank))
        else:
            record = _record(cell)
            graded = _tested(cell, record, blank)
            cells.append(graded)
            records.append(record or _made_up(graded, hidden="BEGIN HIDDEN TESTS" in cell.source))
    return tuple(cells), tuple(records)


def outcome_of(nb: NotebookNode, cells: Iterable[GradedCell]) -> Outcome:
    """What became of the whole notebook: how it ran comes before what it scored, where that could cost points."""
    telling = [cell for cell in nb.cells if is_grade(cell) or is_solution(cell)]
    ran = [_RAN_BADLY[name] for cell in telling for name in _errors(cell) if name in _RAN_BADLY]
    return ran[0] if ran else overall(cells)


def exercise_name(cell: NotebookNode) -> str:
    """The exercise that a cell with points belongs to: ``test_softmax`` tests ``softmax``."""
    return str(cell.metadata.nbgrader["grade_id"]).removeprefix("test_")


def _written(cell: NotebookNode, blank: set[str]) -> GradedCell:
    name = exercise_name(cell)
    points = float(cell.metadata.nbgrader["points"])
    if name in blank:
        return GradedCell(name, name, points, 0.0, Outcome.BLANK, written=True)
    return GradedCell(name, name, points, None, Outcome.WRITTEN, written=True)


def _tested(cell: NotebookNode, record: ExerciseResult | None, blank: set[str]) -> GradedCell:
    name, points = exercise_name(cell), float(cell.metadata.nbgrader["points"])
    score = float(determine_grade(cell)[0] or 0.0)
    outcome = _outcome(name, points, score, cell, record, blank)
    message = ""
    if record is None:
        message = next((f"{o.ename}: {o.evalue}".strip(": ") for o in cell.outputs if o.output_type == "error"), "")
    return GradedCell(name, cell.metadata.nbgrader["grade_id"], points, score, outcome, message=message)


def _outcome(
    name: str, points: float, score: float, cell: NotebookNode, record: ExerciseResult | None, blank: set[str]
) -> Outcome:
    if score >= points:
        return Outcome.PASSED
    if score > 0:
        return Outcome.PARTIAL
    for error in _errors(cell):
        if error in _RAN_BADLY:
            return _RAN_BADLY[error]
    if name in blank:
        return Outcome.BLANK
    if record is not None:
        if record.refused:
            return Outcome.REFUSED
        for outcome, case in _AS_CASE.items():
            if any(c.outcome is case for c in record.cases):
                return outcome
    return Outcome.FAILED


def _record(cell: NotebookNode) -> ExerciseResult | None:
    for output in cell.outputs:
        data = output.get("data", {}).get(RESULT_MIME)
        if isinstance(data, Mapping):
            try:
                return ExerciseResult.from_json(data)
            except ValueError:
                return None
    return None


def _made_up(cell: GradedCell, *, hidden: bool) -> ExerciseResult:
    """A record for a test cell that left none, so that reports need to know only one form."""
    score = cell.score or 0.0
    cases = []
    if score > 0:
        cases.append(CaseResult("what passed", CaseOutcome.PASSED, weight=score))
    if score < cell.points:
        outcome = _AS_CASE.get(cell.outcome, CaseOutcome.RAISED if cell.message else CaseOutcome.FAILED)
        message = cell.message or "The test cell says no more than its score."
        cases.append(CaseResult("the test cell", outcome, hidden, cell.points - score, message=message))
    return ExerciseResult(cell.name, cell.points, tuple(cases))


def _errors(cell: Mapping[str, Any]) -> list[str]:
    return [str(o.get("ename")) for o in cell.get("outputs", []) if o.get("output_type") == "error"]
