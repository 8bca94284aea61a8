"""Right implementations of 02_backprop, as different as students are: all of them keep all points."""

import math

import torch

from course_lib.checks import alternative

# ---------------------------------------------------------------------------------------------------------- affine


@alternative("affine", "einsum")
def affine(x, W, b):
    return torch.einsum("nd,dh->nh", x, W) + b.unsqueeze(0)


@alternative("affine", "addmm")
def affine(x, W, b):
    return torch.addmm(b, x, W)


@alternative("affine", "loops over single numbers")
def affine(x, W, b):
    n, d, h = x.shape[0], x.shape[1], W.shape[1]
    out = torch.zeros(n, h, dtype=x.dtype)
    for i in range(n):
        for j in range(h):
            total = b[j]
            for k in range(d):
                total = total + x[i, k] * W[k, j]
            out[i, j] = total
    return out


@alternative("affine", "a 1 appended to every example")
def affine(x, W, b):
    ones = torch.ones(len(x), 1, dtype=x.dtype)
    return torch.cat([x, ones], dim=1) @ torch.cat([W, b[None]])


@alternative("affine", "broadcast products, in float64 and in place on a copy")
def affine(x, W, b):
    out = (x.double().unsqueeze(2) * W.double().unsqueeze(0)).sum(dim=1)
    out += b
    return out.to(x.dtype)


@alternative("affine", "transposed twice, example by example")
def affine(x, W, b):
    return torch.stack([W.T.mv(example) for example in x]).add(b.expand(len(x), -1))


# ------------------------------------------------------------------------------------------------- affine_backward


@alternative("affine_backward", "einsum, as a list")
def affine_backward(grad_out, x, W):
    grad_x = torch.einsum("nh,dh->nd", grad_out, W)
    grad_W = torch.einsum("nd,nh->dh", x, grad_out)
    grad_b = torch.einsum("nh->h", grad_out)
    return [grad_x, grad_W, grad_b]


@alternative("affine_backward", "added up example by example")
def affine_backward(grad_out, x, W):
    grad_x = torch.zeros_like(x)
    grad_W = torch.zeros_like(W)
    grad_b = torch.zeros(W.shape[1], dtype=W.dtype)
    for n in range(len(x)):
        grad_x[n] = W @ grad_out[n]
        grad_W += torch.outer(x[n], grad_out[n])
        grad_b += grad_out[n]
    return grad_x, grad_W, grad_b


@alternative("affine_backward", "a batch of matrix products, in float64")
def affine_backward(grad_out, x, W):
    G, X, V = grad_out.double(), x.double(), W.double()
    pairs = torch.bmm(X.unsqueeze(2), G.unsqueeze(1))
    grads = (V @ G.T).T, pairs.sum(0), torch.ones(len(X), dtype=torch.float64) @ G
    return tuple(grad.to(x.dtype) for grad in grads)


@alternative("affine_backward", "the bias as the weight of a constant input")
def affine_backward(grad_out, x, W):
    ones = x.new_ones(len(x), 1)
    both = torch.cat([x, ones], dim=1).t().matmul(grad_out)
    return torch.matmul(grad_out, W.transpose(0, 1)), both[:-1], both[-1]


@alternative("affine_backward", "element by element over the weights")
def affine_backward(grad_out, x, W):
    grad_W = torch.empty_like(W)
    for d in range(W.shape[0]):
        for h in range(W.shape[1]):
            grad_W[d, h] = (x[:, d] * grad_out[:, h]).sum()
    grad_x = torch.stack([(grad_out * W[d]).sum(dim=1) for d in range(W.shape[0])], dim=1)
    return grad_x, grad_W, torch.stack([column.sum() for column in grad_out.unbind(dim=1)])


@alternative("affine_backward", "products of transposes, with the bias by a mean times N")
def affine_backward(grad_out, x, W):
    return W.mm(grad_out.T).T, grad_out.T.mm(x).T, grad_out.mean(dim=0) * len(x)


# ------------------------------------------------------------------------------------------------ sigmoid_backward


@alternative("sigmoid_backward", "multiplied out")
def sigmoid_backward(grad_out, out):
    return grad_out * (out - out**2)


@alternative("sigmoid_backward", "in place on a copy")
def sigmoid_backward(grad_out, out):
    grad = torch.ones_like(out)
    grad -= out
    grad *= out
    grad *= grad_out
    return grad


