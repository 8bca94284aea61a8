"""Torch's own versions, reached in every way that a student may think of, are seen at work."""

import functools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import torch.nn.functional as F
import torchmetrics
from torch import nn

from course_lib.checks.refused import GROUPS, group, refuses_file, refuses_name, refuses_operation
from course_lib.checks.run import InProcessRunner


def used(implementation, key, scenario=lambda f: f()):
    """What the runner saw at work. The static check is not asked, so names are no help here."""
    seen = InProcessRunner(20).run(scenario, implementation, name="f", seed=0, refused=[group(key)])
    assert seen.stopped is None, seen.data
    return seen.refused


def in_thread(function):
    out = []
    thread = threading.Thread(target=lambda: out.append(function()))
    thread.start()
    thread.join()
    return out[0]


def in_pool(function):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


@functools.cache
def scripted():
    return torch.jit.script(_softmax_to_script)


def _softmax_to_script(z: torch.Tensor) -> torch.Tensor:
    return torch.softmax(z, -1)


def x():
    return torch.ones(2, 3, requires_grad=True)


def y():
    return torch.tensor([0, 1])


def p():
    return torch.full((2, 3), 0.5)


def parameter():
    tensor = torch.ones(2, requires_grad=True)
    tensor.grad = torch.ones(2)
    return tensor


SAVED, SAVED_METHOD, SAVED_MODULE = torch.softmax, torch.Tensor.softmax, nn.Softmax(-1)
SAVED_SEQUENTIAL = nn.Sequential(nn.Tanh())

