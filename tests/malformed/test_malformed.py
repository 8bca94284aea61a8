"""Whatever lies in submitted/, each submission gets its outcome and a sentence, and none stops or spoils another."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from typer.testing import CliRunner

from course_lib.cli import app
from course_lib.grader.nbgrader_steps import calm
from course_lib.grader.results import Outcome, Result
from tests.grader.conftest import ASSIGNMENT, RIGHT, hand_in, solved

from .catalogue import ALL
from .conftest import outcome_of
from .kinds import KINDS, Kind, handed_in

SECONDS = 3.0
"""For one submission on a busy machine; measured alone, none takes two."""


@dataclass(frozen=True)
class Class:
    """All kinds, graded one after the other, with honest work before, among and after them.

    Attributes:
        results: student -> result.
        seconds: student -> how long this process, which graded it, computed: on a busy machine, too.
        not_made: student -> why this machine cannot make the kind.
        honest: the honest students.
    """

    results: dict[str, Result]
    seconds: dict[str, float]
    not_made: dict[str, OSError]
    honest: list[str]


@pytest.fixture(scope="module")
def graded(ready: Path) -> Class:
    found = Class({}, {}, {}, [])

    def grade(student: str) -> None:
        started = time.process_time()
        found.results[student] = outcome_of(ready, student)
        found.seconds[student] = time.process_time() - started

    def honest(student: str) -> None:
        hand_in(ready, student, solved(**RIGHT))
        found.honest.append(student)
        grade(student)

    honest("honest")
    for number, (each, problem) in enumerate(handed_in(ready)):
        if problem is not None:
            found.not_made[each.student] = problem
            continue
        grade(each.student)
        if number % 20 == 0:
            honest(f"honest{number}")
    honest("honest last")
    return found


def scores(result: Result) -> dict[str, float | None]:
    """What the machine gave."""
    return {cell.name: cell.score for cell in result.cells if not cell.written}


@pytest.mark.parametrize("each", KINDS, ids=lambda each: each.name)
def test_it_has_the_right_outcome_and_a_sentence(graded: Class, each: Kind) -> None:
    if each.student in graded.not_made:
        pytest.skip(f"this account cannot make it: {graded.not_made[each.student]}")
    result = graded.results[each.student]
    assert result.outcome is each.outcome, result.notes
    assert each.says in " ".join(result.notes)
    if each.scores is None:
        assert result.score is None
        assert result.cells == ()
        assert len(result.notes) == 1
        assert result.notes[0].startswith("submitted/")
        assert result.outcome.advice
    else:
        assert scores(result) == each.scores
        assert result.score == sum(each.scores.values())


@pytest.mark.parametrize("each", KINDS, ids=lambda each: each.name)
def test_what_is_said_can_be_shown_stored_and_read(graded: Class, ready: Path, each: Kind) -> None:
    result = graded.results.get(each.student)
    if result is None:
        pytest.skip(f"this account cannot make it: {graded.not_made[each.student]}")
    json.dumps(result.to_json(), allow_nan=False).encode()
    for note in result.notes:
        assert note.isprintable(), ascii(note)
        assert note.endswith((".", "?"))
        assert len(note) < 500
        assert str(ready) not in note
        assert "Traceback" not in note


def test_none_takes_long(graded: Class) -> None:
    slow = {name: round(seconds, 1) for name, seconds in graded.seconds.items() if seconds > SECONDS}
    assert slow == {}


def test_honest_work_beside_them_keeps_all_its_points(graded: Class) -> None:
    assert len(graded.honest) > 5
    for student in graded.honest:
        assert graded.results[student].outcome is Outcome.PASSED
        assert scores(graded.results[student]) == ALL
        assert graded.results[student].notes == ()


@pytest.mark.slow
def test_course_grade_takes_the_whole_class_and_leaves_no_score_where_there_should_be_none(
    graded: Class, ready: Path
) -> None:
    done = CliRunner().invoke(app, ["grade", ASSIGNMENT, "--json", "--jobs", "1", "--root", str(ready)])
    assert done.exit_code == 1, done.stderr
    found = {result["student"]: (result["outcome"], result["score"]) for result in json.loads(done.stdout)}
    expected = {each.student: (each.outcome.value, graded.results[each.student].score) for each in KINDS}
    handed_in_folders = {name: outcome for name, outcome in expected.items() if name in found}
    assert {name: found[name] for name in handed_in_folders} == handed_in_folders
    assert {found[name] for name in graded.honest} == {("passed", sum(ALL.values()))}
    with calm(), Gradebook(f"sqlite:///{ready / 'gradebook.db'}", "neural-training") as book:
        for submission in book.assignment_submissions(ASSIGNMENT):
            marks = [grade.auto_score for notebook in submission.notebooks for grade in notebook.grades]
            scored = found[submission.student.id][1] is not None
            assert any(mark is not None for mark in marks) is scored, submission.student.id


def test_the_catalogue_has_no_two_kinds_for_one_student_and_covers_all_outcomes() -> None:
    assert len({each.student for each in KINDS}) == len(KINDS) == len({each.name for each in KINDS})
    assert {each.outcome for each in KINDS} == {
        Outcome.PASSED,
        Outcome.PARTIAL,
        Outcome.MISSING,
        Outcome.UNREADABLE,
    }
