"""Plain data out of whatever a scenario returned.

Points come from exactly typed, plain data and from nothing else: :func:`plain` copies tensors, numbers, strings and
containers of them, and turns everything else into :class:`Opaque`, which equals nothing. No method of a student's
object is called on the way: a subclass with an ``__eq__`` of its own arrives as what it is underneath, or not at all.
"""

from dataclasses import dataclass
from typing import Any

import torch

MAX_DEPTH = 40
MAX_ITEMS = 200_000
MAX_TEXT = 100_000


@dataclass(frozen=True)
class Opaque:
    """Something that is not plain data; ``kind`` says what, for the message."""

    kind: str


@dataclass(frozen=True)
class Raised:
    """An exception as data.

    Attributes:
        kinds: names of the exception's class and its bases, most specific first (``("ValueError", "Exception", …)``).
        message: its text, on one line.
    """

    kinds: tuple[str, ...]
    message: str = ""

    @property
    def kind(self) -> str:
        """The exception's own class name."""
        return self.kinds[0]


def raised(error: BaseException) -> Raised:
    """Describe an exception as data. Its text is read defensively: ``__str__`` may be a student's."""
    kinds = tuple(cls.__name__ for cls in type(error).__mro__ if cls not in (object, BaseException))
    try:
        message = " ".join(str(error).split())[:500]
    except Exception:
        message = ""
    return Raised(kinds, message)


def raises(*kinds: type[BaseException]) -> Raised:
    """The expectation that one of ``kinds`` (or a subclass) is raised, for ``expected=``."""
    return Raised(tuple(kind.__name__ for kind in kinds))


def plain(value: Any) -> Any:
    """Copy ``value`` as plain data.

    Args:
        value: what a scenario returned.

    Returns:
        ``None``, bools, ints, floats, strings, dense tensors (detached copies, of type ``torch.Tensor`` exactly),
        :class:`Raised`, and lists (of lists and tuples) and dicts (with text or whole-number keys) of these; all else
        as :class:`Opaque`.
    """
    return _Copier().copy(value, 0)


class _Copier:
    """One copy, with its budget: data may be deep, long or cyclic by accident or on purpose."""

    def __init__(self) -> None:
        self.items = 0

    def copy(self, value: Any, depth: int) -> Any:
        self.items += 1
        if depth > MAX_DEPTH:
            return Opaque("containers nested too deeply")
        if self.items > MAX_ITEMS:
            return Opaque("too many items")
        kind = type(value)
        if value is None or kind in (bool, int, float, Raised, Opaque):
            return value
        if kind is str:
            return value if len(value) <= MAX_TEXT else Opaque(f"a text of {len(value)} characters")
        if isinstance(value, torch.Tensor):
            return _tensor(value)
        if isinstance(value, float):  # numpy.float64, say
            return float.__float__(value)
        if isinstance(value, (list, tuple)):
            items = list.__iter__(value) if isinstance(value, list) else tuple.__iter__(value)
            return [self.copy(item, depth + 1) for item in items]
        if isinstance(value, dict):
            pairs = list(dict.items(value))
            if any(type(key) not in (str, int, bool) for key, _ in pairs):
                return Opaque("a dict with keys that are neither text nor whole numbers")
            return {key: self.copy(item, depth + 1) for key, item in pairs}
        if isinstance(value, torch.dtype):
            return str(value)
        return Opaque(_kind_name(kind))


def _tensor(value: torch.Tensor) -> torch.Tensor | Opaque:
    with torch._C.DisableTorchFunctionSubclass(), torch.no_grad():
        if torch.Tensor.layout.__get__(value) is not torch.strided:  # type: ignore[attr-defined]
            return Opaque("a sparse tensor")
        if torch.Tensor.is_quantized.__get__(value):  # type: ignore[attr-defined]
            return Opaque("a quantized tensor")
        try:
            base = value if type(value) is torch.Tensor else torch.Tensor.as_subclass(value, torch.Tensor)
            copy = torch.Tensor.clone(torch.Tensor.detach(base), memory_format=torch.contiguous_format)
        except Exception as error:
            return Opaque(f"a tensor that cannot be read ({type(error).__name__})")
    if type(copy) is not torch.Tensor:
        return Opaque(f"a tensor of the class {_kind_name(type(value))}")
    return copy.resolve_conj().resolve_neg()


def _kind_name(kind: type) -> str:
    name = type.__getattribute__(kind, "__name__")
    article = "an" if name[:1].lower() in "aeiou" else "a"
    return f"{article} {name}"
