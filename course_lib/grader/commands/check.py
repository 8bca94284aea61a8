"""The command ``course check``: a reader grades an own notebook by the engine of ``course grade``, without a gradebook.

Much of a check's time goes to imports, here and in the process that runs the notebook. That process is therefore
started first of all, and functions here import what they need when they need it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_lib.grader.commands.logbook import Logbook, Reached
from course_lib.grader.configuration import load_config
from course_lib.grader.course import Course, CourseError
from course_lib.grader.engine.launch import forget_launched, launch_ahead
from course_lib.grader.engine.sandbox import SandboxMissing, find_sandbox, probe
from course_lib.grader.lean import uncollected

if TYPE_CHECKING:
    from rich.console import Console

    from course_lib.grader.results import Result

ALL_POINTS, NOT_ALL, INTERRUPTED = 0, 1, 130

UNPROTECTED = "Without a sandbox: the notebook's code ran unprotected, with all your rights."


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for.

    Attributes:
        course: the course.
        notebook: the notebook's path.
        exercises: which to show; all when there are none.
        sandbox: whether the notebook's code runs protected.
        as_json: whether stdout gets a document in place of a page of text.
    """

    course: Course
    notebook: Path
    exercises: tuple[str, ...] = ()
    sandbox: bool = True
    as_json: bool = False


def check_command(wanted: Wanted) -> int:
    """Check a notebook, show what came of it, keep the score, and return the exit status.

    Raises:
        CourseError: when there is nothing that could be checked, or nothing to check it with.
    """
    if not wanted.notebook.is_file():
        there = "is no file" if wanted.notebook.exists() else "does not exist"
        raise CourseError(f"{wanted.notebook} {there}. Name your copy of a notebook in release/.")
    try:
        protected = _head_start(wanted)
        return _check(wanted, protected)
    except SandboxMissing as error:
        raise CourseError(str(error)) from error
    except KeyboardInterrupt:
        from rich.console import Console

        _say(Console(stderr=True), "Stopped. Nothing of this check is kept.")
        return INTERRUPTED
    finally:
        forget_launched()


def progress_command(course: Course, *, as_json: bool = False) -> None:
    """Show what was reached in each assignment.

    Raises:
        CourseError: when what is kept cannot be read.
    """
    from rich.console import Console

    from course_lib.grader.commands.check_page import progress_table

    book = Logbook(course, lambda text: _say(Console(stderr=True), text))
    try:
        known = book.read()
    except OSError as error:
        raise CourseError(f"{book.path} cannot be read ({error.strerror}). Allow it, or remove it.") from error
    if as_json:
        print(json.dumps(_as_json(known), indent=1))
    else:
        Console().print(progress_table(course.assignments, known))


def _head_start(wanted: Wanted) -> bool:
    """Start what runs the notebook's code, which works while this process imports. Returns whether it is protected.

    Raises:
        SandboxMissing: when student code cannot be confined here.
    """
    config = load_config(wanted.course.root)
    listed = map(str, config.Autograde.get("autograde_preprocessors", ()))
    if not any(name.endswith(".Examine") for name in listed):
        return False  # an instructor's own way of running notebooks
    kind = str(config.Examine.get("sandbox", "bubblewrap")) if wanted.sandbox else "none"
    launch_ahead(kind, wanted.course.root)
    if kind == "none":
        return False
    probe(find_sandbox(hidden=[wanted.course.root]))
    return True


