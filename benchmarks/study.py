"""Measure the times of a study on this machine; `benchmarks.study_cluster` measures a cluster.

    python -m benchmarks.study speed      beside the engine alone, scikit-learn and PyTorch
    python -m benchmarks.study scaling    with one and two threads, and with two processes

The study has 10 widths, 3 noises, 3 methods, 8 strengths and 20 seeds: 30 cells of 480 networks, of
the opening page's points and training. ``--epochs``, ``--repeats`` and ``--sample`` change the
length.
"""

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import torch
from distributed import Client, LocalCluster

import regviz
from benchmarks.plain import plain_pytorch, scikit_learn
from regviz.analysis.replicates import under_seeds, with_seed
from regviz.engine import compiled
from regviz.engine.recorder import histories
from regviz.scenes.showcase import SHOWCASE
from regviz.studies.cell import Cell

WIDTHS = (2, 4, 6, 8, 12, 16, 24, 32, 48, 64)
NOISES = (0.1, 0.2, 0.3)
METHODS = ("l1", "l2", "dropout")
N_STRENGTHS, N_SEEDS = 8, 20
CORES = 2


def study_of(epochs: int) -> regviz.Study:
    """Return the study, with another number of epochs than the opening page's."""
    return regviz.Study(
        base=replace(SHOWCASE, training=replace(SHOWCASE.training, epochs=epochs)),
        vary={"network.hidden": [(width,) for width in WIDTHS], "data.noise": NOISES},
        methods=METHODS,
        strengths=N_STRENGTHS,
        seeds=range(N_SEEDS),
    )


def seconds(action: Callable[[], object]) -> float:
    """Return the wall-clock time of one call in seconds."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def silent(progress: object) -> None:
    """Show no progress."""


def train(cell: Cell) -> None:
    """Train a cell's networks by the engine alone, which records their last epoch."""
    training = replace(cell.experiment.training, frames=1)
    for _ in histories(*under_seeds(replace(cell.experiment, training=training), cell.seeds)):
        pass


class Network(NamedTuple):
    """One network of the study.

    Attributes
    ----------
    experiment : Experiment
        With the network's regularization alone, under its seed.
    """

    experiment: regviz.Experiment

    def points(self) -> regviz.Dataset:
        """Return the points that it is trained and measured on."""
        return regviz.make_dataset(self.experiment.data)


def networks(study: regviz.Study, n: int) -> list[Network]:
    """Draw n networks of the study at random, without replacement."""
    rng = np.random.default_rng(0)
    n_rows = len(METHODS) * N_STRENGTHS
    chosen = rng.choice(len(study.cells) * n_rows * N_SEEDS, n, replace=False)
    found = []
    for place in chosen.tolist():
        place, seed = divmod(place, N_SEEDS)
        cell, row = divmod(place, n_rows)
        experiment = study.cells[cell].experiment
        one = replace(experiment, regularizations=experiment.regularizations[row : row + 1])
        found.append(Network(with_seed(one, seed)))
    return found


def by_pytorch(network: Network) -> float:
    """Train one network by plain PyTorch, measure its test loss, and return the seconds."""
    start = time.perf_counter()
    torch.set_num_threads(1)
    experiment, dataset = network.experiment, network.points()
    model = plain_pytorch(
        dataset,
        experiment.network,
        experiment.training,
        experiment.regularizations[0],
        experiment.training.epochs,
    )
    model.eval()
    X, y = (torch.tensor(part, dtype=torch.float32) for part in dataset.points("test"))
    with torch.no_grad():
        torch.nn.functional.binary_cross_entropy_with_logits(model(X)[:, 0], y).item()
    return time.perf_counter() - start


def by_scikit_learn(network: Network) -> float:
    """Train one network by scikit-learn, measure its test accuracy, and return the seconds.

    A network with L1 or dropout is trained without them, as scikit-learn has L2 alone.
    """
    start = time.perf_counter()
    experiment, dataset = network.experiment, network.points()
    training, (row,) = experiment.training, experiment.regularizations
    model = scikit_learn(dataset, experiment.network, training, training.epochs, row.l2)
    model.score(*dataset.points("test"))
    return time.perf_counter() - start


def engine_alone(cells: Sequence[Cell], crew: ThreadPoolExecutor, pool: Any) -> float:
    """Return the seconds of the engine without Dask, the better of two threads and two processes.

    Both have been started and have loaded the compiled code before.
    """
    threads = seconds(lambda: list(crew.map(train, cells)))
    processes = seconds(lambda: list(pool.imap_unordered(train, cells, 1)))
    print(f"  engine alone: two threads {threads:.1f} s, two processes {processes:.1f} s")
    return min(threads, processes)


