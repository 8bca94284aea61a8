"""What can stand in a solution cell: the reference, other right ways, known mistakes, and half-done work."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from random import Random

from nbgrader.utils import is_grade, is_solution

from course_lib.checks.misconception import load_variants
from course_lib.grader.course import Course
from course_lib.grader.intake.released import released_view
from course_lib.grader.notebooks import read

_STUB = "raise NotImplementedError()"

# What a student in a hurry writes where the exercise is to build it: accepted nowhere, and said so in the feedback.
_SHORTCUTS = {
    "softmax": "return torch.softmax(z, dim=-1)",
    "dropout": "return F.dropout(x, p, training)",
    "classic_dropout": "return F.dropout(x, p, training) * (1 - p)",
    "affine": "return F.linear(x, W.T, b)",
    "mse_grad": "return torch.autograd.grad(F.mse_loss(pred.requires_grad_(), target), pred)[0]",
}

_WRITTEN = (
    "I start from the definition and take the derivative of each factor; the chain rule gives their product, and where "
    "two paths lead to the same variable the two products are added.",
    "In short: both terms have the same shape, the sum over the examples gives the matrix product, and the constant "
    "factor comes out of the sum. At the minimum both sides are zero, which checks the sign.",
    "I tried it with small numbers first. With N = 1 it is obviously true, and for more examples the loss is a mean, "
    "so its derivative is the mean of the derivatives.",
    "The difference is *where* the factor enters: before the division it is rescaled together with the gradient, after "
    "it it is not. So parameters with a large gradient are treated differently.",
    "Each draw gives another network with shared weights. Averaging makes the variance smaller but leaves the mean.",
    "Because of the chain rule.",
    "I think it is because the expected value stays the same, but I could not show the last step.",
    "see my notebook above :)",
)


@dataclass(frozen=True)
class Exercise:
    """One exercise and the texts that a student might write for it.

    Attributes:
        name: the exercise's name, which is its cell's id.
        stub: the cell as it is handed out.
        right: right implementations, the reference first.
        wrong: known mistakes.
    """

    name: str
    stub: str
    right: tuple[str, ...]
    wrong: tuple[str, ...]

    def half_done(self, random: Random) -> str:
        """A beginning that leads nowhere."""
        return _in_place_of_stub(self.stub, random.choice(("pass  # TODO", "return None  # to be continued", "...")))

    def endless(self) -> str:
        """A loop whose condition never changes."""
        return _in_place_of_stub(self.stub, "step = 0\nwhile step < 10:\n    last = step")

    def deadly(self) -> str:
        """Code that ends its own process."""
        return _in_place_of_stub(self.stub, "import os\nos._exit(1)")

    def not_python(self) -> str:
        """The reference, with a bracket that is not closed."""
        return self.right[0] + "\n\nprint('result:', (1 + 2"

    def noisy(self) -> str:
        """A right answer that warns, prints, and writes to stderr, when its cell runs and whenever it is called."""
        tree = ast.parse(self.right[0])
        loud = 'import sys\nimport warnings\n\nwarnings.warn("really?")\nprint("loading ...", file=sys.stderr)\n'
        function = next((node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)), None)
        if function is None:
            return loud + self.right[0]
        # Before the first statement after the docstring, so that each call is heard.
        documented = len(function.body) > 1 and ast.get_docstring(function) is not None
        body = function.body[1:] if documented else function.body
        lines = self.right[0].splitlines()
        indent = " " * body[0].col_offset
        lines[body[0].lineno - 1 : body[0].lineno - 1] = [f'{indent}print("{function.name} called", file=sys.stderr)']
        return loud + "\n\n" + "\n".join(lines)

    def shortcut(self) -> str | None:
        """The answer that calls torch's own version, where there is an obvious one."""
        line = _SHORTCUTS.get(self.name)
        return _in_place_of_stub(self.stub, line) if line else None


@dataclass(frozen=True)
class Bank:
    """All that students of the sample class may write in an assignment.

    Attributes:
        exercises: in the notebook's order.
        written: id -> text, with the stub, of the written questions.
    """

    exercises: tuple[Exercise, ...]
    written: dict[str, str]

    @classmethod
    def of(cls, course: Course, assignment: str) -> "Bank":
        """Collect it from the source notebook, ``alternatives/`` and ``misconceptions/``."""
        source = read(course.source(assignment))
        stubs = released_view(source)
        right, wrong = (_variants(path(assignment)) for path in (course.alternatives, course.misconceptions))
        exercises: list[Exercise] = []
        written: dict[str, str] = {}
        for cell, stub in zip(source.cells, stubs.cells, strict=True):
            if is_solution(cell):
                name = cell.metadata.nbgrader["grade_id"]
                if is_grade(cell):
                    written[name] = stub.source
                else:
                    answers = (_without_markers(cell.source), *right.get(name, ()))
                    exercises.append(Exercise(name, stub.source, answers, tuple(wrong.get(name, ()))))
        return cls(tuple(exercises), written)


def written_answer(question: str, random: Random) -> str:
    """A written answer of some quality, in its place below the question."""
    return question.replace("YOUR ANSWER HERE", random.choice(_WRITTEN))


def _variants(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for variant in load_variants(path) if path.is_file() else ():
        found.setdefault(variant.exercise, []).append(variant.source.rstrip())
    return found


def _without_markers(source: str) -> str:
    markers = ("BEGIN SOLUTION", "END SOLUTION")
    return "\n".join(line for line in source.splitlines() if not any(marker in line for marker in markers))


def _in_place_of_stub(stub: str, code: str) -> str:
    """The stub with code, indented as it must be, where ``raise NotImplementedError()`` stands first."""

    def indented(found: re.Match[str]) -> str:
        return "\n".join(found.group(1) + line for line in code.splitlines())

    return re.sub(rf"(?m)^([ \t]*){re.escape(_STUB)}", indented, stub, count=1)
