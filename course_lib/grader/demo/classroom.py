"""Composes what a sample class hands in: work of every quality, and every accident that graders meet.

The same course gives the same submissions, byte for byte.
"""

import json
from copy import deepcopy
from datetime import datetime, timedelta
from random import Random

from nbformat import NotebookNode

from course_lib.grader.course import Course
from course_lib.grader.demo import accidents
from course_lib.grader.demo.answers import Bank, Exercise, written_answer
from course_lib.grader.demo.students import Student
from course_lib.grader.notebooks import read

FIRST_DUE = datetime(2026, 3, 6, 22, 0)
"""When the first assignment of the sample course is due, UTC; the others follow week by week."""


def due_date(course: Course, assignment: str) -> datetime:
    """When an assignment of the sample course is due, UTC without a zone."""
    return FIRST_DUE + timedelta(weeks=course.assignments.index(assignment))


def compose(course: Course, assignment: str, students: list[Student]) -> dict[str, str]:
    """Write a submission of each student into ``submitted/``.

    About a third of a class has an accident (:func:`accidents_of`).

    Args:
        course: the sample course; its release must have been made.
        assignment: the assignment's name.
        students: who hands in.

    Returns:
        For each student's id the kind of accident, or ``"ordinary"``.
    """
    bank = Bank.of(course, assignment)
    released = read(course.released(assignment))
    kinds = accidents_of(course, assignment, students)
    for student in students:
        random = Random(f"{assignment} by {student.id}")
        answers = _answers(bank, student, random)
        accident = accidents.KINDS.get(kinds.get(student.id, ""))
        work = accidents.Work(deepcopy(released), bank, answers, assignment)
        content = accident(work, random) if accident else work.finished()
        _hand_in(course, assignment, student, content, random)
    return {student.id: kinds.get(student.id, "ordinary") for student in students}


def accidents_of(course: Course, assignment: str, students: list[Student]) -> dict[str, str]:
    """Which student has which kind of accident in an assignment: a third of the class, each another kind.

    A class too small for all kinds meets them in turn, those that come next in the next assignment.
    """
    order = list(students)
    Random(f"accidents in {assignment}").shuffle(order)
    unlucky, kinds = order[: len(students) // 3], list(accidents.KINDS)
    first = course.assignments.index(assignment) * len(unlucky) % len(kinds)
    return dict(zip((student.id for student in unlucky), kinds[first:] + kinds[:first], strict=False))


def _answers(bank: Bank, student: Student, random: Random) -> dict[str, str]:
    """What a student writes into the cells: more of it wrong or missing further down the notebook."""
    answers = {}
    for number, exercise in enumerate(bank.exercises):
        tiredness = 0.2 * number / max(1, len(bank.exercises) - 1)
        answers[exercise.name] = _answer(exercise, student.ability + 0.15 - tiredness, random)
    for name, question in bank.written.items():
        if random.random() < 0.4 + 0.6 * student.ability:
            answers[name] = written_answer(question, random)
    return {name: text for name, text in answers.items() if text}


def _answer(exercise: Exercise, chance: float, random: Random) -> str:
    if random.random() < chance:
        return random.choice(exercise.right)
    kind = random.choices(("wrong", "blank", "half"), weights=(7, 2, 1))[0]
    if kind == "wrong" and exercise.wrong:
        return random.choice(exercise.wrong)
    return exercise.half_done(random) if kind == "half" else ""


def _hand_in(
    course: Course, assignment: str, student: Student, content: NotebookNode | bytes | None, random: Random
) -> None:
    folder = course.submission(assignment, student.id)
    folder.mkdir(parents=True, exist_ok=True)
    if content is None:
        (folder / "notes.txt").write_text("Sorry, I will upload the notebook tomorrow.\n", encoding="utf-8")
    else:
        text = content if isinstance(content, bytes) else json.dumps(content, indent=1, ensure_ascii=False).encode()
        (folder / f"{assignment}.ipynb").write_bytes(text)
    due = due_date(course, assignment)
    late = random.random() < 0.12
    minutes = random.expovariate(1 / 600)
    when = due + timedelta(minutes=5 + minutes) if late else due - timedelta(minutes=1 + 2 * minutes)
    (folder / "timestamp.txt").write_text(f"{when:%Y-%m-%d %H:%M:%S} UTC", encoding="utf-8")
