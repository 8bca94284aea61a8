"""The likely reason of a wrong tensor, read off the two tensors alone.

A guess in one sentence, offered only where the pattern is unmistakable: a factor, a sign, a transposition, an axis
that is missing, a dtype. An empty text is better than a wrong lead.
"""

import torch

from course_lib.checks.describe import dtype_name, number


def likely_reason(came: torch.Tensor, expected: torch.Tensor) -> str:
    """Guess why ``came`` is not ``expected`` (any shapes and dtypes); an empty text when nothing stands out."""
    if came.shape != expected.shape:
        return _shape_reason(came, expected)
    if came.dtype != expected.dtype:
        return _dtype_reason(came, expected)
    if not came.is_floating_point() or came.numel() == 0:
        return ""
    return _value_reason(came.double(), expected.double(), expected.dtype)


def _shape_reason(came: torch.Tensor, expected: torch.Tensor) -> str:
    if came.dim() >= 2 and came.dim() == expected.dim() and came.transpose(-1, -2).shape == expected.shape:
        return "The last two axes are swapped: is there a transpose too many or too few?"
    if expected.dim() == 0:
        return "One number for the whole input is asked for: reduce over every axis."
    if came.dim() == 0:
        return "Everything was reduced to one number: is there a sum or a mean too many?"
    if came.numel() == expected.numel():
        return "The number of entries is right: an axis is missing, added or merged."
    squeezed = [size for size in expected.shape if size != 1]
    if [size for size in came.shape if size != 1] == squeezed:
        return "An axis of size 1 is missing or too many: see keepdim and unsqueeze."
    if came.dim() == expected.dim() + 1 and came.shape[1:] == expected.shape:
        return "There is one axis too many in front: was the sum over the examples forgotten?"
    if came.dim() + 1 == expected.dim():
        return "One axis was reduced that should stay."
    return ""


def _dtype_reason(came: torch.Tensor, expected: torch.Tensor) -> str:
    if came.is_floating_point() and expected.is_floating_point():
        return (
            f"The result should keep the dtype of the input, {dtype_name(expected.dtype)}: "
            "tensors that you make yourself (torch.zeros, torch.rand, torch.tensor) are float32 unless you pass dtype."
        )
    if expected.is_floating_point():
        return f"Convert the result to {dtype_name(expected.dtype)}, the dtype of the input."
    return ""


def _value_reason(came: torch.Tensor, expected: torch.Tensor, dtype: torch.dtype) -> str:
    bad = ~torch.isfinite(came)
    if bool((bad & torch.isfinite(expected)).any()):
        what = "NaN" if bool(torch.isnan(came).any()) else "infinite"
        return (
            f"Entries are {what} where a finite number is right: "
            "look for exp of a large number, 0/0, log of 0 or 0 times infinity."
        )
    if bool(bad.any()) or not bool(torch.isfinite(expected).all()):
        return ""
    size = float(expected.abs().max())
    if size == 0:
        return "Everything should be 0 here."
    if float(came.abs().max()) == 0:
        return "Every entry is 0."
    if came.dim() == 2 and came.shape[0] == came.shape[1] and came.numel() > 1 and _close(came.T, expected):
        return "It is the transpose of what is right: rows and columns are swapped."
    factor = _constant_factor(came, expected)
    if factor is not None:
        return _factor_reason(factor, came)
    if _close(came, expected, 1e-5) and dtype == torch.float64:
        return "It agrees to the precision of float32 only: something on the way is computed in float32 or rounded."
    shift = came - expected
    if came.numel() > 2 and float((shift - shift.flatten()[0]).abs().max()) <= 1e-6 * max(
        size, float(shift.abs().max())
    ):
        return (
            f"Every entry is off by the same {number(float(shift.flatten()[0]))}: is a term missing or counted twice?"
        )
    if came.numel() > 3 and _close(came.abs(), expected.abs()):
        return "Every entry has the right size, but some have the wrong sign."
    return ""


def _close(a: torch.Tensor, b: torch.Tensor, tolerance: float = 1e-5) -> bool:
    return float((a - b).abs().max()) <= tolerance * float(b.abs().max())


def _constant_factor(came: torch.Tensor, expected: torch.Tensor) -> float | None:
    """The one number k with came = k·expected, if there is one and it is not 1."""
    at = int(expected.abs().argmax())
    factor = float(came.flatten()[at] / expected.flatten()[at])
    if came.numel() < 2 or abs(factor - 1) < 1e-4 or factor == 0 or not _close(came, factor * expected):
        return None
    return factor


def _factor_reason(factor: float, came: torch.Tensor) -> str:
    if abs(factor + 1) < 1e-4:
        return "The sign is wrong: every entry is the negative of what is right."
    sizes = {came.numel(): "the number of entries"}
    for axis, size in enumerate(came.shape):
        name = "the number of rows" if axis == 0 and came.dim() > 1 else f"the size of axis {axis}"
        sizes.setdefault(size, name)
    for size, name in sizes.items():
        if size > 1 and abs(abs(factor) / size - 1) < 1e-4:
            return f"Every entry is {size} times too large, and {size} is {name}: is a division by it missing?"
        if size > 1 and abs(abs(factor) * size - 1) < 1e-4:
            return f"Every entry is {size} times too small, and {size} is {name}: is there a division by it too many?"
    return f"Every entry is {number(factor)} times what is right: is a factor missing or too many?"
