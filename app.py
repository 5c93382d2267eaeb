"""The server. Start it with ``streamlit run app.py``."""

import gc

gc.disable()  # until all is imported, which takes a fifth less time so

import asyncio
import importlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
import torch
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.routing import Route

from regviz.server.admission import Admission, Seats
from regviz.server.assets import ASSETS, KINDS, place
from regviz.server.connection import remember_themes
from regviz.server.errors import Errors, log_once, tell
from regviz.server.files import Kept, below
from regviz.server.gate import Gate, ask_nobody
from regviz.server.headers import SecurityHeaders
from regviz.server.housekeeping import keep_house
from regviz.server.index import STREAMLIT, document
from regviz.server.logs import configure
from regviz.server.metrics import serve_metrics
from regviz.server.sending import send_whole_runs
from regviz.server.state import limits, runs, trainer
from regviz.server.widgets import distrust

# what the first visitor would else have to wait for
importlib.import_module("regviz.figures")

ROOT = Path(__file__).parent
# each at an address with a hash of what it says
FILES = {
    **below("/static", STREAMLIT / "static", (".css", ".gif", ".js", ".png", ".svg", ".woff2")),
    **below(f"/{place()}", ASSETS, KINDS),
}
configure()
log_once()
ask_nobody()
distrust()
send_whole_runs()
remember_themes()
try:
    seats = Seats(limits().sessions)
except ValueError as error:
    sys.exit(f"RegViz cannot start: {error}")
trainer().prepare()


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[dict[str, Any]]:
    """Prepare the process once, and keep it tidy."""
    torch.set_num_threads(1)
    if limits().metrics_port:
        serve_metrics(limits().metrics_port, seats, runs())
    gc.freeze()  # what is imported stays: let no collection walk through torch again
    gc.enable()
    housekeeping = asyncio.create_task(keep_house(runs(), lambda: seats.n_taken))
    yield {}
    housekeeping.cancel()


app = st.App(
    ROOT / "regviz" / "pages" / "playground.py",
    lifespan=lifespan,
    routes=[Route("/", HTMLResponse(document(), headers={"cache-control": "no-cache"}))],
    # from the outside in
    middleware=[
        Middleware(SecurityHeaders, embed=limits().embed),
        Middleware(Errors),
        Middleware(Gate),
        Middleware(Kept, files=FILES),
        Middleware(Admission, seats=seats),
    ],
    on_script_error=tell,
)
