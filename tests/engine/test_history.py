"""Tests of the history: recording, predictions, metrics, selection, files."""

import dataclasses
import io
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, log_loss, mean_squared_error

import regviz
from regviz import Dataset, DataSpec, Experiment, History, NetworkSpec, Regularization, TrainingSpec
from regviz.engine.history import METRICS
from tests.support.networks import ACTIVATE, assert_same_history, outputs

ROWS = (
    Regularization(),
    Regularization(l1=0.02, l2=0.03),
    Regularization(l2=0.05, decoupled=True),
    Regularization(drop_rate=0.3, input_drop_rate=0.1, max_norm=1.5),
)
NAMES = {"binary": "moons", "multiclass": "three_blobs", "regression": "bumps"}


def experiment(task="binary", *, activation="tanh", features=("x1", "x2"), **training):
    training = {"epochs": 4, "learning_rate": 0.1, "dtype": "float64", **training}
    return Experiment(
        DataSpec(NAMES[task], n_samples=90, seed=2),
        NetworkSpec((5, 3), activation, features),
        TrainingSpec(**training),
        ROWS,
    )


@pytest.fixture(scope="module")
def history():
    return regviz.train(experiment())


def forward_pass(history, k, t, points, activation):
    """Return predictions by a plain forward pass and the task's output function."""
    values = outputs(history.weights(k, t), history.biases(k, t), points, activation)
    if history.dataset.task == "regression":
        return values[:, 0]
    if history.dataset.task == "binary":
        return 1 / (1 + np.exp(-values[:, 0]))
    return np.exp(values) / np.exp(values).sum(axis=1, keepdims=True)


# ------------------------------------------------------------------------------ shapes, predictions


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("task", "n_outputs"), [("binary", 1), ("multiclass", 3), ("regression", 1)]
)
def test_shapes_are_as_documented(task, n_outputs, dtype):
    found = regviz.train(experiment(task, dtype=dtype))
    n_parameters = (2 + 1) * 5 + (5 + 1) * 3 + (3 + 1) * n_outputs
    assert found.epochs.tolist() == [0, 1, 2, 3, 4]
    assert found.parameters.shape == (5, 4, n_parameters)
    assert found.parameters.dtype == dtype
    assert tuple(found.metrics) == METRICS
    assert all(values.shape == (5, 4) for values in found.metrics.values())
    assert found.diverged.tolist() == [-1] * 4
    assert [w.shape for w in found.weights(0)] == [(2, 5), (5, 3), (3, n_outputs)]
    assert [b.shape for b in found.biases(-1, 0)] == [(5,), (3,), (n_outputs,)]
    expected = (4, 7, 3) if task == "multiclass" else (4, 7)
    assert found.predict(np.zeros((7, 2))).shape == expected
    assert found.predict(np.zeros((0, 2))).shape == (4, 0, *expected[2:])


