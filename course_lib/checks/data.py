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
    bases = type.__dict__["__mro__"].__get__(type(error))
    kinds = tuple(_class_name(base) for base in bases if base is not object and base is not BaseException)
    try:
        message = writable(" ".join(str(error).split())[:500])
    except Exception:
        message = ""
    return Raised(kinds, message)


def raises(*kinds: type[BaseException]) -> Raised:
    """The expectation that one of ``kinds`` (or a subclass) is raised, for ``expected=``."""
    return Raised(tuple(kind.__name__ for kind in kinds))


def own_kinds(data: Any) -> Any:
    """Plain data in which an exception is met by its own class and what derives from it, not by its bases."""
    if isinstance(data, Raised):
        return Raised(data.kinds[:1], data.message)
    if isinstance(data, list):
        return [own_kinds(item) for item in data]
    if isinstance(data, dict):
        return {key: own_kinds(item) for key, item in data.items()}
    return data


def writable(text: str) -> str:
    """``text`` without what no file takes: null characters and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def plain(value: Any, *, shared: bool = False) -> Any:
    """Copy ``value`` as plain data.

    Args:
        value: what a scenario returned.
        shared: whether tensors may share their memory with ``value``: enough for who looks at them at once.

    Returns:
        ``None``, bools, ints, floats, strings, dense tensors (detached copies, of type ``torch.Tensor`` exactly),
        :class:`Raised`, and lists (of lists and tuples) and dicts (with text or whole-number keys) of these; all else
        as :class:`Opaque`.
    """
    return _Copier(shared).copy(value, 0)


class _Copier:
    """One copy, with its budget: data may be deep, long or cyclic by accident or on purpose."""

    def __init__(self, shared: bool) -> None:
        self.shared = shared
        self.items = 0

    def copy(self, value: Any, depth: int) -> Any:
        self.items += 1
        if depth > MAX_DEPTH:
            return Opaque("containers nested too deeply")
        if self.items > MAX_ITEMS:
            return Opaque("too many items")
        # By identity and the real type: `==`, `in` and isinstance ask a student's metaclass or `__class__`.
        kind = type(value)
        if value is None or any(kind is known for known in (bool, int, float)):
            return value
        if kind is str:
            return value if len(value) <= MAX_TEXT else Opaque(f"a text of {len(value)} characters")
        if kind is Raised:
            named = type(value.kinds) is tuple and all(type(name) is str for name in value.kinds)
            return value if named and value.kinds and type(value.message) is str else Opaque("a Raised")
        if kind is Opaque:
            return value if type(value.kind) is str else Opaque("an Opaque")
        if issubclass(kind, torch.Tensor):
            return _tensor(value, self.shared)
        if issubclass(kind, float):  # numpy.float64, say
            return float.__float__(value)
        if issubclass(kind, (list, tuple)):
            items = list.__iter__(value) if issubclass(kind, list) else tuple.__iter__(value)
            return [self.copy(item, depth + 1) for item in items]
        if issubclass(kind, dict):
            pairs = list(dict.items(value))
            if any(all(type(key) is not known for known in (str, int, bool)) for key, _ in pairs):
                return Opaque("a dict with keys that are neither text nor whole numbers")
            return {key: self.copy(item, depth + 1) for key, item in pairs}
        if kind is torch.dtype:
            return str(value)
        return Opaque(_kind_name(kind))


def _tensor(value: torch.Tensor, shared: bool) -> torch.Tensor | Opaque:
    with torch._C.DisableTorchFunctionSubclass(), torch.no_grad():
        if torch.Tensor.layout.__get__(value) is not torch.strided:  # type: ignore[attr-defined]
            return Opaque("a sparse tensor")
        if torch.Tensor.is_quantized.__get__(value):  # type: ignore[attr-defined]
            return Opaque("a quantized tensor")
        if torch.Tensor.is_nested.__get__(value):  # type: ignore[attr-defined]
            return Opaque("a nested tensor")
        if torch.Tensor.is_meta.__get__(value):  # type: ignore[attr-defined]
            return Opaque("a tensor without data (on the meta device)")
        try:
            base = value if type(value) is torch.Tensor else torch.Tensor.as_subclass(value, torch.Tensor)
            copy = torch.Tensor.detach(base)
            if not shared:
                copy = torch.Tensor.clone(copy, memory_format=torch.contiguous_format)
        except Exception as error:
            return Opaque(f"a tensor that cannot be read ({type(error).__name__})")
    if type(copy) is not torch.Tensor:
        return Opaque(f"a tensor of the class {_kind_name(type(value))}")
    # Asked first: for most tensors these are two operations less for the watch to look at.
    return copy.resolve_conj().resolve_neg() if copy.is_conj() or copy.is_neg() else copy


def _kind_name(kind: type) -> str:
    name = _class_name(kind)
    article = "an" if name[:1].lower() in "aeiou" else "a"
    return f"{article} {name}"


def _class_name(kind: type) -> str:
    """The class's name from ``type`` itself: a metaclass, or a text that is a student's subclass, is not asked."""
    return str.__str__(type.__dict__["__name__"].__get__(kind))
