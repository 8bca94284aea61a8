"""Misconceptions of 13_gradient_clipping: what students write before they have it, each with a hint out of it."""

import math

import torch
from torch import Tensor, nn

from course_lib.checks import misconception

# --------------------------------------------------------------------------------------------------- clip_by_value


@misconception(
    "clip_by_value",
    "clips from above only",
    hint="Try an entry of -100. The limit is one for the absolute value: it has two sides.",
)
def clip_by_value(grads, limit):
    if limit < 0:
        raise ValueError("limit must not be negative")
    return [g.clamp(max=limit) for g in grads]


@misconception(
    "clip_by_value",
    "shrinks the whole tensor until its largest entry fits",
    hint="Look at a small entry beside a large one: it should stay as it is. By value, every entry is on its own.",
)
def clip_by_value(grads, limit):
    if limit < 0:
        raise ValueError("limit must not be negative")
    return [g * (limit / g.abs().max()) if g.abs().max() > limit else g for g in grads]


@misconception(
    "clip_by_value",
    "sets what is too large to zero",
    hint="What is left of an entry of 100 with the limit 1? It should go as far as it may, not vanish.",
)
def clip_by_value(grads, limit):
    if limit < 0:
        raise ValueError("limit must not be negative")
    return [torch.where(g.abs() <= limit, g, torch.zeros_like(g)) for g in grads]


@misconception(
    "clip_by_value",
    "loses the sign of what it clips",
    hint="What becomes of -4 with the limit 1? A step in the opposite direction is worse than a long one.",
)
def clip_by_value(grads, limit):
    if limit < 0:
        raise ValueError("limit must not be negative")
    return [torch.where(g.abs() > limit, torch.full_like(g, limit), g) for g in grads]


@misconception(
    "clip_by_value",
    "clips in place",
    hint="Print the gradients after the call. A method whose name ends in an underscore changes its tensor.",
)
def clip_by_value(grads, limit):
    if limit < 0:
        raise ValueError("limit must not be negative")
    return [g.clamp_(-limit, limit) for g in grads]


@misconception(
    "clip_by_value",
    "puts its results into the list it was given",
    hint="The list belongs to the caller, who may still need the gradients in it. Return a list of your own.",
)
def clip_by_value(grads, limit):
    if limit < 0:
        raise ValueError("limit must not be negative")
    for i, g in enumerate(grads):
        grads[i] = g.clamp(-limit, limit)
    return grads


@misconception(
    "clip_by_value",
    "accepts a negative limit",
    hint="What should -1 mean as a largest absolute value? Say so, with an exception, before anything else.",
)
def clip_by_value(grads, limit):
    return [g.clamp(-limit, limit) for g in grads]


@misconception(
    "clip_by_value",
    "refuses a limit of 0",
    hint="Is 0 negative? It is an odd limit, but a valid one: what is left is zeros.",
)
def clip_by_value(grads, limit):
    if limit <= 0:
        raise ValueError("limit must be positive")
    return [g.clamp(-limit, limit) for g in grads]


@misconception(
    "clip_by_value",
    "clips each tensor by its norm",
    hint="That is the other kind of clipping. Here the limit is one for each single entry.",
)
def clip_by_value(grads, limit):
    if limit < 0:
        raise ValueError("limit must not be negative")
    return [g * (limit / g.norm()) if g.norm() > limit else g for g in grads]


@misconception(
    "clip_by_value",
    "rounds the limit to float32",
    hint="torch.tensor(0.1) is a float32: in float64 it is off in the eighth digit. A plain number is exact.",
)
def clip_by_value(grads, limit):
    if limit < 0:
        raise ValueError("limit must not be negative")
    bound = torch.tensor(float(limit))
    return [torch.minimum(torch.maximum(g, -bound), bound) for g in grads]


@misconception(
    "clip_by_value",
    "bends instead of cutting off",
    hint="Entries within the limit should not change at all. Yours become smaller even there.",
)
def clip_by_value(grads, limit):
    if limit < 0:
        raise ValueError("limit must not be negative")
    if limit == 0 or limit == math.inf:
        return [g.clamp(-limit, limit) for g in grads]
    return [limit * torch.tanh(g / limit) for g in grads]


@misconception(
    "clip_by_value",
    "clips the first gradient only",
    hint="Give it two tensors. Is there a return inside of the loop?",
)
def clip_by_value(grads, limit):
    if limit < 0:
        raise ValueError("limit must not be negative")
    clipped = list(grads)
    clipped[0] = grads[0].clamp(-limit, limit)
    return clipped


@misconception(
    "clip_by_value",
    "looks at the limit only where there is something to clip",
    hint="A negative limit is an error whatever the gradients are. Check it before you look at them.",
)
def clip_by_value(grads, limit):
    for g in grads:
        if limit < 0 and bool((g.abs() > abs(limit)).any()):
            raise ValueError("limit must not be negative")
    return [g.clamp(-abs(limit), abs(limit)) for g in grads]


@misconception(
    "clip_by_value",
    "divides by the absolute value for a sign",
    hint="Try an infinite entry, and print the quotient that is to be its sign. Is there a way to ±limit without a "
    "division?",
)
def clip_by_value(grads, limit):
    if limit < 0:
        raise ValueError("limit must not be negative")
    return [torch.where(g.abs() > limit, g / g.abs() * limit, g) for g in grads]


# ----------------------------------------------------------------------------------------------------- global_norm


@misconception(
    "global_norm",
    "adds the norms",
    hint="3 and 4 at a right angle make 5, not 7. Which quantities of the tensors may be added?",
)
def global_norm(grads):
    if not grads:
        return torch.zeros(())
    return torch.stack([g.square().sum().sqrt() for g in grads]).sum()


@misconception(
    "global_norm",
    "forgets the root",
    hint="What you have is the squared length. For (3, 4) the norm is 5.",
)
def global_norm(grads):
    if not grads:
        return torch.zeros(())
    return torch.stack([g.square().sum() for g in grads]).sum()


