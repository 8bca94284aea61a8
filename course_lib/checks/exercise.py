"""An exercise: cases stated in a test cell, run, judged and turned into points.

A test cell reads like its specification::

    tests = checks.Exercise("softmax", points=4, reference=lambda z: torch.softmax(z, -1), refused=["softmax"])
    tests.case("a worked example", lambda f: f(torch.tensor([0.0, math.log(3.0)])), expected=torch.tensor([0.25, 0.75]))
    tests.case("random logits", lambda f: [f(z) for z in many_logits()], weight=2)
    tests.score()
"""

import linecache
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import FrameType
from typing import Any, NamedTuple

from course_lib.checks import render
from course_lib.checks.compare import Tolerance
from course_lib.checks.data import own_kinds, plain
from course_lib.checks.describe import describe
from course_lib.checks.digest import digest
from course_lib.checks.judging import (
    UNSET,
    Case,
    Judge,
    Verdict,
    case_result,
    is_stub,
    judge,
    same_mistake,
)
from course_lib.checks.misconception import Misconception
from course_lib.checks.refused import Group, group
from course_lib.checks.run import InProcessRunner, Observation, cell_source
from course_lib.checks.scenario import Implementation, Scenario
from course_lib.checks.session import Session, current
from course_lib.checks.syntax import find_refused
from course_lib.checks.verdict import CaseResult, ExerciseResult, Outcome, Recognised
from course_lib.checks.watch import vaguely


class _Judged(NamedTuple):
    """One case with all that was found out about it."""

    case: Case
    seed: int
    right: Any
    seen: Observation
    verdict: Verdict


