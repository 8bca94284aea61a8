"""A submission is recorded whole or not at all, whatever moment the machine dies at, and never twice."""

import datetime
import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from course_lib.grader.book import shelf, writer
from course_lib.grader.book.gradebook import gradebook, register_assignment
from course_lib.grader.book.save import HeldGradebook
from course_lib.grader.book.shelf import Shelf
from course_lib.grader.book.writer import Writer
from course_lib.grader.course import Course, CourseError
from course_lib.grader.grading import files
from course_lib.grader.grading.grade import grade_submission, known_result, read_result
from course_lib.grader.grading.worker import grade, grade_notebook
from course_lib.grader.nbgrader_steps import autograde, course_directory
from course_lib.grader.results import Outcome, Result

from .conftest import ASSIGNMENT, RIGHT, hand_in, solved
from .quick import executed, hand_in_words, make_quick
from .test_save import add_to_config, everything


@pytest.fixture
def quick(graded_course: Path) -> Path:
    return make_quick(graded_course)


def regrade(root: Path, student: str, *, force: bool = False) -> Result:
    """What `course grade --student` does."""
    with Writer(root, ASSIGNMENT) as book:
        return (None if force else book.kept(student)) or book.write(grade(book.job(student)))


def auto_scores(root: Path, student: str) -> dict[str, float | None]:
    return {grade[0]: grade[1] for grade in everything(root, student)["grades"]}


def temporary(root: Path) -> list[str]:
    """What lies about in `autograded/` besides the submissions."""
    ours = root / "autograded" / ".course-grade"
    return sorted(str(path.relative_to(ours)) for path in ours.rglob("*") if not path.is_dir() and path.name != "lock")


# --------------------------------------------------------------------------------------------- dying at every moment

Moment = tuple[object, str, bool]
MOMENTS: dict[str, Moment] = {  # whose function, its name, and whether it is over when everything ends
    "before anything": (Writer, "write", False),
    "with an empty folder": (Shelf, "begin", True),
    "before the scores": (writer, "start_from_none", False),
    "after the scores": (writer, "entry_of", False),
    "with half a folder": (shelf, "_to_disk", False),
    "before the commit": (Shelf, "finish", True),
    "after the commit": (HeldGradebook, "keep", True),
    "before the folder is in place": (Shelf, "put", False),
    "with the old folder away": (Shelf, "_move_away", True),
    "after the folder is in place": (Shelf, "put", True),
}
COMMITTED = list(MOMENTS)[list(MOMENTS).index("after the commit") :]


