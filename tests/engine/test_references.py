"""Tests of docs/explanation/mathematics.md: optima, optimality conditions, laws with known answers.

The references are scikit-learn's solvers, autograd, and closed forms.
"""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import ElasticNet, LinearRegression, LogisticRegression, Ridge

import regviz
from regviz import (
    Dataset,
    DataSpec,
    Experiment,
    NetworkSpec,
    Regularization,
    TrainingSpec,
    make_dataset,
)
from regviz.engine.layout import Layout
from regviz.engine.networks import gradient
from regviz.engine.regularization import dropout_mask
from regviz.spec.tables import TABLES


def train(dataset, rows, *, hidden=(), **training):
    """Train with full batches in float64."""
    experiment = Experiment(
        network=NetworkSpec(hidden),
        training=TrainingSpec(**{"batch_size": None, "dtype": "float64", **training}),
        regularizations=rows,
    )
    return regviz.train(experiment, dataset)


def standardized(points):
    return (points - points.mean(axis=0)) / points.std(axis=0)


# ------------------------------------------------------------------------------ 1. linear models

N, COLUMNS = 120, 10
_rng = np.random.default_rng(3)
X = standardized(_rng.normal(size=(N, COLUMNS)))
_true = np.array([1.5, -1.2, 0.8, 0, 0, 0, 0, 0.5, -0.4, 0])
_of_classes = np.zeros((COLUMNS, 3))
_of_classes[:4] = 1.2 * _rng.normal(size=(4, 3))
Y = {
    "binary": (X @ _true + 0.3 + _rng.logistic(size=N) > 0).astype(int),
    "regression": X @ _true + 0.7 + 0.5 * _rng.normal(size=N),
    "multiclass": (X @ _of_classes + _rng.gumbel(size=(N, 3))).argmax(axis=1),
}
STRENGTHS = (
    Regularization(),
    Regularization(l1=0.02),
    Regularization(l1=0.08),
    Regularization(l2=0.05),
    Regularization(l2=0.5),
    Regularization.elastic_net(0.05, l1_ratio=0.5),
    Regularization.elastic_net(0.2, l1_ratio=0.3),
)


def solve(task, row, X, y):
    """Return scikit-learn's coefficients ``(n_outputs, columns)`` and intercepts."""
    strength = row.l1 + row.l2
    tight = dict(tol=1e-12, max_iter=100_000)
    if task == "regression":
        if row.l1:
            model = ElasticNet(alpha=strength, l1_ratio=row.l1 / strength, **tight)
        else:
            model = Ridge(alpha=len(y) * row.l2) if row.l2 else LinearRegression()
    elif row.l1:
        model = LogisticRegression(
            C=1 / (len(y) * strength), l1_ratio=row.l1 / strength, solver="saga", **tight
        )
    else:
        model = LogisticRegression(
            C=1 / (len(y) * strength) if strength else np.inf, solver="newton-cg", **tight
        )
    model.fit(X, y)
    return np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize(
    "training",
    [
        dict(optimizer="sgd", learning_rate=1, epochs=1500),
        dict(optimizer="momentum", learning_rate=0.1, epochs=1500),
        dict(optimizer="adam", learning_rate=0.01, epochs=3000),
        dict(optimizer="adam", learning_rate=0.02, epochs=2000, epsilon=0.01),
    ],
    ids=["sgd", "momentum", "adam", "adam-epsilon"],
)
def test_linear_models_meet_reference_solvers(training, task):
    history = train(Dataset(X, Y[task], task=task), STRENGTHS, **training)
    n_zeros = []
    for k, row in enumerate(STRENGTHS):
        expected, intercept = solve(task, row, X, Y[task])
        found, bias = history.weights(k)[0].T, history.biases(k)[0]
        if task == "multiclass":  # softmax is invariant to a constant added to all classes
            bias, intercept = bias - bias.mean(), intercept - intercept.mean()
            if row == Regularization():
                found, expected = found - found.mean(axis=0), expected - expected.mean(axis=0)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
        np.testing.assert_allclose(bias, intercept, rtol=0, atol=1e-5)
        np.testing.assert_array_equal(found == 0, expected == 0)
        n_zeros.append(int((expected == 0).sum()))
    assert [n > 0 for n in n_zeros] == [row.l1 > 0 for row in STRENGTHS]


