"""Pinned runs above the board: small pictures of earlier runs, and how their settings differ."""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from regviz.engine.cost import seconds
from regviz.jobs.registry import Busy
from regviz.pages.changes import note_change
from regviz.pages.components import asset_component, plain
from regviz.pages.differences import differences
from regviz.pages.share import with_view
from regviz.pages.snapshot import BoardSnapshot
from regviz.pages.state import page_state
from regviz.scenes.encoding import encode_still
from regviz.scenes.scene import MAX_PINS, Scene
from regviz.scenes.strength_grid import StrengthGrid
from regviz.server.state import limits, runs

CHECK_SECONDS = 0.5  # interval of the checks whether a pinned run is complete
SAME = "Same settings as now"

_picture = asset_component("regviz_pin", "pins")


def draw_button(scene: Scene, grid: StrengthGrid) -> None:
    """Draw the button that pins the run on the board.

    Parameters
    ----------
    scene : Scene
        The scene that is trained.
    grid : StrengthGrid
        Its grid.
    """
    full = len(scene.pins) >= MAX_PINS
    st.button(
        "Pin this run",
        icon=":material/push_pin:",
        key="pin",
        on_click=_pin,
        args=(scene, grid),
        disabled=full,
        help=f"{MAX_PINS} runs are pinned. Remove one to pin another."
        if full
        else "Keeps what you see, small, above the next run. While it plays, its end is pinned.",
    )


def draw(
    scene: Scene, grid: StrengthGrid, take_snapshot: Callable[[], BoardSnapshot | None]
) -> None:
    """Draw the pinned runs, each with its differences from what the board shows.

    Parameters
    ----------
    scene : Scene
        The scene that is trained.
    grid : StrengthGrid
        Its grid.
    take_snapshot : callable
        Returns a `BoardSnapshot`, or None if the training is not complete.
    """
    pictures = page_state().pin_pictures
    for pin in pictures.keys() - set(scene.pins):
        del pictures[pin]
    if not scene.pins:
        return
    waiting = _load(scene.pins, take_snapshot)
    now = with_view(scene, grid)
    with st.container(horizontal=True, key="pins"):
        for number, pin in enumerate(scene.pins, 1):
            with st.container(border=True, key=f"pin_{number}"):
                different = "; ".join(differences(pin, now)) or SAME
                st.markdown(f"**{number}** · {plain(different[:1].upper() + different[1:])}")
                picture = pictures.get(pin)
                if isinstance(picture, bytes):
                    _picture(key=f"pin_picture_{number}", data=picture)
                elif picture is not None:
                    st.caption(plain(picture))
                elif pin == next(iter(waiting)):
                    _wait(scene.pins, take_snapshot)
                else:
                    st.caption(waiting[pin])
                with st.container(horizontal=True):
                    for words, key, act in (
                        ("Return to pin", "show", _show),
                        ("Remove pin", "remove", _remove),
                    ):
                        st.button(
                            f"{words} {number}",
                            key=f"pin_{key}_{number}",
                            on_click=act,
                            args=(pin,),
                            type="tertiary",
                        )
                    if number == len(scene.pins) > 1:
                        st.button(
                            "Clear pins",
                            key="clear_pins",
                            on_click=_set_pins,
                            args=((),),
                            type="tertiary",
                        )


@st.fragment(run_every=CHECK_SECONDS)
def _wait(pins: tuple[Scene, ...], take_snapshot: Callable[[], BoardSnapshot | None]) -> None:
    """Show why the first picture is missing, and rerun the page once it is there."""
    n_pictures = len(page_state().pin_pictures)
    waiting = _load(pins, take_snapshot)
    if len(page_state().pin_pictures) > n_pictures:
        st.rerun()
    st.caption(next(iter(waiting.values()), ""))


class _NotReady(Exception):
    """The networks of a pin are not trained yet; the message is the reason."""


def _load(
    pins: tuple[Scene, ...], take_snapshot: Callable[[], BoardSnapshot | None]
) -> dict[Scene, str]:
    """Make missing pictures, and return the reason why a pin has to wait, for each that has to.

    The networks of one pin are trained at a time, after those of the board: thirty visitors with
    four pins each have at most thirty of these trainings.
    """
    pictures, waiting = page_state().pin_pictures, dict[Scene, str]()
    for pin in pins:
        if pin in pictures:
            continue
        if waiting:
            waiting[pin] = "Trains after the pin before it."
            continue
        try:
            pictures[pin] = _make_picture(pin, take_snapshot)
        except Busy:
            waiting[pin] = "Many visitors are training networks. This begins by itself."
        except _NotReady as reason:
            waiting[pin] = str(reason)
        except (RuntimeError, ValueError) as error:
            pictures[pin] = f"This run cannot be trained: {error}."
    return waiting


def _make_picture(pin: Scene, take_snapshot: Callable[[], BoardSnapshot | None]) -> bytes | str:
    """Return the message with a pin's networks, or the reason why they are never trained.

    Raises
    ------
    _NotReady
        If the networks are in training, or their training has to wait.
    Busy
        If the server has no room for another training.
    RuntimeError, ValueError
        If the networks cannot be trained.
    """
    visitor = page_state().visitor
    grid = pin.grid()
    rows = pin.rows(grid)
    experiment = grid.experiment
    # a run that is or was on a board has the networks already
    if not runs().holds(experiment):
        experiment = grid.only(rows)
        if seconds(experiment) > limits().training_seconds:
            return "These networks would take this server too long to train."
        if not runs().holds(experiment) and take_snapshot() is None:
            raise _NotReady("Trains after the run below.")
    history = runs().get(experiment, visitor).wait(0, 0, 0, visitor)
    if not history.complete:
        raise _NotReady("In training")
    epoch = pin.training.epochs if pin.epoch is None else pin.epoch
    return encode_still(grid, rows, history, epoch, pin.focus or grid.default_focus)


def _pin(scene: Scene, grid: StrengthGrid) -> None:
    """Pin what the board shows."""
    state = page_state()
    pins = (state.base or state.opened).pins
    pin = replace(with_view(scene, grid), pins=(), hide=())
    if len(pins) < MAX_PINS and pin not in pins:
        _set_pins((*pins, pin))


def _remove(pin: Scene) -> None:
    state = page_state()
    pins = list((state.base or state.opened).pins)
    pins.remove(pin)
    _set_pins(tuple(pins))


def _set_pins(pins: tuple[Scene, ...]) -> None:
    note_change()
    state = page_state()
    state.base = replace(state.base or state.opened, pins=pins)


def _show(pin: Scene) -> None:
    """Open a pin in the next run of the page; the pins and the hidden controls stay."""
    note_change()
    state = page_state()
    base = state.base or state.opened
    state.to_open = replace(pin, pins=base.pins, hide=base.hide)
