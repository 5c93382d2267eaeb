"""One experiment under several seeds, trained together: what of a difference is luck."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from regviz.data.datasets import SPLITS, Dataset, make_dataset
from regviz.engine import compiled
from regviz.engine.history import History
from regviz.engine.recorder import histories, on_arrays
from regviz.spec.arrays import ArraysSpec
from regviz.spec.experiment import Experiment
from regviz.spec.validation import MAX_SEED, integer, invalid


def with_seed(experiment: Experiment, seed: int) -> Experiment:
    """The experiment with other points, initial weights, batches and dropout draws.

    Parameters
    ----------
    experiment : Experiment
    seed : int
        Of the data and of the training. Of a visitor's own points, the data's seed only decides
        how they are split, and of points given as arrays nothing.
    """
    data = experiment.data
    return replace(
        experiment,
        data=data if isinstance(data, ArraysSpec) else replace(data, seed=seed),
        training=replace(experiment.training, seed=seed),
    )


def replicate(
    experiment: Experiment,
    seeds: Sequence[int],
    *,
    dataset: Dataset | None = None,
    after_epoch: Callable[[], None] = lambda: None,
) -> list[History]:
    """Train an experiment under several seeds as one tensor program, and return the recordings.

    Parameters
    ----------
    experiment : Experiment
        Its own seeds do not matter.
    seeds : sequence of int
        At least one, without repetition. See `with_seed` for what they decide.
    dataset : Dataset, optional
        The user's own points, as for `regviz.train`. Seeds then vary initial weights, batches and
        dropout, while points and splits stay as they are.
    after_epoch
        As for `regviz.train` and `regviz.stream`.

    Returns
    -------
    list of History
        For each seed, in this order, what ``regviz.train(with_seed(experiment, seed))`` returns, to
        the last bit.

    Raises
    ------
    ValueError
        If experiment and data cannot go together under one of the seeds.

    Examples
    --------
    >>> import numpy as np, regviz
    >>> rows = (regviz.Regularization(), regviz.Regularization(l2=0.03))
    >>> runs = regviz.replicate(regviz.Experiment(regularizations=rows), seeds=range(5))
    >>> np.array([run.metrics["test_loss"][-1] for run in runs]).shape
    (5, 2)
    """
    *_, finished = stream_replicates(experiment, seeds, dataset=dataset, after_epoch=after_epoch)
    return finished


def stream_replicates(
    experiment: Experiment,
    seeds: Sequence[int],
    *,
    dataset: Dataset | None = None,
    after_epoch: Callable[[], None] = lambda: None,
) -> Iterator[list[History]]:
    """Yield the histories of `replicate` as they grow, as `regviz.stream` does.

    Parameters
    ----------
    experiment, seeds, dataset, after_epoch
        As for `replicate`.

    Raises
    ------
    ValueError
        As for `replicate`; by the call itself, before anything is trained.
    """
    parts = under_seeds(experiment, seeds, dataset)
    compiled.wait(experiment.training.dtype)
    return histories(*parts, after_epoch)


def under_seeds(
    experiment: Experiment, seeds: Sequence[int], dataset: Dataset | None = None
) -> tuple[list[Experiment], list[Dataset]]:
    """The experiment under each of the seeds, and the points of each.

    Raises
    ------
    ValueError
        If these seeds cannot be trained as one program.
    """
    if not isinstance(experiment, Experiment):
        raise invalid("experiment", "an Experiment", experiment)
    if not isinstance(seeds, Sequence) or isinstance(seeds, str) or not seeds:
        raise invalid("seeds", "a sequence of at least one whole number", seeds)
    numbers = [integer(f"seeds[{i}]", seed, 0, MAX_SEED) for i, seed in enumerate(seeds)]
    if len(set(numbers)) < len(numbers):
        raise invalid("seeds", "without repetition", seeds)
    if dataset is not None:
        experiment = on_arrays(experiment, dataset)
    experiments = [with_seed(experiment, seed) for seed in numbers]
    datasets = [dataset or make_dataset(one.data) for one in experiments]
    for seed, made in zip(numbers, datasets, strict=True):
        if _sizes(made) != _sizes(datasets[0]):
            sizes = [" + ".join(map(str, _sizes(one))) for one in (datasets[0], made)]
            allowed = (
                f"such that all splits have {sizes[0]} points and outputs, as for {numbers[0]}"
            )
            raise invalid("seeds", allowed, f"{sizes[1]} for {seed}")
    return experiments, datasets


def _sizes(dataset: Dataset) -> list[int]:
    """Points of each split, and the network's outputs: what one tensor program cannot vary."""
    return [*(len(dataset.points(split)[1]) for split in SPLITS), dataset.n_outputs]
