"""The command `course`: what it prints, where, and with which exit status."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from course_lib import __version__
from course_lib.cli import app
from course_lib.grader.book.gradebook import gradebook
from course_lib.grader.course import Course

from .conftest import ASSIGNMENT, RIGHT, hand_in, solved


def course(*arguments: str | Path) -> tuple[int, str, str]:
    """Run a command: exit status, stdout, stderr."""
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def root(shared_course: Path) -> Path:
    hand_in(shared_course, "ada", solved(**RIGHT))
    hand_in(shared_course, "bob", "{")
    return shared_course


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from course_lib.cli import app; "
        "print(CliRunner().invoke(app, ['--help']).stdout); "
        "print(sorted({'nbgrader', 'torch', 'nbformat', 'sqlalchemy', 'nbconvert'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")
    for command in ("demo", "release", "grade", "report"):
        assert f"\n  {command} " in done.stdout


def test_version() -> None:
    assert course("--version") == (0, f"course {__version__}\n", "")


@pytest.mark.parametrize("command", [["grade", "x"], ["release"], ["report"], ["demo"]])
def test_outside_a_course_every_command_says_what_is_missing(tmp_path: Path, command: list[str]) -> None:
    status, out, err = course(*command, "--root", tmp_path)
    assert (status, out) == (2, "")
    assert err == (
        f"course: {tmp_path} is not a course folder: it has no nbgrader_config.py and no source. "
        "Go to the folder that has both, or name it with --root.\n"
    )


@pytest.mark.parametrize("command", [["grade"], ["release"], ["report"], ["demo", "--assignment"]])
def test_an_unknown_assignment_is_answered_with_the_known_ones(root: Path, command: list[str]) -> None:
    status, _, err = course(*command, "numbers", "--root", root)
    assert status == 2
    assert err == (
        "course: There is no assignment 'numbers'. Did you mean 01_numbers? The assignments are: 01_numbers.\n"
    )


def test_an_unknown_option_is_misuse_too(root: Path) -> None:
    assert course("grade", ASSIGNMENT, "--quickly")[0] == 2


def test_release_says_what_it_did(root: Path) -> None:
    status, out, _ = course("release", "--root", root)
    assert status == 0
    assert out == (
        f"released release/{ASSIGNMENT}/{ASSIGNMENT}.ipynb\n"
        "no leaks: release/ holds no solution, hidden test or misconception, and no outputs\n"
    )


def test_release_with_a_leak_names_it_and_fails(root: Path) -> None:
    twin = root / "source" / ASSIGNMENT / "notes.md"
    twin.write_text("The trick is twice_as_much = x + x, of course.")
    try:
        status, _, err = course("release", "--root", root)
    finally:
        twin.unlink()
    assert status == 1
    assert f"LEAK release/{ASSIGNMENT}/notes.md: extra file" in err
    assert f"LEAK release/{ASSIGNMENT}/notes.md, the file's bytes: solution: twice_as_much = x + x" in err
    assert "do not hand out release/" in err


def test_grading_a_right_submission_is_success(root: Path) -> None:
    status, out, err = course("grade", ASSIGNMENT, "--student", "ada", "--root", root)
    assert status == 0
    assert "ada" in out
    assert "5 / 5 +5" in out
    assert "1 submission: 1 passed" in out
    assert err == "[1/1] ada: all right\n"


def test_a_submission_without_a_score_is_named_and_status_1(root: Path) -> None:
    status, out, _ = course("grade", ASSIGNMENT, "--root", root)
    assert status == 1
    assert "2 submissions: 1 passed, 1 unreadable" in out
    assert f"bob: submitted/bob/{ASSIGNMENT}/{ASSIGNMENT}.ipynb is not a notebook" in out


def test_json_is_all_that_json_prints(root: Path) -> None:
    status, out, err = course("grade", ASSIGNMENT, "--json", "--root", root)
    results = json.loads(out)
    assert (status, err) == (1, "")
    assert [(r["student"], r["outcome"], r["score"]) for r in results] == [
        ("ada", "passed", 5.0),
        ("bob", "unreadable", None),
    ]


def test_a_student_who_handed_in_nothing_is_misuse(root: Path) -> None:
    status, _, err = course("grade", ASSIGNMENT, "--student", "ada", "--student", "carl", "--root", root)
    assert status == 2
    assert err == f"course: Nothing in submitted/ for {ASSIGNMENT} from: carl. Check the spelling.\n"


def test_who_is_excluded_is_not_graded_unless_named(root: Path) -> None:
    config = root / "nbgrader_config.py"
    before = config.read_text()
    try:
        config.write_text(before + "\nc.CourseDirectory.student_id_exclude = 'bob, eve'\n")
        status, out, _ = course("grade", ASSIGNMENT, "--root", root, "--jobs", "1")
        assert status == 0
        assert "ada" in out
        assert "bob" not in out
        assert course("grade", ASSIGNMENT, "--root", root, "--student", "bob", "--jobs", "1")[0] == 1
    finally:
        config.write_text(before)


def test_with_nothing_handed_in_there_is_nothing_to_grade(graded_course: Path) -> None:
    status, _, err = course("grade", ASSIGNMENT, "--root", graded_course)
    assert status == 2
    assert f"Nobody has handed in {ASSIGNMENT}" in err


def test_report_needs_something_graded_and_writes_a_page(root: Path, graded_course: Path) -> None:
    status, _, err = course("report", "--root", graded_course)
    assert status == 2
    assert "Nothing is graded yet in 01_numbers. Run `course grade ASSIGNMENT` first." in err
    course("grade", ASSIGNMENT, "--student", "ada", "--root", root)
    hand_in(root, "dan", solved(**RIGHT))
    status, out, _ = course("report", ASSIGNMENT, "--root", root)
    assert (status, out) == (
        0,
        f"2 submissions in {root / 'report' / 'index.html'}\n"
        "1 more is not graded yet: run `course grade ASSIGNMENT`.\n",
    )
    page = (root / "report" / f"{ASSIGNMENT}.html").read_text(encoding="utf-8")
    assert "Needs a human" in page  # bob's file, which nobody can grade, is not forgotten
    assert "bob" in page
    assert "dan" not in page


@pytest.mark.parametrize("student", [os.fsdecode(b"eve\xff"), "eve\nfay", " eve", "eve "])
def test_a_folder_name_that_is_no_id_is_in_the_report_and_stops_nobody(graded_course: Path, student: str) -> None:
    shown = student.encode("unicode_escape").decode()
    for name in ("ada", student):
        hand_in(graded_course, name, solved(**RIGHT))
    course("grade", ASSIGNMENT, "--student", "ada", "--root", graded_course)
    for graded in (False, True):
        if graded:
            status, out, _ = course("grade", ASSIGNMENT, "--root", graded_course, "--json")
            assert (status, {result["student"] for result in json.loads(out)}) == (1, {"ada", shown})
        status, out, _ = course("report", ASSIGNMENT, "--root", graded_course)
        assert (status, out) == (0, f"2 submissions in {graded_course / 'report' / 'index.html'}\n")
        page = (graded_course / "report" / f"{ASSIGNMENT}.html").read_text(encoding="utf-8")
        assert "has a name that cannot be a student" in page
        assert shown in page
    with gradebook(Course.at(graded_course)) as book:
        assert [known.id for known in book.students] == ["ada"]


@pytest.mark.parametrize(
    ("command", "status"),
    [(["--version"], 0), (["grade", "numbers"], 2), (["nonsense"], 2), (["doctor", "--json"], None)],
    ids=["done", "a sentence", "misuse", "a document"],
)
def test_the_program_ends_with_its_status_and_all_that_it_had_to_say(
    tmp_path: Path, command: list[str], status: int | None
) -> None:
    """The interpreter is not taken apart at the end: nothing that was printed may be lost for that."""
    program = [str(Path(sys.executable).with_name("course")), *command]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True)
    asked = CliRunner().invoke(
        app, [*command, *(["--root", str(tmp_path)] if command[0] in ("grade", "doctor") else [])]
    )
    assert done.returncode == asked.exit_code
    assert done.returncode == status or status is None
    if command[0] != "doctor":
        assert done.stdout == asked.stdout
        assert done.stderr.splitlines()[-1:] == asked.stderr.splitlines()[-1:]
    else:
        assert json.loads(done.stdout)["findings"]


def test_who_reads_no_further_costs_no_traceback(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("course")
    done = subprocess.run(["sh", "-c", f"'{program}' --help | head -1"], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_registered_for_the_end_is_done() -> None:
    code = (
        "import atexit, sys, threading, time; from course_lib import cli; "
        "atexit.register(lambda: print('the end')); "
        "threading.Thread(target=lambda: (time.sleep(0.3), print('the thread'))).start(); "
        "sys.argv = ['course', '--version']; cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines() == [f"course {__version__}", "the thread", "the end"]
    assert done.returncode == 0
