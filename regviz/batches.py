"""What the networks see in an epoch: those of a run the same batches and draws for dropout."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from regviz.regularization import dropout_mask


class Batches:
    """An epoch's batches of one size, in memory that is refilled for each epoch.

    Parameters
    ----------
    X : Tensor of shape (fan_in + 1, n_runs * n)
        All training points as columns, run after run, with a row of ones.
    offset : Tensor of shape (n_outputs, n_runs * n)
        Their targets, as `networks.Target.offset` gives them.
    n_batches, batch_size : int
    n_runs : int
    n_rows : int
        K, the networks of all runs: row k is one of run ``k % n_runs``.
    fed : sequence of int
        Units that feed each layer, the inputs first.
    dropped : slice
        The rows that have dropout, with all runs of each.
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
        n_runs: int,
        n_rows: int,
        fed: Sequence[int],
        dropped: slice,
        thinned: Sequence[bool],
    ) -> None:
        self.n_points = n_batches * batch_size
        # one stride leads from row to row: a single run's batch serves all, several are repeated
        n_each = n_rows // n_runs
        n_copies = 1 if n_runs == 1 else n_each
        self.filled = [
            (
                X.new_empty(n_batches, n_copies, n_runs, len(everything), batch_size),
                everything,
                (len(everything), n_runs, n_batches, batch_size),
            )
            for everything in (X, offset / batch_size)
        ]
        inputs, targets = (
            [batch.expand(n_each, -1, -1, -1).view(n_rows, -1, batch_size) for batch in batches]
            for batches, *_ in self.filled
        )
        ends = list(itertools.accumulate(fed))
        n_masked = n_rows if any(thinned) else 0
        masks = X.new_ones(n_batches, n_masked, ends[-1], batch_size)
        n_dropped = (dropped.stop - dropped.start) // n_runs if n_masked else 0
        self.drawn = masks[:, dropped].view(n_batches, n_dropped, n_runs, ends[-1], batch_size)
        drawn = (n_runs, n_batches, ends[-1], batch_size)
        self.uniform = torch.empty(drawn, dtype=torch.float32, device="cpu")
        self.uniform_of = list(self.uniform)
        self.steps = [
            (
                inputs[i],
                targets[i],
                [
                    masks[i, :, end - units : end] if any_row else None
                    for end, units, any_row in zip(ends, fed, thinned, strict=True)
                ],
            )
            for i in range(n_batches)
        ]

    def fill(self, points: Tensor, draws: Sequence[torch.Generator], rates: Tensor) -> None:
        """Take the training points ``points`` in this order, and draw new masks.

        Parameters
        ----------
        points : Tensor of shape (n_runs, n_points)
            Columns of ``X``.
        draws : sequence of torch.Generator
            Each run's, for one uniform draw for each point and unit, inputs and all: a row's
            dropout does not depend on which layers other rows thin out.
        rates : Tensor of shape (rows with dropout, all units, 1)
            Each row's own rate, which those draws are compared with.
        """
        for batches, everything, shape in self.filled:
            batches.copy_(everything[:, points].view(shape).permute(2, 1, 0, 3)[:, None])
        if self.drawn.numel():
            for uniform, generator in zip(self.uniform_of, draws, strict=True):
                uniform.uniform_(generator=generator)
            uniform = self.uniform.to(self.drawn).transpose(0, 1)[:, None]
            rates = rates.view(*self.drawn.shape[1:3], -1, 1)
            dropout_mask(uniform, rates, out=self.drawn)
