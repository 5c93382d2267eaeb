"""Tests of the figures of a study."""

import json
from dataclasses import replace

import numpy as np
import pytest

import regviz
from regviz import figures
from regviz.figures._study_places import CHAR, ROW_WIDTH, places_of
from regviz.methods.labels import method_name
from regviz.methods.palette import rgb_of
from regviz.studies.axes import Axis
from tests.support.studies import result_of

METHODS = ("none", "l2", "early_stopping")
WIDTHS, NOISES = [(64,), (2,), (8,)], [0.1, 0.3]
STUDY = regviz.Study(
    vary={"network.hidden": WIDTHS, "data.noise": NOISES},
    methods=METHODS,
    strengths=1,
    seeds=range(10),
)
MEANS = np.array([[0.5, 0.3, 0.4], [0.5, 0.5, 0.7]] * 3)  # of cells and methods
LOSSES = MEANS + np.random.default_rng(2).normal(0, 0.02, (10, 6, 3))
RESULT = result_of(STUDY, LOSSES)
PARTIAL = result_of(STUDY, LOSSES, done=[0, 1, 4])
GRID = regviz.Study(
    vary={"data.noise": NOISES}, methods=("none", "l2", "dropout"), strengths=4, seeds=range(8)
)
CHOICES = np.random.default_rng(1).uniform(size=(8, 2, 9))


def named(figure, name: str, panel: int = 0):
    """Return a method's trace with signs in a panel."""
    axis = "x" if panel == 0 else f"x{panel + 1}"
    return next(
        trace
        for trace in figure.data
        if trace.name == name and trace.xaxis == axis and trace.customdata is not None
    )


def test_lines_are_the_means_in_the_order_of_a_numeric_axis_with_a_panel_for_each_facet():
    figure = figures.study(RESULT)
    assert [one.text for one in figure.layout.annotations] == ["noise 0.1", "noise 0.3"]
    for panel in (0, 1):
        line = named(figure, "L2", panel)
        assert list(line.x) == [2, 8, 64]
        cells = [2 + panel, 4 + panel, panel]  # of 2, 8 and 64 units
        np.testing.assert_allclose(line.y, LOSSES[:, cells, 1].mean(axis=0))
        assert [one[0] for one in line.customdata] == [STUDY.cells[i].key for i in cells]
        assert "units of the hidden layer 2, noise" in line.customdata[0][1]
        assert "10 seeds" in line.customdata[0][1]
    (band,) = (t for t in figure.data if t.name == "L2, band" and t.xaxis == "x")
    error = LOSSES[:, 2, 1].std(ddof=1) / np.sqrt(10)
    assert max(y for x, y in zip(band.x, band.y, strict=True) if x == 2) == pytest.approx(
        LOSSES[:, 2, 1].mean() + error
    )


def test_with_a_baseline_lines_are_paired_differences_and_filled_where_clear():
    figure = figures.study(RESULT, baseline="none", at={"data.noise": 0.3})
    table = RESULT.differences().set_index(["data.noise", "network.hidden"]).sort_index()
    for name, key in (("L2", "l2"), ("Early stopping", "early_stopping")):
        own = table[table["method"] == key].loc[0.3].loc[["2", "8", "64"]]
        line = named(figure, name)
        np.testing.assert_allclose(line.y, own["mean"])
        filled = [colour == line.line.color for colour in line.marker.color]
        assert filled == own["clear"].tolist() == [name != "L2"] * 3
    assert "Noise 0.3" in figure.layout.title.text
    assert "p = " in line.customdata[0][1]
    assert "power 0.8" in line.customdata[0][1]
    assert not any(trace.name == "None" for trace in figure.data)


def test_cells_that_are_not_finished_are_gaps_and_diverged_methods_are_crosses():
    losses = LOSSES.copy()
    losses[3, 0, 1] = np.nan  # 64 units, the last
    figure = figures.study(result_of(STUDY, losses, done=[0, 1, 4]))
    assert [y is None for y in named(figure, "L2").y] == [True, False, True]
    assert [y is None for y in named(figure, "None").y] == [True, False, False]
    (cross,) = (trace for trace in figure.data if trace.name == "L2, diverged")
    assert list(cross.x) == [64]
    assert "diverged under 1 of 10 seeds" in cross.customdata[0][1]
    assert "3 of 6 cells are finished" in figure.layout.title.text
    empty = figures.study(result_of(STUDY, LOSSES, done=[]))
    assert all(y is None for y in named(empty, "L2").y)


