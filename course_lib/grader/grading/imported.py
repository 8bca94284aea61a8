"""All that a process which grades needs, imported where it is about to be forked from.

Importing this module is all that the process does from which those of :class:`~course_lib.grader.grading.pool.Pool` are
forked: nothing is computed and no thread started, so its forks are safe.
"""

import importlib

from course_lib.grader.grading.pool import lean_and_alone
from course_lib.grader.lean import uncollected

lean_and_alone()
with uncollected():
    for _name in (
        "course_lib.grader.grading.worker",
        "course_lib.grader.engine.examine",
        "torch.fx.experimental.symbolic_shapes",  # by torch.autograd.grad, at its first use
    ):
        importlib.import_module(_name)
