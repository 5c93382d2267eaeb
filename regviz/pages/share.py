"""The buttons *Share* and *Save · open*: links, downloads, and opening of files."""

import io
import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import replace
from html import escape
from urllib.parse import urlsplit, urlunsplit

import streamlit as st

from regviz.data.points_file import points_csv
from regviz.engine.history import History
from regviz.methods.catalogue import EARLY_STOPPING
from regviz.pages import claims, classroom
from regviz.pages.changes import note_change
from regviz.pages.components import file_uploader, plain, qr_image
from regviz.pages.snapshot import BoardSnapshot, view
from regviz.pages.state import page_state
from regviz.scenes.link import MAX_LINK_CHARS, fitting, link
from regviz.scenes.offline import run_page
from regviz.scenes.scene import GROUPS, Scene
from regviz.scenes.strength_grid import StrengthGrid
from regviz.server.state import limits
from regviz.spec.experiment import Experiment

GROUP_LABELS = {
    "data": "Data",
    "network": "Network",
    "training": "Training",
    "line_up": "Line-up",
    "claims": "Try this",
    "share": "Share, save and open",
    "understand": "The views below the board",
}
MAX_QR_BYTES = 2953  # capacity of QR version 40 at error correction level L
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
PINS_LEFT_OUT = "The pinned runs are too long for a link, which leaves them out."
IFRAME_PIXELS = 900  # height of an embedded page
CHECK_SECONDS = 0.5  # interval of the checks whether the run is complete


def show(
    scene: Scene, grid: StrengthGrid, take_snapshot: Callable[[], BoardSnapshot | None]
) -> None:
    """Draw the two buttons above the board, with their popovers.

    Parameters
    ----------
    scene : Scene
        The scene that is trained.
    grid : StrengthGrid
        Its grid.
    take_snapshot : callable
        Returns a `BoardSnapshot`, or None if the training is not complete.
    """
    sharing = st.popover("Share", icon=":material/share:", key="share", on_change=note_change)
    if sharing.open:
        with sharing:
            # a class joins by the room's code, which is above the link's
            if page_state().room is not None:
                classroom.draw_opening(_reachable_address())
            _show_link(with_view(scene, grid), claims.link_parameters(grid))
            if page_state().room is None:
                classroom.draw_opening(_reachable_address())
    saving = st.popover(
        "Save · open", icon=":material/download:", key="save", on_change=note_change
    )
    if saving.open:
        with saving:
            _show_files(with_view(scene, grid), take_snapshot)
            _show_opening()


def with_view(scene: Scene, grid: StrengthGrid) -> Scene:
    """Return the scene with the current focus, strengths and epoch, except default values."""
    now = view()
    variant_indices = dict(
        zip(grid.methods, grid.variant_indices(now.variant_indices), strict=True)
    )
    variants = {
        key: grid.values(key)[variant_indices[key]]
        for key, initial in zip(grid.methods, grid.variant_indices({}), strict=True)
        if variant_indices[key] != initial
    }
    strengths = {
        key: grid.strengths(key, variant_indices[key])[strength_index]
        for key, strength_index, initial in zip(
            grid.methods,
            grid.strength_indices(now.strength_indices, now.variant_indices),
            grid.strength_indices({}),
            strict=True,
        )
        if strength_index != initial
    }
    cards = {*scene.methods, EARLY_STOPPING} - {grid.default_focus}
    epoch = now.epoch
    if epoch is not None and epoch >= scene.training.epochs:
        epoch = None
    return replace(
        scene,
        focus=now.focus if now.focus in cards else None,
        strengths=tuple(strengths.items()),
        variants=tuple(variants.items()),
        epoch=epoch,
        plane=now.plane if now.plane and max(now.plane) <= scene.data.n_columns > 2 else None,
    )


def _address() -> str:
    """Return the URL of the page without a query string."""
    scheme, netloc, path, _, _ = urlsplit(st.context.url or "http://localhost:8501")
    return urlunsplit((scheme, netloc, path or "/", "", ""))


def _show_link(scene: Scene, others: Mapping[str, str]) -> None:
    st.markdown("**A link to what you see**")
    st.caption("Data, network, training, line-up, focus, strengths, epoch and pins are all in it.")
    fits = fitting(scene)
    if fits != scene:
        st.warning(f"{PINS_LEFT_OUT} A file keeps them.")
    scene = fits
    address = link(_address(), scene, **others)
    if len(address) > MAX_LINK_CHARS:
        st.warning(
            f"Your {scene.data.n_samples} points make a link of {len(address):,} characters. Many"
            f" servers refuse more than {MAX_LINK_CHARS:,}: save the experiment as a file instead."
        )
    st.code(address, language=None, wrap_lines=True)
    if urlsplit(address).hostname in LOCAL_HOSTS:
        address = _with_host_name(address)
        host = urlsplit(address).netloc
        st.caption(
            "This address works on this computer only. Others in your network reach it by the"
            f" computer's name, as the QR code has it: `http://{host}`. Where that is not found,"
            " open the page by the computer's IP address, and share from there."
        )
    if len(address.encode()) <= MAX_QR_BYTES:
        st.html(qr_image(address))
    else:
        st.caption("The link is too long for a QR code.")
    _show_snippet(scene)


