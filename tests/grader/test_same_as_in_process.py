"""Whatever a class believes, the engine finds what the same test cells find in a student's own notebook.

Misconceptions and alternatives, every fourth of each exercise, go through the sandboxed processes, with what is right
remembered from one to the next, and in process, where nothing is remembered. The two records must be equal: each case's
outcome, message and picture of the data, the refused built-ins, the recognised misconceptions and their hints. Only the
name of the limit that a case reached is the engine's alone: it is for who can set it.
"""

import re
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

import pytest

from course_lib.checks.misconception import load_misconceptions, load_variants
from course_lib.checks.verdict import ExerciseResult, Outcome
from course_lib.grader.bench import Bench
from course_lib.grader.engine.examiner import Paper, examine
from course_lib.grader.engine.processes import WarmServer
from course_lib.grader.notebooks import read

from .exam import notebook, own

ROOT = Path(__file__).resolve().parents[2]
EVERY = 4
"""One in so many variants is tried. All of them take a quarter of an hour, and many differ in the same way."""


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("assignment", sorted(path.stem for path in (ROOT / "source").glob("*/*.ipynb")))
def test_engine_and_notebook_give_the_same_records(warm_server: WarmServer, assignment: str) -> None:
    source = ROOT / "source" / assignment / f"{assignment}.ipynb"
    bench, known = Bench(source), load_misconceptions(ROOT / "misconceptions" / f"{assignment}.py")
    variants = [*known, *load_variants(ROOT / "alternatives" / f"{assignment}.py")]
    paper = Paper(known)
    # One notebook holds a variant of each exercise, and after its test the right solution, which later ones build on.
    of_exercise = [[v for v in variants if v.exercise == exercise][::EVERY] for exercise in bench.exercises]
    compared = 0
    for written in zip_longest(*of_exercise):
        texts = {variant.exercise: variant.source for variant in written if variant is not None}
        nb = notebook()
        for cell in read(source).cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            if cell.cell_type == "code" and name:
                nb.cells.append(cell)
                cell.source = texts.get(name, cell.source)
            if name.startswith("test_"):
                nb.cells.append(own(bench.solution(name.removeprefix("test_")), len(nb.cells)))
        for result in examine(nb, paper, warm_server):
            if result.exercise in texts:
                in_process = bench.run(result.exercise, texts[result.exercise], misconceptions=known)
                assert without_limits(result) == in_process
                compared += 1
    assert compared == sum(map(len, of_exercise)) >= 4 * len(bench.exercises)


def without_limits(result: ExerciseResult) -> ExerciseResult:
    """The same record without the names of limits in the messages of cases that ran out of time."""
    cases = tuple(
        replace(case, message=re.sub(r" \(limit case_seconds[^)]*\)", "", case.message))
        if case.outcome is Outcome.TIMED_OUT
        else case
        for case in result.cases
    )
    return replace(result, cases=cases)
