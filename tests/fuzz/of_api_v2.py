"""Requests for API v2 that are nearly right: its doors and keys, with values that may not belong there."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from jobengine.model.commands import Act
from tests.support.connection import request

UIDS = ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002")


def mostly(right: Sequence[object], wrong: Sequence[object]) -> st.SearchStrategy[Any]:
    """One of them, a wrong one now and then: of many members all should be right at times."""
    return st.sampled_from([*right] * (1 + 20 * len(wrong) // len(right)) + [*wrong])


uids = mostly(UIDS, [UIDS[0].upper(), "x", "%00", ".."])
queues = mostly(["mail", "mail", "made"], ["none", "%2e%2e", "*"])
verbs = st.sampled_from(
    [
        *("complete", "fail", "release", "extend", "progress", "log"),
        *("stop", "halt", "resume", "retry", "move", "clone"),
    ]
)
jobs_of_queues = st.builds("/queues/{}/jobs".format, queues)
a_job = st.builds("{}/{}".format, jobs_of_queues, uids)
odd: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just({}) | st.just([])
)
durations = mostly(["5 s", "1h", "1 ms", None], ["-1 s", "1e999 s", "0 s", "", 1, 1 << 70])
instants = mostly(["2090-01-01T00:00:00Z", "2001-01-01T00:00:00+02:00", None], ["9999-99-99", "", 1 << 70])
whole = mostly([1, 2, 50, 100], [101, -1, 0, 1 << 70, 1.5])
leases = mostly(["0" * 16, "f" * 16], ["F" * 16, ""])
names = mostly(["mail", "made"], ["none", "", "*", None])
texts = mostly(["a", "b", "\0"], ["", "a" * 201, None])
tags = st.lists(mostly(["a", "b"], ["", "a" * 65]), max_size=3)
states = st.lists(mostly(["queued", "inprogress", "complete", "failed"], ["odd"]), max_size=3)
filters = mostly(["priority > 5", 'tags has "a"', "content.a = 1"], ["(((", ""])
backoffs = st.lists(durations, min_size=1, max_size=3) | st.fixed_dictionaries(
    {"from": durations, "factor": whole, "to": durations}
)


def shaped(**members: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    """Some of these members, each with its own kind of value, and now and then one with any."""
    right = st.fixed_dictionaries({}, optional=members)
    wrong = st.dictionaries(st.sampled_from([*members, "odd"]), odd, max_size=1)
    return st.builds(lambda one, other: {**one, **other}, right, st.one_of(*[st.just({})] * 9, wrong))


def with_content(body: dict[str, object]) -> dict[str, object]:
    """A new job needs it."""
    return {"content": None, **body}


a_new_job = shaped(
    content=odd,
    priority=whole,
    valid_for=durations,
    not_before=instants,
    delay=durations,
    max_attempts=whole,
    backoff=backoffs,
    timeout=durations,
    unique_key=texts,
    unique_for=mostly(["queued", "active", "5 s"], [""]),
    on_duplicate=mostly(["keep", "replace"], [""]),
    tags=tags,
    uid=uids,
).map(with_content)
a_change = shaped(
    content=odd,
    priority=whole,
    expires=instants,
    delay=durations,
    max_attempts=whole,
    backoff=backoffs,
    tags=tags,
)
a_claim = shaped(max=whole, lease=durations, worker=texts)
a_claim_of_some = shaped(queues=st.lists(names, max_size=3), max=whole, lease=durations, worker=texts)
a_word_of_the_holder = shaped(
    uid=uids, lease=leases, result=odd, error=texts, delay=durations, saved=odd, by=durations, progress=odd
)
some_words = st.dictionaries(
    st.sampled_from(["complete", "fail", "release", "extend", "progress"]),
    st.lists(a_word_of_the_holder, max_size=3),
    max_size=2,
)
a_bulk = shaped(
    queue=names,
    action=mostly([*Act], ["odd"]),
    filter=filters,
    state=states,
    to=names,
    dry_run=st.booleans(),
    cursor=texts,
)
a_queue = shaped(
    read=st.just(["owner"]),
    write=st.just(["owner"]),
    max_jobs=whole,
    max_bytes=whole,
    max_attempts=whole,
    dead_letter=names,
    backoff=backoffs,
)

Case = tuple[str, str, object]  # method, path, what is sent as JSON; None: nothing


def door(
    method: str, paths: st.SearchStrategy[str], body: st.SearchStrategy[object]
) -> st.SearchStrategy[Case]:
    """What may be sent to it."""
    return st.tuples(st.just(method), paths, body)


cases = st.one_of(
    door("POST", jobs_of_queues, a_new_job),
    door("POST", jobs_of_queues, st.lists(a_new_job, max_size=3)),
    door("POST", jobs_of_queues, a_new_job),
    door("POST", queues.map("/queues/{}/claim".format), a_claim),
    door("POST", queues.map("/queues/{}/settle".format), some_words),
    door("POST", queues.map("/queues/{}/purge".format), shaped(state=states, cursor=texts)),
    door("POST", queues.map("/queues/{}/redrive".format), shaped(to=names, cursor=texts)),
    door("POST", st.builds("{}/{}".format, a_job, verbs), a_word_of_the_holder | shaped(queue=names)),
    door("PATCH", a_job, a_change),
    door("POST", st.just("/claim"), a_claim_of_some),
    door("POST", st.just("/jobs/bulk"), a_bulk),
    door("PUT", queues.map("/queues/{}".format), a_queue),
    door("DELETE", a_job | queues.map("/queues/{}".format), st.none()),
    door("GET", a_job | st.builds("{}/{}".format, a_job, st.sampled_from(["why", "log"])), st.none()),
    door("GET", st.builds("{}?filter={}&cursor={}".format, jobs_of_queues, uids, uids), st.none()),
    door("GET", jobs_of_queues | queues.map("/queues/{}".format), st.none()),
    door(
        "POST",
        st.builds("/queues/{}/{}".format, queues, mostly(["resume"], ["pause", "drain"])),
        st.none(),
    ),
)
headers = st.dictionaries(
    st.sampled_from(["Idempotency-Key", "Prefer", "If-Match", "Accept"]),
    st.sampled_from(["a", "b", "return=minimal", "wait=0", "respond-async", "", "*"]),
    max_size=1,
)


def _request(case: Case, more: dict[str, str]) -> bytes:
    method, path, sent = case
    body = None if sent is None else json.dumps(sent).encode()
    return request(method, f"/api/v2{path}", {"Host": "a", "X-Name": "owner", **more}, body)


requests = st.builds(_request, cases, headers)
