"""The class report's pictures: matplotlib figures as SVG that takes its text colours from the page, each with alt text.

The drawing is inline SVG with real text, so that it follows the page into the dark, into print and into any script
that the reader's fonts know. Bars have the colours of Okabe and Ito (2008), which colour-blind readers can tell
apart, and every number that a colour stands for is also written.
"""

import io
import math
import re
import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from course_lib.grader.report.data import ClassData
from course_lib.grader.report.statistics import Belief, Item, Summary
from course_lib.grader.report.text import counted, percent, points, shortened

BLUE, ORANGE, SKY = "#0072B2", "#E69F00", "#56B4E9"
_NONE = "#B8B8B8"
# Stand-ins that become the page's own colours (see _themed); as colours they are those of a light page.
_INK, _MUTED, _GRID = "#1D1F24", "#565C67", "#E2E0DA"
_THEME = {_INK: "var(--ink)", _MUTED: "var(--muted)", _GRID: "var(--grid)"}

_WIDTH = 7.6  # inches; the page scales the picture to the room it has
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "course_lib.grader.report",  # the same drawing gives the same bytes
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.edgecolor": _MUTED,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": _GRID,
    "grid.linewidth": 0.8,
    "text.color": _INK,
    "xtick.color": _MUTED,
    "ytick.color": _MUTED,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "figure.constrained_layout.use": True,
}


@dataclass(frozen=True)
class Picture:
    """A drawing for the page.

    Attributes:
        name: unique on its page; prefix of every id inside.
        svg: the ``<svg>`` element, UTF-8.
        alt: what it shows, for readers who do not see it.
        caption: the sentence below it.
    """

    name: str
    svg: bytes
    alt: str
    caption: str

    @property
    def markup(self) -> Markup:
        """The element for a template: what matplotlib drew has escaped all text in it."""
        return Markup(self.svg.decode("utf-8"))


def score_distribution(data: ClassData, described: Summary | None) -> Picture | None:
    """Histogram of the scores (points on x, students on y) with mean and median; None when there is no score."""
    if described is None:
        return None
    top = max(data.max_score, described.highest)
    edges = bin_edges(top)
    counts = histogram([max(0.0, score) for score in data.scores], edges)
    with mpl.rc_context(_STYLE):
        fig, ax = _axes(height=3.1)
        width = edges[1] - edges[0]
        ax.bar(edges[:-1], counts, width=width * 0.94, align="edge", color=BLUE)
        ax.set_xlim(edges[0] - width * 0.25, edges[-1] + width * 0.25)
        ax.set_ylim(0, max(counts) * 1.3)
        ax.set_xticks(edges[:: math.ceil(len(edges) / 12)])
        ax.xaxis.set_major_formatter(lambda at, _: points(at))
        without = "; written answers left out" if data.waiting else ""
        ax.set_xlabel(f"score (points, of {points(data.max_score)}{without})")
        ax.set_ylabel("students")
        ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        ax.grid(axis="y")
        _mark(ax, described.mean, f"mean {points(described.mean)}", "-", left=described.mean < described.median)
        _mark(ax, described.median, f"median {points(described.median)}", "--", left=described.mean >= described.median)
        svg = _svg(fig, "scores")
    fullest = max(range(len(counts)), key=lambda i: counts[i])
    alt = (
        f"Histogram of {counted(described.count, 'score')} out of {points(data.max_score)} points: from "
        f"{points(described.lowest)} to {points(described.highest)}, mean {points(described.mean)}, median "
        f"{points(described.median)}. Most, {counted(counts[fullest], 'student')}, lie between "
        f"{points(edges[fullest])} and {points(edges[fullest + 1])} points."
    )
    caption = (
        "How the scores are spread. A bar holds the scores from its left edge up to, not including, its right one; "
        "the last bar includes the full score."
    )
    return Picture("scores", _with_alt(svg, alt), alt, caption)


def points_by_exercise(items: Sequence[Item]) -> Picture | None:
    """Stacked bars: of every exercise, how many students have all, some and none of its points (share on x)."""
    items = [item for item in items if item.count]
    if not items:
        return None
    rows = range(len(items))
    with mpl.rc_context(_STYLE):
        fig, ax = _axes(height=1.15 + 0.42 * len(items))
        left = [0.0] * len(items)
        for label, numbers, color, ink in (
            ("all points", [item.full for item in items], BLUE, "#FFFFFF"),
            ("some points", [item.partial for item in items], SKY, "#000000"),
            ("no points", [item.none for item in items], _NONE, "#000000"),
        ):
            shares = [100 * n / item.count for n, item in zip(numbers, items, strict=True)]
            ax.barh(rows, shares, left=left, height=0.66, color=color, label=label, edgecolor="none")
            for row, (start, share, number) in enumerate(zip(left, shares, numbers, strict=True)):
                if share >= 4:
                    ax.text(start + share / 2, row, str(number), color=ink, ha="center", va="center", fontsize=9)
            left = [start + share for start, share in zip(left, shares, strict=True)]
        for row, item in enumerate(items):
            ax.text(102, row, percent(item.mean_share), va="center", fontsize=9)
        ax.text(102, -0.75, "mean", va="center", fontsize=9, color=_MUTED)
        _names(ax, [shortened(item.exercise, 40) for item in items])
        ax.set_xlim(0, 112)
        ax.set_xticks([0, 25, 50, 75, 100])
        ax.spines["bottom"].set_bounds(0, 100)
        ax.set_xlabel("students (% of the submissions with a score)")
        ax.legend(
            loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, frameon=False, borderaxespad=0.2, handlelength=1.2
        )
        svg = _svg(fig, "exercises")
    alt = "Stacked bars by exercise. " + " ".join(
        f"{shortened(item.exercise, 60)}: {item.full} with all points, {item.partial} with some, {item.none} with "
        f"none, mean {percent(item.mean_share)}."
        for item in items
    )
    caption = "How many students have all, some or none of each exercise's points, and the mean share of its points."
    return Picture("exercises", _with_alt(svg, alt), alt, caption)


