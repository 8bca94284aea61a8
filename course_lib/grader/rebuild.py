"""The notebook that is graded: the source's cells, and of the submission only text.

nbgrader takes a submission's notebook and mends it; everything it does not know to mend (tags, order, copies, types, a
kernel's name) then decides points. Here it is the other way round: the notebook is the source's, and the student's
answers are put in where the source has a place for them.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from nbformat import NotebookNode
from nbgrader.utils import compute_checksum, is_grade, is_locked, is_solution
from traitlets.config import Config

from course_lib.grader.match import Match, grade_id, label, match, out_of_order
from course_lib.grader.notebooks import new_cell, new_notebook, node
from course_lib.grader.released import released_view

_OWN = "own-"
_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")  # no SVG: it can carry scripts


def rebuild(
    source: NotebookNode, submitted: NotebookNode, config: Config | None = None
) -> tuple[NotebookNode, list[str]]:
    """Put a student's answers into the source's notebook.

    From the source come the cells, their order, type, ids, tags and points, the locked cells' text with hidden tests,
    the prose, and the kernel. From the submission come the text of solution and written cells, found by nbgrader's id
    (then by cell id, unchanged text, or the name they define), and the student's own cells, kept after the cell they
    followed. A missing answer is the released stub. Pictures pasted into a written answer are kept.

    Args:
        source: the hand-written notebook, nbformat 4; left as it is.
        submitted: what was handed in, nbformat 4; left as it is.
        config: nbgrader's configuration, for stubs of the course's own wording.

    Returns:
        The notebook without outputs, and sentences for the instructor about what was odd.
    """
    released = released_view(source, config)
    cells = [cell for cell in submitted.get("cells", []) if isinstance(cell, Mapping)]
    texts = [_text(cell) for cell in cells]
    found = match(released, cells, texts)
    notes = list(dict.fromkeys([*found.notes, *_odd(released, submitted, cells, texts, found)]))

    built = new_notebook(deepcopy(source.metadata))
    own = _own_cells(cells, texts, found, taken={cell.get("id") for cell in source.cells})
    built.cells = list(own.pop(-1, []))
    for index, (original, stub) in enumerate(zip(source.cells, released.cells, strict=True)):
        answer = found.answers.get(index)
        given = None if answer is None else (cells[answer], texts[answer])
        built.cells += [_graded_cell(original, stub, given), *own.pop(index, [])]
    return built, notes


def is_own(cell: NotebookNode) -> bool:
    """Whether a cell of a rebuilt notebook is one that the student added."""
    return "nbgrader" not in cell.metadata and str(cell.get("id", "")).startswith(_OWN)


def _graded_cell(
    original: NotebookNode, stub: NotebookNode, given: tuple[Mapping[str, Any], str] | None
) -> NotebookNode:
    cell = deepcopy(original)
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None
    if is_solution(original):
        cell.source = stub.source
        if given and not _unanswered(stub, given[1]):
            cell.source = given[1]
            pictures = _pictures(given[0]) if cell.cell_type == "markdown" else {}
            if pictures:
                cell.attachments = pictures
    if is_grade(original) or is_solution(original) or is_locked(original):
        # Where the text still has the stub's checksum, nbgrader knows an answer for blank.
        cell.metadata.nbgrader["checksum"] = compute_checksum(stub if is_solution(original) else original)
    return cell


def _unanswered(stub: NotebookNode, text: str) -> bool:
    """Whether an answer is as it was handed out but for white space; a written one, has only lines of the question."""
    if stub.cell_type == "code":
        return bool(text.strip() == stub.source.strip())
    question = {line.strip() for line in stub.source.splitlines()}
    return all(line.strip() in question for line in text.splitlines() if line.strip())


def _own_cells(
    cells: list[Mapping[str, Any]], texts: list[str], found: Match, taken: set[str]
) -> dict[int, list[NotebookNode]]:
    """The student's own cells by the source index they follow, -1 for the top, with ids that depend on nothing else."""
    own: dict[int, list[NotebookNode]] = {}
    after, number = -1, 0
    for j, cell in enumerate(cells):
        after = found.anchors.get(j, after)
        if j not in found.free or not texts[j].strip():
            continue
        number += 1
        name = f"{_OWN}{number}"
        while name in taken:
            name += "-"
        new = new_cell(str(cell.get("cell_type")), texts[j], name)
        pictures = _pictures(cell) if new.cell_type == "markdown" else {}
        if pictures:
            new.attachments = pictures
        own.setdefault(after, []).append(new)
    return own


def _text(cell: Mapping[str, Any]) -> str:
    """A cell's text, made fit to be written as UTF-8 with plain line ends."""
    source = cell.get("source", "")
    text = "".join(map(str, source)) if isinstance(source, list) else str(source)
    return text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode("utf-8")


def _pictures(cell: Mapping[str, Any]) -> NotebookNode:
    attachments = cell.get("attachments")
    kept = node()
    for name, bundle in attachments.items() if isinstance(attachments, Mapping) else ():
        if isinstance(bundle, Mapping):
            images = {mime: data for mime, data in bundle.items() if mime in _IMAGES and isinstance(data, str)}
            if images:
                kept[str(name)] = node(images)
    return kept


def _odd(
    released: NotebookNode, submitted: NotebookNode, cells: list[Mapping[str, Any]], texts: list[str], found: Match
) -> list[str]:
    """What a submission tried to say about grading. It decided nothing; an instructor may want to know."""
    notes = []
    for j, index in found.anchors.items():
        ours = released.cells[index]
        if cells[j].get("cell_type") != ours.cell_type and grade_id(ours):
            kind = cells[j].get("cell_type")
            notes.append(f"The cell {label(ours)} had become a {kind} cell; it was graded as {ours.cell_type}.")
        if ours.cell_type == "code" and not is_solution(ours) and texts[j].strip() != ours.source.strip():
            notes.append(f"The cell {label(ours)} had been edited; the course's own text was used.")
        notes += _claims(ours, cells[j])
    moved = out_of_order(list(dict.fromkeys(found.anchors[j] for j in sorted(found.anchors))))
    if moved:
        names = ", ".join(label(released.cells[index]) for index in moved)
        notes.append(f"Cells had been moved and were put back in order: {names}.")
    theirs, ours_kernel = _kernel(submitted), _kernel(released)
    if theirs and theirs != ours_kernel:
        notes.append(f"The submission asked for the kernel {theirs!r}; the course's own, {ours_kernel!r}, was used.")
    return notes


def _claims(ours: NotebookNode, theirs: Mapping[str, Any]) -> list[str]:
    metadata = theirs.get("metadata")
    if not isinstance(metadata, Mapping):
        return []
    notes = []
    nbgrader = metadata.get("nbgrader")
    if is_grade(ours) and isinstance(nbgrader, Mapping):
        points, real = nbgrader.get("points"), ours.metadata.nbgrader["points"]
        if points is not None and points != real:
            notes.append(f"The cell {label(ours)} claimed {points!r} points; it is worth {real}.")
    tags = metadata.get("tags")
    if tags and tags != ours.metadata.get("tags"):
        notes.append(f"The cell {label(ours)} carried tags of its own, {tags!r}, which were ignored.")
    return notes


def _kernel(nb: Mapping[str, Any]) -> str:
    metadata = nb.get("metadata")
    spec = metadata.get("kernelspec") if isinstance(metadata, Mapping) else None
    return str(spec.get("name", "")) if isinstance(spec, Mapping) else ""
