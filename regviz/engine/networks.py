"""Outputs, predictions, losses and gradients of K networks at once.

Each layer of all K networks is one batched product. The last column of a layer's matrix is the
bias; points are columns of inputs and outputs.

A network's results do not depend on the networks beside it, to the last bit: products are
``baddbmm``, which computes each network separately, and the logistic function is computed by
``tanh``, because torch's ``sigmoid`` rounds the last few elements of a tensor differently.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from regviz.engine.layout import Normalization
from regviz.spec.validation import Task

LEAKY_SLOPE = 0.01
# of `torch.nn.BatchNorm1d` and `LayerNorm`: added to variances; weight of a batch's statistics
NORMALIZATION_EPSILON, STATISTICS_MOMENTUM = 1e-5, 0.1


def logistic_(z: Tensor) -> Tensor:
    """Compute ``1 / (1 + exp(-z))`` in place, as ``(1 + tanh(z / 2)) / 2``."""
    return z.mul_(0.5).tanh_().mul_(0.5).add_(0.5)


AXIS = {"layer": 1, "batch": 2}  # of the mean and variance of values (K, units, n)


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


def hidden_and_output(
    blocks: Sequence[Tensor],
    inputs: Tensor,
    activation: str,
    normalizations: Sequence[Normalization] = (),
) -> list[Tensor]:
    """Compute the forward pass without dropout, and return the values of every layer.

    Batch normalization uses the running statistics.

    Parameters
    ----------
    blocks : sequence of Tensor of shape (K, fan_out, fan_in + 1)
        Weights of each layer, with biases as the last column.
    inputs : Tensor of shape (n, fan_in)
    activation : str
    normalizations : sequence of Normalization
        Of each hidden layer, as `Layout.normalizations` returns them, or none.

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
    for i, block in enumerate(blocks):
        if values:
            if normalizations:
                values[-1] = _evaluated(values[-1], normalizations[i - 1])
            _FORWARD[activation](values[-1])
            below = values[-1]
        values.append(torch.baddbmm(block[:, :, -1:], block[:, :, :-1], below))
    return [value[:n_rows] for value in values]


def _evaluated(z: Tensor, norm: Normalization) -> Tensor:
    """Return normalized pre-activations (K, units, n), by running statistics or by layer."""
    if norm.mean is not None and norm.variance is not None:
        standard = (z - norm.mean) / (norm.variance + NORMALIZATION_EPSILON).sqrt()
    else:
        standard, _ = _standardized(z, 1)
    return _scaled(standard, norm)