@pytest.mark.parametrize("centred", [True, False], ids=["centred", "uncentred"])
def test_the_corrected_elastic_net_is_scikit_learns_scaled_and_tests_as_its_own(centred):
    points = X if centred else X + np.linspace(-1, 2, COLUMNS)
    train_part, test_part = slice(0, 80), slice(80, N)
    naive = tuple(row for row in STRENGTHS if row.l1 and row.l2)
    rows = (*naive, *(dataclasses.replace(row, corrected=True) for row in naive))
    parts = [a[part] for part in (train_part, test_part) for a in (points, Y["regression"])]
    # uncentred inputs are ill-conditioned, so that training takes more steps
    training = dict(optimizer="momentum", learning_rate=0.05, epochs=8000)
    history = train(Dataset(*parts, task="regression"), rows, **training)
    n = len(naive)
    for k, row in enumerate(naive):
        strength = row.l1 + row.l2
        model = ElasticNet(strength, l1_ratio=row.l1 / strength, tol=1e-12, max_iter=100_000)
        model.fit(*parts[:2])
        weights, bias = history.weights(n + k)[0][:, 0], history.biases(n + k)[0]
        expected = (1 + row.l2) * model.coef_
        # the mean prediction of the training points remains that of scikit-learn's model
        intercept = parts[1].mean() - parts[0].mean(axis=0) @ expected
        np.testing.assert_allclose(weights, expected, rtol=0, atol=1e-5)
        np.testing.assert_array_equal(weights == 0, expected == 0)
        np.testing.assert_allclose(bias, intercept, rtol=0, atol=1e-5)
        error = parts[3] - parts[2] @ expected - intercept
        assert history.metrics["test_loss"][-1, n + k] == pytest.approx(np.mean(error**2) / 2)
        # training goes on from the naive parameters at every recorded epoch
        trained = history.weights(k, 50)[0]
        np.testing.assert_allclose(history.weights(n + k, 50)[0], (1 + row.l2) * trained)


def test_the_corrected_elastic_net_is_refused_for_classes():
    rows = (Regularization(), Regularization(l2=0.1, corrected=True))
    with pytest.raises(ValueError, match=r"^regularizations\[1\]\.corrected must be False, exc"):
        train(Dataset(X, Y["binary"]), rows, epochs=1)
    phases = (regviz.Phase(1, rows[1]),)
    experiment = regviz.Experiment(regviz.DataSpec("moons"), NetworkSpec(()), phases=phases)
    with pytest.raises(ValueError, match=r"^phases\[0\]\.regularization\.corrected must be False"):
        regviz.train(experiment)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_linear_models_of_the_builtin_tables_meet_reference_solvers(table):
    share = 0.1 if table.name == "small_and_fat" else 0.3
    dataset = make_dataset(DataSpec(table.name, 400, train_fraction=share))
    X, y = dataset.points("train")
    rows = tuple(row for row in STRENGTHS if row.l1 > 0.05 or row.l2 > 0.1)
    training = dict(optimizer="momentum", learning_rate=0.4, epochs=4000, frames=1)
    history = train(dataset, rows, **training)
    for k, row in enumerate(rows):
        expected, intercept = solve(table.task, row, X, y)
        np.testing.assert_allclose(history.weights(k)[0].T, expected, rtol=0, atol=1e-5)
        np.testing.assert_allclose(history.biases(k)[0], intercept, rtol=0, atol=1e-5)
        if row.l1:  # without L1, the weight of a constant column tends to 0
            np.testing.assert_array_equal(history.weights(k)[0].T == 0, expected == 0)
    n_zeros = [int((history.weights(k)[0] == 0).sum()) for k in range(len(rows))]
    assert max(n_zeros) > 0


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_two_logit_softmax_halves_the_strength_of_a_sigmoid(optimizer):
    training = dict(optimizer=optimizer, learning_rate=0.02, epochs=3000)
    sigmoid = train(Dataset(X, Y["binary"]), (Regularization(l2=0.1),), **training)
    softmax = train(
        Dataset(X, Y["binary"], task="multiclass"), (Regularization(l2=0.2),), **training
    )
    np.testing.assert_allclose(softmax.predict(X)[0, :, 1], sigmoid.predict(X)[0], atol=1e-5)


# ------------------------------------------------------------------------------ 2. KKT conditions