@alternative("sigmoid_backward", "as the slope of tanh, a quarter of it")
def sigmoid_backward(grad_out, out):
    t = 2 * out - 1
    return grad_out * (1 - t * t) / 4


@alternative("sigmoid_backward", "element by element, in plain numbers")
def sigmoid_backward(grad_out, out):
    pairs = zip(grad_out.flatten().tolist(), out.flatten().tolist(), strict=True)
    return torch.tensor([g * s * (1 - s) for g, s in pairs], dtype=out.dtype).reshape(out.shape)


@alternative("sigmoid_backward", "a lambda inside, in float64")
def sigmoid_backward(grad_out, out):
    slope = lambda s: s * s.neg().add(1)  # noqa: E731
    return (grad_out.double() * slope(out.double())).type_as(out)


@alternative("sigmoid_backward", "addcmul")
def sigmoid_backward(grad_out, out):
    g = grad_out * out
    return torch.addcmul(g, g, out, value=-1)


# --------------------------------------------------------------------------------------------------- tanh_backward


@alternative("tanh_backward", "a product of two factors")
def tanh_backward(grad_out, out):
    return grad_out * (1 + out) * (1 - out)


@alternative("tanh_backward", "multiplied out")
def tanh_backward(grad_out, out):
    return grad_out - grad_out * out.square()


@alternative("tanh_backward", "with the hyperbolic cosine of z")
def tanh_backward(grad_out, out):
    return grad_out / torch.cosh(torch.atanh(out)) ** 2


@alternative("tanh_backward", "in place on a copy")
def tanh_backward(grad_out, out):
    slope = out.clone()
    slope.pow_(2).neg_().add_(1)
    return slope.mul_(grad_out)


@alternative("tanh_backward", "element by element, in plain numbers")
def tanh_backward(grad_out, out):
    pairs = zip(grad_out.reshape(-1).tolist(), out.reshape(-1).tolist(), strict=True)
    return torch.tensor([g * (1 - t * t) for g, t in pairs], dtype=out.dtype).reshape(out.shape)


@alternative("tanh_backward", "by way of σ")
def tanh_backward(grad_out, out):
    s = (out.double() + 1) / 2
    return (4 * s * (1 - s) * grad_out.double()).to(grad_out.dtype)


# --------------------------------------------------------------------------------------------------- relu_backward


@alternative("relu_backward", "torch.where")
def relu_backward(grad_out, z):
    return torch.where(z > 0, grad_out, torch.zeros_like(grad_out))


@alternative("relu_backward", "masked_fill")
def relu_backward(grad_out, z):
    return grad_out.masked_fill(z <= 0, 0)


@alternative("relu_backward", "writes into a copy")
def relu_backward(grad_out, z):
    grad = grad_out.clone()
    grad[~z.gt(0)] = 0
    return grad


@alternative("relu_backward", "the sign of the output")
def relu_backward(grad_out, z):
    return torch.relu(z).sign() * grad_out


@alternative("relu_backward", "heaviside")
def relu_backward(grad_out, z):
    return grad_out * torch.heaviside(z, torch.zeros((), dtype=z.dtype))


@alternative("relu_backward", "element by element")
def relu_backward(grad_out, z):
    entries = [g if v > 0 else g * 0 for g, v in zip(grad_out.flatten(), z.flatten(), strict=True)]
    return torch.stack(entries).reshape(z.shape)


# ----------------------------------------------------------------------------------------------------- mlp_forward


@alternative("mlp_forward", "with affine, and a dict for the cache")
def mlp_forward(x, W1, b1, W2, b2):
    z = affine(x, W1, b1)
    h = torch.tanh(z)
    return affine(h, W2, b2), {"x": x, "z": z, "h": h, "W1": W1, "W2": W2}


@alternative("mlp_forward", "einsum, and an object for the cache")
def mlp_forward(x, W1, b1, W2, b2):
    class Cache:
        pass

    cache = Cache()
    cache.h = (torch.einsum("nd,dh->nh", x, W1) + b1).tanh()
    return [torch.einsum("nh,ho->no", cache.h, W2) + b2, cache]


@alternative("mlp_forward", "keeps nothing but its arguments")
def mlp_forward(x, W1, b1, W2, b2):
    return torch.addmm(b2, torch.addmm(b1, x, W1).tanh_(), W2), (x, W1, b1, W2, b2)


