"""Tests of the comparison of networks: numbers by definition, best marks, verdicts over seeds."""

import csv
import io
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn import metrics

import regviz
from regviz import DataSpec, Experiment, NetworkSpec, Regularization, TrainingSpec
from regviz.analysis import comparison
from regviz.analysis.comparison import Comparison, Replicates, best, compare, confusion, to_csv
from regviz.analysis.criteria import Criterion, criteria, plus_minus

ROWS = (
    Regularization(),
    Regularization(l1=0.02),
    Regularization(l2=0.05),
    Regularization(drop_rate=0.2),
)


def run(name="moons", rows=ROWS, **training):
    training = TrainingSpec(**{"optimizer": "momentum", "epochs": 12, **training})
    return regviz.train(Experiment(DataSpec(name), NetworkSpec((6, 4)), training, rows))


@pytest.fixture(scope="module")
def history():
    return run()


# ------------------------------------------------------------------------------ one run


@pytest.mark.parametrize("name", ["moons", "three_blobs", "bumps"])
def test_each_number_is_what_its_definition_gives(name, as_module, torch_loss):
    history = run(name, dtype="float64")
    found, layers = compare(history, range(4)), 3
    task = history.dataset.task
    for k in range(4):
        weights = history.weights(k)
        module = as_module(weights, history.biases(k), "tanh")
        losses, outputs = {}, {}
        for split in ("train", "validation", "test"):
            X, y = history.dataset.points(split)
            with torch.no_grad():
                outputs[split] = module(torch.tensor(X))
                losses[split] = torch_loss(outputs[split], torch.tensor(y), task).item()
            assert found[f"{split}_loss"][k] == pytest.approx(losses[split], rel=1e-9)
        assert found["gap"][k] == pytest.approx(losses["test"] - losses["train"], rel=1e-9)
        flat = np.concatenate([w.ravel() for w in weights])
        ones, twos = np.abs(flat).sum(), math.sqrt((flat**2).sum())
        root = math.sqrt(flat.size)
        assert found["sparsity"][k] == pytest.approx(np.mean(flat == 0), abs=1e-15)
        assert found["hoyer"][k] == pytest.approx((root - ones / twos) / (root - 1), rel=1e-9)
        assert found["effective_weights"][k] == pytest.approx((ones / twos) ** 2, rel=1e-9)
        for i in range(layers):
            norm = np.linalg.norm(weights[i], "fro")
            assert found[f"norm_{i + 1}"][k] == pytest.approx(norm, rel=1e-9)
        if task != "regression":
            y, z = history.dataset.points("test")[1], outputs["test"].numpy()
            predicted = z[:, 0] > 0 if task == "binary" else z.argmax(axis=1)
            accuracy = metrics.accuracy_score(y, predicted)
            assert found["test_accuracy"][k] == pytest.approx(accuracy, rel=1e-12)
            np.testing.assert_array_equal(
                confusion(history, [k])[0], metrics.confusion_matrix(y, predicted)
            )
    keys = [column.key for column in found.columns]
    assert found.values.shape == (4, len(keys))
    assert ("test_accuracy" in keys) == ("boundary_length" in keys) == (task != "regression")


def test_a_linear_models_boundary_is_a_line_of_known_length():
    training = TrainingSpec(epochs=40)
    data = DataSpec("blobs")
    history = regviz.train(Experiment(data, NetworkSpec(()), training, (Regularization(),)))
    (weight,), (bias,) = history.weights(0), history.biases(0)
    low, high = regviz.data.datasets.domain(history.dataset)
    ends = []
    for i, j in ((0, 1), (1, 0)):  # intersections of the line with the square's sides
        for side in (low, high):
            other = -(bias[0] + weight[i, 0] * side) / weight[j, 0]
            if low <= other <= high:
                ends.append((side, other) if i == 0 else (other, side))
    assert len(ends) == 2
    length = math.dist(*ends)
    assert compare(history, [0])["boundary_length"][0] == pytest.approx(length, rel=1e-4)


