"""Tests of the figure of a regularization path."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

import regviz
from regviz import Regularization, figures
from regviz.analysis import regularization_path as paths

ROWS = (Regularization(), *(Regularization(l1=v) for v in (0.003, 0.01, 0.03, 0.3)))


def run(rows=ROWS, name="moons", seed=0, hidden=(6, 5)):
    return regviz.train(
        regviz.Experiment(
            data=regviz.DataSpec(name, n_samples=80, seed=seed),
            network=regviz.NetworkSpec(hidden=hidden),
            training=regviz.TrainingSpec("momentum", 0.05, epochs=20, frames=1, seed=seed),
            regularizations=rows,
        )
    )


@pytest.fixture(scope="module")
def path():
    return paths.path(run(), range(5))


@pytest.fixture(scope="module")
def losses():
    return paths.losses_over_seeds([run(seed=seed) for seed in range(3)])


def named(figure, name):
    (found,) = (trace for trace in figure.data if trace.name == name)
    return found


def columns(figure):
    return [trace for trace in figure.data if trace.type == "bar"]


def test_every_weight_has_a_line_in_its_layers_trace(path):
    figure = figures.weight_paths(path)
    for layer, name in enumerate(("to layer 1", "to layer 2", "to the output")):
        trace = named(figure, name)
        x, y = (np.reshape(values, (-1, 6)) for values in (trace.x, trace.y))
        assert np.isnan(y[:, 5]).all(), "lines of two weights are apart"
        np.testing.assert_array_equal(y[:, :5], path.weights[:, path.wires[:, 0] == layer].T)
        np.testing.assert_array_equal(x[:, :5], np.tile(path.positions, (len(x), 1)))


def test_a_hovered_weight_says_from_where_to_where_it_leads_counted_from_1(path):
    trace = named(figures.weight_paths(path), "to layer 2")
    custom = np.reshape(trace.customdata, (-1, 6, 4))
    np.testing.assert_array_equal(custom[:, 0, :2], path.wires[path.wires[:, 0] == 1][:, 1:] + 1)
    np.testing.assert_array_equal(custom[0, :5, 2], path.strengths)
    np.testing.assert_array_equal(custom[0, :5, 3], range(5))
    assert "markers" in trace.mode, "a line alone cannot be clicked"
    assert "layer 1 unit %{customdata[1]} → layer 2 unit %{customdata[0]}" in trace.hovertemplate


def test_very_many_weights_leave_pointing_to_their_strengths():
    figure = figures.weight_paths(paths.path(run(hidden=(32, 32)), range(5)))
    for name in ("to layer 1", "to layer 2", "to the output"):
        trace = named(figure, name)
        assert (trace.mode, trace.hoverinfo, trace.hovertemplate) == ("lines", "skip", None)


def test_exact_zeros_lie_on_0_with_an_area_in_proportion_to_their_share(path):
    trace = named(figures.weight_paths(path), "exactly 0")
    share = (path.weights == 0).mean(axis=1)
    some = share > 0
    assert 1 < some.sum() < 5, "the test shall see strengths with zeros and without"
    np.testing.assert_array_equal(trace.x, path.positions[some])
    assert set(trace.y) == {0}
    area = np.square(trace.marker.size)
    np.testing.assert_allclose(area / area[-1], share[some] / share[-1])


def test_the_number_of_weights_not_0_stands_along_the_top(path):
    axis = figures.weight_paths(path).layout.xaxis4
    assert axis.side == "top"
    np.testing.assert_array_equal(axis.tickvals, path.positions)
    assert axis.ticktext == tuple(str(np.count_nonzero(row)) for row in path.weights)


def test_norms_are_drawn_as_a_share_of_the_largest_and_told_as_they_are(path):
    figure = figures.weight_paths(path)
    for name, norm in (("‖w‖₁", path.l1_norm), ("‖w‖₂", path.l2_norm)):
        trace = named(figure, name)
        assert max(trace.y) == pytest.approx(100)
        np.testing.assert_allclose(np.divide(trace.y, trace.y[0]), norm / norm[0])
        np.testing.assert_array_equal(trace.customdata, norm)


def test_a_single_run_shows_its_own_losses_without_error_bars(path):
    figure = figures.weight_paths(path)
    for split, name in (("train", "training"), ("validation", "validation"), ("test", "test")):
        trace = named(figure, f"{name} loss")
        np.testing.assert_array_equal(trace.y, path.losses[split])
        assert trace.error_y.array is None


def test_several_seeds_show_means_and_standard_errors(path, losses):
    figure = figures.weight_paths(path, losses)
    for split, name in (("train", "training"), ("validation", "validation"), ("test", "test")):
        trace = named(figure, f"{name} loss")
        np.testing.assert_allclose(trace.y, losses[split].mean(axis=0))
        expected = losses[split].std(axis=0, ddof=1) / math.sqrt(3)
        np.testing.assert_allclose(trace.error_y.array, expected)
        top = (losses[split].mean(axis=0) + expected).max()
        assert figure.layout.yaxis3.range[1] > top, "nothing is cut off"


def test_each_strength_can_be_clicked_all_over_each_panel(path):
    figure = figures.weight_paths(path)
    for bar, axis in zip(columns(figure), ("yaxis", "yaxis2", "yaxis3"), strict=True):
        assert list(bar.customdata) == [0, 1, 2, 3, 4]
        low, high = figure.layout[axis].range
        base = np.asarray(bar.base, float)
        np.testing.assert_allclose(base, low)
        np.testing.assert_allclose(base + bar.y, high)
        left, right = bar.x - np.divide(bar.width, 2), bar.x + np.divide(bar.width, 2)
        np.testing.assert_allclose(left[1:], right[:-1])  # without a gap
        assert (left < path.positions).all()
        assert (path.positions < right).all()
        assert (left[0], right[-1]) == pytest.approx(figure.layout.xaxis.range)


def test_nothing_fades_when_something_is_clicked(path):
    for trace in figures.weight_paths(path).data:
        if trace.type == "bar" or "markers" in (trace.mode or ""):
            assert trace.unselected.marker.opacity == trace.selected.marker.opacity


def lines_at(figure, path):
    """Return the number of lines at each strength, and their labels."""
    where = {i: [] for i in range(len(path.strengths))}
    for note in figure.layout.annotations:
        for i, x in enumerate(path.positions):
            if note.x == x:
                where[i].append(note.text)
    drawn = [shape.x0 for shape in figure.layout.shapes]
    for i, x in enumerate(path.positions):
        assert drawn.count(x) == len(where[i]), "each line has its name"
    return {i: texts for i, texts in where.items() if texts}


def test_what_validation_would_choose_and_what_the_board_shows_is_marked(path):
    choice = paths.Choice(1, 3, 0.1)
    assert lines_at(figures.weight_paths(path, choice=choice, shown=3), path) == {
        1: ["lowest validation loss"],
        3: ["on the board", "within 1 standard error"],
    }
    single = paths.Choice(2, None, math.nan)
    assert lines_at(figures.weight_paths(path, choice=single), path) == {
        2: ["lowest validation loss"]
    }
    assert lines_at(figures.weight_paths(path), path) == {}


def test_the_axis_is_broken_between_no_regularization_and_the_weakest(path):
    broken = figures.weight_paths(path)
    assert [note.text for note in broken.layout.annotations] == ["//"]
    assert broken.layout.xaxis3.ticktext[0] == "0"
    whole = figures.weight_paths(paths.path(run(), range(1, 5)))
    assert not whole.layout.annotations
    assert whole.layout.xaxis3.ticktext == ("0.003", "0.01", "0.03", "0.3")


def test_axes_have_titles_with_units(path):
    layout = figures.weight_paths(path).layout
    assert layout.xaxis3.title.text == "strength λ₁"
    assert [layout[f"yaxis{i}"].title.text for i in ("", 2, 3)] == [
        "weight",
        "norm (%)",
        "data loss (nats)",
    ]
    assert layout.xaxis4.title.text == "weights not 0"


def test_the_text_alternative_says_what_is_seen(path, losses):
    zeros = [np.count_nonzero(row) for row in path.weights]
    best = int(np.argmin(losses["test"].mean(axis=0)))
    text = figures.weight_paths(path, losses, choice=paths.Choice(1, 2, 0.1)).layout.meta["alt"]
    assert text == (
        "L1 from λ₁ = 0 to 0.3, at 5 strengths."
        f" Of 47 weights {zeros[0]} are not 0 at λ₁ = 0 and {zeros[-1]} at λ₁ = 0.3."
        f" Test loss is lowest, {losses['test'].mean(axis=0)[best]:.2f}, at λ₁ ="
        f" {path.strengths[best]:g}. Validation loss is lowest at λ₁ = 0.003. The strongest within"
        " one standard error of it is λ₁ = 0.01."
    )


def test_the_text_alternative_counts_weights_where_a_network_is_left(path):
    nonzero = path.nonzero.copy()
    nonzero[[0, -1]] = np.nan
    text = figures.weight_paths(replace(path, nonzero=nonzero)).layout.meta["alt"]
    assert (
        f"{nonzero[1]:.0f} are not 0 at {path.text(1)} and {nonzero[3]:.0f} at {path.text(3)}."
        in text
    )


def test_a_diverged_network_leaves_a_gap_and_says_so():
    history = run()
    metrics = {name: values.copy() for name, values in history.metrics.items()}
    for values in metrics.values():
        values[-1, 4] = np.nan
    diverged = replace(history, metrics=metrics, diverged=np.array([-1, -1, -1, -1, 20]))
    figure = figures.weight_paths(paths.path(diverged, range(5)))
    assert np.isnan(named(figure, "test loss").y[4])
    assert figure.layout.xaxis4.ticktext[4] == "–"
    assert "diverged" in columns(figure)[0].hovertext[4]
    json.dumps(json.loads(figure.to_json()), allow_nan=False)


@pytest.mark.parametrize(
    ("key", "strengths", "title", "first"),
    [
        ("dropout", (0.1, 0.5), "dropout rate", "0"),
        ("max_norm", (2.0, 1.0), "largest norm of a unit's weights c", "∞"),
    ],
)
def test_rates_and_radii_have_axes_of_their_own(key, strengths, title, first):
    method = regviz.methods.catalogue.METHODS[key]
    rows = [method.regularization(v, 0.1 if method.variants else None) for v in strengths]
    start = Regularization(drop_rate=0.1) if key == "max_norm" else Regularization()
    path = paths.path(run((start, *rows)), range(3))
    axis = figures.weight_paths(path).layout.xaxis3
    assert axis.title.text == title
    assert axis.ticktext == (first, *(f"{v:g}" for v in strengths))


def test_linear_and_regression_models_have_paths_too():
    figure = figures.weight_paths(paths.path(run(name="bumps", hidden=()), range(5)))
    assert named(figure, "to the output").y.shape == (2 * 6,)
    assert figure.layout.yaxis3.title.text == "data loss (½ error²)"


def test_what_does_not_go_together_is_refused(path, losses):
    with pytest.raises(ValueError, match="shown must be a whole number from 0 to 4, got 5"):
        figures.weight_paths(path, shown=5)
    fewer = {split: values[:, :3] for split, values in losses.items()}
    message = r"losses\['train'\] must be of shape \(seeds, 5\), got \(3, 3\)"
    with pytest.raises(ValueError, match=message):
        figures.weight_paths(path, fewer)
