"""What must not reach students: lines of solutions, hidden tests, misconceptions and alternatives.

Lines are compared without white space, so that other indentation or line breaks hide nothing. A line counts only when
it is long enough to be somebody's own, and stands nowhere in what students are meant to read.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from course_lib.grader.course import Course
from course_lib.grader.intake.released import released_view
from course_lib.grader.notebooks import read

MIN_LENGTH = 8
"""Shorter lines (``return x``, ``return out``) are everybody's. Counted without white space."""

_REGIONS = {
    "solution": ("BEGIN SOLUTION", "END SOLUTION"),
    "hidden test": ("BEGIN HIDDEN TESTS", "END HIDDEN TESTS"),
    "marking scheme": ("BEGIN MARK SCHEME", "END MARK SCHEME"),
}


@dataclass(frozen=True)
class Secret:
    """One line that students must not see.

    Attributes:
        kind: such as ``"solution"``.
        origin: where it stands, such as ``"source/09_dropout, cell dropout"``.
        text: the line as written.
        bare: the line without white space, which is what is searched for.
    """

    kind: str
    origin: str
    text: str
    bare: str


def bare(text: str) -> str:
    """Text without white space."""
    return "".join(text.split())


def secrets_of(course: Course, assignment: str) -> list[Secret]:
    """The secrets of an assignment, each line once, markers of regions included."""
    shown = shown_text(course, assignment)
    found: dict[str, Secret] = {}
    for secret in [*_in_notebook(course, assignment), *_in_variants(course, assignment), *_markers()]:
        if len(secret.bare) >= MIN_LENGTH and secret.bare not in shown:
            found.setdefault(secret.bare, secret)
    return list(found.values())


def shown_text(course: Course, assignment: str) -> str:
    """All that students are meant to read in an assignment's cells, without white space."""
    view = released_view(read(course.source(assignment)))
    return "\n".join(bare(cell.source) for cell in view.cells)


def _in_notebook(course: Course, assignment: str) -> Iterator[Secret]:
    source = read(course.source(assignment))
    view = released_view(source)
    for cell, shown in zip(source.cells, view.cells, strict=True):
        origin = f"source/{assignment}, cell {cell.get('id', '?')}"
        marked = list(_region_lines(cell.source))
        if not marked and cell.source != shown.source:  # nbgrader took a whole cell for the solution
            marked = [("solution", line) for line in cell.source.splitlines()]
        for kind, line in marked:
            yield Secret(kind, origin, line.strip(), bare(line))


def _region_lines(source: str) -> Iterator[tuple[str, str]]:
    inside = None
    for line in source.splitlines():
        for kind, (begin, end) in _REGIONS.items():
            if begin in line:
                inside = kind
                break
            if end in line:
                inside = None
                break
        else:
            if inside:
                yield inside, line


def _in_variants(course: Course, assignment: str) -> Iterator[Secret]:
    for kind, path in (
        ("misconception", course.misconceptions(assignment)),
        ("alternative", course.alternatives(assignment)),
    ):
        if path.is_file():
            origin = f"{path.parent.name}/{path.name}"
            for line in _variant_lines(path):
                yield Secret(kind, origin, line.strip(), bare(line))


def _variant_lines(path: Path) -> Iterator[str]:
    """Every line of a file of variants, and every text in it as Python reads it (a hint may run over several lines)."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    lines = text.splitlines()
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):  # everybody imports torch
            lines[node.lineno - 1 : node.end_lineno] = [""] * len(lines[node.lineno - 1 : node.end_lineno])
    yield from lines
    for part in ast.walk(tree):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield from part.value.splitlines()


def _markers() -> Iterator[Secret]:
    for kind, markers in _REGIONS.items():
        for marker in markers:
            yield Secret(f"{kind} marker", "source", marker, bare(marker))
