"""Code blocks of the project's papers, and copies of its files."""

import re
import shutil
from pathlib import Path

from devtools.serving import ROOT


def blocks(paper: str, language: str) -> list[str]:
    """Return a Markdown file's code blocks in a language."""
    text = (ROOT / paper).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def copy_project(folder: Path, names: list[str]) -> None:
    """Copy files and folders of the project to another folder, without caches."""
    for name in names:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)


def copy_compiled(folder: Path) -> None:
    """Copy the compiled kernel into a folder, the ``engine/__pycache__`` of another package.

    To compile takes 14 s of processor time for each precision.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in (ROOT / "regviz" / "engine" / "__pycache__").glob("kernel.*.nb?"):
        shutil.copy(file, folder)
