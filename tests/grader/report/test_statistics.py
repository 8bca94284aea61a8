"""Numbers of the item analysis against numbers computed by hand, and where a statistic does not exist."""

import math
import statistics as stdlib

import pytest

from course_lib.grader.report.data import by_assignment
from course_lib.grader.report.statistics import (
    correlation,
    discrimination_words,
    item_analysis,
    misconceptions,
    summary,
)


def the_class(results):
    (data,) = by_assignment(results)
    return data


def test_summary_of_scores():
    found = summary([1.0, 2.0, 6.0, 7.0])
    assert (found.count, found.mean, found.median, found.lowest, found.highest) == (4, 4.0, 4.0, 1.0, 7.0)


def test_no_scores_have_no_summary():
    assert summary([]) is None


def test_correlation_by_hand():
    # x = 1, 2, 3 and y = 1, 3, 2: Σdxdy = 1, Σdx² = Σdy² = 2, so r = 1/2.
    assert correlation([1, 2, 3], [1, 3, 2]) == pytest.approx(0.5)


def test_correlation_is_the_standard_librarys():
    x, y = [0.0, 1.5, 4.0, 2.5, 2.0, 3.75], [10.0, 9.5, 3.0, 5.5, 8.0, 4.0]
    assert correlation(x, y) == pytest.approx(stdlib.correlation(x, y))


def test_correlation_with_a_dichotomous_item_is_the_point_biserial_formula():
    passed, rest = [1, 1, 0, 1, 0, 0, 1], [9.0, 7.0, 4.0, 8.0, 6.0, 2.0, 5.0]
    ones = [r for p, r in zip(passed, rest, strict=True) if p]
    zeros = [r for p, r in zip(passed, rest, strict=True) if not p]
    share = len(ones) / len(passed)
    by_formula = (stdlib.mean(ones) - stdlib.mean(zeros)) / stdlib.pstdev(rest) * math.sqrt(share * (1 - share))
    assert correlation(passed, rest) == pytest.approx(by_formula)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([], []),
        ([1.0], [1.0]),
        ([1.0, 2.0], [1.0, 2.0]),
        ([1.0] * 4, [1.0, 2.0, 3.0, 4.0]),
        ([0.1 + 0.2] * 3, [1.0, 2.0, 3.0]),
    ],
)
def test_correlation_does_not_exist_without_spread_or_with_fewer_than_three(x, y):
    assert correlation(x, y) is None


def test_spread_of_rounding_alone_is_no_spread():
    assert correlation([0.3, 0.1 + 0.2, 0.3], [1.0, 2.0, 3.0]) is None


def test_correlation_refuses_unequal_lengths():
    with pytest.raises(ValueError, match="3 numbers with 2"):
        correlation([1, 2, 3], [1, 2])


def test_item_analysis_by_hand(small_class):
    softmax, dropout = item_analysis(the_class(small_class))
    # softmax (2 points): 2, 2, 1, 2, 0; dropout (4 points): 4, 1, 0, 0, 1; the sixth student has no score.
    assert (softmax.count, softmax.full, softmax.partial, softmax.none) == (5, 3, 1, 1)
    assert (dropout.count, dropout.full, dropout.partial, dropout.none) == (5, 1, 2, 2)
    assert softmax.mean_share == pytest.approx(7 / 10)
    assert dropout.mean_share == pytest.approx(6 / 20)
    # Two exercises: each one's rest is the other. dx = .6 .6 -.4 .6 -1.4, dy = 2.8 -.2 -1.2 -1.2 -.2:
    # Σdxdy = 1.68 − .12 + .48 − .72 + .28 = 1.6; Σdx² = 3.2; Σdy² = 10.8
    assert softmax.discrimination == pytest.approx(1.6 / math.sqrt(3.2 * 10.8))
    assert dropout.discrimination == pytest.approx(softmax.discrimination)
    assert (dropout.blank, dropout.refused) == (1, 1)


def test_an_exercise_is_not_correlated_with_itself(build):
    """Of three exercises, the rest is the sum of the other two: the total would give another number."""
    shares = [(4, 1, 0), (2, 3, 1), (0, 0, 4), (1, 4, 2)]
    results = [
        build.result(f"s{i}", [build.record(n, 4.0, k, 4 - k) for n, k in zip("abc", row, strict=True)])
        for i, row in enumerate(shares)
    ]
    first = item_analysis(the_class(results))[0]
    assert first.discrimination == pytest.approx(stdlib.correlation([4, 2, 0, 1], [1, 4, 4, 6]))
    assert first.discrimination != pytest.approx(stdlib.correlation([4, 2, 0, 1], [5, 6, 4, 7]), abs=0.05)


