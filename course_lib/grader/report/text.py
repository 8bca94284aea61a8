"""How values are written on the pages: points, shares, times, and text that nobody here wrote.

Rounding never flatters: 3.9999 of 4 points is shown as 3.99, and 99.6 % as 99 %.
"""

import math
import re
import unicodedata

from markupsafe import Markup, escape

_LINES = re.compile(r"\r\n?|[\u2028\u2029\x85]")
# Marks that turn the direction of the text after them: a name needs none (the pages isolate every name), a spoof does.
_DIRECTION = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def clean(value: object) -> str:
    r"""Text without what is no text: control characters, direction overrides, halves of surrogate pairs.

    Newlines and tabs stay. A lone surrogate (JSON may carry one; UTF-8 cannot) becomes the replacement character.

    >>> clean("a\x00b\x1b[31mc")
    'ab[31mc'
    """
    text = _DIRECTION.sub("", _LINES.sub("\n", str(value)))
    return "".join(_REPLACEMENT if unicodedata.category(c) == "Cs" else c for c in text if _is_text(c))


def _is_text(c: str) -> bool:
    return c in "\n\t" or unicodedata.category(c) != "Cc"


def line(value: object) -> str:
    """The same on one line: every run of white space is one space."""
    return " ".join(clean(value).split())


def cut(value: object, limit: int = 600) -> Markup:
    """Escaped text, at most ``limit`` characters of it, with a note that says so when some were left out."""
    text = clean(value)
    if len(text) <= limit:
        return escape(text)
    note = f"… (cut here: {len(text):,} characters in all)"
    return escape(text[:limit]) + Markup('<span class="note">{}</span>').format(note)


def shortened(value: object, limit: int) -> str:
    """One line of at most ``limit`` characters; what is longer ends in an ellipsis.

    >>> shortened("scales twice", 7)
    'scales…'
    """
    text = line(value)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def points(value: float | None, of: float | None = None) -> str:
    """Points with at most two decimals, rounded down where rounding would complete a score.

    >>> points(2.6667), points(3.9999, 4.0), points(5.0), points(None)
    ('2.67', '3.99', '5', '–')
    """
    if value is None:
        return "–"
    rounded = round(value, 2)
    if of is not None and value < of <= rounded:
        rounded = math.floor(value * 100) / 100
    return f"{rounded + 0.0:.2f}".rstrip("0").rstrip(".")


def percent(share: float | None) -> str:
    """A share in [0, 1] as whole per cent; 100 % only when it is all of it, 0 % only when it is nothing.

    >>> percent(0.996), percent(1.0), percent(0.001), percent(None)
    ('99 %', '100 %', '1 %', '–')
    """
    if share is None:
        return "–"
    whole = round(100 * share)
    if share < 1 and whole >= 100:
        whole = 99
    if share > 0 and whole == 0:
        whole = 1
    return f"{whole} %"


def signed(value: float | None) -> str:
    """A correlation with its sign and two decimals.

    >>> signed(-0.256), signed(0.0), signed(None)
    ('−0.26', '0.00', '–')
    """
    if value is None:
        return "–"
    rounded = round(value, 2)
    return f"{rounded:+.2f}".replace("-", "−") if rounded else "0.00"


def counted(number: int, one: str, many: str = "") -> str:
    """A number and its noun: ``counted(1, "student")``, ``counted(0, "class", "classes")``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """A length of time in its two largest units.

    >>> duration(97_200), duration(61), duration(0.5)
    ('1 day 3 hours', '1 minute 1 second', 'less than a second')
    """
    left = int(seconds)
    parts: list[str] = []
    for name, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        number, left = divmod(left, size)
        if number or parts:
            parts.append(counted(number, name) if number else "")
        if len(parts) == 2:
            break
    return " ".join(filter(None, parts)) or "less than a second"
