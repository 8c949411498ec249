"""Random stories: commands that a broker may be asked, one after the other, while time passes."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from jobengine.errors import JobEngineError
from jobengine.model.backoff import Backoff
from jobengine.model.commands import (
    Act,
    Amend,
    Claim,
    ClaimAny,
    Command,
    Complete,
    Configure,
    Control,
    Create,
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
    Sweep,
    Update,
)
from jobengine.model.extra import UniqueFor
from jobengine.model.log import Stream
from jobengine.model.order import LIVING
from jobengine.model.queue import Queue, WhenFull
from tests.support.commands import create, delete
from tests.support.pure_broker import PureBroker

QUEUES = (
    Queue(name="mail", keep=400, lease=100, log_bytes=40, keep_logs=1),
    Queue(name="letters", keep=50, lease=300, max_attempts=3, dead_letter="grave", max_jobs=6),
    Queue(name="grave", keep=50, lease=50, keeps_expired=True, when_full=WhenFull.DROP_LOWEST, max_bytes=60),
)

# A step is asked of a broker: which of its jobs it is about is known only then.
Step = Callable[[PureBroker], None]

_names = st.sampled_from([queue.name for queue in QUEUES])
_callers = st.sampled_from(["alice", "bob"])
_priorities = st.sampled_from([1, 50, 51, 100])
_contents = st.binary(min_size=2, max_size=20)
_numbers = st.integers(min_value=0, max_value=40)


def ask(broker: PureBroker, command: Command) -> None:
    """Ask; a refusal is an answer too."""
    try:
        broker.do(command)
    except JobEngineError:
        return


def chosen(broker: PureBroker, number: int) -> tuple[str, str]:
    """The queue and uid of one of the jobs, or of none when there is none."""
    jobs = [
        job for queue in broker.ledger.queues() for job in broker.ledger.contents(queue.name).jobs.values()
    ]
    job = jobs[number % len(jobs)] if jobs else None
    return (job.queue, job.uid) if job else (QUEUES[0].name, "no-uid")


def _updating(
    number: int, caller: str, may_write: bool, expires_in: int | None, named: dict[str, Any]
) -> Step:
    def step(broker: PureBroker) -> None:
        expires = None if expires_in is None else broker.now + expires_in
        ask(broker, Update(*chosen(broker, number), caller, may_write, expires=expires, **named))

    return step


def _settling(about: list[tuple[int, Settlement]], stale: bool) -> Step:
    def step(broker: PureBroker) -> None:
        settlements: list[Settlement] = []
        for number, settlement in about:
            queue, uid = chosen(broker, number)
            job = broker.ledger.job(queue, uid)
            lease = 0 if job is None or stale else job.lease
            settlements.append(replace(settlement, uid=uid, lease=lease))
        ask(broker, Settle(chosen(broker, about[0][0])[0], tuple(settlements)))

    return step


def _logging(number: int, stream: Stream, offset: int, data: bytes) -> Step:
    def step(broker: PureBroker) -> None:
        queue, uid = chosen(broker, number)
        job, written = broker.ledger.job(queue, uid), broker.ledger.log(queue, uid)
        end = 0 if written is None else written.end(stream)
        lease = 0 if job is None else job.lease
        ask(broker, Log(queue, uid, lease, stream, max(0, end + offset), data))

    return step


def _controlling(numbers: list[int], act: Act, target: str | None) -> Step:
    def step(broker: PureBroker) -> None:
        jobs = [chosen(broker, number) for number in numbers]
        ask(broker, Control(jobs[0][0], tuple(uid for _, uid in jobs), act, target))

    return step


def _amending(number: int, expires_in: int | None, named: dict[str, Any]) -> Step:
    def step(broker: PureBroker) -> None:
        queue, uid = chosen(broker, number)
        expires = UNSET if expires_in is None else broker.now + expires_in
        ask(broker, Amend(queue, uid, expires=expires, **named))

    return step


def _deleting(number: int) -> Step:
    return lambda broker: ask(broker, delete(*chosen(broker, number)))


def _passing(milliseconds: int) -> Step:
    def step(broker: PureBroker) -> None:
        broker.now += milliseconds

    return step


def _submitting(command: Command) -> Step:
    return lambda broker: ask(broker, command)


_named = st.fixed_dictionaries(
    {}, optional={"state": st.sampled_from(LIVING), "content": _contents, "priority": _priorities}
)
_creates = st.builds(create, _names, _contents, _priorities, st.integers(1, 500)).map(_submitting)
_claims = st.builds(Claim, _names, _callers).map(_submitting)
_updates = st.builds(_updating, _numbers, _callers, st.booleans(), st.none() | st.integers(-10, 600), _named)
_deletes = _numbers.map(_deleting)
_durations = st.integers(0, 200)
_options = st.builds(
    Options,
    uid=st.none() | st.sampled_from([f"{digit * 8}-1111-4111-8111-{digit * 12}" for digit in "12"]),
    delay=_durations,
    max_attempts=st.integers(0, 3),
    timeout=_durations,
    backoff=st.none() | st.just(Backoff(delays=(10, 100), jitter=0.0)),
    tags=st.just(()) | st.just(("t",)),
    unique_key=st.none() | st.sampled_from(["k", "l"]),
    unique_for=st.sampled_from(UniqueFor),
    unique_window=_durations,
    replaces=st.booleans(),
)
_drafts = st.builds(Draft, _contents, _priorities, st.integers(1, 500), st.none() | _options)
_keys = st.builds(Idempotency, st.sampled_from([b"a", b"b"]), st.just(b"body"))
_batches = st.builds(Create, _names, st.lists(_drafts, min_size=1, max_size=4).map(tuple), st.none() | _keys)
_settlements = st.one_of(
    st.builds(Complete, st.just(""), st.just(0), st.none() | _contents),
    st.builds(
        Fail,
        st.just(""),
        st.just(0),
        retry=st.none() | st.booleans(),
        delay=st.none() | st.integers(0, 50),
        result=st.none() | _contents,
    ),
    st.builds(Release, st.just(""), st.just(0), _durations, saved=st.none() | _contents),
    st.builds(Extend, st.just(""), st.just(0), _durations),
    st.builds(Progress, st.just(""), st.just(0), _contents),
)
_claims_of_many = st.builds(
    ClaimAny, st.just((("mail", 1), ("letters", 3))), _callers, st.integers(1, 4), st.none() | _durations
)
_settles = st.builds(
    _settling,
    st.lists(st.tuples(_numbers, _settlements), min_size=1, max_size=3),
    st.sampled_from([False, False, False, True]),
)
_logs = st.builds(_logging, _numbers, st.sampled_from(Stream), st.integers(-5, 5), st.binary(max_size=9))
_controls = st.builds(
    _controlling, st.lists(_numbers, min_size=1, max_size=3), st.sampled_from(Act), st.none() | _names
)
_amended = st.fixed_dictionaries(
    {},
    optional={
        "content": _contents,
        "priority": _priorities,
        "timeout": _durations,
        "max_attempts": st.integers(0, 3),
        "tags": st.just(("u",)),
    },
)
_amends = st.builds(_amending, _numbers, st.none() | st.integers(-10, 600), _amended)
_steers = st.builds(Steer, _names, st.none() | st.booleans(), st.none() | st.booleans()).map(_submitting)
_sweeps = st.integers(1, 5).map(lambda most: _submitting(Sweep(most)))
_configures = st.sampled_from(
    [QUEUES, QUEUES[:1], (QUEUES[0], replace(QUEUES[1], keep=500, max_attempts=1), QUEUES[2])]
).map(lambda queues: _submitting(Configure(queues)))

passes = st.integers(0, 200).map(_passing)
changes_of_jobs = st.one_of(
    *(_creates, *(_batches.map(_submitting),) * 2, _claims, _claims_of_many.map(_submitting)),
    *(_settles, _settles, _logs, _updates, _amends, _controls, _deletes),
)
steps = st.one_of(changes_of_jobs, changes_of_jobs, passes, _sweeps, _steers, _configures)
stories = st.lists(steps, max_size=40)


def told(story: list[Step]) -> PureBroker:
    """A broker to which all of it has happened."""
    broker = PureBroker(*QUEUES)
    for step in story:
        step(broker)
    return broker
