"""Grades submissions from end to end: look at the files, run nbgrader's autograde, record what came of it.

Whatever a student hands in, and whatever fails on our side, comes back as a :class:`Result` with a name for it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from nbgrader.api import Gradebook

from course_lib.grader.annotations import record_of
from course_lib.grader.book.gradebook import entry_of, gradebook, max_score, student_name
from course_lib.grader.book.writer import Writer
from course_lib.grader.course import Course, CourseError
from course_lib.grader.grading.batch import Crew, Lost
from course_lib.grader.grading.passes import Passes
from course_lib.grader.grading.reading import agrees, read_own, result_of, with_entry
from course_lib.grader.grading.worker import Graded, failed, grade, without_score
from course_lib.grader.intake.submission import can_be_an_id, look_at, readable
from course_lib.grader.nbgrader_steps import course_directory, generate_feedback, load_config
from course_lib.grader.results import Result

_MARGIN_SECONDS = 600.0
"""What nothing that is done with a submission takes, the start of a process on a busy machine included."""


def grade_submission(root: Path, assignment: str, student: str) -> Result:
    """Grade what a student handed in, into ``autograded/`` and the gradebook, whether or not it was graded before.

    Args:
        root: the course's folder.
        assignment: the assignment's name.
        student: the student's id, the name of a folder in ``submitted/``.

    Returns:
        The result. A file that cannot be graded, or a failure of the grader, has an outcome that says so, and leaves no
        score behind: neither a zero nor one of an earlier grading.

    Raises:
        CourseError: when there is no such course or assignment, its source is broken, or nothing can be recorded; never
            for a submission.
    """
    with Writer(root, assignment) as writer:
        return writer.write(grade(writer.job(student)))


def grade_all(writer: Writer, students: Sequence[str], crew: Crew, *, force: bool = False) -> Iterator[Result]:
    """Grade many submissions of an assignment, and yield each result when it is recorded.

    Args:
        writer: records the results.
        students: whose submissions.
        crew: grades.
        force: whether to grade also what is recorded completely and has not changed since.

    Raises:
        CourseError: when the course is not what it should be, this machine cannot grade, or nothing can be recorded.
            What was recorded stays, and the next time only the rest is graded.
    """
    jobs = []
    for student in students:
        kept = None if force else writer.kept(student)
        if kept is None:
            jobs.append(writer.job(student))
        else:
            yield kept
    for job, graded in crew.each(grade, jobs, seconds=_most_seconds(writer) if jobs else None):
        yield writer.write(Graded(failed(job, graded.why)) if isinstance(graded, Lost) else graded)


def feedback_all(root: Path, results: Sequence[Result], crew: Crew) -> Iterator[Result]:
    """Write the pages that students get back, and yield each result with the page's path in it.

    A page that cannot be made costs nothing but itself: the result has a note then.
    """
    for result, made in crew.each(partial(make_feedback, root), results, seconds=_MARGIN_SECONDS):
        if isinstance(made, Lost):
            made = replace(result, notes=(*result.notes, f"The feedback page could not be made ({made.why})."))
        yield made


def read_result(root: Path, assignment: str, student: str, book: Gradebook | None = None) -> Result:
    """The result of a submission that has been graded, from ``autograded/`` and the gradebook alone.

    Args:
        root: the course's folder.
        assignment: the assignment's name.
        student: the student's id.
        book: the course's gradebook, where it is open already.

    Raises:
        CourseError: when it has not been graded, or its grading was cut off.
    """
    course = Course.at(root)
    result = _recorded(course, assignment, student, book)
    if result is None:
        raise CourseError(f"{student} has no graded {assignment}. Run `course grade {assignment} --student {student}`.")
    return result


def known_result(root: Path, assignment: str, student: str, book: Gradebook | None = None) -> Result | None:
    """What is known of a submission without grading it: its result, what is wrong with its files, or None.

    Nothing is written. None means that it can be graded and has not been.
    """
    course = Course.at(root)
    found = _recorded(course, assignment, student, book)
    if found is not None:
        return found
    trouble = look_at(course, assignment, student)
    if trouble is None:
        return None
    result = without_score(assignment, student, trouble.outcome, trouble.message)
    if book is None:
        with gradebook(course) as book:
            return _with_name(book, result)
    return _with_name(book, result)


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
    # Imported here: pages need matplotlib, and scores do not.
    from course_lib.grader.feedback.hide import hidden_cases
    from course_lib.grader.report import write_feedback

    course = Course.at(root)
    assignment, student = result.assignment, result.student
    notebook_page = None
    if course.graded(assignment, student).is_file():
        generate_feedback(course_directory(course.root, assignment_id=assignment, student_id=student))
        notebook_page = course.notebook_page(assignment, student)
    page = course.feedback(assignment, student)
    hidden = hidden_cases(load_config(course.root), assignment)
    write_feedback(result, page, hidden=hidden, notebook_feedback=notebook_page)
    return replace(result, feedback=str(page.relative_to(course.root)))


def _most_seconds(writer: Writer) -> float:
    """More than any submission takes: its own clock stops what it does, but not what is done with it here."""
    from course_lib.grader.engine.examine import Examine

    steps = Passes(writer.course.root, writer.settings).steps()
    limits = [step.limits(writer.assignment)("").submission_seconds for step in steps if isinstance(step, Examine)]
    return _MARGIN_SECONDS + 2 * max(limits, default=0.0)


def _recorded(course: Course, assignment: str, student: str, book: Gradebook | None) -> Result | None:
    path = course.graded(assignment, student)
    if not can_be_an_id(student) or not path.is_file():
        return None
    if book is None:
        with gradebook(course) as book:
            entry = entry_of(book, assignment, student)
    else:
        entry = entry_of(book, assignment, student)
    nb = read_own(path.read_text(encoding="utf-8"))
    record = record_of(nb)
    if entry is None or (record is not None and not agrees(record, entry)):
        return None
    page = course.feedback(assignment, student)
    shown = str(page.relative_to(course.root)) if page.is_file() else ""
    return replace(with_entry(result_of(nb, assignment, student), entry), feedback=shown)


def _with_name(book: Gradebook, result: Result) -> Result:
    shown = replace(result, max_score=max_score(book, result.assignment))
    if not can_be_an_id(result.student):  # it cannot be in the gradebook
        name = readable(result.student)
        return replace(shown, student=name, name=name)
    entry = entry_of(book, result.assignment, result.student)
    return with_entry(shown, entry) if entry else replace(shown, name=student_name(book, result.student))
