import textwrap
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.checks.refused import group
from course_lib.checks.syntax import find_refused


def found(source, name="f", *groups):
    return find_refused(textwrap.dedent(source), name, [group(key) for key in groups or ("softmax",)])


# --------------------------------------------------------------------------------------------------- what is found


@pytest.mark.parametrize(
    ("source", "entry"),
    [
        ("def f(z):\n    return torch.softmax(z, -1)", "torch.softmax (line 2)"),
        ("def f(z):\n    return F.log_softmax(z, -1).exp()", "torch.nn.functional.log_softmax (line 2)"),
        ("def f(z):\n    return nn.Softmax(-1)(z)", "torch.nn.Softmax (line 2)"),
        ("def f(z):\n    return nn.functional.softmin(-z)", "torch.nn.functional.softmin (line 2)"),
        ("def f(z):\n    return torch.Tensor.softmax(z, -1)", "torch.Tensor.softmax (line 2)"),
        ("def f(z):\n    return torch.special.softmax(z, -1)", "torch.special.softmax (line 2)"),
        (
            "def f(z):\n    return torch.ops.aten._softmax.default(z, -1, False)",
            "torch.ops.aten._softmax.default (line 2)",
        ),
        ("import torch as t\ndef f(z):\n    return t.softmax(z, -1)", "torch.softmax (line 3)"),
        ("from torch import softmax as g\ndef f(z):\n    return g(z, -1)", "torch.softmax (line 3)"),
        ("import torch.nn.functional as G\ndef f(z):\n    return G.softmax(z)", "torch.nn.functional.softmax (line 3)"),
        (
            "from torch.nn import functional\ndef f(z):\n    return functional.softmax(z)",
            "torch.nn.functional.softmax (line 3)",
        ),
        (
            "import torch.nn.functional\ndef f(z):\n    return torch.nn.functional.softmax(z)",
            "torch.nn.functional.softmax (line 3)",
        ),
        ("def f(z):\n    import torch as t\n    return t.softmax(z, -1)", "torch.softmax (line 3)"),
        (
            "def f(z):\n    from torch import logsumexp\n    return (z - logsumexp(z, -1)).exp()",
            "torch.logsumexp (line 3)",
        ),
        ("def helper(z):\n    return torch.softmax(z, -1)\ndef f(z):\n    return helper(z)", "torch.softmax (line 2)"),
        (
            "def a(z):\n    return torch.softmax(z, -1)\ndef b(z):\n    return a(z)\ndef f(z):\n    return b(z)",
            "torch.softmax (line 2)",
        ),
        ("g = torch.softmax\ndef f(z):\n    return g(z, -1)", "torch.softmax (line 1)"),
        ("f = torch.softmax", "torch.softmax (line 1)"),
        ("f, other = torch.softmax, 1", "torch.softmax (line 1)"),
        ("f: object = torch.softmax", "torch.softmax (line 1)"),
        ("(f := torch.softmax)", "torch.softmax (line 1)"),
        ("f = lambda z: torch.softmax(z, -1)", "torch.softmax (line 1)"),
        ("from torch import softmax as f", "torch.softmax (line 1)"),
        ("if True:\n    def f(z):\n        return torch.softmax(z, -1)", "torch.softmax (line 3)"),
        ("try:\n    f\nexcept NameError:\n    f = torch.softmax", "torch.softmax (line 4)"),
        ("match 1:\n    case 1:\n        f = torch.softmax", "torch.softmax (line 3)"),
        ("def setup():\n    global f\n    f = torch.softmax\nsetup()", "torch.softmax (line 3)"),
        ("class f:\n    def __call__(self, z):\n        return torch.softmax(z, -1)", "torch.softmax (line 3)"),
        ("class Base:\n    g = torch.softmax\nclass f(Base):\n    pass", "torch.softmax (line 2)"),
        ("class f(nn.Softmax):\n    pass", "torch.nn.Softmax (line 1)"),
        ("def f(z, g=torch.softmax):\n    return g(z, -1)", "torch.softmax (line 1)"),
        ("async def f(z):\n    return torch.softmax(z, -1)", "torch.softmax (line 2)"),
        ("def f(z):\n    return [torch.softmax(row, -1) for row in z]", "torch.softmax (line 2)"),
        ("def f(z):\n    return z\ndef f(z):\n    return torch.softmax(z, -1)", "torch.softmax (line 4)"),
        ("z = await something()\ndef f(z):\n    return torch.softmax(z, -1)", "torch.softmax (line 3)"),
    ],
)
def test_a_refused_name_is_found_with_its_line(source, entry):
    assert found(source) == [entry]


def test_every_use_is_listed_once_in_the_order_of_the_text():
    source = """\
        def f(z):
            a = torch.logsumexp(z, -1)
            return torch.softmax(z, -1) + torch.softmax(z, -1)
        """
    assert found(source) == ["torch.logsumexp (line 2)", "torch.softmax (line 3)"]


