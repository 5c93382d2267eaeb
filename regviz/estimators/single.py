"""A classifier and a regressor: one network with one regularization."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from regviz.engine import networks
from regviz.estimators.network import Array, BaseNetwork, Points, of_positive_weight
from regviz.spec.validation import MAX_CLASSES, Task, Unquoted, invalid


class RegVizClassifier(ClassifierMixin, BaseNetwork):
    """A small neural network, or a linear model, with the regularizations of RegViz.

    The estimator minimizes ``J = sum_i s_i * loss_i / sum_i s_i + l1 * |w|_1 + (l2 / 2) * |w|^2 +
    group_lasso * G`` over the weights ``w``, where ``loss_i`` is the cross-entropy in nats, ``s_i``
    the point's weight, ``l1 = alpha * l1_ratio``, ``l2 = alpha * (1 - l1_ratio)``, and ``G`` the
    sum of ``sqrt(p) * |v|`` over the vectors ``v`` of the p incoming weights of each hidden unit.
    Biases have no penalty. L1 and the group lasso set weights to exactly 0.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
        Number of units of each hidden layer: one or two layers of up to 64 units, or three to six
        of up to 32. ``()`` is a linear model.
    activation : {"tanh", "relu", "logistic", "identity", "leaky_relu"}
        Activation function of the hidden units; leaky ReLU has a slope of 0.01 below 0.
    solver : {"adam", "adamw", "sgd"}
        Optimizer. Under ``"adamw"`` the L2 part of ``alpha`` is decoupled weight decay, which is
        not part of ``J``.
    alpha : float
        Strength of the elastic net, 0 to 1000, as in `sklearn.linear_model.ElasticNet`.
    l1_ratio : float
        Share of L1 in ``alpha``, 0 to 1: 1 is L1 alone, 0 is L2 alone.
    group_lasso : float
        Strength of the group lasso, 0 to 1000. It removes whole hidden units.
    drop_rate, input_drop_rate : float
        Probability, 0 to 0.999, that dropout sets a hidden activation, or an input, to 0 in a
        training step.
    max_norm : float or None
        Upper bound on the Euclidean norm of each hidden unit's incoming weights; None is no bound.
    normalization : {"none", "batch", "layer"}
        Normalization of the hidden layers.
    affine : bool
        Whether a trained gain and shift follow the normalization.
    batch_size : int, "auto" or None
        Number of points of a mini-batch. ``"auto"`` is 200. All training points are one batch if
        they are not more, or with None.
    learning_rate_init : float
        Learning rate, which is constant, 1e-5 to 10.
    max_iter : int
        Number of epochs, or their largest number with early stopping.
    momentum : float
        Momentum of ``"sgd"``, the heavy ball, 0 to 0.999.
    beta_1, beta_2, epsilon : float
        Decay rates of the moment estimates of ``"adam"`` and ``"adamw"``, and the constant that is
        added to their denominator.
    early_stopping : bool
        Whether to hold out a share of the points for validation, to end the training when their
        loss does not improve, and to predict with the network of the epoch with the lowest loss.
    validation_fraction : float
        Share of the points that early stopping holds out, stratified by class.
    n_iter_no_change : int
        Number of epochs without improvement after which early stopping ends the training.
    class_weight : dict, "balanced" or None
        Weights of the classes, multiplied by ``sample_weight``. ``"balanced"`` weights classes
        inversely to their frequencies.
    random_state : int, RandomState instance or None
        A whole number is the seed of `regviz.TrainingSpec`, for initial weights, batches and
        dropout, and of the split for validation.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels of the classes, sorted.
    coefs_ : list of ndarray of shape (fan_in, fan_out)
        Weights of each layer.
    intercepts_ : list of ndarray of shape (fan_out,)
        Biases of each layer.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Weights of a linear model only.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Biases of a linear model only.
    history_ : History
        The recording of the training, with the training points.
    n_iter_ : int
        Number of epochs trained.
    best_iteration_ : int
        Number of epochs after which the network was as it predicts; below ``n_iter_`` with early
        stopping.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if all columns of ``X`` had names in `fit`.

    See Also
    --------
    RegVizClassifierCV : Choose a strength by cross-validation.
    RegVizRegressor : The same for regression.
    regviz.train : Train several regularizations side by side.

    Notes
    -----
    The same strengths mean, for n points of weight 1: ``C = 1 / (n * alpha)`` and the same
    ``l1_ratio`` in `sklearn.linear_model.LogisticRegression`; ``alpha_mlp = m * l2`` in
    `sklearn.neural_network.MLPClassifier`, for batches of m points.

    With a single batch, a weight of 2 is the same as a repeated point. With mini-batches, and under
    dropout, that is so in expectation only, as other points share a batch. A weight of 0 is always
    the same as leaving the point out. Batch normalization ignores weights.

    Training is in single precision if ``X`` is, and else in double precision. Inputs should be
    standardized.

    References
    ----------
    Zou & Hastie 2005 (elastic net); Srivastava et al. 2014 (dropout, max-norm); Yuan & Lin 2006
    (group lasso); Loshchilov & Hutter 2019 (decoupled weight decay).

    Examples
    --------
    >>> import numpy as np
    >>> from regviz import RegVizClassifier
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> sparse = RegVizClassifier((), alpha=0.02, l1_ratio=1, random_state=0)
    >>> model = make_pipeline(StandardScaler(), sparse).fit(X, y)
    >>> bool(model.score(X, y) > 0.95)
    True
    >>> int((model[-1].coef_ != 0).sum()) < 15
    True

    Labels may be text, and points may have weights:

    >>> from sklearn.datasets import make_moons
    >>> X, y = make_moons(100, noise=0.2, random_state=0)
    >>> names = np.array(["lower", "upper"])[1 - y]
    >>> network = RegVizClassifier(drop_rate=0.1, random_state=0)
    >>> network.fit(X, names, sample_weight=np.where(y == 1, 2.0, 1.0)).classes_
    array(['lower', 'upper'], dtype='<U5')
    >>> probabilities = network.predict_proba(X)
    >>> bool(np.allclose(np.log(probabilities), network.predict_log_proba(X)))
    True
    >>> upper = network.decision_function(X) > 0
    >>> bool((upper == (network.predict(X) == "upper")).all())
    True
    """

    classes_: NDArray[Any]

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (8, 8),
        activation: str = "tanh",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        l1_ratio: float = 0.0,
        group_lasso: float = 0.0,
        drop_rate: float = 0.0,
        input_drop_rate: float = 0.0,
        max_norm: float | None = None,
        normalization: str = "none",
        affine: bool = False,
        batch_size: int | str | None = "auto",
        learning_rate_init: float = 0.01,
        max_iter: int = 300,
        momentum: float = 0.9,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        class_weight: Mapping[Any, float] | str | None = None,
        random_state: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.group_lasso = group_lasso
        self.drop_rate = drop_rate
        self.input_drop_rate = input_drop_rate
        self.max_norm = max_norm
        self.normalization = normalization
        self.affine = affine
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.momentum = momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs, which should be standardized.
        y : array-like of shape (n_samples,)
            Labels of 2 to 20 classes, also text.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the points, at least 0; by default 1.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter is out of range, an array has the wrong shape or a number that is not
            finite, or ``y`` has fewer than two classes.

        Warns
        -----
        UserWarning
            If columns need standardizing.
        ConvergenceWarning
            If the training diverges.
        """
        points = self._checked(X, y, sample_weight, y_numeric=False)
        self._fit(self._encoded(points), [self._regularization()], self._seed())
        self._warn()
        return self

    @property
    def _task(self) -> Task:
        return "binary" if len(self.classes_) == 2 else "multiclass"

    def _encoded(self, points: Points) -> Points:
        """Return points with the numbers of their classes and all weights; set ``classes_``."""
        check_classification_targets(points[1])
        X, y, weights = of_positive_weight(points)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            labels = [f"one class, {label!r}" for label in self.classes_.tolist()] or ["none"]
            allowed = "of at least two classes of positive weight"
            raise invalid("y", allowed, Unquoted(labels[0]))
        if len(self.classes_) > MAX_CLASSES:
            got = Unquoted(f"{len(self.classes_)} classes")
            raise invalid("y", f"of at most {MAX_CLASSES} classes", got)
        if self.class_weight is not None:
            by_class = compute_class_weight(
                self.class_weight, classes=self.classes_, y=y, sample_weight=weights
            )
            if (by_class < 0).any():
                raise invalid("class_weight", "weights of at least 0", self.class_weight)
            weights = by_class[numbers] * (1 if weights is None else weights)
        return X, numbers.astype(np.float64), weights

    def decision_function(self, X: ArrayLike) -> Array:
        """Return the outputs before sigmoid or softmax.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes, the log-odds of the second one.
        """
        outputs = self._outputs(X)[0]
        return np.asarray(outputs[0] if len(outputs) == 1 else outputs.T)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the label of the most probable class of each point.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        scores = self.decision_function(X)
        numbers = scores.argmax(axis=1) if scores.ndim == 2 else (scores > 0).astype(int)
        return np.asarray(self.classes_[numbers])

    def predict_proba(self, X: ArrayLike) -> Array:
        """Return the probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        outputs = torch.from_numpy(self._outputs(X))
        probability: Array = networks.predict(outputs, self._task)[0].numpy()
        if probability.ndim == 1:
            return np.column_stack([1 - probability, probability])
        return probability

    def predict_log_proba(self, X: ArrayLike) -> Array:
        """Return the logarithms of `predict_proba`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        with np.errstate(divide="ignore"):  # a probability may be 0
            return np.asarray(np.log(self.predict_proba(X)))


