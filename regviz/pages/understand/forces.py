"""The view "Forces": the effect of penalties on one weight and on two, without a network.

Each part is a fragment, so that a slider redraws only its own part.
"""

import math
from collections.abc import Sequence

import streamlit as st

from regviz import figures
from regviz.analysis.penalties import LeastSquares, steps_to_zero, values_after_steps
from regviz.figures.race import size, steps_of
from regviz.methods.labels import digits
from regviz.methods.palette import Theme
from regviz.pages.components import draw
from regviz.pages.snapshot import BoardSnapshot
from regviz.spec.experiment import Regularization

SERIES = tuple(float(f"{digit}e{power}") for power in range(-5, 2) for digit in (1, 2, 3, 5))
STRENGTHS = SERIES[: SERIES.index(50.0)]
STEPS = SERIES[SERIES.index(0.001) : SERIES.index(20.0)]
MAX_STEPS = 1_000_000  # bound on the steps of the race

SliderValues = dict[str, float]


def show(snapshot: BoardSnapshot) -> None:
    """Draw the view."""
    _sums()
    _one_weight(snapshot.theme, _board_values(snapshot))
    _two_weights(snapshot.theme)


def _board_values(snapshot: BoardSnapshot) -> SliderValues:
    """Return the board's strengths and step size by slider key, rounded to the sliders' options."""
    values = {}
    for method in ("l1", "l2"):
        if method in snapshot.grid.methods:
            row = snapshot.grid.experiment.regularizations[snapshot.network(method)]
            values[f"forces_{method}"] = _nearest(row.l1 + row.l2, STRENGTHS)
    training = snapshot.grid.experiment.training
    momentum = training.momentum if training.optimizer == "momentum" else 0.0
    step = _nearest(training.learning_rate / (1 - momentum), STEPS)
    return values | {"forces_step": step, "forces_race_step": step}


def _nearest(value: float, options: Sequence[float]) -> float:
    """Return the option with the ratio to ``value`` nearest 1."""
    return min(options, key=lambda option: abs(math.log(option / max(value, 1e-300))))


@st.fragment
def _sums() -> None:
    _heading("L1 adds up sizes; L2 adds up squares.")
    left, right, words = st.columns([1, 1, 3], vertical_alignment="top")
    first, second = (
        column.number_input(f"Weight {name}", -100.0, 100.0, value, 0.5, "%g", f"forces_sum_{name}")
        for column, name, value in ((left, "w₁", -1.0), (right, "w₂", -2.5))
    )
    words.markdown(worked_example(first, second))


def worked_example(first: float, second: float) -> str:
    """Return the calculation of both penalties of two weights, as Markdown."""
    sizes, squares = abs(first) + abs(second), first**2 + second**2
    one, two = (f"({digits(w)})" if w < 0 else digits(w) for w in (first, second))
    lines = [
        f"**L1**: Σ|w| = |{digits(first)}| + |{digits(second)}| = **{_text(sizes)}**",
        f"**L2**: Σw² = {one}² + {two}² = **{_text(squares)}**",
        f"Some books write ½Σw², here {_text(squares / 2)}. RegViz adds λ₁·Σ|w| + (λ₂/2)·Σw² to the"
        " loss, so that L2's gradient is λ₂w.",
    ]
    large = max(abs(first), abs(second))
    if squares:
        lines.append(
            f"The larger weight has {100 * large / sizes:.0f}\u00a0% of the sum of sizes, and"
            f" {100 * large**2 / squares:.0f}\u00a0% of the sum of squares."
        )
    return "\n\n".join(lines)


@st.fragment
def _one_weight(theme: Theme, board: SliderValues) -> None:
    _heading("L1 pulls with the same force everywhere; L2's pull fades near 0.")
    rows = _strengths(board)
    panels, below = st.columns(3), st.columns(3)
    below[0].markdown(pulls(rows))
    with below[1]:
        step = _log_slider(
            "Step size of the proximal map",
            0.5,
            STEPS,
            "forces_step",
            "The learning rate η; with momentum μ, η/(1 − μ). Each training step ends with this"
            " map.",
        )
    bound = below[2].slider(
        "Max-norm's bound c",
        0.1,
        1.5,
        1.0,
        0.1,
        key="forces_bound",
        persist_state="page",
        help="Max-norm bounds the length of a unit's incoming weights. With one weight that is"
        " |w| ≤ c.",
    )
    maps = figures.proximal_maps([*rows, Regularization(max_norm=bound)], step, theme=theme)
    for panel, figure, key in (
        (panels[0], figures.penalty_curves(rows, theme=theme), "forces_penalty"),
        (panels[1], figures.penalty_gradients(rows, theme=theme), "forces_gradient"),
        (panels[2], maps, "forces_proximal"),
    ):
        with panel:
            draw(figure, key)
    _race(theme, rows)


