"""Which texts need no watch: plain arithmetic; and that nothing refused hides in any text that is called harmless."""

import inspect
import itertools
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from course_lib.checks.refused import GROUPS, group, refuses_name, refuses_operation
from course_lib.checks.watch import Watch
from course_lib.grader.engine import unwatched
from course_lib.grader.engine.unwatched import needs_no_watch

SOFTMAX = (group("softmax"),)
GIVEN = ("torch", "nn", "F", "math", "lab", "checks", "x_demo")

HARMLESS = {
    "a formula": "import torch\ndef softmax(x):\n    z = (x - x.max()).exp()\n    return z / z.sum()",
    "one for each element": (
        "def softmax(x):\n    out = torch.empty_like(x)\n    for i, v in enumerate(x.tolist()):\n"
        "        out[i] = math.exp(v)\n    return out / sum(out)"
    ),
    "a module": (
        "class Dropout(nn.Module):\n    def __init__(self, p=0.5):\n        super().__init__()\n"
        "        self.keep_probability = 1 - p\n    def forward(self, x):\n"
        "        return x * (torch.rand_like(x) < self.keep_probability) if self.training else x"
    ),
    "imports of what is listed": "from torch import nn, exp as e\nimport torch.nn.functional as G\nG.relu(e(3))",
    "a listed built-in, bound anew": "def f(x):\n    return x\n\nlen = 3",
    "an own function of a refused name": "def softmax(x):\n    return x\n\ny = softmax(3)",
    "a try, a lambda, a walrus": "f = lambda: 2\ntry:\n    (n := f())\nexcept ValueError as error:\n    print(error)",
}

WATCHED = {
    "the refused thing itself": "def f(x):\n    return F.softmax(x, 0)",
    "a method": "def f(x):\n    return x.softmax(0)",
    "an import": "from torch.nn.functional import softmax as rand",
    "everything imported": "from torch.nn.functional import *",
    "another module": "import torch.special as torch",
    "an unknown module": "import numpy as np",
    "a relative import": "from . import torch",
    "a module of the student's": "import helper",
    "lookup by text": "def f(x):\n    return getattr(F, 'soft' + 'max')(x, 0)",
    "a dictionary of names": "def f(x):\n    return vars(F)['softmax'](x, 0)",
    "globals": "globals()['F']",
    "evaluation": "eval('F.soft' + 'max')",
    "a name between underscores": "torch.__dict__['softmax']",
    "a class's secrets": "''.__class__.__mro__",
    "formatting": "'{0.softmax}'.format(F)",
    "an attribute of another thing": "torch.rand = 3",
    "an attribute of a library, called self": "self = F\nself.exp = self.relu\nself.softmax",
    "set in dead code, read elsewhere": "def never(self):\n    self.softmax = 1\ndef f(x):\n    return F.softmax(x, 0)",
    "set in dead code, by an own name that a library has": "def never(self):\n    self.ops = 1\ntorch.ops.aten",
    "a built-in, read and bound later": "def f(x):\n    return getattr(F, 'relu')\nif False:\n    getattr = 1",
    "a name of the notebook's": "lab.anything(2)",
    "a name of the notebook's, bound later": "x_demo\nif False:\n    x_demo = 1",
    "a magic": "%time f(2)",
    "a shell command": "!ls",
    "IPython's own": "get_ipython()",
    "IPython's history": "In[0]",
    "what the last cell gave": "_.softmax",
    "a syntax error": "def f(x:\n",
    "a null character": "x = 1\0",
    "patterns": "match F:\n    case object(softmax=g):\n        g",
    "deletion": "del F",
    "waiting": "async def f():\n    pass",
    "unreadably long": "x = 1\n" * 5_000,
    "nested too deeply": "(" * 500 + ")" * 500,
    "a name between underscores, bound": "__builtins__ = 3",
}


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_plain_arithmetic_needs_no_watch(text: str) -> None:
    assert needs_no_watch([text], SOFTMAX, GIVEN)