@pytest.mark.parametrize("activation", ACTIVATE)
@pytest.mark.parametrize("task", NAMES)
def test_predictions_equal_a_plain_forward_pass(task, activation):
    features = ("x2", "x1*x2", "sin(x1)", "x1^2")
    found = regviz.train(experiment(task, activation=activation, features=features))
    points = np.random.default_rng(0).normal(size=(11, 2))
    a, b = points.T
    inputs = np.column_stack([b, a * b, np.sin(a), a**2])
    for t in (0, 2, -1):
        predictions = found.predict(points, t)
        for k in range(len(ROWS)):
            expected = forward_pass(found, k, t, inputs, activation)
            np.testing.assert_allclose(predictions[k], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("n_columns", [1, 3, 12])
def test_predictions_for_own_columns_equal_a_plain_forward_pass(n_columns):
    rng = np.random.default_rng(1)
    dataset = Dataset(rng.normal(size=(40, n_columns)), rng.normal(size=40), task="regression")
    found = regviz.train(experiment("regression"), dataset)
    points = rng.normal(size=(6, n_columns))
    for k in range(len(ROWS)):
        expected = forward_pass(found, k, -1, points, "tanh")
        np.testing.assert_allclose(found.predict(points)[k], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", [list, tuple, pd.DataFrame, np.float32, np.asfortranarray])
def test_predictions_take_whatever_holds_numbers(history, kind):
    points = np.array([[0.5, -1.0], [2.0, 0.25]])
    found = history.predict(kind(points) if kind is not list else points.tolist())
    np.testing.assert_array_equal(found, history.predict(points))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "points",
    [
        None,
        3.0,
        [],
        [1.0, 2.0],
        np.zeros((2, 3)),
        np.zeros((2, 2, 2)),
        [[0.0, np.nan]],
        [[np.inf, 0.0]],
        [["a", "b"]],
        [["1", "2"]],
        [[1.0], [1.0, 2.0]],
        [[1j, 0]],
        np.array([[1j, 0]]),
        [[None, 1.0]],
        [[10**400, 1]],
    ],
    ids=lambda points: repr(points)[:24],
)
def test_points_that_cannot_be_predicted_are_refused_by_name(history, points):
    with pytest.raises(ValueError, match=r"^X.* must be "):
        history.predict(points)


@pytest.mark.parametrize("index", [5, -6, 0.0, "0", None, True, [0]])
def test_times_and_networks_outside_the_recording_are_refused_by_name(history, index):
    with pytest.raises(ValueError, match=r"^t must be a whole number from -5 to 4, got "):
        history.predict(np.zeros((1, 2)), index)
    for read in (history.weights, history.biases):
        with pytest.raises(ValueError, match=r"^t must be a whole number from -5 to 4, got "):
            read(0, index)
        with pytest.raises(ValueError, match=r"^k must be a whole number from -4 to 3, got "):
            read(index)


def test_times_and_networks_count_from_the_end_as_well(history):
    points = np.ones((1, 2))
    np.testing.assert_array_equal(history.predict(points, 4), history.predict(points, -1))
    for a, b in zip(history.weights(np.int64(3), np.int8(0)), history.weights(-1, -5), strict=True):
        np.testing.assert_array_equal(a, b)


# ------------------------------------------------------------------------------ metrics


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("task", NAMES)
def test_losses_and_accuracies_equal_scikit_learns(task, dtype):
    found = regviz.train(experiment(task, dtype=dtype))
    precision = 1e-10 if dtype == "float64" else 1e-5
    for split, t in itertools.product(("train", "validation", "test"), (0, 3)):
        points, y = found.dataset.points(split)
        for k, predicted in enumerate(found.predict(points, t)):
            predicted = predicted.astype(float)
            accuracy = found.metrics[f"{split}_accuracy"][t, k]
            if task == "regression":
                loss = mean_squared_error(y, predicted) / 2
                assert np.isnan(accuracy)
            else:
                many = task == "multiclass"
                if many:
                    predicted /= predicted.sum(axis=1, keepdims=True)
                loss = log_loss(y, predicted, labels=[0, 1, 2] if many else [0, 1])
                labels = predicted.argmax(axis=1) if many else predicted > 0.5
                assert accuracy == pytest.approx(accuracy_score(y, labels), rel=1e-12)
            assert found.metrics[f"{split}_loss"][t, k] == pytest.approx(loss, rel=precision)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_other_metrics_equal_their_definitions(optimizer):
    rows = (*ROWS, Regularization(l1=0.5), Regularization(l1=0.01, group_lasso=0.02))
    found = regviz.train(
        dataclasses.replace(experiment(optimizer=optimizer, epochs=8), regularizations=rows)
    )
    for t, k in itertools.product(range(9), range(len(rows))):
        weights = np.concatenate([w.ravel() for w in found.weights(k, t)])
        measured = {name: values[t, k] for name, values in found.metrics.items()}
        penalty = rows[k].l1 * np.abs(weights).sum()
        if optimizer == "sgd" and not rows[k].decoupled:
            penalty += rows[k].l2 / 2 * (weights**2).sum()
        for layer in found.weights(k, t)[:-1]:
            lengths = np.linalg.norm(layer, axis=0)
            penalty += rows[k].group_lasso * math.sqrt(len(layer)) * lengths.sum()
        size = np.abs(weights)
        expected = {
            "gap": measured["test_loss"] - measured["train_loss"],
            "penalty": penalty,
            "objective": measured["train_loss"] + penalty,
            "sparsity": np.mean(weights == 0),
            "near_zero": np.mean(size <= 1e-3 * size.max()),
            "l1_norm": np.linalg.norm(weights, 1),
            "l2_norm": np.linalg.norm(weights, 2),
        }
        for name, value in expected.items():
            assert measured[name] == pytest.approx(value, rel=1e-12, abs=1e-15), name
    assert found.metrics["sparsity"][-1, -2] > 0.1
    assert found.metrics["sparsity"][-1, 0] == 0


# ------------------------------------------------------------------------------ growing


@pytest.mark.parametrize("epochs", [3, 130])
def test_a_stream_grows_and_leaves_earlier_histories_as_they_were(epochs):
    spec = experiment(epochs=epochs, batch_size=None, dtype="float32")
    whole = regviz.train(spec)
    kept = []
    for n, part in enumerate(regviz.stream(spec), 1):
        assert part.parameters.shape[0] == len(part.epochs) == n
        assert part.complete == (n == len(whole.epochs))
        kept.append(part)
    assert len(kept) == len(whole.epochs) == min(epochs, 100) + 1
    assert_same_history(kept[-1], whole)
    for n, part in enumerate(kept, 1):  # read only after the stream has ended
        assert part.epochs.tobytes() == whole.epochs[:n].tobytes()
        assert part.parameters.tobytes() == whole.parameters[:n].tobytes()
        for name, values in part.metrics.items():
            assert values.tobytes() == whole.metrics[name][:n].tobytes()


def test_earlier_histories_do_not_learn_of_a_later_divergence():
    spec = dataclasses.replace(
        experiment(epochs=20), regularizations=(Regularization(l2=1000, decoupled=True),)
    )
    spec = dataclasses.replace(spec, training=TrainingSpec(epochs=20, learning_rate=0.1))
    parts = list(regviz.stream(spec))
    end = parts[-1].diverged[0]
    assert 0 < end < 20
    for n, part in enumerate(parts):
        assert part.diverged[0] == (end if n >= end else -1)


def test_a_stream_may_be_left_at_any_time():
    spec = experiment()
    whole = regviz.train(spec)
    for n in (0, 1, 3):
        growing = regviz.stream(spec)
        taken = list(itertools.islice(growing, n))
        del growing
        assert [len(part.epochs) for part in taken] == list(range(1, n + 1))
    one, other = regviz.stream(spec), regviz.stream(spec)
    for a, b in zip(one, other, strict=True):  # two interleaved runs are independent
        assert_same_history(a, b)
    assert_same_history(a, whole)


@pytest.mark.parametrize("start", [regviz.train, regviz.stream])
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((None,), "experiment"),
        (("moons",), "experiment"),
        ((Regularization(),), "experiment"),
        ((experiment(), "moons"), "dataset"),
        ((experiment(), (np.zeros((4, 2)), np.zeros(4))), "dataset"),
        ((experiment(), DataSpec()), "dataset"),
        ((experiment(batch_size=1000),), "batch_size"),
    ],
    ids=lambda value: repr(value)[-24:],
)
def test_what_cannot_be_trained_is_refused_by_the_call_itself(start, arguments, named):
    with pytest.raises(ValueError, match=f"^{named} must be .*, got "):
        start(*arguments)


