"""The table of cases: HTML for a notebook, the same as text for a terminal.

Colour is never alone: every outcome has a mark and a word. Text takes the page's colour and badges bring their own
background, so the table reads on light and dark pages; a screen reader meets a captioned table with row headers.
"""

import math
import sys
from collections.abc import Sequence
from html import escape
from typing import Any

from course_lib.checks.verdict import RESULT_MIME, CaseResult, ExerciseResult, Outcome

_MARKS = {
    Outcome.PASSED: "✓",
    Outcome.FAILED: "✗",
    Outcome.RAISED: "✗",
    Outcome.UNWRITTEN: "○",
    Outcome.TIMED_OUT: "⧖",
    Outcome.CRASHED: "✗",
    Outcome.REFUSED: "⊘",
    Outcome.LIMIT: "⧖",
    Outcome.MISSING: "✗",
}
_WORDS = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "wrong",
    Outcome.RAISED: "stopped",
    Outcome.UNWRITTEN: "to do",
    Outcome.TIMED_OUT: "too slow",
    Outcome.CRASHED: "crashed",
    Outcome.REFUSED: "refused",
    Outcome.LIMIT: "over a limit",
    Outcome.MISSING: "missing",
}
_GREEN, _RED, _AMBER, _GREY = "#116329", "#A40E26", "#7A4B00", "#4A5058"  # each at least 7:1 against white text
_COLOURS = {
    Outcome.PASSED: _GREEN,
    Outcome.REFUSED: _AMBER,
    Outcome.TIMED_OUT: _AMBER,
    Outcome.LIMIT: _AMBER,
    Outcome.UNWRITTEN: _GREY,
}


def show(result: ExerciseResult) -> None:
    """Show a result: a table in a notebook (together with the record for machines), text elsewhere."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None:
        print(text(result))
        return
    from IPython.display import display

    display(bundle(result), raw=True)  # type: ignore[no-untyped-call]


def bundle(result: ExerciseResult) -> dict[str, Any]:
    """The result in every form in which a notebook shows it: a table, text, and the record for machines."""
    return {"text/html": html(result), "text/plain": text(result), RESULT_MIME: result.to_json()}


def summary(result: ExerciseResult) -> str:
    """Say it in one sentence, as in ``softmax: 3 of 5 cases passed, 2.4 of 4 points.``."""
    passed = sum(case.passed for case in result.cases)
    cases = f"{passed} of {len(result.cases)} case{'s' if len(result.cases) != 1 else ''} passed"
    points = f"{_points(result.score)} of {_points(result.points)} points"
    return f"{result.exercise}: {cases}, {points}."


def _points(points: float) -> str:
    """Two decimals at the most, cut and not rounded: 3.999 of 4 is not all."""
    return f"{math.floor(points * 100 + 1e-6) / 100:g}"


def text(result: ExerciseResult, cases: Sequence[CaseResult] | None = None) -> str:
    """The table as plain text.

    Args:
        result: what is counted and summed up.
        cases: what is shown of its cases, where that is less than everything.
    """
    shown = result.cases if cases is None else tuple(cases)
    lines = [summary(result), *_headlines(result)]
    common = _common_message(shown)
    if common and not result.refused:  # the headline has said so
        lines.extend(f"  {line}" for line in (common, _common_reason(shown)) if line)
    width = max((len(_WORDS[case.outcome]) for case in shown), default=0)
    for case in shown:
        lines.append(f"  {_MARKS[case.outcome]} {_WORDS[case.outcome]:<{max(width, 8)}} {case.title}{_hidden(case)}")
        if not case.passed:
            for label, value in _details(case, common):
                lines.append(f"      {label + ':':<15}" + value.rstrip("\n").replace("\n", "\n" + " " * 21))
    lines.extend(f"  {line}" for line in _left_out(result, shown))
    lines.extend(f"  It looks as if your {result.exercise} {m.name}. {m.hint}" for m in result.misconceptions)
    return "\n".join(lines)


def html(result: ExerciseResult, cases: Sequence[CaseResult] | None = None) -> str:
    """The table as HTML; everything that a student's code may have chosen is escaped. See :func:`text`."""
    shown = result.cases if cases is None else tuple(cases)
    parts = [
        '<div class="course-checks" style="font-family:var(--jp-ui-font-family,system-ui,sans-serif);max-width:60em">',
        '<table style="border-collapse:collapse;width:100%;color:inherit;background-color:transparent">',
        f'<caption style="caption-side:top;text-align:left;font-weight:600;padding:.3em 0;color:inherit">'
        f"{escape(summary(result))}</caption>",
        # JupyterLab lays tables out by their first row, which may be a headline over both columns.
        '<colgroup><col style="width:9.5em"/><col/></colgroup>',
    ]
    for headline in _headlines(result):
        parts.append(_headline(headline))
    common = _common_message(shown)
    if common and not result.refused:
        parts.append(
            f'<tr><td colspan="2" style="{_CELL}"><strong>{escape(common)}</strong> '
            f"{escape(_common_reason(shown))}</td></tr>"
        )
    parts.extend(_row(case, common) for case in shown)
    parts.extend(map(_headline, _left_out(result, shown)))
    parts.append("</table>")
    for found in result.misconceptions:
        parts.append(
            f'<p style="padding:.5em .8em;border-left:4px solid #0072B2;color:inherit">'
            f"<strong>It looks as if your {escape(result.exercise)} {escape(found.name)}.</strong> "
            f"{escape(found.hint)}</p>"
        )
    parts.append("</div>")
    return "".join(parts)


