"""Misconceptions of 05_loss_derivatives: each of them must lose points, and is named in the feedback with its hint."""

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.checks import misconception

# --------------------------------------------------------------------------------------------------------- mse_grad


@misconception(
    "mse_grad",
    "forgets the factor 2 of the square",
    hint="Torch's loss has no ½ in front. Differentiate (p − t)² for p with the chain rule and keep every factor.",
)
def mse_grad(pred: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = pred - target
    return grad / grad.numel() if reduction == "mean" else grad


@misconception(
    "mse_grad",
    "averages over rows instead of elements",
    hint="Write down torch's mean for a 2 × 3 prediction: how many squared errors are added up, and what are they "
    "divided by?",
)
def mse_grad(pred, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = 2 * (pred - target)
    return grad / pred.shape[0] if reduction == "mean" else grad


@misconception(
    "mse_grad",
    "gives the derivative for the target",
    hint="If a prediction is too high, does the loss grow or shrink when you raise it further? "
    "Compare that with the sign of your result.",
)
def mse_grad(pred, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = 2 * (target - pred)
    return grad / grad.numel() if reduction == "mean" else grad


@misconception(
    "mse_grad",
    "never averages",
    hint="With reduction='mean' the loss is smaller by a constant factor than with 'sum'. What does that do to its "
    "derivative?",
)
def mse_grad(pred, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    return 2 * (pred - target)


@misconception(
    "mse_grad",
    "averages for 'none' as well",
    hint="With reduction='none' every element has a loss of its own, which knows nothing of the others, "
    "nor of how many there are.",
)
def mse_grad(pred, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = 2 * (pred - target)
    return grad if reduction == "sum" else grad / grad.numel()


@misconception(
    "mse_grad",
    "reduces the gradient as if it were the loss",
    hint="The loss becomes one number, but the derivative still has one entry for each prediction: "
    "what shape must it have so that you can subtract it from pred?",
)
def mse_grad(pred, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = 2 * (pred - target)
    if reduction == "sum":
        return grad.sum()
    return grad.mean() if reduction == "mean" else grad


@misconception(
    "mse_grad",
    "accepts any word as a reduction",
    hint="What does your function do with reduction='average'? A typing error should be heard at once, "
    "not give a silent answer.",
)
def mse_grad(pred, target, reduction="mean"):
    grad = 2 * (pred - target)
    if reduction == "mean":
        grad = grad / grad.numel()
    return grad


@misconception(
    "mse_grad",
    "subtracts in place",
    hint="Print pred before and after the call. Which of your lines writes into the tensor that you were given?",
)
def mse_grad(pred, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    pred -= target
    return 2 * pred / pred.numel() if reduction == "mean" else 2 * pred


@misconception(
    "mse_grad",
    "keeps the scale in a float32 tensor",
    hint="What dtype has torch.tensor(0.1)? Look at the ninth digit of your result for float64 inputs; "
    "a plain Python number would have kept it.",
)
def mse_grad(pred, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    scale = torch.tensor(2.0 / pred.numel() if reduction == "mean" else 2.0)
    return scale * (pred - target)


@misconception(
    "mse_grad",
    "flattens with view",
    hint="A transposed tensor does not lie in memory row by row, and .view refuses it. Elementwise arithmetic needs no "
    "flattening at all.",
)
def mse_grad(pred, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = 2 * (pred.view(-1) - target.view(-1))
    if reduction == "mean":
        grad = grad / len(grad)
    return grad.view(pred.shape)


@misconception(
    "mse_grad",
    "subtracts in place from what double() returned",
    hint="What does .double() return when the tensor is float64 already: a copy, or the tensor itself? Print pred "
    "before and after a call in float64.",
)
def mse_grad(pred, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = pred.double()
    grad -= target.double()
    grad = 2 * grad.to(pred.dtype)
    return grad / grad.numel() if reduction == "mean" else grad


@misconception(
    "mse_grad",
    "looks at the reduction only where there is something to reduce",
    hint="For a single number all three reductions are the same, but 'average' is a typing error there too. "
    "Which line of yours should come first?",
)
def mse_grad(pred, target, reduction="mean"):
    grad = 2 * (pred - target)
    if grad.numel() == 1:
        return grad
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    return grad / grad.numel() if reduction == "mean" else grad


@misconception(
    "mse_grad",
    "takes the root of the squared error",
    hint="What is (1e25)² in float32, and what is (1e-25)²? The error with its sign is what you had before you squared "
    "it.",
)
def mse_grad(pred, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    error = pred - target
    grad = 2 * error.sign() * (error**2).sqrt()
    return grad / grad.numel() if reduction == "mean" else grad


@misconception(
    "mse_grad",
    "takes nearly right for right",
    hint="Try the prediction 1000.005 for the target 1000. The error is small beside these numbers, but is the "
    "derivative 0?",
)
def mse_grad(pred, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = 2 * (pred - target)
    grad = torch.where(torch.isclose(pred, target), torch.zeros_like(grad), grad)
    return grad / grad.numel() if reduction == "mean" else grad


@misconception(
    "mse_grad",
    "divides a gradient that it keeps for the next call",
    hint="Call it with the same two tensors for 'mean' and then for 'none'. What is left in your store after an "
    "operator such as /= ?",
)
def mse_grad(pred, target, reduction="mean", *, kept={}):  # noqa: B006
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    if (pred, target) not in kept:
        kept[pred, target] = 2 * (pred - target)
    grad = kept[pred, target]
    if reduction == "mean":
        grad /= grad.numel()
    return grad


# ---------------------------------------------------------------------------------------------------------- softmax


@misconception(
    "softmax",
    "takes exp of the logits as they are",
    hint="What is torch.exp(torch.tensor(1000.0)), and what is it divided by itself? "
    "Use that the same number may be subtracted from all logits of a row.",
)
def softmax(z: Tensor) -> Tensor:
    exps = torch.exp(z)
    return exps / exps.sum(dim=-1, keepdim=True)


@misconception(
    "softmax",
    "subtracts the maximum of the whole tensor",
    hint="Think of a batch with the rows [1000, 1001] and [0, 1]: what is left of the second row after your "
    "subtraction and exp?",
)
def softmax(z):
    exps = torch.exp(z - z.max())
    return exps / exps.sum(dim=-1, keepdim=True)


@misconception(
    "softmax",
    "normalizes over the first axis",
    hint="Which sums are 1 in your result? Classes stand on the last axis, and each example has a distribution "
    "of its own.",
)
def softmax(z):
    exps = torch.exp(z - z.amax(dim=0, keepdim=True))
    return exps / exps.sum(dim=0, keepdim=True)


@misconception(
    "softmax",
    "takes axis 1 for the last one",
    hint="Axis 1 is the last axis of a matrix only. How do you name the last axis whatever the number of axes is?",
)
def softmax(z):
    exps = torch.exp(z - z.amax(dim=1, keepdim=True))
    return exps / exps.sum(dim=1, keepdim=True)


@misconception(
    "softmax",
    "divides by the sum of the whole tensor",
    hint="Sum your result over the last axis: is it 1 for every row, or only for all rows together?",
)
def softmax(z):
    exps = torch.exp(z - z.amax(dim=-1, keepdim=True))
    return exps / exps.sum()


@misconception(
    "softmax",
    "loses the last axis before it divides",
    hint="Write down the shapes on both sides of your division and how they broadcast: "
    "which axis would have to stay, with size 1?",
)
def softmax(z):
    exps = torch.exp(z - z.amax(dim=-1, keepdim=True))
    return exps / exps.sum(dim=-1)


@misconception(
    "softmax",
    "adds a small constant to the denominator",
    hint="What are you protecting against? After the row's maximum is subtracted, how small can the sum of the "
    "exponentials be at the least?",
)
def softmax(z):
    exps = torch.exp(z - z.amax(dim=-1, keepdim=True))
    return exps / (exps.sum(dim=-1, keepdim=True) + 1e-8)


@misconception(
    "softmax",
    "clamps the logits instead of shifting them",
    hint="Are softmax([1000, 1001]) and softmax([0, 1]) equal? Clamping destroys the difference between two large "
    "logits; look for something that keeps it.",
)
def softmax(z):
    exps = torch.exp(z.clamp(-80.0, 80.0))
    return exps / exps.sum(dim=-1, keepdim=True)


@misconception(
    "softmax",
    "keeps probabilities away from zero",
    hint="Softmax itself may return very small numbers. Whoever takes the logarithm later has to care for them, "
    "and does that better from the logits.",
)
def softmax(z):
    exps = torch.exp(z - z.amax(dim=-1, keepdim=True))
    return (exps / exps.sum(dim=-1, keepdim=True)).clamp(min=1e-12)


@misconception(
    "softmax",
    "shifts its argument in place",
    hint="Print z before and after the call. Which of your lines writes into the tensor that you were given?",
)
def softmax(z):
    z -= z.amax(dim=-1, keepdim=True)
    exps = torch.exp(z)
    return exps / exps.sum(dim=-1, keepdim=True)


@misconception(
    "softmax",
    "computes in float32 whatever comes in",
    hint="Call it with float64 logits and look at the ninth digit: where on the way do the digits get lost?",
)
def softmax(z):
    exps = torch.exp(z.float() - z.float().amax(dim=-1, keepdim=True))
    return (exps / exps.sum(dim=-1, keepdim=True)).to(z.dtype)


@misconception(
    "softmax",
    "flattens with view",
    hint="A transposed tensor does not lie in memory row by row, and .view refuses it. Is there a way that needs no "
    "flattening, or one that copies where it must?",
)
def softmax(z):
    rows = z.view(-1, z.shape[-1])
    exps = torch.exp(rows - rows.amax(dim=1, keepdim=True))
    return (exps / exps.sum(dim=1, keepdim=True)).view(z.shape)


@misconception(
    "softmax",
    "shifts its argument in place and back again",
    hint="Is (0.1 - 3) + 3 exactly 0.1 on a computer? Leave the argument alone, and there is nothing to put back.",
)
def softmax(z):
    largest = z.amax(dim=-1, keepdim=True)
    z -= largest
    exps = torch.exp(z)
    z += largest
    return exps / exps.sum(dim=-1, keepdim=True)


@misconception(
    "softmax",
    "shifts only logits above 100",
    hint="From which number on is exp infinite in float32? Try logits of 90; and what would you lose if you shifted "
    "always?",
)
def softmax(z):
    if z.abs().max() > 100:
        z = z - z.amax(dim=-1, keepdim=True)
    exps = torch.exp(z)
    return exps / exps.sum(dim=-1, keepdim=True)


# ------------------------------------------------------------------------------------------------- softmax_jacobian


@misconception(
    "softmax_jacobian",
    "lets an output depend on its own logit only",
    hint="Raise one logit and leave the others alone: what happens to the other probabilities, which must still "
    "add up to 1?",
)
def softmax_jacobian(z: Tensor) -> Tensor:
    o = torch.softmax(z, dim=0)
    return torch.diag(o * (1 - o))


@misconception(
    "softmax_jacobian",
    "has the wrong sign beside the diagonal",
    hint="When one logit grows, do the other classes become more likely or less? Each row of the matrix must sum to 0.",
)
def softmax_jacobian(z):
    o = torch.softmax(z, dim=0)
    jacobian = torch.outer(o, o)
    jacobian.diagonal().copy_(o * (1 - o))
    return jacobian


@misconception(
    "softmax_jacobian",
    "adds the outer product",
    hint="Use the quotient rule once more: with which sign does the derivative of the denominator come in? "
    "Each row must sum to 0.",
)
def softmax_jacobian(z):
    o = torch.softmax(z, dim=0)
    return torch.diag(o) + torch.outer(o, o)


@misconception(
    "softmax_jacobian",
    "forgets that the numerator depends on its own logit",
    hint="Your matrix holds what comes from the denominator. For i = j the numerator of o_i contains z_j too: "
    "what does that add?",
)
def softmax_jacobian(z):
    o = torch.softmax(z, dim=0)
    return -torch.outer(o, o)


@misconception(
    "softmax_jacobian",
    "differentiates the logarithm of softmax",
    hint="[i = j] − o_j is the derivative of log o_i. What does the chain rule say about getting from log o_i to o_i?",
)
def softmax_jacobian(z):
    o = torch.softmax(z, dim=0)
    return torch.eye(len(o), dtype=z.dtype) - o


@misconception(
    "softmax_jacobian",
    "uses o(1 − o) for every pair",
    hint="o_i (1 − o_j) is right where i = j. Differentiate o_1 for z_2 on paper: where would the 1 come from?",
)
def softmax_jacobian(z):
    o = torch.softmax(z, dim=0)
    return torch.outer(o, 1 - o)


@misconception(
    "softmax_jacobian",
    "returns the diagonal as a vector",
    hint="There are C outputs and C logits, so how many derivatives are there? σ'(z) = σ(1 − σ) acts on single "
    "numbers, softmax does not.",
)
def softmax_jacobian(z):
    o = torch.softmax(z, dim=0)
    return o * (1 - o)


@misconception(
    "softmax_jacobian",
    "takes exp of the logits as they are",
    hint="What does your softmax give for [1000, 1000]? Use one that is safe: your own from above, or torch's.",
)
def softmax_jacobian(z):
    o = torch.exp(z) / torch.exp(z).sum()
    return torch.diag(o) - torch.outer(o, o)


@misconception(
    "softmax_jacobian",
    "fills a matrix that is always float32",
    hint="What dtype has torch.zeros(C, C), and what happens to a float64 number that is written into it?",
)
def softmax_jacobian(z):
    o = torch.softmax(z, dim=0)
    jacobian = torch.zeros(len(o), len(o))
    for i in range(len(o)):
        for j in range(len(o)):
            jacobian[i, j] = o[i] * (float(i == j) - o[j])
    return jacobian


@misconception(
    "softmax_jacobian",
    "approximates by differences",
    hint="Differences are good for checking a derivative, but they lose half of the digits. "
    "The formula itself is exact and shorter.",
)
def softmax_jacobian(z):
    h = 1e-5
    wide = z.double()
    steps = h * torch.eye(len(z), dtype=torch.float64)
    rows = torch.softmax(wide + steps, dim=-1) - torch.softmax(wide - steps, dim=-1)
    return (rows.T / (2 * h)).to(z.dtype)


@misconception(
    "softmax_jacobian",
    "keeps probabilities away from zero",
    hint="A very unlikely class has a very small derivative, and that is right. There is no logarithm and no "
    "division here that would need protection.",
)
def softmax_jacobian(z):
    o = torch.softmax(z, dim=0).clamp(min=1e-12)
    return torch.diag(o) - torch.outer(o, o)


@misconception(
    "softmax_jacobian",
    "shifts its argument in place",
    hint="Print z before and after the call. Which of your lines writes into the tensor that you were given?",
)
def softmax_jacobian(z):
    z -= z.max()
    o = torch.exp(z) / torch.exp(z).sum()
    return torch.diag(o) - torch.outer(o, o)


# -------------------------------------------------------------------------------------------------- softmax_ce_grad


@misconception(
    "softmax_ce_grad",
    "has the opposite sign",
    hint="Gradient descent subtracts what you return. Should the logit of the gold class go up or down in a step?",
)
def softmax_ce_grad(z: Tensor, gold: Tensor, reduction: str = "mean") -> Tensor:
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = F.one_hot(gold, z.shape[1]) - torch.softmax(z, dim=1)
    return grad / z.shape[0] if reduction == "mean" else grad


@misconception(
    "softmax_ce_grad",
    "averages over entries instead of examples",
    hint="How many losses does torch average for a batch of N examples with C classes each: N or N·C?",
)
def softmax_ce_grad(z, gold, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = torch.softmax(z, dim=1) - F.one_hot(gold, z.shape[1])
    return grad / grad.numel() if reduction == "mean" else grad


@misconception(
    "softmax_ce_grad",
    "never averages",
    hint="With reduction='mean' the loss is smaller by a constant factor than with 'sum'. What does that do to its "
    "derivative?",
)
def softmax_ce_grad(z, gold, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    return torch.softmax(z, dim=1) - F.one_hot(gold, z.shape[1])


@misconception(
    "softmax_ce_grad",
    "averages for 'none' as well",
    hint="With reduction='none' every example has a loss of its own, which does not know how large the batch is.",
)
def softmax_ce_grad(z, gold, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = torch.softmax(z, dim=1) - F.one_hot(gold, z.shape[1])
    return grad if reduction == "sum" else grad / z.shape[0]


@misconception(
    "softmax_ce_grad",
    "accepts any word as a reduction",
    hint="What does your function do with reduction='average'? A typing error should be heard at once, "
    "not give a silent answer.",
)
def softmax_ce_grad(z, gold, reduction="mean"):
    grad = torch.softmax(z, dim=1) - F.one_hot(gold, z.shape[1])
    return grad / z.shape[0] if reduction == "mean" else grad


@misconception(
    "softmax_ce_grad",
    "subtracts 1 in the gold columns of all rows",
    hint="o[:, gold] is a matrix: every row, at every gold class of the batch. You want one entry in each row, "
    "so both indices must run together.",
)
def softmax_ce_grad(z, gold, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = torch.softmax(z, dim=1)
    grad[:, gold] -= 1
    return grad / z.shape[0] if reduction == "mean" else grad


@misconception(
    "softmax_ce_grad",
    "makes the one-hot only as wide as the largest gold class",
    hint="What shape has your one-hot when nobody in the batch has the last class? "
    "The number of classes is known from z, not from gold.",
)
def softmax_ce_grad(z, gold, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = torch.softmax(z, dim=1) - F.one_hot(gold)
    return grad / z.shape[0] if reduction == "mean" else grad


@misconception(
    "softmax_ce_grad",
    "leaves the classes that are not gold without a gradient",
    hint="The loss is −log of one probability only, but which logits stand in that probability's denominator?",
)
def softmax_ce_grad(z, gold, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = (torch.softmax(z, dim=1) - 1) * F.one_hot(gold, z.shape[1])
    return grad / z.shape[0] if reduction == "mean" else grad


@misconception(
    "softmax_ce_grad",
    "stops at the derivative for the probabilities",
    hint="−1/o at the gold class is the derivative of the loss for the probabilities. Which Jacobian leads on from "
    "there to the logits?",
)
def softmax_ce_grad(z, gold, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = -F.one_hot(gold, z.shape[1]) / torch.softmax(z, dim=1)
    return grad / z.shape[0] if reduction == "mean" else grad


@misconception(
    "softmax_ce_grad",
    "normalizes over the examples",
    hint="Which axis of [N, C] holds the classes? The rows of your gradient should sum to 0.",
)
def softmax_ce_grad(z, gold, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = torch.softmax(z, dim=0) - F.one_hot(gold, z.shape[1])
    return grad / z.shape[0] if reduction == "mean" else grad


@misconception(
    "softmax_ce_grad",
    "takes exp of the logits as they are",
    hint="What is torch.exp(torch.tensor(1000.0)) divided by itself? Use a softmax that is safe: your own, or torch's.",
)
def softmax_ce_grad(z, gold, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = z.exp() / z.exp().sum(dim=1, keepdim=True) - F.one_hot(gold, z.shape[1])
    return grad / z.shape[0] if reduction == "mean" else grad


@misconception(
    "softmax_ce_grad",
    "clamps the probabilities",
    hint="Clamping protects a logarithm. Is there still one in the derivative, after you have simplified it?",
)
def softmax_ce_grad(z, gold, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = torch.softmax(z, dim=1).clamp(1e-7, 1 - 1e-7) - F.one_hot(gold, z.shape[1])
    return grad / z.shape[0] if reduction == "mean" else grad


@misconception(
    "softmax_ce_grad",
    "shifts the logits in place",
    hint="Print z before and after the call. Which of your lines writes into the tensor that you were given?",
)
def softmax_ce_grad(z, gold, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    z -= z.amax(dim=1, keepdim=True)
    grad = z.exp() / z.exp().sum(dim=1, keepdim=True) - F.one_hot(gold, z.shape[1])
    return grad / z.shape[0] if reduction == "mean" else grad


@misconception(
    "softmax_ce_grad",
    "fills a matrix that is always float32",
    hint="What dtype has torch.zeros(N, C), and what happens to a float64 number that is written into it?",
)
def softmax_ce_grad(z, gold, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = torch.zeros(z.shape)
    for n in range(len(gold)):
        grad[n] = torch.softmax(z[n], dim=0)
        grad[n, gold[n]] -= 1
    return grad / len(gold) if reduction == "mean" else grad


@misconception(
    "softmax_ce_grad",
    "makes one-hot rows for the first ten classes only",
    hint="Ten classes are what digits have. Try z with 20 of them and a gold class of 15: do the rows of your gradient "
    "still sum to 0?",
)
def softmax_ce_grad(z, gold, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    one_hot = torch.zeros_like(z)
    for k in range(min(10, z.shape[1])):
        one_hot[gold == k, k] = 1
    grad = torch.softmax(z, dim=1) - one_hot
    return grad / z.shape[0] if reduction == "mean" else grad


@misconception(
    "softmax_ce_grad",
    "skips examples that are right already",
    hint="The gold class may have probability 0.9999999, and still the others have a little: what does the loss want "
    "to happen to their logits?",
)
def softmax_ce_grad(z, gold, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    one_hot = F.one_hot(gold, z.shape[1])
    o = torch.softmax(z, dim=1)
    learned = (o * one_hot).sum(dim=1, keepdim=True) > 1 - 1e-6
    grad = torch.where(learned, torch.zeros_like(o), o - one_hot)
    return grad / z.shape[0] if reduction == "mean" else grad


# --------------------------------------------------------------------------------------------- softmax_ce_full_grad


@misconception(
    "softmax_ce_full_grad",
    "has the opposite sign",
    hint="Gradient descent subtracts what you return. Where the target is above the model's probability, "
    "should the logit go up or down?",
)
def softmax_ce_full_grad(z: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = target - torch.softmax(z, dim=1)
    return grad / z.shape[0] if reduction == "mean" else grad


@misconception(
    "softmax_ce_full_grad",
    "weights by the target instead of subtracting it",
    hint="Each term −t_i log o_i depends on all logits, not on its own one only. Add up what all the terms give for "
    "one logit.",
)
def softmax_ce_full_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = target * (torch.softmax(z, dim=1) - 1)
    return grad / z.shape[0] if reduction == "mean" else grad


@misconception(
    "softmax_ce_full_grad",
    "takes only the most likely class of the target",
    hint="The target is a whole distribution. What would your result be for the targets [0.6, 0.4] and [1, 0], "
    "and should the two be equal?",
)
def softmax_ce_full_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    gold = target.argmax(dim=1)
    grad = torch.softmax(z, dim=1) - F.one_hot(gold, z.shape[1])
    return grad / z.shape[0] if reduction == "mean" else grad


@misconception(
    "softmax_ce_full_grad",
    "applies softmax to the target too",
    hint="Which of the two arguments are logits, and which are probabilities already?",
)
def softmax_ce_full_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = torch.softmax(z, dim=1) - torch.softmax(target, dim=1)
    return grad / z.shape[0] if reduction == "mean" else grad


@misconception(
    "softmax_ce_full_grad",
    "averages over entries instead of examples",
    hint="The sum over the classes belongs to the loss of one example. How many such losses are averaged: N or N·C?",
)
def softmax_ce_full_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = torch.softmax(z, dim=1) - target
    return grad / grad.numel() if reduction == "mean" else grad


@misconception(
    "softmax_ce_full_grad",
    "never averages",
    hint="With reduction='mean' the loss is smaller by a constant factor than with 'sum'. What does that do to its "
    "derivative?",
)
def softmax_ce_full_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    return torch.softmax(z, dim=1) - target


@misconception(
    "softmax_ce_full_grad",
    "averages for 'none' as well",
    hint="With reduction='none' every example has a loss of its own, which does not know how large the batch is.",
)
def softmax_ce_full_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = torch.softmax(z, dim=1) - target
    return grad if reduction == "sum" else grad / z.shape[0]


@misconception(
    "softmax_ce_full_grad",
    "accepts any word as a reduction",
    hint="What does your function do with reduction='average'? A typing error should be heard at once, "
    "not give a silent answer.",
)
def softmax_ce_full_grad(z, target, reduction="mean"):
    grad = torch.softmax(z, dim=1) - target
    return grad / z.shape[0] if reduction == "mean" else grad


@misconception(
    "softmax_ce_full_grad",
    "divides by probabilities that may be zero",
    hint="−t/o times the Jacobian is right on paper, but o may round to 0 for large logits. "
    "Cancel o before you program the formula.",
)
def softmax_ce_full_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    o = torch.softmax(z, dim=1)
    upstream = -target / o
    grad = o * (upstream - (upstream * o).sum(dim=1, keepdim=True))
    return grad / z.shape[0] if reduction == "mean" else grad


@misconception(
    "softmax_ce_full_grad",
    "clamps the probabilities",
    hint="Clamping protects a logarithm. Is there still one in the derivative, after you have simplified it?",
)
def softmax_ce_full_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = torch.softmax(z, dim=1).clamp(1e-7, 1 - 1e-7) - target
    return grad / z.shape[0] if reduction == "mean" else grad


@misconception(
    "softmax_ce_full_grad",
    "overwrites the target",
    hint="Print target before and after the call. Which of your lines writes into a tensor that you were given?",
)
def softmax_ce_full_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = target.neg_().add_(torch.softmax(z, dim=1))
    return grad / z.shape[0] if reduction == "mean" else grad


@misconception(
    "softmax_ce_full_grad",
    "drops the axis of a single example",
    hint="Try a batch with one example: the gradient must have the shape of z, whose first axis then has size 1.",
)
def softmax_ce_full_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = (torch.softmax(z, dim=1) - target).squeeze()
    return grad / z.shape[0] if reduction == "mean" else grad


@misconception(
    "softmax_ce_full_grad",
    "clamps the logits",
    hint="Are the probabilities for [-9999, -9998] and [-1, 0] equal? A limit makes different logits the same; a safe "
    "softmax needs none.",
)
def softmax_ce_full_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = torch.softmax(z.clamp(-1000.0, 1000.0), dim=1) - target
    return grad / z.shape[0] if reduction == "mean" else grad


# ------------------------------------------------------------------------------------------------- sigmoid_bce_grad


@misconception(
    "sigmoid_bce_grad",
    "has the opposite sign",
    hint="Gradient descent subtracts what you return. At target 1, should the logit go up or down?",
)
def sigmoid_bce_grad(z: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = target - torch.sigmoid(z)
    return grad / grad.numel() if reduction == "mean" else grad


@misconception(
    "sigmoid_bce_grad",
    "multiplies by the derivative of sigmoid once more",
    hint="σ − t is the derivative for the logit already: the factor σ(1 − σ) of the chain rule has cancelled. "
    "Against which denominator?",
)
def sigmoid_bce_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    p = torch.sigmoid(z)
    grad = (p - target) * p * (1 - p)
    return grad / grad.numel() if reduction == "mean" else grad


@misconception(
    "sigmoid_bce_grad",
    "stops at the derivative for the probability",
    hint="You differentiated the loss for p = σ(z). One factor of the chain rule leads on from p to z.",
)
def sigmoid_bce_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    p = torch.sigmoid(z)
    grad = (1 - target) / (1 - p) - target / p
    return grad / grad.numel() if reduction == "mean" else grad


@misconception(
    "sigmoid_bce_grad",
    "divides by p(1 − p) and multiplies it back",
    hint="For large logits p(1 − p) is exactly 0, and 0 divided by a small constant stays 0. "
    "Cancel the factor on paper, not in the program.",
)
def sigmoid_bce_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    p = torch.sigmoid(z)
    slope = p * (1 - p)
    grad = (p - target) / (slope + 1e-12) * slope
    return grad / grad.numel() if reduction == "mean" else grad


@misconception(
    "sigmoid_bce_grad",
    "divides infinity by infinity",
    hint="What is exp(z) / (1 + exp(z)) at z = 1000? Write sigmoid so that the exponential may overflow harmlessly, "
    "or use torch's.",
)
def sigmoid_bce_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = z.exp() / (1 + z.exp()) - target
    return grad / grad.numel() if reduction == "mean" else grad


@misconception(
    "sigmoid_bce_grad",
    "clamps the probability",
    hint="Clamping protects a logarithm. Is there still one in the derivative, after you have simplified it?",
)
def sigmoid_bce_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = torch.sigmoid(z).clamp(1e-7, 1 - 1e-7) - target
    return grad / grad.numel() if reduction == "mean" else grad


@misconception(
    "sigmoid_bce_grad",
    "knows only the targets 0 and 1",
    hint="A target of 0.3 is allowed. Differentiate both terms of the loss, each with its weight, and add them up.",
)
def sigmoid_bce_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    p = torch.sigmoid(z)
    grad = torch.where(target == 1, p - 1, p)
    return grad / grad.numel() if reduction == "mean" else grad


@misconception(
    "sigmoid_bce_grad",
    "uses softmax instead of sigmoid",
    hint="Each element is a yes-or-no question of its own. Should the probability of one element change when another "
    "element's logit does?",
)
def sigmoid_bce_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = torch.softmax(z, dim=-1) - target
    return grad / grad.numel() if reduction == "mean" else grad


@misconception(
    "sigmoid_bce_grad",
    "averages over rows instead of elements",
    hint="For logits of shape [2, 3] there are six yes-or-no questions, each with a loss. How many does torch average?",
)
def sigmoid_bce_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = torch.sigmoid(z) - target
    return grad / z.shape[0] if reduction == "mean" else grad


@misconception(
    "sigmoid_bce_grad",
    "never averages",
    hint="With reduction='mean' the loss is smaller by a constant factor than with 'sum'. What does that do to its "
    "derivative?",
)
def sigmoid_bce_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    return torch.sigmoid(z) - target


@misconception(
    "sigmoid_bce_grad",
    "accepts any word as a reduction",
    hint="What does your function do with reduction='average'? A typing error should be heard at once, "
    "not give a silent answer.",
)
def sigmoid_bce_grad(z, target, reduction="mean"):
    grad = torch.sigmoid(z) - target
    return grad / grad.numel() if reduction == "mean" else grad


@misconception(
    "sigmoid_bce_grad",
    "turns the logits into probabilities in place",
    hint="Print z before and after the call. A method whose name ends in an underscore, or an operator such as -=, "
    "writes into the tensor itself.",
)
def sigmoid_bce_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = z.sigmoid_() - target
    return grad / grad.numel() if reduction == "mean" else grad


@misconception(
    "sigmoid_bce_grad",
    "sums when nothing else is said",
    hint="Which reduction do torch's losses use when you name none? Look at the signature in the docstring.",
)
def sigmoid_bce_grad(z, target, reduction="sum"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = torch.sigmoid(z) - target
    return grad / grad.numel() if reduction == "mean" else grad


@misconception(
    "sigmoid_bce_grad",
    "works in place on what double() returned",
    hint="What does .double() return when the tensor is float64 already: a copy, or the tensor itself? Print z before "
    "and after a call in float64.",
)
def sigmoid_bce_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = z.double().sigmoid_().sub_(target).to(z.dtype)
    return grad / grad.numel() if reduction == "mean" else grad


@misconception(
    "sigmoid_bce_grad",
    "protects exp only above 100",
    hint="From which number on is exp infinite in float32? Try logits of 90 and 95. Torch has a sigmoid that needs no "
    "limit.",
)
def sigmoid_bce_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    p = torch.where(z > 100, torch.ones_like(z), z.exp() / (1 + z.exp()))
    grad = p - target
    return grad / grad.numel() if reduction == "mean" else grad


@misconception(
    "sigmoid_bce_grad",
    "counts all numbers in memory",
    hint="Take every second column of a matrix: its storage still holds the other columns. How many elements has the "
    "tensor itself?",
)
def sigmoid_bce_grad(z, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    grad = torch.sigmoid(z) - target
    count = z.untyped_storage().nbytes() // z.element_size()
    return grad / count if reduction == "mean" else grad
