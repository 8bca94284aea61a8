"""Looks at what was handed in before anything is done with it: is there a notebook, and is it one?

nbgrader drops a student whose file it cannot read, and says so in a log. Here each kind of trouble has a sentence.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from course_lib.grader.course import Course
from course_lib.grader.intake.foreign import NotANotebook, read_foreign
from course_lib.grader.results import Outcome

MAX_FOLDER_BYTES = 500_000_000
"""A submission's folder above this size is not copied."""
MAX_FILES = 2_000
"""Nor one with more files and folders: that is an environment or a repository, and nbgrader would copy each file."""
MAX_DEPTH = 30
"""Nor one with folders nested more deeply."""


@dataclass(frozen=True)
class Trouble:
    """Why a submission cannot be graded.

    Attributes:
        outcome: ``MISSING`` or ``UNREADABLE``.
        message: what is wrong with which file, and what to do.
    """

    outcome: Outcome
    message: str


def look_at(course: Course, assignment: str, student: str) -> Trouble | None:
    """What keeps a submission from being graded; None when nothing does. Never raises for what a student handed in."""
    folder = course.submission(assignment, student)
    where = readable(folder.relative_to(course.root))
    if not can_be_an_id(student):
        place = readable(folder.parent.relative_to(course.root))
        why = ", for it begins or ends with a space" if student.isprintable() else ""
        return Trouble(Outcome.UNREADABLE, f"{place} has a name that cannot be a student's id{why}. Rename the folder.")
    try:
        if folder.is_symlink() or folder.parent.is_symlink():
            return Trouble(Outcome.UNREADABLE, f"{where} is a link to another folder. Put the files themselves there.")
        if not folder.exists():
            return Trouble(Outcome.MISSING, f"{where} does not exist: nothing was handed in.")
        if not folder.is_dir():
            return Trouble(Outcome.UNREADABLE, f"{where} is a file. Make a folder of that name and put the file in it.")
        files: list[str] = []
        odd = _odd_files(folder, files)
        if odd:
            return Trouble(Outcome.UNREADABLE, f"{where} {odd}")
        return _at_notebook(folder, f"{assignment}.ipynb", where, files)
    except OSError as error:
        why = error.strerror or type(error).__name__
        return Trouble(Outcome.UNREADABLE, f"{where} cannot be looked through ({why}). Try `chmod -R u+rX` on it.")


def _at_notebook(folder: Path, name: str, where: str, files: list[str]) -> Trouble | None:
    notebook = folder / name
    if not notebook.exists():
        return Trouble(Outcome.MISSING, f"{where} has no {name}{_instead(files)}")
    try:
        if notebook.is_dir():
            raise NotANotebook("is a folder, not a notebook. Look inside it, or ask the student to hand in again.")
        read_foreign(notebook)
    except NotANotebook as said:
        return Trouble(Outcome.UNREADABLE, f"{where}/{name} {said}")
    return None


def can_be_an_id(student: str) -> bool:
    """Whether a folder's name can be a student's id: a gradebook is asked for no other, and holds no other.

    A name that is not UTF-8 cannot be written into it. From one with spaces at its ends nbgrader takes them off, and
    then looks for somebody else.
    """
    return student.isprintable() and student == student.strip()


def readable(name: Path | str) -> str:
    r"""A file's name fit for a terminal, a page and a JSON file, whatever bytes it has on the disk.

    >>> print(readable("two\nlines\udcff.txt"))
    two\nlines\udcff.txt
    """
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(name))
    return shown if len(shown) <= 200 else f"{shown[:100]}…{shown[-90:]}"


def _odd_files(folder: Path, files: list[str]) -> str | None:
    """What must not be copied, as nbgrader copies every file: a link would copy any file here, a pipe would wait.

    Fills ``files`` with the ordinary ones, relative to the folder.
    """
    total = 0
    for number, (entry, depth) in enumerate(_everything(folder), 1):
        relative = os.path.relpath(entry.path, folder)
        name, status = readable(relative), entry.stat(follow_symlinks=False)
        if number > MAX_FILES:
            return f"holds more than {MAX_FILES} files and folders. Remove what is not needed."
        if depth > MAX_DEPTH:
            return f"holds folders in folders, more than {MAX_DEPTH} deep. Remove what is not needed."
        if stat.S_ISLNK(status.st_mode):
            return f"holds a link, {name}. Put the file itself there, or remove it."
        if stat.S_ISREG(status.st_mode):
            if not os.access(entry.path, os.R_OK):
                return f"holds {name}, which this account may not read. Try `chmod -R u+rX` on the folder."
            files.append(relative)
        elif not stat.S_ISDIR(status.st_mode):
            return f"holds {name}, which is neither file nor folder. Remove it."
        total += status.st_size
    if total > MAX_FOLDER_BYTES:
        return f"holds {total / 1e6:.0f} MB, more than {MAX_FOLDER_BYTES / 1e6:.0f}. Remove what is not needed."
    return None


def _everything(folder: Path) -> Iterator[tuple[os.DirEntry[str], int]]:
    """All that lies below a folder, with its depth. Not os.walk, which has too little stack for very deep folders."""
    waiting = [(str(folder), 0)]
    while waiting:
        parent, depth = waiting.pop()
        with os.scandir(parent) as entries:
            some = sorted(islice(entries, MAX_FILES + 1), key=lambda entry: entry.name)
        for entry in some:
            yield entry, depth
            if entry.is_dir(follow_symlinks=False):
                waiting.append((entry.path, depth + 1))


def _instead(files: list[str]) -> str:
    """How a sentence about a missing notebook goes on: with those that are there, if any."""
    others = sorted(name for name in files if name.lower().rstrip().endswith(".ipynb") and "_checkpoints" not in name)
    return f", but {', '.join(map(readable, others[:3]))}. If that is the one, rename it." if others else "."
