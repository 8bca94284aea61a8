"""Right implementations of 08_weight_decay, as different as students are: all of them keep all points."""

import math

import torch
import torch.nn.functional as F

from course_lib.checks import alternative

# --------------------------------------------------------------------------------------------- l2_regularized_loss


@alternative("l2_regularized_loss", "the squared norm of all weights end to end")
def l2_regularized_loss(loss, parameters, lam):
    weights = [p.flatten() for p in parameters.values() if p.ndim > 1]
    return loss + 0.5 * lam * torch.linalg.vector_norm(torch.cat(weights)) ** 2 if weights else loss


@alternative("l2_regularized_loss", "einsum, tensor by tensor")
def l2_regularized_loss(loss, parameters, lam):
    out = loss
    for p in parameters.values():
        if len(p.shape) >= 2:
            flat = p.reshape(-1)
            out = out + lam * torch.einsum("i,i->", flat, flat) / 2
    return out


@alternative("l2_regularized_loss", "a loop over single entries")
def l2_regularized_loss(loss, parameters, lam):
    total = loss.clone()
    for p in parameters.values():
        if p.dim() < 2:
            continue
        for entry in p.flatten():
            total = total + lam / 2 * entry * entry
    return total


@alternative("l2_regularized_loss", "the summed squared error against zeros")
def l2_regularized_loss(loss, parameters, lam):
    import functools

    squares = [
        F.mse_loss(p, torch.zeros_like(p), reduction="sum") for p in parameters.values() if not len(p.shape) <= 1
    ]
    return functools.reduce(lambda total, square: total + square * (lam / 2), squares, loss)


@alternative("l2_regularized_loss", "in float64 inside")
def l2_regularized_loss(loss, parameters, lam):
    total = loss.double()
    for p in filter(lambda p: p.dim() >= 2, parameters.values()):
        total = total + lam / 2 * p.double().pow(2).sum()
    return total.to(loss.dtype)


@alternative("l2_regularized_loss", "Frobenius norms, squared in place")
def l2_regularized_loss(loss, parameters, lam):
    norms = torch.stack([torch.norm(p) for p in parameters.values() if p.dim() >= 2] or [torch.zeros_like(loss)])
    return loss.add((norms * norms).sum(), alpha=lam / 2)


# ----------------------------------------------------------------------------------------------------- sgd_l2_step


@alternative("sgd_l2_step", "decays first, as a product")
def sgd_l2_step(param, grad, *, lr, lam):
    return (1 - lr * lam) * param - lr * grad


@alternative("sgd_l2_step", "adds the penalty's gradient to the gradient")
def sgd_l2_step(param, grad, *, lr, lam):
    return torch.sub(param, grad.add(param, alpha=lam), alpha=lr)


@alternative("sgd_l2_step", "in place on a copy")
def sgd_l2_step(param, grad, *, lr, lam):
    new = param.clone()
    new.mul_(1 - lr * lam)
    new.add_(grad, alpha=-lr)
    return new


@alternative("sgd_l2_step", "by autograd, from the regularized loss")
def sgd_l2_step(param, grad, *, lr, lam):
    theta = param.detach().clone().requires_grad_()
    with torch.enable_grad():
        loss = (theta * grad).sum() + lam / 2 * theta.square().sum()
    (slope,) = torch.autograd.grad(loss, theta)
    return param - lr * slope


@alternative("sgd_l2_step", "a loop over single entries")
def sgd_l2_step(param, grad, *, lr, lam):
    pairs = zip(param.flatten().tolist(), grad.flatten().tolist(), strict=True)
    return torch.tensor([p - lr * g - lr * lam * p for p, g in pairs], dtype=param.dtype).reshape(param.shape)


@alternative("sgd_l2_step", "a weighted sum by einsum, in float64")
def sgd_l2_step(param, grad, *, lr, lam):
    both = torch.stack([param, grad]).double()
    return torch.einsum("k,k...->...", torch.tensor([1 - lr * lam, -lr], dtype=torch.float64), both).to(param.dtype)


# ---------------------------------------------------------------------------------------------------- adam_l2_step


@alternative("adam_l2_step", "copies of the tensors, updated in place as torch does")
def adam_l2_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, lam=0.0):
    step = state["step"] + 1 if state else 1
    average = state["average"].clone() if state else torch.zeros_like(param)
    squares = state["squares"].clone() if state else torch.zeros_like(param)
    grad = grad.add(param, alpha=lam)
    average.lerp_(grad, 1 - betas[0])
    squares.mul_(betas[1]).addcmul_(grad, grad, value=1 - betas[1])
    root = squares.sqrt().div_(math.sqrt(1 - betas[1] ** step)).add_(eps)
    new = torch.addcdiv(param, average, root, value=-lr / (1 - betas[0] ** step))
    return new, {"step": step, "average": average, "squares": squares}


