"""An instructor's way through nbgrader's Formgrader, in JupyterLab, on the graded sample class."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import FrameLocator, Page, expect

from course_lib.checks.verdict import RESULT_MIME, ExerciseResult
from tests.end_to_end.jupyterlab import menu, unreadable
from tests.end_to_end.server import ROOT, Server, isolated_environment, jupyterlab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ASSIGNMENT = "09_dropout"
STUDENT, NAME = "bence.horvath", "Horváth, Bence"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `course demo` leaves, with a class of two."""
    course = tmp_path_factory.mktemp("course")
    for part in ("source", "misconceptions", "alternatives"):
        shutil.copytree(ROOT / part, course / part, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    shutil.copy(ROOT / "nbgrader_config.py", course)
    command = [sys.executable, "-m", "course_lib.cli", "demo", "--students=2", f"--assignment={ASSIGNMENT}"]
    done = subprocess.run(
        command,
        cwd=course,
        env=isolated_environment(tmp_path_factory.mktemp("grader_home")),
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return course / "demo"


@pytest.fixture(scope="module")
def server(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with jupyterlab(demo, tmp_path_factory.mktemp("home")) as server:
        yield server


@pytest.fixture
def formgrader(page: Page, server: Server) -> FrameLocator:
    """Formgrader as JupyterLab's menu opens it."""
    page.set_viewport_size({"width": 1680, "height": 1050})  # nbgrader lays its pages out for a desk's screen
    page.goto(server.page("lab"))
    menu(page, "Nbgrader", "Formgrader")
    return page.frame_locator(".jp-IFrame iframe, iframe")


def score_of(text: str) -> float:
    """The number before the slash in "25.49 / 33"."""
    return float(text.split("/")[0])


def test_from_the_assignments_to_one_students_cases_and_scores(
    formgrader: FrameLocator, demo: Path, look: Callable[[str], Path]
) -> None:
    submissions = formgrader.locator("#main-table tr", has_text=ASSIGNMENT).locator("td.num-submissions a")
    expect(submissions).to_have_text("2")
    look("8_formgrader_assignments")
    submissions.click()

    row = formgrader.locator("#main-table tr", has_text=STUDENT)
    expect(row.locator(".status")).to_have_text(re.compile("graded|needs manual grading"))
    total = score_of(row.locator(".score").inner_text())
    look("9_formgrader_submissions")
    row.get_by_role("link", name=NAME).click()

    notebook = formgrader.locator("#main-table").get_by_role("link", name=ASSIGNMENT)
    notebook.wait_for()
    notebook.click()

    results = graded(demo)
    scores = {name: formgrader.locator(f"input.score#test_{name}") for name in results}
    for name, result in results.items():
        # Formgrader shows the automatic score as the field's placeholder: what is typed there overrides it.
        expect(scores[name]).to_have_attribute("placeholder", re.compile(r"\d"))
        assert float(scores[name].get_attribute("placeholder") or "nan") == pytest.approx(result.score)
    assert sum(result.score for result in results.values()) == pytest.approx(total, abs=0.01)

    tables = formgrader.locator(".course-checks")
    expect(tables).to_have_count(len(results))
    for table, result in zip(tables.all(), results.values(), strict=True):
        expect(table.locator("tr:has(th)")).to_have_count(len(result.cases))
        assert unreadable(table) == []
    wrong = next(number for number, result in enumerate(results.values()) if not result.passed)
    tables.nth(wrong).locator(
        "tr:has(th)", has_text=re.compile("wrong|stopped|to do")
    ).first.scroll_into_view_if_needed()
    look("10_formgrader_submission")
    scores[next(iter(results))].scroll_into_view_if_needed()
    look("11_formgrader_scores")


def graded(demo: Path) -> dict[str, ExerciseResult]:
    """The records in the student's graded notebook, by exercise."""
    path = demo / "autograded" / STUDENT / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    outputs = [output.get("data", {}) for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    records = [ExerciseResult.from_json(data[RESULT_MIME]) for data in outputs if RESULT_MIME in data]
    assert any(not record.passed for record in records), "choose a student who made a mistake"
    return {record.exercise: record for record in records}
