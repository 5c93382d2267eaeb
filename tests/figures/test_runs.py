"""Tests of the figures of a history, by the arrays in their traces."""

import html
import re
from dataclasses import replace

import numpy as np
import pytest

import regviz
from regviz import Regularization, figures
from regviz.analysis.mc_dropout import over_plane
from regviz.data.datasets import domain
from regviz.figures._traces import network_looks
from regviz.methods import palette
from regviz.methods.catalogue import METHODS
from tests.support.methods import MOSTLY_L1

LINE_UP = (
    Regularization(),
    Regularization(l1=0.02),
    Regularization(l2=0.01),
    Regularization.elastic_net(0.02),
    Regularization(drop_rate=0.2),
    Regularization(drop_rate=0.1, max_norm=1.6),
)
KEYS = ("none", "l1", "l2", "elastic_net", "dropout", "max_norm")
CURVES = {"loss": figures.loss_curves, "sparsity": figures.sparsity_curves}


def run(name="moons", regularizations=LINE_UP, dataset=None, **training):
    training = {"optimizer": "momentum", "learning_rate": 0.05, "epochs": 20} | training
    experiment = regviz.Experiment(
        data=regviz.DataSpec(name, n_samples=80),
        network=regviz.NetworkSpec(hidden=(6, 5)),
        training=regviz.TrainingSpec(**training),
        regularizations=regularizations,
    )
    return regviz.train(experiment, dataset)


@pytest.fixture(scope="session")
def moons():
    return run()


@pytest.fixture(scope="session")
def three_blobs():
    return run("three_blobs", LINE_UP[:2])


@pytest.fixture(scope="session")
def bumps():
    return run("bumps", LINE_UP[:2])


@pytest.fixture(scope="session")
def five_columns():
    X = np.random.default_rng(0).normal(size=(40, 5))
    dataset = regviz.Dataset(X, (X[:, 0] > 0).astype(float))
    return run(regularizations=LINE_UP[:2], dataset=dataset)


@pytest.fixture(scope="session")
def diverged():
    history = run(regularizations=(Regularization(), Regularization(drop_rate=0.2)), epochs=4)
    metrics = {name: values.copy() for name, values in history.metrics.items()}
    for values in metrics.values():
        values[2:, 1] = np.nan
    return replace(history, metrics=metrics, diverged=np.array([-1, 2]))


def grid(trace):
    """Return the points of a trace's ``z``, row by row."""
    return np.stack(np.meshgrid(trace.x, trace.y), axis=-1).reshape(-1, 2)


def level_line(figure):
    """Return the trace of the level line."""
    return [t for t in figure.data if t.type == "contour" and t.contours.coloring == "none"]


@pytest.mark.parametrize("name", ["moons", "bumps"])
@pytest.mark.parametrize(("k", "t"), [(0, -1), (1, 5), (-1, 0)])
def test_boundary_shows_what_the_network_predicts_on_the_grid(name, k, t, request):
    history = request.getfixturevalue(name)
    field = figures.boundary(history, k, t, resolution=11).data[0]
    expected = history.predict(grid(field), t)[k].reshape(11, 11)
    np.testing.assert_array_equal(field.z, expected)
    assert (field.x[0], field.x[-1]) == (field.y[0], field.y[-1]) == domain(history.dataset)


def test_boundary_of_classes_shows_the_lead_of_each_over_the_others(three_blobs):
    figure = figures.boundary(three_blobs, 1, resolution=13)
    probabilities = three_blobs.predict(grid(figure.data[0]))[1].reshape(13, 13, 3)
    for c, field in enumerate(figure.data[:3]):
        others = probabilities[..., [j for j in range(3) if j != c]].max(axis=2)
        np.testing.assert_array_equal(field.z, probabilities[..., c] - others)
    hovered = np.array(figure.data[2].customdata)
    named = np.array(["class 0", "class 1", "class 2"])[probabilities.argmax(axis=2)]
    np.testing.assert_array_equal(hovered[..., 0], named)
    sure = hovered[..., 1].astype(float)
    np.testing.assert_allclose(sure, probabilities.max(axis=2), atol=6e-4)


def test_line_is_where_the_two_classes_are_equally_probable(moons):
    figure = figures.boundary(moons, 0, resolution=21)
    (line,) = level_line(figure)
    assert (line.contours.start, line.contours.end) == (0, 0)
    p = figure.data[0].z.astype(float)
    between = (p > 1e-4) & (p < 1 - 1e-4)
    np.testing.assert_allclose(line.z[between], np.log(p / (1 - p))[between], atol=1e-2)
    np.testing.assert_array_equal(np.sign(line.z), np.sign(p - 0.5))


