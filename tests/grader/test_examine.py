"""The plug-in: limits out of nbgrader's configuration, files beside the notebook, one server for a process."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import traitlets
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config, LoggingConfigurable

from course_lib.candidate.limits import Limits
from course_lib.candidate.requests import RunCell
from course_lib.grader.annotations import notes_of, seconds_of
from course_lib.grader.engine import examine as module
from course_lib.grader.engine.examine import Examine, _files_in
from course_lib.grader.engine.processes import EngineError, WarmServer

from .conftest import ASSIGNMENT
from .exam import case, checked, notebook, own, printed, solution


class Step(LoggingConfigurable):
    """Stands for the nbgrader step that makes the plug-in."""

    coursedir = traitlets.Instance(CourseDirectory)


def plugin(course: Path | None = None, **settings: Any) -> Examine:
    config = Config({"Examine": settings, "CourseDirectory": {"root": str(course or Path.cwd())}})
    return Examine(parent=Step(coursedir=CourseDirectory(config=config)), config=config)


# --------------------------------------------------------------------------------------------------------------- limits


def test_without_settings_the_limits_are_the_documented_ones() -> None:
    assert plugin().limits("any")("f") == Limits()


def test_limits_are_set_for_all_an_assignment_and_an_exercise() -> None:
    limits = plugin(
        case_seconds=1,
        by_assignment={"a": {"case_seconds": 2.0, "submission_seconds": 9.0}},
        by_exercise={"f": {"case_seconds": 3.0}, "b/g": {"memory_mb": 7}},
    )
    assert limits.limits("other")("x").case_seconds == 1
    assert [limits.limits("a")(name).case_seconds for name in ("", "x", "f")] == [2, 2, 3]
    assert limits.limits("a")("f").submission_seconds == 9
    assert [limits.limits(name)("g").memory_mb for name in ("a", "b")] == [Limits.memory_mb, 7]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"by_assignment": {"a": {"cell_second": 1}}},
            r"c.Examine.by_assignment['a']: cell_second cannot be set there; ",
        ),
        (
            {"by_exercise": {"f": {"submission_seconds": 1}}},
            r"c.Examine.by_exercise['f']: submission_seconds cannot be",
        ),
        ({"by_exercise": {"a/f": {"x": 1}}}, "what can be is case_seconds, cell_seconds, file_mb, memory_mb"),
    ],
)
def test_a_limit_that_does_not_exist_is_named_with_those_that_do(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match="nbgrader_config") as info:
        plugin(**settings).limits("a")
    assert words in str(info.value)


# ---------------------------------------------------------------------------------------------------- files beside it


def test_files_beside_the_notebook_are_handed_on_and_links_are_not(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "data.txt").write_bytes(b"1")
    (tmp_path / "notebook.ipynb").write_text("{}")
    secret = tmp_path.parent / "secret.txt"
    secret.write_text("secret")
    (tmp_path / "link.txt").symlink_to(secret)
    (tmp_path / "folder").symlink_to(tmp_path.parent)
    os.mkfifo(tmp_path / "pipe")
    assert _files_in(tmp_path, 100) == {"sub/data.txt": b"1"}


def test_files_are_handed_on_as_far_as_they_fit(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(bytes(40))
    assert set(_files_in(tmp_path, 100)) == {"a", "b"}


# ------------------------------------------------------------------------------------------------------------- the run


@pytest.fixture
def served(warm_server: WarmServer, course: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small course whose plug-in uses the shared warm process."""
    monkeypatch.setattr(module, "_servers", {("bubblewrap", str(course)): warm_server})
    return course


def resources(folder: Path) -> dict[str, Any]:
    return {"nbgrader": {"assignment": ASSIGNMENT}, "metadata": {"path": str(folder)}}


def test_a_notebook_is_run_with_the_files_beside_it(served: Path, tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("here")
    nb = notebook(own("print(open('data.txt').read())"))
    plugin(served).preprocess(nb, resources(tmp_path))
    assert printed(nb.cells[0]) == "here\n"
    assert seconds_of(nb) > 0
    assert notes_of(nb) == ()


def test_a_warm_process_that_has_ended_by_itself_is_replaced_without_a_word(course: Path) -> None:
    first = module.server_for("none", str(course), patient=False)
    assert isinstance(first, WarmServer)
    assert module.server_for("none", str(course)) is first
    os.kill(first.pid, signal.SIGKILL)
    first._process.wait(10)
    other = module.server_for("none", str(course), patient=False)
    with other.start(Limits()) as candidate:
        assert candidate.ask(RunCell("print(1)", 5.0, 1000), 10)["count"] == 1
    other.close()
    assert module._servers.pop(("none", str(course))) is other


def test_a_warm_process_that_fails_is_replaced_once(
    served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []
    really = module.examine

    def once_broken(*args: Any, **kwargs: Any) -> Any:
        tries.append(1)
        if len(tries) == 1:
            raise EngineError("gone")
        return really(*args, **kwargs)

    monkeypatch.setattr(module, "examine", once_broken)
    monkeypatch.setattr(module, "forget_servers", lambda: None)
    nb = notebook(own("print(1)"))
    plugin(served).preprocess(nb, resources(tmp_path))
    assert len(tries) == 2
    assert printed(nb.cells[0]) == "1\n"


def test_a_warm_process_that_fails_again_is_an_error_and_no_score(
    served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise EngineError("gone again")

    monkeypatch.setattr(module, "examine", broken)
    monkeypatch.setattr(module, "forget_servers", lambda: None)
    with pytest.raises(EngineError, match="gone again"):
        plugin(served).preprocess(notebook(own("1")), resources(tmp_path))


def test_misconceptions_are_the_assignments(served: Path, tmp_path: Path) -> None:
    test = checked(*(case(str(n), f"lambda f: f({n})", str(2 * n)) for n in (1, 2, 3)), name="double")
    nb = notebook(solution("def double(x):\n    return x * x", "double"), test)
    plugin(served).preprocess(nb, resources(tmp_path))
    assert "squares instead of doubling" in str(nb.cells[1].outputs)


def test_what_is_known_of_an_assignment_is_read_again_when_its_files_change(served: Path) -> None:
    its = plugin(served)
    first = its._paper(ASSIGNMENT)
    assert its._paper(ASSIGNMENT) is first
    known = served / "misconceptions" / f"{ASSIGNMENT}.py"
    known.write_text(known.read_text() + "\n# changed\n")
    assert its._paper(ASSIGNMENT) is not first
