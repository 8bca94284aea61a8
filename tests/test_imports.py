"""The arrows of ARCHITECTURE.md: `lab` and `checks` stand alone, `candidate` on `checks`, `grader` on both.

`cli` stands on everything. A student's machine has neither nbgrader nor the other packages of `[grader]`. An import of
one of them, even inside a function, would work for us and break there, so both are tested: what the files say, and what
happens. The same holds for `candidate`, which runs where student code does: what it needs, student code can reach.
"""

import ast
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "course_lib"

# For each room, which other rooms it may import. A module that lies beside the rooms is a room of its own.
MAY_IMPORT: dict[str, set[str]] = {
    "lab": set(),
    "checks": set(),
    "candidate": {"checks"},
    "grader": {"checks", "candidate"},
    "cli": {"lab", "checks", "grader"},
    "__init__": set(),
}
# What a student's machine has besides the standard library; numpy comes with torch and matplotlib.
STUDENTS_PACKAGES = {"torch", "torchmetrics", "matplotlib", "IPython", "numpy"}
# For each room that runs beside student code, which packages it may import.
PACKAGES = dict.fromkeys(("lab", "checks", "__init__"), STUDENTS_PACKAGES)
# matplotlib_inline and traitlets are parts of IPython: its figures, its settings. cloudpickle's functions are unpickled
# by cloudpickle.
PACKAGES["candidate"] = STUDENTS_PACKAGES | {"matplotlib_inline", "traitlets", "cloudpickle"}
GRADERS_PACKAGES = [
    "nbgrader",
    "typer",
    "rich",
    "cloudpickle",
    "jinja2",
    "sqlalchemy",
    "nbformat",
    "nbconvert",
    "nbclient",
]


def room_of(module: str) -> str:
    """`course_lib.checks.compare` is in the room `checks`; `course_lib` itself is `__init__`."""
    return [*module.split("."), "__init__"][1]


