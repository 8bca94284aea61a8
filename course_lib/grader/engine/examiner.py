"""The examiner: runs a rebuilt notebook, its tests on this side and the student's cells on the other.

Test cells are the source's own text and run here, in the trusted process. What they ask of the student's code goes to
the candidate process as scenarios, and only data come back (:mod:`course_lib.grader.engine.remote`). A test cell
written without ``course_lib.checks`` works too, as long as it calls the student's functions with plain data and gets
plain data back.
"""

import ast
import builtins
import contextlib
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import CodeType
from typing import Any

from nbformat import NotebookNode
from nbgrader.utils import is_solution

from course_lib.candidate.limits import Limits
from course_lib.checks.data import Opaque, Raised, plain
from course_lib.checks.memory import Memory
from course_lib.checks.misconception import Misconception
from course_lib.checks.refused import Group
from course_lib.checks.render import bundle
from course_lib.checks.run import seeded
from course_lib.checks.session import Session, session
from course_lib.checks.verdict import ExerciseResult
from course_lib.checks.verdict import Outcome as CaseOutcome
from course_lib.grader.annotations import add_notes, set_seconds
from course_lib.grader.engine.blank import BlankRunner, defined, stub_of
from course_lib.grader.engine.outputs import error_output, from_answer
from course_lib.grader.engine.processes import CandidateLost, EngineError, Server
from course_lib.grader.engine.remote import RemoteRunner, Submitted
from course_lib.grader.engine.roles import Names, Role, names_in, needed_extras, role_of
from course_lib.grader.engine.sitting import OutOfTime, Sitting
from course_lib.grader.engine.unwatched import needs_no_watch
from course_lib.grader.intake.match import label
from course_lib.grader.intake.rebuild import is_own
from course_lib.grader.notebooks import new_output, node, remember_text

TIMED_OUT = "CellTimeout"
"""The name of the error recorded in a cell that was cut off at its time limit."""
DIED = "ProcessEnded"
"""The name of the error recorded in a cell whose process ended while it ran."""
NOT_RUN = "OutOfTime"
"""The name of the error recorded in cells for which no time was left."""


_FULL_CELLS = 10
"""A notebook's outputs may have as many characters as those of so many cells that have all they may."""

MAX_ALL_CODE = 500_000
"""Characters of a submission's code that are run: looking through all of it is work that no clock of its own stops."""


class BrokenTest(Exception):
    """A test cell of the course failed by itself: no student's fault, and no score."""


class CallFailed(Exception):
    """Raised in a plain test cell when the student's function that it called did not return."""


@dataclass
class Paper:
    """An assignment as the examiner knows it: made once, used for every submission.

    Attributes:
        misconceptions: wrong implementations to recognise.
        memory: what is the same for every submission.
        limits: the limits for an exercise's name; for ``""`` those of the whole submission.
        extras: whether the source's pictures and experiments run though nothing needs them.
    """

    misconceptions: Sequence[Misconception] = ()
    memory: Memory = field(default_factory=Memory)
    limits: Callable[[str], Limits] = lambda exercise: Limits()
    extras: bool = False

    def __post_init__(self) -> None:
        self._given: dict[str, dict[str, Any]] = {}
        self._compiled: dict[tuple[str, str], tuple[CodeType, CodeType | None]] = {}

    def namespace(self, cells: Sequence[NotebookNode]) -> dict[str, Any]:
        """Fresh globals for test cells, with what the source's given cells define."""
        text = "\n".join(cell.source for cell in cells)
        if text not in self._given:
            space: dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins}
            for cell in cells:
                try:
                    self.run(cell, space)
                except Exception as error:
                    raise BrokenTest(f"the cell {label(cell)} fails where tests run ({_said(error)})") from error
            self._given[text] = space
        return dict(self._given[text])

    def run(self, cell: NotebookNode, space: dict[str, Any]) -> Any:
        """Run a cell of the source here; returns the value of its last expression, or None."""
        key = (str(cell.get("id", "")), cell.source)
        if key not in self._compiled:
            self._compiled[key] = _compile(cell)
        body, last = self._compiled[key]
        with seeded(0):
            exec(body, space)
            return None if last is None else eval(last, space)


