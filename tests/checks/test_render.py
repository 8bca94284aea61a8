import dataclasses
import html as markup
import io
import json
import re
from contextlib import redirect_stdout
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

from course_lib.checks import render
from course_lib.checks.verdict import RESULT_MIME, CaseResult, ExerciseResult, Outcome, Recognised

HOSTILE = "<script>alert(1)</script><b onclick='x' title=\"y\">&amp;"


class Page(HTMLParser):
    """Which tags a page has, and its text."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.open, self.words = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attributes)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join("".join(f" {word} " for word in self.words).split())


def case(title="large logits", outcome=Outcome.FAILED, **more):
    return CaseResult(title, outcome, **more)


def result(*cases, **more):
    return ExerciseResult("softmax", 4.0, cases, **more)


FULL = result(
    case("a worked example", Outcome.PASSED),
    case(
        hidden=True,
        weight=2.0,
        message="the result is nan, not 0.5",
        called="softmax(tensor([1e4, 0.0]))",
        came="tensor([nan, 0.0])",
        expected="tensor([1.0, 0.0])",
        reason="look for exp of a large number",
        printed="debug\nmore",
    ),
    case("shape", Outcome.RAISED, message="softmax stopped with IndexError"),
    refused=("torch.softmax (line 4)", "torch.logsumexp (line 5)"),
    misconceptions=(Recognised("sums over the wrong axis", "Which axis must add up to 1?"),),
)


def test_every_outcome_has_a_mark_and_a_word():
    for outcome in Outcome:
        for text in (render.text(result(case(outcome=outcome))), Page(render.html(result(case(outcome=outcome)))).text):
            assert render._MARKS[outcome] in text
            assert render._WORDS[outcome] in text
    assert render._MARKS.keys() == render._WORDS.keys() == set(Outcome)
    assert len(set(render._WORDS.values())) == len(Outcome)


def test_the_table_has_a_caption_and_row_headers():
    page = Page(render.html(FULL))
    assert page.open == []
    assert page.tags.count("table") == page.tags.count("caption") == 1
    assert page.tags[page.tags.index("table") + 1] == "caption"
    headers = [attributes for tag, attributes in page.attributes if tag == "th"]
    assert len(headers) == len(FULL.cases)
    assert all(attributes["scope"] == "row" for attributes in headers)


def test_marks_are_not_read_out_and_words_are():
    badge = re.search(r'<span aria-hidden="true">✗</span> wrong', render.html(FULL))
    assert badge


def test_text_and_table_tell_the_same():
    page = Page(render.html(FULL)).text
    for line in render.text(FULL).splitlines():
        for word in line.replace(":", " ").split():
            assert word in page, line


FIELDS = [field.name for field in dataclasses.fields(CaseResult) if field.type == "str" or field.type is str]


@pytest.mark.parametrize("field", FIELDS)
def test_what_a_student_chose_is_escaped_in_a_case(field):
    hostile = dataclasses.replace(case(), **{field: HOSTILE})
    assert "script" not in Page(render.html(result(hostile))).tags
    assert Page(render.html(result(hostile))).tags.count("b") == 0
    assert markup.escape(HOSTILE) in render.html(result(hostile))


@pytest.mark.parametrize(
    "hostile",
    [
        ExerciseResult(HOSTILE, 1.0, (case(),)),
        result(case(), refused=(HOSTILE,)),
        result(case(), misconceptions=(Recognised(HOSTILE, "hint"),)),
        result(case(), misconceptions=(Recognised("name", HOSTILE),)),
        result(case(message=HOSTILE), case("b", message=HOSTILE)),
    ],
)
def test_what_a_student_chose_is_escaped_around_the_cases(hostile):
    assert not {"script", "b"} & set(Page(render.html(hostile)).tags)
    assert HOSTILE in render.text(hostile)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])), st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_no_text_breaks_the_table(title, message):
    page = Page(render.html(result(case(title, message=message), case("b", Outcome.PASSED))))
    assert page.open == []
    ours = {"div", "table", "caption", "colgroup", "col", "tr", "td", "th", "span", "strong", "code"}
    assert set(page.tags) <= ours
    assert page.tags.count("tr") == 2


def test_the_text_as_a_whole():
    assert render.text(FULL).splitlines() == [
        "softmax: 1 of 3 cases passed, 0 of 4 points.",
        "Refused: softmax uses torch.softmax (line 4); torch.logsumexp (line 5). This exercise asks you to build it "
        "yourself, so it earns no points until that is gone.",
        "  ✓ passed   a worked example",
        "  ✗ wrong    large logits (hidden test)",
        "      what:          the result is nan, not 0.5",
        "      called:        softmax(tensor([1e4, 0.0]))",
        "      came:          tensor([nan, 0.0])",
        "      expected:      tensor([1.0, 0.0])",
        "      likely reason: look for exp of a large number",
        "      printed:       debug",
        "                     more",
        "  ✗ stopped  shape",
        "      what:          softmax stopped with IndexError",
        "  It looks as if your softmax sums over the wrong axis. Which axis must add up to 1?",
    ]


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (result(case(outcome=Outcome.PASSED)), "softmax: 1 of 1 case passed, 4 of 4 points."),
        (result(case(), case("b", Outcome.PASSED)), "softmax: 1 of 2 cases passed, 2 of 4 points."),
        (result(case("a"), case("b"), case("c", Outcome.PASSED)), "softmax: 1 of 3 cases passed, 1.33 of 4 points."),
        (result(), "softmax: 0 of 0 cases passed, 0 of 4 points."),
    ],
)
def test_the_summary(made, sentence):
    assert render.summary(made) == sentence
    assert sentence in Page(render.html(made)).text


def test_a_message_that_all_failures_share_is_said_once():
    missing = result(
        case("a", Outcome.MISSING, message="softmax does not exist."),
        case("b", Outcome.MISSING, message="softmax does not exist."),
    )
    for text in (render.text(missing), Page(render.html(missing)).text):
        assert text.count("softmax does not exist.") == 1
    alone = result(case("a", Outcome.MISSING, message="softmax does not exist."))
    assert render.text(alone).count("softmax does not exist.") == 1


def test_a_reason_that_all_failures_share_is_not_lost():
    reason = "Is there a return statement on every path through the function?"
    none = result(
        case("a", message="the result is None", reason=reason), case("b", message="the result is None", reason=reason)
    )
    for text in (render.text(none), Page(render.html(none)).text):
        assert text.count(reason) == 1


def test_a_passed_case_shows_no_details():
    passed = result(case(outcome=Outcome.PASSED, printed="noise", called="softmax(1)"))
    assert "noise" not in render.text(passed) + render.html(passed)


def test_hidden_cases_are_marked_as_such():
    assert "large logits (hidden test)" in render.text(FULL)
    assert "a worked example (hidden test)" not in render.text(FULL)


def test_badges_can_be_read_by_everybody():
    def luminance(colour):
        parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for colour in (render._GREEN, render._RED, render._AMBER):
        assert 1.05 / (luminance(colour) + 0.05) >= 7  # white on it, WCAG AAA


# ------------------------------------------------------------------------------------------------------- showing


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """An IPython as a notebook's kernel has one, which keeps what is displayed."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance(display_pub_class=CapturingDisplayPublisher)
    made.history_manager.enabled = False
    yield made
    made.history_manager.end_session()
    InteractiveShell.clear_instance()


