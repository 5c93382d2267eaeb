"""The view "Which one?": a few questions, an advice with its reason, and the board opened on it."""

import math
from typing import NamedTuple

import numpy as np
import streamlit as st

from regviz.analysis.chooser import MAX_QUESTIONS, QUESTIONS, Advice, consult
from regviz.methods.catalogue import METHODS
from regviz.methods.labels import label
from regviz.pages.snapshot import BoardSnapshot

_NAMES = {"none": "no regularization", "elastic_net": "elastic net"}  # within a sentence


def show(snapshot: BoardSnapshot) -> None:
    """Draw the view."""
    st.markdown("### Which regularizer should I try first?")
    st.caption(
        "These are rules of thumb, not laws. They choose among L1, L2, elastic net and none;"
        " dropout and max-norm can be added to any of them."
    )
    measured = best(snapshot)
    losses = {key: one.loss for key, one in measured.items()}
    answers: dict[str, str] = {}
    while not isinstance(found := consult(answers, losses), Advice):
        given = st.radio(
            f"**{len(answers) + 1}. {found.text}**",
            [key for key, _ in found.answers],
            index=None,
            format_func=dict(found.answers).__getitem__,
            key=_key(found.key),
            help=found.about,
            persist_state="page",
        )
        if given is None:
            st.caption(f"Question {len(answers) + 1} of at most {MAX_QUESTIONS}")
            break
        answers[found.key] = given
    if isinstance(found, Advice):
        _advise(snapshot, found, measured)
    with st.container(horizontal=True):
        if isinstance(found, Advice) and st.button(
            "Open on the board", key="which_one_open", type="primary", icon=":material/visibility:"
        ):
            strength_indices = {
                key: measured[key].strength_index for duel in found.duels for key in duel.methods
            }
            snapshot.look(focus=found.method, strength_indices=strength_indices, scroll=True)
        if answers:
            st.button(
                "Start over", key="which_one_over", icon=":material/replay:", on_click=_forget
            )


class Best(NamedTuple):
    """The strength of a method whose final validation loss is lowest."""

    strength_index: int
    network: int
    loss: float


def best(snapshot: BoardSnapshot) -> dict[str, Best]:
    """Every method at the best of all its strengths; none without validation points.

    The loss is infinite where a method has diverged at all strengths.
    """
    if not len(snapshot.history.dataset.points("validation")[1]):
        return {}
    last = np.nan_to_num(snapshot.history.metrics["validation_loss"][-1], nan=np.inf)
    found = {}
    for key, networks in snapshot.grid.networks_by_method:
        strength_index = int(last[list(networks)].argmin())
        found[key] = Best(
            strength_index, networks[strength_index], float(last[networks[strength_index]])
        )
    return found


def _advise(snapshot: BoardSnapshot, advice: Advice, measured: dict[str, Best]) -> None:
    with st.container(border=True):
        st.markdown(f"#### Try {_NAMES.get(advice.method, METHODS[advice.method].label)}")
        st.markdown(advice.reason)
        if advice.duels:
            st.markdown(_evidence(snapshot, advice, measured))
        st.markdown(f"**Next:** {advice.then}")
        st.caption(advice.source + ".")


def _evidence(snapshot: BoardSnapshot, advice: Advice, measured: dict[str, Best]) -> str:
    """The losses that decided, with their strengths, as a Markdown table."""
    compared = dict.fromkeys(key for duel in advice.duels for key in duel.methods)
    lines = ["| Method | Best strength | Validation loss |", "|:--|:--|--:|"]
    lowest = min(measured[key].loss for key in compared)
    for key in compared:
        _, network, loss = measured[key]
        row = snapshot.grid.experiment.regularizations[network]
        shown = "diverged" if math.isinf(loss) else f"{loss:.3f}"
        bold = "**" if loss == lowest else ""
        lines.append(
            f"| {METHODS[key].label} | {label(row).strength or '–'} | {bold}{shown}{bold} |"
        )
    n = len(snapshot.history.dataset.points("validation")[1])
    return "\n".join(lines) + (
        f"\n\nMeasured on the board's {n} validation points, with one seed, each method at the best"
        " of its strengths. A small difference may be luck, the more so for a method that has many"
        " strengths to choose from."
    )


def _forget() -> None:
    for key in QUESTIONS:
        st.session_state[_key(key)] = None  # a key that is only removed stays set in the browser


def _key(question: str) -> str:
    return f"which_one_{question}"
