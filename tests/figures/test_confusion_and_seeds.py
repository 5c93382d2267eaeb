"""Tests of the figures of confusion matrices and of several seeds."""

import html

import numpy as np
import pytest
from scipy import stats

from regviz.figures import confusion_matrices, seed_losses
from regviz.methods.catalogue import colour as method_colour

rng = np.random.default_rng(0)
NAMES = ["None", "L1", "Elastic net", "Early stopping"]
METHODS = ["none", "l1", "elastic_net", "early_stopping"]
THEMES = ["light", "dark"]


def counts(n=4, n_classes=3):
    return rng.integers(0, 60, (n, n_classes, n_classes))


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_each_cell_is_a_count_shaded_by_its_share_of_the_true_class(n_classes, n):
    matrices = counts(n, n_classes)
    classes = [f"class {c}" for c in range(n_classes)]
    figure = confusion_matrices(matrices, NAMES[:n], classes)
    assert len(figure.data) == n
    for trace, matrix, name in zip(figure.data, matrices, NAMES, strict=False):
        np.testing.assert_array_equal(trace.text, matrix)
        np.testing.assert_allclose(trace.z, matrix / matrix.sum(axis=1)[:, None])
        assert (trace.zmin, trace.zmax, trace.name) == (0, 1, name)
        assert list(trace.x) == list(trace.y) == list(range(n_classes))
    assert list(figure.layout.xaxis.ticktext) == [str(c) for c in range(n_classes)]
    for i in range(n):  # class 0 is the top row, as in scikit-learn
        assert figure.layout["yaxis" + (str(i + 1) if i else "")].autorange == "reversed"


def test_a_class_without_test_points_is_a_row_of_zeros():
    figure = confusion_matrices([[[5, 1], [0, 0]]], ["None"], ["a", "b"])
    np.testing.assert_allclose(figure.data[0].z, [[5 / 6, 1 / 6], [0, 0]])


@pytest.mark.parametrize(
    ("classes", "along"),
    [
        (["setosa", "versicolor"], ["setosa", "versicol…"]),
        (["category A", "category B"], ["…tegory A", "…tegory B"]),
        (["Iris setosa", "Iris seto2"], ["…s setosa", "…is seto2"]),
        (["a long one here", "a long two here", "x"], ["a long o…", "a long t…", "x"]),
        (["the cat on the mat", "the cat in the mat"], ["0 the ca…", "1 the ca…"]),
        (["a<b", "a&b"], ["a&lt;b", "a&amp;b"]),
    ],
)
def test_every_class_has_a_row_and_a_column_of_its_own_and_its_full_name_on_a_cell(classes, along):
    n = len(classes)
    matrix = counts(1, n)
    figure = confusion_matrices(matrix, ["None"], classes)
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        assert list(axis.tickvals) == list(range(n)) == list(figure.data[0].x)
        assert list(axis.ticktext) == along
    for i, true in enumerate(classes):
        for j, predicted in enumerate(classes):
            hover_text = html.unescape(figure.data[0].hovertext[i][j])
            assert hover_text == f"true {true}, predicted {predicted}"
            assert figure.data[0].text[i][j] == matrix[0, i, j]


def test_the_most_common_mistake_is_told_by_full_names():
    matrix = [[[5, 1], [4, 5]]]
    alt = confusion_matrices(matrix, ["None"], ["setosa", "versicolor"]).layout.meta["alt"]
    assert "Test points classified correctly, of 15: None 10." in alt
    assert alt.endswith("The most common mistake is to take versicolor for setosa.")


def test_no_mistakes_are_said_to_be_none():
    alt = confusion_matrices([[[5, 0], [0, 6]]], ["L2"], ["a", "b"]).layout.meta["alt"]
    assert alt == "Of 11 test points, all are classified correctly: L2 11."


@pytest.mark.parametrize("theme", THEMES)
def test_each_seed_is_a_dot_and_each_mean_has_its_standard_error(theme):
    losses = rng.uniform(0.2, 1, (5, 4))
    figure = seed_losses(losses, NAMES, METHODS, baseline=0, theme=theme)
    for i, method in enumerate(METHODS):
        dots, mean = figure.data[2 * i : 2 * i + 2]
        np.testing.assert_array_equal(dots.x, losses[:, i])
        np.testing.assert_allclose(mean.x, losses[:, i].mean())
        np.testing.assert_allclose(mean.error_x.array, stats.sem(losses[:, i]))
        colour = method_colour(method)[theme]
        assert dots.marker.color == mean.marker.color == mean.error_x.color == colour
        # each point lies in its method's band
        assert np.abs(np.array([*dots.y, *mean.y]) - i).max() < 0.5
    (line,) = figure.layout.shapes
    assert line.x0 == line.x1 == losses[:, 0].mean()
    assert list(figure.layout.yaxis.tickvals) == [0, 1, 2, 3]
    lowest = NAMES[int(losses.mean(axis=0).argmin())]
    assert figure.layout.meta["alt"].endswith(f"{lowest} is the lowest.")


def test_a_network_that_diverged_under_a_seed_has_no_mean_and_is_marked():
    losses = rng.uniform(0.2, 1, (5, 4))
    losses[1:3, 2] = np.nan
    figure = seed_losses(losses, NAMES, METHODS, baseline=2)
    assert np.isnan(figure.data[5].x).all()
    (note,) = figure.layout.annotations
    assert note.text == "diverged under 2 of 5 seeds"
    assert round(note.y) == 2
    assert not figure.layout.shapes  # there is no mean to compare
    assert "Elastic net diverged" in figure.layout.meta["alt"]


def test_shapes_that_do_not_go_together_are_refused_by_name():
    with pytest.raises(ValueError, match=r"^counts must be of shape \(4, 2, 2\), got \(4, 3, 3\)"):
        confusion_matrices(counts(), NAMES, ["a", "b"])
    with pytest.raises(ValueError, match=r"^losses must be of shape \(seeds, 4\)"):
        seed_losses(rng.uniform(0, 1, (5, 3)), NAMES, METHODS)
    with pytest.raises(ValueError, match=r"^methods must be one of 'none', .*got 'ridge'"):
        seed_losses(rng.uniform(0, 1, (5, 1)), ["Ridge"], ["ridge"])
    with pytest.raises(ValueError, match=r"^theme must be one of"):
        seed_losses(rng.uniform(0, 1, (5, 1)), ["L1"], ["l1"], theme="sepia")
