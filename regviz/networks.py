"""What K networks compute: outputs, predictions, losses, and the gradient of the data loss.

Every layer of all K networks is one batched product. A weight matrix's last column is the bias,
which meets a row of ones in what the layer is fed; points are columns.

No network's numbers depend on how many others are computed beside it, to the last bit: products go
through ``bmm``, which treats each network by itself, and the logistic function through ``tanh``,
because torch's own ``sigmoid`` rounds the last few elements of a tensor differently.
"""

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from regviz.layout import Rows
from regviz.validation import Task

LEAKY_SLOPE = 0.01


def logistic_(z: Tensor) -> Tensor:
    """``1 / (1 + exp(-z))`` in place, as ``(1 + tanh(z / 2)) / 2``."""
    return z.mul_(0.5).tanh_().mul_(0.5).add_(0.5)


# Each activation in place, and its derivative's product with a gradient, from the activation's
# value: ``backward(gradient, value, out)``.
_aten = torch.ops.aten
_FORWARD: dict[str, Callable[[Tensor], object]] = {
    "tanh": torch.tanh_,
    "relu": torch.relu_,
    "leaky_relu": lambda z: F.leaky_relu_(z, LEAKY_SLOPE),
    "sigmoid": logistic_,
    "linear": lambda z: z,
}
_BACKWARD: dict[str, Callable[[Tensor, Tensor], object]] = {
    "tanh": lambda g, h: _aten.tanh_backward.grad_input(g, h, grad_input=g),
    "relu": lambda g, h: _aten.threshold_backward.grad_input(g, h, 0, grad_input=g),
    "leaky_relu": lambda g, h: _aten.leaky_relu_backward.grad_input(
        g, h, LEAKY_SLOPE, True, grad_input=g
    ),
    "sigmoid": lambda g, h: _aten.sigmoid_backward.grad_input(g, h, grad_input=g),
    "linear": lambda g, h: g,
}


def hidden_and_output(blocks: Sequence[Tensor], inputs: Tensor, activation: str) -> list[Tensor]:
    """Every layer's values for ``inputs`` ``(n, fan_in)``, without dropout.

    Returns
    -------
    list of Tensor of shape (K, units, n)
        Activations of the hidden layers, then the outputs before sigmoid or softmax.
    """
    n_rows = len(blocks[0])
    if n_rows == 1:  # some processors round the product of a single network in another way
        blocks = [block.expand(2, -1, -1) for block in blocks]
    values: list[Tensor] = []
    below = inputs.T.expand(len(blocks[0]), -1, -1)
    for block in blocks:
        if values:
            _FORWARD[activation](values[-1])
            below = values[-1]
        values.append(torch.baddbmm(block[:, :, -1:], block[:, :, :-1], below))
    return [value[:n_rows] for value in values]


def predict(outputs: Tensor, task: Task) -> Tensor:
    """Probability or value ``(K, n)``, or class probabilities ``(K, n, C)``, from raw outputs."""
    if task == "multiclass":
        return torch.softmax(outputs, 1).transpose(1, 2)
    return logistic_(outputs[:, 0].clone()) if task == "binary" else outputs[:, 0]


def data_loss_and_accuracy(outputs: Tensor, y: Tensor, task: Task) -> tuple[Tensor, Tensor]:
    """Mean loss and accuracy ``(K,)`` of raw outputs ``(K, n_outputs, n)``, in float64.

    Cross-entropy for classes, half the squared error for regression, whose accuracy is NaN.
    """
    outputs = outputs.double()
    if task == "multiclass":
        log_probability = torch.log_softmax(outputs, 1)
        classes = y.long().expand(len(outputs), 1, -1)
        loss = -log_probability.gather(1, classes)[:, 0]
        hits = outputs.argmax(1) == y
    elif task == "binary":
        z = outputs[:, 0]
        loss = (1 - y) * z - F.logsigmoid(z)
        hits = (z > 0) == (y > 0.5)
    else:
        loss = 0.5 * (outputs[:, 0] - y) ** 2
        hits = torch.full_like(loss, torch.nan)
    return loss.mean(1), hits.double().mean(1)


