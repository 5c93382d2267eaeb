"""A run as one HTML file: the board with all networks of a grid inside, and no server.

The file holds the modules of ``assets/board`` as they are on the page. An import map leads from
their names to ``data:`` URLs, since a page that is opened from disk may not import other files; so
each module's imports of its neighbours become names, and nothing else of it changes.
"""

import base64
import json
import posixpath
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from regviz.board.encoding import Source, encode
from regviz.board.frames import FrameSelector
from regviz.board.strength_grid import StrengthGrid
from regviz.engine.history import History
from regviz.resources import resource
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
</main>
{messages}
<script type="module">import "{entry}";</script>
</body>
</html>
"""

# no request is allowed but to what the file itself holds
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' data:; style-src 'unsafe-inline';"
    " img-src data: blob:; base-uri 'none'; form-action 'none'"
)


def offline_page(messages: Sequence[bytes], title: str, about: str = "") -> str:
    """One HTML file with a board that shows these messages, and makes no request.

    Parameters
    ----------
    messages : sequence of bytes
        All messages of a grid, as `recording` returns them.
    title : str
        The page's heading.
    about : str
        A sentence or two below the heading.

    Returns
    -------
    str
        HTML. Its length is 4/3 of that of the messages, which are compressed, and about 0.4 MB for
        the board.

    Raises
    ------
    ValueError
        If there are no messages.

    See Also
    --------
    regviz.board.encoding.encode : The layout of a message.

    Notes
    -----
    It takes a browser with import maps and ``color-mix``: Chrome or Edge 111, Firefox 113, Safari
    16.4, all of 2023, or later.
    """
    if not messages:
        raise invalid("messages", "at least one", list(messages))
    return PAGE.format(
        policy=POLICY,
        title=escape(title),
        about=f'<p class="about">{escape(about)}</p>' if about else "",
        # a style element ends at the first "</", whatever that stands in
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
    """All that a board needs to show a grid: the messages that `offline_page` takes.

    Parameters are rounded so that no prediction moves visibly, as `regviz.board.frames` describes.

    Parameters
    ----------
    grid : StrengthGrid
    rows : sequence of int
        The network that each of the grid's methods shows at first, in the order of
        ``grid.networks_by_method``.
    history : History
        The complete run of ``grid.experiment``.
    name : str
        Names grid and rows together.
    requested_view : mapping, optional
        What the board is to show at first, as for `regviz.board.encoding.encode`.

    Returns
    -------
    list of bytes

    Raises
    ------
    ValueError
        If the history is of another experiment or not complete, or the rows are not one of each
        method's.
    """
    if history.experiment != grid.experiment or not history.complete:
        raise invalid("history", "the complete run of the grid's experiment", history.experiment)
    networks_by_method = [networks for _, networks in grid.networks_by_method]
    if len(rows) != len(networks_by_method) or any(
        r not in s for r, s in zip(rows, networks_by_method, strict=True)
    ):
        raise invalid("rows", f"one network of each of {networks_by_method}", list(rows))
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
    """Read a module and all modules that it imports, directly or indirectly.

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
