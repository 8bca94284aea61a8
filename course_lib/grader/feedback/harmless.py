"""What plugs into nbgrader so that a student's outputs do nothing on the pages that show them.

nbgrader's pages and JupyterLab show rich outputs as they are: scripts, frames, pictures fetched from anywhere. The
graded notebook keeps what figures and tables need, and nothing that acts.
"""

import base64
import re
from html import escape
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution
from traitlets import List

from course_lib.checks import render
from course_lib.checks.verdict import RESULT_MIME, ExerciseResult
from course_lib.grader.feedback.markup import MAX_MARKUP, Markdown, harmless, length
from course_lib.grader.notebooks import node

_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
_TEXTS = ("text/plain", "text/latex")
_PICTURES = ("image/png", "image/jpeg")
_MAX_DRAWING = 1_000_000

# nbconvert copies the rest of a text at each sequence, and the rest of a sequence at each of its numbers.
# One without its last letter counts too: that may come from what a page makes of the < behind it.
_SEQUENCE = re.compile(r"\x1b\[[^@-~\n\x1b]*[@-~]?")
_MAX_SEQUENCE = 60  # two colours of three numbers each
_MAX_SEQUENCES = 2_000
_MAX_COPIED = 500_000_000


class HarmlessOutputs(NbGraderPreprocessor):  # type: ignore[misc]
    """Keeps of every output what is text, a table or a picture.

    Called by ``nbgrader autograde`` after the notebook ran, and by ``nbgrader generate_feedback`` for notebooks that
    were graded without it. Invariants: scores and the records of test cells stay as they are; no kind of output is left
    that a page or JupyterLab would run, fetch, or show in a frame; a second pass changes nothing.
    """

    # The exporter sets this for every preprocessor; without the trait nbgrader would warn about it for each student.
    display_data_priority = List(["text/html", "text/plain"]).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Called once for each notebook; see the class."""
        nb.metadata.pop("widgets", None)
        self._markup_left = MAX_MARKUP * 2
        self._markdown = Markdown()
        self._copied_left = _MAX_COPIED
        for cell in nb.cells:
            if cell.cell_type != "code":
                continue
            test = is_grade(cell) and not is_solution(cell)
            for output in cell.outputs:
                if output.output_type == "stream":
                    output.text = self._calm(_text(output.text))
                elif output.output_type == "error":
                    output.traceback = [self._calm(_text(line)) for line in output.traceback]
                if "data" in output:
                    output.data, left_out = self._data(output.data, test)
                    output.metadata = _metadata(output.get("metadata"))
                    if left_out and not output.data:
                        output.data["text/plain"] = f"(An output was left out: {', '.join(left_out)[:200]}.)"
        return nb, resources

    def _data(self, bundle: dict[str, Any], test: bool) -> tuple[NotebookNode, list[str]]:
        """What is kept of an output's data, and the kinds that are not."""
        kept, left_out = node(), []
        for mime, value in bundle.items():
            text = _text(value)
            if mime in _TEXTS or (mime in _PICTURES and _BASE64.fullmatch(text)):
                kept[mime] = self._calm(text) if mime == "text/plain" else text
            elif not (mime == RESULT_MIME and test):
                left_out.append(mime)
        record = _record(bundle.get(RESULT_MIME)) if test else None
        if record:
            kept[RESULT_MIME] = bundle[RESULT_MIME]
        markup = render.html(record) if record else self._markup(bundle)
        if markup:
            kept["text/html"] = markup
        return kept, left_out

    def _calm(self, text: str) -> str:
        """A text with as many ANSI sequences (colours) as a page can be made with in a moment, and without the others.

        They are charged by what nbconvert will copy for them, for all outputs of a notebook together.
        """
        if "\x1b" not in text:
            return text
        most = min(_MAX_SEQUENCES, self._copied_left // len(text))
        parts: list[str] = []
        number = end = 0
        for number, found in enumerate(_SEQUENCE.finditer(text), 1):
            if number > most:
                # A lone escape could begin a sequence with what comes to stand behind it.
                parts.append(_SEQUENCE.sub("", text[end:]).replace("\x1b", ""))
                end = len(text)
                break
            parts.append(text[end : found.start()])
            parts.append(found.group() if len(found.group()) <= _MAX_SEQUENCE else "\x1b[m")
            end = found.end()
        parts.append(text[end:])
        self._copied_left -= min(number, most) * len(text)
        return "".join(parts)

    def _markup(self, bundle: dict[str, Any]) -> str:
        """The HTML of an output; Markdown and drawings become HTML, which is all that can be made harmless."""
        html, markdown, drawing = (_text(bundle.get(m)) for m in ("text/html", "text/markdown", "image/svg+xml"))
        if not html and markdown:
            html = self._markdown.html(markdown)
        if not html and drawing and len(drawing) <= _MAX_DRAWING:
            encoded = base64.b64encode(drawing.encode("utf-8", "replace")).decode("ascii")
            alt = escape(_text(bundle.get("text/plain"))[:200] or "a drawing")
            html = f'<img alt="{alt}" src="data:image/svg+xml;base64,{encoded}">'
        self._markup_left -= length(html)
        return harmless(html) if self._markup_left >= 0 else ""


def _metadata(metadata: Any) -> NotebookNode:
    """Sizes and text alternatives; nbconvert writes a width into the page as it comes."""
    kept = node()
    for mime in _PICTURES:
        given = metadata.get(mime) if isinstance(metadata, dict) else None
        if isinstance(given, dict):
            sizes = {k: given[k] for k in ("width", "height") if type(given.get(k)) in (int, float)}
            alt = {"alt": given["alt"]} if isinstance(given.get("alt"), str) else {}
            kept[mime] = node(sizes | alt)
    return kept


def _text(value: Any) -> str:
    text = "".join(map(str, value)) if isinstance(value, list) else value
    return text if isinstance(text, str) else ""


def _record(data: Any) -> ExerciseResult | None:
    try:
        return None if data is None else ExerciseResult.from_json(data)
    except ValueError:
        return None
