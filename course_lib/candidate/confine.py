"""What a fork of the warm process does to itself before a student's code runs in it, so that the code can do no harm.

:func:`fork_confined` is for a warm process that stands in the sandbox of :mod:`course_lib.grader.engine.sandbox`. That
hides the course, the network and the machine's other processes from both; what is added here stands between one
candidate and everything else in the sandbox: the warm process and other candidates.

:func:`fork_plain` is for ``--no-sandbox``: the same contract, as far as an ordinary process can keep it. Either way the
candidate ends by :func:`end`, with everything that it started.
"""

import atexit
import math
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NoReturn

from course_lib.candidate import kernel, seccomp
from course_lib.candidate.limits import Limits

if sys.platform != "win32":  # where this module is only imported to be told that there is no sandbox
    import resource

SCRATCH = "/run/scratch"
"""A confined candidate's only writable folder: its home, its temporary folder and where it stands. Empty at first.

Not /tmp, which leads here all the same: a Python environment may lie in a machine's /tmp, and must stay visible.
"""
PROC = "/run/proc"
"""Where the sandbox has laid out what a candidate gets to see as /proc, as it is when the first of them is started:
facts about the machine, nothing about processes."""

_MB = 10**6
_SCRATCH_FILES = 4096
_STACK_MB = 8
_PENDING_SIGNALS = 256
_THREADS = 64
_CONFINED = b"confined"

_plain_scratch: dict[int, str] = {}


class ConfinementError(OSError):
    """A candidate could not be confined, and has not run. Its text says what failed."""


def fork_confined(limits: Limits, run: Callable[[], object], *, keep_fds: Sequence[int] = ()) -> int:
    """Fork a process that is confined and calls ``run``; returns its pid once it is confined.

    The child is the first process of its own process table: when it ends, or is ended by :func:`end`, so is everything
    that it started, whatever that did to detach itself. It ends when ``run`` returns (status 0) or raises (status 1).
    Random states are as they were: seeding is the caller's business.

    Args:
        limits: of the submission.
        run: called without arguments; descriptors 0 to 2 are /dev/null, and the folder is ``SCRATCH``, empty.
        keep_fds: descriptors above 2 that the child keeps. All others are closed in it.

    Raises:
        ConfinementError: the child has ended without calling ``run``.
    """
    program, facts = _filter(limits), _facts()

    def confine(reported: int) -> None:
        os.setsid()
        mapped = _mapped_bytes()
        _enter_namespaces()
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")  # a machine short of memory ends candidates, and not the grader or the desktop
        _make_all_read_only()
        kernel.mount_tmpfs(SCRATCH, size=limits.scratch_mb * _MB, inodes=_SCRATCH_FILES)
        _show(facts, "/proc")  # the warm process's own would show it, and every candidate
        _stand_in(SCRATCH)
        _close_descriptors([*keep_fds, reported])
        _set_limits(limits, mapped)
        _limit_tasks(limits)
        kernel.drop_capabilities()
        kernel.no_new_privileges()
        kernel.die_with_parent(signal.SIGKILL)
        kernel.install_filter(program)

    own_table = os.open("/proc/self/ns/pid", os.O_RDONLY)
    try:
        kernel.unshare(kernel.CLONE_NEWPID)  # for the next child; this saves a second fork of a large process
        try:
            return _fork(confine, run)
        finally:  # the children to come, too, start in a table that is alive
            kernel.setns(own_table, kernel.CLONE_NEWPID)
    finally:
        os.close(own_table)


def fork_plain(limits: Limits, run: Callable[[], object], *, keep_fds: Sequence[int] = ()) -> int:
    """Fork an ordinary process with the contract of :func:`fork_confined`, as far as one can keep it without a sandbox.

    It can read and write what the user can. Its folder is a temporary one, which :func:`end` removes. It still has
    limits, and a filter of system calls, so that it can start no process or program and open no socket; where there is
    no table for the processor, or processes are allowed, :func:`end` ends those that stayed in its group.

    Raises:
        ConfinementError: the child has ended without calling ``run``.
    """
    try:
        program = _filter(limits)
    except ConfinementError:
        program = b""  # an unknown processor: whoever asked for no sandbox shall have none
    folder = tempfile.mkdtemp(prefix="candidate-")

    def confine(reported: int) -> None:
        os.setsid()
        _stand_in(folder)
        _close_descriptors([*keep_fds, reported])
        _set_limits(limits, _mapped_bytes())
        kernel.die_with_parent(signal.SIGKILL)
        if program:
            kernel.no_new_privileges()
            kernel.install_filter(program)

    try:
        pid = _fork(confine, run)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    _plain_scratch[pid] = folder
    return pid


def end(pid: int, patience: float = 0.0) -> int | None:
    """End a candidate with everything that it started. To be called once for each fork, in the place of ``os.waitpid``.

    Args:
        pid: of the fork.
        patience: seconds that it gets to end by itself. One that has hung up is mostly about to: a process closes its
            descriptors a moment before it can be waited for.

    Returns:
        How it had ended by itself: its exit status, or minus the number of the signal. None when it still ran.
    """
    latest = time.monotonic() + patience
    while (ended := _has_ended(pid)) is None and time.monotonic() < latest:
        time.sleep(0.002)
    folder = _plain_scratch.pop(pid, None)
    if folder is not None:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)  # to one that has ended, and is not waited for yet, it does nothing
    _, status = os.waitpid(pid, 0)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
    return None if ended is None else os.waitstatus_to_exitcode(status)


