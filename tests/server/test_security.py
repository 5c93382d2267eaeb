"""Tests of headers, routes, origins, message limits, uploads and error messages."""

import asyncio
import base64
import contextlib
import gzip
import hashlib
import http.client
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import MagicMock
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit import config
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.web.server.starlette.starlette_app import create_streamlit_routes
from websockets.exceptions import InvalidStatus

from devtools.serving import ROOT, TRACEBACK, RawVisitor, Server, serve
from regviz.server import connection
from regviz.server.admission import Admission, SessionSlots
from regviz.server.assets import STREAMLIT, assets_path
from regviz.server.connection import MAX_NAMES, MAX_WIDGETS, Connection
from regviz.server.errors import Errors
from regviz.server.gate import Gate
from regviz.server.headers import SecurityHeaders, content_policy
from regviz.server.index import document
from tests.support.faults import FAULTS, SECRET

HEADERS = {
    "content-security-policy": content_policy(),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "accelerometer=(), camera=(), display-capture=(), geolocation=(),"
    " gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "SAMEORIGIN",
}
SMALL = {"v": "1", "epochs": "20", "hidden": "2", "methods": "none,l1"}
QUERY = urlencode(SMALL)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    (folder / "sitecustomize.py").write_text(FAULTS)
    with serve(folder, PYTHONPATH=f"{folder}:{ROOT}") as server:
        yield server


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def fetch(server: Server, method: str, path: str, body: object = None, **headers: str) -> Answer:
    """Return a server's response; underscores in header names become dashes."""
    place = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        place.request(method, path, body, sent, encode_chunked="Transfer-Encoding" in sent)  # type: ignore[arg-type]
        answer = place.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, told, answer.read())
    finally:
        place.close()


# Headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/?v=2&noise=loud", 200),
        ("GET", "/learn?lesson=l1", 200),
        ("GET", "/learn/", 404),
        ("GET", "/learn/_stcore/health", 404),
        ("GET", f"/{assets_path()}/board/main.js", 200),
        ("GET", "/assets/none.js", 404),
        ("GET", "/favicon.png", 404),
        ("GET", "/_stcore/health", 200),
        ("GET", "/_stcore/metrics", 404),
        ("GET", "/static/%2e%2e/secrets", 404),
        ("POST", "/", 405),
        ("TRACE", "/", 405),
        ("PUT", "/_stcore/upload_file/a/b", 403),
    ],
)
def test_every_answer_has_the_headers(server: Server, method: str, path: str, status: int):
    answer = fetch(server, method, path)
    assert answer.status == status
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_the_page_is_revalidated_and_sent_when_it_has_changed(server: Server):
    first = fetch(server, "GET", "/", accept_encoding="gzip")
    assert gzip.decompress(first.body).decode() == document()
    assert first.headers["cache-control"] == "no-cache"
    again = fetch(server, "GET", "/", accept_encoding="gzip", if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("kind", ["css", "js", "woff2"])
def test_streamlits_part_of_the_page_is_small_and_loaded_once(server: Server, kind: str):
    path = max((STREAMLIT / "static").rglob(f"*.{kind}"), key=lambda path: path.stat().st_size)
    address = f"/{path.relative_to(STREAMLIT).as_posix()}"
    answer = fetch(server, "GET", address, accept_encoding="gzip")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "immutable" in answer.headers["cache-control"]
    if kind == "woff2":
        assert answer.body == path.read_bytes()
    else:
        assert answer.headers["content-encoding"] == "gzip"
        assert gzip.decompress(answer.body) == path.read_bytes()
        assert 2 * len(answer.body) < path.stat().st_size


def test_a_file_made_for_a_visitor_does_nothing_in_a_browser(server: Server):
    policy = fetch(server, "GET", "/media/none.html").headers["content-security-policy"]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def test_a_refusal_and_a_failure_have_the_headers_too():
    async def fail(_: Request) -> PlainTextResponse:
        raise RuntimeError(SECRET)

    slots = SessionSlots(1)
    order = [Middleware(SecurityHeaders), Middleware(Errors), Middleware(Admission, slots=slots)]
    client = TestClient(Starlette(routes=[Route("/", fail)], middleware=order))
    page = {"accept": "text/html"}
    failed = client.get("/", headers=page)
    assert slots.acquire()
    refused = client.get("/", headers=page)
    assert (failed.status_code, refused.status_code) == (500, 503)
    assert re.fullmatch(r"Something went wrong here \(error [0-9a-f]{8}\)\.\n", failed.text)
    for answer in (failed, refused):
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_the_policy_names_all_that_is_allowed():
    inline = re.findall(r"<script>(.*?)</script>", document(), re.DOTALL)
    assert len(inline) == 2
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in inline]
    hashes = " ".join(f"'sha256-{digest}'" for digest in digests)
    assert dict(part.split(" ", 1) for part in content_policy().split("; ")) == {
        "default-src": "'none'",
        "script-src": f"'self' {hashes} blob: 'wasm-unsafe-eval'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "worker-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'self'",
    }


