"""The line above the board: a question about the data, and a first hint."""

from regviz.data.datasets import n_train_of
from regviz.spec.experiment import Data
from regviz.spec.points import PointsSpec
from regviz.spec.toy import DATASETS

HINT = "Drag a strength, or click a card."
ABOUT = (
    "Same points, same initial weights, same batches: these networks differ in nothing but their"
    " regularization."
)

_SMALL = (
    *("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def question(data: Data) -> str:
    """Return the question of the page about a dataset, with the number of its training points.

    Examples
    --------
    >>> import regviz
    >>> question(regviz.DataSpec("circles", 400, noise=0.2, train_fraction=0.15))
    'What should a network do with sixty noisy points?'
    """
    n_train = n_train_of(data)
    if isinstance(data, PointsSpec):
        return f"What should a network do with {_in_words(n_train)} of your points?"
    noise = data.noise if DATASETS[data.name].noisy else 0
    noisy = "noisy " if noise or data.label_noise else ""
    points = "point" if n_train == 1 else "points"
    return f"What should a network do with {_in_words(n_train)} {noisy}{points}?"


def _in_words(number: int) -> str:
    """Return a number in words below 20 and for tens below 100, else in digits."""
    if 0 <= number < len(_SMALL):
        return _SMALL[number]
    tens, ones = divmod(number, 10)
    return str(number) if ones or tens > 9 else _TENS[tens - 2]