class Target:
    """The output layer's error ``(prediction - y) / n``, whatever the task.

    Sigmoid and softmax with cross-entropy and the identity with half the squared error are
    canonical: the gradient of the mean loss by the raw outputs is the same expression for all.
    It is computed as ``offset + scale * link(outputs)``, with an offset prepared from ``y``.
    """

    def __init__(self, task: Task, n_outputs: int) -> None:
        self.task, self.n_outputs = task, n_outputs

    def offset(self, y: Tensor) -> Tensor:
        """Targets ``(n,)`` as ``(n_outputs, n)``, still to be divided by the batch size."""
        if self.task == "multiclass":
            return -F.one_hot(y.long(), self.n_outputs).T
        return (0.5 - y if self.task == "binary" else -y)[None]

    def error_(self, outputs: Tensor, offset: Tensor, out: Tensor) -> None:
        """Write the error to ``out``; the outputs are used up."""
        n = outputs.shape[2]
        scale = 1 / n
        if self.task == "binary":
            outputs.mul_(0.5).tanh_()
            scale = 0.5 / n
        elif self.task == "multiclass":
            torch.softmax(outputs, 1, out=outputs)
        torch.add(offset, outputs, alpha=scale, out=out)


class _Layer:
    """One layer's memory for a batch, and the views of it that every step uses."""

    def __init__(self, weight: Tensor, gradient: Tensor, batch_size: int) -> None:
        n_rows, fan_out, fan_in = weight.shape
        self.weight, self.gradient = weight, gradient
        # carries an error back: without the biases
        self.weight_back = weight[:, :, :-1].transpose(1, 2)
        # one outgoing weight meets one error: a plain product, far cheaper than bmm
        self.back = torch.mul if fan_out == 1 else torch.bmm
        self.value = weight.new_empty(n_rows, fan_out, batch_size)
        self.error = torch.empty_like(self.value)
        # what the layer is fed: below's values, thinned out by dropout, and a row of ones
        self.fed = weight.new_ones(n_rows, fan_in, batch_size)
        self.fed_back = self.fed.transpose(1, 2)
        self.fed_units = self.fed[:, :-1]


class Backpropagation:
    """The gradient of the data loss for a batch, for all rows, into preallocated memory.

    Parameters
    ----------
    weights, gradients : Rows
        Where to read parameters and write gradients.
    activation : str
    target : Target
    batch_size : int
        Points in every batch that will come.
    """

    def __init__(
        self,
        weights: Rows,
        gradients: Rows,
        activation: str,
        target: Target,
        batch_size: int,
    ) -> None:
        self.target = target
        self.activate, self.differentiate = _FORWARD[activation], _BACKWARD[activation]
        self.layers = [
            _Layer(weight, gradient, batch_size)
            for weight, gradient in zip(weights.blocks, gradients.blocks, strict=True)
        ]
        self.pairs = list(itertools.pairwise(self.layers))
        self.pairs_down = self.pairs[::-1]

    def __call__(self, X: Tensor, offset: Tensor, masks: Sequence[Tensor | None]) -> None:
        """Write the gradient of one batch.

        Parameters
        ----------
        X : Tensor of shape (K, fan_in + 1, batch_size)
            Inputs and a row of ones, the same for all K.
        offset : Tensor of shape (n_outputs, batch_size)
            Of `Target`.
        masks : sequence of Tensor of shape (K, units, batch_size), or None
            For the inputs and each hidden layer: 0, or 1 / keep probability. None is no dropout.
        """
        first, last = self.layers[0], self.layers[-1]
        if masks[0] is not None:
            torch.mul(X[:, :-1], masks[0], out=first.fed_units)
            X = first.fed
        torch.bmm(first.weight, X, out=first.value)
        for (below, layer), mask in zip(self.pairs, masks[1:], strict=True):
            self.activate(below.value)
            if mask is None:
                layer.fed_units.copy_(below.value)
            else:
                torch.mul(below.value, mask, out=layer.fed_units)
            torch.bmm(layer.weight, layer.fed, out=layer.value)

        self.target.error_(last.value, offset, out=last.error)

        for (below, layer), mask in zip(self.pairs_down, masks[:0:-1], strict=True):
            torch.bmm(layer.error, layer.fed_back, out=layer.gradient)
            layer.back(layer.weight_back, layer.error, out=below.error)
            if mask is not None:
                below.error.mul_(mask)
            self.differentiate(below.error, below.value)
        torch.bmm(first.error, X.transpose(1, 2), out=first.gradient)
