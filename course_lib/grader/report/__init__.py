"""Pages that people read after grading: a class report by assignment for instructors, a feedback page for each student.

Plain data in (the shape of ``Result.to_json()``), HTML files out, which work without a network and without JavaScript::

    write_report(root, results, root / "report")               # report/index.html and a page for each assignment
    write_feedback(result, root / "feedback" / ... / "feedback.html", hidden="message")

Everything that came from a student (names, messages, printed text) is untrusted and shown as text, never as markup. The
same results give the same bytes: nothing here looks at the clock.
"""

from course_lib.grader.feedback.hidden import Hidden
from course_lib.grader.report.pages import write_feedback, write_report

__all__ = ["Hidden", "write_feedback", "write_report"]
