"""One submission's turn: candidate processes that hold its code, replaced by fresh ones whenever they are lost.

There are two processes. In the open one the student's cells run, and the cases that students may see; whatever it says
may be shown. The hidden cases run in another one, in which the same cells have run: what student code learns from a
hidden scenario, it cannot leave in a file, a name or a variable for a later cell or case to show.

What the student's cells define is brought back in a fresh process by running them again, without those that killed or
hung the one before; so a crash costs the cell or case it happened in, and nothing after it.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any, TypeVar

from course_lib.candidate.limits import Limits
from course_lib.candidate.requests import Files, Look, Request, RunCell
from course_lib.grader.engine.processes import Candidate, CandidateLost, Server

_GRACE = 3.0  # seconds after its own alarm in which a process may still answer, on a busy machine
_ASIDE = 10.0  # seconds for what takes none: writing files, looking names up


T = TypeVar("T")


class OutOfTime(Exception):
    """The submission's time is used up."""


@dataclass
class _Cell:
    """One of the student's cells whose turn has come. Both processes share it."""

    text: str
    limits: Limits


class Sitting:
    """The candidate processes of one submission; see the module.

    Args:
        server: what starts processes.
        limits: the submission's limits.
        files: what was handed in beside the notebook.
    """

    def __init__(self, server: Server, limits: Limits, files: dict[str, bytes] | None = None) -> None:
        self.limits = limits
        self._began = monotonic()
        self._cells: list[_Cell] = []
        self._open = _Process(self, server, self._cells, files or {})
        # What happens in the open one may be told to the hidden one, and nothing the other way round.
        self._hidden = _Process(self, server, self._cells, files or {}, told=self._open.lost)

    @property
    def seconds(self) -> float:
        """How long it has lasted."""
        return monotonic() - self._began

    @property
    def left(self) -> float:
        """The seconds that are left of the submission's time."""
        return self.limits.submission_seconds - self.seconds

    @property
    def restarts(self) -> int:
        """How often a process was lost or cut off, so that a fresh one was needed."""
        return self._open.restarts + self._hidden.restarts

    def run_cell(self, text: str, limits: Limits) -> Any:
        """Run one of the student's cells.

        Returns:
            The candidate's answer, unchecked.

        Raises:
            CandidateLost: when the cell ended or hung the process; the next request meets a fresh one.
            OutOfTime: when no time was left for it.
        """
        self._cells.append(_Cell(text, limits))
        return self._open.bring_up_to_date(limits)

    def ask(self, request: Request, *, seconds: float, limits: Limits, hidden: bool) -> Any:
        """Ask a process that holds the student's code.

        Args:
            request: what to do.
            seconds: how long it may take.
            limits: of the exercise that it belongs to. What a process is given when it starts (memory, say) may be
                otherwise than before; then it is done in a fresh one.
            hidden: whether it tells the process of a hidden case.

        Raises:
            CandidateLost: see :meth:`Candidate.ask`; the next request meets a fresh process.
            OutOfTime: when no time is left.
        """
        return self._process(hidden).ask(request, seconds, limits)

    def look(self, names: Sequence[str], limits: Limits) -> dict[str, Any]:
        """What of these names the student's code defines: name -> ``"callable"``, or a list of ``"data"`` and the data.

        Raises:
            CandidateLost: see :meth:`ask`.
            OutOfTime: see :meth:`ask`.
        """
        found = self._open.ask(Look(tuple(names)), _ASIDE, limits) if names else {}
        return {name: kind for name, kind in found.items() if name in names} if type(found) is dict else {}

    def restart(self, *, hidden: bool) -> None:
        """Go on in a fresh process: something was cut off in this one, and may have left it half done."""
        self._process(hidden).restart()

    def seconds_for(self, wanted: float) -> float:
        """So many seconds, or what is left of the submission's.

        Raises:
            OutOfTime: when nothing is left.
        """
        if self.left <= 0:
            raise OutOfTime
        return min(wanted, self.left)

    def uncounted(self, act: Callable[[], T]) -> T:
        """Do what takes the grader's own time (a warm process may still be importing), none of the submission's."""
        began = monotonic()
        try:
            return act()
        finally:
            self._began += monotonic() - began

    def __enter__(self) -> "Sitting":
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.drop()
        self._hidden.drop()

    def _process(self, hidden: bool) -> "_Process":
        return self._hidden if hidden else self._open


class _Process:
    """One of the two places in which the student's code runs: a candidate, and which cells have run in it.

    Attributes:
        restarts: how often a candidate was lost or cut off, so that a fresh one was needed.
        lost: the numbers of cells that ended or hung a candidate here, and are not run again.
    """

    def __init__(
        self,
        sitting: Sitting,
        server: Server,
        cells: list[_Cell],
        files: dict[str, bytes],
        told: Collection[int] = (),
    ) -> None:
        self.restarts = 0
        self.lost: set[int] = set()
        self._told = told
        self._sitting = sitting
        self._server = server
        self._cells = cells
        self._files = files
        self._limits = sitting.limits
        self._candidate: Candidate | None = None
        self._done = 0

    def ask(self, request: Request, seconds: float, limits: Limits) -> Any:
        while True:
            try:
                self.bring_up_to_date(limits)
                break
            except CandidateLost:
                continue  # a cell ended this one, and is marked as lost: the next one does without it
        return self._ask(request, seconds)

    def bring_up_to_date(self, limits: Limits) -> Any:
        """Run the cells that have not run in this process; returns the answer to the last one."""
        if _of_process(limits) != _of_process(self._limits):
            self._limits = limits
            self.drop()
        answer = None
        again = len(self._cells) - 1
        if self._candidate is None:
            self._sitting.seconds_for(1)
            self._candidate = self._sitting.uncounted(partial(self._server.start, self._limits))
            if self._files:
                self._ask(Files(self._files), _ASIDE)
        while self._done < len(self._cells):
            number = self._done
            cell = self._cells[number]
            if number not in self.lost and number not in self._told:
                # What a cell shows is wanted once, when it is the last: before that it only runs for what it defines.
                shown = cell.limits.output_chars if number == again else 0
                seconds = self._sitting.seconds_for(cell.limits.cell_seconds)
                try:
                    answer = self._ask(RunCell(cell.text, seconds, shown), seconds)
                except CandidateLost:
                    self.lost.add(number)
                    raise
            self._done += 1
        return answer

    def restart(self) -> None:
        if self._candidate is not None:
            self.restarts += 1
        self.drop()

    def drop(self) -> None:
        self._done = 0
        if self._candidate is not None:
            candidate, self._candidate = self._candidate, None
            candidate.end()

    def _ask(self, request: Request, seconds: float) -> Any:
        assert self._candidate is not None
        try:
            return self._candidate.ask(request, self._sitting.seconds_for(seconds) + _GRACE)
        except CandidateLost:
            self.restart()
            raise


def _of_process(limits: Limits) -> tuple[int, ...]:
    """The limits that a process gets when it starts."""
    return (limits.memory_mb, limits.processes, limits.open_files, limits.file_mb, limits.scratch_mb)
