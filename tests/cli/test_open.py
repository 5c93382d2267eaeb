"""Tests of `regviz open`; those of a real server are in tests/project/test_installation.py."""

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from devtools.serving import Site, free_port
from regviz.cli import open as command
from regviz.scenes.link import from_query
from regviz.scenes.study_link import link, study_of
from tests.cli.conftest import SCENE, Run

LINK = "https://regviz.example.org/course/?v=2&data=moons&focus=l2"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that are opened in a browser."""
    addresses: list[str] = []
    monkeypatch.setattr(command.webbrowser, "open", lambda url: not addresses.append(url))
    return addresses


@pytest.fixture
def site() -> Iterator[Site]:
    """A server that is up."""
    with Site() as site:
        site.content = "ok"
        yield site


def test_a_link_is_opened_on_a_running_server(run: Run, site: Site, opened: list[str]):
    done = run("open", LINK, "--url", site.origin)
    assert done == (0, f"{site.origin}/?v=2&data=moons&focus=l2\n", "")
    assert opened == [done.out.strip()]


def test_a_lesson_is_opened_as_a_lesson(run: Run, site: Site, opened: list[str]):
    run("open", "http://h/regviz/learn?lesson=noise", "--url", f"{site.origin}/")
    assert opened == [f"{site.origin}/learn?lesson=noise"]


def test_a_study_is_opened_as_a_study(run: Run, site: Site, opened: list[str], tmp_path: Path):
    study = study_of(SCENE, {"network.hidden": [(2,), (8, 8)]}, "grid")
    file = tmp_path / "study.json"
    file.write_text(study.to_json(), "utf-8")
    for given in (link("http://h/regviz/study", study), file):
        assert run("open", given, "--url", site.origin).code == 0
    assert opened == [link(f"{site.origin}/study", study)] * 2


def test_without_a_browser_the_address_is_printed(
    run: Run, site: Site, opened: list[str], scene_file: Path
):
    done = run("open", scene_file, "--url", site.origin, "--no-browser", "--json")
    content = json.loads(done.out)
    assert not content["opened"]
    assert opened == []
    query = dict(parse_qsl(urlsplit(content["url"]).query))
    assert from_query(query) == (SCENE, [])


def test_a_server_that_does_not_answer_is_named(run: Run, opened: list[str]):
    url = f"http://127.0.0.1:{free_port()}"
    done = run("open", LINK, "--url", url)
    assert done == (1, "", f"regviz open: error: no RegViz server answers at {url}/\n")
    assert opened == []


def test_a_new_server_is_opened_once_it_is_up(
    run: Run, opened: list[str], monkeypatch: pytest.MonkeyPatch
):
    asked = []

    class NotAtOnce(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200 if len(asked) > 1 else 503)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    def serve(options: list[str], imports: list[str] | None) -> int:
        assert imports == ["ring"]
        given = dict(zip(options[::2], options[1::2], strict=True))
        server = HTTPServer((given["--server.address"], int(given["--server.port"])), NotAtOnce)
        stopping = threading.Thread(target=partial(until_opened, server))
        stopping.start()
        server.serve_forever()
        stopping.join()
        server.server_close()
        return 0

    def until_opened(server: HTTPServer) -> None:
        while not opened:
            threading.Event().wait(0.05)
        server.shutdown()

    monkeypatch.setattr(command, "serve", serve)
    port = free_port()
    done = run("open", LINK, "--port", str(port), "--import", "ring")
    assert done.code == 0
    assert opened == [f"http://127.0.0.1:{port}/?v=2&data=moons&focus=l2"]
    assert asked == ["/_stcore/health"] * 2