def test_a_note_on_unfinished_cells_moves_panels_only_where_they_have_titles():
    part = result_of(STUDY, LOSSES, done=[0, 1, 4])
    for options, moves in (({"at": {"data.noise": 0.3}}, False), ({}, True)):
        figure, whole = (figures.study(result, **options) for result in (part, RESULT))
        assert (figure.layout.margin.t > whole.layout.margin.t) == moves
        assert figure.layout.title.text.count("<br>") == whole.layout.title.text.count("<br>") + 1
    assert figure.layout.annotations


@pytest.mark.parametrize(
    ("path", "values", "kind", "ticks"),
    [
        ("network.hidden", ((2,), (4,), (8,), (64,)), "log", ("2", "4", "8", "64")),
        ("network.hidden", ((), (8,), (8, 8)), "named", ("none", "8", "8-8")),
        ("data.noise", (0.1, 0.2, 1.0), "log", ("0.1", "0.2", "1")),
        ("data.n_samples", (100, 600, 1100), "linear", ("100", "600", "1100")),
        ("training.batch_size", (5, None), "named", ("5", "all")),
        ("data.standardize", (False, True), "named", ("False", "True")),
        ("training.optimizer", ("sgd", "adam"), "named", ("sgd", "adam")),
    ],
)
def test_numbers_have_a_numeric_axis_and_other_values_the_order_of_the_study(
    path: str, values: tuple, kind: str, ticks: tuple
):
    places = places_of(Axis(path, values))
    assert (places.kind, places.ticks) == (kind, ticks)
    layout = places.layout()
    assert list(layout["ticktext"]) == list(ticks)
    if kind == "named":
        assert places.at.tolist() == list(range(len(values)))
    else:
        assert layout["type"] == kind


@pytest.mark.parametrize("kind", ["lines", "strengths"])
def test_panels_stand_beside_one_another_only_if_their_labels_fit_on_a_phone(kind: str):
    def columns(x: tuple, facet: tuple) -> tuple[int, int]:
        study = regviz.Study(
            vary=dict([x, facet]), methods=("none", "l2"), strengths=2, seeds=range(2)
        )
        losses = np.random.default_rng(0).uniform(size=(2, len(study.cells), 3))
        figure = figures.study(result_of(study, losses), kind=kind)
        starts = {axis.domain[0] for axis in figure.select_xaxes()}
        signs = [t for t in figure.data if t.name == "L2" and t.customdata is not None]
        return len(starts), len(signs)

    noises = ("data.noise", (0.1, 0.2, 0.3))
    names = ("training.optimizer", ("sgd", "momentum", "adam", "adamw"))
    assert columns(("training.learning_rate", (0.01, 0.1)), noises) == (3, 3)
    assert columns(("training.learning_rate", (0.01, 0.1)), names) == (3, 4)
    assert columns(("network.activation", ("tanh", "relu")), names) == (3, 4)
    assert columns(("network.activation", ("tanh", "relu", "sigmoid")), noises) == (2, 3)
    assert columns(names, noises) == (1, 3)
    assert columns(("network.activation", ("tanh", "leaky_relu", "sigmoid")), noises) == (1, 3)


def test_a_crowded_axis_labels_both_ends_and_values_at_a_distance():
    places = places_of(Axis("network.hidden", tuple((n,) for n in range(1, 101))))
    shown = [int(text) for text in places.layout(100)["ticktext"]]
    assert (shown[0], shown[-1]) == (1, 100)
    assert 2 < len(shown) <= 5


