"""No attack succeeds, and whoever is graded after one gets exactly what they got before."""

import pytest

from course_lib.grader.engine import examine

from .attack import Attack
from .conftest import Classroom
from .course import PARTLY_POINTS, POINTS
from .every import ATTACKS

BUILT_ON = [attack for attack in ATTACKS if "other tests build on" in attack.name]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_it_does_not_succeed(classroom: Classroom, attack: Attack) -> None:
    number = ATTACKS.index(attack)
    seen = classroom.attack(attack, f"mallory{number}")
    successes = seen.successes(attack.points, attack.most_seconds, attack.most_mb) + attack.succeeded(seen)
    assert successes == []
    said = seen.untrusted_said()
    for sign in attack.shows:
        assert sign in said, "the attack did not get as far as it should"
    if number % 3 == 0:  # what one leaves behind, the next but one still finds
        assert classroom.others("honest" if number % 2 else "partly") == []


@pytest.mark.parametrize("attack", BUILT_ON, ids=lambda attack: attack.name)
def test_whoever_comes_first_leaves_nothing_to_the_next(classroom: Classroom, attack: Attack) -> None:
    """What is worked out once for a class must not hang on the first student's functions."""
    examine._papers.clear()
    classroom.attack(attack, f"first{ATTACKS.index(attack)}")
    assert classroom.others("honest", "partly") == []


def test_there_are_many_and_each_has_its_own_name() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 40


def test_honest_work_graded_in_the_same_run_keeps_its_points(classroom: Classroom) -> None:
    assert {student: seen_scores(classroom, student) for student in ("honest", "partly")} == {
        "honest": POINTS,
        "partly": PARTLY_POINTS,
    }
    assert classroom.others("honest", "partly") == []


def seen_scores(classroom: Classroom, student: str) -> dict[str, float | None]:
    """What an honest student had before all attacks."""
    return {cell.name: cell.score for cell in classroom.before[student].cells}
