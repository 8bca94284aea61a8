"""What a candidate tries in order to get out, to reach others, or to use up the machine; none of it works.

Every attack sets `won` when it has succeeded, or says in its comment what success would be. Those that do no harm are
also run in an ordinary process, where they must succeed: an attack that is wrong by itself would prove nothing.
"""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from course_lib.candidate.confine import SCRATCH

from .channels import CHANNELS, between_candidates
from .confined import ROOT, Ran, run_confined, run_plain

HOME = str(Path.home())
LIBC = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"

# Attacks that succeed in an ordinary process.
ATTACKS = {
    "list the course's folder": f"import os\nwon = 'source' in os.listdir({str(ROOT)!r})",
    "read the grader": f"won = 'def ' in open({str(ROOT / 'course_lib/grader/engine/sandbox.py')!r}).read()",
    "import the grader": "import course_lib.grader.course\nwon = True",
    "read the list of users": "won = 'root' in open('/etc/passwd').read()",
    "read the instructor's environment": "import os\nwon = 'MINE' in os.environ",
    "write into /dev/shm": "open('/dev/shm/course-test', 'w').write('x')\nimport os\n"
    "os.unlink('/dev/shm/course-test')\nwon = True",
    "see processes": "import os\nwon = any(name.isdigit() for name in os.listdir('/proc'))",
    "find itself in /proc": "won = bool(open('/proc/self/maps').read())",
    "open an internet socket": "import socket\nsocket.socket(socket.AF_INET)\nwon = True",
    "open a socket of IPv6": "import socket\nsocket.socket(socket.AF_INET6, socket.SOCK_DGRAM)\nwon = True",
    "open a Unix socket": "import socket\nsocket.socket(socket.AF_UNIX)\nwon = True",
    "listen on an abstract name": "import socket\nsocket.socket(socket.AF_UNIX).bind('\\0course-test')\nwon = True",
    "talk to the kernel": "import socket\nsocket.socket(socket.AF_NETLINK, socket.SOCK_RAW)\nwon = True",
    "run a program": "import subprocess\nwon = subprocess.run(['/bin/true']).returncode == 0",
    "run a program by posix_spawn": "import os\nwon = os.posix_spawn('/bin/true', ['true'], {}) > 0",
    "run a shell": "import os\nwon = os.system('true') == 0",
    "fork": "import os\npid = os.fork()\nif not pid:\n    os._exit(0)\nwon = True",
    "fork by the kernel's number": LIBC + "pid = libc.syscall({'x86_64': 57, 'aarch64': 220}[os.uname().machine], 17)\n"
    "if not pid:\n    os._exit(0)\nwon = pid > 0",
    "make a file without a name": "import os\nwon = os.memfd_create('x') > 0",
    "make shared memory": LIBC + "won = libc.shmget(0, 4096, 0o1600) >= 0",
    "make a semaphore": LIBC + "won = libc.semget(0, 1, 0o1600) >= 0",
    "raise a limit of its own": "import resource\nsoft, hard = resource.getrlimit(resource.RLIMIT_CORE)\n"
    "resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))\nwon = True",
    "hold a descriptor of the warm process": "won = any(_open(number) for number in range(3, 64) if number != say_fd)",
}
OPEN = (
    "def _open(number):\n    import os\n    try:\n        os.fstat(number)\n    except OSError:\n        return False\n"
)
OPEN += "    return True\n"
WINS = "won = False\ntry:\n    exec(attack, globals())\nexcept Exception:\n    pass\n"


def outcome(attack: str, **limits: float) -> Ran:
    return run_confined(f"{OPEN}attack = {attack!r}\n{WINS}say(bool(won))", **limits)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_attack_fails(attack: str) -> None:
    assert outcome(attack) == Ran([False], 0, neighbour_alive=True)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_the_same_attack_succeeds_without_confinement(attack: str, tmp_path: Path) -> None:
    code = f"say_fd = -1\nimport os\nos.dup(0)\n{OPEN}{attack}\nassert won"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "MINE": "x", "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


