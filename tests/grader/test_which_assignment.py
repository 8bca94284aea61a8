"""Which assignment a notebook belongs to: its name tells, else its cells, and what is unclear is not guessed."""

import json
from pathlib import Path
from typing import Any

import pytest

from course_lib.grader.commands.which_assignment import which_assignment
from course_lib.grader.course import Course, CourseError


def cell(grade_id: str) -> dict[str, Any]:
    return {"cell_type": "code", "source": "", "metadata": {"nbgrader": {"grade_id": grade_id}}}


@pytest.fixture
def course(tmp_path: Path) -> Course:
    for name, ids in {
        "09_dropout": ["imports", "dropout", "mc_dropout"],
        "09_dropout_again": ["imports", "drop_path"],
        "10_norm": ["imports", "batch_norm"],
    }.items():
        (tmp_path / "source" / name).mkdir(parents=True)
        cells = [*map(cell, ids), {"cell_type": "markdown", "source": "text", "metadata": {}}]
        (tmp_path / "source" / name / f"{name}.ipynb").write_text(json.dumps({"cells": cells}))
    return Course(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "09_dropout",
        "09_dropout-Copy1",
        "09_dropout (2)",
        "09_DROPOUT",
        "my_09_dropout",
        "ada 09_dropout final",
        "homework",
    ],
)
def test_additions_to_a_name_do_no_harm_and_without_one_the_cells_tell(course: Course, name: str) -> None:
    assert which_assignment(course, Path(f"{name}.ipynb"), [cell("imports"), cell("dropout")]) == "09_dropout"


def test_a_notebook_that_lost_its_ids_is_known_by_its_name(course: Course) -> None:
    assert which_assignment(course, Path("10_norm.ipynb"), [{"metadata": {}}]) == "10_norm"


def test_of_two_names_in_one_the_longer_is_meant(course: Course) -> None:
    assert which_assignment(course, Path("09_dropout_again-Copy1.ipynb"), [cell("drop_path")]) == "09_dropout_again"


@pytest.mark.parametrize(
    ("name", "ids", "why"),
    [
        ("homework", [], "has neither the name nor the cells of an assignment"),
        ("homework", ["imports"], "has neither the name nor the cells of an assignment"),
        ("109_dropouts", [], "has neither the name nor the cells of an assignment"),
        (
            "homework",
            ["dropout", "batch_norm"],
            "has a name that tells no assignment, and holds cells of 09_dropout and 10_norm",
        ),
        ("09_dropout", ["batch_norm"], "is called 09_dropout, but holds cells of 10_norm"),
        ("09_dropout and 10_norm", ["dropout"], "has a name that speaks of 09_dropout and 10_norm"),
    ],
)
def test_what_is_unclear_is_asked_and_not_guessed(course: Course, name: str, ids: list[str], why: str) -> None:
    with pytest.raises(CourseError) as said:
        which_assignment(course, Path(f"{name}.ipynb"), [cell(i) for i in ids])
    assert str(said.value) == (
        f"{name}.ipynb {why}. Rename it, so that its name begins with its assignment's. "
        "The assignments are: 09_dropout, 09_dropout_again, 10_norm."
    )
