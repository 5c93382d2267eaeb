"""Tests of the board as a widget: its traits, its messages, and what a notebook shows."""

import gc
import sys
import weakref
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import regviz
from regviz import Regularization
from regviz.engine.history import History
from regviz.notebook import mime_bundle
from regviz.notebook.widget import BoardWidget
from regviz.scenes.frames import rounded
from tests.support.recordings import decode

ROWS = (
    Regularization(),
    *(Regularization(l1=strength) for strength in (0.001, 0.01, 0.1)),
    *(Regularization.elastic_net(0.1, share) for share in (0.25, 0.5)),
    Regularization.elastic_net(0.01, 0.5),
)
DATA = regviz.DataSpec(n_samples=60, train_fraction=0.5)
TRAINING = regviz.TrainingSpec(epochs=30, frames=10)
EXPERIMENT = regviz.Experiment(DATA, regviz.NetworkSpec((3,)), TRAINING, ROWS)
LEVELS = {"l1": 0.01, "elastic_net": (0.1, 0.25)}


@pytest.fixture(scope="module")
def history() -> History:
    return regviz.train(EXPERIMENT)


@pytest.fixture
def board(history: History) -> BoardWidget:
    return regviz.board(history)


def messages(board: BoardWidget) -> list[tuple[dict, dict[str, np.ndarray]]]:
    """Decode the messages that the board's state has."""
    state = board.get_state()
    sent = [state[f"message_{i}"] for i in range(state["n_messages"])]
    return [decode(message) for message in sent if message]


def observed(board: BoardWidget) -> list[tuple[str, Any]]:
    """Return a list that all later changes of the traits are added to."""
    changes: list[tuple[str, Any]] = []
    names = ["focus", "levels", "epoch"]
    board.observe(lambda change: changes.append((change.name, change.new)), names=names)
    return changes


def test_a_board_opens_at_the_middle_strengths_and_the_last_epoch(board: BoardWidget):
    assert board.cards == ("none", "l1", "elastic_net", "early_stopping")
    assert (board.focus, board.levels, board.epoch) == (None, LEVELS, 30)
    assert board.networks == {"none": 0, "l1": 2, "elastic_net": 4, "early_stopping": 0}
    assert board.offered["l1"] == (0.001, 0.01, 0.1)
    assert board.offered["elastic_net"] == ((0.1, 0.25), (0.01, 0.5), (0.1, 0.5))


def test_a_board_opens_at_the_view_that_is_asked_for(history: History):
    levels = {"elastic_net": (0.01, 0.5)}
    board = regviz.board(history, focus="none", levels=levels, epoch=13, early_stopping=False)
    assert board.cards == ("none", "l1", "elastic_net")
    assert (board.focus, board.levels, board.epoch) == ("none", LEVELS | levels, 10)


def test_traits_that_are_set_are_observed_once_each(board: BoardWidget):
    changes = observed(board)
    board.focus = "l1"
    board.levels = {"l1": 0.1}
    board.epoch = 14
    # equal values
    board.focus, board.levels, board.epoch = "l1", {"l1": 0.1001}, 17
    assert changes == [("focus", "l1"), ("levels", LEVELS | {"l1": 0.1}), ("epoch", 14)]
    assert board.networks["l1"] == 3


def test_what_the_browser_sets_is_observed_once(board: BoardWidget):
    changes = observed(board)
    levels = {"l1": 0.1, "elastic_net": [0.01, 0.5]}
    board.set_state({"focus": "elastic_net", "levels": levels, "epoch": 4})
    expected = {"l1": 0.1, "elastic_net": (0.01, 0.5)}
    assert sorted(changes) == [("epoch", 4), ("focus", "elastic_net"), ("levels", expected)]


