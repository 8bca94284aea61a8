"""Whether the time that `course grade` takes grows in proportion to the number of submissions."""

from collections.abc import Sequence

from benchmarks.classes import ASSIGNMENT, hand_in, mixed_class, temporary_course
from benchmarks.fit import Line
from benchmarks.page import arguments, publish, table
from benchmarks.spent import run, script

SIZES = (25, 50, 100, 200)


def measure(sizes: Sequence[int]) -> list[float]:
    """The seconds that a class of each size takes, from the command's start to its end."""
    seconds = []
    work = mixed_class(max(sizes))
    for size in sizes:
        with temporary_course() as course:
            hand_in(course, dict(list(work.items())[:size]))
            seconds.append(run([script("course"), "grade", ASSIGNMENT], course.root).seconds)
    return seconds


def report(sizes: Sequence[int], seconds: Sequence[float]) -> str:
    """The section of the page."""
    line = Line.through(sizes, seconds)
    rows = [
        (size, f"{took:.1f}", f"{took - off:.1f}", f"{off:+.1f} ({off / took:+.0%})")
        for size, took, off in zip(sizes, seconds, line.residuals, strict=True)
    ]
    return f"""{table(("submissions", "seconds", "the line's", "off by"), rows)}

The line: {line.start:.1f} s to start, and {line.slope:.3f} s for each submission more."""


def main(words: Sequence[str] | None = None) -> None:
    """The command."""
    parser = arguments(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help=f"the classes' sizes {SIZES}")
    options = parser.parse_args(words)
    command = f"python -m benchmarks.linear --sizes {' '.join(map(str, options.sizes))}"
    publish("linear", command, report(options.sizes, measure(options.sizes)), write=options.write)


if __name__ == "__main__":
    main()
