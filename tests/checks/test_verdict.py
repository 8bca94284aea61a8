import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.checks.verdict import CaseResult, ExerciseResult, Outcome, Recognised

texts = st.text(max_size=8)
cases = st.builds(
    CaseResult,
    title=texts,
    outcome=st.sampled_from(Outcome),
    hidden=st.booleans(),
    weight=st.floats(0.01, 100),
    message=texts,
    called=texts,
    came=texts,
    expected=texts,
    reason=texts,
    printed=texts,
)
results = st.builds(
    ExerciseResult,
    exercise=texts,
    points=st.floats(0.01, 100),
    cases=st.lists(cases, max_size=5).map(tuple),
    refused=st.just(()) | st.tuples(texts),
    misconceptions=st.lists(st.builds(Recognised, texts, texts), max_size=2).map(tuple),
)


@given(results)
def test_a_record_survives_json(result):
    assert ExerciseResult.from_json(json.loads(json.dumps(result.to_json()))) == result


@given(results)
def test_the_score_lies_between_nothing_and_all(result):
    assert 0 <= result.score <= result.points
    assert type(result.score) is float


@given(results)
def test_all_points_come_exactly_from_all_cases(result):
    all_passed = bool(result.cases) and not result.refused and all(case.passed for case in result.cases)
    assert (result.score == result.points) is all_passed
    assert result.passed is all_passed


@given(results)
def test_one_more_failed_case_never_raises_the_score(result):
    failed = CaseResult("more", Outcome.FAILED)
    more = ExerciseResult(result.exercise, result.points, (*result.cases, failed), result.refused)
    assert more.score <= result.score


def exercise(*outcomes, points=4.0, refused=()):
    made = tuple(CaseResult(str(i), outcome, weight=weight) for i, (outcome, weight) in enumerate(outcomes))
    return ExerciseResult("softmax", points, made, refused)


def test_the_score_is_the_passed_share_of_the_weight():
    assert exercise((Outcome.PASSED, 1), (Outcome.FAILED, 2)).score == 1.3333
    assert exercise((Outcome.PASSED, 3), (Outcome.RAISED, 1)).score == 3.0
    assert exercise((Outcome.TIMED_OUT, 1)).score == 0.0
    assert exercise((Outcome.PASSED, 1), (Outcome.PASSED, 1)).score == 4.0


def test_rounding_never_completes_a_score():
    assert exercise((Outcome.PASSED, 1e9), (Outcome.FAILED, 1e-3)).score == 3.9999


def test_what_is_refused_earns_nothing():
    assert exercise((Outcome.PASSED, 1), refused=("torch.softmax (line 2)",)).score == 0.0


def test_no_case_earns_nothing():
    assert exercise().score == 0.0
    assert not exercise().passed


def test_only_passed_passes():
    assert [outcome for outcome in Outcome if CaseResult("t", outcome).passed] == [Outcome.PASSED]


def test_the_record_has_the_agreed_form():
    case = CaseResult("large logits", Outcome.TIMED_OUT, True, 2.0, "what", "softmax(1)", "1", "2", "why", "out")
    result = ExerciseResult("softmax", 4.0, (case,), ("torch.softmax (line 4)",), (Recognised("sums", "Look"),))
    assert result.to_json() == {
        "version": 1,
        "exercise": "softmax",
        "points": 4.0,
        "score": 0.0,
        "refused": ["torch.softmax (line 4)"],
        "misconceptions": [{"name": "sums", "hint": "Look"}],
        "cases": [
            {
                "title": "large logits",
                "outcome": "timed out",
                "hidden": True,
                "weight": 2.0,
                "message": "what",
                "called": "softmax(1)",
                "came": "1",
                "expected": "2",
                "reason": "why",
                "printed": "out",
            }
        ],
    }


def record(**changes):
    return {**exercise((Outcome.PASSED, 1)).to_json(), **changes}


def test_a_stated_score_is_not_believed():
    failed = exercise((Outcome.FAILED, 1)).to_json()
    assert ExerciseResult.from_json({**failed, "score": 4.0}).score == 0.0


def test_unknown_keys_are_passed_over_and_optional_ones_may_be_missing():
    data = record(news="?")
    data["cases"] = [{"title": "t", "outcome": "passed", "colour": "red"}]
    for key in ("refused", "misconceptions", "score"):
        del data[key]
    assert ExerciseResult.from_json(data).cases == (CaseResult("t", Outcome.PASSED),)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (record(version=2), "a result record of version 2; this version reads 1"),
        (record(cases=[{"title": "t", "outcome": "brilliant"}]), "brilliant"),
        (record(cases=[{"outcome": "passed"}]), "not a result record: KeyError"),
        (record(cases=3), "not a result record"),
        (record(points="many"), "many"),
        (record(points=10**400), "not a result record"),
        (record(misconceptions=None), "not a result record"),
        ({}, "not a result record: KeyError"),
        (None, "not a result record"),
        ([], "not a result record"),
        ("text", "not a result record"),
    ],
)
def test_what_is_no_record_is_a_value_error(data, message):
    with pytest.raises(ValueError, match=message):
        ExerciseResult.from_json(data)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@given(
    st.fixed_dictionaries(
        {
            "version": st.just(1),
            "points": junk,
            "cases": junk
            | st.lists(
                st.fixed_dictionaries(
                    {"title": junk, "outcome": junk | st.sampled_from([o.value for o in Outcome]), "weight": junk}
                )
            ),
        },
        optional={"exercise": junk, "refused": junk, "misconceptions": junk},
    )
)
def test_junk_is_read_or_a_value_error(data):
    try:
        result = ExerciseResult.from_json(data)
    except ValueError:
        return
    assert isinstance(result, ExerciseResult)
    if math.isfinite(result.points) and result.points > 0:
        assert result.score <= result.points
