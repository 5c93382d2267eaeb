"""Install a browser for the tests where none is found: ``python tests/browser/install.py``.

Debian's Chromium where that can be installed (as root), else Playwright's own. Without a window of
its own (``chromium-headless-shell``) it leaves a busy processor more time for the page.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

HEADLESS = "chromium-headless-shell"


def find_chromium() -> str | None:
    """Path of a Chromium that can be started, or None."""
    for name in (HEADLESS, "chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def main() -> None:
    """Install a browser unless there is one; exit with a message if that fails."""
    if find_chromium():
        return
    if shutil.which("apt-get") and os.geteuid() == 0:
        install = ["apt-get", "install", "-y", "-qq"]
        commands = [["apt-get", "update", "-qq"], [*install, HEADLESS], [*install, "chromium"]]
    else:
        commands = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    for command in commands:
        print("No browser for the tests:", *command, flush=True)
        subprocess.run(command, check=False)
        if find_chromium():
            return
    sys.exit(
        "The browser tests need Chromium, and it could not be installed."
        " Install it with your system's package manager, then run make test again."
    )


if __name__ == "__main__":
    main()
