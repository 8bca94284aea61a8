"""What goes out is the scenario and nothing else; what comes back is taken apart with nothing believed."""

import math
import pickle
from typing import Any

import pytest
import torch

from course_lib.candidate.limits import Limits
from course_lib.candidate.wire import decode, encode
from course_lib.checks.data import Opaque, Raised
from course_lib.checks.refused import group
from course_lib.checks.run import Observation
from course_lib.checks.scenario import isolated
from course_lib.checks.verdict import Outcome
from course_lib.checks.watch import TAMPERED
from course_lib.grader.engine.processes import CandidateLost
from course_lib.grader.engine.remote import limit_met, observation, pickled, shown

GOOD = {"data": 3, "stopped": None, "place": "", "calls": [], "refused": [], "printed": ""}
SECRET = "of the examiner alone"


def seen(groups: Any = (), **changes: Any) -> Observation:
    return observation(decode(encode({**GOOD, **changes})), groups)


# ------------------------------------------------------------------------------------------------------ what goes out


def test_a_scenario_takes_along_only_what_it_refers_to() -> None:
    inputs, expected, unused = [1, 2], {"answer": SECRET}, SECRET  # noqa: F841
    payload = pickled(isolated(lambda f: [f(x) for x in inputs]))
    assert SECRET.encode() not in payload
    assert pickle.loads(payload)(lambda x: -x) == [-1, -2]


def test_a_scenario_at_a_cells_top_level_takes_no_neighbours_along() -> None:
    space = {"SECRET": SECRET, "reference": lambda x: SECRET}
    exec("base = 2\nscenario = lambda f: f(base)", space)
    payload = pickled(isolated(space["scenario"]))  # type: ignore[arg-type]
    assert SECRET.encode() not in payload
    assert pickle.loads(payload)(lambda x: x + 1) == 3


TABLE = torch.tensor([[1.0, 123456.0], [2.0, 654321.0]])


@pytest.mark.parametrize(
    "tensor",
    [
        torch.randn(3, 4),
        torch.randn(3, 4).t(),
        TABLE[:, 0],
        torch.arange(10)[::3],
        torch.randn(3, 1).expand(3, 4),
        torch.randn(2, 2, requires_grad=True),
        torch.randn(4, 4)[1:3].requires_grad_(),
        torch.randn(3, dtype=torch.complex64).conj(),
        torch.zeros(0, 3),
        torch.tensor(True),
        torch.nn.Parameter(torch.ones(2)),
    ],
)
def test_a_tensor_arrives_as_it_was(tensor: torch.Tensor) -> None:
    (arrived,) = pickle.loads(pickled(lambda f: tensor)).__closure__ or (None,)
    arrived = arrived.cell_contents  # type: ignore[union-attr]
    assert torch.equal(arrived, tensor)
    assert (type(arrived), arrived.dtype, arrived.stride(), arrived.requires_grad) == (
        type(tensor),
        tensor.dtype,
        tensor.stride(),
        tensor.requires_grad,
    )


def test_a_column_does_not_bring_its_table_along() -> None:
    column = TABLE[:, 0]
    payload = pickled(lambda f: f(column))
    neighbour = TABLE[0, 1:].numpy().tobytes()
    assert neighbour in pickled(lambda f: f(TABLE))
    assert neighbour not in payload


# ------------------------------------------------------------------------------------------------------ what comes back


def test_an_honest_answer_is_an_observation() -> None:
    its = seen(place="line 3 of your cell: x", calls=[["f(1)", "2"]], printed="hi\n")
    assert (its.data, its.stopped, its.place, its.printed) == (3, None, "line 3 of your cell: x", "hi\n")
    assert [(call.text, call.returned) for call in its.calls] == [("f(1)", "2")]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        3,
        [],
        {},
        {**GOOD, "stopped": "passed"},
        {**GOOD, "stopped": "crashed"},
        {**GOOD, "stopped": 3},
        {**GOOD, "stopped": ["raised"]},
        {**GOOD, "stopped": "raised"},
        {**GOOD, "stopped": "timed out", "data": "x"},
        Opaque("a dict"),
    ],
)
def test_an_answer_of_another_form_is_none(answer: Any) -> None:
    with pytest.raises(CandidateLost, match="it answered something else than what was asked"):
        observation(answer)


