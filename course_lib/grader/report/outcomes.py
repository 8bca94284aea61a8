"""What each outcome means, in words for the instructor and for the student.

An outcome keeps blame apart: a wrong answer is the student's, a grader error is ours and never a zero.
"""

from dataclasses import dataclass

from course_lib.checks.verdict import Outcome


@dataclass(frozen=True)
class SubmissionOutcome:
    """One outcome of a whole submission.

    Attributes:
        label: how tables name it.
        kind: ``"good"``, ``"part"``, ``"bad"``, ``"open"`` or ``"human"``: how it is marked (with a shape and the label
            beside the colour); ``"human"`` means that an instructor must look.
        meaning: one sentence or two for the instructor.
        student: one sentence or two for the student.
        to_do: what the instructor should do next; empty when nothing is needed.
    """

    label: str
    kind: str
    meaning: str
    student: str
    to_do: str = ""


SUBMISSION_OUTCOMES: dict[str, SubmissionOutcome] = {
    "passed": SubmissionOutcome(
        "all right",
        "good",
        "All the points that the machine gives.",
        "Every automatic test passed.",
    ),
    "partial": SubmissionOutcome(
        "partly right",
        "part",
        "Graded to the end; some tests did not pass, and each exercise keeps the points of those that did.",
        "Some tests did not pass yet. You keep the points of every test that did.",
    ),
    "failed": SubmissionOutcome(
        "nothing right yet",
        "bad",
        "Graded to the end: something was written, and it earned no points.",
        "Your work was graded to the end, and earned no points yet. The sections below say why, test by test.",
    ),
    "blank": SubmissionOutcome(
        "left blank",
        "open",
        "Handed in as it was handed out.",
        "The notebook was handed in as it was handed out.",
    ),
    "refused": SubmissionOutcome(
        "refused",
        "bad",
        "An exercise called torch's own version of what it asks to build. It earns nothing, the others count.",
        "An exercise called torch's own version of what it asks you to build, so that exercise earned nothing.",
    ),
    "timed out": SubmissionOutcome(
        "timed out",
        "bad",
        "Some code ran longer than it may (an endless loop, most often). What was cut off earns nothing.",
        "Some of your code ran too long and was stopped. What ran before and after it is scored.",
    ),
    "crashed": SubmissionOutcome(
        "crashed",
        "bad",
        "The student's code ended its own process. What it took along earns nothing, the rest counts.",
        "Some of your code ended the Python process. What ran before and after it is scored.",
    ),
    "limit exceeded": SubmissionOutcome(
        "limit exceeded",
        "bad",
        "Some code used more memory, output, files or processes than it may. What was cut off earns nothing.",
        "Some of your code used more memory, output, files or processes than it may, and was stopped.",
    ),
    "missing": SubmissionOutcome(
        "no notebook",
        "human",
        "No notebook of the assignment's name was handed in.",
        "No notebook of the assignment's name was found in what you handed in.",
        "Look into the submission's folder: a renamed notebook needs its own name back before it is graded again. "
        "An empty folder is a question for the student.",
    ),
    "unreadable": SubmissionOutcome(
        "unreadable",
        "human",
        "What was handed in is not a notebook that can be graded. No score was given.",
        "What you handed in could not be read as a notebook.",
        "Ask the student for a readable copy and grade it again, or grade it by hand.",
    ),
    "grader error": SubmissionOutcome(
        "grader error",
        "human",
        "The grader itself failed. This says nothing about the student's work, and no score was given.",
        "The grader had a problem of its own, which says nothing about your work. Your instructor will look at it; "
        "you need not do anything.",
        "Mend what the reason names and grade this submission again (course grade ASSIGNMENT --student ID --force). "
        "If it fails again, grade it by hand in Formgrader.",
    ),
}
"""What can become of a submission, in the order in which tables list it."""

_UNKNOWN = "Grade the submission again with this version of the course, or grade it by hand in Formgrader."


def submission_outcome(name: str) -> SubmissionOutcome:
    """The explanation of an outcome; one that this version does not know is left for a human."""
    known = SUBMISSION_OUTCOMES.get(name)
    if known is not None:
        return known
    return SubmissionOutcome(
        name or "no outcome",
        "human",
        "An outcome that this report does not know.",
        "Your instructor will look at this submission; you need not do anything.",
        _UNKNOWN,
    )


@dataclass(frozen=True)
class CaseOutcome:
    """One outcome of one case: the notebook's own word for it, and what to say for a case without a message."""

    label: str
    meaning: str


CASE_OUTCOMES: dict[Outcome, CaseOutcome] = {
    Outcome.PASSED: CaseOutcome("passed", "The result is right."),
    Outcome.FAILED: CaseOutcome("wrong", "Your code answered, and the answer is not the right one."),
    Outcome.RAISED: CaseOutcome("stopped", "Your code stopped with an exception before it answered."),
    Outcome.UNWRITTEN: CaseOutcome("to do", "The line that raises NotImplementedError is still there."),
    Outcome.TIMED_OUT: CaseOutcome(
        "too slow", "Your code ran too long and was stopped: is there a loop that never ends?"
    ),
    Outcome.CRASHED: CaseOutcome("crashed", "The Python process ended while your code ran."),
    Outcome.REFUSED: CaseOutcome("refused", "Your code called torch's own version of what you are asked to build."),
    Outcome.LIMIT: CaseOutcome(
        "over a limit", "Your code used more memory, output, files or processes than a test may."
    ),
    Outcome.MISSING: CaseOutcome("missing", "The name that the exercise asks for does not exist."),
}
"""What can become of a case."""

LIMITS = {
    "cell_seconds": "One cell of the student's ran too long.",
    "case_seconds": "One case of a test ran too long: an endless loop, most often.",
    "submission_seconds": "The whole notebook ran too long; what came after was not run.",
    "memory_mb": "The code needed more memory: a tensor of the wrong shape, most often.",
    "processes": "The code started other processes, which it may not.",
    "open_files": "The code had too many files open.",
    "file_mb": "The code wrote too large a file.",
    "scratch_mb": "The code wrote too many or too large files.",
    "output_chars": "The code printed or drew too much; the rest was left out.",
    "process ended": "The code ended the process that ran it.",
}
"""What it means to meet a limit, by the name that `nbgrader_config.py` knows it by."""
