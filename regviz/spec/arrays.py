"""A record of points that were given as arrays: what an experiment says of them."""

from dataclasses import dataclass

from regviz.spec.validation import MAX_SEED, TASKS, Task, choice, integer, invalid


@dataclass(frozen=True)
class ArraysSpec:
    """Points that were given as a `regviz.Dataset` and cannot be generated again from here.

    `regviz.train` and its like put it into the experiment of a `History`; ``history.dataset`` holds
    the points themselves.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression"}
    n_columns, n_outputs : int
        Columns of the points, and units of the output layer.
    n_train, n_validation, n_test : int
        Points of each split.
    digest : str
        The first 16 hexadecimal digits of a SHA-256 hash of all arrays: experiments on different
        points differ.

    Raises
    ------
    ValueError
        If a parameter is of the wrong type or out of range.
    """

    task: Task
    n_columns: int
    n_outputs: int
    n_train: int
    n_validation: int
    n_test: int
    digest: str

    def __post_init__(self) -> None:
        choice("task", self.task, TASKS)
        for name in ("n_columns", "n_outputs", "n_train"):
            integer(name, getattr(self, name), 1, MAX_SEED)
        for name in ("n_validation", "n_test"):
            integer(name, getattr(self, name), 0, MAX_SEED)
        if not isinstance(self.digest, str) or len(self.digest) != 16:
            raise invalid("digest", "16 hexadecimal digits", self.digest)

    @property
    def name(self) -> str:
        """``"arrays"``, where a toy dataset has its name."""
        return "arrays"

    @property
    def n_samples(self) -> int:
        """Number of points of all splits."""
        return self.n_train + self.n_validation + self.n_test
