"""Exercises as a test cell states them: points, verdicts, messages."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import checks
from course_lib.checks.run import InProcessRunner

from .exercises import doubling, exercise, outcomes, raising, refusing, run, softmax

# --------------------------------------------------------------------------------------------------------- points


def test_a_right_implementation_gets_all_points_exactly():
    result = run(doubling(), lambda x: x + x)
    assert result.score == 3.0
    assert outcomes(result) == ["passed"] * 3


def test_each_case_earns_its_share():
    assert run(doubling(), lambda x: x + 2).score == 1.0  # right for 2 only
    assert run(doubling(), lambda x: x * x).score == 2.0  # right for 0 and 2


def test_weights_decide_the_shares():
    made = exercise(points=4)
    made.case("one", lambda f: f(1), expected=1)
    made.case("two", lambda f: f(2), expected=2, weight=3)
    assert run(made, lambda x: 1).score == 1.0
    assert run(made, lambda x: 2).score == 3.0


@settings(max_examples=25)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 5)), min_size=1, max_size=4), st.floats(0.1, 50))
def test_the_score_is_between_nothing_and_points_and_all_only_for_all(cases, points):
    made = exercise(points=points)
    for number, (right, weight) in enumerate(cases):
        made.case(str(number), lambda f, right=right: f(right), expected=True, weight=weight)
    score = run(made, lambda x: x).score
    assert 0 <= score <= points
    assert (score == points) is all(right for right, _ in cases)
    assert (score > 0) is any(right for right, _ in cases)


def test_a_case_that_raises_or_hangs_leaves_the_others_alone():
    def odd(x):
        if x == 0:
            raise ZeroDivisionError("by 0")
        while x == 2:
            pass
        return 2 * x

    result = run(doubling(), odd, runner=InProcessRunner(0.2))
    assert outcomes(result) == ["raised", "timed out", "passed"]
    assert result.score == 1.0


def test_a_student_who_spoils_an_input_spoils_no_other_case():
    shared = torch.ones(2)
    made = exercise(reference=lambda x: x * 2)
    for title in ("a", "b"):
        made.case(title, lambda f: f(shared))
    assert run(made, lambda x: x.mul_(2)).score == 4.0
    assert shared.tolist() == [1, 1]


def test_after_call_finds_the_student_who_spoils_an_input():
    made = exercise(reference=lambda x: x * 2)
    made.case("pure", lambda f: checks.after_call(f, torch.ones(2)))
    assert run(made, lambda x: x * 2).score == 4.0
    result = run(made, lambda x: x.mul_(2))
    assert result.cases[0].message == "argument 1 after the call is 2.0 at [0], not 1.0 (2 of 2 entries differ)"
    assert "modifies what it was given" in result.cases[0].reason


def test_an_argument_that_is_left_asking_for_gradients_has_been_changed():
    made = exercise(reference=lambda x: x * 2)
    made.case("pure", lambda f: checks.after_call(f, torch.ones(2)))
    result = run(made, lambda x: x.requires_grad_() * 2)
    assert result.cases[0].message == "requires_grad of argument 1 after the call is True, not False"
    assert "modifies what it was given" in result.cases[0].reason


def test_an_argument_that_is_left_holding_a_gradient_has_been_changed():
    def keeps(x):
        x.grad = torch.ones(2)
        return x * 2

    made = exercise(reference=lambda x: x * 2)
    made.case("pure", lambda f: checks.after_call(f, torch.ones(2)))
    (case,) = run(made, keeps).cases
    assert case.message.startswith(".grad of argument 1 after the call is ")
    assert "modifies what it was given" in case.reason


def test_an_argument_that_is_changed_and_changed_back_has_been_changed():
    def there_and_back(x):
        x += 0.7
        x -= 0.7
        return x * 2

    made = exercise(reference=lambda x: x * 2)
    made.case("pure", lambda f: [checks.after_call(f, torch.full((2,), 0.1))], rtol=1.0, atol=1.0)
    assert run(made, lambda x: x * 2.001).score == 4.0
    result = run(made, there_and_back)
    assert result.cases[0].message.startswith("argument 1 after the call (result[0]) is 0.1")
    assert "modifies what it was given" in result.cases[0].reason


def test_prints_and_warnings_cost_nothing():
    def noisy(x):
        print("debug")
        return 2 * x

    assert run(doubling(), noisy).score == 3.0
    assert run(doubling(), noisy).cases[0].printed == "debug\n"


# ------------------------------------------------------------------------------------------------ what is judged by


def test_expected_comes_before_judge_and_references():
    made = exercise(reference=lambda: 1)
    made.case("a", lambda f: f(), expected=3, judge=lambda came: checks.Finding("no", "no"), reference=lambda: 2)
    assert run(made, lambda: 3).score == 4.0


def test_judge_comes_before_references():
    made = exercise(reference=lambda: 1)
    made.case("a", lambda f: f(), judge=lambda came: None if came == 7 else checks.Finding("no", f"{came} is not 7"))
    assert run(made, lambda: 7).score == 4.0
    result = run(made, lambda: 1)
    assert result.cases[0].message == "1 is not 7"


def test_the_cases_reference_comes_before_the_exercises():
    made = exercise(reference=lambda: 1)
    made.case("a", lambda f: f(), reference=lambda: 2)
    made.case("b", lambda f: f())
    assert outcomes(run(made, lambda: 2)) == ["passed", "failed"]


def test_none_is_a_value_that_may_be_expected():
    made = exercise()
    made.case("a", lambda f: f(), expected=None)
    assert run(made, lambda: None).score == 4.0
    assert run(made, lambda: 0).score == 0.0


def test_tolerances_of_a_case():
    made = exercise()
    made.case("tight", lambda f: f(), expected=1.0)
    made.case("relative", lambda f: f(), expected=1.0, rtol=0.1)
    made.case("absolute", lambda f: f(), expected=1.0, atol=0.1)
    assert outcomes(run(made, lambda: 1.05)) == ["failed", "passed", "passed"]


def test_a_case_says_why_where_the_comparison_does_not_know():
    made = exercise()
    made.case("a", lambda f: f(), expected="sum", why="the default is 'sum'")
    assert run(made, lambda: "mean").cases[0].reason == "the default is 'sum'"


def test_the_reference_may_use_what_is_refused():
    made = exercise(reference=softmax, refused=["softmax"])
    made.case("a", lambda f: f(torch.zeros(2)))
    assert run(made, lambda z: z.exp() / z.exp().sum(-1, keepdim=True)).score == 4.0


def test_student_and_reference_draw_the_same_random_numbers():
    made = exercise(reference=lambda x, generator=None: torch.rand(3, generator=generator))
    generator = torch.Generator().manual_seed(9)
    made.case("global", lambda f: f(1))
    made.case("generator", lambda f: f(1, generator))
    made.case("generator again", lambda f: f(1, generator))
    assert run(made, lambda x, generator=None: torch.rand(3, generator=generator)).score == 4.0


def test_cases_have_seeds_of_their_own_and_the_session_moves_them():
    draws = []

    def judge(came):
        draws.append(came)

    made = exercise()
    made.case("a", lambda f: f(), judge=judge)
    made.case("b", lambda f: f(), judge=judge)
    run(made, lambda: torch.rand(1).item())
    run(made, lambda: torch.rand(1).item())
    run(made, lambda: torch.rand(1).item(), seed=1)
    assert draws[:2] == draws[2:4]
    assert len(set(draws)) == 4


# ---------------------------------------------------------------------------------------------------- judged cases


def judged(seen=None, **more):
    seen = [] if seen is None else seen

    def judge(came):
        seen.append(came)
        mean = came.mean().item()
        return None if abs(mean - 1) < 0.2 else checks.Finding("scale", f"the mean is {mean:.1f}, not 1")

    made = exercise()
    made.case("the mean", lambda f: f(torch.ones(1000)), judge=judge, **more)
    return made


FORM = {"like": torch.zeros(1000)}


@pytest.mark.parametrize(
    ("implementation", "message"),
    [
        (lambda x: x[:10], "the result has the shape [10], not [1000]"),
        (lambda x: x.double(), "the result has the dtype float64, not float32"),
        (lambda x: None, "the result is None, not a float32 tensor of shape [1000]"),
        (lambda x: [x], "the result is a sequence of 1 item, not a float32 tensor of shape [1000]"),
    ],
)
@pytest.mark.parametrize("form", [FORM, {"reference": lambda x: x * 1}])
def test_the_form_is_checked_before_the_judge_is_asked(implementation, message, form):
    seen: list = []
    result = run(judged(seen, **form), implementation)
    assert result.cases[0].message == message
    assert seen == []


def test_the_judge_decides_about_data_of_the_right_form():
    assert run(judged(**FORM), lambda x: 2 * (torch.rand_like(x) < 0.5)).score == 0.0  # dtype: int64
    assert run(judged(**FORM), lambda x: 2.0 * (torch.rand_like(x) < 0.5)).score == 4.0
    result = run(judged(**FORM), lambda x: 3.0 * x)
    assert (result.score, result.cases[0].message) == (0.0, "the mean is 3.0, not 1")


def test_a_judge_is_never_asked_about_an_exception():
    seen: list = []

    def fails(x):
        raise ValueError("no")

    result = run(judged(seen, **FORM), fails)
    assert outcomes(result) == ["raised"]
    assert seen == []


def test_a_judge_without_form_sees_what_came():
    made = exercise()
    made.case("a", lambda f: f(), judge=lambda came: None if came == [1] else checks.Finding("no", "no"))
    assert run(made, lambda: (1,)).score == 4.0


# ------------------------------------------------------------------------------------------------------ exceptions


def strict(p):
    if not 0 <= p <= 1:
        raise ValueError("p must lie in [0, 1]")
    return p


class OwnError(ValueError):
    pass


def stub(*args):
    raise NotImplementedError


@pytest.mark.parametrize("made", [refusing(), refusing(reference=strict)])
class TestInvalidArguments:
    def test_raising_it_is_right(self, made):
        assert run(made, strict).score == 4.0
        assert run(made, raising(OwnError())).score == 4.0

    @pytest.mark.parametrize("error", [TypeError(), Exception(), RuntimeError(), AssertionError()])
    def test_raising_something_else_is_wrong(self, made, error):
        assert run(made, raising(error)).score == 0.0

    def test_raising_nothing_is_wrong_and_said(self, made):
        message = run(made, lambda p: p).cases[0].message
        assert message == "result[1]: ValueError should be raised here, and no exception came"

    def test_always_raising_is_wrong(self, made):
        assert run(made, raising(ValueError())).score == 4.0
        assert run(made, lambda p: strict(2)).score == 0.0

    def test_a_stub_is_wrong(self, made):
        assert run(made, stub).score == 0.0


def test_a_whole_scenario_may_be_expected_to_raise():
    made = exercise()
    made.case("a", lambda f: f(2), expected=checks.raises(ValueError))
    assert run(made, strict).score == 4.0
    assert run(made, lambda p: p).score == 0.0
    assert run(made, raising(KeyError())).score == 0.0


def test_a_stub_never_stands_for_an_expected_exception():
    made = exercise()
    made.case("a", lambda f: f(2), expected=checks.raises(RuntimeError))  # NotImplementedError is one
    assert run(made, stub).score == 0.0


def test_a_reference_that_fails_is_the_authors_error_and_nobodys_points():
    made = exercise(reference=lambda x: x.missing)
    made.case("a", lambda f: f(2))
    with pytest.raises(RuntimeError, match=r"f, 'a': the reference itself raised: AttributeError: .* no attribute"):
        run(made, lambda x: x.missing)


# ------------------------------------------------------------------------------------------------- authors' mistakes


@pytest.mark.parametrize("points", [0, -1, math.nan, math.inf])
def test_points_must_be_positive(points):
    with pytest.raises(ValueError, match="the points of 'f' must be a positive number, not"):
        exercise(points=points)


@pytest.mark.parametrize("weight", [0, -1, math.nan, math.inf])
def test_weights_must_be_positive(weight):
    with pytest.raises(ValueError, match="f, 'a': the weight must be a positive number, not"):
        exercise().case("a", lambda f: f(), expected=1, weight=weight)


def test_titles_are_unique():
    made = exercise()
    made.case("a", lambda f: f(), expected=1)
    with pytest.raises(ValueError, match="f: two cases are called 'a'"):
        made.case("a", lambda f: f(), expected=1)
    assert len(made.cases) == 1


def test_something_must_judge_a_case():
    with pytest.raises(ValueError, match="f, 'a': give the case `expected`, `judge` or a `reference`"):
        exercise().case("a", lambda f: f())


def test_an_unknown_refused_group_is_an_error():
    with pytest.raises(ValueError, match="unknown refused group"):
        exercise(refused=["softmaxx"])


def test_an_exercise_without_cases_is_an_error_and_not_all_points():
    with pytest.raises(ValueError, match="the exercise 'f' states no case: nothing was checked"):
        run(exercise(), lambda: 1)


def test_an_error_of_a_judge_is_not_hidden():
    made = exercise()
    made.case("a", lambda f: f(), judge=lambda came: came.mean())
    with pytest.raises(AttributeError):
        run(made, lambda: 1)