@alternative("adam_l2_step", "the whole history of gradients")
def adam_l2_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, lam=0.0):
    history = (*state.get("history", ()), (grad + lam * param).double())
    t = len(history)
    s = sum((1 - betas[0]) * betas[0] ** (t - 1 - k) * g for k, g in enumerate(history))
    r = sum((1 - betas[1]) * betas[1] ** (t - 1 - k) * g**2 for k, g in enumerate(history))
    step = s / (1 - betas[0] ** t) / (torch.sqrt(r / (1 - betas[1] ** t)) + eps)
    return (param - lr * step).to(param.dtype), {"history": history}


@alternative("adam_l2_step", "corrected averages, without any power")
def adam_l2_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, lam=0.0):
    slope = grad + lam * param
    means, weights, news = [], [], []
    for beta, value, before in zip(betas, (slope, slope * slope), state.get("averages", ((0, 0), (0, 0))), strict=True):
        weight = beta * before[1] + 1  # 1 + β + β² + …
        mean = (before[0] * (weight - 1) + value) / weight
        means.append(mean)
        weights.append(weight)
        news.append((mean, weight))
    return param - lr * means[0] / (means[1] ** 0.5 + eps), {"averages": tuple(news)}


@alternative("adam_l2_step", "plain numbers in lists, entry by entry")
def adam_l2_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, lam=0.0):
    values, slopes = param.flatten().tolist(), grad.flatten().tolist()
    t = state.get("t", 0) + 1
    old = state.get("moments", [(0.0, 0.0)] * len(values))
    new, moments = [], []
    for value, slope, (s, r) in zip(values, slopes, old, strict=True):
        slope += lam * value
        s, r = betas[0] * s + (1 - betas[0]) * slope, betas[1] * r + (1 - betas[1]) * slope * slope
        moments.append((s, r))
        new.append(value - lr * (s / (1 - betas[0] ** t)) / (math.sqrt(r / (1 - betas[1] ** t)) + eps))
    return torch.tensor(new, dtype=param.dtype).reshape(param.shape), {"t": t, "moments": moments}


@alternative("adam_l2_step", "an object in the state, in float64, with products of the betas")
def adam_l2_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, lam=0.0):
    class Memory:
        def __init__(self, s, r, left1, left2):
            self.s, self.r, self.left1, self.left2 = s, r, left1, left2

    last = state.get("memory", Memory(0.0, 0.0, 1.0, 1.0))
    slope = grad.to(torch.float64) + lam * param.to(torch.float64)
    now = Memory(
        last.s + (1 - betas[0]) * (slope - last.s),
        last.r + (1 - betas[1]) * (slope.square() - last.r),
        last.left1 * betas[0],
        last.left2 * betas[1],
    )
    update = now.s / (1 - now.left1) / ((now.r / (1 - now.left2)).sqrt() + eps)
    return (param.to(torch.float64) - lr * update).to(param.dtype), {"memory": now}


@alternative("adam_l2_step", "both averages in one stacked tensor, betas and t in the dtype of the parameter")
def adam_l2_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, lam=0.0):
    g = grad + lam * param
    beta = torch.tensor(betas, dtype=param.dtype).reshape(2, *[1] * param.dim())
    moments = torch.stack([g, g * g]) * (1 - beta)
    if "moments" in state:
        moments = moments + state["moments"] * beta
    t = 1 + state.get("t", torch.zeros((), dtype=param.dtype))
    s, r = moments / (1 - beta**t)
    return [param - lr * s / (torch.sqrt(r) + eps), {"moments": moments, "t": t}]


# ------------------------------------------------------------------------------------------------------ adamw_step


@alternative("adamw_step", "update first, then minus the decay of the old parameter")
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    t, s, r = state.get("all", (0, torch.zeros_like(grad), torch.zeros_like(grad)))
    t, s, r = t + 1, s * betas[0] + grad * (1 - betas[0]), r * betas[1] + grad * grad * (1 - betas[1])
    new = param - lr * (s / (1 - betas[0] ** t)) / ((r / (1 - betas[1] ** t)) ** 0.5 + eps)
    return new - lr * weight_decay * param, {"all": (t, s, r)}


