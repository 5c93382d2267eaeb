"""Interpret a page's messages as the browser does, to measure when its pictures are complete."""

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
    """Times of the response to a request.

    Attributes
    ----------
    asked : float
        Time of the request by `time.perf_counter`.
    first, whole : float or None
        Seconds from the request to the first picture, and to the complete recording; None before.
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
        Delay of the message in seconds.
    """

    text: str
    rest: float


class Screen(ABC):
    """Interpreter of the messages that one visitor receives."""

    def __init__(self) -> None:
        self._expected: dict[str, Showing] = {}

    def expect(self, parameter: str) -> Showing:
        """Register a request made now, and return its times, which `see` and `finish` set.

        Parameters
        ----------
        parameter : str
            A parameter in the description of the expected recording, such as ``"seed=7"``. Empty
            to match the next recording.
        """
        showing = self._expected[parameter] = Showing(time.perf_counter())
        return showing

    @abstractmethod
    def see(self, element: Element, now: float) -> Answer | None:
        """Process a received element, and return the answer of the browser, if any."""

    def finish(self, now: float) -> None:  # noqa: B027
        """Process the end of a run of the page."""


class Board(Screen):
    """Receives the frames of a grid, and requests more as ``board.js`` does."""

    def __init__(self) -> None:
        super().__init__()
        self._showing: Showing | None = None
        self._run = ""
        self._n_received, self._n_frames = 0, 1

    def see(self, element: Element, now: float) -> Answer | None:
        """Process an element of the board; the answer requests the frames not yet received."""
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
        parameters = (header["link"] or "").split("&")
        next_recording = self._expected.pop("", None)
        matches = (self._expected.pop(each) for each in parameters if each in self._expected)
        self._showing = next(matches, next_recording)
        if self._showing is not None:
            self._showing.first = now - self._showing.asked


class Charts(Screen):
    """Receives Plotly figures, whose titles have the expected parameter.

    The recording is complete at the end of the run.
    """

    def __init__(self) -> None:
        super().__init__()
        self._showing: Showing | None = None

    def see(self, element: Element, now: float) -> Answer | None:
        """Process an element; the browser does not answer."""
        if not element.HasField("plotly_chart"):
            return None
        spec = element.plotly_chart.spec
        match = next((each for each in reversed(self._expected) if each in spec), None)
        if match is not None:
            self._showing = self._expected.pop(match)
            self._showing.first = now - self._showing.asked
        return None

    def finish(self, now: float) -> None:
        """Record the time of the complete figures, at the end of a run."""
        if self._showing is not None and self._showing.whole is None:
            self._showing.whole = now - self._showing.asked
