"""What is visible in the sandbox, wherever the course and Python lie, and what is said where there can be none."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import course_lib
from course_lib.grader.engine import sandbox as module
from course_lib.grader.engine.sandbox import Sandbox, SandboxMissing, find_sandbox, probe

ROOT = Path(__file__).resolve().parents[2]


def inside(sandbox: Sandbox, code: str, **options: object) -> object:
    """What the code, run in the sandbox, prints as JSON."""
    command = sandbox.command([sys.executable, "-S", "-c", f"import json, os, sys\n{code}"])
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def listed(sandbox: Sandbox, *folders: Path) -> list[list[str] | None]:
    """The names in each folder as seen from inside; None where there is no such folder."""
    code = f"names = [sorted(os.listdir(f)) if os.path.isdir(f) else None for f in {[str(f) for f in folders]!r}]"
    return inside(sandbox, f"{code}\nprint(json.dumps(names))")


# ------------------------------------------------------------------------------------------------------ what is visible


def test_of_the_course_only_the_way_to_python_is_visible() -> None:
    way = Path(sys.prefix)
    expected = [way.relative_to(ROOT).parts[0]] if way.is_relative_to(ROOT) else None
    (names,) = listed(find_sandbox([ROOT]), ROOT)
    assert names == expected


def test_of_the_package_only_what_students_have_is_visible() -> None:
    code = "import course_lib; print(json.dumps(sorted(os.listdir(os.path.dirname(course_lib.__file__)))))"
    assert inside(find_sandbox(), code) == ["__init__.py", "candidate", "checks", "lab"]


def test_an_installed_package_hides_its_grader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a wheel was installed: the package lies among the libraries, which are visible."""
    library = tmp_path / "lib"
    shutil.copytree(Path(course_lib.__file__).parent, library / "course_lib")
    (library / "other.py").touch()
    folders = [*module._python_folders(), library]
    monkeypatch.setattr(module, "_python_folders", lambda: iter(folders))
    monkeypatch.setattr(course_lib, "__file__", str(library / "course_lib" / "__init__.py"))
    assert listed(find_sandbox(), library, library / "course_lib") == [["course_lib", "other.py"], []]
    probe(find_sandbox())


def test_a_course_among_visible_folders_is_hidden_and_what_it_must_show_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A course in a folder of the Python environment, with a part of the environment in the course."""
    course = tmp_path / "lib" / "course"
    (course / "source").mkdir(parents=True)
    (course / "venv").mkdir()
    (course / "venv" / "module.py").touch()
    folders = [*module._python_folders(), tmp_path / "lib", course / "venv"]
    monkeypatch.setattr(module, "_python_folders", lambda: iter(folders))
    sandbox = find_sandbox([course])
    assert listed(sandbox, course, course / "venv") == [["venv"], ["module.py"]]
    probe(sandbox)
    written = inside(sandbox, f"print(json.dumps(os.access({str(course)!r}, os.W_OK)))")
    assert written is False


def test_the_instructors_environment_stays_outside() -> None:
    names = inside(find_sandbox(), "print(json.dumps(dict(os.environ)))", env={**os.environ, "SECRET_TOKEN": "x"})
    assert "SECRET_TOKEN" not in names
    assert names["OMP_NUM_THREADS"] == "1"
    assert str(Path.home()) not in names.values()


def test_only_the_descriptors_that_are_named_go_in(tmp_path: Path) -> None:
    (tmp_path / "given").write_text("given")
    with open(tmp_path / "given") as given, open(tmp_path / "given") as kept:
        os.set_inheritable(kept.fileno(), True)
        command = find_sandbox().command(
            [sys.executable, "-S", "-c", f"import os; print(os.read({given.fileno()}, 9)); os.fstat({kept.fileno()})"],
            fds=[given.fileno()],
        )
        done = subprocess.run(command, env={}, pass_fds=[given.fileno()], capture_output=True, text=True, timeout=60)
    assert done.stdout == "b'given'\n"
    assert "Bad file descriptor" in done.stderr


def test_a_descriptor_that_is_not_open_is_found_before_the_start() -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        find_sandbox().command([sys.executable], fds=[987])


def test_python_is_found_over_links_outside_of_its_environment(tmp_path: Path) -> None:
    """As uv and conda make them: the command is a link to a link somewhere else."""
    (tmp_path / "python").symlink_to(tmp_path / "other")
    (tmp_path / "other").symlink_to(sys.executable)
    command = find_sandbox().command([str(tmp_path / "python"), "-S", "-c", "print('here')"])
    done = subprocess.run(command, env={}, capture_output=True, text=True, timeout=60)
    assert done.stdout == "here\n", done.stderr


# ---------------------------------------------------------------------------------------------------------------- probe


def test_probe_is_quick_and_satisfied_here() -> None:
    assert probe(find_sandbox([ROOT])) < 5


class Forgetful(Sandbox):
    """A sandbox that hides nothing."""

    def command(self, argv, *, fds=()):
        return Sandbox(self.bubblewrap).command(argv, fds=fds)


def test_probe_finds_a_leak() -> None:
    """As if the course were the standard library's `json`, which is visible."""
    course = Path(json.__file__).parent
    with pytest.raises(
        SandboxMissing, match=r"does not hold on this machine: in it, .*it can see .*/decoder\.py.* Please"
    ):
        probe(Forgetful(find_sandbox().bubblewrap, (course,)))


