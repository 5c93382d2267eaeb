"""An experiment as a frozen value: data, network, training, regularizations and seeds.

Equal experiments give equal runs, so an `Experiment` is the cache key of a run and the content of
the exported file. This module imports neither torch nor Streamlit.
"""

import dataclasses
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

from regviz.spec.arrays import ArraysSpec
from regviz.spec.points import PointsSpec
from regviz.spec.tables import DATASETS
from regviz.spec.toy import MIN_SAMPLES
from regviz.spec.validation import MAX_SEED, Task, boolean, choice, integer, invalid, real

FEATURES = ("x1", "x2", "x1^2", "x2^2", "x1*x2", "sin(x1)", "sin(x2)")
ACTIVATIONS = ("tanh", "relu", "leaky_relu", "sigmoid", "linear")
NORMALIZATIONS = ("none", "batch", "layer")
OPTIMIZERS = ("sgd", "momentum", "adam", "adamw")
DTYPES = ("float32", "float64")

MAX_EPOCHS = 1_000_000
LEARNING_RATE_RANGE = (1e-5, 10.0)  # lowest and highest


def _set(instance: object, name: str, value: object) -> None:
    """Store a normalised value in a frozen dataclass, from its ``__post_init__``."""
    object.__setattr__(instance, name, value)


@dataclass(frozen=True)
class DataSpec:
    """A dataset with a name.

    Parameters
    ----------
    name : str
        ``"moons"``, ``"circles"``, ``"xor"``, ``"blobs"``, ``"spirals"`` or ``"checkerboard"``
        (two classes), ``"three_blobs"`` or ``"three_spirals"`` (three classes), ``"plane"`` or
        ``"bumps"`` (regression). Tables with more columns, which are the network's inputs:
        ``"correlated_groups"`` (6, regression), ``"small_and_fat"`` (60, regression),
        ``"parity"`` (30, two classes), ``"diabetes"`` (10, regression), ``"breast_cancer"`` (30,
        two classes) or ``"digits"`` (64, two classes: 0 to 4 and 5 to 9). Or the name of a dataset
        added by `register_dataset`.
    n_samples : int
        Number of points of all splits, 20 to 2000; of a table of measurements at most its rows,
        442 of ``"diabetes"``, 569 of ``"breast_cancer"`` and 1797 of ``"digits"``. Fewer are drawn
        without replacement.
    noise : float
        Standard deviation of the Gaussian noise, 0 to 2, in the dataset's own units, before any
        standardisation. It is added to the coordinates for classes, and to the target for
        regression. Not used by tables of measurements.
    label_noise : float
        Probability, 0 to 0.5, that a point's class is replaced by another one, drawn uniformly.
        0 for regression.
    train_fraction : float
        Share of the points for training and validation, 0.05 to 0.95; the others are for testing.
    validation_fraction : float
        Share of these points that is held out for validation, 0 to 0.5. Networks are not trained
        on them; early stopping selects its epoch by their loss.
    standardize : bool
        Whether to shift and scale each coordinate by the mean and standard deviation of the
        training points.
    seed : int
        Seed of the points, of their noise and of the splits, 0 to 2**32 - 1.

    Raises
    ------
    ValueError
        If a parameter is of the wrong type or out of range.

    Examples
    --------
    >>> import regviz
    >>> data = regviz.DataSpec("moons", n_samples=100, noise=0.2)
    >>> data.task, data.n_columns
    ('binary', 2)
    >>> dataset = regviz.make_dataset(data)
    >>> [len(dataset.points(split)[1]) for split in ("train", "validation", "test")]
    [40, 10, 50]
    >>> regviz.DataSpec("moons", noise=3)
    Traceback (most recent call last):
        ...
    ValueError: noise must be a number from 0 to 2, got 3
    """

    name: str = "moons"
    n_samples: int = 400
    noise: float = 0.3
    label_noise: float = 0.0
    train_fraction: float = 0.5
    validation_fraction: float = 0.2
    standardize: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        choice("name", self.name, DATASETS)
        most = DATASETS[self.name].most_samples
        _set(self, "n_samples", integer("n_samples", self.n_samples, MIN_SAMPLES, most))
        _set(self, "noise", real("noise", self.noise, 0, 2))
        _set(self, "label_noise", real("label_noise", self.label_noise, 0, 0.5))
        _set(self, "train_fraction", real("train_fraction", self.train_fraction, 0.05, 0.95))
        fraction = real("validation_fraction", self.validation_fraction, 0, 0.5)
        _set(self, "validation_fraction", fraction)
        boolean("standardize", self.standardize)
        _set(self, "seed", integer("seed", self.seed, 0, MAX_SEED))
        if self.label_noise and self.task == "regression":
            raise invalid(
                "label_noise", f"0 for {self.name!r}, which has no classes", self.label_noise
            )

    @property
    def task(self) -> Task:
        """The task: ``"binary"``, ``"multiclass"`` or ``"regression"``."""
        return DATASETS[self.name].task

    @property
    def n_outputs(self) -> int:
        """Number of units of the output layer."""
        return DATASETS[self.name].n_classes if self.task == "multiclass" else 1

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the classes in the order of their numbers; ``()`` if they have none."""
        return DATASETS[self.name].names

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return DATASETS[self.name].columns

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return len(self.columns)

    @property
    def relevant(self) -> tuple[int, ...] | None:
        """Indices of the columns that the targets depend on; None if that is not known."""
        return DATASETS[self.name].relevant


Data = DataSpec | PointsSpec


def most_units(n_layers: int) -> int:
    """Return the largest number of units of a hidden layer in a network of ``n_layers`` of them.

    Two layers of 64 units have fewer weights between them, 4096, than six layers of 32 have, 5120.
    """
    return 64 if n_layers <= 2 else 32


@dataclass(frozen=True)
class NetworkSpec:
    """A fully connected network.

    Parameters
    ----------
    hidden : tuple of int
        Number of units of each hidden layer: one or two layers of 1 to 64 units, or three to six
        layers of 1 to 32 units. ``()`` is a linear model.
    activation : str
        Activation function of the hidden units: ``"tanh"``, ``"relu"``, ``"leaky_relu"`` (slope
        0.01 below 0), ``"sigmoid"`` or ``"linear"``.
    features : tuple of str
        Inputs of the network, computed from data with two columns, among ``"x1"``, ``"x2"``,
        ``"x1^2"``, ``"x2^2"``, ``"x1*x2"``, ``"sin(x1)"`` and ``"sin(x2)"``, without repetition.
        Data with another number of columns is the input itself.
    normalization : str
        Normalization of the pre-activations of each hidden layer: ``"none"``, ``"batch"`` or
        ``"layer"``. Both divide by ``sqrt(variance + 1e-5)`` after subtracting the mean: batch
        normalization over the points of a batch, and layer normalization over the units of a
        layer. The output layer is not normalized.
    affine : bool
        Whether a trained gain and shift of each hidden unit follow its normalization, from 1 and 0.
        They are not weights, and no regularizer acts on them. Without normalization there are none.

    Raises
    ------
    ValueError
        If a parameter is of the wrong type or out of range.

    Notes
    -----
    In training, batch normalization uses the mean and variance of the batch. Otherwise it uses
    running ones, which each step moves by 0.1 of their distance towards those of its batch, as
    `torch.nn.BatchNorm1d`, with the unbiased variance. They are part of the recorded parameters. It
    needs batches of at least two points; a last batch of one point is left out of the epoch.

    Batch normalization cancels a hidden unit's bias, which stays 0. Layer normalization makes the
    unit of a layer of one unit 0.

    References
    ----------
    Ioffe & Szegedy 2015 (batch normalization); Ba, Kiros & Hinton 2016 (layer normalization).

    Examples
    --------
    >>> import regviz
    >>> network = regviz.NetworkSpec(hidden=(8, 8, 4), activation="relu")
    >>> linear = regviz.NetworkSpec(hidden=(), features=("x1", "x2", "x1*x2"))
    >>> history = regviz.train(regviz.Experiment(network=linear))
    >>> [weights.shape for weights in history.weights(k=0)]
    [(3, 1)]
    """

    hidden: tuple[int, ...] = (8, 8)
    activation: str = "tanh"
    features: tuple[str, ...] = ("x1", "x2")
    normalization: str = "none"
    affine: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.hidden, (tuple, list)) or len(self.hidden) > 6:
            raise invalid("hidden", "a tuple of at most 6 layer sizes", self.hidden)
        most = most_units(len(self.hidden))
        _set(
            self,
            "hidden",
            tuple(integer(f"hidden[{i}]", units, 1, most) for i, units in enumerate(self.hidden)),
        )
        choice("activation", self.activation, ACTIVATIONS)
        if not isinstance(self.features, (tuple, list)) or not self.features:
            raise invalid("features", "a tuple of at least one feature", self.features)
        for i, feature in enumerate(self.features):
            choice(f"features[{i}]", feature, FEATURES)
        if len(set(self.features)) < len(self.features):
            raise invalid("features", "without repetition", self.features)
        _set(self, "features", tuple(self.features))
        choice("normalization", self.normalization, NORMALIZATIONS)
        boolean("affine", self.affine)

    @property
    def batch_normalized(self) -> bool:
        """Whether there are hidden layers with batch normalization."""
        return self.normalization == "batch" and bool(self.hidden)


@dataclass(frozen=True)
class TrainingSpec:
    """Optimizer, length and recording of the training, equal for all networks of a comparison.

    Parameters
    ----------
    optimizer : str
        ``"sgd"``, ``"momentum"`` (heavy ball, as ``torch.optim.SGD(momentum=…)``), ``"adam"``, or
        ``"adamw"``, which is Adam with every ``l2`` acting as decoupled weight decay.
    learning_rate : float
        Constant learning rate, 1e-5 to 10.
    batch_size : int or None
        Number of points of a mini-batch, at least 1; ``None`` is full-batch training.
    epochs : int
        Number of passes over the training points, 1 to 1,000,000.
    momentum : float
        Momentum coefficient, 0 to 0.999. Used by ``"momentum"`` only.
    beta1, beta2 : float
        Decay rates of Adam's first and second moment estimates, 0 to below 1.
    epsilon : float
        Constant added to Adam's denominator, 1e-30 to 1.
    dtype : str
        Floating-point type of the training: ``"float32"``, or ``"float64"`` for comparisons with
        reference solvers.
    frames : int
        Largest number of epochs at which the networks are recorded, besides the initial networks,
        1 to 10,000.
    seed : int
        Seed of the initial weights, of the order of the mini-batches and of dropout's draws, 0 to
        2**32 - 1.

    Raises
    ------
    ValueError
        If a parameter is of the wrong type or out of range.

    Examples
    --------
    >>> import regviz
    >>> training = regviz.TrainingSpec("adam", learning_rate=0.01, batch_size=None, epochs=50)
    >>> history = regviz.train(regviz.Experiment(training=training))
    >>> int(history.epochs[-1])
    50
    """

    optimizer: str = "sgd"
    learning_rate: float = 0.03
    batch_size: int | None = 10
    epochs: int = 200
    momentum: float = 0.9
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    dtype: str = "float32"
    frames: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        choice("optimizer", self.optimizer, OPTIMIZERS)
        _set(self, "learning_rate", _learning_rate(self.learning_rate))
        if self.batch_size is not None:
            _set(self, "batch_size", integer("batch_size", self.batch_size, 1, 10**9))
        _set(self, "epochs", integer("epochs", self.epochs, 1, MAX_EPOCHS))
        _set(self, "momentum", real("momentum", self.momentum, 0, 0.999))
        _set(self, "beta1", real("beta1", self.beta1, 0, 1, open_high=True))
        _set(self, "beta2", real("beta2", self.beta2, 0, 1, open_high=True))
        _set(self, "epsilon", real("epsilon", self.epsilon, 1e-30, 1))
        choice("dtype", self.dtype, DTYPES)
        _set(self, "frames", integer("frames", self.frames, 1, 10_000))
        _set(self, "seed", integer("seed", self.seed, 0, MAX_SEED))


@dataclass(frozen=True)
class Regularization:
    """The regularization of one network. By default, none; all parameters can be combined.

    The objective is ``J = data_loss + l1 * |w|_1 + (l2 / 2) * |w|^2 + group_lasso * G``, where
    ``w`` are the weights without the biases, and ``G`` is the sum of ``sqrt(p) * |v|`` over the
    vectors ``v`` of the p incoming weights of each hidden unit, with Euclidean norms.

    Parameters
    ----------
    l1, l2 : float
        Strengths of the L1 and of the squared L2 penalty, 0 to 1000.
    drop_rate : float
        Probability, 0 to 0.999, that dropout sets a hidden activation to 0 in a training step;
        kept activations are divided by ``1 - drop_rate`` (inverted dropout).
    input_drop_rate : float
        The same probability for the inputs.
    max_norm : float or None
        Upper bound on the Euclidean norm of each hidden unit's incoming weights, above 0 and up to
        1000. After every step, longer vectors are projected onto it. ``None`` is no bound.
    decoupled : bool
        Whether ``l2`` is AdamW's weight decay, ``w -= learning_rate * l2 * w`` before the step,
        instead of a penalty that is part of ``J``. Always the case under optimizer ``"adamw"``.
    onset : int
        Number of epochs without regularization at the beginning, 0 to the number of epochs.
    group_lasso : float
        Strength of the group lasso, 0 to 1000. It sets all incoming weights of a hidden unit to 0
        at once.
    corrected : bool
        Whether the recorded weights are those of the corrected elastic net, ``1 + l2`` times the
        trained ones: the trained, or naive, elastic net shrinks twice. It is defined for linear
        regression with a penalty, not for decoupled ``l2``; see `Experiment`.

    Raises
    ------
    ValueError
        If a parameter is of the wrong type or out of range.

    References
    ----------
    Zou & Hastie 2005 (elastic net, naive and corrected); Srivastava et al. 2014 (dropout,
    max-norm); Yuan & Lin 2006 (group lasso); Loshchilov & Hutter 2019 (decoupled weight decay).

    Examples
    --------
    >>> import regviz
    >>> lasso = regviz.Regularization(l1=0.01)
    >>> dropout = regviz.Regularization(drop_rate=0.2, max_norm=1.0)
    >>> regviz.Regularization.elastic_net(0.01, l1_ratio=0.75).l1
    0.0075
    >>> regviz.Regularization(l1=-1)
    Traceback (most recent call last):
        ...
    ValueError: l1 must be a number from 0 to 1000, got -1
    """

    l1: float = 0.0
    l2: float = 0.0
    drop_rate: float = 0.0
    input_drop_rate: float = 0.0
    max_norm: float | None = None
    decoupled: bool = False
    onset: int = 0
    group_lasso: float = 0.0
    corrected: bool = False

    def __post_init__(self) -> None:
        for name in ("l1", "l2", "group_lasso"):
            _set(self, name, real(name, getattr(self, name), 0, 1000))
        for name in ("drop_rate", "input_drop_rate"):
            _set(self, name, real(name, getattr(self, name), 0, 0.999))
        if self.max_norm is not None:
            _set(self, "max_norm", real("max_norm", self.max_norm, 0, 1000, open_low=True))
        boolean("decoupled", self.decoupled)
        boolean("corrected", self.corrected)
        _set(self, "onset", integer("onset", self.onset, 0, MAX_EPOCHS))

    @classmethod
    def elastic_net(cls, strength: float, l1_ratio: float = 0.5, **others: Any) -> Self:
        """Return an elastic net in the parameters of `sklearn.linear_model.ElasticNet`.

        ``l1 = strength * l1_ratio`` and ``l2 = strength * (1 - l1_ratio)``.

        Parameters
        ----------
        strength : float
            scikit-learn's ``alpha``, 0 to 1000.
        l1_ratio : float
            Share of L1 in ``strength``, 0 to 1.
        **others
            Further parameters of `Regularization`.

        Returns
        -------
        Regularization

        Raises
        ------
        ValueError
            If a parameter is of the wrong type or out of range.
        """
        strength = real("strength", strength, 0, 1000)
        l1_ratio = real("l1_ratio", l1_ratio, 0, 1)
        return cls(l1=strength * l1_ratio, l2=strength * (1 - l1_ratio), **others)


def without_hidden_units(regularization: Regularization) -> Regularization:
    """Return the regularization that acts on a model without hidden units."""
    return replace(regularization, drop_rate=0.0, max_norm=None, group_lasso=0.0)


@dataclass(frozen=True)
class Phase:
    """A first part of a training, in which all networks of an experiment are the same network.

    Parameters
    ----------
    until : int
        Number of trained epochs, from the start of the training, after which the phase ends.
    regularization : Regularization
        The regularization of all networks in the phase, without an ``onset``.
    learning_rate : float or None
        The learning rate in the phase; by default that of the training.

    Raises
    ------
    ValueError
        If a parameter is of the wrong type or out of range.

    Examples
    --------
    >>> import regviz
    >>> free = regviz.Phase(until=20)
    >>> rows = (regviz.Regularization(), regviz.Regularization(l1=0.1))
    >>> training = regviz.TrainingSpec(epochs=40)
    >>> experiment = regviz.Experiment(training=training, regularizations=rows, phases=(free,))
    >>> history = regviz.train(experiment)
    >>> equal = (history.parameters[:, 0] == history.parameters[:, 1]).all(axis=1)
    >>> int(history.epochs[equal][-1])
    20
    """

    until: int
    regularization: Regularization = Regularization()
    learning_rate: float | None = None

    def __post_init__(self) -> None:
        _set(self, "until", integer("until", self.until, 1, MAX_EPOCHS))
        row = self.regularization
        if not isinstance(row, Regularization) or row.onset:
            raise invalid("regularization", "a Regularization without an onset", row)
        if self.learning_rate is not None:
            _set(self, "learning_rate", _learning_rate(self.learning_rate))


@dataclass(frozen=True)
class Experiment:
    """All parameters that determine a run. Equal experiments give equal histories.

    Parameters
    ----------
    data : DataSpec, PointsSpec or ArraysSpec
        A toy dataset, a visitor's own points, or the sizes of points that were given as arrays.
    network : NetworkSpec
    training : TrainingSpec
    regularizations : sequence of Regularization
        One network is trained for each. They share data, initial weights, the order of the
        mini-batches and dropout's draws, so that they differ in their regularization alone.
    phases : sequence of Phase
        First parts of the training, one after another, in which all networks are the same: each
        begins where the one before ends. The networks then go on, with the state of the optimizer,
        each with its regularization and with the learning rate of ``training``.

    Raises
    ------
    ValueError
        If a part is of the wrong type, or if the parts cannot go together.

    Examples
    --------
    >>> import regviz
    >>> experiment = regviz.Experiment(
    ...     regviz.DataSpec("circles", noise=0.2),
    ...     regviz.NetworkSpec(hidden=(8, 8)),
    ...     regviz.TrainingSpec("momentum", epochs=100),
    ...     (regviz.Regularization(), regviz.Regularization(l1=0.005, onset=50)),
    ... )
    >>> regviz.Experiment.from_json(experiment.to_json()) == experiment
    True
    >>> experiment.acting(epoch=49)[1] == regviz.Regularization()
    True
    >>> experiment.learning_rate(epoch=49)
    0.03
    """

    data: Data | ArraysSpec = field(default_factory=DataSpec)
    network: NetworkSpec = field(default_factory=NetworkSpec)
    training: TrainingSpec = field(default_factory=TrainingSpec)
    regularizations: tuple[Regularization, ...] = (Regularization(),)
    phases: tuple[Phase, ...] = ()

    def __post_init__(self) -> None:
        for name, kinds in PARTS.items():
            if not isinstance(getattr(self, name), kinds):
                allowed = " or ".join(f"a {kind.__name__}" for kind in kinds)
                raise invalid(name, allowed, getattr(self, name))
        if self.network.batch_normalized and self.training.batch_size == 1:
            raise invalid("batch_size", "at least 2 with batch normalization", 1)
        rows = self.regularizations
        if not isinstance(rows, (tuple, list)) or not rows:
            raise invalid("regularizations", "a tuple of at least one Regularization", rows)
        for i, row in enumerate(rows):
            if not isinstance(row, Regularization):
                raise invalid(f"regularizations[{i}]", "a Regularization", row)
            if row.onset > self.training.epochs:
                allowed = f"at most epochs, {self.training.epochs}"
                raise invalid(f"regularizations[{i}].onset", allowed, row.onset)
        _set(self, "regularizations", tuple(rows))
        _set(self, "phases", checked_phases(self.phases, self.training.epochs))
        lack = why_not_corrected("regression", self.network, self.training)
        for name, row in self.named_rows():
            reason = "decoupled is False" if row.decoupled else lack
            if row.corrected and reason:
                raise invalid(f"{name}.corrected", f"False, except where {reason}", True)

    def named_rows(self) -> Iterator[tuple[str, Regularization]]:
        """Yield all regularizations, those of the phases last, with their names for messages."""
        for i, row in enumerate(self.regularizations):
            yield f"regularizations[{i}]", row
        for i, phase in enumerate(self.phases):
            yield f"phases[{i}].regularization", phase.regularization

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """The hash, cached: it is the key of several caches, and takes 90 µs for 2000 points."""
        return hash((self.data, self.network, self.training, self.regularizations, self.phases))

    def __getstate__(self) -> dict[str, Any]:
        """Return the state to pickle, without the hash: string hashes differ between processes."""
        return {name: value for name, value in vars(self).items() if name != "_hash"}

    def acting(self, epoch: int) -> tuple[Regularization, ...]:
        """Return the regularizations that are in force once ``epoch`` epochs are trained.

        In a phase they are that of the phase. Before its onset, a regularization is replaced by
        none. Under AdamW every ``l2`` is decoupled.

        Parameters
        ----------
        epoch : int
            Number of trained epochs.

        Returns
        -------
        tuple of Regularization
            One for each network.
        """
        decoupled = self.training.optimizer == "adamw"
        phase = self._phase(epoch)
        rows = self.regularizations
        if phase is not None:
            rows = (phase.regularization,) * len(rows)
        return tuple(
            replace(row, decoupled=row.decoupled or decoupled)
            if epoch >= row.onset
            else Regularization()
            for row in rows
        )

    def learning_rate(self, epoch: int) -> float:
        """Return the learning rate of the epoch after ``epoch`` epochs.

        Parameters
        ----------
        epoch : int
            Number of trained epochs.

        Returns
        -------
        float
        """
        phase = self._phase(epoch)
        if phase is None or phase.learning_rate is None:
            return self.training.learning_rate
        return phase.learning_rate

    @cached_property
    def switches(self) -> tuple[int, ...]:
        """Numbers of epochs after which `acting` or `learning_rate` may change, with 0, sorted."""
        onsets = {row.onset for row in self.regularizations}
        return tuple(sorted({0, *onsets, *(phase.until for phase in self.phases)}))

    def _phase(self, epoch: int) -> Phase | None:
        """Return the phase of the epoch after ``epoch`` epochs, None after the last phase."""
        return next((phase for phase in self.phases if epoch < phase.until), None)

    @property
    def id(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 hash of `to_json`, the same everywhere."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]

    def to_json(self) -> str:
        """Return the experiment as JSON text, from which `from_json` builds an equal one.

        Returns
        -------
        str
        """
        return json.dumps(dataclasses.asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Build an experiment from the text of `to_json`. Missing parameters take their defaults.

        Parameters
        ----------
        text : str
            JSON text.

        Returns
        -------
        Experiment

        Raises
        ------
        ValueError
            If the text is not JSON, names an unknown parameter, or holds a value out of range.
        """
        allowed = [*PARTS, "regularizations", "phases"]
        content = mapping("experiment", read_json("experiment", text), allowed)
        parts = {
            name: build(name, kinds, content[name])
            for name, kinds in PARTS.items()
            if name in content
        }
        if "regularizations" in content:
            rows = content["regularizations"]
            if not isinstance(rows, list):
                raise invalid("regularizations", "a list", rows)
            parts["regularizations"] = tuple(
                build(f"regularizations[{i}]", (Regularization,), row) for i, row in enumerate(rows)
            )
        if "phases" in content:
            parts["phases"] = phases_from(content["phases"])
        return cls(**parts)


def phases_from(content: Any) -> tuple[Phase, ...]:
    """Build phases from a list that was read from JSON.

    Raises
    ------
    ValueError
        If it is not a list of mappings with the parameters of `Phase`.
    """
    if not isinstance(content, list):
        raise invalid("phases", "a list", content)
    phases = []
    for i, item in enumerate(content):
        item = dict(mapping(f"phases[{i}]", item, [one.name for one in dataclasses.fields(Phase)]))
        if "until" not in item:
            raise invalid(f"phases[{i}]", "a mapping with until", item)
        if "regularization" in item:
            row = item["regularization"]
            item["regularization"] = build(f"phases[{i}].regularization", (Regularization,), row)
        phases.append(Phase(**item))
    return tuple(phases)


def checked_phases(phases: Any, epochs: int) -> tuple[Phase, ...]:
    """Return the phases of an experiment as a tuple.

    Raises
    ------
    ValueError
        If they are not phases, each after the one before, and the last before ``epochs``.
    """
    if not isinstance(phases, (tuple, list)):
        raise invalid("phases", "a sequence of Phase", phases)
    before = 0
    for i, phase in enumerate(phases):
        if not isinstance(phase, Phase):
            raise invalid(f"phases[{i}]", "a Phase", phase)
        if not before < phase.until < epochs:
            allowed = f"above {before} and below epochs, {epochs}"
            raise invalid(f"phases[{i}].until", allowed, phase.until)
        before = phase.until
    return tuple(phases)


def _learning_rate(value: Any) -> float:
    return real("learning_rate", value, *LEARNING_RATE_RANGE)


def why_not_corrected(task: str, network: NetworkSpec, training: TrainingSpec) -> str | None:
    """Return a condition of the corrected elastic net that does not hold, or None if all do.

    Examples
    --------
    >>> why_not_corrected("regression", NetworkSpec(hidden=(8,)), TrainingSpec())
    'hidden is (), a linear model'
    """
    if network.hidden:
        return "hidden is (), a linear model"
    if task != "regression":
        return "the task is 'regression'"
    if training.optimizer == "adamw":
        return "the optimizer is not 'adamw', which decouples l2"
    return None


PARTS: dict[str, tuple[type, ...]] = {
    "data": (DataSpec, PointsSpec, ArraysSpec),
    "network": (NetworkSpec,),
    "training": (TrainingSpec,),
}


def read_json(name: str, text: str) -> Any:
    """Parse JSON text.

    Raises
    ------
    ValueError
        If the text is not JSON; the message starts with ``name``.
    """
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise invalid(name, f"JSON text ({error})", text) from error


def mapping(name: str, content: Any, allowed: Collection[str]) -> Mapping[str, Any]:
    """Return ``content`` if it is a mapping whose keys are all among ``allowed``.

    Raises
    ------
    ValueError
        If it is not; the message contains ``name``.
    """
    if not isinstance(content, dict):
        raise invalid(name, "an object with names and values", content)
    for key in content:
        choice(f"a parameter of {name}", key, allowed)
    return content


def build(name: str, kinds: tuple[Any, ...], content: Any) -> Any:
    """Build one of several dataclasses from a mapping of its parameters.

    The first class is built, unless the mapping has all required parameters of another one.

    Parameters
    ----------
    name : str
        Name of the value in error messages.
    kinds : tuple of dataclass types
    content : Any
        The mapping, as parsed from JSON or YAML.

    Raises
    ------
    ValueError
        If ``content`` is no mapping, has an unknown parameter, or a value is out of range.
    """
    kind = kinds[0]
    for other in kinds[1:]:
        if isinstance(content, dict) and _required(other) <= content.keys():
            kind = other
    allowed = [parameter.name for parameter in dataclasses.fields(kind)]
    return kind(**mapping(name, content, allowed))


def _required(kind: Any) -> set[str]:
    """Names of the parameters that have no default."""
    return {p.name for p in dataclasses.fields(kind) if p.default is dataclasses.MISSING}