def examine(
    nb: NotebookNode, paper: Paper, server: Server, *, assignment: str = "", files: Mapping[str, bytes] | None = None
) -> list[ExerciseResult]:
    """Run a rebuilt notebook, and put into its cells what came of it.

    Args:
        nb: what :func:`course_lib.grader.intake.rebuild.rebuild` made; its outputs and execution counts are filled in.
        paper: the assignment.
        server: starts processes for the student's code.
        assignment: its name, for messages.
        files: what was handed in beside the notebook: name -> content.

    Returns:
        The record of every exercise, in order.

    Raises:
        BrokenTest: when a test cell fails by itself, whatever the student did.
        EngineError: when the grader's own processes failed.
    """
    with Sitting(server, paper.limits(""), dict(files or {})) as sitting:
        run = _Examination(nb, paper, sitting)
        server.expect(run.text)
        run.all_cells()
        if sitting.restarts:
            times = f"{sitting.restarts} time{'s' * (sitting.restarts > 1)}"
            add_notes(nb, [f"The process that ran this notebook was lost or cut off, and replaced {times}."])
        set_seconds(nb, sitting.seconds)
        return run.results


class _Examination:
    def __init__(self, nb: NotebookNode, paper: Paper, sitting: Sitting) -> None:
        self.nb = nb
        self.paper = paper
        self.sitting = sitting
        self.results: list[ExerciseResult] = []
        self.roles = [role_of(cell) for cell in nb.cells]
        self.names = _NamesOnce()
        _leave_out_code(nb, self.roles)
        self.needed = needed_extras(nb.cells, self.names.of)
        tested = set().union(
            *(self.names.of(c.source).read for c, r in zip(nb.cells, self.roles, strict=True) if r is Role.TEST)
        )
        given = [
            cell
            for index, (cell, role) in enumerate(zip(nb.cells, self.roles, strict=True))
            if role is Role.GIVEN or (index in self.needed and self.names.of(cell.source).bound & tested)
        ]
        self.space = paper.namespace(given)
        self.sources: list[str] = []
        self.given: set[str] = set()
        # A thousand cells of one's own, each with as much output as a cell may have, would fill memories and disks.
        self.room = _FULL_CELLS * paper.limits("").output_chars
        # By their text: a test that a student's function has stopped half-way leaves none of its names to students.
        self.tests_own: set[str] = set()

    @property
    def text(self) -> str:
        """The text of all that is going to run: the student's cells, and the tests with their scenarios."""
        return "\n".join(
            cell.source
            for index, (cell, role) in enumerate(zip(self.nb.cells, self.roles, strict=True))
            if role is Role.TEST or self._is_candidates(index)
        )

    def all_cells(self) -> None:
        for index, (cell, role) in enumerate(zip(self.nb.cells, self.roles, strict=True)):
            if role is Role.TEST:
                self._test(cell)
            elif role is not None and self._is_candidates(index):
                self._candidates(cell, role)

    def _is_candidates(self, index: int) -> bool:
        role = self.roles[index]
        if role in (None, Role.TEST):
            return False
        return role is not Role.EXTRA or self.paper.extras or index in self.needed

    def _candidates(self, cell: NotebookNode, role: Role) -> None:
        """Run a cell in the student's process."""
        limits = self.paper.limits(_exercise(cell))
        if role is Role.STUDENT:
            self.sources.append(cell.source)
        else:
            self.given |= self.names.of(cell.source).bound
        try:
            answer = self.sitting.run_cell(cell.source, limits)
        except OutOfTime:
            spent = f"{self.sitting.limits.submission_seconds:g} s (limit submission_seconds)"
            cell.outputs = [error_output(NOT_RUN, f"not run: the cells before it used up the notebook's {spent}")]
        except CandidateLost as lost:
            if lost.late:
                message = (
                    f"this cell was cut off after {limits.cell_seconds:g} s (limit cell_seconds); its output is lost"
                )
            else:
                message = f"this cell ended the process that ran it ({lost}); its output is lost"
            cell.outputs = [error_output(TIMED_OUT if lost.late else DIED, message)]
            add_notes(self.nb, [f"The cell {label(cell)}: {message}. The cells after it ran in a fresh process."])
        else:
            cell.outputs, count = from_answer(answer, min(limits.output_chars, self.room))
            self.room -= len(str(cell.outputs))
            cell.execution_count = count or None

    def _test(self, cell: NotebookNode) -> None:
        """Run a test cell here."""
        exercise = _exercise(cell)
        limits = self.paper.limits(exercise)
        names = self.names.of(cell.source)
        self.tests_own |= names.bound - names.read
        read = self._students(names.read)
        # What is right can hang on another of the student's functions: then it is not the same for the next student.
        memory = Memory() if read else self.paper.memory
        runner = RemoteRunner(self.sitting, limits, memory, str(cell.get("id", exercise)), unwatched=self._unwatched)
        # Which lines of a plain test cell are hidden cannot be told when it calls, so one hidden line hides all.
        calls = _Calls(runner, hidden="BEGIN HIDDEN TESTS" in cell.source)
        found: list[ExerciseResult] = []
        here = Session(
            misconceptions=self.paper.misconceptions,
            runner=runner,
            show=False,
            sink=found.append,
            memory=memory,
        )
        stub = None if read else self._stub(exercise)
        if stub is not None:
            memory = self.paper.memory
            here = replace(here, runner=BlankRunner(stub, memory, str(cell.get("id", exercise))), memory=memory)
        theirs = {exercise: stub} if stub is not None else self._students_names(cell, calls)
        space = {**self.space, **theirs}
        printed = io.StringIO()
        outputs: list[NotebookNode] = []
        value = None
        try:
            with session(here), contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                value = self.paper.run(cell, space)
        except EngineError:
            raise
        except Exception as error:
            # Only what a test asked of the student's code directly, or took from it, can make the test itself stop.
            if not (calls.made or isinstance(error, NameError) or _upset_by(read, theirs, error)):
                raise BrokenTest(f"the test cell {label(cell)} fails by itself ({_said(error)})") from error
            outputs = [error_output(type(error).__name__, str(error)[:2000])]
        self.space.update({name: item for name, item in space.items() if name not in theirs})
        if printed.getvalue():
            outputs.insert(0, new_output("stream", name="stdout", text=printed.getvalue()[: limits.output_chars]))
        for result in found:
            outputs.append(new_output("display_data", data=node(bundle(result)), metadata=node()))
        if value is not None and not any(output.output_type == "error" for output in outputs):
            data = node({"text/plain": repr(value)})
            outputs.append(new_output("execute_result", data=data, metadata=node(), execution_count=1))
        cell.outputs = outputs
        self.results += found

    def _unwatched(self, refused: Sequence[Group]) -> bool:
        return needs_no_watch(self.sources, refused, self.given)

    def _stub(self, exercise: str) -> Any:
        """What the stub of an exercise defines, when it was left as it was handed out; else None."""
        text = stub_of(exercise, self.nb.cells, self.sources)
        found = None if text is None else defined(exercise, text, self.space)
        return found if callable(found) else None

    def _students_names(self, cell: NotebookNode, calls: "_Calls") -> dict[str, Any]:
        """What a test cell wants of the student's: functions, which run elsewhere, and data."""
        names = self.names.of(cell.source)
        wanted = self._students(names.read | names.quoted)
        # Student code can read what it is asked for: of hidden lines, only names that stand in its own text.
        visible = self.names.of(_without_hidden(cell.source))
        known = visible.read | visible.quoted | {_exercise(cell)}
        known = known.union(*(self.names.of(source).bound for source in self.sources))
        found: dict[str, Any] = {}
        try:
            kinds = self.sitting.look(sorted(wanted & known), self.paper.limits(_exercise(cell)))
        except (CandidateLost, OutOfTime):
            # Nobody to ask. Each case will say so in its own words, so the names are there.
            solved = set().union(*(self.names.of(c.source).bound for c in self.nb.cells if is_solution(c)))
            kinds = {name: "callable" for name in wanted if name in solved}
        for name, kind in kinds.items():
            if kind == "callable":
                found[name] = calls.function(name, self._source_of(name))
            elif type(kind) is list and len(kind) == 2:
                found[name] = plain(kind[1])
        return found

    def _source_of(self, name: str) -> str:
        """The student's text as far as it may define a name: the last cell that binds it first, so its lines count."""
        own = next((source for source in reversed(self.sources) if name in self.names.of(source).bound), None)
        if own is None:
            return "\n".join(self.sources)
        others = (source for source in self.sources if source is not own and self.names.of(source).python)
        return "\n".join([own, *others])

    def _students(self, names: Iterable[str]) -> set[str]:
        """Which of these names can only be the student's: neither Python's, nor the source's, nor an earlier test's."""
        return set(names) - set(self.space) - self.tests_own - set(vars(builtins))


