"""What plugs into nbgrader's feedback page: hidden tests stay hidden, as far as the course says.

The page shows the graded notebook. Its test cells ran with hidden tests in them, so of their outputs only what the
grader itself has said is kept; of all other cells, what quotes a hidden line is left out.
"""

import math
import re
from typing import Any, cast, get_args

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests, NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution
from traitlets import Dict, Enum, List, Unicode
from traitlets.config import Config

from course_lib.checks import render
from course_lib.checks.verdict import RESULT_MIME, ExerciseResult
from course_lib.grader.engine import examiner
from course_lib.grader.feedback.hidden import Hidden, exception_name, shown_cases
from course_lib.grader.notebooks import new_output

_INSTEAD = "(lines of a hidden test)"
_PRINTED = "(What was printed while hidden tests ran is left out.)\n"
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_GUTTER = re.compile(r"^(-*>)?\d+")  # of a traceback: ----> 5
_TELLING = 12  # characters of a hidden line that give something away inside a longer line
_LEVELS = get_args(Hidden)
_STOPPED = {
    examiner.TIMED_OUT: "The cell was stopped at its time limit.",
    examiner.DIED: "The Python process ended while this cell ran.",
    examiner.NOT_RUN: "The cell was not run: the cells before it left no time.",
}


class HideHiddenTests(NbGraderPreprocessor):  # type: ignore[misc]
    """Takes hidden tests out of what a student gets back, and of hidden cases what the course does not show.

    Called by ``nbgrader generate_feedback`` before the page is made; the notebook in ``autograded/`` stays whole.
    Invariants: no line of a hidden region is left in a cell or an output; of a test cell with hidden tests only tables
    of cases, scores and sentences of ours are left, and in the tables of a hidden case what ``hidden_cases`` allows.
    """

    hidden_cases = Enum(
        _LEVELS,
        "message",
        help="How much of a hidden case a student sees: 'message' (its title and, in the grader's words, what came, "
        "what was expected and where they differ), 'title' (its title and outcome) or 'nothing' (how many passed). "
        "Source, printed output and exceptions' texts of hidden cases are never shown.",
    ).tag(config=True)
    hidden_cases_of = Dict(
        key_trait=Unicode(),
        value_trait=Enum(_LEVELS),
        help="The same for single assignments, such as {'09_dropout': 'title'}.",
    ).tag(config=True)

    # The exporter sets this for every preprocessor; without the trait nbgrader would warn about it for each student.
    display_data_priority = List(["text/html", "text/plain"]).tag(config=True)

    def shown_of(self, assignment: str) -> Hidden:
        """How much of a hidden case of an assignment a student sees."""
        return cast(Hidden, self.hidden_cases_of.get(assignment, self.hidden_cases))

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Called once for each notebook; see the class."""
        level = self.shown_of(resources["nbgrader"]["assignment"])
        clear = ClearHiddenTests(config=Config(ClearHiddenTests=self.config.ClearHiddenTests))
        tests = [cell for cell in nb.cells if cell.cell_type == "code" and is_grade(cell) and not is_solution(cell)]
        secret = _Secret()
        for cell in tests:
            secret.learn(cell.source, clear.begin_test_delimeter, clear.end_test_delimeter)
        for cell in tests:
            has_hidden = clear._remove_hidden_test_region(cell)
            cell.outputs = [kept for output in cell.outputs for kept in _of_a_test(output, level, has_hidden)]
        for cell in nb.cells:
            for output in cell.get("outputs", []):
                _leave_out(output, secret)
        return nb, resources


def hidden_cases(config: Config, assignment: str) -> Hidden:
    """How much of a hidden case of an assignment a student sees, by ``nbgrader_config.py``.

    Raises:
        traitlets.TraitError: when the setting is none of the three words.
    """
    return HideHiddenTests(config=config).shown_of(assignment)


# --------------------------------------------------------------------------------------------------- test cells


def _of_a_test(output: NotebookNode, level: Hidden, has_hidden: bool) -> list[NotebookNode]:
    """An output of a test cell as a student may see it."""
    data = output.get("data", {})
    if RESULT_MIME in data:
        return _table(data[RESULT_MIME], level)
    if not has_hidden:
        return [output]
    if output.output_type == "stream":
        return [new_output("stream", name="stdout", text=_PRINTED)]
    if output.output_type == "error":
        return [_error(str(output.get("ename", "")))]
    if output.output_type == "execute_result" and _is_score(data.get("text/plain")):
        output.data = {"text/plain": data["text/plain"]}
        return [output]
    return []


def _table(data: Any, level: Hidden) -> list[NotebookNode]:
    try:
        record = ExerciseResult.from_json(data)
    except ValueError:
        return []
    cases = shown_cases(record, level)
    bundle = {"text/html": render.html(record, cases), "text/plain": render.text(record, cases)}
    return [new_output("display_data", data=bundle)]


def _error(name: str) -> NotebookNode:
    """An error without its text and its frames: both are made while hidden lines run."""
    told = _STOPPED.get(name)
    name = name if told else exception_name(name)
    return new_output("error", ename=name, evalue="", traceback=[told] if told else [name, _INSTEAD])


def _is_score(text: Any) -> bool:
    try:
        return math.isfinite(float("".join(text)))
    except (TypeError, ValueError):
        return False


# -------------------------------------------------------------------------------------------------- other cells


class _Secret:
    """The lines of hidden tests, and whether a line quotes one of them."""

    def __init__(self) -> None:
        self._lines: set[str] = set()
        self._telling: set[str] = set()

    def learn(self, source: str, begin: str, end: str) -> None:
        inside = False
        for line in source.splitlines():
            inside = inside or begin in line
            bare = _bare(line)
            if inside and len(bare) > 3:  # a lone bracket tells nothing
                self._lines.add(bare)
                if len(bare) >= _TELLING:
                    self._telling.add(bare)
            inside = inside and end not in line

    def quoted_in(self, line: str) -> bool:
        bare = _bare(line)
        if bare in self._lines or _GUTTER.sub("", bare) in self._lines:
            return True
        return any(secret in bare for secret in self._telling)

    def without(self, text: str) -> str:
        """The text with a note in place of each run of lines that quote a hidden one."""
        kept: list[str] = []
        for shown in text.split("\n"):
            line = f"      {_INSTEAD}" if self.quoted_in(shown) else shown
            if line is shown or kept[-1:] != [line]:
                kept.append(line)
        return "\n".join(kept)


def _leave_out(output: NotebookNode, secret: _Secret) -> None:
    """Take lines of hidden tests out of an output of any cell: a traceback or a warning can quote them."""
    if output.output_type == "stream":
        output.text = secret.without(_joined(output.text))
    elif output.output_type == "error":
        output.traceback = [secret.without(part) for part in output.traceback]
        output.evalue = secret.without(output.evalue)
    else:
        for mime in [mime for mime in output.data if mime.startswith("text/")]:
            output.data[mime] = secret.without(_joined(output.data[mime]))


def _joined(text: Any) -> str:
    return "".join(text) if isinstance(text, list) else str(text)


def _bare(line: str) -> str:
    return "".join(_ANSI.sub("", line).split())
