"""A study in a lesson: its figure, what it found, its numbers, and where to run it."""

from functools import lru_cache

import plotly.graph_objects as go
import streamlit as st

from regviz import figures
from regviz.lessons.claim import all_studies
from regviz.lessons.lesson import StudyFigure
from regviz.lessons.study_numbers import NO_BREAK, Table, has_choice, method_note, panels
from regviz.lessons.study_results import read
from regviz.methods.palette import Theme
from regviz.pages.components import draw, plain
from regviz.programs.study import study_program
from regviz.scenes.study_link import link

PAGE = "./study"  # relative to a lesson's address


def show_study(block: StudyFigure, key: str, theme: Theme) -> None:
    """Draw a study of a lesson.

    Parameters
    ----------
    block : StudyFigure
    key : str
        Of the figure's element.
    theme : {"light", "dark"}
    """
    study = all_studies()[block.study]
    st.markdown(f"**{plain(block.title)}**")
    draw(_figure(block, "lines", theme), key)
    st.markdown("\n\n".join(plain(panel.finding) for panel in panels(block)))
    if has_choice(block):
        draw(_figure(block, "strengths", theme), f"{key}-strengths")
    with st.expander("As numbers"):
        for panel in panels(block):
            st.markdown("\n\n".join(map(_table, panel.tables)))
        st.caption(plain(method_note(block)))
    with st.expander("As a Python program"):
        st.code(study_program(study), "python")
    st.link_button("Run this study", link(PAGE, study), icon=":material/grid_on:")


@lru_cache(maxsize=64)  # 100 ms each
def _figure(block: StudyFigure, kind: str, theme: Theme) -> go.Figure:
    baseline = block.baseline or None if kind == "lines" else None
    return figures.study(
        read(block.study),
        kind=kind,
        x=block.x,
        facet=block.facet or None,
        baseline=baseline,
        theme=theme,
    )


def _table(table: Table) -> str:
    """Return a table with its caption as Markdown."""
    head, *rows = (" | ".join(map(plain, row)) for row in (table.head, *table.rows))
    rule = " | ".join(["---:"] * len(table.head))
    unbroken = [row.replace(" to ", f"{NO_BREAK}to{NO_BREAK}") for row in rows]
    return "\n".join([f"{plain(table.caption)}\n", head, rule, *unbroken])
