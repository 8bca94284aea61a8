"""What notebooks import to show things: figures that read on any page, guards for unfinished exercises, small data.

Everything here needs torch, matplotlib and IPython only.
"""

from course_lib.lab.figures import COLORS, figure, show
from course_lib.lab.graph import recording
from course_lib.lab.unfinished import uses

__all__ = ["COLORS", "figure", "recording", "show", "uses"]
