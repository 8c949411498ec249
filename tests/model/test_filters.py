"""Filters: what they say of jobs, what they ask of them, and what they refuse."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobengine.model.extra import Extra, Failure, Reason, Unique
from jobengine.model.filters import FilterWrong, parse
from jobengine.model.filters.parser import DEPTH_MOST, VALUES_MOST
from jobengine.model.filters.reader import TEXT_MOST
from jobengine.model.job import NEVER, Job, order_of
from jobengine.model.states import State

NOW = 1_767_225_600_000  # 2026-01-01T00:00:00Z
HOUR = 3_600_000


def a_job(*, state: State = State.QUEUED, priority: int = 50, extra: Extra | None = None, **more: Any) -> Job:
    """A job that was made an hour ago."""
    fields: dict[str, Any] = {"uid": "7f1c", "queue": "mail", "content": b"{}", "created": NOW - HOUR} | more
    fields = {"updated": NOW - HOUR, "expires": NEVER} | fields
    return Job(state=state, order=order_of(priority=priority, arrival=1), extra=extra, **fields)


def wants(text: str, job: Job, *, content: object = None, result: bytes = b"") -> bool:
    """Whether the filter takes this job, with this content."""
    return parse(text, NOW).matches(job, msgspec.json.encode(content), result)


def refusal(text: str) -> FilterWrong:
    """What is said of a filter that cannot be read."""
    with pytest.raises(FilterWrong) as refused:
        parse(text, NOW)
    return refused.value


FAILURES = (
    Failure(1, NOW - 9, Reason.ERROR, kind="smtp", text="Timeout of the relay"),
    Failure(2, NOW - 5, Reason.TIMEOUT),
)
FAILED = a_job(
    state=State.FAILED,
    priority=80,
    created=NOW - 3 * HOUR,
    updated=NOW - 5,
    expires=NOW + HOUR,
    attempt=2,
    claimer="mailer",
    worker="host-3",
    extra=Extra(
        not_before=NOW + 1,
        tags=("urgent", "eu"),
        unique=Unique("order-7"),
        reason=Reason.ERROR,
        failures=FAILURES,
    ),
)


@pytest.mark.parametrize(
    "text",
    [
        "state = failed",
        'state = "failed"',
        "state != queued",
        "state in (queued, failed)",
        "priority = 80",
        "priority >= 80 and priority < 80.5",
        "tag = urgent",
        "tag = eu",
        "tag in (us, eu)",
        "tag != us",
        "tag ~ URG",
        'created < "2026-01-01T00:00:00Z"',
        "created = 2025-12-31T22:00:00.000+01:00",
        "created < now - 2h",
        "created>now-181m",
        "created in (now - 3h, now)",
        "last_updated < now",
        "last_updated >= now - 5ms",
        "expires > now + 0.5h",
        "not_before > now",
        "attempt = 2",
        "reason = error",
        "worker = host-3",
        "worker > host-2",
        "service = mailer",
        "unique_key ~ order",
        "uid = 7f1c",
        "error ~ timeout",
        "kind = smtp",
        "tag = urgent and not tag = us or state = queued",
        "state = queued or tag = urgent and tag = eu",
        "(state = queued or tag = urgent) and NOT (tag = us)",
        'state=failed AND priority>=50 and tag="urgent"',
    ],
)
def test_a_failed_job_is_found_by_what_it_is(text: str) -> None:
    assert wants(text, FAILED)
    assert not wants(f"not ({text})", FAILED)


@pytest.mark.parametrize(
    "text",
    [
        "state in (queued, complete)",
        "priority > 80",
        "tag != urgent",  # one of its tags is
        "tag = URGENT",
        "created < now - 4h",
        "reason = timeout",
        'worker = "Host-3"',
        'error ~ "no such thing"',
        "state = queued and tag = urgent",
        "(state = queued or tag = urgent) and tag = us",
        "not tag = urgent",
    ],
)
def test_a_failed_job_is_not_found_by_what_it_is_not(text: str) -> None:
    assert not wants(text, FAILED)


@pytest.mark.parametrize(
    "name", ["tag", "reason", "worker", "service", "unique_key", "error", "kind", "expires", "not_before"]
)
def test_what_a_plain_job_does_not_have_matches_nothing(name: str) -> None:
    value = {"reason": "error", "expires": "now", "not_before": "now"}.get(name, "x")
    for sign in ("=", "!="):
        assert not wants(f"{name} {sign} {value}", a_job())
        assert wants(f"not {name} {sign} {value}", a_job())


CONTENT = {
    "user": {"id": 17, "name": "Ænne", "odd name": 1, "a.b": 2},
    "list": [{"n": 1}, {"n": 2.5}],
    "yes": True,
    "none": None,
    "one": 1,
    "long": 12345678901234567890123,
}


@pytest.mark.parametrize(
    "text",
    [
        "content.user.id = 17",
        "content.user.id = 17.0",
        "content.user.id in (16, 17)",
        'content.user.id != "17"',
        "content.user.id > 16.5",
        "content.user.name ~ æNN",
        "content.user.name > a",
        'content.user["odd name"] = 1',
        'content["user"]["a.b"] = 2',
        "content.list[0].n = 1",
        "content.list[1].n < 3",
        "content.list != 1",
        "content.yes = true",
        "content.yes != 1",
        "content.one != true",
        "content.none = null",
        "content.none != false",
        "content.long = 12345678901234567890123",
        "content.long > 12345678901234567890122",
    ],
)
def test_a_path_leads_into_the_content(text: str) -> None:
    assert wants(text, a_job(), content=CONTENT)


@pytest.mark.parametrize(
    "text",
    [
        "content.user.id = 18",
        'content.user.id = "17"',
        'content.user.id < "a"',
        "content.user.name < 5",
        "content.nobody != 1",
        "content.user.id.deeper != 1",
        "content.list[2] != 1",
        "content.list.n != 1",
        "content[0] != 1",
        "content.yes = 1",
        "content.one = true",
        "content.yes > 0",
        "content.user = 1",
        "content.list ~ 1",
    ],
)
def test_a_path_that_leads_elsewhere_or_nowhere_matches_nothing(text: str) -> None:
    assert not wants(text, a_job(), content=CONTENT)


def test_a_content_that_is_no_object_is_compared_as_a_whole() -> None:
    assert wants("content = 5", a_job(), content=5)
    assert wants("content ~ ell", a_job(), content="Hello")
    assert not wants("content.x = 5", a_job(), content=5)


def test_a_path_leads_into_the_result_of_a_job_that_has_one() -> None:
    assert wants("result.size > 3", a_job(), result=b'{"size":4}')
    assert not wants("result.size > 3", a_job())
    assert not wants("result != 3", a_job())


def test_a_number_longer_than_a_decoder_takes_hides_nothing_else() -> None:
    content = b'{"n": %b, "m": 1}' % (b"1" * 6000)
    assert parse("content.m = 1 and content.n > 5", NOW).matches(a_job(), content, b"")


def test_a_filter_says_what_must_be_at_hand() -> None:
    plain, content, result = (parse(text, NOW) for text in ("tag = a", "content.a = 1", "not result = 1"))
    assert (plain.needs_content, plain.needs_result) == (False, False)
    assert (content.needs_content, content.needs_result) == (True, False)
    assert (result.needs_content, result.needs_result) == (False, True)


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ("priority = 1", None),
        ("state = failed and tag = a", {State.FAILED}),
        ("state != failed", {State.QUEUED, State.INPROGRESS, State.COMPLETE}),
        ("state in (queued, failed) and (tag = a and state in (failed, complete))", {State.FAILED}),
        ("state = failed or state = queued and tag = a", {State.FAILED, State.QUEUED}),
        ("state = failed or tag = a", None),
        ("not state = failed", None),
        ("state = failed and state = queued", set()),
    ],
)
def test_a_filter_says_in_which_states_to_look(text: str, states: set[State] | None) -> None:
    assert parse(text, NOW).states == states


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("", 1, "expected a field: state, priority, tag"),
        ("   ", 4, "expected a field"),
        ("sttae = queued", 1, "expected a field"),
        ("state queued", 7, "expected one of = != < <= > >= ~ in"),
        ("state = ", 9, "expected a value"),
        ("state = lost", 9, "expected one of queued, inprogress, complete, failed"),
        ("reason = sad", 10, "expected one of error, timeout, stopped, expired"),
        ("state < queued", 7, "compared with = != in only"),
        ("priority ~ 3", 10, "compared with = != < <= > >= in only"),
        ("priority = high", 12, "expected a number"),
        ("priority = 1e999", 12, "too large"),
        ("created > yesterday", 11, 'expected a time: "2026-01-31T10:00:00Z"'),
        ("created > 2026-02-29T00:00:00Z", 11, "expected a time"),
        ("created > 2026-01-01T24:00:00Z", 11, "expected a time"),
        ("created > 2026-01-01T00:00:00", 11, "expected a time"),
        ("created > now - 2", 15, "the end"),
        ("tag = in", 7, "expected a value"),
        ("worker = 'x'", 10, "expected a value"),
        ('worker = "x', 10, "expected a value"),
        ('worker = "\\q"', 10, "as in JSON"),
        ("content..x = 1", 8, "expected .name, [number]"),
        ("content[-1] = 1", 8, "expected .name, [number]"),
        ("content.x < true", 13, "no order"),
        ("tag in a", 8, 'expected "("'),
        ("tag in (a b)", 11, 'expected ")"'),
        ("(tag = a", 9, 'expected ")"'),
        ("tag = a b", 9, 'expected "and", "or" or the end'),
        ("tag = a and", 12, "expected a field"),
    ],
)
def test_what_is_wrong_is_told_with_its_column(text: str, column: int, expected: str) -> None:
    wrong = refusal(text)
    assert wrong.column == column
    assert wrong.detail.startswith(f"column {column}: ")
    assert expected in wrong.detail
    assert wrong.code == "validation_failed"


def test_a_filter_is_bounded() -> None:
    assert "characters" in refusal("x" * (TEXT_MOST + 1)).detail
    assert "deeper" in refusal("not " * (DEPTH_MOST + 1) + "tag = a").detail
    assert "deeper" in refusal("(" * (DEPTH_MOST + 1) + "tag = a").detail
    assert "values at most" in refusal(f"priority in ({', '.join(['1'] * (VALUES_MOST + 1))})").detail


def test_a_filter_may_be_as_large_as_the_bounds() -> None:
    assert wants("(" * DEPTH_MOST + "attempt = 0" + ")" * DEPTH_MOST, a_job())
    assert wants(f"attempt in ({', '.join(map(str, range(VALUES_MOST)))})", a_job())
    assert wants("attempt = 0".ljust(TEXT_MOST), a_job())


# --- whatever the text: it is read, or refused with a column ---

_WORDS = """state priority tag created error content.a content[0] result.x queued failed 17 -1.5 1e999 true
null = != < >= ~ in ( ) , and or not now - + 2h "a" "\\" ' . [ ] é 2026-01-31T10:00:00Z"""
texts = st.one_of(st.text(), st.lists(st.sampled_from(_WORDS.split())).map(" ".join))


