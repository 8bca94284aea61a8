"""A notebook open in JupyterLab, driven through what a student has: menus, the toolbar, the keyboard, and eyes."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Locator, Page, expect

from tests.end_to_end.server import Server

PATIENCE = 60_000
"""Milliseconds to wait for anything on a page."""
_RUNS = 180_000  # milliseconds that a whole notebook may run

# Beside every code cell stands [ ]: not run, [*]: waiting or running, or [7]: run as the seventh.
_NUMBERS = """[...document.querySelectorAll('.jp-NotebookPanel .jp-CodeCell .jp-InputPrompt')]
    .map(prompt => prompt.textContent)
    .map(text => text.includes('*') ? Infinity : Number((text.match(/\\d+/) || [0])[0]))"""
_ERROR = '.jp-RenderedText[data-mime-type="application/vnd.jupyter.error"]'
_ALL_RUN = f"""before => {{
    const numbers = {_NUMBERS};
    const stopped = document.querySelector('{_ERROR}');
    return numbers.every(number => number < Infinity && (stopped || number > before));
}}"""


@dataclass(frozen=True)
class Row:
    """One row of a table of cases, as it reads on the page."""

    outcome: str
    says: str


def menu(page: Page, *entries: str) -> None:
    """Choose an entry of JupyterLab's menu: ``menu(page, "Run", "Run All Cells")``."""
    page.locator(".lm-MenuBar-itemLabel", has_text=_exactly(entries[0])).click()
    for entry in entries[1:]:
        page.locator(".lm-Menu-itemLabel", has_text=_exactly(entry)).last.click()


def _exactly(text: str) -> re.Pattern[str]:
    return re.compile(f"^{re.escape(text)}$")


class Notebook:
    """A notebook in the browser.

    It reads the text of elements and not the "inner text", which is empty for cells that are out of sight.

    Args:
        page: a browser page, which it takes over.
        server: the JupyterLab server.
        path: the notebook, relative to the folder that the server serves.

    Attributes:
        file: the notebook's file.
        ids: of all cells, from top to bottom.
        exercises: the ids of the solution cells; the tests of ``softmax`` are in ``test_softmax``.
        written_questions: the ids of the cells for written answers.
        pictures: the ids of the cells that show the student's code at work.
    """

    def __init__(self, page: Page, server: Server, path: str) -> None:
        self.page = page
        self.file = server.folder / path
        cells = self.read().cells
        self.ids = [cell.id for cell in cells]
        graded = [cell for cell in cells if cell.metadata.get("nbgrader", {}).get("solution")]
        self.exercises = [cell.id for cell in graded if cell.cell_type == "code"]
        self.written_questions = [cell.id for cell in graded if cell.cell_type == "markdown"]
        self.pictures = [cell.id for cell in cells if cell.cell_type == "code" and "lab.uses(" in cell.source]
        # A workspace of its own: JupyterLab would open again what was open before.
        page.goto(server.page(f"lab/workspaces/{self.file.parent.name}/tree/{path}"))
        expect(page.locator(".jp-NotebookPanel .jp-Cell")).to_have_count(len(cells))
        self._idle()

    def read(self) -> Any:
        """The notebook's file."""
        return nbformat.read(self.file, as_version=4)

    def cell(self, grade_id: str) -> Locator:
        """The cell of an id, scrolled into view."""
        cell = self.page.locator(self._cell(grade_id))
        cell.scroll_into_view_if_needed()
        return cell

    def run_all(self) -> None:
        """Run every cell, and wait until all have run or one has stopped with an error."""
        before = self._newest()
        menu(self.page, "Run", "Run All Cells")
        self.page.wait_for_function(_ALL_RUN, arg=before, timeout=_RUNS)
        self._idle()

    def run(self, grade_id: str) -> None:
        """Run one cell with the keyboard, and wait for its new number."""
        before = self._newest()
        self._editor(grade_id).press("Control+Enter")
        expect(self.cell(grade_id).locator(".jp-InputPrompt")).to_have_text(f"[{before + 1}]:", timeout=_RUNS)
        self._idle()

    def write(self, grade_id: str, text: str) -> None:
        """Type over what stands in a cell."""
        rendered = self.cell(grade_id).locator(".jp-MarkdownOutput")
        if rendered.is_visible():
            rendered.dblclick()
        self._editor(grade_id).press("Control+a")
        self.page.keyboard.insert_text(text)

    def save(self) -> Any:
        """Save with the keyboard, wait until the tab has no mark of unsaved work, and return what is in the file."""
        self.page.keyboard.press("Control+s")
        expect(self.page.locator(".lm-TabBar-tab.jp-mod-current.jp-mod-dirty")).to_have_count(0)
        return self.read()

    def table(self, grade_id: str) -> list[Row]:
        """The cases that a test cell shows, from top to bottom."""
        rows = self.cell(grade_id).locator(".course-checks tr:has(th)")
        return [Row(*((row.locator(part).text_content() or "").strip() for part in ("td", "th"))) for row in rows.all()]

    def output(self, grade_id: str) -> Locator:
        """A cell's output, scrolled to the middle of the window."""
        self.cell(grade_id)
        output = self.page.locator(self._cell(grade_id)).locator(".jp-OutputArea").first
        output.evaluate("area => area.scrollIntoView({block: 'center'})")
        return output

    def says(self, grade_id: str) -> str:
        """All text in a cell's output."""
        return self.output(grade_id).text_content() or ""

    @property
    def tracebacks(self) -> list[str]:
        """The error outputs on the page."""
        return self.page.locator(_ERROR).all_text_contents()

    @property
    def warnings(self) -> list[str]:
        """What cells wrote to stderr."""
        shown = self.page.locator('.jp-RenderedText[data-mime-type="application/vnd.jupyter.stderr"]')
        return shown.all_text_contents()

    def validate(self) -> str:
        """Press nbgrader's *Validate*, and return what its dialog says; the dialog stays open."""
        self.page.locator(".jp-NotebookPanel-toolbar").get_by_text("Validate", exact=True).click()
        message = self.page.locator(".jp-Dialog #validation-message")
        message.wait_for(timeout=_RUNS)
        return message.text_content() or ""

    def close_dialog(self) -> None:
        """Press the dialog's button."""
        self.page.locator(".jp-Dialog button.jp-mod-accept").click()
        expect(self.page.locator(".jp-Dialog")).to_have_count(0)

    def theme(self, name: str) -> None:
        """Choose a theme in the menu, such as ``JupyterLab Dark``."""
        menu(self.page, "Settings", "Theme", name)
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-name", name)

    def _newest(self) -> int:
        return int(self.page.evaluate(f"Math.max(0, ...{_NUMBERS})"))

    def _cell(self, grade_id: str) -> str:
        return f'.jp-NotebookPanel .jp-Cell[data-windowed-list-index="{self.ids.index(grade_id)}"]'

    def _editor(self, grade_id: str) -> Locator:
        editor = self.cell(grade_id).locator(".cm-content").first
        editor.click()
        return editor

    def _idle(self) -> None:
        indicator = '.jp-NotebookPanel .jp-Notebook-ExecutionIndicator[data-status="idle"]'
        self.page.locator(indicator).wait_for()


