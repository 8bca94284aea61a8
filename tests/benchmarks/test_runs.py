"""Every benchmark runs to its end on the smallest class that shows anything, and says what it is to say."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("throughput --students 1 --stock-students 1 --turns 1", "Both gave the same points for 6 of the 6 exercises"),
        ("where_time_goes --students 3", "of the processor time is in the students' cells and the cases themselves"),
        (
            "memory --small 6 --large 3 --first 1 --every 1 --right 2",
            "3 × `09_dropout`: the warm processes in the sandbox",
        ),
        ("linear --sizes 1 2 3", "s to start, and"),
        ("cold --runs 1", "`course grade 09_dropout --student student-0000`"),
    ],
    ids=lambda text: text.split()[0],
)
def test_the_benchmark_runs(command: str, says: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *f"benchmarks.{command}".split()], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert says in done.stdout
