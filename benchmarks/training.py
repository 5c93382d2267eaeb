"""Network-epochs per second, compared with PyTorch, scikit-learn and TensorFlow Playground.

    python -m benchmarks.training                      on the CPU, one thread
    python -m benchmarks.training --playground nn.ts   including the Playground's code under Node

250 training points in batches of 10, or in full batches, for 400 epochs. RegViz's times are those
of `regviz.train`: generating the data, recording a hundred frames, and computing their metrics on
250 training and 250 test points. The other programs only train. Ratios are of the best of several
times, measured alternately in one run.

The Playground's file is ``src/nn.ts`` of github.com/tensorflow/playground; ``npx esbuild`` compiles
it to JavaScript. It trains without regularization and without a recording.
"""

import argparse
import json
import math
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

import regviz
from benchmarks.plain import plain_pytorch, scikit_learn
from regviz.analysis.replicates import with_seed
from regviz.engine import compiled
from regviz.engine.training import Program
from regviz.methods.catalogue import initial
from regviz.scenes.scene import Scene
from regviz.scenes.showcase import LINE_UP
from regviz.scenes.strength_grid import StrengthGrid

DATA = regviz.DataSpec("moons", n_samples=500, train_fraction=0.5, validation_fraction=0)
NETWORKS = {
    "(a) [2,4,2,1]": regviz.NetworkSpec(hidden=(4, 2)),
    "(b) [2,8,8,8,1]": regviz.NetworkSpec(hidden=(8, 8, 8)),
}
TRAINING = regviz.TrainingSpec(optimizer="sgd", learning_rate=0.03, batch_size=10, epochs=400)
REPEATS = 5
PLAIN_EPOCHS = 20  # takes about as long as RegViz's 400, so that other load affects both equally

PARTS = DATA, NETWORKS["(b) [2,8,8,8,1]"], TRAINING
SIX = initial(LINE_UP, *PARTS)
GRID = StrengthGrid.of(LINE_UP, *PARTS).experiment.regularizations


def seconds(action: Callable[..., object], *arguments: object, **options: object) -> float:
    """Return the wall-clock time of one call in seconds."""
    start = time.perf_counter()
    action(*arguments, **options)
    return time.perf_counter() - start


def experiment(
    network: regviz.NetworkSpec,
    rows: tuple[regviz.Regularization, ...],
    batch_size: int | None = 10,
    epochs: int = TRAINING.epochs,
) -> regviz.Experiment:
    """Return the benchmark's experiment with the regularizations ``rows``."""
    training = replace(TRAINING, batch_size=batch_size, epochs=epochs)
    return regviz.Experiment(DATA, network, training, rows)


def playground(source: Path, network: regviz.NetworkSpec, batch_size: int | None) -> float:
    """Return the seconds of the Playground's code under Node for one network and epoch."""
    dataset = regviz.make_dataset(DATA)
    options = {
        "sizes": [2, *network.hidden, 1],
        "batch": batch_size or len(dataset.y_train),
        "epochs": PLAIN_EPOCHS,
        "points": [[*x, 2 * y - 1] for x, y in zip(dataset.X_train, dataset.y_train, strict=True)],
    }
    with tempfile.TemporaryDirectory() as folder:
        module = Path(folder) / "nn.mjs"
        convert = ["npx", "--yes", "esbuild", source, "--format=esm", f"--outfile={module}"]
        subprocess.run([*convert, "--log-level=error"], check=True)
        script = Path(__file__).with_name("playground.mjs")
        command = ["node", script, module, json.dumps(options)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout) / 1000