def _standardized(z: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Return values of mean 0 and variance about 1 along an axis, and their factor ``1 / sd``."""
    centred = z - z.mean(axis, keepdim=True)
    factor = 1 / (centred.square().mean(axis, keepdim=True) + NORMALIZATION_EPSILON).sqrt()
    return centred * factor, factor


def _scaled(standard: Tensor, norm: Normalization) -> Tensor:
    if norm.gain is None or norm.shift is None:
        return standard
    return standard * norm.gain + norm.shift


def update_statistics_(normalizations: Sequence[Normalization], batch: Sequence[Tensor]) -> None:
    """Move the running statistics of batch normalization towards those of a batch, in place.

    Parameters
    ----------
    normalizations : sequence of Normalization
    batch : sequence of Tensor of shape (K, units, n)
        Pre-activations of each hidden layer before normalization, see `Forward`.
    """
    for norm, z in zip(normalizations, batch, strict=True):
        if norm.mean is not None and norm.variance is not None:
            norm.mean.lerp_(z.mean(2, keepdim=True), STATISTICS_MOMENTUM)
            norm.variance.lerp_(z.var(2, keepdim=True), STATISTICS_MOMENTUM)


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


class Forward(NamedTuple):
    """The values of the forward pass of a training step.

    Attributes
    ----------
    fed : list of Tensor of shape (K, units, n)
        Inputs of each layer of weights: the inputs, and the activations of each hidden layer,
        multiplied by their dropout mask.
    values : list of Tensor of shape (K, units, n)
        Activations of the hidden layers before dropout, then the outputs before sigmoid or softmax.
    before : list of Tensor of shape (K, units, n)
        Pre-activations of the hidden layers before normalization; empty without.
    standard : list of (Tensor, Tensor)
        The same with mean 0 and variance 1, and their factors ``1 / sd``; empty without.
    """

    fed: list[Tensor]
    values: list[Tensor]
    before: list[Tensor]
    standard: list[tuple[Tensor, Tensor]]


def feed_forward(
    blocks: Sequence[Tensor],
    inputs: Tensor,
    masks: Sequence[Tensor] | None,
    activation: str,
    normalizations: Sequence[Normalization] = (),
) -> Forward:
    """Compute the forward pass of a training step, with dropout and the batch's statistics.

    Parameters
    ----------
    blocks, inputs, masks, activation, normalizations
        As of `gradient`.
    """
    fed, values, before, standard = forward = Forward([], [], [], [])
    below = inputs.T.expand(len(blocks[0]), -1, -1)
    for i, block in enumerate(blocks):
        if i and normalizations:
            norm = normalizations[i - 1]
            before.append(values[-1])
            standard.append(_standardized(values[-1], AXIS[norm.kind]))
            values[-1] = _scaled(standard[-1][0], norm)
            if norm.gain is None:  # the activation, in place, must not change it
                values[-1] = values[-1].clone()
        if i:
            below = _FORWARD[activation](values[-1])
        fed.append(below if masks is None else below * masks[i])
        values.append(torch.baddbmm(block[:, :, -1:], block[:, :, :-1], fed[i]))
    return forward


def gradient(
    blocks: Sequence[Tensor],
    inputs: Tensor,
    targets: Tensor,
    masks: Sequence[Tensor] | None,
    activation: str,
    task: Task,
    normalizations: Sequence[Normalization] = (),
) -> list[Tensor]:
    """Return the gradient of a batch's mean data loss, by backpropagation.

    Batch normalization uses the statistics of the batch; the gradient of a bias that it cancels is
    exactly 0.

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
    normalizations : sequence of Normalization
        Of each hidden layer, as `Layout.normalizations` returns them, or none.

    Returns
    -------
    list of Tensor of shape (K, fan_out, fan_in + 1), then of shape (K, units)
        The gradient with respect to each of ``blocks``; then with respect to each part of each of
        ``normalizations``, 0 for running statistics.
    """
    forward = feed_forward(blocks, inputs, masks, activation, normalizations)
    return backward(forward, blocks, targets, masks, activation, task, normalizations)


def backward(
    forward: Forward,
    blocks: Sequence[Tensor],
    targets: Tensor,
    masks: Sequence[Tensor] | None,
    activation: str,
    task: Task,
    normalizations: Sequence[Normalization] = (),
    weights: Tensor | None = None,
) -> list[Tensor]:
    """Return the gradient of a forward pass, whose outputs are overwritten.

    Parameters
    ----------
    forward : Forward
        Of the same arguments.
    blocks, targets, masks, activation, task, normalizations
        As of `gradient`, which describes the result.
    weights : Tensor of shape (n,), optional
        Weights of the points: the loss is ``sum(weights * losses) / n``. By default, all are 1.
    """
    fed, values, _, standard = forward
    outputs = values[-1]
    if task == "binary":
        logistic_(outputs)
    elif task == "multiclass":
        outputs = torch.softmax(outputs, 1)
    error = (outputs - targets.T) / len(targets)
    if weights is not None:
        error = error * weights

    gradients, of_normalizations = [], []
    for i in reversed(range(len(blocks))):
        of_bias = error.sum(2, keepdim=True)
        if i < len(normalizations) and normalizations[i].kind == "batch":
            of_bias = torch.zeros_like(of_bias)
        gradients.append(torch.cat([error @ fed[i].mT, of_bias], 2))
        if i:
            error = blocks[i][:, :, :-1].mT @ error
            if masks is not None:
                error = error * masks[i]
            error = _BACKWARD[activation](error, values[i - 1])
        if i and normalizations:
            error, parts = _before_normalization(error, *standard[i - 1], normalizations[i - 1])
            of_normalizations.append(parts)
    return gradients[::-1] + [part for parts in of_normalizations[::-1] for part in parts]


def _before_normalization(
    error: Tensor, standard: Tensor, factor: Tensor, norm: Normalization
) -> tuple[Tensor, list[Tensor]]:
    """Return the error before normalization, and the gradients of the normalization's parts."""
    axis = AXIS[norm.kind]
    parts = []
    if norm.gain is not None:
        parts = [(error * standard).sum(2), error.sum(2)]
        error = error * norm.gain
    if norm.mean is not None:
        parts += [torch.zeros_like(norm.mean[..., 0])] * 2
    along = standard * (error * standard).mean(axis, keepdim=True)
    return (error - error.mean(axis, keepdim=True) - along) * factor, parts
