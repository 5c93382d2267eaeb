"""The view "Which one?": a few questions, an advice with its reason, and the board opened on it."""

import math

import streamlit as st

from regviz.chooser import MAX_QUESTIONS, QUESTIONS, Advice, consult
from regviz.labels import label
from regviz.pages.sight import Sight
from regviz.regularization import METHODS

_NAMES = {"none": "no regularization", "elastic_net": "elastic net"}  # within a sentence


def show(sight: Sight) -> None:
    """Draw the view."""
    st.markdown("#### Which regularizer should I try first?")
    st.caption(
        "These are rules of thumb, not laws. They choose among L1, L2, elastic net and none;"
        " dropout and max-norm can be added to any of them."
    )
    losses = validation_losses(sight)
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
        _advise(sight, found)
    with st.container(horizontal=True):
        if isinstance(found, Advice) and st.button(
            "Open on the board", key="which_one_open", type="primary", icon=":material/visibility:"
        ):
            sight.look(focus=found.method, scroll=True)
        if answers:
            st.button(
                "Start over", key="which_one_over", icon=":material/replay:", on_click=_forget
            )


def validation_losses(sight: Sight) -> dict[str, float]:
    """The validation loss of every method at its current strength; none without such points."""
    if not len(sight.history.dataset.points("validation")[1]):
        return {}
    last = sight.history.metrics["validation_loss"][-1]
    return {key: float(last[sight.network(key)]) for key, _ in sight.cube.shelves}


def _advise(sight: Sight, advice: Advice) -> None:
    with st.container(border=True):
        st.markdown(f"##### Try {_NAMES.get(advice.method, METHODS[advice.method].label)}")
        st.markdown(advice.reason)
        if advice.duels:
            st.markdown(_evidence(sight, advice))
        st.markdown(f"**Next:** {advice.then}")
        st.caption(advice.source + ".")


def _evidence(sight: Sight, advice: Advice) -> str:
    """The losses that decided, with their strengths, as a Markdown table."""
    losses = {
        key: loss
        for duel in advice.duels
        for key, loss in zip(duel.methods, duel.losses, strict=True)
    }
    lines = ["| On the board | Strength | Validation loss |", "|:--|:--|--:|"]
    lowest = min(losses.values())
    for key, loss in losses.items():
        row = sight.cube.experiment.regularizations[sight.network(key)]
        shown = "diverged" if math.isinf(loss) else f"{loss:.3f}"
        best = "**" if loss == lowest else ""
        lines.append(
            f"| {METHODS[key].label} | {label(row).strength or '–'} | {best}{shown}{best} |"
        )
    n = len(sight.history.dataset.points("validation")[1])
    return "\n".join(lines) + (
        f"\n\nMeasured on the board's {n} validation points, with one seed. A small difference may"
        " be luck."
    )


def _forget() -> None:
    for key in QUESTIONS:
        st.session_state[_key(key)] = None  # a key that is only removed stays set in the browser


def _key(question: str) -> str:
    return f"which_one_{question}"
