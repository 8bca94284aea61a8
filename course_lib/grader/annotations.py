"""What the grader itself has to say about a graded notebook, kept in the notebook: notes, how long it ran, a record.

It stands in the notebook's own metadata, which comes from the source and never from a submission.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

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


@dataclass(frozen=True)
class Record:
    """What a graded notebook says about how it was entered in the gradebook.

    The gradebook and the folder cannot be changed in one step. Where the two say the same, both are there.

    Attributes:
        fingerprint: of everything that the grading depended on (:mod:`.grading.fingerprint`).
        scores: grade_id -> the machine's score, None where a human gives one.
        late_seconds: how long after the due date.
        penalty: points taken off for that.
    """

    fingerprint: str
    scores: dict[str, float | None]
    late_seconds: float = 0.0
    penalty: float = 0.0


def leave_room_for_record(nb: NotebookNode, mark: str) -> None:
    """Mark the record's place in the notebook: who grades does not know it yet, and who knows has only the text."""
    nb.metadata.setdefault(_KEY, node())["record"] = mark


def with_record(text: str, mark: str, record: Record) -> str:
    """A notebook's text with the record in its place.

    Args:
        text: of a notebook with a mark in it.
        mark: nothing else in the text may be like it.
        record: what is put there.
    """
    return text.replace(json.dumps(mark), json.dumps(asdict(record), sort_keys=True), 1)


def record_of(nb: Mapping[str, Any]) -> Record | None:
    """The record of a graded notebook; None when it has none, as after plain ``nbgrader autograde``."""
    kept = nb.get("metadata", {}).get(_KEY, {}).get("record")
    try:
        return None if kept is None else Record(**{**kept, "scores": dict(kept["scores"])})
    except (TypeError, KeyError, ValueError):  # of another version
        return None
