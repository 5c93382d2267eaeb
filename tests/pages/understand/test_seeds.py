"""Tests of the control that trains several seeds in the background."""

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import regviz
from regviz.analysis.replicates import with_seed
from regviz.jobs.registry import JobRegistry
from regviz.jobs.run import Replication
from regviz.jobs.scheduler import Scheduler
from regviz.pages.snapshot import BoardSnapshot
from regviz.pages.understand.seeds import SEEDS
from regviz.scenes.strength_grid import StrengthGrid
from tests.support.jobs import run_all
from tests.support.views import button_labels, run_until_trained, show, snapshot_of

DATA = regviz.DataSpec("moons", n_samples=60, seed=3)
TRAINING = regviz.TrainingSpec("momentum", 0.05, epochs=10, frames=1)


def snapshot(
    data: regviz.DataSpec = DATA, runs: JobRegistry | None = None, visitor: str = "me"
) -> BoardSnapshot:
    grid = StrengthGrid.of(["none", "l1"], data, regviz.NetworkSpec(hidden=(3,)), TRAINING)
    return snapshot_of(grid, runs=runs, visitor=visitor)


def script() -> None:
    """Store each seed's test losses, as the script of the test's page."""
    import streamlit as st

    from regviz.pages.understand.seeds import Seeds

    snapshot = st.session_state["snapshot"]
    st.session_state["drawn"] = st.session_state.get("drawn", 0) + 1
    seeds = Seeds(
        snapshot,
        "view",
        snapshot.grid.only(snapshot.rows),
        lambda histories: [run.metrics["test_loss"][-1] for run in histories],
    )
    seeds.draw_button("Why")
    seeds.draw_progress()
    st.session_state["found"] = seeds.results


def open_page(seen: BoardSnapshot) -> AppTest:
    page = AppTest.from_function(script, default_timeout=30)
    page.session_state["snapshot"] = seen
    page.run()
    assert not page.exception
    return page


class Gate(JobRegistry):
    """A job registry that trains nothing until it is opened."""

    def __init__(self) -> None:
        super().__init__(visitor_timeout=60, scheduler=Scheduler(n_threads=0))
        self.started: list[Replication] = []

    def replicate(self, experiment, seeds, visitor=""):
        run = super().replicate(experiment, seeds, visitor)
        if run not in self.started:
            self.started.append(run)
        return run

    def open(self) -> None:
        """Run all waiting jobs."""
        run_all(self.scheduler)


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_what_is_found_is_that_of_separate_runs():
    seen = snapshot()
    page = open_page(seen)
    assert button_labels(page) == ["Over 5 seeds"]
    run_until_trained(page.button("view_seeds").click().run())
    experiment = seen.grid.only(seen.rows)
    alone = [regviz.train(with_seed(experiment, seed)).metrics["test_loss"][-1] for seed in SEEDS]
    np.testing.assert_array_equal(page.session_state["found"], alone)
    assert button_labels(page) == []
    drawn = page.session_state["drawn"]
    page.run()
    assert page.session_state["drawn"] == drawn + 1, "it has come to rest"


def test_no_call_waits_while_the_seeds_train(gate):
    page = open_page(snapshot(runs=gate))
    page.button("view_seeds").click().run()  # the training never ends, but the call returns
    for _ in range(3):
        assert page.button("view_seeds").disabled
        assert "Stop" in button_labels(page)
        assert page.session_state["found"] is None
        page.run()
    gate.open()
    run_until_trained(page)
    assert len(gate.started) == 1
    assert page.session_state["found"] is not None


def test_stopping_ends_the_training_and_it_can_be_requested_again(gate):
    page = open_page(snapshot(runs=gate))
    page.button("view_seeds").click().run()
    (run,) = gate.started
    page.button("view_stop").click().run()
    assert not page.exception
    assert button_labels(page) == ["Over 5 seeds"]
    assert not page.button("view_seeds").disabled
    gate.open()
    assert not run.alive, "nobody watches it, and it goes on"
    page.button("view_seeds").click().run()
    gate.open()
    run_until_trained(page)
    assert page.session_state["found"] is not None


def test_stopping_does_not_stop_it_for_other_visitors(gate):
    mine, other = open_page(snapshot(runs=gate)), open_page(snapshot(runs=gate, visitor="other"))
    for page in (mine, other):
        page.button("view_seeds").click().run()
    mine.button("view_stop").click().run()
    gate.open()
    run_until_trained(other)
    assert other.session_state["found"] is not None
    assert len(gate.started) == 1


def test_visitors_whose_experiments_differ_only_in_seed_share_the_training():
    runs, one = JobRegistry(), snapshot()
    for seed in (3, 8):
        experiment = with_seed(one.grid.experiment, seed)
        grid = replace(one.grid, experiment=experiment)
        run_until_trained(
            open_page(replace(one, grid=grid, runs=runs)).button("view_seeds").click().run()
        )
    assert len(runs) == 1


def test_results_of_one_grid_are_not_shown_for_another():
    page = open_page(snapshot())
    run_until_trained(page.button("view_seeds").click().run())
    show(page, snapshot(replace(DATA, noise=0.1)))
    assert page.session_state["found"] is None
    assert button_labels(page) == ["Over 5 seeds"]


@pytest.mark.parametrize("error", [RuntimeError("the training failed"), ValueError("no such data")])
def test_a_failure_is_told_until_it_is_tried_again(error):
    class Broken:
        n_requests = 0

        def replicate(self, experiment, seeds, visitor):
            assert (seeds, visitor) == ((0, 1, 2, 3, 4), "me")
            self.n_requests += 1
            raise error

    runs = Broken()
    page = open_page(snapshot(runs=runs))
    for button in ("view_seeds", "view_again"):
        page.button(button).click().run()
        assert not page.exception
        assert str(error) in page.warning[0].value
        n_requests = runs.n_requests
        page.run()
        assert str(error) in page.warning[0].value, "nothing on screen is lost"
        assert runs.n_requests == n_requests, "nothing is tried again unasked"
    assert runs.n_requests == 2
    assert not page.button("view_seeds").disabled
