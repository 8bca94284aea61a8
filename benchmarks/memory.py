"""How much memory grading takes: a candidate's own, and the grader's over thousands of submissions."""

import json
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import sleep

from nbformat import NotebookNode

from benchmarks.classes import ASSIGNMENT, KINDS, hand_in, kind_of, mixed_class, temporary_course
from benchmarks.fit import Line
from benchmarks.page import arguments, publish, table
from benchmarks.processes import descendants, own_mb, resident_mb, runs, warm_and_candidates
from benchmarks.spent import environment, script
from course_lib.grader.course import Course
from course_lib.grader.intake.released import released_view
from course_lib.grader.notebooks import read

MOST_OWN_MB = 60
"""What a candidate may have for itself above what it shares with the warm process."""

SMALL = "01_small"
"""The assignment for thousands of submissions: the first exercise of ``ASSIGNMENT``, so that each takes little time."""

MAIN, WORKERS, WARM = "the main process", "the processes that grade", "the warm processes in the sandbox"


@dataclass
class Samples:
    """Memory of the grader, sampled while it worked.

    Attributes:
        done: submissions that were recorded when a sample was taken.
        megabytes: for each kind of process, the sum of the processes of the kind.
    """

    done: list[int] = field(default_factory=list)
    megabytes: dict[str, list[float]] = field(default_factory=lambda: {MAIN: [], WORKERS: [], WARM: []})

    def take(self, pid: int, done: int) -> None:
        """Look at a running ``course grade``."""
        warm, _ = warm_and_candidates(pid)
        workers = [found for found in descendants(pid) if runs(found, "multiprocessing.forkserver")]
        self.done.append(done)
        for kind, found in ((MAIN, [pid]), (WORKERS, workers), (WARM, warm)):
            self.megabytes[kind].append(sum(map(resident_mb, found)))

    def line(self, kind: str, first: int) -> Line:
        """The straight line through the samples from the submission ``first`` on."""
        points = [(d, mb) for d, mb in zip(self.done, self.megabytes[kind], strict=True) if d >= first]
        return Line.through([d for d, _ in points], [mb for _, mb in points])


def own_memory(work: Mapping[str, NotebookNode]) -> float:
    """The most that a candidate had for itself while these notebooks were graded, in megabytes.

    Seen from outside some hundred times a second, for each process that held student code.
    """
    with temporary_course() as course:
        hand_in(course, work)
        with _grading(course, ASSIGNMENT, "--jobs", "1") as process, _peak(process.pid) as peaks:
            process.wait()
    return max(peaks, default=0.0)


def right_work(number: int) -> tuple[dict[str, NotebookNode], dict[str, NotebookNode]]:
    """The source's solutions, handed in by three; and so many with others that are accepted too."""
    work = mixed_class(len(KINDS) * (number + 1))
    right = [(student, notebook) for student, notebook in work.items() if kind_of(int(student[-4:])) == "right"]
    return {f"student-{n:04}": right[0][1] for n in range(3)}, dict(right[1:])


def over_submissions(assignment: str, work: dict[str, NotebookNode], every: int) -> Samples:
    """Grade many submissions with ``course grade`` and sample the memory of its processes.

    Args:
        assignment: ``ASSIGNMENT`` or ``SMALL``.
        work: what is handed in.
        every: after so many submissions a sample is taken.
    """
    samples = Samples()
    with temporary_course() as course:
        if assignment == SMALL:
            _small(course)
        hand_in(course, work, assignment)
        with _grading(course, assignment) as process:
            assert process.stderr is not None
            for done, _ in enumerate((line for line in process.stderr if line.startswith("[")), start=1):
                if done % every == 0 and done < len(work):  # after the last one the processes end
                    samples.take(process.pid, done)
    return samples


def small_class(number: int) -> dict[str, NotebookNode]:
    """What a class hands in for the small assignment: solutions and blank work by turns."""
    with temporary_course() as course:
        source = _small(course)
    blank = released_view(source)
    return {f"student-{n:05}": blank if n % 2 else source for n in range(number)}


def _small(course: Course) -> NotebookNode:
    """Add the small assignment to a course; returns its source."""
    notebook = read(course.source(ASSIGNMENT))
    end = next(n for n, cell in enumerate(notebook.cells) if cell.metadata.get("nbgrader", {}).get("points"))
    notebook.cells = [cell for cell in notebook.cells[: end + 1] if "nbgrader" in cell.metadata]
    path = course.source(SMALL)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return notebook


@contextmanager
def _grading(course: Course, assignment: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [script("course"), "grade", assignment, *options]
    with subprocess.Popen(
        command, cwd=course.root, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with status {process.returncode}")


@contextmanager
def _peak(pid: int) -> Iterator[list[float]]:
    """Gathers the own memory of all candidates below a process, until the end of the ``with`` block."""
    found: list[float] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            found.extend(own_mb(candidate) for candidate in warm_and_candidates(pid)[1])
            sleep(0.005)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def report(own: float, others: float, samples: Sequence[tuple[str, Samples]], first: int) -> str:
    """The section of the page."""
    rows = []
    for name, taken in samples:
        for kind in (MAIN, WORKERS, WARM):
            line = taken.line(kind, first)
            last = taken.done[-1]
            grown = line.slope * (last - first)
            at_first = line.start + line.slope * first
            rows.append(
                (f"{name}: {kind}", at_first, f"{grown:+.1f}", f"{1000 * line.slope:+.2f}", f"{line.noise:.1f}")
            )
    heads = ("", f"MB at submission {first}", "growth to the last, MB", "MB for 1,000 more", "noise, MB")
    return f"""A candidate's own memory, while a right `{ASSIGNMENT}` is graded, is at most **{own:.0f} MB** above what
it shares with the warm process ({MOST_OWN_MB} MB are allowed), and {others:.0f} MB at most among other right answers:
one that loops over single elements has torch report each of its operations to the watch for refused built-ins, which
keeps them until the case ends. Counted are pages that it wrote to and shares with nobody (`Private_Dirty`), looked at
from outside.

The grader's memory (resident, all processes of a kind together), with a straight line fitted from submission {first}
on. Noise is the standard deviation of the samples around that line.

{table(heads, rows)}"""


def main(words: Sequence[str] | None = None) -> None:
    """The command."""
    parser = arguments(__doc__)
    parser.add_argument("--small", type=int, default=2000, help="how many submissions of a small notebook (2,000)")
    parser.add_argument("--large", type=int, default=300, help=f"how many submissions of {ASSIGNMENT} (300)")
    parser.add_argument("--right", type=int, default=10, help="how many other right answers to look at (10)")
    parser.add_argument("--first", type=int, default=100, help="from which submission on memory should be flat (100)")
    parser.add_argument("--every", type=int, default=20, help="after how many submissions to look at it (20)")
    options = parser.parse_args(words)
    if min(options.small, options.large) < options.first + 2 * options.every:
        parser.error("there would be too few samples after --first to fit a line: grade more, or look more often")
    small = over_submissions(SMALL, small_class(options.small), options.every)
    large = over_submissions(ASSIGNMENT, mixed_class(options.large), options.every)
    names = ((f"{options.small:,} small notebooks", small), (f"{options.large:,} × `{ASSIGNMENT}`", large))
    command = f"python -m benchmarks.memory --small {options.small} --large {options.large}"
    own, others = map(own_memory, right_work(options.right))
    publish("memory", command, report(own, others, names, options.first), write=options.write)


if __name__ == "__main__":
    main()
