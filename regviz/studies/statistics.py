"""Paired comparisons over seeds: tests, intervals, corrections, and the number of seeds needed.

Pure functions on arrays whose first axis has the S seeds. A NaN, the value of a diverged network,
makes the result of its column NaN: the mean over the other seeds would hide the divergence.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from regviz.analysis.regularization_path import standard_error
from regviz.spec.validation import real

Array = NDArray[np.float64]

LEVEL = 0.95  # of intervals; differences with a smaller corrected p than 1 - LEVEL are clear
POWER = 0.8
N_RESAMPLES = 2_000  # of the bootstrap
RESAMPLING_SEED = 0
EQUAL = 1e9  # mean divided by standard deviation beyond which values are equal up to rounding
MAX_SEEDS = 1e9  # beyond it, `seeds_needed` returns infinity
CHUNK_COLUMNS = 100  # resampled at a time; 2,000 resamples of 20 seeds are 32 MB


def p_values(differences: ArrayLike, overlap: ArrayLike = 0.0) -> Array:
    """Return the two-sided p values of paired t tests.

    Parameters
    ----------
    differences : array-like of shape (S, …)
        Differences between two networks under each of S seeds.
    overlap : array-like, broadcast to shape (…)
        See `regviz.analysis.regularization_path.standard_error`.

    Returns
    -------
    ndarray of shape (…)
        The probability of a mean at least as far from 0 if the true one is 0. 1 if all differences
        are 0, and NaN if there is one seed or a NaN among the differences. If all of them are equal
        and not 0, as differences of accuracies under a few seeds often are, the t test would return
        0. Then it is the p value of Fisher's randomization test, ``2 ** (1 - n)``: the probability
        that ``n`` differences have the same sign. ``n`` is the number of independent seeds with
        the same standard error, ``1 / (1 / S + overlap)``. Differences that are nearly equal have
        the p value of the t test, which is much smaller.

    References
    ----------
    Nadeau & Bengio 2003, *Inference for the generalization error*, section 5, for ``overlap``.
    Fisher 1935, *The design of experiments*, section 21, for the randomization test.

    Examples
    --------
    >>> from regviz.studies.statistics import p_values
    >>> float(p_values([-0.2, -0.3, -0.1, -0.2]).round(4))
    0.0163
    """
    values = np.asarray(differences, dtype=np.float64)
    n, effect = len(values), np.abs(effect_size(values))
    p = 2 * stats.t.sf(effect * np.sqrt(n) / _stretch(n, overlap), n - 1)
    return np.where(effect > EQUAL, _same_sign(n, overlap), p)


def effect_size(differences: ArrayLike) -> Array:
    """Return the mean of differences in units of their standard deviation.

    Parameters
    ----------
    differences : array-like of shape (S, …)
        Differences between two networks under each of S seeds.

    Returns
    -------
    ndarray of shape (…)
        0 if all differences are 0, and NaN if there is one seed or a NaN among the differences.

    References
    ----------
    Cohen 1988, *Statistical power analysis for the behavioral sciences*, section 2.3: d′ of paired
    observations, with the sample standard deviation.

    Examples
    --------
    >>> from regviz.studies.statistics import effect_size
    >>> float(effect_size([-0.2, -0.3, -0.1, -0.2]).round(4))
    -2.4495
    """
    values = np.asarray(differences, dtype=np.float64)
    mean, spread = values.mean(axis=0), standard_error(values) * np.sqrt(len(values))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((mean == 0) & (spread == 0), 0.0, mean / spread)


def t_interval(
    values: ArrayLike, *, level: float = LEVEL, overlap: ArrayLike = 0.0
) -> tuple[Array, Array]:
    """Return both ends of Student's interval for the mean over seeds.

    Parameters
    ----------
    values : array-like of shape (S, …)
        Values, or paired differences, under each of S seeds.
    level : float
        Probability that the interval covers the true mean, between 0 and 1.
    overlap : array-like, broadcast to shape (…)
        See `regviz.analysis.regularization_path.standard_error`.

    Returns
    -------
    low, high : ndarray of shape (…)
        NaN if there is one seed or a NaN among the values. Both are the mean if all values are
        equal: they show no spread, which does not say that there is none.

    Examples
    --------
    >>> from regviz.studies.statistics import t_interval
    >>> low, high = t_interval([-0.2, -0.3, -0.1, -0.2])
    >>> print(f"{low:.3f} to {high:.3f}")
    -0.330 to -0.070
    """
    array = np.asarray(values, dtype=np.float64)
    level = real("level", level, 0, 1, open_low=True, open_high=True)
    mean = array.mean(axis=0)
    half = stats.t.isf((1 - level) / 2, len(array) - 1) * standard_error(array, overlap)
    return mean - half, mean + half


def bootstrap_interval(
    values: ArrayLike, *, level: float = LEVEL, overlap: ArrayLike = 0.0
) -> tuple[Array, Array]:
    """Return both ends of the bootstrap interval for the mean over seeds.

    It is the bias-corrected and accelerated interval of `scipy.stats.bootstrap`, and does not
    assume that values are normally distributed. For few seeds it covers the true mean less often
    than its level: at 0.95 and normal values, in 0.84 of cases with 5 seeds and in 0.93 with 20
    (``tests/studies/test_statistics.py``). All columns are resampled with the same seeds, so that
    the result for one does not depend on the others.

    Parameters
    ----------
    values : array-like of shape (S, …)
        Values, or paired differences, under each of S seeds.
    level : float
        Probability that the interval covers the true mean, between 0 and 1.
    overlap : array-like, broadcast to shape (…)
        See `regviz.analysis.regularization_path.standard_error`. The distances of both ends from
        the mean are multiplied by the same factor as the standard error.

    Returns
    -------
    low, high : ndarray of shape (…)
        NaN if there is one seed or a NaN among the values; for equal values as `t_interval`.

    References
    ----------
    Efron & Tibshirani 1993, *An introduction to the bootstrap*, section 14.3.

    Examples
    --------
    >>> from regviz.studies.statistics import bootstrap_interval
    >>> low, high = bootstrap_interval([-0.2, -0.3, -0.1, -0.2, -0.4, -0.1])
    >>> bool(low < -0.2 < high < 0)
    True
    """
    array = np.asarray(values, dtype=np.float64)
    level = real("level", level, 0, 1, open_low=True, open_high=True)
    n, shape = len(array), array.shape[1:]
    columns = array.reshape(n, -1)
    mean = columns.mean(axis=0)
    constant = columns.min(axis=0) == columns.max(axis=0)  # scipy divides by their deviation, 0
    ends = np.where(constant, mean, np.full((2, len(mean)), np.nan))
    usable = np.flatnonzero(np.isfinite(mean) & ~constant & (n > 1))
    for start in range(0, len(usable), CHUNK_COLUMNS):
        chunk = usable[start : start + CHUNK_COLUMNS]
        found = stats.bootstrap(
            (columns[:, chunk],),
            np.mean,
            axis=0,
            confidence_level=level,
            n_resamples=N_RESAMPLES,
            vectorized=True,
            rng=np.random.default_rng(RESAMPLING_SEED),
        ).confidence_interval
        ends[:, chunk] = found.low, found.high
    if n == 1:
        ends[:] = np.nan
    stretch = np.broadcast_to(_stretch(n, overlap), shape).ravel()
    low, high = (mean + stretch * (ends - mean)).reshape(2, *shape)
    return low, high


def shares_best(values: ArrayLike, *, overlap: ArrayLike = 0.0) -> Array:
    """Return how often each method has the lowest mean if the seeds are drawn again.

    Parameters
    ----------
    values : array-like of shape (S, n_cells, n_methods)
        Values of which lower ones are better. Methods with a NaN are never the lowest.
    overlap : array-like, broadcast to shape (n_cells,)
        See `regviz.analysis.regularization_path.standard_error`. Deviations of the means from those
        of all seeds are multiplied by the same factor as the standard error.

    Returns
    -------
    ndarray of shape (n_cells, n_methods)
        Shares, 0 to 1, of 2,000 bootstrap samples of the seeds, in which each seed is drawn
        equally often in total (balanced resampling). Equally low methods divide a sample among
        them. 0 for all methods of a cell if each of them has a NaN. With few seeds shares are too
        close to 0 and 1, as the variance of resampled means is (S - 1) / S of its unbiased
        estimate; of one seed they say nothing.

    References
    ----------
    Davison, Hinkley & Schechtman 1986, *Efficient bootstrap simulation*.

    Examples
    --------
    >>> import numpy as np
    >>> from regviz.studies.statistics import shares_best
    >>> losses = np.random.default_rng(0).normal([0.3, 0.3, 0.6], 0.1, (20, 1, 3))
    >>> shares = shares_best(losses)
    >>> float(shares.sum()), float(shares[0, 2])
    (1.0, 0.0)
    """
    array = np.asarray(values, dtype=np.float64)
    n, n_cells, _ = array.shape
    rng = np.random.default_rng(RESAMPLING_SEED)
    drawn = rng.permutation(np.repeat(np.arange(n), N_RESAMPLES)).reshape(N_RESAMPLES, n)
    weights = (drawn[:, :, None] == np.arange(n)).mean(axis=1)  # (N_RESAMPLES, S)
    mean = array.mean(axis=0)
    usable = np.isfinite(mean)
    stretch = np.broadcast_to(_stretch(n, overlap), n_cells)
    shares = np.zeros(mean.shape)
    for cell in np.flatnonzero(usable.any(axis=1)):
        own = usable[cell]
        means = weights @ array[:, cell, own]
        means = mean[cell, own] + stretch[cell] * (means - mean[cell, own])
        lowest = means == means.min(axis=1, keepdims=True)
        shares[cell, own] = (lowest / lowest.sum(axis=1, keepdims=True)).mean(axis=0)
    return shares


def seeds_needed(
    effect: ArrayLike, *, power: float = POWER, level: float = LEVEL, overlap: ArrayLike = 0.0
) -> Array:
    """Return the number of seeds at which `p_values` finds a difference.

    It supposes that the difference's mean and standard deviation are those of ``effect``, and tests
    one difference, without a correction for others. For an observed difference the number is an
    estimate: a difference that is not there needs some number of seeds, too, as its mean is not
    exactly 0 under a few seeds.

    Parameters
    ----------
    effect : array-like of shape (…)
        Mean of the paired differences, divided by their standard deviation.
    power : float
        Probability that the test finds the difference, between 0 and 1.
    level : float
        The test finds a difference if p < 1 - ``level``.
    overlap : array-like, broadcast to shape (…)
        See `regviz.analysis.regularization_path.standard_error`.

    Returns
    -------
    ndarray of float of shape (…)
        The least number, at least 2. Infinity if no number is enough: without a difference, or
        with a small one on overlapping splits, where more splits of the same points do not help.
        NaN for NaN.

    References
    ----------
    Cohen 1988, *Statistical power analysis for the behavioral sciences*, sections 2.3 and 2.4.
    The power is that of the noncentral t distribution.

    Examples
    --------
    >>> from regviz.studies.statistics import seeds_needed
    >>> seeds_needed([0.2, 0.5, 0.8, 0.0])
    array([199.,  34.,  15.,  inf])
    """
    size = np.abs(np.asarray(effect, dtype=np.float64))
    shape, size = size.shape, size.ravel()
    rho = np.broadcast_to(np.asarray(overlap, dtype=np.float64), shape).ravel()
    alpha = 1 - real("level", level, 0, 1, open_low=True, open_high=True)
    power = real("power", power, 0, 1, open_low=True, open_high=True)
    needed = np.full(size.shape, np.nan)
    asked = np.flatnonzero(~np.isnan(size))

    def enough(n: Array, at: NDArray[np.intp]) -> NDArray[np.bool_]:
        critical = stats.t.isf(alpha / 2, n - 1)
        centre = size[at] / np.sqrt(1 / n + rho[at])
        # scipy 1.17 returns NaN for some lower tails below 1e-20
        opposite = np.nan_to_num(stats.nct.cdf(-critical, n - 1, centre))
        found = stats.nct.sf(critical, n - 1, centre) + opposite
        equal = size[at] > EQUAL
        return np.asarray(np.where(equal, _same_sign(n, rho[at]) < alpha, found >= power))

    # `low` is too few, `high` is enough: first double `high`, then halve the distance
    low, high = np.ones(len(asked)), np.full(len(asked), 2.0)
    while (small := ~enough(high, asked) & (high < MAX_SEEDS)).any():
        low[small], high[small] = high[small], 2 * high[small]
    while (wide := (high - low > 1) & (high < MAX_SEEDS)).any():
        middle = np.floor((low[wide] + high[wide]) / 2)
        reached = enough(middle, asked[wide])
        low[wide] = np.where(reached, low[wide], middle)
        high[wide] = np.where(reached, middle, high[wide])
    needed[asked] = np.where(high < MAX_SEEDS, high, np.inf)
    return needed.reshape(shape)


def holm(p: ArrayLike) -> Array:
    """Return p values corrected by Holm's method, which bounds the probability of any false one.

    Tests may depend on one another in any way.

    Parameters
    ----------
    p : array-like of shape (…)
        The p values of all tests of one family. NaN, for a test without a result, counts as a test
        with p = 1. So if tests are completed one by one, no corrected value grows.

    Returns
    -------
    ndarray of shape (…)
        Of all tests with a corrected value below α, one or more are false with a probability of
        less than α. NaN for NaN.

    References
    ----------
    Holm 1979, *A simple sequentially rejective multiple test procedure*.

    Examples
    --------
    >>> from regviz.studies.statistics import holm
    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    values = np.asarray(p, dtype=np.float64)
    flat = np.where(np.isnan(values), 1.0, values).ravel()
    order = np.argsort(flat, kind="stable")
    factors = np.arange(len(flat), 0, -1)
    corrected = np.empty_like(flat)
    corrected[order] = np.minimum(np.maximum.accumulate(factors * flat[order]), 1.0)
    return np.where(np.isnan(values), np.nan, corrected.reshape(values.shape))


