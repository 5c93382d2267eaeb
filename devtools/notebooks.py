"""Execute the notebooks of ``examples/`` and save them: ``python -m devtools.notebooks``.

Saved outputs are text, tables and pictures, which code hosts show as well. Plotly figures become
pictures, drawn by Chromium; widgets leave the picture that they have for pages without scripts.
"""

import argparse
import base64
import io
import json
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from plotly.offline import get_plotlyjs

from devtools.browsers import find_chromium
from devtools.serving import ROOT

NOTEBOOKS = tuple(sorted((ROOT / "examples").glob("*.ipynb")))
CELL_SECONDS = 120
PLOTLY = "application/vnd.plotly.v1+json"
KEPT = ("text/plain", "text/html", "image/png")  # types of outputs
N_COLOURS = 128  # of the pictures of Plotly figures
PLOTLY_SIZE = {"width": 760, "height": 400}  # in pixels, of a figure without a size of its own
DRAW = """([figure, size]) => Plotly.toImage(
  { data: figure.data, layout: { ...size, ...figure.layout } }, { format: "png", scale: 1.5 })"""


def execute(notebooks: Sequence[NotebookNode]) -> None:
    """Execute notebooks in place, one after another in one kernel, in an empty folder.

    The names of a notebook are deleted before the next one. Modules are imported once, which takes
    most of the time.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell raises an exception.
    """
    cells = []
    for notebook in notebooks:
        cells += [*notebook.cells, nbformat.v4.new_code_cell("%reset -f")]
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(ROOT)  # as if installed
    try:
        with tempfile.TemporaryDirectory() as folder:
            NotebookClient(
                nbformat.v4.new_notebook(cells=cells),
                timeout=CELL_SECONDS,
                resources={"metadata": {"path": folder}},
                coalesce_streams=True,
                record_timing=False,
                store_widget_state=False,
            ).execute()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def cleaned(notebook: NotebookNode) -> NotebookNode:
    """Return an executed notebook without what differs between machines and runs."""
    clean = nbformat.from_dict(json.loads(json.dumps(notebook)))
    clean.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for count, cell in enumerate((c for c in clean.cells if c.cell_type == "code"), 1):
        cell.metadata = NotebookNode()
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
            if "data" in output:
                output.metadata = NotebookNode()
                kinds = (*KEPT, PLOTLY)
                output.data = NotebookNode({k: v for k, v in output.data.items() if k in kinds})
                if text := output.data.get("text/plain"):
                    output.data["text/plain"] = re.sub(r" at 0x[0-9a-f]+", "", text)
    return clean


def alternative(figure: NotebookNode) -> str:
    """Return the text alternative of a Plotly figure, or else its title."""
    layout = figure["layout"]
    return str(layout.get("meta", {}).get("alt") or layout["title"]["text"])


def draw_figures(notebook: NotebookNode, page: Page) -> None:
    """Replace Plotly figures by pictures."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if figure := output.get("data", {}).pop(PLOTLY, None):
                url = page.evaluate(DRAW, [figure, PLOTLY_SIZE])
                picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
                small = io.BytesIO()
                picture.convert("RGB").quantize(N_COLOURS).save(small, "PNG", optimize=True)
                output.data["image/png"] = base64.b64encode(small.getvalue()).decode()
                output.data["text/plain"] = alternative(figure)
                output.data.pop("text/html", None)


def main(arguments: Sequence[str] | None = None) -> None:
    """Execute notebooks and save them with their outputs."""
    parser = argparse.ArgumentParser("python -m devtools.notebooks", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="by default all of examples/")
    paths = parser.parse_args(arguments).files or NOTEBOOKS
    notebooks = [nbformat.read(path, as_version=4) for path in paths]
    execute(notebooks)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox"] * (os.name == "posix")
        )
        page = browser.new_page()
        page.add_script_tag(content=get_plotlyjs())
        for path, executed in zip(paths, notebooks, strict=True):
            notebook = cleaned(executed)
            draw_figures(notebook, page)
            nbformat.write(notebook, path)
            print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
        browser.close()


if __name__ == "__main__":
    main()
