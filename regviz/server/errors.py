"""When something fails: the operator's log says what, the visitor's screen says what to do."""

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
    """Log an error with its traceback under a number that can be passed on; the number.

    Parameters
    ----------
    error : Exception
    where : str
        What failed, such as ``"page"``.
    """
    number = secrets.token_hex(4)
    fields = {"error": number, "where": where}
    _logger.error("error", extra={"fields": fields}, exc_info=error)
    return number


def tell(error: Exception) -> bool:
    """Report an error of the page's script, and put its number where the failed part would be.

    For Streamlit's ``on_script_error``. What was drawn before stays, and in a fragment that is all
    of the page but the fragment.

    Returns
    -------
    bool
        True: Streamlit has nothing to show.
    """
    st.error(PAGE.format(number=report(error, "page")))
    return True


class Errors:
    """ASGI middleware that answers what fails with the number it is logged under, and no more.

    Parameters
    ----------
    app : ASGI application
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
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
                raise  # the server cuts off what was begun
            number = report(error, scope["path"])
            if scope["type"] == "http":
                text = f"Something went wrong here (error {number}).\n"
                await PlainTextResponse(text, 500)(scope, receive, send)
            elif not over:
                with suppress(OSError, RuntimeError):  # the visitor has gone
                    await send({"type": "websocket.close", "code": 1011})
