"""Ways for one process to tell another something without writing a file: `prepare` in the one, `leave` in the other,
and then `find` in the first, which sets `found`. Between candidates none of them may lead anywhere.
"""

import json
from typing import Any

_HEAD = """
import ctypes, fcntl, mmap, os, resource, signal, socket, struct, threading, time
from course_lib.candidate import alone
libc = ctypes.CDLL(None, use_errno=True)
FILE = alone.__file__  # one that both can read, and neither can write
NUMBER = {"x86_64": 0, "aarch64": 1}[os.uname().machine]
found = False

def lock(command, kind):
    with_type = struct.pack("hhqqi4x", kind, 0, 7, 1, 0)
    return struct.unpack("hhqqi4x", fcntl.fcntl(file, command, with_type))[0]

def wake_or_wait(operation, value):
    return libc.syscall((202, 98)[NUMBER], ctypes.c_void_p(address), operation, value, None, None, 0)

def mapped():
    libc.mmap.restype = ctypes.c_void_p
    return libc.mmap(None, ctypes.c_size_t(4096), 1, 1, file, ctypes.c_long(0)) + 64

def queued(most):
    count = 0
    while count < most and libc.sigqueue(os.getpid(), 40, None) == 0:
        count += 1
    return count

def under_way(most):
    for count in range(0, most, 5):
        if count % 40 == 0:
            pairs.append(socket.socketpair())
        try:
            pairs[-1][0].sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("5i", *[file] * 5))])
        except OSError:
            return count
    return most

def larger():
    pairs.append(os.pipe())
    return fcntl.fcntl(pairs[-1][0], 1031, 2**20)

def threads():
    return int(open("/proc/loadavg").read().split()[3].split("/")[1])

def threads_by_call():
    information = ctypes.create_string_buffer(200)
    assert libc.sysinfo(information) == 0
    return struct.unpack_from("H", information, 80)[0]

file, folder, pairs = os.open(FILE, os.O_RDONLY), os.path.dirname(FILE), []
"""
_START_THREADS = "for _ in range(50): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"

