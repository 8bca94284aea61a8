"""Misconceptions of 08_weight_decay: each must lose points, and is named in the feedback with the hint that helps."""

import math

import torch
from torch import nn

from course_lib.checks import misconception

# --------------------------------------------------------------------------------------------- l2_regularized_loss


@misconception(
    "l2_regularized_loss",
    "penalizes the biases as well",
    hint="A bias moves the output up or down without making it steeper, so it is left alone. How many axes has a "
    "bias, and how many a matrix of weights?",
)
def l2_regularized_loss(loss, parameters, lam):
    return loss + lam / 2 * sum((p**2).sum() for p in parameters.values())


@misconception(
    "l2_regularized_loss",
    "leaves out the one half",
    hint="Differentiate your penalty for one weight: what should come out is λ·θ, with no factor before it.",
)
def l2_regularized_loss(loss, parameters, lam):
    return loss + lam * sum((p**2).sum() for p in parameters.values() if p.dim() >= 2)


@misconception(
    "l2_regularized_loss",
    "adds the norm instead of its square",
    hint="‖θ‖² is the sum of the squares itself, with no root over it. For a weight of 3 and a weight of 4 it is 25.",
)
def l2_regularized_loss(loss, parameters, lam):
    return loss + lam / 2 * sum(torch.linalg.vector_norm(p) for p in parameters.values() if p.dim() >= 2)


@misconception(
    "l2_regularized_loss",
    "averages the squares",
    hint="‖θ‖² is a sum over the entries. With an average, a large matrix would hardly be penalized at all.",
)
def l2_regularized_loss(loss, parameters, lam):
    return loss + lam / 2 * sum((p**2).mean() for p in parameters.values() if p.dim() >= 2)


@misconception(
    "l2_regularized_loss",
    "adds absolute values",
    hint="That is the L1 penalty. Which power of the weights does the 2 in L2 stand for?",
)
def l2_regularized_loss(loss, parameters, lam):
    return loss + lam / 2 * sum(p.abs().sum() for p in parameters.values() if p.dim() >= 2)


@misconception(
    "l2_regularized_loss",
    "squares the sum of each tensor",
    hint="Take the weights 1 and −1: your penalty is 0 for them. Square every entry first, then add up.",
)
def l2_regularized_loss(loss, parameters, lam):
    return loss + lam / 2 * sum(p.sum() ** 2 for p in parameters.values() if p.dim() >= 2)


@misconception(
    "l2_regularized_loss",
    "takes only tensors with exactly two axes",
    hint="The kernel of a convolution has four axes, and is made of weights too.",
)
def l2_regularized_loss(loss, parameters, lam):
    return loss + lam / 2 * sum((p**2).sum() for p in parameters.values() if p.dim() == 2)


@misconception(
    "l2_regularized_loss",
    "looks for 'weight' in the names",
    hint="The weight of a layer norm is a vector of gains, and a matrix may be called W. Which property of the tensor "
    "itself does the exercise go by?",
)
def l2_regularized_loss(loss, parameters, lam):
    return loss + lam / 2 * sum((p**2).sum() for name, p in parameters.items() if "weight" in name)


@misconception(
    "l2_regularized_loss",
    "turns the penalty into a plain number",
    hint="The value is right, but a plain number has no gradient: ask for the gradient of a weight, and the penalty "
    "is not in it.",
)
def l2_regularized_loss(loss, parameters, lam):
    return loss + lam / 2 * sum((p**2).sum().item() for p in parameters.values() if p.dim() >= 2)


@misconception(
    "l2_regularized_loss",
    "takes a root and squares it again",
    hint="Try a matrix of zeros and look at its gradient. The root has an infinite slope at 0; do you need it at all?",
)
def l2_regularized_loss(loss, parameters, lam):
    squares = sum((p**2).sum() for p in parameters.values() if p.dim() >= 2)
    return loss + lam / 2 * torch.sqrt(torch.as_tensor(squares)) ** 2


@misconception(
    "l2_regularized_loss",
    "adds to the loss in place",
    hint="Print the loss that you were given before and after the call. What does += do to a tensor?",
)
def l2_regularized_loss(loss, parameters, lam):
    for p in parameters.values():
        if p.dim() >= 2:
            loss += lam / 2 * (p**2).sum()
    return loss


@misconception(
    "l2_regularized_loss",
    "returns the penalty alone",
    hint="The training minimizes what you return. Where is the loss that says how well the model fits?",
)
def l2_regularized_loss(loss, parameters, lam):
    return 0 * loss + lam / 2 * sum((p**2).sum() for p in parameters.values() if p.dim() >= 2)


@misconception(
    "l2_regularized_loss",
    "adds up in float32",
    hint="Which dtype has torch.zeros(())? Look at the ninth digit of your result for float64 weights.",
)
def l2_regularized_loss(loss, parameters, lam):
    total = torch.zeros(())
    for p in parameters.values():
        if p.dim() >= 2:
            total += (p**2).sum()
    return loss + lam / 2 * total


@misconception(
    "l2_regularized_loss",
    "fails without any weight",
    hint="Call it with a model that has biases only, or with an empty dict. What is the sum of nothing?",
)
def l2_regularized_loss(loss, parameters, lam):
    return loss + lam / 2 * torch.stack([(p**2).sum() for p in parameters.values() if p.dim() >= 2]).sum()


@misconception(
    "l2_regularized_loss",
    "writes a backward that ignores the gradient handed to it",
    hint="Multiply your result by 10 and ask for the gradient of a weight: is all of it ten times as large? What does "
    "the chain rule want from a backward?",
)
def l2_regularized_loss(loss, parameters, lam):
    class Penalty(torch.autograd.Function):
        @staticmethod
        def forward(ctx, weight):
            ctx.save_for_backward(weight)
            return lam / 2 * (weight**2).sum()

        @staticmethod
        def backward(ctx, grad_output):
            (weight,) = ctx.saved_tensors
            return lam * weight

    return loss + sum(Penalty.apply(p) for p in parameters.values() if p.dim() >= 2)


@misconception(
    "l2_regularized_loss",
    "stops squaring where weights are large (that is the Huber penalty)",
    hint="Try a matrix with a weight of 100, whose square is 10000, and look at its gradient too. L2 pulls hardest at "
    "the largest weights, without a limit.",
)
def l2_regularized_loss(loss, parameters, lam):
    weights = [p for p in parameters.values() if p.dim() >= 2]
    return loss + lam * sum(nn.functional.huber_loss(p, 0 * p.detach(), reduction="sum", delta=10.0) for p in weights)


@misconception(
    "l2_regularized_loss",
    "takes tensors of two to four axes only",
    hint="Print the shape of nn.Conv3d(1, 2, 3).weight. Does the exercise say anything about too many axes?",
)
def l2_regularized_loss(loss, parameters, lam):
    return loss + lam / 2 * sum((p**2).sum() for p in parameters.values() if p.dim() in (2, 3, 4))


@misconception(
    "l2_regularized_loss",
    "counts one weight of each shape",
    hint="Try a model with two layers of the same size, and look at the gradients of both. What becomes of a key that "
    "is written twice?",
)
def l2_regularized_loss(loss, parameters, lam):
    squares = {p.shape: (p**2).sum() for p in parameters.values() if p.dim() >= 2}
    return loss + lam / 2 * sum(squares.values())


@misconception(
    "l2_regularized_loss",
    "counts weights that hold the same numbers once",
    hint="Try two matrices of ones: are they one weight, or two that are equal by chance? Comparing numbers cannot "
    "tell a tied weight from a copy.",
)
def l2_regularized_loss(loss, parameters, lam):
    weights = []
    for p in parameters.values():
        if p.dim() >= 2 and not any(torch.equal(p, other) for other in weights):
            weights.append(p)
    return loss + lam / 2 * sum((p**2).sum() for p in weights)


@misconception(
    "l2_regularized_loss",
    "switches the weights' gradients on",
    hint="Freeze a weight, call your function, and print its requires_grad. Gradients flow through your formula "
    "wherever the caller asks for them, without any help.",
)
def l2_regularized_loss(loss, parameters, lam):
    weights = [p.requires_grad_() for p in parameters.values() if p.dim() >= 2]
    return loss + lam / 2 * sum((p**2).sum() for p in weights)


