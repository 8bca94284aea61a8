"""Cells that show a student's own code, and stay readable while that code is not there yet."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uses(*names: str) -> Iterator[None]:
    """Guard a picture or an experiment that calls the student's exercises ``names``.

    A stub, a name that was never defined, or any other error inside becomes one sentence that says what to do next;
    a traceback through the course's own drawing code would teach nobody anything. Figures that were begun are closed,
    or the notebook would show them half drawn. Ctrl-C still interrupts.

    Example:
        >>> with uses("softmax"):
        ...     raise NotImplementedError
        This cell uses your softmax, which is not written yet.
        Finish that exercise above, then run this cell again.
    """
    before = _figures()
    try:
        yield
    except Exception as error:
        for number in _figures() - before:
            sys.modules["matplotlib.pyplot"].close(number)
        print(_advice(_listed(names), len(names) > 1, error))


def _figures() -> set[int]:
    """The numbers of the open figures. Nothing is imported for that: the grader imports this module, and draws none."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    return set() if pyplot is None else set(pyplot.get_fignums())


def _advice(what: str, several: bool, error: Exception) -> str:
    if isinstance(error, NotImplementedError) and not str(error):  # torch raises these too, and says for what
        are, those = ("are", "those exercises") if several else ("is", "that exercise")
        return (
            f"This cell uses your {what}, which {are} not written yet.\nFinish {those} above, then run this cell again."
        )
    if isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
        missing = repr(error.name) if error.name else what
        return (
            f"This cell uses your {what}, but {missing} does not exist yet.\n"
            "Run the cell that defines it (it may have stopped with an error), then run this cell again."
        )
    reason = str(error).strip().splitlines()[0] if str(error).strip() else "no message"
    return (
        f"This cell uses your {what}, and stopped with {type(error).__name__}: {reason}.\n"
        "Make the tests above pass first, then run this cell again."
    )


def _listed(names: tuple[str, ...]) -> str:
    if len(names) < 2:
        return "".join(names)
    return ", ".join(names[:-1]) + " and " + names[-1]
