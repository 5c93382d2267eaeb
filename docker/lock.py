"""Write down the hash of every file that an image may be installed from: ``make lock``.

``requirements.lock`` has all that ``requirements.txt`` pins but torch, ``torch-cpu.lock`` torch's
small builds, and ``torch-gpu.lock`` those of the usual index with all that they ask for besides. It
is the wheels for Python 3.11 on Linux, on both kinds of machines, and nothing to be compiled.

The small builds are looked up with ``--extra-index-url``. Without it, those that are written down
already stay for as long as torch's version does.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
REQUIREMENTS = HERE.parent / "requirements.txt"
LOCK, CPU, GPU = (HERE / f"{name}.lock" for name in ("requirements", "torch-cpu", "torch-gpu"))
PYTHON = "3.11"
MACHINES = ("x86_64", "aarch64")
GLIBC = range(28, 4, -1)  # 2.28 and all older ones that wheels are built for
OLDER_NAMES = ("manylinux2014", "manylinux2010", "manylinux1")
HEAD = "# Written by `make lock`: {what}.\n--only-binary :all:\n"

Hashes = dict[str, set[str]]  # "name==version": its files' hashes


def pins(path: Path) -> list[str]:
    """The pins of a file, as ``name==version``."""
    found = re.findall(r"^([\w.-]+==[\w.+!-]+)", path.read_text("utf-8"), re.MULTILINE)
    return [str(pin) for pin in found]


def name_of(pin: str) -> str:
    """A package's name, of its pin, in the one form that all its spellings share."""
    return re.sub(r"[-_.]+", "-", pin.split("==")[0]).lower()


def read(path: Path) -> Hashes:
    """The hashes of a file that this wrote; none if it is not there."""
    text = path.read_text("utf-8") if path.exists() else ""
    entries = re.findall(r"^(\S+==\S+)((?: \\\n    --hash=sha256:\w+)+)", text, re.MULTILINE)
    return {pin: set(re.findall(r"sha256:(\w+)", hashes)) for pin, hashes in entries}


def write(path: Path, what: str, hashes: Hashes) -> None:
    """Write hashes as pip reads them."""
    lines = [HEAD.format(what=what)]
    for pin, found in sorted(hashes.items(), key=lambda entry: entry[0].lower()):
        lines.append(" \\\n    ".join([pin, *(f"--hash=sha256:{each}" for each in sorted(found))]))
    path.write_text("\n".join(lines) + "\n", "utf-8")


def asked(*options: str) -> list[dict[str, Any]]:
    """What pip would install; it downloads no more than what the packages say of themselves."""
    pip = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "install"]
    report = ["--dry-run", "--ignore-installed", "--only-binary", ":all:", "--report", "-"]
    done = subprocess.run([*pip, "--quiet", *report, *options], stdout=subprocess.PIPE, check=True)
    installed: list[dict[str, Any]] = json.loads(done.stdout)["install"]
    return installed


def looked_up(wanted: list[str], *options: str) -> Hashes:
    """The hash of each one's wheel for every machine."""
    hashes: Hashes = {}
    by_name = {name_of(pin): pin for pin in wanted}
    for machine in MACHINES:
        tags = [*(f"manylinux_2_{minor}" for minor in GLIBC), *OLDER_NAMES]
        target = [f"--platform={tag}_{machine}" for tag in tags]
        target += ["--python-version", PYTHON, "--target", "nowhere", "--no-deps", *options]
        for each in asked(*target, *wanted):
            name = name_of(each["metadata"]["name"])
            digest = each["download_info"]["archive_info"]["hashes"]["sha256"]
            hashes.setdefault(by_name[name], set()).add(digest)
    return hashes


def main() -> None:
    """Look everything up and write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extra-index-url", help="an index with CPU builds of torch")
    index = parser.parse_args().extra_index_url

    wanted = pins(REQUIREMENTS)
    (torch,) = (pin for pin in wanted if name_of(pin) == "torch")
    wanted.remove(torch)
    write(LOCK, "requirements.txt without torch", looked_up(wanted))

    small = f"{torch}+cpu"
    if index:
        write(CPU, "torch's small builds", looked_up([small], "--extra-index-url", index))
    elif small not in read(CPU):
        sys.exit(f"{small} is new: make lock EXTRA_INDEX_URL=…, with an index that has it")

    known = set(map(name_of, wanted))
    found = {
        each["metadata"]["name"]: each["metadata"]["version"] for each in asked(torch, *wanted)
    }
    besides = [f"{name}=={found[name]}" for name in found if name_of(name) not in known]
    write(GPU, "torch's builds for GPUs, and what they ask for besides", looked_up(besides))


if __name__ == "__main__":
    main()