def die_while_writing(root: Path, student: str, moment: Moment) -> None:
    """In a process of its own, as by `kill -9`."""
    pid = os.fork()
    if pid:
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
        return
    kind, name, after = moment
    real = getattr(kind, name)

    def dying(*arguments: object, **named: object) -> None:
        if after:
            real(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    try:
        with Writer(root, ASSIGNMENT) as book:
            graded = grade(book.job(student))
            setattr(kind, name, dying)
            book.write(graded)
    finally:
        os._exit(1)


@pytest.mark.parametrize("before", ["absent", "graded"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_whatever_moment_it_dies_at_a_submission_is_whole_or_as_before(quick: Path, moment: str, before: str) -> None:
    if before == "graded":
        hand_in_words(quick, "ada", "score 0.25")
        regrade(quick, "ada")
    hand_in_words(quick, "ada", "score 1")
    die_while_writing(quick, "ada", MOMENTS[moment])

    found = known_result(quick, ASSIGNMENT, "ada")  # nobody has mended anything yet
    old = 0.5 if before == "graded" else None
    assert (found.score if found else None) in ({2.0, None} if moment in COMMITTED else {old})

    executed(quick)
    with Writer(quick, ASSIGNMENT) as book:
        mended = book.kept("ada")
        found = known_result(quick, ASSIGNMENT, "ada")
        assert (found.score if found else None) == (2.0 if moment in COMMITTED else old)
        assert temporary(quick) == []
        assert (mended is not None) == (moment in COMMITTED)
        result = mended or book.write(grade(book.job("ada")))
    assert executed(quick) == ([] if moment in COMMITTED else ["ada"])
    assert result.score == 2.0
    assert read_result(quick, ASSIGNMENT, "ada") == result
    assert auto_scores(quick, "ada") == {"test_double": 1.0, "test_mean": 1.0, "explain": None}


# ------------------------------------------------------------------------------------------ what keeps, what does not


def test_what_has_not_changed_is_kept_with_its_result(quick: Path) -> None:
    hand_in_words(quick, "ada", "score 1", timestamp="2026-03-01 12:00:00 UTC")
    first = regrade(quick, "ada")
    again = regrade(quick, "ada")
    assert (first.kept, again.kept) == (False, True)
    assert again == first
    assert executed(quick) == ["ada"]
    assert not regrade(quick, "ada", force=True).kept
    assert executed(quick) == ["ada"]


def edit(path: str, text: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        with open(root / path, "a", encoding="utf-8") as file:
            file.write(text)

    return change


def in_gradebook(root: Path, statement: str) -> None:
    with sqlite3.connect(root / "gradebook.db") as book:
        book.execute(statement)
    book.close()


CHANGES = {
    "the notebook": lambda root: hand_in_words(root, "ada", "score 0.5"),
    "a file beside it": lambda root: (root / "submitted/ada" / ASSIGNMENT / "data.csv").write_text("1"),
    "the time of handing in": lambda root: hand_in_words(root, "ada", "score 1", timestamp="2026-03-01 12:00:00 UTC"),
    "the source": lambda root: _replace(root / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", "-7.0", "-7.5"),
    "a file of the source": lambda root: (root / "source" / ASSIGNMENT / "data.csv").write_text("1"),
    "the misconceptions": edit(f"misconceptions/{ASSIGNMENT}.py", "# mended\n"),
    "what grades": edit("nbgrader_config.py", "c.Autograde.autograde_preprocessors.remove(Pretend)\n"),
    "how it grades": edit("nbgrader_config.py", "c.LimitOutput.max_lines = 5\n"),
    "the penalty": edit("nbgrader_config.py", "c.LateSubmissionPlugin.penalty_method = 'zero'\n"),
    "the due date": lambda root: register_assignment(Course.at(root), ASSIGNMENT, due=datetime.datetime(2020, 1, 1)),
    "a score, behind our back": lambda root: in_gradebook(root, "update grade set auto_score = 0 where auto_score = 1"),
    "the graded folder": lambda root: shutil.rmtree(root / "autograded" / "ada"),
}


def _replace(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("what", CHANGES)
def test_what_has_changed_is_graded_again(quick: Path, what: str) -> None:
    hand_in_words(quick, "ada", "score 1", timestamp="2025-03-01 12:00:00 UTC")
    regrade(quick, "ada")
    CHANGES[what](quick)
    with Writer(quick, ASSIGNMENT) as book:
        assert book.kept("ada") is None


def test_what_does_not_matter_to_grading_changes_nothing(quick: Path) -> None:
    hand_in_words(quick, "ada", "score 1")
    regrade(quick, "ada")
    edit("nbgrader_config.py", "c.Exchange.root = '/nowhere'\nc.GenerateFeedback.force = True\n")(quick)
    (quick / "submitted/ada" / ASSIGNMENT / ".ipynb_checkpoints").mkdir()
    in_gradebook(quick, "update grade set manual_score = 4 where auto_score is null")
    with Writer(quick, ASSIGNMENT) as book:
        kept = book.kept("ada")
    assert kept is not None
    assert kept.score == 6.0  # a human has marked the written answer


@pytest.mark.parametrize("words", ["fail", None])
def test_what_got_no_score_is_looked_at_again_each_time(quick: Path, words: str | None) -> None:
    if words:
        hand_in_words(quick, "ada", words)
    else:
        hand_in(quick, "ada", "{")
    for _ in range(2):
        assert regrade(quick, "ada").outcome.needs_human
    hand_in_words(quick, "ada", "score 1")
    assert regrade(quick, "ada").score == 2.0


def test_a_missing_notebook_leaves_no_score_and_no_zero(quick: Path) -> None:
    path = hand_in_words(quick, "ada", "score 1")
    regrade(quick, "ada")
    path.unlink()
    result = regrade(quick, "ada")
    assert (result.outcome, result.score) == (Outcome.MISSING, None)
    assert set(auto_scores(quick, "ada").values()) == {None}
    assert not (quick / "autograded" / "ada" / ASSIGNMENT).exists()


# ------------------------------------------------------------------------------------------------------ as nbgrader's


def test_the_folder_is_as_nbgrader_makes_it(quick: Path) -> None:
    (quick / "source" / ASSIGNMENT / "data").mkdir()
    (quick / "source" / ASSIGNMENT / "data" / "given.csv").write_text("the course's")
    for student in ("ours", "stock"):
        folder = hand_in_words(quick, student, "score 1", timestamp="2026-03-01 12:00:00 UTC").parent
        for name in ("data/given.csv", "data/own.csv", "__pycache__/x.pyc", "other.ipynb", "deep/er/notes.txt"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("the student's")
    regrade(quick, "ours")
    autograde(course_directory(quick, assignment_id=ASSIGNMENT, student_id="stock"))
    ours, stock = (quick / "autograded" / student / ASSIGNMENT for student in ("ours", "stock"))

    def look(folder: Path) -> dict[str, tuple[int, str]]:
        found = [path for path in sorted(folder.rglob("*")) if path.suffix != ".ipynb"]
        return {str(p.relative_to(folder)): (p.stat().st_mode, p.read_text() if p.is_file() else "") for p in found}

    assert look(ours) == look(stock)
    assert "the course's" in look(ours)["data/given.csv"][1]
    assert (ours / f"{ASSIGNMENT}.ipynb").stat().st_mode == (stock / f"{ASSIGNMENT}.ipynb").stat().st_mode
    assert ours.stat().st_mode == stock.stat().st_mode


def test_a_student_called_with_a_pattern_is_nobody_else(quick: Path) -> None:
    for student, words in (("ada", "score 0.5"), ("a*", "score 1"), ("[a]", "score 0.25")):
        folder = hand_in_words(quick, student, words).parent
        (folder / ".ipynb_checkpoints").mkdir()
        (folder / ".ipynb_checkpoints" / "old.txt").touch()
    assert [regrade(quick, student).score for student in ("a*", "[a]")] == [2.0, 0.5]
    assert not (quick / "autograded" / "ada").exists()
    for student in ("a*", "[a]"):
        assert [p.name for p in (quick / "autograded" / student / ASSIGNMENT).iterdir()] == [f"{ASSIGNMENT}.ipynb"]


def test_unknown_students_are_refused_where_the_course_says_so(quick: Path) -> None:
    add_to_config(quick, "c.Autograde.create_student = False\n")
    hand_in_words(quick, "eve", "score 1")
    result = regrade(quick, "eve")
    assert result.outcome is Outcome.GRADER_ERROR
    assert "No such student: eve" in result.notes[0]
    with gradebook(Course.at(quick)) as book:
        assert book.students == []


BROKEN_PLUGIN = """
from nbgrader.plugins import BasePlugin


class Broken(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        if student_id == "ada":
            raise ZeroDivisionError("by mistake")


c.AssignLatePenalties.plugin_class = Broken
"""


def test_a_plugin_that_fails_leaves_its_submission_for_a_human_and_the_others_alone(quick: Path) -> None:
    register_assignment(Course.at(quick), ASSIGNMENT, due=datetime.datetime(2026, 1, 1))
    for student in ("ada", "bob"):
        hand_in_words(quick, student, "score 1", timestamp="2026-03-01 12:00:00 UTC")
        regrade(quick, student)
    add_to_config(quick, BROKEN_PLUGIN)
    ada, bob = regrade(quick, "ada"), regrade(quick, "bob")
    assert (ada.outcome, ada.score, bob.score) == (Outcome.GRADER_ERROR, None, 2.0)
    assert "ZeroDivisionError: by mistake" in ada.notes[0]
    assert set(auto_scores(quick, "ada").values()) == {None}


def test_an_instructors_own_preprocessor_works_and_may_leave_files(quick: Path) -> None:
    add_to_config(
        quick,
        """
class Extra(NbGraderPreprocessor):
    def preprocess(self, nb, resources):
        resources["outputs"] = {"figures/one.txt": os.environ["NBGRADER_EXECUTION"].encode()}
        nb.metadata["looked_at"] = sorted(os.listdir(resources["metadata"]["path"]))
        return nb, resources


c.Autograde.autograde_preprocessors.insert(1, Extra)
""",
    )
    folder = hand_in_words(quick, "ada", "score 1").parent
    (folder / "data.csv").write_text("1")
    regrade(quick, "ada")
    graded = quick / "autograded" / "ada" / ASSIGNMENT
    assert (graded / "figures" / "one.txt").read_text() == "autograde"
    assert '"data.csv"' in (graded / f"{ASSIGNMENT}.ipynb").read_text()


def test_hooks_are_called_before_and_after_and_may_fail(quick: Path) -> None:
    add_to_config(
        quick,
        """
def before(assignment, student, notebooks):
    with open("hooks.txt", "a") as file:
        file.write(f"before {assignment} {student} {len(notebooks)} {os.path.exists(notebooks[0])}\\n")


def after(assignment, student, notebooks):
    there = os.path.exists(f"autograded/{student}/{assignment}/{assignment}.ipynb")
    with open("hooks.txt", "a") as file:
        file.write(f"after {assignment} {student} {there}\\n")
    raise RuntimeError("nobody minds")


c.Autograde.pre_convert_hook = before
c.Autograde.post_convert_hook = after
""",
    )
    hand_in_words(quick, "ada", "score 2")
    assert regrade(quick, "ada").score == 4.0
    said = (quick / "hooks.txt").read_text().splitlines()
    assert said == [f"before {ASSIGNMENT} ada 1 True", f"after {ASSIGNMENT} ada True"]


# -------------------------------------------------------------------------------------------------------- what can fail


@pytest.fixture
def locked(quick: Path) -> Iterator[sqlite3.Connection]:
    other = sqlite3.connect(quick / "gradebook.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    yield other
    other.close()


def test_a_gradebook_that_stays_locked_is_a_clear_sentence_at_the_start(
    quick: Path, locked: sqlite3.Connection
) -> None:
    said: list[str] = []
    with pytest.raises(CourseError, match=r"locked by another program for 0.5 s.*Close what uses it"):
        Writer(quick, ASSIGNMENT, patience=0.5, say=said.append)
    assert said == ["The gradebook is locked by another program; waiting up to 0.5 s for it."]


def test_a_gradebook_that_is_locked_for_a_moment_is_waited_for(quick: Path) -> None:
    hand_in_words(quick, "ada", "score 1")
    said: list[str] = []
    with Writer(quick, ASSIGNMENT, say=said.append) as book:
        graded = grade(book.job("ada"))
        other = sqlite3.connect(quick / "gradebook.db", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        later = threading.Timer(2.0, other.rollback)
        later.start()
        assert book.write(graded).score == 2.0
        later.join()
        other.close()
    assert said == ["The gradebook is locked by another program; waiting up to 120 s for it."]


def test_a_reader_who_holds_up_the_commit_is_waited_for(quick: Path) -> None:
    hand_in_words(quick, "ada", "score 1")
    with Writer(quick, ASSIGNMENT) as book:
        graded = grade(book.job("ada"))
        reader = sqlite3.connect(quick / "gradebook.db", isolation_level=None, check_same_thread=False)
        reader.execute("BEGIN")
        reader.execute("select * from student").fetchall()
        later = threading.Timer(2.0, reader.rollback)
        later.start()
        assert book.write(graded).score == 2.0
        later.join()
        reader.close()


def test_a_gradebook_locked_half_way_loses_nothing(quick: Path) -> None:
    for student in ("ada", "bob"):
        hand_in_words(quick, student, "score 1")
    with Writer(quick, ASSIGNMENT, patience=0.3) as book:
        book.write(grade(book.job("ada")))
        with sqlite3.connect(quick / "gradebook.db", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(CourseError, match="run the same command again"):
                book.write(grade(book.job("bob")))
        other.close()
    assert temporary(quick) == []
    assert (regrade(quick, "ada").kept, regrade(quick, "bob").score) == (True, 2.0)


def test_a_gradebook_that_cannot_be_written_is_a_clear_sentence(quick: Path) -> None:
    hand_in_words(quick, "ada", "score 1")
    with Writer(quick, ASSIGNMENT) as book:
        graded = grade(book.job("ada"))
        (quick / "gradebook.db").rename(quick / "elsewhere.db")  # SQLite takes it for read-only then
        with pytest.raises(CourseError, match=r"The gradebook cannot be used \(.*readonly.*run the same command again"):
            book.write(graded)
    (quick / "elsewhere.db").rename(quick / "gradebook.db")
    assert regrade(quick, "ada").score == 2.0


@pytest.mark.parametrize("moment", ["begin", "finish"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_full_or_read_only_disk_is_a_clear_sentence_and_loses_nothing(
    quick: Path, monkeypatch: pytest.MonkeyPatch, moment: str, number: int
) -> None:
    hand_in_words(quick, "ada", "score 0.5")
    regrade(quick, "ada")
    hand_in_words(quick, "ada", "score 1")

    def full(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), str(quick / "autograded"))

    with Writer(quick, ASSIGNMENT) as book, monkeypatch.context() as patch:
        patch.setattr(Shelf, moment, full)
        with pytest.raises(CourseError, match=rf"cannot be written \({os.strerror(number)}\).*run the same command"):
            book.write(grade(book.job("ada")))
    assert auto_scores(quick, "ada")["test_mean"] == 0.5
    assert (quick / "autograded" / "ada" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").is_file()
    assert temporary(quick) == []
    assert regrade(quick, "ada").score == 2.0


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_disk_that_is_really_full(quick: Path) -> None:
    (quick / "autograded").mkdir(exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(quick / "autograded")], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        for student in ("ada", "bob"):
            folder = hand_in_words(quick, student, "score 1").parent
        (folder / "big.bin").write_bytes(b"x" * 100_000)
        assert regrade(quick, "ada").score == 2.0
        with pytest.raises(CourseError, match="No space left on device"):
            regrade(quick, "bob")
        assert regrade(quick, "ada").kept
    finally:
        subprocess.run(["umount", str(quick / "autograded")], check=True)


def test_a_file_that_vanishes_meanwhile_costs_only_its_submission(quick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_in_words(quick, "ada", "score 1")

    def gone(*_: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file", "data.csv")

    with Writer(quick, ASSIGNMENT) as book, monkeypatch.context() as patch:
        graded = grade(book.job("ada"))
        patch.setattr(writer, "put_together", gone)
        assert book.write(graded).outcome is Outcome.GRADER_ERROR


def test_two_at_once_are_one_too_many(quick: Path) -> None:
    hand_in_words(quick, "ada", "score 1")
    with Writer(quick, ASSIGNMENT) as book:
        with pytest.raises(CourseError, match=rf"Another grading .*process {os.getpid()}.*same command again"):
            Writer(quick, ASSIGNMENT)
        assert book.write(grade(book.job("ada"))).score == 2.0
    assert regrade(quick, "ada").kept


# ------------------------------------------------------------------------------------------------------ the pure part


def test_grading_alone_writes_nothing(quick: Path) -> None:
    hand_in_words(quick, "ada", "score 1")
    with Writer(quick, ASSIGNMENT) as book:
        job = book.job("ada")

    def look() -> dict[str, int]:
        return {str(p): p.stat().st_mtime_ns for p in quick.rglob("*") if p.is_file() and p.name != "executed.txt"}

    before = look()
    graded = grade(job)
    assert graded.result.score == 2.0
    assert look() == before


def test_a_notebook_is_graded_anywhere_without_a_gradebook(quick: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.ipynb"
    shutil.copy(hand_in(quick, "ada", solved(**{**RIGHT, "double": "# score 1"})), path)
    (quick / "gradebook.db").unlink()
    result, text = grade_notebook(quick, ASSIGNMENT, path)
    assert result.score == 2.0
    assert '"text/plain"' in text
    assert not (quick / "gradebook.db").exists()


def test_the_files_beside_a_notebook_are_those_that_are_not_ignored(tmp_path: Path) -> None:
    for name in ("a.csv", "b/c.txt", "b/x.pyc", ".git/config", "n.ipynb", "b/m.ipynb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = files.companions(tmp_path, ["*.pyc", ".git"])
    assert list(map(str, found)) == ["a.csv", "b/c.txt"]
    assert files.companions(tmp_path / "nowhere", []) == []


def test_one_submission_alone_is_graded_and_recorded(quick: Path) -> None:
    hand_in_words(quick, "ada", "score 1")
    assert grade_submission(quick, ASSIGNMENT, "ada") == read_result(quick, ASSIGNMENT, "ada")
