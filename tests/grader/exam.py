"""Small rebuilt notebooks to examine, a cell a line, and what came of them.

A test cell is written as `case("x", "lambda f: f(1)", 2)`: the reference of every exercise here adds one.
"""

from dataclasses import replace
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from course_lib.candidate.limits import Limits
from course_lib.grader.engine.examiner import Paper
from tests.grader.conftest import nbgrader_cell

RIGHT = "def f(x):\n    return x + 1"
QUICK = Limits(cell_seconds=1.0, case_seconds=1.0, submission_seconds=30.0)


def given(text: str, name: str = "given") -> NotebookNode:
    """A locked cell of the source."""
    return new_code_cell(text, id=name, metadata=nbgrader_cell(name))


def solution(text: str, name: str = "f") -> NotebookNode:
    """The student's solution cell."""
    return new_code_cell(text, id=name, metadata=nbgrader_cell(name, solution=True))


def own(text: str, number: int = 1) -> NotebookNode:
    """A cell that the student added."""
    return new_code_cell(text, id=f"own-{number}")


def extra(text: str, name: str = "picture") -> NotebookNode:
    """An ungraded cell of the source."""
    return new_code_cell(text, id=name)


def plain_test(text: str, name: str = "f", points: float = 1) -> NotebookNode:
    """A test cell with this text."""
    return new_code_cell(text, id=f"test_{name}", metadata=nbgrader_cell(f"test_{name}", points=points))


def case(title: str, scenario: str, expected: str, *, hidden: bool = False) -> str:
    """One case, as a line of a test cell."""
    line = f"t.case({title!r}, {scenario}, expected={expected})"
    return f"### BEGIN HIDDEN TESTS\n{line}\n### END HIDDEN TESTS" if hidden else line


def checked(*cases: str, name: str = "f", refused: str = "[]") -> NotebookNode:
    """A test cell that states these cases."""
    head = f"from course_lib import checks\nt = checks.Exercise({name!r}, points={len(cases)}, refused={refused})"
    return plain_test("\n".join([head, *cases, "t.score()"]), name, len(cases))


def notebook(*cells: NotebookNode) -> NotebookNode:
    return new_notebook(cells=list(cells))


def paper(limits: Limits = QUICK, **by_exercise: Any) -> Paper:
    """Limits of all, and others by exercise: `paper(f={"memory_mb": 100})`."""
    return Paper(limits=lambda name: replace(limits, **by_exercise.get(name, {})))


def outcomes(result: Any) -> dict[str, str]:
    """Title -> the outcome in a word."""
    return {case.title: case.outcome.value for case in result.cases}


def messages(result: Any) -> dict[str, str]:
    return {case.title: case.message for case in result.cases}


def error_of(cell: NotebookNode) -> str:
    """The error in a cell's outputs, as `Name: text`; empty when it has none."""
    return next((f"{o.ename}: {o.evalue}" for o in cell.outputs if o.output_type == "error"), "")


def printed(cell: NotebookNode) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")
