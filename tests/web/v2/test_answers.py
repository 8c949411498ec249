"""What is answered is what the types of the OpenAPI document say, to the last field."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobengine.model.backoff import Backoff
from jobengine.model.extra import Extra, Failure, Reason, Unique
from jobengine.model.job import NEVER, Job, order_of
from jobengine.model.states import State
from jobengine.web.v2.answers import JobView
from jobengine.web.v2.job import AS_IT_IS, KNOWN, TO_ITS_HOLDER, TO_WHO_EXTENDS, Shown, job_json

TEXTS = st.text(max_size=20)
TIMES = st.integers(0, NEVER)
FAILURES = st.builds(
    Failure,
    attempt=st.integers(1, 9),
    time=TIMES,
    reason=st.sampled_from(Reason),
    kind=TEXTS,
    text=TEXTS,
    worker=st.none() | TEXTS,
)
BACKOFFS = st.builds(Backoff, delays=st.lists(st.integers(0, 10**9), max_size=3).map(tuple))
EXTRAS = st.builds(
    Extra,
    not_before=TIMES,
    max_attempts=st.integers(0, 9),
    timeout=st.integers(0, 10**6),
    backoff=st.none() | BACKOFFS,
    tags=st.lists(TEXTS, max_size=3).map(tuple),
    unique=st.none() | st.builds(Unique, key=TEXTS),
    halted=st.booleans(),
    is_to_stop=st.booleans(),
    reason=st.none() | st.sampled_from(Reason),
    progress=st.none() | st.just(b'{"done":1}'),
    result=st.none() | st.just(b"[1]"),
    failures=st.lists(FAILURES, max_size=2).map(tuple),
    died_in=st.none() | st.just("mail"),
)
JOBS = st.builds(
    Job,
    uid=st.uuids().map(str),
    queue=st.just("mail"),
    state=st.sampled_from([State.QUEUED, State.INPROGRESS, State.COMPLETE, State.FAILED]),
    order=st.integers(1, 100).map(lambda priority: order_of(priority=priority, arrival=7)),
    content=st.just(b'{"a": 1}'),
    created=TIMES,
    updated=TIMES,
    expires=TIMES,
    lease_ends=TIMES,
    attempt=st.integers(0, 9),
    claimer=st.none() | st.just("reader"),
    worker=st.none() | TEXTS,
    epoch=st.integers(0, 9),
    lease=st.integers(0, 2**63 - 1),
    extra=st.none() | EXTRAS,
)


@given(job=JOBS, how=st.sampled_from([AS_IT_IS, KNOWN, TO_ITS_HOLDER, TO_WHO_EXTENDS]))
def test_a_job_is_shown_as_its_type_says(job: Job, how: Shown) -> None:
    result = job.more.result
    view = msgspec.json.decode(
        job_json(job, b'{"a": 1}', result if isinstance(result, bytes) else None, how), type=JobView
    )
    assert (view.uid, view.queue, view.state, view.priority) == (job.uid, "mail", job.state, job.priority)
    assert (view.lease is not None) == (job.state is State.INPROGRESS)
    if view.lease is not None:
        assert (view.lease.id is not None) == how.lease
        assert view.lease.worker == job.worker
    assert view.tags == list(job.more.tags)
    assert [failure.text for failure in view.errors] == [failure.text for failure in job.more.failures]
    assert view.deduplicated == how.deduplicated
    assert view.control == (job.more.asked if how.asked or job.more.is_to_stop else None)


@pytest.mark.parametrize("state", [State.QUEUED, State.COMPLETE])
def test_what_is_empty_is_left_out(state: State) -> None:
    job = Job("u", "mail", state, order_of(priority=50, arrival=1), b"1", 0, 0, NEVER)
    assert set(msgspec.json.decode(job_json(job, b"1", None))) == {
        *("uid", "queue", "state", "priority", "content", "created", "last_updated", "attempt")
    }
