"""Kills of workers, schedulers and clients at random moments while a study runs."""

import os
import random
import signal
import time

import pytest

import regviz
from regviz.studies.store import Store
from tests.support.dask_processes import computations, free_port, processes

N_CELLS = 100
KILLS = ["worker"] * 11 + ["client"] * 5 + ["scheduler"] * 4
CELL_SECONDS = 0.1


def test_twenty_kills_change_no_bit_and_repeat_only_cells_in_flight(tmp_path):
    seed = int(os.environ.get("KILL_SEED") or random.SystemRandom().randrange(2**32))
    print(f"KILL_SEED={seed}")
    rng = random.Random(seed)
    kinds = rng.sample(KILLS, len(KILLS))
    # after so many finished cells, the last kill well before the end
    moments = sorted(rng.sample(range(N_CELLS - 15), len(KILLS)))
    study = regviz.Study(
        regviz.Experiment(training=regviz.TrainingSpec(epochs=20)),
        vary={"data.noise": [i / 100 for i in range(N_CELLS)]},
        methods=("none", "l2"),
        strengths=2,
        seeds=range(2),
    )
    (tmp_path / "study.json").write_text(study.to_json(), "utf-8")
    store, address = tmp_path / "store", f"tcp://127.0.0.1:{free_port()}"
    folder = Store(store).folder
    kills = []  # moment, kind, and cells that were stored then
    with processes(tmp_path) as running:
        host, port = address.removeprefix("tcp://").split(":")
        where = "--host", host, "--port", port, "--dashboard-address", ":0"
        running.start("scheduler", "scheduler", *where)
        for name in ("worker-0", "worker-1"):
            running.start(
                *(name, "worker", address, "--nthreads", "1", "--dashboard-address", ":0"),
                CELL_SECONDS=str(CELL_SECONDS),
            )
        running.start("client", "study", str(tmp_path / "study.json"), str(store), address)
        for kind, moment in zip(kinds, moments, strict=True):
            wait_for(lambda: len(list(folder.glob("*.parquet"))) >= moment, running)
            time.sleep(rng.uniform(0, 0.3))
            stored = {path.stem for path in folder.glob("*.parquet")}
            if kind == "worker":
                name = rng.choice(("worker-0", "worker-1"))
                pid = wait_for(lambda: running.worker_pid(name), running)
            else:
                pid = wait_for(lambda: running.pid(kind), running)
            kills.append((time.time(), kind, stored))
            os.kill(pid, signal.SIGKILL)
        assert not running.ended("client")
        wait_for(lambda: running.ended("client"), running)
    begun = computations(tmp_path)
    print(f"{len(begun) - N_CELLS} cells were begun again after {len(kills)} kills")
    for key in {key for _, key in begun}:
        times = [at for at, other in begun if other == key]
        for first, second in zip(times, times[1:], strict=False):
            assert any(first <= at <= second and key not in stored for at, _, stored in kills)
    after = study.run(store=store).table
    assert after.num_rows == N_CELLS * 3 * 2
    assert after.equals(study.run().table)


def wait_for(condition, running, seconds=60.0):
    """Return the condition's value once it is true; fail with all logs after a long time."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            logs = [f"--- {path.name}\n{path.read_text()}" for path in running.folder.glob("*.log")]
            pytest.fail("\n".join(logs))
        time.sleep(0.01)
    return value
