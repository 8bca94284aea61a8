"""What test cells call: exercises made of cases, judged and explained.

A case is a *scenario*, a function of an implementation that returns raw data; the same scenario runs with the student's
implementation and with a right one, and the results are compared, or a judge looks at what came back. See
:class:`Exercise`.

In scenarios: :func:`after_call` (purity), :func:`caught` (a refused argument), :func:`gradients` (a live graph),
:func:`noncontiguous`, and data from generators of their own, :func:`randn`, :func:`rand`, :func:`randint`. In judges:
:class:`Finding`, and :mod:`chance` for what is random. In ``expected=``: :func:`raises`.
"""

from course_lib.checks import chance
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
    "chance",
    "gradients",
    "misconception",
    "noncontiguous",
    "raises",
    "rand",
    "randint",
    "randn",
]
