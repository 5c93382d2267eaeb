"""So many visitors are let in, and the next ones are told, and let in later."""

import re
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket

from regviz.server import admission
from regviz.server.admission import STREAM, Admission, Seats

PAGE = {"accept": "text/html,application/xhtml+xml"}


async def _stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.receive_text()
    if "fail" in socket.query_params:
        raise RuntimeError
    await socket.close()


@pytest.fixture
def seats() -> Seats:
    return Seats(2)


@pytest.fixture
def client(seats: Seats) -> Iterator[TestClient]:
    async def answer(_: object) -> PlainTextResponse:
        return PlainTextResponse("served")

    routes = [WebSocketRoute(STREAM, _stream), Route("/{path:path}", answer)]
    with TestClient(Admission(Starlette(routes=routes), seats)) as client:
        yield client


def test_a_page_and_its_connection_take_one_place(client: TestClient, seats: Seats):
    assert client.get("/", headers=PAGE).text == "served"
    with client.websocket_connect(STREAM) as one:
        assert seats.n_taken == 1
        assert client.get("/", headers=PAGE).status_code == 200
        one.send_text("bye")
    assert seats.n_taken == 0


def test_the_next_visitor_sees_a_page_that_tries_again(client: TestClient):
    assert [client.get("/?v=1", headers=PAGE).status_code for _ in range(2)] == [200, 200]
    full = client.get("/?v=1", headers=PAGE)
    assert full.status_code == 503
    assert "2 visitors" in full.text
    assert full.headers["content-type"].startswith("text/html")
    (retry,) = re.findall(r'http-equiv="refresh" content="(\d+)"', full.text)
    assert full.headers["retry-after"] == retry
    assert full.headers["cache-control"] == "no-store"
    low, high = admission.RETRY
    assert low <= int(retry) <= high


def test_a_place_that_is_given_back_is_the_next_ones(client: TestClient, seats: Seats):
    with client.websocket_connect(STREAM) as one, client.websocket_connect(STREAM) as other:
        assert client.get("/", headers=PAGE).status_code == 503
        one.send_text("bye")
        assert one.receive()["type"] == "websocket.close"
        assert client.get("/", headers=PAGE).status_code == 200
        other.send_text("bye")
    assert seats.n_taken == 0


def test_a_connection_without_a_place_is_refused(client: TestClient, seats: Seats):
    with client.websocket_connect(STREAM) as one, client.websocket_connect(STREAM) as other:
        with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect(STREAM):
            pass
        assert refused.value.status_code == 503
        assert "retry-after" in refused.value.headers
        assert seats.n_taken == 2
        assert seats.n_refused == 1
        one.send_text("bye")
        other.send_text("bye")


def test_a_connection_that_fails_gives_its_place_back(client: TestClient, seats: Seats):
    with pytest.raises(RuntimeError), client.websocket_connect(f"{STREAM}?fail") as one:
        one.send_text("now")
    assert seats.n_taken == 0


def test_a_place_is_not_held_for_ever(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    now = [100.0]
    monkeypatch.setattr(admission.time, "monotonic", lambda: now[0])
    assert [client.get("/", headers=PAGE).status_code for _ in range(3)] == [200, 200, 503]
    now[0] += admission.HOLD
    assert client.get("/", headers=PAGE).status_code == 200


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
