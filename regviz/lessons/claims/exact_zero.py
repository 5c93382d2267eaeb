"""Lesson 4: why L1 reaches 0 exactly, and L2 does not."""

import math
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

import regviz
from regviz.analysis.penalties import LeastSquares, level_set
from regviz.engine.layout import input_features
from regviz.lessons.claim import Result, claim
from regviz.spec.experiment import FEATURES

N_WEIGHTS = 40  # of the network without data
RATE, L1, L2 = 0.1, 0.05, 0.05  # learning rate η and strengths
_FREE = regviz.TrainingSpec(
    "sgd", learning_rate=RATE, batch_size=None, epochs=200, dtype="float64", frames=200
)


@claim(
    "With no data to resist, L1 takes a weight w₀ to exactly 0 in ⌈|w₀|/(ηλ₁)⌉ steps.",
    source="Parikh & Boyd 2014",
)
def l1_arrives(seed: int) -> Result:
    """Follow 40 weights of random start whose data gradient is 0."""
    weights = _without_data(seed, regviz.Regularization(l1=L1))
    arrival = (weights == 0).argmax(axis=0)
    predicted = [math.ceil(abs(start) / (RATE * L1)) for start in weights[0]]
    figures = {
        "steps_first": arrival.min(),
        "steps_last": arrival.max(),
        "largest_start": np.abs(weights[0]).max(),
    }
    stays = (weights[-1] == 0).all()
    return Result(stays and arrival.tolist() == predicted, figures)


@claim(
    "With no data to resist, L2 divides a weight by 1 + ηλ₂ in every step, and it is never 0.",
    source="Krogh & Hertz 1991",
)
def l2_never_arrives(seed: int) -> Result:
    """Follow the same 40 weights under L2 for as many steps."""
    weights = _without_data(seed, regviz.Regularization(l2=L2))
    steps = np.arange(len(weights))[:, None]
    expected = weights[0] / (1 + RATE * L2) ** steps
    figures = {"share_left": np.mean(weights[-1] / weights[0]), "steps": len(weights) - 1}
    exact = np.allclose(weights, expected, rtol=1e-10, atol=0)
    return Result(exact and (weights != 0).all(), figures)


@claim(
    "Of random problems with two weights, the diamond's point of lowest loss is a corner, where one"
    " weight is exactly 0, in more than half; the circle's is on an axis in none.",
    source="Tibshirani 1996",
)
def diamonds_have_corners(seed: int) -> Result:
    """Search the lowest loss on the diamond and on the circle of 100 random problems."""
    rng = np.random.default_rng(seed)
    n_problems, corners, axes, agree = 100, 0, 0, True
    diamond, circle = (
        level_set(row, 1.0, n=14401)
        for row in (regviz.Regularization(l1=1), regviz.Regularization(l2=2))
    )
    for _ in range(n_problems):
        angle, correlation = rng.uniform(0, 2 * np.pi), rng.uniform(-0.5, 0.5)
        optimum = 3 * np.array([np.cos(angle), np.sin(angle)])
        problem = LeastSquares((float(optimum[0]), float(optimum[1])), correlation)
        lowest = diamond[problem.loss(diamond).argmin()]
        on_circle = circle[problem.loss(circle).argmin()]
        is_corner = bool(np.isclose(lowest, 0, atol=1e-12).any())
        corners += is_corner
        axes += _is_minimum_on_axis(problem, on_circle)
        agree &= is_corner == _is_corner_optimal(problem, diamond[::3600][:4])
    figures = {"corners": corners / n_problems, "axes": axes / n_problems}
    return Result(agree and figures["corners"] > 0.5 and axes == 0, figures)


@claim(
    "Descending along the gradient λ₁·sign(w) instead brings no weight to exactly 0; the proximal"
    " step does, with the same data, rate and strength.",
    source="Duchi & Singer 2009",
)
def a_gradient_alone_never_arrives(seed: int) -> Result:
    """Train a linear model by autograd on the penalty, and by the proximal step."""
    data = regviz.DataSpec("xor", noise=0.1, validation_fraction=0, seed=seed)
    training = replace(_FREE, epochs=300, frames=1, seed=seed)
    network = regviz.NetworkSpec((), features=FEATURES)
    rows = (regviz.Regularization(l1=0.1),)
    history = regviz.train(regviz.Experiment(data, network, training, rows))
    X, y = (torch.from_numpy(np.array(part)) for part in history.dataset.points("train"))
    inputs = input_features(X, FEATURES)
    w = torch.tensor(history.weights(0, 0)[0][:, 0].copy(), requires_grad=True)
    b = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    descent = torch.optim.SGD([w, b], lr=training.learning_rate)
    for _ in range(training.epochs):
        descent.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(inputs @ w + b, y)
        objective = loss + rows[0].l1 * w.abs().sum()
        objective.backward()  # type: ignore[no-untyped-call]
        descent.step()
    zeros = int((history.weights(0)[0] == 0).sum())
    zeros_of_gradient = int((w == 0).sum())
    figures = {
        "zeros": zeros,
        "zeros_of_gradient": zeros_of_gradient,
        "smallest_of_gradient": w.abs().min().item(),
    }
    return Result(zeros > 0 and zeros_of_gradient == 0, figures)


def _without_data(seed: int, row: regviz.Regularization) -> NDArray[np.float64]:
    """Return a linear network's weights of shape (steps + 1, N_WEIGHTS), with all inputs 0."""
    points = regviz.Dataset(np.zeros((4, N_WEIGHTS)), np.zeros(4), task="regression")
    training = replace(_FREE, seed=seed)
    experiment = regviz.Experiment(points.spec, regviz.NetworkSpec(()), training, (row,))
    history = regviz.train(experiment, points)
    return np.asarray(history.parameters[:, 0, history.layout.is_weight])


def _is_corner_optimal(problem: LeastSquares, corners: NDArray[np.floating]) -> bool:
    """Return whether a corner of the diamond satisfies the optimality conditions.

    At a corner, where only weight j is not 0, the loss falls outwards along j, and its slope along
    the other weight is not steeper.
    """
    for corner in corners:
        j = int(np.abs(corner).argmax())
        gradient = problem.gradient(corner)
        outwards = -gradient[j] * np.sign(corner[j])
        if outwards > 0 and abs(gradient[1 - j]) <= outwards:
            return True
    return False


def _is_minimum_on_axis(problem: LeastSquares, point: NDArray[np.float64]) -> bool:
    """Return whether the circle's lowest point, near `point`, has a weight of exactly 0.

    It is on an axis only if the gradient there has the axis's direction.
    """
    j = int(np.abs(point).argmax())
    axis = np.zeros(2)
    axis[j] = np.sign(point[j])
    return bool(problem.gradient(axis)[1 - j] == 0)
