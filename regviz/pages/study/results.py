"""Progress and results of a study: figures, what is seen, differences, single cells, downloads."""

import io
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from regviz import figures
from regviz.jobs.studies import StudyRun
from regviz.methods.palette import Theme
from regviz.pages.components import chart, choose_picture_format, describe, draw, plain
from regviz.pages.control_values import control_key, renew
from regviz.pages.study.findings import seen
from regviz.pages.study.offers import offers_of
from regviz.pages.study.state import study_state, theme
from regviz.programs.study import file_stem, study_program
from regviz.scenes.link import link
from regviz.scenes.study_link import chosen_strengths, scene_of
from regviz.server.sessions import session_id
from regviz.server.state import studies
from regviz.studies.progress import duration
from regviz.studies.result import StudyResult
from regviz.studies.study import Study
from regviz.studies.summary import methods_of, methods_with_choice

REDRAW_SECONDS = 1.0  # interval at which an unfinished study is drawn anew
_BYTES = "application/octet-stream"
METRICS = {"test_loss": "Test loss", "test_accuracy": "Test accuracy", "sparsity": "Zeros"}


def show(offered: bool) -> None:
    """Draw the study that was started, or say what there will be.

    Parameters
    ----------
    offered : bool
        Whether the study of the controls can be run.
    """
    started, study = study_state().started, study_state().study
    if started is None:
        if not offered or study is None:
            return
        st.info(
            "Press Run: the figure fills in cell by cell. A cell is one combination of the values"
            " above, with all methods, strengths and seeds. Each point is a mean over seeds.",
            icon=":material/experiment:",
        )
        download_program(study)
        return
    run = studies().find(started)
    if run is None:
        if offered and started == study:
            st.warning("This result is no longer kept. Press Run to compute it again.")
        return
    if run.unfinished:
        _show_unfinished(started)
    else:
        _show_finished(started, run)


@st.fragment(run_every=REDRAW_SECONDS)
def _show_unfinished(study: Study) -> None:
    """Draw progress and results so far in a fragment, so that the controls keep responding."""
    run = studies().find(study)
    if run is None or not run.unfinished:
        st.rerun()  # of the whole page, which draws the rest
    with st.container(key="study_unfinished"):
        _draw_unfinished(study, run)


def _draw_unfinished(study: Study, run: StudyRun) -> None:
    """Draw progress, choices and figure of an unfinished study."""
    with _progress_row():
        st.progress(run.n_done / run.n_cells, _progress(run))
        if run.is_watched_by(session_id()):
            st.button("Stop", icon=":material/stop:", key="study_stop", on_click=_stop)
        else:
            st.button(
                "Go on",
                icon=":material/play_arrow:",
                key="study_go_on",
                on_click=run.watch,
                args=(session_id(),),
                help="Another visitor runs this study. Without “Go on”, it stops when they leave."
                if run.watchers()
                else "It stops as soon as the cells in progress can be left.",
            )
    view = _choose_view(study)
    with st.container(key="study_figure"):
        _draw_live(_figure(run, view), f"study_{view[0]}")


def _progress_row() -> Any:
    """Return the container of the progress, with a button at its end if there is one."""
    return st.container(
        horizontal=True, vertical_alignment="center", key="study_progress", gap="medium"
    )


def _stop() -> None:
    studies().leave(session_id())


def _progress(run: StudyRun) -> str:
    """Return the state of an unfinished study in words."""
    if not run.watchers():
        return f"{run.n_done} of {run.n_cells} cells, stopping"
    before = studies().n_before(run)
    if before:
        studies_before = "1 study is" if before == 1 else f"{before} studies are"
        return f"In the queue: {studies_before} before yours. It begins by itself."
    left = "" if run.seconds_left is None else f", about {duration(run.seconds_left)} left"
    note = f". {plain(run.note)}" if run.note else ""
    return f"{run.n_done} of {run.n_cells} cells{left}{note}"


def _show_finished(study: Study, run: StudyRun) -> None:
    with _progress_row():  # in the place of the progress, so that nothing moves
        st.progress(run.n_done / run.n_cells, f"{run.n_done} of {run.n_cells} cells")
    if run.state == "failed":
        st.error(f"The study ended early: {plain(run.error)}", icon=":material/error:")
    elif run.state == "stopped":
        st.info(
            f"Stopped after {run.n_done} of {run.n_cells} cells. “Go on” computes the others.",
            icon=":material/pause:",
        )
    result = run.result()
    if not run.n_done:
        download_program(study)
        return
    view = _choose_view(study)
    key = f"study_{view[0]}"
    _take_click(key, result)
    place = st.container(key="study_figure")
    cell = _open_cell(result)
    with place:
        figure = _marked(_figure(run, view), cell, only_winner=view[0] == "map")
        draw(figure, key, on_select="rerun", selection_mode="points")
    for sentence in seen(result):
        st.markdown(sentence)
    if view[0] == "map":
        st.caption(
            f"{_winners(result, view[1])} The map compares all pairs of methods, and corrects for"
            " that many comparisons. Differences from None are fewer, so one may be clear here and"
            " still a tie on the map."
        )
    _differences(result)
    _take_away(result, view)


