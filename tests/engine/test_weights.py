"""Tests of weights of points against autograd, scikit-learn, and points that are repeated."""

import io
import json

import numpy as np
import pytest
import torch
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge

import regviz
from regviz import Dataset, Experiment, NetworkSpec, Regularization, TrainingSpec
from regviz.data.points_file import points_csv
from regviz.engine import networks
from regviz.engine.history import History
from regviz.engine.layout import Layout
from regviz.engine.training import Program
from regviz.programs import LIBRARIES, libraries
from regviz.spec.validation import TASKS

N, COLUMNS = 40, 4
_rng = np.random.default_rng(1)
X = _rng.normal(size=(N, COLUMNS)) + 0.3
_score = X @ [1.5, -1.0, 0.5, 0.0] + _rng.logistic(size=N)
Y = {
    "binary": (_score > 0).astype(int),
    "multiclass": np.digitize(_score, [-1, 1]),
    "regression": _score,
}
COUNTS = _rng.integers(0, 4, N)
ROWS = (
    Regularization(),
    Regularization(l1=0.15),
    Regularization(l2=0.1),
    Regularization.elastic_net(0.1),
)


def train(dataset, rows=ROWS, hidden=(3,), **training):
    """Train with full batches in float64."""
    settings = {"batch_size": None, "dtype": "float64", "frames": 1, "epochs": 40, **training}
    return regviz.train(
        Experiment(
            network=NetworkSpec(hidden), training=TrainingSpec(**settings), regularizations=rows
        ),
        dataset,
    )


def weighted(task="binary", weights=COUNTS, **others):
    return Dataset(X, Y[task], task=task, weight_train=weights, **others)


def program(task, compiled, normal=(), batch_size=7):
    training = TrainingSpec("adam", 0.01, batch_size, dtype="float64", epsilon=0.01)
    rows = (*ROWS, Regularization(drop_rate=0.3), Regularization(max_norm=0.5))
    experiment = Experiment(
        network=NetworkSpec((5, 3), "tanh", ("x1", "x2"), *normal),
        training=training,
        regularizations=rows,
    )
    made = Program([experiment], [weighted(task)])
    if not compiled:
        made._train = regviz.engine.epoch.train_by_reference
    return made


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("kind", ["none", "batch", "layer"])
def test_the_weighted_gradient_is_autograds(kind, task):
    layout = Layout((COLUMNS, 5, 3 if task == "multiclass" else 1), kind, True)
    rows = torch.tensor(_rng.normal(size=(1, layout.n_parameters)))
    inputs, weights = torch.tensor(X), torch.tensor(_rng.random(N))
    y = torch.tensor(Y[task])
    targets = torch.nn.functional.one_hot(y) if task == "multiclass" else y[:, None].double()
    given = layout.split(rows), inputs, None, "tanh", layout.normalizations(rows)
    forward = networks.feed_forward(*given)
    found = networks.backward(forward, given[0], targets, None, "tanh", task, given[-1], weights)

    leaf = rows[0].clone().requires_grad_()
    (hidden, output), norms = layout.split(leaf), layout.normalizations(leaf[None])
    z = inputs @ hidden[:, :-1].T + hidden[:, -1]
    if kind != "none":
        axis = 0 if kind == "batch" else 1
        z = (z - z.mean(axis, keepdim=True)) / (z.var(axis, False, keepdim=True) + 1e-5).sqrt()
        z = z * norms[0].gain[0, :, 0] + norms[0].shift[0, :, 0]
    raw = torch.tanh(z) @ output[:, :-1].T + output[:, -1]
    if task == "regression":
        losses = 0.5 * (raw[:, 0] - y) ** 2
    elif task == "binary":
        losses = torch.nn.functional.binary_cross_entropy_with_logits(
            raw[:, 0], y.double(), reduction="none"
        )
    else:
        losses = torch.nn.functional.cross_entropy(raw, y, reduction="none")
    ((losses * weights).sum() / N).backward()
    flat = torch.cat([block.flatten(1) for block in found], 1)[0]
    torch.testing.assert_close(flat, leaf.grad, rtol=0, atol=1e-12)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("normal", [(), ("batch", True), ("layer", True)], ids=str)
def test_a_weighted_epoch_arrives_where_its_reference_does(normal, task):
    found, expected = program(task, True, normal), program(task, False, normal)
    for epoch in range(2):
        found.train_epoch(epoch)
        expected.train_epoch(epoch)
    torch.testing.assert_close(found.parameters, expected.parameters, rtol=0, atol=1e-12)


