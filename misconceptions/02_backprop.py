"""Misconceptions of 02_backprop: what students write before they have it, each with the hint that helps out of it.

Those of mlp_backward read the cache that the first hint of the notebook names: (x, h, W1, W2).
"""

import math

import torch

from course_lib.checks import misconception

# ---------------------------------------------------------------------------------------------------------- affine


@misconception(
    "affine",
    "forgets the bias",
    hint="Give it an input of zeros. What should come out, and what does?",
)
def affine(x, W, b):
    return x @ W


@misconception(
    "affine",
    "transposes the weights",
    hint="torch's own layer keeps its weights as [H, D]. Ours are [D, H]: which two axes meet in the product?",
)
def affine(x, W, b):
    return x @ W.T + b


@misconception(
    "affine",
    "multiplies element by element",
    hint="In torch * is the product of entries in the same place. A matrix product sums over the axis that both share.",
)
def affine(x, W, b):
    return x * W + b


@misconception(
    "affine",
    "adds the bias to the input",
    hint="There is a bias for each of the H outputs, not for each of the D inputs. At which point are there H numbers?",
)
def affine(x, W, b):
    return (x + b) @ W


@misconception(
    "affine",
    "gives each example a bias",
    hint="b has one number for each unit, that is for each column of the result. Your version gives one to each row.",
)
def affine(x, W, b):
    return x @ W + b[:, None]


@misconception(
    "affine",
    "adds the sum of the biases",
    hint="Every unit gets its own bias. Broadcasting adds a vector [H] to every row of a matrix [N, H] by itself.",
)
def affine(x, W, b):
    return x @ W + b.sum()


@misconception(
    "affine",
    "subtracts the bias",
    hint="Try zeros for x: the bias itself should come out, with its own sign.",
)
def affine(x, W, b):
    return x @ W - b


@misconception(
    "affine",
    "puts an activation on top",
    hint="Affine means weights and bias, and nothing after them. Activations are steps of their own.",
)
def affine(x, W, b):
    return torch.tanh(x @ W + b)


@misconception(
    "affine",
    "divides by the number of inputs",
    hint="The contributions of the inputs are summed, not averaged: try x = (1, 1) and weights 1.",
)
def affine(x, W, b):
    return x @ W / x.shape[1] + b


@misconception(
    "affine",
    "computes in float32",
    hint="Give it float64 tensors and look at the dtype of what comes out, and at its 10th digit.",
)
def affine(x, W, b):
    return x.float() @ W.float() + b.float()


@misconception(
    "affine",
    "drops axes of size 1",
    hint="Call it with a single example. The result should still be a matrix with one row.",
)
def affine(x, W, b):
    return (x @ W + b).squeeze()


@misconception(
    "affine",
    "collects the sums in the bias itself",
    hint="Print b before and after the call. `row = b` makes no new tensor: it is a second name for the same one.",
)
def affine(x, W, b):
    rows = []
    for example in x:
        row = b
        for value, weights in zip(example, W, strict=True):
            row += value * weights
        rows.append(row.clone())
    return torch.stack(rows)


@misconception(
    "affine",
    "demands contiguous memory",
    hint="A transposed matrix is a matrix like any other, but .view cannot rearrange it. .reshape can.",
)
def affine(x, W, b):
    pairs = x.view(-1)[:, None] * W.repeat(len(x), 1)
    return pairs.view(len(x), -1, len(b)).sum(dim=1) + b


@misconception(
    "affine",
    "clips large outputs",
    hint="An affine layer gives numbers of any size. Who asked for a limit?",
)
def affine(x, W, b):
    return (x @ W + b).clamp(-1e6, 1e6)


@misconception(
    "affine",
    "keeps one tensor for all results of a shape",
    hint="Call it twice with different inputs of the same shape, and then print the first result once more. Whose "
    "numbers are in it?",
)
def affine(x, W, b, *, kept={}):  # noqa: B006
    shape = (len(x), len(b), x.dtype)
    if shape not in kept:
        kept[shape] = x.new_empty(len(x), len(b))
    out = kept[shape]
    torch.matmul(x, W, out=out)
    out += b
    return out


@misconception(
    "affine",
    "drops all biases when one is 0",
    hint="Give it the biases 0, 2 and −3: what becomes of the 2? A layer without biases needs no case of its own.",
)
def affine(x, W, b):
    return x @ W + b if b.all() else x @ W


# ------------------------------------------------------------------------------------------------- affine_backward


@misconception(
    "affine_backward",
    "averages over the examples",
    hint="Whether the loss is a mean is already in grad_out. The contributions of the examples are added, as W acts on "
    "the loss through all of them.",
)
def affine_backward(grad_out, x, W):
    n = len(x)
    return grad_out @ W.T, x.T @ grad_out / n, grad_out.sum(dim=0) / n


@misconception(
    "affine_backward",
    "averages the bias gradient",
    hint="grad_W and grad_b must treat the batch alike. One of yours is a sum over the examples, the other a mean.",
)
def affine_backward(grad_out, x, W):
    return grad_out @ W.T, x.T @ grad_out, grad_out.mean(dim=0)


@misconception(
    "affine_backward",
    "gives the gradient of the transposed weights",
    hint="A gradient has the shape of what it belongs to: W is [D, H]. Which order of the two factors gives that?",
)
def affine_backward(grad_out, x, W):
    return grad_out @ W.T, grad_out.T @ x, grad_out.sum(dim=0)


@misconception(
    "affine_backward",
    "does not transpose the weights",
    hint="grad_out is [N, H] and grad_x is [N, D]. Which axis of W has to meet the H of grad_out?",
)
def affine_backward(grad_out, x, W):
    return grad_out @ W, x.T @ grad_out, grad_out.sum(dim=0)


@misconception(
    "affine_backward",
    "does not sum the bias gradient",
    hint="The same b is added to every example. Along how many paths does b[h] reach the loss?",
)
def affine_backward(grad_out, x, W):
    return grad_out @ W.T, x.T @ grad_out, grad_out


@misconception(
    "affine_backward",
    "sums the bias gradient over the units",
    hint="There is one number for each unit, so the axis that goes is that of the examples.",
)
def affine_backward(grad_out, x, W):
    return grad_out @ W.T, x.T @ grad_out, grad_out.sum(dim=1)


@misconception(
    "affine_backward",
    "keeps the summed axis",
    hint="b is [H], so its gradient is [H]. Yours has one axis more.",
)
def affine_backward(grad_out, x, W):
    return grad_out @ W.T, x.T @ grad_out, grad_out.sum(dim=0, keepdim=True)


@misconception(
    "affine_backward",
    "returns the weights' gradient first",
    hint="The three tensors are right, their order is not: x, W, b.",
)
def affine_backward(grad_out, x, W):
    return x.T @ grad_out, grad_out.sum(dim=0), grad_out @ W.T


@misconception(
    "affine_backward",
    "ignores the gradient from above for x",
    hint="The derivative of the output for x is W, but the loss depends on x through all outputs, each with its own "
    "weight: where does grad_out come in?",
)
def affine_backward(grad_out, x, W):
    return W.sum(dim=1).expand(len(x), -1), x.T @ grad_out, grad_out.sum(dim=0)


@misconception(
    "affine_backward",
    "takes 1 for the gradient of the bias",
    hint="∂out/∂b is 1, but you are asked for ∂L/∂b: multiply by what comes from above, and add up over the examples.",
)
def affine_backward(grad_out, x, W):
    return grad_out @ W.T, x.T @ grad_out, torch.ones_like(W[0])


@misconception(
    "affine_backward",
    "uses the first example alone",
    hint="It works for a batch of one. With several examples, W and b get a contribution from each of them.",
)
def affine_backward(grad_out, x, W):
    return grad_out @ W.T, torch.outer(x[0], grad_out[0]), grad_out[0]


@misconception(
    "affine_backward",
    "sums before it multiplies",
    hint="A product of sums is not a sum of products: example n's x belongs with example n's grad_out.",
)
def affine_backward(grad_out, x, W):
    return grad_out @ W.T, torch.outer(x.sum(dim=0), grad_out.sum(dim=0)), grad_out.sum(dim=0)


@misconception(
    "affine_backward",
    "computes in float32",
    hint="Give it float64 tensors and look at the dtype of what comes out, and at its 10th digit.",
)
def affine_backward(grad_out, x, W):
    grad_out, x, W = grad_out.float(), x.float(), W.float()
    return grad_out @ W.T, x.T @ grad_out, grad_out.sum(dim=0)


@misconception(
    "affine_backward",
    "transposes its arguments in place",
    hint="A method that ends in an underscore changes the tensor itself. Print W.shape after the call.",
)
def affine_backward(grad_out, x, W):
    grad_x = grad_out @ W.t_()
    return grad_x, x.t_() @ grad_out, grad_out.sum(dim=0)


@misconception(
    "affine_backward",
    "drops axes of size 1",
    hint="Call it with a single example, or with one unit. Each gradient has the shape of what it belongs to.",
)
def affine_backward(grad_out, x, W):
    return (grad_out @ W.T).squeeze(), (x.T @ grad_out).squeeze(), grad_out.sum(dim=0).squeeze()


