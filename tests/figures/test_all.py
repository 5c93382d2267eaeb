"""Tests of all figures: theme, text alternative, valid JSON."""

import json
from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import pytest

import regviz
from regviz import Regularization, figures
from regviz.analysis import regularization_path as paths
from regviz.analysis.mc_dropout import over_plane
from regviz.analysis.penalties import LeastSquares
from regviz.methods import palette
from tests.support.studies import result_of

ROWS = (Regularization(l1=0.02), Regularization(l2=0.01), Regularization(drop_rate=0.3))
PENALTIES = ROWS[:2]


def history_of(name: str) -> regviz.History:
    data, training = regviz.DataSpec(name, n_samples=60), regviz.TrainingSpec(epochs=4)
    return regviz.train(regviz.Experiment(data, regviz.NetworkSpec((3,)), training, ROWS))


HISTORIES = {name: history_of(name) for name in ("moons", "three_blobs", "bumps")}
OF_RUNS: dict[str, Callable[..., go.Figure]] = {
    "boundary": lambda h, **theme: figures.boundary(h, 0, resolution=9, **theme),
    "small_multiples": lambda h, **theme: figures.small_multiples(h, resolution=9, **theme),
    "weight_histogram": lambda h, **theme: figures.weight_histogram(h, 0, **theme),
    "loss_curves": figures.loss_curves,
    "sparsity_curves": figures.sparsity_curves,
    "weight_paths": lambda h, **theme: figures.weight_paths(paths.path(h, [0]), **theme),
    "uncertainty_map": lambda h, **theme: figures.uncertainty_map(
        h, over_plane(h, 2, passes=3, resolution=9), **theme
    ),
}
STEPS = {name: regviz.anatomy(HISTORIES[name].experiment, k, 2) for k, name in enumerate(HISTORIES)}
OTHERS: dict[str, Callable[..., go.Figure]] = {
    "penalty_curves": lambda **theme: figures.penalty_curves(PENALTIES, **theme),
    "penalty_gradients": lambda **theme: figures.penalty_gradients(PENALTIES, **theme),
    "proximal_maps": lambda **theme: figures.proximal_maps(PENALTIES, 0.5, **theme),
    "weight_race": lambda **theme: figures.weight_race(PENALTIES, 1.2, 0.1, 40, **theme),
    "loss_and_penalty": lambda **theme: figures.loss_and_penalty(
        LeastSquares((1.0, 0.4)), ROWS[0], **theme
    ),
    "confusion_matrices": lambda **theme: figures.confusion_matrices(
        [[[5, 1], [0, 6]]], ["L1"], ["a", "b"], **theme
    ),
    "weight_step": lambda **theme: figures.weight_step(STEPS["moons"], 0, 3, **theme),
    "layer_map": lambda **theme: figures.layer_map(STEPS["bumps"], 0, 1, index=10, **theme),
    "anatomy_network": lambda **theme: figures.anatomy_network(STEPS["three_blobs"], 0, **theme),
    "claim_figures": lambda **theme: figures.claim_figures(
        "Gap", "width", "gap", [2, 8], {"None": np.ones((2, 5)), "L2": np.eye(2)}, **theme
    ),
    "claim_seeds": lambda **theme: figures.claim_seeds(
        {"gap_8": [0.1, 0.3, 0.2], "zeros": [0, 2, 4]}, [True, False, True], **theme
    ),
    "study": lambda **theme: figures.study(STUDIED, **theme),
    "seed_losses": lambda **theme: figures.seed_losses(np.ones((5, 1)), ["L1"], ["l1"], **theme),
}
STUDIED = result_of(
    regviz.Study(vary={"data.noise": [0.1, 0.2]}, methods=("none", "l2"), strengths=1), 0.5
)
SQUARE = ("boundary", "small_multiples")  # figures with a fixed width
# figures whose axes are labelled by classes, methods, panels, layers or parts of a step
WITHOUT_TITLES = (
    "weight_step",
    "anatomy_network",
    "small_multiples",
    "confusion_matrices",
    "seed_losses",
    "claim_seeds",
)
CASES = [(name, history) for name in OF_RUNS for history in HISTORIES]
CASES += [(name, None) for name in OTHERS]


def test_every_figure_is_tested_here():
    assert sorted([*OF_RUNS, *OTHERS]) == sorted(figures.__all__)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("name", "history"), CASES)
def test_a_figure_has_the_theme_words_titled_axes_and_valid_json(
    name: str, history: str | None, theme: palette.Theme
):
    draw = OF_RUNS[name] if history else OTHERS[name]
    figure = draw(*([HISTORIES[history]] if history else []), theme=theme)
    layout = figure.layout
    assert layout.paper_bgcolor == palette.BLANK[theme]
    assert (layout.width is None) == (name not in SQUARE)
    assert layout.height > 0
    assert layout.font.size >= 12
    assert len(layout.meta["alt"].split()) > 5
    json.dumps(json.loads(figure.to_json()), allow_nan=False)
    if name not in WITHOUT_TITLES:
        assert any(axis.title.text for axis in figure.select_xaxes())
        assert any(axis.title.text for axis in figure.select_yaxes())
