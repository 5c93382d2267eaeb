"""A classifier and a regressor that choose a strength by cross-validation."""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing, indexable
from sklearn.utils.validation import validate_data

from regviz.analysis.regularization_path import choose
from regviz.data.datasets import Dataset
from regviz.estimators.network import BaseNetwork, Points
from regviz.estimators.single import RegVizClassifier, RegVizRegressor
from regviz.methods.strengths import dropout_rates, max_norm_radii, penalty_strengths
from regviz.spec.validation import boolean, choice, invalid

# parameters whose values can be chosen; those but "alpha" act on hidden units
CHOSEN = ("alpha", "group_lasso", "drop_rate", "max_norm")
SELECTIONS = ("best", "one_standard_error")
# attributes that `BaseNetwork._fit` sets
OF_THE_REFIT = ("history_", "coefs_", "intercepts_", "n_iter_", "best_iteration_")


class StrengthSearch(BaseNetwork):
    """Base class of estimators that choose a strength by cross-validation."""

    param_name: str
    strengths: ArrayLike | None
    cv: Any
    scoring: Any
    selection: str
    refit: bool

    strengths_: NDArray[np.float64]
    scores_: NDArray[np.float64]
    n_splits_: int
    best_index_: int
    best_score_: float

    @property
    def best_strength_(self) -> float:
        """The chosen value of the parameter ``param_name``."""
        return float(self.strengths_[self.best_index_])

    def _search(
        self, single: type[BaseNetwork], points: Points, X: ArrayLike, y: ArrayLike
    ) -> Self:
        """Choose a strength, and train on all points with each strength.

        Parameters
        ----------
        single : type
            The estimator of one strength.
        points : Points
            As `_checked` returns them.
        X, y : array-like
            As given to ``fit``; folds and scores are of these, so that data frames stay such.
        """
        X, y = indexable(X, y)
        choice("param_name", self.param_name, CHOSEN)
        choice("selection", self.selection, SELECTIONS)
        boolean("refit", self.refit)
        if not (self.scoring is None or isinstance(self.scoring, str) or callable(self.scoring)):
            raise invalid("scoring", "None, the name of one score or a function", self.scoring)
        defaults = single().get_params(deep=False)
        # without this, strengths would be blamed for wrong values of other parameters
        self._regularization(**{self.param_name: defaults[self.param_name]})
        # a drawn seed is the same in all folds, as a fixed one is
        seed = self._seed()
        given = {name: getattr(self, name) for name in defaults} | {"random_state": seed}
        estimator: Any = single(**given)
        validate_data(estimator, X, skip_check_array=True)  # sets `feature_names_in_`
        encoded = self._encoded(points)
        self.strengths_ = self._strengths(encoded, seed)
        rows = [self._regularization(**{self.param_name: s}) for s in self.strengths_.tolist()]
        scorer = check_scoring(estimator, scoring=self.scoring)
        splitter = check_cv(self.cv, y, classifier=is_classifier(self))
        scores: list[list[float]] = []
        for train, test in splitter.split(X, y):
            of_fold, held_out = _part(points, train), _part((X, y, points[2]), test)
            scores.append(self._scores(estimator, scorer, rows, of_fold, held_out))
            if not np.isfinite(scores).all(axis=0).any():
                raise ValueError(
                    "No strength has a finite score in all folds; check scoring, cv and"
                    " learning_rate_init."
                )
        self.scores_ = np.array(scores)
        self.n_splits_ = len(scores)
        chosen = choose(-self.scores_)
        self.best_index_ = chosen.best
        if self.selection == "one_standard_error" and chosen.one_se is not None:
            self.best_index_ = chosen.one_se
        self.best_score_ = float(self.scores_.mean(axis=0)[self.best_index_])
        for name in OF_THE_REFIT:  # of an earlier call of fit
            self.__dict__.pop(name, None)
        if self.refit:
            self._fit(encoded, rows, seed)
            self._select(self.best_index_)
            self._warn()
        return self

    def _scores(
        self,
        estimator: Any,
        scorer: Callable[..., float],
        rows: Sequence[Any],
        train: Points,
        test: Points,
    ) -> list[float]:
        """Return the scores of each strength in a fold, whose networks are one program."""
        fitted = copy.copy(estimator)
        fitted._fit(fitted._encoded(train), rows, estimator.random_state, frames=1)
        X, y, weights = test
        weighted = {} if weights is None else {"sample_weight": weights}
        scores = []
        for k, strength in enumerate(self.strengths_.tolist()):
            setattr(fitted, self.param_name, strength)
            score = scorer(fitted._select(k), X, y, **weighted)
            try:
                scores.append(float(score))
            except TypeError as error:
                raise invalid("scoring", "a function that returns a number", score) from error
        return scores

    def _strengths(self, encoded: Points, seed: int) -> NDArray[np.float64]:
        """Return the strengths from weak to strong."""
        if self.param_name != "alpha" and not self._network().hidden:
            allowed = "'alpha' for a model without hidden layers"
            raise invalid("param_name", allowed, self.param_name)
        if self.strengths is None:
            return np.array(self._rule(encoded, seed))
        try:
            strengths = np.array(self.strengths, dtype=np.float64)
        except (TypeError, ValueError) as error:
            allowed = "None or a sequence of numbers"
            raise invalid("strengths", allowed, self.strengths) from error
        if strengths.ndim != 1 or not len(strengths):
            raise invalid("strengths", "None or a sequence of numbers", self.strengths)
        if len(set(strengths.tolist())) < len(strengths):
            raise invalid("strengths", "without repetition", self.strengths)
        for i, strength in enumerate(strengths.tolist()):
            try:
                self._regularization(**{self.param_name: strength})
            except ValueError as error:
                raise ValueError(f"strengths[{i}]: {error}") from error
        ordered = np.sort(strengths)
        return ordered[::-1] if self.param_name == "max_norm" else ordered

    def _rule(self, encoded: Points, seed: int) -> tuple[float, ...]:
        """Return the strengths that `regviz.methods.strengths` offers for these points."""
        X, y, weights = encoded
        dataset = Dataset(X, y, task=self._task, weight_train=weights)
        network = self._network()
        training = self._training(len(y), seed, "float64", 1)
        if self.param_name == "drop_rate":
            return dropout_rates(dataset, network, training)
        if self.param_name == "max_norm":
            return max_norm_radii(dataset, network, training, self.drop_rate)
        l1_ratio = self.l1_ratio if self.param_name == "alpha" else 1.0
        return penalty_strengths(dataset, network, training, l1_ratio)


