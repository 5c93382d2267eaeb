"""A decision tree that recommends a regularizer from the answers to a few questions.

These are rules of thumb. Without validation points, the recommendation depends on the user's
knowledge of the data. With them, it depends on validation losses: elastic net is compared with the
baseline, and then with L1 if it wins, or else the baseline with L2.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from regviz.spec.validation import choice

MAX_QUESTIONS = 4


@dataclass(frozen=True)
class Question:
    """A question with its possible answers.

    Attributes
    ----------
    key : str
        Key in `QUESTIONS`.
    text : str
        The question.
    about : str
        Help for answering it.
    answers : tuple of (str, str)
        Key and text of each answer.
    """

    key: str
    text: str
    about: str
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Duel:
    """A comparison of two methods by validation loss.

    Attributes
    ----------
    methods : (str, str)
        Keys of `regviz.methods.catalogue.METHODS`, the simpler first, which wins a tie.
    losses : (float, float)
        Validation losses; infinite for a diverged network.
    """

    methods: tuple[str, str]
    losses: tuple[float, float]

    @property
    def winner(self) -> str:
        """Key of the method with the lower loss."""
        return self.methods[self.losses[1] < self.losses[0]]


@dataclass(frozen=True)
class Advice:
    """A recommendation of a method.

    Attributes
    ----------
    method : str
        A key of `regviz.methods.catalogue.METHODS`.
    reason, then, source : str
        Reason of the recommendation, next step, and reference.
    duels : tuple of Duel
        The comparisons that determined it, in their order; empty if only answers did.
    """

    method: str
    reason: str
    then: str
    source: str
    duels: tuple[Duel, ...] = ()


QUESTIONS: dict[str, Question] = {
    question.key: question
    for question in (
        Question(
            "data",
            "What do you know about your features?",
            "Look at their pairwise correlations, and at how many of them should matter.",
            (
                ("dense", "Many are correlated, or most of them matter a little"),
                ("few", "They are hardly correlated, and only few of them matter"),
                ("clean", "They are few, already selected and on one scale"),
                ("unsure", "I am not sure"),
            ),
        ),
        Question(
            "validate",
            "Can you compare networks on validation points?",
            "Validation points are held out from training, and are not the test points.",
            (("yes", "Yes"), ("no", "No")),
        ),
        Question(
            "compute",
            "Can you train dozens of networks?",
            "Elastic net has two strengths to search, L1 and L2 have one: twelve values each are"
            " 144 runs or 12.",
            (("plenty", "Yes"), ("little", "No, only a few")),
        ),
        Question(
            "outcome",
            "Fit the baseline and elastic net. Which has the lower validation loss?",
            "Compare them at the best strength you have found, with the same initial weights.",
            (("net", "Elastic net"), ("baseline", "The baseline, or they are level")),
        ),
    )
}

_RIDGE = "Tibshirani 1996: many small effects favour ridge regression, which is L2"
_LASSO = "Tibshirani 1996: few effects of moderate size favour the lasso, which is L1"
_NET = "Zou & Hastie 2005: elastic net selects as L1 does, and keeps correlated features together"
_DECAY = "Krogh & Hertz 1991: weight decay suppresses what the data do not determine"
_RULE = "A rule of thumb: a regularizer must beat the baseline to be kept"

# by the answer to "data", without validation points or for few runs
_BY_DATA: dict[str, Advice] = {
    "dense": Advice(
        "l2",
        "L2 shrinks all weights and shares them among correlated features. L1 would keep one of a"
        " correlated group, by chance.",
        "Try elastic net if some features might not matter.",
        _RIDGE,
    ),
    "few": Advice(
        "l1",
        "L1 sets the weights of features that do not matter to exactly 0.",
        "Try elastic net if some of the features turn out to be correlated.",
        _LASSO,
    ),
    "clean": Advice(
        "none",
        "Little is left to select, and features on one scale need no evening out. Perhaps no"
        " regularization is needed.",
        "Watch the gap between test and training loss. If it grows, try a weak L2.",
        _RULE,
    ),
    "unsure": Advice(
        "elastic_net",
        "Elastic net holds L1 and L2 at once, so it is wrong for neither kind of data. At equal"
        " shares only one strength is left to choose.",
        "Try L1 if it sets most weights to 0, and L2 if it sets hardly any.",
        _NET,
    ),
}
_UNTUNED = " Without validation points no strength can be tuned: start with a weak one."
_TUNED = " Let the validation loss choose its strength."

# by whether elastic net beats the baseline, before the second comparison
_BY_NET: dict[bool, Advice] = {
    True: Advice(
        "elastic_net",
        "Elastic net beats the baseline, so regularization helps here.",
        "Fit L1 alone and keep the better of the two. If that is elastic net, search L1's share"
        " too.",
        _NET,
    ),
    False: Advice(
        "l2",
        "Elastic net does not beat the baseline. L2 might, as it sets no weight to 0.",
        "If L2 does not beat the baseline either, use no regularization.",
        _DECAY,
    ),
}

# by whether elastic net beats the baseline, and the winner of the second comparison
_MEASURED: dict[tuple[bool, str], Advice] = {
    (True, "l1"): Advice(
        "l1",
        "Elastic net beats the baseline, and L1 alone is no worse, with one strength instead of"
        " two.",
        "Look at L1's neighbouring strengths, and compare over several seeds.",
        _LASSO,
    ),
    (True, "elastic_net"): Advice(
        "elastic_net",
        "Elastic net beats the baseline, and it beats L1 alone.",
        "Search its strength at each mix: the second slider on its card.",
        _NET,
    ),
    (False, "l2"): Advice(
        "l2",
        "Elastic net does not beat the baseline, and L2 does: here it helps to shrink weights, but"
        " not to set them to 0.",
        "Look at L2's neighbouring strengths, and compare over several seeds.",
        _DECAY,
    ),
    (False, "none"): Advice(
        "none",
        "Neither elastic net nor L2 beats the baseline.",
        "Compare over several seeds before you do without.",
        _RULE,
    ),
}


def consult(
    answers: Mapping[str, str], losses: Mapping[str, float] | None = None
) -> Question | Advice:
    """Return the next question after the answers so far, or the advice.

    Parameters
    ----------
    answers : mapping of str to str
        Key of the answer by key of the question. Answers to questions on other branches of the
        decision tree are ignored.
    losses : mapping of str to float, optional
        Validation losses of trained methods by key; infinite or NaN if a network diverged. If
        ``"none"`` and ``"elastic_net"`` are among them, they replace the answer to ``"outcome"``.

    Returns
    -------
    Question or Advice
        An advice after at most `MAX_QUESTIONS` answers.

    Raises
    ------
    ValueError
        If a question or an answer is unknown.
    """
    for key, answer in answers.items():
        question = QUESTIONS[choice("answers", key, QUESTIONS)]
        choice(f"answers[{key!r}]", answer, dict(question.answers))
    for key in ("data", "validate"):
        if key not in answers:
            return QUESTIONS[key]
    if answers["validate"] == "no":
        return _by_data(answers["data"], _UNTUNED)
    if "compute" not in answers:
        return QUESTIONS["compute"]
    if answers["compute"] == "little":
        return _by_data(answers["data"], _TUNED)
    measured = _measure(losses or {})
    if measured is not None:
        return measured
    if "outcome" not in answers:
        return QUESTIONS["outcome"]
    return _BY_NET[answers["outcome"] == "net"]


def _by_data(answer: str, about_strength: str) -> Advice:
    advice = _BY_DATA[answer]
    if advice.method == "none":
        return advice
    return replace(advice, then=advice.then + about_strength)


def _measure(losses: Mapping[str, float]) -> Advice | None:
    """Return the advice that the losses support; None if the first comparison is impossible.

    The first comparison is of baseline and elastic net, the second involves L1 or L2.
    """
    by_method = {key: math.inf if math.isnan(loss) else loss for key, loss in losses.items()}
    first = _duel("none", "elastic_net", by_method)
    if first is None or math.isinf(min(first.losses)):
        return None
    net_wins = first.winner == "elastic_net"
    second = _duel("l1", "elastic_net", by_method) if net_wins else _duel("none", "l2", by_method)
    if second is None:
        return replace(_BY_NET[net_wins], duels=(first,))
    return replace(_MEASURED[net_wins, second.winner], duels=(first, second))


def _duel(simpler: str, other: str, losses: Mapping[str, float]) -> Duel | None:
    if simpler not in losses or other not in losses:
        return None
    return Duel((simpler, other), (losses[simpler], losses[other]))
