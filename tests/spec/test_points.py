"""Tests of own points: text form, splits, refusals."""

import base64
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import regviz
from regviz import PointsSpec
from regviz.data.datasets import make_dataset
from regviz.scenes.link import from_query, to_query
from regviz.spec.points import MAX_ABS_COORDINATE, MAX_POINTS, MIN_POINTS


def blob(n=30, n_classes=2, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    return np.column_stack([rng.normal(size=(n, 2)) + 2 * y[:, None], y])


coordinates = st.floats(-MAX_ABS_COORDINATE, MAX_ABS_COORDINATE)


@st.composite
def specs(draw):
    task = draw(st.sampled_from(["binary", "multiclass", "regression"]))
    n = draw(st.integers(MIN_POINTS, 40))
    n_classes = {"binary": 2, "multiclass": 3}.get(task)
    y = [i % n_classes for i in range(n)] if n_classes else None
    y = draw(st.permutations(y) if y else st.lists(coordinates, min_size=n, max_size=n))
    X = draw(st.lists(st.tuples(coordinates, coordinates), min_size=n, max_size=n))
    return PointsSpec(
        [(*x, value) for x, value in zip(X, y, strict=True)],
        task=task,
        train_fraction=draw(st.floats(0.05, 0.95)),
        seed=draw(st.integers(0, 100)),
    )


@settings(deadline=None, max_examples=200)
@given(specs())
def test_points_survive_the_text_of_a_link_and_json(spec):
    others = dict(task=spec.task, train_fraction=spec.train_fraction, seed=spec.seed)
    assert PointsSpec.from_text(spec.to_text(), **others) == spec
    experiment = regviz.Experiment(data=spec)
    assert regviz.Experiment.from_json(experiment.to_json()) == experiment


def test_the_largest_drawing_fits():
    spec = PointsSpec(blob(MAX_POINTS))
    assert PointsSpec.from_text(spec.to_text()) == spec
    # 400 points, the size of a toy dataset, must leave most of a link free
    assert len(PointsSpec(blob(400)).to_text()) < 3500


def test_points_are_kept_to_three_decimals():
    points = blob()
    spec = PointsSpec(points)
    assert np.abs(np.array(spec.points) - points).max() <= 0.0005 + 1e-12
    assert PointsSpec(spec.points) == spec


@pytest.mark.parametrize("text", ["", "!", "abc", "eJwDAAAAAAE", "A" * 1000, "é", "eJzt"])
def test_damaged_text_is_refused_by_name(text):
    with pytest.raises(ValueError, match=r"^points must be"):
        PointsSpec.from_text(text)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    with pytest.raises(ValueError, match=r"^points must be"):
        PointsSpec.from_text(text)


def test_text_that_would_unpack_to_gigabytes_is_refused():
    bomb = base64.urlsafe_b64encode(zlib.compress(bytes(100_000_000), 9)).decode()
    with pytest.raises(ValueError, match="at most 2000 points"):
        PointsSpec.from_text(bomb)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (blob(9), "10 to 2000 rows, got 9"),
        (blob(2001), "10 to 2000 rows, got 2001"),
        (blob()[:, :2], "rows of three to 101 numbers"),
        ("points", "rows of three to 101 numbers"),
        ([[np.nan, 0, 0], *blob()], "numbers from -100000 to 100000, got nan"),
        ([[1e6, 0, 0], *blob()], "got 1000000"),
        (blob(n_classes=3), "classes 0 to 1, got 2"),
        (blob() * [1, 1, 0], "3 points of class 1, got 0"),
        (np.vstack([blob() * [1, 1, 0], [[0, 0, 1]] * 2]), "3 points of class 1, got 2"),
        (blob() + np.array([0, 0, 0.5]), "classes 0 to 1, got"),
    ],
)
def test_points_that_cannot_be_used_are_refused(points, message):
    with pytest.raises(ValueError, match=f"points must be .*{message}"):
        PointsSpec(points)


def test_names_belong_to_classes():
    assert PointsSpec(blob(), names=["cat", "dog"]).names == ("cat", "dog")
    for wrong in (("cat",), "cats", (1, 2), ("", "dog"), ("cat", "a\nb"), ("cat", "x" * 41)):
        with pytest.raises(ValueError, match=r"^names must be"):
            PointsSpec(blob(), names=wrong)
    with pytest.raises(ValueError, match=r"^names must be different for each class, got \("):
        PointsSpec(blob(), names=("cat", "cat"))
    with pytest.raises(ValueError, match="0 names"):
        PointsSpec(blob(), task="regression", names=("cat", "dog"))