def misconceptions_found(beliefs: Sequence[Belief], *, most: int = 12) -> Picture | None:
    """Horizontal bars: how many students hold each of the ``most`` frequent misconceptions; None without any."""
    shown = list(beliefs[:most])
    if not shown:
        return None
    with mpl.rc_context(_STYLE):
        labels = [_wrapped(f"{shortened(b.exercise, 30)}: {shortened(b.name, 70)}") for b in shown]
        fig, ax = _axes(height=0.9 + sum(0.24 + 0.19 * (label.count("\n") + 1) for label in labels))
        ax.barh(range(len(shown)), [b.count for b in shown], height=0.62, color=ORANGE)
        for row, belief in enumerate(shown):
            ax.annotate(
                str(belief.count), (belief.count, row), (4, 0), textcoords="offset points", va="center", fontsize=9
            )
        _names(ax, labels)
        ax.set_xlim(0, max(b.count for b in shown) * 1.08 + 0.2)
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        ax.grid(axis="x")
        ax.set_xlabel("students")
        svg = _svg(fig, "misconceptions")
    alt = "Bars of how many students hold each misconception. " + " ".join(
        f"{shortened(b.exercise, 60)}, {shortened(b.name, 100)}: {b.count}." for b in shown
    )
    left_out = len(beliefs) - len(shown)
    caption = "How many students' results equal those of a known wrong implementation." + (
        f" The {left_out} rarest are in the table only." if left_out else ""
    )
    return Picture("misconceptions", _with_alt(svg, alt), alt, caption)


def bin_edges(top: float, most: int = 20) -> list[float]:
    """Edges of equal bins from 0 to at least ``top`` points, of a round width, at most ``most`` of them."""
    top = top if top > 0 else 1.0
    power = 10.0 ** math.floor(math.log10(top / most))
    width = next(step * power for step in (1, 2, 5, 10, 20) if step * power * most >= top * (1 - 1e-12))
    if top >= 5:
        width = max(width, 1.0)
    bins = max(1, math.ceil(top / width - 1e-9))
    return [width * i for i in range(bins + 1)]


def histogram(scores: Sequence[float], edges: Sequence[float]) -> list[int]:
    """How many ``scores`` lie in each bin ``[edge, next edge)``, the last bin closed; none may lie outside."""
    counts = [0] * (len(edges) - 1)
    for score in scores:
        place = sum(edge <= score + 1e-9 for edge in edges) - 1
        counts[min(place, len(counts) - 1)] += 1
    return counts


def _axes(height: float) -> tuple[Figure, Axes]:
    fig = Figure(figsize=(_WIDTH, height))
    FigureCanvasSVG(fig)
    return fig, fig.add_subplot()


def _names(ax: Axes, labels: Sequence[str]) -> None:
    """Label the rows of a horizontal bar chart, the first one on top."""
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _mark(ax: Axes, at: float, label: str, style: str, *, left: bool) -> None:
    ax.axvline(at, color=_INK, linestyle=style, linewidth=1.3)
    start, end = ax.get_xlim()
    if (at - start) / (end - start) < 0.18:
        left = False
    elif (end - at) / (end - start) < 0.18:
        left = True
    level = 0.97 if style == "-" else 0.87  # one above the other: they may stand close together
    place = (-5 if left else 5, 0)
    ax.annotate(
        label, (at, level), place, xycoords=ax.get_xaxis_transform(), textcoords="offset points",
        ha="right" if left else "left", va="center", fontsize=9,
    )  # fmt: skip


def _wrapped(text: str, width: int = 38) -> str:
    return "\n".join(textwrap.wrap(text, width)[:3])


def _svg(fig: Figure, name: str) -> str:
    """The figure as an ``<svg>`` element in the page's colours and font, with ids of its own."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # A character that matplotlib's font lacks is measured wrongly by a little; the reader's browser draws it.
        warnings.simplefilter("ignore", UserWarning)
        fig.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue().decode("utf-8")
    text = text[text.index("<svg") :].strip()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'(?<= id=")(?=[^"]*"[^<>]*>)', f"{name}-", text)
    text = re.sub(r'(?<=href="#)|(?<=url\(#)', f"{name}-", text)
    for color, variable in _THEME.items():
        text = text.replace(f": {color.lower()}", f": {variable}")
    return text.replace("'DejaVu Sans'", "var(--font)")


def _with_alt(svg: str, alt: str) -> bytes:
    """The element as an image with a text alternative; the text inside is not read out piece by piece."""
    opening = Markup('<svg role="img" aria-label="{}" ').format(escape(alt))
    return (opening + Markup(svg.removeprefix("<svg "))).encode("utf-8")