# ------------------------------------------------------------------------------ selection

EPOCHS = np.array([0, 1, 2, 3, 5, 8, 12, 17])
#                      0     1     2     3     4     5     6     7
CURVES = np.array(
    [
        [1.0, 0.90, 0.80, 0.70, 0.60, 0.50, 0.40, 0.30],  # lowest at the end
        [1.0, 0.50, 0.60, 0.60, 0.55, 0.50, 0.40, 0.90],  # a second minimum, late
        [1.0, 2.00, 3.00, 4.00, 5.00, 6.00, 7.00, 8.00],  # never improves
        [1.0, 0.90, 0.95, 0.80, 0.85, 0.85, 0.70, 0.75],  # steps down
        [1.0, 0.50, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan],  # diverged
        [1.0, 1.00, 1.00, 1.00, 1.00, 1.00, 1.00, 1.00],  # constant
    ]
).T


@pytest.fixture(scope="module")
def curves(history):
    """A history with hand-made validation curves."""
    metrics = {**history.metrics, "validation_loss": CURVES, "validation_accuracy": 1 - CURVES}
    return dataclasses.replace(history, epochs=EPOCHS, metrics=metrics)


@pytest.mark.parametrize(
    ("patience", "best", "stopped"),
    [
        (1, [7, 1, 0, 1, 1, 0], [7, 2, 1, 2, 2, 1]),
        (2, [7, 1, 0, 3, 1, 0], [7, 3, 2, 4, 3, 2]),
        (3, [7, 1, 0, 3, 1, 0], [7, 4, 3, 5, 4, 3]),
        (7, [7, 1, 0, 6, 1, 0], [7, 5, 5, 7, 5, 5]),
        (9, [7, 6, 0, 6, 1, 0], [7, 7, 6, 7, 6, 6]),
        (12, [7, 6, 0, 6, 1, 0], [7, 7, 6, 7, 7, 6]),
        (10**9, [7, 6, 0, 6, 1, 0], [7, 7, 7, 7, 7, 7]),
    ],
)
def test_early_stopping_equals_hand_made_indices(curves, patience, best, stopped):
    # row 1's second minimum is recorded 11 epochs after its first; the record before it 7 after
    for metric in ("validation_loss", "validation_accuracy"):
        found = curves.early_stopping(patience, metric)
        assert [part.tolist() for part in found] == [best, stopped]


