"""Train a neural network under every regularizer side by side, and see the effects.

Public names are imported at their first use, so that ``import regviz`` and ``regviz --help`` do not
wait for torch.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# Without this, Intel's MKL chooses its code by the alignment of the operands, and a network's last
# bits depend on the networks beside it in memory. MKL reads the variable before its first product.
os.environ.setdefault("MKL_CBWR", "AUTO")

if TYPE_CHECKING:
    from regviz.analysis.anatomy import Anatomy as Anatomy
    from regviz.analysis.anatomy import anatomy as anatomy
    from regviz.analysis.replicates import replicate as replicate
    from regviz.data.datasets import Dataset as Dataset
    from regviz.data.datasets import make_dataset as make_dataset
    from regviz.engine.history import History as History
    from regviz.engine.recorder import stream as stream
    from regviz.engine.recorder import train as train
    from regviz.estimators.search import RegVizClassifierCV as RegVizClassifierCV
    from regviz.estimators.search import RegVizRegressorCV as RegVizRegressorCV
    from regviz.estimators.single import RegVizClassifier as RegVizClassifier
    from regviz.estimators.single import RegVizRegressor as RegVizRegressor
    from regviz.methods.catalogue import Method as Method
    from regviz.methods.catalogue import Variants as Variants
    from regviz.methods.catalogue import register_method as register_method
    from regviz.notebook import board as board
    from regviz.notebook import show as show
    from regviz.notebook import watch as watch
    from regviz.scenes.scene import Scene as Scene
    from regviz.spec.arrays import ArraysSpec as ArraysSpec
    from regviz.spec.experiment import DataSpec as DataSpec
    from regviz.spec.experiment import Experiment as Experiment
    from regviz.spec.experiment import NetworkSpec as NetworkSpec
    from regviz.spec.experiment import Phase as Phase
    from regviz.spec.experiment import Regularization as Regularization
    from regviz.spec.experiment import TrainingSpec as TrainingSpec
    from regviz.spec.points import PointsSpec as PointsSpec
    from regviz.spec.toy import ToyDataset as ToyDataset
    from regviz.spec.toy import register_dataset as register_dataset
    from regviz.studies.study import Study as Study

__version__ = "0.2.0"

# the module of each public name; those of the imports above (tests/project/test_public_names.py)
_MODULES = {
    "Anatomy": "regviz.analysis.anatomy",
    "ArraysSpec": "regviz.spec.arrays",
    "DataSpec": "regviz.spec.experiment",
    "Dataset": "regviz.data.datasets",
    "Experiment": "regviz.spec.experiment",
    "History": "regviz.engine.history",
    "Method": "regviz.methods.catalogue",
    "NetworkSpec": "regviz.spec.experiment",
    "Phase": "regviz.spec.experiment",
    "PointsSpec": "regviz.spec.points",
    "RegVizClassifier": "regviz.estimators.single",
    "RegVizClassifierCV": "regviz.estimators.search",
    "RegVizRegressor": "regviz.estimators.single",
    "RegVizRegressorCV": "regviz.estimators.search",
    "Regularization": "regviz.spec.experiment",
    "Scene": "regviz.scenes.scene",
    "Study": "regviz.studies.study",
    "ToyDataset": "regviz.spec.toy",
    "TrainingSpec": "regviz.spec.experiment",
    "Variants": "regviz.methods.catalogue",
    "anatomy": "regviz.analysis.anatomy",
    "board": "regviz.notebook",
    "make_dataset": "regviz.data.datasets",
    "register_dataset": "regviz.spec.toy",
    "register_method": "regviz.methods.catalogue",
    "replicate": "regviz.analysis.replicates",
    "show": "regviz.notebook",
    "stream": "regviz.engine.recorder",
    "train": "regviz.engine.recorder",
    "watch": "regviz.notebook",
}
_PACKAGES = (
    "analysis",
    "data",
    "engine",
    "estimators",
    "figures",
    "methods",
    "notebook",
    "programs",
    "scenes",
    "spec",
    "studies",
)

__all__ = [*_MODULES]

if not TYPE_CHECKING:  # or type checkers would accept any name

    def __getattr__(name: str) -> Any:
        """Import a public name or a package of the library at its first use (PEP 562)."""
        if name in _PACKAGES:
            return import_module(f"regviz.{name}")
        if name not in _MODULES:
            raise AttributeError(f"module 'regviz' has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_MODULES[name]), name)
        return value


def __dir__() -> list[str]:
    """Return the names of the module, those that are not imported yet included."""
    return sorted({*globals(), *_MODULES, *_PACKAGES})
