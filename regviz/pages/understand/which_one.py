"""The view "Which one?": questions that lead to an advice on which regularizer to try first."""

import math
from typing import NamedTuple

import numpy as np
import streamlit as st

from regviz.analysis.chooser import MAX_QUESTIONS, QUESTIONS, Advice, consult
from regviz.methods.catalogue import METHODS
from regviz.methods.labels import label
from regviz.pages.snapshot import BoardSnapshot

_NAMES_IN_SENTENCE = {"none": "no regularization", "elastic_net": "elastic net"}


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
    while not isinstance(step := consult(answers, losses), Advice):
        given = st.radio(
            f"Question {len(answers) + 1}. {step.text}",
            [key for key, _ in step.answers],
            index=None,
            format_func=dict(step.answers).__getitem__,
            key=_key(step.key),
            help=step.about,
            persist_state="page",
        )
        if given is None:
            st.caption(f"At most {MAX_QUESTIONS} questions")
            break
        answers[step.key] = given
    if isinstance(step, Advice):
        _advise(snapshot, step, measured)
    with st.container(horizontal=True):
        if isinstance(step, Advice) and st.button(
            "Open on the board", key="which_one_open", type="primary", icon=":material/visibility:"
        ):
            strength_indices = {
                key: measured[key].strength_index for duel in step.duels for key in duel.methods
            }
            snapshot.show_on_board(
                focus=step.method, strength_indices=strength_indices, scroll=True
            )
        if answers:
            st.button(
                "Start over",
                key="which_one_over",
                icon=":material/replay:",
                on_click=_clear_answers,
            )


class Best(NamedTuple):
    """The strength of a method with the lowest final validation loss, and that loss."""

    strength_index: int
    network: int
    loss: float


def best(snapshot: BoardSnapshot) -> dict[str, Best]:
    """Return the best strength of each method, in the variant on its card.

    The dict is empty without validation points.

    The loss is infinite if a method has diverged at all strengths.
    """
    if not len(snapshot.history.dataset.points("validation")[1]):
        return {}
    last = np.nan_to_num(snapshot.history.metrics["validation_loss"][-1], nan=np.inf)
    strengths = {}
    for key, networks in snapshot.networks_by_method:
        strength_index = int(last[list(networks)].argmin())
        strengths[key] = Best(
            strength_index, networks[strength_index], float(last[networks[strength_index]])
        )
    return strengths


def _advise(snapshot: BoardSnapshot, advice: Advice, measured: dict[str, Best]) -> None:
    with st.container(border=True):
        st.markdown(
            f"#### Try {_NAMES_IN_SENTENCE.get(advice.method, METHODS[advice.method].label)}"
        )
        st.markdown(advice.reason)
        if advice.duels:
            st.markdown(_evidence(snapshot, advice, measured))
        st.markdown(f"**Next:** {advice.then}")
        st.caption(advice.source + ".")


def _evidence(snapshot: BoardSnapshot, advice: Advice, measured: dict[str, Best]) -> str:
    """Return the losses behind an advice and their strengths, as a Markdown table."""
    compared = dict.fromkeys(key for duel in advice.duels for key in duel.methods)
    lines = ["| Method | Best strength | Validation loss |", "|:--|:--|--:|"]
    lowest = min(measured[key].loss for key in compared)
    for key in compared:
        _, network, loss = measured[key]
        row = snapshot.grid.experiment.regularizations[network]
        shown = "diverged" if math.isinf(loss) else f"{loss:.3f}"
        bold = "**" if loss == lowest else ""
        lines.append(
            f"| {METHODS[key].label} | {label(row, key).strength or '–'} | {bold}{shown}{bold} |"
        )
    n = len(snapshot.history.dataset.points("validation")[1])
    return "\n".join(lines) + (
        f"\n\nMeasured on the board's {n} validation points, with one seed, each method at the best"
        " of its strengths. A small difference may be luck, the more so for a method that has many"
        " strengths to choose from."
    )


def _clear_answers() -> None:
    for key in QUESTIONS:
        st.session_state[_key(key)] = None  # a deleted key would keep its value in the browser


def _key(question: str) -> str:
    return f"which_one_{question}"
