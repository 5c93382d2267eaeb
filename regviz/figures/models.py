"""Outputs of fitted scikit-learn estimators over the plane of their two inputs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn import metrics
from sklearn.base import is_regressor

from regviz.data.datasets import Dataset, domains
from regviz.figures._estimators import (
    Doubles,
    Labels,
    classes_of,
    history_of,
    last_step,
    named,
    points_of,
)
from regviz.figures.fields import THEMES, Facts, Fields, Kind, decimals, grid
from regviz.methods import palette
from regviz.methods.catalogue import colour as method_colour
from regviz.methods.labels import labels
from regviz.methods.palette import Theme, mix
from regviz.spec.validation import Task, invalid

GRID = 96  # grid points along each side
LEAST_PROBABILITY = 1e-12  # logarithms of smaller ones are those of this one
# The mean decision value of the points has this log-odds: the probability 0.95.
MEAN_LOG_ODDS = 3.0


def fields_of_models(
    estimators: Any,
    X: ArrayLike,
    y: ArrayLike,
    *,
    X_test: ArrayLike | None = None,
    y_test: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    resolution: int = GRID,
) -> Fields:
    """Return the outputs of fitted estimators over the plane, with their scores.

    Parameters and errors are those of `regviz.show`.

    Parameters
    ----------
    resolution : int
        Number of grid points along each side.

    Returns
    -------
    Fields
    """
    models = named(estimators, names)
    classes = classes_of(models)
    points = points_of(X, y, X_test, y_test, classes)
    given = {"train": X} | ({} if X_test is None else {"test": X_test})
    x_range, y_range = domains(Dataset(*points["train"], *points["test"], task="regression"))
    plane = _like(X, grid(x_range, y_range, resolution))
    outputs, facts = [], []
    for name, model in models.items():
        kind, factor = _kind(model, X, classes)
        own = _outputs(model, kind, plane, classes)
        if own.shape[1] != resolution**2:
            allowed = "an estimator of a single target"
            raise invalid(f"estimators[{name!r}]", allowed, model)
        outputs.append(factor * own)
        facts.append(Facts(name, _colours(model), _numbers(model, points, given), kind, factor))
    n_classes = 0 if classes is None else len(classes)
    task: Task = {0: "regression", 2: "binary"}.get(n_classes, "multiclass")  # type: ignore[assignment]
    return Fields(
        task,
        () if classes is None else tuple(map(_class_name, classes.tolist())),
        _axes(X),
        x_range,
        y_range,
        np.stack(outputs).reshape(len(models), -1, resolution, resolution),
        points,
        _with_zeros(facts, models),
    )


def _class_name(label: Any) -> str:
    """Return a label that is text, and else ``"class 1"`` and so on."""
    return label if isinstance(label, str) else f"class {label}"


def _like(X: Any, points: Doubles) -> Any:
    """Return points as a data frame if ``X`` is one of pandas, with its columns."""
    return type(X)(points, columns=X.columns) if hasattr(X, "iloc") else points


def _axes(X: ArrayLike) -> tuple[str, str]:
    columns = list(getattr(X, "columns", ("x₁", "x₂")))
    return str(columns[0]), str(columns[1])


def _kind(model: Any, X: ArrayLike, classes: Labels | None) -> tuple[Kind, float]:
    """Return the meaning of a model's outputs, and the factor of its decision values."""
    if classes is None:
        return "value", 1.0
    if hasattr(model, "predict_proba"):
        return "probability", 1.0
    if not hasattr(model, "decision_function"):
        return "class", 1.0
    values = np.asarray(model.decision_function(X))
    if values.shape[1:] != (() if len(classes) == 2 else (len(classes),)):
        return "class", 1.0  # one decision value for each pair of classes
    ordered = np.sort(values, axis=-1)
    margins = np.abs(values) if values.ndim == 1 else ordered[:, -1] - ordered[:, -2]
    return "decision", MEAN_LOG_ODDS / (float(margins.mean()) or 1.0)


def _outputs(model: Any, kind: Kind, points: Any, classes: Labels | None) -> Doubles:
    """Return a model's outputs as of `Fields`, of shape (n_outputs, n)."""
    if classes is None:
        return np.asarray(model.predict(points), dtype=np.float64).reshape(1, -1)
    if kind == "decision":
        return np.atleast_2d(np.asarray(model.decision_function(points), dtype=np.float64).T)
    if kind == "probability":
        shares = np.asarray(model.predict_proba(points), dtype=np.float64)
    else:
        shares = (np.asarray(model.predict(points))[:, None] == classes).astype(np.float64)
    logs = np.log(shares.clip(LEAST_PROBABILITY)).T
    outputs: Doubles = logs[1:] - logs[:1] if len(classes) == 2 else logs
    return outputs


def _numbers(
    model: Any,
    points: Mapping[str, tuple[Doubles, Doubles]],
    given: Mapping[str, ArrayLike],
) -> tuple[tuple[str, str], ...]:
    """Return terms and values of a model's scores, the test points first."""
    listed: list[tuple[str, str]] = []
    for split in [split for split in ("test", "train") if split in given]:
        y, predicted = points[split][1], model.predict(given[split])
        if is_regressor(model):
            errors = np.asarray(predicted, dtype=np.float64).ravel() - y
            loss = decimals(float(np.mean(errors**2) / 2))
            listed += [(f"{split} R²", decimals(metrics.r2_score(y, predicted)))]
        else:
            labels = model.classes_[y.astype(int)]
            share = metrics.accuracy_score(labels, predicted)
            listed += [(f"{split} accuracy", f"{100 * share:.0f} %")]
            loss = _log_loss(model, y, given[split])
        term = "squared loss" if is_regressor(model) else "log loss"
        listed.append((f"{split} {term}", loss))
    return tuple(listed)


def _log_loss(model: Any, y: Doubles, X: ArrayLike) -> str:
    """Return the mean cross-entropy in nats, or a dash for a model without probabilities."""
    if not hasattr(model, "predict_proba"):
        return "–"
    labels = list(range(len(model.classes_)))
    return decimals(float(metrics.log_loss(y.astype(int), model.predict_proba(X), labels=labels)))


def _with_zeros(facts: Sequence[Facts], models: Mapping[str, Any]) -> tuple[Facts, ...]:
    """Add the share of exact zeros, where a model has coefficients or weights."""
    shares = [_zeros(last_step(model)) for model in models.values()]
    if all(share is None for share in shares):
        return tuple(facts)
    texts = ["–" if share is None else f"{100 * share:.0f} %" for share in shares]
    return tuple(
        replace(each, numbers=(*each.numbers, ("exact zeros", text)))
        for each, text in zip(facts, texts, strict=True)
    )


def _zeros(model: Any) -> float | None:
    """Return the share of ``coefs_`` or ``coef_`` that is exactly 0; None without either."""
    arrays = getattr(model, "coefs_", None) or [getattr(model, "coef_", None)]
    if arrays[0] is None:
        return None
    dense = [each.toarray() if hasattr(each, "toarray") else np.asarray(each) for each in arrays]
    return float(np.mean(np.concatenate([each.ravel() for each in dense]) == 0))


def _colours(model: Any) -> dict[Theme, str]:
    """Return the colour of a network's method, or grey for other models."""
    last = last_step(model)
    history, k = history_of(last)
    if history is not None:
        return dict(method_colour(labels(history.experiment)[k].method))
    return {theme: mix(palette.INK[theme], palette.BLANK[theme], 0.3) for theme in THEMES}
