"""Export of a run's points as CSV, for training in other programs."""

import csv
import io

from regviz.data.datasets import Dataset
from regviz.spec.points import SPLITS
from regviz.spec.validation import invalid


def points_csv(dataset: Dataset) -> str:
    """Return all points as CSV text: a column for each coordinate, then ``y`` and ``split``.

    Coordinates are the networks' inputs, so after any standardisation, with all digits. ``y`` is a
    class number or the target of a regression; ``split`` is ``train``, ``validation`` or ``test``,
    and rows are in this order. `regviz.data.columns.Columns` recognizes the header, so that an
    upload of the file has the same splits.

    Parameters
    ----------
    dataset : Dataset

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If points have weights, for which the file has no column.

    Examples
    --------
    >>> import regviz
    >>> from regviz.data.points_file import points_csv
    >>> points_csv(regviz.Dataset([[0.5, 1.0], [2.0, 0.1]], [0, 1])).splitlines()
    ['x1,x2,y,split', '0.5,1.0,0,train', '2.0,0.1,1,train']
    """
    if dataset.weighted:
        raise invalid("dataset", "without weights of points", dataset)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*(f"x{i + 1}" for i in range(dataset.n_columns)), "y", "split"])
    for split in SPLITS:
        X, y = dataset.points(split)
        targets = y.tolist() if dataset.task == "regression" else y.astype(int).tolist()
        # repr gives the shortest decimals that parse to the same float
        writer.writerows(
            [*map(repr, row), repr(target), split]
            for row, target in zip(X.tolist(), targets, strict=True)
        )
    return text.getvalue()