WAYS = {
    "softmax": {
        "function": lambda: torch.softmax(x(), -1),
        "method": lambda: x().softmax(-1),
        "functional": lambda: F.softmax(x(), -1),
        "module": lambda: nn.Softmax(-1)(x()),
        "module made before": lambda: SAVED_MODULE(x()),
        "saved function": lambda: SAVED(x(), -1),
        "saved method": lambda: SAVED_METHOD(x(), -1),
        "name put together": lambda: getattr(torch, "soft" + "max")(x(), -1),
        "special": lambda: torch.special.softmax(x(), -1),
        "aten": lambda: torch.ops.aten.softmax.int(x(), -1),
        "aten, the inner operation": lambda: torch.ops.aten._softmax(x(), -1, False),
        "VariableFunctions": lambda: torch._C._VariableFunctions.softmax(x(), -1),
        "out=": lambda: torch.softmax(p(), -1, out=torch.empty(2, 3)),
        "other dtype": lambda: torch.softmax(p(), -1, dtype=torch.float64),
        "log_softmax": lambda: x().log_softmax(-1).exp(),
        "special log_softmax": lambda: torch.special.log_softmax(x(), -1),
        "logsumexp": lambda: torch.logsumexp(x(), -1),
        "logsumexp method": lambda: x().logsumexp(-1),
        "softmin": lambda: F.softmin(-x(), -1),
        "gumbel": lambda: F.gumbel_softmax(x()),
        "cross-entropy": lambda: F.cross_entropy(x(), y(), reduction="none").neg().exp(),
        "distribution": lambda: torch.distributions.Categorical(logits=x()).probs,
        "attention": lambda: F.scaled_dot_product_attention(x()[None], x()[None], x()[None]),
        # Fused on a CPU: no softmax is called on the way.
        "attention, fused": lambda: F.scaled_dot_product_attention(*[torch.ones(1, 1, 2, 8)] * 3),
        "multi-head attention": lambda: nn.MultiheadAttention(3, 1)(x(), x(), x())[0],
        "sparse": lambda: torch.sparse.softmax(p().to_sparse(), 1).to_dense(),
        "vmap": lambda: torch.vmap(lambda row: getattr(row, "softmax")(0))(x()),  # noqa: B009
        "func.jvp": lambda: torch.func.jvp(lambda z: SAVED(z, -1), (p(),), (p(),))[0],
        "script": lambda: scripted()(x()),
        "no_grad": torch.no_grad()(lambda: SAVED(x(), -1)),
        "inference mode": torch.inference_mode()(lambda: SAVED(p(), -1).clone()),
        "thread": lambda: in_thread(lambda: SAVED(x(), -1)),
        "pool": lambda: in_pool(lambda: SAVED(x(), -1)),
        "partial": functools.partial(SAVED, torch.ones(2), dim=-1),
    },
    "autograd": {
        "backward": lambda: x().exp().sum().backward(),
        "grad": lambda: torch.autograd.grad((x() * (w := x())).sum(), w),
        "torch.func.grad": lambda: torch.func.grad(lambda z: (z * z).sum())(p()),
        "vjp": lambda: torch.func.vjp(torch.exp, p())[1](p()),
        "jvp": lambda: torch.func.jvp(torch.exp, (p(),), (p(),)),
        "jacrev": lambda: torch.func.jacrev(torch.exp)(torch.ones(2)),
        "jacfwd": lambda: torch.func.jacfwd(torch.exp)(torch.ones(2)),
        "functional": lambda: torch.autograd.functional.jacobian(torch.exp, torch.ones(2)),
        "forward mode": lambda: forward_mode(),
        "backward operation": lambda: torch.ops.aten.sigmoid_backward(p(), p()),
        "a node of the graph, called by hand": lambda: x().exp().grad_fn(p()),
        "the nodes below it": lambda: x().exp().sum().grad_fn.next_functions[0][0](p()),
        "own Function": lambda: (Doubled.apply(x())).sum().backward(),
        "linearize": lambda: torch.func.linearize(torch.exp, p())[1](p()),
        "thread": lambda: in_thread(lambda: x().exp().sum().backward()),
        "enable_grad within no_grad": torch.no_grad()(torch.enable_grad()(lambda: x().exp().sum().backward())),
    },
    "mse_loss": {
        "function": lambda: F.mse_loss(x(), p()),
        "module": lambda: nn.MSELoss()(x(), p()),
        "aten": lambda: torch.ops.aten.mse_loss(x(), p()),
        "C": lambda: torch._C._nn.mse_loss(x(), p()),
    },
    "cross_entropy": {
        "function": lambda: F.cross_entropy(x(), y()),
        "module": lambda: nn.CrossEntropyLoss()(x(), y()),
        "soft targets": lambda: F.cross_entropy(x(), p()),
        "aten": lambda: torch.ops.aten.cross_entropy_loss(x(), y()),
    },
    "nll_loss": {
        "function": lambda: F.nll_loss(x(), y()),
        "module": lambda: nn.NLLLoss()(x(), y()),
        "images": lambda: F.nll_loss(torch.ones(1, 2, 3, 3), torch.zeros(1, 3, 3, dtype=torch.int64)),
        "aten": lambda: torch.ops.aten.nll_loss(x(), y()),
        "through cross-entropy": lambda: F.cross_entropy(x(), y()),
    },
    "bce": {
        "function": lambda: F.binary_cross_entropy(p(), p()),
        "logits": lambda: F.binary_cross_entropy_with_logits(x(), p()),
        "module": lambda: nn.BCELoss()(p(), p()),
        "module with logits": lambda: nn.BCEWithLogitsLoss()(x(), p()),
    },
    "dropout": {
        "function": lambda: F.dropout(x()),
        "in place": lambda: F.dropout(p(), inplace=True),
        "torch": lambda: torch.dropout(x(), 0.5, True),
        "in place, torch": lambda: torch.dropout_(p(), 0.5, True),
        "native": lambda: torch.native_dropout(x(), 0.5, True),
        "module": lambda: nn.Dropout()(x()),
        "channels": lambda: nn.Dropout2d()(torch.ones(1, 2, 3, 3)),
        "one axis": lambda: F.dropout1d(x()),
        "alpha": lambda: F.alpha_dropout(x(), training=True),
        "feature": lambda: torch.feature_dropout(x(), 0.5, True),
        "feature alpha": lambda: F.feature_alpha_dropout(torch.ones(1, 2, 3), training=True),
    },
    "linear": {
        "function": lambda: F.linear(x(), p()),
        "module": lambda: nn.Linear(3, 1)(x()),
        "sequential": lambda: nn.Sequential(nn.Linear(3, 1))(x()),
        "aten": lambda: torch.ops.aten.linear(x(), p()),
        "C": lambda: torch._C._nn.linear(x(), p()),
    },
    "sequential": {
        "module": lambda: nn.Sequential(nn.Tanh())(x()),
        "saved": lambda: SAVED_SEQUENTIAL(x()),
        "name put together": lambda: getattr(nn, "Sequen" + "tial")(nn.Tanh())(x()),
        "called by hand": lambda: nn.Sequential.forward([nn.Tanh()], x()),
    },
    "lstm": {
        "module": lambda: nn.LSTM(3, 2)(x()),
        "cell": lambda: nn.LSTMCell(3, 2)(x()),
        "function": lambda: torch.lstm_cell(x(), (p()[:, :2], p()[:, :2]), torch.ones(8, 3), torch.ones(8, 2)),
    },
    "optim": {
        "SGD": lambda: torch.optim.SGD([parameter()], lr=0.1).step(),
        "AdamW": lambda: torch.optim.AdamW([parameter()]).step(),
        "name put together": lambda: getattr(torch.optim, "Ad" + "am")([parameter()]).step(),
        "functional": lambda: torch.optim._functional.sgd(
            [parameter().detach()],
            [p()[0, :2]],
            [None],
            weight_decay=0,
            momentum=0,
            lr=0.1,
            dampening=0,
            nesterov=False,
            maximize=False,
        ),
        "fused operation": lambda: torch._fused_sgd_(
            [torch.ones(2)],
            [torch.ones(2)],
            [torch.ones(2)],
            weight_decay=0.0,
            momentum=0.5,
            lr=0.1,
            dampening=0.0,
            nesterov=False,
            maximize=False,
            is_first_step=True,
        ),
        "thread": lambda: in_thread(lambda: torch.optim.SGD([parameter()], lr=0.1).step()),
    },
    "clip_grad": {
        "norm": lambda: nn.utils.clip_grad_norm_([parameter()], 1.0),
        "value": lambda: nn.utils.clip_grad_value_([parameter()], 1.0),
        "total norm": lambda: nn.utils.get_total_norm([p()]),
        "name put together": lambda: getattr(nn.utils, "clip_grad" + "_norm_")([parameter()], 1.0),
        "thread": lambda: in_thread(lambda: nn.utils.clip_grad_norm_([parameter()], 1.0)),
    },
    "torchmetrics": {
        "class": lambda: torchmetrics.MeanMetric()(1.0),
        "function": lambda: torchmetrics.functional.mean_squared_error(p(), p()),
        "classification": lambda: torchmetrics.classification.BinaryAccuracy()(p(), p().int()),
        "name put together": lambda: getattr(torchmetrics, "Mean" + "Metric")()(1.0),
        "thread": lambda: in_thread(lambda: torchmetrics.MeanMetric()(1.0)),
    },
    "torch": {"tensor": lambda: torch.tensor(1.0) * 2, "random": lambda: torch.rand(1).item()},
}


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z):
        return 2 * z

    @staticmethod
    def backward(ctx, grad):
        return 2 * grad


