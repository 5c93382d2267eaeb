"""The ASGI application that ``app.py`` and `regviz serve` start."""

import asyncio
import gc
import importlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
import torch
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regviz.engine import compiled
from regviz.lessons.course import course
from regviz.server.admission import Admission, SessionSlots, check_resumption
from regviz.server.assets import files
from regviz.server.errors import Errors, show_error
from regviz.server.extensions import import_modules
from regviz.server.files import File, StaticCache
from regviz.server.gate import PAGES, Gate, check_routes
from regviz.server.headers import SecurityHeaders, upload_cookie
from regviz.server.index import document
from regviz.server.logs import configure
from regviz.server.maintenance import run_maintenance
from regviz.server.messages import check_messages
from regviz.server.metrics import serve_metrics
from regviz.server.slow_clients import ConnectionLimiter, bound_connections, raise_descriptor_limit
from regviz.server.state import limits, runs, studies
from regviz.server.streamlit_patches import apply_patches

_DOCUMENT = File("index.html", lambda: document().encode(), "no-cache")


def prepare() -> dict[str, Any]:
    """Prepare this process to serve the page, and return the arguments of `st.App`.

    Returns
    -------
    dict
        Keyword arguments of `st.App`, to be passed with the script of the page.

    Raises
    ------
    SystemExit
        If a setting is wrong, with a message that names it.
    """
    # now, so that the first visitor waits neither for the import nor for compilation
    importlib.import_module("regviz.figures")
    compiled.begin("float32")
    configure()
    bound_connections(ConnectionLimiter(raise_descriptor_limit()))
    check_routes()
    check_resumption()
    upload_cookie()
    try:
        check_messages()
        apply_patches(limits().streamlit_patches == 1)
        import_modules(limits().imports)
        course(limits().lessons)
        slots = SessionSlots(limits().sessions, limits().sessions_per_address)
    except ValueError as error:
        sys.exit(f"RegViz cannot start: {error}")

    @asynccontextmanager
    async def lifespan(_: st.App) -> AsyncIterator[dict[str, Any]]:
        """Set up the process, and run maintenance until it ends."""
        torch.set_num_threads(1)
        if limits().metrics_port:
            serve_metrics(limits().metrics_port, slots, runs(), studies())
        gc.freeze()  # collections skip all that is imported; a full one takes 100 ms with torch
        gc.enable()
        maintenance = asyncio.create_task(run_maintenance(runs(), studies(), lambda: slots.n_taken))
        yield {}
        maintenance.cancel()

    return {
        "lifespan": lifespan,
        "routes": [Route(path, _page) for path in PAGES],
        # outermost first
        "middleware": [
            Middleware(SecurityHeaders, embed=limits().embed),
            Middleware(Errors),
            Middleware(Gate),
            Middleware(StaticCache, files=files()),
            Middleware(Admission, slots=slots),
        ],
        "on_script_error": show_error,
    }


async def _page(request: Request) -> Response:
    """Respond with the HTML document of the page."""
    return await _DOCUMENT.answer(request.headers)
