"""The filter of system calls, run by a small interpreter: so it is tested for a processor that is not this one, too."""

import errno
import re
import struct
from pathlib import Path

import pytest

from course_lib.candidate import kernel, seccomp

ALLOWED, KILLED = "allowed", "killed"
ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# As <asm/unistd.h> has them.
CLONE = {"x86_64": 56, "aarch64": 220}
PRLIMIT64 = {"x86_64": 302, "aarch64": 261}
READ = {"x86_64": 0, "aarch64": 63}
SOCKET = {"x86_64": 41, "aarch64": 198}
SOCKETPAIR = {"x86_64": 53, "aarch64": 199}
SENDTO = {"x86_64": 44, "aarch64": 206}
BIND = {"x86_64": 49, "aarch64": 200}
FCNTL = {"x86_64": 72, "aarch64": 25}
FLOCK = {"x86_64": 73, "aarch64": 32}
FUTEX = {"x86_64": 202, "aarch64": 98}
INOTIFY_INIT1 = {"x86_64": 294, "aarch64": 26}
PREADV2 = {"x86_64": 327, "aarch64": 286}
EXECVE = {"x86_64": 59, "aarch64": 221}
OF_A_THREAD = 0x3D0F00  # what pthread_create asks for
OF_A_FORK = 0x1200011


def verdict(program: bytes, arch: int, number: int, *arguments: int) -> str | int:
    """What the kernel does with a call: allow it, kill the process, or return this error."""
    data = struct.pack("IIQ6Q", number, arch, 0, *(arguments + (0,) * 6)[:6])
    steps = list(struct.iter_unpack("HBBI", program))
    at = accumulator = 0
    while True:
        code, then, otherwise, value = steps[at]
        at += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("I", data, value)
        elif code == 0x06:
            if value == 0x7FFF0000:
                return ALLOWED
            return KILLED if value == 0x80000000 else value & 0xFFFF
        else:
            test = {0x15: accumulator == value, 0x25: accumulator > value, 0x45: bool(accumulator & value)}[code]
            at += then if test else otherwise


@pytest.fixture(params=ARCH)
def machine(request: pytest.FixtureRequest) -> str:
    return request.param


def call(machine: str, number: int, *arguments: int, one_process: bool = True) -> str | int:
    return verdict(seccomp.program(one_process=one_process, machine=machine), ARCH[machine], number, *arguments)


def test_ordinary_calls_are_allowed(machine: str) -> None:
    assert call(machine, READ[machine]) == ALLOWED
    assert call(machine, SOCKETPAIR[machine], 1, 2) == ALLOWED
    assert call(machine, SENDTO[machine], 3, 0xDEAD, 9, 0, 0, 0) == ALLOWED


def test_programs_and_sockets_are_refused(machine: str) -> None:
    assert call(machine, EXECVE[machine]) == errno.EPERM
    assert call(machine, SOCKET[machine]) == errno.EPERM


def test_a_socket_pair_has_no_name_calls_none_and_is_of_one_family(machine: str) -> None:
    assert call(machine, BIND[machine], 3) == errno.EPERM
    for address in (1, 1 << 32, 0xFFFF_FFFF):
        assert call(machine, SENDTO[machine], 3, 0xDEAD, 9, 0, address, 20) == errno.EPERM
    for family in (0, 2, 16, 30, 1 << 31):
        assert call(machine, SOCKETPAIR[machine], family, 2) == errno.EPERM


def test_a_lock_seems_to_be_had_by_who_is_alone(machine: str) -> None:
    """And does nothing: in a read-only file it would be a sign to another candidate."""
    assert call(machine, FLOCK[machine], 3, 2) == 0
    for command in (6, 7, 37, 38):
        assert call(machine, FCNTL[machine], 3, command, 0xDEAD) == 0


def test_a_lock_is_refused_where_there_may_be_several_processes(machine: str) -> None:
    assert call(machine, FLOCK[machine], 3, 2, one_process=False) == errno.ENOLCK
    assert call(machine, FCNTL[machine], 3, 6, 0xDEAD, one_process=False) == errno.ENOLCK


@pytest.mark.parametrize("one_process", [True, False])
def test_of_fcntl_there_is_what_concerns_a_descriptor_alone(machine: str, one_process: bool) -> None:
    """F_DUPFD, its flags, F_DUPFD_CLOEXEC, F_GETPIPE_SZ; the upper half of the argument is nothing to the kernel."""
    mine = {0, 1, 2, 3, 4, 1030, 1032}
    locks = {6, 7, 37, 38}
    for command in {*range(64), *range(1020, 1060), 0xFFFF_FFFF} - locks:
        expected = ALLOWED if command in mine else errno.EPERM
        for argument in (command, command | 1 << 32):
            assert call(machine, FCNTL[machine], 3, argument, one_process=one_process) == expected