@misconception(
    "affine_backward",
    "clips the gradients",
    hint="Clipping is a decision of the training loop. A backward pass computes the derivative, whatever its size.",
)
def affine_backward(grad_out, x, W):
    grads = grad_out @ W.T, x.T @ grad_out, grad_out.sum(dim=0)
    return [grad.clamp(-1e3, 1e3) for grad in grads]


@misconception(
    "affine_backward",
    "demands contiguous memory",
    hint="The gradient that comes from .sum() is an expanded tensor, and a transposed one is common too: .view cannot "
    "rearrange these, .reshape can.",
)
def affine_backward(grad_out, x, W):
    flat = grad_out.view(-1)
    grad_b = torch.stack([flat[h :: W.shape[1]].sum() for h in range(W.shape[1])])
    return grad_out @ W.T, x.T @ grad_out, grad_b


@misconception(
    "affine_backward",
    "collects the gradients in .grad",
    hint="Print W.grad after the call: there is something in it now. Call it again with the same W: does the same come "
    "back? Results are returned, and the arguments stay as they were.",
)
def affine_backward(grad_out, x, W):
    for part, grad in ((x, grad_out @ W.T), (W, x.T @ grad_out)):
        part.grad = grad if part.grad is None else part.grad + grad
    return x.grad, W.grad, grad_out.sum(dim=0)


# ------------------------------------------------------------------------------------------------ sigmoid_backward


@misconception(
    "sigmoid_backward",
    "applies σ to its output",
    hint="The second argument is called out: it has been through σ already. What is the slope in terms of out?",
)
def sigmoid_backward(grad_out, out):
    s = torch.sigmoid(out)
    return grad_out * s * (1 - s)


@misconception(
    "sigmoid_backward",
    "forgets the gradient from above",
    hint="That is ∂out/∂z. The chain rule multiplies it by ∂L/∂out.",
)
def sigmoid_backward(grad_out, out):
    return out * (1 - out)


@misconception(
    "sigmoid_backward",
    "takes the slope of tanh",
    hint="1 − out² is the slope of tanh. At out = 1/2 the slope of σ is 1/4.",
)
def sigmoid_backward(grad_out, out):
    return grad_out * (1 - out**2)


@misconception(
    "sigmoid_backward",
    "forgets the factor 1 − out",
    hint="Where σ is saturated at 1 its curve is flat. What does your slope give for out = 1?",
)
def sigmoid_backward(grad_out, out):
    return grad_out * out


@misconception(
    "sigmoid_backward",
    "forgets the factor out",
    hint="Where σ is saturated at 0 its curve is flat. What does your slope give for out = 0?",
)
def sigmoid_backward(grad_out, out):
    return grad_out * (1 - out)


@misconception(
    "sigmoid_backward",
    "has the wrong sign",
    hint="σ rises everywhere. Which sign must its slope have, and which has yours at out = 1/2?",
)
def sigmoid_backward(grad_out, out):
    return grad_out * out * (out - 1)


@misconception(
    "sigmoid_backward",
    "takes 1/4 for the slope everywhere",
    hint="1/4 is the slope at z = 0, the steepest point. What is it where out = 3/4?",
)
def sigmoid_backward(grad_out, out):
    return grad_out / 4


@misconception(
    "sigmoid_backward",
    "goes back to z with a logarithm",
    hint="For large |z| the output is exactly 0 or 1, and the logarithm infinite. The slope needs no z.",
)
def sigmoid_backward(grad_out, out):
    z = torch.log(out / (1 - out))
    e = torch.exp(-z)
    return grad_out * e / (1 + e) ** 2


@misconception(
    "sigmoid_backward",
    "keeps away from 0 and 1 to be safe",
    hint="Nothing is divided here and there is no logarithm: what should a small constant protect you from? It makes "
    "slopes where there are none.",
)
def sigmoid_backward(grad_out, out):
    out = out.clamp(1e-7, 1 - 1e-7)
    return grad_out * out * (1 - out)


@misconception(
    "sigmoid_backward",
    "computes in float32",
    hint="Give it float64 tensors and look at the dtype of what comes out, and at its 10th digit.",
)
def sigmoid_backward(grad_out, out):
    return grad_out.float() * out.float() * (1 - out.float())


@misconception(
    "sigmoid_backward",
    "overwrites the gradient from above",
    hint="Methods that end in an underscore change the tensor they are called on. The caller still needs grad_out.",
)
def sigmoid_backward(grad_out, out):
    return grad_out.mul_(out).mul_(1 - out)


@misconception(
    "sigmoid_backward",
    "overwrites the output",
    hint="Print out before and after the call. The layer above has it in its cache.",
)
def sigmoid_backward(grad_out, out):
    slope = out - out**2
    out.copy_(slope)
    return grad_out * slope


@misconception(
    "sigmoid_backward",
    "expects a batch of vectors",
    hint="Any shape is allowed, also a single number. An elementwise step needs no axes at all.",
)
def sigmoid_backward(grad_out, out):
    n, d = out.shape
    slope = torch.stack([out[k] * (1 - out[k]) for k in range(n)])
    return grad_out * slope.reshape(n, d)


@misconception(
    "sigmoid_backward",
    "averages over the elements",
    hint="Each element has its own slope and its own gradient from above. Nothing is divided by their number.",
)
def sigmoid_backward(grad_out, out):
    return grad_out * out * (1 - out) / out.numel()


@misconception(
    "sigmoid_backward",
    "clips the gradient from above",
    hint="Double a large grad_out: what comes back should double too. Whether gradients are clipped is decided in the "
    "training loop.",
)
def sigmoid_backward(grad_out, out):
    grad_out = grad_out.clamp(-100, 100)
    return grad_out * out * (1 - out)


@misconception(
    "sigmoid_backward",
    "takes .double() for a copy",
    hint="Give it a float64 tensor, and print out before and after the call. What does .double() have to do for a "
    "tensor that is float64 already?",
)
def sigmoid_backward(grad_out, out):
    slope = out.double()
    slope *= 1 - slope
    return (grad_out.double() * slope).to(grad_out.dtype)


# --------------------------------------------------------------------------------------------------- tanh_backward


@misconception(
    "tanh_backward",
    "applies tanh to its output",
    hint="The second argument is called out: it has been through tanh already. Square that, not its tanh.",
)
def tanh_backward(grad_out, out):
    return grad_out * (1 - torch.tanh(out) ** 2)


@misconception(
    "tanh_backward",
    "forgets the gradient from above",
    hint="That is ∂out/∂z. The chain rule multiplies it by ∂L/∂out.",
)
def tanh_backward(grad_out, out):
    return 1 - out**2


@misconception(
    "tanh_backward",
    "takes the slope of σ",
    hint="out(1 − out) is the slope of σ. At out = 0 tanh is steepest: its slope there is 1.",
)
def tanh_backward(grad_out, out):
    return grad_out * out * (1 - out)


@misconception(
    "tanh_backward",
    "forgets the square",
    hint="tanh is symmetric: its slope is the same at z and at −z. Is yours the same for out = 0.6 and out = −0.6?",
)
def tanh_backward(grad_out, out):
    return grad_out * (1 - out)


@misconception(
    "tanh_backward",
    "takes the absolute value for the square",
    hint="At out = 0.6 the slope is 0.64. What does yours give?",
)
def tanh_backward(grad_out, out):
    return grad_out * (1 - out.abs())


@misconception(
    "tanh_backward",
    "squares the difference",
    hint="(1 − out)² is not 1 − out². Which of the two is symmetric?",
)
def tanh_backward(grad_out, out):
    return grad_out * (1 - out) ** 2


@misconception(
    "tanh_backward",
    "has the wrong sign",
    hint="tanh rises everywhere. Which sign must its slope have, and which has yours at out = 0?",
)
def tanh_backward(grad_out, out):
    return grad_out * (out**2 - 1)


@misconception(
    "tanh_backward",
    "adds the square",
    hint="Where tanh is saturated at ±1 its curve is flat. What does your slope give there?",
)
def tanh_backward(grad_out, out):
    return grad_out * (1 + out**2)


@misconception(
    "tanh_backward",
    "adds a small constant to be safe",
    hint="Nothing is divided here: what should the constant protect you from? It makes slopes where there are none.",
)
def tanh_backward(grad_out, out):
    return grad_out * (1 - out**2 + 1e-8)


@misconception(
    "tanh_backward",
    "goes back to z and divides",
    hint="At out = ±1 there is no finite z, and your quotient is infinite by infinite. The formula in terms of out "
    "needs no z.",
)
def tanh_backward(grad_out, out):
    e = torch.exp(2 * torch.atanh(out))
    return grad_out * 4 * e / (e + 1) ** 2


@misconception(
    "tanh_backward",
    "computes in float32",
    hint="Give it float64 tensors and look at the dtype of what comes out, and at its 10th digit.",
)
def tanh_backward(grad_out, out):
    return grad_out.float() * (1 - out.float() ** 2)


