"""Train a neural network under every regularizer side by side, and see the effects."""

import os

# Without this, Intel's MKL chooses its code by the alignment of the operands, and a network's last
# bits depend on the networks beside it in memory. MKL reads the variable before its first product.
os.environ.setdefault("MKL_CBWR", "AUTO")

from regviz.analysis.anatomy import Anatomy, anatomy
from regviz.analysis.replicates import replicate
from regviz.data.datasets import Dataset, make_dataset
from regviz.engine.history import History
from regviz.engine.recorder import stream, train
from regviz.estimators.search import RegVizClassifierCV, RegVizRegressorCV
from regviz.estimators.single import RegVizClassifier, RegVizRegressor
from regviz.methods.catalogue import Method, Variants, register_method
from regviz.scenes.scene import Scene
from regviz.spec.arrays import ArraysSpec
from regviz.spec.experiment import (
    DataSpec,
    Experiment,
    NetworkSpec,
    Phase,
    Regularization,
    TrainingSpec,
)
from regviz.spec.points import PointsSpec
from regviz.spec.toy import ToyDataset, register_dataset

__version__ = "0.2.0"

__all__ = [
    "Anatomy",
    "ArraysSpec",
    "DataSpec",
    "Dataset",
    "Experiment",
    "History",
    "Method",
    "NetworkSpec",
    "Phase",
    "PointsSpec",
    "RegVizClassifier",
    "RegVizClassifierCV",
    "RegVizRegressor",
    "RegVizRegressorCV",
    "Regularization",
    "Scene",
    "ToyDataset",
    "TrainingSpec",
    "Variants",
    "anatomy",
    "make_dataset",
    "register_dataset",
    "register_method",
    "replicate",
    "stream",
    "train",
]
