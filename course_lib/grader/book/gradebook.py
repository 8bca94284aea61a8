"""nbgrader's gradebook as far as grading needs it: registering an assignment, reading scores, leaving work for a human.

Everything goes through nbgrader's own classes, so that Formgrader and ``nbgrader export`` see what they always see.
"""

import datetime
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from nbgrader.api import BaseCell, Grade, Gradebook, MissingEntry, Notebook, SubmittedNotebook
from nbgrader.utils import compute_checksum, is_grade, is_locked, is_solution

from course_lib.grader.book.save import start_from_none
from course_lib.grader.course import Course, CourseError
from course_lib.grader.intake.released import released_view
from course_lib.grader.nbgrader_steps import StepFailed, calm, course_directory, generate_assignment
from course_lib.grader.notebooks import read


@contextmanager
def gradebook(course: Course) -> Iterator[Gradebook]:
    """The course's gradebook, closed at the end of the ``with`` block."""
    directory = course_directory(course.root)
    with calm(), Gradebook(directory.db_url, directory.course_id) as book:
        yield book


def register_assignment(course: Course, assignment: str, due: datetime.datetime | None = None) -> None:
    """Make the gradebook know the source's cells, as generate_assignment does; ``release/`` stays as it was.

    Nothing is done when the gradebook knows them already, so it may be called before every grading.

    Args:
        course: the course.
        assignment: the assignment's name.
        due: the due date, in UTC without a zone as nbgrader keeps it; None leaves it as it is.

    Raises:
        CourseError: when the source's cells are no longer those under which submissions were graded.
    """
    if not _is_registered(course, assignment):
        with tempfile.TemporaryDirectory(prefix="course-register-") as scratch:
            directory = course_directory(course.root, assignment_id=assignment, release_directory=scratch)
            try:
                generate_assignment(directory)
            except StepFailed as error:
                raise CourseError(_refusal(course, assignment, error)) from error
    if due is not None:
        with gradebook(course) as book:
            book.update_or_create_assignment(assignment, duedate=due)


def _refusal(course: Course, assignment: str, error: StepFailed) -> str:
    if "submissions associated" in error.reason:
        return (
            f"{assignment}: its exercises were changed after submissions had been graded, and the gradebook keeps the "
            f"old ones. Put source/{assignment} back as it was, or forget the old grades with "
            f"`nbgrader db assignment remove {assignment} --force` in {course.root}, and grade again."
        )
    return f"{assignment}: nbgrader cannot read source/{assignment}/{assignment}.ipynb ({error.reason}). Mend it there."


def _is_registered(course: Course, assignment: str) -> bool:
    directory = course_directory(course.root)
    source = read(course.source(assignment))
    try:
        stubs = released_view(source, directory.config)
    except RuntimeError as error:
        raise CourseError(f"{course.source(assignment)} cannot be released: {error}. Mend it there.") from error
    wanted = {}
    for cell, stub in zip(source.cells, stubs.cells, strict=True):
        if is_grade(cell) or is_solution(cell) or is_locked(cell):
            points = float(cell.metadata.nbgrader["points"]) if is_grade(cell) else None
            checked = stub if is_solution(cell) else cell
            wanted[cell.metadata.nbgrader["grade_id"]] = (points, compute_checksum(checked))
    with gradebook(course) as book:
        try:
            notebook = book.find_notebook(assignment, assignment)
        except MissingEntry:
            return False
        worth = {cell.name: cell.max_score for cell in notebook.grade_cells}
        return wanted == {cell.name: (worth.get(cell.name), cell.checksum) for cell in notebook.source_cells}


@dataclass(frozen=True)
class Entry:
    """What the gradebook says about one submission.

    Attributes:
        name: the student's name, or id.
        scores: grade_id -> score; None while a human still has to give one.
        auto_scores: grade_id -> what the machine gave; None where it gave nothing.
        late_seconds: how long after the due date.
        submitted: when, UTC, ISO 8601, or empty.
        penalty: points taken off for being late.
    """

    name: str
    scores: dict[str, float | None]
    auto_scores: dict[str, float | None] = field(default_factory=dict)
    late_seconds: float = 0.0
    submitted: str = ""
    penalty: float = 0.0


def entry_of(book: Gradebook, assignment: str, student: str) -> Entry | None:
    """The gradebook's entry of a submission; None when there is none."""
    try:
        submission = book.find_submission(assignment, student)
    except MissingEntry:
        return None
    # One query for a notebook's scores, where walking from object to object takes two for each cell.
    rows = (
        book.db.query(BaseCell.name, Grade.auto_score, Grade.manual_score, Grade.score)
        .join(Grade, Grade.cell_id == BaseCell.id)
        .join(SubmittedNotebook, SubmittedNotebook.id == Grade.notebook_id)
        .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
        .filter(SubmittedNotebook.assignment_id == submission.id, Notebook.name == assignment)
        .all()
    )
    return Entry(
        name=_name(submission.student),
        scores={name: None if auto is None and manual is None else float(score) for name, auto, manual, score in rows},
        auto_scores={name: auto for name, auto, _, _ in rows},
        late_seconds=float(submission.total_seconds_late),
        submitted=submission.timestamp.isoformat() if submission.timestamp else "",
        penalty=float(submission.late_submission_penalty or 0.0),
    )


def student_name(book: Gradebook, student: str) -> str:
    """The student's name in the gradebook, or the id."""
    try:
        return _name(book.find_student(student))
    except MissingEntry:
        return student


def max_score(book: Gradebook, assignment: str) -> float:
    """All points of an assignment."""
    try:
        return float(book.find_assignment(assignment).max_score)
    except MissingEntry:
        return 0.0


def take_back(book: Gradebook, assignment: str, student: str) -> None:
    """Leave a submission for a human: take back what an earlier grading said of any of its notebooks.

    Nothing is entered that was not there before, and nothing is committed.
    """
    try:
        submission = book.find_submission(assignment, student)
    except MissingEntry:
        return
    for notebook in submission.notebooks:
        start_from_none(book, notebook.name, assignment, student)


def _name(student: Any) -> str:
    return " ".join(part for part in (student.first_name, student.last_name) if part) or str(student.id)
