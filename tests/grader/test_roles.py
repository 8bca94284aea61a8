"""What each cell is for, and which of the source's ungraded cells others need."""

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_raw_cell

from course_lib.grader.engine.roles import Role, names_in, needed_extras, role_of

from .conftest import nbgrader_cell
from .exam import extra, given, own, plain_test, solution


@pytest.mark.parametrize(
    ("cell", "role"),
    [
        (solution("x = 1"), Role.STUDENT),
        (own("x = 1"), Role.STUDENT),
        (given("import math"), Role.GIVEN),
        (plain_test("1.0"), Role.TEST),
        (extra("plot()"), Role.EXTRA),
        (solution("  \n"), None),
        (new_markdown_cell("text", metadata=nbgrader_cell("explain", solution=True)), None),
        (new_raw_cell("text"), None),
    ],
)
def test_a_cells_role_comes_from_the_sources_metadata(cell: NotebookNode, role: Role | None) -> None:
    assert role_of(cell) is role


def test_a_manually_graded_answer_in_code_is_the_students() -> None:
    cell = solution("x = 1")
    cell.metadata["nbgrader"]["grade"] = True
    assert role_of(cell) is Role.STUDENT


@pytest.mark.parametrize(
    ("source", "bound", "read"),
    [
        ("x = y", {"x"}, {"y"}),
        ("x = 1\nz = x", {"x", "z"}, set()),
        ("def f(a):\n    return a + b", {"f"}, {"b"}),
        ("class C(Base):\n    y = z\n    def m(self):\n        return w", {"C"}, {"Base", "z", "w"}),
        ("import a.b as c, d.e\nfrom f import g", {"c", "d", "g"}, set()),
        ("def f():\n    global g\n    g = 1", {"f"}, set()),
        ("x += 1", {"x"}, {"x"}),
        ("[i for i in n]", set(), {"n"}),
        ("%matplotlib inline\nx = y", {"x"}, {"y"}),
        ("await y", set(), {"y"}),
        ("for i in range(n): pass", {"i"}, {"n", "range"}),
        ("with a() as b: pass", {"b"}, {"a"}),
        ("this is not (", set(), set()),
        ("\x00", set(), set()),
        ("(" * 1000, set(), set()),
        # Python refuses to write whole numbers of more than 4300 decimal digits, and reads them all the same.
        (f"x = 0x{'f' * 4000}\ndef f():\n    return y", {"x", "f"}, {"y"}),
        (f"def f(a=-0o{'7' * 9000}):\n    return a in (0b{'1' * 30000}, (b, 1))", {"f"}, {"b"}),
        (f"x = 5 in {{0x{'f' * 4000}, 2}}\nf(a=1, b=y)", {"x"}, {"f", "y"}),
        (f"x = {'lambda: ' * 1500}y", {"x"}, {"y"}),
    ],
)
def test_names_that_a_cell_binds_and_reads(source: str, bound: set[str], read: set[str]) -> None:
    names = names_in(source)
    assert names.bound >= bound
    assert names.read >= read
    assert not (names.read - read) & {"x", "y", "z", "i", "a"}


def test_whether_a_cell_is_python() -> None:
    assert names_in("x = 1").python
    assert not names_in("x = (").python
    assert names_in(f"x = 0x{'f' * 4000}").python


@pytest.mark.parametrize(
    ("cells", "needed"),
    [
        ([extra("a = 1"), solution("def f():\n    return a"), plain_test("f()")], {0}),
        ([extra("a = 1"), extra("print(a)"), solution("def f(): pass"), plain_test("f()")], set()),
        ([extra("a = 1"), extra("b = a"), own("print(b)")], {0, 1}),
        ([extra("a = 1"), plain_test("assert f() == a")], {0}),
        ([extra("a = 1"), given("b = a")], {0}),
        ([solution("x = 1"), extra("print(x)")], set()),
        ([extra("a = 1"), own("broken (")], set()),
    ],
)
def test_an_ungraded_cell_is_needed_for_what_it_defines(cells: list[NotebookNode], needed: set[int]) -> None:
    assert needed_extras(cells) == needed
