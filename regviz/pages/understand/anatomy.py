"""The view "Anatomy": one training step under the microscope, and the steps that follow it.

`show_steps` draws the steps of any network, also outside of this view.
"""

from functools import lru_cache
from html import escape

import numpy as np
import streamlit as st

from regviz import figures
from regviz.analysis.anatomy import Anatomy, Step, anatomy
from regviz.figures.anatomy import (
    PART_NAMES,
    QUANTITIES,
    Place,
    acting,
    decimals,
    index_of,
    number,
    rounded_path,
    unit_names,
)
from regviz.methods.catalogue import EARLY_STOPPING
from regviz.methods.labels import digits, labels
from regviz.methods.palette import Theme
from regviz.pages.components import draw
from regviz.pages.snapshot import BoardSnapshot, view
from regviz.pages.state import page_state
from regviz.spec.experiment import Experiment

N_STEPS = 40  # that can be taken one by one from the epoch shown
SECONDS_PER_STEP = 2.5  # while playing
STYLE = """<style>
  .regviz-sum { display: flex; flex-wrap: wrap; gap: 0.2rem 0.7rem; align-items: start; }
  .regviz-sum > span { display: flex; flex-direction: column; }
  .regviz-sum b { font-size: 1.9rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
  .regviz-sum small { font-size: 0.95rem; opacity: 0.85; }
  /* Streamlit's own colour of a shortcut has a contrast of 3.5 */
  [class*="st-key-"][class*="_steps"] button:enabled * { color: inherit; opacity: 1; }
</style>"""


def show(snapshot: BoardSnapshot) -> None:
    """Draw the view: steps of the network in focus, from the epoch that the board shows."""
    k, history = snapshot.network(snapshot.focus), snapshot.history
    epoch = int(history.epochs[-1]) if snapshot.epoch is None else snapshot.epoch
    if view().focus == EARLY_STOPPING:
        best, _ = history.early_stopping(snapshot.grid.patience)
        epoch = min(epoch, int(history.epochs[best[k]]))
    if 0 <= history.diverged[k] <= epoch:
        st.info("This network has diverged. Choose a weaker strength, or an earlier epoch.")
        return
    (acting_label,) = labels(snapshot.grid.only([k]), [snapshot.focus])
    show_steps(snapshot.grid.experiment, k, epoch, acting_label.text, snapshot.theme)


# For all visitors: every one of a lesson begins with the same step. Plotly needs 0.15 to 0.3 s for
# the three figures of a step.
_anatomy = lru_cache(maxsize=32)(anatomy)
_weight_step = lru_cache(maxsize=64)(figures.weight_step)
_layer_map = lru_cache(maxsize=64)(figures.layer_map)
_network = lru_cache(maxsize=64)(figures.anatomy_network)


def show_steps(
    experiment: Experiment,
    k: int,
    epoch: int,
    name: str,
    theme: Theme,
    key: str = "anatomy",
) -> None:
    """Draw the steps of a network that follow an epoch, with buttons to go through them.

    Parameters
    ----------
    experiment : Experiment
    k : int
        Index of the network.
    epoch : int
        Number of epochs trained before the first step.
    name : str
        Name of the network's regularization, as of `regviz.methods.labels.label`.
    theme : {"light", "dark"}
    key : str
        Prefix of the widgets' keys, to draw several on one page.
    """
    steps = _steps(key, experiment, k, epoch)
    playing, at = f"{key}_playing", f"{key}_at"
    # another network or epoch begins at its first step
    if st.session_state.get(f"{key}_of") != (experiment, k, epoch):
        st.session_state[f"{key}_of"] = (experiment, k, epoch)
        st.session_state[at], st.session_state[playing] = 0, False
    st.html(STYLE)

    def move(by: int) -> None:
        st.session_state[at] = min(max(st.session_state[at] + by, 0), len(steps.steps) - 1)

    def play() -> None:
        st.session_state[playing] = not st.session_state[playing]
        if st.session_state[at] == len(steps.steps) - 1:
            st.session_state[at] = 0

    def draw_steps() -> None:
        if st.session_state[playing] and st.session_state.get(f"{key}_begun"):
            move(1)
        st.session_state[f"{key}_begun"] = st.session_state[playing]
        i = st.session_state[at]
        over = i == len(steps.steps) - 1
        with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_steps"):
            st.button(
                "Back",
                key=f"{key}_back",
                icon=":material/skip_previous:",
                on_click=move,
                args=(-1,),
                disabled=i == 0,
                shortcut="Shift+N",
            )
            st.button(
                "Next step",
                key=f"{key}_next",
                icon=":material/skip_next:",
                on_click=move,
                args=(1,),
                disabled=over,
                shortcut="N",
            )
            st.markdown(_where(steps, i, name))
        _draw_step(steps, i, key, theme)
        if over and st.session_state[playing]:
            st.session_state[playing] = False
            st.rerun()

    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("### One training step, part by part")
        st.button(
            "Stop" if st.session_state[playing] else "Play slowly",
            key=f"{key}_play",
            icon=":material/pause:"
            if st.session_state[playing]
            else ":material/slow_motion_video:",
            on_click=play,
        )
    every = SECONDS_PER_STEP if st.session_state[playing] else None
    st.fragment(draw_steps, run_every=every)()


def _steps(key: str, experiment: Experiment, k: int, epoch: int) -> Anatomy:
    """Return the steps of a network, cached for the last one with this key."""
    of, cache = (experiment, k, epoch), page_state().anatomies
    if key not in cache or cache[key][0] != of:
        with st.spinner("Training to this epoch …"):
            cache[key] = of, _anatomy(experiment, k, epoch, N_STEPS)
    cached: Anatomy = cache[key][1]
    return cached


