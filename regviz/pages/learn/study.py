"""A study in a lesson: its figure, what it found, its numbers, and where to run it."""

from functools import lru_cache

import plotly.graph_objects as go
import streamlit as st

from regviz.lessons.article import study_panel
from regviz.lessons.claim import all_studies
from regviz.lessons.lesson import StudyFigure
from regviz.lessons.study_numbers import Table, method_note, panels
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
    for i, panel in enumerate(panels(block)):
        draw(_figure(block, i, theme), f"{key}-{i}")
        st.markdown(plain(panel.finding))
    with st.expander("As numbers"):
        for panel in panels(block):
            st.markdown("\n\n".join(map(_table, panel.tables)))
        st.caption(plain(method_note(block)))
    with st.expander("As a Python program"):
        st.code(study_program(study), "python")
    st.link_button("Run this study", link(PAGE, study), icon=":material/grid_on:")


@lru_cache(maxsize=64)  # 20 to 30 ms each
def _figure(block: StudyFigure, i: int, theme: Theme) -> go.Figure:
    return study_panel(block, panels(block)[i], theme)


def _table(table: Table) -> str:
    """Return a table with its caption as Markdown."""
    lines = [" | ".join(map(plain, row)) for row in (table.head, *table.rows)]
    rule = " | ".join(["---:"] * len(table.head))
    return "\n".join([f"{plain(table.caption)}\n", lines[0], rule, *lines[1:]])
