"""Whether a candidate is confined here: it tries what must not work, in a fork like any other.

Run in the sandbox by :func:`course_lib.grader.engine.sandbox.probe`, as ``python -m course_lib.candidate.selftest
PATH...``. Prints a line of JSON: a list of sentences, one for each attempt that succeeded; empty when all is well.
"""

import json
import os
import resource
import socket
import sys
from collections.abc import Callable, Sequence

from course_lib.candidate import kernel
from course_lib.candidate.confine import SCRATCH, ConfinementError, end, fork_confined
from course_lib.candidate.limits import Limits


def holes(hidden: Sequence[str]) -> list[str]:
    """What the calling process, a candidate, can do and should not be able to.

    Args:
        hidden: paths that must not exist for it.
    """
    attempts: dict[str, Callable[[], object]] = {
        "it can start a process": _start_process,
        "it can open a socket": lambda: socket.socket().close(),
        "it can signal the warm process": lambda: os.kill(2, 0),
        "it can see processes in /proc": lambda: os.stat("/proc/1"),
        "it can change its own limits": lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
        "it can mount a file system": lambda: kernel.mount_tmpfs(SCRATCH, size=10**6, inodes=10),
        "it can make namespaces": lambda: kernel.unshare(kernel.CLONE_NEWUSER),
    }
    attempts |= {f"it can see {path}": lambda path=path: os.stat(path) for path in hidden}  # type: ignore[misc]
    return [sentence for sentence, attempt in attempts.items() if _works(attempt)]


def _works(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (OSError, ValueError):
        return False
    return True


def _start_process() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def main(hidden: Sequence[str]) -> None:
    """Print what a candidate can do, or end with status 1 and a sentence on stderr: none could be started."""
    result, written = os.pipe()
    try:
        pid = fork_confined(Limits(), lambda: os.write(written, json.dumps(holes(hidden)).encode()), keep_fds=[written])
    except ConfinementError as error:
        sys.exit(str(error))
    os.close(written)
    with open(result) as answer:
        found = answer.read()
    end(pid)
    print(found)


if __name__ == "__main__":
    main(sys.argv[1:])