@pytest.mark.parametrize("patience", [1, 2, 5, 20, 60])
def test_early_stopping_equals_its_definition_on_random_curves(curves, patience):
    rng = np.random.default_rng(patience)
    epochs = np.cumsum(rng.integers(1, 4, 60))
    values = np.round(rng.normal(size=(60, 40)).cumsum(axis=0) / 3)  # with ties
    metrics = {"validation_loss": values}
    best, stopped = dataclasses.replace(curves, epochs=epochs, metrics=metrics).early_stopping(
        patience
    )
    for k, curve in enumerate(values.T):
        best_so_far = [int(np.argmin(curve[: t + 1])) for t in range(60)]
        stops = [t for t in range(60) if epochs[t] - epochs[best_so_far[t]] >= patience]
        end = stops[0] if stops else 59
        assert (best[k], stopped[k]) == (best_so_far[end], end)


def test_the_best_time_is_the_first_of_the_best_values(curves):
    assert curves.best().tolist() == [7, 6, 0, 6, 1, 0]
    assert curves.best("validation_accuracy").tolist() == [7, 6, 0, 6, 1, 0]
    assert curves.best("train_loss").tolist() == curves.metrics["train_loss"].argmin(0).tolist()


@pytest.mark.parametrize("metric", ["test_loss", "test_accuracy", "gap", "loss", "", None, 0])
def test_nothing_is_selected_by_test_points(curves, metric):
    for select in (curves.best, lambda metric: curves.early_stopping(3, metric)):
        with pytest.raises(ValueError, match=r"^metric must be one of .*, got ") as caught:
            select(metric)
        assert "'test" not in str(caught.value).split(", got ")[0]


def test_selection_without_validation_points_is_refused_by_name():
    spec = experiment()
    spec = dataclasses.replace(spec, data=DataSpec("moons", validation_fraction=0))
    found = regviz.train(spec)
    assert np.isnan(found.metrics["validation_loss"]).all()
    for select in (found.best, lambda: found.early_stopping(3)):
        with pytest.raises(ValueError, match=r"^metric must be .*'validation_loss'"):
            select()
    assert found.best("train_loss").shape == (4,)


@pytest.mark.parametrize("patience", [0, -1, 1.5, "3", None, True, np.nan])
def test_patience_is_a_positive_whole_number(curves, patience):
    with pytest.raises(ValueError, match=r"^patience must be a whole number from 1 .*, got "):
        curves.early_stopping(patience)


# ------------------------------------------------------------------------------ files


