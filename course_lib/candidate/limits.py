"""What a submission may use. Sizes in megabytes of 10⁶ bytes, times in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of one submission, or of one exercise in it.

    Attributes:
        cell_seconds: for one of the student's cells.
        case_seconds: for one case of a test.
        submission_seconds: for the whole notebook, fresh starts after crashes included.
        memory_mb: memory of its own, above what is shared with the warm process.
        processes: processes at a time, the one that runs the notebook included.
        open_files: file descriptors at a time.
        file_mb: the size of one file that it writes.
        scratch_mb: the size of all files that it writes, its copy of the handed-in files included.
        output_chars: characters of output that are kept of a cell, pictures included.
    """

    cell_seconds: float = 30.0
    case_seconds: float = 10.0
    submission_seconds: float = 120.0
    memory_mb: int = 1024
    processes: int = 1
    open_files: int = 256
    file_mb: int = 16
    scratch_mb: int = 64
    output_chars: int = 2_000_000
