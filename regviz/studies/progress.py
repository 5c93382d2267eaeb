"""The progress of a study: on a terminal, in a notebook, in a log or as a callback."""

import html
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol, TextIO

LINE_SECONDS = 0.1  # between two states of the line on a terminal
DISPLAY_SECONDS = 0.5  # between two states of the display in a notebook
LOG_SECONDS = 30.0  # between two lines in a log


@dataclass(frozen=True)
class StudyProgress:
    """The state of a study that runs.

    Attributes
    ----------
    n_cells : int
        Number of cells of the study.
    n_done : int
        Number of finished cells, those from the store included.
    n_reused : int
        Number of cells that were in the store at the start.
    n_networks : int
        Number of networks of the cells that this run has computed.
    seconds : float
        Time since the start of the run.
    seconds_left : float or None
        Estimate of the time to the end; None if it is not known.
    n_workers : int
        Number of threads that compute cells: of this process, or of all workers of a cluster.
    n_failed : int
        Number of cells that failed.
    message : str
        Event to report, such as the loss of a worker; empty if there is none.

    Examples
    --------
    >>> from regviz.studies.progress import StudyProgress
    >>> print(StudyProgress(90, 12, 4, 1280, 2.0, 19.5, n_workers=2))
    12 of 90 cells (4 from the store), 640 networks a second, 20 s left, 2 threads
    """

    n_cells: int
    n_done: int
    n_reused: int = 0
    n_networks: int = 0
    seconds: float = 0.0
    seconds_left: float | None = None
    n_workers: int = 1
    n_failed: int = 0
    message: str = ""

    @property
    def complete(self) -> bool:
        """Whether all cells are finished or have failed."""
        return self.n_done + self.n_failed >= self.n_cells

    def __str__(self) -> str:
        parts = [f"{self.n_done:,} of {self.n_cells:,} cell{'s' * (self.n_cells > 1)}"]
        if self.n_reused:
            parts[0] += f" ({self.n_reused:,} from the store)"
        if self.n_failed:
            parts.append(f"{self.n_failed:,} failed")
        if self.n_networks and self.seconds > 0:
            rate = self.n_networks / self.seconds
            parts.append(f"{rate:,.0f} networks a second" if rate >= 1 else "under 1 a second")
        if self.complete:
            parts.append(f"{duration(self.seconds)} in all")
            return ", ".join(parts)
        if self.seconds_left is not None:
            parts.append(f"{duration(self.seconds_left)} left")
        parts.append(f"{self.n_workers:,} thread{'s' * (self.n_workers != 1)}")
        return ", ".join(parts)


