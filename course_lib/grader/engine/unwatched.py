"""Which students' code needs no watch at work: text that can reach nothing refused, whatever it does when it runs.

Watching costs more than most functions themselves, for those that loop over single elements ten times as much. So the
text of all cells that have run is looked at first. When every name in it is on a list of names that lead to no refused
operation (arithmetic, shapes, reductions, random numbers ...), and nothing in it can reach a thing by another way than
its name (no attribute is set but on ``self``, none with underscores is read, nothing is looked up by a text), then no
refused operation can be met, and the profiler stays off. Whatever is not on the list is no offence: it is watched.
"""

import ast
import builtins
import math
import re
import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F

from course_lib.checks.refused import Group


def _words(text: str) -> frozenset[str]:
    """The words of a text; what stands behind a # is for those who read it."""
    return frozenset(re.sub("#.*", "", text).split())


_BUILTINS = _words(
    """
    abs all any bool complex dict divmod enumerate filter float frozenset int isinstance len list map max min
    pow print range repr reversed round set slice sorted str sum super tuple zip object property staticmethod
    ArithmeticError AssertionError Exception IndexError KeyError NotImplementedError OverflowError
    RuntimeError StopIteration TypeError ValueError ZeroDivisionError
    """
)
"""Functions of Python's that look nothing up by a text, run no text, and open nothing."""

_MODULES = frozenset({"torch", "math", "torch.nn", "torch.nn.functional"})
_GIVEN = frozenset({"torch", "math", "nn", "F", "Tensor"})
"""Names that the source's own cells import."""

_ATTRIBUTES = _words(
    """
    # where things are
    nn functional Tensor Generator Module Parameter Identity ReLU Tanh
    # dtypes and places
    float float16 float32 float64 double half bfloat16 int int8 int16 int32 int64 long bool uint8 cpu dtype
    device type_as finfo eps tiny
    # making tensors
    tensor as_tensor zeros ones full empty eye arange linspace zeros_like ones_like full_like empty_like
    new_zeros new_ones new_full new_empty new_tensor tril triu diag diagonal diag_embed one_hot
    # random numbers
    rand randn randint rand_like randn_like randperm bernoulli bernoulli_ uniform_ normal_ normal multinomial
    random_ manual_seed initial_seed generator
    # shapes
    shape size dim ndim ndimension numel view view_as reshape reshape_as flatten unflatten ravel squeeze
    unsqueeze expand expand_as broadcast_to broadcast_tensors repeat repeat_interleave tile permute transpose
    swapaxes movedim t T mT adjoint stack cat concat hstack vstack split chunk unbind flip roll contiguous
    is_contiguous stride
    # elements
    item tolist clone detach copy_ fill_ zero_ to where masked_fill masked_fill_ masked_select masked_scatter
    gather scatter scatter_ scatter_add scatter_add_ index_select index_add index_add_ index_fill index_fill_
    index_copy take take_along_dim nonzero count_nonzero narrow select unique bincount
    # arithmetic
    add add_ sub sub_ mul mul_ div div_ neg neg_ pow pow_ square sqrt sqrt_ rsqrt reciprocal abs abs_ absolute
    sign sgn exp exp_ exp2 expm1 log log_ log1p log2 log10 sin cos tan asin acos atan sinh cosh tanh sigmoid
    sigmoid_ relu relu_ erf erfinv special ndtri floor ceil round trunc frac clamp clamp_ clamp_min clamp_max
    clip maximum minimum fmax fmin remainder fmod floor_divide true_divide addcmul addcmul_ addcdiv addcdiv_
    lerp lerp_ copysign hypot logaddexp softplus nan_to_num
    # sums and products
    sum nansum mean nanmean std var std_mean var_mean prod cumsum cumprod max min amax amin aminmax argmax
    argmin median norm vector_norm linalg matmul mm bmm mv dot vdot inner outer ger einsum tensordot trace all
    any sort argsort topk
    # comparisons
    eq ne gt ge lt le equal isclose allclose isnan isinf isfinite logical_and logical_or logical_not
    logical_xor is_floating_point is_tensor
    # modules
    forward training parameters named_parameters extra_repr __init__ no_grad
    # math
    pi e inf nan fsum isqrt comb factorial gcd lgamma gamma
    # Python's own containers and texts
    append extend insert pop items keys values get setdefault copy count index join strip lower upper
    is_integer
    """
)
"""What may stand behind a dot. A test holds that no exercise refuses any of them."""