@alternative("mlp_forward", "the cache is a function")
def mlp_forward(x, W1, b1, W2, b2):
    h = torch.tanh(x @ W1 + b1)

    def back(grad_out):
        grad_z = (grad_out @ W2.T) * (1 - h * h)
        return {"W1": x.T @ grad_z, "b1": grad_z.sum(0), "W2": h.T @ grad_out, "b2": grad_out.sum(0)}

    return h.matmul(W2).add(b2), back


@alternative("mlp_forward", "example by example, in float64")
def mlp_forward(x, W1, b1, W2, b2):
    outs = []
    for example in x.double():
        hidden = torch.tanh(W1.double().T @ example + b1)
        outs.append(W2.double().T @ hidden + b2)
    return torch.stack(outs).to(x.dtype), None


@alternative("mlp_forward", "one hidden unit after the other, tanh by way of σ")
def mlp_forward(x, W1, b1, W2, b2):
    out = b2.repeat(len(x), 1)
    units = []
    for j in range(len(b1)):
        units.append(2 * torch.sigmoid(2 * ((x * W1[:, j]).sum(dim=1) + b1[j])) - 1)
        out = out + torch.outer(units[-1], W2[j])
    return out, [x, units, W1, W2]


# ---------------------------------------------------------------------------------------------------- mlp_backward


@alternative("mlp_backward", "matrix products throughout")
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = cache
    grad_z = grad_out @ W2.T * (1 - h**2)
    return {
        "W2": h.T @ grad_out,
        "b2": grad_out.sum(0),
        "W1": x.T @ grad_z,
        "b1": grad_z.sum(0),
        "x": grad_z @ W1.T,
    }


@alternative("mlp_backward", "with affine_backward, and extra keys")
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = cache
    grads = {}
    grads["h"], grads["W2"], grads["b2"] = affine_backward(grad_out, h, W2)
    grads["z"] = tanh_backward(grads["h"], h)
    grads["x"], grads["W1"], grads["b1"] = affine_backward(grads["z"], x, W1)
    return grads


@alternative("mlp_backward", "einsum")
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = cache
    grad_z = torch.einsum("no,ho,nh->nh", grad_out, W2, (1 - h) * (1 + h))
    return {
        "x": torch.einsum("nh,dh->nd", grad_z, W1),
        "W1": torch.einsum("nd,nh->dh", x, grad_z),
        "b1": torch.einsum("nh->h", grad_z),
        "W2": torch.einsum("nh,no->ho", h, grad_out),
        "b2": torch.einsum("no->o", grad_out),
    }


@alternative("mlp_backward", "example by example")
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = cache
    grads = {
        "x": torch.zeros_like(x),
        "W1": torch.zeros_like(W1),
        "b1": torch.zeros(W1.shape[1], dtype=W1.dtype),
        "W2": torch.zeros_like(W2),
        "b2": torch.zeros(W2.shape[1], dtype=W2.dtype),
    }
    for n in range(len(x)):
        at_z = (W2 @ grad_out[n]) * (1 - h[n] ** 2)
        grads["b2"] += grad_out[n]
        grads["W2"] += h[n][:, None] * grad_out[n][None, :]
        grads["b1"] += at_z
        grads["W1"] += x[n][:, None] * at_z[None, :]
        grads["x"][n] = W1 @ at_z
    return grads


@alternative("mlp_backward", "in float64 inside")
def mlp_backward(grad_out, cache):
    x, h, W1, W2 = (part.double() for part in cache)
    g = grad_out.double()
    at_z = (W2 @ g.T).T
    at_z -= at_z * h.square()
    ones = torch.ones(len(x), dtype=torch.float64)
    grads = {"x": at_z @ W1.T, "W1": (at_z.T @ x).T, "b1": ones @ at_z, "W2": (g.T @ h).T, "b2": ones @ g}
    return {name: grad.to(grad_out.dtype) for name, grad in grads.items()}


