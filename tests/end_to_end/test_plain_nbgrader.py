"""Plain `nbgrader`, command by command, gives what `course grade` gives: nothing of ours stands between them."""

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from course_lib.grader.book.writer import Writer
from course_lib.grader.grading.batch import Crew
from course_lib.grader.grading.grade import feedback_all, grade_all

ROOT = Path(__file__).resolve().parents[2]

STUDENTS = ("right", "half", "blank", "noisy", "forger", "copied", "without_test")

Nbgrader = Callable[..., str]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small course of tests/grader with a few submissions, none graded."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("small_course", ROOT / "tests" / "grader" / "conftest.py")
    assert spec
    assert spec.loader
    kit = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(kit)
    root: Path = kit.make_course(tmp_path_factory.mktemp("plain") / "course")
    kit.hand_in(root, "right", kit.solved(**kit.RIGHT), "2026-03-01 12:00:00 UTC")
    kit.hand_in(root, "half", kit.solved(double=kit.RIGHT["double"], mean="def mean(values):\n    return 2"))
    kit.hand_in(root, "blank", kit.solved())
    noisy = "import warnings\n\ndef double(x):\n    warnings.warn('loud')\n    return 2 * x"
    kit.hand_in(root, "noisy", kit.solved(**{**kit.RIGHT, "double": noisy}))
    forged = kit.solved()
    for cell in forged.cells:
        if cell.id.startswith("test_"):
            cell.metadata["tags"] = ["skip-execution"]
            cell.metadata.nbgrader["points"] = 50
    kit.hand_in(root, "forger", forged)
    copied = kit.solved(**kit.RIGHT)
    copied.cells.insert(3, copied.cells[2].copy())
    copied.cells[3]["id"] = "copy"
    kit.hand_in(root, "copied", copied)
    without = kit.solved(**kit.RIGHT)
    del without.cells[3]
    kit.hand_in(root, "without_test", without)
    return root


@pytest.fixture(scope="module")
def nbgrader(small: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Nbgrader]:
    """A copy of the course, and a function that runs a command of nbgrader's in it."""
    root = shutil.copytree(small, tmp_path_factory.mktemp("by_hand") / "course")
    scripts = Path(sys.executable).parent
    env = {
        **os.environ,
        "PATH": os.pathsep.join([str(scripts), os.environ.get("PATH", "")]),
        "PYTHONPATH": str(ROOT),
        "HOME": str(root.parent),
        "JUPYTER_PLATFORM_DIRS": "0",
    }

    def run(*arguments: str) -> str:
        done = subprocess.run([scripts / "nbgrader", *arguments], cwd=root, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    return root, run


@pytest.fixture(scope="module")
def by_hand(nbgrader: tuple[Path, Nbgrader]) -> tuple[Path, dict[str, float]]:
    root, run = nbgrader
    run("generate_assignment", "01_numbers")
    run("autograde", "01_numbers")
    run("generate_feedback", "01_numbers")
    run("export")
    with open(root / "grades.csv", newline="", encoding="utf-8") as file:
        scores = {row["student_id"]: float(row["raw_score"]) for row in csv.DictReader(file)}
    return root, scores


@pytest.fixture(scope="module")
def by_course(small: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, float | None]]:
    root = shutil.copytree(small, tmp_path_factory.mktemp("by_course") / "course")
    with Crew.of(1) as crew, Writer(root, "01_numbers") as writer:
        results = list(feedback_all(root, list(grade_all(writer, STUDENTS, crew)), crew))
    return root, {result.student: result.score for result in results}


@pytest.mark.slow
def test_the_scores_are_the_same(
    by_hand: tuple[Path, dict[str, float]], by_course: tuple[Path, dict[str, float | None]]
) -> None:
    assert by_hand[1] == by_course[1]
    assert by_hand[1] == {
        "right": 5.0,
        "half": 3.0,
        "blank": 0.0,
        "noisy": 5.0,
        "forger": 0.0,
        "copied": 5.0,
        "without_test": 5.0,
    }


@pytest.mark.slow
def test_the_released_notebook_is_the_same(by_hand: tuple[Path, dict[str, float]], small: Path) -> None:
    from course_lib.grader.releasing.release import make_release

    released = by_hand[0] / "release" / "01_numbers" / "01_numbers.ipynb"
    assert released.read_bytes() == make_release(small)[0].read_bytes()


@pytest.mark.slow
def test_the_feedback_pages_are_there_and_hide_the_hidden_tests(
    by_hand: tuple[Path, dict[str, float]], by_course: tuple[Path, dict[str, float | None]]
) -> None:
    for root in (by_hand[0], by_course[0]):
        for student in STUDENTS:
            page = root / "feedback" / student / "01_numbers" / "01_numbers.html"
            assert "-3.5" not in page.read_text(encoding="utf-8")


@pytest.mark.slow
def test_formgraders_button_runs_the_same_code(by_hand: tuple[Path, dict[str, float]]) -> None:
    from nbgrader.apps.api import NbGraderAPI

    from course_lib.grader.nbgrader_steps import calm, course_directory

    directory = course_directory(by_hand[0])
    with calm():
        api = NbGraderAPI(directory, config=directory.config)
        done = api.autograde("01_numbers", "noisy")
        assert done["success"], done.get("error")
        with api.gradebook as book:
            assert book.find_submission("01_numbers", "noisy").score == 5.0
