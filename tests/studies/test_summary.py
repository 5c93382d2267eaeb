"""Tests of the tables of a study: means, differences, winners."""

import numpy as np
import pytest
from scipy import stats

import regviz
from regviz.studies import statistics, summary
from tests.support.studies import result_of

METHODS = ("none", "l2", "dropout")
STUDY = regviz.Study(
    vary={"network.hidden": [(), (4, 4), (8,)], "data.noise": [0.3, 0.1]},
    methods=METHODS,
    strengths=1,
    seeds=range(3, 15),
)
SHAPE = 12, 6, 3
LOSSES = np.random.default_rng(0).normal([0.5, 0.45, 0.3], 0.1, SHAPE)
RESULT = result_of(STUDY, LOSSES)


def test_means_stand_beside_the_values_of_the_axes_and_the_key_of_their_cell():
    table = RESULT.means("test_loss")
    assert table["method"].tolist() == list(METHODS) * 6
    np.testing.assert_allclose(table["mean"], LOSSES.mean(axis=0).ravel())
    np.testing.assert_allclose(table["standard_error"], stats.sem(LOSSES).ravel())
    assert table["network.hidden"].tolist()[::3] == ["", "", "4-4", "4-4", "8", "8"]
    assert table["data.noise"].tolist()[::3] == [0.3, 0.1] * 3
    assert table["cell"].tolist()[::3] == [cell.key for cell in STUDY.cells]


def test_differences_are_paired_by_seed_and_corrected_for_all_cells_and_methods():
    table = RESULT.differences("test_loss", "l2")
    assert table["method"].tolist() == ["none", "dropout"] * 6
    reference = stats.ttest_rel(LOSSES[:, :, [0, 2]], LOSSES[:, :, [1]])
    np.testing.assert_allclose(table["p"], reference.pvalue.ravel())
    np.testing.assert_allclose(table["high"], reference.confidence_interval().high.ravel())
    np.testing.assert_allclose(table["p_corrected"], statistics.holm(reference.pvalue).ravel())
    assert table["clear"].tolist() == (table["p_corrected"] < 0.05).tolist()
    assert table["clear"].nunique() == 2
    smaller = RESULT.differences("test_loss", "l2", correction="benjamini_hochberg")
    np.testing.assert_allclose(
        smaller["p_corrected"], stats.false_discovery_control(reference.pvalue.ravel())
    )
    assert (RESULT.differences(baseline="l2", correction=None)["p_corrected"] == table["p"]).all()
    paired = LOSSES[:, 4, 0] - LOSSES[:, 4, 1]
    needed = statistics.seeds_needed(paired.mean() / paired.std(ddof=1))
    assert table["seeds_needed"][8] == needed
    bootstrap = RESULT.differences(baseline="l2", interval="bootstrap")
    assert bootstrap["low"][8] == statistics.bootstrap_interval(paired)[0]


def test_cells_that_are_not_finished_are_left_out_and_still_count_as_comparisons():
    partial = result_of(STUDY, LOSSES, done=[1, 4])
    whole = RESULT.differences().set_index(["cell", "method"])
    table = partial.differences().set_index(["cell", "method"])
    assert len(table) == 4
    assert not partial.complete
    same = whole.loc[table.index]
    assert (same["p"] == table["p"]).all()
    np.testing.assert_allclose(table["p_corrected"].min(), 12 * table["p"].min())
    assert (table["p_corrected"] >= same["p_corrected"]).all()
    assert result_of(STUDY, LOSSES, done=[]).winners().empty


def test_a_method_that_diverges_under_a_seed_has_no_mean_and_never_wins():
    losses = LOSSES.copy()
    losses[2, 0, 2] = losses[7, 0, 2] = np.nan  # dropout, the best, under two seeds
    losses[:, 1, 0] = np.nan  # the baseline
    losses[0, 2] = np.nan  # all methods
    result = result_of(STUDY, losses)
    means, differences = result.means(), result.differences()
    assert np.isnan(means["mean"]).tolist() == [
        *[False, False, True, True, False, False, True, True, True],
        *[False] * 9,
    ]
    assert means["n_diverged"].tolist()[:9] == [0, 0, 2, 12, 0, 0, 1, 1, 1]
    assert differences["n_diverged"].tolist()[:6] == [0, 2, 12, 12, 1, 1]
    assert not differences["clear"][1:6].any()
    winners = result.winners()
    second = METHODS[LOSSES[:, 0, :2].mean(axis=0).argmin()]
    assert winners["method"].tolist()[:3] == [second, "dropout", ""]
    assert winners["diverged"].tolist()[:3] == [("dropout",), ("none",), METHODS]
    assert "dropout" not in winners["ties"][0]
    assert winners["ties"][2] == ()
    assert not winners["clear"][:3].any()


