"""Fixtures for all tests: one torch thread, and networks and losses built with `torch.nn`."""

import asyncio
import gc
import json
import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from regviz.engine import compiled
from regviz.jobs.run import Run
from regviz.jobs.scheduler import SHARED
from regviz.scenes.frames import FrameSelector
from regviz.server import state
from regviz.server.logs import JsonLines
from tests.support.recordings import HalfUntil
from tests.support.waiting import wait_until

torch.set_num_threads(1)
compiled.prepare()

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.01),
    "sigmoid": nn.Sigmoid,
    "linear": nn.Identity,
}


# modules of few long tests, longest first
LONG_MODULES = (
    *("browser/test_axe.py", "browser/test_page.py", "browser/test_workbench.py"),
    *("browser/test_claims.py", "browser/test_access.py", "browser/test_pins.py"),
    *("browser/test_project.py", "browser/test_security.py", "browser/test_board.py"),
    *("browser/test_views.py", "browser/test_cluster.py", "browser/test_change.py"),
    *("browser/test_embedding.py", "browser/test_own_points.py", "browser/test_waiting.py"),
    *("browser/test_without_patches.py", "browser/test_engines.py", "browser/test_classroom.py"),
    *("browser/test_update.py", "browser/test_seeds.py", "browser/test_study.py"),
    *("browser/test_notebook.py", "browser/test_learn.py", "studies/test_kills.py"),
    *("studies/test_cluster.py", "project/test_cluster_guide.py"),
    *("engine/test_kernel.py", "project/test_installation.py", "programs/test_programs.py"),
    *("project/test_readme.py", "pages/test_playground.py", "scenes/test_frames.py"),
    *("project/test_extending.py", "project/test_notebooks.py", "scenes/test_claims.py"),
    *("project/test_documentation.py", "project/test_papers.py", "site/test_site.py"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort modules by duration, as workers of xdist end together if they begin with long ones.

    xdist itself sorts by the number of tests, unless it has the option `--no-loadscope-reorder`.
    """
    n_tests = Counter(item.path for item in items)

    def rank(path: Path) -> tuple[int, int, Path]:
        name = f"{path.parent.name}/{path.name}"
        n_before = LONG_MODULES.index(name) if name in LONG_MODULES else len(LONG_MODULES)
        return n_before, -n_tests[path], path

    items.sort(key=lambda item: rank(item.path))


@pytest.fixture(autouse=True, scope="module")
def frozen_imports() -> None:
    """Exclude imported modules from garbage collection, which each run of a page triggers.

    Files that other modules have left open are no fault of this one's first test.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="module")
def hidden_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hide Playwright's event loop from other modules than the browser's.

    The loop counts as running in this thread from the first browser test on, so that `asyncio.run`
    refuses to start another.
    """
    loop = asyncio._get_running_loop()
    is_hidden = "browser" not in request.path.parts
    if is_hidden:
        asyncio._set_running_loop(None)
    yield
    if is_hidden:
        asyncio._set_running_loop(loop)


@pytest.fixture(scope="session")
def as_module() -> Callable[..., nn.Sequential]:
    """A function that builds a float64 `torch.nn` network from weights and biases."""

    def build(
        weights: Sequence[NDArray[np.floating]],
        biases: Sequence[NDArray[np.floating]],
        activation: str,
    ) -> nn.Sequential:
        module = nn.Sequential()
        for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            if i:
                module.append(ACTIVATIONS[activation]())
            linear = nn.Linear(*weight.shape, dtype=torch.float64)
            with torch.no_grad():
                linear.weight.copy_(torch.tensor(weight.T))
                linear.bias.copy_(torch.tensor(bias))
            module.append(linear)
        return module

    return build


@pytest.fixture(scope="session")
def torch_loss() -> Callable[[Tensor, Tensor, str], Tensor]:
    """A function of raw outputs ``(n, n_outputs)`` that returns torch's mean data loss."""

    def loss(outputs: Tensor, y: Tensor, task: str) -> Tensor:
        if task == "multiclass":
            return nn.functional.cross_entropy(outputs, y.long())
        if task == "binary":
            return nn.functional.binary_cross_entropy_with_logits(outputs[:, 0], y)
        return nn.functional.mse_loss(outputs[:, 0], y) / 2

    return loss


@pytest.fixture
def half_until(monkeypatch: pytest.MonkeyPatch) -> HalfUntil:
    """A function that sets the frame from which on half precision is insufficient."""

    def set_limit(n: int) -> None:
        monkeypatch.setattr(FrameSelector, "half_suffices", lambda self, history, t: t < n)

    return set_limit


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Run]]:
    """The list of runs that a test of the page starts, which are stopped at its end."""
    started: list[Run] = []
    begin = Run.__init__

    def start(self: Run, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        started.append(self)

    monkeypatch.setattr(Run, "__init__", start)
    monkeypatch.setattr(state, "Scheduler", lambda *_: SHARED)
    yield started
    for run in started:
        for visitor in run.watchers():
            run.leave(visitor)
    wait_until(lambda: not len(SHARED))
    state.runs.cache_clear()


@pytest.fixture
def run_lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[dict]]:
    """The parsed log lines of runs."""
    wait_until(lambda: not len(SHARED))  # runs of earlier tests are logged when they end
    written: list[dict] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(json.loads(JsonLines().format(record)))

    logger, handler = logging.getLogger("regviz.runs"), Collect()
    with caplog.at_level("INFO", "regviz.runs"):
        logger.addHandler(handler)
        yield written
        logger.removeHandler(handler)
