"""Reads a notebook that somebody handed in: what the grader uses of it, and a sentence where that cannot be had.

Only a student's text counts, so only text has to be whole: a file whose cells cannot be read is left for a human and is
never a zero. All the rest (outputs, metadata, format numbers, ids) decides nothing and may be anything. nbformat drops
a student for a missing number; here nothing but the text is asked for. No input costs more than a second or two.
"""

import codecs
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from course_lib.grader.notebooks import node

MAX_NOTEBOOK_BYTES = 50_000_000
"""A notebook above this size is not read: pictures pasted by the dozen stay far below it."""
MAX_VALUES = 1_000_000
"""Nor one with more values than this: each costs up to a hundred bytes of memory, however few it has in the file."""
MAX_CELLS = 10_000
"""Nor one with more cells: a whole course has fewer."""
MAX_NAME = 200
"""Longer names (ids, tags, kernels) are nobody's, and are left out, as those with control characters are."""
MAX_TAGS = 20
"""More tags of a cell are left out."""

_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class NotANotebook(Exception):
    """A file that holds no notebook. The text goes on from the file's name, such as ``is empty (0 bytes)``."""


def read_foreign(path: Path) -> NotebookNode:
    """Read what somebody handed in, of any version and in any state that leaves the cells' text whole.

    Args:
        path: an ordinary file, not a link, a pipe or a device.

    Returns:
        What :func:`sifted` makes of it.

    Raises:
        NotANotebook: when there is no text to be had; says why, and what to do where that is not plain.
    """
    return sifted(_parse(_text(path)))


