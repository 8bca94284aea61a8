"""Searches ``release/`` for what students must not see: in every string of every notebook, and in every other file.

nbgrader copies each file of ``source/<assignment>/`` into ``release/`` and keeps a cell's metadata, attachments and
ids, so a release is searched as it lies there, not as it is meant to be.
"""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_lib.grader.course import Course
from course_lib.grader.releasing.confidential import Secret, bare, secrets_of, shown_text

_WELCOME = {"README.md", ".gitignore", ".gitkeep"}
"""Files that may lie in ``release/`` itself, beside the assignments' folders."""


@dataclass(frozen=True)
class Leak:
    """Something in ``release/`` that must not be there.

    Attributes:
        file: relative to the course's folder.
        where: the place in the file, such as ``"cell softmax, attachments"``; empty for a whole file.
        kind: ``"solution"``, ``"hidden test"``, ``"misconception"``, ``"output"``, ``"extra file"`` and so on.
        text: what was found.
        origin: where it comes from; empty when that says nothing.
    """

    file: str
    where: str
    kind: str
    text: str
    origin: str = ""

    def __str__(self) -> str:
        place = f"{self.file}, {self.where}" if self.where else self.file
        source = f" (from {self.origin})" if self.origin else ""
        return f"{place}: {self.kind}: {self.text[:100]}{source}"


def find_leaks(root: Path) -> list[Leak]:
    """Everything in ``release/`` that students must not see, in the order of files.

    Args:
        root: the course's folder.

    Raises:
        CourseError: when it is not a course folder.
    """
    course = Course.at(root)
    secrets = {name: secrets_of(course, name) for name in course.assignments}
    shown = {name: shown_text(course, name) for name in course.assignments}
    leaks = []
    for path in sorted(p for p in (course.root / "release").rglob("*") if not p.is_dir()):
        place = path.relative_to(course.root / "release")
        file = str(path.relative_to(course.root))
        assignment = place.parts[0]
        if not _belongs(place, set(course.assignments)):
            leaks.append(Leak(file, "", "extra file", "no assignment's notebook: students would get it"))
        # What an assignment shows its own readers is no secret in it, though another one hides the same line.
        own = shown.get(assignment, "")
        searched = [secret for name in secrets for secret in secrets[name] if secret.bare not in own]
        leaks += _in_file(path, file, searched)
    return leaks


def _belongs(place: Path, assignments: set[str]) -> bool:
    if len(place.parts) == 1:
        return place.name in _WELCOME
    return len(place.parts) == 2 and place.parts[0] in assignments and place.name == f"{place.parts[0]}.ipynb"


def _in_file(path: Path, file: str, secrets: list[Secret]) -> Iterator[Leak]:
    raw = path.read_bytes()
    try:
        nb = json.loads(raw) if path.suffix == ".ipynb" else None
    except ValueError:
        nb = None
    seen: set[Secret] = set()
    if isinstance(nb, dict):
        yield from _run_cells(nb, file)
        for where, text in _strings(nb):
            for secret in _found(text, secrets):
                seen.add(secret)
                yield Leak(file, where, secret.kind, secret.text, secret.origin)
    # Once more as plain bytes: what a JSON reader skips (a key that comes twice), and files of any other kind.
    for secret in _found(raw.decode("utf-8", "ignore").replace("\\n", "\n").replace('\\"', '"'), secrets):
        if secret not in seen:
            yield Leak(file, "the file's bytes", secret.kind, secret.text, secret.origin)


def _run_cells(nb: dict[str, Any], file: str) -> Iterator[Leak]:
    for number, cell in enumerate(nb.get("cells", [])):
        where = f"cell {cell.get('id', number)}"
        if cell.get("outputs"):
            yield Leak(file, where, "output", "the cell carries outputs of a run")
        if cell.get("execution_count") is not None:
            yield Leak(file, where, "output", f"the cell was run: execution count {cell['execution_count']}")


def _strings(nb: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every text in a notebook with its place: values, keys, sources joined from their lines, attachments decoded."""
    for number, cell in enumerate(nb.get("cells", [])):
        name = f"cell {cell.get('id', number)}" if isinstance(cell, dict) else f"cell {number}"
        parts = cell.items() if isinstance(cell, dict) else [("", cell)]
        for part, value in parts:
            for text in _texts(value):
                yield f"{name}, {part}", text
    for part, value in nb.items():
        if part != "cells":
            for text in _texts(value):
                yield f"notebook, {part}", text


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        yield from _decoded(value)
    elif isinstance(value, list):
        if value and all(isinstance(line, str) for line in value):
            yield from _texts("".join(value))
        for item in value:
            if not isinstance(item, str):
                yield from _texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)


def _decoded(text: str) -> Iterator[str]:
    """The bytes behind base64, as text: a picture may carry comments, a file any content."""
    packed = bare(text).removeprefix("data:").rpartition(",")[2]
    if len(packed) >= 16 and packed.isascii():
        try:
            yield base64.b64decode(packed, validate=True).decode("utf-8", "ignore")
        except binascii.Error:
            return


def _found(text: str, secrets: list[Secret]) -> Iterator[Secret]:
    stripped = bare(text)
    for secret in secrets:
        if secret.bare in stripped:
            yield secret
