"""Tests run here, students' code elsewhere, and what comes of both is what nbgrader reads."""

import pytest
from nbformat import NotebookNode

from course_lib.grader.annotations import notes_of
from course_lib.grader.engine.examiner import MAX_ALL_CODE, BrokenTest, Paper, examine
from course_lib.grader.engine.processes import WarmServer
from course_lib.grader.engine.roles import Names, names_in

from .exam import (
    RIGHT,
    case,
    checked,
    error_of,
    extra,
    given,
    messages,
    notebook,
    outcomes,
    own,
    paper,
    plain_test,
    printed,
    solution,
)

ONE = case("one", "lambda f: f(1)", "2")


def value_of(cell: NotebookNode) -> str:
    """The value of a cell's last expression; empty when it has none."""
    return next((o.data["text/plain"] for o in cell.outputs if o.output_type == "execute_result"), "")


def value_with(server: WarmServer, answer: str, test: str) -> tuple[str, str]:
    """Value and error of a plain test cell."""
    nb = notebook(solution(answer), plain_test(test))
    examine(nb, paper(), server)
    return value_of(nb.cells[1]), error_of(nb.cells[1])


# ---------------------------------------------------------------------------------------------------- what came of it


def test_a_notebook_is_filled_in_as_jupyter_would(warm_server: WarmServer) -> None:
    nb = notebook(given("import torch"), solution(RIGHT + "\nprint('defined')"), checked(ONE), own("f(41)"))
    (result,) = examine(nb, paper(), warm_server)
    assert (result.exercise, result.score, result.points) == ("f", 1.0, 1.0)
    assert printed(nb.cells[1]) == "defined\n"
    assert value_of(nb.cells[2]) == "1.0"
    assert value_of(nb.cells[3]) == "42"
    assert [cell.execution_count for cell in nb.cells] == [1, 2, None, 3]


def test_the_same_submission_gives_the_same_record(warm_server: WarmServer) -> None:
    answer = "import random, torch\ndef f(x):\n    return x + 1 + round(random.random()) + int(torch.rand(1) > 0.5)"
    cases = [case(str(number), f"lambda f: f({number})", number + 1) for number in range(8)]
    one_paper, other_paper = paper(), paper()
    records = [
        examine(notebook(solution(answer), checked(*map(str, cases))), a_paper, warm_server)
        for a_paper in (one_paper, one_paper, other_paper)
    ]
    assert records[0] == records[1] == records[2]
    assert 0 < records[0][0].score < 8


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("", "missing"),
        ("f = 3", "missing"),
        ("this is not Python (", "missing"),
        ("raise ValueError('before')\n" + RIGHT, "missing"),
        (RIGHT + "\nraise ValueError('afterwards')", "passed"),
        ("def f(x):\n    raise NotImplementedError", "not written"),
        ("def f(x):\n    raise ValueError", "raised"),
        ("def f(x):\n    return x", "failed"),
        ("class f(int):\n    def __new__(cls, x):\n        return 2", "passed"),
    ],
)
def test_an_answer_of_each_kind(warm_server: WarmServer, answer: str, outcome: str) -> None:
    (result,) = examine(notebook(solution(answer), checked(ONE)), paper(), warm_server)
    assert outcomes(result)["one"].startswith(outcome)


@pytest.mark.parametrize(
    ("mine", "answer"),
    [
        (f"prime = 0x{'f' * 4000}", RIGHT),
        ("", f"prime = 0x{'f' * 4000}\n{RIGHT}"),
        (f"deep = {'lambda: ' * 1500}0", RIGHT),
    ],
    ids=["a number that Python does not write", "one in the answer", "nested deeper than Python's stack"],
)
def test_what_a_student_may_write_is_no_failure_of_the_grader(warm_server: WarmServer, mine: str, answer: str) -> None:
    test = checked(ONE, refused="['softmax']")
    (result,) = examine(notebook(own(mine), solution(answer), test), paper(), warm_server)
    assert outcomes(result) == {"one": "passed"}


def test_an_own_cell_may_hold_the_answer_and_its_lines_count(warm_server: WarmServer) -> None:
    nb = notebook(solution(""), own("# mine\n\ndef f(x):\n    return None[0]"), checked(ONE))
    (result,) = examine(nb, paper(), warm_server)
    assert "line 4 of your cell: return None[0]" in str(result.cases[0])


def test_refused_builtins_are_found_in_text_and_at_work(warm_server: WarmServer) -> None:
    test = checked("t.case('s', lambda f: f(torch.zeros(2)), expected=torch.full((2,), 0.5))", refused="['softmax']")
    for answer in (
        "def f(z):\n    return torch.softmax(z, -1)",
        "g = getattr(torch, 'soft' + 'max')\ndef f(z):\n    return g(z, -1)",
    ):
        (result,) = examine(notebook(given("import torch"), solution(answer), test.copy()), paper(), warm_server)
        assert result.refused
        assert result.score == 0.0


# -------------------------------------------------------------------------------------------------- plain test cells


