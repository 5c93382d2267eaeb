"""Messages for trainings beyond the server's limits, and the nearest ones within them."""

import streamlit as st

from regviz.engine.cost import seconds
from regviz.pages.changes import note_change
from regviz.pages.control_values import renew
from regviz.pages.state import page_state
from regviz.scenes.scene import Scene
from regviz.server.state import limits, runs

RETRY_SECONDS = 2.0  # between two checks for room


def too_costly(scene: Scene) -> bool:
    """Return whether a scene's estimated training time exceeds the limit ``training_seconds``."""
    return seconds(scene.grid().experiment) > limits().training_seconds


def affordable(scene: Scene, limit: float) -> Scene:
    """Return a scene with as many of its epochs as can be trained within a limit.

    Parameters
    ----------
    scene : Scene
    limit : float
        Bound on `regviz.engine.cost.seconds` of the scene's whole grid.

    Returns
    -------
    Scene
        Equal to ``scene`` if its cost is within the limit, else with the largest number of epochs
        within it, rounded down to two digits and at least 1.
    """
    while (cost := seconds(scene.grid().experiment)) > limit and scene.training.epochs > 1:
        fewer = int(scene.training.epochs * limit / cost)
        unit = 10 ** max(0, len(str(fewer)) - 2)
        scene = scene.with_epochs(max(1, min(scene.training.epochs - 1, fewer // unit * unit)))
    return scene


def nearest_allowed(scene: Scene) -> tuple[Scene, list[str]]:
    """Return the scene, or the nearest one within the limit, and messages about the change."""
    if not too_costly(scene):
        return scene, []
    allowed = affordable(scene, limits().training_seconds)
    return allowed, [f"{_reason(scene)} So {_epochs(allowed)} are trained."]


def show_too_costly(scene: Scene) -> None:
    """Show why a scene is not trained, with a button for the nearest one within the limit."""
    allowed = affordable(scene, limits().training_seconds)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.error(f"{_reason(scene)} The nearest that is allowed: {_epochs(allowed)}.")
        st.button(
            f"Train {_epochs(allowed)}", on_click=_set_epochs, args=(allowed.training.epochs,)
        )


def _set_epochs(epochs: int) -> None:
    note_change()
    state = page_state()
    # the slider offers this number of epochs only if the opened scene has it
    state.opened = state.opened.with_epochs(epochs)
    state.base = (state.base or state.opened).with_epochs(epochs)
    renew("epochs", "learning_rate")


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


@st.fragment(run_every=RETRY_SECONDS)
def wait_for_room() -> None:
    """Show that training has to wait, and rerun the page once there is room."""
    if not runs().full:
        st.rerun()
    st.info(
        "Many visitors are training networks at the moment. Yours begin by themselves as soon as"
        " there is room.",
        icon=":material/hourglass_top:",
    )
