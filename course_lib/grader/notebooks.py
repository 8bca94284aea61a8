"""nbformat with types: reading, writing and making notebooks of format 4."""

import linecache
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode, v4
from nbformat.v4.nbjson import BytesEncoder


def node(data: dict[str, Any] | None = None) -> NotebookNode:
    """A dictionary whose keys are attributes too."""
    return NotebookNode(data or {})  # type: ignore[no-untyped-call]


def read(path: Path) -> NotebookNode:
    """Read a notebook of ours: one that is known to be well formed."""
    return reads(path.read_text(encoding="utf-8"))


def reads(text: str) -> NotebookNode:
    """Read a notebook of any version as format 4."""
    nb: NotebookNode = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    return nb


def written(nb: NotebookNode) -> str:
    """A notebook of format 4 as text, a line for each cell.

    nbformat's own writing, a line for each value, takes longer than running a submission's cells.
    """
    encoder = BytesEncoder(sort_keys=True, ensure_ascii=False)
    rest = {key: value for key, value in nb.items() if key != "cells"}
    cells = ",\n".join(map(encoder.encode, nb.cells))
    return f'{{"cells": [\n{cells}\n],\n{encoder.encode(rest)[1:]}\n'


def remember_text(filename: str, text: str) -> None:
    """Let Python find a cell's text under the file name it is compiled with: tracebacks and `checks` look it up."""
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)


def new_notebook(metadata: Any) -> NotebookNode:
    """A notebook without cells."""
    nb: NotebookNode = v4.new_notebook(metadata=metadata)  # type: ignore[no-untyped-call]
    return nb


def new_cell(kind: str, text: str, name: str) -> NotebookNode:
    """A cell of a kind (``code``, ``raw``, else Markdown) with a text and an id."""
    cell = {"cell_type": kind if kind in ("code", "raw") else "markdown", "id": name, "metadata": {}, "source": text}
    # Not nbformat's own functions, which validate each cell against the schema of notebooks: a millisecond each.
    return node(cell | {"outputs": [], "execution_count": None} if kind == "code" else cell)


def new_output(kind: str, **content: Any) -> NotebookNode:
    """An output of a kind, such as ``stream`` or ``error``."""
    output = node()
    if kind in ("display_data", "execute_result"):
        output["metadata"] = {}
    # One by one: so mappings inside become nodes too.
    output.update({"output_type": kind, **content})  # type: ignore[no-untyped-call]
    return output
