"""Tests of the generated programs: each is run and compared with closed forms and the run.

To compare weights exactly, the programs get the run's initial weights, order of batches and random
numbers of dropout in place of their own.
"""

import itertools
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
import torch

import regviz
from regviz import (
    DataSpec,
    Experiment,
    NetworkSpec,
    Phase,
    Regularization,
    TrainingSpec,
    make_dataset,
)
from regviz.data.points_file import points_csv
from regviz.engine.layout import input_features
from regviz.engine.training import Program
from regviz.methods.catalogue import METHODS
from regviz.programs import LIBRARIES, NO_PHASES, libraries, program
from regviz.spec.points import PointsSpec
from tests.support.commands import python
from tests.support.networks import normalized_module, outputs

os.environ.setdefault("KERAS_BACKEND", "torch")

STRENGTHS = {
    "none": 0,
    "l1": 0.05,
    "l2": 0.05,
    "elastic_net": 0.05,
    "dropout": 0.3,
    "max_norm": 0.8,
    "group_lasso": 0.3,
}
TASKS = ["moons", "three_blobs", "bumps"]  # one dataset for each task
VALUES = {"elastic_net": 0.5, "max_norm": 0.1}
ROWS = tuple(
    METHODS[key].regularization(strength, VALUES.get(key)) for key, strength in STRENGTHS.items()
)
DATA = DataSpec("moons", n_samples=80, noise=0.5, validation_fraction=0.25)  # 30 training points
# on backends other than TensorFlow, Keras multiplies matrices in single precision in any case
SINGLE = dict(rtol=1e-5, atol=1e-6)
CURVED = ("x1", "x2", "x1^2", "x2^2", "x1*x2", "sin(x1)", "sin(x2)")


@pytest.fixture(autouse=True, scope="module")
def keras() -> Iterator[ModuleType]:
    """Keras, imported for these tests only: if it is imported, Streamlit clears it at every run.

    Clearing includes a garbage collection of all objects, which is slow.
    """
    import keras

    yield keras
    sys.modules.pop("keras", None)


@pytest.fixture(autouse=True)
def settings(keras, tmp_path, monkeypatch) -> Iterator[None]:
    """Run in an empty folder with one thread, and restore the settings of Keras."""
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    keras.config.set_floatx("float32")
    keras.utils.clear_session()


def run(experiment: Experiment, k: int, library: str, folder) -> dict:
    """Run the program beside the experiment's points, and return the names it has defined."""
    (folder / "points.csv").write_text(points_csv(make_dataset(experiment.data)))
    source = program(experiment, k, library).source
    scope: dict = {"__name__": "__main__"}
    exec(compile(source, f"{library}.py", "exec"), scope)
    return scope