# ----------------------------------------------------------------------------------------------------- sgd_l2_step


@misconception(
    "sgd_l2_step",
    "decays without the learning rate",
    hint="The gradient of the penalty is λθ, and a gradient is multiplied by the learning rate: each step takes away "
    "a share αλ.",
)
def sgd_l2_step(param, grad, *, lr, lam):
    return param - lr * grad - lam * param


@misconception(
    "sgd_l2_step",
    "lets the weights grow",
    hint="Set the gradient to 0: do your weights move towards 0 or away from it?",
)
def sgd_l2_step(param, grad, *, lr, lam):
    return param - lr * grad + lr * lam * param


@misconception(
    "sgd_l2_step",
    "decays what the gradient step has made",
    hint="Multiply out your product: there is a term α²λ·g in it that does not belong there. Which θ does the formula "
    "decay, the old or the new one?",
)
def sgd_l2_step(param, grad, *, lr, lam):
    return (param - lr * grad) * (1 - lr * lam)


@misconception(
    "sgd_l2_step",
    "halves the decay",
    hint="The ½ in front of the penalty is there to cancel the 2 of the square's derivative. What is left of both?",
)
def sgd_l2_step(param, grad, *, lr, lam):
    return param - lr * grad - lr * lam / 2 * param


@misconception(
    "sgd_l2_step",
    "differentiates the square without the one half",
    hint="The penalty is λ/2·θ², not λ·θ²: what does the 2 of the derivative meet?",
)
def sgd_l2_step(param, grad, *, lr, lam):
    return param - lr * (grad + 2 * lam * param)


@misconception(
    "sgd_l2_step",
    "pulls by the sign alone",
    hint="That is the pull of the L1 penalty. Under L2 a large weight is pulled harder than a small one.",
)
def sgd_l2_step(param, grad, *, lr, lam):
    return param - lr * grad - lr * lam * torch.sign(param)


@misconception(
    "sgd_l2_step",
    "changes the parameter in place",
    hint="Print param before and after the call. The exercise asks for a new tensor.",
)
def sgd_l2_step(param, grad, *, lr, lam):
    return param.mul_(1 - lr * lam).sub_(lr * grad)


@misconception(
    "sgd_l2_step",
    "climbs instead of descending",
    hint="The gradient points to where the loss grows. In which direction do you want to go?",
)
def sgd_l2_step(param, grad, *, lr, lam):
    return param + lr * grad - lr * lam * param


@misconception(
    "sgd_l2_step",
    "forgets the penalty",
    hint="Call it with lam=0.5 and with lam=5: your results are the same.",
)
def sgd_l2_step(param, grad, *, lr, lam):
    return param - lr * grad


@misconception(
    "sgd_l2_step",
    "shrinks the gradient instead of the weight",
    hint="The factor 1 − αλ belongs to θ: with no gradient at all the weights must still decay.",
)
def sgd_l2_step(param, grad, *, lr, lam):
    return param - lr * (1 - lr * lam) * grad


@misconception(
    "sgd_l2_step",
    "keeps the rates in float32 tensors",
    hint="Which dtype has torch.tensor(0.1)? Plain Python numbers keep all their digits.",
)
def sgd_l2_step(param, grad, *, lr, lam):
    rate, strength = torch.tensor(lr), torch.tensor(lam)
    return param - rate * grad - rate * strength * param


@misconception(
    "sgd_l2_step",
    "never decays further than to 0",
    hint="With αλ above 1 the formula does cross 0: 1 − αλ is negative then. Nothing in it is cut off.",
)
def sgd_l2_step(param, grad, *, lr, lam):
    return param * max(0.0, 1 - lr * lam) - lr * grad


@misconception(
    "sgd_l2_step",
    "decays matrices only",
    hint="Which parameters decay is the caller's choice. This step decays the tensor it is given, whatever its shape.",
)
def sgd_l2_step(param, grad, *, lr, lam):
    return param - lr * grad - (lr * lam * param if param.dim() >= 2 else 0)


@misconception(
    "sgd_l2_step",
    "returns a flat vector",
    hint="The formula works on a matrix as it works on a vector. There is no need to flatten anything, and the caller "
    "wants the shape back.",
)
def sgd_l2_step(param, grad, *, lr, lam):
    return torch.stack([p - lr * g - lr * lam * p for p, g in zip(param.flatten(), grad.flatten(), strict=True)])


@misconception(
    "sgd_l2_step",
    "lets rows without a gradient rest while others have one",
    hint="Try a matrix with one row of zeros in its gradient: by the formula that row decays like all others. Where "
    "does αλθ ask about g?",
)
def sgd_l2_step(param, grad, *, lr, lam):
    new = param - lr * grad - lr * lam * param
    if grad.dim() >= 2 and grad.any():
        unused = (grad == 0).flatten(1).all(1)
        new[unused] = param[unused]
    return new


@misconception(
    "sgd_l2_step",
    "switches the caller's gradient on for autograd",
    hint="Print param.requires_grad before and after the call: a function that leaves its arguments alone leaves that "
    "alone too. And do you need autograd for the slope of a square?",
)
def sgd_l2_step(param, grad, *, lr, lam):
    param.requires_grad_()
    penalty = lam / 2 * (param**2).sum()
    (slope,) = torch.autograd.grad(penalty, param)
    return (param - lr * (grad + slope)).detach()


# ---------------------------------------------------------------------------------------------------- adam_l2_step


@misconception(
    "adam_l2_step",
    "decouples the decay (that is AdamW)",
    hint="You subtract αλθ after the division. With an L2 penalty λθ is a part of the gradient, so it goes into both "
    "averages.",
)
def adam_l2_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, lam=0.0):
    t = state.get("t", 0) + 1
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    step = s / (1 - betas[0] ** t) / ((r / (1 - betas[1] ** t)).sqrt() + eps)
    return param - lr * step - lr * lam * param, {"t": t, "s": s, "r": r}


@misconception(
    "adam_l2_step",
    "keeps the penalty out of the average of squares",
    hint="Your first average sees g + λθ, and your second one sees g. Both are averages of the same gradient.",
)
def adam_l2_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, lam=0.0):
    t = state.get("t", 0) + 1
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * (grad + lam * param)
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    step = s / (1 - betas[0] ** t) / ((r / (1 - betas[1] ** t)).sqrt() + eps)
    return param - lr * step, {"t": t, "s": s, "r": r}


@misconception(
    "adam_l2_step",
    "adds the penalty behind the averages",
    hint="λθ must be added to the gradient before anything is averaged, so that the averages remember it.",
)
def adam_l2_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, lam=0.0):
    t = state.get("t", 0) + 1
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    step = (s / (1 - betas[0] ** t) + lam * param) / ((r / (1 - betas[1] ** t)).sqrt() + eps)
    return param - lr * step, {"t": t, "s": s, "r": r}


@misconception(
    "adam_l2_step",
    "puts eps under the root",
    hint="Write the denominator as the formula has it: first the root, then plus ε. With ε = 0.01 under the root it is "
    "0.1 at least.",
)
def adam_l2_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, lam=0.0):
    t = state.get("t", 0) + 1
    grad = grad + lam * param
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    step = s / (1 - betas[0] ** t) / (r / (1 - betas[1] ** t) + eps).sqrt()
    return param - lr * step, {"t": t, "s": s, "r": r}


@misconception(
    "adam_l2_step",
    "adds eps before the correction",
    hint="Your ε is divided by the correction as well. Correct the average of squares first, take its root, and add ε "
    "last.",
)
def adam_l2_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, lam=0.0):
    t = state.get("t", 0) + 1
    grad = grad + lam * param
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    rate = lr * math.sqrt(1 - betas[1] ** t) / (1 - betas[0] ** t)
    return param - rate * s / (r.sqrt() + eps), {"t": t, "s": s, "r": r}


@misconception(
    "adam_l2_step",
    "forgets the corrections",
    hint="The averages start at 0, so the first ones are far too small. By which factor, after t steps?",
)
def adam_l2_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, lam=0.0):
    grad = grad + lam * param
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    return param - lr * s / (r.sqrt() + eps), {"s": s, "r": r}


