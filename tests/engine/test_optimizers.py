"""Tests of trajectories against `torch.optim`, or a plain loop where there is a penalty."""

import numpy as np
import pytest
import torch

import regviz
from regviz import Regularization, TrainingSpec

EPOCHS = 40
rng = np.random.default_rng(0)
X = rng.normal(size=(30, 3))
Y = {
    "binary": (X[:, 0] * X[:, 1] > 0).astype(float),
    "regression": np.sin(X[:, 0]) + X[:, 1],
}
Y["multiclass"] = Y["binary"] + (X[:, 2] > 0.5)

LR = 0.05
SGD = TrainingSpec("sgd", LR)
MOMENTUM = TrainingSpec("momentum", LR, momentum=0.8)
ADAM = TrainingSpec("adam", LR, beta1=0.8, beta2=0.95, epsilon=1e-3)
ADAMW = TrainingSpec("adamw", LR, beta1=0.8, beta2=0.95, epsilon=1e-3)
ADAM_OPTIONS = dict(betas=(0.8, 0.95), eps=1e-3)


def train(spec, rows, task="binary", epochs=EPOCHS):
    """Train a small network with full batches in float64, and record every step."""
    training = TrainingSpec(
        **{**vars(spec), "batch_size": None, "epochs": epochs, "dtype": "float64"}
    )
    network = regviz.NetworkSpec(hidden=(4, 3), activation="tanh")
    experiment = regviz.Experiment(network=network, training=training, regularizations=tuple(rows))
    return regviz.train(experiment, regviz.Dataset(X, Y[task], task=task))


def gradient_steps(history, k, task, step, as_module, torch_loss):
    """Update a copy of network ``k`` by ``step(module)``, and compare it at every epoch."""
    module = as_module(history.weights(k, 0), history.biases(k, 0), "tanh")
    inputs, y = torch.tensor(X), torch.tensor(Y[task])
    act = step(module)
    for t in range(1, len(history.epochs)):
        module.zero_grad()
        torch_loss(module(inputs), y, task).backward()
        act()
        layers = [m for m in module if isinstance(m, torch.nn.Linear)]
        for layer, weight, bias in zip(
            layers, history.weights(k, t), history.biases(k, t), strict=True
        ):
            np.testing.assert_allclose(layer.weight.detach().T, weight, rtol=0, atol=1e-10)
            np.testing.assert_allclose(layer.bias.detach(), bias, rtol=0, atol=1e-10)


def weights_and_biases(module):
    parameters = list(module.parameters())
    return parameters[::2], parameters[1::2]


def groups(module, weight_decay):
    """Return parameter groups with weight decay on weights only."""
    weights, biases = weights_and_biases(module)
    return [
        {"params": weights, "weight_decay": weight_decay},
        {"params": biases, "weight_decay": 0.0},
    ]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize(
    ("spec", "reference"),
    [
        (SGD, lambda p: torch.optim.SGD(p, LR)),
        (MOMENTUM, lambda p: torch.optim.SGD(p, LR, momentum=0.8)),
        (ADAM, lambda p: torch.optim.Adam(p, LR, **ADAM_OPTIONS)),
        (TrainingSpec("adam", LR), lambda p: torch.optim.Adam(p, LR)),
        (ADAMW, lambda p: torch.optim.AdamW(p, LR, weight_decay=0, **ADAM_OPTIONS)),
    ],
    ids=["sgd", "momentum", "adam", "adam-defaults", "adamw"],
)
def test_without_a_penalty_trajectories_equal_torch_optims(
    spec, reference, task, as_module, torch_loss
):
    history = train(spec, [Regularization(l1=0.1), Regularization()], task)

    def step(module):
        return reference(module.parameters()).step

    gradient_steps(history, 1, task, step, as_module, torch_loss)


@pytest.mark.parametrize(
    ("spec", "decoupled"), [(ADAMW, False), (ADAMW, True), (ADAM, True)], ids=str
)
@pytest.mark.parametrize("l2", [0.1, 3.0])
def test_decoupled_decay_equals_adamws_on_weights_and_spares_biases(
    spec, decoupled, l2, as_module, torch_loss
):
    history = train(spec, [Regularization(), Regularization(l2=l2, decoupled=decoupled)])

    def step(module):
        return torch.optim.AdamW(groups(module, l2), LR, **ADAM_OPTIONS).step

    gradient_steps(history, 1, "binary", step, as_module, torch_loss)


