"""Training of a view's networks over several seeds in the background: button, progress, results."""

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

Results = TypeVar("Results")

SEEDS = tuple(range(5))
POLL_SECONDS = 0.5  # interval of the checks whether the training is complete


def own_points(data: Data | ArraysSpec) -> str:
    """Return a phrase for the points of each seed: drawn anew, or split anew."""
    if isinstance(data, PointsSpec):
        return "the split of the file" if data.split else "its own split of your points"
    return "its own points"


class Seeds(Generic[Results]):
    """Results of a view over `SEEDS`, from a training in the background that a button starts.

    Results are kept until the grid changes. No method waits for the training.

    Parameters
    ----------
    snapshot : BoardSnapshot
    view : str
        Prefix of the widgets' keys.
    experiment : Experiment
        The experiment to train. Its own seed is replaced, so that visitors with different seeds
        share the training.
    summarize : callable
        Computes the results from a list with each seed's history.
    """

    def __init__(
        self,
        snapshot: BoardSnapshot,
        view: str,
        experiment: Experiment,
        summarize: Callable[[list[History]], Results],
    ) -> None:
        self.snapshot, self.view, self.summarize = snapshot, view, summarize
        self.experiment = with_seed(experiment, 0)
        state = page_state()
        grid, results = state.seed_results.get(view, (None, {}))
        if grid != snapshot.grid:
            results = {}
            state.seed_results[view] = (snapshot.grid, results)
        # None during training, then the results or the exception of a failed training
        self._results: dict[Experiment, Results | Exception | None] = results

    @property
    def results(self) -> Results | None:
        """The results, or None before the training is complete."""
        state = self._results.get(self.experiment)
        return None if isinstance(state, Exception) else state

    @property
    def training(self) -> bool:
        """Whether the training has been started and has not ended."""
        return self._results.get(self.experiment, self) is None

    def draw_button(self, about: str) -> None:
        """Draw the button that starts the training, unless there are results."""
        if self.results is None:
            self._button(f"Over {len(SEEDS)} seeds", "seeds", about)

    def draw_progress(self) -> None:
        """Draw the progress or error of the training. The page reruns when the training ends."""
        if self.training:
            _draw_progress(self)
        elif isinstance(error := self._results.get(self.experiment), Exception):
            st.warning(f"These seeds could not be trained: {error}. Try again or change the data.")
            self._button("Try again", "again")

    def _button(self, text: str, key: str, about: str | None = None) -> None:
        st.button(
            text,
            key=f"{self.view}_{key}",
            help=about,
            disabled=self.training,
            on_click=self._results.update,
            args=({self.experiment: None},),
        )

    def _check(self) -> Replication | None:
        """Return the training if it is in progress, else store its results and return None."""
        if not self.training:
            return None
        try:
            run = self.snapshot.runs.replicate(self.experiment, SEEDS, self.snapshot.visitor)
            histories = run.wait(0)
            if histories is None:
                return run
            self._results[self.experiment] = self.summarize(histories)
        except (RuntimeError, ValueError) as error:
            self._results[self.experiment] = error
        return None

    def _stop(self, run: Replication) -> None:
        self._results.pop(self.experiment, None)
        run.leave(self.snapshot.visitor)


@st.fragment(run_every=POLL_SECONDS)
def _draw_progress(seeds: Seeds[Results]) -> None:
    """Draw the progress in a fragment, so that the rest of the page keeps responding."""
    run = seeds._check()
    if run is None:
        st.rerun()  # of the whole page: the view around this fragment draws the results
    n = len(seeds.experiment.regularizations)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(run.share, f"Training {n} networks over {len(SEEDS)} seeds")
        st.button("Stop", key=f"{seeds.view}_stop", on_click=seeds._stop, args=(run,))
