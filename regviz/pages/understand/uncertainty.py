"""The view "Uncertainty": entropy of Monte-Carlo dropout and of the plain prediction."""

import streamlit as st

from regviz.analysis.mc_dropout import Plane, over_plane
from regviz.figures.plane_uncertainty import uncertainty_map
from regviz.methods.labels import labels
from regviz.pages.components import draw
from regviz.pages.snapshot import BoardSnapshot
from regviz.pages.state import page_state
from regviz.pages.understand.method import choose_method

PARTS = {
    "predictive": "All",
    "aleatoric": "Aleatoric",
    "epistemic": "Epistemic",
}
ABOUT = {
    "predictive": "All uncertainty: the entropy of the mean prediction. It is the sum of the"
    " aleatoric and the epistemic part.",
    "aleatoric": "Aleatoric uncertainty: the mean entropy of the single passes. Each pass is itself"
    " unsure: classes overlap here, or the network has not learned more.",
    "epistemic": "Epistemic uncertainty: the mutual information of prediction and weights. The"
    " passes contradict each other here, and more training points could help.",
}


def show(snapshot: BoardSnapshot) -> None:
    """Draw the view."""
    if (n_columns := snapshot.history.dataset.n_columns) > 2:
        st.info(f"These maps need data with two inputs, and these have {n_columns}.")
        return
    rows = snapshot.grid.experiment.regularizations
    methods = [key for key in snapshot.grid.methods if rows[snapshot.network(key)].drop_rate > 0]
    if not methods:
        st.info("Switch on Dropout in the line-up.")
        return
    if not snapshot.grid.experiment.network.hidden:
        st.info("Dropout acts on hidden units, and this network has none. Add a layer.")
        return
    regression = snapshot.history.dataset.task == "regression"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = choose_method(snapshot, methods, "uncertainty_method")
        passes = st.slider("Passes", 10, 500, 100, 10, key="uncertainty_passes", width=220)
        part = "predictive"
        if not regression:
            part = st.segmented_control(
                "Part",
                list(PARTS),
                default="predictive",
                required=True,
                format_func=PARTS.__getitem__,
                key="uncertainty_part",
                label_visibility="collapsed",
            )
    k = snapshot.network(method)
    if snapshot.history.diverged[k] >= 0:
        st.info("This network has diverged. Choose a weaker strength on the board.")
        return
    plane = _plane(snapshot, k, passes)
    acting = labels(snapshot.grid.only([k]), [method])[0].text
    st.caption(
        f"{acting}. Each pass draws another dropout mask, so that another thinned network answers"
        " (Monte-Carlo dropout, Gal & Ghahramani 2016). "
        + (
            "The spread of the answers is the model's uncertainty; noise in the targets is not"
            " part of it."
            if regression
            else ABOUT[part]
        )
    )
    left, right = st.columns(2)
    with left:
        plain = uncertainty_map(snapshot.history, plane, "plain", theme=snapshot.theme)
        draw(plain, "uncertainty_plain")
    with right:
        passed = uncertainty_map(snapshot.history, plane, part, theme=snapshot.theme)
        draw(passed, "uncertainty_passes_map")
    if not regression:
        st.caption("Both maps have the same scale. The line is where two classes are level.")


def _plane(snapshot: BoardSnapshot, k: int, passes: int) -> Plane:
    """Return the maps' values, cached for the last network and number of passes."""
    key = (snapshot.grid.experiment, k, passes)
    state = page_state()
    if state.plane is None or state.plane[0] != key:
        bar = st.empty()

        def show_progress(fraction: float) -> None:
            if fraction < 1:  # no bar if the first call is the last
                bar.progress(fraction, f"Predicting {passes} times")

        plane = over_plane(snapshot.history, k, passes=passes, progress=show_progress)
        bar.empty()
        state.plane = (key, plane)
    cached: Plane = state.plane[1]
    return cached
