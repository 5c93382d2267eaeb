"""Tests of the choice of a strength by cross-validation, against scikit-learn's GridSearchCV."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_moons
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LassoCV
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, KFold, LeaveOneOut, StratifiedKFold
from sklearn.preprocessing import StandardScaler

from regviz import RegVizClassifier, RegVizClassifierCV, RegVizRegressor, RegVizRegressorCV

POINTS, CLASSES = make_moons(90, noise=0.35, random_state=1)
rng = np.random.default_rng(5)
X = StandardScaler().fit_transform(rng.normal(size=(60, 8)))
VALUES = X[:, 0] - 0.5 * X[:, 1] + 0.7 * rng.normal(size=60)
SHORT = dict(hidden_layer_sizes=(6, 4), learning_rate_init=0.05, max_iter=60, random_state=2)


@pytest.mark.parametrize(
    ("single", "several", "settings", "search"),
    [
        (RegVizClassifier, RegVizClassifierCV, {"l1_ratio": 0.5}, {}),
        (RegVizClassifier, RegVizClassifierCV, {"alpha": 0.01}, {"param_name": "drop_rate"}),
        (
            *(RegVizClassifier, RegVizClassifierCV),
            {"batch_size": 16, "class_weight": "balanced"},
            {"param_name": "max_norm", "scoring": "neg_log_loss"},
        ),
        (
            *(RegVizRegressor, RegVizRegressorCV),
            {"early_stopping": True, "n_iter_no_change": 5},
            {"param_name": "group_lasso", "scoring": "neg_mean_absolute_error"},
        ),
    ],
)
def test_the_choice_is_that_of_grid_search(single, several, settings, search):
    data = (POINTS, CLASSES) if single is RegVizClassifier else (X, VALUES)
    found = several(**SHORT, **settings, **search, cv=3).fit(*data)
    name = search.get("param_name", "alpha")
    expected = GridSearchCV(
        single(**SHORT, **settings),
        {name: found.strengths_.tolist()},
        scoring=search.get("scoring"),
        cv=3,
    ).fit(*data)
    assert found.scores_.shape == (found.n_splits_, len(found.strengths_)) == (3, 12)
    for i in range(3):
        scores = expected.cv_results_[f"split{i}_test_score"]
        np.testing.assert_allclose(found.scores_[i], scores, rtol=1e-12)
    assert found.best_index_ == expected.best_index_
    assert found.best_strength_ == expected.best_params_[name]
    assert found.best_score_ == pytest.approx(expected.best_score_, rel=1e-12)
    np.testing.assert_array_equal(found.predict(data[0]), expected.predict(data[0]))
    assert found.score(*data) == expected.best_estimator_.score(*data)


def test_lassos_path_is_that_of_scikit_learn():
    steps = dict(solver="sgd", learning_rate_init=0.1, max_iter=1500, random_state=0)
    model = RegVizRegressorCV((), l1_ratio=1, cv=KFold(4), **steps)
    model.set_params(scoring="neg_mean_squared_error").fit(X, VALUES)
    expected = LassoCV(alphas=model.strengths_, cv=KFold(4), tol=1e-12).fit(X, VALUES)
    descending = expected.mse_path_[::-1]
    np.testing.assert_allclose(-model.scores_.T, descending, rtol=1e-5)
    assert model.best_strength_ == expected.alpha_
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=0, atol=1e-5)
    # the strengths reach the one at which all weights are 0
    assert (model.history_.weights(11)[0] == 0).sum() >= 7


def test_one_standard_error_chooses_the_strongest_within_it():
    model = RegVizClassifierCV(**SHORT, selection="one_standard_error").fit(POINTS, CLASSES)
    means = model.scores_.mean(axis=0)
    best = means.argmax()
    error = model.scores_[:, best].std(ddof=1) / np.sqrt(5)
    expected = max(k for k in range(12) if means[k] >= means[best] - error)
    assert model.best_index_ == expected > best
    assert model.set_params(selection="best").fit(POINTS, CLASSES).best_index_ == best


def test_weights_weight_the_scores():
    weights = rng.uniform(0.1, 2, len(CLASSES))
    folds = list(StratifiedKFold(3).split(POINTS, CLASSES))
    model = RegVizClassifierCV(**SHORT, strengths=[0.01], cv=folds)
    model.fit(POINTS, CLASSES, weights)
    for (train, test), score in zip(folds, model.scores_[:, 0], strict=True):
        single = RegVizClassifier(**SHORT, alpha=0.01)
        single.fit(POINTS[train], CLASSES[train], weights[train])
        predicted = single.predict(POINTS[test])
        assert score == accuracy_score(CLASSES[test], predicted, sample_weight=weights[test])


def test_strengths_are_ordered_from_weak_to_strong_and_the_history_has_each():
    model = RegVizClassifierCV(**SHORT, param_name="max_norm", strengths=[1, 3, 2], cv=2)
    model.fit(POINTS, CLASSES)
    np.testing.assert_array_equal(model.strengths_, [3, 2, 1])
    rows = model.history_.experiment.regularizations
    assert [row.max_norm for row in rows] == [3, 2, 1]
    for k, coefs in enumerate(model.coefs_):
        np.testing.assert_array_equal(coefs, model.history_.weights(model.best_index_)[k])


def of_the_left(estimator, X, y):
    """Score the points on the left, by names of columns and of points."""
    left = X.index[X["across"] < 1]
    return estimator.score(X.loc[left], y.loc[left])


class ByDay(KFold):
    """Folds of the column ``day``, which numbers them."""

    def split(self, X, y=None, groups=None):
        for day in sorted(X["day"].unique()):
            yield tuple(np.flatnonzero(found) for found in (X["day"] != day, X["day"] == day))


@pytest.mark.filterwarnings("error:X has feature names")
def test_data_frames_stay_such_for_folds_and_scores():
    frame = pd.DataFrame(POINTS, columns=["across", "up"]).assign(day=np.arange(90) % 2)
    labels = pd.Series(CLASSES)
    model = RegVizClassifierCV(**SHORT, strengths=[0.01, 0.1, 1], cv=ByDay(2), scoring=of_the_left)
    model.fit(frame, labels)
    expected = GridSearchCV(
        RegVizClassifier(**SHORT), {"alpha": [0.01, 0.1, 1]}, cv=ByDay(2), scoring=of_the_left
    ).fit(frame, labels)
    scores = [expected.cv_results_[f"split{i}_test_score"] for i in range(2)]
    np.testing.assert_allclose(model.scores_, scores, rtol=1e-12)
    assert len({*model.scores_.ravel()}) > 2


def test_without_refit_there_are_scores_only():
    model = RegVizClassifierCV(**SHORT, cv=2).fit(POINTS, CLASSES)
    assert len(model.set_params(refit=False).fit(POINTS, CLASSES).scores_) == 2
    with pytest.raises(NotFittedError):
        model.predict(POINTS)
    assert not hasattr(model, "coefs_")  # of the first fit


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("param_name", "l1_ratio"),
        ("selection", "worst"),
        ("refit", "yes"),
        ("strengths", []),
        ("strengths", "many"),
        ("strengths", [0.1, 0.1]),
        ("strengths", [[0.1]]),
        ("hidden_layer_sizes", 65),
        ("scoring", ["accuracy", "roc_auc"]),
        ("scoring", {"accuracy": "accuracy"}),
        ("scoring", lambda model, X, y: {"accuracy": model.score(X, y)}),
    ],
)
def test_parameters_out_of_range_are_refused_by_name(name, value):
    points = np.concatenate([POINTS, [[0, 0]]])  # the one with a 0, which is in one fold
    with pytest.raises(ValueError, match=f"^{name} must be"):
        RegVizClassifierCV(**SHORT | {name: value}).fit(points, [*CLASSES, 0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"strengths": [2, np.nan]},
            r"^strengths\[1\]: alpha must be a number from 0 to 1000, got nan",
        ),
        ({"strengths": [2, -1], "param_name": "max_norm"}, r"^strengths\[1\]: max_norm must be"),
        ({"strengths": [2, 1], "group_lasso": -1}, "^group_lasso must be"),
        (
            {"strengths": [2, 1], "alpha": -1, "scoring": ["accuracy"]},
            "^scoring must be None, the name",
        ),
    ],
)
def test_a_wrong_strength_is_named_by_its_place_before_any_training(settings, message, monkeypatch):
    monkeypatch.setattr(RegVizClassifierCV, "_scores", None)
    with pytest.raises(ValueError, match=message):
        RegVizClassifierCV(**SHORT | settings).fit(POINTS, CLASSES)


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        (
            RegVizClassifierCV,
            {"scoring": lambda model, X, y: np.nan if 0 in X else model.score(X, y)},
        ),
        (RegVizRegressorCV, {"cv": LeaveOneOut()}),  # one point has no R²
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_scores_that_are_nowhere_finite_are_refused(model, settings):
    points = np.concatenate([POINTS, [[0, 0]]])  # the one with a 0, which is in one fold
    with pytest.raises(ValueError, match=r"^No strength has a finite score in all folds; check"):
        model(**SHORT | settings).fit(points, [*CLASSES, 0])


def test_a_model_without_hidden_layers_has_one_strength_to_choose():
    model = RegVizClassifierCV((), param_name="drop_rate")
    with pytest.raises(ValueError, match="param_name must be 'alpha' for a model without hidden"):
        model.fit(POINTS, CLASSES)
