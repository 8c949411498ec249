"""Random stories: commands that a broker may be asked, one after the other, while time passes."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from jobengine.errors import JobEngineError
from jobengine.model.commands import Claim, Command, Configure, Sweep, Update
from jobengine.model.order import LIVING
from jobengine.model.queue import Queue
from tests.support.commands import create, delete
from tests.support.pure_broker import PureBroker

QUEUES = (
    Queue(name="mail", keep=400, lease=100),
    Queue(name="letters", keep=50, lease=300, max_attempts=3),
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
_sweeps = st.integers(1, 5).map(lambda most: _submitting(Sweep(most)))
_configures = st.sampled_from(
    [QUEUES, QUEUES[:1], (QUEUES[0], replace(QUEUES[1], keep=500, max_attempts=1))]
).map(lambda queues: _submitting(Configure(queues)))

passes = st.integers(0, 200).map(_passing)
changes_of_jobs = st.one_of(_creates, _creates, _claims, _updates, _deletes)
steps = st.one_of(changes_of_jobs, changes_of_jobs, passes, _sweeps, _configures)
stories = st.lists(steps, max_size=40)


def told(story: list[Step]) -> PureBroker:
    """A broker to which all of it has happened."""
    broker = PureBroker(*QUEUES)
    for step in story:
        step(broker)
    return broker
