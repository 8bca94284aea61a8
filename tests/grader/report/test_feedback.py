"""The student's page: what happened, to what, what to do next; and that hidden means hidden."""

import itertools
import re

import pytest

from course_lib.grader.report import write_feedback
from course_lib.grader.report.pages import Hidden

SECRETS = {
    "message": "secret message 3.125",
    "called": "secret call dropout(x)",
    "came": "secret came",
    "expected": "secret expected",
    "reason": "secret reason",
    "printed": "secret printed",
}


@pytest.fixture
def write(tmp_path, build):
    def written(result, **options):
        path = write_feedback(result, tmp_path / "feedback" / "s1" / "09_dropout" / "feedback.html", **options)
        html = path.read_text(encoding="utf-8")
        return html, build.page(html)

    return written


@pytest.fixture
def with_hidden_case(build):
    cases = [
        build.case("visible case"),
        build.case("hidden title one", "failed", hidden=True, **SECRETS),
        build.case("hidden title two", hidden=True),
    ]
    return build.result("s1", [build.record(cases=cases)], score=1.33)


def test_score_cases_and_next_step(write, small_class):
    _, page = write(small_class[1])
    assert "Feedback for Student s2" in page.words
    assert "3 of 6 points" in page.words
    assert "Handed in late, 1 day 1 hour after the deadline." in page.words
    assert "Start with dropout: read its hint below" in page.words
    assert page.table("Points by exercise").rows == [
        ["softmax", "2 of 2", "all tests passed"],
        ["dropout", "1 of 4", "1 of 4 tests passed"],
    ]


def test_a_recognised_misconception_stands_before_the_cases(write, small_class):
    _, page = write(small_class[1])
    at = page.words.index("It looks as if your dropout forgets to scale. hint for forgets to scale")
    assert at < page.words.index("case 0 passed", at)


def test_a_failed_case_says_what_was_called_what_came_and_what_was_expected(write, build):
    told = build.case(
        "a worked example",
        "failed",
        message="Twice too large.",
        called="f(x)",
        came="2.0",
        expected="1.0",
        reason="÷2?",
    )
    _, page = write(build.result("s1", [build.record(cases=[told])]))
    assert "a worked example wrong Twice too large. called f(x) came 2.0 expected 1.0 likely reason ÷2?" in page.words


def test_a_message_that_all_failing_cases_share_is_said_once(write, build):
    cases = [build.case(f"c{i}", "missing", message="dropout does not exist.") for i in range(3)]
    _, page = write(build.result("s1", [build.record(cases=cases)]))
    assert page.words.count("dropout does not exist.") == 1


def test_a_stub_is_not_written_yet_and_no_failure(write, small_class):
    _, page = write(small_class[2])
    assert page.table("Points by exercise").rows[1] == ["dropout", "0 of 4", "not written yet"]
    assert "The line that raises NotImplementedError is still there." in page.words
    assert "no test passed" not in page.words


def test_a_refused_built_in_is_named(write, small_class):
    _, page = write(small_class[3])
    assert "torch.nn.functional.dropout (line 3)" in page.words
    assert "without torch.nn.functional.dropout (line 3)" in page.words
    assert page.table("Points by exercise").rows[1] == ["dropout", "0 of 4", "refused"]


def test_notes_are_shown_but_not_those_of_a_grader_error(write, build, small_class):
    _, page = write(build.result("s1", [build.record()], notes=["The cell test_dropout had been edited."]))
    assert "What the grader noticed The cell test_dropout had been edited." in page.words
    _, page = write(small_class[5])
    assert "bubblewrap" not in page.text
    assert "No score yet" in page.words
    assert "says nothing about your work" in page.words
    assert "Nothing for now: your instructor will look at this submission." in page.words


@pytest.mark.parametrize("outcome", ["missing", "unreadable"])
def test_a_file_that_could_not_be_graded_is_the_students_to_hand_in_again(write, build, outcome):
    _, page = write(build.result(outcome=outcome, score=None, notes=["The file is not JSON."]))
    assert "No score yet" in page.words
    assert "Ask your instructor whether you may hand it in again" in page.words
    assert "The file is not JSON." in page.words


def test_written_answers_wait_for_a_human(write, build):
    _, page = write(build.result("s1", [build.record()], score=4.0, max_score=9.0, manual_points_open=5.0))
    assert page.table("Points by exercise").rows[-1] == ["Written answers", "– of 5", "will be graded by hand"]
    assert "4 of 4 points so far" in page.words
    assert "5 more points wait: your written answers will be graded by hand." in page.words


