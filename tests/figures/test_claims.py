"""Tests of the figures of measured numbers."""

import statistics

import numpy as np
import pytest
import scipy.stats

from regviz.figures import claim_figures

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