@pytest.mark.parametrize("task", ["regression", "binary"])
@pytest.mark.parametrize(
    "training",
    [
        dict(optimizer="sgd", learning_rate=1, epochs=6000),
        dict(optimizer="momentum", learning_rate=0.1, epochs=6000),
        # with the default epsilon, Adam's steps grow without bound as gradients vanish
        dict(optimizer="adam", learning_rate=0.01, epochs=6000, epsilon=0.01),
    ],
    ids=lambda training: training["optimizer"],
)
def test_stationary_networks_satisfy_the_optimality_conditions(
    training, task, as_module, torch_loss
):
    rng = np.random.default_rng(1)
    points = standardized(rng.normal(size=(80, 3)))
    smooth = np.tanh(1.5 * points[:, 0] - points[:, 1]) + 0.3 * points[:, 1]
    target = smooth + 0.1 * rng.normal(size=80)
    y = target if task == "regression" else (smooth > rng.normal(size=80)).astype(float)
    rows = (
        Regularization(l1=0.01),
        Regularization(l1=0.02),
        Regularization(l2=0.05),
        Regularization.elastic_net(0.03, l1_ratio=0.5),
    )
    history = train(Dataset(points, y, task=task), rows, hidden=(4,), **training)
    for k, row in enumerate(rows):
        module = as_module(history.weights(k), history.biases(k), "tanh")
        torch_loss(module(torch.tensor(points)), torch.tensor(y), task).backward()
        w = torch.cat([layer.weight.detach().flatten() for layer in module[::2]])
        g = torch.cat([layer.weight.grad.flatten() for layer in module[::2]])
        zero = w == 0
        assert (g[zero].abs() <= row.l1 + 1e-5).all()
        expected = -row.l1 * w.sign() - row.l2 * w
        torch.testing.assert_close(g[~zero], expected[~zero], rtol=0, atol=1e-5)
        for layer in module[::2]:  # biases are not penalised
            assert layer.bias.grad.abs().max() <= 1e-5
        assert bool(zero.any()) == (row.l1 > 0)
        assert not zero.all()


@pytest.mark.parametrize(
    "training",
    [
        dict(optimizer="sgd", learning_rate=0.5, epochs=8000),
        dict(optimizer="momentum", learning_rate=0.1, epochs=6000),
        dict(optimizer="adam", learning_rate=0.01, epochs=8000, epsilon=0.01),
    ],
    ids=lambda training: training["optimizer"],
)
def test_stationary_networks_satisfy_the_optimality_conditions_of_the_group_lasso(
    training, as_module, torch_loss
):
    rng = np.random.default_rng(1)
    points = standardized(rng.normal(size=(80, 3)))
    y = np.tanh(1.5 * points[:, 0] - points[:, 1]) + 0.1 * rng.normal(size=80)
    rows = (
        Regularization(group_lasso=0.02),
        Regularization(group_lasso=0.01, l2=0.02),
        Regularization(group_lasso=0.01, l1=0.005, l2=0.01),
    )
    history = train(Dataset(points, y, task="regression"), rows, hidden=(6,), **training)
    for k, row in enumerate(rows):
        module = as_module(history.weights(k), history.biases(k), "tanh")
        torch_loss(module(torch.tensor(points)), torch.tensor(y), "regression").backward()
        strength = row.group_lasso * math.sqrt(3)
        weights, gradients = (
            module[0].weight.detach(),
            module[0].weight.grad + row.l2 * module[0].weight.detach(),
        )
        gone = (weights == 0).all(1)
        assert 0 < gone.sum() < 6
        # of a unit that is gone, the gradient beyond L1's threshold is within the ball
        beyond = (gradients[gone].abs() - row.l1).clamp(min=0)
        assert (beyond.norm(dim=1) <= strength + 1e-5).all()
        kept, gradient = weights[~gone], gradients[~gone]
        gradient = gradient + strength * kept / kept.norm(dim=1, keepdim=True)
        expected = -row.l1 * kept.sign()
        torch.testing.assert_close(gradient[kept != 0], expected[kept != 0], rtol=0, atol=1e-5)
        assert (gradient[kept == 0].abs() <= row.l1 + 1e-5).all()
        assert row.l1 or (kept != 0).all()


# ------------------------------------------------------------------------------ 3. lambda max


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_a_logistic_model_is_all_zero_from_lambda_max_on(optimizer):
    y = Y["binary"]
    largest = np.abs(X.T @ (y - y.mean())).max() / N
    factors = (0.9, 0.999, 1.001, 1.1)
    rows = tuple(Regularization(l1=factor * largest) for factor in factors)
    history = train(
        Dataset(X, y), rows, optimizer=optimizer, learning_rate=0.02, epochs=4000, momentum=0.95
    )
    for k, factor in enumerate(factors):
        weights = history.weights(k)[0]
        assert (weights == 0).all() == (factor > 1)
        if factor > 1:  # only the intercept is left
            odds = math.log(y.mean() / (1 - y.mean()))
            np.testing.assert_allclose(history.biases(k)[0], odds, atol=1e-5)
    assert (history.weights(1)[0] != 0).sum() == 1


