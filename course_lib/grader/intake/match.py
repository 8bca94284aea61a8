"""Which cell of a submission is which cell of the source: by nbgrader's id, else by the cell's own id, text or content.

Students move, copy, delete and recreate cells, and editors drop ids. A submission's ids are used to *find* a student's
text and for nothing else.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode
from nbgrader.utils import is_solution

_DEFINITION = re.compile(r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)", re.MULTILINE)
_ASSIGNMENT = re.compile(r"^(\w+)[ \t]*(?::[^=\n]*)?=(?!=)", re.MULTILINE)

Cell = Mapping[str, Any]
"""A cell that somebody handed in: nothing about it is sure."""


@dataclass
class Match:
    """The cells of a submission, sorted out.

    Attributes:
        answers: source index of a solution cell -> submission index of the cell that answers it.
        anchors: submission index -> source index, for every cell that was recognised, copies included.
        free: submission indices of the student's own cells.
        copies: those of them that are copies of a solution cell with other work in them.
        notes: sentences for the instructor about copies, cells that had lost their ids, and missing ones.
    """

    answers: dict[int, int] = field(default_factory=dict)
    anchors: dict[int, int] = field(default_factory=dict)
    free: list[int] = field(default_factory=list)
    copies: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def grade_id(cell: Mapping[str, Any]) -> str | None:
    """The nbgrader id in a cell's metadata, where there is a usable one."""
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, Mapping) else None
    name = nbgrader.get("grade_id") if isinstance(nbgrader, Mapping) else None
    return name if isinstance(name, str) and name else None


def label(cell: Mapping[str, Any]) -> str:
    """What to call a cell in a sentence."""
    return grade_id(cell) or str(cell.get("id", "?"))


def match(released: NotebookNode, submitted: Sequence[Cell], texts: list[str]) -> Match:
    """Recognise the cells of a submission.

    Args:
        released: the source with stubs in place of solutions; its cells' order is the source's.
        submitted: the submission's cells.
        texts: their text.
    """
    found = Match()
    found.anchors = _by_ids(released, submitted)
    _by_text(released, texts, found.anchors)
    for index, cell in enumerate(released.cells):
        copies = [j for j, i in found.anchors.items() if i == index]
        if is_solution(cell):
            if copies:
                _choose(index, cell, copies, texts, found)
        elif grade_id(cell) and len(copies) > 1:
            found.notes.append(f"The cell {label(cell)} occurred {len(copies)} times; the course's own was used, once.")
        elif grade_id(cell) and cell.get("cell_type") == "code" and not copies:
            found.notes.append(f"The locked cell {label(cell)} was missing and has been put back.")
    for j in found.copies:
        del found.anchors[j]
    found.free = [j for j in range(len(submitted)) if j not in found.anchors]
    missing = [i for i, cell in enumerate(released.cells) if is_solution(cell) and i not in found.answers]
    defined = {j: _defines(text) for j, text in enumerate(texts)} if missing else {}
    for index in missing:
        _recover(index, released, submitted, texts, defined, found)
    return found


def out_of_order(indices: list[int]) -> list[int]:
    """The fewest numbers without which the others are in rising order.

    >>> out_of_order([0, 5, 1, 2, 3, 4])
    [5]
    """
    rising: list[list[int]] = [[]]  # the longest rising run that ends with each number
    for number in indices:
        rising.append([*max((run for run in rising if not run or run[-1] < number), key=len), number])
    longest: list[int] = max(rising, key=len)
    return [number for number in indices if number not in longest]


def _by_ids(released: NotebookNode, submitted: Sequence[Cell]) -> dict[int, int]:
    names = {grade_id(cell): index for index, cell in enumerate(released.cells) if grade_id(cell)}
    ids = {cell.get("id"): index for index, cell in enumerate(released.cells)}
    anchors = {j: names[name] for j, cell in enumerate(submitted) if (name := grade_id(cell)) in names}
    named = set(anchors.values())
    for j, cell in enumerate(submitted):
        index = ids.get(cell.get("id")) if isinstance(cell.get("id"), str) else None
        if j not in anchors and index is not None and index not in named:
            anchors[j] = index
    return dict(sorted(anchors.items()))