def benjamini_hochberg(p: ArrayLike) -> Array:
    """Return p values corrected for the false discovery rate.

    It is valid for tests that are independent, or positively dependent.

    Parameters
    ----------
    p : array-like of shape (…)
        The p values of all tests of one family; NaN as for `holm`.

    Returns
    -------
    ndarray of shape (…)
        Of the tests with a corrected value below α, the expected share of false ones is less than
        α. NaN for NaN.

    References
    ----------
    Benjamini & Hochberg 1995, *Controlling the false discovery rate*.

    Examples
    --------
    >>> from regviz.studies.statistics import benjamini_hochberg
    >>> benjamini_hochberg([0.01, 0.04, 0.03])
    array([0.03, 0.04, 0.04])
    """
    values = np.asarray(p, dtype=np.float64)
    if not values.size:
        return values
    filled = np.where(np.isnan(values), 1.0, values)
    corrected = stats.false_discovery_control(filled, axis=None)
    return np.where(np.isnan(values), np.nan, corrected.reshape(values.shape))


def _same_sign(n: ArrayLike, overlap: ArrayLike) -> Array:
    """Return the probability that the differences under ``n`` seeds all have the same sign."""
    n_independent = 1 / (1 / np.asarray(n, dtype=np.float64) + np.asarray(overlap))
    return np.asarray(np.minimum(2 ** (1 - n_independent), 1.0))


def _stretch(n: int, overlap: ArrayLike) -> Array:
    """Return the factor by which the overlap of splits multiplies the standard error."""
    return np.sqrt(1 + n * np.asarray(overlap, dtype=np.float64))
