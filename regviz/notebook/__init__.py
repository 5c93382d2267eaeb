"""The board in notebooks: Jupyter, JupyterLab, VS Code, Colab and marimo.

The module `regviz.notebook.widget` needs the extra ``notebook``, and is imported with the first
board.
"""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from regviz.data.datasets import Dataset
from regviz.engine.history import History
from regviz.engine.recorder import stream
from regviz.extras import missing
from regviz.spec.experiment import Experiment
from regviz.spec.validation import invalid

if TYPE_CHECKING:
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
        Strengths to show, by card; see `BoardWidget`. By default, those in the middle.
    epoch : int, optional
        Epoch to show. By default, the board plays the training to its end.
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


def mime_bundle(history: History) -> Any:
    """Return a history's board, its picture and its text, as ``_repr_mimebundle_`` does.

    In a terminal it is the text alone. Without anywidget the board is left out, and without
    matplotlib the picture.
    """
    text = {"text/plain": repr(history)}
    if _is_terminal():
        return text
    try:
        data, metadata = board(history)._repr_mimebundle_()
    except ImportError:
        from regviz.notebook.picture import picture

        return text | picture(history)
    return data | text, metadata


def _widget() -> "type[BoardWidget]":
    """Import the widget's class; raise ImportError without the extra ``notebook``."""
    try:
        import anywidget  # noqa: F401
    except ImportError as error:
        raise ImportError(missing("The board in a notebook", "anywidget", "notebook")) from error
    from regviz.notebook.widget import BoardWidget

    return BoardWidget


def _is_terminal() -> bool:
    """Return whether this is IPython in a terminal, which shows texts alone."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and not hasattr(shell, "kernel")
