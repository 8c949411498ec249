"""The judge itself: what it must let pass, and what it must not."""

from collections.abc import Sequence

import msgspec
import pytest

from tests.crash.checking import Checker
from tests.crash.ledger import Event, Outcome
from tests.crash.operations import (
    Again,
    Append,
    Claim,
    Create,
    Delete,
    Get,
    Job,
    Operation,
    Settle,
    Update,
    content,
)

UID = "0000-1"


def job(
    *,
    state: str = "queued",
    priority: int = 50,
    written: int = 1,
    size: int = 10,
    updated: int = 100,
    log: bytes | None = None,
) -> Job:
    """Job 1, as the server shows it."""
    return Job(UID, state, priority, content(1, written=written, size=size), 100, updated, 900, log)


class Story:
    """Events, one after the other; `open` ones are never answered."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._moment = 0

    def then(
        self, operation: Operation, status: int, shown: Job | None = None, *, lease: str | None = None
    ) -> "Story":
        """This was asked and answered; a claim of API v2 with the id of its lease."""
        number = len(self.events) + 1
        body = b"" if shown is None else _body(shown, lease)
        began = self._next()
        self.events.append(Event(number, operation, began, self._next(), Outcome(number, status, body)))
        return self

    def open(self, operation: Operation) -> "Story":
        """This was asked, and never answered."""
        self.events.append(Event(len(self.events) + 1, operation, self._next()))
        return self

    def overlapping(self, *answered: tuple[Operation, int, Job | None]) -> "Story":
        """These were asked all at once."""
        before = self._moment
        for operation, status, shown in answered:
            self.then(operation, status, shown)
            self.events[-1] = msgspec.structs.replace(self.events[-1], began=before)
        return self

    def wrong(self, *listed: Job) -> list[str]:
        """What is wrong with these jobs after it."""
        return Checker().check(self.events, listed)

    def _next(self) -> int:
        self._moment += 1
        return self._moment


def _body(shown: Job, lease: str | None) -> bytes:
    values = msgspec.structs.asdict(shown)
    values.pop("log")
    return msgspec.json.encode({**values, "content": msgspec.Raw(shown.content), "lease": lease})


CREATE = Create("writer", 50, 10)
CLAIM, OTHER_CLAIM = Claim("reader"), Claim("other")
COMPLETE = Update("reader", False, 1, UID, state="complete")
URGENT = Update("writer", True, 1, UID, priority=90)
PUT_BACK = Update("writer", True, 1, UID, state="queued")
DELETE = Delete("writer", 1, UID)
SETTLE = Settle("reader", 1, UID, "right", "complete")
RELEASE = Settle("reader", 1, UID, "right", "release")
GET = Get("reader", 1, UID)
AGAIN = Again("writer", 1, UID, 50, 10)
FIRST_PIECE = Append("reader", 1, UID, "right", 0, "one\n")
NEXT_PIECE = Append("reader", 1, UID, "right", 4, "two\n")

CLAIMED = job(state="inprogress", updated=101)
COMPLETED = job(state="complete", updated=102)


def created() -> Story:
    return Story().then(CREATE, 201, job())


def claimed() -> Story:
    return created().then(CLAIM, 200, CLAIMED)


def written() -> Story:
    return created().then(CLAIM, 200, CLAIMED, lease="right").then(FIRST_PIECE, 204)


def shown_with(log: bytes) -> Job:
    return job(state="inprogress", updated=101, log=log)


GOOD: dict[str, tuple[Story, Sequence[Job]]] = {
    "an acknowledged job is there": (created(), [job()]),
    "an unanswered create is there whole": (Story().open(CREATE), [job()]),
    "an unanswered create is not there": (Story().open(CREATE), []),
    "a refused create is not there": (Story().then(CREATE, 503), []),
    "an unanswered claim took the job": (created().open(CLAIM), [CLAIMED]),
    "an unanswered claim took nothing": (created().open(CLAIM), [job()]),
    "an unanswered claim was given back": (created().open(CLAIM), [job(updated=101)]),
    "a claim that waited when the server stopped was given back": (
        created().then(CLAIM, 503),
        [job(updated=101)],
    ),
    "an unanswered update was done": (created().open(URGENT), [job(priority=90, updated=101)]),
    "an unanswered update was not done": (created().open(URGENT), [job()]),
    "an unanswered delete was done": (created().open(DELETE), []),
    "a claimed job is completed": (claimed().then(COMPLETE, 200, COMPLETED), [COMPLETED]),
    "a job that was put back is claimed again": (
        claimed()
        .then(PUT_BACK, 200, job(updated=102))
        .then(OTHER_CLAIM, 200, job(state="inprogress", updated=103)),
        [job(state="inprogress", updated=103)],
    ),
    "whoever does not hold it may not complete it": (created().then(COMPLETE, 403), [job()]),
    "a deleted job is not found": (created().then(DELETE, 204).then(GET, 404), []),
    "of two at once either came first": (
        created().overlapping((DELETE, 204, None), (URGENT, 200, job(priority=90, updated=101))),
        [],
    ),
    "a create that was sent again finds its job": (created().then(AGAIN, 200, job()), [job()]),
    "a create that was sent again makes what never came to be": (
        Story().open(CREATE).then(AGAIN, 201, job()),
        [job()],
    ),
    "an acknowledged piece of a log is there": (written(), [shown_with(b"one\n")]),
    "an unanswered piece of a log is there": (written().open(NEXT_PIECE), [shown_with(b"one\ntwo\n")]),
    "an unanswered piece of a log is not there": (written().open(NEXT_PIECE), [shown_with(b"one\n")]),
    "a piece of a log that was sent again is there once": (
        written().open(NEXT_PIECE).then(NEXT_PIECE, 204),
        [shown_with(b"one\ntwo\n")],
    ),
    "a claim that found nothing": (claimed().then(OTHER_CLAIM, 204), [CLAIMED]),
}

BAD: dict[str, tuple[Story, Sequence[Job]]] = {
    "an acknowledged job is lost": (created(), []),
    "an acknowledged claim is lost": (claimed(), [job()]),
    "an acknowledged update is lost": (created().then(URGENT, 200, job(priority=90, updated=101)), [job()]),
    "an acknowledged delete is lost": (created().then(DELETE, 204), [job()]),
    "a refused create is there": (Story().then(CREATE, 503), [job()]),
    "a claim that waited when the server stopped took the job": (created().then(CLAIM, 503), [CLAIMED]),
    "a refused update was done": (created().then(COMPLETE, 403), [COMPLETED]),
    "half of an update was done": (
        created().open(Update("writer", True, 1, UID, priority=90, size=10)),
        [job(priority=90, updated=101)],
    ),
    "a job is given to two claimers": (
        created().overlapping((CLAIM, 200, CLAIMED), (OTHER_CLAIM, 200, CLAIMED)),
        [CLAIMED],
    ),
    "a completed job is handed out again": (
        claimed().then(COMPLETE, 200, COMPLETED).then(OTHER_CLAIM, 200, job(state="inprogress", updated=103)),
        [job(state="inprogress", updated=103)],
    ),
    "a completed job is queued again": (claimed().then(COMPLETE, 200, COMPLETED), [job(updated=103)]),
    "one who holds a job may not complete it": (claimed().then(COMPLETE, 403), [CLAIMED]),
    "a read showed what was undone": (
        created().open(URGENT).then(GET, 200, job(priority=90, updated=101)),
        [job()],
    ),
    "a read showed what was long over": (claimed().then(GET, 200, job()), [CLAIMED]),
    "a job changed by itself": (created(), [job(updated=101)]),
    "a create that was sent again makes another job": (
        created().then(AGAIN, 200, job()),
        [job(), job()],
    ),
    "an acknowledged piece of a log is lost": (written(), [shown_with(b"")]),
    "a piece of a log is there twice": (written().then(FIRST_PIECE, 204), [shown_with(b"one\none\n")]),
    "a log is cut": (written().then(NEXT_PIECE, 204), [shown_with(b"one\ntw")]),
    "who holds another lease writes": (
        claimed().then(FIRST_PIECE, 204),
        [shown_with(b"one\n")],
    ),
    "its content is another": (created(), [job(written=7)]),
    "its content is cut": (created(), [job(size=8)]),
    "nobody has sent it": (Story(), [job()]),
    "it is there twice": (created(), [job(), job()]),
    "a job that is there is not found": (created().then(GET, 404), [job()]),
    "the server failed": (created().then(GET, 500), [job()]),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_can_happen_is_no_violation(name: str) -> None:
    story, listed = GOOD[name]
    assert story.wrong(*listed) == []


@pytest.mark.parametrize("name", BAD)
def test_what_must_not_happen_is_a_violation(name: str) -> None:
    story, listed = BAD[name]
    assert len(story.wrong(*listed)) == 1


def test_what_was_unknown_is_known_from_the_first_look_on() -> None:
    checker = Checker()
    assert checker.check(Story().open(CREATE).events, [job()]) == []
    assert checker.check([], [job()]) == []
    assert len(checker.check([], [])) == 1


def test_what_was_not_there_at_the_first_look_does_not_come_later() -> None:
    checker = Checker()
    assert checker.check(Story().open(CREATE).events, []) == []
    assert len(checker.check([], [job()])) == 1


def test_a_claim_without_an_answer_explains_one_job_and_not_two() -> None:
    story = created().then(CREATE, 201, second := second_job()).open(CLAIM)
    taken = msgspec.structs.replace(second, state="inprogress")
    assert story.wrong(CLAIMED, second) == []
    assert story.wrong(job(), taken) == []
    assert len(story.wrong(CLAIMED, taken)) == 1


def second_job() -> Job:
    """Job 2, queued."""
    return Job("0000-2", "queued", 50, content(2, written=2, size=10), 100, 100, 900)


def test_who_held_a_job_is_remembered_over_a_recovery() -> None:
    checker = Checker()
    assert checker.check(claimed().events, [CLAIMED]) == []
    assert len(checker.check(Story().then(COMPLETE, 403).events, [CLAIMED])) == 1


@pytest.mark.parametrize("answer", [(200, COMPLETED), (403, None)])
def test_nobody_knows_who_holds_a_job_that_may_have_been_put_back_and_claimed_again(
    answer: tuple[int, Job | None],
) -> None:
    checker = Checker()
    assert checker.check(claimed().open(PUT_BACK).open(OTHER_CLAIM).events, [CLAIMED]) == []
    status, shown = answer
    assert checker.check(Story().then(COMPLETE, status, shown).events, [shown or CLAIMED]) == []


def test_who_holds_a_lease_completes_the_job_with_it() -> None:
    story = created().then(CLAIM, 200, CLAIMED, lease="right").then(SETTLE, 200, COMPLETED)
    assert story.wrong(COMPLETED) == []


def test_a_lease_that_was_given_back_completes_nothing() -> None:
    story = created().then(CLAIM, 200, CLAIMED, lease="right").then(RELEASE, 200, job(updated=102))
    assert story.then(SETTLE, 409).wrong(job(updated=102)) == []
    assert story.then(SETTLE, 200, COMPLETED).wrong(COMPLETED)


def test_a_right_lease_is_not_refused() -> None:
    story = created().then(CLAIM, 200, CLAIMED, lease="right")
    assert story.then(SETTLE, 409).wrong(CLAIMED)


def test_another_lease_completes_nothing() -> None:
    story = created().then(CLAIM, 200, CLAIMED, lease="wrong")
    assert story.then(SETTLE, 200, COMPLETED).wrong(COMPLETED)
