"""Kills of workers, schedulers and clients at random moments while a study runs."""

import os
import random
import time
from itertools import pairwise

import regviz
from regviz.studies.store import Store
from tests.support.dask_processes import by_cell, processes, records, start_cluster, stored_keys

N_CELLS = 100
# Cells that are stored before the last kill, however slow the test is. The others cannot all be
# computed before: at most two for each thread and eight more are at the scheduler.
HELD_CELLS = N_CELLS - 30
KILLS = ["worker"] * 11 + ["client"] * 5 + ["scheduler"] * 4
WORKERS = ("worker-0", "worker-1")


def test_twenty_kills_change_no_bit_and_repeat_only_cells_in_flight(tmp_path):
    seed = int(os.environ.get("KILL_SEED") or random.SystemRandom().randrange(2**32))
    print(f"KILL_SEED={seed} repeats the order of the kills")
    rng = random.Random(seed)
    kinds = rng.sample(KILLS, len(KILLS))
    # numbers of stored cells; at `HELD_CELLS`, cells wait for the last kill
    moments = sorted(rng.sample(range(HELD_CELLS), len(KILLS)))
    study = regviz.Study(
        regviz.Experiment(training=regviz.TrainingSpec(epochs=20)),
        vary={"data.noise": [i / 100 for i in range(N_CELLS)]},
        methods=("none", "l2"),
        strengths=2,
        seeds=range(2),
    )
    file, store = tmp_path / "study.json", tmp_path / "store"
    file.write_text(study.to_json(), "utf-8")
    folder = Store(store).folder
    # ends of processes, with the cells that were stored then
    of_workers, of_others = [], []
    with processes(tmp_path) as running:
        variables = {"STORE": str(folder), "HELD_CELLS": str(HELD_CELLS)}
        address = start_cluster(running, WORKERS, CELL_SECONDS="0.1", **variables)
        running.start("client", "study", str(file), str(store), address)
        for kind, moment in zip(kinds, moments, strict=True):
            running.wait(lambda moment=moment: len(stored_keys(folder)) >= moment)
            time.sleep(rng.uniform(0, 0.3))
            name = rng.choice(WORKERS) if kind == "worker" else kind
            ends = of_workers if kind == "worker" else of_others
            ends.append(running.kill(name, lambda: stored_keys(folder)))
        assert len(stored_keys(folder)) < N_CELLS
        assert not running.ended("client")
        (tmp_path / "go").touch()
        running.wait(lambda: running.ended("client"))
    # A worker's own end follows the kill of a scheduler, and can be late: a worker that registered
    # meanwhile may begin a cell of the next scheduler before it closes.
    of_workers += records(tmp_path, "closing")
    sent, begun = (by_cell(records(tmp_path, kind)) for kind in ("sent", "begun"))
    assert len(begun) == N_CELLS
    for key, times in begun.items():
        for first, again in pairwise(times):
            since = max(record.at for record in sent[key] if record.at <= first.at)
            in_flight = [end for end in of_workers if end.pid == first.pid]
            in_flight += [end for end in of_others if end.at >= since]
            assert any(end.at <= again.at and key not in end.keys for end in in_flight)
    print(f"{sum(map(len, begun.values())) - N_CELLS} cells were begun again")
    after = study.run(store=store)
    assert after.complete
    assert bits(after) == bits(study.run())


def bits(result):
    """Return all values as text: ``repr`` has all bits of a float, and NaN equals NaN."""
    return {name: list(map(repr, column)) for name, column in result.table.to_pydict().items()}
