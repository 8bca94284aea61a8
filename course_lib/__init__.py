"""A course on training neural networks: what its notebooks import, what checks them, and what grades them.

Three rooms, with imports that point one way: :mod:`course_lib.lab` (what notebooks show) imports nothing of ours,
:mod:`course_lib.checks` (what test cells call) nothing but itself, :mod:`course_lib.grader` may use ``checks``.
"""

__version__ = "0.1.0"
