"""Where there is no text to grade: nothing is scored, and a human looks."""

import codecs
import os
import socket
from pathlib import Path
from typing import Any

from tests.grader.conftest import ASSIGNMENT

from .catalogue import GONE, GOOD, NOTEBOOK, cell, honest, missing, put, put_in, unreadable

# ------------------------------------------------------------------------------------------ files that hold no notebook


def _bytes(name: str, says: str, content: bytes) -> None:
    unreadable(name, says)(lambda folder: put(folder, content))


_bytes("empty", "is empty (0 bytes)", b"")
_bytes("one byte", "the JSON breaks at line 1", b"{")
_bytes("white space only", "the JSON breaks", b" \n\n ")
_bytes("a program under a notebook's name", "the JSON breaks", b"def double(x):\n    return 2 * x\n")
_bytes("a web page: the log-in instead of the file", "the JSON breaks", b"<!DOCTYPE html><title>Log in</title>")
_bytes("a zip", "is not text in UTF-8", b"PK\x03\x04\xff\xfe\x00\x00")
_bytes("cut off in the middle", "The file seems to be cut off", GOOD[: len(GOOD) // 2])
_bytes("cut off at the last bracket", "the JSON breaks", GOOD.rstrip()[:-1])
_bytes("two notebooks in one file", "the JSON breaks", GOOD + GOOD)
_bytes("git's conflict markers", "the JSON breaks", GOOD.replace(b"{", b"<<<<<<< HEAD\n{", 1))
_bytes("NUL bytes", "the JSON breaks", b"\x00" * 1000)
_bytes("UTF-16 without a mark", "the JSON breaks", GOOD.decode().encode("utf-16-le"))
_bytes("UTF-16 that breaks off", "is not text in UTF-16", codecs.BOM_UTF16_LE + b"{\x00\x00\xd8\x00")
_bytes("Latin-1", "is not text in UTF-8", GOOD.replace(b"Because", "Natürlich: because".encode("latin-1")))
_bytes("lists 100,000 deep", "nested too deeply", b"[" * 100_000)
_bytes("objects 100,000 deep", "nested too deeply", b'{"cells":' * 100_000)
_bytes("deep in an output", "nested too deeply", GOOD.replace(b'"outputs": []', b'"outputs": ' + b"[" * 5000, 1))
_bytes("a list", "is JSON, but not a notebook", b"[1, 2]")
_bytes("a number", "is JSON, but not a notebook", b"17")
_bytes("null", "is JSON, but not a notebook", b"null")
_bytes("a text", "is JSON, but not a notebook", b'"cells"')
_bytes("no cells", "it has no cells", b'{"metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
_bytes("cells that are an object", "its cells are not a list", b'{"cells": {"a": 1}}')
_bytes("cells that are null", "its cells are not a list", b'{"cells": null}')
_bytes("worksheets that are a number", "its worksheets are not a list", b'{"worksheets": 3, "nbformat": 3}')
_bytes("a worksheet without cells", "its cells are not a list", b'{"worksheets": [{}], "nbformat": 3}')


@unreadable("60 MB", "has 60 MB, more than 50. Clear its outputs")
def _(folder: Path) -> None:
    put(folder, GOOD)
    os.truncate(folder / NOTEBOOK, 60_000_000)  # the rest is zeros that take no place on the disk


@unreadable("millions of tiny values", "holds more than 1000000 values. Clear its outputs")
def _(folder: Path) -> None:
    put(folder, GOOD.replace(b'"outputs": []', b'"outputs": [' + b"[]," * 2_000_000 + b"1]", 1))


@unreadable("100,000 cells", "has 100000 cells, more than 10000")
def _(folder: Path) -> None:
    put(folder, b'{"cells":[' + b",".join([b'{"cell_type":"code","source":"1"}'] * 100_000) + b"]}")


# A student's text is lost: left for a human, because a blank exercise would be a zero for somebody who did the work.


def _damaged(name: str, says: str, key: str, value: Any) -> None:
    def write(folder: Path) -> None:
        nb = honest()
        put_in(cell(nb, "double"), key, value)
        put(folder, nb)

    unreadable(name, says)(write)


_damaged("source that is a number", "the text of its cell number 3 is lost", "source", 5)
_damaged("source that is null", "the text of its cell number 3 is lost", "source", None)
_damaged("source that is missing", "the text of its cell number 3 is lost", "source", GONE)
_damaged("source of nested lists", "the text of its cell number 3 is lost", "source", [["x = 1"]])
_damaged("source with numbers among its lines", "the text of its cell number 3 is lost", "source", ["x = 1\n", 2])
_damaged("a cell type that is a number", "its cell number 3 has no type", "cell_type", 7)
_damaged("no cell type", "its cell number 3 has no type", "cell_type", GONE)


@unreadable("a cell that is a number", "its cell number 2 is no cell")
def _(folder: Path) -> None:
    put(folder, {**honest(), "cells": [honest()["cells"][0], 5]})


# ------------------------------------------------------------------------------- things in the folder that are no files


@unreadable("the notebook is a folder", "is a folder, not a notebook")
def _(folder: Path) -> None:
    (folder / NOTEBOOK).mkdir()


def _linked(name: str, target: str) -> None:
    unreadable(name, f"holds a link, {NOTEBOOK}")(lambda folder: (folder / NOTEBOOK).symlink_to(target))


_linked("the notebook is a link to another's", f"../../honest/{ASSIGNMENT}/{NOTEBOOK}")
_linked("the notebook is a link to nothing", "nowhere")
_linked("the notebook is a link to itself", NOTEBOOK)


@unreadable("a link to the gradebook beside the notebook", "holds a link, data/marks.csv")
def _(folder: Path) -> None:
    put(folder, GOOD)
    (folder / "data").mkdir()
    (folder / "data" / "marks.csv").symlink_to("../../../../gradebook.db")


@unreadable("a folder that is a link to all of the disk", "holds a link, data")
def _(folder: Path) -> None:
    put(folder, GOOD)
    (folder / "data").symlink_to("/")


@unreadable("the notebook is a pipe", "neither file nor folder")
def _(folder: Path) -> None:
    os.mkfifo(folder / NOTEBOOK)


@unreadable("a device beside the notebook", "neither file nor folder")
def _(folder: Path) -> None:
    put(folder, GOOD)
    os.mknod(folder / "zero", 0o20644, os.makedev(1, 5))


@unreadable("a socket beside the notebook", "neither file nor folder")
def _(folder: Path) -> None:
    put(folder, GOOD)
    here = Path.cwd()
    os.chdir(folder)  # a socket's path must be short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("s")
    finally:
        os.chdir(here)


@unreadable("10,000 files", "holds more than 2000 files and folders")
def _(folder: Path) -> None:
    put(folder, GOOD)
    for number in range(10_000):
        (folder / f"{number}.txt").touch()


@unreadable("folders 200 deep", "more than 30 deep")
def _(folder: Path) -> None:
    put(folder, GOOD)
    Path(folder, *["d"] * 200).mkdir(parents=True)


@unreadable("a file where the folder should be", "is a file. Make a folder of that name")
def _(folder: Path) -> None:
    folder.rmdir()
    folder.write_bytes(GOOD)


@unreadable("the folder is a link to another student's", "is a link to another folder")
def _(folder: Path) -> None:
    folder.rmdir()
    folder.symlink_to(f"../honest/{ASSIGNMENT}")


# ----------------------------------------------------------------------------------------------------- no such notebook


def _misnamed(name: str, says: str) -> None:
    def write(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(GOOD)

    missing(f"only {name!r}", says)(write)


missing("an empty folder", f"has no {NOTEBOOK}.")(lambda folder: None)
_misnamed("01_Numbers.ipynb", f"has no {NOTEBOOK}, but 01_Numbers.ipynb. If that is the one, rename it.")
_misnamed("01_numbers (1).ipynb", "but 01_numbers (1).ipynb. If that is the one")
_misnamed("01_numbers.IPYNB", "but 01_numbers.IPYNB. If that is the one")
_misnamed("01_numbers .ipynb ", "but 01_numbers .ipynb . If that is the one")
_misnamed("work/01_numbers.ipynb", "but work/01_numbers.ipynb. If that is the one")
_misnamed("two\nlines.ipynb", r"but two\nlines.ipynb. If that is the one")
_misnamed("01_numbers.ipynb.txt", f"has no {NOTEBOOK}.")
_misnamed(".ipynb_checkpoints/01_numbers-checkpoint.ipynb", f"has no {NOTEBOOK}.")
