"""What a student's outputs and texts may put on a page: text, tables, pictures, and nothing that acts."""

import base64
import time
from html import escape as html_escape
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbconvert.exporters import HTMLExporter
from nbconvert.filters import ansi as nbconvert_ansi
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_lib.checks.render import bundle, html
from course_lib.checks.verdict import RESULT_MIME, CaseResult, ExerciseResult, Outcome
from course_lib.grader.feedback import markup
from course_lib.grader.feedback.harmless import HarmlessOutputs
from course_lib.grader.feedback.markup import MAX_MARKDOWN, MAX_MARKDOWN_OF_ALL, MAX_MARKUP, MAX_OPENERS, harmless
from course_lib.grader.nbgrader_steps import load_config

from .conftest import ROOT, source_notebook

PNG = base64.b64encode(b"\x89PNG, or not").decode()
RECORD = ExerciseResult("double", 2.0, (CaseResult("a case", Outcome.FAILED, message="no", called="f(1)", came="<b>"),))
ATTACKS = [
    "<script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src='http://example.org/seen.png'>",
    '<img src="data:text/html;base64,PHNjcmlwdD4=">',
    "<svg onload=alert(1)><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' jav&#x09;ascript:alert(1)'>x</a>",
    "<a href='/formgrader/api/x'>x</a>",
    "<form action='http://example.org'><input name=x><button>go</button></form>",
    "<meta http-equiv=refresh content='0;url=http://example.org'>",
    "<base href='http://example.org/'>",
    "<link rel=stylesheet href='http://example.org/x.css'>",
    "<object data=x></object><embed src=x>",
    "<div style='background-image:url(http://example.org/x)'>x</div>",
    "<div style='color:\\75 rl(http://example.org/x)'>x</div>",
    "<div style='position:fixed;top:0;left:0;width:100%'>x</div>",
    "<input class='score' id='test_double' data-link='x'><div class='nbgrader_cell' id='notebook' name='x'>x</div>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<b title='\"><img src=x onerror=alert(1)>'>x</b>",
    "<style>@import 'http://example.org/x.css'</style>",
    '"><script>alert(1)</script>',
]
PIECES = [*"<>\"'/=! -abp", "script", "<b ", "</", "<!--", "-->", "style=", "&lt;", "&#60;", "<table>", "<td>", "<p>"]
ACTING = {
    "script",
    "style",
    "iframe",
    "object",
    "embed",
    "form",
    "input",
    "button",
    "meta",
    "base",
    "link",
    "svg",
    "math",
}


class Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def assert_harmless(markup: str) -> None:
    for tag, attributes in Elements(markup).found:
        assert tag not in ACTING
        for name, value in attributes.items():
            assert not name.startswith(("on", "data-"))
            assert name not in ("id", "name", "srcdoc")
            assert (name, value) == ("class", "course-checks") or name != "class"
            if name == "src":
                assert (value or "").startswith("data:image/")
            if name == "href":
                assert (value or "").startswith(("http://", "https://", "mailto:", "#"))
            if name == "style":
                assert not {"url", "position", "\\"} & set((value or "").replace("(", " ").replace(":", " ").split())


@pytest.mark.parametrize("attack", ATTACKS)
def test_markup_that_acts_is_left_out(attack: str) -> None:
    assert_harmless(harmless(attack))


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_markup_comes_out_harmless_and_the_second_time_unchanged(markup: str) -> None:
    once = harmless(markup)
    assert_harmless(once)
    assert harmless(once) == once


def test_tables_and_pictures_keep_their_looks() -> None:
    frame = '<div><table border="1"><thead><tr><th></th><th>a</th></tr></thead><tbody><tr><th>0</th><td>1</td></tr>'
    assert "<th>a</th></tr></thead><tbody><tr><th>0</th><td>1</td></tr>" in harmless(frame)
    figure = f'<img alt="It &lt; falls" style="max-width:100%" src="data:image/png;base64,{PNG}">'
    assert dict(Elements(harmless(figure)).found)["img"] == {
        "alt": "It < falls",
        "style": "max-width:100%;",
        "src": f"data:image/png;base64,{PNG}",
    }
    assert harmless("<p>a &lt; b &amp; c</p>") == "<p>a &lt; b &amp; c</p>"


