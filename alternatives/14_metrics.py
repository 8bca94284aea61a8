"""Right implementations of 14_metrics, as different as students are: all of them keep all points."""

import math

import torch
import torch.nn.functional as F
import torchmetrics
from torch import Tensor, nn

from course_lib.checks import alternative

# ------------------------------------------------------------------------------------------------------------ Mean


@alternative("Mean", "keeps everything in lists")
class Mean:
    def __init__(self):
        self.values, self.weights = [], []

    def update(self, values, weight=1.0):
        v = values if torch.is_tensor(values) else torch.tensor(values, dtype=torch.float32)
        v, w = torch.broadcast_tensors(v, torch.as_tensor(weight, dtype=v.dtype))
        self.values.append(v.reshape(-1).clone())
        self.weights.append(w.reshape(-1).clone())

    def compute(self):
        if not self.values:
            return torch.tensor(float("nan"))
        v, w = torch.cat(self.values), torch.cat(self.weights)
        return torch.dot(v, w) / w.sum()

    def reset(self):
        self.values.clear()
        self.weights.clear()


@alternative("Mean", "a torchmetrics.Metric")
class Mean(torchmetrics.Metric):
    full_state_update = False

    def __init__(self):
        super().__init__()
        self.add_state("wv", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("w", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.like = torch.zeros(())

    def update(self, values, weight=1.0):
        if isinstance(values, Tensor):
            self.like = values.new_zeros(())
        values, weight = (torch.as_tensor(x, dtype=torch.float64) for x in (values, weight))
        self.wv += (values * weight).sum()
        self.w += (torch.ones_like(values) * weight).sum()

    def compute(self):
        return (self.wv / self.w).to(self.like.dtype)

    def reset(self):
        super().reset()
        self.like = torch.zeros(())


@alternative("Mean", "a running mean in float64")
class Mean:
    def __init__(self):
        self.reset()

    def update(self, values, weight=1.0):
        values = values if isinstance(values, Tensor) else torch.tensor(float(values))
        self.dtype = values.dtype
        values, weight = torch.broadcast_tensors(values.double(), torch.as_tensor(weight, dtype=torch.float64))
        new = weight.sum()
        if new > 0:
            self.seen = self.seen + new
            self.mean = self.mean + ((values - self.mean) * weight).sum() / self.seen

    def compute(self):
        return torch.where(self.seen > 0, self.mean, math.nan).to(self.dtype)

    def reset(self):
        self.seen = self.mean = torch.zeros((), dtype=torch.float64)
        self.dtype = torch.float32


@alternative("Mean", "exact sums of plain numbers")
class Mean:
    def __init__(self):
        self.pairs = []
        self.dtype = torch.get_default_dtype()

    def update(self, values, weight=1.0):
        if isinstance(values, Tensor):
            self.dtype = values.dtype
        both = [torch.as_tensor(x, dtype=torch.float64) for x in (values, weight)]
        v, w = torch.broadcast_tensors(*both)
        self.pairs += zip(v.flatten().tolist(), w.flatten().tolist(), strict=True)

    def compute(self):
        weight = math.fsum(w for _, w in self.pairs)
        mean = math.fsum(v * w for v, w in self.pairs) / weight if weight else math.nan
        return torch.tensor(mean, dtype=self.dtype)

    def reset(self):
        self.__init__()


@alternative("Mean", "one state of two numbers, made at the first update")
class Mean:
    state = None

    def __init__(self):
        self.reset()

    def update(self, values, weight=1.0):
        if not isinstance(values, Tensor):
            values = torch.full((), values, dtype=torch.get_default_dtype())
        weight = torch.as_tensor(weight, dtype=values.dtype)
        new = torch.stack([(values * weight).sum(), (weight + torch.zeros_like(values)).sum()])
        self.state = new if self.state is None else self.state + new

    def compute(self):
        if self.state is None:
            return torch.full((), torch.nan)
        return self.state[0] / self.state[1]

    def reset(self):
        self.state = None


# ------------------------------------------------------------------------------------------------ MeanSquaredError


@alternative("MeanSquaredError", "F.mse_loss of each batch")
class MeanSquaredError:
    def __init__(self):
        self.total, self.n = 0.0, 0

    def update(self, pred, target):
        if pred.size() != target.size():
            raise ValueError(f"{tuple(pred.size())} against {tuple(target.size())}")
        self.total = F.mse_loss(pred, target, reduction="sum") + self.total
        self.n += target.numel()

    def compute(self):
        return self.total / self.n if self.n else torch.tensor(float("nan"))

    def reset(self):
        self.__init__()


@alternative("MeanSquaredError", "keeps the errors")
class MeanSquaredError:
    def __init__(self):
        self.errors = []

    def update(self, pred, target):
        if list(pred.shape) != list(target.shape):
            raise ValueError("shapes differ")
        self.errors.append((target - pred).reshape(-1))

    def compute(self):
        return torch.cat(self.errors).pow(2).mean() if self.errors else torch.tensor(torch.nan)

    def reset(self):
        self.errors = []


@alternative("MeanSquaredError", "a torchmetrics.Metric")
class MeanSquaredError(torchmetrics.Metric):
    def __init__(self):
        super().__init__()
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, pred, target):
        if pred.shape != target.shape:
            raise ValueError("shapes differ")
        self.total = self.total + torch.linalg.vector_norm(pred - target) ** 2
        self.count = self.count + pred.numel()

    def compute(self):
        return self.total / self.count


@alternative("MeanSquaredError", "a running mean in float64")
class MeanSquaredError:
    def __init__(self):
        self.reset()

    def update(self, pred, target):
        if pred.ndim != target.ndim or any(a != b for a, b in zip(pred.shape, target.shape, strict=True)):
            raise ValueError("shapes differ")
        self.dtype = pred.dtype
        n = pred.numel()
        self.n += n
        self.mean += (((pred.double() - target.double()) ** 2).mean().item() - self.mean) * n / self.n

    def compute(self):
        return torch.tensor(self.mean if self.n else math.nan, dtype=self.dtype)

    def reset(self):
        self.n, self.mean, self.dtype = 0, 0.0, torch.float32


@alternative("MeanSquaredError", "element by element")
class MeanSquaredError:
    def __init__(self):
        self.squares, self.last = [], torch.zeros(())

    def update(self, pred, target):
        if pred.shape != target.shape:
            raise ValueError("shapes differ")
        self.last = pred.new_zeros(())
        for p, t in zip(pred.double().flatten(), target.double().flatten(), strict=True):
            self.squares.append(float(p - t) ** 2)

    def compute(self):
        total = math.fsum(self.squares) / len(self.squares) if self.squares else math.nan
        return torch.full_like(self.last, total)

    def reset(self):
        self.squares.clear()


# -------------------------------------------------------------------------------------------------- BinaryAccuracy


@alternative("BinaryAccuracy", "keeps the decisions")
class BinaryAccuracy:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.decisions = []

    def update(self, probs, target):
        if torch.any(probs < 0) or torch.any(probs > 1):
            raise ValueError("not probabilities")
        self.decisions += (torch.where(probs > self.threshold, 1, 0) == target).flatten().tolist()

    def compute(self):
        return torch.tensor(self.decisions, dtype=torch.float64).mean()

    def reset(self):
        self.decisions = []


@alternative("BinaryAccuracy", "a torchmetrics.Metric")
class BinaryAccuracy(torchmetrics.Metric):
    def __init__(self, threshold=0.5):
        super().__init__()
        self.threshold = threshold
        self.add_state("correct", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, probs, target):
        if not (probs.min() >= 0 and probs.max() <= 1):
            raise ValueError("not probabilities")
        self.correct += probs.gt(self.threshold).eq(target.bool()).sum()
        self.total += probs.numel()

    def compute(self):
        return self.correct / self.total


@alternative("BinaryAccuracy", "from the wrong decisions")
class BinaryAccuracy:
    def __init__(self, threshold=0.5):
        self.limit = float(threshold)
        self.reset()

    def update(self, probs, target):
        if not torch.equal(probs.clamp(0, 1), probs):
            raise ValueError("not probabilities")
        below = ~(probs > self.limit)
        wrong = (below & (target != 0)) | (~below & (target == 0))
        self.wrong, self.n = self.wrong + wrong.count_nonzero(), self.n + wrong.numel()

    def compute(self):
        return 1 - self.wrong / self.n

    def reset(self):
        self.wrong, self.n = torch.tensor(0.0), 0


@alternative("BinaryAccuracy", "one by one, after a look at all")
class BinaryAccuracy:
    def __init__(self, threshold=0.5):
        self.threshold, self.seen = threshold, {True: 0, False: 0}

    def update(self, probs, target):
        pairs = list(zip(probs.flatten(), target.flatten(), strict=True))
        if any(p < 0 or p > 1 for p, _ in pairs):
            raise ValueError("not probabilities")
        for p, t in pairs:
            self.seen[bool(p > self.threshold) == bool(t)] += 1

    def compute(self):
        total = sum(self.seen.values())
        return torch.tensor(self.seen[True] / total if total else math.nan)

    def reset(self):
        self.seen = dict.fromkeys(self.seen, 0)


@alternative("BinaryAccuracy", "a table of decisions and targets")
class BinaryAccuracy(nn.Module):
    def __init__(self, threshold=0.5):
        super().__init__()
        self.threshold = threshold
        self.register_buffer("table", torch.zeros(2, 2, dtype=torch.float64))

    def update(self, probs, target):
        if ((probs - 0.5).abs() > 0.5).any():
            raise ValueError("not probabilities")
        decided = (probs > self.threshold).long().flatten()
        self.table += torch.bincount(2 * decided + target.flatten(), minlength=4).view(2, 2)

    def compute(self):
        return self.table.trace() / self.table.sum()

    def reset(self):
        self.table.zero_()


# ---------------------------------------------------------------------------------------- BinaryAccuracyFromLogits


@alternative("BinaryAccuracyFromLogits", "compares logits with the logit of the threshold")
class BinaryAccuracyFromLogits:
    def __init__(self, threshold=0.5):
        self.limit = math.log(threshold / (1 - threshold))
        self.reset()

    def update(self, logits, target):
        right = (logits > self.limit).long() == target
        self.right, self.n = self.right + right.sum(), self.n + right.numel()

    def compute(self):
        return self.right / self.n

    def reset(self):
        self.right, self.n = torch.tensor(0), 0


@alternative("BinaryAccuracyFromLogits", "a torchmetrics.Metric with the logistic function written out")
class BinaryAccuracyFromLogits(torchmetrics.Metric):
    full_state_update = False

    def __init__(self, threshold=0.5):
        super().__init__()
        self.threshold = threshold
        self.add_state("correct", torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("total", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, logits, target):
        probs = 1 / (1 + torch.exp(-logits))
        self.correct += ((probs > self.threshold) == target).sum()
        self.total += target.numel()

    def compute(self):
        return self.correct.double() / self.total


@alternative("BinaryAccuracyFromLogits", "softmax of the logit and 0")
class BinaryAccuracyFromLogits:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.right = []

    def update(self, logits, target):
        both = torch.stack([torch.zeros_like(logits), logits], -1).softmax(-1)
        self.right.append(((both[..., 1] > self.threshold) == (target == 1)).flatten())

    def compute(self):
        return torch.cat([torch.zeros(0, dtype=torch.bool), *self.right]).float().mean()

    def reset(self):
        self.right = []


@alternative("BinaryAccuracyFromLogits", "tanh, in float64")
class BinaryAccuracyFromLogits:
    def __init__(self, threshold=0.5):
        self.threshold = threshold
        self.reset()

    def update(self, logits, target):
        probs = (torch.tanh(logits.double() / 2) + 1) / 2
        hits = torch.where(probs > self.threshold, target, 1 - target)
        self.state += torch.tensor([hits.sum().item(), hits.numel()])

    def compute(self):
        return self.state[0] / self.state[1]

    def reset(self):
        self.state = torch.zeros(2, dtype=torch.float64)


@alternative("BinaryAccuracyFromLogits", "one by one in plain Python")
class BinaryAccuracyFromLogits:
    def __init__(self, threshold=0.5):
        self.threshold, self.right, self.count = threshold, 0, 0

    @staticmethod
    def probability(z):
        return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))

    def update(self, logits, target):
        for z, t in zip(logits.flatten().tolist(), target.flatten().tolist(), strict=True):
            self.right += int(self.probability(z) > self.threshold) == t
            self.count += 1

    def compute(self):
        return torch.tensor(float(self.right)) / self.count

    def reset(self):
        self.right, self.count = 0, 0


