"""Figures that read on a light and on a dark page, in colours that colour-blind readers can tell apart.

Draw with :func:`figure` and end with :func:`show`, which needs a text alternative::

    fig, ax = lab.figure()
    ax.plot(steps, loss, color=lab.COLORS["blue"], label="training loss")
    lab.show(fig, alt="The training loss falls from 2.3 to 0.1 in 200 steps.")
"""

import base64
import io
from html import escape
from typing import TYPE_CHECKING, Any

from IPython.display import display

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLORS = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "vermillion": "#D55E00",
    "sky": "#56B4E9",
    "purple": "#CC79A7",
    "yellow": "#F0E442",
    "black": "#222222",
}
"""The palette of Okabe and Ito (2008), by name."""

_CYCLE = ("blue", "vermillion", "green", "purple", "orange", "sky")

# A figure is an opaque light card: its dark text needs no help from the page behind it.
_STYLE: Any = {
    "figure.facecolor": "#FBFBF8",
    "axes.facecolor": "#FFFFFF",
    "savefig.facecolor": "#FBFBF8",
    "axes.edgecolor": "#555555",
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.labelsize": 10,
    "font.size": 10,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.7,
    # A plain card behind the words: lines may run below a legend.
    "legend.facecolor": "#FFFFFF",
    "legend.framealpha": 0.9,
    "legend.edgecolor": "none",
    "text.color": "#222222",
    "axes.labelcolor": "#222222",
    "xtick.color": "#222222",
    "ytick.color": "#222222",
    "figure.constrained_layout.use": True,
    # What identifies the moment of drawing would make two equal figures differ.
    "svg.hashsalt": "course_lib",
}


def figure(
    rows: int = 1, cols: int = 1, width: float = 7.0, height: float = 3.4, **kwargs: Any
) -> "tuple[Figure, Any]":
    """Start a figure in the course's style, which holds from here on (legends and texts are made later).

    Args:
        rows: rows of axes.
        cols: columns of axes.
        width: of the whole figure, in inches.
        height: of the whole figure, in inches.
        **kwargs: passed on to ``matplotlib.pyplot.subplots`` (``sharey=True``, say).

    Returns:
        The figure, and its axes as ``plt.subplots`` returns them.
    """
    import matplotlib.pyplot as plt  # here and not above: the grader imports this module, and draws nothing
    from matplotlib.rcsetup import cycler

    plt.rcParams.update({**_STYLE, "axes.prop_cycle": cycler(color=[COLORS[n] for n in _CYCLE])})
    fig, axes = plt.subplots(rows, cols, figsize=(width, height), **kwargs)
    return fig, axes


def show(fig: "Figure", alt: str, *, dpi: int = 110) -> None:
    """Show a figure with a text alternative, and close it.

    Args:
        fig: what :func:`figure` made.
        alt: what the picture shows, in a sentence or two, for readers who do not see it.
        dpi: dots per inch of the PNG.

    Raises:
        ValueError: when ``alt`` is empty.
    """
    if not alt.strip():
        raise ValueError("show(fig, alt=...) needs a text alternative: say in a sentence what the picture shows.")
    import matplotlib.pyplot as plt

    buffer = io.BytesIO()
    # No version of matplotlib in the file: the same drawing gives the same bytes.
    fig.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    plt.close(fig)
    png = base64.b64encode(buffer.getvalue()).decode("ascii")
    bundle = {
        # JupyterLab drops the text alternative of a bare PNG, and keeps that of an <img>.
        "text/html": f'<img alt="{escape(alt)}" style="max-width:100%" src="data:image/png;base64,{png}">',
        "image/png": png,
        "text/plain": alt,
    }
    display(bundle, metadata={"image/png": {"alt": alt}}, raw=True)  # type: ignore[no-untyped-call]
