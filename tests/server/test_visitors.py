"""Tests of the benchmarks' synthetic visitor against a real browser."""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Iterator
from http import HTTPStatus
from typing import Any

import pytest
from playwright.sync_api import sync_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from benchmarks import visitors
from benchmarks.crowd import there
from benchmarks.screens import Board, Charts, Showing
from benchmarks.server import Server
from benchmarks.tables import Row, quantile, times
from benchmarks.visitors import Visitor
from devtools.board import find_board
from devtools.browsers import find_chromium
from devtools.serving import free_port
from regviz.engine.training import recorded_epochs
from regviz.scenes.link import from_query
from tests.browser.conftest import poll_conditions

LINK = {"v": "1", "seed": "7", "hidden": "2", "epochs": "50", "methods": "none,l1"}
SEEDS = (8, 10)  # not the default, which links leave out
QUERY = "&".join(f"{name}={value}" for name, value in LINK.items())


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGVIZ_SESSIONS", "2")
        with Server("app.py", free_port()) as server:
            yield server.address
            assert server.tracebacks() == []


@pytest.fixture
def sent_messages(monkeypatch: pytest.MonkeyPatch) -> list[ClientState]:
    """The list of all messages that visitors send during a test."""
    messages: list[ClientState] = []
    send = visitors.ClientConnection.send

    async def listen(connection: Any, data: bytes) -> None:
        messages.append(BackMsg.FromString(data).rerun_script)
        await send(connection, data)

    monkeypatch.setattr(visitors.ClientConnection, "send", listen)
    return messages


def visit(address: str, work: Callable[[Visitor], Awaitable[None]]) -> Visitor:
    """Run a coroutine with a new visitor, close it, and return the visitor."""

    async def run_work() -> Visitor:
        visitor = Visitor(address, Board)
        try:
            await work(visitor)
        finally:
            await visitor.close()
        return visitor

    return asyncio.run(run_work())


async def wait_until_shown(showing: Showing, visitor: Visitor) -> None:
    """Wait until the run is complete on screen."""
    async with asyncio.timeout(30):
        while not there(showing):
            assert visitor.errors == []
            await asyncio.sleep(0.01)


def normalized(message: ClientState) -> dict[str, Any]:
    """Return a message's content, independent of order and of time."""
    widgets = {}
    for widget in message.widget_states.widgets:
        kind = widget.WhichOneof("value")
        value = getattr(widget, kind)
        widgets[widget.id] = list(value.data) if kind.endswith("_array_value") else value
    for name, value in widgets.items():
        if name.endswith("__events"):
            (reported_counts,) = json.loads(value)
            widgets[name] = reported_counts | {"value": {"run": reported_counts["value"]["run"]}}
    where = message.context_info
    return {
        "query": message.query_string,
        "page": message.page_script_hash,
        "fragment": message.fragment_id,
        "automatic": message.is_auto_rerun,
        "widgets": widgets,
        "where": (where.timezone, where.locale, where.url, where.color_scheme, where.is_embedded),
    }


def requested_run(message: dict[str, Any]) -> str:
    """Return the run of which a normalized message requests more frames."""
    reported_counts = [
        value for name, value in message["widgets"].items() if name.endswith("__events")
    ]
    assert len(reported_counts) == 1, message
    return reported_counts[0]["value"]["run"]


def messages_of_browser(address: str) -> list[ClientState]:
    """Open the link in a browser, change the seed twice, and return all sent messages."""
    messages: list[ClientState] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        context = browser.new_context(locale="en-US", timezone_id="UTC", color_scheme="light")
        page = poll_conditions(context.new_page())
        page.on(
            "websocket",
            lambda opened: opened.on(
                "framesent", lambda data: messages.append(BackMsg.FromString(data).rerun_script)
            ),
        )
        page.goto(f"{address}/?{QUERY}")
        page.wait_for_selector(".regviz-board .card canvas")
        find_board(page)
        page.wait_for_function("() => window.board().complete")
        for kind in ("ButtonGroup", "Checkbox", "NumberInput", "Selectbox", "Slider"):
            page.wait_for_selector(f"[data-testid=st{kind}]")  # before, their states are not sent
        for seed in SEEDS:
            page.get_by_label("Seed", exact=True).fill(str(seed))
            page.get_by_label("Seed", exact=True).press("Enter")
            arrived = f"window.board().recording.link.includes('seed={seed}')"
            page.wait_for_function(f"() => {arrived} && window.board().complete")
        while not messages_after_last_change(messages):  # confirmed even if it is one message
            page.wait_for_timeout(20)
        browser.close()
    return messages


def messages_after_last_change(messages: list[ClientState]) -> list[ClientState]:
    """Return the messages about the run after the last change of a control."""
    at = max(n for n, message in enumerate(messages) if not message.fragment_id)
    before = requested_run(normalized(messages[at - 1]))
    return [
        message for message in messages[at + 1 :] if requested_run(normalized(message)) != before
    ]


