"""The points of a run as a CSV file, for other programs to train on."""

import csv
import io

from regviz.data.datasets import SPLITS, Dataset


def points_csv(dataset: Dataset) -> str:
    """All points as CSV text: a column for each coordinate, then ``y`` and ``split``.

    Coordinates are those that networks are trained on, so after any standardisation, with all
    their digits. ``y`` is a class number or a value; ``split`` is ``train``, ``validation`` or
    ``test``, in this order. `regviz.data.columns.Columns` recognizes the header, so that an upload
    of the file has the same splits.

    Examples
    --------
    >>> points_csv(Dataset([[0.5, 1.0], [2.0, 0.1]], [0, 1])).splitlines()
    ['x1,x2,y,split', '0.5,1.0,0,train', '2.0,0.1,1,train']
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*(f"x{i + 1}" for i in range(dataset.n_columns)), "y", "split"])
    for split in SPLITS:
        X, y = dataset.points(split)
        targets = y.tolist() if dataset.task == "regression" else y.astype(int).tolist()
        # the shortest decimals that are read back as the same number
        writer.writerows(
            [*map(repr, row), repr(target), split]
            for row, target in zip(X.tolist(), targets, strict=True)
        )
    return text.getvalue()
