"""nbgrader's own steps, run in this process with the course's ``nbgrader_config.py``.

Each step is the converter that the command ``nbgrader <step>`` runs. Its log is kept, for a message when it fails.
The converters change the working folder and environment variables while they run: use processes, not threads.
"""

import datetime
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback
from nbgrader.converters.base import BaseConverter
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from course_lib.grader.configuration import load_config as load_config

_BUSY_SECONDS = 120


class StepFailed(Exception):
    """A step of nbgrader's did not finish.

    Attributes:
        reason: the last line of what went wrong.
        log: all that nbgrader logged meanwhile.
    """

    def __init__(self, reason: str, log: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.log = log


class _CourseDirectory(CourseDirectory):  # type: ignore[misc]
    """nbgrader's course directory, for which an unreadable ``timestamp.txt`` is no reason to drop a student."""

    def get_existing_timestamp(self, dest_path: str) -> datetime.datetime | None:
        try:
            return super().get_existing_timestamp(dest_path)  # type: ignore[no-any-return]
        except Exception as error:  # nbgrader calls a method here that it does not have
            self.log.warning("The timestamp in %s cannot be read (%s); going on without one", dest_path, error)
            return None


class _OneNotebook(BaseConverter):  # type: ignore[misc]
    """A converter for one student's one notebook, found by its path.

    nbgrader looks for both with patterns, so that a student called ``a*`` would be graded with the work of ``ada``.
    """

    def init_notebooks(self) -> None:
        course = self.coursedir
        folder = self._format_source(course.assignment_id, course.student_id)
        self.notebooks: list[str] = []
        self.assignments = {folder: [os.path.join(folder, f"{course.assignment_id}.ipynb")]}


class _Autograde(_OneNotebook, Autograde):  # type: ignore[misc]
    pass


class _GenerateFeedback(_OneNotebook, GenerateFeedback):  # type: ignore[misc]
    pass


def course_directory(
    root: Path, config: Config | None = None, *, busy_seconds: int = _BUSY_SECONDS, **traits: Any
) -> Any:
    """Nbgrader's view of a course folder.

    Args:
        root: the course folder, an absolute path.
        config: a configuration to use instead of the folder's own.
        busy_seconds: how long SQLite waits for a gradebook that another program writes.
        **traits: what to set otherwise than the configuration does, such as ``student_id``.
    """
    directory = _CourseDirectory(config=config or load_config(root), root=str(root), **traits)
    directory.db_url = _patient(directory.db_url, busy_seconds)
    _put_scripts_on_path()
    return directory


def _patient(db_url: str, seconds: int) -> str:
    """Let SQLite wait: after its 5 s nbgrader would give up the whole class.

    Not in the configuration file, because ``nbgrader db upgrade`` takes the URL's end for a file name.
    """
    return f"{db_url}?timeout={seconds}" if db_url.startswith("sqlite:///") and "?" not in db_url else db_url


def _put_scripts_on_path() -> None:
    """A new gradebook makes nbgrader call `alembic`, which lies beside this Python, activated or not."""
    scripts, path = str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)
    if scripts not in path.split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([scripts, path])


def generate_assignment(course: Any, *, database: bool = True) -> str:
    """``nbgrader generate_assignment --force`` for ``course.assignment_id``; returns the log.

    Args:
        course: nbgrader's view of the course.
        database: whether the gradebook learns the cells; without it as ``nbgrader generate_assignment --no-db``.
    """
    config = deepcopy(course.config)
    if not database:
        config.SaveCells.enabled = False
    return _run(GenerateAssignment(coursedir=course, config=config, force=True, no_database=not database))


def autograde(course: Any) -> str:
    """``nbgrader autograde --force`` for ``course.assignment_id`` and ``course.student_id``; returns the log."""
    return _run(_Autograde(coursedir=course, config=course.config, force=True))


def generate_feedback(course: Any) -> str:
    """``nbgrader generate_feedback --force``, for the same two as :func:`autograde`; returns the log."""
    return _run(_GenerateFeedback(coursedir=course, config=course.config, force=True))


def coursedir_of(plugin: Any) -> Any:
    """The course directory that a preprocessor works for: nbgrader hands it to the converter, two parents up."""
    owner = plugin
    while owner is not None:
        if getattr(owner, "coursedir", None) is not None:
            return owner.coursedir
        owner = getattr(owner, "parent", None)
    raise RuntimeError(f"{type(plugin).__name__} runs only inside an nbgrader step, which says where the course is")


@contextmanager
def calm() -> Iterator[None]:
    """Leave out the warnings that nbgrader's own use of its libraries raises: nobody here can act on them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _run(converter: BaseConverter) -> str:
    # nbgrader's own `capture_log` swallows Ctrl-C; this lets it through.
    lines = _Lines()
    log = converter.log
    level = log.level
    log.addHandler(lines)
    log.setLevel(logging.INFO)
    try:
        with calm():
            converter.start()
    except Exception as error:
        text = "\n".join(lines.messages)
        raise StepFailed(_reason(lines.messages, error), text) from error
    finally:
        log.setLevel(level)
        log.removeHandler(lines)
    return "\n".join(lines.messages)


def _reason(messages: list[str], error: Exception) -> str:
    """The line that says most: the end of the logged traceback, if nbgrader logged one."""
    for message in messages:
        if message.startswith("Traceback"):
            return message.strip().splitlines()[-1]
    return str(error) or type(error).__name__


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())
