"""The reader's progress is never lost: not to a crash, a broken file, or another check at the same time."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from course_lib.grader.book.lock import Lock
from course_lib.grader.commands import logbook
from course_lib.grader.commands.logbook import Logbook
from course_lib.grader.course import Course, CourseError


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def book(tmp_path: Path, said: list[str]) -> Logbook:
    return Logbook(Course(tmp_path), said.append)


def test_nothing_is_known_and_nothing_made_before_the_first_check(book: Logbook, tmp_path: Path) -> None:
    assert book.read() == {}
    assert list(tmp_path.iterdir()) == []


def test_the_best_score_stays_and_every_check_counts(book: Logbook) -> None:
    for score in (2.0, 7.5, 3.0):
        known = book.add("01_numbers", score, 10.0)
    assert book.read() == known
    reached = known["01_numbers"]
    assert (reached.best, reached.of, reached.attempts) == (7.5, 10.0, 3)
    assert reached.best_at <= reached.last_at


def test_the_best_is_the_largest_share_because_an_assignment_may_grow(book: Logbook) -> None:
    book.add("01_numbers", 10.0, 10.0)
    assert book.add("01_numbers", 12.0, 20.0)["01_numbers"].best == 10.0


def test_assignments_are_kept_apart(book: Logbook) -> None:
    book.add("01_numbers", 1.0, 10.0)
    book.add("02_letters", 2.0, 10.0)
    assert {name: reached.best for name, reached in book.read().items()} == {"01_numbers": 1.0, "02_letters": 2.0}


def test_git_leaves_the_folder_out(book: Logbook) -> None:
    book.add("01_numbers", 1.0, 10.0)
    assert (book.path.parent / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[]",
        b"[" * 100_000,
        b'{"version": 2, "assignments": {}}',
        b'{"version": 1, "assignments": {"a": {"best": 1}}}',
        b'{"version": 1, "assignments": {"a": {"best": "1", "of": 2, "best_at": "", "last_at": "", "attempts": 1}}}',
        b'{"version": 1, "assignments": {"a": {"best": NaN, "of": 2, "best_at": "2026-01-01T00:00:00+00:00", '
        b'"last_at": "2026-01-01T00:00:00+00:00", "attempts": 1}}}',
    ],
)
@pytest.mark.parametrize("act", ["read", "add"])
def test_a_broken_file_is_set_aside_with_a_message(book: Logbook, said: list[str], broken: bytes, act: str) -> None:
    book.path.parent.mkdir()
    book.path.write_bytes(broken)
    known = book.read() if act == "read" else book.add("01_numbers", 1.0, 10.0)
    assert list(known) == ([] if act == "read" else ["01_numbers"])
    assert book.path.with_name("progress-broken-1.json").read_bytes() == broken
    (message,) = said
    assert message.startswith(".course/progress.json could not be read (")
    assert "kept as .course/progress-broken-1.json" in message


def test_a_second_broken_file_does_not_replace_the_first(book: Logbook) -> None:
    book.path.parent.mkdir()
    for content in ("first", "second"):
        book.path.write_text(content)
        book.read()
    kept = [book.path.with_name(f"progress-broken-{number}.json").read_text() for number in (1, 2)]
    assert kept == ["first", "second"]


def test_checks_at_the_same_time_lose_none(tmp_path: Path) -> None:
    """Each has files of its own open, as processes have, and a lock belongs to an open file."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: Logbook(Course(tmp_path), print).add(f"a{n % 3}", 1.0, 2.0), range(40)))
    known = Logbook(Course(tmp_path), print).read()
    assert sum(reached.attempts for reached in known.values()) == 40


def test_a_crash_while_writing_leaves_what_was_there(book: Logbook, monkeypatch: pytest.MonkeyPatch) -> None:
    book.add("01_numbers", 3.0, 10.0)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        book.add("01_numbers", 9.0, 10.0)
    assert book.read()["01_numbers"].best == 3.0
    assert json.loads(book.path.read_text())["version"] == 1


def test_a_lock_that_is_never_let_go_is_named(book: Logbook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logbook, "_PATIENCE", 0.05)
    book.path.parent.mkdir()
    held = Lock(book.path.with_name("lock"))
    try:
        with pytest.raises(CourseError, match=r"Another `course check` holds \.course/lock"):
            book.add("01_numbers", 1.0, 10.0)
    finally:
        held.release()
