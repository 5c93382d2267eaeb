"""Load the compiled functions of `regviz.kernel`, or compile them once and keep them on disk.

They lie beside the source, like its bytecode, or in ``NUMBA_CACHE_DIR``; `make` and the Dockerfile
call `prepare`. Where they are not on disk, a thread compiles them (15 s of one core), and until it
has done so `function` returns None. Where the folder cannot be written, each process does that.
"""

import hashlib
import logging
import platform
import threading
from concurrent.futures import Future
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from regviz.experiment import DTYPES

_SOURCES = ("kernel.py", "lanes.py")
_logger = logging.getLogger(__name__)
_lock = threading.Lock()
_loading: dict[str, Future[Any]] = {}  # of each precision
_ready: dict[str, ModuleType] = {}


def begin(dtype: str) -> Future[Any]:
    """Load the kernel in a precision, or begin to compile it if that has not begun."""
    with _lock:
        if dtype not in _loading:
            _loading[dtype] = _load(dtype)
        return _loading[dtype]


def function(name: str, dtype: str) -> Any:
    """The compiled function of `regviz.kernel`, or None as long as there is none."""
    if dtype not in _ready:
        begin(dtype)
    return getattr(_ready.get(dtype), name, None)


def wait(dtype: str) -> None:
    """Return when this precision is loaded, or compiled."""
    begin(dtype).result()


def _load(dtype: str) -> Future[Any]:
    """The kernel, at once where it is on disk, else as soon as a thread has compiled it."""
    kernel, future = _kernel(), Future[Any]()

    def compile_and_keep() -> None:
        try:
            for dispatcher, signature in kernel.compiled(dtype):
                dispatcher.compile(signature)
            _ready[dtype] = kernel
            future.set_result(kernel)
        except Exception as error:
            _logger.warning("compilation failed, training goes on without", exc_info=error)
            future.set_exception(error)

    if all(d._cache.holds(signature, d.targetctx) for d, signature in kernel.compiled(dtype)):
        compile_and_keep()
    else:
        threading.Thread(target=compile_and_keep, name="compile", daemon=True).start()
    return future


@cache
def _kernel() -> ModuleType:
    """`regviz.kernel`, with a cache on disk that holds on every machine of this kind."""
    import numba
    from numba.core.caching import CompileResultCacheImpl, FunctionCache, InTreeCacheLocator

    if numba.config.CPU_NAME is None:
        numba.config.CPU_NAME, numba.config.CPU_FEATURES = _cpu(), ""

    from regviz import kernel

    class Beside(InTreeCacheLocator):  # type: ignore[misc]
        """Beside the source, like its bytecode: also where that can only be read."""

        @classmethod
        def from_function(cls, function: Any, file: str) -> Any:
            return cls(function, file)

        def get_cache_path(self) -> str:
            return str(numba.config.CACHE_DIR or super().get_cache_path())

        def get_source_stamp(self) -> str:
            """A hash of all that the compiled code is made from."""
            digest = hashlib.sha256(repr(kernel.CONSTANTS).encode())
            for name in _SOURCES:
                digest.update(Path(__file__).with_name(name).read_bytes())
            return digest.hexdigest()

    class Implementation(CompileResultCacheImpl):  # type: ignore[misc]
        _locator_classes = (Beside,)

    class Cache(FunctionCache):  # type: ignore[misc]
        _impl_class = Implementation

        def holds(self, signature: Any, context: Any) -> bool:
            key = self._index_key(signature, context.codegen())
            with suppress(Exception):
                return key in self._cache_file._load_index()
            return False

        def load_overload(self, signature: Any, context: Any) -> Any:
            with suppress(Exception):  # a file that cannot be read is compiled anew
                return super().load_overload(signature, context)

        def save_overload(self, signature: Any, data: Any) -> None:
            with suppress(OSError):
                super().save_overload(signature, data)

    for dispatcher in kernel.DISPATCHERS:
        dispatcher._cache = Cache(dispatcher.py_func)
    return kernel


def _cpu() -> str:
    """The processor to compile for: a common level, so that one image serves many machines.

    x86-64-v3 (AVX2, FMA) is what x86 processors have since 2015; on one without it, the code in the
    image is not found under its name, and is compiled anew.
    """
    from llvmlite.binding import get_host_cpu_features  # type: ignore[import-untyped]

    if platform.machine().lower() not in ("x86_64", "amd64"):
        return "generic"
    features = get_host_cpu_features()
    return "x86-64-v3" if features.get("avx2") and features.get("fma") else "x86-64"


def prepare() -> None:
    """Compile all that is not on disk yet."""
    for dtype in DTYPES:
        wait(dtype)
