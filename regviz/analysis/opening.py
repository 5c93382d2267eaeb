"""Claims about the first experiment of the page, and the choice of its seed."""

from collections.abc import Mapping

import numpy as np

from regviz.engine.history import History
from regviz.methods.catalogue import EARLY_STOPPING
from regviz.methods.labels import label

METRICS = ("test_loss", "train_loss", "test_accuracy", "sparsity")
RISE = 4 / 3  # least ratio of the final test loss to its minimum that counts as overfitting
CLEARLY = 0.85  # a test loss below this share of None's is clearly lower
CLASSES = 0.05  # a difference in accuracy below this is not clear: 16 of 320 test points


def opening_figures(history: History) -> dict[str, dict[str, float]]:
    """Return the final metrics of each method, and None's lowest test loss.

    Parameters
    ----------
    history : History
        A run with ``"none"`` and at most one network of each method, and validation points.

    Returns
    -------
    dict of str to dict of str to float
        By name of the metric, the values by key of the method. The metrics are `METRICS` and
        ``"lowest_test_loss"``, which only None has. Early stopping is a method: None's network at
        the epoch that it keeps, with a patience of a tenth of the epochs, as on the page.
    """
    keys = [label(row).method for row in history.experiment.regularizations]
    none = keys.index("none")
    patience = max(1, history.experiment.training.epochs // 10)
    kept = history.early_stopping(patience)[0][none]
    figures = {}
    for metric in METRICS:
        values = history.metrics[metric]
        figures[metric] = dict(zip(keys, values[-1].tolist(), strict=True))
        figures[metric][EARLY_STOPPING] = float(values[kept, none])
    lowest = float(history.metrics["test_loss"][:, none].min())
    return figures | {"lowest_test_loss": {"none": lowest}}


def opening_claims(history: History) -> dict[str, bool]:
    """Return for each claim about the first experiment of the page whether it holds in a run.

    Parameters
    ----------
    history : History
        As for `opening_figures`, with all methods of the first experiment.

    Returns
    -------
    dict of str to bool
        By claim, in words.
    """
    figures = opening_figures(history)
    loss, accuracy, zeros = (figures[m] for m in ("test_loss", "test_accuracy", "sparsity"))
    train_loss = {k: v for k, v in figures["train_loss"].items() if k != EARLY_STOPPING}
    others = {k: v for k, v in zeros.items() if k != "l1"}

    def is_clearly_better(key: str) -> bool:
        return loss[key] < CLEARLY * loss["none"]

    return {
        "None has the lowest training loss": _is_lowest("none", train_loss),
        "None's test loss rises by a third from its minimum": (
            loss["none"] >= RISE * figures["lowest_test_loss"]["none"]
        ),
        "L1 has the most zeros": zeros["l1"] > max(others.values()),
        "L1 has at least half of its weights at zero": zeros["l1"] >= 0.5,
        "only L1 and elastic net have zeros": (
            {key for key, share in zeros.items() if share > 0} == {"l1", "elastic_net"}
        ),
        "L1 tests clearly better than None": is_clearly_better("l1"),
        "L2 tests clearly better than None": is_clearly_better("l2"),
        "elastic net tests clearly better than None": is_clearly_better("elastic_net"),
        "early stopping tests clearly better than None": is_clearly_better(EARLY_STOPPING),
        "max-norm tests clearly better than None": is_clearly_better("max_norm"),
        "max-norm's accuracy is not clearly lower than None's": (
            accuracy["max_norm"] > accuracy["none"] - CLASSES
        ),
        "dropout's test loss is lower than None's": loss["dropout"] < loss["none"],
        "dropout's accuracy is not clearly higher than None's": (
            accuracy["dropout"] < accuracy["none"] + CLASSES
        ),
        "no network diverges": bool((history.diverged == -1).all()),
    }


def most_typical_seed(figures_by_seed: Mapping[int, Mapping[str, Mapping[str, float]]]) -> int:
    """Return the seed whose figures are nearest to the medians over all seeds.

    The distance is the root mean square over all figures, each in units of its standard deviation
    over the seeds. Figures that are equal for all seeds are left out. Of several nearest seeds, the
    first is returned.

    Parameters
    ----------
    figures_by_seed : mapping of int to mapping
        The result of `opening_figures` by seed, each with the same methods.
    """
    values = np.array(
        [
            [value for by_method in figures.values() for value in by_method.values()]
            for figures in figures_by_seed.values()
        ]
    )
    spread = values.std(axis=0)
    varied = spread > 0
    away = (values - np.median(values, axis=0))[:, varied] / spread[varied]
    return list(figures_by_seed)[int((away**2).sum(axis=1).argmin())]


def _is_lowest(key: str, values: Mapping[str, float]) -> bool:
    return all(values[key] < value for other, value in values.items() if other != key)
