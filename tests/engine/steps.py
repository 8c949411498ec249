"""What may be asked of a broker and befall it, as calls of the methods of a state machine."""

from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from jobengine.model.blob import BLOB_THRESHOLD_BYTES
from jobengine.model.order import LIVING
from jobengine.model.queue import Queue

MAIL = Queue(name="mail", keep=400, lease=100)
LETTERS = Queue(name="letters", keep=50, lease=30, max_attempts=3, max_jobs=6)
BOTH = (MAIL, LETTERS)
OTHER_SETTINGS = (replace(MAIL, keep=20, max_attempts=3), replace(LETTERS, lease=300, max_attempts=1))

names = st.sampled_from(["mail", "letters"])
callers = st.sampled_from(["alice", "bob"])
priorities = st.sampled_from([50, 51])
small = st.binary(min_size=2, max_size=30)
contents = st.one_of(small, small, small.map(lambda start: start + b"x" * BLOB_THRESHOLD_BYTES))
numbers = st.integers(min_value=0, max_value=30)
states = st.sampled_from(LIVING)
seeds = st.integers(0, 1 << 16)
validities = st.one_of(st.just(100_000), st.just(100_000), st.integers(1, 300))
durations = st.one_of(st.integers(0, 5), st.integers(0, 5), st.integers(20, 110), st.integers(0, 500))


def step(method: str, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A call of a method of the machine."""
    return st.tuples(st.just(method), st.fixed_dictionaries(arguments))


creating = step(
    "create",
    name=names,
    content=contents,
    priority=priorities,
    valid_for=validities,
    delay=st.just(0) | durations,
    max_attempts=st.integers(0, 2),
    key=st.none() | st.sampled_from(["k", "l"]),
)
creating_list = step(
    "create_list",
    name=names,
    some=st.lists(contents, min_size=1, max_size=3),
    request=st.sampled_from([b"a", b"b"]),
)
speaking = step(
    "speak",
    number=numbers,
    word=st.sampled_from(["complete", "fail", "release", "extend"]),
    milliseconds=durations.map(lambda each: each + 1) | st.just(1),
    is_holder=st.sampled_from([True, True, True, False]),
)
claiming = step("claim", name=names, claimer=callers)
setting = step(
    "update", number=numbers, caller=callers, may_write=st.just(True), expires_in=st.none(), state=states
)
updating = step(
    "update",
    number=numbers,
    caller=callers,
    may_write=st.booleans(),
    expires_in=st.none() | st.integers(-20, 700),
    state=st.none() | states,
    content=st.none() | contents,
    priority=st.none() | priorities,
)
asked = st.one_of(
    *(creating, creating, creating_list, claiming, claiming, speaking, speaking, setting, updating),
    step("stop", number=numbers),
    step("retry", number=numbers),
    step("settle", number=numbers, state=states),
    step("delete", number=numbers),
    step("get", number=numbers),
    step("sweep", most=st.integers(1, 4)),
    step("time_passes", milliseconds=durations),
)
kept_shares = st.sampled_from([0.0, 0.5, 1.0])
befalling = st.one_of(
    step("time_passes", milliseconds=durations),
    step("configure", queues=st.sampled_from([BOTH, OTHER_SETTINGS])),
    step(
        "go_down_and_start",
        down_ms=durations,
        how=st.sampled_from(["stop", "kill"]) | kept_shares,
        seed=seeds,
    ),
    step("crash_while_claiming", name=names, seed=seeds, keep=kept_shares),
    step("a_queue_is_dropped_and_comes_back", queue=st.sampled_from(BOTH), down=st.booleans()),
    step("the_disk_is_full_for_a_while", name=names, number=numbers, content=contents, caller=callers),
)
