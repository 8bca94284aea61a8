import pytest

from course_lib.checks import session as sessions
from course_lib.checks.run import InProcessRunner
from course_lib.checks.session import CASE_SECONDS, Session, current, session

FILE = """
from course_lib.checks import misconception


@misconception("double", "adds two", hint="Try it with 3.")
def double(x):
    return x + 2
"""


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    monkeypatch.delenv("COURSE_LIB_MISCONCEPTIONS", raising=False)
    monkeypatch.delenv("COURSE_LIB_CASE_SECONDS", raising=False)


def test_on_a_students_machine_no_misconceptions_are_known():
    here = current()
    assert here.misconceptions == ()
    assert here.show
    assert isinstance(here.runner, InProcessRunner)
    assert here.runner.case_seconds == CASE_SECONDS == 10


def test_the_environment_names_the_misconceptions(monkeypatch, tmp_path):
    (tmp_path / "m.py").write_text(FILE)
    monkeypatch.setenv("COURSE_LIB_MISCONCEPTIONS", str(tmp_path / "m.py"))
    assert [m.name for m in current().misconceptions] == ["adds two"]


def test_the_environment_says_how_long_a_case_may_take(monkeypatch):
    monkeypatch.setenv("COURSE_LIB_CASE_SECONDS", "2.5")
    assert current().runner.case_seconds == 2.5


def test_a_file_that_is_not_there_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_LIB_MISCONCEPTIONS", str(tmp_path / "none.py"))
    with pytest.raises(FileNotFoundError, match=r"no file of misconceptions or alternatives at .*none\.py"):
        current()


@pytest.mark.parametrize("text", ["ten", "1,5", "0", "-1", "nan", "inf"])
def test_a_time_that_is_none_is_an_error(monkeypatch, text):
    monkeypatch.setenv("COURSE_LIB_CASE_SECONDS", text)
    with pytest.raises(ValueError, match=f"COURSE_LIB_CASE_SECONDS must be a number of seconds, not '{text}'"):
        current()


def test_a_session_is_in_force_for_its_block_and_may_be_nested():
    outer, inner = Session(seed=1), Session(seed=2)
    with session(outer) as given:
        assert given is outer
        with session(inner):
            assert current() is inner
        assert current() is outer
        with pytest.raises(ValueError, match="mine"), session(inner):
            raise ValueError("mine")
        assert current() is outer
    assert sessions._active.get() is None
