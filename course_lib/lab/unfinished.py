"""Cells that show a student's own code, and stay readable while that code is not there yet."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uses(*names: str) -> Iterator[None]:
    """Guard a picture or an experiment that calls the student's exercises ``names``.

    A stub, a name that was never defined, or any other error inside becomes one sentence that says what to do next;
    a traceback through the course's own drawing code would teach nobody anything. Ctrl-C still interrupts.

    Example:
        >>> with uses("softmax"):
        ...     raise NotImplementedError
        This cell uses your softmax, which is not written yet. Finish that exercise above, then run this cell again.
    """
    what = _listed(names)
    is_are = "is" if len(names) == 1 else "are"
    try:
        yield
    except NotImplementedError as error:
        if str(error):  # torch raises these too, and says for what
            print(_stopped(what, error))
            return
        it = "that exercise" if len(names) == 1 else "those exercises"
        print(
            f"This cell uses your {what}, which {is_are} not written yet. Finish {it} above, then run this cell again."
        )
    except NameError as error:
        if isinstance(error, UnboundLocalError):
            print(_stopped(what, error))
            return
        missing = repr(error.name) if error.name else what
        print(
            f"This cell uses your {what}, but {missing} does not exist yet. "
            "Run the cell that defines it (it may have stopped with an error), then run this cell again."
        )
    except Exception as error:
        print(_stopped(what, error))


def _stopped(what: str, error: Exception) -> str:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else "no message"
    return (
        f"This cell uses your {what}, and stopped with {type(error).__name__}: {reason}. "
        "Make the tests above pass first, then run this cell again."
    )


def _listed(names: tuple[str, ...]) -> str:
    if len(names) < 2:
        return "".join(names)
    return ", ".join(names[:-1]) + " and " + names[-1]
