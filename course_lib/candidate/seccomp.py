"""Which system calls a candidate may not make, as a filter that the kernel applies to every one of them.

A list of what is refused and not of what is allowed: nobody can say what torch, matplotlib and a student's code will
call, and the namespaces around the filter already hold files, processes and the network. The filter closes what they
leave open: it forbids other processes and programs, sockets, and the parts of the kernel where most holes were found.

It also keeps candidates from telling each other anything: above all the one in which hidden cases run from the one
whose output a student gets to see. They share the files that they can read, the network's names and the user that they
run as. A call that leaves a mark at one of these is refused, or does nothing. What no filter can refuse is stated in
docs/security.md.

The program is classic BPF: see seccomp(2) and <linux/filter.h>.
"""

import errno
import platform
import struct

from course_lib.candidate.kernel import CLONE_NEW_ANY, CLONE_THREAD


class UnknownProcessor(Exception):
    """There is no table of system calls for this kind of processor. Its text says which."""


# The numbers of a call on x86_64 and on aarch64; None where the processor has no such call.
_Numbers = dict[str, tuple[int | None, int | None]]

# Other processes: their memory, their descriptors, their signals by another way than kill().
_OTHER_PROCESSES: _Numbers = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
}
# What is seen of the file system, and namespaces: with new ones come new capabilities, and with those, parts of the
# kernel that were not written for untrusted users. Handles open files without a path; statmount and listmount show the
# host's paths.
_MOUNTS_AND_NAMESPACES: _Numbers = {
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "statmount": (457, 457),
    "listmount": (458, 458),
    "unshare": (272, 97),
    "setns": (308, 268),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
}
# Other programs: none is needed, and each would start with memory that this filter's author has not seen.
_PROGRAMS: _Numbers = {
    "execve": (59, 221),
    "execveat": (322, 281),
    "uselib": (134, None),
}
# Sockets of every family, so that neither the host's network, nor loopback, nor an abstract name joins two candidates.
# socketpair stays: asyncio, and with it IPython, wakes itself through one. But its ends, too, could take a name, or
# call one. sendmsg can send descriptors, and those under way are counted for all processes of a user together.
_SOCKETS: _Numbers = {
    "socket": (41, 198),
    "bind": (49, 200),
    "connect": (42, 203),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
}
# What others do: which files they open, which they have brought into memory, how many threads there are.
_WHAT_OTHERS_DO: _Numbers = {
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "inotify_add_watch": (254, 27),
    "mincore": (27, 232),
    "sysinfo": (99, 179),
}
# Memory outside RLIMIT_AS, or that lives longer than the process: files without a name, System V's and POSIX's queues.
_MEMORY_ELSEWHERE: _Numbers = {
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "shmdt": (67, 197),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "semget": (64, 190),
    "semop": (65, 193),
    "semctl": (66, 191),
    "semtimedop": (220, 192),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
}
# Parts of the kernel with a history of holes that no notebook uses. What is done through io_uring no filter sees.
_RISKY_PARTS: _Numbers = {
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_setup": (206, 0),
    "io_submit": (209, 2),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "modify_ldt": (154, None),
    "personality": (135, 92),
}
# The machine itself. All of them need a capability that a candidate does not have; refused a second time for the day
# when one of them forgets to ask.
_THE_MACHINE: _Numbers = {
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "syslog": (103, 116),
    "iopl": (172, None),
    "ioperm": (173, None),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "vhangup": (153, 58),
    "lookup_dcookie": (212, 18),
    "nfsservctl": (180, 42),
    "_sysctl": (156, None),
}
# Its own limits: they were set once, from outside.
_LIMITS: _Numbers = {
    "setrlimit": (160, 164),
}
_FORKS: _Numbers = {
    "fork": (57, None),
    "vfork": (58, None),
}
# Calls with an older way to do the same, which libc then takes, and which is allowed or looked at more closely below.
# The flags of clone3 lie in memory, where a filter cannot read them; preadv2 tells whether a file is in memory.
_SEEM_ABSENT: _Numbers = {
    "clone3": (435, 435),
    "preadv2": (327, 286),
    "cachestat": (451, 451),
    "futex_waitv": (449, 449),
    "futex_wake": (454, 454),
    "futex_wait": (455, 455),
    "futex_requeue": (456, 456),
}
# Calls that depend on their arguments.
_CLONE, _PRLIMIT64 = (56, 220), (302, 261)
_SOCKETPAIR, _SENDTO = (53, 199), (44, 206)
_FLOCK, _FCNTL, _FUTEX = (73, 32), (72, 25), (202, 98)

# fcntl: duplicate a descriptor, its own flags, its size as a pipe. Nearly all other commands leave something at the
# file, where whoever opens it finds it, though nobody may write it: locks, leases, watches, hints on how it is written.
# And no larger pipes: their memory is counted for all processes of a user together.
_F_OWN = (0, 1, 2, 3, 4, 1030, 1032)
_F_SETLK, _F_SETLKW, _F_OFD_SETLK, _F_OFD_SETLKW = 6, 7, 37, 38
_AF_UNIX = 1
_FUTEX_WAKE, _FUTEX_WAKE_BITSET, _FUTEX_PRIVATE = 1, 10, 128
_NEWEST_KNOWN = 462
"""mseal of Linux 6.10. From 424 on a call has the same number on every processor."""

_REFUSED = (
    _OTHER_PROCESSES
    | _MOUNTS_AND_NAMESPACES
    | _PROGRAMS
    | _SOCKETS
    | _WHAT_OTHERS_DO
    | _MEMORY_ELSEWHERE
    | _RISKY_PARTS
    | _THE_MACHINE
    | _LIMITS
)

