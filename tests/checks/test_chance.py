import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.checks import chance


def coins(*shape: int, p: float, seed: int = 0) -> torch.Tensor:
    """A right mask: True with probability 1 - p, independently."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) >= p


def kind(finding: object) -> str:
    return "" if finding is None else finding.kind  # type: ignore[attr-defined]


@given(trials=st.integers(1, 400), share=st.floats(0, 1), chance_=st.floats(0.01, 0.99))
def test_the_bound_is_never_above_the_exact_tail(trials: int, share: float, chance_: float) -> None:
    count = round(share * trials)
    if chance.improbable(count, trials, chance_):
        tail = range(count, trials + 1) if count > chance_ * trials else range(count + 1)
        exact = sum(math.comb(trials, k) * chance_**k * (1 - chance_) ** (trials - k) for k in tail)
        assert exact < 1e-12


def test_an_impossible_count_is_improbable() -> None:
    assert chance.improbable(1, 10, 0.0)
    assert chance.improbable(9, 10, 1.0)
    assert not chance.improbable(0, 10, 0.0)
    assert not chance.improbable(10, 10, 1.0)


def test_a_thousand_right_masks_pass() -> None:
    for seed in range(1000):
        p = (0.1, 0.3, 0.5, 0.8)[seed % 4]
        shape = ((40, 60), (300,), (1, 250), (6, 5, 8, 7))[seed // 4 % 4]
        assert chance.judge_mask(coins(*shape, p=p, seed=seed), p) is None, seed


@pytest.mark.parametrize(
    ("mask", "p", "expected"),
    [
        (coins(40, 60, p=0.3), 0.7, "drops with 1 - p"),
        (coins(40, 60, p=0.3), 0.5, "rate"),
        (coins(40, 1, p=0.5).expand(40, 60), 0.5, "one coin for all along axis 1 of 2"),
        (coins(1, 60, p=0.5).expand(40, 60), 0.5, "one coin for all along axis 0 of 2"),
        (coins(20, 60, p=0.5).repeat_interleave(2, 0), 0.5, "linked along axis 0 of 2"),
        (torch.cat([(half := coins(40, 30, p=0.5)), half.flip(1)], 1), 0.5, "linked along axis 1 of 2"),
        (
            torch.stack([torch.randperm(60, generator=torch.Generator().manual_seed(i)) < 30 for i in range(40)]),
            0.5,
            "fixed count",
        ),
    ],
)
def test_a_wrong_mask_is_named(mask: torch.Tensor, p: float, expected: str) -> None:
    assert kind(chance.judge_mask(mask, p)) == expected


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (1 / 0.7, ""),
        (1.0, "not scaled"),
        (0.7, "times 1 - p"),
        (1 / 0.3, "times 1/p"),
        (1 / 0.49, "scaled twice"),
        (1.1, "scale"),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_wrong_scale_is_named(factor: float, expected: str, dtype: torch.dtype) -> None:
    x = chance.nonzero(40, 60, seed=3, dtype=dtype)
    came = x * coins(40, 60, p=0.3) * factor
    assert kind(chance.judge_dropped(came, x, 0.3, 1 / 0.7)) == expected


def test_float32_on_the_way_is_seen_in_float64() -> None:
    x = chance.nonzero(40, 60, seed=3, dtype=torch.float64)
    came = ((x.float() * coins(40, 60, p=0.3)) / 0.7).double()
    assert kind(chance.judge_dropped(came, x, 0.3, 1 / 0.7)) == "scale"


def test_nonzero_numbers_stay_away_from_zero_and_have_both_signs() -> None:
    x = chance.nonzero(2000, seed=1)
    assert 0.5 <= float(x.abs().min()) <= float(x.abs().max()) <= 1.0
    assert 800 < int((x > 0).sum()) < 1200
