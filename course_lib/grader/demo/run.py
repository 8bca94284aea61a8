"""The whole way of a sample class, in a folder of its own: release, hand in, grade through nbgrader, report."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from course_lib.grader.book.gradebook import gradebook, register_assignment
from course_lib.grader.book.writer import Writer
from course_lib.grader.commands.progress import display, shown
from course_lib.grader.commands.tables import show_results
from course_lib.grader.course import Course, CourseError
from course_lib.grader.demo.classroom import compose, due_date
from course_lib.grader.demo.students import Student, students
from course_lib.grader.grading.batch import Crew
from course_lib.grader.grading.grade import feedback_all, grade_all
from course_lib.grader.releasing.release import make_release
from course_lib.grader.report import write_report
from course_lib.grader.results import Result

CLASS_SIZE = 18
"""How many hand in by default: few enough for some minutes, and enough to meet every accident in some assignment."""

_MARKER = "MADE_BY_COURSE_DEMO.md"
_COPIED = ("source", "misconceptions", "alternatives")
_HURRY = """
# This is the sample class: do not wait long for loops that never end.
c.Examine.cell_seconds = 10
c.Examine.case_seconds = 4
"""


def run_demo(
    root: Path,
    *,
    number: int | None = None,
    assignments: Sequence[str] | None = None,
    fresh: bool = True,
    processes: int = 2,
    console: Console | None = None,
) -> list[Result]:
    """Grade a sample class from end to end into ``demo/`` in the course's folder.

    Args:
        root: the course's folder; nothing outside its ``demo/`` is changed.
        number: how many students; None for a class of the usual size.
        assignments: names; None for every assignment.
        fresh: whether to start from nothing; else what is graded already is kept.
        processes: how many submissions are graded at a time.
        console: where to report; the terminal by default.

    Returns:
        The results of all submissions.

    Raises:
        CourseError: for an unknown assignment, or a ``demo/`` that this command did not make.
    """
    console = console or Console()
    course = Course.at(root)
    names = [course.known(name) for name in assignments] if assignments else course.assignments
    if not names:
        raise CourseError(f"There is no assignment in {course.root / 'source'}: nothing to demonstrate.")
    try:
        everybody = students(CLASS_SIZE if number is None else number)
    except ValueError as error:
        raise CourseError(f"{error}.".capitalize()) from error
    sample = _folder(course, names, fresh=fresh)
    console.print(f"A class of {len(everybody)} hands in {', '.join(names)} …", highlight=False)
    make_release(sample.root, names)
    for name in names:
        compose(sample, name, everybody)
    _register(sample, names, everybody)
    results: list[Result] = []
    with Crew.of(processes) as crew:
        for name in names:
            with Writer(sample.root, name) as writer, display(console, len(everybody), name) as show:
                results += shown(grade_all(writer, [s.id for s in everybody], crew, force=fresh), show)
        # After all scores are recorded: a page that cannot be made costs no score.
        ready = [result for result in results if result.kept and result.feedback]
        others = [result for result in results if result not in ready]
        with display(console, len(others), "feedback") as show:
            results = [*ready, *shown(feedback_all(sample.root, others, crew), show)]
    report = write_report(sample.root, results, sample.root / "report")
    _say(console, sample, names, results, report)
    return results


def _folder(course: Course, names: Sequence[str], *, fresh: bool) -> Course:
    folder = course.root / "demo"
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARKER).is_file():
        raise CourseError(f"{folder} was not made by `course demo`, so it is left alone. Move it away and try again.")
    if fresh and folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(exist_ok=True)
    (folder / _MARKER).write_text(
        "This folder was made by `course demo`: invented students, and what they handed in. It is a complete nbgrader\n"
        "course; go into it and use `nbgrader` or Formgrader as ever. The next `course demo` deletes it.\n",
        encoding="utf-8",
    )
    config = (course.root / "nbgrader_config.py").read_text(encoding="utf-8")
    (folder / "nbgrader_config.py").write_text(config + _HURRY, encoding="utf-8")
    for part in _COPIED:
        shutil.rmtree(folder / part, ignore_errors=True)
    for name in names:
        shutil.copytree(course.source(name).parent, folder / "source" / name)
        for path in (course.misconceptions(name), course.alternatives(name)):
            if path.is_file():
                (folder / path.parent.name).mkdir(exist_ok=True)
                shutil.copy(path, folder / path.parent.name)
    return Course.at(folder)


def _register(course: Course, names: Sequence[str], everybody: Sequence[Student]) -> None:
    for name in names:
        register_assignment(course, name, due=due_date(course, name))
    with gradebook(course) as book:
        for student in everybody:
            book.update_or_create_student(student.id, first_name=student.first_name, last_name=student.last_name)


def _say(console: Console, course: Course, names: Sequence[str], results: Sequence[Result], report: Path) -> None:
    for name in names:
        own = [result for result in results if result.assignment == name]
        console.print()
        show_results(console, name, own)
    page = next((r.feedback for r in sorted(results, key=lambda r: r.student) if r.feedback), "")
    console.print()
    console.print(f"The class:    {report}", highlight=False, soft_wrap=True)
    if page:
        console.print(f"One student:  {course.root / page}", highlight=False, soft_wrap=True)
    console.print(
        f"The course:   {course.root} (plain nbgrader: its commands work in it)", highlight=False, soft_wrap=True
    )
