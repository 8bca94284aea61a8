"""Named wrong implementations, each with the hint that helps out of it, and right ones that must keep all points.

A file of them is plain Python: the decorated function (or class) carries the exercise's own name, so its text is what a
student would have written::

    @misconception("softmax", "sums over the wrong axis", hint="Which axis must add up to 1? Print out.sum(-1) …")
    def softmax(z):
        return z.exp() / z.exp().sum(0)
"""

import ast
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T", bound=Callable[..., Any])


@dataclass(frozen=True)
class Variant:
    """An implementation of an exercise with a name.

    Attributes:
        exercise: the exercise's name.
        name: what it does, in a few words.
        implementation: the function or class.
        source: its text without the decorator, as it would stand in a solution cell.
    """

    exercise: str
    name: str
    implementation: Callable[..., Any]
    source: str = ""


@dataclass(frozen=True)
class Misconception(Variant):
    """A wrong implementation, and the hint for who wrote it."""

    hint: str = ""


_collected: list[Variant] | None = None


def misconception(exercise: str, name: str, *, hint: str) -> Callable[[T], T]:
    """Declare the decorated function or class a wrong implementation of ``exercise``.

    Args:
        exercise: the exercise's name.
        name: the slip in a few words, as a report lists it ("forgets to scale what it keeps").
        hint: one or two sentences to the student that help without giving the line away.

    Raises:
        ValueError: when the name or the hint is empty.
    """
    if not name.strip() or not hint.strip():
        raise ValueError(f"a misconception of {exercise!r} needs a name and a hint")

    def declare(implementation: T) -> T:
        _collect(Misconception(exercise, name, implementation, hint=hint))
        return implementation

    return declare


def alternative(exercise: str, name: str) -> Callable[[T], T]:
    """Declare the decorated function or class a right implementation of ``exercise``, written another way."""

    def declare(implementation: T) -> T:
        _collect(Variant(exercise, name, implementation))
        return implementation

    return declare


def load_misconceptions(path: Path) -> tuple[Misconception, ...]:
    """Read the misconceptions of a file, in its order.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when two of one exercise share a name.
    """
    return tuple(v for v in load_variants(path) if isinstance(v, Misconception))


def load_variants(path: Path) -> tuple[Variant, ...]:
    """Read everything that a file of misconceptions or alternatives declares, in its order.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when two of one exercise share a name.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no file of misconceptions or alternatives at {path}")
    name = f"_course_variants_{path.parent.name}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"Python cannot load {path}: does its name end in .py?")
    module = importlib.util.module_from_spec(spec)
    with _collecting() as collected:
        # torch.jit and pickle look classes up by their module's name.
        sys.modules[name] = module
        spec.loader.exec_module(module)
    sources = _sources(path.read_text(encoding="utf-8"))
    if len(sources) != len(collected):
        raise ValueError(f"{path}: {len(collected)} declarations ran, but {len(sources)} stand at the top level")
    seen: set[tuple[str, str]] = set()
    for variant in collected:
        if (variant.exercise, variant.name) in seen:
            raise ValueError(f"{path}: two variants of {variant.exercise!r} are called {variant.name!r}")
        seen.add((variant.exercise, variant.name))
    return tuple(type(v)(**{**vars(v), "source": source}) for v, source in zip(collected, sources, strict=True))


def _collect(variant: Variant) -> None:
    if _collected is not None:
        _collected.append(variant)


@contextmanager
def _collecting() -> Iterator[list[Variant]]:
    global _collected
    outer, _collected = _collected, []
    try:
        yield _collected
    finally:
        _collected = outer


def _sources(text: str) -> list[str]:
    """The text of each decorated top-level definition, without its decorators."""
    lines = text.splitlines()
    found = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and any(_declares(d) for d in node.decorator_list):
            others = [d for d in node.decorator_list if not _declares(d)]
            kept = [line for d in others for line in lines[d.lineno - 1 : d.end_lineno]]
            found.append("\n".join([*kept, *lines[node.lineno - 1 : node.end_lineno]]) + "\n")
    return found


def _declares(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name in ("misconception", "alternative")
