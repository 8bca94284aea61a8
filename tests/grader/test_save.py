"""Saving is nbgrader's own but for two things: it is whole, and it starts from none."""

import datetime
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from nbgrader.preprocessors import SaveAutoGrades

from course_lib.grader.book.gradebook import gradebook, register_assignment
from course_lib.grader.book.save import HeldGradebook, SaveWhole
from course_lib.grader.course import Course
from course_lib.grader.grading.grade import grade_submission
from course_lib.grader.nbgrader_steps import autograde, course_directory
from course_lib.grader.notebooks import read

from .conftest import ASSIGNMENT
from .quick import hand_in_words, make_quick

DUE = datetime.datetime(2026, 3, 1, 12, 0)
LATE_BY_AN_HOUR = "2026-03-01 13:00:00 UTC"
PENALTY = """
from nbgrader.plugins import BasePlugin


class HalfAPoint(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 0.5 * total_seconds_late / 3600


c.AssignLatePenalties.plugin_class = HalfAPoint
"""


def add_to_config(root: Path, text: str) -> None:
    with open(root / "nbgrader_config.py", "a", encoding="utf-8") as file:
        file.write(text)


def everything(root: Path, student: str) -> dict[str, Any]:
    """All that the gradebook says about a submission."""
    with gradebook(Course.at(root)) as book:
        submission = book.find_submission(ASSIGNMENT, student)
        (notebook,) = submission.notebooks
        return {
            "timestamp": submission.timestamp,
            "score": (submission.score, notebook.score, notebook.late_submission_penalty),
            "open": submission.needs_manual_grade,
            "grades": sorted(
                (g.name, g.auto_score, g.manual_score, g.extra_credit, g.needs_manual_grade) for g in notebook.grades
            ),
            "comments": sorted((c.name, c.auto_comment, c.manual_comment) for c in notebook.comments),
        }


def mark_by_hand(root: Path, student: str) -> None:
    with gradebook(Course.at(root)) as book:
        for name, manual, extra in (("explain", 4.0, None), ("test_double", 1.5, None), ("test_mean", None, 0.5)):
            grade = book.find_grade(name, ASSIGNMENT, ASSIGNMENT, student)
            grade.manual_score, grade.extra_credit, grade.needs_manual_grade = manual, extra, False
        book.find_comment("explain", ASSIGNMENT, ASSIGNMENT, student).manual_comment = "Well said."
        book.db.commit()


@pytest.fixture
def quick(graded_course: Path) -> Path:
    register_assignment(Course.at(graded_course), ASSIGNMENT, due=DUE)
    return make_quick(graded_course)


def by_stock_nbgrader(root: Path, student: str) -> None:
    """nbgrader's own converter and its own preprocessors for saving."""
    directory = course_directory(root, assignment_id=ASSIGNMENT, student_id=student)
    listed = directory.config.Autograde.autograde_preprocessors
    listed[listed.index("course_lib.grader.book.save.SaveWhole")] = SaveAutoGrades
    Autograde(coursedir=directory, config=directory.config, force=True).start()


def by_nbgrader_as_configured(root: Path, student: str) -> None:
    autograde(course_directory(root, assignment_id=ASSIGNMENT, student_id=student))


def by_us(root: Path, student: str) -> None:
    grade_submission(root, ASSIGNMENT, student)


@pytest.mark.parametrize("timestamp", ["", "2026-03-01 11:00:00 UTC", LATE_BY_AN_HOUR])
def test_what_humans_gave_and_penalties_are_as_after_stock_nbgrader(quick: Path, timestamp: str) -> None:
    add_to_config(quick, PENALTY)
    for student, grade in (("stock", by_stock_nbgrader), ("ours", by_us), ("whole", by_nbgrader_as_configured)):
        hand_in_words(quick, student, "score 1", timestamp=timestamp)
        grade(quick, student)
        mark_by_hand(quick, student)
        hand_in_words(quick, student, "score 0.5", timestamp=timestamp)
        grade(quick, student)
    stock = everything(quick, "stock")
    assert everything(quick, "ours") == stock
    assert everything(quick, "whole") == stock
    assert stock["grades"] == [
        ("explain", None, 4.0, None, True),
        ("test_double", 0.5, 1.5, None, True),
        ("test_mean", 0.5, None, 0.5, False),
    ]
    assert stock["score"][2] == (0.5 if timestamp == LATE_BY_AN_HOUR else None)


