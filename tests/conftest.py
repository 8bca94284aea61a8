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


@pytest.fixture(scope="session")
def warm_server() -> Iterator["WarmServer"]:
    """A warm process in the sandbox, as grading uses it. Tests start candidates of it, and must not end it."""
    from course_lib.grader.engine.processes import WarmServer
    from course_lib.grader.engine.sandbox import find_sandbox

    server = WarmServer(find_sandbox([ROOT]))
    yield server
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
