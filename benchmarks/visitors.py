"""Synthetic visitors of a Streamlit page, which follow the browser's protocol without drawing.

A visitor downloads the page, opens the WebSocket, sends the states of all widgets with each rerun
request, caches large messages and refers to them by hash, repeats fragments with an interval, and
sends the answers of its `Screen`. One process can run a hundred visitors.
"""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from benchmarks.downloads import Browser
from benchmarks.screens import Screen, Showing

OPENING = ("_stcore/health", "_stcore/host-config")  # requested by the browser before it connects
EVENTS = "$$STREAMLIT_INTERNAL_KEY_{id}__events"  # widget id of a component's triggers
SUCCESS = (
    ForwardMsg.FINISHED_SUCCESSFULLY,
    ForwardMsg.FINISHED_EARLY_FOR_RERUN,
    ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
)


def stands(element: Element) -> WidgetState | None:
    """Return the state that a browser sends for a widget that is new or set; None for non-widgets.

    Supported are sliders, checkboxes, select boxes, button groups and number inputs.
    """
    kind = element.WhichOneof("type")
    state = WidgetState()
    if kind == "slider":
        slider = element.slider
        if slider.options:
            chosen = slider.raw_value or [slider.options[int(at)] for at in slider.default]
            state.string_array_value.data.extend(chosen)
        else:
            values = slider.value if slider.set_value else slider.default
            state.double_array_value.data.extend(values)
        state.id = slider.id
    elif kind == "checkbox":
        box = element.checkbox
        state.id, state.bool_value = box.id, box.value if box.set_value else box.default
    elif kind == "selectbox":
        select = element.selectbox
        set_to = select.raw_value if select.set_value else select.options[select.default]
        state.id, state.string_value = select.id, set_to
    elif kind == "button_group":
        group = element.button_group
        chosen = [group.options[at].content for at in group.default]
        state.id = group.id
        state.string_array_value.data.extend(group.raw_values if group.set_value else chosen)
    elif kind == "number_input":
        number = element.number_input
        value = number.value if number.set_value else number.default
        state.id = number.id
        if number.data_type == number.INT:
            state.int_value = int(value)
        else:
            state.double_value = value
    else:
        return None
    return state


