"""The server. Start it with ``streamlit run app.py``."""

import gc
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
import torch
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

# what the first visitor would else have to wait for
for module in ("regviz.figures", "regviz.runs"):
    importlib.import_module(module)

ROOT = Path(__file__).parent


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[dict[str, Any]]:
    """Prepare the process once."""
    torch.set_num_threads(1)
    gc.freeze()  # what is imported stays: let no collection walk through torch again
    yield {}


app = st.App(
    ROOT / "regviz" / "pages" / "playground.py",
    lifespan=lifespan,
    routes=[Mount("/assets", StaticFiles(directory=ROOT / "assets"))],
)
