"""The server starts with what its operator asks for, or says what is wrong and does not."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_a_setting_that_is_wrong_is_told_in_a_line():
    ended = subprocess.run(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", "0"],
        cwd=ROOT,
        env=os.environ | {"REGVIZ_SESSIONS": "many"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    said = ended.stdout + ended.stderr
    assert "RegViz cannot start: REGVIZ_SESSIONS must be a whole number, got 'many'" in said
    assert "Traceback" not in said