@misconception(
    "tanh_backward",
    "overwrites the output",
    hint="A method that ends in an underscore changes the tensor itself. The layer above has out in its cache.",
)
def tanh_backward(grad_out, out):
    return grad_out * out.square_().neg_().add_(1)


@misconception(
    "tanh_backward",
    "sums over the examples",
    hint="This step is elementwise: what comes back has the shape of what came in.",
)
def tanh_backward(grad_out, out):
    return (grad_out * (1 - out**2)).sum(dim=0)


@misconception(
    "tanh_backward",
    "demands contiguous memory",
    hint="A transposed tensor is a tensor like any other, but .view cannot flatten it. Here nothing need be flattened.",
)
def tanh_backward(grad_out, out):
    flat = grad_out.view(-1) * (1 - out.view(-1) ** 2)
    return flat.view(out.shape)


@misconception(
    "tanh_backward",
    "clips its result",
    hint="With a grad_out of 1000 at out = 0, what should come back? A backward step computes the derivative, whatever "
    "its size.",
)
def tanh_backward(grad_out, out):
    return (grad_out * (1 - out**2)).clamp(-100, 100)


@misconception(
    "tanh_backward",
    "keeps the output an eps away from ±1",
    hint="At out = 1 the curve is flat. Let a gradient of a million come from above: what should come through, and "
    "what does? Nothing is divided here that would need protection.",
)
def tanh_backward(grad_out, out):
    eps = torch.finfo(out.dtype).eps
    return grad_out * (1 - out.clamp(-1 + eps, 1 - eps) ** 2)


# --------------------------------------------------------------------------------------------------- relu_backward


@misconception(
    "relu_backward",
    "lets the gradient through at 0",
    hint="At the corner the contract asks for slope 0, as torch has it. Is your comparison strict?",
)
def relu_backward(grad_out, z):
    return grad_out * (z >= 0)


@misconception(
    "relu_backward",
    "multiplies by the value instead of the slope",
    hint="max(z, 0) is the function. Its slope for z > 0 is a constant: which one?",
)
def relu_backward(grad_out, z):
    return grad_out * z.clamp(min=0)


@misconception(
    "relu_backward",
    "forgets the gradient from above",
    hint="That is the slope, 0 or 1. The chain rule multiplies it by ∂L/∂out.",
)
def relu_backward(grad_out, z):
    return (z > 0).to(z.dtype)


@misconception(
    "relu_backward",
    "looks at the sign of the gradient",
    hint="Whether something comes through is decided by z, not by the gradient: negative gradients pass where z > 0.",
)
def relu_backward(grad_out, z):
    return grad_out.clamp(min=0)


@misconception(
    "relu_backward",
    "stops negative gradients too",
    hint="Where z > 0 the function is out = z, and its gradient goes through unchanged, whatever its sign.",
)
def relu_backward(grad_out, z):
    return torch.relu(grad_out) * (z > 0)


@misconception(
    "relu_backward",
    "leaks on the negative side",
    hint="That is the leaky rectifier. The plain one is constant for z < 0: what is the slope of a constant?",
)
def relu_backward(grad_out, z):
    return torch.where(z > 0, grad_out, 0.01 * grad_out)


@misconception(
    "relu_backward",
    "takes one half at the corner",
    hint="One half is the middle of the two slopes, and a fair choice. torch's, and ours, is 0.",
)
def relu_backward(grad_out, z):
    return grad_out * (z.sign() + 1) / 2


@misconception(
    "relu_backward",
    "takes tiny inputs for 0",
    hint="z = 1e-7 is positive, and its gradient comes through. Compare with 0 itself.",
)
def relu_backward(grad_out, z):
    return grad_out * (z > 1e-6)


@misconception(
    "relu_backward",
    "divides by z",
    hint="What is relu(z)/z at z = 0?",
)
def relu_backward(grad_out, z):
    return grad_out * (torch.relu(z) / z)


@misconception(
    "relu_backward",
    "swaps the two sides",
    hint="Where z > 0 the unit is active, and its gradient comes through. Try z = 3.",
)
def relu_backward(grad_out, z):
    return torch.where(z > 0, 0.0, grad_out)


@misconception(
    "relu_backward",
    "cuts off above",
    hint="For large z the rectifier keeps rising with slope 1: it has no upper limit.",
)
def relu_backward(grad_out, z):
    return grad_out * ((z > 0) & (z < 6))


@misconception(
    "relu_backward",
    "returns only what passes",
    hint="Indexing with a Boolean tensor picks entries and forgets the shape. What is stopped is a zero in the result, "
    "and not missing.",
)
def relu_backward(grad_out, z):
    return grad_out[z > 0]


@misconception(
    "relu_backward",
    "writes zeros into the gradient from above",
    hint="Print grad_out before and after the call: the caller's tensor has changed. Make a new one.",
)
def relu_backward(grad_out, z):
    grad_out[z <= 0] = 0
    return grad_out


@misconception(
    "relu_backward",
    "computes in float32",
    hint="Give it float64 tensors and look at the dtype of what comes out.",
)
def relu_backward(grad_out, z):
    return grad_out.float() * (z > 0).float()


@misconception(
    "relu_backward",
    "demands contiguous memory",
    hint="A transposed tensor is a tensor like any other, but .view cannot flatten it. Here nothing need be flattened.",
)
def relu_backward(grad_out, z):
    flat = [g if v > 0 else 0 * g for g, v in zip(grad_out.view(-1), z.view(-1), strict=True)]
    return torch.stack(flat).view(z.shape)


@misconception(
    "relu_backward",
    "clips what it lets through",
    hint="Where z > 0 the slope is 1, for a gradient of a million too. What does yours make of that one?",
)
def relu_backward(grad_out, z):
    return torch.where(z > 0, grad_out.clamp(-100, 100), 0.0)


@misconception(
    "relu_backward",
    "sets tiny gradients to 0",
    hint="A gradient of 1e-20 is small, but it is one: where z > 0 it comes through unchanged. Which size is too small "
    "is not for this step to say.",
)
def relu_backward(grad_out, z):
    grad = torch.where(z > 0, grad_out, 0.0)
    return torch.where(grad.abs() < 1e-8, 0.0, grad)


# ----------------------------------------------------------------------------------------------------- mlp_forward


@misconception(
    "mlp_forward",
    "puts tanh on the output too",
    hint="Your outputs never leave (−1, 1). The output layer has no activation here.",
)
def mlp_forward(x, W1, b1, W2, b2):
    h = torch.tanh(x @ W1 + b1)
    return torch.tanh(h @ W2 + b2), (x, h, W1, W2)


@misconception(
    "mlp_forward",
    "has no activation at all",
    hint="Two affine layers on top of each other are one affine layer. What stands between them?",
)
def mlp_forward(x, W1, b1, W2, b2):
    h = x @ W1 + b1
    return h @ W2 + b2, (x, h, W1, W2)


@misconception(
    "mlp_forward",
    "forgets the bias of the hidden layer",
    hint="Each of the two layers has weights and a bias. Follow b1 through your function.",
)
def mlp_forward(x, W1, b1, W2, b2):
    h = torch.tanh(x @ W1)
    return h @ W2 + b2, (x, h, W1, W2)


@misconception(
    "mlp_forward",
    "forgets the bias of the output layer",
    hint="Each of the two layers has weights and a bias. Follow b2 through your function.",
)
def mlp_forward(x, W1, b1, W2, b2):
    h = torch.tanh(x @ W1 + b1)
    return h @ W2, (x, h, W1, W2)


@misconception(
    "mlp_forward",
    "adds the bias after the activation",
    hint="The bias shifts what goes into tanh: it belongs inside.",
)
def mlp_forward(x, W1, b1, W2, b2):
    h = torch.tanh(x @ W1) + b1
    return h @ W2 + b2, (x, h, W1, W2)


@misconception(
    "mlp_forward",
    "takes σ for the hidden layer",
    hint="The hidden activation of this network is tanh: its values are negative as well.",
)
def mlp_forward(x, W1, b1, W2, b2):
    h = torch.sigmoid(x @ W1 + b1)
    return h @ W2 + b2, (x, h, W1, W2)


@misconception(
    "mlp_forward",
    "takes ReLU for the hidden layer",
    hint="The hidden activation of this network is tanh: its values stay between −1 and 1.",
)
def mlp_forward(x, W1, b1, W2, b2):
    h = torch.relu(x @ W1 + b1)
    return h @ W2 + b2, (x, h, W1, W2)


@misconception(
    "mlp_forward",
    "returns no cache",
    hint="Two things come back: the outputs, and what the backward pass will need. Which tensors are those?",
)
def mlp_forward(x, W1, b1, W2, b2):
    return torch.tanh(x @ W1 + b1) @ W2 + b2


@misconception(
    "mlp_forward",
    "returns the cache first",
    hint="The outputs come first, then the cache.",
)
def mlp_forward(x, W1, b1, W2, b2):
    h = torch.tanh(x @ W1 + b1)
    return (x, h, W1, W2), h @ W2 + b2


