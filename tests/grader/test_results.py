"""Outcomes keep blame apart, and a table's words say what happened."""

from pathlib import Path

import pytest

from course_lib.grader.commands.tables import counts, score_text
from course_lib.grader.course import Course, CourseError
from course_lib.grader.results import GradedCell, Outcome, Result, overall


def cell(name: str, score: float | None, outcome: Outcome, *, written: bool = False) -> GradedCell:
    return GradedCell(name, f"test_{name}", 2.0, score, outcome, written)


RIGHT, WRONG = cell("right", 2.0, Outcome.PASSED), cell("wrong", 0.0, Outcome.FAILED)
HALF, BLANK = cell("half", 1.0, Outcome.PARTIAL), cell("blank", 0.0, Outcome.BLANK)
WRITTEN = cell("essay", None, Outcome.WRITTEN, written=True)
UNWRITTEN = cell("essay", 0.0, Outcome.BLANK, written=True)
ENDLESS = cell("loop", 0.0, Outcome.TIMED_OUT)


@pytest.mark.parametrize(
    ("cells", "outcome"),
    [
        ([RIGHT, RIGHT, WRITTEN], Outcome.PASSED),
        ([RIGHT, RIGHT, UNWRITTEN], Outcome.PASSED),
        ([RIGHT, WRONG], Outcome.PARTIAL),
        ([HALF, WRONG], Outcome.PARTIAL),
        ([WRONG, BLANK], Outcome.FAILED),
        ([BLANK, BLANK, UNWRITTEN], Outcome.BLANK),
        ([BLANK, BLANK, WRITTEN], Outcome.FAILED),
    ],
)
def test_a_submissions_outcome_follows_from_its_cells(cells: list[GradedCell], outcome: Outcome) -> None:
    assert overall(cells) is outcome


@pytest.mark.parametrize(
    ("cells", "late", "summary"),
    [
        ((RIGHT, RIGHT, WRITTEN), 0.0, "all right"),
        ((RIGHT, UNWRITTEN), 0.0, "all right; essay not answered"),
        ((RIGHT, HALF, WRONG), 90.0, "1 of 3 right; 1 min late"),
        ((RIGHT, ENDLESS), 86400.0 * 3, "1 of 2 right; loop timed out; 3 days late"),
        ((BLANK, UNWRITTEN), 0.0, "left blank"),
    ],
)
def test_the_summary_says_what_happened(cells: tuple[GradedCell, ...], late: float, summary: str) -> None:
    assert Result("a", "s", overall(cells), cells=cells, late_seconds=late).summary == summary


def test_only_what_has_no_score_needs_a_human() -> None:
    assert {outcome for outcome in Outcome if outcome.needs_human} == {
        Outcome.MISSING,
        Outcome.UNREADABLE,
        Outcome.GRADER_ERROR,
    }


def test_scores_say_what_is_still_open() -> None:
    assert score_text(Result("a", "s", Outcome.PARTIAL, score=3.25, max_score=10.0, manual_points_open=5.0)) == (
        "3.25 / 5 +5"
    )
    assert score_text(Result("a", "s", Outcome.GRADER_ERROR)) == "–"


def test_counts_are_in_the_order_of_outcomes() -> None:
    results = [Result("a", "s", o) for o in (Outcome.MISSING, Outcome.PASSED, Outcome.PASSED)]
    assert counts(results) == "3 submissions: 2 passed, 1 missing"


def test_a_folder_that_is_no_course_says_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    with pytest.raises(CourseError, match=r"is not a course folder: it has no nbgrader_config.py\."):
        Course.at(tmp_path)


def test_a_course_without_assignments_says_how_to_have_one(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "nbgrader_config.py").touch()
    with pytest.raises(CourseError, match="none yet: an assignment is source"):
        Course.at(tmp_path).known("x")


def test_what_an_instructor_should_do_is_said_to_the_instructor_alone():
    from io import StringIO

    from rich.console import Console

    from course_lib.grader.commands.tables import show_results

    lost = Result("09_dropout", "ada", Outcome.UNREADABLE, notes=("ada/09_dropout.ipynb is empty (0 bytes).",))
    console = Console(file=StringIO(), width=200)
    show_results(console, "09_dropout", [lost])
    assert "ada: ada/09_dropout.ipynb is empty (0 bytes). Ask the student to hand in again." in console.file.getvalue()
    assert all("Ask the student" not in note for note in lost.notes)
