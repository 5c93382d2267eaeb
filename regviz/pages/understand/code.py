"""The view "Code": a program that trains the network in focus with another library."""

import math

import streamlit as st

from regviz.data.points_file import points_csv
from regviz.engine.history import History
from regviz.methods.catalogue import EARLY_STOPPING
from regviz.methods.labels import labels
from regviz.pages.snapshot import BoardSnapshot, view
from regviz.programs import LIBRARIES, Program, libraries, program


def show(snapshot: BoardSnapshot) -> None:
    """Draw the view."""
    k = snapshot.network(snapshot.focus)
    experiment = snapshot.history.experiment
    (acting,) = labels(snapshot.grid.only([k]), [snapshot.focus])
    st.markdown("### Train it yourself")
    st.caption(
        f"A complete program for the network in focus: **{acting.text}**."
        " Another card or another strength makes another program."
    )
    if view().focus == EARLY_STOPPING:
        st.caption("Early stopping is a view of this run: the same training, ended sooner.")
    library = st.segmented_control(
        "Library",
        list(LIBRARIES),
        default="pytorch",
        required=True,
        format_func=lambda key: LIBRARIES[key].NAME,
        key="code_library",
        label_visibility="collapsed",
        persist_state="page",
        wrap=True,
    )
    reasons = libraries(experiment, k)
    if lacks := reasons[library]:
        others = " or ".join(
            LIBRARIES[key].NAME for key, reason in reasons.items() if reason is None
        )
        st.info(f"{lacks} Choose {others}." if others else lacks, icon=":material/info:")
        return
    written = program(experiment, k, library)
    st.markdown(written.note)
    st.markdown(ended(snapshot.history, k))
    _downloads(snapshot, written, f"regviz_{snapshot.focus}_{library.replace('-', '_')}.py")
    st.code(written.source, language="python")


def _downloads(snapshot: BoardSnapshot, written: Program, name: str) -> None:
    """Draw the download buttons of a program and of the points that it reads.

    Files are made at the click: Streamlit deletes one that is made before as soon as the next run
    of the page begins, while the browser may still ask for it.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Program",
            lambda: written.source,
            name,
            "text/x-python",
            key="code_program",
            on_click="ignore",
            icon=":material/download:",
        )
        st.download_button(
            "points.csv",
            lambda: points_csv(snapshot.history.dataset),
            "points.csv",
            "text/csv",
            key="code_points",
            on_click="ignore",
            icon=":material/download:",
        )
        st.caption("Put both into one folder, and run the program there.")


def ended(history: History, k: int) -> str:
    """Return a sentence with the final results of network ``k``, as the program prints them."""
    if history.diverged[k] >= 0:
        return "The board's network diverged, so expect the same here."
    last = {name: float(values[-1, k]) for name, values in history.metrics.items()}
    parts = []
    for split in ("train", "test"):
        if math.isnan(loss := last[f"{split}_loss"]):
            continue
        accuracy = last[f"{split}_accuracy"]
        right = "" if math.isnan(accuracy) else f" and accuracy {accuracy:.1%}"
        shown = f"{loss:.4f}" if loss < 1e5 else f"{loss:.1e}"
        parts.append(f"{split} loss {shown}{right}")
    zeros = f"{last['sparsity']:.1%} of its weights are exactly 0"
    return f"The board's network ended at {', '.join(parts)}; {zeros}."