@pytest.mark.parametrize("width", [ROW_WIDTH, ROW_WIDTH / 3])
@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("data.noise", tuple(round(0.05 * i, 2) for i in range(12))),
        ("training.learning_rate", (0.001, 0.003, 0.01, 0.03, 0.1)),
        ("training.optimizer", ("sgd", "momentum", "rmsprop", "adam", "adamw")),
        ("network.hidden", tuple((32,) * n for n in range(1, 7))),
        ("data.name", ("three_spirals", "moons", "circles", "checkerboard")),
    ],
)
def test_labels_of_an_axis_do_not_meet_on_a_phone(path: str, values: tuple, width: float):
    layout = places_of(Axis(path, values)).layout(width)
    low, high = layout["range"]
    at = np.array(layout["tickvals"], dtype=float)
    at = np.log10(at) if layout.get("type") == "log" else at
    pixels = (at - low) / (high - low) * width
    ends: dict[int, float] = {}
    for x, text in sorted(zip(pixels, layout["ticktext"], strict=True)):
        row, words = text.count("<br>"), text.split("<br>")[-1]
        half = CHAR * len(words) / 2
        assert x - half >= ends.get(row, -np.inf)
        ends[row] = x + half
    assert layout["tickangle"] == 0


def test_a_map_fills_a_cell_with_the_winner_above_a_strip_of_the_methods_that_tie():
    figure = figures.study(PARTIAL, kind="map")
    winners = PARTIAL.winners().set_index("cell")
    signs = {name: named(figure, name) for name in ("None", "L2", "Early stopping")}
    by_cell = {}
    for name, trace in signs.items():
        for (cell, text), x, y in zip(trace.customdata, trace.x, trace.y, strict=True):
            by_cell.setdefault(cell, {})[name] = (x, y, text)
    assert set(by_cell) == set(winners.index)
    for cell, signs_of in by_cell.items():
        x, y, _ = signs_of.pop(method_name(winners["method"][cell]))
        assert x == round(x)
        assert set(signs_of) == {method_name(key) for key in winners["ties"][cell]}
        assert len({x for x, _, _ in signs_of.values()}) == len(signs_of)
        assert all(round(y) - 0.5 < below < y - 0.5 for _, below, _ in signs_of.values())
    assert winners["clear"].tolist() == [True, False, True]
    for name, counts in {"L2": [2, 0, 1], "None": [0, 1, 0]}.items():  # clear, unclear, tied
        filled = [t for t in figure.data if t.name == name and t.fill == "toself"]
        assert [sum(x is None for x in trace.x) for trace in filled] == counts
        lightness = [sum(rgb_of(trace.fillcolor)) for trace in filled]
        assert lightness == sorted(set(lightness))  # on white, ties are the faintest
    empty = [t for t in figure.data if t.customdata is not None and t.name is None]
    assert [one[1].split("<br>")[1] for one in empty[0].customdata] == ["not finished"] * 3
    (texts,) = (t.text for t in figure.data if t.mode == "text")
    assert [text.split("<br>")[0] for text in texts] == ["L2", "None", "L2"]
    assert texts[0] == "L2<br>lowest in 100%"
    assert (
        "Of 3 finished cells of 6: None is clearly lower than all others in 0 and ties in 1"
        in (figure.layout.meta["alt"])
    )


def test_a_map_calls_no_winner_clear_where_the_others_diverged():
    losses = LOSSES.copy()
    losses[0, 0, [0, 2]] = np.nan  # L2 remains
    figure = figures.study(result_of(STUDY, losses), kind="map")
    (text,) = (text for cell, text in named(figure, "L2").customdata if cell == STUDY.cells[0].key)
    assert text.split("<br>")[1:] == [
        f"<b>L2</b>: {LOSSES[:, 0, 1].mean():.3g}",
        "not clear: no test against a method that diverged",
        "diverged: None, Early stopping",
    ]
    assert "in 1 there is no test against a method that diverged" in figure.layout.meta["alt"]
    assert figure.layout.title.text.startswith("<b>Lowest mean test loss</b>")
    accuracy = figures.study(RESULT, "test_accuracy", kind="map")
    assert accuracy.layout.title.text.startswith("<b>Highest mean test accuracy</b>")


def test_a_map_of_one_seed_speaks_of_no_test():
    single = result_of(replace(STUDY, seeds=STUDY.seeds[:1]), LOSSES[:1])
    figure = figures.study(single, kind="map")
    assert "One seed. Pale, as it allows no test" in figure.layout.title.text
    assert "Holm" not in figure.layout.title.text
    (texts,) = (trace.text for trace in figure.data if trace.mode == "text")
    assert {text.count("<br>") for text in texts} == {0}  # without a share of samples