@misconception(
    "adam_l2_step",
    "corrects every step like the first one",
    hint="Your first step is right and the second is not: t must be in the state, and grow by 1 each time.",
)
def adam_l2_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, lam=0.0):
    t = 1
    grad = grad + lam * param
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    step = s / (1 - betas[0] ** t) / ((r / (1 - betas[1] ** t)).sqrt() + eps)
    return param - lr * step, {"s": s, "r": r}


@misconception(
    "adam_l2_step",
    "corrects both averages with the first beta",
    hint="Each average has a correction with its own β. Which one belongs to the squares?",
)
def adam_l2_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, lam=0.0):
    t = state.get("t", 0) + 1
    grad = grad + lam * param
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    step = s / (1 - betas[0] ** t) / ((r / (1 - betas[0] ** t)).sqrt() + eps)
    return param - lr * step, {"t": t, "s": s, "r": r}


@misconception(
    "adam_l2_step",
    "mixes up the two betas",
    hint="betas is (β₁, β₂): the first is for the average of gradients, the second for that of their squares.",
)
def adam_l2_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, lam=0.0):
    beta2, beta1 = betas
    t = state.get("t", 0) + 1
    grad = grad + lam * param
    s = beta1 * state.get("s", 0.0) + (1 - beta1) * grad
    r = beta2 * state.get("r", 0.0) + (1 - beta2) * grad**2
    step = s / (1 - beta1**t) / ((r / (1 - beta2**t)).sqrt() + eps)
    return param - lr * step, {"t": t, "s": s, "r": r}


@misconception(
    "adam_l2_step",
    "writes into the old state",
    hint="state['t'] = … changes the dict that the caller still holds. Call your function twice with the same state: "
    "do both calls agree?",
)
def adam_l2_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, lam=0.0):
    state["t"] = state.get("t", 0) + 1
    grad = grad + lam * param
    state["s"] = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    state["r"] = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    s_hat, r_hat = state["s"] / (1 - betas[0] ** state["t"]), state["r"] / (1 - betas[1] ** state["t"])
    return param - lr * s_hat / (r_hat.sqrt() + eps), state


@misconception(
    "adam_l2_step",
    "copies the dict and updates its tensors in place",
    hint="A copy of a dict holds the same tensors as the original. mul_ and add_ change them for both.",
)
def adam_l2_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, lam=0.0):
    state = dict(state) if state else {"t": 0, "s": torch.zeros_like(param), "r": torch.zeros_like(param)}
    state["t"] += 1
    grad = grad + lam * param
    state["s"].mul_(betas[0]).add_(grad, alpha=1 - betas[0])
    state["r"].mul_(betas[1]).addcmul_(grad, grad, value=1 - betas[1])
    s_hat, r_hat = state["s"] / (1 - betas[0] ** state["t"]), state["r"] / (1 - betas[1] ** state["t"])
    return param - lr * s_hat / (r_hat.sqrt() + eps), state


@misconception(
    "adam_l2_step",
    "remembers outside of the state",
    hint="Two parameters that take turns share your memory. Everything that a step needs from the last one belongs "
    "into the state.",
)
def adam_l2_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, lam=0.0):
    own = adam_l2_step.__dict__
    if not state:
        own.update(t=0, s=0.0, r=0.0)
    own["t"] += 1
    grad = grad + lam * param
    own["s"] = betas[0] * own["s"] + (1 - betas[0]) * grad
    own["r"] = betas[1] * own["r"] + (1 - betas[1]) * grad**2
    step = own["s"] / (1 - betas[0] ** own["t"]) / ((own["r"] / (1 - betas[1] ** own["t"])).sqrt() + eps)
    return param - lr * step, {"started": True}


@misconception(
    "adam_l2_step",
    "counts steps in a float32 tensor",
    hint="0.999 to the power of a float32 tensor is a float32 tensor, and 1 − 0.999 keeps four digits of it. "
    "Count in a plain int.",
)
def adam_l2_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, lam=0.0):
    t = state.get("t", torch.tensor(0.0)) + 1
    grad = grad + lam * param
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    step = s / (1 - betas[0] ** t) / ((r / (1 - betas[1] ** t)).sqrt() + eps)
    return param - lr * step, {"t": t, "s": s, "r": r}


@misconception(
    "adam_l2_step",
    "starts the averages at the first gradient",
    hint="The averages start at 0; that is what the corrections by 1 − βᵗ are for. You have both remedies at once.",
)
def adam_l2_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, lam=0.0):
    t = state.get("t", 0) + 1
    grad = grad + lam * param
    s = betas[0] * state.get("s", grad) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", grad**2) + (1 - betas[1]) * grad**2
    step = s / (1 - betas[0] ** t) / ((r / (1 - betas[1] ** t)).sqrt() + eps)
    return param - lr * step, {"t": t, "s": s, "r": r}


@misconception(
    "adam_l2_step",
    "lets rows without a gradient rest",
    hint="Try a matrix with a row of zeros in its gradient, as an embedding has for a word that does not occur. That "
    "row has a penalty all the same, and averages that go on.",
)
def adam_l2_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, lam=0.0):
    unused = (grad == 0).flatten(1).all(1) if grad.dim() >= 2 else []
    t = state.get("t", 0) + 1
    grad = grad + lam * param
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    step = s / (1 - betas[0] ** t) / ((r / (1 - betas[1] ** t)).sqrt() + eps)
    new = param - lr * step
    if len(unused) > 0:
        new[unused] = param[unused]
    return new, {"t": t, "s": s, "r": r}


@misconception(
    "adam_l2_step",
    "makes no step where the gradient is all 0",
    hint="Give it one gradient that is not 0 and then zeros, with lam=0. Does torch's Adam stand still at once, and "
    "what becomes of its averages?",
)
def adam_l2_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, lam=0.0):
    grad = grad + lam * param
    if not grad.any():
        return param.clone(), dict(state)
    t = state.get("t", 0) + 1
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    step = s / (1 - betas[0] ** t) / ((r / (1 - betas[1] ** t)).sqrt() + eps)
    return param - lr * step, {"t": t, "s": s, "r": r}


# ------------------------------------------------------------------------------------------------------ adamw_step


@misconception(
    "adamw_step",
    "couples the decay with the gradient (that is Adam with L2)",
    hint="You add λθ to the gradient, so the division scales it too. In AdamW the decay stands beside the division: "
    "−αλθ.",
)
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    t = state.get("t", 0) + 1
    grad = grad + weight_decay * param
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    step = s / (1 - betas[0] ** t) / ((r / (1 - betas[1] ** t)).sqrt() + eps)
    return param - lr * step, {"t": t, "s": s, "r": r}


@misconception(
    "adamw_step",
    "decays the parameter after its update",
    hint="You multiply the new θ by 1 − αλ, and with it the step that was just made. The decay is αλ times the old θ.",
)
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    t = state.get("t", 0) + 1
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    step = s / (1 - betas[0] ** t) / ((r / (1 - betas[1] ** t)).sqrt() + eps)
    return (param - lr * step) * (1 - lr * weight_decay), {"t": t, "s": s, "r": r}


@misconception(
    "adamw_step",
    "decays without the learning rate",
    hint="torch's AdamW multiplies the decay by the learning rate, so that a schedule scales both. What is the factor "
    "of θ, then?",
)
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    t = state.get("t", 0) + 1
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    step = s / (1 - betas[0] ** t) / ((r / (1 - betas[1] ** t)).sqrt() + eps)
    return param * (1 - weight_decay) - lr * step, {"t": t, "s": s, "r": r}


@misconception(
    "adamw_step",
    "divides the decay by the root as well",
    hint="The decay must not depend on how large the gradients are: keep it out of the fraction.",
)
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    t = state.get("t", 0) + 1
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    root = (r / (1 - betas[1] ** t)).sqrt() + eps
    return param - lr * (s / (1 - betas[0] ** t) + weight_decay * param) / root, {"t": t, "s": s, "r": r}


@misconception(
    "adamw_step",
    "lets the parameter grow",
    hint="Call it with a gradient of 0: the parameter must come closer to 0, by the factor 1 − αλ.",
)
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    t = state.get("t", 0) + 1
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    step = s / (1 - betas[0] ** t) / ((r / (1 - betas[1] ** t)).sqrt() + eps)
    return param - lr * (step - weight_decay * param), {"t": t, "s": s, "r": r}


