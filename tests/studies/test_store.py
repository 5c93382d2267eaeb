"""Tests of `regviz.studies.store` and of studies that go on from a store."""

import errno
import os
import pickle
import shutil
import time
from collections import namedtuple
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch

import regviz
from regviz.engine import compiled
from regviz.studies import cell as cell_module
from regviz.studies import probe, result
from regviz.studies import store as store_module
from regviz.studies.cell import compute
from regviz.studies.cluster import Event
from regviz.studies.cost import cell_seconds
from regviz.studies.errors import SchedulerLostError, StoreError, StudyError, UnfitWorkersError
from regviz.studies.store import Store
from tests.support.studies import bits

STUDY = regviz.Study(
    regviz.Experiment(
        regviz.DataSpec("moons", n_samples=60),
        regviz.NetworkSpec(hidden=(2,)),
        regviz.TrainingSpec(epochs=3),
    ),
    vary={"network.hidden": [(2,), (3,)], "data.noise": [0.1, 0.2, 0.3]},
    methods=("none", "l2"),
    strengths=2,
    seeds=range(2),
)


KIND = probe.kind()


@pytest.fixture(scope="module")
def tables():
    return {cell.key: compute(cell) for cell in STUDY.cells}


@pytest.fixture(scope="module")
def whole(tables):
    """The bits of the table of the undisturbed study."""
    return bits(STUDY.run(progress=lambda state: None).table)


def filled(path, tables):
    store = Store(path)
    for key, table in tables.items():
        store.add(key, table)
    return store


def names(store):
    return sorted(path.name for path in store.folder.iterdir() if path.name != "machine.json")


class Progress(list):
    """The states of a run; all messages and the final counts."""

    __call__ = list.append

    @property
    def messages(self):
        return [state.message for state in self if state.message]

    @property
    def counts(self):
        """Numbers of cells that were reused and computed."""
        return self[-1].n_reused, self[-1].n_done - self[-1].n_reused


def test_a_table_is_read_as_it_was_written_and_by_another_process(tmp_path, tables):
    store = filled(tmp_path / "new" / "store", tables)
    assert names(store) == sorted(f"{key}.parquet" for key in tables)
    other = Store(store.path)
    assert other.keys() == set(tables)
    read = dict(other.read([*tables, "0" * 64]))
    assert {key: bits(table) for key, table in read.items()} == {
        key: bits(table) for key, table in tables.items()
    }


def test_many_cells_are_merged_into_few_files(tmp_path, tables, monkeypatch):
    monkeypatch.setattr(store_module, "MERGED_CELLS", 4)
    store = filled(tmp_path, tables)
    parts = [name for name in names(store) if name.startswith("part-")]
    assert len(parts) == 1
    assert len(names(store)) == 3  # and two cells that came after
    assert store.keys() == set(tables)
    assert all(bits(table) == bits(tables[key]) for key, table in store.read(tables))
    # an interruption between merging and deleting leaves a cell in two files
    first = next(iter(tables))
    filled(tmp_path, {first: tables[first]})
    assert [key for key, _ in store.read([first])] == [first]


def before_call(monkeypatch, place, name, number, act):
    """Let `act` be called before a function's call of a number, once."""
    own, calls = getattr(place, name), []

    def called(*arguments, **options):
        calls.append(name)
        if len(calls) == number:
            act()
        return own(*arguments, **options)

    monkeypatch.setattr(place, name, called)
    return calls


def no_cells(*arguments):
    """Stand in for `cells_done`."""
    yield from ()


def keys_of(store):
    return store.keys()


def keys_read(store):
    return {key for key, _ in store.read(cell.key for cell in STUDY.cells)}


@pytest.mark.parametrize(
    ("look", "name"),
    [(keys_of, "read_metadata"), (keys_read, "read_metadata"), (keys_read, "read_table")],
)
def test_cells_that_another_process_merges_meanwhile_are_found_in_the_merged_file(
    tmp_path, tables, monkeypatch, look, name
):
    store = filled(tmp_path, tables)
    monkeypatch.setattr(store_module, "MERGED_CELLS", len(tables))

    def merge():
        filled(tmp_path, dict([next(iter(tables.items()))]))
        assert [name[:5] for name in names(store)] == ["part-"]

    calls = before_call(monkeypatch, pq, name, 2, merge)
    assert look(store) == set(tables)
    assert len(calls) > 2
    assert store.notes == []


