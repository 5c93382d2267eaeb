"""A training beside this process is the same as in it, to the bit, and ends as it should."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

import regviz
from regviz.cost import memory
from regviz.history import History
from regviz.run import Replication, Run
from regviz.runs import Runs
from regviz.trainers import Beside, _Process
from regviz.validation import MAX_SEED
from tests import test_runs
from tests.test_runs import LONG, SHORT, finish

ROWS = (
    regviz.Regularization(),
    regviz.Regularization(l1=0.01),
    regviz.Regularization(drop_rate=0.3),
)


def until(condition: Callable[[], bool]) -> None:
    """Wait, for as long as it takes to start a process where much else goes on."""
    test_runs.until(condition)


@pytest.fixture(scope="module")
def beside() -> Iterator[Beside]:
    trainer = Beside()
    yield trainer
    trainer.close()


def assert_equal(one: History, other: History) -> None:
    assert one.experiment == other.experiment
    for name in ("epochs", "parameters", "diverged"):
        a, b = getattr(one, name), getattr(other, name)
        assert a.dtype == b.dtype
        assert a.tobytes() == b.tobytes()
    for name, values in one.metrics.items():
        assert values.tobytes() == other.metrics[name].tobytes()
    for array in (other.parameters, other.epochs, *other.metrics.values()):
        assert not array.flags.writeable


@pytest.mark.parametrize(
    "experiment",
    [
        replace(SHORT, regularizations=ROWS),
        replace(
            SHORT,
            data=regviz.DataSpec("bumps"),
            regularizations=ROWS,
            training=regviz.TrainingSpec(epochs=150, frames=10, dtype="float64", seed=MAX_SEED),
        ),
        # diverges, and keeps its last finite parameters
        replace(
            SHORT,
            network=regviz.NetworkSpec((8, 8), "relu"),
            data=regviz.DataSpec("bumps"),
            training=regviz.TrainingSpec(epochs=40, learning_rate=10),
        ),
    ],
    ids=["classes", "regression in double precision", "diverging"],
)
def test_the_recording_is_the_same_to_the_bit(experiment: regviz.Experiment, beside: Beside):
    here = regviz.train(experiment)
    assert_equal(here, finish(Run(experiment, trainer=beside)))
    if experiment.training.learning_rate == 10:
        assert (here.diverged >= 0).any()


def test_so_are_those_of_several_seeds(beside: Beside):
    experiment = replace(SHORT, regularizations=ROWS)
    found = Replication(experiment, (3, 1), trainer=beside)
    histories = found.wait(20)
    assert histories is not None
    assert found.share > 0
    for one, other in zip(regviz.replicate(experiment, (3, 1)), histories, strict=True):
        assert_equal(one, other)


def test_own_points_arrive(beside: Beside):
    points = regviz.points.PointsSpec(
        tuple((x, y, int(x > 0)) for x in (-1.5, -0.5, 0.5, 1.5) for y in (-1.0, 0.0, 1.0)),
    )
    experiment = replace(SHORT, data=points, training=regviz.TrainingSpec(epochs=5, batch_size=2))
    assert_equal(regviz.train(experiment), finish(Run(experiment, trainer=beside)))


def test_what_cannot_be_trained_is_refused_at_once(beside: Beside):
    with pytest.raises(ValueError, match="batch_size must be"):
        Run(replace(SHORT, training=regviz.TrainingSpec(batch_size=10**6)), trainer=beside)


def test_what_nobody_wants_stops_and_another_goes_on(beside: Beside):
    runs = Runs(trainer=beside)
    long, other = runs.get(LONG, "a"), runs.get(replace(LONG, data=regviz.DataSpec(seed=1)), "b")
    long.leave("a")
    until(lambda: not long.in_progress)
    assert not long.alive
    assert other.in_progress
    assert finish(runs.get(SHORT)).complete
    other.leave("b")
    until(lambda: not other.in_progress)


def test_the_urgent_come_first_there_too_and_what_waits_can_be_hastened(beside: Beside):
    runs = Runs(trainer=beside)
    heavy = [replace(LONG, data=regviz.DataSpec(seed=seed)) for seed in (1, 2)]
    running = runs.get(heavy[0])
    patient = runs.get(heavy[1], urgent=False)
    until(lambda: len(running.wait(0).epochs) > 5)
    assert len(patient.wait(0, timeout=0).epochs) == 1
    runs.get(heavy[1], urgent=True)
    until(lambda: len(patient.wait(0).epochs) > 1)
    for experiment in heavy:
        runs.leave(experiment, "")


def test_what_waits_there_is_trained_together_and_comes_apart_here(beside: Beside):
    runs = Runs(trainer=beside)
    busy = runs.get(LONG, "a", urgent=False)
    busy.wait(3)
    experiments = [
        replace(
            SHORT,
            data=regviz.DataSpec(seed=seed),
            training=regviz.TrainingSpec(epochs=300, frames=20, seed=seed),
            regularizations=ROWS,
        )
        for seed in range(5)
    ]
    together = [Run(experiment, trainer=beside) for experiment in experiments]
    together.pop(3).leave("")
    found = [finish(run) for run in together]
    busy.leave("a")
    for history in found:
        assert_equal(regviz.train(history.experiment), history)
    until(lambda: not busy.in_progress)


def test_a_failure_there_fails_here_with_its_traceback(
    monkeypatch: pytest.MonkeyPatch, beside: Beside
):
    (process,) = beside.prepare()
    send = process.send
    broken = {"seeds": [1, 1]}  # refused there, as nobody has looked at it here
    monkeypatch.setattr(process, "send", lambda message: send(message | broken))
    run = Run(SHORT, trainer=beside)
    until(lambda: not run.in_progress)
    assert "seeds must be without repetition" in str(run.error)


def test_if_the_process_ends_so_do_its_trainings_and_the_next_one_has_another(beside: Beside):
    run = Run(LONG, trainer=beside)
    run.wait(3)
    (process,) = beside.prepare()
    process._process.kill()
    until(lambda: not run.in_progress)
    assert not run.alive
    with pytest.raises(RuntimeError, match="the training failed"):
        run.wait(10**6)
    assert "has ended" in str(run.error)
    again = Run(SHORT, trainer=beside)
    assert_equal(regviz.train(SHORT), finish(again))


def test_what_cannot_be_taken_in_fails_alone_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, beside: Beside
):
    run, other = Run(LONG, trainer=beside), Run(seeded(1), trainer=beside)
    run.wait(3)

    def fail(*_: object) -> None:
        raise MemoryError("no more")

    monkeypatch.setattr(run.packing, "add", fail)
    until(lambda: not run.in_progress)
    assert isinstance(run.error, MemoryError)
    seen = len(other.wait(0).epochs)
    assert len(other.wait(seen).epochs) > seen
    other.leave("")
    until(lambda: not other.in_progress)


def test_a_process_that_cannot_be_understood_is_ended_and_the_next_one_is_another(
    monkeypatch: pytest.MonkeyPatch, beside: Beside
):
    (process,) = beside.prepare()
    run = Run(LONG, trainer=beside)
    run.wait(3)
    monkeypatch.setattr(process, "_pass_on", lambda header, body: 1 / 0)
    until(lambda: not run.in_progress)
    assert "has ended" in str(run.error)
    monkeypatch.undo()
    assert finish(Run(SHORT, trainer=beside)).complete


def test_the_process_ends_when_the_one_that_started_it_is_killed(tmp_path):
    script = (
        "import sys, time\n"
        "from regviz.trainers import Beside\n"
        "(process,) = Beside().prepare()\n"
        "print(process._process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    until(lambda: not alive(child))


def alive(pid: int) -> bool:
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return found.stdout.strip() not in ("", "Z")


def seeded(seed: int) -> regviz.Experiment:
    return replace(LONG, data=regviz.DataSpec(seed=seed))


def load(process: _Process, urgent: bool) -> tuple[int, int]:
    """How many come before one of this urgency, and how many there are."""
    full, *found = process.load(urgent, 0)
    assert not full
    return tuple(found)


def test_several_processes_share_the_trainings():
    trainer = Beside(2)
    try:
        runs = [Run(seeded(seed), trainer=trainer) for seed in range(4)]
        assert [load(process, True) for process in trainer.prepare()] == [(2, 2), (2, 2)]
        for run in runs:
            run.leave("")
        until(lambda: not any(run.in_progress for run in runs))
        # what is not urgent keeps nothing urgent waiting
        (first, second) = trainer.prepare()
        patient = [Run(seeded(seed), urgent=False, trainer=trainer) for seed in (0, 1, 2)]
        assert [load(first, False), load(second, False)] == [(2, 2), (1, 1)]
        assert [load(first, True), load(second, True)] == [(0, 2), (0, 1)]
        urgent = [Run(seeded(3), trainer=trainer)]
        assert [load(first, True), load(second, True)] == [(0, 2), (1, 2)]
        urgent.append(Run(seeded(4), trainer=trainer))
        assert [load(first, True), load(second, True)] == [(1, 3), (1, 2)]
        patient[2].job.hasten()
        assert [load(first, True), load(second, True)] == [(2, 3), (1, 2)]
        for run in (*patient, *urgent):
            run.leave("")
        until(lambda: not any(run.in_progress for run in (*patient, *urgent)))
    finally:
        trainer.close()


def test_what_does_not_fit_in_one_process_goes_to_another():
    large = replace(LONG, network=regviz.NetworkSpec((16, 16)))
    trainer = Beside(2, memory(large) + memory(LONG) // 2)
    try:
        first, second = trainer.prepare()
        runs = [Run(large, urgent=False, trainer=trainer)]
        runs += [Run(seeded(seed), urgent=False, trainer=trainer) for seed in range(4)]
        assert [len(process._jobs) for process in (first, second)] == [1, 4]
        # where there is no room anywhere, the one with less to do comes first
        runs.append(Run(replace(large, data=regviz.DataSpec(seed=5)), trainer=trainer))
        assert [len(process._jobs) for process in (first, second)] == [2, 4]
        for run in runs:
            run.leave("")
    finally:
        trainer.close()
