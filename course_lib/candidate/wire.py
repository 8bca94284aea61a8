"""Frames, and plain data as bytes: all that ever comes out of a process that holds a student's code.

A *frame* is a length (4 bytes, big-endian) and so many bytes. Requests are frames that hold a pickle, made by the
trusted side for the untrusted one. Answers are frames that hold the encoding below, and nothing of it is believed:
lengths, counts, nesting, text encoding, shapes and the sum of it all are checked against limits before anything is made
of them.

======  =============================================================================================
tag     what follows
======  =============================================================================================
``N``   nothing: ``None``
``T``   nothing: ``True``
``F``   nothing: ``False``
``i``   a length (1 byte) and a signed whole number of that many bytes
``f``   8 bytes, IEEE 754
``s``   a length (4 bytes) and UTF-8 text
``l``   a count (4 bytes) and that many values
``d``   a count (4 bytes) and that many pairs of a key (``s``, ``i``, ``T`` or ``F``) and a value
``t``   a dtype (1 byte), a number of axes (1 byte), a size (8 bytes) for each, and the numbers, little-endian
``R``   an exception: a list of class names and a text
``O``   something that is not plain data: a text that says what it was
======  =============================================================================================

All numbers are big-endian except a tensor's.
"""

import math
import struct
import sys
from collections.abc import Callable, Sequence
from typing import Any

import torch

from course_lib.checks.data import MAX_DEPTH, MAX_ITEMS, MAX_TEXT, Opaque, Raised, writable

MAX_FRAME = 64_000_000
"""Bytes in a frame that comes from the untrusted side."""

_HEADER = struct.Struct(">I")
_COUNT = struct.Struct(">I")
_SIZE = struct.Struct(">Q")
_FLOAT = struct.Struct(">d")
_MAX_INT_BYTES = 64
_MAX_AXES = 32
_MAX_AXIS = 2**40
_MAX_EMPTY = 100_000  # a tensor without entries takes no bytes here, and as lists in lists it would take any number
_MOST_ITEMS = 2 * MAX_ITEMS
_MOST_NESTED = MAX_DEPTH + 8  # an answer wraps the data that a scenario returned in a few containers of ours
_MAX_NAME = 200
_MAX_KINDS = 50
_MAX_LONG_TEXT = 8_000_000  # a cell's output, pictures included; a text inside a scenario's data is far shorter

_DTYPES = (
    torch.bool,
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
    torch.complex64,
    torch.complex128,
)
_CODES = {dtype: code for code, dtype in enumerate(_DTYPES)}


class WireError(Exception):
    """What came is not what the format allows. Its text is for the log, not for students."""


def frame(payload: bytes) -> bytes:
    """A payload with its length before it.

    Raises:
        WireError: when it is longer than 4 bytes can say.
    """
    if len(payload) >= 2**32:
        raise WireError(f"a frame of {len(payload)} bytes")
    return _HEADER.pack(len(payload)) + payload


def frame_length(header: bytes, limit: int = MAX_FRAME) -> int:
    """The length that the 4 bytes before a payload announce.

    Raises:
        WireError: when it is above ``limit``.
    """
    (length,) = _HEADER.unpack(header)
    if length > limit:
        raise WireError(f"a frame of {length} bytes was announced; {limit} are allowed")
    return int(length)


HEADER_BYTES = _HEADER.size


# ------------------------------------------------------------------------------------------------------------- encode


def encode(value: Any) -> bytes:
    """Plain data (see :func:`course_lib.checks.data.plain`) as bytes that :func:`decode` takes.

    What is not plain, or goes beyond a limit of the format, becomes an :class:`Opaque`.
    """
    writer = _Writer()
    writer.value(value, 0)
    return b"".join(writer.parts)


