import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.checks.compare import AFTERWARDS, RESULT, Tolerance, compare, compare_form, place
from course_lib.checks.data import Opaque, Raised, plain, raises

THIRD = 1 / 3
THIRD_IN_FLOAT32 = float(torch.tensor(THIRD))

numbers = st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.none()
tensors = st.builds(
    lambda values, dtype: torch.tensor(values, dtype=torch.float64).to(dtype),
    st.lists(st.floats(width=32), max_size=6),
    st.sampled_from([torch.float32, torch.float64]),
) | st.builds(torch.tensor, st.integers(-(2**60), 2**60))
nested = st.recursive(
    numbers | tensors,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(nested)
def test_everything_equals_itself(data):
    assert compare(plain(data), plain(data)) is None
    assert compare_form(plain(data), plain(data)) is None


@given(nested, nested)
def test_a_difference_is_put_into_words_and_nothing_raises(came, expected):
    difference = compare(plain(came), plain(expected))
    assert difference is None or (difference.message and difference.came and difference.expected)


@given(nested, nested)
def test_what_differs_in_form_differs(came, expected):
    if compare_form(plain(came), plain(expected)) is not None:
        assert compare(plain(came), plain(expected)) is not None


# --------------------------------------------------------------------------------------------- what counts as equal


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        ((1, 2), [1, 2]),
        ([1, 2], (1, 2)),
        ({"a": 1, "more": 2}, {"a": 1}),
        (1, 1.0),
        (0.1 + 0.2, 0.3),
        (math.nan, math.nan),
        (math.inf, math.inf),
        (-0.0, 0.0),
        (torch.tensor([math.nan, math.inf, -math.inf]), torch.tensor([math.nan, math.inf, -math.inf])),
        (torch.zeros(0, 3), torch.zeros(0, 3)),
        (torch.tensor(1.0), torch.tensor(1.0)),
        (torch.tensor([1 + 2j]), torch.tensor([1 + 2j])),
        (torch.tensor([True]), torch.tensor([True])),
        ("none", "none"),
        (None, None),
    ],
)
def test_equal(came, expected):
    assert compare(came, expected) is None


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        (True, 1),
        (1, True),
        (True, 1.0),
        (1.0, 1),
        (2, 3),
        (2**60, 2**60 + 1),
        (math.nan, 1.0),
        (1.0, math.nan),
        (math.inf, 1e308),
        (1e308, math.inf),
        (math.inf, -math.inf),
        (None, 0),
        ("1", 1),
        (torch.tensor(1.0), 1.0),
        (1.0, torch.tensor(1.0)),
        (torch.zeros(1), torch.tensor(0.0)),
        (torch.zeros(0, 3), torch.zeros(3, 0)),
        (torch.zeros(2, 1), torch.zeros(2)),
        (torch.zeros(2, dtype=torch.float64), torch.zeros(2)),
        (torch.zeros(2, dtype=torch.int64), torch.zeros(2)),
        (torch.tensor([1]), torch.tensor([True])),
        (torch.tensor([2**62]), torch.tensor([2**62 + 1])),
        (torch.tensor([math.nan]), torch.tensor([1.0])),
        (torch.tensor([math.inf]), torch.tensor([-math.inf])),
        (torch.tensor([1 + 2j]), torch.tensor([1 - 2j])),
        ([1, 2], [1, 2, 3]),
        ([1, 2, 3], [1, 2]),
        ([], {}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ([[torch.zeros(2)], {"a": torch.ones(2)}], [[torch.zeros(2)], {"a": torch.zeros(2)}]),
        (Opaque("a Thing"), Opaque("a Thing")),
        (Opaque("a Thing"), None),
        (10**400, 5),
        (5, 10**400),
        (10**400, 5.0),
        (-(10**400), -math.inf),
    ],
)
def test_different(came, expected):
    assert compare(came, expected) is not None


# ----------------------------------------------------------------------------------------------------- tolerance


@pytest.mark.parametrize(
    ("dtype", "near", "far"),
    [
        (torch.float64, 1e-10, 1e-7),
        (torch.float32, 1e-6, 1e-4),
        (torch.float16, 1e-3, 1e-1),
        (torch.bfloat16, 1e-2, 2e-1),
    ],
)
def test_the_tolerance_follows_the_dtype(dtype, near, far):
    expected = torch.tensor([3.0, -7.0], dtype=torch.float64)
    assert compare((expected * (1 + near)).to(dtype), expected.to(dtype)) is None
    assert compare((expected * (1 + far)).to(dtype), expected.to(dtype)) is not None


def test_float32_accuracy_in_a_float64_result_is_wrong_and_says_so():
    expected = torch.tensor([THIRD, 2 / 3], dtype=torch.float64)
    difference = compare(expected.float().double(), expected)
    assert "precision of float32 only" in difference.reason
    # Both numbers would read 0.33333.
    assert difference.message == (
        "the result is 0.3333333432674408 at [0], not 0.33333333333333331 (2 of 2 entries differ)"
    )


