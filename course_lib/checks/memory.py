"""What the reference and the misconceptions gave for cases that are run again and again, student after student.

Test cells are the same for the whole class and every case has its seed, so right answers are worked out once. So is
what is to be said of data that came before: many students write the same formula, and many make the same mistake.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import torch

from course_lib.checks.data import Raised

MOST_BYTES = 200_000_000
"""How much is kept; what does not fit is worked out again each time."""
MOST_RECENT = 5_000
"""How many verdicts are kept: those of some fifty submissions with a hundred cases."""


class Memory:
    """Results by case. Everything in it is data that nobody changes.

    Args:
        most_bytes: the size of all that is kept for good, roughly.
        most_recent: how many things are kept only until as many others were asked for.
    """

    def __init__(self, most_bytes: int = MOST_BYTES, most_recent: int = MOST_RECENT) -> None:
        self._left = most_bytes
        self._known: dict[Hashable, Any] = {}
        self._most_recent = most_recent
        self._recent: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What is known under ``key``, or what ``make()`` returns, which is kept."""
        if key in self._known:
            return self._known[key]
        made = make()
        size = _size(made)
        if size <= self._left:
            self._left -= size
            self._known[key] = made
        return made

    def recently(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """As :meth:`get`, for what hangs on a student's work: there is no end of that, so the oldest is forgotten."""
        if key in self._recent:
            self._recent.move_to_end(key)
            return self._recent[key]
        made = self._recent[key] = make()
        if len(self._recent) > self._most_recent:
            self._recent.popitem(last=False)
        return made


def _size(value: Any) -> int:
    if isinstance(value, torch.Tensor):
        return 200 + value.numel() * value.element_size()
    if isinstance(value, str | bytes):
        return 60 + len(value)
    if isinstance(value, list | tuple):
        return 60 + sum(map(_size, value))
    if isinstance(value, dict):
        return 200 + sum(_size(key) + _size(item) for key, item in value.items())
    if isinstance(value, Raised):
        return 500
    return 60 + (_size(list(vars(value).values())) if hasattr(value, "__dict__") else 0)
