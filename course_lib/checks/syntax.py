"""Refused built-ins in the text of a solution cell, found in its syntax tree.

Only what the exercise's definition reaches counts: a self-check at the bottom of the cell that compares with torch is
good practice, not a refused solution.
"""

import ast
import dis
import warnings
from collections.abc import Iterator, Sequence
from types import CodeType

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
    if not groups:
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\\sigma" in a docstring; nbgrader takes a warning for a failure
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    aliases = {**_NOTEBOOK_IMPORTS, **dict(_imports(tree))}
    found: dict[str, None] = {}
    for imported in ast.iter_child_nodes(tree):  # `from torch import softmax` is a definition too
        for defined, dotted in _imports(imported):
            if defined == name and any(refuses_name(group, dotted) for group in groups):
                found.setdefault(f"{dotted} (line {getattr(imported, 'lineno', 1)})")
    for node in _reached(tree, name):
        for dotted, line in _dotted_names(node, aliases):
            if any(refuses_name(group, dotted) for group in groups):
                found.setdefault(f"{dotted} (line {line})")
    return sorted(found, key=lambda entry: int(entry.rsplit(" ", 1)[1].rstrip(")")))


def instructions(code: CodeType) -> Iterator[dis.Instruction]:
    """The instructions of a student's code, for the names in them. Its constants are left out: each reads as None.

    ``dis`` takes the repr of every constant, which fails for a whole number of thousands of digits (Python refuses to
    write it), and is slow for a long tuple.

    Args:
        code: what the compiler made of the text; what is nested in it is passed over.
    """
    return dis.get_instructions(code.replace(co_consts=(None,) * len(code.co_consts)))


def _imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for item in node.names:
                yield (item.asname or item.name.split(".")[0], item.name if item.asname else item.name.split(".")[0])
        elif isinstance(node, ast.ImportFrom) and node.module:
            for item in node.names:
                yield (item.asname or item.name, f"{node.module}.{item.name}")


def _reached(tree: ast.Module, name: str) -> list[ast.AST]:
    """The definition of ``name`` and every top-level definition that it refers to, directly or not."""
    definitions: dict[str, list[ast.AST]] = {}
    uses: dict[ast.AST, set[str]] = {}
    for statement in tree.body:
        defined, uses[statement] = _names(statement)
        for one in defined:
            definitions.setdefault(one, []).append(statement)
    reached: list[ast.AST] = []
    waiting, seen = [name], {name}
    while waiting:
        for node in definitions.get(waiting.pop(), ()):
            if node in reached:
                continue
            reached.append(node)
            new = (uses[node] & set(definitions)) - seen
            seen |= new
            waiting.extend(new)
    return reached


def _names(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """The global names that a top-level statement sets and those that it reads, by the compiler's own scoping.

    A function's parameters and local variables are not among them: a self-check below the definition may call its
    variables as the function does.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            waiting = [compile(ast.Module([statement], []), "cell", "exec", flags=flags, dont_inherit=True)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        names = {part.id for part in ast.walk(statement) if isinstance(part, ast.Name)}
        return names, names
    sets: set[str] = set()
    reads: set[str] = set()
    while waiting:
        code = waiting.pop()
        at_top = code.co_name == "<module>"
        for instruction in instructions(code):
            if instruction.opname == "STORE_GLOBAL" or (instruction.opname == "STORE_NAME" and at_top):
                sets.add(instruction.argval)
            elif instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"):
                reads.add(instruction.argval)
        waiting.extend(part for part in code.co_consts if isinstance(part, CodeType))
    return sets, reads


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
