import math

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

from course_lib import lab


class Linked:
    """Remembers its parents in a tuple; writes some operators in terms of others."""

    def __init__(self, value, links=()):
        self.value, self.grad, self.links = value, 0.0, links

    def __add__(self, other):
        other = other if isinstance(other, Linked) else Linked(other)
        return Linked(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, Linked) else Linked(other)
        return Linked(self.value * other.value, ((self, other.value), (other, self.value)))

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return -self + other

    def __pow__(self, number):
        return Linked(self.value**number, ((self, number * self.value ** (number - 1)),))

    def tanh(self):
        out = math.tanh(self.value)
        return Linked(out, ((self, 1 - out * out),))


TAPE = []


class Taped:
    """Keeps nothing in its objects: a list outside holds how gradients go back."""

    __slots__ = ("grad", "value")

    def __init__(self, value):
        self.value, self.grad = value, 0.0

    def __mul__(self, other):
        out = Taped(self.value * other.value)
        TAPE.append((out, self, other))
        return out


class Derived(Linked):
    pass


@pytest.fixture(autouse=True)
def _no_window():
    backend = mpl.get_backend()
    plt.switch_backend("agg")
    with mpl.rc_context():
        yield
    plt.close("all")
    plt.switch_backend(backend)


def drawn(graph, root, names=None):
    """The texts in a drawing, and how many arrows there are."""
    fig, ax = lab.figure()
    graph.draw(ax, root, names)
    fig.canvas.draw()
    arrows = [patch for patch in ax.patches if type(patch).__name__ == "FancyArrowPatch"]
    return [text.get_text() for text in ax.texts], len(arrows)


def labels(graph):
    return [operation.label for operation in graph.operations]


def test_operations_are_noted_as_they_are_written():
    a, b = Linked(2.0), Linked(-3.0)
    with lab.recording(Linked) as graph:
        c = a * b
        d = c + a
    assert labels(graph) == ["×", "+"]
    assert graph.operations[0].inputs == (a, b)
    assert graph.operations[1].inputs == (c, a)
    assert graph.operations[1].output is d
    assert graph.below(d) in ([b, a, c, d], [a, b, c, d])


def test_operators_written_in_terms_of_others_are_one_operation():
    a, b = Linked(2.0), Linked(-3.0)
    with lab.recording(Linked) as graph:
        _ = a - b
        _ = -a
    assert labels(graph) == ["−", "−( )"]
    assert graph.operations[0].inputs == (a, b)


def test_plain_numbers_stand_in_the_label_on_their_side():
    a = Linked(2.0)
    with lab.recording(Linked) as graph:
        _ = [a + 3, 3 + a, 0.5 * a, 1 - a, a - 1, a**-2]
    assert labels(graph) == ["+ 3", "3 +", "0.5 ×", "1 −", "− 1", "** −2"]
    assert all(operation.inputs == (a,) for operation in graph.operations)


def test_a_node_used_twice_is_an_input_twice_and_has_two_arrows():
    a = Linked(2.0)
    with lab.recording(Linked) as graph:
        b = a * a
    assert graph.operations[0].inputs == (a, a)
    assert graph.below(b) == [a, b]
    assert drawn(graph, b)[1] == 2


def test_it_does_not_matter_where_a_class_keeps_its_parents():
    a, b = Taped(2.0), Taped(5.0)
    with lab.recording(Taped) as graph:
        c = a * b
    assert graph.operations[0].inputs == (a, b)
    assert "value 10" in drawn(graph, c)[0]


def test_methods_of_a_base_class_are_noted_and_stay_there():
    a = Derived(2.0)
    with lab.recording(Derived) as graph:
        b = Derived.tanh(a)
    assert graph.operations == []  # a Linked came, which is not what was asked for
    assert "tanh" not in vars(Derived)
    assert type(b) is Linked


@pytest.mark.parametrize("kind", [Linked, lambda value: Linked(value)])
def test_a_class_or_a_function_that_makes_objects(kind):
    a = kind(2.0)
    with lab.recording(kind) as graph:
        _ = a.tanh()
    assert labels(graph) == ["tanh"]


def test_the_class_is_afterwards_as_it_was_even_after_an_error():
    before = dict(vars(Linked))
    with pytest.raises(ZeroDivisionError), lab.recording(Linked) as graph:
        Linked(0.0) ** -1
    assert dict(vars(Linked)) == before
    Linked(1.0) + Linked(2.0)
    assert graph.operations == []


def test_what_gives_back_its_own_operand_is_no_operation():
    class Lazy(Linked):
        def __mul__(self, other):
            return self if other == 1 else Lazy(0.0)

    with lab.recording(Lazy) as graph:
        _ = Lazy(2.0) * 1
    assert graph.operations == []


def test_nodes_show_name_operation_value_and_gradient():
    a, b = Linked(2.0), Linked(-3.0)
    with lab.recording(Linked) as graph:
        c = a * b
        d = c.tanh()
    a.grad, d.grad = -3.5, 1.0
    texts, arrows = drawn(graph, d, {"a": a, "c": c})
    assert arrows == 3
    assert texts.count("grad 0") == 2
    assert {"a", "c: ×", "tanh", "value 2", "value −3", "value −6", "grad −3.5", "grad 1"} <= set(texts)


def test_a_node_without_a_readable_number_says_so():
    a = Linked(2.0)
    with lab.recording(Linked) as graph:
        b = -a
    b.grad = None
    assert "grad ?" in drawn(graph, b)[0]


def test_what_was_not_seen_to_be_made_gets_a_sentence():
    a = Linked(2.0)
    with lab.recording(Linked) as graph:
        pass
    texts, arrows = drawn(graph, a)
    assert texts == ["No graph can be drawn: no operator of Linked was seen to make this node."]
    assert arrows == 0


def test_boxes_and_arrows_of_a_graph_with_long_edges_do_not_meet():
    a, b = Linked(2.0), Linked(-3.0)
    with lab.recording(Linked) as graph:
        c = a * b
        out = ((c.tanh() + 1) * c.tanh()) - a + b * 2 + c
    fig, ax = lab.figure()
    graph.draw(ax, out)
    fig.canvas.draw()
    boxes = [patch.get_bbox() for patch in ax.patches if type(patch).__name__ == "FancyBboxPatch"]
    assert len(boxes) == len(graph.below(out))
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
    for arrow in (patch for patch in ax.patches if type(patch).__name__ == "FancyArrowPatch"):
        assert not any(box.padded(-0.02).contains(*point) for box in boxes for point in arrow.get_path().vertices)


def test_a_long_chain_needs_no_recursion():
    a = y = Linked(0.5)
    with lab.recording(Linked) as graph:
        for _ in range(3000):
            y = y + 1
    assert len(graph.below(y)) == 3001
    assert graph.below(y)[0] is a