@misconception(
    "global_norm",
    "takes the mean of the squares",
    hint="That is the root mean square, the size of a typical entry. A vector's length grows with their number.",
)
def global_norm(grads):
    if not grads:
        return torch.zeros(())
    return torch.cat([g.reshape(-1) for g in grads]).square().mean().sqrt()


@misconception(
    "global_norm",
    "adds absolute values",
    hint="That is the 1-norm. Asked for is the 2-norm, the length in the sense of Pythagoras.",
)
def global_norm(grads):
    if not grads:
        return torch.zeros(())
    return torch.stack([g.abs().sum() for g in grads]).sum()


@misconception(
    "global_norm",
    "takes the largest entry",
    hint="That is the maximum norm: all other entries have no influence on it. How long is (3, 4)?",
)
def global_norm(grads):
    if not grads:
        return torch.zeros(())
    return torch.stack([g.abs().max() for g in grads]).max()


@misconception(
    "global_norm",
    "takes the largest of the norms",
    hint="Each tensor adds to the length of the whole. Yours does not change when the smaller ones do.",
)
def global_norm(grads):
    if not grads:
        return torch.zeros(())
    return torch.stack([g.square().sum().sqrt() for g in grads]).max()


@misconception(
    "global_norm",
    "takes the spectral norm of a matrix",
    hint="For a matrix, ord=2 means its largest singular value. You want the length of its entries, as one vector.",
)
def global_norm(grads):
    if not grads:
        return torch.zeros(())
    norms = [torch.linalg.norm(g, 2) if g.dim() == 2 else g.square().sum().sqrt() for g in grads]
    return torch.stack(norms).square().sum().sqrt()


@misconception(
    "global_norm",
    "adds the entries before it squares",
    hint="(2, -2) is not short: entries of opposite signs must not cancel. Square first, then add.",
)
def global_norm(grads):
    if not grads:
        return torch.zeros(())
    return torch.stack([g.sum().square() for g in grads]).sum().sqrt()


@misconception(
    "global_norm",
    "gives a tensor of shape [1]",
    hint="A scalar tensor has no axis: its shape is []. Where does yours come from?",
)
def global_norm(grads):
    if not grads:
        return torch.zeros(1)
    return torch.stack([g.square().sum() for g in grads]).sum(0, keepdim=True).sqrt()


@misconception(
    "global_norm",
    "gives a plain number",
    hint="The result should be a tensor without axes, in the dtype of the gradients. Leave out .item() and float().",
)
def global_norm(grads):
    return math.sqrt(sum(g.double().square().sum().item() for g in grads))


@misconception(
    "global_norm",
    "stops at an empty list",
    hint="There may be no gradient at all. torch.stack wants at least one tensor; a sum without terms is 0.",
)
def global_norm(grads):
    return torch.stack([g.square().sum() for g in grads]).sum().sqrt()


@misconception(
    "global_norm",
    "squares in place",
    hint="Print the gradients after the call. A method whose name ends in an underscore changes its tensor.",
)
def global_norm(grads):
    if not grads:
        return torch.zeros(())
    copies = [g if g.is_contiguous() else g.clone() for g in grads]
    return torch.stack([g.pow_(2).sum() for g in copies]).sum().sqrt()


@misconception(
    "global_norm",
    "computes in float32",
    hint="Give it float64 gradients and compare ten digits. Is there a .float(), or a tensor made without dtype?",
)
def global_norm(grads):
    if not grads:
        return torch.zeros(())
    return torch.stack([g.float().square().sum() for g in grads]).sum().sqrt().to(grads[0].dtype)


@misconception(
    "global_norm",
    "needs contiguous memory",
    hint="A transposed gradient cannot be viewed as a vector. There is a method of the same meaning that always works.",
)
def global_norm(grads):
    if not grads:
        return torch.zeros(())
    return torch.cat([g.view(-1) for g in grads]).norm()


@misconception(
    "global_norm",
    "adds 1e-6",
    hint="That small number belongs below a fraction line, in clipping. The norm itself is what it is.",
)
def global_norm(grads):
    if not grads:
        return torch.zeros(())
    return torch.stack([g.square().sum() for g in grads]).sum().sqrt() + 1e-6


@misconception(
    "global_norm",
    "measures the last axis only",
    hint="For a matrix, a norm along an axis gives one number for each row. What happens to these in your function?",
)
def global_norm(grads):
    if not grads:
        return torch.zeros(())
    return torch.stack([(g.norm(dim=-1) if g.dim() else g.abs()).sum() for g in grads]).norm()


@misconception(
    "global_norm",
    "counts a tensor once that is in the list twice",
    hint="A list may hold the same tensor twice, and a set holds it once. Try [g, g] and compare with the norm of [g].",
)
def global_norm(grads):
    total = torch.zeros(())
    for g in set(grads):
        total = total + (g * g).sum()
    return total.sqrt()


# ---------------------------------------------------------------------------------------------------- clip_by_norm


@misconception(
    "clip_by_norm",
    "clips each tensor by its own norm",
    hint="Two tensors with the gradients (3) and (4) should keep their proportion. How many factors do you compute?",
)
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    clipped = [g * (max_norm / g.norm()) if g.norm() > max_norm else g.clone() for g in grads]
    return clipped, torch.cat([g.flatten() for g in grads]).norm()


@misconception(
    "clip_by_norm",
    "makes short gradients longer",
    hint="Your factor can be larger than 1. That is normalization: what should happen where norm <= max_norm?",
)
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    norm = torch.cat([g.flatten() for g in grads]).norm()
    return [g * (max_norm / (norm + 1e-6)) for g in grads], norm