def check(text: str) -> None:
    """A text is read, or refused with a column inside of it."""
    try:
        parse(text, NOW).matches(FAILED, b'{"a": [1]}', b"2")
    except FilterWrong as refused:
        wrong = refused
    else:
        return
    assert 1 <= wrong.column <= len(text) + 1


@given(texts)
def test_any_text_is_read_or_refused_with_a_column_inside_of_it(text: str) -> None:
    check(text)


# --- a slow oracle, which knows neither the grammar nor the code behind it ---

Said = tuple[str, Callable[[dict[str, Any]], bool]]

SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, bound: bool(value == bound),
    "!=": lambda value, bound: bool(value != bound),
    "<": lambda value, bound: bool(value < bound),
    "<=": lambda value, bound: bool(value <= bound),
    ">": lambda value, bound: bool(value > bound),
    ">=": lambda value, bound: bool(value >= bound),
}
small = st.integers(1, 4)


def _said(name: str, sign: str, bound: int) -> Said:
    def fulfils(values: dict[str, Any]) -> bool:
        return values[name] is not None and SIGNS[sign](values[name], bound)

    return f"{name}{sign} {bound}", fulfils


def _listed(name: str, bounds: list[int]) -> Said:
    return f"{name} in({','.join(map(str, bounds))})", lambda values: values[name] in bounds


