"""Files that are kept in memory are served as Starlette serves them from the disk."""

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient

from regviz.server.files import Kept

SAME = ("content-type", "content-length", "etag", "last-modified")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "main.js").write_text("export const α = 1;\n", "utf-8")
    (tmp_path / "style.css").write_text("", "utf-8")
    (tmp_path / "notes.txt").write_text("of ours", "utf-8")
    (tmp_path.parent / "outside.js").write_text("", "utf-8")
    return tmp_path


@pytest.fixture
def client(folder: Path) -> TestClient:
    page = Kept({".": folder / "notes.txt"}, {"cache-control": "no-cache"})
    disk = StaticFiles(directory=folder)
    kept = Mount("/kept", Kept.below(folder))
    return TestClient(Starlette(routes=[Route("/", page), kept, Mount("/disk", disk)]))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["deep/main.js", "style.css"])
def test_a_file_comes_as_from_the_disk(client: TestClient, method: str, path: str):
    for _ in range(2):
        kept, disk = (client.request(method, f"/{place}/{path}") for place in ("kept", "disk"))
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


@pytest.mark.parametrize(
    "path", ["", "deep", "deep/", "none.js", "notes.txt", "%2e%2e/outside.js", "../outside.js"]
)
def test_nothing_else_is_there(client: TestClient, path: str):
    assert client.get(f"/kept/{path}").status_code == 404


def test_an_address_may_be_one_file_with_headers_of_its_own(client: TestClient):
    answer = client.get("/?v=1")
    assert answer.text == "of ours"
    assert answer.headers["cache-control"] == "no-cache"