@misconception(
    "clip_by_norm",
    "returns the norm after clipping",
    hint="The norm is asked for as it was before: after clipping it says nothing about the training any more.",
)
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    norm = torch.cat([g.flatten() for g in grads]).norm()
    clipped = [g * (max_norm / norm) if norm > max_norm else g.clone() for g in grads]
    return clipped, torch.cat([g.flatten() for g in clipped]).norm()


@misconception(
    "clip_by_norm",
    "divides zero by zero",
    hint="What is your factor when every gradient is zero? Divide only where you have to.",
)
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    norm = torch.cat([g.flatten() for g in grads]).norm()
    return [g / norm * torch.clamp(norm, max=max_norm) for g in grads], norm


@misconception(
    "clip_by_norm",
    "divides zero by zero for max_norm 0 only",
    hint="Try zeros with max_norm = 0: the quotient is NaN, and the minimum of NaN and 1 is NaN.",
)
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    norm = torch.cat([g.flatten() for g in grads]).norm()
    return [g * torch.clamp(max_norm / norm, max=1.0) for g in grads], norm


@misconception(
    "clip_by_norm",
    "clips by value",
    hint="Look at the direction of (3, 4) before and after. One factor for all entries keeps it.",
)
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    return [g.clamp(-max_norm, max_norm) for g in grads], torch.cat([g.flatten() for g in grads]).norm()


@misconception(
    "clip_by_norm",
    "scales to length 1 instead of max_norm",
    hint="g/norm has the length 1, whatever max_norm is. Which length should it have?",
)
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    norm = torch.cat([g.flatten() for g in grads]).norm()
    return [g / norm if norm > max_norm else g.clone() for g in grads], norm


@misconception(
    "clip_by_norm",
    "changes the gradients in place",
    hint="Print the gradients after the call. *= changes the tensor that the caller still holds.",
)
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    norm = torch.cat([g.flatten() for g in grads]).norm()
    if norm > max_norm:
        for g in grads:
            g *= max_norm / norm
    return list(grads), norm


@misconception(
    "clip_by_norm",
    "puts its results into the list it was given",
    hint="The list belongs to the caller, who may still need the gradients in it. Return a list of your own.",
)
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    norm = torch.cat([g.flatten() for g in grads]).norm()
    if norm > max_norm:
        for i in range(len(grads)):
            grads[i] = grads[i] * (max_norm / norm)
    return grads, norm


@misconception(
    "clip_by_norm",
    "accepts a negative max_norm",
    hint="With max_norm = -1 your factor is negative, and the step goes up. Refuse it first.",
)
def clip_by_norm(grads, max_norm):
    norm = torch.cat([g.flatten() for g in grads]).norm()
    scale = max_norm / norm if norm > max_norm and norm > 0 else 1.0
    return [g * scale for g in grads], norm


@misconception(
    "clip_by_norm",
    "refuses a negative max_norm only where it clips",
    hint="A negative max_norm is an error for zero gradients as well. Check it before you look at them.",
)
def clip_by_norm(grads, max_norm):
    norm = torch.cat([g.flatten() for g in grads]).norm()
    if norm == 0 or norm <= abs(max_norm):
        return [g.clone() for g in grads], norm
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    return [g * (max_norm / norm) for g in grads], norm


@misconception(
    "clip_by_norm",
    "takes max_norm 0 for no clipping",
    hint="In Python 0 counts as false. Here it is a limit like any other, and leaves nothing.",
)
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    norm = torch.cat([g.flatten() for g in grads]).norm()
    if max_norm and norm > max_norm:
        return [g * (max_norm / norm) for g in grads], norm
    return [g.clone() for g in grads], norm


@misconception(
    "clip_by_norm",
    "divides by the squared norm",
    hint="Compute the norm of your result for (3, 4) and max_norm 1. Did you take a root somewhere?",
)
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    norm = torch.cat([g.flatten() for g in grads]).norm()
    return [g * (max_norm / norm**2) if norm > max_norm else g.clone() for g in grads], norm


@misconception(
    "clip_by_norm",
    "computes the factor in float32",
    hint="torch.tensor(0.1) is a float32: in float64 gradients your factor is off in the eighth digit.",
)
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    norm = torch.cat([g.flatten() for g in grads]).norm()
    if not norm > max_norm:
        return [g.clone() for g in grads], norm
    scale = torch.tensor(float(max_norm)) / norm
    return [g * scale for g in grads], norm


@misconception(
    "clip_by_norm",
    "adds 1e-6 where nothing should change",
    hint="With norm <= max_norm the factor is exactly 1. Take the minimum with 1 last, after the division.",
)
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    norm = torch.cat([g.flatten() for g in grads]).norm()
    if max_norm == math.inf:
        return [g.clone() for g in grads], norm
    return [g * (max_norm / (norm.clamp(min=max_norm) + 1e-6)) for g in grads], norm


@misconception(
    "clip_by_norm",
    "adds far more than 1e-6 to the norm",
    hint="What you add to the norm makes every clipped gradient shorter than max_norm. By how much, for a norm of 1?",
)
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    norm = torch.cat([g.flatten() for g in grads]).norm()
    scale = max_norm / (norm + 1e-4) if norm > max_norm else 1.0
    return [g * scale for g in grads], norm


@misconception(
    "clip_by_norm",
    "takes tiny gradients for zero",
    hint="A norm of 1e-6 is small, but not 0, and may be larger than max_norm all the same.",
)
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    norm = torch.cat([g.flatten() for g in grads]).norm()
    scale = max_norm / norm if norm > max_norm and norm > 1e-5 else 1.0
    return [g * scale for g in grads], norm


@misconception(
    "clip_by_norm",
    "divides infinity by infinity",
    hint="Try max_norm = math.inf, the usual way to say 'measure, but do not clip'.",
)
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    norm = torch.cat([g.flatten() for g in grads]).norm()
    if norm == 0:
        return [g.clone() for g in grads], norm
    return [g * (max_norm / norm.clamp(min=max_norm)) for g in grads], norm


