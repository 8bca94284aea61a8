"""What a class's results say about the exercises: how hard, how well they tell students apart, what went wrong.

Every function gives None where a statistic does not exist (nobody, one student, no spread), never NaN.
"""

import math
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from course_lib.checks.verdict import Outcome
from course_lib.grader.report.data import ClassData, Exercise, Submission

FEW = 10
"""Below this many submissions a correlation is mostly chance, and the page says so."""


@dataclass(frozen=True)
class Summary:
    """A set of scores in a few numbers, all in the scores' own unit (points)."""

    count: int
    mean: float
    median: float
    lowest: float
    highest: float


def summary(scores: Sequence[float]) -> Summary | None:
    """Describe ``scores`` (any number of them, in points); None when there are none."""
    if not scores:
        return None
    return Summary(len(scores), math.fsum(scores) / len(scores), statistics.median(scores), min(scores), max(scores))


def correlation(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Pearson's product-moment correlation of two equally long sequences.

    r = Σ(xᵢ − x̄)(yᵢ − ȳ) / √(Σ(xᵢ − x̄)² · Σ(yᵢ − ȳ)²). With a dichotomous ``x`` it is the point-biserial coefficient.

    Returns:
        r in [−1, 1]; None with fewer than three pairs or when one side has no spread beyond rounding.

    Raises:
        ValueError: when the lengths differ.
    """
    if len(x) != len(y):
        raise ValueError(f"correlation of {len(x)} numbers with {len(y)}: there must be equally many")
    if len(x) < 3 or _constant(x) or _constant(y):
        return None
    x_mean, y_mean = math.fsum(x) / len(x), math.fsum(y) / len(y)
    dx, dy = [a - x_mean for a in x], [b - y_mean for b in y]
    cross = math.fsum(a * b for a, b in zip(dx, dy, strict=True))
    size = math.sqrt(math.fsum(a * a for a in dx)) * math.sqrt(math.fsum(b * b for b in dy))
    return max(-1.0, min(1.0, cross / size))


def _constant(values: Sequence[float]) -> bool:
    return max(values) - min(values) <= 1e-9 * max(1.0, *(abs(v) for v in values))


@dataclass(frozen=True)
class FailedCase:
    """A case of an exercise and how many students did not pass it, of those whose record holds it."""

    title: str
    hidden: bool
    failed: int
    seen: int


@dataclass(frozen=True)
class Item:
    """One exercise as an item of a test.

    Attributes:
        exercise: its name.
        points: what it is worth.
        count: submissions counted.
        mean_share: mean share of its points earned, in [0, 1] (the difficulty index p), None without submissions.
        full: submissions with all of its points.
        partial: submissions with some of them.
        none: submissions with none.
        blank: submissions in which it is not written yet.
        refused: submissions that used a refused function in it.
        discrimination: corrected item-total correlation in [−1, 1], None where it does not exist.
        failed_cases: the cases most often not passed, the most failed first.
    """

    exercise: str
    points: float
    count: int
    mean_share: float | None
    full: int
    partial: int
    none: int
    blank: int
    refused: int
    discrimination: float | None
    failed_cases: tuple[FailedCase, ...]


def item_analysis(data: ClassData, *, most_failed: int = 3) -> tuple[Item, ...]:
    """Classical item analysis of every exercise, in the order of the notebook.

    Counted are the submissions that have a score and hold at least one exercise; one that a submission lacks counts as
    no points. *Discrimination* is the corrected item-total correlation: Pearson's r of the points of the exercise with
    the points of all *other* exercises, so that no exercise is correlated with itself (Henrysson, "Correction of
    item-total correlations in item analysis", Psychometrika 28, 1963). For an exercise that is only passed or not it
    is the point-biserial coefficient with the rest score.

    Args:
        data: one assignment's class.
        most_failed: how many case titles to keep for each exercise.
    """
    counted = [s for s in data.scored if s.exercises]
    earned = {name: [_earned(s, name) for s in counted] for name in data.exercises}
    totals = [math.fsum(points[i] for points in earned.values()) for i in range(len(counted))]
    return tuple(_item(name, data, counted, earned[name], totals, most_failed) for name in data.exercises)


def _earned(submission: Submission, name: str) -> float:
    exercise = submission.exercise(name)
    return 0.0 if exercise is None else exercise.score


def _item(
    name: str,
    data: ClassData,
    counted: Sequence[Submission],
    earned: Sequence[float],
    totals: Sequence[float],
    most_failed: int,
) -> Item:
    handed_in = [exercise for s in counted if (exercise := s.exercise(name)) is not None]
    points = max((e.points for s in data.submissions if (e := s.exercise(name)) is not None), default=0.0)
    full = sum(exercise.full for exercise in handed_in)
    some = sum(exercise.score > 0 and not exercise.full for exercise in handed_in)
    rest = [total - own for total, own in zip(totals, earned, strict=True)]
    return Item(
        exercise=name,
        points=points,
        count=len(counted),
        mean_share=math.fsum(earned) / (len(earned) * points) if earned and points > 0 else None,
        full=full,
        partial=some,
        none=len(counted) - full - some,
        blank=sum(exercise.blank for exercise in handed_in),
        refused=sum(bool(exercise.record.refused) for exercise in handed_in),
        discrimination=correlation(earned, rest),
        failed_cases=_failed_cases(handed_in, most_failed),
    )


def _failed_cases(handed_in: Sequence[Exercise], most: int) -> tuple[FailedCase, ...]:
    """The cases most often not passed by those who wrote something: a stub fails every case and says nothing of any."""
    seen: dict[str, int] = {}
    failed: dict[str, int] = {}
    hidden: dict[str, bool] = {}
    for exercise in handed_in:
        if exercise.blank:
            continue
        for title in dict.fromkeys(case.title for case in exercise.record.cases):
            cases = [case for case in exercise.record.cases if case.title == title]
            seen[title] = seen.get(title, 0) + 1
            failed[title] = failed.get(title, 0) + (not all(case.passed for case in cases))
            hidden[title] = all(case.hidden for case in cases)
    order = sorted((title for title in seen if failed[title]), key=lambda t: -failed[t])
    return tuple(FailedCase(title, hidden[title], failed[title], seen[title]) for title in order[:most])


def discrimination_words(item: Item) -> str:
    """What the item's discrimination says, in plain words.

    The limits are Ebel's rule of thumb (Ebel & Frisbie, "Essentials of Educational Measurement", 5th ed., 1991).
    """
    r = item.discrimination
    if r is None:
        if item.count < 3:
            return "too few submissions to say"
        if item.full == item.count:
            return "everybody has all points: nothing to tell apart"
        if item.none == item.count:
            return "nobody has a point: nothing to tell apart"
        return "no spread: nothing to tell apart"
    if r < 0:
        words = "check this exercise: those who do well elsewhere do worse here"
    elif r < 0.2:
        words = "hardly related to the other exercises"
    elif r < 0.4:
        words = "tells students apart fairly well"
    else:
        words = "tells students apart well"
    return words if item.count >= FEW else f"{words} (few submissions: mostly chance)"


@dataclass(frozen=True)
class Belief:
    """A misconception found in the class, and in whose work."""

    exercise: str
    name: str
    hint: str
    students: tuple[Submission, ...]

    @property
    def count(self) -> int:
        """How many students hold it; each counts once."""
        return len(self.students)


def misconceptions(data: ClassData) -> tuple[Belief, ...]:
    """The misconceptions recognised, the most frequent first; then in the order of the notebook, then by name.

    A student counts once for each exercise and name, however often a record names it. Work without a score counts too.
    """
    holders: dict[tuple[str, str], dict[str, Submission]] = {}
    hints: dict[tuple[str, str], str] = {}
    for submission in data.submissions:
        for exercise in submission.exercises:
            for found in exercise.record.misconceptions:
                key = (exercise.name, found.name)
                hints.setdefault(key, found.hint)
                holders.setdefault(key, {})[submission.student] = submission
    order = {name: place for place, name in enumerate(data.exercises)}
    keys = sorted(holders, key=lambda k: (-len(holders[k]), order[k[0]], k[1]))
    return tuple(Belief(*key, hints[key], tuple(holders[key].values())) for key in keys)


@dataclass(frozen=True)
class LimitMet:
    """A limit that somebody's code met, and in whose work; a process that ended by itself counts as one."""

    name: str
    students: tuple[Submission, ...]
    exercises: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many students met it; each counts once."""
        return len(self.students)


ENDED = "process ended"
"""The name under which code that ended its own process is counted."""
_NAMED = re.compile(r"\((?:a fifth of )?limit ([a-z_]{1,40})\b")


def limits_met(data: ClassData) -> tuple[LimitMet, ...]:
    """The limits that were met in the class, the most frequent first.

    Read from the sentences that the grader says: the notes, and the messages of cases that were cut off.
    """
    students: dict[str, dict[str, Submission]] = {}
    exercises: dict[str, dict[str, None]] = {}
    for submission in data.submissions:
        said = [(name, "") for note in submission.notes for name in _NAMED.findall(note)]
        for exercise in submission.exercises:
            for case in exercise.record.cases:
                if case.outcome is Outcome.CRASHED:
                    said.append((ENDED, exercise.name))
                elif case.outcome in (Outcome.LIMIT, Outcome.TIMED_OUT):
                    said += [(name, exercise.name) for name in _NAMED.findall(case.message)]
        for name, where in said:
            students.setdefault(name, {})[submission.student] = submission
            exercises.setdefault(name, {}).update({where: None} if where else {})
    order = sorted(students, key=lambda name: (-len(students[name]), name))
    return tuple(LimitMet(name, tuple(students[name].values()), tuple(exercises.get(name, {}))) for name in order)
