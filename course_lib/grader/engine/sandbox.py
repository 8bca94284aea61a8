"""The sandbox around the warm process: bubblewrap, which shows it a machine with nothing of the course on it.

Visible inside: the system's programs and libraries, the Python environment, and of this package what student code may
see, all of it read-only. Not visible: the course's folder, home folders, other processes, any network. What a single
submission may do is limited further, by each fork itself: :mod:`course_lib.candidate.confine`.

    sandbox = find_sandbox(hidden=[course.root])
    probe(sandbox)
    process = subprocess.Popen(sandbox.command([sys.executable, "-m", "..."], fds=fds), env={}, pass_fds=fds)
"""

import json
import os
import shutil
import site
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import course_lib
from course_lib.candidate.confine import PROC, SCRATCH

NO_SANDBOX = "--no-sandbox grades without one, at your own risk: student code can then read and write all that you can."
"""What every refusal ends with."""

_LIBRARY = "/opt/course"
"""Where this package lies inside."""
_MATPLOTLIB = f"{SCRATCH}/.matplotlib"
_VISIBLE_PARTS = ("__init__.py", "checks", "lab", "candidate")
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store")
# What the dynamic linker, the C library and matplotlib read at work. No names, passwords or keys.
_SETTINGS = ("alternatives", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime")
_DEVICES = ("null", "zero", "full", "random", "urandom")
# How many processors there are, how much memory: what numeric libraries ask for. Nothing about any process.
_FACTS = ("cpuinfo", "meminfo", "stat", "loadavg", "uptime", "version", "filesystems")
# Of an environment just these, in case it lies in the course's folder itself.
_ENVIRONMENT_PARTS = ("bin", "lib", "lib64", "pyvenv.cfg")

_INSTALL = {
    "apt-get": "sudo apt-get install bubblewrap",
    "dnf": "sudo dnf install bubblewrap",
    "pacman": "sudo pacman -S bubblewrap",
    "zypper": "sudo zypper install bubblewrap",
}
_PROFILE = "abi <abi/4.0>,\\nprofile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }\\n"
# A setting of the system, the value with which it forbids a sandbox, and the line that mends it.
_FORBIDDING = (
    ("user.max_user_namespaces", "0", "sudo sysctl -w user.max_user_namespaces=15000"),
    ("kernel.unprivileged_userns_clone", "0", "sudo sysctl -w kernel.unprivileged_userns_clone=1"),
    (
        "kernel.apparmor_restrict_unprivileged_userns",
        "1",
        f"printf '{_PROFILE}' | sudo tee /etc/apparmor.d/bwrap && sudo apparmor_parser -r /etc/apparmor.d/bwrap",
    ),
)

_CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")


class SandboxMissing(Exception):
    """There is no usable sandbox here. Its text says what is missing, what mends it, and that one can do without."""


@dataclass(frozen=True)
class Sandbox:
    """A way to run a program with nothing of the course in its reach.

    Attributes:
        bubblewrap: the program ``bwrap``.
        hidden: folders to be hidden where something that has to be visible would show them.
    """

    bubblewrap: str
    hidden: tuple[Path, ...] = ()

    def command(self, argv: Sequence[str], *, fds: Sequence[int] = ()) -> list[str]:
        """The command line that runs ``argv`` in the sandbox, with a fixed environment and none of the caller's.

        To be started with ``subprocess.Popen(command, env={}, pass_fds=fds)``, which closes all other descriptors but
        0 to 2. The sandbox ends when the thread that started it ends.

        Args:
            argv: the program as it is called outside, ``sys.executable`` for Python.
            fds: descriptors that go with it.

        Raises:
            OSError: when one of ``fds`` is not open; inside, the program would end without a word about it.
        """
        for descriptor in fds:
            os.fstat(descriptor)
        options = [
            # Users, processes, network, System V IPC, host name, control groups: all its own.
            *("--unshare-user", "--unshare-all", "--uid", "1000", "--gid", "1000", "--hostname", "course"),
            # One capability, over these namespaces alone: the warm process makes new ones for each candidate.
            *("--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN"),
            *("--die-with-parent", "--new-session", "--clearenv"),
            *(word for name, value in _environment().items() for word in ("--setenv", name, value)),
            *_system(),
            *self._python(Path(argv[0])),
            *_package(),
            *("--chdir", "/", "--remount-ro", "/"),
        ]
        return [self.bubblewrap, *options, "--", *argv]

    def _python(self, program: Path) -> list[str]:
        visible = set(_python_folders())
        binds = {str(path): ["--ro-bind", str(path), str(path)] for path in visible}
        covers: list[str] = []
        roots = [*visible, *(Path(folder) for folder in _SYSTEM)]
        for path in (*self.hidden, Path(course_lib.__file__).parent):
            path = path.resolve()
            if any(root != path and root in path.parents for root in roots) and path.is_dir():
                binds[str(path)] = ["--tmpfs", str(path)]
                covers += ["--remount-ro", str(path)]
        for link in _links(program):
            if not any(root in link.parents for root in roots):
                binds[str(link)] = ["--symlink", os.readlink(link), str(link)]
        if not any(path.startswith("/tmp/") for path in binds):
            binds["/tmp"] = ["--symlink", SCRATCH, "/tmp"]
        # What lies deeper comes later, so that a folder that is hidden in a visible one stays hidden, and the reverse.
        return [word for path in sorted(binds, key=lambda path: path.count("/")) for word in binds[path]] + covers


def find_sandbox(hidden: Iterable[Path] = ()) -> Sandbox:
    """The sandbox of this machine. That it works is only known after :func:`probe`.

    Args:
        hidden: folders that must not be visible wherever they lie, the course's above all.

    Raises:
        SandboxMissing: when there is none.
    """
    if sys.platform != "linux":
        system = {"darwin": "macOS", "win32": "Windows"}.get(sys.platform, sys.platform)
        raise SandboxMissing(
            f"There is no sandbox on {system}: bubblewrap, which makes it, needs Linux. Grade on a Linux machine; "
            f"a virtual one will do. {NO_SANDBOX}"
        )
    bubblewrap = shutil.which("bwrap")
    if bubblewrap is None:
        raise SandboxMissing(f"The sandbox, bubblewrap, is not installed. Install it: {_install_line()}. {NO_SANDBOX}")
    return Sandbox(bubblewrap, tuple(hidden))


def probe(sandbox: Sandbox) -> float:
    """Run a candidate in the sandbox that tries to get out; the seconds that it took.

    Called before grading and by ``course doctor``, because a kernel, a security module or a container around this
    machine may forbid what the sandbox is made of.

    Raises:
        SandboxMissing: when nothing could be run in it, or what ran was not confined.
    """
    started = monotonic()
    must_not_exist = [str(path) for path in _secrets(sandbox)]
    # -S: without site-packages, which the test does not need, Python starts in half the time.
    argv = [sys.executable, "-S", "-m", "course_lib.candidate.selftest", *must_not_exist]
    done = subprocess.run(
        sandbox.command(argv), env={}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    if done.returncode:
        raise SandboxMissing(f"{_why_not(done.stderr)} {NO_SANDBOX}")
    holes = json.loads(done.stdout)
    if holes:
        raise SandboxMissing(
            f"The sandbox does not hold on this machine: in it, {'; '.join(holes)}. Please report this as a fault, "
            f"with the output of `uname -a` and `bwrap --version`. {NO_SANDBOX}"
        )
    return monotonic() - started


def _secrets(sandbox: Sandbox) -> Iterator[Path]:
    """What lies in hidden folders, except for the folders that lead to the Python environment."""
    shown = list(_python_folders())
    yield Path(course_lib.__file__).parent / "grader"
    for folder in sandbox.hidden:
        if folder.is_dir():
            yield from (path for path in folder.iterdir() if not any(s.is_relative_to(path) for s in shown))


def _why_not(stderr: str) -> str:
    """What is known to forbid a sandbox, looked for in the order in which it is met."""
    last = (stderr.strip().splitlines() or ["nothing was said about it"])[-1]
    if "Unknown option" in last:
        return f"The installed bubblewrap is too old ({last}). Install version 0.5 or newer."
    for setting, forbidding, remedy in _FORBIDDING:
        if _setting(setting) == forbidding:
            return f"This system lets no ordinary user make a sandbox: {setting} is {forbidding}. Allow it: {remedy}."
    if any(os.path.exists(mark) for mark in _CONTAINER_MARKS):
        return (
            f"No sandbox could be made ({last}). This is a container: start it with `--security-opt seccomp=unconfined "
            "--security-opt apparmor=unconfined --security-opt systempaths=unconfined`, or grade outside of it."
        )
    return f"No sandbox could be made: {last}."


def _setting(name: str) -> str | None:
    try:
        return Path("/proc/sys", *name.split(".")).read_text("utf-8").strip()
    except OSError:
        return None


def _install_line() -> str:
    known = [line for program, line in _INSTALL.items() if shutil.which(program)]
    return known[0] if known else "the package is called bubblewrap in every distribution of Linux"


# ------------------------------------------------------------------------------------------------------ what is visible


def _environment() -> Mapping[str, str]:
    """All that the warm process gets: nothing of the instructor's."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": SCRATCH,
        "TMPDIR": SCRATCH,
        "MPLCONFIGDIR": _MATPLOTLIB,
        "USER": "student",  # torch asks for a name, and there is no list of users
        "LANG": "C.UTF-8",
        "PYTHONPATH": _LIBRARY,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",  # the order of a set is the same in every run
        # Single-threaded: submissions run side by side, and only a process with one thread can be forked.
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",  # each arena reserves address space, which is limited
    }
    if _user_site() is not None:
        environment["PYTHONUSERBASE"] = str(site.getuserbase())
    return environment


def _system() -> list[str]:
    words = []
    for folder in _SYSTEM:
        if os.path.islink(folder):
            words += ["--symlink", os.readlink(folder), folder]
        elif os.path.isdir(folder):
            words += ["--ro-bind", folder, folder]
    for name in _SETTINGS:
        words += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    # Not --dev: with it bubblewrap makes two namespaces of users, and the outer one would own the process table.
    for name in _DEVICES:
        words += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    words += ["--ro-bind-try", "/sys/devices/system/cpu", "/sys/devices/system/cpu"]
    words += ["--proc", "/proc", "--tmpfs", PROC]
    for name in _FACTS:
        words += ["--ro-bind-try", f"/proc/{name}", f"{PROC}/{name}"]
    words += ["--remount-ro", PROC, "--tmpfs", SCRATCH]
    for path in _font_lists():
        words += ["--ro-bind", str(path), f"{_MATPLOTLIB}/{path.name}"]
    return words


def _font_lists() -> Iterator[Path]:
    """What matplotlib has found out about this machine's fonts, which takes it a part of a second each time."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "matplotlib")
    yield from (path for path in sorted(caches.glob("fontlist-*.json")) if path.is_file())


def _user_site() -> Path | None:
    """The folder of ``pip install --user``, where this Python looks into it."""
    folder = Path(site.getusersitepackages())
    return folder if site.ENABLE_USER_SITE and folder.is_dir() else None


def _python_folders() -> Iterator[Path]:
    """Where the Python environment lies: its libraries, and what its commands need. A folder may go by two names."""
    for prefix in {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}:
        for root in {Path(prefix), Path(prefix).resolve()}:
            if root == Path("/usr"):
                continue  # visible as a whole
            for part in _ENVIRONMENT_PARTS:
                if (root / part).exists():
                    yield root / part
    user = _user_site()
    if user is not None:
        yield user


def _links(program: Path) -> Iterator[Path]:
    """Every symbolic link on the way from a program's name to its file; environments are made of them."""
    while program.is_symlink():
        yield program
        program = program.parent / os.readlink(program)


def _package() -> list[str]:
    here = Path(course_lib.__file__).parent
    words = []
    for part in _VISIBLE_PARTS:
        words += ["--ro-bind", str(here / part), f"{_LIBRARY}/{here.name}/{part}"]
    return words
