import pytest
import torch

from course_lib.checks.compare import Tolerance
from course_lib.checks.data import Raised, raises
from course_lib.checks.judging import UNSET, Case, Finding, case_result, is_stub, judge, same_mistake
from course_lib.checks.run import Call, Observation
from course_lib.checks.verdict import Outcome


def case(**changes):
    base = {
        "title": "t",
        "scenario": lambda f: f(),
        "expected": UNSET,
        "judge": None,
        "reference": None,
        "like": UNSET,
        "weight": 1.0,
        "tolerance": Tolerance(),
        "why": "",
        "hidden": False,
    }
    return Case(**{**base, **changes})


def stopped(kinds, message="", outcome=Outcome.RAISED, **more):
    return Observation(Raised(kinds, message), outcome, **more)


STUB = stopped(("NotImplementedError", "RuntimeError", "Exception"))
VALUE_ERROR = stopped(("ValueError", "Exception"), "p is 2")


# ------------------------------------------------------------------------------------------------------ the verdict


def test_data_are_compared():
    assert judge(case(), Observation(torch.ones(2)), torch.ones(2)).right
    assert not judge(case(), Observation(torch.ones(2)), torch.zeros(2)).right


def test_a_cases_own_tolerance_is_used():
    loose = case(tolerance=Tolerance(atol=1.0))
    assert judge(loose, Observation(torch.ones(2)), torch.zeros(2)).right


def test_an_exception_is_right_where_it_is_expected_and_only_there():
    assert judge(case(), VALUE_ERROR, raises(ValueError)).right
    assert not judge(case(), VALUE_ERROR, raises(TypeError)).right
    assert not judge(case(), VALUE_ERROR, 3).right
    assert not judge(case(), Observation(3), raises(ValueError)).right


def test_a_stub_is_never_right():
    assert not judge(case(), STUB, raises(RuntimeError)).right
    assert is_stub(STUB)
    assert not is_stub(VALUE_ERROR)


@pytest.mark.parametrize("outcome", [Outcome.TIMED_OUT, Outcome.CRASHED, Outcome.LIMIT])
def test_a_run_that_was_ended_is_never_right(outcome):
    assert not judge(case(), stopped(("TimeoutError",), outcome=outcome), raises(TimeoutError)).right


def test_a_judge_sees_data_of_the_right_form_only():
    seen_by_judge = []
    judged = case(judge=lambda came: seen_by_judge.append(came))
    like = [torch.zeros(3), 1.0]
    for wrong in (None, [torch.zeros(2), 1.0], [torch.zeros(3).double(), 1.0], [torch.zeros(3)], [torch.zeros(3), "1"]):
        assert not judge(judged, Observation(wrong), like).right
    assert not judge(judged, VALUE_ERROR, like).right
    assert seen_by_judge == []
    assert judge(judged, Observation([torch.ones(3), 2.0]), like).right
    assert len(seen_by_judge) == 1


def test_a_judge_without_a_form_sees_everything_but_exceptions():
    judged = case(judge=lambda came: None if came == 3 else Finding("other", "it is other"))
    assert judge(judged, Observation(3), UNSET).right
    assert judge(judged, Observation(4), UNSET).finding == Finding("other", "it is other")
    assert not judge(judged, VALUE_ERROR, UNSET).right


# ---------------------------------------------------------------------------------------------------- same mistake


def same(seen, theirs, right=0, judged=None):
    one = case(judge=judged)
    return same_mistake(seen, judge(one, seen, right), theirs, judge(one, theirs, right), Tolerance())


def test_the_same_wrong_data_are_the_same_mistake():
    assert same(Observation(torch.ones(2)), Observation(torch.ones(2)))
    assert not same(Observation(torch.ones(2)), Observation(torch.zeros(2)))


def test_the_same_class_of_exception_is_the_same_mistake():
    assert same(VALUE_ERROR, stopped(("ValueError", "Exception"), "another text"))
    assert not same(VALUE_ERROR, stopped(("TypeError", "Exception")))
    assert not same(VALUE_ERROR, Observation(1))
    assert not same(VALUE_ERROR, stopped(("ValueError",), outcome=Outcome.CRASHED))


def test_caught_exceptions_of_different_classes_are_different_mistakes():
    type_error, value_error = Raised(("TypeError", "Exception")), Raised(("ValueError", "Exception"))
    assert same(Observation([value_error]), Observation([value_error]))
    assert not same(Observation([type_error]), Observation([value_error]))


def test_the_same_kind_of_finding_is_the_same_mistake_whatever_the_numbers():
    def by_sign(came):
        return Finding("negative", f"{came} is negative") if came < 0 else Finding("positive", f"{came} is positive")

    assert same(Observation(-1), Observation(-2), UNSET, by_sign)
    assert not same(Observation(-1), Observation(2), UNSET, by_sign)


def test_a_finding_and_a_wrong_form_are_different_mistakes():
    assert not same(Observation(-1), Observation([1]), 0, lambda came: Finding("wrong", "wrong"))


# -------------------------------------------------------------------------------------------------------- messages


def result(seen, right=UNSET, **changes):
    one = case(**changes)
    return case_result(one, seen, judge(one, seen, right), "softmax")


