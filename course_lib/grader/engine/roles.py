"""What each code cell of a rebuilt notebook is for, and on which side it runs.

Tests run on the trusted side. The student's cells, and what the source gives them to build on, run in the candidate.
The source's pictures and experiments earn nothing and take most of a notebook's time, so they run only where something
else needs a name that they define, or when the instructor wants them in the graded notebook.
"""

import ast
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from types import CodeType

from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_locked, is_solution

from course_lib.checks.syntax import instructions
from course_lib.grader.intake.rebuild import is_own


class Role(Enum):
    """What a code cell is for."""

    STUDENT = "student"
    """The student's text: a solution cell, or one that the student added."""
    GIVEN = "given"
    """The source's text that others build on: locked cells (imports, data)."""
    EXTRA = "extra"
    """The source's text that earns nothing: pictures, experiments, worked examples."""
    TEST = "test"
    """A locked test cell with points."""


def role_of(cell: NotebookNode) -> Role | None:
    """The role of a cell; None for what does not run."""
    if cell.cell_type != "code" or not cell.source.strip():
        return None
    if is_solution(cell) or is_own(cell):
        return Role.STUDENT
    if is_grade(cell):
        return Role.TEST
    return Role.GIVEN if is_locked(cell) else Role.EXTRA


def needed_extras(cells: list[NotebookNode], names_of: "Callable[[str], Names] | None" = None) -> set[int]:
    """Which of the cells with role EXTRA define a name that another cell that runs uses. Returns their indices.

    Args:
        cells: those of a rebuilt notebook.
        names_of: :func:`names_in`, or one that knows many of its answers already.
    """
    names_of = names_of or names_in
    roles = [role_of(cell) for cell in cells]
    wanted: set[str] = set()
    for cell, role in zip(cells, roles, strict=True):
        if role in (Role.STUDENT, Role.GIVEN, Role.TEST):
            wanted |= names_of(cell.source).read
    needed: set[int] = set()
    # Backwards: what a needed cell itself uses was defined before it.
    for index in reversed(range(len(cells))):
        names = names_of(cells[index].source) if roles[index] is Role.EXTRA else _NONE
        if names.bound & wanted:
            needed.add(index)
            wanted |= names.read
    return needed


@dataclass(frozen=True)
class Names:
    """The names in a cell.

    Attributes:
        bound: what it defines at its top level.
        read: what it reads that it has not defined by then: other cells must have.
        quoted: texts in it that could be names.
        python: whether it is Python (magics left out).
    """

    bound: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()
    quoted: frozenset[str] = frozenset()
    python: bool = True


_NONE = Names()


@lru_cache(maxsize=500)  # the source's cells come with every submission
def names_in(source: str) -> Names:
    """The names in a cell; none when it is not Python."""
    # Magics are IPython's, not Python's; without their lines the rest can be read.
    lines = ["" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines()]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile("\n".join(lines), "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Names(python=False)
    bound: set[str] = set()
    read: set[str] = set()
    for instruction in instructions(code):
        if instruction.opname in ("STORE_NAME", "STORE_GLOBAL"):
            bound.add(instruction.argval)
        elif instruction.opname in ("LOAD_NAME", "LOAD_GLOBAL") and instruction.argval not in bound:
            read.add(instruction.argval)
    quoted: set[str] = set()
    for inner in _inside(code):
        quoted |= {value for value in inner.co_consts if isinstance(value, str) and value.isidentifier()}
        if inner is not code:
            loads = {i.argval for i in instructions(inner) if i.opname in ("LOAD_NAME", "LOAD_GLOBAL")}
            read |= loads - bound
    return Names(frozenset(bound), frozenset(read), frozenset(quoted))


def _inside(code: CodeType) -> Iterator[CodeType]:
    """A code object and all that is nested in it. No recursion: the compiler nests deeper than Python's own stack."""
    waiting = [code]
    while waiting:
        inner = waiting.pop()
        yield inner
        waiting.extend(constant for constant in inner.co_consts if isinstance(constant, CodeType))
