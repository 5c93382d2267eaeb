"""The sidebar's part *Data*: the choice of a toy dataset or of own points."""

import functools
import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import streamlit as st

from regviz.data.datasets import make_dataset, n_train_of
from regviz.methods import labels, palette
from regviz.pages import own_points
from regviz.pages.changes import note_change
from regviz.pages.components import asset_component
from regviz.pages.control_values import control_options
from regviz.pages.state import page_state
from regviz.scenes.scene import Scene
from regviz.spec.experiment import Data, DataSpec
from regviz.spec.points import PointsSpec
from regviz.spec.toy import DATASETS
from regviz.spec.validation import MAX_SEED

EXAMPLES, DRAW, UPLOAD = "Examples", "Draw", "Upload"

_picker = asset_component("regviz_datasets", "picker")


@functools.cache
def _thumbnails(chosen: str) -> bytes:
    """Return the JSON that the picker draws: some points of every dataset, and the chosen one.

    Tables with more than two columns have no points, and are named instead.
    """
    options: list[dict[str, object]] = []
    for name, toy in DATASETS.items():
        if len(toy.columns) > 2:
            label = f"{toy.label}, {len(toy.columns)} inputs"
            options.append({"key": name, "label": label, "points": []})
            continue
        spec = DataSpec(name, n_samples=120, noise=0.05, train_fraction=0.9, validation_fraction=0)
        X, y = make_dataset(spec).points("train")
        scaled = (X - X.min(axis=0)) / np.ptp(X, axis=0)
        shade = y if DATASETS[name].task != "regression" else (y > np.median(y)).astype(float)
        points = np.column_stack([scaled, shade]).round(2).tolist()
        options.append({"key": name, "label": toy.label, "points": points})
    offer = {"options": options, "chosen": chosen, "colours": palette.CLASSES}
    return json.dumps(offer).encode()


def choose_data(base: Data) -> Data:
    """Draw the controls for the points, and return the chosen data."""
    heading = st.container()  # keeps its old content until it is filled below
    usual = DRAW if isinstance(base, PointsSpec) else EXAMPLES
    source = st.segmented_control(
        "Points from",
        (EXAMPLES, DRAW, UPLOAD),
        **control_options("source", usual, default=usual),
        required=True,
        label_visibility="collapsed",
        width="stretch",
    )
    if source == EXAMPLES:
        chosen: Data = _choose_example(base if isinstance(base, DataSpec) else _last_example())
    else:
        chosen = _choose_own(own_points.draw if source == DRAW else own_points.upload, base)
    name = labels.dataset_label(chosen)
    heading.header(f"Data: {name}", anchor=False)
    seed = st.number_input(
        "Seed",
        0,
        MAX_SEED,
        **control_options("seed", base.seed),
        help="Another seed draws other points, or splits your own otherwise, and draws other"
        " initial weights and other batches, the same for every regularizer.",
    )
    return replace(chosen, seed=int(seed))


def _last_example() -> DataSpec:
    """Return the toy dataset that was in use before own points."""
    return page_state().example or Scene().data  # type: ignore[return-value]


def _choose_own(control: Callable[[PointsSpec | None], PointsSpec | None], base: Data) -> Data:
    """Draw the controls for own points and their split, and return the chosen data."""
    points = control(page_state().own_points)
    if points is None:
        return base  # until there are enough points, the data in use stays
    split = base if isinstance(base, PointsSpec) else points
    fraction = (
        1 - points.split.count("2") / points.n_samples if points.split else split.train_fraction
    )
    percent = round(100 * fraction)
    share = st.slider(
        "Share for training",
        min(10, percent),
        max(90, percent),
        **control_options("train_share", percent),
        step=5,
        format="%d %%",
        help="Of your points. Some of them are held out for validation; the rest are test points,"
        " which are never trained on."
        + " The file says which: another share splits the points anew."
        * bool(points.split),
    )
    if share != percent:
        points = replace(points, split="")
    page_state().own_points = points
    return replace(
        points,
        train_fraction=split.train_fraction if share == percent else share / 100,
        validation_fraction=split.validation_fraction,
    )


def _chosen_name() -> str | None:
    """Return the name of the dataset chosen in the picker, None if it is outdated.

    Each message of the browser repeats the last choice. It has a time, and so differs from all
    others, also of the same dataset.
    """
    choice = (st.session_state.get("data") or {}).get("chosen")
    if not isinstance(choice, dict) or choice == page_state().outdated_choice:
        return None
    name = choice.get("name")
    return name if isinstance(name, str) and name in DATASETS else None


def _choose_example(base: DataSpec) -> DataSpec:
    name = _chosen_name() or base.name
    _picker(key="data", data=_thumbnails(name), on_chosen_change=note_change)
    opened = page_state().opened.data
    n_samples = min(base.n_samples, DATASETS[name].most_samples)
    noise = base.noise
    if DATASETS[name].noisy:
        noise = st.slider(
            "Noise",
            0.0,
            max(1.0, getattr(opened, "noise", 0.0)),
            **control_options("noise", float(base.noise)),
            step=0.05,
            help="Standard deviation of the noise: of the points' positions, or of the value that"
            " is to be predicted.",
        )
    else:
        st.caption("Measured data: the noise is theirs.")
    fitted = 1 - base.validation_fraction
    max_train = max(225, n_train_of(opened)) if isinstance(opened, DataSpec) else 225
    n_train = st.slider(
        "Training points",
        min(15, n_train_of(base)),
        max(max_train, n_train_of(base)),
        **control_options("n_train", n_train_of(base)),
        step=15,
        help=f"Of {n_samples} points. A third as many again are held out for validation; the"
        " rest are test points, which are never trained on.",
    )
    fraction = base.train_fraction
    if n_train != n_train_of(base):
        fraction = min(0.95, round(n_train / base.n_samples / fitted, 6))
    label_noise = 0.0
    if DATASETS[name].task != "regression":
        percent = st.slider(
            "Wrong labels",
            0,
            50,
            **control_options("label_noise", round(100 * base.label_noise)),
            step=5,
            format="%d %%",
            help="Share of points, test points too, whose class is changed.",
        )
        unmoved = percent == round(100 * base.label_noise)
        label_noise = base.label_noise if unmoved else percent / 100
    spec = replace(
        base,
        name=name,
        n_samples=n_samples,
        noise=noise,
        label_noise=label_noise,
        train_fraction=fraction,
    )
    page_state().example = spec
    return spec
