"""Processes that grade: they stay quiet, leave Ctrl-C to their parent, and end when it ends.

They are no forks of this process: nbgrader changes the working folder, and a process with torch's threads must not be
forked. On Linux they are forks of a process that has done nothing but the imports, so these are done once for all.
"""

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import forkserver
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from course_lib.grader.lean import skip_unused_parsers

P = ParamSpec("P")
T = TypeVar("T")


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Pool(ProcessPoolExecutor):
    """An executor of :mod:`concurrent.futures`, with processes as described above.

    Args:
        processes: how many.
    """

    def __init__(self, processes: int) -> None:
        super().__init__(processes, mp_context=_context(), initializer=_begin)
        if sys.platform == "linux":
            with _ctrl_c_ignored():
                forkserver.ensure_running()  # it imports from now on; the first submit would wait for that

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As any executor's; it is here that processes are started."""
        with _ctrl_c_ignored():
            return super().submit(fn, *args, **kwargs)

    def kill(self) -> None:
        """End the processes at once, whatever they are doing."""
        processes = list((self._processes or {}).values())
        self.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()
        for process in processes:
            process.join()


def get_ready(root: Path, settings: Sequence[tuple[str, str, Any]] = ()) -> None:
    """What a process can do before it has a submission: imports, and starting what runs students' code.

    Kept here, and the imports in it, so that whoever asks for it need not import all that first.
    """
    from course_lib.grader.grading.passes import Passes

    for step in Passes(root, settings).steps():
        prepare = getattr(step, "get_ready", None)
        if prepare is not None:
            prepare()


def lean_and_alone() -> None:
    """What a process that is going to grade does before it imports anything."""
    skip_unused_parsers()
    # A submission for each process and a core for each submission: more threads would only wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def _context() -> BaseContext:
    if sys.platform != "linux":  # elsewhere the system's own libraries do not bear forks
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["course_lib.grader.grading.imported"])
    return context


def _begin() -> None:
    """Called first in each new process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lean_and_alone()
    logging.disable(logging.WARNING)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


@contextmanager
def _ctrl_c_ignored() -> Iterator[None]:
    """What is started meanwhile ignores Ctrl-C from its first moment on, and not only after its imports."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: Any = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