def test_lines_between_classes_are_where_the_two_most_probable_are_level(three_blobs):
    figure = figures.boundary(three_blobs, 0, resolution=21)
    for field, line in zip(figure.data[:2], level_line(figure), strict=True):
        np.testing.assert_array_equal(np.sign(line.z), np.sign(field.z))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_classes_have_the_palettes_colours_and_shapes_and_blend_with_the_background(moons, theme):
    figure = figures.boundary(moons, 0, theme=theme, resolution=5)
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == palette.BLANK[theme]
    assert figure.layout.coloraxis.colorscale[1] == (0.5, palette.BLANK[theme])
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0, 1)
    marks = {t.name: t for t in figure.data if t.type == "scatter"}
    for c in (0, 1):
        filled, hollow = marks[f"class {c}, training"].marker, marks[f"class {c}, test"].marker
        assert filled.color == hollow.line.color == palette.CLASSES[c]
        assert hollow.color == palette.BLANK[theme]
        assert filled.symbol == hollow.symbol == palette.SHAPES[c]


def test_boundary_shows_every_training_and_test_point_once(moons):
    marks = [t for t in figures.boundary(moons, 0, resolution=5).data if t.type == "scatter"]
    for split, name in (("train", "training"), ("test", "test")):
        X, y = moons.dataset.points(split)
        for c in (0, 1):
            (mark,) = (m for m in marks if m.name == f"class {c}, {name}")
            np.testing.assert_array_equal(np.column_stack([mark.x, mark.y]), X[y == c])


def test_regression_has_a_diverging_scale_over_the_training_targets(bumps):
    figure = figures.boundary(bumps, 0, resolution=5)
    scale, y = figure.layout.coloraxis, bumps.dataset.y_train
    assert (scale.cmin, scale.cmax) == (y.min(), y.max())
    assert [c for _, c in scale.colorscale] == [
        palette.CLASSES[0],
        palette.BLANK["light"],
        palette.CLASSES[1],
    ]
    (training,) = (t for t in figure.data if t.name == "training points")
    np.testing.assert_array_equal(training.marker.color, y)


def test_axes_are_square_and_in_the_units_of_the_data(moons):
    figure = figures.boundary(moons, 0, resolution=5)
    assert figure.layout.yaxis.scaleanchor == "x"
    assert figure.layout.xaxis.range == figure.layout.yaxis.range == domain(moons.dataset)


@pytest.mark.parametrize("name", ["moons", "three_blobs", "bumps"])
def test_small_multiples_show_the_boundary_of_every_network(name, request):
    history = request.getfixturevalue(name)
    many = figures.small_multiples(history, 7, resolution=9)
    for k in range(len(history.experiment.regularizations)):
        alone = figures.boundary(history, k, 7, resolution=9)
        panel = [t for t in many.data if t.xaxis == f"x{k + 1 if k else ''}"]
        assert [t.type for t in panel] == [t.type for t in alone.data]
        for here, there in zip(panel, alone.data, strict=True):
            name = "y" if here.type == "scatter" else "z"
            np.testing.assert_array_equal(here[name], there[name])
    in_legend = [t.name for t in many.data if t.type == "scatter" and t.showlegend is not False]
    assert len(in_legend) == len(set(in_legend))


@pytest.mark.parametrize("k", range(len(LINE_UP)))
@pytest.mark.parametrize("t", [0, -1])
def test_histogram_counts_every_weight_and_the_exact_zeros_apart(moons, k, t):
    weights = np.concatenate([layer.ravel() for layer in moons.weights(k, t)])
    figure = figures.weight_histogram(moons, k, t)
    bins, zeros = figure.data
    assert list(zeros.y) == [(weights == 0).sum()]
    assert sum(bins.y) + sum(zeros.y) == weights.size
    half = (bins.x[1] - bins.x[0]) / 2
    for middle, count in zip(bins.x, bins.y, strict=True):
        inside = (weights >= middle - half) & (weights < middle + half) & (weights != 0)
        assert abs(inside.sum() - count) <= 1  # a weight on an edge of a bin
    assert f"<b>{zeros.y[0]}</b> of {weights.size}" in figure.layout.annotations[0].text
    assert bins.marker.color == METHODS[KEYS[k]].colour["light"]


def test_histograms_of_a_run_share_their_bins(moons):
    x = [figures.weight_histogram(moons, k).data[0].x for k in range(len(LINE_UP))]
    assert (np.array(x) == x[0]).all()
    assert 0 not in x[0]  # 0 is an edge, so that no bin has weights of both signs


