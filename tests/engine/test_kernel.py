"""Tests of the compiled epoch against its reference, and of its cache."""

import ast
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from numba import njit
from numba.core.caching import InTreeCacheLocator

import regviz
from regviz import DataSpec, Experiment, NetworkSpec, Regularization, TrainingSpec
from regviz.engine import compiled, kernel, simd
from regviz.engine.epoch import (
    NETWORKS,
    outputs,
    outputs_by_reference,
    to_blocks,
    to_rows,
    train_epoch,
)
from regviz.engine.layout import Layout
from regviz.engine.recorder import histories
from regviz.engine.training import Program
from regviz.spec.experiment import ACTIVATIONS, DTYPES, OPTIMIZERS
from tests.support.commands import python
from tests.support.papers import copy_compiled

TASKS = {"binary": "moons", "multiclass": "three_blobs", "regression": "bumps"}
ROWS = (
    Regularization(),
    Regularization(l1=0.02),
    Regularization(l2=0.1),
    Regularization(l2=0.3, decoupled=True),
    Regularization.elastic_net(0.05),
    Regularization(drop_rate=0.3),
    Regularization(input_drop_rate=0.2),
    Regularization(max_norm=0.5),
    Regularization(max_norm=0.8, drop_rate=0.1),
    Regularization(0.01, 0.02, 0.2, 0.1, 0.6),
    Regularization(0.01, 0.02, 0.2, 0.1, 0.6, True, onset=1),
    Regularization(group_lasso=0.02),
    Regularization(group_lasso=0.3),
    Regularization(0.01, 0.02, 0.2, 0.1, 0.6, True, group_lasso=0.03),
)
NORMALIZATIONS = [(kind, affine) for kind in ("batch", "layer") for affine in (False, True)]
TOLERANCE = {"float32": 1e-6, "float64": 1e-12}


def experiment(
    rows=ROWS, name="moons", hidden=(5, 3), activation="tanh", normal=(), **training
) -> Experiment:
    features = ("x1", "x2", "x1*x2")
    return Experiment(
        DataSpec(name, n_samples=60),
        NetworkSpec(hidden, activation, features, *normal),
        TrainingSpec(**{"batch_size": 7, "learning_rate": 0.05, **training}),
        rows,
    )


def program(spec: Experiment) -> Program:
    return Program([spec], [regviz.make_dataset(spec.data)])


