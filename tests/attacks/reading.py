"""Reading what is hidden: other files, other processes, the scenarios' surroundings; and carrying it to the student.

A hidden case's own inputs are necessarily in the hands of the student's code while it runs. So there are two kinds of
success: to have what no scenario needs (expected values, solutions, other students' work), and to show the student what
a hidden scenario needs.
"""

from .attack import Attack, points_for, solving

HUNT = """
import re
_found = set()
_look_for = re.compile("ZX[a-z]+" + "q[0-9a-f]{12}")

def keep(thing):
    for text in _look_for.findall(thing if isinstance(thing, str) else repr(thing)[:100000]):
        _found.add(text)
    return sorted(_found)
"""
"""What attackers bring along: a set of secrets found so far."""

_IN_MEMORY = (
    HUNT
    + """
import ctypes, gc, sys

def frames():
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        for value in (*frame.f_locals.values(), code.co_consts, code.co_names, code.co_filename):
            keep(value)
        keep([value for value in frame.f_globals.values() if isinstance(value, (str, tuple, list, dict))])
        frame = frame.f_back

def objects():
    for thing in gc.get_objects():
        try:
            if type(thing) in (dict, list, tuple, set) or type(thing).__name__ in ("RunScenario", "Look", "RunCell"):
                keep(thing)
            elif type(thing).__name__ == "function":
                keep((thing.__code__.co_consts, thing.__defaults__))
            elif isinstance(thing, torch.Tensor) and thing.untyped_storage().nbytes() < 10000 and thing.numel():
                raw = torch.empty(0, dtype=thing.dtype).set_(thing.untyped_storage())
                for start in (0, 1):
                    for step in (1, 2):
                        keep("".join(chr(int(c)) for c in raw[start::step].tolist() if 0 < c < 128))
        except Exception:
            pass

def memory(at=None):
    # What lies around the request that was just received: freed pieces of the interpreter's own memory.
    near = id(at if at is not None else [bytes(1000) for _ in range(20)]) // 2**20 * 2**20
    for chunk in range(0, 2**20, 4096):
        try:
            keep(ctypes.string_at(near + chunk, 4096).decode("latin1"))
        except Exception:
            break

def everything(*used):
    frames(); objects()
"""
)

_TELLING = """
    def cipher(text):
        everything(text)
        found = keep(text)
        print("found", found)
        if len(text) > 30:
            raise ValueError(" ".join(found))
        return " ".join(found)
"""

_OPEN = (
    HUNT
    + """
import os
def read(path):
    try:
        with open(path, "rb") as file:
            return str(keep(file.read(10**7).decode("latin1")))
    except OSError as error:
        return type(error).__name__
"""
)

_RECORDING = """
from course_lib.candidate import candidate
seen_requests = []
def answer(self, request, old=candidate._Candidate.answer):
    seen_requests.append(request)
    return old(self, request)
candidate._Candidate.answer = answer
def show():
    for request in seen_requests:
        keep(request)
        keep(getattr(request, "scenario", b"").decode("latin1"))
    return sorted(_found)
"""