def layers_of(scope: dict, library: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return weights ``(fan_in, fan_out)`` and biases of each layer, in float64."""
    model = scope["model"]
    if library == "pytorch":
        pairs = [(x.weight.detach().T.numpy(), x.bias.detach().numpy()) for x in scope["linear"]]
    elif library == "keras":
        pairs = [layer.get_weights() for layer in model.layers if layer.get_weights()]
    elif hasattr(model, "coefs_"):
        pairs = list(zip(model.coefs_, model.intercepts_, strict=True))
    else:
        pairs = [(np.atleast_2d(model.coef_).T, np.atleast_1d(model.intercept_))]
    return [(np.asarray(w, np.float64), np.asarray(b, np.float64)) for w, b in pairs]


def loss_and_accuracy(layers, experiment: Experiment, split: str) -> tuple[float, float | None]:
    """Return loss and accuracy in closed form, from the experiment's points."""
    X, y = make_dataset(experiment.data).points(split)
    inputs = input_features(X, experiment.network.features)
    values = outputs(*zip(*layers, strict=True), inputs, experiment.network.activation)
    if experiment.data.task == "regression":
        return float(np.mean((values[:, 0] - y) ** 2) / 2), None
    if experiment.data.task == "binary":
        values = np.column_stack([np.zeros(len(y)), values])
    log_normaliser = np.log(np.exp(values).sum(axis=1))
    right = values[np.arange(len(y)), y.astype(int)]
    return float(np.mean(log_normaliser - right)), float(np.mean(values.argmax(axis=1) == y))


# --------------------------------------------------------------------------- every program is run


def cases() -> Iterator[Experiment]:
    """Yield every method on every task, with and without hidden layers, under varied settings."""
    optimizers = itertools.cycle(("sgd", "adam", "momentum", "adamw"))
    activations = itertools.cycle(("tanh", "relu", "leaky_relu", "sigmoid", "linear"))
    for name, hidden in itertools.product(TASKS, ((), (4,), (5, 3))):
        yield Experiment(
            replace(DATA, name=name),
            NetworkSpec(hidden, next(activations), CURVED if len(hidden) == 1 else ("x1", "x2")),
            TrainingSpec(next(optimizers), batch_size=10 if hidden else None, epochs=2),
            ROWS,
        )


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    "experiment",
    list(cases()),
    ids=lambda e: f"{e.data.name}-{e.network.hidden}-{e.training.optimizer}",
)
def test_every_program_runs_and_prints_what_its_network_is_worth(
    experiment, library, tmp_path, capsys
):
    offered = [k for k in range(len(ROWS)) if libraries(experiment, k)[library] is None]
    assert offered or library == "scikit-learn"  # scikit-learn has no leaky ReLU
    for k in offered:
        layers = layers_of(run(experiment, k, library, tmp_path), library)
        printed = capsys.readouterr().out.splitlines()
        assert len(printed) == 3
        for line, split in zip(printed, ("train", "test"), strict=False):
            loss, accuracy = loss_and_accuracy(layers, experiment, split)
            found = re.fullmatch(rf"{split}: loss ([\d.]+)(?:, accuracy ([\d.]+)%)?", line)
            assert found, line
            assert float(found[1]) == pytest.approx(loss, abs=1e-4)
            assert (found[2] is None) == (accuracy is None)
            if accuracy is not None:
                assert float(found[2]) == pytest.approx(100 * accuracy, abs=0.051)
        zeros = np.mean(np.concatenate([w.ravel() == 0 for w, _ in layers]))
        assert printed[2] == f"{zeros:.1%} of the weights are exactly 0"


def test_programs_are_formatted_and_free_of_lint(tmp_path):
    everything = (
        *ROWS,
        Regularization(l1=0.01, l2=0.02, drop_rate=0.1, input_drop_rate=0.2, max_norm=1, onset=1),
        Regularization(l1=0.01, l2=0.02, max_norm=1),
        Regularization(l2=0.02, decoupled=True, onset=1),
        Regularization(l2=0.02, onset=1),
    )
    count = 0
    for experiment in cases():
        experiment = replace(experiment, regularizations=everything)
        for k, library in itertools.product(range(len(everything)), LIBRARIES):
            if libraries(experiment, k)[library] is None:
                count += 1
                source = program(experiment, k, library).source
                (tmp_path / f"program_{count}.py").write_text(source)
    assert count > 150
    for command in (["format", "--check"], ["check", "--select=E,F,W,I,UP,SIM,D,C4,NPY"]):
        # rules SIM and D do not suit short programs
        more = ["--ignore=D102,C408,NPY002"] if command[0] == "check" else []
        python("-m", "ruff", *command, *more, "--isolated", tmp_path)


# ----------------------------------------------------------- the same training, to the same weights


class Replay:
    """The random numbers of a run, to replace those of a program."""

    def __init__(self, monkeypatch) -> None:
        self.monkeypatch = monkeypatch
        self.orders: list[torch.Tensor] = []
        self.draws: list[torch.Tensor] = []

    def record(self, experiment: Experiment) -> regviz.History:
        """Train, and record all permutations of points and random numbers of dropout."""
        randperm, train_epoch = torch.randperm, Program.train_epoch

        def noting_order(*arguments, **others):
            order = randperm(*arguments, **others)
            self.orders.append(order.clone())
            return order

        def noting_draws(program, epoch):
            train_epoch(program, epoch)
            self.draws.append(program.draws.clone())

        with self.monkeypatch.context() as patch:
            patch.setattr(torch, "randperm", noting_order)
            patch.setattr(Program, "train_epoch", noting_draws)
            history = regviz.train(experiment)
        self.start = history.weights(0, t=0)
        self.sizes = (len(experiment.network.features), *experiment.network.hidden)
        return history

    def into_torch(self) -> None:
        """Replace the random numbers of a program in PyTorch."""
        weights, self.epoch = iter(self.start), -1

        def initialize(weight, a=0.0, **_):
            if not a:  # else it is PyTorch's default initialization, which the program overwrites
                with torch.no_grad():
                    weight.copy_(torch.tensor(next(weights).T))

        def randperm(_):
            self.epoch, self.calls = self.epoch + 1, 0
            return self.orders[self.epoch]

        for name in ("xavier_uniform_", "kaiming_uniform_"):
            self.monkeypatch.setattr(torch.nn.init, name, initialize)
        self.monkeypatch.setattr(torch, "randperm", randperm)
        self.monkeypatch.setattr(torch.nn.functional, "dropout", self._dropout)

    def _dropout(self, values, rate, training, inplace):
        # called once a batch for each layer with dropout: all layers or,
        # without dropout on inputs, the hidden layers
        layers = range(len(self.sizes)) if self.on_inputs else range(1, len(self.sizes))
        batch, layer = divmod(self.calls, len(layers))
        self.calls += 1
        if not training:
            return values
        first = sum(self.sizes[: layers[layer]])
        draws = self.draws[self.epoch]
        draws = draws.reshape(-1, sum(self.sizes), len(values))[
            batch, first : first + values.shape[1]
        ].T
        return values * (draws < 1 - rate) / (1 - rate)


