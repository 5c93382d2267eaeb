"""Runs train by themselves, are shared, stop when nobody watches, and are kept within a bound.

The urgent go first for a while, and what of a run travels is known as soon as it is recorded.
"""

import gc
import math
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import regviz
from regviz import run as module
from regviz import turns as turns_module
from regviz.cost import memory
from regviz.packing import HALF, SINGLE, Packing
from regviz.recorder import beginnings, histories
from regviz.replicates import with_seed
from regviz.run import Replication, Run
from regviz.runs import Runs

SHORT = regviz.Experiment(
    network=regviz.NetworkSpec(hidden=(3,)), training=regviz.TrainingSpec(epochs=30)
)
LONG = replace(SHORT, training=regviz.TrainingSpec(epochs=1_000_000))


def at_first() -> tuple[bool, int, int]:
    """The rank of one who comes before all others."""
    return False, 0, -1


@pytest.fixture(autouse=True)
def at_rest() -> None:
    """Let a test begin when nothing trains any more: what is left notices at its next turn."""
    until(lambda: not turns_module._threads)


def finish(run: Run) -> regviz.History:
    history = run.wait(0)
    while not history.complete:
        history = run.wait(len(history.epochs))
    return history


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


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
    runs, got, gate = Runs(), [], threading.Barrier(30)

    def ask(visitor: str) -> None:
        gate.wait()
        got.append(runs.get(SHORT, visitor))

    threads = [threading.Thread(target=ask, args=(f"{i}",)) for i in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 30
    assert len(set(map(id, got))) == 1
    assert len(got[0]._visitors) == 30


def starting_slowly(monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], threading.Event]:
    """The seeds of the runs that have begun to start, and what lets those of seed 1 go on."""
    begun, go_on = [], threading.Event()

    def slowly(experiments: Sequence[regviz.Experiment], *rest: object):
        begun.append(experiments[0].data.seed)
        if begun[-1] == 1:
            assert go_on.wait(10)
        return beginnings(experiments, *rest)

    monkeypatch.setattr(module, "beginnings", slowly)
    return begun, go_on


def test_who_wants_another_run_does_not_wait_while_one_starts(monkeypatch: pytest.MonkeyPatch):
    begun, go_on = starting_slowly(monkeypatch)
    runs, got = Runs(), []
    slow = replace(SHORT, data=regviz.DataSpec(seed=1))
    threads = [threading.Thread(target=lambda: got.append(runs.get(slow))) for _ in range(2)]
    for thread in threads:
        thread.start()
    until(lambda: begun == [1])
    assert finish(runs.get(SHORT)).complete
    runs.leave(slow, "")
    assert got == []
    go_on.set()
    for thread in threads:
        thread.join()
    assert got[0] is got[1]
    assert begun == [1, 0]


def test_all_who_wait_for_an_impossible_run_are_refused_and_it_can_be_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
):
    begun, go_on = starting_slowly(monkeypatch)
    impossible = replace(
        SHORT, data=regviz.DataSpec(seed=1), training=regviz.TrainingSpec(batch_size=10**6)
    )
    runs, refused = Runs(), []

    def ask() -> None:
        try:
            runs.get(impossible)
        except ValueError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: begun == [1])
    go_on.set()
    for thread in threads:
        thread.join()
    assert len(refused) == 3
    ask()
    assert len(set(refused)) == 1
    assert len(refused) == 4
    assert len(runs) == 0


def test_a_run_that_nobody_watches_stops_and_is_started_anew_when_asked_for():
    runs = Runs(patience=0.2)
    run = runs.get(LONG)
    until(lambda: not run.alive)
    again = runs.get(LONG)
    assert again is not run
    assert len(again.wait(0).epochs) > 0


def test_who_comes_back_to_what_is_about_to_stop_gets_another():
    runs = Runs(patience=60)
    turns_module._turns.take(at_first)  # so that it cannot stop yet
    run = runs.get(LONG, "me")
    runs.leave(LONG, "me")
    assert not run.wanted()
    again = runs.get(LONG, "me")
    assert again is not run
    assert again.wanted()
    assert not run.watch("me")
    assert not run.wanted()
    assert runs.get(LONG, "you") is again
    turns_module._turns.give()
    until(lambda: not run.in_progress)
    assert again.in_progress
    again.leave("me")
    again.leave("you")


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


