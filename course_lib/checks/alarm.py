"""An alarm that stops code in this process: what a time limit can be where there is no other process to enforce it."""

import signal
import threading
import time
from types import CodeType, FrameType
from typing import Any

from course_lib.checks.watch import HOOK


class TimeIsUp(BaseException):
    """Raised by the alarm; no ``except Exception`` of a student holds it."""


class Alarm:
    """Raises :class:`TimeIsUp` after so many seconds, and again and again for who catches everything."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.over = False
        self.rings = 0
        self._previous: Any = None
        self._timer = (0.0, 0.0)
        self._began = 0.0
        self._works = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()

    def start(self) -> None:
        """Set the alarm (on POSIX systems, in the main thread; elsewhere there is none)."""
        if self._works:
            self._began = time.monotonic()
            self._previous = signal.signal(signal.SIGALRM, self._ring)
            self._timer = signal.setitimer(signal.ITIMER_REAL, self.seconds, 0.5)

    def stop(self) -> None:
        """Put the alarm, and the timer that somebody else may have set, back."""
        if self._works:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._previous)
            left, interval = self._timer
            if left:
                signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - self._began), 0.001), interval)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        if self.over:
            return
        if _inside(HOOK, frame):
            signal.setitimer(signal.ITIMER_REAL, 1e-4, 0.5)
            return
        self.rings += 1
        if self.rings > 2:
            # A loop around `try: … except: pass` swallows every ring that falls into its `try`. At uneven intervals of
            # microseconds one soon falls beside it.
            signal.setitimer(signal.ITIMER_REAL, 1e-6 * (1 + self.rings * 37 % 101), 0.5)
        raise TimeIsUp


def _inside(code: CodeType, frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back
    return frame is not None
