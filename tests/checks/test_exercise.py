"""Exercises as a test cell states them: points, verdicts, messages, misconceptions."""

import linecache
import math
import textwrap
from itertools import count

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from torch import Tensor, nn

from course_lib import checks
from course_lib.checks.misconception import Misconception
from course_lib.checks.run import InProcessRunner, Observation
from course_lib.checks.session import Session, session
from course_lib.checks.verdict import RESULT_MIME, ExerciseResult, Outcome

NUMBERS = count(1)


@pytest.fixture
def notebook():
    """Run a cell's text as a notebook does: one namespace, the text known to Python's tracebacks."""
    space = {"__name__": "__main__", "math": math, "torch": torch, "nn": nn, "F": F, "Tensor": Tensor, "checks": checks}

    def run_cell(text):
        text = textwrap.dedent(text)
        name = f"<cell {next(NUMBERS)}>"
        linecache.cache[name] = (len(text), None, text.splitlines(True), name)
        exec(compile(text, name, "exec"), space)
        return space

    run_cell.space = space
    with session(Session(runner=InProcessRunner(20), show=False)):
        yield run_cell


def softmax(z):
    return torch.softmax(z, -1)


def exercise(*, points=4.0, refused=(), **more):
    return checks.Exercise("f", points=points, refused=refused, **more)


def run(made, implementation, **more) -> ExerciseResult:
    return made.run(implementation, Session(**{"show": False, "runner": InProcessRunner(20), **more}))


def doubling(points=3.0):
    made = exercise(points=points, reference=lambda x: 2 * x)
    for n in (0, 2, 3):
        made.case(f"twice {n}", lambda f, n=n: f(n))
    return made


def outcomes(result):
    return [case.outcome.value for case in result.cases]


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


def refusing(**more):
    made = exercise(**more)
    made.case(
        "valid and invalid",
        lambda f: [f(0.5), checks.caught(f, 1.5), checks.caught(f, -1)],
        **({} if "reference" in more else {"expected": [0.5, checks.raises(ValueError), checks.raises(ValueError)]}),
    )
    return made


def strict(p):
    if not 0 <= p <= 1:
        raise ValueError("p must lie in [0, 1]")
    return p


def raising(error):
    def f(p):
        if not 0 <= p <= 1:
            raise error
        return p

    return f


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


# ----------------------------------------------------------------------------------------------------- the cell


def test_the_implementation_is_what_the_name_means_when_it_is_scored(notebook):
    notebook("tests = checks.Exercise('double', points=2)\ntests.case('a', lambda f: f(2), expected=4)")
    space = notebook("def double(x):\n    return 2 * x\nscore = tests.score()")
    assert space["score"] == 2.0
    assert type(space["score"]) is float
    assert notebook("def double(x):\n    return x\nscore = tests.score()")["score"] == 0.0


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ("", "double does not exist. Run the cell that defines it; if it stopped with an error, mend that first."),
        ("double = 3", "double is 3, not a function or a class. Was the name used for something else?"),
        (
            "double = torch.ones(2)",
            "double is tensor([1.0, 1.0]), not a function or a class. Was the name used for something else?",
        ),
        (
            "double = None",
            "double does not exist. Run the cell that defines it; if it stopped with an error, mend that first.",
        ),
    ],
)
def test_a_name_without_a_function_is_missing(notebook, definition, message):
    notebook(definition)
    space = notebook(
        """\
        tests = checks.Exercise("double", points=2)
        tests.case("a", lambda f: f(2), expected=4)
        tests.case("b", lambda f: f(3), expected=6, weight=2)
        score = tests.score()
        """
    )
    result = space["tests"].result
    assert space["score"] == 0.0
    assert outcomes(result) == ["missing", "missing"]
    assert [case.message for case in result.cases] == [message] * 2
    assert [case.weight for case in result.cases] == [1, 2]


def test_a_namespace_may_be_given():
    made = checks.Exercise("double", points=2, namespace={"double": lambda x: 2 * x})
    made.case("a", lambda f: f(2), expected=4)
    with session(Session(show=False)):
        assert made.score() == 2.0