def elsewhere(
    name: str, action: Callable[[Network], float], sample: Sequence[Network], n: int, ours: float
) -> None:
    """Print the seconds of n networks by another library, scaled from those of a sample."""
    with joblib.Parallel(CORES) as parallel:
        short = replace(sample[0].experiment.training, epochs=1)
        first = Network(replace(sample[0].experiment, training=short))
        parallel(joblib.delayed(action)(first) for _ in range(2 * CORES))  # imports
        start = time.perf_counter()
        each = parallel(joblib.delayed(action)(network) for network in sample)
        took = time.perf_counter() - start
    scaled = took * n / len(sample)
    error = scaled * statistics.stdev(each) / statistics.fmean(each) / len(sample) ** 0.5
    print(
        f"{name:34} {scaled:8.0f} s ± {error:.0f}, {n / scaled:8.1f} networks/s,"
        f" {scaled / ours:6.0f} times the study's   (from {len(sample)} networks, {took:.1f} s)",
        flush=True,
    )


def speed(options: argparse.Namespace) -> None:
    """Print the times of the study, of the engine alone, and of two other libraries."""
    study = study_of(options.epochs)
    cells = list(study.cells)
    n = sum(cell.n_networks for cell in cells)
    print(f"{study.cost()} by estimate; {options.epochs} epochs, {CORES} cores")
    context = multiprocessing.get_context("spawn")
    alone, whole, stored, n_bytes = [], [], [], 0
    with context.Pool(CORES, compiled.wait, ["float32"]) as pool, ThreadPoolExecutor(CORES) as crew:
        pool.map(train, cells[:CORES], 1)
        list(crew.map(train, cells[:CORES]))
        for _ in range(options.repeats):
            alone.append(engine_alone(cells, crew, pool))
            whole.append(seconds(lambda: study.run(progress=silent)))
            with tempfile.TemporaryDirectory() as folder:
                stored.append(seconds(lambda at=folder: study.run(at, progress=silent)))
                n_bytes = sum(p.stat().st_size for p in Path(folder).rglob("*") if p.is_file())
            print(f"  study {whole[-1]:.1f} s, with a store {stored[-1]:.1f} s", flush=True)
    best = min(whole)
    print(f"engine alone {min(alone):.1f} s; share of its speed:")
    print(f"  study {min(alone) / best:.0%}, with a store {min(alone) / min(stored):.0%}")
    print(f"  {n / best:,.0f} networks/s, {best * CORES / len(cells):.2f} s of a core for a cell")
    print(f"  store: {n_bytes / n:.0f} bytes for a network")
    sample = networks(study, options.sample)
    elsewhere("MLPClassifier and joblib", by_scikit_learn, sample, n, best)
    elsewhere("plain PyTorch and joblib", by_pytorch, sample, n, best)


def scaling(options: argparse.Namespace) -> None:
    """Print the cells per second with one and two workers of a local cluster."""
    study = study_of(options.epochs)
    n = len(study.cells)
    for n_processes, n_threads in ((1, 1), (1, 2), (2, 1)):
        with (
            LocalCluster(
                n_workers=n_processes,
                threads_per_worker=n_threads,
                processes=n_processes > 1,
                dashboard_address=None,
                memory_limit=0,
            ) as local,
            Client(local) as client,
        ):
            short = replace(study, vary={"data.noise": NOISES[:CORES]})
            short.run(scheduler=client, progress=silent)  # imports and compiled code
            took = min(
                seconds(lambda: study.run(scheduler=client, progress=silent))
                for _ in range(options.repeats)
            )
        name = f"{n_processes} process, {n_threads} thread each"
        print(f"{name:28} {n / took:6.2f} cells/s", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the part that the arguments name."""
    os.environ["OMP_NUM_THREADS"] = "1"  # of PyTorch in joblib's processes
    parser = argparse.ArgumentParser("python -m benchmarks.study", description=__doc__)
    parser.add_argument("part", choices=("speed", "scaling"))
    parser.add_argument("--epochs", type=int, default=SHOWCASE.training.epochs)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--sample", type=int, default=40, help="networks of the other libraries")
    options = parser.parse_args(arguments)
    {"speed": speed, "scaling": scaling}[options.part](options)


if __name__ == "__main__":
    main()
