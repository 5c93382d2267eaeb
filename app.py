"""The server's entry. Start it with ``streamlit run app.py``, or ``regviz serve`` if installed."""

import gc

gc.disable()  # until all is imported, which takes a fifth less time so; `application` enables it

import streamlit as st

from regviz.server.application import PAGE, prepare

# Streamlit serves what is assigned in this form in the file that it is given.
app = st.App(PAGE, **prepare())
