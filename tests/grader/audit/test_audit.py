"""The audit finds what is wrong with tests: what they miss, what they refuse, what they need not have."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from course_lib.cli import app
from course_lib.grader.audit import trials
from course_lib.grader.audit.audit import Audited, audit
from course_lib.grader.audit.page import numbers, page, troubles
from course_lib.grader.course import CourseError
from course_lib.grader.grading.batch import Crew

from .conftest import ALTERNATIVES, CASES, RANDOM, SOLUTION, Small


@pytest.fixture(autouse=True)
def nothing_is_remembered() -> None:
    trials._of.cache_clear()


def audited(small: Small, seeds: int = 5) -> Audited:
    with Crew.of(1) as crew:
        [one] = audit(small.root, ["halves"], crew, seeds=seeds)
    return one


EXPLAINED = "[halve]\n'x < 0 → x <= 0' = 'only for the sake of this test'\n"


def test_good_tests_are_sound_and_counted(small: Small) -> None:
    one = audited(small)
    assert one.sound, troubles([one])
    assert one.known.cases == tuple(CASES)
    assert one.known.hidden == set(list(CASES)[1:])
    assert one.known.accepted == {"multiplies": True}
    assert set(one.known.caught_by) == {"doubles", "refuses nothing"}
    assert one.mutated.number > 10
    assert (one.seeds, one.unlucky) == (0, ()), "nothing is drawn"
    kept = numbers([one])["halves"]["halve"]
    assert kept["misconceptions refused"] == 2
    assert kept["mutants refused"] == one.mutated.number


def test_who_alone_catches_what_is_named(small: Small) -> None:
    one = audited(small)
    assert one.alone == {"a negative number is refused": ("refuses nothing",)}
    assert "Only the case *a negative number is refused* catches: refuses nothing." in page([one], "x")


def test_without_a_case_its_misconception_and_its_mutants_survive(small: Small) -> None:
    small.write(SOLUTION, {title: case for title, case in CASES.items() if "negative" not in title})
    one = audited(small)
    assert one.missed == ("refuses nothing",)
    assert any("raise ValueError" in change for change in one.unexplained)
    assert not one.sound
    said = " ".join(troubles([one]))
    assert "the misconception 'refuses nothing' keeps all points: a case is missing." in said


def test_a_case_at_the_threshold_is_needed_for_a_mutant(small: Small) -> None:
    small.write(SOLUTION, {title: case for title, case in CASES.items() if title != "zero"})
    one = audited(small)
    assert one.unexplained == ("x < 0 → x <= 0",)
    (small.root / "alternatives" / "halves.toml").write_text(EXPLAINED)
    explained = audited(small)
    assert explained.sound
    assert explained.explained == {"x < 0 → x <= 0": "only for the sake of this test"}
    assert "- Equivalent: `x < 0 → x <= 0`: only for the sake of this test" in page([explained], "x")


def test_an_explanation_of_what_does_not_survive_is_stale(small: Small) -> None:
    (small.root / "alternatives" / "halves.toml").write_text(EXPLAINED)
    one = audited(small)
    assert one.stale == ("x < 0 → x <= 0",)
    assert not one.sound


def test_a_test_that_is_too_narrow_is_found(small: Small) -> None:
    text = ALTERNATIVES + (
        "\n@alternative('halve', 'with a tensor')\ndef halve(x, generator=None):\n    import torch\n"
        "    if x < 0:\n        raise ValueError\n    return torch.tensor(x / 2)\n"
    )
    (small.root / "alternatives" / "halves.py").write_text(text)
    one = audited(small)
    assert one.rejected == ("with a tensor",)
    assert "the alternative 'with a tensor' loses points: a test is too narrow." in " ".join(troubles([one]))


def test_a_case_that_catches_nothing_is_named(small: Small) -> None:
    small.write(SOLUTION, {**CASES, "nothing at all": "lambda f: [f(1.0), 2][1], expected=2"})
    one = audited(small)
    # It catches whoever raises at a positive number, so it is not idle until nobody does.
    assert "nothing at all" in one.known.cases
    small.write(SOLUTION, {**CASES, "nothing at all": "lambda f: 2, expected=2"})
    trials._of.cache_clear()
    assert audited(small).idle == ("nothing at all",)


def test_right_code_that_draws_is_run_with_other_draws(small: Small) -> None:
    narrow = {
        "less": "lambda f: f(1.0), judge=lambda y: None if y < 0.9 else checks.Finding('large', f'{y}'), like=1.0"
    }
    small.write(RANDOM, {**narrow, "also": "lambda f: 1, expected=1"})
    (small.root / "alternatives" / "halves.py").unlink()
    (small.root / "misconceptions" / "halves.py").unlink()
    one = audited(small, seeds=200)
    assert one.seeds == 200
    assert 5 <= len(one.unlucky) <= 45, "one in ten"
    assert "right code is refused: seed" in troubles([one])[-1]


@pytest.mark.parametrize(
    "text", ["[halve", "halve = 3", "[halve]\n'a → b' = ''", "[halve]\n'a → b' = 3"], ids=["cut", "flat", "empty", "3"]
)
def test_a_file_of_explanations_that_is_none_is_a_sentence(small: Small, text: str) -> None:
    (small.root / "alternatives" / "halves.toml").write_text(text)
    with pytest.raises(CourseError, match=r"halves\.toml cannot be read \(.*\)\. It has a table for each exercise"):
        audited(small)


def test_an_explanation_for_no_exercise_is_a_sentence(small: Small) -> None:
    (small.root / "alternatives" / "halves.toml").write_text("[quarter]\n'a → b' = 'c'\n")
    with pytest.raises(CourseError, match="explains mutants of quarter: no such exercise"):
        audited(small)


def course(root: Path, *arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["audit", "--root", str(root), "--jobs", "1", "--seeds", "3", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_the_command_shows_writes_and_ends_well(small: Small) -> None:
    status, out, err = course(small.root, "--write")
    assert status == 0
    assert "halve" in out
    assert "2 of 2" in out
    assert "written: docs/audit.md and docs/audit.json" in err
    text = (small.root / "docs" / "audit.md").read_text(encoding="utf-8")
    assert "## halves" in text
    assert "Made by `course audit --write --seeds 3`" in text
    kept = json.loads((small.root / "docs" / "audit.json").read_text(encoding="utf-8"))
    assert kept["halves"]["halve"]["cases"] == 3


def test_the_command_ends_with_1_when_a_test_is_missing(small: Small) -> None:
    small.write(SOLUTION, {title: case for title, case in CASES.items() if title != "zero"})
    status, _, err = course(small.root, "halves", "--json")
    assert status == 1
    assert "the mutant 'x < 0 → x <= 0' keeps all points. Add a case, or say in alternatives/halves.toml" in err


def test_the_page_is_of_the_whole_course_only(small: Small) -> None:
    status, _, err = course(small.root, "halves", "--write")
    assert status == 2
    assert "leave the assignments out" in err
    assert course(small.root, "thirds")[0] == 2