def test_a_plain_test_cell_calls_functions_elsewhere(warm_server: WarmServer) -> None:
    answer = "import os\npids = [os.getpid()]\ndef f(x, *, by=1):\n    return x + by"
    test = "import os\nassert os.getpid() not in pids\nassert f(1) == 2\nassert f(1, by=3) == 4\n5.0"
    assert value_with(warm_server, answer, test) == ("5.0", "")


def test_a_plain_test_cell_gets_data_by_name(warm_server: WarmServer) -> None:
    answer = "import torch\nx = torch.arange(3)\ny = {'a': [1, (2.5, None)]}\nz = object()"
    test = "float(x.tolist() == [0, 1, 2] and y == {'a': [1, [2.5, None]]} and 'object' in str(z))"
    assert value_with(warm_server, answer, test) == ("1.0", "")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("def f(x):\n    return x", "AssertionError: "),
        ("def f(x):\n    raise NotImplementedError('not yet')", "NotImplementedError: not yet"),
        ("def f(x):\n    raise ZeroDivisionError", "ZeroDivisionError: "),
        ("class Own(Exception): pass\ndef f(x):\n    raise Own('mine')", "CallFailed: Own: mine"),
        ("def f(x):\n    raise SystemExit(3)", "CallFailed: SystemExit: 3"),
        ("def f(x):\n    raise SyntaxError('odd')", "SyntaxError: odd"),
        ("import os\ndef f(x):\n    os._exit(1)", "CallFailed: f: crashed: its Python process ended by itself"),
        ("def f(x):\n    while True: pass", "CallFailed: f: timed out: 1 s (limit case_seconds)"),
        ("def f(x):\n    return object()", "CallFailed: f returned an object, which is not plain data"),
        ("", "NameError: name 'f' is not defined"),
        ("f = 3", "TypeError: 'int' object is not callable"),
    ],
)
def test_a_plain_test_cell_that_a_student_stopped_has_an_error(
    warm_server: WarmServer, answer: str, error: str
) -> None:
    value, said = value_with(warm_server, answer, "assert f(1) == 2\n1.0")
    assert value == ""
    assert said.startswith(error)


def test_a_plain_test_cell_may_catch_what_a_student_raises(warm_server: WarmServer) -> None:
    test = "try:\n    f(-1)\n    p = 0.0\nexcept ValueError as error:\n    p = float(str(error) == 'negative')\np"
    assert value_with(warm_server, "def f(x):\n    raise ValueError('negative')", test) == ("1.0", "")


def test_an_equality_of_the_students_own_decides_nothing(warm_server: WarmServer) -> None:
    answer = "class Yes:\n    def __eq__(self, other): return True\n    __hash__ = None\ndef f(x):\n    return Yes()"
    assert value_with(warm_server, answer, "assert f(1) == 2\n1.0")[0] == ""


def test_what_a_test_prints_is_shown(warm_server: WarmServer) -> None:
    nb = notebook(solution(RIGHT), plain_test("import sys\nprint('out')\nprint('err', file=sys.stderr)\n1.0"))
    examine(nb, paper(), warm_server)
    assert printed(nb.cells[1]) == "out\nerr\n"
    assert {output.name for output in nb.cells[1].outputs if output.output_type == "stream"} == {"stdout"}


# ----------------------------------------------------------------------------------------------- a course's own faults


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ("1 / 0", "the test cell test_f fails by itself (ZeroDivisionError: division by zero)"),
        ("this is not Python (", "the cell test_f is not Python (SyntaxError"),
        ("import no_such_module", "the test cell test_f fails by itself (ModuleNotFoundError: No module"),
        ("import torch\nassert torch.zeros(1) == 1\n1.0", "fails by itself (AssertionError"),
        ("from course_lib import checks\nchecks.Exercise('f', points=-1)", "the points of 'f' must be a positive"),
        (
            "from course_lib import checks\nt = checks.Exercise('f', points=1, reference=lambda x: 1 / 0)\n"
            "t.case('broken', lambda f: f(1))\nt.score()",
            "the reference itself raised",
        ),
    ],
)
def test_a_test_that_fails_by_itself_is_never_a_zero(warm_server: WarmServer, test: str, words: str) -> None:
    with pytest.raises(BrokenTest) as info:
        examine(notebook(solution(RIGHT), plain_test(test)), paper(), warm_server)
    assert words in str(info.value)


def test_a_given_cell_that_fails_where_tests_run_is_a_fault_of_the_course(warm_server: WarmServer) -> None:
    with pytest.raises(BrokenTest, match=r"the cell given fails where tests run \(KeyError: 'no'\)"):
        examine(notebook(given("{}['no']"), solution(RIGHT), checked(ONE)), paper(), warm_server)


# ------------------------------------------------------------------------------------------------- what runs where


