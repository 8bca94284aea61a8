"""What ``course check`` shows in a terminal: exercises with their cases, what to do next, the course so far.

A page is made of text that a notebook's code may have chosen. So no markup is read in it, and no character of it steers
the terminal.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from course_lib.checks.render import summary, text
from course_lib.checks.verdict import ExerciseResult
from course_lib.checks.verdict import Outcome as CaseOutcome
from course_lib.grader.commands.logbook import Reached
from course_lib.grader.intake.match import grade_id
from course_lib.grader.results import GradedCell, Outcome, Result

_STYLES = {"✓": "green", "✗": "red", "⊘": "yellow", "⧖": "yellow", "○": "dim"}  # by the mark that a line begins with
_PLACE = re.compile(r"<ipython-input-[^>]*>, ")  # the name of a file that does not exist, in a SyntaxError
_HINT = "It looks as if"
_TO_BE_WRITTEN = (CaseOutcome.UNWRITTEN, CaseOutcome.MISSING)


def points_by_machine(result: Result) -> tuple[float, float]:
    """The points that the machine gave, and all that it gives: written questions are left out."""
    tested = [cell for cell in result.cells if not cell.written]
    return round(math.fsum(cell.score or 0.0 for cell in tested), 4), math.fsum(cell.points for cell in tested)


def stopped_cells(cells: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The reader's own cells in a graded notebook that ended with an error: what to call the cell -> the error."""
    found = {}
    for cell in cells:
        solution = cell["metadata"].get("nbgrader", {}).get("solution")
        own = "nbgrader" not in cell["metadata"]
        for output in cell.get("outputs", ()) if solution or own else ():
            if output["output_type"] == "error":
                name = grade_id(cell) or f"that begins with “{_line(''.join(cell['source']))[:40]}”"
                found[name] = _line(_PLACE.sub("", f"{output['ename']}: {output['evalue']}".strip(": ")))
    return found


def next_step(result: Result, stopped: Mapping[str, str]) -> str:
    """What to do next: the first thing to repair; where nothing is broken, the first to write."""
    records = {record.exercise: record for record in result.exercises}
    open_ = [cell for cell in result.cells if not cell.written and cell.outcome is not Outcome.PASSED]
    for cell in sorted(open_, key=lambda cell: cell.outcome is Outcome.BLANK):
        return _repair(cell, records.get(cell.name), stopped)
    written = [cell.name for cell in result.cells if cell.written]
    rest = f" Written questions are yours to judge: {', '.join(written)}." if written else ""
    return f"Nothing to repair: all the points that the machine gives.{rest}"


def _repair(cell: GradedCell, record: ExerciseResult | None, stopped: Mapping[str, str]) -> str:
    if cell.name in stopped:
        return f"Mend the cell {cell.name} first, which stopped: {stopped[cell.name]}"
    if cell.outcome is Outcome.BLANK:
        return f"Write {cell.name}: replace the line that raises NotImplementedError."
    if record is None or record.refused:
        return f"Build {cell.name} yourself, without {'; '.join(record.refused) if record else 'help'}."
    hints = "".join(f" {_HINT} your {record.exercise} {found.name}. {found.hint}" for found in record.misconceptions)
    failed = next((case for case in record.cases if not case.passed), None)
    if failed is None:
        return f"Look at {cell.name}.{hints}"
    return _line(f"Look at {cell.name}, “{failed.title}”: {failed.message or failed.outcome.value}{hints}")


class Page:
    """Prints the parts of a check.

    Args:
        console: where to.
        detailed: whether also exercises of which all cases say the same are shown case by case.
    """

    def __init__(self, console: Console, *, detailed: bool = False) -> None:
        self._console = console
        self._detailed = detailed

    def show(self, result: Result, stopped: Mapping[str, str], step: str, with_rubric: set[str]) -> None:
        """Show what came of a notebook.

        Args:
            result: what is shown of it.
            stopped: see :func:`stopped_cells`.
            step: see :func:`next_step`.
            with_rubric: the written questions that have a rubric in the source.
        """
        records = {record.exercise: record for record in result.exercises}
        for cell in result.cells:
            if cell.written:
                self._written(result.assignment, cell, rubric=cell.name in with_rubric)
            elif cell.name in records:
                self._exercise(records[cell.name])
            self._print("")
        for name, error in stopped.items():
            self._print(f"The cell {name} stopped: {error}", "yellow")
        for note in result.notes:
            self._print(f"Note: {note}")
        score, of = points_by_machine(result)
        self._print(f"{result.assignment}: {_points(score)} of {_points(of)} points.", "bold")
        self._print(f"Next: {step}")

    def show_progress(self, assignments: Sequence[str], known: Mapping[str, Reached]) -> None:
        """Show the course so far."""
        self._print("")
        self._console.print(progress_table(assignments, known))

    def _exercise(self, record: ExerciseResult) -> None:
        outcomes = {case.outcome for case in record.cases}
        alike = len(outcomes) == 1 and not record.refused
        if alike and not self._detailed and record.passed:
            self._print(f"✓ {summary(record)}", "green")
        elif alike and not self._detailed and outcomes <= set(_TO_BE_WRITTEN):
            self._print(f"○ {summary(record)}", "bold")
            self._print(f"  {record.cases[0].message}")
        else:
            first, *rest = text(record).split("\n")
            self._print(first, "bold")
            for line in rest:
                self._print(line)

    def _written(self, assignment: str, cell: GradedCell, *, rubric: bool) -> None:
        self._print(f"{cell.name}: a written question, {_points(cell.points)} points, not graded by machine.", "bold")
        if rubric:
            self._print(
                f"  A model answer and a rubric to grade it by: source/{assignment}/{assignment}.ipynb, "
                f"the cell {cell.name}."
            )

    def _print(self, line: str, style: str = "") -> None:
        body = _line(line).lstrip()
        indent = len(line) - len(line.lstrip())
        style = style or _STYLES.get(body[:1], "cyan" if body.startswith(_HINT) else "")
        shown = Text(body, style)
        if self._console.is_terminal:
            self._console.print(Padding(shown, (0, 0, 0, indent)))
        else:  # whoever reads a file or a pipe wants the lines whole
            self._console.print(Text(" " * indent) + shown, soft_wrap=True)


def progress_table(assignments: Sequence[str], known: Mapping[str, Reached]) -> Table:
    """The course so far: what was reached in each assignment, when, and in how many checks."""
    table = Table(title="The course so far", title_justify="left", title_style="bold")
    table.add_column("assignment", no_wrap=True)
    for name in ("best score", "reached", "checks"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in assignments:
        reached = known.get(name)
        if reached is None:
            table.add_row(Text(name), "–", "", "")
            continue
        when = f"{datetime.fromisoformat(reached.best_at).astimezone():%Y-%m-%d %H:%M}"
        score = f"{_points(reached.best)} / {_points(reached.of)}"
        style = "green" if reached.share >= 1 else ""
        table.add_row(Text(name), Text(score, style), when, str(reached.attempts))
    return table


def _points(points: float) -> str:
    """Two decimals at the most, cut and not rounded: 3.999 of 4 is not all."""
    return f"{math.floor(points * 100 + 1e-6) / 100:g}"


def _line(line: str) -> str:
    """A line without what is no text: what steers a terminal, turns the direction of writing, or ends the line."""
    return "".join(c if c.isprintable() else " " for c in line)
