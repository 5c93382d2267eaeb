"""A folder with the numbers of finished cells, from which a study goes on."""

import errno
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
        """
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
        self._write(self.folder / f"{key}.parquet", {key: table})
        self._n_alone += 1
        if self._n_alone >= MERGED_CELLS:
            self._merge()

    def keys(self) -> set[str]:
        """Return the keys of all cells; files are not read as a whole.

        Returns
        -------
        set of str
        """
        return {key for cells in self._files().values() for key, _ in cells}

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
        """
        wanted = set(keys)
        # a second look: another process may have merged files since the first
        for _ in range(2):
            for path, cells in self._files().items():
                if not any(key in wanted for key, _ in cells):
                    continue
                table = self._table(path)
                if table is None:
                    continue
                start = 0
                for key, n_rows in cells:
                    if key in wanted:
                        wanted.remove(key)
                        yield key, table.slice(start, n_rows)
                    start += n_rows
            if not wanted:
                return

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
        return sorted(names, key=lambda name: (not name.startswith("part-"), name))

    def _files(self) -> dict[Path, list[tuple[str, int]]]:
        """Return the cells of each file, with their numbers of rows.

        A cell is in two files if a process was killed while it merged them, or two processes did:
        their tables are equal.
        """
        found: dict[Path, list[tuple[str, int]]] = {}
        for name in self._names():
            path = self.folder / name
            try:
                found[path] = _cells_of(path)
            except FileNotFoundError:  # merged by another process
                continue
            except _damaged() as error:
                self._set_aside(path, error)
        return found

    def _table(self, path: Path) -> "pa.Table | None":
        """Return the table of a file; None if it is damaged, or another process has merged it."""
        import pyarrow.parquet as pq

        try:
            table = pq.read_table(path, page_checksum_verification=True, memory_map=False)
            table = table.replace_schema_metadata().cast(schema())
        except FileNotFoundError:
            return None
        except _damaged() as error:
            self._set_aside(path, error)
            return None
        return table

    def _set_aside(self, path: Path, error: Exception) -> None:
        """Rename a damaged file, so that its cells are computed again."""
        if isinstance(error, OSError) and error.errno:  # the system's: the file may be whole
            raise StoreError(f"The store {self.path} cannot be read: {error}") from error
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
        except OSError as error:
            draft.unlink(missing_ok=True)
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            reason = "the disk is full" if full else str(error)
            raise StoreError(
                f"The store {self.path} cannot be written to: {reason}. The cells in it are whole;"
                " once it can be written to, the same call goes on from them."
            ) from error

    def _merge(self) -> None:
        """Merge the files with one cell into one file."""
        alone = {key: self.folder / f"{key}.parquet" for key in sorted(self._keys_alone())}
        tables = {}
        for key, path in alone.items():
            table = self._table(path)
            if table is not None:
                tables[key] = table
        if tables:
            digest = hashlib.sha256("".join(tables).encode()).hexdigest()[:16]
            self._write(self.folder / f"part-{digest}.parquet", tables)
            for key in tables:
                alone[key].unlink(missing_ok=True)
        self._n_alone = 0

    def _keys_alone(self) -> Iterator[str]:
        for name in self._names():
            if match := _CELL.fullmatch(name):
                yield match[1]


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
