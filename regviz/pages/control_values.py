"""Values of the sidebar's controls in the session state, by widget key."""

from typing import Any

import streamlit as st

from regviz.methods.catalogue import METHODS
from regviz.pages import own_points
from regviz.pages.changes import note_change
from regviz.pages.state import page_state
from regviz.scenes.scene import Scene
from regviz.spec.points import PointsSpec

_KEYS = (
    *("data", "source", "noise", "n_train", "train_share", "label_noise", "seed"),
    *("layers", "units", "unequal", *(f"units_{i}" for i in range(6)), "activation", "features"),
    *("normalization", "affine"),
    *("optimizer", "learning_rate", "batch_size", "epochs"),
    "use_early_stopping",
)


def keys() -> tuple[str, ...]:
    """Return the keys of all controls in the session state."""
    return (*_KEYS, *(f"use_{method}" for method in METHODS))


def set_controls(scene: Scene) -> None:
    """Set every control to its value in a scene, from the next run of the page on."""
    for key in keys():
        st.session_state.pop(key, None)
    state = page_state()
    state.base = state.opened = scene
    state.example = None
    own_points.set_points(scene.data if isinstance(scene.data, PointsSpec) else None)


def control_options(key: str, value: Any, **default: Any) -> dict[str, Any]:
    """Return the keyword arguments of a control, and set its session value unless it has one.

    The default passed to the control is its current value, because Streamlit sends a value of the
    session state in one run only. A browser that has not loaded the control's code by the next run
    draws the control at its default.

    Parameters
    ----------
    key : str
        Key of the control in the session state.
    value : any
        Value at the last run of the page, or in the opened scene.
    **default
        The control's parameter for its default, if its name is not ``value``.

    Returns
    -------
    dict
        ``key``, ``on_change`` and the default.
    """
    st.session_state.setdefault(key, value)
    return {"key": key, "on_change": note_change, **(default or {"value": value})}
