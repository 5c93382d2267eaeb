"""Outputs, predictions, losses and gradients of K networks at once.

Each layer of all K networks is one batched product. The last column of a layer's matrix is the
bias; points are columns of inputs and outputs.

A network's results do not depend on the networks beside it, to the last bit: products are
``baddbmm``, which computes each network separately, and the logistic function is computed by
``tanh``, because torch's ``sigmoid`` rounds the last few elements of a tensor differently.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from regviz.spec.validation import Task

LEAKY_SLOPE = 0.01


def logistic_(z: Tensor) -> Tensor:
    """Compute ``1 / (1 + exp(-z))`` in place, as ``(1 + tanh(z / 2)) / 2``."""
    return z.mul_(0.5).tanh_().mul_(0.5).add_(0.5)


# Activation functions, in place; and their backward functions of (output gradient, output).
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
    """Compute the forward pass without dropout, and return the values of every layer.

    Parameters
    ----------
    blocks : sequence of Tensor of shape (K, fan_out, fan_in + 1)
        Weights of each layer, with biases as the last column.
    inputs : Tensor of shape (n, fan_in)
    activation : str

    Returns
    -------
    list of Tensor of shape (K, units, n)
        Activations of the hidden layers, then the outputs before sigmoid or softmax.
    """
    n_rows = len(blocks[0])
    if n_rows == 1:  # on some processors, a batch of one is rounded differently
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
    """Return predictions from outputs of shape (K, n_outputs, n) before sigmoid or softmax.

    They are probabilities of class 1 or values (regression) of shape (K, n), or probabilities of C
    classes of shape (K, n, C).
    """
    if task == "multiclass":
        return torch.softmax(outputs, 1).transpose(1, 2)
    return logistic_(outputs[:, 0].clone()) if task == "binary" else outputs[:, 0]


def losses_and_hits(outputs: Tensor, y: Tensor, task: Task) -> tuple[Tensor, Tensor]:
    """Return the loss of each point, and 1 where its class is predicted and else 0.

    Parameters
    ----------
    outputs : Tensor of shape (K, n_outputs, n)
        Outputs before sigmoid or softmax.
    y : Tensor of shape (n,)
        Class numbers or values.
    task : {"binary", "multiclass", "regression"}

    Returns
    -------
    losses, hits : float64 Tensors of shape (K, n)
        Cross-entropy in nats, or half the squared error; hits of regression are NaN.
    """
    outputs = outputs.double()
    if task == "multiclass":
        log_probability = torch.log_softmax(outputs, 1)
        classes = y.long().expand(len(outputs), 1, -1)
        loss = -log_probability.gather(1, classes)[:, 0]
        hits = outputs.argmax(1) == y
    elif task == "binary":
        z = outputs[:, 0]
        # not by softplus, though it is three times as fast: its last bit depends on an element's
        # address in memory
        loss = ((1 - y) * z).sub_(F.logsigmoid(z))
        hits = (z > 0) == (y > 0.5)
    else:
        loss = 0.5 * (outputs[:, 0] - y) ** 2
        hits = torch.full_like(loss, torch.nan)
    return loss, hits.double()


def feed_forward(
    blocks: Sequence[Tensor],
    inputs: Tensor,
    masks: Sequence[Tensor] | None,
    activation: str,
) -> tuple[list[Tensor], list[Tensor]]:
    """Compute the forward pass of a training step, with dropout.

    Parameters
    ----------
    blocks, inputs, masks, activation
        As of `gradient`.

    Returns
    -------
    fed : list of Tensor of shape (K, units, n)
        What each layer of weights receives: the inputs, and the activations of each hidden layer,
        multiplied by their dropout mask.
    values : list of Tensor of shape (K, units, n)
        Activations of the hidden layers before dropout, then the outputs before sigmoid or softmax.
    """
    fed: list[Tensor] = []
    values: list[Tensor] = []
    below = inputs.T.expand(len(blocks[0]), -1, -1)
    for i, block in enumerate(blocks):
        if i:
            below = _FORWARD[activation](values[-1])
        fed.append(below if masks is None else below * masks[i])
        values.append(torch.baddbmm(block[:, :, -1:], block[:, :, :-1], fed[i]))
    return fed, values


def gradient(
    blocks: Sequence[Tensor],
    inputs: Tensor,
    targets: Tensor,
    masks: Sequence[Tensor] | None,
    activation: str,
    task: Task,
) -> list[Tensor]:
    """Return the gradient of a batch's mean data loss, by backpropagation.

    Sigmoid and softmax with cross-entropy and the identity with half the squared error are
    canonical link functions: the gradient of the mean loss with respect to the outputs before them
    is ``(prediction - y) / n`` (McCullagh & Nelder 1989).

    Parameters
    ----------
    blocks : sequence of Tensor of shape (K, fan_out, fan_in + 1)
        Weights of each layer, with biases as the last column.
    inputs : Tensor of shape (n, fan_in)
    targets : Tensor of shape (n, n_outputs)
        Values, or one-hot classes; for two classes one column of 0 and 1.
    masks : sequence of Tensor of shape (K, units, n), or None
        Dropout masks of the inputs and each hidden layer: 0, or 1 / keep probability. None is no
        dropout.
    activation : str
    task : {"binary", "multiclass", "regression"}

    Returns
    -------
    list of Tensor of shape (K, fan_out, fan_in + 1)
        The gradient with respect to each of ``blocks``.
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
