"""Misconceptions of 14_metrics: what students write before they have it, each with the hint that helps out of it."""

import math

import torch
import torch.nn.functional as F
import torchmetrics
from torch import Tensor

from course_lib.checks import misconception

# ------------------------------------------------------------------------------------------------------------ Mean


@misconception(
    "Mean",
    "averages the means of the batches",
    hint="Four values in one batch and one in the next: how much does the single one weigh in your result? Keep "
    "something that can be added up over batches.",
)
class Mean:
    def __init__(self):
        self.reset()

    def update(self, values, weight=1.0):
        values = values if isinstance(values, Tensor) else torch.tensor(float(values))
        values, weight = torch.broadcast_tensors(values, torch.as_tensor(weight, dtype=values.dtype))
        self.total = self.total + (values * weight).sum() / weight.sum()
        self.count += 1

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "Mean",
    "divides by the number of updates",
    hint="You add up values and count calls. How many values came with one call?",
)
class Mean:
    def __init__(self):
        self.reset()

    def update(self, values, weight=1.0):
        values = values if isinstance(values, Tensor) else torch.tensor(float(values))
        self.total = self.total + (values * torch.as_tensor(weight, dtype=values.dtype)).sum()
        self.count += 1

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "Mean",
    "weights above the line, counts below it",
    hint="Give all values the weight 2: the mean should stay what it was. Where do the weights belong besides the sum?",
)
class Mean:
    def __init__(self):
        self.reset()

    def update(self, values, weight=1.0):
        values = values if isinstance(values, Tensor) else torch.tensor(float(values))
        products = values * torch.as_tensor(weight, dtype=values.dtype)
        self.total = self.total + products.sum()
        self.count += products.numel()

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "Mean",
    "ignores the weights",
    hint="Follow the argument weight through your code: which line uses it?",
)
class Mean:
    def __init__(self):
        self.reset()

    def update(self, values, weight=1.0):
        values = values if isinstance(values, Tensor) else torch.tensor(float(values))
        self.total = self.total + values.sum()
        self.count += values.numel()

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "Mean",
    "adds up the weights before they are broadcast",
    hint="One weight for three values: it was used three times above the line. How often does it stand below?",
)
class Mean:
    def __init__(self):
        self.reset()

    def update(self, values, weight=1.0):
        values = values if isinstance(values, Tensor) else torch.tensor(float(values))
        weight = torch.as_tensor(weight, dtype=values.dtype)
        if weight.dim() == 0:
            weight = weight.expand(values.shape)
        self.total = self.total + (values * weight).sum()
        self.weight = self.weight + weight.sum()

    def compute(self):
        return self.total / self.weight

    def reset(self):
        self.total, self.weight = torch.zeros(()), torch.zeros(())


@misconception(
    "Mean",
    "stretches the weights to the values, never the values to the weights",
    hint="One value with three weights is allowed too. Which function of torch broadcasts two tensors against each "
    "other?",
)
class Mean:
    def __init__(self):
        self.reset()

    def update(self, values, weight=1.0):
        values = values if isinstance(values, Tensor) else torch.tensor(float(values))
        weight = torch.as_tensor(weight, dtype=values.dtype).expand(values.shape)
        self.total = self.total + (values * weight).sum()
        self.weight = self.weight + weight.sum()

    def compute(self):
        return self.total / self.weight

    def reset(self):
        self.total, self.weight = torch.zeros(()), torch.zeros(())


@misconception(
    "Mean",
    "answers 0 when nothing was counted",
    hint="A mean loss of 0 looks like a perfect model. What does torch give for 0/0?",
)
class Mean:
    def __init__(self):
        self.reset()

    def update(self, values, weight=1.0):
        values = values if isinstance(values, Tensor) else torch.tensor(float(values))
        values, weight = torch.broadcast_tensors(values, torch.as_tensor(weight, dtype=values.dtype))
        self.total = self.total + (values * weight).sum()
        self.weight = self.weight + weight.sum()

    def compute(self):
        if self.weight == 0:
            return torch.zeros(())
        return self.total / self.weight

    def reset(self):
        self.total, self.weight = torch.zeros(()), torch.zeros(())


@misconception(
    "Mean",
    "adds a small constant below the line",
    hint="What should come out when nothing was counted, and what does your constant make of it? And what does it do "
    "to the digits of a float64?",
)
class Mean:
    def __init__(self):
        self.reset()

    def update(self, values, weight=1.0):
        values = values if isinstance(values, Tensor) else torch.tensor(float(values))
        values, weight = torch.broadcast_tensors(values, torch.as_tensor(weight, dtype=values.dtype))
        self.total = self.total + (values * weight).sum()
        self.weight = self.weight + weight.sum()

    def compute(self):
        return self.total / (self.weight + 1e-8)

    def reset(self):
        self.total, self.weight = torch.zeros(()), torch.zeros(())


@misconception(
    "Mean",
    "reset forgets the sum and keeps the weight",
    hint="After reset the object should be as new. Go through everything that __init__ sets.",
)
class Mean:
    def __init__(self):
        self.total, self.weight = torch.zeros(()), torch.zeros(())

    def update(self, values, weight=1.0):
        values = values if isinstance(values, Tensor) else torch.tensor(float(values))
        values, weight = torch.broadcast_tensors(values, torch.as_tensor(weight, dtype=values.dtype))
        self.total = self.total + (values * weight).sum()
        self.weight = self.weight + weight.sum()

    def compute(self):
        return self.total / self.weight

    def reset(self):
        self.total = torch.zeros(())


@misconception(
    "Mean",
    "all means share one state",
    hint="Make two objects and update one of them. A tensor that is made in the class body exists once, for all.",
)
class Mean:
    total, weight = torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    dtype = torch.float32

    def __init__(self):
        self.reset()

    def update(self, values, weight=1.0):
        values = values if isinstance(values, Tensor) else torch.tensor(float(values))
        self.dtype = values.dtype
        values, weight = torch.broadcast_tensors(values.double(), torch.as_tensor(weight, dtype=torch.float64))
        self.total += (values * weight).sum()
        self.weight += weight.sum()

    def compute(self):
        return (self.total / self.weight).to(self.dtype)

    def reset(self):
        self.total.zero_()
        self.weight.zero_()


@misconception(
    "Mean",
    "adds up in float32",
    hint="Update it with a float64 tensor and look at the dtype of the result. An in-place += keeps the dtype of the "
    "state.",
)
class Mean:
    def __init__(self):
        self.reset()

    def update(self, values, weight=1.0):
        values = values if isinstance(values, Tensor) else torch.tensor(float(values))
        values, weight = torch.broadcast_tensors(values, torch.as_tensor(weight, dtype=values.dtype))
        self.total += (values * weight).sum()
        self.weight += weight.sum()

    def compute(self):
        return self.total / self.weight

    def reset(self):
        self.total, self.weight = torch.zeros(()), torch.zeros(())


@misconception(
    "Mean",
    "returns a plain number",
    hint="The result should be a 0-d tensor, of the values' dtype: leave .item() and float() out.",
)
class Mean:
    def __init__(self):
        self.reset()

    def update(self, values, weight=1.0):
        values = values if isinstance(values, Tensor) else torch.tensor(float(values))
        values, weight = torch.broadcast_tensors(values, torch.as_tensor(weight, dtype=values.dtype))
        self.total = self.total + (values * weight).sum()
        self.weight = self.weight + weight.sum()

    def compute(self):
        return (self.total / self.weight).item()

    def reset(self):
        self.total, self.weight = torch.zeros(()), torch.zeros(())


@misconception(
    "Mean",
    "compute resets",
    hint="Ask twice in a row. Whoever wants to look at the value in the middle of an epoch loses the first half.",
)
class Mean:
    def __init__(self):
        self.reset()

    def update(self, values, weight=1.0):
        values = values if isinstance(values, Tensor) else torch.tensor(float(values))
        values, weight = torch.broadcast_tensors(values, torch.as_tensor(weight, dtype=values.dtype))
        self.total = self.total + (values * weight).sum()
        self.weight = self.weight + weight.sum()

    def compute(self):
        result = self.total / self.weight
        self.reset()
        return result

    def reset(self):
        self.total, self.weight = torch.zeros(()), torch.zeros(())


@misconception(
    "Mean",
    "multiplies the caller's values in place",
    hint="Print the values before and after update. The product needs a tensor of its own.",
)
class Mean:
    def __init__(self):
        self.reset()

    def update(self, values, weight=1.0):
        values = values if isinstance(values, Tensor) else torch.tensor(float(values))
        weight = torch.as_tensor(weight, dtype=values.dtype)
        shape = torch.broadcast_shapes(values.shape, weight.shape)
        weight = weight.expand(shape)
        if values.shape == shape:
            values *= weight
        else:
            values = values * weight
        self.total = self.total + values.sum()
        self.weight = self.weight + weight.sum()

    def compute(self):
        return self.total / self.weight

    def reset(self):
        self.total, self.weight = torch.zeros(()), torch.zeros(())


@misconception(
    "Mean",
    "hands out its running mean and goes on changing it",
    hint="Keep a result, update, and look at the result that you kept: it has changed. Return a new tensor.",
)
class Mean:
    def __init__(self):
        self.reset()

    def update(self, values, weight=1.0):
        values = values if isinstance(values, Tensor) else torch.tensor(float(values))
        values, weight = torch.broadcast_tensors(values, torch.as_tensor(weight, dtype=values.dtype))
        if self.mean is None:
            self.mean = torch.full((), float("nan"), dtype=values.dtype)
        before, self.weight = self.weight, self.weight + float(weight.double().sum())
        if self.weight > 0:
            total = (values.double() * weight.double()).sum() + (self.mean.double() * before if before else 0)
            self.mean.copy_(total / self.weight)

    def compute(self):
        return torch.tensor(float("nan")) if self.mean is None else self.mean

    def reset(self):
        self.mean, self.weight = None, 0.0