@misconception(
    "clip_by_norm",
    "returns the gradients alone",
    hint="Two things are asked for: the list of clipped gradients, and the norm from before.",
)
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    norm = torch.cat([g.flatten() for g in grads]).norm()
    return [g * (max_norm / norm) if norm > max_norm else g.clone() for g in grads]


# -------------------------------------------------------------------------------------------------- clip_grad_norm_


@misconception(
    "clip_grad_norm_",
    "leaves .grad as it was",
    hint="g = g * scale gives a new tensor a local name. The parameter still holds the old one.",
)
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = torch.cat([torch.zeros(0), *[g.flatten() for g in grads]]).norm()
    if error_if_nonfinite and not torch.isfinite(norm):
        raise RuntimeError("non-finite norm")
    if norm > max_norm:
        for g in grads:
            g = g * (max_norm / norm)
    return norm


@misconception(
    "clip_grad_norm_",
    "goes through a generator twice",
    hint="model.parameters() can be gone through once. In your second loop nothing is left of it.",
)
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    if isinstance(parameters, Tensor):
        parameters = [parameters]
    norm = torch.cat([torch.zeros(0), *[p.grad.flatten() for p in parameters if p.grad is not None]]).norm()
    if error_if_nonfinite and not torch.isfinite(norm):
        raise RuntimeError("non-finite norm")
    if norm > max_norm:
        for p in parameters:
            if p.grad is not None:
                p.grad.mul_(max_norm / norm)
    return norm


@misconception(
    "clip_grad_norm_",
    "expects every parameter to have a gradient",
    hint="Frozen and unused parameters have .grad None. Pass over them.",
)
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    norm = torch.cat([p.grad.flatten() for p in parameters]).norm()
    if error_if_nonfinite and not torch.isfinite(norm):
        raise RuntimeError("non-finite norm")
    if norm > max_norm:
        for p in parameters:
            p.grad.mul_(max_norm / norm)
    return norm


@misconception(
    "clip_grad_norm_",
    "gives parameters without gradient one of zeros",
    hint="A parameter with .grad None was not used, and an optimizer passes over it. Zeros are not the same thing.",
)
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for p in parameters:
        if p.grad is None:
            p.grad = torch.zeros_like(p)
    norm = torch.cat([p.grad.flatten() for p in parameters]).norm()
    if error_if_nonfinite and not torch.isfinite(norm):
        raise RuntimeError("non-finite norm")
    if norm > max_norm:
        for p in parameters:
            p.grad.mul_(max_norm / norm)
    return norm


@misconception(
    "clip_grad_norm_",
    "takes a single parameter for an iterable",
    hint="A tensor can be iterated over: it gives its rows, and these have no .grad. Ask what you were given first.",
)
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    held = [p for p in parameters if p.grad is not None]
    norm = torch.cat([torch.zeros(0), *[p.grad.flatten() for p in held]]).norm()
    if error_if_nonfinite and not torch.isfinite(norm):
        raise RuntimeError("non-finite norm")
    if norm > max_norm:
        for p in held:
            p.grad.mul_(max_norm / norm)
    return norm


@misconception(
    "clip_grad_norm_",
    "returns the norm after clipping",
    hint="Measure first, and keep what you measured: that number is what the caller writes down.",
)
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    held = [p for p in parameters if p.grad is not None]
    norm = torch.cat([torch.zeros(0), *[p.grad.flatten() for p in held]]).norm()
    if error_if_nonfinite and not torch.isfinite(norm):
        raise RuntimeError("non-finite norm")
    if norm > max_norm:
        for p in held:
            p.grad.mul_(max_norm / norm)
    return torch.cat([torch.zeros(0), *[p.grad.flatten() for p in held]]).norm()


@misconception(
    "clip_grad_norm_",
    "raises after it has changed the gradients",
    hint="The caller catches your error and looks at the gradients. Are they as they were? Look before you leap.",
)
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    held = [p for p in parameters if p.grad is not None]
    norm = torch.cat([torch.zeros(0), *[p.grad.flatten() for p in held]]).norm()
    scale = torch.clamp(max_norm / (norm + 1e-6), max=1.0)
    for p in held:
        p.grad.mul_(scale)
    if error_if_nonfinite and not torch.isfinite(norm):
        raise RuntimeError("non-finite norm")
    return norm


@misconception(
    "clip_grad_norm_",
    "raises for NaN but not for infinity",
    hint="An infinite norm cannot be clipped either. Which function of torch says no to both?",
)
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    held = [p for p in parameters if p.grad is not None]
    norm = torch.cat([torch.zeros(0), *[p.grad.flatten() for p in held]]).norm()
    if error_if_nonfinite and torch.isnan(norm):
        raise RuntimeError("NaN in the norm")
    if norm > max_norm:
        for p in held:
            p.grad.mul_(max_norm / norm)
    return norm


@misconception(
    "clip_grad_norm_",
    "raises for infinity but not for NaN",
    hint="norm == math.inf is False for NaN, as every comparison with it is. Which function of torch says no to both?",
)
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    held = [p for p in parameters if p.grad is not None]
    norm = torch.cat([torch.zeros(0), *[p.grad.flatten() for p in held]]).norm()
    if error_if_nonfinite and norm == math.inf:
        raise RuntimeError("infinite norm")
    if norm > max_norm:
        for p in held:
            p.grad.mul_(max_norm / norm)
    return norm


@misconception(
    "clip_grad_norm_",
    "never raises",
    hint="Follow error_if_nonfinite through your function: where does it make a difference?",
)
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    held = [p for p in parameters if p.grad is not None]
    norm = torch.cat([torch.zeros(0), *[p.grad.flatten() for p in held]]).norm()
    if norm > max_norm:
        for p in held:
            p.grad.mul_(max_norm / norm)
    return norm


