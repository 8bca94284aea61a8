"""Where the processor time of `course grade` goes: how much of it is in the students' cells and the cases themselves.

The class is graded in this process by the functions that `course grade` calls in its processes, with clocks in them:
see `benchmarks/clocks.py` for this side and `benchmarks/clocked_server.py` for the sandbox's.
"""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import process_time
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in the processes of `course grade`; before torch is imported

import benchmarks.as_course  # noqa: F401 (first)
from benchmarks import clocked_server as inside
from benchmarks.classes import ASSIGNMENT, hand_in, mixed_class, temporary_course
from benchmarks.clocks import Clocks, put
from benchmarks.page import arguments, publish, table
from benchmarks.processes import processor_seconds, warm_and_candidates
from course_lib.checks.exercise import Exercise
from course_lib.grader.book import writer
from course_lib.grader.engine import processes as engine
from course_lib.grader.engine.examine import Examine, forget_servers
from course_lib.grader.engine.examiner import Paper
from course_lib.grader.engine.remote import RemoteRunner
from course_lib.grader.engine.sandbox import Sandbox
from course_lib.grader.grading import passes, worker
from course_lib.grader.grading.preprocessors import RebuildFromSource

CELLS = "the students' cells"
SCENARIOS = "cases: scenarios, and the students' functions in them"
CASES = "cases: isolating, watching and recording them"
JUDGING = "cases: judging what came, and the reference and misconceptions to compare with"
TESTS = "the test cells, run"
CANDIDATE = "candidates: starting, reading requests, writing answers"
PROCESSES = "processes for submissions: forking, confining and ending them"
TALKING = "trusted side: sending requests, decoding and checking answers"
EXAMINER = "trusted side: looking at names, and putting outputs into the notebook"
REBUILDING = "trusted side: rebuilding the notebook from the source"
NOTEBOOK = "trusted side: nbgrader's passes, and reading and writing notebooks"
RECORDING = "gradebook and `autograded/`"
STARTING = "starting: imports, and warming up what runs students' code (once)"

THEMSELVES = (CELLS, TESTS, SCENARIOS, CASES, JUDGING)
"""What counts as the cells and cases themselves."""


class Instruments:
    """Clocks on both sides. Made once in a process, before anything is graded."""

    def __init__(self) -> None:
        self.clocks = Clocks()
        self.far: Counter[str] = Counter()
        self._latest: dict[int, dict[str, float]] = {}
        for owner, name, label in (
            (engine.Candidate, "ask", TALKING),
            (engine.WarmServer, "start", PROCESSES),
            (engine.WarmServer, "end", PROCESSES),
            (Exercise, "run", JUDGING),
            (Paper, "run", TESTS),
            (RemoteRunner, "run", TALKING),
            (Examine, "preprocess", EXAMINER),
            (RebuildFromSource, "preprocess", REBUILDING),
            (passes.Passes, "run", NOTEBOOK),
            (worker, "grade", NOTEBOOK),
            (writer.Writer, "write", RECORDING),
        ):
            self.clocks.into(owner, name, label)
        self._listen()
        self._put_into_sandbox()

    @property
    def spent(self) -> dict[str, float]:
        """Label -> processor seconds on both sides."""
        far = self.far
        return {
            CELLS: far[inside.CELLS],
            SCENARIOS: far[inside.SCENARIOS],
            CASES: far[inside.CASES] - far[inside.SCENARIOS],
            CANDIDATE: far[inside.ALL] - far[inside.CELLS] - far[inside.CASES],
            **self.clocks.spent,
            PROCESSES: self.clocks.spent[PROCESSES] + far["forked"] + far["ended"] - far[inside.ALL],
        }

    def _listen(self) -> None:
        """Take what the clocks in the sandbox say out of the answers."""
        real_ask, real_answer, real_end = engine.Candidate.ask, engine.WarmServer._answer, engine.WarmServer.end

        def ask(candidate: engine.Candidate, *args: Any) -> Any:
            said = real_ask(candidate, *args)
            if isinstance(said, dict) and inside.CLOCKS in said:
                self._latest[candidate._pid] = said.pop(inside.CLOCKS)
            return said

        def answer(server: engine.WarmServer, seconds: float) -> dict[str, Any]:
            said = real_answer(server, seconds)
            self.far["ended" if "status" in said else "forked"] += said.get(inside.CLOCKS, 0.0)
            return said

        def end(server: engine.WarmServer, pid: int, *args: Any) -> Any:
            self.far.update(self._latest.pop(pid, {}))
            return real_end(server, pid, *args)

        put(engine.Candidate, "ask", ask)
        put(engine.WarmServer, "_answer", answer)
        put(engine.WarmServer, "end", end)

    def _put_into_sandbox(self) -> None:
        real = Sandbox.command

        def command(sandbox: Sandbox, argv: Sequence[str], *, fds: Sequence[int] = ()) -> list[str]:
            ours = [inside.__name__ if word == "course_lib.candidate.server" else word for word in argv]
            words = real(sandbox, ours, fds=fds)
            here = words.index("--chdir")
            folder = str(Path(inside.__file__).parent)
            return [*words[:here], "--ro-bind", folder, "/opt/course/benchmarks", *words[here:]]

        put(Sandbox, "command", command)


