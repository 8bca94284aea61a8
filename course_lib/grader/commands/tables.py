"""How results look in a terminal: one table for an assignment, and a line that sums it up."""

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from course_lib.grader.results import Outcome, Result

_STYLE = {
    Outcome.PASSED: "green",
    Outcome.PARTIAL: "",
    Outcome.FAILED: "yellow",
    Outcome.BLANK: "dim",
    Outcome.TIMED_OUT: "yellow",
    Outcome.CRASHED: "yellow",
    Outcome.LIMIT: "yellow",
}


def show_results(console: Console, assignment: str, results: Sequence[Result]) -> None:
    """Print the table of an assignment, what it adds up to, and what somebody has to look at."""
    console.print(results_table(assignment, results))
    console.print(counts(results), highlight=False, soft_wrap=True)
    for result in sorted(results, key=lambda r: r.student):
        if result.outcome.needs_human:
            console.print(
                f"  {result.student}: {' '.join([*result.notes, result.outcome.advice]).strip()}",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )


def results_table(assignment: str, results: Sequence[Result]) -> Table:
    """One row for each student: score, what happened, time."""
    table = Table(title=escape(assignment), title_justify="left", title_style="bold", caption_justify="left")
    table.add_column("student", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("what happened", overflow="fold")
    table.add_column("time", justify="right", no_wrap=True)
    for result in sorted(results, key=lambda r: r.student):
        style = "red" if result.outcome.needs_human else _STYLE.get(result.outcome, "")
        table.add_row(
            Text(result.student),
            score_text(result),
            Text(f"{result.summary} (kept)" if result.kept else result.summary, style=style),
            f"{result.seconds:.1f} s" if result.seconds else "",
        )
    return table


def score_text(result: Result) -> str:
    """The points so far, and how many there are to earn: ``12.5 / 20``, with ``+5`` for those yet to be marked.

    >>> score_text(Result("a", "s", Outcome.PARTIAL, score=12.5, max_score=25.0, manual_points_open=5.0))
    '12.5 / 20 +5'
    >>> score_text(Result("a", "s", Outcome.MISSING))
    '–'
    """
    if result.score is None:
        return "–"
    open_ = f" +{result.manual_points_open:g}" if result.manual_points_open else ""
    return f"{round(result.score, 2):g} / {result.max_score - result.manual_points_open:g}{open_}"


def counts(results: Sequence[Result]) -> str:
    """How many of each outcome: ``40 submissions: 12 passed, 20 partial, 1 unreadable``."""
    total = f"{len(results)} submission{'s' if len(results) != 1 else ''}"
    kept = sum(result.kept for result in results)
    unchanged = f"; {kept} kept, because nothing had changed since (--force grades them again)" if kept else ""
    return f"{total}: {listed(Counter(result.outcome for result in results))}{unchanged}"


def listed(number: Mapping[Outcome, int]) -> str:
    """Outcomes with their numbers, in the outcomes' own order: ``12 passed, 1 missing``."""
    return ", ".join(f"{number[outcome]} {outcome.value}" for outcome in Outcome if number.get(outcome)) or "none"
