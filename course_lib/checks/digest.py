"""Digests of plain data: what is equal bit for bit has the same one, and nobody can find other data that has it."""

import hashlib
import struct
from typing import Any

import torch

from course_lib.checks.data import Opaque, Raised


def digest(data: Any) -> bytes:
    """A digest (BLAKE2b) of plain data: of values, types, shapes and order.

    Args:
        data: plain data (see :mod:`course_lib.checks.data`).
    """
    hashed = hashlib.blake2b(digest_size=32)
    _add(data, hashed)
    return hashed.digest()


def _add(value: Any, hashed: Any) -> None:
    # Every piece begins with a letter and its length, so that no two data are written alike.
    if isinstance(value, torch.Tensor):
        _head(hashed, b"t", str((value.dtype, tuple(value.shape))).encode())
        if value.numel():
            hashed.update(value.detach().contiguous().reshape(-1).view(torch.uint8).numpy())
    elif isinstance(value, dict):
        _head(hashed, b"d", str(len(value)).encode())
        for key, item in value.items():
            _add(key, hashed)
            _add(item, hashed)
    elif isinstance(value, list | tuple):
        _head(hashed, b"l", str(len(value)).encode())
        for item in value:
            _add(item, hashed)
    elif type(value) is float:
        _head(hashed, b"f", struct.pack("<d", value))
    elif type(value) is str:
        _head(hashed, b"s", value.encode("utf-8", "surrogatepass"))
    elif isinstance(value, Raised):
        _head(hashed, b"R", b"")
        _add([list(value.kinds), value.message], hashed)
    elif isinstance(value, Opaque):
        _head(hashed, b"O", value.kind.encode("utf-8", "surrogatepass"))
    elif value is None or type(value) in (bool, int):
        _head(hashed, b"n", f"{type(value).__name__} {value:x}".encode() if type(value) is int else str(value).encode())
    else:
        raise TypeError(f"a {type(value).__name__} is no plain data")


def _head(hashed: Any, tag: bytes, content: bytes) -> None:
    hashed.update(tag + struct.pack("<Q", len(content)) + content)
