"""A course small enough to grade in a second: one assignment of two tested exercises and a written one.

Its test cells use plain Python, so that a kernel starts quickly. `COURSE` makes it anywhere; fixtures put it in a
temporary folder.
"""

import json
import os
import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT = "01_numbers"

DOUBLE = '''def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    twice_as_much = x + x
    return twice_as_much
    ### END SOLUTION'''

TEST_DOUBLE = """score = 0.0
try:
    score += 1.0 * (double(2) == 4)
    ### BEGIN HIDDEN TESTS
    score += 1.0 * (double(-3.5) == -7.0)
    ### END HIDDEN TESTS
except NotImplementedError:
    print("double is not written yet")
float(score)"""

MEAN = '''def mean(values):
    """The arithmetic mean of a list."""
    ### BEGIN SOLUTION
    how_many = len(values)
    return sum(values) / how_many
    ### END SOLUTION'''

TEST_MEAN = """score = 0.0
try:
    score += 1.0 * (mean([1, 2, 3]) == 2)
    ### BEGIN HIDDEN TESTS
    score += 2.0 * (mean([math.pi]) == math.pi)
    ### END HIDDEN TESTS
except NotImplementedError:
    print("mean is not written yet")
float(score)"""

EXPLAIN = """Why is the mean of doubled numbers the double of their mean?

### BEGIN SOLUTION
Because a sum of doubles is the double of the sum.
### END SOLUTION"""

VARIANTS = '''"""{title} of 01_numbers."""
from course_lib.checks import {kind}

'''

MISCONCEPTIONS = (
    VARIANTS.format(title="Misconceptions", kind="misconception")
    + """
@misconception("double", "squares instead of doubling", hint="Try it at three: what comes out, and what should?")
def double(x):
    squared_by_mistake = x * x
    return squared_by_mistake


@misconception("mean", "divides by two whatever the length", hint="How many numbers are there in your second example?")
def mean(values):
    return sum(values) / 2  # right for pairs only
"""
)

ALTERNATIVES = (
    VARIANTS.format(title="Alternatives", kind="alternative")
    + """
@alternative("double", "a product with two")
def double(x):
    return 2 * x


@alternative("mean", "a running mean")
def mean(values):
    running_mean = 0.0
    for seen, value in enumerate(values, 1):
        running_mean += (value - running_mean) / seen
    return running_mean
"""
)


def nbgrader_cell(grade_id: str, *, solution: bool = False, points: float | None = None) -> dict[str, Any]:
    meta = {
        "grade": points is not None,
        "grade_id": grade_id,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    if points is not None:
        meta["points"] = points
    return {"nbgrader": meta}


def source_notebook() -> nbformat.NotebookNode:
    """The source: import cell, prose, two exercises with tests, an experiment, a written question."""
    cells = [
        new_code_cell("import math", id="imports", metadata=nbgrader_cell("imports")),
        new_markdown_cell("# Numbers\n\nDoubling and averaging.", id="title"),
        new_code_cell(DOUBLE, id="double", metadata=nbgrader_cell("double", solution=True)),
        new_code_cell(TEST_DOUBLE, id="test_double", metadata=nbgrader_cell("test_double", points=2)),
        new_markdown_cell("## Means", id="about_means"),
        new_code_cell(MEAN, id="mean", metadata=nbgrader_cell("mean", solution=True)),
        new_code_cell(TEST_MEAN, id="test_mean", metadata=nbgrader_cell("test_mean", points=3)),
        new_code_cell("print('try other numbers here')", id="experiment"),
        new_markdown_cell(EXPLAIN, id="explain", metadata=nbgrader_cell("explain", solution=True, points=5)),
    ]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def make_course(root: Path) -> Path:
    """Write the small course into a folder, with the real nbgrader_config.py."""
    (root / "source" / ASSIGNMENT).mkdir(parents=True)
    nbformat.write(source_notebook(), root / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    shutil.copy(ROOT / "nbgrader_config.py", root)
    for folder, text in (("misconceptions", MISCONCEPTIONS), ("alternatives", ALTERNATIVES)):
        (root / folder).mkdir()
        (root / folder / f"{ASSIGNMENT}.py").write_text(text, encoding="utf-8")
    return root


def solved(**answers: str) -> nbformat.NotebookNode:
    """The released notebook as a student hands it in, with some answers: `solved(double="def double(x): ...")`."""
    from course_lib.grader.intake.released import released_view

    nb = deepcopy(released_view(source_notebook()))
    for cell in nb.cells:
        if cell.id in answers:
            cell.source = answers[cell.id]
    return nb


def hand_in(root: Path, student: str, notebook: nbformat.NotebookNode | str | bytes, timestamp: str = "") -> Path:
    """Put a submission into `submitted/`."""
    folder = root / "submitted" / student / ASSIGNMENT
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{ASSIGNMENT}.ipynb"
    if isinstance(notebook, bytes):
        path.write_bytes(notebook)
    else:
        path.write_text(notebook if isinstance(notebook, str) else json.dumps(notebook), encoding="utf-8")
    if timestamp:
        (folder / "timestamp.txt").write_text(timestamp)
    return path


RIGHT = {
    "double": "def double(x):\n    return 2 * x",
    "mean": "def mean(values):\n    return sum(values) / len(values)",
    "explain": "Because doubling distributes over a sum.",
}


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """The small course, with nothing released, handed in or graded."""
    return make_course(tmp_path / "course")


@pytest.fixture(scope="session")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small course with its gradebook, to be copied: making a gradebook costs nbgrader seconds."""
    from course_lib.grader.book.gradebook import register_assignment
    from course_lib.grader.course import Course

    root = make_course(tmp_path_factory.mktemp("registered") / "course")
    register_assignment(Course.at(root), ASSIGNMENT)
    return root


@pytest.fixture
def graded_course(registered: Path, tmp_path: Path) -> Path:
    """A small course of one's own that is ready for grading."""
    return shutil.copytree(registered, tmp_path / "course")


@pytest.fixture(scope="module")
def shared_course(registered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small course ready for grading, for all tests of a module that only add submissions of their own."""
    return shutil.copytree(registered, tmp_path_factory.mktemp("shared") / "course")


@pytest.fixture(autouse=True)
def kernels_find_the_course(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels and `nbgrader` are processes of their own: they must import this checkout."""
    path = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), path])))


@pytest.fixture
def in_folder(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    return monkeypatch.chdir
