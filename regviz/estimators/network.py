"""The part that classifiers and regressors share: parameters, training and outputs of a network."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from regviz.data.datasets import Dataset, stack_level, warn_unscaled
from regviz.engine import compiled
from regviz.engine.history import Floats, History
from regviz.engine.recorder import histories
from regviz.spec.experiment import (
    LEARNING_RATE_RANGE,
    MAX_EPOCHS,
    Experiment,
    NetworkSpec,
    Regularization,
    TrainingSpec,
)
from regviz.spec.validation import MAX_SEED, Task, boolean, choice, integer, invalid, real

# scikit-learn's names of activation functions, and leaky ReLU, which it does not have
ACTIVATIONS = {
    "identity": "linear",
    "logistic": "sigmoid",
    "tanh": "tanh",
    "relu": "relu",
    "leaky_relu": "leaky_relu",
}
SOLVERS = ("adam", "adamw", "sgd")
MAX_AUTO_BATCH = 200  # points of a mini-batch with batch_size="auto", as in MLPClassifier
MAX_FRAMES = 10_000  # of `TrainingSpec`

Array = NDArray[Any]
# points (n, p), targets or labels (n,), and weights (n,) or None
Points = tuple[Array, NDArray[Any], NDArray[np.float64] | None]


class BaseNetwork(BaseEstimator):
    """Base class of estimators that train networks and predict with one of them."""

    hidden_layer_sizes: int | Sequence[int]
    activation: str
    solver: str
    alpha: float
    l1_ratio: float
    group_lasso: float
    drop_rate: float
    input_drop_rate: float
    max_norm: float | None
    normalization: str
    affine: bool
    batch_size: int | str | None
    learning_rate_init: float
    max_iter: int
    momentum: float
    beta_1: float
    beta_2: float
    epsilon: float
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int
    random_state: Any

    history_: History
    n_iter_: int
    best_iteration_: int
    coefs_: list[Floats]
    intercepts_: list[Floats]

    @property
    def coef_(self) -> Floats:
        """Weights of a linear model, ``hidden_layer_sizes=()``, in scikit-learn's shape.

        It is (n_features,) for regression, (1, n_features) for two classes, and (n_classes,
        n_features) for more. Models with hidden layers do not have this attribute.
        """
        self._check_linear("coef_")
        weights = self.coefs_[0].T
        return weights[0] if self.history_.dataset.task == "regression" else weights

    @property
    def intercept_(self) -> Any:
        """Bias of a linear model: a number for regression, else of shape (1,) or (n_classes,)."""
        self._check_linear("intercept_")
        bias = self.intercepts_[0]
        return float(bias[0]) if self.history_.dataset.task == "regression" else bias

    def _check_linear(self, name: str) -> None:
        check_is_fitted(self, "history_")
        if len(self.coefs_) > 1:
            raise AttributeError(f"{name} is an attribute of models without hidden layers only")

    @property
    def _task(self) -> Task:
        """The task of a fitted estimator."""
        raise NotImplementedError

    def _encoded(self, points: Points) -> Points:
        """Return points of positive weight, with numbers of classes in place of labels."""
        raise NotImplementedError

    def _network(self) -> NetworkSpec:
        """Return the network that the parameters describe."""
        sizes = self.hidden_layer_sizes
        hidden = sizes if isinstance(sizes, tuple | list | np.ndarray) else (sizes,)
        try:
            network = NetworkSpec(tuple(hidden))
        except ValueError as error:
            allowed = f"a layer size or a sequence of them ({error})"
            raise invalid("hidden_layer_sizes", allowed, sizes) from error
        return replace(
            network,
            activation=ACTIVATIONS[choice("activation", self.activation, ACTIVATIONS)],
            normalization=self.normalization,
            affine=self.affine,
        )

    def _training(self, n_train: int, seed: int, dtype: str, frames: int | None) -> TrainingSpec:
        """Return the training of ``n_train`` points that the parameters describe."""
        size = self.batch_size
        if isinstance(size, str):
            choice("batch_size", size, ("auto",))
            size = MAX_AUTO_BATCH
        elif size is not None:
            size = integer("batch_size", size, 1, 10**9)
        momentum = real("momentum", self.momentum, 0, 0.999)
        solver = choice("solver", self.solver, SOLVERS)
        epochs = integer("max_iter", self.max_iter, 1, MAX_EPOCHS)
        if boolean("early_stopping", self.early_stopping):
            frames = MAX_FRAMES
        return TrainingSpec(
            optimizer="momentum" if solver == "sgd" and momentum else solver,
            learning_rate=real("learning_rate_init", self.learning_rate_init, *LEARNING_RATE_RANGE),
            batch_size=None if size is None or size >= n_train else size,
            epochs=epochs,
            momentum=momentum,
            beta1=real("beta_1", self.beta_1, 0, 1, open_high=True),
            beta2=real("beta_2", self.beta_2, 0, 1, open_high=True),
            epsilon=self.epsilon,
            dtype=dtype,
            frames=min(epochs, TrainingSpec.frames if frames is None else frames),
            seed=seed,
        )

    def _regularization(self, **changes: Any) -> Regularization:
        """Return the regularization that the parameters describe, with some of them changed."""
        values = {name: changes.get(name, getattr(self, name)) for name in ("alpha", "l1_ratio")}
        strength = real("alpha", values["alpha"], 0, 1000)
        names = ("group_lasso", "drop_rate", "input_drop_rate", "max_norm")
        others = {name: changes.get(name, getattr(self, name)) for name in names}
        return Regularization.elastic_net(strength, values["l1_ratio"], **others)

    def _seed(self) -> int:
        """Return ``random_state`` if it is a whole number, and else draw a seed from it."""
        if isinstance(self.random_state, int | np.integer):
            return integer("random_state", self.random_state, 0, MAX_SEED)
        return int(check_random_state(self.random_state).randint(2**31))

    def _checked(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, *, y_numeric: bool
    ) -> Points:
        """Return arrays of the arguments of ``fit``; weights are None if points count equally."""
        floats = (np.float64, np.float32)
        points, targets = validate_data(self, X, y, dtype=floats, y_numeric=y_numeric)
        if sample_weight is None:
            return points, targets, None
        weights = check_array(
            sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
        )
        if weights.shape != (len(points),):
            raise invalid("sample_weight", f"of shape ({len(points)},)", weights.shape)
        if (weights < 0).any():
            raise invalid("sample_weight", "at least 0: no negative values", weights)
        if not weights.any():
            raise invalid("sample_weight", "weights that are not all zero", weights)
        return points, targets, weights

    def _fit(
        self,
        points: Points,
        rows: Sequence[Regularization],
        seed: int,
        frames: int | None = None,
    ) -> Self:
        """Train a network for each regularization, and select the first.

        Parameters
        ----------
        points : Points
            As `_encoded` returns them.
        rows : sequence of Regularization
        seed : int
        frames : int, optional
            Number of epochs to record without early stopping.
        """
        X, y, weights = points
        dataset = self._split(X, y, weights, seed)
        dtype = "float32" if X.dtype == np.float32 else "float64"
        training = self._training(len(dataset.y_train), seed, dtype, frames)
        experiment = Experiment(dataset.spec, self._network(), training, tuple(rows))
        compiled.wait(dtype)
        patience = integer("n_iter_no_change", self.n_iter_no_change, 1, 10**9)
        self.history_ = _trained(experiment, dataset, patience if self.early_stopping else None)
        n_times = len(self.history_.epochs)
        self._best, self._stopped = (np.full(len(rows), n_times - 1) for _ in range(2))
        if self.early_stopping:
            self._best, self._stopped = self.history_.early_stopping(patience)
        return self._select(0)

    def _split(self, X: Array, y: Array, weights: Array | None, seed: int) -> Dataset:
        """Return the points as training points, and as validation points for early stopping."""
        if not self.early_stopping:
            return Dataset(X, y, task=self._task, weight_train=weights)
        fraction = real(
            "validation_fraction", self.validation_fraction, 0, 1, open_low=True, open_high=True
        )
        arrays = [X, y] if weights is None else [X, y, weights]
        stratify = None if self._task == "regression" else y
        parts = train_test_split(*arrays, test_size=fraction, random_state=seed, stratify=stratify)
        X_train, X_validation, y_train, y_validation, *weighted = parts
        return Dataset(
            *(X_train, y_train),
            X_validation=X_validation,
            y_validation=y_validation,
            task=self._task,
            **dict(zip(("weight_train", "weight_validation"), weighted, strict=False)),
        )

    def _select(self, k: int) -> Self:
        """Predict with network ``k`` of the history, at its best epoch, from now on."""
        self._network_index, self._time = k, int(self._best[k])
        self.n_iter_ = int(self.history_.epochs[self._stopped[k]])
        self.best_iteration_ = int(self.history_.epochs[self._time])
        self.coefs_ = self.history_.weights(k, self._time)
        self.intercepts_ = self.history_.biases(k, self._time)
        return self

    def _warn(self) -> None:
        """Warn of unscaled points, and if the selected network has diverged.

        The warnings are attributed to the caller outside this package.
        """
        warn_unscaled(self.history_.dataset)
        epoch = int(self.history_.diverged[self._network_index])
        if epoch >= 0:
            warnings.warn(
                f"The network diverged in epoch {epoch}, and keeps its last finite weights:"
                " learning_rate_init should be lower, or X and y should be standardized",
                ConvergenceWarning,
                stacklevel=stack_level(),
            )

    def _outputs(self, X: ArrayLike) -> Array:
        """Return the outputs for points before sigmoid or softmax, of shape (1, n_outputs, n)."""
        check_is_fitted(self, "history_")
        points = validate_data(self, X, dtype=(np.float64, np.float32), reset=False)
        return self.history_.outputs(points, [self._network_index], self._time)


def of_positive_weight(points: Points) -> Points:
    """Return the points whose weight is not 0: others take no place in a batch or a split."""
    X, y, weights = points
    if weights is None:
        return points
    kept = weights > 0
    return X[kept], y[kept], weights[kept]


def _trained(experiment: Experiment, dataset: Dataset, patience: int | None) -> History:
    """Train to the last epoch, or with a ``patience`` until early stopping has ended all."""
    epoch, next_check = 0, patience or MAX_EPOCHS

    def due() -> bool:
        nonlocal epoch
        epoch += 1
        return epoch >= next_check

    for (history,) in histories([experiment], [dataset], due=due):
        if patience is not None:
            best, stopped = history.early_stopping(patience)
            going = history.epochs[stopped] - history.epochs[best] < patience
            if not going.any():
                break
            # the first epoch at which the last of them may stop
            next_check = int(history.epochs[best[going]].max()) + patience
    return history
