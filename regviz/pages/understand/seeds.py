"""Networks trained again over several seeds, while the page goes on: asked for, followed, found."""

from collections.abc import Callable
from typing import Generic, TypeVar

import streamlit as st

from regviz.analysis.replicates import with_seed
from regviz.engine.history import History
from regviz.jobs.run import Replication
from regviz.pages.snapshot import BoardSnapshot
from regviz.pages.state import page_state
from regviz.spec.arrays import ArraysSpec
from regviz.spec.experiment import Data, Experiment
from regviz.spec.points import PointsSpec

Found = TypeVar("Found")

SEEDS = tuple(range(5))
TICK = 0.5  # seconds between two looks at how far the seeds are


def own_points(data: Data | ArraysSpec) -> str:
    """Describe the points of each seed."""
    if isinstance(data, PointsSpec):
        return "the split of the file" if data.split else "its own split of your points"
    return "its own points"


class Seeds(Generic[Found]):
    """A view's results over `SEEDS`, trained once the visitor asks for them.

    It is kept as long as the visitor stays with the same grid. No call waits for the training.

    Parameters
    ----------
    snapshot : BoardSnapshot
    view : str
        What the keys of the widgets begin with.
    experiment : Experiment
        Its own seed does not matter: visitors share the training with whoever else has asked.
    find : callable
        What the view wants to know of each seed's history.
    """

    def __init__(
        self,
        snapshot: BoardSnapshot,
        view: str,
        experiment: Experiment,
        find: Callable[[list[History]], Found],
    ) -> None:
        self.snapshot, self.view, self.find = snapshot, view, find
        self.experiment = with_seed(experiment, 0)
        state = page_state()
        grid, asked = state.asked.get(view, (None, {}))
        if grid != snapshot.grid:
            asked = {}
            state.asked[view] = (snapshot.grid, asked)
        # None while it is in training, and in the end what was found or why nothing could be
        self._asked: dict[Experiment, Found | Exception | None] = asked

    @property
    def found(self) -> Found | None:
        """The results, or None as long as there are none."""
        state = self._asked.get(self.experiment)
        return None if isinstance(state, Exception) else state

    @property
    def training(self) -> bool:
        """Whether the seeds are wanted and not there yet."""
        return self._asked.get(self.experiment, self) is None

    def offer(self, about: str) -> None:
        """Draw the button that asks for the seeds, unless they are there."""
        if self.found is None:
            self._button(f"Over {len(SEEDS)} seeds", "seeds", about)

    def follow(self) -> None:
        """Draw how far the training is, or why it failed. At its end the page runs again."""
        if self.training:
            _poll(self)
        elif isinstance(error := self._asked.get(self.experiment), Exception):
            st.warning(f"These seeds could not be trained: {error}. Try again or change the data.")
            self._button("Try again", "again")

    def _button(self, text: str, key: str, about: str | None = None) -> None:
        st.button(
            text,
            key=f"{self.view}_{key}",
            help=about,
            disabled=self.training,
            on_click=self._asked.update,
            args=({self.experiment: None},),
        )

    def _look(self) -> Replication | None:
        """Look how far the training is; None if there is nothing more to wait for."""
        if not self.training:
            return None
        try:
            run = self.snapshot.runs.replicate(self.experiment, SEEDS, self.snapshot.visitor)
            histories = run.wait(0)
            if histories is None:
                return run
            self._asked[self.experiment] = self.find(histories)
        except (RuntimeError, ValueError) as error:
            self._asked[self.experiment] = error
        return None

    def _stop(self, run: Replication) -> None:
        self._asked.pop(self.experiment, None)
        run.leave(self.snapshot.visitor)


@st.fragment(run_every=TICK)
def _poll(seeds: Seeds[Found]) -> None:
    """Show how far the training is, by itself: all else on the page answers meanwhile."""
    run = seeds._look()
    if run is None:
        st.rerun()  # all of the page, as the view around this is to show what was found
    n = len(seeds.experiment.regularizations)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(run.share, f"Training {n} networks over {len(SEEDS)} seeds")
        st.button("Stop", key=f"{seeds.view}_stop", on_click=seeds._stop, args=(run,))
