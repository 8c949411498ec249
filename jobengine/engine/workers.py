"""Who works: the workers that have claimed or held a job lately. In memory: it is no promise."""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from msgspec import Struct

from jobengine.model.ledger import Ledger
from jobengine.model.states import State

FORGOTTEN_AFTER_MS: Final = 10 * 60_000
WORKERS_MOST: Final = 10_000  # that are known: names cost nothing, and anybody who may claim gives some


class WorkerStatus(Struct, frozen=True):
    """One worker, as far as somebody may see it."""

    name: str
    service: str
    queues: tuple[str, ...]
    jobs: tuple[str, ...]  # that it has in progress
    last_seen: int  # ms since the Unix epoch


class Workers:
    """Known by their service and name, each with the queues on which it was seen, and when."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], dict[str, int]] = OrderedDict()  # the latest last

    def see(self, service: str, name: str, queues: Iterable[str], now: int) -> None:
        """It has just said something of these queues."""
        seen = self._seen.setdefault((service, name), {})
        seen.update(dict.fromkeys(queues, now))
        self._seen.move_to_end((service, name))
        while len(self._seen) > WORKERS_MOST or self._is_over(next(iter(self._seen)), now):
            self._seen.popitem(last=False)

    def status(self, queues: Collection[str], ledger: Ledger, now: int) -> list[WorkerStatus]:
        """Those who were seen on these queues in the last minutes, and what they have in progress."""
        held: dict[tuple[str | None, str | None], list[str]] = {}
        there = [found for queue in queues if (found := ledger.find(queue)) is not None]
        for contents in there:
            for job in contents.order.in_states((State.INPROGRESS,), after=-1):
                held.setdefault((job.claimer, job.worker), []).append(job.uid)
        return [
            WorkerStatus(
                name, service, tuple(sorted(seen)), tuple(held.get((service, name), ())), max(seen.values())
            )
            for service, name, seen in self.on(queues, now)
        ]

    def on(self, queues: Collection[str], now: int) -> Iterator[tuple[str, str, dict[str, int]]]:
        """The service and name of each that was seen on one of these, and when on which of them."""
        for (service, name), seen in self._seen.items():
            here = {
                queue: time
                for queue, time in seen.items()
                if queue in queues and now - time < FORGOTTEN_AFTER_MS
            }
            if here:
                yield service, name, here

    def _is_over(self, worker: tuple[str, str], now: int) -> bool:
        return now - max(self._seen[worker].values()) >= FORGOTTEN_AFTER_MS