@misconception(
    "mlp_forward",
    "returns the hidden layer in place of the outputs",
    hint="The first result is out = hW2 + b2. What you need of h later goes into the cache.",
)
def mlp_forward(x, W1, b1, W2, b2):
    h = torch.tanh(x @ W1 + b1)
    return h, (x, h, W1, W2)


@misconception(
    "mlp_forward",
    "writes tanh with exponentials",
    hint="exp(1000) is infinite, and infinite by infinite is NaN. torch.tanh is right for every number.",
)
def mlp_forward(x, W1, b1, W2, b2):
    e = torch.exp(2 * (x @ W1 + b1))
    h = (e - 1) / (e + 1)
    return h @ W2 + b2, (x, h, W1, W2)


@misconception(
    "mlp_forward",
    "computes in float32",
    hint="Give it float64 tensors and look at the dtype of what comes out, and at its 10th digit.",
)
def mlp_forward(x, W1, b1, W2, b2):
    h = torch.tanh(x.float() @ W1.float() + b1.float())
    return h @ W2.float() + b2.float(), (x, h, W1, W2)


@misconception(
    "mlp_forward",
    "drops axes of size 1",
    hint="Call it with a single example. The result should still be a matrix with one row.",
)
def mlp_forward(x, W1, b1, W2, b2):
    h = torch.tanh(x @ W1 + b1)
    return (h @ W2 + b2).squeeze(), (x, h, W1, W2)


@misconception(
    "mlp_forward",
    "centres the inputs in place",
    hint="Print x before and after the call. Preparing the data is not the network's business, and x is not yours to "
    "change.",
)
def mlp_forward(x, W1, b1, W2, b2):
    z = x @ W1 + b1
    x -= x.mean(dim=0)
    h = torch.tanh(z)
    return h @ W2 + b2, (x, h, W1, W2)


@misconception(
    "mlp_forward",
    "demands contiguous memory",
    hint="A transposed matrix is a matrix like any other, but .view cannot rearrange it. .reshape can.",
)
def mlp_forward(x, W1, b1, W2, b2):
    pairs = x.view(-1)[:, None] * W1.repeat(len(x), 1)
    h = torch.tanh(pairs.view(len(x), -1, len(b1)).sum(dim=1) + b1)
    return h @ W2 + b2, (x, h, W1, W2)


# ---------------------------------------------------------------------------------------------------- mlp_backward


@misconception(
    "mlp_backward",
    "leaves out the slope of tanh",
    hint="Between the two layers stands tanh: what comes out of W2 on the way back is the gradient for h, not for the "
    "pre-activations.",
)
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = cache
    grad_z = grad_out @ W2.T
    return {
        "x": grad_z @ W1.T,
        "W1": x.T @ grad_z,
        "b1": grad_z.sum(0),
        "W2": h.T @ grad_out,
        "b2": grad_out.sum(0),
    }


@misconception(
    "mlp_backward",
    "applies tanh to h once more",
    hint="h has been through tanh already. The slope is 1 − h², with h as it is in the cache.",
)
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = cache
    grad_z = grad_out @ W2.T * (1 - torch.tanh(h) ** 2)
    return {
        "x": grad_z @ W1.T,
        "W1": x.T @ grad_z,
        "b1": grad_z.sum(0),
        "W2": h.T @ grad_out,
        "b2": grad_out.sum(0),
    }


@misconception(
    "mlp_backward",
    "takes the slope of σ",
    hint="h(1 − h) is the slope of σ. The hidden layer has tanh.",
)
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = cache
    grad_z = grad_out @ W2.T * h * (1 - h)
    return {
        "x": grad_z @ W1.T,
        "W1": x.T @ grad_z,
        "b1": grad_z.sum(0),
        "W2": h.T @ grad_out,
        "b2": grad_out.sum(0),
    }


@misconception(
    "mlp_backward",
    "takes the bias before the slope of tanh",
    hint="b1 is added inside of tanh, just as xW1 is. So the same gradient reaches both.",
)
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = cache
    grad_h = grad_out @ W2.T
    grad_z = grad_h * (1 - h**2)
    return {
        "x": grad_z @ W1.T,
        "W1": x.T @ grad_z,
        "b1": grad_h.sum(0),
        "W2": h.T @ grad_out,
        "b2": grad_out.sum(0),
    }


@misconception(
    "mlp_backward",
    "passes the gradient for h on to x",
    hint="Everything below tanh is reached through its slope: W1 and b1, and x as well.",
)
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = cache
    grad_h = grad_out @ W2.T
    grad_z = grad_h * (1 - h**2)
    return {
        "x": grad_h @ W1.T,
        "W1": x.T @ grad_z,
        "b1": grad_z.sum(0),
        "W2": h.T @ grad_out,
        "b2": grad_out.sum(0),
    }


@misconception(
    "mlp_backward",
    "averages over the examples",
    hint="Whether the loss is a mean is already in grad_out. The contributions of the examples are added.",
)
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = cache
    n = len(x)
    grad_z = grad_out @ W2.T * (1 - h**2)
    return {
        "x": grad_z @ W1.T,
        "W1": x.T @ grad_z / n,
        "b1": grad_z.mean(0),
        "W2": h.T @ grad_out / n,
        "b2": grad_out.mean(0),
    }


@misconception(
    "mlp_backward",
    "averages the slope over the examples",
    hint="Each example has hidden activations of its own, and so slopes of its own. Keep h as a matrix.",
)
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = cache
    grad_z = grad_out @ W2.T * (1 - h**2).mean(0)
    return {
        "x": grad_z @ W1.T,
        "W1": x.T @ grad_z,
        "b1": grad_z.sum(0),
        "W2": h.T @ grad_out,
        "b2": grad_out.sum(0),
    }


@misconception(
    "mlp_backward",
    "takes the pre-activations for the hidden layer",
    hint="The output layer was given h, not what stood before tanh. Which of the two is in your product for W2?",
)
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = cache
    grad_z = grad_out @ W2.T * (1 - h**2)
    return {
        "x": grad_z @ W1.T,
        "W1": x.T @ grad_z,
        "b1": grad_z.sum(0),
        "W2": torch.atanh(h.clamp(-1 + 1e-7, 1 - 1e-7)).T @ grad_out,
        "b2": grad_out.sum(0),
    }


@misconception(
    "mlp_backward",
    "gives the gradients of the transposed weights",
    hint="A gradient has the shape of what it belongs to. Which order of the two factors gives [H, O] for W2?",
)
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = cache
    grad_z = grad_out @ W2.T * (1 - h**2)
    return {
        "x": grad_z @ W1.T,
        "W1": grad_z.T @ x,
        "b1": grad_z.sum(0),
        "W2": grad_out.T @ h,
        "b2": grad_out.sum(0),
    }


@misconception(
    "mlp_backward",
    "keeps the summed axis of the biases",
    hint="b1 is [H] and b2 is [O], and so are their gradients. Yours have one axis more.",
)
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = cache
    grad_z = grad_out @ W2.T * (1 - h**2)
    return {
        "x": grad_z @ W1.T,
        "W1": x.T @ grad_z,
        "b1": grad_z.sum(0, keepdim=True),
        "W2": h.T @ grad_out,
        "b2": grad_out.sum(0, keepdim=True),
    }


@misconception(
    "mlp_backward",
    "forgets the gradient for x",
    hint="Five gradients are asked for. The last one, for x, is what the layers below this network would go on with.",
)
def mlp_backward(grad_out, cache):
    x, h, _, W2 = cache
    grad_z = grad_out @ W2.T * (1 - h**2)
    return {"W1": x.T @ grad_z, "b1": grad_z.sum(0), "W2": h.T @ grad_out, "b2": grad_out.sum(0)}


@misconception(
    "mlp_backward",
    "starts from ones",
    hint="Follow grad_out through your function. The loss above decides how much each output counts.",
)
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = cache
    grad_out = torch.ones_like(grad_out)
    grad_z = grad_out @ W2.T * (1 - h**2)
    return {
        "x": grad_z @ W1.T,
        "W1": x.T @ grad_z,
        "b1": grad_z.sum(0),
        "W2": h.T @ grad_out,
        "b2": grad_out.sum(0),
    }


@misconception(
    "mlp_backward",
    "turns h into slopes in place",
    hint="Call it twice with the same cache: the second time something else comes out. Methods that end in an "
    "underscore change the tensor in the cache.",
)
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = cache
    grad_W2 = h.T @ grad_out
    grad_z = grad_out @ W2.T * h.square_().neg_().add_(1)
    return {
        "x": grad_z @ W1.T,
        "W1": x.T @ grad_z,
        "b1": grad_z.sum(0),
        "W2": grad_W2,
        "b2": grad_out.sum(0),
    }


@misconception(
    "mlp_backward",
    "transposes the weights in place",
    hint="The cache holds the caller's own weights, not copies. What does W2.t_() do to them?",
)
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = cache
    grad_z = grad_out @ W2.t_() * (1 - h**2)
    W2.t_()
    return {
        "x": grad_z @ W1.t_(),
        "W1": x.T @ grad_z,
        "b1": grad_z.sum(0),
        "W2": h.T @ grad_out,
        "b2": grad_out.sum(0),
    }