@pytest.mark.parametrize("task", TASKS)
def test_whole_weights_train_and_measure_as_repeated_points_do(task):
    corrected = (Regularization.elastic_net(0.1, corrected=True),) * (task == "regression")
    hidden = () if corrected else (3,)
    validation = dict(X_validation=X[:9], y_validation=Y[task][:9])
    found = train(
        weighted(task, **validation, weight_validation=COUNTS[:9]), (*ROWS, *corrected), hidden
    )
    again = [part.repeat(COUNTS[:9], axis=0) for part in validation.values()]
    parts = X.repeat(COUNTS, axis=0), Y[task].repeat(COUNTS)
    repeated = Dataset(*parts, None, None, *again, task=task)
    expected = train(repeated, (*ROWS, *corrected), hidden)
    np.testing.assert_allclose(found.parameters, expected.parameters, rtol=0, atol=1e-10)
    for name, values in expected.metrics.items():
        np.testing.assert_allclose(found.metrics[name], values, rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("batch_size", [None, 7])
@pytest.mark.parametrize("weight", [1.0, 4.0, 3e307])
def test_equal_weights_give_the_bits_of_none(weight, batch_size):
    settings = dict(dtype="float32", batch_size=batch_size, optimizer="adam")
    found = train(weighted(weights=np.full(N, weight)), **settings)
    expected = train(Dataset(X, Y["binary"]), **settings)
    np.testing.assert_array_equal(found.parameters, expected.parameters)
    np.testing.assert_allclose(found.metrics["train_loss"], expected.metrics["train_loss"])


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_weighted_linear_models_meet_reference_solvers(task):
    weights = _rng.uniform(0.2, 3, N)
    history = train(
        weighted(task, weights), hidden=(), optimizer="momentum", learning_rate=0.1, epochs=3000
    )
    total, tight = weights.sum(), dict(tol=1e-12, max_iter=100_000)
    for k, row in enumerate(ROWS[1:], 1):
        strength, ratio = row.l1 + row.l2, row.l1 / (row.l1 + row.l2)
        if task == "binary":
            model = LogisticRegression(
                C=1 / (total * strength), l1_ratio=ratio, solver="saga", **tight
            )
        elif row.l1:
            model = ElasticNet(strength, l1_ratio=ratio, **tight)
        else:
            model = Ridge(total * row.l2)
        model.fit(X, Y[task], sample_weight=weights)
        found = history.weights(k)[0].T
        np.testing.assert_allclose(found, np.atleast_2d(model.coef_), rtol=0, atol=1e-6)
        np.testing.assert_array_equal(found == 0, np.atleast_2d(model.coef_) == 0)
    assert (history.weights(1)[0] == 0).any()


def test_files_hold_the_weights():
    history = train(
        weighted(X_validation=X[:5], y_validation=Y["binary"][:5], weight_validation=np.arange(5))
    )
    file = io.BytesIO()
    history.save(file)
    file.seek(0)
    read = History.load(file)
    for split in ("train", "validation"):
        np.testing.assert_array_equal(read.dataset.weights(split), history.dataset.weights(split))
    assert read.experiment == history.experiment
    assert read.dataset.spec == history.dataset.spec
    points = json.loads(history.to_json())["points"]
    assert points["validation"]["weight"] == [0, 1, 2, 3, 4]
    assert "weight" not in points["test"]


def test_what_has_no_place_for_weights_refuses_them():
    history = train(weighted())
    assert history.experiment.data.weighted
    assert all(libraries(history.experiment, 0)[name] for name in LIBRARIES)
    with pytest.raises(ValueError, match="dataset must be without weights"):
        points_csv(history.dataset)
    with pytest.raises(ValueError, match="dataset must be without weights"):
        regviz.anatomy(history.experiment, dataset=history.dataset)


def test_points_with_other_weights_are_another_experiment():
    plain = Dataset(X, Y["binary"]).spec
    specs = {plain, weighted().spec, weighted(weights=COUNTS + 1).spec}
    assert len(specs) == 3
    assert not plain.weighted


@pytest.mark.parametrize(
    "weights", [np.ones(N - 1), np.zeros(N), -np.ones(N), np.full(N, np.nan), ["a"] * N, 1.0]
)
def test_wrong_weights_are_refused_by_name(weights):
    with pytest.raises(ValueError, match=r"^weight_train"):
        weighted(weights=weights)
