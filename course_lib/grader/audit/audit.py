"""The audit of assignments: all trials of all exercises, and what they say about the tests."""

import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from course_lib.grader.audit import trials
from course_lib.grader.audit.trials import Known, Mutated
from course_lib.grader.bench import Bench
from course_lib.grader.course import Course, CourseError
from course_lib.grader.grading.batch import Crew, Lost

SEEDS = 1000
"""With how many other draws right solutions of exercises that draw random numbers are run."""
_AT_A_TIME = 50


@dataclass(frozen=True)
class Audited:
    """What the trials of one exercise found.

    Attributes:
        assignment: the assignment's name.
        exercise: the exercise's name.
        known: its misconceptions and alternatives, tried.
        mutated: the mutants of its reference solution, tried.
        explained: survivors that are right, too: change -> why.
        stale: explanations of what is no survivor any more.
        seeds: with how many other draws right solutions were run; 0 where nothing is drawn.
        unlucky: what failed then, a line each.
    """

    assignment: str
    exercise: str
    known: Known
    mutated: Mutated
    explained: dict[str, str] = field(default_factory=dict)
    stale: tuple[str, ...] = ()
    seeds: int = 0
    unlucky: tuple[str, ...] = ()

    @property
    def missed(self) -> tuple[str, ...]:
        """Misconceptions that keep all points."""
        return tuple(
            name for name, cases in self.known.caught_by.items() if not cases and name not in self.known.refused
        )

    @property
    def rejected(self) -> tuple[str, ...]:
        """Alternatives that lose points."""
        return tuple(name for name, kept in self.known.accepted.items() if not kept)

    @property
    def unexplained(self) -> tuple[str, ...]:
        """Mutants that keep all points, and nobody has said why they may."""
        return tuple(change for change in self.mutated.survivors if change not in self.explained)

    @property
    def alone(self) -> dict[str, tuple[str, ...]]:
        """A case's title -> the misconceptions that no other case catches."""
        found: dict[str, tuple[str, ...]] = {}
        for name, cases in self.known.caught_by.items():
            if len(cases) == 1 and name not in self.known.refused:
                found[cases[0]] = (*found.get(cases[0], ()), name)
        return found

    @property
    def idle(self) -> tuple[str, ...]:
        """Cases that catch neither a misconception nor a mutant."""
        useful = {title for cases in self.known.caught_by.values() for title in cases} | set(self.mutated.caught)
        return tuple(title for title in self.known.cases if title not in useful)

    @property
    def sound(self) -> bool:
        """Whether everything wrong loses points and everything right keeps them."""
        return not (self.missed or self.rejected or self.unexplained or self.stale or self.unlucky)


@dataclass(frozen=True)
class Part:
    """A piece of the audit's work, for any process."""

    root: Path
    assignment: str
    exercise: str
    kind: str
    seeds: tuple[int, ...] = ()


def audit(
    root: Path,
    assignments: Sequence[str],
    crew: Crew,
    *,
    seeds: int = SEEDS,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[Audited]:
    """Audit assignments, and yield each exercise in its order when an assignment is done.

    Args:
        root: the course's folder.
        assignments: their names.
        crew: does the work.
        seeds: how many other draws right solutions get.
        say: is told what is done.

    Raises:
        CourseError: when there is no such assignment, or its test cells or trials cannot be run.
    """
    course = Course.at(root)
    for assignment in assignments:
        exercises = Bench(course.source(course.known(assignment))).exercises
        first = [Part(root, assignment, name, kind) for name in exercises for kind in ("known", "mutated")]
        done = dict(_done(crew, first, say))
        drawn = [name for name in exercises if done[name, "known"].random]
        cut = [tuple(range(start, min(start + _AT_A_TIME, seeds + 1))) for start in range(1, seeds + 1, _AT_A_TIME)]
        unlucky: dict[str, list[str]] = {name: [] for name in drawn}
        for (name, _), lines in _done(crew, [Part(root, assignment, e, "seeds", s) for e in drawn for s in cut], say):
            unlucky[name] += lines
        why = explanations(root, assignment)
        for name in exercises:
            known, mutated = done[name, "known"], done[name, "mutated"]
            told = why.pop(name, {})
            yield Audited(
                assignment,
                name,
                known,
                mutated,
                explained={change: told[change] for change in mutated.survivors if change in told},
                stale=tuple(change for change in told if change not in mutated.survivors),
                seeds=seeds if name in drawn else 0,
                unlucky=tuple(unlucky.get(name, ())),
            )
        if why:
            raise CourseError(f"alternatives/{assignment}.toml explains mutants of {', '.join(why)}: no such exercise.")


def explanations(root: Path, assignment: str) -> dict[str, dict[str, str]]:
    """Why surviving mutants are right, too: exercise -> change -> reason, from ``alternatives/<assignment>.toml``.

    Raises:
        CourseError: when the file is not of that form.
    """
    path = root / "alternatives" / f"{assignment}.toml"
    if not path.is_file():
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        return {name: {str(change): _reason(why) for change, why in told.items()} for name, told in found.items()}
    except (tomllib.TOMLDecodeError, AttributeError, ValueError) as error:
        raise CourseError(
            f"{path.name} cannot be read ({error}). It has a table for each exercise, and in it a line for each "
            "surviving mutant: 'the change' = 'why it is right, too'."
        ) from error


def _reason(why: Any) -> str:
    if not isinstance(why, str) or not why.strip():
        raise ValueError(f"{why!r} is no reason")
    return why


def _done(crew: Crew, parts: Sequence[Part], say: Callable[[str], None]) -> Iterator[tuple[tuple[str, str], Any]]:
    for part, found in crew.each(do, parts):
        what = f"{part.assignment}: {part.exercise}"
        if isinstance(found, Lost):
            raise CourseError(f"{what}: the trials cannot be run ({found.why}).")
        say(f"{what}, {_WORDS[part.kind]}")
        yield (part.exercise, part.kind), found


_WORDS = {"known": "misconceptions and alternatives", "mutated": "mutants", "seeds": "other draws"}


def do(part: Part) -> Known | Mutated | list[str]:
    """Do a part of the work."""
    work: dict[str, Callable[..., Any]] = {
        "known": trials.known,
        "mutated": trials.mutated,
        "seeds": partial(trials.failures, seeds=part.seeds),
    }
    done: Known | Mutated | list[str] = work[part.kind](part.root, part.assignment, part.exercise)
    return done
