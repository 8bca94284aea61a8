"""A course whose grading takes milliseconds: what stands for execution believes what students write.

`score 1` in a solution cell gives each test cell one point; `kill`, `fail` and `wait 0.5` do what they say. Each
execution leaves the student's id in `executed.txt`, so that a test can tell who was graded, and how often.
"""

import sys
from pathlib import Path

from .conftest import ASSIGNMENT, hand_in, solved

CONFIG = """
import os, re, signal, time
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution
from course_lib.grader.annotations import set_seconds
from course_lib.grader.notebooks import new_output


class Pretend(NbGraderPreprocessor):
    def preprocess(self, nb, resources):
        said = " ".join(cell.source for cell in nb.cells if is_solution(cell))
        with open(os.path.join(os.path.dirname(__file__), "executed.txt"), "a") as file:
            file.write(resources["nbgrader"]["student"] + "\\n")
        time.sleep(float(dict(re.findall(r"(wait) ([0-9.]+)", said)).get("wait", 0)))
        if "kill" in said:
            os.kill(os.getpid(), signal.SIGKILL)
        if "fail" in said:
            raise RuntimeError("as asked for")
        score = dict(re.findall(r"(score) ([0-9.]+)", said)).get("score", "0")
        for cell in nb.cells:
            if is_grade(cell) and not is_solution(cell):
                cell.outputs = [new_output("execute_result", data={"text/plain": score}, execution_count=1)]
        set_seconds(nb, 0.001)
        return nb, resources


c.Autograde.autograde_preprocessors[0] = Pretend
"""


def make_quick(root: Path) -> Path:
    """Let a course of `conftest.make_course` grade so."""
    with open(root / "nbgrader_config.py", "a", encoding="utf-8") as file:
        file.write(CONFIG.replace("__file__", repr(str(root / "nbgrader_config.py"))))
    return root


def hand_in_words(root: Path, student: str, words: str, explain: str = "Because.", timestamp: str = "") -> Path:
    """A submission whose solution cells hold words for what stands for execution."""
    return hand_in(root, student, solved(double=f"# {words}", explain=explain), timestamp)


def executed(root: Path) -> list[str]:
    """Who was graded since the last call, in order."""
    path = root / "executed.txt"
    names = path.read_text().split() if path.exists() else []
    path.unlink(missing_ok=True)
    return names


def command(root: Path, *arguments: str) -> list[str]:
    """The command line of `course grade` in a process of its own."""
    return [sys.executable, "-m", "course_lib.cli", "grade", ASSIGNMENT, "--root", str(root), *arguments]