@misconception(
    "mlp_backward",
    "computes in float32",
    hint="Give it float64 tensors and look at the dtype of what comes out, and at its 10th digit.",
)
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = (part.float() for part in cache)
    grad_out = grad_out.float()
    grad_z = grad_out @ W2.T * (1 - h**2)
    return {
        "x": grad_z @ W1.T,
        "W1": x.T @ grad_z,
        "b1": grad_z.sum(0),
        "W2": h.T @ grad_out,
        "b2": grad_out.sum(0),
    }


@misconception(
    "mlp_backward",
    "clips the gradients",
    hint="Clipping is a decision of the training loop. A backward pass computes the derivative, whatever its size.",
)
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = cache
    grad_z = grad_out @ W2.T * (1 - h**2)
    grads = {
        "x": grad_z @ W1.T,
        "W1": x.T @ grad_z,
        "b1": grad_z.sum(0),
        "W2": h.T @ grad_out,
        "b2": grad_out.sum(0),
    }
    return {name: grad.clamp(-1e6, 1e6) for name, grad in grads.items()}


@misconception(
    "mlp_backward",
    "drops axes of size 1",
    hint="Call it with a single example, or one output. Each gradient has the shape of what it belongs to.",
)
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = cache
    grad_z = grad_out @ W2.T * (1 - h**2)
    return {
        "x": (grad_z @ W1.T).squeeze(),
        "W1": (x.T @ grad_z).squeeze(),
        "b1": grad_z.sum(0),
        "W2": (h.T @ grad_out).squeeze(),
        "b2": grad_out.sum(0),
    }


@misconception(
    "mlp_backward",
    "demands contiguous memory",
    hint="The gradient that comes from .sum() is an expanded tensor, and a transposed one is common too: .view cannot "
    "rearrange these, .reshape can.",
)
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = cache
    grad_z = grad_out @ W2.T * (1 - h**2)
    flat = grad_out.view(-1)
    return {
        "x": grad_z @ W1.T,
        "W1": x.T @ grad_z,
        "b1": grad_z.sum(0),
        "W2": h.T @ grad_out,
        "b2": torch.stack([flat[o :: W2.shape[1]].sum() for o in range(W2.shape[1])]),
    }


@misconception(
    "mlp_backward",
    "takes .double() for a copy",
    hint="Use one cache twice, with a network in float64: the second time something else comes out. What does "
    ".double() have to do for a tensor that is float64 already?",
)
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = cache
    grad_W2 = h.T @ grad_out
    slope = h.double()
    slope.square_().neg_().add_(1)
    grad_z = (grad_out.double() @ W2.T.double() * slope).to(grad_out.dtype)
    return {
        "x": grad_z @ W1.T,
        "W1": x.T @ grad_z,
        "b1": grad_z.sum(0),
        "W2": grad_W2,
        "b2": grad_out.sum(0),
    }


@misconception(
    "mlp_backward",
    "leaves the weights' gradients in .grad",
    hint="Print W1.grad and W2.grad after a backward pass. The caller's own weights are in the cache: return the "
    "gradients, and leave nothing behind in the tensors.",
)
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = cache
    grad_z = grad_out @ W2.T * (1 - h**2)
    W1.grad = x.T @ grad_z
    W2.grad = h.T @ grad_out
    return {"x": grad_z @ W1.T, "W1": W1.grad, "b1": grad_z.sum(0), "W2": W2.grad, "b2": grad_out.sum(0)}


# ---------------------------------------------------------------------------------------------------------- Scalar


