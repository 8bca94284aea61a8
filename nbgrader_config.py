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
    "course_lib.grader.preprocessors.RebuildFromSource",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# --- autograde, second pass: run it, make every test cell's score explicit, write the scores.
c.Autograde.autograde_preprocessors = [
    "course_lib.grader.execute_stock.ExecuteStock",
    "course_lib.grader.preprocessors.QuietStreams",
    "course_lib.grader.preprocessors.ExplicitScores",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.ExecuteStock.timeout = 60  # seconds for a cell; checks cuts a single case long before that
c.ExecuteStock.notebook_timeout = 300  # seconds for a whole notebook

# --- feedback: hidden tests stay hidden.
c.GenerateFeedback.preprocessors = [
    "course_lib.grader.preprocessors.HideHiddenTests",
    "nbgrader.preprocessors.GetGrades",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
