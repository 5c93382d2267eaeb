"""Tests of the uncertainty maps."""

import math
import re

import numpy as np
import pytest

import regviz
from regviz import Regularization, figures
from regviz.analysis import mc_dropout
from tests.support.colours import luminance

PARTS = ("predictive", "aleatoric", "epistemic", "plain")


def run(name):
    return regviz.train(
        regviz.Experiment(
            data=regviz.DataSpec(name, n_samples=60),
            network=regviz.NetworkSpec(hidden=(6, 5)),
            training=regviz.TrainingSpec("momentum", 0.05, epochs=20, frames=1),
            regularizations=(Regularization(), Regularization(drop_rate=0.3)),
        )
    )


@pytest.fixture(scope="module", params=["moons", "three_blobs", "bumps"])
def history_and_plane(request):
    history = run(request.param)
    return history, mc_dropout.over_plane(history, 1, passes=20, resolution=9)


@pytest.fixture(scope="module")
def moons():
    history = run("moons")
    return history, mc_dropout.over_plane(history, 1, passes=20, resolution=9)


@pytest.mark.parametrize("part", PARTS)
def test_the_field_is_the_part_of_the_plane(history_and_plane, part):
    history, plane = history_and_plane
    field = figures.uncertainty_map(history, plane, part).data[0]
    if part == "plain":
        regression = history.dataset.task == "regression"
        expected = plane.plain if regression else plane.plain_entropy
    elif history.dataset.task == "regression":
        expected = plane.uncertainty.predictive
    else:
        expected = getattr(plane.uncertainty, part)
    np.testing.assert_array_equal(field.z, expected)
    for axis in (field.x, field.y):
        np.testing.assert_array_equal(axis, plane.axis)


def test_all_entropies_have_one_scale_from_0_to_no_idea(history_and_plane):
    history, plane = history_and_plane
    if history.dataset.task == "regression":
        axis = figures.uncertainty_map(history, plane).layout.coloraxis
        assert (axis.cmin, axis.cmax) == (0, plane.uncertainty.predictive.max())
        return
    scales = [figures.uncertainty_map(history, plane, part).layout.coloraxis for part in PARTS]
    assert len({str(scale) for scale in scales}) == 1
    assert scales[0].cmin == 0
    assert scales[0].cmax == pytest.approx(math.log(history.dataset.n_classes))
    assert scales[0].colorbar.tickvals[-1] == pytest.approx(scales[0].cmax)
    assert scales[0].colorbar.ticktext[-1] == f"ln {history.dataset.n_classes}"


def test_the_scale_only_grows_lighter_and_in_even_steps(moons):
    scale = figures.uncertainty_map(*moons).layout.coloraxis.colorscale
    # CIE lightness, which is perceptually uniform
    lightness = [116 * luminance(colour) ** (1 / 3) - 16 for _, colour in scale]
    steps = np.diff(lightness)
    assert (steps > 0).all()
    assert steps.max() < 1.5 * steps.mean()


def test_all_training_points_are_drawn_and_no_others(history_and_plane):
    history, plane = history_and_plane
    for part in ("plain", "predictive"):
        figure = figures.uncertainty_map(history, plane, part)
        points = [trace for trace in figure.data if trace.type == "scatter"]
        drawn = np.concatenate([np.column_stack([trace.x, trace.y]) for trace in points])
        expected = history.dataset.X_train
        np.testing.assert_array_equal(drawn[np.lexsort(drawn.T)], expected[np.lexsort(expected.T)])
        if history.dataset.n_classes:
            shapes = {trace.marker.symbol for trace in points}
            assert len(shapes) == history.dataset.n_classes


def test_the_line_is_where_two_classes_are_level_in_what_is_shown(moons):
    history, plane = moons
    for part, values in (("plain", plane.plain), ("epistemic", plane.mean)):
        figure = figures.uncertainty_map(history, plane, part)
        lines = [trace for trace in figure.data if trace.type == "contour"]
        assert len(lines) == 2, "a dark one on a light one"
        for line in lines:
            assert line.contours.start == line.contours.end == 0
            np.testing.assert_array_equal(np.asarray(line.z) > 0, values > 0.5)


def test_titles_tell_the_unit_and_the_passes(history_and_plane):
    layout = figures.uncertainty_map(*history_and_plane).layout
    assert (layout.xaxis.title.text, layout.yaxis.title.text) == ("x₁", "x₂")
    assert "20 passes, dropout on" in layout.title.text
    unit = "(nats)" if history_and_plane[0].dataset.n_classes else "standard deviation"
    assert unit in layout.title.text


@pytest.mark.parametrize("part", PARTS)
def test_the_text_alternative_has_the_numbers_that_are_seen(history_and_plane, part):
    history, plane = history_and_plane
    figure = figures.uncertainty_map(history, plane, part)
    text, field = figure.layout.meta["alt"], np.asarray(figure.data[0].z, np.float64)
    assert text.startswith("Dropout drop 30 %, ")
    numbers = [float(number) for number in re.findall(r"\d+\.\d\d", text.replace("drop 30 %", ""))]
    if history.dataset.n_classes:
        expected = [field.mean(), field.max(), math.log(history.dataset.n_classes)]
    elif part == "plain":
        numbers = [float(number) for number in re.findall(r"-?\d+\.\d\d", text)]
        expected = [field.min(), field.max()]
    else:
        expected = [field.mean(), field.max()]
    assert numbers == [float(f"{value:.2f}") for value in expected]


def test_an_unknown_part_is_refused(moons):
    with pytest.raises(ValueError, match="part must be one of 'plain', 'predictive', 'aleatoric'"):
        figures.uncertainty_map(*moons, "total")
