"""Tests of the anatomy of training steps, against autograd, formulas and the engine's epochs."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import regviz
from regviz import DataSpec, Experiment, NetworkSpec, Phase, Regularization, TrainingSpec
from regviz.analysis.anatomy import PARTS
from regviz.spec.experiment import OPTIMIZERS
from tests.engine.test_kernel import ROWS, TASKS, TOLERANCE
from tests.support.networks import layers_by_hand

EPOCH = 2  # steps begin after it: momentum and moments are not 0 there


def experiment(optimizer="sgd", task="binary", dtype="float64", normal=(), **changes) -> Experiment:
    """Return an experiment with every regularization, four batches an epoch, the last one small."""
    training = dict(batch_size=7, learning_rate=0.01, epochs=EPOCH + 2, epsilon=0.01)
    return Experiment(
        DataSpec(TASKS[task], n_samples=60),
        NetworkSpec((5, 3), "tanh", ("x1", "x2", "x1*x2"), *normal),
        TrainingSpec(optimizer, dtype=dtype, **training | changes),
        ROWS,
    )


def of_row(spec: Experiment, k: int, n_steps: int = 1, epoch: int = EPOCH):
    found = regviz.anatomy(spec, k, epoch, n_steps)
    return found, found.steps


def forward(spec, found, step, row):
    """Return values and data loss by a plain forward pass in torch, with the step's masks."""
    inputs = found.dataset.X_train[step.points]
    x1, x2 = inputs.T
    values = [torch.from_numpy(np.stack([x1, x2, x1 * x2]))]
    layers = layers_by_hand(row, found.layout.sizes)
    for i, (weight, bias) in enumerate(layers):
        if step.masks:
            values[-1] = values[-1] * torch.from_numpy(step.masks[i])
        z = weight @ values[-1] + bias[:, None]
        values.append(torch.tanh(z) if i + 1 < len(layers) else z)
    y = torch.from_numpy(found.dataset.y_train[step.points])
    if found.dataset.task == "regression":
        return values, F.mse_loss(values[-1][0], y) / 2
    if found.dataset.task == "multiclass":
        loss = F.cross_entropy(values[-1].T, y.long())
        return [*values[:-1], torch.softmax(values[-1], 0)], loss
    loss = F.binary_cross_entropy_with_logits(values[-1][0], y)
    return [*values[:-1], torch.sigmoid(values[-1])], loss


@pytest.mark.parametrize("task", TASKS)
def test_values_losses_and_gradients_equal_autograd(task):
    spec = experiment(task=task)
    for k, rule in enumerate(ROWS):
        found, (step,) = of_row(spec, k)
        row = torch.from_numpy(step.old).requires_grad_()
        values, loss = forward(spec, found, step, row)
        for one, other in zip(step.values, values, strict=True):
            np.testing.assert_allclose(one, other.detach(), rtol=0, atol=1e-12)
        assert step.data_loss == pytest.approx(loss.item(), abs=1e-12)
        loss.backward()
        np.testing.assert_allclose(step.gradient, row.grad, rtol=0, atol=1e-12)

        row = torch.from_numpy(step.old).requires_grad_()
        weights = [weight for weight, _ in layers_by_hand(row, found.layout.sizes)]
        total = row.sum() * 0
        for i, weight in enumerate(weights):
            total = total + rule.l1 * weight.abs().sum()
            if not rule.decoupled:
                total = total + rule.l2 / 2 * weight.square().sum()
            if i + 1 < len(weights):
                norms = torch.linalg.vector_norm(weight, dim=1)
                total = total + rule.group_lasso * weight.shape[1] ** 0.5 * norms.sum()
        assert step.penalty == pytest.approx(total.item(), abs=1e-12)
        assert step.objective == step.data_loss + step.penalty
        total.backward()
        np.testing.assert_allclose(step.penalty_gradient, row.grad, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("optimizer", "dtype", "normalization"),
    [
        *(("sgd", "float64", "none"), ("sgd", "float32", "batch"), ("momentum", "float32", "none")),
        *(("adam", "float32", "layer"), ("adamw", "float32", "none")),
    ],
)
def test_the_steps_of_an_epoch_lead_to_the_runs_next_epoch(optimizer, dtype, normalization):
    spec = experiment(optimizer, dtype=dtype)
    spec = replace(spec, network=replace(spec.network, normalization=normalization, affine=True))
    history = regviz.train(spec)
    for k in range(len(ROWS)):
        found, steps = of_row(spec, k, 8)
        assert found.n_batches == 4
        np.testing.assert_array_equal(steps[0].old, history.parameters[EPOCH, k])
        for one, then in itertools.pairwise(steps):
            np.testing.assert_array_equal(one.new, then.old)
            if dtype == "float32":
                np.testing.assert_array_equal(one.old + sum(one.changes.values()), one.new)
        assert [(step.epoch, step.batch) for step in steps[2:6]] == [(2, 2), (2, 3), (3, 0), (3, 1)]
        for after, step in ((EPOCH + 1, steps[3]), (EPOCH + 2, steps[7])):
            expected = history.parameters[after, k]
            scale = max(1, np.abs(expected).max())
            tolerance = 2 * TOLERANCE[dtype] * scale  # of two epochs
            np.testing.assert_allclose(step.new, expected, rtol=0, atol=tolerance)
            np.testing.assert_array_equal(step.new == 0, expected == 0)


