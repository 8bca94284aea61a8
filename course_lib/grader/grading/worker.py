"""Grades one submission as a pure function of files: reads, runs, scores, and writes nothing that others read.

Any process can do it, of :mod:`concurrent.futures` or on another machine that sees the same files. What comes of it is
entered by the one :class:`~course_lib.grader.book.writer.Writer`.
"""

import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from course_lib.grader.annotations import leave_room_for_record
from course_lib.grader.book.patience import explained, is_the_disk
from course_lib.grader.course import Course, CourseError
from course_lib.grader.engine.sandbox import SandboxMissing
from course_lib.grader.grading.files import put_together
from course_lib.grader.grading.fingerprint import Fingerprints
from course_lib.grader.grading.passes import Passed, Passes, Setting
from course_lib.grader.grading.reading import result_of
from course_lib.grader.intake.foreign import read_foreign
from course_lib.grader.intake.submission import look_at
from course_lib.grader.notebooks import written
from course_lib.grader.results import Outcome, Result


@dataclass(frozen=True)
class Job:
    """One submission to grade.

    Attributes:
        root: the course's folder.
        assignment: the assignment's name.
        student: the student's id, the name of a folder in ``submitted/``.
        settings: what is to be otherwise than in ``nbgrader_config.py``.
        scratch: where temporary folders may lie; None for the system's place.
    """

    root: Path
    assignment: str
    student: str
    settings: tuple[Setting, ...] = ()
    scratch: Path | None = None


@dataclass(frozen=True)
class Graded:
    """What came of a job: plain data, to be entered in the gradebook.

    Attributes:
        result: the result as far as the files tell it. Its score is None where nothing was graded.
        notebook: the graded notebook's text; empty where nothing was graded.
        mark: stands in the text where the record of its being entered comes (:func:`.annotations.with_record`).
        extra: other files that preprocessors made: relative path -> content.
        fingerprint: of what the grading depended on.
        timestamp: when it was handed in, UTC without a zone.
    """

    result: Result
    notebook: str = ""
    mark: str = ""
    extra: dict[str, bytes] = field(default_factory=dict)
    fingerprint: str = ""
    timestamp: datetime | None = None


def grade(job: Job) -> Graded:
    """Grade one submission.

    Raises:
        CourseError: when the course is not what it should be, or this machine cannot grade; never for a submission.
    """
    course = Course.at(job.root)
    if Path(job.student).name != job.student or job.student in ("", ".", ".."):
        raise CourseError(f"{job.student!r} cannot be a student's id: an id is the name of a folder in submitted/.")
    timestamp = None
    try:
        passes, fingerprints = _prepared(course, job.assignment, job.settings)
        folder = course.submission(job.assignment, job.student)
        trouble = look_at(course, job.assignment, job.student)
        timestamp = passes.directory.get_existing_timestamp(str(folder))
        if trouble:
            return Graded(
                without_score(job.assignment, job.student, trouble.outcome, trouble.message), timestamp=timestamp
            )
        # Before anything is read: what changes meanwhile then looks changed the next time, and is graded again.
        fingerprint = fingerprints.of(job.student)
        notebook = folder / f"{job.assignment}.ipynb"
        passes.hook("pre", job.student, job.assignment, notebook)
        passed = _run(course, passes, job.assignment, notebook, job.student, folder, job.scratch)
        result = result_of(passed.nb, job.assignment, job.student)
        mark = uuid4().hex  # nobody who hands in can know it
        leave_room_for_record(passed.nb, mark)
        return Graded(result, written(passed.nb), mark, passed.extra, fingerprint, timestamp)
    except CourseError:
        raise
    except SandboxMissing as error:
        raise CourseError(str(error)) from error
    except Exception as error:  # whatever it is, it is ours, and it has a name in the result
        if isinstance(error, OSError) and is_the_disk(error):
            raise explained(error) from error
        return Graded(failed(job, error), timestamp=timestamp)


def grade_notebook(
    root: Path, assignment: str, notebook: Path, *, student: str = "me", settings: tuple[Setting, ...] = ()
) -> tuple[Result, str]:
    """Grade a notebook that lies anywhere, without a gradebook.

    Args:
        root: the course's folder.
        assignment: the assignment's name.
        notebook: the notebook's path; files beside it are not looked at.
        student: who is named in the result.
        settings: what is to be otherwise than in ``nbgrader_config.py``.

    Returns:
        The result, and the graded notebook's text.

    Raises:
        CourseError: when the course is not what it should be, or this machine cannot grade.
        Exception: of many kinds, when there is no notebook in the file, or grading fails.
    """
    course = Course.at(root)
    passes, _ = _prepared(course, course.known(assignment), settings)
    with tempfile.TemporaryDirectory(prefix="course-") as nothing_beside:
        passed = _run(course, passes, assignment, notebook, student, Path(nothing_beside))
    return result_of(passed.nb, assignment, student), written(passed.nb)


def without_score(assignment: str, student: str, outcome: Outcome, message: str) -> Result:
    """The result of a submission that could not be graded, with the sentence that says why."""
    return Result(assignment, student, outcome, name=student, notes=(message,))


def failed(job: Job, error: Exception | str) -> Result:
    """The result of a submission at which the grader failed: never a zero."""
    why = error if isinstance(error, str) else f"{type(error).__name__}: {error}".strip(": ")
    message = f"The grader failed on this submission ({why}). It has no score; grade it again or by hand."
    return without_score(job.assignment, job.student, Outcome.GRADER_ERROR, message)


def _run(
    course: Course,
    passes: Passes,
    assignment: str,
    notebook: Path,
    student: str,
    files: Path,
    scratch: Path | None = None,
) -> Passed:
    with tempfile.TemporaryDirectory(prefix="course-", dir=scratch) as folder:
        keep = passes.converter.exclude_overwriting.get(assignment, ())
        put_together(Path(folder), files, course.source(assignment).parent, passes.directory.ignore, keep)
        return passes.run(read_foreign(notebook), student, assignment, files, Path(folder))


def _prepared(course: Course, assignment: str, settings: tuple[Setting, ...]) -> tuple[Passes, Fingerprints]:
    """What all submissions of an assignment have in common. Read each time, which takes a millisecond or two."""
    passes = Passes(course.root, settings)
    return passes, Fingerprints(course, course.known(assignment), passes)
