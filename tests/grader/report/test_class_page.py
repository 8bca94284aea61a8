"""The class report: what it says, that it stands up to hostile text, and that every class, however odd, renders."""

import base64
import hashlib
import itertools
import math
import re
from pathlib import Path

import pytest

from course_lib.checks.verdict import Outcome as CaseOutcome
from course_lib.grader.report import write_report
from course_lib.grader.report.data import by_assignment
from course_lib.grader.report.outcomes import CASE_OUTCOMES, SUBMISSION_OUTCOMES, submission_outcome
from course_lib.grader.report.pages import page_name
from course_lib.grader.report.pictures import (
    bin_edges,
    histogram,
    misconceptions_found,
    points_by_exercise,
    score_distribution,
)
from course_lib.grader.report.statistics import item_analysis, misconceptions, summary
from course_lib.grader.results import Outcome

ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style></svg><script>alert(1)</script>",
    "'; alert(1); '",
    "{{ 7 * 7 }}{% raw %}",
    "$\\frac{1}{2$ ]]> <!-- --> &lt;b&gt;",
    "\x00\x1b[31mred\u202eesrever\ud800",
    "מחמד 小明 Ωμέγα 👩‍🔬 a\u0301",
]


@pytest.fixture
def write(tmp_path, build):
    """Write the report of some results; returns the text and the parsed page of an assignment."""

    def written(results, assignment="09_dropout", **options):
        index = write_report(tmp_path, results, tmp_path / "report", **options)
        html = (index.parent / page_name(assignment)).read_text(encoding="utf-8")
        return html, build.page(html)

    return written


def test_index_links_every_assignment(tmp_path, build):
    results = [
        build.result("s1", [build.record()], score=4.0, assignment=name) for name in ("09_dropout", "02_backprop")
    ]
    index = write_report(tmp_path, results, tmp_path / "out" / "report")
    assert index == tmp_path / "out" / "report" / "index.html"
    page = build.page(index.read_text(encoding="utf-8"))
    links = [attributes["href"] for attributes in page.all("a") if attributes["href"] != "#content"]
    assert links == ["02_backprop.html", "09_dropout.html"]
    assert all((index.parent / link).is_file() for link in links)
    assert page.table("2 assignments").rows[1][:2] == ["09_dropout", "1"]


def test_no_results_at_all_is_an_index_that_says_so(tmp_path, build):
    page = build.page(write_report(tmp_path, [], tmp_path / "report").read_text(encoding="utf-8"))
    assert "Nothing is graded yet" in page.words


def test_headline_numbers(write, small_class):
    _, page = write(small_class)
    start = page.words[page.words.index("all assignments") :]
    assert "submissions 6" in start
    assert "with a score 5" in start
    assert "needs a human 1" in start
    assert "mean, of 6 2.6" in start  # (6 + 3 + 1 + 2 + 1) / 5
    assert "median, of 6 2" in start
    assert "late 1" in start


def test_who_needs_a_human_comes_first_with_the_reason_and_what_to_do(write, small_class):
    _, page = write(small_class)
    at = [page.words.index(words) for words in ("Needs a human: 1 submission", "Outcomes of 6 submissions")]
    assert at == sorted(at)
    listed = page.words[at[0] : at[1]]
    assert "Student s6" in listed
    assert "no bubblewrap" in listed
    assert "What to do: Mend what the reason names" in listed


def test_outcomes_are_counted_and_explained(write, small_class):
    _, page = write(small_class)
    rows = page.table("Outcomes of 6").rows
    assert {row[0]: row[1] for row in rows} == {
        "all right": "1",
        "partly right": "3",
        "crashed": "1",
        "grader error": "1",
    }
    assert all(row[2] for row in rows)


def test_item_table(write, small_class):
    _, page = write(small_class)
    dropout = page.table("Item analysis: 5 submissions").rows[1]
    assert dropout[:5] == ["dropout", "4", "30 %", "1 of 5", "1"]
    assert "+0.27: tells students apart fairly well (few submissions" in dropout[5]
    assert "refused function was used by 1 student" in dropout[6]
    assert "case 1: 3 of 4" in dropout[6]


def test_misconceptions_are_tabled_with_count_hint_and_students(write, small_class):
    _, page = write(small_class)
    rows = page.table("Misconceptions recognised").rows
    assert rows == [["dropout", "forgets to scale", "2", "hint for forgets to scale", "Student s2, Student s5"]]


def test_full_table_has_every_student(write, small_class):
    _, page = write(small_class)
    rows = page.table("6 submissions, by name").rows
    assert [row[1] for row in rows] == ["s1", "s2", "s3", "s4", "s5", "s6"]
    assert rows[1][2] == "3 of 6"
    assert rows[1][4] == "1 day 1 hour"
    assert rows[5][2:4] == ["no score", "grader error"]


def test_what_to_look_at_first(write, small_class):
    _, page = write(small_class)
    assert "Hardest exercise: dropout. On average 30 % of its points; 2 of 5 students earned none" in page.words
    assert "Most frequent misconception: forgets to scale (dropout), in the work of 2 students." in page.words
    assert "Case that most did not pass: “case 1” of dropout, 3 of the 4 who wrote something for it." in page.words