def forward_mode():
    import torch.autograd.forward_ad as fwd

    with fwd.dual_level():
        return fwd.unpack_dual(fwd.make_dual(p(), p()).exp()).tangent


@pytest.mark.parametrize(("key", "way"), [(key, way) for key, ways in WAYS.items() for way in ways])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_seen_at_work(key, way):
    found = used(WAYS[key][way], key)
    assert len(found) == 1
    assert found[0].startswith(f"{GROUPS[key].label} (seen at work: ")


def test_every_group_has_ways():
    assert WAYS.keys() == GROUPS.keys()


# ------------------------------------------------------------------------------------------- honest code goes free


def softmax(z):
    e = (z - z.amax(-1, keepdim=True)).exp()
    return e / e.sum(-1, keepdim=True)


class OwnSoftmax(nn.Module):
    def softmax(self, z):
        return softmax(z)

    def forward(self, z):
        return self.softmax(z)


class Own(torch.optim.Optimizer):
    def __init__(self, params):
        torch.optim.Optimizer.__init__(self, params, {"lr": 0.1})

    @torch.no_grad()
    def step(self, closure=None):
        for options in self.param_groups:
            for tensor in options["params"]:
                tensor.add_(tensor.grad, alpha=-options["lr"])


def use_own_optimizer():
    tensor = parameter()
    optimizer = Own([tensor])
    optimizer.step()
    optimizer.zero_grad()
    optimizer.load_state_dict(optimizer.state_dict())
    return tensor


