import contextlib
import io
import os
import sys
import threading
import time

import pytest
import torch
from torch import nn

from course_lib.checks.refused import group
from course_lib.checks.run import InProcessRunner
from course_lib.checks.verdict import Outcome
from course_lib.checks.watch import Watch

legacy = torch._C._autograd
SOFTMAX, CLIP = group("softmax"), group("clip_grad")
TAMPERED = "the check itself (the profiler was switched on or off while your code ran)"


def switch_on():
    profiler = torch._C._profiler
    legacy._enable_profiler_legacy(
        profiler.ProfilerConfig(
            profiler.ProfilerState.CPU, False, False, False, False, False, profiler._ExperimentalConfig()
        )
    )


def hooks():
    return sys.getprofile(), threading.getprofile(), threading._start_new_thread, legacy._profiler_enabled()


@pytest.fixture(autouse=True)
def _hooks_as_before():
    before = hooks()
    assert not before[3]
    yield
    after = hooks()
    with contextlib.suppress(RuntimeError):
        legacy._disable_profiler_legacy()
    sys.setprofile(before[0])
    assert after == before


def test_nothing_used_nothing_found():
    with Watch([SOFTMAX, CLIP]) as watch:
        torch.exp(torch.zeros(2))
    assert watch.found == {}


def test_one_entry_a_group_however_often_it_is_used():
    with Watch([SOFTMAX, CLIP]) as watch:
        for _ in range(3):
            torch.softmax(torch.zeros(2), 0)
            torch.logsumexp(torch.zeros(2), 0)
            nn.utils.get_total_norm([torch.zeros(2)])
    assert sorted(entry.split(" (")[0] for entry in watch.found) == sorted([SOFTMAX.label, CLIP.label])


def test_the_hooks_are_back_after_an_exception():
    # The fixture compares.
    def use():
        torch.softmax(torch.zeros(2), 0)
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"), Watch([SOFTMAX, CLIP]) as watch:
        use()
    assert watch.found


def endless():
    while True:
        torch.softmax(torch.zeros(2), 0)


def swallows_everything():
    while True:
        try:
            while True:
                time.sleep(5)
        except BaseException:
            pass


def small():
    pass


def calls_forever():
    while True:
        small()


@pytest.mark.timeout(60, method="thread")  # a signal is what the code under test takes for itself
@pytest.mark.parametrize("hangs", [endless, swallows_everything, calls_forever])
def test_the_hooks_are_back_after_a_time_out(hangs):
    seen = InProcessRunner(0.2).run(lambda f: f(), hangs, name="f", seed=0, refused=[SOFTMAX, CLIP])
    assert seen.stopped is Outcome.TIMED_OUT
    assert bool(seen.refused) is (hangs is endless)


def test_somebody_elses_profile_hook_is_put_back():
    def hook(*args):
        pass

    before, before_of_threads = sys.getprofile(), threading.getprofile()
    sys.setprofile(hook)
    threading.setprofile(hook)
    try:
        with Watch([CLIP]):
            pass
        assert sys.getprofile() is hook
        assert threading.getprofile() is hook
    finally:
        sys.setprofile(before)
        threading.setprofile(before_of_threads)


def test_a_watch_without_groups_touches_nothing():
    before = hooks()
    with Watch([]):
        assert hooks() == before


def test_the_observer_is_on_only_where_operations_are_watched():
    with Watch([CLIP]):
        assert not legacy._profiler_enabled()
    with Watch([SOFTMAX]):
        assert legacy._profiler_enabled()


def test_a_watch_inside_a_watch_ends_both():
    with Watch([SOFTMAX, CLIP]) as outer, Watch([SOFTMAX, CLIP]) as inner:
        torch.softmax(torch.zeros(2), 0)
    assert inner.found
    assert outer.found == {TAMPERED: None}


def test_a_profiler_that_was_left_on_does_not_blind_the_watch():
    switch_on()
    with Watch([SOFTMAX]) as watch:
        torch.softmax(torch.zeros(2), 0)
    assert [entry.split(" (")[0] for entry in watch.found] == [SOFTMAX.label]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchs_new_profiler_left_on_does_not_blind_the_watch():
    # In a fork: the abandoned profiler prints as its process ends.
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            torch.profiler.profile().__enter__()
            with Watch([SOFTMAX]) as watch:
                torch.softmax(torch.zeros(2), 0)
            os.write(writing, repr(list(watch.found)).encode())
        except BaseException as error:
            os.write(writing, repr(error).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with open(reading) as pipe:
        assert SOFTMAX.label in pipe.read()


def test_switching_the_observer_off_is_found():
    with Watch([SOFTMAX]) as watch:
        legacy._disable_profiler_legacy()
    assert watch.found == {TAMPERED: None}


def test_switching_the_observer_off_and_on_again_is_found():
    with Watch([SOFTMAX]) as watch:
        legacy._disable_profiler_legacy()
        torch.softmax(torch.zeros(2), 0)
        switch_on()
    assert watch.found == {TAMPERED: None}


def test_removing_the_profile_hook_is_found():
    with Watch([CLIP]) as watch:
        sys.setprofile(None)
        nn.utils.get_total_norm([torch.zeros(2)])
    assert watch.found == {TAMPERED: None}


def test_threads_started_by_the_student_are_watched():
    with Watch([SOFTMAX, CLIP]) as watch:
        for use in (lambda: torch.softmax(torch.zeros(2), 0), lambda: nn.utils.get_total_norm([torch.zeros(2)])):
            thread = threading.Thread(target=use)
            thread.start()
            thread.join()
    assert sorted(entry.split(" (")[0] for entry in watch.found) == sorted([SOFTMAX.label, CLIP.label])


def test_a_thread_that_fails_is_watched_to_its_end(monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda args: None)

    def use():
        torch.softmax(torch.zeros(2), 0)
        raise ValueError

    with Watch([SOFTMAX]) as watch:
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
    assert watch.found


def test_nothing_is_printed(capfd):
    with contextlib.redirect_stdout(io.StringIO()) as out, Watch([SOFTMAX, CLIP]):
        torch.softmax(torch.zeros(2), 0)
    assert out.getvalue() == ""
    assert capfd.readouterr() == ("", "")


def test_a_watch_costs_little():
    with Watch([SOFTMAX]):
        pass
    began = time.perf_counter()
    for _ in range(100):
        with Watch([SOFTMAX]):
            pass
    assert time.perf_counter() - began < 0.5
