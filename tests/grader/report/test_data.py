"""What the report makes of results that hold odd values: never an exception, never a student lost."""

import json

import pytest

from course_lib.grader.report.data import by_assignment, read_submission
from course_lib.grader.report.text import clean, counted, cut, duration, percent, points, shortened


def test_results_with_to_json_are_read_as_mappings_are(build):
    class Result:
        def to_json(self):
            return build.result("s1", [build.record()], score=4.0)

    assert read_submission(Result()) == read_submission(build.result("s1", [build.record()], score=4.0))


def test_the_graders_own_result_is_read():
    from course_lib.grader.results import Outcome, Result

    found = read_submission(Result("09_dropout", "s1", Outcome.UNREADABLE, notes=("not JSON",)))
    assert (found.student, found.name, found.outcome, found.score, found.needs_human) == (
        "s1",
        "s1",
        "unreadable",
        None,
        True,
    )


def test_json_text_goes_through(build):
    assert read_submission(json.loads(json.dumps(build.result("s1", [build.record()])))).exercises[0].score == 4.0


@pytest.mark.parametrize("score", [float("nan"), float("inf"), "12", True, [3]])
def test_a_score_that_is_no_number_leaves_the_submission_for_a_human(build, score):
    found = read_submission(build.result(score=score))
    assert found.score is None
    assert found.needs_human
    assert "score" in found.trouble[0]


@pytest.mark.parametrize(
    "bad", ["text", {"version": 7}, {"version": 1, "exercise": "dropout", "points": float("nan"), "cases": []}, None]
)
def test_a_record_that_cannot_be_read_leaves_the_submission_for_a_human(build, bad):
    found = read_submission(
        build.result("s1", exercises=[build.record("softmax")]) | {"exercises": [bad, build.record("softmax")]}
    )
    assert [exercise.name for exercise in found.exercises] == ["softmax"]
    assert found.needs_human
    assert "could not be read" in found.trouble[0]


def test_an_empty_mapping_is_a_submission_for_a_human():
    found = read_submission({})
    assert found.needs_human
    assert found.student == "(no student id)"


def test_an_outcome_that_nobody_knows_is_left_for_a_human(build):
    assert read_submission(build.result(outcome="melted", score=3.0)).needs_human


def test_a_missing_name_is_not_a_blank_exercise(build):
    missing = build.record(cases=[build.case(outcome="missing", message="dropout does not exist: the cell stopped.")])
    assert not read_submission(build.result(exercises=[missing])).exercises[0].blank


def test_students_are_listed_by_name_without_regard_to_accents(build):
    names = ["Zoë", "Žofia", "amélie", "Ábel", "Bo"]
    (data,) = by_assignment([build.result(f"s{i}", name=name) for i, name in enumerate(names)])
    assert [s.name for s in data.submissions] == ["Ábel", "amélie", "Bo", "Zoë", "Žofia"]


def test_control_characters_direction_marks_and_lone_surrogates_go():
    assert clean("a\x00\x1b[2J\x7f\u202eb\r\nc\u2028d\ud800") == "a[2Jb\nc\nd\ufffd"
    assert clean("محمد 小明 é\u200d👩") == "محمد 小明 é\u200d👩"


def test_long_text_is_cut_with_a_note():
    assert str(cut("x" * 1000, 10)) == "x" * 10 + '<span class="note">… (cut here: 1,000 characters in all)</span>'
    assert str(cut("<b>", 10)) == "&lt;b&gt;"
    assert shortened("a  b\nc", 10) == "a b c"


def test_rounding_never_completes_a_score():
    assert points(3.9999, 4.0) == "3.99"
    assert points(4.0, 4.0) == "4"
    assert percent(0.9999) == "99 %"
    assert percent(0.0001) == "1 %"
    assert points(-0.0) == "0"


def test_words_for_numbers_and_times():
    assert (counted(1, "student"), counted(2, "student")) == ("1 student", "2 students")
    assert duration(86_400) == "1 day"
    assert duration(3_600 * 26 + 59) == "1 day 2 hours"


def test_a_submission_without_a_score_does_not_raise_what_can_be_reached(build):
    written = [{"name": "why", "cell": "why", "points": 6.0, "score": None, "outcome": "written", "written": True}]
    graded = build.result(
        "a", [build.record(points=4.0)], score=4.0, max_score=10.0, manual_points_open=6.0, cells=written
    )
    unreadable = build.result("b", score=None, max_score=10.0, outcome="unreadable")
    (its,) = by_assignment([graded, unreadable])
    assert its.max_score == 4.0