def _where(steps: Anatomy, i: int, name: str) -> str:
    step = steps.steps[i]
    return (
        f"**{name}** · after epoch {step.epoch} · mini-batch {step.batch + 1} of"
        f" {steps.n_batches}, {len(step.points)} points"
    )


def _draw_step(steps: Anatomy, i: int, key: str, theme: Theme) -> None:
    step = steps.steps[i]
    st.html(
        sums(
            [
                ("", f"{step.data_loss:.4f}", "data loss of the batch"),
                ("+", f"{round(step.objective, 4) - round(step.data_loss, 4):.4f}", "penalty"),
                ("=", f"{step.objective:.4f}", "objective J"),
            ]
        )
    )
    index = _choose_weight(steps, key)
    st.html(weight_sums(step, index))
    left, right = st.columns(2)
    with left:
        draw(_weight_step(steps, i, index, theme=theme), f"{key}_weight")
        st.markdown(explain(steps, i, index))
    with right:
        quantity = st.selectbox(
            "The layer as a map",
            list(QUANTITIES),
            index=list(QUANTITIES).index("optimizer"),
            format_func=lambda name: QUANTITIES[name].capitalize(),
            key=f"{key}_quantity",
            persist_state="page",
        )
        layer = st.session_state[f"{key}_layer"]
        draw(
            _layer_map(steps, i, layer, quantity, index, theme=theme),
            f"{key}_map",
        )
    point = 0
    if len(step.points) > 1:
        point = (
            st.slider(
                "Point of the batch",
                1,
                len(step.points),
                min(st.session_state.get(f"{key}_point", 1), len(step.points)),
                key=f"{key}_point",
                width=260,
            )
            - 1
        )
    draw(_network(steps, i, point, theme=theme), f"{key}_network")


def _choose_weight(steps: Anatomy, key: str) -> int:
    """Draw the choice of a weight, and return its index; at first, the one that moves most."""
    layout = steps.layout
    layers = list(range(len(layout.shapes)))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = st.selectbox(
            "Layer",
            layers,
            format_func=lambda one: "output" if one == layers[-1] and one else f"{one + 1}",
            key=f"{key}_layer",
            width=120,
        )
        above, below = unit_names(steps, layer + 1), [*unit_names(steps, layer), "bias"]
        block = layout.split(np.abs(steps.steps[0].changes["optimizer"]))[layer][:, :-1]
        most = np.unravel_index(block.argmax(), block.shape)
        unit, column = (
            st.selectbox(
                label,
                list(range(len(names))),
                index=int(first),
                format_func=names.__getitem__,
                key=f"{key}_{end}_{layer}",
                width=120,
            )
            for label, end, names, first in (
                ("To unit", "unit", above, most[0]),
                ("From", "column", below, most[1]),
            )
        )
    return index_of(steps, Place(layer, unit, column))


def sums(terms: list[tuple[str, str, str]]) -> str:
    """Return a sum in large digits as HTML: sign, number and name of each term."""
    spans = (
        f"<span><b>{escape(f'{sign} {text}'.strip())}</b><small>{escape(name)}</small></span>"
        for sign, text, name in terms
    )
    return f'<div class="regviz-sum">{"".join(spans)}</div>'


def weight_sums(step: Step, index: int) -> str:
    """Return the sum of a weight's changes as HTML; as written, the numbers add up."""
    n, path = decimals(step, index), rounded_path(step, index)
    changes = dict(zip(PART_NAMES, np.diff(path), strict=True))
    terms = [("", number(path[0], n), "weight before")]
    for name in acting(step, index):
        change = changes[name]
        terms.append(("−" if change < 0 else "+", number(abs(change), n), PART_NAMES[name]))
    exact = step.new[index] == 0
    after = "weight after: exactly 0" if exact else "weight after"
    return sums([*terms, ("=", number(path[-1], n), after)])


def explain(steps: Anatomy, i: int, index: int) -> str:
    """Return how the step of a weight comes about, as Markdown."""
    step, training = steps.steps[i], steps.experiment.training
    (rule,) = steps.experiment.acting(step.epoch)
    rate = steps.experiment.learning_rate(step.epoch)
    g = step.gradient[index]
    lines = [f"The data loss's gradient g is {digits(g)}; the learning rate η is {digits(rate)}."]
    first, second = step.moments[:, index]
    if training.optimizer == "sgd":
        lines.append(f"The gradient step is −η·g = {digits(-rate * g)}.")
    elif training.optimizer == "momentum":
        lines.append(
            f"Momentum adds up past gradients to v = {digits(first)}. The gradient step is"
            f" −η·v = {digits(-rate * first)}."
        )
    else:
        lines.append(
            f"Adam keeps means of g, {digits(first)}, and of g², {digits(second)}. The gradient"
            f" step is {digits(step.changes['optimizer'][index])}."
        )
    if not steps.layout.is_weight[index]:
        return "\n\n".join([*lines, "Biases are not penalised."])
    t = step.step_sizes[index]
    if rule.l1:
        lines.append(
            f"L1's proximal map moves the weight towards 0 by up to t·λ₁ = {digits(t * rule.l1)},"
            " and stops at exactly 0."
        )
    if rule.l2 and not rule.decoupled:
        lines.append(f"L2's map multiplies the weight by {digits(1 / (1 + t * rule.l2))}.")
    if rule.l2 and rule.decoupled:
        lines.append(f"Weight decay multiplies the weight by {digits(1 - rate * rule.l2)} first.")
    if rule.corrected:
        lines.append(
            "Training is that of the naive elastic net; the board shows corrected weights."
        )
    if slope := step.penalty_gradient[index]:
        lines.append(
            f"The penalty's gradient is {digits(slope)}. The step does not use it: the map stands"
            " for it."
        )
    return "\n\n".join(lines)
