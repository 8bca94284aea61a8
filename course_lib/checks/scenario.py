"""Scenarios: functions of an implementation that return raw data, and what they are made of.

A scenario carries nothing but what it refers to. :func:`isolated` gives it globals of its own with just the names it
uses, and fresh copies of the data among them, so that an implementation which spoils its arguments spoils neither the
next case nor the reference's run, and finds no neighbour to read.
"""

import copy
import dis
import types
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch

from course_lib.checks.compare import AFTERWARDS, ASKS, HOLDS, NO_EXCEPTION, RESULT
from course_lib.checks.data import Raised, raised

Implementation = Callable[..., Any]
Scenario = Callable[[Implementation], Any]


def isolated(scenario: Scenario) -> Scenario:
    """Copy a scenario together with the data it refers to, and with nothing else.

    Args:
        scenario: a function or lambda; other callables are returned as they are.

    Returns:
        An equal function whose globals hold only the names it uses. Tensors, generators, modules and containers among
        them are copies; helper functions defined beside it are isolated in turn.
    """
    return _Isolation(scenario).copy(scenario)  # type: ignore[no-any-return]


class _Isolation:
    def __init__(self, root: Any) -> None:
        # Functions with these globals were written in the scenario's notebook; all others belong to libraries.
        self.home = getattr(root, "__globals__", None)
        self.cell = _file(root)
        self.done: dict[int, Any] = {}
        self.keep: list[Any] = []  # ids in `done` stay valid as long as their objects live
        # One memory for all deep copies: a model and the list of its parameters stay one thing, and so do views.
        self.memo: dict[int, Any] = {}

    def copy(self, value: Any) -> Any:
        if id(value) in self.done:
            return self.done[id(value)]
        made = self._copy(value)
        self._note(value, made)
        return made

    def _copy(self, value: Any) -> Any:
        # One of another cell, such as the student's answer to an earlier exercise, stays itself: it may share state
        # with the implementation at hand.
        if isinstance(value, types.FunctionType) and value.__globals__ is self.home and _file(value) == self.cell:
            return self._function(value)
        if isinstance(value, torch.Tensor):
            # deepcopy keeps strides (a non-contiguous input stays one); it refuses tensors inside a graph.
            return copy.deepcopy(value, self.memo) if value.is_leaf else value.detach().clone()
        if isinstance(value, torch.Generator):
            generator = torch.Generator(value.device)
            generator.set_state(value.get_state())
            return generator
        if isinstance(value, torch.nn.Module):
            return copy.deepcopy(value, self.memo)
        if type(value) is list:
            items: list[Any] = []
            self._note(value, items)  # before its parts: it may hold itself
            items.extend(self.copy(item) for item in value)
            return items
        if type(value) is tuple:
            return tuple(self.copy(item) for item in value)
        if type(value) is dict:
            pairs: dict[Any, Any] = {}
            self._note(value, pairs)
            pairs.update((key, self.copy(item)) for key, item in value.items())
            return pairs
        return value

    def _note(self, value: Any, made: Any) -> None:
        self.done[id(value)] = made
        self.keep.append(value)

    def _function(self, function: types.FunctionType) -> types.FunctionType:
        space: dict[str, Any] = {"__builtins__": function.__globals__.get("__builtins__"), "__name__": "scenario"}
        # Two helpers may share a variable: each cell has one copy, filled when the function stands.
        cells = function.__closure__ or ()
        new = [cell for cell in cells if id(cell) not in self.done]
        for cell in new:
            self._note(cell, types.CellType())
        closure = tuple(self.done[id(cell)] for cell in cells)
        made = types.FunctionType(function.__code__, space, function.__name__, None, closure or None)
        self._note(function, made)  # before its parts: a helper may call itself
        if function.__defaults__:
            made.__defaults__ = self.copy(function.__defaults__)
        if function.__kwdefaults__:
            made.__kwdefaults__ = self.copy(function.__kwdefaults__)
        for name in _global_names(function.__code__):
            if name in function.__globals__:
                space[name] = self.copy(function.__globals__[name])
        for cell in new:
            try:
                self.done[id(cell)].cell_contents = self.copy(cell.cell_contents)
            except ValueError:  # an empty cell: a name not assigned yet
                continue
        return made


