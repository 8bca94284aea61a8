"""The traps of stock nbgrader, each shown closed: by plain `nbgrader autograde` over a class, and by `course grade`.

One class has a student for each trap. Both ways grade it once, side by side, and must come to the same scores.

Shown closed elsewhere: test cells that end in what is no plain float (test_preprocessors), hidden tests in the feedback
and its tracebacks (test_grade, tests/end_to_end/test_plain_nbgrader), files beside the source notebook that would be
released (test_leaks, test_cli), a gradebook that another program has locked (the tests of the writer).
"""

import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps.api import NbGraderAPI
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from typer.testing import CliRunner

from course_lib.cli import app
from course_lib.grader.annotations import seconds_of
from course_lib.grader.book.gradebook import register_assignment
from course_lib.grader.course import Course
from course_lib.grader.nbgrader_steps import calm, load_config
from course_lib.grader.notebooks import read

from .conftest import ASSIGNMENT, RIGHT, hand_in, make_course, solved

Change = Callable[[NotebookNode], None]
Scores = dict[str, float | None]

ALL: Scores = {"test_double": 2.0, "test_mean": 3.0}
NOTHING: Scores = {"test_double": 0.0, "test_mean": 0.0}
NO_DOUBLE: Scores = {"test_double": 0.0, "test_mean": 3.0}
NO_SCORE: Scores = {"test_double": None, "test_mean": None}

LIMITS = {"cell_seconds": 2.0, "case_seconds": 2.0, "submission_seconds": 20.0}


def cell(nb: NotebookNode, name: str) -> NotebookNode:
    return next(c for c in nb.cells if c.id == name)


def work(change: Change | None = None, **answers: str) -> NotebookNode:
    """A right submission but for some answers, changed by hand."""
    nb = solved(**{**RIGHT, **answers})
    if change is not None:
        change(nb)
    return nb


def forged(code: str) -> NotebookNode:
    """Nothing solved, and a cell at the top that is meant to make up for it."""
    nb = solved()
    nb.cells.insert(1, nbformat.v4.new_code_cell(code, id="forgery"))
    return nb


def repeat(nb: NotebookNode) -> None:
    nb.cells.insert(3, NotebookNode({**deepcopy(cell(nb, "double")), "id": "copy"}))


def drop(*names: str) -> Change:
    def change(nb: NotebookNode) -> None:
        nb.cells = [c for c in nb.cells if c.id not in names]

    return change


def claim(name: str, **metadata: object) -> Change:
    return lambda nb: cell(nb, name).metadata.nbgrader.update(metadata)


def tag_all(nb: NotebookNode) -> None:
    for c in nb.cells:
        c.metadata["tags"] = ["skip-execution"]


def all_of(schema: int) -> Change:
    def change(nb: NotebookNode) -> None:
        for c in nb.cells:
            if "nbgrader" in c.metadata:
                c.metadata.nbgrader["schema_version"] = schema

    return change


NOISY = """import logging, sys, warnings
def double(x):
    warnings.warn("careful")
    logging.error("hm")
    print("50%|#####     |", file=sys.stderr)
    return 2 * x"""

WRONG = "def double(x):\n    return 0"

EQUAL_TO_ALL = """class Anything:
    def __eq__(self, other):
        return {said}
    __rmul__ = __mul__ = __eq__

def double(x):
    return Anything()"""

STUBBORN = """import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
def double(x):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass"""

DEADLY = "import os\n\ndef double(x):\n    os._exit(1)"

QUIET = "def double(x):\n    raise SystemExit(0)"

NO_TESTS = """shell = get_ipython()
shell.input_transformers_cleanup.append(lambda lines: ["score = 5.0\\n", "float(score)\\n"])"""

NO_ASSERTS = """import ast
class WithoutTests(ast.NodeTransformer):
    def visit_AugAssign(self, node):
        return ast.parse("score = score + 1.0").body[0]
    def visit_Assert(self, node):
        return ast.Pass()
get_ipython().ast_transformers.append(WithoutTests())
def double(x):
    return 0
mean = double"""

