"""Saves a submission's scores into nbgrader's gradebook whole or not at all, and starting from none.

nbgrader's own preprocessors do the saving; they commit cell by cell, and leave alone what they do not meet. Here their
commits are held back until everything is in, and what an earlier grading wrote is taken back in the same transaction.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbgrader
from nbformat import NotebookNode
from nbgrader.api import Base, BaseCell, Comment, Grade, Gradebook, MissingEntry
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from sqlalchemy import create_engine, inspect, text, update
from sqlalchemy.orm import Session


def _make_tables(db_url: str) -> None:
    """Make the tables of a new gradebook, as nbgrader does: it would start a program to learn its own version."""
    engine = create_engine(db_url)
    try:
        if inspect(engine).get_table_names():
            return
        # Here, and not above: a fifth of a second that only a new gradebook costs.
        from alembic.config import Config
        from alembic.runtime.migration import MigrationContext
        from alembic.script import ScriptDirectory

        Base.metadata.create_all(engine)
        config = Config()
        config.set_main_option("script_location", str(Path(nbgrader.__file__).with_name("alembic")))
        with engine.begin() as connection:
            MigrationContext.configure(connection).stamp(ScriptDirectory.from_config(config), "head")
    finally:
        engine.dispose()


class HeldGradebook(Gradebook):  # type: ignore[misc]
    """nbgrader's gradebook, whose commits wait for :meth:`keep`.

    Whoever commits or closes meanwhile only sends what there is to the database's open transaction.
    """

    db: Any

    def __init__(self, db_url: str, course_id: str) -> None:
        _make_tables(db_url)
        super().__init__(db_url, course_id)
        self.db.remove()
        self.db = _HeldSession(bind=self.engine)
        self._rows: dict[tuple[Any, ...], Any] = {}

    def take(self) -> None:
        """Begin anew, and keep other writers out from now on, so that none of them gets in between.

        Raises:
            OperationalError: when another program is writing.
        """
        self.forget()
        if self.engine.dialect.name == "sqlite":  # a server's database waits by itself
            self.db.execute(text("BEGIN IMMEDIATE"))

    def keep(self) -> None:
        """Commit: from here on it is in the gradebook."""
        self.db.commit_for_good()
        self._forget_rows()

    def forget(self) -> None:
        """Roll back to the last :meth:`keep`."""
        self.db.rollback()
        self._forget_rows()

    def close(self) -> None:
        """Called by whoever was lent this gradebook and takes it for an own one: it stays open."""
        self.db.commit()

    def end(self) -> None:
        """Roll back what was not kept, and let go of the database."""
        self.db.close()
        self.engine.dispose()

    def find_submission(self, assignment: str, student: str) -> Any:
        """As nbgrader's, with one query for a transaction."""
        key = ("submission", assignment, student)
        if key not in self._rows:
            self._rows[key] = super().find_submission(assignment, student)
        return self._rows[key]

    def find_submission_notebook(self, notebook: str, assignment: str, student: str) -> Any:
        """As nbgrader's, with one query for a transaction."""
        key = ("notebook", notebook, assignment, student)
        if key not in self._rows:
            self._rows[key] = super().find_submission_notebook(notebook, assignment, student)
        return self._rows[key]

    def find_grade(self, grade_cell: str, notebook: str, assignment: str, student: str) -> Any:
        """As nbgrader's, with one query for a notebook in place of one for each cell."""
        found = self._row(Grade, grade_cell, notebook, assignment, student)
        return found or super().find_grade(grade_cell, notebook, assignment, student)

    def find_comment(self, solution_cell: str, notebook: str, assignment: str, student: str) -> Any:
        """As nbgrader's, with one query for a notebook in place of one for each cell."""
        found = self._row(Comment, solution_cell, notebook, assignment, student)
        return found or super().find_comment(solution_cell, notebook, assignment, student)

    def _row(self, kind: Any, cell: str, notebook: str, assignment: str, student: str) -> Any:
        key = (kind, notebook, assignment, student)
        if key not in self._rows:
            submitted = self.find_submission_notebook(notebook, assignment, student)
            rows = self.db.query(BaseCell.name, kind).join(kind, kind.cell_id == BaseCell.id)
            self._rows[key] = dict(map(tuple, rows.filter(kind.notebook_id == submitted.id)))
        return self._rows[key].get(cell)

    def _forget_rows(self) -> None:
        self._rows.clear()
        self.db.expunge_all()  # thousands of submissions go through one session


class _HeldSession(Session):
    def commit(self) -> None:
        """Called by nbgrader after every little step: what scores add up to must be read anew, and nothing else.

        Reading anything sends what was changed to the database first, so nothing is sent here, where nbgrader would
        make every error of the database an error of the entry.
        """
        unsent = {id(row) for row in self.dirty}  # it would be lost
        for row in self.identity_map.values():
            if not isinstance(row, Grade | Comment) and id(row) not in unsent:
                self.expire(row)

    def commit_for_good(self) -> None:
        super().commit()

    def remove(self) -> None:
        """Called by nbgrader where it has a registry of sessions."""
        self.close()


def start_from_none(book: Gradebook, notebook: str, assignment: str, student: str) -> None:
    """Take back what an earlier grading of a notebook wrote: scores, comments, penalty. What a human gave stays.

    Args:
        book: the gradebook; nothing is committed.
        notebook: the notebook's name.
        assignment: the assignment's name.
        student: the student's id; without a submission in the gradebook nothing is done.
    """
    try:
        submitted = book.find_submission_notebook(notebook, assignment, student)
    except MissingEntry:
        return
    book.db.execute(
        update(Grade).where(Grade.notebook_id == submitted.id).values(auto_score=None, needs_manual_grade=True)
    )
    book.db.execute(update(Comment).where(Comment.notebook_id == submitted.id).values(auto_comment=None))
    submitted.late_submission_penalty = None
    book.db.flush()


@contextmanager
def lent(book: HeldGradebook, saver: NbGraderPreprocessor) -> Iterator[None]:
    """Let one of nbgrader's preprocessors write into a held gradebook.

    They open the gradebook themselves, by its name in the module of their class; meanwhile that name gives ours.
    """
    real = Gradebook
    modules = {sys.modules[kind.__module__] for kind in type(saver).__mro__}
    borrowers: list[Any] = [module for module in modules if getattr(module, "Gradebook", None) is real]
    for module in borrowers:
        module.Gradebook = lambda *_, **__: book
    try:
        yield
    finally:
        for module in borrowers:
            module.Gradebook = real


class SaveWhole(SaveAutoGrades):  # type: ignore[misc]
    """nbgrader's ``SaveAutoGrades`` in one transaction that begins with taking back what an earlier grading wrote.

    Called by ``nbgrader autograde`` after the notebook ran, in ``SaveAutoGrades``' place.
    Invariant: afterwards the scores are those of this notebook alone; when saving fails there are none.
    """

    within_transaction = False
    """Set by a writer who has begun the transaction, and keeps it."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Called once for each notebook; see the class."""
        if self.within_transaction:
            return super().preprocess(nb, resources)  # type: ignore[no-any-return]
        info = resources["nbgrader"]
        where = info["notebook"], info["assignment"], info["student"]
        book = HeldGradebook(info["db_url"], "default_course")  # the name that nbgrader's own preprocessors use here
        try:
            start_from_none(book, *where)
            with lent(book, self):
                saved: tuple[NotebookNode, dict[str, Any]] = super().preprocess(nb, resources)
            book.keep()
        except Exception:
            book.forget()
            start_from_none(book, *where)
            book.keep()
            raise
        finally:
            book.end()
        return saved
