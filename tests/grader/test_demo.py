"""The sample class: deterministic, plausible, and with every accident in it."""

from pathlib import Path

import pytest
from rich.console import Console

from course_lib.grader.course import Course, CourseError
from course_lib.grader.demo import accidents
from course_lib.grader.demo.answers import Bank
from course_lib.grader.demo.classroom import accidents_of, compose, due_date
from course_lib.grader.demo.run import CLASS_SIZE, run_demo
from course_lib.grader.demo.students import students
from course_lib.grader.releasing.release import make_release
from course_lib.grader.results import Outcome, Result

from .conftest import ASSIGNMENT, make_course


def test_the_class_has_at_least_forty_students_with_ids_of_their_own() -> None:
    everybody = students()
    assert len(everybody) >= 40
    assert len({s.id for s in everybody}) == len(everybody)
    assert all(s.id.replace(".", "").isascii() and s.id.replace(".", "").isalnum() for s in everybody)
    assert all(0 < s.ability < 1 for s in everybody)


def test_asking_for_too_many_students_says_how_many_there_are() -> None:
    with pytest.raises(ValueError, match="the sample class has 48 students: ask for 1 to 48, not 500"):
        students(500)


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory) -> tuple[Course, dict[str, str]]:
    root = make_course(tmp_path_factory.mktemp("class") / "course")
    make_release(root)
    course = Course.at(root)
    return course, compose(course, ASSIGNMENT, students())


def test_everybody_hands_in_and_every_accident_happens(handed_in: tuple[Course, dict[str, str]]) -> None:
    course, kinds = handed_in
    assert len(course.students(ASSIGNMENT)) == len(students())
    assert set(accidents.KINDS) <= set(kinds.values())
    assert list(kinds.values()).count("ordinary") > len(kinds) / 2


def test_the_same_course_gives_the_same_submissions(handed_in: tuple[Course, dict[str, str]], tmp_path: Path) -> None:
    course, _ = handed_in
    again = Course.at(make_course(tmp_path / "again"))
    make_release(again.root)
    compose(again, ASSIGNMENT, students())
    files = sorted(p.relative_to(course.root) for p in (course.root / "submitted").rglob("*") if p.is_file())
    assert files
    assert all((course.root / p).read_bytes() == (again.root / p).read_bytes() for p in files)


def test_submissions_are_made_of_the_release_and_hold_no_hidden_test(handed_in: tuple[Course, dict[str, str]]) -> None:
    course, _ = handed_in
    for path in (course.root / "submitted").rglob("*.ipynb"):
        assert "-3.5" not in path.read_text()
        assert "BEGIN SOLUTION" not in path.read_text()


def test_some_are_late_and_most_are_not(handed_in: tuple[Course, dict[str, str]]) -> None:
    course, _ = handed_in
    due = due_date(course, ASSIGNMENT)
    times = [path.read_text() for path in (course.root / "submitted").rglob("timestamp.txt")]
    late = [time for time in times if time > f"{due:%Y-%m-%d %H:%M:%S} UTC"]
    assert 0 < len(late) < len(times) / 3


def test_answers_come_from_the_source_the_alternatives_and_the_misconceptions(course: Path) -> None:
    double, mean = Bank.of(Course.at(course), ASSIGNMENT).exercises
    assert "twice_as_much" in double.right[0]
    assert "SOLUTION" not in double.right[0]
    assert double.right[1] == "def double(x):\n    return 2 * x"
    assert double.wrong == ("def double(x):\n    squared_by_mistake = x * x\n    return squared_by_mistake",)
    assert mean.endless().endswith("    step = 0\n    while step < 10:\n        last = step")
    compile(mean.noisy(), "noisy", "exec")
    with pytest.raises(SyntaxError):
        compile(mean.not_python(), "not python", "exec")


# ------------------------------------------------------------------------------------------------------ the whole way


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Result], str]:
    root = make_course(tmp_path_factory.mktemp("demo") / "course")
    with open(root / "printed", "w", encoding="utf-8") as out:
        results = run_demo(root, number=4, processes=2, console=Console(file=out, width=200))
    return root, results, (root / "printed").read_text(encoding="utf-8")


def test_the_demo_grades_everybody_and_says_where_the_pages_are(demo: tuple[Path, list[Result], str]) -> None:
    root, results, printed = demo
    assert sorted(r.student for r in results) == sorted(s.id for s in students(4))
    assert not [r for r in results if r.outcome is Outcome.GRADER_ERROR]
    assert all(r.student in printed for r in results)
    assert str(root / "demo" / "report" / "index.html") in printed
    assert (root / "demo" / "report" / "index.html").is_file()
    assert "4 submissions: " in printed
    for result in results:
        assert (root / "demo" / result.feedback).is_file()
        assert result.name != result.student  # the gradebook knows names


def test_the_demo_changes_nothing_outside_its_folder(demo: tuple[Path, list[Result], str]) -> None:
    root, _, _ = demo
    assert sorted(p.name for p in root.iterdir()) == [
        "alternatives",
        "demo",
        "misconceptions",
        "nbgrader_config.py",
        "printed",
        "source",
    ]


def test_keeping_what_is_graded_gives_the_same_results(demo: tuple[Path, list[Result], str]) -> None:
    root, results, _ = demo
    before = {p: p.stat().st_mtime_ns for p in (root / "demo" / "autograded").rglob("*.ipynb")}
    again = run_demo(root, number=4, fresh=False, processes=1, console=Console(quiet=True))
    assert sorted(again, key=lambda r: r.student) == sorted(results, key=lambda r: r.student)
    assert all(result.kept for result in again if not result.outcome.needs_human)
    assert {p: p.stat().st_mtime_ns for p in before} == before


def test_a_folder_called_demo_that_is_somebody_elses_is_left_alone(course: Path) -> None:
    (course / "demo").mkdir()
    (course / "demo" / "thesis.txt").write_text("years of work")
    with pytest.raises(CourseError, match="was not made by `course demo`, so it is left alone"):
        run_demo(course, number=1, console=Console(quiet=True))
    assert (course / "demo" / "thesis.txt").exists()


def test_a_class_of_the_usual_size_meets_every_accident_in_some_assignment() -> None:
    course = Course.at(Path(__file__).resolve().parents[2])
    met = [set(accidents_of(course, name, students(CLASS_SIZE)).values()) for name in course.assignments]
    assert set().union(*met) == set(accidents.KINDS)
