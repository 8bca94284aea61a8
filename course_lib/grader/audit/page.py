"""The audit as a page of Markdown, and as the few numbers that must not fall."""

from collections.abc import Iterator, Sequence

from course_lib.grader.audit.audit import Audited

HEADS = (
    "exercise",
    "cases (hidden)",
    "misconceptions refused",
    "alternatives accepted",
    "mutants refused",
    "equivalent mutants",
    "right code refused",
)


def rows(audited: Sequence[Audited]) -> Iterator[tuple[str, ...]]:
    """A line of the table for each exercise."""
    for one in audited:
        known, mutated = one.known, one.mutated
        yield (
            one.exercise,
            f"{len(known.cases)} ({len(known.hidden)})",
            f"{len(known.caught_by) - len(one.missed)} of {len(known.caught_by)}",
            f"{len(known.accepted) - len(one.rejected)} of {len(known.accepted)}",
            f"{mutated.number - len(mutated.survivors)} of {mutated.number}",
            f"{len(one.explained)}" + (f", and {len(one.unexplained)} unexplained" if one.unexplained else ""),
            f"{len({line.partition(',')[0] for line in one.unlucky})} of {one.seeds} draws"
            if one.seeds
            else "no draws",
        )


def numbers(audited: Sequence[Audited]) -> dict[str, dict[str, dict[str, int]]]:
    """What must not fall, by assignment and exercise."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for one in audited:
        found.setdefault(one.assignment, {})[one.exercise] = {
            "cases": len(one.known.cases),
            "misconceptions refused": len(one.known.caught_by) - len(one.missed),
            "alternatives accepted": len(one.known.accepted) - len(one.rejected),
            "mutants refused": one.mutated.number - len(one.mutated.survivors),
        }
    return found


def troubles(audited: Sequence[Audited]) -> list[str]:
    """A sentence for everything that is not as it must be."""
    found = []
    for one in audited:
        here = f"{one.assignment}, {one.exercise}"
        found += [f"{here}: the misconception {name!r} keeps all points: a case is missing." for name in one.missed]
        found += [f"{here}: the alternative {name!r} loses points: a test is too narrow." for name in one.rejected]
        found += [
            f"{here}: the mutant {change!r} keeps all points. Add a case, or say in alternatives/{one.assignment}.toml "
            "why it is right, too."
            for change in one.unexplained
        ]
        found += [
            f"{here}: alternatives/{one.assignment}.toml explains {change!r}, which does not survive any more."
            for change in one.stale
        ]
        found += [f"{here}: right code is refused: {line}" for line in one.unlucky]
    return found


def page(audited: Sequence[Audited], command: str) -> str:
    """The page, whole."""
    parts = [
        "# The tests, tested",
        f"Made by `{command}`. A *misconception* is a wrong solution with a name, an *alternative* a right one written "
        "differently, a *mutant* the reference solution with one small change: an operator, a constant, an axis, a "
        "dropped term, swapped arguments, a statement left out. All of them were run through the real test cells, "
        "hidden cases included. Right code that draws random numbers was run again with other draws.",
    ]
    for assignment in dict.fromkeys(one.assignment for one in audited):
        its = [one for one in audited if one.assignment == assignment]
        parts += [f"## {assignment}", _table(HEADS, rows(its))]
        for one in its:
            parts += _details(one)
    return "\n\n".join(parts) + "\n"


def _details(one: Audited) -> Iterator[str]:
    lines = [f"- {sentence}" for sentence in troubles([one])]
    lines += [f"- Only the case *{title}* catches: {'; '.join(names)}." for title, names in sorted(one.alone.items())]
    only = {title: number for title, number in one.mutated.alone.items() if title not in one.alone}
    lines += [
        f"- Only the case *{title}* catches {number} mutant{'s' if number > 1 else ''}."
        for title, number in sorted(only.items())
    ]
    if one.idle:
        lines.append(f"- Cases that catch nothing tried here: {'; '.join(one.idle)}.")
    lines += [f"- Equivalent: `{change.replace('`', chr(39))}`: {why}" for change, why in one.explained.items()]
    if lines:
        yield f"### {one.exercise}"
        yield "\n".join(lines)


def _table(heads: Sequence[str], lines: Iterator[tuple[str, ...]]) -> str:
    return "\n".join(["| " + " | ".join(line) + " |" for line in (heads, ["---"] * len(heads), *lines)])
