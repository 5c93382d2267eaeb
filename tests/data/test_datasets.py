"""Tests of toy datasets and own arrays: contents, splits, refusals."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_circles, make_moons

from regviz import Dataset, DataSpec, ToyDataset, make_dataset
from regviz.spec.points import SPLITS
from regviz.spec.toy import DATASETS

X = np.array([[0.0, 1.0], [2.0, -3.0], [0.5, 0.5], [-1.0, 4.0]])
y = np.array([0.0, 1.0, 1.0, 0.0])


def everything(dataset):
    """Return all points of all splits, ``(X, y)``."""
    parts = [dataset.points(split) for split in SPLITS]
    return np.vstack([X for X, _ in parts]), np.concatenate([y for _, y in parts])


def by_point(dataset):
    """Return a dict from a point's coordinates to its target."""
    return dict(zip(map(tuple, everything(dataset)[0]), everything(dataset)[1], strict=True))


# ---------------------------------------------------------------------------- toy datasets


@pytest.mark.parametrize("n", [40, 61, 400])
@pytest.mark.parametrize("name", DATASETS)
def test_every_dataset_has_the_points_asked_for_with_balanced_classes(name, n):
    dataset = make_dataset(DataSpec(name, n_samples=n, validation_fraction=0.2))
    points, targets = everything(dataset)
    assert points.shape == (n, len(DATASETS[name].columns))
    assert np.isfinite(points).all()
    assert dataset.task == DATASETS[name].task
    n_classes = {"binary": 2, "multiclass": 3, "regression": 0}[dataset.task]
    assert dataset.n_classes == n_classes
    assert dataset.n_outputs == (3 if n_classes == 3 else 1)
    for i in range(n_classes):
        # four standard errors of a random share: xor draws its classes at random
        share = (212 / 569, 357 / 569)[i] if name == "breast_cancer" else 1 / n_classes
        assert abs((targets == i).mean() - share) < 4 * np.sqrt(share * (1 - share) / n)
    assert set(targets) == set(range(n_classes)) or n_classes == 0
    for split in SPLITS:
        assert not any(array.flags.writeable for array in dataset.points(split))


@pytest.mark.parametrize("name", ["moons", "three_blobs", "plane"])
@pytest.mark.parametrize(
    ("n", "train_fraction", "validation_fraction", "sizes"),
    [
        (400, 0.5, 0.2, (160, 40, 200)),
        (400, 0.7, 0.0, (280, 0, 120)),
        (1000, 0.9, 0.1, (810, 90, 100)),
        (50, 0.6, 0.5, (15, 15, 20)),
        (20, 0.95, 0.0, (19, 0, 1)),
        (2000, 0.05, 0.2, (80, 20, 1900)),
    ],
)
def test_splits_have_the_sizes_asked_for(name, n, train_fraction, validation_fraction, sizes):
    if name != "plane" and sizes[2] == 1:
        n, sizes = 60, (57, 0, 3)  # classes need a point each on both sides
    spec = DataSpec(name, n, train_fraction=train_fraction, validation_fraction=validation_fraction)
    dataset = make_dataset(spec)
    assert tuple(len(dataset.points(split)[1]) for split in SPLITS) == sizes
    assert len({tuple(point) for point in everything(dataset)[0]}) == n


def test_splits_keep_the_classes_shares():
    dataset = make_dataset(
        DataSpec("three_blobs", 300, train_fraction=0.5, validation_fraction=0.2)
    )
    for split in SPLITS:
        shares = np.bincount(dataset.points(split)[1].astype(int)) / len(dataset.points(split)[1])
        np.testing.assert_allclose(shares, 1 / 3, atol=0.02)


