"""Outputs that came from a student's process, made into outputs of a notebook: checked, and bounded.

They decide nothing. Still they are opened by people and read by programs, so only what nbformat knows gets through.
"""

import math
from typing import Any

from nbformat import NotebookNode

from course_lib.checks.data import Opaque
from course_lib.checks.verdict import RESULT_MIME
from course_lib.grader.notebooks import new_output, node

_MOST_OUTPUTS = 2000


def from_answer(answer: Any, most_chars: int) -> tuple[list[NotebookNode], int]:
    """A cell's outputs and its number.

    Args:
        answer: what a candidate answered to :class:`~course_lib.candidate.requests.RunCell`; anything.
        most_chars: how many characters of it are kept; 0 or less where the cells before have had all that there is.
    """
    if most_chars <= 0:
        return [_note("the output of this cell was left out: those before have used up what a notebook may have")], 0
    if type(answer) is not dict or type(answer.get("outputs")) is not list:
        return [_note("the output of this cell could not be read")], 0
    count = answer.get("count")
    outputs: list[NotebookNode] = []
    left = most_chars + 300_000  # the note that output was cut, and the error after it, come on top
    for raw in answer["outputs"][:_MOST_OUTPUTS]:
        made = _output(raw)
        if made is None:
            continue
        left -= len(str(made))
        if left < 0:
            outputs.append(_note(f"the rest of the output was left out: {most_chars} characters are kept"))
            break
        outputs.append(made)
    return outputs, count if type(count) is int and 0 <= count < 10**6 else 0


def error_output(name: str, message: str) -> NotebookNode:
    """The error of a cell that the grader cut off, or could not run."""
    return new_output("error", ename=name, evalue=message, traceback=[f"\x1b[0;31m{name}\x1b[0m: {message}"])


def _note(text: str) -> NotebookNode:
    return new_output("stream", name="stderr", text=f"… {text}\n")


def _output(raw: Any) -> NotebookNode | None:
    if type(raw) is not dict:
        return None
    kind = raw.get("output_type")
    if kind == "stream":
        name = "stderr" if raw.get("name") == "stderr" else "stdout"
        return new_output("stream", name=name, text=_text(raw.get("text")))
    if kind == "error":
        lines = raw.get("traceback")
        lines = [_text(line) for line in lines[:500]] if type(lines) is list else []
        return new_output(
            "error", ename=_text(raw.get("ename"))[:200], evalue=_text(raw.get("evalue")), traceback=lines
        )
    if kind in ("display_data", "execute_result"):
        data = _bundle(raw.get("data"))
        more: dict[str, Any] = {"metadata": _metadata(raw.get("metadata"))}
        if kind == "execute_result":
            number = raw.get("execution_count")
            more["execution_count"] = number if type(number) is int and 0 <= number < 10**6 else None
        return new_output(kind, data=data, **more) if data else None
    return None


def _bundle(data: Any) -> NotebookNode:
    kept = node()
    for mime, value in data.items() if type(data) is dict else ():
        if type(mime) is not str or not 3 <= len(mime) <= 200 or "/" not in mime or mime == RESULT_MIME:
            continue
        kept[mime] = _json(value) if mime.endswith("json") else _text(value)
    return kept


def _metadata(metadata: Any) -> NotebookNode:
    made = _json(metadata) if type(metadata) is dict else {}
    return node({str(key): value for key, value in made.items()})


def _json(value: Any) -> Any:
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else str(value)
    if type(value) is list:
        return [_json(item) for item in value]
    if type(value) is dict:
        return {str(key): _json(item) for key, item in value.items()}
    return _text(value)


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    return f"({value.kind})" if type(value) is Opaque else ""
