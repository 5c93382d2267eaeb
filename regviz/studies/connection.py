"""Connections to Dask: a local cluster in this process, a scheduler's address, or a Client."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from regviz.extras import missing
from regviz.spec.validation import invalid
from regviz.studies.errors import SchedulerLostError

RECOVERY_SECONDS = 300.0  # how long a run waits for a lost scheduler
ATTEMPT_SECONDS = 5.0  # bound on one attempt to connect again
POLL_SECONDS = 0.2
CLOSED = "the Dask client was closed, or found no scheduler again"
_starting = threading.Lock()


class Connection:
    """A Dask client that follows its scheduler's restarts.

    Parameters
    ----------
    client : distributed.Client
    address : str
        The scheduler's address if the connection owns the client, and may replace it. Empty for a
        client of the caller's, which reconnects itself within its timeout.

    Attributes
    ----------
    client : distributed.Client
    """

    def __init__(self, client: Any, address: str = "") -> None:
        self.client, self.address = client, address

    @property
    def running(self) -> bool:
        """Whether the scheduler is connected."""
        return bool(self.client.status == "running")

    def workers(self) -> dict[str, int]:
        """Return the number of threads of each worker by its address."""
        return dict(self.client.nthreads())

    def processes(self) -> dict[str, str]:
        """Return the local directory of each worker by its address; each process has its own.

        The answer has about 2 kB for each worker, that of `workers` 40 bytes.
        """
        found = self.client.scheduler_info(n_workers=-1)["workers"]
        return {address: one["local_directory"] for address, one in found.items()}

    def gather(self, futures: list[Any]) -> "Future[list[Any]]":
        """Begin to fetch the results of Dask's futures."""
        results = self.client.gather(futures, asynchronous=True)
        return asyncio.run_coroutine_threadsafe(results, self.client.loop.asyncio_loop)

    def restore(self, stop: Callable[[], bool]) -> None:
        """Wait until the scheduler is connected again, or ``stop()`` returns True.

        Raises
        ------
        SchedulerLostError
            If this takes longer than `RECOVERY_SECONDS`, or the caller's client was closed.
        """
        end = time.monotonic() + RECOVERY_SECONDS
        while not (self.running or stop()):
            if self.client.status == "closed":
                if not self.address:
                    raise SchedulerLostError(CLOSED)
                self._replace()
            if time.monotonic() > end:
                lost = self.address or "of the Dask client"
                minutes = f"{RECOVERY_SECONDS / 60:g} minutes"
                raise SchedulerLostError(f"the scheduler {lost} has not come back for {minutes}")
            time.sleep(POLL_SECONDS)

    def _replace(self) -> None:
        try:
            self.client = _client(self.address, timeout=ATTEMPT_SECONDS)
        except OSError:
            return

    def close(self) -> None:
        """Close the client, unless it is the caller's."""
        if self.address:
            self.client.close()


@contextmanager
def connected(scheduler: Any) -> Iterator[Connection]:
    """Connect to a scheduler, and close at exit what was started here.

    Parameters
    ----------
    scheduler : str, distributed.Client or None
        Address of a scheduler, a client, or None for threads of this process.

    Raises
    ------
    ImportError
        If Dask is not installed; the message has the command that installs it.
    ValueError
        If no scheduler answers at the address, or the client is closed or asynchronous.
    """
    try:
        import distributed
    except ImportError as error:
        message = missing("Running a study", "dask and distributed", "studies")
        raise ImportError(message) from error
    if scheduler is None:
        with _local(distributed) as client:
            yield Connection(client)
        return
    if isinstance(scheduler, str):
        connection = Connection(_answering(scheduler), scheduler)
    else:
        connection = Connection(_checked(scheduler, distributed.Client))
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def _local(distributed: Any) -> Iterator[Any]:
    """Start a scheduler, and a worker with a thread for each core, in this process.

    Training releases the interpreter lock. Processes take 2.5 s more to start and to close, and
    import the caller's script, which then needs an ``if __name__ == "__main__"``
    (`benchmarks/study.py`).
    """
    from dask.system import CPU_COUNT

    options = dict(
        n_workers=1,
        threads_per_worker=CPU_COUNT,
        processes=False,
        # Dask's web servers cannot be switched off, and listen on all interfaces by default
        dashboard_address="127.0.0.1:0",
        worker_dashboard_address="127.0.0.1:0",
        silence_logs=logging.ERROR,  # a warning would name each cell that the user cancels
        memory_limit=0,  # it is of the whole process, and a worker above it would wait for ever
    )
    # Dask's first cluster imports modules, which is an error while another thread imports them
    with _starting:
        cluster = distributed.LocalCluster(**options)
    with (
        cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


def _client(address: str, **options: Any) -> Any:
    """Return a client of the scheduler at an address, with the encryption of Dask's settings."""
    from distributed import Client

    make: Any = Client  # it has no types
    return make(address, set_as_default=False, **options)


def _answering(address: str) -> Any:
    allowed = "the address of a Dask scheduler that answers, such as 'tcp://localhost:8786'"
    try:
        urlsplit(address if "://" in address else f"tcp://{address}").port  # noqa: B018 – it raises
        return _client(address)
    except (OSError, ValueError) as error:
        raise invalid("scheduler", allowed, address) from error


def _checked(client: Any, kind: Any) -> Any:
    if not isinstance(client, kind):
        raise invalid("scheduler", "an address, a Dask Client or None", client)
    if client.asynchronous:
        raise invalid("scheduler", "a Client with asynchronous=False", client)
    if client.status != "running":
        raise invalid("scheduler", "a Client that is connected", client)
    return client
