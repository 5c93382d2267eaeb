"""The sidebar: from what a visitor chooses to the `Scene` that is trained and shown."""

import functools
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from regviz import labels, palette
from regviz.board import EARLY_STOPPING
from regviz.datasets import make_dataset
from regviz.experiment import (
    ACTIVATIONS,
    DATASETS,
    FEATURES,
    OPTIMIZERS,
    Data,
    DataSpec,
    NetworkSpec,
    TrainingSpec,
)
from regviz.pages import bring
from regviz.pages.components import asset_component
from regviz.points import PointsSpec
from regviz.regularization import METHODS
from regviz.scene import Scene
from regviz.validation import MAX_SEED

LEARNING_RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0)
BATCH_SIZES = (1, 2, 5, 10, 15, 30)
EPOCHS = (50, 100, 200, 400, 600, 1000)
EXAMPLES, DRAW, UPLOAD = "Examples", "Draw", "Upload"
IN_A_ROW = 3  # number fields that fit side by side
SIDEBAR = ("data", "network", "training", "line_up")

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

KEYS = (
    *("data", "source", "noise", "n_train", "train_share", "label_noise", "seed"),
    *("layers", "units", "unequal", *(f"units_{i}" for i in range(6)), "activation", "features"),
    *("optimizer", "learning_rate", "batch_size", "epochs"),
    *("onset", "use_early_stopping", *(f"use_{key}" for key in METHODS)),
)

_picker = asset_component("regviz_datasets", "picker")


def put(scene: Scene) -> None:
    """Let every control stand where a scene has it, from the next time they are drawn."""
    for key in KEYS:
        st.session_state.pop(key, None)
    st.session_state["base"] = st.session_state["opened"] = scene


def _stand(key: str, value: Any) -> str:
    """Let a control that is drawn for the first time stand here; its key."""
    st.session_state.setdefault(key, value)
    return key


def _among(options: Iterable[Any], value: Any) -> list[Any]:
    """The options of a slider, with one more in its place if need be."""
    return sorted({*options, value})


@functools.cache
def _thumbnails() -> list[dict[str, Any]]:
    """A few points of every dataset, as the picker draws them."""
    options = []
    for name in DATASETS:
        spec = DataSpec(name, n_samples=120, noise=0.05, train_fraction=0.9, validation_fraction=0)
        X, y = make_dataset(spec).points("train")
        scaled = (X - X.min(axis=0)) / np.ptp(X, axis=0)
        shade = y if DATASETS[name] != "regression" else (y > np.median(y)).astype(float)
        points = np.column_stack([scaled, shade]).round(2).tolist()
        options.append({"key": name, "label": labels.DATASETS[name], "points": points})
    return options


def _choose_data(base: Data) -> Data:
    heading = st.empty()
    own = isinstance(base, PointsSpec)
    source = st.segmented_control(
        "Points from",
        (EXAMPLES, DRAW, UPLOAD),
        key=_stand("source", DRAW if own else EXAMPLES),
        required=True,
        label_visibility="collapsed",
        width="stretch",
    )
    if source == EXAMPLES:
        chosen: Data = _choose_example(base if isinstance(base, DataSpec) else _last_example())
    else:
        points = _points(bring.draw if source == DRAW else bring.upload)
        # until there are points that can be used, what is on screen stays
        chosen = base if points is None else _choose_split(points)
    name = labels.DATASETS[chosen.name]
    heading.subheader(f"Data: {name}", anchor=False)
    seed = st.number_input(
        "Seed",
        0,
        MAX_SEED,
        key=_stand("seed", base.seed),
        help="Another seed draws other points, or splits your own otherwise, and draws other"
        " initial weights and other batches, the same for every regularizer.",
    )
    return replace(chosen, seed=int(seed))


def _last_example() -> DataSpec:
    """The example that was looked at before one's own points."""
    last = st.session_state.get("example")
    return last if isinstance(last, DataSpec) else Scene().data  # type: ignore[return-value]


def _points(control: Any) -> PointsSpec | None:
    """One's own points, which drawing and file hand to each other."""
    data = st.session_state["base"].data
    before = st.session_state.get("own", data if isinstance(data, PointsSpec) else None)
    points: PointsSpec | None = control(before)
    if points is not None:
        st.session_state["own"] = points
    return points


