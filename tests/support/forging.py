"""Generator of malformed messages to the server, for fuzz tests."""

import json
import random
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks.visitors import EVENTS, stands

HUGE, DEEP = 10**400, "[" * 5_000 + "]" * 5_000
POINTS = [[0.1 * i, 0.2 * i, i % 2] for i in range(40)]
VALUES: list[Any] = [
    *(None, True, -1, 0, 3.5, 1e308, HUGE, 10**4299, float("nan"), float("inf")),
    *(
        "",
        "l1",
        "x" * 2000,
        "<script>alert(1)</script>",
        "[x](https://example.org)",
        "\ud800",
        "\0",
    ),
    *([], {}, [0, 0], [10**9, 10**9], [[1]], ["l1"], {"a": 1}, {"l1": 7}, {"l1": -7, "l2": HUGE}),
    *(POINTS, [[1e5, 1e5, 5]] * 30, [[float("nan"), 0, 0]] * 30, [[1, 1, 0]] * 3000),
]
NAMES = [
    "view",
    "more",
    "drawn",
    "chosen",
    "run",
    "n_received",
    "request_id",
    "focus",
    "strength_indices",
    "variant_indices",
    "epoch",
]
NAMES += ["version", "kind", "points", "names", "claim", "key", "local"]
BROKEN = ["", "{", "nul", '"x"', '{"a":', "1" * 5_000, "NaN", DEEP]
TEXTS = [
    "",
    "x",
    "l2",
    "Draw",
    "Upload",
    "Examples",
    "Paths",
    "\0",
    "l" * 3000,
    "🙂",
    "../../etc/passwd",
]
LISTS = [["Draw"], ["Upload"], ["Examples"], ["network"] * 50]
LISTS += [[view] for view in ("Paths", "Forces", "Compare", "Uncertainty", "Code", "Which one?")]
NUMBERS = [float("nan"), float("inf"), -1e308, 0, 1.5, 1e9, -5]
WHOLE = [0, -1, 1, 9, 2**31, -(2**31), 2**62]
PARAMETERS = ["v", "data", "points", "task", "names", "n_samples", "noise", "label_noise", "seed"]
PARAMETERS += ["train_fraction", "hidden", "activation", "features", "batch_size", "epochs", "hide"]
PARAMETERS += ["methods", "phases", "focus", "l1", "dropout", "epoch", "embed", "early_stopping"]
PARAMETERS += ["frames", "learning_rate", "try", "elastic_net_l1_ratio"]
SETTINGS = ["1", "0", "-1", "1e308", "nan", "9" * 30, "moons", "none,l1", "8,8", "x" * 300, "%00"]
SETTINGS += ["%ff", "l2", "2", "50", "0.5", "all", ""]


