"""Datasets that the user registered: the digest of their points, and their way to workers."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from regviz.data.datasets import make_dataset, replace_dataset
from regviz.spec.arrays import ArraysSpec
from regviz.spec.experiment import Data, DataSpec
from regviz.spec.points import SPLITS
from regviz.spec.toy import DATASETS, ToyDataset

_received: dict[str, str] = {}  # by name: hash of the record that `received` has registered
_n_uses = Counter[str]()  # by name: blocks of `received`
_changed = Condition()  # held while either is read or changed


class OtherDatasetError(Exception):
    """A dataset that is registered here makes other points than that of the client."""


def registered(data: Data | ArraysSpec) -> ToyDataset | None:
    """Return the record of a dataset that the user registered, None for those of RegViz."""
    if not isinstance(data, DataSpec):
        return None
    dataset = DATASETS[data.name]
    own = str(getattr(dataset.make, "__module__", "")).startswith("regviz.")
    return None if own else dataset


def digest(data: Data | ArraysSpec) -> str:
    """Return a hash of the points and the task of a registered dataset, which its name hides.

    Parameters
    ----------
    data : DataSpec, PointsSpec or ArraysSpec
        With the seed of the points.

    Returns
    -------
    str
        Empty for data that the user did not register.
    """
    if registered(data) is None:
        return ""
    made = make_dataset(data)
    content = hashlib.sha256(repr((made.task, made.n_columns, made.n_outputs)).encode())
    for split in SPLITS:
        for array in made.points(split):
            content.update(repr(array.shape).encode() + array.tobytes())
    return content.hexdigest()


def packed(data: Data | ArraysSpec) -> tuple[bytes, str]:
    """Return the pickled record of a registered dataset, and its `digest`; both empty for others.

    Functions of a script or a notebook travel as code, those of modules as the module's name.
    """
    import cloudpickle

    dataset = registered(data)
    return (b"", "") if dataset is None else (cloudpickle.dumps(dataset), digest(data))


@contextmanager
def received(data: Data | ArraysSpec, record: bytes, wanted: str) -> Iterator[None]:
    """Have the dataset of some data registered within the block.

    A dataset that this process has registered itself stays. One that came from a client is replaced
    by another client's of the same name, once no block uses it any more.

    Parameters
    ----------
    data : DataSpec, PointsSpec or ArraysSpec
    record : bytes
    wanted : str
        Both of `packed`.

    Raises
    ------
    ImportError
        If the module that registers the dataset is not installed here.
    OtherDatasetError
        If the dataset here makes other points than that of the client.
    """
    if not (record and isinstance(data, DataSpec)):
        yield
        return
    with _changed:
        _register(data.name, record)
        _n_uses[data.name] += 1
    try:
        _compare(data, wanted)
        yield
    finally:
        with _changed:
            _n_uses[data.name] -= 1
            _changed.notify_all()


def _register(name: str, record: bytes) -> None:
    """Register a received dataset, unless this process has registered one of its name itself."""
    import cloudpickle

    key = hashlib.sha256(record).hexdigest()
    if name in DATASETS and name not in _received:
        return
    _changed.wait_for(lambda: _received.get(name) == key or not _n_uses[name])
    if _received.get(name) == key:
        return
    try:
        dataset = cloudpickle.loads(record)
    except ImportError as error:
        raise ImportError(f"{error}, which registers the dataset {name!r}") from error
    replace_dataset(dataset)
    _received[name] = key


def _compare(data: DataSpec, wanted: str) -> None:
    """Raise OtherDatasetError unless the digest of some data is the one at the client."""
    try:
        found = digest(data)
    except ValueError:  # the dataset here cannot make such points
        found = ""
    if found != wanted:
        raise OtherDatasetError(
            f"the dataset {data.name!r} that is registered there makes other points than the one"
            " here: the same version of the module that registers it has to be on all machines"
        )
