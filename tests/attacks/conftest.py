"""One course and one server for all attacks, and the way in which each of them is graded: that of `course grade`."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from course_lib.grader.engine import sitting
from course_lib.grader.engine.examine import forget_servers, server_for
from course_lib.grader.grading.worker import Job, grade
from course_lib.grader.results import Result

from .attack import Attack
from .course import ASSIGNMENT, ENVIRONMENT, PARTLY, RIGHT, answered, hand_in_work, make_course
from .seen import Seen, Surroundings

LIMITS = {
    "cell_seconds": 0.6,
    "case_seconds": 0.4,
    "submission_seconds": 4.0,
    "memory_mb": 300,
    "open_files": 64,
    "file_mb": 2,
    "scratch_mb": 4,
    "output_chars": 20_000,
}
GRACE = 0.3
"""In place of the seconds that a process gets to answer after its own alarm: with them every hang would take long."""


class Classroom:
    """The course, and everybody who hands in.

    Args:
        root: where to make it.
        sandbox: as ``c.Examine.sandbox``.
    """

    def __init__(self, root: Path, sandbox: str = "bubblewrap") -> None:
        self.root = make_course(root)
        self.sandbox = sandbox
        hand_in_work(self.root, "honest", answered(RIGHT))
        hand_in_work(self.root, "partly", answered(PARTLY))
        server: Any = server_for(sandbox, str(self.root))
        server.wait_until_ready()
        self.before = {student: self.grade(student).graded.result for student in ("honest", "partly")}
        self.surroundings = Surroundings(self.root, server.pid)

    def attack(self, attack: Attack, student: str = "mallory") -> Seen:
        """Hand an attack in, grade it, and look around."""
        folder = hand_in_work(self.root, student, attack.notebook(self.root, student))
        attack.put_files(folder, self.root, student)
        around = self.surroundings
        around.files = Surroundings(self.root, around.server).files
        return self.grade(student, around=around, **attack.settings)

    def grade(self, student: str, *, around: Surroundings | None = None, **settings: Any) -> Seen:
        """Grade one submission as `course grade` does."""
        limits = {**LIMITS, **settings, "sandbox": self.sandbox}
        job = Job(self.root, ASSIGNMENT, student, tuple(("Examine", name, value) for name, value in limits.items()))
        seen = Seen(graded=None)  # type: ignore[arg-type]
        started = time.monotonic()
        if around is None:
            seen.graded = grade(job)
        else:
            with around.watched(seen):
                seen.graded = grade(job)
        seen.seconds = time.monotonic() - started
        if around is not None:
            seen.touched, seen.left = around.changes(), around.left()
        return seen

    def others(self, *students: str) -> list[str]:
        """What honest students get otherwise than before, in words."""
        now = {student: self.grade(student).graded.result for student in students}
        return [
            f"{student} now gets {_told(result)} instead of {_told(self.before[student])}"
            for student, result in now.items()
            if _told(result) != _told(self.before[student])
        ]


def _told(result: Result) -> Result:
    """All that is said about a submission but for how long it took."""
    return replace(result, seconds=0.0)


@pytest.fixture(scope="session")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Classroom]:
    """The class whose server runs in the sandbox."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sitting, "_GRACE", GRACE)
        patch.setenv("COURSE_SECRET", ENVIRONMENT)
        yield Classroom(tmp_path_factory.mktemp("attacks") / "course")
        forget_servers()
