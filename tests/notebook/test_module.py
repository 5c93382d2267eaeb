"""Tests of the JavaScript module of a notebook's widget."""

import base64
import json
import re
import zlib

from regviz.notebook.module import in_order, module_text
from regviz.scenes.offline import named_modules


def content() -> dict:
    packed = re.search(r'const PACKED = "(.+)";', module_text())
    assert packed
    return json.loads(zlib.decompress(base64.b64decode(packed[1])))


def test_it_has_the_modules_of_the_board_each_after_those_that_it_imports():
    names, found = named_modules("notebook.js"), set[str]()
    for name, text in content()["modules"]:
        assert text == names[name]
        assert set(re.findall(r'from "(regviz/.+)";', text)) <= found
        found.add(name)
    assert found == {*names}


def test_it_has_the_styles_and_nothing_is_left_to_load():
    css = content()["css"]
    assert ".regviz-board .card" in css
    assert ".regviz-notebook" in css
    assert "@import" not in css
    assert "url(" not in css
    assert "@" not in re.sub(r'"[^"]{1000,}"', "", module_text())


def test_modules_that_several_import_come_once():
    texts = {
        "regviz/main.js": 'import "regviz/a.js";\nimport "regviz/b.js";',
        "regviz/a.js": 'import "regviz/c.js";',
        "regviz/b.js": 'import { x } from "regviz/c.js";',
        "regviz/c.js": "",
    }
    names = ["regviz/c.js", "regviz/a.js", "regviz/b.js", "regviz/main.js"]
    assert in_order(texts, "regviz/main.js") == names
