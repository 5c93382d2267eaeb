"""Unmodified Firefox and WebKitGTK, controlled by WebDriver.

Playwright drives builds of its own, or a Firefox newer than Debian's. Firefox supports WebDriver
BiDi itself. WebKitGTK has a separate driver, and needs a display, which Xvfb provides.
"""

import base64
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from websockets.sync.client import ClientConnection, connect

TIMEOUT_SECONDS = 60  # for a browser's response, and for a page to become as expected
# keys without a character have code points of their own: WebDriver, "Keyboard actions"
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "End": "\ue010", "Home": "\ue011", "Left": "\ue012"}
KEYS |= {"Up": "\ue013", "Right": "\ue014", "Down": "\ue015", "Escape": "\ue00c"}
# preferences for tests: no motion, and downloads go to a folder without a question
FIREFOX_PREFERENCES = {"ui.prefersReducedMotion": 1, "browser.download.folderList": 2}
FIREFOX_PREFERENCES |= {"browser.download.always_ask_before_handling_new_types": False}
BROWSERS = "/usr/lib/*/webkit2gtk-4.*/MiniBrowser"


Action = dict[str, str | int]


class Engine(Protocol):
    """A browser with one page."""

    def goto(self, url: str) -> None:
        """Load a URL, and wait until it is loaded."""

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression in the page, or of its promise."""

    def errors(self) -> list[str]:
        """Return the errors on the page's console; WebKit's driver reports none."""

    def act(self, kind: str, actions: Sequence[Action]) -> None:
        """Perform WebDriver actions, such as pointer moves, of a source: "pointer" or "key"."""

    def set_file(self, element: str, file: Path) -> None:
        """Choose a file in the file input that a JavaScript expression returns."""

    def screenshot(self) -> bytes:
        """Return the window's content as PNG."""


def drag(engine: Engine, *places: tuple[float, float]) -> None:
    """Press the mouse at the first place, move it over the others, and release it.

    With one place this is a click. Places are in CSS pixels of the window.
    """
    moves: list[Action] = [
        {"type": "pointerMove", "x": round(x), "y": round(y), "duration": 0} for x, y in places
    ]
    down, up = ({"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp"))
    engine.act("pointer", [moves[0], down, *moves[1:], up])


def press(engine: Engine, *keys: str) -> None:
    """Press and release keys: characters, or names of `KEYS`."""
    values = [KEYS.get(key, key) for key in keys]
    engine.act(
        "key", [{"type": kind, "value": key} for key in values for kind in ("keyDown", "keyUp")]
    )


def wait_for(engine: Engine, expression: str) -> None:
    """Wait until a JavaScript expression is true."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not engine.evaluate(expression):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{expression} is still not true")
        time.sleep(0.1)


def find_firefox() -> str | None:
    """Return the path of Firefox, or None if it is not installed."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


def find_webkit() -> str | None:
    """Return the path of WebKitGTK's MiniBrowser, or None if it, its driver or Xvfb is missing."""
    browsers = [str(path) for path in Path("/").glob(BROWSERS[1:])]
    return (
        browsers[0]
        if browsers and shutil.which("WebKitWebDriver") and shutil.which("Xvfb")
        else None
    )


class Firefox:
    """A session of WebDriver BiDi."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._n, self._errors = 0, list[str]()
        self._send("session.new", capabilities={})
        self._send("session.subscribe", events=["log.entryAdded"])
        self._page = self._send("browsingContext.getTree")["contexts"][0]["context"]
        size = {"width": 1400, "height": 900}
        self._send("browsingContext.setViewport", context=self._page, viewport=size)

    def _send(self, method: str, **params: object) -> Any:
        self._n += 1
        self._socket.send(json.dumps({"id": self._n, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(TIMEOUT_SECONDS))
            if message.get("id") == self._n:
                assert message["type"] == "success", message
                return message["result"]
            if message.get("method") == "log.entryAdded" and message["params"]["level"] == "error":
                self._errors.append(message["params"]["text"])

    def goto(self, url: str) -> None:
        """Open an address, and wait until it is loaded."""
        self._send("browsingContext.navigate", context=self._page, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        answer = self._send(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})) ?? 'null')()",
            target={"context": self._page},
            awaitPromise=True,
        )
        assert answer["type"] == "success", answer
        return json.loads(answer["result"]["value"])

    def errors(self) -> list[str]:
        """Return the errors that the page has written to its console."""
        return self._errors

    def act(self, kind: str, actions: Sequence[Action]) -> None:
        """Perform actions of an input source."""
        sources = [{"type": kind, "id": kind, "actions": list(actions)}]
        self._send("input.performActions", context=self._page, actions=sources)

    def set_file(self, element: str, file: Path) -> None:
        """Choose a file in a file input."""
        target = {"context": self._page}
        found = self._send(
            "script.evaluate", expression=element, target=target, awaitPromise=False
        )["result"]
        reference = {"sharedId": found["sharedId"]}
        self._send("input.setFiles", context=self._page, element=reference, files=[str(file)])

    def screenshot(self) -> bytes:
        """Return the window's content as PNG."""
        data: str = self._send("browsingContext.captureScreenshot", context=self._page)["data"]
        return base64.b64decode(data)


