"""Runs a piece of code as a student's would be: in a fork of a warm process in the sandbox, or of one without.

`run_confined(code)` tells what the code said with `say(value)`, how it ended, and what became of the process beside it.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_lib.grader.engine.sandbox import find_sandbox

ROOT = Path(__file__).resolve().parents[2]

# The warm process. Beside the candidate that runs the code there is a neighbour, and all three hold the same secret.
WARM = """
import json, os, signal, sys, time
from course_lib.candidate import confine
from course_lib.candidate.limits import Limits

code, fork, limits, wait = json.loads(sys.argv[1])
fork = getattr(confine, fork)
os.environ["SECRET"] = "of the warm process"
said, say = os.pipe()
beside, ready = os.pipe()
secret_file = os.open(os.path.abspath(confine.__file__), os.O_RDONLY)

def neighbour():
    with open("of_the_neighbour", "w") as file:
        file.write("secret")
    os.write(ready, b"!")
    time.sleep(60)

def candidate():
    def tell(value):
        os.write(say, json.dumps(value).encode() + b"\\n")
    names = {"__name__": "__main__", "say": tell, "say_fd": say}
    try:
        exec(code, names)
    except Exception as error:
        tell({"raised": type(error).__name__, "errno": getattr(error, "errno", None), "text": str(error)})

near = fork(Limits(), neighbour, keep_fds=[ready])
os.read(beside, 1)
pid = fork(Limits(**limits), candidate, keep_fds=[say])
os.close(say)
if wait:
    with open(said) as answer:
        lines = [json.loads(line) for line in answer]
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    status = confine.end(pid)
else:
    lines = [json.loads(os.read(said, 100_000))]
    status = confine.end(pid)
    with open(said) as answer:  # open for as long as anything that the candidate started is alive
        lines += [json.loads(line) for line in answer]
alive = os.waitid(os.P_PID, near, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
confine.end(near)
print(json.dumps([lines, status, alive]))
"""


@dataclass(frozen=True)
class Ran:
    """What came of it: what was said, the exit status (None when it had to be ended), and the neighbour's fate."""

    said: list[Any]
    status: int | None
    neighbour_alive: bool


def run_confined(code: str, *, wait: bool = True, **limits: float) -> Ran:
    """In the sandbox. Without `wait` the candidate is ended as soon as it has said something."""
    argv = [sys.executable, "-S", "-c", WARM, json.dumps([code, "fork_confined", limits, wait])]
    return _ran(find_sandbox([ROOT]).command(argv))


def run_plain(code: str, *, wait: bool = True, **limits: float) -> Ran:
    """As with --no-sandbox."""
    return _ran([sys.executable, "-S", "-c", WARM, json.dumps([code, "fork_plain", limits, wait])])


def _ran(command: list[str]) -> Ran:
    env = {"PYTHONPATH": str(ROOT), "MINE": "of the instructor"}
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return Ran(*json.loads(done.stdout))