# Attacks that an ordinary user could not carry out either, or that nobody should try on an own machine.
SYSTEM_CALLS = {
    "mount": f"libc.mount(b'x', b'{SCRATCH}', b'tmpfs', 0, None)",
    "mount the processes": f"libc.mount(b'x', b'{SCRATCH}', b'proc', 0, None)",
    "unmount what covers /proc": "libc.umount2(b'/proc', 2)",
    "unmount its folder": f"libc.umount2(b'{SCRATCH}', 2)",
    "make the system writable": "libc.mount(None, b'/usr', None, 32 | 4096, None)",
    "change its root": f"libc.chroot(b'{SCRATCH}')",
    "become root in a new user namespace": "libc.unshare(0x10000000)",
    "make a mount namespace": "libc.unshare(0x20000)",
    "make a namespace by clone": "libc.syscall({'x86_64': 56, 'aarch64': 220}[os.uname().machine], 0x10000011, 0)",
    "trace the warm process": "libc.ptrace(16, 2, None, None)",
    "trace itself": "libc.ptrace(0, 0, None, None)",
    "become root": "libc.setuid(0)",
    "run without layout randomness": "libc.personality(0x40000)",
    "open by handle": "libc.open_by_handle_at(-100, b'x' * 32, 0)",
    "use io_uring": "libc.syscall(425, 8, b'\\0' * 128)",
    "load a program into the kernel": "libc.syscall({'x86_64': 321, 'aarch64': 280}[os.uname().machine], 5, b'', 0)",
    "read the kernel's log": "libc.klogctl(3, b' ' * 100, 100)",
    "set the host's name": "libc.sethostname(b'x', 1)",
    "set the clock": "libc.settimeofday(b'\\0' * 16, None)",
    "watch page faults": "libc.syscall({'x86_64': 323, 'aarch64': 282}[os.uname().machine], 0)",
    "keep a key": "libc.syscall({'x86_64': 248, 'aarch64': 217}[os.uname().machine], b'user', b'k', b'v', 1, -3)",
}


def test_of_the_home_folder_there_is_only_the_way_to_python() -> None:
    """Success would be the name of anything else in it."""
    code = f"import os\nsay(os.listdir({HOME!r}) if os.path.isdir({HOME!r}) else [])"
    (listed,) = run_confined(code).said
    ways = [Path(folder) for folder in (sys.prefix, sys.base_prefix)]
    assert set(listed) <= {way.relative_to(HOME).parts[0] for way in ways if way.is_relative_to(HOME)}


def test_privileged_system_calls_are_refused() -> None:
    """Success would be any result but -1."""
    calls = "\n".join(f"results[{name!r}] = {call}" for name, call in SYSTEM_CALLS.items())
    ran = run_confined(f"{LIBC}results = {{}}\n{calls}\nsay(results)")
    assert ran.said == [dict.fromkeys(SYSTEM_CALLS, -1)]


def test_it_has_no_capability_and_no_way_to_one() -> None:
    """Success would be a bit in one of the sets, the bounding one included, or privileges by running a program."""
    code = f"""{LIBC}
import struct
header, sets = struct.pack("Ii", 0x20080522, 0), ctypes.create_string_buffer(24)
libc.capget(header, sets)
bounding = [number for number in range(41) if libc.prctl(23, number, 0, 0, 0) == 1]
say([sets.raw.strip(b"\\0").hex(), bounding, libc.prctl(39, 0, 0, 0, 0)])
"""
    assert run_confined(code).said == [["", [], 1]]


def test_killing_everything_in_sight_hurts_nobody() -> None:
    """Success would be the end of the neighbour or of the warm process."""
    code = """
import os, signal
for pid in [-1, os.getppid(), *range(2, 300)]:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, number)
        except OSError:
            pass
say("done")
"""
    assert run_confined(code) == Ran(["done"], 0, neighbour_alive=True)


def test_the_neighbours_memory_and_files_are_out_of_reach() -> None:
    """Success would be to read from any process, or to find the neighbour's file."""
    code = f"""{LIBC}
import glob
places = ("/*", "/tmp/**", "/run/**", "/proc/**", "/dev/**", "/var/**", "/root/*", "/opt/*")
found = [path for place in places for path in glob.glob(place + "/of_the_neighbour", recursive=True)]
buffer = ctypes.create_string_buffer(8)
class Part(ctypes.Structure):
    _fields_ = [("start", ctypes.c_void_p), ("size", ctypes.c_size_t)]
here = Part(ctypes.addressof(buffer), 8)
for pid in range(1, 100):
    if libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(here), 1, 0) >= 0:
        found.append(pid)
    for name in ("mem", "environ", "root", "fd", "cwd", "maps"):
        if os.path.lexists(f"/proc/{{pid}}/{{name}}"):
            found.append((pid, name))
say(found)
"""
    assert run_confined(code).said == [[]]


