"""A small course to attack: torch exercises with visible and hidden cases, and a secret in every place that has some.

Each secret is a text that nobody can guess and that stands in one place only, so that wherever it turns up, it is known
where it came from.
"""

import codecs
import json
import re
import secrets
import shutil
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.grader.conftest import ROOT, nbgrader_cell

ASSIGNMENT = "03_attacked"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}

SECRET = re.compile(r"ZX[a-z]+q[0-9a-f]{12}")
"""What a secret looks like. Attacks that search for this pattern write it so that they do not find themselves."""


def _secret(place: str) -> str:
    return f"ZX{place}q{secrets.token_hex(6)}"


HIDDEN = _secret("hidden")
"""In a hidden scenario: the student's code meets it there, and must not carry it to where a student looks."""
EXPECTED = _secret("expected")
"""What a hidden case expects: nowhere but on the trusted side."""
NEIGHBOUR = _secret("beside")  # as long as the one of the scenario
"""The part of a table next to the one that a hidden scenario uses."""
QUOTED = _secret("quoted")
"""A text in the hidden part of a test cell that no scenario uses."""
MISCONCEPTION = _secret("misconception")
SIBLING = _secret("sibling")
GRADEBOOK = _secret("gradebook")
ENVIRONMENT = _secret("environment")
SOLUTION = _secret("solution")
NOWHERE_UNTRUSTED = (EXPECTED, NEIGHBOUR, QUOTED, MISCONCEPTION, SIBLING, GRADEBOOK, ENVIRONMENT, SOLUTION)
"""No process that runs a student's code ever has one of these."""

_SCALE = f'''def scale(x, k):
    """k times x."""
    ### BEGIN SOLUTION
    result = x * k  # {SOLUTION}
    return result
    ### END SOLUTION'''

_TEST_SCALE = """scale_tests = checks.Exercise("scale", points=4, reference=lambda x, k: x * k)
scale_tests.case("a worked example", lambda f: f(torch.tensor([1.0, -2.0]), 3.0), expected=torch.tensor([3.0, -6.0]))
### BEGIN HIDDEN TESTS
numbers = checks.randn(3, 4, seed=11)
scale_tests.case("random numbers", lambda f: f(numbers, 0.625), weight=2)
scale_tests.case("leaves its argument alone", lambda f: checks.after_call(f, numbers, 2.0))
### END HIDDEN TESTS
scale_tests.score()"""

_CIPHER = '''def cipher(text):
    """Each letter moved thirteen places on."""
    ### BEGIN SOLUTION
    import codecs
    return codecs.encode(text, "rot13")
    ### END SOLUTION'''

_TEST_CIPHER = f"""cipher_tests = checks.Exercise("cipher", points=3)
cipher_tests.case("a worked example", lambda f: f("abc"), expected="nop")
### BEGIN HIDDEN TESTS
unused = "{QUOTED}"
table = torch.tensor([[float(ord(c)) for c in pair] for pair in zip({HIDDEN!r}, {NEIGHBOUR!r})])
codes, others = table.unbind(1)
cipher_tests.case("a longer text", lambda f: f({codecs.encode(EXPECTED, "rot13")!r}), expected={EXPECTED!r}, weight=1)
cipher_tests.case(
    "a text out of numbers",
    lambda f: [f("".join(chr(int(c)) for c in codes)), f({HIDDEN!r})],
    expected=[{codecs.encode(HIDDEN, "rot13")!r}] * 2,
)
### END HIDDEN TESTS
cipher_tests.score()"""

_SOFTMAX = '''def softmax(z):
    """Softmax over the last axis, without torch's own."""
    ### BEGIN SOLUTION
    e = (z - z.max(-1, keepdim=True).values).exp()
    return e / e.sum(-1, keepdim=True)
    ### END SOLUTION'''

_TEST_SOFTMAX = """softmax_tests = checks.Exercise(
    "softmax", points=3, refused=["softmax"], reference=lambda z: torch.softmax(z, -1)
)
softmax_tests.case("two equal ones", lambda f: f(torch.zeros(2)), expected=torch.tensor([0.5, 0.5]))
### BEGIN HIDDEN TESTS
softmax_tests.case("random logits", lambda f: f(checks.randn(4, 5, seed=5)))
softmax_tests.case("large logits", lambda f: f(torch.tensor([1e4, 0.0])))
### END HIDDEN TESTS
softmax_tests.score()"""

_STEP = '''RATE = 0.1  # of the learning rule below


def step(w, g, scaled=scale):
    """One step of gradient descent: w minus the scaled gradient."""
    ### BEGIN SOLUTION
    return w - scaled(g, RATE)
    ### END SOLUTION'''