def test_the_table_of_cases_keeps_every_style() -> None:
    made, kept = Elements(html(RECORD)).found, Elements(harmless(html(RECORD))).found
    kept = [element for element in kept if element[0] != "tbody"]
    assert [tag for tag, _ in kept] == [tag for tag, _ in made]
    for (_, before), (_, after) in zip(made, kept, strict=True):
        assert {name: (value or "").rstrip(";") for name, value in after.items()} == before


@pytest.mark.parametrize(
    "attack",
    [
        "<!--",
        "<?",
        "<b a='",
        '<b title="',
        "</b",
        "<b>",
        "<div>",
        "<table><b>",
        "<a href='http://x'>",
        "<![CDATA[",
        "&#",
    ],
)
def test_no_markup_takes_long(attack: str) -> None:
    began = time.process_time()
    harmless(attack * (20_000 // len(attack)))
    assert time.process_time() - began < 5


def test_too_much_markup_is_left_out_and_pictures_do_not_count() -> None:
    assert harmless("<b>" * MAX_MARKUP) == f"<p>(Markup of {3 * MAX_MARKUP:,} characters was left out.)</p>"
    picture = f'<img alt="" src="data:image/png;base64,{"A" * MAX_MARKUP}">'
    assert "A" * MAX_MARKUP in harmless(picture)


# --------------------------------------------------------------------------------------------------- outputs


def cleaned(data: dict[str, Any], *, test: bool = False, metadata: dict[str, Any] | None = None) -> NotebookNode:
    nb = source_notebook()
    cell = nb.cells[3 if test else 7]
    cell.outputs = [new_output("display_data", data=data, metadata=metadata or {})]
    nb.metadata.widgets = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    nb, _ = HarmlessOutputs().preprocess(nb, {})
    assert "widgets" not in nb.metadata
    again = str(nb)
    assert str(HarmlessOutputs().preprocess(nb, {})[0]) == again
    return cell.outputs[0]


def test_text_pictures_and_formulas_stay() -> None:
    data = {"text/plain": "x", "text/latex": "$x$", "image/png": PNG, "image/jpeg": PNG}
    assert cleaned(data).data == data


@pytest.mark.parametrize(
    "kind",
    [
        "application/javascript",
        "application/vnd.jupyter.widget-view+json",
        "application/vnd.plotly.v1+json",
        "text/vnd.mermaid",
        "application/pdf",
        "application/json",
        RESULT_MIME,  # a record in a student's own cell is a forgery
    ],
)
def test_other_kinds_are_left_out_and_said_to_be(kind: str) -> None:
    assert cleaned({kind: "alert(1)", "text/plain": "x"}).data == {"text/plain": "x"}
    assert cleaned({kind: "alert(1)"}).data == {"text/plain": f"(An output was left out: {kind}.)"}


def test_a_picture_that_is_none_is_left_out() -> None:
    assert "image/png" not in cleaned({"image/png": '" onerror="alert(1)', "text/plain": "x"}).data


def test_markdown_becomes_harmless_html() -> None:
    shown = cleaned({"text/markdown": "**bold** <script>alert(1)</script> [x](javascript:alert(1))", "text/plain": "x"})
    assert set(shown.data) == {"text/html", "text/plain"}
    assert "<strong>bold</strong>" in shown.data["text/html"]
    assert_harmless(shown.data["text/html"])


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The Markdown texts that nbconvert was asked to render."""
    asked: list[str] = []

    class Asked(markup.MarkdownWithMath):
        def render(self, source: str) -> str:
            asked.append(source)
            return str(super().render(source))

    monkeypatch.setattr(markup, "MarkdownWithMath", Asked)
    return asked


SLOW = ["\\\\[", "\\\\(", "\\begin{a}", "\\begin{}", "\\\\[\n", "- \\\\[\n", "\\\\[\\\\\\]", "$\\\\("]


@pytest.mark.parametrize("slow", SLOW)
def test_markdown_that_begins_very_many_formulas_is_shown_as_it_was_written(slow: str, rendered: list[str]) -> None:
    text = "<b>" + slow * (MAX_OPENERS + 1)
    for shown in (cleaned({"text/markdown": text}).data["text/html"], page(new_markdown_cell(text))):
        assert f"(This text is shown as it was written: it begins more than {MAX_OPENERS} formulas.)" in shown
        assert f"&lt;b&gt;{slow}" in shown
    assert rendered == []


@pytest.mark.parametrize("slow", SLOW)
def test_markdown_that_is_rendered_takes_no_longer_for_formulas_that_do_not_end(slow: str) -> None:
    text = slow * MAX_OPENERS
    began = time.process_time()
    shown = cleaned({"text/markdown": text + "a" * (MAX_MARKDOWN - len(text))}).data["text/html"]
    assert time.process_time() - began < 5
    assert "as it was written" not in shown


def test_too_long_markdown_is_shown_as_it_was_written(rendered: list[str]) -> None:
    text = "<b>" + "*a* " * (MAX_MARKDOWN // 4)
    for shown in (cleaned({"text/markdown": text}).data["text/html"], page(new_markdown_cell(text))):
        assert f"it has more than {MAX_MARKDOWN:,} characters.)" in shown
        assert "&lt;b&gt;*a* *a*" in shown
    assert rendered == []


def test_all_markdown_of_a_notebook_together_has_a_limit(rendered: list[str]) -> None:
    texts = [f"*number {number}* <b>" + "a" * (MAX_MARKDOWN - 100) for number in range(20)]
    most = MAX_MARKDOWN_OF_ALL // len(texts[0])
    outputs = [new_output("display_data", data={"text/markdown": text}) for text in texts]
    nb, _ = HarmlessOutputs().preprocess(new_notebook(cells=[new_code_cell("x", outputs=outputs[:16])]), {})
    assert len(rendered) == most
    assert "<em>number 1</em>" in nb.cells[0].outputs[1].data["text/html"]
    assert "those before it have used up what a notebook may have" in nb.cells[0].outputs[most].data["text/html"]
    rendered.clear()
    shown = page(*map(new_markdown_cell, texts))
    assert len(rendered) == most
    assert "<em>number 1</em>" in shown
    assert "<pre>*number 19* &lt;b&gt;a" in shown
    assert "<em>number 19</em>" in page(new_markdown_cell(texts[19]))  # the next page begins anew


def test_code_in_markdown_is_shown_without_patterns_of_its_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbconvert.filters.markdown_mistune.highlight", lambda *args: 1 / 0)
    shown = cleaned({"text/markdown": "```python\nx < 1\n```"}).data["text/html"]
    assert "<pre><code>x &lt; 1\n</code></pre>" in shown


# What nbconvert does with text: it copies the rest of it at each sequence, and the rest of a sequence at each number.
COLOURS = [
    "\x1b[m",
    "\x1b[31m",
    "\x1b[0K",
    "\x1b[",
    "\x1b[<\n",
    "\x1b[;m<",
    "\x1b[1\x1b[m",
    "\x1b\x1b[m[m",
    "\x1b[38;5;9ma",
]


def sequences(text: str) -> int:
    """How often nbconvert will copy."""
    return len(nbconvert_ansi._ANSI_RE.findall(html_escape(text)))


@pytest.mark.parametrize("colour", COLOURS)
def test_of_very_many_colours_only_the_first_stay(colour: str) -> None:
    text = "a <b>\n" + colour * 10_000 + "\nz"
    nb = new_notebook(cells=[new_code_cell("x")])
    nb.cells[0].outputs = [
        new_output("stream", text=text),
        new_output("error", ename="E", evalue="", traceback=[text, "line"]),
        new_output("display_data", data={"text/plain": text}),
    ]
    nb, _ = HarmlessOutputs().preprocess(nb, {})
    once = str(nb)
    assert str(HarmlessOutputs().preprocess(nb, {})[0]) == once
    stream, error, plain = nb.cells[0].outputs
    for left in (stream.text, error.traceback[0], plain.data["text/plain"]):
        assert sequences(left) <= 2_000
        assert (left[:6], left[-2:]) == ("a <b>\n", "\nz")
        assert left.startswith("a <b>\n" + colour * 500)
    assert error.traceback[1] == "line"


def test_honest_colours_stay() -> None:
    text = "".join(
        f"\x1b[38;2;1;22;{number}m{number}\x1b[0m and \x1b[1;31mred\x1b[39;49;00m\x1b[K\n" for number in range(400)
    )
    assert cleaned({"text/plain": text}).data["text/plain"] == text


def test_a_sequence_of_very_many_numbers_is_left_out() -> None:
    text = "a\x1b[" + "1;" * 1000 + "mz"
    assert cleaned({"text/plain": text}).data["text/plain"] == "a\x1b[mz"
    hidden = "a\x1b\x1b[" + "1;" * 1000 + "m[" + "2;" * 1000 + "mz"  # what is left does not become one
    left = cleaned({"text/plain": hidden}).data["text/plain"]
    assert max(len(found) for found, _ in nbconvert_ansi._ANSI_RE.findall(left)) < 60


def test_all_texts_of_a_notebook_together_have_a_limit_of_colours() -> None:
    nb = new_notebook(cells=[new_code_cell("x") for _ in range(10)])
    for cell in nb.cells:
        cell.outputs = [new_output("stream", text="\x1b[m" * 1900 + "a" * 1_000_000)]
    nb, _ = HarmlessOutputs().preprocess(nb, {})
    copied = [sequences(cell.outputs[0].text) * len(cell.outputs[0].text) for cell in nb.cells]
    assert 0 < sum(copied) <= 600_000_000
    assert all(cell.outputs[0].text.endswith("a" * 1_000_000) for cell in nb.cells)


def test_a_drawing_becomes_a_picture_which_runs_nothing() -> None:
    drawing = "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    shown = cleaned({"image/svg+xml": drawing, "text/plain": "<Figure>"}).data["text/html"]
    ((tag, attributes),) = Elements(shown).found
    encoded = base64.b64encode(drawing.encode()).decode()
    assert (tag, attributes) == ("img", {"alt": "<Figure>", "src": f"data:image/svg+xml;base64,{encoded}"})


def test_of_metadata_sizes_and_text_alternatives_stay() -> None:
    given = {
        "image/png": {"width": "1 onload=alert(1)", "height": 20, "alt": "it falls", "unconfined": True},
        "filenames": {"image/png": "http://example.org/seen.png"},
        "text/html": {"isolated": True},
    }
    assert cleaned({"image/png": PNG}, metadata=given).metadata == {"image/png": {"height": 20, "alt": "it falls"}}


def test_a_test_cells_record_and_table_stay_and_the_table_is_made_of_the_record() -> None:
    data = bundle(RECORD)
    assert cleaned(data, test=True).data == data
    assert cleaned({**data, "text/html": ATTACKS[0]}, test=True).data == data


def test_many_outputs_take_no_longer_than_two() -> None:
    nb = new_notebook(cells=[new_code_cell("x")])
    big = {"text/html": "<p>x</p>" * (MAX_MARKUP // 10), "text/plain": "x"}
    nb.cells[0].outputs = [new_output("display_data", data=big) for _ in range(20)]
    nb, _ = HarmlessOutputs().preprocess(nb, {})
    assert sum("text/html" in output.data for output in nb.cells[0].outputs) == 2
    assert all(output.data["text/plain"] == "x" for output in nb.cells[0].outputs)


# ----------------------------------------------------------------------------------------------------- pages


def page(*cells: NotebookNode) -> str:
    """The cells on a page made with the course's own settings, as Formgrader makes it (without its frame)."""
    config = load_config(ROOT)
    config.HTMLExporter.template_name = "classic"
    made, _ = HTMLExporter(config=config).from_notebook_node(new_notebook(cells=list(cells)))
    return str(made)


@pytest.mark.parametrize("attack", [*ATTACKS, "[x](javascript:alert(1))", "![x](http://example.org/seen.png)"])
def test_a_written_answer_shows_and_does_nothing_on_nbgraders_pages(attack: str) -> None:
    shown = page(new_markdown_cell(f"START\n\n{attack}\n\nEND"))
    assert_harmless(
        shown[shown.index("START") : shown.rindex("END")] if "END" in shown else shown[shown.index("START") :]
    )
    assert "alert(1)</script>" not in shown[shown.index("START") :]


def test_a_written_answer_keeps_formulas_tables_and_folds() -> None:
    shown = page(
        new_markdown_cell("$a < b$\n\n|a|b|\n|-|-|\n|1|2|\n\n<details><summary>why</summary>because</details>")
    )
    assert "$a &lt; b$" in shown
    assert "<td>1</td>" in shown
    assert "<details><summary>why</summary>because</details>" in shown


@pytest.mark.parametrize("text", ["![x](attachment:gone.png)", "[" * 3000, "> " * 3000, "*" * 5000, "$" * 4999])
def test_no_written_answer_stops_the_page(text: str) -> None:
    assert "END" in page(new_markdown_cell(text), new_markdown_cell("END"))


def test_outputs_of_notebooks_graded_long_ago_are_cleaned_on_the_page() -> None:
    old = new_code_cell("x")
    old.outputs = [new_output("display_data", data={"text/html": "START<img src=x onerror=alert(1)>"})]
    old.outputs.append(new_output("display_data", data={"application/javascript": "alert(1)"}))
    shown = page(old)
    assert "alert(1)" not in shown[shown.index("START") :]
