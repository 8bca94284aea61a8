"""Exercises in a notebook's cell: what a name means there, what is hidden, what is refused, and who runs it."""

import linecache
import math
import textwrap
from dataclasses import replace
from itertools import count

import pytest
import torch
import torch.nn.functional as F
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from torch import Tensor, nn

from course_lib import checks
from course_lib.checks.misconception import Misconception
from course_lib.checks.run import InProcessRunner, Observation
from course_lib.checks.session import Session, session
from course_lib.checks.verdict import RESULT_MIME, Outcome

from .exercises import doubling, exercise, outcomes, run, softmax

NUMBERS = count(1)


@pytest.fixture
def notebook():
    """Run a cell's text as a notebook does: one namespace, the text known to Python's tracebacks."""
    space = {"__name__": "__main__", "math": math, "torch": torch, "nn": nn, "F": F, "Tensor": Tensor, "checks": checks}

    def run_cell(text):
        text = textwrap.dedent(text)
        name = f"<cell {next(NUMBERS)}>"
        linecache.cache[name] = (len(text), None, text.splitlines(True), name)
        exec(compile(text, name, "exec"), space)
        return space

    run_cell.space = space
    with session(Session(runner=InProcessRunner(20), show=False)):
        yield run_cell


# ----------------------------------------------------------------------------------------------------- the cell


def test_the_implementation_is_what_the_name_means_when_it_is_scored(notebook):
    notebook("tests = checks.Exercise('double', points=2)\ntests.case('a', lambda f: f(2), expected=4)")
    space = notebook("def double(x):\n    return 2 * x\nscore = tests.score()")
    assert space["score"] == 2.0
    assert type(space["score"]) is float
    assert notebook("def double(x):\n    return x\nscore = tests.score()")["score"] == 0.0


def test_two_answers_may_share_what_one_of_them_stores(notebook):
    """A forward function keeps what its backward function needs under a key; the scenario of one calls both."""
    notebook("stored = {}\n\ndef forward(x):\n    stored[len(stored)] = x\n    return 2 * x, len(stored) - 1")
    notebook("def backward(grad, key):\n    return 2 * grad + 0 * stored[key]")
    space = notebook("""
        def both(f, x):
            return f(3, forward(x)[1])

        tests = checks.Exercise("backward", points=1)
        tests.case("one", lambda f: both(f, 5), expected=6)
        tests.case("another", lambda f: both(f, 7), expected=6)
        score = tests.score()
    """)
    assert space["score"] == 1.0


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ("", "double does not exist. Run the cell that defines it; if it stopped with an error, mend that first."),
        ("double = 3", "double is 3, not a function or a class. Was the name used for something else?"),
        (
            "double = torch.ones(2)",
            "double is tensor([1.0, 1.0]), not a function or a class. Was the name used for something else?",
        ),
        (
            "double = None",
            "double does not exist. Run the cell that defines it; if it stopped with an error, mend that first.",
        ),
    ],
)
def test_a_name_without_a_function_is_missing(notebook, definition, message):
    notebook(definition)
    space = notebook(
        """\
        tests = checks.Exercise("double", points=2)
        tests.case("a", lambda f: f(2), expected=4)
        tests.case("b", lambda f: f(3), expected=6, weight=2)
        score = tests.score()
        """
    )
    result = space["tests"].result
    assert space["score"] == 0.0
    assert outcomes(result) == ["missing", "missing"]
    assert [case.message for case in result.cases] == [message] * 2
    assert [case.weight for case in result.cases] == [1, 2]


def test_a_namespace_may_be_given():
    made = checks.Exercise("double", points=2, namespace={"double": lambda x: 2 * x})
    made.case("a", lambda f: f(2), expected=4)
    with session(Session(show=False)):
        assert made.score() == 2.0


