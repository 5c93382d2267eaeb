"""Keep Streamlit from logging errors of the page that `regviz.server.errors.show_error` logs.

Fault: Streamlit logs every error of the page's script with its traceback before it calls
``on_script_error``, and has no setting to turn this off. `show_error` logs it too, as one line with
the number that the visitor sees.

Fixed when `error_util.handle_user_script_exception` logs nothing if ``on_script_error`` is set, or
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

    error_util._LOGGER.addFilter(_is_other_record)


def _is_other_record(record: logging.LogRecord) -> bool:
    """Return False for records of uncaught errors of the page's script, else True."""
    return record.funcName != "_log_uncaught_app_exception"
