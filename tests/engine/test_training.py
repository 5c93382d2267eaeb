"""Tests of the training loop: recording, independence of networks, batches, divergence."""

import contextlib
import dataclasses
import gc
import itertools
import math
import warnings
import weakref

import numpy as np
import pytest
import torch

import regviz
from regviz import DataSpec, Experiment, NetworkSpec, Regularization, TrainingSpec
from regviz.engine.epoch import to_rows
from regviz.engine.recorder import histories
from regviz.engine.regularization import dropout_mask
from regviz.engine.training import Program, recorded_epochs
from tests.support.networks import assert_same_recording

OPTIMIZERS = ("sgd", "momentum", "adam", "adamw")
SMALL = DataSpec("moons", n_samples=60, seed=1)


def run(*rows, data=SMALL, network=None, dataset=None, **training):
    """Train ``rows`` on a small problem for a few epochs."""
    network = network or NetworkSpec(hidden=(5, 3))
    training = TrainingSpec(**{"epochs": 5, "learning_rate": 0.05, **training})
    return regviz.train(Experiment(data, network, training, rows), dataset)


# ------------------------------------------------------------------------------ the recording


@pytest.mark.parametrize("epochs", [1, 2, 7, 99, 100, 101, 102, 150, 1000, 12345, 1_000_000])
def test_at_most_101_epochs_are_recorded_densely_at_first(epochs):
    recorded = recorded_epochs(TrainingSpec(epochs=epochs))
    assert recorded[0] == 0
    assert recorded[-1] == epochs
    assert len(recorded) == min(epochs, 100) + 1
    gaps = np.diff(recorded)
    assert (gaps > 0).all()
    assert gaps[0] <= 2
    assert (np.diff(gaps) >= -1).all()  # up to rounding the gaps grow


FRAMES = [(130, 100), (130, 1), (130, 7), (130, 129), (7, 200), (1, 1)]


@pytest.mark.parametrize(("epochs", "frames"), FRAMES)
def test_a_run_records_as_many_frames_as_it_is_told_to(epochs, frames):
    history = run(Regularization(), epochs=epochs, frames=frames, batch_size=None)
    assert len(history.epochs) == min(epochs, frames) + 1
    assert history.epochs.tolist() == recorded_epochs(TrainingSpec(epochs=epochs, frames=frames))
    assert history.complete


def test_recorded_parameters_do_not_depend_on_which_epochs_are_recorded():
    long, short = (run(Regularization(l1=0.01), epochs=epochs) for epochs in (120, 3))
    np.testing.assert_array_equal(long.parameters[:4], short.parameters)


# ------------------------------------------------------------------------------ independence


def random_experiment(seed):
    """Return an experiment with random settings and up to seven regularizations."""
    rng = np.random.default_rng(seed)

    def with_probability(probability, value):
        return value if rng.random() < probability else None

    def row():
        given = {
            "l1": with_probability(0.5, 10 ** rng.uniform(-4, -1.5)),
            "l2": with_probability(0.5, 10 ** rng.uniform(-4, -1)),
            "drop_rate": with_probability(0.35, rng.choice([0.1, 0.2, 0.5])),
            "input_drop_rate": with_probability(0.3, rng.choice([0.1, 0.3])),
            "max_norm": with_probability(0.3, rng.uniform(0.3, 2)),
            "decoupled": with_probability(0.3, True),
            "onset": with_probability(0.3, rng.integers(0, 4)),
        }
        return Regularization(**{name: value for name, value in given.items() if value is not None})

    features = rng.permutation(["x1", "x2", "x1^2", "x2^2", "x1*x2", "sin(x1)", "sin(x2)"])
    data = DataSpec(
        rng.choice(["moons", "three_spirals", "bumps"]).item(),
        n_samples=rng.integers(60, 300),
        seed=seed,
    )
    n = len(regviz.make_dataset(data).y_train)
    return Experiment(
        data,
        NetworkSpec(
            hidden=rng.integers(1, rng.choice([9, 33]), rng.integers(0, 4)).tolist(),
            activation=rng.choice(["tanh", "relu", "leaky_relu", "sigmoid", "linear"]).item(),
            features=features[: rng.integers(1, 8)].tolist(),
            normalization=("none", "batch", "layer")[seed % 3],
            affine=seed % 2 == 0,
        ),
        TrainingSpec(
            optimizer=OPTIMIZERS[seed % 4],
            batch_size=[None, 2 if seed % 3 == 1 else 1, 3, 7, 10, 23, n - 1, n][rng.integers(8)],
            epochs=4,
            dtype="float64" if seed % 5 == 0 else "float32",
            seed=seed,
        ),
        tuple(row() for _ in range(rng.integers(3, 8))),
    )


