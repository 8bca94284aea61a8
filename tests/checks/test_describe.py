import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.checks.data import Opaque, Raised, plain
from course_lib.checks.describe import describe, form, number

data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.builds(torch.tensor, st.floats()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(data, st.integers(10, 400))
def test_a_description_is_never_longer_than_asked(value, limit):
    assert 0 < len(describe(plain(value), limit=limit)) <= limit


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.25, "0.25"),
        (3.0, "3.0"),
        (12345.0, "12345.0"),
        (1e-8, "1e-08"),
        (-math.inf, "-inf"),
        (math.nan, "nan"),
        (7, "7"),
        (2**62 + 1, "4611686018427387905"),
        (10**400, "a whole number of 1329 bits"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (torch.tensor([0.25, 0.75]), "tensor([0.25, 0.75])"),
        (torch.tensor([0.25], dtype=torch.float64), "tensor([0.25], float64)"),
        (torch.tensor([[1, 2], [3, 4]]), "tensor([[1, 2], [3, 4]])"),
        (torch.tensor(True), "tensor(True)"),
        (torch.linspace(-1, 2, 20), "a float32 tensor of shape [20], from -1.0 to 2.0"),
        (
            torch.tensor([math.nan, math.inf] + [1.0] * 20),
            "a float32 tensor of shape [22], from 1.0 to 1.0, 2 entries NaN or infinite",
        ),
        (torch.full((20,), math.nan), "a float32 tensor of shape [20], no finite entry"),
        (torch.arange(20) % 2 == 0, "a bool tensor of shape [20], 10 of 20 true"),
        (torch.arange(20).to(torch.uint64), "a uint64 tensor of shape [20], from 0.0 to 19.0"),
        ([1, "a", None, True, 5], "[1, 'a', None, True, … 1 more]"),
        ({"a": 1}, "{'a': 1}"),
        ([[[[1]]]], "[[[a sequence of 1 item]]]"),
        (Raised(("ValueError", "Exception"), "no"), "ValueError: no"),
        (Opaque("a Thing"), "a Thing"),
    ],
)
def test_values_in_few_words(value, text):
    assert describe(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (torch.zeros(2, 3), "a float32 tensor of shape [2, 3]"),
        (torch.tensor(1), "a int64 tensor of shape [] (0-d)"),
        (None, "None"),
        (True, "the truth value True"),
        (2, "the number 2"),
        ("no", "the text 'no'"),
        ([1, 2], "a sequence of 2 items"),
        ({"W": 1}, "a dict with the keys 'W'"),
        ({}, "a dict with the keys (none)"),
        (Raised(("ValueError",)), "the exception ValueError"),
    ],
)
def test_forms(value, text):
    assert form(value) == text


def test_a_large_tensor_without_entries_is_not_written_out():
    assert describe(torch.zeros(2, 0)) == "tensor([[], []])"
    for dtype in (torch.float32, torch.bool, torch.int64):
        assert describe(torch.zeros(90_000, 0, dtype=dtype)).endswith("tensor of shape [90000, 0], without entries")