@misconception(
    "Mean",
    "makes a float32 tensor of a plain weight",
    hint="Weight float64 values with 0.3, and print the weight with twenty digits just before you multiply. Which "
    "dtype has it, and which have the values?",
)
class Mean:
    def __init__(self):
        self.reset()

    def update(self, values, weight=1.0):
        values = values if isinstance(values, Tensor) else torch.tensor(float(values))
        values, weight = torch.broadcast_tensors(values, torch.as_tensor(weight))
        self.total = self.total + (values * weight).sum()
        self.weight = self.weight + weight.sum()

    def compute(self):
        return self.total / self.weight

    def reset(self):
        self.total, self.weight = torch.zeros(()), torch.zeros(())


@misconception(
    "Mean",
    "gives every row a weight when there are as many weights as rows",
    hint="Multiply a [3, 3] tensor by a [3] one, and see along which axis torch lays the three. The contract asks for "
    "the same, also where the other axis would fit.",
)
class Mean:
    def __init__(self):
        self.reset()

    def update(self, values, weight=1.0):
        values = values if isinstance(values, Tensor) else torch.tensor(float(values))
        weight = torch.as_tensor(weight, dtype=values.dtype)
        if values.dim() == 2 and weight.dim() == 1 and len(weight) == len(values):
            weight = weight[:, None]
        values, weight = torch.broadcast_tensors(values, weight)
        self.total = self.total + (values * weight).sum()
        self.weight = self.weight + weight.sum()

    def compute(self):
        return self.total / self.weight

    def reset(self):
        self.total, self.weight = torch.zeros(()), torch.zeros(())


@misconception(
    "Mean",
    "takes a small sum of weights for none",
    hint="Divide all weights by a billion: the mean should stay what it was. When exactly is nothing counted?",
)
class Mean:
    def __init__(self):
        self.reset()

    def update(self, values, weight=1.0):
        values = values if isinstance(values, Tensor) else torch.tensor(float(values))
        values, weight = torch.broadcast_tensors(values, torch.as_tensor(weight, dtype=values.dtype))
        self.total = self.total + (values * weight).sum()
        self.weight = self.weight + weight.sum()

    def compute(self):
        if self.weight < 1e-6:
            return torch.full_like(self.total, float("nan"))
        return self.total / self.weight

    def reset(self):
        self.total, self.weight = torch.zeros(()), torch.zeros(())


@misconception(
    "Mean",
    "adds into the first loss that it was given",
    hint="Count two 0-d losses, and print the first one before and after the second update. Is your sum a tensor of "
    "its own?",
)
class Mean:
    def __init__(self):
        self.reset()

    def update(self, values, weight=1.0):
        products = values if isinstance(values, Tensor) else torch.tensor(float(values))
        weights = torch.ones_like(products)
        if isinstance(weight, Tensor) or weight != 1:
            products, weights = products * weight, weights * weight
        if products.dim() > 0:
            products = products.sum()
        if self.total is None:
            self.total, self.weight = products, weights.sum()
        else:
            self.total += products
            self.weight += weights.sum()

    def compute(self):
        return torch.tensor(float("nan")) if self.total is None else self.total / self.weight

    def reset(self):
        self.total = self.weight = None


# ------------------------------------------------------------------------------------------------ MeanSquaredError


@misconception(
    "MeanSquaredError",
    "averages the errors of the batches",
    hint="The last batch is smaller, and in your result its elements weigh more than others. Divide once, in the end.",
)
class MeanSquaredError:
    def __init__(self):
        self.reset()

    def update(self, pred, target):
        if pred.shape != target.shape:
            raise ValueError("shapes differ")
        self.total = self.total + (pred - target).square().mean()
        self.count += 1

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "MeanSquaredError",
    "lets shapes broadcast",
    hint="What is the shape of pred - target for [3, 1] and [3]? How many errors are in it?",
)
class MeanSquaredError:
    def __init__(self):
        self.reset()

    def update(self, pred, target):
        errors = pred - target
        self.total = self.total + errors.square().sum()
        self.count += errors.numel()

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "MeanSquaredError",
    "compares the numbers of elements instead of the shapes",
    hint="[3, 1] and [3] have equally many elements, and their difference has nine.",
)
class MeanSquaredError:
    def __init__(self):
        self.reset()

    def update(self, pred, target):
        if pred.numel() != target.numel():
            raise ValueError("sizes differ")
        self.total = self.total + (pred.reshape(-1) - target.reshape(-1)).square().sum()
        self.count += pred.numel()

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "MeanSquaredError",
    "compares the numbers of axes instead of the shapes",
    hint="[2, 3] and [1, 3] have two axes each, and still broadcast.",
)
class MeanSquaredError:
    def __init__(self):
        self.reset()

    def update(self, pred, target):
        if pred.dim() != target.dim():
            raise ValueError("numbers of axes differ")
        try:
            errors = pred - target
        except RuntimeError as error:
            raise ValueError("shapes differ") from error
        self.total = self.total + errors.square().sum()
        self.count += errors.numel()

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "MeanSquaredError",
    "compares the shapes without their axes of size 1",
    hint="After a squeeze [5, 1] and [5] look alike. The contract compares what was given.",
)
class MeanSquaredError:
    def __init__(self):
        self.reset()

    def update(self, pred, target):
        pred, target = pred.squeeze(), target.squeeze()
        if pred.shape != target.shape:
            raise ValueError("shapes differ")
        self.total = self.total + (pred - target).square().sum()
        self.count += pred.numel()

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "MeanSquaredError",
    "counts rows instead of elements",
    hint="len of a [4, 3] tensor is 4. How many squared errors did you add?",
)
class MeanSquaredError:
    def __init__(self):
        self.reset()

    def update(self, pred, target):
        if pred.shape != target.shape:
            raise ValueError("shapes differ")
        self.total = self.total + (pred - target).square().sum()
        self.count += pred.shape[0] if pred.dim() else 1

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "MeanSquaredError",
    "counts the elements before it refuses them",
    hint="Offer a bad batch between two good ones: your number of elements has grown. Check first.",
)
class MeanSquaredError:
    def __init__(self):
        self.reset()

    def update(self, pred, target):
        self.count += pred.numel()
        if pred.shape != target.shape:
            raise ValueError("shapes differ")
        self.total = self.total + (pred - target).square().sum()

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "MeanSquaredError",
    "refuses with an assertion",
    hint="An assert raises AssertionError, and `python -O` removes it. Which exception does the contract ask for?",
)
class MeanSquaredError:
    def __init__(self):
        self.reset()

    def update(self, pred, target):
        assert pred.shape == target.shape
        self.total = self.total + (pred - target).square().sum()
        self.count += pred.numel()

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "MeanSquaredError",
    "squares out before it subtracts",
    hint="p² − 2pt + t² is right on paper. Try p = 4096 and t = 4096.5 in float32: how many digits are left?",
)
class MeanSquaredError:
    def __init__(self):
        self.reset()

    def update(self, pred, target):
        if pred.shape != target.shape:
            raise ValueError("shapes differ")
        self.total = self.total + pred.square().sum() - 2 * (pred * target).sum() + target.square().sum()
        self.count += pred.numel()

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "MeanSquaredError",
    "takes the root",
    hint="That is the root mean squared error, in the unit of the target. One operation too many.",
)
class MeanSquaredError:
    def __init__(self):
        self.reset()

    def update(self, pred, target):
        if pred.shape != target.shape:
            raise ValueError("shapes differ")
        self.total = self.total + (pred - target).square().sum()
        self.count += pred.numel()

    def compute(self):
        return (self.total / self.count).sqrt()

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "MeanSquaredError",
    "takes absolute errors",
    hint="An error of 3 should count nine times as much as an error of 1. Does it?",
)
class MeanSquaredError:
    def __init__(self):
        self.reset()

    def update(self, pred, target):
        if pred.shape != target.shape:
            raise ValueError("shapes differ")
        self.total = self.total + (pred - target).abs().sum()
        self.count += pred.numel()

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "MeanSquaredError",
    "adds up in float32",
    hint="Update it with float64 tensors and look at the dtype of the result. An in-place += keeps the dtype of the "
    "state.",
)
class MeanSquaredError:
    def __init__(self):
        self.reset()

    def update(self, pred, target):
        if pred.shape != target.shape:
            raise ValueError("shapes differ")
        self.total += (pred - target).square().sum()
        self.count += pred.numel()

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "MeanSquaredError",
    "answers 0 when nothing was counted",
    hint="An error of 0 looks like a perfect model. What does torch give for 0/0?",
)
class MeanSquaredError:
    def __init__(self):
        self.reset()

    def update(self, pred, target):
        if pred.shape != target.shape:
            raise ValueError("shapes differ")
        self.total = self.total + (pred - target).square().sum()
        self.count += pred.numel()

    def compute(self):
        return self.total / max(self.count, 1)

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "MeanSquaredError",
    "reset forgets the sum and keeps the number",
    hint="After reset the object should be as new. Go through everything that __init__ sets.",
)
class MeanSquaredError:
    def __init__(self):
        self.total, self.count = torch.zeros(()), 0

    def update(self, pred, target):
        if pred.shape != target.shape:
            raise ValueError("shapes differ")
        self.total = self.total + (pred - target).square().sum()
        self.count += pred.numel()

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total = torch.zeros(())


