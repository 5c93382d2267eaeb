"""The board in notebooks: Jupyter, JupyterLab, VS Code, Colab and marimo.

This package is imported by ``import regviz``. Its module `regviz.notebook.widget`, which needs the
extra ``notebook``, is imported with the first board.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from regviz.data.datasets import Dataset
from regviz.engine.history import History
from regviz.spec.experiment import Experiment

if TYPE_CHECKING:
    from regviz.notebook.widget import BoardWidget

_MISSING = (
    "the board in a notebook needs anywidget, which the library does without. To install it:\n"
    "    {python} -m pip install {requirement}"
)


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
        Key of the card to enlarge; see `BoardWidget.focus`.
    levels : mapping of str to float, optional
        Strengths to show by card, see `BoardWidget.levels`. By default, those in the middle.
    epoch : int, optional
        Epoch to show, see `BoardWidget.epoch`. By default, the training is played to its end.
    early_stopping : bool
        Whether to show a card with the network that early stopping keeps, where the history has
        validation points and a network without regularization.

    Returns
    -------
    BoardWidget
        An anywidget, with the synchronised traits ``focus``, ``levels`` and ``epoch``.

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
    kind = _widget()
    return kind(history, focus=focus, levels=levels, epoch=epoch, early_stopping=early_stopping)


def watch(experiment: Experiment, dataset: Dataset | None = None) -> History:
    """Train an experiment, and show it in the notebook while it trains.

    The cell ends when the training does. To interrupt it raises `KeyboardInterrupt`, as in any
    cell; the board then shows the training up to there.

    Parameters
    ----------
    experiment : Experiment
    dataset : Dataset, optional
        As for `regviz.train`.

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
    regviz.stream : Yield the history after every recorded epoch, to keep what there is.

    Examples
    --------
    >>> import regviz
    >>> regviz.watch(regviz.Experiment(training=regviz.TrainingSpec(epochs=20)))
    BoardWidget(...)
    History(1 networks, 21 epochs from 0 to 20, binary, 80 + 0 + 120 points)
    """
    kind = _widget()
    return kind.grow(stream(experiment, dataset))


def mime_bundle(
    history: History, include: Collection[str] | None, exclude: Collection[str] | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    ...
