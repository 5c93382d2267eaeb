"""Reference forward pass in NumPy, and equality of histories."""

import itertools
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

import regviz
from regviz.engine.history import History
from regviz.spec.experiment import FEATURES

ACTIVATE = {
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "linear": lambda z: z,
}

FORMULAS = {
    "x1": lambda a, b: a,
    "x2": lambda a, b: b,
    "x1^2": lambda a, b: a**2,
    "x2^2": lambda a, b: b**2,
    "x1*x2": lambda a, b: a * b,
    "sin(x1)": lambda a, b: np.sin(a),
    "sin(x2)": lambda a, b: np.sin(b),
}
TASKS = {"binary": "moons", "multiclass": "three_spirals", "regression": "bumps"}
FEATURE_SETS = [("x1", "x2"), ("x2",), ("sin(x1)", "x1^2", "x1*x2"), FEATURES]


def features_by_hand(points, names):
    """Return the input features of points, by their formulas."""
    return np.column_stack([FORMULAS[name](*points.T) for name in names])


def layers_by_hand(row, sizes):
    """Return the weights and biases of a row, read number by number in the documented order."""
    numbers = iter(row)
    layers = []
    for fan_in, fan_out in itertools.pairwise(sizes):
        units = [[next(numbers) for _ in range(fan_in + 1)] for _ in range(fan_out)]
        weight = torch.stack([torch.stack(unit[:-1]) for unit in units])
        layers.append((weight, torch.stack([unit[-1] for unit in units])))
    assert next(numbers, None) is None
    return layers


def outputs(
    weights: Sequence[NDArray[np.floating]],
    biases: Sequence[NDArray[np.floating]],
    inputs: NDArray[np.floating],
    activation: str,
) -> NDArray[np.floating]:
    """Return the raw outputs ``(n, n_outputs)`` of a network, by a plain forward pass."""
    values = inputs
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        values = (ACTIVATE[activation](values) if i else values) @ weight + bias
    return values


def assert_same_recording(
    one: History, other: History, rows: slice | Sequence[int] = slice(None)
) -> None:
    """Assert that a history equals the recording of another's ``rows``, bit by bit."""
    assert one.epochs.tobytes() == other.epochs.tobytes()
    np.testing.assert_array_equal(one.diverged, other.diverged[rows])
    pairs = {"parameters": (one.parameters, other.parameters)}
    assert one.metrics.keys() == other.metrics.keys()
    pairs |= {name: (values, other.metrics[name]) for name, values in one.metrics.items()}
    for name, (found, expected) in pairs.items():
        assert found.dtype == expected.dtype, name
        assert found.tobytes() == expected[:, rows].tobytes(), name


def assert_same_history(one: History, other: History) -> None:
    """Assert that two histories are equal, bit by bit."""
    assert one.experiment == other.experiment
    assert one.dataset.task == other.dataset.task
    for split in ("train", "validation", "test"):
        for a, b in zip(one.dataset.points(split), other.dataset.points(split), strict=True):
            assert a.shape == b.shape
            assert a.tobytes() == b.tobytes()
    assert_same_recording(one, other)


def train_pair(
    task: str,
    hidden: tuple[int, ...] = (6, 5, 4),
    activation: str = "tanh",
    features: tuple[str, ...] = FEATURES,
    normalization: str = "none",
    affine: bool = False,
) -> History:
    """Train two networks on a dataset of `TASKS`, without regularization and with L1."""
    experiment = regviz.Experiment(
        regviz.DataSpec(TASKS[task], n_samples=200),
        regviz.NetworkSpec(hidden, activation, features, normalization, affine),
        regviz.TrainingSpec("adam", epochs=20),
        (regviz.Regularization(), regviz.Regularization(l1=0.01)),
    )
    return regviz.train(experiment)


def normalized_module(history: History, k: int = 0, t: int = 0) -> torch.nn.Sequential:
    """Return a recorded network with normalization as a float64 `torch.nn` module in evaluation."""
    spec = history.experiment.network
    rows = torch.from_numpy(history.parameters[t, k : k + 1].astype(np.float64))
    norms = history.layout.normalizations(rows)
    modules: list[torch.nn.Module] = []
    for i, (weight, bias) in enumerate(
        zip(history.weights(k, t), history.biases(k, t), strict=True)
    ):
        linear = torch.nn.Linear(*weight.shape, dtype=torch.float64)
        linear.weight.data = torch.tensor(weight.T.astype(np.float64))
        linear.bias.data = torch.tensor(bias.astype(np.float64))
        modules.append(linear)
        if i < len(norms):
            layer = {
                "batch": lambda n: torch.nn.BatchNorm1d(n, affine=spec.affine),
                "layer": lambda n: torch.nn.LayerNorm(n, elementwise_affine=spec.affine),
            }[spec.normalization](len(bias)).double()
            pairs = ("weight", "gain"), ("bias", "shift")
            buffers = ("running_mean", "mean"), ("running_var", "variance")
            for name, part in (*pairs, *buffers):
                if (value := getattr(norms[i], part)) is not None:
                    getattr(layer, name).data.copy_(value[0, :, 0])
            modules += [layer, TORCH_ACTIVATIONS[spec.activation]()]
    return torch.nn.Sequential(*modules).eval()


TORCH_ACTIVATIONS = {
    "tanh": torch.nn.Tanh,
    "relu": torch.nn.ReLU,
    "leaky_relu": torch.nn.LeakyReLU,
    "sigmoid": torch.nn.Sigmoid,
    "linear": torch.nn.Identity,
}
