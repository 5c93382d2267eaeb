"""The sidebar, whose controls choose the `Scene` to train and show."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import streamlit as st

from regviz.methods.catalogue import ABOUT_EARLY_STOPPING, METHODS
from regviz.methods.labels import label
from regviz.pages.board import query_of
from regviz.pages.control_values import control_key, control_options, renew
from regviz.pages.data import choose_data
from regviz.pages.state import page_state
from regviz.scenes.link import LINK_VERSION
from regviz.scenes.scene import Scene
from regviz.spec.experiment import (
    ACTIVATIONS,
    FEATURES,
    NORMALIZATIONS,
    OPTIMIZERS,
    NetworkSpec,
    Phase,
    Regularization,
    TrainingSpec,
    most_units,
)

LEARNING_RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0)
BATCH_SIZES = (1, 2, 5, 10, 15, 30)
EPOCHS = (50, 100, 200, 400, 600, 1000)
FIELDS_PER_ROW = 3  # number fields that fit into the sidebar's width
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


def _with_option(options: Iterable[Any], value: Any) -> list[Any]:
    """Return the sorted options of a slider, including ``value``."""
    return sorted({*options, value})


def _choose_network(base: NetworkSpec, n_columns: int) -> NetworkSpec:
    st.header("Network", anchor=False)
    layers = st.slider(
        "Hidden layers",
        0,
        6,
        **control_options("layers", len(base.hidden)),
        help="With none, the model is linear.",
    )
    hidden = _choose_units(base.hidden, layers)
    activation = st.selectbox(
        "Activation",
        ACTIVATIONS,
        **control_options("activation", base.activation, index=ACTIVATIONS.index(base.activation)),
        format_func=ACTIVATION_LABELS.__getitem__,
        disabled=layers == 0,
        help="What a hidden unit makes of its weighted inputs.",
    )
    chosen = base.features
    if n_columns > 2:
        st.caption(f"Inputs: the {n_columns} columns of the data.")
    else:
        chosen = _choose_features(base.features)
    normalization, affine = _choose_normalization(base, layers)
    return NetworkSpec(hidden, activation, chosen, normalization, affine)


def _choose_features(base: tuple[str, ...]) -> tuple[str, ...]:
    features = st.pills(
        "Inputs",
        FEATURES,
        selection_mode="multi",
        **control_options("features", list(base), default=list(base)),
        format_func=FEATURE_LABELS.__getitem__,
        help="What the network is fed: the two coordinates, or functions of them.",
    )
    if not features:
        st.warning("A network needs an input: x₁ and x₂ are used.")
        features = ["x1", "x2"]
    return tuple(f for f in FEATURES if f in features)


def _choose_normalization(base: NetworkSpec, layers: int) -> tuple[str, bool]:
    """Draw the choice of normalization, and of gains and shifts if there is one."""
    normalization = st.selectbox(
        "Normalization",
        NORMALIZATIONS,
        **control_options(
            "normalization", base.normalization, index=NORMALIZATIONS.index(base.normalization)
        ),
        disabled=layers == 0,
        help="Before each activation, weighted inputs get mean 0 and variance 1: batch does so for"
        " each unit over the points of a batch, layer for each point over the units of a layer."
        " Only the direction of a layer's weights matters then, not their size.",
    )
    if normalization == "none" or layers == 0:
        return normalization, base.affine
    affine = st.toggle(
        "Gain and shift",
        **control_options("affine", base.affine),
        help="Each hidden unit scales and shifts its normalized value by numbers that are trained."
        " No method penalizes them.",
    )
    return normalization, affine


def _choose_units(base: tuple[int, ...], layers: int) -> tuple[int, ...]:
    """Draw the choice of one size for all hidden layers or for each; return a size per layer."""
    # The same limit for any number of layers, unless a link has more units: a slider with another
    # limit is another widget, and would not get the keys of a visitor who is pressing them.
    opened = max(page_state().opened.network.hidden, default=1)
    most = min(most_units(layers), max(most_units(6), opened))
    largest = min(max(base, default=8), most)
    for key in map(control_key, ("units", *(f"units_{i}" for i in range(layers)))):
        # A third layer lowers the limit. A value that fits is not set again: Streamlit would send
        # it, and the control of a visitor who is moving it would go back.
        if st.session_state.get(key, 0) > most:
            st.session_state[key] = most
    unequal = layers > 1 and st.toggle(
        "Layers of different size", **control_options("unequal", len(set(base)) > 1)
    )
    if not unequal:
        units = st.slider(
            *("Units in each layer", 1, most),
            **control_options("units", largest),
            disabled=layers == 0,
        )
        return (int(units),) * layers
    sizes = []
    for i in range(layers):
        if i % FIELDS_PER_ROW == 0:
            columns = st.columns(FIELDS_PER_ROW, gap="small")
        units = columns[i % FIELDS_PER_ROW].number_input(
            f"Layer {i + 1}",
            1,
            most,
            **control_options(f"units_{i}", min(base[i], most) if i < len(base) else largest),
        )
        sizes.append(int(units))
    return tuple(sizes)


def _choose_training(
    base: TrainingSpec, phases: tuple[Phase, ...], network: NetworkSpec
) -> TrainingSpec:
    st.header("Training", anchor=False)
    opened = page_state().opened.training
    optimizer = st.selectbox(
        "Optimizer",
        OPTIMIZERS,
        **control_options("optimizer", base.optimizer, index=OPTIMIZERS.index(base.optimizer)),
        format_func=OPTIMIZER_LABELS.__getitem__,
        help="Under AdamW, λ₂ is weight decay apart from the gradient.",
    )
    learning_rate = st.select_slider(
        "Learning rate",
        _with_option(LEARNING_RATES, opened.learning_rate),
        **control_options("learning_rate", base.learning_rate),
        help="Size of the optimizer's steps. Too large, and a network jumps about or diverges.",
    )
    sizes = _with_option(BATCH_SIZES, opened.batch_size or BATCH_SIZES[0])
    if network.batch_normalized:  # one point has no variance
        sizes = [size for size in sizes if size > 1]
        if st.session_state.get(control_key("batch_size"), base.batch_size) == 1:
            renew("batch_size")
            base = replace(base, batch_size=sizes[0])
    batch_size = st.select_slider(
        "Batch size",
        [*sizes, None],
        **control_options("batch_size", base.batch_size),
        format_func=lambda size: "all" if size is None else str(size),
        help="Training points for each step of the optimizer; all of them where there are fewer.",
    )
    # a training that ended before a change would be another one
    first = phases[-1].until if phases else 0
    epochs = st.select_slider(
        "Epochs",
        [number for number in _with_option(EPOCHS, opened.epochs) if number > first],
        **control_options("epochs", base.epochs),
        help="Passes over the training points.",
    )
    return replace(
        base,
        optimizer=optimizer,
        learning_rate=learning_rate,
        batch_size=batch_size,
        epochs=epochs,
    )


def _show_phases(phases: tuple[Phase, ...]) -> None:
    """Say how all networks are trained in the phases, and from which epoch on the controls hold."""
    if not phases:
        return
    parts = []
    for phase in phases:
        rate = "" if phase.learning_rate is None else f", learning rate {phase.learning_rate:g}"
        row = phase.regularization
        text = "no regularization" if row == Regularization() else label(row).text
        parts.append(f"until epoch {phase.until}: {text}{rate}")
    st.caption(
        f"All networks are the same {'; '.join(parts)}. The learning rate above, and each card's"
        " regularization, hold from then on. *Change from here*, above the cards, can undo it."
    )


def _choose_line_up(base: Scene, linear: bool) -> tuple[tuple[str, ...], bool]:
    """Draw the part *Line-up*.

    Parameters
    ----------
    base : Scene
    linear : bool
        Whether there are no hidden units.

    Returns
    -------
    methods : tuple of str
    early_stopping : bool
    """
    st.header("Line-up", anchor=False)
    if linear:
        st.caption(
            "Dropout, max-norm and group lasso act on hidden units, and there are none: no effect."
        )
    methods = tuple(
        key
        for key, method in METHODS.items()
        if st.toggle(
            method.label, **control_options(f"use_{key}", key in base.methods), help=method.about
        )
    )
    early_stopping = st.toggle(
        "Early stopping",
        **control_options("use_early_stopping", base.early_stopping),
        help=ABOUT_EARLY_STOPPING + " Needs None.",
        disabled="none" not in methods,
    )
    if not methods:
        st.warning("Nothing is switched on: the network without regularization is shown.")
        methods, early_stopping = ("none",), False
    return methods, early_stopping


def _first_network(network: NetworkSpec, before: int, n_columns: int) -> NetworkSpec:
    """Return the network to begin with for data with another number of columns.

    Tables begin with a linear model, whose weights can be read. Data in the plane get the hidden
    layers back that were chosen for them.
    """
    state = page_state()
    if min(before, n_columns) > 2:
        return network
    hidden: tuple[int, ...] = ()
    if n_columns > 2:
        state.hidden_in_plane = network.hidden
    else:
        hidden = state.hidden_in_plane or Scene().network.hidden
    renew("layers", "units", "unequal", *(f"units_{i}" for i in range(6)))
    return replace(network, hidden=hidden)


def choose(learn: st.Page, study: st.Page) -> Scene:
    """Draw the sidebar, and return the chosen scene, without focus, strengths and epoch.

    Parameters without a visible control keep their values in the scene that was opened.

    Parameters
    ----------
    learn, study : st.Page
        The pages *Learn* and *Study*, to link to.
    """
    base = page_state().base or page_state().opened
    data, network, training = base.data, base.network, base.training
    methods, early_stopping = base.methods, base.early_stopping
    with st.sidebar:
        if not set(SIDEBAR) <= set(base.hide):
            st.title("RegViz", anchor=False)
            st.caption("What regularization does to a neural network, live")
            st.page_link(learn, label="Learn: a course in lessons", icon=":material/school:")
            # filled below, as its address holds the scene; a container keeps its old content until
            # then, so that nothing below it jumps
            link_to_study = st.container()
        if "data" not in base.hide:
            data = choose_data(base.data)
        if "network" not in base.hide:
            if data.n_columns != base.data.n_columns:
                network = _first_network(network, base.data.n_columns, data.n_columns)
            network = _choose_network(network, data.n_columns)
        if "training" not in base.hide:
            training = _choose_training(base.training, base.phases, network)
            _show_phases(base.phases)
        if "line_up" not in base.hide:
            methods, early_stopping = _choose_line_up(base, not network.hidden)
    if data.seed != base.data.seed:
        training = replace(training, seed=data.seed)
    scene = replace(
        base,
        data=data,
        network=network,
        training=training,
        methods=methods,
        early_stopping=early_stopping,
        focus=None,
        strengths=(),
        variants=(),
        epoch=None,
        plane=None,
    )
    page_state().base = scene
    if not set(SIDEBAR) <= set(base.hide):
        link_to_study.page_link(
            study,
            label="Study: many trainings",
            icon=":material/experiment:",
            query_params={"v": str(LINK_VERSION)} | dict(parse_qsl(query_of(scene))),
        )
    return scene
