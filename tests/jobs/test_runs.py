"""Tests of background runs: sharing, stopping, caching within a bound.

`test_scheduler.py` tests their order.
"""

import gc
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

import regviz
from regviz.engine.cost import seconds
from regviz.engine.recorder import histories, initial_histories
from regviz.jobs import run as module
from regviz.jobs.registry import Busy, JobRegistry
from regviz.jobs.run import Replication, Run
from regviz.jobs.scheduler import LONG_SECONDS, Scheduler
from regviz.scenes.frames import SINGLE, FrameSelector
from tests.support.jobs import LONG, OTHER, SHORT, finish, run_all
from tests.support.networks import assert_same_history
from tests.support.recordings import HalfUntil
from tests.support.waiting import wait_until

ROWS = (
    regviz.Regularization(),
    regviz.Regularization(l1=0.01),
    regviz.Regularization(drop_rate=0.3),
)


@pytest.fixture
def manual_scheduler() -> Scheduler:
    """A scheduler without threads: a test runs its slices."""
    return Scheduler(n_threads=0)


def test_a_run_ends_with_what_train_returns_and_every_frame_is_selected():
    run = Run(SHORT)
    assert np.array_equal(finish(run).parameters, regviz.train(SHORT).parameters)
    assert run.selector.frames == [(t, SINGLE) for t in range(31)]


def test_waiting_on_a_complete_run_returns_at_once():
    run = Run(SHORT)
    n_frames = len(finish(run).epochs)
    assert run.wait(n_frames, min_seconds=60, timeout=60).complete


def test_the_same_experiment_is_trained_once_also_for_simultaneous_requests():
    runs, received, gate = JobRegistry(), [], threading.Barrier(30)

    def ask(visitor: str) -> None:
        gate.wait()
        received.append(runs.get(SHORT, visitor))

    threads = [threading.Thread(target=ask, args=(f"{i}",)) for i in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(received) == 30
    assert len(set(map(id, received))) == 1
    assert len(received[0].watchers()) == 30


def hold_starts(monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], threading.Event]:
    """Hold the start of runs of seed 1; return the started seeds and the releasing event."""
    begun, release = [], threading.Event()

    def held_start(experiments: Sequence[regviz.Experiment], *rest: object):
        begun.append(experiments[0].data.seed)
        if begun[-1] == 1:
            assert release.wait(10)
        return initial_histories(experiments, *rest)

    monkeypatch.setattr(module, "initial_histories", held_start)
    return begun, release


def test_other_runs_do_not_wait_while_one_starts(monkeypatch: pytest.MonkeyPatch):
    begun, release = hold_starts(monkeypatch)
    runs, received = JobRegistry(), []
    slow = replace(SHORT, data=regviz.DataSpec(seed=1))
    threads = [threading.Thread(target=lambda: received.append(runs.get(slow))) for _ in range(2)]
    for thread in threads:
        thread.start()
    wait_until(lambda: begun == [1])
    assert finish(runs.get(SHORT)).complete
    runs.leave(slow, "")
    assert received == []
    release.set()
    for thread in threads:
        thread.join()
    assert received[0] is received[1]
    assert begun == [1, 0]


def test_all_requests_for_an_impossible_run_fail_and_can_be_repeated(
    monkeypatch: pytest.MonkeyPatch,
):
    begun, release = hold_starts(monkeypatch)
    impossible = replace(
        SHORT, data=regviz.DataSpec(seed=1), training=regviz.TrainingSpec(batch_size=10**6)
    )
    runs, refused = JobRegistry(), []

    def ask() -> None:
        try:
            runs.get(impossible)
        except ValueError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    wait_until(lambda: begun == [1])
    release.set()
    for thread in threads:
        thread.join()
    assert len(refused) == 3
    ask()
    assert len(refused) == 4
    (message,) = set(refused)
    assert message.startswith("batch_size must be at most 160")
    assert len(runs) == 0


def test_a_visitor_who_returns_to_a_run_about_to_stop_gets_another(manual_scheduler: Scheduler):
    runs = JobRegistry(visitor_timeout=60, scheduler=manual_scheduler)
    run = runs.get(LONG, "me")
    runs.leave(LONG, "me")
    assert run.watchers() == []  # the scheduler checks this before it stops the run
    again = runs.get(LONG, "me")
    assert again is not run
    assert again.watchers() == ["me"]
    assert not run.watch("me")
    assert run.watchers() == []
    assert runs.get(LONG, "you") is again
    assert manual_scheduler.run_slice()
    assert not run.in_progress
    assert again.in_progress


