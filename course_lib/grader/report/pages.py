"""Writing the pages: the report over all assignments, one page for each, and one feedback page for each student.

Templates escape everything; each page carries a content security policy that lets no script run but the report's own
table sorting, and no address be fetched.
"""

import base64
import hashlib
import os
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from course_lib.grader.feedback.hidden import Hidden, shown_cases
from course_lib.grader.report import pictures, statistics, text
from course_lib.grader.report.data import ClassData, Exercise, ResultLike, Submission, by_assignment, read_submission
from course_lib.grader.report.outcomes import (
    CASE_OUTCOMES,
    LIMITS,
    SUBMISSION_OUTCOMES,
    SubmissionOutcome,
    submission_outcome,
)

_TEMPLATES = Path(__file__).parent / "templates"
_MAX_CASES = 200


def write_report(root: Path, results: Iterable[ResultLike], out_dir: Path, *, made: str = "") -> Path:
    """Write the class report: an index over the assignments and one page for each.

    Args:
        root: the course's root, to which the feedback paths in the results are relative.
        results: results of any assignments and students, or mappings in the shape of their ``to_json()``.
        out_dir: where the pages go; made when it does not exist. Pages of the same names are replaced.
        made: what the pages say about when they were made, such as a date; nothing by default.

    Returns:
        The path of the index page.
    """
    classes = by_assignment(results)
    out_dir.mkdir(parents=True, exist_ok=True)
    names = {data.assignment: page_name(data.assignment) for data in classes}
    for data in classes:
        _write(out_dir / names[data.assignment], render_class(data, root=root, out_dir=out_dir, made=made))
    index = out_dir / "index.html"
    _write(index, render_index(classes, names=names, made=made))
    return index


def write_feedback(
    result: ResultLike,
    out_path: Path,
    *,
    hidden: Hidden = "message",
    notebook_feedback: Path | None = None,
) -> Path:
    """Write the feedback page of one submission.

    Args:
        result: the result, or a mapping in the shape of its ``to_json()``.
        out_path: the page to write; its folder is made when it does not exist.
        hidden: how much of a hidden case is shown, see :data:`course_lib.grader.feedback.hidden.Hidden`.
        notebook_feedback: nbgrader's own feedback page (the executed notebook), linked when given.

    Returns:
        ``out_path``.

    Raises:
        ValueError: when ``hidden`` is none of the three words.
    """
    link = None if notebook_feedback is None else _link(notebook_feedback, out_path.parent)
    page = render_feedback(read_submission(result), hidden=hidden, notebook_link=link)
    out_path.parent.mkdir(parents=True, exist_ok=True)
    _write(out_path, page)
    return out_path


def render_class(data: ClassData, *, root: Path, out_dir: Path, made: str = "") -> str:
    """The class page of one assignment, as HTML that will lie in ``out_dir``."""
    described = statistics.summary(data.scores)
    items = statistics.item_analysis(data)
    beliefs = statistics.misconceptions(data)
    return _page(
        "class.html.j2",
        data=data,
        summary=described,
        items=items,
        beliefs=beliefs,
        insights=insights(items, beliefs),
        outcomes=_outcome_counts(data),
        limits=statistics.limits_met(data),
        scores_picture=pictures.score_distribution(data, described),
        exercises_picture=pictures.points_by_exercise(items),
        beliefs_picture=pictures.misconceptions_found(beliefs),
        links={s.student: feedback_link(s, root, out_dir) for s in data.submissions},
        made=made,
    )


def render_index(classes: Iterable[ClassData], *, names: dict[str, str], made: str = "") -> str:
    """The page that lists the assignments; ``names`` maps each to the file name of its page."""
    rows = [(data, quote(names[data.assignment]), statistics.summary(data.scores)) for data in classes]
    return _page("index.html.j2", rows=rows, made=made)


def render_feedback(submission: Submission, *, hidden: Hidden = "message", notebook_link: str | None = None) -> str:
    """The feedback page of one submission, as HTML; ``notebook_link`` is a relative URL."""
    if hidden not in get_args(Hidden):
        raise ValueError(f"hidden={hidden!r}: expected one of {', '.join(map(repr, get_args(Hidden)))}")
    # A failure of the grader's own is described for the instructor: its notes may name files and processes of ours.
    ours = submission.outcome == "grader error" or submission.outcome not in SUBMISSION_OUTCOMES
    return _page(
        "feedback.html.j2",
        submission=submission,
        outcome=submission_outcome(submission.outcome),
        exercises=[_shown(exercise, hidden) for exercise in submission.exercises],
        notes=() if ours else submission.notes,
        next_step=next_step(submission, hidden),
        notebook_link=notebook_link,
    )


def insights(items: Iterable[statistics.Item], beliefs: Iterable[statistics.Belief]) -> list[str]:
    """What to look at first, in at most three sentences: the hardest exercise, the commonest slip, the worst case."""
    found = []
    items, beliefs = list(items), list(beliefs)
    judged = [item for item in items if item.mean_share is not None and item.none + item.partial > 0]
    if judged:
        hardest = min(judged, key=lambda item: item.mean_share or 0.0)
        blank = f", {hardest.blank} of them left it blank" if hardest.blank else ""
        found.append(
            f"Hardest exercise: {hardest.exercise}. On average {text.percent(hardest.mean_share)} of its points; "
            f"{hardest.none} of {text.counted(hardest.count, 'student')} earned none{blank}."
        )
    if beliefs and beliefs[0].count > 1:
        found.append(
            f"Most frequent misconception: {beliefs[0].name} ({beliefs[0].exercise}), "
            f"in the work of {text.counted(beliefs[0].count, 'student')}."
        )
    cases = [(case, item.exercise) for item in items for case in item.failed_cases if case.failed > 1]
    if cases:
        case, exercise = max(cases, key=lambda pair: pair[0].failed)
        found.append(
            f"Case that most did not pass: “{case.title}” of {exercise}, "
            f"{case.failed} of the {case.seen} who wrote something for it."
        )
    return found