@pytest.mark.parametrize("look", [keys_of, keys_read])
def test_cells_that_are_merged_while_the_folder_is_listed_are_found(
    tmp_path, tables, monkeypatch, look
):
    monkeypatch.setattr(store_module, "MERGED_CELLS", len(tables))
    store = filled(tmp_path, tables)
    own, lists = store._names, [[]]  # without the merged file and those that it replaced
    monkeypatch.setattr(store, "_names", lambda: lists.pop() if lists else own())
    assert look(store) == set(tables)
    assert not lists


def test_a_study_goes_on_from_its_store_and_computes_nothing_twice(tmp_path, tables, whole):
    some = dict(list(tables.items())[1:4])
    filled(tmp_path, some)
    first, second = Progress(), Progress()
    assert bits(STUDY.run(tmp_path, progress=first).table) == whole
    assert first.counts == (3, 3)
    assert bits(STUDY.run(tmp_path, progress=second).table) == whole
    assert second.counts == (6, 0)


def test_two_runs_at_the_same_time_share_a_store(tmp_path, monkeypatch, whole):
    monkeypatch.setattr(store_module, "MERGED_CELLS", 2)
    counts = Progress(), Progress()
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda own: STUDY.run(tmp_path, progress=own), counts))
    assert [bits(result.table) for result in results] == [whole, whole]
    store = Store(tmp_path)
    assert store.keys() == {cell.key for cell in STUDY.cells}
    assert len(dict(store.read(store.keys()))) == 6
    assert [name for name in names(store) if not name.endswith(".parquet")] == []


def test_files_that_a_killed_process_left_unfinished_are_deleted(tmp_path, tables):
    store = filled(tmp_path, tables)
    old, new = store.folder / "old.draft", store.folder / "new.draft"
    for path in (old, new):
        path.write_bytes(b"PAR1")
    now = new.stat().st_mtime
    os.utime(old, (now - 4000, now - 4000))
    assert Store(tmp_path).keys() == set(tables)
    assert (old.exists(), new.exists()) == (False, True)


def test_the_clock_of_the_file_system_says_how_old_an_unfinished_file_is(
    tmp_path, tables, monkeypatch
):
    store = filled(tmp_path, tables)
    draft = store.folder / "of_now.draft"
    draft.write_bytes(b"PAR1")
    later = time.time() + 10**6
    monkeypatch.setattr(time, "time", lambda: later)  # of a machine whose clock is fast
    Store(tmp_path)
    assert draft.exists()


def test_another_study_reuses_equal_cells(tmp_path, tables):
    filled(tmp_path, tables)
    other = regviz.Study(
        replace(STUDY.base, network=regviz.NetworkSpec(hidden=(3,))),
        vary={"data.noise": [0.2, 0.4]},
        methods=("none", "l2"),
        strengths=2,
        seeds=range(2),
    )
    progress = Progress()
    result = other.run(tmp_path, progress=progress)
    assert progress.counts == (1, 1)
    assert result.frame["data.noise"].tolist() == [0.2] * 6 + [0.4] * 6
    assert "network.hidden" not in result.frame


def test_a_study_that_was_interrupted_keeps_its_cells(tmp_path, whole):
    def stop(state):
        if state.n_done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"of 6 cells are .* in .*: the same call"):
        STUDY.run(tmp_path, progress=stop)
    n_stored = len(Store(tmp_path).keys())
    assert n_stored >= 2
    progress = Progress()
    assert bits(STUDY.run(tmp_path, progress=progress).table) == whole
    assert progress.counts == (n_stored, 6 - n_stored)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "foreign"])
def test_a_damaged_file_is_named_set_aside_and_computed_again(tmp_path, tables, whole, damage):
    store = filled(tmp_path, tables)
    path = store.folder / names(store)[2]
    content = path.read_bytes()
    middle = len(content) // 4  # in the pages: their description is at the end
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    path.write_bytes({"cut": content[:-9], "flipped": flipped, "empty": b""}.get(damage, b"PAR1"))
    if damage == "foreign":
        pq.write_table(tables[path.stem].select(["seed"]), path)
    progress = Progress()
    assert bits(STUDY.run(tmp_path, progress=progress).table) == whole
    assert progress.counts == (5, 1)
    (message,) = progress.messages
    assert f"{path} is damaged" in message
    assert f"{path.name}.damaged" in names(store)
    assert path.name in names(store)


