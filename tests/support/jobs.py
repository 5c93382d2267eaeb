"""Experiments and waiting helpers for tests of background training."""

from dataclasses import replace

import regviz
from regviz.jobs.run import Run
from regviz.jobs.scheduler import Scheduler
from tests.support.waiting import wait_until

SHORT = regviz.Experiment(
    network=regviz.NetworkSpec(hidden=(3,)), training=regviz.TrainingSpec(epochs=30)
)
OTHER = replace(SHORT, data=regviz.DataSpec(seed=1))
LONG = replace(SHORT, training=regviz.TrainingSpec(epochs=1_000_000))


def finish(run: Run) -> regviz.History:
    """Return the complete history of a run once the run has ended.

    The last frame is there a moment before the run ends: until then it still counts as in progress.
    """
    history = run.wait(0)
    while not history.complete:
        history = run.wait(len(history.epochs))
    wait_until(lambda: not run.in_progress)
    return history


def run_all(scheduler: Scheduler) -> None:
    """Run slices of a scheduler without threads until no job is left."""
    while scheduler.run_slice():
        pass