def test_every_group_is_looked_for():
    source = "def f(z):\n    z = F.linear(z)\n    return torch.softmax(z, -1)"
    assert found(source, "f", "softmax", "linear") == [
        "torch.nn.functional.linear (line 2)",
        "torch.softmax (line 3)",
    ]
    assert found(source, "f", "linear") == ["torch.nn.functional.linear (line 2)"]


# ------------------------------------------------------------------------------------------- what is left in peace


@pytest.mark.parametrize(
    "source",
    [
        "def f(z):\n    e = (z - z.max()).exp()\n    return e / e.sum()",
        'def f(z):\n    "torch.softmax(z, -1)"  # torch.softmax(z, -1)\n    return "torch.softmax"',
        "def f(z: torch.nn.Softmax, g: torch.softmax = None) -> torch.nn.Softmax:\n    h: nn.Softmax = z\n    return h",
        "def f(z):\n    return z.exp()\nassert torch.allclose(f(torch.ones(2)), torch.softmax(torch.ones(2), -1))",
        "def f(z):\n    return z.exp()\ndef check():\n    return f(torch.ones(2)) - torch.softmax(torch.ones(2), -1)",
        "def other(z):\n    return torch.softmax(z, -1)\ndef f(z):\n    return z.exp()",
        "class f:\n    def softmax(self, z):\n        return z\n    def run(self, z):\n        return self.softmax(z)",
        "def f(z):\n    return z.exp()\nif __name__ == '__main__':\n    print(torch.softmax(torch.ones(2), -1))",
        "from torch import softmax\ndef f(z):\n    return z.exp()\nprint(f(z) - softmax(z, -1))",
    ],
)
def test_an_honest_solution_is_left_in_peace(source):
    assert found(source) == []


@pytest.mark.parametrize(
    "check",
    [
        "out = torch.softmax(torch.ones(2), -1)",
        "for z in torch.ones(3, 2):\n    assert torch.allclose(f(z), torch.softmax(z, -1))",
        "with torch.no_grad():\n    out = torch.softmax(torch.ones(2), -1)",
        "z = nn.Softmax(-1)(torch.ones(2))",
        "def inner(z):\n    return torch.softmax(z, -1)",
    ],
)
def test_a_self_check_may_name_its_variables_as_the_function_does(check):
    source = """\
def f(z):
    def inner(out):
        return out

    out = z.exp()
    return inner(out) / sum(z for z in out)

"""
    assert found(source + check) == []


def test_a_variable_of_the_cell_that_the_function_reads_counts():
    assert found("out = torch.softmax\ndef f(z):\n    return out(z, -1)") == ["torch.softmax (line 1)"]


@pytest.mark.parametrize(
    "line",
    [
        "with torch.no_grad(): pass",
        "with torch.enable_grad(): pass",
        "with torch.autograd.no_grad(): pass",
        "with torch.autograd.set_grad_enabled(False): pass",
        "with torch.autograd.grad_mode.inference_mode(): pass",
        "x = x.detach().requires_grad_()",
        "x = torch.sigmoid(x) * torch.exp(x)",
        "y: torch.autograd.Function = x",
    ],
)
def test_grad_modes_are_no_autograd(line):
    assert found(f"def f(x):\n    {line}", "f", "autograd") == []


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("torch.autograd.grad(x, x)", "torch.autograd.grad"),
        ("torch.autograd.functional.jacobian(x, x)", "torch.autograd.functional.jacobian"),
        ("torch.autograd.forward_ad.make_dual(x, x)", "torch.autograd.forward_ad.make_dual"),
        ("torch.func.jacrev(x)", "torch.func.jacrev"),
        ("torch.Tensor.backward(x)", "torch.Tensor.backward"),
        ("torch.ops.aten.sigmoid_backward(x, x)", "torch.ops.aten.sigmoid_backward"),
        ("class G(torch.autograd.Function): pass", "torch.autograd.Function"),
    ],
)
def test_autograd_has_many_doors(line, name):
    assert found(f"def f(x):\n    {line}", "f", "autograd") == [f"{name} (line 2)"]


@pytest.mark.parametrize(
    "source",
    [
        "class f(torch.optim.Optimizer):\n    def __init__(self, p):\n        super().__init__(p, {})",
        "class f(torch.optim.Optimizer):\n    def __init__(s, p):\n        torch.optim.Optimizer.__init__(s, p, {})",
        "from torch.optim import Optimizer\nclass f(Optimizer):\n    pass",
        "from torch.optim.optimizer import Optimizer, required\nclass f(Optimizer):\n    lr = required",
        "import torch.optim as o\nclass f(o.Optimizer):\n    pass",
    ],
)
def test_a_subclass_of_optimizer_is_ones_own(source):
    assert found(source, "f", "optim") == []


@pytest.mark.parametrize(
    "name",
    [
        "torch.optim.AdamW",
        "torch.optim.adamw.AdamW",
        "torch.optim.adam.adam",
        "torch.optim.OptimizerX",
        "torch.optim.lr_scheduler.StepLR",
    ],
)
def test_torchs_optimizers_are_refused(name):
    assert found(f"class f({name}):\n    pass", "f", "optim") == [f"{name} (line 1)"]