def test_nobody_waits_where_another_process_could_see_it(machine: str) -> None:
    """All that is done to a futex, with and without FUTEX_CLOCK_REALTIME; waking is harmless where nobody waits."""
    for operation in range(14):
        for clock in (0, 256):
            assert call(machine, FUTEX[machine], 0xDEAD, operation | 128 | clock) == ALLOWED
            woken = operation in (1, 10) and not clock
            assert call(machine, FUTEX[machine], 0xDEAD, operation | clock) == (ALLOWED if woken else errno.EAGAIN)


def test_what_others_do_cannot_be_watched(machine: str) -> None:
    assert call(machine, INOTIFY_INIT1[machine]) == errno.EPERM


def test_libc_takes_an_older_call_for_those_that_tell_too_much(machine: str) -> None:
    """It does so on this error only."""
    for number in (PREADV2[machine], 435, 449, 454, 455, 456):
        assert call(machine, number) == errno.ENOSYS


def test_a_thread_may_start_and_a_process_not(machine: str) -> None:
    assert call(machine, CLONE[machine], OF_A_THREAD) == ALLOWED
    assert call(machine, CLONE[machine], OF_A_FORK) == errno.EAGAIN


def test_a_process_may_start_where_the_limit_allows_more_than_one(machine: str) -> None:
    assert call(machine, CLONE[machine], OF_A_FORK, one_process=False) == ALLOWED


@pytest.mark.parametrize("one_process", [True, False])
@pytest.mark.parametrize("bit", [17, 25, 26, 27, 28, 29, 30])
def test_no_namespace_by_clone(machine: str, bit: int, one_process: bool) -> None:
    for flags in (OF_A_THREAD, OF_A_FORK):
        assert call(machine, CLONE[machine], flags | 1 << bit, one_process=one_process) == errno.EPERM


def test_clone3_seems_not_to_exist(machine: str) -> None:
    """Its flags lie in memory. Any other error than this one would keep libc from starting a thread."""
    assert call(machine, 435) == errno.ENOSYS


@pytest.mark.parametrize("pointer", [1, 1 << 32, 1 << 63, 0xFFFF_FFFF])
def test_limits_can_be_read_and_not_set(machine: str, pointer: int) -> None:
    assert call(machine, PRLIMIT64[machine], 0, 7, 0, 0xDEAD) == ALLOWED
    assert call(machine, PRLIMIT64[machine], 0, 7, pointer, 0) == errno.EPERM


def test_another_processors_calls_end_the_process(machine: str) -> None:
    """On x86_64 a program may call as i386 does, where execve has the number 11."""
    program = seccomp.program(one_process=True, machine=machine)
    assert verdict(program, 0x40000003, READ[machine]) == KILLED


@pytest.mark.parametrize("number", [463, 500, 0x4000_0000 | 59, 0xFFFF_FFFF])
def test_calls_that_nobody_has_looked_at_seem_not_to_exist(machine: str, number: int) -> None:
    assert call(machine, number) == errno.ENOSYS


def test_no_jump_leaves_the_program(machine: str) -> None:
    """The kernel would refuse such a program, and every candidate with it."""
    steps = list(struct.iter_unpack("HBBI", seccomp.program(one_process=True, machine=machine)))
    for at, (code, then, otherwise, _) in enumerate(steps):
        assert at + 1 + max(then, otherwise) < len(steps) or code == 0x06
    assert len(steps) < 4096


def test_an_unknown_processor_is_named() -> None:
    with pytest.raises(seccomp.UnknownProcessor, match=r"'riscv64'.*x86_64, aarch64"):
        seccomp.program(one_process=True, machine="riscv64")


@pytest.mark.parametrize(
    ("header", "column"),
    [("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", 0), ("/usr/include/asm-generic/unistd.h", 1)],
)
def test_the_numbers_are_those_of_the_kernels_headers(header: str, column: int) -> None:
    if not Path(header).is_file():
        pytest.skip(f"{header} is not installed here")
    found = re.findall(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)", Path(header).read_text("utf-8"), re.MULTILINE)
    known = {name: int(number) for name, number in found}
    tables = seccomp._REFUSED | seccomp._FORKS
    tables |= seccomp._SEEM_ABSENT
    for name in ("clone", "prlimit64", "socketpair", "sendto", "flock", "fcntl", "futex"):
        tables[name] = getattr(seccomp, f"_{name.upper()}")
    wrong = {
        name: (numbers[column], known[name])
        for name, numbers in tables.items()
        if name in known and numbers[column] != known[name]
    }
    assert wrong == {}
    assert len([name for name in tables if name in known]) > 70


def test_every_flag_that_makes_a_namespace_is_in_the_mask() -> None:
    for flag in (kernel.CLONE_NEWNS, kernel.CLONE_NEWIPC, kernel.CLONE_NEWUSER, kernel.CLONE_NEWPID):
        assert flag & kernel.CLONE_NEW_ANY == flag
