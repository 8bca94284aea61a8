"""Two data have the same digest exactly when they are equal bit for bit."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.checks.data import Opaque, Raised
from course_lib.checks.digest import digest

DIFFERENT = [
    None,
    True,
    False,
    0,
    1,
    -1,
    10**30,
    0.0,
    -0.0,
    1.0,
    math.inf,
    math.nan,
    "",
    "1",
    "True",
    "None",
    [],
    [[]],
    [[], []],
    [1],
    ["1"],
    [1, 2],
    [2, 1],
    [[1], 2],
    [[1, 2]],
    ["ab", "c"],
    ["a", "bc"],
    {},
    {"a": 1},
    {1: 1},
    {"a": 1, "b": 2},
    {"a": {"b": 2}},
    torch.zeros(()),
    torch.zeros(1),
    torch.zeros(2),
    torch.zeros(1, 2),
    torch.zeros(2, 1),
    torch.zeros(2, dtype=torch.float64),
    torch.zeros(2, dtype=torch.int32),
    torch.zeros(0),
    torch.zeros(0, 3),
    torch.tensor([0.0, -0.0]),
    torch.tensor([1.0, 2.0]),
    torch.tensor([2.0, 1.0]),
    torch.tensor([True, False]),
    torch.tensor([1.0, 2.0], dtype=torch.bfloat16),
    torch.tensor([1.0, 2.0], dtype=torch.complex64),
    Raised(("ValueError",), ""),
    Raised(("ValueError", "Exception"), ""),
    Raised(("ValueError",), "no"),
    Opaque("a set"),
    Opaque("a function"),
]


def test_what_differs_in_value_type_shape_or_order_has_another_digest() -> None:
    assert len({digest(value) for value in DIFFERENT}) == len(DIFFERENT)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(PLAIN, PLAIN)
def test_equal_data_have_equal_digests_and_others_have_not(one: object, other: object) -> None:
    assert (digest(one) == digest(other)) == (repr(one) == repr(other))


def test_where_a_tensor_lies_in_memory_says_nothing() -> None:
    table = torch.arange(12.0).reshape(3, 4)
    assert digest(table.t()) == digest(table.t().contiguous())
    assert digest(table[:, 1]) == digest(table[:, 1].clone())


def test_what_is_no_plain_data_is_an_error_and_not_a_guess() -> None:
    for odd in ({1, 2}, object(), b"bytes"):
        with pytest.raises(TypeError, match="no plain data"):
            digest(odd)
