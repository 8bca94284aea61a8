"""A cell that hangs, dies or floods costs its own points and nobody else's; nothing stays behind."""

import os
import time
from pathlib import Path

import nbformat
import pytest

from course_lib.grader.grade import grade_submission
from course_lib.grader.results import Outcome, Result

from .conftest import ASSIGNMENT, RIGHT, hand_in, solved


@pytest.fixture(scope="module")
def hasty_course(shared_course: Path) -> Path:
    root = shared_course
    config = root / "nbgrader_config.py"
    limits = {"timeout": 2, "ungraded_timeout": 1, "notebook_timeout": 40, "iopub_timeout": 2}
    config.write_text(config.read_text() + "".join(f"c.ExecuteStock.{k} = {v}\n" for k, v in limits.items()))
    return root


def graded(root: Path, student: str, **answers: str) -> Result:
    hand_in(root, student, solved(**{**RIGHT, **answers}))
    return grade_submission(root, ASSIGNMENT, student)


def scores(result: Result) -> list[float | None]:
    return [cell.score for cell in result.cells]


def test_an_endless_loop_costs_its_own_exercise(hasty_course: Path) -> None:
    result = graded(hasty_course, "loops", double="def double(x):\n    while True:\n        pass")
    assert scores(result) == [0.0, 3.0, None]
    assert result.outcome is Outcome.TIMED_OUT
    assert result.cells[0].outcome is Outcome.TIMED_OUT
    assert result.notes == ("The cell test_double was stopped at its time limit.",)
    assert result.summary == "1 of 2 right; double timed out"


def test_a_loop_that_holds_on_to_the_kernel_is_killed_and_the_rest_is_graded(hasty_course: Path) -> None:
    stubborn = (
        "def double(x):\n    while True:\n        try:\n            while True:\n                pass\n"
        "        except BaseException:\n            pass"
    )
    result = graded(hasty_course, "stubborn", double=stubborn)
    assert scores(result) == [0.0, 3.0, None]
    assert result.outcome is Outcome.TIMED_OUT
    assert "could not be interrupted. The cells after it ran in a fresh process." in result.notes[0]


def test_a_dead_kernel_costs_its_own_exercise(hasty_course: Path) -> None:
    result = graded(hasty_course, "deadly", double="import os\n\ndef double(x):\n    os._exit(1)")
    assert scores(result) == [0.0, 3.0, None]
    assert result.outcome is Outcome.CRASHED
    assert result.cells[0].message == "DeadKernelError: the Python process ended while this cell ran"


def test_a_cell_that_kills_every_kernel_is_not_run_again(hasty_course: Path) -> None:
    result = graded(hasty_course, "killer", double="import os\nos._exit(1)")
    assert scores(result) == [0.0, 3.0, None]
    assert result.outcome is Outcome.CRASHED


def test_after_too_many_dead_kernels_the_rest_is_not_run(hasty_course: Path) -> None:
    hand = solved(**RIGHT)
    for number in range(5):
        hand.cells.insert(2, nbformat.v4.new_code_cell("import os\nos._exit(1)", id=f"bomb-{number}"))
    hand_in(hasty_course, "bomber", hand)
    result = grade_submission(hasty_course, ASSIGNMENT, "bomber")
    assert result.score == 0.0
    assert result.outcome is Outcome.TIMED_OUT
    assert "the cells before it hung or ended 4 processes" in result.cells[0].message


def test_a_flood_of_output_is_cut(hasty_course: Path) -> None:
    flood = "for _ in range(3_000):\n    print('x' * 1_000)\n\ndef double(x):\n    return 2 * x"
    result = graded(hasty_course, "flood", double=flood)
    assert scores(result) == [2.0, 3.0, None]
    notebook = hasty_course / "autograded" / "flood" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    assert notebook.stat().st_size < 500_000
    assert "the rest of the output was left out" in notebook.read_text()


def test_a_slow_ungraded_cell_costs_nothing(hasty_course: Path) -> None:
    hand = solved(**RIGHT)
    hand.cells.insert(1, nbformat.v4.new_code_cell("while True: pass", id="loop"))
    hand_in(hasty_course, "tinkerer", hand)
    result = grade_submission(hasty_course, ASSIGNMENT, "tinkerer")
    assert scores(result) == [2.0, 3.0, None]
    assert result.outcome is Outcome.PASSED
    assert result.notes == ("The cell own-1 was stopped at its time limit.",)


def test_pictures_can_be_left_out_but_never_a_students_own_cell(hasty_course: Path) -> None:
    config = hasty_course / "nbgrader_config.py"
    before = config.read_text()
    config.write_text(before + "c.ExecuteStock.run_ungraded = False\n")
    try:
        hand = solved(**{**RIGHT, "double": "def double(x):\n    return helper(x)"})
        hand.cells.insert(1, nbformat.v4.new_code_cell("def helper(x):\n    return 2 * x"))
        hand_in(hasty_course, "hurried", hand)
        result = grade_submission(hasty_course, ASSIGNMENT, "hurried")
    finally:
        config.write_text(before)
    assert scores(result) == [2.0, 3.0, None]
    text = (hasty_course / "autograded" / "hurried" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").read_text()
    assert "try other numbers here\\n" not in text


def test_what_a_submission_started_is_gone_afterwards(hasty_course: Path, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    starts = (
        f"import subprocess, os\nchild = subprocess.Popen(['sleep', '600'])\n"
        f"open({str(pid_file)!r}, 'w').write(str(child.pid))\n\ndef double(x):\n    os._exit(1)"
    )
    graded(hasty_course, "parent", double=starts)
    pid = int(pid_file.read_text())
    for _ in range(20):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return
        time.sleep(0.1)
    pytest.fail("a child of the kernel is still running")


def test_the_kernel_knows_the_assignments_misconceptions_and_no_others(
    hasty_course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_LIB_MISCONCEPTIONS", "/somewhere/else.py")
    says = "import os\nprint('KNOWN', os.environ.get('COURSE_LIB_MISCONCEPTIONS'))\n\ndef double(x):\n    return 2 * x"
    graded(hasty_course, "asks", double=says)
    text = (hasty_course / "autograded" / "asks" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").read_text()
    assert f"KNOWN {hasty_course / 'misconceptions' / ASSIGNMENT}.py" in text
