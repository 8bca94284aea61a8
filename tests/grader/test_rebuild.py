"""The graded notebook is the source's: of a submission only text is used, found by ids and decided by nothing else."""

import random
from copy import deepcopy

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.utils import compute_checksum

from course_lib.grader.intake.foreign import NotANotebook
from course_lib.grader.intake.rebuild import MAX_CODE, MAX_NOTES, MAX_OWN, rebuild

from .conftest import RIGHT, nbgrader_cell, solved, source_notebook


def cell(nb: NotebookNode, name: str) -> NotebookNode:
    return next(c for c in nb.cells if c.id == name)


def index(nb: NotebookNode, name: str) -> int:
    return [c.id for c in nb.cells].index(name)


def ids(nb: NotebookNode) -> list[str]:
    return [c.id for c in nb.cells]


SOURCE_IDS = ids(source_notebook())


def test_an_ordinary_submission_keeps_its_answers_and_gets_the_hidden_tests_back() -> None:
    nb, notes = rebuild(source_notebook(), solved(**RIGHT))
    assert notes == []
    assert ids(nb) == SOURCE_IDS
    for name, text in RIGHT.items():
        assert cell(nb, name).source == text
    assert "double(-3.5) == -7.0" in cell(nb, "test_double").source
    nbformat.validate(nb)


def test_nothing_of_the_reference_solution_reaches_the_graded_notebook() -> None:
    empty = nbformat.v4.new_notebook()
    for submitted in (solved(), empty):
        nb, _ = rebuild(source_notebook(), submitted)
        text = nbformat.writes(nb)
        for secret in ("twice_as_much", "how_many", "sum of doubles", "BEGIN SOLUTION"):
            assert secret not in text


def test_the_arguments_are_left_as_they_were() -> None:
    source, submitted = source_notebook(), solved(**RIGHT)
    before = deepcopy((source, submitted))
    rebuild(source, submitted)
    assert (source, submitted) == before


def test_a_missing_answer_is_the_released_stub_and_is_named() -> None:
    submitted = solved(**RIGHT)
    del submitted.cells[index(submitted, "mean")]
    nb, notes = rebuild(source_notebook(), submitted)
    assert ids(nb) == SOURCE_IDS
    assert cell(nb, "mean").source == cell(solved(), "mean").source
    assert "raise NotImplementedError()" in cell(nb, "mean").source
    assert notes == ["The cell mean was missing; it was graded as it was handed out, without an answer."]


def test_a_deleted_test_cell_is_put_back() -> None:
    submitted = solved(**RIGHT)
    del submitted.cells[index(submitted, "test_double")]
    nb, notes = rebuild(source_notebook(), submitted)
    assert cell(nb, "test_double").source == cell(source_notebook(), "test_double").source
    assert notes == ["The locked cell test_double was missing and has been put back."]


def test_an_edited_test_cell_is_the_courses_own_again() -> None:
    nb, notes = rebuild(source_notebook(), solved(**RIGHT, test_double="2.0"))
    assert cell(nb, "test_double").source == cell(source_notebook(), "test_double").source
    assert notes == ["The cell test_double had been edited; the course's own text was used."]


@pytest.mark.parametrize("position", ["before", "after"])
def test_of_copies_the_first_with_work_in_it_counts(position: str) -> None:
    submitted = solved(**RIGHT)
    copy = deepcopy(cell(submitted, "double"))
    copy.id = "something-else"
    copy.source = "def double(x):\n    return 'a second attempt'"
    submitted.cells.insert(index(submitted, "double") + (position == "after"), copy)
    nb, notes = rebuild(source_notebook(), submitted)
    assert ids(nb) == SOURCE_IDS
    assert cell(nb, "double").source == (RIGHT["double"] if position == "after" else copy.source)
    assert notes == ["The cell double occurred 2 times; the first was graded and the rest left out."]


def test_an_untouched_copy_does_not_win_over_work() -> None:
    submitted = solved(**RIGHT)
    copy = deepcopy(cell(solved(), "double"))
    copy.id = "copy"
    submitted.cells.insert(index(submitted, "double"), copy)
    nb, notes = rebuild(source_notebook(), submitted)
    assert cell(nb, "double").source == RIGHT["double"]
    assert notes == [
        "The cell double occurred 2 times; number 2, the first with work in it, was graded and the rest left out."
    ]