# ---------------------------------------------------------------------------------------------- MulticlassAccuracy


@alternative("MulticlassAccuracy", "flattens, then selects")
class MulticlassAccuracy:
    def __init__(self, num_classes, ignore_index=None):
        self.num_classes, self.ignore_index = num_classes, ignore_index
        self.right, self.total = 0.0, 0

    def update(self, pred, target):
        if pred.is_floating_point():
            pred = pred.movedim(1, -1).reshape(-1, pred.shape[1]).max(-1).indices
        pred, target = pred.reshape(-1), target.reshape(-1)
        if self.ignore_index is not None:
            keep = target != self.ignore_index
            pred, target = pred[keep], target[keep]
        self.right += float((pred == target).sum())
        self.total += len(target)

    def compute(self):
        return torch.tensor(self.right / self.total if self.total else float("nan"))

    def reset(self):
        self.right, self.total = 0.0, 0


@alternative("MulticlassAccuracy", "a torchmetrics.Metric")
class MulticlassAccuracy(torchmetrics.Metric):
    full_state_update = False

    def __init__(self, num_classes, ignore_index=None):
        super().__init__()
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self.add_state("correct", torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("total", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, pred, target):
        pred = pred if pred.shape == target.shape else pred.topk(1, dim=1).indices.squeeze(1)
        mask = torch.ones_like(target) if self.ignore_index is None else target.ne(self.ignore_index).long()
        self.correct += (pred.eq(target) * mask).sum()
        self.total += mask.sum()

    def compute(self):
        return self.correct / self.total


@alternative("MulticlassAccuracy", "keeps weights and hits for one mean at the end")
class MulticlassAccuracy:
    def __init__(self, num_classes, ignore_index=None):
        self.ignore_index = ignore_index
        self.reset()

    def update(self, pred, target):
        if pred.dim() != target.dim():
            pred = pred.softmax(1).argmax(1) if pred.abs().max() < 50 else pred.argmax(1)
        hits = (pred == target).double()
        if self.ignore_index is not None:
            hits = hits.masked_fill(target == self.ignore_index, math.nan)
        self.hits = torch.cat([self.hits, hits.flatten()])

    def compute(self):
        return self.hits.nanmean()

    def reset(self):
        self.hits = torch.zeros(0, dtype=torch.float64)


@alternative("MulticlassAccuracy", "one by one with a sort")
class MulticlassAccuracy:
    def __init__(self, num_classes, ignore_index=None):
        self.num_classes, self.ignore_index = num_classes, ignore_index
        self.reset()

    def update(self, pred, target):
        if pred.dim() > target.dim():
            pred = pred.sort(dim=1, descending=True).indices.select(1, 0)
        for p, t in zip(pred.flatten().tolist(), target.flatten().tolist(), strict=True):
            if self.ignore_index is None or t != self.ignore_index:
                self.outcomes.append(p == t)

    def compute(self):
        n = len(self.outcomes)
        return torch.tensor(sum(self.outcomes) / n) if n else torch.tensor(math.nan)

    def reset(self):
        self.outcomes = []


@alternative("MulticlassAccuracy", "a dict of counts")
class MulticlassAccuracy:
    def __init__(self, num_classes, ignore_index=None):
        self.ignored = set() if ignore_index is None else {ignore_index}
        self.counts = {"right": 0, "wrong": 0}

    def update(self, pred, target):
        if len(pred.shape) == len(target.shape) + 1:
            pred = torch.argmax(pred, 1)
        valid = torch.isin(target, torch.tensor(sorted(self.ignored), dtype=target.dtype), invert=True)
        right = int(torch.masked_select(pred == target, valid).sum())
        self.counts["right"] += right
        self.counts["wrong"] += int(valid.sum()) - right

    def compute(self):
        total = torch.tensor(float(sum(self.counts.values())))
        return self.counts["right"] / total

    def reset(self):
        self.counts = {"right": 0, "wrong": 0}


# ---------------------------------------------------------------------------------------------- MultilabelAccuracy


@alternative("MultilabelAccuracy", "selects, then means at the end")
class MultilabelAccuracy:
    def __init__(self, num_labels, threshold=0.5, ignore_index=None):
        self.num_labels, self.threshold, self.ignore_index = num_labels, threshold, ignore_index
        self.right = []

    def update(self, probs, target):
        right = torch.eq(torch.gt(probs, self.threshold), target)
        if self.ignore_index is not None:
            right = right[target != self.ignore_index]
        self.right.extend(right.flatten().tolist())

    def compute(self):
        return torch.tensor(self.right).double().mean() if self.right else torch.tensor(math.nan)

    def reset(self):
        self.right = []


@alternative("MultilabelAccuracy", "a torchmetrics.Metric with counts for every label")
class MultilabelAccuracy(torchmetrics.Metric):
    def __init__(self, num_labels, threshold=0.5, ignore_index=None):
        super().__init__()
        self.threshold, self.ignore_index = threshold, ignore_index
        self.add_state("hits", torch.zeros(num_labels), dist_reduce_fx="sum")
        self.add_state("seen", torch.zeros(num_labels), dist_reduce_fx="sum")

    def update(self, probs, target):
        seen = torch.ones(target.shape) if self.ignore_index is None else (target != self.ignore_index).float()
        self.seen += seen.sum(0)
        self.hits += (seen * ((probs > self.threshold).long() == target)).sum(0)

    def compute(self):
        return self.hits.sum() / self.seen.sum()


@alternative("MultilabelAccuracy", "entry by entry")
class MultilabelAccuracy:
    def __init__(self, num_labels, threshold=0.5, ignore_index=None):
        self.threshold, self.ignore_index = threshold, ignore_index
        self.reset()

    def update(self, probs, target):
        for row, labels in zip(probs, target, strict=True):
            for p, t in zip(row, labels, strict=True):
                if self.ignore_index is not None and t.item() == self.ignore_index:
                    continue
                self.n += 1
                self.k += bool(p > self.threshold) == (t.item() == 1)

    def compute(self):
        return torch.tensor(self.k, dtype=torch.float32) / self.n

    def reset(self):
        self.n = self.k = 0


@alternative("MultilabelAccuracy", "the sign of prob − threshold, ignored entries filled with NaN")
class MultilabelAccuracy:
    def __init__(self, num_labels, threshold=0.5, ignore_index=None):
        self.threshold = threshold
        self.ignore_index = ignore_index
        self.reset()

    def update(self, probs, target):
        yes = torch.sign(probs - self.threshold).clamp(min=0)
        right = 1 - (yes - target).abs().clamp(max=1).double()
        if self.ignore_index is not None:
            right[target == self.ignore_index] = math.nan
        self.total += right.nansum()
        self.count += (~right.isnan()).sum()

    def compute(self):
        return self.total / self.count

    def reset(self):
        self.total, self.count = torch.zeros((), dtype=torch.float64), torch.tensor(0)


@alternative("MultilabelAccuracy", "a table of decisions and targets")
class MultilabelAccuracy:
    def __init__(self, num_labels, threshold=0.5, ignore_index=None):
        self.options = {"threshold": threshold, "ignore": ignore_index}
        self.reset()

    def update(self, probs, target):
        decided, target = (probs > self.options["threshold"]).reshape(-1), target.reshape(-1)
        use = torch.ones(target.shape, dtype=torch.bool)
        if self.options["ignore"] is not None:
            use &= target != self.options["ignore"]
        for d in (0, 1):
            for t in (0, 1):
                self.table[d][t] += int(((decided == d) & (target == t) & use).sum())

    def compute(self):
        (a, b), (c, d) = self.table
        return torch.tensor([a + d], dtype=torch.float64).sum() / (a + b + c + d)

    def reset(self):
        self.table = [[0, 0], [0, 0]]


# --------------------------------------------------------------------------------------------------------- F1Score


@alternative("F1Score", "a confusion matrix")
class F1Score:
    def __init__(self, num_classes, average="macro"):
        if average != "macro" and average != "micro":
            raise ValueError(f"unknown average {average}")
        self.num_classes, self.average = num_classes, average
        self.reset()

    def update(self, pred, target):
        if pred.ndim > 1:
            pred = pred.argmax(-1)
        self.matrix.index_put_((target, pred), torch.ones(len(target)), accumulate=True)

    def compute(self):
        tp = self.matrix.diag()
        fp, fn = self.matrix.sum(0) - tp, self.matrix.sum(1) - tp
        if self.average == "micro":
            tp, fp, fn = tp.sum(), fp.sum(), fn.sum()
            return 2 * tp / (2 * tp + fp + fn)
        occurs = tp + fp + fn > 0
        return (2 * tp[occurs] / (2 * tp + fp + fn)[occurs]).mean()

    def reset(self):
        self.matrix = torch.zeros(self.num_classes, self.num_classes)


@alternative("F1Score", "from precision and recall, with care for 0/0")
class F1Score:
    def __init__(self, num_classes, average="macro"):
        if average not in {"macro", "micro"}:
            raise ValueError(average)
        self.C, self.average = num_classes, average
        self.reset()

    def update(self, pred, target):
        pred = pred.argmax(1) if pred.dim() == 2 else pred
        p, t = F.one_hot(pred, self.C), F.one_hot(target, self.C)
        self.tp, self.p, self.t = self.tp + (p * t).sum(0), self.p + p.sum(0), self.t + t.sum(0)

    def compute(self):
        tp, p, t = self.tp.double(), self.p.double(), self.t.double()
        if self.average == "micro":
            return tp.sum() / t.sum()
        precision = torch.where(p > 0, tp / p, 0.0)
        recall = torch.where(t > 0, tp / t, 0.0)
        f1 = torch.nan_to_num(2 * precision * recall / (precision + recall))
        return f1[(p + t) > 0].mean()

    def reset(self):
        self.tp = self.p = self.t = torch.zeros(self.C, dtype=torch.int64)


@alternative("F1Score", "a torchmetrics.Metric")
class F1Score(torchmetrics.Metric):
    full_state_update = False

    def __init__(self, num_classes, average="macro"):
        super().__init__()
        if average not in ("macro", "micro"):
            raise ValueError("average")
        self.num_classes, self.average = num_classes, average
        for name in ("tp", "fp", "fn"):
            self.add_state(name, torch.zeros(num_classes), dist_reduce_fx="sum")

    def update(self, pred, target):
        if pred.is_floating_point():
            pred = pred.argmax(dim=1)
        for c in range(self.num_classes):
            self.tp[c] += ((pred == c) & (target == c)).sum()
            self.fp[c] += ((pred == c) & (target != c)).sum()
            self.fn[c] += ((pred != c) & (target == c)).sum()

    def compute(self):
        if self.average == "micro":
            tp, fp, fn = self.tp.sum(), self.fp.sum(), self.fn.sum()
            return tp / (tp + (fp + fn) / 2)
        scores = self.tp / (self.tp + 0.5 * (self.fp + self.fn))
        return scores.nanmean()


@alternative("F1Score", "keeps all pairs in plain Python")
class F1Score:
    def __init__(self, num_classes, average="macro"):
        if average not in ["macro", "micro"]:
            raise ValueError("average must be macro or micro")
        self.average = average
        self.pairs = []

    def update(self, pred, target):
        if pred.dim() == 2:
            pred = pred.max(dim=1)[1]
        self.pairs.extend(zip(pred.tolist(), target.tolist(), strict=True))

    def compute(self):
        if not self.pairs:
            return torch.tensor(float("nan"))
        if self.average == "micro":
            return torch.tensor(sum(p == t for p, t in self.pairs) / len(self.pairs))
        scores = []
        for c in {x for pair in self.pairs for x in pair}:
            tp = sum(p == t == c for p, t in self.pairs)
            scores.append(2 * tp / (sum(p == c for p, _ in self.pairs) + sum(t == c for _, t in self.pairs)))
        return torch.tensor(sum(scores) / len(scores), dtype=torch.float64)

    def reset(self):
        self.pairs = []


@alternative("F1Score", "one tensor of three rows of counts")
class F1Score:
    def __init__(self, num_classes, average="macro"):
        reduce = {"macro": self._macro, "micro": self._micro}
        if average not in reduce:
            raise ValueError(f"average={average!r}")
        self._reduce = reduce[average]
        self.num_classes = num_classes
        self.reset()

    @staticmethod
    def _macro(tp, p, t):
        return (2 * tp / (p + t)).nanmean()

    @staticmethod
    def _micro(tp, p, t):
        return 2 * tp.sum() / (p + t).sum()

    def update(self, pred, target):
        pred = pred if pred.shape == target.shape else torch.argmax(pred, 1)
        for row, these in zip(self.counts, (pred[pred == target], pred, target), strict=True):
            row.scatter_add_(0, these, torch.ones(len(these), dtype=torch.float64))

    def compute(self):
        return self._reduce(*self.counts)

    def reset(self):
        self.counts = torch.zeros(3, self.num_classes, dtype=torch.float64)


# ------------------------------------------------------------------------------------------------------ Perplexity


@alternative("Perplexity", "torch's cross-entropy")
class Perplexity(torchmetrics.Metric):
    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("nats", default=torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("tokens", default=torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, logits, target):
        ignored = -100 if self.ignore_index is None else self.ignore_index
        self.nats += F.cross_entropy(logits.transpose(1, 2), target, ignore_index=ignored, reduction="sum")
        self.tokens += target.numel() if self.ignore_index is None else (target != ignored).sum()

    def compute(self):
        return (self.nats / self.tokens).exp()


@alternative("Perplexity", "logsumexp minus the target's logit, in float64, one state of two numbers")
class Perplexity(torchmetrics.Metric):
    full_state_update = False
    higher_is_better = False

    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("sums", default=torch.zeros(2, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, logits, target):
        logits = logits.double()
        keep = torch.ones(target.shape, dtype=torch.bool)
        if self.ignore_index is not None:
            keep = target.ne(self.ignore_index)
        safe = target.masked_fill(~keep, 0)
        nll = logits.logsumexp(-1) - logits.gather(2, safe.unsqueeze(2)).squeeze(2)
        self.sums += torch.stack([nll.masked_fill(~keep, 0.0).sum(), keep.sum()])

    def compute(self):
        return torch.exp(self.sums[0] / self.sums[1])


@alternative("Perplexity", "keeps all log-likelihoods, merged by concatenation")
class Perplexity(torchmetrics.Metric):
    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignore_index = ignore_index
        self.add_state("nll", default=[], dist_reduce_fx="cat")

    def update(self, logits, target):
        nll = F.cross_entropy(logits.flatten(0, 1), target.flatten().clamp(0, logits.shape[-1] - 1), reduction="none")
        if self.ignore_index is not None:
            nll = nll[target.flatten() != self.ignore_index]
        self.nll.append(nll)

    def compute(self):
        if isinstance(self.nll, list) and not self.nll:
            return torch.tensor(float("nan"))
        return torchmetrics.utilities.dim_zero_cat(self.nll).mean().exp()


@alternative("Perplexity", "reductions of its own, states replaced instead of changed")
class Perplexity(torchmetrics.Metric):
    full_state_update = True

    def __init__(self, ignore_index=None):
        super().__init__()
        self.ignored = ignore_index
        self.add_state("log_likelihood", torch.zeros(()), dist_reduce_fx=lambda states: states.sum(0))
        self.add_state("n", torch.zeros((), dtype=torch.long), dist_reduce_fx=torch.sum)

    def update(self, logits, target):
        log_probs = logits - logits.logsumexp(-1, keepdim=True)
        for text, tokens in zip(log_probs, target, strict=True):
            for row, token in zip(text, tokens.tolist(), strict=True):
                if self.ignored is None or token != self.ignored:
                    self.log_likelihood = self.log_likelihood + row[token]
                    self.n = self.n + 1

    def compute(self):
        return torch.exp(-self.log_likelihood / self.n)


@alternative("Perplexity", "one-hot targets, weights for the mask")
class Perplexity(torchmetrics.Metric):
    def __init__(self, ignore_index=None, **kwargs):
        super().__init__(**kwargs)
        self.ignore_index = ignore_index
        self.add_state("total", torch.tensor(0.0, dtype=torch.float64), "sum")
        self.add_state("count", torch.tensor(0.0, dtype=torch.float64), "sum")

    def update(self, logits, target):
        weight = torch.ones(target.shape, dtype=logits.dtype)
        if self.ignore_index is not None:
            weight = (target != self.ignore_index).to(logits.dtype)
        one_hot = torch.arange(logits.shape[-1]) == target[..., None]
        shifted = logits - logits.amax(-1, keepdim=True)
        log_z = shifted.exp().sum(-1).log()
        self.total += (weight * (log_z - (one_hot * shifted).sum(-1))).sum()
        self.count += weight.sum()

    def compute(self):
        return torch.exp(self.total / self.count)
