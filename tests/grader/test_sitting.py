"""A crash, a hang or a limit costs the cell or the case in which it happens; everything else goes on."""

import pytest

from course_lib.candidate.limits import Limits
from course_lib.grader.annotations import notes_of
from course_lib.grader.engine import sitting
from course_lib.grader.engine.examiner import examine
from course_lib.grader.engine.processes import WarmServer

from .exam import (
    QUICK,
    RIGHT,
    case,
    checked,
    error_of,
    given,
    messages,
    notebook,
    outcomes,
    own,
    paper,
    printed,
    solution,
)


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitting, "_GRACE", 0.5)


THREE = (
    case("before", "lambda f: f(1)", "2"),
    case("it", "lambda f: f(0)", "1"),
    case("after", "lambda f: f(2)", "3"),
)
STUBBORN = "import signal, time\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\ntime.sleep(60)"
CATCHES = "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass"


def indented(text: str) -> str:
    return text.replace("\n", "\n        ")


# ------------------------------------------------------------------------------------------------------------- a case


@pytest.mark.parametrize(
    ("harm", "outcome", "words"),
    [
        ("import os\nos._exit(1)", "crashed", "exit status 1"),
        ("import ctypes\nctypes.string_at(0)", "crashed", "SIGSEGV"),
        ("while True:\n    pass", "timed out", "1 s (limit case_seconds)"),
        (CATCHES, "timed out", "1 s (limit case_seconds)"),
        (STUBBORN, "timed out", "1 s (limit case_seconds)"),
        ("b = bytearray(10**9)", "limit exceeded", "more than 300 MB of memory (limit memory_mb)"),
        ("open('x', 'wb').write(bytes(3 * 10**6))", "limit exceeded", "a file of more than 2 MB (limit file_mb)"),
        (
            "for n in range(4):\n    with open(str(n), 'wb') as file:\n        file.write(bytes(15 * 10**5))",
            "limit exceeded",
            "wrote more than 4 MB of files (limit scratch_mb)",
        ),
        (
            "many = [open('/dev/null') for _ in range(100)]",
            "limit exceeded",
            "more than 50 files open (limit open_files)",
        ),
    ],
    ids=["exit", "segfault", "loop", "catches", "stubborn", "memory", "file", "files", "descriptors"],
)
def test_harm_in_one_case_costs_that_case(warm_server: WarmServer, harm: str, outcome: str, words: str) -> None:
    text = f"def f(x):\n    if x == 0:\n        {indented(harm)}\n    return x + 1"
    limits = Limits(1.0, 1.0, 30.0, memory_mb=300, file_mb=2, scratch_mb=4, open_files=50)
    (result,) = examine(notebook(solution(text), checked(*THREE)), paper(limits), warm_server)
    assert outcomes(result) == {"before": "passed", "it": outcome, "after": "passed"}
    assert words in messages(result)["it"]
    assert result.score == 2.0


def test_what_cells_defined_is_there_again_after_a_crash(warm_server: WarmServer) -> None:
    text = "import os\ndef f(x):\n    return helper(x) if x else os._exit(1)"
    nb = notebook(given("base = 1"), own("def helper(x):\n    return x + base"), solution(text), checked(*THREE))
    (result,) = examine(nb, paper(), warm_server)
    assert outcomes(result) == {"before": "passed", "it": "crashed", "after": "passed"}
    assert notes_of(nb) == ("The process that ran this notebook was lost or cut off, and replaced 1 time.",)


def test_a_crash_in_a_hidden_case_costs_no_visible_one_and_the_other_way_round(warm_server: WarmServer) -> None:
    cases = (
        case("seen", "lambda f: f(0)", "1"),
        case("hidden", "lambda f: f(-1)", "0", hidden=True),
        case("hidden too", "lambda f: f(1)", "2", hidden=True),
        case("seen too", "lambda f: f(1)", "2"),
    )
    text = "import os\ndef f(x):\n    return x + 1 if x > 0 else os._exit(7)"
    (result,) = examine(notebook(solution(text), checked(*cases)), paper(), warm_server)
    assert outcomes(result) == {"seen": "crashed", "hidden": "crashed", "hidden too": "passed", "seen too": "passed"}


