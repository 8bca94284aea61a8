"""The command ``course``: everything an instructor does with the course, from one place.

Commands import what they need when they run, so that ``course --help`` answers at once.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from course_lib import __version__
from course_lib.grader.course import Course, CourseError

if TYPE_CHECKING:
    from course_lib.grader.results import Result

NEEDS_HUMAN = 1
"""Exit status when something was found that somebody must look at: a leak, a submission without a score."""
MISUSE = 2
"""Exit status when nothing could be done: an unknown name, a folder that is no course."""


class _Friendly(typer.core.TyperGroup):
    """Shows what a user can mend as a sentence, never as a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Called by Typer to run the chosen command; a :class:`CourseError` ends it with status 2."""
        try:
            return super().invoke(ctx)
        except CourseError as error:
            typer.echo(f"course: {error}", err=True)
            raise typer.Exit(MISUSE) from error


app = typer.Typer(
    cls=_Friendly,
    help="Release, grade and report a course of Jupyter notebooks, on top of nbgrader.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Root = Annotated[Path, typer.Option("--root", metavar="DIR", help="The course's folder.")]
Assignments = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ASSIGNMENT]...", help="All when none is named.", show_default=False),
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"course {__version__}")
        raise typer.Exit


@app.callback()
def _course(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Release, grade and report a course of Jupyter notebooks, on top of nbgrader."""


@app.command()
def demo(
    root: Root = Path(),
    number: Annotated[
        int | None, typer.Option("--students", metavar="N", help="How many students; 42 by default.")
    ] = None,
    assignment: Annotated[
        list[str] | None, typer.Option("--assignment", metavar="A", help="Only this one; may be given again.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh/--keep", help="Start anew, or keep what is graded already.")] = True,
    processes: Annotated[int, typer.Option("--jobs", metavar="N", min=1, help="Submissions graded at a time.")] = 2,
) -> None:
    """Grade a sample class from end to end into demo/, with feedback pages and a report."""
    Course.at(root)
    from course_lib.grader.demo.run import run_demo

    run_demo(root, number=number, assignments=assignment, fresh=fresh, processes=processes)


@app.command()
def release(assignments: Assignments = None, root: Root = Path()) -> None:
    """Make release/ out of source/, and search it for what students must not see."""
    course = Course.at(root)
    names = [course.known(name) for name in assignments or course.assignments]
    from course_lib.grader.leaks import find_leaks
    from course_lib.grader.release import make_release

    for path in make_release(root, names):
        typer.echo(f"released {path.relative_to(course.root)}")
    leaks = find_leaks(root)
    for leak in leaks:
        typer.echo(f"LEAK {leak}", err=True)
    if leaks:
        typer.echo(f"{len(leaks)} leak(s): do not hand out release/ before they are mended.", err=True)
        raise typer.Exit(NEEDS_HUMAN)
    typer.echo("no leaks: release/ holds no solution, hidden test or misconception, and no outputs")


@app.command()
def grade(
    assignment: Annotated[str, typer.Argument(help="The assignment's name.")],
    student: Annotated[
        list[str] | None, typer.Option("--student", metavar="ID", help="Only this one; may be given again.")
    ] = None,
    root: Root = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON, for a program.")] = False,
) -> None:
    """Grade what is in submitted/ through nbgrader, into autograded/ and the gradebook."""
    course = Course.at(root)
    course.known(assignment)
    everybody = course.students(assignment)
    unknown = [name for name in student or [] if name not in everybody]
    if unknown:
        raise CourseError(f"Nothing in submitted/ for {assignment} from: {', '.join(unknown)}. Check the spelling.")
    if not everybody:
        raise CourseError(f"Nobody has handed in {assignment}: there is no submitted/<student>/{assignment}.")
    results = _grade(course, assignment, student or everybody, quiet=as_json)
    if as_json:
        typer.echo(json.dumps([result.to_json() for result in results], indent=1, ensure_ascii=False))
    else:
        _show(assignment, results)
    if any(result.outcome.needs_human for result in results):
        raise typer.Exit(NEEDS_HUMAN)


@app.command()
def report(assignments: Assignments = None, root: Root = Path()) -> None:
    """Write report/index.html from what has been graded."""
    course = Course.at(root)
    names = [course.known(name) for name in assignments or course.assignments]
    from course_lib.grader.grade import known_result
    from course_lib.grader.report import write_report

    known = [known_result(course.root, name, student) for name in names for student in course.students(name)]
    results = [result for result in known if result is not None]
    if not any(not result.outcome.needs_human for result in results):
        raise CourseError(f"Nothing is graded yet in {', '.join(names)}. Run `course grade ASSIGNMENT` first.")
    page = write_report(course.root, results, course.root / "report")
    typer.echo(f"{len(results)} submission{'s' if len(results) != 1 else ''} in {page}")
    if len(results) < len(known):
        waiting = len(known) - len(results)
        typer.echo(f"{waiting} more {'are' if waiting > 1 else 'is'} not graded yet: run `course grade ASSIGNMENT`.")


def _grade(course: Course, assignment: str, students: list[str], *, quiet: bool) -> "list[Result]":
    from course_lib.grader.batch import Job, grade_all
    from course_lib.grader.gradebook import register_assignment

    register_assignment(course, assignment)
    results = []
    for result in grade_all([Job(course.root, assignment, name) for name in students]):
        results.append(result)
        if not quiet:
            typer.echo(f"[{len(results)}/{len(students)}] {result.student}: {result.summary}", err=True)
    return results


def _show(assignment: str, results: "list[Result]") -> None:
    from rich.console import Console

    from course_lib.grader.tables import show_results

    show_results(Console(), assignment, results)


if __name__ == "__main__":
    app()
