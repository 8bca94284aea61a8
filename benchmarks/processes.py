"""Looks at running processes from outside: who started whom, and how much memory each has. Linux only."""

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

_SERVERS = ("course_lib.candidate.server", "benchmarks.clocked_server")


def descendants(pid: int) -> list[int]:
    """A process and all that it started, directly or not; a parent stands before its children."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for name in os.listdir("/proc"):
        if name.isdigit():
            children[_parent(int(name))].append(int(name))
    return list(_below(pid, children))


def runs(pid: int, words: str) -> bool:
    """Whether a process's command line contains these words."""
    try:
        return words in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").replace("\0", " ")
    except OSError:
        return False


def resident_mb(pid: int) -> float:
    """Memory of a process that is in use, in megabytes of 10⁶ bytes; 0 when it has ended."""
    return _kilobytes(f"/proc/{pid}/status", "VmRSS") * 1024 / 1e6


def own_mb(pid: int) -> float:
    """Memory that a process has written to and shares with no other, in megabytes of 10⁶ bytes; 0 when it has ended."""
    return _kilobytes(f"/proc/{pid}/smaps_rollup", "Private_Dirty") * 1024 / 1e6


def processor_seconds(pid: int) -> float:
    """Processor time of a process and of its children that it waited for; 0 when it has ended."""
    fields = _statistics(pid)
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def warm_and_candidates(pid: int) -> tuple[list[int], list[int]]:
    """Below a process: the warm processes, and the forks of them that hold students' code."""
    # The sandbox's own processes have the same words on their command line, behind the name of bubblewrap.
    servers = [
        found
        for found in descendants(pid)
        if any(runs(found, module) for module in _SERVERS) and not runs(found, "bwrap")
    ]
    forks = [found for found in servers if _parent(found) in servers]
    return [found for found in servers if found not in forks], forks


def _parent(pid: int) -> int:
    """Who started a process; 0 when it has ended."""
    fields = _statistics(pid)
    return int(fields[1]) if fields else 0


def _statistics(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name, which may hold anything; none when the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _below(pid: int, children: dict[int, list[int]]) -> Iterator[int]:
    yield pid
    for child in children.get(pid, ()):
        yield from _below(child, children)


def _kilobytes(path: str, field: str) -> int:
    try:
        found = re.search(rf"^{field}:\s+(\d+) kB", Path(path).read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return 0
    return int(found.group(1)) if found else 0
