"""Makes ``release/``, what students get, out of ``source/``, with nbgrader's own generate_assignment.

The same source gives the same bytes on every machine. The gradebook is not touched, and an assignment's release is
replaced only when the new one is complete.
"""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from course_lib.grader.course import Course, CourseError
from course_lib.grader.nbgrader_steps import StepFailed, course_directory, generate_assignment


def make_release(root: Path, assignments: Sequence[str] | None = None) -> list[Path]:
    """Write the released notebooks of some assignments, or of all.

    Args:
        root: the course's folder.
        assignments: names; None for every assignment that there is.

    Returns:
        The notebooks written, in order.

    Raises:
        CourseError: for an unknown name, or a source that nbgrader refuses; then that assignment's release is as
        before.
    """
    course = Course.at(root)
    names = [course.known(name) for name in assignments] if assignments else course.assignments
    with tempfile.TemporaryDirectory(prefix="course-release-") as scratch:
        made = [_generate(course, name, Path(scratch)) for name in names]
        for name, folder in zip(names, made, strict=True):
            _replace(course.released(name).parent, folder)
    return [course.released(name) for name in names]


def _generate(course: Course, assignment: str, scratch: Path) -> Path:
    directory = course_directory(course.root, assignment_id=assignment, release_directory=str(scratch))
    try:
        generate_assignment(directory, database=False)
    except StepFailed as error:
        raise CourseError(
            f"{assignment}: source/{assignment}/{assignment}.ipynb cannot be released: {error.reason}. "
            "Mend it there; release/ is as it was."
        ) from error
    return scratch / assignment


def _replace(old: Path, new: Path) -> None:
    """Put a finished folder in place of another; the other stays until the new one stands beside it."""
    beside, before = old.with_name(f".{old.name}.new"), old.with_name(f".{old.name}.old")
    for leftover in (beside, before):
        shutil.rmtree(leftover, ignore_errors=True)
    old.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(new, beside)
    if old.exists():
        old.rename(before)
    try:
        beside.rename(old)
    except OSError:
        before.rename(old)
        raise
    shutil.rmtree(before, ignore_errors=True)