def test_a_number_alone_keeps_the_second_value_of_a_card(board: BoardWidget):
    board.levels = {"elastic_net": (0.1, 0.5)}
    board.levels = {"elastic_net": 0.01}
    assert board.levels["elastic_net"] == (0.01, 0.5)
    with pytest.raises(TypeError):
        board.levels["l1"] = 0.1


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("focus", "l2", "one of 'none', 'l1', 'elastic_net', 'early_stopping', got 'l2'"),
        ("focus", 1, "one of 'none', 'l1', 'elastic_net', 'early_stopping', got 1"),
        ("levels", {"l1": 0.05}, r"levels\['l1'\] must be one of 0.001, 0.01, 0.1, got 0.05"),
        ("levels", {"l1": True}, r"levels\['l1'\] must be one of 0.001, 0.01, 0.1, got True"),
        ("levels", {"none": 0.1}, "each key of levels must be one of 'l1', 'elastic_net', got 'no"),
        ("levels", {"elastic_net": (0.1, 0.7)}, r"net'\]\[1\] must be one of 0.25, 0.5, got 0.7"),
        ("levels", {"elastic_net": (0.01, 0.25)}, r"levels\['elastic_net'\] must be 0.1, got 0.01"),
        ("levels", 0.1, "levels must be a mapping from cards to strengths, got 0.1"),
        ("epoch", 31, "epoch must be a whole number from 0 to 30, got 31"),
        ("epoch", None, "epoch must be a whole number from 0 to 30, got None"),
    ],
)
def test_a_wrong_value_names_the_allowed_ones_and_changes_nothing(
    board: BoardWidget, name: str, value: Any, allowed: str
):
    before, changes = (board.focus, board.levels, board.epoch), observed(board)
    with pytest.raises(ValueError, match=allowed):
        setattr(board, name, value)
    assert (board.focus, board.levels, board.epoch) == before
    assert changes == []


def test_the_message_has_all_frames_of_all_networks(history: History, board: BoardWidget):
    ((header, arrays),) = messages(board)
    assert header["epochs"] == history.epochs.tolist()
    assert header["n_frames"] == len(history.epochs)
    assert np.array_equal(arrays["parameters"], rounded(history.parameters))
    assert [card["key"] for card in header["cards"]] == [*board.cards]


@pytest.mark.parametrize("n_columns", [1, 2, 5])
def test_own_arrays_with_any_number_of_columns_are_shown(n_columns: int):
    X = np.random.default_rng(0).normal(size=(40, n_columns))
    points = regviz.Dataset(
        X[:30], (X[:30, 0] > 0).astype(int), X[30:], (X[30:, 0] > 0).astype(int)
    )
    experiment = regviz.Experiment(network=regviz.NetworkSpec((2,)), training=TRAINING)
    ((header, arrays),) = messages(regviz.board(regviz.train(experiment, dataset=points)))
    assert header["data"] == "Your arrays"
    assert arrays["train"].shape == (30, n_columns + 1)
    assert len(header["columns"]) == (0 if n_columns == 2 else n_columns)


def test_of_a_long_run_fewer_frames_are_sent_so_that_they_fit(
    history: History, monkeypatch: pytest.MonkeyPatch
):
    _, n_rows, n_parameters = history.parameters.shape
    frame = n_rows * (2 * n_parameters + 4 * 6)
    monkeypatch.setattr("regviz.scenes.frames.MAX_BYTES", 6 * frame)
    board = regviz.board(history, epoch=29)
    sent = [epoch for header, _ in messages(board) for epoch in header["epochs"]]
    assert sent == history.epochs[::2].tolist()
    board.epoch = 24
    assert board.epoch == history.epochs[8]


def interrupted_after(n: int) -> Iterator[History]:
    """Yield the first histories of a training, then interrupt it."""
    histories = regviz.stream(EXPERIMENT)
    for _ in range(n):
        yield next(histories)
    raise KeyboardInterrupt


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[BoardWidget]:
    """The widgets that are displayed; frames are sent with each history."""
    widgets: list[BoardWidget] = []
    monkeypatch.setattr("regviz.notebook.widget.display", widgets.append)
    monkeypatch.setattr("regviz.notebook.widget.SECONDS_BETWEEN_MESSAGES", 0.0)
    return widgets


