"""The real engine, and a look over its shoulder: the oracle hears of each decision when it is made."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from msgspec import UNSET

from jobengine.engine.local import LocalEngine
from jobengine.errors import JobEngineError, StorageFull
from jobengine.model.changes import Change
from jobengine.model.commands import Act, Amend, Command, Control, Create, Log, Update
from jobengine.model.decision import Decision
from jobengine.model.job import Job
from tests.simulation.oracle import Oracle


class WatchedEngine(LocalEngine):
    """Does what its parent does, and tells the oracle of it."""

    oracle: Oracle | None = None  # none: nobody watches

    def _decide(self, command: Command) -> Decision[Any]:
        try:
            decision = super()._decide(command)
        except JobEngineError as refusal:
            if self.oracle is not None:
                self._refused(command, refusal, self.oracle)
            raise
        if self.oracle is not None:
            self.oracle.decided(command, decision, self._clock.now())
        return decision

    def _refused(self, command: Command, refusal: JobEngineError, oracle: Oracle) -> None:
        if not isinstance(refusal, StorageFull):
            oracle.refused(command, refusal, self._clock.now())
        elif not _adds(command):
            raise oracle.violated(f"{command} adds nothing, and was refused on a disk that is nearly full")

    def _store(self, changes: Sequence[Change]) -> Awaitable[object]:
        self._journal.check()
        if self.oracle is not None:  # first: it may wake whoever waits for a job, which is stored next
            self.oracle.stored_next(changes, self._clock.now())
        return super()._store(changes)

    def _take_back(self, newest: int) -> None:
        super()._take_back(newest)
        if self.oracle is not None:
            self.oracle.taken_back(newest, self._clock.now())

    async def _durably(self, look: Callable[[], Any]) -> Any:
        return await super()._durably(lambda: self._watched(look))

    def _watched(self, look: Callable[[], Any]) -> Any:
        try:
            seen = look()
        except JobEngineError:
            if self.oracle is not None:
                self.oracle.missed(self._clock.now())
            raise
        if isinstance(seen, Job) and self.oracle is not None:
            self.oracle.looked(seen, self._clock.now())
        return seen


def _adds(command: Command) -> bool:
    match command:
        case Create() | Log() | Control(act=Act.CLONE):
            return True
        case Update(content=content):
            return content is not None
        case Amend(content=content):
            return content is not UNSET
        case _:
            return False
