"""Runs notebooks in the tests' own process: what these tests are about happens before and after the run."""

from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets.config import Config

_CONFIG = Config(HistoryManager={"enabled": False}, InteractiveShell={"colors": "nocolor"})


class QuickExecute(NbGraderPreprocessor):
    """Takes the engine's place at the start of nbgrader's second pass."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        shell = InteractiveShell.instance(config=_CONFIG)
        shell.user_ns.clear()  # shell.reset() would collect garbage each time, which takes longer than all the rest
        shell.init_user_ns()
        for count, cell in enumerate([c for c in nb.cells if c.cell_type == "code" and c.source.strip()], 1):
            error, result = None, None
            with capture_output():
                try:
                    done = shell.run_cell(cell.source, store_history=False)
                    error, result = done.error_before_exec or done.error_in_exec, done.result
                except RecursionError as too_deep:  # of the compiler, which IPython does not expect
                    error = too_deep
            cell.execution_count = count
            if error is not None:
                cell.outputs.append(new_output("error", ename=type(error).__name__, evalue=str(error)[:200]))
            elif result is not None:
                cell.outputs.append(new_output("execute_result", {"text/plain": repr(result)}, execution_count=count))
        return nb, resources
