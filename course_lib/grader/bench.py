"""A bench for test cells: run one exercise's real test cell with any text in its solution cell.

What tests the tests stands here: every misconception must lose points, every alternative must keep them all, and a
stub must earn none. The cells are those of the notebook, hidden tests included; nothing is executed but the import
cell, the solutions of the exercises before, and the two cells in question.
"""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat

from course_lib.checks.misconception import Misconception
from course_lib.checks.session import Session, session
from course_lib.checks.verdict import ExerciseResult
from course_lib.grader.intake.released import released_view
from course_lib.grader.notebooks import remember_text

_numbers = itertools.count()


class Bench:
    """The cells of one source notebook.

    Args:
        notebook: the path of ``source/<assignment>/<assignment>.ipynb``.

    Attributes:
        exercises: the names of the exercises that are graded by machine, in the notebook's order.
    """

    def __init__(self, notebook: Path) -> None:
        self.notebook = notebook
        source = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
        self._cells = _by_grade_id(source)
        self._released = _by_grade_id(released_view(source))
        self.exercises = [name.removeprefix("test_") for name in self._cells if name.startswith("test_")]

    def solution(self, exercise: str) -> str:
        """The text of an exercise's solution cell, reference solution included.

        Raises:
            KeyError: when the notebook has no such exercise.
        """
        return str(self._cells[exercise].source)

    def stub(self, exercise: str) -> str:
        """The text of a solution cell as students get it."""
        return str(self._released[exercise].source)

    def points(self, exercise: str) -> float:
        """What the exercise is worth."""
        return float(self._cells[f"test_{exercise}"].metadata["nbgrader"]["points"])

    def run(
        self,
        exercise: str,
        text: str,
        *,
        misconceptions: Sequence[Misconception] = (),
        seed: int = 0,
        using: Session | None = None,
    ) -> ExerciseResult:
        """Run an exercise's test cell on a solution cell with this text.

        Args:
            exercise: the exercise's name.
            text: the solution cell's text; when it does not run, the name stays undefined, as in a notebook.
            misconceptions: those to recognise.
            seed: shifts all random draws.
            using: how to run and judge it, where that is otherwise than in a notebook; ``misconceptions`` and ``seed``
                are put in.

        Returns:
            The exercise's record.
        """
        space: dict[str, Any] = {"__name__": "__main__"}
        _execute(self._cells["imports"].source, space)
        for earlier in itertools.takewhile(lambda name: name != exercise, self.exercises):
            _execute(self.solution(earlier), space)
        try:
            _execute(text, space)
        except Exception:
            # As in a notebook: the cell stopped, the name is not there, and the test cell says so.
            space.pop(exercise, None)
        found: list[ExerciseResult] = []
        how = replace(using or Session(), misconceptions=misconceptions, seed=seed, show=False, sink=found.append)
        with session(how):
            _execute(self._cells[f"test_{exercise}"].source, space)
        if len(found) != 1:
            raise ValueError(
                f"{self.notebook.name}: the cell test_{exercise} scored {len(found)} times instead of once"
            )
        return found[0]


def _by_grade_id(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    return {cell.metadata["nbgrader"]["grade_id"]: cell for cell in notebook.cells if "nbgrader" in cell.metadata}


def _execute(source: str, space: dict[str, Any]) -> None:
    """Run a cell's text under a file name of its own, so that its source can be looked up as in a notebook."""
    name = f"<cell {next(_numbers)}>"
    remember_text(name, source)
    exec(compile(source, name, "exec"), space)
