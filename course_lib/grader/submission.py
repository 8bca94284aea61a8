"""Looks at what was handed in before anything is done with it: is there a notebook, and is it one?

nbgrader drops a student whose file it cannot read, and says so in a log. Here each kind of trouble has a sentence.
"""

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from course_lib.grader.course import Course
from course_lib.grader.notebooks import read_foreign
from course_lib.grader.results import Outcome

MAX_NOTEBOOK_BYTES = 50_000_000
"""A notebook above this size is not read: pictures pasted by the dozen stay far below it."""
MAX_FOLDER_BYTES = 500_000_000
"""A submission's folder above this size is not copied."""


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
    notebook = folder / f"{assignment}.ipynb"
    where = folder.relative_to(course.root)
    if folder.is_symlink() or folder.parent.is_symlink():
        return Trouble(Outcome.UNREADABLE, f"{where} is a link to another folder. Put the files themselves there.")
    if not folder.is_dir():
        return Trouble(Outcome.MISSING, f"{where} does not exist: nothing was handed in.")
    trouble = _odd_files(folder, where)
    if trouble is None and not notebook.exists():
        return Trouble(Outcome.MISSING, _about_missing(folder, where, assignment))
    if trouble is None:
        said = _about_notebook(notebook)
        trouble = f"{notebook.relative_to(course.root)} {said}" if said else None
    return Trouble(Outcome.UNREADABLE, trouble) if trouble else None


def _odd_files(folder: Path, where: Path) -> str | None:
    """What must not be copied, as nbgrader copies every file: a link would copy any file here, a pipe would wait."""
    total = 0
    for parent, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = Path(parent, name)
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                return f"{where} holds a link, {path.relative_to(folder)}. Put the file itself there, or remove it."
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                return f"{where} holds {path.relative_to(folder)}, which is neither file nor folder. Remove it."
            total += path.lstat().st_size
    if total > MAX_FOLDER_BYTES:
        return f"{where} holds {total / 1e6:.0f} MB, more than {MAX_FOLDER_BYTES / 1e6:.0f}. Remove what is not needed."
    return None


def _about_missing(folder: Path, where: Path, assignment: str) -> str:
    others = sorted(path.name for path in folder.glob("*.ipynb"))
    if others:
        return f"{where} has no {assignment}.ipynb, but {', '.join(others[:3])}. If that is the one, rename it."
    return f"{where} has no {assignment}.ipynb."


def _about_notebook(path: Path) -> str | None:
    if path.is_dir():
        return "is a folder, not a notebook. Look inside it, or ask the student to hand in again."
    size = path.stat().st_size
    if size == 0:
        return "is empty (0 bytes)."
    if size > MAX_NOTEBOOK_BYTES:
        return f"has {size / 1e6:.0f} MB, more than {MAX_NOTEBOOK_BYTES / 1e6:.0f}. Clear its outputs and try again."
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        return f"is not text in UTF-8 (byte {error.start}). Is it another kind of file with a new name?"
    except json.JSONDecodeError as error:
        cut = " The file seems to be cut off." if error.pos >= size - 2 or "Unterminated" in error.msg else ""
        return f"is not a notebook: the JSON breaks at line {error.lineno}.{cut}"
    except (RecursionError, ValueError, OSError) as error:
        return f"cannot be read ({type(error).__name__})."
    if not isinstance(data, dict) or not ("cells" in data or "worksheets" in data):
        return "is JSON, but not a notebook: it has no cells."
    try:
        read_foreign(path)
    except Exception as error:  # nbformat raises whatever the broken part makes it stumble over
        return f"is damaged: nbformat cannot read it ({type(error).__name__}: {str(error)[:100]}). Open and mend it."
    return None
