"""Right work in a strange notebook: what carries no text decides nothing, and no point is lost."""

import codecs
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import nbformat

from .catalogue import GONE, GOOD, answering, cell, everywhere, harmless, honest, in_nbgrader, kept, put, top, with_own

harmless("a mark for UTF-8 at the start")(lambda folder: put(folder, codecs.BOM_UTF8 + GOOD))
harmless("UTF-16 with its mark, as Windows writes it")(lambda folder: put(folder, GOOD.decode().encode("utf-16")))
harmless("Windows' line ends in the file")(lambda folder: put(folder, GOOD.replace(b"\n", b"\r\n")))
harmless("an integer of 10,000 digits")(
    lambda folder: put(folder, GOOD.replace(b'"nbformat": 4', b'"nbformat": ' + b"4" * 10_000))
)
harmless("numbers that are not in JSON")(
    lambda folder: put(
        folder, GOOD.replace(b'"points": 2', b'"points": NaN').replace(b'"points": 3', b'"points": 1e999')
    )
)
harmless("keys that occur twice")(lambda folder: put(folder, GOOD.replace(b'"cells"', b'"cells": 5, "cells"', 1)))

kept("metadata of the notebook is null", top("metadata", None))
kept("metadata of the notebook is missing", top("metadata", GONE))
kept("metadata of the notebook is a list", top("metadata", [1]))
kept("metadata of the notebook is a number", top("metadata", 8))
kept("metadata of cells is null", everywhere("metadata", None))
kept("metadata of cells is a list", everywhere("metadata", ["nbgrader"]))
kept("metadata of cells is a number", everywhere("metadata", 3))
kept("nbgrader's metadata is a text", everywhere("metadata", {"nbgrader": "solution"}))
kept("nbgrader's metadata is a list", everywhere("metadata", {"nbgrader": ["solution"]}))
kept("nbgrader's metadata is null", everywhere("metadata", {"nbgrader": None}))
kept("grade_id is a number", in_nbgrader("grade_id", 7))
kept("grade_id is a list", in_nbgrader("grade_id", ["double"]))
kept("grade_id is an object", in_nbgrader("grade_id", {"double": 1}))
kept("grade_id is a text of a megabyte", in_nbgrader("grade_id", "double" * 170_000))
kept("points are negative", in_nbgrader("points", -5), "claimed -5 points; it is worth 2.")
kept("points are 1e308", in_nbgrader("points", 1e308), "claimed 1e+308 points; it is worth 2.")
kept("points are a text", in_nbgrader("points", "all\nof them"))
kept("points are an object", in_nbgrader("points", {"a": 1}))
kept("schema_version is 1", in_nbgrader("schema_version", 1))
kept("schema_version is 99", in_nbgrader("schema_version", 99))
kept("schema_version is a text", in_nbgrader("schema_version", "three"))
kept("nbgrader's flags are texts", in_nbgrader("grade", "no"))
kept("nbformat is 99", top("nbformat", 99))
kept("nbformat is a text", top("nbformat", "4"))
kept("nbformat is missing", top("nbformat", GONE))
kept("nbformat's minor is 999", top("nbformat_minor", 999))
kept("nbformat's minor is null", top("nbformat_minor", None))
kept("nbformat 5", top("nbformat", 5))
kept("cell ids are all the same", everywhere("id", "cell"))
kept("cell ids are numbers", everywhere("id", 1))
kept("cell ids are not allowed ones", everywhere("id", "no id / at all"))
kept("cell ids of a megabyte", everywhere("id", "i" * 1_000_000))
kept("outputs are a text", everywhere("outputs", "42"))
kept("outputs are of no kind", everywhere("outputs", [1, None, {"output_type": 3}]))
kept("outputs of 20 MB", lambda nb: cell(nb, "double").update(outputs=[{"text": "x" * 20_000_000}]))
kept(
    "outputs that are nested 500 deep", lambda nb: cell(nb, "double").update(outputs=json.loads("[" * 500 + "]" * 500))
)
kept("execution counts are texts", everywhere("execution_count", "seven"))
kept("attachments are a list", everywhere("attachments", ["x"]))
kept("attachments hold numbers", everywhere("attachments", {"a.png": 1, "b.png": {"image/png": 5}}))
kept("attachments with names that no file has", everywhere("attachments", {"\ud800": {"image/png": "AAAA"}}))
kept("the kernel's name is a list", top("metadata", {"kernelspec": {"name": ["bash"]}, "language_info": 3}))
kept("a notebook for another language", top("metadata", {"kernelspec": {"name": "ir"}}), "asked for the kernel 'ir'")
kept("no kernel and no language", top("metadata", {}))


