"""Tests of the progress of a study in its places."""

import io
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from regviz.studies.progress import (
    LineDisplay,
    LogDisplay,
    Meter,
    NotebookDisplay,
    StudyProgress,
    share_left,
    shown,
)


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_time_left_follows_the_work_that_is_done():
    clock, states = Clock(), []
    meter = Meter(states.append, n_cells=10, n_reused=4, work=60.0, n_workers=2, clock=clock)
    assert str(states[-1]) == "4 of 10 cells (4 from the store), 30 s left, 2 threads"
    clock.now = 4.0
    # a sixth of the work and half a cell of the other thread, which is a quarter of all, in 4 s
    meter.done(n_networks=400, work=10.0)
    assert str(states[-1]) == (
        "5 of 10 cells (4 from the store), 100 networks a second, 12 s left, 2 threads"
    )
    meter.failed(10.0, n_workers=1, message="Worker 2 is lost.")
    assert (states[-1].n_workers, states[-1].message) == (1, "Worker 2 is lost.")
    for _ in range(4):
        meter.done(n_networks=400, work=10.0)
    assert states[-1].complete
    assert states[-1].message == ""
    assert str(states[-1]).endswith(", 1 failed, 500 networks a second, 4 s in all")


def test_the_work_of_failed_cells_is_not_left():
    clock, states = Clock(), list[StudyProgress]()
    meter = Meter(states.append, n_cells=10, n_reused=0, work=10.0, clock=clock)
    for number in range(9):
        clock.now += 1.0
        if number % 2:
            meter.done(n_networks=4, work=1.0)
        else:
            meter.failed(work=1.0, n_workers=1)
    assert (states[-1].n_done, states[-1].n_failed) == (4, 5)
    assert states[-1].seconds_left == pytest.approx(1.0)


@pytest.mark.parametrize("n_workers", [1, 2, 7, 100])
def test_the_work_left_is_exact_where_threads_finish_in_turn(n_workers: int):
    n_cells, each = 1000, 2.0
    for n_done in range(n_workers, n_cells - n_workers):
        # that of the thread which has just finished has begun, the next one's is nearly done
        others = each * sum(turn / n_workers for turn in range(n_workers))
        expected = (n_cells * each) / (n_done * each + others) - 1
        left = share_left(n_cells * each, n_done * each, n_done, n_cells - n_done, n_workers)
        assert left == pytest.approx(expected)


def test_a_terminal_has_one_line_that_is_cleared_and_messages_stay(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("COLUMNS", "30")
    terminal, clock = Terminal(), Clock()
    display = LineDisplay(terminal, clock)
    clock.now = 1.0
    display.show(StudyProgress(10, 1))
    display.show(StudyProgress(10, 2))  # at once: not shown
    display.show(StudyProgress(10, 3, message="Worker 2 is lost."))
    display.close()
    first, message = "Study: 1 of 10 cells, 1 thread"[:29], "note: Worker 2 is lost.\n"
    last = "Study: 3 of 10 cells, 1 thread"[:29]
    blank = " " * 29
    assert terminal.getvalue() == f"\r{first}\r{blank}\r{message}\r{last}\r{blank}\r"


def test_a_log_has_a_line_now_and_then():
    file, clock = io.StringIO(), Clock()
    display = LogDisplay(file, clock)
    for seconds in range(100):
        clock.now = float(seconds)
        display.show(StudyProgress(100, seconds))
    assert [line[:24] for line in file.getvalue().splitlines()] == [
        f"note: {n} of 100 cells, 1" for n in (30, 60, 90)
    ]


def test_a_notebook_has_one_display_that_is_updated(monkeypatch: pytest.MonkeyPatch):
    written: list[tuple[str, Any]] = []
    handle = SimpleNamespace(update=lambda content, raw: written.append(("update", content)))

    def display(content: Any, raw: bool, display_id: bool) -> Any:
        written.append(("display", content))
        return handle

    shell = SimpleNamespace(kernel=True)
    monkeypatch.setitem(
        sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell, display=None)
    )
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    with shown(None) as show:
        show(StudyProgress(8, 1))
        show(StudyProgress(8, 2))  # at once: shown at the end
    assert [kind for kind, _ in written] == ["display", "update"]
    content = written[-1][1]
    assert '<progress aria-label="Cells of the study" max="8" value="2"' in content["text/html"]
    assert content["text/plain"] == "Study: 2 of 8 cells, 1 thread"
    clock = Clock()
    shown_again = NotebookDisplay(clock)
    clock.now = 1.0
    shown_again.show(StudyProgress(8, 1, message="<lost>"))
    assert "<div>&lt;lost&gt;</div>" in written[-1][1]["text/html"]


def test_a_callback_gets_each_state_and_nothing_is_written(capsys: pytest.CaptureFixture[str]):
    states: list[StudyProgress] = []
    with shown(states.append) as show:
        show(StudyProgress(2, 0))
    assert states == [StudyProgress(2, 0)]
    assert capsys.readouterr() == ("", "")