def test_without_a_notebook_the_text_is_printed():
    assert not InteractiveShell.initialized()
    with redirect_stdout(io.StringIO()) as out:
        render.show(FULL)
    assert out.getvalue() == render.text(FULL) + "\n"


def test_in_a_notebook_one_bundle_is_displayed(shell):
    with redirect_stdout(io.StringIO()) as out:
        render.show(FULL)
    (shown,) = shell.display_pub.outputs
    assert shown["data"] == {
        "text/html": render.html(FULL),
        "text/plain": render.text(FULL),
        RESULT_MIME: FULL.to_json(),
    }
    assert json.loads(json.dumps(shown["data"][RESULT_MIME])) == FULL.to_json()
    assert out.getvalue() == ""


def test_cases_that_are_not_shown_are_counted_all_the_same():
    visible = [case for case in FULL.cases if not case.hidden]
    for shown in (render.text(FULL, visible), Page(render.html(FULL, visible)).text):
        assert "softmax: 1 of 3 cases passed, 0 of 4 points." in shown
        assert "Hidden tests: 0 of 1 passed." in shown
        assert "large logits" not in shown
    assert "Hidden tests" not in render.text(FULL) + render.html(FULL)


def test_outcomes_of_any_length_stand_in_one_column():
    lines = render.text(result(case("AAA", Outcome.LIMIT), case("AAA", Outcome.PASSED))).splitlines()[1:]
    assert len({line.index("AAA") for line in lines}) == 1
