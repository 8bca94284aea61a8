"""The committed release/ is what the sources make, tells no secret, and runs on a student's machine.

A student's machine has torch, torchmetrics, matplotlib, IPython and `course_lib`, and nothing of the grader.
"""

import os
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbgrader.utils import is_grade, is_solution

from course_lib.grader.course import Course
from course_lib.grader.releasing.leaks import find_leaks
from course_lib.grader.releasing.release import make_release

ROOT = Path(__file__).resolve().parents[1]
COURSE = Course.at(ROOT)
ASSIGNMENTS = COURSE.assignments

NOT_ON_A_STUDENTS_MACHINE = [
    *("nbgrader", "typer", "rich", "cloudpickle", "jinja2", "sqlalchemy", "nbformat", "nbconvert", "nbclient"),
    "course_lib.grader",
]

# Python imports `sitecustomize` by itself when it starts.
BLOCKER = f'''"""Makes the grader's packages look as if they were not installed."""
import sys

NAMES = {NOT_ON_A_STUDENTS_MACHINE!r}


class Blocker:
    def find_spec(self, name, path=None, target=None):
        if any(name == blocked or name.startswith(blocked + ".") for blocked in NAMES):
            raise ModuleNotFoundError(f"No module named {{name!r}} (a student has none)", name=name)


sys.meta_path.insert(0, Blocker())
'''


@pytest.fixture(scope="module")
def made_again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("release") / "course"
    shutil.copytree(ROOT / "source", root / "source")
    shutil.copy(ROOT / "nbgrader_config.py", root)
    make_release(root)
    return root


def files_in(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_the_release_has_the_assignments_and_nothing_else() -> None:
    expected = {f"{name}/{name}.ipynb" for name in ASSIGNMENTS}
    assert files_in(ROOT / "release") - {"README.md", ".gitkeep"} == expected


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_release_is_what_the_source_makes_byte_for_byte(made_again: Path, assignment: str) -> None:
    made = Course.at(made_again).released(assignment).read_bytes()
    assert COURSE.released(assignment).read_bytes() == made, "run `course release` and commit what it writes"


def test_the_release_tells_no_secret() -> None:
    assert [str(leak) for leak in find_leaks(ROOT)] == []


@pytest.fixture(scope="module")
def students_python(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a kernel that has what a student has."""
    folder = tmp_path_factory.mktemp("student")
    (folder / "sitecustomize.py").write_text(BLOCKER)
    env = {name: value for name, value in os.environ.items() if not name.startswith("COURSE_LIB_")}
    return {**env, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}


@pytest.mark.slow
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_a_fresh_notebook_runs_to_its_end_without_a_traceback_and_earns_nothing(
    assignment: str, students_python: dict[str, str], tmp_path: Path
) -> None:
    nb = nbformat.read(COURSE.released(assignment), as_version=4)
    probe = "try:\n    import nbgrader\nexcept ModuleNotFoundError:\n    print('ok')"
    nb.cells.insert(0, nbformat.v4.new_code_cell(probe, id="probe"))
    client = NotebookClient(nb, timeout=120, allow_errors=True, resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env=students_python)
    assert nb.cells[0].outputs[0].text == "ok\n", "the grader's packages can be imported: this test tests nothing"
    for cell in nb.cells:
        outputs = cell.get("outputs", [])
        errors = [f"{o.ename}: {o.evalue}" for o in outputs if o.output_type == "error"]
        assert errors == [], f"{assignment}, cell {cell.id}"
        assert [o.text for o in outputs if o.get("name") == "stderr"] == [], f"{assignment}, cell {cell.id}"
        if is_grade(cell) and not is_solution(cell):
            values = [o.data["text/plain"] for o in outputs if o.output_type == "execute_result"]
            assert values == ["0.0"], f"{assignment}, cell {cell.id}"
