"""``regviz train``: train the networks of an experiment, and print a table."""

import dataclasses
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

from regviz.analysis.comparison import Comparison, compare
from regviz.cli import output
from regviz.cli.progress import training
from regviz.cli.source import Source, read
from regviz.engine.history import History
from regviz.engine.recorder import train
from regviz.methods.labels import dataset_label, labels
from regviz.spec.experiment import Experiment

COLUMNS = ("test_loss", "train_loss", "gap", "test_accuracy", "sparsity")  # of the table


def run(options: Namespace) -> int:
    """Train an experiment, as ``regviz train``."""
    if options.output is not None:
        output.check_target("--output", options.output, (".npz", ".json"))
    source = read(options, options.file)
    output.note(source.notes())
    began = time.perf_counter()
    history = trained(source.experiment)
    seconds = time.perf_counter() - began
    if options.output is not None:
        _save(history, options.output)
    if options.json:
        print(output.json_text(_content(source, history, seconds)))
    else:
        print(_table(source, history))
    if (history.diverged >= 0).all():
        output.note(["Every network diverged: lower the learning rate."])
        return 1
    return 0


def trained(experiment: Experiment) -> History:
    """Train an experiment with a line of progress."""
    with training(experiment) as progress:
        return train(experiment, after_epoch=progress.step)


def _save(history: History, file: str) -> None:
    """Write a history in the format of the file's suffix."""
    if Path(file).suffix == ".json":
        Path(file).write_text(history.to_json(), "utf-8")
    else:
        history.save(file)


def _time(source: Source, history: History) -> int:
    """Return the time index of the table: the scene's epoch, or the recorded one before; else the
    last.
    """
    epoch = None if source.plain else source.scene.epoch
    if epoch is None:
        return len(history.epochs) - 1
    return int((history.epochs <= epoch).sum()) - 1


def _compared(source: Source, history: History) -> tuple[list[tuple[str, str]], Comparison]:
    """Return name and strength of the networks in the table, and their criteria.

    Early stopping is the last, if it is shown.
    """
    t = _time(source, history)
    names = [(label.name, label.strength) for label in source.labels]
    networks, times = source.in_tables(history, source.shown, t)
    if len(networks) > len(names):
        names.append(("Early stopping", f"epoch {history.epochs[times[-1]]}"))
    return names, compare(history, networks, times)


def _table(source: Source, history: History) -> str:
    names, comparison = _compared(source, history)
    chosen = [c for c, column in enumerate(comparison.columns) if column.key in COLUMNS]
    columns = [comparison.columns[c] for c in chosen]
    rows = [("Method", "Strength", *(column.label for column in columns))]
    for name, values in zip(names, comparison.values[:, chosen].tolist(), strict=True):
        texts = [column.text(value) for column, value in zip(columns, values, strict=True)]
        rows.append((*name, *texts))
    experiment = source.experiment
    n, epoch = len(experiment.regularizations), history.epochs[_time(source, history)]
    caption = f"{dataset_label(experiment.data)}, epoch {epoch} of {experiment.training.epochs}"
    if n > len(source.shown):
        caption += f", {len(source.shown)} of {n} networks"
    if len(names) > len(source.shown):
        caption += ", and None with early stopping"
    return f"{caption}\n\n{output.table(rows)}"


def _content(source: Source, history: History, seconds: float) -> dict[str, Any]:
    """Return the results for JSON: of all networks, and all criteria of those in the table."""
    t = _time(source, history)
    names, comparison = _compared(source, history)
    keys = [column.key for column in comparison.columns]
    table = [
        {"method": name, "strength": strength, **dict(zip(keys, values, strict=True))}
        for (name, strength), values in zip(names, comparison.values.tolist(), strict=True)
    ]
    networks = [
        {
            "label": label.text,
            "shown": k in source.shown,
            "diverged": int(history.diverged[k]) if history.diverged[k] >= 0 else None,
            "regularization": dataclasses.asdict(row),
            "metrics": {name: float(values[t, k]) for name, values in history.metrics.items()},
        }
        for k, (row, label) in enumerate(
            zip(source.experiment.regularizations, labels(source.experiment), strict=True)
        )
    ]
    return {
        "experiment": source.experiment.id,
        "task": history.dataset.task,
        "epoch": int(history.epochs[t]),
        "seconds": round(seconds, 3),
        "table": table,
        "networks": networks,
    }
