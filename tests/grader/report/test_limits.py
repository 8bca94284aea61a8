"""Which limits a class met: counted by student, from what the grader says and from nothing that a student says."""

from dataclasses import fields

from course_lib.candidate.limits import Limits
from course_lib.grader.report.data import by_assignment
from course_lib.grader.report.outcomes import LIMITS
from course_lib.grader.report.pages import render_class
from course_lib.grader.report.statistics import ENDED, limits_met

MEMORY = "softmax was stopped: it needed more than 1024 MB of memory (limit memory_mb)"
TIME = "softmax did not finish within 10 s (limit case_seconds): is there a loop that never ends?"
FIFTH = "softmax did not finish within 2 s (a fifth of limit case_seconds, as a case before had hung)"
NOTE = "The cell dropout: this cell was cut off after 30 s (limit cell_seconds); its output is lost."


def a_class(build):
    def work(student, *cases, notes=()):
        return build.result(student, [build.record("softmax", cases=list(cases))], notes=list(notes))

    return by_assignment(
        [
            work("s1", build.case("a", "limit exceeded", message=MEMORY), build.case("b", "timed out", message=TIME)),
            work("s2", build.case("a", "timed out", message=TIME), build.case("b", "timed out", message=FIFTH)),
            work("s3", build.case("a", "crashed", message="softmax ended the process that ran it"), notes=[NOTE]),
            work("s4", build.case("a", "raised", message="softmax stopped with E: (limit memory_mb)")),
        ]
    )[0]


def test_each_student_counts_once_for_each_limit(build):
    found = limits_met(a_class(build))
    assert [(met.name, [s.student for s in met.students], met.exercises) for met in found] == [
        ("case_seconds", ["s1", "s2"], ("softmax",)),
        ("cell_seconds", ["s3"], ()),
        ("memory_mb", ["s1"], ("softmax",)),
        (ENDED, ["s3"], ("softmax",)),
    ]


def test_the_class_page_says_who_met_which_limit(build, tmp_path):
    page = build.page(render_class(a_class(build), root=tmp_path, out_dir=tmp_path))
    assert page.table("Limits that").rows[0] == [
        "case_seconds",
        "2",
        "One case of a test ran too long: an endless loop, most often.",
        "softmax",
        "Student s1, Student s2",
    ]


def test_every_limit_has_a_meaning():
    assert {field.name for field in fields(Limits)} | {ENDED} == set(LIMITS)
