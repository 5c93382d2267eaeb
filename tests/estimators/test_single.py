"""Tests of the estimators of one network, in the conventions of scikit-learn."""

import io
import warnings

import joblib
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, Ridge
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import compute_sample_weight
from sklearn.utils.estimator_checks import check_estimator

import regviz
from regviz import (
    Regularization,
    RegVizClassifier,
    RegVizClassifierCV,
    RegVizRegressor,
    RegVizRegressorCV,
)

rng = np.random.default_rng(0)
N = 60
X = StandardScaler().fit_transform(rng.normal(size=(N, 5)))
SCORE = X @ [1.5, -1.2, 0.6, 0, 0] + rng.logistic(size=N)
LABELS = np.array(["no", "yes"])[(SCORE > 0).astype(int)]
GRADES = np.array(["high", "low", "mid"])[np.digitize(SCORE, [-1, 1])]
WEIGHTS = rng.uniform(0.1, 3, N)
CONVERGED = dict(solver="sgd", learning_rate_init=0.1, max_iter=1500, random_state=0)
ARRAY_API = "check_array_api_input"  # skipped unless SCIPY_ARRAY_API is set before importing scipy

FEW = dict(strengths=(1e-3, 1e-2), cv=2, max_iter=60, learning_rate_init=0.05)


@pytest.mark.parametrize(
    "estimator",
    [
        RegVizClassifier(),
        RegVizRegressor(),
        RegVizClassifierCV(**FEW),
        RegVizRegressorCV(**FEW),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_scikit_learns_checks_pass_without_exception(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of points that the checks do not scale
        results = check_estimator(estimator, on_skip=None)
    others = {r["check_name"] for r in results if r["status"] != "passed"}
    assert others <= {ARRAY_API}
    names = {r["check_name"] for r in results}
    assert "check_sample_weight_equivalence_on_dense_data" in names


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["equal", "weighted"])
@pytest.mark.parametrize(("alpha", "l1_ratio"), [(0.1, 1), (0.05, 0), (0.2, 0.5)])
@pytest.mark.parametrize("y", [LABELS, GRADES], ids=["two", "three"])
def test_linear_classifiers_equal_logistic_regression(y, alpha, l1_ratio, weights):
    model = RegVizClassifier((), alpha=alpha, l1_ratio=l1_ratio, **CONVERGED)
    model.fit(X, y, weights)
    total = N if weights is None else weights.sum()
    expected = LogisticRegression(
        C=1 / (total * alpha), l1_ratio=l1_ratio, solver="saga", tol=1e-10, max_iter=10**5
    ).fit(X, y, weights)
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(model.coef_ == 0, expected.coef_ == 0)
    assert (expected.coef_ == 0).any() == (l1_ratio > 0)
    for method in ("decision_function", "predict_proba"):
        found, other = (getattr(m, method)(X) for m in (model, expected))
        if method == "decision_function" and y is GRADES:  # softmax ignores a common constant
            found, other = (part - part.mean(axis=1, keepdims=True) for part in (found, other))
        np.testing.assert_allclose(found, other, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))
    assert model.score(X, y, weights) == expected.score(X, y, weights)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["equal", "weighted"])
def test_linear_regressors_equal_lasso_elastic_net_and_ridge(weights):
    total = N if weights is None else weights.sum()
    for alpha, l1_ratio, reference in (
        (0.3, 1.0, Lasso(0.3, tol=1e-12)),
        (0.4, 0.5, ElasticNet(0.4, l1_ratio=0.5, tol=1e-12)),
        (0.2, 0.0, Ridge(0.2 * total)),
    ):
        model = RegVizRegressor((), alpha=alpha, l1_ratio=l1_ratio, **CONVERGED)
        model.fit(X, SCORE, weights)
        reference.fit(X, SCORE, weights)
        np.testing.assert_allclose(model.coef_, reference.coef_, rtol=0, atol=1e-5)
        np.testing.assert_array_equal(model.coef_ == 0, reference.coef_ == 0)
        assert model.intercept_ == pytest.approx(reference.intercept_, abs=1e-5)


def test_a_fit_is_a_training_of_the_library_to_the_bit():
    model = RegVizClassifier(
        (5, 4),
        "relu",
        solver="sgd",
        alpha=0.02,
        l1_ratio=0.5,
        drop_rate=0.1,
        max_norm=2.0,
        batch_size=7,
        learning_rate_init=0.05,
        max_iter=30,
        random_state=3,
    ).fit(X.astype(np.float32), LABELS)
    history = regviz.train(
        regviz.Experiment(
            network=regviz.NetworkSpec((5, 4), "relu"),
            training=regviz.TrainingSpec("momentum", 0.05, 7, epochs=30, frames=30, seed=3),
            regularizations=(Regularization.elastic_net(0.02, drop_rate=0.1, max_norm=2.0),),
        ),
        regviz.Dataset(X.astype(np.float32), (LABELS == "yes").astype(int)),
    )
    assert model.history_.experiment == history.experiment
    np.testing.assert_array_equal(model.history_.parameters, history.parameters)
    expected = history.predict(X.astype(np.float32))[0]
    np.testing.assert_array_equal(model.predict_proba(X.astype(np.float32))[:, 1], expected)
    assert not hasattr(model, "coef_")


def test_a_weight_of_zero_leaves_a_point_out_of_batches_and_validation():
    settings = dict(batch_size=8, max_iter=20, random_state=0, early_stopping=True)
    used = np.arange(N) % 4 > 0
    y = np.where(used, LABELS, "never seen")
    model = RegVizClassifier(**settings).fit(X, y, used.astype(float))
    expected = RegVizClassifier(**settings).fit(X[used], LABELS[used])
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(X))
    np.testing.assert_array_equal(model.classes_, ["no", "yes"])


