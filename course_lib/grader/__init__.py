"""What grades: release, submissions, execution, scores and reports, all on top of plain nbgrader.

A submission's way: :mod:`.submission` looks at the files, :mod:`.rebuild` makes the notebook that is graded,
:mod:`.execute_stock` runs it, :mod:`.preprocessors` hangs these into ``nbgrader autograde``, :mod:`.results` is what
came of it, and :mod:`.grade` holds the steps together. :mod:`.release` and :mod:`.leaks` make what students get.
"""
