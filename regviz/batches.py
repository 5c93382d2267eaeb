"""What every network of a run sees in an epoch: the same batches and the same draws for dropout."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from regviz.regularization import dropout_mask


class Batches:
    """An epoch's batches of one size, in memory that is refilled for each epoch.

    Parameters
    ----------
    X : Tensor of shape (fan_in + 1, n)
        All training points as columns, with a row of ones.
    offset : Tensor of shape (n_outputs, n)
        Their targets, as `networks.Target.offset` gives them.
    n_batches, batch_size : int
    n_rows : int
        K, the networks.
    fed : sequence of int
        Units that feed each layer, the inputs first.
    dropped : slice
        The rows that have dropout.
    thinned : sequence of bool
        Whether any row has dropout on what feeds each layer.

    Attributes
    ----------
    steps : list of tuple
        For each batch what `networks.Backpropagation` is called with.
    """

    def __init__(
        self,
        X: Tensor,
        offset: Tensor,
        n_batches: int,
        batch_size: int,
        n_rows: int,
        fed: Sequence[int],
        dropped: slice,
        thinned: Sequence[bool],
    ) -> None:
        self.n_points = n_batches * batch_size
        self.all_X, self.all_offset = X, offset / batch_size
        self.X = X.new_empty(n_batches, len(X), batch_size)
        self.offset = X.new_empty(n_batches, len(offset), batch_size)
        ends = list(itertools.accumulate(fed))
        n_masked = n_rows if any(thinned) else 0
        masks = X.new_ones(n_batches, n_masked, ends[-1], batch_size)
        self.drawn = masks[:, dropped]
        self.steps = [
            (
                self.X[i].expand(n_rows, -1, -1),
                self.offset[i],
                [
                    masks[i, :, end - units : end] if any_row else None
                    for end, units, any_row in zip(ends, fed, thinned, strict=True)
                ],
            )
            for i in range(n_batches)
        ]

    def fill(self, points: Tensor, draws: torch.Generator, rates: Tensor) -> None:
        """Take the training points ``points`` in this order, and draw new masks.

        Parameters
        ----------
        points : Tensor of shape (n_points,)
        draws : torch.Generator
            For one uniform draw for each point and unit, inputs and all: a row's dropout does not
            depend on which layers other rows thin out.
        rates : Tensor of shape (rows with dropout, all units, 1)
            Each row's own rate, which those draws are compared with.
        """
        for batches, everything in ((self.X, self.all_X), (self.offset, self.all_offset)):
            chosen = everything[:, points].view(len(everything), len(batches), -1)
            batches.copy_(chosen.transpose(0, 1))
        if self.drawn.numel():
            n_batches, _, units, size = self.drawn.shape
            uniform = torch.rand(
                (n_batches, 1, units, size), generator=draws, dtype=torch.float32, device="cpu"
            )
            dropout_mask(uniform.to(self.drawn), rates, out=self.drawn)
