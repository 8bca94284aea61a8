"""Judging what is random, from what came back: bounds that a right answer misses less than once in 10⁹ runs.

A bound of Chernoff's kind holds for every number of trials, so small cases are judged as soundly as large ones. The
limit of a single look is 2e-13, which leaves room for some thousand looks in one run.
"""

import math

import torch

from course_lib.checks.judging import Finding
from course_lib.checks.scenario import rand

_LIMIT = 30.0
"""Natural logarithm of how improbable a count must be to be wrong: 2·exp(-30) is below 2e-13."""


def improbable(count: int, trials: int, chance: float) -> bool:
    """Whether so many successes are out of all reason for a Binomial(trials, chance) count.

    P(a share at least as far off) <= 2·exp(-trials·KL(share || chance)): Chernoff (1952), in Hoeffding's (1963) form.

    Args:
        count: how many successes there were.
        trials: of how many independent trials.
        chance: the probability of each, in [0, 1].
    """
    share = count / trials
    if chance in (0.0, 1.0):
        return share != chance
    divergence = sum(a * math.log(a / b) for a, b in ((share, chance), (1 - share, 1 - chance)) if a > 0)
    return trials * divergence > _LIMIT


def judge_mask(kept: torch.Tensor, p: float) -> Finding | None:
    """Judge whether a mask is one of independent coins that drop with probability p.

    First whether one coin was thrown for a whole axis, and the rate. Then, along each axis, pairs of places: disjoint
    pairs, so that their agreements are independent too. Last the totals: a fixed number of kept entries in each line is
    no coin's work.

    Args:
        kept: Boolean, any shape with at least one axis; leading axes may be calls.
        p: the probability of dropping.

    Returns:
        What is wrong, of the kinds ``one coin for all along axis …``, ``rate``, ``drops with 1 - p``, ``linked along
        axis …`` and ``fixed count``.
    """
    dropped = int((~kept).sum())
    for axis, size in enumerate(kept.shape if 0 < dropped < kept.numel() else ()):
        if size > 1 and bool((kept == kept.narrow(axis, 0, 1)).all()):
            return Finding(
                f"one coin for all along axis {axis} of {kept.dim()}",
                f"all {size} entries along axis {axis} share one coin: draw a number for every element and every call",
            )
    if improbable(dropped, kept.numel(), p):
        kind = "rate" if improbable(dropped, kept.numel(), 1 - p) else "drops with 1 - p"
        share = dropped / kept.numel()
        return Finding(kind, f"{share:.1%} of {kept.numel()} entries were dropped, and p = {p} asks for about {p:.1%}")
    right = p * p + (1 - p) ** 2
    for axis, size in enumerate(kept.shape):
        lines = kept.movedim(axis, 0).reshape(size, -1)
        for which, agree in disjoint_agreements(lines):
            if improbable(int(agree.sum()), agree.numel(), right):
                return Finding(
                    f"linked along axis {axis} of {kept.dim()}",
                    f"entries {which} along axis {axis} share their fate {agree.double().mean().item():.0%} of "
                    f"the time, and independent ones {right:.0%}: draw a number for every element and every call",
                )
        # For 24 lines of 24 coins, and 0.1 <= p <= 0.9, equal counts come once in 1e12 runs.
        counts = lines.sum(1)
        if min(lines.shape) >= 24 and 0.1 <= p <= 0.9 and bool((counts == counts[0]).all()):
            return Finding(
                "fixed count",
                f"exactly {int(counts[0])} of {lines.shape[1]} entries were kept each time: independent coins vary",
            )
    return None


def disjoint_agreements(lines: torch.Tensor) -> list[tuple[str, torch.Tensor]]:
    """Where pairs of lines agree: mirrored ones, and those some places apart; within a kind, no line is in two pairs.

    Args:
        lines: ``[size, n]``.

    Returns:
        What pairs they are, in words, with a Boolean tensor that is not empty: an entry for each pair of entries.
    """
    size, width = lines.shape
    if width == 0:
        return []
    half = size // 2
    found = {"mirrored": lines[:half] == lines[size - half :].flip(0)}
    for lag in sorted({1, 2, 3, 4, 5, 6, half} - {0}):
        blocks = size // (2 * lag)
        if blocks:  # blocks of 2·lag lines: the first half of each with its second half
            pairs = lines[: 2 * lag * blocks].reshape(blocks, 2, lag, width)
            found[f"{lag} apart"] = pairs[:, 0] == pairs[:, 1]
    return [(which, agree) for which, agree in found.items() if agree.numel()]


def judge_dropped(came: torch.Tensor, x: torch.Tensor, p: float, scale: float) -> Finding | None:
    """Judge whether entries of x were dropped by independent coins, and the kept ones multiplied by a number.

    Args:
        came: what came back, of x's shape, or with further axes in front (several calls).
        x: what was given, without zeros, so that a zero can only be a dropped entry.
        p: the probability of dropping.
        scale: what a kept entry is multiplied by.

    Returns:
        What is wrong: of the kinds of :func:`judge_mask`, or a kind that names the wrong scale.
    """
    kept = came != 0
    ratio = (came / x)[kept]
    tolerance = 1e-9 if came.dtype == torch.float64 else 2e-5
    wrong = ratio[~((ratio - scale).abs() <= tolerance * scale)]
    if wrong.numel() == 0:
        return judge_mask(kept, p)
    slips = {
        "not scaled": 1.0,
        "times 1 - p": 1 - p,
        "times 1/(1 - p)": 1 / (1 - p),
        "times 1/p": 1 / p,
        "scaled twice": (1 - p) ** -2,
        "times 2": 2.0,
    }
    others = {name: s for name, s in slips.items() if abs(s - scale) > 1e-3 * scale}
    kind = next((name for name, s in others.items() if bool(((wrong - s).abs() < 1e-4 * s).all())), "scale")
    message = (
        f"with p = {p}, {wrong.numel()} kept entries are not {scale:g} times x, but {wrong[0].item():g} times, say"
    )
    return Finding(kind, message)


def nonzero(*shape: int, seed: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Numbers of both signs with 0.5 <= |x| <= 1: none of them can be mistaken for a dropped entry."""
    z = rand(*shape, seed=seed, dtype=dtype) - 0.5
    return z + torch.where(z < 0, -0.5, 0.5)
