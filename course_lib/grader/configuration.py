"""Reads ``nbgrader_config.py``, without importing nbgrader."""

from pathlib import Path

from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader


def load_config(root: Path) -> Config:
    """The configuration in a course folder, as ``nbgrader`` started in that folder would see it."""
    config: Config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    return config