# ------------------------------------------------------- 4. constant against proportional shrinkage


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("training", "step"),
    [
        (dict(optimizer="sgd", learning_rate=0.05), 0.05),
        (dict(optimizer="momentum", learning_rate=0.01, momentum=0.8), 0.05),
        # without a gradient Adam's denominator is epsilon
        (dict(optimizer="adam", learning_rate=0.05, epsilon=1), 0.05),
        (dict(optimizer="adam", learning_rate=0.0005, epsilon=0.01), 0.05),
    ],
    ids=["sgd", "momentum", "adam", "adam-epsilon"],
)
def test_without_data_l1_shrinks_by_a_constant_and_l2_by_a_proportion(training, step, dtype):
    # columns of zeros give their weights no gradient
    dataset = Dataset(np.zeros((5, 6)), np.zeros(5), task="regression")
    l1, l2 = 0.31, 0.7
    rows = (
        Regularization(l1=l1),
        Regularization(l2=l2),
        Regularization(l2=l2, decoupled=True),
        Regularization(l1=l1, l2=l2),
    )
    history = train(dataset, rows, epochs=100, dtype=dtype, **training)
    w0 = history.weights(0, 0)[0].astype(float)
    precision = dict(rtol=1e-12, atol=1e-15) if dtype == "float64" else dict(rtol=1e-4, atol=1e-6)
    steps = np.ceil(np.abs(w0) / (step * l1))
    assert steps.max() < 100
    assert steps.min() > 1
    both = w0
    for t in range(101):
        constant, proportional, decoupled, mixed = (history.weights(k, t)[0] for k in range(4))
        np.testing.assert_array_equal(constant == 0, t >= steps)
        expected = np.sign(w0) * np.maximum(np.abs(w0) - t * step * l1, 0)
        np.testing.assert_allclose(constant, expected, rtol=0, atol=100 * precision["atol"])
        np.testing.assert_allclose(proportional, w0 / (1 + step * l2) ** t, **precision)
        factor = 1 - training["learning_rate"] * l2
        np.testing.assert_allclose(decoupled, w0 * factor**t, **precision)
        np.testing.assert_allclose(mixed, both, rtol=0, atol=100 * precision["atol"])
        both = np.sign(both) * np.maximum(np.abs(both) - step * l1, 0) / (1 + step * l2)
    assert (history.weights(1)[0] != 0).all()
    assert (history.weights(2)[0] != 0).all()


# ------------------------------------------------------------------------------ 5. dropout

RATES = (0.0, 0.1, 0.3, 0.5)


