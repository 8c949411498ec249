"""Clients of API v1. Each knows what it was told, and asks for something that makes sense, mostly."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing, suppress
from random import Random
from typing import Any

from jobengine.errors import JobEngineError, OutcomeUnknown, StorageFull
from jobengine.model.backoff import Backoff
from jobengine.model.blob import BLOB_THRESHOLD_BYTES, Blob
from jobengine.model.commands import Claim, Command, Created, Update
from jobengine.model.job import Job
from jobengine.model.order import LIVING
from jobengine.model.queue import Queue
from jobengine.model.states import State
from tests.simulation.counts import Counts
from tests.simulation.engine import WatchedEngine
from tests.simulation.oracle import Oracle, Question, asking
from tests.simulation.room import Room
from tests.support.commands import create, delete, only_job

MAIL = Queue(name="mail", keep=4_000, lease=1_000)
LETTERS = Queue(
    name="letters",
    keep=500,
    lease=300,
    max_attempts=3,
    dead_letter="dead",
    backoff=Backoff(first=50, most=400),
)
THINK_SECONDS = 0.1  # between two questions, on average
PATIENCE_SECONDS = 0.002  # of those that go away
NAMES = (MAIL.name, LETTERS.name)


class Broker:
    """What the clients of one life share."""

    def __init__(
        self,
        random: Random,
        engine: WatchedEngine,
        oracle: Oracle,
        room: Room,
        counts: Counts,
        trace: Callable[[str], None],
    ) -> None:
        self.random = random
        self.engine = engine
        self.oracle = oracle
        self.room = room
        self.counts = counts
        self.trace = trace

    async def ask(self, text: str, asked: Awaitable[Any], *, about: tuple[str, str] | None = None) -> Any:
        """The answer; None when there is none, or none that can be relied on."""
        question = Question(text, about=about)
        before = asking.set(question)
        try:
            answer = await asked
        except JobEngineError as refusal:
            self._refused(question, refusal)
        except asyncio.CancelledError:
            self.counts.cancelled += 1
            self.trace(f"{text}: gone")
            raise
        else:
            self.counts.answered += 1
            self.trace(f"{text}: {_short(answer)}")
            self.oracle.answered(question, answer)
            return answer
        finally:
            asking.reset(before)

    def _refused(self, question: Question, refusal: JobEngineError) -> None:
        if isinstance(refusal, OutcomeUnknown):
            self.counts.unknown += 1
        else:
            self.counts.refused += 1
        if isinstance(refusal, StorageFull) and "database.reserve_mib" in refusal.detail:
            self.counts.growth_refused += 1
            if self.room.is_long_since():
                raise self.oracle.violated(f"{question.text} was refused, and the disk has had room for long")
        self.trace(f"{question.text}: {refusal.code}")
        self.oracle.refusal_told(question, refusal)


class Client:
    """One of them."""

    def __init__(self, name: str, broker: Broker, known: list[tuple[str, str]]) -> None:
        self.name = name
        self._broker = broker
        self._random = broker.random
        self._known = known  # queue and uid of every job that anybody was told of
        self._held: list[Job] = []
        self._asks = self._wishes()

    def _wishes(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        return [
            *(6 * [self._create] + 6 * [self._claim] + 4 * [self._settle]),
            *(2 * [self._update] + 2 * [self._look] + [self._delete, self._list]),
        ]

    async def run(self, goes_on: Callable[[], bool]) -> None:
        """Ask one thing after the other."""
        while True:
            await asyncio.sleep(self._random.random() * 2 * THINK_SECONDS)
            if not goes_on():
                return
            self._broker.counts.operations += 1
            patience = self._random.random() * PATIENCE_SECONDS if self._random.random() < 0.03 else None
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._random.choice(self._asks)()

    async def _create(self) -> None:
        content, queue = self._content(), self._random.choice(NAMES)
        valid_for = self._random.choice((100_000, 100_000, 100_000, self._random.randrange(1, 2_000)))
        command = create(queue, content, self._priority(), valid_for)
        job = only_job(await self._submit("create", command))
        if job is not None:
            self._known.append((queue, job.uid))
            self._check_content(job, content)

    async def _claim(self) -> None:
        job = only_job(await self._submit("claim", Claim(self._random.choice(NAMES), self.name)))
        if job is not None:
            self._held.append(job)

    async def _settle(self) -> None:
        if self._held:
            job = self._held.pop(self._random.randrange(len(self._held)))
            state = self._random.choice((State.COMPLETE, State.COMPLETE, State.FAILED, State.QUEUED, None))
            content = self._content() if state is not State.QUEUED and self._random.random() < 0.3 else None
            settle = Update(job.queue, job.uid, self.name, may_write=False, state=state, content=content)
            if await self._submit("settle", settle) is not None and state is None:
                self._held.append(job)

    async def _update(self) -> None:
        if self._known:
            queue, uid = self._random.choice(self._known)
            named: dict[str, Any] = {}
            if self._random.random() < 0.5:
                named["state"] = self._random.choice(LIVING)
            if self._random.random() < 0.5:
                named["priority"] = self._priority()
            if self._random.random() < 0.2:
                named["content"] = self._content()
            await self._submit("update", Update(queue, uid, self.name, may_write=True, **named))

    async def _delete(self) -> None:
        if self._known:
            queue, uid = self._random.choice(self._known)
            await self._submit("delete", delete(queue, uid))

    async def _look(self) -> None:
        if self._known:
            queue, uid = about = self._random.choice(self._known)
            looking = self._broker.engine.job(queue, uid)
            job = await self._broker.ask(f"{self.name} look {uid[:8]}", looking, about=about)
            if job is not None and isinstance(job.content, Blob):
                with suppress(JobEngineError):  # of a life that ends
                    value = await self._broker.engine.content(job.content)
                    self._check_content(job, value)

    async def _list(self) -> None:
        last = -1
        with suppress(JobEngineError):
            async with aclosing(self._broker.engine.slices(self._random.choice(NAMES))) as slices:
                async for some in slices:
                    for job in some.jobs:
                        if job.order <= last:
                            raise self._broker.oracle.violated(f"listed out of order: {job}")
                        last = job.order

    async def _submit(self, verb: str, command: Command) -> Any:
        uid = getattr(command, "uid", "")
        text = f"{self.name} {verb} {getattr(command, 'queue', '')} {uid[:8]}"
        return await self._broker.ask(text, self._broker.engine.submit(command))

    def _content(self) -> bytes:
        content = b'{"n": %d}' % self._broker.counts.operations
        return content + b" " * BLOB_THRESHOLD_BYTES if self._random.random() < 0.04 else content

    def _priority(self) -> int:
        return self._random.choice((50, 50, 51, 99))

    def _check_content(self, job: Job, value: bytes) -> None:
        stored = job.content
        same = (
            stored == value if isinstance(stored, bytes) else stored.digest == hashlib.sha256(value).digest()
        )
        if not same:
            raise self._broker.oracle.violated(f"the content of {job} is not what was sent")


def _short(answer: Any) -> str:
    match answer:
        case Job():
            return f"{answer.uid[:8]} {answer.state} {answer.priority} {answer.attempt}"
        case Created(jobs) | tuple(jobs):
            return ", ".join(map(_short, jobs)) or "none"
        case JobEngineError():
            return answer.code
        case _:
            return str(answer)