def test_cases_between_the_markers_are_hidden(notebook):
    space = notebook(
        """\
        tests = checks.Exercise("double", points=2, reference=lambda x: 2 * x)
        tests.case("shown", lambda f: f(2))
        ### BEGIN HIDDEN TESTS
        tests.case("hidden", lambda f: f(3))
        for n in (4, 5):
            tests.case(
                f"hidden {n}",
                lambda f, n=n: f(n),
            )
        ### END HIDDEN TESTS
        tests.case("shown again", lambda f: f(6))
        ### BEGIN HIDDEN TESTS
        tests.case("hidden again", lambda f: f(7))
        ### END HIDDEN TESTS
        def double(x):
            return 2 * x
        score = tests.score()
        """
    )
    assert space["score"] == 2.0
    hidden = {case.title: case.hidden for case in space["tests"].result.cases}
    assert hidden == {
        "shown": False,
        "hidden": True,
        "hidden 4": True,
        "hidden 5": True,
        "shown again": False,
        "hidden again": True,
    }


def test_a_stub_is_told_that_it_is_one(notebook):
    space = notebook("def double(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()")
    result = run(doubling(), space["double"])
    assert result.score == 0.0
    assert outcomes(result) == ["not written"] * 3
    assert result.cases[0].message == "f is not written yet: replace the line that raises NotImplementedError"


def test_an_exception_is_shown_with_the_line_of_the_cell(notebook):
    space = notebook("def double(x):\n    y = x\n    return y.shape\n")
    result = run(doubling(), space["double"])
    assert result.cases[0].message == "f stopped with AttributeError: 'int' object has no attribute 'shape'"
    assert result.cases[0].reason == "line 3 of your cell: return y.shape"
    assert result.cases[0].called == "f(0)"


def test_what_cannot_be_used_is_told_from_what_failed(notebook):
    made = exercise()
    made.case("a", lambda f: f()[0], expected=1)
    message = run(made, notebook("def f():\n    pass")["f"]).cases[0].message
    assert message == "what f returned (None) cannot be used: TypeError: 'NoneType' object is not subscriptable"


def test_a_class_is_an_implementation(notebook):
    space = notebook(
        """\
        class Mean:
            def __init__(self, start=0.0):
                self.total, self.count = start, 0
            def update(self, value):
                self.total += value
                self.count += 1
            def compute(self):
                return self.total / self.count
        tests = checks.Exercise("Mean", points=2)
        def scenario(f):
            mean = f(start=1.0)
            mean.update(2.0)
            mean.update(3.0)
            return mean.compute()
        tests.case("two", scenario, expected=3.0)
        score = tests.score()
        """
    )
    assert space["score"] == 2.0
    assert run(space["tests"], type("Empty", (), {})).score == 0.0


def test_a_module_class_is_an_implementation():
    class Dropout(nn.Module):
        def forward(self, x):
            return x if not self.training else x * 0

    made = exercise()
    made.case("eval", lambda f: f().eval()(torch.ones(2)), expected=torch.ones(2))
    assert run(made, Dropout).score == 4.0


# ---------------------------------------------------------------------------------------------------------- refused


def test_a_refused_name_costs_all_points_even_unused(notebook):
    space = notebook(
        """\
        def f(x):
            if x == "never":
                return torch.softmax(x, -1)
            return 2 * x
        """
    )
    made = exercise(reference=lambda x: 2 * x, refused=["softmax"])
    made.case("a", lambda f: f(1))
    result = run(made, space["f"])
    assert result.refused == ("torch.softmax (line 3)",)
    assert result.score == 0.0


def test_what_is_seen_at_work_costs_all_points_too():
    saved = torch.softmax
    made = exercise(reference=softmax, refused=["softmax"])
    made.case("a", lambda f: f(torch.zeros(2)))
    made.case("b", lambda f: 1, expected=1)
    result = run(made, lambda z: saved(z, -1))
    assert result.score == 0.0
    assert outcomes(result) == ["refused", "passed"]
    assert result.refused == ("torch.softmax or its kin (seen at work: the operation aten::softmax)",)
    assert result.cases[0].message == f"f uses {result.refused[0]}"


