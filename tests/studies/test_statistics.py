"""Tests of the paired comparisons over seeds."""

import numpy as np
import pytest
from scipy import stats

from regviz.studies import statistics as own

RNG = np.random.default_rng(5)
VALUES = RNG.normal(0.1, [0.2, 1.0, 3.0], (12, 3))


def test_p_values_and_intervals_are_those_of_scipys_paired_t_test():
    other = RNG.normal(size=VALUES.shape)
    reference = stats.ttest_rel(VALUES, other)
    np.testing.assert_allclose(own.p_values(VALUES - other), reference.pvalue)
    interval = reference.confidence_interval(0.9)
    low, high = own.t_interval(VALUES - other, level=0.9)
    np.testing.assert_allclose([low, high], [interval.low, interval.high])


def test_equal_differences_have_the_p_of_a_randomization_test_and_intervals_without_width():
    equal = np.array([[0.0, 0.5, -0.1]] * 4)
    reference = stats.permutation_test(
        (equal, np.zeros_like(equal)),
        lambda a, b, axis: (a - b).mean(axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    assert own.p_values(equal).tolist() == reference.pvalue.tolist() == [1, 1 / 8, 1 / 8]
    rounded = np.array([0.3, 0.1 + 0.2, 0.3])
    assert np.ptp(rounded) > 0
    assert own.p_values(rounded) == 1 / 4
    for interval in (own.t_interval, own.bootstrap_interval):
        np.testing.assert_allclose(interval(equal), [equal[0]] * 2, rtol=1e-15)


def test_equal_differences_of_overlapping_splits_count_as_fewer_seeds():
    # 1 / (1 / 4 + 1 / 4) = 2 independent ones have the same standard error
    assert own.p_values(np.full(4, 0.5), 0.25) == own.p_values(np.full(2, 0.5)) == 1 / 2
    assert own.p_values(np.full(4, 0.5), 1.5) == 1
    # with p < 2 ** (1 - 6), so with 1 / 6 - 1 / 12 = 1 / 12, or with more than 1 / 5.33 never
    assert own.seeds_needed(np.inf, overlap=1 / 12) == 10
    assert own.seeds_needed(np.inf, overlap=0.2) == np.inf


@pytest.mark.parametrize("n_seeds", [2, 3, 4, 5])
def test_few_seeds_and_values_find_no_more_false_differences_than_stated(n_seeds: int):
    accuracies = np.random.default_rng(3).integers(90, 95, (2, n_seeds, 2_000, 60)) / 100
    p = own.p_values(accuracies[0] - accuracies[1])
    found = [own.holm(of_study).min() < 0.05 for of_study in p]
    assert np.mean(found) < 0.05


def test_a_diverged_network_or_a_single_seed_has_no_result():
    diverged = VALUES.copy()
    diverged[3, 1] = np.nan
    for interval in (own.t_interval, own.bootstrap_interval):
        low, high = interval(diverged)
        assert np.isnan([low, high]).tolist() == [[False, True, False]] * 2
        assert np.isnan(interval(VALUES[:1])).all()
        np.testing.assert_array_equal(low[[0, 2]], interval(VALUES)[0][[0, 2]])
    assert np.isnan(own.p_values(diverged)).tolist() == [False, True, False]
    assert np.isnan(own.p_values(VALUES[:1])).all()
    assert np.isnan(own.seeds_needed(np.nan))


def test_the_bootstrap_interval_is_scipys_in_every_column():
    reference = stats.bootstrap(
        (VALUES[:, 1],), np.mean, n_resamples=own.N_RESAMPLES, rng=np.random.default_rng(0)
    ).confidence_interval
    many = np.tile(VALUES, own.CHUNK_COLUMNS)
    low, high = own.bootstrap_interval(many)
    np.testing.assert_allclose([low[1], high[1]], [reference.low, reference.high])
    np.testing.assert_array_equal(low[-2], low[1])


@pytest.mark.parametrize(("n_seeds", "of_bootstrap"), [(5, 0.84), (20, 0.925)])
def test_intervals_cover_the_true_mean_as_often_as_stated(n_seeds: int, of_bootstrap: float):
    normal = np.random.default_rng(1).normal(0.3, 1, (n_seeds, 4_000))
    for interval, share in ((own.t_interval, 0.95), (own.bootstrap_interval, of_bootstrap)):
        low, high = interval(normal)
        covered = ((low < 0.3) & (high > 0.3)).mean()
        error = np.sqrt(share * (1 - share) / 4_000)
        assert covered == pytest.approx(share, abs=3 * error)


def test_overlapping_splits_widen_errors_as_nadeau_and_bengio_state():
    ratio = 0.25  # of test to training points
    variance = VALUES.var(axis=0, ddof=1)
    error = np.sqrt((1 / 12 + ratio) * variance)
    t = VALUES.mean(axis=0) / error
    np.testing.assert_allclose(own.p_values(VALUES, ratio), 2 * stats.t.sf(np.abs(t), 11))
    factor = np.sqrt(1 + 12 * ratio)
    for interval in (own.t_interval, own.bootstrap_interval):
        plain, wide = (np.subtract(*interval(VALUES, overlap=rho)[::-1]) for rho in (0, ratio))
        np.testing.assert_allclose(wide, factor * plain)
    by_column = own.p_values(VALUES, [0.0, ratio, 0.0])
    assert by_column[1] == own.p_values(VALUES, ratio)[1]
    assert by_column[2] == own.p_values(VALUES)[2]


def test_seeds_needed_are_those_of_the_tables_of_power():
    """As of G*Power 3.1 and R's ``power.t.test(type = "paired")``, rounded up."""
    np.testing.assert_array_equal(own.seeds_needed([0.2, 0.5, 0.8, -0.5]), [199, 34, 15, 34])
    assert own.seeds_needed(0.5, power=0.9) == 44
    assert own.seeds_needed(0.5, level=0.99) == 51


def test_larger_differences_need_no_more_seeds():
    needed = own.seeds_needed(np.geomspace(0.05, 50, 3_000))
    assert (np.diff(needed) <= 0).all()
    assert needed[[0, -1]].tolist() == [3_142, 2]


def test_with_the_seeds_needed_and_not_with_fewer_the_test_finds_the_difference():
    rng = np.random.default_rng(2)
    for effect in (0.8, 1.5):
        needed = int(own.seeds_needed(effect))
        found = [
            (own.p_values(rng.normal(effect, 1, (n, 40_000))) < 0.05).mean()
            for n in (needed - 1, needed)
        ]
        assert found[0] < 0.8 < found[1]


def test_equal_differences_need_as_many_seeds_as_their_test():
    n_seeds = int(own.seeds_needed(np.inf))
    p = [float(own.p_values(np.full(n, 0.5))) for n in (n_seeds - 1, n_seeds)]
    assert p[1] < 0.05 < p[0]


def test_no_number_of_seeds_finds_no_difference_and_no_splits_a_small_one():
    np.testing.assert_array_equal(own.seeds_needed([0.0, np.inf, 1e-6]), [np.inf, 6, np.inf])
    # with every split of the points, the test statistic is effect / sqrt(overlap): 1.96 + 0.84
    limit = (stats.norm.isf(0.025) + stats.norm.isf(0.2)) * np.sqrt(0.25)
    below, above = own.seeds_needed([0.99 * limit, 1.01 * limit], overlap=0.25)
    assert np.isinf(below)
    assert 100 < above < np.inf


def test_corrections_are_scipys_and_the_stated_bounds_of_holm():
    p = RNG.uniform(size=40) ** 3
    np.testing.assert_allclose(
        own.benjamini_hochberg(p.reshape(8, 5)).ravel(), stats.false_discovery_control(p)
    )
    # Holm's procedure as in the article: reject in order while p <= alpha / (number left)
    for alpha in (0.001, 0.05, 0.4):
        rejected = set()
        for k, i in enumerate(np.argsort(p)):
            if p[i] > alpha / (len(p) - k):
                break
            rejected.add(i)
        assert set(np.flatnonzero(own.holm(p) <= alpha)) == rejected


@pytest.mark.parametrize("correct", [own.holm, own.benjamini_hochberg])
def test_no_corrected_value_grows_as_results_arrive(correct):
    p = RNG.uniform(size=30) ** 3
    seen = np.full(30, np.nan)
    before = seen
    for i in RNG.permutation(30):
        seen = seen.copy()
        seen[i] = p[i]
        now = correct(seen)
        known = np.isfinite(before)
        assert np.isnan(now).sum() == np.isnan(before).sum() - 1
        assert (now[known] <= before[known]).all()
        before = now
    np.testing.assert_array_equal(correct([]), [])


def test_shares_of_the_best_agree_with_the_normal_approximation():
    losses = np.random.default_rng(3).normal(0, 1, (50, 1, 2))
    losses[:, 0, 1] += 0.15
    difference = losses[:, 0, 1] - losses[:, 0, 0]
    z = difference.mean() / (difference.std() / np.sqrt(50))
    share, error = own.shares_best(losses)[0, 0], 0.5 / np.sqrt(own.N_RESAMPLES)
    assert share == pytest.approx(stats.norm.cdf(z), abs=3 * error)
    assert own.shares_best(losses, overlap=1.0)[0, 0] == pytest.approx(
        stats.norm.cdf(z / np.sqrt(51)), abs=3 * error
    )


def test_equal_methods_share_and_diverged_ones_are_never_best():
    losses = np.ones((4, 3, 3))
    losses[1, 1, 0] = losses[2, 2, :] = np.nan
    np.testing.assert_allclose(
        own.shares_best(losses), [[1 / 3, 1 / 3, 1 / 3], [0, 0.5, 0.5], [0, 0, 0]]
    )