def test_given_cells_run_on_both_sides(warm_server: WarmServer) -> None:
    nb = notebook(
        given("import math\nbase = 1"),
        solution("def f(x):\n    return math.floor(x + base)"),
        checked(case("floor", "lambda f: f(math.pi)", "math.floor(math.pi + base)")),
    )
    (result,) = examine(nb, paper(), warm_server)
    assert result.score == 1.0


def test_a_student_cannot_change_what_tests_take_from_given_cells(warm_server: WarmServer) -> None:
    nb = notebook(
        given("base = 1"),
        solution("base = 5\ndef f(x):\n    return x + base"),
        checked(case("base", "lambda f: f(1)", "1 + base")),
    )
    (result,) = examine(nb, paper(), warm_server)
    assert result.score == 0.0


def test_an_ungraded_cell_runs_where_something_needs_it(warm_server: WarmServer) -> None:
    def cells() -> NotebookNode:
        return notebook(
            extra("def helper(x):\n    return x + 1\nprint('helper')", "helper"),
            extra("print('picture')\nfigure = 1", "picture"),
            solution("def f(x):\n    return helper(x)"),
            checked(ONE),
        )

    nb = cells()
    (result,) = examine(nb, paper(), warm_server)
    assert result.score == 1.0
    assert [printed(cell) for cell in nb.cells[:2]] == ["helper\n", ""]
    nb = cells()
    with_all = paper()
    with_all.extras = True
    examine(nb, with_all, warm_server)
    assert [printed(cell) for cell in nb.cells[:2]] == ["helper\n", "picture\n"]


def test_an_ungraded_cell_that_a_test_needs_runs_here_too(warm_server: WarmServer) -> None:
    nb = notebook(
        extra("numbers = [1, 2]", "data"),
        solution(RIGHT),
        checked(case("all", "lambda f: [f(n) for n in numbers]", "[n + 1 for n in numbers]")),
    )
    (result,) = examine(nb, paper(), warm_server)
    assert result.score == 1.0


def test_a_scenario_may_use_another_of_the_students_functions(warm_server: WarmServer) -> None:
    """It is the student's own that is called, in the student's process; and the next student's the next time."""
    test = checked(case("both", "lambda f: f(helper(1))", "3"))
    shared = paper()
    for helper, score in (("def helper(x):\n    return x + 1", 1.0), ("def helper(x):\n    return x", 0.0)):
        (result,) = examine(notebook(own(helper), solution(RIGHT), test.copy()), shared, warm_server)
        assert result.score == score


def test_names_of_an_earlier_test_cell_are_there_for_the_next(warm_server: WarmServer) -> None:
    nb = notebook(
        solution(RIGHT),
        plain_test("tolerance = 0.5\n1.0", "one"),
        plain_test("float(abs(f(1) - 2) < tolerance)", "two"),
    )
    examine(nb, Paper(), warm_server)
    assert value_of(nb.cells[2]) == "1.0"


def test_messages_say_what_came_of_data_beyond_the_limits(warm_server: WarmServer) -> None:
    answer = "import torch\ndef f(x):\n    return torch.zeros(70_000_000, dtype=torch.uint8)"
    (result,) = examine(notebook(solution(answer), checked(ONE)), paper(), warm_server)
    assert outcomes(result) == {"one": "limit exceeded"}
    assert "70 MB of data, more than 64 MB" in messages(result)["one"]


# ------------------------------------------------------------------------------------------------- how much code


def test_of_more_code_than_is_run_answers_come_first_and_a_note_says_so(warm_server: WarmServer) -> None:
    filler = "\n#" + "x" * (MAX_ALL_CODE // 2 - len("print(1)\n#"))  # two of these leave no room for anything
    cells = [own(f"print({number}){filler}", number) for number in (1, 2)]
    nb = notebook(*cells, solution(RIGHT), checked(ONE), own("print('small')", 3))
    (result,) = examine(nb, paper(), warm_server)
    assert result.score == 1.0
    assert [printed(cell).strip() for cell in nb.cells] == ["1", "", "", "", "small"]
    assert error_of(cells[1]) == f"ValueError: Not run: this notebook has more than {MAX_ALL_CODE} characters of code."
    assert filler not in cells[1].source
    (note,) = notes_of(nb)
    assert note.endswith(f"more than {MAX_ALL_CODE}; cells for which there was no room were not run: own-2.")
    assert note.startswith("The submission held ")


def test_a_text_is_looked_through_once_however_many_tests_there_are(
    warm_server: WarmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def counted(source: str) -> Names:
        looked.append(source)
        return names_in(source)

    monkeypatch.setattr("course_lib.grader.engine.examiner.names_in", counted)
    monkeypatch.setattr("course_lib.grader.engine.roles.names_in", counted)
    answers = [solution(RIGHT.replace("f(x)", f"f{number}(x)"), f"f{number}") for number in range(3)]
    tests = [checked(ONE, name=f"f{number}") for number in range(3)]
    examine(notebook(own("y = 3"), *answers, *tests), paper(), warm_server)
    assert [looked.count(cell.source) for cell in (*answers, *tests)] == [1] * 6
    assert looked.count("y = 3") == 1
