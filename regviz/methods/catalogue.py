"""The catalogue of regularizers that are compared."""

import math
from dataclasses import dataclass

from regviz.spec.experiment import Regularization
from regviz.spec.validation import invalid


@dataclass(frozen=True)
class Method:
    """A regularizer of the catalogue.

    Attributes
    ----------
    key : str
        ``"none"``, ``"l1"``, ``"l2"``, ``"elastic_net"``, ``"dropout"`` or ``"max_norm"``.
    label, symbol : str
        Its name, and the symbol of its strength.
    about : str
        What it does, in a sentence or two.

    See Also
    --------
    regviz.methods.strengths : Which strengths are worth a look.
    """

    key: str
    label: str
    symbol: str
    about: str

    def at(self, strength: float) -> Regularization:
        """The regularization of this method at a strength.

        Elastic net is taken with an ``l1_ratio`` of 0.5, and max-norm together with dropout at a
        rate of 0.1, as where it was introduced (Srivastava et al. 2014).

        Raises
        ------
        ValueError
            If there is no method of this key, or the strength is out of range.
        """
        match self.key:
            case "l1":
                return Regularization(l1=strength)
            case "l2":
                return Regularization(l2=strength)
            case "elastic_net":
                return Regularization.elastic_net(strength, l1_ratio=0.5)
            case "dropout":
                return Regularization(drop_rate=strength)
            case "max_norm":
                return Regularization(max_norm=strength, drop_rate=0.1)
            case "none":
                return Regularization()
            case _:
                raise self._unknown()

    def strength(self, regularization: Regularization) -> float:
        """How strong a regularization of this method is: `at` the other way round.

        Where it does not act that is 0, and for max-norm an infinite radius.
        """
        r = regularization
        match self.key:
            case "l1":
                return r.l1
            case "l2":
                return r.l2
            case "elastic_net":
                return r.l1 + r.l2
            case "dropout":
                return r.drop_rate
            case "max_norm":
                return math.inf if r.max_norm is None else r.max_norm
            case "none":
                return 0.0
            case _:
                raise self._unknown()

    def _unknown(self) -> ValueError:
        return invalid("key", "one of " + ", ".join(map(repr, METHODS)), self.key)


METHODS: dict[str, Method] = {
    method.key: method
    for method in (
        Method(
            "none",
            "None",
            "",
            "No regularization: the baseline that the others are compared with.",
        ),
        Method(
            "l1",
            "L1",
            "λ₁",
            "Adds λ₁·Σ|w| to the loss. Its pull is the same for every weight, so it takes small"
            " weights all the way to exactly 0.",
        ),
        Method(
            "l2",
            "L2",
            "λ₂",
            "Adds (λ₂/2)·Σw² to the loss. Its pull is proportional to the weight, so it makes all"
            " weights smaller, and none exactly 0.",
        ),
        Method(
            "elastic_net",
            "Elastic net",
            "λ",
            "Half L1, half L2: adds (λ/2)·Σ|w| + (λ/4)·Σw² to the loss, for exact zeros and small"
            " weights at once.",
        ),
        Method(
            "dropout",
            "Dropout",
            "p",
            "In every training step each hidden activation h becomes h·m / (1 − p), where m is 0"
            " with probability p and else 1, so that the network cannot rely on any one unit. Off"
            " when the boundary is drawn.",
        ),
        Method(
            "max_norm",
            "Max-norm",
            "c",
            "After every step, each hidden unit's incoming weights w become w·min(1, c / ‖w‖₂), so"
            " that their length is at most c. Used together with a little dropout (p = 0.1).",
        ),
    )
}