@harmless("nbformat 3, with worksheets and headings")
def _(folder: Path) -> None:
    put(folder, json.loads(nbformat.writes(nbformat.convert(nbformat.from_dict(honest()), 3), version=3)))


@harmless("nbformat 2")
def _(folder: Path) -> None:
    old = json.loads(nbformat.writes(nbformat.convert(nbformat.from_dict(honest()), 3), version=3))
    put(folder, {**old, "nbformat": 2})


@harmless("duplicated grade ids", "The cell double occurred 2 times")
def _(folder: Path) -> None:
    nb = honest()
    nb["cells"].insert(3, {**deepcopy(cell(nb, "double")), "id": "copy"})
    put(folder, nb)


@harmless("another exercise written into a copy of a cell", "a copy of the cell double that defines mean was graded")
def _(folder: Path) -> None:
    nb = honest()
    mean = cell(nb, "mean")
    nb["cells"].remove(mean)
    nb["cells"].insert(2, {**deepcopy(cell(nb, "double")), "id": "copy", "source": mean["source"]})
    put(folder, nb)


@harmless("a helper written into a copy of a cell", "1 with other work kept as the student's own")
def _(folder: Path) -> None:
    nb = answering(double="def double(x):\n    return helper(x)")
    nb["cells"].insert(2, {**deepcopy(cell(nb, "double")), "id": "copy", "source": "def helper(x):\n    return 2 * x"})
    put(folder, nb)


@harmless("a locked cell deleted", "The locked cell test_double was missing and has been put back.")
def _(folder: Path) -> None:
    nb = honest()
    nb["cells"].remove(cell(nb, "test_double"))
    put(folder, nb)


@harmless("a locked cell and the one before it deleted", "The locked cell imports was missing")
def _(folder: Path) -> None:
    nb = honest()
    nb["cells"] = [c for c in nb["cells"] if c["id"] not in ("imports", "title", "test_mean", "experiment")]
    put(folder, nb)


@harmless("a locked cell edited", "The cell test_double had been edited")
def _(folder: Path) -> None:
    put(folder, answering(test_double="100.0"))


@harmless("cells in reverse order", "Cells had been moved")
def _(folder: Path) -> None:
    nb = honest()
    nb["cells"].reverse()
    put(folder, nb)


def _retyped(name: str, to: str) -> None:
    def change(nb: dict[str, Any]) -> None:
        cell(nb, name)["cell_type"] = to

    kept(f"the cell {name} turned into {to}", change, f"The cell {name} had become a {to} cell")


_retyped("double", "markdown")
_retyped("double", "raw")
_retyped("test_double", "raw")
_retyped("test_double", "markdown")
_retyped("explain", "code")
_retyped("explain", "sql")


@harmless("a solution merged with its test")
def _(folder: Path) -> None:
    nb = honest()
    test = cell(nb, "test_double")
    cell(nb, "double")["source"] += "\n" + test["source"]
    nb["cells"].remove(test)
    put(folder, nb)


@harmless("all exercises merged into one cell", "The cell mean was missing; the cell double, which defines mean,")
def _(folder: Path) -> None:
    nb = honest()
    cell(nb, "double")["source"] += "\n\n" + cell(nb, "mean")["source"]
    nb["cells"].remove(cell(nb, "mean"))
    put(folder, nb)


@harmless("an own cell of an unknown kind", "A cell of the unknown kind 'sql' was kept as text and not run.")
def _(folder: Path) -> None:
    nb = with_own("select 1")
    cell(nb, "mine")["cell_type"] = "sql"
    put(folder, nb)


@harmless("5,000 own cells", "There were 5000 cells beside the course's; the first 1000 were kept.")
def _(folder: Path) -> None:
    nb = honest()
    nb["cells"] += [{"cell_type": "markdown", "source": f"note {n}", "metadata": {}} for n in range(5000)]
    put(folder, nb)


@harmless("1,000 copies of a test, each with a claim of its own", "And ")
def _(folder: Path) -> None:
    nb = honest()
    for number in range(1000):
        copy = deepcopy(cell(nb, "test_mean"))
        copy["metadata"]["nbgrader"]["points"] = number
        nb["cells"].append({**copy, "id": f"copy-{number}"})
    put(folder, nb)