def with_copy(submitted: NotebookNode, name: str, text: str, *, before: bool) -> NotebookNode:
    """The submission with a copy of a cell, which keeps nbgrader's metadata, and other text in it."""
    copy = deepcopy(cell(submitted, name))
    copy.id, copy.source = "copy", text
    submitted.cells.insert(index(submitted, name) + (not before), copy)
    return submitted


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("text", [RIGHT["mean"], "def helper(x):\n    return x", "print(double(2))", "y = double == 2"])
def test_a_copy_with_other_work_costs_no_answer_and_stays(text: str, before: bool) -> None:
    nb, notes = rebuild(source_notebook(), with_copy(solved(**RIGHT), "double", text, before=before))
    assert {name: cell(nb, name).source for name in RIGHT} == RIGHT
    assert cell(nb, "own-1").source == text
    assert (index(nb, "own-1") < index(nb, "double")) is before
    which = "number 2, which defines double," if before else "the first"
    assert notes == [
        f"The cell double occurred 2 times; {which} was graded and 1 with other work kept as the student's own."
    ]


@pytest.mark.parametrize("before", [True, False])
def test_a_copy_may_hold_the_answer_of_a_missing_cell(before: bool) -> None:
    submitted = with_copy(solved(**RIGHT), "double", RIGHT["mean"], before=before)
    del submitted.cells[index(submitted, "mean")]
    nb, notes = rebuild(source_notebook(), submitted)
    assert ids(nb) == SOURCE_IDS
    assert {name: cell(nb, name).source for name in RIGHT} == RIGHT
    assert notes[1] == "The cell mean was missing; a copy of the cell double that defines mean was graded in its place."


def test_a_copy_that_was_left_out_may_hold_it_too() -> None:
    both = f"double = abs\n\n\n{RIGHT['mean']}"
    submitted = with_copy(solved(**RIGHT), "double", both, before=False)
    del submitted.cells[index(submitted, "mean")]
    nb, notes = rebuild(source_notebook(), submitted)
    assert (cell(nb, "double").source, cell(nb, "mean").source) == (RIGHT["double"], both)
    assert notes == [
        "The cell double occurred 2 times; the first was graded and the rest left out.",
        "The cell mean was missing; what was left out of the cell double, which defines mean, was graded in its place.",
    ]


def test_so_may_a_cell_of_the_courses_that_was_written_over() -> None:
    submitted = solved(**{**RIGHT, "experiment": RIGHT["mean"]})
    del submitted.cells[index(submitted, "mean")]
    nb, _ = rebuild(source_notebook(), submitted)
    assert cell(nb, "mean").source == RIGHT["mean"]
    assert cell(nb, "experiment").source == "print('try other numbers here')"


@pytest.mark.parametrize("name", ["double", "explain"])
def test_an_emptied_copy_does_not_win_over_work(name: str) -> None:
    nb, _ = rebuild(source_notebook(), with_copy(solved(**RIGHT), name, " \n", before=True))
    assert ids(nb) == SOURCE_IDS
    assert cell(nb, name).source == RIGHT[name]


def test_of_several_copies_each_gets_its_place() -> None:
    submitted = solved(**RIGHT)
    for text in ("x = 1", "def double(x):\n    return 'again'", cell(solved(), "double").source):
        with_copy(submitted, "double", text, before=True)
    nb, notes = rebuild(source_notebook(), submitted)
    assert cell(nb, "double").source == "def double(x):\n    return 'again'"
    assert cell(nb, "own-1").source == "x = 1"
    assert notes == [
        "The cell double occurred 4 times; number 2, which defines double, was graded, 1 with other work kept as the "
        "student's own and the rest left out."
    ]


def test_metadata_of_the_submission_decides_nothing() -> None:
    submitted = solved(**RIGHT)
    cell(submitted, "test_double").metadata.nbgrader["points"] = 200
    cell(submitted, "test_double").metadata["tags"] = ["skip-execution"]
    cell(submitted, "double").metadata.nbgrader.update(checksum="forged", solution=False, grade=True, points=7)
    cell(submitted, "mean").metadata.nbgrader["locked"] = True
    submitted.metadata.kernelspec["name"] = "bash"
    submitted.metadata["course_lib"] = {"notes": ["all is well"], "seconds": 0.1}
    nb, notes = rebuild(source_notebook(), submitted)
    honest, _ = rebuild(source_notebook(), solved(**RIGHT))
    assert nb == honest
    assert notes == [
        "The cell test_double claimed 200 points; it is worth 2.",
        "The cell test_double carried tags of its own, ['skip-execution'], which were ignored.",
        "The submission asked for the kernel 'bash'; the course's own, 'python3', was used.",
    ]


