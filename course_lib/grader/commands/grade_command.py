"""The command ``course grade``: what it shows, when it stops, and its exit status."""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from course_lib.grader.configuration import load_config
from course_lib.grader.course import Course, CourseError
from course_lib.grader.engine.launch import forget_launched, launch_ahead
from course_lib.grader.engine.sandbox import SandboxMissing, find_sandbox, probe
from course_lib.grader.grading.batch import Crew
from course_lib.grader.grading.pool import get_ready, usable_cores
from course_lib.grader.lean import uncollected

if TYPE_CHECKING:  # it imports torch: the workers are told to get ready before this process does that
    from course_lib.grader.results import Result

ALL_GRADED, NEEDS_HUMAN, INTERRUPTED = 0, 1, 130


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for.

    Attributes:
        root: the course's folder.
        assignment: the assignment's name.
        students: whose submissions.
        jobs: how many at a time; None for one on each core.
        force: whether to grade also what has not changed.
        sandbox: whether students' code runs protected.
        as_json: whether stdout gets a document in place of a table.
    """

    root: Path
    assignment: str
    students: tuple[str, ...]
    jobs: int | None = None
    force: bool = False
    sandbox: bool = True
    as_json: bool = False

    @property
    def settings(self) -> tuple[tuple[str, str, str], ...]:
        """What is to be otherwise than in ``nbgrader_config.py``."""
        return () if self.sandbox else (("Examine", "sandbox", "none"),)


def grade_command(wanted: Wanted) -> int:
    """Grade, show it, and return the exit status.

    Raises:
        CourseError: when nothing can be graded or recorded, or no more can.
    """
    console, errors = Console(), Console(stderr=True)
    if not wanted.sandbox:
        _say(errors, _UNPROTECTED)
    else:
        _refuse_without_sandbox(wanted.root, alone=len(wanted.students) == 1)
    document = _Document() if wanted.as_json else None
    results: list[Result] = []
    try:
        for result in _results(wanted, errors):
            if document:
                document.add(result)
            results.append(replace(result, exercises=()))  # thousands of records would fill the memory
    except KeyboardInterrupt:
        _say(errors, _stopped(wanted, len(results)))
        return INTERRUPTED
    finally:
        forget_launched()
        if document:
            document.end()
    if not wanted.as_json:
        from course_lib.grader.commands.tables import show_results

        show_results(console, wanted.assignment, results)
        if not wanted.sandbox:
            _say(console, _UNPROTECTED)
    return NEEDS_HUMAN if any(result.outcome.needs_human for result in results) else ALL_GRADED


_UNPROTECTED = "Without a sandbox (--no-sandbox): the students' code runs unprotected, with all your rights."


def _refuse_without_sandbox(root: Path, *, alone: bool) -> None:
    """Say now that students' code cannot be confined here, before anything is done."""
    config = load_config(root)
    listed = map(str, config.Autograde.get("autograde_preprocessors", ()))
    if config.Examine.get("sandbox") == "none" or not any(name.endswith(".Examine") for name in listed):
        return
    try:
        probe(find_sandbox(hidden=[root]))
        if alone:  # in this process: what runs students' code imports meanwhile what it needs
            launch_ahead("bubblewrap", root.resolve())
    except SandboxMissing as error:
        raise CourseError(str(error)) from error


def _results(wanted: Wanted, errors: Console) -> "Iterable[Result]":
    processes = min(wanted.jobs or usable_cores(), len(wanted.students))
    with Crew.of(processes) as crew:
        if _much_to_do(wanted):
            # They import while this process does, and start what runs students' code.
            crew.get_ready(get_ready, wanted.root, wanted.settings)
        with uncollected():
            from course_lib.grader.book.writer import Writer
            from course_lib.grader.commands.progress import display
            from course_lib.grader.engine import examine  # noqa: F401 (nbgrader_config.py names it, later)
            from course_lib.grader.grading.grade import grade_all

        quiet = Console(quiet=True)
        with (
            Writer(
                wanted.root, wanted.assignment, settings=wanted.settings, say=lambda text: _say(errors, text)
            ) as writer,
            display(quiet if wanted.as_json else errors, len(wanted.students)) as show,
        ):
            for result in grade_all(writer, wanted.students, crew, force=wanted.force):
                show(result)
                yield result


def _much_to_do(wanted: Wanted) -> bool:
    """A quick look: whether several have no graded notebook yet. Which ones changed since takes a longer look."""
    course = Course.at(wanted.root)
    without = sum(not course.graded(wanted.assignment, student).is_file() for student in wanted.students)
    return without > 1 or wanted.force


def _stopped(wanted: Wanted, done: int) -> str:
    return (
        f"Stopped. {done} of {len(wanted.students)} submissions are recorded, and nothing of the others. "
        "Run the same command again to go on from there."
    )


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)


class _Document:
    """A list of results on stdout, written as they come: readable to its end also when grading stops."""

    def __init__(self) -> None:
        self._before = "["

    def add(self, result: "Result") -> None:
        sys.stdout.write(f"{self._before}\n{json.dumps(result.to_json(), ensure_ascii=False)}")
        self._before = ","

    def end(self) -> None:
        sys.stdout.write("\n]\n" if self._before == "," else "[]\n")
        sys.stdout.flush()
