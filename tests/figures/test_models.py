"""Tests of the fields of fitted estimators, against the estimators themselves."""

import re

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.cluster import KMeans
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

import regviz
from regviz.figures.models import fields_of_models
from regviz.methods.catalogue import METHODS
from tests.support.models import PROBLEMS

N = 7


def fields(name, n=N):
    problem = PROBLEMS[name]()
    return problem, fields_of_models(
        problem.models,
        problem.X,
        problem.y,
        X_test=problem.X_test,
        y_test=problem.y_test,
        resolution=n,
    )


def grid_of(found, like, n=N):
    """Return the points of the grid from its definition, one by one."""
    steps = range(n)
    (left, right), (low, high) = found.x, found.y
    points = np.array(
        [
            (left + (right - left) * j / (n - 1), low + (high - low) * i / (n - 1))
            for i in steps
            for j in steps
        ]
    )
    return type(like)(points, columns=like.columns) if hasattr(like, "columns") else points


@pytest.mark.filterwarnings("error")  # such as that of unknown feature names
@pytest.mark.parametrize("name", PROBLEMS)
def test_outputs_are_the_estimators_answers_at_the_grid_points(name):
    problem, found = fields(name)
    assert found.task == name
    points = grid_of(found, problem.X)
    for model, facts, field in zip(problem.models, found.models, found.outputs, strict=True):
        outputs = field.reshape(len(field), -1)
        if facts.kind == "value":
            np.testing.assert_allclose(outputs[0], model.predict(points), rtol=1e-12)
            continue
        best = (outputs[0] > 0).astype(int) if name == "binary" else outputs.argmax(axis=0)
        if facts.kind == "probability":
            shares = softmax(outputs, axis=0).T if name == "multiclass" else expit(outputs[0])
            expected = model.predict_proba(points)
            expected = expected if name == "multiclass" else expected[:, 1]
            np.testing.assert_allclose(shares, expected, atol=1e-9)
        else:
            assert (model.classes_[best] == model.predict(points)).all()
        if facts.kind == "decision":
            values = model.decision_function(points).T
            np.testing.assert_allclose(outputs.squeeze() / facts.factor, values, rtol=1e-12)


def test_each_kind_of_estimator_is_told_apart():
    kinds = {name: [model.kind for model in fields(name)[1].models] for name in PROBLEMS}
    assert kinds == {
        "binary": ["probability", "decision", "probability", "class"],
        "multiclass": ["probability", "probability", "decision", "class"],
        "regression": ["value", "value"],
    }


@pytest.mark.parametrize("name", PROBLEMS)
def test_scores_are_those_of_the_estimators(name):
    problem, found = fields(name)
    for model, facts in zip(problem.models, found.models, strict=True):
        shown = dict(facts.numbers)
        for split, X, y in (
            ("train", problem.X, problem.y),
            ("test", problem.X_test, problem.y_test),
        ):
            if name == "regression":
                loss = np.mean((model.predict(X) - y) ** 2) / 2
                assert float(shown[f"{split} squared loss"]) == pytest.approx(loss, rel=0.01)
                assert shown[f"{split} R²"] == f"{model.score(X, y):.2f}".replace("-", "−")
                continue
            assert shown[f"{split} accuracy"] == f"{100 * model.score(X, y):.0f} %"
            if facts.kind != "probability":
                assert shown[f"{split} log loss"] == "–"
                continue
            column = np.searchsorted(model.classes_, y)
            of_class = model.predict_proba(X)[np.arange(len(y)), column]
            loss = -np.mean(np.log(of_class.clip(np.finfo(float).eps)))
            assert float(shown[f"{split} log loss"]) == pytest.approx(loss, abs=0.005)


def test_exact_zeros_are_those_of_the_coefficients():
    problem, found = fields("binary")
    zeros = [dict(facts.numbers)["exact zeros"] for facts in found.models]
    assert (problem.models[0].coef_ == 0).tolist() == [[False, True]]
    assert zeros == ["50 %", "–", "–", "–"]


