"""Patches of Streamlit's internals, one file each, for faults that have no public workaround.

`apply_patches` applies them at the start of the server, before the first visitor. A patch is a
module with two names:

``TOUCHES``
    Mapping of each name in Streamlit that the patch relies on to the names of its parameters if it
    is a function, or None. ``"module:Class.method"`` is an attribute of a class, and
    ``"module:Class().name"`` an attribute of its instances.
``apply()``
    Patch Streamlit. It is called only if every name in ``TOUCHES`` exists as expected.

Otherwise, or if ``apply`` raises, the patch is skipped, a warning names it, and the page works
without it. The page also works without any patch (``REGVIZ_STREAMLIT_PATCHES=0``): see
``tests/browser/test_without_patches.py``.

========================  =======================================  ================================
patch                     fault of Streamlit 1.67                  effect without the patch
========================  =======================================  ================================
`check_widget_values`     takes any value of any type for a        a forged message raises an error
                          widget                                   in the page, which is logged
`share_session_lock`      gives two runs of a session a lock each  rarely, an error while a visitor
                                                                   changes controls quickly
`keep_queued_messages`    drops messages of the page's run when a  on a busy server the board
                          fragment's run begins                    vanishes and starts again, or
                                                                   the browser fails
`wait_for_run_end`        ignores the last messages of a run if a  on a busy server parts of the
                          fragment is requested as it ends         page are missing or stay stale
`keep_downloads`          deletes a download that a click has       on a busy server a download
                          made when any two runs have ended        fails with status 404
`limit_uploads`           keeps every file that a session uploads  one client can fill the memory
`log_errors_once`         logs errors that ``on_script_error``     each error of the page is logged
                          has handled                              a second time, on many lines
========================  =======================================  ================================

Each module says how to tell that Streamlit has fixed the fault. Then delete the module, its entries
in `PATCHES` and in this table, and its tests.
"""

import logging
from collections.abc import Iterable
from types import ModuleType

from regviz.server.internals import find_difference
from regviz.server.streamlit_patches import (
    check_widget_values,
    keep_downloads,
    keep_queued_messages,
    limit_uploads,
    log_errors_once,
    share_session_lock,
    wait_for_run_end,
)

_logger = logging.getLogger("regviz.patches")

PATCHES: tuple[ModuleType, ...] = (
    check_widget_values,
    share_session_lock,
    keep_queued_messages,
    wait_for_run_end,
    keep_downloads,
    limit_uploads,
    log_errors_once,
)


def apply_patches(enabled: bool = True, patches: Iterable[ModuleType] = PATCHES) -> list[str]:
    """Apply the patches that match the installed Streamlit, and log a warning for each other one.

    Call it once in a process.

    Parameters
    ----------
    enabled : bool
        False leaves Streamlit unchanged.
    patches : iterable of module
        Modules as described in this package's docstring; by default `PATCHES`.

    Returns
    -------
    list of str
        Names of the patches that were applied.
    """
    if not enabled:
        _logger.warning("all patches of Streamlit are off (REGVIZ_STREAMLIT_PATCHES=0)")
        return []
    applied = []
    for patch in patches:
        name = patch.__name__.rpartition(".")[2]
        if difference := find_difference(patch.TOUCHES):
            _logger.warning("the Streamlit patch %s is left out: %s", name, difference)
            continue
        try:
            patch.apply()
        except Exception as error:
            _logger.warning("the Streamlit patch %s is left out: %r", name, error, exc_info=error)
        else:
            applied.append(name)
    return applied
