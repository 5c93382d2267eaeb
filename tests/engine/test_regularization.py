"""Tests of penalties, proximal maps, max-norm projection and dropout masks."""

import itertools
import math

import pytest
import torch
from torch.nn.utils import clip_grad_norm_

from regviz.engine.regularization import dropout_mask, penalty, project_, shrink_, shrink_groups_

STRENGTHS = [(0.0, 0.0), (0.3, 0.0), (0.0, 0.7), (0.3, 0.7), (2.0, 0.1)]


def shrunk(z, threshold, factor):
    """Return a copy after ``shrink_``."""
    weights = z.clone()
    shrink_(weights, (-threshold, threshold), factor)
    return weights


def projected(weights, radius):
    """Return a copy after ``project_``, with one radius for each matrix."""
    found = weights.clone()
    project_(found, radius)
    return found


def test_the_penalty_equals_the_articles_worked_examples():
    weights = torch.tensor([-1.0, -2.5], dtype=torch.float64)
    assert penalty(weights, 1, 0) == 3.5
    assert penalty(weights, 0, 2) == 7.25
    assert penalty(weights, 0.1, 0.2).item() == pytest.approx(0.35 + 0.725, rel=1e-15)
    rows = torch.stack([weights, 2 * weights])
    found = penalty(rows, torch.tensor([1.0, 0.5]), torch.tensor([0.0, 1.0]))
    torch.testing.assert_close(found, torch.tensor([3.5, 3.5 + 14.5]).double())


@pytest.mark.parametrize("step", [0.05, 1.0])
@pytest.mark.parametrize(("l1", "l2"), STRENGTHS)
def test_shrinking_solves_the_proximal_problem(l1, l2, step):
    # min_w (w - z)^2 / 2t + l1 |w| + l2/2 w^2: the subgradient at the solution holds 0
    z = torch.cat([torch.linspace(-3, 3, 241, dtype=torch.float64), torch.zeros(1).double()])
    w = shrunk(z, torch.full_like(z, step * l1), torch.full_like(z, 1 / (1 + step * l2)))
    smooth = (w - z) / step + l2 * w
    zero = w == 0
    assert (smooth[zero].abs() <= l1 * (1 + 1e-12)).all()
    torch.testing.assert_close(smooth[~zero], -l1 * w[~zero].sign(), rtol=0, atol=1e-12 / step)
    assert zero.sum() == (z.abs() <= step * l1).sum()


def test_weights_within_the_threshold_become_exactly_zero_in_float32_too():
    threshold = torch.tensor(0.1)
    z = torch.tensor([0.1, -0.1, 0.0999999, 1e-45, -0.0, 0.0]).float()
    assert (shrunk(z, threshold.expand(6), 1) == 0).all()
    assert (shrunk(torch.nextafter(z[:2], 10 * z[:2]), threshold.expand(2), 1) != 0).all()


def test_a_row_without_strength_beside_others_keeps_its_bits():
    z = torch.randn(3, 50)
    zeros, ones = torch.zeros_like(z), torch.ones_like(z)
    found = shrunk(z, zeros, ones)
    assert found.numpy().tobytes() == z.numpy().tobytes()
    assert shrunk(z, zeros, 1).numpy().tobytes() == z.numpy().tobytes()


def groups_shrunk(z, thresholds):
    """Return a copy after ``shrink_groups_``."""
    weights = z.clone()
    shrink_groups_(weights, thresholds)
    return weights


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_groups_with_one_threshold_shrink_by_the_closed_form(dtype):
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(4000, 5, generator=generator, dtype=torch.float64)
    thresholds = torch.logspace(-9, 2, 4000, dtype=torch.float64)[:, None].expand(-1, 5)
    norm = z.norm(dim=1, keepdim=True)
    expected = z * (1 - thresholds / norm).clamp(min=0)
    found = groups_shrunk(z.to(dtype), thresholds.to(dtype))
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=10 * torch.finfo(dtype).eps)
    clear = ((norm - thresholds[:, :1]).abs() > 1e-5 * norm).expand(-1, 5)
    assert torch.equal((found == 0)[clear], (expected == 0)[clear])
    n_zeros = (found == 0).sum(1)
    assert set(n_zeros.tolist()) == {0, 5}


