"""Running scenarios in a student's process: a :class:`~course_lib.checks.run.Runner` for the examiner.

A scenario goes out as a cloudpickle; an observation comes back as data, and is taken apart here with nothing believed.
"""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import cloudpickle
import torch

from course_lib.candidate.limits import Limits
from course_lib.candidate.own import own
from course_lib.candidate.requests import RunScenario
from course_lib.candidate.wire import decode, encode
from course_lib.checks.data import Opaque, Raised
from course_lib.checks.memory import Memory
from course_lib.checks.refused import Group, refuses_operation
from course_lib.checks.run import Call, Elsewhere, Observation
from course_lib.checks.scenario import Implementation, Scenario, isolated
from course_lib.checks.verdict import Outcome
from course_lib.checks.watch import TAMPERED
from course_lib.grader.engine.processes import CandidateLost
from course_lib.grader.engine.sitting import OutOfTime, Sitting

_STOPPED: dict[str | None, Outcome | None] = {
    None: None,
    **{outcome.value: outcome for outcome in (Outcome.RAISED, Outcome.TIMED_OUT, Outcome.LIMIT)},
}
_FORK_FAILED = "Resource temporarily unavailable"


class Submitted(Elsewhere):
    """A student's function or class, as the examiner's side knows it: by its name and its text."""

    def __reduce__(self) -> Any:
        # A scenario that refers to another function of the student's finds it in the student's process.
        return own, (self.name,)


class RemoteRunner:
    """Runs the scenarios of one test cell in a student's process.

    Args:
        sitting: the student's process.
        limits: those of the exercise.
        memory: keeps pickled scenarios from one submission to the next.
        cell: what names the test cell in the memory.
        unwatched: says of refused built-ins whether the student's text can reach none of them, see
            :mod:`course_lib.grader.engine.unwatched`.
    """

    def __init__(
        self,
        sitting: Sitting,
        limits: Limits,
        memory: Memory,
        cell: str,
        unwatched: Callable[[Sequence[Group]], bool] = lambda refused: False,
    ) -> None:
        self._sitting = sitting
        self._limits = limits
        self._memory = memory
        self._cell = cell
        self._unwatched = cache(unwatched)
        self._hung = False

    def run(
        self,
        scenario: Scenario,
        implementation: Implementation,
        *,
        name: str,
        seed: int,
        refused: Sequence[Group] = (),
        hidden: bool = False,
    ) -> Observation:
        """Run a scenario in the student's process; see :class:`course_lib.checks.run.Runner`."""
        key = ("scenario", self._cell, name, seed)
        payload = self._memory.get(key, lambda: pickled(isolated(scenario)))
        watched = () if refused and self._unwatched(tuple(refused)) else tuple(refused)
        return self._run(RunScenario(payload, name, seed, watched, self._seconds()), hidden)

    def run_once(self, scenario: Scenario, *, name: str, hidden: bool) -> Observation:
        """Run a scenario that belongs to no case: nothing of it is kept."""
        return self._run(RunScenario(pickled(scenario), name, 0, (), self._seconds()), hidden)

    def _seconds(self) -> float:
        return self._limits.case_seconds / 5 if self._hung else self._limits.case_seconds

    def _run(self, request: RunScenario, hidden: bool) -> Observation:
        try:
            answer = self._sitting.ask(request, seconds=request.seconds, limits=self._limits, hidden=hidden)
            seen = observation(answer, request.refused)
        except OutOfTime:
            return _out_of_time(self._limits)
        except CandidateLost as lost:
            if self._sitting.left <= 0:
                return _out_of_time(self._limits)
            if not lost.late:
                return Observation(Raised(("Crashed",), str(lost)), Outcome.CRASHED)
            seen = Observation(Raised(("TimeoutError",), ""), Outcome.TIMED_OUT)
        if seen.stopped is Outcome.TIMED_OUT:
            self._sitting.restart(hidden=hidden)
            seen = self._timed_out(seen, request.seconds)
        return _with_limits_named(seen, self._limits)

    def _timed_out(self, seen: Observation, seconds: float) -> Observation:
        limit = f"{seconds:g} s (limit case_seconds)"
        if self._hung:
            limit = f"{seconds:g} s (limit case_seconds: a fifth of it, as a case before had hung)"
        self._hung = True
        return replace(seen, data=Raised(("TimeoutError",), limit))


def pickled(scenario: Scenario) -> bytes:
    """A scenario as bytes, with all that it refers to."""
    file = io.BytesIO()
    _Pickler(file).dump(scenario)
    return file.getvalue()


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """cloudpickle, but for plain tensors, for which torch's own way takes ten times as long."""

    def reducer_override(self, value: Any) -> Any:
        if type(value) is torch.Tensor and value.is_leaf and value.layout is torch.strided:
            if not value.requires_grad and value.is_contiguous():
                blob = encode(value)
                if blob[:1] == b"t":
                    return decode, (blob,)
            elif not (value.is_conj() or value.is_neg() or value.is_quantized):
                return _alone(value).__reduce_ex__(self.proto)  # type: ignore[no-untyped-call]
        return super().reducer_override(value)


