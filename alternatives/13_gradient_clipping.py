"""Right implementations of 13_gradient_clipping, as different as students are: all of them keep all points."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.checks import alternative

# --------------------------------------------------------------------------------------------------- clip_by_value


@alternative("clip_by_value", "minimum of a maximum")
def clip_by_value(grads, limit):
    if limit < 0:
        raise ValueError("limit must not be negative")
    bounds = [torch.full_like(g, limit) for g in grads]
    return tuple(torch.minimum(torch.maximum(g, -b), b) for g, b in zip(grads, bounds, strict=True))


@alternative("clip_by_value", "masks on a copy, one side after the other")
def clip_by_value(grads, limit):
    if not limit >= 0:
        raise ValueError(f"negative limit {limit}")
    clipped = []
    for g in grads:
        g = g.clone()
        g[g > limit] = limit
        g[g < -limit] = -limit
        clipped.append(g)
    return clipped


@alternative("clip_by_value", "sign times the smaller size")
def clip_by_value(grads, limit):
    if limit < 0:
        raise ValueError("limit must not be negative")
    return [g.sign() * g.abs().clamp(max=limit) for g in reversed(grads)][::-1]


@alternative("clip_by_value", "hardtanh and its neighbours")
def clip_by_value(grads, limit):
    if limit < 0:
        raise ValueError("limit must not be negative")
    if limit == 0:
        return [torch.zeros_like(g) for g in grads]
    return [F.hardtanh(g, -float(limit), float(limit)) for g in grads]


@alternative("clip_by_value", "number by number in plain Python")
def clip_by_value(grads, limit):
    if limit < 0:
        raise ValueError("limit must not be negative")

    def clip(values):
        return [clip(v) for v in values] if isinstance(values, list) else max(-limit, min(limit, values))

    return [torch.tensor(clip(g.tolist()), dtype=g.dtype) for g in grads]


@alternative("clip_by_value", "all gradients in one vector, cut apart again")
def clip_by_value(grads, limit):
    if limit < 0:
        raise ValueError("limit must not be negative")
    flat = torch.cat([g.reshape(-1) for g in grads]).clip(-limit, limit)
    parts = flat.split([g.numel() for g in grads])
    return [part.view(g.shape) for part, g in zip(parts, grads, strict=True)]


# ----------------------------------------------------------------------------------------------------- global_norm


@alternative("global_norm", "the norm of the norms")
def global_norm(grads):
    if len(grads) == 0:
        return torch.tensor(0.0)
    return torch.stack([torch.linalg.vector_norm(g) for g in grads]).norm()


@alternative("global_norm", "one long vector with itself")
def global_norm(grads):
    flat = torch.cat([torch.zeros(0), *[g.flatten() for g in grads]])
    return (flat @ flat).sqrt() if grads else flat.sum()


@alternative("global_norm", "a running sum in float64")
def global_norm(grads):
    total = torch.zeros((), dtype=torch.float64)
    for g in grads:
        total += (g.double() ** 2).sum()
    return total.sqrt().to(grads[0].dtype if grads else torch.float64)


@alternative("global_norm", "entry by entry with math.hypot")
def global_norm(grads):
    norm = math.hypot(*[value for g in grads for value in g.flatten().tolist()])
    return torch.tensor(norm, dtype=grads[0].dtype if grads else None)


@alternative("global_norm", "divided by the largest entry, against overflow")
def global_norm(grads):
    sizes = [g.abs().max() for g in grads]
    largest = max(sizes, default=torch.tensor(0.0))
    if largest == 0:
        return largest.clone()
    return largest * sum(((g / largest) ** 2).sum() for g in grads) ** 0.5


@alternative("global_norm", "torch's foreach, and einsum of the result")
def global_norm(grads):
    if not grads:
        return torch.zeros((), dtype=torch.get_default_dtype())
    norms = torch.stack(torch._foreach_norm(grads, 2))
    return torch.einsum("i,i->", norms, norms).pow(0.5)


# ---------------------------------------------------------------------------------------------------- clip_by_norm


@alternative("clip_by_norm", "torch's own form with 1e-6")
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    norm = torch.linalg.vector_norm(torch.stack([g.norm() for g in grads]))
    scale = torch.clamp(max_norm / (norm + 1e-6), max=1.0)
    return [g * scale for g in grads], norm


@alternative("clip_by_norm", "two branches, a dict on the way, a list of two as the result")
def clip_by_norm(grads, max_norm):
    if not max_norm >= 0:
        raise ValueError("max_norm must not be negative")
    norm = global_norm(grads)
    named = {i: g.clone() for i, g in enumerate(grads)}
    if norm.item() > max_norm:
        for i in named:
            named[i] /= norm
            named[i] *= max_norm
    return [list(named.values()), norm]


@alternative("clip_by_norm", "the minimum of two Python numbers")
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    norm = global_norm(grads)
    scale = min(1.0, max_norm / (float(norm) + 1e-12))
    return tuple(scale * g for g in grads), norm


@alternative("clip_by_norm", "multiplies first, divides last")
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    norm = global_norm(grads)
    if max_norm == math.inf or norm == 0:
        return list(grads), norm
    return [(g * max_norm) / torch.clamp(norm, min=max_norm) for g in grads], norm


@alternative("clip_by_norm", "one vector in float64, torch.renorm's cousin by hand")
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    flat = torch.cat([g.reshape(-1).double() for g in grads])
    norm = flat.dot(flat).sqrt()
    direction = F.normalize(flat, dim=0, eps=1e-300)
    flat = direction * max_norm if norm > max_norm else flat
    clipped = []
    for g in grads:
        clipped.append(flat[: g.numel()].reshape(g.shape).to(g.dtype))
        flat = flat[g.numel() :]
    return clipped, norm.to(grads[0].dtype)


@alternative("clip_by_norm", "torch.where on the factor")
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    norm = global_norm(grads)
    one = torch.ones_like(norm)
    scale = torch.where(norm <= max_norm, one, max_norm / torch.where(norm > 0, norm, one))
    return [torch.mul(g, scale) for g in grads], norm


@alternative("clip_by_norm", "torch.renorm on the row of all entries")
def clip_by_norm(grads, max_norm):
    if max_norm < 0:
        raise ValueError("max_norm must not be negative")
    row = torch.cat([g.reshape(1, -1) for g in grads], dim=1)
    norm = row.norm()
    row = row.clone() if norm <= max_norm else torch.renorm(row, 2, 0, max_norm)
    parts = row[0].split([g.numel() for g in grads])
    return [part.reshape(g.shape) for part, g in zip(parts, grads, strict=True)], norm


# -------------------------------------------------------------------------------------------------- clip_grad_norm_


@alternative("clip_grad_norm_", "calls clip_by_norm and puts new tensors in place")
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    if torch.is_tensor(parameters):
        parameters = (parameters,)
    held = [p for p in parameters if p.grad is not None]
    if not held:
        return torch.tensor(0.0)
    clipped, norm = clip_by_norm([p.grad for p in held], max_norm)
    if error_if_nonfinite and (norm.isnan() or norm.isinf()):
        raise RuntimeError("the norm is not finite")
    for p, g in zip(held, clipped, strict=True):
        p.grad = g
    return norm


@alternative("clip_grad_norm_", "torch's form: multiplies always")
@torch.no_grad()
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    if isinstance(parameters, nn.Parameter):
        parameters = [parameters]
    grads = [p.grad for p in list(parameters) if p.grad is not None]
    norm = torch.linalg.vector_norm(torch.tensor([0.0, *[g.double().norm() for g in grads]], dtype=torch.float64))
    norm = norm.to(grads[0].dtype) if grads else norm
    if error_if_nonfinite and not norm.isfinite():
        raise RuntimeError("the norm is not finite")
    scale = (max_norm / (norm + 1e-6)).clamp(max=1.0)
    for g in grads:
        g *= scale
    return norm


@alternative("clip_grad_norm_", "copies into .grad.data, with a plain number as the factor")
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    try:
        single = parameters.requires_grad
    except AttributeError:
        single = None
    parameters = list(parameters) if single is None else [parameters]
    norm = global_norm([p.grad.detach() for p in parameters if p.grad is not None])
    if error_if_nonfinite and not math.isfinite(norm.item()):
        raise RuntimeError(f"norm {norm.item()}")
    if norm.item() > max_norm:
        for p in filter(lambda p: p.grad is not None, parameters):
            p.grad.data.copy_(p.grad.data * (max_norm / norm.item()))
    return norm.clone()


@alternative("clip_grad_norm_", "one pass that collects squares, one that scales, indices in between")
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    held, squares = [], []
    for p in [parameters] if isinstance(parameters, Tensor) else parameters:
        if p.grad is None:
            continue
        held.append(p)
        squares.append(p.grad.pow(2).sum())
    norm = sum(squares, torch.zeros((), dtype=held[0].grad.dtype if held else torch.float32)).sqrt()
    if error_if_nonfinite and not torch.isfinite(norm).item():
        raise RuntimeError("the norm is not finite")
    for i in range(len(held)):
        if norm <= max_norm:
            break
        held[i].grad = held[i].grad / norm * max_norm
    return norm


@alternative("clip_grad_norm_", "flat vector, refuses before anything is multiplied")
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    parameters = [parameters] if isinstance(parameters, Tensor) else [*parameters]
    grads = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.flatten() for g in grads]) if grads else torch.zeros(1)
    norm = flat.norm()
    if error_if_nonfinite and not norm < torch.inf:
        raise RuntimeError("the norm is not finite")
    if norm > max_norm:
        torch._foreach_mul_(grads, (max_norm / norm).item())
    return norm


@alternative("clip_grad_norm_", "raises a subclass of RuntimeError, and reads the gradients through .grad each time")
def clip_grad_norm_(parameters, max_norm, error_if_nonfinite=False):
    class NotFinite(RuntimeError):
        pass

    many = hasattr(parameters, "__next__") or isinstance(parameters, list | tuple) or not torch.is_tensor(parameters)
    held = [p for p in (list(parameters) if many else [parameters]) if isinstance(p.grad, Tensor)]
    norm = torch.zeros(())
    if held:
        norm = torch.stack([(p.grad * p.grad).sum() for p in held]).sum() ** 0.5
    if error_if_nonfinite and not (norm < math.inf):
        raise NotFinite("cannot clip")
    scale = torch.where(norm > max_norm, max_norm / norm, 1.0)
    for p in held:
        p.grad.copy_(p.grad * scale)
    return norm


# ------------------------------------------------------------------------------------------------ unrolled_gradient


@alternative("unrolled_gradient", "backwards from the end")
def unrolled_gradient(w, h0, steps):
    states = [h0]
    for _ in range(steps):
        states.append(torch.tanh(w * states[-1]))
    upstream, total = torch.ones_like(w), torch.zeros_like(w)
    for t in reversed(range(steps)):
        before_tanh = upstream * (1 - states[t + 1].square())
        total = total + before_tanh * states[t]
        upstream = before_tanh * w
    return total


@alternative("unrolled_gradient", "the sum over places, with its products")
def unrolled_gradient(w, h0, steps):
    states = [h0]
    for _ in range(steps):
        states.append((w * states[-1]).tanh())
    total = w * 0
    for t in range(1, steps + 1):
        term = (1 - states[t] ** 2) * states[t - 1]
        for s in range(t + 1, steps + 1):
            term = term * w * (1 - states[s] ** 2)
        total = total + term
    return total


@alternative("unrolled_gradient", "plain Python numbers")
def unrolled_gradient(w, h0, steps):
    weight, h, d = w.item(), h0.item(), 0.0
    for _ in range(steps):
        h, d = math.tanh(weight * h), h + weight * d
        d *= 1 - h * h
    return torch.tensor(d, dtype=w.dtype)


@alternative("unrolled_gradient", "recursion with 1/cosh²")
def unrolled_gradient(w, h0, steps):
    def pair(t):
        if t == 0:
            return h0, torch.zeros_like(w)
        h, d = pair(t - 1)
        a = w * h
        return torch.tanh(a), (h + w * d) / torch.cosh(a) ** 2

    return pair(steps)[1]


@alternative("unrolled_gradient", "a vector of state and derivative, in float64")
def unrolled_gradient(w, h0, steps):
    pair = torch.stack([h0, torch.zeros_like(h0)]).double()
    weight = w.double()
    for _ in range(steps):
        a = weight * pair
        a = a + torch.stack([torch.zeros_like(pair[0]), pair[0]])
        h = torch.tanh(a[0])
        pair = torch.stack([h, (1 - h) * (1 + h) * a[1]])
    return pair[1].to(w.dtype)


@alternative("unrolled_gradient", "cumulated products of the factors from the end")
def unrolled_gradient(w, h0, steps):
    if steps == 0:
        return torch.zeros((), dtype=w.dtype)
    states = torch.empty(steps + 1, dtype=w.dtype)
    states[0] = h0
    for t in range(steps):
        states[t + 1] = torch.tanh(w * states[t])
    slopes = 1 - states[1:] ** 2
    carried = torch.cat([(w * slopes[1:]).flip(0).cumprod(0).flip(0), torch.ones(1, dtype=w.dtype)])
    return (carried * slopes * states[:-1]).sum()


# -------------------------------------------------------------------------------------------------- clipped_descent


@alternative("clipped_descent", "a path that is filled in")
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    path = torch.empty(steps + 1, *start.shape, dtype=start.dtype)
    path[0] = start
    for t in range(steps):
        g = grad_fn(path[t].clone())
        norm = torch.linalg.vector_norm(g)
        scale = max_norm / norm if norm > max_norm else 1.0
        path[t + 1] = path[t] - lr * scale * g
    return path


@alternative("clipped_descent", "torch's clipping on a copy, and an optimizer's step by hand")
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    p = nn.Parameter(start.clone())
    points = [start.clone()]
    for _ in range(steps):
        p.grad = grad_fn(p.detach().clone()).clone()
        torch.nn.utils.clip_grad_norm_([p], max_norm)
        with torch.no_grad():
            p.sub_(p.grad, alpha=lr)
        points.append(p.detach().clone())
    return torch.stack(points)


@alternative("clipped_descent", "in place on a copy of the start, with clones in the list")
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    x, points = start.clone(), []
    points.append(x.clone())
    while len(points) <= steps:
        g = grad_fn(x.clone()).clone()
        norm = g.flatten().norm()
        g *= torch.clamp(max_norm / (norm + 1e-6), max=1)
        x -= lr * g
        points.append(x.clone())
    return torch.cat([point.unsqueeze(0) for point in points])


@alternative("clipped_descent", "float64 inside, factor as a plain number")
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    points = [start.double()]
    for _ in range(steps):
        g = grad_fn(points[-1].to(start.dtype)).double()
        norm = math.sqrt(float((g * g).sum()))
        points.append(points[-1] - lr * (min(1.0, max_norm / norm) if norm > 0 else 1.0) * g)
    return torch.stack(points).to(start.dtype)


@alternative("clipped_descent", "recursive, and the gradient asked for twice")
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    here = start.clone().unsqueeze(0)
    if steps == 0:
        return here
    norm = global_norm([grad_fn(start)])
    scale = max_norm / norm if norm > max_norm else torch.ones_like(norm)
    return torch.cat([here, clipped_descent(grad_fn, start - lr * (grad_fn(start) * scale), lr, steps - 1, max_norm)])


@alternative("clipped_descent", "a generator of points")
def clipped_descent(grad_fn, start, lr, steps, max_norm):
    def walk():
        x = start
        yield x
        for _ in range(steps):
            clipped, _ = clip_by_norm([grad_fn(x)], max_norm)
            x = torch.add(x, clipped[0], alpha=-lr)
            yield x

    return torch.stack(tuple(walk()), dim=0)