def test_written_answers_are_named_when_the_result_names_them(write, build):
    def cell(name, score):
        return {"name": name, "cell": name, "points": 5.0, "score": score, "outcome": "written", "written": True}

    cells = [cell("why", None), cell("derive", 3.5)]
    _, page = write(
        build.result("s1", [build.record()], score=7.5, max_score=14.0, manual_points_open=5.0, cells=cells)
    )
    assert page.table("Points by exercise").rows[1:] == [
        ["why", "– of 5", "will be graded by hand"],
        ["derive", "3.5 of 5", "graded"],
    ]


def test_message_shows_titles_and_what_our_own_words_say_of_hidden_cases(write, with_hidden_case):
    html, page = write(with_hidden_case)
    assert "hidden title one hidden test wrong" in page.words
    assert SECRETS["expected"] in html
    assert SECRETS["printed"] not in html


def test_title_shows_titles_and_outcomes_of_hidden_cases_only(write, with_hidden_case):
    html, page = write(with_hidden_case, hidden="title")
    assert "secret" not in html
    assert "hidden title one hidden test wrong" in page.words
    assert "hidden title two hidden test passed" in page.words


def test_nothing_shows_only_how_many_hidden_cases_there_are(write, with_hidden_case):
    html, page = write(with_hidden_case, hidden="nothing")
    assert "secret" not in html
    assert "hidden title" not in html
    assert "Hidden tests: 1 of 2 passed." in page.words
    assert "visible case" in page.words
    assert "its visible tests pass, hidden ones do not" in page.words


@pytest.mark.parametrize("hidden", ["title", "nothing"])
def test_a_message_shared_by_hidden_cases_stays_hidden(write, build, hidden):
    cases = [build.case(f"h{i}", "failed", hidden=True, message="secret") for i in range(3)]
    html, _ = write(build.result("s1", [build.record(cases=cases)]), hidden=hidden)
    assert "secret" not in html


def test_hidden_is_one_of_three_words(write, with_hidden_case):
    with pytest.raises(ValueError, match="'titles': expected one of 'message', 'title', 'nothing'"):
        write(with_hidden_case, hidden="titles")
    assert Hidden.__args__ == ("message", "title", "nothing")


def test_nbgraders_own_feedback_is_linked(write, build, tmp_path):
    target = tmp_path / "feedback" / "s1" / "09_dropout" / "09 dropout.html"
    _, page = write(build.result("s1", [build.record()]), notebook_feedback=target)
    assert "09%20dropout.html" in [a["href"] for a in page.all("a")]


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        '"><svg onload=alert(1)>',
        "</pre></style><img src=x>",
        "{{ 7*7 }}",
        "\x1b]0;x\x07\u202e",
    ],
)
@pytest.mark.parametrize("hidden", ["message", "title", "nothing"])
def test_hostile_text_stays_text(write, build, attack, hidden):
    texts = dict.fromkeys(SECRETS, attack)
    cases = [build.case(attack, "failed", **texts), build.case(attack, "raised", hidden=True, **texts)]
    records = [build.record(attack, cases=cases), build.record("b", cases=cases, refused=[attack])]
    records[0]["misconceptions"] = [{"name": attack, "hint": attack}]
    cells = [{"name": attack, "points": 1.0, "score": None, "outcome": "written", "written": True}]
    html, page = write(
        build.result(attack, records, name=attack, notes=[attack], assignment=attack, cells=cells), hidden=hidden
    )
    assert not {"script", "img", "svg"} & {tag for tag, _ in page.elements}
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e]", html)
    assert "49" not in page.words
    assert "script-src" not in html  # default-src 'none': no script runs here at all


def test_long_messages_are_cut(write, build):
    html, page = write(build.result("s1", [build.record(cases=[build.case("c", "failed", came="z" * 100_000)])]))
    assert "cut here: 100,000 characters in all" in page.words
    assert len(html) < 60_000


def test_pages_are_well_formed_headed_and_the_same_each_time(write, build, small_class):
    for result in [*small_class, {}, build.result("s1", [build.record(cases=[])])]:
        html, page = write(result)
        assert html == write(result)[0]
        levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
        for table in page.tables:
            assert table.caption.strip()
            assert None not in table.scopes
            assert all(len(row) == len(table.headings) for row in table.rows)
        ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        assert all(a["href"][1:] in ids for a in page.all("a") if a["href"].startswith("#"))
