"""Pictures as PNG, where scripts do not run: in a printed notebook, on a code host."""

from typing import get_args

import numpy as np

from regviz.engine.history import History
from regviz.figures._drawing import (
    draw_bars,
    fields_picture,
    palette_of,
    panels,
    png,
)
from regviz.figures._traces import network_looks
from regviz.figures.fields import Fields, Floats, facts_of, fields_of
from regviz.methods.labels import dataset_label
from regviz.methods.palette import Theme
from regviz.spec.validation import choice, integer, invalid

MAX_PANELS = 12
GRID = 81  # grid points along each side


def static_picture(history: History, t: int = -1, *, theme: Theme = "light") -> bytes:
    """Draw the networks of a run side by side, as the board's cards, and return a PNG.

    Data with two columns show the boundary of each network with training points (filled) and test
    points (hollow); others show the weights of the inputs as bars. Below are the test loss and the
    share of weights that are exactly 0. Of a run with more than 12 networks, each method shows the
    same number of them, at evenly spaced strengths, and the last line says so.

    Parameters
    ----------
    history : History
    t : int
        Index into `History.epochs`; negative ones count from the end.
    theme : {"light", "dark"}
        Colours of background and text. The background is not transparent, so that a light picture
        can be read in a dark notebook.

    Returns
    -------
    bytes
        A PNG of at most 1400 pixels' width and 150 kB, the same for the same run. Its text chunk
        ``Description`` is the text alternative, which `static_alt` returns.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If ``t`` or ``theme`` is out of range.

    See Also
    --------
    regviz.figures.small_multiples : The same as a Plotly figure.

    Examples
    --------
    >>> import regviz
    >>> from regviz.figures.static import static_picture
    >>> training = regviz.TrainingSpec(epochs=5)
    >>> history = regviz.train(regviz.Experiment(training=training))
    >>> static_picture(history)[1:4]
    b'PNG'
    """
    choice("theme", theme, get_args(Theme))
    t = _time(history, t)
    rows = chosen_rows(history)
    dataset, n = history.dataset, len(history.labels)
    note = f"{dataset_label(history.experiment.data)}, epoch {history.epochs[t]}"
    if len(rows) < n:
        note += f" · {len(rows)} of {n} networks: each method at evenly spaced strengths"
    if dataset.n_columns == 2:
        fields = fields_of(history, rows, t, GRID)
        return fields_picture(fields, note, static_alt(history, t), theme=theme)
    facts = facts_of(history, rows, t)
    values = np.stack([_input_weights(history, k, t) for k in rows])
    note += ": weights of the inputs" if _is_linear(history) else ": norms of the inputs' weights"
    with panels(facts, note, theme) as (figure, axes):
        for axis, own, fact in zip(axes, values, facts, strict=True):
            draw_bars(axis, own, float(np.abs(values).max()) or 1.0, fact.colours[theme], theme)
        return png(figure, palette_of(facts, 0, theme), static_alt(history, t))


def models_picture(fields: Fields) -> bytes:
    """Draw fitted estimators side by side, as `regviz.show` does, and return a PNG.

    Parameters
    ----------
    fields : Fields
        As `regviz.figures.models.fields_of_models` returns them.

    Returns
    -------
    bytes

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    right, up = fields.axes
    listed = "; ".join(model.text for model in fields.models)
    return fields_picture(fields, f"→ {right}   ↑ {up}", f"{len(fields.models)} models: {listed}.")


def static_alt(history: History, t: int = -1) -> str:
    """Return the text alternative of `static_picture`.

    Parameters
    ----------
    history : History
    t : int
        Index into `History.epochs`; negative ones count from the end.
    """
    t = _time(history, t)
    rows = chosen_rows(history)
    listed = "; ".join(fact.text for fact in facts_of(history, rows, t))
    shown = "Decision boundaries" if history.dataset.n_columns == 2 else "Weights of the inputs"
    if history.dataset.task == "regression" and history.dataset.n_columns == 2:
        shown = "Predictions over the plane"
    plural = "network" if len(rows) == 1 else "networks"
    return f"{shown} of {len(rows)} {plural} at epoch {history.epochs[t]}. {listed}."


def chosen_rows(history: History) -> list[int]:
    """Return the indices of the networks in a picture: all, or at most 12, method by method."""
    methods = [look.method for look in network_looks(history, "light")]
    groups: dict[str, list[int]] = {}
    for k, method in enumerate(methods):
        groups.setdefault(method, []).append(k)
    if len(methods) <= MAX_PANELS:
        return list(range(len(methods)))
    quota = max(1, MAX_PANELS // len(groups))
    kept = [own[i] for own in groups.values() for i in _evenly(len(own), quota)]
    return kept[:MAX_PANELS]


def _evenly(n: int, quota: int) -> list[int]:
    """Return at most ``quota`` indices below ``n``, evenly spaced, with both ends if several."""
    if quota == 1:
        return [n // 2]
    return sorted({round(i) for i in np.linspace(0, n - 1, min(n, quota))})


def _is_linear(history: History) -> bool:
    """Return whether the networks are linear with one output, so that inputs have one weight."""
    return not history.experiment.network.hidden and history.dataset.n_outputs == 1


def _input_weights(history: History, k: int, t: int) -> Floats:
    """Return one number for each input: its weight, or the norm of its outgoing weights."""
    weights = history.weights(k, t)[0]
    numbers: Floats = weights[:, 0] if _is_linear(history) else np.linalg.norm(weights, axis=1)
    return numbers


def _time(history: History, t: int) -> int:
    if not isinstance(history, History):
        raise invalid("history", "a History", history)
    n = len(history.epochs)
    return integer("t", t, -n, n - 1) % n
