"""Checks of estimators and points that `regviz.figures.models` compares."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from regviz.data.datasets import numbers
from regviz.engine.history import History
from regviz.spec.validation import MAX_CLASSES, Unquoted, choice, invalid

MAX_MODELS = 24

Doubles = NDArray[np.float64]
Labels = NDArray[Any]


def named(estimators: Any, names: Sequence[str] | None) -> dict[str, Any]:
    """Return the estimators by name, each checked."""
    if hasattr(estimators, "predict") and not isinstance(estimators, Mapping):
        estimators = [estimators]
    if isinstance(estimators, Mapping):
        found = {str(name): model for name, model in estimators.items()}
        for i, name in enumerate(names or ()):
            choice(f"names[{i}]", name, found)
        found = {name: found[name] for name in names or found}
    elif isinstance(estimators, Sequence) and not isinstance(estimators, str):
        called = _default_names(estimators) if names is None else [*names]
        if isinstance(names, str) or len(called) != len(estimators):
            raise invalid("names", f"a list of {len(estimators)} names, one per estimator", names)
        if len(set(called)) < len(called) or not all(isinstance(name, str) for name in called):
            raise invalid("names", "different texts", names)
        found = dict(zip(called, estimators, strict=True))
    else:
        allowed = "an estimator, a list of estimators, or a dict of them by name"
        raise invalid("estimators", allowed, estimators)
    if not 1 <= len(found) <= MAX_MODELS:
        raise invalid("estimators", f"1 to {MAX_MODELS}", len(found))
    for name, model in found.items():
        _check(name, model)
    return found


def _default_names(models: Sequence[Any]) -> list[str]:
    """Return the names of the models' classes or regularizations; repeated ones numbered."""
    names: list[str] = []
    for model in models:
        last = last_step(model)
        history, k = history_of(last)
        name = f"RegViz {history.labels[k]}" if history else type(last).__name__
        same = sum(other == name or other.startswith(f"{name} (") for other in names)
        names.append(f"{name} ({same + 1})" if same else name)
    return names


def last_step(model: Any) -> Any:
    """Return the estimator that a pipeline or a search ends with."""
    if isinstance(model, Pipeline):
        return last_step(model[-1])
    return last_step(model.best_estimator_) if hasattr(model, "best_estimator_") else model


def history_of(model: Any) -> tuple[History | None, int]:
    """Return the run of an estimator of RegViz, and the index of its network; or None and 0."""
    history = getattr(model, "history_", None)
    return (
        (history, getattr(model, "best_index_", 0)) if isinstance(history, History) else (None, 0)
    )


def _check(name: str, model: Any) -> None:
    """Raise ValueError unless a model is fitted, for two inputs, and of the right kind."""
    where = f"estimators[{name!r}]"
    if isinstance(model, type) or not (hasattr(model, "fit") and hasattr(model, "predict")):
        raise invalid(where, "a classifier or a regressor of scikit-learn", model)
    if not (is_classifier(model) or is_regressor(model)):
        raise invalid(where, "a classifier or a regressor", model)
    try:
        check_is_fitted(model)
    except NotFittedError as error:
        raise invalid(where, "fitted: call its method fit first", model) from error
    n = getattr(model, "n_features_in_", 2)
    if n != 2:
        raise invalid(where, "fitted to two features", Unquoted(f"{n} features"))


def classes_of(models: Mapping[str, Any]) -> Labels | None:
    """Return the classes of all models in their order, or None for regressors."""
    first, *others = models
    if is_regressor(models[first]):
        for name in others:
            if not is_regressor(models[name]):
                allowed = f"a regressor, as estimators[{first!r}]"
                raise invalid(f"estimators[{name!r}]", allowed, models[name])
        return None
    classes = getattr(models[first], "classes_", None)
    if not isinstance(classes, np.ndarray) or not 2 <= len(classes) <= MAX_CLASSES:
        allowed = f"a classifier of 2 to {MAX_CLASSES} classes"
        raise invalid(f"estimators[{first!r}]", allowed, classes)
    for name in others:
        own = getattr(models[name], "classes_", None)
        if not isinstance(own, np.ndarray) or own.tolist() != classes.tolist():
            allowed = f"a classifier of the classes {classes.tolist()}, as estimators[{first!r}]"
            raise invalid(f"estimators[{name!r}]", allowed, own)
    return classes


def points_of(
    X: ArrayLike,
    y: ArrayLike,
    X_test: ArrayLike | None,
    y_test: ArrayLike | None,
    classes: Labels | None,
) -> dict[str, tuple[Doubles, Doubles]]:
    if (X_test is None) != (y_test is None):
        missing = Unquoted("no X_test" if X_test is None else "no y_test")
        raise invalid("X_test and y_test", "given together or not at all", missing)
    """Return training and test points, each with class numbers or targets."""
    points = {"train": _points("X", X, "y", y, classes)}
    if X_test is None or y_test is None:
        return points | {"test": (np.zeros((0, 2)), np.zeros(0))}
    return points | {"test": _points("X_test", X_test, "y_test", y_test, classes)}


def _points(
    x_name: str, X: ArrayLike, y_name: str, y: ArrayLike, classes: Labels | None
) -> tuple[Doubles, Doubles]:
    """Return points and their class numbers or targets."""
    inputs = numbers(x_name, X)
    if inputs.ndim != 2 or inputs.shape[1] != 2:
        raise invalid(x_name, "of shape (n_points, 2)", inputs.shape)
    if not len(inputs):
        raise invalid(x_name, "at least one point", inputs.shape)
    labels = np.asarray(y)
    if labels.shape != (len(inputs),):
        raise invalid(y_name, f"of shape ({len(inputs)},), as {x_name}", labels.shape)
    if classes is None:
        return inputs, numbers(y_name, y)
    place = {label: c for c, label in enumerate(classes.tolist())}
    unknown = [label for label in labels.tolist() if label not in place]
    if unknown:
        raise invalid(y_name, f"of the estimators' classes {classes.tolist()}", unknown[0])
    return inputs, np.array([place[label] for label in labels.tolist()], dtype=np.float64)