class Meter:
    """Counts of a run, from which the events of its progress are made.

    Parameters
    ----------
    show : callable
        Called with a `StudyProgress` at each change.
    n_cells : int
        Number of cells of the study.
    n_reused : int
        Number of those that need not be computed.
    work : float
        Estimate of the seconds that the others take on one core.
    n_workers : int
    clock : callable
        Returns the time in seconds.
    """

    def __init__(
        self,
        show: Callable[[StudyProgress], object],
        n_cells: int,
        n_reused: int,
        work: float,
        n_workers: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._show, self._clock, self._start = show, clock, clock()
        self._work, self._work_done = work, 0.0
        self.state = StudyProgress(n_cells, n_reused, n_reused, n_workers=n_workers)
        self._tell()

    def done(self, n_networks: int, work: float) -> None:
        """Count a cell that was computed.

        Parameters
        ----------
        n_networks : int
            Number of its networks.
        work : float
            Its share of the estimate ``work`` of all cells.
        """
        self._work_done += work
        state = self.state
        self._tell(n_done=state.n_done + 1, n_networks=state.n_networks + n_networks)

    def failed(self, work: float, n_workers: int, message: str = "") -> None:
        """Count a cell that failed, with its share of ``work``, and report as `changed`."""
        self._work_done += work
        self._tell(n_failed=self.state.n_failed + 1, n_workers=n_workers, message=message)

    def changed(self, n_workers: int, message: str = "") -> None:
        """Report another number of threads, or an event."""
        self._tell(n_workers=n_workers, message=message)

    def _tell(self, **changes: Any) -> None:
        seconds = self._clock() - self._start
        self.state = replace(
            self.state,
            **{"message": ""} | changes,
            seconds=seconds,
        )
        self.state = replace(self.state, seconds_left=self._left(seconds))
        self._show(self.state)

    def _left(self, seconds: float) -> float | None:
        """Return the estimate of the time left: by what was done, or by the estimate of the work.

        Threads are taken as cores as long as no cell is finished.
        """
        state = self.state
        if self._work_done > 0:
            n_done = state.n_done - state.n_reused + state.n_failed
            n_left = state.n_cells - state.n_reused - n_done
            return seconds * share_left(
                self._work, self._work_done, n_done, n_left, state.n_workers
            )
        if state.n_workers:
            return max(self._work / state.n_workers - seconds, 0.0)
        return None


def share_left(work: float, work_done: float, n_done: int, n_left: int, n_workers: int) -> float:
    """Return the work that is left, as a multiple of the work that is done.

    Cells in progress count as half done, which they are on average, except that of the thread that
    has just finished one.

    Parameters
    ----------
    work : float
        Of all cells that are to be computed, those in the store not counted; in any unit.
    work_done : float
        Of those that are done or have failed; above 0.
    n_done : int
        Number of those that are done or have failed.
    n_left : int
        Number of the others.
    n_workers : int
        Number of threads, each of which computes one cell at a time.

    Returns
    -------
    float
        At least 0.

    Examples
    --------
    The first of 16 equal cells is done, and the second of two threads will end soon:

    >>> from regviz.studies.progress import share_left
    >>> round(share_left(16.0, 1.0, n_done=1, n_left=15, n_workers=2), 2)
    9.67
    """
    half_done = min(max(n_workers - 1, 0), n_left) / 2
    done = work_done * (1 + half_done / n_done)
    return max(work - done, 0.0) / done


class Display(Protocol):
    """A place where the progress of a study is shown."""

    def show(self, progress: StudyProgress) -> None:
        """Show a state."""

    def close(self) -> None:
        """Called after the last state, and after an interruption."""


@contextmanager
def shown(
    progress: Callable[[StudyProgress], object] | None,
) -> Iterator[Callable[[StudyProgress], object]]:
    """Show the progress of a run.

    Parameters
    ----------
    progress : callable or None
        Called with each state. None shows the states: in a notebook in a display of their own, on a
        terminal in a line that is cleared at the end, and elsewhere in a line of stderr every
        `LOG_SECONDS`.

    Yields
    ------
    callable
        To be called with each `StudyProgress`.
    """
    if progress is not None:
        yield progress
        return
    display = _display()
    try:
        yield display.show
    finally:
        display.close()


def _display() -> Display:
    """Return the display that fits where Python runs."""
    ipython = sys.modules.get("IPython")  # imported only by who uses it
    shell = None if ipython is None else ipython.get_ipython()
    if hasattr(shell, "kernel"):
        return NotebookDisplay()
    return LineDisplay() if sys.stderr.isatty() else LogDisplay()


class Line:
    """A line on a terminal that is replaced by the next.

    Parameters
    ----------
    stream : TextIO, optional
        By default stderr. Nothing is written if it is no terminal.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = sys.stderr if stream is None else stream
        self.shown = self.stream.isatty()
        self._width = 0

    def write(self, text: str) -> None:
        """Replace the line; an empty text clears it."""
        if self.shown:
            # a line that wraps would stay, as \r returns to the start of its last part
            text = text[: shutil.get_terminal_size().columns - 1]
            self.stream.write(f"\r{text.ljust(self._width)}" + "\r" * (not text))
            self.stream.flush()
            self._width = len(text)


class LineDisplay:
    """A line on a terminal; messages stay above it."""

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._line, self._clock, self._due = Line(stream), clock, 0.0

    def show(self, progress: StudyProgress) -> None:
        """Write the line, if the last one is `LINE_SECONDS` old."""
        if progress.message:
            self._line.write("")
            print(f"note: {progress.message}", file=self._line.stream, flush=True)
        elif self._clock() < self._due:
            return
        self._due = self._clock() + LINE_SECONDS
        self._line.write(f"Study: {progress}")

    def close(self) -> None:
        """Clear the line."""
        self._line.write("")


class LogDisplay:
    """A line of a file or pipe now and then."""

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._clock, self._due = clock, clock() + LOG_SECONDS

    def show(self, progress: StudyProgress) -> None:
        """Write a message, and the first state after each `LOG_SECONDS`."""
        if progress.message:
            print(f"note: {progress.message}", file=self._stream, flush=True)
        if self._clock() >= self._due:
            self._due = self._clock() + LOG_SECONDS
            print(f"note: {progress}", file=self._stream, flush=True)

    def close(self) -> None:
        """Do nothing: each line is complete."""


class NotebookDisplay:
    """A bar and a text below the notebook's cell, which are replaced in place."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._due = clock, 0.0
        self._handle: Any = None
        self._messages: list[str] = []
        self._last: StudyProgress | None = None

    def show(self, progress: StudyProgress) -> None:
        """Show a state, if the last one is `DISPLAY_SECONDS` old."""
        self._last = progress
        if progress.message:
            self._messages = [*self._messages, progress.message][-5:]
        elif self._clock() < self._due:
            return
        self._due = self._clock() + DISPLAY_SECONDS
        self._write(progress)

    def close(self) -> None:
        """Show the last state."""
        if self._last is not None:
            self._write(self._last)

    def _write(self, progress: StudyProgress) -> None:
        from IPython.display import display

        content = {
            "text/plain": "\n".join([f"Study: {progress}", *self._messages]),
            "text/html": as_html(progress, self._messages),
        }
        if self._handle is None:
            self._handle = display(content, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(content, raw=True)


def as_html(progress: StudyProgress, messages: list[str]) -> str:
    """Return a state as HTML: a bar with a name, the text, and the last messages."""
    text = html.escape(str(progress))
    bar = (
        f'<progress aria-label="Cells of the study" max="{max(progress.n_cells, 1)}"'
        f' value="{progress.n_done}" style="width: 16em">{text}</progress>'
    )
    rows = "".join(f"<div>{html.escape(message)}</div>" for message in messages)
    return (
        '<div style="font-family: var(--jp-ui-font-family, sans-serif)">'
        f'<div style="display: flex; flex-wrap: wrap; gap: 0.3em 1em">{bar}'
        f'<span style="font-variant-numeric: tabular-nums">{text}</span></div>{rows}</div>'
    )


def duration(seconds: float) -> str:
    """Return a duration in words.

    Examples
    --------
    >>> from regviz.studies.progress import duration
    >>> duration(80), duration(700), duration(90_000)
    ('80 s', '12 min', '25 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"