@misconception(
    "adamw_step",
    "puts eps under the root",
    hint="First the root of the corrected average, then plus ε: with ε = 0.01 under the root the denominator is 0.1 at "
    "least.",
)
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    t = state.get("t", 0) + 1
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    step = s / (1 - betas[0] ** t) / (r / (1 - betas[1] ** t) + eps).sqrt()
    return param * (1 - lr * weight_decay) - lr * step, {"t": t, "s": s, "r": r}


@misconception(
    "adamw_step",
    "adds eps before the correction",
    hint="The 2014 paper has a short form of Adam that moves the corrections into the learning rate; ε means something "
    "else there. Correct first, then the root, then ε.",
)
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    t = state.get("t", 0) + 1
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    rate = lr * math.sqrt(1 - betas[1] ** t) / (1 - betas[0] ** t)
    return param * (1 - lr * weight_decay) - rate * s / (r.sqrt() + eps), {"t": t, "s": s, "r": r}


@misconception(
    "adamw_step",
    "corrects only the average of gradients",
    hint="Both averages start at 0, and both are too small at first. With β₂ = 0.999 the second one needs it most.",
)
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    t = state.get("t", 0) + 1
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    return param * (1 - lr * weight_decay) - lr * s / (1 - betas[0] ** t) / (r.sqrt() + eps), {"t": t, "s": s, "r": r}


@misconception(
    "adamw_step",
    "decays matrices only",
    hint="torch's AdamW decays what it is given, a bias too. Which parameters get a decay of 0 is decided by groups.",
)
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    t = state.get("t", 0) + 1
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    step = s / (1 - betas[0] ** t) / ((r / (1 - betas[1] ** t)).sqrt() + eps)
    kept = 1 - lr * weight_decay if param.dim() >= 2 else 1
    return param * kept - lr * step, {"t": t, "s": s, "r": r}


@misconception(
    "adamw_step",
    "decays by the factor 1 − αλ to the power of t",
    hint="The factor 1 − αλ is that of one step, and the parameter that comes in has the earlier ones behind it.",
)
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    t = state.get("t", 0) + 1
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    step = s / (1 - betas[0] ** t) / ((r / (1 - betas[1] ** t)).sqrt() + eps)
    return param * (1 - lr * weight_decay) ** t - lr * step, {"t": t, "s": s, "r": r}


@misconception(
    "adamw_step",
    "writes into the old state",
    hint="setdefault and state['t'] += 1 change the dict that the caller still holds. Is {} still empty "
    "after your call?",
)
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    state.setdefault("t", 0)
    state.setdefault("s", torch.zeros_like(param))
    state.setdefault("r", torch.zeros_like(param))
    state["t"] += 1
    state["s"] = betas[0] * state["s"] + (1 - betas[0]) * grad
    state["r"] = betas[1] * state["r"] + (1 - betas[1]) * grad**2
    s_hat, r_hat = state["s"] / (1 - betas[0] ** state["t"]), state["r"] / (1 - betas[1] ** state["t"])
    return param * (1 - lr * weight_decay) - lr * s_hat / (r_hat.sqrt() + eps), state


@misconception(
    "adamw_step",
    "updates the old state's tensors in place",
    hint="Your dict is new, but its tensors are the old ones, changed by mul_ and add_. Go back to an older state, and "
    "it is no longer what it was.",
)
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    t = state.get("t", 0) + 1
    s = state.get("s", torch.zeros_like(param)).mul_(betas[0]).add_(grad, alpha=1 - betas[0])
    r = state.get("r", torch.zeros_like(param)).mul_(betas[1]).addcmul_(grad, grad, value=1 - betas[1])
    s_hat, r_hat = s / (1 - betas[0] ** t), r / (1 - betas[1] ** t)
    return param * (1 - lr * weight_decay) - lr * s_hat / (r_hat.sqrt() + eps), {"t": t, "s": s, "r": r}


@misconception(
    "adamw_step",
    "changes the parameter in place",
    hint="Print param before and after the call: this function returns the new parameter and leaves the old one alone.",
)
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    t = state.get("t", 0) + 1
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    param.mul_(1 - lr * weight_decay)
    param.sub_(lr * s / (1 - betas[0] ** t) / ((r / (1 - betas[1] ** t)).sqrt() + eps))
    return param, {"t": t, "s": s, "r": r}


@misconception(
    "adamw_step",
    "keeps its averages in float32",
    hint="Which dtype has torch.zeros(param.shape)? Adding into it in place keeps that dtype, and rounds what you add.",
)
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    t = state.get("t", 0) + 1
    s = state.get("s", torch.zeros(param.shape)).clone()
    r = state.get("r", torch.zeros(param.shape)).clone()
    s += (1 - betas[0]) * (grad - s)
    r += (1 - betas[1]) * (grad**2 - r)
    step = s / (1 - betas[0] ** t) / ((r / (1 - betas[1] ** t)).sqrt() + eps)
    return param * (1 - lr * weight_decay) - lr * step, {"t": t, "s": s, "r": r}


@misconception(
    "adamw_step",
    "keeps the learning rate of the first step",
    hint="The rate comes as an argument with every call, because a schedule changes it. Nothing of that kind belongs "
    "into the state.",
)
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    t, lr = state.get("t", 0) + 1, state.get("lr", lr)
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    step = s / (1 - betas[0] ** t) / ((r / (1 - betas[1] ** t)).sqrt() + eps)
    return param * (1 - lr * weight_decay) - lr * step, {"t": t, "s": s, "r": r, "lr": lr}


@misconception(
    "adamw_step",
    "lets rows without a gradient rest",
    hint="Try a matrix with a row of zeros in its gradient, as an embedding has for a word that does not occur. In "
    "torch's AdamW it decays, and goes on moving by its averages.",
)
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    t = state.get("t", 0) + 1
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    step = s / (1 - betas[0] ** t) / ((r / (1 - betas[1] ** t)).sqrt() + eps)
    new = param * (1 - lr * weight_decay) - lr * step
    if grad.dim() >= 2:
        unused = (grad == 0).flatten(1).all(1)
        new[unused] = param[unused]
    return new, {"t": t, "s": s, "r": r}


@misconception(
    "adamw_step",
    "begins to count at the first gradient that is not 0",
    hint="Give it two gradients of 0 and then another one: which t are the averages corrected with? A gradient of 0 "
    "makes a step too.",
)
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    if not state and not grad.any():
        return param * (1 - lr * weight_decay), {}
    t = state.get("t", 0) + 1
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    step = s / (1 - betas[0] ** t) / ((r / (1 - betas[1] ** t)).sqrt() + eps)
    return param * (1 - lr * weight_decay) - lr * step, {"t": t, "s": s, "r": r}


@misconception(
    "adamw_step",
    "keeps the betas of the first step",
    hint="Make some steps, then one with betas=(0, 0): only the newest gradient should count in it. The betas come as "
    "an argument with every call, as the rate does.",
)
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    t, betas = state.get("t", 0) + 1, state.get("betas", betas)
    s = betas[0] * state.get("s", 0.0) + (1 - betas[0]) * grad
    r = betas[1] * state.get("r", 0.0) + (1 - betas[1]) * grad**2
    step = s / (1 - betas[0] ** t) / ((r / (1 - betas[1] ** t)).sqrt() + eps)
    return param * (1 - lr * weight_decay) - lr * step, {"t": t, "s": s, "r": r, "betas": betas}


# ----------------------------------------------------------------------------------------------------------- AdamW


