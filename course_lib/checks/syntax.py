"""Refused built-ins in the text of a solution cell, found in its syntax tree.

Only what the exercise's definition reaches counts: a self-check at the bottom of the cell that compares with torch is
good practice, not a refused solution.
"""

import ast
from collections.abc import Iterator, Sequence

from course_lib.checks.refused import Group, refuses_name

_NOTEBOOK_IMPORTS = {
    "torch": "torch",
    "nn": "torch.nn",
    "F": "torch.nn.functional",
    "Tensor": "torch.Tensor",
    "torchmetrics": "torchmetrics",
    "math": "math",
}


def find_refused(source: str, name: str, groups: Sequence[Group]) -> list[str]:
    """Find uses of refused built-ins in a solution.

    Args:
        source: the solution cell's text.
        name: the exercise; what its definition does not reach is passed over.
        groups: what is refused.

    Returns:
        One readable entry a use, such as ``"torch.softmax (line 3)"``, in the order of the text; empty when there is
        none, or when the text is not Python (then there is no implementation either).
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    aliases = {**_NOTEBOOK_IMPORTS, **dict(_imports(tree))}
    found: dict[str, None] = {}
    for imported in ast.iter_child_nodes(tree):  # `from torch import softmax` is a definition too
        for defined, dotted in _imports(imported):
            if defined == name and any(refuses_name(group, dotted) for group in groups):
                found.setdefault(f"{dotted} (line {getattr(imported, 'lineno', 1)})")
    for node in _reached(tree, name, aliases):
        for dotted, line in _dotted_names(node, aliases):
            if any(refuses_name(group, dotted) for group in groups):
                found.setdefault(f"{dotted} (line {line})")
    return sorted(found, key=lambda entry: int(entry.rsplit(" ", 1)[1].rstrip(")")))


def _imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for item in node.names:
                yield (item.asname or item.name.split(".")[0], item.name if item.asname else item.name.split(".")[0])
        elif isinstance(node, ast.ImportFrom) and node.module:
            for item in node.names:
                yield (item.asname or item.name, f"{node.module}.{item.name}")


def _reached(tree: ast.Module, name: str, aliases: dict[str, str]) -> list[ast.AST]:
    """The definition of ``name`` and every top-level definition that it refers to, directly or not."""
    definitions: dict[str, list[ast.AST]] = {}
    for statement in tree.body:
        for defined in _defines(statement):
            definitions.setdefault(defined, []).append(statement)
    reached: list[ast.AST] = []
    waiting, seen = [name], {name}
    while waiting:
        for node in definitions.get(waiting.pop(), ()):
            if node in reached:
                continue
            reached.append(node)
            for part in ast.walk(node):
                if isinstance(part, ast.Name) and part.id in definitions and part.id not in seen:
                    seen.add(part.id)
                    waiting.append(part.id)
    return reached


def _defines(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]
    if isinstance(node, ast.If | ast.Try | ast.With | ast.For | ast.While):
        return [name for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt) for name in _defines(child)]
    return []


def _dotted_names(node: ast.AST, aliases: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Full names of the attribute chains and names below ``node``, annotations left out, longest chain first."""
    waiting: list[ast.AST] = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.Attribute | ast.Name):
            dotted = _resolve(part, aliases)
            if dotted is not None:
                yield dotted, part.lineno
                continue
        waiting.extend(child for child in ast.iter_child_nodes(part) if not _is_annotation(part, child))


def _is_annotation(parent: ast.AST, child: ast.AST) -> bool:
    return child is getattr(parent, "annotation", None) or child is getattr(parent, "returns", None)


def _resolve(node: ast.Attribute | ast.Name, aliases: dict[str, str]) -> str | None:
    parts: list[str] = []
    value: ast.expr = node
    while isinstance(value, ast.Attribute):
        parts.append(value.attr)
        value = value.value
    if not isinstance(value, ast.Name) or value.id not in aliases:
        return None
    return ".".join([aliases[value.id], *reversed(parts)])
