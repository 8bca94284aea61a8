"""What was handed in: looked at, read as far as it can be, and put into the notebook that is graded."""