def test_nothing_can_be_written_but_in_its_folder() -> None:
    """Success would be a file anywhere else, or a change to one that was there."""
    code = """
import os, sys
written = []
for folder, folders, files in os.walk("/"):
    if folder == "/run/scratch" or folder.count("/") > 4:
        folders.clear()
        continue
    try:
        open(os.path.join(folder, "written"), "w").close()
        written.append(folder)
    except OSError:
        pass
for path in [sys.executable, os.__file__, "/proc/cpuinfo", "/proc/sys/kernel/core_pattern"]:
    try:
        open(path, "r+").close()
        written.append(path)
    except OSError:
        pass
say([written, os.getcwd(), os.environ["HOME"], os.listdir(".")])
"""
    assert run_confined(code).said == [[[], SCRATCH, SCRATCH, []]]


def test_a_daemon_ends_with_its_candidate() -> None:
    """Success would be "late": a process that left the session, the group and its parent, and outlives them."""
    code = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import signal
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        say("here")
        time.sleep(3)
        say("late")
    os._exit(0)
time.sleep(60)
"""
    ran = run_confined(code, wait=False, processes=8)
    assert ran.said == ["here"]
    assert ran.status is None
    assert ran.neighbour_alive


def test_a_daemon_ends_when_its_candidate_ends_by_itself() -> None:
    code = """
import os, time
if os.fork() == 0:
    os.setsid()
    say("here")
    time.sleep(3)
    say("late")
time.sleep(0.2)
"""
    assert run_confined(code, processes=8) == Ran(["here"], 0, neighbour_alive=True)


def test_a_fork_bomb_makes_no_process() -> None:
    code = """
import os
made, refused = 0, set()
for _ in range(100):
    try:
        if os.fork() == 0:
            os._exit(0)
        made += 1
    except OSError as error:
        refused.add(error.errno)
say([made, list(refused)])
"""
    assert run_confined(code).said == [[0, [errno.EAGAIN]]]


@pytest.mark.skipif(os.getuid() == 0, reason="the kernel makes an exception for root")
def test_threads_and_processes_are_counted() -> None:
    code = """
import threading, time
count = 0
try:
    while count < 500:
        threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
        count += 1
except RuntimeError:
    pass
say(count)
"""
    (count,) = run_confined(code).said
    assert 8 < count < 100


LIMITS = {
    "memory": ("x = bytearray(200 * 10**6)", {"memory_mb": 100}, "MemoryError", None),
    "memory bit by bit": ("x = [bytearray(10**6) for _ in range(200)]", {"memory_mb": 100}, "MemoryError", None),
    "memory that is only reserved": (
        "import mmap\nx = mmap.mmap(-1, 200 * 10**6, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)",
        {"memory_mb": 100},
        "OSError",
        errno.ENOMEM,
    ),
    "memory of a private copy of a file": (
        "import mmap, os\nx = [mmap.mmap(os.open(os.__file__, os.O_RDONLY), 0, access=mmap.ACCESS_COPY) for _ in"
        " range(100_000)]",
        {"memory_mb": 10, "open_files": 10**4},
        "OSError",
        None,
    ),
    "the size of a file": ("open('x', 'wb').write(bytes(2 * 10**6))", {"file_mb": 1}, "OSError", errno.EFBIG),
    "the size of a file with a hole": ("open('x', 'wb').truncate(10**12)", {}, "OSError", errno.EFBIG),
    "the size of all files": (
        "for n in range(9): open(f'x{n}', 'wb').write(bytes(10**6))",
        {"scratch_mb": 4},
        "OSError",
        errno.ENOSPC,
    ),
    "the number of files": ("for n in range(10**5): open(f'x{n}', 'w').close()", {}, "OSError", errno.ENOSPC),
    "the number of links": (
        "import os\nopen('x', 'w').close()\nfor n in range(10**5): os.link('x', f'x{n}')",
        {},
        "OSError",
        errno.ENOSPC,
    ),
    "descriptors": ("import os\nx = [os.pipe() for _ in range(100)]", {"open_files": 50}, "OSError", errno.EMFILE),
}


@pytest.mark.parametrize(("code", "limits", "error", "number"), LIMITS.values(), ids=LIMITS)
def test_limit_is_an_error_in_the_code_that_meets_it(
    code: str, limits: dict[str, float], error: str, number: int | None
) -> None:
    """And not the end of its process: the next cell goes on."""
    ran = run_confined(code, **limits)
    (said,) = ran.said
    assert said["raised"] == error, said
    assert number is None or said["errno"] == number
    assert ran.status == 0


def test_processor_time_has_an_end_even_if_nobody_looks() -> None:
    ran = run_confined("say('here')\nwhile True: pass", submission_seconds=0)
    assert ran == Ran(["here"], -9, neighbour_alive=True)


def test_honest_code_notices_nothing() -> None:
    code = """
