"""What nbgrader's feedback page shows of test cells: tables of ours, scores, and nothing of a hidden test."""

from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_output
from traitlets import TraitError
from traitlets.config import Config

from course_lib.checks.render import bundle
from course_lib.checks.verdict import RESULT_MIME, CaseResult, ExerciseResult, Outcome
from course_lib.grader.engine import examiner
from course_lib.grader.feedback.hide import HideHiddenTests, hidden_cases

from .conftest import ASSIGNMENT, TEST_DOUBLE, source_notebook

RESOURCES: dict[str, Any] = {"nbgrader": {"student": "ada", "assignment": ASSIGNMENT, "notebook": ASSIGNMENT}}
HIDDEN = "score += 1.0 * (double(-3.5) == -7.0)"
STOLEN = "stolen text"
CASES = (
    CaseResult("a visible case", Outcome.PASSED),
    CaseResult(
        "a hidden case",
        Outcome.RAISED,
        hidden=True,
        message=f"double stopped with ValueError: {STOLEN}",
        called=f"double('{STOLEN}')",
        printed=STOLEN,
    ),
)


def page_of(test: tuple[NotebookNode, ...] = (), own: tuple[NotebookNode, ...] = (), level: str = "message") -> Any:
    """The first test cell and a student's cell, as the feedback page would show them."""
    nb = source_notebook()
    nb.cells[3].outputs, nb.cells[7].outputs = list(test), list(own)
    config = Config({"HideHiddenTests": {"hidden_cases": level}})
    nb, _ = HideHiddenTests(config=config).preprocess(nb, RESOURCES)
    return nb.cells[3], nb.cells[7]


def table(*cases: CaseResult) -> NotebookNode:
    return new_output("display_data", data=bundle(ExerciseResult("double", 2.0, cases)))


@pytest.mark.parametrize(
    ("level", "has_title", "has_message"), [("message", True, True), ("title", True, False), ("nothing", False, False)]
)
def test_the_setting_rules_the_table_of_cases(level: str, has_title: bool, has_message: bool) -> None:
    (shown,) = page_of((table(*CASES),), level=level)[0].outputs
    assert RESULT_MIME not in shown.data  # the record holds everything
    assert set(shown.data) == {"text/html", "text/plain"}
    for text in shown.data.values():
        assert STOLEN not in text
        assert "double: 1 of 2 cases passed" in text
        assert ("a hidden case" in text) is has_title
        assert ("stopped with ValueError" in text) is has_message
        assert ("Hidden tests: 0 of 1 passed." in text) is not has_title


def test_a_record_that_cannot_be_read_is_not_shown() -> None:
    broken = new_output("display_data", data={RESULT_MIME: {"version": 99}, "text/html": STOLEN})
    assert page_of((broken,))[0].outputs == []


def test_source_of_hidden_tests_is_gone() -> None:
    cell, _ = page_of()
    assert "double(2) == 4" in cell.source
    assert "3.5" not in cell.source
    assert "HIDDEN" not in cell.source


TRACEBACK = ["----", f"----> 5     {HIDDEN}\n      6     ### END HIDDEN TESTS", f"ValueError: {STOLEN}"]
CHAINED = [
    "KeyError: 1",
    "During handling of the above exception:",
    f"      {HIDDEN}",
    f"E: {STOLEN}",
    f"a note: {STOLEN}",
]


@pytest.mark.parametrize(
    "output",
    [
        new_output("error", ename="ValueError", evalue=STOLEN, traceback=TRACEBACK),
        new_output("error", ename="ValueError", evalue=STOLEN, traceback=CHAINED),
        new_output("error", ename=STOLEN, evalue="", traceback=[STOLEN]),
        new_output("error", ename="SyntaxError", evalue=STOLEN, traceback=[f"    {STOLEN}\n    ^"]),
        new_output("stream", name="stdout", text=STOLEN),
        new_output("stream", name="stderr", text=f"a.py:5: UserWarning: {STOLEN}\n  {HIDDEN}\n"),
        new_output("display_data", data={"text/html": STOLEN, "text/plain": STOLEN}),
        new_output("execute_result", data={"text/plain": STOLEN}),
        new_output("execute_result", data={"text/plain": "1.0", "text/html": STOLEN}),
    ],
)
def test_nothing_that_was_made_while_hidden_tests_ran_is_shown(output: NotebookNode) -> None:
    shown = str(page_of((output,))[0].outputs)
    assert STOLEN not in shown
    assert "3.5" not in shown


