"""The sidebar: from what a visitor chooses to the `Cube` that is trained and shown."""

import functools
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from regviz import palette
from regviz.board import EARLY_STOPPING
from regviz.cube import Cube
from regviz.datasets import make_dataset
from regviz.experiment import (
    ACTIVATIONS,
    DATASETS,
    FEATURES,
    OPTIMIZERS,
    DataSpec,
    NetworkSpec,
    TrainingSpec,
)
from regviz.pages.components import asset_component
from regviz.regularization import METHODS
from regviz.showcase import SHOWCASE

N_TRAIN = 60  # what the showcase's fractions leave for training
LEARNING_RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0)
BATCH_SIZES = (1, 2, 5, 10, 15, 30, None)
EPOCHS = (50, 100, 200, 400, 600, 1000)

ACTIVATION_LABELS = {
    "tanh": "tanh",
    "relu": "ReLU",
    "leaky_relu": "leaky ReLU",
    "sigmoid": "sigmoid",
    "linear": "linear",
}
OPTIMIZER_LABELS = {
    "sgd": "SGD",
    "momentum": "SGD with momentum",
    "adam": "Adam",
    "adamw": "AdamW",
}
FEATURE_LABELS = dict(
    zip(FEATURES, ("x₁", "x₂", "x₁²", "x₂²", "x₁·x₂", "sin x₁", "sin x₂"), strict=True)
)
DATASET_LABELS = {
    "moons": "Moons",
    "circles": "Circles",
    "xor": "XOR",
    "blobs": "Two blobs",
    "spirals": "Spirals",
    "checkerboard": "Checkerboard",
    "three_blobs": "Three blobs",
    "three_spirals": "Three spirals",
    "plane": "Plane (regression)",
    "bumps": "Bumps (regression)",
}

KEYS = (
    *("data", "noise", "n_train", "label_noise", "seed", "layers", "units", "activation"),
    *("features", "optimizer", "learning_rate", "batch_size", "epochs"),
    *("onset", "use_early_stopping", *(f"use_{key}" for key in METHODS)),
)

_picker = asset_component("regviz_datasets", "picker")


@functools.cache
def _thumbnails() -> list[dict[str, Any]]:
    """A few points of every dataset, as the picker draws them."""
    options = []
    for name, label in DATASET_LABELS.items():
        spec = DataSpec(name, n_samples=120, noise=0.05, train_fraction=0.9, validation_fraction=0)
        X, y = make_dataset(spec).points("train")
        scaled = (X - X.min(axis=0)) / np.ptp(X, axis=0)
        shade = y if DATASETS[name] != "regression" else (y > np.median(y)).astype(float)
        points = np.column_stack([scaled, shade]).round(2).tolist()
        options.append({"key": name, "label": label, "points": points})
    return options


def _choose_data() -> tuple[DataSpec, int]:
    heading = st.empty()
    start = SHOWCASE.data
    chosen = (st.session_state.get("data") or {}).get("chosen")
    name = chosen if isinstance(chosen, str) and chosen in DATASETS else start.name
    heading.subheader(f"Data: {DATASET_LABELS[name]}", anchor=False)
    _picker(
        key="data",
        data={"options": _thumbnails(), "chosen": name, "colours": palette.CLASSES},
        on_chosen_change=lambda: None,
    )
    noise = st.slider(
        "Noise",
        0.0,
        1.0,
        start.noise,
        0.05,
        key="noise",
        help="Standard deviation of the noise: of the points' positions, or of the value that is"
        " to be predicted.",
    )
    n_train = st.slider(
        "Training points",
        15,
        225,
        N_TRAIN,
        15,
        key="n_train",
        help=f"Of {start.n_samples} points. A third as many again are held out for validation; the"
        " rest are test points, which are never trained on.",
    )
    label_noise = 0.0
    if DATASETS[name] != "regression":
        label_noise = st.slider(
            "Wrong labels",
            0,
            50,
            0,
            5,
            format="%d %%",
            key="label_noise",
            help="Share of points, test points too, whose class is changed.",
        )
    seed = st.number_input(
        "Seed",
        0,
        9999,
        start.seed,
        key="seed",
        help="Another seed draws other points, other initial weights and other batches, the same"
        " for every regularizer.",
    )
    spec = replace(
        start,
        name=name,
        noise=noise,
        label_noise=label_noise / 100,
        train_fraction=n_train / N_TRAIN * start.train_fraction,
        seed=int(seed),
    )
    return spec, n_train


