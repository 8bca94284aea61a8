"""`course check`: a reader's own notebook, graded by the real engine, with all tests, and nothing else touched."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from course_lib.checks.misconception import load_misconceptions
from course_lib.checks.verdict import CaseResult, ExerciseResult, Recognised
from course_lib.checks.verdict import Outcome as CaseOutcome
from course_lib.cli import app
from course_lib.grader.commands import check
from course_lib.grader.commands.check_page import Page, next_step, points_by_machine
from course_lib.grader.engine import examine
from course_lib.grader.engine.sandbox import SandboxMissing
from course_lib.grader.grading import worker
from course_lib.grader.results import GradedCell, Outcome, Result

from .conftest import ASSIGNMENT, RIGHT, ROOT, make_course, solved


def run(*arguments: str | Path) -> tuple[int, str, str]:
    """Run a command: exit status, stdout, stderr."""
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def engine_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One course for all tests here: what runs students' code is started once for each course."""
    yield make_course(tmp_path_factory.mktemp("check") / "course")
    examine.forget_servers()


@pytest.fixture
def root(engine_root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    # A command that ends with its process starts its server ahead; here one server outlives many commands.
    monkeypatch.setattr(check, "launch_ahead", lambda kind, root: None)
    monkeypatch.setattr(check, "probe", lambda sandbox: 0.1)
    yield engine_root
    shutil.rmtree(engine_root / ".course", ignore_errors=True)
    (engine_root / ".course").unlink(missing_ok=True)


@pytest.fixture
def notebook(tmp_path: Path) -> Callable[..., Path]:
    """Writes a notebook with some answers, far from the course."""

    def write(name: str = ASSIGNMENT, **answers: str) -> Path:
        path = tmp_path / f"{name}.ipynb"
        path.write_text(json.dumps(solved(**answers)), encoding="utf-8")
        return path

    return write


def progress(root: Path) -> Any:
    return json.loads(run("progress", "--root", root, "--json")[1])


def test_all_right_is_success_and_kept(root: Path, notebook: Callable[..., Path]) -> None:
    status, out, err = run("check", notebook(**RIGHT), "--root", root)
    assert (status, err) == (0, "")
    assert "✓ double: 1 of 1 case passed, 2 of 2 points." in out
    assert "explain: a written question, 5 points, not graded by machine." in out
    assert "01_numbers: 5 of 5 points.\nNext: Nothing to repair: all the points that the machine gives." in out
    assert re.search(r"01_numbers │ +5 / 5 │ \d{4}-\d\d-\d\d \d\d:\d\d │ +1 ", out)
    assert progress(root)[ASSIGNMENT]["best"] == 5.0


def test_neither_the_notebook_nor_the_gradebook_is_touched(root: Path, notebook: Callable[..., Path]) -> None:
    path = notebook(**RIGHT)
    before, files = path.read_bytes(), sorted(p.name for p in root.iterdir())
    run("check", path, "--root", root)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert sorted(p.name for p in root.iterdir()) == sorted([*files, ".course"])


def test_a_wrong_answer_is_named_as_what_to_repair(root: Path, notebook: Callable[..., Path]) -> None:
    # `double` is not written yet, and comes before it in the notebook.
    status, out, _ = run("check", notebook(mean="def mean(v):\n    return sum(v) / 2"), "--root", root)
    assert status == 1
    assert "01_numbers: 0 of 5 points." in out
    assert re.search(r"^Next: Look at mean, “", out, re.MULTILINE)


def test_the_best_score_stays_when_a_later_check_is_worse(root: Path, notebook: Callable[..., Path]) -> None:
    run("check", notebook(**RIGHT), "--root", root)
    run("check", notebook(**{**RIGHT, "mean": "def mean(v):\n    return 0"}), "--root", root)
    reached = progress(root)[ASSIGNMENT]
    assert (reached["best"], reached["of"], reached["attempts"]) == (5.0, 5.0, 2)


def test_a_cell_that_stops_is_what_to_mend_first(root: Path, notebook: Callable[..., Path]) -> None:
    status, out, _ = run("check", notebook(double="def double(x:\n    return 2 * x"), "--root", root)
    assert status == 1
    assert "Next: Mend the cell double first, which stopped: SyntaxError: " in out
    assert "ipython-input" not in out


def test_what_a_notebook_prints_or_raises_cannot_steer_the_terminal(root: Path, notebook: Callable[..., Path]) -> None:
    text = r"[bold red]no[/bold red] \x1b[2J\x1b]0;title\x07 \u202egnitirw"
    evil = f"def double(x):\n    raise ValueError('{text}')\nraise RuntimeError('{text}')"
    _, out, err = run("check", notebook(double=evil), "--root", root)
    assert "[bold red]no[/bold red]" in out
    assert not set("\x1b\x07\u202e") & set(out + err)


def test_a_notebook_without_an_assignments_name_is_known_by_its_cells(
    root: Path, notebook: Callable[..., Path]
) -> None:
    assert run("check", notebook("homework", **RIGHT), "--root", root)[0] == 0


def test_one_exercise_alone_is_shown_and_decides_the_status(root: Path, notebook: Callable[..., Path]) -> None:
    path = notebook(double=RIGHT["double"])
    status, out, _ = run("check", path, "--root", root, "--exercise", "double")
    assert status == 0
    assert "double: 1 of 1 case passed, 2 of 2 points.\n  ✓ passed   what passed\n" in out
    assert "mean" not in out
    assert progress(root)[ASSIGNMENT]["of"] == 5.0  # kept is the whole
    assert run("check", path, "--root", root, "--exercise", "mean")[0] == 1


def test_an_unknown_exercise_is_answered_with_the_known_ones(root: Path, notebook: Callable[..., Path]) -> None:
    status, _, err = run("check", notebook(), "--root", root, "--exercise", "median")
    assert status == 2
    assert err == "course: 01_numbers has no exercise 'median'. Its exercises are: double, mean, explain.\n"


def test_json_is_all_that_json_prints(root: Path, notebook: Callable[..., Path]) -> None:
    path = notebook(double=RIGHT["double"])
    status, out, err = run("check", path, "--root", root, "--json")
    document = json.loads(out)
    assert (status, err) == (1, "")
    assert (document["assignment"], document["score"], document["max_score"]) == (ASSIGNMENT, 2.0, 5.0)
    assert document["sandbox"] is True
    assert document["next"] == "Write mean: replace the line that raises NotImplementedError."
    assert Result.from_json(document["result"]).cells[0].outcome is Outcome.PASSED
    assert document["progress"][ASSIGNMENT]["attempts"] == 1


def test_without_a_sandbox_it_works_and_says_so(root: Path, notebook: Callable[..., Path]) -> None:
    status, out, err = run("check", notebook(**RIGHT), "--root", root, "--no-sandbox")
    assert (status, err) == (0, f"{check.UNPROTECTED}\n")
    assert "5 of 5 points" in out


def test_a_machine_without_a_sandbox_is_told_before_anything_runs(
    root: Path, notebook: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_: object) -> float:
        raise SandboxMissing("bubblewrap is not installed. Install it.")

    monkeypatch.setattr(check, "probe", missing)
    status, out, err = run("check", notebook(**RIGHT), "--root", root)
    assert (status, out, err) == (2, "", "course: bubblewrap is not installed. Install it.\n")
    assert progress(root) == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty (0 bytes)."),
        (b"{", "is not a notebook: the JSON breaks at line 1."),
        (b"\x89PNG\r\n", "is not text in UTF-8 (byte 0)."),
        (b"{}", "is JSON, but not a notebook: it has no cells."),
        (None, "is no file. Name your copy of a notebook in release/."),
    ],
)
def test_a_file_that_is_no_notebook_gets_a_sentence(
    root: Path, tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / f"{ASSIGNMENT}.ipynb"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    status, out, err = run("check", path, "--root", root)
    assert (status, out) == (2, "")
    assert err.startswith(f"course: {path} {message}")


def test_a_file_that_is_not_there_is_named(root: Path, tmp_path: Path) -> None:
    status, _, err = run("check", tmp_path / "x.ipynb", "--root", root)
    assert (status, err) == (
        2,
        f"course: {tmp_path}/x.ipynb does not exist. Name your copy of a notebook in release/.\n",
    )


@pytest.mark.parametrize("command", [["check", "x.ipynb"], ["progress"]])
def test_outside_a_course_it_says_what_is_missing(tmp_path: Path, command: list[str]) -> None:
    status, out, err = run(*command, "--root", tmp_path)
    assert (status, out) == (2, "")
    assert f"{tmp_path} is not a course folder" in err


def test_a_notebook_of_no_assignment_is_answered_with_the_assignments(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "homework.ipynb"
    path.write_text('{"cells": []}')
    status, _, err = run("check", path, "--root", root)
    assert status == 2
    assert err.startswith("course: homework.ipynb has neither the name nor the cells of an assignment.")
    assert err.endswith("The assignments are: 01_numbers.\n")


def test_a_fault_of_the_graders_is_no_score(
    root: Path, notebook: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the test cell fails by itself")

    monkeypatch.setattr(worker, "grade_notebook", broken)
    status, out, err = run("check", notebook(**RIGHT), "--root", root)
    assert (status, out) == (2, "")
    assert "(RuntimeError: the test cell fails by itself). This says nothing about your work" in err
    assert progress(root) == {}


def test_ctrl_c_keeps_nothing_and_says_so(
    root: Path, notebook: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(worker, "grade_notebook", interrupted)
    assert run("check", notebook(), "--root", root) == (130, "", "Stopped. Nothing of this check is kept.\n")


def test_a_score_that_cannot_be_kept_is_shown_all_the_same(root: Path, notebook: Callable[..., Path]) -> None:
    (root / ".course").write_text("in the way")
    status, out, err = run("check", notebook(**RIGHT), "--root", root)
    assert status == 0
    assert "5 of 5 points" in out
    assert err.startswith(f"This score could not be kept in {root}/.course/progress.json: ")


def test_progress_lists_also_what_was_never_tried(root: Path) -> None:
    status, out, _ = run("progress", "--root", root)
    assert status == 0
    assert re.search(r"01_numbers │ +– │", out)
    assert not (root / ".course").exists()


# ------------------------------------------------------------------------------------------- the page, from results


def result_with(*records: ExerciseResult, outcome: Outcome = Outcome.PARTIAL) -> Result:
    cells = [GradedCell(r.exercise, f"test_{r.exercise}", r.points, r.score, outcome) for r in records]
    cells.append(GradedCell("why", "why", 6.0, None, Outcome.WRITTEN, written=True))
    return Result("09_dropout", "me", outcome, cells=tuple(cells), exercises=records)


WRONG = ExerciseResult(
    "softmax",
    4.0,
    (
        CaseResult("small", CaseOutcome.PASSED),
        CaseResult("sums", CaseOutcome.FAILED, True, message="The rows do not add up.", came="[2.]", expected="[1.]"),
    ),
    misconceptions=(Recognised("sums over the wrong axis", "Which axis must add up to 1?"),),
)


def test_a_hidden_case_is_shown_whole_with_the_hint_it_leads_to() -> None:
    out = StringIO()
    Page(Console(file=out)).show(result_with(WRONG), {}, "go on", with_rubric={"why"})
    for line in (
        "softmax: 1 of 2 cases passed, 2 of 4 points.",
        "  ✗ wrong    sums (hidden test)",
        "      came:          [2.]",
        "  It looks as if your softmax sums over the wrong axis. Which axis must add up to 1?",
        "why: a written question, 6 points, not graded by machine.",
        "  A model answer and a rubric to grade it by: source/09_dropout/09_dropout.ipynb, the cell why.",
        "09_dropout: 2 of 4 points.",
        "Next: go on",
    ):
        assert line in out.getvalue().splitlines()


def test_on_a_terminal_long_lines_stay_indented() -> None:
    out = StringIO()
    long = ExerciseResult("f", 1.0, (CaseResult("one", CaseOutcome.FAILED, message="word " * 40),))
    Page(Console(file=out, force_terminal=True, color_system=None, width=60)).show(result_with(long), {}, "", set())
    details = [line for line in out.getvalue().splitlines() if "word" in line]
    assert len(details) > 2
    assert all(line.startswith("      ") for line in details)


def test_the_next_step_is_the_first_failing_case_with_its_hint() -> None:
    assert next_step(result_with(WRONG), {}) == (
        "Look at softmax, “sums”: The rows do not add up. It looks as if your softmax sums over the wrong axis. "
        "Which axis must add up to 1?"
    )


def test_what_is_refused_is_to_be_built_without_it() -> None:
    refused = ExerciseResult("softmax", 4.0, WRONG.cases, refused=("torch.softmax",))
    assert next_step(result_with(refused), {}) == "Build softmax yourself, without torch.softmax."


def test_written_questions_are_in_no_score_of_the_machines() -> None:
    assert points_by_machine(result_with(WRONG)) == (2.0, 4.0)


# ------------------------------------------------------------------------------------------------- the real command


def test_the_command_prints_a_misconceptions_hint(tmp_path: Path) -> None:
    """In a process of its own, on the real assignment: one wrong answer, the others right."""
    name = "09_dropout"
    root = tmp_path / "course"
    shutil.copytree(ROOT / "source" / name, root / "source" / name)
    shutil.copytree(ROOT / "misconceptions", root / "misconceptions")
    shutil.copy(ROOT / "nbgrader_config.py", root)
    slip = next(
        m for m in load_misconceptions(ROOT / "misconceptions" / f"{name}.py") if m.exercise == "classic_dropout"
    )
    nb = json.loads((root / "source" / name / f"{name}.ipynb").read_text(encoding="utf-8"))
    for cell in nb["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "classic_dropout":
            cell["source"] = slip.source
    path = tmp_path / f"{name} (2).ipynb"
    path.write_text(json.dumps(nb), encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "course_lib.cli", "check", str(path), "--root", str(root)],
        env={**os.environ, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (1, "")
    said = f"It looks as if your classic_dropout {slip.name}. {slip.hint}"
    assert f"\n  {said}\n" in done.stdout
    assert re.search(rf"^Next: Look at classic_dropout, “.*{re.escape(said)}$", done.stdout, re.MULTILINE)
    assert re.search(r"✓ mc_dropout: (\d+) of \1 cases passed, 6 of 6 points\.", done.stdout)