def test_a_students_own_cells_stay_after_the_cell_they_followed_with_their_text_only() -> None:
    submitted = solved(**RIGHT)
    own = nbformat.v4.new_code_cell("print(double(4))", metadata={"tags": ["raises-exception"], **nbgrader_cell("x")})
    own.metadata.nbgrader["grade"] = True
    own.outputs = [nbformat.v4.new_output("stream", text="8")]
    submitted.cells.insert(index(submitted, "test_double"), own)
    submitted.cells.insert(0, nbformat.v4.new_markdown_cell("My name is Ada."))
    nb, notes = rebuild(source_notebook(), submitted)
    assert notes == []
    assert ids(nb) == ["own-1", *SOURCE_IDS[:3], "own-2", *SOURCE_IDS[3:]]
    assert cell(nb, "own-2").source == "print(double(4))"
    assert cell(nb, "own-2").metadata == {}
    assert cell(nb, "own-2").outputs == []


def test_moved_cells_are_put_back_in_order() -> None:
    submitted = solved(**RIGHT)
    submitted.cells.insert(1, submitted.cells.pop(index(submitted, "mean")))
    nb, notes = rebuild(source_notebook(), submitted)
    assert ids(nb) == SOURCE_IDS
    assert notes == ["Cells had been moved and were put back in order: mean."]
    shuffled = solved(**RIGHT)
    random.Random(1).shuffle(shuffled.cells)
    nb, _ = rebuild(source_notebook(), shuffled)
    assert ids(nb) == SOURCE_IDS
    assert cell(nb, "mean").source == RIGHT["mean"]


def test_a_cell_of_the_wrong_type_is_corrected() -> None:
    submitted = solved(**RIGHT)
    wrong = cell(submitted, "double")
    wrong.cell_type = "markdown"
    del wrong["outputs"], wrong["execution_count"]
    nb, notes = rebuild(source_notebook(), submitted)
    assert cell(nb, "double").cell_type == "code"
    assert cell(nb, "double").source == RIGHT["double"]
    assert notes == ["The cell double had become a markdown cell; it was graded as code."]
    nbformat.validate(nb)


def test_without_nbgraders_metadata_the_cell_ids_are_enough() -> None:
    submitted = solved(**RIGHT)
    for c in submitted.cells:
        c.metadata = NotebookNode()
    nb, notes = rebuild(source_notebook(), submitted)
    assert nb == rebuild(source_notebook(), solved(**RIGHT))[0]
    assert notes == []


def test_without_any_ids_unchanged_text_and_defined_names_are_enough() -> None:
    submitted = solved(**RIGHT)
    for c in submitted.cells:
        c.metadata = NotebookNode()
        del c["id"]
    nb, notes = rebuild(source_notebook(), submitted)
    assert cell(nb, "double").source == RIGHT["double"]
    assert cell(nb, "mean").source == RIGHT["mean"]
    assert cell(nb, "explain").source == RIGHT["explain"]
    assert ids(nb) == SOURCE_IDS
    assert notes == [
        "The cell double was missing; a cell without its id that defines double was graded in its place.",
        "The cell mean was missing; a cell without its id that defines mean was graded in its place.",
        "The cell explain was missing; a cell without its id at its place was graded in its place.",
    ]


def test_a_written_answer_without_its_id_is_known_by_its_question() -> None:
    submitted = solved(explain=f"{cell(solved(), 'explain').source.splitlines()[0]}\n\nI cannot say.")
    answer = submitted.cells.pop()
    answer.metadata, answer.id = NotebookNode(), "elsewhere"
    submitted.cells.insert(1, answer)
    nb, _ = rebuild(source_notebook(), submitted)
    assert ids(nb) == SOURCE_IDS
    assert "I cannot say." in cell(nb, "explain").source


def test_an_unknown_grade_id_makes_a_cell_the_students_own() -> None:
    submitted = solved(**RIGHT)
    extra = nbformat.v4.new_code_cell("1 / 1", metadata=nbgrader_cell("bonus", points=50))
    submitted.cells.append(extra)
    nb, notes = rebuild(source_notebook(), submitted)
    assert ids(nb)[-1] == "own-1"
    assert "nbgrader" not in nb.cells[-1].metadata
    assert notes == []


@pytest.mark.parametrize("text", ["", "  \n", "YOUR ANSWER HERE", "  YOUR ANSWER HERE\n\n"])
def test_a_written_answer_without_own_words_counts_as_blank(text: str) -> None:
    question = cell(solved(), "explain").source.replace("YOUR ANSWER HERE", text)
    for handed_in in (question, text):
        nb, _ = rebuild(source_notebook(), solved(explain=handed_in))
        assert cell(nb, "explain").metadata.nbgrader.checksum == compute_checksum(cell(nb, "explain"))


def test_pictures_stay_in_written_answers_and_scripts_do_not() -> None:
    submitted = solved(**RIGHT)
    cell(submitted, "explain").attachments = {
        "page.png": {"image/png": "iVBORw0KGgo="},
        "evil.svg": {"image/svg+xml": "<svg onload='alert(1)'/>"},
    }
    cell(submitted, "title").attachments = {"x.png": {"image/png": "AAAA"}}
    nb, _ = rebuild(source_notebook(), submitted)
    assert cell(nb, "explain").attachments == {"page.png": {"image/png": "iVBORw0KGgo="}}
    assert "attachments" not in cell(nb, "title")
    nbformat.validate(nb)


