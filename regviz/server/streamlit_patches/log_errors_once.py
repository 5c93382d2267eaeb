"""Keep Streamlit from logging an error of the page that `regviz.server.errors.tell` logs.

Fault: Streamlit logs every error of the page's script with its traceback before it calls
``on_script_error``, and has no setting against that. `tell` logs it too, on one line and under the
number that the visitor is shown.

Mended when `error_util.handle_user_script_exception` logs nothing if ``on_script_error`` is set, or
Streamlit has a setting for it.
"""

import logging

TOUCHES = {
    "streamlit.error_util:_log_uncaught_app_exception": ("ex",),
    "streamlit.error_util:_LOGGER": None,
}


def apply() -> None:
    """Add a filter to the logger of `streamlit.error_util`."""
    from streamlit import error_util

    error_util._LOGGER.addFilter(_is_other)


def _is_other(record: logging.LogRecord) -> bool:
    """Return whether a record is of something else than an uncaught error of the page's script."""
    return record.funcName != "_log_uncaught_app_exception"