def _strengths(board: SliderValues) -> list[Regularization]:
    """Draw the controls of the strengths, and return rows for L1, L2 and elastic net."""
    first, second, third, last = st.columns(4, vertical_alignment="bottom")
    with first:
        l1 = _log_slider("Strength of L1, λ₁", 1.0, STRENGTHS, "forces_l1")
    with second:
        l2 = _log_slider("Strength of L2, λ₂", 1.0, STRENGTHS, "forces_l2")
    share = third.slider(
        "Elastic net's L1 ratio",
        0.1,
        0.9,
        0.5,
        0.1,
        key="forces_share",
        persist_state="page",
        help="Elastic net here has this share of λ₁, and the rest of λ₂.",
    )
    # under fixed keys, without `renew`: each scene that is opened renews all controls of
    # `control_keys`, and these sliders keep their values then. Values that do not reach the browser
    # leave the sliders as they were, and the visitor presses the button again
    last.button(
        "Take the board's",
        key="forces_board",
        width="stretch",
        help="The strengths of L1 and L2 on the board, and its step size. They act over thousands"
        " of steps there, so that one step does little.",
        on_click=st.session_state.update,
        args=(board,),
    )
    return [
        Regularization(l1=l1),
        Regularization(l2=l2),
        Regularization(l1=share * l1, l2=(1 - share) * l2),
    ]


def pulls(rows: Sequence[Regularization]) -> str:
    """Return sentences that compare the gradients of L1 and L2 at weights of 1 and 0.01."""
    l1, l2 = rows[0].l1, rows[1].l2
    return (
        f"L1 pulls a weight of 1 and a weight of 0.01 with the same {digits(l1)}. L2 pulls them"
        f" with {digits(l2)} and {digits(0.01 * l2)}. L1's proximal map sets every weight within"
        " step size × λ₁ of 0 to exactly 0."
    )


@st.fragment
def _race(theme: Theme, rows: Sequence[Regularization]) -> None:
    _heading("L1 takes a weight to exactly 0; L2 never does.")
    chart, side = st.columns([3, 1])
    with side:
        start = st.slider(
            "Weight at the start, w₀", 0.1, 3.0, 1.2, 0.1, key="forces_start", persist_state="page"
        )
        step = _log_slider("Step size of the race", 0.05, STEPS, "forces_race_step")
        scale = st.segmented_control(
            "Axis of the weight",
            ["Linear", "Log"],
            default="Linear",
            key="forces_scale",
            required=True,
            persist_state="page",
        )
        n_steps = horizon(rows, start, step)
        st.markdown(outcome(rows, start, step, n_steps))
        st.caption("On the log axis L2 is a straight line, and L1 plunges.")
    with chart:
        figure = figures.weight_race(rows, start, step, n_steps, log=scale == "Log", theme=theme)
        draw(figure, "forces_race")


def horizon(rows: Sequence[Regularization], start: float, step: float) -> int:
    """Return a number of steps in which the slowest row that reaches 0 does so.

    Returns
    -------
    int
        1, 2 or 5 times a power of ten, from 20 to `MAX_STEPS`.
    """
    arrivals = [n for row in rows if (n := steps_to_zero(start, row, step)) is not None]
    needed = min(max(20, 1.4 * max(arrivals, default=20)), MAX_STEPS)
    decade = 10 ** math.floor(math.log10(needed))
    return int(decade * next(digit for digit in (1, 2, 5, 10) if digit * decade >= needed))


