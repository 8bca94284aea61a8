"""Getting out: files elsewhere, programs, sockets, system calls, modules that take another's place, links."""

import os
from pathlib import Path

from .attack import ALL_RIGHT, Attack
from .seen import MARK, Seen

_TRY = """
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
done, refused = [], []

def attempt(name, action):
    try:
        result = action()
    except (Exception, SystemExit) as error:
        refused.append(f"{name}: {type(error).__name__}")
    else:
        (done if result not in (-1, None) else refused).append(f"{name}: {result}")

def report():
    print("done", done)
    print("refused", len(refused))
"""


def _nothing_done(seen: Seen) -> list[str]:
    return [] if "done []" in seen.untrusted_said() else ["something worked: see what it printed"]


def _links(folder: Path) -> None:
    (folder / "data.txt").symlink_to("../../../gradebook.db")


def _link_to_folder(folder: Path) -> None:
    (folder / "data").symlink_to("../../../source")


def _notebook_is_link(folder: Path) -> None:
    notebook = next(folder.glob("*.ipynb"))
    notebook.unlink()
    notebook.symlink_to(folder.parent.parent / "sibling" / folder.name / notebook.name)


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "data.txt")


def _not_graded(seen: Seen) -> list[str]:
    result = seen.graded.result
    told = any("link" in note or "neither file nor folder" in note for note in result.notes)
    return [] if result.score is None and told else [f"it was graded: {result.score}, {result.notes}"]


