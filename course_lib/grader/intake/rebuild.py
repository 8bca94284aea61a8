"""The notebook that is graded: the source's cells, and of the submission only text.

nbgrader takes a submission's notebook and mends it; everything it does not know to mend (tags, order, copies, types, a
kernel's name) then decides points. Here it is the other way round: the notebook is the source's, and the student's
answers are put in where the source has a place for them.
"""

import reprlib
from copy import deepcopy

from nbformat import NotebookNode
from nbgrader.utils import compute_checksum, is_grade, is_locked, is_solution
from traitlets.config import Config

from course_lib.grader.intake.foreign import sifted
from course_lib.grader.intake.match import Match, grade_id, label, match, out_of_order
from course_lib.grader.intake.released import released_view
from course_lib.grader.notebooks import new_cell, new_notebook, node

_OWN = "own-"
_KINDS = ("code", "markdown", "raw")
_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")  # no SVG: it can carry scripts

MAX_CODE = 200_000
"""Code of more characters is not run: Python's own parser may need a kilobyte of memory for each."""
MAX_PROSE = 10_000_000
"""A longer written answer is cut: this is room for pictures that an editor has put into the text."""
MAX_OWN = 1_000
"""So many cells of one's own are kept."""
MAX_NOTES = 30
"""So many odd things are said about one submission."""


def rebuild(
    source: NotebookNode,
    submitted: NotebookNode,
    config: Config | None = None,
    *,
    released: NotebookNode | None = None,
) -> tuple[NotebookNode, list[str]]:
    """Put a student's answers into the source's notebook.

    From the source come the cells, their order, type, ids, tags and points, the locked cells' text with hidden tests,
    the prose, and the kernel. From the submission come the text of solution and written cells, found by nbgrader's id
    (then by cell id, unchanged text, or the name they define), and the student's own cells, kept after the cell they
    followed. A missing answer is the released stub. Pictures pasted into a written answer are kept.

    Args:
        source: the hand-written notebook, nbformat 4; left as it is.
        submitted: what was handed in; left as it is.
        config: nbgrader's configuration, for stubs of the course's own wording.
        released: the source as students got it, where that is known already; left as it is.

    Returns:
        The notebook without outputs, and sentences for the instructor about what was odd.

    Raises:
        NotANotebook: when the text of a cell that was handed in is lost.
    """
    released = released or released_view(source, config)
    submitted = sifted(submitted)
    cells = submitted.cells
    texts = [cell.source for cell in cells]
    found = match(released, cells, texts)
    notes = list(dict.fromkeys([*found.notes, *_odd(released, submitted, found)]))
    if len(notes) > MAX_NOTES:
        notes[MAX_NOTES:] = [f"And {len(notes) - MAX_NOTES} more odd things of these kinds."]

    built = new_notebook(deepcopy(source.metadata))
    own = _own_cells(cells, found, taken={cell.get("id") for cell in source.cells})
    built.cells = list(own.pop(-1, []))
    for index, (original, stub) in enumerate(zip(source.cells, released.cells, strict=True)):
        answer = found.answers.get(index)
        given = None if answer is None else cells[answer]
        built.cells += [_graded_cell(original, stub, given), *own.pop(index, [])]
    return built, notes


def is_untouched(cell: NotebookNode) -> bool:
    """Whether a solution cell of a rebuilt notebook is as it was handed out."""
    return bool(cell.metadata.nbgrader.get("checksum") == compute_checksum(cell))


def is_own(cell: NotebookNode) -> bool:
    """Whether a cell of a rebuilt notebook is one that the student added."""
    return "nbgrader" not in cell.metadata and str(cell.get("id", "")).startswith(_OWN)


def _graded_cell(original: NotebookNode, stub: NotebookNode, given: NotebookNode | None) -> NotebookNode:
    cell = deepcopy(original)
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None
    if is_solution(original):
        cell.source = stub.source
        if given and not _unanswered(stub, given.source):
            cell.source = _fit(cell.cell_type, given.source)
            pictures = _pictures(given) if cell.cell_type == "markdown" else {}
            if pictures:
                cell.attachments = pictures
    if is_grade(original) or is_solution(original) or is_locked(original):
        # Where the text still has the stub's checksum, nbgrader knows an answer for blank.
        cell.metadata.nbgrader["checksum"] = compute_checksum(stub if is_solution(original) else original)
    return cell


def _fit(kind: str, text: str) -> str:
    """A text of a size that the steps after this one can take; one that is too large to run says so when it is run."""
    if kind == "code" and len(text) > MAX_CODE:
        return f'raise ValueError("This cell held {len(text)} characters; more than {MAX_CODE} are not run.")'
    return text if len(text) <= MAX_PROSE else f"{text[:MAX_PROSE]}\n\n(Cut here: the text has {len(text)} characters.)"


