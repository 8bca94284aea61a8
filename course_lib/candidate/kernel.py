"""Linux calls that Python has no function for: namespaces, mounts, capabilities, the seccomp filter.

Thin: each takes and raises what a Python programmer expects, and decides nothing. The constants are the kernel's own
names, from <linux/sched.h>, <sys/mount.h>, <linux/prctl.h> and <linux/capability.h>.
"""

import ctypes
import os
import struct
from functools import cache

CLONE_NEWNS = 0x0002_0000
CLONE_NEWIPC = 0x0800_0000
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWPID = 0x2000_0000
CLONE_THREAD = 0x0001_0000
CLONE_NEW_ANY = 0x7E02_0000
"""Every flag of ``clone`` that makes a namespace."""

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = 1, 2, 4, 8, 32, 4096

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
_PR_SET_SECCOMP = 22
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 24, 38, 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_SECCOMP_MODE_FILTER = 2
_CAPABILITY_VERSION_3 = 0x2008_0522
_MOST_CAPABILITIES = 64


@cache
def _libc() -> ctypes.CDLL:
    # Not at import: this module is also imported where there is no Linux, to be told so politely.
    return ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: object) -> int:
    """Call a function of libc that returns -1 and sets errno when it fails."""
    result: int = getattr(_libc(), name)(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def _prctl(option: int, *arguments: int) -> int:
    words = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    return _call("prctl", option, *words)


def unshare(flags: int) -> None:
    """Leave the namespaces of these kinds for new ones; CLONE_NEWPID holds for the children that come."""
    _call("unshare", flags)


def setns(descriptor: int, kind: int) -> None:
    """Enter the namespace that the descriptor was opened on."""
    _call("setns", descriptor, kind)


def mount_tmpfs(target: str, *, size: int, inodes: int) -> None:
    """Cover a folder with an empty one in memory, for at most so many bytes and files, nothing in it executable."""
    options = f"size={size},nr_inodes={inodes},mode=700".encode()
    _call("mount", b"tmpfs", target.encode(), b"tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options)


def make_read_only(target: str) -> None:
    """Let nothing be changed of what is mounted here: of a device, which works on, neither its mode nor its times."""
    kept = os.statvfs(target).f_flag & (MS_NOSUID | MS_NODEV | MS_NOEXEC)  # the same bits, and none may be taken away
    _call("mount", None, target.encode(), None, MS_REMOUNT | MS_BIND | MS_RDONLY | kept, None)


def set_dumpable(yes: bool) -> None:
    """Whether processes of the same user may read this one's memory and environment; forks inherit it."""
    _prctl(_PR_SET_DUMPABLE, int(yes))


def die_with_parent(signal_number: int) -> None:
    """Have the kernel send this signal when the parent ends."""
    _prctl(_PR_SET_PDEATHSIG, signal_number)


def drop_capabilities() -> None:
    """Give up every capability, and the means to get one back by running a program."""
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in range(_MOST_CAPABILITIES):
        try:
            _prctl(_PR_CAPBSET_DROP, capability)
        except OSError:
            if capability == 0:
                raise
            break  # the kernel knows no further ones
    _call("capset", struct.pack("Ii", _CAPABILITY_VERSION_3, 0), bytes(24))


def no_new_privileges() -> None:
    """From here on no program gives this process or its children privileges, whoever owns it and whatever its mode."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def install_filter(program: bytes) -> None:
    """Put a seccomp filter, as :func:`course_lib.candidate.seccomp.program` makes it, on this process for good."""
    code = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: the number of instructions, 8 bytes each, and where they are.
    whole = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code)))
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(whole))
