"""The view "Compare": a table of measures of all methods, for one run or over several seeds."""

from dataclasses import replace

import numpy as np
import streamlit as st

from regviz.analysis.comparison import Comparison, Replicates, compare, confusion, overlap, to_csv
from regviz.engine.history import History
from regviz.figures.confusion_and_seeds import confusion_matrices, seed_losses
from regviz.methods.labels import class_names, labels
from regviz.pages.components import draw
from regviz.pages.snapshot import BoardSnapshot
from regviz.pages.understand.number_table import BEST, Entry, number_tables, numbers
from regviz.pages.understand.seeds import SEEDS, Seeds, own_points
from regviz.spec.arrays import ArraysSpec
from regviz.spec.experiment import Data, Experiment


def show(snapshot: BoardSnapshot) -> None:
    """Draw the view."""
    stopped, patience = _unregularized(snapshot), snapshot.grid.patience
    networks, times = _networks(snapshot.history, snapshot.rows, stopped, patience)
    single = compare(snapshot.history, networks, times)
    experiment = snapshot.grid.only(snapshot.rows)
    seeds = Seeds(
        snapshot,
        "compare",
        _needed(experiment, stopped),
        lambda histories: _replicates(histories, stopped, patience),
    )
    several = seeds.results
    results = single if several is None else several
    entries = _entries(snapshot, times, results)
    with st.container(horizontal=True):
        seeds.draw_button(
            f"Train these networks under {len(SEEDS)} seeds, each with"
            f" {own_points(experiment.data)} and initial weights. Every number gets a mean and a"
            " standard error."
        )
        _draw_download(entries, results)
    seeds.draw_progress()
    number_tables(entries, results, snapshot.theme, "compare_table")
    _draw_caption(entries, results, experiment.data)
    if several is not None:
        _show_verdicts(snapshot, entries, several)
    if snapshot.history.dataset.task != "regression":
        _confusion(snapshot, entries, single, networks, times)


def _unregularized(snapshot: BoardSnapshot) -> int | None:
    """Return the index of None among the methods if early stopping is shown, else None."""
    return snapshot.grid.methods.index("none") if snapshot.grid.early_stopping else None


def _networks(
    history: History, rows: list[int], stopped: int | None, patience: int
) -> tuple[list[int], list[int]]:
    """Return the table's networks and the time index of each; early stopping comes last."""
    networks, times = list(rows), [len(history.epochs) - 1] * len(rows)
    if stopped is not None:
        best, _ = history.early_stopping(patience)
        networks.append(rows[stopped])
        times.append(int(best[rows[stopped]]))
    return networks, times


def _entries(
    snapshot: BoardSnapshot, times: list[int], results: Comparison | Replicates
) -> list[Entry]:
    methods = snapshot.grid.methods
    named = labels(snapshot.grid.only(snapshot.rows), methods)
    entries = [
        Entry(key, label.name, label.strength) for key, label in zip(methods, named, strict=True)
    ]
    if len(times) > len(entries):
        strength = f"epoch {snapshot.history.epochs[times[-1]]}"
        if isinstance(results, Replicates):  # the epoch differs between seeds
            strength = f"patience {snapshot.grid.patience}"
        entries.append(Entry("early_stopping", "Early stopping", strength))
    return entries


def _needed(experiment: Experiment, stopped: int | None) -> Experiment:
    """Return the experiment to train over seeds, with frames only if early stopping needs them."""
    if stopped is not None:
        return experiment
    return replace(experiment, training=replace(experiment.training, frames=1))


def _replicates(histories: list[History], stopped: int | None, patience: int) -> Replicates:
    """Compute the table of each seed's history, with early stopping if it is shown."""
    rows = list(range(len(histories[0].experiment.regularizations)))
    results = [compare(one, *_networks(one, rows, stopped, patience)) for one in histories]
    return Replicates.of(results, overlap(histories[0]))


def _draw_download(entries: list[Entry], results: Comparison | Replicates) -> None:
    names = [(entry.name, entry.strength) for entry in entries]
    st.download_button(
        "Download CSV",
        lambda: to_csv(names, results.columns, *numbers(results)),
        file_name="regviz-comparison.csv",
        mime="text/csv",
        on_click="ignore",
        key="compare_download",
    )


def _draw_caption(
    entries: list[Entry], results: Comparison | Replicates, data: Data | ArraysSpec
) -> None:
    if isinstance(results, Comparison):
        text = "Each method at the strength that its card shows, after the last epoch."
    else:
        text = (
            f"Mean ± standard error over {len(SEEDS)} seeds, each with {own_points(data)}, initial"
            " weights and mini-batches."
        )
        if results.overlap:
            text += " The splits overlap, for which the standard error makes up (Nadeau & Bengio"
            text += " 2003)."
    text += f" {BEST} marks the best where a number tells how well a network predicts,"
    if isinstance(results, Comparison):
        text += " and numbers that look the same."
    else:
        text += " and each method within one standard error of it. The differences are taken seed"
        text += " by seed. A number that looks as good as one with a star has a star too."
    text += " The other columns describe the network."
    if entries[-1].method == "early_stopping":
        text += " Early stopping has chosen its epoch by the validation loss."
    if np.isnan(numbers(results)[0]).any():
        text += " A dash: the network has diverged, or the number is not defined."
    st.caption(text)
    with st.expander("What the columns mean"):
        st.markdown(
            "\n".join(f"- **{column.label}.** {column.about}" for column in results.columns)
        )


def _show_verdicts(snapshot: BoardSnapshot, entries: list[Entry], several: Replicates) -> None:
    """Show verdicts on the differences, and a figure of each seed's test loss."""
    names = [entry.name for entry in entries]
    methods = [entry.method for entry in entries]
    baseline = methods.index("none") if "none" in methods else None
    sentences = [several.verdict(names, i, baseline) for i in range(len(names)) if i != baseline]
    if baseline is None:
        sentences.append("Switch on None in the line-up to compare with it.")
    st.markdown("\n".join(f"- {sentence}" for sentence in sentences))
    if baseline is not None:
        st.caption(
            "Differences are taken seed by seed, ± their standard error. With"
            f" {len(SEEDS)} seeds, luck alone takes each of them beyond three standard errors about"
            " once in 25 times."
        )
    draw(
        seed_losses(
            several["test_loss"],
            names,
            methods,
            baseline=baseline,
            overlap=several.overlap,
            theme=snapshot.theme,
        ),
        "compare_losses",
    )


def _confusion(
    snapshot: BoardSnapshot,
    entries: list[Entry],
    single: Comparison,
    networks: list[int],
    times: list[int],
) -> None:
    """Draw the confusion matrices of the run on the board."""
    going = [i for i in range(len(entries)) if not np.isnan(single["train_loss"][i])]
    if not going:
        st.info("All networks have diverged. Lower the learning rate.")
        return
    counts = confusion(snapshot.history, [networks[i] for i in going], [times[i] for i in going])
    classes = class_names(snapshot.history.experiment.data, snapshot.history.dataset.n_classes)
    figure = confusion_matrices(
        counts, [entries[i].name for i in going], classes, theme=snapshot.theme
    )
    draw(figure, "compare_confusion")
