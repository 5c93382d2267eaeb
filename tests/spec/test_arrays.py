"""Tests of points given as arrays."""

import io
import json
import warnings
from dataclasses import replace

import numpy as np
import pytest
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import regviz
from regviz import ArraysSpec, Dataset, Experiment, NetworkSpec, Regularization, TrainingSpec
from regviz.methods.labels import dataset_label

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)
ARRAYS = Dataset(X[:40], Y[:40], X[40:], Y[40:])
TRAINING = TrainingSpec(epochs=3)


def experiment(**parts) -> Experiment:
    rows = (Regularization(), Regularization(l1=0.01))
    return Experiment(network=NetworkSpec((4,)), training=TRAINING, regularizations=rows, **parts)


def test_a_history_on_arrays_says_so_and_not_the_name_of_a_toy_dataset():
    history = regviz.train(experiment(), ARRAYS)
    spec = history.experiment.data
    assert spec == ARRAYS.spec
    assert (spec.task, spec.n_columns, spec.n_outputs) == ("binary", 3, 1)
    assert (spec.n_train, spec.n_validation, spec.n_test, spec.n_samples) == (40, 0, 20, 60)
    assert dataset_label(spec) == "Your arrays"
    assert "moons" not in history.experiment.to_json()
    assert json.loads(history.to_json())["experiment"]["data"]["n_columns"] == 3


def test_it_is_kept_in_files_and_read_back():
    history = regviz.train(experiment(), ARRAYS)
    file = io.BytesIO()
    history.save(file)
    file.seek(0)
    loaded = regviz.History.load(file)
    assert loaded.experiment == history.experiment
    assert loaded.experiment.id == history.experiment.id
    assert Experiment.from_json(history.experiment.to_json()) == history.experiment


def test_experiments_on_other_arrays_differ():
    other = Dataset(X[:40] + 1e-9, Y[:40], X[40:], Y[40:])
    regression = Dataset(X[:40], Y[:40], X[40:], Y[40:], task="regression")
    specs = {ARRAYS.spec, other.spec, regression.spec, Dataset(X[:40], Y[:40]).spec}
    assert len(specs) == 4
    assert ARRAYS.spec == Dataset(X[:40], Y[:40], X[40:], Y[40:]).spec


def test_a_run_on_arrays_goes_on_being_one_when_it_is_trained_again():
    history = regviz.train(experiment(), ARRAYS)
    again = regviz.train(history.experiment, ARRAYS)
    assert np.array_equal(again.parameters, history.parameters)
    with pytest.raises(ValueError, match=r"given as arrays go in as dataset"):
        regviz.train(history.experiment)
    with pytest.raises(ValueError, match=r"^data must be a DataSpec or a PointsSpec"):
        regviz.Scene(data=ARRAYS.spec)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("task", "ranking"), ("n_train", 0), ("n_columns", 0), ("n_test", -1), ("digest", "short")],
)
def test_a_record_that_cannot_be_is_refused(parameter: str, value: object):
    with pytest.raises(ValueError, match=f"^{parameter} must be"):
        replace(ARRAYS.spec, **{parameter: value})
    assert isinstance(ARRAYS.spec, ArraysSpec)


def test_seeds_vary_the_training_and_leave_arrays_as_they_are():
    runs = regviz.replicate(experiment(), (1, 2), dataset=ARRAYS)
    for seed, run in zip((1, 2), runs, strict=True):
        assert run.dataset is ARRAYS
        assert run.experiment.data == ARRAYS.spec
        training = replace(TRAINING, seed=seed)
        alone = regviz.train(replace(experiment(), training=training), ARRAYS)
        assert np.array_equal(run.parameters, alone.parameters)
    assert not np.array_equal(runs[0].parameters, runs[1].parameters)
    with pytest.raises(ValueError, match=r"^dataset must be a Dataset"):
        regviz.replicate(experiment(), (1, 2), dataset=X)


# errors with advice


def test_the_order_of_train_test_split_is_recognised():
    with pytest.raises(ValueError, match="train_test_split returns X_train, X_test, y_train"):
        Dataset(*train_test_split(X, Y, random_state=0))
    X_train, X_test, y_train, y_test = train_test_split(X, Y, random_state=0)
    assert Dataset(X_train, y_train, X_test, y_test).n_columns == 3


@pytest.mark.parametrize("labels", [["a", "b"] * 20, np.array(["a", "b"] * 20, dtype=object)])
def test_labels_of_text_are_refused_with_a_word_on_their_encoding(labels):
    with pytest.raises(
        ValueError, match=r"^y_train must be .*numpy.unique\(labels, return_inverse"
    ):
        Dataset(X[:40], labels)
    names, y = np.unique(labels, return_inverse=True)
    assert Dataset(X[:40], y).n_classes == len(names)
    with pytest.raises(ValueError, match=r"^X_train must be .*OneHotEncoder"):
        Dataset([["red", "1"]] * 40, Y[:40])


# scales


def scaled(*factors: float, shift: float = 0.0, **more) -> Dataset:
    return Dataset(X[:40] * factors + shift, Y[:40], **more)


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (scaled(1e6, 1, 1), "column 0 has a root mean square of"),
        (scaled(1, 1, 1, shift=100), "column"),
        (scaled(1, 1e-3, 1), "the standard deviation of column .* and that of column 1 is"),
        (Dataset(X[:40], 1e4 * X[:40, 0], task="regression"), "y_train has a root mean square of"),
    ],
)
@pytest.mark.parametrize("train", [regviz.train, lambda e, d: regviz.replicate(e, [1], dataset=d)])
def test_columns_that_are_not_scaled_are_warned_of(dataset: Dataset, message: str, train):
    with pytest.warns(UserWarning, match=f"{message}.*StandardScaler"):
        train(experiment(), dataset)


@pytest.mark.parametrize(
    "train",
    [
        lambda e, d: regviz.train(e, d),
        lambda e, d: regviz.stream(e, d),
        lambda e, d: next(regviz.stream(e, d)),
        lambda e, d: regviz.replicate(e, [1], dataset=d),
    ],
)
def test_the_warning_of_scales_names_the_line_of_the_user(train):
    with pytest.warns(UserWarning, match="StandardScaler") as message:
        train(experiment(), scaled(1e6, 1, 1))
    assert [each.filename for each in message] == [__file__]


def test_columns_of_usual_scales_are_not_warned_of():
    constant = np.column_stack([X[:40, :2], np.ones(40)])
    usual = [
        ARRAYS,
        Dataset(StandardScaler().fit_transform(1e6 * X[:40]), Y[:40]),
        Dataset(constant, Y[:40]),
        Dataset(X[:40], X[:40, 0], task="regression"),
        scaled(1, 5, 0.2),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for dataset in usual:
            regviz.train(experiment(), dataset)
        regviz.train(experiment())