class _NamesOnce:
    """The names in each text, looked for once in a submission: each test asks for those in all of the student's."""

    def __init__(self) -> None:
        self._known: dict[str, Names] = {}

    def of(self, source: str) -> Names:
        """What :func:`names_in` says of a text."""
        if source not in self._known:
            self._known[source] = names_in(source)
        return self._known[source]


class _Calls:
    """Functions of the student's that a plain test cell may call; each call is a scenario."""

    def __init__(self, runner: RemoteRunner, *, hidden: bool) -> None:
        self.runner = runner
        self.hidden = hidden
        self.made = 0

    def function(self, name: str, source: str) -> Submitted:
        """Stands for the student's function of this name."""
        return _Callable(name, source, self)

    def call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self.made += 1

        def scenario(f: Any) -> Any:
            return f(*args, **kwargs)

        seen = self.runner.run_once(scenario, name=name, hidden=self.hidden)
        if seen.stopped is CaseOutcome.RAISED and type(seen.data) is Raised:
            kind = getattr(builtins, seen.data.kind, None)
            if isinstance(kind, type) and issubclass(kind, Exception):
                raise kind(seen.data.message)
            raise CallFailed(f"{seen.data.kind}: {seen.data.message}")
        if seen.stopped is not None:
            raise CallFailed(f"{name}: {seen.stopped.value}: {seen.data.message}")
        if type(seen.data) is Opaque:
            raise CallFailed(f"{name} returned {seen.data.kind}, which is not plain data")
        return seen.data