def _choose_split(points: PointsSpec) -> PointsSpec:
    share = st.slider(
        "Share for training",
        10,
        90,
        key=_stand("train_share", round(100 * points.train_fraction)),
        step=5,
        format="%d %%",
        help="Of your points. A fifth of them are held out for validation; the rest are test"
        " points, which are never trained on.",
    )
    return replace(points, train_fraction=share / 100)


def _choose_example(base: DataSpec) -> DataSpec:
    chosen = (st.session_state.get("data") or {}).get("chosen")
    name = chosen if isinstance(chosen, str) and chosen in DATASETS else base.name
    _picker(
        key="data",
        data={"options": _thumbnails(), "chosen": name, "colours": palette.CLASSES},
        on_chosen_change=lambda: None,
    )
    opened = st.session_state["opened"].data
    noise = st.slider(
        "Noise",
        0.0,
        max(1.0, getattr(opened, "noise", 0.0)),
        key=_stand("noise", base.noise),
        step=0.05,
        help="Standard deviation of the noise: of the points' positions, or of the value that is"
        " to be predicted.",
    )
    kept = 1 - base.validation_fraction
    most = max(225, _n_train(opened)) if isinstance(opened, DataSpec) else 225
    n_train = st.slider(
        "Training points",
        min(15, _n_train(base)),
        max(most, _n_train(base)),
        key=_stand("n_train", _n_train(base)),
        step=15,
        help=f"Of {base.n_samples} points. A third as many again are held out for validation; the"
        " rest are test points, which are never trained on.",
    )
    fraction = base.train_fraction
    if n_train != _n_train(base):
        fraction = min(0.95, round(n_train / base.n_samples / kept, 6))
    label_noise = 0.0
    if DATASETS[name] != "regression":
        percent = st.slider(
            "Wrong labels",
            0,
            50,
            key=_stand("label_noise", round(100 * base.label_noise)),
            step=5,
            format="%d %%",
            help="Share of points, test points too, whose class is changed.",
        )
        unmoved = percent == round(100 * base.label_noise)
        label_noise = base.label_noise if unmoved else percent / 100
    spec = replace(base, name=name, noise=noise, label_noise=label_noise, train_fraction=fraction)
    st.session_state["example"] = spec
    return spec


def _n_train(spec: Data) -> int:
    """Points that are trained on."""
    if isinstance(spec, PointsSpec):
        try:
            return len(make_dataset(spec).points("train")[1])
        except ValueError:  # told once a training is to start
            return spec.n_samples
    kept = spec.n_samples - round((1 - spec.train_fraction) * spec.n_samples)
    return kept - round(spec.validation_fraction * kept)


def _choose_network(base: NetworkSpec) -> NetworkSpec:
    st.subheader("Network", anchor=False)
    layers = st.slider(
        "Hidden layers",
        0,
        6,
        key=_stand("layers", len(base.hidden)),
        help="With none, the model is linear.",
    )
    hidden = _choose_units(base.hidden, layers)
    activation = st.selectbox(
        "Activation",
        ACTIVATIONS,
        key=_stand("activation", base.activation),
        format_func=ACTIVATION_LABELS.__getitem__,
        disabled=layers == 0,
        help="What a hidden unit makes of its weighted inputs.",
    )
    features = st.pills(
        "Inputs",
        FEATURES,
        selection_mode="multi",
        key=_stand("features", list(base.features)),
        format_func=FEATURE_LABELS.__getitem__,
        help="What the network is fed: the two coordinates, or functions of them.",
    )
    if not features:
        st.warning("A network needs an input: x₁ and x₂ are used.")
        features = ["x1", "x2"]
    return NetworkSpec(hidden, activation, tuple(f for f in FEATURES if f in features))


def _choose_units(base: tuple[int, ...], layers: int) -> tuple[int, ...]:
    """The units of each hidden layer: one number for all, or each its own."""
    most = max(base, default=8)
    unequal = layers > 1 and st.toggle(
        "Layers of different size", key=_stand("unequal", len(set(base)) > 1)
    )
    if not unequal:
        units = st.slider(
            "Units in each layer", 1, 32, key=_stand("units", most), disabled=layers == 0
        )
        return (int(units),) * layers
    found = []
    for i in range(layers):
        if i % IN_A_ROW == 0:
            columns = st.columns(IN_A_ROW, gap="small")
        units = columns[i % IN_A_ROW].number_input(
            f"Layer {i + 1}",
            1,
            32,
            key=_stand(f"units_{i}", base[i] if i < len(base) else most),
        )
        found.append(int(units))
    return tuple(found)


