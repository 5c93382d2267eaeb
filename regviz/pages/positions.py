"""Where the controls of the sidebar stand, kept in the session by their keys."""

from typing import Any

import streamlit as st

from regviz.board.scene import Scene
from regviz.methods.catalogue import METHODS
from regviz.pages import bring
from regviz.pages.changes import note_change
from regviz.spec.points import PointsSpec

_KEYS = (
    *("data", "source", "noise", "n_train", "train_share", "label_noise", "seed"),
    *("layers", "units", "unequal", *(f"units_{i}" for i in range(6)), "activation", "features"),
    *("optimizer", "learning_rate", "batch_size", "epochs"),
    *("onset", "use_early_stopping"),
)


def keys() -> tuple[str, ...]:
    """The session's keys of all controls."""
    return (*_KEYS, *(f"use_{method}" for method in METHODS))


def put(scene: Scene) -> None:
    """Let every control stand where a scene has it, from the next time they are drawn."""
    for key in (*keys(), "example"):
        st.session_state.pop(key, None)
    st.session_state["base"] = st.session_state["opened"] = scene
    bring.begin(scene.data if isinstance(scene.data, PointsSpec) else None)


def stand(key: str, value: Any) -> dict[str, Any]:
    """Let a control that is drawn for the first time stand here; its key and callback."""
    st.session_state.setdefault(key, value)
    return {"key": key, "on_change": note_change}