class Forger:
    """A generator of messages to a page, based on the widgets that the page has drawn.

    Parameters
    ----------
    seed : int
        Seed of the random choices.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.forget()

    def forget(self) -> None:
        """Forget all widgets and fragments, for a new session."""
        self.widgets: dict[str, WidgetState | None] = {}
        self.fragments = [""]

    def record(self, messages: list[ForwardMsg]) -> None:
        """Record the widgets in the page's messages, their states and their fragments."""
        for message in messages:
            element = message.delta.new_element
            if element.WhichOneof("type") == "bidi_component":
                self.widgets[element.bidi_component.id] = None
            elif (state := stands(element)) is not None:
                self.widgets[state.id] = state
            if message.delta.fragment_id and message.delta.fragment_id not in self.fragments:
                self.fragments.append(message.delta.fragment_id)

    def query(self) -> str:
        """Return a query string of random parameters."""
        pick = self.random.choice
        return "&".join(
            f"{pick(PARAMETERS)}={pick(SETTINGS)}" for _ in range(self.random.randint(0, 8))
        )

    def message(self, query: str) -> bytes:
        """Return a request to run the page or a fragment, with random widget states."""
        message, often = BackMsg(), self.random.random
        rerun = message.rerun_script
        rerun.query_string = query if often() < 0.9 else self.query()
        rerun.fragment_id = self.random.choice(self.fragments)
        for name, state in self.widgets.items():
            if often() < 0.8 and state is not None:
                rerun.widget_states.widgets.append(state)
            elif often() < 0.5:
                rerun.widget_states.widgets.append(self.state(name))
            if often() < 0.2:
                event = json.dumps({"event": self.random.choice(NAMES), "value": self.value()})
                trigger = event if often() < 0.5 else self.json()
                name = EVENTS.format(id=name)
                rerun.widget_states.widgets.add(id=name, json_trigger_value=trigger)
        if often() < 0.2:
            rerun.page_script_hash = self.random.choice(["", "x", "0" * 32])
            rerun.page_name = self.random.choice(TEXTS)
            rerun.context_info.url = self.random.choice(["", "http://[", "javascript:alert(1)"])
            rerun.context_info.timezone = self.random.choice(["", "x", "Europe/Berlin"])
            rerun.context_info.color_scheme = self.random.choice(TEXTS)
        return message.SerializeToString()

    def state(self, name: str) -> WidgetState:
        """Return a widget's state of random type and value."""
        pick, state = self.random.choice, WidgetState(id=name)
        own = {"-board": self.board, "-draw": self.drawing}.get(name[name.rfind("-") :], self.json)
        kind = self.random.randrange(14)
        if kind < 5:
            state.json_value = own()
        elif kind == 5:
            state.json_trigger_value = self.json()
        elif kind == 6:
            state.double_value = pick(NUMBERS)
        elif kind == 7:
            state.int_value = pick(WHOLE)
        elif kind == 8:
            state.string_value = pick(TEXTS)
        elif kind == 9:
            state.double_array_value.data.extend(pick([[], NUMBERS, [pick(NUMBERS)], [0.3] * 1000]))
        elif kind == 10:
            state.string_array_value.data.extend(pick([[], TEXTS, *LISTS]))
        elif kind == 11:
            state.bool_value = pick([True, False])
        elif kind == 12:
            state.file_uploader_state_value.uploaded_file_info.add(
                file_id=pick(TEXTS), name="a.csv"
            )
        else:
            state.bytes_value = self.random.randbytes(pick([0, 10, 1000]))
        return state

    def board(self) -> str:
        """Return a random state of the board, as JSON."""
        focus, strength_indices, epoch = self.value(), self.value(), self.value()
        view = {
            "request_id": None,
            "focus": focus,
            "strength_indices": strength_indices,
            "epoch": epoch,
        }
        return json.dumps({"view": view, "more": {"run": "x", "n_received": self.value()}})

    def drawing(self) -> str:
        """Return a random state of the drawing pad, as JSON."""
        kind = self.random.choice(["classes", "value", self.value()])
        version = self.random.choice([0, 1, self.value()])
        return json.dumps({"drawn": {"version": version, "kind": kind, "points": self.value()}})

    def json(self) -> str:
        """Return random JSON, or invalid JSON."""
        return self.random.choice(BROKEN) if self.random.random() < 0.2 else json.dumps(self._any())

    def value(self) -> Any:
        """Return an unusual value."""
        return self.random.choice(VALUES)

    def _any(self, depth: int = 0) -> Any:
        kind = self.random.random()
        if depth > 3 or kind < 0.4:
            return self.value()
        if kind < 0.8:
            names = self.random.sample(NAMES, self.random.randint(0, 5))
            return {name: self._any(depth + 1) for name in names}
        return [self._any(depth + 1) for _ in range(self.random.randint(0, 3))]

    def corrupt(self, data: bytes) -> bytes:
        """Return a message with one byte changed."""
        at = self.random.randrange(len(data))
        return data[:at] + self.random.randbytes(1) + data[at + 1 :]
