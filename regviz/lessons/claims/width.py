"""Lesson 13: dropout needs a wide network; L2 does not care."""

import regviz
from regviz.lessons.claim import Result, claim

WIDTHS = (4, 8, 16, 32)  # units of the hidden layer
NARROW, WIDE = WIDTHS[0], WIDTHS[-1]
ROWS = {
    "none": regviz.Regularization(),
    "l2": regviz.Regularization(l2=0.003),
    "dropout": regviz.Regularization(drop_rate=0.3),
}


def _losses(seed: int, width: int, split: str = "test") -> dict[str, float]:
    """Train ReLU networks on 100 points of circles, with 900 test points."""
    history = regviz.train(
        regviz.Experiment(
            regviz.DataSpec(
                "circles", 1000, 0.2, train_fraction=0.1, validation_fraction=0, seed=seed
            ),
            regviz.NetworkSpec((width,), "relu"),
            regviz.TrainingSpec("momentum", 0.02, 10, 300, frames=1, seed=seed),
            tuple(ROWS.values()),
        )
    )
    losses = history.metrics[f"{split}_loss"][-1]
    return {name: float(loss) for name, loss in zip(ROWS, losses, strict=True)}


@claim("In a narrow network, dropout raises the test loss above that of no regularization.")
def dropout_hurts_the_narrow(seed: int) -> Result:
    """Train networks of four hidden units."""
    losses = _losses(seed, NARROW)
    return Result(losses["dropout"] > losses["none"], losses)


@claim("Dropout raises the training loss, and in a narrow network by more than in a wide one.")
def the_narrow_cannot_fit(seed: int) -> Result:
    """Compare the training losses of networks of four and of 32 hidden units."""
    narrow, wide = (_losses(seed, width, "train") for width in (NARROW, WIDE))
    rises = [losses["dropout"] - losses["none"] for losses in (narrow, wide)]
    return Result(rises[0] > rises[1] > 0, {"rise_4": rises[0], "rise_32": rises[1]})


@claim("In a wide network, dropout lowers the test loss below that of no regularization.")
def dropout_helps_the_wide(seed: int) -> Result:
    """Train networks of 32 hidden units."""
    losses = _losses(seed, WIDE)
    return Result(losses["dropout"] < losses["none"], losses)


@claim("L2 lowers the test loss in the narrow network and in the wide one.")
def l2_helps_both(seed: int) -> Result:
    """Compare L2 of one strength with no regularization at both widths."""
    narrow, wide = _losses(seed, NARROW), _losses(seed, WIDE)
    figures = {"narrow": narrow["none"] - narrow["l2"], "wide": wide["none"] - wide["l2"]}
    return Result(min(figures.values()) > 0, figures)


@claim("L2 beats dropout in the narrow network, and by less in the wide one.")
def the_lead_shrinks(seed: int) -> Result:
    """Compare dropout's and L2's test losses at four widths."""
    losses = {width: _losses(seed, width) for width in WIDTHS}
    lead = {width: losses[width]["dropout"] - losses[width]["l2"] for width in WIDTHS}
    figures = {f"{name}_{width}": losses[width][name] for width in WIDTHS for name in ROWS}
    figures |= {f"lead_{width}": lead[width] for width in WIDTHS}
    return Result(lead[NARROW] > max(0, lead[WIDE]), figures)
