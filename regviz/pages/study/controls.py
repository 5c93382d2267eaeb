"""The controls of a study in the sidebar, which choose a `regviz.Study`."""

from dataclasses import replace
from typing import Any

import streamlit as st

from regviz.methods.catalogue import EARLY_STOPPING, METHODS
from regviz.methods.labels import dataset_label, method_name
from regviz.pages.components import plain
from regviz.pages.control_values import control_key
from regviz.pages.study.offers import Offer, offer_of, offers
from regviz.pages.study.state import study_state
from regviz.scenes.study_link import study_of
from regviz.studies.study import Study

MAX_AXES, MAX_VALUES, MAX_SEEDS = 2, 12, 50
NONE = ""  # the choice of no second axis
ONE_SETTING = (
    "Width, depth and hidden layers are the same setting of the network, so only one of them can"
    " be an axis. For widths and depths together, choose “Hidden layers” as an axis, with values"
    " such as 4, 16, 4-4 and 16-16."
)
CARDS = "cards"  # the choice of the strengths that the scene shows
STRENGTHS: dict[Any, str] = {
    CARDS: "As on the cards",
    3: "3 from weak to strong",
    4: "4 from weak to strong",
    6: "6 from weak to strong",
    "grid": "All 12",
}


def choose() -> Study | str:
    """Draw the controls, and return the study, or the reason why there is none."""
    state = study_state()
    study = state.study
    assert study is not None
    base = study.base
    st.header("What varies", anchor=False)
    vary: dict[str, tuple[Any, ...]] = {}
    problems: list[str] = []
    all_offers = offers(base)
    for place in range(MAX_AXES):
        given = study.vary[place] if place < len(study.vary) else None
        offer = _choose_axis(place, given, all_offers, set(vary))
        if offer is not None:
            vary[offer.path] = _choose_values(offer, problems)
    st.header("Methods", anchor=False)
    methods = _choose_methods(study)
    st.header("Size", anchor=False)
    strengths = _choose_strengths(study)
    seeds = st.slider(
        "Seeds",
        min(2, len(study.seeds)),
        max(MAX_SEEDS, len(study.seeds)),
        len(study.seeds),
        key=control_key("study_seeds"),
        help="Each seed draws its own points, initial weights and batches, the same for all"
        " methods. Differences between methods are taken seed by seed.",
    )
    if problems:
        return problems[0]
    if not methods:
        return "Choose at least one method."
    scene = replace(
        state.scene,
        methods=tuple(key for key in methods if key in METHODS) or ("none",),
        early_stopping=EARLY_STOPPING in methods,
    )
    numbers = study.seeds if seeds == len(study.seeds) else tuple(range(seeds))
    try:
        return study_of(scene, vary, None if strengths == CARDS else strengths, numbers)
    except ValueError as error:
        return f"These settings do not go together: {error}."


def _choose_axis(
    place: int,
    given: tuple[str, tuple[Any, ...]] | None,
    all_offers: dict[str, Offer],
    taken: set[str],
) -> Offer | None:
    """Draw the choice of an axis; the second may be none, and is another one than the first."""
    study = study_state().study
    assert study is not None
    options = {key: offer for key, offer in all_offers.items() if offer.path not in taken}
    chosen = NONE
    if given is not None and given[0] not in taken:
        own = offer_of(*given, study.base)
        options[own.key], chosen = own, own.key
    keys = [NONE] * (place > 0) + list(options)
    key = st.selectbox(
        "Second axis" if place else "Axis",
        keys,
        keys.index(chosen) if chosen in keys else 0,
        format_func=lambda key: options[key].label if key else "None",
        key=control_key(f"study_axis_{place}"),
        help=ONE_SETTING if place else None,
    )
    return options[key] if key else None


def _choose_values(offer: Offer, problems: list[str]) -> tuple[Any, ...]:
    """Draw the choice of an axis's values, and return those that can be read."""
    texts = [offer.text(value) for value in offer.values]
    chosen = st.multiselect(
        f"Values of {offer.name.lower()}",
        texts,
        texts,
        key=control_key(f"study_values_{offer.key}"),
        max_selections=max(MAX_VALUES, len(texts)),
        accept_new_options=True,
        help="Remove values, or type others.",
    )
    values = []
    for text in chosen:
        try:
            values.append(offer.values[texts.index(text)] if text in texts else offer.read(text))
        except ValueError as error:
            problems.append(f"{offer.label}, {plain(text[:40])}: {error}.")
    if not chosen:
        problems.append(f"{offer.label}: choose at least one value.")
    return _in_order(values, offer)


def _in_order(values: list[Any], offer: Offer) -> tuple[Any, ...]:
    """Return different values: numbers and layers in ascending order, others as offered."""
    if all(value is None or isinstance(value, (int, float)) for value in values):
        return tuple(sorted(set(values), key=lambda value: (value is None, value or 0)))
    if all(isinstance(value, tuple) for value in values):
        return tuple(sorted(set(values), key=lambda value: (len(value), value)))
    known = {value: i for i, value in enumerate(offer.values)}
    return tuple(sorted(set(values), key=lambda value: known.get(value, len(known))))


def _choose_methods(study: Study) -> list[str]:
    stops = study_state().scene.data.validation_fraction > 0
    return st.pills(
        "Methods",
        [*METHODS, *[EARLY_STOPPING] * stops],
        selection_mode="multi",
        default=list(study.methods or ()),
        format_func=method_name,
        key=control_key("study_methods"),
        label_visibility="collapsed",
    )


def _choose_strengths(study: Study) -> Any:
    """Draw the choice of the strengths, and return ``"grid"``, a number or a mapping."""
    options = dict(STRENGTHS)
    if not study_state().scene.data.validation_fraction:
        options = {CARDS: STRENGTHS[CARDS]}
    now = CARDS if isinstance(study.strengths, tuple) else study.strengths
    if isinstance(study.strengths, tuple) and any(len(own) > 1 for _, own in study.strengths):
        now = "link"
        options[now] = "As in the link"
    options.setdefault(now, f"{now} from weak to strong")
    chosen = st.selectbox(
        "Strengths of each method",
        list(options),
        list(options).index(now),
        format_func=options.__getitem__,
        key=control_key("study_strengths"),
        help="Of several, the one with the lowest validation loss counts, for each cell, method"
        " and seed. Test loss is never chosen by.",
    )
    return dict(study.strengths) if chosen == "link" else chosen


def describe_base() -> None:
    """Draw the parts of the scene that do not vary, in a caption."""
    study = study_state().study
    assert study is not None
    base = study.base
    layers = "-".join(map(str, base.network.hidden)) or "no hidden layer"
    st.caption(
        f"The scene: {dataset_label(base.data)}, {layers}, {base.network.activation},"
        f" {base.training.epochs:,} epochs of {base.training.optimizer}."
    )
