import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.checks.diagnose import likely_reason

MATRIX = torch.tensor([[1.0, 2.0, 4.0], [-3.0, 5.0, 0.5], [7.0, -1.0, 6.0]])
VECTOR = torch.tensor([1.0, -2.0, 4.0, 0.5])


@pytest.mark.parametrize(
    ("came", "expected", "reason"),
    [
        (MATRIX.T, MATRIX, "It is the transpose of what is right: rows and columns are swapped."),
        (-VECTOR, VECTOR, "The sign is wrong: every entry is the negative of what is right."),
        (VECTOR / 2, VECTOR, "Every entry is 0.5 times what is right: is a factor missing or too many?"),
        (
            VECTOR / 4,
            VECTOR,
            "Every entry is 4 times too small, and 4 is the number of entries: is there a division by it too many?",
        ),
        (
            3 * MATRIX,
            MATRIX,
            "Every entry is 3 times too large, and 3 is the number of rows: is a division by it missing?",
        ),
        (VECTOR + 1, VECTOR, "Every entry is off by the same 1.0: is a term missing or counted twice?"),
        (VECTOR.abs(), VECTOR, "Every entry has the right size, but some have the wrong sign."),
        (torch.zeros(4), VECTOR, "Every entry is 0."),
        (VECTOR, torch.zeros(4), "Everything should be 0 here."),
        (VECTOR > 0, VECTOR, "Convert the result to float32, the dtype of the input."),
        (
            torch.zeros(5, 2, 3),
            torch.zeros(2, 3),
            "There is one axis too many in front: was the sum over the examples forgotten?",
        ),
        (torch.zeros(2), torch.zeros(2, 3), "One axis was reduced that should stay."),
        (
            torch.tensor(0.0),
            torch.zeros(2, 3),
            "Everything was reduced to one number: is there a sum or a mean too many?",
        ),
        (torch.tensor([1.0, 7.0, 4.0, 0.5]), VECTOR, ""),
        (torch.zeros(3, 5), torch.zeros(4, 6), ""),
    ],
)
def test_an_unmistakable_pattern_is_named(came, expected, reason):
    assert likely_reason(came, expected) == reason


tensors = st.builds(
    lambda shape, dtype, seed: torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype),
    st.lists(st.integers(0, 3), max_size=3),
    st.sampled_from([torch.float32, torch.float64, torch.float16, torch.int64, torch.bool, torch.complex64]),
    st.integers(0, 99),
)


@given(tensors, tensors)
@pytest.mark.filterwarnings("ignore:Casting complex values")
def test_no_pair_of_tensors_raises(came, expected):
    assert isinstance(likely_reason(came, expected), str)
