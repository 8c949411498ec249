"""One moment's picture of a queue, whatever happens while it is read."""

from hypothesis import given
from hypothesis import strategies as st

from jobengine.model.changes import DropJob
from jobengine.model.commands import Configure
from jobengine.model.job import Job
from jobengine.model.picture import Picture
from tests.model.stories import Step, changes_of_jobs, steps, stories, told
from tests.support.pure_broker import PureBroker


def read(picture: Picture, most: int = 3) -> list[tuple[int, Job]]:
    """All that is left of it, with positions."""
    seen: list[tuple[int, Job]] = []
    position = picture.position
    while jobs := picture.slice(most):
        seen += enumerate(jobs, position)
        position = picture.position
    return seen


@given(stories, st.lists(st.tuples(st.lists(changes_of_jobs, max_size=6), st.integers(1, 5)), max_size=12))
def test_a_picture_shows_its_moment_while_anything_changes_between_slices(
    story: list[Step], turns: list[tuple[list[Step], int]]
) -> None:
    broker = told(story)
    contents = broker.ledger.contents("mail")
    expected = list(enumerate(contents.order.after(-1)))
    picture = contents.picture()
    seen: list[tuple[int, Job]] = []
    for some, most in turns:
        position = picture.position
        seen += enumerate(picture.slice(most), position)
        for step in some:
            step(broker)
    assert seen + read(picture) == expected


@given(stories, st.lists(steps, max_size=20), st.integers(0, 20))
def test_a_picture_behind_a_job_begins_with_the_next_and_knows_its_place(
    story: list[Step], later: list[Step], number: int
) -> None:
    broker = told(story)
    contents = broker.ledger.contents("mail")
    everyone = list(enumerate(contents.order.after(-1)))
    first = everyone[: number % (len(everyone) + 1)]
    picture = contents.picture(after=first[-1][1].order if first else -1)
    for step in later:
        step(broker)
    assert read(picture) == everyone[len(first) :]


@given(stories, st.lists(st.tuples(changes_of_jobs, st.integers(1, 3)), max_size=20))
def test_two_pictures_do_not_disturb_each_other(story: list[Step], later: list[tuple[Step, int]]) -> None:
    broker = told(story)
    contents = broker.ledger.contents("mail")
    first, at_first = contents.picture(), list(contents.order.after(-1))
    seen: list[Job] = []
    for step, most in later:
        step(broker)
        seen += first.slice(most)
    second, at_second = contents.picture(), list(contents.order.after(-1))
    assert [job for _, job in read(second)] == at_second
    assert seen + [job for _, job in read(first)] == at_first


def test_a_closed_picture_is_told_of_nothing_more() -> None:
    broker = PureBroker()
    contents = broker.ledger.contents("mail")
    job = broker.create()
    picture = contents.picture()
    contents.close(picture)
    broker.update(job, priority=1)
    assert not picture._changed


def test_a_picture_of_a_dropped_queue_can_still_be_read() -> None:
    broker = PureBroker()
    created = [broker.create() for _ in range(5)]
    picture = broker.ledger.contents("mail").picture()
    broker.do(Configure(()))
    assert [job for _, job in read(picture)] == created


def test_a_change_that_is_undone_while_a_picture_is_read_shows_nowhere_in_it() -> None:
    broker = PureBroker()
    created = [broker.create() for _ in range(6)]
    picture = broker.ledger.contents("mail").picture()
    seen = picture.slice(2)
    undo = broker.ledger.apply([DropJob(job.queue, job.uid) for job in created])
    seen += picture.slice(2)
    broker.ledger.undo(undo)
    seen += picture.slice(9)
    assert seen == created
