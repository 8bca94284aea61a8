"""What grades: everything here runs on the trusted side, and nothing of it is imported by notebooks.

A submission's way: :mod:`.intake` looks at the files and makes the notebook that is graded, :mod:`.engine` runs it,
:mod:`.grading` takes it through nbgrader's passes to a :mod:`.results`, :mod:`.book` records that, and :mod:`.feedback`
with :mod:`.report` tells people. :mod:`.releasing` makes what students get, :mod:`.commands` is what the command line
shows.
"""
