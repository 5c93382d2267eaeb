"""Tests of the server's start: invalid settings, network access."""

import ipaddress
import json
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from devtools.serving import ROOT, RawVisitor, serve
from tests.support.commands import python

# every name that a process of the server looks up and every address that it connects to
RECORD_NETWORK_EVENTS = """
import os
import sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        place = arguments[1] if event in ("socket.connect", "socket.sendto") else arguments
        with open({file!r}, "a") as out:
            print(event, repr(place), file=out)

sys.addaudithook(watch)
"""


def test_an_invalid_setting_is_reported_in_one_line():
    command = ("-m", "streamlit", "run", "app.py", "--server.port", "0")
    ended = python(*command, check=False, REGVIZ_SESSIONS="many")
    assert ended.returncode == 1
    output = ended.stdout + ended.stderr
    assert "RegViz cannot start: REGVIZ_SESSIONS must be a whole number, got 'many'" in output
    assert "Traceback" not in output


OTHER_STREAMLIT = """
from streamlit.web.server.starlette import (
    starlette_routes, starlette_server_config, starlette_websocket
)
from regviz.server import application, assets

del starlette_server_config.XSRF_COOKIE_NAME
starlette_routes.BASE_ROUTE_MEDIA = "files"
starlette_websocket._parse_subprotocols = lambda headers: ("streamlit", "session", "token")
assets.STREAMLIT = assets.ASSETS
application.prepare()
"""


def test_a_streamlit_with_other_paths_and_names_is_told_in_a_line_each():
    lines = [json.loads(line) for line in python("-c", OTHER_STREAMLIT).stderr.splitlines()]
    module = "streamlit.web.server.starlette.starlette_"
    assert [line["level"] for line in lines] == ["warning"] * 4
    assert [line["event"] for line in lines] == [
        f"requests of the page may be refused: in Streamlit, {module}routes:BASE_ROUTE_MEDIA is"
        " 'files'",
        f"resumed sessions are not recognized: in Streamlit, {module}websocket:_parse_subprotocols"
        " returns ('streamlit', 'session', 'token') for ('streamlit', 'token', 'session')",
        "browsers that keep no cookie are not told so: there is no"
        f" {module}server_config:XSRF_COOKIE_NAME",
        f"Streamlit's static files are not cached: none in {ROOT / 'assets' / 'static'}",
    ]


def test_of_the_pinned_streamlit_nothing_is_told():
    prepare = "from regviz.server import application; application.prepare()"
    assert python("-c", prepare).stderr == ""


def test_the_server_looks_up_and_connects_to_nothing(tmp_path: Path):
    event_log = tmp_path / "told"
    (tmp_path / "sitecustomize.py").write_text(RECORD_NETWORK_EVENTS.format(file=str(event_log)))
    environment = {
        "PYTHONPATH": f"{tmp_path}:{ROOT}",
        "STREAMLIT_SERVER_CORS_ALLOWED_ORIGINS": "https://course.example",
    }
    with serve(tmp_path, **environment) as server:
        for origin in (server.url, "https://course.example"):
            with RawVisitor(server, origin=origin) as visitor:
                assert visitor.rerun("v=2&epochs=20&hidden=2&methods=none,l1")
        with pytest.raises(InvalidStatus):
            RawVisitor(server, origin="https://example.org")
        assert "URL: http://localhost:" in server.logged()
    wrong = []
    for line in event_log.read_text().splitlines() if event_log.exists() else ():
        event, _, place = line.partition(" ")
        found = eval(place)  # written by `repr`
        host = found[0] if isinstance(found, tuple) else None  # else a path
        if isinstance(host, bytes):
            host = host.decode()
        if host not in (None, "", "localhost", "0.0.0.0", "::") and not _is_loopback(host):
            wrong.append(f"{event} {place}")
    assert wrong == []


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a host name
        return False