@pytest.mark.parametrize(("task", "n_classes"), [("binary", 2), ("multiclass", 3)])
@pytest.mark.parametrize("n", [10, 13, 60, 500])
def test_few_points_split_too_and_every_class_is_everywhere(task, n_classes, n):
    spec = PointsSpec(blob(n, n_classes), task=task, train_fraction=0.6, validation_fraction=0.25)
    dataset = make_dataset(spec)
    sizes = []
    for split in ("train", "validation", "test"):
        X, y = dataset.points(split)
        assert set(y) == set(range(n_classes))
        sizes.append(len(X))
    assert sum(sizes) == n


def test_the_points_that_are_trained_on_are_those_that_were_given():
    spec = PointsSpec(blob(50), standardize=False)
    dataset = make_dataset(spec)
    found = [np.column_stack(dataset.points(split)) for split in ("train", "validation", "test")]
    assert sorted(np.vstack(found).tolist()) == sorted(map(list, spec.points))


def test_a_run_on_own_points_is_like_any_other():
    spec = PointsSpec(blob(40, 3), task="multiclass")
    history = regviz.train(
        regviz.Experiment(spec, training=regviz.TrainingSpec(epochs=5, batch_size=4))
    )
    assert history.predict([[0.0, 0.0]]).shape == (1, 1, 3)
    assert np.isfinite(history.metrics["test_loss"]).all()


# ------------------------------------------------------------------- more than two columns


def many(n: int, n_columns: int) -> np.ndarray:
    rng = np.random.default_rng(n)
    return np.column_stack([rng.normal(size=(n, n_columns)), np.arange(n) % 2])


@pytest.mark.parametrize("n_columns", [3, 100])
def test_points_of_more_columns_survive_the_text_of_a_link_and_json(n_columns):
    names = tuple(f"gene, {i}" for i in range(n_columns))
    spec = PointsSpec(many(40, n_columns), columns=names, seed=3)
    assert (spec.n_columns, spec.columns) == (n_columns, names)
    assert PointsSpec.from_text(spec.to_text(), columns=names, seed=3) == spec
    experiment = regviz.Experiment(spec)
    assert regviz.Experiment.from_json(experiment.to_json()) == experiment
    query = to_query(regviz.Scene(spec))
    scene, problems = from_query(query)
    assert problems == []
    assert scene.data == replace(spec, seed=scene.data.seed)


def test_columns_without_names_are_numbered():
    assert PointsSpec(many(20, 4)).columns == ("x1", "x2", "x3", "x4")
    assert PointsSpec(blob()).columns == ("x1", "x2")


def test_text_of_two_columns_is_what_it_was():
    spec = PointsSpec(blob())
    steps = np.rint(np.array(spec.points) * 1000).astype("<i4")
    text = spec.to_text()
    body = zlib.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    found = np.frombuffer(body, "<i4").reshape(3, -1).cumsum(axis=1).T
    np.testing.assert_array_equal(found, steps)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (many(20, 101), r"rows of three to 101 numbers, got \(20, 102\)"),
        (many(1000, 100), "at most 100,000 numbers, rows times columns, got 1,000 rows of 101"),
    ],
)
def test_too_many_columns_or_numbers_are_refused_by_name(points, message):
    with pytest.raises(ValueError, match=f"^points must be {message}$"):
        PointsSpec(points)


@pytest.mark.parametrize("names", [("a", "b"), ("a", "a", "b"), ("a", "", "b"), ("a", "b", 3)])
def test_names_of_columns_are_one_for_each_and_different(names):
    with pytest.raises(ValueError, match="columns must be 3 different texts of 1 to 60"):
        PointsSpec(many(20, 3), columns=names)


@pytest.mark.parametrize("head", ["1.", "101.", "x.", "-3.", "3.3.", "."])
def test_text_with_another_number_of_columns_is_refused(head):
    body = PointsSpec(many(20, 3)).to_text().removeprefix("3.")
    with pytest.raises(ValueError, match="points must be"):
        PointsSpec.from_text(head + body)
