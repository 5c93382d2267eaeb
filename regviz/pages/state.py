"""The state of a visitor's page, apart from the values of its widgets."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import streamlit as st

from regviz.board.scene import Scene
from regviz.board.strength_grid import StrengthGrid
from regviz.data.drawing import Drawing
from regviz.spec.experiment import DataSpec
from regviz.spec.points import PointsSpec

if TYPE_CHECKING:
    from regviz.pages.snapshot import BoardSnapshot


@dataclass(frozen=True)
class View:
    """The part of a recording that a visitor looks at.

    Attributes
    ----------
    focus : str or None
        The card that is seen large; None leaves it to the board.
    strength_indices : dict of str to int
        The index of the strength that each method is seen at, where it is known.
    epoch : int or None
        None is the end.
    """

    focus: str | None = None
    strength_indices: dict[str, int] = field(default_factory=dict)
    epoch: int | None = None


@dataclass
class PageState:
    """The state of a visitor's page, apart from the values of its widgets.

    Attributes
    ----------
    visitor : str
        A random name, by which trainings know who watches them.
    changed : bool
        Whether a control outside of fragments has changed since the page was drawn.
    base : Scene or None
        The scene that the controls of the sidebar start from; None before the first run.
    opened : Scene
        The scene that a link or a file has opened last.
    to_open : Scene or None
        A scene that the next run of the page opens, and ``left_out`` what a file had beyond it.
    opened_file : str or None
        Streamlit's id of the file that was opened last.
    shown : tuple or None
        What is on screen: grid, the network of each method that is shown first, and scene.
    problems : list of str
        What of a link or a file could not be followed, to be told while ``problems_of`` is on
        screen; with None, while the next grid is.
    told_too_many : tuple or None
        The points of which was told that the address does not hold them.
    view : View
        What the visitor looked at last, and ``requested_view`` what the page asked the board to
        show, as the ``requested_view`` of `regviz.board.encoding.encode`.
    called : str or None
        A method that a view has asked for, to be switched on.
    seen_below : BoardSnapshot or None
        What the views below the board were drawn for.
    n_replies : int
        Messages sent to the board.
    received : tuple of (str, int)
        A run, and how many of its frames the browser has received.
    own_points : PointsSpec or None
        The visitor's own points, which drawing and file hand to each other.
    example : DataSpec or None
        The toy dataset that was looked at before them.
    drawing : Drawing or None
        The canvas's points.
    upload : tuple of (str, dict)
        Streamlit's id of an uploaded file, and what reading it has led to.
    asked : dict
        Of each view, the grid of which it wants several seeds, and what was found.
    plane : tuple or None
        What the maps of the uncertainty view show, after what it depends on.
    path_clicks : int
        Clicks on the chart of the paths view.
    """

    visitor: str = field(default_factory=lambda: secrets.token_hex(8))
    changed: bool = False
    base: Scene | None = None
    opened: Scene = field(default_factory=Scene)
    to_open: Scene | None = None
    left_out: list[str] = field(default_factory=list)
    opened_file: str | None = None
    shown: tuple[StrengthGrid, list[int], Scene] | None = None
    problems: list[str] = field(default_factory=list)
    problems_of: StrengthGrid | None = None
    told_too_many: tuple[tuple[float, ...], ...] | None = None
    view: View = field(default_factory=View)
    requested_view: Mapping[str, Any] | None = None
    called: str | None = None
    seen_below: "BoardSnapshot | None" = None
    n_replies: int = 0
    received: tuple[str, int] = ("", 0)
    own_points: PointsSpec | None = None
    example: DataSpec | None = None
    drawing: Drawing | None = None
    upload: tuple[str, dict[Any, Any]] = ("", {})
    asked: dict[str, tuple[StrengthGrid, dict[Any, Any]]] = field(default_factory=dict)
    plane: tuple[Any, Any] | None = None
    path_clicks: int = 0


def page_state() -> PageState:
    """Return the state of the visitor's page."""
    state: PageState = st.session_state.setdefault("page", PageState())
    return state