def test_a_missing_exercise_counts_as_no_points(build):
    results = [
        build.result("s1", [build.record("a", 2.0), build.record("b", 2.0)]),
        build.result("s2", [build.record("a", 2.0)]),
    ]
    b = item_analysis(the_class(results))[1]
    assert (b.exercise, b.count, b.full, b.none, b.mean_share) == ("b", 2, 1, 1, 0.5)


def test_the_gradebooks_score_counts_before_the_records(build):
    cell = {
        "name": "dropout",
        "cell": "test_dropout",
        "points": 4.0,
        "score": 4.0,
        "outcome": "passed",
        "written": False,
    }
    (item,) = item_analysis(the_class([build.result("s1", [build.record(failed=1)], cells=[cell])]))
    assert (item.full, item.mean_share) == (1, 1.0)


def test_failed_cases_are_counted_without_stubs(small_class):
    dropout = item_analysis(the_class(small_class))[1]
    # s2 and s5 fail cases 1 to 3, s4 (refused) fails cases 0 and 1; s3's stub says nothing of any case.
    assert [(c.title, c.failed, c.seen) for c in dropout.failed_cases] == [
        ("case 1", 3, 4),
        ("case 2", 2, 3),
        ("case 3", 2, 3),
    ]


def test_a_title_that_stands_twice_counts_a_student_once(build):
    cases = [build.case("twice"), build.case("twice", "failed")]
    (item,) = item_analysis(the_class([build.result("s1", [build.record(cases=cases)])]))
    assert [(c.failed, c.seen) for c in item.failed_cases] == [(1, 1)]


def test_misconceptions_are_counted_by_student_exercise_and_name(build):
    """Fails when one is counted twice for a student, merged over exercises, or dropped for want of a score."""
    results = [
        build.result("s1", [build.record("dropout", misconceptions=["no scale", "no scale"])]),
        build.result("s2", [build.record("dropout", misconceptions=["no scale", "wrong p"])]),
        build.result("s3", [build.record("classic", misconceptions=["no scale"])]),
        build.result("s4", [build.record("dropout", misconceptions=["no scale"])], score=None, outcome="grader error"),
        build.result("s5", [build.record("dropout")]),
    ]
    found = {
        (b.exercise, b.name): (b.count, [s.student for s in b.students]) for b in misconceptions(the_class(results))
    }
    assert found == {
        ("dropout", "no scale"): (3, ["s1", "s2", "s4"]),
        ("dropout", "wrong p"): (1, ["s2"]),
        ("classic", "no scale"): (1, ["s3"]),
    }


def test_a_student_who_comes_twice_counts_with_the_last_result(build):
    results = [
        build.result("s1", [build.record(misconceptions=["old"])], score=1.0),
        build.result("s1", [build.record(misconceptions=["new"])], score=2.0),
    ]
    data = the_class(results)
    assert data.scores == [2.0]
    assert [b.name for b in misconceptions(data)] == ["new"]


def test_while_answers_wait_for_a_human_only_tests_are_compared(build):
    def with_essay(student, score, essay):
        cells = [
            {"name": "essay", "cell": "essay", "points": 5.0, "score": essay, "outcome": "written", "written": True}
        ]
        open_points = 5.0 if essay is None else 0.0
        return build.result(
            student, [build.record()], score=score, max_score=9.0, manual_points_open=open_points, cells=cells
        )

    data = the_class([with_essay("s1", 4.0, None), with_essay("s2", 7.0, 3.0)])
    assert (data.scores, data.max_score) == ([4.0, 4.0], 4.0)
    data = the_class([with_essay("s1", 6.0, 2.0), with_essay("s2", 7.0, 3.0)])
    assert (data.scores, data.max_score) == ([6.0, 7.0], 9.0)


@pytest.mark.parametrize(
    ("students", "passed", "words"),
    [(2, 1, "too few"), (12, 4, "everybody has all points"), (12, 0, "nobody has a point"), (12, 2, "no spread")],
)
def test_words_for_a_discrimination_that_does_not_exist(build, students, passed, words):
    exercises = [build.record("a", 4.0, passed, 4 - passed), build.record("b")]
    (item, _) = item_analysis(the_class([build.result(f"s{i}", exercises) for i in range(students)]))
    assert item.discrimination is None
    assert words in discrimination_words(item)


@pytest.mark.parametrize(
    ("rest", "words"),
    [([4, 3, 1, 0], "apart well"), ([0, 1, 3, 4], "check this exercise")],
)
def test_words_for_a_discrimination(build, rest, words):
    results = [
        build.result(f"s{i}", [build.record("a", 4.0, own, 4 - own), build.record("b", 4.0, other, 4 - other)])
        for i, (own, other) in enumerate(zip([4, 3, 1, 0] * 3, rest * 3, strict=True))
    ]
    assert words in discrimination_words(item_analysis(the_class(results))[0])
    assert "mostly chance" in discrimination_words(item_analysis(the_class(results[:4]))[0])