@pytest.mark.parametrize("text", WATCHED.values(), ids=WATCHED)
def test_whatever_could_reach_more_is_watched(text: str) -> None:
    assert not needs_no_watch([text], SOFTMAX, GIVEN)


@pytest.mark.parametrize("text", WATCHED.values(), ids=WATCHED)
def test_one_such_cell_is_enough(text: str) -> None:
    assert not needs_no_watch([*HARMLESS.values(), text], SOFTMAX, GIVEN)


def test_a_name_that_no_cell_defines_is_watched_and_one_of_another_cell_is_not() -> None:
    text = "def f(x):\n    return helper(x)"
    assert not needs_no_watch([text], SOFTMAX, GIVEN)
    assert needs_no_watch(["def helper(x):\n    return x.exp()", text], SOFTMAX, GIVEN)


def test_where_all_of_torch_is_refused_everything_is_watched() -> None:
    assert not needs_no_watch(["def f(x):\n    return x + x"], (group("torch"),), GIVEN)


def _listed() -> dict[str, Any]:
    """Everything that a listed attribute is, by its full name."""
    roots = {
        "torch": torch,
        "torch.nn": torch.nn,
        "torch.nn.functional": F,
        "torch.Tensor": torch.Tensor,
        "torch.linalg": torch.linalg,
        "torch.special": torch.special,
    }
    return {
        f"{root}.{name}": getattr(thing, name)
        for (root, thing), name in itertools.product(roots.items(), sorted(unwatched._ATTRIBUTES))
        if hasattr(thing, name)
    }


OTHERS = {name: one for name, one in GROUPS.items() if one.operations != unwatched._EVERYTHING}


@pytest.mark.parametrize("one", OTHERS.values(), ids=OTHERS)
def test_no_listed_name_is_refused(one: Any) -> None:
    names = _listed()
    assert len(names) > 300
    assert not [name for name in names if refuses_name(one, name)]
    assert not [name for name in names if refuses_operation(one, f"aten::{name.rpartition('.')[2]}")]


@pytest.mark.filterwarnings("ignore")
def test_nothing_listed_does_anything_refused_inside() -> None:
    """Called with all sorts of arguments, each under the watch for everything that any exercise refuses."""
    x = torch.rand(3, 3, dtype=torch.float64) + 0.5
    tries: list[tuple[Any, ...]] = [(), (x,), (x, x), (x, x, x), (x, 0), (x, 0, torch.tensor([0, 2])), ([x, x],)]
    tries += [(x, 1, 0), (3,), (3, 3), ("ij,jk->ik", x, x), (x, torch.eye(3, dtype=torch.bool), 1.0), (x[0], x[1])]
    tries += [(torch.tensor([0, 2, 1]),), (x.to(torch.int64),), (x > 1, x, x), (x > 1, x > 1), (x[None], x[None])]
    worked = set()
    for name, thing in _listed().items():
        if not callable(thing) or inspect.isclass(thing):
            continue
        for arguments in tries:
            copies = [a.clone() if isinstance(a, torch.Tensor) else a for a in arguments]
            with Watch(tuple(OTHERS.values())) as watch:
                try:
                    thing(*copies)
                except Exception:  # these were not arguments for it
                    continue
            worked.add(name)
            assert not watch.found, f"{name} uses {watch.found}"
    assert len(worked) > 250, "few of them were tried at all"


def test_own_attributes_are_read_whatever_they_are_called_unless_a_library_has_one() -> None:
    text = (
        "class D(nn.Module):\n    def __init__(self):\n        self.{0} = 1\n    def f(self):\n        return self.{0}"
    )
    assert needs_no_watch([text.format("drop_chance")], SOFTMAX, GIVEN)
    for name in ("softmax", "dropout", "ops", "autograd", "optim"):
        assert not needs_no_watch([text.format(name)], SOFTMAX, GIVEN), name
