"""Tests of thread and precision settings: no run depends on torch's or changes them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import regviz
from regviz import DataSpec, Experiment, NetworkSpec, Regularization, TrainingSpec, figures
from regviz.analysis import comparison, mc_dropout, penalties, regularization_path
from regviz.engine.history import History
from regviz.engine.recorder import initial_histories
from regviz.engine.training import pinned
from regviz.jobs.run import Run
from regviz.jobs.scheduler import Scheduler
from regviz.scenes.frames import FrameSelector

ROWS = Regularization(l1=0.01), Regularization(l2=0.1, drop_rate=0.2, max_norm=1.0)
EXPERIMENT = Experiment(
    DataSpec("moons", n_samples=60),
    NetworkSpec((5, 3)),
    TrainingSpec(epochs=2, batch_size=7),
    ROWS,
)
N_THREADS = 3


def run_in_slices(experiment: Experiment) -> None:
    """Train in slices as the scheduler does, in this thread."""
    scheduler = Scheduler(n_threads=0)
    run = Run(experiment, scheduler=scheduler)
    while scheduler.run_slice():
        pass
    assert run.wait(0).complete


# all functions that compute with torch, given a trained history
ACTS: dict[str, Callable[[History], object]] = {
    "train": lambda h: regviz.train(h.experiment),
    "train on own points": lambda h: regviz.train(h.experiment, h.dataset),
    "stream": lambda h: list(regviz.stream(h.experiment)),
    "a run": lambda h: run_in_slices(h.experiment),
    "replicate": lambda h: regviz.replicate(h.experiment, [0, 1]),
    "initial_histories": lambda h: initial_histories([h.experiment], [h.dataset]),
    "predict": lambda h: h.predict(h.dataset.X_test),
    "outputs": lambda h: h.outputs(h.dataset.X_test, [0]),
    "selector": lambda h: FrameSelector(h, 0).add(h),
    "compare": lambda h: comparison.compare(h, [0, 1]),
    "confusion": lambda h: comparison.confusion(h, [0]),
    "constant": lambda h: regularization_path.constant(h, [0, 1]),
    "monte_carlo": lambda h: mc_dropout.monte_carlo(h, 1, h.dataset.X_test, passes=2),
    "over_plane": lambda h: mc_dropout.over_plane(h, 1, passes=2, resolution=4),
    "boundary": lambda h: figures.boundary(h, 0),
    "small_multiples": lambda h: figures.small_multiples(h),
    "penalties": lambda h: penalties.penalties([1.0], ROWS[1]),
    "proximal_step": lambda h: penalties.proximal_step([1.0], ROWS[1], 0.1),
}


class OneThread(TorchDispatchMode):
    """A mode that asserts that torch computes each operation with one thread."""

    n_operations = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        assert torch.get_num_threads() == 1, operation
        self.n_operations += 1
        return operation(*args, **(kwargs or {}))


@contextmanager
def threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def in_new_thread(act: Callable[[], object]) -> object:
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(act()))
    thread.start()
    thread.join()
    return found[0]


@pytest.fixture(scope="module")
def history() -> History:
    return regviz.train(EXPERIMENT)


@pytest.mark.parametrize("name", ACTS)
def test_one_thread_computes_whatever_the_number_that_the_process_has(history: History, name: str):
    with threads(N_THREADS):
        with OneThread() as spy:
            ACTS[name](history)
        assert spy.n_operations > 0
        assert torch.get_num_threads() == N_THREADS


@pytest.mark.parametrize("n_frames", [0, 1, 2, 3])
def test_a_stream_that_is_left_leaves_the_threads_as_they_were(n_frames: int):
    with threads(N_THREADS):
        growing = regviz.stream(EXPERIMENT)
        for _ in range(n_frames):
            next(growing)
            assert torch.get_num_threads() == N_THREADS
        growing.close()
        assert torch.get_num_threads() == N_THREADS


def test_an_error_leaves_the_threads_as_they_were():
    def fail() -> None:
        raise KeyboardInterrupt

    with threads(N_THREADS):
        with pytest.raises(KeyboardInterrupt):
            list(regviz.stream(EXPERIMENT, after_epoch=fail))
        assert torch.get_num_threads() == N_THREADS


def test_blocks_within_blocks_leave_the_threads_at_one_until_the_last_ends():
    with threads(N_THREADS):
        with pinned():
            with suppress(ValueError), pinned():
                raise ValueError
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == N_THREADS


@pytest.mark.parametrize("first_to_leave", ["main", "other"])
def test_two_threads_leave_the_number_that_both_found(first_to_leave: str):
    """A new thread sees the number of threads that another thread's block has set."""
    entered, leave = threading.Event(), threading.Event()
    found: list[int] = []

    def other() -> None:
        with pinned():
            found.append(torch.get_num_threads())
            entered.set()
            leave.wait()
        found.append(torch.get_num_threads())

    thread = threading.Thread(target=other)
    with threads(N_THREADS):
        with pinned():
            thread.start()
            entered.wait()
            if first_to_leave == "other":
                leave.set()
                thread.join()
            assert torch.get_num_threads() == 1
        leave.set()
        thread.join()
        assert found == [1, N_THREADS]
        assert torch.get_num_threads() == N_THREADS
        assert in_new_thread(torch.get_num_threads) == N_THREADS


def test_the_precision_of_products_is_put_back_by_the_last_that_leaves():
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        with pinned():
            assert torch.get_float32_matmul_precision() == "highest"
            in_new_thread(lambda: regviz.train(EXPERIMENT))
            assert torch.get_float32_matmul_precision() == "highest"
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)
