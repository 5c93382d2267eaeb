"""Install the browsers for the tests that are missing: ``python devtools/browsers.py``.

Chromium is Debian's if it can be installed (as root), else Playwright's. The build without windows,
``chromium-headless-shell``, comes first, as it takes less processor time.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

# a script's own folder is on the module path, but the repository's root is not
sys.path.insert(0, str(Path(__file__).parents[1]))
from devtools.engines import find_firefox, find_webkit

HEADLESS = "chromium-headless-shell"
OTHERS = (
    ("Firefox", find_firefox, ["firefox-esr"]),
    ("WebKitGTK with its driver and Xvfb", find_webkit, ["webkit2gtk-driver", "xvfb"]),
)


def find_chromium() -> str | None:
    """Return the path of Chromium, or None if it is not installed."""
    for name in (HEADLESS, "chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def main() -> None:
    """Install the browsers that are missing; exit with a message if Chromium is then missing."""
    install_chromium()
    for name, find, packages in OTHERS:
        if not find() and shutil.which("apt-get") and os.geteuid() == 0:
            print(f"No {name} for the tests: apt-get install", *packages, flush=True)
            subprocess.run(["apt-get", "update", "-qq"], check=False)
            install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
            subprocess.run(install, check=False)
        if not find():
            print(
                f"{name} could not be installed, so its tests are skipped. Install it with your"
                f" system's package manager to run them (Debian: {' '.join(packages)})."
            )


def install_chromium() -> None:
    """Install Chromium if it is missing; exit with a message if that fails."""
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