def test_a_passed_case_says_nothing():
    got = result(Observation(3, calls=(Call("softmax(1)", "the number 3"),), printed="hello"), 3)
    assert (got.outcome, got.message, got.called, got.came, got.printed) == (Outcome.PASSED, "", "", "", "hello")


@pytest.mark.parametrize(
    ("seen", "message"),
    [
        (STUB, "softmax is not written yet: replace the line that raises NotImplementedError"),
        (VALUE_ERROR, "softmax stopped with ValueError: p is 2"),
        (stopped(("KeyError",)), "softmax stopped with KeyError"),
        (
            stopped(("TypeError", "Exception"), "no len()", calls=(Call("softmax(1)", "None"),)),
            "what softmax returned (None) cannot be used: TypeError: no len()",
        ),
        (
            stopped(("TypeError", "Exception"), "no len()", calls=(Call("softmax(1)", "None"),), place="line 3 …"),
            "softmax stopped with TypeError: no len()",
        ),
        (
            stopped(("TimeoutError",), "10 s", outcome=Outcome.TIMED_OUT),
            "softmax did not finish within 10 s: is there a loop that never ends?",
        ),
        (
            stopped(("MemoryError",), "it needed more than 2 GB", outcome=Outcome.LIMIT),
            "softmax was stopped: it needed more than 2 GB",
        ),
        (
            stopped(("Crashed",), "by SIGSEGV", outcome=Outcome.CRASHED),
            "softmax ended the process that ran it (by SIGSEGV); the cases after this one ran in a fresh one",
        ),
    ],
)
def test_what_is_said_of_a_run_that_stopped(seen, message):
    got = result(seen, 3)
    assert got.message == message
    assert got.outcome is (Outcome.UNWRITTEN if seen is STUB else seen.stopped)


def test_torchs_own_not_implemented_is_no_stub():
    unsupported = stopped(("NotImplementedError", "RuntimeError"), "not implemented for 'Long'")
    got = result(unsupported, 3)
    assert got.outcome is Outcome.RAISED
    assert got.message == "softmax stopped with NotImplementedError: not implemented for 'Long'"


def test_the_line_of_the_cell_is_the_reason_and_else_what_the_author_says():
    assert result(stopped(("ValueError",), place="line 2 of your cell"), 1, why="why").reason == "line 2 of your cell"
    assert result(stopped(("ValueError",)), 1, why="why").reason == "why"


def test_a_likely_reason_comes_before_the_authors():
    seen = Observation(torch.tensor([2.0, 4.0]))
    assert "2 times too large" in result(seen, torch.tensor([1.0, 2.0]), why="why").reason
    assert result(Observation(2), 3, why="why").reason == "why"


def test_a_difference_is_shown_with_both_sides():
    got = result(Observation(2, calls=(Call("softmax(1)", "the number 2"),)), 3)
    assert (got.outcome, got.message) == (Outcome.FAILED, "the result is 2, not 3")
    assert (got.called, got.came, got.expected) == ("softmax(1)", "2", "3")


def test_a_finding_is_shown_with_what_came():
    got = result(Observation(2), judge=lambda came: Finding("scale", "the mean is 2, not 1"), why="why")
    assert (got.outcome, got.message, got.came, got.expected) == (Outcome.FAILED, "the mean is 2, not 1", "2", "")
    assert got.reason == "why"


CALLS = (Call("softmax(1)", "the number 1"), Call("softmax(2)", "the number 9"), Call("softmax(3)", "the number 3"))


def test_the_call_shown_is_the_one_whose_result_differs():
    assert result(Observation([1, 9, 3], calls=CALLS), [1, 2, 3]).called == "softmax(2)"


def test_the_call_shown_is_the_last_when_it_stopped():
    assert result(stopped(("ValueError",), calls=CALLS[:2]), 1).called == "softmax(2)"


def test_the_first_call_stands_for_several():
    assert result(Observation(13, calls=CALLS), 6).called == "softmax(1)  (and 2 more calls)"
    assert result(Observation(13, calls=CALLS[:2]), 6).called == "softmax(1)  (and 1 more call)"
    assert result(Observation(13), 6).called == ""


def test_a_refused_use_is_said_even_where_the_result_is_right():
    got = result(Observation(3, refused=("torch.softmax or its kin (seen at work: …)",)), 3)
    assert (got.outcome, got.message) == (
        Outcome.REFUSED,
        "softmax uses torch.softmax or its kin (seen at work: …)",
    )


def test_a_judge_that_stumbles_over_odd_data_has_found_them_wrong():
    picky = case(judge=lambda came: None if [1, 2, 3][int(came)] == 2 else Finding("not the second", ""))
    assert judge(picky, Observation(torch.tensor(1.0)), torch.tensor(2.0)).right
    for odd in (7.0, float("nan"), float("inf"), -1e30):
        verdict = judge(picky, Observation(torch.tensor(odd)), torch.tensor(2.0))
        assert not verdict.right
        assert "cannot be judged" in verdict.finding.message


def test_a_judge_that_stumbles_over_everything_is_an_error_of_the_course():
    broken = case(judge=lambda came: came.no_such_thing)
    with pytest.raises(AttributeError):
        judge(broken, Observation(torch.ones(2)), torch.ones(2))