def test_cells_of_another_version_are_not_used_and_that_is_said(tmp_path, tables, monkeypatch):
    filled(tmp_path, tables)
    monkeypatch.setattr(regviz, "__version__", "9.1.0")
    store = Store(tmp_path)
    assert store.keys() == set()
    assert store.notes == [
        f"{tmp_path}: 6 cells of another version (0.2.0-format-{cell_module.FORMAT}) are not used"
    ]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"torch": "1.0"}, f"torch is 1.0 there and {torch.__version__} here"),
        (
            {"results in float64": "0"},
            "its results differ in the last bits, as on another type of processor or with other"
            " values of ATEN_CPU_CAPABILITY, MKL_CBWR or NPY_DISABLE_CPU_FEATURES",
        ),
    ],
)
def test_cells_of_another_kind_of_machine_are_computed_again_and_that_is_said(
    tmp_path, tables, whole, monkeypatch, changed, reason
):
    with monkeypatch.context() as there:
        there.setattr(probe, "kind", lambda: KIND | changed)
        there.setattr(probe, "kind_hash", probe.kind_hash.__wrapped__)
        there.setattr(store_module, "MERGED_CELLS", 4)
        other = filled(tmp_path, tables)
    progress = Progress()
    assert bits(STUDY.run(tmp_path, progress=progress).table) == whole
    assert progress.counts == (0, 6)
    assert progress.messages == [
        f"{tmp_path}: 6 cells of another kind of machine ({reason}) are not used"
    ]
    assert len(names(other)) == 3
    assert other.keys() == set(tables)


def test_a_store_that_cannot_be_used_is_an_error_before_anything_is_computed(tmp_path, monkeypatch):
    monkeypatch.setattr(cell_module, "compute", None)
    file = tmp_path / "file"
    file.write_text("text")
    for path in (file, file / "below"):
        with pytest.raises(ValueError, match=r"store must be a folder that can be read and writ"):
            STUDY.run(path)
    with pytest.raises(ValueError, match="store must be a path or None, got 3"):
        STUDY.run(3)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(store_module.shutil, "disk_usage", lambda path: usage(9, 9, 5_000_000))
    with pytest.raises(ValueError, match=r"store must be on a disk with 20 MB left, got 5 MB at"):
        STUDY.run(tmp_path)


def test_a_disk_that_is_full_meanwhile_ends_the_study_and_leaves_whole_cells(
    tmp_path, monkeypatch, whole
):
    write, count = pq.write_table, []

    def full(table, file, **options):
        count.append(1)
        if len(count) == 3:
            file.write(b"PAR1 and half a table")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(table, file, **options)

    with monkeypatch.context() as patch:
        patch.setattr(pq, "write_table", full)
        with pytest.raises(StoreError, match="cannot be written to: the disk is full") as caught:
            STUDY.run(tmp_path, progress=lambda state: None)
    assert caught.value.result.n_done == 2
    assert len(names(Store(tmp_path))) == 2
    progress = Progress()
    assert bits(STUDY.run(tmp_path, progress=progress).table) == whole
    assert progress.counts == (2, 4)


def test_a_complete_study_is_read_from_a_store_on_a_full_disk(tmp_path, tables, monkeypatch, whole):
    filled(tmp_path, tables)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(store_module.shutil, "disk_usage", lambda path: usage(9, 9, 0))
    assert bits(STUDY.run(tmp_path, progress=lambda state: None).table) == whole


def test_the_time_left_is_that_of_the_cells_that_are_not_stored(tmp_path, monkeypatch):
    study = replace(STUDY, vary={"training.epochs": [3, 3000], "data.noise": [0.1, 0.2]})
    short, long = study.cells[:2], study.cells[2:]
    filled(tmp_path, {cell.key: compute(cell) for cell in short})

    monkeypatch.setattr("regviz.studies.run.cells_done", no_cells)
    states = Progress()
    study.run(tmp_path, progress=states)
    (state,) = states
    assert state.seconds + state.seconds_left == pytest.approx(sum(map(cell_seconds, long)))


@pytest.mark.parametrize(
    ("vary", "stored", "compiled_before", "told"),
    [
        ({}, False, "", True),
        ({}, False, "float32", False),
        ({}, True, "float32", True),  # a store compares the bits of both precisions
        ({"training.dtype": ["float32", "float64"]}, False, "float32", True),
        ({}, True, "float32 float64", False),
    ],
)
def test_a_run_says_that_it_compiles_before_it_waits_for_that(
    tmp_path, monkeypatch, vary, stored, compiled_before, told
):
    loading = {dtype: Future() for dtype in ("float32", "float64")}
    for dtype in compiled_before.split():
        loading[dtype].set_result(None)
    monkeypatch.setattr(compiled, "begin", loading.__getitem__)
    monkeypatch.setattr("regviz.studies.run.cells_done", no_cells)
    states = Progress()
    study = replace(STUDY, vary=dict(STUDY.vary) | vary)
    study.run(tmp_path / "store" if stored else None, progress=states)
    texts = [f"{compiled.COMPILING}."] * told + [""]
    assert [state.message for state in states] == texts