def compare(batch_size: int | None, source: Path | None) -> None:
    """Print the speed of six networks and of a grid, and its ratios to the other programs'."""
    dataset = regviz.make_dataset(DATA)
    training = replace(TRAINING, batch_size=batch_size)
    plain_epochs = PLAIN_EPOCHS if batch_size else PLAIN_EPOCHS * 15
    others = ["plain", "sklearn"] + ["playground"] * bool(source)
    print(
        f"\nBatches of {batch_size or 'all 250'}: network-epochs per second, and times each other"
    )
    print(f"{'':16}", *(f"{name:>10}" for name in others), end="")
    for name in ("six", f"grid of {len(GRID)}"):
        print(f" | {name:>10}", *(f"{'x ' + other:>12}" for other in others), end="")
    print()
    for name, network in NETWORKS.items():
        times: dict[str, list[float]] = {key: [] for key in (*others, "six", "grid")}
        for _ in range(REPEATS):
            times["plain"].append(
                sum(
                    seconds(plain_pytorch, dataset, network, training, r, plain_epochs) for r in SIX
                )
                / (len(SIX) * plain_epochs)
            )
            times["sklearn"].append(
                seconds(scikit_learn, dataset, network, training, plain_epochs) / plain_epochs
            )
            if source:
                times["playground"].append(playground(source, network, batch_size))
            for key, rows in (("six", SIX), ("grid", GRID)):
                run = experiment(network, rows, batch_size)
                times[key].append(seconds(regviz.train, run) / (len(rows) * TRAINING.epochs))
        best = {key: min(values) for key, values in times.items()}
        print(f"{name:16}", *(f"{1 / best[other]:10.0f}" for other in others), end="")
        for key in ("six", "grid"):
            print(f" | {1 / best[key]:10.0f}", end=" ")
            print(*(f"{best[other] / best[key]:12.1f}" for other in others), end="")
        print(flush=True)


def opening() -> None:
    """Print the time of the grid of the page's first experiment, including recording."""
    run = Scene().grid().experiment
    taken = sorted(seconds(regviz.train, run) for _ in range(2 * REPEATS))
    rows, epochs = len(run.regularizations), run.training.epochs
    print(f"\nThe grid of the page's first experiment, {rows} networks, {epochs} epochs:")
    print(f"best {taken[0]:.3f} s, median {taken[REPEATS]:.3f} s")


def scale(counts: tuple[int, ...], epochs: int) -> None:
    """Print the cost per network for numbers K of networks, which cycle through six methods.

    "recorded" is `regviz.train`; "alone" is training without recording and metrics.
    """
    print(f"\nK networks, batches of 10, {epochs} epochs")
    print(f"{'':16} {'K':>7} | {'network-epochs/s':^21} | {'us per network and step':^23}")
    print(f"{'':16} {'':>7} | {'recorded':>10} {'alone':>10} | {'recorded':>11} {'alone':>11}")
    dataset = regviz.make_dataset(DATA)
    n_steps = math.ceil(len(dataset.y_train) / 10)
    for name, network in NETWORKS.items():
        for count in counts:
            run = experiment(network, tuple(SIX[i % len(SIX)] for i in range(count)), epochs=epochs)
            program = Program([run], [dataset])
            program.train_epoch(0)
            alone = sum(seconds(program.train_epoch, epoch) for epoch in range(1, epochs + 1))
            recorded = min(seconds(regviz.train, run) for _ in range(2))
            rates = [count * epochs / taken for taken in (recorded, alone)]
            costs = [1e6 / (rate * n_steps) for rate in rates]
            print(f"{name:16} {count:7} | {rates[0]:10.0f} {rates[1]:10.0f}", end="")
            print(f" | {costs[0]:11.3f} {costs[1]:11.3f}", flush=True)


def seeds(count: int = 5) -> None:
    """Print the times of training several seeds in one program, and one after another.

    Both include generating the data, and recording the last epoch.
    """
    print(f"\n{count} seeds, batches of 10, 100 epochs: seconds together, and one after another")
    print(f"{'':16} {'rows':>7} | {'together':>9} {'in turn':>9} {'ratio':>6}")
    for name, network in NETWORKS.items():
        for rows in (SIX, GRID):
            run = experiment(network, rows, epochs=100)
            run = replace(run, training=replace(run.training, frames=1))
            together, in_turn = [], []
            for _ in range(REPEATS):
                together.append(seconds(regviz.replicate, run, range(count)))
                each = [seconds(regviz.train, with_seed(run, seed)) for seed in range(count)]
                in_turn.append(sum(each))
            best = min(together), min(in_turn)
            print(f"{name:16} {len(rows):7} | {best[0]:9.3f} {best[1]:9.3f}", end="")
            print(f" {best[1] / best[0]:6.2f}", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--playground", type=Path, help="TensorFlow Playground's src/nn.ts")
    source = parser.parse_args().playground
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    compiled.prepare()
    compare(10, source)
    compare(None, source)
    opening()
    seeds()
    scale((1, 6, 41, 256, 1024, 4096), epochs=20)


if __name__ == "__main__":
    main()