@pytest.mark.parametrize("outcome", [*Outcome])
def test_every_outcome_of_the_grader_has_an_explanation(outcome):
    known = submission_outcome(outcome.value)
    if outcome is Outcome.WRITTEN:
        return  # of cells only, never of a submission
    assert outcome.value in SUBMISSION_OUTCOMES
    assert known.meaning.endswith(".")
    assert known.student.endswith(".")
    assert (known.kind == "human") == outcome.needs_human
    assert bool(known.to_do) == outcome.needs_human


@pytest.mark.parametrize("outcome", [*CaseOutcome])
def test_every_outcome_of_a_case_has_a_word_and_an_explanation(outcome):
    assert CASE_OUTCOMES[outcome].label
    assert CASE_OUTCOMES[outcome].meaning.endswith((".", "?"))


def test_every_picture_has_a_text_alternative(write, small_class):
    html, page = write(small_class)
    pictures = page.all("svg")
    assert len(pictures) == 3
    assert all(picture["role"] == "img" for picture in pictures)
    scores, exercises, beliefs = (picture["aria-label"] for picture in pictures)
    assert "5 scores out of 6 points: from 1 to 6, mean 2.6, median 2" in scores
    assert "dropout: 1 with all points, 2 with some, 2 with none, mean 30 %" in exercises
    assert "dropout, forgets to scale: 2." in beliefs
    assert "<img" not in html


def test_picture_axes_are_labelled_with_units(write, small_class):
    _, page = write(small_class)
    for label in ("score (points, of 6)", "students", "students (% of the submissions with a score)"):
        assert label in page.text


def test_headings_captions_scopes_and_ids(write, small_class):
    html, page = write(small_class)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    for table in page.tables:
        assert table.caption.strip()
        assert None not in table.scopes
        assert all(len(row) == len(table.headings) for row in table.rows)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(f'id="{target}"' in html for target in re.findall(r'(?:href="#|url\(#)([^")]+)', html))