class WebKit:
    """A session of classic WebDriver."""

    def __init__(self, url: str, browser: str) -> None:
        self._url = url
        options = {"binary": browser, "args": ["--automation"]}
        capabilities = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        self._url += "/session/" + self._post("/session", capabilities=capabilities)["sessionId"]
        self._post("/window/rect", x=0, y=0, width=1400, height=900)

    def _post(self, path: str, **body: object) -> Any:
        request = urllib.request.Request(self._url + path, json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            return json.load(answer)["value"]

    def goto(self, url: str) -> None:
        """Open an address, and wait until it is loaded."""
        self._post("/url", url=url)

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        script = f"const [done] = arguments; Promise.resolve({expression}).then(done);"
        return self._post("/execute/async", script=script, args=[])

    def errors(self) -> list[str]:
        """Return the errors that the page has written to its console."""
        return []

    def act(self, kind: str, actions: Sequence[Action]) -> None:
        """Perform actions of an input source."""
        self._post("/actions", actions=[{"type": kind, "id": kind, "actions": list(actions)}])

    def set_file(self, element: str, file: Path) -> None:
        """Choose a file in a file input."""
        found = self._post("/execute/sync", script=f"return {element}", args=[])
        (reference,) = found.values()
        self._post(f"/element/{reference}/value", text=str(file))

    def screenshot(self) -> bytes:
        """Return the window's content as PNG."""
        with urllib.request.urlopen(f"{self._url}/screenshot", timeout=TIMEOUT_SECONDS) as answer:
            return base64.b64decode(json.load(answer)["value"])


@contextmanager
def firefox(
    path: str, downloads: Path, preferences: Mapping[str, object] | None = None
) -> Iterator[Firefox]:
    """Start Firefox without a window.

    Parameters
    ----------
    path : str
        Path of Firefox.
    downloads : Path
        Folder in which Firefox saves files.
    preferences : mapping, optional
        Further preferences, by their names on ``about:config``.
    """
    own = {"browser.download.dir": str(downloads), **(preferences or {})}
    lines = [
        f'user_pref("{name}", {json.dumps(value)});\n'
        for name, value in (FIREFOX_PREFERENCES | own).items()
    ]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        Path(profile, "user.js").write_text("".join(lines))
        command = [path, "--headless", "--no-remote", "--profile", profile]
        with running([*command, "--remote-debugging-port", "0"], stderr=subprocess.PIPE) as process:
            assert process.stderr
            said = (line.decode() for line in process.stderr)
            url = next(line.split()[-1] for line in said if "BiDi listening on" in line)
            with connect(f"{url}/session", max_size=None) as connection:
                yield Firefox(connection)


@contextmanager
def webkit(path: str, downloads: Path) -> Iterator[WebKit]:
    """Start WebKitGTK's MiniBrowser on a display of its own.

    Parameters
    ----------
    path : str
        Path of MiniBrowser.
    downloads : Path
        Folder in which it saves files.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    reading, writing = os.pipe()
    screen = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1200x24"]
    with running([*screen, "-nolisten", "tcp"], pass_fds=[writing]):
        display = os.read(reading, 16).decode().strip()
        # the sandbox needs privileges that containers lack; the browser loads only our own page
        variables = {"DISPLAY": f":{display}", "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}
        (downloads / "user-dirs.dirs").write_text(f'XDG_DOWNLOAD_DIR="{downloads}"\n')
        variables["XDG_CONFIG_HOME"] = str(downloads)
        with running(["WebKitWebDriver", "-p", str(port)], env=os.environ | variables):
            deadline = time.monotonic() + TIMEOUT_SECONDS
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=2).close()
                    break
                except OSError:
                    assert time.monotonic() < deadline, "WebKit's driver does not start"
                    time.sleep(0.1)
            session = WebKit(f"http://127.0.0.1:{port}", path)
            yield session
            urllib.request.urlopen(
                urllib.request.Request(session._url, method="DELETE"), timeout=TIMEOUT_SECONDS
            ).close()


@contextmanager
def running(command: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command as a process until the context ends."""
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | options
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=TIMEOUT_SECONDS)
