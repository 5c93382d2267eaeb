"""``regviz study``: an experiment under several seeds, with paired differences."""

import csv
import sys
from argparse import Namespace
from dataclasses import dataclass, replace
from typing import Any

from regviz.analysis.comparison import CLEAR, Replicates, compare, overlap
from regviz.analysis.replicates import replicate
from regviz.cli import output
from regviz.cli.progress import training
from regviz.cli.source import Source, read
from regviz.methods.labels import dataset_label

COLUMNS = ("test_loss", "test_accuracy", "sparsity")  # of the table
MARK = "*"  # of a clear difference


@dataclass(frozen=True)
class Results:
    """Criteria of n networks under S seeds, and the network to compare with.

    Attributes
    ----------
    names : list of (str, str)
        Name and strength of each network; early stopping is the last, if it is shown.
    seeds : range
    values : Replicates
    baseline : int
        Index of a network.
    """

    names: list[tuple[str, str]]
    seeds: range
    values: Replicates
    baseline: int

    @property
    def differences(self) -> Replicates:
        """Paired differences from the baseline."""
        return self.values.difference(self.baseline)


def run(options: Namespace) -> int:
    """Compare the networks of an experiment over seeds, as ``regviz study``."""
    source = read(options, options.file)
    output.note(source.notes(epoch=False))
    baseline = _baseline(source, options.baseline)
    results = _results(source, range(options.seeds), baseline)
    if options.json:
        print(output.json_text(_content(source, results)))
    elif options.csv:
        _print_csv(results)
    else:
        print(_table(source, results))
    return 0


def _baseline(source: Source, key: str | None) -> int:
    """Return the position of the network to compare with."""
    methods = [label.method for label in source.labels]
    if key is None and "none" in methods:
        key = "none"
    others = [] if source.patience is None else ["early_stopping"]
    return source.method(key, "--baseline", others)


def _results(source: Source, seeds: range, baseline: int) -> Results:
    """Train the networks in tables under some seeds, and compute their criteria."""
    experiment = source.compared
    if source.patience is None:  # only early stopping needs earlier epochs
        experiment = replace(experiment, training=replace(experiment.training, frames=1))
    rows = list(range(len(experiment.regularizations)))
    with training(experiment) as progress:
        histories = replicate(experiment, seeds, after_epoch=progress.step)
    comparisons = [
        compare(history, *source.in_tables(history, rows, len(history.epochs) - 1))
        for history in histories
    ]
    names = [(label.name, label.strength) for label in source.labels]
    if source.patience is not None:
        names.append(("Early stopping", f"patience {source.patience}"))
    return Results(names, seeds, Replicates.of(comparisons, overlap(histories[0])), baseline)


def _table(source: Source, results: Results) -> str:
    """Return mean ± standard error of the main criteria, and the difference in test loss."""
    values, differences = results.values, results.differences
    chosen = [c for c, column in enumerate(values.columns) if column.key in COLUMNS]
    columns = [values.columns[c] for c in chosen]
    base = results.names[results.baseline][0]
    heads = [column.label for column in columns]
    rows = [("Method", "Strength", heads[0], f"Difference from {base}", *heads[1:])]
    for i, name in enumerate(results.names):
        texts = [
            column.text(float(values.mean[i, c]), float(values.error[i, c]))
            for c, column in zip(chosen, columns, strict=True)
        ]
        rows.append((*name, texts[0], _difference(results, differences, i, chosen[0]), *texts[1:]))
    notes = (
        f"Mean ± standard error over {len(results.seeds)} seeds. Differences are taken seed by"
        f" seed;\n{MARK} is beyond {CLEAR:g} standard errors."
    )
    if values.overlap:
        notes += " Standard errors allow for the overlap of the\nsplits (Nadeau & Bengio 2003)."
    caption = (
        f"{dataset_label(source.scene.data)}, epoch {source.experiment.training.epochs},"
        f" {len(results.seeds)} seeds"
    )
    return f"{caption}\n\n{output.table(rows)}\n\n{notes}"


def _difference(results: Results, differences: Replicates, i: int, c: int) -> str:
    """Return the text of a network's difference by a criterion, with a mark if it is clear."""
    if i == results.baseline:
        return ""
    mean, error = float(differences.mean[i, c]), float(differences.error[i, c])
    text = differences.columns[c].text(mean, error)
    return f"{text} {MARK}" if abs(mean) > CLEAR * error else f"{text}  "


def _content(source: Source, results: Results) -> dict[str, Any]:
    """Return all numbers for JSON."""
    values, differences = results.values, results.differences
    networks = []
    for i, (name, strength) in enumerate(results.names):
        criteria = {
            column.key: {
                "values": values.values[:, i, c].tolist(),
                "mean": float(values.mean[i, c]),
                "standard_error": float(values.error[i, c]),
                "difference": float(differences.mean[i, c]),
                "difference_standard_error": float(differences.error[i, c]),
            }
            for c, column in enumerate(values.columns)
        }
        networks.append({"method": name, "strength": strength, "criteria": criteria})
    return {
        "experiment": source.compared.id,
        "seeds": list(results.seeds),
        "baseline": results.baseline,
        "overlap": values.overlap,
        "networks": networks,
    }


def _print_csv(results: Results) -> None:
    """Print a row for each seed and network."""
    columns = results.values.columns
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["seed", "method", "strength", *(column.key for column in columns)])
    for seed, networks in zip(results.seeds, results.values.values.tolist(), strict=True):
        for name, numbers in zip(results.names, networks, strict=True):
            cells = ["" if number != number else repr(number) for number in numbers]
            writer.writerow([seed, *name, *cells])
