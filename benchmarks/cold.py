"""How long one submission takes from the command line when nothing is running yet, and where the seconds go."""

import re
import sys
from collections import defaultdict
from collections.abc import Sequence
from statistics import median

from benchmarks.classes import ASSIGNMENT, hand_in, mixed_class, temporary_course
from benchmarks.page import arguments, publish, table
from benchmarks.spent import Spent, run, script
from benchmarks.throughput import Way, stock
from course_lib.grader.course import Course

MOST_SECONDS = 4.0
"""What one submission may take on a quiet machine."""

BARE = "python -c 'import torch'"

_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")


def commands(course: Course, student: str) -> dict[str, list[str]]:
    """What is measured: how it is called -> the command, without the program's name."""
    return {
        f"course grade {ASSIGNMENT} --student {student}": ["grade", ASSIGNMENT, "--student", student],
        f"course check {ASSIGNMENT}.ipynb": [
            "check",
            str(course.submission(ASSIGNMENT, student) / f"{ASSIGNMENT}.ipynb"),
        ],
    }


def measure(runs: int) -> dict[str, list[Spent]]:
    """Run each command so many times by turns, each time on a course in which nothing was graded.

    Beside them the least that any such command takes, an import of torch, and stock nbgrader on the same submission.
    """
    found: dict[str, list[Spent]] = {}
    theirs = Way(f"nbgrader autograde {ASSIGNMENT}")
    for _ in range(runs):
        with temporary_course() as course:
            work = mixed_class(1)
            [student] = hand_in(course, work)
            for name, words in commands(course, student).items():
                found.setdefault(name, []).append(run([script("course"), *words], course.root, status=(0, 1)))
            found.setdefault(BARE, []).append(run([sys.executable, "-c", "import torch"], course.root))
        stock(theirs, work)
    return {**found, theirs.name: theirs.turns}


def imports() -> list[tuple[str, float]]:
    """Which packages the main process of ``course grade`` imports, and the seconds that each takes, most first."""
    with temporary_course() as course:
        [student] = hand_in(course, mixed_class(1))
        words = commands(course, student)[f"course grade {ASSIGNMENT} --student {student}"]
        timed = run([sys.executable, "-X", "importtime", script("course"), *words], course.root)
    seconds: defaultdict[str, float] = defaultdict(float)
    for microseconds, module in _IMPORT.findall(timed.errors):
        seconds[module.partition(".")[0]] += int(microseconds) / 1e6
    return sorted(seconds.items(), key=lambda item: -item[1])


def report(found: dict[str, list[Spent]], imported: Sequence[tuple[str, float]]) -> str:
    """The section of the page."""
    rows = [
        (f"`{name}`", *(f"{value:.1f}" for value in (min(s), median(s), max(s))), f"{median(p):.1f}")
        for name, spent in found.items()
        for s, p in [([one.seconds for one in spent], [one.processor for one in spent])]
    ]
    heads = ("cold", "fastest, s", "median, s", "slowest, s", "processor, s")
    named = ", ".join(f"{package} {seconds:.2f}" for package, seconds in imported[:8])
    total = sum(seconds for _, seconds in imported)
    bare = median(one.seconds for one in found[BARE])
    times = ", ".join(
        f"`{name}` {median(one.seconds for one in s) / bare:.1f}" for name, s in found.items() if name != BARE
    )
    return f"""{table(heads, rows)}

At most {MOST_SECONDS:g} s are allowed. In multiples of what an import of torch takes on this machine:
{times}.

The main process imports for {total:.1f} s, while what runs student code starts in the sandbox beside it. The packages
that take most (seconds, with `-X importtime`, which itself takes some): {named}."""


def main(words: Sequence[str] | None = None) -> None:
    """The command."""
    parser = arguments(__doc__)
    parser.add_argument("--runs", type=int, default=5, help="how often (5)")
    options = parser.parse_args(words)
    text = report(measure(options.runs), imports())
    publish("cold", f"python -m benchmarks.cold --runs {options.runs}", text, write=options.write)


if __name__ == "__main__":
    main()