def test_text_that_cannot_be_written_as_utf_8_is_mended() -> None:
    nb, _ = rebuild(source_notebook(), solved(double="def double(x):\r\n    return 2 * x  # \ud83d broken"))
    assert cell(nb, "double").source == "def double(x):\n    return 2 * x  # ? broken"
    nbformat.writes(nb).encode()


CODE = {"cell_type": "code", "source": "x = 1"}


@pytest.mark.parametrize(
    "strange",
    [
        {"cells": []},
        {"cells": [{**CODE, "metadata": []}]},
        {"cells": [{**CODE, "source": ["a = 1\n", "b = 2"], "metadata": {"nbgrader": "yes"}}]},
        {"cells": [{**CODE, "cell_type": "sql", "id": ["list"], "metadata": {"nbgrader": {"grade_id": {"a": 1}}}}]},
        {"cells": [{"id": "explain", "cell_type": "markdown", "source": "x", "attachments": ["x"]}], "metadata": 1},
        {"cells": [CODE], "metadata": {"kernelspec": "bash"}},
    ],
)
def test_strange_notebooks_are_rebuilt_all_the_same(strange: dict[str, object]) -> None:
    nb, _ = rebuild(source_notebook(), nbformat.from_dict(strange))
    assert [name for name in ids(nb) if not name.startswith("own-")] == SOURCE_IDS
    nbformat.validate(nb)


@pytest.mark.parametrize("lost", [5, {"cell_type": "code"}, {"cell_type": "code", "source": 5}, {"source": "x = 1"}])
def test_where_the_text_of_a_cell_is_lost_nothing_is_rebuilt(lost: object) -> None:
    damaged = {"cells": [*solved(**RIGHT).cells, lost]}
    with pytest.raises(NotANotebook, match=r"is damaged: .*cell number 10 "):
        rebuild(source_notebook(), nbformat.from_dict(damaged))


def test_an_exercise_merged_into_anothers_cell_is_found_there() -> None:
    submitted = solved(**RIGHT)
    cell(submitted, "double").source += "\n\n\n" + cell(submitted, "mean").source
    del submitted.cells[index(submitted, "mean")]
    nb, notes = rebuild(source_notebook(), submitted)
    assert cell(nb, "mean").source == cell(nb, "double").source
    assert notes == ["The cell mean was missing; the cell double, which defines mean, was graded in its place."]


def test_a_cell_that_lost_its_id_is_found_before_it_is_python() -> None:
    submitted = solved(**RIGHT)
    lost = cell(submitted, "mean")
    lost.metadata, lost.id, lost.source = NotebookNode(), "elsewhere", "def mean(values:\n    return"
    nb, _ = rebuild(source_notebook(), submitted)
    assert cell(nb, "mean").source == lost.source


def test_code_too_large_to_be_parsed_says_so_where_it_would_have_run() -> None:
    large = f"{RIGHT['double']}  {'#' * MAX_CODE}"
    nb, notes = rebuild(source_notebook(), solved(**{**RIGHT, "double": large}))
    with pytest.raises(ValueError, match=f"This cell held {len(large)} characters; more than 200000 are not run."):
        exec(cell(nb, "double").source)
    assert notes == [f"The cell double held {len(large)} characters, more than 200000; it was not run."]


def test_of_own_cells_and_of_notes_there_is_an_end() -> None:
    submitted = solved(**RIGHT)
    submitted.cells += [nbformat.v4.new_code_cell(f"x = {n}") for n in range(MAX_OWN + 1)]
    for number in range(MAX_NOTES + 5):
        copy = deepcopy(cell(submitted, "test_double"))
        copy.id, copy.metadata.nbgrader["points"] = f"copy-{number}", 100 + number
        submitted.cells.append(copy)
    nb, notes = rebuild(source_notebook(), submitted)
    assert sum(name.startswith("own-") for name in ids(nb)) == MAX_OWN
    assert len(notes) == MAX_NOTES + 1
    assert notes[-1] == "And 7 more odd things of these kinds."


def test_the_same_submission_gives_the_same_bytes() -> None:
    submitted = solved(**RIGHT)
    for c in submitted.cells:
        del c["id"]
    submitted.cells.append(nbformat.v4.new_code_cell("x = 1"))
    once, again = (nbformat.writes(rebuild(source_notebook(), deepcopy(submitted))[0]) for _ in range(2))
    assert once == again
