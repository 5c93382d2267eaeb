"""Export of a run as one HTML file: the board with all networks of a grid, without a server.

The file contains the modules of ``assets/board`` that the page uses. A page opened from disk cannot
import other files. So an import map resolves the modules' names to ``data:`` URLs, and relative
imports in the modules are replaced by these names.
"""

import base64
import json
import posixpath
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from regviz.engine.history import History
from regviz.resources import resource
from regviz.scenes.encoding import Source, encode
from regviz.scenes.frames import FrameSelector
from regviz.scenes.strength_grid import StrengthGrid
from regviz.spec.validation import invalid

BOARD = resource("assets/board")
STYLES = BOARD / "styles"
PREFIX = "regviz/"
_IMPORT = re.compile(r'(?m)^((?:import|export|\}).*?from |import )"(\.\.?/[\w./-]+\.js)";$')
_STYLE = re.compile(r'@import "([\w./-]+\.css)";')

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="RegViz">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
{styles}
</style>
<script type="importmap">{modules}</script>
</head>
<body>
<main>
<h1>{title}</h1>
{about}
<p id="note">Opening the recording. If nothing appears, JavaScript is switched off or the browser is
too old: it takes Chrome or Edge 111, Firefox 113, Safari 16.4, or later.</p>
{below}
</main>
{messages}
<script type="module">import "{entry}";</script>
</body>
</html>
"""

# forbids all network requests
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' data:; style-src 'unsafe-inline';"
    " img-src data: blob:; base-uri 'none'; form-action 'none'"
)


def offline_page(
    messages: Sequence[bytes], title: str, about: str = "", above: str = "", below: str = ""
) -> str:
    """Return an HTML file with a board that shows a recording and makes no network requests.

    Parameters
    ----------
    messages : sequence of bytes
        All messages of a grid, as `recording` returns them.
    title : str
        Heading of the page.
    about : str
        Text below the heading.
    above, below : str
        HTML above and below the board, as it is.

    Returns
    -------
    str
        HTML text. Its length is 4/3 of that of the messages (base64) plus about 0.64 MB.

    Raises
    ------
    ValueError
        If there are no messages.

    See Also
    --------
    regviz.scenes.encoding.encode : The layout of a message.

    Notes
    -----
    The file needs a browser with import maps and ``color-mix``: Chrome or Edge 111, Firefox 113,
    Safari 16.4 (all of 2023), or later.

    Examples
    --------
    >>> import regviz
    >>> from regviz.scenes.offline import offline_page, recording
    >>> training = regviz.TrainingSpec(epochs=20)
    >>> grid = regviz.Scene(training=training, methods=("none", "l1")).grid()
    >>> messages = recording(grid, grid.rows({}), regviz.train(grid.experiment), name="two")
    >>> offline_page(messages, "None and L1").startswith("<!doctype html>")
    True
    """
    if not messages:
        raise invalid("messages", "at least one", list(messages))
    return PAGE.format(
        policy=POLICY,
        title=escape(title),
        about=(f'<p class="about">{escape(about)}</p>' if about else "") + above,
        below=below,
        # escaped, as "</style" ends a style element also within strings and comments
        styles="\n".join(_styles(STYLES / name) for name in ("offline.css", "index.css")).replace(
            "</", r"<\/"
        ),
        modules=json.dumps({"imports": _import_map("offline.js")}),
        messages="\n".join(
            f'<script type="application/octet-stream" data-message>{_base64(message)}</script>'
            for message in messages
        ),
        entry=f"{PREFIX}offline.js",
    )


def recording(
    grid: StrengthGrid,
    rows: Sequence[int],
    history: History,
    name: str,
    requested_view: Mapping[str, Any] | None = None,
) -> list[bytes]:
    """Return the messages of a complete run of a grid, the argument of `offline_page`.

    Parameters of networks are rounded as `regviz.scenes.frames` describes.

    Parameters
    ----------
    grid : StrengthGrid
    rows : sequence of int
        Index of the network to show at first for each method, in the order of
        ``grid.networks_by_variant``.
    history : History
        The complete run of ``grid.experiment``.
    name : str
        Identifier of grid and rows.
    requested_view : mapping, optional
        View to show at first, as for `regviz.scenes.encoding.encode`.

    Returns
    -------
    list of bytes

    Raises
    ------
    ValueError
        If the history is of another experiment or not complete, or ``rows`` is not one network of
        each method.

    Examples
    --------
    >>> import regviz
    >>> from regviz.scenes.offline import offline_page, recording
    >>> training = regviz.TrainingSpec(epochs=20)
    >>> grid = regviz.Scene(training=training, methods=("none", "l1")).grid()
    >>> messages = recording(grid, grid.rows({}), regviz.train(grid.experiment), name="two")
    >>> len(messages) > 0
    True
    """
    if history.experiment != grid.experiment or not history.complete:
        raise invalid("history", "the complete run of the grid's experiment", history.experiment)
    by_method = [
        {row for networks in variants for row in networks}
        for _, variants in grid.networks_by_variant
    ]
    if len(rows) != len(by_method) or any(r not in s for r, s in zip(rows, by_method, strict=True)):
        raise invalid("rows", f"one network of each of {grid.methods}", list(rows))
    selector = FrameSelector(history)
    selector.add(history)
    source = Source(grid, name, rows, history, selector)
    messages, frame = [], 0
    while frame < len(selector.frames):
        messages.append(encode(source, frame, requested_view=requested_view))
        precision = selector.frames[frame][1]
        while frame < len(selector.frames) and selector.frames[frame][1] == precision:
            frame += 1
    return messages


def modules(entry: Path) -> dict[str, str]:
    """Return the sources of a JavaScript module and all that it imports, directly or indirectly.

    Parameters
    ----------
    entry : Path
        A module.

    Returns
    -------
    dict of str to str
        Source text by path relative to the folder of ``entry``, such as ``"state/codec.js"``, in
        breadth-first order.
    """
    texts, queue = {}, [entry.name]
    for name in queue:
        texts[name] = (entry.parent / name).read_text(encoding="utf-8")
        imported = (_resolve(name, match[2]) for match in _IMPORT.finditer(texts[name]))
        queue += [path for path in dict.fromkeys(imported) if path not in queue]
    return texts


def _resolve(importer: str, specifier: str) -> str:
    """Resolve a relative import, such as ``"../draw/dom.js"``, against its importer's path."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), specifier))


def _import_map(entry: str) -> dict[str, str]:
    """Map the name of a board module, and of each that it imports, to a ``data:`` URL of it."""
    return {
        PREFIX + name: f"data:text/javascript;base64,{_base64(_named(name, text).encode())}"
        for name, text in modules(BOARD / entry).items()
    }


def _named(name: str, text: str) -> str:
    """Return a module's text, with names of the import map in place of relative paths."""

    def absolute(found: re.Match[str]) -> str:
        return f'{found[1]}"{PREFIX}{_resolve(name, found[2])}";'

    return f"{_IMPORT.sub(absolute, text)}\n//# sourceURL={PREFIX}{name}\n"


def _styles(sheet: Path) -> str:
    """Read a style sheet, with each ``@import`` replaced by the sheet that it imports."""
    source = sheet.read_text(encoding="utf-8")
    return _STYLE.sub(lambda match: _styles(sheet.parent / match[1]), source)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