def test_cases_between_the_markers_are_hidden(notebook):
    space = notebook(
        """\
        tests = checks.Exercise("double", points=2, reference=lambda x: 2 * x)
        tests.case("shown", lambda f: f(2))
        ### BEGIN HIDDEN TESTS
        tests.case("hidden", lambda f: f(3))
        for n in (4, 5):
            tests.case(
                f"hidden {n}",
                lambda f, n=n: f(n),
            )
        ### END HIDDEN TESTS
        tests.case("shown again", lambda f: f(6))
        ### BEGIN HIDDEN TESTS
        tests.case("hidden again", lambda f: f(7))
        ### END HIDDEN TESTS
        def double(x):
            return 2 * x
        score = tests.score()
        """
    )
    assert space["score"] == 2.0
    hidden = {case.title: case.hidden for case in space["tests"].result.cases}
    assert hidden == {
        "shown": False,
        "hidden": True,
        "hidden 4": True,
        "hidden 5": True,
        "shown again": False,
        "hidden again": True,
    }


def test_a_stub_is_told_that_it_is_one(notebook):
    space = notebook("def double(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()")
    result = run(doubling(), space["double"])
    assert result.score == 0.0
    assert outcomes(result) == ["not written"] * 3
    assert result.cases[0].message == "f is not written yet: replace the line that raises NotImplementedError"


def test_an_exception_is_shown_with_the_line_of_the_cell(notebook):
    space = notebook("def double(x):\n    y = x\n    return y.shape\n")
    result = run(doubling(), space["double"])
    assert result.cases[0].message == "f stopped with AttributeError: 'int' object has no attribute 'shape'"
    assert result.cases[0].reason == "line 3 of your cell: return y.shape"
    assert result.cases[0].called == "f(0)"


def test_what_cannot_be_used_is_told_from_what_failed(notebook):
    made = exercise()
    made.case("a", lambda f: f()[0], expected=1)
    message = run(made, notebook("def f():\n    pass")["f"]).cases[0].message
    assert message == "what f returned (None) cannot be used: TypeError: 'NoneType' object is not subscriptable"


def test_a_class_is_an_implementation(notebook):
    space = notebook(
        """\
        class Mean:
            def __init__(self, start=0.0):
                self.total, self.count = start, 0
            def update(self, value):
                self.total += value
                self.count += 1
            def compute(self):
                return self.total / self.count
        tests = checks.Exercise("Mean", points=2)
        def scenario(f):
            mean = f(start=1.0)
            mean.update(2.0)
            mean.update(3.0)
            return mean.compute()
        tests.case("two", scenario, expected=3.0)
        score = tests.score()
        """
    )
    assert space["score"] == 2.0
    assert run(space["tests"], type("Empty", (), {})).score == 0.0


def test_a_module_class_is_an_implementation():
    class Dropout(nn.Module):
        def forward(self, x):
            return x if not self.training else x * 0

    made = exercise()
    made.case("eval", lambda f: f().eval()(torch.ones(2)), expected=torch.ones(2))
    assert run(made, Dropout).score == 4.0


# ---------------------------------------------------------------------------------------------------------- refused


def test_a_refused_name_costs_all_points_even_unused(notebook):
    space = notebook(
        """\
        def f(x):
            if x == "never":
                return torch.softmax(x, -1)
            return 2 * x
        """
    )
    made = exercise(reference=lambda x: 2 * x, refused=["softmax"])
    made.case("a", lambda f: f(1))
    result = run(made, space["f"])
    assert result.refused == ("torch.softmax (line 3)",)
    assert result.score == 0.0


def test_what_is_seen_at_work_costs_all_points_too():
    saved = torch.softmax
    made = exercise(reference=softmax, refused=["softmax"])
    made.case("a", lambda f: f(torch.zeros(2)))
    made.case("b", lambda f: 1, expected=1)
    result = run(made, lambda z: saved(z, -1))
    assert result.score == 0.0
    assert outcomes(result) == ["refused", "passed"]
    assert result.refused == ("torch.softmax or its kin (seen at work: the operation aten::softmax)",)
    assert result.cases[0].message == f"f uses {result.refused[0]}"


