"""Lesson 13: a drop rate suits some widths only; L2's strength does not depend on the width.

The claims read two studies on the same points. In `FIXED`, L2 and dropout have one strength at all
widths. In `CHOSEN`, the validation points choose the strength for each width, noise and seed.
"""

import math

import regviz
from regviz.lessons.claim import SEEDS, Result, claim
from regviz.lessons.study_results import Networks

WIDTHS = (2, 4, 8, 16, 32, 64)  # units of the hidden layer
NARROW, WIDE = 4, 64  # the narrowest that can draw the circle, and the widest
NOISE = 0.2  # of the circles in `FIXED`, and on the lesson's boards
NOISY = (0.2, 0.3)  # where networks without regularization overfit
# 100 points for training, 100 for validation, 800 for testing
BASE = regviz.Experiment(
    regviz.DataSpec("circles", 1000, NOISE, train_fraction=0.2, validation_fraction=0.5),
    regviz.NetworkSpec((NARROW,), "relu"),
    regviz.TrainingSpec("momentum", 0.02, 10, 300),
)
LAYERS = [(width,) for width in WIDTHS]
METHODS = ("none", "l2", "dropout")
FIXED = regviz.Study(
    BASE,
    {"network.hidden": LAYERS},
    METHODS,
    {"l2": 0.003, "dropout": 0.3},
    seeds=tuple(SEEDS),
)
CHOSEN = regviz.Study(
    BASE,
    {"data.noise": (0.1, 0.2, 0.3), "network.hidden": LAYERS},
    METHODS,
    {
        "l2": (0.0001, 0.0003, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02),
        "dropout": (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5),
    },
    seeds=tuple(SEEDS),
)
STUDIES = {"fixed": FIXED, "chosen": CHOSEN}


def _fixed(networks: Networks, width: int, name: str = "test_loss") -> dict[str, float]:
    """Return a number of each method's network at a width of `FIXED`."""
    cell = {"network.hidden": (width,)}
    return {method: networks.value(name, method, cell) for method in METHODS}


def _chosen(
    networks: Networks, width: int, noise: float = NOISE, name: str = "test_loss"
) -> dict[str, float]:
    """Return a number of each method's network in a cell of `CHOSEN`."""
    cell = {"data.noise": noise, "network.hidden": (width,)}
    return {method: networks.value(name, method, cell) for method in METHODS}


def _strength(networks: Networks, method: str, width: int) -> float:
    """Return the geometric mean of a method's strengths that were chosen at both noises."""
    strengths = [_chosen(networks, width, noise, "strength")[method] for noise in NOISY]
    return math.prod(strengths) ** (1 / len(strengths))


def _lead(losses: dict[str, float]) -> float:
    return losses["dropout"] - losses["l2"]


@claim(
    "With four units, dropout at a rate of 30 % raises the test loss above that of no"
    " regularization.",
    studies=("fixed",),
)
def dropout_hurts_the_narrow(fixed: Networks) -> Result:
    """Compare networks of four hidden units."""
    losses = _fixed(fixed, NARROW)
    return Result(losses["dropout"] > losses["none"], losses)


@claim(
    "Dropout at a rate of 30 % raises the training loss, with four units by more than with 64.",
    studies=("fixed",),
)
def the_narrow_cannot_fit(fixed: Networks) -> Result:
    """Compare the training losses of both widths."""
    narrow, wide = (_fixed(fixed, width, "train_loss") for width in (NARROW, WIDE))
    rises = [losses["dropout"] - losses["none"] for losses in (narrow, wide)]
    return Result(rises[0] > rises[1] > 0, {"rise_4": rises[0], "rise_64": rises[1]})


@claim(
    "With 64 units, dropout at a rate of 30 % lowers the test loss below that of no"
    " regularization.",
    studies=("fixed",),
)
def dropout_helps_the_wide(fixed: Networks) -> Result:
    """Compare networks of 64 hidden units."""
    losses = _fixed(fixed, WIDE)
    return Result(losses["dropout"] < losses["none"], losses)


@claim(
    "L2 of one strength lowers the test loss with 64 units. With four it lowers it, or raises it by"
    " less than 0.03.",
    studies=("fixed",),
)
def l2_suits_both(fixed: Networks) -> Result:
    """Compare L2 of one strength with no regularization at both widths."""
    narrow, wide = _fixed(fixed, NARROW), _fixed(fixed, WIDE)
    figures = {"narrow": narrow["none"] - narrow["l2"], "wide": wide["none"] - wide["l2"]}
    return Result(figures["wide"] > 0 and figures["narrow"] > -0.03, figures)


@claim(
    "With the same strengths at all widths, L2 beats dropout with four units, and by less with 64.",
    studies=("fixed",),
)
def the_lead_shrinks(fixed: Networks) -> Result:
    """Compare dropout's and L2's test losses at both widths."""
    narrow, wide = _lead(_fixed(fixed, NARROW)), _lead(_fixed(fixed, WIDE))
    return Result(narrow > max(0, wide), {"narrow": narrow, "wide": wide})


