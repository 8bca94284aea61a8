"""What a reader has reached in the course so far, kept in the course's own folder: ``course check`` and ``progress``.

One small JSON file, replaced as a whole, so that it is never half written. Two checks at once wait for each other.
"""

import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from course_lib.grader.book.lock import Lock
from course_lib.grader.course import Course, CourseError

FOLDER = ".course"
"""Beside ``source/``. What lies in it is the reader's alone, and git is told to leave it out."""

_VERSION = 1
_PATIENCE = 10.0  # seconds; whoever holds the lock needs milliseconds


@dataclass(frozen=True)
class Reached:
    """What was reached in one assignment.

    Attributes:
        best: the most points that the machine gave; written questions are not in it.
        of: how many it could give then.
        best_at: when that was first reached, ISO 8601 with its zone.
        last_at: when it was checked last.
        attempts: how often it was checked.
    """

    best: float
    of: float
    best_at: str
    last_at: str
    attempts: int = 1

    @property
    def share(self) -> float:
        """The best score as a part of all, in [0, 1]: an assignment may have grown since."""
        return self.best / self.of if self.of > 0 else 0.0

    def and_then(self, later: "Reached") -> "Reached":
        """This and another check after it, as one."""
        better = later if later.share > self.share else self
        return replace(better, last_at=later.last_at, attempts=self.attempts + later.attempts)


class Logbook:
    """The file in a course's folder.

    Args:
        course: the course.
        say: told of a file that could not be read, and where it has been put.
    """

    def __init__(self, course: Course, say: Callable[[str], None]) -> None:
        self.path = course.root / FOLDER / "progress.json"
        self._say = say

    def read(self) -> dict[str, Reached]:
        """What is known: assignment -> what was reached in it.

        Raises:
            OSError: when the file is there and may not be read, or is broken and may not be moved.
            CourseError: see :meth:`add`.
        """
        try:
            return _parsed(self.path)
        except ValueError:
            with self._alone():
                return self._parsed_or_set_aside()

    def add(self, assignment: str, score: float, of: float) -> dict[str, Reached]:
        """Enter a check, and return all that is known then.

        Args:
            assignment: the assignment's name.
            score: the points that the machine gave.
            of: the points that it could give.

        Raises:
            OSError: when the file cannot be written; what was in it is still there.
            CourseError: when another check does not let go of it.
        """
        now = datetime.now(UTC).isoformat(timespec="seconds")
        new = Reached(score, of, now, now)
        self._make_folder()
        with self._alone():
            known = self._parsed_or_set_aside()
            known[assignment] = known[assignment].and_then(new) if assignment in known else new
            self._write(known)
        return known

    def _make_folder(self) -> None:
        self.path.parent.mkdir(exist_ok=True)
        ignore = self.path.parent / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="ascii")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock, and wait for it first where another check has it."""
        lock, deadline = None, time.monotonic() + _PATIENCE
        while lock is None:
            try:
                lock = Lock(self.path.with_name("lock"))
            except CourseError:
                if time.monotonic() > deadline:
                    raise CourseError(
                        f"Another `course check` holds {FOLDER}/lock, and does not let go of it. "
                        "End it, and run this again."
                    ) from None
                time.sleep(0.02)
        try:
            yield
        finally:
            lock.release()

    def _write(self, known: Mapping[str, Reached]) -> None:
        data = {"version": _VERSION, "assignments": {name: asdict(reached) for name, reached in known.items()}}
        new = self.path.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            json.dump(data, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)

    def _parsed_or_set_aside(self) -> dict[str, Reached]:
        try:
            return _parsed(self.path)
        except ValueError as error:
            aside = next(path for path in self._names_aside() if not path.exists())
            self.path.rename(aside)
            self._say(
                f"{FOLDER}/{self.path.name} could not be read ({error}). It is kept as {FOLDER}/{aside.name}, "
                "and a new one is begun: mend it and rename it, if you miss what is in it."
            )
            return {}

    def _names_aside(self) -> Iterator[Path]:
        return (self.path.with_name(f"progress-broken-{number}.json") for number in range(1, 10**6))


def _parsed(path: Path) -> dict[str, Reached]:
    """What stands in the file; nothing where there is none.

    Raises:
        ValueError: when that is not what :meth:`Logbook.add` writes.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    try:
        if data["version"] != _VERSION:
            raise ValueError(f"it is of version {data['version']!r}, and this program reads {_VERSION}")
        return {str(name): _reached(**entry) for name, entry in data["assignments"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it holds something else: {error}") from error


def _reached(best: float, of: float, best_at: str, last_at: str, attempts: int) -> Reached:
    numbers = math.isfinite(best) and math.isfinite(of) and isinstance(attempts, int)
    dates = datetime.fromisoformat(best_at).tzinfo and datetime.fromisoformat(last_at).tzinfo
    if not (numbers and dates):
        raise ValueError("an entry in it is no score with its time")
    return Reached(best, of, best_at, last_at, attempts)