def test_histogram_of_a_network_without_a_weight_left():
    history = run(regularizations=(Regularization(l1=100.0),), epochs=3)
    bins, zeros = figures.weight_histogram(history, 0).data
    assert sum(bins.y) == 0
    assert list(zeros.y) == [history.layout.is_weight.sum()]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_loss_curves_are_the_histories_metrics(moons, theme):
    traces = figures.loss_curves(moons, theme=theme).data
    assert len(traces) == 2 * len(LINE_UP)
    for i, trace in enumerate(traces):
        k, split = i // 2, ("train", "test")[i % 2]
        np.testing.assert_array_equal(trace.x, moons.epochs)
        np.testing.assert_array_equal(trace.y, moons.metrics[f"{split}_loss"][:, k])
        assert trace.line.dash == {"train": "dash", "test": "solid"}[split]
        assert trace.line.color == METHODS[KEYS[k]].colour[theme]


def test_loss_axis_says_which_loss_and_may_be_logarithmic(moons, bumps):
    title = figures.loss_curves(moons).layout.yaxis.title.text
    assert title == "data loss (cross-entropy, nats)"
    assert "half squared error" in figures.loss_curves(bumps).layout.yaxis.title.text
    assert figures.loss_curves(moons, log=True).layout.yaxis.type == "log"


def test_loss_curves_without_test_points_show_training_alone(five_columns):
    traces = figures.loss_curves(five_columns).data
    assert [t.line.dash for t in traces] == ["dash", "dash"]
    assert all(t.showlegend for t in traces)


def test_sparsity_curves_are_in_percent(moons):
    traces = figures.sparsity_curves(moons).data
    for k, trace in enumerate(traces):
        np.testing.assert_array_equal(trace.y, 100 * moons.metrics["sparsity"][:, k])
        assert trace.line.color == METHODS[KEYS[k]].colour["light"]
    assert max(traces[1].y) > 0


@pytest.mark.parametrize("curves", CURVES.values(), ids=CURVES)
def test_curves_can_be_kept_to_some_methods(moons, curves):
    names = {t.name.split(":")[0] for t in curves(moons, methods=("l2", "none")).data}
    assert names == {"None", "L2 λ₂ = 0.01"}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_networks_of_one_method_can_be_told_apart(theme):
    strengths = (0.001, 0.003, 0.01, 0.03)
    rows = (Regularization(), *(Regularization(l1=s) for s in strengths), Regularization(l1=0.001))
    traces = figures.sparsity_curves(run(regularizations=rows, epochs=2), theme=theme).data
    assert len({t.line.color for t in traces}) == len(rows)
    assert len({t.name for t in traces}) == len(rows)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_networks_of_a_registered_method_have_its_label_and_colour(monkeypatch, theme):
    monkeypatch.setitem(METHODS, "mostly_l1", MOSTLY_L1)
    rows = (Regularization.elastic_net(0.02), MOSTLY_L1.at(0.02))
    looks = network_looks(run(regularizations=rows, epochs=1), theme)
    assert [look.text for look in looks] == ["Elastic net λ = 0.02, 50 % L1", "Mostly L1 λ = 0.02"]
    colours = [METHODS[key].colour[theme] for key in ("elastic_net", "mostly_l1")]
    assert [look.colour for look in looks] == colours


def test_divergence_is_said(diverged):
    assert "diverged at epoch 2" in figures.loss_curves(diverged).data[-1].name
    assert "diverged" in figures.boundary(diverged, 1, resolution=5).layout.title.text
    assert "diverged" not in figures.boundary(diverged, 1, 1, resolution=5).layout.title.text
    assert "diverged" not in figures.boundary(diverged, 0, resolution=5).layout.title.text


@pytest.mark.parametrize("wrong", [{"k": 6}, {"k": -7}, {"k": 1.0}, {"t": 21}, {"theme": "blue"}])
@pytest.mark.parametrize("figure", [figures.boundary, figures.weight_histogram])
def test_parameters_out_of_range_are_refused_by_name(moons, figure, wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"^{name} must be "):
        figure(moons, **({"k": 0} | wrong))


