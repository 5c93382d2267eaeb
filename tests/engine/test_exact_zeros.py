"""Tests of exact zeros: L1 and group lasso set weights to 0; rounding and encoding never do."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

import regviz
from regviz import Dataset, Experiment, NetworkSpec, Regularization, TrainingSpec
from regviz.engine.history import History
from regviz.methods.catalogue import METHODS
from regviz.scenes.encoding import encode
from regviz.scenes.showcase import SHOWCASE
from regviz.scenes.strength_grid import StrengthGrid
from tests.support.recordings import decode, source_of

WITHOUT_L1 = (
    Regularization(),
    *(Regularization(l2=l2) for l2 in (1e-3, 0.1, 1, 100, 1000)),
    *(Regularization(l2=l2, decoupled=True) for l2 in (0.1, 1, 100)),
    Regularization(drop_rate=0.9, input_drop_rate=0.5),
    Regularization(max_norm=1e-3),
    Regularization(max_norm=1e-30),
    Regularization(l2=1, drop_rate=0.5, max_norm=0.5),
    Regularization(l2=100, onset=20),
    Regularization(l1=0.1, l2=100, onset=40),  # without L1 before its onset
)
EPOCHS, ONSET = 60, 40
GRID = list(
    itertools.product(
        ("sgd", "momentum", "adam", "adamw"), (1e-5, 0.01, 1, 10), (1, 10, None), ("tanh", "relu")
    )
)


def points() -> Dataset:
    """Return points whose last column is all 0, so that its weights have no gradient."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(24, 3))
    X[:, 2] = 0
    y = (X[:, 0] > 0).astype(float)
    return Dataset(X, y, X, y, X, y)


def trained(dataset: Dataset, rows=WITHOUT_L1, activation: str = "tanh", **training) -> History:
    spec = TrainingSpec(**{"epochs": EPOCHS, "frames": 20, **training})
    return regviz.train(
        Experiment(SHOWCASE.data, NetworkSpec((4,), activation), spec, rows), dataset
    )


def zeros(history: History) -> np.ndarray:
    """Return the counts of weights that are exactly 0 ``(T, K)``."""
    weights = history.parameters[..., history.layout.is_weight]
    return (weights == 0).sum(axis=-1)


@pytest.mark.parametrize(("optimizer", "learning_rate", "batch_size", "activation"), GRID)
def test_without_l1_no_weight_is_ever_exactly_zero(
    optimizer: str, learning_rate: float, batch_size: int | None, activation: str
):
    training = dict(optimizer=optimizer, learning_rate=learning_rate, batch_size=batch_size)
    history = trained(points(), activation=activation, **training)
    before = history.epochs <= ONSET
    assert before.sum() > 2
    assert not zeros(history)[before].any()
    assert not zeros(history)[:, :-1].any()
    sparsity = history.metrics["sparsity"][:, :-1]
    assert (sparsity[np.isfinite(sparsity)] == 0).all()


def test_the_weight_of_an_unused_input_shrinks_on_without_becoming_zero():
    """With a learning rate of 10 and L2 of 1 each step divides the weight by 11."""
    row = Regularization(l2=1)
    steep = dict(optimizer="sgd", learning_rate=10, batch_size=1)
    for dtype in ("float32", "float64"):
        history = trained(points(), (row,), dtype=dtype, **steep)
        unused = history.weights(0)[0][2]
        assert (unused != 0).all()
        smallest = np.finfo(dtype).tiny
        assert (np.abs(unused) <= (1e3 if dtype == "float32" else 1e200) * smallest).all()
        np.testing.assert_array_equal(np.sign(unused), np.sign(history.weights(0, 0)[0][2]))


def test_l1_sets_the_weight_of_an_unused_input_to_zero():
    rows = Regularization(l1=0.1), Regularization.elastic_net(0.2, l1_ratio=0.5)
    history = trained(points(), rows, learning_rate=0.1)
    for k in range(2):
        assert (history.weights(k)[0][2] == 0).all()


@pytest.mark.parametrize("name", ["circles", "three_blobs", "plane"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize(
    ("optimizer", "learning_rate"), [("sgd", 3.0), ("momentum", 1.0), ("adam", 0.3), ("adamw", 0.3)]
)
def test_no_network_of_the_page_without_l1_has_a_zero_and_none_travels(
    name: str, activation: str, optimizer: str, learning_rate: float
):
    training = replace(
        SHOWCASE.training, optimizer=optimizer, learning_rate=learning_rate, epochs=40, batch_size=4
    )
    network = NetworkSpec((6,), activation, ("x1", "x2", "x1^2"))
    grid = StrengthGrid.of(list(METHODS), replace(SHOWCASE.data, name=name), network, training)
    history = regviz.train(grid.experiment)
    rows = grid.experiment.regularizations
    without = [k for k, row in enumerate(rows) if not row.l1 and not row.group_lasso]
    assert not zeros(history)[:, without].any()
    groups = [k for k, row in enumerate(rows) if row.group_lasso]
    vanished = [(history.weights(k)[0] == 0).all(axis=0) for k in groups]
    # whole units, whose three incoming weights are 0 at once
    np.testing.assert_array_equal(zeros(history)[-1, groups], 3 * np.sum(vanished, axis=1))
    sent = sent_zeros(grid, history)
    np.testing.assert_array_equal(sent, zeros(history)[: len(sent)])


def sent_zeros(grid: StrengthGrid, history: History) -> np.ndarray:
    """Return the counts of exact zeros in the encoded frames ``(T, K)``."""
    _, arrays = decode(encode(source_of(grid, history)))
    return (arrays["parameters"][..., history.layout.is_weight] == 0).sum(axis=-1)


def test_weights_in_double_precision_do_not_become_zero_on_their_way():
    training = replace(SHOWCASE.training, epochs=20, dtype="float64")
    grid = StrengthGrid.of(["none", "l1"], SHOWCASE.data, NetworkSpec((3,)), training)
    history = regviz.train(grid.experiment)
    parameters = history.parameters.copy()
    parameters[:, 0, 0] = 1e-300
    history = replace(history, parameters=parameters)
    np.testing.assert_array_equal(sent_zeros(grid, history), zeros(history))
