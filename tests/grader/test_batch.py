"""A crew does all its jobs, whatever some of them do to it."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from course_lib.grader.course import CourseError
from course_lib.grader.grading.batch import Crew, Lost

from .conftest import ROOT

# Not from .workers: pytest knows test modules by names under which no other process can import them.
sys.path.insert(0, str(ROOT))
from tests.grader.workers import work

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the tests end processes by POSIX signals")
KILLED = Lost("the process that graded it was ended, twice: does it need more memory than there is?")


@pytest.mark.parametrize("hands", [1, 2])
def test_all_jobs_are_done_and_a_failing_one_stops_no_other(hands: int) -> None:
    jobs = ["a", "fail", "b", "c"]
    with Crew.of(hands) as crew:
        results = dict(crew.each(work, jobs))
    assert results == {"a": "done a", "fail": Lost("ValueError: as asked for"), "b": "done b", "c": "done c"}


def test_a_job_that_ends_its_process_is_lost_alone(tmp_path: Path) -> None:
    once = f"die-once {tmp_path / 'died'}"
    jobs = ["a", "die", "b", once, "c", "d"]
    with Crew.of(2) as crew:
        results = dict(crew.each(work, jobs))
        assert dict(crew.each(work, ["e", "f"])) == {"e": "done e", "f": "done f"}
    assert results == {**{job: f"done {job}" for job in jobs}, "die": KILLED}


def test_a_job_that_never_ends_is_lost_alone() -> None:
    jobs = ["a", "sleep 600", "b", "sleep 601", "c", "fail"]
    seconds = 15.0  # for the start of a process, on a busy machine
    began = time.monotonic()
    with Crew.of(2) as crew:
        results = dict(crew.each(work, jobs, seconds=seconds))
        assert dict(crew.each(work, ["d", "e"], seconds=seconds)) == {"d": "done d", "e": "done e"}
    late = Lost("it was not done after 15 s, and what did it was ended")
    failed = Lost("ValueError: as asked for")
    assert results == {**{job: f"done {job}" for job in "abc"}, "sleep 600": late, "sleep 601": late, "fail": failed}
    assert time.monotonic() - began < 300


def test_jobs_have_the_time_for_themselves_and_not_all_together() -> None:
    jobs = [f"sleep {1 + 0.001 * number}" for number in range(12)]
    with Crew.of(2) as crew:
        dict(crew.each(work, ["a", "b"]))  # both processes are there
        assert dict(crew.each(work, jobs, seconds=5.0)) == {job: f"done {job}" for job in jobs}


@pytest.mark.parametrize("hands", [1, 2])
def test_what_a_user_can_mend_ends_it(hands: int) -> None:
    with Crew.of(hands) as crew, pytest.raises(CourseError, match="not here"):
        list(crew.each(work, ["refuse", "a", "b"]))


def test_nobody_is_left_at_work_when_it_is_stopped() -> None:
    started = time.monotonic()
    with Crew.of(2) as crew:
        next(crew.each(work, ["sleep 0", "sleep 600", "sleep 600"]))
    assert time.monotonic() - started < 60


def test_any_executor_will_do_and_gets_few_jobs_at_a_time() -> None:
    begun = []

    def remember(job: int) -> int:
        begun.append(job)
        return -job

    with Crew(lambda: ThreadPoolExecutor(3), 3) as crew:
        results = crew.each(remember, range(1000))
        first = [next(results) for _ in range(10)]
        assert len(begun) <= 10 + 2 * 3
        assert sorted([*first, *results]) == [(job, -job) for job in range(1000)]


def test_processes_end_when_the_main_process_is_killed() -> None:
    main = subprocess.Popen([sys.executable, "-m", "tests.grader.workers"], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert main.stdout is not None
        main.stdout.readline()
        if not Path(f"/proc/{main.pid}/task/{main.pid}/children").exists():
            pytest.skip("this system does not tell a process's children")
        until = time.monotonic() + 60
        # Two, the process that they are forks of, and the one that multiprocessing keeps count with.
        while len(pids := _below(main.pid)) < 4:
            assert time.monotonic() < until
            time.sleep(0.05)
        time.sleep(1)
        main.send_signal(signal.SIGKILL)
        while any(Path(f"/proc/{pid}").exists() and not _ended(pid) for pid in pids):
            assert time.monotonic() < until, "a process outlived the one that it worked for"
            time.sleep(0.05)
    finally:
        main.kill()
        main.wait()
        if main.stdout:
            main.stdout.close()


def _below(pid: int | str) -> list[str]:
    """All that a process has started, directly or not."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [*children, *(found for child in children for found in _below(child))]


def _ended(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True
