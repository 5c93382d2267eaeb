"""A method beyond the built-in ones, as `docs/howto/extending.md` adds it."""

from functools import partial

import regviz
from regviz.methods.strengths import penalty_strengths

MOSTLY_L1 = regviz.Method(
    key="mostly_l1",
    label="Mostly L1",
    symbol="λ",
    about="Nine parts L1 and one part squared L2.",
    colour={"light": "#300028", "dark": "#a84800"},
    at=lambda strength: regviz.Regularization.elastic_net(strength, l1_ratio=0.9),
    strength=lambda r: r.l1 + r.l2,
    strengths=partial(penalty_strengths, l1_ratio=0.9),
)
