"""Error handling: the traceback goes to the log, its number and advice to the visitor."""

import logging
import secrets
from contextlib import suppress

import streamlit as st
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_logger = logging.getLogger("regviz.errors")
PAGE = (
    "Something went wrong here (error {number}). Reload the page: the address bar has what you"
    " chose. If it happens again, tell whoever runs this server the error's number."
)


def report(error: Exception, where: str) -> str:
    """Log an error with its traceback under a random number, and return the number.

    Parameters
    ----------
    error : Exception
    where : str
        The part that failed: ``"page"`` or the path of the request.

    Returns
    -------
    str
        Eight hexadecimal digits.
    """
    number = secrets.token_hex(4)
    fields = {"error": number, "where": where}
    _logger.error("error", extra={"fields": fields}, exc_info=error)
    return number


def show_error(error: Exception) -> bool:
    """Report an error of the page's script, and show its number in place of the failed part.

    The callback ``on_script_error`` of `st.App`. Elements drawn before the error stay on the page.

    Returns
    -------
    bool
        True: Streamlit is to show nothing itself.
    """
    st.error(PAGE.format(number=report(error, "page")))
    return True


class Errors:
    """ASGI middleware that answers failed requests with the number of the log's entry alone.

    Parameters
    ----------
    app : ASGI application
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, and report an error that it raises."""
        begun = over = False

        async def watched(message: Message) -> None:
            nonlocal begun, over
            begun = True
            over = over or message["type"] == "websocket.close"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            if scope["type"] == "lifespan" or (scope["type"] == "http" and begun):
                raise  # the response has begun: the server closes the connection
            number = report(error, scope["path"])
            if scope["type"] == "http":
                text = f"Something went wrong here (error {number}).\n"
                await PlainTextResponse(text, 500)(scope, receive, send)
            elif not over:
                with suppress(OSError, RuntimeError):  # the client has closed the connection
                    await send({"type": "websocket.close", "code": 1011})
