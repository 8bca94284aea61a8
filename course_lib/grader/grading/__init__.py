"""From a submission's files to its result, for one or for thousands, and plugged into nbgrader's own passes."""