def _winners(result: StudyResult, metric: str) -> str:
    """Return a sentence about how many cells have one winner."""
    if len(result.study.seeds) == 1:
        return "With one seed there is no test."
    n = int(result.winners(metric)["clear"].sum())
    if not n:
        return "In no cell is one method clearly better than all others."
    return f"In {n} of {result.n_done} cells one method is clearly better than all others."


def _choose_view(study: Study) -> tuple[str, str]:
    """Draw the choice of a view and a number, and return both."""
    methods = methods_of(study)
    kinds = ["map"] * (len(study.axes) > 1 and len(methods) > 1)
    kinds += ["lines", "differences", "strengths"] if study.axes else []
    names = {
        "map": "Map of winners",
        "lines": "Lines",
        "differences": "Differences from None",
        "strengths": "Strengths chosen",
    }
    if "none" not in methods or len(methods) == 1:
        kinds.remove("differences")
    if isinstance(study.strengths, tuple) or not methods_with_choice(study):
        kinds.remove("strengths")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            "Figure",
            kinds,
            default=kinds[0],
            required=True,
            format_func=names.__getitem__,
            key=f"study_kind_{len(study.axes)}",
            label_visibility="collapsed",
            wrap=True,
            width="stretch",
        )
        own = [
            key for key in METRICS if key != "test_accuracy" or study.base.data.task != "regression"
        ]
        own = own[:-1] if kind == "map" else own
        metric = st.selectbox(
            "Number",
            own,
            format_func=METRICS.__getitem__,
            key="study_metric",
            width=170,
            disabled=kind == "strengths",
            label_visibility="collapsed",
        )
    return kind, metric


def _drawn(result: StudyResult, view: tuple[str, str], theme: Theme) -> go.Figure:
    """Return the figure of a view and a number."""
    kind, metric = view
    options: dict[str, Any] = {"kind": kind, "theme": theme}
    if kind == "differences":
        options |= {"kind": "lines", "baseline": "none"}
    return figures.study(result, metric, **options)


def _figure(run: StudyRun, view: tuple[str, str]) -> go.Figure:
    """Return the figure of a view, computed anew only if more cells are done."""
    state, key = study_state(), (run.study, run.n_done, view, theme())
    if state.drawn is None or state.drawn[0] != key:
        state.drawn = key, _drawn(run.result(), view, theme())
    return state.drawn[1]


def _draw_live(figure: go.Figure, name: str) -> None:
    """Draw a figure of an unfinished study in the place of the last but one.

    Streamlit empties the place of a changed figure for a frame or two. Until the new one is drawn,
    the one before stays visible in the other place, at the same position: see ``_STYLE`` of the
    page.
    """
    state = study_state()
    if figure is not state.live[state.newest]:
        state.newest = 1 - state.newest
        state.live[state.newest] = figure
    for place, each in enumerate(state.live):
        if each is None:
            st.empty()
        else:
            chart(each, f"study_live_{place}", name)
    # after the figures: the place that was hidden has the new figure before it becomes the newest
    describe(figure, f"newest-{state.newest}")


def _take_click(key: str, result: StudyResult) -> None:
    """Choose the cell of a point that was clicked in the figure of a key."""
    event = st.session_state.get(key) or {}
    points = [p for p in event.get("selection", {}).get("points", []) if p.get("customdata")]
    clicked = str(points[0]["customdata"][0]) if points else ""
    state = study_state()
    if clicked in result.positions:
        state.cell = result.positions[clicked]
        state.n_clicks += 1
        renew("study_cell")


def _marked(figure: go.Figure, cell: str, *, only_winner: bool) -> go.Figure:
    """Return a copy of a figure with rings around the signs of the cell of a key.

    With ``only_winner``, of a map, the ring is around the winner's sign, which is the highest, and
    has its colour: the sign is seen on the winner's.
    """
    marked = go.Figure(figure)
    signs = [
        (trace, i)
        for trace in figure.data
        for i, data in enumerate(() if trace.customdata is None else trace.customdata)
        if data[0] == cell
    ]
    if only_winner:
        signs = sorted(signs, key=lambda sign: sign[0].y[sign[1]])[-1:]
    for trace, i in signs:
        marked.add_scatter(
            x=[trace.x[i]],
            y=[trace.y[i]],
            xaxis=trace.xaxis,
            yaxis=trace.yaxis,
            mode="markers",
            marker=dict(
                symbol="circle-open",
                size=18,
                line_width=2,
                color=trace.marker.color[i] if only_winner else figure.layout.font.color,
            ),
            showlegend=False,
            hoverinfo="skip",
        )
    # Plotly keeps the selection of each panel, and takes a click on a selected point for the wish
    # to select none. With another revision it forgets all of them.
    return marked.update_layout(selectionrevision=study_state().n_clicks)


