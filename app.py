"""Entry point of the server, started by ``streamlit run app.py`` or ``regviz serve``."""

import gc

gc.disable()  # shortens the imports by a fifth; `prepare`'s lifespan enables it again

import streamlit as st

from regviz.pages import SCRIPT
from regviz.server.application import prepare

# Streamlit finds an assignment of `st.App` to a name by parsing this file.
app = st.App(SCRIPT, **prepare())