@alternative("mlp_backward", "a class of dict, filled from the end")
def mlp_backward(grad_out, cache):
    class Gradients(dict):
        pass

    grads = Gradients()
    x, h, W1, W2 = cache
    grads["b2"] = grad_out.sum(dim=0)
    grads["W2"] = torch.mm(h.t(), grad_out)
    upstream = torch.mm(grad_out, W2.t()).clone()
    upstream.mul_(1 - torch.pow(h, 2))
    grads.update(b1=upstream.sum(dim=0), W1=torch.mm(x.t(), upstream), x=torch.mm(upstream, W1.t()))
    return grads


# ---------------------------------------------------------------------------------------------------------- Scalar


@alternative("Scalar", "closures, as in micrograd, with an iterative order")
class Scalar:
    def __init__(self, value, parents=()):
        self.value = value
        self.grad = 0.0
        self._parents = set(parents)
        self._backward = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Scalar) else Scalar(other)
        out = Scalar(self.value + other.value, (self, other))

        def back():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = back
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Scalar) else Scalar(other)
        out = Scalar(self.value * other.value, (self, other))

        def back():
            self.grad += other.value * out.grad
            other.grad += self.value * out.grad

        out._backward = back
        return out

    def __pow__(self, n):
        out = Scalar(self.value**n, (self,))

        def back():
            self.grad += n * self.value ** (n - 1) * out.grad

        out._backward = back
        return out

    def exp(self):
        out = Scalar(math.exp(self.value), (self,))

        def back():
            self.grad += out.value * out.grad

        out._backward = back
        return out

    def tanh(self):
        out = Scalar(math.tanh(self.value), (self,))

        def back():
            self.grad += (1 - out.value**2) * out.grad

        out._backward = back
        return out

    def __neg__(self):
        return -1 * self

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return other + (-self)

    __radd__ = __add__
    __rmul__ = __mul__

    def backward(self):
        order, done, stack = [], set(), [self]
        while stack:
            node = stack[-1]
            missing = [p for p in node._parents if p not in done]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            if node not in done:
                done.add(node)
                order.append(node)
        self.grad = 1.0
        for node in reversed(order):
            node._backward()