def measure(students: int) -> dict[str, float]:
    """Grade a mixed class; label -> processor seconds of a submission."""
    imported = process_time()
    instruments = Instruments()
    work = mixed_class(students)
    with temporary_course() as course, writer.Writer(course.root, ASSIGNMENT) as book:
        ids = hand_in(course, work)
        began = process_time()
        for student in ids:
            result = book.write(worker.grade(book.job(student)))
            if result.outcome.needs_human:
                raise RuntimeError(f"{student}: {result.outcome.value}: {' '.join(result.notes)}")
        here = process_time() - began
        sandbox = sum(map(processor_seconds, warm_and_candidates(os.getpid())[0]))
        forget_servers()
    spent = instruments.spent
    far = sum(instruments.far[name] for name in ("forked", "ended"))
    spent[STARTING] = imported + sandbox - far
    spent[NOTEBOOK] += here - sum(instruments.clocks.spent.values())
    return {label: seconds / students for label, seconds in spent.items()}


def report(spent: dict[str, float], students: int) -> str:
    """The section of the page."""
    total = sum(spent.values())
    themselves = sum(spent.get(label, 0.0) for label in THEMSELVES)
    far = sum(spent.get(label, 0.0) for label in (CELLS, SCENARIOS, CASES)) / total
    judging = sum(spent.get(label, 0.0) for label in (TESTS, JUDGING)) / total
    order = [*THEMSELVES, *sorted(spent.keys() - {*THEMSELVES}, key=lambda label: -spent[label])]
    rows: list[Sequence[object]] = [
        (label, f"{1000 * spent.get(label, 0.0):.0f}", f"{spent.get(label, 0.0) / total:.0%}") for label in order
    ]
    rows.append(("**together**", f"**{1000 * total:.0f}**", ""))
    return f"""{table(("processor time of", "ms a submission", "share"), rows)}

**{themselves / total:.0%}** of the processor time is in the students' cells and the cases themselves: {far:.0%} where
student code runs, and {judging:.0%} where tests run and judge it. Means over a class of {students}."""


def main(words: Sequence[str] | None = None) -> None:
    """The command."""
    parser = arguments(__doc__)
    parser.add_argument("--students", type=int, default=100, help="the size of the class (100)")
    options = parser.parse_args(words)
    text = report(measure(options.students), options.students)
    command = f"python -m benchmarks.where_time_goes --students {options.students}"
    publish("where_time_goes", command, text, write=options.write)


if __name__ == "__main__":
    main()