_TEST_STEP = """step_tests = checks.Exercise("step", points=2, reference=lambda w, g, s: w - s(g, RATE))
### BEGIN HIDDEN TESTS
step_tests.case("with the scale of before", lambda f: f(torch.ones(3), torch.tensor([1.0, 2.0, 3.0]), scale))
### END HIDDEN TESTS
step_tests.case("by ten", lambda f: f(torch.ones(3), torch.ones(3), lambda g, k: 10 * RATE * g))
step_tests.score()"""

_HALF = '''def half(x):
    """Half of a number."""
    ### BEGIN SOLUTION
    return x / 2
    ### END SOLUTION'''

_TEST_HALF = f"""assert half(3) == 1.5
### BEGIN HIDDEN TESTS
assert half(-4.0) == -2.0, "{QUOTED}"
### END HIDDEN TESTS
2.0"""

POINTS = {"scale": 4.0, "cipher": 3.0, "softmax": 3.0, "step": 2.0, "half": 2.0}
"""By exercise."""

RIGHT = {
    "scale": "def scale(x, k):\n    return x * k",
    "cipher": "import codecs\ndef cipher(text):\n    return codecs.encode(text, 'rot13')",
    "softmax": """def softmax(z):
    e = (z - z.max(-1, keepdim=True).values).exp()
    return e / e.sum(-1, keepdim=True)""",
    "step": "RATE = 0.1\ndef step(w, g, scaled=scale):\n    return w - scaled(g, RATE)",
    "half": "def half(x):\n    return x / 2",
}
PARTLY = {
    **RIGHT,
    "scale": "def scale(x, k):\n    x *= k  # spoils its argument\n    return x",
    "softmax": "def softmax(z):\n    e = z.exp()  # overflows\n    return e / e.sum(-1, keepdim=True)",
    "half": "def half(x):\n    return x // 2",
}
PARTLY_POINTS = {**POINTS, "scale": 3.0, "softmax": 2.0, "half": 0.0}

_MISCONCEPTIONS = f'''"""Misconceptions of 03_attacked."""

from course_lib.checks import misconception


@misconception("scale", "adds instead of multiplying", hint="Is 3 times 4 the same as 3 plus 4?")
def scale(x, k):
    note = "{MISCONCEPTION}"
    return x + k
'''


def source() -> NotebookNode:
    """The hand-written notebook."""
    exercises = (
        ("scale", _SCALE, _TEST_SCALE),
        ("cipher", _CIPHER, _TEST_CIPHER),
        ("softmax", _SOFTMAX, _TEST_SOFTMAX),
        ("step", _STEP, _TEST_STEP),
        ("half", _HALF, _TEST_HALF),
    )
    imports = "import torch\nfrom course_lib import checks"
    cells = [
        new_markdown_cell("# To be attacked", id="title"),
        new_code_cell(imports, id="imports", metadata=nbgrader_cell("imports")),
    ]
    for name, solution, test in exercises:
        cells += [
            new_code_cell(solution, id=name, metadata=nbgrader_cell(name, solution=True)),
            new_code_cell(test, id=f"test_{name}", metadata=nbgrader_cell(f"test_{name}", points=POINTS[name])),
        ]
    return new_notebook(cells=cells, metadata={"kernelspec": KERNEL, "language_info": {"name": "python"}})


def released() -> NotebookNode:
    """What students get."""
    from course_lib.grader.intake.released import released_view

    return released_view(source())


def answered(answers: dict[str, str]) -> NotebookNode:
    """The released notebook with answers in it, by the name of the exercise."""
    nb = deepcopy(released())
    for cell in nb.cells:
        cell.source = answers.get(cell.id, cell.source)
    return nb


def make_course(root: Path) -> Path:
    """Write the course into a folder, with the real nbgrader_config.py, a gradebook, and another student's work."""
    (root / "source" / ASSIGNMENT).mkdir(parents=True)
    nbformat.write(source(), root / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    shutil.copy(ROOT / "nbgrader_config.py", root)
    (root / "misconceptions").mkdir()
    (root / "misconceptions" / f"{ASSIGNMENT}.py").write_text(_MISCONCEPTIONS, encoding="utf-8")
    (root / "gradebook.db").write_text(GRADEBOOK, encoding="utf-8")
    hand_in_work(root, "sibling", answered({**RIGHT, "half": f"{RIGHT['half']}  # {SIBLING}"}))
    return root


def hand_in_work(root: Path, student: str, notebook: NotebookNode) -> Path:
    """Put a submission of this assignment into ``submitted/``; returns its folder."""
    folder = root / "submitted" / student / ASSIGNMENT
    folder.mkdir(parents=True)
    (folder / f"{ASSIGNMENT}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return folder
