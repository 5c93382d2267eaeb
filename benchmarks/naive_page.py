"""Baseline of `benchmarks.serve`: a page that trains six networks one by one and uses Plotly.

    streamlit run benchmarks/naive_page.py

It is what is written in an afternoon: training by PyTorch in the script, with a figure of all
boundaries every few epochs. Points, networks and epochs are those of RegViz's first experiment.
"""

import itertools

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from plotly.subplots import make_subplots
from torch import nn

import regviz
from regviz.scenes.showcase import SHOWCASE

GRID = 64
EVERY = 20  # epochs between two figures
METHODS = {
    "None": {},
    "L1": {"l1": 0.003},
    "L2": {"l2": 0.01},
    "Elastic net": {"l1": 0.0015, "l2": 0.005},
    "Dropout": {"dropout": 0.2},
    "Max-norm": {"max_norm": 1.5, "dropout": 0.1},
}


def build(hidden: tuple[int, ...], dropout: float = 0.0) -> nn.Sequential:
    """Return a network with two inputs and one output."""
    modules: list[nn.Module] = []
    for fan_in, fan_out in itertools.pairwise((2, *hidden)):
        modules += [nn.Linear(fan_in, fan_out), nn.Tanh(), nn.Dropout(dropout)]
    return nn.Sequential(*modules, nn.Linear(hidden[-1], 1))


def train_epoch(
    model: nn.Sequential,
    optimizer: torch.optim.Optimizer,
    X: torch.Tensor,
    y: torch.Tensor,
    batch_size: int,
    l1: float = 0.0,
    l2: float = 0.0,
    max_norm: float = 0.0,
) -> None:
    """Train one epoch of mini-batches."""
    loss_of = nn.BCEWithLogitsLoss()
    layers = [module for module in model if isinstance(module, nn.Linear)]
    model.train()
    for batch in torch.randperm(len(X)).split(batch_size):
        optimizer.zero_grad()
        loss = loss_of(model(X[batch]), y[batch])
        if l1:
            loss = loss + l1 * sum(layer.weight.abs().sum() for layer in layers)
        if l2:
            loss = loss + l2 / 2 * sum(layer.weight.square().sum() for layer in layers)
        loss.backward()
        optimizer.step()
        if max_norm:
            with torch.no_grad():
                for layer in layers[:-1]:
                    layer.weight.copy_(layer.weight.renorm(2, 0, max_norm))


def figure(models: list[nn.Sequential], X: np.ndarray, y: np.ndarray, title: str) -> go.Figure:
    """Plot the predictions of every network over the plane, with the training points."""
    axis = np.linspace(-2.5, 2.5, GRID, dtype=np.float32)
    points = torch.from_numpy(np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2))
    drawn = make_subplots(2, 3, subplot_titles=list(METHODS))
    for k, model in enumerate(models):
        model.eval()
        with torch.no_grad():
            z = torch.sigmoid(model(points)).reshape(GRID, GRID).numpy()
        where = {"row": k // 3 + 1, "col": k % 3 + 1}
        drawn.add_trace(
            go.Heatmap(x=axis, y=axis, z=z, zmin=0, zmax=1, colorscale="RdBu", showscale=False),
            **where,
        )
        drawn.add_trace(
            go.Scatter(x=X[:, 0], y=X[:, 1], mode="markers", marker={"color": y}), **where
        )
    drawn.update_layout(title=title, height=700, showlegend=False)
    return drawn


def main() -> None:
    """Show the page. Each rerun of the script trains from the beginning."""
    st.title("Regularization")
    spec, training, hidden = SHOWCASE.data, SHOWCASE.training, SHOWCASE.network.hidden
    seed = int(st.sidebar.number_input("Seed", 0, 1_000_000, spec.seed, key="seed"))
    dataset = regviz.make_dataset(
        regviz.DataSpec(
            spec.name,
            n_samples=spec.n_samples,
            noise=spec.noise,
            train_fraction=spec.train_fraction,
            validation_fraction=spec.validation_fraction,
            seed=seed,
        )
    )
    X = torch.tensor(dataset.X_train, dtype=torch.float32)
    y = torch.tensor(dataset.y_train, dtype=torch.float32)[:, None]
    torch.manual_seed(seed)
    models, optimizers = [], []
    for options in METHODS.values():
        model = build(hidden, options.get("dropout", 0.0))
        models.append(model)
        optimizers.append(
            torch.optim.SGD(model.parameters(), training.learning_rate, training.momentum)
        )
    place, progress = st.empty(), st.progress(0.0)
    for epoch in range(1, training.epochs + 1):
        for model, optimizer, options in zip(models, optimizers, METHODS.values(), strict=True):
            penalties = {name: value for name, value in options.items() if name != "dropout"}
            train_epoch(model, optimizer, X, y, training.batch_size or len(X), **penalties)
        if epoch % EVERY == 0:
            shown = figure(models, dataset.X_train, dataset.y_train, f"Epoch {epoch} · seed={seed}")
            place.plotly_chart(shown, key=f"epoch {epoch}")
            progress.progress(epoch / training.epochs)


main()
