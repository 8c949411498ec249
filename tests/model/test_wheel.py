"""The timing wheel: what is due is found, whatever was taken in and out."""

from hypothesis import given
from hypothesis import strategies as st

from jobengine.model.wheel import TimingWheel

STEP_MS = 1024
entries = st.dictionaries(
    st.integers(0, 40).map(str), st.tuples(st.integers(0, 5 * STEP_MS), st.integers(0, 4000)), max_size=30
)


@given(entries, st.data())
def test_all_that_is_due_is_found_and_nothing_that_is_a_second_away(
    kept: dict[str, tuple[int, int]], data: st.DataObject
) -> None:
    first, one_by_one = sorted(data.draw(st.tuples(*2 * [st.integers(0, len(kept))])))
    every = [(time, arrival, uid) for uid, (time, arrival) in kept.items()]
    wheel = TimingWheel(every[:first])
    for entry in every[first:one_by_one]:
        wheel.add(*entry)
    wheel.add_all(every[one_by_one:])
    gone = data.draw(st.sets(st.sampled_from(sorted(kept)))) if kept else set()
    for uid in gone:
        wheel.remove(*kept.pop(uid), uid)
    now = data.draw(st.integers(0, 6 * STEP_MS))
    found = list(wheel.until(now))
    assert len(found) == len(set(found))
    assert {uid for uid, (time, _) in kept.items() if time <= now} <= set(found)
    assert set(found) <= {uid for uid, (time, _) in kept.items() if time < now + STEP_MS}


def test_a_bucket_gives_its_memory_back_when_most_of_it_is_gone() -> None:
    wheel = TimingWheel()
    for number in range(1000):
        wheel.add(7, number, str(number))
    (full,) = (bucket.__sizeof__() for bucket in wheel._buckets.values())
    for number in range(990):
        wheel.remove(7, number, str(number))
    (left,) = (bucket.__sizeof__() for bucket in wheel._buckets.values())
    assert left < full / 20
    assert sorted(wheel.until(7)) == sorted(str(number) for number in range(990, 1000))


def test_what_is_taken_in_at_once_takes_little_room() -> None:
    wheel = TimingWheel((7, number, str(number)) for number in range(1000))
    (bucket,) = wheel._buckets.values()
    assert bucket.__sizeof__() < 10 * 1000
    assert list(wheel.until(7)) == [str(number) for number in range(1000)]


def test_an_empty_wheel_has_nothing_left_of_what_was_in_it() -> None:
    wheel = TimingWheel()
    for number in range(3000):
        wheel.add(number * 10, number, str(number))
    for number in range(3000):
        wheel.remove(number * 10, number, str(number))
    assert (list(wheel.until(1 << 40)), wheel._buckets, list(wheel._keys)) == ([], {}, [])


def test_jobs_that_are_due_at_once_do_not_share_one_bucket() -> None:
    wheel = TimingWheel()
    for number in range(5000):
        wheel.add(7, number, str(number))
    assert len(wheel._buckets) == 5
