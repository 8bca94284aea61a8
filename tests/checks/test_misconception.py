import textwrap

import pytest
import torch

from course_lib.checks import alternative, misconception
from course_lib.checks.misconception import Misconception, Variant, load_misconceptions, load_variants


@pytest.fixture
def load(tmp_path):
    def load_text(text, load=load_variants):
        path = tmp_path / "09_dropout.py"
        path.write_text(
            "import torch\nfrom course_lib import checks\nfrom course_lib.checks import alternative, misconception\n"
            + textwrap.dedent(text),
            encoding="utf-8",
        )
        return load(path)

    return load_text


TWO = '''
@misconception("double", "adds two", hint="Try it with 3.")
def double(x):
    """σ."""
    def helper(y):
        return y + 2
    return helper(x)


@checks.alternative("double", "adds it to itself")
class double:
    def __call__(self, x):
        return x + x
'''


def test_a_file_gives_its_variants_in_order_with_their_sources(load):
    wrong, right = load(TWO)
    assert (type(wrong), wrong.exercise, wrong.name, wrong.hint) == (
        Misconception,
        "double",
        "adds two",
        "Try it with 3.",
    )
    assert (type(right), right.exercise, right.name) == (Variant, "double", "adds it to itself")
    assert wrong.implementation(5) == 7
    assert right.implementation()(5) == 10
    assert wrong.source == (
        'def double(x):\n    """σ."""\n    def helper(y):\n        return y + 2\n    return helper(x)\n'
    )
    assert right.source.startswith("class double:\n")


def test_the_source_defines_the_implementation(load):
    for variant in load(TWO):
        space: dict = {}
        exec(variant.source, space)
        assert callable(space["double"])


def test_other_decorators_belong_to_the_source(load):
    (only,) = load(
        """
        @misconception("double", "adds two", hint="Try it with 3.")
        @torch.no_grad()
        def double(x):
            return x + 2
        """
    )
    assert only.source == "@torch.no_grad()\ndef double(x):\n    return x + 2\n"


def test_only_misconceptions_are_misconceptions(load):
    assert [m.name for m in load(TWO, load_misconceptions)] == ["adds two"]


def test_a_file_is_loaded_afresh_every_time(load):
    assert len(load(TWO)) == 2
    assert len(load("")) == 0
    assert len(load(TWO)) == 2


def test_the_decorated_function_stays_what_it_is():
    def double(x):
        return x + 2

    assert misconception("double", "adds two", hint="?")(double) is double
    assert alternative("double", "adds two")(double) is double


@pytest.mark.parametrize(("name", "hint"), [("", "hint"), (" ", "hint"), ("name", ""), ("name", " \n")])
def test_a_name_and_a_hint_are_demanded(name, hint):
    with pytest.raises(ValueError, match="a misconception of 'double' needs a name and a hint"):
        misconception("double", name, hint=hint)


def test_a_name_is_used_once(load):
    text = '@alternative("{}", "same")\ndef f(x):\n    pass\n'
    assert len(load(text.format("a") + text.format("b"))) == 2
    with pytest.raises(ValueError, match="two variants of 'a' are called 'same'"):
        load(text.format("a") * 2)


def test_a_declaration_below_the_top_level_is_an_error(load):
    with pytest.raises(ValueError, match="1 declarations ran, but 0 stand at the top level"):
        load('if True:\n    @alternative("a", "b")\n    def f(x):\n        pass\n')


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file of misconceptions or alternatives"):
        load_variants(tmp_path / "none.py")
    with pytest.raises(FileNotFoundError):
        load_variants(tmp_path)


def test_an_error_in_a_file_stops_its_collecting_only(load):
    with pytest.raises(ZeroDivisionError):
        load(TWO + "1 / 0\n")
    assert len(load(TWO)) == 2


def test_a_class_of_a_file_may_hold_modules(load):
    (only,) = load(
        """
        from torch import nn
        @misconception("Dropout", "always active", hint="Look at self.training.")
        class Dropout(nn.Module):
            def __init__(self, p=0.5):
                super().__init__()
                self.p = p
            def forward(self, x):
                return x * (torch.rand_like(x) >= self.p)
        """
    )
    assert only.implementation(0.0)(torch.ones(2)).tolist() == [1, 1]
