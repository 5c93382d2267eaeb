"""Where the controls of the sidebar stand, kept in the session by their keys."""

from typing import Any

import streamlit as st

from regviz.pages import bring
from regviz.points import PointsSpec
from regviz.regularization import METHODS
from regviz.scene import Scene

KEYS = (
    *("data", "source", "noise", "n_train", "train_share", "label_noise", "seed"),
    *("layers", "units", "unequal", *(f"units_{i}" for i in range(6)), "activation", "features"),
    *("optimizer", "learning_rate", "batch_size", "epochs"),
    *("onset", "use_early_stopping", *(f"use_{key}" for key in METHODS)),
)


def put(scene: Scene) -> None:
    """Let every control stand where a scene has it, from the next time they are drawn."""
    for key in (*positions(), "example"):
        st.session_state.pop(key, None)
    st.session_state["base"] = st.session_state["opened"] = scene
    bring.begin(scene.data if isinstance(scene.data, PointsSpec) else None)


def stand(key: str, value: Any) -> str:
    """Let a control that is drawn for the first time stand here; its key."""
    st.session_state.setdefault(key, value)
    return key


def positions() -> dict[str, Any]:
    """Where every control stands."""
    state = st.session_state.to_dict()  # to look up each by itself takes much longer
    return {key: state[key] for key in KEYS if key in state}


def moved() -> bool:
    """Whether a control has moved since the sidebar was last drawn.

    Streamlit may deliver a control's change together with a fragment's own message, and then runs
    the fragment alone. A control that is no longer drawn has not moved.
    """
    drawn = st.session_state.get("drawn", {})
    return any(position != drawn.get(key) for key, position in positions().items())
