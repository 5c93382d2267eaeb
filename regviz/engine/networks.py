"""Outputs, predictions, losses and gradients of K networks at once.

Every layer of all K networks is one batched product. A weight matrix's last column is the bias,
which meets a row of ones in what the layer is fed; points are columns.

No network's numbers depend on how many others are computed beside it, to the last bit: products go
through ``bmm``, which treats each network by itself, and the logistic function through ``tanh``,
because torch's own ``sigmoid`` rounds the last few elements of a tensor differently.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from regviz.spec.validation import Task

LEAKY_SLOPE = 0.01


def logistic_(z: Tensor) -> Tensor:
    """``1 / (1 + exp(-z))`` in place, as ``(1 + tanh(z / 2)) / 2``."""
    return z.mul_(0.5).tanh_().mul_(0.5).add_(0.5)


# Each activation in place; and a gradient times its derivative, from the activation's value.
_aten = torch.ops.aten
_FORWARD: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh_,
    "relu": torch.relu_,
    "leaky_relu": lambda z: F.leaky_relu_(z, LEAKY_SLOPE),
    "sigmoid": logistic_,
    "linear": lambda z: z,
}
_BACKWARD: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "tanh": _aten.tanh_backward,
    "relu": lambda g, h: _aten.threshold_backward(g, h, 0),
    "leaky_relu": lambda g, h: _aten.leaky_relu_backward(g, h, LEAKY_SLOPE, True),
    "sigmoid": _aten.sigmoid_backward,
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


def losses_and_hits(outputs: Tensor, y: Tensor, task: Task) -> tuple[Tensor, Tensor]:
    """Each point's loss, and 1 where its class is predicted: ``(K, n)`` each, in float64.

    Of raw outputs ``(K, n_outputs, n)``: cross-entropy for classes, half the squared error for
    regression, whose hits are NaN.
    """
    outputs = outputs.double()
    if task == "multiclass":
        log_probability = torch.log_softmax(outputs, 1)
        classes = y.long().expand(len(outputs), 1, -1)
        loss = -log_probability.gather(1, classes)[:, 0]
        hits = outputs.argmax(1) == y
    elif task == "binary":
        z = outputs[:, 0]
        # not by softplus, a third as slow: its last bit depends on where in memory a number lies
        loss = ((1 - y) * z).sub_(F.logsigmoid(z))
        hits = (z > 0) == (y > 0.5)
    else:
        loss = 0.5 * (outputs[:, 0] - y) ** 2
        hits = torch.full_like(loss, torch.nan)
    return loss, hits.double()


def gradient(
    blocks: Sequence[Tensor],
    inputs: Tensor,
    targets: Tensor,
    masks: Sequence[Tensor] | None,
    activation: str,
    task: Task,
) -> list[Tensor]:
    """The gradient of a batch's mean data loss, by backpropagation.

    Sigmoid and softmax with cross-entropy and the identity with half the squared error are
    canonical: the gradient of the mean loss by the raw outputs is ``(prediction - y) / n`` for all
    of them (McCullagh & Nelder 1989).

    Parameters
    ----------
    blocks : sequence of Tensor of shape (K, fan_out, fan_in + 1)
        Each layer's weights, with biases as the last column.
    inputs : Tensor of shape (n, fan_in)
    targets : Tensor of shape (n, n_outputs)
        Values, or classes as 0 and 1.
    masks : sequence of Tensor of shape (K, units, n), or None
        Dropout's, for the inputs and each hidden layer: 0, or 1 / keep probability.
    activation : str
    task : str

    Returns
    -------
    list of Tensor
        In the shapes of ``blocks``.
    """
    fed: list[Tensor] = []
    values: list[Tensor] = []
    below = inputs.T.expand(len(blocks[0]), -1, -1)
    for i, block in enumerate(blocks):
        if i:
            below = _FORWARD[activation](values[-1])
        fed.append(below if masks is None else below * masks[i])
        values.append(torch.baddbmm(block[:, :, -1:], block[:, :, :-1], fed[i]))

    outputs = values[-1]
    if task == "binary":
        logistic_(outputs)
    elif task == "multiclass":
        outputs = torch.softmax(outputs, 1)
    error = (outputs - targets.T) / len(inputs)

    gradients = []
    for i in reversed(range(len(blocks))):
        gradients.append(torch.cat([error @ fed[i].mT, error.sum(2, keepdim=True)], 2))
        if i:
            error = blocks[i][:, :, :-1].mT @ error
            if masks is not None:
                error = error * masks[i]
            error = _BACKWARD[activation](error, values[i - 1])
    return gradients[::-1]
