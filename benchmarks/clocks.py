"""Clocks for the trusted side: processor time by what it was spent on, each second counted once."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from time import process_time
from typing import Any


class Clocks:
    """Adds up processor seconds by label.

    Where one labelled piece of work calls another, what the inner one takes is not counted for the outer.

    Attributes:
        spent: label -> processor seconds of this process.
    """

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        self._labels: list[str] = []
        self._since = 0.0

    @contextmanager
    def counting(self, label: str) -> Iterator[None]:
        """Count what a ``with`` block takes under a label."""
        self._turn()
        self._labels.append(label)
        try:
            yield
        finally:
            self._turn()
            self._labels.pop()

    def into(self, owner: Any, name: str, label: str) -> None:
        """Count every call of a function or method from now on, for the rest of this process."""
        function = getattr(owner, name)

        @wraps(function)
        def counted(*args: Any, **kwargs: Any) -> Any:
            with self.counting(label):
                return function(*args, **kwargs)

        put(owner, name, counted)

    def reset(self) -> None:
        """Forget what was spent."""
        self.spent.clear()

    def _turn(self) -> None:
        now = process_time()
        if self._labels:
            self.spent[self._labels[-1]] += now - self._since
        self._since = now


def put(owner: Any, name: str, function: Callable[..., Any]) -> None:
    """Put a function in the place of one, for the rest of this process."""
    setattr(owner, name, function)
