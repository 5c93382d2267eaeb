"""Cells on Dask: in this process, and on a scheduler with workers of their own processes."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, replace
from itertools import count

import dask
import distributed
import numpy as np
import psutil
import pytest
import torch
from dask.system import CPU_COUNT

import regviz
from regviz.data.datasets import DATASETS, replace_dataset
from regviz.studies import cluster as cluster_module
from regviz.studies import connection, payload, probe
from regviz.studies.cell import compute, steps
from regviz.studies.cluster import CELLS_PER_THREAD, SPARE_CELLS, cells_done
from regviz.studies.errors import SchedulerLostError, StudyError, UnfitWorkersError
from regviz.studies.store import Store
from tests.support.dask_processes import (
    Processes,
    by_cell,
    free_port,
    processes,
    records,
    start_cluster,
    start_worker,
)

DEADLY = 0.5  # noise of the cells that kill the workers of `cluster`
BASE = regviz.Experiment(training=regviz.TrainingSpec(epochs=5))
LONG = regviz.Experiment(training=regviz.TrainingSpec(epochs=100_000))


def cells_of(*noises, name="moons", base=BASE):
    study = regviz.Study(
        replace(base, data=regviz.DataSpec(name)),
        vary={"data.noise": noises},
        methods=("none", "l2"),
        strengths=1,
        seeds=range(2),
    )
    return list(study.cells)


def texts(table):
    """Return all values as text: ``repr`` has all bits of a float, and NaN equals NaN."""
    return {name: list(map(repr, column)) for name, column in table.to_pydict().items()}


def assert_computed(done, cells):
    assert {cell.key: texts(table) for cell, table in done} == {
        cell.key: texts(compute(cell)) for cell in cells
    }


@dataclass
class Cluster:
    running: Processes
    address: str

    def begun(self):
        return by_cell(records(self.running.folder, "begun"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with processes(tmp_path_factory.mktemp("cluster")) as running:
        yield Cluster(running, start_cluster(running, ["worker-0"], DEADLY_NOISE=str(DEADLY)))


def test_local_cells_take_no_process_and_no_port_but_of_loopback():
    cells = cells_of(0.1, 0.2, 0.3)
    me = psutil.Process()
    before = me.children(), {port.laddr for port in me.net_connections()}
    done = []
    for one in cells_done(cells):
        done.append(one)
        opened = {port.laddr for port in me.net_connections()} - before[1]
        assert {address.ip for address in opened} <= {"127.0.0.1"}
        assert me.children() == before[0]
    assert_computed(done, cells)


def test_a_local_run_that_is_closed_stops_long_cells_at_once():
    n_quick = 2 * CPU_COUNT + 8  # which are sent before all long ones
    quick, slow = cells_of(*np.arange(n_quick) / 1000), cells_of(0.2, 0.3, 0.4, base=LONG)
    done = cells_done([*quick, *slow])
    assert [next(done)[0] in quick for _ in quick] == [True] * n_quick
    done.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("Dask-Default-Threads")]


def test_cells_of_a_cluster_have_the_bits_of_this_process(cluster):
    cells = cells_of(0.1, 0.2, 0.3)
    assert_computed(cells_done(cells, cluster.address), cells)


def test_few_cells_are_at_the_scheduler_at_once_and_closing_cancels_them(cluster):
    pulled = []

    def endless():
        for i in count():
            base = BASE if i < 10 else LONG
            pulled.append(replace(cells_of(0.1, base=base)[0], seeds=(i, i + 1)))
            yield pulled[-1]

    with distributed.Client(cluster.address, set_as_default=False) as client:
        done = cells_done(endless(), client)
        for i in range(10):  # which are sent before all long ones
            next(done)
            assert len(pulled) <= 2 + 8 + i + 1
        done.close()
        cluster.running.wait(lambda: not client.run_on_scheduler(n_tasks))
        # the worker is free again, and the client still connected
        assert client.submit(pow, 2, 3).result(timeout=60) == 8


def n_tasks(dask_scheduler):
    return len(dask_scheduler.tasks)


def test_a_cell_that_kills_workers_and_one_that_fails_are_named_and_the_others_go_on(cluster):
    broken = replace(cells_of(0.2)[0], seeds=(1, 1))
    cells = [*cells_of(0.3, DEADLY, 0.4), broken, *cells_of(0.6, 0.7)]
    done, events = [], []
    with pytest.raises(StudyError) as failure:
        done.extend(cells_done(cells, cluster.address, events.append))
    assert str(failure.value).splitlines() == [
        "2 cells of the study failed.",
        "data.noise=0.2: ValueError: seeds must be without repetition, got (1, 1)",
        "data.noise=0.5: each worker that began it was killed, perhaps as memory ran out",
    ]
    assert [cell for cell, _ in failure.value.failures] == [broken, cells[1]]
    assert [event.failure for event in events if event.failure] == list(failure.value.failures)


@pytest.mark.parametrize(
    ("variable", "reason"),
    [
        ({"NUMPY_VERSION": "1.0"}, f"numpy is 1.0 there and {np.__version__} here"),
        ({"BITS": "0"}, "its results differ from those here in the last bits"),
    ],
)
def test_a_worker_with_other_versions_or_bits_is_named_and_left_out(cluster, variable, reason):
    name = f"worker-{next(iter(variable))}"
    start_worker(cluster.running, name, cluster.address, CELL_SECONDS="0.1", **variable)
    with distributed.Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        cells, events = cells_of(*np.arange(10) / 100), []
        assert_computed(cells_done(cells, client, events.append), cells)
        (message,) = (event.message for event in events if event.message)
        assert reason in message
        (address,) = (at for at in client.nthreads() if f" {at}:" in message)
        assert events[-1].n_workers == 1
        client.retire_workers([at for at in client.nthreads() if at != address])
        with pytest.raises(UnfitWorkersError, match=r"No worker can be used\. tcp:.*" + reason):
            list(cells_done(cells, client))
    cluster.running.stop(name)


@pytest.fixture
def halves(monkeypatch):
    """Register a dataset of this name, which travels as code."""

    def make(n, noise, rng):
        X = rng.uniform(-1, 1, (n, 2))
        return X + noise * rng.normal(size=X.shape), (X[:, 0] > 0).astype(float)

    monkeypatch.setitem(DATASETS, "halves", None)
    replace_dataset(regviz.ToyDataset("halves", "Halves", "binary", make))


@pytest.mark.usefixtures("halves")
def test_a_dataset_of_a_script_travels_with_its_cells(cluster):
    cells = cells_of(0.1, 0.2, name="halves")
    assert_computed(cells_done(cells, cluster.address), cells)


@pytest.mark.usefixtures("halves")
def test_a_worker_that_has_other_points_under_the_name_is_named_and_left_out(cluster):
    start_worker(cluster.running, "worker-own", cluster.address, OWN_DATASET="halves")
    with distributed.Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        cells, events = cells_of(*np.arange(10) / 100, name="halves"), []
        assert_computed(cells_done(cells, client, events.append), cells)
    (message,) = (event.message for event in events if event.message)
    assert message.startswith("A worker is left out. tcp:")
    assert "the dataset 'halves' that is registered there makes other points" in message
    cluster.running.stop("worker-own")


class Partly:
    """An in-process cluster of which the worker of name 1 is unfit; what its workers did."""

    def __init__(self, monkeypatch):
        self.asked, self.computed = Counter(), Counter()
        differences = probe.differences

        def partly(expected):
            name = distributed.get_worker().name
            self.asked[name] += 1
            return "numpy is 1 there" if name == 1 else differences(expected)

        def counted(cell, due):
            self.computed[distributed.get_worker().name] += 1
            time.sleep(0.02)  # time in which an idle worker could take cells
            return (yield from steps(cell, due))

        monkeypatch.setattr(probe, "differences", partly)
        monkeypatch.setattr(payload, "steps", counted)
        self.options = dict(
            n_workers=2,
            threads_per_worker=1,
            processes=False,
            dashboard_address="127.0.0.1:0",
            worker_dashboard_address="127.0.0.1:0",
        )


def test_an_unfit_worker_computes_no_cell_and_takes_none_again(monkeypatch):
    partly, cells = Partly(monkeypatch), cells_of(*np.arange(80) / 100)
    with (
        distributed.LocalCluster(**partly.options) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        assert_computed(cells_done(cells, client), cells)
    assert partly.computed == {0: 80}
    # it can refuse those that were at the scheduler when it refused the first
    assert 1 <= partly.asked[1] <= CELLS_PER_THREAD * 2 + SPARE_CELLS


def test_when_only_unfit_workers_are_left_that_is_said_and_the_run_goes_on_with_a_fit_one(
    monkeypatch,
):
    partly, cells, events = Partly(monkeypatch), cells_of(*np.arange(40) / 100), []
    end = time.monotonic() + 300
    with (
        distributed.LocalCluster(**partly.options) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):

        def tell(event):
            events.append(event)
            if event.message.startswith("No worker that is connected can be used"):
                cluster.scale(3)

        done = []
        run = cells_done(cells, client, tell, stop=lambda: time.monotonic() > end)
        for one in run:
            if not done:
                client.retire_workers([cluster.workers[0].address])
            done.append(one)
    assert_computed(done, cells)
    assert partly.computed.keys() <= {0, 2}
    message = next(e.message for e in events if e.message.startswith("No worker"))
    assert message.startswith("No worker that is connected can be used: waiting for another. ")
    assert "numpy is 1 there" in message
    assert next(e.n_workers for e in events if e.message == message) == 0


def test_beside_an_unfit_worker_a_cell_that_kills_workers_is_named_too(cluster):
    name, end = "worker-beside", time.monotonic() + 300
    start_worker(cluster.running, name, cluster.address, NUMPY_VERSION="1.0")
    cells = cells_of(*np.arange(10) / 100, DEADLY, 0.6)
    done, failed = [], ()
    with distributed.Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        try:
            for one in cells_done(cells, client, stop=lambda: time.monotonic() > end):
                done.append(one)
        except StudyError as error:
            failed = error.failures
    ((cell, reason),) = failed
    assert cell == cells[10]
    assert reason.startswith("each worker that began it was killed")
    assert_computed(done, [*cells[:10], cells[11]])
    cluster.running.stop(name)


def test_a_worker_that_is_started_again_at_its_address_is_asked_again(cluster):
    name, running, end = "worker-mended", cluster.running, time.monotonic() + 300
    start_worker(running, name, cluster.address, free_port(), NUMPY_VERSION="1.0")
    begun = running.folder / f"{name}.begun"
    left_out = []

    def tell(event):
        if "left out" in event.message:
            left_out.append(event.message.split()[5])
            (running.folder / f"{name}.mended").touch()
            running.kill(name)

    with distributed.Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        endless = (replace(cells_of(0.1)[0], seeds=(i, i + 1)) for i in count())
        for _ in cells_done(
            endless, client, tell, stop=lambda: begun.exists() or time.monotonic() > end
        ):
            pass
        assert begun.exists()
        (address,) = left_out
        # a scheduler that learns late of the end of the first worker removes the second, too
        running.wait(lambda: address.rstrip(":") in client.nthreads())
    running.stop(name)


IN_PROCESS = dict(
    n_workers=1,
    threads_per_worker=1,
    processes=False,
    dashboard_address="127.0.0.1:0",
    worker_dashboard_address="127.0.0.1:0",
)


def held_while(monkeypatch, noise, held):
    """Have cells of a noise begin with a call of ``held()``."""

    def steps_held(cell, due):
        if cell.experiment.data.noise == noise:
            held()
        return (yield from steps(cell, due))

    monkeypatch.setattr(payload, "steps", steps_held)


def wanted_by(cluster, client):
    """Return the number of tasks that a client waits for or has."""
    state = cluster.scheduler.clients.get(client.id)
    return 0 if state is None else len(state.wants_what)


def test_a_client_of_another_kind_gets_no_result_of_the_first_clients_cell(monkeypatch):
    begun, go = threading.Event(), threading.Event()
    held_while(monkeypatch, 0.1, lambda: (begun.set(), go.wait(300)))
    (cell,) = cells_of(0.1)
    first, second = [], []
    with (
        distributed.LocalCluster(**IN_PROCESS) as cluster,
        distributed.Client(cluster, set_as_default=False) as one,
        distributed.Client(cluster, set_as_default=False) as other,
    ):

        def run_second():
            with pytest.raises(UnfitWorkersError, match=r"numpy is .* there and 0 here"):
                second.extend(cells_done([cell], other))
            second.append("refused")

        threads = [threading.Thread(target=lambda: first.extend(cells_done([cell], one)))]
        threads[0].start()
        assert begun.wait(300)
        here = probe.fingerprint("float32")
        monkeypatch.setattr(cluster_module, "fingerprint", lambda dtype: here | {"numpy": "0"})
        threads.append(threading.Thread(target=run_second))
        threads[1].start()
        wait_until(lambda: wanted_by(cluster, other))
        go.set()
        for thread in threads:
            thread.join(300)
    assert_computed(first, [cell])
    assert second == ["refused"]


def wait_until(condition):
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_run_is_not_bound_to_the_workers_of_another_clients_cells(monkeypatch):
    begun, suspended, go, over = (threading.Event() for _ in range(4))

    def hold_at_first_worker():
        if distributed.get_worker().name == 0:
            begun.set()
            go.wait(300)

    held_while(monkeypatch, 0.9, hold_at_first_worker)
    differences, of_first = probe.differences, {"client": "first"}
    monkeypatch.setattr(
        probe,
        "differences",
        lambda expected: (
            "unfit for the first client"
            if distributed.get_worker().name == 1 and of_first.items() <= expected.items()
            else differences(expected)
        ),
    )
    here = probe.fingerprint("float32")
    monkeypatch.setattr(cluster_module, "fingerprint", lambda dtype: here | of_first)
    (cell,) = cells_of(0.9)
    left_out = []

    def given():
        """Give other cells until a worker is left out, and then the cell."""
        seeds = count()
        while not left_out:
            at = next(seeds)
            yield replace(cells_of(0.1)[0], seeds=(at, at + 1))
        yield cell

    def tell(event):
        left_out.extend([event.message] * ("left out" in event.message))

    def stop_first():
        """Suspend the first run, as a program that is busy, once its cell is bound to a worker."""
        if not begun.is_set():
            return False
        suspended.set()
        return over.wait(300)

    with (
        distributed.LocalCluster(**IN_PROCESS | {"n_workers": 2}) as cluster,
        distributed.Client(cluster, set_as_default=False) as one,
        distributed.Client(cluster, set_as_default=False) as other,
    ):
        first = threading.Thread(
            target=lambda: list(cells_done(given(), one, tell, stop=stop_first))
        )
        first.start()
        assert suspended.wait(300)
        other.retire_workers([cluster.workers[0].address])
        monkeypatch.setattr(cluster_module, "fingerprint", lambda dtype: here)
        end = time.monotonic() + 300
        done = list(cells_done([cell], other, stop=lambda: time.monotonic() > end))
        go.set()
        over.set()
        first.join(300)
        assert not first.is_alive()
    assert_computed(done, [cell])


def test_a_result_that_is_lost_and_killed_when_computed_again_ends_no_run(monkeypatch):
    gather, broken = connection.Connection.gather, []

    def lost(self, futures):
        if not broken:  # as Dask does when the workers that compute it again are killed
            broken.append(futures[0].key)
            error = distributed.scheduler.KilledWorker(futures[0].key, None, 4)
            futures[0]._state.set_error(error, None)
        return gather(self, futures)

    monkeypatch.setattr(connection.Connection, "gather", lost)
    cells = cells_of(0.1, 0.2, 0.3)
    assert_computed(cells_done(cells), cells)
    assert len(broken) == 1


def test_a_worker_that_returns_the_table_of_another_cell_is_left_out(monkeypatch, tmp_path):
    def other(cell, due):
        changed = cell
        if distributed.get_worker().name == 1:
            changed = replace(cell, seeds=(7, 8))
        return (yield from steps(changed, due))

    monkeypatch.setattr(payload, "steps", other)
    study = regviz.Study(
        BASE,
        vary={"data.noise": list(np.arange(12) / 100)},
        methods=("none", "l2"),
        strengths=1,
        seeds=range(2),
    )
    messages = []
    with (
        distributed.LocalCluster(**IN_PROCESS | {"n_workers": 2}) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        result = study.run(tmp_path, client, progress=lambda state: messages.append(state.message))
        client.retire_workers([cluster.workers[0].address])
        with pytest.raises(UnfitWorkersError, match="gives a cell another key"):
            list(cells_done(study.cells, client))
    assert result.complete
    by_key = {cell.key: cell for cell in study.cells}
    stored = Store(tmp_path).read(Store(tmp_path).keys())
    assert_computed([(by_key[key], table) for key, table in stored], study.cells)
    assert any("A worker is left out" in one and "another key" in one for one in messages)


@pytest.mark.parametrize(
    ("scheduler", "message"),
    [
        ("tcp://127.0.0.1:1", "the address of a Dask scheduler that answers"),
        (
            "127.0.0.1:9999x",
            "the address of a Dask scheduler that answers, .*, got '127.0.0.1:9999x'",
        ),
        (8786, "an address, a Dask Client or None, got 8786"),
    ],
)
def test_a_scheduler_that_cannot_be_used_is_refused(scheduler, message):
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "100ms"}),
        pytest.raises(ValueError, match=f"scheduler must be {message}"),
    ):
        list(cells_done(cells_of(0.1), scheduler))


def test_a_closed_and_an_asynchronous_client_are_refused():
    cluster = distributed.LocalCluster(1, processes=False, dashboard_address="127.0.0.1:0")
    with cluster, distributed.Client(cluster, set_as_default=False) as client:

        async def run():
            async with distributed.Client(cluster, asynchronous=True) as waiting:
                list(cells_done(cells_of(0.1), waiting))

        with pytest.raises(ValueError, match="a Client with asynchronous=False"):
            client.sync(run)
    with pytest.raises(ValueError, match="a Client that is connected"):
        list(cells_done(cells_of(0.1), client))


def test_a_scheduler_that_stays_away_ends_the_run(monkeypatch):
    monkeypatch.setattr(connection, "RECOVERY_SECONDS", 0.2)
    options = dict(processes=False, protocol="tcp", dashboard_address="127.0.0.1:0")
    events = []
    with distributed.LocalCluster(1, **options) as cluster:
        done = cells_done(cells_of(*np.arange(50) / 100), cluster.scheduler_address, events.append)
        next(done)
        cluster.close()
        with pytest.raises(SchedulerLostError, match=r"the scheduler tcp:.* has not come back"):
            list(done)
    assert "The scheduler is lost" in events[-1].message


def test_a_run_that_is_stopped_waits_for_no_lost_scheduler():
    options = dict(processes=False, protocol="tcp", dashboard_address="127.0.0.1:0")
    lost = []

    def tell(event):
        lost.extend([event.message] * ("is lost" in event.message))

    cells = cells_of(*np.arange(50) / 100)
    with distributed.LocalCluster(1, **options) as cluster:
        done = cells_done(cells, cluster.scheduler_address, tell, stop=lambda: bool(lost))
        n_done = len([next(done)])
        cluster.close()
        n_done += len(list(done))
    assert lost == ["The scheduler is lost: waiting up to 5 minutes."]
    assert n_done < len(cells)


def test_the_probe_sees_a_changed_version_and_a_changed_last_bit(monkeypatch):
    here = probe.fingerprint("float32")
    assert probe.differences(here) == ""
    assert (
        probe.differences(here | {"torch": "1"}) == f"torch is {torch.__version__} there and 1 here"
    )

    less = {name: value for name, value in here.items() if name != "torch"}
    assert probe.differences(less) == f"torch is {torch.__version__} there and none here"

    def off(cell):
        table = compute(cell)
        norms = np.nextafter(table["norm"].to_numpy(), np.inf)
        return table.set_column(table.schema.get_field_index("norm"), "norm", [norms])

    monkeypatch.setattr(probe, "compute", off)
    assert probe.bits.__wrapped__("float32") != here["results"]
