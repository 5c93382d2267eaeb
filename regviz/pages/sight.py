"""What a visitor has on screen, for the views below the board."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from regviz.cube import Cube
from regviz.history import History
from regviz.palette import Theme
from regviz.runs import Runs


@dataclass(frozen=True)
class Sight:
    """A cube whose training is complete, and what of it the board shows.

    Attributes
    ----------
    cube : Cube
    history : History
        Of all networks, in the order of ``cube.experiment.regularizations``.
    rows : list of int
        The network that each of the cube's methods shows, in the order of ``cube.shelves``.
    focus : str
        The method seen large: a key of `regviz.regularization.METHODS` that is in the cube.
    theme : {"light", "dark"}
    runs : Runs
        Where to train what else a view needs.
    visitor : str
        Who asks, for `Runs.get`.
    """

    cube: Cube
    history: History
    rows: list[int]
    focus: str
    theme: Theme
    runs: Runs
    visitor: str

    def network(self, method: str) -> int:
        """The network that a method's card shows."""
        return self.rows[[key for key, _ in self.cube.shelves].index(method)]

    def look(self, focus: str | None = None, levels: Mapping[str, int] | None = None) -> None:
        """Show something else on the board, and run the page again.

        Parameters
        ----------
        focus : str, optional
            The method to see large; one that is switched off is switched on.
        levels : mapping of str to int, optional
            Which of its strengths, from weak to strong, a method is to show.
        """
        st.session_state["wish"] = {"focus": focus, "levels": dict(levels or {})}
        st.rerun()
