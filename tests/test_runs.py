"""Runs train by themselves, are shared, stop when nobody watches, and are kept within a bound."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

import regviz
from regviz.runs import Run, Runs

SHORT = regviz.Experiment(
    network=regviz.NetworkSpec(hidden=(3,)), training=regviz.TrainingSpec(epochs=30)
)
LONG = replace(SHORT, training=regviz.TrainingSpec(epochs=1_000_000))


def finish(run: Run) -> regviz.History:
    history = run.wait(0)
    while not history.complete:
        history = run.wait(len(history.epochs))
    return history


def test_a_run_ends_with_what_train_returns():
    assert np.array_equal(finish(Run(SHORT)).parameters, regviz.train(SHORT).parameters)


def test_waiting_returns_more_frames_than_the_caller_has():
    run = Run(SHORT)
    seen = 0
    while seen < 31:
        history = run.wait(seen)
        assert len(history.epochs) > seen
        seen = len(history.epochs)


def test_waiting_on_a_complete_run_returns_at_once():
    run = Run(SHORT)
    n_frames = len(finish(run).epochs)
    assert run.wait(n_frames, gather=60, timeout=60).complete


def test_the_same_experiment_is_trained_once_even_when_asked_for_at_the_same_instant():
    runs, got, gate = Runs(), [], threading.Barrier(8)

    def ask() -> None:
        gate.wait()
        got.append(runs.get(SHORT))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, got))) == 1


def test_a_run_that_nobody_watches_stops_and_is_started_anew_when_asked_for():
    runs = Runs(patience=0.2)
    run = runs.get(LONG)
    deadline = time.monotonic() + 20
    while run.alive and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not run.alive
    again = runs.get(LONG)
    assert again is not run
    assert len(again.wait(0).epochs) > 0


def test_the_oldest_runs_are_let_go_when_the_bound_is_reached():
    one = Run(SHORT).n_bytes
    runs = Runs(max_bytes=int(2.5 * one))
    experiments = [replace(SHORT, data=regviz.DataSpec(seed=seed)) for seed in range(4)]
    kept = []
    for experiment in experiments:
        kept.append(runs.get(experiment))
        finish(kept[-1])
    assert len(runs) == 2
    assert runs.get(experiments[-1]) is kept[-1]
    assert runs.get(experiments[0]) is not kept[0]


def test_an_impossible_experiment_is_refused_at_once_and_leaves_nothing_behind():
    runs = Runs()
    with pytest.raises(ValueError, match="batch_size must be at most 160"):
        runs.get(replace(SHORT, training=regviz.TrainingSpec(batch_size=10**6)))
    assert len(runs) == 0


def test_a_failure_while_training_is_reported_to_who_waits(monkeypatch: pytest.MonkeyPatch):
    def fail(experiment: regviz.Experiment, **_: object):
        yield next(regviz.stream(experiment))
        raise MemoryError("no more")

    monkeypatch.setattr("regviz.runs.stream", fail)
    run = Run(SHORT)
    with pytest.raises(RuntimeError, match="training failed"):
        run.wait(1)
    assert not run.alive


def test_a_run_stops_at_once_when_its_last_visitor_leaves():
    runs = Runs()
    run = runs.get(LONG, "one")
    run.wait(0, visitor="two")
    runs.leave(LONG, "one")
    seen = len(run.wait(0).epochs)
    runs.leave(LONG, "")
    assert len(run.wait(seen, visitor="two").epochs) > seen
    runs.leave(LONG, "two")
    deadline = time.monotonic() + 5
    while run.alive and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not run.alive


def test_a_long_run_leaves_a_short_one_its_turns():
    heavy = regviz.Experiment(
        network=regviz.NetworkSpec(hidden=(32,) * 4),
        training=regviz.TrainingSpec(epochs=100_000, batch_size=1),
    )
    runs = Runs()
    long = runs.get(heavy)
    finish(runs.get(SHORT))
    assert not long.wait(0).complete
    assert len(long.wait(0).epochs) < 20
    runs.leave(heavy, "")
