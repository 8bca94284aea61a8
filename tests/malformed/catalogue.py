"""What may lie in submitted/ instead of an honest notebook, each kind with the outcome that is right for it and why.

A kind is a function that writes one student's submission. Three rules decide what is right:

- Where a student's text cannot be had, nothing is scored and a human looks: UNREADABLE, or MISSING without a file.
- What carries no text (metadata, outputs, ids, format numbers, other files) may be anything: the work keeps its points.
- What is wrong with one cell costs that cell's exercise and no other.
"""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_lib.grader.results import Outcome
from tests.grader.conftest import ASSIGNMENT, RIGHT, solved

NOTEBOOK = f"{ASSIGNMENT}.ipynb"
ALL = {"double": 2.0, "mean": 3.0}
NO_DOUBLE = {"double": 0.0, "mean": 3.0}
GONE = object()
NO_MEAN = {"double": 2.0, "mean": 0.0}

Write = Callable[[Path], None]
"""Writes a submission into its folder, which exists."""


@dataclass(frozen=True)
class Kind:
    """One kind of malformed or strange submission.

    Attributes:
        name: what it is.
        write: writes it; what it wants to be skipped for, it says by raising ``OSError``.
        outcome: the right one.
        scores: exercise -> points; None when there must be no score.
        says: words that the sentence about it must have; empty when nothing needs to be said.
        student: who hands it in.
    """

    name: str
    write: Write
    outcome: Outcome
    scores: dict[str, float] | None
    says: str
    student: str


KINDS: list[Kind] = []


def kind(name: str, outcome: Outcome, says: str = "", *, student: str = "", scores: dict[str, float] | None = None):
    """Put a function into the catalogue."""

    def add(write: Write) -> Write:
        points = scores or (ALL if outcome is Outcome.PASSED else None)
        KINDS.append(Kind(name, write, outcome, points, says, student or f"s{len(KINDS):03}"))
        return write

    return add


def unreadable(name: str, says: str) -> Callable[[Write], Write]:
    return kind(name, Outcome.UNREADABLE, says)


def missing(name: str, says: str) -> Callable[[Write], Write]:
    return kind(name, Outcome.MISSING, says)


def harmless(name: str, says: str = "", student: str = "") -> Callable[[Write], Write]:
    return kind(name, Outcome.PASSED, says, student=student)


def costs_double(name: str, says: str = "") -> Callable[[Write], Write]:
    return kind(name, Outcome.PARTIAL, says, scores=NO_DOUBLE)


def costs_mean(name: str, says: str = "") -> Callable[[Write], Write]:
    return kind(name, Outcome.PARTIAL, says, scores=NO_MEAN)


# ------------------------------------------------------------------------------------------------------ building blocks


def honest() -> dict[str, Any]:
    """A right submission as plain JSON data."""
    return json.loads(json.dumps(solved(**RIGHT)))


GOOD = json.dumps(honest(), indent=1).encode()


def cell(nb: dict[str, Any], name: str) -> dict[str, Any]:
    return next(c for c in nb["cells"] if c.get("id") == name)


def put(folder: Path, notebook: Any) -> None:
    """Write a notebook: bytes as they are, anything else as JSON."""
    (folder / NOTEBOOK).write_bytes(notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode())


def answering(**answers: str) -> dict[str, Any]:
    return json.loads(json.dumps(solved(**{**RIGHT, **answers})))


def with_own(source: str, cell_type: str = "code") -> dict[str, Any]:
    """A right submission with a cell of the student's own."""
    nb = honest()
    nb["cells"].insert(1, {"cell_type": cell_type, "id": "mine", "metadata": {}, "source": source})
    return nb


def kept(name: str, change: Callable[[dict[str, Any]], None], says: str = "") -> None:
    """Right work, and something about it that decides nothing."""

    def write(folder: Path) -> None:
        nb = honest()
        change(nb)
        put(folder, nb)

    harmless(name, says)(write)


def everywhere(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(nb: dict[str, Any]) -> None:
        for c in nb["cells"]:
            c[key] = deepcopy(value)

    return change


def in_nbgrader(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(nb: dict[str, Any]) -> None:
        for c in nb["cells"]:
            if "nbgrader" in c["metadata"]:
                c["metadata"]["nbgrader"][key] = value

    return change


def top(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda nb: put_in(nb, key, value)


def put_in(target: dict[str, Any], key: str, value: Any) -> None:
    """Set a value, or leave it out when it is `GONE`."""
    target[key] = value
    if value is GONE:
        del target[key]


def handed_in(root: Path) -> Iterator[tuple[Kind, OSError | None]]:
    """Hand in every kind, and say which could not be made on this machine, and why."""
    for each in KINDS:
        folder = root / "submitted" / each.student / ASSIGNMENT
        folder.mkdir(parents=True)
        try:
            each.write(folder)
        except OSError as error:
            yield each, error
        else:
            yield each, None
