"""The engine, its journal and a disk that crashes, against the plainest broker that does the same."""

import asyncio
from copy import deepcopy
from random import Random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from jobengine.errors import JobEngineError, StorageFull
from jobengine.model.commands import Claim, Command, Configure, Create, Delete, Sweep, Update
from jobengine.model.job import BLOB_THRESHOLD_BYTES, Blob, Job, Queue
from jobengine.model.order import LIVING
from tests.engine.reference import Plain, Reference, Refused
from tests.support.brokers import Broker
from tests.support.disk import SimulatedDisk
from tests.support.ledgers import everything

MAIL = Queue(name="mail", keep=400, lease=100)
LETTERS = Queue(name="letters", keep=50, lease=300, max_attempts=3)
CONFIGURATIONS = [
    (MAIL, LETTERS),
    (MAIL,),
    (LETTERS,),
    (replace(MAIL, keep=20, max_attempts=2), replace(LETTERS, lease=30)),
    (replace(MAIL, keep=2_000), replace(LETTERS, max_attempts=1, keep=1_000)),
]

names = st.sampled_from(["mail", "letters"])
callers = st.sampled_from(["alice", "bob"])
priorities = st.sampled_from([1, 50, 51, 100])
small = st.binary(min_size=2, max_size=30)
contents = st.one_of(small, small, small.map(lambda start: start + b"x" * BLOB_THRESHOLD_BYTES))
numbers = st.integers(min_value=0, max_value=30)
states = st.sampled_from(LIVING)
validities = st.one_of(st.integers(1, 600), st.just(100_000))
durations = st.one_of(st.integers(0, 10), st.integers(0, 500))


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
        self.make_room()
        self.memory_equals_a_replay_of_the_file()
        for name in self.reference.queues:
            self.list_jobs(name)
        self.run(self.broker.engine.stop())
        self.runner.close()

    # --- what callers ask ---

    @initialize()
    def configure_first(self) -> None:
        self.configure(CONFIGURATIONS[0])

    @rule(queues=st.sampled_from(CONFIGURATIONS))
    def configure(self, queues: tuple[Queue, ...]) -> None:
        if self.ask(Configure(queues)) is not None:
            self.reference.configure(*queues)

    @rule(name=names, some=st.lists(st.tuples(contents, priorities, validities), min_size=1, max_size=4))
    def create(self, name: str, some: list[tuple[bytes, int, int]]) -> None:
        for content, priority, valid_for in some:
            self.create_one(name, content, priority, valid_for)

    def create_one(self, name: str, content: bytes, priority: int, valid_for: int) -> None:
        job = self.ask(Create(name, content, priority, valid_for))
        if isinstance(job, Job):
            self.reference.create(name, job.uid, content, priority, valid_for)
            self.known.append((name, job.uid))
        elif job is not None:
            assert name not in self.reference.queues

    @rule(name=names, claimer=callers)
    def claim(self, name: str, claimer: str) -> None:
        def expected() -> Plain | None:
            self.reference.order(name)
            return self.reference.claim(name, claimer)

        self.compare(Claim(name, claimer), expected)

    @precondition(lambda self: self.known)
    @rule(
        number=numbers,
        caller=callers,
        may_write=st.booleans(),
        state=st.none() | states,
        content=st.none() | contents,
        expires_in=st.none() | st.integers(-20, 700),
        priority=st.none() | priorities,
    )
    def update(
        self,
        number: int,
        caller: str,
        may_write: bool,
        state: Any,
        content: bytes | None,
        expires_in: int | None,
        priority: int | None,
    ) -> None:
        name, uid = self.chosen(number)
        expires = None if expires_in is None else self.reference.now + expires_in
        self.compare(
            Update(name, uid, caller, may_write, state, content, expires, priority),
            lambda: self.reference.update(
                name,
                uid,
                caller,
                may_write=may_write,
                status=state and state.value,
                content=content,
                expires=expires,
                priority=priority,
            ),
        )

    @precondition(lambda self: self.known)
    @rule(number=numbers)
    def settle(self, number: int) -> None:
        name, uid = self.chosen(number)
        held = self.reference.jobs.get(name, {}).get(uid)
        self.update(number, (held and held.claimer) or "alice", False, LIVING[number % 4], None, None, None)

    @precondition(lambda self: self.known)
    @rule(number=numbers)
    def delete(self, number: int) -> None:
        name, uid = self.chosen(number)
        job = self.ask(Delete(name, uid))
        if isinstance(job, Job):
            self.reference.delete(name, uid)
        elif job is not None:
            assert uid not in self.reference.jobs.get(name, {})

    @precondition(lambda self: self.known)
    @rule(number=numbers)
    def get(self, number: int) -> None:
        name, uid = self.chosen(number)
        seen = self.answer(self.broker.engine.job(name, uid))
        assert self.plain(seen) == self.outcome(lambda: self.reference.get(name, uid))

    # Not an invariant: a list sweeps first, and what nobody has swept is of interest.
    @precondition(lambda self: not self.full)  # what is due must be stored before it is listed
    @rule(name=names)
    def list_jobs(self, name: str) -> None:
        assert self.listed(name) == self.listed_by(self.reference, name)

    @rule(most=st.integers(1, 4))
    def sweep(self, most: int) -> None:
        self.ask(Sweep(most))

    # --- what befalls the broker ---

    @rule(milliseconds=durations)
    def time_passes(self, milliseconds: int) -> None:
        self.broker.time.pass_ms(milliseconds)
        self.reference.pass_ms(milliseconds)

    @rule(down_ms=durations)
    def stop_and_start(self, down_ms: int) -> None:
        self.make_room()
        self.run(self.broker.engine.stop())
        self.reopen(self.broker.disk.disk.kill(), down_ms)

    @rule(down_ms=durations)
    def kill_and_start(self, down_ms: int) -> None:
        left = self.broker.disk.disk.kill()
        self.abandon()
        self.reopen(left, down_ms)

    @rule(down_ms=durations, seed=st.integers(0, 1 << 16), keep=st.sampled_from([0.0, 0.5, 1.0]))
    def crash_and_start(self, down_ms: int, seed: int, keep: float) -> None:
        left = self.broker.disk.disk.crash(Random(seed), keep=keep)
        self.abandon()
        self.reopen(left, down_ms)

    @precondition(lambda self: not self.full)
    @rule(name=names, seed=st.integers(0, 1 << 16), keep=st.sampled_from([0.0, 0.5, 1.0]))
    def crash_while_claiming(self, name: str, seed: int, keep: float) -> None:
        """What was sent and never answered is there whole or not at all."""
        without = deepcopy(self.reference)
        claimed = self.outcome(
            lambda: self.reference.claim(name, "alice") if self.reference.order(name) else None
        )
        left = self.run(self._crash_under_way(Claim(name, "alice"), Random(seed), keep))
        self.abandon()
        self.reopen(left, 0, under_way=True)
        if isinstance(claimed, tuple) and self.listed(name) == self.listed_by(without, name):
            self.reference = without

    @precondition(lambda self: not self.full)
    @rule()
    def the_disk_is_full(self) -> None:
        self.full = True
        self.broker.disk.fill()

    @precondition(lambda self: self.full)
    @rule()
    def make_room(self) -> None:
        self.full = False
        self.broker.disk.make_room()

    # --- what must hold, always ---

    @precondition(lambda self: self.full)  # else a restart shows it, and there are many of them
    @invariant()
    def memory_equals_a_replay_of_the_file(self) -> None:
        assert everything(self.broker.replayed()) == everything(self.broker.ledger)

    # --- how ---

    def chosen(self, number: int) -> tuple[str, str]:
        """The queue and uid of a job: mostly one that is there."""
        living = [(name, uid) for name, jobs in self.reference.jobs.items() for uid in jobs]
        jobs = living if living and number % 5 else self.known
        return jobs[number % len(jobs)]

    def ask(self, command: Command) -> Any:
        """The answer, or the code of the refusal; None when the disk is full."""
        answer = self.answer(self.broker.engine.submit(command))
        if answer == "storage_full":
            assert self.full
            return None
        return answer

    def answer(self, asking: Any) -> Any:
        """What comes of it, or the code of the refusal."""
        try:
            return self.run(asking)
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
            *(seen.state.value, seen.lease_ends, seen.attempt, seen.claimer),
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

    def abandon(self) -> None:
        """The process is no more."""
        self.broker.disk.make_room()
        self.run(self.broker.engine.stop())

    def reopen(self, disk: SimulatedDisk, down_ms: int, *, under_way: bool = False) -> None:
        """Start on what is left of the disk."""
        self.full = False
        disk.room = None
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
        *(job.status, job.lease_ends, job.attempt, job.claimer),
    )


BrokerMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
TestTheEngineAgainstTheReference = BrokerMachine.TestCase
