"""Other right solutions of 05_loss_derivatives: each of them must keep all points."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.checks import alternative

# --------------------------------------------------------------------------------------------------------- mse_grad


@alternative("mse_grad", "three branches")
def mse_grad(pred: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(f"unknown reduction {reduction!r}")
    grad = 2 * (pred - target)
    if reduction == "mean":
        grad = grad / grad.numel()
    return grad


@alternative("mse_grad", "one element after the other, in plain Python")
def mse_grad(pred, target, reduction="mean"):
    scales = {"none": 1.0, "sum": 1.0, "mean": 1.0 / pred.numel()}
    if reduction not in scales:
        raise ValueError("reduction must be none, sum or mean")
    pairs = zip(pred.reshape(-1).tolist(), target.reshape(-1).tolist(), strict=True)
    values = [2.0 * (p - t) * scales[reduction] for p, t in pairs]
    return torch.tensor(values, dtype=pred.dtype, device=pred.device).reshape(pred.shape)


@alternative("mse_grad", "in place on a copy, multiplied out")
def mse_grad(pred, target, reduction="mean"):
    grad = pred.detach().clone()
    grad.mul_(2).sub_(target, alpha=2)
    if reduction == "mean":
        grad.div_(math.prod(pred.shape))
    elif reduction != "sum" and reduction != "none":
        raise ValueError(reduction)
    return grad


@alternative("mse_grad", "float64 inside")
def mse_grad(pred, target, reduction="mean"):
    match reduction:
        case "none" | "sum":
            count = 1
        case "mean":
            count = pred.numel()
        case _:
            raise ValueError(f"reduction={reduction!r}")
    difference = target.to(torch.float64) - pred.to(torch.float64)
    return (-2.0 / count * difference).type_as(pred)


@alternative("mse_grad", "shares of the mean as a tensor, an exception of its own")
def mse_grad(pred, target, reduction="mean"):
    class UnknownReduction(ValueError):
        pass

    share = torch.ones_like(pred)
    if reduction == "mean":
        share = share / share.sum()
    elif reduction not in {"none", "sum"}:
        raise UnknownReduction(str(reduction))
    error = torch.sub(pred, target)
    return share * error + error * share


# ---------------------------------------------------------------------------------------------------------- softmax


@alternative("softmax", "subtracts the row's maximum")
def softmax(z: Tensor) -> Tensor:
    exps = torch.exp(z - z.max(dim=-1, keepdim=True).values)
    return exps / exps.sum(dim=-1, keepdim=True)


@alternative("softmax", "through its own log-sum-exp")
def softmax(z):
    top = z.amax(-1, keepdim=True)
    log_total = top + (z - top).exp().sum(-1, keepdim=True).log()
    return (z - log_total).exp()


@alternative("softmax", "rows in plain Python")
def softmax(z):
    rows = []
    for row in z.reshape(-1, z.shape[-1]).tolist():
        top = max(row)
        exps = [math.exp(value - top) for value in row]
        total = math.fsum(exps)
        rows.append([value / total for value in exps])
    return torch.tensor(rows, dtype=z.dtype, device=z.device).reshape(z.shape)


@alternative("softmax", "one over the sum of exp of differences")
def softmax(z):
    return 1 / (z.unsqueeze(-2) - z.unsqueeze(-1)).exp().sum(-1)


@alternative("softmax", "in place on a copy in float64")
def softmax(z):
    out = z.detach().to(torch.float64, copy=True)
    out -= out.max(-1, keepdim=True)[0]
    out.exp_()
    out /= out.sum(-1, keepdim=True)
    return out.to(z.dtype)


@alternative("softmax", "normalizes exp with F.normalize")
def softmax(z):
    largest = torch.sort(z, dim=-1, descending=True).values[..., :1]
    return F.normalize(torch.exp(z - largest), p=1, dim=-1, eps=0.0)


# ------------------------------------------------------------------------------------------------- softmax_jacobian


@alternative("softmax_jacobian", "diagonal matrix minus outer product")
def softmax_jacobian(z: Tensor) -> Tensor:
    o = torch.softmax(z, dim=-1)
    return torch.diag(o) - torch.outer(o, o)


@alternative("softmax_jacobian", "two loops")
def softmax_jacobian(z):
    o = torch.softmax(z, 0)
    classes = z.shape[0]
    jacobian = torch.zeros(classes, classes, dtype=z.dtype, device=z.device)
    for i in range(classes):
        for j in range(classes):
            jacobian[i, j] = o[i] * (1 - o[i]) if i == j else -o[i] * o[j]
    return jacobian


@alternative("softmax_jacobian", "rows scaled by broadcasting")
def softmax_jacobian(z):
    exps = torch.exp(z - z.max())
    o = exps / exps.sum()
    return o[:, None] * (torch.eye(len(z), dtype=z.dtype, device=z.device) - o[None, :])


@alternative("softmax_jacobian", "einsum in float64")
def softmax_jacobian(z):
    o = F.softmax(z.double(), dim=0)
    jacobian = -torch.einsum("i,j->ij", o, o)
    jacobian.diagonal().add_(o)
    return jacobian.to(z.dtype)


@alternative("softmax_jacobian", "column by column in plain Python")
def softmax_jacobian(z):
    top = float(z.max())
    exps = [math.exp(float(value) - top) for value in z]
    o = [value / sum(exps) for value in exps]
    columns = [[a * ((i == j) - b) for i, a in enumerate(o)] for j, b in enumerate(o)]
    return torch.tensor(columns, dtype=z.dtype).T


# -------------------------------------------------------------------------------------------------- softmax_ce_grad


@alternative("softmax_ce_grad", "probabilities minus one-hot")
def softmax_ce_grad(z: Tensor, gold: Tensor, reduction: str = "mean") -> Tensor:
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(f"unknown reduction {reduction!r}")
    grad = torch.softmax(z, dim=-1) - F.one_hot(gold, z.shape[-1])
    return grad / z.shape[0] if reduction == "mean" else grad


@alternative("softmax_ce_grad", "subtracts by index, in place on the fresh probabilities")
def softmax_ce_grad(z, gold, reduction="mean"):
    grad = torch.softmax(z, 1)
    grad[torch.arange(len(gold)), gold] -= 1
    if reduction == "mean":
        grad /= len(gold)
    elif reduction not in ["sum", "none"]:
        raise ValueError("no such reduction")
    return grad


@alternative("softmax_ce_grad", "scatter_add into float64")
def softmax_ce_grad(z, gold, reduction="mean"):
    exps = (z.double() - z.double().amax(1, keepdim=True)).exp()
    grad = exps / exps.sum(1, keepdim=True)
    grad.scatter_add_(1, gold.unsqueeze(1), grad.new_full((z.shape[0], 1), -1.0))
    try:
        divisor = {"none": 1, "sum": 1, "mean": z.shape[0]}[reduction]
    except KeyError:
        raise ValueError(f"reduction {reduction!r} is not known") from None
    return (grad / divisor).to(z.dtype)


@alternative("softmax_ce_grad", "example by example in plain Python")
def softmax_ce_grad(z, gold, reduction="mean"):
    if reduction == "mean":
        weight = 1 / z.shape[0]
    elif reduction in ("sum", "none"):
        weight = 1.0
    else:
        raise ValueError(reduction)
    rows = []
    for row, right in zip(z.tolist(), gold.tolist(), strict=True):
        top = max(row)
        exps = [math.exp(value - top) for value in row]
        rows.append([weight * (e / sum(exps) - (c == right)) for c, e in enumerate(exps)])
    return torch.tensor(rows, dtype=z.dtype, device=z.device)


@alternative("softmax_ce_grad", "one over sums of differences, gold by comparison")
def softmax_ce_grad(z, gold, reduction="mean"):
    if reduction != "none" and reduction != "sum" and reduction != "mean":
        raise ValueError("none, sum or mean")
    is_gold = torch.arange(z.size(1), device=z.device).expand(z.size(0), -1) == gold[:, None]
    o = 1 / torch.exp(z[:, None, :] - z[:, :, None]).sum(2)
    grad = torch.where(is_gold, o - 1, o)
    return grad * (1 / z.size(0)) if reduction == "mean" else grad


@alternative("softmax_ce_grad", "through its own log-softmax")
def softmax_ce_grad(z, gold, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError
    shifted = z - z.max(1, keepdim=True).values
    logs = shifted - shifted.exp().sum(1, keepdim=True).log()
    grad = logs.exp().index_put((torch.arange(z.shape[0]), gold), -z.new_ones(()), accumulate=True)
    return grad.mul(1.0 / z.shape[0] if reduction == "mean" else 1.0)


# --------------------------------------------------------------------------------------------- softmax_ce_full_grad


@alternative("softmax_ce_full_grad", "probabilities minus target")
def softmax_ce_full_grad(z: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(f"unknown reduction {reduction!r}")
    grad = torch.softmax(z, dim=-1) - target
    return grad / len(z) if reduction == "mean" else grad


@alternative("softmax_ce_full_grad", "keeps the sum of the target as a factor")
def softmax_ce_full_grad(z, target, reduction="mean"):
    divisors = {"none": 1, "sum": 1, "mean": z.shape[0]}
    if reduction not in divisors:
        raise ValueError("reduction")
    exps = (z - z.amax(dim=1, keepdim=True)).exp()
    o = exps / exps.sum(dim=1, keepdim=True)
    return (o * target.sum(dim=1, keepdim=True) - target) / divisors[reduction]


@alternative("softmax_ce_full_grad", "target times the Jacobian of log-softmax")
def softmax_ce_full_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(str(reduction))
    o = F.softmax(z, dim=1)
    # ∂ log o_i / ∂ z_j = [i = j] − o_j
    jacobian = torch.eye(z.shape[1], dtype=z.dtype) - o[:, None, :]
    grad = -torch.einsum("ni,nij->nj", target, jacobian)
    return grad / z.shape[0] if reduction == "mean" else grad


@alternative("softmax_ce_full_grad", "example by example in float64")
def softmax_ce_full_grad(z, target, reduction="mean"):
    if reduction == "mean":
        scale = 1.0 / z.shape[0]
    elif reduction in ("none", "sum"):
        scale = 1.0
    else:
        raise ValueError(f"{reduction!r}")
    grad = torch.zeros_like(z)
    for n in range(z.shape[0]):
        row = z[n].double()
        exps = torch.exp(row - row.max())
        grad[n] = scale * (exps / exps.sum() - target[n].double())
    return grad


@alternative("softmax_ce_full_grad", "in place on a copy")
def softmax_ce_full_grad(z, target, reduction="mean"):
    grad = z.detach().clone()
    grad.sub_(grad.max(dim=-1, keepdim=True).values).exp_()
    grad.div_(grad.sum(dim=-1, keepdim=True)).sub_(target)
    if reduction == "mean":
        return grad.div_(grad.size(0))
    if reduction in ("sum", "none"):
        return grad
    raise ValueError("unknown reduction")


# ------------------------------------------------------------------------------------------------- sigmoid_bce_grad


@alternative("sigmoid_bce_grad", "sigmoid minus target")
def sigmoid_bce_grad(z: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(f"unknown reduction {reduction!r}")
    grad = torch.sigmoid(z) - target
    return grad / grad.numel() if reduction == "mean" else grad


@alternative("sigmoid_bce_grad", "one over one plus exp")
def sigmoid_bce_grad(z, target, reduction="mean"):
    # exp may be infinite here, and 1 / inf is 0, as it should be.
    grad = 1 / (1 + torch.exp(-z)) - target
    if reduction == "mean":
        return grad / math.prod(z.shape)
    if reduction == "sum" or reduction == "none":
        return grad
    raise ValueError(reduction)


@alternative("sigmoid_bce_grad", "through tanh of half the logit")
def sigmoid_bce_grad(z, target, reduction="mean"):
    divisors = {"none": 1.0, "sum": 1.0, "mean": float(z.numel())}
    if reduction not in divisors:
        raise ValueError("unknown reduction")
    return (torch.tanh(z / 2) / 2 + (0.5 - target)) / divisors[reduction]


@alternative("sigmoid_bce_grad", "element by element, with two safe branches")
def sigmoid_bce_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(str(reduction))

    def sigmoid(value):
        if value >= 0:
            return 1 / (1 + math.exp(-value))
        return math.exp(value) / (1 + math.exp(value))

    values = [sigmoid(a) - b for a, b in zip(z.flatten().tolist(), target.flatten().tolist(), strict=True)]
    if reduction == "mean":
        values = [value / len(values) for value in values]
    return torch.tensor(values, dtype=z.dtype).reshape(z.shape)


@alternative("sigmoid_bce_grad", "the pulls of both classes, in float64")
def sigmoid_bce_grad(z, target, reduction="mean"):
    match reduction:
        case "none" | "sum":
            count = 1
        case "mean":
            count = z.numel()
        case _:
            raise ValueError(f"reduction={reduction!r}")
    a, y = z.double(), target.double()
    return (((1 - y) * a.sigmoid() - y * torch.sigmoid(-a)) / count).to(z.dtype)


@alternative("sigmoid_bce_grad", "softmax of two logits")
def sigmoid_bce_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError("unknown reduction")
    p = torch.softmax(torch.stack([z, torch.zeros_like(z)]), 0)[0]
    grad = p.sub_(target)
    return grad.div_(z.numel()) if reduction == "mean" else grad
