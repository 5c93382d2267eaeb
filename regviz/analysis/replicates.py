"""Training of one experiment under several seeds, to separate differences from chance."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import TypeVar

from regviz.data.datasets import Dataset, make_dataset
from regviz.engine import compiled
from regviz.engine.history import History
from regviz.engine.recorder import histories, on_arrays
from regviz.spec.arrays import ArraysSpec
from regviz.spec.experiment import Experiment
from regviz.spec.points import SPLITS
from regviz.spec.validation import MAX_SEED, integer, invalid

Result = TypeVar("Result")


def with_seed(experiment: Experiment, seed: int) -> Experiment:
    """Return the experiment with another seed of its data and of its training.

    The seed of the data determines the points and splits of a toy dataset, and the splits of a
    visitor's own points. Points given as arrays have no seed.

    Parameters
    ----------
    experiment : Experiment
    seed : int
        0 to 2**32 - 1.
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
        The experiment, whose own seeds are replaced.
    seeds : sequence of int
        Seeds of data and training, see `with_seed`: at least one, without repetition.
    dataset : Dataset, optional
        Points to train on in place of ``experiment.data``, as for `regviz.train`. Seeds then vary
        initial weights, batches and dropout only.
    after_epoch : callable
        Called without arguments after every epoch. An exception that it raises ends the training
        and is passed on.

    Returns
    -------
    list of History
        One for each seed, equal to the last bit to that of
        ``regviz.train(with_seed(experiment, seed))``.

    Raises
    ------
    ValueError
        If a seed is invalid, if the seeds' splits differ in size, or as for `regviz.train`.

    Examples
    --------
    >>> import numpy as np, regviz
    >>> rows = (regviz.Regularization(), regviz.Regularization(l2=0.03))
    >>> short = regviz.TrainingSpec(epochs=20)
    >>> experiment = regviz.Experiment(training=short, regularizations=rows)
    >>> runs = regviz.replicate(experiment, seeds=range(5))
    >>> np.array([run.metrics["test_loss"][-1] for run in runs]).shape
    (5, 2)
    """
    parts = under_seeds(experiment, seeds, dataset)
    compiled.wait(experiment.training.dtype)
    *_, finished = histories(*parts, after_epoch)
    return finished


def under_seeds(
    experiment: Experiment, seeds: Sequence[int], dataset: Dataset | None = None
) -> tuple[list[Experiment], list[Dataset]]:
    """Return the experiment and its dataset under each seed, the arguments of `histories`.

    Raises
    ------
    ValueError
        If a seed is invalid, or the seeds' splits differ in size.
    """
    return at_once(under_seeds_in_slices(experiment, seeds, dataset))


def at_once(slices: Generator[None, None, Result]) -> Result:
    """Run a generator to its end, and return its result."""
    while True:
        try:
            next(slices)
        except StopIteration as end:
            result: Result = end.value
            return result


def under_seeds_in_slices(
    experiment: Experiment,
    seeds: Sequence[int],
    dataset: Dataset | None = None,
    *,
    due: Callable[[], bool] = lambda: False,
) -> Generator[None, None, tuple[list[Experiment], list[Dataset]]]:
    """Return as `under_seeds`, and yield between datasets when it is due.

    50 datasets take 50 ms, in which other jobs of a scheduler would wait.
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
    datasets = []
    for one in experiments:
        datasets.append(dataset or make_dataset(one.data))
        if due():
            yield
    for seed, made in zip(numbers, datasets, strict=True):
        if _sizes(made) != _sizes(datasets[0]):
            sizes = [" + ".join(map(str, _sizes(one))) for one in (datasets[0], made)]
            allowed = (
                f"such that all splits have {sizes[0]} points and outputs, as for {numbers[0]}"
            )
            raise invalid("seeds", allowed, f"{sizes[1]} for {seed}")
    return experiments, datasets


def _sizes(dataset: Dataset) -> list[int]:
    """Return the sizes that have to be equal within a tensor program: of splits and outputs."""
    return [*(len(dataset.points(split)[1]) for split in SPLITS), dataset.n_outputs]