@alternative("adamw_step", "copies of the tensors, updated in place as torch does")
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    state = {key: value.clone() for key, value in state.items()}
    if not state:
        state = {"step": torch.tensor(0), "exp_avg": torch.zeros_like(param), "exp_avg_sq": torch.zeros_like(param)}
    state["step"] += 1
    step = state["step"].item()
    new = param.clone().mul_(1 - lr * weight_decay)
    state["exp_avg"].lerp_(grad, 1 - betas[0])
    state["exp_avg_sq"].mul_(betas[1]).addcmul_(grad, grad.conj(), value=1 - betas[1])
    denominator = (state["exp_avg_sq"].sqrt() / math.sqrt(1 - betas[1] ** step)).add_(eps)
    new.addcdiv_(state["exp_avg"], denominator, value=-lr / (1 - betas[0] ** step))
    return new, state


@alternative("adamw_step", "the whole history of gradients")
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    grads = [*state.get("grads", []), grad.double().clone()]
    t = len(grads)
    averages = []
    for beta, power in zip(betas, (1, 2), strict=True):
        shares = [(1 - beta) * beta ** (t - 1 - k) for k in range(t)]
        averages.append(sum(w * g**power for w, g in zip(shares, grads, strict=True)) / (1 - beta**t))
    update = averages[0] / (averages[1].sqrt() + eps) + weight_decay * param
    return (param - lr * update).to(param.dtype), {"grads": grads}


@alternative("adamw_step", "a step in one line of torch's own arithmetic, in float64")
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    g, zero = grad.double(), torch.zeros_like(grad, dtype=torch.float64)
    s = torch.lerp(state.get("s", zero), g, 1 - betas[0])
    r = torch.lerp(state.get("r", zero), g.pow(2), 1 - betas[1])
    t = state.get("t", torch.tensor(0.0, dtype=torch.float64)) + 1
    c1, c2 = 1 - betas[0] ** t, 1 - betas[1] ** t
    new = torch.addcdiv(param.double() * (1 - lr * weight_decay), s * (-lr / c1), torch.sqrt(r / c2) + eps)
    return new.to(param.dtype), {"s": s, "r": r, "t": t}


@alternative("adamw_step", "plain numbers in lists, entry by entry")
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    t = state.get("t", 0) + 1
    s, r = list(state.get("s", [0.0] * grad.numel())), list(state.get("r", [0.0] * grad.numel()))
    new = []
    for i, (value, slope) in enumerate(zip(param.flatten().tolist(), grad.flatten().tolist(), strict=True)):
        s[i] = betas[0] * s[i] + (1 - betas[0]) * slope
        r[i] = betas[1] * r[i] + (1 - betas[1]) * slope**2
        step = s[i] / (1 - betas[0] ** t) / ((r[i] / (1 - betas[1] ** t)) ** 0.5 + eps)
        new.append(value - lr * (step + weight_decay * value))
    return torch.tensor(new, dtype=param.dtype).view(param.shape), {"t": t, "s": s, "r": r}


@alternative("adamw_step", "Adam's step by another function, nested dicts")
def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    def average(beta, old, value):
        total = value if old is None else old["total"] * beta + value
        share = 1.0 if old is None else old["share"] * beta + 1.0
        return {"total": total, "share": share}

    moments = {
        "first": average(betas[0], state.get("first"), grad),
        "second": average(betas[1], state.get("second"), grad.square()),
    }
    first, second = (moment["total"] / moment["share"] for moment in moments.values())
    return param.mul(1 - lr * weight_decay).sub(lr * first / second.sqrt().add(eps)), moments


# ----------------------------------------------------------------------------------------------------------- AdamW


@alternative("AdamW", "all in step, in place, under a decorator")
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))  # noqa: C408

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state.update(step=0, exp_avg=torch.zeros_like(p), exp_avg_sq=torch.zeros_like(p))
                state["step"] += 1
                state["exp_avg"].mul_(b1).add_(p.grad, alpha=1 - b1)
                state["exp_avg_sq"].mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
                denominator = (state["exp_avg_sq"] / (1 - b2 ** state["step"])).sqrt_().add_(group["eps"])
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.addcdiv_(state["exp_avg"], denominator, value=-group["lr"] / (1 - b1 ** state["step"]))