@pytest.mark.parametrize("name", ["moons", "three_spirals", "bumps"])
def test_coordinates_are_standardized_by_the_training_points_alone(name):
    spec = DataSpec(name, n_samples=90, noise=0.4, train_fraction=0.3)
    raw = make_dataset(DataSpec(**{**vars(spec), "standardize": False}))
    scaled = make_dataset(spec)
    mean, deviation = raw.X_train.mean(axis=0), raw.X_train.std(axis=0)
    for split in SPLITS:
        np.testing.assert_allclose(
            scaled.points(split)[0], (raw.points(split)[0] - mean) / deviation, rtol=0, atol=1e-12
        )
        np.testing.assert_array_equal(scaled.points(split)[1], raw.points(split)[1])
    np.testing.assert_allclose(scaled.X_train.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.X_train.std(axis=0), 1, rtol=1e-12)
    # the other splits are not standardized by themselves
    assert (np.abs(scaled.X_test.mean(axis=0)) > 1e-6).all()
    assert (np.abs(scaled.X_test.std(axis=0) - 1) > 1e-6).all()


@pytest.mark.parametrize("name", ["moons", "three_blobs", "checkerboard"])
@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_label_noise_changes_the_stated_share_of_labels_and_no_point(name, rate):
    clean, noisy = (
        by_point(make_dataset(DataSpec(name, 2000, standardize=False, label_noise=r, seed=4)))
        for r in (0, rate)
    )
    assert clean.keys() == noisy.keys()
    changed = np.array([clean[point] != noisy[point] for point in clean])
    # five standard errors
    assert abs(changed.mean() - rate) < 5 * np.sqrt(rate * (1 - rate) / 2000)
    if name == "three_blobs":
        step = np.array([(noisy[point] - clean[point]) % 3 for point in clean])[changed]
        assert abs((step == 1).mean() - 0.5) < 5 * np.sqrt(0.25 / len(step))


@pytest.mark.parametrize("name", DATASETS)
def test_a_seed_reproduces_the_points_and_another_seed_does_not(name):
    first, again, other = (
        make_dataset(DataSpec(name, n_samples=60, seed=seed)) for seed in (7, 7, 8)
    )
    for split in SPLITS:
        for a, b in zip(first.points(split), again.points(split), strict=True):
            assert a.tobytes() == b.tobytes()
    if DATASETS[name].noisy:  # a table's rows are drawn anew
        assert not np.isin(first.X_train, other.X_train).any()
    else:
        assert not np.array_equal(first.X_train, other.X_train)


def test_points_depend_on_no_global_seed():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 (that state is what is checked)
    first = make_dataset(DataSpec("moons", seed=1))
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    np.testing.assert_array_equal(first.X_train, make_dataset(DataSpec("moons", seed=1)).X_train)


@pytest.mark.parametrize("n", [40, 61])
@pytest.mark.parametrize(
    ("name", "reference"),
    [("moons", make_moons), ("circles", lambda n, **kw: make_circles(n, factor=0.5, **kw))],
)
def test_moons_and_circles_come_from_scikit_learn(name, reference, n):
    points = by_point(make_dataset(DataSpec(name, n_samples=n, noise=0, standardize=False)))
    expected = {
        tuple(point): label for point, label in zip(*reference(n, shuffle=False), strict=True)
    }
    assert points == expected


@pytest.mark.parametrize(
    "name", ["moons", "circles", "xor", "spirals", "three_spirals", "plane", "bumps"]
)
def test_noise_is_the_standard_deviation_of_coordinates_or_of_a_regressions_target(name):
    clean, noisy = (
        everything(make_dataset(DataSpec(name, 2000, noise=noise, standardize=False)))
        for noise in (0, 0.3)
    )
    noisy_part = int(DATASETS[name].task == "regression")
    np.testing.assert_array_equal(clean[1 - noisy_part], noisy[1 - noisy_part])
    moves = noisy[noisy_part] - clean[noisy_part]
    # five standard errors of a standard deviation
    assert abs(moves.std() / 0.3 - 1) < 5 / np.sqrt(2 * moves.size)


def test_the_plane_is_a_plane():
    points, targets = everything(make_dataset(DataSpec("plane", noise=0, standardize=False)))
    design = np.column_stack([points, np.ones(len(points))])
    residual = targets - design @ np.linalg.lstsq(design, targets, rcond=None)[0]
    np.testing.assert_allclose(residual, 0, atol=1e-12)
    assert targets.std() > 0.1


