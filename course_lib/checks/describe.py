"""Values in words and few characters: what a message says of what came and of what was expected."""

import math
from typing import Any

import torch

from course_lib.checks.data import Opaque, Raised

_SMALL = 12
_EXTREMES = (torch.float32, torch.float64)
_NO_EXTREMES = (torch.uint16, torch.uint32, torch.uint64)  # torch has no min and max of these
_MAX_TEXT = 300


def describe(value: Any, *, limit: int = _MAX_TEXT) -> str:
    """Describe plain data for a reader: small values in full, large ones by shape, dtype and range.

    Args:
        value: plain data (see :mod:`course_lib.checks.data`).
        limit: the longest text to return; what is longer is cut and ends in an ellipsis.
    """
    text = _describe(value, depth=0)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def form(value: Any) -> str:
    """The kind and the form of a value, without its numbers: ``a float32 tensor of shape [3, 5]``."""
    if isinstance(value, torch.Tensor):
        return f"a {dtype_name(value.dtype)} tensor of shape {shape_name(value)}"
    if value is None:
        return "None"
    if isinstance(value, bool):
        return f"the truth value {value}"
    if isinstance(value, int | float):
        return f"the number {number(value)}"
    if isinstance(value, str):
        return f"the text {_cut(value, 60)!r}"
    if isinstance(value, list):
        return f"a sequence of {len(value)} item{'s' if len(value) != 1 else ''}"
    if isinstance(value, dict):
        return "a dict with the keys " + (", ".join(_cut(repr(k), 40) for k in list(value)[:12]) or "(none)")
    if isinstance(value, Raised):
        return f"the exception {value.kind}"
    if isinstance(value, Opaque):
        return value.kind
    return f"a {type(value).__name__}"


def number(value: float) -> str:
    """A number with five significant digits, and without noise: ``0.25``, ``1e-08``, ``-inf``."""
    if isinstance(value, int):
        # Exactly, as far as that is readable; a float cannot hold what is longer.
        return str(value) if abs(value) < 10**25 else f"a whole number of {value.bit_length()} bits"
    text = f"{value:.5g}"
    return text if any(c in text for c in ".einf") or "nan" in text else text + ".0"


def dtype_name(dtype: torch.dtype) -> str:
    """``float32`` for ``torch.float32``."""
    return str(dtype).removeprefix("torch.")


def shape_name(tensor: torch.Tensor) -> str:
    """``[2, 3]``, and ``[] (0-d)`` for a scalar tensor."""
    return str(list(tensor.shape)) if tensor.dim() else "[] (0-d)"


def _describe(value: Any, depth: int) -> str:
    if isinstance(value, torch.Tensor):
        return _tensor(value)
    if isinstance(value, Raised):
        return f"{value.kind}: {_cut(value.message, 160)}" if value.message else value.kind
    if isinstance(value, Opaque):
        return value.kind
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, str):
        return repr(_cut(value, 80))
    if isinstance(value, list | tuple):
        if depth > 2:
            return form(list(value))
        inner = ", ".join(_describe(item, depth + 1) for item in value[:4])
        return f"[{inner}{', … ' + str(len(value) - 4) + ' more' if len(value) > 4 else ''}]"
    if isinstance(value, dict):
        if depth > 2:
            return form(value)
        items = list(value.items())
        inner = ", ".join(f"{_cut(repr(key), 40)}: {_describe(item, depth + 1)}" for key, item in items[:6])
        return "{" + inner + (", …" if len(items) > 6 else "") + "}"
    return form(value)


def _tensor(value: torch.Tensor) -> str:
    dtype = "" if value.dtype in (torch.float32, torch.int64, torch.bool) else f", {dtype_name(value.dtype)}"
    if math.prod(max(1, size) for size in value.shape) <= _SMALL:
        return f"tensor({_nested(value.tolist())}{dtype})"
    head = f"a {dtype_name(value.dtype)} tensor of shape {shape_name(value)}"
    if value.numel() == 0:  # no numbers, and yet as lists in lists it may be long
        return f"{head}, without entries"
    if value.dtype == torch.bool:
        return f"{head}, {int(value.sum())} of {value.numel()} true"
    if value.is_complex():
        return head
    if value.dtype in _EXTREMES:  # the common case, in one operation
        ends = [float(end) for end in torch.aminmax(value)]
        if all(map(math.isfinite, ends)):
            return f"{head}, from {number(ends[0])} to {number(ends[1])}"
    value = value.to(torch.float64) if value.is_floating_point() or value.dtype in _NO_EXTREMES else value
    finite = value[torch.isfinite(value)] if value.is_floating_point() else value
    bad = value.numel() - finite.numel()
    if finite.numel() == 0:
        return f"{head}, no finite entry"
    low, high = number(finite.min().item()), number(finite.max().item())
    return f"{head}, from {low} to {high}" + (f", {bad} entries NaN or infinite" if bad else "")


def _nested(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_nested(item) for item in value) + "]"
    return number(value) if isinstance(value, int | float) else str(value)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