def _part(points: tuple[Any, Any, Any], indices: NDArray[np.int64]) -> tuple[Any, Any, Any]:
    """Return the points at some indices; data frames stay such."""
    X, y, weights = points
    part = _safe_indexing(X, indices), _safe_indexing(y, indices)
    return *part, None if weights is None else weights[indices]


class RegVizClassifierCV(StrengthSearch, RegVizClassifier):
    """A `RegVizClassifier` whose strength is chosen by cross-validation.

    The networks of all strengths are trained together, as one program for each fold, and as one for
    all points. The choice is that of `sklearn.model_selection.GridSearchCV` over the same strengths
    and folds.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
    activation : str
        As for `RegVizClassifier`.
    param_name : {"alpha", "group_lasso", "drop_rate", "max_norm"}
        The parameter to choose. Its own value is not used. Without hidden layers, ``"alpha"``.
    strengths : array-like of shape (n_strengths,), optional
        The values to choose from. By default, twelve from almost no effect to a constant network,
        by the rules of `regviz.methods.strengths`. For networks with hidden layers these rules
        expect standardized inputs, and for regression standardized targets.
    cv : int, cross-validation generator or iterable, optional
        Folds, as for `sklearn.model_selection.GridSearchCV`; by default five.
    scoring : str or callable, optional
        The score, as for `sklearn.model_selection.GridSearchCV`; by default that of `score`. It is
        weighted by ``sample_weight``, which a callable must accept where points have weights, and
        not by ``class_weight``.
    selection : {"best", "one_standard_error"}
        Whether to choose the strength with the highest mean score, the weakest of several; or the
        strongest whose mean score is within one standard error of the highest.
    refit : bool
        Whether to train on all points, for predictions.
    solver, normalization : str
    alpha, l1_ratio, group_lasso, drop_rate, input_drop_rate : float
    max_norm : float or None
    affine, early_stopping : bool
    batch_size : int, "auto" or None
    max_iter, n_iter_no_change : int
    learning_rate_init, momentum, beta_1, beta_2, epsilon, validation_fraction : float
    class_weight : dict, "balanced" or None
    random_state : int, RandomState instance or None
        As for `RegVizClassifier`.

    Attributes
    ----------
    strengths_ : ndarray of shape (n_strengths,)
        Strengths from weak to strong: ascending, but descending for ``"max_norm"``.
    scores_ : ndarray of shape (n_splits, n_strengths)
        Score of each fold and strength.
    best_index_ : int
        Index of the chosen strength.
    best_strength_ : float
        The chosen strength.
    best_score_ : float
        Its mean score over the folds.
    n_splits_ : int
        Number of folds.
    history_ : History
        The recording of the training on all points, with one network for each strength.
    classes_, coefs_, intercepts_, coef_, intercept_, n_iter_, best_iteration_, n_features_in_, \
feature_names_in_
        Of the network with the chosen strength, as for `RegVizClassifier`.

    See Also
    --------
    RegVizClassifier

    References
    ----------
    Hastie, Tibshirani & Friedman 2009, section 7.10 (one standard error).

    Examples
    --------
    >>> from regviz import RegVizClassifierCV
    >>> from sklearn.datasets import make_moons
    >>> X, y = make_moons(100, noise=0.3, random_state=0)
    >>> search = RegVizClassifierCV(cv=3, selection="one_standard_error", random_state=0)
    >>> search.fit(X, y).scores_.shape
    (3, 12)
    >>> search.best_strength_ in search.strengths_
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (8, 8),
        activation: str = "tanh",
        *,
        param_name: str = "alpha",
        strengths: ArrayLike | None = None,
        cv: Any = None,
        scoring: Any = None,
        selection: str = "best",
        refit: bool = True,
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
        self.param_name = param_name
        self.strengths = strengths
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
        self.refit = refit

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Choose a strength, and train the networks of all strengths on all points.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs, which should be standardized.
        y : array-like of shape (n_samples,)
            Labels of 2 to 20 classes, also text.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the points, at least 0; by default 1. They weight the scores, too.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter is out of range, an array has the wrong shape or a number that is not
            finite, ``y``, or a fold's part of it, has fewer than two classes, or no strength has a
            finite score in all folds.

        Warns
        -----
        UserWarning
            If columns need standardizing.
        ConvergenceWarning
            If the training with the chosen strength diverges.
        """
        points = self._checked(X, y, sample_weight, y_numeric=False)
        return self._search(RegVizClassifier, points, X, y)


