"""The broker's own clock."""

from jobengine.engine.clock import Clock, steady_ms, wall_ms
from tests.support.clock import START_MS, MovedTime


def test_it_starts_with_the_wall_clock() -> None:
    assert MovedTime().clock().now() == START_MS


def test_it_starts_no_earlier_than_the_newest_record() -> None:
    assert MovedTime().clock(at_least=START_MS + 7).now() == START_MS + 7


def test_a_newest_record_of_the_past_does_not_hold_it_back() -> None:
    assert MovedTime().clock(at_least=START_MS - 7).now() == START_MS


def test_it_goes_on_as_time_passes() -> None:
    time = MovedTime()
    clock = time.clock()
    time.pass_ms(250)
    assert clock.now() == START_MS + 250


def test_a_wall_clock_that_jumps_changes_nothing() -> None:
    time = MovedTime()
    clock = time.clock()
    for jump in (-(10**9), 10**12):
        time.wall_ms += jump
        assert clock.now() == START_MS
    time.steady_ms += 3
    assert clock.now() == START_MS + 3


def test_by_default_it_shows_the_time_of_the_system() -> None:
    before = wall_ms()
    assert before - 1 <= Clock().now() <= wall_ms() + 1


def test_the_steady_clock_of_the_system_does_not_run_back() -> None:
    readings = [steady_ms() for _ in range(1_000)]
    assert readings == sorted(readings)