def test_a_visitor_says_what_a_browser_says(address: str, sent_messages: list[ClientState]):
    async def work(visitor: Visitor) -> None:
        for asked in (visitor.open(QUERY), *(visitor.change("seed", seed) for seed in SEEDS)):
            showing = await asked
            await wait_until_shown(showing, visitor)
            assert 0 < showing.first <= showing.whole
        async with asyncio.timeout(30):
            while not messages_after_last_change(sent_messages):
                await asyncio.sleep(0.01)

    visitor = visit(address, work)
    assert visitor.errors == []
    (opens, *more), (opens_too, *more_too) = (
        map(normalized, sent_messages),
        map(normalized, messages_of_browser(address)),
    )
    assert opens == opens_too

    def split_at_change(messages: list[dict[str, Any]]) -> tuple[Any, Any, Any]:
        """Return the message before the last change, the change, and the next run's first one."""
        at = max(n for n, message in enumerate(messages) if not message["fragment"])
        before, change, *after = messages[at - 1 :]
        # the earlier run's last confirmation may be sent after the change
        return (
            before,
            change,
            next(each for each in after if requested_run(each) != requested_run(before)),
        )

    assert split_at_change(more) == split_at_change(more_too)
    # later messages name the cached pictures of the datasets
    assert all(
        sent_messages[1].cached_message_hashes[0] in each.cached_message_hashes
        for each in sent_messages[1:]
    )


def test_a_visitor_holds_every_frame_in_the_end(address: str, sent_messages: list[ClientState]):
    scene, problems = from_query(LINK)
    assert problems == []
    n_frames = len(recorded_epochs(scene.grid().experiment.training))

    def reported_counts() -> list[int]:
        """Return the numbers of received frames that the visitor has reported."""
        return [
            json.loads(widget.json_trigger_value)[0]["value"]["n_received"]
            for message in sent_messages
            for widget in message.widget_states.widgets
            if widget.id.endswith("__events")
        ]

    async def work(visitor: Visitor) -> None:
        await wait_until_shown(await visitor.open(QUERY), visitor)
        async with asyncio.timeout(30):  # the report follows the frames
            while reported_counts()[-1:] != [n_frames]:
                await asyncio.sleep(0.01)

    visit(address, work)
    assert reported_counts() == sorted(reported_counts())


def test_a_visitor_notices_that_there_is_no_room(address: str):
    async def work(visitor: Visitor) -> None:
        others = [Visitor(address, Board) for _ in range(2)]
        for other in others:
            await wait_until_shown(await other.open(QUERY), other)
        showing = await visitor.open(QUERY)
        assert showing.first is None
        await asyncio.gather(*(other.close() for other in others))

    assert visit(address, work).errors == ["the page does not open: status 503 for /"]


def test_a_visitor_notices_that_the_socket_is_closed():
    def answer(connection: ServerConnection, request: Request) -> Response | None:
        page = "upgrade" not in request.headers
        return connection.respond(HTTPStatus.OK, "") if page else None

    async def end(connection: ServerConnection) -> None:
        await connection.close(1011, "out of order")

    async def connect_visitor() -> list[str]:
        subprotocols = [Subprotocol("streamlit")]
        serving = serve(end, "127.0.0.1", 0, process_request=answer, subprotocols=subprotocols)
        async with serving as server:
            port = server.sockets[0].getsockname()[1]
            visitor = Visitor(f"http://127.0.0.1:{port}", Board)
            await visitor.open()
            async with asyncio.timeout(10):
                while not visitor.errors:
                    await asyncio.sleep(0.01)
            await visitor.close()
            return visitor.errors

    assert asyncio.run(connect_visitor()) == ["the socket was closed: 1011 out of order"]


def test_an_exception_on_the_page_is_an_error():
    visitor = Visitor("http://127.0.0.1:1", Board)
    message = ForwardMsg(delta=Delta())
    message.delta.new_element.exception.type = "ValueError"
    message.delta.new_element.exception.message = "no"
    asyncio.run(visitor.hear(message))
    asyncio.run(visitor.hear(ForwardMsg(ref_hash="unknown")))
    asyncio.run(visitor.hear(ForwardMsg(script_finished=1)))
    assert visitor.errors == [
        "ValueError: no",
        "a reference to a message that is no longer cached",
        "the page does not run",
    ]


def test_a_repeated_alert_of_a_fragment_is_recorded_once():
    visitor = Visitor("http://127.0.0.1:1", Board)
    reported_counts = ForwardMsg(delta=Delta())
    reported_counts.delta.new_element.alert.body = "wait"
    page, fragment = ForwardMsg(new_session={}), ForwardMsg(new_session={})
    fragment.metadata.run.fragment_ids.append("room")
    for message in (page, reported_counts, fragment, reported_counts, fragment, reported_counts):
        asyncio.run(visitor.hear(message))
    assert (visitor.alerts, visitor.errors) == (["wait"], [])


def test_only_expected_figures_are_timed():
    screen, element = Charts(), Delta().new_element
    first, second = screen.expect("seed=1"), screen.expect("seed=2")
    element.plotly_chart.spec = '{"title": "seed=2"}'
    assert screen.see(element, second.asked + 3) is None
    screen.finish(second.asked + 5)
    assert (first.first, first.whole) == (None, None)
    assert (second.first, second.whole) == pytest.approx((3, 5))


def test_a_missing_result_counts_as_the_slowest():
    values: list[float | None] = [1.0] * 19 + [None]
    assert quantile(values, 0.95) == 1
    assert math.isinf(quantile([*values, None], 0.95))
    rows = times([Showing(0, 1, None)], beyond=10, first=2, whole=1.5)
    texts = {row.name: row.text() for row in rows}
    assert "MISSED" not in texts["first picture, p95"]
    assert texts["every strength, p95"].endswith("<= 1.5   MISSED")
    assert "> 10 s" in texts["every strength, p95"]
    assert Row("errors", 0, "", 0).text().split() == ["errors", "0", "<=", "0"]