@misconception(
    "clip_grad_norm_",
    "raises without being asked",
    hint="By default a norm that is not finite is returned like any other. Only the flag makes it an error.",
)
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    held = [p for p in parameters if p.grad is not None]
    norm = torch.cat([torch.zeros(0), *[p.grad.flatten() for p in held]]).norm()
    if not torch.isfinite(norm):
        raise RuntimeError("non-finite norm")
    if norm > max_norm:
        for p in held:
            p.grad.mul_(max_norm / norm)
    return norm


@misconception(
    "clip_grad_norm_",
    "raises a ValueError",
    hint="The arguments are valid, it is the computation that went wrong: the contract names another exception.",
)
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    held = [p for p in parameters if p.grad is not None]
    norm = torch.cat([torch.zeros(0), *[p.grad.flatten() for p in held]]).norm()
    if error_if_nonfinite and not torch.isfinite(norm):
        raise ValueError("non-finite norm")
    if norm > max_norm:
        for p in held:
            p.grad.mul_(max_norm / norm)
    return norm


@misconception(
    "clip_grad_norm_",
    "replaces bad entries by numbers",
    hint="NaN turned into 0 hides the trouble: the norm should say that something is wrong.",
)
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    held = [p for p in parameters if p.grad is not None]
    for p in held:
        torch.nan_to_num_(p.grad, posinf=0.0, neginf=0.0)
    norm = torch.cat([torch.zeros(0), *[p.grad.flatten() for p in held]]).norm()
    if norm > max_norm:
        for p in held:
            p.grad.mul_(max_norm / norm)
    return norm


@misconception(
    "clip_grad_norm_",
    "clips each parameter by its own norm",
    hint="How many factors do you compute? With several, the step turns. The norm is that of all gradients together.",
)
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    held = [p for p in parameters if p.grad is not None]
    norm = torch.cat([torch.zeros(0), *[p.grad.flatten() for p in held]]).norm()
    if error_if_nonfinite and not torch.isfinite(norm):
        raise RuntimeError("non-finite norm")
    for p in held:
        own = p.grad.norm()
        if own > max_norm:
            p.grad.mul_(max_norm / own)
    return norm


@misconception(
    "clip_grad_norm_",
    "makes short gradients longer",
    hint="Your factor can be larger than 1. What should happen where norm <= max_norm?",
)
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    held = [p for p in parameters if p.grad is not None]
    norm = torch.cat([torch.zeros(0), *[p.grad.flatten() for p in held]]).norm()
    if error_if_nonfinite and not torch.isfinite(norm):
        raise RuntimeError("non-finite norm")
    for p in held:
        p.grad.mul_(max_norm / (norm + 1e-6))
    return norm


@misconception(
    "clip_grad_norm_",
    "scales the parameters",
    hint="Print the parameters before and after: clipping must not touch their values. Where is the gradient?",
)
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    held = [p for p in parameters if p.grad is not None]
    norm = torch.cat([torch.zeros(0), *[p.grad.flatten() for p in held]]).norm()
    if error_if_nonfinite and not torch.isfinite(norm):
        raise RuntimeError("non-finite norm")
    if norm > max_norm:
        for p in held:
            p.data.mul_(max_norm / norm)
    return norm


@misconception(
    "clip_grad_norm_",
    "stops where there is no gradient at all",
    hint="A list of parameters without any gradient is valid: there is nothing to clip, and the norm is 0.",
)
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    held = [p for p in parameters if p.grad is not None]
    norm = torch.cat([p.grad.flatten() for p in held]).norm()
    if error_if_nonfinite and not torch.isfinite(norm):
        raise RuntimeError("non-finite norm")
    if norm > max_norm:
        for p in held:
            p.grad.mul_(max_norm / norm)
    return norm


@misconception(
    "clip_grad_norm_",
    "passes over frozen parameters",
    hint="A parameter that was frozen after backward() still holds its .grad, and an optimizer uses it. By what does "
    "the contract tell which ones are passed over?",
)
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    held = [p for p in parameters if p.requires_grad and p.grad is not None]
    norm = torch.cat([torch.zeros(0), *[p.grad.flatten() for p in held]]).norm()
    if error_if_nonfinite and not torch.isfinite(norm):
        raise RuntimeError("non-finite norm")
    if norm > max_norm:
        for p in held:
            p.grad.mul_(max_norm / norm)
    return norm


@misconception(
    "clip_grad_norm_",
    "expects a single parameter to have a gradient",
    hint="Make one parameter and call no backward(): what is its .grad? You look at that in a list, but what if the "
    "parameter comes alone?",
)
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    grads = [parameters.grad] if isinstance(parameters, Tensor) else [p.grad for p in parameters if p.grad is not None]
    norm = torch.cat([torch.zeros(0), *[g.flatten() for g in grads]]).norm()
    if error_if_nonfinite and not torch.isfinite(norm):
        raise RuntimeError("non-finite norm")
    if norm > max_norm:
        for g in grads:
            g.mul_(max_norm / norm)
    return norm


@misconception(
    "clip_grad_norm_",
    "looks for infinity in the entries instead of the norm",
    hint="What is the norm of (1e20, -1e20) in float32, though both entries are finite? The contract speaks of "
    "the norm.",
)
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    held = [p for p in parameters if p.grad is not None]
    if error_if_nonfinite and not all(torch.isfinite(p.grad).all() for p in held):
        raise RuntimeError("non-finite gradient")
    norm = torch.cat([torch.zeros(0), *[p.grad.flatten() for p in held]]).norm()
    if norm > max_norm:
        for p in held:
            p.grad.mul_(max_norm / norm)
    return norm


@misconception(
    "clip_grad_norm_",
    "leaves very short gradients alone",
    hint="Try a norm of 5e-4 with the max_norm 1e-4. Only max_norm says what is too long.",
)
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    held = [p for p in parameters if p.grad is not None]
    norm = torch.cat([torch.zeros(0), *[p.grad.flatten() for p in held]]).norm()
    if error_if_nonfinite and not torch.isfinite(norm):
        raise RuntimeError("non-finite norm")
    if norm > max_norm and not norm < 1e-3:
        for p in held:
            p.grad.mul_(max_norm / norm)
    return norm