class Visitor:
    """One visitor of a page.

    Parameters
    ----------
    address : str
        Address of the server, such as ``http://127.0.0.1:8501``.
    screen : callable
        Returns the interpreter of messages: `screens.Board` or `screens.Charts`.

    Attributes
    ----------
    screen : Screen
    errors : list of str
        Errors so far: pages that do not open, closed sockets, exceptions on the page.
    alerts : list of str
        Texts of the page's alert boxes, without those of fragment reruns.
    n_bytes : int
        Bytes received on the WebSocket.
    """

    def __init__(self, address: str, screen: Callable[[], Screen]) -> None:
        self.address, self.screen = address, screen()
        self.errors: list[str] = []
        self.alerts: list[str] = []
        self.n_bytes = 0
        self._query = ""
        self._browser = Browser(address)
        self._socket: ClientConnection | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._answering: asyncio.Task[None] | None = None
        self._repeated: dict[str, asyncio.Task[None]] = {}  # by fragment
        self._widgets: dict[str, WidgetState] = {}
        self._buttons: dict[str, tuple[str, str]] = {}  # id and fragment, by label
        self._kept: dict[str, tuple[str, int]] = {}  # fragment and run of last use, by hash
        self._n_runs = self._oldest = 0
        self._page = ""
        self._runs = self._whole = False

    async def open(self, query: str = "", files: tuple[str, ...] = ()) -> Showing:
        """Open the page.

        Parameters
        ----------
        query : str
            Query string of the link, without "?".
        files : tuple of str
            Paths of files to download before connecting, as a browser with an empty cache does.

        Returns
        -------
        Showing
            Times of the first recording, from the first request on.
        """
        self._query = query
        showing = self.screen.expect("")
        try:
            await self._browser.get(f"/?{query}" if query else "/", page=True)
            await self._browser.get_all(files)
            for path in OPENING:
                await self._browser.get(f"/{path}")
            self._browser.close()
            cookies = self._browser.cookies
            token = cookies.get("_streamlit_xsrf", "PLACEHOLDER_AUTH_TOKEN")
            self._socket = await connect(
                f"{self.address.replace('http', 'ws', 1)}/_stcore/stream",
                subprotocols=[Subprotocol("streamlit"), Subprotocol(token)],
                additional_headers={"Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())},
                origin=Origin(self.address),
                max_size=None,
                ping_interval=None,  # a browser sends none
            )
        except Exception as error:
            self.errors.append(f"the page does not open: {error}")
            return showing
        self._start(self._listen(self._socket))
        await self._ask()
        return showing

    async def change(self, key: str, value: int) -> Showing:
        """Set the number input of a key, which a number may follow, and request a rerun."""
        showing = self.screen.expect(f"{key}={value}")
        ends = re.compile(rf"-{re.escape(key)}(_\d+)?$")
        states = [state for name, state in self._widgets.items() if ends.search(name)]
        if not states or self._socket is None:
            self.errors.append(f"there is no field {key!r} to change")
            return showing
        states[-1].int_value = value
        await self._ask()
        return showing

    async def click(self, label: str) -> bool:
        """Click the button with a label; return False if there is none."""
        if self._socket is None or label not in self._buttons:
            return False
        button, fragment = self._buttons[label]
        await self._ask(fragment, button=button)
        return True

    async def close(self) -> None:
        """Close the connections and cancel all tasks."""
        socket, self._socket = self._socket, None
        self._browser.close()
        for task in (*self._repeated.values(), *self._tasks):
            task.cancel()
        if socket is not None:
            await socket.close()

    def _start(self, work: Any) -> "asyncio.Task[None]":
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _ask(
        self,
        fragment: str = "",
        trigger: tuple[str, str] | None = None,
        automatic: bool = False,
        button: str = "",
    ) -> None:
        """Request a rerun of the page, or of one fragment."""
        message = BackMsg()
        rerun = message.rerun_script
        rerun.query_string, rerun.page_script_hash = self._query, self._page
        rerun.fragment_id, rerun.is_auto_rerun = fragment, automatic
        rerun.widget_states.CopyFrom(WidgetStates(widgets=self._widgets.values()))
        if trigger is not None:
            identity, value = trigger
            rerun.widget_states.widgets.add(id=EVENTS.format(id=identity), json_trigger_value=value)
        if button:
            rerun.widget_states.widgets.add(id=button, trigger_value=True)
        rerun.cached_message_hashes.extend(self._kept)
        where = rerun.context_info
        where.timezone, where.locale, where.color_scheme = "UTC", "en-US", "light"
        where.url = f"{self.address}/"
        self._runs = False
        if self._socket is not None:
            with contextlib.suppress(ConnectionClosed):  # `_listen` reports it
                await self._socket.send(message.SerializeToString())

    async def _listen(self, socket: ClientConnection) -> None:
        try:
            async for data in socket:
                self.n_bytes += len(data)
                message = ForwardMsg()
                message.ParseFromString(data)
                await self.hear(message)
        except ConnectionClosed:
            pass
        except Exception as error:
            self.errors.append(f"a message that cannot be read: {error!r}")
        if self._socket is not None:
            self.errors.append(f"the socket was closed: {socket.close_code} {socket.close_reason}")
            self._socket = None

    async def hear(self, message: ForwardMsg) -> None:
        """Take in a message of the server."""
        kind = message.WhichOneof("type")
        if message.metadata.cacheable and kind == "delta":
            self._kept[message.hash] = message.delta.fragment_id, self._n_runs
        if kind == "delta":
            await self._draw(message.delta)
        elif kind == "ref_hash":
            # a reference repeats an element that was processed before
            if message.ref_hash not in self._kept:
                self.errors.append("a reference to a message that is no longer cached")
            fragment, _ = self._kept.get(message.ref_hash, ("", 0))
            self._kept[message.ref_hash] = fragment, self._n_runs
        elif kind == "new_session":
            self._runs = True
            self._page = message.new_session.page_script_hash
            self._oldest = message.new_session.config.max_cached_message_age
            self._whole = not message.metadata.run.fragment_ids
            if self._whole:
                self._forget(list(self._repeated))
        elif kind == "navigation":
            self._page = message.navigation.page_script_hash
        elif kind == "script_finished":
            self._finish(message)
        elif kind == "auto_rerun":
            self._repeat(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            self._forget(list(message.stop_auto_rerun.fragment_ids))

    async def _draw(self, delta: Delta) -> None:
        if not delta.HasField("new_element"):
            return
        element = delta.new_element
        if element.HasField("exception"):
            self.errors.append(f"{element.exception.type}: {element.exception.message}")
            return
        if element.HasField("alert") and self._whole:
            self.alerts.append(element.alert.body)
        if element.HasField("button"):
            self._buttons[element.button.label] = element.button.id, delta.fragment_id
            return
        state = stands(element)
        if state is not None:
            is_set = getattr(getattr(element, element.WhichOneof("type") or ""), "set_value", False)
            if is_set or state.id not in self._widgets:
                self._widgets[state.id] = state
            return
        answer = self.screen.see(element, time.perf_counter())
        if answer is not None:
            trigger = element.bidi_component.id, answer.text
            if self._answering is not None:
                self._answering.cancel()
            self._answering = self._start(self._later(answer.rest, delta.fragment_id, trigger))

    async def _later(self, rest: float, fragment: str, trigger: tuple[str, str]) -> None:
        await asyncio.sleep(rest)
        self._answering = None  # from here on, a newer answer does not cancel this one
        await self._ask(fragment, trigger)

    def _finish(self, message: ForwardMsg) -> None:
        status = message.script_finished
        fragments = message.metadata.run.fragment_ids
        if status not in SUCCESS:
            self.errors.append("the page does not run")
        elif not fragments and status == ForwardMsg.FINISHED_SUCCESSFULLY:
            self.screen.finish(time.perf_counter())
        if self._runs:
            self._n_runs += 1
            for name, (fragment, last) in list(self._kept.items()):
                old = self._n_runs - last > self._oldest
                if old and (not fragments or fragment in fragments):
                    del self._kept[name]

    def _repeat(self, fragment: str, interval: float) -> None:
        """Rerun a fragment periodically; ``interval`` is in seconds."""

        async def again() -> None:
            while True:
                await asyncio.sleep(interval)
                await self._ask(fragment, automatic=True)

        if fragment not in self._repeated:
            self._repeated[fragment] = self._start(again())

    def _forget(self, fragments: list[str]) -> None:
        for fragment in fragments:
            if fragment in self._repeated:
                self._repeated.pop(fragment).cancel()