def test_how_it_was_noticed_in_a_hidden_case_is_not_said():
    saved = torch.softmax
    made = exercise(reference=softmax, refused=["softmax"])
    for title in ("a", "b", "c"):
        made.case(title, lambda f: f(torch.zeros(2)))
    vague = "torch.softmax or its kin (seen at work)"
    made.cases = [replace(case, hidden=True) for case in made.cases]
    result = run(made, lambda z: saved(z, -1))
    assert result.refused == (vague,)
    assert [case.message for case in result.cases] == [f"f uses {vague}"] * 3
    made.cases[1] = replace(made.cases[1], hidden=False)
    shown = run(made, lambda z: saved(z, -1)).cases[1].message
    assert shown == "f uses torch.softmax or its kin (seen at work: the operation aten::softmax)"


def test_a_self_check_below_the_definition_costs_nothing(notebook):
    space = notebook(
        """\
        def f(z):
            out = z.exp()
            return out / out.sum(-1, keepdim=True)

        z = torch.randn(3)
        out = torch.softmax(z, -1)
        assert torch.allclose(f(z), out)
        """
    )
    made = exercise(reference=softmax, refused=["softmax"])
    made.case("a", lambda f: f(torch.zeros(2)))
    assert run(made, space["f"]).score == 4.0


def test_no_misconception_is_named_where_something_is_refused():
    made = exercise(reference=softmax, refused=["softmax"])
    made.case("a", lambda f: f(torch.zeros(2)))
    wrong = Misconception("f", "is not normalised", lambda z: torch.softmax(z, -1) * 2, hint="?")
    assert run(made, wrong.implementation, misconceptions=[wrong]).misconceptions == ()


# ----------------------------------------------------------------------------------------- the grader's runner


class Elsewhere:
    """Stands for the grader's runner, which runs the scenario in another process."""

    def __init__(self, observation):
        self.observation = observation
        self.asked = []

    def run(self, scenario, implementation, *, name, seed, refused=(), hidden=False):
        self.asked.append((name, seed, refused))
        return self.observation


@pytest.mark.parametrize("outcome", [Outcome.CRASHED, Outcome.LIMIT, Outcome.TIMED_OUT])
def test_the_sessions_runner_runs_the_students_code(outcome):
    made = doubling()
    runner = Elsewhere(Observation(checks.Raised(("RuntimeError",), "…"), outcome))
    result = run(made, lambda x: 2 * x, runner=runner)
    assert [case.outcome for case in result.cases] == [outcome] * 3
    assert [(name, seed) for name, seed, _ in runner.asked] == [("f", 0), ("f", 1000), ("f", 2000)]
    assert result.score == 0.0


# ----------------------------------------------------------------------------------------------- a real notebook


def test_a_cell_in_ipython_shows_its_record_and_gives_its_points(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(display_pub_class=CapturingDisplayPublisher)
    shell.history_manager.enabled = False
    try:
        shell.run_cell("import torch\nfrom course_lib import checks").raise_error()
        shell.run_cell("def softmax(z):\n    out = z.exp()\n    return out / out.sum(0)").raise_error()
        came = shell.run_cell(
            "right = lambda z: torch.softmax(z, -1)\n"
            "tests = checks.Exercise('softmax', points=4, reference=right, refused=['softmax'])\n"
            "tests.case('one row', lambda f: f(torch.zeros(2)))\n"
            "### BEGIN HIDDEN TESTS\n"
            "tests.case('two rows', lambda f: f(torch.zeros(2, 3)))\n"
            "### END HIDDEN TESTS\n"
            "tests.score()"
        )
        (shown,) = shell.display_pub.outputs
    finally:
        shell.history_manager.end_session()
        InteractiveShell.clear_instance()
    assert came.result == 2.0
    assert shown["data"].keys() == {"text/html", "text/plain", RESULT_MIME}
    record = shown["data"][RESULT_MIME]
    assert (record["exercise"], record["points"], record["score"]) == ("softmax", 4.0, 2.0)
    assert [(case["title"], case["hidden"], case["outcome"]) for case in record["cases"]] == [
        ("one row", False, "passed"),
        ("two rows", True, "failed"),
    ]