@pytest.mark.parametrize("spread", [0.0, 1.0, 4.0, 8.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_groups_with_any_thresholds_solve_the_proximal_problem(spread, dtype):
    # min_v sum((v - z)^2 / 2t) + |v|: the subgradient at the solution holds 0
    generator = torch.Generator().manual_seed(1)
    uniform = torch.rand(3000, 6, generator=generator, dtype=torch.float64)
    sizes = torch.logspace(-3, 2, 3000, dtype=torch.float64)[:, None]
    z = torch.randn(3000, 6, generator=generator, dtype=torch.float64)
    t = sizes * 10 ** (spread * (uniform - 0.5))
    z, t = z.to(dtype), t.to(dtype)
    v = groups_shrunk(z, t)
    smooth, unit = (v - z).double() / t.double(), v.double()
    norm = unit.norm(dim=1, keepdim=True)
    zero = norm[:, 0] == 0
    assert 0.01 < zero.double().mean() < 0.9
    assert torch.equal((v == 0).all(1), (v == 0).any(1))
    error = 1e-6 if dtype == torch.float32 else 1e-12
    assert (smooth[zero].norm(dim=1) <= 1 + error).all()
    residual = (t.double() * (smooth + unit / norm))[~zero]
    scale = z.double().norm(dim=1, keepdim=True)[~zero]
    assert (residual.abs() <= error * scale).all()


def test_groups_without_strength_beside_others_keep_their_bits():
    z = torch.randn(3, 50)
    thresholds = torch.tensor([0.0, 1.0, 0.0])[:, None].expand(-1, 50)
    found = groups_shrunk(z, thresholds)
    assert found[[0, 2]].numpy().tobytes() == z[[0, 2]].numpy().tobytes()
    assert (found[1] != z[1]).all()


def test_projection_equals_the_closed_form_and_leaves_rows_inside_untouched():
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(6, 5, 4, generator=generator) * torch.logspace(-2, 2, 6)[:, None, None]
    weights[2, 3] = 0
    radius = torch.tensor([1.0, 0.5, 1.0, math.inf, 3.0, 1.5])[:, None, None]
    found = projected(weights, radius)
    inside_seen = outside_seen = 0
    for k in range(6):
        for unit in range(5):
            before, after = weights[k, unit], found[k, unit]
            norm, c = math.fsum(before.double() ** 2) ** 0.5, float(radius[k])
            if norm <= c:
                inside_seen += 1
                assert after.numpy().tobytes() == before.numpy().tobytes()
            else:
                outside_seen += 1
                torch.testing.assert_close(after, before * (c / norm), rtol=1e-6, atol=0)
                assert after.double().norm() <= c * (1 + 1e-6)
    assert min(inside_seen, outside_seen) >= 5
    again = projected(found, radius)
    torch.testing.assert_close(again, found, rtol=1e-6, atol=0)


def test_projection_equals_torchs_gradient_clipping():
    # the same map as gradient clipping, up to the 1e-6 that torch adds to the norm
    weights = torch.randn(20, 7, dtype=torch.float64) * 2
    found = projected(weights, torch.full((20, 1), 1.5, dtype=torch.float64))
    for before, after in zip(weights, found, strict=True):
        parameter = torch.nn.Parameter(torch.zeros_like(before))
        parameter.grad = before.clone()
        clip_grad_norm_([parameter], 1.5)
        torch.testing.assert_close(after, parameter.grad, rtol=2e-6, atol=0)


@pytest.mark.parametrize("size", [1e-15, 1e15])
def test_projection_holds_for_tiny_and_huge_weights(size):
    weights = size * torch.tensor([[3.0, 4.0], [0.3, 0.4]])
    radius = torch.tensor([[size], [size]])
    found = projected(weights, radius) / size
    torch.testing.assert_close(found, torch.tensor([[0.6, 0.8], [0.3, 0.4]]), rtol=1e-6, atol=0)


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.25, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dropouts_mask_keeps_the_keep_probability_and_the_expectation(rate, dtype):
    n = 100_000  # evenly spaced draws: shares are exact up to the grid's step
    uniform = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    mask = dropout_mask(uniform.to(dtype), torch.tensor(rate, dtype=dtype))
    assert (mask > 0).double().mean().item() == pytest.approx(1 - rate, abs=1.5 / n)
    assert mask.double().mean().item() == pytest.approx(1, rel=2 / n / (1 - rate))
    assert set(mask.unique().tolist()) <= {0.0, float(1 / (1 - torch.tensor(rate, dtype=dtype)))}


def test_what_a_higher_rate_keeps_a_lower_rate_keeps_too():
    uniform = torch.rand(1, 4, 5000, generator=torch.Generator().manual_seed(2))
    rates = torch.tensor([0.0, 0.1, 0.4, 0.4, 0.8])[:, None, None]
    kept = dropout_mask(uniform, rates) > 0
    assert kept[0].all()
    for more, less in itertools.pairwise(kept):
        assert (more | ~less).all()
    assert torch.equal(kept[2], kept[3])
    assert kept[1].sum() > kept[2].sum() > kept[4].sum()
