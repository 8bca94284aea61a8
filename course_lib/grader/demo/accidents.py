"""What goes wrong with submissions, each kind as a function of otherwise ordinary work.

Ordered so that a small class meets first what graders meet most.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from random import Random

from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution

from course_lib.grader.demo.answers import Bank
from course_lib.grader.notebooks import new_cell


@dataclass
class Work:
    """The released notebook and what a student means to write into it.

    Attributes:
        notebook: the released notebook; accidents may change it.
        bank: all that might stand in its cells.
        answers: cell id -> the student's text; cells without an entry stay as they are.
        assignment: the assignment's name.
    """

    notebook: NotebookNode
    bank: Bank
    answers: dict[str, str]
    assignment: str

    def finished(self) -> NotebookNode:
        """The notebook with the answers in it."""
        for cell in self.notebook.cells:
            if cell.id in self.answers:
                cell.source = self.answers[cell.id]
        return self.notebook

    def all_right(self) -> None:
        """Replace every answer to an exercise by a right one."""
        for exercise in self.bank.exercises:
            self.answers[exercise.name] = exercise.right[0]

    def tests(self) -> list[int]:
        """The places of the test cells."""
        return [i for i, cell in enumerate(self.notebook.cells) if is_grade(cell) and not is_solution(cell)]


Handed = NotebookNode | bytes | None
"""A notebook, the bytes of a file that is none, or nothing."""


def right_but_noisy(work: Work, random: Random) -> Handed:
    """All right, with warnings, prints and output to stderr."""
    work.all_right()
    for exercise in work.bank.exercises[:2]:
        work.answers[exercise.name] = exercise.noisy()
    return work.finished()


def syntax_error(work: Work, random: Random) -> Handed:
    """One cell that is not Python."""
    exercise = random.choice(work.bank.exercises)
    work.answers[exercise.name] = exercise.not_python()
    return work.finished()


def endless_loop(work: Work, random: Random) -> Handed:
    """One function that never returns."""
    exercise = random.choice(work.bank.exercises)
    work.answers[exercise.name] = exercise.endless()
    return work.finished()


def cut_off_file(work: Work, random: Random) -> Handed:
    """An upload that broke off in the middle."""
    whole = json.dumps(work.finished(), indent=1).encode()
    return whole[: len(whole) * 2 // 3]


def deleted_test(work: Work, random: Random) -> Handed:
    """A test cell that is gone."""
    nb = work.finished()
    del nb.cells[random.choice(work.tests())]
    return nb


def no_notebook(work: Work, random: Random) -> Handed:
    """A folder without the notebook."""
    return None


def copied_cells(work: Work, random: Random) -> Handed:
    """Solution cells copied with all their metadata: to try something, and left there."""
    nb = work.finished()
    for index in reversed([i for i, cell in enumerate(nb.cells) if is_solution(cell) and cell.cell_type == "code"][:2]):
        copy = deepcopy(nb.cells[index])
        copy.id = f"{copy.id}-copy"
        nb.cells.insert(index + 1, copy)
    return nb


def changed_points(work: Work, random: Random) -> Handed:
    """Metadata edited: points, a tag that keeps tests from running, another kernel."""
    nb = work.finished()
    for index in work.tests()[:2]:
        nb.cells[index].metadata.nbgrader["points"] = 100
        nb.cells[index].metadata["tags"] = ["skip-execution"]
    nb.metadata.kernelspec["name"] = "python-with-extras"
    return nb


def shortcut(work: Work, random: Random) -> Handed:
    """The answer that is torch's own version of what was to be built."""
    for exercise in work.bank.exercises:
        text = exercise.shortcut()
        if text:
            work.answers[exercise.name] = text
            break
    return work.finished()


def nothing_done(work: Work, random: Random) -> Handed:
    """Handed in as it was handed out."""
    return work.notebook


def lost_ids(work: Work, random: Random) -> Handed:
    """Saved by an editor that drops what it does not know: cell ids and nbgrader's metadata."""
    nb = work.finished()
    for cell in nb.cells:
        cell.metadata.clear()
        del cell["id"]
    nb.nbformat_minor = 4
    return nb


def own_cells_and_order(work: Work, random: Random) -> Handed:
    """A cell of one's own after every exercise, and the last exercise moved to the top."""
    nb = work.finished()
    for number, index in enumerate(reversed(work.tests()), 1):
        attempt = f"attempt_{number} = 'trying things out'\nattempt_{number}"
        nb.cells.insert(index, new_cell("code", attempt, f"mine-{number}"))
    last = next(i for i in reversed(range(len(nb.cells))) if is_solution(nb.cells[i]))
    nb.cells.insert(1, nb.cells.pop(last))
    return nb


def kernel_killer(work: Work, random: Random) -> Handed:
    """One function that ends its process."""
    exercise = random.choice(work.bank.exercises)
    work.answers[exercise.name] = exercise.deadly()
    return work.finished()


def empty_file(work: Work, random: Random) -> Handed:
    """A file of no bytes."""
    return b""


KINDS: dict[str, Callable[[Work, Random], Handed]] = {
    "right but noisy": right_but_noisy,
    "syntax error": syntax_error,
    "endless loop": endless_loop,
    "cut-off file": cut_off_file,
    "deleted test": deleted_test,
    "no notebook": no_notebook,
    "copied cells": copied_cells,
    "changed points": changed_points,
    "shortcut": shortcut,
    "nothing done": nothing_done,
    "lost ids": lost_ids,
    "own cells and order": own_cells_and_order,
    "kernel killer": kernel_killer,
    "empty file": empty_file,
}