def test_rows_come_in_the_order_asked_for_each_at_its_own_time(history):
    best_times, _ = history.early_stopping(2)
    found = compare(history, [2, 0, 0], [-1, -1, int(best_times[0])])
    everything = compare(history, range(4))
    np.testing.assert_array_equal(found.values[:2], everything.values[[2, 0]])
    t = best_times[0]
    assert 0 < t < 12
    for name in ("validation_loss", "test_loss", "gap"):
        assert found[name][2] == history.metrics[name][t, 0]
    stopped = np.concatenate([w.ravel() for w in history.weights(0, t)])
    assert found["norm_1"][2] == pytest.approx(np.linalg.norm(history.weights(0, t)[0]), rel=1e-6)
    assert found["sparsity"][2] == np.mean(stopped == 0)


def test_a_network_that_has_diverged_has_no_numbers_and_is_never_the_best():
    rows = (Regularization(), Regularization(l1=10))
    training = TrainingSpec(learning_rate=1.5, epochs=30, batch_size=5)
    network = NetworkSpec((16, 16), "linear")
    history = regviz.train(Experiment(DataSpec("plane"), network, training, rows))
    assert (history.diverged >= 0).tolist() == [True, False]
    found = compare(history, [0, 1])
    assert np.isnan(found.values[0]).all()
    assert np.isfinite(found["test_loss"][1])
    assert not found.best[0].any()
    start = compare(history, [0], 0)
    assert np.isfinite(start.values).all()  # at the first epoch it had not diverged


def test_without_validation_points_there_is_no_validation_loss():
    history = regviz.train(
        Experiment(DataSpec(validation_fraction=0), training=TrainingSpec(epochs=2))
    )
    assert "validation_loss" not in [column.key for column in compare(history, [0]).columns]


def test_data_of_three_columns_have_no_boundary_length():
    X = np.random.default_rng(0).normal(size=(40, 3))
    y = (X[:, 0] > 0).astype(int)
    dataset = regviz.Dataset(X[:20], y[:20], X[20:], y[20:])
    history = regviz.train(Experiment(training=TrainingSpec(epochs=2)), dataset)
    assert "boundary_length" not in [column.key for column in compare(history, [0]).columns]


def test_unknown_rows_and_regressions_are_refused_by_name(history):
    with pytest.raises(ValueError, match=r"^rows must be at least one network"):
        compare(history, [])
    with pytest.raises(ValueError, match=r"^rows must be a whole number from -4 to 3, got 4"):
        compare(history, [4])
    with pytest.raises(ValueError, match=r"^history must be a run on classes, got 'regression'"):
        confusion(run("plane", epochs=1), [0])


# ------------------------------------------------------------------------------ the best


def test_the_best_is_the_lowest_or_the_highest_as_the_column_says_and_equals_share_it():
    columns = tuple(Criterion(key, key, "", better) for key, better in
                    (("loss", "lower"), ("accuracy", "higher"), ("zeros", None)))  # fmt: skip
    values = np.array([[0.5, 0.8, 0.1], [0.3, 0.9, 0.9], [np.nan, np.nan, 0.5], [0.3, 0.7, 0]])
    expected = [[0, 0, 0], [1, 1, 0], [0, 0, 0], [1, 0, 0]]
    np.testing.assert_array_equal(best(columns, values), np.array(expected, dtype=bool))
    assert not best(columns, np.full((2, 3), np.nan)).any()


def test_only_how_well_a_network_predicts_unseen_points_is_judged(history):
    better = {c.key: c.better for c in criteria(history.dataset, 3) if c.better}
    assert better == {
        "test_loss": "lower",
        "validation_loss": "lower",
        "test_accuracy": "higher",
        "calibration_error": "lower",
    }


# ------------------------------------------------------------------------------ over seeds


@pytest.fixture(scope="module")
def replicates():
    training = TrainingSpec("momentum", epochs=12, frames=1)
    experiment = Experiment(DataSpec(n_samples=100), training=training, regularizations=ROWS)
    histories = regviz.replicate(experiment, range(5))
    return Replicates.of([compare(history, range(4)) for history in histories])


