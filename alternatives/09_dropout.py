"""Right implementations of 09_dropout, as different as students are: all of them keep all points."""

import math

import torch
from torch import Tensor, nn

from course_lib.checks import alternative

# ------------------------------------------------------------------------------------------------- classic_dropout


@alternative("classic_dropout", "torch.bernoulli of a tensor of probabilities")
def classic_dropout(x, p, training, generator=None):
    if p < 0 or p > 1:
        raise ValueError("p must be in [0, 1]")
    keep = 1.0 - p
    if training:
        return torch.bernoulli(torch.full_like(x, keep), generator=generator) * x
    return keep * x


@alternative("classic_dropout", "masked_fill, with noise in float64")
def classic_dropout(x, p, training, generator=None):
    if not (p >= 0 and p <= 1):
        raise ValueError(f"not a probability: {p}")
    if not training:
        return x - p * x
    return x.masked_fill(torch.rand(x.shape, dtype=torch.float64, generator=generator) < p, 0.0)


@alternative("classic_dropout", "a loop over single elements")
def classic_dropout(x, p, training, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x * (1 - p)
    coins = [float(torch.rand((), generator=generator)) < 1 - p for _ in range(x.numel())]
    return x * torch.tensor(coins, dtype=x.dtype).reshape(x.shape)


@alternative("classic_dropout", "bernoulli_ in place, and more numbers drawn than needed")
def classic_dropout(x, p, training, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if training:
        coins = torch.empty(3, *x.shape, dtype=torch.bool).bernoulli_(1 - p, generator=generator)
        return torch.where(coins[1], x, torch.zeros_like(x))
    return x.mul(1 - p)


@alternative("classic_dropout", "normal numbers below the right quantile")
def classic_dropout(x, p, training, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x * (1 - p)
    quantile = torch.special.ndtri(torch.tensor(p, dtype=torch.float64))
    return x * (torch.randn(x.shape, dtype=torch.float64, generator=generator) > quantile)


# --------------------------------------------------------------------------------------------------------- dropout


@alternative("dropout", "bernoulli_, scaled mask")
def dropout(x, p=0.5, training=True, generator=None):
    if not 0.0 <= p <= 1.0:
        raise ValueError("p must be in [0, 1]")
    if not training or p == 0.0:
        return x
    if p == 1.0:
        return torch.zeros_like(x)
    mask = torch.empty_like(x).bernoulli_(1 - p, generator=generator)
    mask.div_(1 - p)
    return x * mask


@alternative("dropout", "in place on a copy")
def dropout(x, p=0.5, training=True, generator=None):
    if p < 0 or p > 1:
        raise ValueError("p must be in [0, 1]")
    out = x.clone()
    if training:
        out[torch.rand(out.shape, generator=generator) < p] = 0
        if p < 1:
            out /= 1 - p
    return out


@alternative("dropout", "a generator of its own, seeded from the one given")
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x
    seed = torch.randint(0, 2**62, (1,), generator=generator).item()
    noise = torch.rand(x.numel(), generator=torch.Generator().manual_seed(seed)).view(x.shape)
    factor = torch.where(noise >= p, 1 / (1 - p) if p < 1 else 0.0, 0.0).to(torch.float64)
    factor = factor if p == 1 else (noise >= p).double() / (1 - p)
    return (x.double() * factor).to(x.dtype)


@alternative("dropout", "a loop along the flattened input")
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x
    entries = []
    for value in x.flatten():
        dropped = torch.rand(1, generator=generator).item() < p
        entries.append(value * 0 if dropped else value / (1 - p))
    return torch.stack(entries).view(x.shape)


@alternative("dropout", "multinomial with two outcomes")
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x.clone()
    weights = torch.tensor([p, 1 - p], dtype=torch.float64)
    kept = torch.multinomial(weights, x.numel(), replacement=True, generator=generator).reshape(x.shape)
    return torch.where(kept == 1, x / (1 - p), 0.0) if p < 1 else x * 0


# ------------------------------------------------------------------------------------------------ dropout_backward


@alternative("dropout_backward", "torch.where")
def dropout_backward(grad_out, kept, p):
    if p < 0 or p > 1:
        raise ValueError("p must be in [0, 1]")
    if p == 1:
        return torch.zeros_like(grad_out)
    return torch.where(kept, grad_out / (1 - p), torch.zeros_like(grad_out))


@alternative("dropout_backward", "writes into zeros")
def dropout_backward(grad_out, kept, p):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    grad = torch.zeros(grad_out.shape, dtype=grad_out.dtype)
    if kept.any():
        grad[kept] = grad_out[kept] * (1 / (1 - p))
    return grad


@alternative("dropout_backward", "in float64 inside")
def dropout_backward(grad_out, kept, p):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    scale = 0.0 if p == 1 else 1 / (1 - p)
    return (grad_out.to(torch.float64) * kept.to(torch.float64) * scale).to(grad_out.dtype)


@alternative("dropout_backward", "element by element")
def dropout_backward(grad_out, kept, p):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    pairs = zip(grad_out.flatten().tolist(), kept.flatten().tolist(), strict=True)
    grads = [g / (1 - p) if k else 0.0 for g, k in pairs]
    return torch.tensor(grads, dtype=grad_out.dtype).reshape(grad_out.shape)


# --------------------------------------------------------------------------------------------------------- Dropout


@alternative("Dropout", "with bernoulli")
class Dropout(nn.Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if p < 0.0 or p > 1.0:
            raise ValueError("p must be in [0, 1]")
        self.keep = 1.0 - p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.keep == 1.0:
            return x
        if self.keep == 0.0:
            return torch.zeros_like(x)
        return x * torch.bernoulli(torch.full_like(x, self.keep)) / self.keep


@alternative("Dropout", "checks before it starts the module up, and draws more than it needs")
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        if not 0 <= p <= 1:
            raise ValueError(p)
        super().__init__()
        self.p = p

    def extra_repr(self):
        return f"p={self.p}"

    def forward(self, x):
        noise = torch.rand(2, *x.shape, dtype=torch.float64)[1]
        if self.training:
            return x.masked_fill(noise < self.p, 0) * (1 / (1 - self.p) if self.p < 1 else 1)
        return x


@alternative("Dropout", "calls dropout of the exercise before")
class Dropout(nn.Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        dropout(torch.zeros(1), p, False)  # refuses what is no probability
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        return dropout(x, p=self.p, training=self.training)


@alternative("Dropout", "overrides train()")
class Dropout(nn.Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError("p must be in [0, 1]")
        self.p, self.rate = p, p

    def train(self, mode: bool = True) -> "Dropout":
        super().train(mode)
        self.rate = self.p if mode else 0.0
        return self

    def forward(self, x: Tensor) -> Tensor:
        kept = torch.rand(x.shape) >= self.rate
        return torch.where(kept, x / (1 - self.rate), 0) if self.rate < 1 else x * 0


# ------------------------------------------------------------------------------------------------- expected_output


@alternative("expected_output", "a loop with dropout of the exercise before")
def expected_output(f, x, p, samples, generator=None):
    total = f(dropout(x, p, True, generator))
    for _ in range(samples - 1):
        total = total + f(dropout(x, p, True, generator))
    return total / samples


@alternative("expected_output", "all masks in one batch")
def expected_output(f, x, p, samples, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    kept = torch.empty(samples, *x.shape, dtype=x.dtype).bernoulli_(1 - p, generator=generator)
    return f(x * kept / (1 - p) if p < 1 else x * kept).mean(dim=0)


@alternative("expected_output", "a running mean")
def expected_output(f, x, p, samples, generator=None):
    if p < 0 or p > 1:
        raise ValueError("p must be in [0, 1]")
    mean = None
    for n in range(1, samples + 1):
        kept = torch.rand(x.shape, dtype=torch.float64, generator=generator) < 1 - p
        value = f(torch.where(kept, x / (1 - p) if p < 1 else 0 * x, torch.zeros_like(x)))
        mean = value if mean is None else mean + (value - mean) / n
    return mean


@alternative("expected_output", "masks first, then a list of values")
def expected_output(f, x, p, samples, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if p == 0:
        return f(x)
    if p == 1:
        return f(torch.zeros_like(x))
    masks = torch.rand(*x.shape, samples, generator=generator).movedim(-1, 0) >= p
    return torch.stack([f(x * mask / (1 - p)) for mask in masks]).mean(0)


# ------------------------------------------------------------------------------------------------------ mc_dropout


@alternative("mc_dropout", "on a deep copy")
def mc_dropout(model, x, samples):
    import copy

    twin = copy.deepcopy(model).eval()
    for module in twin.modules():
        if isinstance(module, nn.Dropout):
            module.train()
    predictions = [twin(x).detach() for _ in range(samples)]
    mean = sum(predictions) / samples
    variance = sum((y - mean) ** 2 for y in predictions) / (samples - 1)
    return mean, variance.sqrt()


@alternative("mc_dropout", "one batch of copies, flat")
def mc_dropout(model, x, samples):
    modules = list(model.modules())
    modes = [module.training for module in modules]
    try:
        for module in modules:
            module.training = type(module) is nn.Dropout
        with torch.inference_mode():
            out = model(x.repeat(samples, *[1] * (x.dim() - 1)))
        predictions = out.reshape(samples, x.shape[0], *out.shape[1:])
        return [predictions.mean(0), predictions.std(0, unbiased=True)]
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode


@alternative("mc_dropout", "one batch of copies, with an axis in front")
def mc_dropout(model, x, samples):
    modes = {name: module.training for name, module in model.named_modules()}
    model.eval()
    try:
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.train()
        with torch.no_grad():
            std, mean = torch.std_mean(model(x.expand(samples, *x.shape)), dim=0)
    finally:
        for name, mode in modes.items():
            model.get_submodule(name).training = mode
    return mean, std


@alternative("mc_dropout", "running sums in Welford's way, restored from the outside in")
def mc_dropout(model, x, samples):
    before = [(module, module.training) for module in model.modules()]
    try:
        model.train(False)
        for module, _ in before:
            if isinstance(module, nn.Dropout):
                module.train(True)
        mean, squares = None, None
        for n in range(1, samples + 1):
            y = model(x).detach().clone()
            if mean is None:
                mean, squares = y, torch.zeros_like(y)
                continue
            step = y - mean
            mean = mean + step / n
            squares = squares + step * (y - mean)
    finally:
        for module, mode in before:
            module.train(mode)
    return mean, (squares / (samples - 1)).sqrt()


@alternative("mc_dropout", "the formula with the mean of squares, in float64")
def mc_dropout(model, x, samples):
    was = {id(module): module.training for module in model.modules()}
    wanted = [module for module in model.modules() if isinstance(module, nn.Dropout)]
    model.eval()
    try:
        for module in wanted:
            module.training = True
        with torch.no_grad():
            outputs = [model(x) for _ in range(samples)]
    except BaseException:
        for module in model.modules():
            module.training = was[id(module)]
        raise
    for module in model.modules():
        module.training = was[id(module)]
    stacked = torch.stack(outputs).double()
    mean = stacked.mean(0)
    variance = ((stacked**2).mean(0) - mean**2).clamp(min=0) * samples / (samples - 1)
    return mean.to(outputs[0].dtype), torch.sqrt(variance).to(outputs[0].dtype) * math.sqrt(1.0)