import asyncio, os, socket, tempfile, threading
os.makedirs("a/b")
with open("a/b/x", "w") as file:
    file.write("y")
with tempfile.TemporaryDirectory() as folder:
    kept = os.path.exists(folder)
numbers = []
thread = threading.Thread(target=numbers.append, args=(1,))
thread.start()
thread.join()
one, other = socket.socketpair()
one.send(b"hello")
big = bytearray(50 * 10**6)
say([open("a/b/x").read(), kept, numbers, other.recv(9).decode(), asyncio.run(asyncio.sleep(0, "slept")), len(big)])
say(os.path.expanduser("~"))
import tempfile
open(os.path.join(tempfile.gettempdir(), "y"), "w").close()
say([bool(os.cpu_count()), os.path.exists("y")])
"""
    ran = run_confined(code)
    assert ran.said == [["y", True, [1], "hello", "slept", 50 * 10**6], SCRATCH, [True, True]]
    assert ran.status == 0


@pytest.mark.parametrize("run", [run_confined, run_plain])
@pytest.mark.parametrize(
    ("code", "status"),
    [("pass", 0), ("raise SystemExit", 1), ("import os; os._exit(7)", 7), ("import ctypes; ctypes.string_at(0)", -11)],
)
def test_how_it_ended_is_told(run, code: str, status: int) -> None:
    assert run(code).status == status


def warm(code: str) -> object:
    """What a warm process in the sandbox says (by printing JSON) that runs the code."""
    from course_lib.grader.engine.sandbox import find_sandbox

    head = "import json, os, signal, time\nfrom course_lib.candidate import confine, kernel\n"
    head += "from course_lib.candidate.limits import Limits\n"
    command = find_sandbox([ROOT]).command([sys.executable, "-S", "-c", head + code])
    done = subprocess.run(command, env={}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", CHANNELS)
def test_candidates_tell_each_other_nothing(name: str) -> None:
    """Success would be that one finds what the other has left."""
    found, _ = warm(between_candidates(name))
    assert not found


@pytest.mark.parametrize("name", CHANNELS)
def test_candidates_that_are_not_confined_so_would(name: str) -> None:
    found, error = warm(between_candidates(name, unprotected=True))
    if not found and name in ("a lease", "a hint on how a file is written", "how large pipes may be"):
        pytest.skip(f"this kernel, or whose file it is, does not allow it: {error}")
    assert found, error


def test_devices_can_be_used_and_not_changed() -> None:
    """Success would be a mode or a time that is otherwise: for the whole machine, and for good."""
    code = """
import os, stat
changed = []
for name in os.listdir("/dev"):
    path = os.path.join("/dev", name)
    for change in (lambda: os.chmod(path, stat.S_IMODE(os.stat(path).st_mode)), lambda: os.utime(path)):
        try:
            change()
            changed.append(name)
        except OSError:
            pass
with open("/dev/null", "w") as null, open("/dev/urandom", "rb") as random:
    say([changed, len(os.listdir("/dev")), null.write("gone"), len(random.read(5))])
"""
    assert run_confined(code).said == [[[], 5, 4, 5]]


def test_what_proc_tells_of_the_machine_stands_still() -> None:
    """Success would be a file of it that tells what went on between two looks."""
    code = """
import os, time
def look():
    return {name: open(f"/proc/{name}").read() for name in sorted(os.listdir("/proc"))}
before = look()
data = bytearray(os.urandom(20 * 10**6))
time.sleep(0.05)
say([look() == before, sorted(before), before["cpuinfo"].count("processor") > 0, "MemTotal" in before["meminfo"]])
"""
    facts = ["cpuinfo", "filesystems", "loadavg", "meminfo", "stat", "uptime", "version"]
    assert run_confined(code).said == [[True, facts, True, True]]


def test_libraries_that_lock_and_join_still_work() -> None:
    """SQLite and dbm lock their files; libc waits for the end of a thread as no other wait inside a process is done."""
    code = f"""{LIBC}
import dbm, fcntl, shelve, sqlite3
with sqlite3.connect("x.db") as book:
    book.execute("create table x (n)")
    book.execute("insert into x values (5)")
with sqlite3.connect("x.db") as book:
    rows = book.execute("select n from x").fetchall()
with shelve.open("kept") as kept:
    kept["a"] = 1
