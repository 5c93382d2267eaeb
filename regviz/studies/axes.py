"""Axes of a study: the fields of an experiment that can vary, and their values."""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from regviz.data.datasets import Dataset, make_dataset
from regviz.spec.experiment import DataSpec, Experiment
from regviz.spec.toy import MIN_SAMPLES
from regviz.spec.validation import Unquoted, choice, invalid
from regviz.studies.checks import pairs_of

# Names of the axes in figures and on the page. Neither seeds nor the recording can vary.
_LABELS = {
    "data.name": "Dataset",
    "data.n_samples": "Points",
    "data.noise": "Noise",
    "data.label_noise": "Wrong labels",
    "data.train_fraction": "Share for training",
    "data.validation_fraction": "Share for validation",
    "data.standardize": "Standardized",
    "network.hidden": "Hidden layers",
    "network.activation": "Activation",
    "network.features": "Inputs",
    "network.normalization": "Normalization",
    "network.affine": "Gain and shift",
    "training.optimizer": "Optimizer",
    "training.learning_rate": "Learning rate",
    "training.batch_size": "Batch size",
    "training.epochs": "Epochs",
    "training.momentum": "Momentum",
    "training.beta1": "Adam's beta1",
    "training.beta2": "Adam's beta2",
    "training.epsilon": "Adam's epsilon",
    "training.dtype": "Precision",
}


@dataclass(frozen=True)
class Axis:
    """A field of an experiment with its values in a study.

    Attributes
    ----------
    path : str
        Part and field, such as ``"network.hidden"``; also the name of the column in tables.
    values : tuple
        The values, in the order of the study.

    Examples
    --------
    >>> import regviz
    >>> study = regviz.Study(vary={"network.hidden": [(), (8,), (8, 8)]})
    >>> axis = study.axes[0]
    >>> axis.label, axis.texts, axis.column
    ('Hidden layers', ('none', '8', '8-8'), ('', '8', '8-8'))
    """

    path: str
    values: tuple[Any, ...]

    @property
    def label(self) -> str:
        """Name in figures, such as ``"Hidden layers"``."""
        return _LABELS[self.path]

    @property
    def texts(self) -> tuple[str, ...]:
        """The values in words, such as ``"8-8"`` for the layers ``(8, 8)``."""
        return tuple(map(_text, self.values))

    @property
    def column(self) -> tuple[Any, ...]:
        """The values in tables: numbers and names, or texts, such as ``""`` for no hidden layer."""
        plain = tuple(map(_plain, self.values))
        mixed = len({isinstance(value, str) for value in plain}) > 1
        return tuple(map(str, plain)) if mixed else plain


def _text(value: Any) -> str:
    if value == ():
        return "none"
    return f"{value:.12g}" if isinstance(value, float) else str(_plain(value))


def _plain(value: Any) -> Any:
    """Return a number, bool or text in place of a value."""
    if isinstance(value, tuple):
        return ("-" if all(isinstance(one, int) for one in value) else ", ").join(map(str, value))
    return "all" if value is None else value


def paths_of(base: Experiment) -> tuple[str, ...]:
    """Return the paths of the fields of an experiment that can vary."""
    own = {
        f"{part}.{field.name}"
        for part in ("data", "network", "training")
        for field in dataclasses.fields(getattr(base, part))
    }
    return tuple(path for path in _LABELS if path in own)


def with_values(base: Experiment, values: Iterable[tuple[str, Any]]) -> Experiment:
    """Return an experiment with other values of some fields.

    Parameters
    ----------
    base : Experiment
    values : iterable of (str, value)
        Paths and values.

    Raises
    ------
    ValueError
        If the values are not allowed.
    """
    changes: dict[str, dict[str, Any]] = {}
    for path, value in values:
        part, _, field = path.partition(".")
        changes.setdefault(part, {})[field] = value
    parts = {part: replace(getattr(base, part), **fields) for part, fields in changes.items()}
    return replace(base, **parts)


