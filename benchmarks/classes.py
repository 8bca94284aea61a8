"""Makes the classes that are graded in a benchmark: a course folder, and what its students hand in.

The same arguments give the same submissions, byte for byte.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from nbformat import NotebookNode

from course_lib.grader.course import Course
from course_lib.grader.demo.answers import Bank, written_answer
from course_lib.grader.engine.roles import Role, needed_extras, role_of
from course_lib.grader.intake.released import released_view
from course_lib.grader.notebooks import read

ROOT = Path(__file__).resolve().parents[1]
"""The course's folder, from which everything is copied."""

ASSIGNMENT = "09_dropout"
"""What is graded in most benchmarks."""

KINDS = ("right", "wrong", "blank")
"""The kinds of work in a mixed class, one student after the other."""

_COPIED = ("source", "misconceptions", "alternatives")


@contextmanager
def temporary_course(settings: str | None = "") -> Iterator[Course]:
    """A copy of the course in a temporary folder.

    Args:
        settings: lines to add to ``nbgrader_config.py``; None for nbgrader's defaults and nothing of ours.
    """
    with TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        for part in _COPIED:
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        config = "" if settings is None else (ROOT / "nbgrader_config.py").read_text(encoding="utf-8") + settings
        (folder / "nbgrader_config.py").write_text(config, encoding="utf-8")
        yield Course.at(folder)


def kind_of(number: int) -> str:
    """The kind of work of student number 0, 1, 2 ... in a mixed class."""
    return KINDS[number % len(KINDS)]


def mixed_class(number: int, assignment: str = ASSIGNMENT) -> dict[str, NotebookNode]:
    """What a class hands in: a third right, a third wrong, a third blank. Student's id -> notebook.

    Of the right ones, the first hands in the source's solutions and the others a choice among all accepted ones; of the
    wrong ones, each has a misconception in every exercise that has some; the blank ones hand in what they were given.
    """
    course = Course.at(ROOT)
    bank = Bank.of(course, assignment)
    released = released_view(read(course.source(assignment)))
    return {
        f"student-{n:04}": _filled(released, bank, kind_of(n), Random(f"{assignment} by {n}"), first=n < len(KINDS))
        for n in range(number)
    }


def _filled(released: NotebookNode, bank: Bank, kind: str, random: Random, *, first: bool) -> NotebookNode:
    notebook = deepcopy(released)
    answers: dict[str, str] = {}
    if kind != "blank":
        for exercise in bank.exercises:
            texts = exercise.right if kind == "right" else exercise.wrong or exercise.right
            answers[exercise.name] = texts[0] if first else random.choice(texts)
        answers |= {name: written_answer(question, random) for name, question in bank.written.items()}
    for cell in notebook.cells:
        cell.source = answers.get(cell.id, cell.source)
    return notebook


def without_extras(notebook: NotebookNode) -> NotebookNode:
    """The same work without the source's pictures and experiments, as far as nothing graded needs them."""
    notebook = deepcopy(notebook)
    needed = needed_extras(notebook.cells)
    notebook.cells = [cell for n, cell in enumerate(notebook.cells) if role_of(cell) is not Role.EXTRA or n in needed]
    return notebook


def hand_in(course: Course, work: Mapping[str, NotebookNode], assignment: str = ASSIGNMENT) -> list[str]:
    """Write a class's notebooks into ``submitted/``; returns the students' ids."""
    for student, notebook in work.items():
        folder = course.submission(assignment, student)
        folder.mkdir(parents=True)
        text = json.dumps(notebook, indent=1, ensure_ascii=False)
        (folder / f"{assignment}.ipynb").write_text(text, encoding="utf-8")
    return list(work)
