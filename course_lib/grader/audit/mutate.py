"""Small changes of a right solution, most of which make it wrong: what a slip of the pen or of the mind leaves.

Mutation tools for Python change whole packages and start a test program for each change; here a function of a few lines
is changed, and the exercise's own cases run in this process. So the changes are made here, with :mod:`ast`: the classic
ones (operators, constants, comparisons, conditions, statements), and those of tensor code (axes, dropped terms and
factors, swapped arguments and operands, a function left out, a sum for a mean).
"""

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

_OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Div,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
}
_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_KIN = {
    "sum": ("mean",),
    "mean": ("sum",),
    "max": ("min",),
    "min": ("max",),
    "amax": ("amin",),
    "amin": ("amax",),
    "maximum": ("minimum",),
    "minimum": ("maximum",),
    "zeros_like": ("ones_like",),
    "ones_like": ("zeros_like",),
    "zeros": ("ones",),
    "ones": ("zeros",),
    "new_zeros": ("new_ones",),
    "sin": ("cos",),
    "cos": ("sin",),
    "tanh": ("sigmoid",),
    "sigmoid": ("tanh",),
    "exp": ("expm1",),
    "expm1": ("exp",),
    "log": ("log1p",),
    "log1p": ("log",),
    "sqrt": ("square",),
    "square": ("abs",),
    "add_": ("sub_",),
    "sub_": ("add_",),
    "mul_": ("div_",),
    "div_": ("mul_",),
    "logical_and": ("logical_or",),
    "logical_or": ("logical_and",),
    "any": ("all",),
    "all": ("any",),
    "argmax": ("argmin",),
    "train": ("eval",),
    "eval": ("train",),
}
"""Functions and methods that are taken for one another."""


@dataclass(frozen=True)
class Mutant:
    """A solution with one change.

    Attributes:
        change: what was changed, in one line, different for every mutant of a solution: ``a - b → a + b``.
        text: the solution cell's text.
    """

    change: str
    text: str


def mutants(solution: str) -> list[Mutant]:
    """Every solution that differs from this one by one change.

    Args:
        solution: a solution cell's text, Python. Docstrings and annotations are left as they are.
    """
    tree = ast.parse(solution)
    before = ast.unparse(tree)
    found: dict[str, str] = {}
    names: Counter[str] = Counter()
    for place in _places(tree):
        if isinstance(place.parent, ast.Compare) and isinstance(place.node, ast.Tuple | ast.List):
            continue  # mode in ("sum", "mean"): their order says nothing
        for new in _changes(place.node):
            change = f"{_shown(place.node)} → {_shown(new)}"
            text = place.with_change(tree, new)
            if text == before or text in found:
                continue
            names[change] += 1
            found[text] = change if names[change] == 1 else f"{change} ({names[change]})"
    return [Mutant(change, text) for text, change in found.items()]


@dataclass(frozen=True)
class _Place:
    """A node, and where it hangs in the tree."""

    node: ast.AST
    parent: ast.AST
    field: str
    index: int | None

    def with_change(self, tree: ast.AST, new: ast.AST) -> str:
        """The text of the tree with another node in this place."""
        self._put(new)
        try:
            return ast.unparse(ast.fix_missing_locations(tree))
        finally:
            self._put(self.node)

    def _put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def _places(parent: ast.AST) -> Iterator[_Place]:
    if isinstance(parent, ast.Raise):
        return  # what an exception says is nobody's contract
    for field, value in ast.iter_fields(parent):
        if field in ("annotation", "returns", "ctx", "type_params"):
            continue
        if isinstance(value, ast.AST):
            yield _Place(value, parent, field, None)
            yield from _places(value)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, ast.AST) and not _is_docstring(parent, field, index, item):
                    yield _Place(item, parent, field, index)
                    yield from _places(item)


def _is_docstring(parent: ast.AST, field: str, index: int, node: ast.AST) -> bool:
    holds = isinstance(parent, ast.FunctionDef | ast.ClassDef | ast.Module) and field == "body" and index == 0
    return holds and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    for kind, change in _BY_KIND:
        if isinstance(node, kind):
            yield from change(node)


def _copied(node: Any, **fields: Any) -> Any:
    changed = copy.deepcopy(node)
    for field, value in fields.items():
        setattr(changed, field, value)
    return changed


def _binary(node: ast.BinOp) -> Iterator[ast.AST]:
    for operator in _OPERATORS.get(type(node.op), ()):
        yield _copied(node, op=operator())
    yield node.left
    yield node.right  # a term or a factor dropped
    if isinstance(node.op, ast.Sub | ast.Div | ast.MatMult | ast.Pow):
        yield _copied(node, left=node.right, right=node.left)