@misconception(
    "AdamW",
    "counts the steps once for all parameters",
    hint="A parameter whose first gradient comes in round 100 has made no step before: its averages are corrected with "
    "t = 1. Where do you keep t?",
)
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})
        self.t = 0

    @torch.no_grad()
    def step(self, closure=None):
        self.t += 1
        for group in self.param_groups:
            (b1, b2), lr = group["betas"], group["lr"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                state["s"] = b1 * state.get("s", 0.0) + (1 - b1) * p.grad
                state["r"] = b2 * state.get("r", 0.0) + (1 - b2) * p.grad**2
                p.mul_(1 - lr * group["weight_decay"])
                root = (state["r"] / (1 - b2**self.t)).sqrt() + group["eps"]
                p.sub_(lr * state["s"] / (1 - b1**self.t) / root)


@misconception(
    "AdamW",
    "keeps the learning rate of the constructor",
    hint="A schedule writes the new rate into param_groups. Does your step read it there, each time?",
)
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})
        self.rates = [group["lr"] for group in self.param_groups]

    @torch.no_grad()
    def step(self, closure=None):
        for group, lr in zip(self.param_groups, self.rates, strict=True):
            b1, b2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                state["t"] = t = state.get("t", 0) + 1
                state["s"] = b1 * state.get("s", 0.0) + (1 - b1) * p.grad
                state["r"] = b2 * state.get("r", 0.0) + (1 - b2) * p.grad**2
                p.mul_(1 - lr * group["weight_decay"])
                p.sub_(lr * state["s"] / (1 - b1**t) / ((state["r"] / (1 - b2**t)).sqrt() + group["eps"]))


