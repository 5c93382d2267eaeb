"""Measure a server under load: visitors who open one link, change settings, or are idle.

    python -m benchmarks.serve                     all loads; takes about twenty minutes
    python -m benchmarks.serve --load same-link    one of them
    python -m benchmarks.serve --load changes --minutes 1

Each load has a new server on the same machine as the visitors. All visitors but one are synthetic
(`benchmarks.visitors`), with the page's files in their caches. The other is a real browser, whose
times include downloading these files and drawing. A recording that does not arrive counts as
infinitely slow. The use of processors is in cores. Linux only: memory is read from ``/proc``.
"""

import argparse
import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass

from benchmarks.crowd import APP, NAIVE, WAIT, Crowd, there
from benchmarks.screens import Board, Showing
from benchmarks.server import Server
from benchmarks.tables import Row, drawn, quantile, show, times
from benchmarks.visitors import Visitor

SHARED = "v=1&seed=77"  # a link whose run is not cached
SETTLE = 45.0  # seconds after which maintenance is done and an idle server is at rest
LEAVE = 300.0  # seconds within which memory has to return
BACK = 1.1  # memory afterwards, in units of that before
STARTS = 5
NEWCOMERS = 5
NAIVE_MINUTES = 1.0  # enough for a ratio


@dataclass
class Options:
    """Options of the command line.

    Attributes
    ----------
    visitors, idle : int
        Number of visitors who open a link and change settings, and number of idle visitors.
    minutes : float
        Duration of the changes.
    every : float
        Seconds between two changes of one visitor.
    port : int
    browser : bool
        Whether one of the visitors is a real browser.
    """

    visitors: int
    idle: int
    minutes: float
    every: float
    port: int
    browser: bool


async def start(options: Options) -> list[Showing]:
    """Measure the time from the start of the server to the first picture."""
    showings = []
    errors: list[str] = []
    for _ in range(STARTS):
        began = time.perf_counter()
        with Server(APP, options.port) as server:
            visitor = Visitor(server.address, Board)
            showing = await visitor.open()
            while not there(showing) and time.perf_counter() - began < WAIT:
                await asyncio.sleep(0.01)
            if showing.first is not None:
                showing.first += showing.asked - began
            showings.append(showing)
            errors += visitor.errors
            await visitor.close()
            errors += server.tracebacks()
    taken = [showing.first for showing in showings]
    rows = [
        Row("first picture, median", quantile(taken, 0.5), beyond=WAIT),
        Row("first picture, slowest", quantile(taken, 1), target=6, beyond=WAIT),
    ]
    show(f"Start of the process, {STARTS} times", rows, errors)
    return showings


async def same_link(options: Options, script: str = APP, full: bool = False) -> list[Showing]:
    """Measure the times of visitors who open the same link at once.

    Parameters
    ----------
    options : Options
    script : str
        The script to serve.
    full : bool
        Whether synthetic visitors also have empty caches, and download the files that the real
        browser does.

    Returns
    -------
    list of Showing
        Times of the synthetic visitors.
    """
    with_browser = options.browser and script == APP
    async with Crowd(script, options.port, with_browser or full) as crowd:
        files: tuple[str, ...] = ()
        if full and crowd.browser is not None:
            await crowd.browser.open("")
            files = tuple(crowd.browser.files)
            await asyncio.sleep(5)
        crowd.come(options.visitors - with_browser)
        crowd.begin()
        seen = None
        if crowd.browser is not None and not full:
            seen = asyncio.create_task(crowd.browser.open(SHARED))
        showings = await crowd.open(SHARED, files)
        await crowd.wait(showings)
        browser = drawn([await seen], WAIT) if seen is not None else []
        title = f"{options.visitors} visitors open the same link at once"
        first: float | None = 2.0 if full else 1.0
        if script == NAIVE:
            title, first = f"The naive page: {title}", None
        elif full:
            title += f", each with an empty cache: {len(files)} files"
        rows = times(showings, WAIT, first)
        if script == APP:
            rows.append(Row("trainings", crowd.trained(), "", 1))
        show(title, rows + browser + crowd.processors(), crowd.errors())
    return showings


async def changes(options: Options, script: str = APP) -> list[Showing]:
    """Measure the times of visitors who each change the seed every few seconds; then all leave.

    Returns
    -------
    list of Showing
        Times of the synthetic visitors' changes.
    """
    with_browser = options.browser and script == APP
    minutes = options.minutes if script == APP else min(options.minutes, NAIVE_MINUTES)
    async with Crowd(script, options.port, with_browser) as crowd:
        before = await settled(crowd) if script == APP else 0.0
        visitors = crowd.come(options.visitors - with_browser)
        opened = await crowd.open("")
        if crowd.browser is not None:
            await crowd.browser.open("")
        await crowd.wait(opened)
        crowd.begin()
        end = time.perf_counter() + 60 * minutes

        async def experiment(
            who: int, change: Callable[[int], Awaitable[Showing]]
        ) -> list[Showing]:
            """Change the seed of one visitor repeatedly, each time to a new one."""
            next_ = time.perf_counter() + options.every * who / options.visitors
            made: list[Showing] = []
            while next_ < end:
                await asyncio.sleep(next_ - time.perf_counter())
                made.append(await change(1000 * (who + 1) + len(made)))
                # later than planned if the last change took longer
                next_ = max(next_ + options.every, time.perf_counter())
            return made

        def seed(visitor: Visitor) -> Callable[[int], Awaitable[Showing]]:
            return lambda value: visitor.change("seed", value)

        working = [experiment(who, seed(visitor)) for who, visitor in enumerate(visitors)]
        if crowd.browser is not None:
            working.append(experiment(len(visitors), crowd.browser.change))
        made = await asyncio.gather(*working)
        await asyncio.sleep(options.every)
        showings = [showing for visitor in made[: len(visitors)] for showing in visitor]
        title = (
            f"{options.visitors} visitors, each a different change every {options.every:g} s,"
            f" for {minutes:g} min: {sum(map(len, made))} changes"
        )
        if script == NAIVE:
            rows = times(showings, options.every) + crowd.processors()
            show(f"The naive page: {title}", rows, crowd.errors())
            return showings
        rows = times(showings, options.every, first=0.3, whole=3)
        rows += drawn(made[-1], WAIT) if crowd.browser is not None else []
        rows += [
            Row("messages to wait, and warnings", crowd.n_alerts(), "", 0),
            Row("trainings that ended or were cancelled", crowd.trained(), ""),
            *crowd.processors(),
        ]
        show(title, rows, crowd.errors())
        await leaving(crowd, before)
    return showings