def test_the_bound_holds_when_trainings_end_and_nobody_comes_any_more(
    monkeypatch: pytest.MonkeyPatch,
):
    one = finish(Run(SHORT)).n_bytes
    runs = Runs(max_bytes=int(2.5 * one))
    gate = threading.Event()
    pause = turns_module.Job.pause

    def held(job: turns_module.Job) -> None:
        pause(job)
        while not gate.wait(0.01):
            pause(job)

    monkeypatch.setattr(turns_module.Job, "pause", held)
    experiments = [replace(SHORT, data=regviz.DataSpec(seed=seed)) for seed in range(4)]
    kept = [runs.get(experiment, always=True) for experiment in experiments]
    assert runs.n_bytes >= 4 * one
    for each in runs._kept.values():
        each.asked -= 2 * runs.patience  # as if all visitors had gone long ago
    gate.set()
    for run in kept:
        finish(run)
    until(lambda: runs.n_bytes <= runs.max_bytes)
    assert len(runs) == 2


def test_a_visitor_who_has_just_asked_keeps_a_run_beyond_the_bound_until_the_next_tidying():
    runs = Runs(max_bytes=1)
    run = runs.get(SHORT)
    finish(run)
    until(lambda: not run.in_progress)
    assert runs.get(SHORT) is run
    runs._kept[(SHORT, None)].asked -= 2 * runs.patience
    runs.tidy()
    assert len(runs) == 0


def test_an_impossible_experiment_is_refused_at_once_and_leaves_nothing_behind():
    runs = Runs()
    with pytest.raises(ValueError, match="batch_size must be at most 160"):
        runs.get(replace(SHORT, training=regviz.TrainingSpec(batch_size=10**6)))
    assert len(runs) == 0


def test_a_failure_while_training_is_reported_to_who_waits(monkeypatch: pytest.MonkeyPatch):
    def fail(experiments: Sequence[regviz.Experiment], *_: object, **__: object):
        yield [next(regviz.stream(experiment)) for experiment in experiments]
        raise MemoryError("no more")

    monkeypatch.setattr(module, "histories", fail)
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
    until(lambda: not run.alive)


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


