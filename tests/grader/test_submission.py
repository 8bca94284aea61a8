"""Whatever lies in submitted/, there is a sentence for it, and never an exception."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from course_lib.grader import submission
from course_lib.grader.course import Course
from course_lib.grader.results import Outcome
from course_lib.grader.submission import look_at

from .conftest import ASSIGNMENT, RIGHT, hand_in, solved

FILE = f"submitted/ada/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"
GOOD = json.dumps(solved(**RIGHT))

Make = Callable[[Path], object]


def in_folder(name: str, text: str = "x") -> Make:
    def make(root: Path) -> None:
        folder = root / "submitted" / "ada" / ASSIGNMENT
        folder.mkdir(parents=True)
        (folder / name).write_text(text)

    return make


def link(target: str) -> Make:
    def make(root: Path) -> None:
        hand_in(root, "ada", GOOD)
        (root / "submitted" / "ada" / ASSIGNMENT / "data.csv").symlink_to(target)

    return make


def linked_notebook(root: Path) -> None:
    hand_in(root, "bob", GOOD)
    in_folder("x.txt")(root)
    (root / FILE).symlink_to(root / FILE.replace("ada", "bob"))


def linked_folder(root: Path) -> None:
    hand_in(root, "bob", GOOD)
    (root / "submitted" / "ada").symlink_to(root / "submitted" / "bob")


def pipe(root: Path) -> None:
    hand_in(root, "ada", GOOD)
    os.mkfifo(root / "submitted" / "ada" / ASSIGNMENT / "data.csv")


def notebook_is_a_folder(root: Path) -> None:
    (root / FILE).mkdir(parents=True)


BROKEN: dict[str, tuple[Make, Outcome, str]] = {
    "nothing": (lambda root: None, Outcome.MISSING, "does not exist: nothing was handed in."),
    "no notebook": (in_folder("notes.txt"), Outcome.MISSING, f"has no {ASSIGNMENT}.ipynb."),
    "another name": (
        in_folder("numbers (1).ipynb"),
        Outcome.MISSING,
        f"has no {ASSIGNMENT}.ipynb, but numbers (1).ipynb. If that is the one, rename it.",
    ),
    "empty": (lambda root: hand_in(root, "ada", b""), Outcome.UNREADABLE, "is empty (0 bytes)."),
    "cut off": (
        lambda root: hand_in(root, "ada", GOOD[: len(GOOD) // 2]),
        Outcome.UNREADABLE,
        "the JSON breaks at line 1. The file seems to be cut off.",
    ),
    "a program": (lambda root: hand_in(root, "ada", "def double(x): ..."), Outcome.UNREADABLE, "is not a notebook"),
    "other JSON": (lambda root: hand_in(root, "ada", "[1, 2]"), Outcome.UNREADABLE, "it has no cells"),
    "JSON without cells": (lambda root: hand_in(root, "ada", '{"a": 1}'), Outcome.UNREADABLE, "it has no cells"),
    "not UTF-8": (
        lambda root: hand_in(root, "ada", b"\xff\xfe\x00a"),
        Outcome.UNREADABLE,
        "not text in UTF-8 (byte 0)",
    ),
    "a zip": (lambda root: hand_in(root, "ada", b"PK\x03\x04\xff\xff"), Outcome.UNREADABLE, "is not text in UTF-8"),
    "cells of no kind": (
        lambda root: hand_in(root, "ada", '{"cells": [1, 2], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'),
        Outcome.UNREADABLE,
        "is damaged: nbformat cannot read it",
    ),
    "cells that are no list": (
        lambda root: hand_in(root, "ada", '{"cells": 5, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'),
        Outcome.UNREADABLE,
        "is damaged",
    ),
    "a format of the future": (
        lambda root: hand_in(root, "ada", '{"cells": [], "metadata": {}, "nbformat": 99, "nbformat_minor": 5}'),
        Outcome.UNREADABLE,
        "is damaged",
    ),
    "nested without end": (lambda root: hand_in(root, "ada", "[" * 100_000), Outcome.UNREADABLE, "cannot be read"),
    "a folder": (notebook_is_a_folder, Outcome.UNREADABLE, "is a folder, not a notebook."),
    "a link out": (link("/etc/hostname"), Outcome.UNREADABLE, "holds a link, data.csv."),
    "a link to the gradebook": (link("../../../gradebook.db"), Outcome.UNREADABLE, "holds a link, data.csv."),
    "a linked notebook": (linked_notebook, Outcome.UNREADABLE, f"holds a link, {ASSIGNMENT}.ipynb."),
    "a linked folder": (linked_folder, Outcome.UNREADABLE, "is a link to another folder."),
    "a pipe": (pipe, Outcome.UNREADABLE, "which is neither file nor folder. Remove it."),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_each_kind_of_trouble_has_its_sentence(course: Path, kind: str) -> None:
    make, outcome, words = BROKEN[kind]
    make(course)
    trouble = look_at(Course.at(course), ASSIGNMENT, "ada")
    assert trouble is not None
    assert trouble.outcome is outcome
    assert words in trouble.message
    assert trouble.message.startswith("submitted/ada")


def test_a_huge_notebook_is_not_read(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_in(course, "ada", GOOD)
    monkeypatch.setattr(submission, "MAX_NOTEBOOK_BYTES", 1000)
    trouble = look_at(Course.at(course), ASSIGNMENT, "ada")
    assert trouble is not None
    assert "Clear its outputs and try again." in trouble.message


def test_a_huge_folder_is_not_copied(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_in(course, "ada", GOOD)
    monkeypatch.setattr(submission, "MAX_FOLDER_BYTES", 1000)
    trouble = look_at(Course.at(course), ASSIGNMENT, "ada")
    assert trouble is not None
    assert "Remove what is not needed." in trouble.message


@pytest.mark.parametrize("version", [3, 4])
def test_old_formats_are_no_trouble(course: Path, version: int) -> None:
    old = nbformat.convert(solved(**RIGHT), version)
    hand_in(course, "ada", nbformat.writes(old, version=version))
    assert look_at(Course.at(course), ASSIGNMENT, "ada") is None
