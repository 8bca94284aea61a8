"""Misconceptions that an exercise recognises by their results."""

import pytest
import torch

from course_lib import checks
from course_lib.checks.misconception import Misconception
from course_lib.checks.run import InProcessRunner

from .exercises import doubling, exercise, raising, refusing, run

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
