"""The pages of the site: the playground at ``/``, and the course at ``/learn``."""

import streamlit as st

from regviz.pages import learn, playground


def main() -> None:
    """Run the page of the address."""
    # each links to the other; the pages are hidden in the sidebar, which lists controls or lessons
    first = st.Page(lambda: playground.main(course), title="RegViz", default=True)
    course = st.Page(lambda: learn.main(first, course), title="Learn", url_path=learn.PATH)
    st.navigation([first, course], position="hidden").run()


main()