@pytest.mark.parametrize("seed", range(30))
def test_a_networks_trajectory_does_not_depend_on_the_line_up(seed):
    experiment = random_experiment(seed)
    rows = experiment.regularizations
    everything = regviz.train(experiment)
    order = np.random.default_rng(seed).permutation(len(rows))
    for chosen in (order[:1], order[1:3], order):
        line_up = dataclasses.replace(experiment, regularizations=tuple(rows[i] for i in chosen))
        assert_same_recording(regviz.train(line_up), everything, chosen)


def same_batching_key(experiment, seed):
    """Return an experiment of other points, seeds and strengths with the same batching key."""
    rng = np.random.default_rng(seed)
    rows = (
        dataclasses.replace(
            row,
            l1=10 ** rng.uniform(-4, -1.5) if rng.random() < 0.5 else 0,
            l2=row.l2 * rng.uniform(),
            drop_rate=row.drop_rate * rng.uniform(0.5, 1),
            input_drop_rate=row.input_drop_rate * rng.uniform(0.5, 1),
            max_norm=row.max_norm and row.max_norm * rng.uniform(0.5, 2),
            decoupled=bool(rng.integers(2)),
            onset=rng.integers(0, 4),
        )
        for row in experiment.regularizations
    )
    return dataclasses.replace(
        experiment,
        data=dataclasses.replace(experiment.data, seed=seed, noise=rng.uniform(0, 1)),
        training=dataclasses.replace(experiment.training, seed=1000 + seed),
        regularizations=tuple(rows),
    )


@pytest.mark.parametrize("seed", range(30))
def test_experiments_that_are_alike_train_together_each_as_if_alone(seed):
    first = random_experiment(seed)
    experiments = [
        first,
        same_batching_key(first, 100 + seed),
        same_batching_key(first, 200 + seed),
    ]
    datasets = [regviz.make_dataset(experiment.data) for experiment in experiments]
    *_, together = histories(experiments, datasets)
    for experiment, history in zip(experiments, together, strict=True):
        assert history.experiment == experiment
        assert_same_recording(history, regviz.train(experiment))


def test_equal_rows_have_equal_trajectories_dropout_and_all():
    row = Regularization(0.001, 0.01, 0.4, 0.2, 0.9)
    history = run(row, Regularization(), row, Regularization(drop_rate=0.1), row)
    for k in (2, 4):
        np.testing.assert_array_equal(history.parameters[:, 0], history.parameters[:, k])
    assert (history.parameters[-1, 0] != history.parameters[-1, 3]).any()


def test_all_networks_start_from_the_same_weights():
    history = run(Regularization(), Regularization(1, 1, 0.5, 0.5, 0.1), Regularization(l1=10))
    for k in (1, 2):
        np.testing.assert_array_equal(history.parameters[0, 0], history.parameters[0, k])


def test_a_program_leaves_no_memory_to_be_collected():
    experiment = random_experiment(0)
    gc.collect()
    gc.disable()
    try:
        program = Program([experiment], [regviz.make_dataset(experiment.data)])
        program.train_epoch(0)
        left = weakref.ref(program)
        del program
        assert left() is None
    finally:
        gc.enable()


# ------------------------------------------------------------------------------ reproducibility


@contextlib.contextmanager
def setting(get, set_, value):
    before = get()
    set_(value)
    try:
        yield
    finally:
        set_(before)


