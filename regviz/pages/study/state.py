"""The state of the page *Study* in a session."""

from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from regviz.methods.palette import Theme
from regviz.scenes.scene import Scene
from regviz.studies.study import Study


@dataclass
class StudyState:
    """The state of the page *Study*.

    Attributes
    ----------
    scene : Scene
        The scene whose data, network, training and strengths are the base.
    asked : Scene or None
        The scene of the playground's last link to this page.
    study : Study or None
        The study that the controls describe; None before a link or scene is opened.
    started : Study or None
        The study whose result is shown.
    addresses : list of dict of str to str
        The parameters of the addresses that the browser may have: the last one that it is known to
        have had, and those that the page has written since, in order.
    away : bool
        Whether the visitor has been on another page since.
    linked : Study or None
        The study that the newest address opens; None if it has problems.
    problems : list of str
        A sentence for each problem with the link.
    cell : int or None
        Index of the cell to open in the playground; None before a choice.
    refused : Study or None
        The study that the server had no room for at the last try.
    drawn : tuple or None
        Key and figure of a study, drawn last.
    live : list of (Figure or None)
        The figures in the two places for an unfinished study's figure; None before the first.
    newest : int
        Index in `live` of the latest figure.
    n_clicks : int
        Number of clicks on points of figures.
    """

    scene: Scene = field(default_factory=Scene)
    asked: Scene | None = None
    study: Study | None = None
    started: Study | None = None
    addresses: list[dict[str, str]] = field(default_factory=list)
    away: bool = False
    linked: Study | None = None
    problems: list[str] = field(default_factory=list)
    cell: int | None = None
    refused: Study | None = None
    drawn: tuple[Any, go.Figure] | None = None
    live: list[go.Figure | None] = field(default_factory=lambda: [None, None])
    newest: int = 0
    n_clicks: int = 0


def study_state() -> StudyState:
    """Return the state of the current session, created at the first call."""
    state: StudyState = st.session_state.setdefault("study_state", StudyState())
    return state


def theme() -> Theme:
    """Return the theme of the browser."""
    return "dark" if st.context.theme.type == "dark" else "light"
