"""The warm process is shared by all tests of a pytest process: it starts in seconds and keeps nothing of a test."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from IPython.core.interactiveshell import InteractiveShell

if TYPE_CHECKING:
    from course_lib.grader.engine.processes import WarmServer

ROOT = Path(__file__).resolve().parents[1]


_warm: list["WarmServer"] = []


@pytest.fixture
def warm_server() -> "WarmServer":
    """A warm process in the sandbox, as grading uses it. Tests start candidates of it, and must not end it.

    Another one when it has ended by itself, which it does when no test has used it for a quarter of an hour.
    """
    from course_lib.grader.engine.processes import WarmServer
    from course_lib.grader.engine.sandbox import find_sandbox

    if _warm and _warm[0].ended:
        _warm.pop().close()
    if not _warm:
        _warm.append(WarmServer(find_sandbox([ROOT])))
    return _warm[0]


@pytest.fixture(scope="session", autouse=True)
def no_warm_process_is_left_behind() -> Iterator[None]:
    yield
    for server in _warm:
        server.close()


LONGEST = ("test_tests_are_tested.py", "test_audit.py", "test_same_as_in_process.py", "test_every_notebook.py")
"""Files that take minutes. They come first: each runs in one process, which should not be the last one at work."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONGEST)


_MAIN = sys.modules["__main__"]


@pytest.fixture(autouse=True, scope="module")
def no_shell_is_left_behind() -> Iterator[None]:
    """A shell of IPython's that some test has made is the whole process's, and so is its main module."""
    yield
    InteractiveShell.clear_instance()
    sys.modules["__main__"] = _MAIN