@misconception(
    "MeanSquaredError",
    "compares the numbers of axes and of rows only",
    hint="[2, 3] and [2, 1] have two axes and two rows each, and still broadcast. What else must agree?",
)
class MeanSquaredError:
    def __init__(self):
        self.reset()

    def update(self, pred, target):
        if pred.dim() != target.dim() or pred.shape[:1] != target.shape[:1]:
            raise ValueError("shapes differ")
        errors = pred - target
        self.total = self.total + errors.square().sum()
        self.count += errors.numel()

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "MeanSquaredError",
    "counts in eight bits",
    hint="Count three hundred elements one by one, and print the number of elements: where does it start again at 0?",
)
class MeanSquaredError:
    def __init__(self):
        self.reset()

    def update(self, pred, target):
        if pred.shape != target.shape:
            raise ValueError("shapes differ")
        self.total = self.total + (pred - target).square().sum()
        self.count += torch.tensor(pred.numel())

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), torch.zeros((), dtype=torch.uint8)


@misconception(
    "MeanSquaredError",
    "multiplies by 0 to forget",
    hint="Let one epoch diverge, with a prediction of 1e30 in float32, and reset. What is 0 times infinity? Whoever "
    "forgets has no use for the old number.",
)
class MeanSquaredError:
    def __init__(self):
        self.total, self.count, self.dtype = 0.0, 0, torch.float32

    def update(self, pred, target):
        if pred.shape != target.shape:
            raise ValueError("shapes differ")
        self.total += (pred - target).square().sum().item()
        self.count += pred.numel()
        self.dtype = pred.dtype

    def compute(self):
        return torch.tensor(self.total, dtype=self.dtype) / self.count

    def reset(self):
        self.total *= 0
        self.count *= 0
        self.dtype = torch.float32


# -------------------------------------------------------------------------------------------------- BinaryAccuracy


@misconception(
    "BinaryAccuracy",
    "takes the threshold itself for positive",
    hint="A probability of exactly 0.5 does not exceed 0.5. Which comparison is strict?",
)
class BinaryAccuracy:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, probs, target):
        if probs.min() < 0 or probs.max() > 1:
            raise ValueError("not probabilities")
        self.right += ((probs >= self.threshold) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracy",
    "always takes 0.5 for the threshold",
    hint="Make one with threshold=0.75 and follow the number: does update ever see it?",
)
class BinaryAccuracy:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, probs, target):
        if probs.min() < 0 or probs.max() > 1:
            raise ValueError("not probabilities")
        self.right += ((probs > 0.5) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracy",
    "averages the accuracies of the batches",
    hint="One example in the last batch weighs as much as all of the first. Keep two numbers that add up.",
)
class BinaryAccuracy:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, probs, target):
        if probs.min() < 0 or probs.max() > 1:
            raise ValueError("not probabilities")
        self.total += ((probs > self.threshold) == (target == 1)).float().mean()
        self.count += 1

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "BinaryAccuracy",
    "applies the sigmoid when something lies outside of [0, 1]",
    hint="That is what torchmetrics does, and why the same logits get two accuracies. What does the contract ask for "
    "instead?",
)
class BinaryAccuracy:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, probs, target):
        if probs.min() < 0 or probs.max() > 1:
            probs = torch.sigmoid(probs)
        self.right += ((probs > self.threshold) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracy",
    "takes any number for a probability",
    hint="Offer it 1.2: who would tell you that your model's last layer lacks a sigmoid?",
)
class BinaryAccuracy:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, probs, target):
        self.right += ((probs > self.threshold) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracy",
    "counts a batch before it refuses it",
    hint="Offer a bad batch after a good one, and compute: the refused batch has left a trace. Check first.",
)
class BinaryAccuracy:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, probs, target):
        self.right += ((probs > self.threshold) == (target == 1)).sum().item()
        self.count += target.numel()
        if probs.min() < 0 or probs.max() > 1:
            raise ValueError("not probabilities")

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracy",
    "counts one by one, up to the first bad one",
    hint="The first half of the refused batch was counted. All of a batch is looked at before any of it counts.",
)
class BinaryAccuracy:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, probs, target):
        for p, t in zip(probs.flatten().tolist(), target.flatten().tolist(), strict=True):
            if not 0 <= p <= 1:
                raise ValueError("not a probability")
            self.right += (p > self.threshold) == (t == 1)
            self.count += 1

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracy",
    "refuses 0 and 1",
    hint="Both are probabilities: a float32 sigmoid gives exactly 1 for a logit of 17.",
)
class BinaryAccuracy:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, probs, target):
        if probs.min() <= 0 or probs.max() >= 1:
            raise ValueError("not probabilities")
        self.right += ((probs > self.threshold) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracy",
    "lets negative numbers pass",
    hint="An interval has two ends.",
)
class BinaryAccuracy:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, probs, target):
        if (probs > 1).any():
            raise ValueError("not probabilities")
        self.right += ((probs > self.threshold) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracy",
    "refuses only a batch that lies outside as a whole",
    hint="One probability of 1.5 among four good ones should be enough. all, or any?",
)
class BinaryAccuracy:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, probs, target):
        if ((probs < 0) | (probs > 1)).all():
            raise ValueError("not probabilities")
        self.right += ((probs > self.threshold) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracy",
    "reset sets the threshold back to 0.5",
    hint="Calling __init__ without arguments makes a new object with the default threshold. What should reset forget?",
)
class BinaryAccuracy:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.right = self.count = 0

    def update(self, probs, target):
        if probs.min() < 0 or probs.max() > 1:
            raise ValueError("not probabilities")
        self.right += ((probs > self.threshold) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.__init__()


@misconception(
    "BinaryAccuracy",
    "looks at the positives only",
    hint="A 0 that is called 0 is right as well. What you compute is the recall.",
)
class BinaryAccuracy:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, probs, target):
        if probs.min() < 0 or probs.max() > 1:
            raise ValueError("not probabilities")
        self.right += ((probs > self.threshold) & (target == 1)).sum().item()
        self.count += (target == 1).sum().item()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracy",
    "answers 0 when nothing was counted",
    hint="An accuracy of 0 says that every decision was wrong. There was none.",
)
class BinaryAccuracy:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, probs, target):
        if probs.min() < 0 or probs.max() > 1:
            raise ValueError("not probabilities")
        self.right += ((probs > self.threshold) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / max(self.count, 1)

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracy",
    "counts rows instead of decisions",
    hint="len of a [6, 4] tensor is 6. How many decisions are in it?",
)
class BinaryAccuracy:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, probs, target):
        if probs.min() < 0 or probs.max() > 1:
            raise ValueError("not probabilities")
        self.right += ((probs > self.threshold) == (target == 1)).sum().item()
        self.count += len(target)

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracy",
    "allows for rounding beyond 0 and 1",
    hint="Can rounding lift a sigmoid above 1? Try torch.sigmoid(torch.tensor(100.0)) == 1, and read once more where "
    "probabilities end.",
)
class BinaryAccuracy:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, probs, target):
        eps = torch.finfo(torch.float32).eps
        if probs.min() < -eps or probs.max() > 1 + eps:
            raise ValueError("not probabilities")
        self.right += ((probs > self.threshold) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracy",
    "counts in sixteen bits",
    hint="Count forty thousand decisions, and print both counts: can an accuracy be negative? How far does the dtype "
    "of your counts reach?",
)
class BinaryAccuracy:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, probs, target):
        if probs.min() < 0 or probs.max() > 1:
            raise ValueError("not probabilities")
        right = (probs > self.threshold) == (target == 1)
        self.right += right.sum()
        self.count += torch.tensor(right.numel())

    def compute(self):
        return self.right / self.count

    def reset(self):
        self.right, self.count = torch.zeros((), dtype=torch.int16), torch.zeros((), dtype=torch.int16)


