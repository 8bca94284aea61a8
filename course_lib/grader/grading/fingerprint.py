"""What a grading depended on, as one short text: where it is the same again, grading again would give the same.

The notebook and the files that were handed in, the source and its files, the misconceptions, the configuration of what
grades, and this package's version.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from traitlets.config.loader import LazyConfigValue
from traitlets.utils.importstring import import_item

from course_lib import __version__
from course_lib.grader.course import Course
from course_lib.grader.grading.files import companions
from course_lib.grader.grading.passes import Passes

_ALWAYS = ("ClearSolutions", "ClearHiddenTests", "CourseDirectory")
"""Sections of the configuration that matter to grading whatever is listed there."""


class Fingerprints:
    """The fingerprints of an assignment's submissions.

    What they have in common is read once. Where it changes afterwards, the fingerprints are those of the past, and a
    submission that was graded meanwhile is graded again: the safe side.
    """

    def __init__(self, course: Course, assignment: str, passes: Passes) -> None:
        self._course = course
        self._assignment = assignment
        self._ignore = tuple(passes.directory.ignore)
        self._common = hashlib.sha256(f"{__version__}\0{_configuration(passes)}\0".encode())
        source = course.source(assignment)
        _add(self._common, source.parent, [Path(source.name), *companions(source.parent, self._ignore)])
        known = course.misconceptions(assignment)
        _add(self._common, known.parent, [Path(known.name)] if known.is_file() else [])

    def of(self, student: str) -> str:
        """The fingerprint of one submission, whose files must be there."""
        folder = self._course.submission(self._assignment, student)
        digest = self._common.copy()
        _add(digest, folder, [Path(f"{self._assignment}.ipynb"), *companions(folder, self._ignore)])
        return digest.hexdigest()


def _add(digest: Any, folder: Path, names: list[Path]) -> None:
    digest.update(f"{len(names)}\0".encode())
    for name in names:
        with open(folder / name, "rb") as file:
            content = hashlib.file_digest(file, "sha256").digest()
        digest.update(str(name).encode("utf-8", "surrogateescape") + b"\0" + content)


def _configuration(passes: Passes) -> str:
    converter = passes.converter
    listed = [*converter.sanitize_preprocessors, *converter.autograde_preprocessors]
    classes = [type(converter), *(import_item(item) if isinstance(item, str) else item for item in listed)]
    names = {*_ALWAYS, *(name for kind in classes for name in _sections(kind))}
    # dict.keys: a Config answers to the name of any class.
    sections = {name: passes.config[name] for name in sorted(names & dict(passes.config).keys())}
    return json.dumps([[_name(kind) for kind in classes], sections], sort_keys=True, default=_plain)


def _sections(kind: Any) -> Iterator[str]:
    """The names under which a class is configured: its own and its parents', and those of what it starts."""
    kind = kind if isinstance(kind, type) else type(kind)
    yield from (base.__name__ for base in kind.__mro__)
    for trait in getattr(kind, "class_traits", dict)().values():
        plugin = trait.default_value
        if trait.metadata.get("config") and isinstance(plugin, type):
            yield from (base.__name__ for base in plugin.__mro__)


def _plain(value: Any) -> Any:
    return value.to_dict() if isinstance(value, LazyConfigValue) else _name(value)


def _name(thing: Any) -> str:
    """A name that is the same in every process, where a representation may hold an address."""
    kind = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{kind.__module__}.{kind.__qualname__}"
