"""The board's current view, and snapshots of the board for the views below it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from regviz.engine.history import History
from regviz.jobs.registry import JobRegistry
from regviz.methods.catalogue import EARLY_STOPPING, METHODS
from regviz.methods.palette import Theme
from regviz.pages.state import View, page_state
from regviz.scenes.scene import Scene
from regviz.scenes.strength_grid import StrengthGrid


def request_view(
    focus: str | None,
    strength_indices: Mapping[str, int],
    epoch: int | None = None,
    scroll: bool = False,
    play: bool = False,
    local: Mapping[str, Any] | None = None,
    variant_indices: Mapping[str, int] | None = None,
    plane: tuple[int, int] | tuple[()] | None = (),
) -> None:
    """Request a view of the board, sent with its next message.

    Parameters
    ----------
    focus : str or None
        The card to show large; None keeps the current one.
    strength_indices : mapping of str to int
        Indices of strengths by method; other methods keep theirs.
    epoch : int, optional
        The epoch to show; by default the board keeps its own.
    scroll : bool
        Whether to scroll to the board.
    play : bool
        Whether to play on from ``epoch``; without one, from the start.
    local : mapping, optional
        The state that only the board knows, as in `regviz.pages.state.Moment`; by default the board
        keeps its own.
    variant_indices : mapping of str to int, optional
        Indices of variants by method; other methods keep theirs.
    plane : (int, int) or None, optional
        Columns of a table as in `Scene`; by default the board keeps its own.
    """
    before = view()
    variants = dict(variant_indices or {})
    requested = View(
        focus or before.focus,
        before.strength_indices | dict(strength_indices),
        epoch,
        before.variant_indices | variants,
        before.plane if plane == () else plane or None,
    )
    state = page_state()
    state.view = requested
    state.requested_view = {
        "id": secrets.token_hex(4),
        "focus": focus,
        "strength_indices": dict(strength_indices),
        "variant_indices": variants,
        "epoch": epoch,
        "scroll": scroll,
        "play": play,
        "local": None if local is None else dict(local),
    }
    if plane != ():
        state.requested_view["plane"] = plane
    if focus is not None:
        state.method_to_enable = focus


def request_scene(scene: Scene, end: int | None, play: bool = False) -> None:
    """Request the view of a scene that is opened.

    Parameters
    ----------
    scene : Scene
    end : int or None
        The epoch to show if the scene has none; None to let the board play its first run.
    play : bool
        As of `request_view`.
    """
    grid = scene.grid()
    strengths = dict(zip(grid.methods, grid.strength_indices({}), strict=True))
    # where a grid has one variant of a method, its index says nothing about other grids
    variants = {
        key: index
        for (key, by_variant), index in zip(
            grid.networks_by_variant,
            grid.variant_indices(scene.variant_indices(grid)),
            strict=True,
        )
        if len(by_variant) > 1
    }
    request_view(
        scene.focus or grid.default_focus,
        strengths | scene.strength_indices(grid),
        end if scene.epoch is None else scene.epoch,
        play=play,
        variant_indices=variants,
        plane=scene.plane,
    )


def view() -> View:
    """Return the current view: the last of the board's messages and the page's requests."""
    state = page_state()
    requested = state.requested_view or {}
    message = (st.session_state.get("board") or {}).get("view")
    # a message sent before the board received the last request is outdated
    if isinstance(message, dict) and message.get("request_id") == requested.get("id"):
        state.view = read_view(message, state.view)
    return state.view


def read_view(message: dict[str, Any], before: View) -> View:
    """Return the view in a message of the board, with malformed parts taken from ``before``."""
    focus, epoch = message.get("focus"), message.get("epoch")
    return View(
        focus if focus in (*METHODS, EARLY_STOPPING) else before.focus,
        before.strength_indices | _indices(message.get("strength_indices")),
        epoch if type(epoch) is int and epoch >= 0 else None,
        before.variant_indices | _indices(message.get("variant_indices")),
        _plane(message.get("plane")),
    )


def _plane(value: Any) -> tuple[int, int] | None:
    """Return the numbers of two columns in a value of a message; None for others."""
    numbers = value if isinstance(value, list) and len(value) == 2 else [0, 0]
    x, y = (number if type(number) is int else 0 for number in numbers)
    return (x, y) if min(x, y) >= 1 and x != y else None


def _indices(value: Any) -> dict[str, int]:
    """Return the indices by method in a value of a message."""
    items = value.items() if isinstance(value, dict) else ()
    return {key: index for key, index in items if key in METHODS and type(index) is int}


@dataclass(frozen=True)
class BoardSnapshot:
    """A complete run of a grid, and the networks of it that the board shows.

    Attributes
    ----------
    grid : StrengthGrid
    history : History
        History of all networks, in the order of ``grid.experiment.regularizations``.
    rows : list of int
        Index of the network on each method's card, in the order of ``grid.methods``.
    focus : str
        The method in focus: a key of `regviz.methods.catalogue.METHODS` that is in the grid.
    theme : {"light", "dark"}
    runs : JobRegistry
        Registry for further trainings of a view.
    visitor : str
        Name of the visitor, for `JobRegistry.get`.
    epoch : int or None
        The epoch that the board shows, None for the last one. Also None while the open view does
        not depend on it.
    """

    grid: StrengthGrid
    history: History
    rows: list[int]
    focus: str
    theme: Theme
    runs: JobRegistry
    visitor: str
    epoch: int | None = None

    def network(self, method: str) -> int:
        """Return the index of the network on a method's card."""
        return self.rows[self.grid.methods.index(method)]

    @property
    def networks_by_method(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Networks of each method from weak to strong, in the variant that its card shows."""
        pairs = zip(self.grid.methods, self.rows, strict=True)
        shown = {key: self.grid.position(key, row)[0] for key, row in pairs}
        return self.grid.networks_by_method(shown)

    def show_on_board(
        self,
        focus: str | None = None,
        strength_indices: Mapping[str, int] | None = None,
        scroll: bool = False,
    ) -> None:
        """Request a view of the board, and rerun the page.

        Parameters
        ----------
        focus : str, optional
            The method to show large; it is added to the line-up if necessary.
        strength_indices : mapping of str to int, optional
            Indices of strengths by method, from 0 (weak) upwards.
        scroll : bool
            Whether to scroll to the board.
        """
        request_view(focus, strength_indices or {}, scroll=scroll)
        st.rerun()