def _reachable_address() -> str:
    """Return the URL of the page without a query string, as others in the network reach it."""
    address = _address()
    return _with_host_name(address) if urlsplit(address).hostname in LOCAL_HOSTS else address


def _with_host_name(address: str) -> str:
    """Return a URL with this computer's name as the host."""
    parts = urlsplit(address)
    port = "" if parts.port is None else f":{parts.port}"
    return urlunsplit(parts._replace(netloc=f"{platform.node()}{port}"))


def _show_snippet(scene: Scene) -> None:
    st.markdown("**For a course page**")
    if not limits().embed:
        st.caption(
            "This server lets no other page show it. To allow yours, start the server with the"
            " page's address in an environment variable:"
            " `REGVIZ_EMBED=https://example.org make run`."
        )
        return
    hidden = st.multiselect(
        "Leave out",
        GROUPS,
        default=scene.hide,
        key="embed_hidden",
        on_change=note_change,
        format_func=GROUP_LABELS.__getitem__,
        help="An exercise is easier with fewer controls. What is left out stays as it is now.",
    )
    embedded = link(_address(), replace(scene, hide=tuple(hidden)), embed="true")
    st.code(
        f'<iframe src="{escape(embedded)}" title="RegViz" loading="lazy" allow="clipboard-write"'
        f' style="width: 100%; height: {IFRAME_PIXELS}px; border: 0"></iframe>',
        language="html",
        wrap_lines=True,
    )


def _show_files(scene: Scene, take_snapshot: Callable[[], BoardSnapshot | None]) -> None:
    st.markdown("**Take it away**")
    name = f"regviz-{scene.data.name}"
    _download(
        "Experiment (JSON)",
        scene.to_json,
        f"{name}.json",
        "application/json",
        "What is trained and looked at. Open it again below.",
    )
    snapshot = take_snapshot()
    if snapshot is None:
        _wait_for_run(take_snapshot)
        return
    history = snapshot.history
    _download(
        "This run (HTML)",
        lambda: run_page(scene, history),
        f"{name}.html",
        "text/html",
        "The board in one file. It plays without a server or a network: from a course page,"
        " from a USB stick.",
    )
    _download(
        "Points (CSV)",
        lambda: points_csv(history.dataset),
        f"{name}-points.csv",
        "text/csv",
        "As they are trained on: x1, x2, y and the split.",
    )
    _download(
        "History (npz)",
        lambda: _npz(history),
        f"{name}.npz",
        "application/octet-stream",
        "All parameters and measures at all recorded epochs, for NumPy or regviz.History.load.",
    )
    _download(
        "History (JSON)",
        history.to_json,
        f"{name}-history.json",
        "application/json",
        "The same as text.",
    )
    st.caption("The board's own pictures are saved with PNG and SVG below its top row.")


@st.fragment(run_every=CHECK_SECONDS)
def _wait_for_run(take_snapshot: Callable[[], BoardSnapshot | None]) -> None:
    """Show that the run cannot be saved yet, and rerun the page once it can."""
    if take_snapshot() is not None:
        st.rerun()
    st.caption("The run itself can be saved as soon as its training is complete.")


def _download(
    label: str, make: Callable[[], str | bytes], name: str, mime: str, about: str
) -> None:
    """Draw a download button; ``make`` is called when it is clicked."""
    st.download_button(
        label, make, name, mime, key=f"save_{name}", on_click="ignore", help=about, width="stretch"
    )


def _npz(history: History) -> bytes:
    out = io.BytesIO()
    history.save(out)
    return out.getvalue()


def read(text: str) -> tuple[Scene, list[str]]:
    """Return the scene of a JSON file, and a sentence for each part of the file that it lacks.

    Raises
    ------
    ValueError
        If the text is neither a scene nor an experiment.
    """
    scene, content = Scene.from_json(text), json.loads(text)
    if "regularizations" not in content:
        return scene, []
    return scene, scene.missing(Experiment.from_json(text))


def _show_opening() -> None:
    st.markdown("**Open**")
    file = file_uploader(
        "An experiment (JSON)",
        type=["json"],
        key="open_file",
        on_change=note_change,
        max_upload_size=1,
        help="A file saved here, or written by Experiment.to_json.",
    )
    if file is None or file.file_id == page_state().opened_file:
        return
    page_state().opened_file = file.file_id
    try:
        scene, page_state().left_out = read(file.getvalue().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        st.error(f"The file is not text in UTF-8 (byte {error.start}). Nothing was changed.")
    except ValueError as error:
        st.error(f"The file cannot be opened: {plain(str(error))}. Nothing was changed.")
    else:
        page_state().to_open, page_state().claim = scene, None
        st.rerun()
