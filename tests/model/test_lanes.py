"""Jobs in their order, beside a plain sorted list."""

from collections.abc import Iterator
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobengine.model import lanes
from jobengine.model.job import ARRIVAL_BITS, Job, order_of
from jobengine.model.lanes import Lanes
from jobengine.model.states import State

PLACES = st.tuples(st.sampled_from((1, 50, 100)), st.integers(1, 60))
LAST = 100 << ARRIVAL_BITS


@pytest.fixture(autouse=True)
def small_pieces() -> Iterator[None]:
    with mock.patch.object(lanes, "PIECE", 3):
        yield


def job(priority: int, arrival: int) -> Job:
    """One in its place."""
    order = order_of(priority=priority, arrival=arrival)
    return Job(f"{priority}-{arrival}", "mail", State.QUEUED, order, b"{}", 0, 0, 99)


def in_order(jobs: "set[tuple[int, int]]") -> list[Job]:
    """What is to be found."""
    return sorted((job(*place) for place in jobs), key=lambda each: each.order)


@given(st.sets(PLACES), st.lists(PLACES), PLACES)
def test_jobs_are_in_order_however_they_come_and_go(
    first: set[tuple[int, int]], moves: list[tuple[int, int]], at: tuple[int, int]
) -> None:
    ordered, there = Lanes(job(*place) for place in first), set(first)
    for place in moves:
        (ordered.remove if place in there else ordered.add)(job(*place))
        there ^= {place}
    jobs, order = in_order(there), job(*at).order
    assert (list(ordered), len(ordered)) == (jobs, len(jobs))
    assert list(reversed(ordered)) == jobs[::-1]
    assert list(ordered.since(order)) == [each for each in jobs if each.order >= order]
    assert ordered.before(order) == sum(each.order < order for each in jobs)
    assert ordered.first() == next(iter(jobs), None)
    assert ordered.first(order) == next((each for each in jobs if each.order >= order), None)
    assert {each.priority for each in ordered.first_of_each_priority()} == {each.priority for each in jobs}


@pytest.mark.parametrize("place", [(50, 2), (50, 9), (50, 0), (1, 1)])
def test_what_is_not_there_cannot_be_taken_out(place: tuple[int, int]) -> None:
    ordered = Lanes([job(50, 1), job(50, 3), job(50, 4), job(50, 5)])
    with pytest.raises((KeyError, ValueError)):
        ordered.remove(job(*place))
    assert (len(ordered), len(list(ordered))) == (4, 4)


def test_behind_the_last_there_is_none() -> None:
    assert list(Lanes([job(1, 1)]).since(LAST)) == []
    assert Lanes().first() is None