class Exercise:
    """The cases of one exercise.

    Args:
        name: the contract's name; the implementation is what the notebook calls so when :meth:`score` runs.
        points: what the exercise is worth, equal to the test cell's nbgrader points.
        reference: a right implementation, for the cases that bring no judge of their own.
        refused: groups of built-ins that may not be used (:data:`course_lib.checks.refused.GROUPS`).
        namespace: where to look the name up; by default the globals of the calling cell.

    Raises:
        ValueError: for points that are not positive, or an unknown group.
    """

    def __init__(
        self,
        name: str,
        *,
        points: float,
        reference: Implementation | None = None,
        refused: Sequence[str] = (),
        namespace: Mapping[str, Any] | None = None,
    ) -> None:
        if not (math.isfinite(points) and points > 0):
            raise ValueError(f"the points of {name!r} must be a positive number, not {points!r}")
        self.name = name
        self.points = float(points)
        self.reference = reference
        self.refused: tuple[Group, ...] = tuple(group(key) for key in refused)
        self.namespace = sys._getframe(1).f_globals if namespace is None else namespace
        self.cases: list[Case] = []
        self.result: ExerciseResult | None = None

    def case(
        self,
        title: str,
        scenario: Scenario,
        *,
        expected: Any = UNSET,
        judge: Judge | None = None,
        reference: Implementation | None = None,
        like: Any = UNSET,
        weight: float = 1.0,
        rtol: float | None = None,
        atol: float | None = None,
        why: str = "",
    ) -> None:
        """State a case.

        Args:
            title: what it shows, in a few words; unique within the exercise.
            scenario: a function of an implementation that returns raw data.
            expected: the right result, literally.
            judge: a predicate on the raw result; ``None`` from it means right.
            reference: a right implementation for this case instead of the exercise's.
            like: data of the form that a result must have before ``judge`` sees it; by default the reference's result.
            weight: the case's share in the points, relative to the others.
            rtol: relative tolerance; by default that of the dtype.
            atol: absolute tolerance; by default that of the dtype.
            why: the likely reason when it fails, where the comparison itself finds none.

        Raises:
            ValueError: when the title is taken, the weight is not positive, or nothing judges the case.
        """
        if any(case.title == title for case in self.cases):
            raise ValueError(f"{self.name}: two cases are called {title!r}")
        if not (math.isfinite(weight) and weight > 0):
            raise ValueError(f"{self.name}, {title!r}: the weight must be a positive number, not {weight!r}")
        if expected is UNSET and judge is None and (reference or self.reference) is None:
            raise ValueError(f"{self.name}, {title!r}: give the case `expected`, `judge` or a `reference`")
        self.cases.append(
            Case(
                title=title,
                scenario=scenario,
                expected=expected,
                judge=judge,
                reference=reference or self.reference,
                like=like,
                weight=float(weight),
                tolerance=Tolerance(rtol, atol),
                why=why,
                hidden=_is_hidden(sys._getframe(1)),
            )
        )

    def score(self) -> float:
        """Run every case, show the table, and return the points: the value of the test cell.

        Returns:
            A plain float in [0, points]: all of them exactly when every case passed.
        """
        session = current()
        self.result = self.run(self.namespace.get(self.name), session)
        if session.sink is not None:
            session.sink(self.result)
        if session.show:
            render.show(self.result)
        return self.result.score

    def run(self, implementation: Any, session: Session) -> ExerciseResult:
        """Run every case with an implementation; the same work as :meth:`score`, without its table.

        Args:
            implementation: a function or class; anything that cannot be called counts as missing.
            session: who checks, and how.
        """
        if not self.cases:
            raise ValueError(f"the exercise {self.name!r} states no case: nothing was checked")
        if not callable(implementation):
            return self._missing(implementation)
        used = find_refused(cell_source(implementation), self.name, self.refused)
        judged: list[_Judged] = []
        for number, case in enumerate(self.cases):
            seed = session.seed + 1000 * number
            # The reference first: it must not see what the student's code leaves behind.
            right = self._kept(session, case, seed, "right", partial(self._right, case, seed))
            seen = session.runner.run(
                case.scenario, implementation, name=self.name, seed=seed, refused=self.refused, hidden=case.hidden
            )
            if case.hidden:
                # Shown whatever else is shown of the case, and who has read its scenario could put its words here.
                seen = replace(seen, refused=tuple(dict.fromkeys(map(vaguely, seen.refused))))
            verdict = self._verdict(session, case, seed, seen, right)
            known = set(map(vaguely, used))
            used.extend(entry for entry in seen.refused if vaguely(entry) not in known)
            judged.append(_Judged(case, seed, right, seen, verdict))
        recognised = self._recognise(judged, session) if not used else ()
        return ExerciseResult(
            self.name,
            self.points,
            tuple(case_result(j.case, j.seen, j.verdict, self.name) for j in judged),
            tuple(used),
            recognised,
        )

    def _missing(self, found: Any) -> ExerciseResult:
        what = (
            f"{self.name} does not exist. Run the cell that defines it; if it stopped with an error, mend that first."
            if found is None
            else f"{self.name} is {describe(plain(found))}, not a function or a class. "
            "Was the name used for something else?"
        )
        return ExerciseResult(
            self.name,
            self.points,
            tuple(CaseResult(c.title, Outcome.MISSING, c.hidden, c.weight, what, reason=c.why) for c in self.cases),
        )

    def _kept(self, session: Session, case: Case, seed: int, whose: str, make: Callable[[], Any]) -> Any:
        return make() if session.memory is None else session.memory.get((self.name, case.title, seed, whose), make)

    def _verdict(self, session: Session, case: Case, seed: int, seen: Observation, right: Any) -> Verdict:
        """The verdict on an observation. A judge is a function of the data: the same data need not be judged twice."""
        if session.memory is None:
            return judge(case, seen, right)
        key = ("verdict", self.name, case.title, seed, seen.stopped, digest(seen.data))
        verdict: Verdict = session.memory.recently(key, partial(judge, case, seen, right))
        return verdict

    def _right(self, case: Case, seed: int) -> Any:
        """What is right for a case, as data: literal, or by the reference; ``UNSET`` when only a judge knows."""
        if case.expected is not UNSET:
            return plain(case.expected)
        if case.judge is not None and case.like is not UNSET:
            return plain(case.like)
        if case.reference is None:
            return UNSET
        seen = InProcessRunner(case_seconds=600).run(case.scenario, case.reference, name=self.name, seed=seed)
        if seen.stopped is not None:
            # Were this an expectation, whoever fails as the broken reference does would earn the points.
            raise RuntimeError(
                f"{self.name}, {case.title!r}: the reference itself {seen.stopped.value}: {describe(seen.data)}. "
                "A case that expects an exception says so: checks.caught in the scenario, or expected=checks.raises(…)."
            )
        # An exception that the scenario caught is met by its class and what derives from it, not by any exception.
        return own_kinds(seen.data)

    def _recognise(self, judged: Sequence[_Judged], session: Session) -> tuple[Recognised, ...]:
        """Find misconceptions whose results equal the student's wherever the student is wrong, and only there."""
        wrong = [j for j in judged if not j.verdict.right]
        if not wrong or all(is_stub(j.seen) for j in wrong):
            return ()  # code that is not written yet holds no misconception
        failures_first = sorted(judged, key=lambda j: j.verdict.right)  # they tell most, so most are out at once
        known = [m for m in session.misconceptions if m.exercise == self.name]
        return tuple(Recognised(m.name, m.hint) for m in known if self._equals(m, failures_first, session))

    def _equals(self, wrong: Misconception, judged: Sequence[_Judged], session: Session) -> bool:
        runner = InProcessRunner(case_seconds=5.0)
        for j in judged:
            theirs, its = self._kept(
                session, j.case, j.seed, f"misconception {wrong.name}", partial(_try, runner, wrong, j)
            )
            if its.right != j.verdict.right:
                return False
            if not its.right and not same_mistake(j.seen, j.verdict, theirs, its, j.case.tolerance):
                return False
        return True


def _try(runner: InProcessRunner, wrong: Misconception, j: _Judged) -> tuple[Observation, Verdict]:
    """What a misconception gives for a case, and what is to be said of it."""
    theirs = runner.run(j.case.scenario, wrong.implementation, name=wrong.exercise, seed=j.seed)
    its = judge(j.case, theirs, j.right)
    # A finding is compared by its kind alone: the numbers behind it, often many thousands, are not needed again.
    return (replace(theirs, data=None) if its.finding is not None and theirs.stopped is None else theirs), its


def _is_hidden(frame: FrameType) -> bool:
    """Whether the line that states a case stands between nbgrader's hidden-test markers."""
    inside = False
    for line in linecache.getlines(frame.f_code.co_filename)[: frame.f_lineno]:
        if "BEGIN HIDDEN TESTS" in line:
            inside = True
        elif "END HIDDEN TESTS" in line:
            inside = False
    return inside