def test_plain_numbers_that_round_to_the_same_text_are_told_apart():
    difference = compare(THIRD_IN_FLOAT32, THIRD)
    assert difference.message == "the result is 0.3333333432674408, not 0.33333333333333331"
    assert "precision of float32 only" in difference.reason


def test_large_numbers_that_float32_cannot_hold_are_not_called_infinite():
    assert "infinite" not in compare(1e300, 5.0).reason


def test_a_case_may_set_its_own_tolerance():
    came, expected = torch.tensor([1.05]), torch.tensor([1.0])
    assert compare(came, expected) is not None
    assert compare(came, expected, Tolerance(rtol=0.1)) is None
    assert compare(came, expected, Tolerance(atol=0.1)) is None
    assert compare(1.05, 1.0, Tolerance(atol=0.1)) is None


def test_an_absolute_tolerance_of_zero_is_kept():
    assert compare(torch.tensor([1e-9]), torch.tensor([0.0])) is None
    assert compare(torch.tensor([1e-9]), torch.tensor([0.0]), Tolerance(atol=0.0)) is not None


def test_no_tolerance_applies_to_whole_numbers():
    assert compare(1_000_000_001, 1_000_000_000, Tolerance(rtol=0.5, atol=5)) is not None
    assert compare(torch.tensor([3]), torch.tensor([4]), Tolerance(rtol=0.5, atol=5)) is not None


def test_the_comparison_itself_does_not_overflow():
    largest = torch.finfo(torch.float32).max
    assert compare(torch.tensor([-largest]), torch.tensor([largest])) is not None
    assert compare(torch.tensor([largest]), torch.tensor([largest])) is None


@pytest.mark.parametrize(
    "dtype",
    [
        torch.uint8,
        torch.uint16,
        torch.uint32,
        torch.uint64,
        torch.float16,
        torch.bfloat16,
        torch.float8_e5m2,
        torch.float8_e4m3fn,
        torch.complex64,
        torch.bool,
    ],
)
def test_every_dtype_is_compared_and_described(dtype):
    ones = plain(torch.ones(20).to(dtype))
    assert compare(ones, ones) is None
    assert compare(plain(torch.zeros(20).to(dtype)), ones) is not None
    assert compare(plain(torch.zeros(3).to(dtype)), ones) is not None


# ----------------------------------------------------------------------------------------------------- exceptions


def test_an_exception_meets_its_class_and_its_bases():
    came = Raised(("UnicodeError", "ValueError", "Exception"), "…")
    assert compare(came, raises(ValueError)) is None
    assert compare(came, raises(TypeError, ValueError)) is None
    assert compare(came, raises(TypeError)) is not None


@pytest.mark.parametrize(
    ("came", "expected", "message"),
    [
        (Raised(("TypeError", "Exception")), raises(ValueError), "the result is TypeError, not ValueError"),
        (
            "no exception",
            raises(ValueError, IndexError),
            "the result: ValueError or IndexError should be raised here, and no exception came",
        ),
        (
            [1, Raised(("KeyError",))],
            [1, 2],
            "result[1] is the exception KeyError, not the number 2",
        ),
    ],
)
def test_what_is_said_of_exceptions(came, expected, message):
    assert compare(came, expected).message == message


# ------------------------------------------------------------------------------------------------------- messages