class RegVizRegressorCV(StrengthSearch, RegVizRegressor):
    """A `RegVizRegressor` whose strength is chosen by cross-validation.

    Parameters
    ----------
    param_name, selection : str
    strengths : array-like of shape (n_strengths,), optional
    cv : int, cross-validation generator or iterable, optional
    scoring : str or callable, optional
    refit : bool
        As for `RegVizClassifierCV`.
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
    strengths_, scores_, best_index_, best_strength_, best_score_, n_splits_, history_
        As for `RegVizClassifierCV`.
    coefs_, intercepts_, coef_, intercept_, n_iter_, best_iteration_, n_features_in_, \
feature_names_in_
        Of the network with the chosen strength, as for `RegVizRegressor`.

    See Also
    --------
    RegVizClassifierCV, RegVizRegressor

    Examples
    --------
    >>> from regviz import RegVizRegressorCV
    >>> from sklearn.datasets import make_regression
    >>> X, y = make_regression(60, 10, n_informative=3, noise=20, random_state=0)
    >>> search = RegVizRegressorCV((), l1_ratio=1, selection="one_standard_error", random_state=0)
    >>> int((search.fit(X, y / y.std()).coef_ == 0).sum())
    5
    """

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (8, 8),
        activation: str = "tanh",
        *,
        param_name: str = "alpha",
        strengths: ArrayLike | None = None,
        cv: Any = None,
        scoring: Any = None,
        selection: str = "best",
        refit: bool = True,
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
        self.param_name = param_name
        self.strengths = strengths
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
        self.refit = refit

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Choose a strength, and train the networks of all strengths on all points.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs, which should be standardized.
        y : array-like of shape (n_samples,)
            Targets, which should be standardized.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the points, at least 0; by default 1. They weight the scores, too.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter is out of range, an array has the wrong shape or a number that is not
            finite, or no strength has a finite score in all folds.

        Warns
        -----
        UserWarning
            If columns or targets need standardizing.
        ConvergenceWarning
            If the training with the chosen strength diverges.
        """
        points = self._checked(X, y, sample_weight, y_numeric=True)
        return self._search(RegVizRegressor, points, X, y)