@alternative("AdamW", "the step function and .data")
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def step(self, closure=None):
        for group in self.param_groups:
            options = {name: value for name, value in group.items() if name in self.defaults}
            for p in group["params"]:
                if p.grad is not None:
                    p.data, self.state[p] = adamw_step(p.data, p.grad.data, self.state[p], **options)


@alternative("AdamW", "a memory of its own by identity, decay of the old value last")
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, defaults)
        self.memory = {}

    def step(self, closure=None):
        with torch.no_grad():
            for group in self.param_groups:
                lr, (b1, b2), eps, decay = (group[key] for key in ("lr", "betas", "eps", "weight_decay"))
                for p in filter(lambda p: p.grad is not None, group["params"]):
                    t, s, r = self.memory.get(id(p), (0, 0.0, 0.0))
                    t, s, r = t + 1, b1 * s + (1 - b1) * p.grad, b2 * r + (1 - b2) * p.grad.square()
                    self.memory[id(p)] = (t, s, r)
                    old = p.clone()
                    p -= lr * (s / (1 - b1**t)) / ((r / (1 - b2**t)).sqrt() + eps)
                    p -= lr * decay * old


@alternative("AdamW", "lists of tensors with torch's foreach functions")
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            active = [p for p in group["params"] if p.grad is not None]
            if not active:
                continue
            b1, b2 = group["betas"]
            for p in active:
                state = self.state[p]
                state.setdefault("s", torch.zeros_like(p))
                state.setdefault("r", torch.zeros_like(p))
                state["t"] = state.get("t", 0) + 1
            grads = [p.grad for p in active]
            s, r = [self.state[p]["s"] for p in active], [self.state[p]["r"] for p in active]
            torch._foreach_lerp_(s, grads, 1 - b1)
            torch._foreach_mul_(r, b2)
            torch._foreach_addcmul_(r, grads, grads, 1 - b2)
            roots = torch._foreach_sqrt(torch._foreach_div(r, [1 - b2 ** self.state[p]["t"] for p in active]))
            torch._foreach_add_(roots, group["eps"])
            torch._foreach_mul_(active, 1 - group["lr"] * group["weight_decay"])
            rates = [-group["lr"] / (1 - b1 ** self.state[p]["t"]) for p in active]
            torch._foreach_addcdiv_(active, s, roots, rates)


