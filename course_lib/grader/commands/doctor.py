"""What this machine has and lacks for grading, each with the line that mends it: ``course doctor``.

Works where next to nothing is installed: packages are looked up without importing them.
"""

import os
import platform
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path

from course_lib.candidate.limits import Limits
from course_lib.grader.course import Course, CourseError
from course_lib.grader.engine.sandbox import SandboxMissing, find_sandbox, probe

_DISTRIBUTION = "neural-training-course"
_NEEDED_PACKAGES = ("torch", "torchmetrics", "matplotlib", "ipython", "nbgrader")
_PROCESS_MB = 640
"""Memory of a grading process without a candidate's own: 300 MB with nbgrader, 340 MB warm with torch, as measured."""
_DISK_MB = 500
_BROWSERS = ("chromium", "chromium-browser")


class State(StrEnum):
    """What a finding means for grading."""

    OK = "ok"
    OPTIONAL = "optional"  # not here, and grading does without
    MISSING = "missing"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: what was looked at, in a word or two.
        state: what it means for grading.
        found: what was found.
        remedy: what to do about it; empty when there is nothing to do.
    """

    subject: str
    state: State
    found: str
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        """For ``--json``."""
        return {"subject": self.subject, "state": self.state.value, "found": self.found, "remedy": self.remedy}


def examine(root: Path) -> list[Finding]:
    """Look at the machine, and at the course in a folder if there is one."""
    course, no_course = _course(root)
    findings = [_system(), _python(), *map(_package, _NEEDED_PACKAGES), _jupyterlab()]
    findings += [_processes(), _disk(root), _sandbox(course), _browser(), no_course or _assignments(course)]
    if course is not None:
        findings += [_gradebook(course), *_folders(course)]
    return findings


def is_ready(findings: Sequence[Finding]) -> bool:
    """Whether grading can run."""
    return not any(finding.state is State.MISSING for finding in findings)


def as_text(findings: Sequence[Finding]) -> Iterator[str]:
    """The lines that a person reads: a remedy below its finding, and what it all comes to at the end."""
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        yield f"{finding.state.value:<8}  {finding.subject:<{width}}  {finding.found}"
        if finding.remedy:
            yield f"{'':<8}  {'':<{width}}  → {finding.remedy}"
    missing = [finding.subject for finding in findings if finding.state is State.MISSING]
    yield f"Grading cannot run yet; missing: {', '.join(missing)}." if missing else "Grading can run here."


# ---------------------------------------------------------------------------------------------------------- the machine


def _system() -> Finding:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        name = f"{platform.system()} {platform.release()}"
    return Finding("system", State.OK, f"{name}, {platform.machine()}")


def _python() -> Finding:
    found = f"{platform.python_version()} in {sys.prefix}"
    wanted = _metadata("Requires-Python")  # >=3.11,<3.13, in the order that the build tool likes
    bounds = {sign: tuple(map(int, version.split("."))) for sign, version in re.findall(r"(>=|<)([\d.]+)", wanted)}
    here = sys.version_info[:2]
    if bounds.get(">=", here) <= here and ("<" not in bounds or here < bounds["<"]):
        return Finding("Python", State.OK, found)
    remedy = f"use a Python {wanted}, for instance: conda env create -f environment.yml"
    return Finding("Python", State.MISSING, found, remedy)


def _package(name: str) -> Finding:
    wanted = next((text for text in _requirements() if re.match(rf"{name}\b", text)), name)
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding(name, State.MISSING, "not installed", f'pip install "{wanted}"')
    exact = wanted.partition("==")[2]
    if exact and version.partition("+")[0] != exact:
        return Finding(name, State.MISSING, f"{version}, and the course needs {exact}", f'pip install "{wanted}"')
    return Finding(name, State.OK, f"{version}{_torch_build() if name == 'torch' else ''}")


def _torch_build() -> str:
    """For which hardware torch was built, read from its own note about that."""
    for file in metadata.files("torch") or []:
        if file.as_posix() == "torch/version.py":
            match = re.search(r"^cuda\b.*= '(.+)'", Path(file.locate()).read_text("utf-8"), re.MULTILINE)
            return f", built for CUDA {match[1]}; grading uses the processor alone" if match else ", built for CPUs"
    return ""


def _jupyterlab() -> Finding:
    try:
        return Finding("JupyterLab", State.OK, metadata.version("jupyterlab"))
    except metadata.PackageNotFoundError:
        remedy = 'for students and for Formgrader: pip install "jupyterlab>=4.4,<5"'
        return Finding("JupyterLab", State.OPTIONAL, "not installed; grading does without", remedy)


def _processes() -> Finding:
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    memory = _available_mb()
    each = _PROCESS_MB + Limits().memory_mb
    cores_text = f"{cores} processor core{'s' if cores > 1 else ''}"
    if memory is None:
        return Finding("processes", State.OK, f"{cores_text}: grade with --jobs {cores}")
    jobs = min(cores, memory // each)
    found = f"{cores_text}, {memory / 1000:.1f} GB of memory free, at most {each / 1000:.1f} GB for a grading process"
    if jobs < 1:
        remedy = "close other programs, or lower the limit of memory in nbgrader_config.py"
        return Finding("processes", State.MISSING, found, remedy)
    return Finding("processes", State.OK, f"{found}: --jobs {jobs}")


def _available_mb() -> int | None:
    try:
        text = Path("/proc/meminfo").read_text("utf-8")
    except OSError:
        return None
    match = re.search(r"^MemAvailable:\s+(\d+) kB", text, re.MULTILINE)
    return int(match[1]) * 1024 // 10**6 if match else None


def _disk(root: Path) -> Finding:
    place = next(folder for folder in (root.absolute(), *root.absolute().parents) if folder.exists())
    free = shutil.disk_usage(place).free // 10**6
    found = f"{free / 1000:.1f} GB free at {place}"
    if free < _DISK_MB:
        return Finding("disk", State.MISSING, found, f"make room: at least {_DISK_MB} MB")
    return Finding("disk", State.OK, found)


def _sandbox(course: Course | None) -> Finding:
    try:
        sandbox = find_sandbox([course.root] if course is not None else [])
        seconds = probe(sandbox)
    except SandboxMissing as error:
        what, _, remedy = str(error).partition(". ")
        return Finding("sandbox", State.MISSING, what, remedy)
    return Finding("sandbox", State.OK, f"{sandbox.bubblewrap} works: tried out in {seconds:.1f} s")


def _browser() -> Finding:
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found:
        return Finding("chromium", State.OK, found)
    remedy = "only to work on the course itself: sudo apt-get install chromium"
    return Finding("chromium", State.OPTIONAL, "not installed; only the course's own tests use it", remedy)


def _requirements() -> list[str]:
    try:
        return [text.partition(";")[0].strip() for text in metadata.requires(_DISTRIBUTION) or []]
    except metadata.PackageNotFoundError:
        return []


def _metadata(field: str) -> str:
    try:
        return metadata.metadata(_DISTRIBUTION)[field] or ""
    except metadata.PackageNotFoundError:
        return ""


# ----------------------------------------------------------------------------------------------------------- the course


def _course(root: Path) -> tuple[Course | None, Finding | None]:
    try:
        return Course.at(root), None
    except CourseError as error:
        what, _, remedy = str(error).partition(". ")
        return None, Finding("course", State.OPTIONAL, f"{what}; only the machine was looked at", remedy)


def _assignments(course: Course | None) -> Finding:
    assert course is not None
    names = course.assignments
    if not names:
        remedy = f"an assignment is source/<name>/<name>.ipynb in {course.root}"
        return Finding("course", State.MISSING, f"{course.root} has no assignment", remedy)
    listed = ", ".join(f"{name} ({len(course.students(name))} handed in)" for name in names)
    return Finding("course", State.OK, f"{course.root}: {listed}")


def _gradebook(course: Course) -> Finding:
    try:
        from course_lib.grader.book.gradebook import gradebook
        from course_lib.grader.nbgrader_steps import course_directory
    except ImportError as error:
        return Finding("gradebook", State.MISSING, f"not looked at: {error}", "install what is missing above")
    url = str(course_directory(course.root).db_url)
    file = Path(url.removeprefix("sqlite:///").partition("?")[0]) if url.startswith("sqlite:///") else None
    if file is not None and not file.exists():  # nbgrader would make it, and looking must change nothing
        return Finding("gradebook", State.OK, f"none yet: the first grading makes {file}")
    try:
        if file is not None:
            _try_writing(file)
        with gradebook(course) as book:
            return Finding("gradebook", State.OK, f"{file or url}: assignments in it: {len(book.assignments)}")
    except Exception as error:  # whatever SQLAlchemy, its driver or nbgrader raises: a diagnosis must not fail
        last = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        remedy = "end the program that holds it" if "locked" in last else "see that you may write it, and its folder"
        return Finding("gradebook", State.MISSING, f"{file or url}: {last}", remedy)


def _try_writing(file: Path) -> None:
    connection = sqlite3.connect(file, timeout=1, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")  # what every writer begins with; it changes nothing
        connection.execute("ROLLBACK")
    finally:
        connection.close()


def _folders(course: Course) -> Iterator[Finding]:
    """The folders that grading writes to, when there is one that cannot be written."""
    for folder in (course.root, *(course.root / name for name in ("autograded", "feedback"))):
        if folder.exists() and not os.access(folder, os.W_OK):
            yield Finding("folder", State.MISSING, f"{folder} cannot be written", f"chmod u+w {folder}")
