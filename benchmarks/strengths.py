"""Measurements behind the rules of `regviz.methods.strengths`.

    python -m benchmarks.strengths collapse      strengths of first visible effect and of collapse
    python -m benchmarks.strengths steps         steps from a strength to the next one
    python -m benchmarks.strengths dropout       dropout, alone and beside max-norm, with ReLU
    python -m benchmarks.strengths divergence    offered strengths at which training diverges

Each takes minutes on one core. Two networks differ visibly if their predictions on the test points
differ by more than 2 % on average (of a probability, or of the target's standard deviation), or
their shares of zero weights by more than 3 %. A network has collapsed if its predictions vary by
less than a twentieth of the unregularized network's.
"""

import argparse
import itertools
import statistics
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

import regviz
from regviz.methods.catalogue import METHODS, initial_variant, offered
from regviz.methods.labels import label
from regviz.scenes.showcase import SHOWCASE
from regviz.spec.toy import DATASETS

NETWORKS = ((), (4, 2), (8, 8, 8), (16, 16), (8,) * 5)
DEEP_AND_WIDE = ((4, 2), (8, 8, 8), (32, 32), (8,) * 5)
ACTIVATIONS = ("tanh", "relu")
MODEST = (("sgd", 0.1), ("momentum", 0.05), ("adam", 0.01), ("adamw", 0.01))
BOLD = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
FINE = [10 ** (i / 4) for i in range(-18, 7)]
OF_LINEAR_MODELS = ("l1", "l2", "elastic_net")
PENALTIES = (*OF_LINEAR_MODELS, "group_lasso")
SEEN, ZEROS, COLLAPSED = 0.02, 0.03, 0.05
NO_NETWORK = regviz.Regularization()


class Outcome(NamedTuple):
    """Results of the networks of one run."""

    predictions: np.ndarray  # (K, test points, outputs), as probabilities or in units of sd(y)
    sparsity: np.ndarray
    loss: np.ndarray  # on the test points
    diverged: np.ndarray
    constant_loss: float  # of the best constant prediction
    learnt: bool  # whether the first network has 10 % less

    def moved(self, a: int, b: int) -> bool:
        """Return whether two networks differ visibly."""
        change = np.abs(self.predictions[a] - self.predictions[b]).sum(-1).mean()
        return bool(change > SEEN or abs(self.sparsity[a] - self.sparsity[b]) > ZEROS)

    def collapsed(self) -> np.ndarray:
        """Return whether each network has collapsed."""
        spread = np.abs(self.predictions - np.median(self.predictions, 1, keepdims=True))
        spread = spread.sum(-1).mean(-1)
        return spread < COLLAPSED * spread[0]


def outcome(
    name: str,
    network: regviz.NetworkSpec,
    training: regviz.TrainingSpec,
    rows: list[regviz.Regularization],
) -> Outcome:
    """Train networks on a toy dataset of 60 training points."""
    run = regviz.Experiment(data_of(name), network, training, tuple(rows))
    history = regviz.train(run)
    X, y = history.dataset.points("test")
    predictions = history.predict(X)
    classes = DATASETS[name].task == "multiclass"
    # halved, so that sums of absolute differences are total variation distances
    predictions = predictions / 2 if classes else predictions[..., None]
    y_train = history.dataset.y_train
    losses = history.metrics["train_loss"]
    if DATASETS[name].task == "regression":
        predictions, constant = predictions / y.std(), y_train.var() / 2
    else:
        shares = np.unique(y_train, return_counts=True)[1] / len(y_train)
        constant = -(shares * np.log(shares)).sum()
    learnt = bool(history.diverged[0] < 0 and losses[-1, 0] < 0.9 * constant)
    return Outcome(
        predictions,
        history.metrics["sparsity"][-1],
        history.metrics["test_loss"][-1],
        history.diverged,
        float(constant),
        learnt,
    )


def data_of(name: str) -> regviz.DataSpec:
    """Return the data: 60 training points, 20 for validation, 320 for testing, as on the page."""
    return regviz.DataSpec(name, 400, noise=0.2, train_fraction=0.2, validation_fraction=0.25)