def _unanswered(stub: NotebookNode, text: str) -> bool:
    """Whether an answer is as it was handed out but for white space; a written one, has only lines of the question."""
    if stub.cell_type == "code":
        return bool(text.strip() == stub.source.strip())
    question = {line.strip() for line in stub.source.splitlines()}
    return all(line.strip() in question for line in text.splitlines() if line.strip())


def _own_cells(cells: list[NotebookNode], found: Match, taken: set[str]) -> dict[int, list[NotebookNode]]:
    """The student's own cells by the source index they follow, -1 for the top, with ids that depend on nothing else."""
    own: dict[int, list[NotebookNode]] = {}
    free, after, number = set(found.free), -1, 0
    for j, cell in enumerate(cells):
        after = found.anchors.get(j, after)
        if j not in free or not cell.source.strip() or number == MAX_OWN:
            continue
        number += 1
        name = f"{_OWN}{number}"
        while name in taken:
            name += "-"
        new = new_cell(cell.cell_type, _fit(cell.cell_type, cell.source), name)
        pictures = _pictures(cell) if new.cell_type == "markdown" else {}
        if pictures:
            new.attachments = pictures
        own.setdefault(after, []).append(new)
    return own


def _pictures(cell: NotebookNode) -> NotebookNode:
    kept = node()
    for name, forms in cell.get("attachments", {}).items():
        images = {mime: data for mime, data in forms.items() if mime in _IMAGES}
        if images:
            kept[name] = node(images)
    return kept


def _odd(released: NotebookNode, submitted: NotebookNode, found: Match) -> list[str]:
    """What a submission tried to say about grading. It decided nothing; an instructor may want to know."""
    notes = []
    for j, index in found.anchors.items():
        ours, theirs = released.cells[index], submitted.cells[j]
        if theirs.cell_type != ours.cell_type and grade_id(ours):
            notes.append(
                f"The cell {label(ours)} had become a {theirs.cell_type} cell; it was graded as {ours.cell_type}."
            )
        if ours.cell_type == "code" and not is_solution(ours) and theirs.source.strip() != ours.source.strip():
            notes.append(f"The cell {label(ours)} had been edited; the course's own text was used.")
        notes += _claims(ours, theirs)
    moved = out_of_order(list(dict.fromkeys(found.anchors[j] for j in sorted(found.anchors))))
    if moved:
        names = ", ".join(label(released.cells[index]) for index in moved)
        notes.append(f"Cells had been moved and were put back in order: {names}.")
    notes += _odd_own([submitted.cells[j] for j in found.free])
    notes += _oversized(released, submitted, found)
    theirs_kernel, ours_kernel = _kernel(submitted), _kernel(released)
    if theirs_kernel and theirs_kernel != ours_kernel:
        notes.append(
            f"The submission asked for the kernel {theirs_kernel!r}; the course's own, {ours_kernel!r}, was used."
        )
    return notes


def _claims(ours: NotebookNode, theirs: NotebookNode) -> list[str]:
    notes = []
    if is_grade(ours):
        points, real = theirs.metadata.get("nbgrader", {}).get("points"), ours.metadata.nbgrader["points"]
        if points is not None and points != real:
            notes.append(f"The cell {label(ours)} claimed {reprlib.repr(points)} points; it is worth {real}.")
    tags = theirs.metadata.get("tags")
    if tags and tags != ours.metadata.get("tags"):
        notes.append(f"The cell {label(ours)} carried tags of its own, {tags!r}, which were ignored.")
    return notes


def _odd_own(own: list[NotebookNode]) -> list[str]:
    unknown = sorted({cell.cell_type for cell in own if cell.cell_type not in _KINDS})
    notes = [f"A cell of the unknown kind {kind!r} was kept as text and not run." for kind in unknown]
    number = sum(bool(cell.source.strip()) for cell in own)
    if number > MAX_OWN:
        notes.append(f"There were {number} cells beside the course's; the first {MAX_OWN} were kept.")
    return notes


def _oversized(released: NotebookNode, submitted: NotebookNode, found: Match) -> list[str]:
    kinds = {j: released.cells[index].cell_type for index, j in found.answers.items()}
    kinds |= {j: submitted.cells[j].cell_type for j in found.free}
    notes = []
    for j, kind in kinds.items():
        name, size = label(submitted.cells[j]), len(submitted.cells[j].source)
        if kind == "code" and size > MAX_CODE:
            notes.append(f"The cell {name} held {size} characters, more than {MAX_CODE}; it was not run.")
        elif size > MAX_PROSE:
            notes.append(f"The cell {name} held {size} characters; what comes after {MAX_PROSE} was cut off.")
    return notes


def _kernel(nb: NotebookNode) -> str:
    return str(nb.metadata.get("kernelspec", {}).get("name", ""))