def test_who_hung_once_gets_a_fifth(warm_server: WarmServer) -> None:
    text = "import time\ndef f(x):\n    time.sleep(60)"
    (result,) = examine(notebook(solution(text), checked(*THREE)), paper(), warm_server)
    first, *others = messages(result).values()
    assert "within 1 s (limit case_seconds)" in first
    assert all("within 0.2 s (limit case_seconds: a fifth of it, as a case before had hung)" in said for said in others)


# ------------------------------------------------------------------------------------------------------------- a cell


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        ("import os\nos._exit(1)", "ProcessEnded: this cell ended the process that ran it (its Python process ended"),
        (STUBBORN, "CellTimeout: this cell was cut off after 1 s (limit cell_seconds); its output is lost"),
        (CATCHES, "CellTimeout: this cell was "),
        ("while True:\n    pass", "CellTimeout: this cell was stopped after 1 s (limit cell_seconds)"),
    ],
    ids=["exit", "stubborn", "catches", "loop"],
)
def test_harm_in_one_cell_costs_that_cell(warm_server: WarmServer, harm: str, words: str) -> None:
    nb = notebook(
        own("def helper(x):\n    return x + 1\nprint('before')", 1),
        own(harm, 2),
        solution("def f(x):\n    return helper(x)"),
        checked(case("visible", "lambda f: f(1)", "2"), case("hidden", "lambda f: f(2)", "3", hidden=True)),
    )
    (result,) = examine(nb, paper(), warm_server)
    assert result.score == 2.0
    assert error_of(nb.cells[1]).startswith(words)
    assert printed(nb.cells[0]) == "before\n"


def test_a_loop_that_prints_keeps_what_it_printed(warm_server: WarmServer) -> None:
    nb = notebook(own("print('first')\nwhile True:\n    pass"))
    examine(nb, paper(), warm_server)
    assert printed(nb.cells[0]) == "first\n"


def test_cells_run_once_where_nothing_is_lost(warm_server: WarmServer) -> None:
    """And only their last run is shown, however often a process is replaced."""
    nb = notebook(own("print('shown')", 1), own("import os\nos._exit(1)", 2), own("print('then')", 3))
    examine(nb, paper(), warm_server)
    assert [printed(cell) for cell in nb.cells] == ["shown\n", "", "then\n"]


# ------------------------------------------------------------------------------------------------------ the submission


def test_a_submission_has_a_time_of_its_own(warm_server: WarmServer) -> None:
    limits = Limits(cell_seconds=30.0, case_seconds=30.0, submission_seconds=1.0)
    nb = notebook(
        own("print('done')", 1),
        own("import time\ntime.sleep(60)", 2),
        own("print('late')", 3),
        solution(RIGHT),
        checked(*THREE),
    )
    (result,) = examine(nb, paper(limits), warm_server)
    assert printed(nb.cells[0]) == "done\n"
    assert "CellTimeout" in error_of(nb.cells[1])
    assert error_of(nb.cells[2]) == (
        "OutOfTime: not run: the cells before it used up the notebook's 1 s (limit submission_seconds)"
    )
    assert set(outcomes(result).values()) == {"timed out"}
    assert "1 s (limit submission_seconds)" in messages(result)["before"]


def test_cells_that_hang_every_process_end_with_the_submissions_time(warm_server: WarmServer) -> None:
    limits = Limits(cell_seconds=0.3, case_seconds=0.3, submission_seconds=3.0)
    nb = notebook(*(own("import os\nos._exit(1)", number) for number in range(200)))
    examine(nb, paper(limits), warm_server)
    assert error_of(nb.cells[0]).startswith("ProcessEnded")
    assert error_of(nb.cells[-1]).startswith(("OutOfTime", "ProcessEnded"))


