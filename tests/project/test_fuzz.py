"""Fuzz tests: arbitrary input is accepted or refused, and other visitors are not affected.

The environment variable ``FUZZ`` sets the number of cases of each kind, ``FUZZ_SEED`` the seed of
messages to a server.
"""

import asyncio
import contextlib
import json
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed

from benchmarks.crowd import there
from benchmarks.screens import Board
from benchmarks.visitors import Visitor
from devtools.serving import ROOT, TRACEBACK, RawVisitor, Server, serve
from regviz.data.drawing import Drawing
from regviz.pages.snapshot import View, read_view
from regviz.scenes.link import from_query, to_query
from regviz.scenes.scene import Scene
from regviz.spec.points import PointsSpec
from tests.support.forging import BROKEN, HUGE, VALUES, Forger
from tests.support.scenes import link_parameters, scenes
from tests.support.tables import assert_read_or_refused, lines
from tests.support.waiting import wait_until

CASES = int(os.environ.get("FUZZ", "60"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
MAX_CHARACTERS = 700  # of a message to a visitor, including quoted input
many_cases = settings(deadline=None, max_examples=CASES, suppress_health_check=list(HealthCheck))
SMALL = {"v": "1", "epochs": "20", "hidden": "2", "methods": "none,l1"}

PIECES = st.sampled_from(
    [*'",;\t\n\r.-+eE_ =&%{}[]:0', "", "nan", "-1", "\0", "é", "\u2028", "1e400", "9" * 5000]
)
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), PIECES), min_size=1, max_size=4)


def edited(text: str, edits: list[tuple[float, int, str]]) -> str:
    """Return the text with some parts replaced."""
    for where, length, piece in edits:
        at = round(where * len(text))
        text = text[:at] + piece + text[at + length :]
    return text


@contextlib.contextmanager
def only_plain_errors() -> Iterator[None]:
    """Assert that nothing but a short ValueError of the usual form is raised."""
    try:
        yield
    except ValueError as error:
        message = str(error)
        assert re.search(r"must be .*, got ", message, re.DOTALL), message
        assert len(message) < MAX_CHARACTERS


@many_cases
@given(scenes(), st.data())
def test_a_link_with_errors_in_it_is_followed_as_far_as_it_holds(scene: Scene, data: st.DataObject):
    query = to_query(scene) | {"v": "1"}
    for name in data.draw(st.lists(st.sampled_from(list(query)), max_size=3)):
        query[name] = edited(query[name], data.draw(EDITS))
    text = urlencode(query)
    found, problems = from_query(
        link_parameters("?" + edited(text, data.draw(EDITS | st.just([]))))
    )
    assert isinstance(found, Scene)
    assert all(len(problem) < MAX_CHARACTERS for problem in problems)
    assert len(problems) <= len(query) + 10
    to_query(found)


@many_cases
@given(scenes(), EDITS)
def test_a_file_with_errors_in_it_is_opened_or_refused(scene: Scene, edits: Any):
    with only_plain_errors():
        Scene.from_json(edited(scene.to_json(), edits))


@many_cases
@given(scenes(), st.data())
def test_a_file_with_something_else_in_a_place_is_opened_or_refused(
    scene: Scene, data: st.DataObject
):
    content = json.loads(scene.to_json())
    place: Any = content
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        place = inner
    place[key] = data.draw(st.sampled_from(VALUES))
    with only_plain_errors():
        # Python's JSON, which includes NaN and Infinity
        Scene.from_json(json.dumps(content))


@pytest.mark.parametrize("text", [*BROKEN, json.dumps({"data": {"n_samples": HUGE}})])
def test_what_is_hardly_json_is_refused(text: str):
    with pytest.raises(ValueError, match=r"must be .*, got "):
        Scene.from_json(text)


@many_cases
@given(EDITS, st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]), st.integers(0, 3))
def test_a_table_with_errors_in_it_is_read_or_refused(edits: Any, encoding: str, cut: int):
    content = edited("\n".join(lines()), edits).encode(encoding, "replace")
    assert_read_or_refused(content[: len(content) - cut])


@many_cases
@given(EDITS, st.binary(max_size=4))
def test_points_with_errors_in_them_are_read_or_refused(edits: Any, tail: bytes):
    text = PointsSpec([(i / 7, i % 5, i % 2) for i in range(30)]).to_text()
    with only_plain_errors():
        PointsSpec.from_text(edited(text, edits) + tail.decode("latin-1"))


def test_values_of_the_pad_and_the_board_are_accepted_or_refused():
    forger, drawing = Forger(SEED), Drawing()
    for _ in range(10 * CASES):
        message = json.loads(forger.drawing())["drawn"]
        with only_plain_errors():
            drawing.apply_message(message)
            drawing.spec()
        seen = json.loads(forger.board())["view"]
        assert isinstance(read_view(seen, View()), View)


# A server, a client that sends malformed messages, and a visitor


def test_malformed_messages_do_not_affect_a_visitor(tmp_path: Path):
    with serve(tmp_path) as server:
        with visitor_alongside(server) as showings:
            forger = Forger(SEED)
            n_sent = 0
            while n_sent < 2 * CASES:
                n_sent += send_forged(server, forger, min(25, 2 * CASES - n_sent))
            before = len(showings)
            wait_until(lambda: len(showings) > before + 1)
        log = server.logged()
        assert TRACEBACK not in log, log[log.index(TRACEBACK) - 2000 :][:6000]
        assert '"level": "error"' not in log


def send_forged(server: Server, forger: Forger, n: int) -> int:
    """Send ``n`` malformed messages, one after the other; return the number sent."""
    query = forger.query() if forger.random.random() < 0.5 else urlencode(SMALL)
    forger.forget()
    n_sent = 0
    with RawVisitor(server) as client, contextlib.suppress(ConnectionClosed):
        forger.record(client.rerun(query))
        while n_sent < n:
            n_sent += 1
            data = forger.message(query)
            if forger.random.random() < 0.04:
                client.send(forger.corrupt(data))  # may be valid or invalid
            forger.record(send_one(client, data, query))
    received = b"".join(client.received)
    assert b"Something went wrong" not in received
    assert b"Traceback" not in received
    assert str(ROOT).encode() not in received
    return n_sent


def send_one(client: RawVisitor, data: bytes, query: str) -> list[ForwardMsg]:
    """Send a message, and return all messages until the end of the page's run.

    Streamlit ignores a run of a removed fragment; then a run of the page must succeed.
    """
    try:
        return client.send_and_receive(data)
    except TimeoutError:
        assert BackMsg.FromString(data).rerun_script.fragment_id
        return client.rerun(query)


@contextlib.contextmanager
def visitor_alongside(server: Server) -> Iterator[list[int]]:
    """Run a visitor who keeps changing the seed; yield the list of seeds whose run arrived."""
    finished, served, errors = threading.Event(), list[int](), list[str]()

    async def visit() -> None:
        visitor = Visitor(server.url, Board)
        showing = await visitor.open(urlencode(SMALL))
        seed = 100
        while not visitor.errors:
            async with asyncio.timeout(30):
                while not there(showing) and not visitor.errors:
                    await asyncio.sleep(0.02)
            served.append(seed)
            if finished.is_set():
                break
            seed += 1
            showing = await visitor.change("seed", seed)
            await asyncio.sleep(0.3)
        errors.extend(visitor.errors)
        await visitor.close()

    def run() -> None:
        try:
            asyncio.run(visit())
        except TimeoutError:
            errors.append("the visitor waited for 30 seconds")

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield served
    finally:
        finished.set()
        thread.join()
    assert errors == []
