"""The pages of the site: playground at ``/``, course at ``/learn``, studies at ``/study``."""

import streamlit as st

from regviz.pages import learn, playground, study


def main() -> None:
    """Run the page of the address."""
    # each links to the others; the pages are hidden in the sidebar, which lists controls or lessons
    first = st.Page(lambda: playground.main(course, many), title="RegViz", default=True)
    course = st.Page(lambda: learn.main(first, course), title="Learn", url_path=learn.PATH)
    many = st.Page(lambda: study.main(first, course, many), title="Study", url_path=study.PATH)
    page = st.navigation([first, course, many], position="hidden")
    if page.url_path != study.PATH:
        study.leave()
    page.run()


main()