def test_mean_and_standard_error_are_scipys(replicates):
    assert replicates.values.shape[:2] == (5, 4)
    np.testing.assert_allclose(replicates.mean, np.mean(replicates.values, axis=0), rtol=1e-12)
    np.testing.assert_allclose(replicates.error, stats.sem(replicates.values), rtol=1e-12)
    assert replicates.best[best(replicates.columns, replicates.mean)].all()


def test_differences_are_paired_by_seed(replicates):
    difference = replicates.difference(0)
    losses = replicates["test_loss"]
    for i in range(1, 4):
        test = stats.ttest_rel(losses[:, i], losses[:, 0])
        found = difference["test_loss"][:, i]
        assert found.mean() / stats.sem(found) == pytest.approx(test.statistic, rel=1e-9)
    np.testing.assert_array_equal(difference.values[:, 0], 0)
    with pytest.raises(ValueError, match=r"^baseline must be a whole number from 0 to 3"):
        replicates.difference(4)


def test_what_luck_alone_would_do_at_the_threshold_is_rare():
    # the page compares 5 seeds
    assert 1 / 26 < 2 * stats.t.sf(comparison.CLEAR, df=4) < 1 / 24


def replicates_with_losses(losses, overlap=0.0):
    """Return replicates that hold only test losses ``(S, n)``."""
    column = Criterion("test_loss", "Test loss", "", "lower")
    return Replicates.of([Comparison((column,), np.array(one)[:, None]) for one in losses], overlap)


def test_a_verdict_tells_a_difference_from_luck():
    names = ["None", "L2", "L1", "Dropout"]
    seeds = np.array([0.0, 0.1, -0.1, 0.2, -0.2])  # the effect of a seed that all networks share
    noise = np.array([1, -1, 0, 1, -1])
    losses = np.stack(
        [
            1 + seeds,
            0.7 + seeds + 0.02 * noise,
            0.99 + seeds + 0.1 * noise,
            1.5 + seeds + 0.1 * noise,
        ],
        axis=1,
    )
    found = replicates_with_losses(losses)
    # standard errors: 0.02 / sqrt(5) = 0.0089 and 0.1 / sqrt(5) = 0.045
    assert found.verdict(names, 1, 0) == "L2 tests 0.300 ± 0.009 lower than None over 5 seeds."
    assert found.verdict(names, 2, 0) == (
        "L1 tests 0.01 ± 0.04 lower than None over 5 seeds. This may be luck."
    )
    assert found.verdict(names, 3, 0) == "Dropout tests 0.50 ± 0.04 higher than None over 5 seeds."
    assert found.verdict(names, 0, 0) == "None has a test loss of 1.00 ± 0.07 over 5 seeds."
    # not paired: the root of (0.02² + 0.08² + 0.1² + 0.22² + 0.22²) / (4 · 5) is 0.075
    assert found.verdict(names, 1) == "L2 has a test loss of 0.70 ± 0.08 over 5 seeds."


def test_networks_that_test_alike_under_every_seed_are_said_to():
    losses = [[1.0, 1.0, 0.5], [1.2, 1.2, 0.7], [0.9, 0.9, 0.3]]
    found = replicates_with_losses(losses)
    names = ["None", "L2", "L1"]
    assert found.verdict(names, 1, 0) == "L2 tests exactly as None over 3 seeds."


def test_splits_of_the_same_points_need_a_larger_difference():
    rng = np.random.default_rng(2)
    difference = rng.normal(size=5)
    difference *= 0.1 / difference.std(ddof=1)
    t = 4.0  # significant for independent seeds
    difference += t * 0.1 / np.sqrt(5) - difference.mean()
    losses = np.stack([np.ones(5), 1 + difference], axis=1)
    names = ["None", "L2"]
    assert stats.ttest_rel(losses[:, 1], losses[:, 0]).statistic == pytest.approx(t)
    assert "luck" not in replicates_with_losses(losses).verdict(names, 1, 0)
    # Nadeau & Bengio 2003: t is divided by sqrt(1 + S n_test / n_train), here to 1.6
    split = replicates_with_losses(losses, overlap=1.0)
    assert split.verdict(names, 1, 0).endswith("This may be luck.")
    corrected = split.difference(0)
    assert corrected.mean[1, 0] / corrected.error[1, 0] == pytest.approx(t / np.sqrt(1 + 5 * 1.0))