@pytest.mark.parametrize("normal", [("batch", True), ("layer", True)], ids=str)
def test_the_steps_of_normalized_networks_lead_to_the_runs_next_epoch(normal):
    spec = experiment(normal=normal)
    history = regviz.train(spec)
    for k in (0, 5, 9):
        _, steps = of_row(spec, k, 4)
        expected = history.parameters[EPOCH + 1, k]
        np.testing.assert_allclose(steps[-1].new, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_each_part_of_a_step_is_its_formula_and_all_add_up(optimizer):
    spec = experiment(optimizer)
    rate, training = spec.training.learning_rate, spec.training
    for k, rule in enumerate(ROWS):
        found, (before, step) = of_row(spec, k, 2)
        assert tuple(step.changes) == PARTS
        np.testing.assert_allclose(step.old + sum(step.changes.values()), step.new, atol=1e-15)
        decoupled = rule.decoupled or optimizer == "adamw"
        is_weight = found.layout.is_weight
        decay = -rate * rule.l2 * step.old * is_weight * decoupled
        np.testing.assert_allclose(step.changes["decay"], decay, atol=1e-15)
        g, (first, second) = step.gradient, before.moments
        if optimizer in ("adam", "adamw"):
            t = (EPOCH * 4) + 2
            first = training.beta1 * first + (1 - training.beta1) * g
            second = training.beta2 * second + (1 - training.beta2) * g**2
            root = np.sqrt(second / (1 - training.beta2**t)) + training.epsilon
            size, move = rate / root, -rate * first / (1 - training.beta1**t) / root
        else:
            momentum = training.momentum if optimizer == "momentum" else 0
            first = momentum * first + g
            size, move = np.full_like(g, rate / (1 - momentum)), -rate * first
        np.testing.assert_allclose(step.changes["optimizer"], move, atol=1e-14)
        np.testing.assert_allclose(step.step_sizes, size, rtol=1e-12)
        np.testing.assert_allclose(step.moments[0], first, atol=1e-14)
        z, l1, l2 = step.path[2], rule.l1 * is_weight, rule.l2 * is_weight * (not decoupled)
        shrunk = np.sign(z) * np.maximum(np.abs(z) - size * l1, 0) / (1 + size * l2)
        np.testing.assert_allclose(step.path[3], shrunk, atol=1e-15)
        for weights in (block[:, :-1] for block in found.layout.split(step.new)[:-1]):
            radius = np.inf if rule.max_norm is None else rule.max_norm
            assert (np.linalg.norm(weights, axis=1) <= radius * (1 + 1e-12)).all()
        assert (step.changes["group_lasso"] != 0).any() == (rule.group_lasso > 0)
        assert not (step.changes["max_norm"] != 0).any() or rule.max_norm is not None


def test_an_onset_and_a_phase_act_in_the_steps_as_in_the_run():
    rows = (Regularization(l1=0.05, onset=3), Regularization(l2=0.1))
    spec = replace(
        experiment(),
        regularizations=rows,
        phases=(Phase(1, Regularization(l2=0.2), learning_rate=0.1),),
    )
    first, _ = of_row(spec, 0, epoch=0)[1] * 2
    np.testing.assert_allclose(first.changes["optimizer"], -0.1 * first.gradient, atol=1e-15)
    _, steps = of_row(spec, 0, 8, epoch=2)
    weights = of_row(spec, 0)[0].layout.is_weight
    assert not any(step.changes["proximal"].any() for step in steps[:4])
    assert all(step.changes["proximal"][weights].all() for step in steps[4:])


def test_a_network_that_has_diverged_and_parameters_out_of_range_are_refused():
    spec = experiment(learning_rate=0.01)
    for arguments in ({"k": len(ROWS)}, {"epoch": EPOCH + 3}, {"n_steps": 0}):
        with pytest.raises(ValueError, match=next(iter(arguments))):
            regviz.anatomy(spec, **arguments)
    wild = replace(
        experiment(task="regression", epochs=50, learning_rate=10.0),
        network=NetworkSpec((8,), "relu"),
        regularizations=(Regularization(),),
    )
    with pytest.raises(ValueError, match="diverges"):
        regviz.anatomy(wild, epoch=50)