def _alone(tensor: torch.Tensor) -> torch.Tensor:
    """The same tensor, strides included, without what lies between its entries: torch pickles the whole storage.

    A column of a table would bring the others with it, and the column beside the inputs may hold what is expected.
    """
    if tensor.numel() == 0:
        return tensor.detach().clone().requires_grad_(tensor.requires_grad)
    extent = 1 + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    places = torch.arange(extent).as_strided(tensor.shape, tensor.stride()).reshape(-1)
    storage = torch.zeros(extent, dtype=tensor.dtype)
    storage[places] = tensor.detach().reshape(-1)  # by index: entries of an expanded tensor share their place
    return storage.as_strided(tensor.shape, tensor.stride()).requires_grad_(tensor.requires_grad)


def observation(answer: Any, groups: Sequence[Group] = ()) -> Observation:
    """An observation out of what a candidate answered.

    Args:
        answer: anything.
        groups: the built-ins that it was asked to look out for.

    Raises:
        CandidateLost: when the answer is none.
    """
    word = answer.get("stopped", "") if type(answer) is dict else ""
    if (word is not None and type(word) is not str) or word not in _STOPPED:
        raise CandidateLost("it answered something else than what was asked")
    stopped = _STOPPED[word]
    data = answer.get("data")
    if stopped is not None and type(data) is not Raised:
        raise CandidateLost("it answered something else than what was asked")
    if type(data) is Raised:
        data = Raised(tuple(shown(kind, 200) for kind in data.kinds), shown(data.message, 600))
    return Observation(
        data=data,
        stopped=stopped,
        place=_place(answer.get("place")),
        calls=tuple(_calls(answer.get("calls"))),
        refused=_refused(answer.get("refused"), groups),
        printed=shown(answer.get("printed"), 3000),
    )


def shown(text: Any, most: int) -> str:
    """A text fit to be shown: no longer than ``most`` characters, and without control characters but line ends."""
    if type(text) is not str:
        return f"({text.kind})" if type(text) is Opaque else ""
    kept = text if len(text) <= most else text[:most] + "…"
    if kept.isprintable():
        return kept
    return "".join(c if c.isprintable() or c in "\n\t" else "�" for c in kept)


def _place(text: Any) -> str:
    text = shown(text, 200)
    return text if re.match(r"line \d{1,6} of your cell\b", text) else ""


def _refused(entries: Any, groups: Sequence[Group]) -> tuple[str, ...]:
    """What was seen at work, each group once, in our words: student code may have written the entries."""
    found: dict[str, str] = {}
    for entry in _list(entries)[:20]:
        text = shown(entry, 300)
        its = next((group for group in groups if text.startswith(group.label)), None)
        if its is None:
            found.setdefault(TAMPERED, TAMPERED)
        else:
            found.setdefault(its.label, f"{its.label} (seen at work{_detail(text[len(its.label) :], its)})")
    return tuple(found.values())


def _detail(text: str, its: Group) -> str:
    """What a watch says of a use, where it is one of this group's."""
    seen = re.fullmatch(r" \(seen at work: (its backward pass|the (operation|function) ([\w:.<>]{1,100}))\)", text)
    if seen is None or (seen[2] == "operation" and not refuses_operation(its, seen[3])):
        return ""
    return f": {seen[1]}"


def _calls(calls: Any) -> list[Call]:
    return [
        Call(shown(call[0], 2000), shown(call[1], 500))
        for call in _list(calls)[:50]
        if type(call) is list and len(call) == 2
    ]


def _list(value: Any) -> list[Any]:
    return value if type(value) is list else []


def _out_of_time(limits: Limits) -> Observation:
    spent = f"{limits.submission_seconds:g} s (limit submission_seconds)"
    words = f"not run: what ran before it used up the notebook's {spent}"
    return Observation(Raised(("OutOfTime",), words), Outcome.TIMED_OUT)


def _with_limits_named(seen: Observation, limits: Limits) -> Observation:
    """An exception that a limit of ours caused is no slip of the student's: say which limit, and its value."""
    error = seen.data
    if seen.stopped not in (Outcome.RAISED, Outcome.LIMIT) or type(error) is not Raised:
        return seen
    words = limit_met(error, limits)
    if words is None:
        return seen
    return replace(seen, data=Raised(("Limit", *error.kinds), words), stopped=Outcome.LIMIT)


def limit_met(error: Raised, limits: Limits) -> str | None:
    """Which limit an exception tells of, in words; None when it tells of none."""
    kinds, text = error.kinds, error.message
    if "DataLimit" in kinds:
        return f"it returned {text}"
    if "MemoryError" in kinds or ("RuntimeError" in kinds and "can't allocate memory" in text):
        return f"it needed more than {limits.memory_mb} MB of memory (limit memory_mb)"
    if "OSError" in kinds:
        for code, words in (
            ("[Errno 12]", f"it needed more than {limits.memory_mb} MB of memory (limit memory_mb)"),
            ("[Errno 24]", f"it had more than {limits.open_files} files open (limit open_files)"),
            ("[Errno 27]", f"it wrote a file of more than {limits.file_mb} MB (limit file_mb)"),
            ("[Errno 28]", f"it wrote more than {limits.scratch_mb} MB of files (limit scratch_mb)"),
        ):
            if text.startswith(code):
                return words
    if "BlockingIOError" in kinds and _FORK_FAILED in text:
        return f"it had more than {limits.processes} process{'es' * (limits.processes > 1)} (limit processes)"
    if "RuntimeError" in kinds and "can't start new thread" in text:
        return f"it started more threads than {limits.memory_mb} MB of memory have room for (limit memory_mb)"
    return None