class OwnMetric(torchmetrics.Metric):
    total: torch.Tensor

    def __init__(self):
        super().__init__()
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, value):
        self.total += value

    def compute(self):
        return self.total


def use_own_metric():
    metric = OwnMetric()
    metric.update(1.0)
    metric(2.0)
    result = metric.compute()
    metric.reset()
    return result


HONEST = {
    "softmax": [
        lambda: softmax(x()),
        lambda: OwnSoftmax()(x()),
        lambda: torch.logaddexp(x(), x()),
        lambda: F.gelu(x()),
    ],
    "autograd": [
        torch.no_grad()(lambda: x().exp()),
        torch.enable_grad()(lambda: (x().detach().requires_grad_() * 2).detach()),
        torch.inference_mode()(lambda: p().exp()),
        lambda: torch.sigmoid(x()) * torch.tanh(x()) + F.relu(x()),
        lambda: torch.einsum("ij,kj->ik", x(), x()),
        lambda: torch.vmap(torch.exp)(p()),
        lambda: in_thread(lambda: p().exp()),
        lambda: x().clone().index_put_((torch.tensor([0]),), torch.zeros(3)),
    ],
    "mse_loss": [lambda: ((x() - p()) ** 2).mean(), lambda: F.l1_loss(x(), p())],
    "cross_entropy": [lambda: F.one_hot(y(), 3), lambda: -F.log_softmax(x(), -1)[[0, 1], y()].mean()],
    "nll_loss": [lambda: -x().log_softmax(-1).gather(1, y()[:, None]).mean()],
    "bce": [lambda: -(p() * F.logsigmoid(x())).mean(), lambda: F.softplus(x())],
    "dropout": [lambda: torch.bernoulli(p()), lambda: torch.empty(3).bernoulli_(0.5), lambda: torch.rand(3) < 0.5],
    "linear": [
        lambda: x() @ p().T,
        lambda: torch.addmm(p()[:, :2], x(), p().T),
        lambda: F.bilinear(x(), x(), torch.ones(1, 3, 3)),
    ],
    "sequential": [lambda: nn.ModuleList([nn.Tanh()])[0](x()), lambda: nn.Tanh()(x())],
    "lstm": [lambda: torch.sigmoid(x()) * torch.tanh(x()), lambda: nn.GRU(3, 2)(x())[0]],
    "optim": [use_own_optimizer, lambda: torch._foreach_add([p()], 1.0), lambda: nn.Linear(1, 1).parameters()],
    "clip_grad": [
        lambda: p().clamp(-1, 1),
        lambda: torch.linalg.vector_norm(p()),
        lambda: nn.utils.parameters_to_vector([p()]),
    ],
    "torchmetrics": [use_own_metric],
    "torch": [lambda: 1.0 + 2, lambda: __import__("math").exp(1.0)],
}


