"""The leases of the jobs that a worker does, renewed in time."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final

from jobengine.client.job import Asked
from jobengine.client.results import Settled
from jobengine.client.settlements import Extended, Settlement
from jobengine.client.worker.doing import Doing
from jobengine.errors import Forbidden, LeaseLost, NotFound

RENEWALS: Final = 3  # within the time of a lease: two of them may be lost
LOOKS: Final = 4  # between two renewals, at leases that are over
LOST: Final = (LeaseLost, NotFound, Forbidden)  # the job, or the queue, or the right to do its jobs


class _Lease:
    """Of one job."""

    def __init__(self, doing: Doing, ends: float) -> None:
        self.doing = doing
        self.ends = ends  # by the clock of this machine
        self.asked: float | None = None  # when a renewal that is not answered yet was asked for


class Leases:
    """Asks for more time for each job, and takes the job away from its function when there is none."""

    def __init__(
        self,
        *,
        seconds: float,
        report: Callable[[Settlement], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._report = report
        self._clock = clock
        self._by_uid: dict[str, _Lease] = {}

    def add(self, doing: Doing) -> None:
        """It was just claimed."""
        self._by_uid[doing.current.uid] = _Lease(doing, self._clock() + self._seconds)

    def remove(self, doing: Doing) -> None:
        """It has ended."""
        lease = self._by_uid.get(doing.current.uid)
        if lease is not None and lease.doing is doing:  # else it was lost, and claimed here again
            del self._by_uid[doing.current.uid]

    async def run(self) -> None:
        """Renew, and give up what could not be renewed, for ever."""
        while True:
            for _ in range(LOOKS):
                await asyncio.sleep(self._seconds / RENEWALS / LOOKS)
                self.give_up()
            self.renew()

    def give_up(self) -> None:
        """Take those jobs from their functions whose time is over: others may do them by now."""
        now = self._clock()
        for lease in self._leases():
            if now >= lease.ends:
                self._lose(lease.doing)

    def renew(self) -> None:
        """Ask for more time for each."""
        now = self._clock()
        for lease in self._leases():
            if lease.asked is None:
                lease.asked = now
                self._report(Extended(lease.doing.current.held, self._seconds))

    def heard(self, settlement: Settlement, answer: Settled) -> None:
        """What the broker answered about one of them."""
        lease = self._by_uid.get(settlement.uid)
        if lease is None or lease.doing.current.held != settlement.job:
            return
        if isinstance(answer.error, LOST):
            self._lose(lease.doing)
        elif isinstance(settlement, Extended) and lease.asked is not None:
            lease.ends = lease.ends if answer.error else lease.asked + self._seconds
            lease.asked = None
        if answer.control is Asked.STOP:
            lease.doing.end()

    def _leases(self) -> Iterable[_Lease]:
        return tuple(self._by_uid.values())

    def _lose(self, doing: Doing) -> None:
        self.remove(doing)
        doing.lose()
