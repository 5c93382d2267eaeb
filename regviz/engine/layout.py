"""Input features, positions of parameters in a network's flat vector, and initial parameters.

A layer's matrix has shape (fan_out, fan_in), as in `torch.nn.Linear`, with the bias as one more
column.
"""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regviz.spec.experiment import NetworkSpec

# Numbers of networks and of points that the kernel computes at once: 8 float32 numbers are 256
# bits, a vector of AVX2.
NETWORKS, POINTS = 8, 4

Array = TypeVar("Array", Tensor, NDArray[np.floating])


def input_features(X: Array, features: Sequence[str]) -> Array:
    """Return the network's inputs, of shape (n, fan_in).

    Parameters
    ----------
    X : Tensor or ndarray of shape (n, n_columns)
        Points. Unless they have two columns, they are returned unchanged.
    features : sequence of str
        Names of the features, see `NetworkSpec`.
    """
    if X.shape[1] != 2:
        return X
    library: Any = torch if isinstance(X, Tensor) else np
    x1, x2 = X[:, 0], X[:, 1]
    columns = {
        "x1": x1,
        "x2": x2,
        "x1^2": x1 * x1,
        "x2^2": x2 * x2,
        "x1*x2": x1 * x2,
        "sin(x1)": library.sin(x1),
        "sin(x2)": library.sin(x2),
    }
    stacked: Array = library.stack([columns[name] for name in features], 1)
    return stacked


class Normalization(NamedTuple):
    """The normalization of a hidden layer of K networks.

    Attributes
    ----------
    kind : {"batch", "layer"}
    gain, shift : Tensor of shape (K, units, 1), or None
        None for normalization without a trained gain and shift.
    mean, variance : Tensor of shape (K, units, 1), or None
        Running statistics of batch normalization.
    """

    kind: str
    gain: Tensor | None
    shift: Tensor | None
    mean: Tensor | None
    variance: Tensor | None


class Layout:
    """Positions of a network's parameters in its flat vector of P parameters.

    The order is layer after layer, unit after unit; for each unit, its incoming weights and then
    its bias. With normalization, there follow for each hidden layer: with ``affine``, the gains of
    its units and then their shifts; with batch normalization, the running means of its units and
    then their running variances.

    Parameters
    ----------
    sizes : sequence of int
        Number of units of each layer, including inputs and outputs, such as ``(2, 8, 8, 1)``.
    normalization, affine
        As for `NetworkSpec`.

    Attributes
    ----------
    normalization, affine
        The same; ``"none"`` and False without hidden layers, as there is nothing to normalize.
    n_parameters : int
        P, the number of all these numbers.
    is_weight : ndarray of bool of shape (P,)
        True for weights, False for all else.
    shapes : list of (int, int)
        ``(fan_out, fan_in + 1)`` of each layer.
    """

    def __init__(
        self, sizes: Sequence[int], normalization: str = "none", affine: bool = False
    ) -> None:
        self.sizes = tuple(sizes)
        self.normalization = normalization if self.sizes[1:-1] else "none"
        self.affine = affine and self.normalization != "none"
        self.shapes = [(fan_out, fan_in + 1) for fan_in, fan_out in itertools.pairwise(self.sizes)]
        self.counts = [fan_out * columns for fan_out, columns in self.shapes]
        self.ends = list(itertools.accumulate(self.counts))
        n_each = 2 * self.affine + 2 * (self.normalization == "batch")
        self.n_parameters = self.ends[-1] + n_each * sum(self.sizes[1:-1])
        is_weight = np.ones(self.n_parameters, dtype=bool)
        is_weight[self.ends[-1] :] = False
        for block in self.split(is_weight):
            block[:, -1] = False
        self.is_weight = is_weight

    @classmethod
    def of(cls, network: NetworkSpec, n_columns: int, n_outputs: int) -> "Layout":
        """Return the layout of a network for data with ``n_columns`` columns."""
        n_inputs = len(network.features) if n_columns == 2 else n_columns
        return cls((n_inputs, *network.hidden, n_outputs), network.normalization, network.affine)

    def split(self, rows: Array) -> list[Array]:
        """Return views of shape (…, fan_out, fan_in + 1) of each layer of an array (…, P)."""
        return [
            rows[..., end - n : end].reshape(*rows.shape[:-1], *shape)
            for end, n, shape in zip(self.ends, self.counts, self.shapes, strict=True)
        ]

    def normalizations(self, rows: Tensor) -> list[Normalization]:
        """Return the normalization of each hidden layer, of views of rows (K, P); [] for none."""
        if self.normalization == "none":
            return []
        at = self.ends[-1]
        found = []
        for units in self.sizes[1:-1]:
            parts: list[Tensor | None] = []
            for present in (self.affine, self.normalization == "batch"):
                for _ in range(2):
                    parts.append(rows[:, at : at + units, None] if present else None)
                    at += units * present
            found.append(Normalization(self.normalization, *parts))
        return found


def initial_row(layout: Layout, activation: str, seed: int) -> Tensor:
    """Draw the initial parameters, of shape (P,), in float64.

    Biases, shifts and running means are 0, gains and running variances 1.

    Weights are uniform within He's bound for ReLU and leaky ReLU (He et al. 2015), and within
    Glorot's bound for other activations (Glorot & Bengio 2010).
    """
    generator = torch.Generator().manual_seed(seed)
    row = torch.zeros(layout.n_parameters, dtype=torch.float64, device="cpu")
    for block in layout.split(row):
        weights = torch.empty_like(block[:, :-1])
        if activation in ("relu", "leaky_relu"):
            torch.nn.init.kaiming_uniform_(weights, nonlinearity="relu", generator=generator)
        else:
            torch.nn.init.xavier_uniform_(weights, generator=generator)
        block[:, :-1] = weights
    for norm in layout.normalizations(row[None]):
        for ones in (norm.gain, norm.variance):
            if ones is not None:
                ones.fill_(1)
    return row