SETTINGS = {
    "default dtype": (torch.get_default_dtype, torch.set_default_dtype, torch.float64),
    "threads": (torch.get_num_threads, torch.set_num_threads, 2),
    "matmul precision": (
        torch.get_float32_matmul_precision,
        torch.set_float32_matmul_precision,
        "medium",
    ),
    "deterministic algorithms": (
        torch.are_deterministic_algorithms_enabled,
        torch.use_deterministic_algorithms,
        True,
    ),
    "default device": (lambda: None, torch.set_default_device, "meta"),
    "gradients off": (torch.is_grad_enabled, torch.set_grad_enabled, False),
    "seed": (lambda: 0, torch.manual_seed, 12345),
    "denormals flushed": (lambda: False, torch.set_flush_denormal, True),
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_run_does_not_depend_on_torchs_settings(name, dtype):
    rows = [Regularization(l1=0.001 * i, drop_rate=0.1 * i) for i in range(6)]
    kwargs = dict(
        data=DataSpec("three_blobs", n_samples=1200, train_fraction=0.8),
        network=NetworkSpec(hidden=(32, 9)),
        batch_size=None,
        optimizer="adam",
        epochs=2,
        dtype=dtype,
    )
    expected = run(*rows, **kwargs)
    with setting(*SETTINGS[name]):
        found = run(*rows, **kwargs)
    assert_same_recording(found, expected)


def test_decay_to_the_smallest_numbers_does_not_depend_on_whether_they_are_flushed():
    points, y = np.zeros((4, 3)), np.zeros(4)
    kwargs = dict(
        dataset=regviz.Dataset(points, y, task="regression"),
        network=NetworkSpec(hidden=()),
        batch_size=None,
        learning_rate=1,
        epochs=100,
    )
    expected = run(Regularization(l2=1.5), **kwargs)
    with setting(*SETTINGS["denormals flushed"]):
        found = run(Regularization(l2=1.5), **kwargs)
    assert_same_recording(found, expected)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_same_experiment_gives_the_same_history(optimizer):
    rows = (Regularization(0.001, 0.01, 0.4, 0.2, 0.9), Regularization())
    first = run(*rows, optimizer=optimizer, batch_size=7)
    torch.rand(5)
    assert_same_recording(run(*rows, optimizer=optimizer, batch_size=7), first)


def test_a_training_hands_over_after_each_epoch_that_is_due_and_that_changes_nothing():
    training = TrainingSpec(epochs=7, batch_size=7, frames=2)
    rows = (Regularization(), Regularization(drop_rate=0.3), Regularization(max_norm=1))
    experiment = Experiment(SMALL, NetworkSpec(hidden=(5, 3)), training, rows)
    dataset = regviz.make_dataset(SMALL)
    done, seen = [], []

    def is_due() -> bool:
        return len(done) in (2, 3, 7)

    growing = histories([experiment], [dataset], after_epoch=lambda: done.append(True), due=is_due)
    for (history,) in growing:
        seen.append((len(done), history.epochs.tolist()))
        torch.randn(3) @ torch.randn(3)
    recorded = recorded_epochs(training)
    assert seen == [(n, [epoch for epoch in recorded if epoch <= n]) for n in (2, 3, 7)]
    np.testing.assert_array_equal(history.parameters, regviz.train(experiment).parameters)


def test_training_leaves_global_random_numbers_alone():
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    run(Regularization(drop_rate=0.5))
    assert torch.equal(torch_before, torch.get_rng_state())
    np.testing.assert_array_equal(numpy_before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("change", [dict(seed=1), dict(batch_size=9), dict(momentum=0.5)])
def test_what_the_run_depends_on_changes_it(change):
    rows = (Regularization(drop_rate=0.2),)
    first, other = (run(*rows, optimizer="momentum", **given) for given in ({}, change))
    assert (first.parameters[-1] != other.parameters[-1]).any()


# ------------------------------------------------------------------------------ batches


def epoch_of_batches(program, epoch):
    """Train an epoch; return each of its batches' inputs ``(n, fan_in)`` and dropout masks.

    The masks are ``(K, units, n)`` for each layer, in the experiment's order of rows, or None.
    """
    program.train_epoch(epoch)
    sizes = program.layout.sizes[:-1]
    keep = to_rows(program.keep)[: program.n_networks]
    rates = 1 - keep.repeat_interleave(torch.tensor(sizes), 1)[..., None]
    draws, batches = program.draws[0], []
    for points in program.order[0].split(program.batch_size):
        masks = [None] * len(sizes)
        if len(draws):
            n = sum(sizes) * len(points)
            uniform, draws = draws[:n].view(-1, len(points)), draws[n:]
            masks = dropout_mask(uniform.to(rates), rates).split(sizes, 1)
        batches.append((program.inputs[0, points].numpy(), masks))
    return batches


@pytest.mark.parametrize(
    ("batch_size", "sizes"),
    [(None, [23]), (23, [23]), (22, [22, 1]), (10, [10, 10, 3]), (1, [1] * 23), (7, [7, 7, 7, 2])],
)
def test_every_epoch_visits_each_training_point_once(batch_size, sizes):
    points = np.random.default_rng(0).normal(size=(23, 3))
    dataset = regviz.Dataset(points, np.arange(23) % 2)
    training = TrainingSpec(batch_size=batch_size, dtype="float64", epochs=3)
    program = Program([Experiment(training=training)], [dataset])
    orders = []
    for epoch in range(3):
        batches = epoch_of_batches(program, epoch)
        assert [len(inputs) for inputs, _ in batches] == sizes
        seen = np.vstack([inputs for inputs, _ in batches])
        np.testing.assert_array_equal(np.sort(seen, axis=0), np.sort(points, axis=0))
        orders.append(seen)
    if len(sizes) > 1:
        assert (orders[0] != orders[1]).any()
        assert (orders[1] != orders[2]).any()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("batch_size", [1, 4, 7, None])
@pytest.mark.parametrize(
    "row", [Regularization(), Regularization(drop_rate=0.4, input_drop_rate=0.2)], ids=["", "drop"]
)
def test_mini_batch_steps_equal_a_plain_loop_over_the_same_batches(
    row, batch_size, optimizer, as_module, torch_loss
):
    points = np.random.default_rng(1).normal(size=(12, 2))
    target = np.cos(3 * np.arange(12.0))
    label_of = {tuple(point): value for point, value in zip(points, target, strict=True)}
    dataset = regviz.Dataset(points, target, task="regression")
    training = TrainingSpec(optimizer, 0.02, batch_size, 3, dtype="float64")
    experiment = Experiment(
        network=NetworkSpec((4, 3)), training=training, regularizations=(Regularization(l1=1), row)
    )
    history = regviz.train(experiment, dataset)
    program = Program([experiment], [dataset])
    module = as_module(history.weights(1, 0), history.biases(1, 0), "tanh")
    reference = {
        "sgd": lambda p: torch.optim.SGD(p, 0.02),
        "momentum": lambda p: torch.optim.SGD(p, 0.02, momentum=0.9),
        "adam": lambda p: torch.optim.Adam(p, 0.02),
        "adamw": lambda p: torch.optim.AdamW(p, 0.02, weight_decay=0),
    }[optimizer](module.parameters())
    for epoch in range(3):
        for inputs, masks in epoch_of_batches(program, epoch):
            y = torch.tensor([label_of[tuple(point)] for point in inputs])
            values = torch.tensor(inputs)
            for i, mask in enumerate(masks):
                values = values if mask is None else values * mask[1].T
                values = module[2 * i : 2 * i + 2](values)  # one product, and the activation
            reference.zero_grad()
            torch_loss(values, y, "regression").backward()
            reference.step()
        for layer, weight, bias in zip(
            module[::2], history.weights(1, epoch + 1), history.biases(1, epoch + 1), strict=True
        ):
            np.testing.assert_allclose(layer.weight.detach().T, weight, rtol=0, atol=1e-10)
            np.testing.assert_allclose(layer.bias.detach(), bias, rtol=0, atol=1e-10)


def test_each_row_drops_its_own_share_of_inputs_and_hidden_units_anew_in_every_step():
    rows = (
        Regularization(drop_rate=0.5),
        Regularization(),
        Regularization(input_drop_rate=0.3),
        Regularization(drop_rate=0.2, input_drop_rate=0.1, max_norm=1),
        Regularization(l1=0.1, max_norm=1),
        Regularization(drop_rate=0.9, onset=1),
    )
    points = np.random.default_rng(0).normal(size=(2000, 8))
    experiment = Experiment(
        network=NetworkSpec(hidden=(16, 16)),
        training=TrainingSpec(batch_size=900, epochs=2),
        regularizations=rows,
    )
    program = Program([experiment], [regviz.Dataset(points, np.arange(2000) % 2)])
    seen = []
    for epoch in range(2):
        for _, masks in epoch_of_batches(program, epoch):
            seen.append(masks)
            for layer, k in itertools.product(range(3), range(len(rows))):
                rate = rows[k].drop_rate if layer else rows[k].input_drop_rate
                rate = rate if epoch >= rows[k].onset else 0
                mask = masks[layer][k]
                kept = mask[mask != 0]
                torch.testing.assert_close(kept, torch.full_like(kept, 1 / (1 - rate)))
                # five standard errors
                error = 5 * math.sqrt(rate * (1 - rate) / mask.numel())
                assert abs((mask == 0).double().mean().item() - rate) <= error
            for layer in (1, 2):  # a unit kept at rate 0.5 is kept at 0.2
                assert (masks[layer][3][masks[layer][0] > 0] > 0).all()
    assert len(seen) == 6
    for one, other in itertools.combinations(seen, 2):
        if one[1].shape == other[1].shape:
            assert (one[1][0] != other[1][0]).any()
    assert (seen[0][1][0] != seen[0][2][0]).any()


def test_a_batch_of_all_points_is_full_batch():
    n = len(regviz.make_dataset(SMALL).y_train)
    rows = (Regularization(drop_rate=0.3), Regularization(l1=0.01))
    assert_same_recording(run(*rows, batch_size=n), run(*rows, batch_size=None))


def test_more_points_in_a_batch_than_there_are_is_refused_by_name():
    n = len(regviz.make_dataset(SMALL).y_train)
    with pytest.raises(ValueError, match=f"^batch_size must be at most {n}.*got {n + 1}"):
        run(Regularization(), batch_size=n + 1)


# ------------------------------------------------------------------------------ onset


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(
    "acting",
    [
        dict(l1=0.02),
        dict(l2=0.2),
        dict(l2=0.2, decoupled=True),
        dict(drop_rate=0.3),
        dict(input_drop_rate=0.3),
        dict(max_norm=0.3),
        dict(l1=0.01, l2=0.1, drop_rate=0.2, input_drop_rate=0.2, max_norm=0.5),
    ],
    ids=lambda acting: "+".join(acting),
)
def test_before_its_onset_a_regularization_does_nothing_at_all(acting, optimizer):
    onset, epochs = 2, 4
    history = run(
        Regularization(),
        Regularization(**acting, onset=onset),
        Regularization(**acting, onset=epochs),
        Regularization(**acting),
        optimizer=optimizer,
        epochs=epochs,
    )
    plain, late, never, always = history.parameters.swapaxes(0, 1)
    np.testing.assert_array_equal(late[: onset + 1], plain[: onset + 1])
    np.testing.assert_array_equal(never, plain)
    for t in range(onset + 1, epochs + 1):
        assert (late[t] != plain[t]).any()
    for t in range(1, epochs + 1):
        assert (always[t] != plain[t]).any()


def test_a_penalty_is_counted_from_its_onset_on():
    history = run(Regularization(l1=0.1, l2=0.2, onset=3), epochs=5)
    penalty = 0.1 * history.metrics["l1_norm"] + 0.1 * history.metrics["l2_norm"] ** 2
    np.testing.assert_array_equal(history.metrics["penalty"][:3], 0)
    np.testing.assert_allclose(history.metrics["penalty"][3:], penalty[3:], rtol=1e-12)


# ------------------------------------------------------------------------------ max-norm


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_incoming_norm_ever_exceeds_max_norm(optimizer, dtype):
    bounds = (0.4, 1.0, None, 2.0)
    history = run(
        *[Regularization(max_norm=c, drop_rate=0.2 * (c == 1.0)) for c in bounds],
        network=NetworkSpec(hidden=(6, 5, 4)),
        optimizer=optimizer,
        batch_size=None,
        epochs=60,
        learning_rate=0.1,
        dtype=dtype,
    )
    outputs_exceed = False
    for k, c in enumerate(bounds):
        if c is None:
            continue
        for t in range(1, 61):
            *hidden, output = history.weights(k, t)
            norms = np.concatenate([np.linalg.norm(w.astype(float), axis=0) for w in hidden])
            assert norms.max() <= c * (1 + 1e-6)
            outputs_exceed |= np.linalg.norm(output) > c
        if c <= 1:
            assert norms.max() >= c * (1 - 1e-6)  # norms attain the bound
    assert outputs_exceed  # the output layer is not bounded


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_projection_leaves_units_inside_biases_and_outputs_untouched(optimizer):
    history = run(
        Regularization(),
        Regularization(max_norm=0.7),
        network=NetworkSpec(hidden=(12, 12)),
        optimizer=optimizer,
        batch_size=None,
        epochs=1,
        learning_rate=0.3,
    )
    free, bounded = history.weights(0), history.weights(1)
    inside = outside = 0
    for before, after in zip(free[:-1], bounded[:-1], strict=True):
        for column, projected in zip(before.T, after.T, strict=True):
            norm = np.linalg.norm(column.astype(float))
            if norm <= 0.7:
                inside += 1
                np.testing.assert_array_equal(projected, column)
            else:
                outside += 1
                np.testing.assert_allclose(projected, column * (0.7 / norm), rtol=1e-6)
    assert inside
    assert outside
    np.testing.assert_array_equal(free[-1], bounded[-1])
    for before, after in zip(history.biases(0), history.biases(1), strict=True):
        np.testing.assert_array_equal(before, after)
        assert (before != 0).any()


# ------------------------------------------------------------------------------ divergence

ABSURD = Regularization(l2=1000, decoupled=True)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_diverging_network_is_marked_and_frozen_and_the_others_go_on(optimizer):
    rows = (
        Regularization(l1=0.01),
        ABSURD,
        Regularization(drop_rate=0.2),
        Regularization(l2=1000, decoupled=True, drop_rate=0.2, onset=4),
    )
    kwargs = dict(optimizer=optimizer, epochs=30)
    history = run(*rows, **kwargs)
    alone = run(rows[0], rows[2], **kwargs)
    assert_same_recording(alone, history, [0, 2])
    np.testing.assert_array_equal(history.diverged[[0, 2]], -1)
    assert np.isfinite(history.parameters).all()
    for k in (1, 3):
        end = history.diverged[k]
        assert 0 < end < 30
        assert history.diverged[3] > 4
        for name, values in history.metrics.items():
            if not name.startswith("validation"):
                assert np.isfinite(values[:end, k]).all(), name
            assert np.isnan(values[end:, k]).all(), name
        for t in range(end, 31):
            np.testing.assert_array_equal(history.parameters[t, k], history.parameters[end - 1, k])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_network_is_marked_with_the_epoch_of_its_divergence(dtype):
    # with inputs of 0 a weight is multiplied by (1 - 0.05 * 1000) = -49 per step, nothing else
    n_epochs = 90 if dtype == "float32" else 250
    history = run(
        Regularization(),
        ABSURD,
        network=NetworkSpec(hidden=()),
        dataset=regviz.Dataset(np.zeros((4, 3)), np.zeros(4), task="regression"),
        batch_size=None,
        epochs=n_epochs,
        dtype=dtype,
    )
    largest = abs(history.weights(1, 0)[0]).max()
    epoch = math.floor((math.log(np.finfo(dtype).max) - math.log(largest)) / math.log(49)) + 1
    assert epoch < n_epochs
    assert history.diverged.tolist() == [-1, epoch]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "linear"])
