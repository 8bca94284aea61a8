"""What plugs into nbgrader's two passes of autograding.

Each class is named in ``nbgrader_config.py``, so ``nbgrader autograde``, Formgrader's button and ``course grade`` all
run the same code.
"""

from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution

from course_lib.grader.annotations import add_notes
from course_lib.grader.intake.match import label
from course_lib.grader.intake.rebuild import rebuild
from course_lib.grader.intake.released import released_view
from course_lib.grader.nbgrader_steps import coursedir_of
from course_lib.grader.notebooks import new_output, reads

_course_notebooks: dict[tuple[str, str, str], tuple[NotebookNode, NotebookNode]] = {}


class RebuildFromSource(NbGraderPreprocessor):  # type: ignore[misc]
    """Replaces a submission by the source's notebook with the student's answers in it.

    Called by ``nbgrader autograde`` in its first pass, on the notebook as it was handed in.
    Invariant: of what it returns, ids, order, types, tags, points, locked text and kernel are the source's.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Called once for each notebook; see the class."""
        info = resources["nbgrader"]
        course = coursedir_of(self)
        path = course.format_path(course.source_directory, ".", info["assignment"])
        source, released = self._course_notebook(Path(path, f"{info['notebook']}.ipynb"))
        built, notes = rebuild(source, nb, self.config, released=released)
        add_notes(built, notes)
        for note in notes:
            self.log.warning("%s, %s: %s", info["student"], info["assignment"], note)
        return built, resources

    def _course_notebook(self, path: Path) -> tuple[NotebookNode, NotebookNode]:
        """The source, and what students got of it: worked out once for the whole class."""
        text = path.read_text(encoding="utf-8")
        key = (text, str(self.config.ClearSolutions), str(self.config.ClearHiddenTests))
        if key not in _course_notebooks:
            _course_notebooks.clear()
            source = reads(text)
            _course_notebooks[key] = source, released_view(source, self.config)
        return _course_notebooks[key]


class QuietStreams(NbGraderPreprocessor):  # type: ignore[misc]
    """Keeps warnings and progress bars from costing points: nbgrader scores a test cell with any stderr output 0.

    Called by ``nbgrader autograde`` after the notebook ran, before scores are read.
    Invariant: the text stays where it is; in test cells it is called stdout.
    """

    def preprocess_cell(self, cell: NotebookNode, resources: dict[str, Any], index: int) -> tuple[NotebookNode, Any]:
        """Called once for each cell; see the class."""
        if is_grade(cell) and cell.cell_type == "code":
            for output in cell.outputs:
                if output.output_type == "stream":
                    output.name = "stdout"
        return cell, resources


class ExplicitScores(NbGraderPreprocessor):  # type: ignore[misc]
    """Makes every test cell say its score: nbgrader gives full points to a cell that says nothing it understands.

    Called by ``nbgrader autograde`` after the notebook ran, before ``SaveAutoGrades``.
    Invariant: afterwards each test cell holds an error, or exactly one result that is a number in [0, points].
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Called once for each notebook; see the class."""
        for cell in nb.cells:
            if is_grade(cell) and not is_solution(cell) and cell.cell_type == "code":
                problem = self._settle(cell)
                if problem:
                    add_notes(nb, [problem])
                    self.log.warning("%s: %s", resources["nbgrader"]["student"], problem)
        return nb, resources

    def _settle(self, cell: NotebookNode) -> str | None:
        if any(output.output_type == "error" for output in cell.outputs):
            return None
        points = float(cell.metadata.nbgrader["points"])
        results = [output for output in cell.outputs if output.output_type == "execute_result"]
        said = [_plain(output) for output in results]
        if len(said) == 1 and _number(said[0], points) is not None:
            return None
        what = "gave no score" if not said else f"gave {said[0][:60]!r}, which is no number from 0 to {points:g}"
        problem = f"The test cell {label(cell)} {what}; it counts 0 until somebody has looked at it."
        cell.outputs = [output for output in cell.outputs if output.output_type != "execute_result"]
        cell.outputs.append(new_output("stream", name="stdout", text=problem + "\n"))
        cell.outputs.append(
            new_output("execute_result", data={"text/plain": "0.0"}, execution_count=cell.execution_count)
        )
        return problem


def _plain(output: NotebookNode) -> str:
    text = output.get("data", {}).get("text/plain", "")
    return "".join(text) if isinstance(text, list) else str(text)


def _number(text: str, points: float) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0.0 <= value <= points else None
