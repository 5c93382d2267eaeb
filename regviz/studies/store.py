"""A folder with the numbers of finished cells, from which a study goes on."""

import errno
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import accumulate
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import regviz
from regviz.spec.validation import Unquoted, invalid
from regviz.studies import probe
from regviz.studies.cell import FORMAT, arrow, schema
from regviz.studies.errors import StoreError

if TYPE_CHECKING:
    import pyarrow as pa

# Number of files with one cell from which on they are merged: a million cells are 2000 files.
MERGED_CELLS = 500
_CELL = re.compile(r"([0-9a-f]{64})\.parquet")
_VERSION = re.compile(r"(\d\w*(?:\.\w+)*-format-\d+)(?:-([0-9a-f]{12}))?")
_KIND = "machine.json"  # in each folder of tables: `probe.kind` of the machines that computed them
_CELLS = b"regviz cells"  # key in a file's metadata: its cells and their numbers of rows
DRAFT_SECONDS = 3600  # age from which on an unfinished file is one of a killed process
_SPARE_BYTES = 20_000_000  # of the disk, besides the study's own
T = TypeVar("T")


class Store:
    """A folder of Parquet files with the tables of cells, by their keys.

    A finished cell is a file of its own, ``<key>.parquet``. It is written under another name and
    then renamed, so that a file is whole or not there. `MERGED_CELLS` of them are merged into a
    file ``part-<hash>.parquet``. Several processes may use one folder at the same time: a cell that
    two of them compute has the same bits, and the later file replaces the other.

    The files are in a subfolder for the version of RegViz and of its tables, and for the kind of
    machine: versions of packages, and the bits of tiny trainings on this processor
    (`regviz.studies.probe.kind`). Cells of other versions or kinds of machine are not used; `notes`
    says how many there are.

    Parameters
    ----------
    path : str or path
        The folder, which is created if it does not exist.

    Attributes
    ----------
    notes : list of str
        Messages for the user: cells of other versions or kinds of machine, damaged files.

    Raises
    ------
    ValueError
        If the path is no folder that can be read and written.

    Examples
    --------
    >>> import tempfile
    >>> import regviz
    >>> from regviz.studies.cell import compute
    >>> from regviz.studies.store import Store
    >>> short = regviz.Experiment(training=regviz.TrainingSpec(epochs=5))
    >>> (cell,) = regviz.Study(short, methods=("none",)).cells
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(folder)
    ...     store.check_space(n_bytes=10_000)
    ...     store.add(cell.key, compute(cell))
    ...     assert store.keys() == {cell.key}
    ...     [table.num_rows for key, table in store.read([cell.key])]
    [20]
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        version = f"{regviz.__version__}-format-{FORMAT}"
        self.folder = self.path / f"{version}-{probe.kind_hash()}"
        self.notes: list[str] = []
        self._n_alone = 0
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            draft = self.folder / f"{uuid.uuid4().hex}.draft"
            draft.write_text(json.dumps(probe.kind(), indent=1), "utf-8")
            self._delete_old_drafts(draft.stat().st_mtime)
            draft.replace(self.folder / _KIND)
            self._n_alone = sum(1 for name in self._names() if _CELL.fullmatch(name))
            self._note_others(version)
        except OSError as error:
            allowed = f"a folder that can be read and written ({error.strerror})"
            raise invalid("store", allowed, str(path)) from error

    def _note_others(self, version: str) -> None:
        """Note how many cells there are of other versions and kinds of machine."""
        for other in sorted(self.path.iterdir()):
            match = _VERSION.fullmatch(other.name)
            if match is None or other == self.folder:
                continue
            count = _n_cells(other)
            if not count:
                continue
            cells = f"{self.path}: {count:,} cell{'s' * (count > 1)}"
            if match[1] != version:
                reason = f"of another version ({match[1]})"
            else:
                reason = f"of another kind of machine ({probe.other_kind(_kind_of(other))})"
            self.notes.append(f"{cells} {reason} are not used")

    def check_space(self, n_bytes: int) -> None:
        """Raise ValueError unless the disk has space for further tables.

        Parameters
        ----------
        n_bytes : int
            Size of the tables.

        Raises
        ------
        ValueError
            If the disk has less space.
        StoreError
            If the system does not say how much space is left.
        """
        with self._errors("read"):
            free = shutil.disk_usage(self.folder).free
        needed = n_bytes + _SPARE_BYTES
        if free < needed:
            allowed = f"on a disk with {needed / 1e6:,.0f} MB left"
            raise invalid("store", allowed, Unquoted(f"{free / 1e6:,.0f} MB at {self.path}"))

    def add(self, key: str, table: "pa.Table") -> None:
        """Write the table of a cell.

        Parameters
        ----------
        key : str
        table : pyarrow.Table

        Raises
        ------
        StoreError
            If it cannot be written, as when the disk is full.
        """
        with self._errors("written to"):
            self._write(self.folder / f"{key}.parquet", {key: table})
            self._n_alone += 1
            if self._n_alone >= MERGED_CELLS:
                self._merge()

    def keys(self) -> set[str]:
        """Return the keys of all cells; files are not read as a whole.

        Returns
        -------
        set of str

        Raises
        ------
        StoreError
            If the folder or a file cannot be read.
        """
        with self._errors("read"):
            return {key for cells in self._loaded(_cells_of) for key, _ in cells}

    def read(self, keys: Iterable[str]) -> "Iterator[tuple[str, pa.Table]]":
        """Yield the tables of some cells, file after file.

        Damaged files are renamed to ``<name>.damaged``, and a note names them.

        Parameters
        ----------
        keys : iterable of str
            Keys that are not in the store are left out.

        Yields
        ------
        str, pyarrow.Table

        Raises
        ------
        StoreError
            If the folder or a file cannot be read.
        """
        wanted = set(keys)

        def tables(path: Path) -> "list[tuple[str, pa.Table]]":
            cells = _cells_of(path)
            if wanted.isdisjoint(key for key, _ in cells):
                return []
            table, starts = _table_of(path), accumulate((n for _, n in cells), initial=0)
            return [
                (key, table.slice(start, n))
                for (key, n), start in zip(cells, starts, strict=False)
                if key in wanted
            ]

        with self._errors("read"):
            for found in self._loaded(tables):
                wanted.difference_update(key for key, _ in found)
                yield from found

    @contextmanager
    def _errors(self, action: str) -> Iterator[None]:
        """Raise a StoreError in place of an OSError.

        Parameters
        ----------
        action : {"read", "written to"}
        """
        try:
            yield
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            reason = "the disk is full" if full else str(error)
            raise StoreError(
                f"The store {self.path} cannot be {action}: {reason}. The cells in it are whole;"
                f" once it can be {action}, the same call goes on from them."
            ) from error

    def _delete_old_drafts(self, now: float) -> None:
        """Delete unfinished files that killed processes have left.

        Parameters
        ----------
        now : float
            Time by the clock of the file system, which may be that of another machine.
        """
        for draft in self.folder.glob("*.draft"):
            with suppress(FileNotFoundError):
                if now - draft.stat().st_mtime > DRAFT_SECONDS:
                    draft.unlink()

    def _names(self) -> list[str]:
        """Return the names of the files of tables, merged ones first."""
        names = [one.name for one in self.folder.iterdir() if one.suffix == ".parquet"]
        return sorted(names, key=lambda name: (not _is_merged(name), name))

    def _loaded(self, load: Callable[[Path], T]) -> Iterator[T]:
        """Yield ``load(path)`` for each file of tables that is whole.

        Files that another process merges meanwhile can be missing in the list of files, or gone
        when they are read. The merged file was written before, so it is in a further list.

        A cell is in two files if a process was killed while it merged them, or two processes did:
        their tables are equal.
        """
        names, seen = self._names(), set[str]()
        while True:
            for name in names:
                path = self.folder / name
                try:
                    loaded = load(path)
                except FileNotFoundError:
                    continue
                except _damaged() as error:
                    self._set_aside(path, error)
                    continue
                yield loaded
            seen.update(names)
            names = [name for name in self._names() if _is_merged(name) and name not in seen]
            if not names:
                return

    def _set_aside(self, path: Path, error: Exception) -> None:
        """Rename a damaged file, so that its cells are computed again."""
        if isinstance(error, OSError) and error.errno:  # the system's: the file may be whole
            raise error
        with suppress(FileNotFoundError):  # another process has renamed it
            path.replace(path.with_name(f"{path.name}.damaged"))
        reason = str(error).split("\n")[0][:100]
        self.notes.append(f"{path} is damaged ({reason}) and is set aside as {path.name}.damaged")

    def _write(self, path: Path, tables: "dict[str, pa.Table]") -> None:
        """Write tables to a file, which is whole or not there, whenever this process ends."""
        import pyarrow.parquet as pq

        pa = arrow()
        cells = json.dumps([(key, table.num_rows) for key, table in tables.items()])
        whole = pa.concat_tables(tables.values()).replace_schema_metadata({_CELLS: cells})
        draft = path.with_name(f"{uuid.uuid4().hex}.draft")
        try:
            with draft.open("wb") as file:
                pq.write_table(whole, file, compression="zstd", write_page_checksum=True)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError:
            with suppress(OSError):
                draft.unlink()
            raise

    def _merge(self) -> None:
        """Merge the files with one cell into one file."""

        def alone(path: Path) -> "tuple[Path, pa.Table] | None":
            return (path, _table_of(path)) if _CELL.fullmatch(path.name) else None

        tables = dict(filter(None, self._loaded(alone)))
        if tables:
            cells = {path.stem: table for path, table in tables.items()}
            digest = hashlib.sha256("".join(cells).encode()).hexdigest()[:16]
            self._write(self.folder / f"part-{digest}.parquet", cells)
            for path in tables:
                path.unlink(missing_ok=True)
        self._n_alone = 0


def _is_merged(name: str) -> bool:
    """Return whether a file is named as one of merged cells."""
    return name.startswith("part-")


def _table_of(path: Path) -> "pa.Table":
    """Return the table of a file, with all its cells."""
    import pyarrow.parquet as pq

    table = pq.read_table(path, page_checksum_verification=True, memory_map=False)
    return table.replace_schema_metadata().cast(schema())


def _cells_of(path: Path) -> list[tuple[str, int]]:
    """Return the cells of a file, with their numbers of rows, without reading the tables."""
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(path)
    cells = [(key, n) for key, n in json.loads(metadata.metadata[_CELLS])]
    if sum(n for _, n in cells) != metadata.num_rows:
        raise ValueError("rows are missing")
    return cells


def _n_cells(folder: Path) -> int:
    """Return the number of cells in a folder; a cell that is in two files may count twice."""
    count = 0
    for path in folder.glob("*.parquet"):
        if _CELL.fullmatch(path.name):
            count += 1
            continue
        with suppress(*_damaged()):
            count += len(_cells_of(path))
    return count


def _kind_of(folder: Path) -> dict[str, str]:
    """Return `probe.kind` of the machines that computed a folder's tables; empty if unknown."""
    try:
        return dict(json.loads((folder / _KIND).read_text("utf-8")))
    except (OSError, ValueError):
        return {}


def _damaged() -> tuple[type[Exception], ...]:
    """Return the exceptions that reading a damaged file can raise."""
    # Arrow has an OSError, without a number, for damaged data; see `_set_aside`
    kinds: type[Exception] = arrow().ArrowException
    return kinds, OSError, ValueError, KeyError, TypeError


def opened(path: Any) -> Store | None:
    """Return the store at a path, None for None."""
    if path is None:
        return None
    if not isinstance(path, str | PathLike) or not str(path):
        raise invalid("store", "a path or None", path)
    return Store(path)
