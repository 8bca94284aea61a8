"""Processes for students' code: started, asked, ended, and lost in every way that a process can be."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from course_lib.candidate.limits import Limits
from course_lib.candidate.requests import Files, Look, RunCell, RunScenario
from course_lib.grader.engine.launch import Launched
from course_lib.grader.engine.processes import CandidateLost, EngineError, FreshServer, Server, WarmServer, open_server
from course_lib.grader.engine.remote import pickled

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a warm process forks, which is Linux's business")


@pytest.fixture(scope="module")
def plain_server() -> Iterator[WarmServer]:
    """A warm process as with --no-sandbox."""
    server = WarmServer(None, patient=False)
    yield server
    server.close()


@pytest.fixture(params=["warm_server", "plain_server"])
def server(request: pytest.FixtureRequest) -> Server:
    return request.getfixturevalue(request.param)


def cell(text: str, seconds: float = 5.0, output_chars: int = 10_000) -> RunCell:
    return RunCell(text, seconds, output_chars)


def scenario(function: Any, name: str = "f", seconds: float = 5.0) -> RunScenario:
    return RunScenario(pickled(function), name, 0, (), seconds)


def printed(answer: dict[str, Any]) -> str:
    return "".join(output["text"] for output in answer["outputs"] if output["output_type"] == "stream")


def lost(server: Server, text: str, seconds: float = 20.0, limits: Limits | None = None) -> CandidateLost:
    """How a candidate is lost by this cell."""
    with server.start(limits or Limits()) as candidate:
        with pytest.raises(CandidateLost) as info:
            candidate.ask(cell(text), seconds)
        assert candidate.ended
    return info.value


# --------------------------------------------------------------------------------------------------- what can be asked


def test_a_candidate_runs_cells_and_scenarios_and_answers_with_data(server: Server) -> None:
    with server.start(Limits()) as candidate:
        assert candidate.ask(Files({"a/data.txt": b"from a file"}), 10) is None
        shown = candidate.ask(cell("x = open('a/data.txt').read()\nprint(x)\ndef f(t):\n    return t + 1"), 10)
        assert shown["count"] == 1
        assert printed(shown) == "from a file\n"
        seen = candidate.ask(scenario(lambda f: f(torch.ones(2))), 10)
        assert torch.equal(seen["data"], torch.full((2,), 2.0))
        assert seen["stopped"] is None
        assert candidate.ask(Look(("x", "f", "g", "__builtins__")), 10).keys() >= {"x", "f"}
        assert candidate.ask(Look(("x", "f", "g")), 10) == {"x": ["data", "from a file"], "f": "callable"}


def test_candidates_share_nothing(server: Server) -> None:
    with server.start(Limits()) as one, server.start(Limits()) as other:
        one.ask(cell("import torch, os\nx = 1\ntorch.x = 1\nos.environ['X'] = '1'\nopen('x', 'w').write('1')"), 10)
        looks = "print([n in dir() for n in ['x']], hasattr(__import__('torch'), 'x'))\nimport os\nprint(os.listdir())"
        assert printed(other.ask(cell(looks + "\nprint('X' in os.environ)"), 10)) == "[False] False\n[]\nFalse\n"


def test_candidates_draw_different_random_numbers(server: Server) -> None:
    draw = "import random, torch, numpy\nprint(random.random(), torch.rand(1).item(), numpy.random.rand())"
    drawn = []
    for _ in range(3):
        with server.start(Limits()) as candidate:
            drawn.append(printed(candidate.ask(cell(draw), 10)).split())
    assert all(len(set(of_one_kind)) == 3 for of_one_kind in zip(*drawn, strict=True))


OPENED = """
import os
found = []
for n in range(3, 400):
    try:
        found.append(os.fstat(n).st_mode)
    except OSError:
        pass
