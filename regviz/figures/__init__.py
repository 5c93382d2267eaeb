"""Plotly figures for the page, notebooks and files.

All are pure functions that return a `plotly.graph_objects.Figure`. Its text alternative is
``figure.layout.meta["alt"]``. Colours are those of `regviz.methods.palette`, as on the live board.
"""

from regviz.figures.anatomy import anatomy_network, layer_map, weight_step
from regviz.figures.claims import claim_figures, claim_seeds
from regviz.figures.confusion_and_seeds import confusion_matrices, seed_losses
from regviz.figures.penalty_shapes import (
    loss_and_penalty,
    penalty_curves,
    penalty_gradients,
    proximal_maps,
)
from regviz.figures.plane_uncertainty import uncertainty_map
from regviz.figures.race import weight_race
from regviz.figures.runs import (
    boundary,
    loss_curves,
    small_multiples,
    sparsity_curves,
    weight_histogram,
)
from regviz.figures.strength_paths import weight_paths
from regviz.figures.studies import study

__all__ = [
    "anatomy_network",
    "boundary",
    "claim_figures",
    "claim_seeds",
    "confusion_matrices",
    "layer_map",
    "loss_and_penalty",
    "loss_curves",
    "penalty_curves",
    "penalty_gradients",
    "proximal_maps",
    "seed_losses",
    "small_multiples",
    "sparsity_curves",
    "study",
    "uncertainty_map",
    "weight_histogram",
    "weight_paths",
    "weight_race",
    "weight_step",
]
