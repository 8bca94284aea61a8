"""Every notebook in the real JupyterLab, as released and with all exercises solved, on a light and on a dark page."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page

from tests.end_to_end.jupyterlab import Notebook, reference_solutions, too_wide, unreadable
from tests.end_to_end.server import ROOT, Server, jupyterlab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ASSIGNMENTS = sorted(path.stem for path in (ROOT / "source").glob("*/*.ipynb"))
THEMES = {"dark": "JupyterLab Dark", "light": "JupyterLab Light"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("student")
    with jupyterlab(folder, tmp_path_factory.mktemp("home")) as server:
        yield server


@pytest.mark.parametrize("solved", [False, True], ids=["as released", "solved"])
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_it_runs_without_a_warning_and_all_of_it_can_be_read(
    assignment: str, solved: bool, page: Page, server: Server, tmp_path: Path, look: Callable[[str], Path]
) -> None:
    folder = server.folder / tmp_path.name
    shutil.copytree(ROOT / "release" / assignment, folder)
    solutions = reference_solutions(ROOT / "source" / assignment / f"{assignment}.ipynb")
    if solved:
        put_in(solutions, folder / f"{assignment}.ipynb")
    notebook = Notebook(page, server, f"{folder.name}/{assignment}.ipynb")
    try:
        notebook.run_all()

        assert notebook.tracebacks == []
        assert notebook.warnings == []
        for name in solutions:
            outcomes = {case.outcome for case in notebook.table(f"test_{name}")}
            assert outcomes == {"✓ passed"} if solved else outcomes and "✓ passed" not in outcomes
        for theme, title in THEMES.items():
            notebook.theme(title)
            for cell in [*notebook.pictures, *(f"test_{name}" for name in solutions)]:
                shown = notebook.output(cell).locator(".jp-OutputArea-output")
                assert unreadable(shown) == [], f"{cell}, {theme}: too little contrast"
                assert not too_wide(shown), f"{cell} is wider than the page"
                if cell in notebook.pictures:
                    look(f"{assignment}_{'solved' if solved else 'released'}_{cell}_{theme}")
                    assert notebook.output(cell).locator("img[alt]").count() == solved, cell
    finally:
        server.end_kernels()


def put_in(solutions: dict[str, str], path: Path) -> None:
    """Write solutions into the cells of a released notebook."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = solutions.get(cell.id, cell.source)
    nbformat.write(notebook, path)
