"""The board's JavaScript as one module, for widgets in notebooks.

Notebooks load a widget's module from a string, without a server that has other files, and may not
support import maps. So the module contains all others, compressed. It gives each a ``blob:`` URL
and replaces the imports by these URLs. All widgets of a page share the modules.
"""

import base64
import hashlib
import json
import re
import zlib
from functools import cache

from regviz.scenes.offline import PREFIX, named_modules, style_sheet

ENTRY = "notebook.js"
_IMPORTED = re.compile(rf'(?m)"({PREFIX}[\w./-]+\.js)";$')

TEXT = """\
// RegViz's board, from assets/board: modules and style sheets, compressed
const PACKED = "@packed@";

async function load() {
  const bytes = Uint8Array.from(atob(PACKED), (character) => character.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const { modules, css } = await new Response(unpacked).json();
  const urls = {};
  // each after those that it imports
  for (const [name, text] of modules) {
    const linked = text.replace(/"([\\w./-]+\\.js)";$/gm, (_, other) => `"${urls[other]}";`);
    urls[name] = URL.createObjectURL(new Blob([linked], { type: "text/javascript" }));
  }
  const { makeWidget } = await import(urls["@prefix@@entry@"]);
  for (const url of Object.values(urls)) URL.revokeObjectURL(url);
  return makeWidget(css);
}

const KEY = Symbol.for("@prefix@@digest@");
export default () => (globalThis[KEY] ??= load());
"""


@cache
def module_text() -> str:
    """Return the module, whose default export returns the widget as anywidget expects it."""
    texts = named_modules(ENTRY)
    content = {
        "modules": [(name, texts[name]) for name in in_order(texts, PREFIX + ENTRY)],
        "css": style_sheet("index.css", "notebook.css"),
    }
    packed = base64.b64encode(zlib.compress(json.dumps(content).encode(), 9)).decode()
    return (
        TEXT.replace("@prefix@", PREFIX)
        .replace("@entry@", ENTRY)
        .replace("@digest@", hashlib.sha256(packed.encode()).hexdigest()[:16])
        .replace("@packed@", packed)
    )


def in_order(texts: dict[str, str], entry: str) -> list[str]:
    """Return the names of modules, each after those that it imports, ``entry`` last.

    Parameters
    ----------
    texts : dict of str to str
        As `regviz.scenes.offline.named_modules` returns them.
    entry : str
        Name of the module that imports the others, directly or indirectly.
    """
    names: dict[str, None] = {}

    def visit(name: str) -> None:
        for found in _IMPORTED.finditer(texts[name]):
            if found[1] not in names:
                visit(found[1])
        names[name] = None

    visit(entry)
    return list(names)
