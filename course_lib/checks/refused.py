"""Torch's own versions of what an exercise asks to build: named, found in the text, and found at work.

Text first: the syntax tree of the student's cell, imports and aliases resolved, from the exercise's definition to
every helper that it uses. Then at work: while a scenario runs, torch's dispatcher reports every operation by name,
whichever way it was reached (a saved reference, ``torch.ops``, a method, a module, ``torch.func``), and Python
reports the library files whose functions are entered, for what has no operation of its own (optimizers, metrics).
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """One thing that exercises refuse.

    Attributes:
        label: what a message calls it.
        names: pattern of full dotted names, as in ``torch.nn.functional.softmax``.
        operations: pattern of the dispatcher's event names, as in ``aten::_softmax``; empty: none.
        files: pattern of library file paths, as in ``torch/optim/adamw.py``; empty: none.
        functions: pattern of the qualified names, in these files, of the functions concerned; empty: all.
    """

    label: str
    names: str
    operations: str = ""
    files: str = ""
    functions: str = ""


_IN_PYTHON = r"|torch\._(refs|decomp)(\..*)?"
"""Torch's operations once more, written in Python of smaller ones: at work nothing tells them from a student's own."""


def _torch(*names: str) -> str:
    """Any of ``names`` as a function, method, module or operation anywhere below torch, and torch's own in Python."""
    return rf"torch\.(.*\.)?({'|'.join(names)})(\.default|\.int)?{_IN_PYTHON}"


GROUPS: dict[str, Group] = {
    "autograd": Group(
        "torch's automatic differentiation",
        r"torch\.autograd(?!\.(grad_mode|no_grad|set_grad_enabled|enable_grad|inference_mode))(\..*)?"
        r"|torch\.func\..*|torch\._functorch\..*|torch\.ops\..*_backward(_data)?(\..*)?|torch\.Tensor\.backward"
        + _IN_PYTHON,
        # \w+Backward0: a node of torch's graph, called by hand and not by the engine.
        r"autograd::engine::.*|aten::_make_dual|aten::\w*_backward(_data)?|\w+Backward\d+",
    ),
    "softmax": Group(
        "torch.softmax or its kin",
        _torch(
            "_?softmax",
            "_?log_softmax",
            "logsumexp",
            "softmin",
            "gumbel_softmax",
            "_safe_softmax",
            "_masked_softmax",
            "Softmax",
            "Softmax2d",
            "LogSoftmax",
            "Softmin",
            "CrossEntropyLoss",
            "cross_entropy",
            "scaled_dot_product_attention",
            "MultiheadAttention",
            "Categorical",
            "SoftmaxTransform",
        ),
        r"aten::(special_|_sparse_|_masked_|_safe_|_)?(log_)?softmax(_backward_data)?|aten::(special_)?_?logsumexp"
        r"|aten::_?scaled_dot_product\w*|aten::_?(native_)?multi_head_attention\w*|aten::cross_entropy_loss",
    ),
    "mse_loss": Group(
        "torch's mean squared error", _torch("mse_loss", "MSELoss", "mse_loss_backward"), r"aten::mse_loss\w*"
    ),
    "cross_entropy": Group(
        "torch's cross-entropy",
        _torch("cross_entropy", "CrossEntropyLoss", "cross_entropy_loss", "linear_cross_entropy"),
        r"aten::(linear_)?cross_entropy\w*",
    ),
    "nll_loss": Group(
        "torch's negative log-likelihood",
        _torch("nll_loss", "NLLLoss", "nll_loss_nd", "nll_loss2d"),
        r"aten::nll_loss\w*",
    ),
    "bce": Group(
        "torch's binary cross-entropy",
        _torch(r"binary_cross_entropy\w*", "BCELoss", "BCEWithLogitsLoss"),
        r"aten::binary_cross_entropy\w*",
    ),
    "dropout": Group(
        "torch's dropout",
        _torch(
            r"(feature_|alpha_|feature_alpha_|native_)?dropout[123]?d?_?",
            r"(Feature|Alpha|FeatureAlpha)?Dropout[123]?d?",
        ),
        r"aten::(feature_|alpha_|feature_alpha_|native_|_fused_)?dropout\w*",
    ),
    "linear": Group("torch's linear layer", _torch("linear", "Linear", "LazyLinear"), r"aten::linear"),
    "sequential": Group(
        "nn.Sequential",
        _torch("Sequential"),
        files=r"torch/nn/modules/container\.py",
        functions=r"Sequential\..*",  # the file holds nn.ModuleList, too
    ),
    "lstm": Group(
        "torch's LSTM",
        _torch("lstm", "lstm_cell", "LSTM", "LSTMCell"),
        r"aten::(_thnn_fused_)?(quantized_)?lstm\w*|aten::mkldnn_rnn\w*",
    ),
    "optim": Group(
        "torch's own optimizers",
        r"torch\.optim(?!\.(Optimizer|optimizer)(\.|$))(\..+)",
        r"aten::_fused_(adam|adamw|sgd|adagrad)\w*",
        r"torch/optim/(?!optimizer\.py|__init__\.py)\w+\.py",
    ),
    "clip_grad": Group(
        "torch's gradient clipping",
        _torch(r"clip_grad(_norm|_value)?_?", "clip_grads_with_norm_", "get_total_norm"),
        "",
        r"torch/nn/utils/clip_grad\.py",
    ),
    "torchmetrics": Group(
        "the metrics of torchmetrics",
        r"torchmetrics\.(?!(Metric|metric|utilities)(\.|$))(.+)",
        "",
        r"torchmetrics/(?!metric\.py|utilities/|__init__\.py|__about__\.py)[\w/]+\.py",
    ),
    "torch": Group("torch", r"torch(\..*)?", r"aten::.*"),
}
"""What an exercise can name in ``refused=[…]``."""


def group(name: str) -> Group:
    """Look a group up by name.

    Raises:
        ValueError: for an unknown name, listing the known ones.
    """
    try:
        return GROUPS[name]
    except KeyError:
        raise ValueError(f"unknown refused group {name!r}; known are {', '.join(sorted(GROUPS))}") from None


def refuses_name(group: Group, dotted: str) -> bool:
    """Whether the group covers this full dotted name."""
    return re.fullmatch(group.names, dotted) is not None


def refuses_operation(group: Group, event: str) -> bool:
    """Whether the group covers this event of the dispatcher."""
    return bool(group.operations) and re.match(rf"(?:{group.operations})(?![\w])", event) is not None


def refuses_file(group: Group, path: str) -> bool:
    """Whether the group covers functions of this library file (a path with forward slashes)."""
    return bool(group.files) and re.search(rf"(?:^|/)(?:{group.files})$", path) is not None


def refuses_function(group: Group, name: str) -> bool:
    """Whether the group covers the function of this qualified name, in a file that it covers."""
    return not group.functions or re.fullmatch(group.functions, name) is not None
