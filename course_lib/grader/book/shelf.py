"""The folders in ``autograded/``: made apart, finished, and put in place in one step.

A finished folder waits in ``autograded/.course-grade/new`` until the gradebook has its scores. Whatever moment the
machine dies at, the next start finds there what was finished, and the gradebook says whether it counts.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from course_lib.grader.course import Course

_OURS = ".course-grade"  # nbgrader's patterns for students do not match a name that begins with a dot


class Shelf:
    """Where graded submissions are put.

    Args:
        course: the course.

    Raises:
        OSError: when ``autograded/`` cannot be written.
    """

    def __init__(self, course: Course) -> None:
        self._place = course.root / "autograded"
        self._ours = self._place / _OURS
        self._new, self._old = self._ours / "new", self._ours / "old"
        self.scratch = self._ours / "work"
        """For the temporary folders of those who grade."""
        self._ours.mkdir(parents=True, exist_ok=True)
        self.lock = self._ours / "lock"
        """The file for a lock; only its holder may call the methods."""

    def tidy(self) -> None:
        """Remove what a run that was cut off left behind, but what is finished: see :meth:`waiting`."""
        shutil.rmtree(self._old, ignore_errors=True)
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(parents=True, exist_ok=True)

    def writable(self) -> bool:
        """Whether folders can be made and put in place."""
        return os.access(self._place, os.W_OK) and os.access(self._ours, os.W_OK)

    def waiting(self) -> Iterator[tuple[str, str]]:
        """Assignment and student of each folder that was begun and not put in place."""
        for student in sorted(self._new.iterdir()) if self._new.is_dir() else ():
            for assignment in sorted(student.iterdir()):
                yield assignment.name, student.name

    def folder(self, assignment: str, student: str) -> Path:
        """Where the folder of a submission is made."""
        return self._new / student / assignment

    def begin(self, assignment: str, student: str) -> Path:
        """An empty folder to be filled."""
        folder = self.folder(assignment, student)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def finish(self, assignment: str, student: str, *, mode: int, shared: bool) -> None:
        """The folder is filled: set permissions as nbgrader does, and see that it is on the disk.

        Args:
            assignment: the assignment's name.
            student: the student's id.
            mode: the files' permissions.
            shared: whether the group may write too (nbgrader's ``CourseDirectory.groupshared``).
        """
        folder = self.folder(assignment, student)
        for path in [*folder.rglob("*"), folder]:
            if not path.is_dir():
                path.chmod(mode)
            elif shared:
                path.chmod((path.stat().st_mode | 0o2770) & 0o2777)
            _to_disk(path)
        for parent in folder.parents[:3]:
            _to_disk(parent)

    def put(self, assignment: str, student: str) -> None:
        """Put the finished folder in place, and the one that was there away."""
        self._move_away(assignment, student)
        target = self._place / student / assignment
        target.parent.mkdir(exist_ok=True)
        self.folder(assignment, student).rename(target)
        self._clean_up(student)

    def drop(self, assignment: str, student: str) -> None:
        """Forget the folder that was begun."""
        shutil.rmtree(self.folder(assignment, student), ignore_errors=True)
        self._clean_up(student)

    def remove(self, assignment: str, student: str) -> None:
        """Take the folder that is in place away, in one step too."""
        self._move_away(assignment, student)
        self._clean_up(student)

    def _move_away(self, assignment: str, student: str) -> None:
        target, away = self._place / student / assignment, self._old / student / assignment
        if target.exists():
            shutil.rmtree(away, ignore_errors=True)
            away.parent.mkdir(parents=True, exist_ok=True)
            target.rename(away)

    def _clean_up(self, student: str) -> None:
        shutil.rmtree(self._old / student, ignore_errors=True)
        begun = self._new / student
        if begun.is_dir() and not any(begun.iterdir()):
            begun.rmdir()


def _to_disk(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows has no such thing for folders
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
