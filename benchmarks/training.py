"""Network-epochs per second against plain PyTorch and scikit-learn.

    python -m benchmarks.training            on the processor, one thread
    python -m benchmarks.training --cuda     RegViz on the GPU, in absolute numbers

250 training points in batches of 10 for 400 epochs, or all at once. RegViz's times hold all that
`regviz.train` does: drawing the data, recording a hundred frames, and measuring each of them on the
250 training and 250 test points. The others only train. A ratio compares times of one run, each
the best of several, taken in turns.
"""

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import replace

import torch

import regviz
from benchmarks.plain import plain_pytorch, scikit_learn
from regviz.experiment import OPTIMIZERS
from regviz.regularization import METHODS
from regviz.replicates import with_seed
from regviz.strengths import DEFAULT_LEVEL, grid
from regviz.training import Program

DATA = regviz.DataSpec("moons", n_samples=500, train_fraction=0.5, validation_fraction=0)
NETWORKS = {
    "(a) [2,4,2,1]": regviz.NetworkSpec(hidden=(4, 2)),
    "(b) [2,8,8,8,1]": regviz.NetworkSpec(hidden=(8, 8, 8)),
}
TRAINING = regviz.TrainingSpec(optimizer="sgd", learning_rate=0.03, batch_size=10, epochs=400)
REPEATS = 5
RECORDED_AT_MOST = 4096  # networks: beyond, the recording itself takes gigabytes
PLAIN_EPOCHS = 20  # about as long as RegViz's 400: a busy machine shall hit both alike

COLUMNS = grid(list(METHODS), DATA, NETWORKS["(b) [2,8,8,8,1]"], TRAINING)
SIX = tuple(levels[min(DEFAULT_LEVEL, len(levels) - 1)] for levels in COLUMNS)
GRID = tuple(regularization for levels in COLUMNS for regularization in levels)


def seconds(action: Callable[..., object], *arguments: object, **options: object) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    action(*arguments, **options)
    return time.perf_counter() - start


def experiment(
    network: regviz.NetworkSpec,
    rows: tuple[regviz.Regularization, ...],
    batch_size: int | None = 10,
    epochs: int = TRAINING.epochs,
) -> regviz.Experiment:
    """The benchmark's experiment with these rows."""
    training = replace(TRAINING, batch_size=batch_size, epochs=epochs)
    return regviz.Experiment(DATA, network, training, rows)


def compare(batch_size: int | None) -> None:
    """Print a line-up of six and a grid against the programs that train one by one."""
    dataset = regviz.make_dataset(DATA)
    training = replace(TRAINING, batch_size=batch_size)
    plain_epochs = PLAIN_EPOCHS if batch_size else PLAIN_EPOCHS * 15
    print(f"\nBatches of {batch_size or 'all 250'}: network-epochs per second")
    print(f"{'':16} {'plain':>7} {'sklearn':>8} | {'six':>8} {'x plain':>8} {'x skl':>6}", end="")
    print(f" | {'grid of ' + str(len(GRID)):>10} {'x plain':>8} {'x skl':>6}")
    for name, network in NETWORKS.items():
        times: dict[str, list[float]] = {"plain": [], "sklearn": [], "six": [], "grid": []}
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
            for key, rows in (("six", SIX), ("grid", GRID)):
                run = experiment(network, rows, batch_size)
                times[key].append(seconds(regviz.train, run) / (len(rows) * TRAINING.epochs))
        best = {key: min(values) for key, values in times.items()}
        print(f"{name:16} {1 / best['plain']:7.0f} {1 / best['sklearn']:8.0f}", end="")
        for key in ("six", "grid"):
            print(f" | {1 / best[key]:{8 if key == 'six' else 10}.0f}", end="")
            print(f" {best['plain'] / best[key]:8.0f} {best['sklearn'] / best[key]:6.0f}", end="")
        print(flush=True)


def scale(device: str, counts: tuple[int, ...], epochs: int) -> None:
    """Print the cost per network as K grows, the six methods in turns.

    "recorded" is `regviz.train` with all that it does; "alone" leaves recording and measuring out.
    """
    print(f"\nK networks, batches of 10, {epochs} epochs, on {device}")
    print(f"{'':16} {'K':>7} | {'network-epochs/s':^21} | {'us per network and step':^23}")
    print(f"{'':16} {'':>7} | {'recorded':>10} {'alone':>10} | {'recorded':>11} {'alone':>11}")
    dataset = regviz.make_dataset(DATA)
    for name, network in NETWORKS.items():
        for count in counts:
            run = experiment(network, tuple(SIX[i % len(SIX)] for i in range(count)), epochs=epochs)
            program = Program([run], [dataset], device)
            program.train_epoch(0)
            alone = sum(seconds(program.train_epoch, epoch) for epoch in range(1, epochs + 1))
            recorded = math.nan
            if count <= RECORDED_AT_MOST:
                recorded = min(seconds(regviz.train, run, device=device) for _ in range(2))
            rates = [count * epochs / taken for taken in (recorded, alone)]
            costs = [1e6 / (rate * len(program.parts[0][0].steps)) for rate in rates]
            print(f"{name:16} {count:7} | {rates[0]:10.0f} {rates[1]:10.0f}", end="")
            print(f" | {costs[0]:11.3f} {costs[1]:11.3f}", flush=True)


def agreement(device: str, epochs: int) -> None:
    """Print how far networks trained there are from those trained on the processor, in float64."""
    print(f"\n{len(GRID)} networks after {epochs} epochs on {device} and on the processor, float64")
    print(f"{'':16} {'':>10} | {'largest difference':>18} {'zeros, both':>12} {'only one':>9}")
    for name, network in NETWORKS.items():
        for optimizer in OPTIMIZERS:
            run = experiment(network, GRID, epochs=epochs)
            training = replace(run.training, optimizer=optimizer, dtype="float64", frames=1)
            run = replace(run, training=training)
            here, there = (
                Program([run], [regviz.make_dataset(DATA)], where) for where in ("cpu", device)
            )
            for program in (here, there):
                for epoch in range(epochs):
                    program.train_epoch(epoch)
            pair = [program.weights.flat.cpu() for program in (here, there)]
            difference = (pair[0] - pair[1]).abs().max().item()
            zero = [flat == 0 for flat in pair]
            both, one = (zero[0] & zero[1]).sum().item(), (zero[0] ^ zero[1]).sum().item()
            print(f"{name:16} {optimizer:>10} | {difference:18.1e} {both:12.0f} {one:9.0f}")


def seeds(count: int = 5) -> None:
    """Print how much faster several seeds are in one program than one after another.

    Both draw the data, train, and record and measure the last epoch.
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
    parser.add_argument("--cuda", action="store_true", help="measure RegViz on the GPU")
    on_cuda = parser.parse_args().cuda
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    if on_cuda:
        print(torch.cuda.get_device_name())
        for epochs in (5, 50):  # rounding differs more with every step, so the zeros tell more
            agreement("cuda", epochs)
        scale("cuda", tuple(8**i for i in range(7)), epochs=50)
        return
    compare(batch_size=10)
    compare(batch_size=None)
    seeds()
    scale("cpu", (1, 6, 41, 256, 1024, 4096), epochs=20)


if __name__ == "__main__":
    main()
