"""Load the compiled functions of `kernel` from disk, or compile them and write them to disk.

The files are in ``__pycache__`` beside the source, or under ``NUMBA_CACHE_DIR``; the Makefile and
the Dockerfile call `prepare`. If they are missing, a thread compiles the functions, which takes
10 s of one core. The page does not wait for it: a training that starts before uses the program of
torch operations in `regviz.engine.epoch`, to its end. `regviz.train` waits, so that its results do
not depend on timing. If the folder is not writable, each process compiles; if compiling fails, the
program of torch operations is used.

The target is a generic processor (`_cpu`), so that one image runs on many machines. Numba has one
target per process: the caller's own functions are compiled for it too, unless ``NUMBA_CPU_NAME``
is set or Numba has compiled something before.
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

from regviz.spec.experiment import DTYPES

SOURCES = ("kernel.py", "normalized_passes.py", "passes.py", "simd.py")
# LLVM's names of the features of x86-64-v3 beyond x86-64-v2
_V3 = ("avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "xsave")
COMPILING = "Compiling the training code, once: ten to thirty seconds"
_logger = logging.getLogger(__name__)
_lock = threading.Lock()
_loading: dict[str, Future[Any]] = {}  # by precision; started, perhaps done
_ready: dict[str, ModuleType] = {}  # by precision; done


def begin(dtype: str) -> Future[Any]:
    """Start to load or compile the kernel for a precision, once; return the future module."""
    with _lock:
        if dtype not in _loading:
            _loading[dtype] = _load(dtype)
        return _loading[dtype]


def ready(dtype: str) -> bool:
    """Return whether the kernel is loaded for a precision; if not, start to load or compile it."""
    if dtype not in _ready:
        begin(dtype)
    return dtype in _ready


def function(name: str, dtype: str) -> Any:
    """Return a compiled function of `regviz.engine.kernel`, once it is ready; None if that failed.

    Parameters
    ----------
    name : str
        Name of the function.
    dtype : {"float32", "float64"}
    """
    if dtype not in _ready:
        wait(dtype)
    return getattr(_ready.get(dtype), name, None)


def wait(dtype: str) -> None:
    """Block until the kernel is loaded or compiled for this precision, or that has failed."""
    begin(dtype).exception()


def _load(dtype: str) -> Future[Any]:
    """Load the kernel if all its functions are on disk; else compile it in a new thread.

    A failure is logged and becomes the exception of the future.
    """
    future = Future[Any]()

    def compile_all() -> None:
        try:
            for dispatcher, signature in signatures:
                dispatcher.compile(signature)
            _ready[dtype] = kernel
            future.set_result(kernel)
        except Exception as error:
            fail(error)

    def fail(error: Exception) -> None:
        traceback = None if isinstance(error, RuntimeError) else error
        _logger.warning("Training is slow, as nothing is compiled: %s", error, exc_info=traceback)
        future.set_exception(error)

    try:
        if _is_switched_off():
            raise RuntimeError("NUMBA_DISABLE_JIT switches Numba's compiler off")
        kernel = _kernel()
        signatures = kernel.signatures(dtype)
        on_disk = [d._cache.holds(signature, d.targetctx) for d, signature in signatures]
        if all(on_disk):
            compile_all()
        else:
            threading.Thread(target=compile_all, name="compile", daemon=True).start()
    except Exception as error:
        fail(error)
    return future


def _is_switched_off() -> bool:
    """Return whether ``NUMBA_DISABLE_JIT`` is set, as users do to debug their own functions."""
    import numba

    return bool(numba.config.DISABLE_JIT)


@cache
def _kernel() -> ModuleType:
    """Import `regviz.engine.kernel`, with a disk cache that is valid on similar machines.

    Numba's own cache is keyed by the exact processor and by the source's modification time, which
    differ between the machine that builds an image and the machines that run it.
    """
    import numba
    from numba.core.caching import CompileResultCacheImpl, FunctionCache, InTreeCacheLocator

    if numba.config.CPU_NAME is None:
        numba.config.CPU_NAME, numba.config.CPU_FEATURES = _cpu(), ""

    from regviz.engine import kernel

    class Beside(InTreeCacheLocator):  # type: ignore[misc]
        """Cache files beside the source, even if the folder is read-only."""

        @classmethod
        def from_function(cls, function: Any, file: str) -> Any:
            return cls(function, file)

        def get_cache_path(self) -> str:
            if folder := numba.config.CACHE_DIR:
                return str(Path(folder) / self.get_suitable_cache_subpath(self._py_file))
            return str(super().get_cache_path())

        def get_source_stamp(self) -> str:
            """Return a hash of the sources and constants that the compiled code depends on."""
            digest = hashlib.sha256(repr(kernel.CONSTANTS).encode())
            for name in SOURCES:
                digest.update(Path(__file__).with_name(name).read_bytes())
            return digest.hexdigest()

    class Implementation(CompileResultCacheImpl):  # type: ignore[misc]
        _locator_classes = (Beside,)

    class Cache(FunctionCache):  # type: ignore[misc]
        _impl_class = Implementation

        def holds(self, signature: Any, context: Any) -> bool:
            key = self._index_key(signature, context.codegen())
            try:
                return self._cache_file.load(key) is not None
            except Exception:  # damaged files are deleted, and written again
                with suppress(OSError):
                    self.flush()
                return False

        def load_overload(self, signature: Any, context: Any) -> Any:
            with suppress(Exception):
                return super().load_overload(signature, context)

        def save_overload(self, signature: Any, data: Any) -> None:
            try:
                super().save_overload(signature, data)
            except OSError as error:
                _logger.warning("Each start compiles for ten seconds, as it is not kept: %s", error)

    for dispatcher in kernel.DISPATCHERS:
        dispatcher._cache = Cache(dispatcher.py_func)
    return kernel


def _cpu() -> str:
    """Return LLVM's name of the generic processor to compile for.

    x86-64-v3 is the instruction set of Intel's Haswell (2013) and AMD's Excavator (2015). The name
    is part of the cache's key: an older processor does not load v3 code, but compiles its own.
    """
    from llvmlite.binding import get_host_cpu_features  # type: ignore[import-untyped]

    if platform.machine().lower() not in ("x86_64", "amd64"):
        return "generic"
    features = get_host_cpu_features()
    return "x86-64-v3" if all(features.get(name) for name in _V3) else "x86-64"


def prepare() -> None:
    """Compile the functions that are not on disk yet, for all precisions."""
    for dtype in DTYPES:
        wait(dtype)