def test_a_watched_training_is_sent_frame_by_frame_and_kept_as_one_message(
    history: History, displayed: list[BoardWidget], monkeypatch: pytest.MonkeyPatch
):
    sent: list[bytes] = []
    change = BoardWidget.notify_change

    def noted(self: BoardWidget, changed: Any) -> None:
        if changed.name.startswith("message_") and changed.new:
            sent.append(changed.new)
        change(self, changed)

    monkeypatch.setattr(BoardWidget, "notify_change", noted)
    assert np.array_equal(regviz.watch(EXPERIMENT).parameters, history.parameters)
    (board,) = displayed
    frames = [decode(message) for message in sent]
    assert [header["frame"] for header, _ in frames] == [*range(11), 0]
    parts = [arrays["parameters"] for _, arrays in frames]
    assert np.array_equal(np.concatenate(parts[:-1]), parts[-1])
    assert {header["run"] for header, _ in frames} == {"growing"}
    ((header, _),) = messages(board)
    assert header["epochs"] == history.epochs.tolist()
    # each call of `add_traits` makes a class of the one before, and takes longer than the last one
    assert len(type(board).mro()) - len(type(regviz.board(history)).mro()) == 3


def test_an_interrupted_training_keeps_its_frames(displayed: list[BoardWidget]):
    with pytest.raises(KeyboardInterrupt):
        BoardWidget.grow(interrupted_after(4))
    (board,) = displayed
    ((header, _),) = messages(board)
    assert header["epochs"] == [0, 1, 2, 4]
    # another run for the browser, which would wait for the frames that are missing
    assert (header["n_frames"], header["run"]) == (4, "until epoch 4")
    assert (board.epoch, len(board.history.epochs)) == (4, 4)


def test_a_history_is_shown_as_its_board_a_picture_and_a_text(history: History):
    data, _ = history._repr_mimebundle_()
    assert data["text/plain"] == repr(history)
    assert b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"]


def test_a_history_shown_again_is_another_view_of_its_board_until_that_is_closed():
    history = regviz.train(EXPERIMENT)
    board = BoardWidget.of(history)

    def shown() -> str:
        return history._repr_mimebundle_()[0]["application/vnd.jupyter.widget-view+json"][
            "model_id"
        ]

    first = board.model_id
    assert shown() == shown() == first != regviz.board(history).model_id
    board.close()
    second = shown()
    BoardWidget.of(history).comm.close()  # as marimo does
    third = shown()
    assert third == shown()
    assert len({first, second, third}) == 3


def test_a_board_of_a_history_is_freed_once_it_is_closed():
    history = regviz.train(EXPERIMENT)
    freed = weakref.ref(history)
    BoardWidget.of(history).close()
    del history
    gc.collect()
    assert freed() is None


def test_without_optional_packages_there_is_what_remains(
    history: History, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ImportError, match=r'needs anywidget.*\n.*pip install ".*\[notebook\]'):
        regviz.board(history)
    assert mime_bundle(history).keys() == {"text/plain", "image/png"}
    for name in [name for name in sys.modules if name.startswith("matplotlib")]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert mime_bundle(regviz.train(EXPERIMENT)) == {"text/plain": repr(history)}


def test_in_a_terminal_a_history_is_its_text(history: History, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("IPython.get_ipython", lambda: object())
    assert mime_bundle(history) == {"text/plain": repr(history)}


def test_levels_of_a_board_without_strengths_are_refused():
    history = regviz.train(regviz.Experiment(DATA, training=TRAINING))
    with pytest.raises(ValueError, match="levels must be empty, as no card has a strength, got"):
        regviz.board(history, levels={"l1": 0.1})


def test_what_is_no_history_is_refused():
    with pytest.raises(ValueError, match="history must be a History, got"):
        regviz.board(EXPERIMENT)  # type: ignore[arg-type]
