"""``regviz open``: a link or an experiment on the page, in a browser."""

import os
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
import webbrowser
from argparse import Namespace
from contextlib import redirect_stdout
from typing import TextIO
from urllib.parse import urlsplit

from regviz.cli import output
from regviz.cli.serve import check_installed, serve
from regviz.cli.source import (
    LESSONS,
    import_extensions,
    of_text,
    query_of,
    read_text,
    refuse,
    scene_of,
    split_link,
)
from regviz.cli.study import study_of_text
from regviz.lessons.course import course
from regviz.scenes import study_link
from regviz.scenes.link import MAX_LINK_CHARS, fitting, link
from regviz.spec.validation import invalid, one_of

HEALTH = "_stcore/health"
START_SECONDS = 120.0


def run(options: Namespace) -> int:
    """Open a link, as ``regviz open``."""
    rest = _path_and_query(options)
    if options.url is not None:
        base = _base(options.url)
        if not _is_up(base):
            raise OSError(f"no RegViz server answers at {base}")
        _announce(base + rest, options, sys.stdout)
        return 0
    check_installed(options.command)
    port = options.port or _free_port()
    address = f"http://127.0.0.1:{port}/"
    announcing = threading.Thread(
        target=_announce_once_up, args=(address, rest, options, sys.stdout), daemon=True
    )
    announcing.start()
    # Streamlit prints addresses, which are not this command's output
    with redirect_stdout(sys.stderr):
        local = ["--server.port", str(port), "--server.address", "127.0.0.1"]
        return serve(local, options.imports)


def _path_and_query(options: Namespace) -> str:
    """Return what follows the server's address in the link to open.

    Raises
    ------
    ValueError
        If the link or the file is not valid.
    """
    if "://" not in options.link:
        return _of_file(options)
    parts = split_link(options.link)
    query = query_of(parts)
    tail = f"?{parts.query}" if parts.query else ""
    if parts.path.rstrip("/").endswith(LESSONS):
        keys = [
            lesson.key for lesson in course(tuple(os.environ.get("REGVIZ_LESSONS", "").split()))
        ]
        if options.url is None and query.get("lesson", keys[0]) not in keys:
            raise invalid("lesson", one_of(keys), query["lesson"])
        return f"{LESSONS.strip('/')}{tail}"
    if parts.path.rstrip("/").endswith(study_link.PATH):
        refuse(study_link.from_query(query)[1])
        return f"{study_link.PATH.strip('/')}{tail}"
    scene_of(query)
    return tail


def _of_file(options: Namespace) -> str:
    """Return path and query string of a file's study or scene."""
    import_extensions(options)
    content = read_text(options.link)
    if (study := study_of_text(options.link, content)) is not None:
        return _short(options, study_link.link(study_link.PATH.strip("/"), study))
    source = of_text(options.link, content)
    if source.plain:
        output.note(source.scene.missing(source.plain))
    scene = fitting(source.scene)
    if scene != source.scene:
        output.note(["The pinned runs are too long for a link, which leaves them out."])
    return _short(options, link("", scene))


def _short(options: Namespace, text: str) -> str:
    """Return a path and query string; raise ValueError if they are too long for a link."""
    if len(text) > MAX_LINK_CHARS:
        allowed = f"an experiment whose link has at most {MAX_LINK_CHARS:,} characters"
        allowed += ", or open it on the page by Save · open"
        raise invalid("LINK", allowed, f"{options.link}, of {len(text):,}")
    return text


def _base(url: str) -> str:
    """Return the address of a server, with a slash at its end."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise invalid("--url", "an address such as http://localhost:8501", url)
    return url.rstrip("/") + "/"


def _free_port() -> int:
    """Return a port of this machine that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_up(base: str) -> bool:
    """Return whether a server answers at an address."""
    try:
        with urllib.request.urlopen(base + HEALTH, timeout=5) as answer:
            return bool(answer.read() == b"ok")
    except (urllib.error.URLError, OSError, ValueError):
        return False


def _announce_once_up(base: str, rest: str, options: Namespace, stream: TextIO) -> None:
    """Wait until the server answers, and open the page."""
    deadline = time.monotonic() + START_SECONDS
    while not _is_up(base):
        if time.monotonic() > deadline:
            return  # the server has said why
        time.sleep(0.2)
    _announce(base + rest, options, stream)


def _announce(address: str, options: Namespace, stream: TextIO) -> None:
    """Print the address, and open it in a browser unless that is not wanted or not possible."""
    opened = not options.no_browser and webbrowser.open(address)
    shown = output.json_text({"url": address, "opened": opened}) if options.json else address
    print(shown, file=stream, flush=True)
