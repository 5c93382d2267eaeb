"""Tests of the programs in docs/howto/notebooks.md."""

from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from tests.support.papers import blocks

PAPER = "docs/howto/notebooks.md"


def test_the_guides_programs_run_in_their_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    with redirect_stdout(StringIO()):  # of the widget that `watch` displays
        for block in blocks(PAPER, "python"):
            exec(block, names)
    assert (tmp_path / "run.png").read_bytes()[1:4] == b"PNG"
    assert names["history"].complete
    assert names["shown"].levels["l2"] == 0.01
    none, *penalized = names["history"].metrics["test_loss"][-1]
    assert max(penalized) < none
