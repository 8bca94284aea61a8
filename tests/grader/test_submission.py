"""Whatever lies in submitted/, there is a sentence for it, and never an exception.

The whole catalogue of what may lie there is in tests/malformed.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from course_lib.grader.course import Course
from course_lib.grader.intake import foreign, submission
from course_lib.grader.intake.submission import look_at
from course_lib.grader.results import Outcome

from .conftest import ASSIGNMENT, RIGHT, ROOT, hand_in, make_course, solved

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
    "a zip": (lambda root: hand_in(root, "ada", b"PK\x03\x04\xff\xff"), Outcome.UNREADABLE, "is not text in UTF-8"),
    "damaged": (
        lambda root: hand_in(root, "ada", '{"cells": [1, 2]}'),
        Outcome.UNREADABLE,
        "cell number 1 is no cell.",
    ),
    "nested without end": (lambda root: hand_in(root, "ada", "[" * 100_000), Outcome.UNREADABLE, "nested too deeply."),
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
    monkeypatch.setattr(foreign, "MAX_NOTEBOOK_BYTES", 1000)
    trouble = look_at(Course.at(course), ASSIGNMENT, "ada")
    assert trouble is not None
    assert "Clear its outputs and try again." in trouble.message


def test_a_huge_folder_is_not_copied(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_in(course, "ada", GOOD)
    monkeypatch.setattr(submission, "MAX_FOLDER_BYTES", 1000)
    trouble = look_at(Course.at(course), ASSIGNMENT, "ada")
    assert trouble is not None
    assert "Remove what is not needed." in trouble.message


def test_a_folder_of_too_many_files_is_not_copied(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_in(course, "ada", GOOD).with_name("data.csv").touch()
    monkeypatch.setattr(submission, "MAX_FILES", 1)
    trouble = look_at(Course.at(course), ASSIGNMENT, "ada")
    assert trouble is not None
    assert trouble.message.endswith("holds more than 1 files and folders. Remove what is not needed.")


# Root may read everything, so another account asks: it takes over after all imports are done.
ASK_AS_NOBODY = """
import os, sys
from course_lib.grader.course import Course
from course_lib.grader.intake.submission import look_at
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
for student in sys.argv[3:]:
    print(look_at(Course.at(sys.argv[1]), sys.argv[2], student))
"""


def test_what_may_not_be_read_is_named_with_the_command_that_allows_it() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        root = make_course(Path(folder) / "course")
        hand_in(root, "fine", GOOD)
        hand_in(root, "notebook", GOOD).chmod(0)
        hand_in(root, "file", GOOD).with_name("data.csv").touch(mode=0)
        hand_in(root, "folder", GOOD).parent.chmod(0o600)
        (hand_in(root, "inside", GOOD).parent / "data").mkdir(mode=0)
        students = ("fine", "notebook", "file", "folder", "inside")
        command = [sys.executable, "-c", ASK_AS_NOBODY, str(root), ASSIGNMENT, *students]
        asked = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    fine, notebook, file, outer, inside = asked.stdout.splitlines()
    assert fine == "None"
    assert f"holds {ASSIGNMENT}.ipynb, which this account may not read. Try `chmod -R u+rX` on the folder." in notebook
    assert "holds data.csv, which this account may not read." in file
    for said in (outer, inside):
        assert "cannot be looked through (Permission denied). Try `chmod -R u+rX` on it." in said


@pytest.mark.parametrize("version", [3, 4])
def test_old_formats_are_no_trouble(course: Path, version: int) -> None:
    old = nbformat.convert(solved(**RIGHT), version)
    hand_in(course, "ada", nbformat.writes(old, version=version))
    assert look_at(Course.at(course), ASSIGNMENT, "ada") is None