# ------------------------------------------------------------------------------------------------ unrolled_gradient


@misconception(
    "unrolled_gradient",
    "counts the last use of w only",
    hint="w is used in every step, and h_t depends on it as well: the product w·h_t has two factors that change.",
)
def unrolled_gradient(w, h0, steps):
    h, derivative = h0, torch.zeros_like(w)
    for _ in range(steps):
        new = torch.tanh(w * h)
        derivative = (1 - new**2) * h
        h = new
    return derivative


@misconception(
    "unrolled_gradient",
    "differentiates for the first state",
    hint="The product of all factors w(1 − h²) is dh_T/dh_0. Asked for is the derivative for w.",
)
def unrolled_gradient(w, h0, steps):
    h, product = h0, torch.ones_like(w)
    for _ in range(steps):
        h = torch.tanh(w * h)
        product = product * w * (1 - h**2)
    return product if steps else torch.zeros_like(w)


@misconception(
    "unrolled_gradient",
    "forgets the factor w",
    hint="In w·h_t, what is the derivative for h_t? It multiplies the derivative that is carried along.",
)
def unrolled_gradient(w, h0, steps):
    h, derivative = h0, torch.zeros_like(w)
    for _ in range(steps):
        new = torch.tanh(w * h)
        derivative = (1 - new**2) * (h + derivative)
        h = new
    return derivative


@misconception(
    "unrolled_gradient",
    "squares the old state",
    hint="tanh′(a) = 1 − tanh²(a), and tanh(a) is the new state, not the one before.",
)
def unrolled_gradient(w, h0, steps):
    h, derivative = h0, torch.zeros_like(w)
    for _ in range(steps):
        derivative = (1 - h**2) * (h + w * derivative)
        h = torch.tanh(w * h)
    return derivative


@misconception(
    "unrolled_gradient",
    "overwrites the state too early",
    hint="The sum needs h_t, and your h is h_{t+1} already. Give the new state a name of its own for a moment.",
)
def unrolled_gradient(w, h0, steps):
    h, derivative = h0, torch.zeros_like(w)
    for _ in range(steps):
        h = torch.tanh(w * h)
        derivative = (1 - h**2) * (h + w * derivative)
    return derivative


@misconception(
    "unrolled_gradient",
    "forgets the derivative of tanh",
    hint="There is a function around w·h_t. The chain rule wants its derivative as a factor.",
)
def unrolled_gradient(w, h0, steps):
    h, derivative = h0, torch.zeros_like(w)
    for _ in range(steps):
        derivative = h + w * derivative
        h = torch.tanh(w * h)
    return derivative


@misconception(
    "unrolled_gradient",
    "takes the derivative of the sigmoid",
    hint="h(1 − h) belongs to σ. What is the derivative of tanh, written with its value?",
)
def unrolled_gradient(w, h0, steps):
    h, derivative = h0, torch.zeros_like(w)
    for _ in range(steps):
        new = torch.tanh(w * h)
        derivative = new * (1 - new) * (h + w * derivative)
        h = new
    return derivative


@misconception(
    "unrolled_gradient",
    "applies tanh twice",
    hint="Your variable holds tanh(a) already. In 1 − tanh²(a), square it as it is.",
)
def unrolled_gradient(w, h0, steps):
    h, derivative = h0, torch.zeros_like(w)
    for _ in range(steps):
        new = torch.tanh(w * h)
        derivative = (1 - torch.tanh(new) ** 2) * (h + w * derivative)
        h = new
    return derivative


@misconception(
    "unrolled_gradient",
    "adds up without carrying on",
    hint="What step 3 has done to w goes through steps 4, 5, … as well, and each of them multiplies it by a factor.",
)
def unrolled_gradient(w, h0, steps):
    h, derivative = h0, torch.zeros_like(w)
    for _ in range(steps):
        new = torch.tanh(w * h)
        derivative = derivative + (1 - new**2) * h
        h = new
    return derivative


@misconception(
    "unrolled_gradient",
    "goes one step too far",
    hint="With 0 steps the derivative is 0, with 1 step it is (1 − h_1²)·h_0. Count the passes of your loop.",
)
def unrolled_gradient(w, h0, steps):
    h, derivative = h0, torch.zeros_like(w)
    for _ in range(steps + 1):
        new = torch.tanh(w * h)
        derivative = (1 - new**2) * (h + w * derivative)
        h = new
    return derivative


@misconception(
    "unrolled_gradient",
    "looks back five steps only",
    hint="Truncating saves time in long sequences, and leaves out what the early steps contribute. Here all count.",
)
def unrolled_gradient(w, h0, steps):
    states = [h0]
    for _ in range(steps):
        states.append(torch.tanh(w * states[-1]))
    derivative = torch.zeros_like(w)
    for t in range(max(0, steps - 5), steps):
        derivative = (1 - states[t + 1] ** 2) * (states[t] + w * derivative)
    return derivative


@misconception(
    "unrolled_gradient",
    "takes a formula for small states",
    hint="T·w^(T−1)·h_0 holds where tanh is nearly a straight line. Try a state of 0.5.",
)
def unrolled_gradient(w, h0, steps):
    return steps * w ** (steps - 1) * h0 if steps else torch.zeros_like(w)


@misconception(
    "unrolled_gradient",
    "approximates by a central difference",
    hint="A difference quotient has half of the digits at best. The derivative can be written down exactly.",
)
def unrolled_gradient(w, h0, steps):
    def last(weight):
        h = h0.double()
        for _ in range(steps):
            h = torch.tanh(weight * h)
        return h

    eps = 1e-5
    return ((last(w.double() + eps) - last(w.double() - eps)) / (2 * eps)).to(w.dtype)


