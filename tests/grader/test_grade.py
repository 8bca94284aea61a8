"""Grading through nbgrader: every submission has an outcome of its own, and blame is kept apart."""

import json
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook, MissingEntry

from course_lib.grader.book.gradebook import gradebook, register_assignment
from course_lib.grader.book.writer import Writer
from course_lib.grader.course import Course, CourseError
from course_lib.grader.grading.grade import _most_seconds, grade_submission, make_feedback, read_result
from course_lib.grader.grading.passes import Passes
from course_lib.grader.nbgrader_steps import calm
from course_lib.grader.results import Outcome, Result

from .conftest import ASSIGNMENT, RIGHT, hand_in, solved, source_notebook

MEAN_STUB = next(c.source for c in solved().cells if c.id == "mean")


def graded(root: Path, student: str, notebook: nbformat.NotebookNode | str, timestamp: str = "") -> Result:
    hand_in(root, student, notebook, timestamp)
    return grade_submission(root, ASSIGNMENT, student)


def scores(result: Result) -> dict[str, float | None]:
    return {cell.name: cell.score for cell in result.cells}


@pytest.fixture(scope="module")
def right(shared_course: Path) -> Result:
    return graded(shared_course, "ada", solved(**RIGHT), "2026-03-01 12:00:00 UTC")


def test_a_right_submission_has_all_points_but_those_a_human_gives(right: Result) -> None:
    assert right.outcome is Outcome.PASSED
    assert (right.score, right.max_score, right.manual_points_open) == (5.0, 10.0, 5.0)
    assert scores(right) == {"double": 2.0, "mean": 3.0, "explain": None}
    assert right.notes == ()
    assert right.submitted == "2026-03-01T12:00:00"
    assert right.seconds > 0
    assert right.summary == "all right"


def test_a_job_may_take_longer_than_its_submissions_clock(course: Path) -> None:
    for settings, seconds in (
        ((), 840.0),
        ((("Examine", "by_assignment", {ASSIGNMENT: {"submission_seconds": 5000}}),), 10600.0),
    ):
        with Writer(course, ASSIGNMENT, settings=settings) as writer:
            assert _most_seconds(writer) == seconds


def test_a_result_goes_through_json_unchanged(right: Result) -> None:
    assert Result.from_json(json.loads(json.dumps(right.to_json()))) == right
    with pytest.raises(ValueError, match="version 99"):
        Result.from_json({**right.to_json(), "version": 99})


def test_a_result_is_a_function_of_files(shared_course: Path, right: Result) -> None:
    assert read_result(shared_course, ASSIGNMENT, "ada") == right


def test_a_human_mark_is_part_of_the_score(shared_course: Path) -> None:
    graded(shared_course, "marked", solved(**RIGHT))
    with gradebook(Course.at(shared_course)) as book:
        mark = book.find_grade("explain", ASSIGNMENT, ASSIGNMENT, "marked")
        mark.manual_score, mark.needs_manual_grade = 4.0, False
        book.db.commit()
    result = read_result(shared_course, ASSIGNMENT, "marked")
    assert (result.score, result.manual_points_open) == (9.0, 0.0)


def test_what_was_left_as_handed_out_is_blank(shared_course: Path) -> None:
    result = graded(shared_course, "blank", solved())
    assert result.outcome is Outcome.BLANK
    assert (result.score, result.manual_points_open) == (0.0, 0.0)
    assert {cell.outcome for cell in result.cells} == {Outcome.BLANK}


def test_a_syntax_error_costs_only_its_own_exercise(shared_course: Path) -> None:
    result = graded(shared_course, "syntax", solved(**{**RIGHT, "double": "def double(x:\n    return"}))
    assert scores(result) == {"double": 0.0, "mean": 3.0, "explain": None}
    assert result.outcome is Outcome.PARTIAL
    assert "NameError" in result.cells[0].message
    assert result.summary == "1 of 2 right"


def test_warnings_and_stderr_cost_nothing(shared_course: Path) -> None:
    loud = (
        "import sys, warnings, logging\n\ndef double(x):\n    warnings.warn('careful')\n"
        "    print('progress', file=sys.stderr)\n    logging.error('hm')\n    return 2 * x"
    )
    result = graded(shared_course, "noisy", solved(**{**RIGHT, "double": loud}))
    assert scores(result)["double"] == 2.0