def test_what_is_ours_to_say_of_a_test_cell_stays() -> None:
    error = new_output("error", ename="RuntimeError", evalue="", traceback=TRACEBACK)
    score = new_output("execute_result", data={"text/plain": "1.0"})
    printed = new_output("stream", name="stdout", text=STOLEN)
    shown = page_of((error, score, printed))[0].outputs
    assert shown[2].text == "(What was printed while hidden tests ran is left out.)\n"
    assert shown[0].traceback == ["RuntimeError", "(lines of a hidden test)"]
    assert shown[1].data == {"text/plain": "1.0"}


@pytest.mark.parametrize("name", [examiner.TIMED_OUT, examiner.DIED, examiner.NOT_RUN])
def test_a_cell_that_was_cut_off_says_so(name: str) -> None:
    (shown,) = page_of((new_output("error", ename=name, evalue="x", traceback=["x"]),))[0].outputs
    assert shown.traceback[0].startswith(("The cell", "The Python process"))


def test_a_test_cell_without_hidden_tests_is_left_as_it_is() -> None:
    nb = source_notebook()
    nb.cells[3].source = "assert double(2) == 4, 'two and two'"
    nb.cells[3].outputs = [new_output("error", ename="AssertionError", evalue="two and two", traceback=["two and two"])]
    nb, _ = HideHiddenTests().preprocess(nb, RESOURCES)
    assert nb.cells[3].outputs[0].traceback == ["two and two"]


@pytest.mark.parametrize(
    "output",
    [
        new_output("stream", name="stdout", text=f"before\n    {HIDDEN}\nafter"),
        new_output("stream", name="stdout", text=f"before\nIn[3]: {HIDDEN.replace(' ', '')} # x\nafter"),
        new_output("error", ename="E", evalue=f"before\n{HIDDEN}\nafter", traceback=[f"before\n-> 5 {HIDDEN}\nafter"]),
        new_output("display_data", data={"text/plain": f"before\n{HIDDEN}\nafter"}),
    ],
)
def test_a_students_cell_does_not_quote_a_hidden_line(output: NotebookNode) -> None:
    shown = str(page_of(own=(output,))[1].outputs)
    assert "3.5" not in shown
    assert "before" in shown
    assert "after" in shown
    assert "(lines of a hidden test)" in shown


def test_a_students_numbers_are_not_taken_for_a_hidden_line() -> None:
    text = "score: 1.0\n-7.0\n1.0 * 3.5"
    assert page_of(own=(new_output("stream", name="stdout", text=text),))[1].outputs[0].text == text


def test_markers_that_a_student_writes_hide_nothing_and_stop_nothing() -> None:
    nb = source_notebook()
    nb.cells[2].source = "### BEGIN HIDDEN TESTS\nprint('a line of my own')"
    nb.cells[8].source = "### BEGIN HIDDEN TESTS\n### BEGIN HIDDEN TESTS\nmy answer"
    nb.cells[7].outputs = [new_output("stream", name="stdout", text="print('a line of my own')")]
    nb, _ = HideHiddenTests().preprocess(nb, RESOURCES)
    assert "my answer" in nb.cells[8].source
    assert "a line of my own" in nb.cells[7].outputs[0].text


def test_an_assignment_may_have_a_level_of_its_own() -> None:
    config = Config({"HideHiddenTests": {"hidden_cases": "title", "hidden_cases_of": {"09_dropout": "nothing"}}})
    assert hidden_cases(config, "09_dropout") == "nothing"
    assert hidden_cases(config, "05_loss_derivatives") == "title"
    assert hidden_cases(Config(), "09_dropout") == "message"


@pytest.mark.parametrize("wrong", [{"hidden_cases": "titles"}, {"hidden_cases_of": {"09_dropout": "all"}}])
def test_a_level_is_one_of_three_words(wrong: dict[str, Any]) -> None:
    with pytest.raises(TraitError, match="message"):
        hidden_cases(Config({"HideHiddenTests": wrong}), "09_dropout")


def test_the_hidden_line_of_these_tests_is_the_one_of_the_small_course() -> None:
    assert HIDDEN in TEST_DOUBLE
