"""Clients of API v2: lists, own uids, keys, leases, batches, waits, and what people do to jobs."""

import hashlib
from collections.abc import Callable, Coroutine, Sequence
from typing import Any
from uuid import UUID

from jobengine.model.backoff import Backoff
from jobengine.model.commands import (
    Act,
    Amend,
    Claim,
    ClaimAny,
    Complete,
    Control,
    Create,
    Created,
    Draft,
    Extend,
    Fail,
    Idempotency,
    Log,
    Options,
    Progress,
    Release,
    Settle,
    Settlement,
    Steer,
)
from jobengine.model.extra import UniqueFor
from jobengine.model.job import Job
from jobengine.model.log import Stream
from jobengine.model.queue import Queue
from tests.simulation.clients import Broker, Client

LETTERS = "letters"
DEAD = Queue(name="dead", keep=4_000, lease=1_000)
NAMES = ("mail", "mail", "letters", "letters", "letters", "dead")
LEASES_KEPT = 30  # most of them over: whoever says something with such a one is refused
WAIT_SECONDS = 0.8
KEYS = ("red", "green", "blue")


class ClientOfV2(Client):
    """One of them."""

    def __init__(self, name: str, broker: Broker, known: list[tuple[str, str]]) -> None:
        super().__init__(name, broker, known)
        self._leases: list[Job] = []
        self._written: dict[tuple[int, Stream], int] = {}  # how far each stream of a lease has come
        self._sent: list[Create] = []  # with a key: it may be sent again

    def _wishes(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        return [
            *(4 * [self._create_list] + 2 * [self._send_again] + 4 * [self._claim_some] + 2 * [self._wait]),
            *(5 * [self._settle_some] + 2 * [self._amend] + 3 * [self._control] + [self._steer]),
            *[self._look, self._write, self._write],
        ]

    async def _create_list(self) -> None:
        drafts = tuple(self._draft() for _ in range(self._random.choice((1, 1, 2, 5))))
        key = self._key() if self._random.random() < 0.5 else None
        command = Create(self._random.choice(NAMES), drafts, key)
        if key is not None:
            self._sent = [*self._sent[-5:], command]
        await self._send(command)

    async def _send_again(self) -> None:
        """As after an answer that was lost; now and then with another body, which is refused."""
        if self._sent:
            command = self._random.choice(self._sent)
            assert command.idempotency is not None
            if self._random.random() < 0.1:
                other = Idempotency(command.idempotency.hash, self._random.randbytes(16))
                command = Create(command.queue, command.drafts, other)
            await self._send(command)

    async def _send(self, command: Create) -> None:
        created: Created | None = await self._submit("create", command)
        if created is not None:
            self._known += [(job.queue, job.uid) for job in created.jobs]

    async def _claim_some(self) -> None:
        self._take(await self._submit("claim", self._claiming()))

    async def _wait(self) -> None:
        claim, seconds = self._claiming(), self._random.random() * WAIT_SECONDS
        self._broker.counts.waits += 1
        jobs = await self._broker.ask(f"{self.name} waits", self._waited(claim, seconds))
        self._take(jobs)

    async def _waited(self, claim: Claim | ClaimAny, seconds: float) -> tuple[Job, ...]:
        with self._broker.oracle.waiting(claim):
            return await self._broker.engine.claim(claim, wait=seconds)

    def _claiming(self) -> Claim | ClaimAny:
        most, lease = self._random.choice((1, 1, 2, 6)), self._random.choice((None, 100, 700))
        if self._random.random() < 0.3:
            return ClaimAny((("mail", 1), (LETTERS, 3)), self.name, most, lease, "any")
        return Claim(self._random.choice(NAMES), self.name, most, lease, self._random.choice((None, "w1")))

    def _take(self, jobs: Sequence[Job] | None) -> None:
        for job in jobs or ():
            self._known.append((job.queue, job.uid))
            self._leases.append(job)
        del self._leases[:-LEASES_KEPT]

    async def _settle_some(self) -> None:
        """Of one queue; mostly of those that it got last, and now and then with another's lease."""
        if self._leases:
            newest = self._leases[-8:]
            queue = self._random.choice(newest).queue
            jobs = [job for job in self._leases if job.queue == queue]
            chosen = [self._random.choice(jobs) for _ in range(self._random.choice((1, 2, 4)))]
            said = tuple(self._settlement(job) for job in (jobs[-1], *chosen))
            await self._submit("settle", Settle(queue, said))

    async def _write(self) -> None:
        """Small pieces and big ones, with gaps or without, now and then in a lease that is over."""
        if self._leases:
            job = self._random.choice(self._leases[-4:])
            stream = self._random.choice(list(Stream))
            data = self._random.randbytes(self._random.choice((5, 80, 80, 20_000)))
            at = self._written.get((job.lease, stream), 0) + self._random.choice((0, 0, 0, 30))
            self._written[job.lease, stream] = at + len(data)
            await self._submit("write", Log(job.queue, job.uid, job.lease, stream, at, data))

    def _settlement(self, job: Job) -> Settlement:
        uid, lease = job.uid, job.lease if self._random.random() < 0.95 else self._random.getrandbits(63)
        retry, delay = self._random.choice((None, None, True, False)), self._random.choice((None, 0, 100))
        choices: tuple[Settlement, ...] = (
            *2 * (Complete(uid, lease, self._random.choice((None, b'"done"'))),),
            *2 * (Fail(uid, lease, "Odd", "it broke", retry, delay, self._random.choice((None, b"1"))),),
            Release(uid, lease, self._random.choice((0, 0, 100)), self._random.choice((None, b'"half"'))),
            Extend(uid, lease, self._random.choice((50, 900))),
            Progress(uid, lease, b"50"),
        )
        return self._random.choice(choices)

    async def _amend(self) -> None:
        if self._known:
            queue, uid = self._random.choice(self._known)
            named: dict[str, Any] = {}
            if self._random.random() < 0.5:
                named["priority"] = self._priority()
            if self._random.random() < 0.3:
                named["content"] = self._content()
            if self._random.random() < 0.3:
                named["max_attempts"] = self._random.choice((1, 5))
            if self._random.random() < 0.2:
                named["expires"] = self._broker.engine.now() + self._random.randrange(-100, 2_000)
            if self._random.random() < 0.2:
                named["version"] = self._random.getrandbits(40)
            await self._submit("amend", Amend(queue, uid, **named))

    async def _control(self) -> None:
        if self._known:
            act, queue = self._random.choice(list(Act)), self._random.choice(self._known)[0]
            uids = tuple(uid for name, uid in self._known[-40:] if name == queue)[-3:]
            target = None
            if act in (Act.MOVE, Act.CLONE):
                target = self._random.choice(("mail", LETTERS))
            outcomes = await self._submit("control", Control(queue, uids, act, target))
            self._known += [(job.queue, job.uid) for job in outcomes or () if isinstance(job, Job)]

    async def _steer(self) -> None:
        """Mostly it goes on again: else nothing would be done."""
        paused, draining = self._random.random() < 0.15, self._random.random() < 0.1
        await self._submit("steer", Steer(self._random.choice(NAMES), paused, draining))

    def _draft(self) -> Draft:
        valid_for = self._random.choice((None, 100_000, self._random.randrange(1, 2_000)))
        return Draft(self._content(), self._priority(), valid_for, self._options())

    def _options(self) -> Options | None:
        if self._random.random() < 0.3:
            return None
        has_key = self._random.random() < 0.3
        return Options(
            uid=self._own_uid() if self._random.random() < 0.3 else None,
            delay=self._random.choice((0, 0, 0, 200)),
            max_attempts=self._random.choice((0, 0, 1, 2)),
            timeout=self._random.choice((0, 0, 250)),
            backoff=self._random.choice((None, Backoff(delays=(30, 90)))),
            tags=self._random.choice(((), ("urgent",))),
            unique_key=self._random.choice(KEYS) if has_key else None,
            unique_for=self._random.choice(list(UniqueFor)),
            unique_window=400,
            replaces=self._random.random() < 0.3,
        )

    def _own_uid(self) -> str:
        """Now and then one that was used before."""
        if self._known and self._random.random() < 0.3:
            return self._random.choice(self._known)[1]
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def _key(self) -> Idempotency:
        body = self._random.randbytes(16)
        return Idempotency(hashlib.blake2b(body, digest_size=16).digest(), body)