def module_name(file: Path, root: Path) -> str:
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_modules(file: Path, root: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute name of everything that the file imports, at whatever depth, also by a constant string."""
    package = module_name(file, root) if file.stem == "__init__" else module_name(file.parent / "__init__.py", root)
    for node in ast.walk(ast.parse(file.read_text("utf-8"), str(file))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                base = ".".join([*parents[: len(parents) - node.level + 1], *filter(None, [node.module])])
            for alias in node.names:
                # `from course_lib import cli` imports a module, `from course_lib.checks import Case` an object:
                # with the object's name at the end the room is right in both cases.
                yield node.lineno, f"{base}.{alias.name}" if base.split(".")[0] == PACKAGE else base
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in {"import_module", "__import__"} and isinstance(node.args[0].value, str):
                yield node.lineno, node.args[0].value


def violations(root: Path) -> list[str]:
    """A line for every import in `root`/course_lib that goes against an arrow."""
    found = []
    for file in sorted((root / PACKAGE).rglob("*.py")):
        here = room_of(module_name(file, root))
        for line, module in imported_modules(file, root):
            where = f"{file.relative_to(root).as_posix()}:{line}"
            top = module.split(".")[0]
            if top == PACKAGE:
                there = room_of(module)
                # A name that is neither room nor module comes from the package itself (`from course_lib import x`).
                is_room = there in MAY_IMPORT or (root / PACKAGE / there).exists()
                if is_room and there not in {here, "__init__"} and there not in MAY_IMPORT.get(here, set()):
                    found.append(f"{where}: {here} imports {there}")
            elif here in PACKAGES and top not in PACKAGES[here] | set(sys.stdlib_module_names):
                found.append(f"{where}: {here} imports {top}, which a student's machine may not have")
    return found


def test_imports_follow_the_arrows():
    assert violations(ROOT) == []


def test_the_rooms_are_those_that_the_arrows_speak_of():
    """A new room must be given its arrows, and a room that is gone must not leave this test empty."""
    files = (ROOT / PACKAGE).iterdir()
    rooms = {path.stem for path in files if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert rooms == set(MAY_IMPORT)


@pytest.mark.parametrize(
    ("rooms", "allowed"), [(["checks", "lab"], set()), (["candidate"], {"cloudpickle"})], ids=["students", "candidate"]
)
def test_rooms_beside_student_code_import_without_the_graders_packages(rooms, allowed):
    """In a fresh interpreter in which the packages of `[grader]` cannot be imported."""
    blocked = [name for name in GRADERS_PACKAGES if name not in allowed]
    program = f"""
        import sys

        class Refuse:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] in {blocked!r}:
                    raise ModuleNotFoundError(f"No module named {{name!r}} on a student's machine", name=name)

        sys.meta_path.insert(0, Refuse())
        try:
            import nbformat
        except ModuleNotFoundError:
            pass
        else:
            raise SystemExit("the blocker does not block")

        import importlib, pkgutil
        for room in {rooms!r}:
            package = importlib.import_module(f"course_lib.{{room}}")
            for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
                importlib.import_module(module.name)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("file", "statement", "fault"),
    [
        ("lab/plots.py", "from course_lib.checks import Exercise", "lab imports checks"),
        ("lab/plots.py", "from .. import checks", "lab imports checks"),
        ("lab/plots.py", "def f():\n    import pandas", "lab imports pandas, which a student's machine may not have"),
        ("lab/plots.py", "__import__('rich')", "lab imports rich, which a student's machine may not have"),
        ("checks/exercise.py", "import course_lib.lab.plots", "checks imports lab"),
        ("checks/exercise.py", "from ..grader import sandbox", "checks imports grader"),
        ("checks/exercise.py", "import nbformat", "checks imports nbformat, which a student's machine may not have"),
        ("checks/exercise.py", "importlib.import_module('course_lib.grader')", "checks imports grader"),
        ("candidate/wire.py", "from course_lib.grader import engine", "candidate imports grader"),
        ("candidate/wire.py", "from course_lib.lab import figures", "candidate imports lab"),
        ("candidate/wire.py", "import nbformat", "candidate imports nbformat, which a student's machine may not have"),
        ("checks/run.py", "import cloudpickle", "checks imports cloudpickle, which a student's machine may not have"),
        ("checks/run.py", "from course_lib.candidate import wire", "checks imports candidate"),
        ("grader/deep/examiner.py", "from ...lab import plots", "grader imports lab"),
        ("grader/engine.py", "from course_lib import cli", "grader imports cli"),
        ("grader/engine.py", "from ..cli import app", "grader imports cli"),
        ("__init__.py", "from . import checks", "__init__ imports checks"),
    ],
)
def test_an_import_against_the_arrows_is_found(tmp_path, file, statement, fault):
    target = tmp_path / PACKAGE / file
    target.parent.mkdir(parents=True)
    target.write_text(statement, "utf-8")
    (found,) = violations(tmp_path)
    assert found.startswith(f"{PACKAGE}/{file}:")
    assert found.endswith(fault)


@pytest.mark.parametrize(
    ("file", "statement"),
    [
        ("lab/plots.py", "import torch, math, numpy as np\nfrom . import data\nfrom .data import two_moons"),
        ("lab/__init__.py", "from .plots import show"),
        ("checks/exercise.py", "from course_lib.checks.compare import close\nfrom IPython.display import display"),
        (
            "candidate/wire.py",
            "import cloudpickle, torch\nfrom course_lib.checks.data import plain\nfrom . import limits",
        ),
        ("grader/engine.py", "from course_lib.candidate.limits import Limits"),
        ("grader/engine.py", "import nbgrader\nfrom ..checks import Exercise\nfrom course_lib import __version__"),
        ("cli.py", "import typer\nfrom course_lib.grader import engine\nfrom . import checks, lab"),
    ],
)
def test_an_import_along_the_arrows_is_allowed(tmp_path, file, statement):
    target = tmp_path / PACKAGE / file
    target.parent.mkdir(parents=True)
    target.write_text(statement, "utf-8")
    assert violations(tmp_path) == []
