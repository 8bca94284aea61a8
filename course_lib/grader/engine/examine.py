"""nbgrader's plug-in for the engine: runs the rebuilt notebook, tests on this side and student code in the sandbox."""

import atexit
import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Dict, Enum, Float, Integer

from course_lib.candidate.devices import without_devices
from course_lib.candidate.limits import Limits
from course_lib.checks.misconception import load_misconceptions
from course_lib.grader.engine.examiner import Paper, examine
from course_lib.grader.engine.launch import forget_launched, launched_ahead
from course_lib.grader.engine.processes import EngineError, Server, open_server
from course_lib.grader.engine.sandbox import SandboxMissing, find_sandbox, probe
from course_lib.grader.nbgrader_steps import coursedir_of

_FIELDS = {field.name for field in fields(Limits)}
_BY_EXERCISE = _FIELDS - {"submission_seconds"}

_servers: dict[tuple[str, str], Server] = {}
_papers: dict[str, Paper] = {}
_one_at_a_time = threading.Lock()


class Examine(NbGraderPreprocessor):  # type: ignore[misc]
    """nbgrader preprocessor: runs every code cell that matters and records what came of it, as stock ``Execute`` does.

    Called by ``nbgrader autograde`` at the start of its second pass, for the notebook that ``RebuildFromSource`` wrote.
    Invariant: points come from tests that ran in this process on plain data; student code ran in the sandbox only; and
    it returns normally whatever the student's code does.
    """

    sandbox = Enum(
        ["bubblewrap", "none"],
        "bubblewrap",
        help="'none' runs student code unprotected, with all your rights: for code that you trust.",
    ).tag(config=True)
    extras = Bool(
        False,
        help="Whether the source's pictures and experiments run too, though nothing that earns points needs them.",
    ).tag(config=True)

    cell_seconds = Float(Limits.cell_seconds, help="Seconds for one of the student's cells.").tag(config=True)
    case_seconds = Float(Limits.case_seconds, help="Seconds for one case of a test.").tag(config=True)
    submission_seconds = Float(Limits.submission_seconds, help="Seconds for a whole notebook.").tag(config=True)
    memory_mb = Integer(Limits.memory_mb, help="Megabytes of memory that a submission may use.").tag(config=True)
    processes = Integer(Limits.processes, help="Processes at a time, the notebook's own included.").tag(config=True)
    open_files = Integer(Limits.open_files, help="Files open at a time.").tag(config=True)
    file_mb = Integer(Limits.file_mb, help="Megabytes in one file that it writes.").tag(config=True)
    scratch_mb = Integer(Limits.scratch_mb, help="Megabytes in all files that it writes.").tag(config=True)
    output_chars = Integer(Limits.output_chars, help="Characters of output kept of a cell.").tag(config=True)
    by_assignment = Dict(
        help="Other limits for an assignment: {'09_dropout': {'submission_seconds': 300}}.",
    ).tag(config=True)
    by_exercise = Dict(
        help="Other limits for an exercise, which is called as its solution cell: {'mc_dropout': {'memory_mb': 2000}}; "
        "or, where two assignments share a name, {'09_dropout/mc_dropout': {...}}. Where memory, processes or files "
        "differ from the exercise before, its tests run in a process of their own.",
    ).tag(config=True)

    def get_ready(self) -> None:
        """Start the warm process. Called once in each process that is going to grade, before the first submission."""
        server_for(self.sandbox, coursedir_of(self).root)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Run the notebook; see the class.

        Raises:
            SandboxMissing: when this machine has no usable sandbox.
            EngineError: when the grader's own processes failed, twice.
            BrokenTest: when a test cell of the course fails by itself.
        """
        assignment = resources["nbgrader"]["assignment"]
        paper = self._paper(assignment)
        folder = Path(resources["metadata"]["path"])
        files = _files_in(folder, paper.limits("").scratch_mb * 10**6)
        with _one_at_a_time:
            try:
                examine(nb, paper, server_for(self.sandbox, coursedir_of(self).root), files=files)
            except EngineError as error:
                self.log.warning("%s; trying again with a new process", error)
                forget_servers()
                examine(nb, paper, server_for(self.sandbox, coursedir_of(self).root), files=files)
        return nb, resources

    def limits(self, assignment: str) -> Callable[[str], Limits]:
        """The limits in force for each exercise of an assignment.

        Raises:
            ValueError: for a limit that does not exist, or that an exercise cannot have of its own.
        """
        general = Limits(**{name: getattr(self, name) for name in _FIELDS})
        own = _known(self.by_assignment.get(assignment, {}), _FIELDS, f"by_assignment[{assignment!r}]")
        whole = replace(general, **own)
        exercises = {}
        for key, values in self.by_exercise.items():
            where, _, exercise = key.rpartition("/")
            if where in ("", assignment):
                exercises[exercise] = replace(whole, **_known(values, _BY_EXERCISE, f"by_exercise[{key!r}]"))
        return lambda exercise: exercises.get(exercise, whole)

    def _paper(self, assignment: str) -> Paper:
        """What is the same for every submission, kept for as long as its files stay as they are."""
        course = coursedir_of(self)
        source = Path(course.format_path(course.source_directory, ".", assignment), f"{assignment}.ipynb")
        known = Path(course.root, "misconceptions", f"{assignment}.py")
        digest = hashlib.sha256(source.read_bytes())
        digest.update(known.read_bytes() if known.is_file() else b"")
        key = f"{source}\n{digest.hexdigest()}"
        if key not in _papers:
            _papers.clear()  # one assignment is graded at a time; an old one's results would only fill the memory
            _papers[key] = Paper(load_misconceptions(known) if known.is_file() else ())
        paper = _papers[key]
        paper.limits, paper.extras = self.limits(assignment), self.extras
        return paper


def server_for(sandbox: str, root: str, *, patient: bool = True) -> Server:
    """This process's server for student code: started at the first call, used from then on.

    One that has ended in the meantime (:data:`course_lib.candidate.server.IDLE_SECONDS`) is replaced.

    Args:
        sandbox: ``"bubblewrap"`` or ``"none"``.
        root: the course's folder, nothing of which student code may see.
        patient: whether many submissions are to come; only the first call decides.

    Raises:
        SandboxMissing: when there is no usable sandbox.
    """
    if (sandbox, root) in _servers and _servers[sandbox, root].ended:
        _servers.pop((sandbox, root)).close()
    if (sandbox, root) not in _servers:
        box = find_sandbox(hidden=[Path(root)]) if sandbox != "none" else None
        launched = launched_ahead(sandbox, root)
        without_devices()  # the reference and the misconceptions are seeded here
        if box is not None and launched is None:
            probe(box)  # it may be installed and still not work
        _servers[sandbox, root] = open_server(box, patient=patient, launched=launched)
    return _servers[sandbox, root]


def forget_servers() -> None:
    """End this process's servers, and those that were started for nothing."""
    forget_launched()
    while _servers:
        _servers.popitem()[1].close()


atexit.register(forget_servers)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_servers.clear)  # they are the parent's


def _known(values: dict[str, Any], allowed: set[str], where: str) -> dict[str, Any]:
    unknown = set(values) - allowed
    if unknown:
        raise ValueError(
            f"nbgrader_config.py, c.Examine.{where}: {', '.join(sorted(unknown))} cannot be set there; "
            f"what can be is {', '.join(sorted(allowed))}."
        )
    return values


def _files_in(folder: Path, most_bytes: int) -> dict[str, bytes]:
    """What lies beside the notebook, for the candidate's scratch folder: regular files, as far as they fit into it."""
    found: dict[str, bytes] = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not Path(parent, name).is_symlink())
        for name in sorted(names):
            path = Path(parent, name)
            if path.suffix == ".ipynb" or path.is_symlink() or not path.is_file():
                continue
            most_bytes -= path.stat().st_size
            if most_bytes < 0:
                return found
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


__all__ = ["Examine", "SandboxMissing", "forget_servers", "server_for"]