@pytest.mark.parametrize(
    ("spec", "momentum"), [(SGD, 0.0), (MOMENTUM, 0.8)], ids=["sgd", "momentum"]
)
def test_decoupled_decay_shrinks_weights_before_the_step(spec, momentum, as_module, torch_loss):
    history = train(spec, [Regularization(l2=0.7, decoupled=True)])

    def step(module):
        optimizer = torch.optim.SGD(module.parameters(), LR, momentum=momentum)

        def act():
            with torch.no_grad():
                for weight in weights_and_biases(module)[0]:
                    weight.mul_(1 - LR * 0.7)
            optimizer.step()

        return act

    gradient_steps(history, 0, "binary", step, as_module, torch_loss)


@pytest.mark.parametrize("spec", [SGD, MOMENTUM, ADAM], ids=["sgd", "momentum", "adam"])
@pytest.mark.parametrize(
    "row",
    [Regularization(l1=0.1), Regularization(l2=0.3), Regularization(l1=0.08, l2=0.2)],
    ids=["l1", "l2", "both"],
)
def test_with_a_penalty_every_step_ends_with_the_proximal_map_at_its_own_step_size(
    spec, row, as_module, torch_loss
):
    """Compare with a NumPy loop: the data step, then ``S(z, t l1) / (1 + t l2)``."""
    history = train(spec, [Regularization(), row])

    def step(module):
        state = [
            {"m": np.zeros(p.shape), "v": np.zeros(p.shape), "t": 0} for p in module.parameters()
        ]

        def act():
            for p, s in zip(module.parameters(), state, strict=True):
                g, w = p.grad.numpy(), p.detach().numpy()
                s["t"] += 1
                if spec.optimizer == "adam":
                    s["m"] = spec.beta1 * s["m"] + (1 - spec.beta1) * g
                    s["v"] = spec.beta2 * s["v"] + (1 - spec.beta2) * g**2
                    size = LR / (np.sqrt(s["v"] / (1 - spec.beta2 ** s["t"])) + spec.epsilon)
                    z = w - size * s["m"] / (1 - spec.beta1 ** s["t"])
                else:
                    mu = spec.momentum if spec.optimizer == "momentum" else 0
                    s["m"] = mu * s["m"] + g
                    size = LR / (1 - mu)
                    z = w - LR * s["m"]
                if w.ndim == 2:
                    z = np.sign(z) * np.maximum(np.abs(z) - size * row.l1, 0)
                    z = z / (1 + size * row.l2)
                with torch.no_grad():
                    p.copy_(torch.tensor(z))

        return act

    gradient_steps(history, 1, "binary", step, as_module, torch_loss)
    assert (history.metrics["sparsity"][:, 1].max() > 0) == bool(row.l1)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_decoupling_changes_nothing_without_l2(optimizer):
    rows = [Regularization(l1=0.01), Regularization(l1=0.01, decoupled=True)]
    parameters = train(TrainingSpec(optimizer, LR), rows, epochs=5).parameters
    np.testing.assert_array_equal(parameters[:, 0], parameters[:, 1])


def test_momentum_of_zero_is_gradient_descent():
    rows = [Regularization(), Regularization(l1=0.01, l2=0.1)]
    heavy = train(TrainingSpec("momentum", LR, momentum=0), rows, epochs=5)
    np.testing.assert_array_equal(heavy.parameters, train(SGD, rows, epochs=5).parameters)


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
@pytest.mark.parametrize(("beta1", "beta2"), [(0.0, 0.0), (0.0, 0.999), (0.9, 0.5), (0.999, 0.1)])
def test_every_decay_rate_of_adam_trains(optimizer, beta1, beta2, as_module, torch_loss):
    spec = TrainingSpec(optimizer, LR, beta1=beta1, beta2=beta2)
    history = train(spec, [Regularization()], epochs=10)

    def step(module):
        return torch.optim.Adam(module.parameters(), LR, betas=(beta1, beta2)).step

    gradient_steps(history, 0, "binary", step, as_module, torch_loss)
