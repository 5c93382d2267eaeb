"""Tests of batch and layer normalization against `torch.nn`, autograd and closed forms."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch

import regviz
from regviz import Experiment, NetworkSpec, Regularization, TrainingSpec
from regviz.engine import networks
from regviz.engine.layout import Layout, initial_row
from regviz.engine.training import Program
from regviz.spec.experiment import ACTIVATIONS, OPTIMIZERS
from regviz.spec.validation import TASKS
from tests.support.networks import assert_same_history, normalized_module

KINDS = list(itertools.product(("batch", "layer"), (False, True)))
kinds = pytest.mark.parametrize(("kind", "affine"), KINDS)
rng = np.random.default_rng(0)
X = rng.normal(size=(31, 3))
Y = {"binary": (X[:, 0] * X[:, 1] > 0).astype(float), "regression": np.sin(X[:, 0]) + X[:, 1]}
Y["multiclass"] = Y["binary"] + (X[:, 2] > 0.5)
LR = 0.05


def train(network, *rows, task="binary", **training):
    """Train on 31 points in float64, and record every epoch."""
    training = {"learning_rate": LR, "epochs": 8, "dtype": "float64", **training}
    experiment = Experiment(
        network=network, training=TrainingSpec(**training), regularizations=rows
    )
    return regviz.train(experiment, regviz.Dataset(X, Y[task], task=task))


def batches_of(history):
    """Return the batches of each epoch, drawn by a program of the same experiment."""
    program = Program([history.experiment], [history.dataset])
    for epoch in range(history.experiment.training.epochs):
        program.train_epoch(epoch)
        yield program.order[0].split(program.batch_size)


def gradient_at(row, layout, kind, y, task, masks=None):
    """Return the gradient of one network with respect to its flat parameters."""
    targets = np.eye(3)[y.astype(int)] if task == "multiclass" else y[:, None]
    parts = networks.gradient(
        *(layout.split(row[None]), torch.tensor(X), torch.tensor(targets), masks),
        *(kind, task, layout.normalizations(row[None])),
    )
    return torch.cat([part.flatten() for part in parts])


# ------------------------------------------------------------------------------ torch.nn


@kinds
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_gradient_equals_autograds_through_torchs_normalization(
    activation, task, kind, affine, torch_loss
):
    network = NetworkSpec((5, 4), activation, normalization=kind, affine=affine)
    history = train(network, Regularization(), task=task, epochs=1)
    row = torch.from_numpy(history.parameters[-1, 0].copy())
    layout = history.layout
    row += torch.randn(len(row), generator=torch.Generator().manual_seed(1)).mul(0.3).abs()
    found = gradient_at(row, layout, activation, Y[task], task)
    changed = dataclasses.replace(history, parameters=row.numpy()[None, None])
    module = normalized_module(changed).train()
    torch_loss(module(torch.tensor(X)), torch.tensor(Y[task]), task).backward()
    expected, parts = [], []
    for layer in module:
        if isinstance(layer, torch.nn.Linear):
            expected.append(torch.column_stack([layer.weight.grad, layer.bias.grad]).flatten())
        elif isinstance(layer, (torch.nn.BatchNorm1d, torch.nn.LayerNorm)):
            if affine:
                parts += [layer.weight.grad, layer.bias.grad]
            if kind == "batch":
                parts += [torch.zeros(2 * layer.num_features)]
    expected = torch.cat([*expected, *parts])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-14 * len(found))
    if kind == "batch":
        for block in layout.split(found[None])[:-1]:
            assert (block[..., -1] == 0).all()


@kinds
@pytest.mark.parametrize("batch_size", [None, 8, 15])  # of 31 points: 15 leave one
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_trajectories_and_running_statistics_equal_those_of_torch(
    optimizer, batch_size, kind, affine, torch_loss
):
    """Compare with a `torch.nn` model under `torch.optim`, decayed as AdamW decays weights."""
    network = NetworkSpec((4, 3), normalization=kind, affine=affine)
    row = Regularization(l2=0.3, decoupled=True)
    # biases that batch normalization cancels have gradients of rounding errors in torch, which a
    # small epsilon would magnify
    training = dict(optimizer=optimizer, batch_size=batch_size, epsilon=1e-3)
    history = train(network, Regularization(l1=0.1), row, task="multiclass", **training)
    module = normalized_module(history, 1).train()
    linear = [layer for layer in module if isinstance(layer, torch.nn.Linear)]
    others = [p for p in module.parameters() if not any(p is one.weight for one in linear)]
    groups = [
        {"params": [layer.weight for layer in linear], "weight_decay": 0.3},
        {"params": others, "weight_decay": 0.0},
    ]
    if optimizer in ("adam", "adamw"):
        step = torch.optim.AdamW(groups, LR, eps=1e-3).step
    else:
        momentum = 0.9 if optimizer == "momentum" else 0
        plain = torch.optim.SGD(module.parameters(), LR, momentum=momentum)

        def step():
            with torch.no_grad():
                for layer in linear:
                    layer.weight.mul_(1 - LR * 0.3)
            plain.step()

    for t, batches in enumerate(batches_of(history), 1):
        for batch in batches:
            if kind == "batch" and len(batch) == 1:
                continue
            module.zero_grad()
            loss = torch_loss(
                module(torch.tensor(X[batch])), torch.tensor(Y["multiclass"][batch]), "multiclass"
            )
            loss.backward()
            step()
        expected, found = module.state_dict(), normalized_module(history, 1, t).state_dict()
        for name, value in found.items():
            if name != "num_batches_tracked" and not name.endswith(".num_batches_tracked"):
                torch.testing.assert_close(value, expected[name], rtol=0, atol=1e-10)


@kinds
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_predictions_and_metrics_are_those_of_torch_in_evaluation(
    dtype, kind, affine, torch_loss, tmp_path
):
    network = NetworkSpec((5, 3), "relu", normalization=kind, affine=affine)
    rows = Regularization(), Regularization(drop_rate=0.3, max_norm=1, l1=0.01)
    history = train(network, *rows, dtype=dtype)
    tolerance = 2e-5 if dtype == "float32" else 1e-12
    for k in range(2):
        with torch.inference_mode():
            raw = normalized_module(history, k, -1)(torch.tensor(X))
        expected = torch.sigmoid(raw[:, 0]).numpy()
        np.testing.assert_allclose(history.predict(X)[k], expected, rtol=0, atol=tolerance)
        loss = torch_loss(raw, torch.tensor(Y["binary"]), "binary").item()
        assert history.metrics["train_loss"][-1, k] == pytest.approx(loss, abs=tolerance)
    history.save(tmp_path / "run.npz")
    assert_same_history(regviz.History.load(tmp_path / "run.npz"), history)


# ------------------------------------------------------------------------------ scale invariance


@pytest.fixture
def no_epsilon(monkeypatch):
    """Set the constant that is added to variances to 0, without which invariance is exact."""
    monkeypatch.setattr(networks, "NORMALIZATION_EPSILON", 0.0)


@kinds
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_layers_scale_changes_no_output_and_its_gradient_by_the_inverse(
    activation, kind, affine, no_epsilon
):
    """Multiply a hidden layer's weights and biases by a (van Laarhoven 2017)."""
    layout = Layout((3, 5, 4, 1), kind, affine)
    row = initial_row(layout, activation, 2)
    before = gradient_at(row, layout, activation, Y["binary"], "binary")
    for hidden, a in ((0, 10.0), (1, 0.03)):
        scaled = row.clone()
        layout.split(scaled)[hidden].mul_(a)
        norm = layout.normalizations(scaled[None])[hidden]
        if norm.mean is not None:
            norm.mean.mul_(a)
            norm.variance.mul_(a * a)
        one, other = (
            networks.hidden_and_output(
                *(layout.split(x[None]), torch.tensor(X), activation),
                layout.normalizations(x[None]),
            )[-1]
            for x in (row, scaled)
        )
        torch.testing.assert_close(one, other, rtol=0, atol=1e-13)
        after = gradient_at(scaled, layout, activation, Y["binary"], "binary")
        expected = before.clone()
        layout.split(expected)[hidden].div_(a)
        torch.testing.assert_close(after, expected, rtol=1e-11, atol=1e-13)
        weights, gradient = (layout.split(x)[hidden] for x in (row, before))
        across = (weights * gradient).sum(1) if kind == "batch" else (weights * gradient).sum()
        assert across.abs().max() < 1e-14
        assert gradient.abs().max() > 1e-3