# ------------------------------------------------------------------------------------------------------- by exercise


def test_an_exercise_may_have_more_memory_than_the_others(warm_server: WarmServer) -> None:
    hungry = "def {}(x):\n    b = bytearray(500 * 10**6)\n    return len(b)"
    cases = case("needs much", "lambda f: f(1)", "500_000_000")
    nb = notebook(
        solution(hungry.format("f"), "f"),
        checked(cases, name="f"),
        solution(hungry.format("g"), "g"),
        checked(cases, case("again", "lambda f: f(2)", "500_000_000", hidden=True), name="g"),
        solution(hungry.format("h"), "h"),
        checked(cases, name="h"),
    )
    limits = Limits(memory_mb=300, case_seconds=10)
    results = examine(nb, paper(limits, g={"memory_mb": 900}), warm_server)
    assert [result.score for result in results] == [0.0, 2.0, 0.0]
    for result in (results[0], results[2]):
        assert "300 MB of memory (limit memory_mb)" in messages(result)["needs much"]


def test_an_exercise_may_have_more_time_for_its_cell_and_its_cases(warm_server: WarmServer) -> None:
    slow = "import time\ntime.sleep(0.8)\ndef {}(x):\n    time.sleep(0.8)\n    return x + 1"
    cases = case("slow", "lambda f: f(1)", "2")
    nb = notebook(
        *(solution(slow.format("f"), "f"), checked(cases, name="f")),
        *(solution(slow.format("g"), "g"), checked(cases, name="g")),
    )
    limits = Limits(cell_seconds=0.4, case_seconds=0.4)
    results = examine(nb, paper(limits, g={"cell_seconds": 5.0, "case_seconds": 5.0}), warm_server)
    assert [outcomes(result)["slow"] for result in results] == ["missing", "passed"]
    assert error_of(nb.cells[0]) == "CellTimeout: this cell was stopped after 0.4 s (limit cell_seconds)"


# -------------------------------------------------------------------------------------------------------------- apart


def test_notebooks_one_after_the_other_share_nothing(warm_server: WarmServer) -> None:
    leaves = (
        "import torch, builtins\ntorch.leftover = builtins.leftover = 1\nopen('leftover', 'w').write('x')\nleftover = 1"
    )
    looks = "import torch, os\nprint(hasattr(torch, 'leftover'), 'leftover' in globals(), os.listdir())\nleftover"
    one, other = notebook(own(leaves)), notebook(own(looks))
    examine(one, paper(), warm_server)
    examine(other, paper(), warm_server, files={"data/a.txt": b"1"})
    assert printed(other.cells[0]) == "False False ['data']\n"
    assert error_of(other.cells[0]) == "NameError: name 'leftover' is not defined"


def test_what_a_hidden_case_leaves_behind_reaches_no_cell_and_no_visible_case(warm_server: WarmServer) -> None:
    text = "seen = []\ndef f(x):\n    seen.append(x)\n    open('seen', 'a').write(str(x))\n    return x + 1"
    nb = notebook(
        solution(text),
        checked(case("hidden", "lambda f: f(12345)", "12346", hidden=True), case("visible", "lambda f: f(1)", "2")),
        own("print(seen, open('seen').read())"),
    )
    (result,) = examine(nb, paper(), warm_server)
    assert result.score == 2.0
    assert printed(nb.cells[2]) == "[1] 1\n"


def test_files_beside_the_notebook_are_in_both_processes(warm_server: WarmServer) -> None:
    text = "def f(x):\n    return int(open('number.txt').read())"
    cases = (case("visible", "lambda f: f(0)", "7"), case("hidden", "lambda f: f(0)", "7", hidden=True))
    (result,) = examine(
        notebook(solution(text), checked(*cases)), paper(QUICK), warm_server, files={"number.txt": b"7"}
    )
    assert result.score == 2.0
