"""The board in notebooks: Jupyter, JupyterLab, VS Code, Colab and marimo.

The module `regviz.notebook.widget` needs the extra ``notebook``, and is imported with the first
board.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from regviz.data.datasets import Dataset
from regviz.engine.history import History
from regviz.engine.recorder import stream
from regviz.extras import missing
from regviz.spec.experiment import Experiment
from regviz.spec.validation import invalid

if TYPE_CHECKING:
    from regviz.notebook.models import ModelsWidget
    from regviz.notebook.widget import BoardWidget


def board(
    history: History,
    *,
    focus: str | None = None,
    levels: Mapping[str, Any] | None = None,
    epoch: int | None = None,
    early_stopping: bool = True,
) -> "BoardWidget":
    """Return the living board of a history, as a widget for a notebook.

    It shows one card for each method of the history's experiment. A method with networks at several
    strengths has a slider. The widget needs no server and no network, and follows the notebook's
    theme.

    Parameters
    ----------
    history : History
        Of any experiment, complete or not.
    focus : str, optional
        Key of the card to enlarge; see `BoardWidget`.
    levels : mapping of str to float, optional
        Strengths to show, by card; see `BoardWidget`. By default, those in the middle, or those
        that the page opens with if a card has all strengths that the page offers.
    epoch : int, optional
        Epoch to show; the last recorded one before it, if it was not recorded. By default, the
        board plays the training to its end.
    early_stopping : bool
        Whether to show a card with the network that early stopping keeps, where the history has
        validation points and a network without regularization.

    Returns
    -------
    BoardWidget
        An anywidget with the synchronised traits ``focus``, ``levels`` and ``epoch``.

    Raises
    ------
    ImportError
        If anywidget is not installed.
    ValueError
        If a parameter is out of range.

    See Also
    --------
    watch : Show a training while it goes on.

    Examples
    --------
    >>> import regviz
    >>> rows = [regviz.Regularization(), *(regviz.Regularization(l1=s) for s in (0.001, 0.01))]
    >>> training = regviz.TrainingSpec(epochs=20)
    >>> history = regviz.train(regviz.Experiment(training=training, regularizations=rows))
    >>> shown = regviz.board(history, levels={"l1": 0.01}, epoch=10)
    >>> shown.levels["l1"], shown.epoch
    (0.01, 10)
    >>> shown.focus = "none"
    """
    if not isinstance(history, History):
        raise invalid("history", "a History", history)
    return _widget()(
        history, focus=focus, levels=levels, epoch=epoch, early_stopping=early_stopping
    )


def watch(experiment: Experiment, dataset: Dataset | None = None) -> History:
    """Train an experiment, and show it in the notebook while it trains.

    To interrupt the cell raises KeyboardInterrupt, as in any cell. The board then shows the
    training up to there.

    Parameters
    ----------
    experiment : Experiment
    dataset : Dataset, optional
        Points to train on in place of ``experiment.data``, as for `regviz.train`.

    Returns
    -------
    History

    Raises
    ------
    ImportError
        If anywidget is not installed.
    ValueError
        As for `regviz.train`.

    See Also
    --------
    regviz.stream : Yield the history after every recorded epoch, to keep it up to an interruption.

    Examples
    --------
    >>> import regviz
    >>> training = regviz.TrainingSpec(epochs=20)
    >>> history = regviz.watch(regviz.Experiment(training=training))  # doctest: +ELLIPSIS
    <...BoardWidget object at ...>
    >>> history.complete
    True
    """
    return _widget().grow(stream(experiment, dataset))


def show(
    estimators: Any,
    X: ArrayLike,
    y: ArrayLike,
    *,
    X_test: ArrayLike | None = None,
    y_test: ArrayLike | None = None,
    names: Sequence[str] | None = None,
) -> "ModelsWidget":
    """Return any fitted estimators with two inputs side by side, as a widget for a notebook.

    Each has a card with its picture of the plane, drawn as on the board, and its scores. Pointing
    at one picture shows the answers of all estimators there.

    Parameters
    ----------
    estimators : estimator, list of estimators, or dict of str to estimator
        Fitted classifiers of the same classes, or fitted regressors: of scikit-learn or with its
        methods, pipelines too. 1 to 24.
    X : array-like of shape (n_points, 2)
        Points to draw, usually those that the estimators were fitted to. The columns of a data
        frame are passed on to the estimators, and their names are on the axes.
    y : array-like of shape (n_points,)
        Labels of the points, also text, or targets.
    X_test : array-like of shape (n_test_points, 2), optional
        Test points, which are drawn hollow. By default, none.
    y_test : array-like of shape (n_test_points,), optional
        Their labels or targets.
    names : sequence of str, optional
        Names of a list of estimators; or those of a dict's names to show, in this order. By
        default, the names of the classes, or the regularizations of RegViz's own estimators.

    Returns
    -------
    ModelsWidget
        An anywidget. Its ``fields`` holds the numbers that are drawn. Where scripts do not run, it
        is a picture.

    Raises
    ------
    ImportError
        If anywidget is not installed.
    ValueError
        If an estimator is not fitted, has other inputs or other classes than the first one, or is
        neither a classifier nor a regressor; or if an array has the wrong shape, a label that is no
        class of the estimators, or a number that is not finite.

    See Also
    --------
    board : Show a history, of which all networks are trained by RegViz.
    sklearn.inspection.DecisionBoundaryDisplay : The picture of a single estimator.

    Notes
    -----
    The answers are computed on a grid of 96 × 96 points that contains all given ``X``. Colours are
    those of ``predict_proba``. Without it they are those of the decision values, as if these were
    log-odds, multiplied such that their mean over ``X`` has the probability 0.95. Without either,
    or with one decision value for each pair of classes, they are those of the classes that
    ``predict`` returns. The lines are where another class becomes the most probable.

    Examples
    --------
    >>> import regviz
    >>> from sklearn.datasets import make_moons
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> X, y = make_moons(100, noise=0.3, random_state=0)
    >>> linear, near = LogisticRegression().fit(X, y), KNeighborsClassifier().fit(X, y)
    >>> shown = regviz.show([linear, near], X, y)
    >>> [model.name for model in shown.fields.models]
    ['LogisticRegression', 'KNeighborsClassifier']
    """
    from regviz.figures.models import fields_of_models

    fields = fields_of_models(estimators, X, y, X_test=X_test, y_test=y_test, names=names)
    _require_anywidget()
    from regviz.notebook.models import ModelsWidget

    return ModelsWidget(fields)


def mime_bundle(history: History) -> Any:
    """Return a history's board, its picture and its text, as ``_repr_mimebundle_`` does.

    All boards of one history are views of one widget: a change in one is seen in all. In a terminal
    it is the text alone. Without anywidget the board is left out, and without
    matplotlib the picture.
    """
    text = {"text/plain": repr(history)}
    if _is_terminal():
        return text
    try:
        data, metadata = _widget().of(history)._repr_mimebundle_()
    except ImportError:
        from regviz.notebook.picture import picture

        return text | picture(history)
    return data | text, metadata


def _widget() -> "type[BoardWidget]":
    """Import the widget's class; raise ImportError without the extra ``notebook``."""
    _require_anywidget()
    from regviz.notebook.widget import BoardWidget

    return BoardWidget


def _require_anywidget() -> None:
    """Raise ImportError without the extra ``notebook``."""
    try:
        import anywidget  # noqa: F401
    except ImportError as error:
        raise ImportError(missing("The board in a notebook", "anywidget", "notebook")) from error


def _is_terminal() -> bool:
    """Return whether this is IPython in a terminal, which shows texts alone."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and not hasattr(shell, "kernel")
