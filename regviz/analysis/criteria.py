"""Criteria for comparing networks: label, explanation and number format."""

import math
from dataclasses import dataclass
from typing import Literal

from regviz.data.datasets import Dataset


@dataclass(frozen=True)
class Criterion:
    """A number by which networks are compared.

    Attributes
    ----------
    key : str
        Name in Python and in CSV files.
    label : str
        Column heading.
    about : str
        Definition, in one sentence.
    better : {"lower", "higher"} or None
        Direction of better predictions; None if the number has no such direction.
    percent : bool
        Whether the number is a share, shown in percent.
    describes : {"predictions", "network"}
        Whether the number describes predictions, or the weights and the boundary.
    """

    key: str
    label: str
    about: str
    better: Literal["lower", "higher"] | None = None
    percent: bool = False
    describes: Literal["predictions", "network"] = "predictions"

    def text(self, value: float, error: float | None = None) -> str:
        """Format a value, with its standard error if given; NaN and infinity give a dash."""
        if not math.isfinite(value):
            return "–"
        scale, unit = (100, " %") if self.percent else (1, "")
        if error is not None and math.isfinite(error):
            return plus_minus(scale * value, scale * error) + unit
        return f"{scale * value:z.1f}{unit}" if self.percent else _three_digits(value)

    def as_shown(self, value: float, error: float | None = None) -> float:
        """Return the number that `text` shows, in percent if it is a share; NaN for a dash."""
        shown = self.text(value, error).split()[0]
        return math.nan if shown == "–" else float(shown)


def criteria(dataset: Dataset, n_layers: int) -> tuple[Criterion, ...]:
    """Return the criteria that are defined for a dataset and a number of layers of weights."""
    classes, plane = dataset.task != "regression", dataset.n_columns == 2
    loss = "cross-entropy" if classes else "half the squared error"
    held_out = [
        Criterion(
            "validation_loss",
            "Validation loss",
            f"Mean {loss} on the validation points, no penalty.",
            "lower",
        )
    ]
    of_classes = [
        Criterion(
            "test_accuracy",
            "Test accuracy",
            "Share of the test points whose class is predicted.",
            "higher",
            percent=True,
        ),
        Criterion(
            "calibration_error",
            "Calibration error",
            "How far confidence and accuracy lie apart on the test points, over 10 equal bins of"
            f" confidence from 0 to 1. With {dataset.n_classes} classes, confidence in the one"
            f" predicted is at least 1/{dataset.n_classes}.",
            "lower",
            percent=True,
        ),
    ]
    boundary = [
        Criterion(
            "boundary_length",
            "Boundary length",
            "Length of the line between classes within the picture, in units of its axes.",
            describes="network",
        )
    ]
    norms = [
        Criterion(
            f"norm_{i}",
            f"Norm, layer {i}",
            f"Root of the sum of the squared weights of layer {i}, biases left out.",
            describes="network",
        )
        for i in range(1, n_layers + 1)
    ]
    return (
        Criterion(
            "test_loss", "Test loss", f"Mean {loss} on the test points, no penalty.", "lower"
        ),
        Criterion(
            "train_loss", "Training loss", f"Mean {loss} on the training points, no penalty."
        ),
        *(held_out if len(dataset.points("validation")[1]) else []),
        Criterion("gap", "Gap", "Test loss minus training loss."),
        *(of_classes if classes else []),
        Criterion(
            "sparsity",
            "Zeros",
            "Share of the weights that are exactly 0.",
            percent=True,
            describes="network",
        ),
        Criterion(
            "hoyer",
            "Hoyer",
            "Hoyer's sparsity: 0 if all weights are of one size, 1 if a single one is not 0.",
            describes="network",
        ),
        Criterion(
            "effective_weights",
            "Effective weights",
            "As many weights of one size would be spread as these are: (Σ|w|)² / Σw².",
            describes="network",
        ),
        *(boundary if classes and plane else []),
        *norms,
    )


def plus_minus(mean: float, error: float) -> str:
    """Format ``mean ± error`` with one significant digit of the error, or two if the first is 1.

    Examples
    --------
    >>> plus_minus(0.31234, 0.0421), plus_minus(0.31234, 0.0124)
    ('0.31 ± 0.04', '0.312 ± 0.012')
    """
    if not math.isfinite(error):
        return _three_digits(mean)
    if error == 0:
        return f"{mean:.3g} ± 0"
    exponent = math.floor(math.log10(error))
    digits = -exponent + (error / 10**exponent < 1.95)
    return f"{mean:z.{max(0, digits)}f} ± {error:.{max(0, digits)}f}"


def _three_digits(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}"