@misconception(
    "BinaryAccuracy",
    "takes nearly the threshold for the threshold",
    hint="Try the float just above 0.5: torch.nextafter finds it. It exceeds 0.5, and a decision needs no tolerance, "
    "for nothing was computed that could have been rounded.",
)
class BinaryAccuracy:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, probs, target):
        if probs.min() < 0 or probs.max() > 1:
            raise ValueError("not probabilities")
        yes = probs - self.threshold > 1e-6
        self.right += (yes == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


# ---------------------------------------------------------------------------------------- BinaryAccuracyFromLogits


@misconception(
    "BinaryAccuracyFromLogits",
    "takes a batch in [0, 1] for probabilities",
    hint="The name says that logits come. Whether a batch happens to lie in [0, 1] must not change what they are.",
)
class BinaryAccuracyFromLogits:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, logits, target):
        if logits.min() < 0 or logits.max() > 1:
            logits = torch.sigmoid(logits)
        self.right += ((logits > self.threshold) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracyFromLogits",
    "takes single logits in [0, 1] for probabilities",
    hint="A logit of 0.3 is a logit, also beside others of 5 and −2. Every entry gets the same treatment.",
)
class BinaryAccuracyFromLogits:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, logits, target):
        probs = torch.where((logits >= 0) & (logits <= 1), logits, torch.sigmoid(logits))
        self.right += ((probs > self.threshold) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracyFromLogits",
    "compares logits with the threshold",
    hint="0.5 is a probability. Which logit has it?",
)
class BinaryAccuracyFromLogits:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, logits, target):
        self.right += ((logits > self.threshold) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracyFromLogits",
    "compares logits with 0, whatever the threshold",
    hint="0 is right for the threshold 0.5. Where is the logit whose probability is 0.8?",
)
class BinaryAccuracyFromLogits:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, logits, target):
        self.right += ((logits > 0) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracyFromLogits",
    "takes the threshold itself for positive",
    hint="σ(0) is exactly 0.5, which does not exceed 0.5.",
)
class BinaryAccuracyFromLogits:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, logits, target):
        self.right += ((torch.sigmoid(logits) >= self.threshold) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracyFromLogits",
    "gets NaN for large logits",
    hint="exp(10000) is infinite, and inf/inf is NaN, which exceeds nothing. Divide so that nothing overflows, or let "
    "torch do it.",
)
class BinaryAccuracyFromLogits:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, logits, target):
        e = torch.exp(logits)
        self.right += ((e / (1 + e) > self.threshold) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracyFromLogits",
    "refuses logits outside of [0, 1]",
    hint="That check belongs to the exercise before. A logit may be any real number.",
)
class BinaryAccuracyFromLogits:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, logits, target):
        if logits.min() < 0 or logits.max() > 1:
            raise ValueError("not in [0, 1]")
        self.right += ((torch.sigmoid(logits) > self.threshold) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracyFromLogits",
    "turns the threshold into a logit with the wrong sign",
    hint="A higher threshold should make positives rarer. Does it in your code? Solve σ(z) = t for z once more.",
)
class BinaryAccuracyFromLogits:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, logits, target):
        limit = torch.tensor((1 - self.threshold) / self.threshold).log()
        self.right += ((logits > limit) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracyFromLogits",
    "applies the sigmoid twice",
    hint="The sigmoid of a probability lies between 0.5 and 0.73: with you nearly everything is positive.",
)
class BinaryAccuracyFromLogits:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, logits, target):
        probs = torch.sigmoid(torch.sigmoid(logits))
        self.right += ((probs > self.threshold) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracyFromLogits",
    "squeezes every batch into [0, 1]",
    hint="You scale by the smallest and the largest logit of the batch, so the neighbours decide. Which function of "
    "one logit gives its probability?",
)
class BinaryAccuracyFromLogits:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, logits, target):
        probs = (logits - logits.min()) / (logits.max() - logits.min()).clamp(min=1e-12)
        self.right += ((probs > self.threshold) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracyFromLogits",
    "averages the accuracies of the batches",
    hint="One example in the last batch weighs as much as all of the first. Keep two numbers that add up.",
)
class BinaryAccuracyFromLogits:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, logits, target):
        self.total += ((torch.sigmoid(logits) > self.threshold) == (target == 1)).float().mean()
        self.count += 1

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "BinaryAccuracyFromLogits",
    "reset sets the threshold back to 0.5",
    hint="Calling __init__ without arguments makes a new object with the default threshold. What should reset forget?",
)
class BinaryAccuracyFromLogits:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.right = self.count = 0

    def update(self, logits, target):
        self.right += ((torch.sigmoid(logits) > self.threshold) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.__init__()


@misconception(
    "BinaryAccuracyFromLogits",
    "turns the caller's logits into probabilities",
    hint="Print the logits after update: a function whose name ends in an underscore works in place.",
)
class BinaryAccuracyFromLogits:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, logits, target):
        self.right += ((logits.sigmoid_() > self.threshold) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracyFromLogits",
    "computes the probabilities in half precision",
    hint="σ(0.0001) is 0.500025: what is it with you? Print the dtype of your probabilities, and that of the logits.",
)
class BinaryAccuracyFromLogits:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, logits, target):
        self.right += ((torch.sigmoid(logits.half()) > self.threshold) == (target == 1)).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "BinaryAccuracyFromLogits",
    "counts in eight bits",
    hint="Count three hundred decisions one by one, and print both counts: where do they start again at 0?",
)
class BinaryAccuracyFromLogits:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, logits, target):
        right = (torch.sigmoid(logits) > self.threshold) == (target == 1)
        self.right += right.sum()
        self.count += torch.tensor(right.numel())

    def compute(self):
        return self.right / self.count

    def reset(self):
        self.right, self.count = torch.zeros((), dtype=torch.uint8), torch.zeros((), dtype=torch.uint8)


# ---------------------------------------------------------------------------------------------- MulticlassAccuracy


@misconception(
    "MulticlassAccuracy",
    "takes the classes from the last axis",
    hint="For [N, C] the last axis is axis 1. For [N, C, T] it is not: where do torch's losses expect the classes?",
)
class MulticlassAccuracy:
    def __init__(self, num_classes, ignore_index=None):
        self.ignore_index = ignore_index
        self.reset()

    def update(self, pred, target):
        if pred.dim() > target.dim():
            pred = pred.argmax(-1)
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.right += ((pred == target) & counted).sum().item()
        self.count += counted.sum().item()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MulticlassAccuracy",
    "takes the argmax over the examples",
    hint="With three examples and three classes no error warns you. Which axis of the scores holds the classes?",
)
class MulticlassAccuracy:
    def __init__(self, num_classes, ignore_index=None):
        self.ignore_index = ignore_index
        self.reset()

    def update(self, pred, target):
        if pred.dim() > target.dim():
            pred = pred.argmax(0)
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.right += ((pred == target) & counted).sum().item()
        self.count += counted.sum().item()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MulticlassAccuracy",
    "takes classes for scores where an axis is as long as there are classes",
    hint="Predicted classes of the shape [4, 5] with five classes are no scores. What tells the two kinds apart for "
    "certain? Compare the numbers of axes of pred and target.",
)
class MulticlassAccuracy:
    def __init__(self, num_classes, ignore_index=None):
        self.num_classes, self.ignore_index = num_classes, ignore_index
        self.reset()

    def update(self, pred, target):
        if pred.dim() > 1 and pred.shape[1] == self.num_classes:
            pred = pred.argmax(1)
            if pred.dim() < target.dim():
                pred = pred.unsqueeze(1)
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.right += ((pred == target) & counted).sum().item()
        self.count += counted.sum().item()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MulticlassAccuracy",
    "never ignores the class 0",
    hint="What is bool(0)? Ask whether ignore_index is None instead.",
)
class MulticlassAccuracy:
    def __init__(self, num_classes, ignore_index=None):
        self.ignore_index = ignore_index
        self.reset()

    def update(self, pred, target):
        if pred.dim() > target.dim():
            pred = pred.argmax(1)
        counted = target != self.ignore_index if self.ignore_index else target == target
        self.right += ((pred == target) & counted).sum().item()
        self.count += counted.sum().item()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MulticlassAccuracy",
    "ignores every negative target and nothing else",
    hint="ignore_index may be 255, or a class. Compare the targets with it.",
)
class MulticlassAccuracy:
    def __init__(self, num_classes, ignore_index=None):
        self.ignore_index = ignore_index
        self.reset()

    def update(self, pred, target):
        if pred.dim() > target.dim():
            pred = pred.argmax(1)
        counted = target >= 0
        self.right += ((pred == target) & counted).sum().item()
        self.count += counted.sum().item()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MulticlassAccuracy",
    "ignores predictions of the ignored class as well",
    hint="A model that predicts the ignored class where something else is right has made a mistake, and should pay.",
)
class MulticlassAccuracy:
    def __init__(self, num_classes, ignore_index=None):
        self.ignore_index = ignore_index
        self.reset()

    def update(self, pred, target):
        if pred.dim() > target.dim():
            pred = pred.argmax(1)
        counted = target == target
        if self.ignore_index is not None:
            counted = (target != self.ignore_index) & (pred != self.ignore_index)
        self.right += ((pred == target) & counted).sum().item()
        self.count += counted.sum().item()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MulticlassAccuracy",
    "counts ignored targets as wrong",
    hint="What is ignored is missing above *and* below the line. By what do you divide?",
)
class MulticlassAccuracy:
    def __init__(self, num_classes, ignore_index=None):
        self.ignore_index = ignore_index
        self.reset()

    def update(self, pred, target):
        if pred.dim() > target.dim():
            pred = pred.argmax(1)
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.right += ((pred == target) & counted).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MulticlassAccuracy",
    "counts ignored targets as right",
    hint="Padding that is 'right' makes every model better the more padding there is.",
)
class MulticlassAccuracy:
    def __init__(self, num_classes, ignore_index=None):
        self.ignore_index = ignore_index
        self.reset()

    def update(self, pred, target):
        if pred.dim() > target.dim():
            pred = pred.argmax(1)
        right = pred == target
        if self.ignore_index is not None:
            right = right | (target == self.ignore_index)
        self.right += right.sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MulticlassAccuracy",
    "averages over the classes",
    hint="That is the macro average, in which a rare class counts as much as a frequent one. Micro counts every target "
    "once.",
)
class MulticlassAccuracy:
    def __init__(self, num_classes, ignore_index=None):
        self.num_classes, self.ignore_index = num_classes, ignore_index
        self.reset()

    def update(self, pred, target):
        if pred.dim() > target.dim():
            pred = pred.argmax(1)
        for c in range(self.num_classes):
            if c != self.ignore_index:
                self.right[c] += ((pred == c) & (target == c)).sum()
                self.count[c] += (target == c).sum()

    def compute(self):
        return (self.right / self.count)[self.count > 0].mean()

    def reset(self):
        self.right, self.count = torch.zeros(self.num_classes), torch.zeros(self.num_classes)


