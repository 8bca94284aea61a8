"""A course of one exercise whose tests are good, but for what a test breaks in them."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.grader.conftest import nbgrader_cell

SOLUTION = """def halve(x, generator=None):
    ### BEGIN SOLUTION
    if x < 0:
        raise ValueError("negative")
    return x / 2
    ### END SOLUTION
"""
RANDOM = """def halve(x, generator=None):
    ### BEGIN SOLUTION
    return float(torch.rand(())) * x
    ### END SOLUTION
"""
CASES = {
    "a worked example": "lambda f: f(3.0), expected=1.5",
    "zero": "lambda f: f(0.0), expected=0.0",
    "a negative number is refused": (
        "lambda f: [f(0.5), checks.caught(f, -1.0)], expected=[0.25, checks.raises(ValueError)]"
    ),
}
MISCONCEPTIONS = """
from course_lib.checks import misconception


@misconception("halve", "doubles", hint="Which way?")
def halve(x, generator=None):
    if x < 0:
        raise ValueError
    return 2 * x


@misconception("halve", "refuses nothing", hint="What of negative numbers?")
def halve(x, generator=None):
    return x / 2
"""
ALTERNATIVES = """
from course_lib.checks import alternative


@alternative("halve", "multiplies")
def halve(x, generator=None):
    if not x >= 0:
        raise ValueError("no")
    return 0.5 * x
"""


class Small:
    """The course's folder, and how to change what is in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("source/halves", "misconceptions", "alternatives", "docs"):
            (root / name).mkdir(parents=True)
        (root / "nbgrader_config.py").write_text("c = get_config()\n")
        self.write(SOLUTION, CASES)
        (root / "misconceptions" / "halves.py").write_text(MISCONCEPTIONS)
        (root / "alternatives" / "halves.py").write_text(ALTERNATIVES)

    def write(self, solution: str, cases: dict[str, str]) -> None:
        """Write the notebook."""
        lines = [f"t.case({title!r}, {words})" for title, words in cases.items()]
        head = "t = checks.Exercise('halve', points=2)"
        test = "\n".join([head, lines[0], "### BEGIN HIDDEN TESTS", *lines[1:], "### END HIDDEN TESTS", "t.score()"])
        cells: list[Any] = [
            new_code_cell(
                "import torch\nfrom course_lib import checks", id="imports", metadata=nbgrader_cell("imports")
            ),
            new_code_cell(solution, id="halve", metadata=nbgrader_cell("halve", solution=True)),
            new_code_cell(test, id="test_halve", metadata=nbgrader_cell("test_halve", points=2)),
        ]
        nbformat.write(new_notebook(cells=cells), self.root / "source" / "halves" / "halves.ipynb")


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """A course whose audit finds nothing."""
    return Small(tmp_path)
