import time
from collections import OrderedDict, namedtuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from course_lib.checks.compare import compare
from course_lib.checks.data import MAX_ITEMS, MAX_TEXT, Opaque, Raised, plain, raised, raises


class Called(BaseException):
    """A student's method ran; no `except Exception` hides it."""


def call(*args, **kwargs):
    raise Called


EVERY_METHOD = dict.fromkeys(
    [
        "__eq__",
        "__iter__",
        "__len__",
        "__getitem__",
        "__str__",
        "__repr__",
        "__float__",
        "__int__",
        "__index__",
        "__bool__",
        "__contains__",
        "__getattribute__",
        "__getattr__",
        "__reduce_ex__",
        "__deepcopy__",
        "__copy__",
        "__array__",
        "__format__",
        "__iadd__",
        "items",
        "keys",
        "values",
        "clone",
        "detach",
        "tolist",
        "dtype",
        "shape",
    ],
    call,
) | {"__hash__": lambda self: call()}


def hostile(base, *args):
    """An object of a subclass of `base` of which every method raises `Called`."""
    return type("Hostile", (base,), dict(EVERY_METHOD))(*args)


# ------------------------------------------------------------------------------------------------- what comes through


@pytest.mark.parametrize("value", [None, True, 3, -2.5, "text", [1, [2]], {"a": [1], 2: "b"}, Raised(("ValueError",))])
def test_plain_data_stays_as_it_is(value):
    assert plain(value) == value


def test_a_tuple_becomes_a_list():
    assert plain((1, (2, 3))) == [1, [2, 3]]


def test_relatives_of_containers_become_plain_ones():
    pair = namedtuple("pair", "a b")(1, 2)
    for value, expected in ((pair, [1, 2]), (torch.Size([2, 3]), [2, 3]), (OrderedDict(a=1), {"a": 1})):
        came = plain(value)
        assert came == expected
        assert type(came) is type(expected)


def test_a_tensor_arrives_as_a_detached_contiguous_copy():
    leaf = torch.arange(6.0).reshape(2, 3).requires_grad_()
    came = plain((leaf * 1).T)
    assert type(came) is torch.Tensor
    assert came.is_contiguous()
    assert not came.requires_grad
    assert came.tolist() == leaf.T.tolist()


def test_a_copy_does_not_follow_the_original():
    original, items = torch.zeros(2), [1]
    came = plain([original, items])
    original.add_(1)
    items.append(2)
    assert came[0].tolist() == [0, 0]
    assert came[1] == [1]


def test_a_parameter_is_a_tensor():
    came = plain(nn.Parameter(torch.ones(2)))
    assert type(came) is torch.Tensor
    assert not came.requires_grad


def test_conjugated_and_negated_views_hold_their_values():
    z = torch.tensor([1 + 2j])
    assert plain(z.conj()).tolist() == [1 - 2j]
    assert plain(z.conj().imag).tolist() == [-2.0]
    assert not plain(z.conj()).is_conj()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float64(0.5), 0.5),
        (np.float32(0.5), Opaque("a float32")),
        (np.int64(3), Opaque("an int64")),
        (np.bool_(True), Opaque("a bool")),
        (np.zeros(2), Opaque("a ndarray")),
    ],
)
def test_numpy_is_no_tensor(value, expected):
    came = plain(value)
    assert came == expected
    assert type(came) is type(expected)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (object(), "an object"),
        ({1, 2}, "a set"),
        (b"bytes", "a bytes"),
        (1j, "a complex"),
        (range(3), "a range"),
        (iter([1]), "a list_iterator"),
        (len, "a builtin_function_or_method"),
        (nn.Linear(1, 1), "a Linear"),
        (torch.zeros(2).to_sparse(), "a sparse tensor"),
        (torch.zeros(2, device="meta"), "a tensor without data (on the meta device)"),
        ({1.5: 1}, "a dict with keys that are neither text nor whole numbers"),
        ("x" * (MAX_TEXT + 1), f"a text of {MAX_TEXT + 1} characters"),
    ],
)
def test_everything_else_is_opaque_and_named(value, kind):
    assert plain(value) == Opaque(kind)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_tensors_of_other_kinds_are_opaque():
    nested = torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)])
    quantized = torch.quantize_per_tensor(torch.zeros(2), 0.1, 0, torch.qint8)
    assert plain([nested, quantized]) == [Opaque("a nested tensor"), Opaque("a quantized tensor")]


def test_a_dtype_arrives_as_its_name():
    assert plain(torch.float32) == "torch.float32"


# ------------------------------------------------------------------------------------------- hostile objects

