"""The application that ``app.py`` and `regviz serve` have Streamlit serve."""

import asyncio
import gc
import importlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
import torch
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regviz.engine import compiled
from regviz.server.admission import Admission, Places
from regviz.server.assets import files
from regviz.server.errors import Errors, tell
from regviz.server.files import File, StaticCache
from regviz.server.gate import Gate
from regviz.server.headers import SecurityHeaders
from regviz.server.index import document
from regviz.server.logs import configure
from regviz.server.maintenance import run_maintenance
from regviz.server.messages import check_messages
from regviz.server.metrics import serve_metrics
from regviz.server.slow_clients import Arrivals, bound_connections, raise_descriptor_limit
from regviz.server.state import limits, runs
from regviz.server.streamlit_patches import apply_patches

PAGE = Path(__file__).parents[1] / "pages" / "playground.py"
_DOCUMENT = File("index.html", lambda: document().encode(), "no-cache")


def prepare() -> dict[str, Any]:
    """Set this process up to serve the page.

    Returns
    -------
    dict
        The keyword arguments of `st.App`, of which `PAGE` is the script. A setting that is wrong
        ends the process with a line that says so.
    """
    # what the first visitor would else have to wait for
    importlib.import_module("regviz.figures")
    compiled.begin("float32")
    configure()
    bound_connections(Arrivals(raise_descriptor_limit()))
    try:
        check_messages()
        apply_patches(limits().streamlit_patches == 1)
        places = Places(limits().sessions, limits().sessions_per_address)
    except ValueError as error:
        sys.exit(f"RegViz cannot start: {error}")

    @asynccontextmanager
    async def lifespan(_: st.App) -> AsyncIterator[dict[str, Any]]:
        """Prepare the process once, and keep it tidy."""
        torch.set_num_threads(1)
        if limits().metrics_port:
            serve_metrics(limits().metrics_port, places, runs())
        gc.freeze()  # what is imported stays: let no collection walk through torch again
        gc.enable()
        housekeeping = asyncio.create_task(run_maintenance(runs(), lambda: places.n_taken))
        yield {}
        housekeeping.cancel()

    return {
        "lifespan": lifespan,
        "routes": [Route("/", _page)],
        # from the outside in
        "middleware": [
            Middleware(SecurityHeaders, embed=limits().embed),
            Middleware(Errors),
            Middleware(Gate),
            Middleware(StaticCache, files=files()),
            Middleware(Admission, places=places),
        ],
        "on_script_error": tell,
    }


async def _page(request: Request) -> Response:
    """Return the page that a browser opens."""
    return await _DOCUMENT.answer(request.headers)