def _check(wanted: Wanted, protected: bool) -> int:
    from course_lib.grader.intake.foreign import NotANotebook, read_foreign

    try:
        handed = read_foreign(wanted.notebook)
    except NotANotebook as error:
        raise CourseError(f"{wanted.notebook} {error}") from error
    from course_lib.grader.commands.which_assignment import which_assignment

    course = wanted.course
    assignment = which_assignment(course, wanted.notebook, handed.cells)
    if wanted.exercises:
        _refuse_unknown(course, assignment, wanted.exercises)

    with uncollected():
        from course_lib.grader.engine import examine  # noqa: F401 (nbgrader_config.py names it, later)
        from course_lib.grader.grading.worker import grade_notebook

    settings = () if wanted.sandbox else (("Examine", "sandbox", "none"),)
    try:
        result, graded = grade_notebook(course.root, assignment, wanted.notebook, settings=settings)
    except (CourseError, SandboxMissing):
        raise
    except Exception as error:  # whatever it is, it is not the reader's fault
        why = f"{type(error).__name__}: {error}".strip(": ")
        raise CourseError(
            f"The grader failed on {wanted.notebook} ({why}). This says nothing about your work, and no score is kept. "
            "Try again; if it fails again, please report it."
        ) from error
    return _show(wanted, protected, _only(result, wanted.exercises), result, json.loads(graded)["cells"])


def _show(wanted: Wanted, protected: bool, shown: "Result", whole: "Result", cells: list[dict[str, Any]]) -> int:
    from rich.console import Console

    from course_lib.grader.commands.check_page import Page, next_step, points_by_machine, stopped_cells

    console, errors = Console(), Console(stderr=True)
    known = _keep(wanted.course, whole, errors)
    stopped = stopped_cells(cells)
    score, of = points_by_machine(shown)
    step = next_step(shown, stopped)
    if wanted.as_json:
        document = {
            "assignment": whole.assignment,
            "notebook": str(wanted.notebook),
            "sandbox": protected,
            "score": score,
            "max_score": of,
            "next": step,
            "stopped": stopped,
            "result": shown.to_json(),
            "progress": _as_json(known),
        }
        print(json.dumps(document))
    else:
        page = Page(console, detailed=bool(wanted.exercises))
        page.show(shown, stopped, step, _with_rubric(wanted.course, whole.assignment))
        page.show_progress(wanted.course.assignments, known)
    if not protected:
        _say(errors, UNPROTECTED)
    return ALL_POINTS if score >= of else NOT_ALL


def _keep(course: Course, result: "Result", errors: "Console") -> dict[str, Reached]:
    """Enter the score. That it cannot be kept is no reason not to show it."""
    from course_lib.grader.commands.check_page import points_by_machine

    book = Logbook(course, lambda text: _say(errors, text))
    try:
        return book.add(result.assignment, *points_by_machine(result))
    except (OSError, CourseError) as error:
        _say(errors, f"This score could not be kept in {book.path}: {error}")
        return {}


def _only(result: "Result", exercises: tuple[str, ...]) -> "Result":
    if not exercises:
        return result
    cells = tuple(cell for cell in result.cells if cell.name in exercises)
    names = {cell.name for cell in cells}
    return replace(result, cells=cells, exercises=tuple(e for e in result.exercises if e.exercise in names))


def _refuse_unknown(course: Course, assignment: str, wanted: tuple[str, ...]) -> None:
    from course_lib.grader.commands.which_assignment import source_cells
    from course_lib.grader.intake.match import label

    graded = [cell for cell in source_cells(course, assignment) if cell["metadata"].get("nbgrader", {}).get("grade")]
    names = [label(cell).removeprefix("test_") for cell in graded]
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise CourseError(
            f"{assignment} has no exercise {', '.join(map(repr, unknown))}. Its exercises are: {', '.join(names)}."
        )


def _with_rubric(course: Course, assignment: str) -> set[str]:
    """The written questions that have a rubric in the source."""
    from course_lib.grader.commands.which_assignment import source_cells
    from course_lib.grader.intake.match import label

    return {label(cell) for cell in source_cells(course, assignment) if "rubric" in "".join(cell["source"]).lower()}


def _as_json(known: Mapping[str, Reached]) -> dict[str, Any]:
    return {name: vars(reached) for name, reached in sorted(known.items())}


def _say(console: "Console", text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
