"""Outputs from the untrusted side become outputs that nbformat takes, whatever they are."""

import json
import math
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.checks.data import Opaque, Raised
from course_lib.checks.verdict import RESULT_MIME
from course_lib.grader.engine.outputs import from_answer

from .exam import notebook, own


def outputs_of(*raw: Any, chars: int = 1000) -> list[Any]:
    return from_answer({"outputs": list(raw), "count": 1}, chars)[0]


def test_well_formed_outputs_stay_as_they_are() -> None:
    raw = [
        {"output_type": "stream", "name": "stderr", "text": "warning\n"},
        {"output_type": "display_data", "data": {"image/png": "abc="}, "metadata": {"width": 3}},
        {"output_type": "execute_result", "data": {"text/plain": "3"}, "metadata": {}, "execution_count": 2},
        {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["a", "b"]},
        {"output_type": "display_data", "data": {"application/json": {"a": [1, None, 0.5, True]}}, "metadata": {}},
    ]
    made, count = from_answer({"outputs": raw, "count": 7}, 1000)
    assert (made, count) == (raw, 7)


KEYS = st.sampled_from(
    ["output_type", "name", "text", "data", "metadata", "ename", "evalue", "traceback", "execution_count", "count"]
)
WORDS = st.sampled_from(
    ["stream", "display_data", "execute_result", "error", "text/plain", "application/json", "stdout"]
)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | WORDS
    | st.text(max_size=5)
    | st.just(Opaque("a set"))
    | st.just(Raised(("E",), "")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | WORDS | st.integers(0, 3), inner, max_size=6),
    max_leaves=15,
)
OUTPUT = st.fixed_dictionaries(
    {"output_type": WORDS},
    optional=dict.fromkeys(
        ["name", "text", "data", "metadata", "ename", "evalue", "traceback", "execution_count"], ANYTHING
    ),
)


@settings(deadline=None, max_examples=200)
@given(
    st.one_of(ANYTHING, st.fixed_dictionaries({"outputs": st.lists(OUTPUT | ANYTHING, max_size=4), "count": ANYTHING}))
)
def test_whatever_came_a_notebook_with_it_is_valid(answer: Any) -> None:
    cell = own("1")
    cell.outputs, count = from_answer(answer, 1000)
    cell.execution_count = count or None
    nb = notebook(cell)
    nbformat.validate(nb)
    json.dumps(nb, allow_nan=False)


@pytest.mark.parametrize("answer", [None, [], 3, {}, {"outputs": 3}, Opaque("a set"), {"outputs": {"a": 1}}])
def test_an_answer_that_cannot_be_read_says_so(answer: Any) -> None:
    made, count = from_answer(answer, 1000)
    assert [output.text for output in made] == ["… the output of this cell could not be read\n"]
    assert count == 0


def test_nobody_but_a_test_cell_shows_a_record_of_results() -> None:
    assert outputs_of({"output_type": "display_data", "data": {RESULT_MIME: {"score": 5}}}) == []
    (kept,) = outputs_of({"output_type": "display_data", "data": {RESULT_MIME: {}, "text/plain": "x"}})
    assert kept.data == {"text/plain": "x"}


def test_many_and_long_outputs_are_cut_with_a_note() -> None:
    long = {"output_type": "stream", "name": "stdout", "text": "x" * 100_000}
    made = outputs_of(*[long] * 50, chars=1000)
    assert len(json.dumps(made)) < 600_000
    assert "the rest of the output was left out: 1000 characters are kept" in made[-1].text
    assert len(outputs_of(*[{"output_type": "stream", "text": ""}] * 10_000)) <= 2001


def test_numbers_that_json_has_no_word_for_become_text() -> None:
    (made,) = outputs_of({"output_type": "display_data", "data": {"application/json": [math.nan, math.inf]}})
    assert made.data == {"application/json": ["nan", "inf"]}
