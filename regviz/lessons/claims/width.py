"""Lesson 13: dropout needs a wide network; L2 does not care."""

import regviz
from regviz.lessons.claim import Result, claim

WIDTHS = (2, 4, 8, 16, 32, 64)  # units of the hidden layer
NARROW, WIDE = 4, 64  # the narrowest that can draw the circle, and the widest
ROWS = {
    "none": regviz.Regularization(),
    "l2": regviz.Regularization(l2=0.003),
    "dropout": regviz.Regularization(drop_rate=0.3),
}
DROP_RATES = (0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5)


def _losses(
    seed: int, width: int, rows: dict[str, regviz.Regularization] = ROWS, split: str = "test"
) -> dict[str, float]:
    """Train ReLU networks on 100 points of circles, with 900 test points."""
    history = regviz.train(
        regviz.Experiment(
            regviz.DataSpec(
                "circles", 1000, 0.2, train_fraction=0.1, validation_fraction=0, seed=seed
            ),
            regviz.NetworkSpec((width,), "relu"),
            regviz.TrainingSpec("momentum", 0.02, 10, 300, frames=1, seed=seed),
            tuple(rows.values()),
        )
    )
    losses = history.metrics[f"{split}_loss"][-1]
    return {name: float(loss) for name, loss in zip(rows, losses, strict=True)}


def _best_rate(seed: int, width: int) -> tuple[float, float]:
    """Return the drop rate of the lowest test loss among `DROP_RATES`, and this loss."""
    rows = {str(rate): regviz.Regularization(drop_rate=rate) for rate in DROP_RATES}
    rate, loss = min(_losses(seed, width, rows).items(), key=lambda item: item[1])
    return float(rate), loss


@claim("In a narrow network, dropout raises the test loss above that of no regularization.")
def dropout_hurts_the_narrow(seed: int) -> Result:
    """Train networks of four hidden units."""
    losses = _losses(seed, NARROW)
    return Result(losses["dropout"] > losses["none"], losses)


@claim("Dropout raises the training loss, and in a narrow network by more than in a wide one.")
def the_narrow_cannot_fit(seed: int) -> Result:
    """Compare the training losses of networks of four and of 64 hidden units."""
    narrow, wide = (_losses(seed, width, split="train") for width in (NARROW, WIDE))
    rises = [losses["dropout"] - losses["none"] for losses in (narrow, wide)]
    return Result(rises[0] > rises[1] > 0, {"rise_4": rises[0], "rise_64": rises[1]})


@claim("In a wide network, dropout lowers the test loss below that of no regularization.")
def dropout_helps_the_wide(seed: int) -> Result:
    """Train networks of 64 hidden units."""
    losses = _losses(seed, WIDE)
    return Result(losses["dropout"] < losses["none"], losses)


@claim(
    "L2 lowers the test loss in the wide network. In the narrow one it lowers it, or raises it by"
    " less than 0.03."
)
def l2_suits_both(seed: int) -> Result:
    """Compare L2 of one strength with no regularization at both widths."""
    narrow, wide = _losses(seed, NARROW), _losses(seed, WIDE)
    figures = {"narrow": narrow["none"] - narrow["l2"], "wide": wide["none"] - wide["l2"]}
    return Result(figures["wide"] > 0 and figures["narrow"] > -0.03, figures)


@claim("L2 beats dropout in the narrow network, and by less in the wide one.")
def the_lead_shrinks(seed: int) -> Result:
    """Compare dropout's and L2's test losses at the narrow and the wide width."""
    lead = {}
    for name, width in (("narrow", NARROW), ("wide", WIDE)):
        losses = _losses(seed, width)
        lead[name] = losses["dropout"] - losses["l2"]
    return Result(lead["narrow"] > max(0, lead["wide"]), lead)


@claim("On average over widths from 4 to 64 units, L2 has a lower test loss than dropout.")
def l2_is_ahead(seed: int) -> Result:
    """Compare L2 with dropout at a drop rate of 0.3, and at the best rate for this seed."""
    figures: dict[str, float] = {}
    for width in WIDTHS:
        losses = _losses(seed, width)
        figures |= {f"{name}_{width}": loss for name, loss in losses.items()}
        figures[f"difference_{width}"] = losses["l2"] - losses["dropout"]
        figures[f"best_difference_{width}"] = losses["l2"] - _best_rate(seed, width)[1]
    return Result(sum(figures[f"difference_{w}"] for w in WIDTHS if w >= NARROW) < 0, figures)


@claim("The best drop rate of a wide network is larger than that of a narrow one.")
def the_best_rate_grows(seed: int) -> Result:
    """Find the drop rate of the lowest test loss at each width."""
    rates = {width: _best_rate(seed, width)[0] for width in WIDTHS}
    return Result(rates[NARROW] < rates[WIDE], {f"rate_{w}": rate for w, rate in rates.items()})