@misconception(
    "AdamW",
    "spares the biases",
    hint="Like torch's, this optimizer decays every parameter that it is given. To spare the biases is the next "
    "exercise, with groups.",
)
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            (b1, b2), lr = group["betas"], group["lr"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                state["t"] = t = state.get("t", 0) + 1
                state["s"] = b1 * state.get("s", 0.0) + (1 - b1) * p.grad
                state["r"] = b2 * state.get("r", 0.0) + (1 - b2) * p.grad**2
                if p.dim() > 1:
                    p.mul_(1 - lr * group["weight_decay"])
                p.sub_(lr * state["s"] / (1 - b1**t) / ((state["r"] / (1 - b2**t)).sqrt() + group["eps"]))


@misconception(
    "AdamW",
    "adds the decay to the gradient",
    hint="That is Adam with L2. Decoupled means: the averages see the gradient alone, and θ is multiplied by 1 − αλ.",
)
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            (b1, b2), lr = group["betas"], group["lr"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state, grad = self.state[p], p.grad + group["weight_decay"] * p
                state["t"] = t = state.get("t", 0) + 1
                state["s"] = b1 * state.get("s", 0.0) + (1 - b1) * grad
                state["r"] = b2 * state.get("r", 0.0) + (1 - b2) * grad**2
                p.sub_(lr * state["s"] / (1 - b1**t) / ((state["r"] / (1 - b2**t)).sqrt() + group["eps"]))


@misconception(
    "AdamW",
    "decays after the update",
    hint="Multiplying the updated parameter by 1 − αλ decays the step itself too. Decay first, or by αλ times the old "
    "value.",
)
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            (b1, b2), lr = group["betas"], group["lr"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                state["t"] = t = state.get("t", 0) + 1
                state["s"] = b1 * state.get("s", 0.0) + (1 - b1) * p.grad
                state["r"] = b2 * state.get("r", 0.0) + (1 - b2) * p.grad**2
                p.sub_(lr * state["s"] / (1 - b1**t) / ((state["r"] / (1 - b2**t)).sqrt() + group["eps"]))
                p.mul_(1 - lr * group["weight_decay"])


@misconception(
    "AdamW",
    "puts new tensors into the groups",
    hint="The model keeps the old parameter and never learns of yours. Change the values of the one that is there "
    "(copy_, sub_).",
)
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})
        self.memory = {}

    @torch.no_grad()
    def step(self, closure=None):
        for k, group in enumerate(self.param_groups):
            (b1, b2), lr = group["betas"], group["lr"]
            for i, p in enumerate(group["params"]):
                if p.grad is None:
                    continue
                state = self.memory.setdefault((k, i), {})
                state["t"] = t = state.get("t", 0) + 1
                state["s"] = b1 * state.get("s", 0.0) + (1 - b1) * p.grad
                state["r"] = b2 * state.get("r", 0.0) + (1 - b2) * p.grad**2
                step = state["s"] / (1 - b1**t) / ((state["r"] / (1 - b2**t)).sqrt() + group["eps"])
                group["params"][i] = nn.Parameter(p * (1 - lr * group["weight_decay"]) - lr * step)


@misconception(
    "AdamW",
    "updates inside the graph",
    hint="torch refuses to change a leaf that requires a gradient while it records. Which context switches recording "
    "off?",
)
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def step(self, closure=None):
        for group in self.param_groups:
            (b1, b2), lr = group["betas"], group["lr"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                state["t"] = t = state.get("t", 0) + 1
                state["s"] = b1 * state.get("s", 0.0) + (1 - b1) * p.grad
                state["r"] = b2 * state.get("r", 0.0) + (1 - b2) * p.grad**2
                p.mul_(1 - lr * group["weight_decay"])
                p.sub_(lr * state["s"] / (1 - b1**t) / ((state["r"] / (1 - b2**t)).sqrt() + group["eps"]))


@misconception(
    "AdamW",
    "decays parameters without a gradient",
    hint="grad is None means that the parameter takes no part in this step: no decay, no t, nothing.",
)
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            (b1, b2), lr = group["betas"], group["lr"]
            for p in group["params"]:
                p.mul_(1 - lr * group["weight_decay"])
                if p.grad is None:
                    continue
                state = self.state[p]
                state["t"] = t = state.get("t", 0) + 1
                state["s"] = b1 * state.get("s", 0.0) + (1 - b1) * p.grad
                state["r"] = b2 * state.get("r", 0.0) + (1 - b2) * p.grad**2
                p.sub_(lr * state["s"] / (1 - b1**t) / ((state["r"] / (1 - b2**t)).sqrt() + group["eps"]))


@misconception(
    "AdamW",
    "takes a missing gradient for a gradient of 0",
    hint="With a gradient of 0 the averages fade and θ decays; with None nothing happens at all.",
)
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            (b1, b2), lr = group["betas"], group["lr"]
            for p in group["params"]:
                grad = torch.zeros_like(p) if p.grad is None else p.grad
                state = self.state[p]
                state["t"] = t = state.get("t", 0) + 1
                state["s"] = b1 * state.get("s", 0.0) + (1 - b1) * grad
                state["r"] = b2 * state.get("r", 0.0) + (1 - b2) * grad**2
                p.mul_(1 - lr * group["weight_decay"])
                p.sub_(lr * state["s"] / (1 - b1**t) / ((state["r"] / (1 - b2**t)).sqrt() + group["eps"]))


@misconception(
    "AdamW",
    "stops at the first parameter without a gradient",
    hint="The parameters behind it never get their step. Which word leaves the whole loop, and which one only this "
    "round of it?",
)
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            (b1, b2), lr = group["betas"], group["lr"]
            for p in group["params"]:
                if p.grad is None:
                    break
                state = self.state[p]
                state["t"] = t = state.get("t", 0) + 1
                state["s"] = b1 * state.get("s", 0.0) + (1 - b1) * p.grad
                state["r"] = b2 * state.get("r", 0.0) + (1 - b2) * p.grad**2
                p.mul_(1 - lr * group["weight_decay"])
                p.sub_(lr * state["s"] / (1 - b1**t) / ((state["r"] / (1 - b2**t)).sqrt() + group["eps"]))


@misconception(
    "AdamW",
    "uses the constructor's options for all groups",
    hint="self.defaults is what a group gets that brings nothing of its own. What a group does bring stands in the "
    "group.",
)
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            options = self.defaults
            (b1, b2), lr = options["betas"], group["lr"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                state["t"] = t = state.get("t", 0) + 1
                state["s"] = b1 * state.get("s", 0.0) + (1 - b1) * p.grad
                state["r"] = b2 * state.get("r", 0.0) + (1 - b2) * p.grad**2
                p.mul_(1 - lr * options["weight_decay"])
                p.sub_(lr * state["s"] / (1 - b1**t) / ((state["r"] / (1 - b2**t)).sqrt() + options["eps"]))


@misconception(
    "AdamW",
    "updates the first group only",
    hint="There may be several groups: loop over all of self.param_groups.",
)
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        group = self.param_groups[0]
        (b1, b2), lr = group["betas"], group["lr"]
        for p in group["params"]:
            if p.grad is None:
                continue
            state = self.state[p]
            state["t"] = t = state.get("t", 0) + 1
            state["s"] = b1 * state.get("s", 0.0) + (1 - b1) * p.grad
            state["r"] = b2 * state.get("r", 0.0) + (1 - b2) * p.grad**2
            p.mul_(1 - lr * group["weight_decay"])
            p.sub_(lr * state["s"] / (1 - b1**t) / ((state["r"] / (1 - b2**t)).sqrt() + group["eps"]))


@misconception(
    "AdamW",
    "averages inside the gradient",
    hint="Look at p.grad before and after step(). The first average that you keep is the gradient tensor itself, and "
    "the next backward() writes into it.",
)
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            (b1, b2), lr = group["betas"], group["lr"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state, square = self.state[p], p.grad**2
                state["t"] = t = state.get("t", 0) + 1
                if t == 1:
                    state["s"], state["r"] = p.grad.mul_(1 - b1), (1 - b2) * square
                else:
                    state["s"] = b1 * state["s"] + (1 - b1) * p.grad
                    state["r"] = b2 * state["r"] + (1 - b2) * square
                p.mul_(1 - lr * group["weight_decay"])
                p.sub_(lr * state["s"] / (1 - b1**t) / ((state["r"] / (1 - b2**t)).sqrt() + group["eps"]))


@misconception(
    "AdamW",
    "leaves autograd switched off",
    hint="torch.set_grad_enabled(False) holds until somebody switches it on again. A with block, or a decorator, does "
    "that by itself.",
)
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def step(self, closure=None):
        torch.set_grad_enabled(False)
        for group in self.param_groups:
            (b1, b2), lr = group["betas"], group["lr"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                state["t"] = t = state.get("t", 0) + 1
                state["s"] = b1 * state.get("s", 0.0) + (1 - b1) * p.grad
                state["r"] = b2 * state.get("r", 0.0) + (1 - b2) * p.grad**2
                p.mul_(1 - lr * group["weight_decay"])
                p.sub_(lr * state["s"] / (1 - b1**t) / ((state["r"] / (1 - b2**t)).sqrt() + group["eps"]))


@misconception(
    "AdamW",
    "shares one memory between all optimizers",
    hint="A dict that stands in the class body belongs to the class: every optimizer writes into the same one. "
    "Optimizer gives each its own self.state.",
)
class AdamW(torch.optim.Optimizer):
    memory = {}  # noqa: RUF012

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})
        self.memory.clear()

    @torch.no_grad()
    def step(self, closure=None):
        for k, group in enumerate(self.param_groups):
            (b1, b2), lr = group["betas"], group["lr"]
            for i, p in enumerate(group["params"]):
                if p.grad is None:
                    continue
                state = self.memory.setdefault((k, i), {})
                state["t"] = t = state.get("t", 0) + 1
                state["s"] = b1 * state.get("s", 0.0) + (1 - b1) * p.grad
                state["r"] = b2 * state.get("r", 0.0) + (1 - b2) * p.grad**2
                p.mul_(1 - lr * group["weight_decay"])
                p.sub_(lr * state["s"] / (1 - b1**t) / ((state["r"] / (1 - b2**t)).sqrt() + group["eps"]))


@misconception(
    "AdamW",
    "clears the gradients itself",
    hint="step() reads the gradients and leaves them there: somebody may want to log them. Clearing is what "
    "zero_grad() is for.",
)
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            (b1, b2), lr = group["betas"], group["lr"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                state["t"] = t = state.get("t", 0) + 1
                state["s"] = b1 * state.get("s", 0.0) + (1 - b1) * p.grad
                state["r"] = b2 * state.get("r", 0.0) + (1 - b2) * p.grad**2
                p.mul_(1 - lr * group["weight_decay"])
                p.sub_(lr * state["s"] / (1 - b1**t) / ((state["r"] / (1 - b2**t)).sqrt() + group["eps"]))
                p.grad.zero_()


@misconception(
    "AdamW",
    "lets rows without a gradient rest",
    hint="Try a matrix with a row of zeros in its gradient, as an embedding has for a word that does not occur. Only "
    "grad None means that nothing happens, and that to a whole parameter.",
)
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            (b1, b2), lr = group["betas"], group["lr"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                state["t"] = t = state.get("t", 0) + 1
                state["s"] = b1 * state.get("s", 0.0) + (1 - b1) * p.grad
                state["r"] = b2 * state.get("r", 0.0) + (1 - b2) * p.grad**2
                step = state["s"] / (1 - b1**t) / ((state["r"] / (1 - b2**t)).sqrt() + group["eps"])
                new = p * (1 - lr * group["weight_decay"]) - lr * step
                if p.dim() >= 2:
                    unused = (p.grad == 0).flatten(1).all(1)
                    new[unused] = p[unused]
                p.copy_(new)


@misconception(
    "AdamW",
    "keeps the decay of the first step",
    hint="Write a new weight_decay into param_groups after a step: does the next step know? State is for what the "
    "steps themselves have made.",
)
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            (b1, b2), lr = group["betas"], group["lr"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                decay = state.setdefault("decay", group["weight_decay"])
                state["t"] = t = state.get("t", 0) + 1
                state["s"] = b1 * state.get("s", 0.0) + (1 - b1) * p.grad
                state["r"] = b2 * state.get("r", 0.0) + (1 - b2) * p.grad**2
                p.mul_(1 - lr * decay)
                p.sub_(lr * state["s"] / (1 - b1**t) / ((state["r"] / (1 - b2**t)).sqrt() + group["eps"]))


@misconception(
    "AdamW",
    "keeps the ε of the first step",
    hint="Write another eps into param_groups after a step: does the next step know? The learning rate is not the only "
    "option that may change.",
)
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            (b1, b2), lr = group["betas"], group["lr"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                eps = state.setdefault("eps", group["eps"])
                state["t"] = t = state.get("t", 0) + 1
                state["s"] = b1 * state.get("s", 0.0) + (1 - b1) * p.grad
                state["r"] = b2 * state.get("r", 0.0) + (1 - b2) * p.grad**2
                p.mul_(1 - lr * group["weight_decay"])
                p.sub_(lr * state["s"] / (1 - b1**t) / ((state["r"] / (1 - b2**t)).sqrt() + eps))


@misconception(
    "AdamW",
    "never decays further than to 0",
    hint="Try lr=1 and weight_decay=3 with a gradient of 0: what is 1 − αλ, and what is left of θ? Nothing in the "
    "formula is cut off.",
)
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            (b1, b2), lr = group["betas"], group["lr"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                state["t"] = t = state.get("t", 0) + 1
                state["s"] = b1 * state.get("s", 0.0) + (1 - b1) * p.grad
                state["r"] = b2 * state.get("r", 0.0) + (1 - b2) * p.grad**2
                p.mul_(max(0.0, 1 - lr * group["weight_decay"]))
                p.sub_(lr * state["s"] / (1 - b1**t) / ((state["r"] / (1 - b2**t)).sqrt() + group["eps"]))


@misconception(
    "AdamW",
    "skips groups whose learning rate is 0",
    hint="A warm-up often begins with a rate of 0. No parameter moves then, but what do the averages and t of torch's "
    "AdamW do?",
)
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            (b1, b2), lr = group["betas"], group["lr"]
            if lr == 0:
                continue
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                state["t"] = t = state.get("t", 0) + 1
                state["s"] = b1 * state.get("s", 0.0) + (1 - b1) * p.grad
                state["r"] = b2 * state.get("r", 0.0) + (1 - b2) * p.grad**2
                p.mul_(1 - lr * group["weight_decay"])
                p.sub_(lr * state["s"] / (1 - b1**t) / ((state["r"] / (1 - b2**t)).sqrt() + group["eps"]))


@misconception(
    "AdamW",
    "lists its parameters once, in the constructor",
    hint="Call add_param_group after a step or two, as is done when a frozen layer is thawed: do the new parameters "
    "move? Where does that method put them?",
)
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})
        self.pairs = [(group, p) for group in self.param_groups for p in group["params"]]

    @torch.no_grad()
    def step(self, closure=None):
        for group, p in self.pairs:
            if p.grad is None:
                continue
            (b1, b2), lr = group["betas"], group["lr"]
            state = self.state[p]
            state["t"] = t = state.get("t", 0) + 1
            state["s"] = b1 * state.get("s", 0.0) + (1 - b1) * p.grad
            state["r"] = b2 * state.get("r", 0.0) + (1 - b2) * p.grad**2
            p.mul_(1 - lr * group["weight_decay"])
            p.sub_(lr * state["s"] / (1 - b1**t) / ((state["r"] / (1 - b2**t)).sqrt() + group["eps"]))


# ---------------------------------------------------------------------------------------------------- decay_groups


@misconception(
    "decay_groups",
    "spares what is called bias",
    hint="A layer norm's gains are called weight, and are no matrix. Go by the number of axes, not by the name.",
)
def decay_groups(model, weight_decay):
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    return [
        {"params": [p for name, p in named if "bias" not in name], "weight_decay": weight_decay},
        {"params": [p for name, p in named if "bias" in name], "weight_decay": 0.0},
    ]


@misconception(
    "decay_groups",
    "decays what is called weight",
    hint="Not every matrix is called weight, and not everything called weight is a matrix. What tells a matrix from a "
    "vector?",
)
def decay_groups(model, weight_decay):
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    return [
        {"params": [p for name, p in named if name.endswith("weight")], "weight_decay": weight_decay},
        {"params": [p for name, p in named if not name.endswith("weight")], "weight_decay": 0.0},
    ]


@misconception(
    "decay_groups",
    "takes frozen parameters too",
    hint="A frozen parameter is not trained at all, so no optimizer needs it. Which attribute says so?",
)
def decay_groups(model, weight_decay):
    return [
        {"params": [p for p in model.parameters() if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0},
    ]


@misconception(
    "decay_groups",
    "leaves out an empty group",
    hint="Whoever writes groups[1] expects it to be there, for every model. An empty list is a fine group.",
)
def decay_groups(model, weight_decay):
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.dim() < 2], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


@misconception(
    "decay_groups",
    "has the groups in the other order",
    hint="First the group that decays, then the one that does not.",
)
def decay_groups(model, weight_decay):
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.dim() < 2], "weight_decay": 0.0},
        {"params": [p for p in trained if p.dim() >= 2], "weight_decay": weight_decay},
    ]


@misconception(
    "decay_groups",
    "lists tied parameters twice",
    hint="A parameter with two names is still one: an optimizer that held it twice would step twice. parameters() "
    "takes care of that.",
)
def decay_groups(model, weight_decay):
    trained = [p for _, p in model.named_parameters(remove_duplicate=False) if p.requires_grad]
    return [
        {"params": [p for p in trained if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.dim() < 2], "weight_decay": 0.0},
    ]


@misconception(
    "decay_groups",
    "looks one level deep",
    hint="Models are nested: a block holds layers, which hold parameters. model.parameters() goes all the way down.",
)
def decay_groups(model, weight_decay):
    inside = [model, *model.children()]
    trained = list({id(p): p for m in inside for p in m.parameters(recurse=False) if p.requires_grad}.values())
    return [
        {"params": [p for p in trained if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.dim() < 2], "weight_decay": 0.0},
    ]


@misconception(
    "decay_groups",
    "takes exactly two axes for weights",
    hint="A convolution's kernel has three, four or five axes and decays like a matrix.",
)
def decay_groups(model, weight_decay):
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.dim() == 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.dim() != 2], "weight_decay": 0.0},
    ]


