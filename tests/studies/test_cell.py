"""Tests of `regviz.studies.cell.compute` against trainings of the same networks one by one."""

import math
from dataclasses import replace

import numpy as np
import pytest

import regviz
from regviz.analysis import replicates
from regviz.studies import cell as cell_module
from regviz.studies.cell import Row, _chosen, compute, schema, steps
from tests.support.studies import bits

BASE = regviz.Experiment(
    regviz.DataSpec("moons", n_samples=80),
    regviz.NetworkSpec(hidden=(6,)),
    regviz.TrainingSpec("momentum", learning_rate=0.1, epochs=30, frames=30),
)


@pytest.fixture(scope="module")
def cell():
    methods = ("none", "l1", "early_stopping")
    return regviz.Study(BASE, methods=methods, strengths=3, seeds=(4, 0)).cells[0]


@pytest.fixture(scope="module")
def table(cell):
    return compute(cell)


def test_numbers_are_those_of_each_network_trained_by_itself(cell, table):
    assert table.schema.equals(schema())
    found = iter(table.to_pylist())
    for row in cell.rows:
        for seed in cell.seeds:
            one = next(found)
            assert (one["method"], one["strength_index"]) == (row.method, row.strength_index)
            assert one["cell"] == cell.key
            assert one["seed"] == seed
            history = regviz.train(cell.experiment_under(seed))
            t, k = -1, row.network
            if row.method == "early_stopping":
                t = history.early_stopping(patience=3)[0][k]
            assert one["epoch"] == history.epochs[t]
            for name, values in history.metrics.items():
                if name in one:
                    assert one[name] == values[t, k], name
            w = np.concatenate([layer.ravel() for layer in history.weights(k, t)]).astype(float)
            one_norm, two_norm = np.abs(w).sum(), math.sqrt((w * w).sum())
            assert one["n_weights"] == len(w) == 18
            assert one["norm"] == history.metrics["l2_norm"][t, k]
            ratio = one_norm / two_norm if two_norm else math.nan  # L1 has set all weights to 0
            effective, root = ratio**2, math.sqrt(len(w))
            hoyer = (root - ratio) / (root - 1)
            assert one["effective_weights"] == pytest.approx(effective, rel=1e-12, nan_ok=True)
            assert one["hoyer"] == pytest.approx(hoyer, rel=1e-12, nan_ok=True)
            assert not one["diverged"]


def test_neither_pauses_nor_blocks_of_seeds_change_a_bit(cell, table, monkeypatch):
    monkeypatch.setattr(cell_module, "SEEDS_AT_ONCE", 1)
    tables = []

    def paused():
        tables.append((yield from steps(cell, due=lambda: True)))

    n_pauses = len(list(paused()))
    assert bits(tables[0]) == bits(table)
    # for each of two seeds, after its points, each epoch but the last, and its numbers
    assert n_pauses == 2 * (1 + 29 + 1)


def test_the_chosen_strength_has_the_lowest_validation_loss_under_its_seed(table):
    frame = table.to_pandas()
    for _, group in frame.groupby(["method", "seed"]):
        assert group.chosen.sum() == 1
        assert group.validation_loss[group.chosen].item() == group.validation_loss.min()


def test_of_equal_losses_the_strongest_is_chosen_and_a_diverged_network_never():
    rows = [Row("none", 0, math.nan, 0), *(Row("l2", i, i + 1.0, i + 1) for i in range(3))]
    nan = math.nan
    loss = np.array([[0.5, 0.5, nan], [0.3, 0.1, nan], [0.3, nan, nan], [0.4, nan, nan]])
    chosen = _chosen(rows, loss, np.isnan(loss))
    assert chosen.T.tolist() == [
        [True, False, True, False],
        [True, True, False, False],
        [False, False, False, False],
    ]


def test_without_methods_too_the_strongest_of_equal_losses_is_chosen():
    strengths = (5, 1, 3)  # each sets all weights to 0
    own = tuple(regviz.Regularization(l1=strength) for strength in strengths)
    study = regviz.Study(replace(BASE, regularizations=own), seeds=(0,))
    frame = compute(study.cells[0]).to_pandas()
    assert (frame.sparsity == 1).all()
    assert frame.validation_loss.nunique() == 1
    assert frame.strength.tolist() == [1, 3, 5]
    assert frame.strength[frame.chosen].tolist() == [5]


def test_values_of_a_diverged_network_are_missing():
    wild = regviz.TrainingSpec(learning_rate=10, epochs=20)
    network = regviz.NetworkSpec(hidden=(16, 16), activation="linear")
    base = regviz.Experiment(regviz.DataSpec("plane", n_samples=60), network, wild)
    frame = compute(regviz.Study(base, methods=("none",), seeds=(0,)).cells[0]).to_pandas()
    assert frame.diverged.all()
    assert not frame.chosen.any()
    assert frame.loc[:, "train_loss":"norm"].isna().all(axis=None)


def test_regression_has_no_accuracy():
    base = regviz.Experiment(
        regviz.DataSpec("bumps", n_samples=60), training=regviz.TrainingSpec(epochs=5)
    )
    frame = compute(regviz.Study(base, seeds=(0,)).cells[0]).to_pandas()
    assert frame.test_accuracy.isna().all()
    assert frame.test_loss.notna().all()


def test_steps_can_be_left_after_each_seeds_points_and_after_its_numbers(
    monkeypatch: pytest.MonkeyPatch,
):
    done: list[str] = []

    def note(where, name: str) -> None:
        own = getattr(where, name)

        def noted(*args):
            done.append(name)
            return own(*args)

        monkeypatch.setattr(where, name, noted)

    note(replicates, "make_dataset")
    note(cell_module, "_numbers")
    epochs = 2
    base = regviz.Experiment(training=regviz.TrainingSpec(epochs=epochs))
    study = regviz.Study(base, methods=("none", "l2"), strengths=2, seeds=range(4))
    expected = compute(study.cells[0])
    done.clear()
    slices, generator = [], steps(study.cells[0], lambda: True)
    while True:
        try:
            next(generator)
        except StopIteration as end:
            table = end.value
            break
        slices.append(done.copy())
        done.clear()
    assert done == []
    made, trained = ["make_dataset"], [[]] * (epochs - 1)
    assert slices == [made] * 4 + trained + [["_numbers"]] * 4
    assert bits(table) == bits(expected)