@pytest.mark.parametrize(
    "source",
    [
        "class f(torchmetrics.Metric):\n    def __init__(self):\n        torchmetrics.Metric.__init__(self)",
        "from torchmetrics.metric import Metric\nclass f(Metric):\n    pass",
        "from torchmetrics.utilities import dim_zero_cat as g\nclass f(torchmetrics.Metric):\n    cat = g",
    ],
)
def test_a_subclass_of_metric_is_ones_own(source):
    assert found(source, "f", "torchmetrics") == []


@pytest.mark.parametrize(
    "name",
    [
        "torchmetrics.MeanMetric",
        "torchmetrics.functional.accuracy",
        "torchmetrics.classification.BinaryF1Score",
        "torchmetrics.MetricCollection",
    ],
)
def test_the_metrics_of_torchmetrics_are_refused(name):
    assert found(f"class f({name}):\n    pass", "f", "torchmetrics") == [f"{name} (line 1)"]


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("mse_loss", ["F.mse_loss", "nn.MSELoss"]),
        ("cross_entropy", ["F.cross_entropy", "nn.CrossEntropyLoss"]),
        ("nll_loss", ["F.nll_loss", "nn.NLLLoss"]),
        ("bce", ["F.binary_cross_entropy", "F.binary_cross_entropy_with_logits", "nn.BCELoss", "nn.BCEWithLogitsLoss"]),
        (
            "dropout",
            [
                "F.dropout",
                "F.dropout2d",
                "F.alpha_dropout",
                "F.feature_alpha_dropout",
                "torch.dropout_",
                "torch.native_dropout",
                "nn.Dropout",
                "nn.Dropout3d",
                "nn.AlphaDropout",
            ],
        ),
        ("linear", ["F.linear", "nn.Linear", "nn.LazyLinear", "torch._C._nn.linear"]),
        ("lstm", ["nn.LSTM", "nn.LSTMCell", "torch.lstm_cell", "torch.lstm"]),
        (
            "clip_grad",
            [
                "nn.utils.clip_grad_norm_",
                "nn.utils.clip_grad_value_",
                "nn.utils.get_total_norm",
                "torch.nn.utils.clip_grad.clip_grad_norm_",
            ],
        ),
        ("torch", ["torch.exp", "nn.Module", "torch"]),
        (
            "softmax",
            [
                "F.gumbel_softmax",
                "nn.LogSoftmax",
                "nn.Softmax2d",
                "F.cross_entropy",
                "torch.distributions.Categorical",
                "F.scaled_dot_product_attention",
            ],
        ),
    ],
)
def test_each_group_has_its_names(key, names):
    for name in names:
        assert len(found(f"def f(x):\n    return {name}(x)", "f", key)) == 1, name


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("dropout", "torch.bernoulli(x).mul_(x.bernoulli_(0.5))"),
        ("cross_entropy", "F.one_hot(x) * F.log_softmax(x, -1)"),
        ("linear", "x @ x.T + torch.addmm(x, x, x) + F.bilinear(x, x, x)"),
        ("mse_loss", "F.l1_loss(x, x)"),
        ("lstm", "nn.GRU(1, 1)(x)"),
        ("clip_grad", "nn.utils.parameters_to_vector(x).clamp(0, 1)"),
        ("torch", "math.exp(x)"),
    ],
)
def test_what_a_group_does_not_name_is_allowed(key, line):
    assert found(f"def f(x):\n    return {line}", "f", key) == []


# ------------------------------------------------------------------------------------------------------ robustness


@given(st.text())
def test_no_text_raises(source):
    assert isinstance(find_refused(source, "f", [group("softmax")]), list)


@pytest.mark.parametrize("source", ["", "def f(", "\x00", "f" + "(" * 300 + ")" * 300, "return torch.softmax"])
def test_what_is_not_python_holds_nothing(source):
    assert found(source) == []


@pytest.mark.parametrize("line", [r'"\sigma"', "1 is 1", "0x1for x in []"])
def test_a_students_odd_line_makes_no_warning(line):
    # nbgrader takes a warning on stderr in a test cell for a failed test.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert found(f"def f(z):\n    {line}\n    return torch.softmax(z, -1)") == ["torch.softmax (line 3)"]


@pytest.mark.parametrize(
    "line",
    [
        f"n = 0x{'f' * 4000}",  # Python does not write whole numbers of more than 4300 decimal digits
        f"n = (1, (-0o{'7' * 9000}, 2))",
        f"assert z not in {{0b{'1' * 30_000}, 2}}",
    ],
    ids=["hexadecimal", "octal in a tuple", "binary in a set"],
)
def test_what_python_reads_and_does_not_write_hides_nothing(line):
    for source in (
        f"def f(z):\n    {line}\n    return g(z)\n",
        f"{line.replace('z', '0')}\ndef f(z):\n    return g(z)\n",
    ):
        assert found(source) == []
        assert found(f"{source}g = torch.softmax") == [f"torch.softmax (line {source.count(chr(10)) + 1})"]
