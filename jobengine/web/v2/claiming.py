"""Claims: of one queue, or of several with weights; at once, or when something comes."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Annotated, Final

from msgspec import Meta, Struct, field

from jobengine.access import Action
from jobengine.errors import JobEngineError
from jobengine.model.commands import Claim, ClaimAny, Release, Settle
from jobengine.model.job import Job
from jobengine.web.caller import who_asks
from jobengine.web.reply import NO_CONTENT, Reply
from jobengine.web.request import Request
from jobengine.web.routes import Variables
from jobengine.web.v2.broker import Broker
from jobengine.web.v2.decoding import decoder, read_body
from jobengine.web.v2.durations import Lease, Wait
from jobengine.web.v2.job import TO_ITS_HOLDER, all_shown, listed
from jobengine.web.v2.values import QueueName, Worker

CLAIM_MOST: Final = 1000
QUEUES_MOST: Final = 100
LEASE: Final = Lease(60_000)
NOW: Final = Wait(0)

Most = Annotated[int, Meta(ge=1, le=CLAIM_MOST)]
Weight = Annotated[int, Meta(ge=1, le=1000)]


class ClaimBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How many jobs, how long to wait for one, and how long they are to be the caller's."""

    most: Most = field(name="max", default=1)
    wait: Wait = field(default_factory=lambda: NOW)
    lease: Lease = field(default_factory=lambda: LEASE)
    worker: Worker | None = None


class ClaimAnyBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The same, of several queues, each with a weight: how likely it is drawn when all have work."""

    queues: (
        Annotated[dict[QueueName, Weight], Meta(min_length=1, max_length=QUEUES_MOST)]
        | Annotated[list[QueueName], Meta(min_length=1, max_length=QUEUES_MOST)]
    )
    most: Most = field(name="max", default=1)
    wait: Wait = field(default_factory=lambda: NOW)
    lease: Lease = field(default_factory=lambda: LEASE)
    worker: Worker | None = None

    @property
    def weights(self) -> tuple[tuple[str, int], ...]:
        """Of each queue."""
        named = self.queues if isinstance(self.queues, dict) else dict.fromkeys(self.queues, 1)
        return tuple(named.items())


_one_queue = decoder(ClaimBody)
_several_queues = decoder(ClaimAnyBody)


class Claiming:
    """POST /queues/{queue}/claim and POST /claim."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def claim(self, request: Request, variables: Variables) -> Reply:
        """Claim jobs of one queue."""
        broker = self._broker
        caller = broker.caller(request, variables, Action.CLAIM)
        body: ClaimBody = await read_body(await broker.bodies.read(request), _one_queue)
        command = Claim(caller.queue, caller.service, body.most, int(body.lease), body.worker)
        return await self._claim(request, command, body.wait)

    async def claim_any(self, request: Request, _variables: Variables) -> Reply:
        """Claim jobs of several queues."""
        service = who_asks(request)
        body: ClaimAnyBody = await read_body(await self._broker.bodies.read(request), _several_queues)
        command = ClaimAny(body.weights, service, body.most, int(body.lease), body.worker)
        self._check(service, [queue for queue, _ in command.weights])
        return await self._claim(request, command, body.wait)

    def _check(self, service: str, queues: Iterable[str]) -> None:
        """Raises NotFound, Forbidden."""
        for queue in queues:
            self._broker.access.check(service, Action.CLAIM, queue)

    def _may_claim(self, command: Claim | ClaimAny) -> Callable[[], object]:
        """Asked again when the wait is over: rights may have changed meanwhile."""
        queues = [command.queue] if isinstance(command, Claim) else [name for name, _ in command.weights]
        return partial(self._check, command.claimer, queues)

    async def _claim(self, request: Request, command: Claim | ClaimAny, wait: Wait) -> Reply:
        engine = self._broker.engine
        if wait:
            claiming = engine.claim(command, wait=wait.seconds, may_claim=self._may_claim(command))
            jobs = await self._broker.patience.wait(request, claiming)
        else:
            jobs = await engine.claim(command)
        pieces = await all_shown(engine, jobs, TO_ITS_HOLDER)
        if request.transport is None:
            await self._give_back(jobs)
        return Reply(200, listed(pieces)) if jobs else Reply(NO_CONTENT)

    async def _give_back(self, jobs: Iterable[Job]) -> None:
        """The client went before its answer: it holds nothing, and this was no attempt."""
        by_queue: dict[str, list[Release]] = {}
        for job in jobs:
            by_queue.setdefault(job.queue, []).append(Release(job.uid, job.lease, is_unseen=True))
        for queue, releases in by_queue.items():
            with suppress(JobEngineError):  # then the lease decides
                await self._broker.engine.submit(Settle(queue, tuple(releases)))
