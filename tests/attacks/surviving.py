"""Outliving the submission: processes, files, and changes to what the next student's code meets."""

from .attack import ALL_RIGHT, NOTHING, Attack, points_for, solving
from .seen import MARK

DAEMON = f"""
import os, time
def daemon():
    for again in (True, False):
        if os.fork():
            if not again:
                os._exit(0)
            return
        os.setsid()
    time.sleep(5)
    open("@ROOT@/{MARK}", "w").close()
    os._exit(0)
try:
    daemon()
except OSError as error:
    print("no daemon:", error)
"""

ATTACKS = [
    Attack("a daemon", **ALL_RIGHT, own=(("imports", DAEMON),), shows=("no daemon",), control="no sandbox"),
    Attack(
        "a daemon, where processes are allowed",
        **ALL_RIGHT,
        own=(("imports", DAEMON + "print('went on')"),),
        shows=("went on",),
        settings={"processes": 4},
    ),
    Attack(
        "threads that never end",
        **ALL_RIGHT,
        own=(
            (
                "imports",
                """
                import threading, time
                def on():
                    while True:
                        try:
                            time.sleep(0.01)
                        except BaseException:
                            pass
                for _ in range(10):
                    threading.Thread(target=on).start()
                print("started")
                """,
            ),
        ),
        shows=("started",),
        most_seconds=6,
    ),
    Attack(
        "files for the next one to find",
        **ALL_RIGHT,
        own=(
            (
                "imports",
                f"""
                import os, tempfile
                aside = tempfile.gettempdir()
                print("found", [name for name in os.listdir() if name != "mine"], os.listdir(aside))
                for name in ("{MARK}", f"{{aside}}/{MARK}-2", os.path.expanduser("~/{MARK}-3")):
                    open(name, "w").write("read this")
                print("left", len(os.listdir()))
                """,
            ),
        ),
        shows=("found [] []", "left 3"),
    ),
    Attack(
        "files that the one before has left",
        **ALL_RIGHT,
        own=(
            (
                "imports",
                "import os, tempfile\n"
                "print('found', os.listdir(), os.listdir(tempfile.gettempdir()), os.listdir(os.environ['HOME']))",
            ),
        ),
        shows=("found [] [] []",),
    ),
    Attack(
        "torch, random numbers and warnings are otherwise for the next one",
        own=(
            (
                "imports",
                """
                import builtins, os, random, sys, warnings
                torch.set_default_dtype(torch.float64)
                torch.use_deterministic_algorithms(True)
                torch.set_grad_enabled(False)
                torch.manual_seed(0)
                random.seed(0)
                torch.softmax = torch.zeros = torch.randn = torch.tensor = None
                torch.Tensor.__mul__ = torch.Tensor.__add__ = lambda self, other: self
                warnings.simplefilter("error")
                sys.setrecursionlimit(120)
                sys.path.clear(); sys.modules.clear(); sys.meta_path.clear()
                os.environ.clear(); os.umask(0o777)
                print("changed")
                """,
            ),
        ),
        most_seconds=6,
    ),
    Attack(
        "the warm process is to end, or to fork something else",
        answers=solving("half"),
        deserves=points_for("half"),
        own=(
            (
                "imports",
                """
                import ctypes, os, signal
                for pid in [os.getppid(), *range(2, 50), -os.getpgrp() - 1]:
                    for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
                        try:
                            if pid not in (0, os.getpid()):
                                os.kill(pid, number)
                        except OSError:
                            pass
                from course_lib.candidate import server
                server.main = server._start = lambda *a: None
                libc = ctypes.CDLL(None)
                libc.prctl(1, 0)  # not to end with the parent
                print("tried")
                """,
            ),
        ),
        shows=("tried",),
    ),
    Attack(
        "the process crashes in every way that a process can",
        answers={
            "scale": "import ctypes\ndef scale(x, k): ctypes.string_at(0)",
            "cipher": "import os\ndef cipher(text): os.abort()",
            "softmax": "import sys\nsys.setrecursionlimit(10**9)\ndef softmax(z): return softmax(z) + softmax(z)",
            "half": "import ctypes\ndef half(x): ctypes.memset(id(None), 255, 64)",
        },
        most_seconds=9,
        most_mb=700,
    ),
    Attack(
        "a function that other tests build on is missing",
        answers=solving("step", scale="del checks", half="RATE = None\nhalf = None"),
        most_seconds=4,
    ),
    Attack(
        "a function that other tests build on, and a constant, are wrong",
        answers=solving(
            "cipher",
            scale="def scale(x, k): return x * 0 - 5",
            step="RATE = 77.0\ndef step(w, g, s): return w - s(g, RATE)",
        ),
        deserves=points_for("cipher", "step"),
    ),
]
assert all(set(attack.answers) <= set(NOTHING) for attack in ATTACKS)