async def idle(options: Options) -> list[Showing]:
    """Measure memory with many idle visitors, and the times of new ones; then all leave."""
    async with Crowd(APP, options.port, False) as crowd:
        before = await settled(crowd)
        crowd.come(options.idle)
        showings = await crowd.open("")
        await crowd.wait(showings)
        await asyncio.sleep(SETTLE)
        each = (crowd.server.memory() - before) / options.idle
        opened: list[Showing] = []
        for n in range(NEWCOMERS):
            (newcomer,) = crowd.come(1)
            showing = await newcomer.open(f"v=1&seed={9000 + n}")
            await crowd.wait([showing])
            opened.append(showing)
        first = [showing.first for showing in opened]
        rows = [
            Row("memory of each", each, "MiB", 8),
            Row("newcomer's first picture, median", quantile(first, 0.5), beyond=WAIT),
            Row("newcomer's first picture, slowest", quantile(first, 1), target=1, beyond=WAIT),
            Row("threads of the server", crowd.server.threads(), ""),
        ]
        title = f"{options.idle} idle visitors, and {NEWCOMERS} newcomers with links of their own"
        show(title, rows, crowd.errors())
        await leaving(crowd, before)
    return opened


async def settled(crowd: Crowd) -> float:
    """Return the memory of the server at rest, in MiB."""
    await asyncio.sleep(SETTLE)
    return crowd.server.memory()


async def leaving(crowd: Crowd, before: float) -> None:
    """Measure the time after all have left until memory has returned, for at most `LEAVE`."""
    most = crowd.server.memory()
    n_visitors = len(crowd.visitors) + (crowd.browser is not None)
    await crowd.leave()
    if crowd.browser is not None:
        await crowd.browser.leave()
    began = time.perf_counter()
    while (now := crowd.server.memory()) > BACK * before and time.perf_counter() - began < LEAVE:
        await asyncio.sleep(2)
    taken = time.perf_counter() - began if now <= BACK * before else None
    rows = [
        Row("memory before", before, "MiB"),
        Row("memory with all", most, "MiB"),
        Row("memory afterwards", now, "MiB", round(BACK * before, 1)),
        Row("time for that", quantile([taken], 1), target=LEAVE, beyond=LEAVE),
    ]
    show(f"All {n_visitors} leave", rows, crowd.errors())


async def compare(options: Options, here: dict[str, list[Showing]]) -> None:
    """Measure the naive page under the same loads, and print the ratios of waiting times.

    Parameters
    ----------
    options : Options
    here : dict of str to list of Showing
        Times of RegViz by load; missing ones are measured now.
    """
    for name, load, beyond in (
        ("same-link", same_link, WAIT),
        ("changes", changes, options.every),
    ):
        naive = [showing.first for showing in await load(options, NAIVE)]
        regviz = [showing.first for showing in here.get(name) or await load(options)]
        for share, statistic in ((0.5, "median"), (0.95, "p95")):
            slow, fast = quantile(naive, share), quantile(regviz, share)
            least = "more than " if math.isinf(slow) else ""
            text = f"{least}{min(slow, beyond) / fast:.0f} times as long"
            print(f"  first picture, {statistic}: the naive page takes {text}", flush=True)


LOADS: dict[str, Callable[[Options], Coroutine[None, None, list[Showing]]]] = {
    "start": start,
    "same-link": same_link,
    "empty-caches": lambda options: same_link(options, full=True),
    "changes": changes,
    "idle": idle,
}
NAIVELY = "naive"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--load", choices=[*LOADS, NAIVELY], nargs="+", help="by default all")
    parser.add_argument("--visitors", type=int, default=30)
    parser.add_argument("--idle", type=int, default=100, help="visitors who are idle")
    parser.add_argument("--minutes", type=float, default=5.0, help="of changes")
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two changes")
    parser.add_argument("--port", type=int, default=8650)
    parser.add_argument("--no-browser", dest="browser", action="store_false")
    chosen = vars(parser.parse_args())
    loads = chosen.pop("load") or [*LOADS, NAIVELY]
    options = Options(**chosen)
    made = {name: asyncio.run(LOADS[name](options)) for name in loads if name in LOADS}
    if NAIVELY in loads:
        asyncio.run(compare(options, made))


if __name__ == "__main__":
    main()
