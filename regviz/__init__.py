"""What regularization does to a neural network: every regularizer trained side by side."""

from regviz.datasets import Dataset, make_dataset
from regviz.experiment import DataSpec, Experiment, NetworkSpec, Regularization, TrainingSpec
from regviz.history import History, stream, train

__version__ = "0.1.0"

__all__ = [
    "DataSpec",
    "Dataset",
    "Experiment",
    "History",
    "NetworkSpec",
    "Regularization",
    "TrainingSpec",
    "make_dataset",
    "stream",
    "train",
]
