"""release/ is nbgrader's own release, the same bytes every time, and never lost to a mistake in the source."""

import sqlite3
from pathlib import Path

import nbformat
import pytest

from course_lib.grader.course import CourseError
from course_lib.grader.releasing.release import make_release

from .conftest import ASSIGNMENT, solved, source_notebook


def test_the_release_has_stubs_and_visible_tests_only(course: Path) -> None:
    (path,) = make_release(course)
    assert path == course / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    released = nbformat.read(path, as_version=4)
    assert [cell.source for cell in released.cells] == [cell.source for cell in solved().cells]
    assert not (course / "gradebook.db").exists()


def test_the_same_source_gives_the_same_bytes(course: Path) -> None:
    first = make_release(course)[0].read_bytes()
    assert make_release(course, [ASSIGNMENT])[0].read_bytes() == first
    assert sorted(p.name for p in (course / "release").iterdir()) == [ASSIGNMENT]


def test_a_broken_source_leaves_the_good_release_alone_and_says_where_to_look(course: Path) -> None:
    path = make_release(course)[0]
    good = path.read_bytes()
    broken = source_notebook()
    broken.cells[2].source = broken.cells[2].source.replace("    ### END SOLUTION", "")
    nbformat.write(broken, course / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    with pytest.raises(CourseError) as caught:
        make_release(course)
    assert str(caught.value) == (
        f"{ASSIGNMENT}: source/{ASSIGNMENT}/{ASSIGNMENT}.ipynb cannot be released: "
        "RuntimeError: no end solution statement found. Mend it there; release/ is as it was."
    )
    assert path.read_bytes() == good


def test_what_lay_beside_the_old_release_is_gone_from_the_new_one(course: Path) -> None:
    path = make_release(course)[0]
    (path.parent / "leftover.txt").write_text("old")
    make_release(course)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_releasing_never_touches_the_gradebook(course: Path) -> None:
    with sqlite3.connect(course / "gradebook.db") as connection:
        connection.execute("create table precious (grade)")
    before = (course / "gradebook.db").read_bytes()
    make_release(course)
    assert (course / "gradebook.db").read_bytes() == before


def test_an_unknown_assignment_is_answered_with_the_known_ones(course: Path) -> None:
    with pytest.raises(CourseError, match=r"no assignment '1_number'. Did you mean 01_numbers\?"):
        make_release(course, ["1_number"])