def outcome(rows: Sequence[Regularization], start: float, step: float, n_steps: int) -> str:
    """Return a sentence each for the step at which L1, elastic net and L2 reach 0, as Markdown."""
    l1, l2, net = rows
    left = values_after_steps(start, l2, step, [n_steps])[0]
    sentences = [
        f"**{name}** reaches 0 after {steps_of(n)}."
        for name, row in (("L1", l1), ("Elastic net", net))
        if (n := steps_to_zero(start, row, step)) is not None
    ]
    return " ".join(sentences) + f" **L2** never: after {steps_of(n_steps)} it is {size(left)}."


@st.fragment
def _two_weights(theme: Theme) -> None:
    _heading("The diamond has its corners on the axes, where weights are 0; the circle has none.")
    st.markdown(
        "Lines of equal loss around its optimum ✕, and filled all weights with no more penalty than"
        " the solution ●. Dotted: the solution's way as the strength grows. For the group lasso,"
        " both weights are one group, and reach 0 at once."
    )
    columns = st.columns(5, vertical_alignment="bottom")
    with columns[0]:
        strength = _log_slider("Strength λ", 0.5, STRENGTHS, "forces_pair_strength")
    sliders = (
        ("Elastic net's L1 ratio", 0.1, 0.9, 0.5, "forces_pair_ratio"),
        ("Optimum of w₁", -2.0, 2.0, 1.0, "forces_pair_1"),
        ("Optimum of w₂", -2.0, 2.0, 0.4, "forces_pair_2"),
        ("Correlation of the features", -0.9, 0.9, 0.0, "forces_pair_correlation"),
    )
    ratio, w1, w2, correlation = (
        column.slider(text, low, high, value, 0.1, key=key, persist_state="page")
        for column, (text, low, high, value, key) in zip(columns[1:], sliders, strict=True)
    )
    problem = LeastSquares((w1, w2), correlation)
    net = Regularization.elastic_net(strength, ratio)
    rows = {
        "l1": Regularization(l1=strength),
        "elastic_net": net,
        "l2": Regularization(l2=strength),
        "group_lasso": Regularization(group_lasso=strength),
    }
    for column, (key, row) in zip(st.columns(4), rows.items(), strict=True):
        with column:
            draw(figures.loss_and_penalty(problem, row, theme=theme), f"forces_pair_{key}")
            st.markdown(balance(problem, row))


def balance(problem: LeastSquares, row: Regularization) -> str:
    """Return a sentence that explains by the optimality condition which weights are 0."""
    best = problem.minimum(row)
    loss_pulls = [digits(abs(g)) for g in problem.gradient(best)]
    zeros = [j for j in range(2) if best[j] == 0]
    if row.group_lasso:
        bound = f"√2·λg = {digits(math.sqrt(2) * row.group_lasso)}"
        if len(zeros) == 2:
            pull = digits(math.hypot(*problem.gradient(best)))
            return (
                f"Both weights are exactly 0: there the loss pulls the pair with {pull}, no more"
                f" than {bound}."
            )
        return f"No weight is 0: at 0 the loss would pull the pair harder than {bound}."
    if zeros and not row.l1:
        return "The optimum itself has a weight of 0."
    if len(zeros) == 2:
        return (
            f"Both weights are exactly 0: there the loss pulls them with {loss_pulls[0]} and"
            f" {loss_pulls[1]}, no more than λ₁ = {digits(row.l1)}."
        )
    if zeros:
        return (
            f"**w{'₁₂'[zeros[0]]} is exactly 0**: there the loss pulls it with"
            f" {loss_pulls[zeros[0]]}, no more than λ₁ = {digits(row.l1)}."
        )
    if row.l1:
        return f"No weight is 0: at 0 the loss would pull it harder than λ₁ = {digits(row.l1)}."
    return "No weight is 0: there L2 does not pull, so any pull of the loss moves it away."


def _heading(text: str) -> None:
    st.markdown(f"### {text}")


def _log_slider(
    label: str, start: float, options: Sequence[float], key: str, about: str | None = None
) -> float:
    """Draw a slider over round numbers of a geometric scale.

    Its default is its current value, for the reason given in `control_options`.
    """
    value = st.session_state.setdefault(key, start)
    return float(
        st.select_slider(
            label, options, value, format_func=digits, key=key, help=about, persist_state="page"
        )
    )


def _text(value: float) -> str:
    """Format a number with up to ten significant digits, and a typographic minus."""
    return f"{value:.10g}".replace("-", "−")
