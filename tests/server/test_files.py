"""Tests of files served from memory, compared with Starlette's `StaticFiles`."""

import asyncio
import gzip
import time
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from regviz.server.files import UNCHANGING, File, StaticCache

UNCOMPRESSED = {"accept-encoding": "identity"}
TEXT = "export const α = 1;\n".encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "main.js").write_bytes(TEXT)
    (tmp_path / "style.css").write_bytes(b"")
    (tmp_path / "font.woff2").write_bytes(bytes(range(256)))
    return tmp_path


@pytest.fixture
def files(folder: Path) -> dict[str, File]:
    paths = ("deep/main.js", "style.css", "font.woff2")
    return {f"/kept/{path}": File(path, (folder / path).read_bytes) for path in paths}


@pytest.fixture
def client(folder: Path, files: dict[str, File]) -> TestClient:
    disk = Mount("/disk", StaticFiles(directory=folder))
    return TestClient(Starlette(routes=[disk], middleware=[Middleware(StaticCache, files=files)]))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["deep/main.js", "style.css", "font.woff2"])
def test_a_file_comes_as_from_the_disk(client: TestClient, method: str, path: str):
    for _ in range(2):
        kept, disk = (
            client.request(method, f"/{place}/{path}", headers=UNCOMPRESSED)
            for place in ("kept", "disk")
        )
        assert (kept.status_code, kept.content) == (disk.status_code, disk.content)
        for name in ("content-type", "content-length"):
            assert kept.headers[name] == disk.headers[name]


@pytest.mark.parametrize("encoding", ["identity", "gzip, br"])
def test_what_a_browser_has_is_not_sent_again(client: TestClient, encoding: str):
    headers = {"accept-encoding": encoding}
    first = client.get("/kept/deep/main.js", headers=headers)
    for mark, status in ((first.headers["etag"], 304), ('"another"', 200)):
        again = client.get("/kept/deep/main.js", headers=headers | {"if-none-match": mark})
        assert (again.status_code, again.content) == (status, b"" if status == 304 else TEXT)
        assert again.headers["etag"] == first.headers["etag"]


def test_clients_that_accept_gzip_get_compressed_files(client: TestClient):
    for _ in range(2):
        packed, plain = (
            client.get("/kept/deep/main.js", headers=each) for each in ({}, UNCOMPRESSED)
        )
        assert (packed.content, plain.content) == (TEXT, TEXT)  # the client decompresses
        assert packed.headers["content-encoding"] == "gzip"
        assert int(packed.headers["content-length"]) == len(gzip.compress(TEXT))
        assert "content-encoding" not in plain.headers
        assert packed.headers["etag"] != plain.headers["etag"]  # caches keep both
        assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


def test_what_is_compressed_by_itself_comes_as_it_is(client: TestClient):
    answer = client.get("/kept/font.woff2")
    assert answer.content == bytes(range(256))
    assert "content-encoding" not in answer.headers


def test_responses_say_how_long_caches_may_keep_them(client: TestClient):
    assert client.get("/kept/style.css").headers["cache-control"] == UNCHANGING

    async def page(request: Request) -> Response:
        return await changing.answer(request.headers)

    changing = File("index.html", lambda: b"<p>", "no-cache")
    answer = TestClient(Starlette(routes=[Route("/", page)])).get("/")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-encoding"] == "gzip"


def test_a_file_stays_what_it_was(client: TestClient, folder: Path):
    assert client.get("/kept/deep/main.js").content == TEXT
    (folder / "deep" / "main.js").unlink()
    for headers in ({}, UNCOMPRESSED):
        assert client.get("/kept/deep/main.js", headers=headers).content == TEXT


def test_concurrent_requests_read_a_file_once():
    reads = []

    def read() -> bytes:
        reads.append(1)
        time.sleep(0.05)
        return TEXT

    async def request_five_times() -> list[Response]:
        file, headers = File("main.js", read), Headers({"accept-encoding": "gzip"})
        return await asyncio.gather(*(file.answer(headers) for _ in range(5)))

    assert {gzip.decompress(answer.body) for answer in asyncio.run(request_five_times())} == {TEXT}
    assert len(reads) == 1


@pytest.mark.parametrize(
    "path", ["", "deep", "deep/", "none.js", "deep%2f..%2f..%2foutside.js", "../outside.js"]
)
def test_nothing_else_is_there(client: TestClient, path: str):
    assert client.get(f"/kept/{path}").status_code == 404


def test_all_else_is_the_applications(files: dict[str, File]):
    async def own(_: object) -> PlainTextResponse:
        return PlainTextResponse("the application's")

    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("the application's")
        await socket.close()

    routes = [
        WebSocketRoute("/kept/style.css", talk),
        Route("/{path:path}", own, methods=["GET", "HEAD", "POST"]),
    ]
    kept = Middleware(StaticCache, files=files)
    client = TestClient(Starlette(routes=routes, middleware=[kept]))
    for path in ("/none.js", "/style.css", "/", "/keptfor/style.css"):
        assert client.get(path).text == "the application's"
    assert client.get("/kept/none.js").status_code == 404
    assert client.post("/kept/style.css").text == "the application's"
    with client.websocket_connect("/kept/style.css") as socket:
        assert socket.receive_text() == "the application's"