print(len(found))
"""


def test_a_candidate_holds_its_own_socket_and_no_other_descriptor(server: Server) -> None:
    with server.start(Limits()) as one, server.start(Limits()) as other, server.start(Limits()) as third:
        assert [printed(c.ask(cell(OPENED), 10)) for c in (one, other, third)] == ["1\n"] * 3


# --------------------------------------------------------------------------------------- how a candidate can be lost


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import os\nos._exit(3)", "its Python process ended by itself (exit status 3)"),
        ("import os\nos._exit(0)", "its Python process ended by itself (exit status 0)"),
        ("import ctypes\nctypes.string_at(0)", "its Python process was ended by SIGSEGV"),
    ],
    ids=["exit", "exit 0", "segmentation fault"],
)
def test_how_a_process_ended_is_said_in_words(server: Server, text: str, words: str) -> None:
    error = lost(server, text)
    assert str(error) == words
    assert not error.late


@pytest.mark.parametrize(
    "text",
    ["import signal, time\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\ntime.sleep(60)", "sum(range(10**11))"],
    ids=["alarm off", "in C"],
)
def test_who_outlasts_the_own_alarm_is_ended_on_the_trusted_clock(server: Server, text: str) -> None:
    began = time.monotonic()
    error = lost(server, text, seconds=1.0)
    assert error.late
    assert str(error) == "it did not answer within 1 s"
    assert time.monotonic() - began < 5


FORGE = """
import os, struct
connection = next(n for n in range(3, 100) if os.path.exists('/') and __import__('stat').S_ISSOCK(os.fstat(n).st_mode))
"""


@pytest.mark.parametrize(
    ("bytes_sent", "words"),
    [
        ("b'\\xff' * 4", "a frame of 4294967295 bytes was announced"),
        ("struct.pack('>I', 3) + b'???'", "an unknown tag"),
        ("struct.pack('>I', 1) + b'N'", "an answer to nothing that was asked"),
        ("struct.pack('>I', 8) + b'l\\0\\0\\0\\2' + b'i\\1\\2'", "bytes were announced"),
        ("struct.pack('>I', 9) + b'l\\0\\0\\0\\2' + b'i\\1\\2N'", "an answer to nothing that was asked"),
        ("struct.pack('>I', 7) + b'l\\0\\0\\0\\2' + b'TN'", "an answer to nothing that was asked"),
    ],
    ids=["too long", "unknown", "no answer", "cut short", "another's number", "True for 1"],
)
def test_who_sends_no_answer_is_ended(plain_server: WarmServer, bytes_sent: str, words: str) -> None:
    error = lost(plain_server, f"{FORGE}\nos.write(connection, {bytes_sent})")
    assert str(error).startswith("it sent what is no answer (")
    assert words in str(error)
    assert not error.late


def test_dripping_bytes_gain_no_time(plain_server: WarmServer) -> None:
    drip = f"{FORGE}\nos.write(connection, struct.pack('>I', 10**6))\nimport time\n" + (
        "while True:\n    os.write(connection, b'N')\n    time.sleep(0.05)"
    )
    assert lost(plain_server, drip, seconds=1.0).late


def test_who_reads_nothing_is_ended(plain_server: WarmServer) -> None:
    """A request larger than a socket holds, for a process that is stopped."""
    with plain_server.start(Limits()) as candidate:
        candidate.ask(cell("1"), 10)
        os.kill(candidate._pid, signal.SIGSTOP)
        with pytest.raises(CandidateLost) as info:
            candidate.ask(Files({"big": bytes(10**7)}), 0.5)
        assert info.value.late


def test_a_candidate_that_was_ended_says_so_again(warm_server: WarmServer) -> None:
    candidate = warm_server.start(Limits())
    candidate.end()
    assert candidate.end() is None
    with pytest.raises(CandidateLost):
        candidate.ask(cell("1"), 5)


# --------------------------------------------------------------------------------------------------- many, and the end


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory(pid: int) -> int:
    """Kilobytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4


def test_many_candidates_leave_nothing_behind(plain_server: WarmServer) -> None:
    def one_more() -> None:
        with plain_server.start(Limits()) as candidate:
            candidate.ask(cell("x = [0] * 1000"), 10)

    for _ in range(5):
        one_more()
    before = descriptors(os.getpid()), descriptors(plain_server.pid), memory(plain_server.pid)
    for _ in range(40):
        one_more()
    assert (descriptors(os.getpid()), descriptors(plain_server.pid)) == before[:2]
    assert memory(plain_server.pid) - before[2] < 2000
    children = Path(f"/proc/{plain_server.pid}/task/{plain_server.pid}/children").read_text()
    assert children == ""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pids: list[int]) -> bool:
    end = time.monotonic() + 10
    while any(map(alive, pids)) and time.monotonic() < end:
        time.sleep(0.02)
    return not any(map(alive, pids))


def descendants(pid: int) -> list[int]:
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [pid, *(found for child in children for found in descendants(child))]


def test_a_warm_process_that_died_is_an_error_of_ours_and_a_new_one_works() -> None:
    server = WarmServer(None, patient=False)
    candidate = server.start(Limits())
    os.kill(server.pid, signal.SIGKILL)
    with pytest.raises(EngineError, match="the process that runs students' code is gone"):
        server.start(Limits())
    with pytest.raises(EngineError, match="is gone"):
        candidate.end()
    server.close()
    second = WarmServer(None, patient=False)
    try:
        with second.start(Limits()) as candidate:
            assert printed(candidate.ask(cell("print(1)"), 10)) == "1\n"
    finally:
        second.close()