def test_a_map_of_a_cell_in_which_all_diverged_has_a_cross():
    losses = LOSSES.copy()
    losses[0, 5] = np.nan
    figure = figures.study(result_of(STUDY, losses), kind="map")
    (empty,) = (t for t in figure.data if t.customdata is not None and t.name is None)
    assert list(empty.marker.symbol) == ["x"]
    assert empty.customdata[0][0] == STUDY.cells[5].key


def test_strengths_are_the_median_and_quartiles_of_the_chosen_in_panels_by_method():
    result = result_of(GRID, CHOICES)
    figure = figures.study(result, kind="strengths")
    titles = [axis.title.text for axis in figure.select_yaxes()]
    assert titles == ["L2: λ₂", "Dropout: drop"]
    for name, method in (("L2", "l2"), ("Dropout", "dropout")):
        own = result.chosen[result.chosen["method"] == method].groupby("data.noise")["strength"]
        line = next(t for t in figure.data if t.name == name)
        assert list(line.x) == NOISES
        lower, median, upper = (
            own.quantile(q, interpolation="lower").tolist() for q in (0.25, 0.5, 0.75)
        )
        # of 8 values, the quantiles of the inverse distribution are the 2nd, 4th and 6th
        ranks = [own.apply(lambda s, k=k: sorted(s)[k]).tolist() for k in (1, 3, 5)]
        assert (list(line.y), median) == (ranks[1], ranks[1])
        band = next(t for t in figure.data if t.name == f"{name}, band")
        assert [band.y[0], band.y[1]] == ranks[2]
        assert [band.y[3], band.y[2]] == ranks[0]
        assert lower == ranks[0]
        assert upper == ranks[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["lines", "map", "strengths"])
def test_every_kind_has_words_valid_json_and_room_for_other_axes(kind: str, theme):
    study = regviz.Study(
        vary={
            "training.optimizer": ["sgd", "adam"],
            "network.hidden": [(), (4, 4)],
            "data.noise": NOISES,
            "training.epochs": [10, 20],
        },
        methods=("none", "l2"),
        strengths=2,
        seeds=range(3),
    )
    result = result_of(study, np.random.default_rng(0).uniform(size=(3, 16, 3)), done=[0, 1, 9])
    figure = figures.study(result, kind=kind, x="data.noise", theme=theme)
    assert len(figure.layout.meta["alt"].split()) > 8
    json.dumps(json.loads(figure.to_json()), allow_nan=False)
    assert "Epochs 10" in figure.layout.title.text.replace("epochs", "Epochs")
    assert figure.layout.annotations[0].text.startswith(
        {"map": "hidden layers none"}.get(kind, "optimizer sgd")
    )


def test_names_of_combined_regularizations_are_those_of_their_parts():
    assert method_name("l1+dropout") == "L1 + Dropout"
    assert method_name("l2@100") == "L2 from epoch 100"
    assert method_name("elastic_net corrected") == "Elastic net corrected"
    rows = (regviz.Regularization(), regviz.Regularization(l1=0.01, drop_rate=0.2))
    study = regviz.Study(regviz.Experiment(regularizations=rows), seeds=range(3))
    figure = figures.study(result_of(study, 0.5))
    assert {t.name for t in figure.data if t.showlegend is None} == {"None", "L1 + Dropout"}


def test_errors_name_the_allowed_values():
    many = regviz.Study(vary={"data.noise": np.linspace(0, 1, 13).tolist()}, methods=("none",))
    for call, words in (
        (lambda: figures.study(RESULT, "loss"), "metric must be one of 'train_loss'"),
        (lambda: figures.study(RESULT, kind="bars"), "kind must be one of 'lines'"),
        (lambda: figures.study(RESULT, x="data.name"), "x must be one of 'network.hidden'"),
        (lambda: figures.study(RESULT, y="data.noise"), "y must be None but for kind='map'"),
        (lambda: figures.study(RESULT, at={"data.noise": 1}), r"at\['data.noise'\] must be one of"),
        (lambda: figures.study(RESULT, kind="map", baseline="none"), "baseline must be None"),
        (lambda: figures.study(RESULT, kind="strengths"), "several strengths of a method"),
        (lambda: figures.study(RESULT, theme="grey"), "theme must be one of"),
        (
            lambda: figures.study(result_of(many, 1, done=[]), facet="data.noise"),
            "facet must be an axis of at most 12 values",
        ),
    ):
        with pytest.raises(ValueError, match=words):
            call()
