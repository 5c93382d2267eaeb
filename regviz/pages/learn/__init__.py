"""The page *Learn*: the list of lessons at ``/learn``, and a lesson at ``/learn?lesson=noise``."""

import streamlit as st

from regviz.lessons.course import course
from regviz.pages.components import plain
from regviz.pages.learn import overview, page, progress
from regviz.pages.style import STYLE
from regviz.server.state import limits

PATH = "learn"  # of the page's address
PARAMETER = "lesson"  # of a link that opens a lesson
_STYLE = """<style>
  .st-key-course { max-width: 96rem; margin: 0 auto; gap: 0.6rem; }
  .st-key-course_memory { position: absolute; }
  .st-key-overview, .st-key-text, .st-key-why, .st-key-try, .st-key-see { max-width: 44rem; }
  .st-key-board { min-height: 30rem; }
  .st-key-course p, .st-key-course li { font-size: 1.05rem; line-height: 1.6; }
  .st-key-course [data-testid="stCaptionContainer"] p { font-size: 0.9rem; }
  /* every lesson has the address of this page: Streamlit marks all their links as the current */
  .stPageLink a { background: none !important; }
  .stPageLink :not(strong) { font-weight: 400; }
  .stPageLink :is(span, p) { white-space: normal; overflow: visible; }
  .st-key-course .stHeading h1 { padding: 0.2rem 0 0.4rem; }
  /* beside the text, and in sight while the text scrolls, where there is space for both */
  @media (min-width: 1200px) {
    .st-key-lesson {
      display: grid; grid-template-columns: minmax(22rem, 34rem) minmax(0, 1fr);
      column-gap: 2.4rem; row-gap: 0.4rem; align-items: start;
    }
    .st-key-lesson > div { grid-column: 1; min-width: 0; }
    .st-key-lesson > div:has(> .st-key-right), .st-key-lesson > .st-key-right {
      grid-column: 2; grid-row: 1 / span 40; position: sticky; top: 2.8rem; max-height: 95vh;
      overflow-y: auto;
    }
  }
</style>"""


def main(playground: st.Page, own: st.Page) -> None:
    """Draw the list of lessons, or the lesson of the address.

    Parameters
    ----------
    playground, own : st.Page
        The page of the playground and this one, to link to.
    """
    st.set_page_config(
        "RegViz: learn",
        layout="wide",
        initial_sidebar_state="collapsed" if st.context.is_embedded else "auto",
    )
    st.html(STYLE + _STYLE)
    lessons = {lesson.key: lesson for lesson in course(limits().lessons)}
    key = st.query_params.get(PARAMETER)
    with st.container(key="course"):
        progress.remember()
        overview.sidebar(lessons.values(), key, playground, own)
        if key in lessons:
            page.show(lessons[key], list(lessons.values()), own)
            return
        if key is not None:
            st.warning(f"There is no lesson “{plain(key[:40])}” here. These are all.")
        overview.show(lessons.values(), own)