def test_the_page_needs_nothing_from_elsewhere(write, small_class):
    html, page = write(small_class)
    policy = next(a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    script = re.search("<script>(.*?)</script>", html, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    assert f"script-src 'sha256-{digest}'" in policy
    assert not page.all("link")
    assert [a.get("src") for a in page.all("script")] == [None]
    assert set(re.findall(r"https?://[^\"' <)]+", html)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_text_stays_text(write, build, attack):
    cases = [build.case(attack, "failed", message=attack, hidden=True), build.case("other", "failed")]
    hostile = build.record(attack, 4.0, cases=cases, refused=[attack])
    hostile["misconceptions"] = [{"name": attack, "hint": attack}]
    results = [
        build.result(
            f"{attack}{i}",
            [hostile],
            name=attack,
            notes=[attack],
            outcome=outcome,
            assignment=attack,
            feedback=attack,
            score=0.0,
        )
        for i, outcome in enumerate(("partial", "grader error", attack))
    ]
    name = by_assignment(results)[0].assignment
    html, page = write(results, name, made=attack)
    _, harmless = write([build.result("s1", [build.record(failed=1, misconceptions=["m"])])])
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in harmless.elements} | {
        "bdi",
        "h3",
        "li",
        "ul",
        "strong",
    }
    assert len(page.all("script")) == 1
    assert not [a for _, attributes in page.elements for a in attributes if a.startswith("on")]
    assert "49" not in page.words.replace("49 submissions", "")
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e]", html)
    for link in page.all("a"):
        assert not re.match(r"\s*\w+:", link["href"])


def test_long_text_is_cut_and_says_so(write, build):
    _, page = write([build.result("s1", [build.record(misconceptions=["x" * 5000])], name="N" * 500, score=4.0)])
    assert "cut here: 5,000 characters in all" in page.words
    assert "cut here: 500 characters in all" in page.words
    assert "x" * 500 not in page.text


DEGENERATE = {
    "one student": lambda b: [b.result("s1", [b.record()], score=4.0)],
    "all perfect": lambda b: [b.result(f"s{i}", [b.record()], score=4.0, outcome="passed") for i in range(12)],
    "all without points": lambda b: [
        b.result(f"s{i}", [b.record(passed=0, failed=2)], outcome="failed") for i in range(12)
    ],
    "all blank": lambda b: [
        b.result(f"s{i}", [b.record(cases=[b.case(outcome="not written")])], outcome="blank") for i in range(3)
    ],
    "nobody graded": lambda b: [b.result(f"s{i}", outcome="grader error", score=None) for i in range(3)],
    "no exercises": lambda b: [b.result(f"s{i}", score=0.0, max_score=None) for i in range(3)],
    "an exercise without points": lambda b: [b.result(f"s{i}", [b.record(points=0.0)], score=0.0) for i in range(3)],
    "an exercise without cases": lambda b: [b.result(f"s{i}", [b.record(cases=[])], score=0.0) for i in range(3)],
    "more than the maximum": lambda b: [b.result(f"s{i}", [b.record()], score=5.5) for i in range(3)],
    "less than nothing": lambda b: [b.result(f"s{i}", [b.record()], score=-1.0) for i in range(3)],
    "a huge score": lambda b: [b.result("s1", [b.record()], score=1e9)],
    "nothing known": lambda b: [{"assignment": "09_dropout"}],
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_odd_classes_render_without_nan(write, build, name):
    html, page = write(DEGENERATE[name](build))
    assert "nan" not in re.findall(r"[\w.]+", page.text.lower())
    assert "None" not in re.findall(r"\w+", page.text)
    assert not re.search(r'[ "]-?(nan|inf)[ "]', html)


def test_an_all_blank_class_says_that_it_is_blank(write, build):
    _, page = write(DEGENERATE["all blank"](build))
    assert page.table("Outcomes of 3").rows[0][:2] == ["left blank", "3"]
    assert page.table("Item analysis").rows[0][4] == "3"


def test_the_same_results_give_the_same_bytes(tmp_path, small_class):
    first = write_report(tmp_path, small_class, tmp_path / "one")
    again = write_report(tmp_path, list(reversed(small_class)), tmp_path / "two")
    for page in ("index.html", "09_dropout.html"):
        assert (first.parent / page).read_bytes() == (again.parent / page).read_bytes()


def test_the_only_time_on_a_page_is_the_one_handed_in(write, small_class):
    html, _ = write(small_class, made="Made on 1 May.")
    assert "Made on 1 May." in html
    assert not re.search(r"20\d\d-\d\d", html)


@pytest.mark.parametrize(
    ("feedback", "link"),
    [
        ("feedback/s1/09_dropout/feedback.html", "../feedback/s1/09_dropout/feedback.html"),
        ("feedback/a b/q?.html", "../feedback/a%20b/q%3F.html"),
        ("javascript:alert(1)", "../javascript%3Aalert%281%29"),
        ("../../etc/passwd", None),
        ("/etc/passwd", None),
        ("", None),
    ],
)
def test_feedback_is_linked_relative_to_the_report_and_only_inside_the_course(write, build, feedback, link):
    _, page = write([build.result("s1", [build.record()], score=4.0, feedback=feedback)])
    links = [a["href"] for a in page.all("a") if a["href"] not in ("#content", "index.html")]
    assert links == ([] if link is None else [link])


def test_page_names_are_safe_and_different():
    names = ["09_dropout", "index", "Index", "a/b", "a b", "../up", "", "é", "x" * 300]
    pages = [page_name(name) for name in names]
    assert len({page.casefold() for page in pages}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,100}\.html", page) for page in pages)
    assert pages[0] == "09_dropout.html"
    assert "index.html" not in {page.casefold() for page in pages}


@pytest.mark.parametrize("top", [0.0, 0.5, 1.0, 3.0, 5.0, 7.5, 20.0, 25.0, 60.0, 100.0, 1e9])
def test_bins_cover_every_score_and_are_few(top):
    edges = bin_edges(top)
    assert 2 <= len(edges) <= 21
    assert edges[0] == 0.0
    assert edges[-1] >= top
    assert edges[-1] - (edges[1] - edges[0]) < max(top, 1.0)


def test_histogram_counts_each_score_once():
    edges = bin_edges(4.0)
    assert edges == pytest.approx([0.2 * i for i in range(21)])
    counts = histogram([0.0, 0.2, 0.39, 2.0, 3.99, 4.0], edges)
    assert (counts[0], counts[1], counts[10], counts[19]) == (1, 2, 1, 2)
    assert sum(counts) == 6


def test_pictures_of_nothing_are_no_pictures(build):
    (data,) = by_assignment([build.result(score=None, outcome="grader error")])
    assert score_distribution(data, summary(data.scores)) is None
    assert points_by_exercise(item_analysis(data)) is None
    assert misconceptions_found(misconceptions(data)) is None


def test_a_picture_leaves_the_rarest_misconceptions_to_the_table(write, build):
    names = [f"slip {i:02d}" for i in range(20)]
    _, page = write([build.result("s1", [build.record(misconceptions=names)])])
    assert len(page.table("Misconceptions recognised").rows) == 20
    assert "The 8 rarest are in the table only." in page.words


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colours, after WCAG 2.2."""

    def luminance(color: str) -> float:
        channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return math.fsum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_text_has_the_contrast_of_wcag_aa_on_light_and_dark_pages():
    css = (Path(write_report.__code__.co_filename).parent / "templates" / "style.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", css, flags=re.DOTALL)
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in blocks[:2])
    assert len(dark) > 12
    for theme in (light, dark):
        for text in ("ink", "muted", "link", "good", "bad", "human"):
            for ground in ("page", "card"):
                assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground)
        for ground in ("code", "hint-tint", "human-tint", "bad-tint"):
            assert contrast(theme["ink"], theme[ground]) >= 4.5, ground
        for bar in ("#0072b2", "#56b4e9", "#e69f00"):
            assert max(contrast(bar, theme["card"]), contrast("#0072b2", theme["card"])) >= 3
