"""Shrink an installation for the image: remove unused files and symbols, and add bytecode.

The build of the image runs it with the installation's own Python: ``python slim.py``. It needs
``strip`` of binutils.
"""

import importlib
import py_compile
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

# Files that RegViz never loads, by label. A test serves the page without `PACKAGES`.
REMOVED = {
    "the packages' own tests": ("**/tests", "torch/test", "torch/bin/*[tT]est*"),
    "C++ headers and build files": (
        *("torch/include", "torch/share", "torch/bin/protoc*", "nvidia/**/include"),
        *("pyarrow/include", "pyarrow/libarrow_python.so", "pyarrow/libarrow_python.so.*.*"),
        *("**/*.pxd", "**/*.pyx"),
    ),
    "Arrow's network clients": ("pyarrow/*flight*", "pyarrow/*s3*"),
    "notebook extensions": ("pydeck/nbextension", "plotly/labextension"),
    "example data": ("plotly/package_data/datasets", "sklearn/datasets/images"),
    "type stubs": ("**/*.pyi",),
}
# torch requires these to compile models, which RegViz does not do
PACKAGES = ("sympy", "mpmath", "networkx", "setuptools")
OF_PACKAGES = ("{0}", "{0}-*", "isympy.py", "_distutils_hack", "distutils-precedence.pth")

# a fifth of these libraries' size is symbols, which only debuggers read
LIBRARIES = ("torch/lib/*.so", "pyarrow/*.so*", "llvmlite/binding/*.so")

# To save space, only the modules of large packages that the server imports, directly or not, are
# compiled. All other packages are compiled completely.
LARGE = {"torch", "torchgen", "scipy", "sklearn", "pandas", "numpy", "plotly", "altair", "triton"}
LARGE |= {"numba", "llvmlite"}
IMPORTED = (
    *("streamlit.web.cli", "streamlit", "torch", "pandas.io.formats.style", "pyarrow"),
    *("plotly.graph_objs._figure", "plotly.graph_objs._bar", "plotly.colors", "plotly.subplots"),
    *("sklearn.datasets", "sklearn.linear_model", "sklearn.model_selection"),
    *("sklearn.preprocessing", "numba.core.caching"),
)


def remove_unused(packages: Path) -> None:
    """Remove `REMOVED` and `PACKAGES`, and print their sizes."""
    patterns = {pattern.format(name) for name in PACKAGES for pattern in OF_PACKAGES}
    for label, globs in {**REMOVED, "packages for torch's compiler": patterns}.items():
        found = [path for pattern in globs for path in packages.glob(pattern)]
        print(f"{_megabytes(found)} of {label}")
        for path in found:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def strip(packages: Path) -> None:
    """Remove the symbols of `LIBRARIES`, and print their sizes before and after."""
    libraries = [path for pattern in LIBRARIES for path in packages.glob(pattern)]
    before = _megabytes(libraries)
    subprocess.run(["strip", "--strip-unneeded", *libraries], check=True)
    print(f"{before} of libraries, {_megabytes(libraries)} without symbols")


def compile_imported(packages: Path) -> None:
    """Compile the imported modules to bytecode, which shortens the server's start."""
    for name in IMPORTED:
        importlib.import_module(name)
    files = {Path(getattr(module, "__file__", None) or "") for module in sys.modules.values()}
    sources = {path for path in files if path.suffix == ".py" and packages in path.parents}
    small = (path for path in packages.iterdir() if path.name not in LARGE)
    for package in (*small, packages / "plotly" / "graph_objs" / "layout"):
        sources |= {package} if package.suffix == ".py" else set(package.rglob("*.py"))
    written = []
    # files in an image do not change, so Python need not compare bytecode with its source
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    for source in filter(Path.exists, sources):
        written.append(Path(py_compile.compile(str(source), invalidation_mode=mode) or source))
    print(f"{_megabytes(written)} of bytecode added")


def _megabytes(paths: Iterable[Path]) -> str:
    files = {each for path in paths for each in (path, *path.rglob("*")) if each.is_file()}
    return f"{sum(path.lstat().st_size for path in files) / 1e6:6.1f} MB"


if __name__ == "__main__":
    where = Path(sysconfig.get_paths()["purelib"])
    remove_unused(where)
    strip(where)
    compile_imported(where)
