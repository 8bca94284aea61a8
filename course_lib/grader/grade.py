"""Grades one submission from end to end: look at the files, run nbgrader's autograde, read what came of it.

Whatever a student hands in, and whatever fails on our side, comes back as a :class:`Result` with a name for it.
"""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from course_lib.grader.annotations import notes_of, seconds_of
from course_lib.grader.course import Course, CourseError
from course_lib.grader.gradebook import (
    leave_for_human,
    max_score,
    read_entry,
    register_assignment,
    student_name,
)
from course_lib.grader.graded_notebook import outcome_of, read_cells
from course_lib.grader.nbgrader_steps import StepFailed, autograde, course_directory, generate_feedback
from course_lib.grader.notebooks import read
from course_lib.grader.report import write_feedback
from course_lib.grader.results import Outcome, Result
from course_lib.grader.submission import look_at


def grade_submission(root: Path, assignment: str, student: str) -> Result:
    """Grade what a student handed in, through nbgrader, into ``autograded/`` and the gradebook.

    Args:
        root: the course's folder.
        assignment: the assignment's name.
        student: the student's id, the name of a folder in ``submitted/``.

    Returns:
        The result. A file that cannot be graded, or a failure of the grader, has an outcome that says so, and leaves no
        score behind: neither a zero nor one of an earlier grading.

    Raises:
        CourseError: when there is no such course or assignment, or its source is broken; never for a submission.
    """
    course = Course.at(root)
    course.known(assignment)
    if Path(student).name != student or student in ("", ".", ".."):
        raise CourseError(f"{student!r} cannot be a student's id: an id is the name of a folder in submitted/.")
    register_assignment(course, assignment)
    trouble = look_at(course, assignment, student)
    if trouble:
        handed_in = trouble.outcome is not Outcome.MISSING
        return _not_graded(course, assignment, student, trouble.outcome, trouble.message, handed_in=handed_in)
    try:
        autograde(course_directory(course.root, assignment_id=assignment, student_id=student))
        return read_result(course.root, assignment, student)
    except Exception as error:  # whatever it is, it is ours, and it has a name in the result
        why = error.reason if isinstance(error, StepFailed) else f"{type(error).__name__}: {error}"
        message = f"The grader failed on this submission ({why}). It has no score; grade it again or by hand."
        return _not_graded(course, assignment, student, Outcome.GRADER_ERROR, message, handed_in=True)


def read_result(root: Path, assignment: str, student: str) -> Result:
    """The result of a submission that has been graded, from ``autograded/`` and the gradebook alone.

    Raises:
        CourseError: when it has not been graded.
    """
    course = Course.at(root)
    path = course.graded(assignment, student)
    entry = read_entry(course, assignment, student)
    if not path.is_file() or entry is None:
        raise CourseError(f"{student} has no graded {assignment}. Run `course grade {assignment} --student {student}`.")
    nb = read(path)
    cells, records = read_cells(nb)
    # The gradebook's score goes before the notebook's: a human may have marked the cell.
    cells = tuple(replace(cell, score=entry.scores.get(cell.cell, cell.score)) for cell in cells)
    page = course.feedback(assignment, student)
    return Result(
        assignment=assignment,
        student=student,
        name=entry.name,
        outcome=outcome_of(nb, cells),
        score=round(max(0.0, sum(cell.score or 0.0 for cell in cells) - entry.penalty), 4),
        max_score=sum(cell.points for cell in cells),
        manual_points_open=sum(cell.points for cell in cells if cell.score is None),
        cells=cells,
        exercises=records,
        notes=notes_of(nb),
        late_seconds=entry.late_seconds,
        submitted=entry.submitted,
        seconds=seconds_of(nb),
        feedback=str(page.relative_to(course.root)) if page.is_file() else "",
    )


def known_result(root: Path, assignment: str, student: str) -> Result | None:
    """What is known of a submission without grading it: its result, what is wrong with its files, or None.

    Nothing is written. None means that it can be graded and has not been.
    """
    course = Course.at(root)
    if course.graded(assignment, student).is_file():
        return read_result(root, assignment, student)
    trouble = look_at(course, assignment, student)
    return _without_score(course, assignment, student, trouble.outcome, trouble.message) if trouble else None


def make_feedback(root: Path, result: Result) -> Result:
    """Write what the student gets back: a page about the result, and nbgrader's page of the notebook, linked from it.

    Hidden tests are left out of both. Without a grading there is only the first, which says why.

    Args:
        root: the course's folder.
        result: what :func:`grade_submission` returned.

    Returns:
        The result, with the page's path in it.

    Raises:
        StepFailed: when nbgrader cannot make its page.
    """
    course = Course.at(root)
    assignment, student = result.assignment, result.student
    notebook_page = None
    if course.graded(assignment, student).is_file():
        generate_feedback(course_directory(course.root, assignment_id=assignment, student_id=student))
        notebook_page = course.notebook_page(assignment, student)
    page = course.feedback(assignment, student)
    write_feedback(result, page, notebook_feedback=notebook_page)
    return replace(result, feedback=str(page.relative_to(course.root)))


def _not_graded(
    course: Course, assignment: str, student: str, outcome: Outcome, message: str, *, handed_in: bool
) -> Result:
    leave_for_human(course, assignment, student, handed_in=handed_in, submitted=_timestamp(course, assignment, student))
    return _without_score(course, assignment, student, outcome, message)


def _without_score(course: Course, assignment: str, student: str, outcome: Outcome, message: str) -> Result:
    entry = read_entry(course, assignment, student)
    return Result(
        assignment=assignment,
        student=student,
        name=entry.name if entry else student_name(course, student),
        outcome=outcome,
        max_score=max_score(course, assignment),
        notes=(message,),
        late_seconds=entry.late_seconds if entry else 0.0,
        submitted=entry.submitted if entry else "",
    )


def _timestamp(course: Course, assignment: str, student: str) -> datetime | None:
    directory = course_directory(course.root)
    found: datetime | None = directory.get_existing_timestamp(str(course.submission(assignment, student)))
    return found
