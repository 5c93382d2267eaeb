"""Kills of workers, schedulers and clients at random moments while a study runs."""

import os
import random
import time
from bisect import bisect_right
from itertools import pairwise

import regviz
from regviz.studies.store import Store
from tests.support.dask_processes import processes, records, start_cluster

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
    kills = []  # moment, and the cells that were stored then
    with processes(tmp_path) as running:
        variables = {"STORE": str(folder), "HELD_CELLS": str(HELD_CELLS)}
        address = start_cluster(running, WORKERS, CELL_SECONDS="0.1", **variables)
        running.start("client", "study", str(file), str(store), address)
        for kind, moment in zip(kinds, moments, strict=True):
            running.wait(lambda moment=moment: len(names(folder)) >= moment)
            time.sleep(rng.uniform(0, 0.3))
            name = rng.choice(WORKERS) if kind == "worker" else kind
            kills.append(running.kill(name, lambda: names(folder)))
        assert len(names(folder)) < N_CELLS
        assert not running.ended("client")
        (tmp_path / "go").touch()
        running.wait(lambda: running.ended("client"))
    sent, begun = records(tmp_path, "sent"), records(tmp_path, "begun")
    assert len(begun) == N_CELLS
    for key, times in begun.items():
        for first, again in pairwise(times):
            since = sent[key][bisect_right(sent[key], first) - 1]
            assert any(since <= at <= again and key not in stored for at, stored in kills)
    print(f"{sum(map(len, begun.values())) - N_CELLS} cells were begun again")
    after = study.run(store=store)
    assert after.complete
    assert bits(after) == bits(study.run())


def names(folder):
    """Return the keys of the cells that are stored."""
    return {path.stem for path in folder.glob("*.parquet")}


def bits(result):
    """Return all values as text: ``repr`` has all bits of a float, and NaN equals NaN."""
    return {name: list(map(repr, column)) for name, column in result.table.to_pydict().items()}
