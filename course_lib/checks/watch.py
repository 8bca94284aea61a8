"""What torch does while a scenario runs: refused operations, seen by torch's dispatcher itself.

The autograd profiler's thread-local observer sits in the dispatcher and reports every operation by name before it is
taken apart (``aten::linear``, not its ``aten::addmm``), so it does not matter whether a student reached it by a
function, a method, a module, a saved reference, ``torch.ops``, ``torch.func`` or a script. Libraries that have
no operation of their own are seen by the files whose functions are entered.
"""

import secrets
import sys
import threading
from collections.abc import Callable, Sequence
from itertools import chain
from operator import methodcaller
from types import FrameType, TracebackType
from typing import Any

import torch

from course_lib.checks.refused import Group, refuses_file, refuses_function, refuses_operation

_profiler = torch._C._autograd
TAMPERED = "the check itself (the profiler was switched on or off while your code ran)"
"""What is said to be refused when the observer was tampered with."""
_AT_WORK = " (seen at work"


class Watch:
    """Records uses of refused built-ins between ``with`` and its end; read :attr:`found` afterwards.

    Raises nothing itself: the student's code runs on undisturbed, and what it used is reported after it.
    """

    def __init__(self, groups: Sequence[Group]) -> None:
        self.groups = tuple(groups)
        self.found: dict[str, None] = {}
        self._files = [group for group in self.groups if group.files]
        self._operations = [group for group in self.groups if group.operations]
        self._seen_files: dict[str, list[Group]] = {}
        self._start_thread: Callable[..., Any] | None = None
        self._previous: Any = None
        self._previous_of_threads: Any = None
        self._mark = ""
        self._hook: Any = None

    def __enter__(self) -> "Watch":
        if self._operations:
            self._start()
            # The observer is thread-local: threads that the student starts get one each.
            self._start_thread = threading._start_new_thread  # type: ignore[attr-defined]
            threading._start_new_thread = self._watched_thread  # type: ignore[attr-defined]
        if self._files:
            self._previous, self._previous_of_threads = sys.getprofile(), threading.getprofile()
            self._hook = self._entered
            threading.setprofile(self._hook)
            sys.setprofile(self._hook)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._files:
            if sys.getprofile() is not self._hook:
                self.found[TAMPERED] = None
            sys.setprofile(self._previous)
            threading.setprofile(self._previous_of_threads)
        if self._operations:
            threading._start_new_thread = self._start_thread  # type: ignore[attr-defined]
            self._stop()

    def _start(self) -> None:
        kineto_free = torch._C._profiler.ProfilerState.CPU
        config = torch._C._profiler.ProfilerConfig(
            kineto_free, False, False, False, False, False, torch._C._profiler._ExperimentalConfig()
        )
        try:
            _profiler._enable_profiler_legacy(config)
        except RuntimeError:
            # Somebody's profiler is on already (a student's cell left it on): end that one, ours is the one that
            # counts.
            if _profiler._profiler_type() == torch._C._profiler.ActiveProfilerType.KINETO:
                _profiler._disable_profiler()
            else:
                _profiler._disable_profiler_legacy()
            _profiler._enable_profiler_legacy(config)
        # The first event is ours. Without it the observer was off for a while, whoever switched it on again.
        self._mark = f"course_lib {secrets.token_hex(8)}"
        with torch.autograd.profiler.record_function(self._mark):
            pass

    def _stop(self) -> None:
        try:
            threads = _profiler._disable_profiler_legacy()
        except RuntimeError:
            self.found[TAMPERED] = None
            return
        # In their order, each once: there are few names of many thousands of events.
        names = dict.fromkeys(map(methodcaller("name"), chain.from_iterable(threads)))
        if self._mark not in names:
            self.found[TAMPERED] = None
        for name in names:
            self._judge(name)

    def _judge(self, name: str) -> None:
        for group in self._operations:
            if refuses_operation(group, name):
                self._add(group, "its backward pass" if name.startswith("autograd::") else f"the operation {name}")

    def _add(self, group: Group, seen: str) -> None:
        """Note the first use of each group; a hundred more say nothing new."""
        if not any(entry.startswith(group.label) for entry in self.found):
            self.found[f"{group.label}{_AT_WORK}: {seen})"] = None

    def _watched_thread(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Any = None) -> int:
        def run(*args: Any, **kwargs: Any) -> Any:
            inner = Watch(self._operations)
            inner._start()
            try:
                return function(*args, **kwargs)
            finally:
                inner._stop()
                self.found.update(inner.found)

        assert self._start_thread is not None
        return int(self._start_thread(run, args, kwargs or {}))

    def _entered(self, frame: FrameType, event: str, argument: object) -> None:
        if event != "call":
            return
        path = frame.f_code.co_filename
        if path not in self._seen_files:
            normal = path.replace("\\", "/")
            self._seen_files[path] = [group for group in self._files if refuses_file(group, normal)]
        for group in self._seen_files[path]:
            if refuses_function(group, frame.f_code.co_qualname):
                self._add(group, f"the function {frame.f_code.co_qualname}")


def vaguely(use: str) -> str:
    """What :attr:`Watch.found` says of a use, without how it was noticed."""
    what, at_work, _ = use.partition(_AT_WORK)
    return f"{what}{_AT_WORK})" if at_work else use


HOOK = Watch._entered.__code__
"""The profile hook's code. Python drops a hook that raises, so the alarm must not ring inside it."""
