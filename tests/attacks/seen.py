"""What can be seen of one grading from outside, and what in it would be an attacker's success."""

import hashlib
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbgrader.utils import is_grade, is_solution
from traitlets.config import Config

from course_lib.checks.render import text as table
from course_lib.grader.feedback.hidden import Hidden, shown_cases
from course_lib.grader.feedback.hide import HideHiddenTests
from course_lib.grader.grading.worker import Graded
from course_lib.grader.results import Outcome

from .course import ASSIGNMENT, ENVIRONMENT, HIDDEN, NOWHERE_UNTRUSTED

MARK = "zx_was_here"
"""How attacks name the files that they try to leave."""
_PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/", str(Path.home()))
_MB = 10**6


@dataclass
class Seen:
    """One grading, from outside.

    Attributes:
        graded: what came of it.
        seconds: how long it took.
        left: processes that are there afterwards and were not before.
        own_mb: the most memory that the attacker's processes had at a time, roughly.
        grader_mb: how much this process, which grades, grew meanwhile at most.
        touched: what is otherwise in the course's folder and around it, in words.
    """

    graded: Graded
    seconds: float = 0.0
    left: list[int] = field(default_factory=list)
    own_mb: float = 0.0
    grader_mb: float = 0.0
    touched: list[str] = field(default_factory=list)

    @property
    def scores(self) -> dict[str, float | None]:
        """Points by exercise."""
        return {cell.name: cell.score for cell in self.graded.result.cells}

    def student_sees(self, level: Hidden) -> str:
        """All that a student gets to see: the feedback's notebook and the page of cases."""
        nb = nbformat.reads(self.graded.notebook, as_version=4)
        config = Config(HideHiddenTests={"hidden_cases": level})
        nb, _ = HideHiddenTests(config=config).preprocess(nb, {"nbgrader": {"assignment": ASSIGNMENT}})
        result = self.graded.result
        pages = [table(record, shown_cases(record, level)) for record in result.exercises]
        return "\n".join([json.dumps(nb), *pages, *result.notes])

    def untrusted_said(self) -> str:
        """All that came out of processes with student code, the instructor's record of hidden cases included."""
        if not self.graded.notebook:
            return ""
        nb = nbformat.reads(self.graded.notebook, as_version=4)
        own = [cell for cell in nb.cells if cell.cell_type == "code" and (is_solution(cell) or not is_grade(cell))]
        said = [json.dumps(cell.outputs) for cell in own]
        for record in self.graded.result.exercises:
            said += ["\n".join([case.called, case.came, case.reason, case.printed]) for case in record.cases]
        return "\n".join(said)

    def successes(self, deserved: Mapping[str, float], most_seconds: float, most_mb: float) -> list[str]:
        """Every sign of success of any attack, in words; empty when there is none."""
        found = list(self.touched)
        if self.graded.result.outcome is Outcome.GRADER_ERROR:
            found.append(f"the grader failed: {self.graded.result.notes}")
        if not self.graded.notebook:
            return found + [f"it was not graded: {self.graded.result.notes}"] * any(deserved.values())
        found += [
            f"{name}: {self.scores.get(name)} points instead of {points}"
            for name, points in deserved.items()
            if self.scores.get(name) != points
        ]
        said = self.untrusted_said()
        found += [f"student code got hold of {secret}" for secret in NOWHERE_UNTRUSTED if secret in said]
        titles, messages = self.student_sees("title"), self.student_sees("message")
        found += [f"the student is shown {secret}" for secret in (*NOWHERE_UNTRUSTED, HIDDEN) if secret in titles]
        if HIDDEN in messages:
            found.append(f"the student is shown {HIDDEN} where hidden cases have their messages")
        if self.seconds > most_seconds:
            found.append(f"grading took {self.seconds:.1f} s, more than {most_seconds:g}")
        if self.own_mb > most_mb:
            found.append(f"its processes took {self.own_mb:.0f} MB, more than {most_mb:g}")
        if self.grader_mb > 300:
            found.append(f"the grader itself grew by {self.grader_mb:.0f} MB")
        if len(self.graded.notebook) > 2_000_000:
            found.append(f"the graded notebook has {len(self.graded.notebook)} characters")
        if self.left:
            found.append(f"{len(self.left)} of its processes live on")
        return found


class Surroundings:
    """The course's folder, the places around it and the processes: what they were, and what has changed since.

    Args:
        root: the course's folder.
        server: the process that was started to run student code.
    """

    def __init__(self, root: Path, server: int) -> None:
        self.root = root
        self.server = server
        self.files = _contents(root)
        self.marks = self._marks()
        self.processes = set(self._processes(escaped=True))

    def changes(self) -> list[str]:
        """What has changed in the course's folder or was left outside of it."""
        now = _contents(self.root)
        changed = sorted({*self.files.items()} ^ {*now.items()})
        return [f"{path} is not as it was" for path in dict.fromkeys(path for path, _ in changed)] + [
            f"it left {path}" for path in sorted(self._marks() - self.marks)
        ]

    def left(self) -> list[int]:
        """Processes that are new. One that has been killed may take a moment to go."""
        for _ in range(20):
            new = [pid for pid in self._processes(escaped=True) if pid not in self.processes]
            if not new:
                break
            time.sleep(0.02)
        return new

    @contextmanager
    def watched(self, seen: Seen) -> Iterator[None]:
        """Note the memory of the attacker's processes, and this one's, while something runs."""
        over = threading.Event()
        before, warm = _own_mb(os.getpid()), _own_mb(self._warm())

        def look() -> None:
            while not over.wait(0.03):
                own = [_own_mb(pid) - warm for pid in self._processes() if pid not in self.processes]
                seen.own_mb = max(seen.own_mb, sum(own))
                seen.grader_mb = max(seen.grader_mb, _own_mb(os.getpid()) - before)

        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()

    def _marks(self) -> set[str]:
        places = [*_PLACES, str(self.root), str(self.root.parent)]
        return {str(path) for place in places for path in Path(place).glob(f"*{MARK}*")}

    def _warm(self) -> int:
        """The warm process: the innermost of those that stand idle."""
        return max(self.processes)

    def _processes(self, *, escaped: bool = False) -> Iterator[int]:
        """The server and those below it; and those that got away from it, which have this process's environment."""
        waiting = [self.server]
        while waiting:
            pid = waiting.pop()
            yield pid
            with suppress(OSError):
                waiting += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        if escaped:
            for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
                if pid not in (os.getpid(), os.getppid()) and _has_environment(pid):
                    yield pid


def _has_environment(pid: int) -> bool:
    with suppress(OSError):
        return ENVIRONMENT.encode() in Path(f"/proc/{pid}/environ").read_bytes()
    return False


def _own_mb(pid: int) -> float:
    """Memory that belongs to no file; a fork's counts in full."""
    with suppress(OSError, IndexError, ValueError):
        resident, shared = map(int, Path(f"/proc/{pid}/statm").read_text().split()[1:3])
        return (resident - shared) * os.sysconf("SC_PAGE_SIZE") / _MB
    return 0.0


def _contents(root: Path) -> dict[str, str]:
    """Every file of a folder, with a digest of what is in it."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "a folder"
        for path in sorted(root.rglob("*"))
        if not path.is_fifo()
    }