def linear_problem(n, seed):
    """Return columns of unequal scale and mean, so that each weight has another penalty."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, 3)) * [1.0, 0.7, 1.3] + [0.2, -0.4, 0.0]
    y = points @ [1.0, -0.8, 0.5] + 0.5 + 0.1 * rng.normal(size=n)
    return points, y


@pytest.mark.parametrize("rate", RATES[1:])
def test_input_dropouts_expected_gradient_is_that_of_wagers_ridge_penalty(rate):
    """Compute the expectation as a sum over all masks of a point, weighted by probability."""
    points, y = linear_problem(7, seed=4)
    layout = Layout((3, 1))
    w, b = np.array([0.7, -1.1, 0.4]), 0.3
    weights = layout.split(torch.tensor([[*w, b]]))
    given = torch.tensor(points), torch.tensor(y)[:, None]
    expectation = np.zeros(4)
    for dropped in itertools.product([False, True], repeat=3):
        probability = np.prod(np.where(dropped, rate, 1 - rate))
        # a random number below the keep probability keeps the input
        draws = torch.where(torch.tensor(dropped), 1 - rate / 2, (1 - rate) / 2).double()
        mask = dropout_mask(draws, torch.tensor(rate, dtype=torch.float64))
        masks = [mask[None, :, None].expand(1, 3, len(y))]
        (found,) = gradient(weights, *given, masks, "linear", "regression")
        expectation += probability * found.flatten().numpy()
    residual = points @ w + b - y
    penalty = rate / (1 - rate) * w * np.mean(points**2, axis=0)
    expected = [*(points.T @ residual / len(y) + penalty), residual.mean()]
    np.testing.assert_allclose(expectation, expected, rtol=1e-12)


def test_training_with_input_dropout_converges_to_wagers_ridge():
    """The mean of the late iterates is the ridge solution: the recursion is linear in the weights.

    The bound is five standard errors of that mean. Frames are at least 30 epochs apart, three times
    the 1 / (0.2 * 0.5) epochs in which the iterates forget, so they count as independent.
    """
    n = 1000
    points, y = linear_problem(n, seed=5)
    rows = tuple(Regularization(input_drop_rate=rate) for rate in RATES)
    history = train(Dataset(points, y, task="regression"), rows, learning_rate=0.2, epochs=5000)
    late = np.flatnonzero(np.diff(history.epochs, prepend=-1000) >= 30)[1:]
    assert len(late) > 40
    design = np.column_stack([points, np.ones(n)])
    plain = np.linalg.lstsq(design, y, rcond=None)[0]
    for k, rate in enumerate(RATES):
        ridge = rate / (1 - rate) * np.diag([*np.mean(points**2, axis=0), 0])
        expected = np.linalg.solve(design.T @ design / n + ridge, design.T @ y / n)
        frames = np.array(
            [[*history.weights(k, t)[0][:, 0], *history.biases(k, t)[0]] for t in late]
        )
        error = frames.std(axis=0, ddof=1) / math.sqrt(len(late))
        assert (np.abs(frames.mean(axis=0) - expected) <= 5 * error + 1e-12).all()
        # the solution without dropout differs by more
        if rate:
            assert (np.abs(plain - expected)[:3] > 10 * error[:3]).all()


# ------------------------------------------------------------------------------ 7. early stopping


def test_early_stopping_is_within_the_known_factor_of_ridge():
    """Gradient flow against ridge with ``l2 = 1 / t``: 1 <= ratio <= 1.2985 (Ali et al. 2019)."""
    # small steps approximate the flow: they raise the ratio by 0.18 * rate * eigenvalue
    n, eigenvalues, rate, epochs = 8, np.array([1.0, 0.5, 0.25]), 4e-4, 20_000
    walsh = np.array([[(-1) ** bin(i & j).count("1") for j in (1, 2, 4)] for i in range(n)])
    points = walsh * np.sqrt(eigenvalues)  # orthogonal, centred columns
    np.testing.assert_allclose(points.T @ points / n, np.diag(eigenvalues), atol=1e-15)
    optimum = np.array([3.0, -5.0, 4.0])
    scale = 1e9  # large compared with the initial weights, which are below 2
    y = scale * (points @ optimum)
    history = train(
        Dataset(points, y, task="regression"),
        (Regularization(),),
        learning_rate=rate,
        epochs=epochs,
    )
    ratios = []
    for t, epoch in list(enumerate(history.epochs))[20:]:
        time = rate * epoch
        fitted = history.weights(0, t)[0][:, 0]
        ridge = Ridge(alpha=n / time, tol=1e-12).fit(points, y).coef_
        ratios.append(fitted / ridge)
        flow = -np.expm1(epoch * np.log1p(-rate * eigenvalues))  # closed form of the steps
        np.testing.assert_allclose(fitted / (scale * optimum), flow, atol=1e-8)
    ratios = np.array(ratios)
    assert ratios.min() >= 1
    assert ratios.max() <= 1.2985
    assert (ratios.max(axis=0) > 1.29).all()  # the bound is attained at t * eigenvalue = 1.79


# ------------------------------------------------------------------------------ 10. grouping


@pytest.mark.parametrize(("optimizer", "learning_rate"), [("sgd", 0.1), ("adam", 0.02)])
def test_elastic_net_gives_identical_features_identical_weights(optimizer, learning_rate):
    rng = np.random.default_rng(6)
    column = rng.normal(size=(60, 1))
    points = standardized(np.hstack([column, column, rng.normal(size=(60, 1))]))
    y = points @ [1.0, 1.0, 0.5] + 0.1 * rng.normal(size=60)
    rows = (Regularization.elastic_net(0.2, l1_ratio=0.5), Regularization(l1=0.2))
    history = train(
        Dataset(points, y, task="regression"),
        rows,
        optimizer=optimizer,
        learning_rate=learning_rate,
        epochs=3000,
    )
    first, second, _ = history.weights(0)[0][:, 0]
    assert first > 0.5
    assert first == pytest.approx(second, abs=1e-5)
    # under L1 the split is arbitrary, and the sum is the weight of a single column
    first, second, _ = history.weights(1)[0][:, 0]
    single = ElasticNet(alpha=0.2, l1_ratio=1, tol=1e-12).fit(points[:, 1:], y).coef_
    assert first + second == pytest.approx(single[0], abs=1e-5)