def test_a_self_check_below_the_definition_costs_nothing(notebook):
    space = notebook(
        """\
        def f(z):
            out = z.exp()
            return out / out.sum(-1, keepdim=True)

        z = torch.randn(3)
        out = torch.softmax(z, -1)
        assert torch.allclose(f(z), out)
        """
    )
    made = exercise(reference=softmax, refused=["softmax"])
    made.case("a", lambda f: f(torch.zeros(2)))
    assert run(made, space["f"]).score == 4.0


def test_no_misconception_is_named_where_something_is_refused():
    made = exercise(reference=softmax, refused=["softmax"])
    made.case("a", lambda f: f(torch.zeros(2)))
    wrong = Misconception("f", "is not normalised", lambda z: torch.softmax(z, -1) * 2, hint="?")
    assert run(made, wrong.implementation, misconceptions=[wrong]).misconceptions == ()


# ---------------------------------------------------------------------------------------------------- misconceptions

ADDS_TWO = Misconception("f", "adds two", lambda x: x + 2, hint="Try it with 3.")
SQUARES = Misconception("f", "squares", lambda x: x * x, hint="Try it with 5.")
RAISES = Misconception("f", "divides by zero", lambda x: x // 0, hint="What is x // 0?")
KNOWN = [ADDS_TWO, SQUARES, RAISES, Misconception("other", "adds two", lambda x: x + 2, hint="not for f")]


def recognised(made, implementation, known=KNOWN):
    return [(m.name, m.hint) for m in run(made, implementation, misconceptions=known).misconceptions]


def test_a_misconception_is_recognised_by_its_results_however_it_is_written():
    assert recognised(doubling(), lambda x: x - -2) == [("adds two", "Try it with 3.")]
    assert recognised(doubling(), lambda x: x**2) == [("squares", "Try it with 5.")]


def test_a_right_answer_holds_no_misconception():
    assert recognised(doubling(), lambda x: 2 * x) == []


def test_another_mistake_is_not_taken_for_a_known_one():
    assert recognised(doubling(), lambda x: x + 3) == []
    assert recognised(doubling(), lambda x: x + 2 if x else 7) == []


def test_a_misconception_must_also_pass_what_the_student_passes():
    # Wrong only at 0, with the misconception's result there; right at 3, where the misconception is wrong.
    assert recognised(doubling(), lambda x: 2 if x == 0 else 2 * x) == []


def test_a_misconception_does_not_explain_what_it_gets_right():
    # Adding two is right at 2, and this is not.
    assert recognised(doubling(), lambda x: 99 if x == 2 else x + 2) == []


def test_an_exception_is_recognised_by_its_class():
    assert recognised(doubling(), lambda x: 1 / 0) == [("divides by zero", "What is x // 0?")]
    assert recognised(doubling(), lambda x: [][0]) == []


@pytest.mark.parametrize("error", [NotImplementedError(), NotImplementedError])
def test_a_stub_holds_no_misconception(error):
    def unwritten(x):
        raise error

    lazy = Misconception("f", "is a stub", unwritten, hint="?")
    assert recognised(doubling(), unwritten, [lazy]) == []


def test_caught_exceptions_of_other_classes_are_not_the_same_misconception():
    made = refusing()
    wrong = Misconception("f", "raises TypeError", raising(TypeError()), hint="?")
    assert recognised(made, raising(TypeError("other text")), [wrong]) == [("raises TypeError", "?")]
    assert recognised(made, raising(KeyError()), [wrong]) == []


def test_a_random_misconception_is_recognised_by_the_kind_of_finding():
    def judge(came):
        mean, low = came.mean().item(), came.min().item()
        if low < 0:
            return checks.Finding("negative", f"an entry is {low}")
        return None if abs(mean - 1) < 0.2 else checks.Finding("scale", f"the mean is {mean:.2f}, not 1")

    made = exercise()
    made.case("the mean", lambda f: f(torch.ones(1000)), judge=judge, like=torch.zeros(1000))
    forgets = Misconception("f", "forgets to scale", lambda x: x * (torch.rand_like(x) < 0.5), hint="Scale.")
    came = recognised(made, lambda x: x * torch.empty_like(x).bernoulli_(0.5), [forgets])
    assert came == [("forgets to scale", "Scale.")]
    assert recognised(made, lambda x: -x, [forgets]) == []
    assert recognised(made, lambda x: x[:5], [forgets]) == []


def test_a_misconception_that_never_ends_is_cut_and_not_recognised(monkeypatch):
    from course_lib.checks import exercise as module

    def endless(x):
        while True:
            pass

    monkeypatch.setattr(module, "InProcessRunner", lambda case_seconds: InProcessRunner(0.1))
    assert recognised(doubling(), lambda x: x + 2, [Misconception("f", "hangs", endless, hint="?"), ADDS_TWO]) == [
        ("adds two", "Try it with 3.")
    ]


def test_a_misconception_that_spoils_its_input_spoils_nothing():
    shared = torch.ones(2)
    made = exercise(reference=lambda x: x * 3)
    made.case("a", lambda f: f(shared))
    made.case("b", lambda f: f(shared))
    wrong = Misconception("f", "adds in place", lambda x: x.add_(1), hint="?")
    assert recognised(made, lambda x: x + 1, [wrong]) == [("adds in place", "?")]
    assert shared.tolist() == [1, 1]


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


# ----------------------------------------------------------------------------------------- the grader's runner


class Elsewhere:
    """Stands for the grader's runner, which runs the scenario in another process."""

    def __init__(self, observation):
        self.observation = observation
        self.asked = []

    def run(self, scenario, implementation, *, name, seed, refused=(), hidden=False):
        self.asked.append((name, seed, refused))
        return self.observation


@pytest.mark.parametrize("outcome", [Outcome.CRASHED, Outcome.LIMIT, Outcome.TIMED_OUT])
def test_the_sessions_runner_runs_the_students_code(outcome):
    made = doubling()
    runner = Elsewhere(Observation(checks.Raised(("RuntimeError",), "…"), outcome))
    result = run(made, lambda x: 2 * x, runner=runner)
    assert [case.outcome for case in result.cases] == [outcome] * 3
    assert [(name, seed) for name, seed, _ in runner.asked] == [("f", 0), ("f", 1000), ("f", 2000)]
    assert result.score == 0.0


# ----------------------------------------------------------------------------------------------- a real notebook


def test_a_cell_in_ipython_shows_its_record_and_gives_its_points(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(display_pub_class=CapturingDisplayPublisher)
    shell.history_manager.enabled = False
    try:
        shell.run_cell("import torch\nfrom course_lib import checks").raise_error()
        shell.run_cell("def softmax(z):\n    out = z.exp()\n    return out / out.sum(0)").raise_error()
        came = shell.run_cell(
            "right = lambda z: torch.softmax(z, -1)\n"
            "tests = checks.Exercise('softmax', points=4, reference=right, refused=['softmax'])\n"
            "tests.case('one row', lambda f: f(torch.zeros(2)))\n"
            "### BEGIN HIDDEN TESTS\n"
            "tests.case('two rows', lambda f: f(torch.zeros(2, 3)))\n"
            "### END HIDDEN TESTS\n"
            "tests.score()"
        )
        (shown,) = shell.display_pub.outputs
    finally:
        shell.history_manager.end_session()
        InteractiveShell.clear_instance()
    assert came.result == 2.0
    assert shown["data"].keys() == {"text/html", "text/plain", RESULT_MIME}
    record = shown["data"][RESULT_MIME]
    assert (record["exercise"], record["points"], record["score"]) == ("softmax", 4.0, 2.0)
    assert [(case["title"], case["hidden"], case["outcome"]) for case in record["cases"]] == [
        ("one row", False, "passed"),
        ("two rows", True, "failed"),
    ]
