"""The one who writes: puts each graded submission into the gradebook and ``autograded/``, whole or not at all.

In this order: the folder is finished beside its place and is on the disk; the gradebook's one transaction is committed;
the folder is put in place. From the commit on the submission counts, and a start after a power cut does the last step.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.api import InvalidEntry, MissingEntry
from sqlalchemy.exc import DBAPIError

from course_lib.grader.annotations import Record, record_of, with_record
from course_lib.grader.book.gradebook import Entry, entry_of, max_score, register_assignment, student_name, take_back
from course_lib.grader.book.lock import Lock
from course_lib.grader.book.patience import Patience, explained, is_the_disk
from course_lib.grader.book.save import HeldGradebook, SaveWhole, lent, start_from_none
from course_lib.grader.book.shelf import Shelf
from course_lib.grader.course import Course, CourseError
from course_lib.grader.grading.files import put_together
from course_lib.grader.grading.fingerprint import Fingerprints
from course_lib.grader.grading.passes import Passes, Setting
from course_lib.grader.grading.reading import agrees, read_own, result_of, with_entry
from course_lib.grader.grading.worker import Graded, Job, failed
from course_lib.grader.intake.submission import can_be_an_id, look_at, readable
from course_lib.grader.nbgrader_steps import calm, course_directory
from course_lib.grader.results import Outcome, Result

PATIENCE = 120.0
"""Seconds to wait for a gradebook that another program holds."""


class Writer:
    """Holds an assignment's gradebook for writing, from its making to :meth:`close`; a context manager.

    Args:
        root: the course's folder.
        assignment: the assignment's name.
        settings: what is to be otherwise than in ``nbgrader_config.py``.
        say: is told when there is something to wait for.
        patience: seconds to wait for a gradebook that another program holds.

    Raises:
        CourseError: when there is no such assignment, its source is broken, another writer is at work, or the gradebook
            or ``autograded/`` cannot be written.
    """

    def __init__(
        self,
        root: Path,
        assignment: str,
        *,
        settings: Sequence[Setting] = (),
        say: Callable[[str], None] = lambda _: None,
        patience: float = PATIENCE,
    ) -> None:
        self.course = Course.at(root)
        self.assignment = self.course.known(assignment)
        self.settings = tuple(settings)
        self._patiently = Patience(patience, say)
        self._passes = Passes(self.course.root, settings)
        self._savers = self._passes.savers()
        for saver in self._savers:
            if isinstance(saver, SaveWhole):
                saver.within_transaction = True
        try:
            self._shelf = Shelf(self.course)
            self._lock = Lock(self._shelf.lock)
        except OSError as error:
            raise explained(error) from error
        try:
            self._open()
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the gradebook and of the lock; what is not committed is forgotten."""
        self._book.end()
        self._lock.release()

    def job(self, student: str) -> Job:
        """The job of grading a student's submission."""
        return Job(self.course.root, self.assignment, student, self.settings, self._shelf.scratch)

    def kept(self, student: str) -> Result | None:
        """The result of a submission that is recorded completely and has not changed since; None for any other."""
        try:
            text = self.course.graded(self.assignment, student).read_text(encoding="utf-8")
            record = record_of(json.loads(text))
        except (OSError, ValueError):
            return None
        if record is None or look_at(self.course, self.assignment, student):
            return None
        if record.fingerprint != self._fingerprints.of(student):
            return None
        entry = self._patiently(lambda: entry_of(self._book, self.assignment, student), self._book.forget)
        self._book.forget()
        if entry is None or not agrees(record, entry):
            return None
        result = with_entry(result_of(read_own(text), self.assignment, student), entry)
        return replace(self._with_page(result), kept=True)

    def write(self, graded: Graded) -> Result:
        """Record what came of a submission.

        Returns:
            The result with what the gradebook adds. Where recording fails for a reason that lies in the submission (an
            instructor's penalty plug-in raises, say), it is a grader error and nothing else is left of it.

        Raises:
            CourseError: when nothing at all can be recorded any more: the disk is full, the gradebook stays locked.
                What was recorded stays.
        """
        try:
            with calm():
                return self._with_page(self._write(graded))
        except (OSError, DBAPIError, InvalidEntry) as error:  # the last is nbgrader's word for some of the second
            self._undo(graded.result.student)
            raise explained(error) from error

    # ------------------------------------------------------------------------------------------------------ the start

    def _open(self) -> None:
        directory = course_directory(self.course.root, self._passes.config, busy_seconds=1)
        try:
            with calm():
                self._book = self._patiently(lambda: HeldGradebook(directory.db_url, directory.course_id))
        except DBAPIError as error:
            raise explained(error) from error
        try:
            with calm():
                # To meet a gradebook that cannot be written now, and not after submissions have been graded.
                self._patiently(self._book.take, self._book.forget)
                self._book.forget()
                register_assignment(self.course, self.assignment)
                self._fingerprints = Fingerprints(self.course, self.assignment, self._passes)
                self._finish_what_was_cut_off()
        except (OSError, DBAPIError) as error:
            self._book.end()
            raise explained(error) from error
        except BaseException:
            self._book.end()
            raise

    def _finish_what_was_cut_off(self) -> None:
        self._shelf.tidy()
        for assignment, student in list(self._shelf.waiting()):
            try:
                notebook = self._shelf.folder(assignment, student) / f"{assignment}.ipynb"
                record = record_of(json.loads(notebook.read_bytes()))
            except (OSError, ValueError):
                record = None
            if record and agrees(record, entry_of(self._book, assignment, student)):
                self._shelf.put(assignment, student)
            else:
                self._shelf.drop(assignment, student)

    # -------------------------------------------------------------------------------------------------- one submission

    def _write(self, graded: Graded) -> Result:
        if not graded.notebook:
            return self._leave(graded)
        student = graded.result.student
        try:
            return self._record(graded)
        except (CourseError, DBAPIError):
            self._undo(student)
            raise
        except Exception as error:  # whatever it is, it is this submission's, and it has a name in the result
            self._undo(student)
            if is_the_disk(error) or (isinstance(error, OSError) and not self._shelf.writable()):
                raise
            return self._leave(Graded(failed(self.job(student), error), timestamp=graded.timestamp))

    def _record(self, graded: Graded) -> Result:
        student = graded.result.student
        nb = read_own(graded.notebook)
        self._fill(graded)

        def enter() -> Entry:
            self._book.take()
            entry = self._enter(graded, nb)
            record = Record(graded.fingerprint, entry.auto_scores, entry.late_seconds, entry.penalty)
            self._finish(graded, record)
            self._book.keep()
            return entry

        entry = self._patiently(enter, self._book.forget)
        self._shelf.put(self.assignment, student)
        handed_in = self.course.submission(self.assignment, student) / f"{self.assignment}.ipynb"
        self._passes.hook("post", student, self.assignment, handed_in)
        return with_entry(graded.result, entry)

    def _fill(self, graded: Graded) -> None:
        """Begin the folder with the files beside the notebook, as nbgrader copies them."""
        student = graded.result.student
        folder = self._shelf.begin(self.assignment, student)
        put_together(
            folder,
            self.course.submission(self.assignment, student),
            self.course.source(self.assignment).parent,
            self._passes.directory.ignore,
            self._passes.converter.exclude_overwriting.get(self.assignment, ()),
        )
        for name, content in graded.extra.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)

    def _enter(self, graded: Graded, nb: NotebookNode) -> Entry:
        """Put the scores into the open transaction, with nbgrader's own preprocessors."""
        student, book = graded.result.student, self._book
        self._enter_submission(graded)
        start_from_none(book, self.assignment, self.assignment, student)
        resources = self._passes.resources(student, self.assignment, self._shelf.folder(self.assignment, student))
        for saver in self._savers:
            with lent(book, saver):
                saver(nb, resources)
        book.db.commit()
        entry = entry_of(book, self.assignment, student)
        assert entry is not None
        return entry

    def _enter_submission(self, graded: Graded) -> None:
        student = graded.result.student
        if not self._passes.converter.create_student:
            self._book.find_student(student)
        self._book.update_or_create_student(student)
        when = {"timestamp": graded.timestamp} if graded.timestamp else {}
        self._book.update_or_create_submission(self.assignment, student, **when)

    def _finish(self, graded: Graded, record: Record) -> None:
        student = graded.result.student
        path = self._shelf.folder(self.assignment, student) / f"{self.assignment}.ipynb"
        path.unlink(missing_ok=True)  # of an attempt that met a locked gradebook; it is read-only
        path.write_text(with_record(graded.notebook, graded.mark, record), encoding="utf-8")
        mode = int(str(self._passes.converter.permissions), 8)
        self._shelf.finish(self.assignment, student, mode=mode, shared=self._passes.directory.groupshared)

    def _leave(self, graded: Graded) -> Result:
        """Record that there is no score: neither a zero nor one of an earlier grading."""
        result, book = graded.result, self._book

        if not can_be_an_id(result.student):  # it cannot be in the gradebook
            shown = readable(result.student)
            return replace(result, student=shown, name=shown)

        def enter() -> Result:
            book.take()
            if result.outcome is not Outcome.MISSING:
                with suppress(MissingEntry):
                    self._enter_submission(graded)
            take_back(book, self.assignment, result.student)
            shown = replace(result, max_score=max_score(book, self.assignment))
            entry = entry_of(book, self.assignment, result.student)
            left = with_entry(shown, entry) if entry else replace(shown, name=student_name(book, result.student))
            book.keep()
            return left

        left = self._patiently(enter, book.forget)
        self._shelf.drop(self.assignment, result.student)
        self._shelf.remove(self.assignment, result.student)
        shutil.rmtree(self.course.feedback(self.assignment, result.student).parent, ignore_errors=True)
        return left

    def _undo(self, student: str) -> None:
        with suppress(DBAPIError):
            self._book.forget()
        with suppress(OSError):
            self._shelf.drop(self.assignment, student)

    def _with_page(self, result: Result) -> Result:
        page = self.course.feedback(self.assignment, result.student)
        return replace(result, feedback=str(page.relative_to(self.course.root))) if page.is_file() else result