def _choose_network() -> NetworkSpec:
    st.subheader("Network", anchor=False)
    hidden = SHOWCASE.network.hidden
    layers = st.slider(
        "Hidden layers", 0, 6, len(hidden), key="layers", help="With none, the model is linear."
    )
    units = st.slider("Units in each layer", 1, 32, hidden[0], key="units", disabled=layers == 0)
    activation = st.selectbox(
        "Activation",
        ACTIVATIONS,
        key="activation",
        format_func=ACTIVATION_LABELS.__getitem__,
        disabled=layers == 0,
        help="What a hidden unit makes of its weighted inputs.",
    )
    features = st.pills(
        "Inputs",
        FEATURES,
        default=("x1", "x2"),
        selection_mode="multi",
        key="features",
        format_func=FEATURE_LABELS.__getitem__,
        help="What the network is fed: the two coordinates, or functions of them.",
    )
    if not features:
        st.warning("A network needs an input: x₁ and x₂ are used.")
        features = ["x1", "x2"]
    return NetworkSpec((units,) * layers, activation, tuple(f for f in FEATURES if f in features))


def _choose_training(n_train: int, seed: int) -> TrainingSpec:
    st.subheader("Training", anchor=False)
    start = SHOWCASE.training
    optimizer = st.selectbox(
        "Optimizer",
        OPTIMIZERS,
        index=OPTIMIZERS.index(start.optimizer),
        key="optimizer",
        format_func=OPTIMIZER_LABELS.__getitem__,
        help="Under AdamW, λ₂ is weight decay apart from the gradient.",
    )
    learning_rate = st.select_slider(
        "Learning rate",
        LEARNING_RATES,
        start.learning_rate,
        key="learning_rate",
        help="Size of the optimizer's steps. Too large, and a network jumps about or diverges.",
    )
    batch_size = st.select_slider(
        "Batch size",
        BATCH_SIZES,
        start.batch_size,
        key="batch_size",
        format_func=lambda size: "all" if size is None else str(size),
        help="Training points for each step of the optimizer.",
    )
    epochs = st.select_slider(
        "Epochs", EPOCHS, start.epochs, key="epochs", help="Passes over the training points."
    )
    if batch_size is not None:
        batch_size = min(batch_size, n_train)
    return TrainingSpec(optimizer, learning_rate, batch_size, epochs, seed=seed)


def _choose_line_up(linear: bool, epochs: int) -> tuple[list[str], bool, int]:
    """Which methods, whether early stopping, and the epoch from which regularization acts."""
    st.subheader("Line-up", anchor=False)
    if linear:
        st.caption("Dropout and max-norm act on hidden units, and there are none: no effect.")
    methods = [
        key
        for key, method in METHODS.items()
        if st.toggle(method.label, value=True, key=f"use_{key}", help=method.about)
    ]
    early_stopping = st.toggle(
        "Early stopping",
        value=True,
        key="use_early_stopping",
        help=EARLY_STOPPING + " Needs None.",
        disabled="none" not in methods,
    )
    if not methods:
        st.warning("Nothing is switched on: the network without regularization is shown.")
        methods, early_stopping = ["none"], False
    step = max(1, epochs // 20)
    # fewer epochs may leave the slider beyond its end
    st.session_state["onset"] = min(st.session_state.get("onset", 0), epochs - step)
    onset = st.slider(
        "Switch on at epoch",
        0,
        epochs - step,
        step=step,
        key="onset",
        help="Until then all networks train without regularization, and so are one and the same."
        " Then each is regularized in its own way: watch it take hold of a trained network.",
    )
    return methods, early_stopping, onset


def _positions() -> dict[str, Any]:
    """Where every control stands."""
    return {key: st.session_state[key] for key in KEYS if key in st.session_state}


def moved() -> bool:
    """Whether a control has moved since `choose` last drew the sidebar.

    Streamlit may deliver a control's change together with a fragment's own message, and then runs
    the fragment alone. A control that is no longer drawn has not moved.
    """
    drawn = st.session_state.get("drawn", {})
    return any(position != drawn.get(key) for key, position in _positions().items())


def choose() -> Cube:
    """Draw the sidebar, and return what is chosen there."""
    with st.sidebar:
        st.title("RegViz", anchor=False)
        st.caption("What regularization does to a neural network, live")
        data, n_train = _choose_data()
        network = _choose_network()
        training = _choose_training(n_train, data.seed)
        methods, early_stopping, onset = _choose_line_up(not network.hidden, training.epochs)
    st.session_state["drawn"] = _positions()
    return Cube.of(methods, data, network, training, onset, early_stopping)
