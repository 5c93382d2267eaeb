"""What every network of a run sees in an epoch: the same batches and the same draws for dropout."""

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
    n_dropped : int
        Those among them that have dropout.
    units : sequence of int, one for each layer
        Inputs of the layer that dropout thins out; 0 where no row does.
    """

    def __init__(
        self,
        X: Tensor,
        offset: Tensor,
        n_batches: int,
        batch_size: int,
        n_rows: int,
        n_dropped: int,
        units: Sequence[int],
    ) -> None:
        self.all_X, self.all_offset = X, offset
        self.n_points = n_batches * batch_size
        self.X = X.new_empty(n_batches, len(X), batch_size)
        self.offset = X.new_empty(n_batches, len(offset), batch_size)
        self.masks = [
            X.new_ones(n_batches, n_dropped, n, batch_size) if n else None for n in units
        ]
        self.steps = [
            (
                self.X[i].expand(n_rows, -1, -1),
                self.offset[i],
                [None if mask is None else mask[i] for mask in self.masks],
            )
            for i in range(n_batches)
        ]

    def fill(
        self,
        points: Tensor,
        draws: Sequence[torch.Generator | None],
        rates: Sequence[Tensor],
    ) -> None:
        """Take the training points ``points`` in this order, and draw new masks.

        Each layer has a generator of its own and one uniform draw for each point and unit, which
        every row compares with its own rate ``(n_dropped, 1, 1)``.
        """
        for batches, everything in ((self.X, self.all_X), (self.offset, self.all_offset)):
            chosen = everything[:, points].view(len(everything), len(batches), -1)
            batches.copy_(chosen.transpose(0, 1))
        # the targets' share of the mean error: see `networks.Target`
        self.offset.div_(self.offset.shape[2])
        for mask, generator, rate in zip(self.masks, draws, rates, strict=True):
            if mask is not None:
                n_batches, _, units, size = mask.shape
                uniform = torch.rand(n_batches, 1, units, size, generator=generator)
                mask.copy_(dropout_mask(uniform.to(mask.device), rate))
