"""Every notebook runs from top to bottom in an ordinary kernel, as its author's and as a student's machine would."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from course_lib.checks.verdict import RESULT_MIME, ExerciseResult
from course_lib.grader.intake.released import released_view

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "source").glob("*/*.ipynb"))


def execute(notebook: Any) -> Any:
    """Run all cells; an exception stays in the cell's output, to be looked at."""
    return NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=True).execute()


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=[p.stem for p in NOTEBOOKS])
def path(request: pytest.FixtureRequest) -> Path:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def solved(path: Path) -> Any:
    return execute(nbformat.read(path, as_version=4))


@pytest.fixture(scope="module")
def untouched(path: Path) -> Any:
    return execute(released_view(nbformat.read(path, as_version=4)))


def outputs(notebook: Any) -> list[tuple[str, Any]]:
    return [(cell.id, out) for cell in notebook.cells if cell.cell_type == "code" for out in cell.outputs]


def results(notebook: Any) -> list[ExerciseResult]:
    return [
        ExerciseResult.from_json(out.data[RESULT_MIME])
        for _, out in outputs(notebook)
        if RESULT_MIME in out.get("data", {})
    ]


def test_with_solutions_nothing_stops_or_warns(solved: Any) -> None:
    assert [(cell, out.ename) for cell, out in outputs(solved) if out.output_type == "error"] == []
    assert [(cell, out.text) for cell, out in outputs(solved) if out.get("name") == "stderr"] == []


def test_with_solutions_every_exercise_earns_all_points(solved: Any) -> None:
    assert results(solved)
    assert [(r.exercise, r.score) for r in results(solved)] == [(r.exercise, r.points) for r in results(solved)]


def test_with_solutions_every_picture_is_shown_with_words_for_it(solved: Any) -> None:
    pictures = [out for _, out in outputs(solved) if "image/png" in out.get("data", {})]
    assert len(pictures) >= 3
    for picture in pictures:
        assert picture.metadata["image/png"]["alt"].strip()
    said = [out.text for _, out in outputs(solved) if out.output_type == "stream"]
    assert not any("This cell uses your" in text for text in said)


def test_as_released_nothing_ends_in_a_traceback(untouched: Any) -> None:
    assert [(cell, out.ename) for cell, out in outputs(untouched) if out.output_type == "error"] == []
    assert [(cell, out.text) for cell, out in outputs(untouched) if out.get("name") == "stderr"] == []


def test_as_released_every_exercise_says_what_to_do(untouched: Any) -> None:
    assert results(untouched)
    for result in results(untouched):
        assert result.score == 0.0
        assert "not written yet" in result.cases[0].message


def test_as_released_no_case_is_hidden_any_more(untouched: Any) -> None:
    assert not any(case.hidden for result in results(untouched) for case in result.cases)
