"""The alarm stops code in this process, also code that does not want to be stopped, and leaves no trace."""

import signal
import sys
import threading
import time

import pytest

from course_lib.checks.alarm import Alarm, TimeIsUp

pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no such signals here"),
    pytest.mark.timeout(60, method="thread"),  # a signal is what the code under test takes for itself
]


def run(act, seconds: float) -> Alarm:
    """As a runner does it: over before stopped, stopped whatever happens."""
    alarm = Alarm(seconds)
    try:
        alarm.start()
        try:
            act()
        finally:
            alarm.over = True
    finally:
        alarm.stop()
    return alarm


def endless():
    while True:
        pass


def catches_everything():
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass


@pytest.mark.parametrize("act", [endless, lambda: time.sleep(60), catches_everything])
def test_it_stops_what_does_not_end(act):
    began = time.monotonic()
    with pytest.raises(TimeIsUp):
        run(act, 0.1)
    assert time.monotonic() - began < 20


def test_it_is_silent_for_what_ends_in_time():
    alarm = run(lambda: None, 0.05)
    time.sleep(0.1)
    assert alarm.rings == 0
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_no_except_exception_holds_it():
    def careful():
        try:
            endless()
        except Exception:
            pytest.fail("caught")

    with pytest.raises(TimeIsUp):
        run(careful, 0.05)


def test_who_had_a_handler_and_a_timer_has_them_again():
    rung = []
    previous = signal.signal(signal.SIGALRM, lambda *args: rung.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        run(lambda: time.sleep(0.01), 5)
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 0.2
        time.sleep(0.3)
        assert rung == [1]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def test_in_another_thread_there_is_none():
    alarms = []
    thread = threading.Thread(target=lambda: alarms.append(run(lambda: time.sleep(0.1), 0.02)))
    thread.start()
    thread.join()
    assert alarms[0].rings == 0


def test_a_ring_after_the_end_raises_nothing():
    alarm = Alarm(1)
    alarm.over = True
    alarm._ring(signal.SIGALRM, sys._getframe())
    assert alarm.rings == 0