class RegVizRegressor(RegressorMixin, BaseNetwork):
    """A small neural network, or a linear model, for regression.

    The objective is that of `RegVizClassifier` with half the squared error as the loss.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
    activation, solver, normalization : str
    alpha, l1_ratio, group_lasso, drop_rate, input_drop_rate : float
    max_norm : float or None
    affine, early_stopping : bool
    batch_size : int, "auto" or None
    max_iter, n_iter_no_change : int
    learning_rate_init, momentum, beta_1, beta_2, epsilon, validation_fraction : float
    random_state : int, RandomState instance or None
        As for `RegVizClassifier`.

    Attributes
    ----------
    coefs_, intercepts_, history_, n_iter_, best_iteration_, n_features_in_, feature_names_in_
        As for `RegVizClassifier`.
    coef_ : ndarray of shape (n_features,)
        Weights of a linear model only.
    intercept_ : float
        Bias of a linear model only.

    See Also
    --------
    RegVizRegressorCV : Choose a strength by cross-validation.

    Notes
    -----
    The same strengths mean, for n points of weight 1: the same ``alpha`` and ``l1_ratio`` in
    `sklearn.linear_model.ElasticNet` and `sklearn.linear_model.Lasso`; ``alpha_ridge = n * alpha``
    in `sklearn.linear_model.Ridge`, for ``l1_ratio=0``.

    ``y`` should be standardized, as
    `sklearn.compose.TransformedTargetRegressor(transformer=StandardScaler())` does.

    Examples
    --------
    >>> from regviz import RegVizRegressor
    >>> from sklearn.datasets import make_regression
    >>> from sklearn.linear_model import Lasso
    >>> X, y = make_regression(60, 5, n_informative=2, random_state=0)
    >>> y = y / y.std()
    >>> found = RegVizRegressor((), alpha=0.1, l1_ratio=1, max_iter=2000).fit(X, y)
    >>> expected = Lasso(alpha=0.1).fit(X, y)
    >>> bool(abs(found.coef_ - expected.coef_).max() < 1e-4)
    True
    >>> bool(abs(found.predict(X) - expected.predict(X)).max() < 1e-3)
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (8, 8),
        activation: str = "tanh",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        l1_ratio: float = 0.0,
        group_lasso: float = 0.0,
        drop_rate: float = 0.0,
        input_drop_rate: float = 0.0,
        max_norm: float | None = None,
        normalization: str = "none",
        affine: bool = False,
        batch_size: int | str | None = "auto",
        learning_rate_init: float = 0.01,
        max_iter: int = 300,
        momentum: float = 0.9,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        random_state: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.group_lasso = group_lasso
        self.drop_rate = drop_rate
        self.input_drop_rate = input_drop_rate
        self.max_norm = max_norm
        self.normalization = normalization
        self.affine = affine
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.momentum = momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs, which should be standardized.
        y : array-like of shape (n_samples,)
            Targets, which should be standardized.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the points, at least 0; by default 1.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter is out of range, or an array has the wrong shape or a number that is not
            finite.

        Warns
        -----
        UserWarning
            If columns or targets need standardizing.
        ConvergenceWarning
            If the training diverges.
        """
        points = self._checked(X, y, sample_weight, y_numeric=True)
        self._fit(self._encoded(points), [self._regularization()], self._seed())
        self._warn()
        return self

    @property
    def _task(self) -> Task:
        return "regression"

    def _encoded(self, points: Points) -> Points:
        """Return points with their targets and weights."""
        X, y, weights = of_positive_weight(points)
        return X, y.astype(np.float64), weights

    def predict(self, X: ArrayLike) -> Array:
        """Return the predicted value of each point.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return np.asarray(self._outputs(X)[0, 0])