_CELL = (
    "text-align:left;vertical-align:top;padding:.35em .6em;border-top:1px solid rgba(128,128,128,.4);white-space:normal"
)


_CODE = "white-space:pre-wrap;overflow-wrap:anywhere;color:inherit;background-color:transparent;padding:0"


def _headline(sentence: str) -> str:
    return f'<tr><td colspan="2" style="{_CELL}">{escape(sentence)}</td></tr>'


def _row(case: CaseResult, common: str) -> str:
    colour = _COLOURS.get(case.outcome, _RED)
    badge = (
        f'<span style="display:inline-block;white-space:nowrap;background-color:{colour};color:#fff;border-radius:4px;'
        f'padding:0 .5em;min-width:6em"><span aria-hidden="true">{_MARKS[case.outcome]}</span> '
        f"{_WORDS[case.outcome]}</span>"
    )
    details = "".join(
        f'<div style="padding-top:.2em"><span style="opacity:.8">{escape(label)}:</span> {_value(label, value)}</div>'
        for label, value in ([] if case.passed else _details(case, common))
    )
    title = escape(case.title + _hidden(case))
    if details:
        title = f"<strong>{title}</strong>"
    return (
        f'<tr><td style="{_CELL};width:8em">{badge}</td>'
        f'<th scope="row" style="{_CELL};font-weight:400">{title}{details}</th></tr>'
    )


def _value(label: str, value: str) -> str:
    if label in ("called", "came", "expected", "printed"):
        return f'<code style="{_CODE}">{escape(value)}</code>'
    return escape(value)


def _details(case: CaseResult, common: str) -> list[tuple[str, str]]:
    rows = [
        ("what", case.message),
        ("called", case.called),
        ("came", case.came),
        ("expected", case.expected),
        ("likely reason", case.reason),
        ("printed", case.printed),
    ]
    if common and case.message == common:
        return []
    return [(label, value) for label, value in rows if value]


def _headlines(result: ExerciseResult) -> list[str]:
    """What stands above the cases."""
    if result.refused:
        used = "; ".join(result.refused)
        return [
            f"Refused: {result.exercise} uses {used}. This exercise asks you to build it yourself, "
            "so it earns no points until that is gone."
        ]
    return []


def _left_out(result: ExerciseResult, shown: Sequence[CaseResult]) -> list[str]:
    """What is said of hidden cases that are not shown."""
    if len(shown) == len(result.cases):
        return []
    hidden = [case for case in result.cases if case.hidden]
    return [f"Hidden tests: {sum(case.passed for case in hidden)} of {len(hidden)} passed."]


def _common_message(cases: Sequence[CaseResult]) -> str:
    """The message that all failing cases share, if there are several: it is then said once."""
    messages = {case.message for case in cases if not case.passed}
    failing = sum(not case.passed for case in cases)
    return messages.pop() if failing > 1 and len(messages) == 1 else ""


def _common_reason(cases: Sequence[CaseResult]) -> str:
    """The likely reason that all failing cases share."""
    reasons = {case.reason for case in cases if not case.passed}
    return reasons.pop() if len(reasons) == 1 else ""


def _hidden(case: CaseResult) -> str:
    return " (hidden test)" if case.hidden else ""