@alternative("Scalar", "numbered nodes, the latest first")
class Scalar:
    made = 0

    def __init__(self, value, links=()):
        Scalar.made += 1
        self.number = Scalar.made
        self.value, self.grad, self.links = float(value), 0.0, list(links)

    @staticmethod
    def of(x):
        return x if isinstance(x, Scalar) else Scalar(x)

    def __add__(self, other):
        other = Scalar.of(other)
        return Scalar(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __radd__(self, other):
        return Scalar(other + self.value, [(self, 1.0)])

    def __sub__(self, other):
        other = Scalar.of(other)
        return Scalar(self.value - other.value, [(self, 1.0), (other, -1.0)])

    def __rsub__(self, other):
        return Scalar(other - self.value, [(self, -1.0)])

    def __mul__(self, other):
        other = Scalar.of(other)
        return Scalar(self.value * other.value, [(self, other.value), (other, self.value)])

    def __rmul__(self, other):
        return Scalar(other * self.value, [(self, float(other))])

    def __neg__(self):
        return Scalar(-self.value, [(self, -1.0)])

    def __pow__(self, n):
        return Scalar(self.value**n, [(self, 0.0 if n == 0 else n * self.value ** (n - 1))])

    def exp(self):
        return Scalar(math.exp(self.value), [(self, math.exp(self.value))])

    def tanh(self):
        return Scalar(math.tanh(self.value), [(self, 1 - math.tanh(self.value) ** 2)])

    def backward(self):
        import heapq

        self.grad = 1.0
        waiting, listed = [(-self.number, self)], {self.number}
        while waiting:
            _, node = heapq.heappop(waiting)
            for part, slope in node.links:
                part.grad += slope * node.grad
                if part.number not in listed:
                    listed.add(part.number)
                    heapq.heappush(waiting, (-part.number, part))


@alternative("Scalar", "counts who still has to report")
class Scalar:
    __slots__ = ("grad", "parents", "slopes", "value")

    def __init__(self, value):
        self.value, self.grad, self.parents, self.slopes = value, 0.0, [], []

    def _new(self, value, parents, slopes):
        out = Scalar(value)
        for parent, slope in zip(parents, slopes, strict=True):
            if isinstance(parent, Scalar):
                out.parents.append(parent)
                out.slopes.append(slope)
        return out

    def __add__(self, other):
        number = other.value if isinstance(other, Scalar) else other
        return self._new(self.value + number, (self, other), (1, 1))

    def __mul__(self, other):
        number = other.value if isinstance(other, Scalar) else other
        return self._new(self.value * number, (self, other), (number, self.value))

    def __sub__(self, other):
        number = other.value if isinstance(other, Scalar) else other
        return self._new(self.value - number, (self, other), (1, -1))

    def __rsub__(self, other):
        return self._new(other - self.value, (self,), (-1,))

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __neg__(self):
        return self._new(-self.value, (self,), (-1,))

    def __pow__(self, n):
        return self._new(pow(self.value, n), (self,), (n * pow(self.value, n - 1) if n else 0,))

    def exp(self):
        e = math.exp(self.value)
        return self._new(e, (self,), (e,))

    def tanh(self):
        t = math.tanh(self.value)
        return self._new(t, (self,), ((1 - t) * (1 + t),))

    def backward(self):
        users = {id(self): 0}
        stack = [self]
        while stack:
            for parent in stack.pop().parents:
                if id(parent) not in users:
                    users[id(parent)] = 0
                    stack.append(parent)
                users[id(parent)] += 1
        self.grad = 1.0
        ready = [self]
        while ready:
            node = ready.pop()
            for parent, slope in zip(node.parents, node.slopes, strict=True):
                parent.grad += slope * node.grad
                users[id(parent)] -= 1
                if users[id(parent)] == 0:
                    ready.append(parent)


@alternative("Scalar", "a tape for each graph, joined when graphs meet")
class Scalar:
    def __init__(self, value):
        self.value, self.grad = value, 0.0
        self.tape = [[]]

    def _join(self, other):
        mine, theirs = self._root(), other._root()
        if mine is not theirs:
            mine[0].extend(theirs[0])
            mine[0].sort(key=lambda entry: entry[0])
            theirs[0] = mine
        return mine

    def _root(self):
        tape = self.tape
        while isinstance(tape[0], list) and tape[0] and isinstance(tape[0][0], list):
            tape = tape[0]
        self.tape = tape
        return tape

    def _make(self, value, links):
        out = Scalar(value)
        tape = self._root()
        for node, _ in links:
            tape = self._join(node)
        out.tape = tape
        Scalar.clock = getattr(Scalar, "clock", 0) + 1
        tape[0].append((Scalar.clock, out, links))
        return out

    def __add__(self, other):
        if not isinstance(other, Scalar):
            return self._make(self.value + other, [(self, 1.0)])
        return self._make(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        if not isinstance(other, Scalar):
            return self._make(self.value * other, [(self, other)])
        return self._make(self.value * other.value, [(self, other.value), (other, self.value)])

    def __neg__(self):
        return self._make(-self.value, [(self, -1.0)])

    def __sub__(self, other):
        return self + -1 * other

    def __rsub__(self, other):
        return -(self - other)

    __radd__, __rmul__ = __add__, __mul__

    def __pow__(self, n):
        return self._make(self.value**n, [(self, n * self.value ** (n - 1))])

    def exp(self):
        e = math.e**self.value
        return self._make(e, [(self, e)])

    def tanh(self):
        t = math.tanh(self.value)
        return self._make(t, [(self, 1 - t**2)])

    def backward(self):
        below = {id(self)}
        self.grad = 1.0
        for _, node, links in reversed(self._root()[0]):
            if id(node) in below:
                for part, slope in links:
                    part.grad += node.grad * slope
                    below.add(id(part))


@alternative("Scalar", "recursion, with the limit raised meanwhile")
class Scalar:
    def __init__(self, value: float, children: tuple = (), pull=None):
        self.value = value
        self.grad = 0.0
        self.children = children
        self.pull = pull or (lambda g: ())

    def _wrap(self, x):
        return x if isinstance(x, Scalar) else Scalar(x)

    def __add__(self, other):
        other = self._wrap(other)
        return Scalar(self.value + other.value, (self, other), lambda g: (g, g))

    def __mul__(self, other):
        other = self._wrap(other)
        return Scalar(self.value * other.value, (self, other), lambda g: (g * other.value, g * self.value))

    def __neg__(self):
        return Scalar(-self.value, (self,), lambda g: (-g,))

    def __sub__(self, other):
        other = self._wrap(other)
        return Scalar(self.value - other.value, (self, other), lambda g: (g, -g))

    def __rsub__(self, other):
        return Scalar(other).__sub__(self)

    def __radd__(self, other):
        return Scalar(other).__add__(self)

    def __rmul__(self, other):
        return Scalar(other).__mul__(self)

    def __pow__(self, n):
        return Scalar(self.value**n, (self,), lambda g: (g * n * self.value ** (n - 1),))

    def exp(self):
        out = Scalar(math.exp(self.value), (self,))
        out.pull = lambda g: (g * out.value,)
        return out

    def tanh(self):
        out = Scalar(math.tanh(self.value), (self,))
        out.pull = lambda g: (g - g * out.value * out.value,)
        return out

    def backward(self):
        import sys

        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(1_000_000)
        order, seen = [], set()

        def visit(node):
            seen.add(id(node))
            for child in node.children:
                if id(child) not in seen:
                    visit(child)
            order.append(node)

        visit(self)
        sys.setrecursionlimit(limit)
        self.grad = 1.0
        while order:
            node = order.pop()
            for child, share in zip(node.children, node.pull(node.grad), strict=True):
                child.grad += share


@alternative("Scalar", "a dict of gradients first, written into the nodes last")
class Scalar:
    def __init__(self, value):
        self.value = value
        self.grad = 0.0
        self.made_of = []

    def _op(self, value, *made_of):
        out = Scalar(value)
        out.made_of = [(node, slope) for node, slope in made_of if type(node) is type(self)]
        return out

    def _value(self, other):
        return other.value if type(other) is type(self) else other

    def __add__(self, other):
        return self._op(self.value + self._value(other), (self, 1), (other, 1))

    def __radd__(self, other):
        return self.__add__(other)

    def __mul__(self, other):
        return self._op(self.value * self._value(other), (self, self._value(other)), (other, self.value))

    def __rmul__(self, other):
        return self.__mul__(other)

    def __sub__(self, other):
        return self._op(self.value - self._value(other), (self, 1), (other, -1))

    def __rsub__(self, other):
        return self._op(self._value(other) - self.value, (self, -1))

    def __neg__(self):
        return 0 - self

    def __pow__(self, n):
        if n == 0:
            return self._op(1.0)
        return self._op(self.value**n, (self, n * self.value ** (n - 1)))

    def exp(self):
        return self._op(math.exp(self.value), (self, math.exp(self.value)))

    def tanh(self):
        if abs(self.value) > 100:
            return self._op(math.copysign(1.0, self.value), (self, 0.0))
        up, down = math.exp(self.value), math.exp(-self.value)
        return self._op((up - down) / (up + down), (self, 4 / (up + down) ** 2))

    def backward(self):
        users = {self: 0}
        waiting = [self]
        for node in waiting:  # the list grows while it is read
            for part, _ in node.made_of:
                if part not in users:
                    users[part] = 0
                    waiting.append(part)
                users[part] += 1
        grads = dict.fromkeys(users, 0.0)
        grads[self] = 1.0
        ready = [self]
        for node in ready:
            for part, slope in node.made_of:
                grads[part] += slope * grads[node]
                users[part] -= 1
                if not users[part]:
                    ready.append(part)
        for node, grad in grads.items():
            node.grad = grad


# ------------------------------------------------------------------------------------------------------- lstm_cell


@alternative("lstm_cell", "one product for all four")
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    z = torch.cat([x, h], 1) @ torch.cat([W_i, W_f, W_o, W_c], 1)
    z_i, z_f, z_o, z_c = z.chunk(4, dim=1)
    c_new = z_f.sigmoid() * c + z_i.sigmoid() * z_c.tanh()
    return [z_o.sigmoid() * c_new.tanh(), c_new]


@alternative("lstm_cell", "x and h apart")
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    d = x.shape[1]

    def pre(W):
        return x @ W[:d] + h @ W[d:]

    c_new = torch.sigmoid(pre(W_f)) * c
    c_new += torch.sigmoid(pre(W_i)) * torch.tanh(pre(W_c))
    return torch.sigmoid(pre(W_o)) * torch.tanh(c_new), c_new


@alternative("lstm_cell", "einsum in float64")
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    s = torch.hstack([x, h]).double()
    W = torch.stack([W_i, W_f, W_o, W_c]).double()
    z = torch.einsum("ns,ksh->knh", s, W)
    i, f, o = 1 / (1 + torch.exp(-z[:3]))
    c_new = torch.lerp(torch.zeros_like(f), c.double(), f) + i * torch.tanh(z[3])
    return (o * torch.tanh(c_new)).to(x.dtype), c_new.to(x.dtype)


@alternative("lstm_cell", "example by example")
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    new_h, new_c = [], []
    for n in range(x.shape[0]):
        s = torch.cat((x[n], h[n]))
        i, f, o = [torch.sigmoid(W.T @ s) for W in (W_i, W_f, W_o)]
        new_c.append(torch.addcmul(f * c[n], i, torch.tanh(W_c.T @ s)))
        new_h.append(o * torch.tanh(new_c[-1]))
    return torch.stack(new_h), torch.stack(new_c)


@alternative("lstm_cell", "gates by way of tanh, and a namedtuple")
def lstm_cell(x, h, c, W_i, W_f, W_o, W_c):
    from collections import namedtuple

    State = namedtuple("State", ["h", "c"])
    s = torch.column_stack([x, h])
    gates = [(torch.tanh(s @ W / 2) + 1) / 2 for W in (W_i, W_f, W_o)]
    c_new = gates[1] * c + gates[0] * torch.tanh(s @ W_c)
    return State(gates[2] * torch.tanh(c_new), c_new)


# --------------------------------------------------------------------------------------- lstm_forget_gate_backward


@alternative("lstm_forget_gate_backward", "with lstm_cell of the exercise before")
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    _, c_new = lstm_cell(x, h, c, W_i, W_f, W_o, W_c)
    s = torch.cat([x, h], dim=1)
    f, o = torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    grad_c = tanh_backward(grad_h * o, torch.tanh(c_new))
    return s.T @ sigmoid_backward(grad_c * c, f)


@alternative("lstm_forget_gate_backward", "einsum in float64")
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    dtype = grad_h.dtype
    grad_h, x, h, c, W_i, W_f, W_o, W_c = (t.double() for t in (grad_h, x, h, c, W_i, W_f, W_o, W_c))
    s = torch.cat((x, h), -1)
    i, f, o, a = s @ W_i, s @ W_f, s @ W_o, s @ W_c
    cell = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(a)
    inner = grad_h * torch.sigmoid(o) / torch.cosh(cell.clamp(-300, 300)) ** 2
    return torch.einsum("ns,nh->sh", s, inner * c * torch.sigmoid(f) * torch.sigmoid(-f)).to(dtype)


@alternative("lstm_forget_gate_backward", "added up example by example")
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    grad = torch.zeros_like(W_f)
    for n in range(len(x)):
        s = torch.cat([x[n], h[n]])
        i, f, o = (torch.sigmoid(s @ W) for W in (W_i, W_f, W_o))
        t = torch.tanh(f * c[n] + i * torch.tanh(s @ W_c))
        grad += torch.outer(s, grad_h[n] * o * (1 - t * t) * c[n] * (f - f * f))
    return grad


@alternative("lstm_forget_gate_backward", "the rows for x and for h apart")
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    d = x.shape[1]
    pre = [x @ W[:d] + h @ W[d:] for W in (W_i, W_f, W_o, W_c)]
    i, f, o = (p.sigmoid() for p in pre[:3])
    c_new = f * c + i * pre[3].tanh()
    delta = grad_h.clone()
    delta *= o
    delta *= 1 - c_new.tanh().pow(2)
    delta *= c
    delta *= f
    delta *= 1 - f
    return torch.cat([x.T @ delta, h.T @ delta])


@alternative("lstm_forget_gate_backward", "by the Jacobians of the single steps")
def lstm_forget_gate_backward(grad_h, x, h, c, W_i, W_f, W_o, W_c):
    s = torch.cat([x, h], dim=1)
    i, f, o = torch.sigmoid(s @ W_i), torch.sigmoid(s @ W_f), torch.sigmoid(s @ W_o)
    t = torch.tanh(f * c + i * torch.tanh(s @ W_c))
    chain = torch.diag_embed(o) @ torch.diag_embed(1 - t**2) @ torch.diag_embed(c) @ torch.diag_embed(f * (1 - f))
    at_gate = torch.bmm(grad_h.unsqueeze(1), chain)
    return torch.bmm(s.unsqueeze(2), at_gate).sum(dim=0)
