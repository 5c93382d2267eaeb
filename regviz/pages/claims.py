"""*Try this*: opens the claims that a visitor chooses on the board, and undoes it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from regviz.pages.changes import note_change
from regviz.pages.snapshot import read_view, view
from regviz.pages.state import Moment, View, page_state
from regviz.scenes.claims import CLAIMS, PARAMETER, Claim, find_claim
from regviz.scenes.strength_grid import StrengthGrid

MAX_UNDONE = 20  # number of moments that a page keeps
MAX_LOCAL_CHARS = 200_000  # of JSON: edited weights of all cards take less


def obey() -> None:
    """Open the claim of the board's message, or undo: the callback of its trigger ``claim``.

    The message has ``"key"``, a claim's key or None to undo; ``"view"``, the board's view as in its
    other messages; and ``"local"``, the state that only the board knows.
    """
    message = (st.session_state.get("board") or {}).get("claim")
    if not isinstance(message, dict):
        return
    note_change()
    claim = find_claim(message.get("key"))
    if claim is not None:
        _open(claim, message)
    elif message.get("key") is None:
        _undo()


def _open(claim: Claim, message: Mapping[str, Any]) -> None:
    """Open a claim. Keep the current moment, unless it is that of an unchanged claim."""
    state = page_state()
    current = state.base or state.opened
    now = _view_of(message)
    before = find_claim(state.claim)
    pending = state.to_open if isinstance(state.to_open, Moment) else None
    unchanged = before is not None and _is_shown(before, current.grid(), now)
    if pending is not None:  # requested, but not opened before this message
        kept = [] if pending.plays else [pending]
    elif unchanged and not _is_edited(message):
        kept = []
    else:
        kept = [Moment(current, now, _local_of(message), state.claim, state.example)]
    state.moments = [*state.moments, *kept][-MAX_UNDONE:]
    scene = replace(claim.scene, hide=current.hide, pins=current.pins)
    grid = scene.grid()
    variants = scene.variant_indices(grid)
    indices = grid.strength_indices(scene.strength_indices(grid), variants)
    shown = View(
        scene.focus or grid.default_focus,
        dict(zip(grid.methods, indices, strict=True)),
        scene.epoch,
        dict(zip(grid.methods, grid.variant_indices(variants), strict=True)),
    )
    chosen = {"chosen": list(grid.methods)}
    state.to_open = Moment(scene, shown, chosen, claim.key, None, plays=True)


def _undo() -> None:
    state = page_state()
    if state.moments:
        state.to_open = state.moments.pop()


def link_parameters(grid: StrengthGrid) -> dict[str, str]:
    """Return the parameter that a link to the current scene has beside those of the scene."""
    claim = shown_claim(grid)
    return {} if claim is None else {PARAMETER: claim.key}


def shown_claim(grid: StrengthGrid) -> Claim | None:
    """Return the claim opened last, if a grid and the current strengths are those of its scene."""
    claim = find_claim(page_state().claim)
    return claim if claim and _is_shown(claim, grid, view()) else None


def _is_shown(claim: Claim, grid: StrengthGrid, now: View) -> bool:
    return claim.is_shown(grid, now.strength_indices, now.variant_indices)


def offer(grid: StrengthGrid) -> dict[str, Any]:
    """Return the field ``claims`` of `regviz.scenes.encoding.encode`."""
    state = page_state()
    claim = find_claim(state.claim)
    networks = None
    if claim is not None and grid == claim.scene.grid():
        networks = dict(zip(grid.methods, claim.networks(grid), strict=True))
    return {
        "offered": [{"key": c.key, "title": c.title, "watch": c.watch} for c in CLAIMS],
        "opened": None if claim is None else claim.key,
        "networks": networks,
        "undo": bool(state.moments),
    }


def _view_of(message: Mapping[str, Any]) -> View:
    given = message.get("view")
    return read_view(given, view()) if isinstance(given, dict) else view()


def _local_of(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a message that the board gets back at undo, or {} if it is no JSON."""
    local = message.get("local")
    try:
        text = json.dumps(local, allow_nan=False)
    except (TypeError, ValueError):
        return {}
    return local if isinstance(local, dict) and len(text) <= MAX_LOCAL_CHARS else {}


def _is_edited(message: Mapping[str, Any]) -> bool:
    """Return whether the visitor has edited or pruned networks."""
    local = _local_of(message)
    return bool(local.get("edits") or local.get("threshold"))