def _choose_training(base: TrainingSpec, n_train: int) -> TrainingSpec:
    st.subheader("Training", anchor=False)
    opened = st.session_state["opened"].training
    optimizer = st.selectbox(
        "Optimizer",
        OPTIMIZERS,
        key=_stand("optimizer", base.optimizer),
        format_func=OPTIMIZER_LABELS.__getitem__,
        help="Under AdamW, λ₂ is weight decay apart from the gradient.",
    )
    learning_rate = st.select_slider(
        "Learning rate",
        _among(LEARNING_RATES, opened.learning_rate),
        key=_stand("learning_rate", base.learning_rate),
        help="Size of the optimizer's steps. Too large, and a network jumps about or diverges.",
    )
    sizes = _among(BATCH_SIZES, opened.batch_size or BATCH_SIZES[0])
    batch_size = st.select_slider(
        "Batch size",
        [*sizes, None],
        key=_stand("batch_size", base.batch_size),
        format_func=lambda size: "all" if size is None else str(size),
        help="Training points for each step of the optimizer.",
    )
    epochs = st.select_slider(
        "Epochs",
        _among(EPOCHS, opened.epochs),
        key=_stand("epochs", base.epochs),
        help="Passes over the training points.",
    )
    return replace(
        base,
        optimizer=optimizer,
        learning_rate=learning_rate,
        # what the slider says may be more than there is
        batch_size=None if batch_size is None else min(batch_size, n_train),
        epochs=epochs,
    )


def _choose_line_up(base: Scene, linear: bool, epochs: int) -> tuple[tuple[str, ...], bool, int]:
    """Which methods, whether early stopping, and the epoch from which regularization acts."""
    st.subheader("Line-up", anchor=False)
    if linear:
        st.caption("Dropout and max-norm act on hidden units, and there are none: no effect.")
    methods = tuple(
        key
        for key, method in METHODS.items()
        if st.toggle(method.label, key=_stand(f"use_{key}", key in base.methods), help=method.about)
    )
    early_stopping = st.toggle(
        "Early stopping",
        key=_stand("use_early_stopping", base.early_stopping),
        help=EARLY_STOPPING + " Needs None.",
        disabled="none" not in methods,
    )
    if not methods:
        st.warning("Nothing is switched on: the network without regularization is shown.")
        methods, early_stopping = ("none",), False
    return methods, early_stopping, _choose_onset(base.onset, epochs)


def _choose_onset(base: int, epochs: int) -> int:
    if epochs == 1:
        return 0
    step = max(1, epochs // 20)
    last = min(max(epochs - step, st.session_state["opened"].onset), epochs - 1)
    # fewer epochs may leave the slider beyond its end
    st.session_state["onset"] = min(st.session_state.get("onset", base), last)
    onset: int = st.slider(
        "Switch on at epoch",
        0,
        last,
        step=step,
        key="onset",
        help="Until then all networks train without regularization, and so are one and the same."
        " Then each is regularized in its own way: watch it take hold of a trained network.",
    )
    return onset


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


def choose() -> Scene:
    """Draw the sidebar, and return what is chosen there, wherever one looks.

    What has no control, or is hidden, stays as it was in the scene that was opened.
    """
    base: Scene = st.session_state["base"]
    data, network, training = base.data, base.network, base.training
    methods, early_stopping, onset = base.methods, base.early_stopping, base.onset
    with st.sidebar:
        if not set(SIDEBAR) <= set(base.hide):
            st.title("RegViz", anchor=False)
            st.caption("What regularization does to a neural network, live")
        if "data" not in base.hide:
            data = _choose_data(base.data)
        if "network" not in base.hide:
            network = _choose_network(base.network)
        if "training" not in base.hide:
            training = _choose_training(base.training, _n_train(data))
        if "line_up" not in base.hide:
            methods, early_stopping, onset = _choose_line_up(
                base, not network.hidden, training.epochs
            )
    if data.seed != base.data.seed:
        training = replace(training, seed=data.seed)
    scene = replace(
        base,
        data=data,
        network=network,
        training=training,
        methods=methods,
        early_stopping=early_stopping,
        onset=min(onset, training.epochs - 1),
        focus=None,
        strengths=(),
        epoch=None,
    )
    st.session_state["base"] = scene
    st.session_state["drawn"] = _positions()
    return scene