def fake(tmp_path: Path, line: str) -> Sandbox:
    """A bubblewrap that fails with a line."""
    program = tmp_path / "bwrap"
    program.write_text(f"#!/bin/sh\necho '{line}' >&2\nexit 1\n")
    program.chmod(0o755)
    return Sandbox(str(program))


@pytest.mark.parametrize(
    ("settings", "line", "expected"),
    [
        ({}, "bwrap: Unknown option --clearenv", "too old .*Install version"),
        (
            {"user.max_user_namespaces": "0"},
            "bwrap: No permissions",
            r"sudo sysctl -w user\.max_user_namespaces=15000\.",
        ),
        (
            {"kernel.unprivileged_userns_clone": "0"},
            "bwrap: No permissions",
            r"sudo sysctl -w kernel\.unprivileged_userns_clone=1\.",
        ),
        (
            {"kernel.apparmor_restrict_unprivileged_userns": "1"},
            "bwrap: setting up uid map: Permission denied",
            r"userns, }.*sudo tee /etc/apparmor\.d/bwrap && sudo apparmor_parser",
        ),
        ({}, "bwrap: something new", "bwrap: something new"),
    ],
)
def test_what_forbids_a_sandbox_is_said_with_the_line_that_allows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], line: str, expected: str
) -> None:
    monkeypatch.setattr(module, "_setting", settings.get)
    with pytest.raises(SandboxMissing, match=f"{expected}.*--no-sandbox grades without one, at your own risk"):
        probe(fake(tmp_path, line))


def test_in_a_container_the_containers_options_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_setting", lambda name: None)
    monkeypatch.setattr(module, "_CONTAINER_MARKS", (str(tmp_path),))
    with pytest.raises(SandboxMissing, match=r"This is a container: start it with `--security-opt seccomp=unconfined"):
        probe(fake(tmp_path, "bwrap: Creating new namespace failed: Operation not permitted"))


# ------------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(("platform", "name"), [("darwin", "macOS"), ("win32", "Windows"), ("freebsd14", "freebsd14")])
def test_other_systems_get_a_truthful_sentence(monkeypatch: pytest.MonkeyPatch, platform: str, name: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(SandboxMissing, match=f"^There is no sandbox on {name}: .* --no-sandbox grades without one"):
        find_sandbox()


@pytest.mark.parametrize(
    ("manager", "line"),
    [
        ("apt-get", "sudo apt-get install bubblewrap"),
        ("dnf", "sudo dnf install bubblewrap"),
        ("pacman", "sudo pacman -S bubblewrap"),
        (None, "the package is called bubblewrap"),
    ],
)
def test_without_bubblewrap_the_line_that_installs_it_is_given(
    monkeypatch: pytest.MonkeyPatch, manager: str | None, line: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}" if program == manager else None)
    with pytest.raises(SandboxMissing, match=f"not installed. Install it: {line}.*--no-sandbox"):
        find_sandbox()
