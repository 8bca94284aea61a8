"""What the plug-ins promise of a graded notebook, without running one."""

from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.utils import determine_grade

from course_lib.grader.grading.preprocessors import ExplicitScores, QuietStreams

from .conftest import source_notebook

RESOURCES: dict[str, Any] = {"nbgrader": {"student": "ada", "assignment": "01_numbers", "notebook": "01_numbers"}}


def with_outputs(*outputs: NotebookNode) -> tuple[NotebookNode, NotebookNode]:
    """A notebook, and its first test cell (2 points) with these outputs; the second one has its score."""
    nb = source_notebook()
    nb.cells[3].outputs = list(outputs)
    nb.cells[6].outputs = [value("3.0")]
    return nb, nb.cells[3]


def value(text: Any) -> NotebookNode:
    return new_output("execute_result", {"text/plain": text}, execution_count=1)


def stream(name: str, text: str = "x") -> NotebookNode:
    return new_output("stream", name=name, text=text)


@pytest.mark.parametrize(
    ("outputs", "score"),
    [
        ([value("2.0")], 2.0),
        ([value("0.5")], 0.5),
        ([value("0.0")], 0.0),
        ([stream("stdout"), value("2.0")], 2.0),
        ([stream("stderr"), value("2.0")], 2.0),
        ([value("2.0"), stream("stderr")], 2.0),
        ([], 0.0),
        ([stream("stdout", "2.0")], 0.0),
        ([value("nan")], 0.0),
        ([value("inf")], 0.0),
        ([value("tensor(2.)")], 0.0),
        ([value("np.float64(2.0)")], 0.0),
        ([value("2.5")], 0.0),
        ([value("-1")], 0.0),
        ([value("")], 0.0),
        ([value("2.0"), value("2.0")], 0.0),
        ([new_output("execute_result", {"text/html": "2.0"}, execution_count=1)], 0.0),
        ([new_output("display_data", {"text/plain": "2.0"})], 0.0),
        ([new_output("error", ename="E", evalue="", traceback=[]), value("2.0")], 0.0),
    ],
)
def test_nbgrader_reads_a_test_cells_score_and_never_takes_silence_for_full_points(
    outputs: list[NotebookNode], score: float
) -> None:
    nb, cell = with_outputs(*outputs)
    nb, _ = QuietStreams().preprocess(nb, RESOURCES)
    nb, _ = ExplicitScores().preprocess(nb, RESOURCES)
    assert determine_grade(cell) == (score, 2.0)
    assert determine_grade(nb.cells[6]) == (3.0, 3.0)


def test_a_missing_score_is_said_in_the_cell_and_in_the_notes() -> None:
    nb, cell = with_outputs(value("tensor(2.)"))
    nb, _ = ExplicitScores().preprocess(nb, RESOURCES)
    said = (
        "The test cell test_double gave 'tensor(2.)', which is no number from 0 to 2; "
        "it counts 0 until somebody has looked at it."
    )
    assert [o.get("text") for o in cell.outputs] == [said + "\n", None]
    assert nb.metadata.course_lib.notes == [said]


def test_only_test_cells_lose_the_name_of_their_stderr() -> None:
    nb, cell = with_outputs(stream("stderr", "careful"))
    nb.cells[2].outputs = [stream("stderr", "mine")]
    nb, _ = QuietStreams().preprocess(nb, RESOURCES)
    assert (cell.outputs[0].name, cell.outputs[0].text) == ("stdout", "careful")
    assert nb.cells[2].outputs[0].name == "stderr"