MORE = (
    Regularization(drop_rate=0.3, input_drop_rate=0.2),
    Regularization(l1=0.01, l2=0.02, max_norm=1.0, drop_rate=0.1, onset=3),
    Regularization(l1=0.01, l2=0.05, decoupled=True),
    Regularization(l2=0.05, decoupled=True, onset=4),
    Regularization(l1=0.01, l2=0.3, group_lasso=0.03, max_norm=1.0, onset=3),
)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "adamw"])
@pytest.mark.parametrize(
    ("name", "activation"), [("moons", "tanh"), ("three_blobs", "relu"), ("bumps", "leaky_relu")]
)
def test_pytorch_arrives_at_the_weights_of_the_run(
    name, activation, optimizer, tmp_path, monkeypatch
):
    experiment = Experiment(
        replace(DATA, name=name),
        NetworkSpec((6, 5), activation, ("x1", "x2", "x1*x2")),
        TrainingSpec(optimizer, learning_rate=0.05, batch_size=10, epochs=12, dtype="float64"),
        (*ROWS, *MORE),
    )
    replay = Replay(monkeypatch)
    history = replay.record(experiment)
    for k, row in enumerate(experiment.regularizations):
        replay.on_inputs = row.input_drop_rate > 0
        with monkeypatch.context() as replay.monkeypatch:
            replay.into_torch()
            found = layers_of(run(experiment, k, "pytorch", tmp_path), "pytorch")
        for (w, b), expected, bias in zip(
            found, history.weights(k), history.biases(k), strict=True
        ):
            np.testing.assert_allclose(w, expected, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(b, bias, rtol=1e-9, atol=1e-12)
            np.testing.assert_array_equal(w == 0, expected == 0)
    for method in ("l1", "group_lasso"):  # they have an effect
        assert history.metrics["sparsity"][-1, list(STRENGTHS).index(method)] > 0
    assert replay.epoch == 11


@pytest.mark.parametrize(("optimizer", "batch_size"), [("momentum", 29), ("adamw", 10)])
@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_pytorch_normalizes_as_the_run_does(
    normalization, affine, optimizer, batch_size, tmp_path, monkeypatch
):
    """Of 30 training points, batches of 29 leave one, which batch normalization leaves out."""
    experiment = Experiment(
        DATA,
        NetworkSpec((6, 5), "relu", ("x1", "x2"), normalization, affine),
        TrainingSpec(optimizer, 0.03, batch_size, epochs=6, dtype="float64"),
        (Regularization(l1=0.01), Regularization(l2=0.05), Regularization(drop_rate=0.2)),
    )
    replay = Replay(monkeypatch)
    history = replay.record(experiment)
    for k in range(2 if batch_size == 29 else 3):
        replay.on_inputs = False
        with monkeypatch.context() as replay.monkeypatch:
            replay.into_torch()
            found = run(experiment, k, "pytorch", tmp_path)["model"]
        expected = normalized_module(history, k, -1).state_dict()
        for value, other in zip(
            (
                v
                for name, v in found.state_dict().items()
                if not name.endswith("num_batches_tracked")
            ),
            (
                v
                for name, v in expected.items()
                if not name.endswith("num_batches_tracked")
                and not (normalization == "batch" and name in ("0.bias", "3.bias"))
            ),
            strict=True,
        ):
            np.testing.assert_allclose(value, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_keras_normalizes_as_the_run_does(normalization, affine, tmp_path, monkeypatch):
    """Compare weights, and running variances after the factor of the unbiased variance."""
    import keras

    network = NetworkSpec((6, 5), "tanh", ("x1", "x2"), normalization, affine)
    spec = compared("three_blobs", "adamw", (Regularization(l2=0.3),), batch_size=None)
    experiment = replace(spec, network=network)
    history = regviz.train(experiment)
    compile_model = keras.Model.compile
    weights = iter(history.weights(0, t=0))

    def start_there(model, *arguments, **others):
        for layer in model.layers:
            if isinstance(layer, keras.layers.Dense):
                layer.set_weights([next(weights), *layer.get_weights()[1:]])
        compile_model(model, *arguments, **others)

    with monkeypatch.context() as patch:
        patch.setattr(keras.Model, "compile", start_there)
        model = run(experiment, 0, "keras", tmp_path)["model"]
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    for layer, expected in zip(dense, history.weights(0), strict=True):
        np.testing.assert_allclose(layer.get_weights()[0], expected, **SINGLE)
    norms = [layer for layer in model.layers if "Normalization" in type(layer).__name__]
    rows = torch.from_numpy(history.parameters[-1, :1].copy())
    n = len(history.dataset.y_train)
    start = 0.9 ** (len(history.epochs) - 1)  # share of the initial variance, 1
    for layer, norm in zip(norms, history.layout.normalizations(rows), strict=True):
        parts = [part[0, :, 0].numpy() for part in norm[1:] if part is not None]
        if normalization == "batch":
            parts[-1] = start + (parts[-1] - start) * (n - 1) / n
        for found, expected in zip(layer.get_weights(), parts, strict=True):
            np.testing.assert_allclose(found, expected, **SINGLE)


@pytest.mark.parametrize("batch_size", [7, None])
def test_pytorch_takes_a_last_smaller_batch_and_the_full_batch_as_the_run_does(
    batch_size, tmp_path, monkeypatch
):
    training = TrainingSpec("momentum", batch_size=batch_size, epochs=8, dtype="float64")
    experiment = Experiment(DATA, NetworkSpec((5,)), training, ROWS[1:4])
    replay = Replay(monkeypatch)
    history = replay.record(experiment)
    for k in range(3):
        with monkeypatch.context() as replay.monkeypatch:
            replay.into_torch()
            found = layers_of(run(experiment, k, "pytorch", tmp_path), "pytorch")
        for (w, _), expected in zip(found, history.weights(k), strict=True):
            np.testing.assert_allclose(w, expected, rtol=1e-9, atol=1e-12)


def reference(experiment: Experiment, k: int, start, orders=None):
    """Train with L2 as PyTorch's ``weight_decay``, which is λ2 by definition."""
    t, r = experiment.training, experiment.regularizations[k]
    X, y = map(torch.tensor, make_dataset(experiment.data).points("train"))
    inputs = input_features(X, experiment.network.features)
    weights = [torch.tensor(w, requires_grad=True) for w in start]
    biases = [torch.zeros(w.shape[1], dtype=w.dtype, requires_grad=True) for w in weights]
    groups = [{"params": weights, "weight_decay": 0.0}, {"params": biases, "weight_decay": 0.0}]
    if t.optimizer == "adam":
        optimizer = torch.optim.Adam(groups, lr=t.learning_rate, eps=t.epsilon)
    else:
        momentum = t.momentum if t.optimizer == "momentum" else 0
        optimizer = torch.optim.SGD(groups, lr=t.learning_rate, momentum=momentum)
    for epoch in range(t.epochs):
        optimizer.param_groups[0]["weight_decay"] = r.l2 if epoch >= r.onset else 0.0
        order = torch.arange(len(y)) if orders is None else orders[epoch]
        for batch in order.split(t.batch_size or len(y)):
            values = inputs[batch]
            for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
                values = (torch.tanh(values) if i else values) @ w + b
            if experiment.data.task == "regression":
                loss = (values[:, 0] - y[batch]).square().mean() / 2
            elif experiment.data.task == "multiclass":
                loss = torch.nn.functional.cross_entropy(values, y[batch].long())
            else:
                lossy = torch.nn.functional.binary_cross_entropy_with_logits
                loss = lossy(values[:, 0], y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return [w.detach().numpy() for w in weights]


def compared(name: str, optimizer: str, rows, **training) -> Experiment:
    return Experiment(
        replace(DATA, name=name),
        NetworkSpec((6, 5), "tanh", ("x1", "x2", "x1*x2")),
        TrainingSpec(
            optimizer,
            # exact in single precision, and large enough for Adam's epsilon not to matter
            **{"learning_rate": 1 / 16, "epsilon": 1e-20, "epochs": 12, "dtype": "float64"},
            **training,
        ),
        rows,
    )


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("name", TASKS)
def test_scikit_learns_networks_minimise_the_same_objective(name, optimizer, tmp_path, monkeypatch):
    from sklearn.neural_network import _multilayer_perceptron as module

    rows = (Regularization(), Regularization(l2=0.3), Regularization(l2=0.3, onset=5))
    experiment = compared(name, optimizer, rows, batch_size=10)
    rng = np.random.default_rng(0)
    orders = [torch.from_numpy(rng.permutation(30)) for _ in range(12)]
    start = regviz.train(experiment).weights(0, t=0)
    for k in range(3):
        weights, permutations = iter(start), iter(orders)

        def initialize(*_):
            w = next(weights).copy()  # noqa: B023 (called at once)
            return w, np.zeros(w.shape[1])

        base = module.BaseMultilayerPerceptron
        monkeypatch.setattr(base, "_init_coef", initialize)
        monkeypatch.setattr(module, "shuffle", lambda *_, **__: next(permutations).numpy())  # noqa: B023
        found = layers_of(run(experiment, k, "scikit-learn", tmp_path), "scikit-learn")
        for (w, _), expected in zip(found, reference(experiment, k, start, orders), strict=True):
            np.testing.assert_allclose(w, expected, rtol=1e-9, atol=1e-10)


def test_scikit_learn_shuffles_anew_in_every_epoch(tmp_path, monkeypatch):
    from sklearn.neural_network import _multilayer_perceptron as module

    orders: list[tuple[int, ...]] = []

    def noting(*arguments, **others):
        result = shuffle(*arguments, **others)
        orders.append(tuple(result))
        return result

    shuffle = module.shuffle
    monkeypatch.setattr(module, "shuffle", noting)
    run(compared("moons", "sgd", ROWS, batch_size=10), 0, "scikit-learn", tmp_path)
    assert len(set(orders)) == 12


@pytest.mark.parametrize(
    ("optimizer", "row"),
    [
        ("sgd", Regularization()),
        ("momentum", Regularization()),
        ("adam", Regularization()),
        ("sgd", Regularization(l1=0.02)),
        ("momentum", Regularization(l1=0.02)),
        ("momentum", Regularization.elastic_net(0.1)),
        ("sgd", Regularization(max_norm=0.7)),
        ("momentum", Regularization(l1=0.01, max_norm=0.7)),
        ("sgd", Regularization(group_lasso=0.05)),
        ("momentum", Regularization(l1=0.01, l2=0.3, group_lasso=0.05)),
        ("adamw", Regularization(l2=0.3)),
        ("momentum", Regularization(l2=0.3, decoupled=True)),
    ],
)
def test_keras_arrives_at_the_weights_of_the_run(row, optimizer, tmp_path, monkeypatch):
    experiment = compared("three_blobs", optimizer, (row,), batch_size=None)
    history = regviz.train(experiment)
    found = keras_from(history.weights(0, t=0), experiment, 0, tmp_path, monkeypatch)
    for (w, b), expected, bias in zip(found, history.weights(0), history.biases(0), strict=True):
        np.testing.assert_allclose(w, expected, **SINGLE)
        np.testing.assert_allclose(b, bias, **SINGLE)
        np.testing.assert_array_equal(w == 0, expected == 0)


@pytest.mark.parametrize(("name", "optimizer"), [("moons", "momentum"), ("bumps", "adam")])
def test_keras_takes_l2_into_the_gradient(name, optimizer, tmp_path, monkeypatch):
    experiment = compared(name, optimizer, (Regularization(l2=0.3),), batch_size=None)
    start = regviz.train(experiment).weights(0, t=0)
    found = keras_from(start, experiment, 0, tmp_path, monkeypatch)
    for (w, _), expected in zip(found, reference(experiment, 0, start), strict=True):
        np.testing.assert_allclose(w, expected, **SINGLE)


def keras_from(start, experiment: Experiment, k: int, folder, monkeypatch):
    """Return the layers of a program in Keras that starts from given weights."""
    import keras

    compile_model = keras.Model.compile

    def start_there(model, *arguments, **others):
        model.set_weights([array for w in start for array in (w, np.zeros(w.shape[1]))])
        compile_model(model, *arguments, **others)

    with monkeypatch.context() as patch:
        patch.setattr(keras.Model, "compile", start_there)
        return layers_of(run(experiment, k, "keras", folder), "keras")


# ------------------------------------------------------------------ linear models reach the optimum


def violation(layers, experiment: Experiment, k: int) -> float:
    """Return the largest violation of the KKT conditions by a linear model.

    They are sufficient, as the objective is convex: ``w = 0`` needs ``|g| <= l1``, any other
    weight ``g = -l1 sign(w) - l2 w``, and a bias ``g = 0``, with g the mean loss's gradient.
    """
    ((w, b),) = layers
    r = experiment.regularizations[k]
    X, y = make_dataset(experiment.data).points("train")
    inputs = input_features(X, experiment.network.features)
    outputs = inputs @ w + b
    if experiment.data.task == "regression":
        error = outputs - y[:, None]
    elif experiment.data.task == "binary":
        error = 1 / (1 + np.exp(-outputs)) - y[:, None]
    else:
        error = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
        error[np.arange(len(y)), y.astype(int)] -= 1
    gradient = inputs.T @ error / len(y)
    at_zero = np.maximum(np.abs(gradient) - r.l1, 0)
    elsewhere = np.abs(gradient + r.l1 * np.sign(w) + r.l2 * w)
    return max(np.where(w == 0, at_zero, elsewhere).max(), np.abs(error.mean(axis=0)).max())


PENALTIES = (
    Regularization(l1=0.05),
    Regularization(l2=0.1),
    Regularization.elastic_net(0.1),
)


def convex(name: str, optimizer: str, epochs: int, learning_rate: float) -> Experiment:
    return Experiment(
        replace(DATA, name=name),
        NetworkSpec((), features=("x1", "x2", "x1*x2", "sin(x1)")),
        TrainingSpec(optimizer, learning_rate, None, epochs, dtype="float64"),
        PENALTIES,
    )


@pytest.mark.parametrize("k", range(3), ids=["L1", "L2", "elastic net"])
@pytest.mark.parametrize("name", TASKS)
def test_linear_models_reach_one_optimum_in_every_library(name, k, tmp_path):
    exact = convex(name, "momentum", 1, 0.1)
    reference = layers_of(run(exact, k, "scikit-learn", tmp_path), "scikit-learn")
    assert violation(reference, exact, k) < 1e-6
    for library, optimizer, epochs, rate in (
        ("pytorch", "sgd", 1000, 0.5),
        ("pytorch", "momentum", 500, 0.1),
        ("pytorch", "adam", 1500, 0.05),
        ("keras", "momentum", 300, 0.25),
    ):
        if (library == "keras" or optimizer == "adam") and TASKS.index(name) != k:
            continue  # slow: each penalty once, each task once
        experiment = convex(name, optimizer, epochs, rate)
        found = layers_of(run(experiment, k, library, tmp_path), library)
        assert violation(found, experiment, k) < 1e-6
        np.testing.assert_allclose(found[0][0], reference[0][0], atol=1e-5)
        np.testing.assert_array_equal(found[0][0] == 0, reference[0][0] == 0)


def test_linear_models_of_a_table_reach_one_optimum_in_every_library(tmp_path):
    experiment = replace(
        convex("plane", "momentum", 400, 0.1),
        data=DataSpec("diabetes", train_fraction=0.4),
        regularizations=(Regularization.elastic_net(0.3),),
    )
    found = {
        library: layers_of(run(experiment, 0, library, tmp_path), library)[0][0]
        for library in ("scikit-learn", "pytorch", "keras")
    }
    history = regviz.train(experiment)
    expected = history.weights(0)[0]
    assert expected.shape == (10, 1)
    assert 0 < (expected == 0).sum() < 10
    for weights in found.values():
        np.testing.assert_allclose(weights, expected, atol=1e-5)
        np.testing.assert_array_equal(weights == 0, expected == 0)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_program_corrects_the_elastic_net_as_the_run_does(library, tmp_path):
    row = Regularization.elastic_net(0.3, corrected=True)
    experiment = replace(convex("bumps", "momentum", 300, 0.25), regularizations=(row,))
    history = regviz.train(experiment)
    ((w, b),) = layers_of(run(experiment, 0, library, tmp_path), library)
    np.testing.assert_allclose(w, history.weights(0)[0], atol=1e-5)
    np.testing.assert_allclose(b, history.biases(0)[0], atol=1e-5)


def test_under_adam_keras_reaches_the_optimum_of_l1_without_exact_zeros(tmp_path):
    experiment = convex("moons", "adam", 400, 0.02)
    reference = layers_of(run(experiment, 0, "scikit-learn", tmp_path), "scikit-learn")
    ((w, _),) = layers_of(run(experiment, 0, "keras", tmp_path), "keras")
    np.testing.assert_allclose(w, reference[0][0], atol=0.02)
    assert (reference[0][0] == 0).any()
    assert (w != 0).all()
    assert "none is exactly 0" in program(experiment, 0, "keras").note


# ----------------------------------------------------------------------------- offered programs


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        ({}, {}),
        ({"l1": 0.1}, {"scikit-learn": "no L1"}),
        ({"l2": 0.1}, {}),
        ({"l2": 0.1, "decoupled": True}, {"scikit-learn": "weight decay"}),
        ({"drop_rate": 0.1}, {"scikit-learn": "no dropout"}),
        ({"input_drop_rate": 0.1}, {"scikit-learn": "no dropout"}),
        ({"max_norm": 1.0}, {"scikit-learn": "no max-norm"}),
        ({"group_lasso": 0.1}, {"scikit-learn": "no group lasso"}),
        ({"l2": 0.1, "onset": 3}, {"keras": "epoch 3"}),
        ({"onset": 3}, {}),
    ],
)
def test_a_library_that_cannot_train_the_network_says_what_it_lacks(change, lacking):
    experiment = Experiment(regularizations=(Regularization(**change),))
    found = libraries(experiment, 0)
    assert list(found) == list(LIBRARIES)
    for library, reason in found.items():
        if library in lacking:
            assert lacking[library] in reason
            with pytest.raises(ValueError, match=f"library must be one of .*{lacking[library]}"):
                program(experiment, 0, library)
        else:
            assert reason is None


def test_normalization_is_not_scikit_learns():
    normalized = Experiment(network=NetworkSpec(normalization="layer"))
    assert "no layer normalization" in libraries(normalized, 0)["scikit-learn"]
    linear = Experiment(network=NetworkSpec((), normalization="layer"))
    assert libraries(linear, 0)["scikit-learn"] is None


def test_adamw_and_leaky_relus_are_not_scikit_learns():
    training = TrainingSpec("adamw")
    experiment = Experiment(training=training, regularizations=(Regularization(l2=0.1),))
    assert "weight decay" in libraries(experiment, 0)["scikit-learn"]
    leaky = Experiment(network=NetworkSpec(activation="leaky_relu"))
    assert "leaky ReLU" in libraries(leaky, 0)["scikit-learn"]


@pytest.mark.parametrize("dataset", ["moons", "plane"])
@pytest.mark.parametrize("hidden", [(), (4,)])
@pytest.mark.parametrize("row", [{}, {"l1": 0.1}, {"l2": 0.1}, {"l1": 0.1, "l2": 0.1}])
def test_a_program_that_older_versions_would_run_without_l1_says_which_it_needs(
    dataset, hidden, row
):
    # before 1.8, LogisticRegression uses l1_ratio only with penalty="elasticnet"
    experiment = Experiment(
        DataSpec(dataset), NetworkSpec(hidden), regularizations=(Regularization(**row),)
    )
    if libraries(experiment, 0)["scikit-learn"]:
        assert hidden
        assert "l1" in row
        return
    written = program(experiment, 0, "scikit-learn")
    needs = "LogisticRegression" in written.source and "l1_ratio" in written.source
    assert needs == (dataset == "moons" and not hidden and "l1" in row)
    for text in (written.source.replace("\n", " "), written.note):
        assert ("scikit-learn 1.8 or newer" in text) == needs


def test_what_acts_on_hidden_units_does_nothing_in_a_linear_model():
    rows = (Regularization(), Regularization(drop_rate=0.3, max_norm=1.0, group_lasso=0.1))
    experiment = Experiment(network=NetworkSpec(()), regularizations=rows)
    for library in LIBRARIES:
        plain, idle = (program(experiment, k, library) for k in range(2))
        assert idle.source == plain.source
        assert "hidden units" in idle.note


@pytest.mark.parametrize(
    ("k", "library", "message"),
    [(1, "pytorch", "k must be"), (0, "jax", "library must be"), (0.5, "keras", "k must be")],
)
def test_what_there_is_no_program_for_is_refused(k, library, message):
    with pytest.raises(ValueError, match=message):
        program(Experiment(), k, library)


def test_a_visitors_own_points_are_trained_on(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(10, 5, size=(60, 2))
    points = PointsSpec(np.column_stack([X, X.sum(axis=1) > 20]))
    experiment = Experiment(points, NetworkSpec(()), regularizations=(Regularization(l1=0.05),))
    layers = layers_of(run(experiment, 0, "scikit-learn", tmp_path), "scikit-learn")
    assert violation(layers, experiment, 0) < 1e-6


# --------------------------------------------------------------------- uneven batches, own arrays


@pytest.mark.parametrize("onset", [0, 7])
@pytest.mark.parametrize("name", TASKS)
def test_scikit_learn_regularizes_a_last_smaller_batch_as_the_others(
    name, onset, tmp_path, monkeypatch
):
    """Check small batches: scikit-learn divides ``alpha`` by the batch size."""
    from sklearn.neural_network import _multilayer_perceptron as module

    row = Regularization(l2=0.3, onset=onset)
    experiment = compared(name, "momentum", (row,), batch_size=7)  # 30 points: four of 7, one of 2
    replay = Replay(monkeypatch)
    history = replay.record(experiment)
    weights = iter(history.weights(0, t=0))

    def initialize(*_):
        w = next(weights).copy()
        return w, np.zeros(w.shape[1])

    orders = iter(replay.orders)
    monkeypatch.setattr(module.BaseMultilayerPerceptron, "_init_coef", initialize)
    monkeypatch.setattr(np.random, "default_rng", lambda _: Shuffler(orders))
    found = layers_of(run(experiment, 0, "scikit-learn", tmp_path), "scikit-learn")
    expected = reference(experiment, 0, history.weights(0, t=0), replay.orders)
    for (w, _), weight in zip(found, expected, strict=True):
        np.testing.assert_allclose(w, weight, rtol=1e-9, atol=1e-12)


class Shuffler:
    """A stand-in for NumPy's generator that returns the permutations of a run."""

    def __init__(self, orders) -> None:
        self.orders = orders

    def permutation(self, n: int):
        order = next(self.orders)
        assert len(order) == n
        return np.asarray(order)


@pytest.mark.parametrize("library", list(LIBRARIES))
@pytest.mark.parametrize("name", TASKS)
def test_programs_run_where_nothing_is_held_out_for_validation(name, library, tmp_path, capsys):
    """The file's columns then have other widths; PyTorch accepts no array of such strides."""
    data = replace(DATA, name=name, validation_fraction=0.0)
    experiment = Experiment(data, NetworkSpec((4,)), TrainingSpec(epochs=2), ROWS[:1])
    run(experiment, 0, library, tmp_path)
    assert "test: loss" in capsys.readouterr().out


@pytest.mark.parametrize("library", list(LIBRARIES))
def test_arrays_of_any_number_of_columns_are_trained_on(library, tmp_path):
    X = np.random.default_rng(0).normal(size=(60, 4))
    y = X @ [1.0, -1.0, 0.5, 0.0]
    dataset = regviz.Dataset(X[:40], y[:40], X[40:], y[40:], task="regression")
    network, training = NetworkSpec(()), TrainingSpec(batch_size=None, epochs=2000)
    rows = (Regularization(l2=0.1),)
    history = regviz.train(
        Experiment(network=network, training=training, regularizations=rows), dataset
    )
    (tmp_path / "points.csv").write_text(points_csv(dataset))
    scope: dict = {"__name__": "__main__"}
    exec(program(history.experiment, 0, library).source, scope)
    ((w, _),) = layers_of(scope, library)
    np.testing.assert_allclose(w, history.weights(0)[0], atol=1e-3)


@pytest.mark.parametrize("phase", [Phase(3, Regularization(l1=0.1)), Phase(3, learning_rate=1.0)])
def test_no_program_is_written_for_a_training_that_changes_on_the_way(phase):
    experiment = Experiment(phases=(phase,))
    assert set(libraries(experiment, 0).values()) == {NO_PHASES}
    with pytest.raises(ValueError, match=f"library must be left out.*{NO_PHASES}"):
        program(experiment, 0, "pytorch")


@pytest.mark.parametrize("k", [0, 1])
def test_a_program_for_a_beginning_without_regularization_has_an_onset(k):
    rows = (Regularization(), Regularization(l1=0.1))
    late = Experiment(regularizations=(rows[0], replace(rows[1], onset=7)))
    rate = late.training.learning_rate
    phases = (Phase(3), Phase(7, learning_rate=rate))
    experiment = replace(late, regularizations=rows, phases=phases)
    assert libraries(experiment, k) == libraries(late, k)
    assert program(experiment, k, "pytorch") == program(late, k, "pytorch")
