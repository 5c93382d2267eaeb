"""Load the compiled functions of `kernel`, or compile them once and keep them on disk.

They lie beside the source, like its bytecode, or under ``NUMBA_CACHE_DIR``; `make` and the
Dockerfile call `prepare`. Where they are not on disk, a thread compiles them (10 s of one core).
A page does not wait for it: a training that begins meanwhile uses the reference program of
`regviz.engine.epoch` to its end. `regviz.train` waits, so that its results do not depend on it.
Where the folder cannot be written, each process compiles; where that fails, the reference serves.

The functions are compiled for a common kind of processor, so that one image serves many machines.
Numba knows one kind in a process: other code that it compiles there is for the same, unless
``NUMBA_CPU_NAME`` says another, or Numba has compiled something before.
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

SOURCES = ("kernel.py", "lanes.py")
# what LLVM calls the features that x86-64-v3 adds
_V3 = ("avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "xsave")
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


def ready(dtype: str) -> bool:
    """Whether the kernel is loaded in a precision; if not, its compilation has begun."""
    if dtype not in _ready:
        begin(dtype)
    return dtype in _ready


def function(name: str, dtype: str) -> Any:
    """Wait for a compiled function of `regviz.engine.kernel`; None if compiling has failed."""
    if dtype not in _ready:
        wait(dtype)
    return getattr(_ready.get(dtype), name, None)


def wait(dtype: str) -> None:
    """Return when this precision is loaded or compiled, or that has failed."""
    begin(dtype).exception()


def _load(dtype: str) -> Future[Any]:
    """The kernel, at once where it is on disk, else as soon as a thread has compiled it."""
    future = Future[Any]()

    def compile_all() -> None:
        try:
            for dispatcher, signature in wanted:
                dispatcher.compile(signature)
            _ready[dtype] = kernel
            future.set_result(kernel)
        except Exception as error:
            fail(error)

    def fail(error: Exception) -> None:
        told = None if isinstance(error, RuntimeError) else error
        _logger.warning("Training is slow, as nothing is compiled: %s", error, exc_info=told)
        future.set_exception(error)

    try:
        if _is_switched_off():
            raise RuntimeError("NUMBA_DISABLE_JIT switches Numba's compiler off")
        kernel = _kernel()
        wanted = kernel.signatures(dtype)
        held = [d._cache.holds(signature, d.targetctx) for d, signature in wanted]
        if all(held):
            compile_all()
        else:
            threading.Thread(target=compile_all, name="compile", daemon=True).start()
    except Exception as error:
        fail(error)
    return future


def _is_switched_off() -> bool:
    """Whether Numba's compiler is switched off, as people do to debug code of their own."""
    import numba

    return bool(numba.config.DISABLE_JIT)


@cache
def _kernel() -> ModuleType:
    """`regviz.engine.kernel`, with a cache on disk that holds on every machine of this kind."""
    import numba
    from numba.core.caching import CompileResultCacheImpl, FunctionCache, InTreeCacheLocator

    if numba.config.CPU_NAME is None:
        numba.config.CPU_NAME, numba.config.CPU_FEATURES = _cpu(), ""

    from regviz.engine import kernel

    class Beside(InTreeCacheLocator):  # type: ignore[misc]
        """Beside the source, like its bytecode: also where that can only be read."""

        @classmethod
        def from_function(cls, function: Any, file: str) -> Any:
            return cls(function, file)

        def get_cache_path(self) -> str:
            if folder := numba.config.CACHE_DIR:
                return str(Path(folder) / self.get_suitable_cache_subpath(self._py_file))
            return str(super().get_cache_path())

        def get_source_stamp(self) -> str:
            """A hash of all that the compiled code is made from."""
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
            except Exception:  # files that cannot be read are written anew
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
    """The kind of processor to compile for: a common one.

    x86-64-v3 is what x86 processors have since 2015; on one without it, the code in the image is
    not found under its name, and is compiled anew.
    """
    from llvmlite.binding import get_host_cpu_features  # type: ignore[import-untyped]

    if platform.machine().lower() not in ("x86_64", "amd64"):
        return "generic"
    features = get_host_cpu_features()
    return "x86-64-v3" if all(features.get(name) for name in _V3) else "x86-64"


def prepare() -> None:
    """Compile all that is not on disk yet."""
    for dtype in DTYPES:
        wait(dtype)
