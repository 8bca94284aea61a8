"""What a student may see of the hidden cases.

A hidden case's inputs are in the hands of the student's code while it runs, and that code can put what it finds into
what it prints, raises, returns and is called. So no text of the student's making is shown of a hidden case: only our
own words, numbers, and words that the student has seen anyway.
"""

import builtins
import re
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Literal

import torch

from course_lib.candidate.limits import Limits
from course_lib.checks.verdict import CaseResult, ExerciseResult, Outcome

Hidden = Literal["message", "title", "nothing"]
"""How much of a hidden case a student sees.

``"message"``: its title and outcome, and in our own words what came, what was expected and where they first differ;
``"title"``: its title and outcome; ``"nothing"``: only how many there are and how many passed. The source of a hidden
test is never shown. Under ``"message"`` what code returns is shown as numbers, so code that was written for it can
carry some numbers of a hidden case out; ``"title"`` closes that too.
"""

_CUT_OFF = (Outcome.TIMED_OUT, Outcome.CRASHED, Outcome.LIMIT)
_LONGEST = 320  # a little more than `describe` gives


def shown_cases(record: ExerciseResult, hidden: Hidden) -> tuple[CaseResult, ...]:
    """The cases that a student sees, each with what a student may see of it.

    Args:
        record: an exercise with all its cases.
        hidden: how much of a hidden case is shown.
    """
    if hidden == "nothing":
        return tuple(case for case in record.cases if not case.hidden)
    if hidden == "title":
        return tuple(_without_texts(case) if case.hidden else case for case in record.cases)
    # Of a visible case what the course says, and not what the student's code said: that could be a whole dictionary.
    seen = _words([record.exercise, *(text for c in record.cases if not c.hidden for text in (c.title, c.expected))])
    return tuple(_in_our_words(case, record, seen) if case.hidden else case for case in record.cases)


def exception_name(name: str) -> str:
    """The name of an exception's class if it is Python's own; a student's class can have a whole text for a name."""
    kind = getattr(builtins, name, None)
    known = isinstance(kind, type) and issubclass(kind, BaseException)
    return name if known else "an exception of its own"


def _without_texts(case: CaseResult) -> CaseResult:
    return CaseResult(case.title, case.outcome, case.hidden, case.weight)


def _in_our_words(case: CaseResult, record: ExerciseResult, seen: frozenset[str]) -> CaseResult:
    if case.passed:
        return _without_texts(case)
    known = seen | _words([case.title, case.expected])
    return replace(
        case,
        message=_message(case, record, known),
        called=_ours(case.called, known),
        came=_ours(case.came, known),
        reason=_reason(case),
        printed="",
    )


def _message(case: CaseResult, record: ExerciseResult, known: frozenset[str]) -> str:
    if case.outcome is Outcome.RAISED:
        return _raised(case.message, record.exercise, known)
    if case.outcome is Outcome.REFUSED:
        shown = any(case.message == f"{record.exercise} uses {name}" for name in record.refused)
        return case.message if shown else f"{record.exercise} uses what this exercise refuses"
    if case.outcome in _CUT_OFF:
        return _ours(case.message, known | _OF_LIMITS)
    if case.outcome is Outcome.MISSING:
        visible = any(case.message == other.message for other in record.cases if not other.hidden)
        return case.message if visible else f"{record.exercise} does not exist, or is something else"
    if case.outcome is Outcome.FAILED and case.expected:
        return _ours(case.message, known)
    return case.message  # by a judge, in the course's words, or the stub's


def _raised(message: str, name: str, known: frozenset[str]) -> str:
    """What raised what, without the text that the exception carries."""
    stopped, used = f"{name} stopped with ", f"what {name} returned ("
    if message.startswith(used):
        returned, found, error = message.removeprefix(used).partition(") cannot be used: ")
        if found:
            return f"{used}{_ours(returned, known)}) cannot be used: {_kind(error)}"
    return stopped + _kind(message.removeprefix(stopped))


def _kind(error: str) -> str:
    return exception_name(error.partition(":")[0])


_LINE = re.compile(r"line [0-9]{1,6} of your cell")


def _reason(case: CaseResult) -> str:
    """The course's own hint, or the number of the line in the student's cell; the line's text might be forged."""
    if case.outcome is not Outcome.RAISED:
        return case.reason
    line = _LINE.match(case.reason)
    return line.group() if line else ""


# ----------------------------------------------------------------------------------------------- words, one by one

_TOKEN = re.compile(
    r"""
    (?P<text> '(?:[^'\\\n]|\\.)*' | "(?:[^"\\\n]|\\.)*" )
    | (?P<number> [0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?j? )
    | (?P<word> [^\W\d]\w*(?:'s)? )
    | (?P<other> [ \n,.:;?()\[\]{}=+\-−–·×%…<>/] )
    | (?P<else> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_MORE = re.compile(r"…(?:[\s.:,;]*…)+")
_DIGITS = 20

_OF_MESSAGES = """
a after afterwards an and are argument arguments as at be bits by call called calls came cannot class containers d
data deeply dense device dict differ dtype entries entry exception expected finite form from function has here in inf
infinite is item items its key keys lacks list many mean meta module more NaN nan nested no none not number numbers
object of on or quantized raised read result returned sequence shape should sparse subclass sum tensor tensors text
that the this to too true truth tuple value whole with without
average batchmean dim eps f generator Generator inplace keepdim p reduction torch training x y z cpu
"""


def _words(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word for text in texts for word in re.findall(r"[^\W\d]\w*", text))


_OF_LIMITS = _words(
    """
    a after answer asked before by case cases did ended ends exit fifth file files finish fresh had have hung in is it
    killed limit loop MB memory needed never not notebook of one open process processes ran room run s sent signal
    started status stopped than that there this threads up used was what within wrote SIGABRT SIGKILL SIGSEGV SIGXCPU
    """.splitlines()
) | {field.name for field in fields(Limits)}

_OURS = (
    _words([_OF_MESSAGES])
    | frozenset(name for name, value in vars(torch).items() if isinstance(value, torch.dtype))
    | {"True", "False", "None"}
    | frozenset(n for n, v in vars(builtins).items() if isinstance(v, type) and issubclass(v, BaseException))
    | frozenset(n for n in vars(torch.nn) if n[:1].isupper())  # "Linear(…)"
)


def _ours(text: str, known: frozenset[str]) -> str:
    """``text`` with an ellipsis for every word, quotation and sign that is neither ours nor known to the student."""

    def told(found: re.Match[str]) -> str:
        token = found.group()
        if found["word"]:
            return token if token.removesuffix("'s") in _OURS | known else "…"
        if found["text"]:
            return token if token[1:-1] in _OURS | known else "'…'"
        if found["number"]:
            return token if len(token) <= _DIGITS else "…"
        return token if found["other"] else "…"

    return _MORE.sub("…", _TOKEN.sub(told, text[:_LONGEST]))
