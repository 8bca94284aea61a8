"""Tells which assignment a notebook belongs to that lies anywhere and is called anything."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from course_lib.grader.course import Course, CourseError
from course_lib.grader.intake.match import grade_id


def which_assignment(course: Course, notebook: Path, cells: Iterable[Mapping[str, Any]]) -> str:
    """The assignment that a notebook belongs to: told by its file's name, else by nbgrader's ids in its cells.

    The name may have more around it, as in ``09_dropout-Copy1.ipynb`` or ``my 09_dropout (2).ipynb``.

    Args:
        course: the course.
        notebook: its path.
        cells: its cells.

    Raises:
        CourseError: when neither tells, or they tell different things; lists the assignments.
    """
    named, alike = _named(course, notebook.stem), _alike(course, cells)
    if len(named) == 1 and (named[0] in alike or not alike):
        return named[0]
    if not named and len(alike) == 1:
        return alike[0]
    if len(named) == 1:
        why = f"is called {named[0]}, but holds cells of {_listed(alike)}"
    elif named:
        why = f"has a name that speaks of {_listed(named)}"
    elif alike:
        why = f"has a name that tells no assignment, and holds cells of {_listed(alike)}"
    else:
        why = "has neither the name nor the cells of an assignment"
    raise CourseError(
        f"{notebook.name} {why}. Rename it, so that its name begins with its assignment's. "
        f"The assignments are: {', '.join(course.assignments)}."
    )


def source_cells(course: Course, assignment: str) -> list[dict[str, Any]]:
    """The cells of an assignment's source, as they stand in the file."""
    cells: list[dict[str, Any]] = json.loads(course.source(assignment).read_text(encoding="utf-8"))["cells"]
    return cells


def _named(course: Course, stem: str) -> list[str]:
    """The assignments whose names stand in a file's name, as words of their own."""
    found = [
        name
        for name in course.assignments
        if re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", stem, re.IGNORECASE)
    ]
    # Of 09_dropout and 09_dropout_again, both of which stand in the longer name, the longer one is meant.
    return [name for name in found if not any(name != other and name in other for other in found)]


def _alike(course: Course, cells: Iterable[Mapping[str, Any]]) -> list[str]:
    """The assignments of whose own ids some stand in the cells."""
    theirs = {grade_id(cell) for cell in cells}
    ours = {name: {grade_id(cell) for cell in source_cells(course, name)} - {None} for name in course.assignments}

    def own(name: str) -> set[str | None]:
        # An id such as "imports", which another assignment has too, tells nothing.
        return ours[name].difference(*(ids for other, ids in ours.items() if other != name))

    return [name for name in ours if theirs & own(name)]


def _listed(names: list[str]) -> str:
    return " and ".join(names)
