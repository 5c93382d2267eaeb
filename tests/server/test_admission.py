"""Tests of admission: a limited number of sessions, refusals, waiting."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse, WebSocketTestSession
from starlette.websockets import WebSocket
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from devtools.serving import RawVisitor, serve
from regviz.server import admission
from regviz.server.admission import SILENT, STREAM, TRY_AGAIN, Admission, SessionSlots, address_of

PAGE = {"accept": "text/html,application/xhtml+xml"}
SESSION = "the-session"


def message(kind: str) -> bytes:
    found = BackMsg()
    if kind == "rerun_script":
        found.rerun_script.query_string = "v=2"
    else:
        setattr(found, kind, True)
    return found.SerializeToString()


RERUN, HEARTBEAT = message("rerun_script"), message("app_heartbeat")


async def _stream(socket: WebSocket) -> None:
    await socket.accept()
    async for data in socket.iter_bytes():
        if data == RERUN:
            told = ForwardMsg()
            told.new_session.initialize.session_id = SESSION
            await socket.send_bytes(told.SerializeToString())
            if "fail" in socket.query_params:
                raise RuntimeError


@pytest.fixture
def slots() -> SessionSlots:
    return SessionSlots(2)


def admission_of(slots: SessionSlots) -> Admission:
    async def answer(_: object) -> PlainTextResponse:
        return PlainTextResponse("served")

    routes = [WebSocketRoute(STREAM, _stream), Route("/{path:path}", answer)]
    return Admission(Starlette(routes=routes), slots)


@pytest.fixture
def client(slots: SessionSlots) -> Iterator[TestClient]:
    with TestClient(admission_of(slots)) as client:
        yield client


def request_run(socket: WebSocketTestSession) -> None:
    """Request a run of the page, and wait until it has begun."""
    socket.send_bytes(RERUN)
    assert ForwardMsg.FromString(socket.receive_bytes()).HasField("new_session")


def test_a_visitor_takes_one_place_with_the_first_request(client: TestClient, slots: SessionSlots):
    assert client.get("/", headers=PAGE).text == "served"
    with client.websocket_connect(STREAM) as first:
        assert slots.n_taken == 0
        request_run(first)
        assert slots.n_taken == 1
        request_run(first)
        assert slots.n_taken == 1
    assert slots.n_taken == 0


def test_pages_that_are_fetched_keep_nobody_out(client: TestClient, slots: SessionSlots):
    assert {client.get("/", headers=PAGE).status_code for _ in range(50)} == {200}
    with client.websocket_connect(STREAM) as first:
        request_run(first)
    assert slots.n_refused == 0


def test_connections_that_request_nothing_keep_nobody_out(client: TestClient, slots: SessionSlots):
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(client.websocket_connect(STREAM)).send_bytes(HEARTBEAT)
        for _ in range(2):
            request_run(stack.enter_context(client.websocket_connect(STREAM)))
        assert slots.n_taken == 2


def test_a_connection_that_requests_nothing_is_closed(
    client: TestClient, slots: SessionSlots, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(admission, "SILENT_SECONDS", 0.0)
    with client.websocket_connect(STREAM) as first:
        first.send_bytes(HEARTBEAT)
        told = first.receive()
        assert (told["type"], told["code"]) == ("websocket.close", SILENT)
    assert slots.n_taken == 0


def test_a_class_behind_one_router_fits(slots: SessionSlots, client: TestClient):
    slots.n = 60
    with ExitStack() as stack:
        for _ in range(60):
            request_run(stack.enter_context(client.websocket_connect(STREAM)))
        assert slots.n_taken == 60
    assert slots.n_taken == 0


def test_one_address_takes_only_its_part_of_the_places():
    app = admission_of(SessionSlots(4, 2))
    with (
        TestClient(app, client=("192.0.2.1", 1)) as crowd,
        TestClient(app, client=("192.0.2.2", 1)) as second,
        crowd.websocket_connect(STREAM) as first,
        crowd.websocket_connect(STREAM) as two,
        crowd.websocket_connect(STREAM) as three,
    ):
        request_run(first)
        request_run(two)
        three.send_bytes(RERUN)
        assert three.receive()["code"] == TRY_AGAIN
        refused = crowd.get("/", headers=PAGE)
        assert refused.status_code == 503
        assert "2 visitors from one address" in refused.text
        assert "REGVIZ_SESSIONS_PER_ADDRESS" in refused.text
        with pytest.raises(WebSocketDenialResponse), crowd.websocket_connect(STREAM):
            pass
        assert second.get("/", headers=PAGE).status_code == 200
        with second.websocket_connect(STREAM) as visitor:
            request_run(visitor)
        first.close()
        first.__exit__(None, None, None)
        assert crowd.get("/", headers=PAGE).status_code == 200


def test_clients_whose_address_is_not_known_have_all_places():
    slots = SessionSlots(3, 1)
    assert [slots.acquire() for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_a_client_counts_under_its_address(host: str, counted: str):
    assert address_of({"type": "http", "client": (host, 1)}) == counted
    assert address_of({"type": "http", "client": None}) == ""


@pytest.mark.parametrize(("trusted", "status"), [("127.0.0.1", 200), ("192.0.2.9", 503)])
def test_the_address_that_a_trusted_proxy_forwards_counts(
    tmp_path: Path, trusted: str, status: int
):
    settings = {"REGVIZ_SESSIONS_PER_ADDRESS": "1"}
    options = ("--server.address", "127.0.0.1")
    with (
        serve(tmp_path, *options, FORWARDED_ALLOW_IPS=trusted, **settings) as server,
        RawVisitor(server, additional_headers={"X-Forwarded-For": "198.51.100.1"}) as visitor,
    ):
        visitor.rerun("v=2&epochs=20&hidden=2&methods=none")
        forwarded = {"X-Forwarded-For": "198.51.100.1"}
        assert requests.get(server.url, headers=PAGE | forwarded, timeout=60).status_code == 503
        elsewhere = {"X-Forwarded-For": "198.51.100.2"}
        assert requests.get(server.url, headers=PAGE | elsewhere, timeout=60).status_code == status


def test_the_next_visitor_sees_a_page_that_tries_again(client: TestClient, slots: SessionSlots):
    slots.n_taken = 2
    full = client.get("/?v=2", headers=PAGE)
    assert full.status_code == 503
    assert "2 visitors" in full.text
    assert full.headers["content-type"].startswith("text/html")
    (retry,) = re.findall(r'http-equiv="refresh" content="(\d+)"', full.text)
    assert full.headers["retry-after"] == retry
    assert full.headers["cache-control"] == "no-store"
    low, high = admission.RETRY_SECONDS
    assert low <= int(retry) <= high


def test_a_place_that_is_given_back_is_the_next_ones(client: TestClient, slots: SessionSlots):
    with client.websocket_connect(STREAM) as first, client.websocket_connect(STREAM) as second:
        request_run(first)
        request_run(second)
        assert client.get("/", headers=PAGE).status_code == 503
        first.close()
        first.__exit__(None, None, None)
        assert client.get("/", headers=PAGE).status_code == 200
    assert slots.n_taken == 0


def test_a_connection_without_a_place_is_refused(client: TestClient, slots: SessionSlots):
    slots.n_taken = 2
    with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect(STREAM):
        pass
    assert refused.value.status_code == 503
    assert "retry-after" in refused.value.headers
    assert (slots.n_taken, slots.n_refused) == (2, 1)


def test_of_two_clients_for_the_last_place_the_second_is_asked_to_try_again(
    client: TestClient, slots: SessionSlots
):
    slots.n_taken = 1
    with client.websocket_connect(STREAM) as first, client.websocket_connect(STREAM) as second:
        request_run(first)
        second.send_bytes(RERUN)
        told = second.receive()
        assert (told["type"], told["code"]) == ("websocket.close", TRY_AGAIN)
        assert (slots.n_taken, slots.n_refused) == (2, 1)
    assert slots.n_taken == 1


def test_a_visitor_who_connects_again_has_a_place_without_a_request(
    client: TestClient, slots: SessionSlots, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(admission, "SILENT_SECONDS", 0.0)
    protocols = ["streamlit", "token", SESSION]
    with client.websocket_connect(STREAM, subprotocols=protocols) as unknown:
        assert unknown.receive()["code"] == SILENT
    monkeypatch.setattr(admission, "SILENT_SECONDS", 60.0)
    with client.websocket_connect(STREAM) as first:
        request_run(first)
    monkeypatch.setattr(admission, "SILENT_SECONDS", 0.0)
    with client.websocket_connect(STREAM, subprotocols=protocols) as again:
        assert slots.n_taken == 1
        request_run(again)
    assert slots.n_taken == 0


def test_a_connection_that_fails_gives_its_place_back(client: TestClient, slots: SessionSlots):
    with pytest.raises(RuntimeError), client.websocket_connect(f"{STREAM}?fail") as first:
        first.send_bytes(RERUN)
    assert slots.n_taken == 0


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/_stcore/health", PAGE),
        ("/media/points.csv", PAGE),
        ("/assets/board/main.js", {"accept": "*/*"}),
    ],
)
def test_what_an_open_page_needs_is_always_served(client: TestClient, path: str, headers: dict):
    for _ in range(5):
        assert client.get(path, headers=headers).text == "served"
    assert client.get("/", headers=PAGE).status_code == 200
