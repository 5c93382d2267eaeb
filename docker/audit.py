"""Look up the known vulnerabilities of every package that an image may be installed from.

``make audit`` runs this with the Python that pip-audit is installed for. It queries pip-audit's
default vulnerability service and, if that one does not answer for every package, the OSV
database. An index mirror often serves files but no vulnerability data: pip-audit then reports its
first package as not found, or, without ``--strict``, that it found nothing. ``PIP_AUDIT_OSV_URL``
names another server with the interface of the OSV database.

The exit status is 0 if every package was looked up and none is vulnerable, 1 if some are, and 2 if
no service answered for every package.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LOCKS = (HERE / "requirements.lock", HERE / "torch-gpu.lock")
SERVICES = ("pypi", "osv")  # in the order of the attempts
VULNERABLE, NOT_LOOKED_UP = 1, 2

Packages = list[dict[str, Any]]  # as in pip-audit's JSON report


class Incomplete(Exception):
    """A vulnerability service did not answer for every package."""


def look_up(service: str) -> Packages:
    """Return the packages of `LOCKS` with their known vulnerabilities, from one service.

    Parameters
    ----------
    service : str
        A value of ``pip-audit --vulnerability-service``.

    Raises
    ------
    Incomplete
        If the service cannot be reached or does not know every package; the message says which.
    """
    command = [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip"]
    command += ["--progress-spinner", "off", "--format", "json"]
    command += ["--vulnerability-service", service]
    for lock in LOCKS:
        command += ["--requirement", str(lock)]
    # pip-audit exits with 1 for vulnerabilities and for failures; only the former have a report
    ended = subprocess.run(command, capture_output=True, text=True)
    try:
        packages: Packages = json.loads(ended.stdout)["dependencies"]
    except (ValueError, KeyError):
        lines = ended.stderr.strip().splitlines() or [f"exit status {ended.returncode}"]
        raise Incomplete(f"pip-audit failed: {lines[-1]}") from None
    if not packages:
        raise Incomplete("pip-audit reported no package")
    skipped = [package for package in packages if "vulns" not in package]
    if skipped:
        first = skipped[0]
        reason = first.get("skip_reason", first["name"])
        count = f"{len(skipped)} of {len(packages)} packages were not looked up"
        raise Incomplete(f"{count}; the first: {reason}")
    return packages


def report(packages: Packages) -> list[str]:
    """Return one line for each known vulnerability: package, identifier and fixed versions."""
    return [
        f"{package['name']} {package['version']}: {found['id']}, "
        f"fixed in {', '.join(found['fix_versions']) or 'no version yet'}"
        for package in packages
        for found in package["vulns"]
    ]


def main() -> int:
    """Query the services until one knows every package, and return the exit status."""
    failures = []
    for service in SERVICES:
        try:
            packages = look_up(service)
        except Incomplete as error:
            failures.append(f"  {service}: {error}")
            continue
        found = report(packages)
        print("\n".join(found) or "No known vulnerabilities.")
        print(f"{len(packages)} packages were looked up with the service {service!r}.")
        return VULNERABLE if found else 0
    print(
        "No vulnerability service answered for every package:", *failures, sep="\n", file=sys.stderr
    )
    advice = "Run this where one can be reached, or name a mirror of OSV in PIP_AUDIT_OSV_URL."
    print(advice, file=sys.stderr)
    return NOT_LOOKED_UP


if __name__ == "__main__":
    sys.exit(main())
