"""The entry of an experiment for points that were given as arrays: their sizes and their hash."""

from dataclasses import dataclass

from regviz.spec.validation import MAX_SEED, TASKS, Task, boolean, choice, integer, invalid


@dataclass(frozen=True)
class ArraysSpec:
    """Sizes and hash of a `regviz.Dataset`; the points cannot be generated again from them.

    `regviz.train`, `regviz.stream` and `regviz.replicate` put it into the experiment of the
    `History` that they return; ``history.dataset`` holds the points themselves.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression"}
    n_columns, n_outputs : int
        Number of columns of the points, and number of units of the output layer.
    n_train, n_validation, n_test : int
        Number of points of each split.
    digest : str
        The first 16 hexadecimal digits of the SHA-256 hash of the task and all arrays, so that
        experiments on different points are unequal.
    weighted : bool
        Whether points have weights.

    Raises
    ------
    ValueError
        If a parameter is of the wrong type or out of range.

    Examples
    --------
    >>> import numpy as np
    >>> import regviz
    >>> X = np.linspace(-1, 1, 40).reshape(20, 2)
    >>> points = regviz.Dataset(X, X[:, 0] > 0)
    >>> history = regviz.train(regviz.Experiment(training=regviz.TrainingSpec(epochs=1)), points)
    >>> data = history.experiment.data
    >>> data.n_train, data.n_columns, data.task
    (20, 2, 'binary')
    """

    task: Task
    n_columns: int
    n_outputs: int
    n_train: int
    n_validation: int
    n_test: int
    digest: str
    weighted: bool = False

    def __post_init__(self) -> None:
        choice("task", self.task, TASKS)
        for name in ("n_columns", "n_outputs", "n_train"):
            integer(name, getattr(self, name), 1, MAX_SEED)
        for name in ("n_validation", "n_test"):
            integer(name, getattr(self, name), 0, MAX_SEED)
        if not isinstance(self.digest, str) or len(self.digest) != 16:
            raise invalid("digest", "16 hexadecimal digits", self.digest)
        boolean("weighted", self.weighted)

    @property
    def name(self) -> str:
        """``"arrays"``, in place of a toy dataset's name."""
        return "arrays"

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, ``"x1"``, ``"x2"`` and so on."""
        return tuple(f"x{i + 1}" for i in range(self.n_columns))

    @property
    def relevant(self) -> None:
        """None: the columns that the targets depend on are not known."""
        return

    @property
    def n_samples(self) -> int:
        """Number of points of all splits."""
        return self.n_train + self.n_validation + self.n_test