class _Writer:
    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.left = _MOST_ITEMS - 1  # every container takes those that it holds from it beforehand

    def value(self, value: Any, depth: int) -> None:
        kind = type(value)
        if value is None:
            self.parts.append(b"N")
        elif kind is bool:
            self.parts.append(b"T" if value else b"F")
        elif kind is int:
            self.whole_number(value)
        elif kind is float:
            self.parts.append(b"f" + _FLOAT.pack(value))
        elif kind is str:
            self.text(value)
        elif kind is torch.Tensor:
            self.tensor(value)
        elif kind is list or kind is tuple:
            self.items(value, depth)
        elif kind is dict:
            self.pairs(value, depth)
        elif kind is Raised:
            self.exception(value, depth)
        else:
            self.opaque(value.kind if kind is Opaque else f"a {kind.__name__}")

    def items(self, value: Sequence[Any], depth: int) -> None:
        if self.has_room(len(value), depth + 1):
            self.parts.append(b"l" + _COUNT.pack(len(value)))
            for item in value:
                self.value(item, depth + 1)

    def pairs(self, value: dict[Any, Any], depth: int) -> None:
        keys = [_key(key) for key in value]
        if None in keys or len(set(keys)) < len(keys):
            self.opaque("a dict with keys that are not different texts or whole numbers")
        elif self.has_room(2 * len(value), depth + 1):
            self.parts.append(b"d" + _COUNT.pack(len(value)))
            for key, item in zip(keys, value.values(), strict=True):
                self.value(key, depth + 1)
                self.value(item, depth + 1)

    def exception(self, value: Raised, depth: int) -> None:
        kinds = [kind[:_MAX_NAME] for kind in value.kinds[:_MAX_KINDS]]
        if self.has_room(2 + len(kinds), depth + 2):
            self.left += len(kinds)  # the list takes them
            self.parts.append(b"R")
            self.items(kinds, depth + 1)
            self.text(value.message[:MAX_TEXT])

    def has_room(self, items: int, depth: int) -> bool:
        """Whether so many items may come at this depth; if not, says so in their place."""
        if depth > _MOST_NESTED:
            self.opaque("containers nested too deeply")
        elif items > self.left:
            self.opaque("too many items")
        else:
            self.left -= items
            return True
        return False

    def whole_number(self, value: int) -> None:
        length = value.bit_length() // 8 + 1
        if length > _MAX_INT_BYTES:
            self.opaque(f"a whole number of {value.bit_length()} bits")
        else:
            self.parts.append(b"i" + bytes([length]) + value.to_bytes(length, "big", signed=True))

    def text(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        if len(data) > _MAX_LONG_TEXT:
            self.opaque(f"a text of {len(text)} characters")
        else:
            self.parts.append(b"s" + _COUNT.pack(len(data)) + data)

    def opaque(self, what: str) -> None:
        data = what[:_MAX_NAME].encode("utf-8", "replace")
        self.parts.append(b"O" + _COUNT.pack(len(data)) + data)

    def tensor(self, tensor: torch.Tensor) -> None:
        code, shape = _CODES.get(tensor.dtype), tuple(tensor.shape)
        if code is None or not _representable(shape) or tensor.layout is not torch.strided:
            self.opaque(f"a tensor of dtype {tensor.dtype} with {tensor.dim()} axes")
            return
        self.parts.append(b"t" + bytes([code, len(shape)]) + b"".join(map(_SIZE.pack, shape)))
        if tensor.numel():
            there = tensor.detach().cpu().resolve_conj().resolve_neg()
            if tensor.dtype is torch.bfloat16:  # which numpy does not know
                there = there.view(torch.int16)
            self.parts.append(there.numpy().tobytes())


def _key(key: Any) -> Any:
    """A key as it will be read; None when it is none."""
    if type(key) is str:
        text = writable(key)
        return text if len(text.encode()) <= _MAX_LONG_TEXT else None
    whole = type(key) is bool or (type(key) is int and key.bit_length() // 8 < _MAX_INT_BYTES)
    return key if whole else None


def _representable(shape: Sequence[int]) -> bool:
    """Whether a tensor may have this shape, whose sizes must not overflow torch's own arithmetic."""
    most = _MAX_EMPTY if 0 in shape else _MAX_AXIS
    return len(shape) <= _MAX_AXES and math.prod(size for size in shape if size) <= most


# ------------------------------------------------------------------------------------------------------------- decode


def decode(payload: bytes) -> Any:
    """Plain data out of bytes that anybody may have made.

    Args:
        payload: at most :data:`MAX_FRAME` bytes.

    Returns:
        ``None``, bools, ints, floats, texts, dense tensors, :class:`Raised`, :class:`Opaque`, lists, and dicts with
        text or whole-number keys; of exactly these types.

    Raises:
        WireError: for everything else. Nothing else is ever raised.
    """
    if len(payload) > MAX_FRAME:
        raise WireError(f"{len(payload)} bytes; {MAX_FRAME} are allowed")
    reader = _Reader(payload)
    value = reader.value(0)
    if reader.at != len(payload):
        raise WireError(f"{len(payload) - reader.at} bytes after the end of the data")
    return value


class _Reader:
    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self.at = 0
        self.items = 0

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.payload):
            raise WireError(f"{count} bytes were announced and {len(self.payload) - self.at} are there")
        data = self.payload[self.at : end]
        self.at = end
        return data

    def value(self, depth: int) -> Any:
        self.items += 1
        if self.items > _MOST_ITEMS:
            raise WireError("too many items")
        if depth > _MOST_NESTED:
            raise WireError("containers nested too deeply")
        tag = self.take(1)
        read = _BY_TAG.get(tag)
        if read is None:
            raise WireError(f"an unknown tag {tag!r}")
        return read(self, depth)

    def items_of_list(self, depth: int) -> list[Any]:
        return [self.value(depth + 1) for _ in range(self.count())]

    def count(self) -> int:
        count = int(_COUNT.unpack(self.take(4))[0])
        if count > len(self.payload) - self.at:  # every item takes a byte at least
            raise WireError(f"{count} items were announced in {len(self.payload) - self.at} bytes")
        return count

    def whole_number(self) -> int:
        length = self.take(1)[0]
        if not 1 <= length <= _MAX_INT_BYTES:
            raise WireError(f"a whole number of {length} bytes")
        return int.from_bytes(self.take(length), "big", signed=True)

    def text(self) -> str:
        length = int(_COUNT.unpack(self.take(4))[0])
        if length > _MAX_LONG_TEXT:
            raise WireError(f"a text of {length} bytes")
        try:
            return self.take(length).decode("utf-8").replace("\x00", "")  # as `writable`: there are no surrogates here
        except UnicodeDecodeError:
            raise WireError("a text that is not UTF-8") from None

    def pairs(self, depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for _ in range(self.count()):
            key = self.value(depth + 1)
            if type(key) not in (str, int, bool):
                raise WireError(f"a key of type {type(key).__name__}")
            if key in found:
                raise WireError("a key that occurs twice")
            found[key] = self.value(depth + 1)
        return found

    def tensor(self) -> torch.Tensor:
        code, axes = self.take(2)
        if code >= len(_DTYPES) or axes > _MAX_AXES:
            raise WireError(f"a tensor of dtype {code} with {axes} axes")
        dtype = _DTYPES[code]
        shape = [int(_SIZE.unpack(self.take(8))[0]) for _ in range(axes)]
        if not _representable(shape):
            raise WireError(f"a tensor of the shape {shape}")
        raw = self.take(math.prod(shape) * dtype.itemsize)
        if not raw:
            return torch.empty(shape, dtype=dtype)
        if dtype is torch.bool and raw.strip(b"\x00\x01"):
            raise WireError("a tensor of bools that holds other bytes")
        return torch.frombuffer(bytearray(raw), dtype=dtype).reshape(shape)

    def exception(self, depth: int) -> Raised:
        kinds, message = self.value(depth + 1), self.value(depth + 1)
        named = type(kinds) is list and 0 < len(kinds) <= _MAX_KINDS and all(type(kind) is str for kind in kinds)
        if not named or type(message) is not str:
            raise WireError("an exception without class names or text")
        return Raised(tuple(kind[:_MAX_NAME] for kind in kinds), message[:MAX_TEXT])


_BY_TAG: dict[bytes, Callable[[_Reader, int], Any]] = {
    b"N": lambda reader, depth: None,
    b"T": lambda reader, depth: True,
    b"F": lambda reader, depth: False,
    b"i": lambda reader, depth: reader.whole_number(),
    b"f": lambda reader, depth: _FLOAT.unpack(reader.take(8))[0],
    b"s": lambda reader, depth: reader.text(),
    b"l": _Reader.items_of_list,
    b"d": _Reader.pairs,
    b"t": lambda reader, depth: reader.tensor(),
    b"R": _Reader.exception,
    b"O": lambda reader, depth: Opaque(reader.text()[:_MAX_NAME]),
}

assert sys.byteorder == "little", "tensors travel in the machine's own byte order, which must be little-endian"
