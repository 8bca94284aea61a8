"""Of a hidden case nothing is shown that a student's code could have written."""

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.checks.verdict import CaseResult, ExerciseResult, Outcome
from course_lib.grader.feedback.hidden import Hidden, shown_cases

SECRET = "zq_stolen"
FAILED = CaseResult(
    "big logits",
    Outcome.FAILED,
    hidden=True,
    message="result[1] is nan at [0, 2], not 0.5 (3 of 6 entries differ)",
    called="softmax(a float32 tensor of shape [2, 3], from -10000.0 to 10000.0, 'sum')  (and 9 more calls)",
    came="[tensor([nan, 0.0], float64), None, {'mask': 1}, … 2 more]",
    expected="[tensor([0.5, 0.5], float64), {'mask': 1}]",
    reason="look for exp of a large number",
    printed="debugging",
)


def told(case, *others, refused=(), level="message"):
    record = ExerciseResult("softmax", 4.0, (*others, case), refused)
    return shown_cases(record, level)[-1]


def test_our_own_words_numbers_and_hints_are_shown():
    assert told(FAILED) == replace(FAILED, printed="")


@pytest.mark.parametrize(
    ("came", "shown"),
    [
        (f"'{SECRET}'", "'…'"),
        (f"a {SECRET}", "a …"),
        (f"ValueError: {SECRET} lambda f: softmax(f)", "ValueError: … f: softmax(f)"),
        (f"{{'{SECRET}': tensor([1.0])}}", "{'…': tensor([1.0])}"),
        (f'"{SECRET}\\" {SECRET}"', "'…'"),
        ("2" * 40, "…"),
        ("tensor([1.0])" + SECRET, "tensor([1.0])…"),
    ],
)
def test_what_a_student_returns_is_shown_without_words_of_its_own(came, shown):
    assert told(replace(FAILED, came=came)).came == shown


@pytest.mark.parametrize(
    ("outcome", "message", "shown"),
    [
        (Outcome.RAISED, f"softmax stopped with ValueError: {SECRET}", "softmax stopped with ValueError"),
        (Outcome.RAISED, f"softmax stopped with {SECRET}: 1", "softmax stopped with an exception of its own"),
        (Outcome.RAISED, f"{SECRET}", "softmax stopped with an exception of its own"),
        (
            Outcome.RAISED,
            f"what softmax returned (the text '{SECRET}') cannot be used: TypeError: {SECRET}",
            "what softmax returned (the text '…') cannot be used: TypeError",
        ),
        (
            Outcome.LIMIT,
            "softmax was stopped: it needed more than 1024 MB of memory (limit memory_mb)",
            "softmax was stopped: it needed more than 1024 MB of memory (limit memory_mb)",
        ),
        (Outcome.LIMIT, f"softmax was stopped: it returned {SECRET}", "softmax was stopped: it returned …"),
        (
            Outcome.TIMED_OUT,
            "softmax did not finish within 10 s (limit case_seconds): is there a loop that never ends?",
            "softmax did not finish within 10 s (limit case_seconds): is there a loop that never ends?",
        ),
        (
            Outcome.TIMED_OUT,
            "softmax was stopped: not run: what ran before it used up the notebook's 120 s (limit submission_seconds)",
            "softmax was stopped: not run: what ran before it used up the notebook's 120 s (limit submission_seconds)",
        ),
        (Outcome.CRASHED, f"softmax ended the process that ran it ({SECRET})", None),
        (Outcome.REFUSED, f"softmax uses {SECRET}", "softmax uses what this exercise refuses"),
        (Outcome.MISSING, f"softmax is '{SECRET}', not a function", "softmax does not exist, or is something else"),
    ],
)
def test_how_it_stopped_is_told_without_what_the_exception_carries(outcome, message, shown):
    case = told(replace(FAILED, outcome=outcome, message=message, expected="", came=""))
    assert SECRET not in case.message
    assert shown is None or case.message == shown


def test_a_refused_name_that_stands_above_the_cases_is_shown():
    case = replace(FAILED, outcome=Outcome.REFUSED, message="softmax uses torch.softmax (line 4)")
    assert told(case, refused=("torch.softmax (line 4)",)).message == case.message


def test_the_place_is_a_line_number_and_no_text():
    case = replace(FAILED, outcome=Outcome.RAISED, reason=f"line 12 of your cell: raise ValueError({SECRET})")
    assert told(case).reason == "line 12 of your cell"
    assert told(replace(case, reason=SECRET)).reason == ""


def test_words_that_a_visible_case_printed_are_not_known():
    visible = CaseResult(
        "shape", Outcome.FAILED, message=SECRET, called=SECRET, came=SECRET, printed=SECRET, expected="1"
    )
    assert SECRET not in repr(told(replace(FAILED, came=f"'{SECRET}'"), visible))


def test_a_passed_case_tells_nothing_but_its_title():
    passed = replace(FAILED, outcome=Outcome.PASSED)
    assert told(passed) == CaseResult("big logits", Outcome.PASSED, hidden=True)


def test_visible_cases_are_shown_whole():
    visible = replace(FAILED, hidden=False)
    for level in get_args(Hidden):
        assert shown_cases(ExerciseResult("softmax", 4.0, (visible,)), level) == (visible,)


def test_title_keeps_title_and_outcome_and_nothing_keeps_nothing():
    assert told(FAILED, level="title") == CaseResult("big logits", Outcome.FAILED, hidden=True)
    assert shown_cases(ExerciseResult("softmax", 4.0, (FAILED,)), "nothing") == ()


@pytest.mark.parametrize("outcome", list(Outcome))
@given(text=st.text(max_size=60))
def test_no_text_of_a_students_making_gets_through(outcome, text):
    marked = f"{SECRET} {text} {SECRET} '{SECRET}' {text}{SECRET}"
    if outcome is Outcome.FAILED:
        case = replace(FAILED, message=marked, called=marked, came=marked, printed=marked)
    else:
        case = CaseResult("t", outcome, True, 1.0, marked, marked, marked, "", "", marked)
    if outcome is not Outcome.UNWRITTEN:  # its message is the stub's, by definition
        assert SECRET not in repr(told(case))
