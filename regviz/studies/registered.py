"""Datasets that the user registered: the digest of their points, and their way to workers."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition

from regviz.data.datasets import make_dataset, remove_dataset, replace_dataset
from regviz.spec.arrays import ArraysSpec
from regviz.spec.experiment import Data, DataSpec
from regviz.spec.points import SPLITS
from regviz.spec.toy import DATASETS, ToyDataset

POLL_SECONDS = 0.2  # between looks whether a cell that waits is cancelled
_received: dict[str, str] = {}  # by name: hash of the record that `received` has registered
_n_uses = Counter[str]()  # by name: blocks of `received`
_changed = Condition()  # held while either is read or changed


class OtherDatasetError(Exception):
    """A dataset of the client cannot be made here, or makes other points."""


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
def received(
    data: Data | ArraysSpec,
    record: bytes,
    wanted: str,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[bool]:
    """Have the dataset of some data registered within the block.

    A dataset that this process has registered itself stays. One that came from a client is replaced
    by another client's of the same name, once no block uses it any more.

    Parameters
    ----------
    data : DataSpec, PointsSpec or ArraysSpec
    record : bytes
    wanted : str
        Both of `packed`.
    cancelled : callable
        Called without arguments while other blocks use another client's dataset of the name.

    Yields
    ------
    bool
        Whether the dataset is registered; False once ``cancelled()`` has returned True.

    Raises
    ------
    ImportError
        If the module that registers the dataset is not installed here.
    OtherDatasetError
        If the dataset here makes other points than that of the client, or the module that registers
        it has other functions.
    """
    if not (record and isinstance(data, DataSpec)):
        yield True
        return
    with _changed:
        there = _register(data.name, record, cancelled)
        _n_uses[data.name] += there
    if not there:
        yield False
        return
    try:
        _compare(data, wanted)
        yield True
    finally:
        with _changed:
            _n_uses[data.name] -= 1
            _changed.notify_all()


def _register(name: str, record: bytes, cancelled: Callable[[], bool]) -> bool:
    """Register a received dataset, unless this process has registered one of its name itself.

    Returns
    -------
    bool
        False if ``cancelled()`` has returned True while another dataset of the name was in use.
    """
    import cloudpickle

    key = hashlib.sha256(record).hexdigest()
    if name in DATASETS and name not in _received:
        return True

    def free() -> bool:
        return _received.get(name) == key or not _n_uses[name]

    while not _changed.wait_for(free, POLL_SECONDS):
        if cancelled():
            return False
    if _received.get(name) == key:
        return True
    if name in _received:  # a module that is imported now may register the name itself
        remove_dataset(name)
        del _received[name]
    try:
        dataset = cloudpickle.loads(record)
    except ImportError as error:
        raise ImportError(f"{error}, which registers the dataset {name!r}") from error
    except Exception as error:
        raise OtherDatasetError(
            f"the dataset {name!r} cannot be made there ({type(error).__name__}: {error}): the"
            " same version of the module that registers it has to be on all machines"
        ) from error
    replace_dataset(dataset)
    _received[name] = key
    return True


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
