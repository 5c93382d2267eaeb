"""Write the lock files with the hashes of all wheels that the image can install: ``make lock``.

``requirements.lock`` has the pins of ``requirements.txt`` except torch, ``torch-cpu.lock`` the CPU
builds of torch, and ``torch-gpu.lock`` its builds from the default index with their additional
dependencies. All are wheels for Python 3.11 on Linux, for x86-64 and for 64-bit ARM.

The CPU builds are looked up in the index ``--extra-index-url``. Without it, ``torch-cpu.lock`` is
kept, and a new version of torch is an error.
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
GLIBC = range(28, 4, -1)  # minor versions: 2.28 and older
OLDER_NAMES = ("manylinux2014", "manylinux2010", "manylinux1")
HEAD = "# Written by `make lock`: {what}.\n--only-binary :all:\n"

Hashes = dict[str, set[str]]  # by pin "name==version": SHA-256 hashes of its wheels


def pins(path: Path) -> list[str]:
    """Return the pins of a requirements file, as ``name==version``."""
    matches = re.findall(r"^([\w.-]+==[\w.+!-]+)", path.read_text("utf-8"), re.MULTILINE)
    return [str(pin) for pin in matches]


def name_of(pin: str) -> str:
    """Return the normalized name of the package of a pin (PEP 503)."""
    return re.sub(r"[-_.]+", "-", pin.split("==")[0]).lower()


def read(path: Path) -> Hashes:
    """Return the hashes in a lock file, or an empty dict if it does not exist."""
    text = path.read_text("utf-8") if path.exists() else ""
    entries = re.findall(r"^(\S+==\S+)((?: \\\n    --hash=sha256:\w+)+)", text, re.MULTILINE)
    return {pin: set(re.findall(r"sha256:(\w+)", hashes)) for pin, hashes in entries}


def write(path: Path, what: str, hashes: Hashes) -> None:
    """Write a lock file in pip's format."""
    lines = [HEAD.format(what=what)]
    for pin, digests in sorted(hashes.items(), key=lambda entry: entry[0].lower()):
        lines.append(
            " \\\n    ".join([pin, *(f"--hash=sha256:{each}" for each in sorted(digests))])
        )
    path.write_text("\n".join(lines) + "\n", "utf-8")


def resolve(*options: str) -> list[dict[str, Any]]:
    """Return pip's report of the packages it would install; it downloads metadata only."""
    pip = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "install"]
    report = ["--dry-run", "--ignore-installed", "--only-binary", ":all:", "--report", "-"]
    done = subprocess.run([*pip, "--quiet", *report, *options], stdout=subprocess.PIPE, check=True)
    installed: list[dict[str, Any]] = json.loads(done.stdout)["install"]
    return installed


def wheel_hashes(wanted: list[str], *options: str) -> Hashes:
    """Return the hashes of the wheels of pins for all `MACHINES`."""
    hashes: Hashes = {}
    by_name = {name_of(pin): pin for pin in wanted}
    for machine in MACHINES:
        tags = [*(f"manylinux_2_{minor}" for minor in GLIBC), *OLDER_NAMES]
        target = [f"--platform={tag}_{machine}" for tag in tags]
        target += ["--python-version", PYTHON, "--target", "nowhere", "--no-deps", *options]
        for each in resolve(*target, *wanted):
            name = name_of(each["metadata"]["name"])
            digest = each["download_info"]["archive_info"]["hashes"]["sha256"]
            hashes.setdefault(by_name[name], set()).add(digest)
    return hashes


def main() -> None:
    """Look up the hashes and write the lock files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extra-index-url", help="an index with CPU builds of torch")
    index = parser.parse_args().extra_index_url

    wanted = pins(REQUIREMENTS)
    (torch,) = (pin for pin in wanted if name_of(pin) == "torch")
    wanted.remove(torch)
    write(LOCK, "requirements.txt without torch", wheel_hashes(wanted))

    cpu_pin = f"{torch}+cpu"
    if index:
        write(CPU, "torch's CPU builds", wheel_hashes([cpu_pin], "--extra-index-url", index))
    elif cpu_pin not in read(CPU):
        sys.exit(f"{cpu_pin} is new: make lock EXTRA_INDEX_URL=…, with an index that has it")

    locked_names = set(map(name_of, wanted))
    versions = {
        each["metadata"]["name"]: each["metadata"]["version"] for each in resolve(torch, *wanted)
    }
    additional = [
        f"{name}=={versions[name]}" for name in versions if name_of(name) not in locked_names
    ]
    write(
        GPU, "torch's builds for GPUs, with their additional dependencies", wheel_hashes(additional)
    )


if __name__ == "__main__":
    main()