@misconception(
    "MulticlassAccuracy",
    "averages the accuracies of the batches",
    hint="One example in the last batch weighs as much as all of the first. Keep two numbers that add up.",
)
class MulticlassAccuracy:
    def __init__(self, num_classes, ignore_index=None):
        self.ignore_index = ignore_index
        self.reset()

    def update(self, pred, target):
        if pred.dim() > target.dim():
            pred = pred.argmax(1)
        right = (pred == target).float()
        right = right.flatten() if self.ignore_index is None else right[target != self.ignore_index]
        if right.numel():
            self.total += right.mean()
            self.count += 1

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "MulticlassAccuracy",
    "wants every position of an example right",
    hint="An example with five positions has five targets, and each of them counts once.",
)
class MulticlassAccuracy:
    def __init__(self, num_classes, ignore_index=None):
        self.ignore_index = ignore_index
        self.reset()

    def update(self, pred, target):
        if pred.dim() > target.dim():
            pred = pred.argmax(1)
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        wrong = ((pred != target) & counted).flatten(1) if target.dim() > 1 else ((pred != target) & counted)[:, None]
        some = counted.flatten(1).any(1) if target.dim() > 1 else counted
        self.right += (~wrong.any(1) & some).sum().item()
        self.count += some.sum().item()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MulticlassAccuracy",
    "writes into the caller's targets",
    hint="Print the targets after update. The caller will use them again in the next epoch.",
)
class MulticlassAccuracy:
    def __init__(self, num_classes, ignore_index=None):
        self.ignore_index = ignore_index
        self.reset()

    def update(self, pred, target):
        if pred.dim() > target.dim():
            pred = pred.argmax(1)
        if self.ignore_index is not None:
            ignored = target == self.ignore_index
            target[ignored] = -7
            pred = pred.masked_fill(ignored, -8)
            self.count -= ignored.sum().item()
        self.right += (pred == target).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MulticlassAccuracy",
    "answers 0 when nothing was counted",
    hint="An accuracy of 0 says that every decision was wrong. There was none.",
)
class MulticlassAccuracy:
    def __init__(self, num_classes, ignore_index=None):
        self.ignore_index = ignore_index
        self.reset()

    def update(self, pred, target):
        if pred.dim() > target.dim():
            pred = pred.argmax(1)
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.right += ((pred == target) & counted).sum().item()
        self.count += counted.sum().item()

    def compute(self):
        return torch.tensor(self.right) / max(1, self.count)

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MulticlassAccuracy",
    "takes one softmax over all positions of an example",
    hint="Give one position scores of 10000 and its neighbour scores of 0 and 2: what is left of the neighbour's? "
    "Every position has classes of its own to choose from.",
)
class MulticlassAccuracy:
    def __init__(self, num_classes, ignore_index=None):
        self.ignore_index = ignore_index
        self.reset()

    def update(self, pred, target):
        if pred.dim() > target.dim():
            pred = torch.softmax(pred.flatten(1), 1).reshape(pred.shape).argmax(1)
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.right += ((pred == target) & counted).sum().item()
        self.count += counted.sum().item()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MulticlassAccuracy",
    "counts in eight bits",
    hint="Count three hundred targets one by one, and print both counts: where do they start again at 0?",
)
class MulticlassAccuracy:
    def __init__(self, num_classes, ignore_index=None):
        self.ignore_index = ignore_index
        self.reset()

    def update(self, pred, target):
        if pred.dim() > target.dim():
            pred = pred.argmax(1)
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.right += ((pred == target) & counted).sum()
        self.count += counted.sum()

    def compute(self):
        return self.right / self.count

    def reset(self):
        self.right, self.count = torch.zeros((), dtype=torch.uint8), torch.zeros((), dtype=torch.uint8)


# ---------------------------------------------------------------------------------------------- MultilabelAccuracy


@misconception(
    "MultilabelAccuracy",
    "wants the whole row right",
    hint="That is the exact match, which is much stricter. Micro average: every entry is a decision of its own.",
)
class MultilabelAccuracy:
    def __init__(self, num_labels, threshold=0.5, ignore_index=None):
        self.threshold, self.ignore_index = threshold, ignore_index
        self.reset()

    def update(self, probs, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        wrong = ((probs > self.threshold).long() != target) & counted
        self.right += (~wrong.any(1) & counted.any(1)).sum().item()
        self.count += counted.any(1).sum().item()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MultilabelAccuracy",
    "says yes to the largest probability only",
    hint="argmax chooses one of several. Here each label is a question of its own: any number of yeses is possible.",
)
class MultilabelAccuracy:
    def __init__(self, num_labels, threshold=0.5, ignore_index=None):
        self.ignore_index = ignore_index
        self.reset()

    def update(self, probs, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        decided = F.one_hot(probs.argmax(1), probs.shape[1])
        self.right += ((decided == target) & counted).sum().item()
        self.count += counted.sum().item()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MultilabelAccuracy",
    "averages the accuracies of the labels",
    hint="That is the macro average. As soon as entries are ignored, labels hold different numbers of them.",
)
class MultilabelAccuracy:
    def __init__(self, num_labels, threshold=0.5, ignore_index=None):
        self.num_labels, self.threshold, self.ignore_index = num_labels, threshold, ignore_index
        self.reset()

    def update(self, probs, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.right += (((probs > self.threshold).long() == target) & counted).sum(0)
        self.count += counted.sum(0)

    def compute(self):
        return (self.right / self.count)[self.count > 0].mean()

    def reset(self):
        self.right, self.count = torch.zeros(self.num_labels), torch.zeros(self.num_labels)


@misconception(
    "MultilabelAccuracy",
    "averages the accuracies of the examples",
    hint="An example with one entry that counts weighs as much as one with four. Add up entries over all examples.",
)
class MultilabelAccuracy:
    def __init__(self, num_labels, threshold=0.5, ignore_index=None):
        self.threshold, self.ignore_index = threshold, ignore_index
        self.reset()

    def update(self, probs, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        right = (((probs > self.threshold).long() == target) & counted).sum(1)
        shares = (right / counted.sum(1))[counted.any(1)]
        self.total += shares.sum()
        self.count += len(shares)

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "MultilabelAccuracy",
    "averages the accuracies of the batches",
    hint="One example in the last batch weighs as much as all of the first. Keep two numbers that add up.",
)
class MultilabelAccuracy:
    def __init__(self, num_labels, threshold=0.5, ignore_index=None):
        self.threshold, self.ignore_index = threshold, ignore_index
        self.reset()

    def update(self, probs, target):
        right = ((probs > self.threshold).long() == target).float()
        right = right.flatten() if self.ignore_index is None else right[target != self.ignore_index]
        if right.numel():
            self.total += right.mean()
            self.count += 1

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "MultilabelAccuracy",
    "takes the threshold itself for a yes",
    hint="A probability of exactly 0.5 does not exceed 0.5. Which comparison is strict?",
)
class MultilabelAccuracy:
    def __init__(self, num_labels, threshold=0.5, ignore_index=None):
        self.threshold, self.ignore_index = threshold, ignore_index
        self.reset()

    def update(self, probs, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.right += (((probs >= self.threshold).long() == target) & counted).sum().item()
        self.count += counted.sum().item()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MultilabelAccuracy",
    "always takes 0.5 for the threshold",
    hint="Make one with threshold=0.8 and follow the number: does update ever see it?",
)
class MultilabelAccuracy:
    def __init__(self, num_labels, threshold=0.5, ignore_index=None):
        self.ignore_index = ignore_index
        self.reset()

    def update(self, probs, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.right += (((probs > 0.5).long() == target) & counted).sum().item()
        self.count += counted.sum().item()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MultilabelAccuracy",
    "counts ignored entries as wrong",
    hint="−1 equals neither 0 nor 1, so it is never right; but it still stands below the line.",
)
class MultilabelAccuracy:
    def __init__(self, num_labels, threshold=0.5, ignore_index=None):
        self.threshold, self.ignore_index = threshold, ignore_index
        self.reset()

    def update(self, probs, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.right += (((probs > self.threshold).long() == target) & counted).sum().item()
        self.count += target.numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MultilabelAccuracy",
    "leaves out a row with any ignored entry",
    hint="The other entries of that row count. Mask entries, not examples.",
)
class MultilabelAccuracy:
    def __init__(self, num_labels, threshold=0.5, ignore_index=None):
        self.threshold, self.ignore_index = threshold, ignore_index
        self.reset()

    def update(self, probs, target):
        rows = target[:, 0] == target[:, 0] if self.ignore_index is None else (target != self.ignore_index).all(1)
        right = (probs > self.threshold).long() == target
        self.right += right[rows].sum().item()
        self.count += right[rows].numel()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MultilabelAccuracy",
    "never ignores the target 0",
    hint="What is bool(0)? Ask whether ignore_index is None instead.",
)
class MultilabelAccuracy:
    def __init__(self, num_labels, threshold=0.5, ignore_index=None):
        self.threshold, self.ignore_index = threshold, ignore_index
        self.reset()

    def update(self, probs, target):
        counted = target != self.ignore_index if self.ignore_index else target == target
        self.right += (((probs > self.threshold).long() == target) & counted).sum().item()
        self.count += counted.sum().item()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MultilabelAccuracy",
    "ignores every target that is neither 0 nor 1, and nothing else",
    hint="ignore_index says what is ignored, and it may be 0: then only the yeses count.",
)
class MultilabelAccuracy:
    def __init__(self, num_labels, threshold=0.5, ignore_index=None):
        self.threshold = threshold
        self.reset()

    def update(self, probs, target):
        counted = (target == 0) | (target == 1)
        self.right += (((probs > self.threshold).long() == target) & counted).sum().item()
        self.count += counted.sum().item()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MultilabelAccuracy",
    "counts the yeses only",
    hint="A label that is absent and predicted absent is a right decision too. What you compute is the recall.",
)
class MultilabelAccuracy:
    def __init__(self, num_labels, threshold=0.5, ignore_index=None):
        self.threshold, self.ignore_index = threshold, ignore_index
        self.reset()

    def update(self, probs, target):
        counted = (target == 1) & (target != self.ignore_index if self.ignore_index is not None else target == target)
        self.right += ((probs > self.threshold) & counted).sum().item()
        self.count += counted.sum().item()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MultilabelAccuracy",
    "answers 0 when nothing was counted",
    hint="An accuracy of 0 says that every decision was wrong. There was none.",
)
class MultilabelAccuracy:
    def __init__(self, num_labels, threshold=0.5, ignore_index=None):
        self.threshold, self.ignore_index = threshold, ignore_index
        self.reset()

    def update(self, probs, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.right += (((probs > self.threshold).long() == target) & counted).sum().item()
        self.count += counted.sum().item()

    def compute(self):
        return torch.tensor(self.right) / max(self.count, 1)

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MultilabelAccuracy",
    "forgets to ignore in a square batch",
    hint="Try as many examples as labels, with one entry ignored. The labels stand on the last axis, always: why do "
    "you look at the length of the first?",
)
class MultilabelAccuracy:
    def __init__(self, num_labels, threshold=0.5, ignore_index=None):
        self.num_labels, self.threshold, self.ignore_index = num_labels, threshold, ignore_index
        self.reset()

    def update(self, probs, target):
        right = (probs > self.threshold).long() == target
        if len(target) == self.num_labels:
            self.right += right.sum().item()
            self.count += self.num_labels * target.shape[1]
        else:
            counted = target == target if self.ignore_index is None else target != self.ignore_index
            self.right += right[counted].sum().item()
            self.count += counted.sum().item()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