def _file(function: Any) -> str | None:
    """What a function's text is called; in a notebook each cell has a name of its own."""
    code = getattr(function, "__code__", None)
    return None if code is None else code.co_filename


@lru_cache(maxsize=2000)  # those of scenarios and misconceptions are looked at for every submission
def _global_names(code: types.CodeType) -> frozenset[str]:
    """Names that the code loads as globals, nested functions included; attribute names are not among them."""
    names = {
        i.argval
        for i in dis.get_instructions(code)
        if i.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
    }
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _global_names(constant)
    return frozenset(names)


def after_call(f: Implementation, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """Call ``f`` and return its result together with its arguments as they are afterwards.

    Held against the reference, which changes nothing, this shows a function that modifies what it was given. The
    arguments are compared exactly, whatever the case's tolerance: one that was changed and changed back differs.
    Whether a tensor asks for gradients is part of it, and the gradient that it holds.
    """
    given = [*args, *kwargs.values()]
    result = f(*args, **kwargs)
    tensors = [argument if isinstance(argument, torch.Tensor) else None for argument in given]
    return {
        RESULT: result,
        AFTERWARDS: given,
        ASKS: [None if tensor is None else tensor.requires_grad for tensor in tensors],
        HOLDS: [None if tensor is None or not tensor.is_leaf else tensor.grad for tensor in tensors],
    }


def caught(f: Implementation, *args: Any, **kwargs: Any) -> Raised | str:
    """Call ``f`` and return the exception that it raised, as data, or ``"no exception"``."""
    try:
        f(*args, **kwargs)
    except NotImplementedError:
        raise  # a stub has not refused an argument
    except Exception as error:
        return raised(error)
    return NO_EXCEPTION


def gradients(
    f: Implementation, inputs: Sequence[torch.Tensor], upstream: torch.Tensor | None = None
) -> list[torch.Tensor]:
    """Differentiate ``f`` through autograd, to see whether its graph is alive and right.

    Args:
        f: called as ``f(*inputs)``; returns one floating-point tensor.
        inputs: copies of these are given, with ``requires_grad``.
        upstream: the gradient of the loss for the output, of the output's shape; by default fixed random numbers.

    Returns:
        The gradient for each input, zeros for an input that has no influence.

    Raises:
        RuntimeError: when the output is cut off from the inputs.
    """
    leaves = [tensor.detach().clone().requires_grad_() for tensor in inputs]
    with torch.enable_grad():
        out = f(*leaves)
    if not isinstance(out, torch.Tensor):
        raise TypeError(f"a tensor was expected to differentiate, and a {type(out).__name__} came")
    if not out.requires_grad:
        raise RuntimeError(
            "the result is cut off from its input, so no gradient flows back "
            "(.detach(), .data, .item(), torch.tensor(...) and no_grad cut it off)"
        )
    weights = randn(*out.shape, seed=7, dtype=out.dtype) if upstream is None else upstream
    grads: Sequence[torch.Tensor | None] = torch.autograd.grad(out, leaves, weights, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for x, g in zip(leaves, grads, strict=True)]


def noncontiguous(tensor: torch.Tensor) -> torch.Tensor:
    """The same values in another memory layout: gaps between all entries, so that no ``view`` can merge two axes."""
    if tensor.dim() == 0:
        return tensor.clone()
    buffer = torch.full([2 * size + 1 for size in tensor.shape], -77, dtype=tensor.dtype)
    spread = buffer[tuple(slice(0, 2 * size, 2) for size in tensor.shape)]
    spread.copy_(tensor)
    return spread


def randn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Standard normal numbers from a generator of their own: the global random state stays as it was."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def rand(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Uniform numbers in [0, 1) from a generator of their own."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def randint(low: int, high: int, shape: Sequence[int], seed: int = 0) -> torch.Tensor:
    """Whole numbers (int64) in [low, high) from a generator of their own."""
    return torch.randint(low, high, tuple(shape), generator=torch.Generator().manual_seed(seed))
