"""`course grade` as a process: it shows what it does, can be killed at any moment, and goes on from there."""

import json
import random
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from course_lib.cli import app
from course_lib.grader.book.gradebook import gradebook
from course_lib.grader.commands.progress import display
from course_lib.grader.course import Course, CourseError
from course_lib.grader.engine.sandbox import SandboxMissing
from course_lib.grader.grading.grade import known_result
from course_lib.grader.results import Outcome, Result

from .conftest import ASSIGNMENT, hand_in
from .quick import command, executed, hand_in_words, make_quick


@pytest.fixture
def quick(graded_course: Path) -> Path:
    return make_quick(graded_course)


def course_grade(root: Path, *arguments: str) -> tuple[int, str, str]:
    """In this process: exit status, stdout, stderr."""
    result = CliRunner().invoke(app, ["grade", ASSIGNMENT, "--root", str(root), *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def recorded(root: Path) -> set[str]:
    students = [path.name for path in (root / "submitted").iterdir()]
    with gradebook(Course.at(root)) as book:
        return {student for student in students if known_result(root, ASSIGNMENT, student, book)}


def test_what_was_graded_is_kept_and_said_to_be(quick: Path) -> None:
    for student in ("ada", "bob"):
        hand_in_words(quick, student, "score 1")
    assert course_grade(quick, "--jobs", "1")[0] == 0
    hand_in_words(quick, "bob", "score 0.5")
    executed(quick)
    status, out, err = course_grade(quick, "--jobs", "1")
    assert status == 0
    assert executed(quick) == ["bob"]
    assert err == "[1/2] ada: 0 of 2 right (kept)\n[2/2] bob: 0 of 2 right\n"
    assert "0 of 2 right (kept)" in out
    assert "2 submissions: 2 partial; 1 kept, because nothing had changed since (--force grades them again)" in out
    assert course_grade(quick, "--jobs", "1", "--force", "--student", "ada")[0] == 0
    assert executed(quick) == ["ada"]


def test_json_is_one_document_and_nothing_else(quick: Path) -> None:
    hand_in_words(quick, "ada", "score 1")
    hand_in(quick, "bob", "{")
    status, out, err = course_grade(quick, "--jobs", "1", "--json")
    assert (status, err) == (1, "")
    assert {r["student"]: r["score"] for r in json.loads(out)} == {"ada": 2.0, "bob": None}


def test_a_failure_of_ours_is_named_with_what_to_do(quick: Path) -> None:
    hand_in_words(quick, "ada", "fail")
    hand_in_words(quick, "bob", "score 1")
    status, out, _ = course_grade(quick, "--jobs", "1")
    assert status == 1
    assert "2 submissions: 1 partial, 1 grader error" in out
    assert "ada: The grader failed on this submission (RuntimeError: as asked for). It has no score; grade it" in out


def test_a_process_that_is_killed_costs_only_who_kills_it(quick: Path) -> None:
    for number in range(6):
        hand_in_words(quick, f"s{number}", "score 1")
    hand_in_words(quick, "s2", "kill")
    status, out, _ = course_grade(quick, "--jobs", "2")
    assert status == 1
    assert "6 submissions: 5 partial, 1 grader error" in out
    assert "s2: The grader failed on this submission (the process that graded it was ended, twice" in out
    assert known_result(quick, ASSIGNMENT, "s2") is None


def test_without_a_sandbox_it_says_so(quick: Path) -> None:
    hand_in_words(quick, "ada", "score 1")
    status, out, err = course_grade(quick, "--no-sandbox")
    assert status == 0
    for text in (out, err):
        assert "Without a sandbox (--no-sandbox): the students' code runs unprotected, with all your rights." in text


def test_where_no_sandbox_is_it_refuses_before_anything_is_done(
    graded_course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(**_: object) -> None:
        raise SandboxMissing("The sandbox is not installed. Install it: apt install bubblewrap.")

    monkeypatch.setattr("course_lib.grader.commands.grade_command.find_sandbox", none)
    hand_in_words(graded_course, "ada", "score 1")
    status, out, err = course_grade(graded_course)
    assert (status, out) == (2, "")
    assert err == "course: The sandbox is not installed. Install it: apt install bubblewrap.\n"
    assert recorded(graded_course) == set()


def test_two_at_once_are_one_too_many(quick: Path) -> None:
    hand_in_words(quick, "ada", "wait 20")
    with subprocess.Popen(command(quick), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as first:
        _wait_for(lambda: (quick / "executed.txt").exists())
        status, _, err = course_grade(quick)
        assert status == 2
        assert err.startswith(f"course: Another grading is at work in this course (process {first.pid}).")
        first.kill()
    hand_in_words(quick, "ada", "score 1")
    assert course_grade(quick)[0] == 0  # the dead process holds no lock


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_ends_it_soon_and_says_how_to_go_on(quick: Path, jobs: str) -> None:
    hand_in_words(quick, "ada", "score 1")
    for student in ("bob", "carl"):
        hand_in_words(quick, student, "wait 600")
    run = subprocess.Popen(
        command(quick, "--jobs", jobs),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    _wait_for(lambda: recorded(quick) == {"ada"} and "bob" in (quick / "executed.txt").read_text())
    stopped = time.monotonic()
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert time.monotonic() - stopped < 20
    assert run.returncode == 130
    assert out == ""
    assert err == (
        "[1/3] ada: 0 of 2 right\n"
        "Stopped. 1 of 3 submissions are recorded, and nothing of the others. "
        "Run the same command again to go on from there.\n"
    )
    executed(quick)
    for student in ("bob", "carl"):
        hand_in_words(quick, student, "score 1")
    assert course_grade(quick, "--jobs", "1")[0] == 0
    assert executed(quick) == ["bob", "carl"]


@pytest.mark.slow
def test_killed_again_and_again_it_grades_everybody_and_nobody_twice(quick: Path) -> None:
    everybody = {f"s{number:02}" for number in range(20)}
    for student in sorted(everybody):
        hand_in_words(quick, student, "score 1 wait 0.05")
    chance, seen = random.Random(0), set[str]()
    for _ in range(3):
        with subprocess.Popen(
            command(quick, "--jobs", "2"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as run:
            wanted = len(seen) + 2
            _wait_for(partial(_has_come_to, wanted, quick, run))
            time.sleep(chance.random() / 4)
            run.kill()
        assert not seen & set(executed(quick)), "what was recorded is graded again"
        assert seen <= recorded(quick)
        seen = recorded(quick)
    status, out, _ = course_grade(quick, "--jobs", "1")
    assert status == 0
    assert not seen & set(executed(quick))
    assert recorded(quick) == everybody
    assert "20 submissions: 20 partial" in out


def _has_come_to(number: int, root: Path, run: "subprocess.Popen[bytes]") -> bool:
    return len(recorded(root)) >= number or run.poll() is not None


def _wait_for(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 90
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)


# ------------------------------------------------------------------------------------------------------------ progress


def test_on_a_terminal_the_progress_shows_rate_and_outcomes(tmp_path: Path) -> None:
    path = tmp_path / "shown"
    with path.open("w", encoding="utf-8") as file:
        console = Console(file=file, force_terminal=True, width=150)
        with display(console, 3) as show:
            show(Result("a", "ada", Outcome.PASSED))
            show(Result("a", "bob", Outcome.MISSING))
    text = path.read_text(encoding="utf-8")
    assert "2/3" in text
    assert "1 passed, 1 missing" in text
    assert "/s" in text


def test_names_from_students_are_no_markup(tmp_path: Path) -> None:
    path = tmp_path / "shown"
    with path.open("w", encoding="utf-8") as file, display(Console(file=file), 1) as show:
        show(Result("a", "[red]x[/]", Outcome.PASSED))
    assert path.read_text(encoding="utf-8") == "[1/1] [red]x[/]: all right\n"


def test_an_error_in_the_middle_says_what_to_do(quick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise CourseError("The disk is full.")

    monkeypatch.setattr("course_lib.grader.book.writer.Writer.write", full)
    hand_in_words(quick, "ada", "score 1")
    assert course_grade(quick) == (2, "", "course: The disk is full.\n")
