"""The trials of one exercise: everything that is known to be right or wrong, run through its real test cell.

Every function here takes names and paths and returns plain data, so that any process can do a part of the work.
"""

import contextlib
import io
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from course_lib.checks.digest import digest
from course_lib.checks.memory import Memory
from course_lib.checks.misconception import Misconception, Variant, load_misconceptions, load_variants
from course_lib.checks.run import InProcessRunner, Observation
from course_lib.checks.session import Session
from course_lib.grader.audit.mutate import mutants
from course_lib.grader.bench import Bench
from course_lib.grader.course import Course

MUTANT_SECONDS = 2.0
"""How long a case may take with a mutant: many never end, and a right solution takes a hundredth of it."""


@dataclass(frozen=True)
class Known:
    """The misconceptions and alternatives of an exercise, tried.

    Attributes:
        cases: the titles of its cases, in their order.
        hidden: which of them are hidden.
        caught_by: a misconception's name -> the cases that it fails; none when it keeps all points.
        refused: the misconceptions that use what is refused: no case need catch them.
        accepted: an alternative's name -> whether it keeps all points.
        random: whether what the reference solution gives depends on its own random draws.
    """

    cases: tuple[str, ...]
    hidden: frozenset[str]
    caught_by: dict[str, tuple[str, ...]]
    refused: frozenset[str]
    accepted: dict[str, bool]
    random: bool


@dataclass(frozen=True)
class Mutated:
    """The mutants of an exercise's reference solution, tried.

    Attributes:
        number: how many there are.
        survivors: the changes that keep all points.
        alone: a case's title -> mutants that no other case catches.
        caught: a case's title -> how many mutants it catches.
    """

    number: int
    survivors: tuple[str, ...]
    alone: dict[str, int]
    caught: dict[str, int]


def known(root: Path, assignment: str, exercise: str) -> Known:
    """Try an exercise's misconceptions and alternatives."""
    bench, wrong, right = _of(root, assignment)
    using = Session(memory=Memory())
    with _quietly():
        solved = bench.run(exercise, bench.solution(exercise), using=using)
        caught: dict[str, tuple[str, ...]] = {}
        refused = set()
        for one in wrong:
            if one.exercise == exercise:
                result = bench.run(exercise, one.source, using=using)
                caught[one.name] = tuple(case.title for case in result.cases if not case.passed)
                if result.refused:
                    refused.add(one.name)
        accepted = {
            one.name: bench.run(exercise, one.source, using=using).passed for one in right if one.exercise == exercise
        }
    return Known(
        cases=tuple(case.title for case in solved.cases),
        hidden=frozenset(case.title for case in solved.cases if case.hidden),
        caught_by=caught,
        refused=frozenset(refused),
        accepted=accepted,
        random=_is_random(bench, exercise),
    )


def mutated(root: Path, assignment: str, exercise: str) -> Mutated:
    """Try all mutants of an exercise's reference solution."""
    bench, _, _ = _of(root, assignment)
    using = Session(memory=Memory(), runner=InProcessRunner(case_seconds=MUTANT_SECONDS))
    survivors = []
    alone: dict[str, int] = {}
    caught: dict[str, int] = {}
    tried = mutants(bench.solution(exercise))
    with _quietly():
        for mutant in tried:
            result = bench.run(exercise, mutant.text, using=using)
            failed = [case.title for case in result.cases if not case.passed]
            if result.passed:
                survivors.append(mutant.change)
            for title in failed:
                caught[title] = caught.get(title, 0) + 1
            if len(failed) == 1:
                alone[failed[0]] = alone.get(failed[0], 0) + 1
    return Mutated(len(tried), tuple(survivors), alone, caught)


def failures(root: Path, assignment: str, exercise: str, seeds: Sequence[int]) -> list[str]:
    """Run right solutions with other random draws: the reference and the alternatives by turns, one for each seed.

    Returns:
        What failed, a line each: the seed, whose solution, the case and its message.
    """
    bench, _, right = _of(root, assignment)
    texts = {"the reference": bench.solution(exercise)}
    texts |= {one.name: one.source for one in right if one.exercise == exercise}
    names = list(texts)
    found = []
    with _quietly():
        for seed in seeds:
            name = names[seed % len(names)]
            result = bench.run(exercise, texts[name], seed=seed)
            found += [f"seed {seed}, {name}: {case.title}: {case.message}" for case in result.cases if not case.passed]
    return found


class _Noting(InProcessRunner):
    """Runs scenarios here, and keeps digests of what came."""

    def __init__(self) -> None:
        super().__init__()
        self.digests: list[bytes] = []

    def run(self, *args: Any, **kwargs: Any) -> Observation:
        """Run a scenario; see :class:`course_lib.checks.run.Runner`."""
        seen = super().run(*args, **kwargs)
        self.digests.append(digest(seen.data))
        return seen


def _is_random(bench: Bench, exercise: str) -> bool:
    seen = []
    for seed in (0, 1, 2):
        runner = _Noting()
        with _quietly():
            bench.run(exercise, bench.solution(exercise), seed=seed, using=Session(runner=runner))
        seen.append(runner.digests)
    return any(digests != seen[0] for digests in seen)


@lru_cache(maxsize=1)
def _of(root: Path, assignment: str) -> tuple[Bench, tuple[Misconception, ...], tuple[Variant, ...]]:
    course = Course.at(root)
    wrong = course.misconceptions(assignment)
    right = course.alternatives(assignment)
    return (
        Bench(course.source(course.known(assignment))),
        load_misconceptions(wrong) if wrong.is_file() else (),
        load_variants(right) if right.is_file() else (),
    )


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Wrong code warns and prints: nobody here wants to read it."""
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield
