"""Lesson 11: under normalization, L2 changes the effective learning rate and not the function."""

from dataclasses import replace

import numpy as np
import torch

import regviz
from regviz.lessons.claim import Result, claim

L2 = 0.005
NONE, DECAY = range(2)  # rows of an experiment
_SOURCE = "van Laarhoven 2017"


def _history(seed: int, normalization: str) -> regviz.History:
    """Train ReLU networks by SGD on 100 points of moons, with 900 test points."""
    return regviz.train(
        regviz.Experiment(
            regviz.DataSpec(
                "moons", 1000, 0.35, train_fraction=0.1, validation_fraction=0, seed=seed
            ),
            regviz.NetworkSpec((16, 16), "relu", normalization=normalization),
            regviz.TrainingSpec("sgd", 0.1, 20, 300, frames=1, seed=seed),
            (regviz.Regularization(), regviz.Regularization(l2=L2)),
        )
    )


@claim(
    "Ten times the weights and biases of the hidden layers change no probability by more than 0.001"
    " with layer normalization, and some by over 0.1 without.",
    _SOURCE,
)
def scale_does_not_matter(seed: int) -> Result:
    """Multiply the hidden layers' weights and biases of a trained network by ten."""
    changes = []
    for normalization in ("layer", "none"):
        history = _history(seed, normalization)
        scaled = history.parameters[-1:].copy()
        for block in history.layout.split(scaled[0])[:-1]:
            block *= 10
        larger = replace(history, parameters=scaled, epochs=history.epochs[-1:])
        X, _ = history.dataset.points("test")
        change = np.abs(larger.predict(X)[NONE] - history.predict(X)[NONE]).max()
        changes.append(round(float(change), 3))
    with_layer, without = changes
    return Result(with_layer <= 0.001 and without > 0.1, {"layer": with_layer, "none": without})


@claim("With batch normalization, L2 shrinks the weights and raises the effective rate.", _SOURCE)
def the_rate_rises(seed: int) -> Result:
    """Compare the norm and the rate of the first layer with and without L2."""
    history = _history(seed, "batch")
    rates = history.effective_rates()[:, 0]
    norms = [float(np.linalg.norm(history.weights(k)[0])) for k in (NONE, DECAY)]
    figures = {
        "norm_none": norms[NONE],
        "norm_l2": norms[DECAY],
        "rate_none": rates[NONE],
        "rate_l2": rates[DECAY],
    }
    return Result(norms[DECAY] < norms[NONE] and rates[DECAY] > 2 * rates[NONE], figures)


@claim("L2 changes the test loss less with batch normalization than without.", _SOURCE)
def l2_loses_its_effect(seed: int) -> Result:
    """Compare the differences of the test losses with and without L2."""
    changes = []
    for normalization in ("none", "batch"):
        losses = _history(seed, normalization).metrics["test_loss"][-1]
        changes.append(float(losses[DECAY] - losses[NONE]))
    plain, batch = changes
    return Result(abs(batch) < abs(plain), {"none": plain, "batch": batch})


@claim(
    "L2 on a normalized layer, and no L2 with a growing learning rate, give the same function.",
    "Li & Arora 2020",
)
def equal_at_a_matched_rate(seed: int) -> Result:
    """Take steps ``w <- (w - eta g) / a`` with ``a = 1 + eta l2``, and ``w <- w - eta a^(2t) g``.

    Both for the weights ``w`` of a layer with batch normalization; the output weights take plain
    steps. As the gradient at ``c w`` is that at ``w`` divided by c, the second weights are a^t
    times the first.
    """
    data = regviz.make_dataset(regviz.DataSpec("moons", 200, 0.35, seed=seed))
    X, y = (torch.tensor(part) for part in data.points("train"))
    start = torch.Generator().manual_seed(seed)
    weights = torch.randn(2, 8, generator=start, dtype=torch.float64)
    outputs = torch.randn(8, generator=start, dtype=torch.float64) / 8**0.5

    def run(l2: float, growth: float, n_steps: int = 100, rate: float = 0.3) -> torch.Tensor:
        w, v = weights.clone(), outputs.clone()
        for t in range(n_steps):
            w.requires_grad_(True)
            v.requires_grad_(True)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(forward(w, v), y)
            of_w, of_v = torch.autograd.grad(loss, [w, v])
            w = ((w - rate * growth**t * of_w) / (1 + rate * l2)).detach()
            v = (v - rate * of_v).detach()
        return forward(w, v).sigmoid()

    def forward(w: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        z = X @ w
        return ((z - z.mean(dim=0)) / z.std(dim=0, unbiased=False)).relu() @ v

    with_l2, matched, plain = run(0.02, 1), run(0, (1 + 0.3 * 0.02) ** 2), run(0, 1)
    figures = {
        "matched": round(float((with_l2 - matched).abs().max()), 6),
        "same_rate": float((with_l2 - plain).abs().max()),
    }
    return Result(figures["matched"] == 0 and figures["same_rate"] > 1e-3, figures)