def test_a_penalty_of_an_earlier_grading_goes_when_the_due_date_moves(quick: Path) -> None:
    add_to_config(quick, PENALTY)
    hand_in_words(quick, "ada", "score 1", timestamp=LATE_BY_AN_HOUR)
    assert grade_submission(quick, ASSIGNMENT, "ada").score == 1.5
    register_assignment(Course.at(quick), ASSIGNMENT, due=DUE + datetime.timedelta(hours=2))
    assert grade_submission(quick, ASSIGNMENT, "ada").score == 2.0


@pytest.fixture
def graded(quick: Path) -> Path:
    hand_in_words(quick, "ada", "score 1", explain="Because.")
    assert grade_submission(quick, ASSIGNMENT, "ada").score == 2.0
    return quick


def save_again(root: Path, change: Any) -> None:
    """Run SaveWhole as nbgrader does, on ada's graded notebook after a change."""
    nb = read(Course.at(root).graded(ASSIGNMENT, "ada"))
    change(nb)
    info = {
        "notebook": ASSIGNMENT,
        "assignment": ASSIGNMENT,
        "student": "ada",
        "db_url": f"sqlite:///{root / 'gradebook.db'}",
    }
    SaveWhole()(nb, {"nbgrader": info})


def test_a_test_cell_that_is_gone_leaves_no_old_score(graded: Path) -> None:
    save_again(graded, lambda nb: nb.cells.pop(3))
    assert ("test_double", None, None, None, True) in everything(graded, "ada")["grades"]
    assert ("test_mean", 1.0, None, None, False) in everything(graded, "ada")["grades"]


def test_when_saving_fails_half_way_there_is_no_score_at_all(graded: Path) -> None:
    def more_than_there_is(nb: Any) -> None:
        nb.cells[6].outputs[0].data["text/plain"] = "99"

    with pytest.raises(ValueError, match="greater than maximum"):
        save_again(graded, more_than_there_is)
    assert {grade[1] for grade in everything(graded, "ada")["grades"]} == {None}


def test_what_is_not_kept_is_not_there_for_others(graded: Path) -> None:
    url = f"sqlite:///{graded / 'gradebook.db'}"
    book = HeldGradebook(url, "neural-training")
    book.find_grade("test_mean", ASSIGNMENT, ASSIGNMENT, "ada").auto_score = 0.25
    book.db.commit()  # as nbgrader does, cell by cell
    assert book.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, "ada").score == 1.25
    book.end()
    with Gradebook(url) as other:
        assert other.find_grade("test_mean", ASSIGNMENT, ASSIGNMENT, "ada").auto_score == 1.0


def test_a_new_gradebook_is_the_one_that_nbgrader_would_make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # nbgrader calls a program by its bare name.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    Gradebook(f"sqlite:///{tmp_path}/theirs.db", "c").close()
    book = HeldGradebook(f"sqlite:///{tmp_path}/ours.db", "c")
    book.keep()
    book.end()
    schemas = []
    for name in ("theirs.db", "ours.db"):
        with closing(sqlite3.connect(tmp_path / name)) as connection:
            found = connection.execute("select type, name, sql from sqlite_master where tbl_name != 'alembic_version'")
            # SQLAlchemy writes a table's constraints in any order.
            tables = {(kind, name, tuple(sorted((sql or "").replace(",", "").split()))) for kind, name, sql in found}
            (version,) = connection.execute("select version_num from alembic_version")
            schemas.append((tables, version))
    assert schemas[0] == schemas[1]
    assert len(schemas[0][0]) > 10
