"""What time has done, and no sweep yet: some commands are decided only behind it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from jobengine.engine.clock import Clock
from jobengine.engine.waiters import Claims, queues_of
from jobengine.model.commands import Act, Claim, ClaimAny, Command, Configure, Control, Create, Sweep
from jobengine.model.ledger import Ledger

SWEEP_MOST: Final = 200


class Way:
    """Does first what must be done before a command is decided."""

    def __init__(self, ledger: Ledger, clock: Clock, submit: Callable[[Sweep], Awaitable[object]]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._submit = submit

    def is_clear(self, command: Command) -> bool:
        """Whether nothing must be done before this command is decided. Raises NotFound."""
        match command:
            case Create():
                return not self._is_limited(command.queue)
            case Claim():
                return self._is_clear_for_claim(command.queue)
            case ClaimAny() | Configure():
                return False
            case Control(queue=queue, act=Act.CLONE, target=target):
                return not self._is_limited(target or queue)
            case _:
                return True

    async def make(self, command: Command) -> None:
        """Do it. Raises NotFound, and what a sweep is refused with."""
        match command:
            case Claim() | ClaimAny():
                await self._make_for_claim(command)
            case Create():
                await self.sweep_all(command.queue)  # what is due takes nobody's place
            case Control(queue=queue, target=target):
                await self.sweep_all(target or queue)
            case Configure():
                await self._end_old_rules(command)

    async def sweep_all(self, queue: str) -> None:
        """Do all that is due in a queue. Raises NotFound, and what a sweep is refused with."""
        # The queue is looked up each time: it may have been dropped, and made anew, during a wait.
        while any(self._ledger.due(self._clock.now(), 1, queue)):
            await self._submit(Sweep(SWEEP_MOST, queue))

    def _is_limited(self, name: str) -> bool:
        contents = self._ledger.find(name)
        return contents is not None and bool(contents.queue.max_jobs or contents.queue.max_bytes)

    def _is_clear_for_claim(self, queue: str) -> bool:
        """Whether a claim may be decided now. What is over is not handed out, and what was given back is."""
        contents, now = self._ledger.contents(queue), self._clock.now()
        order = contents.order
        return order.let_go(now) and order.skip_overdue(now) and not contents.deadlines.lease_is_over(now)

    async def _make_for_claim(self, command: Claims) -> None:
        for queue in queues_of(command):
            order, now = self._ledger.contents(queue).order, self._clock.now()
            while not (order.let_go(now) and order.skip_overdue(now)):  # noqa: ASYNC110  # others get a turn
                await asyncio.sleep(0)
            while self._ledger.contents(queue).deadlines.lease_is_over(self._clock.now()):
                await self._submit(Sweep(SWEEP_MOST, queue))

    async def _end_old_rules(self, command: Configure) -> None:
        """What was due under a queue's old settings is not judged by its new ones."""
        present = {queue.name: queue for queue in self._ledger.queues()}
        changed = [queue.name for queue in command.queues if present.get(queue.name, queue) != queue]
        # While one is swept, time goes on in the others: none may be left with anything due.
        while any(any(self._ledger.due(self._clock.now(), 1, name)) for name in changed):
            for name in changed:
                await self.sweep_all(name)
