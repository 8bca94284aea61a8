"""One `course grade` at a time in a course: a lock that a dead process does not keep."""

import os
import sys
from pathlib import Path
from typing import IO

from course_lib.grader.course import CourseError


class Lock:
    """Held from its making to :meth:`release`, or to the end of the process, however it ends.

    Args:
        path: a file for the lock; it stays, and means nothing by itself.

    Raises:
        CourseError: when another process holds it.
    """

    def __init__(self, path: Path) -> None:
        # Not "w": that would empty what the holder wrote.
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+", encoding="ascii")
        try:
            _take(self._file)
        except OSError as error:
            holder = self._file.read(20).strip()
            self._file.close()
            raise CourseError(
                f"Another grading is at work in this course{f' (process {holder})' if holder else ''}. Wait until it "
                "has ended, or end it, and run the same command again: what is recorded by then is not graded twice."
            ) from error
        self._file.truncate()
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def release(self) -> None:
        """Let others have it."""
        self._file.close()


if sys.platform == "win32":
    import msvcrt

    def _take(file: IO[str]) -> None:
        file.seek(1 << 20)  # a byte that nobody reads: Windows' locks keep others from reading too
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        file.seek(0)

else:
    import fcntl

    def _take(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
