"""What is right is worked out once, and never more is kept than there is room for."""

import pytest
import torch

from course_lib.checks.data import Raised
from course_lib.checks.exercise import Exercise
from course_lib.checks.judging import Finding
from course_lib.checks.memory import Memory
from course_lib.checks.misconception import Misconception
from course_lib.checks.session import Session


class Counter:
    def __init__(self, value: object) -> None:
        self.value = value
        self.made = 0

    def __call__(self) -> object:
        self.made += 1
        return self.value


def test_what_is_known_is_not_made_again():
    memory, make = Memory(), Counter(3)
    assert [memory.get("a", make), memory.get("a", make)] == [3, 3]
    assert make.made == 1
    assert memory.get("b", make) == 3
    assert make.made == 2


def test_none_is_a_value_like_others():
    memory, make = Memory(), Counter(None)
    assert memory.get("a", make) is memory.get("a", make) is None
    assert make.made == 1


@pytest.mark.parametrize(
    "large",
    [torch.zeros(250_000), [torch.zeros(250_000)], {"a": bytes(1_000_000)}, "x" * 1_000_000, (("y" * 1_000_000,),)],
    ids=["tensor", "list", "dict", "text", "tuple"],
)
def test_what_does_not_fit_is_made_each_time(large):
    memory, make, small = Memory(most_bytes=100_000), Counter(large), Counter([1, Raised(("E",)), None])
    for _ in range(2):
        memory.get("large", make)
        memory.get("small", small)
    assert (make.made, small.made) == (2, 1)


def test_the_memory_is_bounded_however_many_keys_come():
    memory = Memory(most_bytes=10_000)
    for key in range(10_000):
        memory.get(key, lambda: "x" * 100)
    assert len(memory._known) < 100


def test_an_error_is_not_kept():
    memory = Memory()
    with pytest.raises(ZeroDivisionError):
        memory.get("a", lambda: 1 / 0)
    assert memory.get("a", lambda: 1) == 1


def exercise(calls: list[int]) -> Exercise:
    def reference(x):
        calls.append(x)
        return x + 1

    its = Exercise("f", points=2, reference=reference)
    its.case("one", lambda f: f(1))
    its.case("two", lambda f: [f(2), torch.rand(1)])
    return its


WRONG = Misconception("f", "adds two", lambda x: x + 2, "Try it at zero.", "")


def test_results_are_the_same_with_and_without_memory():
    memory, calls = Memory(), []
    for implementation in (lambda x: x + 1, lambda x: x + 2, lambda x: x, lambda x: 1 / 0):
        without = exercise([]).run(implementation, Session(misconceptions=[WRONG]))
        for _ in range(2):
            assert exercise(calls).run(implementation, Session(misconceptions=[WRONG], memory=memory)) == without
    assert calls == [1, 2]


def test_another_seed_is_another_case():
    memory, calls = Memory(), []
    for seed in (0, 1, 0):
        exercise(calls).run(lambda x: x, Session(memory=memory, seed=seed))
    assert calls == [1, 2, 1, 2]


def test_of_what_is_recent_the_oldest_is_forgotten():
    memory, make = Memory(most_recent=2), Counter(1)
    for key in "abab":
        memory.recently(key, make)
    assert make.made == 2
    memory.recently("a", make)  # so that "b" has waited longest
    memory.recently("c", make)
    memory.recently("a", make)
    assert make.made == 3
    memory.recently("b", make)
    assert make.made == 4
    assert len(memory._recent) == 2


def test_the_same_answer_is_judged_once_and_another_one_anew():
    looked_at = []

    def judge(data):
        looked_at.append(float(data))
        return None if data == 2 else Finding("value", "not two")

    def score(value, memory):
        exercise = Exercise("f", points=1, namespace={"f": lambda: torch.tensor(value)})
        exercise.case("a case", lambda f: f(), judge=judge, like=torch.tensor(0.0))
        return exercise.run(exercise.namespace["f"], Session(memory=memory)).score

    memory = Memory()
    assert [score(value, memory) for value in (2.0, 2.0, 3.0, 3.0, 2.0)] == [1, 1, 0, 0, 1]
    assert looked_at == [2, 3]
    assert [score(2.0, None), score(2.0, None)] == [1, 1]
    assert looked_at == [2, 3, 2, 2]
