"""nbgrader's settings for this course: read by every `nbgrader` command started here, by Formgrader, and by `course`.

What is ours plugs into nbgrader's own extension points; remove a line and nbgrader does what it does everywhere else.
"""

c = get_config()  # noqa: F821 (nbgrader puts it there)

c.CourseDirectory.course_id = "neural-training"

# The gradebook is gradebook.db beside this file, nbgrader's default. For a database server:
# c.CourseDirectory.db_url = "postgresql://user@host/gradebook"

# Never part of an assignment: what editors, Python and the operating system leave in folders.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "__pycache__", "*.pyc", ".DS_Store", "feedback"]

# --- release: what stands where the solutions were (nbgrader's own words, so that readers recognise them)
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise NotImplementedError()"}
c.ClearSolutions.text_stub = "YOUR ANSWER HERE"

# --- autograde, first pass: the graded notebook is the source's notebook with the student's answers put in. This
# replaces nbgrader's ClearOutput, DeduplicateIds, OverwriteKernelspec and OverwriteCells.
c.Autograde.sanitize_preprocessors = [
    "course_lib.grader.grading.preprocessors.RebuildFromSource",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# --- autograde, second pass: run it, make every test cell's score explicit, write the scores.
c.Autograde.autograde_preprocessors = [
    "course_lib.grader.engine.examine.Examine",
    "course_lib.grader.grading.preprocessors.QuietStreams",
    "course_lib.grader.grading.preprocessors.ExplicitScores",
    "course_lib.grader.feedback.harmless.HarmlessOutputs",
    "nbgrader.preprocessors.LimitOutput",
    "course_lib.grader.book.save.SaveWhole",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# What a submission may use: `nbgrader autograde --help-all` lists every limit of Examine with its default. For example:
# c.Examine.submission_seconds = 300
# c.Examine.by_assignment = {"09_dropout": {"memory_mb": 2000}}
# c.Examine.by_exercise = {"mc_dropout": {"case_seconds": 20}}

# --- feedback: hidden tests stay hidden, and a page does nothing but show.
c.GenerateFeedback.preprocessors = [
    "course_lib.grader.feedback.hide.HideHiddenTests",
    "course_lib.grader.feedback.harmless.HarmlessOutputs",
    "nbgrader.preprocessors.GetGrades",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
# Of a hidden case a student sees: "message" (title, and what came and was expected), "title", or "nothing" (a count).
c.HideHiddenTests.hidden_cases = "message"
c.HideHiddenTests.hidden_cases_of = {}  # for single assignments: {"09_dropout": "title"}

# --- Formgrader's and the feedback's pages: what students wrote is shown, and never run.
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = {
    "clean_html": "course_lib.grader.feedback.markup.harmless",
    "markdown2html": "course_lib.grader.feedback.markup.markdown2html",
}
