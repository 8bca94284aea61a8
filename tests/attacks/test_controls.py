"""Would a success be noticed? The same attacks where nothing stands against them, and simulated successes."""

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_output

from course_lib.grader.engine.examine import Examine, server_for
from course_lib.grader.grading.preprocessors import ExplicitScores
from course_lib.grader.grading.worker import Graded
from tests.malformed.quick import QuickExecute

from .attack import Attack
from .conftest import Classroom
from .course import EXPECTED, HIDDEN, POINTS, SIBLING
from .every import ATTACKS
from .seen import MARK, Seen


def attacks(control: str) -> list[Attack]:
    return [attack for attack in ATTACKS if attack.control == control]


@pytest.fixture(scope="module")
def unprotected(classroom: Classroom, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Classroom]:
    """The same class, graded without a sandbox. After `classroom`, which sets what both need."""
    room = Classroom(tmp_path_factory.mktemp("unprotected") / "course", sandbox="none")
    yield room
    server_for("none", str(room.root)).close()


@pytest.mark.parametrize("attack", attacks("no sandbox"), ids=lambda attack: attack.name)
def test_without_a_sandbox_its_success_is_noticed(unprotected: Classroom, attack: Attack) -> None:
    student = f"mallory{ATTACKS.index(attack)}"
    settings = {**attack.settings, "processes": 4, "memory_mb": 1000}
    seen = unprotected.attack(replace(attack, settings=settings), student)
    _end(seen.left)
    found = seen.successes(attack.points, attack.most_seconds, attack.most_mb) + attack.succeeded(seen)
    assert found != []


@pytest.mark.parametrize("attack", attacks("in process"), ids=lambda attack: attack.name)
def test_where_tests_run_beside_student_code_its_success_is_noticed(
    classroom: Classroom, attack: Attack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under stock nbgrader; what the attack replaces is put back afterwards."""
    _put_back_afterwards(monkeypatch)
    monkeypatch.setattr(Examine, "preprocess", QuickExecute.preprocess)
    monkeypatch.setattr(ExplicitScores, "preprocess", lambda self, nb, resources: (nb, resources))
    seen = classroom.attack(attack, f"stock{ATTACKS.index(attack)}")
    assert any("points instead of" in sign for sign in seen.successes(attack.points, 60, 1e9))


def _put_back_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    from course_lib.checks import compare, exercise, judging, run, verdict

    for module in (compare, exercise, judging, run, verdict):
        for name, value in list(vars(module).items()):
            if isinstance(value, type) and value.__module__ == module.__name__:
                for attribute, held in list(vars(value).items()):
                    if callable(held) or isinstance(held, property):
                        monkeypatch.setattr(value, attribute, held)
            elif not name.startswith("__"):
                monkeypatch.setattr(module, name, value)


def _end(processes: list[int]) -> None:
    for pid in processes:
        os.kill(pid, signal.SIGKILL)


# --------------------------------------------------------------------------------------------- simulated successes


@pytest.fixture
def honest(classroom: Classroom) -> Seen:
    return classroom.grade("honest")


def signs(seen: Seen, most_seconds: float = 60, most_mb: float = 1e9) -> list[str]:
    return seen.successes(POINTS, most_seconds, most_mb)


def with_output(seen: Seen, cell_id: str, text: str) -> Seen:
    nb = nbformat.reads(seen.graded.notebook, as_version=4)
    cell = next(cell for cell in nb.cells if cell.id == cell_id)
    cell.outputs.append(new_output("stream", name="stdout", text=text))
    return replace(seen, graded=replace(seen.graded, notebook=nbformat.writes(nb)))


def test_honest_work_shows_no_sign_of_success(honest: Seen) -> None:
    assert signs(honest) == []


def test_other_points_are_noticed(honest: Seen) -> None:
    assert honest.successes({**POINTS, "half": 1.0}, 60, 1e9) == ["half: 2.0 points instead of 1.0"]


@pytest.mark.parametrize("secret", [EXPECTED, HIDDEN, SIBLING], ids=["expected", "hidden", "sibling"])
def test_a_secret_in_an_output_is_noticed(honest: Seen, secret: str) -> None:
    found = signs(with_output(honest, "scale", f"look: {secret}"))
    assert f"the student is shown {secret}" in found


def test_slowness_memory_and_what_is_left_are_noticed(honest: Seen) -> None:
    assert signs(replace(honest, seconds=9.0), most_seconds=3) == ["grading took 9.0 s, more than 3"]
    assert signs(replace(honest, own_mb=900.0), most_mb=150) == ["its processes took 900 MB, more than 150"]
    assert signs(replace(honest, grader_mb=900.0)) == ["the grader itself grew by 900 MB"]
    assert signs(replace(honest, left=[4711])) == ["1 of its processes live on"]
    assert signs(replace(honest, touched=["it left a file"])) == ["it left a file"]


def test_a_submission_that_stops_the_grader_is_noticed(classroom: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Examine, "preprocess", broken)
    found = signs(classroom.grade("honest"))
    assert "the grader failed" in found[0]


def test_a_file_in_the_course_is_noticed(classroom: Classroom) -> None:
    around = classroom.surroundings
    around.files = type(around)(classroom.root, around.server).files
    left = [classroom.root / MARK, Path("/var/tmp") / MARK]
    try:
        for path in left:
            path.write_text("here")
        assert around.changes() == [f"{left[0]} is not as it was", *sorted(f"it left {path}" for path in left)]
    finally:
        for path in left:
            path.unlink()


def test_another_students_result_is_noticed(classroom: Classroom) -> None:
    before = classroom.before["honest"]
    try:
        classroom.before["honest"] = replace(before, score=1.0)
        assert "honest now gets" in classroom.others("honest")[0]
    finally:
        classroom.before["honest"] = before


def test_a_process_that_lives_on_is_noticed(classroom: Classroom) -> None:
    with subprocess.Popen(["sleep", "30"], start_new_session=True) as process:
        assert process.pid in classroom.surroundings.left()
        process.kill()


def test_nothing_graded_at_all_is_noticed() -> None:
    from course_lib.grader.results import Outcome, Result

    nothing = Seen(Graded(Result("03_attacked", "x", Outcome.MISSING)))
    assert signs(nothing) == ["it was not graded: ()"]