# Column in the tables above, and AUDIT_ARCH_… of <linux/audit.h>.
_PROCESSORS = {"x86_64": (0, 0xC000_003E), "aarch64": (1, 0xC000_00B7)}

_LOAD, _IF_EQUAL, _IF_GREATER, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_ALLOW, _KILL_PROCESS, _ERRNO = 0x7FFF_0000, 0x8000_0000, 0x0005_0000
# Where struct seccomp_data has them; both processors are little-endian.
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    """One instruction; ``then`` and ``otherwise`` are how many instructions a jump leaves out."""
    return struct.pack("HBBI", code, then, otherwise, value)


def _refuse(number: int | None, error: int) -> bytes:
    return b"" if number is None else _if_equal(number, _ERRNO | error)


def _if_equal(value: int, verdict: int) -> bytes:
    return _step(_IF_EQUAL, value, 0, 1) + _step(_RETURN, verdict)


def _only_for(number: int, body: bytes) -> bytes:
    return _step(_IF_EQUAL, number, 0, len(body) // 8) + body


def _load(argument: int) -> bytes:
    """The lower half of an argument, counted from 0: all of it where the kernel takes an int."""
    return _step(_LOAD, _ARGUMENTS + 8 * argument)


def _only_null(argument: int) -> bytes:
    """Allow a call when this pointer, both halves of it, is null."""
    return (
        _load(argument)
        + _step(_IF_EQUAL, 0, 0, 2)
        + _step(_LOAD, _ARGUMENTS + 8 * argument + 4)
        + _step(_IF_EQUAL, 0, 1, 0)
        + _step(_RETURN, _ERRNO | errno.EPERM)
        + _step(_RETURN, _ALLOW)
    )


def program(*, one_process: bool, machine: str | None = None) -> bytes:
    """The filter, ready for :func:`course_lib.candidate.kernel.install_filter`.

    Args:
        one_process: whether new processes are refused (with EAGAIN, as when a limit is reached); threads never are.
        machine: the kind of processor, as ``platform.machine()`` says it, which is the default.

    Raises:
        UnknownProcessor: when there is no table for it.
    """
    machine = machine or platform.machine()
    if machine not in _PROCESSORS:
        raise UnknownProcessor(
            f"no table of system calls for the processor {machine!r}; there is one for x86_64, aarch64"
        )
    column, arch = _PROCESSORS[machine]

    steps = [
        # A call made in the way of another processor (i386 on x86_64) has other numbers: such a process is at an end.
        _step(_LOAD, _ARCH) + _step(_IF_EQUAL, arch, 1, 0) + _step(_RETURN, _KILL_PROCESS),
        # Newer than this list, or x32 (bit 30 set): as if the kernel did not have it. libc then takes an older one.
        _step(_LOAD, _NUMBER) + _step(_IF_GREATER, _NEWEST_KNOWN, 0, 1) + _step(_RETURN, _ERRNO | errno.ENOSYS),
        *[_refuse(numbers[column], errno.ENOSYS) for numbers in _SEEM_ABSENT.values()],
        *[_refuse(numbers[column], errno.EPERM) for numbers in _REFUSED.values()],
    ]
    thread_only = b""
    if one_process:
        steps += [_refuse(numbers[column], errno.EAGAIN) for numbers in _FORKS.values()]
        thread_only = _step(_IF_ANY_BIT, CLONE_THREAD, 1, 0) + _step(_RETURN, _ERRNO | errno.EAGAIN)
    # A process that is alone in its folder gets every lock there that it asks for (SQLite does, and dbm). So it is told
    # that it has it; in truth nothing is locked, and nobody else can notice.
    locked = _ERRNO | (0 if one_process else errno.ENOLCK)
    steps += [
        _only_for(
            _CLONE[column],
            _load(0)
            + _step(_IF_ANY_BIT, CLONE_NEW_ANY, 0, 1)
            + _step(_RETURN, _ERRNO | errno.EPERM)
            + thread_only
            + _step(_RETURN, _ALLOW),
        ),
        # Reading limits is fine, a new one is not.
        _only_for(_PRLIMIT64[column], _only_null(2)),
        # Other families than this one are modules of the kernel that nobody has loaded yet.
        _only_for(
            _SOCKETPAIR[column],
            _load(0) + _if_equal(_AF_UNIX, _ALLOW) + _step(_RETURN, _ERRNO | errno.EPERM),
        ),
        # To the other end, and to no address.
        _only_for(_SENDTO[column], _only_null(4)),
        _if_equal(_FLOCK[column], locked),
        _only_for(
            _FCNTL[column],
            _load(1)
            + b"".join(_if_equal(command, _ALLOW) for command in _F_OWN)
            + b"".join(_if_equal(command, locked) for command in (_F_SETLK, _F_SETLKW, _F_OFD_SETLK, _F_OFD_SETLKW))
            + _step(_RETURN, _ERRNO | errno.EPERM),
        ),
        # Who waits at an address of a file can be seen, and woken, by whoever has mapped it. So nobody waits but where
        # only its own process can see it. EAGAIN says that the value has changed: the few that wait otherwise (for the
        # end of a thread: pthread_join) look again.
        _only_for(
            _FUTEX[column],
            _load(1)
            + _step(_IF_ANY_BIT, _FUTEX_PRIVATE, 0, 1)
            + _step(_RETURN, _ALLOW)
            + _if_equal(_FUTEX_WAKE, _ALLOW)
            + _if_equal(_FUTEX_WAKE_BITSET, _ALLOW)
            + _step(_RETURN, _ERRNO | errno.EAGAIN),
        ),
        _step(_RETURN, _ALLOW),
    ]
    return b"".join(steps)
