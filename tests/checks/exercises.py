"""Small exercises, and what came of them."""

import torch

from course_lib import checks
from course_lib.checks.run import InProcessRunner
from course_lib.checks.session import Session
from course_lib.checks.verdict import ExerciseResult


def softmax(z):
    return torch.softmax(z, -1)


def exercise(*, points=4.0, refused=(), **more):
    return checks.Exercise("f", points=points, refused=refused, **more)


def run(made, implementation, **more) -> ExerciseResult:
    return made.run(implementation, Session(**{"show": False, "runner": InProcessRunner(20), **more}))


def doubling(points=3.0):
    made = exercise(points=points, reference=lambda x: 2 * x)
    for n in (0, 2, 3):
        made.case(f"twice {n}", lambda f, n=n: f(n))
    return made


def outcomes(result):
    return [case.outcome.value for case in result.cases]


def refusing(**more):
    made = exercise(**more)
    made.case(
        "valid and invalid",
        lambda f: [f(0.5), checks.caught(f, 1.5), checks.caught(f, -1)],
        **({} if "reference" in more else {"expected": [0.5, checks.raises(ValueError), checks.raises(ValueError)]}),
    )
    return made


def raising(error):
    def f(p):
        if not 0 <= p <= 1:
            raise error
        return p

    return f
