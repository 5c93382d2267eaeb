"""The board as an anywidget."""

import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any
from weakref import WeakValueDictionary

import anywidget
import traitlets
from IPython.display import display

from regviz.engine.history import History
from regviz.engine.training import recorded_epochs
from regviz.notebook.levels import (
    Level,
    Levels,
    checked_levels,
    has_level,
    initial_level,
    network_at,
    offered_levels,
)
from regviz.notebook.module import module_text
from regviz.notebook.picture import picture
from regviz.scenes.cards import history_cards
from regviz.scenes.encoding import Source, encode_all
from regviz.scenes.frames import FrameSelector, fitting_stride
from regviz.spec.validation import choice, integer

# between two messages of a training that goes on
SECONDS_BETWEEN_MESSAGES = 0.1
MIN_MESSAGES = 2  # traits for messages: a complete history takes one or two

# the boards of histories at the end of cells; each holds its history
_SHOWN: "WeakValueDictionary[History, BoardWidget]" = WeakValueDictionary()


class BoardWidget(anywidget.AnyWidget):
    """The board of a history in a notebook, with traits to read, set and observe.

    `regviz.board` makes one. Its traits are ``focus``, ``levels`` and ``epoch``. A trait that is
    set in Python changes the board, and a visitor's change of the board sets the trait, once the
    pointer is released. A value that is not allowed raises ValueError and changes nothing.

    Parameters
    ----------
    history : History
    focus : str, optional
        Key of the card that is enlarged, one of `cards`. None lets the board choose, which then
        sets the trait.
    levels : mapping of str to float or (float, float), optional
        Strength of the network that each card shows, by key of the card, such as ``{"l1": 0.01}``.
        A card with two sliders has a pair of the strength and the value of the second slider, such
        as ``(0.01, 0.5)``: an elastic net's strength and share of L1. Set cards must have one of
        the `offered` levels, up to 1 %; others stay as they are, and so does the second value where
        only a number is set. The trait has all levels, in a mapping that cannot be changed: assign
        another one.
    epoch : int, optional
        Epoch that is shown, from 0 to the last one, which is the default. If it was not recorded,
        the last recorded one before it is shown, and is the trait's value: 50 reads back as 49
        where 49 and 51 are recorded. While the board plays, the trait stays as it was.
    early_stopping : bool
        As for `regviz.board`.
    growing : bool
        Whether the history is the beginning of a training that goes on.

    Examples
    --------
    >>> import regviz
    >>> rows = [regviz.Regularization(), *(regviz.Regularization(l1=s) for s in (0.001, 0.01))]
    >>> training = regviz.TrainingSpec(epochs=20)
    >>> history = regviz.train(regviz.Experiment(training=training, regularizations=rows))
    >>> shown = regviz.board(history)
    >>> shown.cards
    ('none', 'l1', 'early_stopping')
    >>> shown.observe(lambda change: print(change.new), names="epoch")
    >>> shown.epoch = 7
    7
    >>> shown.levels = {"l1": 0.01}
    >>> history.weights(k=shown.networks["l1"])[0].shape
    (2, 8)
    """

    _esm = module_text()

    # without types of traitlets, whose errors would not name the allowed values
    focus: traitlets.TraitType[Any, Any] = traitlets.TraitType(None).tag(sync=True)
    levels: traitlets.TraitType[Any, Any] = traitlets.TraitType(MappingProxyType({})).tag(
        sync=True, to_json=lambda value, _: {**value}
    )
    epoch: traitlets.TraitType[Any, Any] = traitlets.TraitType(0).tag(sync=True)
    # The messages are the traits message_0 and so on, up to this number; others are spare.
    n_messages = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        history: History,
        *,
        focus: str | None = None,
        levels: Mapping[str, Any] | None = None,
        epoch: int | None = None,
        early_stopping: bool = True,
        growing: bool = False,
    ) -> None:
        self._cards = history_cards(history.experiment, early_stopping)
        self._start(history, growing)
        self._levels: Levels = {
            card["key"]: initial_level(card) for card in self._cards if has_level(card)
        }
        super().__init__(
            focus=self._checked_focus(focus),
            levels=checked_levels(self._cards, self._levels, levels or {}),
            epoch=self._checked_epoch(self._last_epoch if epoch is None else epoch),
        )
        self._send_frames(history)

    @property
    def history(self) -> History:
        """The history that is shown, up to now while the training goes on."""
        return self._history

    @property
    def cards(self) -> tuple[str, ...]:
        """Keys of the cards."""
        return tuple(card["key"] for card in self._cards)

    @property
    def offered(self) -> dict[str, tuple[Level, ...]]:
        """The levels that can be set, from weak to strong, by key of the card."""
        return {card["key"]: offered_levels(card) for card in self._cards if has_level(card)}

    @property
    def networks(self) -> dict[str, int]:
        """Index into the history of the network that each card shows, by key of the card."""
        return {card["key"]: network_at(card, self.levels) for card in self._cards}

    @classmethod
    def of(cls, history: History) -> "BoardWidget":
        """Return the board of a history that was shown before, or a new one once that is closed.

        ipywidgets keeps each board, with all its frames, until it is closed.
        """
        widget = _SHOWN.get(history)
        # marimo closes the comm alone, when it runs the cell again
        if widget and (widget.comm is None or getattr(widget.comm, "_closed", False)):
            widget.close()
            widget = None
        if widget is None:
            widget = _SHOWN[history] = cls(history)
        return widget

    @classmethod
    def grow(cls, histories: Iterator[History]) -> History:
        """Display the board of a training while it goes on, and return the last history.

        Parameters
        ----------
        histories : iterator of History
            As `regviz.stream` returns it. An exception that it raises, such as KeyboardInterrupt,
            ends the board at the history before.
        """
        history = next(histories)
        widget = cls(history, growing=True)
        display(widget)  # type: ignore[no-untyped-call]
        sent = time.monotonic()
        try:
            for history in histories:
                if time.monotonic() - sent >= SECONDS_BETWEEN_MESSAGES:
                    widget._send_frames(history)
                    sent = time.monotonic()
        finally:
            widget._finish(history)
        return history

    @traitlets.validate("focus")
    def _validate_focus(self, proposal: Any) -> str | None:
        return self._checked_focus(proposal.value)

    @traitlets.validate("levels")
    def _validate_levels(self, proposal: Any) -> Levels:
        # the trait itself has the proposal already, if several traits are set at once
        self._levels = checked_levels(self._cards, self._levels, proposal.value)
        return self._levels

    @traitlets.validate("epoch")
    def _validate_epoch(self, proposal: Any) -> int:
        return self._checked_epoch(proposal.value)

    def _checked_focus(self, focus: Any) -> str | None:
        return None if focus is None else choice("focus", focus, self.cards)

    def _checked_epoch(self, epoch: Any) -> int:
        """Return the recorded epoch that is shown for a given one."""
        given = integer("epoch", epoch, 0, self._last_epoch)
        return max(each for each in self._epochs if each <= given)

    def _start(self, history: History, growing: bool) -> None:
        """Prepare to send the frames of a run."""
        epochs: list[int] = history.epochs.tolist()
        if growing:
            epochs = recorded_epochs(history.experiment.training)
        # the browser never combines frames of runs with different names
        self._run = "growing" if growing or history.complete else f"until epoch {epochs[-1]}"
        _, n_rows, n_parameters = history.parameters.shape
        stride = fitting_stride(len(epochs), n_rows, n_parameters)
        self._selector = FrameSelector(history, n_recorded=len(epochs), stride=stride)
        self._n_sent, self._epochs, self._last_epoch = 0, epochs, epochs[-1]
        self._growing = growing

    def _send_frames(self, history: History) -> None:
        """Send the frames of a history that are not sent yet."""
        self._history = history
        self._selector.add(history)
        source = Source(self._cards, self._run, history, self._selector)
        for message in encode_all(source, self._n_sent):
            self._add_message(message)
        self._n_sent = len(self._selector.frames)
        if not self._growing:
            self._epochs = [int(history.epochs[t]) for t, _ in self._selector.frames]

    def _add_message(self, message: bytes) -> None:
        """Send a message as the next trait.

        Traits are added in blocks that double their number. `add_traits` makes a class that derives
        from the one before, so that adding 1000 traits one by one takes two minutes.
        """
        name = f"message_{self.n_messages}"
        if not self.has_trait(name):
            numbers = range(self.n_messages, max(MIN_MESSAGES, 2 * self.n_messages))
            self.add_traits(**{f"message_{i}": traitlets.Bytes().tag(sync=True) for i in numbers})
        setattr(self, name, message)
        self.n_messages += 1

    def _finish(self, history: History) -> None:
        """Send the frames up to the end, and replace all messages by few.

        A board that has all frames of a complete run keeps them. Of a run that has ended early, it
        takes the new ones.
        """
        self._send_frames(history)
        n_growing = self.n_messages
        self._start(history, growing=False)
        self._send_frames(history)
        with self.hold_sync():
            for i in range(n_growing):
                setattr(self, f"message_{i}", b"")
        self.epoch = min(self.epoch, self._last_epoch)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Return the widget, and a picture for places where scripts do not run."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None or self._growing:
            return bundle
        data, metadata = bundle
        return data | picture(self._history), metadata