@misconception(
    "unrolled_gradient",
    "comes back in float32",
    hint="Look at the dtype of your result for a float64 w. torch.tensor(number) is float32 unless you say otherwise.",
)
def unrolled_gradient(w, h0, steps):
    h, derivative = h0.item(), 0.0
    for _ in range(steps):
        new = math.tanh(w.item() * h)
        derivative = (1 - new**2) * (h + w.item() * derivative)
        h = new
    return torch.tensor(derivative)


@misconception(
    "unrolled_gradient",
    "takes the absolute value of w",
    hint="Try a negative weight: the state changes its sign from step to step, and so do the terms of the sum.",
)
def unrolled_gradient(w, h0, steps):
    h, derivative = h0, torch.zeros_like(w)
    for _ in range(steps):
        new = torch.tanh(w * h)
        derivative = (1 - new**2) * (h + w.abs() * derivative)
        h = new
    return derivative


@misconception(
    "unrolled_gradient",
    "moves h0 along in place",
    hint="Print h0 after the call. A method whose name ends in an underscore changes the tensor that the caller holds.",
)
def unrolled_gradient(w, h0, steps):
    derivative = torch.zeros_like(w)
    for _ in range(steps):
        old = h0.clone()
        h0.mul_(w).tanh_()
        derivative = (1 - h0**2) * (old + w * derivative)
    return derivative


@misconception(
    "unrolled_gradient",
    "clips the derivative",
    hint="Try w = 0.001, h0 = 1000 and one step, and work it out on paper. Asked for is the derivative itself, even "
    "where it explodes: clipping comes later.",
)
def unrolled_gradient(w, h0, steps):
    h, derivative = h0, torch.zeros_like(w)
    for _ in range(steps):
        new = torch.tanh(w * h)
        derivative = (1 - new**2) * (h + w * derivative)
        h = new
    return derivative.clamp(-100, 100)


@misconception(
    "unrolled_gradient",
    "marks w as asking for gradients",
    hint="Print w.requires_grad before and after the call. The derivative by hand needs no graph, and the flag is a "
    "part of what you were given.",
)
def unrolled_gradient(w, h0, steps):
    w.requires_grad_(True)
    h, derivative = h0, torch.zeros_like(w)
    for _ in range(steps):
        new = torch.tanh(w * h)
        derivative = (1 - new**2) * (h + w * derivative)
        h = new
    return derivative.detach()


# -------------------------------------------------------------------------------------------------- clipped_descent


@misconception(
    "clipped_descent",
    "does not clip",
    hint="Follow max_norm through your function: where does it make a difference?",
)
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    points = [start]
    for _ in range(steps):
        points.append(points[-1] - lr * grad_fn(points[-1]))
    return torch.stack(points)


@misconception(
    "clipped_descent",
    "clips by value",
    hint="Look at the direction of the first step: it should be that of the gradient.",
)
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    points = [start]
    for _ in range(steps):
        points.append(points[-1] - lr * grad_fn(points[-1]).clamp(-max_norm, max_norm))
    return torch.stack(points)


@misconception(
    "clipped_descent",
    "clips the step instead of the gradient",
    hint="max_norm bounds the gradient. What is the longest step then: max_norm, or the learning rate times max_norm?",
)
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    points = [start]
    for _ in range(steps):
        step = lr * grad_fn(points[-1])
        if step.norm() > max_norm:
            step = step * (max_norm / step.norm())
        points.append(points[-1] - step)
    return torch.stack(points)


@misconception(
    "clipped_descent",
    "makes every gradient as long as max_norm",
    hint="Where norm <= max_norm the gradient stays as it is. Otherwise the path never comes to rest.",
)
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    points = [start]
    for _ in range(steps):
        g = grad_fn(points[-1])
        points.append(points[-1] - lr * g * (max_norm / (g.norm() + 1e-6)))
    return torch.stack(points)


@misconception(
    "clipped_descent",
    "leaves out the start",
    hint="For `steps` steps there are `steps + 1` points, and the first is the start.",
)
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    points, x = [], start
    for _ in range(steps):
        g = grad_fn(x)
        if g.norm() > max_norm:
            g = g * (max_norm / g.norm())
        x = x - lr * g
        points.append(x)
    return torch.stack(points)


@misconception(
    "clipped_descent",
    "leaves out the last point",
    hint="For `steps` steps there are `steps + 1` points: where does the last step lead?",
)
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    points, x = [], start
    for _ in range(max(steps, 1)):
        points.append(x)
        g = grad_fn(x)
        if g.norm() > max_norm:
            g = g * (max_norm / g.norm())
        x = x - lr * g
    return torch.stack(points)


@misconception(
    "clipped_descent",
    "changes what grad_fn returned",
    hint="grad_fn may return the same tensor at every call, or the point itself. Multiply into a new tensor.",
)
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    points = [start.clone()]
    for _ in range(steps):
        g = grad_fn(points[-1])
        norm = g.norm()
        if norm > max_norm:
            g.mul_(max_norm / norm)
        points.append(points[-1] - lr * g)
    return torch.stack(points)


@misconception(
    "clipped_descent",
    "lets torch clip what grad_fn returned",
    hint="p.grad = grad_fn(p) makes no copy, and clip_grad_norm_ works in place: it changes the caller's tensor.",
)
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    p = nn.Parameter(start.clone())
    points = [start.clone()]
    for _ in range(steps):
        p.grad = grad_fn(p.detach())
        torch.nn.utils.clip_grad_norm_(p, max_norm)
        with torch.no_grad():
            p -= lr * p.grad
        points.append(p.detach().clone())
    return torch.stack(points)


@misconception(
    "clipped_descent",
    "moves the start in place",
    hint="Print start after the call. -= changes the tensor that the caller still holds; make a new one.",
)
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    points = [start.clone()]
    for _ in range(steps):
        g = grad_fn(start)
        if g.norm() > max_norm:
            g = g * (max_norm / g.norm())
        start -= lr * g
        points.append(start.clone())
    return torch.stack(points)


