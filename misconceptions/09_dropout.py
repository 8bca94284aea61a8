"""Misconceptions of 09_dropout: what students write before they have it, each with the hint that helps out of it."""

import math

import torch
from torch import Tensor, nn

from course_lib.checks import misconception

# ------------------------------------------------------------------------------------------------- classic_dropout


@misconception(
    "classic_dropout",
    "keeps with probability p",
    hint="Try p = 0.1 on a large tensor of ones: how much is left? p is the probability of dropping.",
)
def classic_dropout(x, p, training, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x * (1 - p)
    return x * (torch.rand(x.shape, generator=generator) < p)


@misconception(
    "classic_dropout",
    "scales in training as well",
    hint="That is half of inverted dropout. In the classic form a kept element stays as it is, and inference "
    "does the scaling.",
)
def classic_dropout(x, p, training, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x * (1 - p)
    kept = torch.rand(x.shape, generator=generator) >= p
    return x * kept / max(1 - p, 1e-12)


@misconception(
    "classic_dropout",
    "forgets to scale at inference",
    hint="In training the next layer sees (1 - p)·x on average. What does it see at inference in your version?",
)
def classic_dropout(x, p, training, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x
    return x * (torch.rand(x.shape, generator=generator) >= p)


@misconception(
    "classic_dropout",
    "scales by p at inference",
    hint="Which share of the elements is there in training, on average: p or 1 - p? Inference has to be scaled "
    "to the same share.",
)
def classic_dropout(x, p, training, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x * p
    return x * (torch.rand(x.shape, generator=generator) >= p)


@misconception(
    "classic_dropout",
    "one coin for each row",
    hint="Look at the mask as an image: yours has stripes. Every element needs a coin of its own, so the mask "
    "needs the whole shape.",
)
def classic_dropout(x, p, training, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x * (1 - p)
    kept = torch.rand(x.shape[0], *[1] * (x.dim() - 1), generator=generator) >= p
    return x * kept


@misconception(
    "classic_dropout",
    "the same mask at every call",
    hint="Call it twice without touching any seed: is the same part dropped again? Seeding belongs to the "
    "caller, not into the function.",
)
def classic_dropout(x, p, training, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x * (1 - p)
    generator = torch.Generator().manual_seed(0) if generator is None else generator
    return x * (torch.rand(x.shape, generator=generator) >= p)


@misconception(
    "classic_dropout",
    "ignores the generator",
    hint="You accept a generator; follow it through your function to the line that draws the random numbers. "
    "Does it get there?",
)
def classic_dropout(x, p, training, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x * (1 - p)
    return x * (torch.rand(x.shape) >= p)


@misconception(
    "classic_dropout",
    "takes only the generator's seed",
    hint="A generator is a stream, not a seed: two calls with the same one must go on in it, and torch's "
    "global state is none of its business.",
)
def classic_dropout(x, p, training, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x * (1 - p)
    if generator is not None:
        torch.manual_seed(generator.initial_seed())
    return x * (torch.rand(x.shape) >= p)


@misconception(
    "classic_dropout",
    "drops an exact number of elements",
    hint="With independent coins the number of dropped elements varies from call to call. Does yours?",
)
def classic_dropout(x, p, training, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x * (1 - p)
    kept = torch.ones(x.numel(), dtype=torch.bool)
    kept[torch.randperm(x.numel(), generator=generator)[: round(p * x.numel())]] = False
    return x * kept.reshape(x.shape)


@misconception(
    "classic_dropout",
    "cuts the graph",
    hint="Ask for the gradient of the output's sum with respect to x. Something in your function takes x out "
    "of autograd's sight.",
)
def classic_dropout(x, p, training, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x * (1 - p)
    out = x.detach().clone()
    out[torch.rand(x.shape, generator=generator) < p] = 0
    return out


@misconception(
    "classic_dropout",
    "changes x in place",
    hint="Print x before and after the call. The caller may still need the activations that you overwrite.",
)
def classic_dropout(x, p, training, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x * (1 - p)
    x *= torch.rand(x.shape, generator=generator) >= p
    return x


@misconception(
    "classic_dropout",
    "compares normal numbers with p",
    hint="What is the probability that your random number lies below p? For p = 0 it must be 0. Look at which "
    "distribution you draw from.",
)
def classic_dropout(x, p, training, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x * (1 - p)
    return x * (torch.randn(x.shape, generator=generator) >= p)


@misconception(
    "classic_dropout",
    "checks the rate in training only",
    hint="Call it with p = 1.5 and training=False. A rate that is no probability is wrong in both modes.",
)
def classic_dropout(x, p, training, generator=None):
    if not training:
        return x * (1 - p)
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    return x * (torch.rand(x.shape, generator=generator) >= p)


@misconception(
    "classic_dropout",
    "refuses p = 1",
    hint="Is 1 a probability? Everything is dropped then, and the result is zeros.",
)
def classic_dropout(x, p, training, generator=None):
    if not 0 <= p < 1:
        raise ValueError("p must be in [0, 1)")
    if not training:
        return x * (1 - p)
    return x * (torch.rand(x.shape, generator=generator) >= p)


@misconception(
    "classic_dropout",
    "reads the mask off the output",
    hint="Put a relu in front: an x of 0 gives 0 whether it was kept or dropped, and its gradient tells the two apart. "
    "What do you know of your coins that the output does not show?",
)
def classic_dropout(x, p, training, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x * (1 - p)
    with torch.no_grad():
        dropped = x.masked_fill(torch.rand(x.shape, generator=generator) < p, 0.0)
    return x * (dropped != 0)


# --------------------------------------------------------------------------------------------------------- dropout


@misconception(
    "dropout",
    "forgets to scale what it keeps",
    hint="What is the expected value of one output, with your formula? Compare it with x.",
)
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x
    return x * (torch.rand(x.shape, generator=generator) >= p)


@misconception(
    "dropout",
    "divides by p",
    hint="Write down the expectation of your output: (1 - p) times the factor times x. Which factor makes it "
    "x? At p = 0.5 you cannot see the difference.",
)
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training or p == 0:
        return x
    return x * (torch.rand(x.shape, generator=generator) >= p) / p


@misconception(
    "dropout",
    "scales at inference as well",
    hint="You scale in both modes, which is classic and inverted dropout at once. If training already has "
    "expectation x, what is left to do at inference?",
)
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x * (1 - p)
    if p == 1:
        return x * 0
    return x * (torch.rand(x.shape, generator=generator) >= p) / (1 - p)


@misconception(
    "dropout",
    "keeps with probability p",
    hint="Try p = 0.1 on a large tensor of ones: how much is left? p is the probability of dropping.",
)
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x
    return x * (torch.rand(x.shape, generator=generator) < p) / max(1 - p, 1e-12)


@misconception(
    "dropout",
    "divides zero by zero at p = 1",
    hint="At p = 1 the mask is all zeros, and so is 1 - p. What is their quotient? Treat this end of the "
    "interval first.",
)
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x
    return x * (torch.rand(x.shape, generator=generator) >= p) / (1 - p)


@misconception(
    "dropout",
    "drops at inference too",
    hint="Follow the argument training through your function: where does it make a difference?",
)
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if p == 1:
        return x * 0
    return x * (torch.rand(x.shape, generator=generator) >= p) / (1 - p)


@misconception(
    "dropout",
    "one mask for all examples",
    hint="Print the mask for a batch: are all rows alike? Two examples of one batch must not share their coins.",
)
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x
    if p == 1:
        return x * 0
    return x * (torch.rand(x.shape[-1], generator=generator) >= p) / (1 - p)


@misconception(
    "dropout",
    "starts the random numbers again at every call",
    hint="Call it twice without touching any seed: the same part is dropped again. Seeding belongs to the "
    "caller, not into the function.",
)
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x
    if p == 1:
        return x * 0
    if generator is None:
        torch.manual_seed(42)
    return x * (torch.rand(x.shape, generator=generator) >= p) / (1 - p)


@misconception(
    "dropout",
    "ignores the generator",
    hint="You accept a generator; follow it through your function to the line that draws the random numbers. "
    "Does it get there?",
)
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x
    if p == 1:
        return x * 0
    return x * (torch.rand_like(x) >= p) / (1 - p)


@misconception(
    "dropout",
    "divides by the share that was kept this time",
    hint="You divide by what you measured on this mask. The formula has the probability 1 - p, a constant: "
    "outputs are 0 or x/(1 - p) and nothing else.",
)
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x
    kept = torch.rand(x.shape, generator=generator) >= p
    if not kept.any():
        return x * 0
    return x * kept / kept.to(x.dtype).mean()


@misconception(
    "dropout",
    "drops an exact number of elements",
    hint="With independent coins the number of dropped elements varies from call to call. Does yours?",
)
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x
    if p == 1:
        return x * 0
    order = torch.rand(x.shape, generator=generator).flatten().argsort().reshape(x.shape)
    return x * (order >= round(p * x.numel())) / (1 - p)


@misconception(
    "dropout",
    "cuts the graph",
    hint="Ask for the gradient of the output's sum with respect to x. Something in your function takes x out "
    "of autograd's sight.",
)
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x
    if p == 1:
        return x * 0
    with torch.no_grad():
        return x * (torch.rand(x.shape, generator=generator) >= p) / (1 - p)


@misconception(
    "dropout",
    "passes the gradient of dropped elements",
    hint="The values are right, the gradient is not: where x was dropped the output does not depend on it. Let "
    "autograd see the product with the mask.",
)
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x
    scale = 1 / (1 - p) if p < 1 else 0.0
    dropped = (x * (torch.rand(x.shape, generator=generator) >= p) * scale).detach()
    return torch.where(dropped == 0, dropped + (x - x.detach()), x * scale)


@misconception(
    "dropout",
    "changes x in place",
    hint="Print x before and after the call. The caller may still need the activations that you overwrite.",
)
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x
    x[torch.rand(x.shape, generator=generator) < p] = 0
    return x / (1 - p) if p < 1 else x


@misconception(
    "dropout",
    "computes in float32",
    hint="Give it a float64 tensor and look at the dtype of what comes out. Convert the mask to x's dtype, not "
    "x to the mask's.",
)
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x
    if p == 1:
        return x * 0
    return x.float() * (torch.rand(x.shape, generator=generator) >= p) / (1 - p)


@misconception(
    "dropout",
    "rounds the rate to whole per cent",
    hint="You draw from a hundred numbers, so p = 0.004 is impossible for you. A uniform real number has every "
    "probability to offer.",
)
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x
    if p == 1:
        return x * 0
    return x * (torch.randint(0, 100, x.shape, generator=generator) >= 100 * p) / (1 - p)


@misconception(
    "dropout",
    "divides by zero at p = 1 and throws the result away",
    hint="At p = 1 the values are right. Now ask for the gradient of x: torch.where leaves a value out, and yet "
    "goes back through the division that made it. What is 0 times infinity?",
)
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must lie in [0, 1]")
    if not training:
        return x
    kept = torch.rand(x.shape, generator=generator, dtype=x.dtype) >= p
    return torch.where(kept, x / (1 - p), torch.zeros_like(x))


@misconception(
    "dropout",
    "drops only where gradients are recorded",
    hint="Call it with training=True under torch.no_grad(): nothing is dropped. Which argument says that this is "
    "training, and what does no_grad have to do with it?",
)
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not (training and torch.is_grad_enabled()):
        return x
    if p == 1:
        return x * 0
    return x * (torch.rand(x.shape, generator=generator) >= p) / (1 - p)


@misconception(
    "dropout",
    "reads the mask off the output",
    hint="Put a relu in front: an x of 0 gives 0 whether it was kept or dropped, and its gradient tells the two apart. "
    "What do you know of your coins that the output does not show?",
)
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x
    if p == 1:
        return x * 0
    with torch.no_grad():
        dropped = x.masked_fill(torch.rand(x.shape, generator=generator) < p, 0.0)
    return x * (dropped != 0) / (1 - p)


@misconception(
    "dropout",
    "never divides by less than a hundredth",
    hint="Try p = 0.995 on a large tensor of ones: is the mean still about 1? Only at p = 1 itself is there something "
    "to guard against.",
)
def dropout(x, p=0.5, training=True, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if not training:
        return x
    return x * (torch.rand(x.shape, generator=generator) >= p) / max(1 - p, 0.01)


# ------------------------------------------------------------------------------------------------ dropout_backward


@misconception(
    "dropout_backward",
    "forgets the factor",
    hint="The forward pass multiplied what it kept by a constant. What is the derivative of c·x for x?",
)
def dropout_backward(grad_out, kept, p):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    return grad_out * kept


@misconception(
    "dropout_backward",
    "divides by p",
    hint="Use the same factor as the forward pass. At p = 0.5 you cannot see the difference, at p = 0.2 you can.",
)
def dropout_backward(grad_out, kept, p):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    return grad_out * kept / p if p > 0 else grad_out * kept


@misconception(
    "dropout_backward",
    "multiplies by 1 - p",
    hint="Does the forward pass make kept elements larger or smaller? The gradient gets the same factor, not "
    "its inverse.",
)
def dropout_backward(grad_out, kept, p):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    return grad_out * kept * (1 - p)


@misconception(
    "dropout_backward",
    "draws a new mask",
    hint="The backward pass belongs to one forward pass. Which elements took part in that one stands in the "
    "argument kept.",
)
def dropout_backward(grad_out, kept, p):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if p == 1:
        return torch.zeros_like(grad_out)
    return grad_out * (torch.rand(grad_out.shape) >= p) / (1 - p)


@misconception(
    "dropout_backward",
    "ignores the mask",
    hint="An element that was dropped had no influence on the output. Which gradient does it deserve?",
)
def dropout_backward(grad_out, kept, p):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if p == 1:
        return torch.zeros_like(grad_out)
    return grad_out / (1 - p)


@misconception(
    "dropout_backward",
    "takes kept for dropped",
    hint="True in kept means that the element was there. You give the gradient to the others.",
)
def dropout_backward(grad_out, kept, p):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    if p == 1:
        return torch.zeros_like(grad_out)
    return grad_out.masked_fill(kept, 0.0) / (1 - p)


@misconception(
    "dropout_backward",
    "divides zero by zero at p = 1",
    hint="At p = 1 the mask is all zeros, and so is 1 - p. What is their quotient?",
)
def dropout_backward(grad_out, kept, p):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    return grad_out * kept / torch.tensor(1 - p, dtype=grad_out.dtype)


@misconception(
    "dropout_backward",
    "has the factor in float32",
    hint="For float64 gradients your result is right to eight digits only. Which tensor on the way has the "
    "dtype float32?",
)
def dropout_backward(grad_out, kept, p):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    factor = kept.float() / (1 - p) if p < 1 else torch.zeros(grad_out.shape)
    return grad_out * factor


@misconception(
    "dropout_backward",
    "returns the kept elements only",
    hint="The gradient for x has the shape of x. Dropped elements have a gradient as well: 0.",
)
def dropout_backward(grad_out, kept, p):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    return grad_out[kept] / (1 - p) if p < 1 else torch.zeros_like(grad_out)


@misconception(
    "dropout_backward",
    "changes grad_out in place",
    hint="Print grad_out before and after the call. Somebody else may need that gradient too.",
)
def dropout_backward(grad_out, kept, p):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    grad_out[~kept] = 0
    return grad_out / (1 - p) if p < 1 else grad_out


@misconception(
    "dropout_backward",
    "accepts any rate",
    hint="What does p = 1.5 do in your function? The docstring names an exception for it.",
)
def dropout_backward(grad_out, kept, p):
    if p == 1:
        return torch.zeros_like(grad_out)
    return grad_out * kept / (1 - p)


@misconception(
    "dropout_backward",
    "never divides by less than a hundredth",
    hint="Try p = 0.9995: by which factor did the forward pass multiply what it kept? Only at p = 1 itself is there "
    "something to guard against.",
)
def dropout_backward(grad_out, kept, p):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    return grad_out * kept / max(1 - p, 0.01)


@misconception(
    "dropout_backward",
    "checks the rate only where something was kept",
    hint="Call it with p = 1.1 and a mask that is False everywhere. Which of your lines runs first: the shortcut or "
    "the check?",
)
def dropout_backward(grad_out, kept, p):
    if not kept.any():
        return torch.zeros_like(grad_out)
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    return grad_out * kept / (1 - p)


# --------------------------------------------------------------------------------------------------------- Dropout


@misconception(
    "Dropout",
    "always drops at the default rate",
    hint="Make Dropout(0.1) and count the zeros. You remember the rate; do you use it?",
)
class Dropout(nn.Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError("p must be in [0, 1]")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        return x * (torch.rand_like(x) >= 0.5) / 0.5 if self.training else x


@misconception(
    "Dropout",
    "drops in eval mode too",
    hint="Call .eval() on it: does anything change? Ask nn.Module's flag at every call of forward: in __init__ "
    "it is always True.",
)
class Dropout(nn.Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError("p must be in [0, 1]")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        return x * (torch.rand_like(x) >= self.p) / (1 - self.p) if self.p < 1 else x * 0


@misconception(
    "Dropout",
    "keeps a flag of its own that only its own eval() sets",
    hint="Put it into an nn.Sequential and call eval() on that. A parent switches its parts by train(False), "
    "and nn.Module keeps the flag for you.",
)
class Dropout(nn.Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError("p must be in [0, 1]")
        self.p = p
        self.active = True

    def eval(self) -> "Dropout":
        self.active = False
        return self

    def train(self, mode: bool = True) -> "Dropout":
        self.active = self.active or mode
        return self

    def forward(self, x: Tensor) -> Tensor:
        if not self.active:
            return x
        return x * (torch.rand_like(x) >= self.p) / (1 - self.p) if self.p < 1 else x * 0


@misconception(
    "Dropout",
    "checks the rate in forward",
    hint="The mistake is made where the module is made, and should be reported there. Which method runs then?",
)
class Dropout(nn.Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not 0 <= self.p <= 1:
            raise ValueError("p must be in [0, 1]")
        if not self.training:
            return x
        return x * (torch.rand_like(x) >= self.p) / (1 - self.p) if self.p < 1 else x * 0


@misconception(
    "Dropout",
    "asserts the rate",
    hint="assert raises another exception than the docstring says, and python -O leaves it out. Raise the "
    "exception yourself.",
)
class Dropout(nn.Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        assert 0 <= p <= 1, "p must be in [0, 1]"
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        return x * (torch.rand_like(x) >= self.p) / (1 - self.p) if self.p < 1 else x * 0


@misconception(
    "Dropout",
    "forgets to scale what it keeps",
    hint="In eval mode x comes out. What comes out on average in training mode?",
)
class Dropout(nn.Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError("p must be in [0, 1]")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        return x * (torch.rand_like(x) >= self.p) if self.training else x


@misconception(
    "Dropout",
    "scales in eval mode",
    hint="That is classic dropout. In the inverted form eval mode does nothing at all; where did the scaling go?",
)
class Dropout(nn.Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError("p must be in [0, 1]")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x * (1 - self.p)
        return x * (torch.rand_like(x) >= self.p) / (1 - self.p) if self.p < 1 else x * 0


@misconception(
    "Dropout",
    "keeps its first mask",
    hint="Call it twice: the same part is dropped. The mask belongs to one call, not to the module.",
)
class Dropout(nn.Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError("p must be in [0, 1]")
        self.p = p
        self.kept = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        if self.kept is None or self.kept.shape != x.shape:
            self.kept = torch.rand_like(x) >= self.p
        return x * self.kept / (1 - self.p) if self.p < 1 else x * 0


@misconception(
    "Dropout",
    "has a generator with a fixed seed",
    hint="Make two of your modules and call both: they drop the same elements. And torch.manual_seed has no "
    "say. Use torch's default generator.",
)
class Dropout(nn.Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError("p must be in [0, 1]")
        self.p = p
        self.generator = torch.Generator().manual_seed(0)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        kept = torch.rand(x.shape, generator=self.generator) >= self.p
        return x * kept / (1 - self.p) if self.p < 1 else x * 0


@misconception(
    "Dropout",
    "shares one rate among all modules",
    hint="Make two modules with different rates and then use the first. Where is its rate stored: in the "
    "object or in the class?",
)
class Dropout(nn.Module):
    p = 0.5

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError("p must be in [0, 1]")
        type(self).p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        return x * (torch.rand_like(x) >= self.p) / (1 - self.p) if self.p < 1 else x * 0


@misconception(
    "Dropout",
    "drops whole columns",
    hint="Look at the mask as an image: yours has stripes. Every element needs a coin of its own, in every example.",
)
class Dropout(nn.Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError("p must be in [0, 1]")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        return x * (torch.rand(x.shape[-1]) >= self.p) / (1 - self.p) if self.p < 1 else x * 0


@misconception(
    "Dropout",
    "divides zero by zero at p = 1",
    hint="Dropout(1.0) should give zeros. At p = 1 the mask is all zeros, and so is 1 - p: what is their quotient?",
)
class Dropout(nn.Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError("p must be in [0, 1]")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        return x * (torch.rand_like(x) >= self.p) / (1 - self.p) if self.training else x


@misconception(
    "Dropout",
    "drops only where gradients are recorded",
    hint="Call it in training mode under torch.no_grad(): nothing is dropped. Which flag says that a module is in "
    "training, and what does no_grad have to do with it?",
)
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError("p must lie in [0, 1]")
        self.p = p

    def forward(self, x):
        if not (self.training and torch.is_grad_enabled()):
            return x
        if self.p == 1:
            return x * 0
        return x * (torch.rand_like(x) >= self.p) / (1 - self.p)


@misconception(
    "Dropout",
    "draws again until something is kept",
    hint="Call Dropout(0.5) a hundred times on a tensor with one element: how often should it be 0, and how often is "
    "it? A coin does not know how the others fell.",
)
class Dropout(nn.Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError("p must be in [0, 1]")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        if self.p == 1 or x.numel() == 0:
            return x * 0
        kept = torch.rand_like(x) >= self.p
        while not kept.any():
            kept = torch.rand_like(x) >= self.p
        return x * kept / (1 - self.p)


# ------------------------------------------------------------------------------------------------- expected_output


@misconception(
    "expected_output",
    "f of the mean input",
    hint="Try f(y) = y² with x = 3 and p = 0.5: the mean of 0 and 36 is not the square of the mean. Which "
    "comes first, f or the average?",
)
def expected_output(f, x, p, samples, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    kept = torch.rand(samples, *x.shape, generator=generator) >= p
    return f((x * kept * (1 / (1 - p) if p < 1 else 0.0)).mean(0))


@misconception(
    "expected_output",
    "one mask for all samples",
    hint="Ask for 1 sample and for 1000: your answer is equally noisy. Where in your code is the mask drawn, "
    "and how often?",
)
def expected_output(f, x, p, samples, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    kept = torch.rand(x.shape, generator=generator) >= p
    y = x * kept * (1 / (1 - p) if p < 1 else 0.0)
    return f(y.expand(samples, *x.shape)).mean(0)


@misconception(
    "expected_output",
    "answers f(x)",
    hint="That is inference with nothing dropped, the approximation. Here the average itself is wanted, and "
    "for a square the two differ.",
)
def expected_output(f, x, p, samples, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    return f(x)


@misconception(
    "expected_output",
    "drops without scaling",
    hint="The contract says inverted dropout. With f(y) = y your average is (1 - p)·x instead of x.",
)
def expected_output(f, x, p, samples, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    return f(x * (torch.rand(samples, *x.shape, generator=generator) >= p)).mean(0)


@misconception(
    "expected_output",
    "forgets to hand the generator on",
    hint="You accept a generator; follow it to the line that draws the random numbers. Does it get there?",
)
def expected_output(f, x, p, samples, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    kept = torch.rand(samples, *x.shape) >= p
    return f(x * kept * (1 / (1 - p) if p < 1 else 0.0)).mean(0)


@misconception(
    "expected_output",
    "adds up instead of averaging",
    hint="Ask for 1 sample and for 100 at p = 0, where every sample is f(x). What should come out, and what does?",
)
def expected_output(f, x, p, samples, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    scale = 1 / (1 - p) if p < 1 else 0.0
    return sum(f(x * (torch.rand(x.shape, generator=generator) >= p) * scale) for _ in range(samples))


@misconception(
    "expected_output",
    "one sample too few",
    hint="How many times does your loop run for samples = 1? An average over n values needs n of them.",
)
def expected_output(f, x, p, samples, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    scale = 1 / (1 - p) if p < 1 else 0.0
    total = torch.zeros_like(f(x))
    for _ in range(1, samples):
        total = total + f(x * (torch.rand(x.shape, generator=generator) >= p) * scale)
    return total / max(samples - 1, 1)


@misconception(
    "expected_output",
    "averages over everything",
    hint="One number comes out, whatever the shape of f(x). Over which axis lie the samples?",
)
def expected_output(f, x, p, samples, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    kept = torch.rand(samples, *x.shape, generator=generator) >= p
    return f(x * kept * (1 / (1 - p) if p < 1 else 0.0)).mean()


@misconception(
    "expected_output",
    "adds up in a tensor of x's shape",
    hint="The sum lives in the output's space: f may map 3 numbers to 2, or to 1. What shape does your running "
    "total have?",
)
def expected_output(f, x, p, samples, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    scale = 1 / (1 - p) if p < 1 else 0.0
    total = torch.zeros_like(x)
    for _ in range(samples):
        total = total + f(x * (torch.rand(x.shape, generator=generator) >= p) * scale)
    return total / samples


@misconception(
    "expected_output",
    "seeds every sample alike",
    hint="All your samples have the same mask, because each one starts the random numbers again. Let them go "
    "on instead.",
)
def expected_output(f, x, p, samples, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    scale = 1 / (1 - p) if p < 1 else 0.0
    source = torch.default_generator if generator is None else generator
    seed = int(torch.randint(0, 2**31, (), generator=source))
    results = []
    for _ in range(samples):
        same = torch.Generator().manual_seed(seed)
        results.append(f(x * (torch.rand(x.shape, generator=same) >= p) * scale))
    return torch.stack(results).mean(0)


@misconception(
    "expected_output",
    "uses each mask and its mirror image",
    hint="Antithetic pairs lower the variance for some f, but they are not independent masks. Draw anew for "
    "every sample.",
)
def expected_output(f, x, p, samples, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    noise = torch.rand((samples + 1) // 2, *x.shape, generator=generator)
    noise = torch.cat([noise, 1 - noise])[:samples]
    return f(x * (noise >= p) * (1 / (1 - p) if p < 1 else 0.0)).mean(0)


@misconception(
    "expected_output",
    "shares the coins among the rows of x",
    hint="Two rows of x get the same mask in each of your samples. Draw in the shape of samples times the whole of x.",
)
def expected_output(f, x, p, samples, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    kept = torch.rand(samples, *[1] * (x.dim() - 1), x.shape[-1], generator=generator) >= p
    return f(x * kept * (1 / (1 - p) if p < 1 else 0.0)).mean(0)


@misconception(
    "expected_output",
    "accepts any rate",
    hint="What does p = 1.5 do in your function? The docstring names an exception for it.",
)
def expected_output(f, x, p, samples, generator=None):
    kept = torch.rand(samples, *x.shape, generator=generator) >= p
    return f(x * kept * (1 / (1 - p) if p < 1 else 0.0)).mean(0)


@misconception(
    "expected_output",
    "divides zero by zero at p = 1",
    hint="At p = 1 every mask is all zeros, and so is 1 - p. What should f see then?",
)
def expected_output(f, x, p, samples, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    kept = torch.rand(samples, *x.shape, generator=generator) >= p
    return f(x * kept / (1 - p)).mean(0)


@misconception(
    "expected_output",
    "cuts the graph",
    hint="An expectation of f can be differentiated for x like f itself. What in your function forbids it?",
)
def expected_output(f, x, p, samples, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    kept = torch.rand(samples, *x.shape, generator=generator) >= p
    with torch.no_grad():
        return f(x * kept * (1 / (1 - p) if p < 1 else 0.0)).mean(0)


@misconception(
    "expected_output",
    "adds to the first answer in place",
    hint="Take torch.exp for f and ask for the gradient of x. autograd has kept the answer of exp, and you have "
    "changed it since. Which operation makes a new tensor?",
)
def expected_output(f, x, p, samples, generator=None):
    total = f(dropout(x, p, generator=generator))
    for _ in range(samples - 1):
        total += f(dropout(x, p, generator=generator))
    return total / samples


@misconception(
    "expected_output",
    "averages the means of chunks",
    hint="Ask for 131 samples, in chunks of 100: the last 31 weigh as much in your result as the first 100. Divide "
    "once, in the end.",
)
def expected_output(f, x, p, samples, generator=None):
    if not 0 <= p <= 1:
        raise ValueError("p must be in [0, 1]")
    means = []
    for start in range(0, samples, 100):
        kept = torch.rand(min(100, samples - start), *x.shape, generator=generator) >= p
        means.append(f(x * kept * (1 / (1 - p) if p < 1 else 0.0)).mean(0))
    return torch.stack(means).mean(0)


# ------------------------------------------------------------------------------------------------------ mc_dropout


@misconception(
    "mc_dropout",
    "puts the whole model into training mode",
    hint="model.train() switches dropout on, and batch norm with it: it uses this batch's statistics and "
    "changes its running ones. Which modules may be in training mode?",
)
def mc_dropout(model, x, samples):
    before = {module: module.training for module in model.modules()}
    try:
        model.train()
        with torch.no_grad():
            predictions = torch.stack([model(x) for _ in range(samples)])
    finally:
        for module, mode in before.items():
            module.training = mode
    return predictions.mean(0), predictions.std(0)


@misconception(
    "mc_dropout",
    "leaves dropout off",
    hint="All your predictions are equal, and their std is 0. Who switches dropout on again after model.eval()?",
)
def mc_dropout(model, x, samples):
    before = {module: module.training for module in model.modules()}
    try:
        model.eval()
        with torch.no_grad():
            predictions = torch.stack([model(x) for _ in range(samples)])
    finally:
        for module, mode in before.items():
            module.training = mode
    return predictions.mean(0), predictions.std(0)


@misconception(
    "mc_dropout",
    "divides the variance by the number of samples",
    hint="For the two predictions 0 and 2 the unbiased std is 1.414, and yours is 1. Which number does the "
    "derivation divide by?",
)
def mc_dropout(model, x, samples):
    before = {module: module.training for module in model.modules()}
    try:
        model.eval()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.train()
        with torch.no_grad():
            predictions = torch.stack([model(x) for _ in range(samples)])
    finally:
        for module, mode in before.items():
            module.training = mode
    return predictions.mean(0), predictions.std(0, correction=0)


@misconception(
    "mc_dropout",
    "restores the modes only on success",
    hint="Let the model raise an exception in the middle: in which modes does it come back? There is a clause "
    "of try that runs in any case.",
)
def mc_dropout(model, x, samples):
    before = {module: module.training for module in model.modules()}
    model.eval()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.train()
    with torch.no_grad():
        predictions = torch.stack([model(x) for _ in range(samples)])
    for module, mode in before.items():
        module.training = mode
    return predictions.mean(0), predictions.std(0)


@misconception(
    "mc_dropout",
    "leaves the model in eval mode",
    hint="Somebody calls you in the middle of training. In which mode do they get their model back?",
)
def mc_dropout(model, x, samples):
    try:
        model.eval()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.train()
        with torch.no_grad():
            predictions = torch.stack([model(x) for _ in range(samples)])
    finally:
        model.eval()
    return predictions.mean(0), predictions.std(0)


@misconception(
    "mc_dropout",
    "restores one mode for all modules",
    hint="Freeze one dropout of a model in training mode, call your function, and look at it. One flag cannot "
    "describe many modules.",
)
def mc_dropout(model, x, samples):
    mode = model.training
    try:
        model.eval()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.train()
        with torch.no_grad():
            predictions = torch.stack([model(x) for _ in range(samples)])
    finally:
        model.train(mode)
    return predictions.mean(0), predictions.std(0)


@misconception(
    "mc_dropout",
    "restores the dropout modules only",
    hint="You put everything into eval mode and only the dropout modules back. Who tells the rest?",
)
def mc_dropout(model, x, samples):
    dropouts = {module: module.training for module in model.modules() if isinstance(module, nn.Dropout)}
    try:
        model.eval()
        for module in dropouts:
            module.train()
        with torch.no_grad():
            predictions = torch.stack([model(x) for _ in range(samples)])
    finally:
        for module, mode in dropouts.items():
            module.train(mode)
    return predictions.mean(0), predictions.std(0)


@misconception(
    "mc_dropout",
    "finds the dropout of the top level only",
    hint="Put the dropout two levels deep: is it active? children() looks into the next room, modules() "
    "through the whole house, itself included.",
)
def mc_dropout(model, x, samples):
    before = {module: module.training for module in model.modules()}
    try:
        model.eval()
        for module in model.children():
            if isinstance(module, nn.Dropout):
                module.train()
        with torch.no_grad():
            predictions = torch.stack([model(x) for _ in range(samples)])
    finally:
        for module, mode in before.items():
            module.training = mode
    return predictions.mean(0), predictions.std(0)


@misconception(
    "mc_dropout",
    "only silences batch norm",
    hint="Batch norm is one example of what behaves differently in training. Put everything into eval mode, "
    "and make the exception for dropout.",
)
def mc_dropout(model, x, samples):
    before = {module: module.training for module in model.modules()}
    try:
        model.train()
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
                module.eval()
        with torch.no_grad():
            predictions = torch.stack([model(x) for _ in range(samples)])
    finally:
        for module, mode in before.items():
            module.training = mode
    return predictions.mean(0), predictions.std(0)


@misconception(
    "mc_dropout",
    "switches dropout on and leaves the rest as it is",
    hint="If the model comes in training mode, its batch norm is in training mode during your predictions. "
    "Start from a known state.",
)
def mc_dropout(model, x, samples):
    before = {module: module.training for module in model.modules()}
    try:
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.train()
        with torch.no_grad():
            predictions = torch.stack([model(x) for _ in range(samples)])
    finally:
        for module, mode in before.items():
            module.training = mode
    return predictions.mean(0), predictions.std(0)


@misconception(
    "mc_dropout",
    "records a graph",
    hint="Look at mean.requires_grad. A hundred predictions with their graphs fill the memory, and nobody will "
    "differentiate them.",
)
def mc_dropout(model, x, samples):
    before = {module: module.training for module in model.modules()}
    try:
        model.eval()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.train()
        predictions = torch.stack([model(x) for _ in range(samples)])
    finally:
        for module, mode in before.items():
            module.training = mode
    return predictions.mean(0), predictions.std(0)


@misconception(
    "mc_dropout",
    "switches gradients off for good",
    hint="After your function nothing in the notebook can be trained any more. Which form of the switch ends "
    "by itself?",
)
def mc_dropout(model, x, samples):
    before = {module: module.training for module in model.modules()}
    torch.set_grad_enabled(False)
    try:
        model.eval()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.train()
        predictions = torch.stack([model(x) for _ in range(samples)])
    finally:
        for module, mode in before.items():
            module.training = mode
    return predictions.mean(0), predictions.std(0)


@misconception(
    "mc_dropout",
    "repeats one prediction",
    hint="Your predictions have std 0 although dropout is on. How often is the model called, or the seed set?",
)
def mc_dropout(model, x, samples):
    before = {module: module.training for module in model.modules()}
    try:
        model.eval()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.train()
        with torch.no_grad():
            predictions = torch.stack([model(x)] * samples)
    finally:
        for module, mode in before.items():
            module.training = mode
    return predictions.mean(0), predictions.std(0)


@misconception(
    "mc_dropout",
    "returns the variance",
    hint="The second result has the unit of the prediction squared. One operation is missing.",
)
def mc_dropout(model, x, samples):
    before = {module: module.training for module in model.modules()}
    try:
        model.eval()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.train()
        with torch.no_grad():
            predictions = torch.stack([model(x) for _ in range(samples)])
    finally:
        for module, mode in before.items():
            module.training = mode
    return predictions.mean(0), predictions.var(0)


@misconception(
    "mc_dropout",
    "returns the error of the mean",
    hint="Yours goes to 0 with more samples. The spread of the predictions does not: how sure the model is "
    "does not depend on how often you ask.",
)
def mc_dropout(model, x, samples):
    before = {module: module.training for module in model.modules()}
    try:
        model.eval()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.train()
        with torch.no_grad():
            predictions = torch.stack([model(x) for _ in range(samples)])
    finally:
        for module, mode in before.items():
            module.training = mode
    return predictions.mean(0), predictions.std(0) / math.sqrt(samples)


@misconception(
    "mc_dropout",
    "swallows the model's exception",
    hint="When the model fails the caller should hear of it. Restoring the modes needs no except: there is a "
    "clause of try that runs in any case.",
)
def mc_dropout(model, x, samples):
    before = {module: module.training for module in model.modules()}
    try:
        model.eval()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.train()
        with torch.no_grad():
            predictions = torch.stack([model(x) for _ in range(samples)])
    except Exception:
        predictions = torch.zeros(samples, *x.shape)
    for module, mode in before.items():
        module.training = mode
    return predictions.mean(0), predictions.std(0)


@misconception(
    "mc_dropout",
    "adds up in the first prediction",
    hint="A model may return its input, or a tensor that it still needs. What does += do to it? Make a new "
    "tensor for your sum.",
)
def mc_dropout(model, x, samples):
    before = {module: module.training for module in model.modules()}
    try:
        model.eval()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.train()
        with torch.no_grad():
            mean = model(x)
            squares = mean**2
            for _ in range(samples - 1):
                y = model(x)
                squares = squares + y**2
                mean += y
            mean /= samples
    finally:
        for module, mode in before.items():
            module.training = mode
    return mean, ((squares - samples * mean**2) / (samples - 1)).clamp(min=0).sqrt()


@misconception(
    "mc_dropout",
    "subtracts the square of the mean from the mean of the squares",
    hint="Take predictions that are all 1000.1: their squares agree in the first seven digits, and the difference "
    "is what rounding left. Subtract the mean first, then square.",
)
def mc_dropout(model, x, samples):
    before = {module: module.training for module in model.modules()}
    try:
        model.eval()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.train()
        with torch.no_grad():
            predictions = torch.stack([model(x) for _ in range(samples)])
    finally:
        for module, mode in before.items():
            module.training = mode
    mean = predictions.mean(0)
    variance = ((predictions**2).mean(0) - mean**2) * samples / (samples - 1)
    return mean, variance.clamp(min=0).sqrt()


@misconception(
    "mc_dropout",
    "switches everything with a rate on",
    hint="Put nn.AlphaDropout into the model: it has a p too, and it is not nn.Dropout. Ask each module what it is.",
)
def mc_dropout(model, x, samples):
    before = {module: module.training for module in model.modules()}
    try:
        model.eval()
        for module in model.modules():
            if hasattr(module, "p"):
                module.train()
        with torch.no_grad():
            predictions = torch.stack([model(x) for _ in range(samples)])
    finally:
        for module, mode in before.items():
            module.training = mode
    return predictions.mean(0), predictions.std(0)


@misconception(
    "mc_dropout",
    "leaves the model itself in the mode it was in",
    hint="A model may look at its own flag in forward. Print model.training during a prediction: children() are the "
    "parts of a model, and who is missing among them?",
)
def mc_dropout(model, x, samples):
    before = {module: module.training for module in model.modules()}
    try:
        for part in model.children():
            part.eval()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.train()
        with torch.no_grad():
            predictions = torch.stack([model(x) for _ in range(samples)])
    finally:
        for module, mode in before.items():
            module.training = mode
    return predictions.mean(0), predictions.std(0)


@misconception(
    "mc_dropout",
    "switches gradients on afterwards",
    hint="Call it inside torch.no_grad() and ask torch.is_grad_enabled() behind the call. Put back what was there "
    "before, or use a form of the switch that does so by itself.",
)
def mc_dropout(model, x, samples):
    before = {module: module.training for module in model.modules()}
    torch.set_grad_enabled(False)
    try:
        model.eval()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.train()
        predictions = torch.stack([model(x) for _ in range(samples)])
    finally:
        torch.set_grad_enabled(True)
        for module, mode in before.items():
            module.training = mode
    return predictions.mean(0), predictions.std(0)
