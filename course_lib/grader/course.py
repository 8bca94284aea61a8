"""A course folder: where its files are, what its assignments are called, and what to say when something is missing.

Nothing here imports nbgrader, so that the command line can answer a mistyped name at once.
"""

import os
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path


class CourseError(Exception):
    """Something a user of the course can mend. Its text is shown as it is: what happened, to what, what to do next."""


@dataclass(frozen=True)
class Course:
    """The folder that holds ``source/``, ``release/``, ``submitted/`` and the rest.

    Attributes:
        root: absolute path of the folder.
    """

    root: Path

    @classmethod
    def at(cls, root: Path | str) -> "Course":
        """The course in a folder.

        Raises:
            CourseError: when the folder lacks what makes it a course.
        """
        folder = Path(root).resolve()
        missing = [name for name in ("nbgrader_config.py", "source") if not (folder / name).exists()]
        if missing:
            raise CourseError(
                f"{folder} is not a course folder: it has no {' and no '.join(missing)}. "
                "Go to the folder that has both, or name it with --root."
            )
        return cls(folder)

    @property
    def assignments(self) -> list[str]:
        """Every assignment that has a source notebook, in order."""
        return sorted(path.name for path in (self.root / "source").iterdir() if (path / f"{path.name}.ipynb").is_file())

    def known(self, assignment: str) -> str:
        """The assignment's name, when there is such an assignment.

        Raises:
            CourseError: names the assignments that there are, the likely one first.
        """
        names = self.assignments
        if assignment in names:
            return assignment
        likely = get_close_matches(assignment, names, n=1, cutoff=0.5)
        likely = likely or [name for name in names if assignment and assignment.lower() in name.lower()][:1]
        hint = f" Did you mean {likely[0]}?" if likely else ""
        listed = ", ".join(names) if names else f"none yet: an assignment is source/<name>/<name>.ipynb in {self.root}"
        raise CourseError(f"There is no assignment {assignment!r}.{hint} The assignments are: {listed}.")

    def source(self, assignment: str) -> Path:
        """The hand-written notebook, with solutions and hidden tests."""
        return self.root / "source" / assignment / f"{assignment}.ipynb"

    def released(self, assignment: str) -> Path:
        """The notebook that students get."""
        return self.root / "release" / assignment / f"{assignment}.ipynb"

    def submission(self, assignment: str, student: str) -> Path:
        """The folder of what a student handed in."""
        return self.root / "submitted" / student / assignment

    def graded(self, assignment: str, student: str) -> Path:
        """The notebook as it ran, with its outputs."""
        return self.root / "autograded" / student / assignment / f"{assignment}.ipynb"

    def feedback(self, assignment: str, student: str) -> Path:
        """The page about the result that the student gets back."""
        return self.root / "feedback" / student / assignment / "feedback.html"

    def notebook_page(self, assignment: str, student: str) -> Path:
        """The student's notebook as it ran, as a page of nbgrader's."""
        return self.root / "feedback" / student / assignment / f"{assignment}.html"

    def misconceptions(self, assignment: str) -> Path:
        """The file of named wrong implementations; it need not exist."""
        return self.root / "misconceptions" / f"{assignment}.py"

    def alternatives(self, assignment: str) -> Path:
        """The file of accepted other implementations; it need not exist."""
        return self.root / "alternatives" / f"{assignment}.py"

    def students(self, assignment: str) -> list[str]:
        """Everybody who has something for the assignment in ``submitted/``, in order."""
        submitted = self.root / "submitted"
        if not submitted.is_dir():
            return []
        return sorted(folder.name for folder in submitted.iterdir() if os.path.lexists(folder / assignment))
