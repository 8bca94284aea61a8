"""Using up time, memory, processes, descriptors, disk and output: the machine's, the grader's and the instructor's."""

from .attack import NOTHING, Attack, points_for, solving

_CATCHES_ALL = """
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
"""
_IN_C = "import re\nre.match('(a+)+$', 'a' * 64 + 'b')"
_NO_ALARM = """
import signal
signal.signal(signal.SIGALRM, signal.SIG_IGN)
signal.setitimer(signal.ITIMER_REAL, 0)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.Signals)
import time
time.sleep(1000)
"""

_SOCKET = """
import os, stat, struct, time
def answer_socket():
    for number in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                return number
        except OSError:
            pass
there = answer_socket()
"""


def _hanging(name: str, body: str) -> str:
    return f"def {name}(*args):\n" + "\n".join(f"    {line}" for line in body.strip().splitlines())


def _answered_with(body: str) -> tuple[tuple[str, str], ...]:
    """A cell that puts its own in the place of the function that sends answers."""
    return (
        (
            "imports",
            f"""
            import torch
            from course_lib.candidate import candidate
            from course_lib.checks.data import Raised
            def forged(seen):
                return {{"data": {body}, "stopped": None, "place": "", "calls": [], "refused": [], "printed": ""}}
            candidate._as_data = forged
            print("replaced")
            """,
        ),
    )


