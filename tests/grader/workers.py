"""Jobs for the tests of a crew: small enough for any process, and importable there."""

import os
import signal
import sys
import time
from pathlib import Path

from course_lib.grader.course import CourseError


def work(job: str) -> str:
    """Do what the job's first word says; anything else is answered."""
    word, *rest = job.split(" ", 1)
    match word:
        case "fail":
            raise ValueError("as asked for")
        case "refuse":
            raise CourseError("not here")
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "die-once" if not Path(rest[0]).exists():
            Path(rest[0]).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        case "sleep":
            time.sleep(float(rest[0]))
    return f"done {job}"


if __name__ == "__main__":  # a main process that waits for its crew
    from course_lib.grader.grading.batch import Crew

    with Crew.of(2) as crew:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        list(crew.each(work, ["sleep 0", "sleep 600", "sleep 600"]))
