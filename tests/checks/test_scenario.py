import math
import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from course_lib import checks
from course_lib.checks.data import Raised, raises
from course_lib.checks.scenario import isolated

# What a test cell's globals hold. The scenarios below are written as in a cell, as lambdas and functions of a module.
x = torch.arange(4.0)
pair = [x, {"x": x, "n": 3}]
leaf = torch.ones(2, requires_grad=True)
spread = torch.arange(24.0).reshape(3, 4, 2)[..., 0]
generator = torch.Generator().manual_seed(5)
model = nn.Linear(2, 2)
parameters = list(model.parameters())
whole = torch.arange(6.0)
part = whole[2:]
loop: list = [1]
loop.append(loop)
secret = "the expected value"


def spoil(tensor):
    tensor.add_(100)
    return tensor


def helper():
    return x.sum()


def countdown(n):
    return 0 if n == 0 else 1 + countdown(n - 1)


def make_counter():
    count = 0

    def step():
        nonlocal count
        count += 1

    def read():
        return count

    return step, read


step, read = make_counter()


# ------------------------------------------------------------------------------------------------------ isolation


@pytest.mark.parametrize(
    "scenario",
    [
        lambda f: f(x),
        lambda f: f(pair[0]),
        lambda f: f(pair[1]["x"]),
        lambda f: (lambda: f(x))(),
        lambda f: next(f(t) for t in (x, x)),
        lambda f, t=x: f(t),
    ],
)
def test_a_student_who_modifies_an_argument_spoils_no_other_run(scenario):
    before = x.clone()
    first = isolated(scenario)(spoil).clone()
    second = isolated(scenario)(spoil)
    assert torch.equal(first, second)
    assert torch.equal(x, before)


def test_a_helpers_data_are_copied_too():
    def scenario(f):
        f(x)
        return helper()

    assert isolated(scenario)(spoil) == 406
    assert isolated(scenario)(torch.clone) == 6


def test_variables_of_an_enclosing_function_are_copied():
    inner, lengths = torch.zeros(2), [1]

    def scenario(f):
        lengths.append(2)
        return f(inner), len(lengths)

    for _ in range(2):
        result, length = isolated(scenario)(spoil)
        assert result.tolist() == [100, 100]
        assert length == 2
    assert inner.tolist() == [0, 0]
    assert lengths == [1]


def test_keyword_defaults_are_copied():
    def scenario(f, *, t=x):
        return f(t)

    assert isolated(scenario)(spoil) is not isolated(scenario)(spoil)
    assert x.tolist() == [0, 1, 2, 3]


def test_every_run_starts_with_the_generators_first_number():
    draws = [isolated(lambda f: torch.rand(3, generator=generator))(None) for _ in range(2)]
    expected = torch.rand(3, generator=torch.Generator().manual_seed(5))
    assert torch.equal(draws[0], expected)
    assert torch.equal(draws[1], expected)


def test_a_model_is_as_new_in_every_run():
    def scenario(f):
        with torch.no_grad():
            model.weight.add_(1)
        return model.weight

    assert torch.equal(isolated(scenario)(None), isolated(scenario)(None))


def test_a_model_and_its_listed_parameters_stay_one_thing():
    assert isolated(lambda f: model.weight is parameters[0])(None)


def test_a_view_stays_a_view_of_its_base():
    def scenario(f):
        part.add_(1)
        return whole

    assert isolated(scenario)(None).tolist() == [0, 1, 3, 4, 5, 6]
    assert whole.tolist() == [0, 1, 2, 3, 4, 5]


def test_one_object_under_two_names_stays_one_object():
    assert isolated(lambda f: pair[0] is pair[1]["x"] and pair[0] is x)(None)


def test_a_list_that_holds_itself_is_copied():
    came = isolated(lambda f: loop)(None)
    assert came is not loop
    assert came[1] is came


def test_two_helpers_that_share_a_variable_still_share_it():
    def scenario(f):
        step()
        step()
        return read()

    assert isolated(scenario)(None) == 2
    assert isolated(scenario)(None) == 2


def test_a_recursive_helper_works():
    assert isolated(lambda f: countdown(5))(None) == 5


def test_a_recursive_local_function_works():
    def down(n):
        return 0 if n == 0 else 1 + down(n - 1)

    assert isolated(lambda f: down(4))(None) == 4


def test_requires_grad_survives():
    assert isolated(lambda f: leaf)(None).requires_grad
    assert isolated(lambda f: leaf)(None) is not leaf
    assert isinstance(isolated(lambda f: parameters[0])(None), nn.Parameter)


def test_a_tensor_inside_a_graph_arrives_without_it():
    product = leaf * 2
    came = isolated(lambda f: product)(None)
    assert came.tolist() == [2, 2]
    assert not came.requires_grad


def test_a_non_contiguous_tensor_stays_one():
    came = isolated(lambda f: spread)(None)
    assert came.stride() == spread.stride()
    assert not came.is_contiguous()
    assert torch.equal(came, spread)


def test_only_the_names_that_a_scenario_uses_are_visible():
    def scenario(f):
        return f([math.pi, x])

    space = isolated(scenario).__globals__
    assert set(space) == {"__builtins__", "__name__", "math", "x"}
    assert isolated(lambda f: (lambda: [secret for _ in "a"])()).__globals__.keys() >= {"secret"}