CURIOUS = """import glob, os
for pattern in ("*", "../*", "../../../*", "../../../*/*/*.ipynb"):
    for path in filter(os.path.isfile, glob.glob(pattern)):
        print("FOUND", path, open(path, errors="replace").read())
for path in ("../../../gradebook.db", "gradebook.db"):
    try:
        with open(path, "r+b") as book:
            book.write(b"ruined")
        print("RUINED", path)
    except OSError as error:
        print(error)"""

SLOW = "import time\ntime.sleep(1.5)"


def slow_from_top_to_bottom(nb: NotebookNode) -> None:
    nb.cells[1:1] = [nbformat.v4.new_code_cell(SLOW, id=f"slow-{number}") for number in range(40)]


@dataclass(frozen=True)
class Trap:
    """What a student hands in, and the scores that are right."""

    handed_in: NotebookNode | str
    scores: Scores


# The words are those of the traps.
TRAPS = {
    "stderr output in a test cell": Trap(work(double=NOISY), ALL),
    "a test cell whose value is NaN": Trap(work(double=EQUAL_TO_ALL.format(said="float('nan')")), NO_DOUBLE),
    "a test cell with no output at all": Trap(work(double=QUIET), NO_DOUBLE),
    "duplicated grade_id": Trap(work(repeat), ALL),
    "a grade cell deleted": Trap(work(drop("test_double")), ALL),
    "the cell before a missing one gone too": Trap(work(drop("imports", "title", "about_means", "test_mean")), ALL),
    "unknown grade_id": Trap(work(claim("test_double", grade_id="bonus")), ALL),
    "grade false": Trap(work(claim("test_double", grade=False)), ALL),
    "partial credit above the maximum": Trap(work(double=EQUAL_TO_ALL.format(said="50.0")), NO_DOUBLE),
    "points claimed": Trap(work(claim("test_double", points=50)), ALL),
    "broken JSON": Trap("{", NO_SCORE),
    "dead kernel": Trap(work(double=DEADLY), NO_DOUBLE),
    "a loop that ignores SIGINT": Trap(work(double=STUBBORN), NO_DOUBLE),
    "SchemaTooOld": Trap(work(all_of(1)), ALL),
    "SchemaTooNew": Trap(work(all_of(99)), ALL),
    "a test cell tagged skip-execution": Trap(work(tag_all, double=WRONG), NO_DOUBLE),
    "input_transformers_cleanup": Trap(forged(NO_TESTS), NOTHING),
    "an AST transformer": Trap(forged(NO_ASSERTS), NOTHING),
    "reading the notebook in the working folder": Trap(forged(CURIOUS), NOTHING),
    "no whole-notebook time limit": Trap(work(slow_from_top_to_bottom), NOTHING),
}
STUDENTS = {name: re.sub(r"[^a-z]+", "_", name.lower()) for name in TRAPS}


@dataclass(frozen=True)
class Graded:
    """A course with its class graded in one of the two ways.

    Attributes:
        root: its folder.
        way: grades a student's submission again, in the same way.
    """

    root: Path
    way: Callable[[Path, str], object]

    def scores(self, student: str) -> Scores:
        return recorded(self.root, student)

    def notebook(self, trap: str) -> NotebookNode:
        return read(Course.at(self.root).graded(ASSIGNMENT, STUDENTS[trap]))


def recorded(root: Path, student: str) -> Scores:
    """What nbgrader's gradebook says of a student's test cells; no score where there is no entry."""
    with calm(), Gradebook(f"sqlite:///{root / 'gradebook.db'}", "neural-training") as book:
        try:
            grades = book.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, student).grades
        except MissingEntry:
            return NO_SCORE
        return {grade.name: grade.auto_score for grade in grades if grade.name.startswith("test_")}


def plain_nbgrader(root: Path, student: str = "*") -> str:
    """`nbgrader autograde --force`; returns what it ended with."""
    config = load_config(root)
    directory = nbgraders_own(root)
    directory.assignment_id, directory.student_id = ASSIGNMENT, student
    with calm():
        try:
            Autograde(coursedir=directory, config=config, force=True).start()
        except NbGraderException as error:
            return str(error)
    return ""