def _by_text(released: NotebookNode, texts: list[str], anchors: dict[int, int]) -> None:
    """Old notebooks have no cell ids: what reads as it was handed out is that cell."""
    open_cells: dict[str, list[int]] = {}
    for index, cell in enumerate(released.cells):
        if index not in anchors.values() and cell.source.strip():
            open_cells.setdefault(cell.source.strip(), []).append(index)
    for j, text in enumerate(texts):
        if j not in anchors and open_cells.get(text.strip()):
            anchors[j] = open_cells[text.strip()].pop(0)


def _choose(index: int, cell: NotebookNode, copies: list[int], texts: list[str], found: Match) -> None:
    """Decide which of the copies of a solution cell answers it, and whose the others are.

    It is the one that sets what the stub sets, and the first where that does not decide. Copying a cell is also how
    students make a new one, for a helper or another exercise: what sets nothing of that again is such a cell.
    """
    wanted = _sets(cell.source) if cell.cell_type == "code" else set()
    worked = [j for j in copies if texts[j].strip() not in ("", cell.source.strip())] or copies[:1]
    chosen = max(worked, key=lambda j: len(wanted & _sets(texts[j])))  # the first of those that set as much
    found.answers[index] = chosen
    again = wanted & _sets(texts[chosen])
    other = [j for j in worked if j != chosen and wanted and not again & _sets(texts[j])]
    found.copies.update(other)
    if len(copies) == 1:
        return
    which = f"number {copies.index(chosen) + 1}"
    if chosen == copies[0]:
        which = "the first"
    else:
        which += ", the first with work in it," if chosen == worked[0] else f", which defines {_listed(again)},"
    fates = [f"{which} was graded"]
    if other:
        fates.append(f"{len(other)} with other work kept as the student's own")
    if len(copies) > len(other) + 1:
        fates.append("the rest left out")
    told = f"{', '.join(fates[:-1])} and {fates[-1]}"
    found.notes.append(f"The cell {label(cell)} occurred {len(copies)} times; {told}.")


def _recover(
    index: int,
    released: NotebookNode,
    submitted: Sequence[Cell],
    texts: list[str],
    defined: Mapping[int, set[str]],
    found: Match,
) -> None:
    """A missing answer may stand in a cell that lost its ids, or in another one after a copy or a merge of cells."""
    stub = released.cells[index]
    own = [j for j in found.free if submitted[j].get("cell_type") == stub.cell_type]
    wanted = _defines(stub.source) if stub.cell_type == "code" else set()
    if stub.cell_type == "code":
        used = list(found.answers.values())
        left = [j for j, i in found.anchors.items() if texts[j].strip() != released.cells[i].source.strip()]
        # The last one of those that nothing else is: it is what the notebook would have used.
        places = [*reversed(own), *used, *(j for j in reversed(left) if j not in used)]
        j = next((j for j in places if wanted and wanted <= defined[j]), None)
    else:
        j = _written(index, stub, own, texts, found)
    if j is None:
        found.notes.append(
            f"The cell {label(stub)} was missing; it was graded as it was handed out, without an answer."
        )
        return
    names = _listed(wanted)
    if j in found.copies:
        which = f"a copy of the cell {label(submitted[j])} that defines {names}"
    elif j in found.free:
        which = f"a cell without its id {f'that defines {names}' if names else 'at its place'}"
    elif j in found.answers.values():
        which = f"the cell {label(submitted[j])}, which defines {names},"
    else:
        which = f"what was left out of the cell {label(submitted[j])}, which defines {names},"
    if j in found.free:
        found.free.remove(j)
        found.anchors[j] = index
    found.answers[index] = j
    found.notes.append(f"The cell {label(stub)} was missing; {which} was graded in its place.")


def _written(index: int, stub: NotebookNode, own: list[int], texts: list[str], found: Match) -> int | None:
    """Of the student's own Markdown the one that repeats the question, else the first that follows where it stood."""
    question = {line.strip() for line in stub.source.splitlines() if len(line.strip()) > 20}
    for j in own:
        if question & {line.strip() for line in texts[j].splitlines()}:
            return j
    return next((j for j in own if index > 0 and found.anchors.get(j - 1) == index - 1), None)


def _defines(text: str) -> set[str]:
    """The names that a cell defines at its top level: by its lines, because work in progress need not be Python yet."""
    return set(_DEFINITION.findall(text))


def _sets(text: str) -> set[str]:
    """The names that a cell defines at its top level, or assigns there."""
    return _defines(text) | set(_ASSIGNMENT.findall(text))


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
