"""A snapshot of the board, for the views below it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from regviz.board.strength_grid import StrengthGrid
from regviz.engine.history import History
from regviz.jobs.registry import JobRegistry
from regviz.methods.catalogue import EARLY_STOPPING, METHODS
from regviz.methods.palette import Theme
from regviz.pages.state import View, page_state


def request_view(
    focus: str | None,
    strength_indices: Mapping[str, int],
    epoch: int | None = None,
    scroll: bool = False,
) -> None:
    """Have the board show something else with its next message; what is left open stays."""
    before = view()
    told = View(focus or before.focus, before.strength_indices | dict(strength_indices), epoch)
    state = page_state()
    state.view = told
    state.requested_view = {
        "id": secrets.token_hex(4),
        "focus": focus,
        "strength_indices": dict(strength_indices),
        "epoch": epoch,
        "scroll": scroll,
    }
    if focus is not None:
        state.called = focus


def view() -> View:
    """Return what the visitor looks at, as the board has said or the page has requested last."""
    state = page_state()
    requested = state.requested_view or {}
    said = (st.session_state.get("board") or {}).get("view")
    # what the board said before it knew of the last request is out of date
    if isinstance(said, dict) and said.get("look") == requested.get("id"):
        state.view = read_view(said, state.view)
    return state.view


def usual_focus(grid: StrengthGrid) -> str:
    """The method that the board shows large by itself."""
    keys = [key for key, _ in grid.networks_by_method]
    return next((key for key in ("l1", *keys) if key in keys and key != "none"), "none")


def read_view(said: dict[str, Any], known: View) -> View:
    """Return the view that the board sent, with ``known`` where it has sent nonsense."""
    focus, strength_indices, epoch = (
        said.get("focus"),
        said.get("strength_indices"),
        said.get("epoch"),
    )
    if not isinstance(strength_indices, dict):
        strength_indices = {}
    return View(
        focus if focus in (*METHODS, EARLY_STOPPING) else known.focus,
        known.strength_indices
        | {k: v for k, v in strength_indices.items() if k in METHODS and type(v) is int},
        epoch if type(epoch) is int and epoch >= 0 else None,
    )


@dataclass(frozen=True)
class BoardSnapshot:
    """A grid whose training is complete, and what of it the board shows.

    Attributes
    ----------
    grid : StrengthGrid
    history : History
        Of all networks, in the order of ``grid.experiment.regularizations``.
    rows : list of int
        The network that each of the grid's methods shows, in the order of
        ``grid.networks_by_method``.
    focus : str
        The method seen large: a key of `regviz.methods.catalogue.METHODS` that is in the grid.
    theme : {"light", "dark"}
    runs : JobRegistry
        Where to train what else a view needs.
    visitor : str
        The visitor, for `JobRegistry.get`.
    """

    grid: StrengthGrid
    history: History
    rows: list[int]
    focus: str
    theme: Theme
    runs: JobRegistry
    visitor: str

    def network(self, method: str) -> int:
        """The network that a method's card shows."""
        return self.rows[[key for key, _ in self.grid.networks_by_method].index(method)]

    def look(
        self,
        focus: str | None = None,
        strength_indices: Mapping[str, int] | None = None,
        scroll: bool = False,
    ) -> None:
        """Show something else on the board, and run the page again.

        Parameters
        ----------
        focus : str, optional
            The method to see large; one that is switched off is switched on.
        strength_indices : mapping of str to int, optional
            Which of its strengths, from weak to strong, a method is to show.
        scroll : bool
            Whether to scroll to the board.
        """
        request_view(focus, strength_indices or {}, scroll=scroll)
        st.rerun()
