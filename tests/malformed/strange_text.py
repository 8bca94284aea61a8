"""Right work with strange text in it, strange files beside it, or by somebody with a strange name."""

import os
from pathlib import Path

from course_lib.grader.results import Outcome
from tests.grader.conftest import ASSIGNMENT, RIGHT

from .catalogue import GOOD, answering, costs_double, costs_mean, harmless, honest, kind, put, with_own

# ---------------------------------------------------------------------------------------------------- text of all kinds

harmless("an own cell of 10 MB", "held 10000000 characters, more than 200000; it was not run.")(
    lambda folder: put(folder, with_own("x = 1 " * 1_666_666 + "    "))
)
harmless("own prose of 10 MB")(lambda folder: put(folder, with_own("words " * 1_700_000, "markdown")))
harmless("a line of 5 MB in a written answer")(lambda folder: put(folder, answering(explain="because " * 625_000)))
harmless("a number that Python reads and does not write")(
    lambda folder: put(folder, answering(double=f"PRIME = 0x{'f' * 4000}\n{RIGHT['double']}"))
)
harmless("brackets without end in an own cell")(lambda folder: put(folder, with_own("[" * 100_000)))
harmless("an own cell that the parser has no memory for")(lambda folder: put(folder, with_own("not " * 40_000 + "x")))
harmless("a chain too long for the compiler in an own cell")(lambda folder: put(folder, with_own("1" + "+1" * 90_000)))
harmless("a NUL in an own cell")(lambda folder: put(folder, with_own("x = '\0'")))
harmless("control characters in prose")(lambda folder: put(folder, with_own("\0\1\x1b[31mred\x07", "markdown")))
harmless("half a character in a comment")(
    lambda folder: put(folder, answering(double=RIGHT["double"] + "  # \ud83d broken emoji"))
)
harmless("form feeds and Unicode's line separators in a text")(
    lambda folder: put(folder, answering(double='def double(x):\n    """A\x0cB\u2028C\x85D."""\n    return 2 * x'))
)
harmless("old Macs' line ends")(lambda folder: put(folder, answering(mean=RIGHT["mean"].replace("\n", "\r"))))
harmless("Windows' line ends in cells")(lambda folder: put(folder, answering(mean=RIGHT["mean"].replace("\n", "\r\n"))))
harmless("an own cell of magic only")(lambda folder: put(folder, with_own("%matplotlib inline\n%time 1 + 1")))
harmless("an own cell with a magic that is not there")(lambda folder: put(folder, with_own("%%sql\nselect 1")))
harmless("a cell magic over a solution")(lambda folder: put(folder, answering(double="%%time\n" + RIGHT["double"])))
harmless("right to left, wide and combining characters")(
    lambda folder: put(folder, answering(double="def double(x):\n    '''עברית 😀 é \u202e'''\n    return 2 * x"))
)

costs_double("a NUL in a solution")(lambda folder: put(folder, answering(double=RIGHT["double"] + "\0")))
costs_double("tabs and spaces mixed in a solution")(
    lambda folder: put(folder, answering(double="def double(x):\n\tif x:\n        return 2 * x\n\treturn 0"))
)
costs_double("brackets without end in a solution")(lambda folder: put(folder, answering(double="(" * 100_000)))
costs_double("a solution that the parser has no memory for")(
    lambda folder: put(folder, answering(double="x = " + "-" * 150_000 + "1"))
)
costs_double("a solution of 10 MB", "The cell double held 10000027 characters, more than 200000; it was not run.")(
    lambda folder: put(folder, answering(double=RIGHT["double"].ljust(10_000_027)))
)
costs_double("a number where the function should be")(lambda folder: put(folder, answering(double="double = 4")))
costs_double("None where the function should be")(lambda folder: put(folder, answering(double="double = None")))
costs_double("a solution in another language")(lambda folder: put(folder, answering(double="%%bash\necho 4")))
costs_double("a solution under a magic that is not there")(
    lambda folder: put(folder, answering(double="%%sql\n" + RIGHT["double"]))
)
costs_mean("a solution cell deleted", "The cell mean was missing; it was graded as it was handed out")(
    lambda folder: put(folder, {**honest(), "cells": [c for c in honest()["cells"] if c["id"] != "mean"]})
)


# ------------------------------------------------------------------------------------------------ files beside the work


def _beside(name: str, *files: str, content: bytes = GOOD) -> None:
    def write(folder: Path) -> None:
        put(folder, GOOD)
        for file in files:
            path = os.path.join(os.fsencode(folder), os.fsencode(file))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as out:
                out.write(content)

    harmless(name)(write)


_beside("a second notebook with the same ids", "copy.ipynb", "01_numbers (2).ipynb")
_beside("a broken second notebook", "copy.ipynb", content=b"{")
_beside("checkpoints", f".ipynb_checkpoints/{ASSIGNMENT}-checkpoint.ipynb")
_beside("file names of 255 bytes", "n" * 255)
_beside("file names that are no UTF-8", os.fsdecode(b"\xff\xfe.txt"))
_beside("file names with line breaks and control characters", "two\nlines.txt", "\x1b[31m.txt", " ", "-rf", "*")
_beside("a name in two ways that look the same", "é.txt", "e\u0301.txt")
_beside("files that shadow Python's and the course's", "sitecustomize.py", "conftest.py", "x.pth", content=b"")
_beside("folders that shadow the course's", "course_lib/__init__.py", "submitted/x", "source/x", content=b"")
_beside(
    "a gradebook and a configuration of one's own", "gradebook.db", "nbgrader_config.py", content=b"raise SystemExit"
)
_beside("a broken time stamp", "timestamp.txt", content=b"yesterday, about noon")
_beside("a time stamp of bytes", "timestamp.txt", content=b"\xff\x00\xfe")
_beside("a time stamp far away", "timestamp.txt", content=b"99999-01-01 00:00:00 UTC")
_beside("a time stamp that is a folder", "timestamp.txt/x")
_beside("an empty time stamp", "timestamp.txt", content=b"")


# --------------------------------------------------------------------------------------------------------- who hands in

for _name, _student in {
    "a pattern of all that begin with h": "h*",
    "a pattern of one character": "[x]",
    "a space, quotes and a percent sign": 'O\'Hara "100%"',
    "an option": "-rf",
    "braces, as in the configuration's folder names": "{student_id}",
    "letters of many scripts": "Zoë-Łukasz-王-مريم",
    "an SQL command": "x'); DROP TABLE grade; --",
    "a name of 250 bytes": "n" * 250,
    "a dot at the start": ".hidden",
}.items():
    harmless(f"a student's id that is {_name}", student=_student)(lambda folder: put(folder, GOOD))

for _name, _student, _why in (
    ("that is no UTF-8", os.fsdecode(b"ada\xff"), ""),
    ("with a line break", "ada\nbob", ""),
    ("that begins with a space", " ada", ", for it begins or ends with a space"),
    ("that ends with a space", "ada ", ", for it begins or ends with a space"),
    ("of spaces", "  ", ", for it begins or ends with a space"),
):
    kind(
        f"a student's id {_name}",
        Outcome.UNREADABLE,
        f"has a name that cannot be a student's id{_why}. Rename the folder.",
        student=_student,
    )(lambda folder: put(folder, GOOD))