def sifted(data: Any) -> NotebookNode:
    """Of a notebook's data what the grader uses, in the form in which it may be used without looking twice.

    Args:
        data: what stands in a file, in any version of the format; a result of this function comes back the same.

    Returns:
        A notebook of format 4. Each cell has a type, and a text that can be written as UTF-8 with plain line ends. What
        else is there (id, pictures, tags, nbgrader's metadata, the kernel's name) is as the student left it where it
        has its plain form, and else left out. Outputs are left out.

    Raises:
        NotANotebook: when a cell's type or text is not there.
    """
    if not isinstance(data, Mapping) or not ("cells" in data or "worksheets" in data):
        raise NotANotebook("is JSON, but not a notebook: it has no cells.")
    raw = list(_raw_cells(data))
    if len(raw) > MAX_CELLS:
        raise NotANotebook(f"has {len(raw)} cells, more than {MAX_CELLS}. Delete what is not part of the work.")
    cells = [_cell(number, cell) for number, cell in enumerate(raw, 1)]
    return node({"cells": cells, "metadata": _kernel(data), "nbformat": 4, "nbformat_minor": 5})


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MAX_NOTEBOOK_BYTES:
            limit = MAX_NOTEBOOK_BYTES / 1e6
            raise NotANotebook(f"has {size / 1e6:.0f} MB, more than {limit:.0f}. Clear its outputs and try again.")
        content = path.read_bytes()
    except PermissionError:
        raise NotANotebook("may not be read by this account. Allow it, for example with `chmod u+r`.") from None
    except OSError as error:
        raise NotANotebook(f"cannot be read from the disk ({error.strerror or type(error).__name__}).") from None
    if not content:
        raise NotANotebook("is empty (0 bytes).")
    if sum(map(content.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise NotANotebook(f"holds more than {MAX_VALUES} values. Clear its outputs and try again.")
    # Windows' editors and shells begin a file so, and JupyterLab opens the first kind.
    encoding = next((name for bom, name in _BOMS.items() if content.startswith(bom)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise NotANotebook(
            f"is not text in {encoding.removesuffix('-sig').upper()} (byte {error.start}). "
            "Is it another kind of file with a new name?"
        ) from None


def _parse(text: str) -> Any:
    try:
        return json.loads(text, parse_int=_number, parse_constant=str)
    except json.JSONDecodeError as error:
        cut = " The file seems to be cut off." if error.pos >= len(text) - 2 or "Unterminated" in error.msg else ""
        raise NotANotebook(f"is not a notebook: the JSON breaks at line {error.lineno}.{cut}") from None
    except RecursionError:
        raise NotANotebook("is not a notebook: its JSON is nested too deeply.") from None
    except ValueError as error:
        raise NotANotebook(f"is not a notebook: its JSON holds what no notebook does ({error}).") from None


def _number(digits: str) -> float:
    """Python refuses integers of thousands of digits, for their cost; nothing here needs them exactly."""
    return int(digits) if len(digits) < 20 else float(digits[:400])


def _raw_cells(data: Mapping[str, Any]) -> Iterator[Any]:
    """The cells of format 4; those of formats 2 and 3 stand in worksheets."""
    sheets = [data] if "cells" in data else data["worksheets"]
    if not isinstance(sheets, list):
        raise NotANotebook("is damaged: its worksheets are not a list.")
    for sheet in sheets:
        cells = sheet.get("cells") if isinstance(sheet, Mapping) else None
        if not isinstance(cells, list):
            raise NotANotebook("is damaged: its cells are not a list.")
        yield from cells


def _cell(number: int, raw: Any) -> NotebookNode:
    if not isinstance(raw, Mapping):
        raise NotANotebook(f"is damaged: its cell number {number} is no cell.")
    kind, text = raw.get("cell_type"), _joined(raw["source"] if "source" in raw else raw.get("input"))
    if not _is_name(kind):
        raise NotANotebook(f"is damaged: its cell number {number} has no type.")
    if text is None:
        raise NotANotebook(f"is damaged: the text of its cell number {number} is lost.")
    if kind == "heading":  # format 3, as is "input"
        kind, text = "markdown", f"{'#' * raw['level'] if raw.get('level') in range(7) else '#'} {text}"
    cell = node({"cell_type": kind, "source": _writable(text), "metadata": _metadata(raw.get("metadata"))})
    if _is_name(raw.get("id")):
        cell.id = raw["id"]
    if kind == "code":
        cell.outputs, cell.execution_count = [], None
    elif isinstance(raw.get("attachments"), Mapping):
        cell.attachments = _attachments(raw["attachments"])
    return cell


def _writable(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode("utf-8")


def _metadata(raw: Any) -> NotebookNode:
    """What a cell says of itself, as far as anybody here reads it."""
    kept = node()
    if isinstance(raw, Mapping):
        if isinstance(raw.get("nbgrader"), Mapping):
            claims = {key: raw["nbgrader"].get(key) for key in ("grade_id", "points")}
            kept["nbgrader"] = node({key: value for key, value in claims.items() if _is_plain(value)})
        if isinstance(raw.get("tags"), list):
            kept["tags"] = [tag for tag in raw["tags"] if _is_name(tag)][:MAX_TAGS]
    return kept


def _attachments(raw: Mapping[str, Any]) -> NotebookNode:
    """Each picture in its forms."""
    kept = node()
    for name, forms in raw.items():
        if isinstance(forms, Mapping) and _is_name(name):
            texts = {mime: _joined(text) for mime, text in forms.items() if _is_name(mime)}
            kept[name] = node({mime: text for mime, text in texts.items() if text is not None and text.isascii()})
    return kept


def _kernel(data: Mapping[str, Any]) -> NotebookNode:
    metadata = data.get("metadata")
    spec = metadata.get("kernelspec") if isinstance(metadata, Mapping) else None
    name = spec.get("name") if isinstance(spec, Mapping) else None
    return node({"kernelspec": {"name": name}} if _is_name(name) else None)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_NAME and value.isprintable()


def _is_plain(value: Any) -> bool:
    return _is_name(value) or isinstance(value, int | float)


def _joined(value: Any) -> str | None:
    """A text, which nbformat also writes as a list of lines; None when it is neither."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return value if isinstance(value, str) else None
