"""The claims of *Try this*: sentences about regularization, each with a scene that shows it.

``tests/scenes/test_claims.py`` trains each scene under ten seeds, and tests the claim's text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from regviz.scenes.scene import Scene
from regviz.scenes.showcase import SHOWCASE
from regviz.scenes.strength_grid import StrengthGrid
from regviz.spec.experiment import FEATURES, DataSpec, NetworkSpec, Phase, TrainingSpec

PARAMETER = "try"  # of a link that opens a claim


@dataclass(frozen=True)
class Claim:
    """A sentence about regularization, and a scene that shows it.

    Attributes
    ----------
    key : str
        Name in links.
    title : str
        The sentence.
    watch : str
        One or two sentences on what to watch on the board.
    scene : Scene
        Its view is that of the claim. Without an epoch, the board plays the run to its end.
    """

    key: str
    title: str
    watch: str
    scene: Scene

    def networks(self, grid: StrengthGrid) -> list[int]:
        """Return the network of each method, in the order of ``grid.methods``."""
        return self.scene.rows(grid)

    def is_shown(
        self,
        grid: StrengthGrid,
        strength_indices: Mapping[str, int],
        variant_indices: Mapping[str, int],
    ) -> bool:
        """Return whether a grid is the scene's, and all networks are those of the scene."""
        if grid != self.scene.grid():
            return False
        return grid.rows(strength_indices, variant_indices) == self.networks(grid)


_DATA: DataSpec = SHOWCASE.data  # type: ignore[assignment] # a toy dataset
_NETWORK, _TRAINING = SHOWCASE.network, SHOWCASE.training
# 1,539 weights; the network of the opening page has 152
_LARGE = NetworkSpec(hidden=(27, 27, 27), activation="tanh")
_LINEAR_TRAINING = TrainingSpec(
    "momentum", learning_rate=0.03, batch_size=10, epochs=300, seed=_TRAINING.seed
)

CLAIMS = (
    Claim(
        "early_stopping",
        "Stop training while it is good",
        "None's test loss falls, then rises until the end. Early stopping keeps an early epoch of"
        " the same network, with a clearly lower test loss.",
        Scene(_DATA, _NETWORK, _TRAINING, ("none",), focus="early_stopping"),
    ),
    Claim(
        "l2",
        "L2 shrinks every weight",
        "L2's histogram becomes narrow, without one exact zero; L1 sets weights to exactly 0. Both"
        " have a lower test loss than None.",
        Scene(_DATA, _NETWORK, _TRAINING, ("none", "l1", "l2"), early_stopping=False, focus="l2"),
    ),
    Claim(
        "l1_inputs",
        "L1 picks the inputs that matter",
        "Only x₁² and x₂² matter here. In the network below, L1 keeps these two, and the other"
        " five weights are exactly 0. L2 keeps all.",
        Scene(
            replace(_DATA, noise=0.1, train_fraction=0.4),
            NetworkSpec(hidden=(), activation="tanh", features=FEATURES),
            _LINEAR_TRAINING,
            ("l1", "l2"),
            early_stopping=False,
            focus="l1",
            strengths=(("l1", 0.1), ("l2", 0.1)),
        ),
    ),
    Claim(
        "l1_late",
        "Let it learn first, then switch L1 on",
        "Until epoch 500 both networks are the same. Then L1 sets over half of its weights to 0,"
        " and its test loss falls again.",
        Scene(
            _DATA,
            _NETWORK,
            _TRAINING,
            ("none", "l1"),
            early_stopping=False,
            phases=(Phase(500),),
            focus="l1",
            strengths=(("l1", 0.01),),
        ),
    ),
    Claim(
        "elastic_net",
        "Elastic net keeps twins together",
        "x₁ and sin x₁ say nearly the same, as do x₂ and sin x₂. In the network below, elastic"
        " net keeps all four, with similar weights; L1 keeps one of each pair.",
        Scene(
            replace(_DATA, name="blobs", noise=0.3),
            NetworkSpec(hidden=(), activation="tanh", features=("x1", "x2", "sin(x1)", "sin(x2)")),
            _LINEAR_TRAINING,
            ("l1", "elastic_net"),
            early_stopping=False,
            focus="elastic_net",
            strengths=(("l1", 0.05), ("elastic_net", 0.05)),
        ),
    ),
    Claim(
        "large",
        "Ten times the weights",
        "1,539 weights for sixty points. L1 sets more than four in five to exactly 0, and has a"
        " clearly lower test loss than None.",
        Scene(
            _DATA,
            _LARGE,
            replace(_TRAINING, epochs=600),
            ("none", "l1"),
            early_stopping=False,
            focus="l1",
            strengths=(("l1", 0.003),),
        ),
    ),
    Claim(
        "dropout",
        "Dropout trains worse, tests better",
        "Three units in ten are dropped at random in each step. Dropout's training loss stays"
        " above None's, and its test loss clearly below.",
        Scene(
            _DATA,
            _LARGE,
            replace(_TRAINING, epochs=600),
            ("none", "dropout"),
            early_stopping=False,
            focus="dropout",
            strengths=(("dropout", 0.3),),
        ),
    ),
    Claim(
        "max_norm",
        "Max-norm caps every unit",
        "Under max-norm no hidden unit's incoming weights are longer than 1, while None's grow."
        " Its test loss is clearly lower; its accuracy need not be higher.",
        Scene(
            _DATA,
            _NETWORK,
            replace(_TRAINING, learning_rate=0.05, epochs=400),
            ("none", "max_norm"),
            early_stopping=False,
            focus="max_norm",
            strengths=(("max_norm", 1.0),),
        ),
    ),
)


def find_claim(key: object) -> Claim | None:
    """Return the claim with a key, or None if there is none."""
    return next((claim for claim in CLAIMS if claim.key == key), None)