def test_inline_scripts_are_allowed_one_by_one():
    page = "<script>a < 1</script><script src='x.js'></script><script>b</script>"
    (scripts,) = re.findall("script-src ([^;]*)", content_policy(page=page))
    hashes = [base64.b64encode(hashlib.sha256(s).digest()).decode() for s in (b"a < 1", b"b")]
    allowed = f"'self' 'sha256-{hashes[0]}' 'sha256-{hashes[1]}' blob: 'wasm-unsafe-eval'"
    assert scripts == allowed


def test_pages_that_may_show_ours_are_those_of_the_operator():
    origins = ("https://a.example", "https://*.b.example")
    client = TestClient(SecurityHeaders(Starlette(), origins))
    headers = client.get("/").headers
    policy = headers["content-security-policy"]
    assert policy.endswith("; frame-ancestors 'self' https://a.example https://*.b.example")
    # this header allows no list of origins
    assert "x-frame-options" not in headers


# Routes


def test_of_streamlits_addresses_only_those_are_served_that_the_page_needs(
    server: Server, monkeypatch: pytest.MonkeyPatch
):
    get = config.get_option
    also = ("server.scriptHealthCheckEnabled", "server.enableStaticServing")
    monkeypatch.setattr(config, "get_option", lambda name: name in also or get(name))
    open_ = {
        ("/_stcore/health", "GET"),
        ("/_stcore/health", "HEAD"),
        ("/_stcore/host-config", "GET"),
        ("/_stcore/host-config", "HEAD"),
        ("/media/{file_id:path}", "GET"),
        ("/media/{file_id:path}", "HEAD"),
        ("/_stcore/upload_file/{session_id}/{file_id}", "PUT"),
        ("/_stcore/upload_file/{session_id}/{file_id}", "DELETE"),
    }
    routes = [route for route in create_streamlit_routes(MagicMock()) if isinstance(route, Route)]
    found = {(route.path, method) for route in routes for method in route.methods or ()}
    assert open_ <= found
    closed = found - open_
    assert {path for path, _ in closed} >= {
        *("/_stcore/metrics", "/_stcore/script-health-check", "/_stcore/agent/interact"),
        *("/_stcore/agent/openapi.json", "/_stcore/agent/mcp", "/oauth2callback", "/auth/login"),
        *(
            "/component/{path:path}",
            "/_stcore/bidi-components/{path:path}",
            "/app/static/{path:path}",
        ),
    }
    for path, method in sorted(closed):
        answer = fetch(server, method, re.sub(r"\{\w+(:path)?\}", "x", path))
        assert answer.status in (404, 405), path
        assert method == "HEAD" or answer.body in (b"Not found.\n", b"Not allowed.\n"), path