@cache
def _facts() -> dict[str, bytes]:
    """The files of PROC, read once: live ones would show a candidate how much memory or how many threads another has.

    Raises:
        ConfinementError: when they cannot be read.
    """
    try:
        return {path.name: path.read_bytes() for path in Path(PROC).iterdir()}
    except OSError as error:
        raise ConfinementError(f"A candidate could not be confined: {error}") from error


def any_left() -> bool:
    """Whether there are forks that :func:`end` was not called for."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _has_ended(pid: int) -> object | None:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)


@atexit.register
def _remove_folders() -> None:
    """Those of plain candidates that still run when the warm process ends, and that end with it."""
    for folder in _plain_scratch.values():
        shutil.rmtree(folder, ignore_errors=True)


def _fork(confine: Callable[[int], None], run: Callable[[], object]) -> int:
    """Fork a child that confines itself, says so through the descriptor that ``confine`` is given, and runs."""
    kernel.set_dumpable(False)  # what the warm process holds in memory is not for its forks to read
    report, reported = os.pipe()
    with open(report, "rb") as answer:
        try:
            pid = os.fork()
            if pid == 0:
                _become(confine, run, reported)
        finally:
            os.close(reported)
        said = answer.read()
    if said != _CONFINED:
        os.waitpid(pid, 0)
        raise ConfinementError(said.decode("utf-8", "replace") or "A candidate ended while it was being confined.")
    return pid


# --------------------------------------------------------------------------------------------------------- in the child


def _become(confine: Callable[[int], None], run: Callable[[], object], reported: int) -> NoReturn:
    try:
        _reset_signals()
        confine(reported)
        os.write(reported, _CONFINED)
        os.close(reported)
    except BaseException as error:
        with suppress(OSError):
            os.write(reported, f"A candidate could not be confined: {error}".encode()[:4096])
        os._exit(1)
    status = 1
    try:
        run()
        status = 0
    except BaseException:
        with suppress(BaseException):
            traceback.print_exc()
    finally:
        os._exit(status)  # not sys.exit: the warm process's exit handlers and buffers are not this one's to run


def _filter(limits: Limits) -> bytes:
    try:
        return seccomp.program(one_process=limits.processes <= 1)
    except seccomp.UnknownProcessor as error:
        raise ConfinementError(str(error)) from error


def _reset_signals() -> None:
    """As Python has them when it starts, whatever handlers the warm process has set."""
    signal.set_wakeup_fd(-1)
    for number in signal.Signals:
        with suppress(OSError):  # SIGKILL and SIGSTOP have no handlers
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _enter_namespaces() -> None:
    """A user namespace of its own, so that what is mounted outside cannot be unmounted; mounts; shared memory."""
    user, group = os.getuid(), os.getgid()
    kernel.set_dumpable(True)  # or else the maps belong to root; nothing of a student's is here yet
    kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _make_all_read_only() -> None:
    """All that is mounted: bubblewrap leaves devices otherwise, whose times anybody and whose mode root could set."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        mounts = [line.split(" ") for line in file]
    for _, _, _, _, place, options, *_ in mounts:
        if "rw" in options.split(","):
            kernel.make_read_only(re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), place))


def _show(files: dict[str, bytes], folder: str) -> None:
    """Cover a folder with one that has these files."""
    kernel.mount_tmpfs(folder, size=sum(map(len, files.values())) + _MB, inodes=len(files) + 1)
    for name, content in files.items():
        Path(folder, name).write_bytes(content)
    kernel.make_read_only(folder)


def _stand_in(folder: str) -> None:
    os.chdir(folder)
    os.umask(0o022)
    os.environ["HOME"] = os.environ["TMPDIR"] = folder
    tempfile.tempdir = None  # forget the warm process's


def _close_descriptors(keep: Sequence[int]) -> None:
    """Leave those of ``keep`` open, /dev/null at 0 to 2, and nothing else."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    start = 3
    for descriptor in sorted(set(keep)):
        os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, 2**31 - 1)


def _mapped_bytes() -> int:
    """How much address space is in use; what belongs to the warm process, libraries above all, is most of it."""
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _set_limits(limits: Limits, mapped: int) -> None:
    _limit(resource.RLIMIT_AS, mapped + limits.memory_mb * _MB)
    _limit(resource.RLIMIT_MEMLOCK, 0)
    _limit(resource.RLIMIT_MSGQUEUE, 0)
    # Below what the user may have in all: at that limit candidates would see how many signals another has under way.
    _limit(resource.RLIMIT_SIGPENDING, _PENDING_SIGNALS)
    _limit(resource.RLIMIT_STACK, _STACK_MB * 2**20)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, limits.open_files)
    _limit(resource.RLIMIT_FSIZE, limits.file_mb * _MB)
    # A backstop: the examiner's clock ends a submission long before, unless it computes in several threads.
    _limit(resource.RLIMIT_CPU, math.ceil(2 * limits.submission_seconds) + 1)


def _limit_tasks(limits: Limits) -> None:
    """Limit processes and threads together; the kernel makes an exception for root."""
    major, minor = (int(re.sub(r"\D.*", "", part)) for part in os.uname().release.split(".")[:2])
    if (major, minor) >= (5, 14):  # before that all that the user runs on the machine was counted
        _limit(resource.RLIMIT_NPROC, limits.processes + _THREADS)


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))
