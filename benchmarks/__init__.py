"""Measures grading: ``python -m benchmarks.throughput`` and its neighbours, or all of them by ``make benchmark``."""