@pytest.mark.parametrize(
    ("came", "expected", "message", "reason"),
    [
        (
            None,
            torch.zeros(2),
            "the result is None, not a float32 tensor of shape [2]",
            "Is there a return statement on every path through the function?",
        ),
        (
            3.0,
            torch.tensor(3.0),
            "the result is the number 3.0, not a float32 tensor of shape [] (0-d)",
            "A plain number came: keep the tensor, without .item() or float().",
        ),
        (
            torch.tensor(3.0),
            3.0,
            "the result is a float32 tensor of shape [] (0-d), not the number 3.0",
            "A tensor came: turn it into a plain number with .item().",
        ),
        (True, 1.0, "the result is the truth value True, not the number 1.0", ""),
        (2, 3, "the result is 2, not 3", ""),
        (
            torch.zeros(3, 2),
            torch.zeros(2, 3),
            "the result has the shape [3, 2], not [2, 3]",
            "The last two axes are swapped: is there a transpose too many or too few?",
        ),
        (
            torch.zeros(2, 1),
            torch.zeros(2),
            "the result has the shape [2, 1], not [2]",
            "The number of entries is right: an axis is missing, added or merged.",
        ),
        (
            torch.zeros(2, 3),
            torch.tensor(0.0),
            "the result has the shape [2, 3], not [] (0-d)",
            "One number for the whole input is asked for: reduce over every axis.",
        ),
        (
            torch.zeros(2),
            torch.zeros(2, dtype=torch.float64),
            "the result has the dtype float32, not float64",
            "The result should keep the dtype of the input, float64: tensors that you make yourself (torch.zeros, "
            "torch.rand, torch.tensor) are float32 unless you pass dtype.",
        ),
        (
            torch.tensor([1.0, 2.0, 3.5]),
            torch.tensor([1.0, 2.0, 3.0]),
            "the result is 3.5 at [2], not 3.0 (1 of 3 entries differ)",
            "",
        ),
        (torch.tensor(2.0), torch.tensor(3.0), "the result is 2.0, not 3.0", ""),
        (
            torch.tensor([-1.0, 2.0]),
            torch.tensor([1.0, -2.0]),
            "the result is -1.0 at [0], not 1.0 (2 of 2 entries differ)",
            "The sign is wrong: every entry is the negative of what is right.",
        ),
        (
            torch.tensor([[3.0], [6.0], [9.0]]),
            torch.tensor([[1.0], [2.0], [3.0]]),
            "the result is 3.0 at [0, 0], not 1.0 (3 of 3 entries differ)",
            "Every entry is 3 times too large, and 3 is the number of entries: is a division by it missing?",
        ),
        (
            torch.tensor([math.nan, 1.0]),
            torch.tensor([0.0, 1.0]),
            "the result is nan at [0], not 0.0 (1 of 2 entries differ)",
            "Entries are NaN where a finite number is right: look for exp of a large number, 0/0, log of 0 or 0 times "
            "infinity.",
        ),
        (
            torch.tensor([2**62]),
            torch.tensor([2**62 + 1]),
            "the result is 4611686018427387904 at [0], not 4611686018427387905",
            "",
        ),
        ([1], [1, 2], "the result has 1 items, not 2", ""),
        ({"W": 1}, {"W": 1, "b": 2, "x": 3}, "the result lacks the key 'b', 'x'", ""),
        ("summ", "sum", "the result is 'summ', not 'sum'", ""),
        (Opaque("a ndarray"), torch.zeros(1), "the result is a ndarray, not a float32 tensor of shape [1]", ""),
    ],
)
def test_what_a_student_reads(came, expected, message, reason):
    difference = compare(came, expected)
    assert (difference.message, difference.reason) == (message, reason)


def test_the_first_difference_is_named_by_its_place():
    difference = compare([1, {"W": [torch.zeros(2), 5]}], [1, {"W": [torch.zeros(2), 6]}])
    assert difference.message == "result[1]['W'][1] is 5, not 6"
    assert difference.path == (1, "W", 1)


def test_a_modified_argument_is_named_as_people_count():
    came = {RESULT: torch.ones(1), AFTERWARDS: [torch.zeros(2), torch.ones(2)]}
    difference = compare(came, {RESULT: torch.ones(1), AFTERWARDS: [torch.zeros(2), torch.zeros(2)]})
    assert difference.message == "argument 2 after the call is 1.0 at [0], not 0.0 (2 of 2 entries differ)"
    assert difference.reason.startswith("Your code modifies what it was given")


def test_places():
    assert place(()) == "the result"
    assert place((RESULT,)) == "the result"
    assert place((RESULT, 0)) == "result[0]"
    assert place((AFTERWARDS, 0, "W")) == "argument 1['W'] after the call"
    assert place((2, AFTERWARDS, 0)) == "argument 1 after the call (result[2])"


def test_a_message_stays_readable_whatever_came():
    for came in ({"k" * 100_000: 1}, dict.fromkeys(range(1000), "x" * 1000), "x" * 100_000, [[1] * 1000] * 1000):
        difference = compare(plain(came), torch.zeros(2))
        assert max(len(difference.message), len(difference.came)) < 1000


# ----------------------------------------------------------------------------------------------------------- form


def test_form_looks_at_shapes_dtypes_and_lengths_and_not_at_numbers():
    like = [torch.zeros(2, 3), {"n": 1, "p": 0.5}, "text"]
    assert compare_form([torch.ones(2, 3), {"n": 7, "p": 2.5}, "other"], like) is None
    assert compare_form([torch.ones(3, 2), {"n": 7, "p": 2.5}, "other"], like) is not None
    assert compare_form([torch.ones(2, 3).double(), {"n": 7, "p": 2.5}, "other"], like) is not None
    assert compare_form([torch.ones(2, 3), {"n": 7}, "other"], like) is not None
    assert compare_form([torch.ones(2, 3), {"n": True, "p": 2.5}, "other"], like) is not None
    assert compare_form([torch.ones(2, 3), {"n": 7, "p": 2.5}], like) is not None
    assert compare_form([torch.ones(2, 3), {"n": 7, "p": 2.5}, None], like) is not None