@claim(
    "With four units, the drop rate that the validation points choose gives a lower test loss than"
    " 30 %.",
    studies=("fixed", "chosen"),
)
def choosing_helps_the_narrow(fixed: Networks, chosen: Networks) -> Result:
    """Compare dropout at four units in both studies."""
    figures = {"fixed": _fixed(fixed, NARROW)["dropout"]}
    figures |= {"chosen": _chosen(chosen, NARROW)["dropout"]}
    figures |= {"rate": _chosen(chosen, NARROW, name="strength")["dropout"]}
    return Result(figures["chosen"] < figures["fixed"], figures)


@claim("The chosen drop rate is larger with 64 units than with four.", studies=("chosen",))
def the_chosen_rate_grows(chosen: Networks) -> Result:
    """Compare the geometric means of the rates at noise 0.2 and 0.3."""
    rates = {width: _strength(chosen, "dropout", width) for width in (NARROW, WIDE)}
    figures = {f"rate_{width}": rate for width, rate in rates.items()}
    return Result(rates[NARROW] < rates[WIDE], figures)


@claim(
    "From four to 64 units, the chosen drop rate grows by a larger factor than L2's chosen"
    " strength.",
    studies=("chosen",),
)
def l2_keeps_its_strength(chosen: Networks) -> Result:
    """Compare the factors at noise 0.2 and 0.3."""
    figures = {f"l2_{width}": _strength(chosen, "l2", width) for width in (NARROW, WIDE)}
    factors = {
        method: _strength(chosen, method, WIDE) / _strength(chosen, method, NARROW)
        for method in ("l2", "dropout")
    }
    figures |= {f"{method}_factor": factor for method, factor in factors.items()}
    return Result(factors["dropout"] > factors["l2"], figures)


@claim(
    "Where strengths are chosen, L2's lead over dropout shrinks by less from four to 64 units than"
    " where they are the same at all widths.",
    studies=("fixed", "chosen"),
)
def the_lead_depends_on_the_choice(fixed: Networks, chosen: Networks) -> Result:
    """Compare how much the lead shrinks in both studies, at noise 0.2."""
    shrinks = {
        "fixed": _lead(_fixed(fixed, NARROW)) - _lead(_fixed(fixed, WIDE)),
        "chosen": _lead(_chosen(chosen, NARROW)) - _lead(_chosen(chosen, WIDE)),
    }
    return Result(shrinks["chosen"] < shrinks["fixed"], shrinks)


@claim(
    "With chosen strengths, L2 has a lower test loss than dropout on average over widths from 4 to"
    " 64 units and over noise 0.2 and 0.3.",
    studies=("chosen",),
)
def l2_is_ahead(chosen: Networks) -> Result:
    """Compare L2 with dropout in ten cells."""
    leads = [_lead(_chosen(chosen, w, noise)) for w in WIDTHS if w >= NARROW for noise in NOISY]
    lead = sum(leads) / len(leads)
    return Result(lead > 0, {"lead": lead})


@claim(
    "Without regularization, 64 units have a higher test loss than eight, on average over noise 0.2"
    " and 0.3.",
    studies=("chosen",),
)
def the_wide_overfits(chosen: Networks) -> Result:
    """Compare networks without regularization of both widths."""
    figures = {
        f"none_{width}": sum(_chosen(chosen, width, noise)["none"] for noise in NOISY) / len(NOISY)
        for width in (8, WIDE)
    }
    return Result(figures["none_64"] > figures["none_8"], figures)


@claim(
    "At noise 0.1, chosen L2 and chosen dropout with 64 units change the test loss by less than"
    " 0.01.",
    studies=("chosen",),
)
def little_noise_needs_neither(chosen: Networks) -> Result:
    """Compare both methods with no regularization where there is little noise to learn."""
    losses = _chosen(chosen, WIDE, 0.1)
    changes = {method: losses[method] - losses["none"] for method in ("l2", "dropout")}
    return Result(max(map(abs, changes.values())) < 0.01, changes | {"none": losses["none"]})


@claim(
    "L2's chosen strength is larger at noise 0.3 than at noise 0.1, on geometric average over"
    " widths from 4 to 64 units.",
    studies=("chosen",),
)
def noise_sets_l2s_strength(chosen: Networks) -> Result:
    """Compare L2's strengths at two noises."""
    means = {}
    for noise in (0.1, 0.3):
        widths = [width for width in WIDTHS if width >= NARROW]
        strengths = [_chosen(chosen, width, noise, "strength")["l2"] for width in widths]
        means[f"strength_{10 * noise:.0f}"] = math.prod(strengths) ** (1 / len(strengths))
    return Result(means["strength_3"] > means["strength_1"], means)
