"""Does many jobs in any executor of :mod:`concurrent.futures`, and hands out what comes of each when it is ready.

One job never stops the others: not by failing, not by ending the process that does it, and not by never ending itself.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import TypeVar

from course_lib.grader.course import CourseError
from course_lib.grader.grading.pool import Pool

J = TypeVar("J")
R = TypeVar("R")


@dataclass(frozen=True)
class Lost:
    """Why a job gave no result.

    Attributes:
        why: half a sentence, for a message.
    """

    why: str


class Crew:
    """Those who do the jobs: an executor that is made when it is needed, and made anew when its processes die.

    A context manager, at whose end nobody is left at work.

    Args:
        hire: makes an executor; None to do all jobs in this process.
        hands: how many jobs it does at a time.
    """

    def __init__(self, hire: Callable[[], Executor] | None, hands: int = 1) -> None:
        self._hire = hire
        self._hands = hands
        self._executor: Executor | None = None
        self._getting_ready: Thread | None = None

    @classmethod
    def of(cls, processes: int) -> "Crew":
        """So many processes on this machine; with 1, this process does everything itself."""
        return cls(partial(Pool, processes) if processes > 1 else None, processes)

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        self._dismiss()

    def get_ready(self, act: Callable[..., object], *args: object) -> None:
        """Have everybody do something while there is nothing to do yet: imports, above all. Failing does no harm."""
        if self._hire is None:
            return
        workers = self._workers()

        def tell() -> None:
            with suppress(BrokenExecutor, RuntimeError):
                for _ in range(self._hands):
                    workers.submit(act, *args)

        # Processes are started one by one, and each takes a while; this one has something else to do meanwhile.
        self._getting_ready = Thread(target=tell)
        self._getting_ready.start()

    def each(
        self, work: Callable[[J], R], jobs: Sequence[J], *, seconds: float | None = None
    ) -> Iterator[tuple[J, R | Lost]]:
        """Do jobs and yield each with what came of it, when it is ready.

        No more are begun than needed to keep everybody busy, so that what is ready and not yet fetched stays little.
        When a process dies, the jobs that were begun are done again, each by itself; one that ends two more processes
        when nothing else is at work is lost. So it is when nobody has finished anything for longer than any job may
        take: all who are at work are ended, and what takes as long by itself is lost.

        Args:
            work: a function that can be pickled.
            jobs: what it is called with.
            seconds: more than any job takes, the start of a process included; None for a job that may take for ever,
                as it may in any case where this process does everything itself.

        Raises:
            CourseError: as ``work`` does; any other exception of it makes its job a lost one.
        """
        if self._hire is None or len(jobs) <= 1:
            for job in jobs:
                yield job, _outcome(partial(work, job))
            return
        waiting = list(reversed(jobs))
        begun: dict[Future[R], J] = {}
        suspects: list[J] = []
        while waiting or begun:
            while waiting and not suspects and len(begun) < 2 * self._hands:
                job = waiting.pop()
                try:
                    begun[self._workers().submit(work, job)] = job
                except BrokenExecutor:
                    suspects.append(job)
            done, _ = wait(begun, seconds, FIRST_COMPLETED) if begun else (set(), None)
            late = bool(begun) and not done
            for future in done:
                job = begun.pop(future)
                if isinstance(future.exception(), BrokenExecutor):
                    suspects.append(job)
                else:
                    yield job, _outcome(future.result)
            if suspects or late:
                suspects += begun.values()
                begun.clear()
                self._dismiss()
                for job in suspects:
                    yield job, self._alone(work, job, seconds)
                suspects.clear()

    def _alone(self, work: Callable[[J], R], job: J, seconds: float | None) -> R | Lost:
        for _ in range(2):  # it may have been another job, or another program, the first time
            try:
                future = self._workers().submit(work, job)
                if not wait([future], seconds).done:
                    self._dismiss()
                    return Lost(f"it was not done after {seconds:g} s, and what did it was ended")
                return _outcome(future.result)
            except (BrokenExecutor, CancelledError):
                self._dismiss()
        return Lost("the process that graded it was ended, twice: does it need more memory than there is?")

    def _workers(self) -> Executor:
        self._wait_for_beginners()
        if self._executor is None:
            assert self._hire is not None
            self._executor = self._hire()
        return self._executor

    def _wait_for_beginners(self) -> None:
        if self._getting_ready is not None:
            self._getting_ready.join()
            self._getting_ready = None

    def _dismiss(self) -> None:
        self._wait_for_beginners()
        executor, self._executor = self._executor, None
        if isinstance(executor, Pool):
            executor.kill()
        elif executor is not None:
            executor.shutdown(wait=False, cancel_futures=True)


def _outcome(act: Callable[[], R]) -> R | Lost:
    try:
        return act()
    except (CourseError, BrokenExecutor, CancelledError):
        raise
    except Exception as error:
        return Lost(f"{type(error).__name__}: {error}".strip(": "))
