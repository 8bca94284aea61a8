"""Waits for a gradebook that another program holds, and says so; what cannot be waited for becomes a clear sentence."""

import errno
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, sleep
from typing import TypeVar

from nbgrader.api import InvalidEntry
from sqlalchemy.exc import DBAPIError, OperationalError

from course_lib.grader.course import CourseError

T = TypeVar("T")

_ON = "What was recorded before stays. Then run the same command again: it goes on from there."


@dataclass(frozen=True)
class Patience:
    """How long to wait for a locked gradebook.

    Attributes:
        seconds: altogether, for one thing that is to be done.
        say: is told once that something waits.
    """

    seconds: float
    say: Callable[[str], None]

    def __call__(self, act: Callable[[], T], undo: Callable[[], None] = lambda: None) -> T:
        """Do something; as long as it meets a locked gradebook, undo it, wait, and do it again.

        Raises:
            CourseError: when the gradebook is still locked in the end.
        """
        until, said = monotonic() + self.seconds, False
        while True:
            try:
                return act()
            except OperationalError as error:
                if not _is_locked(error):
                    raise
                undo()
                if not said:
                    self.say(f"The gradebook is locked by another program; waiting up to {self.seconds:g} s for it.")
                    said = True
                if monotonic() > until:
                    raise CourseError(
                        f"The gradebook has been locked by another program for {self.seconds:g} s, so nothing can be "
                        f"recorded. Close what uses it (Formgrader, another nbgrader, a database browser). {_ON}"
                    ) from error
                sleep(0.1)


def is_the_disk(error: Exception) -> bool:
    """Whether a disk is full or broken, which stops everything, and is nothing about one submission."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


def explained(error: OSError | DBAPIError | InvalidEntry) -> CourseError:
    """What to tell when nothing can be recorded any more."""
    if not isinstance(error, OSError):
        said = error.orig if isinstance(error, DBAPIError) else error
        return CourseError(f"The gradebook cannot be used ({said}). Mend that. {_ON}")
    where = f"{error.filename} cannot be written" if error.filename else "Writing failed"
    return CourseError(f"{where} ({error.strerror or error}). Make room, or allow it. {_ON}")


def _is_locked(error: OperationalError) -> bool:
    said = str(error.orig)
    return "locked" in said or "busy" in said