@alternative("AdamW", "float64 inside, helpers as methods, a closure that is obeyed")
class AdamW(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, defaults={"lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay})

    def step(self, closure=None):
        loss = closure() if closure else None
        for group in self.param_groups:
            for param in group["params"]:
                self.advance(param, **{k: group[k] for k in self.defaults})
        return loss

    @torch.no_grad()
    def advance(self, param, lr, betas, eps, weight_decay):
        if param.grad is None:
            return
        memory = self.state[param]
        grad = param.grad.double()
        memory["n"] = memory.get("n", 0) + 1
        for name, beta, value in (("mean", betas[0], grad), ("square", betas[1], grad**2)):
            memory[name] = memory.get(name, 0) * beta + value * (1 - beta)
        mean = memory["mean"] / (1 - betas[0] ** memory["n"])
        square = memory["square"] / (1 - betas[1] ** memory["n"])
        param.copy_(param.double() - lr * (mean / (square.sqrt() + eps) + weight_decay * param.double()))


# ---------------------------------------------------------------------------------------------------- decay_groups


@alternative("decay_groups", "one loop with names, tuples")
def decay_groups(model, weight_decay):
    decaying, spared = (), ()
    for _name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        if p.ndim > 1:
            decaying += (p,)
        else:
            spared += (p,)
    return ({"params": decaying, "weight_decay": weight_decay}, {"params": spared, "weight_decay": 0})


@alternative("decay_groups", "module by module, with a set of identities")
def decay_groups(model, weight_decay):
    seen = set()
    groups = [{"params": [], "weight_decay": weight_decay}, {"params": [], "weight_decay": 0.0}]
    for module in model.modules():
        for p in module._parameters.values():
            if p is None or id(p) in seen or not p.requires_grad:
                continue
            seen.add(id(p))
            groups[len(p.shape) < 2]["params"].append(p)
    return groups


@alternative("decay_groups", "filters and sorting, with names for the groups")
def decay_groups(model, weight_decay):
    trained = sorted(filter(lambda p: p.requires_grad, model.parameters()), key=lambda p: -p.dim())
    border = sum(p.dim() >= 2 for p in trained)
    return [
        {"name": "weights", "params": trained[:border], "weight_decay": weight_decay},
        {"name": "others", "params": trained[border:], "weight_decay": 0.0},
    ]


@alternative("decay_groups", "a dict by name, without duplicates by hand")
def decay_groups(model, weight_decay):
    own = {id(p): p for _, p in model.named_parameters(remove_duplicate=False)}
    kept = [p for p in own.values() if p.requires_grad]
    is_weight = {True: [], False: []}
    for p in kept:
        is_weight[not (p.dim() == 0 or p.dim() == 1)].append(p)
    return [{"params": is_weight[flag], "weight_decay": weight_decay * flag} for flag in (True, False)]


@alternative("decay_groups", "recursion over children")
def decay_groups(model, weight_decay):
    def below(module):
        yield from module.parameters(recurse=False)
        for child in module.children():
            yield from below(child)

    parts = {p: p.dim() for p in below(model) if p.requires_grad}
    heavy = [p for p, axes in parts.items() if axes > 1]
    light = [p for p, axes in parts.items() if axes <= 1]
    return [{"weight_decay": weight_decay, "params": heavy}, {"weight_decay": 0.0, "params": light}]


# --------------------------------------------------------------------------------------------------------- l1_step


@alternative("l1_step", "the parameter clamped to the threshold is the pull")
def l1_step(param, grad, *, lr, lam):
    return param - lr * grad - torch.clamp(param, -lr * lam, lr * lam)


@alternative("l1_step", "soft-thresholding of the old parameter, then the gradient")
def l1_step(param, grad, *, lr, lam):
    return F.softshrink(param, lr * lam).sub(grad, alpha=lr)


@alternative("l1_step", "torch.minimum and copysign")
def l1_step(param, grad, *, lr, lam):
    size = torch.minimum(torch.full_like(param, lr * lam), param.abs())
    return param - torch.copysign(size, param) - lr * grad


@alternative("l1_step", "a loop over single entries")
def l1_step(param, grad, *, lr, lam):
    new = []
    for p, g in zip(param.flatten().tolist(), grad.flatten().tolist(), strict=True):
        sign = (p > 0) - (p < 0)
        new.append(p - lr * g - min(lr * lam, abs(p)) * sign)
    return torch.tensor(new, dtype=param.dtype).reshape(param.shape)


@alternative("l1_step", "relu on both sides, in float64")
def l1_step(param, grad, *, lr, lam):
    p, a = param.double(), lr * lam
    return (torch.relu(p - a) - torch.relu(-p - a) - lr * grad.double()).to(param.dtype)


@alternative("l1_step", "indexing on a copy")
def l1_step(param, grad, *, lr, lam):
    new, pull = param.clone(), lr * lam
    near = param.abs() <= pull
    new[near] = 0
    new[~near] -= pull * param[~near].sign()
    return new - grad * lr


# ------------------------------------------------------------------------------------------------- map_l2_strength


@alternative("map_l2_strength", "the precision, shared by the examples")
def map_l2_strength(prior_std, num_examples):
    if not prior_std > 0:
        raise ValueError(f"prior_std must be positive, not {prior_std}")
    if not num_examples > 0:
        raise ValueError(f"num_examples must be positive, not {num_examples}")
    return math.pow(prior_std, -2) / num_examples


@alternative("map_l2_strength", "by logarithms")
def map_l2_strength(prior_std, num_examples):
    if min(prior_std, num_examples) <= 0:
        raise ValueError("both must be positive")
    return math.exp(-2 * math.log(prior_std) - math.log(num_examples))


@alternative("map_l2_strength", "exact fractions")
def map_l2_strength(prior_std, num_examples):
    if any(value <= 0 for value in (prior_std, num_examples)):
        raise ValueError("both must be positive")
    import fractions

    return float(1 / (fractions.Fraction(prior_std) ** 2 * num_examples))


@alternative("map_l2_strength", "a float64 tensor and item()")
def map_l2_strength(prior_std, num_examples):
    if prior_std <= 0 or num_examples < 1:
        raise ValueError("both must be positive")
    precision = torch.tensor(prior_std, dtype=torch.float64).square().reciprocal()
    return (precision / num_examples).item()


@alternative("map_l2_strength", "the curvature of the negative log-prior, by autograd")
def map_l2_strength(prior_std, num_examples):
    if not (prior_std > 0 and num_examples > 0):
        raise ValueError("both must be positive")
    theta = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    penalty = theta**2 / (2 * prior_std**2)  # up to a constant
    (slope,) = torch.autograd.grad(penalty, theta)
    return slope.item() / num_examples