def test_a_units_weights_and_gradient_are_orthogonal_up_to_epsilons_share():
    """``w · ∇L = ε / (σ² + ε) · ∂L/∂gain`` for each unit of batch normalization with gain 1."""
    layout = Layout((3, 5, 1), "batch", True)
    row = initial_row(layout, "tanh", 0)
    layout.split(row)[0].mul_(0.01)  # so that epsilon matters
    gradient = gradient_at(row, layout, "tanh", Y["binary"], "binary")
    weights = layout.split(row)[0]
    z = torch.tensor(X) @ weights[:, :-1].T + weights[:, -1]
    share = 1e-5 / (z.var(0, unbiased=False) + 1e-5)
    assert share.max() > 0.05
    of_gain = layout.normalizations(gradient[None])[0].gain[0, :, 0]
    across = (weights * layout.split(gradient)[0]).sum(1)
    torch.testing.assert_close(across, share * of_gain, rtol=1e-10, atol=1e-16)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_effective_rates_are_the_rate_divided_by_the_norms_of_hidden_layers(optimizer):
    network = NetworkSpec((5, 4), normalization="batch")
    history = train(network, Regularization(), Regularization(l2=0.1), optimizer=optimizer)
    power = 2 if optimizer == "sgd" else 1
    rates = history.effective_rates(-1)
    for k, layer in itertools.product(range(2), range(2)):
        norm = np.linalg.norm(history.weights(k)[layer])
        assert rates[k, layer] == pytest.approx(LR / norm**power, rel=1e-14)
    assert rates.shape == (2, 2)
    with pytest.raises(ValueError, match="normalization"):
        train(NetworkSpec((4,)), Regularization()).effective_rates()