class _Callable(Submitted):
    def __init__(self, name: str, source: str, calls: _Calls) -> None:
        super().__init__(name, source)
        object.__setattr__(self, "_calls", calls)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the student's function, in its process."""
        calls: _Calls = self._calls  # type: ignore[attr-defined]
        return calls.call(self.name, args, kwargs)


def _compile(cell: NotebookNode) -> tuple[CodeType, CodeType | None]:
    """A cell's code, its last expression apart. The file's name lets `checks` look the text up, and says nothing."""
    filename = f"<{label(cell)}>"
    text = str(cell.source)
    remember_text(filename, text)
    try:
        tree = ast.parse(text, filename)
    except (SyntaxError, ValueError) as error:
        raise BrokenTest(f"the cell {label(cell)} is not Python ({_said(error)})") from error
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = compile(ast.Expression(tree.body.pop().value), filename, "eval")  # type: ignore[attr-defined]
    return compile(tree, filename, "exec"), last


def _leave_out_code(nb: NotebookNode, roles: Sequence[Role | None]) -> None:
    """Put an error in place of the student's cells for which there is no room; answers come before cells of one's own.

    Their text goes too: what comes after this reads and colours it.
    """
    students = [cell for cell, role in zip(nb.cells, roles, strict=True) if role is Role.STUDENT]
    total, left, gone = sum(len(cell.source) for cell in students), MAX_ALL_CODE, []
    for cell in sorted(students, key=is_own):
        if len(cell.source) <= left:
            left -= len(cell.source)
        else:
            gone.append(label(cell))
            cell.source = f'raise ValueError("Not run: this notebook has more than {MAX_ALL_CODE} characters of code.")'
    if gone:
        some = f"{', '.join(gone[:5])}{' and others' * (len(gone) > 5)}"
        more = f"{total} characters of code, more than {MAX_ALL_CODE}"
        add_notes(nb, [f"The submission held {more}; cells for which there was no room were not run: {some}."])


def _without_hidden(source: str) -> str:
    """A test cell's text as students have it."""
    kept, inside = [], False
    for line in source.splitlines():
        inside = inside or "BEGIN HIDDEN TESTS" in line
        if not inside:
            kept.append(line)
        inside = inside and "END HIDDEN TESTS" not in line
    return "\n".join(kept)


def _upset_by(read: Iterable[str], theirs: Mapping[str, Any], error: Exception) -> bool:
    """Whether an error in a test cell may come of what it reads of the student's: something missing, or data."""
    functions = [isinstance(theirs.get(name), Submitted) for name in read]
    return not all(functions) or (bool(functions) and isinstance(error, TypeError))


def _exercise(cell: NotebookNode) -> str:
    return label(cell).removeprefix("test_")


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".strip(": ")[:500]