CHANNELS = {
    "an abstract name of a socket": (
        "mine, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\nmine.setblocking(False)\n"
        "libc.connect(mine.fileno(), bytes(16), 2)\nmine.bind('\\0course-test')",
        "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b'text', '\\0course-test')",
        "found = mine.recv(9) == b'text'",
    ),
    "a lock of POSIX": ("", "lock(fcntl.F_SETLK, fcntl.F_RDLCK)", "found = lock(5, fcntl.F_WRLCK) == fcntl.F_RDLCK"),
    "a lock of an open file": ("", "lock(37, fcntl.F_RDLCK)", "found = lock(36, fcntl.F_WRLCK) == fcntl.F_RDLCK"),
    "flock": (
        "",
        "fcntl.flock(file, fcntl.LOCK_EX)",
        "try: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)\nexcept BlockingIOError: found = True",
    ),
    "a lease": (
        "os.close(file)",
        "fcntl.fcntl(file, 1024, fcntl.F_WRLCK)",
        "try: os.open(FILE, os.O_RDONLY | os.O_NONBLOCK)\nexcept BlockingIOError: found = True",
    ),
    "inotify": (
        "watch = libc.inotify_init1(0o4000)\nlibc.inotify_add_watch(watch, folder.encode(), 0x20)",
        "open(FILE).close()",
        "found = os.path.basename(FILE).encode() in os.read(watch, 4096)",
    ),
    "dnotify": (
        "signal.signal(signal.SIGIO, lambda *_: globals().update(found=True))\n"
        "fcntl.fcntl(os.open(folder, os.O_RDONLY), 1026, 1 | 1 << 31)",
        "open(FILE).read()",
        "pass",
    ),
    "a hint on how a file is written": (
        "before = fcntl.fcntl(file, 1035, bytes(8))",
        "fcntl.fcntl(file, 1036, struct.pack('Q', 2 if fcntl.fcntl(file, 1035, bytes(8))[0] != 2 else 3))",
        "found = fcntl.fcntl(file, 1035, bytes(8)) != before\nfcntl.fcntl(file, 1036, bytes(8))",
    ),
    "waiting at an address of a file": (
        "",
        "address = mapped()\n"
        "value = ctypes.c_uint32.from_address(address).value\n"
        "threading.Thread(target=wake_or_wait, args=(0, value), daemon=True).start()\ntime.sleep(0.2)",
        "address = mapped()\nfound = wake_or_wait(1, 1) == 1",
    ),
    "being woken at an address of a file": (
        "address = mapped()\n"
        "value = ctypes.c_uint32.from_address(address).value\n"
        "def wait(): globals().update(found=wake_or_wait(0, value) == 0)\n"
        "waiting = threading.Thread(target=wait, daemon=True)\nwaiting.start()\ntime.sleep(0.2)",
        "address = mapped()\nwake_or_wait(1, 1)",
        "waiting.join(2)",
    ),
    "the times of a device": (
        "before = os.stat('/dev/full').st_mtime_ns",
        "os.utime('/dev/full')",
        "found = os.stat('/dev/full').st_mtime_ns != before",
    ),
    "how many descriptors are under way": ("", "under_way(200)", "found = 0 < under_way(200) < 200"),
    "how many signals are under way": (
        "signal.pthread_sigmask(signal.SIG_BLOCK, [40])\n"
        "before = queued(10**6)\nsignal.signal(40, signal.SIG_IGN)\nsignal.signal(40, lambda *_: None)",
        "signal.pthread_sigmask(signal.SIG_BLOCK, [40])\nqueued(200)",
        "found = queued(10**6) != before",
    ),
    "how large pipes may be": (
        "before = larger()",
        "for _ in range(100): larger()",
        "try: larger()\nexcept PermissionError: found = 'before' in globals()",
    ),
    "how many threads there are, in /proc": ("before = threads()", _START_THREADS, "found = threads() > before + 25"),
    "how many threads there are, by sysinfo": (
        "before = threads_by_call()",
        _START_THREADS,
        "found = threads_by_call() > before + 25",
    ),
}

# The warm process: two candidates, of which the first is told when the second has done its part.
_WARM = """
code, open_parts = json.loads(CHANNEL), OPEN
if open_parts:
    import struct
    from course_lib.candidate import seccomp
    seccomp.program = lambda **_: struct.pack("HBBI", 6, 0, 0, 0x7FFF0000)
    confine._make_all_read_only = lambda: None
    confine._PENDING_SIGNALS = 10**6
    confine._show = lambda _, to: kernel._call("mount", confine.PROC.encode(), to.encode(), None, 20480, None)  # bound
said, say = os.pipe()
go, tell = os.pipe()

def run(*parts):
    names = {}
    for part in parts:
        if part is None:
            os.write(say, b".")
            os.read(go, 1)
            continue
        try:
            exec(part, names)
        except (Exception, SystemExit) as error:
            names["error"] = repr(error)
    return names

def visible():
    names = run(code[0], code[1], None, code[3])
    time.sleep(0.1)
    os.write(say, json.dumps([bool(names.get("found")), names.get("error")]).encode())

def hidden():
    run(code[0], code[2])
    os.write(say, b".")
    time.sleep(60)

limits = Limits(submission_seconds=20)
one = confine.fork_confined(limits, visible, keep_fds=[say, go])
os.read(said, 1)
other = confine.fork_confined(limits, hidden, keep_fds=[say])
os.read(said, 1)
os.write(tell, b"!")
answer = os.read(said, 999).decode()
confine.end(one), confine.end(other)
print(answer)
"""


def between_candidates(name: str, *, unprotected: bool = False) -> str:
    """The code for a warm process that tries a channel between two candidates, and prints whether it leads anywhere.

    Args:
        name: of the channel.
        unprotected: whether what stands against all of them is left out.
    """
    parts: list[Any] = [_HEAD, *CHANNELS[name]]
    return _WARM.replace("CHANNEL", repr(json.dumps(parts))).replace("OPEN", str(unprotected))