_BLIND = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await, ast.Match, ast.Delete)
_EVERYTHING = r"aten::.*"
_MOST_CHARACTERS = 20_000


def needs_no_watch(sources: Sequence[str], groups: Iterable[Group], given: Collection[str]) -> bool:
    """Whether nothing that is refused can be reached from these texts.

    Args:
        sources: the text of every cell of the student's that has run.
        groups: what is refused.
        given: all names that the notebook's own cells define.
    """
    # Where all of torch is refused, operators alone would be an offence.
    if any(group.operations == _EVERYTHING for group in groups):
        return False
    taken = (frozenset(vars(builtins)) - _BUILTINS) | _OF_IPYTHON | (frozenset(given) - _GIVEN)
    bound: set[str] = set()
    loaded: set[str] = set()
    stored: set[str] = set()
    read: set[str] = set()
    for source in sources:
        seen = _look(source)
        if seen is None:
            return False
        bound |= seen[0]
        loaded |= seen[1]
        stored |= seen[2]
        read |= seen[3]
    # A name that is bound later may be read before: then it is what Python, IPython or the notebook means by it.
    if bound & taken or any(name.startswith("__") for name in bound):
        return False
    # An attribute that the student sets is the student's own, unless something else has one of that name.
    return loaded <= bound | _BUILTINS | _GIVEN and read <= _ATTRIBUTES | (stored - _of_libraries())


_OF_IPYTHON = frozenset({"In", "Out", "get_ipython", "display", "exit", "quit", "open"})
_Names = tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str]]


@lru_cache(maxsize=256)
def _look(source: str) -> _Names | None:
    """Names that a text binds, names and attributes that it reads, attributes that it sets; None: too clever."""
    if len(source) > _MOST_CHARACTERS:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # magics, for one
        return None
    bound: set[str] = set()
    loaded: set[str] = set()
    stored: set[str] = set()
    read: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, _BLIND):
            return None
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = list(_imported(node))
            if None in names:
                return None
            bound |= {name for name in names if name is not None}
        elif isinstance(node, ast.Name):
            (loaded if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            bound.add(node.name)
        elif isinstance(node, ast.Attribute):
            own = isinstance(node.value, ast.Name) and node.value.id == "self"
            if isinstance(node.ctx, ast.Load):
                read.add(node.attr)
            elif own and not node.attr.startswith("__"):
                stored.add(node.attr)
            else:
                return None
    return frozenset(bound - _methods(tree)), frozenset(loaded), frozenset(stored), frozenset(read)


@lru_cache(maxsize=1)
def _of_libraries() -> frozenset[str]:
    """The names of all attributes of everything that a text on the list can get hold of."""
    things: list[object] = [
        torch,
        math,
        torch.nn,
        F,
        torch.Tensor,
        torch.zeros(2, 2),
        torch.Generator(),
        "",
        0,
        0.0,
        [],
        {},
    ]
    for thing in list(things):
        things += [getattr(thing, name) for name in sorted(_ATTRIBUTES) if hasattr(thing, name)]
    things += [torch.nn.Module(), torch.nn.Sequential(), len, lambda: None, Exception()]
    return frozenset(name for thing in things for name in dir(thing))


def _methods(tree: ast.Module) -> set[str]:
    """Functions of classes: ``__init__`` and such bind no name that anybody could read without a dot."""
    return {
        part.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for part in node.body
        if isinstance(part, ast.FunctionDef)
    }


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[str | None]:
    """The names that an import binds, and None for an import of what is on no list."""
    for item in node.names:
        if isinstance(node, ast.Import):
            known = item.name in _MODULES
            yield (item.asname or item.name.partition(".")[0]) if known else None
        else:
            whole = f"{node.module}.{item.name}"
            known = not node.level and node.module in _MODULES and (item.name in _ATTRIBUTES or whole in _MODULES)
            yield (item.asname or item.name) if known else None