def _differences(result: StudyResult) -> None:
    """Draw the paired differences from the unregularized network."""
    if "none" not in result.methods or len(result.methods) < 2:
        return
    with st.expander("Paired differences from None, with intervals"):
        table = result.differences("test_loss").drop(columns=["cell", "p", "standard_error"])
        names = {axis.path: axis.label for axis in result.study.axes}
        names |= {
            "method": "Method",
            "mean": "Difference",
            "low": "95 % from",
            "high": "to",
            "p_corrected": "p (Holm)",
            "n_seeds": "Seeds",
            "n_diverged": "Diverged",
            "seeds_needed": "Seeds needed",
            "clear": "Clear",
        }
        st.dataframe(
            table.rename(columns=names), hide_index=True, key="study_differences", width="stretch"
        )
        st.caption(
            "Test loss of a method minus that of None, seed by seed: below 0 the method is better."
            " The interval is Student's, for one cell; p is corrected by Holm's method for all"
            " cells and methods, and clear means below 0.05. “Seeds needed” finds a difference of"
            " this size with a probability of 0.8 in a single cell, without the correction."
        )


def _open_cell(result: StudyResult) -> str:
    """Draw the choice of a cell and a seed, and the link that opens it in the playground.

    Returns
    -------
    str
        Key of the cell.
    """
    study = result.study
    keys = {index: key for key, index in result.positions.items()}
    indices = list(keys)
    state = study_state()
    if state.cell not in indices:
        state.cell = indices[0]
        renew("study_cell")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        index = state.cell = st.selectbox(
            "Cell",
            indices,
            indices.index(state.cell),
            format_func=lambda index: _cell_name(study, index),
            key=control_key("study_cell"),
            label_visibility="collapsed",
            width=320,
        )
        seed = st.selectbox(
            "Seed",
            study.seeds,
            format_func=lambda seed: f"Seed {seed}",
            key=f"study_seed_{study.id}",
            label_visibility="collapsed",
            width=130,
        )
        cell = study.cells[index]
        scene = scene_of(cell, seed, chosen_strengths(result, cell, seed))
        st.link_button(
            "Open this cell in the playground",
            link("./", scene),
            icon=":material/open_in_new:",
            help="A click on a point of the figure chooses its cell, which is ringed in it.",
        )
    return keys[index]


def _cell_name(study: Study, index: int) -> str:
    """Return the values of a cell in words."""
    of_axes = offers_of(study)
    values = [
        (of_axes[axis.path], axis.values[i])
        for axis, i in zip(study.axes, study.cells.position(index), strict=True)
    ]
    parts = [f"{offer.name} {offer.text(value)}" for offer, value in values]
    return ", ".join(parts) or "The only cell"


def _take_away(result: StudyResult, view: tuple[str, str]) -> None:
    """Draw the downloads of table, figure and program, and say where the link is."""
    study, name = result.study, file_stem(result.study)

    def as_csv() -> str:
        return str(result.frame.to_csv(index=False))

    def as_html() -> str:
        return str(_drawn(result, view, "light").to_html(include_plotlyjs=True))

    st.header("Take it away", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _download("Table (CSV)", as_csv, f"{name}.csv", "text/csv")
        _download("Table (Parquet)", lambda: _parquet(result), f"{name}.parquet", _BYTES)
        _download("Figure (HTML)", as_html, f"{name}.html", "text/html")
        download_program(study)
        choose_picture_format()
    st.caption(
        "The camera of the figure saves a picture. The program runs the same study on your own"
        " machine or cluster, once RegViz is installed there. The address of this page is the link"
        " to this study."
    )


def download_program(study: Study, key: str = "study_save_Program") -> None:
    """Draw the download of the Python program that runs a study elsewhere."""
    name = f"{file_stem(study)}.py"
    _download("Program", lambda: study_program(study), name, "text/x-python", key)


def _parquet(result: StudyResult) -> bytes:
    import pyarrow.parquet

    out = io.BytesIO()
    pyarrow.parquet.write_table(result.table, out)
    return out.getvalue()


def _download(label: str, make: Any, name: str, mime: str, key: str = "") -> None:
    st.download_button(
        label,
        make,
        name,
        mime,
        key=key or f"study_save_{label}",
        on_click="ignore",
        icon=":material/download:",
    )