@misconception(
    "Scalar",
    "overwrites the gradient",
    hint="Differentiate a·a by hand, then with your class. Where a node is used twice, what must happen to the two "
    "contributions?",
)
class Scalar:
    def __init__(self, value, links=()):
        self.value, self.grad, self.links = value, 0.0, links

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, n):
        return type(self)(self.value**n, ((self, n * self.value ** (n - 1) if n else 0.0),))

    def exp(self):
        e = math.exp(self.value)
        return type(self)(e, ((self, e),))

    def tanh(self):
        t = math.tanh(self.value)
        return type(self)(t, ((self, 1 - t * t),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, seen, waiting = [], set(), [(self, False)]
        while waiting:
            node, complete = waiting.pop()
            if complete:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                waiting += [(node, True), *((part, False) for part, _ in node.links)]
        self.grad = 1.0
        for node in reversed(order):
            for part, slope in node.links:
                part.grad = slope * node.grad


@misconception(
    "Scalar",
    "walks the graph depth first and passes on at once",
    hint="Take c = a·b, d = tanh c, e = d·c. When c passes its gradient on, has everything that used c reported to it? "
    "And if c passes on twice, what does a get?",
)
class Scalar:
    def __init__(self, value, links=()):
        self.value, self.grad, self.links = value, 0.0, links

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, n):
        return type(self)(self.value**n, ((self, n * self.value ** (n - 1) if n else 0.0),))

    def exp(self):
        e = math.exp(self.value)
        return type(self)(e, ((self, e),))

    def tanh(self):
        t = math.tanh(self.value)
        return type(self)(t, ((self, 1 - t * t),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        self.grad = 1.0
        seen, waiting = set(), [self]
        while waiting:
            node = waiting.pop()
            if node in seen:
                continue
            seen.add(node)
            for part, slope in node.links:
                part.grad += slope * node.grad
                waiting.append(part)


@misconception(
    "Scalar",
    "walks the graph level by level",
    hint="Nodes at the same distance from the root are not always ready at the same time: a long path may still be on "
    "its way. Which order visits every node after all that used it?",
)
class Scalar:
    def __init__(self, value, links=()):
        self.value, self.grad, self.links = value, 0.0, links

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, n):
        return type(self)(self.value**n, ((self, n * self.value ** (n - 1) if n else 0.0),))

    def exp(self):
        e = math.exp(self.value)
        return type(self)(e, ((self, e),))

    def tanh(self):
        t = math.tanh(self.value)
        return type(self)(t, ((self, 1 - t * t),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        self.grad = 1.0
        level, seen = [self], {self}
        while level:
            following = []
            for node in level:
                for part, slope in node.links:
                    part.grad += slope * node.grad
                    if part not in seen:
                        seen.add(part)
                        following.append(part)
            level = following


@misconception(
    "Scalar",
    "follows every path",
    hint="It is right, but a node that is reached along a thousand paths is visited a thousand times. Let every node "
    "pass on its whole gradient once.",
)
class Scalar:
    def __init__(self, value, links=()):
        self.value, self.grad, self.links = value, 0.0, links

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, n):
        return type(self)(self.value**n, ((self, n * self.value ** (n - 1) if n else 0.0),))

    def exp(self):
        e = math.exp(self.value)
        return type(self)(e, ((self, e),))

    def tanh(self):
        t = math.tanh(self.value)
        return type(self)(t, ((self, 1 - t * t),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        waiting = [(self, 1.0)]
        while waiting:
            node, share = waiting.pop()
            node.grad += share
            waiting += [(part, slope * share) for part, slope in node.links]


@misconception(
    "Scalar",
    "calls itself for every parent",
    hint="Python allows about a thousand calls inside each other. Keep the nodes that wait in a list of your own.",
)
class Scalar:
    def __init__(self, value, links=()):
        self.value, self.grad, self.links = value, 0.0, links

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, n):
        return type(self)(self.value**n, ((self, n * self.value ** (n - 1) if n else 0.0),))

    def exp(self):
        e = math.exp(self.value)
        return type(self)(e, ((self, e),))

    def tanh(self):
        t = math.tanh(self.value)
        return type(self)(t, ((self, 1 - t * t),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for part, _ in node.links:
                    visit(part)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for part, slope in node.links:
                part.grad += slope * node.grad


@misconception(
    "Scalar",
    "starts the root with 0",
    hint="Every gradient is a product along a path that begins at the root. What is the derivative of the root for "
    "itself?",
)
class Scalar:
    def __init__(self, value, links=()):
        self.value, self.grad, self.links = value, 0.0, links

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, n):
        return type(self)(self.value**n, ((self, n * self.value ** (n - 1) if n else 0.0),))

    def exp(self):
        e = math.exp(self.value)
        return type(self)(e, ((self, e),))

    def tanh(self):
        t = math.tanh(self.value)
        return type(self)(t, ((self, 1 - t * t),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, seen, waiting = [], set(), [(self, False)]
        while waiting:
            node, complete = waiting.pop()
            if complete:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                waiting += [(node, True), *((part, False) for part, _ in node.links)]
        for node in reversed(order):
            for part, slope in node.links:
                part.grad += slope * node.grad


@misconception(
    "Scalar",
    "lets every node start with gradient 1",
    hint="Only the node that backward() is called on starts with 1. All others start with 0.0 and collect.",
)
class Scalar:
    def __init__(self, value, links=()):
        self.value, self.grad, self.links = value, 1.0, links

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, n):
        return type(self)(self.value**n, ((self, n * self.value ** (n - 1) if n else 0.0),))

    def exp(self):
        e = math.exp(self.value)
        return type(self)(e, ((self, e),))

    def tanh(self):
        t = math.tanh(self.value)
        return type(self)(t, ((self, 1 - t * t),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, seen, waiting = [], set(), [(self, False)]
        while waiting:
            node, complete = waiting.pop()
            if complete:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                waiting += [(node, True), *((part, False) for part, _ in node.links)]
        for node in reversed(order):
            for part, slope in node.links:
                part.grad += slope * node.grad


@misconception(
    "Scalar",
    "subtracts the wrong way round for a number on the left",
    hint="Python turns 5 - x into x.__rsub__(5). Which of the two is subtracted there?",
)
class Scalar:
    def __init__(self, value, links=()):
        self.value, self.grad, self.links = value, 0.0, links

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, n):
        return type(self)(self.value**n, ((self, n * self.value ** (n - 1) if n else 0.0),))

    def exp(self):
        e = math.exp(self.value)
        return type(self)(e, ((self, e),))

    def tanh(self):
        t = math.tanh(self.value)
        return type(self)(t, ((self, 1 - t * t),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    __radd__, __rmul__, __rsub__ = __add__, __mul__, __sub__

    def backward(self):
        order, seen, waiting = [], set(), [(self, False)]
        while waiting:
            node, complete = waiting.pop()
            if complete:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                waiting += [(node, True), *((part, False) for part, _ in node.links)]
        self.grad = 1.0
        for node in reversed(order):
            for part, slope in node.links:
                part.grad += slope * node.grad


@misconception(
    "Scalar",
    "gives both sides of a difference the slope 1",
    hint="Raise b a little: does a − b rise or fall? By how much?",
)
class Scalar:
    def __init__(self, value, links=()):
        self.value, self.grad, self.links = value, 0.0, links

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value * other.value, ((self, other.value), (other, self.value)))

    def __sub__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value - other.value, ((self, 1.0), (other, 1.0)))

    def __rsub__(self, other):
        return type(self)(other) - self

    def __pow__(self, n):
        return type(self)(self.value**n, ((self, n * self.value ** (n - 1) if n else 0.0),))

    def exp(self):
        e = math.exp(self.value)
        return type(self)(e, ((self, e),))

    def tanh(self):
        t = math.tanh(self.value)
        return type(self)(t, ((self, 1 - t * t),))

    def __neg__(self):
        return self * -1

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, seen, waiting = [], set(), [(self, False)]
        while waiting:
            node, complete = waiting.pop()
            if complete:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                waiting += [(node, True), *((part, False) for part, _ in node.links)]
        self.grad = 1.0
        for node in reversed(order):
            for part, slope in node.links:
                part.grad += slope * node.grad


@misconception(
    "Scalar",
    "keeps the power in the derivative",
    hint="The derivative of x³ is 3x², not 3x³: the exponent goes down by one.",
)
class Scalar:
    def __init__(self, value, links=()):
        self.value, self.grad, self.links = value, 0.0, links

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, n):
        return type(self)(self.value**n, ((self, n * self.value**n),))

    def exp(self):
        e = math.exp(self.value)
        return type(self)(e, ((self, e),))

    def tanh(self):
        t = math.tanh(self.value)
        return type(self)(t, ((self, 1 - t * t),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, seen, waiting = [], set(), [(self, False)]
        while waiting:
            node, complete = waiting.pop()
            if complete:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                waiting += [(node, True), *((part, False) for part, _ in node.links)]
        self.grad = 1.0
        for node in reversed(order):
            for part, slope in node.links:
                part.grad += slope * node.grad


@misconception(
    "Scalar",
    "computes powers with a logarithm",
    hint="exp(n·log x) needs x > 0. What are (−2)³ and 0², and what does your class say?",
)
class Scalar:
    def __init__(self, value, links=()):
        self.value, self.grad, self.links = value, 0.0, links

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, n):
        p = math.exp(n * math.log(self.value))
        return type(self)(p, ((self, n * p / self.value),))

    def exp(self):
        e = math.exp(self.value)
        return type(self)(e, ((self, e),))

    def tanh(self):
        t = math.tanh(self.value)
        return type(self)(t, ((self, 1 - t * t),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, seen, waiting = [], set(), [(self, False)]
        while waiting:
            node, complete = waiting.pop()
            if complete:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                waiting += [(node, True), *((part, False) for part, _ in node.links)]
        self.grad = 1.0
        for node in reversed(order):
            for part, slope in node.links:
                part.grad += slope * node.grad


@misconception(
    "Scalar",
    "takes the slope of tanh at its input",
    hint="The slope is 1 − t² with t = tanh x, the output. Which of the two did you square?",
)
class Scalar:
    def __init__(self, value, links=()):
        self.value, self.grad, self.links = value, 0.0, links

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, n):
        return type(self)(self.value**n, ((self, n * self.value ** (n - 1) if n else 0.0),))

    def exp(self):
        e = math.exp(self.value)
        return type(self)(e, ((self, e),))

    def tanh(self):
        return type(self)(math.tanh(self.value), ((self, 1 - self.value**2),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, seen, waiting = [], set(), [(self, False)]
        while waiting:
            node, complete = waiting.pop()
            if complete:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                waiting += [(node, True), *((part, False) for part, _ in node.links)]
        self.grad = 1.0
        for node in reversed(order):
            for part, slope in node.links:
                part.grad += slope * node.grad


@misconception(
    "Scalar",
    "writes tanh with exponentials",
    hint="For x = 1000 the exponential overflows, and tanh 1000 is simply 1. Python has a function for it.",
)
class Scalar:
    def __init__(self, value, links=()):
        self.value, self.grad, self.links = value, 0.0, links

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, n):
        return type(self)(self.value**n, ((self, n * self.value ** (n - 1) if n else 0.0),))

    def exp(self):
        e = math.exp(self.value)
        return type(self)(e, ((self, e),))

    def tanh(self):
        e = math.exp(2 * self.value)
        t = (e - 1) / (e + 1)
        return type(self)(t, ((self, 1 - t * t),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, seen, waiting = [], set(), [(self, False)]
        while waiting:
            node, complete = waiting.pop()
            if complete:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                waiting += [(node, True), *((part, False) for part, _ in node.links)]
        self.grad = 1.0
        for node in reversed(order):
            for part, slope in node.links:
                part.grad += slope * node.grad


@misconception(
    "Scalar",
    "keeps the parents in a dict",
    hint="In a·a both sides are the same object. How many entries does your dict have then?",
)
class Scalar:
    def __init__(self, value, links=()):
        self.value, self.grad, self.links = value, 0.0, dict(links)

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, n):
        return type(self)(self.value**n, ((self, n * self.value ** (n - 1) if n else 0.0),))

    def exp(self):
        e = math.exp(self.value)
        return type(self)(e, ((self, e),))

    def tanh(self):
        t = math.tanh(self.value)
        return type(self)(t, ((self, 1 - t * t),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, seen, waiting = [], set(), [(self, False)]
        while waiting:
            node, complete = waiting.pop()
            if complete:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                waiting += [(node, True), *((part, False) for part in node.links)]
        self.grad = 1.0
        for node in reversed(order):
            for part, slope in node.links.items():
                part.grad += slope * node.grad


@misconception(
    "Scalar",
    "adds in place",
    hint="Print a.value before and after c = a + b. An operation makes a new node and leaves its operands alone.",
)
class Scalar:
    def __init__(self, value, links=()):
        self.value, self.grad, self.links = value, 0.0, links

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        self.value += other.value
        return type(self)(self.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, n):
        return type(self)(self.value**n, ((self, n * self.value ** (n - 1) if n else 0.0),))

    def exp(self):
        e = math.exp(self.value)
        return type(self)(e, ((self, e),))

    def tanh(self):
        t = math.tanh(self.value)
        return type(self)(t, ((self, 1 - t * t),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, seen, waiting = [], set(), [(self, False)]
        while waiting:
            node, complete = waiting.pop()
            if complete:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                waiting += [(node, True), *((part, False) for part, _ in node.links)]
        self.grad = 1.0
        for node in reversed(order):
            for part, slope in node.links:
                part.grad += slope * node.grad


@misconception(
    "Scalar",
    "tells nodes apart by their values",
    hint="Two nodes may happen to hold the same number. Compare a = Scalar(2) and b = Scalar(2): are they one node?",
)
class Scalar:
    def __init__(self, value, links=()):
        self.value, self.grad, self.links = value, 0.0, links

    def __eq__(self, other):
        return self.value == other.value

    def __hash__(self):
        return hash(self.value)

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, n):
        return type(self)(self.value**n, ((self, n * self.value ** (n - 1) if n else 0.0),))

    def exp(self):
        e = math.exp(self.value)
        return type(self)(e, ((self, e),))

    def tanh(self):
        t = math.tanh(self.value)
        return type(self)(t, ((self, 1 - t * t),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, seen, waiting = [], set(), [(self, False)]
        while waiting:
            node, complete = waiting.pop()
            if complete:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                waiting += [(node, True), *((part, False) for part, _ in node.links)]
        self.grad = 1.0
        for node in reversed(order):
            for part, slope in node.links:
                part.grad += slope * node.grad


@misconception(
    "Scalar",
    "goes back over everything that was ever computed",
    hint="Your list knows the nodes of all graphs. The second backward() passes the first graph's gradients on again.",
)
class Scalar:
    def __init__(self, value, links=(), tape=None):
        if tape is None:
            tape = type(self).__dict__.get("tape")
            if tape is None:
                tape = []
                type(self).tape = tape
        self.value, self.grad, self.links = value, 0.0, links
        tape.append(self)

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, n):
        return type(self)(self.value**n, ((self, n * self.value ** (n - 1) if n else 0.0),))

    def exp(self):
        e = math.exp(self.value)
        return type(self)(e, ((self, e),))

    def tanh(self):
        t = math.tanh(self.value)
        return type(self)(t, ((self, 1 - t * t),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        self.grad = 1.0
        for node in reversed(self.tape):
            for part, slope in node.links:
                part.grad += slope * node.grad


@misconception(
    "Scalar",
    "multiplies the slopes only one step down",
    hint="Your leaves get the slope of the operation right above them. What about all the operations above that one?",
)
class Scalar:
    def __init__(self, value, links=()):
        self.value, self.grad, self.links = value, 0.0, links

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, n):
        return type(self)(self.value**n, ((self, n * self.value ** (n - 1) if n else 0.0),))

    def exp(self):
        e = math.exp(self.value)
        return type(self)(e, ((self, e),))

    def tanh(self):
        t = math.tanh(self.value)
        return type(self)(t, ((self, 1 - t * t),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, seen, waiting = [], set(), [(self, False)]
        while waiting:
            node, complete = waiting.pop()
            if complete:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                waiting += [(node, True), *((part, False) for part, _ in node.links)]
        self.grad = 1.0
        for node in reversed(order):
            for part, slope in node.links:
                part.grad += slope


@misconception(
    "Scalar",
    "calls itself for the right operand",
    hint="Your loop goes down the left operands only. Build a long chain with y = x * y in place of y = y * x: how "
    "many calls are inside each other then?",
)
class Scalar:
    def __init__(self, value, links=()):
        self.value, self.grad, self.links = value, 0.0, links

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, n):
        return type(self)(self.value**n, ((self, n * self.value ** (n - 1) if n else 0.0),))

    def exp(self):
        e = math.exp(self.value)
        return type(self)(e, ((self, e),))

    def tanh(self):
        t = math.tanh(self.value)
        return type(self)(t, ((self, 1 - t * t),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, seen = [], set()

        def visit(node):
            chain = []
            while node is not None and node not in seen:
                seen.add(node)
                chain.append(node)
                node = node.links[0][0] if node.links else None
            for node in reversed(chain):
                for part, _ in node.links[1:]:
                    visit(part)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for part, slope in node.links:
                part.grad += slope * node.grad


# ------------------------------------------------------------------------------------------------------- lstm_cell


@misconception(
    "lstm_cell",
    "puts h before x",
    hint="The first D rows of each matrix belong to x. In which order do x and h stand in s?",
)
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([h, x], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + i * torch.tanh(s @ W_c)
    return o * torch.tanh(c_new), c_new


@misconception(
    "lstm_cell",
    "returns the cell first",
    hint="Both tensors are right, their order is not: h_new, then c_new.",
)
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + i * torch.tanh(s @ W_c)
    return c_new, o * torch.tanh(c_new)


@misconception(
    "lstm_cell",
    "swaps the input and the forget gate",
    hint="The forget gate decides what stays of the old cell, the input gate what comes in. Which is which in yours?",
)
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = i * c + f * torch.tanh(s @ W_c)
    return o * torch.tanh(c_new), c_new


@misconception(
    "lstm_cell",
    "lets the cell out without tanh",
    hint="The cell may hold numbers of any size, outputs stay between −1 and 1. What brings them there?",
)
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + i * torch.tanh(s @ W_c)
    return o * c_new, c_new


@misconception(
    "lstm_cell",
    "lets the old cell out",
    hint="h_new is made of the new cell. With yours, this step's input is seen one step late.",
)
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + i * torch.tanh(s @ W_c)
    return o * torch.tanh(c), c_new


@misconception(
    "lstm_cell",
    "makes the candidate with σ",
    hint="A candidate may be negative, so that a cell can go down as well as up. Gates lie in (0, 1), it does not.",
)
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + i * torch.sigmoid(s @ W_c)
    return o * torch.tanh(c_new), c_new


@misconception(
    "lstm_cell",
    "makes the gates with tanh",
    hint="A gate is a share between 0 (shut) and 1 (open). Which function gives that?",
)
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.tanh(s @ W_i), torch.tanh(s @ W_f), torch.tanh(s @ W_o)
    c_new = f * c + i * torch.tanh(s @ W_c)
    return o * torch.tanh(c_new), c_new


@misconception(
    "lstm_cell",
    "takes 1 − f for the input gate",
    hint="That is a variant with coupled gates. Here the input gate has weights of its own: follow W_i.",
)
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    f, o = torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + (1 - f) * torch.tanh(s @ W_c)
    return o * torch.tanh(c_new), c_new


@misconception(
    "lstm_cell",
    "lets everything in",
    hint="The candidate goes through the input gate before it is added to the cell.",
)
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    f, o = torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + torch.tanh(s @ W_c)
    return o * torch.tanh(c_new), c_new


@misconception(
    "lstm_cell",
    "forgets nothing",
    hint="The old cell goes through the forget gate. This was the LSTM of 1997; the gate came in 2000.",
)
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_o)
    c_new = c + i * torch.tanh(s @ W_c)
    return o * torch.tanh(c_new), c_new


@misconception(
    "lstm_cell",
    "leaves h out of the gates",
    hint="All four parts look at s = [x, h]. Yours use the first D rows of the matrices only.",
)
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    d = x.shape[1]
    i, f, o = torch.sigmoid(x @ W_i[:d]), torch.sigmoid(x @ W_f[:d]), torch.sigmoid(x @ W_o[:d])
    c_new = f * c + i * torch.tanh(x @ W_c[:d])
    return o * torch.tanh(c_new), c_new


@misconception(
    "lstm_cell",
    "writes σ with exponentials that overflow",
    hint="For z = 100 exp(z) is infinite in float32, and infinite by infinite is NaN. torch.sigmoid is right for every "
    "number.",
)
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = (torch.exp(s @ W) / (1 + torch.exp(s @ W)) for W in (W_i, W_f, W_o))
    c_new = f * c + i * torch.tanh(s @ W_c)
    return o * torch.tanh(c_new), c_new


@misconception(
    "lstm_cell",
    "updates the cell in place",
    hint="Print c before and after the call. The backward pass will need the old cell: make a new tensor.",
)
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c.mul_(f).add_(i * torch.tanh(s @ W_c))
    return o * torch.tanh(c), c


@misconception(
    "lstm_cell",
    "computes in float32",
    hint="Give it float64 tensors and look at the dtype of what comes out, and at its 10th digit.",
)
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1).float()
    i, f, o = (torch.sigmoid(s @ W.float()) for W in (W_i, W_f, W_o))
    c_new = f * c.float() + i * torch.tanh(s @ W_c.float())
    return o * torch.tanh(c_new), c_new


@misconception(
    "lstm_cell",
    "drops axes of size 1",
    hint="Call it with a single example. Both results should still be matrices with one row.",
)
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + i * torch.tanh(s @ W_c)
    return (o * torch.tanh(c_new)).squeeze(), c_new.squeeze()


@misconception(
    "lstm_cell",
    "demands contiguous memory",
    hint="A transposed matrix is a matrix like any other, but .view cannot rearrange it. .reshape can.",
)
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x.view(-1).view(x.shape), h.view(-1).view(h.shape)], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + i * torch.tanh(s @ W_c)
    return o * torch.tanh(c_new), c_new


@misconception(
    "lstm_cell",
    "writes tanh with exponentials that overflow",
    hint="Try a cell of 1000 and wide open gates: exp(1000) is infinite, and infinite by infinite is NaN. What should "
    "tanh be there?",
)
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    def tanh(z):
        return (torch.exp(z) - torch.exp(-z)) / (torch.exp(z) + torch.exp(-z))

    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + i * torch.tanh(s @ W_c)
    return o * tanh(c_new), c_new


@misconception(
    "lstm_cell",
    "keeps the cell from growing",
    hint="Some libraries clip the cell, the formulas of this one do not. Try a cell of 1000: how much of it should the "
    "forget gate leave?",
)
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = (f * c + i * torch.tanh(s @ W_c)).clamp(-50, 50)
    return o * torch.tanh(c_new), c_new


@misconception(
    "lstm_cell",
    "clips what goes into σ",
    hint="Compute σ(−30) in float64, and then what your gates make of −30. torch.sigmoid needs no protection from "
    "large numbers.",
)
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = (torch.sigmoid((s @ W).clamp(-15, 15)) for W in (W_i, W_f, W_o))
    c_new = f * c + i * torch.tanh(s @ W_c)
    return o * torch.tanh(c_new), c_new


@misconception(
    "lstm_cell",
    "updates the cell of a single example in place",
    hint="Call it with a batch of one, and print c before and after. c[0] makes no new tensor: it is a part of c, in "
    "the same memory.",
)
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    if len(c) == 1:
        cell = c[0]
        cell *= f[0]
        cell += i[0] * torch.tanh(s @ W_c)[0]
        return o * torch.tanh(cell), cell[None]
    c_new = f * c + i * torch.tanh(s @ W_c)
    return o * torch.tanh(c_new), c_new


# --------------------------------------------------------------------------------------- lstm_forget_gate_backward


@misconception(
    "lstm_forget_gate_backward",
    "leaves out the output gate",
    hint="h_new = o ⊙ tanh c_new: by which factor does a gradient shrink on its way from h_new to tanh c_new?",
)
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f)
    c_new = f * c + i * torch.tanh(s @ W_c)
    return s.T @ (grad_h * (1 - torch.tanh(c_new) ** 2) * c * f * (1 - f))


@misconception(
    "lstm_forget_gate_backward",
    "leaves out the slope of tanh",
    hint="Between h_new and c_new stands tanh. The gradient goes through its slope.",
)
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    f, o = torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    return s.T @ (grad_h * o * c * f * (1 - f))


@misconception(
    "lstm_forget_gate_backward",
    "leaves out the old cell",
    hint="c_new = f ⊙ c + …: what is the derivative of c_new for f?",
)
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + i * torch.tanh(s @ W_c)
    return s.T @ (grad_h * o * (1 - torch.tanh(c_new) ** 2) * f * (1 - f))


@misconception(
    "lstm_forget_gate_backward",
    "leaves out the slope of the gate",
    hint="You have the gradient for f. W_f acts on f through σ: one more slope is to be passed.",
)
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + i * torch.tanh(s @ W_c)
    return s.T @ (grad_h * o * (1 - torch.tanh(c_new) ** 2) * c)


@misconception(
    "lstm_forget_gate_backward",
    "takes the new cell for the old one",
    hint="In c_new = f ⊙ c + … the forget gate multiplies the cell of the step before.",
)
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + i * torch.tanh(s @ W_c)
    return s.T @ (grad_h * o * (1 - torch.tanh(c_new) ** 2) * c_new * f * (1 - f))


@misconception(
    "lstm_forget_gate_backward",
    "takes the slope of tanh at the old cell",
    hint="h_new = o ⊙ tanh(c_new): the slope is taken where tanh is, and that is at c_new.",
)
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    f, o = torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    return s.T @ (grad_h * o * (1 - torch.tanh(c) ** 2) * c * f * (1 - f))


@misconception(
    "lstm_forget_gate_backward",
    "squares the cell in place of its tanh",
    hint="The slope of tanh at c_new is 1 − tanh²(c_new): it is the output that is squared.",
)
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + i * torch.tanh(s @ W_c)
    return s.T @ (grad_h * o * (1 - c_new**2) * c * f * (1 - f))


@misconception(
    "lstm_forget_gate_backward",
    "takes the slope of tanh for the gate",
    hint="1 − f² is the slope of tanh. The gate is made with σ.",
)
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + i * torch.tanh(s @ W_c)
    return s.T @ (grad_h * o * (1 - torch.tanh(c_new) ** 2) * c * (1 - f**2))


@misconception(
    "lstm_forget_gate_backward",
    "puts h before x",
    hint="The first D rows of W_f belong to x, and so do the first D rows of its gradient.",
)
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([h, x], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + i * torch.tanh(s @ W_c)
    return s.T @ (grad_h * o * (1 - torch.tanh(c_new) ** 2) * c * f * (1 - f))


@misconception(
    "lstm_forget_gate_backward",
    "averages over the examples",
    hint="Whether the loss is a mean is already in grad_h. The contributions of the examples are added.",
)
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + i * torch.tanh(s @ W_c)
    return s.T @ (grad_h * o * (1 - torch.tanh(c_new) ** 2) * c * f * (1 - f)) / len(x)


@misconception(
    "lstm_forget_gate_backward",
    "sums before it multiplies",
    hint="A product of sums is not a sum of products: it is right for one example only. Each example's s belongs with "
    "its own gradient.",
)
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + i * torch.tanh(s @ W_c)
    grad_z = grad_h * o * (1 - torch.tanh(c_new) ** 2) * c * f * (1 - f)
    return torch.outer(s.sum(0), grad_z.sum(0))


@misconception(
    "lstm_forget_gate_backward",
    "gives the gradient of the transposed weights",
    hint="W_f is [D + H, H], and so is its gradient. Which order of the two factors gives that?",
)
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + i * torch.tanh(s @ W_c)
    return (grad_h * o * (1 - torch.tanh(c_new) ** 2) * c * f * (1 - f)).T @ s


@misconception(
    "lstm_forget_gate_backward",
    "takes the slope of the input gate",
    hint="W_f acts through the forget gate. Whose slope did you multiply by?",
)
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + i * torch.tanh(s @ W_c)
    return s.T @ (grad_h * o * (1 - torch.tanh(c_new) ** 2) * c * i * (1 - i))


@misconception(
    "lstm_forget_gate_backward",
    "leaves the candidate out of the cell",
    hint="The slope of tanh is taken at c_new, and c_new is more than f ⊙ c.",
)
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    f, o = torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    return s.T @ (grad_h * o * (1 - torch.tanh(f * c) ** 2) * c * f * (1 - f))


@misconception(
    "lstm_forget_gate_backward",
    "computes in float32",
    hint="Give it float64 tensors and look at the dtype of what comes out, and at its 10th digit.",
)
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    s, grad_h, c = torch.cat([x, h], dim=1).float(), grad_h.float(), c.float()
    i, f, o = (torch.sigmoid(s @ W.float()) for W in (W_i, W_f, W_o))
    c_new = f * c + i * torch.tanh(s @ W_c.float())
    return s.T @ (grad_h * o * (1 - torch.tanh(c_new) ** 2) * c * f * (1 - f))


@misconception(
    "lstm_forget_gate_backward",
    "updates the cell in place",
    hint="Print c before and after the call, and look at which c your last factor uses.",
)
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    old = c.clone()
    c.mul_(f).add_(i * torch.tanh(s @ W_c))
    return s.T @ (grad_h * o * (1 - torch.tanh(c) ** 2) * old * f * (1 - f))


@misconception(
    "lstm_forget_gate_backward",
    "writes σ with exponentials that overflow",
    hint="For z = 100 exp(z) is infinite in float32, and infinite by infinite is NaN. torch.sigmoid is right for every "
    "number.",
)
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = (torch.exp(s @ W) / (1 + torch.exp(s @ W)) for W in (W_i, W_f, W_o))
    c_new = f * c + i * torch.tanh(s @ W_c)
    return s.T @ (grad_h * o * (1 - torch.tanh(c_new) ** 2) * c * f * (1 - f))


@misconception(
    "lstm_forget_gate_backward",
    "drops axes of size 1",
    hint="Call it with one input or one unit. The gradient has the shape of W_f all the same.",
)
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + i * torch.tanh(s @ W_c)
    return (s.T @ (grad_h * o * (1 - torch.tanh(c_new) ** 2) * c * f * (1 - f))).squeeze()


@misconception(
    "lstm_forget_gate_backward",
    "clips the gradient",
    hint="Clipping is a decision of the training loop. A backward pass computes the derivative, whatever its size.",
)
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + i * torch.tanh(s @ W_c)
    return (s.T @ (grad_h * o * (1 - torch.tanh(c_new) ** 2) * c * f * (1 - f))).clamp(-1e6, 1e6)


@misconception(
    "lstm_forget_gate_backward",
    "demands contiguous memory",
    hint="The gradient that comes from .sum() is an expanded tensor, and a transposed one is common too: .view cannot "
    "rearrange these, .reshape can.",
)
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    c_new = f * c + i * torch.tanh(s @ W_c)
    grad_z = grad_h.view(-1) * (o * (1 - torch.tanh(c_new) ** 2) * f * (1 - f)).view(-1) * c.view(-1)
    return s.T @ grad_z.view(c.shape)


@misconception(
    "lstm_forget_gate_backward",
    "clips what goes into σ",
    hint="Far out the slope of σ is tiny, but not the same everywhere. Compare yours in float64 at 20 and at 30: "
    "torch.sigmoid needs no protection from large numbers.",
)
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = (torch.sigmoid((s @ W).clamp(-15, 15)) for W in (W_i, W_f, W_o))
    c_new = f * c + i * torch.tanh(s @ W_c)
    return s.T @ (grad_h * o * (1 - torch.tanh(c_new) ** 2) * c * f * (1 - f))
