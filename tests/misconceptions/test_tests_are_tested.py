"""The tests, tested: every misconception loses points, every alternative keeps all, a stub earns none."""

import functools
from pathlib import Path

import pytest

from course_lib.checks.misconception import Misconception, Variant, load_misconceptions, load_variants
from course_lib.grader.bench import Bench

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENTS = sorted(path.stem for path in (ROOT / "source").glob("*/*.ipynb"))


@functools.cache
def bench(assignment: str) -> Bench:
    return Bench(ROOT / "source" / assignment / f"{assignment}.ipynb")


@functools.cache
def misconceptions(assignment: str) -> tuple[Misconception, ...]:
    return load_misconceptions(ROOT / "misconceptions" / f"{assignment}.py")


@functools.cache
def alternatives(assignment: str) -> tuple[Variant, ...]:
    return load_variants(ROOT / "alternatives" / f"{assignment}.py")


def named(variants: list[tuple[str, Variant]]) -> list[object]:
    return [pytest.param(a, v, id=f"{a}-{v.exercise}-{v.name}".replace(" ", "_")) for a, v in variants]


EXERCISES = [(a, exercise) for a in ASSIGNMENTS for exercise in bench(a).exercises]
WRONG = named([(a, v) for a in ASSIGNMENTS for v in misconceptions(a)])
RIGHT = named([(a, v) for a in ASSIGNMENTS for v in alternatives(a)])


def failures(result: object) -> str:
    return "\n".join(f"{c.title}: {c.message} {c.reason}" for c in result.cases if not c.passed)  # type: ignore[attr-defined]


def test_there_are_assignments_to_test() -> None:
    assert {"05_loss_derivatives", "09_dropout"} <= set(ASSIGNMENTS)


@pytest.mark.parametrize(("assignment", "wrong"), WRONG)
def test_a_misconception_loses_points_and_is_recognised(assignment: str, wrong: Misconception) -> None:
    its = bench(assignment)
    result = its.run(wrong.exercise, wrong.source, misconceptions=misconceptions(assignment))
    assert result.score < its.points(wrong.exercise), f"{wrong.name!r} keeps all points"
    if not result.refused:
        assert wrong.name in [found.name for found in result.misconceptions]


@pytest.mark.parametrize(("assignment", "right"), RIGHT)
def test_an_alternative_keeps_all_points(assignment: str, right: Variant) -> None:
    its = bench(assignment)
    result = its.run(right.exercise, right.source, misconceptions=misconceptions(assignment))
    assert result.score == its.points(right.exercise), failures(result)
    assert result.misconceptions == ()


@pytest.mark.parametrize(("assignment", "exercise"), EXERCISES)
def test_the_reference_solution_keeps_all_points(assignment: str, exercise: str) -> None:
    its = bench(assignment)
    result = its.run(exercise, its.solution(exercise))
    assert result.score == its.points(exercise) == result.points, failures(result)


@pytest.mark.parametrize(("assignment", "exercise"), EXERCISES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_right_solution_passes_whatever_the_draws(assignment: str, exercise: str, seed: int) -> None:
    its = bench(assignment)
    result = its.run(exercise, its.solution(exercise), seed=seed)
    assert result.passed, failures(result)


@pytest.mark.parametrize(("assignment", "exercise"), EXERCISES)
def test_the_released_stub_earns_nothing(assignment: str, exercise: str) -> None:
    its = bench(assignment)
    assert "NotImplementedError" in its.stub(exercise)
    assert its.run(exercise, its.stub(exercise)).score == 0.0


@pytest.mark.parametrize(("assignment", "exercise"), EXERCISES)
@pytest.mark.parametrize(
    "text",
    ["", "this is not Python (", "{name} = None", "def {name}(*args, **kwargs):\n    return None\n"],
    ids=["empty cell", "syntax error", "None", "returns None"],
)
def test_an_empty_answer_earns_nothing(assignment: str, exercise: str, text: str) -> None:
    assert bench(assignment).run(exercise, text.format(name=exercise)).score == 0.0


@pytest.mark.parametrize(("assignment", "exercise"), EXERCISES)
def test_there_are_enough_misconceptions_and_alternatives(assignment: str, exercise: str) -> None:
    assert sum(m.exercise == exercise for m in misconceptions(assignment)) >= 8
    assert sum(v.exercise == exercise for v in alternatives(assignment)) >= 4


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_misconceptions_and_alternatives_belong_to_exercises(assignment: str) -> None:
    of_files = {v.exercise for v in (*misconceptions(assignment), *alternatives(assignment))}
    assert of_files == set(bench(assignment).exercises)


@pytest.mark.parametrize(("assignment", "exercise"), EXERCISES)
def test_visible_and_hidden_cases_both_exist(assignment: str, exercise: str) -> None:
    cases = bench(assignment).run(exercise, bench(assignment).solution(exercise)).cases
    assert any(case.hidden for case in cases)
    assert any(not case.hidden for case in cases)
