"""The engine, its journal and a disk that crashes, against the plainest broker that does the same."""

import asyncio
from copy import deepcopy
from random import Random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from jobengine.errors import JobEngineError, StorageFull
from jobengine.model.blob import BLOB_THRESHOLD_BYTES, Blob
from jobengine.model.commands import (
    Act,
    Claim,
    Command,
    Complete,
    Configure,
    Control,
    Create,
    Created,
    Draft,
    Extend,
    Fail,
    Idempotency,
    Options,
    Release,
    Settle,
    Settlement,
    Sweep,
    Update,
)
from jobengine.model.job import Job
from jobengine.model.queue import Queue
from jobengine.model.states import State
from tests.engine.reference import Plain, Reference, Refused
from tests.engine.steps import BOTH, asked, befalling, names
from tests.support.brokers import Broker
from tests.support.commands import create, delete, plain
from tests.support.disk import SimulatedDisk
from tests.support.ledgers import everything


class BrokerMachine(RuleBasedStateMachine):
    """Asks both the same, and compares all that can be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.broker = Broker()
        self.reference = Reference(self.broker.time.wall_ms)
        self.known: list[tuple[str, str]] = []  # queue and uid of every job that ever was
        self.full = False
        self.run(self._start())

    def run(self, doing: Any) -> Any:
        """On the loop of this example."""
        return self.runner.run(doing)

    async def _start(self) -> None:
        self.broker.start()

    def teardown(self) -> None:
        self.memory_equals_a_replay_of_the_file()
        for name in ("mail", "letters"):
            self.list_jobs(name)
        self.run(self.broker.engine.stop())
        self.runner.close()

    # --- what callers ask ---

    @initialize()
    def configure_first(self) -> None:
        self.configure(BOTH)

    def configure(self, queues: tuple[Queue, ...]) -> None:
        self.ask(Configure(queues))
        self.reference.configure(*queues)

    @rule(steps=st.lists(asked, min_size=8, max_size=20))
    def work(self, steps: list[tuple[str, dict[str, Any]]]) -> None:
        for name, arguments in steps:
            getattr(self, name)(**arguments)

    def create(
        self,
        name: str,
        content: bytes,
        priority: int,
        valid_for: int,
        *,
        delay: int = 0,
        max_attempts: int = 0,
        key: str | None = None,
    ) -> None:
        options = Options(delay=delay, max_attempts=max_attempts, unique_key=key)
        job = self.ask(create(name, content, priority, valid_for, options))
        keepers = self.reference.keepers(name, key)
        if isinstance(job, Job) and keepers:
            assert job.uid in keepers
        elif isinstance(job, Job):
            assert self.reference.has_room(name, 1)
            self.reference.create(
                *(name, job.uid, content, priority, valid_for),
                delay=delay,
                max_attempts=max_attempts,
                key=key,
            )
            self.known.append((name, job.uid))
        elif job == "queue_full":
            assert not keepers
            assert not self.reference.has_room(name, 1)
        elif job is not None:
            assert name not in self.reference.queues

    def create_list(self, name: str, some: list[bytes], request: bytes) -> None:
        """With an idempotency key: at most once, all or none."""
        key = name.encode() + request
        drafts = tuple(Draft(content, 50, 100_000) for content in some)
        created = self.ask_whole(Create(name, drafts, Idempotency(key, b"body")))
        before = self.reference.requests.get(key)
        if isinstance(created, Created) and before is not None:
            left = [uid for uid in before if uid in self.reference.jobs[name]]
            assert [job.uid for job in created.jobs] == left
            assert set(created.gone) == set(before) - set(left)
        elif isinstance(created, Created):
            assert self.reference.has_room(name, len(some))
            self.reference.requests[key] = [job.uid for job in created.jobs]
            for content, job in zip(some, created.jobs, strict=True):
                self.reference.create(name, job.uid, content, 50, 100_000)
                self.known.append((name, job.uid))
        elif created == "queue_full":
            assert before is None
            assert not self.reference.has_room(name, len(some))
        elif created is not None:
            assert name not in self.reference.queues

    def claim(self, name: str, claimer: str) -> None:
        self.compare(Claim(name, claimer), lambda: self.reference.claim(name, claimer))

    def update(self, number: int, caller: str, may_write: bool, expires_in: int | None, **named: Any) -> None:
        name, uid = self.chosen(number)
        expires = None if expires_in is None else self.reference.now + expires_in
        self.compare(
            Update(name, uid, caller, may_write, expires=expires, **named),
            lambda: self.reference.update(name, uid, caller, may_write, expires=expires, **named),
        )

    def settle(self, number: int, state: State) -> None:
        name, uid = self.chosen(number)
        held = self.reference.jobs.get(name, {}).get(uid)
        claimer = (held and held.claimer) or "alice"
        self.update(number, claimer, may_write=False, expires_in=None, state=state)

    def speak(self, number: int, word: str, milliseconds: int, is_holder: bool) -> None:
        """As the holder of a job, or as one who believes to be it."""
        name, uid = self.chosen(number)
        job = self.answer(self.broker.engine.job(name, uid))
        lease = (job.lease if isinstance(job, Job) else 1) ^ (0 if is_holder else 2)
        self.compare(
            Settle(name, (_settlement(word, uid, lease, milliseconds),)),
            lambda: self.reference.settle(name, uid, word, milliseconds, is_holder=is_holder),
        )

    def stop(self, number: int) -> None:
        name, uid = self.chosen(number)
        self.compare(Control(name, (uid,), Act.STOP), lambda: self.reference.stop(name, uid))

    def retry(self, number: int) -> None:
        name, uid = self.chosen(number)
        self.compare(Control(name, (uid,), Act.RETRY), lambda: self.reference.retry(name, uid))

    def delete(self, number: int) -> None:
        name, uid = self.chosen(number)
        job = self.ask(delete(name, uid))
        if isinstance(job, Job):
            self.reference.delete(name, uid)
        elif job is not None:
            assert uid not in self.reference.jobs.get(name, {})

    def get(self, number: int) -> None:
        name, uid = self.chosen(number)
        seen = self.answer(self.broker.engine.job(name, uid))
        assert self.plain(seen) == self.outcome(lambda: self.reference.get(name, uid))

    # Not an invariant: a list sweeps first, and what nobody has swept is of interest.
    @rule(name=names)
    def list_jobs(self, name: str) -> None:
        assert self.listed(name) == self.listed_by(self.reference, name)

    def sweep(self, most: int) -> None:
        self.ask(Sweep(most))

    # --- what befalls the broker ---

    @rule(events=st.lists(befalling, min_size=1, max_size=3))
    def befall(self, events: list[tuple[str, dict[str, Any]]]) -> None:
        self.work(events)

    def time_passes(self, milliseconds: int) -> None:
        self.broker.time.pass_ms(milliseconds)
        self.reference.pass_ms(milliseconds)

    def go_down_and_start(self, down_ms: int, how: str | float, seed: int) -> None:
        """Cleanly, killed, or with the machine, which keeps this share of what was not synced."""
        disk = self.broker.disk.disk
        left = disk.crash(Random(seed), keep=how) if isinstance(how, float) else disk.kill()
        self.run(self.broker.engine.stop())
        self.reopen(disk.kill() if how == "stop" else left, down_ms)

    def crash_while_claiming(self, name: str, seed: int, keep: float) -> None:
        """What was sent and never answered is there whole or not at all."""
        without = deepcopy(self.reference)
        claimed = self.outcome(lambda: self.reference.claim(name, "alice"))
        left = self.run(self._crash_under_way(Claim(name, "alice"), Random(seed), keep))
        self.run(self.broker.engine.stop())
        self.reopen(left, 0, under_way=True)
        if isinstance(claimed, tuple) and self.listed(name) == self.listed_by(without, name):
            self.reference = without

    def a_queue_is_dropped_and_comes_back(self, queue: Queue, down: bool) -> None:
        self.configure((queue,))
        self.list_jobs("mail")
        self.list_jobs("letters")
        if down:
            self.go_down_and_start(0, "kill", 0)
        self.configure(BOTH)

    def the_disk_is_full_for_a_while(self, name: str, number: int, content: bytes, caller: str) -> None:
        self.full = True
        self.broker.disk.fill()
        self.create(name, content, 50, 100)
        self.claim(name, caller)
        self.update(number, caller, may_write=True, expires_in=None, state=State.QUEUED, content=content)
        self.create_list(name, [content], b"full")
        self.speak(number, "fail", 1, is_holder=True)
        self.delete(number)
        self.memory_equals_a_replay_of_the_file()
        self.broker.disk.make_room()
        self.full = False

    def memory_equals_a_replay_of_the_file(self) -> None:
        assert everything(self.broker.replayed()) == everything(self.broker.ledger)

    # --- how ---

    def chosen(self, number: int) -> tuple[str, str]:
        """The queue and uid of a job: mostly one that is there."""
        living = [(name, uid) for name, jobs in self.reference.jobs.items() for uid in jobs]
        jobs = living if living and number % 5 < 4 else [("mail", "no-uid"), *self.known]
        return jobs[number % len(jobs)]

    def ask(self, command: Command) -> Any:
        """The answer, or the code of the refusal; None when the disk is full."""
        answer = self.answer(self.broker.engine.submit(command))
        if answer == StorageFull.code:
            assert self.full
            return None
        return answer

    def ask_whole(self, command: Command) -> Any:
        """The same, and an answer about several jobs as it is."""
        try:
            return self.run(self.broker.engine.submit(command))
        except StorageFull:
            assert self.full
            return None
        except JobEngineError as refusal:
            return refusal.code

    def answer(self, asking: Any) -> Any:
        """What comes of it, or the code of the refusal."""
        try:
            return plain(self.run(asking))
        except JobEngineError as refusal:
            return refusal.code

    def compare(self, command: Command, expected: Any) -> None:
        """Both answer the same, or the disk is full and nothing has happened."""
        seen = self.answer(self.broker.engine.submit(command))
        if seen == StorageFull.code:
            assert self.full
            return
        assert self.plain(seen) == self.outcome(expected)

    def outcome(self, expected: Any) -> Any:
        """What the reference says, in the same shape."""
        try:
            job = expected()
        except Refused as refusal:
            return str(refusal)
        return job and shown(job)

    def plain(self, seen: Any) -> Any:
        """What the engine says, in the same shape."""
        if not isinstance(seen, Job):
            return seen
        content = self.run(self.broker.engine.content(seen.content))
        assert isinstance(seen.content, Blob) == (len(content) > BLOB_THRESHOLD_BYTES)
        return (
            *(seen.uid, content, seen.priority, seen.created, seen.updated, seen.expires),
            *(seen.state.value, seen.lease_ends, seen.attempt, seen.claimer, seen.epoch),
            *(seen.more.is_to_stop, seen.more.not_before if seen.state is State.QUEUED else 0),
        )

    def listed(self, name: str) -> Any:
        """The list that the engine gives, with true positions."""
        return self.answer(self._listed(name))

    async def _listed(self, name: str) -> list[Any]:
        slices = [some async for some in self.broker.engine.slices(name)]
        jobs = [(position, job) for some in slices for position, job in enumerate(some.jobs, some.position)]
        assert [position for position, _ in jobs] == list(range(len(jobs)))
        return [(job.uid, job.state.value, job.priority, job.updated, job.attempt) for _, job in jobs]

    def listed_by(self, reference: Reference, name: str) -> Any:
        """The list as it must be."""
        try:
            jobs = reference.order(name)
        except Refused as refusal:
            return str(refusal)
        return [(job.uid, job.status, job.priority, job.updated, job.attempt) for job in jobs]

    async def _crash_under_way(self, command: Command, random: Random, keep: float) -> SimulatedDisk:
        self.broker.disk.hold_syncs()
        asking = asyncio.create_task(self.broker.engine.submit(command))
        for _ in range(50):
            await asyncio.sleep(0.0001)
        left = self.broker.disk.disk.crash(random, keep=keep)
        self.broker.disk.let_syncs_go()
        await asyncio.gather(asking, return_exceptions=True)
        return left

    def reopen(self, disk: SimulatedDisk, down_ms: int, *, under_way: bool = False) -> None:
        """Start on what is left of the disk."""
        self.broker.time.pass_ms(down_ms)
        self.reference.pass_ms(down_ms)
        before, self.broker = self.broker, Broker(disk, time=self.broker.time)
        if not under_way:
            assert everything(self.broker.ledger) == everything(before.ledger)
        self.run(self._start())


def shown(job: Plain) -> tuple[Any, ...]:
    """All of a job that a caller may see or feel."""
    return (
        *(job.uid, job.content, job.priority, job.created, job.updated, job.expires),
        *(job.status, job.lease_ends, job.attempt, job.claimer, job.epoch),
        *(job.stopping, job.not_before if job.status == "queued" else 0),
    )


def _settlement(word: str, uid: str, lease: int, milliseconds: int) -> Settlement:
    match word:
        case "complete":
            return Complete(uid, lease, b"1")
        case "fail":
            return Fail(uid, lease, delay=milliseconds)
        case "release":
            return Release(uid, lease, milliseconds)
        case _:
            return Extend(uid, lease, milliseconds)


BrokerMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=20, deadline=None)
TestTheEngineAgainstTheReference = BrokerMachine.TestCase
