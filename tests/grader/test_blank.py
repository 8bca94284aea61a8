"""An exercise that was left as handed out is judged without a process, and only then."""

from typing import Any

import pytest
from nbformat import NotebookNode
from nbgrader.utils import compute_checksum

from course_lib.candidate.limits import Limits
from course_lib.candidate.requests import RunScenario
from course_lib.grader.engine.examiner import Paper, examine
from course_lib.grader.engine.processes import Candidate, WarmServer

from .exam import RIGHT, case, checked, notebook, outcomes, own, paper, solution

STUB = "def f(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
TEST = checked(case("one", "lambda f: f(1)", "2"), case("two", "lambda f: f(2)", "3", hidden=True))
UNWRITTEN = {"one": "not written", "two": "not written"}
PASSED = {"one": "passed", "two": "passed"}


class Counting:
    """A server that counts the scenarios that are sent to its candidates."""

    def __init__(self, server: WarmServer) -> None:
        self.server = server
        self.scenarios = 0

    def start(self, limits: Limits) -> Any:
        candidate = self.server.start(limits)
        ask = candidate.ask

        def counted(request: Any, seconds: float) -> Any:
            self.scenarios += isinstance(request, RunScenario)
            return ask(request, seconds)

        candidate.ask = counted  # type: ignore[method-assign]
        return candidate

    def expect(self, text: str) -> None:
        self.server.expect(text)

    def end(self, pid: int) -> int | None:
        return self.server.end(pid)


def stub(text: str = STUB, name: str = "f") -> NotebookNode:
    """A solution cell that is as it was handed out."""
    cell = solution(text, name)
    cell.metadata["nbgrader"]["checksum"] = compute_checksum(cell)
    return cell


def changed(text: str) -> NotebookNode:
    """A solution cell in which somebody wrote."""
    cell = stub()
    cell.source = text
    return cell


def graded(server: WarmServer, *cells: NotebookNode, on: Paper | None = None) -> tuple[dict[str, str], int]:
    counting: Any = Counting(server)
    (result,) = examine(notebook(*cells, TEST), on or paper(), counting)
    return outcomes(result), counting.scenarios


def test_a_stub_is_not_written_and_no_process_is_asked(warm_server: WarmServer) -> None:
    assert graded(warm_server, stub()) == (UNWRITTEN, 0)


def test_its_record_is_that_of_a_process(warm_server: WarmServer) -> None:
    here = examine(notebook(stub(), TEST), paper(), warm_server)
    comment_added = changed(STUB.replace("YOUR CODE HERE", "later"))
    assert examine(notebook(comment_added, TEST), paper(), warm_server) == here


@pytest.mark.parametrize(
    "cells",
    [
        [changed(RIGHT)],
        [stub(), own(RIGHT)],
        [stub(), own("globals()['f'] = lambda x: x + 1")],
        [stub(), own("exec('def f(x): return x + 1')")],
        [stub(), own("g = lambda x: x + 1\nfrom __main__ import g as f")],
    ],
    ids=["written", "in another cell", "by globals", "by exec", "by an import"],
)
def test_whoever_wrote_it_anywhere_is_asked(warm_server: WarmServer, cells: list[NotebookNode]) -> None:
    assert graded(warm_server, *cells) == (PASSED, 2)


def test_other_stubs_that_name_it_do_not_matter(warm_server: WarmServer) -> None:
    other = stub('def g(x):\n    """Calls f."""\n    raise NotImplementedError()', name="g")
    assert graded(warm_server, stub(), other) == (UNWRITTEN, 0)


def test_after_a_blank_one_a_right_one_is_right_and_a_blank_one_blank(warm_server: WarmServer) -> None:
    shared = paper()
    assert graded(warm_server, stub(), on=shared) == (UNWRITTEN, 0)
    assert graded(warm_server, changed(RIGHT), on=shared) == (PASSED, 2)
    assert graded(warm_server, stub(), on=shared) == (UNWRITTEN, 0)


def test_the_counter_counts(warm_server: WarmServer) -> None:
    assert Candidate.ask  # what is counted is this method's calls
    assert graded(warm_server, changed("def f(x):\n    return x"))[1] == 2
