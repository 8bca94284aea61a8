"""Exercises that were left as they were handed out.

A stub is the course's own text, and it does the same for everybody: its cases are run on the trusted side, once for the
whole class, and no process is asked.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from nbformat import NotebookNode
from nbgrader.utils import is_solution

from course_lib.checks.memory import Memory
from course_lib.checks.refused import Group
from course_lib.checks.run import InProcessRunner, Observation
from course_lib.checks.scenario import Implementation, Scenario
from course_lib.grader.engine.roles import names_in
from course_lib.grader.intake.rebuild import is_untouched
from course_lib.grader.notebooks import remember_text


class BlankRunner:
    """Runs the cases of a test cell with the stub; see :class:`course_lib.checks.run.Runner`.

    Args:
        stub: what the stub defines.
        memory: keeps what came of it.
        cell: what names the test cell in the memory.
    """

    def __init__(self, stub: Implementation, memory: Memory, cell: str) -> None:
        self._stub = stub
        self._memory = memory
        self._cell = cell

    def run(
        self,
        scenario: Scenario,
        implementation: Implementation,
        *,
        name: str,
        seed: int,
        refused: Sequence[Group] = (),
        hidden: bool = False,
    ) -> Observation:
        """What the stub gives for a scenario."""

        def seen() -> Observation:
            return InProcessRunner().run(scenario, self._stub, name=name, seed=seed, refused=refused)

        known: Observation = self._memory.get(("stub", self._cell, name, seed), seen)
        return known


def stub_of(exercise: str, cells: Sequence[NotebookNode], texts: Sequence[str]) -> str | None:
    """The stub's text, when nothing else in a submission can have to do with an exercise.

    Args:
        exercise: its name.
        cells: those of a rebuilt notebook.
        texts: all of the student's text in it.
    """
    stubs = [
        str(cell.source) for cell in cells if cell.cell_type == "code" and is_solution(cell) and is_untouched(cell)
    ]
    named = re.compile(rf"\b{re.escape(exercise)}\b")
    if any(named.search(text) for text in texts if text not in stubs):
        return None
    return next((stub for stub in stubs if exercise in names_in(stub).bound), None)


def defined(exercise: str, stub: str, namespace: Mapping[str, Any]) -> Any:
    """What a stub defines under the exercise's name; None when it does not run."""
    space = dict(namespace)
    filename = f"<{exercise}>"
    remember_text(filename, stub)
    try:
        exec(compile(stub, filename, "exec"), space)
    except Exception:  # a stub that is not a definition: it stops, as it does for the student
        return None
    return space.get(exercise)