def test_forged_metadata_earns_nothing(shared_course: Path) -> None:
    forged = solved(double="def double(x): return 0")
    for cell in forged.cells:
        if cell.id.startswith("test_"):
            cell.metadata.nbgrader["points"] = 100
            cell.metadata["tags"] = ["skip-execution"]
    result = graded(shared_course, "forger", forged)
    assert (result.score, result.max_score) == (0.0, 10.0)
    assert any("claimed 100 points" in note for note in result.notes)


@pytest.mark.parametrize("value", ["None", "float('nan')", "'4.0'", "1e9", "-1.0", "[2.0]"])
def test_a_test_cell_that_gives_no_score_counts_nothing_and_is_named(graded_course: Path, value: str) -> None:
    source = source_notebook()
    source.cells[3].source = value
    nbformat.write(source, graded_course / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    result = graded(graded_course, "ada", solved(**RIGHT))
    assert scores(result)["double"] == 0.0
    assert any(note.startswith("The test cell test_double gave ") for note in result.notes), result.notes


def test_a_late_submission_says_how_late(graded_course: Path) -> None:
    import datetime

    register_assignment(Course.at(graded_course), ASSIGNMENT, due=datetime.datetime(2026, 3, 1, 12, 0))
    result = graded(graded_course, "ada", solved(**RIGHT), "2026-03-01 15:00:00 UTC")
    assert result.late_seconds == 3 * 3600
    assert result.summary == "all right; 3 h late"


def test_a_timestamp_that_is_none_drops_nobody(graded_course: Path) -> None:
    result = graded(graded_course, "ada", solved(**RIGHT), "yesterday, I think")
    assert result.outcome is Outcome.PASSED
    assert result.submitted == ""


def test_student_ids_with_special_characters_are_names_and_not_patterns(graded_course: Path) -> None:
    for student in ("ada", "a*", "o'neil [2]", "søren"):
        hand_in(graded_course, student, solved(**RIGHT))
    result = grade_submission(graded_course, ASSIGNMENT, "a*")
    assert (result.student, result.score) == ("a*", 5.0)
    assert not Course.at(graded_course).graded(ASSIGNMENT, "ada").exists()
    assert grade_submission(graded_course, ASSIGNMENT, "o'neil [2]").score == 5.0
    assert grade_submission(graded_course, ASSIGNMENT, "søren").score == 5.0


@pytest.mark.parametrize("student", ["", ".", "..", "../ada", "a/b"])
def test_an_id_that_leaves_submitted_is_refused(graded_course: Path, student: str) -> None:
    with pytest.raises(CourseError, match="cannot be a student's id"):
        grade_submission(graded_course, ASSIGNMENT, student)


# ---------------------------------------------------------------------- never a zero, never an old score


@pytest.fixture
def graded_before(graded_course: Path) -> Path:
    assert graded(graded_course, "ada", solved(**RIGHT)).score == 5.0
    return graded_course


def grades_of(root: Path, student: str) -> list[tuple[float | None, bool]]:
    with gradebook(Course.at(root)) as book:
        submission = book.find_submission(ASSIGNMENT, student)
        return [(g.auto_score, g.needs_manual_grade) for n in submission.notebooks for g in n.grades]


def test_an_unreadable_resubmission_leaves_no_old_score(graded_before: Path) -> None:
    result = graded(graded_before, "ada", '{"cells": [')
    assert result.outcome is Outcome.UNREADABLE
    assert result.score is None
    assert result.max_score == 10.0
    assert "the JSON breaks at line 1" in result.notes[0]
    assert grades_of(graded_before, "ada") == [(None, True)] * 3
    assert not Course.at(graded_before).graded(ASSIGNMENT, "ada").exists()


def test_an_unreadable_first_submission_waits_for_a_human_in_the_gradebook(graded_course: Path) -> None:
    result = graded(graded_course, "bob", "", "2026-03-01 15:00:00 UTC")
    assert result.outcome is Outcome.UNREADABLE
    assert result.submitted == "2026-03-01T15:00:00"
    assert grades_of(graded_course, "bob") == [(None, True)] * 3


def test_a_missing_submission_enters_nothing_in_the_gradebook(graded_course: Path) -> None:
    result = grade_submission(graded_course, ASSIGNMENT, "nobody")
    assert result.outcome is Outcome.MISSING
    with gradebook(Course.at(graded_course)) as book, pytest.raises(MissingEntry):
        book.find_submission(ASSIGNMENT, "nobody")


def test_a_failure_of_the_grader_is_never_a_zero(graded_before: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("our mistake")

    monkeypatch.setattr(Passes, "run", breaks)
    result = grade_submission(graded_before, ASSIGNMENT, "ada")
    assert result.outcome is Outcome.GRADER_ERROR
    assert result.score is None
    assert result.notes == (
        "The grader failed on this submission (RuntimeError: our mistake). It has no score; grade it again or by hand.",
    )
    assert grades_of(graded_before, "ada") == [(None, True)] * 3


def test_changed_exercises_after_grading_are_refused_with_the_way_out(graded_before: Path) -> None:
    source = source_notebook()
    del source.cells[5:7]
    nbformat.write(source, graded_before / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    with pytest.raises(CourseError, match=f"nbgrader db assignment remove {ASSIGNMENT} --force"):
        grade_submission(graded_before, ASSIGNMENT, "ada")
    assert grades_of(graded_before, "ada")[0][0] is not None


def test_mended_tests_are_taken_up_without_a_word(graded_before: Path) -> None:
    source = source_notebook()
    source.cells[3].source = source.cells[3].source.replace("-7.0", "-7.5")
    nbformat.write(source, graded_before / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    assert scores(grade_submission(graded_before, ASSIGNMENT, "ada"))["double"] == 1.0


def test_a_hand_mark_survives_a_second_grading(graded_before: Path) -> None:
    with gradebook(Course.at(graded_before)) as book:
        mark = book.find_grade("explain", ASSIGNMENT, ASSIGNMENT, "ada")
        mark.manual_score = 4.0
        book.db.commit()
    assert scores(grade_submission(graded_before, ASSIGNMENT, "ada"))["explain"] == 4.0


# ------------------------------------------------------------------------------------------------------------ feedback


def test_feedback_shows_the_work_and_no_hidden_test(shared_course: Path) -> None:
    wrong = 'def double(x):\n    if x < 0:\n        raise RuntimeError("no negative numbers")\n    return 2 * x'
    result = make_feedback(shared_course, graded(shared_course, "curious", solved(**{**RIGHT, "double": wrong})))
    assert result.feedback == f"feedback/curious/{ASSIGNMENT}/feedback.html"
    assert f'href="{ASSIGNMENT}.html"' in (shared_course / result.feedback).read_text(encoding="utf-8")
    text = Course.at(shared_course).notebook_page(ASSIGNMENT, "curious").read_text(encoding="utf-8")
    assert "no negative numbers" in text
    assert "-3.5" not in text
    assert "HIDDEN" not in text
    assert "(lines of a hidden test)" in text
    kept = Course.at(shared_course).graded(ASSIGNMENT, "curious").read_text(encoding="utf-8")
    assert "-3.5" in kept


def test_without_a_grading_the_feedback_says_why(shared_course: Path) -> None:
    result = make_feedback(shared_course, graded(shared_course, "broken", "{"))
    page = shared_course / result.feedback
    assert [p.name for p in page.parent.iterdir()] == ["feedback.html"]
    assert result.outcome is Outcome.UNREADABLE


def test_a_result_remembers_its_feedback(shared_course: Path) -> None:
    result = make_feedback(shared_course, graded(shared_course, "again", solved()))
    assert read_result(shared_course, ASSIGNMENT, "again") == result


def test_nbgraders_own_gradebook_sees_the_scores(shared_course: Path, right: Result) -> None:
    with calm(), Gradebook(f"sqlite:///{shared_course / 'gradebook.db'}", "neural-training") as book:
        assert book.find_submission(ASSIGNMENT, "ada").score == right.score
