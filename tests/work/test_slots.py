"""Slots of a worker, while what is allowed changes."""

from hypothesis import given
from hypothesis import strategies as st

from jobengine.work.slots import Slots

QUEUES = ("a", "b", "c")


def test_the_least_number_is_taken_first() -> None:
    slots = Slots()
    slots.allow({"a": 3})
    assert [slots.take("a") for _ in range(3)] == [1, 2, 3]
    slots.give_back("a", 2)
    slots.give_back("a", 1)
    assert [slots.take("a"), slots.take("a")] == [1, 2]
    assert not slots.fits("a")


def test_what_is_taken_counts_when_less_is_allowed() -> None:
    slots = Slots()
    slots.allow({"a": 3, "b": 2})
    held = [slots.take("a") for _ in range(3)]
    slots.allow({"a": 1, "b": 2}, most=4)
    assert (slots.free(), slots.fits("b")) == ({"b": 2}, True)
    slots.take("b")
    assert not slots.fits("b")  # four of all
    for number in held[:2]:
        slots.give_back("a", number)
    assert (slots.free_of("a"), slots.fits("b")) == (0, True)
    slots.give_back("a", held[2])
    assert slots.fits("a")


def test_what_is_left_of_one_queue_holds_up_no_other() -> None:
    slots = Slots()
    slots.allow({"a": 4, "b": 2})
    for _ in range(4):
        slots.take("a")
    for edited in ({"a": 1, "b": 2}, {"b": 2}):
        slots.allow(edited)
        assert (slots.free(), slots.fits("b")) == ({"b": 2}, True)


def test_a_queue_that_comes_back_finds_its_jobs_still_there() -> None:
    slots = Slots()
    slots.allow({"a": 2})
    slots.take("a")
    slots.allow({})
    assert (slots.free(), slots.fits("a")) == ({}, False)
    slots.allow({"a": 2})
    assert (slots.free(), slots.take("a")) == ({"a": 1}, 2)


@given(
    steps=st.lists(
        st.one_of(
            st.tuples(
                st.dictionaries(st.sampled_from(QUEUES), st.integers(1, 4)), st.integers(0, 6)
            ),  # an edit
            st.sampled_from(QUEUES),  # a job comes
            st.integers(0, 20),  # one ends
        ),
        max_size=60,
    )
)
def test_nothing_fits_beyond_what_is_allowed_and_no_number_is_taken_twice(steps: list[object]) -> None:
    slots, running = Slots(), list[tuple[str, int]]()
    allowed, most = dict[str, int](), 0
    for step in steps:
        match step:
            case (dict() as new, int(of_all)):
                allowed, most = new, of_all or 1000
                slots.allow(new, most=of_all)
            case str(queue):
                of_queue = sum(each == queue for each, _ in running)
                fits = of_queue < allowed.get(queue, 0) and len(running) < most
                assert slots.fits(queue) == fits
                if fits:
                    taken = queue, slots.take(queue)
                    assert taken not in running
                    running.append(taken)
            case int(number) if running:
                slots.give_back(*running.pop(number % len(running)))
        assert slots.taken == len(running)
