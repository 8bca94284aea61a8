"""Is what came what was expected? The first difference, in words.

Both sides are plain data (:mod:`course_lib.checks.data`). Shape, dtype and device must agree exactly, numbers within a
tolerance that follows the dtype. What a contract leaves open is open here: a tuple or a list, extra keys of a dict.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch

from course_lib.checks.data import Opaque, Raised
from course_lib.checks.describe import describe, dtype_name, form, number, shape_name
from course_lib.checks.diagnose import likely_reason

NO_EXCEPTION = "no exception"
"""What :func:`course_lib.checks.scenario.caught` returns when nothing was raised."""

RESULT, AFTERWARDS = "result", "arguments afterwards"
ASKS, HOLDS = "requires_grad of arguments afterwards", ".grad of arguments afterwards"
"""The keys of :func:`course_lib.checks.scenario.after_call`, which read as words in a message."""

_TOLERANCES: dict[torch.dtype, tuple[float, float]] = {
    torch.float64: (1e-9, 1e-12),
    torch.float32: (2e-5, 2e-6),
    torch.float16: (5e-3, 5e-4),
    torch.bfloat16: (4e-2, 4e-3),
}
"""Relative and absolute tolerance by dtype: some hundred roundings, and far below the effect of a wrong term."""


@dataclass(frozen=True)
class Tolerance:
    """How far a number may be off: ``|came - expected| <= atol + rtol·|expected|``; ``None`` follows the dtype."""

    rtol: float | None = None
    atol: float | None = None

    def of(self, dtype: torch.dtype) -> tuple[float, float]:
        """Relative and absolute tolerance for numbers of ``dtype``."""
        rtol, atol = _TOLERANCES.get(dtype, (0.0, 0.0))
        return (rtol if self.rtol is None else self.rtol, atol if self.atol is None else self.atol)


_EXACT = Tolerance(0.0, 0.0)
_MODIFIES = "Your code modifies what it was given: work on a copy, without in-place operations on the arguments."


@dataclass(frozen=True)
class Difference:
    """Where two results first differ.

    Attributes:
        message: one sentence, starting with the place (``result[1] has …``).
        came: the differing part that came, as text.
        expected: the part expected there, as text.
        reason: the likely reason, or an empty text.
        path: indices and keys from the whole result to the part.
    """

    message: str
    came: str
    expected: str
    reason: str = ""
    path: tuple[int | str, ...] = ()


def compare(came: Any, expected: Any, tolerance: Tolerance | None = None) -> Difference | None:
    """Find the first difference between two results.

    Args:
        came: plain data from the implementation under test.
        expected: plain data to hold it against; a :class:`Raised` is met by an exception of one of its kinds.
        tolerance: how far numbers may be off.

    Returns:
        ``None`` when they agree.
    """
    return _compare(came, expected, tolerance or Tolerance(), (), values=True)


def compare_form(came: Any, expected: Any) -> Difference | None:
    """Find the first difference in form: container lengths, shapes, dtypes and kinds of scalars, not their values."""
    return _compare(came, expected, Tolerance(), (), values=False)


def place(path: tuple[int | str, ...]) -> str:
    """A path as a reader writes it: ``result[1]['W']``, or just ``the result``."""
    at = _afterwards(path)
    if at is not None and len(path) > at + 1 and isinstance(argument := path[at + 1], int):
        what = {ASKS: "requires_grad of ", HOLDS: ".grad of "}.get(str(path[at]), "")
        which = f" ({place(path[:at])})" if at else ""
        # Counted from one, as people count arguments.
        return f"{what}argument {argument + 1}{_brackets(path[at + 2 :])} after the call{which}"
    if path and path[0] == RESULT:
        path = path[1:]
    return "result" + _brackets(path) if path else "the result"


def _afterwards(path: tuple[int | str, ...]) -> int | None:
    """Where a path turns to the arguments as they are after a call, if it does."""
    return next((at for at, part in enumerate(path) if part in (AFTERWARDS, ASKS, HOLDS)), None)


def _brackets(path: tuple[int | str, ...]) -> str:
    return "".join(f"[{part!r}]" for part in path)


def _compare(
    came: Any, expected: Any, tolerance: Tolerance, path: tuple[int | str, ...], *, values: bool
) -> Difference | None:
    here = place(path)
    parts: Iterable[tuple[int | str, Any, Any]]
    if isinstance(expected, torch.Tensor):
        if not isinstance(came, torch.Tensor):
            return _wrong_kind(came, expected, path)
        return _tensors(came, expected, tolerance, path, values=values)
    if isinstance(expected, Raised):
        return _exceptions(came, expected, path)
    if isinstance(expected, list | tuple):
        if not isinstance(came, list | tuple):
            return _wrong_kind(came, list(expected), path)
        if len(came) != len(expected):
            return Difference(
                f"{here} has {len(came)} items, not {len(expected)}", describe(came), describe(expected), path=path
            )
        parts = ((i, came[i], part) for i, part in enumerate(expected))
    elif isinstance(expected, dict):
        if not isinstance(came, dict):
            return _wrong_kind(came, expected, path)
        missing = [key for key in expected if key not in came]
        if missing:
            keys = ", ".join(repr(key) for key in missing)
            return Difference(f"{here} lacks the key {keys}", form(came), form(expected), path=path)
        parts = ((key, came[key], part) for key, part in expected.items())
    else:
        return _scalars(came, expected, tolerance, path, values=values)
    for key, part_came, part_expected in parts:
        # An argument that was changed and changed back, but for a rounding, was changed.
        how_far = _EXACT if key == AFTERWARDS else tolerance
        difference = _compare(part_came, part_expected, how_far, (*path, key), values=values)
        if difference is not None:
            return difference
    return None


def _wrong_kind(came: Any, expected: Any, path: tuple[int | str, ...]) -> Difference:
    reason = ""
    if _afterwards(path) is not None:
        reason = _MODIFIES
    elif came is None:
        reason = "Is there a return statement on every path through the function?"
    elif isinstance(expected, torch.Tensor) and isinstance(came, int | float):
        reason = "A plain number came: keep the tensor, without .item() or float()."
    elif isinstance(came, torch.Tensor) and isinstance(expected, int | float):
        reason = "A tensor came: turn it into a plain number with .item()."
    return Difference(
        f"{place(path)} is {form(came)}, not {form(expected)}", describe(came), describe(expected), reason, path
    )


def _exceptions(came: Any, expected: Raised, path: tuple[int | str, ...]) -> Difference | None:
    wanted = " or ".join(expected.kinds)
    if isinstance(came, Raised):
        if any(kind in came.kinds for kind in expected.kinds):
            return None
        return Difference(f"{place(path)} is {came.kind}, not {wanted}", describe(came), wanted, path=path)
    return Difference(
        f"{place(path)}: {wanted} should be raised here, and no exception came",
        came if came == NO_EXCEPTION else describe(came),
        wanted,
        f"Refuse what the contract does not allow: raise {expected.kinds[0]}(...) before anything else.",
        path,
    )


def _scalars(
    came: Any, expected: Any, tolerance: Tolerance, path: tuple[int | str, ...], *, values: bool
) -> Difference | None:
    if type(expected) is float or type(expected) is int:
        if type(came) not in (int, float) or (type(expected) is int and type(came) is float and values):
            return _wrong_kind(came, expected, path)
        if not values:
            return None
        if came == expected or (type(expected) is float and _close(came, expected, *tolerance.of(torch.float64))):
            return None
    elif type(came) is type(expected) and not isinstance(expected, Opaque):
        if not values or came == expected:
            return None
    elif type(came) is not type(expected):
        return _wrong_kind(came, expected, path)
    reason = _MODIFIES if _afterwards(path) is not None else ""
    is_value, not_value = describe(came), describe(expected)
    if type(expected) is float:
        came_float = _float(came)
        reason = likely_reason(
            torch.tensor(came_float, dtype=torch.float64), torch.tensor(expected, dtype=torch.float64)
        )
        if is_value == not_value:
            is_value, not_value = f"{came_float:.17g}", f"{expected:.17g}"
    return Difference(f"{place(path)} is {is_value}, not {not_value}", is_value, not_value, reason, path)


def _close(came: float, expected: float, rtol: float, atol: float) -> bool:
    came = _float(came)
    if math.isnan(came) or math.isnan(expected):
        return math.isnan(came) and math.isnan(expected)
    return math.isfinite(came) and math.isfinite(expected) and abs(came - expected) <= atol + rtol * abs(expected)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number beyond every float
        return math.inf if value > 0 else -math.inf


def _tensors(
    came: torch.Tensor,
    expected: torch.Tensor,
    tolerance: Tolerance,
    path: tuple[int | str, ...],
    *,
    values: bool,
) -> Difference | None:
    here = place(path)
    if came.shape != expected.shape:
        return Difference(
            f"{here} has the shape {shape_name(came)}, not {shape_name(expected)}",
            describe(came),
            describe(expected),
            likely_reason(came, expected),
            path,
        )
    if came.dtype != expected.dtype:
        return Difference(
            f"{here} has the dtype {dtype_name(came.dtype)}, not {dtype_name(expected.dtype)}",
            form(came),
            form(expected),
            likely_reason(came, expected),
            path,
        )
    if came.device != expected.device:
        return Difference(
            f"{here} is on {came.device}, not on {expected.device}", form(came), form(expected), path=path
        )
    if not values:
        return None
    wrong = _wrong_entries(came, expected, tolerance)
    count = int(wrong.sum())
    if count == 0:
        return None
    first = tuple(int(i) for i in wrong.nonzero()[0])
    at = f" at [{', '.join(map(str, first))}]" if first else ""
    is_at, not_at = _entry(came[first]), _entry(expected[first])
    if is_at == not_at and came.is_floating_point():
        is_at, not_at = f"{came[first].item():.17g}", f"{expected[first].item():.17g}"
    reason = likely_reason(came, expected)
    if _afterwards(path) is not None:
        reason = _MODIFIES
    how_many = f" ({count} of {came.numel()} entries differ)" if came.numel() > 1 else ""
    return Difference(
        f"{here} is {is_at}{at}, not {not_at}{how_many}",
        describe(came),
        describe(expected),
        reason,
        path,
    )


def _wrong_entries(came: torch.Tensor, expected: torch.Tensor, tolerance: Tolerance) -> torch.Tensor:
    if not (came.is_floating_point() or came.is_complex()):
        return came != expected
    rtol, atol = tolerance.of(expected.dtype)
    wide = torch.complex128 if came.is_complex() else torch.float64
    # In float64, so that the comparison itself neither overflows nor rounds.
    return ~torch.isclose(came.to(wide), expected.to(wide), rtol=rtol, atol=atol, equal_nan=True)


def _entry(value: torch.Tensor) -> str:
    return str(value.item()) if value.is_complex() else number(value.item())
