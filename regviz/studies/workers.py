"""The workers of a scheduler: which are there, and which are left out as unfit."""

from regviz.studies.connection import Connection
from regviz.studies.on_worker import Outcome

MAX_NAMED = 3  # unfit workers in a message


class Workers:
    """The workers of a scheduler, as `look` found them last.

    A worker is fit until it refuses a cell, as it compares itself with the client before each one.
    """

    def __init__(self) -> None:
        self._threads: dict[str, int] = {}  # by address
        self._unfit: dict[str, Outcome] = {}  # by address: its refusal
        self._one_left = False

    @property
    def fit(self) -> dict[str, int]:
        """Number of threads by address, of each worker that is not left out."""
        return {at: n for at, n in self._threads.items() if at not in self._unfit}

    @property
    def some_unfit(self) -> bool:
        """Whether a worker is left out."""
        return bool(self._unfit)

    @property
    def all_unfit(self) -> bool:
        """Whether workers are there, and all are left out."""
        return bool(self._threads) and not self.fit

    @property
    def hopeless(self) -> bool:
        """Whether all workers that were ever there are left out.

        One that left before it refused a cell may come back, as after a cell that killed it.
        """
        return self.all_unfit and not self._one_left

    def reasons(self) -> str:
        """Return the names of the workers that are left out, and how they differ."""
        found = [f"{at}: {one.value}" for at, one in self._unfit.items()]
        if len(found) > MAX_NAMED:
            found[MAX_NAMED:] = [f"and {len(found) - MAX_NAMED} more"]
        return "; ".join(found)

    def waiting(self) -> str:
        """Return why no cell can be computed now; empty if a worker is fit."""
        if self.fit:
            return ""
        if not self._threads:
            return "No worker is connected to the scheduler: waiting."
        return f"No worker that is connected can be used: waiting for another. {self.reasons()}"

    def look(self, connection: Connection) -> bool:
        """Read the workers from the scheduler, and return whether they have changed.

        Workers that were left out and are gone are forgotten: another process at such an address
        is to compare itself again.
        """
        threads = connection.workers()
        unfit = {at: one for at, one in self._unfit.items() if at in threads}
        if unfit:
            processes = connection.processes()
            unfit = {at: one for at, one in unfit.items() if processes.get(at) == one.process}
        left = self._threads.keys() - self._unfit.keys() - threads.keys()
        self._one_left = self._one_left or bool(left)
        before, self._threads, self._unfit = (self._threads, self._unfit), threads, unfit
        return before != (threads, unfit)

    def leave_out(self, refusal: Outcome) -> bool:
        """Leave out a worker that refused a cell; return False if it is left out already."""
        known = self._unfit.get(refusal.worker)
        self._unfit[refusal.worker] = refusal
        return known is None or known.process != refusal.process