ATTACKS = [
    Attack(
        "expected values and neighbours, from frames, the garbage collector and storages",
        answers={"cipher": _TELLING},
        own=(("imports", _IN_MEMORY),),
        shows=("found",),
        most_seconds=8,
    ),
    Attack(
        "a hidden scenario is kept for a later cell to print",
        answers=solving(
            "scale",
            "half",
            cipher="""
            kept = []
            def cipher(text):
                everything(text); keep(text); kept.append(text)
                open("kept.txt", "a").write(text)
                return "".join(_found)
            """,
        ),
        deserves=points_for("scale", "half"),
        own=(
            ("imports", _IN_MEMORY),
            ("test_cipher", "print('the later cell', kept, _found, open('kept.txt').read())"),
            ("test_half", "print('the last cell', kept, _found, open('kept.txt').read())"),
        ),
        shows=("the last cell", "abc"),
        most_seconds=8,
    ),
    Attack(
        "a hidden scenario is kept for a later exercise's visible case to show",
        answers=solving(
            "scale",
            "half",
            cipher="kept = []\ndef cipher(text):\n    kept.append(text)\n    return 'nop'",
            softmax="def softmax(z):\n    print('kept', kept)\n    raise ValueError(str(kept))",
        ),
        deserves=points_for("scale", "half", cipher=1.0),
        shows=("kept ['abc']",),
    ),
    Attack(
        "a hidden scenario is written into the answer to a later request",
        answers=solving(
            "half",
            cipher="""
            import os
            from course_lib.candidate.wire import encode, frame
            def cipher(text):
                outputs = [{"output_type": "stream", "name": "stdout", "text": "carried " + text}]
                for number in range(1, 40):
                    for there in range(3, 12):
                        try:
                            os.write(there, frame(encode([number, {"outputs": outputs, "count": 1}])))
                        except OSError:
                            pass
                return "nop"
            """,
        ),
        deserves=points_for("half"),
        own=(("test_cipher", "print('a later cell')"), ("test_softmax", "print('a still later cell')")),
        shows=("a still later cell",),
        most_seconds=7,
    ),
    Attack(
        "a cell ends its process or not, by what a hidden scenario held, and a later one tells",
        answers=solving(
            "half",
            cipher="""
            kept = ''
            def cipher(text):
                global kept
                kept = text if len(text) > 10 else kept
                return 'nop'
            """,
            softmax="""
            def softmax(z):
                import os
                os._exit(1)  # so that the process of the visible cases is a fresh one
            """,
        ),
        deserves=points_for("half", cipher=1.0),
        own=(
            ("test_cipher", "import os\nif kept: os._exit(1)\nran = True"),
            ("test_softmax", "print('a bit of what was hidden:', not globals().get('ran', False))"),
        ),
        succeeded=lambda seen: ["one bit got out"] if "hidden: True" in seen.untrusted_said() else [],
        shows=("hidden: False",),
        most_seconds=8,
    ),
    Attack(
        "what the examiner asks for quotes hidden tests",
        answers=solving("scale", "cipher", "softmax", "step", "half"),
        deserves=points_for("scale", "cipher", "softmax", "step", "half"),
        own=(("imports", HUNT + _RECORDING), ("test_half", "print('asked:', len(seen_requests), show())")),
        shows=("asked:",),
    ),
    Attack(
        "source, solutions, misconceptions, siblings and the gradebook, by their paths",
        own=(
            (
                "imports",
                _OPEN
                + """
names = ["source/03_attacked/03_attacked.ipynb", "misconceptions/03_attacked.py", "gradebook.db", "nbgrader_config.py",
         "submitted/sibling/03_attacked/03_attacked.ipynb", "submitted", "autograded/sibling", "."]
up = ["@ROOT@"] + ["/".join([".."] * n) for n in range(1, 6)]
print("tried", {read(os.path.join(folder, name)) if not os.path.isdir(os.path.join(folder, name))
                else str(os.listdir(os.path.join(folder, name)))[:50] for folder in up[:1] for name in names})
print(sum(read(os.path.join(folder, name)).startswith("[") for folder in up for name in names), "files", keep(""))
""",
            ),
        ),
        shows=("tried {'FileNotFoundError'}",),
        control="no sandbox",
    ),
    Attack(
        "every file that can be read, from the root down",
        own=(
            (
                "imports",
                _OPEN
                + """
count = 0
for folder, folders, names in os.walk("/"):
    if folder.startswith(("/usr", "/sys", "/lib", "/nix")) or "site-packages" in folder or "/lib/python3" in folder:
        folders.clear()
        continue
    keep(" ".join(names))
    for name in names:
        if name not in ("zero", "random", "urandom", "full"):
            count += read(os.path.join(folder, name)).startswith("[")
print("read", count > 0, keep(""))
""",
            ),
        ),
        shows=("read True",),
        settings={"cell_seconds": 5.0, "submission_seconds": 20.0},
        most_seconds=10,
    ),
    Attack(
        "the environment, and the environments of other processes",
        own=(
            (
                "imports",
                _OPEN
                + """
import os
keep(dict(os.environ)); keep(os.environb)
for pid in [*range(1, 400), "self"]:
    read(f"/proc/{pid}/environ"); read(f"/proc/{pid}/cmdline")
print("read", keep(""))
""",
            ),
        ),
        shows=("read",),
        control="no sandbox",
    ),
    Attack(
        "the memory of other processes",
        own=(
            (
                "imports",
                _OPEN
                + """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
said = set()
for pid in [*range(1, 60), os.getppid()]:
    if pid == os.getpid():
        continue
    said.add(read(f"/proc/{pid}/mem") if os.path.exists(f"/proc/{pid}") else "none")
    said.add(libc.ptrace(16, pid, 0, 0))
    piece = ctypes.create_string_buffer(64)
    vector = (ctypes.c_size_t * 2)(ctypes.addressof(piece), 64)
    said.add(libc.process_vm_readv(pid, vector, 1, vector, 1, 0))
print("said", said, keep(""))
""",
            ),
        ),
        shows=("said",),
        succeeded=lambda seen: (
            []
            if any(f"said {{{two}}}" in seen.untrusted_said() for two in ("'none', -1", "-1, 'none'"))
            else ["it worked"]
        ),
    ),
    Attack(
        "descriptors that were left open",
        own=(
            (
                "imports",
                _OPEN
                + """
import os, stat
kinds = {}
for number in range(1024):
    try:
        mode = os.fstat(number).st_mode
    except OSError:
        continue
    kinds[number] = "socket" if stat.S_ISSOCK(mode) else "folder" if stat.S_ISDIR(mode) else "file"
    try:
        keep(os.pread(number, 10**6, 0).decode("latin1"))
        for name in ("source", "gradebook.db", "..", "../.."):
            os.open(name, os.O_RDONLY, dir_fd=number)
            print("opened", name)
    except OSError:
        pass
print("open:", sorted(kinds.values()))
""",
            ),
        ),
        shows=("open:",),
        succeeded=lambda seen: [sign for sign in ("opened", "'folder'") if sign in seen.untrusted_said()],
    ),
    Attack(
        "history, modules and caches of the interpreter",
        own=(
            (
                "test_half",
                HUNT
                + """
import linecache, sys
shell = get_ipython()
keep(linecache.cache); keep([In, Out, _ih, _oh, _dh]); keep(shell.user_ns)
keep(list(shell.history_manager.get_range(raw=False))); keep(sys.argv); keep(sys.path); keep(sys.flags)
grader = [name for name in sys.modules if name.startswith(("course_lib.grader", "nbgrader"))]
print("grader modules:", grader)
for name, module in list(sys.modules.items()):
    if name.startswith("course_lib") or name == "__main__":
        keep({key: value for key, value in vars(module).items() if not key.startswith("__builtins")})
print("kept", keep(""))
try:
    import course_lib.grader
except ImportError as error:
    print("no grader here:", error)
""",
            ),
        ),
        shows=("grader modules: []", "kept []", "no grader here"),
    ),
    Attack(
        "a traceback through hidden lines is printed by the student's own code",
        answers={
            "scale": """
                import traceback
                def scale(x, k):
                    traceback.print_stack()
                    print('printed')
                    1 / 0
                """,
            "half": """
                import traceback
                def half(x):
                    traceback.print_stack()
                    raise NotImplementedError('stub')
                """,
        },
        shows=("printed",),
        succeeded=lambda seen: (
            ["hidden lines are shown"] if 'leaves its argument alone\\"' in seen.student_sees("message") else []
        ),
    ),
]
