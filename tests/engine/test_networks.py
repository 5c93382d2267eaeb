"""Tests of the batched forward pass and gradient against autograd."""

import math

import numpy as np
import pytest
import torch

from regviz.engine import networks
from regviz.engine.layout import Layout
from regviz.spec.experiment import ACTIVATIONS
from regviz.spec.validation import TASKS
from tests.support.networks import FEATURE_SETS, features_by_hand, layers_by_hand

N_OUTPUTS = {"binary": 1, "multiclass": 3, "regression": 1}
ACTIVATE = {
    "tanh": torch.tanh,
    "relu": lambda z: torch.where(z > 0, z, 0 * z),
    "leaky_relu": lambda z: torch.where(z > 0, z, 0.01 * z),
    "sigmoid": lambda z: 1 / (1 + torch.exp(-z)),
    "linear": lambda z: z,
}
# dropout of inputs, dropout of hidden units
DROPOUT = [(False, False), (True, False), (False, True), (True, True)]


def gradient_by_autograd(row, sizes, activation, task, X, y, masks, torch_loss):
    """Return the gradient of one row's mean data loss; masks are ``(units, n)``."""
    row = row.clone().requires_grad_()
    values = torch.tensor(X)
    for i, (weight, bias) in enumerate(layers_by_hand(row, sizes)):
        if i:
            values = ACTIVATE[activation](values)
        values = (values * masks[i].T) @ weight.T + bias
    torch_loss(values, torch.tensor(y), task).backward()
    return row.grad


def targets(task, n, rng):
    return {
        "binary": rng.integers(0, 2, n).astype(float),
        "multiclass": rng.integers(0, 3, n).astype(float),
        "regression": rng.normal(size=n),
    }[task]


def check_gradient(sizes, activation, task, points, features, thinned, torch_loss):
    """Compare every row's gradient with autograd's, to 1e-12 of its largest entry.

    Row 0 has no dropout, beside others that may.
    """
    rng = np.random.default_rng(len(features) + len(sizes))
    n, n_rows = len(points), 3
    y = targets(task, n, rng)
    inputs = features_by_hand(points, features) if points.shape[1] == 2 else points
    layout = Layout(sizes)
    rows = torch.tensor(rng.normal(size=(n_rows, layout.n_parameters)) / math.sqrt(max(sizes)))
    masks = []
    for i, units in enumerate(sizes[:-1]):
        mask = torch.tensor((rng.random((n_rows, units, n)) < 0.6) / 0.6)
        mask[0] = 1
        masks.append(mask if thinned[min(i, 1)] else torch.ones_like(mask))
    columns = np.eye(3)[y.astype(int)] if task == "multiclass" else y[:, None]
    before = rows.clone()
    given = torch.tensor(inputs), torch.tensor(columns), masks if any(thinned) else None
    blocks = networks.gradient(layout.split(rows), *given, activation, task)
    found = torch.cat([block.flatten(1) for block in blocks], 1)
    for k in range(n_rows):
        own = [mask[k] for mask in masks]
        expected = gradient_by_autograd(
            rows[k], sizes, activation, task, inputs, y, own, torch_loss
        )
        torch.testing.assert_close(
            found[k], expected, rtol=0, atol=1e-12 * float(expected.abs().max())
        )
    assert torch.equal(rows, before)


@pytest.mark.parametrize("features", FEATURE_SETS, ids=len)
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_gradient_equals_autograds(activation, task, features, torch_loss):
    points = np.random.default_rng(0).normal(size=(7, 2))
    for thinned in DROPOUT:
        sizes = (len(features), 4, 3, N_OUTPUTS[task])
        check_gradient(sizes, activation, task, points, features, thinned, torch_loss)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("n", [1, 33])
@pytest.mark.parametrize("hidden", [(), (1,), (3, 2, 4, 1, 2, 3)], ids=len)
@pytest.mark.parametrize("n_columns", [1, 3, 12])
def test_the_gradient_equals_autograds_for_every_depth_and_width_of_data(
    n_columns, hidden, n, task, torch_loss
):
    points = np.random.default_rng(2).normal(size=(n, n_columns))
    sizes = (n_columns, *hidden, N_OUTPUTS[task])
    for thinned in DROPOUT:
        check_gradient(sizes, "tanh", task, points, (), thinned, torch_loss)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_logistic_equals_its_formula_even_far_out(dtype):
    z = torch.linspace(-30, 30, 4001, dtype=torch.float64)
    expected = 1 / (1 + torch.exp(-z))
    found = networks.logistic_(z.to(dtype))
    assert (found.double() - expected).abs().max() < 2 * torch.finfo(dtype).eps
    far = torch.tensor([-math.inf, -1e30, 0, 1e30, math.inf], dtype=dtype)
    assert networks.logistic_(far).tolist() == [0, 0, 0.5, 1, 1]


def test_the_loss_stays_exact_where_probabilities_round_to_0_or_1():
    z = torch.tensor([[[-800.0, 800.0, -50.0, 50.0]]], dtype=torch.float64)
    loss, _ = networks.losses_and_hits(z, torch.tensor([1.0, 0.0, 0.0, 1.0]), "binary")
    assert loss.mean().item() == pytest.approx((800 + 800 + 2 * math.exp(-50)) / 4, rel=1e-15)
    z = torch.tensor([[[900.0], [0.0], [-900.0]]], dtype=torch.float64)
    loss, _ = networks.losses_and_hits(z, torch.tensor([2.0]), "multiclass")
    assert loss.item() == 1800
