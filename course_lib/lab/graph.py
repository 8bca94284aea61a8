"""The graph of a computation with a class of the student's own, seen from outside and drawn.

How a class like ``Scalar`` remembers what was computed is its author's choice: tuples of parents, closures, a tape.
So nothing is looked for inside its objects. While :func:`recording` is on, the class's operators note what went in and
what came out, as it is written in the notebook::

    with lab.recording(Scalar) as graph:
        y = a * b + a
    y.backward()
    fig, ax = lab.figure()
    graph.draw(ax, y, names={"a": a, "b": b})
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from course_lib.lab.figures import COLORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SYMBOLS = {
    "__add__": "+",
    "__radd__": "+",
    "__sub__": "−",
    "__rsub__": "−",
    "__mul__": "×",
    "__rmul__": "×",
    "__truediv__": "÷",
    "__rtruediv__": "÷",
    "__pow__": "**",
    "__rpow__": "**",
    "__neg__": "−",
    "exp": "exp",
    "log": "log",
    "tanh": "tanh",
    "sigmoid": "σ",
    "relu": "relu",
}
"""What is noted, where a class has it, and how it is written in a node."""

_REFLECTED = {"__radd__", "__rsub__", "__rmul__", "__rtruediv__", "__rpow__"}
_Place: TypeAlias = int | tuple[int, int, int]  # a node's id, or a bend of an edge: from, to, layer
_WIDTH, _HEIGHT, _STEP = 0.84, 0.78, 1.25
"""A box's width and height, and the distance of two layers, in the axes' units."""


@dataclass(frozen=True)
class Operation:
    """One operation that was noted.

    Attributes:
        label: what to write into the node: ``×``, or ``3 −`` where one side was a plain number.
        inputs: the nodes that went in, in their order; one that is used twice stands here twice.
        output: the node that came out.
    """

    label: str
    inputs: tuple[Any, ...]
    output: Any


class Graph:
    """What was computed while :func:`recording` was on.

    Attributes:
        operations: all that was noted, in the order of the computation.
    """

    def __init__(self) -> None:
        self.operations: list[Operation] = []

    def below(self, root: Any) -> list[Any]:
        """The nodes that ``root`` was made of, itself included: each once, and after all that it was made of."""
        made = {id(operation.output): operation for operation in self.operations}
        order: list[Any] = []
        seen: set[int] = set()
        waiting = [(root, False)]
        while waiting:
            node, complete = waiting.pop()
            if complete:
                order.append(node)
            elif id(node) not in seen:
                seen.add(id(node))
                waiting.append((node, True))
                waiting.extend((part, False) for part in _inputs(made, node))
        return order

    def draw(self, ax: "Axes", root: Any, names: Mapping[str, Any] | None = None) -> None:
        """Draw what ``root`` was made of, from left to right, with the values and gradients as they are now.

        Args:
            ax: where to draw; its axes are switched off.
            root: the last node.
            names: what to call some of the nodes.
        """
        ax.axis("off")
        made = {id(operation.output): operation for operation in self.operations}
        if id(root) not in made:
            kind = type(root).__name__
            sentence = f"No graph can be drawn: no operator of {kind} was seen to make this node."
            ax.text(0.5, 0.5, sentence, ha="center", va="center", wrap=True, transform=ax.transAxes)
            return
        nodes = self.below(root)
        called = {id(node): name for name, node in (names or {}).items()}
        places = _places(nodes, made)
        for node in nodes:
            for which, part in enumerate(_inputs(made, node)):
                twice = sum(other is part for other in _inputs(made, node)) > 1
                _arrow(ax, _way(part, node, places), bend=(0.18 if which else -0.18) if twice else 0.0)
        for node in nodes:
            operation = made.get(id(node))
            title = ": ".join(filter(None, (called.get(id(node)), operation.label if operation else "")))
            _box(ax, places[id(node)], title, node, leaf=operation is None)
        across = [x for x, _ in places.values()]
        up = [y for _, y in places.values()]
        ax.set_xlim(min(across) - 0.6 * _WIDTH, max(across) + 0.6 * _WIDTH)
        ax.set_ylim(min(up) - 0.65 * _HEIGHT, max(up) + 0.65 * _HEIGHT)


@contextmanager
def recording(kind: Any) -> Iterator[Graph]:
    """Note every operation of a class until the ``with`` ends.

    Args:
        kind: the class, or a function of a number that makes an object of it.

    Yields:
        The graph, which fills while the operations run.
    """
    graph = Graph()
    cls = kind if isinstance(kind, type) else type(kind(0.0))
    before = {name: vars(cls).get(name) for name in SYMBOLS if callable(getattr(cls, name, None))}
    inside = [0]  # operators may be written in terms of others: only the outermost was written by the reader
    for name in before:
        setattr(cls, name, _noting(getattr(cls, name), name, cls, graph, inside))
    try:
        yield graph
    finally:
        for name, method in before.items():
            if method is None:  # it belongs to a base class
                delattr(cls, name)
            else:
                setattr(cls, name, method)


def _noting(method: Callable[..., Any], name: str, cls: type, graph: Graph, inside: list[int]) -> Callable[..., Any]:
    @wraps(method)
    def noting(self: Any, *others: Any) -> Any:
        inside[0] += 1
        try:
            result = method(self, *others)
        finally:
            inside[0] -= 1
        sides = [*others, self] if name in _REFLECTED else [self, *others]
        if not inside[0] and isinstance(result, cls) and not any(result is side for side in sides):
            nodes = tuple(side for side in sides if isinstance(side, cls))
            graph.operations.append(Operation(_label(name, sides, cls), nodes, result))
        return result

    return noting


def _label(name: str, sides: list[Any], cls: type) -> str:
    first, *rest = [None if isinstance(side, cls) else f"{side:g}".replace("-", "−") for side in sides]
    if name == "__neg__" or not rest:
        return "−( )" if name == "__neg__" else SYMBOLS[name]
    return " ".join(filter(None, (first, SYMBOLS[name], rest[0])))


def _inputs(made: dict[int, Operation], node: Any) -> tuple[Any, ...]:
    return made[id(node)].inputs if id(node) in made else ()


# ------------------------------------------------------------------------------------------------------------- layout


def _places(nodes: list[Any], made: dict[int, Operation]) -> dict[_Place, tuple[float, float]]:
    """Where every node stands, by its id, and where long edges bend: layers from left to right, the root last."""
    distance = {id(node): 0 for node in nodes}
    for node in reversed(nodes):
        for part in _inputs(made, node):
            distance[id(part)] = max(distance[id(part)], distance[id(node)] + 1)
    layers: list[list[_Place]] = [[] for _ in range(max(distance.values()) + 1)]
    follows: dict[_Place, list[_Place]] = {}  # from a place to the ones right of it
    for node in reversed(nodes):
        layers[distance[id(node)]].append(id(node))
        for part in dict.fromkeys(map(id, _inputs(made, node))):
            chain: list[_Place] = [id(node)]
            for number in range(distance[id(node)] + 1, distance[part]):
                chain.append((part, id(node), number))
                layers[number].append(chain[-1])
            for right, left in pairwise([*chain, part]):
                follows.setdefault(left, []).append(right)
    height: dict[_Place, float] = {}
    for layer in layers:  # from the root to the left, each place as near as can be to those that it leads to
        wanted = {at: _mean([height[right] for right in follows.get(at, ())]) for at in layer}
        for rank, at in enumerate(sorted(wanted, key=wanted.__getitem__, reverse=True)):
            height[at] = (len(layer) - 1) / 2 - rank
    return {at: (-_STEP * number, height[at]) for number, layer in enumerate(layers) for at in layer}


def _mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0


def _way(part: Any, node: Any, places: dict[_Place, tuple[float, float]]) -> list[tuple[float, float]]:
    """The points of an edge, from the right side of one box to the left side of another."""
    bends = [place for at, place in places.items() if isinstance(at, tuple) and at[:2] == (id(part), id(node))]
    (x, y), (to_x, to_y) = places[id(part)], places[id(node)]
    return [(x + _WIDTH / 2, y), *sorted(bends), (to_x - _WIDTH / 2, to_y)]


# ------------------------------------------------------------------------------------------------------------ drawing


def _arrow(ax: "Axes", points: list[tuple[float, float]], bend: float) -> None:
    from matplotlib.patches import FancyArrowPatch  # here and not above: the grader imports this module, draws nothing
    from matplotlib.path import Path

    look: Any = {"arrowstyle": "-|>", "mutation_scale": 11, "color": "#555555", "linewidth": 1.1, "shrinkA": 0}
    if len(points) == 2:
        ax.add_patch(FancyArrowPatch(points[0], points[1], shrinkB=0, connectionstyle=f"arc3,rad={bend}", **look))
    else:
        ax.add_patch(FancyArrowPatch(path=Path(points), **look))


def _box(ax: "Axes", place: tuple[float, float], title: str, node: Any, *, leaf: bool) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, y = place
    corner = (x - _WIDTH / 2 + 0.05, y - _HEIGHT / 2 + 0.05)
    look: Any = {"facecolor": "#E8F1F8" if leaf else "#FFFFFF", "edgecolor": "#555555", "linewidth": 1.0}
    ax.add_patch(FancyBboxPatch(corner, _WIDTH - 0.1, _HEIGHT - 0.1, boxstyle="round,pad=0.05", zorder=2, **look))
    for line, (text, color) in enumerate(
        (
            (title, COLORS["black"]),
            (f"value {_number(node, 'value')}", COLORS["blue"]),
            (f"grad {_number(node, 'grad')}", COLORS["vermillion"]),
        )
    ):
        weight = "bold" if line == 0 else "normal"
        height = y + 0.24 * _HEIGHT * (1 - line) * 1.15
        ax.text(x, height, text, ha="center", va="center", fontsize=8.5, color=color, weight=weight, zorder=3)


def _number(node: Any, name: str) -> str:
    try:
        return f"{float(getattr(node, name)):.3g}".replace("-", "−")
    except (AttributeError, TypeError, ValueError):
        return "?"
