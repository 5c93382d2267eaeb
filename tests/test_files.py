"""Files that are kept in memory are served as Starlette serves them from the disk."""

import gzip
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from regviz.server.files import TEXTS, Kept, below

PLAIN = {"accept-encoding": "identity"}
SAME = ("content-type", "content-length", "etag", "last-modified")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "main.js").write_text("export const α = 1;\n", "utf-8")
    (tmp_path / "style.css").write_text("", "utf-8")
    (tmp_path / "font.woff2").write_bytes(bytes(range(256)))
    (tmp_path / "notes.txt").write_text("of ours", "utf-8")
    (tmp_path.parent / "outside.js").write_text("", "utf-8")
    return tmp_path


@pytest.fixture
def client(folder: Path) -> TestClient:
    disk = Mount("/disk", StaticFiles(directory=folder))
    kept = Middleware(Kept, files=below("/kept", folder, [*TEXTS, ".woff2"]))
    return TestClient(Starlette(routes=[disk], middleware=[kept]))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["deep/main.js", "style.css"])
def test_a_file_comes_as_from_the_disk(client: TestClient, method: str, path: str):
    for _ in range(2):
        kept, disk = (
            client.request(method, f"/{place}/{path}", headers=PLAIN) for place in ("kept", "disk")
        )
        assert (kept.status_code, kept.content) == (disk.status_code, disk.content)
        assert [kept.headers[name] for name in SAME] == [disk.headers[name] for name in SAME]


@pytest.mark.parametrize(
    ("mark", "condition"), [("etag", "if-none-match"), ("last-modified", "if-modified-since")]
)
def test_what_a_browser_has_is_not_sent_again(client: TestClient, mark: str, condition: str):
    known = {condition: client.get("/kept/deep/main.js").headers[mark]}
    again = client.get("/kept/deep/main.js", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/kept/deep/main.js", headers={"if-none-match": '"other"'}).status_code == 200


def test_who_takes_compressed_files_gets_them(client: TestClient, folder: Path):
    text, address = (folder / "deep" / "main.js").read_bytes(), "/kept/deep/main.js"
    for _ in range(2):
        packed, plain = client.get(address), client.get(address, headers=PLAIN)
        assert (packed.content, plain.content) == (text, text)  # the client unpacks
        assert packed.headers["content-encoding"] == "gzip"
        assert int(packed.headers["content-length"]) == len(gzip.compress(text))
        assert "content-encoding" not in plain.headers
        assert packed.headers["etag"] != plain.headers["etag"]  # a store keeps them apart
        assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


def test_what_is_compressed_by_itself_comes_as_it_is(client: TestClient):
    answer = client.get("/kept/font.woff2")
    assert answer.content == bytes(range(256))
    assert "content-encoding" not in answer.headers


def test_files_are_kept_for_good(client: TestClient):
    for path in ("deep/main.js", "font.woff2"):
        assert client.get(f"/kept/{path}").headers["cache-control"].endswith("max-age=31536000")


@pytest.mark.parametrize(
    "path", ["", "deep", "deep/", "none.js", "notes.txt", "%2e%2e/outside.js", "../outside.js"]
)
def test_nothing_else_is_there(client: TestClient, path: str):
    assert client.get(f"/kept/{path}").status_code == 404


def test_all_else_is_the_applications(folder: Path):
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
    kept = Middleware(Kept, files=below("/kept", folder, TEXTS))
    client = TestClient(Starlette(routes=routes, middleware=[kept]))
    for path in ("/none.js", "/style.css", "/", "/keptfor/style.css"):
        assert client.get(path).text == "the application's"
    assert client.get("/kept/none.js").status_code == 404
    assert client.post("/kept/style.css").text == "the application's"
    with client.websocket_connect("/kept/style.css") as socket:
        assert socket.receive_text() == "the application's"