def test_the_last_words_of_a_warm_process_are_passed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cloudpickle.py").write_text("raise OSError('no metrics today')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    server = WarmServer(None, patient=False)
    try:
        with pytest.raises(EngineError, match=r"is gone \(.*; OSError: no metrics today\)"):
            server.wait_until_ready()
    finally:
        server.close()


def test_closing_ends_the_warm_process_and_its_candidates() -> None:
    from course_lib.grader.engine.sandbox import find_sandbox

    for sandbox in (None, find_sandbox()):
        server = WarmServer(sandbox, patient=False)
        candidate = server.start(Limits())
        candidate.ask(cell("1"), 10)
        processes = descendants(server.pid)
        assert len(processes) >= 2
        server.close()
        assert gone(processes)
        candidate._connection.close()


@pytest.fixture
def impatient() -> Iterator[WarmServer]:
    """A warm process that waits for a fifth of a second, and not for a quarter of an hour."""
    ours, theirs = socket.socketpair()
    code = (
        "from course_lib.candidate import server\nserver.PRELOADED = ()\nserver.IDLE_SECONDS = 0.2\n"
        f"server.main({theirs.fileno()}, patient=False)"
    )
    with theirs:
        process = subprocess.Popen([sys.executable, "-c", code], pass_fds=[theirs.fileno()], start_new_session=True)
    server = WarmServer(None, launched=Launched(process, ours))
    yield server
    server.close()


def test_an_idle_warm_process_ends_by_itself(impatient: WarmServer) -> None:
    impatient.wait_until_ready()
    assert not impatient.ended
    assert impatient._process.wait(20) == 0
    assert impatient.ended


def test_a_warm_process_is_not_idle_while_a_candidate_works(impatient: WarmServer) -> None:
    with impatient.start(Limits()) as candidate:
        shown = candidate.ask(cell("import time\ntime.sleep(1)\nprint('done')"), 10)
        assert printed(shown) == "done\n"
        assert not impatient.ended
    assert impatient._process.wait(20) == 0


# ------------------------------------------------------------------------------------------------ without any fork


@pytest.fixture(scope="module")
def fresh_server() -> Iterator[FreshServer]:
    server = FreshServer()
    yield server
    server.close()


def test_without_forks_a_fresh_interpreter_answers_the_same(fresh_server: FreshServer) -> None:
    with fresh_server.start(Limits()) as candidate:
        candidate.ask(Files({"data.txt": b"from a file"}), 10)
        shown = candidate.ask(cell("import os\nprint(open('data.txt').read(), 'COURSE_LIB_TOKEN' in os.environ)"), 30)
        assert printed(shown) == "from a file False\n"
        folder = Path(printed(candidate.ask(cell("print(os.getcwd())"), 30)).strip())
        candidate.ask(cell("def f(x):\n    return x * 2"), 30)
        assert candidate.ask(scenario(lambda f: f(21)), 30)["data"] == 42
        assert folder.is_dir()
        with pytest.raises(CandidateLost, match=r"ended by itself \(exit status 4\)|closed its connection"):
            candidate.ask(cell("os._exit(4)"), 30)
    assert not folder.exists()
    assert not fresh_server._processes


def test_the_server_is_the_one_for_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert isinstance(open_server(None), FreshServer)


def test_what_takes_long_to_import_is_imported_once_and_only_for_who_uses_it() -> None:
    look = "import sys\nprint('torchmetrics' in sys.modules, 'matplotlib.pyplot' in sys.modules)"
    server = WarmServer(None, patient=False)

    def there() -> str:
        with server.start(Limits()) as candidate:
            return printed(candidate.ask(cell(look), 20)).strip()

    try:
        server.expect("x = 1")
        assert there() == "False False"
        server.expect("import torchmetrics\nm = torchmetrics.MeanMetric()")
        assert there().startswith("True")
        server.expect("import matplotlib.pyplot as plt")
        assert there() == "True True"
        with server.start(Limits()) as candidate:  # a figure is shown at the end of its cell, as in any notebook
            text = "import matplotlib.pyplot as plt\nplt.plot([1, 2]);"
            answer = candidate.ask(cell(text, output_chars=10**6), 60)
        assert any("image/png" in output.get("data", {}) for output in answer["outputs"])
    finally:
        server.close()


def test_a_figure_is_shown_also_where_nobody_expected_one(plain_server: WarmServer) -> None:
    with plain_server.start(Limits()) as candidate:
        answer = candidate.ask(cell("import matplotlib.pyplot as plt\nplt.plot([1, 2]);", output_chars=10**6), 60)
    assert any("image/png" in output.get("data", {}) for output in answer["outputs"])
