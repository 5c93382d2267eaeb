"""The bytes that go to the browser hold the recording, whole and in any number of parts."""

import json
import struct

import numpy as np
import pytest

import regviz
from regviz import palette
from regviz.board import encode
from regviz.datasets import domain
from regviz.history import METRICS


@pytest.fixture(scope="module")
def history() -> regviz.History:
    rows = (regviz.Regularization(), regviz.Regularization(l1=0.01))
    return regviz.train(
        regviz.Experiment(training=regviz.TrainingSpec(epochs=20), regularizations=rows)
    )


def decode(message: bytes) -> tuple[dict, dict[str, np.ndarray]]:
    """Read a message as its module's docstring says, with struct alone."""
    (length,) = struct.unpack_from("<I", message)
    header = json.loads(message[4 : 4 + length])
    arrays, start = {}, 4 + length
    for name, shape in header["arrays"].items():
        assert start % 4 == 0
        count = int(np.prod(shape))
        arrays[name] = np.frombuffer(message, "<f4", count, start).reshape(shape)
        start += 4 * count
    assert start == len(message)
    return header, arrays


def test_a_message_holds_parameters_metrics_and_points(history: regviz.History):
    header, arrays = decode(encode(history, "run"))
    assert np.array_equal(arrays["parameters"], history.parameters)
    for i, name in enumerate(METRICS):
        assert np.array_equal(
            arrays["metrics"][:, :, i], history.metrics[name].astype("f4"), equal_nan=True
        )
    for split in ("train", "validation", "test"):
        X, y = history.dataset.points(split)
        assert np.allclose(arrays[split], np.column_stack([X, y]), atol=1e-6)
    assert header["run"] == "run"
    assert header["n_frames"] == 21
    assert header["epochs"] == list(range(21))
    assert header["layers"] == [2, 8, 8, 1]
    assert [card["label"] for card in header["cards"]] == ["None", "L1"]
    assert header["cards"][1]["colour"] == palette.METHODS["l1"]


@pytest.mark.parametrize("cut", [1, 7, 20])
def test_two_parts_make_the_whole(history: regviz.History, cut: int):
    whole = decode(encode(history, "run"))[1]["parameters"]
    header, arrays = decode(encode(history, "run", cut))
    assert header["frame"] == cut
    assert np.array_equal(np.concatenate([whole[:cut], arrays["parameters"]]), whole)
    assert "train" not in arrays


def test_who_has_everything_is_sent_no_frame(history: regviz.History):
    message = encode(history, "run", 21)
    assert decode(message)[1]["parameters"].shape[0] == 0
    assert len(message) < 500


def test_a_run_costs_little_more_than_its_parameters(history: regviz.History):
    extra = len(encode(history, "run")) - history.parameters.nbytes
    metrics = 4 * len(METRICS) * 21 * 2
    points = 4 * 3 * 400
    assert extra - metrics - points < 3000  # the header


def test_the_domain_is_a_square_around_nearly_all_points(history: regviz.History):
    low, high = domain(history.dataset)
    X = np.vstack([history.dataset.points(split)[0] for split in ("train", "test")])
    assert np.mean((low < X) & (high > X)) > 0.99
    X_train = history.dataset.X_train
    assert low < X_train.min()
    assert high > X_train.max()


def test_a_number_that_is_not_finite_travels(history: regviz.History):
    wild = regviz.Experiment(
        data=regviz.DataSpec("plane"),
        network=regviz.NetworkSpec(activation="linear"),
        training=regviz.TrainingSpec(learning_rate=10, epochs=20),
        regularizations=(regviz.Regularization(), regviz.Regularization(l2=0.1)),
    )
    diverging = regviz.train(wild)
    header, arrays = decode(encode(diverging, "run"))
    assert header["diverged"] == diverging.diverged.tolist()
    assert header["diverged"][0] > 0
    assert np.isnan(arrays["metrics"][-1, 0]).all()
    assert np.isfinite(arrays["parameters"]).all()
