"""Runs a rebuilt notebook in a fresh kernel, as nbgrader does, with the limits and the recovery that nbgrader lacks.

A cell that hangs or kills its kernel costs its own points: the kernel is replaced, what ran before is run again without
its tests, and the notebook goes on. The sandboxed engine takes this class's place in ``nbgrader_config.py``.
"""

import os
import signal
import tempfile
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbgrader.preprocessors import Execute
from nbgrader.utils import is_grade
from traitlets import Bool, Enum, Float, Integer

from course_lib.grader.annotations import add_notes, set_seconds
from course_lib.grader.match import label
from course_lib.grader.nbgrader_steps import coursedir_of
from course_lib.grader.notebooks import new_output
from course_lib.grader.rebuild import is_own

TIMED_OUT = "CellTimeoutError"
"""The name of the error recorded in a cell that was cut off. nbgrader's own word for it."""
DIED = "DeadKernelError"
"""The name of the error recorded in a cell whose kernel ended."""
NOT_RUN = "NotebookTimeout"
"""The name of the error recorded in cells for which no time was left."""


class ExecuteStock(Execute):  # type: ignore[misc]
    """nbgrader preprocessor: runs every code cell and records what came of it.

    Called by ``nbgrader autograde`` at the start of its second pass, for the notebook that ``RebuildFromSource`` wrote.
    Invariant: returns normally whatever the student's code does, and afterwards every code cell that is not empty has
    run or holds an error that says why not (but for the source's ungraded cells, where they are left out). The kernel
    process and its group are gone.
    """

    notebook_timeout = Float(300.0, help="Seconds for a whole notebook, restarts included.").tag(config=True)
    run_ungraded = Bool(True, help="Whether the source's pictures and experiments run too.").tag(config=True)
    ungraded_timeout = Float(10.0, help="Seconds for a cell without nbgrader's metadata.").tag(config=True)
    max_restarts = Integer(3, help="How often a kernel that hung or died is replaced.").tag(config=True)
    shutdown_kernel = Enum(["graceful", "immediate"], "immediate", help="There is nothing to save.").tag(config=True)
    iopub_timeout = Integer(15, help="Seconds for an interrupted cell's last words, on a busy machine.").tag(
        config=True
    )
    max_stream = Integer(200_000, help="Characters of printed output that are kept of a cell.").tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any], km: Any = None
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run the notebook; see the class."""
        NotebookClient.__init__(self, nb, km)  # nbconvert's own way to start over, see ExecutePreprocessor.preprocess
        self.reset_execution_trackers()
        self._check_assign_resources(resources)
        self._started = monotonic()
        self._restarts = 0
        self._lost: set[int] = set()  # cells that hung or killed their kernel: never run again
        self.timeout_func = self._seconds_for
        self._env = self._environment(resources)
        try:
            self._open_kernel()
            for index in range(len(nb.cells)):
                self._run(index)
        finally:
            self._close_kernel()
        set_seconds(nb, monotonic() - self._started)
        return nb, self.resources

    # --------------------------------------------------------------------------------------------------- one cell

    def _run(self, index: int) -> None:
        cell = self.nb.cells[index]
        if cell.cell_type != "code" or not cell.source.strip():
            return
        if not self.run_ungraded and "nbgrader" not in cell.metadata and not is_own(cell):
            return
        if self._left() <= 0:
            _record(cell, NOT_RUN, f"not run: the cells before it used up the notebook's {self.notebook_timeout:g} s")
            return
        if self._restarts > self.max_restarts:
            _record(cell, NOT_RUN, f"not run: the cells before it hung or ended {self._restarts} processes")
            return
        try:
            self._execute(index)
        except CellTimeoutError:
            self._replace_kernel(index, TIMED_OUT, "cut off: it ran past its time limit and could not be interrupted")
        except DeadKernelError:
            self._replace_kernel(index, DIED, "the Python process ended while this cell ran")

    def _execute(self, index: int) -> None:
        self._printed = 0
        self.execute_cell(self.nb.cells[index], index, store_history=True)

    def _replace_kernel(self, index: int, name: str, message: str) -> None:
        cell = self.nb.cells[index]
        _record(cell, name, message)
        self._lost.add(index)
        self._restarts += 1
        add_notes(self.nb, [f"The cell {label(cell)}: {message}. The cells after it ran in a fresh process."])
        while self._restarts <= self.max_restarts and self._left() > 0:
            self._close_kernel()
            self._open_kernel()
            again = self._run_again(index)
            if again is None:
                return
            self._lost.add(again)
            self._restarts += 1

    def _run_again(self, end: int) -> int | None:
        """Run the cells before ``end`` for what they define; returns the one that hung or died this time, if any."""
        for index in range(end):
            cell = self.nb.cells[index]
            if index in self._lost or cell.cell_type != "code" or is_grade(cell) or not cell.source.strip():
                continue
            kept = cell.outputs, cell.execution_count
            try:
                self._execute(index)
            except (CellTimeoutError, DeadKernelError):
                return index
            finally:
                cell.outputs, cell.execution_count = kept
        return None

    def on_cell_executed(self, **kwargs: Any) -> None:
        """Called by nbclient after a cell ran or was interrupted: records the error of one that was interrupted."""
        super().on_cell_executed(**kwargs)
        if kwargs["execute_reply"]["content"].get("ename") == TIMED_OUT:
            cell = kwargs["cell"]
            add_notes(self.nb, [f"The cell {label(cell)} was stopped at its time limit."])

    def output(self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str, cell_index: int) -> Any:
        """Called by nbclient for each message of output: keeps so much of what is printed, and drops the rest."""
        if msg["msg_type"] == "stream":
            before = self._printed
            self._printed += len(msg["content"]["text"])
            if before > self.max_stream:
                return None
            if self._printed > self.max_stream:
                text = msg["content"]["text"][: self.max_stream - before]
                msg["content"]["text"] = f"{text}\n... the rest of the output was left out ...\n"
        return super().output(outs, msg, display_id, cell_index)

    # ------------------------------------------------------------------------------------------------ limits, kernel

    def _left(self) -> float:
        return self.notebook_timeout - (monotonic() - self._started)

    def _seconds_for(self, cell: NotebookNode) -> float:
        own = self.timeout or self.notebook_timeout
        # A picture or an experiment earns nothing: a slow solution that it calls must not take the tests' time.
        own = own if "nbgrader" in cell.metadata else min(own, self.ungraded_timeout)
        return max(0.1, min(own, self._left()))

    def _environment(self, resources: dict[str, Any]) -> dict[str, str]:
        env = dict(os.environ)
        # Without a file of misconceptions an inherited setting must not stand for another assignment's.
        env.pop("COURSE_LIB_MISCONCEPTIONS", None)
        known = Path(coursedir_of(self).root, "misconceptions", f"{resources['nbgrader']['assignment']}.py")
        if known.is_file():
            env["COURSE_LIB_MISCONCEPTIONS"] = str(known)
        return env

    def _open_kernel(self) -> None:
        # Sockets in a folder of our own, no ports: no other user can connect, and parallel kernels never collide.
        self._sockets = tempfile.TemporaryDirectory(prefix="kernel-")
        self.km = self.create_kernel_manager()
        self.km.transport, self.km.ip = "ipc", f"{self._sockets.name}/s"
        self.start_new_kernel(env=self._env)
        self.start_new_kernel_client()
        info = self.wait_for_reply(self.kc.kernel_info())
        if info is not None:
            self.nb.metadata["language_info"] = info["content"]["language_info"]

    def _close_kernel(self) -> None:
        if self.km is None:
            return
        group = getattr(self.km.provisioner, "pgid", None)
        self._cleanup_kernel()
        self._sockets.cleanup()
        if group:  # what the student's code started outlives a kernel that ended by itself
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)


def _record(cell: NotebookNode, name: str, message: str) -> None:
    """Leave an error in a cell, last of its outputs: nbgrader scores a test cell with an error 0."""
    outputs = [output for output in cell.get("outputs", []) if output.get("output_type") != "execute_result"]
    if not any(output.get("ename") == name for output in outputs):
        line = f"\x1b[0;31m{name}\x1b[0m: {message}"
        outputs.append(new_output("error", ename=name, evalue=message, traceback=[line]))
    cell.outputs = outputs