@pytest.mark.parametrize(
    ("figure", "wrong", "name"),
    [
        (figures.loss_curves, {"methods": ["l1", "bayes"]}, r"methods\[1\]"),
        (figures.sparsity_curves, {"methods": "l1"}, "methods"),
        (figures.sparsity_curves, {"methods": ()}, "methods"),
        (figures.loss_curves, {"log": 1}, "log"),
        (figures.sparsity_curves, {"theme": None}, "theme"),
        (figures.small_multiples, {"t": 50}, "t"),
        (figures.small_multiples, {"resolution": 1}, "resolution"),
    ],
)
def test_other_parameters_are_refused_by_name(moons, figure, wrong, name):
    with pytest.raises(ValueError, match=f"^{name} must be "):
        figure(moons, **wrong)


def test_boundary_needs_two_columns_and_says_so(five_columns):
    for draw in (lambda h: figures.boundary(h, 0), figures.small_multiples):
        with pytest.raises(ValueError, match=r"two columns, got 5"):
            draw(five_columns)
    assert figures.weight_histogram(five_columns, 0).data


def test_long_names_of_classes_are_cut_in_the_legend_and_whole_where_one_points():
    rng = np.random.default_rng(0)
    names = ("Iris setosa of the north", "Iris setosa of the south")
    data = regviz.PointsSpec([(*rng.normal(size=2), i % 2) for i in range(60)], names=names)
    history = regviz.train(regviz.Experiment(data, training=regviz.TrainingSpec(epochs=1)))
    traces = [t for t in figures.boundary(history, 0, resolution=9).data if t.type == "scatter"]
    assert [t.name for t in traces if t.name.endswith("training")] == [
        "…tosa of the north, training",
        "…tosa of the south, training",
    ]
    for trace, name in zip(traces, [*names, *names], strict=True):
        assert f"{name} (" in trace.hovertemplate


@pytest.mark.parametrize("names", [("cat", "a<b>{x}"), ("cat", "dog & bird", "fish")])
def test_classes_are_called_what_their_owner_calls_them(names):
    rng, n = np.random.default_rng(0), len(names)
    points = [(*rng.normal(size=2), i % n) for i in range(60)]
    data = regviz.PointsSpec(points, "binary" if n == 2 else "multiclass", names)
    training = regviz.TrainingSpec(epochs=2)
    history = regviz.train(regviz.Experiment(data, training=training))
    for figure in (
        figures.boundary(history, 0, resolution=9),
        figures.small_multiples(history, resolution=9),
        figures.uncertainty_map(history, over_plane(history, 0, passes=2, resolution=9)),
    ):
        assert not re.search(r"class \d", figure.to_json())
        for trace in figure.data:
            assert "<b>{x}" not in f"{trace.name}{trace.hovertemplate}", "Plotly would read it"
        called = {html.unescape(t.name) for t in figure.data if t.name}
        assert {f"{name}, training" for name in names} <= called
    bar = figures.boundary(history, 0, resolution=9).layout.coloraxis.colorbar
    if n == 2:
        assert html.unescape(bar.title.text) == "probability of a<b>{x}"


def test_without_test_points_boundary_names_none(moons):
    X, y = moons.dataset.points("train")
    history = run(regularizations=LINE_UP[:1], dataset=regviz.Dataset(X, y), epochs=2)
    figure = figures.boundary(history, 0, resolution=5)
    assert [t.name for t in figure.data if t.type == "scatter"] == [
        "class 0, training",
        "class 1, training",
    ]
    assert "train loss" in figure.layout.title.text


# ------------------------------------------------------------------------------ text alternatives


def test_every_figure_says_what_it_shows(moons):
    result = f"{100 * moons.metrics['sparsity'][-1, 1]:.0f} % zero weights"
    zeros = int((np.concatenate([w.ravel() for w in moons.weights(1)]) == 0).sum())
    for figure, words in (
        (figures.boundary(moons, 1, resolution=11), ["L1 λ₁ = 0.02", "epoch 20", result]),
        (figures.small_multiples(moons, resolution=11), ["6 networks", result]),
        (figures.weight_histogram(moons, 1), ["L1 λ₁ = 0.02", f"{zeros} are exactly 0"]),
        (figures.loss_curves(moons), [f"None {moons.metrics['test_loss'][-1, 0]:.2f}"]),
        (figures.sparsity_curves(moons), [f"L1 λ₁ = 0.02 {result.split(' zero')[0]}"]),
    ):
        assert all(word in figure.layout.meta["alt"] for word in words), figure.layout.meta["alt"]


def test_a_network_that_diverged_is_said_to_have_done_so():
    with np.errstate(all="ignore"):
        history = run("plane", LINE_UP[:2], learning_rate=10.0)
    assert (history.diverged >= 0).all()
    assert "None diverged at epoch" in figures.loss_curves(history).layout.meta["alt"]
