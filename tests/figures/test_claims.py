"""Tests of the figures of claims."""

import statistics

import numpy as np
import pytest
import scipy.stats

from regviz.figures import claim_figures, claim_seeds

VALUES = np.random.default_rng(0).normal(size=(3, 20)) + np.arange(3)[:, None]


def test_errors_are_drawn_as_means_with_one_standard_error():
    figure = claim_figures("A", "x", "y", ["2", "4", "8"], {"L2": VALUES}, errors=True)
    (trace,) = figure.data
    np.testing.assert_allclose(trace.y, [statistics.fmean(row) for row in VALUES])
    np.testing.assert_allclose(trace.error_y.array, scipy.stats.sem(VALUES, axis=1))
    assert "mean ± standard error of 20 seeds" in figure.layout.title.text
    mean, error = VALUES[1].mean(), scipy.stats.sem(VALUES[1])
    assert f"{mean:.3g} ± {error:.2g} at 4" in figure.layout.meta["alt"]


def test_without_errors_all_seeds_and_their_medians_are_drawn():
    dots, medians = claim_figures("A", "x", "y", [2, 4, 8], {"": VALUES}).data
    assert sorted(dots.y) == sorted(VALUES.ravel())
    assert list(medians.y) == [statistics.median(row) for row in VALUES]
    assert medians.error_y.array is None


@pytest.mark.parametrize("errors", [False, True])
def test_numbers_of_another_number_of_places_are_refused(errors: bool):
    with pytest.raises(ValueError, match=r"of shape \(2, n_seeds\), got \(3, 20\)"):
        claim_figures("A", "x", "y", [2, 4], {"": VALUES}, errors=errors)


def test_a_row_has_the_value_of_each_seed_and_a_cross_where_the_claim_is_false():
    figure = claim_seeds({"gap_8": [0.1, 0.3, 0.2], "zeros": [0, 2, 4]}, [True, False, True])
    assert [list(trace.x) for trace in figure.data] == [[0.1, 0.3, 0.2], [0, 2, 4]]
    assert all(list(trace.marker.symbol) == ["circle", "x", "circle"] for trace in figure.data)
    assert [line.x0 for line in figure.layout.shapes] == [0.2, 2]
    assert "gap 8, median 0.2" in [title.text for title in figure.layout.annotations]
    assert "2 of 3 seeds hold" in figure.layout.meta["alt"]


@pytest.mark.parametrize("values", [{}, {"gap": [0.1, 0.2]}])
def test_another_number_of_values_than_seeds_is_an_error(values: dict[str, list[float]]):
    with pytest.raises(ValueError, match=r"figures.*\(3,\)"):
        claim_seeds(values, [True, False, True])