@pytest.mark.parametrize(("name", "separates"), [("xor", -1), ("checkerboard", 0)])
def test_classes_without_noise_follow_their_pattern(name, separates):
    points, labels = everything(make_dataset(DataSpec(name, noise=0, standardize=False)))
    if separates:
        np.testing.assert_array_equal(labels, np.prod(points, axis=1) < 0)
    else:
        np.testing.assert_array_equal(labels, np.floor(points).sum(axis=1) % 2)


N = 20
POINTS = np.random.default_rng(0).normal(size=(N, 2))
CLASSES = np.arange(N) % 2
NOT_FINITE = np.where(np.arange(N) == 3, np.nan, CLASSES)


@pytest.mark.parametrize(
    ("made", "task", "allowed", "got"),
    [
        (None, "binary", "X of shape (20, 2) and y of shape (20,), both of numbers", "None"),
        (POINTS, "binary", "X of shape (20, 2) and y of shape (20,), both of numbers", "array("),
        ((POINTS, ["a"] * N), "binary", "X of shape (20, 2) and y of shape (20,)", "(array("),
        ((POINTS[:, [0, 1, 1]], CLASSES), "binary", "X of shape (20, 2)", "(20, 3)"),
        ((POINTS[1:], CLASSES[1:]), "binary", "X of shape (20, 2)", "(19, 2)"),
        ((POINTS, CLASSES[1:]), "binary", "y of shape (20,)", "(19,)"),
        ((POINTS, CLASSES[:, None]), "regression", "y of shape (20,)", "(20, 1)"),
        ((np.full((N, 2), np.inf), CLASSES), "binary", "X of finite numbers", "inf"),
        ((POINTS, NOT_FINITE), "regression", "y of finite numbers", "nan"),
        ((POINTS, CLASSES + 1), "binary", "y of class numbers from 0 to 1", "2.0"),
        ((POINTS, CLASSES / 2), "multiclass", "y of class numbers from 0 to 2", "0.5"),
        ((POINTS, np.arange(N) % 4), "multiclass", "y of class numbers from 0 to 2", "3.0"),
    ],
)
def test_points_that_a_registered_dataset_must_not_make_are_refused(
    monkeypatch, made, task, allowed, got
):
    monkeypatch.setitem(DATASETS, "ring", ToyDataset("ring", "Ring", task, lambda *_: made))
    pattern = rf"^make of dataset 'ring' must be a function that returns {re.escape(allowed)}"
    with pytest.raises(ValueError, match=rf"{pattern}.*, got {re.escape(got)}"):
        make_dataset(DataSpec("ring", n_samples=N))


def test_points_of_a_registered_dataset_stay_as_their_function_made_them(monkeypatch):
    labels = CLASSES.copy()
    ring = ToyDataset("ring", "Ring", "binary", lambda *_: (POINTS, labels))
    monkeypatch.setitem(DATASETS, "ring", ring)
    make_dataset(DataSpec("ring", n_samples=N, label_noise=0.5))
    assert np.array_equal(labels, CLASSES)


@pytest.mark.parametrize(
    "spec",
    [
        DataSpec("moons", n_samples=20, train_fraction=0.05),
        DataSpec("three_blobs", n_samples=20, train_fraction=0.1),
        DataSpec("three_blobs", n_samples=20, train_fraction=0.95),
        DataSpec("three_spirals", n_samples=20, train_fraction=0.2, validation_fraction=0.5),
        DataSpec("plane", n_samples=20, train_fraction=0.05, validation_fraction=0.5),
    ],
)
def test_splits_without_points_for_every_class_are_refused_by_name(spec):
    with pytest.raises(ValueError, match=r"^(train|validation)_fraction must be .*n_samples = 20"):
        make_dataset(spec)


@pytest.mark.parametrize("spec", ["moons", None, {"name": "moons"}])
def test_something_else_than_a_specification_is_refused(spec):
    allowed = r"^spec must be a DataSpec or a PointsSpec, got "
    with pytest.raises(ValueError, match=allowed) as caught:
        make_dataset(spec)
    assert repr(spec) in str(caught.value)