def test_cells_that_have_failed_are_not_in_the_time_left(tables, monkeypatch):
    def two_fail(cells, scheduler, tell):
        for index, cell in enumerate(cells):
            if index < 2:
                tell(Event(1, f"Cell {index} failed.", (cell, "MemoryError")))
            elif index < 5:
                yield cell, tables[cell.key]

    monkeypatch.setattr("regviz.studies.run.cells_done", two_fail)
    states = Progress()
    STUDY.run(progress=states)
    last = states[-1]
    assert (last.n_done, last.n_failed) == (3, 2)
    assert states.messages == ["Cell 0 failed.", "Cell 1 failed."]
    *over, left = map(cell_seconds, STUDY.cells)
    assert last.seconds_left == pytest.approx(last.seconds * left / sum(over))


@pytest.mark.parametrize(
    ("use", "action"),
    [
        (keys_of, "read"),
        (keys_read, "read"),
        (lambda store: store.check_space(1), "read"),
        (lambda store: store.add("0" * 64, compute(STUDY.cells[0])), "written to"),
    ],
)
def test_a_folder_that_is_deleted_meanwhile_is_an_error_of_the_store(tmp_path, use, action):
    store = Store(tmp_path / "store")
    shutil.rmtree(store.path)
    with pytest.raises(StoreError, match=f"^The store .* cannot be {action}: .*No such file"):
        use(store)


@pytest.mark.parametrize("name", ["keys", "read", "_merge"])
def test_an_error_of_the_system_ends_a_run_with_its_results(tmp_path, tables, monkeypatch, name):
    filled(tmp_path, dict(list(tables.items())[:2]))
    monkeypatch.setattr(store_module, "MERGED_CELLS", 4)

    def refuse():
        def refused(*arguments, **options):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

        monkeypatch.setattr(Path, "unlink" if name == "_merge" else "iterdir", refused)

    before_call(monkeypatch, Store, name, 1, refuse)
    with pytest.raises(StoreError, match="Permission denied") as caught:
        STUDY.run(tmp_path, progress=lambda state: None)
    assert caught.value.result.n_done == (3 if name == "_merge" else 0)


@pytest.mark.parametrize("method", ["run", "stream"])
@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize(
    "error",
    [
        SchedulerLostError("lost"),
        StoreError("full"),
        StudyError([(STUDY.cells[5], "killed")]),
        UnfitWorkersError("none"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_a_run_has_the_results_so_far(
    tmp_path, tables, monkeypatch, error, stored, method
):
    def cells_done(cells, *rest):
        cells = iter(cells)
        for _ in range(2):
            cell = next(cells)
            yield cell, tables[cell.key]
        raise error

    monkeypatch.setattr("regviz.studies.run.cells_done", cells_done)
    kept = list(tables)[3:] if stored else []
    filled(tmp_path, {key: tables[key] for key in kept})
    with pytest.raises(type(error)) as caught:
        list(getattr(STUDY, method)(tmp_path, progress=lambda state: None))
    result = caught.value.result
    assert result.n_done == 2 + len(kept)
    keys = result.table["cell"].unique().to_pylist()
    assert keys == list(tables)[:2] + kept


def test_a_stream_makes_no_table_that_nobody_looks_at(monkeypatch, whole):
    made = []
    table_of = result.table_of

    def counted(study, done):
        done = list(done)
        made.append(len(done))
        return table_of(study, done)

    monkeypatch.setattr(result, "table_of", counted)
    results = list(STUDY.stream(progress=lambda state: None))
    assert made == []
    assert bits(results[-1].table) == bits(results[-1].table) == whole
    assert results[2].table.num_rows == results[-1].table.num_rows / 2
    assert made == [6, 3]
    again = pickle.loads(pickle.dumps(results[1]))
    assert (again.n_done, bits(again.table)) == (2, bits(results[1].table))


def test_the_result_grows_with_each_cell(whole):
    results = list(STUDY.stream(progress=lambda state: None))
    assert [result.n_done for result in results] == [1, 2, 3, 4, 5, 6]
    assert [result.complete for result in results] == [False] * 5 + [True]
    assert bits(results[-1].table) == whole
    done = results[2].table["cell"].unique().to_pylist()
    assert done == [cell.key for cell in STUDY.cells if cell.key in done]
