"""Tests of the datasets of more than two columns."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits

from regviz import Dataset, DataSpec, make_dataset
from regviz.data.points_file import points_csv
from regviz.methods.labels import class_names
from regviz.spec.points import SPLITS
from regviz.spec.tables import TABLES

MEASURED = {
    "diabetes": (load_diabetes, lambda y: (y - y.mean()) / y.std()),
    "breast_cancer": (load_breast_cancer, lambda y: y),
    "digits": (load_digits, lambda y: y > 4),
}


def everything(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    X, y = zip(*(dataset.points(split) for split in SPLITS), strict=True)
    return np.concatenate(X), np.concatenate(y)


def sorted_rows(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    rows = np.column_stack([X, y])
    return rows[np.lexsort(rows.T)]


@pytest.mark.parametrize("name", MEASURED)
def test_a_whole_table_has_the_rows_that_scikit_learn_ships(name):
    load, target = MEASURED[name]
    table = load()
    spec = DataSpec(name, n_samples=len(table.target), standardize=False)
    found = everything(make_dataset(spec))
    np.testing.assert_array_equal(
        sorted_rows(*found), sorted_rows(table.data, target(table.target).astype(float))
    )
    if name == "breast_cancer":
        assert spec.columns == tuple(table.feature_names)
        assert class_names(spec, 2) == tuple(table.target_names)


@pytest.mark.parametrize("name", MEASURED)
def test_fewer_rows_are_different_rows_of_the_table_that_depend_on_the_seed(name):
    load, _ = MEASURED[name]
    spec = DataSpec(name, n_samples=60, standardize=False)
    X, _ = everything(make_dataset(spec))
    of_table = {tuple(row) for row in load().data}
    assert {tuple(row) for row in X} <= of_table
    assert len({tuple(row) for row in X}) == 60
    other, _ = everything(make_dataset(replace(spec, seed=1)))
    assert {tuple(row) for row in other} != {tuple(row) for row in X}


@pytest.mark.parametrize(("name", "rows"), [("diabetes", 442), ("breast_cancer", 569)])
def test_more_samples_than_rows_are_refused_by_name(name, rows):
    message = rf"^n_samples must be a whole number from 20 to {rows}, got {rows + 1}$"
    with pytest.raises(ValueError, match=message):
        DataSpec(name, n_samples=rows + 1)


def test_correlated_groups_are_three_copies_with_noise_of_each_of_two_signals():
    spec = DataSpec("correlated_groups", 2000, noise=0, standardize=False)
    X, y = everything(make_dataset(spec))
    first, second = X[:, :3].mean(axis=1), X[:, 3:].mean(axis=1)
    correlations = np.corrcoef(X.T)
    within = correlations[:3, :3]
    # of two copies: 1 / (1 + 0.1²); five standard errors, (1 - ρ²) / √n
    np.testing.assert_allclose(within[np.triu_indices(3, 1)], 1 / 1.01, atol=5 * 0.02 / 2000**0.5)
    assert np.abs(correlations[:3, 3:]).max() < 5 / 2000**0.5
    # the mean of three copies has noise of 0.1 / √3
    rest = y - (first + second / 2)
    expected = 0.1 / 3**0.5 * (1 + 0.25) ** 0.5
    assert abs(rest.std() / expected - 1) < 5 / 4000**0.5


def test_five_of_sixty_columns_make_the_target_of_small_and_fat():
    spec = DataSpec("small_and_fat", 2000, noise=0, standardize=False)
    X, y = everything(make_dataset(spec))
    assert X.shape == (2000, 60)
    weights, residuals, *_ = np.linalg.lstsq(X, y, rcond=None)
    assert residuals < 1e-20
    assert tuple(np.flatnonzero(np.abs(weights) > 1e-9)) == spec.relevant == (0, 1, 2, 3, 4)
    assert abs(y.std() - 1) < 5 / 4000**0.5
    correlations = np.corrcoef(X.T)[np.triu_indices(60, 1)]
    pairs = np.column_stack(np.triu_indices(60, 1))
    relevant = (pairs < 5).all(axis=1)
    np.testing.assert_allclose(correlations[relevant], 0.5, atol=5 * 0.75 / 2000**0.5)
    assert np.abs(correlations[~relevant]).max() < 5 / 2000**0.5


def test_the_first_two_of_thirty_signs_decide_the_class_of_parity():
    spec = DataSpec("parity", 1000, noise=0, standardize=False)
    X, y = everything(make_dataset(spec))
    assert X.shape == (1000, 30)
    assert set(X.ravel().tolist()) == {-1.0, 1.0}
    assert spec.relevant == (0, 1)
    np.testing.assert_array_equal(y, X[:, 0] * X[:, 1] > 0)


@pytest.mark.parametrize("n_train", [15, 40])
def test_small_and_fat_has_as_few_training_points_as_asked_for(n_train):
    spec = DataSpec(
        "small_and_fat", 200, train_fraction=n_train / 200, validation_fraction=0, seed=2
    )
    assert make_dataset(spec).X_train.shape == (n_train, 60)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_noise_moves_targets_or_for_classes_columns_and_nothing_of_measured_tables(table):
    clean, noisy = (
        everything(make_dataset(DataSpec(table.name, 400, noise=noise, standardize=False)))
        for noise in (0, 0.3)
    )
    moved = table.noisy * [0 if table.task == "binary" else 1]
    for part in (0, 1):
        moves = noisy[part] - clean[part]
        if part in moved:
            assert abs(moves.std() / 0.3 - 1) < 5 / (2 * moves.size) ** 0.5
        else:
            assert not moves.any()


def test_the_file_of_points_has_a_column_for_each_input():
    dataset = make_dataset(DataSpec("digits", 100))
    header, first, *_ = points_csv(dataset).splitlines()
    assert header.split(",") == [*(f"x{i + 1}" for i in range(64)), "y", "split"]
    assert [float(value) for value in first.split(",")[:64]] == dataset.X_train[0].tolist()
