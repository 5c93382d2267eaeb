"""Messages for trainings that a server refuses, with what it offers instead."""

import streamlit as st

from regviz.board.scene import Scene
from regviz.jobs.cost import affordable, seconds
from regviz.pages.changes import note_change
from regviz.pages.state import page_state
from regviz.server.state import limits, runs

RETRY = 2.0  # seconds


def too_costly(scene: Scene) -> bool:
    """Whether its networks would take longer to train than this server allows."""
    return seconds(scene.grid().experiment) > limits().training_seconds


def nearest_allowed(scene: Scene) -> tuple[Scene, list[str]]:
    """The scene, or the nearest that this server allows and a sentence that says so."""
    if not too_costly(scene):
        return scene, []
    allowed = affordable(scene, limits().training_seconds)
    return allowed, [f"{_reason(scene)} So {_epochs(allowed)} are trained."]


def tell_too_costly(scene: Scene) -> None:
    """Say why a scene is not trained, and offer the nearest that is."""
    allowed = affordable(scene, limits().training_seconds)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.error(f"{_reason(scene)} The nearest that is allowed: {_epochs(allowed)}.")
        st.button(f"Train {_epochs(allowed)}", on_click=_choose, args=(allowed.training.epochs,))


def _choose(epochs: int) -> None:
    note_change()
    state = page_state()
    # so that the slider has such a place
    state.opened = state.opened.with_epochs(epochs)
    st.session_state["epochs"] = epochs
    state.base = (state.base or state.opened).with_epochs(epochs)


def _reason(scene: Scene) -> str:
    experiment = scene.grid().experiment
    return (
        f"{_epochs(scene)} of these {len(experiment.regularizations)} networks would take this"
        f" server about {_duration(seconds(experiment))} to train, and it allows"
        f" {_duration(limits().training_seconds)}."
    )


def _epochs(scene: Scene) -> str:
    epochs = scene.training.epochs
    return f"{epochs:,} epoch{'s' * (epochs != 1)}"


def _duration(seconds: float) -> str:
    for unit, length in (("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}s"
    return f"{seconds:.2g} seconds"


@st.fragment(run_every=RETRY)
def wait_for_room() -> None:
    """Say that training has to wait, and run the page again by itself once it can begin."""
    if not runs().full:
        st.rerun()
    st.info(
        "Many visitors are training networks at the moment. Yours begin by themselves as soon as"
        " there is room.",
        icon=":material/hourglass_top:",
    )