def test_a_learning_rate_that_is_far_too_high_ends_in_marks_not_in_errors(activation, optimizer):
    history = run(
        Regularization(),
        Regularization(l1=0.01, max_norm=2),
        Regularization(drop_rate=0.3, input_drop_rate=0.1),
        data=DataSpec("plane", n_samples=60),
        network=NetworkSpec((8,), activation),
        optimizer=optimizer,
        learning_rate=10,
        epochs=60,
    )
    assert (history.diverged > 0).any()
    assert np.isfinite(history.parameters).all()
    for k in range(3):
        ended = history.epochs >= history.diverged[k] if history.diverged[k] > 0 else False
        np.testing.assert_array_equal(np.isnan(history.metrics["train_loss"][:, k]), ended)
    assert history.best().shape == (3,)
    assert np.isfinite(history.predict(np.zeros((2, 2)))).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [1e30, 1e300, -1e308])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_huge_inputs_end_in_marks_not_in_errors(size, task):
    points = size * np.array([[0.1, 0.2, 1.0], [1.0, -1.0, 0.5], [0.3, 0.3, -1.0], [1, 1, 1]])
    dataset = regviz.Dataset(points, [0, 1, 1, 0], points, [0, 1, 1, 0], task=task)
    for dtype in ("float32", "float64"):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*StandardScaler")  # the only warning allowed
            history = run(Regularization(), dataset=dataset, batch_size=2, dtype=dtype)
        assert np.isfinite(history.parameters).all()
        ended = (history.diverged >= 0) & (history.epochs[:, None] >= history.diverged)
        np.testing.assert_array_equal(np.isnan(history.metrics["objective"]), ended)