def test_only_ones_own_points_overlap_from_seed_to_seed():
    rng = np.random.default_rng(0)
    points = [(*rng.normal(size=2), i % 2) for i in range(80)]
    own = regviz.PointsSpec(points, train_fraction=0.5, validation_fraction=0.2)
    training = regviz.TrainingSpec(epochs=1)
    for data, expected in ((own, 40 / 32), (regviz.DataSpec("moons", n_samples=80), 0)):
        history = regviz.train(regviz.Experiment(data, training=training))
        assert comparison.overlap(history) == expected


def stars_of(losses, better="lower", percent=False, overlap=0.0):
    """Return stars, and means as shown, of values ``(S, n)`` of one criterion."""
    column = Criterion("x", "X", "", better, percent=percent)
    found = Replicates((column,), np.asarray(losses, dtype=float)[:, :, None], overlap)
    pairs = zip(found.mean[:, 0].tolist(), found.error[:, 0].tolist(), strict=True)
    shown = np.array([float(column.text(*pair).partition(" ")[0]) for pair in pairs])
    return found.best[:, 0], shown


# means, and each seed's deviation: shared by all networks, and of each network alone
SEEDS = st.integers(2, 6).flatmap(
    lambda n_seeds: st.tuples(
        arrays(float, st.integers(1, 8), elements=st.floats(0.05, 1)),
        arrays(float, n_seeds, elements=st.floats(-0.2, 0.2)),
        st.floats(0.001, 0.3),
        st.integers(0, 2**32 - 1),
    )
)


@settings(max_examples=300, deadline=None)
@given(SEEDS, st.sampled_from(["lower", "higher"]), st.booleans(), st.sampled_from([0.0, 0.4]))
def test_every_network_without_a_star_is_worse_beyond_one_error_and_looks_it(
    drawn, better, percent, overlap
):
    means, shared, spread, seed = drawn
    own = np.random.default_rng(seed).normal(scale=spread, size=(len(shared), len(means)))
    values = np.round(means + shared[:, None] + own, 4)
    starred, shown = stars_of(values, better, percent, overlap)
    sign = 1 if better == "lower" else -1
    costs = sign * values
    best_one = int(costs.mean(axis=0).argmin())
    assert starred[best_one]
    for j in np.flatnonzero(~starred):
        paired = costs[:, j] - costs[:, best_one]
        error = stats.sem(paired) * np.sqrt(1 + len(costs) * overlap)
        assert paired.mean() > error
        assert (sign * shown[j] > sign * shown[starred]).all()


@settings(max_examples=300, deadline=None)
@given(arrays(float, st.integers(1, 8), elements=st.floats(0.05, 1)), st.booleans())
def test_in_one_run_a_star_is_on_all_that_look_like_the_best_and_on_no_other(values, percent):
    column = Criterion("x", "X", "", "lower", percent=percent)
    texts = [column.text(value) for value in values.tolist()]
    least = texts[int(values.argmin())]
    starred = Comparison((column,), values[:, None]).best[:, 0]
    assert starred.tolist() == [text == least for text in texts]


def test_a_network_within_one_standard_error_of_the_paired_difference_has_a_star():
    base = np.array([0.30, 0.34, 0.26, 0.32, 0.28])
    deviation = np.array([0.02, -0.02, 0.01, -0.01, 0.0])
    error = stats.sem(deviation)
    # the second differs from the first by 0.9 errors, the third by 1.1
    losses = np.stack([base, base + deviation + 0.9 * error, base + deviation + 1.1 * error], 1)
    assert stars_of(losses)[0].tolist() == [True, True, False]
    # a star on the third, too, if the seeds split the same points: the error is larger
    assert stars_of(losses, overlap=1.0)[0].all()


