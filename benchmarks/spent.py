"""Runs a command and says what it took: seconds, and the processor's seconds of everything that it started."""

import ctypes
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from benchmarks.processes import processor_seconds, warm_and_candidates

_PR_SET_CHILD_SUBREAPER = 36
_LOOK_SECONDS = 0.2


class CommandFailed(Exception):
    """A command that is measured ended with an unexpected status."""


@dataclass(frozen=True)
class Spent:
    """What a command took.

    Attributes:
        seconds: from its start to its end.
        processor: seconds of processor time of all its processes.
        output: what it wrote to stdout.
        errors: what it wrote to stderr.
    """

    seconds: float
    processor: float
    output: str = ""
    errors: str = ""


def run(command: Sequence[str], folder: Path, *, status: Sequence[int] = (0,)) -> Spent:
    """Run a command in a folder, with this Python's scripts on the path.

    Processes that outlive their parent are waited for here, and so are counted. A warm process in a sandbox is killed
    with its sandbox, and the kernel then adds its time to nobody's: it is looked at while it runs, some times a second.

    Args:
        command: a script of this Python's environment, and its arguments.
        folder: where to run it.
        status: the exit statuses that are no failure.

    Raises:
        CommandFailed: at any other exit status, with what the command said last.
    """
    adopt_orphans()
    others = _children()
    before = of_children()
    started = monotonic()
    with _sandboxed() as lost:
        done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True)
        seconds = monotonic() - started
    _wait_for_orphans(others)
    if done.returncode not in status:
        raise CommandFailed(f"{' '.join(command)} ended with status {done.returncode}:\n{done.stderr[-2000:]}")
    return Spent(seconds, of_children() - before + sum(lost.values()), done.stdout, done.stderr)


def adopt_orphans() -> None:
    """Become the parent of every descendant that loses its own."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "this system does not let a process adopt its descendants' children")


def _wait_for_orphans(others: set[int]) -> None:
    """Wait for the processes that came to be below this one, but for others, to end: that counts their time."""
    while new := _children() - others:
        for pid in new:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _children() -> set[int]:
    """The processes directly below this one."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # a thread that has just ended
            found |= set(map(int, (task / "children").read_text().split()))
    return found


def of_children() -> float:
    """Processor seconds of all processes below this one that have ended and were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def environment() -> dict[str, str]:
    """The environment for commands: nbgrader calls some of its scripts by their bare names."""
    return {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])}


def script(name: str) -> str:
    """The path of a script of this Python's environment."""
    return str(Path(sys.executable).with_name(name))


@contextmanager
def _sandboxed() -> Iterator[dict[int, float]]:
    """The processor seconds of each warm process that comes to be below this one, with its forks, when last seen."""
    found: dict[int, float] = {}
    others = set(warm_and_candidates(os.getpid())[0])
    over = threading.Event()

    def look() -> None:
        while not over.wait(_LOOK_SECONDS):
            for pid in set(warm_and_candidates(os.getpid())[0]) - others:
                found[pid] = max(found.get(pid, 0.0), processor_seconds(pid))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