def test_an_attributes_name_makes_no_global_visible():
    assert "secret" not in isolated(lambda f: f.secret).__globals__


def test_a_helpers_names_are_visible_to_the_helper_only():
    space = isolated(lambda f: helper()).__globals__
    assert "x" not in space
    assert "x" in space["helper"].__globals__


def test_a_missing_name_is_missing_in_isolation():
    with pytest.raises(NameError):
        isolated(lambda f: undefined_name)(None)  # noqa: F821


def test_a_local_variable_that_is_not_assigned_yet_is_no_obstacle():
    def later():
        return value

    scenario = isolated(lambda f: later())
    value = 1
    with pytest.raises(NameError):
        scenario(None)


def test_library_functions_are_shared():
    assert isolated(lambda f: checks.after_call)(None) is checks.after_call


def test_other_callables_are_left_alone():
    assert isolated(len) is len


# -------------------------------------------------------------------------------------------------------- helpers


def test_after_call_shows_the_arguments_as_they_are_then():
    came = checks.after_call(lambda a, b, scale: spoil(a), torch.zeros(1), 2, scale=3)
    assert came == {
        "result": torch.full((1,), 100.0),
        "arguments afterwards": [torch.full((1,), 100.0), 2, 3],
        "requires_grad of arguments afterwards": [False, None, None],
        ".grad of arguments afterwards": [None, None, None],
    }


def test_caught_tells_an_exception_from_a_result():
    assert checks.caught(lambda p: p, 0.5) == "no exception"
    came = checks.caught(math.sqrt, -1)
    assert isinstance(came, Raised)
    assert came.kinds == ("ValueError", "Exception")


def test_caught_takes_no_stub_for_a_refusal():
    def stub(p):
        raise NotImplementedError

    with pytest.raises(NotImplementedError):
        checks.caught(stub, 2)


@pytest.mark.parametrize("stops", [KeyboardInterrupt, SystemExit])
def test_caught_lets_the_end_of_everything_through(stops):
    def stop():
        raise stops

    with pytest.raises(stops):
        checks.caught(stop)


def test_gradients_are_those_of_autograd_for_the_given_upstream():
    a, b, upstream = checks.randn(3), checks.randn(3, seed=1), torch.tensor([1.0, 10.0, 100.0])
    grad_a, grad_b = checks.gradients(lambda a, b: a * b, [a, b], upstream)
    assert torch.equal(grad_a, upstream * b)
    assert torch.equal(grad_b, upstream * a)
    assert not a.requires_grad


def test_the_default_upstream_is_fixed_and_not_all_ones():
    (first,) = checks.gradients(lambda a: a * 1, [torch.zeros(4)])
    (second,) = checks.gradients(lambda a: a * 1, [torch.zeros(4)])
    assert torch.equal(first, second)
    assert first.unique().numel() == 4


def test_an_input_without_influence_has_gradient_zero():
    _, unused = checks.gradients(lambda a, b: a * 2, [torch.ones(2), torch.ones(3)])
    assert unused.tolist() == [0, 0, 0]


def test_gradients_work_under_no_grad_and_keep_the_dtype():
    with torch.no_grad():
        (grad,) = checks.gradients(torch.exp, [torch.zeros(2, dtype=torch.float64)])
    assert grad.dtype == torch.float64


@pytest.mark.parametrize(
    ("f", "error", "message"),
    [
        (lambda a: a.detach(), RuntimeError, "cut off from its input"),
        (lambda a: a.sum().item(), TypeError, "a tensor was expected to differentiate, and a float came"),
        (lambda a: None, TypeError, "and a NoneType came"),
    ],
)
def test_gradients_say_what_is_wrong_with_the_graph(f, error, message):
    with pytest.raises(error, match=message):
        checks.gradients(f, [torch.ones(2)])


@given(st.lists(st.integers(1, 3), min_size=1, max_size=3))
def test_noncontiguous_changes_the_layout_alone(shape):
    tensor = checks.randn(*shape)
    came = checks.noncontiguous(tensor)
    assert torch.equal(came, tensor)
    assert came.numel() == 1 or not came.is_contiguous()
    assert came.stride(-1) == 2


@pytest.mark.parametrize(
    "draw",
    [
        lambda seed: checks.randn(2, 3, seed=seed),
        lambda seed: checks.rand(2, 3, seed=seed),
        lambda seed: checks.randint(0, 1000, [2, 3], seed=seed),
    ],
)
def test_random_data_follow_their_own_seed_and_touch_no_global_state(draw):
    torch.manual_seed(random.randrange(2**31))
    state = torch.get_rng_state()
    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))
    assert draw(1).shape == (2, 3)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_same_random_numbers_in_both_precisions():
    assert torch.equal(checks.randn(5, dtype=torch.float64).float(), checks.randn(5))
    assert checks.rand(5, dtype=torch.float64).dtype == torch.float64
    assert checks.randint(2, 5, [100]).unique().tolist() == [2, 3, 4]


def test_raises_is_what_caught_is_held_against():
    assert checks.raises(ValueError) == raises(ValueError)