def cases() -> Iterator[tuple[str, regviz.NetworkSpec, regviz.TrainingSpec]]:
    """Yield combinations of dataset, network and training with a suitable learning rate."""
    for (optimizer, rate), hidden, activation, name in itertools.product(
        MODEST, NETWORKS, ACTIVATIONS, DATASETS
    ):
        if hidden or activation == "tanh":
            training = regviz.TrainingSpec(optimizer, rate, epochs=300, frames=1)
            yield name, regviz.NetworkSpec(hidden, activation), training


def collapse() -> None:
    """Print quartiles of the strengths of first effect and of collapse, by method and dataset."""
    strengths = defaultdict(list)
    rows = [
        NO_NETWORK,
        *(
            METHODS[m].regularization(s, 0.5 if m == "elastic_net" else None)
            for m in PENALTIES
            for s in FINE
        ),
    ]
    for name, network, training in cases():
        result = outcome(name, network, training, rows)
        if not result.learnt:
            continue
        dead = result.collapsed()
        for i, method in enumerate(PENALTIES if network.hidden else OF_LINEAR_MODELS):
            places = range(1 + i * len(FINE), 1 + (i + 1) * len(FINE))
            moved = [result.moved(0, k) for k in places]
            decay = method == "l2" and training.optimizer == "adamw"
            kind = "linear" if not network.hidden else name
            key = "decay" if decay else method, kind
            strengths[key].append((_from(moved), _from([bool(dead[k]) for k in places])))
    print(f"{'method':12} {'data':14} {'n':>4} | first effect, quartiles | collapse, quartiles")
    for (method, kind), values in strengths.items():
        print(f"{method:12} {kind:14} {len(values):4} |", end="")
        for column in zip(*values, strict=True):
            print("".join(f" {q:8.2g}" for q in np.quantile(column, [0.25, 0.5, 0.75])), end=" |")
        print()


def _from(holds: list[bool]) -> float:
    """Return the lowest strength of `FINE` from which on all of ``holds`` are true."""
    last_not = max((i for i, true in enumerate(holds) if not true), default=-1)
    return FINE[min(last_not + 1, len(FINE) - 1)]


def steps() -> None:
    """Print how far apart the networks of neighbouring strengths are, and how many have collapsed.

    Each method is at its initial variant. Columns: the share of cases with at most one collapsed
    network, and in which the weakest strength has no visible effect and the strongest collapses;
    the number of strengths that differ visibly from the next weaker one, counting the first; and
    the largest step between neighbours that have not collapsed, median and 90 % quantile over
    cases, in the share of zeros and in the test loss, as a share of the loss of the best constant.
    """
    found = defaultdict(list)
    for name, network, training in cases():
        columns = [
            variants[min(initial_variant(key), len(variants) - 1)]
            for key, variants in zip(
                METHODS, offered(list(METHODS), data_of(name), network, training), strict=True
            )
        ]
        result = outcome(name, network, training, [row for column in columns for row in column])
        if not result.learnt:
            continue
        dead, start = result.collapsed(), 0
        for method, column in zip(METHODS, columns, strict=True):
            places = range(start, start + len(column))
            start += len(column)
            if method == "none" or not (network.hidden or method in OF_LINEAR_MODELS):
                continue
            easy = "two, three blobs" if name.endswith("blobs") else "the others"
            pairs = list(itertools.pairwise(places))
            alive = [(a, b) for a, b in pairs if not dead[b]]
            found[method, easy if network.hidden else "linear model"].append(
                (
                    sum(bool(dead[k]) for k in places) <= 1,
                    not result.moved(0, places[0]),
                    bool(dead[places[-1]]),
                    1 + sum(result.moved(a, b) for a, b in pairs),
                    max(
                        (abs(result.sparsity[a] - result.sparsity[b]) for a, b in alive), default=0
                    ),
                    max((abs(result.loss[a] - result.loss[b]) for a, b in alive), default=0)
                    / result.constant_loss,
                )
            )
    print(f"{'% of cases':45}  <= 1     first      last | n that  | largest")
    print(f"{'':29}     n  collapsed invisible collapsed | differ  | step: zeros    loss")
    for (method, kind), values in found.items():
        share = 100 * np.mean([row[:3] for row in values], axis=0)
        low, high = np.quantile([row[4:] for row in values], (0.5, 0.9), axis=0)
        print(f"{method:12} {kind:16} {len(values):5} {share[0]:10.0f} {share[1]:9.0f}", end="")
        print(f" {share[2]:9.0f} | {statistics.median(row[3] for row in values):6.0f}  |", end="")
        print("".join(f"   {a:4.2f} {b:4.2f}" for a, b in zip(low, high, strict=True)))