ATTACKS = [
    Attack(
        "files are written wherever there is a folder",
        **ALL_RIGHT,
        own=(
            (
                "imports",
                f"""
                import os
                left = []
                places = ["@ROOT@", "@ROOT@/submitted/sibling", "@ROOT@/gradebook.db", "/dev/shm", "/var/tmp", "/root"]
                for folder, folders, names in os.walk("/"):
                    if folder.count("/") > 2 or folder == "/run/scratch":
                        folders.clear()
                    places.append(folder)
                for place in places:
                    path = os.path.join(place, "{MARK}")
                    try:
                        with open(path, "w") as file:
                            file.write("here")
                        if not os.path.realpath(path).startswith("/run/scratch/"):
                            left.append(path)
                    except OSError:
                        pass
                print("places", len(places) > 20, "left", left)
                """,
            ),
        ),
        shows=("places True left []",),
        settings={"cell_seconds": 10.0, "submission_seconds": 20.0},  # for thousands of folders on a busy machine
        most_seconds=20,
    ),
    Attack(
        "files are written into the course's folder",
        **ALL_RIGHT,
        own=(
            (
                "imports",
                f"""
                import os
                print("tried")
                open("@ROOT@/{MARK}", "w").write("here")
                """,
            ),
        ),
        shows=("tried",),
        control="no sandbox",
    ),
    Attack(
        "the course's files are changed by their names, by links and by open folders",
        **ALL_RIGHT,
        own=(
            (
                "imports",
                _TRY
                + f"""
for name in ("gradebook.db", "source/03_attacked/03_attacked.ipynb", "misconceptions/03_attacked.py"):
    attempt("truncate", lambda: os.truncate("@ROOT@/" + name, 0))
    attempt("unlink", lambda: os.unlink("@ROOT@/" + name) or 1)
    attempt("rename", lambda: os.rename("@ROOT@/" + name, "@ROOT@/{MARK}") or 1)
    attempt("link", lambda: os.link("@ROOT@/" + name, "hard") or 1)
    os.symlink("@ROOT@/" + name, "soft")
    attempt("through a link", lambda: open("soft", "w").write("gone"))
    os.unlink("soft")
attempt("chroot", lambda: os.chroot(".") or 1)
attempt("chmod", lambda: os.chmod("/usr", 0o777) or 1)
attempt("mknod", lambda: os.mknod("disk", 0o60666, os.makedev(8, 0)) or 1)
report()
""",
            ),
        ),
        shows=("refused 18",),
        succeeded=_nothing_done,
    ),
    Attack(
        "programs are started: by Python, by magics, by the shell",
        **ALL_RIGHT,
        own=(
            (
                "imports",
                _TRY
                + f"""
import subprocess, multiprocessing, pty
there = "@ROOT@/{MARK}"
attempt("run", lambda: subprocess.run(["touch", there]).returncode)
attempt("system", lambda: 1 if os.system("touch " + there) == 0 else -1)
attempt("popen", lambda: os.popen("id").read() or -1)
attempt("spawn", lambda: 1 if os.spawnl(os.P_WAIT, "/usr/bin/touch", "touch", there) == 0 else -1)
attempt("exec", lambda: os.execv("/usr/bin/touch", ["touch", there]))
attempt("fork", os.fork)
attempt("forkpty", pty.fork)
attempt("multiprocessing", lambda: multiprocessing.get_context("fork").Process(target=print).start() or 1)
attempt("vfork", lambda: libc.syscall(58) if os.uname().machine == "x86_64" else -1)
report()
""",
            ),
            ("imports", f"!touch @ROOT@/{MARK}\nprint('after the shell')"),
            ("imports", f"%%bash\ntouch @ROOT@/{MARK}"),
            ("imports", "%%writefile @ROOT@/gradebook.db\ngone"),
            ("imports", "%run @ROOT@/misconceptions/03_attacked.py"),
            ("imports", f"%system touch @ROOT@/{MARK}"),
            (
                "imports",
                "%load_ext autoreload\n%autosave 1\n%cd @ROOT@\n%history -f @ROOT@/h.txt",
            ),
        ),
        shows=("refused 9",),
        succeeded=_nothing_done,
        settings={"cell_seconds": 3.0, "submission_seconds": 15.0},
        most_seconds=10,
    ),
    Attack(
        "sockets of every kind",
        **ALL_RIGHT,
        own=(
            (
                "imports",
                _TRY
                + """
import socket, urllib.request
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK, socket.AF_PACKET, 38, 40):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
        attempt(f"{family} {kind}", lambda: socket.socket(family, kind).fileno())
attempt("abstract", lambda: socket.socket(socket.AF_UNIX).bind(chr(0) + "meet me"))
attempt("server", lambda: socket.create_server(("127.0.0.1", 0)))
attempt("name", lambda: socket.getaddrinfo("example.org", 80))
attempt("url", lambda: urllib.request.urlopen("http://127.0.0.1:1/", timeout=1))
report()
""",
            ),
        ),
        shows=("refused 25",),
        succeeded=_nothing_done,
    ),
    Attack(
        "system calls that student code has no use for",
        **ALL_RIGHT,
        own=(
            (
                "imports",
                _TRY
                + """
calls = {"ptrace": 101, "mount": 165, "umount2": 166, "unshare": 272, "setns": 308, "pivot_root": 155, "bpf": 321,
         "open_by_handle_at": 304, "name_to_handle_at": 303, "io_uring_setup": 425, "userfaultfd": 323, "keyctl": 250,
         "perf_event_open": 298, "memfd_create": 319, "process_vm_readv": 310, "pidfd_open": 434, "kexec_load": 246,
         "init_module": 175, "execveat": 322, "shmget": 29, "msgget": 68, "personality": 135, "clone3": 435,
         "open_tree": 428, "fsopen": 430, "add_key": 248, "x32 getpid": 0x40000000 + 39, "newer": 500}
if os.uname().machine == "x86_64":
    for name, number in calls.items():
        attempt(name, lambda: libc.syscall(number, 0x10000000, 0, 0, 0, 0, 0))
else:
    refused += calls
import resource
attempt("limits", lambda: resource.setrlimit(resource.RLIMIT_NPROC, (10**6, 10**6)) or 1)
attempt("kill all", lambda: os.kill(-1, 9) or 1)
attempt("kill others", lambda: [os.kill(pid, 9) for pid in range(2, 300)])
attempt("nice", lambda: os.nice(-5))
attempt("root", lambda: os.setuid(0) or 1)
report()
""",
            ),
        ),
        shows=("refused 33",),
        succeeded=_nothing_done,
    ),
    Attack(
        "files beside the notebook take the places of modules",
        answers={"half": "import numpy, torch\ndef half(x): return x / 2"},
        deserves={"half": 2.0},
        files={
            **dict.fromkeys(
                (
                    "torch.py",
                    "numpy.py",
                    "sitecustomize.py",
                    "usercustomize.py",
                    "codecs.py",
                    "IPython.py",
                    "pickle.py",
                ),
                f"open('@ROOT@/{MARK}', 'w'); print('shadowed'); raise SystemExit",
            ),
            "course_lib/__init__.py": "print('shadowed')",
            "course_lib/checks.py": "print('shadowed')",
            ".ipython/profile_default/startup/00.py": "print('shadowed')",
            "ipython_config.py": "c.InteractiveShellApp.exec_lines = ['print(\"shadowed\")']",
            "matplotlibrc": "backend: shadowed",
            "nbgrader_config.py": "c.ExplicitScores.enabled = False",
            "03_attacked.py": "print('shadowed')",
        },
        own=(
            (
                "imports",
                "import os, sys, codecs, pickle, IPython, course_lib\n"
                "print('files', len(os.listdir()) > 5, torch.__version__, [type(m) for m in (codecs, pickle)])",
            ),
        ),
        shows=("files True",),
        succeeded=lambda seen: ["a module of its own ran"] if "shadowed" in seen.untrusted_said() else [],
    ),
    Attack(
        "a link beside the notebook leads to the gradebook",
        **{**ALL_RIGHT, "deserves": {}},
        files=_links,
        own=(("imports", "print(open('data.txt').read())"),),
        succeeded=_not_graded,
    ),
    Attack("a link to a folder leads to the source", files=_link_to_folder, succeeded=_not_graded),
    Attack("the notebook is a link to a sibling's", files=_notebook_is_link, succeeded=_not_graded),
    Attack("a pipe beside the notebook, for the grader to wait at", files=_pipe, succeeded=_not_graded),
]
