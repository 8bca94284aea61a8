"""A student's way through a released notebook, in the real JupyterLab."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.end_to_end.jupyterlab import Notebook, reference_solutions, too_wide, unreadable
from tests.end_to_end.server import ROOT, Server, jupyterlab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ASSIGNMENT = "09_dropout"
DARK, LIGHT = "JupyterLab Dark", "JupyterLab Light"
SOLUTIONS = reference_solutions(ROOT / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")

FORGETS_TO_SCALE = """def dropout(x, p=0.5, training=True, generator=None):
    if not training:
        return x
    return x * (torch.rand(x.shape, generator=generator) >= p)"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("student")
    with jupyterlab(folder, tmp_path_factory.mktemp("home")) as server:
        yield server


@pytest.fixture
def notebook(page: Page, server: Server, tmp_path: Path) -> Iterator[Notebook]:
    """A fresh copy of the released notebook, open in the browser."""
    folder = server.folder / tmp_path.name
    shutil.copytree(ROOT / "release" / ASSIGNMENT, folder)
    yield Notebook(page, server, f"{folder.name}/{ASSIGNMENT}.ipynb")
    server.end_kernels()


@pytest.fixture
def look_light_and_dark(notebook: Notebook, look: Callable[[str], Path]) -> Callable[[str, str], None]:
    """Take a screenshot of a cell in both themes; hold the contrast of every word in its output, and its width."""

    def take(grade_id: str, name: str) -> None:
        for theme in (DARK, LIGHT):
            notebook.theme(theme)
            shown = notebook.output(grade_id).locator(".jp-OutputArea-output")
            poor = unreadable(shown)
            look(f"{name}_{theme.removeprefix('JupyterLab ').lower()}")
            assert poor == [], f"{theme}: too little contrast"
            assert not too_wide(shown)

    return take


def test_as_released_it_runs_and_says_what_to_do(
    notebook: Notebook, look: Callable[[str], Path], look_light_and_dark: Callable[[str, str], None]
) -> None:
    notebook.run_all()

    assert notebook.tracebacks == []
    assert notebook.warnings == []
    assert notebook.exercises == list(SOLUTIONS)
    for name in notebook.exercises:
        assert f"{name} is not written yet" in notebook.says(f"test_{name}")
        cases = notebook.table(f"test_{name}")
        assert cases
        assert "passed" not in "".join(case.outcome for case in cases)
    for picture in notebook.pictures:
        assert "not written yet" in notebook.says(picture)

    look_light_and_dark("test_dropout", "1_stub")
    look_light_and_dark(notebook.pictures[0], "2_picture_of_a_stub")

    said = notebook.validate()
    look("3_validate_fails")
    assert "Success" not in said
    assert said.count("The following cell failed:") == len(SOLUTIONS) + len(notebook.written_questions)
    notebook.close_dialog()

    for name in notebook.exercises:
        badge = notebook.output(f"test_{name}").locator("tr:has(th) td").first.bounding_box()
        assert badge
        assert badge["width"] < 160, f"test_{name}: the column of outcomes is much wider than what stands in it"
    without_data = [picture for picture in notebook.pictures if notebook.output(picture).locator("img").count()]
    assert without_data == [], "these cells show an empty figure"


def test_a_wrong_answer_is_explained_and_a_right_one_turns_green(
    notebook: Notebook, look_light_and_dark: Callable[[str, str], None]
) -> None:
    notebook.run("imports")

    notebook.write("dropout", FORGETS_TO_SCALE)
    notebook.run("dropout")
    notebook.run("test_dropout")
    look_light_and_dark("test_dropout", "4_wrong")
    wrong = [case for case in notebook.table("test_dropout") if "wrong" in case.outcome]
    assert wrong
    assert all("expected:" in case.says or "what:" in case.says for case in wrong)

    notebook.write("dropout", SOLUTIONS["dropout"])
    notebook.run("dropout")
    notebook.run("test_dropout")
    look_light_and_dark("test_dropout", "5_right")
    assert {case.outcome for case in notebook.table("test_dropout")} == {"✓ passed"}
    assert notebook.tracebacks == []


def test_with_every_exercise_solved_all_is_green_and_validate_passes(
    notebook: Notebook, look: Callable[[str], Path], look_light_and_dark: Callable[[str, str], None]
) -> None:
    for name, text in SOLUTIONS.items():
        notebook.write(name, text)
    for name in notebook.written_questions:
        notebook.write(name, "My answer: each draw of a mask is another network, and all of them share their weights.")
    notebook.run_all()

    assert notebook.tracebacks == []
    assert notebook.warnings == []
    for name in notebook.exercises:
        assert {case.outcome for case in notebook.table(f"test_{name}")} == {"✓ passed"}
    for picture in (notebook.pictures[0], notebook.pictures[-1]):
        assert notebook.output(picture).locator("img").count() == 1
        look_light_and_dark(picture, f"6_{picture}")

    saved = {cell.id: cell.source for cell in notebook.save().cells}
    assert {name: saved[name] for name in SOLUTIONS} == SOLUTIONS

    said = notebook.validate()
    look("7_validate_passes")
    assert said.strip() == "Success! Your notebook passes all the tests."
    notebook.close_dialog()

    images = {picture: notebook.output(picture).locator("img").first for picture in notebook.pictures}
    without_words = [picture for picture, image in images.items() if not image.get_attribute("alt")]
    assert without_words == [], "these pictures have no text alternative on the page"
