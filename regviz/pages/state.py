"""The state of a visitor's page, except the values of its widgets."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from regviz.data.drawing import Drawing
from regviz.scenes.scene import Scene
from regviz.scenes.strength_grid import StrengthGrid
from regviz.spec.experiment import DataSpec, Phase
from regviz.spec.points import PointsSpec

PLAYGROUND = ""  # name of a place, beside the keys of lessons


@dataclass(frozen=True)
class View:
    """The part of a recording that the board shows.

    Attributes
    ----------
    focus : str or None
        Key of the large card; None for the board's default.
    strength_indices : dict of str to int
        Index of the strength on each method's card; methods without an entry have the default.
    epoch : int or None
        The epoch shown; None for the last.
    variant_indices : dict of str to int
        Index of the variant on each method's card; methods without an entry have the default.
    plane : (int, int) or None
        Numbers of the two columns of a table in whose plane its networks are shown; None for the
        weights of the inputs.
    """

    focus: str | None = None
    strength_indices: dict[str, int] = field(default_factory=dict)
    epoch: int | None = None
    variant_indices: dict[str, int] = field(default_factory=dict)
    plane: tuple[int, int] | None = None


@dataclass(frozen=True)
class Moment:
    """A scene with its view, to be opened as it was.

    Attributes
    ----------
    scene : Scene
        Its own view is not used.
    view : View
    local : mapping
        The state that only the board knows, as the board has sent it: linked strengths, edited and
        pruned networks, the cards of the projected board. Missing entries have their defaults.
    claim : str or None
        Key of the claim that was opened last.
    example : DataSpec or None
        As in `PageState`.
    plays : bool
        Whether the board plays the run from its start, unless ``view`` has an epoch.
    """

    scene: Scene
    view: View
    local: Mapping[str, Any]
    claim: str | None
    example: DataSpec | None
    plays: bool = False


@dataclass
class PageState:
    """The state of a visitor's page, except the values of its widgets.

    Attributes
    ----------
    visitor : str
        Random name of the visitor, for `regviz.jobs.registry.JobRegistry`.
    changed : bool
        Whether a control outside of fragments has changed since the page's last run.
    base : Scene or None
        The initial scene of the sidebar's controls; None before the first run.
    control_keys : dict of str to str
        The widget key of each control that has been drawn, as in
        `regviz.pages.control_values.control_key`.
    n_controls_set : int
        Number of times that the page itself has set controls.
    outdated_choice : object or None
        The last dataset chosen before the page has set the controls.
    opened : Scene
        The scene last opened from a link or a file.
    to_open : Scene, Moment or None
        A scene to open in the next run of the page, or a moment.
    play_opened : bool
        Whether the board plays on from the epoch of the scene ``to_open``.
    before_changes : dict
        For each `Scene.phases` that a change of the training has made, the scene before it.
    left_out : list of str
        A sentence for each part of the file of ``to_open`` that the scene lacks.
    opened_file : str or None
        Streamlit's id of the file that was opened last.
    shown : tuple or None
        Grid, index of the network shown first by each method, and scene of the run on the board.
    problems : list of str
        Messages about a link or a file that could not be opened exactly.
    problems_of : StrengthGrid or None
        The grid during which ``problems`` are shown; None for the next one.
    warned_points : tuple or None
        The points for which the page has warned that the address does not contain them.
    view : View
        The current view of the board.
    requested_view : mapping or None
        The last view requested by the page, as in `regviz.scenes.encoding.encode`.
    claim : str or None
        Key of the claim that was opened last.
    moments : list of Moment
        The moments before claims were opened, to return to.
    method_to_enable : str or None
        A method that a view has requested, to be added to the line-up.
    views_snapshot : object or None
        The `BoardSnapshot` that the views below the board were drawn from, to compare with.
    n_replies : int
        Number of messages sent to the board.
    received : tuple of (str, int)
        Name of a run, and the number of its frames that the browser has received.
    own_points : PointsSpec or None
        The visitor's own points, shared by canvas and upload.
    example : DataSpec or None
        The toy dataset in use before the own points.
    hidden_in_plane : tuple of int or None
        The hidden layers in use before a table of more than two columns was chosen.
    drawing : Drawing or None
        The points on the canvas.
    upload : tuple of (str, dict)
        Streamlit's id of an uploaded file, and the table or error message of reading it, by the
        presence of a header.
    seed_results : dict
        By view: the grid, and the results over seeds by experiment, None during training.
    plane : tuple or None
        Cache of the uncertainty view: a key and the `Plane` computed for it.
    anatomies : dict of str to tuple
        Cache of the last `Anatomy` by the key of its widgets, with what it was computed for.
    method_choices : dict of str to (str, str)
        The board's focus and the chosen method at the last run of a view, by name of its choice of
        a method.
    room : str or None
        Code of the class's room that the page is in, as its teacher or a student.
    room_follows : bool
        Whether the students' pages follow the teacher's.
    room_link : int
        The last shared link that a student's page has opened, as `RoomState.link_version`.
    room_asked : bool
        Whether the browser has said which name it keeps, as of ``assets/room/main.js``.
    room_error : str or None
        Why the teacher's last question was not asked.
    room_scene_fits : bool
        Whether the teacher's last scene was short enough to be shared.
    no_room : bool
        Whether the server had no room left when the teacher wanted to open one.
    pin_pictures : dict of Scene to bytes or str
        For each pinned run that is trained, its message of `regviz.scenes.encoding.encode_still`;
        for one that cannot be, the reason.
    warned_pins : tuple of Scene
        The pins for which the page has warned that the address does not contain them.
    path_clicks : int
        Number of clicks on the chart of the paths view.
    lesson_scene : str or None
        Key of the lesson's scene on the board; None before the lesson is opened.
    lesson_revealed : bool
        Whether the lesson's link shows the board before the question is answered.
    lesson_complete : bool
        Whether the training of the lesson's scene was complete at the last message.
    task_shown : bool
        Whether the lesson's task was put on the board.
    task_status : object or None
        The `regviz.pages.learn.task.Status` that the page shows.
    """

    visitor: str = field(default_factory=lambda: secrets.token_hex(8))
    changed: bool = False
    base: Scene | None = None
    control_keys: dict[str, str] = field(default_factory=dict)
    n_controls_set: int = 0
    outdated_choice: object | None = None
    opened: Scene = field(default_factory=Scene)
    to_open: Scene | Moment | None = None
    play_opened: bool = False
    before_changes: dict[tuple[Phase, ...], Scene] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    opened_file: str | None = None
    shown: tuple[StrengthGrid, list[int], Scene] | None = None
    problems: list[str] = field(default_factory=list)
    problems_of: StrengthGrid | None = None
    warned_points: tuple[tuple[float, ...], ...] | None = None
    view: View = field(default_factory=View)
    requested_view: Mapping[str, Any] | None = None
    claim: str | None = None
    moments: list[Moment] = field(default_factory=list)
    method_to_enable: str | None = None
    views_snapshot: object | None = None
    n_replies: int = 0
    received: tuple[str, int] = ("", 0)
    own_points: PointsSpec | None = None
    example: DataSpec | None = None
    hidden_in_plane: tuple[int, ...] | None = None
    drawing: Drawing | None = None
    upload: tuple[str, dict[Any, Any]] = ("", {})
    seed_results: dict[str, tuple[StrengthGrid, dict[Any, Any]]] = field(default_factory=dict)
    plane: tuple[Any, Any] | None = None
    anatomies: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    method_choices: dict[str, tuple[str, str]] = field(default_factory=dict)
    room: str | None = None
    room_follows: bool = True
    room_link: int = 0
    room_asked: bool = False
    room_error: str | None = None
    room_scene_fits: bool = True
    no_room: bool = False
    pin_pictures: dict[Scene, bytes | str] = field(default_factory=dict)
    warned_pins: tuple[Scene, ...] = ()
    path_clicks: int = 0
    lesson_scene: str | None = None
    lesson_revealed: bool = False
    lesson_complete: bool = False
    task_shown: bool = False
    task_status: Any = None


def page_state() -> PageState:
    """Return the page state of the current session, created at the first call."""
    state: PageState = st.session_state.setdefault("page", PageState())
    return state


def playground_state() -> PageState | None:
    """Return the page state of the playground; None if the session has not shown it."""
    if st.session_state.get("place", PLAYGROUND) == PLAYGROUND:
        return page_state()
    state: PageState | None = st.session_state["places"].get(PLAYGROUND)
    return state


def enter(place: str) -> None:
    """Make the state of a place that of `page_state`.

    Parameters
    ----------
    place : str
        `PLAYGROUND`, or the key of a lesson. Its state is kept until the visitor returns.
    """
    before = page_state()
    if st.session_state.get("place") == place:
        return
    kept = st.session_state.setdefault("places", {})
    if "place" in st.session_state:
        kept[st.session_state["place"]] = before
    elif place not in kept:
        kept[place] = before
    st.session_state["place"] = place
    state: PageState = kept.pop(place, None) or PageState()
    # messages and controls of one session are numbered throughout
    state.visitor, state.n_replies = before.visitor, before.n_replies
    state.n_controls_set = before.n_controls_set
    st.session_state["page"] = state