def saved(history):
    buffer = io.BytesIO()
    history.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("task", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_file_reads_back_to_the_same_bits(task, dtype, tmp_path):
    found = regviz.train(experiment(task, dtype=dtype))
    found.save(tmp_path / "run.npz")
    assert_same_history(History.load(tmp_path / "run.npz"), found)
    assert_same_history(History.load(str(tmp_path / "run.npz")), found)
    assert_same_history(History.load(io.BytesIO(saved(found))), found)


@pytest.mark.parametrize("name", ["run", "run.regviz", "run.npz.bak", "läufe 1.npz"])
def test_a_file_reads_back_under_the_name_it_was_given(history, tmp_path, name):
    history.save(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert_same_history(History.load(tmp_path / name), history)
    with (tmp_path / name).open("rb") as file:
        assert_same_history(History.load(file), history)


@pytest.mark.parametrize("n_columns", [1, 2, 5])
def test_own_arrays_and_unfinished_and_diverged_runs_read_back_too(n_columns):
    rng = np.random.default_rng(0)
    points, y = rng.normal(size=(20, n_columns)), rng.normal(size=20)
    dataset = Dataset(points[:9], y[:9], points[9:], y[9:], task="regression")
    rows = (*ROWS, Regularization(l2=1000, decoupled=True))
    spec = dataclasses.replace(
        experiment("regression", epochs=30, batch_size=3, dtype="float32"), regularizations=rows
    )
    for part in itertools.islice(regviz.stream(spec, dataset), 0, None, 10):
        again = History.load(io.BytesIO(saved(part)))
        assert_same_history(again, part)
        assert again.predict(points).tobytes() == part.predict(points).tobytes()
        assert again.complete == part.complete
    assert part.diverged[-1] > 0


def test_a_file_holds_nothing_that_needs_pickle(history):
    with np.load(io.BytesIO(saved(history)), allow_pickle=False) as content:
        assert all(content[name].dtype != object for name in content.files)


class Bomb:
    """An object whose unpickling raises another error than ValueError."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('unpickled')",))


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"garbage, and nothing else",
        b"PK\x03\x04",
        b"PK\x05\x06" + bytes(18),
        b"\x93NUMPY",
        b"{}",
        npy(np.zeros(3)),
        npy(np.array([Bomb()])),
        npz(),
        npz(a=np.zeros(3)),
        npz(experiment=np.array("{}")),
        npz(experiment=np.array([Bomb()])),
    ],
    ids=lambda content: repr(content[:16]),
)
def test_a_file_that_is_no_history_is_refused_by_its_name(content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("no-history.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"no-history\.npz"):
        History.load("no-history.npz")


def test_a_refused_file_is_named_however_long_its_path(tmp_path):
    file = tmp_path / ("deep-" * 20) / "no-history.npz"
    file.parent.mkdir()
    file.touch()
    with pytest.raises(ValueError, match=r"no-history\.npz"):
        History.load(file)


def test_a_truncated_file_is_refused_by_its_name(history, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = saved(history)
    for size in [*range(1, len(content), len(content) // 40), len(content) - 1]:
        Path("truncated.npz").write_bytes(content[:size])
        with pytest.raises(ValueError, match=r"truncated\.npz"):
            History.load("truncated.npz")


def test_a_damaged_file_is_refused_by_its_name_or_still_whole(history, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = saved(history)
    rng = np.random.default_rng(0)
    refused = 0
    for position in rng.integers(0, len(content), 150):
        damaged = bytearray(content)
        damaged[position] ^= 1 << rng.integers(8)
        Path("damaged.npz").write_bytes(damaged)
        try:
            found = History.load("damaged.npz")
        except ValueError as error:
            assert "damaged.npz" in str(error)  # noqa: PT017 (either way out is fine)
            refused += 1
        else:
            assert_same_history(found, history)
    assert refused > 100


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("parameters", lambda a: a[:, :, 1:]),
        ("parameters", lambda a: a[:, 1:]),
        ("parameters", lambda a: a[1:]),
        ("parameters", lambda a: a.ravel()),
        ("parameters", lambda a: a.astype(str)),
        ("parameters", lambda a: a * 1j),
        ("epochs", lambda a: a[:-1]),
        ("epochs", lambda a: a[::-1]),
        ("epochs", lambda a: a[:0]),
        ("epochs", lambda a: a[0]),
        ("epochs", lambda a: a + 1),
        ("epochs", lambda a: a * 1000),
        ("epochs", lambda a: a.astype(str)),
        ("diverged", lambda a: a[1:]),
        ("diverged", lambda a: a.astype(str)),
        ("metrics", lambda a: a[1:]),
        ("metrics", lambda a: a[:, 1:]),
        ("metrics", lambda a: a[:, :, 1:]),
        ("metrics", lambda a: a.astype(str)),
        ("experiment", lambda a: np.array("{")),
        ("experiment", lambda a: np.array('{"data": {"noise": -1}}')),
        ("experiment", lambda a: np.array(Experiment().to_json())),
        ("task", lambda a: np.array("multiclass")),
        ("task", lambda a: np.array("nothing")),
        ("X_train", lambda a: a[1:]),
        ("X_train", lambda a: np.column_stack([a, a])),
        ("y_train", lambda a: a + 1),
        ("y_test", lambda a: a * np.nan),
    ],
)
def test_a_file_whose_arrays_do_not_go_together_is_refused_by_its_name(
    history, tmp_path, monkeypatch, name, change
):
    monkeypatch.chdir(tmp_path)
    with np.load(io.BytesIO(saved(history))) as content:
        arrays = dict(content)
    arrays[name] = change(arrays[name])
    Path("tampered.npz").write_bytes(npz(**arrays))
    with pytest.raises(ValueError, match=r"tampered\.npz"):
        History.load("tampered.npz")
    del arrays[name]
    Path("incomplete.npz").write_bytes(npz(**arrays))
    with pytest.raises(ValueError, match=r"incomplete\.npz"):
        History.load("incomplete.npz")


def test_a_missing_file_stays_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        History.load(tmp_path / "nothing.npz")


# ------------------------------------------------------------------------------ JSON


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_json_holds_any_finite_parameters_to_the_bit(dtype):
    history = regviz.train(
        regviz.Experiment(DataSpec("moons"), NetworkSpec((3,)), TrainingSpec(epochs=4, dtype=dtype))
    )
    shape, whole = history.parameters.shape, {"float32": np.uint32, "float64": np.uint64}[dtype]
    bits = np.random.default_rng(0).integers(0, np.iinfo(whole).max, shape, dtype=whole)
    parameters = np.where(np.isfinite(bits.view(dtype)), bits.view(dtype), np.dtype(dtype).type(0))
    limits = np.finfo(dtype)
    special = [-0.0, 0, 1, -10, 1e10, 0.1, limits.max, limits.tiny, limits.smallest_subnormal, -0.0]
    parameters[-1, 0, -len(special) :] = special
    content = json.loads(dataclasses.replace(history, parameters=parameters).to_json())
    found = np.array(content["networks"][0]["parameters"], dtype=dtype)
    np.testing.assert_array_equal(found.view(whole), parameters[:, 0].view(whole))


def test_json_has_null_for_what_is_not_finite():
    history = regviz.train(regviz.Experiment(training=TrainingSpec(epochs=4)))
    losses = history.metrics["train_loss"].copy()
    losses[:4, 0] = math.nan, math.inf, -math.inf, 0.5
    changed = dataclasses.replace(history, metrics={**history.metrics, "train_loss": losses})
    network = json.loads(changed.to_json())["networks"][0]
    assert network["metrics"]["train_loss"][:4] == [None, None, None, 0.5]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["moons", "three_blobs", "plane"])
def test_json_holds_every_number_to_the_bit(name, dtype):
    rows = (regviz.Regularization(), regviz.Regularization(l1=0.02))
    history = regviz.train(
        regviz.Experiment(
            regviz.DataSpec(name, n_samples=60, validation_fraction=0),
            regviz.NetworkSpec((3,)),
            regviz.TrainingSpec(epochs=4, dtype=dtype),
            rows,
        )
    )
    content = json.loads(history.to_json())
    assert content["version"] == 1
    assert regviz.Experiment.from_json(json.dumps(content["experiment"])) == history.experiment
    assert (content["task"], content["layers"][:2]) == (history.dataset.task, [2, 3])
    assert content["epochs"] == history.epochs.tolist()
    assert [network["label"] for network in content["networks"]] == ["None", "L1 λ₁ = 0.02"]
    for k, network in enumerate(content["networks"]):
        found = np.array(network["parameters"], dtype=dtype)
        assert np.array_equal(found, history.parameters[:, k])
        assert network["diverged"] == history.diverged[k]
        assert network["metrics"].keys() == history.metrics.keys()
        for metric, values in network["metrics"].items():
            assert np.array_equal(
                np.array(values, dtype=float), history.metrics[metric][:, k], equal_nan=True
            )
    for split, points in content["points"].items():
        X, y = history.dataset.points(split)
        assert np.array_equal(np.array(points["X"]).reshape(X.shape), X)
        assert np.array_equal(points["y"], y)