@misconception(
    "decay_groups",
    "decays vectors as well",
    hint="Biases and gains have one axis, and belong to the second group. Where is your border?",
)
def decay_groups(model, weight_decay):
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.dim() >= 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.dim() < 1], "weight_decay": 0.0},
    ]


@misconception(
    "decay_groups",
    "does not count axes of size 1",
    hint="The matrix of nn.Linear(3, 1) has the shape [1, 3]: one row, but two axes. squeeze takes one of them away.",
)
def decay_groups(model, weight_decay):
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.squeeze().dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.squeeze().dim() < 2], "weight_decay": 0.0},
    ]


@misconception(
    "decay_groups",
    "gives both groups the same decay",
    hint="The second group is there to be spared: which weight_decay does that?",
)
def decay_groups(model, weight_decay):
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.dim() < 2], "weight_decay": weight_decay},
    ]


@misconception(
    "decay_groups",
    "hands out copies",
    hint="An optimizer has to change the model's own parameters. clone, detach and .data make other tensors.",
)
def decay_groups(model, weight_decay):
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p.detach() for p in trained if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p.detach() for p in trained if p.dim() < 2], "weight_decay": 0.0},
    ]


@misconception(
    "decay_groups",
    "takes equal values for the same parameter",
    hint="Two biases that both start at 0 are still two parameters. Compare objects (is, id), not numbers.",
)
def decay_groups(model, weight_decay):
    trained = []
    for p in model.parameters():
        if p.requires_grad and not any(torch.equal(p, other) for other in trained):
            trained.append(p)
    return [
        {"params": [p for p in trained if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.dim() < 2], "weight_decay": 0.0},
    ]


@misconception(
    "decay_groups",
    "takes only parameters that have a gradient already",
    hint="Groups are made before the first backward(), when every grad is None. What says that a parameter will be "
    "trained?",
)
def decay_groups(model, weight_decay):
    trained = [p for p in model.parameters() if p.requires_grad and p.grad is not None]
    return [
        {"params": [p for p in trained if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.dim() < 2], "weight_decay": 0.0},
    ]


@misconception(
    "decay_groups",
    "spares norms by the type of the module",
    hint="Try nn.LayerNorm((2, 3)), and print the shapes of its parameters. Does the docstring sort by the module that "
    "a parameter belongs to?",
)
def decay_groups(model, weight_decay):
    kinds = (nn.LayerNorm, nn.GroupNorm, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
    gains = {id(p) for module in model.modules() if isinstance(module, kinds) for p in module.parameters()}
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.dim() >= 2 and id(p) not in gains], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.dim() < 2 or id(p) in gains], "weight_decay": 0.0},
    ]


@misconception(
    "decay_groups",
    "spares what is called an embedding",
    hint="Some recipes do spare embeddings, but read the docstring: what does it sort by? Try a matrix with the name "
    "pos_embedding.",
)
def decay_groups(model, weight_decay):
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    return [
        {"params": [p for name, p in named if p.dim() >= 2 and "emb" not in name], "weight_decay": weight_decay},
        {"params": [p for name, p in named if p.dim() < 2 or "emb" in name], "weight_decay": 0.0},
    ]


# --------------------------------------------------------------------------------------------------------- l1_step


@misconception(
    "l1_step",
    "lets the pull cross 0",
    hint="Take θ = 0.05 and αλ = 0.2 with no gradient: yours ends at −0.15. The pull is never more than what is left.",
)
def l1_step(param, grad, *, lr, lam):
    return param - lr * grad - lr * lam * torch.sign(param)


@misconception(
    "l1_step",
    "shrinks after the gradient step (that is the proximal step)",
    hint="You apply the threshold to θ − αg, which is the better algorithm. But this exercise is the lecture's step: "
    "its threshold looks at the old θ.",
)
def l1_step(param, grad, *, lr, lam):
    moved = param - lr * grad
    return torch.sign(moved) * torch.clamp(moved.abs() - lr * lam, min=0)


@misconception(
    "l1_step",
    "decays in proportion to the weight",
    hint="That is L2. The slope of |θ| is the same for large and small θ.",
)
def l1_step(param, grad, *, lr, lam):
    return param - lr * grad - lr * lam * param


@misconception(
    "l1_step",
    "pulls without the learning rate",
    hint="The pull of one step is αλ: a gradient of the penalty is multiplied by α like every other gradient.",
)
def l1_step(param, grad, *, lr, lam):
    return param - lr * grad - param.abs().clamp(max=lam) * torch.sign(param)


@misconception(
    "l1_step",
    "multiplies the minimum by the learning rate",
    hint="Without a gradient a small weight must end at 0 exactly. Yours keeps a share 1 − α of itself: look at which "
    "two numbers the minimum compares.",
)
def l1_step(param, grad, *, lr, lam):
    return param - lr * (grad + param.abs().clamp(max=lam) * torch.sign(param))


@misconception(
    "l1_step",
    "uses the sign after the gradient step",
    hint="Where the gradient carries θ across 0 you pull in the wrong direction. Sign and size are those of the old θ.",
)
def l1_step(param, grad, *, lr, lam):
    moved = param - lr * grad
    return moved - param.abs().clamp(max=lr * lam) * torch.sign(moved)


