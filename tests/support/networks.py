"""Networks in plain NumPy, and histories held against each other."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from regviz.engine.history import History

ACTIVATE = {
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "linear": lambda z: z,
}


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
    """Assert that a history has what another recorded of its ``rows``, to the last bit."""
    assert one.epochs.tobytes() == other.epochs.tobytes()
    np.testing.assert_array_equal(one.diverged, other.diverged[rows])
    pairs = {"parameters": (one.parameters, other.parameters)}
    assert one.metrics.keys() == other.metrics.keys()
    pairs |= {name: (values, other.metrics[name]) for name, values in one.metrics.items()}
    for name, (found, expected) in pairs.items():
        assert found.dtype == expected.dtype, name
        assert found.tobytes() == expected[:, rows].tobytes(), name


def assert_same_history(one: History, other: History) -> None:
    """Assert that two histories agree in everything, to the last bit."""
    assert one.experiment == other.experiment
    assert one.dataset.task == other.dataset.task
    for split in ("train", "validation", "test"):
        for a, b in zip(one.dataset.points(split), other.dataset.points(split), strict=True):
            assert a.shape == b.shape
            assert a.tobytes() == b.tobytes()
    assert_same_recording(one, other)