def test_a_noisy_number_does_not_beat_a_better_one_that_is_more_certain():
    # the best ties with the noisiest; 9.4 and 7.4 are certainly worse, but look better than 11
    best_one = np.array([6.0, 6.2, 5.8, 6.1, 5.9])
    noisy = best_one + 5 + np.array([12, -12, 14, -14, 0])
    seeds = np.stack([best_one, best_one + 1.4, noisy, best_one + 3.4, best_one + 9], axis=1)
    starred, shown = stars_of(seeds / 100, percent=True)
    assert shown.tolist() == pytest.approx([6, 7.4, 11, 9.4, 15], abs=0.05)
    assert starred.tolist() == [True, True, True, True, False]


def test_of_two_equal_numbers_none_has_a_star_alone():
    seeds = np.array([0.33, 0.47, 0.41, 0.38, 0.46])
    losses = np.stack([seeds, seeds + 0.0004, seeds + 0.2], axis=1)  # shown: 0.41 ± 0.03 twice
    starred, shown = stars_of(losses)
    assert shown[0] == shown[1]
    assert starred.tolist() == [True, True, False]


def test_a_network_that_diverged_under_a_seed_has_no_mean_and_its_verdict_says_so():
    losses = [[1.0, 0.5, 0.4], [1.1, np.nan, 0.5], [0.9, np.nan, 0.3]]
    found, names = replicates_with_losses(losses), ["None", "L2", "L1"]
    assert np.isnan(found.mean[1]).all()
    assert found.best[:, 0].tolist() == [False, False, True]
    assert found.verdict(names, 1, 0) == "L2 diverged under 2 of 3 seeds."
    assert found.verdict(names, 2, 1) == "L2 diverged under 2 of 3 seeds."
    assert found.verdict(names, 2, 0).startswith("L1 tests 0.6")


# ------------------------------------------------------------------------------ text


@pytest.mark.parametrize(
    ("mean", "error", "text"),
    [
        (0.31234, 0.0421, "0.31 ± 0.04"),
        (0.31234, 0.0124, "0.312 ± 0.012"),
        (-0.31234, 0.5, "-0.3 ± 0.5"),
        (-0.001, 0.05, "0.00 ± 0.05"),
        (12.345, 3.2, "12 ± 3"),
        (1234.5, 32.1, "1234 ± 32"),
        (5.0, 0.0, "5 ± 0"),
        (0.31234, math.nan, "0.312"),
        (312.34, math.nan, "312"),
    ],
)
def test_a_mean_is_written_to_the_digit_where_its_error_begins(mean, error, text):
    assert plus_minus(mean, error) == text


def test_numbers_are_written_with_their_unit_and_undefined_ones_as_a_dash():
    loss, share = Criterion("a", "A", ""), Criterion("b", "B", "", percent=True)
    assert [loss.text(x) for x in (0.4, 1234.5, math.nan)] == ["0.400", "1234", "–"]
    assert [share.text(x) for x in (0.4, 0, math.nan)] == ["40.0 %", "0.0 %", "–"]
    assert loss.text(0.4, 0.05) == "0.40 ± 0.05"
    assert share.text(0.4, 0.05) == "40 ± 5 %"
    assert share.text(math.nan, 0.05) == "–"


def test_the_csv_reads_back_to_the_same_numbers(history, replicates):
    found = compare(history, range(4))
    names = [("None", ""), ("L1", "λ₁ = 0.02"), ('L2, "so called"', ""), ("Dropout", "p = 0.2")]
    values = found.values.copy()
    values[1, 2] = np.nan
    header, *rows = csv.reader(io.StringIO(to_csv(names, found.columns, values, None)))
    assert header == ["method", "strength", *(column.key for column in found.columns)]
    assert [tuple(row[:2]) for row in rows] == names
    assert rows[1][4] == ""
    read = [[float(cell or "nan") for cell in row[2:]] for row in rows]
    np.testing.assert_array_equal(read, values)

    mean, error = replicates.mean, replicates.error
    header, *rows = csv.reader(io.StringIO(to_csv(names, replicates.columns, mean, error)))
    assert header[2:4] == ["test_loss", "test_loss_standard_error"]
    read = np.array([[float(cell) for cell in row[2:]] for row in rows])
    np.testing.assert_array_equal(read[:, ::2], mean)
    np.testing.assert_array_equal(read[:, 1::2], error)
