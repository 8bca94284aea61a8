"""The small course of tests/grader with every kind of malformed submission in it, and one way to grade one of them."""

from pathlib import Path

import pytest

from course_lib.grader.book.gradebook import register_assignment
from course_lib.grader.course import Course
from course_lib.grader.results import Result
from tests.grader.conftest import ASSIGNMENT, make_course

_QUICK = "\nc.Autograde.autograde_preprocessors[0] = 'tests.malformed.quick.QuickExecute'\n"


def outcome_of(root: Path, student: str) -> Result:
    """Grade one submission: the only place here that knows how."""
    from course_lib.grader.grading.worker import Job, grade

    return grade(Job(root, ASSIGNMENT, student)).result


def quick_course(folder: Path) -> Path:
    """The small course, whose notebooks run in this process."""
    root = make_course(folder / "course")
    config = root / "nbgrader_config.py"
    config.write_text(config.read_text(encoding="utf-8") + _QUICK, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The quick course, ready for grading."""
    root = quick_course(tmp_path_factory.mktemp("malformed"))
    register_assignment(Course.at(root), ASSIGNMENT)
    return root