@pytest.mark.parametrize(
    "path",
    [
        *("/docs", "/app.py", "/index.html", "/manifest.json", "/anything", "//_stcore/metrics"),
        *("/_stcore/metrics/", "/_STCORE/metrics", "/_stcore/../_stcore/metrics", "/.streamlit"),
    ],
)
def test_what_is_not_named_is_not_there(server: Server, path: str):
    answer = fetch(server, "GET", path)
    assert (answer.status, answer.body) == (404, b"Not found.\n")


@pytest.mark.parametrize("path", ["/static/%2e%2e/app.py", "/assets/%2e%2e/app.py"])
def test_no_path_leads_out_of_a_folder(server: Server, path: str):
    assert fetch(server, "GET", path).status == 404


def test_below_a_base_path_the_same_is_served(monkeypatch: pytest.MonkeyPatch):
    get = st.get_option
    base = {"server.baseUrlPath": "/course/"}
    monkeypatch.setattr(st, "get_option", lambda name: base.get(name) or get(name))

    async def tell(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.url.path)

    client = TestClient(Gate(Starlette(routes=[Route("/{path:path}", tell)])))
    assert client.get("/course/_stcore/health").text == "/course/_stcore/health"
    assert client.get("/course").text == "/course"  # Streamlit serves the page here
    assert client.get("/course/").text == "/"
    assert client.get("/course/assets/board/main.js").text == "/assets/board/main.js"
    assert client.get("/course/static/js/a.js").text == "/static/js/a.js"
    for path in ("/", "/_stcore/health", "/course/_stcore/metrics", "/coursework"):
        assert client.get(path).status_code == 404


# Origins


@pytest.mark.parametrize(
    "origin",
    [
        *("https://evil.example", "null", "http://localhost:1", "http://[", "{}.evil.example"),
        "http://evil.example/{}",
    ],
)
def test_pages_elsewhere_cannot_connect(server: Server, origin: str):
    with (
        pytest.raises(InvalidStatus, match="403"),
        RawVisitor(server, origin=origin.format(server.url)),
    ):
        pass


def test_our_own_page_can_connect(server: Server):
    with RawVisitor(server, origin=server.url) as visitor:
        assert visitor.rerun(QUERY)


def test_a_page_elsewhere_connects_if_the_operator_allows_it(tmp_path: Path):
    allowed = "https://course.example"
    with serve(tmp_path, STREAMLIT_SERVER_CORS_ALLOWED_ORIGINS=allowed) as server:
        with RawVisitor(server, origin=allowed) as visitor:
            assert visitor.rerun(QUERY)
        with pytest.raises(InvalidStatus, match="403"):
            RawVisitor(server, origin="https://evil.example")


# Messages


@pytest.mark.parametrize(
    ("data", "code"),
    [("text", 1003), (b"\xff\xff\xff", 1002), (bytes(1_100_000), 1009), (b"\0" * 1_000_000, 1002)],
    ids=["text", "no message", "too long", "long, and no message"],
)
def test_invalid_messages_end_the_connection(server: Server, data: bytes | str, code: int):
    with RawVisitor(server) as client:
        client.send(data)
        assert client.wait_for_close() == code


def test_messages_for_others_are_passed_over(server: Server):
    with RawVisitor(server) as client:
        for name in ("load_git_info", "clear_cache", "set_run_on_save", "debug_shutdown_runtime"):
            message = BackMsg()
            setattr(message, name, True)
            client.send(message)
        message = BackMsg()
        message.backend_operation_request.install_skills.SetInParent()
        client.send(message)
        client.send(BackMsg(app_heartbeat=True))
        received = client.receive_until(lambda each: each.heartbeat_ack)
        assert [each.WhichOneof("type") for each in received] == ["heartbeat_ack"]
    with RawVisitor(server) as visitor:
        assert visitor.rerun(QUERY)  # the server still runs


@pytest.mark.parametrize("kind", ["widgets", "names", "strange"])
def test_a_message_of_more_than_a_page_has_ends_the_connection(server: Server, kind: str):
    message = BackMsg()
    if kind == "widgets":
        states = [WidgetState(id=f"$$ID-{i}-x") for i in range(MAX_WIDGETS + 1)]
        message.rerun_script.widget_states.widgets.extend(states)
    elif kind == "names":
        message.file_urls_request.file_names.extend(["a.csv"] * (MAX_NAMES + 1))
    else:
        message.rerun_script.widget_states.widgets.add(id="visitor", string_value="another's")
    with RawVisitor(server) as client:
        client.send(message)
        assert client.wait_for_close() == 1008


