"""Measures grading: ``python -m benchmarks.throughput`` and its neighbours, or all of them by ``make benchmark``."""

from course_lib.grader.lean import skip_unused_parsers

skip_unused_parsers()  # as every command of ours does first