def test_without_a_test_against_every_other_method_no_winner_is_clear_or_certain():
    study = regviz.Study(methods=("none", "l2"), strengths=1, seeds=range(5))
    losses = np.tile([0.5, 0.1], (5, 1, 1)) + np.arange(5)[:, None, None] * [1e-3, 2e-3]
    row = result_of(study, losses).winners().iloc[0]
    assert (row["method"], row["ties"], row["clear"], row["certainty"]) == ("l2", (), True, 1)
    losses[3, 0, 0] = np.nan
    row = result_of(study, losses).winners().iloc[0]
    assert (row["method"], row["ties"], row["clear"]) == ("l2", (), False)
    assert np.isnan(row["certainty"])
    single = regviz.Study(methods=("none", "l2"), strengths=1, seeds=range(1))
    row = result_of(single, [[[0.5, 0.1]]]).winners().iloc[0]
    assert (row["method"], row["ties"], row["clear"]) == ("l2", ("none",), False)
    assert np.isnan(row["certainty"])


def test_of_several_strengths_the_chosen_one_counts_and_one_that_diverges_is_no_loss():
    study = regviz.Study(methods=("none", "l2"), strengths=2, seeds=range(2))
    losses = [[[0.9, 0.5, 0.4]], [[0.9, 0.3, np.nan]]]
    table = result_of(study, losses).means()
    assert table["mean"].tolist() == [0.9, pytest.approx(0.35)]
    assert table["n_diverged"].tolist() == [0, 0]


def test_methods_that_are_not_clearly_worse_than_the_best_tie_with_it():
    losses = np.tile([0.5, 0.4, 0.4], (12, 6, 1)) + np.linspace(-0.2, 0.2, 12)[:, None, None]
    losses += np.random.default_rng(1).normal(0, 1e-3, SHAPE)
    table = result_of(STUDY, losses).winners()
    for method, ties, clear in zip(table["method"], table["ties"], table["clear"], strict=True):
        assert {method, *ties} == {"l2", "dropout"}
        assert not clear
    losses[:, 3, 1] -= 0.1
    row = result_of(STUDY, losses).winners().iloc[3]
    assert (row["method"], row["ties"], row["clear"], row["certainty"]) == ("l2", (), True, 1)


def test_higher_accuracies_win():
    for metric, best in (("test_loss", "dropout"), ("test_accuracy", "dropout")):
        assert set(RESULT.winners(metric)["method"]) == {best}


def test_without_any_difference_few_studies_have_a_clear_winner():
    rng, found = np.random.default_rng(4), 0
    for _ in range(200):
        found += result_of(STUDY, rng.normal(0.5, 0.1, SHAPE)).winners()["ties"].map(len).min() < 2
    # a method is excluded anywhere in at most 0.05 of studies: 18 of 200 is 2.6 standard errors
    assert found <= 18


def test_the_overlap_of_own_points_splits_corrects_errors_cell_by_cell():
    rng = np.random.default_rng(0)
    rows = [(*row, float(row[0] > 0)) for row in rng.normal(size=(60, 2)).tolist()]
    points = regviz.PointsSpec(points=rows, task="binary", validation_fraction=0)
    study = regviz.Study(
        regviz.Experiment(points),
        vary={"data.train_fraction": [0.5, 0.8]},
        methods=("none", "l2"),
        strengths=1,
        seeds=range(12),
    )
    losses = LOSSES[:, :2, :2]
    table = result_of(study, losses).differences()
    spread = (losses[:, :, 1] - losses[:, :, 0]).std(axis=0, ddof=1)
    expected = spread * np.sqrt(1 / 12 + np.array([30 / 30, 12 / 48]))
    np.testing.assert_allclose(table["standard_error"], expected)


def test_errors_name_the_allowed_values():
    for call, words in (
        (lambda: RESULT.means("loss"), "metric must be one of 'train_loss'"),
        (lambda: RESULT.differences(baseline="l1"), "baseline must be one of 'none', 'l2'"),
        (lambda: RESULT.differences(interval="normal"), "interval must be one of 't', 'bootstrap'"),
        (lambda: RESULT.differences(correction="x"), "correction must be one of 'holm'"),
        (lambda: RESULT.winners("gap"), "metric must be one of test_loss"),
        (
            lambda: result_of(regviz.Study(methods=("l2",), strengths=1), 1).winners(),
            "at least two",
        ),
    ):
        with pytest.raises(ValueError, match=words):
            call()


def test_a_table_is_computed_once_and_a_caller_may_change_it(monkeypatch: pytest.MonkeyPatch):
    calls, own = [], summary.chosen

    def counted(*args):
        calls.append(args)
        return own(*args)

    monkeypatch.setattr(summary, "chosen", counted)
    result = result_of(STUDY, LOSSES)
    n_bytes = result.n_bytes
    for table in (result.means, result.differences, result.winners):
        first = table()
        expected = first.copy()
        first["cell"] = "changed"
        assert table().equals(expected)
    assert len(calls) == 3
    assert not result.differences("test_accuracy").equals(result.differences())
    assert result.n_bytes > n_bytes
    assert list(result.positions) == [cell.key for cell in STUDY.cells]
    done = result_of(STUDY, LOSSES, done=[1])
    assert done.positions == {STUDY.cells[1].key: 1}
