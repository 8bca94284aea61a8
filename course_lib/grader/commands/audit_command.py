"""The command ``course audit``: what it shows, what it writes, and its exit status."""

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from course_lib.grader.audit.audit import Audited, audit
from course_lib.grader.audit.page import numbers, page, rows, troubles
from course_lib.grader.course import Course, CourseError
from course_lib.grader.grading.batch import Crew
from course_lib.grader.grading.pool import usable_cores

SOUND, UNSOUND = 0, 1
_HEADS = ("exercise", "cases", "wrong refused", "right accepted", "mutants refused", "equivalent", "unlucky")
PAGE, NUMBERS = Path("docs") / "audit.md", Path("docs") / "audit.json"


def audit_command(
    root: Path,
    assignments: Sequence[str],
    *,
    seeds: int,
    jobs: int | None = None,
    write: bool = False,
    as_json: bool = False,
) -> int:
    """Audit, show it, and return the exit status.

    Args:
        root: the course's folder.
        assignments: their names; all when there are none.
        seeds: how many other draws right solutions get.
        jobs: how many processes; None for one on each core.
        write: whether to write the pages in ``docs/`` too.
        as_json: whether stdout gets the numbers as JSON in place of tables.

    Raises:
        CourseError: when something cannot be audited or written.
    """
    course = Course.at(root)
    if write and assignments:
        raise CourseError("--write makes the page of the whole course: leave the assignments out.")
    names = [course.known(name) for name in assignments] or course.assignments
    console, errors = Console(), Console(stderr=True)
    audited: list[Audited] = []
    with Crew.of(min(jobs or usable_cores(), 2 * len(names))) as crew:
        for one in audit(course.root, names, crew, seeds=seeds, say=lambda text: errors.print(text, highlight=False)):
            audited.append(one)
    if as_json:
        print(json.dumps(numbers(audited), indent=1))
    else:
        for name in names:
            console.print(_table(name, [one for one in audited if one.assignment == name]))
        for one in audited:
            for title, alone in one.alone.items():
                console.print(
                    f"  {one.assignment}, {one.exercise}: only the case {title!r} catches: {'; '.join(alone)}",
                    highlight=False,
                    markup=False,
                    soft_wrap=True,
                )
            if one.idle:
                console.print(
                    f"  {one.assignment}, {one.exercise}: cases that catch nothing: {'; '.join(one.idle)}",
                    highlight=False,
                    markup=False,
                    soft_wrap=True,
                )
    for sentence in troubles(audited):
        errors.print(sentence, highlight=False, markup=False, soft_wrap=True)
    if write:
        command = "course audit --write" + (f" --seeds {seeds}" if seeds != 1000 else "")
        (course.root / PAGE).write_text(page(audited, command), encoding="utf-8")
        (course.root / NUMBERS).write_text(json.dumps(numbers(audited), indent=1) + "\n", encoding="utf-8")
        errors.print(f"written: {PAGE} and {NUMBERS}", highlight=False)
    return SOUND if all(one.sound for one in audited) else UNSOUND


def _table(title: str, audited: Sequence[Audited]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, head in enumerate(_HEADS):
        table.add_column(head, justify="left" if number == 0 else "right", no_wrap=number == 0)
    for row, one in zip(rows(audited), audited, strict=True):
        table.add_row(*row, style="" if one.sound else "red")
    return table
