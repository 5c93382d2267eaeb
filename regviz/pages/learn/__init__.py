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
  .st-key-overview > :not(:has(.st-key-lessons)) { max-width: 60rem; }
  .st-key-text, .st-key-why, .st-key-try, .st-key-see { max-width: 44rem; }
  .st-key-board { min-height: 30rem; }
  .st-key-course p, .st-key-course li { font-size: 1.05rem; line-height: 1.6; }
  .st-key-lessons [data-testid="stMarkdownContainer"] p { font-size: 0.875rem; line-height: 1.35; }
  .st-key-lessons .stPageLink p { font-size: 1rem !important; }
  .st-key-why [data-testid="stMarkdownContainer"]:has(> table) { overflow-x: auto; }
  .st-key-why table { font-size: 0.85rem; }
  .st-key-why table :is(th, td) { padding: 0.25rem; }
  .st-key-course [data-testid="stCaptionContainer"] p { font-size: 0.9rem; }
  /* every lesson has the address of this page: Streamlit marks all their links as the current */
  .stPageLink a { background: none !important; }
  .stPageLink a:focus-visible { outline: 2px solid; outline-offset: -1px; }
  .st-key-lessons .stPageLink a:focus-visible { outline: none; }
  .st-key-lessons .stPageLink a:focus-visible::after {
    outline: 2px solid; outline-offset: -1px; border-radius: 8px;
  }
  .stPageLink :not(strong) { font-weight: 400; }
  .stPageLink :is(span, p) { white-space: normal; overflow: visible; line-height: 1.35; }
  .stSidebar .stPageLink a { align-items: flex-start; padding-block: 0.2rem; }
  /* the whole course in a window 900 px high; a card is part of its link */
  .st-key-lessons {
    display: grid; grid-template-columns: repeat(auto-fill, minmax(min(28rem, 100%), 1fr));
    gap: 0.4rem; align-items: stretch;
  }
  .st-key-lessons [data-testid="stLayoutWrapper"] { flex: none; }
  .st-key-lessons > div > .stVerticalBlock {
    position: relative; height: auto; gap: 0.1rem; padding: 0.35rem 0.8rem 0.4rem;
  }
  .st-key-lessons > div > .stVerticalBlock:hover { border-color: currentColor; }
  .st-key-lessons .stHorizontalBlock { flex-wrap: nowrap; gap: 0.8rem; }
  .st-key-lessons .stHorizontalBlock > :first-child { flex: 1 1 auto; }
  .st-key-lessons .stHorizontalBlock > :last-child { flex: none; width: auto; }
  .st-key-lessons .stElementContainer { position: static; margin-block: 0; }
  .st-key-lessons .stPageLink a { height: auto; min-height: 0; padding: 0; margin: 0; }
  .st-key-lessons .stPageLink a::after { content: ""; position: absolute; inset: 0; }
  .st-key-course .stHeading h1 { padding: 0.2rem 0 0.4rem; }
  /* beside the text, and in sight while the text scrolls, where there is space for both */
  @media (min-width: 1200px) {
    .st-key-lesson {
      display: grid; grid-template-columns: minmax(22rem, 34rem) minmax(0, 1fr);
      column-gap: 2.4rem; row-gap: 0.4rem; align-items: start;
    }
    .st-key-lesson > div { grid-column: 1; min-width: 0; }
    .st-key-lesson > div:has(> .st-key-right), .st-key-lesson > .st-key-right {
      /* 1rem is the padding below the page: at its end, a higher board would move up by it */
      grid-column: 2; grid-row: 1 / span 40; position: sticky; top: 2.8rem;
      max-height: calc(100vh - 3.8rem - 1px); overflow-y: auto;
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
