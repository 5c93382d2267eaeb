"""Baseline of `benchmarks.board`: boundaries in a fragment with one `st.plotly_chart` each."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

import regviz
from regviz.scenes.showcase import SHOWCASE

GRID = 64


@st.cache_resource
def _history() -> regviz.History:
    return regviz.train(SHOWCASE)


@st.fragment(run_every=0.01)
def _show() -> None:
    history = _history()
    st.session_state.frame = (st.session_state.get("frame", -1) + 1) % len(history.epochs)
    axis = np.linspace(-2, 2, GRID)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    probability = history.predict(points, st.session_state.frame).reshape(-1, GRID, GRID)
    for k, (column, z) in enumerate(zip(st.columns(len(probability)), probability, strict=True)):
        figure = go.Figure(go.Heatmap(z=z, showscale=False))
        figure.update_layout(title=f"frame {st.session_state.frame}", height=300)
        column.plotly_chart(figure, key=f"chart {k}")


_show()
