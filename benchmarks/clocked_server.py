"""The warm process of :mod:`course_lib.candidate.server` with clocks in it, run in its place in the sandbox.

Nothing of the engine is changed: the functions that it calls are wrapped, and what they took goes out as one more field
of the answers that are sent anyway. Processor seconds throughout, of the one thread: the clock of a whole process with
a limit of processor time, which candidates have, moves only every few milliseconds.
"""

import json
import signal
import sys
from collections.abc import Callable
from time import thread_time
from typing import Any

from benchmarks.clocks import put
from benchmarks.spent import of_children
from course_lib.candidate import candidate, confine, kernel, server
from course_lib.checks import run

CLOCKS = "clocks"
"""The field of an answer that holds what was spent: so far in a candidate, by the names below; else a number."""
CELLS, SCENARIOS, CASES, ALL = "cells", "scenarios", "cases", "all"
"""The student's cells; scenarios, and the student's functions in them; all that running a case takes; everything."""

_spent = {CELLS: 0.0, SCENARIOS: 0.0, CASES: 0.0}


def put_clocks_in() -> None:
    """Wrap the functions whose time is wanted."""
    put(candidate._Candidate, "answer", _telling(candidate._Candidate.answer))
    put(candidate, "serve", _serving(candidate.serve))
    put(run, "_observed", _clocked(run._observed, SCENARIOS))
    # Isolating a scenario is unpickling it here, and what came is recorded for the other side.
    put(candidate._Candidate, "_observe", _clocked(candidate._Candidate._observe, CASES))
    put(server, "_start", _starting(server._start))
    put(confine, "end", _ending(confine.end))
    put(server, "json", _Json)


def _clocked(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The same function, whose time is added up under a name."""

    def by_the_clock(*args: Any, **kwargs: Any) -> Any:
        started = thread_time()
        try:
            return function(*args, **kwargs)
        finally:
            _spent[name] += thread_time() - started

    return by_the_clock


# ------------------------------------------------------------------------------------------------------- in a candidate


def _serving(serve: Callable[..., None]) -> Callable[..., None]:
    def with_clocks(connection: Any, notebook: Any) -> None:
        _spent.update(dict.fromkeys(_spent, 0.0))  # without the warm process's rehearsal
        notebook.shell.run_cell = _clocked(notebook.shell.run_cell, CELLS)
        serve(connection, notebook)

    return with_clocks


def _telling(answer: Callable[..., Any]) -> Callable[..., Any]:
    def with_clocks(*args: Any) -> Any:
        said = answer(*args)
        if isinstance(said, dict):
            said[CLOCKS] = {**_spent, ALL: thread_time()}
        return said

    return with_clocks


# -------------------------------------------------------------------------------------------------- in the warm process


def _starting(start: Callable[..., dict[str, object]]) -> Callable[..., dict[str, object]]:
    def with_clocks(*args: Any) -> dict[str, object]:
        started = thread_time()
        return {**start(*args), CLOCKS: thread_time() - started}

    return with_clocks


def _ending(end: Callable[..., int | None]) -> Callable[..., int | None]:
    def with_clocks(*args: Any) -> int | None:
        before = of_children()
        status = end(*args)
        _Json.ended = of_children() - before
        return status

    return with_clocks


class _Json:
    """What the warm process writes its answers with: the one about a candidate that ended says also what it took."""

    ended = 0.0
    loads = staticmethod(json.loads)

    @classmethod
    def dumps(cls, answer: dict[str, Any]) -> str:
        return json.dumps({**answer, CLOCKS: cls.ended} if "status" in answer else answer)


if __name__ == "__main__":
    kernel.die_with_parent(signal.SIGKILL)
    put_clocks_in()
    server.main(int(sys.argv[1]), patient="--quick" not in sys.argv)