# ------------------------------------------------------------------------------ regularization


@kinds
def test_no_regularizer_acts_on_gains_shifts_or_statistics(kind, affine):
    network = NetworkSpec((5, 4), normalization=kind, affine=affine)
    history = train(network, Regularization(l1=50, l2=50), Regularization(group_lasso=50))
    layout = history.layout
    assert layout.is_weight.sum() == 3 * 5 + 5 * 4 + 4
    zero = (history.parameters[-1] == 0)[:, layout.is_weight].mean(1)
    assert zero[0] == 1
    assert zero[1] == 1 - 4 / layout.is_weight.sum()  # the output layer has no groups
    weights = history.parameters[..., layout.is_weight]
    np.testing.assert_array_equal(history.metrics["l1_norm"], np.abs(weights).sum(2))
    for norm in layout.normalizations(torch.from_numpy(history.parameters[-1].copy())):
        if affine:  # units without weights are constant, so that gains have no gradient
            assert norm.gain.std() < 0.2
            assert (norm.gain - 1).abs().max() < 0.5
        if kind == "batch":
            assert (norm.variance > 0).all()


# ------------------------------------------------------------------------------ batches of one


def test_batches_of_one_point_are_refused_with_batch_normalization():
    network = NetworkSpec((3,), normalization="batch")
    with pytest.raises(ValueError, match="batch_size must be at least 2 with batch normalization"):
        Experiment(network=network, training=TrainingSpec(batch_size=1))
    one = regviz.Dataset(X[:1], Y["regression"][:1], task="regression")
    with pytest.raises(ValueError, match="at least 2 with batch normalization"):
        regviz.train(Experiment(network=network, training=TrainingSpec(batch_size=None)), one)
    layer = dataclasses.replace(network, normalization="layer")
    spec = Experiment(network=layer, training=TrainingSpec(batch_size=1, epochs=1))
    assert regviz.train(spec, one).complete


@pytest.mark.parametrize("kind", ["batch", "layer"])
def test_a_network_without_hidden_layers_has_nothing_to_normalize(kind):
    plain, normalized = (
        train(NetworkSpec((), normalization=one, affine=True), Regularization(l1=0.01))
        for one in ("none", kind)
    )
    np.testing.assert_array_equal(plain.parameters, normalized.parameters)
