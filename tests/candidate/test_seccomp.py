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
    assert call(machine, SOCKETPAIR[machine]) == ALLOWED


def test_programs_and_sockets_are_refused(machine: str) -> None:
    assert call(machine, EXECVE[machine]) == errno.EPERM
    assert call(machine, SOCKET[machine]) == errno.EPERM


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
    tables |= {"clone": seccomp._CLONE, "clone3": seccomp._CLONE3, "prlimit64": seccomp._PRLIMIT64}
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