def nbgraders_own(root: Path):
    """nbgrader's course directory as its command makes it, with nothing of ours but the configuration file."""
    from nbgrader.coursedir import CourseDirectory

    return CourseDirectory(config=load_config(root), root=str(root))


def course_grade(root: Path, student: str = "*") -> int:
    """`course grade --force`; returns its exit status."""
    who = [] if student == "*" else ["--student", student]
    done = CliRunner().invoke(app, ["grade", ASSIGNMENT, "--force", "--json", "--root", str(root), *who])
    assert done.exit_code in (0, 1), done.stderr
    return done.exit_code


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_course(tmp_path_factory.mktemp("traps") / "course")
    config = root / "nbgrader_config.py"
    limits = "".join(f"c.Examine.{name} = {value}\n" for name, value in LIMITS.items())
    config.write_text(f"{config.read_text(encoding='utf-8')}\n{limits}", encoding="utf-8")
    for name, trap in TRAPS.items():
        hand_in(root, STUDENTS[name], trap.handed_in)
    for student in ("aaa_honest", "zzz_honest"):
        hand_in(root, student, solved(**RIGHT))
    register_assignment(Course.at(root), ASSIGNMENT)
    return root


@pytest.fixture(scope="module", params=[plain_nbgrader, course_grade], ids=["nbgrader autograde", "course grade"])
def graded(request: pytest.FixtureRequest, handed_in: Path, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    root = shutil.copytree(handed_in, tmp_path_factory.mktemp("graded") / "course")
    here = Path.cwd()
    ended = request.param(root)
    os.chdir(here)  # nbgrader leaves it elsewhere
    # The broken file needs a human: both say so at the end.
    assert ended == 1 if request.param is course_grade else "error" in str(ended)
    return Graded(root, request.param)


@pytest.mark.parametrize("name", TRAPS)
def test_the_trap_is_closed(graded: Graded, name: str) -> None:
    assert graded.scores(STUDENTS[name]) == TRAPS[name].scores


def test_nobody_else_is_dropped(graded: Graded) -> None:
    for student in ("aaa_honest", "zzz_honest"):
        assert graded.scores(student) == ALL


def test_a_submission_has_a_limit_for_the_whole_notebook(graded: Graded) -> None:
    nb = graded.notebook("no whole-notebook time limit")
    assert seconds_of(nb) < LIMITS["submission_seconds"] + 5 < len(nb.cells) * 1.5


def test_what_a_notebook_read_while_it_was_graded_shows_nothing_of_the_course(graded: Graded) -> None:
    nb = graded.notebook("reading the notebook in the working folder")
    shown = "".join(o.get("text", "") for c in nb.cells for o in c.get("outputs", []))
    for secret in ("HIDDEN", "-3.5", "math.pi", "twice_as_much", "RUINED", "gradebook", "nbgrader_config"):
        assert secret not in shown.replace("directory: '../../../gradebook.db'", "").replace("'gradebook.db'", "")
    assert "No such file" in shown or "Permission denied" in shown
    with sqlite3.connect(graded.root / "gradebook.db") as book:
        assert book.execute("pragma integrity_check").fetchone() == ("ok",)


def test_after_a_resubmission_with_a_deleted_grade_cell_no_old_score_stays(
    graded: Graded, in_folder: Callable[[Path], None]
) -> None:
    in_folder(graded.root)
    hand_in(graded.root, "ada", solved(**RIGHT))
    graded.way(graded.root, "ada")
    assert graded.scores("ada") == ALL
    hand_in(graded.root, "ada", work(drop("test_double"), double=WRONG))
    graded.way(graded.root, "ada")
    assert graded.scores("ada") == NO_DOUBLE


def test_formgraders_button_meets_none_of_them_either(graded: Graded, in_folder: Callable[[Path], None]) -> None:
    in_folder(graded.root)
    with calm():
        api = NbGraderAPI(nbgraders_own(graded.root), config=load_config(graded.root))
        for name in ("duplicated grade_id", "a grade cell deleted", "SchemaTooOld", "points claimed"):
            done = api.autograde(ASSIGNMENT, STUDENTS[name])
            assert done["success"], done.get("error")
            assert graded.scores(STUDENTS[name]) == TRAPS[name].scores