@pytest.mark.parametrize("class_weight", ["balanced", {"no": 3, "yes": 0.5}])
def test_class_weights_multiply_sample_weights(class_weight):
    settings = dict(max_iter=20, random_state=0)
    rare = slice(20, None)
    weights = compute_sample_weight(class_weight, LABELS[rare])
    expected = RegVizClassifier(**settings).fit(X[rare], LABELS[rare], weights)
    model = RegVizClassifier(**settings, class_weight=class_weight).fit(X[rare], LABELS[rare])
    np.testing.assert_allclose(model.predict_proba(X), expected.predict_proba(X), rtol=1e-9)
    plain = RegVizClassifier(**settings).fit(X[rare], LABELS[rare])
    assert not np.allclose(model.predict_proba(X), plain.predict_proba(X))


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["equal", "weighted"])
def test_early_stopping_predicts_with_the_best_epoch_of_the_validation_share(weights):
    settings = dict(learning_rate_init=0.1, max_iter=200, random_state=4, alpha=0)
    stopping = dict(early_stopping=True, validation_fraction=0.3, n_iter_no_change=7)
    model = RegVizClassifier((16, 16), **settings, **stopping).fit(X, LABELS, weights)
    parts = train_test_split(
        X,
        LABELS,
        np.ones(N) if weights is None else weights,
        test_size=0.3,
        random_state=4,
        stratify=LABELS,
    )
    training, held_out, y_training, y_held_out, w_training, w_held_out = parts
    losses, models = [], {}
    for n in range(1, model.n_iter_ + 1):
        models[n] = RegVizClassifier((16, 16), **{**settings, "max_iter": n})
        models[n].fit(training, y_training, None if weights is None else w_training)
        no, yes = models[n].predict_log_proba(held_out).T
        losses.append(np.average(-np.where(y_held_out == "yes", yes, no), weights=w_held_out))
    best = int(np.argmin(losses)) + 1
    assert model.best_iteration_ == best
    assert model.n_iter_ == best + 7 < 200
    np.testing.assert_array_equal(model.predict_proba(X), models[best].predict_proba(X))


def test_frames_of_pandas_give_names_and_labels_may_be_text():
    iris = load_iris(as_frame=True)
    names = iris.target_names[iris.target]
    model = RegVizClassifier(max_iter=200, random_state=0).fit(iris.data, pd.Series(names))
    np.testing.assert_array_equal(model.feature_names_in_, iris.feature_names)
    np.testing.assert_array_equal(model.classes_, ["setosa", "versicolor", "virginica"])
    assert model.score(iris.data, names) > 0.95
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(iris.data.rename(columns={"petal width (cm)": "petal"}))


def test_pipelines_clones_cross_validation_and_joblib_take_the_estimators():
    model = make_pipeline(StandardScaler(), RegVizClassifier(max_iter=50, random_state=0))
    assert len(cross_val_score(model, 5 + 3 * X, LABELS, cv=3, error_score="raise")) == 3
    fitted = clone(model).fit(X, LABELS)
    file = io.BytesIO()
    joblib.dump(fitted, file)
    read = joblib.load(file)
    np.testing.assert_array_equal(read.predict_proba(X), fitted.predict_proba(X))
    np.testing.assert_array_equal(read[-1].history_.epochs, fitted[-1].history_.epochs)


def test_scikit_learn_draws_the_decision_boundary():
    mpl.use("Agg")
    points, classes = make_moons(80, noise=0.2, random_state=0)
    model = RegVizClassifier(max_iter=100, random_state=0).fit(points, classes)
    for method in ("predict", "predict_proba", "decision_function"):
        display = DecisionBoundaryDisplay.from_estimator(
            model, points, response_method=method, grid_resolution=20
        )
        grid = np.column_stack([display.xx0.ravel(), display.xx1.ravel()])
        expected = getattr(model, method)(grid)
        expected = expected[:, 1] if method == "predict_proba" else expected
        np.testing.assert_allclose(display.response.ravel(), expected)


def test_a_diverging_training_warns_and_still_predicts_numbers():
    model = RegVizRegressor((), solver="sgd", learning_rate_init=10, max_iter=1000)
    with pytest.warns(ConvergenceWarning, match="diverged in epoch") as caught:
        model.fit(X, SCORE)
    assert caught[0].filename == __file__
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden_layer_sizes", 100),
        ("hidden_layer_sizes", (8, "8")),
        ("activation", "gelu"),
        ("solver", "lbfgs"),
        ("alpha", -1),
        ("l1_ratio", 2),
        ("drop_rate", 1),
        ("max_norm", 0),
        ("batch_size", "all"),
        ("batch_size", 0),
        ("learning_rate_init", 0),
        ("max_iter", 0),
        ("momentum", 1),
        ("beta_1", 1),
        ("early_stopping", 1),
        ("normalization", "group"),
        ("random_state", -1),
    ],
)
def test_parameters_out_of_range_are_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"^{name} must be"):
        RegVizClassifier(**{name: value}).fit(X, LABELS)


def test_one_class_is_refused_by_its_label():
    message = "y must be of at least two classes of positive weight, got one class, 'no'"
    with pytest.raises(ValueError, match=message):
        RegVizClassifier().fit(X, LABELS, LABELS == "no")


def test_more_classes_than_are_possible_and_negative_class_weights_are_refused_by_name():
    many = np.arange(len(X)) % 21
    with pytest.raises(ValueError, match="y must be of at most 20 classes, got 21 classes"):
        RegVizClassifier().fit(X, many)
    with pytest.raises(ValueError, match="class_weight must be weights of at least 0"):
        RegVizClassifier(class_weight={"no": -1, "yes": 1}).fit(X, LABELS)