def dropout() -> None:
    """Print what dropout does to ReLU networks, alone and beside max-norm.

    Columns: the median ratio of the test loss to the unregularized network's, the number of cases
    in which it is above 1.1, the mean change of accuracy, and the number of constant networks.
    """
    rates, radii = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3), (2.0, 1.0, 0.7)
    rows = [NO_NETWORK, *(regviz.Regularization(drop_rate=rate) for rate in rates)]
    rows += [
        regviz.Regularization(max_norm=c, drop_rate=rate)
        for rate, c in itertools.product((0.0, 0.01, 0.02, 0.05, 0.1), radii)
    ]
    names = ("circles", "moons", "xor", "three_blobs")
    for hidden in ((8, 8, 8), (4, 2), (16, 16), (32, 32)):
        ratios, changes, constant = [], [], []
        for name, seed in itertools.product(names, range(3)):
            network = replace(SHOWCASE.network, hidden=hidden, activation="relu")
            training = replace(SHOWCASE.training, seed=seed, frames=1)
            data = replace(data_of(name), seed=seed)
            history = regviz.train(regviz.Experiment(data, network, training, tuple(rows)))
            loss, accuracy = (history.metrics[m][-1] for m in ("test_loss", "test_accuracy"))
            ratios.append(loss / loss[0])
            changes.append(accuracy - accuracy[0])
            predicted = history.predict(history.dataset.points("test")[0])
            constant.append(predicted.std(axis=1).reshape(len(rows), -1).mean(axis=1) < SEEN)
        columns = np.median(ratios, 0), np.sum(np.array(ratios) > 1.1, 0), np.mean(changes, 0)
        print(f"{hidden}, {len(ratios)} cases: ratio, higher, change of accuracy, constant")
        for row, *values, flat in zip(rows, *columns, np.sum(constant, 0), strict=True):
            ratio, higher, change = values
            print(f"{label(row).text:28} {ratio:5.2f} {higher:3} {change:+7.3f} {flat:3}")


def divergence() -> None:
    """Print the cases in which an offered strength diverges while the unregularized network learns.

    With each, print under how many of five other seeds the unregularized network does not learn.
    """
    n_cases, n_networks, n_failures = 0, 0, 0
    for name, optimizer, rate, hidden, activation in itertools.product(
        DATASETS, ("sgd", "momentum", "adam", "adamw"), BOLD, DEEP_AND_WIDE, ACTIVATIONS
    ):
        network = regviz.NetworkSpec(hidden, activation)
        training = regviz.TrainingSpec(optimizer, rate, epochs=60, frames=1)
        columns = offered(list(METHODS), data_of(name), network, training)
        rows = list(
            dict.fromkeys(row for variants in columns for row in itertools.chain(*variants))
        )
        result = outcome(name, network, training, rows)
        if not result.learnt:
            continue
        n_cases, n_networks = n_cases + 1, n_networks + len(rows)
        failed = [label(rows[k]).text for k in np.flatnonzero(result.diverged >= 0)]
        n_failures += len(failed)
        if failed:
            seeds = [replace(training, seed=seed) for seed in range(1, 6)]
            fails = sum(not outcome(name, network, t, rows[:1]).learnt for t in seeds)
            print(name, hidden, activation, optimizer, rate, f"(fails {fails}/5):", *failed)
    print(f"{n_cases} cases, {n_networks} networks, {n_failures} diverged")


def main() -> None:
    """Print one of the tables."""
    tables = {table.__name__: table for table in (collapse, steps, dropout, divergence)}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("table", choices=tables)
    torch.set_num_threads(1)
    tables[parser.parse_args().table]()


if __name__ == "__main__":
    main()
