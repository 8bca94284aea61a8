"""Reads ``nbgrader_config.py``, without importing nbgrader."""

from pathlib import Path

from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader


def load_config(root: Path) -> Config:
    """The configuration in a course folder, as ``nbgrader`` started in that folder would see it."""
    config: Config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    return config


def excluded_students(root: Path) -> set[str]:
    """The ids in nbgrader's ``CourseDirectory.student_id_exclude``, whose work is not graded unless they are named."""
    listed = load_config(root).CourseDirectory.get("student_id_exclude", "")
    return {name.strip() for name in str(listed).split(",") if name.strip()}
