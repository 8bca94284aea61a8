"""Grades many submissions, one after the other or in a few processes, and hands out each result as it is ready."""

import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from course_lib.grader.course import Course, CourseError
from course_lib.grader.results import Outcome, Result


@dataclass(frozen=True)
class Job:
    """One submission to grade: small, and a function of files, so that any process can do it.

    Attributes:
        root: the course's folder.
        assignment: the assignment's name.
        student: the student's id.
        feedback: whether to write the student's pages too.
        keep: whether a grading that is there already will do.
    """

    root: Path
    assignment: str
    student: str
    feedback: bool = False
    keep: bool = False


def grade_job(job: Job) -> Result:
    """Grade one submission. What fails on our side is in the result; only a broken course raises.

    Raises:
        CourseError: when the course or the assignment is not what it should be.
    """
    # Imported here: the process that only hands out jobs needs none of nbgrader.
    from course_lib.grader.grade import grade_submission, make_feedback, read_result

    course = Course.at(job.root)
    if job.keep and course.graded(job.assignment, job.student).is_file():
        result = read_result(job.root, job.assignment, job.student)
    else:
        result = grade_submission(job.root, job.assignment, job.student)
    if not job.feedback or result.feedback:
        return result
    try:
        return make_feedback(job.root, result)
    except Exception as error:  # a page that cannot be made must not cost the score
        note = f"The feedback page could not be made ({type(error).__name__}: {error})."
        return replace(result, notes=(*result.notes, note))


def grade_all(jobs: Sequence[Job], processes: int = 1) -> Iterator[Result]:
    """Grade submissions and yield each result when it is ready.

    Args:
        jobs: what to grade. The gradebook must know the assignments (``register_assignment``).
        processes: how many at a time; with 1 everything happens in this process.

    Raises:
        CourseError: when the course or an assignment is not what it should be.
    """
    if processes <= 1 or len(jobs) <= 1:
        for job in jobs:
            yield _named(job, partial(grade_job, job))
        return
    # Fresh interpreters: nbgrader changes the working folder, and a process with torch's threads must not be forked.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_start_worker) as pool:
        futures = {pool.submit(grade_job, job): job for job in jobs}
        try:
            for future in as_completed(futures):
                yield _named(futures[future], future.result)
        finally:
            pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    # A kernel for each process and a core for each kernel: more threads would only wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    logging.disable(logging.WARNING)


def _named(job: Job, grade: Callable[[], Result]) -> Result:
    """The result, or a failure that carries the submission's name: one submission never stops the others."""
    try:
        return grade()
    except CourseError:
        raise
    except Exception as error:
        message = (
            f"The grader failed on this submission ({type(error).__name__}: {error}), and an older score may still "
            f"stand. Grade it again: course grade {job.assignment} --student {job.student}."
        )
        return Result(job.assignment, job.student, Outcome.GRADER_ERROR, name=job.student, notes=(message,))
