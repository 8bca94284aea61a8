"""Straight lines through measured points."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import linear_regression


@dataclass(frozen=True)
class Line:
    """The straight line that fits best.

    Attributes:
        slope: what one more in x adds to y.
        start: y at x = 0.
        residuals: how far each point lies above it.
    """

    slope: float
    start: float
    residuals: tuple[float, ...]

    @classmethod
    def through(cls, x: Sequence[float], y: Sequence[float]) -> "Line":
        """The line of least squares through points.

        >>> line = Line.through([1, 2, 3], [3, 5, 7])
        >>> line.slope, line.start, line.noise
        (2.0, 1.0, 0.0)
        """
        slope, start = linear_regression(x, y)
        return cls(slope, start, tuple(b - start - slope * a for a, b in zip(x, y, strict=True)))

    @property
    def noise(self) -> float:
        """The standard deviation of the points around the line."""
        return sqrt(sum(r * r for r in self.residuals) / max(1, len(self.residuals) - 2))