@pytest.mark.filterwarnings("error")
def test_the_strongest_settings_allowed_stay_finite():
    history = run(
        Regularization(l1=1000),
        Regularization(l2=1000),
        Regularization(1000, 1000, 0.99, 0.99, 1e-3),
        Regularization(max_norm=1e-3),
        learning_rate=1,
        epochs=10,
    )
    np.testing.assert_array_equal(history.diverged, -1)
    assert history.metrics["sparsity"][-1, 0] == 1


def construct(kind, **parameters):
    """Return ``kind`` with extreme parameters, or None if it refuses them by name."""
    try:
        return kind(**parameters)
    except ValueError as error:
        assert str(error).split()[0] in parameters  # noqa: PT017 (either way out is fine)
        return None


@pytest.mark.parametrize("rate", [1 - 1e-6, 1 - 1e-8, math.nextafter(1, 0)])
@pytest.mark.parametrize("name", ["drop_rate", "input_drop_rate"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_drop_rate_just_below_one_is_refused_or_trains(name, rate, dtype):
    row = construct(Regularization, **{name: rate})
    assert row is None or run(row, dtype=dtype).diverged.tolist() == [-1]


@pytest.mark.parametrize("epsilon", [1e-8, 1e-30, 1e-38, 1e-50, 1e-320])
@pytest.mark.parametrize("row", [Regularization(), Regularization(l1=0.1, l2=0.1)])
def test_a_tiny_epsilon_of_adam_is_refused_or_trains(row, epsilon):
    # the weight of a zero column has no gradient: Adam divides by epsilon
    points = np.column_stack([np.zeros(6), np.arange(6.0), np.arange(6.0) ** 2]) / 10
    dataset = regviz.Dataset(points, [0, 1, 0, 1, 1, 1])
    spec = construct(TrainingSpec, optimizer="adam", epochs=5, batch_size=None, epsilon=epsilon)
    if spec is None:
        return
    history = run(row, dataset=dataset, network=NetworkSpec(hidden=()), **vars(spec))
    assert history.diverged.tolist() == [-1]
    kept = history.weights(0)[0][0] == history.weights(0, 0)[0][0]
    assert kept.all() == (row == Regularization())


# ------------------------------------------------------------------------------ the smallest runs


@pytest.mark.parametrize("n_columns", [1, 2, 3, 40])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("hidden", [(), (1,), (2, 3, 4, 3, 2, 1)])
def test_the_smallest_and_the_deepest_runs_work(hidden, task, n_columns):
    points = np.random.default_rng(0).normal(size=(3, n_columns))
    dataset = regviz.Dataset(points, [0, 1, 2] if task != "binary" else [0, 1, 1], task=task)
    row = Regularization(0.01, 0.01, 0.2, 0.2, 1.0)
    history = run(row, dataset=dataset, network=NetworkSpec(hidden), epochs=1, batch_size=2)
    assert history.parameters.shape[:2] == (2, 1)
    assert history.weights(0)[0].shape[0] == n_columns
    assert history.diverged.tolist() == [-1]
    assert (history.parameters[0] != history.parameters[1]).any()
    assert np.isfinite(history.metrics["train_loss"]).all()
    for name in ("validation_loss", "test_loss", "test_accuracy", "gap"):
        assert np.isnan(history.metrics[name]).all()


def test_a_single_training_point_can_be_trained_on():
    dataset = regviz.Dataset([[1.0]], [2.0], task="regression")
    history = run(
        Regularization(),
        dataset=dataset,
        network=NetworkSpec(()),
        batch_size=1,
        epochs=100,
        learning_rate=0.5,
    )
    np.testing.assert_allclose(history.predict([[1.0]]), [[2.0]], rtol=1e-5)