def _augmented(node: ast.AugAssign) -> Iterator[ast.AST]:
    for operator in _OPERATORS.get(type(node.op), ()):
        yield _copied(node, op=operator())
    yield ast.Assign([node.target], node.value)


def _unary(node: ast.UnaryOp) -> Iterator[ast.AST]:
    yield node.operand


def _logical(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield _copied(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    for index in range(len(node.values)):
        kept = node.values[:index] + node.values[index + 1 :]
        yield kept[0] if len(kept) == 1 else _copied(node, values=kept)


def _comparison(node: ast.Compare) -> Iterator[ast.AST]:
    for index, operator in enumerate(node.ops):
        for other in _COMPARISONS.get(type(operator), ()):
            yield _copied(node, ops=[*node.ops[:index], other(), *node.ops[index + 1 :]])
    if len(node.ops) > 1:  # 0 <= p <= 1: one end forgotten
        yield ast.Compare(node.left, node.ops[:1], node.comparators[:1])
        yield ast.Compare(node.comparators[-2], node.ops[-1:], node.comparators[-1:])


def _constant(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield from map(ast.Constant, (value + 1, value - 1))
    elif isinstance(value, float):
        yield from map(ast.Constant, (2 * value, value / 2) if value else (1.0,))
        if value != 1.0:
            yield ast.Constant(1.0)


def _call(node: ast.Call) -> Iterator[ast.AST]:
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    for other in _KIN.get(name, ()):
        renamed = _copied(function, **{"attr" if isinstance(function, ast.Attribute) else "id": other})
        yield _copied(node, func=renamed)
    plain = [argument for argument in node.args if not isinstance(argument, ast.Starred)]
    if len(plain) == len(node.args):
        for index in range(len(plain) - 1):
            swapped = [*plain]
            swapped[index : index + 2] = swapped[index + 1], swapped[index]
            yield _copied(node, args=swapped)
        for index in range(len(plain)):
            yield _copied(node, args=plain[:index] + plain[index + 1 :])
    for index, keyword in enumerate(node.keywords):
        if keyword.arg != "device":  # there is but one on the machines that grade
            yield _copied(node, keywords=node.keywords[:index] + node.keywords[index + 1 :])
    if isinstance(function, ast.Attribute):
        yield function.value  # x.clone() → x, and torch.exp(x) → torch, which fails at once
    if len(node.args) == 1:
        yield node.args[0]  # torch.exp(x) → x


def _subscript(node: ast.Subscript) -> Iterator[ast.AST]:
    if isinstance(node.ctx, ast.Load):
        yield node.value


def _slice(node: ast.Slice) -> Iterator[ast.AST]:
    if node.lower is not None:
        yield _copied(node, lower=None)
    if node.upper is not None:
        yield _copied(node, upper=None)


def _attribute(node: ast.Attribute) -> Iterator[ast.AST]:
    if isinstance(node.ctx, ast.Load) and node.attr in ("T", "mT"):
        yield node.value


def _choice(node: ast.IfExp) -> Iterator[ast.AST]:
    yield node.body
    yield node.orelse


def _branch(node: ast.If) -> Iterator[ast.AST]:
    for value in (True, False):
        yield _copied(node, test=ast.Constant(value))


def _sequence(node: ast.Tuple | ast.List) -> Iterator[ast.AST]:
    if isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        for index in range(len(node.elts) - 1):
            swapped = [*node.elts]
            swapped[index : index + 2] = swapped[index + 1], swapped[index]
            yield _copied(node, elts=swapped)


def _statement(node: ast.stmt) -> Iterator[ast.AST]:
    yield ast.Pass()


def _with(node: ast.With) -> Iterator[ast.AST]:
    yield ast.If(ast.Constant(True), node.body, [])


_BY_KIND: tuple[tuple[Any, Callable[[Any], Iterator[ast.AST]]], ...] = (
    (ast.BinOp, _binary),
    (ast.AugAssign, _augmented),
    (ast.UnaryOp, _unary),
    (ast.BoolOp, _logical),
    (ast.Compare, _comparison),
    (ast.Constant, _constant),
    (ast.Call, _call),
    (ast.Subscript, _subscript),
    (ast.Slice, _slice),
    (ast.Attribute, _attribute),
    (ast.IfExp, _choice),
    (ast.If, _branch),
    (ast.Tuple | ast.List, _sequence),
    (ast.Expr | ast.Assign | ast.AugAssign | ast.Raise | ast.If | ast.For, _statement),
    (ast.With, _with),
)


def _shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).split())
    return text if len(text) <= 70 else text[:69] + "…"