@misconception(
    "l1_step",
    "limits the pull by what is left after the gradient step",
    hint="The pull is limited by |θ| before the step. Yours takes the size of θ − αg, with the sign of θ.",
)
def l1_step(param, grad, *, lr, lam):
    moved = param - lr * grad
    return moved - moved.abs().clamp(max=lr * lam) * torch.sign(param)


@misconception(
    "l1_step",
    "takes one minimum for the whole tensor",
    hint="Each weight has a minimum of its own: min(αλ, |θ_i|). A single small weight must not protect the large ones.",
)
def l1_step(param, grad, *, lr, lam):
    return param - lr * grad - min(lr * lam, param.abs().min().item()) * torch.sign(param)


@misconception(
    "l1_step",
    "sets small weights to 0 and drops their gradient",
    hint="Below the threshold the pull takes θ to 0, but the gradient still acts: a weight at 0 can leave it again.",
)
def l1_step(param, grad, *, lr, lam):
    moved = param - lr * grad - lr * lam * torch.sign(param)
    return torch.where(param.abs() <= lr * lam, torch.zeros_like(param), moved)


@misconception(
    "l1_step",
    "loses the sign",
    hint="Try θ = −1: you pull it away from 0. The pull has the sign of θ.",
)
def l1_step(param, grad, *, lr, lam):
    return param - lr * grad - param.abs().clamp(max=lr * lam)


@misconception(
    "l1_step",
    "pulls away from 0",
    hint="Set the gradient to 0: your weights grow. The penalty is to make them smaller.",
)
def l1_step(param, grad, *, lr, lam):
    return param - lr * grad + param.abs().clamp(max=lr * lam) * torch.sign(param)


@misconception(
    "l1_step",
    "changes the parameter in place",
    hint="Print param before and after the call. The exercise asks for a new tensor.",
)
def l1_step(param, grad, *, lr, lam):
    pull = param.abs().clamp(max=lr * lam) * torch.sign(param)
    param -= lr * grad
    param -= pull
    return param


@misconception(
    "l1_step",
    "keeps the threshold in a float32 tensor",
    hint="Which dtype has torch.tensor(0.1)? A plain Python number keeps all its digits: see clamp.",
)
def l1_step(param, grad, *, lr, lam):
    return param - lr * grad - torch.minimum(param.abs(), torch.tensor(lr * lam)).to(param.dtype) * torch.sign(param)


@misconception(
    "l1_step",
    "halves the pull",
    hint="The L1 penalty is λ·|θ|, without the ½ of the L2 penalty: there is no square whose 2 it could cancel.",
)
def l1_step(param, grad, *, lr, lam):
    return param - lr * grad - param.abs().clamp(max=lr * lam / 2) * torch.sign(param)


@misconception(
    "l1_step",
    "lets rows without a gradient rest",
    hint="Try a matrix whose gradient has a row of zeros: the pull does not ask for the gradient, so it acts on that "
    "row too.",
)
def l1_step(param, grad, *, lr, lam):
    new = param - lr * grad - param.abs().clamp(max=lr * lam) * torch.sign(param)
    if grad.dim() >= 2:
        unused = (grad == 0).flatten(1).all(1)
        new[unused] = param[unused]
    return new


# ------------------------------------------------------------------------------------------------- map_l2_strength


@misconception(
    "map_l2_strength",
    "counts the prior once for every example (the slip on the slide)",
    hint="There is one prior, not one for each example: it stands outside of the product. What does dividing "
    "the sum by m do to it?",
)
def map_l2_strength(prior_std, num_examples):
    if prior_std <= 0 or num_examples <= 0:
        raise ValueError("not positive")
    return 1 / prior_std**2


@misconception(
    "map_l2_strength",
    "grows with the number of examples",
    hint="The more data, the less the prior should matter. Does your λ fall or rise with m?",
)
def map_l2_strength(prior_std, num_examples):
    if prior_std <= 0 or num_examples <= 0:
        raise ValueError("not positive")
    return num_examples / prior_std**2


@misconception(
    "map_l2_strength",
    "does not square the standard deviation",
    hint="The Gaussian's exponent is −θ²/(2σ²). Check the units: λθ² must be a number without a unit.",
)
def map_l2_strength(prior_std, num_examples):
    if prior_std <= 0 or num_examples <= 0:
        raise ValueError("not positive")
    return 1 / (num_examples * prior_std)


@misconception(
    "map_l2_strength",
    "keeps the one half of the exponent",
    hint="λ/2·‖θ‖² has a ½ of its own. Compare it with ‖θ‖²/(2σ²m) and cancel.",
)
def map_l2_strength(prior_std, num_examples):
    if prior_std <= 0 or num_examples <= 0:
        raise ValueError("not positive")
    return 1 / (2 * num_examples * prior_std**2)


@misconception(
    "map_l2_strength",
    "doubles the strength",
    hint="Both the exponent of the prior and the penalty have a ½: they cancel, and no 2 is left.",
)
def map_l2_strength(prior_std, num_examples):
    if prior_std <= 0 or num_examples <= 0:
        raise ValueError("not positive")
    return 2 / (num_examples * prior_std**2)


@misconception(
    "map_l2_strength",
    "turns the variance upside down",
    hint="A wide prior hardly cares where θ is. Is your λ small for a large σ?",
)
def map_l2_strength(prior_std, num_examples):
    if prior_std <= 0 or num_examples <= 0:
        raise ValueError("not positive")
    return prior_std**2 / num_examples


@misconception(
    "map_l2_strength",
    "checks nothing",
    hint="What does your function say to a standard deviation of −1, and to 0 examples?",
)
def map_l2_strength(prior_std, num_examples):
    return 1 / (num_examples * prior_std**2)


@misconception(
    "map_l2_strength",
    "checks the standard deviation only",
    hint="How many examples are −3 examples? Both arguments must be positive.",
)
def map_l2_strength(prior_std, num_examples):
    if prior_std <= 0:
        raise ValueError("not positive")
    return 1 / (num_examples * prior_std**2)


@misconception(
    "map_l2_strength",
    "lets a negative standard deviation pass",
    hint="The square hides the sign of σ. Check before you square.",
)
def map_l2_strength(prior_std, num_examples):
    if prior_std**2 <= 0 or num_examples <= 0:
        raise ValueError("not positive")
    return 1 / (num_examples * prior_std**2)


@misconception(
    "map_l2_strength",
    "lets 0 pass to the division",
    hint="0 is not positive either, and 1/0 raises another exception than the one that is asked for.",
)
def map_l2_strength(prior_std, num_examples):
    if prior_std < 0 or num_examples < 0:
        raise ValueError("negative")
    return 1 / (num_examples * prior_std**2)


@misconception(
    "map_l2_strength",
    "refuses only when both are wrong",
    hint="One wrong argument is enough: is it and, or is it or?",
)
def map_l2_strength(prior_std, num_examples):
    if prior_std <= 0 and num_examples <= 0:
        raise ValueError("not positive")
    return 1 / (num_examples * prior_std**2) if num_examples * prior_std else 0.0


@misconception(
    "map_l2_strength",
    "refuses a single example",
    hint="One example is data too: with m = 1 the strength is 1/σ².",
)
def map_l2_strength(prior_std, num_examples):
    if prior_std <= 0 or num_examples <= 1:
        raise ValueError("not positive")
    return 1 / (num_examples * prior_std**2)


@misconception(
    "map_l2_strength",
    "returns a tensor",
    hint="A plain number is asked for: an optimizer takes it as weight_decay.",
)
def map_l2_strength(prior_std, num_examples):
    if prior_std <= 0 or num_examples <= 0:
        raise ValueError("not positive")
    return 1 / (num_examples * torch.tensor(prior_std, dtype=torch.float64) ** 2)


@misconception(
    "map_l2_strength",
    "goes through float32",
    hint="Python's numbers have 16 digits, and a float32 tensor keeps 7 of them. No tensor is needed here.",
)
def map_l2_strength(prior_std, num_examples):
    if prior_std <= 0 or num_examples <= 0:
        raise ValueError("not positive")
    return (1 / (num_examples * torch.tensor(float(prior_std)) ** 2)).item()
