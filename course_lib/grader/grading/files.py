"""The files of a submission beside its notebook: which they are, and putting them where the notebook runs and lies.

As nbgrader does it: every file that is not ignored and is no notebook, and the course's own files over the student's.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path


def companions(folder: Path, ignore: Sequence[str]) -> list[Path]:
    """The files of a folder beside its notebooks, relative to it, in order.

    nbgrader asks the same with patterns made of the folder's own path, so that a student called ``[a]`` has no folder.

    Args:
        folder: a submission, or an assignment's folder in ``source/``; it need not exist.
        ignore: nbgrader's ``CourseDirectory.ignore``, patterns of names.
    """
    return sorted(_walk(folder, Path(), [*ignore, "*.ipynb"]))


def _walk(folder: Path, below: Path, ignore: Sequence[str]) -> Iterator[Path]:
    try:
        entries = list(os.scandir(folder / below))
    except FileNotFoundError:
        return
    for entry in entries:
        if any(fnmatch(entry.name, pattern) for pattern in ignore):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder, below / entry.name, ignore)
        else:
            yield below / entry.name


def put_together(target: Path, submission: Path, source: Path, ignore: Sequence[str], keep: Iterable[str] = ()) -> None:
    """Copy a submission's files into a folder, and the assignment's own over them.

    Args:
        target: the folder; it must exist.
        submission: what was handed in.
        source: the assignment's folder in ``source/``.
        ignore: nbgrader's ``CourseDirectory.ignore``.
        keep: nbgrader's ``Autograde.exclude_overwriting``: files of the course's that leave the student's in place.
    """
    kept = {os.path.normpath(name) for name in keep}
    for folder, names in (
        (submission, companions(submission, ignore)),
        (source, [name for name in companions(source, ignore) if str(name) not in kept]),
    ):
        for name in names:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).unlink(missing_ok=True)
            shutil.copy(folder / name, target / name)