HEARTBEAT = BackMsg(app_heartbeat=True).SerializeToString()


def forwarded(
    monkeypatch: pytest.MonkeyPatch, messages: list[bytes]
) -> tuple[list[bytes], list[float]]:
    """Return the messages that a connection forwards with a stopped clock, and its waits."""
    waited: list[float] = []
    coming = iter(messages)

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async def receive() -> dict:
        return {"type": "websocket.receive", "bytes": next(coming)}

    async def send(_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(connection.asyncio, "sleep", sleep)
    monkeypatch.setattr(connection.time, "monotonic", lambda: 5.0)
    visitor = Connection(receive, send)

    async def listen() -> list[bytes]:
        return [(await visitor.receive())["bytes"] for _ in messages]

    return asyncio.run(listen()), waited


def with_query(query: str) -> bytes:
    """Return a message that requests a run of the page."""
    message = BackMsg()
    message.rerun_script.query_string = query
    return message.SerializeToString()


def test_messages_over_the_rate_limit_wait(monkeypatch: pytest.MonkeyPatch):
    large = with_query("x" * 100_000)
    _, waited = forwarded(monkeypatch, [*[HEARTBEAT] * 59, large, HEARTBEAT])
    # 59, 11 (100,000 bytes) and 1 units: 60 are free, then 20 a second
    assert waited == pytest.approx([0.5, 0.55], abs=0.01)


@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [
        ("v=2&embed=true", "", "&embed=true"),
        ("v=2", "&embed=true&embed_options=dark_theme", "&embed=true&embed_options=dark_theme"),
        ("v=2", "", ""),
    ],
)
def test_a_link_of_megabytes_is_not_parsed_and_counts_against_the_rate_limit(
    monkeypatch: pytest.MonkeyPatch, start: str, end: str, kept: str
):
    parsed: list[int] = []

    def parse(text: str) -> list[tuple[str, str]]:
        parsed.append(len(text))
        return parse_qsl(text)

    monkeypatch.setattr(connection, "parse_qsl", parse)
    query = f"{start}&{'a=%41&' * 800_000}b=1{end}"
    (shortened,), waited = forwarded(monkeypatch, [with_query(query)])
    run = BackMsg.FromString(shortened).rerun_script
    assert run.query_string == f"too_long={len(query)}{kept}"
    assert sum(parsed) < 5_000
    # 4.8 MB count as 481 units; 60 are free, then 20 a second
    assert waited == pytest.approx([21.05], abs=0.05)


# Uploads


class Uploader:
    """A visitor who uploads files of any kind and number."""

    def __init__(self, server: Server, visitor: RawVisitor) -> None:
        self.server, (opening, *_) = server, visitor.rerun(QUERY)
        self.session = opening.new_session.initialize.session_id
        cookie = fetch(server, "GET", "/_stcore/health").headers["set-cookie"]
        self.token = cookie.split(";")[0].split("=", 1)[1]

    def put(self, name: str, content: bytes, chunked: bool = False, **headers: str) -> int:
        body = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f.csv"\r\n\r\n'
        body += content + b"\r\n--x--\r\n"
        known = {"Cookie": f"_streamlit_xsrf={self.token}", "X_Xsrftoken": self.token}
        known["Content_Type"] = "multipart/form-data; boundary=x"
        if chunked:
            known["Transfer_Encoding"] = "chunked"
        parts = iter([body[i : i + 65536] for i in range(0, len(body), 65536)])
        path = f"/_stcore/upload_file/{self.session}/{name}"
        sent = known | headers
        return fetch(self.server, "PUT", path, parts if chunked else body, **sent).status