def next_step(submission: Submission, hidden: Hidden = "message") -> str:
    """One thing for the student to do next."""
    if submission.outcome in ("missing", "unreadable"):
        return (
            "Ask your instructor whether you may hand it in again: under its own name, and so that JupyterLab opens it."
        )
    if submission.needs_human:
        return "Nothing for now: your instructor will look at this submission."
    if not submission.exercises:
        return "Read the notes on this page, then ask your instructor if something is unclear."
    open_ = [exercise for exercise in submission.exercises if not exercise.full]
    if not open_:
        return "Every automatic test passed. Try the open question at the end of the notebook."
    begun = [exercise for exercise in open_ if not exercise.blank]
    if not begun:
        return (
            f"Start with {open_[0].name}: it is not written yet. The hints in the notebook lead up to it step by step."
        )
    recognised = next((exercise for exercise in begun if exercise.record.misconceptions), None)
    if recognised is not None:
        return f"Start with {recognised.name}: read its hint below, change your code, and run its test cell again."
    return _first_repair(begun[0], hidden)


def _first_repair(exercise: Exercise, hidden: Hidden) -> str:
    name, record = exercise.name, exercise.record
    if record.refused:
        return f"Start with {name}: build it yourself, from the formula in the notebook, without {record.refused[0]}."
    case = next((case for case in record.cases if not case.passed), None)
    if case is None:
        return f"Start with {name}, and run its test cell again."
    if case.hidden and hidden == "nothing":
        return (
            f"Start with {name}: its visible tests pass, hidden ones do not. Read its description again, line by line."
        )
    return f"Start with {name}, at “{text.shortened(case.title, 120)}”, and run its test cell again."


def feedback_link(submission: Submission, root: Path, out_dir: Path) -> str | None:
    """Relative URL from a page in ``out_dir`` to the feedback page; None when that lies outside of ``root``."""
    if submission.feedback is None or "\0" in submission.feedback:
        return None
    base = Path(os.path.abspath(root))
    target = Path(os.path.abspath(base / submission.feedback))
    return _link(target, out_dir) if target.is_relative_to(base) and target != base else None


def page_name(assignment: str) -> str:
    """File name of an assignment's page: readable, safe on any file system, different for different assignments.

    >>> page_name("09_dropout")
    '09_dropout.html'
    """
    safe = re.sub(r"[^A-Za-z0-9_-]", "_", assignment)[:80]
    if not safe or safe != assignment or safe.casefold() == "index":
        safe += "-" + hashlib.sha256(assignment.encode("utf-8", "replace")).hexdigest()[:8]
    return safe + ".html"


def _link(target: Path, folder: Path) -> str:
    relative = os.path.relpath(os.path.abspath(target), os.path.abspath(folder))
    return quote(Path(relative).as_posix().encode("utf-8", "surrogateescape"))


def _outcome_counts(data: ClassData) -> list[tuple[SubmissionOutcome, int]]:
    """Every outcome that happened, in the order of the table of outcomes, with its number of submissions."""
    counts: dict[str, int] = {}
    for submission in data.submissions:
        counts[submission.outcome] = counts.get(submission.outcome, 0) + 1
    known = [name for name in SUBMISSION_OUTCOMES if name in counts]
    unknown = sorted(name for name in counts if name not in SUBMISSION_OUTCOMES)
    return [(submission_outcome(name), counts[name]) for name in known + unknown]


def _shown(exercise: Exercise, hidden: Hidden) -> dict[str, Any]:
    """One exercise as the feedback page shows it: what a hidden case may not show never reaches the template."""
    everything = exercise.record.cases
    cases = shown_cases(exercise.record, hidden)
    unseen = [case for case in everything if case.hidden] if hidden == "nothing" else []
    failing = [case.message for case in cases if not case.passed]
    return {
        "exercise": exercise,
        "record": exercise.record,
        "cases": cases[:_MAX_CASES],
        "left_out": len(cases) - len(cases[:_MAX_CASES]),
        "common": failing[0] if len(failing) > 1 and len(set(failing)) == 1 else "",
        "passed": sum(case.passed for case in everything),
        "unseen": len(unseen),
        "unseen_passed": sum(case.passed for case in unseen),
    }


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "line": text.line,
        "cut": text.cut,
        "points": text.points,
        "percent": text.percent,
        "signed": text.signed,
        "duration": text.duration,
    }
    environment.globals |= {
        "counted": text.counted,
        "discrimination_words": statistics.discrimination_words,
        "submission_outcome": submission_outcome,
        "case_outcomes": CASE_OUTCOMES,
        "limit_meanings": LIMITS,
        "few": statistics.FEW,
        "sort_script": Markup(_sort_script()),
        "sort_script_hash": _csp_hash(_sort_script()),
    }
    return environment


def _sort_script() -> str:
    return (_TEMPLATES / "sort.js").read_text(encoding="utf-8")


def _csp_hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def _page(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(**values)


def _write(path: Path, page: str) -> None:
    path.write_text(page, encoding="utf-8", newline="\n")
