"""The audit of every assignment is sound, and says what `docs/audit.md` says: none of its numbers has fallen."""

import json
from pathlib import Path
from typing import Any

import pytest

from course_lib.grader.audit.audit import audit
from course_lib.grader.audit.page import numbers, troubles
from course_lib.grader.grading.batch import Crew

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENTS = sorted(path.stem for path in (ROOT / "source").glob("*/*.ipynb"))
WRITTEN: dict[str, Any] = json.loads((ROOT / "docs" / "audit.json").read_text(encoding="utf-8"))
SEEDS = 10
"""Fewer than `course audit` takes by default: this runs with every change."""


@pytest.mark.slow
@pytest.mark.timeout(1200)  # hundreds of mutants
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_tests_are_sound_and_the_page_is_true(assignment: str) -> None:
    with Crew.of(1) as crew:
        audited = list(audit(ROOT, [assignment], crew, seeds=SEEDS))
    assert troubles(audited) == []
    assert numbers(audited)[assignment] == WRITTEN[assignment], "run `course audit --write`, and look at what it says"


def test_the_page_is_about_the_course_as_it_is() -> None:
    assert list(WRITTEN) == ASSIGNMENTS
    page = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    assert [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")] == ASSIGNMENTS
    for exercises in WRITTEN.values():
        for name, found in exercises.items():
            assert f"| {name} | {found['cases']} (" in page