def test_names_classes_and_axes_are_those_of_estimators_labels_and_columns():
    found = fields("multiclass")[1]
    assert found.classes == ("setosa", "versicolor", "virginica")
    assert found.axes == ("petal length (cm)", "petal width (cm)")
    names = [facts.name for facts in found.models]
    assert names == ["LogisticRegression", "KNeighborsClassifier", "LinearSVC", "Halves"]
    assert [facts.name for facts in fields("binary")[1].models][1] == "SVC"
    problem = PROBLEMS["binary"]()
    named = {"a": problem.models[0], "b": problem.models[1]}
    chosen = fields_of_models(named, problem.X, problem.y, names=["b"], resolution=2)
    assert [facts.name for facts in chosen.models] == ["b"]
    twice = fields_of_models([named["a"]] * 2, problem.X, problem.y, resolution=2)
    names = [facts.name for facts in twice.models]
    assert names == ["LogisticRegression", "LogisticRegression (2)"]


def test_networks_have_the_name_and_colour_of_their_regularization():
    problem = PROBLEMS["binary"]()
    options = dict(hidden_layer_sizes=(3,), max_iter=3, random_state=0)
    single = regviz.RegVizClassifier(**options, alpha=0.02, l1_ratio=1)
    search = regviz.RegVizClassifierCV(**options, strengths=[0.3, 0.5], cv=2)
    models = [model.fit(problem.X, problem.y) for model in (single, make_pipeline(search))]
    found = fields_of_models(models, problem.X, problem.y, resolution=3)
    assert [facts.name for facts in found.models] == [
        "RegViz L1 λ₁ = 0.02",
        f"RegViz {search.history_.labels[search.best_index_]}",
    ]
    assert [facts.colours for facts in found.models] == [METHODS[k].colour for k in ("l1", "l2")]
    outputs = models[0].decision_function(grid_of(found, problem.X, 3))
    np.testing.assert_allclose(found.outputs[0].ravel(), outputs, rtol=1e-4, atol=1e-5)


BINARY, IRIS = PROBLEMS["binary"](), PROBLEMS["multiclass"]()
FIRST = BINARY.models[0]
WIDE = LogisticRegression().fit(np.eye(3), [0, 1, 1])
WRONG = {
    "not fitted": ([LogisticRegression()], {}, "estimators['LogisticRegression'] must be fitted"),
    "a class": ([LogisticRegression], {}, "must be a classifier or a regressor of scikit-learn"),
    "no estimator": ("SVC", {}, "estimators must be an estimator, a list of estimators"),
    "none": ([], {}, "estimators must be 1 to 24, got 0"),
    "a cluster": ([KMeans()], {}, "must be a classifier or a regressor"),
    "three features": ([WIDE], {}, "must be fitted to two features, got 3 features"),
    "other classes": (
        [FIRST, KNeighborsClassifier().fit(BINARY.X, np.arange(80) % 2)],
        {},
        "must be a classifier of the classes ['no', 'yes']",
    ),
    "a regressor": ([FIRST, LinearRegression().fit(BINARY.X, np.ones(80))], {}, "must be a class"),
    "two targets": (
        [LinearRegression().fit(BINARY.X, np.ones((80, 2)))],
        {"y": np.ones(80)},
        "must be an estimator of a single target",
    ),
    "a label": ([FIRST], {"y": ["no"] * 79 + ["maybe"]}, "got 'maybe'"),
    "lengths": ([FIRST], {"y": BINARY.y[1:]}, "y must be of shape (80,), as X, got (79,)"),
    "shape": ([FIRST], {"X": np.ones((80, 3))}, "X must be of shape (n_points, 2), got (80, 3)"),
    "no points": ([FIRST], {"X": np.ones((0, 2)), "y": []}, "X must be at least one point"),
    "no test points": (
        [FIRST],
        {"X_test": np.ones((0, 2)), "y_test": []},
        "X_test must be at least one point",
    ),
    "half a test": ([FIRST], {"X_test": BINARY.X}, "given together or not at all, got no y_test"),
    "few names": ([FIRST], {"names": ["a", "b"]}, "names must be a list of 1 names"),
    "an unknown name": ({"a": FIRST}, {"names": ["b"]}, "names[0] must be 'a', got 'b'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_errors_name_the_argument(case):
    estimators, changes, message = WRONG[case]
    arguments = {"X": BINARY.X, "y": BINARY.y} | changes
    with pytest.raises(ValueError, match=re.escape(message)):
        fields_of_models(estimators, arguments.pop("X"), arguments.pop("y"), **arguments)
