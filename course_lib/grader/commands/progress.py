"""What is seen while submissions are graded: a live line on a terminal, else a plain line for each."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from course_lib.grader.commands.tables import listed
from course_lib.grader.results import Outcome, Result

Show = Callable[[Result], None]
"""Told of each result."""


def shown(results: Iterable[Result], show: Show) -> Iterator[Result]:
    """The same results, each of them shown."""
    for result in results:
        show(result)
        yield result


def display(console: Console, total: int, doing: str = "grading") -> AbstractContextManager[Show]:
    """Shows how far it is, for the time of a ``with`` block.

    Args:
        console: where. On a terminal: done, left, rate, time to go, and outcomes so far; else a line for each result.
        total: how many results there will be.
        doing: what is being done.
    """
    return _live(console, total, doing) if console.is_terminal else _lines(console, total)


@contextmanager
def _lines(console: Console, total: int) -> Iterator[Show]:
    done = 0

    def show(result: Result) -> None:
        nonlocal done
        done += 1
        kept = " (kept)" if result.kept else ""
        line = f"[{done}/{total}] {result.student}: {result.summary}{kept}"
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    yield show


@contextmanager
def _live(console: Console, total: int, doing: str) -> Iterator[Show]:
    columns = (
        TextColumn("{task.fields[doing]}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.description}"),
    )
    number: Counter[Outcome] = Counter()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=total, doing=doing)

        def show(result: Result) -> None:
            number[result.outcome] += 1
            progress.update(task, advance=1, description=listed(number))

        yield show


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        """Called by Rich: so many a second."""
        return Text(f"{task.speed:.1f}/s" if task.speed else "–/s")