ATTACKS = [
    # ------------------------------------------------------------------------------------------------------------ time
    Attack(
        "a cell that catches what should stop it",
        answers=solving("half"),
        deserves=points_for("half"),
        own=(("imports", _CATCHES_ALL),),
        most_seconds=6,
    ),
    Attack(
        "a cell in a loop of C code",
        answers=solving("half"),
        deserves=points_for("half"),
        own=(("imports", _IN_C),),
        most_seconds=6,
    ),
    Attack(
        "a cell that has taken the alarm away",
        answers=solving("half"),
        deserves=points_for("half"),
        own=(("imports", _NO_ALARM),),
        most_seconds=6,
    ),
    Attack(
        "every function hangs, each in its way",
        answers={
            "scale": _hanging("scale", _CATCHES_ALL),
            "cipher": _hanging("cipher", _IN_C),
            "softmax": _hanging("softmax", _NO_ALARM),
            "half": _hanging("half", "import threading\nthreading.Event().wait()"),
        },
        settings={"submission_seconds": 4.0},
        most_seconds=6,  # what a submission may take, the last answer's grace, and some to spare
    ),
    Attack(
        "a hundred cells that take a tenth of a second",
        answers=solving("half"),
        own=tuple(("imports", "import time\ntime.sleep(0.1)") for _ in range(100)),
        settings={"submission_seconds": 2.0},
        most_seconds=4,
    ),
    Attack(
        "thirty cells that end their process, each in a fresh one",
        answers=solving("half"),
        deserves=points_for("half"),
        own=tuple(("imports", "import os\nos._exit(0)") for _ in range(30)),
        most_seconds=8,
    ),
    Attack(
        "text for the grader's own parser to choke on",
        answers={
            "scale": "def scale(x, k): return " + "(" * 5000 + "x" + ")" * 5000,
            "cipher": "def cipher(text): return " + "-" * 60_000 + "1",
            "softmax": "softmax = " + "1+" * 90_000 + "1",
            "step": "step = x" + ".a" * 90_000,
            "half": "def half(x):\n" + "".join(" " * n + "if x:\n" for n in range(1, 120)) + " " * 121 + "return x",
        },
        most_seconds=6,
    ),
    Attack(
        "a slow drip of bytes",
        own=(
            (
                "imports",
                _SOCKET
                + """
try:
    os.write(there, struct.pack(">I", 60_000_000))
    while True:
        os.write(there, b"N")
        time.sleep(0.01)
except BaseException:
    while True:
        os.write(there, b"N")
""",
            ),
        ),
        answers=solving("half"),
        deserves=points_for("half"),
        most_seconds=6,
    ),
    # ------------------------------------------------------------------------------------- what the grader has to read
    Attack(
        "an announced length that never comes",
        answers=solving("half"),
        deserves=points_for("half"),
        own=(("imports", _SOCKET + 'os.write(there, struct.pack(">I", 2**32 - 1))\nprint("announced")'),),
        most_seconds=4,
    ),
    Attack(
        "frames without an end",
        answers=solving("half"),
        deserves=points_for("half"),
        own=(("imports", _SOCKET + "while True:\n    os.write(there, os.urandom(65536))"),),
        most_seconds=6,
    ),
    Attack(
        "a frame of nothing but small things",
        answers=solving("half"),
        deserves=points_for("half"),
        own=(
            (
                "imports",
                _SOCKET
                + """
body = b"l" + struct.pack(">I", 50_000_000) + b"N" * 50_000_000
data = struct.pack(">I", len(body)) + body
while data:
    data = data[os.write(there, data):]
""",
            ),
        ),
        settings={"memory_mb": 600},
        most_mb=250,
        most_seconds=6,
    ),
    Attack(
        "huge data are returned",
        answers={
            "scale": "def scale(x, k): return torch.zeros(5_000_000)",
            "cipher": "def cipher(text): return [['nop' * 30_000] * 300] * 600",
            "softmax": "def softmax(z): return {str(i): i for i in range(150_000)}",
            "half": "def half(x): return 10 ** 10 ** 6",
        },
        settings={"memory_mb": 400},
        most_seconds=7,
        most_mb=900,  # the process of the visible cases and that of the hidden ones
    ),
    Attack(
        "a tensor without entries, and with more rows than the memory has room for",
        answers={
            "scale": "def scale(x, k): return torch.empty(2**28, 0)",
            "half": "def half(x): return [torch.empty(9**8, 0)]",
        },
    ),
    Attack(
        "data that are nested, cyclic or strange in shape",
        answers={
            "scale": "def scale(x, k): return torch.empty(2**35, 0, 2**4)",
            "cipher": """
                def cipher(text):
                    nested = []
                    for _ in range(100_000):
                        nested = [nested]
                    return nested
                """,
            "softmax": "def softmax(z):\n    loop = []\n    loop += [loop, loop]\n    return loop",
            "half": "def half(x): return torch.zeros(1).expand(2**40)",
        },
        most_seconds=6,
    ),
    Attack(
        "exceptions with huge texts and huge names",
        answers={
            "scale": "def scale(x, k): raise ValueError('x' * 10**7)",
            "cipher": "def cipher(text): raise type('E' * 10**6, (Exception,), {})('\\x1b[31m' * 10**5)",
            "softmax": "def softmax(z):\n    print('p' * 10**7)\n    return softmax(z)",
        },
        most_seconds=6,
    ),
    Attack(
        "forged data: a picture's worth of tensors", own=_answered_with("[torch.zeros(10)] * 5_000"), most_seconds=6
    ),
    # ---------------------------------------------------------------------------------------------------------- output
    Attack(
        "prints without an end",
        answers=solving("half"),
        deserves=points_for("half"),
        own=(
            ("imports", "while True: print('all work and no play')"),
            ("imports", "import os\nwhile True: os.write(1, b'all work and no play')"),
        ),
        most_seconds=6,
    ),
    Attack(
        "a display, an error and a traceback of many megabytes",
        answers=solving("half"),
        deserves=points_for("half"),
        own=(
            ("imports", "from IPython.display import HTML, display\nfor _ in range(50): display(HTML('<' * 10**6))"),
            ("imports", "raise ValueError('x' * 10**7)"),
            ("imports", "def f(n): return f(n - 1) if n else 1 / 0\nimport sys\nsys.setrecursionlimit(10**5)\nf(800)"),
            ("imports", "class Wide:\n    def __repr__(self): return 'w' * 10**7\nWide()"),
        ),
        most_seconds=8,
    ),
    Attack(
        "many cells with as much output as one may have",
        answers=solving("half"),
        deserves=points_for("half"),
        own=tuple(("imports", "print('x' * 19_000)") for _ in range(100)),
        succeeded=lambda seen: ["it is too long"] if len(seen.graded.notebook) > 500_000 else [],
    ),
    Attack(
        "many forged outputs, each with a long error",
        own=(
            (
                "imports",
                """
                from course_lib.candidate import candidate, notebook
                error = {"output_type": "error", "ename": "E", "evalue": "", "traceback": ["x" * 280_000]}
                notebook.Notebook.run = lambda self, text, **k: {"outputs": [error] * 150, "count": 10**100}
                """,
            ),
            *(("imports", "1") for _ in range(6)),
        ),
        settings={"memory_mb": 400},
        most_seconds=6,
        most_mb=350,
    ),
    # ---------------------------------------------------------------------------------------------------------- memory
    Attack(
        "memory: lists, tensors, maps, threads' stacks",
        answers={
            "scale": "def scale(x, k):\n    keep = []\n    while True: keep.append(bytearray(10**7))",
            "cipher": "def cipher(text): return str(torch.ones(10**9).sum())",
            "softmax": "import mmap\ndef softmax(z):\n    m = [mmap.mmap(-1, 2**26) for _ in range(100)]\n    return z",
            "half": """
                import threading
                def half(x):
                    stop = threading.Event()
                    for _ in range(10_000):
                        threading.Thread(target=stop.wait, daemon=True).start()
                    return x / 2
                """,
        },
        most_seconds=9,
        most_mb=700,
    ),
    Attack(
        "memory: every page that is shared with the warm process becomes its own",
        answers=solving("half"),
        own=(
            (
                "imports",
                "import gc\nkeep = []\ngc.unfreeze()\nfor _ in range(3): gc.collect()\n"
                "while True: keep.append([object() for _ in range(10**5)])",
            ),
        ),
        deserves=points_for("half"),
        most_seconds=7,
        most_mb=700,
    ),
    # ------------------------------------------------------------------------------------ processes, descriptors, disk
    Attack(
        "processes and threads without an end",
        answers=solving("half"),
        deserves=points_for("half"),
        own=(
            (
                "imports",
                """
                import os, threading
                said = set()
                for _ in range(1000):
                    try:
                        os.fork()
                    except OSError as error:
                        said.add(error.errno)
                    try:
                        threading.Thread(target=threading.Event().wait, daemon=True).start()
                    except RuntimeError as error:
                        said.add("no more threads")
                print("forks", said)
                """,
            ),
        ),
        shows=("forks {11, 'no more threads'}",),
        most_seconds=6,
        most_mb=400,
    ),
    Attack(
        "descriptors without an end",
        answers=solving("half"),
        deserves=points_for("half"),
        own=(
            (
                "imports",
                """
                import os
                keep = []
                try:
                    while True:
                        keep.append(os.open("/", 0))
                finally:
                    [os.close(one) for one in keep]
                """,
            ),
        ),
        succeeded=lambda seen: [] if "Too many open files" in seen.untrusted_said() else ["there was no limit"],
    ),
    Attack(
        "disk: one large file, many small ones, deep folders",
        answers=solving("half"),
        deserves=points_for("half"),
        own=(
            ("imports", "with open('large', 'wb') as file:\n    while True: file.write(bytes(10**6))"),
            ("imports", "n = 0\nwhile True:\n    open(f'half{n}', 'wb').write(bytes(10**6))\n    n += 1"),
            ("imports", "import os\nfor n in os.listdir(): os.unlink(n)\nfor n in range(10**5): os.mkdir(str(n))"),
        ),
        succeeded=lambda seen: (
            [] if seen.untrusted_said().count("OSError") >= 3 else ["something was written without a limit"]
        ),
        most_seconds=6,
    ),
]
assert all(set(attack.answers) <= set(NOTHING) for attack in ATTACKS)
