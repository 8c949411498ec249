"""Durations and times, as they are written and as they are shown."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobengine.model.job import NEVER
from jobengine.web.v2.durations import Delay, Lease, Time, Wait, in_seconds, in_words, time_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [
        (0, 0),
        (1, 1000),
        (0.0004, 0),
        (1.5, 1500),
        ("1.5s", 1500),
        ("250ms", 250),
        ("2h", 7_200_000),
        ("7", 7000),
    ],
)
def test_a_duration_is_read_to_the_millisecond(written: object, milliseconds: int) -> None:
    assert Delay.parse(written) == milliseconds


@pytest.mark.parametrize(
    "written", [True, None, "", "s", "-1s", "1 s", "1e3", "1d2h", "٣s", -1, 1e300, float("inf"), [], "9" * 30]
)
def test_what_is_no_duration_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="must be"):
        Delay.parse(written)


def test_a_duration_keeps_within_its_limits() -> None:
    assert Lease.parse("24h") == 86_400_000
    with pytest.raises(ValueError, match="must be from 1s to 1d"):
        Lease.parse("24.1h")
    with pytest.raises(ValueError, match="must be from 0ms to 1m"):
        Wait.parse(60.001)


@given(st.integers(0, NEVER))
def test_a_time_that_is_shown_is_read_as_the_same(milliseconds: int) -> None:
    assert Time.parse(time_text(milliseconds).decode()) == milliseconds


@given(
    st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(9999, 12, 30)),
    st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours))),
)
def test_a_time_is_read_to_the_millisecond_whatever_its_offset(moment: datetime, zone: timezone) -> None:
    there = moment.replace(tzinfo=UTC).astimezone(zone)
    assert Time.parse(there.isoformat()) == (there - EPOCH) // timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "written",
    [
        "2026-02-30T00:00:00Z",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01T24:00:00Z",
        "2026-W01-1T00:00:00Z",
        "now",
        17,
        None,
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00+99:00",
    ],
)
def test_what_is_no_time_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"must be|there is no"):
        Time.parse(written)


@pytest.mark.parametrize(
    ("milliseconds", "words", "seconds"),
    [
        (0, "0ms", 0),
        (1500, "1500ms", 1.5),
        (90_000, "90s", 90),
        (600_000, "10m", 600),
        (86_400_000, "1d", 86400),
    ],
)
def test_a_duration_is_shown_in_words_and_in_seconds(milliseconds: int, words: str, seconds: float) -> None:
    assert (in_words(milliseconds), in_seconds(milliseconds)) == (words, seconds)