def checked_axes(base: Experiment, vary: Any) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    """Return the axes of a study as pairs of paths and values.

    Parameters
    ----------
    base : Experiment
    vary : mapping of str to sequence, or sequence of pairs

    Raises
    ------
    ValueError
        If a path or value is not allowed, or values do not go together.
    """
    allowed = paths_of(base)
    whole = "a mapping of paths, such as 'data.noise', to values"
    axes = []
    for path, values in pairs_of("vary", vary, whole, "a pair of a path and its values"):
        choice("a path of vary", path, allowed)
        if not isinstance(values, Iterable) or isinstance(values, (str, Mapping)):
            raise invalid(f"vary[{path!r}]", "a sequence of at least one value", values)
        axes.append((path, [_hashable(value) for value in values]))
    for path, values in axes:
        if not values:
            raise invalid(f"vary[{path!r}]", "a sequence of at least one value", Unquoted("none"))
    _check_data(base, axes)
    normal = _normalised(base, axes)
    for path, values in normal:
        if len(set(values)) < len(values):
            raise invalid(f"vary[{path!r}]", "without repetition", list(values))
    _check_together(base, normal)
    return tuple((path, tuple(values)) for path, values in normal)


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _check_data(base: Experiment, axes: list[tuple[str, list[Any]]]) -> None:
    """Raise ValueError if a dataset has too few points, or no classes to replace.

    Other fields of data can be combined at will, so that not all combinations are built.
    """
    of = dict(axes)
    names = list(enumerate(of.get("data.name", ())))
    # with each, a value of the other that all datasets allow
    others: dict[str, dict[str, Any]] = {
        "n_samples": {"label_noise": 0.0},
        "label_noise": {"n_samples": MIN_SAMPLES},
    }
    for field, other in others.items():
        path = f"data.{field}"
        for (i, name), (j, value) in itertools.product(names, enumerate(of.get(path, ()))):
            values = {"data.name": name, path: value}
            _part("data", base, values, {"data.name": i, path: j}, **other)


def _normalised(base: Experiment, axes: list[tuple[str, list[Any]]]) -> list[tuple[str, list[Any]]]:
    """Return the axes with the values as the parts of an experiment store them."""
    first = {path: values[0] for path, values in axes}
    normal = []
    for path, values in axes:
        part, _, field = path.partition(".")
        stored = []
        for i, value in enumerate(values):
            others = {p: v for p, v in first.items() if p.partition(".")[0] == part}
            one = _part(part, base, {**others, path: value}, {path: i})
            stored.append(getattr(one, field))
        normal.append((path, stored))
    return normal


def _part(
    part: str,
    base: Experiment,
    values: Mapping[str, Any],
    named: Mapping[str, int],
    **others: Any,
) -> Any:
    """Return a part of an experiment with other values; an error names axes and positions."""
    fields = others | {path.partition(".")[2]: value for path, value in values.items()}
    try:
        return replace(getattr(base, part), **fields)
    except (TypeError, ValueError) as error:
        if len(named) == 1:
            (path,) = named
            raise ValueError(f"vary[{path!r}][{named[path]}]: {error}") from error
        names = [f"vary[{path!r}][{i}] = {values[path]!r}" for path, i in named.items()]
        raise ValueError(f"{' with '.join(names)}: {error}") from error


def _check_together(base: Experiment, axes: list[tuple[str, list[Any]]]) -> None:
    """Raise ValueError if values of different parts do not go together."""
    of = dict(axes)

    def values(path: str) -> list[Any]:
        part, _, field = path.partition(".")
        return of.get(path, [getattr(getattr(base, part), field)])

    batches = [size for size in values("training.batch_size") if size is not None]
    normalized = "batch" in values("network.normalization") and any(values("network.hidden"))
    if normalized and 1 in batches:
        raise invalid(
            _named("training.batch_size", of, 1), "at least 2 with batch normalization", 1
        )
    smallest = min(len(dataset.y_train) for dataset in _extreme_datasets(base, of))
    if batches and max(batches) > smallest:
        allowed = f"at most {smallest}, the smallest number of training points, or None for all"
        raise invalid(_named("training.batch_size", of, max(batches)), allowed, max(batches))
    for i, epochs in enumerate(of.get("training.epochs", ())):
        try:
            replace(base, training=replace(base.training, epochs=epochs))
        except ValueError as error:  # a phase or an onset after the end
            raise ValueError(f"vary['training.epochs'][{i}]: {error}") from error


def _named(path: str, of: Mapping[str, Sequence[Any]], value: Any) -> str:
    """Return the name of a value in messages: of an axis, or of the base experiment."""
    return f"vary[{path!r}][{list(of[path]).index(value)}]" if path in of else f"base.{path}"


def _extreme_datasets(base: Experiment, of: Mapping[str, Sequence[Any]]) -> Iterator[Dataset]:
    """Yield the datasets with the fewest points for training, validation and test.

    Raises
    ------
    ValueError
        If a class has no point in a split.
    """

    def ends(field: str) -> set[Any]:
        values = of.get(f"data.{field}", [getattr(base.data, field)])
        return {min(values), max(values), min((v for v in values if v), default=0)}

    sized = {"n_samples": [min(of["data.n_samples"])]} if "data.n_samples" in of else {}
    named = {"name": of["data.name"]} if "data.name" in of else {}
    fields: dict[str, Any] = {**named, **sized}
    fields |= {name: ends(name) for name in ("train_fraction", "validation_fraction")}
    for values in itertools.product(*fields.values()):
        own = dict(zip(fields, values, strict=True))
        if isinstance(base.data, DataSpec):
            own["label_noise"] = 0.0  # regression has none
        try:
            yield make_dataset(replace(base.data, **own))
        except ValueError as error:
            named_values = [f"data.{name} = {value!r}" for name, value in own.items()]
            raise ValueError(f"a cell with {', '.join(named_values)}: {error}") from error