# For every piece of text inside an element: its colour on what is behind it, all opacities counted.
_CONTRASTS = """root => {
    const parse = text => {
        const [r, g, b, a] = text.match(/[\\d.]+/g).map(Number);
        return {r, g, b, a: a === undefined ? 1 : a};
    };
    const over = (top, below) => ({
        r: top.r * top.a + below.r * (1 - top.a),
        g: top.g * top.a + below.g * (1 - top.a),
        b: top.b * top.a + below.b * (1 - top.a),
        a: 1,
    });
    const linear = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const luminance = c => 0.2126 * linear(c.r) + 0.7152 * linear(c.g) + 0.0722 * linear(c.b);
    const found = [];
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
        if (!text || element.closest('style, script') || !element.getClientRects().length) continue;
        const line = [];
        for (let at = element; at; at = at.parentElement) line.unshift(at);
        let behind = {r: 255, g: 255, b: 255, a: 1}, opacity = 1;
        for (const at of line) {
            const style = getComputedStyle(at);
            opacity *= Number(style.opacity);
            behind = over(parse(style.backgroundColor), behind);
        }
        const ink = parse(getComputedStyle(element).color);
        const lights = [luminance(over({...ink, a: ink.a * opacity}, behind)), luminance(behind)].sort((a, b) => b - a);
        found.push([text, Math.round(100 * (lights[0] + 0.05) / (lights[1] + 0.05)) / 100]);
    }
    return found;
}"""


def contrasts(parts: Locator) -> list[tuple[str, float]]:
    """Every text in parts of a page, with the contrast to its background as WCAG 2 defines it (1 to 21)."""
    return [(text, ratio) for part in parts.all() for text, ratio in part.evaluate(_CONTRASTS)]


def unreadable(parts: Locator) -> list[tuple[str, float]]:
    """The texts whose contrast is below the 4.5 that WCAG 2 asks of ordinary text."""
    return [(text, ratio) for text, ratio in contrasts(parts) if ratio < 4.5]


def too_wide(parts: Locator) -> bool:
    """Whether any of these parts of a page is cut off or has to be scrolled sideways."""
    return bool(parts.evaluate_all("parts => parts.some(part => part.scrollWidth > part.clientWidth + 1)"))


def reference_solutions(source: Path) -> dict[str, str]:
    """The text of every solution cell of a source notebook, by grade_id, without nbgrader's markers."""
    cells = [cell for cell in nbformat.read(source, as_version=4).cells if cell.cell_type == "code"]
    marker = re.compile(r"^[ \t]*### (?:BEGIN|END) SOLUTION[ \t]*\n?", re.MULTILINE)
    return {
        cell.metadata.nbgrader.grade_id: marker.sub("", cell.source).rstrip()
        for cell in cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
