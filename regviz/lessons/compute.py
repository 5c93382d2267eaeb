"""Compute the table of the claims.

    python -m regviz.lessons                           # all claims
    python -m regviz.lessons noise                     # those of a module
    python -m regviz.lessons noise.test_loss_is_a_u    # one claim
    python -m regviz.lessons noise --first-seed 20     # for the seeds 20 to 39, without writing

Each claim is computed for twenty seeds, on all cores, and ``regviz/lessons/table/`` is written if
they are the seeds of the table. The exit status is 1 if a claim holds in fewer than 18 seeds, or
raises an exception.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed

import torch

from regviz.engine import compiled
from regviz.lessons import results
from regviz.lessons.claim import LEAST_HELD, SEEDS, Claim, Result, all_claims
from regviz.lessons.results import Record
from regviz.spec.validation import invalid, one_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Compute the claims that the arguments name, write the table, and return the exit status."""
    parser = argparse.ArgumentParser("python -m regviz.lessons", description="Compute the claims.")
    parser.add_argument("names", nargs="*", help="modules or claims; all by default")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="all cores by default")
    parser.add_argument(
        "--first-seed",
        type=int,
        default=SEEDS[0],
        help=f"of {len(SEEDS)}; the table is written only if it is {SEEDS[0]}, the default",
    )
    options = parser.parse_args(arguments)
    try:
        chosen = _chosen(options.names)
    except ValueError as error:
        parser.error(str(error))
    seeds = range(options.first_seed, options.first_seed + len(SEEDS))
    compiled.prepare()
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    start = time.perf_counter()
    done: dict[str, dict[int, Result]] = {claim.name: {} for claim in chosen}
    records: dict[str, Record] = {}
    failures = 0
    with ProcessPoolExecutor(options.workers, context, _prepare) as pool:
        futures = {pool.submit(_compute, c.name, s): (c, s) for c in chosen for s in seeds}
        for future in as_completed(futures):
            claim, seed = futures[future]
            result = _result(future, claim, seed)
            failures += result is None
            if result is None:
                continue
            done[claim.name][seed] = result
            if len(done[claim.name]) < len(seeds):
                continue
            record = records[claim.name] = Record.of([done[claim.name][s] for s in seeds])
            failures += record.n_held < LEAST_HELD
            _tell(claim, record, f"{len(records)} of {len(chosen)}", start)
    if seeds == SEEDS:
        _write(records)
    return int(failures > 0)


def _chosen(names: Sequence[str]) -> list[Claim]:
    """Return the claims that names of modules or claims stand for."""
    claims = all_claims()
    modules = dict.fromkeys(name.split(".")[0] for name in claims)
    for name in names:
        if name not in modules and name not in claims:
            raise invalid("claim", one_of([*modules, *claims]), name)
    kept = [c for c in claims.values() if {c.name, c.name.split(".")[0]} & set(names)]
    return kept if names else list(claims.values())


def _prepare() -> None:
    torch.set_num_threads(1)


def _compute(name: str, seed: int) -> Result:
    return all_claims()[name].function(seed)


def _result(future: "Future[Result]", claim: Claim, seed: int) -> Result | None:
    """Return the result of a future, or None with a message if it has raised an exception."""
    try:
        return future.result()
    except Exception as error:  # of whatever kind: the other claims go on
        print(f"{claim.name}, seed {seed}: {type(error).__name__}: {error}", file=sys.stderr)
        return None


def _tell(claim: Claim, record: Record, progress: str, start: float) -> None:
    seconds = time.perf_counter() - start
    warning = "" if record.n_held >= LEAST_HELD else f"   fewer than {LEAST_HELD}!"
    print(f"[{progress}, {seconds:.0f} s] {claim.name}: {record.count}{warning}")
    for name in record.figures:
        values = record.figures[name]
        low, high = min(values), max(values)
        print(f"    {name:28} {record.median(name):10.4g}   ({low:.4g} to {high:.4g})")
    sys.stdout.flush()


def _write(records: dict[str, Record]) -> None:
    """Update the committed table. Records of claims that no longer exist are removed."""
    names = [name.split(".", 1) for name in all_claims()]
    for module in {name.split(".")[0] for name in results.table()} | {m for m, _ in names}:
        kept = results.read(module)
        for name, record in records.items():
            if name.startswith(f"{module}."):
                kept[name.split(".", 1)[1]] = record
        order = [function for m, function in names if m == module]
        results.write(module, {name: kept[name] for name in order if name in kept})
