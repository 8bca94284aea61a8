"""The command ``course``: everything an instructor does with the course, from one place.

Commands import what they need when they run, so that ``course --help`` answers at once.
"""

import atexit
import json
import os
import sys
import threading
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import typer.core

from course_lib import __version__
from course_lib.grader.course import Course, CourseError
from course_lib.grader.lean import skip_unused_parsers

skip_unused_parsers()

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
        int | None, typer.Option("--students", metavar="N", help="How many students; 18 by default, 48 at most.")
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
    from course_lib.grader.releasing.leaks import find_leaks
    from course_lib.grader.releasing.release import make_release

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
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", metavar="N", min=1, help="Submissions graded at a time; one for each core by default."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Grade also what has not changed since.")] = False,
    no_sandbox: Annotated[
        bool, typer.Option("--no-sandbox", help="Run students' code unprotected, with all your rights.")
    ] = False,
    root: Root = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON, for a program.")] = False,
) -> None:
    """Grade what is in submitted/ into autograded/ and the gradebook; what is recorded and unchanged is kept."""
    course = Course.at(root)
    course.known(assignment)
    from course_lib.grader.configuration import excluded_students

    everybody = course.students(assignment)
    unknown = [name for name in student or [] if name not in everybody]
    if unknown:
        raise CourseError(f"Nothing in submitted/ for {assignment} from: {', '.join(unknown)}. Check the spelling.")
    left_out = excluded_students(course.root) - set(student or [])
    if not set(everybody) - left_out:
        raise CourseError(f"Nobody has handed in {assignment}: there is no submitted/<student>/{assignment}.")
    from course_lib.grader.commands.grade_command import Wanted, grade_command

    wanted = Wanted(
        course.root,
        assignment,
        tuple(dict.fromkeys(student or [name for name in everybody if name not in left_out])),
        jobs=jobs,
        force=force,
        sandbox=not no_sandbox,
        as_json=as_json,
    )
    raise typer.Exit(grade_command(wanted))


@app.command()
def check(
    notebook: Annotated[Path, typer.Argument(metavar="NOTEBOOK", help="Your copy of a notebook, wherever it lies.")],
    exercise: Annotated[
        list[str] | None,
        typer.Option("--exercise", metavar="NAME", help="Show only this one, case by case; may be given again."),
    ] = None,
    no_sandbox: Annotated[
        bool, typer.Option("--no-sandbox", help="Run the notebook's code unprotected, with all your rights.")
    ] = False,
    root: Root = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for a program.")] = False,
) -> None:
    """Grade a notebook of your own: all tests, the hints they lead to, and your progress over the course.

    Titles and messages of hidden tests are shown too: whoever reads alone has the course's folder, and them in it.
    The notebook is not changed, and no gradebook is needed. Ends with status 0 when all points are earned that the
    machine gives, and else with 1.
    """
    course = Course.at(root)
    from course_lib.grader.commands.check import Wanted, check_command

    wanted = Wanted(course, notebook, tuple(exercise or ()), sandbox=not no_sandbox, as_json=as_json)
    raise typer.Exit(check_command(wanted))


@app.command()
def progress(
    root: Root = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON, for a program.")] = False,
) -> None:
    """Show what `course check` has found so far: the best score in each assignment."""
    course = Course.at(root)
    from course_lib.grader.commands.check import progress_command

    progress_command(course, as_json=as_json)


@app.command()
def report(assignments: Assignments = None, root: Root = Path()) -> None:
    """Write report/index.html from what has been graded."""
    course = Course.at(root)
    names = [course.known(name) for name in assignments or course.assignments]
    from course_lib.grader.book.gradebook import gradebook
    from course_lib.grader.grading.grade import known_result
    from course_lib.grader.report import write_report

    with gradebook(course) as book:
        known = [known_result(course.root, name, student, book) for name in names for student in course.students(name)]
    results = [result for result in known if result is not None]
    if not any(not result.outcome.needs_human for result in results):
        raise CourseError(f"Nothing is graded yet in {', '.join(names)}. Run `course grade ASSIGNMENT` first.")
    page = write_report(course.root, results, course.root / "report")
    typer.echo(f"{len(results)} submission{'s' if len(results) != 1 else ''} in {page}")
    if len(results) < len(known):
        waiting = len(known) - len(results)
        typer.echo(f"{waiting} more {'are' if waiting > 1 else 'is'} not graded yet: run `course grade ASSIGNMENT`.")


@app.command()
def audit(
    assignments: Assignments = None,
    seeds: Annotated[
        int, typer.Option("--seeds", metavar="N", min=0, help="Other draws for right code that draws random numbers.")
    ] = 1000,
    jobs: Annotated[
        int | None, typer.Option("--jobs", metavar="N", min=1, help="Processes; one for each core by default.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the result into docs/ too.")] = False,
    root: Root = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON, for a program.")] = False,
) -> None:
    """Test the tests: wrong code must lose points, right code keep them, small changes of right code be noticed."""
    from course_lib.grader.commands.audit_command import audit_command

    status = audit_command(root, assignments or [], seeds=seeds, jobs=jobs, write=write, as_json=as_json)
    if status:
        raise typer.Exit(status)


@app.command()
def doctor(
    root: Root = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON, for a program.")] = False,
) -> None:
    """Say what this machine has and lacks for grading, with the line that mends it."""
    from course_lib.grader.commands.doctor import as_text, examine, is_ready

    findings = examine(root)
    if as_json:
        ready = {"ready": is_ready(findings), "findings": [finding.to_json() for finding in findings]}
        typer.echo(json.dumps(ready, indent=1, ensure_ascii=False))
    else:
        typer.echo("\n".join(as_text(findings)))
    if not is_ready(findings):
        raise typer.Exit(NEEDS_HUMAN)


def main() -> NoReturn:
    """The program ``course``: the command line, and then the end at once.

    An interpreter that has torch in it takes most of a second to take itself apart, all of it memory that the system
    frees at a stroke. All else that an end brings happens: what was registered for it, and what is to be written.
    """
    status = 0
    try:
        app()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            typer.echo(end.code, err=True)
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.current_thread():
            thread.join()
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # whoever read it has gone
        status = status or 1
    os._exit(status)


if __name__ == "__main__":
    main()
