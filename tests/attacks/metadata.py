"""Forging what a notebook says of itself: points, tags, ids, checksums, kernels, the order of its cells."""

import base64
from copy import deepcopy
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from course_lib.checks.verdict import RESULT_MIME

from .attack import Attack, points_for, solving
from .course import POINTS, nbgrader_cell

RECORD = {"version": 1, "exercise": "scale", "points": 4.0, "cases": [], "refused": [], "recognised": []}


def _tests(nb: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in nb.cells if cell.id.startswith("test_")]


def _more_points(nb: NotebookNode) -> None:
    for cell in _tests(nb):
        cell.metadata.nbgrader.update(points=1e9, grade=True, locked=False, solution=True, schema_version=99)
    nb.metadata["course_lib"] = {"record": {"fingerprint": "", "scores": POINTS}, "notes": [], "seconds": 0}


def _skipped(nb: NotebookNode) -> None:
    for cell in nb.cells:
        cell.metadata.tags = ["skip-execution", "raises-exception", "remove-cell", "nbgrader-ok"]
        cell.metadata.update(trusted=True, deletable=False, editable=False)


def _outputs_of_full_points(nb: NotebookNode) -> None:
    _skipped(nb)
    for cell in _tests(nb):
        data = {"text/plain": str(POINTS[cell.id.removeprefix("test_")]), RESULT_MIME: RECORD}
        cell.outputs = [new_output("execute_result", data, execution_count=1)]
        cell.execution_count = 1


def _tests_rewritten(nb: NotebookNode) -> None:
    for cell in _tests(nb):
        cell.source = f"{POINTS[cell.id.removeprefix('test_')]}"
        cell.metadata.nbgrader["checksum"] = "0" * 32


def _copies(nb: NotebookNode) -> None:
    for cell in _tests(nb):
        double = deepcopy(cell)
        double.source = "4.0"
        nb.cells.insert(0, double)
        nb.cells.append(deepcopy(double))


def _swapped_ids(nb: NotebookNode) -> None:
    """The solution of an easy exercise in the place of all others, and the tests as solutions."""
    for cell in nb.cells:
        if cell.id in POINTS:
            cell.metadata.nbgrader["grade_id"] = f"test_{cell.id}"
            cell.metadata.nbgrader.update(grade=True, points=POINTS[cell.id])
        elif cell.id.startswith("test_"):
            cell.metadata.nbgrader["grade_id"] = cell.id.removeprefix("test_")
            cell.metadata.nbgrader.update(grade=False, solution=True)
            cell.source = "2.0"


def _new_tests(nb: NotebookNode) -> None:
    for number in range(20):
        nb.cells.append(new_code_cell("4.0", metadata=nbgrader_cell(f"test_extra{number}", points=4.0)))


def _other_kernel(nb: NotebookNode) -> None:
    nb.metadata.kernelspec = {"name": "../../mine", "display_name": "mine", "language": "bash", "argv": ["touch", "x"]}
    nb.metadata.language_info = {"name": "bash"}
    nb.cells.insert(0, new_code_cell("4.0", id="imports"))


def _tests_as_text(nb: NotebookNode) -> None:
    for cell in _tests(nb):
        cell.cell_type = "markdown"
        del cell["outputs"], cell["execution_count"]
    nb.cells = [cell for cell in nb.cells if cell.id != "imports"]


def _attachments(nb: NotebookNode) -> None:
    secret: Any = {"../../../gradebook.db": {"image/png": base64.b64encode(b"gone").decode()}}
    cell = new_markdown_cell("![it](attachment:../../../gradebook.db)", id="test_scale")
    cell.attachments = {**secret, "zx_was_here.png": {"image/png": "AAAA", "text/html": "<script>1</script>"}}
    nb.cells.insert(0, cell)


ATTACKS = [
    Attack("more points are claimed for each test", change=_more_points),
    Attack("tests are tagged so that they are not run", change=_skipped),
    Attack("outputs of full points are handed in", change=_outputs_of_full_points),
    Attack("tests are replaced by their points", change=_tests_rewritten),
    Attack("tests are there three times, with other texts", change=_copies),
    Attack("tests and solutions have changed their ids", change=_swapped_ids),
    Attack("tests that nobody asked for", change=_new_tests),
    Attack("another kernel, and another cell of imports", change=_other_kernel),
    Attack("tests are prose now", change=_tests_as_text, answers=solving("half"), deserves=points_for("half")),
    Attack("attachments have the names of other files", change=_attachments),
]