def test_a_turn_ends_within_an_epoch_and_so_does_a_run_that_nobody_watches(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(regviz.training, "PART", 1)  # an epoch's parts are single steps
    monkeypatch.setattr(turns_module, "SLICE", 0)  # a turn is one of them
    monkeypatch.setattr(turns_module, "STAGES", ())  # and all take turns from the beginning
    heavy = replace(
        SHORT,
        data=regviz.DataSpec(n_samples=2000),
        training=regviz.TrainingSpec(epochs=10, batch_size=1),
    )
    runs = Runs()
    turns_module._turns.take(at_first)  # nobody trains yet
    long = runs.get(heavy)
    until(lambda: len(turns_module._turns._waiting) == 1)
    short = runs.get(SHORT)
    until(lambda: len(turns_module._turns._waiting) == 2)
    turns_module._turns.give()
    finish(short)  # after fewer steps than the long one's first epoch has
    assert long.wait(0).epochs.tolist() == [0]
    runs.leave(heavy, "")
    until(lambda: not long.alive)
    assert len(long._history.epochs) == 1


# ------------------------------------------------------------------------------ who comes first


def test_the_urgent_take_their_turns_first_and_else_who_asked_first():
    turns, taken, threads = turns_module._Turns(), [], []
    places = ["a", "b", "c", "d"]
    turns.take(at_first)

    def ask(name: str, urgent: bool) -> None:
        turns.take(lambda: (not urgent, 0, places.index(name)))
        taken.append(name)
        turns.give()

    for name, urgent in (("a", False), ("b", True), ("c", False), ("d", True)):
        threads.append(threading.Thread(target=ask, args=(name, urgent)))
        threads[-1].start()
        until(lambda: len(turns._waiting) == len(threads))
    assert taken == []
    turns.give()
    for thread in threads:
        thread.join()
    assert taken == ["b", "d", "a", "c"]


def unlike(*seeds: int) -> list[regviz.Experiment]:
    """Experiments of one length that are not trained together."""
    return [
        replace(
            SHORT,
            data=regviz.DataSpec(seed=seed),
            training=regviz.TrainingSpec(epochs=30, momentum=seed / 10),
        )
        for seed in seeds
    ]


def test_of_equals_the_first_is_finished_first_until_it_has_taken_long(
    monkeypatch: pytest.MonkeyPatch,
):
    epochs = epochs_in_order(monkeypatch)
    monkeypatch.setattr(turns_module, "SLICE", 0)
    monkeypatch.setattr(turns_module, "STAGES", (1000.0,))
    runs = Runs()
    turns_module._turns.take(at_first)  # nobody trains yet
    pair = unlike(1, 2)
    first = runs.get(pair[0])
    until(lambda: len(turns_module._turns._waiting) == 1)
    second = runs.get(pair[1])
    until(lambda: len(turns_module._turns._waiting) == 2)
    turns_module._turns.give()
    finish(first)
    finish(second)
    assert sorted(epochs) == [1] * 30 + [2] * 30
    last = len(epochs) - epochs[::-1].index(1)
    assert epochs[:last].count(2) <= 2  # a turn may slip through while the first asks for its next


def test_what_has_taken_long_steps_back_behind_what_begins(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(turns_module, "STAGES", (0.05, 1000.0))
    runs = Runs()
    long = runs.get(LONG)
    until(lambda: long.job.seconds > 0.05)
    short = runs.get(SHORT)
    finish(short)
    assert not long.wait(0).complete
    runs.leave(LONG, "")


def test_what_is_unwanted_ends_while_it_waits_however_much_comes_first():
    runs = Runs()
    busy = runs.get(LONG)
    waiting = runs.get(replace(LONG, data=regviz.DataSpec(seed=1)), "a", urgent=False)
    assert runs.n_training == 2
    waiting.leave("a")
    until(lambda: not waiting.in_progress)
    assert busy.in_progress
    assert runs.n_training == 1
    runs.leave(LONG, "")


def epochs_in_order(
    monkeypatch: pytest.MonkeyPatch,
    name: Callable[[Sequence[regviz.Experiment]], Any] = lambda trained: trained[0].data.seed,
) -> list[Any]:
    """A list that grows with every epoch of every run, by the seed of the run's data."""
    epochs = []

    def watched(
        experiments: Sequence[regviz.Experiment],
        datasets: Sequence[regviz.Dataset],
        after_epoch: Callable[[], None],
        pause: Callable[[], None],
    ):
        def count() -> None:
            epochs.append(name(experiments))
            after_epoch()

        return histories(experiments, datasets, after_epoch=count, pause=pause)

    monkeypatch.setattr(module, "histories", watched)
    return epochs


def test_a_run_that_is_not_urgent_waits_until_the_urgent_are_complete(
    monkeypatch: pytest.MonkeyPatch,
):
    epochs = epochs_in_order(monkeypatch)
    monkeypatch.setattr(regviz.training, "PART", 1)  # an epoch's parts are single steps
    monkeypatch.setattr(turns_module, "SLICE", 0)  # a turn is one of them
    monkeypatch.setattr(turns_module, "STAGES", ())  # and all take turns from the beginning
    runs = Runs()
    turns_module._turns.take(at_first)  # nobody trains yet
    patient = runs.get(replace(SHORT, data=regviz.DataSpec(seed=1)), urgent=False)
    until(lambda: len(turns_module._turns._waiting) == 1)
    urgent = runs.get(SHORT)
    until(lambda: len(turns_module._turns._waiting) == 2)
    turns_module._turns.give()
    finish(patient)
    assert finish(urgent).complete
    assert sorted(epochs) == [0] * 30 + [1] * 30
    before = epochs[: len(epochs) - epochs[::-1].index(0)].count(1)
    assert before <= 2  # a turn may slip through while the urgent one asks for its next


def test_long_runs_are_urgent_for_a_while_only_so_that_all_get_on(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(turns_module, "HURRY", 0.1)
    runs = Runs()
    heavy = [replace(LONG, data=regviz.DataSpec(seed=seed)) for seed in (1, 2)]
    long = [runs.get(experiment) for experiment in heavy]
    short = runs.get(SHORT, urgent=False)
    until(lambda: short.wait(0).complete)
    for run in long:
        assert not run.job.urgent
        seen = len(run.wait(0).epochs)
        assert len(run.wait(seen).epochs) > seen
    for experiment in heavy:
        runs.leave(experiment, "")


def test_a_run_becomes_urgent_when_someone_asks_for_it_urgently_even_while_it_waits(
    monkeypatch: pytest.MonkeyPatch,
):
    epochs = epochs_in_order(monkeypatch)
    monkeypatch.setattr(regviz.training, "PART", 1)  # an epoch's parts are single steps
    monkeypatch.setattr(turns_module, "SLICE", 0)  # a turn is one of them
    monkeypatch.setattr(turns_module, "STAGES", ())  # and all take turns from the beginning
    runs = Runs()
    turns_module._turns.take(at_first)  # nobody trains yet
    pair = unlike(1, 2)
    first, second = (runs.get(experiment, urgent=False) for experiment in pair)
    until(lambda: len(turns_module._turns._waiting) == 2)
    assert runs.get(pair[1]) is second
    turns_module._turns.give()
    assert finish(second).complete
    assert finish(first).complete
    before = epochs[: len(epochs) - epochs[::-1].index(2)].count(1)
    assert before <= 2  # a turn may slip through while the urgent one asks for its next


def test_to_ask_again_for_a_long_run_does_not_make_it_urgent_anew(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(turns_module, "HURRY", 0)
    runs = Runs()
    run = runs.get(LONG)
    run.wait(1)
    assert not runs.get(LONG).job.urgent
    runs.leave(LONG, "")


def test_a_run_that_is_kept_forgets_visitors_who_have_gone():
    runs = Runs(patience=10)
    run = runs.get(SHORT, "a")
    finish(run)
    until(lambda: not run.in_progress)
    for visitor in ("b", "c", "d"):
        run._visitors = {who: at - 11 for who, at in run._visitors.items()}
        runs.get(SHORT, visitor)
    assert set(run._visitors) == {"d"}


def test_runs_of_one_urgency_share_the_turns():
    long = Run(LONG)
    assert finish(Run(SHORT)).complete
    seen = len(long.wait(0).epochs)
    assert len(long.wait(seen).epochs) > seen
    long.leave("")


@pytest.fixture
def room() -> Iterator[Callable[[float], None]]:
    """Sets how much may be held; afterwards there is as much room as before."""
    yield turns_module.bound_memory
    turns_module.bound_memory(math.inf)


ROWS = (regviz.Regularization(), regviz.Regularization(drop_rate=0.1))


def begun(run: Run) -> bool:
    return len(run._history.epochs) > 1


def test_what_there_is_no_room_for_waits_while_smaller_ones_pass_it_by(
    room: Callable[[float], None],
):
    large, other = (
        replace(LONG, network=regviz.NetworkSpec((16, units)), regularizations=ROWS)
        for units in (16, 17)
    )
    room(1.9 * memory(large))
    held, waits = Run(large), Run(other)
    until(lambda: begun(held))
    short = Run(SHORT)
    until(lambda: not short.in_progress)
    assert short._history.complete
    assert not begun(waits)
    assert turns_module._turns.held == held.work.memory()
    held.leave("")
    until(lambda: begun(waits))
    assert turns_module._turns.held == waits.work.memory()
    waits.leave("")
    until(lambda: turns_module._turns.held == 0)


def test_what_is_larger_than_all_room_trains_by_itself(
    room: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(turns_module, "STAGES", ())  # all take turns from the beginning
    room(1)
    first, second = waiting(long_ones(2))
    turns_module._turns.give()
    until(lambda: first._n_epochs > 500)
    assert not begun(second)
    first.leave("")
    until(lambda: begun(second))
    second.leave("")


def long_ones(n: int) -> list[regviz.Experiment]:
    """Experiments without an end that are not trained together."""
    return [
        replace(LONG, training=replace(LONG.training, momentum=i / 10, optimizer="momentum"))
        for i in range(1, n + 1)
    ]


def test_those_that_are_not_urgent_leave_room_for_the_urgent(
    room: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(turns_module, "STAGES", ())
    experiments = long_ones(3)
    room(2.5 * memory(LONG))  # of which those that are not urgent may take less than two
    patient, other = waiting(experiments[:2], urgent=False)
    turns_module._turns.give()
    until(lambda: patient._n_epochs > 500)
    assert not begun(other)
    urgent = Run(experiments[2])
    until(lambda: begun(urgent))
    assert not begun(other)
    for run in (patient, other, urgent):
        run.leave("")


def test_one_that_is_not_urgent_and_larger_than_all_room_leaves_some_to_the_urgent(
    room: Callable[[float], None],
):
    large = replace(LONG, network=regviz.NetworkSpec((16, 16)))
    room(5 * memory(SHORT))
    assert memory(large) > 5 * memory(SHORT)
    patient = Run(large, urgent=False, patience=60)
    until(lambda: begun(patient))
    assert finish(Run(SHORT)).complete
    assert patient.in_progress
    patient.leave("")


def test_what_has_waited_long_for_room_is_passed_by_no_more(
    room: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(turns_module, "STAGES", ())
    monkeypatch.setattr(turns_module, "OVERDUE", 0.5)
    small, later = long_ones(2)
    large = replace(LONG, network=regviz.NetworkSpec((16, 16)))
    room(memory(large) + memory(LONG) // 2)
    first, waits = waiting([small, large], patience=60)
    turns_module._turns.give()
    until(lambda: begun(first))
    time.sleep(0.6)
    last = Run(later)
    seen = first._n_epochs
    until(lambda: first._n_epochs > seen + 500)
    assert not begun(last)  # though there is room for it
    assert not begun(waits)
    first.leave("")
    until(lambda: begun(waits))
    for run in (waits, last):
        run.leave("")


def test_what_is_unwanted_ends_however_little_room_there_is(room: Callable[[float], None]):
    room(1)
    long = Run(LONG)
    until(lambda: begun(long))
    waits = Run(replace(LONG, data=regviz.DataSpec(n_samples=300)))
    waits.leave("")
    until(lambda: not waits.in_progress)
    assert long.in_progress
    long.leave("")


# ------------------------------------------------------------------------------ together


def alike(n: int, epochs: int = 300) -> list[regviz.Experiment]:
    """Experiments that differ in their points, their seeds and their strengths."""
    return [
        regviz.Experiment(
            regviz.DataSpec(seed=i, noise=0.1 * i),
            regviz.NetworkSpec((3,)),
            regviz.TrainingSpec(epochs=epochs, frames=30, seed=10 + i),
            (
                regviz.Regularization(),
                regviz.Regularization(l1=0.003 * i, onset=2 * i),
                regviz.Regularization(drop_rate=0.1 + 0.1 * i),
                regviz.Regularization(max_norm=0.2 + i, l2=0.01),
            ),
        )
        for i in range(n)
    ]


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> list[list[regviz.Experiment]]:
    """What is trained together, by program, once its second recording has come."""
    found = []

    def noted(experiments: Sequence[regviz.Experiment], *rest: object, **options: object):
        grown = histories(experiments, *rest, **options)
        yield next(grown)
        found.append(list(experiments))
        yield from grown

    monkeypatch.setattr(module, "histories", noted)
    return found


def waiting(experiments: Sequence[regviz.Experiment], **options: object) -> list[Run]:
    """Runs that all wait for a turn, which `turns._turns.give` then gives to the first."""
    turns_module._turns.take(at_first)
    runs = []
    for experiment in experiments:
        runs.append(Run(experiment, **options))
        until(lambda: len(turns_module._turns._waiting) == len(runs))
    return runs


def test_what_waits_and_is_alike_is_trained_as_one_program_each_to_the_bit_as_alone(
    programs: list[list[regviz.Experiment]],
):
    experiments = alike(3)
    runs = waiting(experiments)
    turns_module._turns.give()
    found = [finish(run) for run in runs]
    assert programs == [experiments]
    for experiment, history in zip(experiments, found, strict=True):
        alone = regviz.train(experiment)
        assert history.experiment == experiment
        assert history.parameters.tobytes() == alone.parameters.tobytes()
        for name, values in alone.metrics.items():
            assert history.metrics[name].tobytes() == values.tobytes()
        assert np.array_equal(history.diverged, alone.diverged)
    assert [run.packing.frames for run in runs] == [[(t, SINGLE) for t in range(31)]] * 3


def test_what_is_not_alike_is_trained_by_itself(programs: list[list[regviz.Experiment]]):
    first = alike(1)[0]
    rows = first.regularizations
    others = [
        replace(first, data=replace(first.data, n_samples=300)),
        replace(first, data=regviz.DataSpec("bumps")),
        replace(first, network=regviz.NetworkSpec((4,))),
        replace(first, training=replace(first.training, learning_rate=0.1)),
        replace(first, training=replace(first.training, epochs=301)),
        replace(first, regularizations=rows[:3]),
        replace(first, regularizations=(*rows[:3], regviz.Regularization(drop_rate=0.5))),
    ]
    runs = waiting([first, *others])
    turns_module._turns.give()
    for run in runs:
        finish(run)
    assert sorted(map(len, programs)) == [1] * len(runs)


def test_the_urgent_take_along_no_others_and_several_seeds_nobody(
    programs: list[list[regviz.Experiment]],
):
    one, other, third = alike(3)
    turns_module._turns.take(at_first)
    patient, urgent = Run(one, urgent=False), Run(other)
    replication = Replication(third, (1, 2))
    until(lambda: len(turns_module._turns._waiting) == 3)
    turns_module._turns.give()
    for run in (patient, urgent):
        finish(run)
    assert replication.wait(20) is not None
    seeds = [with_seed(third, seed) for seed in (1, 2)]
    assert sorted(programs, key=len) == [[other], [one], seeds]


def test_no_more_are_trained_together_than_is_worth_it(
    programs: list[list[regviz.Experiment]], monkeypatch: pytest.MonkeyPatch
):
    experiments = alike(5)
    monkeypatch.setattr(module, "company", lambda experiment: 2)
    runs = waiting(experiments)
    turns_module._turns.give()
    for run in runs:
        finish(run)
    assert programs == [experiments[:2], experiments[2:4], experiments[4:]]


def test_no_more_are_trained_together_than_there_is_room_for(
    programs: list[list[regviz.Experiment]], room: Callable[[float], None]
):
    experiments = alike(5)
    room(memory(experiments[0], 3))
    runs = waiting(experiments)
    turns_module._turns.give()
    for run in runs:
        finish(run)
    assert sorted(map(len, programs)) == [2, 3]


def test_of_what_is_trained_together_each_stops_by_itself(
    programs: list[list[regviz.Experiment]],
):
    experiments = alike(4, epochs=1_000_000)
    runs = waiting(experiments)
    runs[3].leave("")  # before it has begun
    until(lambda: runs[3].wanted() is False)
    turns_module._turns.give()
    until(lambda: not runs[3].in_progress)
    for gone, left in ((0, (1, 2)), (2, (1,))):  # the first one, which took the others along, too
        runs[gone].leave("")
        until(lambda gone=gone: not runs[gone].in_progress)
        assert not runs[gone].alive
        n_recorded = len(runs[gone]._history.epochs)
        for i in left:
            seen = len(runs[i].wait(0).epochs)
            assert len(runs[i].wait(seen).epochs) > seen
        assert len(runs[gone]._history.epochs) == n_recorded
    runs[1].leave("")
    until(lambda: not runs[1].in_progress)
    assert programs == [experiments[:3]]


def test_what_is_asked_for_urgently_hastens_those_that_are_trained_with_it(
    programs: list[list[regviz.Experiment]],
):
    experiments = alike(2, epochs=1_000_000)
    runs = waiting(experiments, urgent=False)
    turns_module._turns.give()
    until(lambda: programs == [experiments])
    assert [run.job.urgent for run in runs] == [False, False]
    runs[1].job.hasten()
    assert [run.job.urgent for run in runs] == [True, True]
    for run in runs:
        run.leave("")


def test_each_of_those_trained_together_counts_its_share_of_the_time(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    runs = waiting(alike(4, epochs=200))
    began = time.process_time()
    with caplog.at_level("INFO", "regviz.runs"):
        turns_module._turns.give()
        for run in runs:
            finish(run)
        until(lambda: len(caplog.records) == 4)
    taken = time.process_time() - began
    shares = [record.fields["ms"] / 1000 for record in caplog.records]
    assert len(set(shares)) == 1
    assert taken / 2 < sum(shares) < taken + 0.01


def test_who_is_left_alone_counts_all_of_the_time_from_then_on(
    programs: list[list[regviz.Experiment]],
):
    experiments = alike(6, epochs=1_000_000)
    runs = waiting(experiments)
    turns_module._turns.give()
    until(lambda: programs == [experiments])
    for run in runs[1:]:
        run.leave("")
    until(lambda: not any(run.in_progress for run in runs[1:]))
    before, began = runs[0].job.seconds, time.process_time()
    until(lambda: time.process_time() - began > 0.5)
    counted, taken = runs[0].job.seconds - before, time.process_time() - began
    assert counted > taken / 2
    runs[0].leave("")


def test_what_was_trained_together_is_kept_apart(programs: list[list[regviz.Experiment]]):
    experiments = alike(3)
    runs = waiting(experiments)
    turns_module._turns.give()
    for run in runs:
        finish(run)
    until(lambda: not turns_module._threads)
    left = [weakref.ref(run) for run in runs[1:]]
    del runs[1:], run
    gc.collect()
    assert [one() for one in left] == [None, None]
    assert programs == [experiments]


def test_what_fails_keeps_nothing_of_what_was_trained(monkeypatch: pytest.MonkeyPatch):
    kept: list[weakref.ref[object]] = []

    class Large:
        """What a training holds."""

    def fails(experiments: Sequence[regviz.Experiment], *rest: object, **options: object):
        large = Large()
        kept.append(weakref.ref(large))
        for grown in histories(experiments, *rest, **options):
            yield grown
            assert large

    monkeypatch.setattr(module, "histories", fails)
    run = Run(SHORT)
    until(lambda: not run.in_progress)
    assert kept.pop()() is None
    packed = Packing.add
    times = iter(range(100))

    def full(self: Packing, history: regviz.History) -> None:
        if next(times) > 3:
            raise MemoryError("there is no more")
        packed(self, history)

    monkeypatch.setattr(Packing, "add", full)
    run = Run(LONG)
    until(lambda: not run.in_progress)
    assert isinstance(run.error, MemoryError)
    until(lambda: not turns_module._threads)
    assert kept.pop()() is None  # though its error is kept


def test_who_cannot_take_it_in_fails_alone(
    programs: list[list[regviz.Experiment]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    experiments = alike(4)
    runs = waiting(experiments)

    def fail(*_: object) -> None:
        raise MemoryError("no more")

    monkeypatch.setattr(runs[0], "add", fail)
    end = runs[1].end

    def end_badly(*how: object) -> None:
        end(*how)
        raise MemoryError("nor to say so")

    monkeypatch.setattr(runs[1], "end", end_badly)
    turns_module._turns.give()
    for run in runs[1:]:
        assert finish(run).complete
    assert isinstance(runs[0].error, MemoryError)
    until(lambda: "not taken in" in caplog.text)
    assert finish(Run(SHORT)).complete


def test_a_failure_while_training_is_reported_to_all_who_wait_for_it(
    monkeypatch: pytest.MonkeyPatch,
):
    def fail(experiments: Sequence[regviz.Experiment], *_: object, **__: object):
        yield [next(regviz.stream(experiment)) for experiment in experiments]
        raise MemoryError("no more")

    monkeypatch.setattr(module, "histories", fail)
    runs = waiting(alike(3))
    turns_module._turns.give()
    for run in runs:
        with pytest.raises(RuntimeError, match="training failed"):
            run.wait(1)


# ------------------------------------------------------------------------------ packing


def test_a_run_without_a_limit_packs_every_epoch_in_single_precision():
    run = Run(SHORT)
    assert finish(run).complete
    assert run.packing.frames == [(t, SINGLE) for t in range(31)]


def test_a_run_packs_as_its_limit_asks_for():
    run = Runs().get(SHORT, urgent=False, limit=0)
    history = finish(run)
    alone = Packing(history, 0)
    alone.add(history)
    assert run.packing.frames == alone.frames
    assert run.packing.frames[0] == (0, HALF)


def test_what_is_packed_is_there_before_the_history_is_seen():
    run = Run(SHORT)
    seen = 0
    while seen < 31:
        seen = len(run.wait(seen).epochs)
        assert len(run.packing.frames) >= seen


def test_waiting_counts_the_frames_that_travel(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Packing, "_bears_half", lambda self, history, t: False)
    run = Run(SHORT, limit=0)
    seen, times = 0, []
    while seen < 16:
        history = run.wait(seen)
        sent = [t for t, _ in run.packing.frames[seen:] if t < len(history.epochs)]
        assert sent
        seen, times = seen + len(sent), times + sent
    assert times == list(range(0, 31, 2))
    assert run.wait(seen).complete


def test_who_waits_is_never_shown_a_history_without_the_frames_waited_for(
    monkeypatch: pytest.MonkeyPatch,
):
    add = Packing.add

    def slowly(self: Packing, history: regviz.History) -> None:
        add(self, history)
        time.sleep(0.01)  # packed, but not yet given out

    monkeypatch.setattr(Packing, "add", slowly)
    run = Run(SHORT)
    for seen in range(1, 31):
        assert len(run.wait(seen).epochs) > seen


# ------------------------------------------------------------------------------ several seeds


FEW = replace(SHORT, training=regviz.TrainingSpec(epochs=30, frames=1))
MANY = replace(SHORT, training=regviz.TrainingSpec(epochs=1_000_000, frames=1))


def test_a_replication_ends_with_what_replicate_returns():
    replication = Runs().replicate(FEW, (1, 2))
    found = replication.wait(20)
    assert found is not None
    assert replication.share == 1
    for one, other in zip(found, regviz.replicate(FEW, (1, 2)), strict=True):
        assert one.experiment == other.experiment
        np.testing.assert_array_equal(one.parameters, other.parameters)


def test_a_replication_is_none_until_it_is_complete_and_shows_its_progress():
    runs = Runs()
    replication = runs.replicate(MANY, (1, 2), "me")
    assert replication.wait(0.01) is None
    until(lambda: replication.share > 0)
    assert replication.share < 1
    replication.leave("me")


def test_the_same_replication_is_trained_once_and_is_no_run():
    runs = Runs()
    replication = runs.replicate(FEW, [1, 2])
    assert runs.replicate(FEW, (1, 2)) is replication
    assert runs.replicate(FEW, (2, 1)) is not replication
    assert isinstance(runs.get(FEW), Run)
    assert len(runs) == 3
    with pytest.raises(ValueError, match=r"^seeds must be"):
        runs.replicate(FEW, ())


def test_a_replication_that_nobody_watches_stops_says_so_and_is_started_anew():
    runs = Runs(patience=0.1)
    replication = runs.replicate(MANY, (1, 2), "me")
    until(lambda: not replication.alive)
    with pytest.raises(RuntimeError, match="nobody watched"):
        replication.wait(1)
    again = runs.replicate(MANY, (1, 2), "me")
    assert again is not replication
    again.leave("me")


def test_who_waits_for_a_replication_watches_it():
    replication = Runs(patience=0.05).replicate(MANY, (1, 2))
    assert replication.wait(0.5) is None
    until(lambda: not replication.alive)


def test_a_replication_leaves_the_turns_to_urgent_runs(monkeypatch: pytest.MonkeyPatch):
    epochs = epochs_in_order(
        monkeypatch, lambda experiments: "urgent" if len(experiments) == 1 else "replication"
    )
    monkeypatch.setattr(regviz.training, "PART", 1)  # an epoch's parts are single steps
    monkeypatch.setattr(turns_module, "SLICE", 0)  # a turn is one of them
    monkeypatch.setattr(turns_module, "STAGES", ())  # and all take turns from the beginning
    runs = Runs()
    turns_module._turns.take(at_first)  # nobody trains yet
    replication = runs.replicate(FEW, (1, 2))
    until(lambda: len(turns_module._turns._waiting) == 1)
    runs.get(SHORT)
    until(lambda: len(turns_module._turns._waiting) == 2)
    turns_module._turns.give()
    assert replication.wait(20) is not None
    before = epochs[: len(epochs) - epochs[::-1].index("urgent")].count("replication")
    assert before <= 2  # a turn may slip through while the urgent one asks for its next


def test_a_replications_bytes_count_toward_the_bound():
    one = Runs().replicate(FEW, (1, 2)).n_bytes
    assert one == sum(history.n_bytes for history in regviz.replicate(FEW, (1, 2)))
    runs = Runs(max_bytes=int(2.5 * one))
    for seed in range(4):
        runs.replicate(FEW, (seed, seed + 10)).wait(20)
    assert len(runs) == 2


def test_an_impossible_replication_is_refused_at_once_and_leaves_nothing_behind():
    runs = Runs()
    with pytest.raises(ValueError, match="batch_size must be at most 160"):
        runs.replicate(replace(FEW, training=regviz.TrainingSpec(batch_size=10**6)), (1, 2))
    assert len(runs) == 0


def test_a_failure_of_a_replication_is_reported_to_who_waits(monkeypatch: pytest.MonkeyPatch):
    def fail(experiments: Sequence[regviz.Experiment], *_: object, **__: object):
        yield [regviz.train(experiment) for experiment in experiments]
        raise MemoryError("no more")

    monkeypatch.setattr(module, "histories", fail)
    replication = Runs().replicate(FEW, (1, 2))
    with pytest.raises(RuntimeError, match="training failed"):
        replication.wait(5)
    assert not replication.alive
