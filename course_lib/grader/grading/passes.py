"""nbgrader's two passes of autograding over a notebook in memory: its preprocessors, without its files and gradebook.

What ``nbgrader_config.py`` lists is run in its order and with nbgrader's own exporter, so an instructor's preprocessor
works here as under ``nbgrader autograde``. Only those that write the gradebook are left out: a writer runs them later.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import nbformat
from nbconvert.exporters import NotebookExporter
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.converters import Autograde
from nbgrader.preprocessors import AssignLatePenalties, CheckCellMetadata, NbGraderPreprocessor, SaveAutoGrades
from traitlets.utils.importstring import import_item

from course_lib.grader.nbgrader_steps import calm, course_directory, load_config

Setting = tuple[str, str, Any]
"""A class, a trait, a value: what the command line sets otherwise than ``nbgrader_config.py`` does."""

_SAVERS = (SaveAutoGrades, AssignLatePenalties)


@dataclass(frozen=True)
class Passed:
    """What came out of both passes.

    Attributes:
        nb: the graded notebook.
        extra: files that preprocessors made to lie beside it: relative path -> content.
    """

    nb: NotebookNode
    extra: dict[str, bytes] = field(default_factory=dict)


class Passes:
    """The passes of one course, as its ``nbgrader_config.py`` has them; made once in a process.

    Args:
        root: the course's folder.
        settings: what is to be otherwise than in the file.
    """

    def __init__(self, root: Path, settings: Sequence[Setting] = ()) -> None:
        self.config = load_config(root)
        for kind, trait, value in settings:
            self.config[kind][trait] = value
        self.directory = course_directory(root, self.config)
        self.converter = Autograde(coursedir=self.directory, config=self.config)

    def run(self, nb: NotebookNode, student: str, assignment: str, before: Path, folder: Path) -> Passed:
        """Rebuild, run and score a notebook.

        Args:
            nb: what was handed in.
            student: the student's id.
            assignment: the assignment's name, which is the notebook's too.
            before: the folder of what was handed in.
            folder: where the notebook runs: the handed-in files beside it, and the course's.
        """
        self.directory.student_id, self.directory.assignment_id = student, assignment
        extra: dict[str, bytes] = {}
        with calm(), chdir(self.directory.root):
            nb = self._pass(nb, self.converter.sanitize_preprocessors, student, assignment, before, extra)
            with _said("autograde"):
                nb = self._pass(nb, self.converter.autograde_preprocessors, student, assignment, folder, extra)
        nbformat.validate(nb, relax_add_props=True)
        return Passed(nb, extra)

    def hook(self, when: str, student: str, assignment: str, notebook: Path) -> None:
        """Call the instructor's ``Autograde.pre_convert_hook`` or ``post_convert_hook``, if there is one.

        As under nbgrader, one that fails changes nothing.

        Args:
            when: ``"pre"`` or ``"post"``.
            student: the student's id.
            assignment: the assignment's name.
            notebook: what was handed in.
        """
        self.directory.student_id, self.directory.assignment_id = student, assignment
        self.converter.notebooks = [str(notebook)]
        with calm(), chdir(self.directory.root):
            getattr(self.converter, f"run_{when}_convert_hook")()

    def savers(self) -> list[NbGraderPreprocessor]:
        """The preprocessors that write the gradebook, in the list's order, and enabled or not as configured."""
        return self._made(_is_saver)

    def steps(self) -> list[NbGraderPreprocessor]:
        """The other preprocessors that are classes, for who wants to prepare them."""
        return self._made(lambda item: isinstance(_resolve(item), type) and not _is_saver(item))

    def _made(self, wanted: Callable[[Any], bool]) -> list[NbGraderPreprocessor]:
        exporter = self._exporter()
        listed = [*self.converter.sanitize_preprocessors, *self.converter.autograde_preprocessors]
        return [_resolve(item)(parent=exporter) for item in listed if wanted(item)]

    def resources(self, student: str, assignment: str, folder: Path) -> ResourcesDict:
        """What nbgrader tells its preprocessors about a notebook."""
        # nbconvert's form of a date, which a template may show.
        today = f"{datetime.now(UTC):%B %d, %Y}".replace(" 0", " ")
        return ResourcesDict(
            unique_key=assignment,
            output_files_dir=f"{assignment}_files",
            output_extension=".ipynb",
            metadata=ResourcesDict(name=assignment, path=str(folder), modified_date=today),
            nbgrader={
                "student": student,
                "assignment": assignment,
                "notebook": assignment,
                "db_url": self.directory.db_url,
            },
        )

    def _pass(
        self,
        nb: NotebookNode,
        listed: Sequence[Any],
        student: str,
        assignment: str,
        folder: Path,
        extra: dict[str, bytes],
    ) -> NotebookNode:
        # New instances for each notebook, as nbgrader makes them: nothing of one student's stays for the next.
        exporter = self._exporter()
        for item in listed:
            if not _is_saver(item):
                exporter.register_preprocessor(_CheckOnce if _resolve(item) is CheckCellMetadata else item)
        resources = self.resources(student, assignment, folder)
        # Its own way of running them copies the notebook twice beforehand, to spare one that is nobody's but ours.
        for preprocessor in exporter._preprocessors:
            nb, resources = preprocessor(nb, resources)
        for made in (resources.get("outputs"), resources.get("attachments")):
            extra.update(made or {})
        return nb

    def _exporter(self) -> Any:
        return NotebookExporter(parent=self.converter, config=self.converter.config)  # type: ignore[no-untyped-call]


class _CheckOnce(CheckCellMetadata):  # type: ignore[misc]
    """nbgrader's check of the cells' metadata, not done again for metadata that passed it.

    They are the source's, the same in every submission, and checking them takes longer than all else in both passes.
    """

    _passed: ClassVar[set[str]] = set()

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Called once for each notebook, by nbgrader's exporter."""
        looked_at = [(c.cell_type, c.metadata["nbgrader"]) for c in nb.cells if "nbgrader" in c.metadata]
        key = json.dumps(looked_at, sort_keys=True)
        if key not in self._passed:
            super().preprocess(nb, resources)
            self._passed.add(key)
        return nb, resources


def _resolve(item: Any) -> Any:
    return import_item(item) if isinstance(item, str) else item


def _is_saver(item: Any) -> bool:
    found = _resolve(item)
    return issubclass(found, _SAVERS) if isinstance(found, type) else isinstance(found, _SAVERS)


@contextmanager
def _said(what: str) -> Iterator[None]:
    """As nbgrader does, tell the code that runs who runs it."""
    before = os.environ.get("NBGRADER_EXECUTION")
    os.environ["NBGRADER_EXECUTION"] = what
    try:
        yield
    finally:
        if before is None:
            del os.environ["NBGRADER_EXECUTION"]
        else:
            os.environ["NBGRADER_EXECUTION"] = before