def reference(spec: Experiment) -> Program:
    """Return a program that runs the reference instead of the kernel."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "ready", lambda dtype: False)
        return program(spec)


def assert_follows_reference(spec: Experiment) -> None:
    """Assert that two epochs equal their references, each from the state before it."""
    found, expected = program(spec), reference(spec)
    start = found.parameters.clone()
    tolerance = TOLERANCE[spec.training.dtype]
    for epoch in range(2):
        expected.parameters, expected.state = found.parameters.clone(), found.state.clone()
        found.train_epoch(epoch)
        expected.train_epoch(epoch)
        for one, other in ((found.parameters, expected.parameters), (found.state, expected.state)):
            scale = max(1.0, other.abs().max().item())
            torch.testing.assert_close(one, other, rtol=0, atol=tolerance * scale)
        assert torch.equal(found.parameters == 0, expected.parameters == 0)
    assert (found.parameters != start).any(1).all()  # every network has moved


# ------------------------------------------------------------------------------ the reference


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_epoch_arrives_where_its_reference_does(activation, task, optimizer, dtype):
    """Cover every regularization, before and after an onset, with and without a smaller last batch.

    With a tiny epsilon Adam's first step is the sign of the gradient: where that is next to 0, no
    two programs agree on it in single precision.
    """
    training = dict(optimizer=optimizer, dtype=dtype, learning_rate=0.003, epsilon=0.01)
    for batch_size in (1, 7, 8, None):  # of the 24 training points
        spec = experiment(
            name=TASKS[task], activation=activation, batch_size=batch_size, **training
        )
        assert_follows_reference(spec)


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
@pytest.mark.parametrize("task", TASKS)
def test_adam_with_its_own_epsilon_arrives_where_its_reference_does(task, optimizer):
    """Compare full-batch steps in single precision, where no gradient is close to 0."""
    spec = experiment(name=TASKS[task], optimizer=optimizer, batch_size=None)
    found, expected = program(spec), reference(spec)
    found.train_epoch(0)
    expected.train_epoch(0)
    clear = expected.state[0].abs() > 1e-4  # a tenth of the gradient
    assert clear.sum() > 0.5 * clear.numel()
    torch.testing.assert_close(
        found.parameters[clear], expected.parameters[clear], rtol=0, atol=TOLERANCE["float32"]
    )


@pytest.mark.parametrize("hidden", [(), (1,), (64, 64), (3, 1, 4, 1, 5, 9)])
@pytest.mark.parametrize("name", TASKS.values())
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_networks_of_every_shape_arrive_where_their_references_do(optimizer, name, hidden):
    assert_follows_reference(
        experiment(name=name, hidden=hidden, optimizer=optimizer, dtype="float64")
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
@pytest.mark.parametrize("normal", NORMALIZATIONS, ids=str)
def test_normalized_networks_arrive_where_their_references_do(normal, optimizer, dtype):
    """Cover smaller last batches and layers of a single unit.

    Values that hardly differ, of few points or units, are divided by a number down to sqrt(1e-5),
    which magnifies rounding errors: single precision is compared where there are more.
    """
    batch_sizes = (7, 2, None) if dtype == "float64" else (12, 8, None)
    shapes = ((5, 3), (1,), (3, 1, 9)) if dtype == "float64" else ((9, 7), (8,), (7, 8, 9))
    cases = zip(TASKS.values(), ACTIVATIONS, batch_sizes, shapes, strict=False)
    for name, activation, batch_size, hidden in cases:
        settings = dict(optimizer=optimizer, dtype=dtype, learning_rate=0.003, epsilon=0.01)
        spec = experiment(ROWS, name, hidden, activation, normal, batch_size=batch_size, **settings)
        assert_follows_reference(spec)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [0, 1, 2, 33])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_outputs_equal_their_reference(activation, n, dtype):
    sizes, kind = (3, 7, 4, 2), getattr(torch, dtype)
    generator = torch.Generator().manual_seed(0)
    for n_rows in (1, 8, 11):
        rows = torch.randn(n_rows, 70, dtype=kind, generator=generator)
        inputs = torch.randn(n, 3, dtype=kind, generator=generator)
        found = outputs(rows, inputs, sizes, activation)
        expected = outputs_by_reference(rows, inputs, sizes, activation)
        precision = 1e-6 if dtype == "float32" else 1e-14
        scale = max(1.0, expected.abs().max().item()) if n else 1.0
        torch.testing.assert_close(found, expected, rtol=0, atol=precision * scale)
        for normal in NORMALIZATIONS:
            width = Layout(sizes, *normal).n_parameters
            rows = torch.rand(n_rows, width, dtype=kind, generator=generator) + 0.1
            found = outputs(rows, inputs, sizes, activation, *normal)
            expected = outputs_by_reference(rows, inputs, sizes, activation, *normal)
            scale = max(1.0, expected.abs().max().item()) if n else 1.0
            torch.testing.assert_close(found, expected, rtol=0, atol=precision * scale * 10)
            alone = [outputs(row[None], inputs, sizes, activation, *normal)[0] for row in rows]
            assert torch.equal(torch.stack(alone), found)
        rows = torch.randn(n_rows, 70, dtype=kind, generator=generator)
        found = outputs(rows, inputs, sizes, activation)
        for k in range(n_rows):
            alone = outputs(rows[k : k + 1], inputs, sizes, activation)
            assert torch.equal(alone[0], found[k])


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("task", TASKS)
def test_networks_that_diverge_do_so_when_their_references_do(task, activation):
    rows = (Regularization(), Regularization(l2=1000, decoupled=True), Regularization(l1=0.01))
    spec = experiment(rows, TASKS[task], activation=activation, learning_rate=0.05)
    found, expected = program(spec), reference(spec)
    for epoch in range(20):
        found.train_epoch(epoch)
        expected.train_epoch(epoch)
    assert 0 < expected.diverged[0, 1] < 20
    np.testing.assert_array_equal(found.diverged, expected.diverged)


def test_the_operator_changes_nothing_but_what_it_says():
    trained = program(experiment())
    trained.train_epoch(0)
    points = trained.inputs, trained.targets, trained.weights
    tensors = (*points, trained.order, trained.draws, *trained.strengths)
    arguments = (
        *(trained.parameters, trained.state, *tensors, trained.keep, trained.layout.sizes),
        *("tanh", "binary", "momentum", 0.05, 0.9, 0.9, 0.999, 1e-8, 7, 4),
    )
    arguments = [a.clone() if isinstance(a, torch.Tensor) else a for a in arguments]
    torch.library.opcheck(train_epoch, arguments, test_utils="test_schema")


@torch.inference_mode()
@pytest.mark.parametrize("name", ["parameters", "inputs"])
def test_tensors_that_are_not_contiguous_are_refused(name):
    trained = program(experiment())
    strided = getattr(trained, name).transpose(1, 2).contiguous().transpose(1, 2)
    setattr(trained, name, strided)
    with pytest.raises(ValueError, match="must be contiguous"):
        trained.train_epoch(0)


def test_arrays_in_fortrans_order_are_trained_on_without_another_compilation():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), rng.integers(0, 2, 60)
    spec = Experiment(network=NetworkSpec((3,)), training=TrainingSpec(epochs=2))
    found, signatures = [], []
    for order in (np.ascontiguousarray, np.asfortranarray):
        dataset = regviz.Dataset(order(X[:40]), y[:40], order(X[40:]), y[40:], task="binary")
        found.append(regviz.train(spec, dataset).parameters)
        signatures.append([len(dispatcher.signatures) for dispatcher in kernel.DISPATCHERS])
    assert np.array_equal(*found)
    assert signatures[0] == signatures[1]


# ------------------------------------------------------------------------------ independence


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@torch.inference_mode()
@pytest.mark.parametrize("beside", [np.nan, np.inf, 1e-42, 3e38])
@pytest.mark.parametrize("normal", [(), ("batch", True), ("layer", True)], ids=str)
def test_no_bit_depends_on_what_the_networks_beside_it_hold(normal, beside, optimizer):
    """Neighbours in the same SIMD vector may overflow or be NaN."""
    spec = experiment(optimizer=optimizer, normal=normal)
    expected, found = program(spec), program(spec)
    expected.train_epoch(0)
    k = 3
    for neighbour in set(range(NETWORKS)) - {k}:
        found.parameters[:, :, neighbour] = beside
    found.train_epoch(0)
    assert torch.equal(found.parameters[:, :, k], expected.parameters[:, :, k])
    assert not torch.equal(found.parameters, expected.parameters)


@pytest.mark.parametrize("n_rows", [1, 7, 8, 9, 41])
def test_blocks_hold_rows_and_repeat_the_last_where_networks_are_missing(n_rows):
    rows = torch.randn(n_rows, 5)
    blocks = to_blocks(rows)
    assert blocks.shape == (-(-n_rows // NETWORKS), 5, NETWORKS)
    assert blocks.is_contiguous()
    found = to_rows(blocks)
    assert torch.equal(found[:n_rows], rows)
    assert (found[n_rows:] == rows[-1]).all()


# ------------------------------------------------------------------------------ exact zeros


@torch.inference_mode()
@pytest.mark.parametrize("flushed", [False, True])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_smallest_weights_do_not_become_zero_but_by_l1(optimizer, flushed):
    # inputs of 0 give the weights no gradient
    rows = (Regularization(), Regularization(l2=50), Regularization(l1=1e-3))
    spec = experiment(rows, hidden=(), optimizer=optimizer, learning_rate=0.1)
    trained = program(spec)
    trained.inputs[:] = 0
    weights = torch.from_numpy(trained.layout.is_weight)
    trained.parameters[:] = torch.finfo(torch.float32).tiny
    torch.set_flush_denormal(flushed)
    try:
        for epoch in range(5):
            trained.train_epoch(epoch)
    finally:
        torch.set_flush_denormal(False)
    zero = to_rows(trained.parameters)[:3, weights] == 0
    assert zero.all(1).tolist() == [False, False, True]
    assert zero.any(1).tolist() == [False, False, True]


# ------------------------------------------------------------------------------ the interpreter


@torch.inference_mode()
def test_another_thread_runs_while_an_epoch_is_computed():
    """The other thread waits for the first step, and overwrites the points of the later steps."""
    trained = program(experiment(batch_size=1))
    trained.train_epoch(0)
    trained.order = trained.order.repeat(1, 100_000)
    trained.draws = trained.draws.repeat(1, 100_000)
    before = trained.parameters.clone()

    @torch.inference_mode()
    def spoil() -> None:
        while torch.equal(trained.parameters, before):
            time.sleep(0)
        trained.inputs.fill_(torch.nan)

    thread = threading.Thread(target=spoil, daemon=True)
    thread.start()
    train_epoch(
        *(trained.parameters, trained.state, trained.inputs, trained.targets),
        *(trained.weights, trained.order),
        *(trained.draws, *trained.strengths, trained.keep, trained.layout.sizes),
        *("tanh", "binary", "sgd", 0.05, 0.0, 0.9, 0.999, 1e-8, 1, 24),
    )
    spoiled = trained.parameters.isnan().any().item()
    thread.join()
    assert spoiled


# ------------------------------------------------------------------------------ functions


@njit
def _tanh(x, out):
    for i in range(len(x)):
        simd.set_tile(out, i, simd.tanh(simd.tile(x, i)))


@njit
def _exp(x, out):
    for i in range(len(x)):
        simd.set_tile(out, i, simd.exp(simd.tile(x, i)))


def elementwise(function, x):
    x = x.reshape(-1, simd.TILE)
    found = np.empty_like(x)
    function(x, found)
    return found.ravel()


@pytest.mark.parametrize(("dtype", "precision"), [("float32", 1.5e-7), ("float64", 1e-15)])
def test_tanh_and_exp_equal_numpys(dtype, precision):
    size = np.concatenate([np.geomspace(1e-30, 20, 80_000), np.linspace(0, 20, 80_000)])
    for x in (size.astype(dtype), -size.astype(dtype)):
        expected = np.tanh(x.astype(np.float64))
        np.testing.assert_allclose(elementwise(_tanh, x), expected, rtol=precision, atol=0)
    x = -np.linspace(0, 87, 160_000).astype(dtype)
    expected = np.exp(x.astype(np.float64))
    np.testing.assert_allclose(elementwise(_exp, x), expected, rtol=precision, atol=0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_tanh_and_exp_are_exact_far_out_and_keep_nan(dtype):
    x = np.zeros(simd.TILE, dtype)
    x[:7] = [np.nan, np.inf, -np.inf, 1e30, -1e30, 1e-40, 10]
    found = elementwise(_tanh, x)
    np.testing.assert_array_equal(found[1:5], [1, -1, 1, -1])
    assert np.isnan(found[0])
    assert found[5] == x[5]
    assert (found[7:] == 0).all()
    x[:4] = [np.nan, -np.inf, -1e30, 0]
    found = elementwise(_exp, x)
    np.testing.assert_array_equal(found[1:4], [0, 0, 1])
    assert np.isnan(found[0])


# ------------------------------------------------------------------------------ on disk

SCRIPT = """
import numpy as np, regviz
from regviz.engine import compiled
loaded = compiled.ready("float32")
experiment = regviz.Experiment(training=regviz.TrainingSpec(epochs=2))
first = regviz.train(experiment).parameters
assert np.array_equal(regviz.train(experiment).parameters, first)
print("loaded" if loaded else "compiled" if compiled.ready("float32") else "without")
"""

LOOK = """
import os
from regviz.engine import compiled
print(compiled.ready("float32"), flush=True)
os._exit(0)
"""


def run_script(folder: Path, **environment: str) -> tuple[str, str]:
    """Return whether a new process with this cache loads or compiles the kernel, and its log."""
    done = python("-c", SCRIPT, NUMBA_CACHE_DIR=str(folder), **environment)
    return done.stdout.strip(), done.stderr


@pytest.fixture
def kept(tmp_path):
    """A folder for ``NUMBA_CACHE_DIR`` with the compiled code of the checkout.

    The tests damage the files of `kernel.predict`, which is compiled in 3 s; `kernel.train` takes
    12 s. ``tests/project/test_installation.py`` compiles both.
    """
    folder = tmp_path / InTreeCacheLocator.get_suitable_cache_subpath(kernel.__file__)
    copy_compiled(folder)
    return folder


def test_damaged_compiled_code_is_compiled_once_and_loaded_from_then_on(tmp_path, kept):
    for file in kept.glob("kernel.predict-*.nb?"):
        file.write_bytes(b"damaged")
    assert run_script(tmp_path)[0] == "compiled"
    assert run_script(tmp_path)[0] == "loaded"
    for file in kept.glob("kernel.predict-*.nbc"):
        file.unlink()
    # without the time to compile again
    looked = python("-c", LOOK, NUMBA_CACHE_DIR=str(tmp_path))
    assert looked.stdout == "False\n"


def test_compiled_code_that_cannot_be_written_is_no_failure(tmp_path, kept):
    for index in list(kept.glob("kernel.predict-*.nbi")):
        index.unlink()
        index.mkdir()  # a folder in place of a file, which not even root can write
    state, log = run_script(tmp_path)
    assert state == "compiled"
    assert "as it is not kept" in log


def test_where_nothing_can_be_compiled_the_reference_serves(tmp_path):
    state, log = run_script(tmp_path, NUMBA_DISABLE_JIT="1")
    assert state == "without"
    assert "NUMBA_DISABLE_JIT switches Numba's compiler off" in log
    assert "Traceback" not in log


def test_a_training_that_begins_before_the_kernel_is_there_stays_with_the_reference(
    monkeypatch: pytest.MonkeyPatch,
):
    spec = experiment()
    with monkeypatch.context() as patch:
        patch.setattr(compiled, "ready", lambda dtype: False)
        expected = reference(spec)
        growing = histories([spec], [regviz.make_dataset(spec.data)])
        next(growing)
    assert compiled.ready("float32")
    epochs = spec.training.epochs
    for epoch in range(epochs):
        expected.train_epoch(epoch)
    *_, (found,) = growing
    assert np.array_equal(found.parameters[-1], expected.record(epochs)[0].parameters)
    assert not np.array_equal(found.parameters[-1], regviz.train(spec).parameters[-1])


def test_the_name_of_the_cache_depends_on_all_sources_of_the_compiled_code():
    """Constants of other modules are compiled in, so that their change makes cached code stale."""
    for name in compiled.SOURCES:
        tree = ast.parse(Path(compiled.__file__).with_name(name).read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("regviz"):
                if node.module.rpartition(".")[2] + ".py" in compiled.SOURCES:
                    continue
                module = sys.modules[node.module]
                for alias in node.names:
                    assert getattr(module, alias.name) in kernel.CONSTANTS, alias.name
