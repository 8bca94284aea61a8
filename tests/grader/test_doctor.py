"""What `course doctor` says of a machine and a course: truthfully, with the line that mends what is missing."""

import json
import os
import platform
import shutil
import sqlite3
import sys
from importlib import metadata
from pathlib import Path

import pytest
from typer.testing import CliRunner

from course_lib.cli import app
from course_lib.grader.book.gradebook import gradebook
from course_lib.grader.commands import doctor
from course_lib.grader.commands.doctor import Finding, State, as_text, examine, is_ready
from course_lib.grader.course import Course
from course_lib.grader.engine.sandbox import SandboxMissing

from .conftest import ASSIGNMENT


@pytest.fixture(autouse=True)
def quick_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real one is tried in test_sandbox.py; here it is found to work."""
    monkeypatch.setattr(doctor, "probe", lambda sandbox: 0.1)


def finding(subject: str, root: Path) -> Finding:
    (one,) = [one for one in examine(root) if one.subject == subject]
    return one


@pytest.fixture
def root(shared_course: Path) -> Path:
    return shared_course


def test_where_all_is_well_grading_can_run(root: Path) -> None:
    findings = examine(root)
    assert is_ready(findings), list(as_text(findings))
    subjects = {one.subject for one in findings}
    assert subjects >= {
        "system",
        "Python",
        "torch",
        "torchmetrics",
        "matplotlib",
        "nbgrader",
        "JupyterLab",
        "processes",
    }
    assert subjects >= {"disk", "sandbox", "course", "gradebook", "chromium"}
    assert list(as_text(findings))[-1] == "Grading can run here."


def test_what_is_found_is_what_is_there(root: Path) -> None:
    assert finding("Python", root).found.startswith(platform.python_version())
    assert finding("torch", root).found.startswith(metadata.version("torch"))
    assert "built for" in finding("torch", root).found
    assert f"{ASSIGNMENT} (0 handed in)" in finding("course", root).found


def test_the_command_prints_a_line_for_each_finding_and_its_remedy(root: Path) -> None:
    result = CliRunner().invoke(app, ["doctor", "--root", str(root)])
    assert result.exit_code == 0, result.stdout
    assert "ok        torch" in result.stdout
    assert result.stdout.endswith("Grading can run here.\n")


def test_json_says_the_same_to_a_program(root: Path) -> None:
    result = CliRunner().invoke(app, ["doctor", "--json", "--root", str(root)])
    said = json.loads(result.stdout)
    assert said["ready"] is True
    assert {"subject", "state", "found", "remedy"} == set(said["findings"][0])


def test_outside_a_course_the_machine_is_looked_at_and_that_is_said(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["doctor", "--root", str(tmp_path)])
    assert result.exit_code == 0
    assert "is not a course folder: it has no nbgrader_config.py and no source; only the machine" in result.stdout
    assert "gradebook" not in result.stdout


def test_a_folder_that_does_not_exist_is_no_reason_to_fail(tmp_path: Path) -> None:
    assert finding("disk", tmp_path / "no" / "where").state is State.OK


def test_something_missing_is_status_1_and_named_at_the_end(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(hidden: object) -> None:
        raise SandboxMissing("There is none. Install it: sudo install it. --no-sandbox does without.")

    monkeypatch.setattr(doctor, "find_sandbox", refuse)
    result = CliRunner().invoke(app, ["doctor", "--root", str(root)])
    assert result.exit_code == 1
    assert "missing   sandbox" in result.stdout
    assert "→ Install it: sudo install it. --no-sandbox does without." in result.stdout
    assert result.stdout.endswith("Grading cannot run yet; missing: sandbox.\n")


def test_a_missing_package_comes_with_its_line(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name in ("torchmetrics", "jupyterlab"):
            raise metadata.PackageNotFoundError(name)
        return "2.0.0" if name == "torch" else real(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    wanted = next(text for text in metadata.requires("neural-training-course") if text.startswith("torch=="))
    assert finding("torchmetrics", root).remedy.startswith('pip install "torchmetrics==')
    assert finding("torch", root).state is State.MISSING
    assert finding("torch", root).remedy == f'pip install "{wanted}"'
    assert finding("JupyterLab", root).state is State.OPTIONAL


@pytest.mark.parametrize("version", [(3, 10, 1), (3, 13, 0)])
def test_a_python_that_the_course_does_not_know(
    root: Path, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...]
) -> None:
    monkeypatch.setattr(doctor.sys, "version_info", version)
    found = doctor._python()
    monkeypatch.undo()
    assert found.state is State.MISSING
    assert "use a Python <3.13,>=3.11" in found.remedy


def test_memory_decides_how_many_processes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.os, "sched_getaffinity", lambda pid: set(range(8)))
    monkeypatch.setattr(doctor, "_available_mb", lambda: 4000)
    assert finding("processes", root).found.endswith("--jobs 2")
    monkeypatch.setattr(doctor, "_available_mb", lambda: 1000)
    assert finding("processes", root).state is State.MISSING
    assert "lower the limit" in finding("processes", root).remedy


def test_a_full_disk(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: type("Usage", (), {"free": 10**6})())
    assert finding("disk", root).state is State.MISSING
    assert finding("disk", root).remedy.startswith("make room")


def test_looking_makes_no_gradebook(root: Path) -> None:
    (root / "gradebook.db").unlink(missing_ok=True)
    assert "none yet" in finding("gradebook", root).found
    assert not (root / "gradebook.db").exists()


def test_a_gradebook_that_works(root: Path) -> None:
    with gradebook(Course.at(root)) as book:
        book.update_or_create_assignment("one")
    assert "assignments in it: 1" in finding("gradebook", root).found
    (root / "gradebook.db").unlink()


def test_a_gradebook_that_another_program_holds(root: Path) -> None:
    with gradebook(Course.at(root)):
        pass
    holder = sqlite3.connect(root / "gradebook.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        found = finding("gradebook", root)
    finally:
        holder.close()
        (root / "gradebook.db").unlink()
    assert (found.state, found.remedy) == (State.MISSING, "end the program that holds it")
    assert "locked" in found.found


def test_a_gradebook_that_is_none(root: Path) -> None:
    (root / "gradebook.db").write_text("not a database, and long enough to have a header " * 10)
    found = finding("gradebook", root)
    (root / "gradebook.db").unlink()
    assert found.state is State.MISSING
    assert "not a database" in found.found


def test_a_folder_that_cannot_be_written(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By os.access, because root may write everywhere."""
    (root / "autograded").mkdir(exist_ok=True)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "autograded")
    assert finding("folder", root).found == f"{root / 'autograded'} cannot be written"


def test_a_course_without_assignments(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "nbgrader_config.py").touch()
    assert finding("course", tmp_path).state is State.MISSING


def test_nothing_heavy_is_imported_to_look_at_a_machine(tmp_path: Path) -> None:
    import subprocess

    code = (
        "import sys, pathlib; from course_lib.grader.commands.doctor import examine; "
        "examine(pathlib.Path(sys.argv[1])); "
        "print(sorted({'torch', 'nbgrader', 'matplotlib', 'sqlalchemy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
