"""What the trusted side may ask of a candidate, and how the answers look.

A request is a pickled :class:`Files`, :class:`RunCell`, :class:`RunScenario` or :class:`Look` with a number; the answer
is ``[number, data]`` in the encoding of :mod:`course_lib.candidate.wire`. The candidate works on one request at a time.
"""

from dataclasses import dataclass

from course_lib.checks.refused import Group


@dataclass(frozen=True)
class Files:
    """Put files into the scratch folder: name (with ``/``) -> content. Answer: ``None``."""

    files: dict[str, bytes]


@dataclass(frozen=True)
class RunCell:
    """Run a cell. Answer: ``{"outputs": [...], "count": n}``, see :mod:`course_lib.candidate.notebook`."""

    text: str
    seconds: float
    output_chars: int


@dataclass(frozen=True)
class RunScenario:
    """Run a scenario (a cloudpickle) with the implementation of this name. Answer: an observation as a dict."""

    scenario: bytes
    name: str
    seed: int
    refused: tuple[Group, ...]
    seconds: float


@dataclass(frozen=True)
class Look:
    """Which of these names exist? Answer: name -> ``"callable"``, or ``["data", plain data]``; others are missing."""

    names: tuple[str, ...]


Request = Files | RunCell | RunScenario | Look