@pytest.fixture
def uploader(server: Server) -> Iterator[Uploader]:
    with RawVisitor(server) as visitor:
        yield Uploader(server, visitor)


def test_a_file_of_the_largest_size_is_taken_and_no_larger_one(uploader: Uploader):
    assert uploader.put("a", b"1" * 1_000_000) == 204
    assert uploader.put("b", b"1" * 1_100_000) == 413
    # without a Content-Length
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before its end
        assert uploader.put("c", b"1" * 3_000_000, chunked=True) == 413


def test_only_the_page_can_upload(uploader: Uploader):
    assert uploader.put("a", b"1", X_Xsrftoken="another") == 403
    assert uploader.put("a", b"1", Cookie="") == 403
    uploader.session = "another"
    assert uploader.put("a", b"1") == 400


# Error messages and logs


def test_an_error_is_shown_as_a_number_and_logged_under_it(server: Server):
    with RawVisitor(server) as visitor, RawVisitor(server) as other:
        visitor.rerun(f"{QUERY}&noise=0.123")
        received = b"".join(visitor.received)
        (number,) = set(re.findall(rb"Something went wrong here \(error ([0-9a-f]{8})\)", received))
        for kept in (
            TRACEBACK,
            SECRET,
            "RuntimeError",
            "site-packages",
            str(ROOT),
            "sitecustomize",
        ):
            assert kept.encode() not in received
        lines = [line for line in server.logged().splitlines() if number.decode() in line]
        (line,) = map(json.loads, lines)
        assert line["level"] == "error"
        assert line["where"] == "page"
        assert SECRET in line["traceback"]
        # only in the log
        assert [each for each in server.logged().splitlines() if SECRET in each] == lines
        other.rerun(QUERY)
        assert b"Something went wrong" not in b"".join(other.received)


def test_a_page_says_nothing_of_the_machine(server: Server):
    with RawVisitor(server) as visitor:
        opening, *_ = visitor.rerun(QUERY)
        received = b"".join(visitor.received)
    started = opening.new_session
    assert started.main_script_path == "site.py"
    assert started.initialize.environment_info.python_version == ""
    assert started.initialize.environment_info.server_os == ""
    assert not started.initialize.user_info.ByteSize()
    assert not started.config.gather_usage_stats
    assert str(ROOT).encode() not in received
    assert str(Path(st.__file__).parent).encode() not in received


@pytest.mark.parametrize("length", [0, 1_000_000])
def test_a_session_of_any_length_says_nothing_of_the_machine(length: int):
    message = ForwardMsg()
    session = message.new_session
    session.main_script_path = "/srv/secret/site.py"
    session.initialize.environment_info.server_os = "secret"
    session.page_script_hash = "x" * length
    sent = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message["bytes"])

    connection = Connection(MagicMock(), send)
    asyncio.run(connection.send({"type": "websocket.send", "bytes": message.SerializeToString()}))
    (data,) = sent
    assert b"secret" not in data
    assert ForwardMsg.FromString(data).new_session.page_script_hash == "x" * length


def test_links_are_not_logged(server: Server):
    fetch(server, "GET", "/?noise=0.77123")
    with RawVisitor(server) as visitor:
        visitor.rerun("noise=0.77123")
    assert "0.77123" not in server.logged()


def test_the_settings_are_safe():
    with (ROOT / ".streamlit" / "config.toml").open("rb") as file:
        found = tomllib.load(file)
    expected = {
        "browser.gatherUsageStats": False,
        "client.allowedOrigins": [],
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.toolbarMode": "viewer",
        "logger.enableRich": False,
        "server.disconnectedSessionTTL": 120,
        "server.enableAgentApi": False,
        "server.enableCORS": True,
        "server.enableStaticServing": False,
        "server.enableXsrfProtection": True,
        "server.maxMessageSize": 16,
        "server.maxUploadSize": 1,
        "server.maxWidgetStateSize": 1,
    }
    assert {
        name: found[name.split(".")[0]].get(name.split(".")[1]) for name in expected
    } == expected
