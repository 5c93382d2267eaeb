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
from regviz.methods.labels import dataset_label
from regviz.resources import resource
from regviz.scenes.encoding import Source, encode_all
from regviz.scenes.frames import FrameSelector
from regviz.scenes.scene import Scene
from regviz.scenes.strength_grid import StrengthGrid
from regviz.scenes.view import view_of
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
{head}
</head>
<body>
{body}
</body>
</html>
"""

# forbids all network requests
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' data:; style-src 'unsafe-inline';"
    " img-src data: blob:; base-uri 'none'; form-action 'none'"
)
ENTRY = "offline.js"


def document(title: str, head: str, body: str, policy: str = POLICY) -> str:
    """Return an HTML page.

    Parameters
    ----------
    title : str
        Title of the page, as text.
    head, body : str
        HTML of both elements, as it is.
    policy : str
        Content Security Policy; by default it forbids all network requests.
    """
    return PAGE.format(policy=policy, title=escape(title), head=head, body=body)


def board_html(files: Sequence[str] = (), view: Mapping[str, Any] | None = None) -> str:
    """Return the HTML element that ``assets/board/offline.js`` replaces by a board.

    Parameters
    ----------
    files : sequence of str
        Addresses of the scripts of a recording, as of `message_script`, in order. By default the
        messages are in the page.
    view : mapping, optional
        View to show at first, as for `regviz.scenes.encoding.encode`; by default, that of the
        recording.
    """
    viewed = f' data-view="{escape(json.dumps(view))}"' if view is not None else ""
    return f"""<div class="recording" data-files="{escape(" ".join(files))}"{viewed}>
<p id="note" role="status">Opening the recording. If nothing appears, JavaScript is switched off or
the browser is too old: it takes Chrome or Edge 111, Firefox 113, Safari 16.4, or later.</p>
</div>"""


def message_script(name: str, message: bytes) -> str:
    """Return the source of a script that hands over a message to ``assets/board/offline.js``.

    A page opened from disk can load scripts, but cannot fetch other files.

    Parameters
    ----------
    name : str
        Name of the script's file without its suffix.
    message : bytes
    """
    return f'(globalThis.regvizMessages ??= {{}})["{name}"] = "{_base64(message)}";\n'


def board_script() -> str:
    """Return the source of a script that loads the board's modules, which it contains.

    It adds an import map to the page, as `offline_page` does: a page opened from disk cannot load
    modules.
    """
    return (
        'document.head.append(Object.assign(document.createElement("script"), {\n'
        f'  type: "importmap",\n  textContent: {json.dumps(import_map())},\n}}));\n'
        f'import("{PREFIX}{ENTRY}");\n'
    )


def offline_page(
    messages: Sequence[bytes], title: str, about: str = "", main: str | None = None
) -> str:
    """Return an HTML file with a board that shows a recording and makes no network requests.

    Parameters
    ----------
    messages : sequence of bytes
        All messages of a grid, as `recording` returns them.
    title : str
        Title and heading of the page.
    about : str
        Text below the heading.
    main : str, optional
        HTML in place of heading, text and board. It contains `board_html`.

    Returns
    -------
    str
        HTML text. Its length is 4/3 of that of the messages (base64) plus about 0.66 MB.

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
    if main is None:
        paragraph = f'<p class="about">{escape(about)}</p>\n' if about else ""
        main = f"<h1>{escape(title)}</h1>\n{paragraph}{board_html()}"
    # escaped, as "</style" ends a style element also within strings and comments
    styles = style_sheet().replace("</", r"<\/")
    head = f"""<link rel="icon" href="data:,">
<style>
{styles}
</style>
<script type="importmap">{import_map()}</script>"""
    inline = "\n".join(
        f'<script type="application/octet-stream" data-message>{_base64(message)}</script>'
        for message in messages
    )
    entry = f'<script type="module">import "{PREFIX}{ENTRY}";</script>'
    return document(title, head, f"<main>\n{main}\n</main>\n{inline}\n{entry}")


def run_page(scene: Scene, history: History) -> str:
    """Return a scene's run as one HTML page that opens at the scene's view.

    Parameters
    ----------
    scene : Scene
    history : History
        The complete run of ``scene.grid().experiment``.

    Raises
    ------
    ValueError
        If the history is of another experiment or not complete.
    """
    about = (
        "Same points, same initial weights, same batches: these networks differ in nothing but"
        " their regularization. The views below the board, such as Anatomy, are not in this file."
    )
    if scene.pins:
        about += " The pinned runs are not in this file."
    grid = scene.grid()
    messages = recording(grid, scene.rows(grid), history, "offline", view_of(scene, grid))
    return offline_page(messages, f"RegViz: {dataset_label(scene.data)}", about)


def recording(
    grid: StrengthGrid,
    rows: Sequence[int],
    history: History,
    name: str,
    requested_view: Mapping[str, Any] | None = None,
    lengths: Sequence[int] = (),
    limit: int | None = None,
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
    lengths : sequence of int
        Largest numbers of frames of the first messages; by default, no limit.
    limit : int, optional
        Bound on the bytes of all frames, as of `regviz.scenes.frames.FrameSelector`.

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
    selector = FrameSelector(history, limit)
    selector.add(history)
    source = Source.of(grid, name, rows, history, selector)
    return encode_all(source, requested_view=requested_view, lengths=lengths)


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


def import_map() -> str:
    """Return the import map of `ENTRY` and all that it imports: names and ``data:`` URLs."""
    urls = {
        name: f"data:text/javascript;base64,{_base64(text.encode())}"
        for name, text in named_modules(ENTRY).items()
    }
    return json.dumps({"imports": urls})


def named_modules(entry: str) -> dict[str, str]:
    """Return `modules` of a board module by names such as ``"regviz/state/codec.js"``.

    The texts import these names in place of relative paths.
    """
    texts = modules(BOARD / entry)
    return {PREFIX + name: _named(name, text) for name, text in texts.items()}


def _named(name: str, text: str) -> str:
    """Return a module's text, with names of the import map in place of relative paths."""

    def absolute(found: re.Match[str]) -> str:
        return f'{found[1]}"{PREFIX}{_resolve(name, found[2])}";'

    return f"{_IMPORT.sub(absolute, text)}\n//# sourceURL={PREFIX}{name}\n"


def style_sheet(*names: str) -> str:
    """Return style sheets of the board; by default those of a page with a board."""
    return "\n".join(_styles(STYLES / name) for name in names or ("offline.css", "index.css"))


def _styles(sheet: Path) -> str:
    """Read a style sheet, with each ``@import`` replaced by the sheet that it imports."""
    source = sheet.read_text(encoding="utf-8")
    return _STYLE.sub(lambda match: _styles(sheet.parent / match[1]), source)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
