"""What test cells call: exercises made of cases, judged and explained.

A case is a *scenario*, a function of an implementation that returns raw data; the same scenario runs with the student's
implementation and with a right one, and the results are compared, or a judge looks at what came back. See
:class:`Exercise`.
"""

from course_lib.checks.data import Raised, raises
from course_lib.checks.exercise import Exercise
from course_lib.checks.judging import Finding
from course_lib.checks.misconception import alternative, misconception
from course_lib.checks.scenario import after_call, caught, gradients, noncontiguous, rand, randint, randn

__all__ = [
    "Exercise",
    "Finding",
    "Raised",
    "after_call",
    "alternative",
    "caught",
    "gradients",
    "misconception",
    "noncontiguous",
    "raises",
    "rand",
    "randint",
    "randn",
]
