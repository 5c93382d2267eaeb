"""Opening of a study from the page's address, and of a first study of a scene."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import streamlit as st

from regviz.pages import share
from regviz.pages.control_values import renew
from regviz.pages.state import page_state, playground_state
from regviz.pages.study.controls import MAX_AXES
from regviz.pages.study.offers import offer_of, offers
from regviz.pages.study.state import study_state
from regviz.scenes import link
from regviz.scenes.scene import Scene
from regviz.scenes.study_link import from_query, study_of, to_query
from regviz.server.sessions import is_history_navigation
from regviz.studies.study import Study

FIRST_STRENGTHS, FIRST_SEEDS = 6, 20  # of the first study, which takes about 10 s on two cores
# parameters that make a link one of a study, rather than of a scene to begin with
_OF_STUDIES = ("vary", "strengths", "seeds", "choose")


def open_address() -> None:
    """Open the study or the scene of the address, unless this page has written or read it.

    A browser sends its address with each message, and may not have the newest one yet. A step back
    in its history opens an address again. A visitor who returns from another page with the same
    scene has their study again.
    """
    state = study_state()
    query, known = dict(st.query_params), state.addresses
    steps, returns = is_history_navigation(), state.away
    state.away = False
    if query in known and not (steps or returns):
        # messages arrive in order, so the browser has left those before
        state.addresses = known[known.index(query) :]
        return
    state.addresses = [query]
    if state.study is not None and not (query or steps):
        state.linked = None  # the study's address is written
        return
    if any(name in query for name in _OF_STUDIES):
        study, problems = from_query(query)
        problems += _left_out(study)
        open_study(study)
        state.linked = study
    else:
        scene, problems = _asked_for(query)
        first = first_study(scene)
        if steps or not _is_of(state.study, first):
            state.study = first
            _renew_controls()
        state.scene = state.asked = scene
        state.linked = first_study(_bare(link.from_query(query)[0]))
    if problems:
        state.linked = None
    state.problems = problems


def _is_of(study: Study | None, first: Study) -> bool:
    """Return whether a study is of the scene of a first study, and its methods are as before."""
    state = study_state()
    if study is None or study.base != first.base:
        return False
    return first_study(state.asked or state.scene).methods == first.methods


def open_study(study: Study) -> None:
    """Set the controls to a study."""
    state = study_state()
    scene = _scene_of(study)
    if isinstance(study.strengths, tuple):
        numbers = {key: values[0] for key, values in study.strengths if len(values) == 1}
        scene = replace(scene, strengths=tuple(numbers.items()))
    state.scene, state.study, state.problems = scene, study, []
    _renew_controls()


def _renew_controls() -> None:
    # the state is that of the playground or lesson before this page, whose controls stay
    renew(*(name for name in page_state().control_keys if name.startswith("study_")))


def leave() -> None:
    """Note that another page is shown: a link back to this one is opened, whatever its address."""
    study_state().away = True


def playground_query() -> dict[str, str] | None:
    """Return the address of the scene for the playground; None if it has one of its own."""
    state = playground_state()
    if state is not None and state.base is not None:
        return None
    return dict(parse_qsl(urlsplit(link.link("./", study_state().scene)).query))


def _left_out(study: Study) -> list[str]:
    """Return a sentence for each part of a link's study that the controls cannot hold."""
    sentences = []
    for path, values in study.vary[MAX_AXES:]:
        part, _, field = path.partition(".")
        kept = offer_of(path, values, study.base).text(getattr(getattr(study.base, part), field))
        sentences.append(f"this page has {MAX_AXES} axes, so {path} is left at {kept}.")
    if study.choose is None:
        sentences.append("this page always chooses by validation loss, so choose=none is ignored.")
    return sentences


def _asked_for(query: dict[str, str]) -> tuple[Scene, list[str]]:
    """Return the scene of a query, at the strengths that the playground of this session shows."""
    scene, problems = link.from_query(query)
    shown = page_state().shown
    if shown is not None and shown[0] == scene.grid():
        scene = share.with_view(shown[2], shown[0])
    return _bare(scene), problems


def _bare(scene: Scene) -> Scene:
    """Return a scene without what studies do not have."""
    return replace(scene, pins=(), hide=(), focus=None, epoch=None)


def _scene_of(study: Study) -> Scene:
    """Return the scene of a study's base and methods, without strengths."""
    query = {key: text for key, text in to_query(study).items() if key not in _OF_STUDIES}
    query.pop("methods", None)
    scene, _ = link.from_query(query)
    methods = tuple(key for key in study.methods or () if key != "early_stopping")
    return replace(scene, methods=methods or ("none",))


def first_study(scene: Scene) -> Study:
    """Return the study that the page offers for a scene before any choice."""
    base = scene.grid().experiment
    offer = next(iter(offers(base).values()))
    can_choose = bool(scene.data.validation_fraction)
    strengths = FIRST_STRENGTHS if can_choose else None
    vary = {offer.path: offer.values}
    return study_of(scene, vary, strengths, range(FIRST_SEEDS))


def write_address(study: Study) -> None:
    """Put a study into the address, unless it has it, so that it can be opened again."""
    state = study_state()
    if study == state.linked:
        return
    state.linked = study
    query = {"v": str(link.LINK_VERSION)} | to_query(study)
    kept = {k: v for k, v in st.query_params.items() if k in link.STREAMLITS_OWN}
    if query | kept != state.addresses[-1]:
        state.addresses.append(query | kept)
        st.query_params.from_dict(query)