def test_the_oldest_runs_are_evicted_when_the_bound_is_reached():
    one = Run(SHORT).n_bytes
    runs = JobRegistry(max_bytes=int(2.5 * one))
    experiments = [replace(SHORT, data=regviz.DataSpec(seed=seed)) for seed in range(4)]
    kept = []
    for experiment in experiments:
        kept.append(runs.get(experiment))
        finish(kept[-1])
    assert len(runs) == 2
    assert runs.get(experiments[-1]) is kept[-1]
    assert runs.get(experiments[0]) is not kept[0]


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that only the test advances."""
    found = [1e6]
    monkeypatch.setattr("time.monotonic", lambda: found[0])
    return found


def test_the_bound_holds_when_trainings_end_and_nobody_comes_any_more(
    manual_scheduler: Scheduler, now: list[float]
):
    one = Run(SHORT, scheduler=manual_scheduler)
    run_all(manual_scheduler)
    runs = JobRegistry(max_bytes=int(2.5 * one.n_bytes), scheduler=manual_scheduler)
    experiments = [replace(SHORT, data=regviz.DataSpec(seed=seed)) for seed in range(4)]
    kept = [runs.get(experiment, always=True) for experiment in experiments]
    now[0] += 2 * runs.visitor_timeout
    for run in kept:
        run.watch("")
    runs.evict_expired()
    assert len(runs) == 4  # the order of training
    run_all(manual_scheduler)
    assert all(run.wait(0).complete for run in kept)
    assert runs.n_bytes <= runs.max_bytes
    assert len(runs) == 2


def test_a_run_of_a_current_visitor_is_kept_beyond_the_bound(
    manual_scheduler: Scheduler, now: list[float]
):
    runs = JobRegistry(max_bytes=1, scheduler=manual_scheduler)
    run = runs.get(SHORT)
    run_all(manual_scheduler)
    assert runs.get(SHORT) is run
    runs.evict_expired()
    assert runs.get(SHORT) is run
    now[0] += 2 * runs.visitor_timeout
    runs.evict_expired()
    assert len(runs) == 0


def test_a_failure_while_training_is_raised_by_wait(monkeypatch: pytest.MonkeyPatch):
    def fail(experiments: Sequence[regviz.Experiment], *_: object, **__: object):
        yield [next(regviz.stream(experiment)) for experiment in experiments]
        raise MemoryError("no more")

    monkeypatch.setattr(module, "histories", fail)
    run = Run(SHORT)
    with pytest.raises(RuntimeError, match="training failed"):
        run.wait(1)
    assert not run.alive


def test_a_run_stops_at_once_when_its_last_visitor_leaves(manual_scheduler: Scheduler):
    runs = JobRegistry(scheduler=manual_scheduler)
    run = runs.get(LONG, "one")
    run.wait(0, visitor="two")
    runs.leave(LONG, "one")
    manual_scheduler.run_slice()
    assert run.alive
    runs.leave(LONG, "two")
    manual_scheduler.run_slice()
    assert not run.alive
    assert not run.in_progress


def test_a_long_run_leaves_time_for_a_short_one(
    manual_scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "SLICE_SECONDS", 0)  # a slice is an epoch
    long = Run(LONG, visitor="long", scheduler=manual_scheduler)
    assert seconds(LONG) > LONG_SECONDS
    for _ in range(10):
        assert manual_scheduler.run_slice()
    short = Run(SHORT, visitor="short", scheduler=manual_scheduler)
    trained = len(long.wait(0, visitor="long").epochs)
    while not short.wait(0, visitor="short").complete:
        assert manual_scheduler.run_slice()
    assert len(long.wait(0, visitor="long").epochs) == trained
    assert long.in_progress


def test_a_slice_ends_with_an_epoch_and_a_run_can_stop_after_each(
    manual_scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "SLICE_SECONDS", 0)
    training = regviz.TrainingSpec(epochs=30, frames=2)
    replication = Replication(replace(SHORT, training=training), (1, 2), scheduler=manual_scheduler)
    for n in range(1, 6):
        assert manual_scheduler.run_slice()
        assert replication.share == n / 30
    replication.leave("")
    run_all(manual_scheduler)
    assert replication.share == 5 / 30


@pytest.mark.parametrize(
    "experiment",
    [
        replace(SHORT, regularizations=ROWS),
        replace(
            SHORT,
            data=regviz.DataSpec("bumps"),
            regularizations=ROWS,
            training=regviz.TrainingSpec(epochs=150, frames=10, dtype="float64"),
        ),
        # it diverges, and keeps its last finite parameters
        replace(
            SHORT,
            network=regviz.NetworkSpec((8, 8), "relu"),
            data=regviz.DataSpec("bumps"),
            training=regviz.TrainingSpec(epochs=40, learning_rate=10),
        ),
    ],
    ids=["classes", "regression in double precision", "diverging"],
)
def test_what_trains_in_between_and_in_which_thread_changes_no_bit(
    experiment: regviz.Experiment, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "SLICE_SECONDS", 0)
    scheduler = Scheduler(n_threads=4)
    others = [replace(experiment, data=replace(experiment.data, seed=i)) for i in range(1, 4)]
    runs = [Run(each, scheduler=scheduler) for each in (experiment, *others)]
    found, *_ = map(finish, runs)
    scheduler.close()
    assert_same_history(found, regviz.train(experiment))
    for array in (found.parameters, found.epochs, *found.metrics.values()):
        assert not array.flags.writeable


def test_replications_wait_until_runs_are_complete(manual_scheduler: Scheduler):
    runs = JobRegistry(scheduler=manual_scheduler)
    replication = runs.replicate(FEW_FRAMES, (1, 2), "b")
    run = runs.get(SHORT, "c")
    while run.in_progress:
        manual_scheduler.run_slice()
        assert replication.share == 0
    run_all(manual_scheduler)
    assert replication.wait(0) is not None


def test_a_run_that_is_kept_forgets_visitors_who_have_gone(
    manual_scheduler: Scheduler, now: list[float]
):
    runs = JobRegistry(visitor_timeout=10, scheduler=manual_scheduler)
    run = runs.get(SHORT, "a")
    run_all(manual_scheduler)
    for visitor in ("b", "c", "d"):
        now[0] += 11
        assert runs.get(SHORT, visitor) is run
    assert run.watchers() == ["d"]


def test_a_run_that_is_dropped_frees_its_recording(manual_scheduler: Scheduler):
    run = Run(SHORT, scheduler=manual_scheduler)
    for _ in range(2):
        manual_scheduler.run_slice()
    run.leave("")
    run_all(manual_scheduler)
    gone = weakref.ref(run)
    gc.disable()  # without a garbage collection, which the app runs only now and then
    try:
        del run
        assert gone() is None
    finally:
        gc.enable()


def test_what_fails_keeps_nothing_of_what_was_trained(
    manual_scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
):
    kept: list[weakref.ref[object]] = []

    class Large:
        """An object that supports weak references."""

    def fails(*args: object, **options: object):
        large = Large()
        kept.append(weakref.ref(large))
        for grown in histories(*args, **options):
            yield grown
            assert large

    monkeypatch.setattr(module, "histories", fails)
    add = FrameSelector.add
    times = iter(range(100))

    def full(self: FrameSelector, history: regviz.History) -> None:
        if next(times) > 3:
            raise MemoryError("there is no more")
        add(self, history)

    monkeypatch.setattr(FrameSelector, "add", full)
    run = Run(LONG, scheduler=manual_scheduler)
    run_all(manual_scheduler)
    assert isinstance(run.error, MemoryError)
    assert kept.pop()() is None  # although its error is kept


def test_a_run_whose_frames_cannot_be_selected_fails_alone(
    manual_scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
):
    runs = [
        Run(each, scheduler=manual_scheduler)
        for each in (SHORT, replace(SHORT, regularizations=ROWS))
    ]

    def fail(*_: object) -> None:
        raise MemoryError("no more")

    monkeypatch.setattr(runs[0].selector, "add", fail)
    run_all(manual_scheduler)
    assert isinstance(runs[0].error, MemoryError)
    assert runs[1].wait(0).complete


# ------------------------------------------------------------------------------ frames


def test_waiting_counts_the_frames_that_travel(
    half_until: HalfUntil, monkeypatch: pytest.MonkeyPatch
):
    half_until(0)
    monkeypatch.setattr("regviz.scenes.frames.MAX_BYTES", 0)
    run = Run(SHORT)
    seen, times = 0, []
    while seen < 16:
        history = run.wait(seen)
        sent = [t for t, _ in run.selector.frames[seen:] if t < len(history.epochs)]
        assert sent
        seen, times = seen + len(sent), times + sent
    assert times == list(range(0, 31, 2))
    assert run.wait(seen).complete


def test_wait_returns_no_history_before_its_frames_are_selected(
    monkeypatch: pytest.MonkeyPatch,
):
    add = FrameSelector.add

    def held_start(self: FrameSelector, history: regviz.History) -> None:
        add(self, history)
        time.sleep(0.01)  # frames selected but not yet returned by `wait`

    monkeypatch.setattr(FrameSelector, "add", held_start)
    run = Run(SHORT)
    for seen in range(1, 31):
        assert seen < len(run.wait(seen).epochs) <= len(run.selector.frames)


# ------------------------------------------------------------------------------ several seeds


FEW_FRAMES = replace(SHORT, training=regviz.TrainingSpec(epochs=30, frames=1))
MANY = replace(SHORT, training=regviz.TrainingSpec(epochs=1_000_000, frames=1))


def test_a_replication_ends_with_what_replicate_returns():
    replication = JobRegistry().replicate(FEW_FRAMES, (1, 2))
    found = replication.wait(20)
    assert found is not None
    assert replication.share == 1
    for one, other in zip(found, regviz.replicate(FEW_FRAMES, (1, 2)), strict=True):
        assert_same_history(one, other)


def test_a_replication_is_none_until_it_is_complete_and_shows_its_progress():
    runs = JobRegistry()
    replication = runs.replicate(MANY, (1, 2), "me")
    assert replication.wait(0.01) is None
    wait_until(lambda: replication.share > 0)
    assert replication.share < 1
    replication.leave("me")


def test_the_same_replication_is_trained_once_and_is_no_run():
    runs = JobRegistry()
    replication = runs.replicate(FEW_FRAMES, [1, 2])
    assert runs.replicate(FEW_FRAMES, (1, 2)) is replication
    assert runs.replicate(FEW_FRAMES, (2, 1)) is not replication
    assert isinstance(runs.get(FEW_FRAMES), Run)
    assert len(runs) == 3
    with pytest.raises(ValueError, match=r"^seeds must be"):
        runs.replicate(FEW_FRAMES, ())


def test_a_replication_that_nobody_watches_stops_says_so_and_is_started_anew():
    runs = JobRegistry(visitor_timeout=0.1)
    replication = runs.replicate(MANY, (1, 2), "me")
    wait_until(lambda: not replication.alive)
    with pytest.raises(RuntimeError, match="nobody watched"):
        replication.wait(1)
    again = runs.replicate(MANY, (1, 2), "me")
    assert again is not replication
    again.leave("me")


def test_waiting_for_a_replication_counts_as_watching_it():
    replication = JobRegistry(visitor_timeout=0.05).replicate(MANY, (1, 2))
    assert replication.wait(0.5) is None
    wait_until(lambda: not replication.alive)


def test_a_replications_bytes_count_toward_the_bound():
    one = JobRegistry().replicate(FEW_FRAMES, (1, 2)).n_bytes
    assert one == sum(history.n_bytes for history in regviz.replicate(FEW_FRAMES, (1, 2)))
    runs = JobRegistry(max_bytes=int(2.5 * one))
    for seed in range(4):
        runs.replicate(FEW_FRAMES, (seed, seed + 10)).wait(20)
    assert len(runs) == 2


# ------------------------------------------------------------------------------ capacity


def test_no_more_trainings_are_taken_on_than_allowed():
    runs = JobRegistry(max_trainings=1)
    run = runs.get(LONG, "a")
    assert runs.full
    with pytest.raises(Busy, match="1 trainings"):
        runs.get(SHORT, "b")
    with pytest.raises(Busy):
        runs.replicate(SHORT, (1, 2), "b")
    assert runs.get(LONG, "b") is run  # a cached run
    assert runs.n_training == 1
    assert (runs.n_started, runs.n_refused) == (1, 2)
    assert finish(runs.get(SHORT, always=True)).complete
    run.leave("a")
    run.leave("b")
    wait_until(lambda: not runs.full)
    assert finish(runs.get(OTHER, "b")).complete


def test_no_more_is_taken_on_than_there_is_memory_for():
    runs = JobRegistry(max_bytes=1)
    run = runs.get(LONG)
    with pytest.raises(Busy):
        runs.get(SHORT)
    run.leave("")


def test_a_run_without_requests_is_evicted_after_a_while(
    manual_scheduler: Scheduler, now: list[float]
):
    runs = JobRegistry(max_age=60, scheduler=manual_scheduler)
    run = runs.get(SHORT)
    runs.get(OTHER)
    run_all(manual_scheduler)
    now[0] += 59
    runs.evict_expired()
    assert runs.get(SHORT) is run
    now[0] += 2
    runs.evict_expired()
    assert runs.get(SHORT) is run
    assert len(runs) == 1
    now[0] += 61
    runs.evict_expired()
    assert len(runs) == runs.n_bytes == 0
