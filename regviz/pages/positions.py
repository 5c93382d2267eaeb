"""Values of the sidebar's controls, kept in the session by their keys."""

from typing import Any

import streamlit as st

from regviz.board.scene import Scene
from regviz.methods.catalogue import METHODS
from regviz.pages import bring
from regviz.pages.changes import note_change
from regviz.pages.state import page_state
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
    for key in keys():
        st.session_state.pop(key, None)
    state = page_state()
    state.base = state.opened = scene
    state.example = None
    bring.begin(scene.data if isinstance(scene.data, PointsSpec) else None)


def stand(key: str, value: Any, **default: Any) -> dict[str, Any]:
    """Return a control's key, callback and default, and place it there if it is drawn anew.

    The default is where the control stands, as Streamlit sends a value of the session with one run
    only. A browser whose code for the control is on the way until the page has run again draws it
    at its default.

    Parameters
    ----------
    key : str
    value : any
        Where the control stood when the page last ran, or where the opened scene has it.
    **default
        The control's own parameter for its default, if that is not ``value=value``.
    """
    st.session_state.setdefault(key, value)
    return {"key": key, "on_change": note_change, **(default or {"value": value})}
