"""Fitted scikit-learn estimators with two inputs, of every kind that `regviz.show` tells apart."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris, make_moons
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Lasso, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC


class Halves(ClassifierMixin, BaseEstimator):
    """A classifier with neither probabilities nor decision values."""

    def fit(self, X: Any, y: Any) -> "Halves":
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        right = np.asarray(X)[:, 0] > np.asarray(X)[:, 1]
        return self.classes_[right.astype(int)]


class Problem(NamedTuple):
    models: list[Any]
    X: Any
    y: Any
    X_test: Any
    y_test: Any


def fitted(models: tuple[Any, ...], X: Any, y: Any, n: int) -> Problem:
    """Fit models to the first n points; the others are test points."""
    return Problem([m.fit(X[:n], y[:n]) for m in models], X[:n], y[:n], X[n:], y[n:])


@cache
def binary() -> Problem:
    X, y = make_moons(120, noise=0.3, random_state=0)
    models = (
        LogisticRegression(l1_ratio=1, C=0.08, solver="saga"),
        make_pipeline(StandardScaler(), SVC()),
        RandomForestClassifier(10, random_state=0),
        Halves(),
    )
    return fitted(models, X, np.array(["no", "yes"])[y], 80)


@cache
def multiclass() -> Problem:
    """Classes of text, and a data frame."""
    iris = load_iris(as_frame=True)
    order = np.random.default_rng(0).permutation(150)
    X, y = iris.data.iloc[order, 2:], iris.target_names[iris.target[order]]
    models = (LogisticRegression(), KNeighborsClassifier(), LinearSVC(), Halves())
    return fitted(models, X, y, 100)


@cache
def regression() -> Problem:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 2)) * [1, 50]
    y = 1e5 * X[:, 0] + rng.normal(size=90)
    return fitted((Lasso(1e4), KNeighborsRegressor()), X, y, 60)


PROBLEMS = {"binary": binary, "multiclass": multiclass, "regression": regression}