# ---------------------------------------------------------------------------- own arrays


@pytest.mark.parametrize(
    ("points", "labels"),
    [
        (X.tolist(), y.tolist()),
        (tuple(map(tuple, X)), tuple(y)),
        (X.astype(np.float32), y.astype(np.int8)),
        (np.asfortranarray(X), y.astype(bool)),
        (np.repeat(X, 2, axis=0)[::2], np.repeat(y, 3)[::3]),
        (pd.DataFrame(X, columns=["a", "b"], index=[5, 6, 7, 8]), pd.Series(y, dtype="Int64")),
        (pd.DataFrame(X).astype("float32"), pd.Series(y.astype(bool), index=list("abcd"))),
        (X, -0.0 * (1 - y) + y),
    ],
    ids=["lists", "tuples", "float32", "bool", "strided", "pandas", "pandas-bool", "-0.0"],
)
def test_whatever_holds_numbers_is_accepted(points, labels):
    dataset = Dataset(points, labels)
    np.testing.assert_array_equal(dataset.X_train, X)
    np.testing.assert_array_equal(dataset.y_train, y)
    assert dataset.X_train.dtype == dataset.y_train.dtype == np.float64


def test_arrays_are_copied_and_frozen():
    points, labels = X.copy(), y.copy()
    points.setflags(write=False)
    dataset = Dataset(points, labels, X, y)
    labels[0] = 1
    assert dataset.y_train[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        dataset.X_train[0, 0] = 5
    assert X.flags.writeable


def test_splits_that_are_not_given_are_empty():
    dataset = Dataset(X[:, :1], y)
    for split in ("validation", "test"):
        assert dataset.points(split)[0].shape == (0, 1)
        assert dataset.points(split)[1].shape == (0,)
    assert Dataset(X, y, np.zeros((0, 2)), np.zeros(0)).X_test.shape == (0, 2)
    with pytest.raises(ValueError, match=r"^split must be one of .*got 'all'"):
        dataset.points("all")


def test_classes_are_counted_from_the_labels():
    assert Dataset(X, y).n_classes == 2
    assert Dataset(X, [0, 1, 2, 1], task="multiclass").n_outputs == 3
    assert Dataset(X, y, task="multiclass").n_outputs == 2
    regression = Dataset(X, [0.5, -1e30, 3, 4], task="regression")
    assert (regression.n_classes, regression.n_outputs, regression.n_columns) == (0, 1, 2)


BAD_POINTS = {
    "none": None,
    "empty": [],
    "no columns": np.zeros((4, 0)),
    "scalar": 3.0,
    "one axis": y,
    "three axes": X[None],
    "nan": [[0, 1], [2, np.nan], [1, 1], [1, 2]],
    "inf": [[0, 1], [2, np.inf], [1, 1], [1, 2]],
    "missing": [[0, 1], [2, None], [1, 1], [1, 2]],
    "text": [["a", "b"]] * 4,
    "text that looks like numbers": [["1", "2"]] * 4,
    "one text": "points",
    "ragged": [[0, 1], [2], [1, 1], [1, 2]],
    "complex list": [[1j, 0]] * 4,
    "complex array": X + 1j,
    "dates": np.full((4, 2), "2026-01-01", dtype="datetime64[D]"),
    "dictionary": {"a": 1},
    "too large for a float": [[10**400, 1], [2, 1], [1, 1], [1, 2]],
}


@pytest.mark.parametrize("points", BAD_POINTS.values(), ids=BAD_POINTS)
@pytest.mark.filterwarnings("error")
def test_points_that_cannot_be_used_are_refused_by_name(points):
    for split in SPLITS:
        others = {} if split == "train" else {"X_train": X, "y_train": y}
        with pytest.raises(ValueError, match=rf"^X_{split}.* must be "):
            Dataset(**others, **{f"X_{split}": points, f"y_{split}": y})


def test_training_takes_at_least_one_point():
    with pytest.raises(ValueError, match=r"^X_train must be at least one point, got \(0, 2\)"):
        Dataset(np.zeros((0, 2)), [], task="regression")
    assert len(Dataset([[3.0]], [2.0], task="regression").y_train) == 1


BAD_LABELS = {
    "none": None,
    "too few": [0, 1, 1],
    "too many": [0, 1, 1, 0, 1],
    "column": y[:, None],
    "scalar": 1,
    "nan": [0, 1, np.nan, 1],
    "inf": [0, 1, -np.inf, 1],
    "text": ["a", "b", "a", "b"],
    "text that looks like numbers": ["0", "1", "0", "1"],
    "complex array": y + 1j,
    "fraction": [0, 1, 0.5, 1],
    "negative": [-1, 1, -1, 1],
    "not numbered from 0": [1, 2, 1, 2],
    "a third class": [0, 1, 2, 1],
    "huge": [0, 1, 1e30, 1],
    "one class": [1, 1, 1, 1],
    "the other class": [0, 0, 0, 0],
}


@pytest.mark.parametrize("labels", BAD_LABELS.values(), ids=BAD_LABELS)
@pytest.mark.filterwarnings("error")
def test_labels_that_cannot_be_used_are_refused_by_name(labels):
    with pytest.raises(ValueError, match=r"\by_train\b.* must be "):
        Dataset(X, labels)


@pytest.mark.parametrize(
    "labels",
    [[0, 1, 2, 0.5], [0, 1, 3, 3], [0, 2, 2, 0], [-1, 0, 1, 1], [0, 0, 0, 0], [0, 1, 2, 1e30]],
    ids=repr,
)
def test_class_numbers_with_gaps_are_refused_by_name(labels):
    with pytest.raises(ValueError, match=r"\by_train\b.* must be "):
        Dataset(X, labels, task="multiclass")


def test_too_many_classes_are_refused():
    with pytest.raises(ValueError, match=r"y_train.* must be of at most 20 classes"):
        Dataset(np.zeros((21, 1)), np.arange(21), task="multiclass")
    assert Dataset(np.zeros((20, 1)), np.arange(20), task="multiclass").n_classes == 20


@pytest.mark.parametrize("split", ["test", "validation"])
@pytest.mark.parametrize(
    ("labels", "task"),
    [
        ([0, 1, 2, 0], "binary"),
        ([0, 1, 0.5, 0], "binary"),
        ([0, -1, 0, 0], "multiclass"),
        ([0, np.nan, 0, 0], "regression"),
        ([0, 1], "regression"),
    ],
)
def test_further_points_are_checked_and_named_as_well(split, labels, task):
    training = [0, 1, 2, 1] if task == "multiclass" else y
    with pytest.raises(ValueError, match=rf"\by_{split}\b.* must be "):
        Dataset(X, training, task=task, **{f"X_{split}": X, f"y_{split}": labels})


@pytest.mark.parametrize("split", ["test", "validation"])
def test_classes_that_occur_only_in_further_points_are_refused(split):
    with pytest.raises(ValueError, match=r"^y_(train|test|validation) must be .*class.*3"):
        Dataset(X, [0, 1, 2, 1], task="multiclass", **{f"X_{split}": X, f"y_{split}": [0, 1, 2, 3]})


@pytest.mark.parametrize("split", ["test", "validation"])
def test_further_points_must_go_with_the_training_points(split):
    with pytest.raises(ValueError, match=rf"^X_{split} must be of shape \(n, 2\).*\(4, 3\)"):
        Dataset(X, y, **{f"X_{split}": np.zeros((4, 3)), f"y_{split}": y})
    with pytest.raises(ValueError, match=f"X_{split} and y_{split} must be given together"):
        Dataset(X, y, **{f"X_{split}": X})
    with pytest.raises(ValueError, match=f"X_{split} and y_{split} must be given together"):
        Dataset(X, y, **{f"y_{split}": y})


@pytest.mark.parametrize("task", ["", "classification", None, 2, ["binary"], True])
def test_unknown_tasks_are_refused(task):
    with pytest.raises(ValueError, match=re.escape(f"got {task!r}")) as caught:
        Dataset(X, y, task=task)
    assert str(caught.value).startswith("task must be one of 'binary', 'multiclass', 'regression'")
