"""The page *Study*: many trainings around a scene, and one answer with its uncertainty."""

import streamlit as st

from regviz.jobs.registry import Busy
from regviz.pages.components import plain
from regviz.pages.state import page_state
from regviz.pages.study import controls, results
from regviz.pages.study.cost import describe, reason_against
from regviz.pages.study.opening import (
    leave,
    open_address,
    open_study,
    playground_query,
    write_address,
)
from regviz.pages.study.state import study_state
from regviz.pages.style import STYLE
from regviz.server.sessions import session_id
from regviz.server.state import studies
from regviz.studies.study import Study

__all__ = ["PATH", "leave", "main"]

PATH = "study"  # of the page's address
_STYLE = """<style>
  .st-key-study { max-width: 84rem; margin: 0 auto; }
  /* an unfinished study is drawn by a fragment, in a container with a gap of its own */
  .st-key-study, .st-key-study_unfinished { gap: 0.7rem; }
  .st-key-study .stHeading h1 { padding: 0.2rem 0 0.6rem; }
  .st-key-study_start { gap: 0.8rem; }
  .st-key-study_start [data-testid="stMarkdownContainer"] p { margin: 0; }
  /* a figure has its height before it is drawn, and while it is drawn anew */
  .st-key-study_figure { min-height: 480px; }
  .st-key-study_figure, .st-key-study_figure * { opacity: 1 !important; }
  .st-key-study_progress { min-height: 3.4rem; }
  /* Streamlit shows a removed control as long as it has the keyboard's focus, beside the new one */
  [data-retained][class*="st-key-study_"] { display: none !important; }
  /* An unfinished study has two places for figures: the older shows until the newer is drawn.
     Streamlit keeps a removed element for some frames, marked as retained and without display, and
     hides a new figure until it knows its width. */
  .st-key-study_figure { position: relative; gap: 0; }
  .st-key-study_figure:has(.newest-0) .st-key-study_live_1,
  .st-key-study_figure:has(.newest-1) .st-key-study_live_0 {
    position: absolute; top: 0; left: 0;
  }
  .st-key-study_figure:has(.newest-0):has(
    .st-key-study_live_0:not([data-retained]) .js-plotly-plot:not([style*="visibility"]) .main-svg
  ) .st-key-study_live_1,
  .st-key-study_figure:has(.newest-1):has(
    .st-key-study_live_1:not([data-retained]) .js-plotly-plot:not([style*="visibility"]) .main-svg
  ) .st-key-study_live_0 {
    visibility: hidden; height: 0; overflow: hidden;
  }
</style>"""


def main(playground: st.Page, course: st.Page, own: st.Page) -> None:
    """Draw the page.

    Parameters
    ----------
    playground, course, own : st.Page
        The other pages and this one, to link to.
    """
    st.set_page_config("RegViz: study", layout="wide", initial_sidebar_state="auto")
    st.html(STYLE + _STYLE)
    page_state()  # the playground's, which exists from then on
    open_address()
    with st.sidebar:
        st.title("RegViz")
        st.page_link(
            playground,
            label="Playground",
            icon=":material/tune:",
            query_params=playground_query(),
        )
        st.page_link(course, label="Learn: a course in lessons", icon=":material/school:")
        controls.describe_base()
        chosen = controls.choose()
    with st.container(key="study"):
        st.title("Study: many trainings, one answer")
        state = study_state()
        if state.problems:
            problems = "  \n".join(f"In the link: {plain(text)}" for text in state.problems)
            st.warning(problems)
        if isinstance(chosen, str):
            st.error(plain(chosen))
            _name_other_result(None)
            offered = False
        else:
            state.study = chosen
            write_address(chosen)
            offered = _offer_to_run(chosen)
        results.show(offered)


def _offer_to_run(study: Study) -> bool:
    """Draw the study in words, its cost, and the button that runs it.

    Returns
    -------
    bool
        Whether it can be run.
    """
    state = study_state()
    st.markdown(describe(study))
    against = reason_against(study)
    run = studies().find(study)
    if state.started is None and run is not None and run.state == "complete":
        state.started = study  # such as of a link, or before the page was loaded anew
    if against:
        st.error(against, icon=":material/block:")
    elif state.started == study and run and (run.unfinished or run.state == "complete"):
        return True
    with st.container(horizontal=True, vertical_alignment="center", key="study_start"):
        if against:
            results.download_program(study, "study_program")
        else:
            begun = run is not None and 0 < run.n_done < run.n_cells
            st.button(
                "Go on" if begun else "Run",
                type="primary",
                icon=":material/play_arrow:",
                key="study_run",
                on_click=_start,
                args=(study,),
            )
            if state.refused == study:
                st.warning("Many studies wait already. Press Run again in a minute.")
        _name_other_result(study)
    return not against


def _name_other_result(study: Study | None) -> None:
    """Say that the result is of other settings than a study, or than those that are not valid."""
    started = study_state().started
    if started is None or started == study:
        return
    kept = studies().find(started) is not None
    is_of = "The result below is" if kept else "The last result, which is no longer kept, was"
    st.caption(f"{is_of} of other settings.", width="content")
    st.button(
        "Show its settings",
        key="study_show",
        type="tertiary",
        help="Sets the controls to the study of that result.",
        on_click=open_study,
        args=(started,),
    )


def _start(study: Study) -> None:
    state = study_state()
    try:
        studies().start(study, session_id())
    except Busy:
        state.refused = study
        return
    state.started, state.refused, state.live = study, None, [None, None]
