"""Tests of the line of progress, and of a reader that ends early."""

import io
import os
import subprocess
import sys

from regviz.cli.progress import Progress


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def test_the_line_has_the_share_and_the_time_left_and_is_cleared():
    seconds = iter([0.0, 0.3, 0.35, 2.0, 20.0])
    terminal = Terminal()
    with Progress("Training", 1000, terminal, lambda: next(seconds)) as progress:
        for _ in range(4):
            progress.step()
    lines = terminal.getvalue().split("\r")
    # three epochs of a thousand took 2 s, and the rest takes 332 times as long
    assert lines[1:4] == ["Training: 0%", "Training: 0%, 11 min left", "Training: 0%, 83 min left"]
    assert lines[4] == " " * len(lines[3])
    assert lines[5] == ""


def test_a_file_has_the_size_of_the_training_and_no_progress():
    file = io.StringIO()
    with Progress("Training 5 networks", 2000, file) as progress:
        progress.announce(7300)
        progress.step()
    assert file.getvalue() == "note: Training 5 networks for 2,000 epochs: about 2 h on one core.\n"


def test_a_reader_that_ends_early_ends_the_command_quietly():
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "regviz", "train", "--help"]
    # argparse ignores the error where its text is not buffered
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, env=buffered, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")