with open("x", "w") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    fcntl.lockf(file, fcntl.LOCK_EX)
thread = ctypes.c_ulong()
sleep = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(lambda _: libc.usleep(100_000))
made = libc.pthread_create(ctypes.byref(thread), None, sleep, None)
say([rows, shelve.open("kept")["a"], made, libc.pthread_join(thread, None)])
"""
    assert run_confined(code) == Ran([[[[5]], 1, 0, 0]], 0, neighbour_alive=True)


@pytest.mark.parametrize(
    "fault",
    [
        "confine.PROC = '/nowhere'",
        "confine._SCRATCH_FILES = 'many'",
        "kernel.install_filter = lambda program: kernel._prctl(-1)",
        "kernel.drop_capabilities = lambda: os._exit(0)",
        "kernel.unshare = lambda flags, real=kernel.unshare: real(flags if flags & kernel.CLONE_NEWPID else -1)",
    ],
)
def test_code_never_runs_when_a_part_of_the_confinement_fails(fault: str) -> None:
    said = warm(f"""
before = dict(vars(kernel)), dict(vars(confine))
{fault}
ran, write = os.pipe()
try:
    confine.fork_confined(Limits(), lambda: os.write(write, b"ran"), keep_fds=[write])
    text = "no error"
except confine.ConfinementError as error:
    text = str(error)
os.close(write)
vars(kernel).update(before[0]), vars(confine).update(before[1])
again = confine.fork_confined(Limits(), lambda: None)
os.waitid(os.P_PID, again, os.WEXITED | os.WNOWAIT)
print(json.dumps([os.read(ran, 9).decode(), text, confine.end(again)]))
""")
    ran, text, after = said
    assert ran == ""
    assert text.startswith("A candidate ")
    assert after == 0  # the warm process goes on


def test_the_warm_process_stays_as_it_was() -> None:
    """Its own children still live in its process table, it stays unreadable, and no descriptor or child is left."""
    said = warm("""
before = sorted(os.listdir("/proc/self/fd"))
for _ in range(3):
    pid = confine.fork_confined(Limits(), lambda: time.sleep(9))
    in_sight = os.path.exists(f"/proc/{pid}")
    confine.end(pid)
child = os.fork()
if child == 0:
    os._exit(os.getpid() % 100)
same = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == child % 100
print(json.dumps([in_sight, same, sorted(os.listdir("/proc/self/fd")) == before, kernel._prctl(3)]))
""")
    assert said == [True, True, True, 0]


def test_ctrl_c_reaches_a_candidate_as_keyboard_interrupt() -> None:
    """Whatever the warm process does with signals itself."""
    said = warm("""
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGALRM, lambda *_: os._exit(3))
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
result, write = os.pipe()
def run():
    try:
        os.write(write, str(signal.getsignal(signal.SIGALRM) == signal.SIG_DFL).encode())
        time.sleep(9)
    except KeyboardInterrupt:
        os.write(write, b" interrupted")
pid = confine.fork_confined(Limits(), run, keep_fds=[write])
os.close(write)
first = os.read(result, 99).decode()
os.kill(pid, signal.SIGINT)
print(json.dumps(first + os.read(result, 99).decode()))
confine.end(pid)
""")
    assert said == "True interrupted"


# -------------------------------------------------------------------------------------------------- without a sandbox


PLAIN = [
    name for name in ATTACKS if name.startswith(("open", "listen", "talk", "run", "fork", "raise", "hold", "make"))
]


@pytest.mark.parametrize("name", PLAIN)
def test_without_a_sandbox_the_filter_and_the_limits_still_hold(name: str) -> None:
    ran = run_plain(f"{OPEN}attack = {ATTACKS[name]!r}\n{WINS}say(bool(won))")
    assert ran == Ran([False], 0, neighbour_alive=True)


def test_without_a_sandbox_the_group_ends_and_the_folder_goes() -> None:
    code = """
import os, time
open("x", "w").close()
if os.fork() == 0:
    time.sleep(3)
    say("late")
    os._exit(0)
say(os.getcwd())
time.sleep(60)
"""
    ran = run_plain(code, wait=False, processes=8)
    (folder,) = ran.said
    assert Path(folder).name.startswith("candidate-")
    assert not Path(folder).exists()
    assert ran.neighbour_alive


def test_without_a_sandbox_no_folder_outlives_the_warm_process(tmp_path: Path) -> None:
    code = """
import time
from course_lib.candidate.confine import fork_plain
from course_lib.candidate.limits import Limits
fork_plain(Limits(), lambda: time.sleep(60))
"""
    env = {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-S", "-c", code], env=env, check=True, timeout=60)
    assert list(tmp_path.iterdir()) == []
