"""Read a page's messages as a browser does, to tell when a picture is there."""

import json
import struct
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from streamlit.proto.Element_pb2 import Element

BOARD = "regviz_board"


@dataclass
class Showing:
    """When what was asked for has come.

    Attributes
    ----------
    asked : float
        By `time.perf_counter`.
    first, whole : float or None
        Seconds until the first picture, and until all that the browser will hold; None before that.
    """

    asked: float
    first: float | None = None
    whole: float | None = None


class Answer(NamedTuple):
    """A message that the browser sends back.

    Attributes
    ----------
    text : str
        The component's triggers as JSON.
    rest : float
        Seconds after which it does.
    """

    text: str
    rest: float


class Screen(ABC):
    """The screen of one visitor, and the answers of the visitor's browser."""

    def __init__(self) -> None:
        self._expected: dict[str, Showing] = {}

    def expect(self, what: str) -> Showing:
        """What comes with this in its description is what was asked for now.

        Parameters
        ----------
        what : str
            As in a link, such as ``"seed=7"``. Empty for whatever comes first.
        """
        showing = self._expected[what] = Showing(time.perf_counter())
        return showing

    @abstractmethod
    def see(self, element: Element, now: float) -> Answer | None:
        """Take in an element that has come."""

    def finish(self, now: float) -> None:  # noqa: B027
        """Take in that a run of the page is over."""


class Board(Screen):
    """The frames of a grid as they arrive; asks for more as ``board.js`` does."""

    def __init__(self) -> None:
        super().__init__()
        self._showing: Showing | None = None
        self._run = ""
        self._n_received, self._n_frames = 0, 1

    def see(self, element: Element, now: float) -> Answer | None:
        """Take in an element; the answer asks for the frames that are not there yet."""
        component = element.bidi_component
        if component.component_name != BOARD:
            return None
        data = component.bytes
        (length,) = struct.unpack_from("<I", data)
        header = json.loads(data[4 : 4 + length])
        request = self._receive(header, now)
        if request is None:
            return None
        text = json.dumps([{"event": "more", "value": request}], separators=(",", ":"))
        return Answer(text, header["ask_after"])

    def _receive(self, header: Mapping[str, Any], now: float) -> dict[str, Any] | None:
        frame, n_epochs = header["frame"], len(header["epochs"])
        if header["run"] != self._run:
            if frame != 0:
                return {"run": header["run"], "n_received": 0}
            self._begin(header, now)
        elif frame < self._n_received:
            return None
        if frame == self._n_received:
            self._n_received += n_epochs
            self._n_frames = header["n_frames"]
        whole = self._n_received == self._n_frames
        if whole and self._showing is not None and self._showing.whole is None:
            self._showing.whole = now - self._showing.asked
        return (
            None if whole and n_epochs == 0 else {"run": self._run, "n_received": self._n_received}
        )

    def _begin(self, header: Mapping[str, Any], now: float) -> None:
        self._run, self._n_received, self._n_frames = header["run"], 0, header["n_frames"]
        described = (header["link"] or "").split("&")
        whatever = self._expected.pop("", None)
        found = (self._expected.pop(what) for what in described if what in self._expected)
        self._showing = next(found, whatever)
        if self._showing is not None:
            self._showing.first = now - self._showing.asked


class Charts(Screen):
    """Plotly figures whose text names what they show; they are all there when the page has run."""

    def __init__(self) -> None:
        super().__init__()
        self._showing: Showing | None = None

    def see(self, element: Element, now: float) -> Answer | None:
        """Take in an element; there is nothing to answer."""
        if not element.HasField("plotly_chart"):
            return None
        spec = element.plotly_chart.spec
        found = next((what for what in reversed(self._expected) if what in spec), None)
        if found is not None:
            self._showing = self._expected.pop(found)
            self._showing.first = now - self._showing.asked
        return None

    def finish(self, now: float) -> None:
        """Take in that a run of the page is over: what is shown is complete."""
        if self._showing is not None and self._showing.whole is None:
            self._showing.whole = now - self._showing.asked
