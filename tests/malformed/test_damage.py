"""Any damage to a notebook's file: it is refused with a sentence, or it is read and rebuilt whole; nothing third."""

import json
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course_lib.grader.intake.foreign import NotANotebook, read_foreign, sifted
from course_lib.grader.intake.rebuild import rebuild
from tests.grader.conftest import ROOT, source_notebook

from .catalogue import GOOD, honest

SOURCE = source_notebook()
SOURCE_IDS = [cell.id for cell in SOURCE.cells]

often = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(alphabet=st.characters(), max_size=8)
    | st.sampled_from(["code", "double", "test_mean", "\ud800", "\0", 10**400, "a" * 300]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def read_or_refuse(path: Path, content: bytes) -> nbformat.NotebookNode | None:
    path.write_bytes(content)
    try:
        return read_foreign(path)
    except NotANotebook as error:
        said = str(error)
    assert said.isprintable()
    assert said.endswith((".", "?"))
    return None


def rebuilt_whole(submitted: Any) -> None:
    """Rebuild, and look at what must hold whatever was handed in."""
    nb, notes = rebuild(SOURCE, submitted)
    nbformat.validate(nb)
    nbformat.writes(nb).encode()
    assert [cell.id for cell in nb.cells if not cell.id.startswith("own-")] == SOURCE_IDS
    assert [cell.metadata for cell in nb.cells if cell.id.startswith("own-") and cell.metadata] == []
    for note in notes:
        assert note.isprintable(), ascii(note)


@pytest.mark.parametrize("start", range(10))
def test_wherever_a_file_is_cut_off_it_is_refused(tmp_path: Path, start: int) -> None:
    whole = GOOD.rstrip()
    for end in range(start, len(whole), 10):
        assert read_or_refuse(tmp_path / "x.ipynb", whole[:end]) is None


@often
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=4), st.integers(0, 4))
def test_other_bytes_anywhere(tmp_path: Path, place: int, new: bytes, gone: int) -> None:
    nb = read_or_refuse(tmp_path / "x.ipynb", GOOD[:place] + new + GOOD[place + gone :])
    if nb is not None:
        rebuilt_whole(nb)


@often
@given(st.data())
def test_another_value_anywhere(tmp_path: Path, data: st.DataObject) -> None:
    nb = honest()
    for _ in range(data.draw(st.integers(1, 3))):
        place: Any = nb
        while True:
            key = data.draw(st.sampled_from(range(len(place)) if isinstance(place, list) else sorted(place)))
            if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.integers(0, 3)) == 0:
                break
            place = place[key]
        place[key] = data.draw(VALUES)
    by_file = read_or_refuse(tmp_path / "x.ipynb", json.dumps(nb).encode())
    try:
        # nbgrader hands over what nbformat has read: the same must come of it.
        by_hand = sifted(nbformat.from_dict(deepcopy(nb)))
    except NotANotebook:
        by_hand = None
    assert (by_file is None) == (by_hand is None)
    if by_file is not None:
        rebuilt_whole(by_file)
        rebuilt_whole(nbformat.from_dict(nb))


def test_what_is_read_is_read_the_same_again() -> None:
    once = sifted(honest())
    assert sifted(deepcopy(once)) == once


DEEP = """
import json, sys
from pathlib import Path
from course_lib.grader.intake.foreign import NotANotebook, read_foreign
from course_lib.grader.intake.rebuild import rebuild
from tests.grader.conftest import source_notebook, solved

path = Path(sys.argv[1])
for depth in (500, 2_000, 100_000, 900_000):
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        nested = opening * depth + "1" + closing * depth
        for text in (nested, nested[: len(nested) // 2], '{"cells": [], "x": %s}' % nested):
            path.write_text(text)
            try:
                read_foreign(path)
            except NotANotebook:
                pass
for code in ("(" * 190_000, "not " * 40_000, "1" + "+1" * 90_000, "f(" * 90_000, "-" * 190_000, "a" + ".a" * 90_000):
    rebuild(source_notebook(), solved(double=code, mean="@" + code))
print("alive")
"""


def test_no_nesting_is_too_deep_for_the_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", DEEP, str(tmp_path / "x.ipynb")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr[-2000:]
