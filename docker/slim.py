"""Take out of an installation what a server never loads, and compile what it does.

Building the image runs this, by the installation's own Python: ``python slim.py``. It needs
``strip``, of binutils.
"""

import importlib
import py_compile
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

# Nothing that RegViz does loads any of this; a test serves the page without `PACKAGES`.
TAKEN_OUT = {
    "the packages' own tests": ("**/tests", "torch/test", "torch/bin/*[tT]est*"),
    "what C++ is compiled against": (
        *("torch/include", "torch/share", "torch/bin/protoc*", "nvidia/**/include"),
        *("pyarrow/include", "pyarrow/libarrow_python.so", "pyarrow/libarrow_python.so.*.*"),
        *("**/*.pxd", "**/*.pyx"),
    ),
    "Arrow's clients for networks": ("pyarrow/*flight*", "pyarrow/*s3*"),
    "what is for notebooks": ("pydeck/nbextension", "plotly/labextension"),
    "example data": ("plotly/package_data/datasets", "sklearn/datasets/images"),
    "what type checkers read": ("**/*.pyi",),
}
# torch asks for these to compile models, of which there are none here
PACKAGES = ("sympy", "mpmath", "networkx", "setuptools")
OF_PACKAGES = ("{0}", "{0}-*", "isympy.py", "_distutils_hack", "distutils-precedence.pth")

# a fifth of these are symbols, which only debuggers read
LIBRARIES = ("torch/lib/*.so", "pyarrow/*.so*", "llvmlite/binding/*.so")

# Of large packages only what the server imports is compiled, with all that this brings along: the
# rest would be in the image for nothing. Of all others everything is.
LARGE = {"torch", "torchgen", "scipy", "sklearn", "pandas", "numpy", "plotly", "altair", "triton"}
LARGE |= {"numba", "llvmlite"}
IMPORTED = (
    *("streamlit.web.cli", "streamlit", "torch", "pandas.io.formats.style", "pyarrow"),
    *("plotly.graph_objs._figure", "plotly.graph_objs._bar", "plotly.colors", "plotly.subplots"),
    *("sklearn.datasets", "sklearn.linear_model", "sklearn.model_selection"),
    *("sklearn.preprocessing", "numba.core.caching"),
)


def take_out(packages: Path) -> None:
    """Remove what is never loaded, and say how much it was."""
    patterns = {pattern.format(name) for name in PACKAGES for pattern in OF_PACKAGES}
    for what, globs in {**TAKEN_OUT, "what torch compiles models with": patterns}.items():
        found = [path for pattern in globs for path in packages.glob(pattern)]
        print(f"{_megabytes(found)} of {what}")
        for path in found:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def strip(packages: Path) -> None:
    """Remove the symbols of the largest libraries."""
    libraries = [path for pattern in LIBRARIES for path in packages.glob(pattern)]
    before = _megabytes(libraries)
    subprocess.run(["strip", "--strip-unneeded", *libraries], check=True)
    print(f"{before} of libraries, {_megabytes(libraries)} without symbols")


def compile_imported(packages: Path) -> None:
    """Write bytecode, without which the server would take long to start."""
    for name in IMPORTED:
        importlib.import_module(name)
    files = {Path(getattr(module, "__file__", None) or "") for module in sys.modules.values()}
    sources = {path for path in files if path.suffix == ".py" and packages in path.parents}
    small = (path for path in packages.iterdir() if path.name not in LARGE)
    for package in (*small, packages / "plotly" / "graph_objs" / "layout"):
        sources |= {package} if package.suffix == ".py" else set(package.rglob("*.py"))
    written = []
    # files in an image do not change: nobody has to compare their times
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    for source in filter(Path.exists, sources):
        written.append(Path(py_compile.compile(str(source), invalidation_mode=mode) or source))
    print(f"{_megabytes(written)} of bytecode added")


def _megabytes(paths: Iterable[Path]) -> str:
    files = {each for path in paths for each in (path, *path.rglob("*")) if each.is_file()}
    return f"{sum(path.lstat().st_size for path in files) / 1e6:6.1f} MB"


if __name__ == "__main__":
    where = Path(sysconfig.get_paths()["purelib"])
    take_out(where)
    strip(where)
    compile_imported(where)