@pytest.mark.parametrize("outcome", [Outcome.RAISED, Outcome.TIMED_OUT, Outcome.LIMIT])
def test_a_run_that_stopped_early_comes_with_an_exception(outcome: Outcome) -> None:
    assert seen(stopped=outcome.value, data=Raised(("ValueError",), "no")).stopped is outcome


@pytest.mark.parametrize("wrong", [None, 3, "x", [3, None, ["a"], ["a", 3], ["a", "b", "c"]], {"a": 1}])
def test_what_decides_nothing_may_be_anything(wrong: Any) -> None:
    its = seen(calls=wrong, printed=wrong, place=wrong)
    assert its.data == 3
    assert all(type(call.text) is str and type(call.returned) is str for call in its.calls)
    assert type(its.printed) is str
    assert its.place == ""


def test_texts_are_bounded_and_hold_no_control_characters() -> None:
    its = seen(printed="a\x1b[2J\u202eb\n" * 3000, calls=[["x" * 10_000, "y" * 10_000]] * 500)
    assert len(its.printed) <= 3001
    assert "\x1b" not in its.printed
    assert "\u202e" not in its.printed
    assert len(its.calls) == 50
    assert len(its.calls[0].text) <= 2001
    assert shown("tab\tand\nline", 100) == "tab\tand\nline"


def test_an_exceptions_text_is_bounded() -> None:
    data = seen(stopped="raised", data=Raised(("E\x1b" * 150,), "m\x00\x1b" * 5000)).data
    assert len(data.message) <= 601
    assert "\x1b" not in data.kind + data.message


@pytest.mark.parametrize("place", ["line x of your cell", "<script>", "line 3 of the hidden test", "a" * 1000])
def test_a_place_is_a_line_of_the_students_cell(place: str) -> None:
    assert seen(place=place).place == ""


def test_what_was_refused_is_said_in_our_words() -> None:
    its = group("softmax")
    for use in ("its backward pass", "the operation aten::softmax", "the function Outer.softmax.<locals>.inner"):
        good = f"{its.label} (seen at work: {use})"
        assert seen((its,), refused=[good]).refused == (good,)
        assert seen((its,), refused=[good, f"{its.label} (seen at work: its backward pass)"]).refused == (good,)
    for written in ("the operation aten::secret", "the function of the hidden case", "def f(): return 3"):
        entry = f"{its.label} (seen at work: {written})"
        assert seen((its,), refused=[entry]).refused == (f"{its.label} (seen at work)",)
    assert seen((its,), refused=[f"{its.label} <b>nothing</b>"]).refused == (f"{its.label} (seen at work)",)
    for odd in ("anything", 3, None, [good]):
        assert seen((its,), refused=[odd]).refused == (TAMPERED,)
    assert seen((its,), refused=["x"] * 1000).refused == (TAMPERED,)
    assert seen((its,), refused="x").refused == ()


# ------------------------------------------------------------------------------------------------------------- limits

LIMITS = Limits(memory_mb=100, file_mb=2, scratch_mb=4, open_files=50, processes=1)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Raised(("MemoryError", "Exception")), "it needed more than 100 MB of memory (limit memory_mb)"),
        (Raised(("RuntimeError",), "DefaultCPUAllocator: can't allocate memory: you tried"), "(limit memory_mb)"),
        (Raised(("OSError",), "[Errno 24] Too many open files"), "it had more than 50 files open (limit open_files)"),
        (Raised(("OSError",), "[Errno 27] File too large"), "it wrote a file of more than 2 MB (limit file_mb)"),
        (Raised(("OSError",), "[Errno 28] No space left"), "it wrote more than 4 MB of files (limit scratch_mb)"),
        (
            Raised(("BlockingIOError", "OSError"), "[Errno 11] Resource temporarily unavailable"),
            "it had more than 1 process (limit processes)",
        ),
        (Raised(("RuntimeError",), "can't start new thread"), "(limit memory_mb)"),
    ],
)
def test_a_limit_is_named_with_its_value(error: Raised, words: str) -> None:
    assert words in str(limit_met(error, LIMITS))


@pytest.mark.parametrize(
    "error",
    [
        Raised(("ValueError",), "[Errno 28]"),
        Raised(("RuntimeError",), "shapes cannot be multiplied"),
        Raised(("OSError", "Exception"), "[Errno 2] No such file"),
    ],
)
def test_an_exception_of_the_students_names_no_limit(error: Raised) -> None:
    assert limit_met(error, LIMITS) is None


def test_numbers_are_what_came() -> None:
    assert math.isnan(seen(data=math.nan).data)
