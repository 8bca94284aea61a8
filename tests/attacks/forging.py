"""Forging points from inside the process that runs the student's code.

Nothing is solved in these. What they share is the hope that whoever gives the points looks at something that student
code can reach.
"""

from .attack import NOTHING, Attack, points_for, solving

_ANY = "class Any:\n    " + "\n    ".join(
    f"def {name}(self, *args, **kwargs): return True"
    for name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__bool__", "__call__", "isfinite")
)

_FRAMES = """
import os, socket, stat, struct
from course_lib.candidate.wire import encode, frame

def answer_socket():
    for number in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                return number
        except OSError:
            pass

there = answer_socket()
print("the socket is", there)
"""

_RIGHT_SOFTMAX = "def softmax(z):\n    return torch.softmax(z, -1)"

ATTACKS = [
    Attack(
        "every class and function of the checks is replaced",
        own=(
            (
                "imports",
                """
                from course_lib.checks import compare, exercise, judging, verdict, session, run
                exercise.Exercise.score = lambda self: self.points
                exercise.Exercise.run = lambda self, *rest: None
                checks.Exercise.case = lambda self, *a, **k: None
                judging.judge = lambda *a: judging.Verdict()
                exercise.judge = judging.judge
                compare.compare = compare._compare = judging.compare = lambda *a, **k: None
                verdict.CaseResult.passed = property(lambda self: True)
                verdict.ExerciseResult.score = property(lambda self: self.points)
                print("replaced")
                """,
            ),
        ),
        shows=("replaced",),
        control="in process",
    ),
    Attack(
        "torch's comparisons say yes",
        answers={"scale": "def scale(x, k): return x", "softmax": "def softmax(z): return z * 0"},
        own=(
            (
                "imports",
                """
                for name in ("equal", "allclose", "isclose", "eq"):
                    setattr(torch, name, lambda *a, **k: True)
                    if hasattr(torch.Tensor, name):
                        setattr(torch.Tensor, name, lambda *a, **k: True)
                torch.Tensor.__eq__ = lambda self, other: True
                torch.Tensor.__le__ = lambda self, other: True
                print("replaced")
                """,
            ),
        ),
        shows=("replaced",),
    ),
    Attack(
        "an object that equals everything is returned",
        answers=dict.fromkeys(
            NOTHING, f"{_ANY}\nscale = cipher = softmax = step = half = lambda *a, **k: Any()\nRATE = Any()"
        ),
    ),
    Attack(
        "subclasses of tensors, numbers and texts have answers of their own",
        answers={
            "scale": """
                class Mine(torch.Tensor):
                    @classmethod
                    def __torch_function__(cls, function, types, args=(), kwargs=None):
                        return True
                def scale(x, k):
                    return torch.zeros(x.shape).as_subclass(Mine)
                """,
            "cipher": """
                class Text(str):
                    __eq__ = lambda self, other: True
                    __ne__ = lambda self, other: False
                    __hash__ = str.__hash__
                    encode = lambda self, *a: b"nop"
                def cipher(text):
                    return Text("")
                """,
            "half": """
                class Number(float):
                    __eq__ = lambda self, other: True
                    __float__ = lambda self: 1.5
                def half(x):
                    return Number(0)
                """,
        },
    ),
    Attack(
        "what is returned unpickles itself into points",
        answers={
            "cipher": """
                import os
                class Bomb:
                    def __reduce__(self):
                        return os.system, ("touch @ROOT@/zx_was_here",)
                def cipher(text):
                    return [Bomb(), {Bomb(): Bomb()}, Bomb]
                """
        },
    ),
    Attack(
        "frames are forged: an answer ahead of each request",
        own=(
            (
                "title",
                _FRAMES
                + """
right = {"data": True, "stopped": None, "place": "", "calls": [], "refused": [], "printed": ""}
for number in range(1, 60):
    os.write(there, frame(encode([number, right])))
""",
            ),
        ),
        most_seconds=6,
    ),
    Attack(
        "frames are forged: answers to other requests, and to none",
        answers=solving("half"),
        own=(
            (
                "title",
                _FRAMES
                + """
right = {"data": True, "stopped": None, "place": "", "calls": [], "refused": [], "printed": ""}
for number in (True, -1, 0, 2**70, 1.0, "1", None, [1]):
    os.write(there, frame(encode([number, right])))
""",
            ),
        ),
        # The cell that does it is lost, and what comes after it runs in a fresh process.
        deserves=points_for("half"),
        succeeded=lambda seen: [] if "no answer" in seen.graded.notebook else ["nobody noticed the forged frames"],
        most_seconds=6,
    ),
    Attack(
        "frames are forged: the examiner is told that everything passed",
        answers=solving("half", cipher="def cipher(text): return 'nop'"),
        deserves=points_for("half", cipher=1.0),
        own=(
            (
                "imports",
                """
                from course_lib.candidate import candidate
                candidate._as_data = lambda seen: {
                    "data": seen.data, "stopped": None, "passed": True, "outcome": "passed", "score": 9, "points": 9,
                    "verdict": {"difference": None, "finding": None}, "place": "", "calls": [], "refused": [],
                    "printed": "passed",
                }
                print("replaced")
                """,
            ),
        ),
        shows=("replaced",),
    ),
    Attack(
        "frames are forged: names are answered with tensors, numbers and lists",
        own=(
            (
                "imports",
                """
                from course_lib.candidate import candidate
                answers = [torch.ones(3), ["data", torch.ones(2)], ["data", 2.0], "callable", ["data"], [[], []], None]
                def answer(self, request, old=candidate._Candidate.answer):
                    if type(request).__name__ == "Look":
                        return {name: answers[i % len(answers)] for i, name in enumerate([*request.names, "checks"])}
                    return old(self, request)
                candidate._Candidate.answer = answer
                print("replaced")
                """,
            ),
        ),
        shows=("replaced",),
    ),
    Attack(
        "frames are forged: observations of every wrong type",
        answers=solving("half"),
        own=(
            (
                "imports",
                """
                from course_lib.candidate import candidate
                import itertools
                odd = itertools.cycle([
                    None, [], 5, {"data": 1}, {"stopped": 3}, {"stopped": "passed", "data": 1},
                    {"stopped": None, "data": 1, "calls": [[1, 2], [[], {}], torch.ones(3)], "refused": torch.ones(2)},
                    {"stopped": "raised", "data": 1}, {"stopped": torch.ones(3), "data": 1},
                    {"stopped": None, "data": 1, "place": 3, "printed": {}, "refused": [[], {}, torch.zeros(2)]},
                ])
                candidate._as_data = lambda seen: next(odd)
                print("replaced")
                """,
            ),
        ),
        shows=("replaced",),
        most_seconds=6,
    ),
    Attack(
        "a record of a perfect result is displayed",
        own=(
            (
                "test_scale",
                """
                from IPython.display import display
                from course_lib.checks.verdict import RESULT_MIME
                record = {"version": 1, "exercise": "scale", "points": 4, "cases": [], "refused": [], "recognised": []}
                display({RESULT_MIME: record, "text/plain": "4.0"}, raw=True)
                print("displayed")
                4.0
                """,
            ),
        ),
        shows=("displayed",),
        succeeded=lambda seen: ["a record of its own got through"] if "vnd.course" in seen.untrusted_said() else [],
    ),
    Attack(
        "the process ends in good order before it is judged",
        answers={
            "scale": "import os\ndef scale(x, k): os._exit(0)",
            "cipher": "def cipher(text): raise SystemExit(0)",
            "softmax": "import sys\ndef softmax(z): sys.exit()",
            "half": "def half(x): raise KeyboardInterrupt",
        },
        most_seconds=6,
    ),
    Attack(
        "work left for the end: exit handlers, finalizers, signals, timers",
        own=(
            (
                "imports",
                """
                import atexit, os, signal, sys, threading, weakref
                def forge(*args):
                    sys.stdout.write("4.0")
                    os._exit(0)
                atexit.register(forge)
                weakref.finalize(checks, forge)
                for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGPROF):
                    signal.signal(number, forge)
                signal.setitimer(signal.ITIMER_PROF, 0.2)
                threading.Timer(0.2, forge).start()
                print("set")
                """,
            ),
        ),
        shows=("set",),
        most_seconds=6,
    ),
    Attack(
        "tracers and profilers rewrite local variables of the grader's frames",
        own=(
            (
                "imports",
                """
                import sys, threading
                def trace(frame, event, argument):
                    for name in ("verdict", "score", "points", "right", "stopped"):
                        if name in frame.f_locals:
                            frame.f_locals[name] = None
                    return trace
                sys.settrace(trace)
                sys.setprofile(trace)
                threading.settrace(trace)
                print("traced")
                """,
            ),
        ),
        shows=("traced",),
    ),
    Attack(
        "assert does nothing any more: transformers of text and of syntax trees",
        own=(
            (
                "imports",
                """
                import ast
                shell = get_ipython()
                class NoAssert(ast.NodeTransformer):
                    def visit_Assert(self, node):
                        return ast.copy_location(ast.Pass(), node)
                shell.ast_transformers.append(NoAssert())
                shell.input_transformers_cleanup.append(lambda lines: [l.replace("assert", "0 and") for l in lines])
                print("transformed")
                """,
            ),
        ),
        shows=("transformed",),
        control="in process",
    ),
    Attack(
        "built-in functions are others",
        own=(
            (
                "imports",
                """
                import builtins
                builtins.float = lambda *a: 4.0
                builtins.isinstance = lambda *a: True
                builtins.all = builtins.any = lambda *a: True
                builtins.abs = lambda *a: 0
                builtins.type = lambda *a: dict
                """,
            ),
        ),
        most_seconds=6,
    ),
    Attack(
        "the names of test cells are taken",
        answers={
            "scale": """
                class Yes:
                    case = staticmethod(lambda *a, **k: None)
                    score = staticmethod(lambda: 4.0)
                scale_tests = cipher_tests = softmax_tests = Yes()
                class checks:
                    Exercise = lambda *a, **k: Yes()
                expected = others = unused = numbers = table = 4.0
                """
        },
    ),
    Attack(
        "everything is data of the wrong kind",
        own=(
            (
                "step",
                "scale = cipher = softmax = step = half = RATE = [[[torch.ones(3)] * 20] * 20]\nprint('data')",
            ),
        ),
        shows=("data",),
    ),
    Attack(
        "exceptions that are what a test expects",
        answers={
            name: f"def {name}(*a, **k): raise type('Passed', (AssertionError, StopIteration), {{}})('4.0')"
            for name in NOTHING
        },
    ),
    Attack(
        "the runner is replaced by one that computes with the reference",
        answers={"softmax": "def softmax(z): return z"},
        own=(
            (
                "softmax",
                """
                from course_lib.checks import run
                def run_it(self, scenario, implementation, *, name, seed, refused=(), hidden=False):
                    import gc, types
                    functions = [thing for thing in gc.get_objects() if isinstance(thing, types.FunctionType)]
                    known = [f for f in functions if "softmax" in f.__name__]
                    right = next((f for f in known if f.__module__ == "scenario"), implementation)
                    return run.Observation(run.plain(scenario(right)))
                run.InProcessRunner.run = run_it
                print("replaced")
                """,
            ),
        ),
        shows=("replaced",),
    ),
    Attack(
        "torch's own softmax, by names that no reader of the text sees",
        answers={"softmax": "exec('def softmax(z):\\n    return getattr(torch, ''.join([\"soft\", \"max\"]))(z, -1)')"},
    ),
    Attack(
        "torch's own softmax, in a thread and through a saved reference",
        answers={
            "softmax": """
                import threading
                from importlib import import_module
                saved = vars(import_module("torch.nn.functional"))["soft" + "max"]
                def softmax(z):
                    out = []
                    thread = threading.Thread(target=lambda: out.append(saved(z, -1)))
                    thread.start()
                    thread.join()
                    return out[0]
                """
        },
    ),
    Attack("torch's own softmax, by its name", answers={"softmax": _RIGHT_SOFTMAX}),
]
