"""What the benchmarks are made of: classes, clocks, lines, sections of the page, and what a command took."""

import json
import os
import sys
import time
from pathlib import Path

import pytest

from benchmarks.classes import KINDS, kind_of, mixed_class, without_extras
from benchmarks.clocks import Clocks
from benchmarks.fit import Line
from benchmarks.page import PAGE, replaced, table
from benchmarks.processes import descendants, own_mb, processor_seconds, resident_mb, warm_and_candidates
from benchmarks.spent import CommandFailed, run
from benchmarks.throughput import Way, _agreement, _parts
from course_lib.grader.engine.processes import WarmServer
from course_lib.grader.engine.roles import Role, role_of

BURN = "import time\nend = time.process_time() + {seconds}\nwhile time.process_time() < end: pass\n"


def test_a_class_is_the_same_each_time_and_a_third_of_each_kind() -> None:
    first, again = mixed_class(9), mixed_class(9)
    assert json.dumps(first) == json.dumps(again)
    assert [kind_of(n) for n in range(9)] == list(KINDS) * 3
    assert len({json.dumps(notebook) for notebook in first.values()}) == 7, "the three blank ones are alike"


def test_a_small_class_is_the_beginning_of_a_large_one() -> None:
    assert json.dumps(mixed_class(3)) == json.dumps(dict(list(mixed_class(9).items())[:3]))


def test_without_extras_everything_graded_is_still_there() -> None:
    work = mixed_class(1)["student-0000"]
    fewer = without_extras(work)
    kept = [cell.id for cell in work.cells if role_of(cell) in (Role.STUDENT, Role.GIVEN, Role.TEST)]
    assert set(kept) <= {cell.id for cell in fewer.cells}
    assert len(fewer.cells) < len(work.cells)


def test_parts_of_a_class_have_its_mixture_and_lose_nobody() -> None:
    parts = _parts([f"student-{n:04}" for n in range(20)], 3)
    assert sorted(student for part in parts for student in part) == [f"student-{n:04}" for n in range(20)]
    for part in parts:
        kinds = [kind_of(int(student[-4:])) for student in part]
        assert max(map(kinds.count, KINDS)) - min(map(kinds.count, KINDS)) <= 1


def test_clocks_count_a_second_once_when_labelled_work_calls_labelled_work() -> None:
    clocks = Clocks()
    with clocks.counting("outer"):
        _burn(0.02)
        with clocks.counting("inner"):
            _burn(0.06)
    assert clocks.spent["inner"] == pytest.approx(0.06, abs=0.01)
    assert clocks.spent["outer"] == pytest.approx(0.02, abs=0.01)


def test_a_line_tells_growth_from_noise() -> None:
    flat = Line.through(range(100), [10 + (-1) ** n for n in range(100)])
    assert abs(flat.slope) < 0.001
    assert flat.noise == pytest.approx(1, abs=0.02)


def test_a_command_is_charged_for_what_its_orphans_do(tmp_path: Path) -> None:
    orphan = BURN.format(seconds=0.2)
    script = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {orphan!r}])"
    spent = run([sys.executable, "-c", script], tmp_path)
    assert 0.2 <= spent.processor < 0.6


def test_a_command_is_not_charged_for_warm_processes_of_others(warm_server: WarmServer, tmp_path: Path) -> None:
    warm_server.wait_until_ready()
    assert warm_and_candidates(os.getpid())[0], "or else there is nobody to be charged for"
    assert run([sys.executable, "-c", ""], tmp_path, status=(0,)).processor < 0.5


def test_a_command_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"ended with status 1:\n.*no such thing"):
        run([sys.executable, "-c", "import sys; sys.exit('no such thing')"], tmp_path)


def test_processes_are_seen_from_outside() -> None:
    assert descendants(os.getpid())[0] == os.getpid()
    before = processor_seconds(os.getpid())
    memory = bytearray(b"x" * 30_000_000)
    assert 30 <= own_mb(os.getpid()) <= resident_mb(os.getpid())
    _burn(0.05)
    assert processor_seconds(os.getpid()) > before
    assert memory


def test_what_has_ended_has_no_memory() -> None:
    assert (own_mb(2**22 + 1), resident_mb(2**22 + 1), processor_seconds(2**22 + 1)) == (0, 0, 0)


def test_a_section_takes_the_place_of_its_own_and_of_nothing_else() -> None:
    page = "a\n<!-- begin x -->\nold\n<!-- end x -->\nb\n<!-- begin y -->\nkept\n<!-- end y -->\n"
    assert replaced(page, "x", r"new \1") == page.replace("old", r"new \1")
    with pytest.raises(ValueError, match="has no lines <!-- begin z --> and <!-- end z -->"):
        replaced(page, "z", "new")


@pytest.mark.parametrize("name", ["throughput", "where_time_goes", "memory", "linear", "cold"])
def test_the_page_has_a_place_for_every_benchmark(name: str) -> None:
    assert "\nnew\n" in replaced(PAGE.read_text(encoding="utf-8"), name, "new")


def test_numbers_stand_right_in_tables() -> None:
    assert table(("what", "how many"), [("a", 1), ("b", 2000)]).splitlines()[1:] == [
        "| --- | ---: |",
        "| a | 1 |",
        "| b | 2,000 |",
    ]


def test_unfair_points_are_named_whoever_gave_them() -> None:
    fair = {("student-0000", "softmax"): (4.0, 4.0), ("student-0002", "softmax"): (0.0, 4.0)}
    assert "Right work got full points and blank work zero" in _agreement(fair, fair)
    unfair = {**fair, ("student-0000", "softmax"): (0.0, 4.0)}
    assert "stock gives student-0000 (right) 0 of 4 for softmax" in _agreement(unfair, fair)
    assert "`course grade` gives student-0000 (right) 0 of 4 for softmax" in _agreement(fair, unfair)
    assert "they differ in softmax (1)" in _agreement(unfair, fair)


def test_a_rate_is_the_median_of_the_turns() -> None:
    from benchmarks.spent import Spent

    way = Way("", graded=[10, 10, 10], turns=[Spent(1, 2), Spent(2, 4), Spent(100, 200)])
    assert (way.rate, way.processor) == (5, 0.4)


def _burn(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
