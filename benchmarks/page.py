"""Puts what was measured into ``docs/benchmarks.md``, each benchmark into its own section, and shows it."""

import argparse
import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from course_lib.grader.grading.pool import usable_cores

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


def arguments(description: str | None) -> argparse.ArgumentParser:
    """A parser with what all benchmarks understand."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the result into docs/benchmarks.md")
    return parser


def publish(name: str, command: str, text: str, *, write: bool) -> None:
    """Show a section, and put it into the page if that is wanted.

    Args:
        name: the section's name, as in the page's ``<!-- begin NAME -->``.
        command: what was run.
        text: Markdown.
        write: whether to change the page.
    """
    print(text)
    if write:
        section = f"    {command}\n\n{text}\n\n*{machine()}*"
        PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), name, section), encoding="utf-8")


def replaced(page: str, name: str, section: str) -> str:
    """The page with a section in place of the one that was there.

    Raises:
        ValueError: when the page has no place for it.
    """
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"docs/benchmarks.md has no lines {begin} and {end}: add them where {name} should stand")
    return pattern.sub(lambda _: f"{begin}\n{section}\n{end}", page)


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; numbers stand right."""
    numeric = [all(_is_number(row[n]) for row in rows) for n in range(len(heads))]
    lines = [heads, ["---:" if right else "---" for right in numeric], *rows]
    return "\n".join("| " + " | ".join(map(_shown, line)) + " |" for line in lines)


def machine() -> str:
    """What was measured where and when, in a sentence."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d}: {_processor()}, {usable_cores()} cores, {memory:.0f} GB of memory, "
        f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}, "
        f"torch {version('torch').split('+')[0]}, nbgrader {version('nbgrader')}."
    )


def _processor() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        found = None
    return found.group(1).strip() if found else platform.machine()


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) or value == ""


def _shown(value: object) -> str:
    return (
        f"{value:,.3g}"
        if isinstance(value, float) and abs(value) < 100
        else f"{value:,.0f}"
        if _plain(value)
        else str(value)
    )


def _plain(value: object) -> bool:
    return isinstance(value, int | float)
