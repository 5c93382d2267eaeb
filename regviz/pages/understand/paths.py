"""The view "Paths": weights and losses against the strength, with the choice by validation."""

from dataclasses import replace
from typing import NamedTuple, Self

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from regviz.analysis.regularization_path import (
    Choice,
    Path,
    choose,
    constant,
    losses_over_seeds,
    path,
    standard_error,
    with_start,
)
from regviz.engine.history import History
from regviz.figures.strength_paths import weight_paths
from regviz.pages.components import draw
from regviz.pages.snapshot import BoardSnapshot
from regviz.pages.state import page_state
from regviz.pages.understand.method import choose_method
from regviz.pages.understand.seeds import SEEDS, Seeds, own_points
from regviz.spec.experiment import Experiment
from regviz.spec.points import PointsSpec

Losses = dict[str, NDArray[np.float64]]


class Several(NamedTuple):
    """Losses of a path over seeds, and whether its networks are `constant` under every seed."""

    losses: Losses
    is_constant: NDArray[np.bool_]

    @classmethod
    def of(cls, histories: list[History]) -> Self:
        """Compute both from the history of each seed."""
        networks = range(len(histories[0].experiment.regularizations))
        is_constant = np.stack([constant(history, networks) for history in histories])
        return cls(losses_over_seeds(histories), np.asarray(is_constant.all(axis=0)))


def show(snapshot: BoardSnapshot) -> None:
    """Draw the view."""
    methods = [key for key, networks in snapshot.networks_by_method if len(networks) > 1]
    if not methods:
        st.info("None has no strength. Switch on another method in the line-up.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        method = choose_method(snapshot, methods, "paths_method")
        networks = with_start(snapshot.grid.experiment, dict(snapshot.networks_by_method)[method])
        seeds = Seeds(snapshot, "paths", _without_frames(snapshot.grid.only(networks)), Several.of)
        several = seeds.results
        seeds.draw_button(
            f"Train this method under {len(SEEDS)} seeds, each with"
            f" {own_points(snapshot.grid.experiment.data)} and initial weights. The losses get a"
            " mean and a standard error."
        )
    seeds.draw_progress()
    one = path(snapshot.history, networks, method=method)
    st.caption(
        "One line a weight, from weak to strong. Click a strength to show it on the board."
        " Norms are in percent of the largest."
    )
    losses = None if several is None else several.losses
    _draw(snapshot, one, losses, networks.index(snapshot.network(method)))
    is_constant = constant(snapshot.history, networks) if several is None else several.is_constant
    _show_choices(snapshot, one, losses, is_constant)


def _without_frames(experiment: Experiment) -> Experiment:
    """Return the experiment with start and end recorded alone, to save memory."""
    return replace(experiment, training=replace(experiment.training, frames=1))


def _draw(snapshot: BoardSnapshot, one: Path, losses: Losses | None, shown: int) -> None:
    """Draw the figure; a click on a strength shows it on the board."""
    figure = weight_paths(
        one, losses, choice=validated(one, losses), shown=shown, theme=snapshot.theme
    )
    # A chart keeps its selection in later runs: a new key after each click makes a chart without.
    clicks = page_state().path_clicks
    key = f"paths_{one.method}_{'run' if losses is None else 'seeds'}_{clicks}"
    event = draw(figure, key, on_select="rerun", selection_mode="points")
    for point in event["selection"]["points"]:
        page_state().path_clicks = clicks + 1
        # `customdata` is the strength index, or for a weight's line a list that ends with it
        strength_index = int(np.ravel(point["customdata"])[-1])
        _show_on_board(snapshot, one.method, one.networks[strength_index])


def _show_on_board(snapshot: BoardSnapshot, method: str, network: int) -> None:
    """Show a network on a method's path on the board; the first may be one of another method."""
    by_method = dict(snapshot.networks_by_method)
    key, networks = next(
        (key, by_method[key]) for key in (method, *by_method) if network in by_method[key]
    )
    snapshot.show_on_board(focus=key, strength_indices={key: networks.index(network)})


def validated(one: Path, losses: Losses | None) -> Choice | None:
    """Return the strength that validation chooses, or None without validation points."""
    values = one.losses["validation"][None] if losses is None else losses["validation"]
    return choose(values) if np.isfinite(values).all(axis=0).any() else None


def _show_choices(
    snapshot: BoardSnapshot, one: Path, losses: Losses | None, is_constant: NDArray[np.bool_]
) -> None:
    """Show the strengths that validation chooses, and how reliable the choice is."""
    choice = validated(one, losses)
    if choice is None:
        st.info(nothing_to_choose_by(snapshot.history.dataset.points("validation")[1].size))
        return
    marked = [("Lowest validation loss", choice.best)]
    if choice.one_se is not None:
        marked.append(("Strongest within one standard error of it", choice.one_se))
    for i, (name, strength_index) in enumerate(marked):
        with st.container(horizontal=True, vertical_alignment="center"):
            everywhere = " It predicts the same everywhere." if is_constant[strength_index] else ""
            st.markdown(f"**{name}:** {sentence(one, losses, strength_index)}{everywhere}")
            if st.button(f"Show {one.text(strength_index)} on the board", key=f"paths_show_{i}"):
                _show_on_board(snapshot, one.method, one.networks[strength_index])
    n = len(snapshot.history.dataset.points("validation")[1])
    if losses is None and is_constant[choice.best]:
        st.info(
            f"On these {n} validation points no network of the path does better than one that"
            f" predicts the same everywhere. This may be chance: train over {len(SEEDS)} seeds."
        )
    elif losses is None:
        st.caption(
            f"One run on {n} validation points has no standard error. Train over {len(SEEDS)} seeds"
            " to see how far chance decides. Test loss is never chosen by."
        )
    else:
        data = snapshot.grid.experiment.data
        st.caption(
            f"Losses are means over {len(SEEDS)} seeds ± standard error, each with"
            f" {own_points(data)} and initial weights. Weights and zeros are those of the run on"
            " the board."
            + " The splits overlap, so that the standard errors are rather too small."
            * (isinstance(data, PointsSpec) and not data.split)
        )


def nothing_to_choose_by(n_validation: int) -> str:
    """Return the reason why validation chooses no strength."""
    if n_validation:
        return "Validation has nothing to choose from: at every strength a network has diverged."
    return "There are no validation points to choose a strength by."


def sentence(one: Path, losses: Losses | None, strength_index: int) -> str:
    """Return a summary of a strength, such as ``"λ₁ = 0.005. 78 % of the weights exactly 0."``.

    Parameters
    ----------
    one : Path
    losses : dict of str to ndarray of shape (S, L), or None
        Losses by split, of S seeds and L strengths; None for the path's own.
    strength_index : int
        Index of the strength.
    """
    n_weights = one.weights.shape[1]
    zeros = 1 - one.nonzero[strength_index] / n_weights
    parts = [f"{100 * zeros:.0f} % of the weights exactly 0"] if zeros > 0 else []
    for split in ("validation", "test"):
        values = (
            one.losses[split][None, strength_index]
            if losses is None
            else losses[split][:, strength_index]
        )
        if np.isfinite(values).all():
            error = standard_error(values)
            spread = f" ± {error:.2f}" if np.isfinite(error) else ""
            parts.append(f"{split} loss {values.mean():.2f}{spread}")
    numbers = ", ".join(parts)
    return f"{one.text(strength_index)}. {numbers[:1].upper()}{numbers[1:]}."