@misconception(
    "MultilabelAccuracy",
    "counts in eight bits",
    hint="Count a hundred rows of three labels, one row after the other, and print both counts: where do they start "
    "again at 0?",
)
class MultilabelAccuracy:
    def __init__(self, num_labels, threshold=0.5, ignore_index=None):
        self.threshold, self.ignore_index = threshold, ignore_index
        self.reset()

    def update(self, probs, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.right += (((probs > self.threshold).long() == target) & counted).sum()
        self.count += counted.sum()

    def compute(self):
        return self.right / self.count

    def reset(self):
        self.right, self.count = torch.zeros((), dtype=torch.uint8), torch.zeros((), dtype=torch.uint8)


@misconception(
    "MultilabelAccuracy",
    "takes nearly the threshold for the threshold",
    hint="Try the float just above 0.5: torch.nextafter finds it. It exceeds 0.5, and a decision needs no tolerance, "
    "for nothing was computed that could have been rounded.",
)
class MultilabelAccuracy:
    def __init__(self, num_labels, threshold=0.5, ignore_index=None):
        self.threshold, self.ignore_index = threshold, ignore_index
        self.reset()

    def update(self, probs, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        near = torch.isclose(probs, torch.full_like(probs, self.threshold))
        yes = (probs > self.threshold) & ~near
        self.right += ((yes.long() == target) & counted).sum().item()
        self.count += counted.sum().item()

    def compute(self):
        return torch.tensor(self.right) / self.count

    def reset(self):
        self.right = self.count = 0


# --------------------------------------------------------------------------------------------------------- F1Score


@misconception(
    "F1Score",
    "averages over classes that never occur",
    hint="Make it with num_classes=9 and use three of them: your result falls. Which classes take part in the mean?",
)
class F1Score:
    def __init__(self, num_classes, average="macro"):
        if average not in ("macro", "micro"):
            raise ValueError(average)
        self.C, self.average = num_classes, average
        self.reset()

    def update(self, pred, target):
        pred = pred.argmax(1) if pred.dim() == 2 else pred
        self.tp += torch.bincount(pred[pred == target], minlength=self.C)
        self.both += torch.bincount(torch.cat([pred, target]), minlength=self.C)

    def compute(self):
        if self.average == "micro" or self.both.sum() == 0:
            return 2 * self.tp.sum() / self.both.sum()
        return (2 * self.tp / self.both.clamp(min=1)).mean()

    def reset(self):
        self.tp = torch.zeros(self.C, dtype=torch.int64)
        self.both = torch.zeros(self.C, dtype=torch.int64)


@misconception(
    "F1Score",
    "averages over the classes among the targets only",
    hint="A class that is predicted and never right occurs as well: its score is 0, and it takes part in the mean.",
)
class F1Score:
    def __init__(self, num_classes, average="macro"):
        if average not in ("macro", "micro"):
            raise ValueError(average)
        self.C, self.average = num_classes, average
        self.reset()

    def update(self, pred, target):
        pred = pred.argmax(1) if pred.dim() == 2 else pred
        self.tp += torch.bincount(pred[pred == target], minlength=self.C)
        self.predicted += torch.bincount(pred, minlength=self.C)
        self.present += torch.bincount(target, minlength=self.C)

    def compute(self):
        both = self.predicted + self.present
        if self.average == "micro":
            return 2 * self.tp.sum() / both.sum()
        return (2 * self.tp / both)[self.present > 0].mean()

    def reset(self):
        self.tp = torch.zeros(self.C, dtype=torch.int64)
        self.predicted = torch.zeros(self.C, dtype=torch.int64)
        self.present = torch.zeros(self.C, dtype=torch.int64)


@misconception(
    "F1Score",
    "leaves out classes that are never right",
    hint="Precision and recall are 0, or 0/0, for a class without a true positive, and you drop it. Write F1 with tp, "
    "fp and fn: then it is 0.",
)
class F1Score:
    def __init__(self, num_classes, average="macro"):
        if average not in ("macro", "micro"):
            raise ValueError(average)
        self.C, self.average = num_classes, average
        self.reset()

    def update(self, pred, target):
        pred = pred.argmax(1) if pred.dim() == 2 else pred
        self.tp += torch.bincount(pred[pred == target], minlength=self.C)
        self.predicted += torch.bincount(pred, minlength=self.C)
        self.present += torch.bincount(target, minlength=self.C)

    def compute(self):
        if self.average == "micro":
            return self.tp.sum() / self.present.sum()
        precision, recall = self.tp / self.predicted, self.tp / self.present
        return (2 * precision * recall / (precision + recall)).nanmean()

    def reset(self):
        self.tp = torch.zeros(self.C, dtype=torch.int64)
        self.predicted = torch.zeros(self.C, dtype=torch.int64)
        self.present = torch.zeros(self.C, dtype=torch.int64)


@misconception(
    "F1Score",
    "averages the scores of the batches",
    hint="F1 is no mean over examples, so no mean over batches gives it. Which numbers of a class do add up?",
)
class F1Score:
    def __init__(self, num_classes, average="macro"):
        if average not in ("macro", "micro"):
            raise ValueError(average)
        self.C, self.average = num_classes, average
        self.reset()

    def update(self, pred, target):
        pred = pred.argmax(1) if pred.dim() == 2 else pred
        tp = torch.bincount(pred[pred == target], minlength=self.C)
        both = torch.bincount(torch.cat([pred, target]), minlength=self.C)
        score = 2 * tp.sum() / both.sum() if self.average == "micro" else (2 * tp / both)[both > 0].mean()
        self.total += score * len(target)
        self.count += len(target)

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros(()), 0


@misconception(
    "F1Score",
    "takes F1 of the average precision and the average recall",
    hint="Average last: first F1 of every class, then their mean.",
)
class F1Score:
    def __init__(self, num_classes, average="macro"):
        if average not in ("macro", "micro"):
            raise ValueError(average)
        self.C, self.average = num_classes, average
        self.reset()

    def update(self, pred, target):
        pred = pred.argmax(1) if pred.dim() == 2 else pred
        self.tp += torch.bincount(pred[pred == target], minlength=self.C)
        self.predicted += torch.bincount(pred, minlength=self.C)
        self.present += torch.bincount(target, minlength=self.C)

    def compute(self):
        both = self.predicted + self.present
        if self.average == "micro" or both.sum() == 0:
            return 2 * self.tp.sum() / both.sum()
        precision = (self.tp / self.predicted.clamp(min=1))[both > 0].mean()
        recall = (self.tp / self.present.clamp(min=1))[both > 0].mean()
        return 2 * precision * recall / (precision + recall).clamp(min=1e-12)

    def reset(self):
        self.tp = torch.zeros(self.C, dtype=torch.int64)
        self.predicted = torch.zeros(self.C, dtype=torch.int64)
        self.present = torch.zeros(self.C, dtype=torch.int64)


@misconception(
    "F1Score",
    "weights the classes by their frequency",
    hint='That is average="weighted". Macro gives every class that occurs the same weight.',
)
class F1Score:
    def __init__(self, num_classes, average="macro"):
        if average not in ("macro", "micro"):
            raise ValueError(average)
        self.C, self.average = num_classes, average
        self.reset()

    def update(self, pred, target):
        pred = pred.argmax(1) if pred.dim() == 2 else pred
        self.tp += torch.bincount(pred[pred == target], minlength=self.C)
        self.predicted += torch.bincount(pred, minlength=self.C)
        self.present += torch.bincount(target, minlength=self.C)

    def compute(self):
        both = self.predicted + self.present
        if self.average == "micro":
            return 2 * self.tp.sum() / both.sum()
        return (2 * self.tp / both.clamp(min=1) * self.present).sum() / self.present.sum()

    def reset(self):
        self.tp = torch.zeros(self.C, dtype=torch.int64)
        self.predicted = torch.zeros(self.C, dtype=torch.int64)
        self.present = torch.zeros(self.C, dtype=torch.int64)


@misconception(
    "F1Score",
    "takes the arithmetic mean of precision and recall",
    hint="With precision 1 and recall 0 your score is 0.5. Which mean is near 0 as soon as one of the two is?",
)
class F1Score:
    def __init__(self, num_classes, average="macro"):
        if average not in ("macro", "micro"):
            raise ValueError(average)
        self.C, self.average = num_classes, average
        self.reset()

    def update(self, pred, target):
        pred = pred.argmax(1) if pred.dim() == 2 else pred
        self.tp += torch.bincount(pred[pred == target], minlength=self.C)
        self.predicted += torch.bincount(pred, minlength=self.C)
        self.present += torch.bincount(target, minlength=self.C)

    def compute(self):
        both = self.predicted + self.present
        if self.average == "micro":
            return 2 * self.tp.sum() / both.sum()
        precision, recall = self.tp / self.predicted.clamp(min=1), self.tp / self.present.clamp(min=1)
        return ((precision + recall) / 2)[both > 0].mean()

    def reset(self):
        self.tp = torch.zeros(self.C, dtype=torch.int64)
        self.predicted = torch.zeros(self.C, dtype=torch.int64)
        self.present = torch.zeros(self.C, dtype=torch.int64)


@misconception(
    "F1Score",
    "counts true positives once",
    hint="tp / (tp + fp + fn) is the Jaccard index. In F1 the true positives count twice, above and below.",
)
class F1Score:
    def __init__(self, num_classes, average="macro"):
        if average not in ("macro", "micro"):
            raise ValueError(average)
        self.C, self.average = num_classes, average
        self.reset()

    def update(self, pred, target):
        pred = pred.argmax(1) if pred.dim() == 2 else pred
        self.tp += torch.bincount(pred[pred == target], minlength=self.C)
        self.both += torch.bincount(torch.cat([pred, target]), minlength=self.C)

    def compute(self):
        if self.average == "micro":
            return self.tp.sum() / (self.both - self.tp).sum()
        return (self.tp / (self.both - self.tp))[self.both > 0].mean()

    def reset(self):
        self.tp = torch.zeros(self.C, dtype=torch.int64)
        self.both = torch.zeros(self.C, dtype=torch.int64)


@misconception(
    "F1Score",
    "averages the recalls",
    hint="The share of a class that was found is its recall. What happens to your score when the model predicts that "
    "class everywhere?",
)
class F1Score:
    def __init__(self, num_classes, average="macro"):
        if average not in ("macro", "micro"):
            raise ValueError(average)
        self.C, self.average = num_classes, average
        self.reset()

    def update(self, pred, target):
        pred = pred.argmax(1) if pred.dim() == 2 else pred
        self.tp += torch.bincount(pred[pred == target], minlength=self.C)
        self.present += torch.bincount(target, minlength=self.C)

    def compute(self):
        if self.average == "micro":
            return self.tp.sum() / self.present.sum()
        return (self.tp / self.present)[self.present > 0].mean()

    def reset(self):
        self.tp = torch.zeros(self.C, dtype=torch.int64)
        self.present = torch.zeros(self.C, dtype=torch.int64)


@misconception(
    "F1Score",
    "swaps micro and macro",
    hint="Macro: first a score for every class, then the mean. Micro: first the sums of the counts, then one score.",
)
class F1Score:
    def __init__(self, num_classes, average="macro"):
        if average not in ("macro", "micro"):
            raise ValueError(average)
        self.C, self.average = num_classes, average
        self.reset()

    def update(self, pred, target):
        pred = pred.argmax(1) if pred.dim() == 2 else pred
        self.tp += torch.bincount(pred[pred == target], minlength=self.C)
        self.both += torch.bincount(torch.cat([pred, target]), minlength=self.C)

    def compute(self):
        if self.average == "macro":
            return 2 * self.tp.sum() / self.both.sum()
        return (2 * self.tp / self.both)[self.both > 0].mean()

    def reset(self):
        self.tp = torch.zeros(self.C, dtype=torch.int64)
        self.both = torch.zeros(self.C, dtype=torch.int64)


@misconception(
    "F1Score",
    "takes any other average for macro",
    hint='F1Score(3, "weighted") works with you, and gives something else than it says.',
)
class F1Score:
    def __init__(self, num_classes, average="macro"):
        self.C, self.average = num_classes, average
        self.reset()

    def update(self, pred, target):
        pred = pred.argmax(1) if pred.dim() == 2 else pred
        self.tp += torch.bincount(pred[pred == target], minlength=self.C)
        self.both += torch.bincount(torch.cat([pred, target]), minlength=self.C)

    def compute(self):
        if self.average == "micro":
            return 2 * self.tp.sum() / self.both.sum()
        return (2 * self.tp / self.both)[self.both > 0].mean()

    def reset(self):
        self.tp = torch.zeros(self.C, dtype=torch.int64)
        self.both = torch.zeros(self.C, dtype=torch.int64)


@misconception(
    "F1Score",
    "refuses an average only when it computes",
    hint="The error comes after an hour of evaluation. Look at the argument where it comes in.",
)
class F1Score:
    def __init__(self, num_classes, average="macro"):
        self.C, self.average = num_classes, average
        self.reset()

    def update(self, pred, target):
        pred = pred.argmax(1) if pred.dim() == 2 else pred
        self.tp += torch.bincount(pred[pred == target], minlength=self.C)
        self.both += torch.bincount(torch.cat([pred, target]), minlength=self.C)

    def compute(self):
        if self.average == "micro":
            return 2 * self.tp.sum() / self.both.sum()
        if self.average == "macro":
            return (2 * self.tp / self.both)[self.both > 0].mean()
        raise ValueError(self.average)

    def reset(self):
        self.tp = torch.zeros(self.C, dtype=torch.int64)
        self.both = torch.zeros(self.C, dtype=torch.int64)


@misconception(
    "F1Score",
    "takes the argmax over the examples",
    hint="Scores are [N, C]: a row belongs to an example. With N = C nothing warns you.",
)
class F1Score:
    def __init__(self, num_classes, average="macro"):
        if average not in ("macro", "micro"):
            raise ValueError(average)
        self.C, self.average = num_classes, average
        self.reset()

    def update(self, pred, target):
        pred = pred.argmax(0) if pred.dim() == 2 else pred
        self.tp += torch.bincount(pred[pred == target], minlength=self.C)
        self.both += torch.bincount(torch.cat([pred, target]), minlength=self.C)

    def compute(self):
        if self.average == "micro":
            return 2 * self.tp.sum() / self.both.sum()
        return (2 * self.tp / self.both)[self.both > 0].mean()

    def reset(self):
        self.tp = torch.zeros(self.C, dtype=torch.int64)
        self.both = torch.zeros(self.C, dtype=torch.int64)


@misconception(
    "F1Score",
    "answers 0 when nothing was counted",
    hint="torchmetrics does that too, with a warning. The contract of this course asks for NaN: there is nothing to "
    "report.",
)
class F1Score:
    def __init__(self, num_classes, average="macro"):
        if average not in ("macro", "micro"):
            raise ValueError(average)
        self.C, self.average = num_classes, average
        self.reset()

    def update(self, pred, target):
        pred = pred.argmax(1) if pred.dim() == 2 else pred
        self.tp += torch.bincount(pred[pred == target], minlength=self.C)
        self.both += torch.bincount(torch.cat([pred, target]), minlength=self.C)

    def compute(self):
        if self.both.sum() == 0:
            return torch.zeros(())
        if self.average == "micro":
            return 2 * self.tp.sum() / self.both.sum()
        return (2 * self.tp / self.both)[self.both > 0].mean()

    def reset(self):
        self.tp = torch.zeros(self.C, dtype=torch.int64)
        self.both = torch.zeros(self.C, dtype=torch.int64)


@misconception(
    "F1Score",
    "reset forgets the hits only",
    hint="After reset the object should be as new. Go through everything that update adds to.",
)
class F1Score:
    def __init__(self, num_classes, average="macro"):
        if average not in ("macro", "micro"):
            raise ValueError(average)
        self.C, self.average = num_classes, average
        self.both = torch.zeros(self.C, dtype=torch.int64)
        self.reset()

    def update(self, pred, target):
        pred = pred.argmax(1) if pred.dim() == 2 else pred
        self.tp += torch.bincount(pred[pred == target], minlength=self.C)
        self.both += torch.bincount(torch.cat([pred, target]), minlength=self.C)

    def compute(self):
        if self.average == "micro":
            return 2 * self.tp.sum() / self.both.sum()
        return (2 * self.tp / self.both)[self.both > 0].mean()

    def reset(self):
        self.tp = torch.zeros(self.C, dtype=torch.int64)


@misconception(
    "F1Score",
    "overflows for large scores",
    hint="exp(1000) is infinite, and inf/inf is NaN. Do you need probabilities to find the largest score?",
)
class F1Score:
    def __init__(self, num_classes, average="macro"):
        if average not in ("macro", "micro"):
            raise ValueError(average)
        self.C, self.average = num_classes, average
        self.reset()

    def update(self, pred, target):
        if pred.dim() == 2:
            e = torch.exp(pred)
            pred = (e / e.sum(1, keepdim=True)).argmax(1)
        self.tp += torch.bincount(pred[pred == target], minlength=self.C)
        self.both += torch.bincount(torch.cat([pred, target]), minlength=self.C)

    def compute(self):
        if self.average == "micro":
            return 2 * self.tp.sum() / self.both.sum()
        return (2 * self.tp / self.both)[self.both > 0].mean()

    def reset(self):
        self.tp = torch.zeros(self.C, dtype=torch.int64)
        self.both = torch.zeros(self.C, dtype=torch.int64)


@misconception(
    "F1Score",
    "counts in eight bits",
    hint="Count three hundred predictions of one class, one by one, and print the counts: where do they start again "
    "at 0?",
)
class F1Score:
    def __init__(self, num_classes, average="macro"):
        if average not in ("macro", "micro"):
            raise ValueError(average)
        self.C, self.average = num_classes, average
        self.reset()

    def update(self, pred, target):
        pred = pred.argmax(1) if pred.dim() == 2 else pred
        self.tp += torch.bincount(pred[pred == target], minlength=self.C)
        self.both += torch.bincount(torch.cat([pred, target]), minlength=self.C)

    def compute(self):
        if self.average == "micro":
            return 2 * self.tp.sum() / self.both.sum()
        return (2 * self.tp / self.both)[self.both > 0].mean()

    def reset(self):
        self.tp = torch.zeros(self.C, dtype=torch.uint8)
        self.both = torch.zeros(self.C, dtype=torch.uint8)


# ------------------------------------------------------------------------------------------------------ Perplexity


@misconception(
    "Perplexity",
    "averages the perplexities of the batches",
    hint="exp of a mean is not the mean of exps. What adds up over batches: perplexities, or nats?",
)
class Perplexity(torchmetrics.Metric):
    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, logits, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        if counted.any():
            self.total += F.cross_entropy(logits[counted], target[counted]).exp()
            self.count += 1

    def compute(self):
        return self.total / self.count


@misconception(
    "Perplexity",
    "averages the mean log-likelihoods of the batches",
    hint="Batches hold different numbers of tokens that count. Add up the nats and the tokens, and divide once.",
)
class Perplexity(torchmetrics.Metric):
    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, logits, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        if counted.any():
            self.total += F.cross_entropy(logits[counted], target[counted])
            self.count += 1

    def compute(self):
        return torch.exp(self.total / self.count)


@misconception(
    "Perplexity",
    "raises 2 to a number of nats",
    hint="Natural logarithms go with exp, logarithms to base 2 with powers of 2. You mix the two.",
)
class Perplexity(torchmetrics.Metric):
    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, logits, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.total += F.cross_entropy(logits[counted], target[counted], reduction="sum")
        self.count += counted.sum()

    def compute(self):
        return 2 ** (self.total / self.count)


@misconception(
    "Perplexity",
    "stops at the mean negative log-likelihood",
    hint="That is the cross-entropy, in nats. A model that knows nothing about 5 tokens should get 5.",
)
class Perplexity(torchmetrics.Metric):
    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, logits, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.total += F.cross_entropy(logits[counted], target[counted], reduction="sum")
        self.count += counted.sum()

    def compute(self):
        return self.total / self.count


@misconception(
    "Perplexity",
    "takes the logarithm of a rounded softmax",
    hint="A probability of exp(−150) is 0 in float32, and log 0 is −inf. Take the logarithm before anything is "
    "exponentiated.",
)
class Perplexity(torchmetrics.Metric):
    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, logits, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        log_probs = torch.softmax(logits[counted], -1).log()
        self.total -= log_probs.gather(-1, target[counted][:, None]).sum()
        self.count += counted.sum()

    def compute(self):
        return torch.exp(self.total / self.count)


@misconception(
    "Perplexity",
    "adds a small constant to the probabilities",
    hint="A token of 150 nats costs only 23 with you: the constant hides the model's worst mistakes. There is a way "
    "without it.",
)
class Perplexity(torchmetrics.Metric):
    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, logits, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        log_probs = (torch.softmax(logits[counted], -1) + 1e-10).log()
        self.total -= log_probs.gather(-1, target[counted][:, None]).sum()
        self.count += counted.sum()

    def compute(self):
        return torch.exp(self.total / self.count)


@misconception(
    "Perplexity",
    "overflows for large logits",
    hint="exp(1000) is infinite. Subtract the largest logit first, or let log_softmax do it.",
)
class Perplexity(torchmetrics.Metric):
    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, logits, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        picked = logits[counted].gather(-1, target[counted][:, None])[:, 0]
        self.total += (logits[counted].exp().sum(-1).log() - picked).sum()
        self.count += counted.sum()

    def compute(self):
        return torch.exp(self.total / self.count)


@misconception(
    "Perplexity",
    "normalizes over the positions",
    hint="Logits are [N, T, V], and a distribution is over the V tokens. Which dim is that?",
)
class Perplexity(torchmetrics.Metric):
    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, logits, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        log_probs = torch.log_softmax(logits, 1)[counted]
        self.total -= log_probs.gather(-1, target[counted][:, None]).sum()
        self.count += counted.sum()

    def compute(self):
        return torch.exp(self.total / self.count)


@misconception(
    "Perplexity",
    "declares no reduction",
    hint="Without dist_reduce_fx torchmetrics stacks the states of the processes, and two numbers come out. How should "
    "two sums become one?",
)
class Perplexity(torchmetrics.Metric):
    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("total", torch.tensor(0.0))
        self.add_state("count", torch.tensor(0.0))

    def update(self, logits, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.total += F.cross_entropy(logits[counted], target[counted], reduction="sum")
        self.count += counted.sum()

    def compute(self):
        return torch.exp(self.total / self.count)


@misconception(
    "Perplexity",
    "merges by the mean",
    hint="With two processes the halves cancel. Merge a third one into the result: it weighs as much as the two "
    "together. The sum of sums has no such trouble.",
)
class Perplexity(torchmetrics.Metric):
    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="mean")
        self.add_state("count", torch.tensor(0.0), dist_reduce_fx="mean")

    def update(self, logits, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.total += F.cross_entropy(logits[counted], target[counted], reduction="sum")
        self.count += counted.sum()

    def compute(self):
        return torch.exp(self.total / self.count)


@misconception(
    "Perplexity",
    "merges mean log-likelihoods",
    hint="Your state is a mean, and the mean of two means is wrong when the processes saw different numbers of tokens. "
    "Keep the sum and the number.",
)
class Perplexity(torchmetrics.Metric):
    full_state_update = True

    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("nats", torch.tensor(float("nan")), dist_reduce_fx="mean")
        self.add_state("count", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, logits, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        before = self.nats * self.count if self.count > 0 else 0.0
        total = before + F.cross_entropy(logits[counted], target[counted], reduction="sum")
        self.count += counted.sum()
        self.nats = (total / self.count).to(self.nats.dtype)

    def compute(self):
        return torch.exp(self.nats)


@misconception(
    "Perplexity",
    "keeps the number of tokens as a plain attribute",
    hint="What is no state (add_state) stays behind when processes are merged, and forward does not know it either.",
)
class Perplexity(torchmetrics.Metric):
    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.count = 0

    def update(self, logits, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.total += F.cross_entropy(logits[counted], target[counted], reduction="sum")
        self.count += int(counted.sum())

    def compute(self):
        return torch.exp(self.total / self.count)

    def reset(self):
        super().reset()
        self.count = 0


@misconception(
    "Perplexity",
    "is no torchmetrics.Metric",
    hint="Write class Perplexity(torchmetrics.Metric), call super().__init__() first, and declare the states.",
)
class Perplexity:
    def __init__(self, ignore_index=None):
        self.ignore_index = ignore_index
        self.reset()

    def update(self, logits, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.total += F.cross_entropy(logits[counted], target[counted], reduction="sum")
        self.count += counted.sum()

    def compute(self):
        return torch.exp(self.total / self.count)

    def reset(self):
        self.total, self.count = torch.tensor(0.0), torch.tensor(0.0)


@misconception(
    "Perplexity",
    "never ignores the token 0",
    hint="What is bool(0)? The padding of most vocabularies is the token 0. Ask whether ignore_index is None instead.",
)
class Perplexity(torchmetrics.Metric):
    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, logits, target):
        counted = target != self.ignore_index if self.ignore_index else target == target
        self.total += F.cross_entropy(logits[counted], target[counted], reduction="sum")
        self.count += counted.sum()

    def compute(self):
        return torch.exp(self.total / self.count)


@misconception(
    "Perplexity",
    "divides by the number of all tokens",
    hint="What is ignored is missing above *and* below the line. Which tokens do you count?",
)
class Perplexity(torchmetrics.Metric):
    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, logits, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.total += F.cross_entropy(logits[counted], target[counted], reduction="sum")
        self.count += target.numel()

    def compute(self):
        return torch.exp(self.total / self.count)


@misconception(
    "Perplexity",
    "divides by the number of texts",
    hint="Perplexity is per token. A text of two sentences is not twice as surprising as its halves.",
)
class Perplexity(torchmetrics.Metric):
    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, logits, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.total += F.cross_entropy(logits[counted], target[counted], reduction="sum")
        self.count += counted.any(1).sum()

    def compute(self):
        return torch.exp(self.total / self.count)


@misconception(
    "Perplexity",
    "looks ignored tokens up before it drops them",
    hint="−100 becomes 0 with you, but an ignored index beyond the vocabulary is still looked up. Drop the ignored "
    "positions first.",
)
class Perplexity(torchmetrics.Metric):
    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, logits, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        picked = torch.log_softmax(logits, -1).gather(-1, target.clamp(min=0)[..., None])[..., 0]
        self.total -= picked[counted].sum()
        self.count += counted.sum()

    def compute(self):
        return torch.exp(self.total / self.count)


@misconception(
    "Perplexity",
    "counts in eight bits",
    hint="Count three hundred tokens one by one, and print the number of tokens: where does it start again at 0?",
)
class Perplexity(torchmetrics.Metric):
    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0, dtype=torch.uint8), dist_reduce_fx="sum")

    def update(self, logits, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.total += F.cross_entropy(logits[counted], target[counted], reduction="sum")
        self.count += counted.sum()

    def compute(self):
        return torch.exp(self.total / self.count)


@misconception(
    "Perplexity",
    "has no way to say infinity",
    hint="Offer logits of ten thousand on the wrong tokens: Python's own exp stops with an exception there. What does "
    "the exp of a tensor answer?",
)
class Perplexity(torchmetrics.Metric):
    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, logits, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.total += F.cross_entropy(logits[counted], target[counted], reduction="sum")
        self.count += counted.sum()

    def compute(self):
        if self.count == 0:
            return torch.tensor(float("nan"))
        return torch.tensor(math.exp(self.total / self.count))


@misconception(
    "Perplexity",
    "caps the exponent",
    hint="Offer logits of ten thousand on the wrong tokens: your answer stays far below the right one, which is beyond "
    "all float32 numbers. What does torch write for such a number?",
)
class Perplexity(torchmetrics.Metric):
    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, logits, target):
        counted = target == target if self.ignore_index is None else target != self.ignore_index
        self.total += F.cross_entropy(logits[counted], target[counted], reduction="sum")
        self.count += counted.sum()

    def compute(self):
        return torch.exp((self.total / self.count).clamp(max=80))


@misconception(
    "Perplexity",
    "takes -100 for 'nothing is ignored'",
    hint="Make one with ignore_index=None, as the docstring allows, and update it. What does cross_entropy do with a "
    "None?",
)
class Perplexity(torchmetrics.Metric):
    def __init__(self, ignore_index=-100):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, logits, target):
        self.total += F.cross_entropy(logits.transpose(1, 2), target, ignore_index=self.ignore_index, reduction="sum")
        self.count += (target != self.ignore_index).sum()

    def compute(self):
        return torch.exp(self.total / self.count)
