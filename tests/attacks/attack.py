"""What an attack is: a submission, a sentence on what it tries, and what would show that it succeeded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any, Literal

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from .course import POINTS, RIGHT, answered
from .seen import Seen

NOTHING = dict.fromkeys(POINTS, 0.0)
ROOT, STUDENT = "@ROOT@", "@STUDENT@"
"""In an attack's text and files these stand for the course's folder and the attacker's id."""

Control = Literal["", "no sandbox", "in process"]


@dataclass(frozen=True)
class Attack:
    """One attack. Whatever it says here, :meth:`Seen.successes` looks for every kind of success.

    Attributes:
        name: in a few words, what it tries.
        answers: its solution cells, by exercise; the others are left as they were handed out.
        deserves: the points that it has earned honestly; those of the exercises that are not named are 0.
        own: its own cells: the id of the cell that each follows, and its text.
        change: what is done to the notebook's JSON besides.
        files: what lies beside the notebook: name -> text, or a function that fills the folder.
        shows: what its outputs must hold, as a sign that it ran and was not stopped by a slip of its own.
        most_seconds: how long grading it may take.
        most_mb: memory that its processes may take at a time, on top of the warm process's.
        settings: limits that are otherwise for it than for the others.
        succeeded: further signs of success, in words.
        control: where the same attack does succeed, which shows that its success would be noticed.
    """

    name: str
    answers: Mapping[str, str] = field(default_factory=dict)
    deserves: Mapping[str, float] = field(default_factory=dict)
    own: tuple[tuple[str, str], ...] = ()
    change: Callable[[NotebookNode], object] | None = None
    files: Mapping[str, str] | Callable[[Path], object] = field(default_factory=dict)
    shows: tuple[str, ...] = ()
    most_seconds: float = 3.0
    most_mb: float = 150.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    succeeded: Callable[[Seen], list[str]] = lambda seen: []
    control: Control = ""

    @property
    def points(self) -> dict[str, float]:
        """What it deserves, for every exercise."""
        return {**NOTHING, **self.deserves}

    def notebook(self, root: Path, student: str) -> NotebookNode:
        """Its notebook as it is handed in."""

        def filled(text: str) -> str:
            return dedent(text).strip("\n").replace(ROOT, str(root)).replace(STUDENT, student)

        nb = answered({name: filled(text) for name, text in self.answers.items()})
        for number, (after, text) in enumerate(reversed(self.own)):
            at = next(index for index, cell in enumerate(nb.cells) if cell.id == after)
            nb.cells.insert(at + 1, new_code_cell(filled(text), id=f"mine-{number}"))
        if self.change is not None:
            self.change(nb)
        return nb

    def put_files(self, folder: Path, root: Path, student: str) -> None:
        """Put what lies beside its notebook into the folder of the submission."""
        if callable(self.files):
            self.files(folder)
            return
        for name, text in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            content = dedent(text).replace(ROOT, str(root)).replace(STUDENT, student)
            (folder / name).write_text(content, encoding="utf-8")


def solving(*names: str, **others: str) -> dict[str, str]:
    """Right answers to some exercises, and other answers to others."""
    return {**{name: RIGHT[name] for name in names}, **others}


def points_for(*names: str, **others: float) -> dict[str, float]:
    """All points of some exercises, and those named of others."""
    return {**{name: POINTS[name] for name in names}, **others}


ALL_RIGHT = {"answers": dict(RIGHT), "deserves": dict(POINTS)}
"""For attacks whose own work is right: what they are after is not points."""