@pytest.mark.parametrize(("key", "number"), [(key, n) for key, ways in HONEST.items() for n in range(len(ways))])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_honest_code_is_not_refused(key, number):
    assert used(HONEST[key][number], key) == ()


def test_the_operation_is_named():
    assert used(lambda: SAVED(x(), -1), "softmax") == (
        "torch.softmax or its kin (seen at work: the operation aten::softmax)",
    )
    assert used(lambda: x().sum().backward(), "autograd") == (
        "torch's automatic differentiation (seen at work: its backward pass)",
    )
    assert used(lambda: torch.optim.SGD([parameter()], lr=0.1), "optim") == (
        "torch's own optimizers (seen at work: the function SGD.__init__)",
    )


# --------------------------------------------------------------------------------------------------- the patterns


def test_an_unknown_group_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown refused group 'sofmax'; known are autograd, bce, .* torchmetrics"):
        group("sofmax")


def test_every_group_can_be_seen_at_work():
    for one in GROUPS.values():
        assert one.operations or one.files, one.label
        assert one.label
        assert one.names


@pytest.mark.parametrize(
    ("key", "name", "refused"),
    [
        ("softmax", "torch.distributions.SoftmaxTransform", True),
        ("softmax", "torch._refs", True),
        ("softmax", "torch._refs.nn.functional", True),
        ("mse_loss", "torch._decomp.decompositions", True),
        ("autograd", "torch._decomp", True),
        ("softmax", "torch._references", False),
        ("softmax", "torch.softmax", True),
        ("softmax", "torch.softmax_of_mine", False),
        ("softmax", "mytorch.softmax", False),
        ("linear", "torch.nn.Linear", True),
        ("linear", "torch.nn.Bilinear", False),
        ("linear", "torch.nn.functional.bilinear", False),
        ("dropout", "torch.nn.Dropout", True),
        ("autograd", "torch.autograd", True),
        ("autograd", "torch.autograd.no_grad", False),
        ("autograd", "torch.no_grad", False),
        ("optim", "torch.optim", False),
        ("optim", "torch.optim.Optimizer", False),
        ("optim", "torch.optim.Optimizer.step", False),
        ("torchmetrics", "torchmetrics.Metric.reset", False),
        ("torchmetrics", "torchmetrics.MetricCollection", True),
        ("torch", "torch", True),
        ("torch", "torchmetrics", False),
    ],
)
def test_names(key, name, refused):
    assert refuses_name(group(key), name) is refused


@pytest.mark.parametrize(
    ("key", "event", "refused"),
    [
        ("linear", "aten::linear", True),
        ("linear", "aten::linear_cross_entropy", False),
        ("autograd", "autograd::engine::evaluate_function: ExpBackward0", True),
        ("autograd", "aten::detach", False),
        ("autograd", "aten::threshold_backward", True),
        ("softmax", "aten::_softmax", True),
        ("softmax", "aten::_softmax_backward_data", True),
        ("clip_grad", "aten::clamp", False),
        ("torch", "aten::add", True),
    ],
)
def test_operations(key, event, refused):
    assert refuses_operation(group(key), event) is refused


@pytest.mark.parametrize(
    ("key", "path", "refused"),
    [
        ("optim", "/lib/torch/optim/adamw.py", True),
        ("optim", "/lib/torch/optim/optimizer.py", False),
        ("optim", "/home/student/my_torch/optim/adamw.py", False),
        ("torchmetrics", "C:/lib/torchmetrics/functional/classification/accuracy.py", True),
        ("torchmetrics", "/lib/torchmetrics/metric.py", False),
        ("torchmetrics", "/lib/torchmetrics/utilities/data.py", False),
        ("softmax", "/lib/torch/nn/functional.py", False),
    ],
)
def test_files(key, path, refused):
    assert refuses_file(group(key), path) is refused
