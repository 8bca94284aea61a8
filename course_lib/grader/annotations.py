"""What the grader itself has to say about a graded notebook, kept in the notebook: notes, and how long it ran.

It stands in the notebook's own metadata, which comes from the source and never from a submission.
"""

from nbformat import NotebookNode

from course_lib.grader.notebooks import node

_KEY = "course_lib"


def add_notes(nb: NotebookNode, notes: list[str]) -> None:
    """Append sentences for the instructor; one that is there already is not repeated."""
    ours = nb.metadata.setdefault(_KEY, node())
    ours["notes"] = list(dict.fromkeys([*ours.get("notes", []), *notes]))


def notes_of(nb: NotebookNode) -> tuple[str, ...]:
    """The sentences, oldest first."""
    return tuple(map(str, nb.metadata.get(_KEY, {}).get("notes", ())))


def set_seconds(nb: NotebookNode, seconds: float) -> None:
    """Record how long the notebook ran."""
    nb.metadata.setdefault(_KEY, node())["seconds"] = round(seconds, 3)


def seconds_of(nb: NotebookNode) -> float:
    """How long the notebook ran; 0.0 when it was not run."""
    return float(nb.metadata.get(_KEY, {}).get("seconds", 0.0))