@misconception(
    "clipped_descent",
    "puts one tensor into the list many times",
    hint="Print your list after two steps: all points are the same, because it is one tensor that moves.",
)
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    x = start.clone()
    points = [x]
    for _ in range(steps):
        g = grad_fn(x)
        if g.norm() > max_norm:
            g = g * (max_norm / g.norm())
        x -= lr * g
        points.append(x)
    return torch.stack(points)


@misconception(
    "clipped_descent",
    "asks for the gradient at the start only",
    hint="The gradient is another one at every point. Where is grad_fn called: before the loop, or in it?",
)
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    g = grad_fn(start)
    if g.norm() > max_norm:
        g = g * (max_norm / g.norm())
    points = [start]
    for _ in range(steps):
        points.append(points[-1] - lr * g)
    return torch.stack(points)


@misconception(
    "clipped_descent",
    "clips every row by its own norm",
    hint="A point of shape [2, 3] is one point: the norm is that of all six entries together.",
)
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    points = [start]
    for _ in range(steps):
        g = grad_fn(points[-1])
        norm = g.norm(dim=-1, keepdim=True) if g.dim() else g.abs()
        scale = torch.where(norm > max_norm, max_norm / norm, torch.ones_like(norm))
        points.append(points[-1] - lr * g * scale)
    return torch.stack(points)


@misconception(
    "clipped_descent",
    "goes uphill",
    hint="Compare the loss at the first two points. Down is against the gradient.",
)
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    points = [start]
    for _ in range(steps):
        g = grad_fn(points[-1])
        if g.norm() > max_norm:
            g = g * (max_norm / g.norm())
        points.append(points[-1] + lr * g)
    return torch.stack(points)


@misconception(
    "clipped_descent",
    "divides by a norm of zero",
    hint="In a minimum the gradient is 0, and 0/0 is NaN. Divide only where the norm is above max_norm.",
)
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    points = [start]
    for _ in range(steps):
        g = grad_fn(points[-1])
        points.append(points[-1] - lr * g / g.norm() * g.norm().clamp(max=max_norm))
    return torch.stack(points)


@misconception(
    "clipped_descent",
    "clips the first gradient only",
    hint="The wall may come at any step. The factor has to be computed anew from every gradient.",
)
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    points, scale = [start], None
    for _ in range(steps):
        g = grad_fn(points[-1])
        if scale is None:
            scale = max_norm / g.norm() if g.norm() > max_norm else 1.0
        points.append(points[-1] - lr * scale * g)
    return torch.stack(points)


@misconception(
    "clipped_descent",
    "returns a list",
    hint="One tensor is asked for, with the points along its first axis. Which function makes one out of a list?",
)
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    points = [start]
    for _ in range(steps):
        g = grad_fn(points[-1])
        if g.norm() > max_norm:
            g = g * (max_norm / g.norm())
        points.append(points[-1] - lr * g)
    return points


@misconception(
    "clipped_descent",
    "lines the points up along an existing axis",
    hint="torch.cat joins along an axis that is there. The points need a new one in front.",
)
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    points = [torch.atleast_1d(start)]
    for _ in range(steps):
        g = grad_fn(points[-1].reshape(start.shape))
        if g.norm() > max_norm:
            g = g * (max_norm / g.norm())
        points.append(points[-1] - lr * g)
    return torch.cat(points)


@misconception(
    "clipped_descent",
    "keeps the path in float32",
    hint="torch.zeros(steps + 1, ...) is float32 unless you say otherwise. Look at the digits of a float64 path.",
)
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    path = torch.zeros(steps + 1, *start.shape)
    path[0] = start
    for t in range(steps):
        g = grad_fn(path[t].to(start.dtype))
        if g.norm() > max_norm:
            g = g * (max_norm / g.norm())
        path[t + 1] = path[t] - lr * g
    return path.to(start.dtype)


@misconception(
    "clipped_descent",
    "comes to rest when its steps are short",
    hint="Start close to a minimum with a small learning rate, and print the last points. They are too near to each "
    "other to see in a picture, but are they the same?",
)
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    points = [start]
    while len(points) <= steps:
        g = grad_fn(points[-1])
        if g.norm() > max_norm:
            g = g * (max_norm / g.norm())
        if (lr * g).norm() < 1e-6:
            points += [points[-1]] * (steps + 1 - len(points))
            break
        points.append(points[-1] - lr * g)
    return torch.stack(points)


@misconception(
    "clipped_descent",
    "calls grad_fn where gradients are switched off",
    hint="Let grad_fn compute its gradient with backward(). What does it miss inside of your torch.no_grad(), and "
    "which of your lines need that at all?",
)
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    points = [start]
    with torch.no_grad():
        for _ in range(steps):
            g = grad_fn(points[-1])
            if g.norm() > max_norm:
                g = g * (max_norm / g.norm())
            points.append(points[-1] - lr * g)
    return torch.stack(points)


@misconception(
    "clipped_descent",
    "marks the start as asking for gradients",
    hint="Print start.requires_grad before and after the call. Whether a graph is needed is grad_fn's business, and "
    "the start is the caller's.",
)
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    start.requires_grad_(True)
    points = [start]
    for _ in range(steps):
        g = grad_fn(points[-1])
        if g.norm() > max_norm:
            g = g * (max_norm / g.norm())
        points.append(points[-1] - lr * g)
    return torch.stack(points).detach()


@misconception(
    "clipped_descent",
    "never divides by less than a thousandth",
    hint="Try gradients of norm 1e-4 with the max_norm 1e-5: how long are your steps, and how long should they be? "
    "Only a norm of exactly 0 is in danger.",
)
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    points = [start]
    for _ in range(steps):
        g = grad_fn(points[-1])
        scale = torch.clamp(max_norm / g.norm().clamp(min=1e-3), max=1.0)
        points.append(points[-1] - lr * scale * g)
    return torch.stack(points)