anything = st.recursive(
    st.sampled_from([None, True, 1, 2.5, "s", 1j, b"", object, len, torch.zeros(1), np.zeros(1), {1}]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(st.sampled_from(["a", 1, 2.5, None, ()]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(anything)
def test_plain_is_idempotent(value):
    once = plain(value)
    assert repr(plain(once)) == repr(once)


@pytest.mark.parametrize("base", [object, str, int, float, list, tuple, dict, set, Exception])
def test_no_method_of_a_students_object_is_called(base):
    plain([hostile(base)])


def test_no_method_of_a_tensor_subclass_is_called():
    class Own(torch.Tensor):
        __torch_function__ = classmethod(call)
        __eq__ = __len__ = __iter__ = __deepcopy__ = clone = detach = tolist = call
        shape = dtype = layout = is_nested = property(call)

    came = plain(torch.ones(2).as_subclass(Own))
    assert type(came) is torch.Tensor
    assert torch.equal(came, torch.ones(2))


def test_overridden_methods_do_not_change_what_a_container_holds():
    class Lies(list):
        def __iter__(self):
            return iter([0.25, 0.75])

        def __len__(self):
            return 2

        def __eq__(self, other):
            return True

    assert plain(Lies([1])) == [1]
    assert compare(plain(Lies([1])), [0.25, 0.75]) is not None


@pytest.mark.parametrize(("base", "value"), [(str, "sum"), (int, 3)])
def test_a_subclass_of_text_or_number_is_not_taken_at_its_word(base, value):
    equal_to_all = type("Same", (base,), {"__eq__": lambda a, b: True, "__hash__": base.__hash__})(value)
    assert compare(plain(equal_to_all), value) is not None


def test_a_subclass_of_float_arrives_as_what_it_is_underneath():
    lying = type("Lying", (float,), {"__float__": lambda self: 1.0, "__eq__": lambda a, b: True})(2.0)
    assert plain(lying) == 2.0
    assert type(plain(lying)) is float


def test_a_metaclass_that_equals_everything_gets_nothing_through():
    class EqualsAll(type):
        def __eq__(cls, other):
            return True

        __hash__ = type.__hash__

    class Answer(metaclass=EqualsAll):
        def __eq__(self, other):
            return True

        def __float__(self):
            return 0.5

        __hash__ = None

    assert plain(Answer()) == Opaque("an Answer")
    assert compare(plain(Answer()), 0.5) is not None
    assert compare(plain(Answer()), 3) is not None


@pytest.mark.parametrize("lie", [torch.Tensor, float, list, tuple, dict, torch.dtype, int, str, Raised])
def test_an_object_that_lies_about_its_class_is_opaque(lie):
    liar = type("Liar", (), {"__class__": property(lambda self: lie)})()
    assert plain(liar) == Opaque("a Liar")


def test_an_object_that_refuses_to_name_its_class_is_opaque():
    assert plain(type("Mute", (), {"__class__": property(call)})()) == Opaque("a Mute")


def test_a_class_name_is_read_without_the_students_metaclass():
    meta = type("Meta", (type,), {"__name__": property(call), "__mro__": property(call)})
    assert plain(meta("Thing", (), {})()) == Opaque("a Thing")


def test_a_class_name_that_is_a_students_text_is_read_as_text():
    own = type("Own", (str,), {"__getitem__": call, "lower": call, "__format__": call, "__str__": call})
    assert plain(type(own("apple"), (), {})()) == Opaque("an apple")


def test_results_that_students_make_themselves_hold_only_text():
    assert type(plain(Raised(hostile(tuple)))) is Opaque
    assert type(plain(Raised(("ValueError",), hostile(str)))) is Opaque
    assert plain(Opaque(hostile(str))) == Opaque("an Opaque")


def test_a_tensor_that_left_its_transformation_raises_nothing():
    kept = []
    torch.vmap(lambda x: kept.append(x) or x)(torch.ones(3, 2))
    came = plain(kept)
    assert compare(came, [torch.zeros(2)]) is not None


# ------------------------------------------------------------------------------------------- deep, long and cyclic


def test_a_cycle_ends():
    loop = []
    loop.append(loop)
    came = plain(loop)
    while type(came) is list:
        (came,) = came
    assert came == Opaque("containers nested too deeply")


def test_a_wide_cycle_ends_soon():
    wide: list = []
    wide.extend([wide] * 50)
    mapping: dict = {}
    mapping.update(dict.fromkeys(range(50), mapping))
    began = time.perf_counter()
    plain([wide, mapping])
    assert time.perf_counter() - began < 15


def test_a_container_with_too_many_items_does_not_pass():
    many = [0] * (MAX_ITEMS + 10)
    assert plain(many)[-1] == Opaque("too many items")
    assert compare(plain(many), many) is not None


def test_a_tensor_larger_than_the_memory_is_opaque():
    assert type(plain(torch.zeros(1).expand(2**50))) is Opaque


# ------------------------------------------------------------------------------------------------------ exceptions


def test_an_exception_is_its_classes_and_its_text_on_one_line():
    came = raised(UnicodeError("two\n   lines"))
    assert came.kinds == ("UnicodeError", "ValueError", "Exception")
    assert came.kind == "UnicodeError"
    assert came.message == "two lines"


def test_an_exception_without_readable_text_has_none():
    def __str__(self):
        raise ValueError

    assert raised(type("Bad", (Exception,), {"__str__": __str__})()).message == ""


def test_an_exception_may_say_much_and_little_of_it_is_kept():
    assert len(raised(ValueError("x" * 100_000)).message) <= 500


def test_an_exceptions_text_can_be_written_to_a_file():
    assert raised(ValueError("\ud800 \x00")).message.encode()


def test_an_exceptions_classes_are_read_without_the_students_metaclass():
    meta = type("Meta", (type,), {"__name__": property(call), "__eq__": lambda a, b: True, "__hash__": type.__hash__})
    assert raised(meta("Own", (ValueError,), {})()).kinds == ("Own", "ValueError", "Exception")


def test_raises_names_the_classes():
    assert raises(ValueError, TypeError) == Raised(("ValueError", "TypeError"))
