"""Compute the table of the claims.

    python -m regviz.lessons                           # all claims
    python -m regviz.lessons noise                     # those of a module
    python -m regviz.lessons noise.test_loss_is_a_u    # one claim
    python -m regviz.lessons noise --first-seed 20     # for the seeds 20 to 39, without writing

Each claim is computed for twenty seeds, on all cores, and ``regviz/lessons/table/`` is written if
they are the seeds of the table. A study that claims read is computed once before them. The exit
status is 1 if a claim holds in fewer than 18 seeds, or raises an exception.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from functools import partial

import torch

from regviz.engine import compiled
from regviz.lessons import results, study_results
from regviz.lessons.claim import LEAST_HELD, SEEDS, Claim, Result, all_claims, all_studies
from regviz.lessons.results import Record
from regviz.spec.validation import invalid, one_of
from regviz.studies.result import StudyResult


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
    start = time.perf_counter()
    studies = _studies(chosen, seeds)
    records: dict[str, Record] = {}
    failures = 0
    for claim, found in _results(chosen, seeds, studies, options.workers):
        if len(found) < len(seeds):
            failures += 1
            continue
        record = records[claim.name] = Record.of([found[seed] for seed in seeds])
        failures += record.n_held < LEAST_HELD
        _tell(claim, record, f"{len(records)} of {len(chosen)}", start)
    if seeds == SEEDS:
        _write(records, studies)
    return int(failures > 0)


def _studies(claims: Sequence[Claim], seeds: range) -> dict[str, StudyResult]:
    """Compute the studies that claims read, and return their results in the committed form.

    They have no store, which would keep the numbers of earlier programs.
    """
    of = all_studies()
    names = dict.fromkeys(name for claim in claims for name in claim.studies)
    return {
        name: study_results.committed_form(replace(of[name], seeds=tuple(seeds)).run())
        for name in names
    }


def _results(
    claims: Sequence[Claim], seeds: range, studies: dict[str, StudyResult], workers: int
) -> Iterator[tuple[Claim, dict[int, Result]]]:
    """Yield each claim with its results by seed, without those of seeds that raised an exception.

    Claims about studies read numbers, and are computed here; the others in worker processes.
    """
    networks = {name: study_results.networks(result) for name, result in studies.items()}
    for claim in (one for one in claims if one.studies):
        attempts = {
            seed: _result(partial(claim.of_seed, seed, networks), claim, seed) for seed in seeds
        }
        yield claim, {seed: result for seed, result in attempts.items() if result is not None}
    others = [one for one in claims if not one.studies]
    if not others:
        return
    left = {claim.name: len(seeds) for claim in others}
    found: dict[str, dict[int, Result]] = {claim.name: {} for claim in others}
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    with ProcessPoolExecutor(workers, context, _prepare) as pool:
        futures = {pool.submit(_compute, c.name, s): (c, s) for c in others for s in seeds}
        for future in as_completed(futures):
            claim, seed = futures[future]
            result = _result(future.result, claim, seed)
            if result is not None:
                found[claim.name][seed] = result
            left[claim.name] -= 1
            if not left[claim.name]:
                yield claim, found[claim.name]


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
    return all_claims()[name].of_seed(seed, {})


def _result(function: Callable[[], Result], claim: Claim, seed: int) -> Result | None:
    """Return the result of a function, or None with a message if it raises an exception."""
    try:
        return function()
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


def _write(records: dict[str, Record], studies: dict[str, StudyResult]) -> None:
    """Update the committed table. Records of claims that no longer exist are removed."""
    for name, result in studies.items():
        study_results.write(name, result)
    study_results.remove_others()
    names = [name.split(".", 1) for name in all_claims()]
    for module in {name.split(".")[0] for name in results.table()} | {m for m, _ in names}:
        kept = results.read(module)
        for name, record in records.items():
            if name.startswith(f"{module}."):
                kept[name.split(".", 1)[1]] = record
        order = [function for m, function in names if m == module]
        results.write(module, {name: kept[name] for name in order if name in kept})