def _joined(word: str, left: Said, right: Said) -> Said:
    together = all if word == "and" else any
    return f"({left[0]}) {word} ({right[0]})", lambda values: together((left[1](values), right[1](values)))


def _denied(said: Said) -> Said:
    return f"not ({said[0]})", lambda values: not said[1](values)


names = st.sampled_from(["priority", "attempt", "content.a", "result.list[1]"])
simple = st.one_of(
    st.builds(_said, names, st.sampled_from(list(SIGNS)), small),
    st.builds(_listed, names, st.lists(small, min_size=1)),
)
sayings = st.recursive(
    simple,
    lambda some: st.one_of(
        st.builds(_joined, st.sampled_from(["and", "or"]), some, some), st.builds(_denied, some)
    ),
    max_leaves=8,
)


@given(sayings, small, small, st.none() | small, st.none() | small)
def test_a_filter_says_of_a_job_what_a_slow_oracle_says(
    said: Said, priority: int, attempt: int, a: int | None, second: int | None
) -> None:
    text, oracle = said
    values = {"priority": priority, "attempt": attempt, "content.a": a, "result.list[1]": second}
    result = b"" if second is None else b'{"list": [0, %d]}' % second
    job = a_job(priority=priority, attempt=attempt)
    assert wants(text, job, content={} if a is None else {"a": a}, result=result) == oracle(values)


@given(st.text(), st.text())
def test_a_quoted_text_stands_for_itself(worker: str, part: str) -> None:
    quoted, holds = msgspec.json.encode(part).decode(), part.casefold() in worker.casefold()
    assert wants(f"worker ~ {quoted}", a_job(worker=worker)) == (holds and worker != "")
    assert wants(f"uid = {quoted}", a_job(uid=worker)) == (part == worker)


@given(sayings, small)
def test_states_never_hide_a_job_that_matches(said: Said, priority: int) -> None:
    wanted = parse(f"state = failed and ({said[0]}) or state != queued and ({said[0]})", NOW)
    for state in (State.QUEUED, State.INPROGRESS, State.COMPLETE, State.FAILED):
        job = a_job(state=state, priority=priority)
        assert wanted.states is not None
        assert state in wanted.states or not wanted.matches(job, b"{}", b"")
