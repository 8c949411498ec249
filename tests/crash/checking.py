"""After a recovery: is everything there that must be, and nothing that must not?"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from tests.crash.history import explain
from tests.crash.ledger import Event
from tests.crash.life import Life, is_open_claim, is_possible_answer
from tests.crash.operations import Claim, Create, Job, read_job

NOBODY = frozenset({None})


class Checker:
    """Remembers what each job may be, from one recovery to the next."""

    def __init__(self) -> None:
        self._lives: dict[int, frozenset[Life]] = {}  # by the number of the job; all others are not there

    def check(self, events: Sequence[Event], listed: Sequence[Job]) -> list[str]:
        """What is wrong with a server that lists these jobs when these events came before."""
        odd = [f"operation {_told(event)}" for event in events if not is_possible_answer(event)]
        if odd:
            return odd
        seen = {job.number: job for job in listed}
        by_job = _by_job(events)
        strangers = sorted(seen.keys() - by_job.keys() - self._lives.keys())
        twice = len(listed) - len(seen)
        return [
            *(f"job {number} is there, and nobody has sent it" for number in strangers),
            *([f"{twice} jobs are listed twice"] if twice else []),
            *self._unexplained(seen, by_job, _open_claims(events)),
        ]

    def _unexplained(
        self, seen: dict[int, Job], by_job: dict[int, list[Event]], claims: list[Event]
    ) -> Iterator[str]:
        claimed = 0
        for number in sorted(self._lives.keys() | by_job.keys()):
            events, job = by_job.get(number, []), seen.get(number)
            befores = self._lives.pop(number, NOBODY)
            lives = _possible(befores, [*events, *claims], job)
            if lives and not _possible(befores, events, job):
                claimed += 1  # nothing but one of those claims explains it
            if not lives:
                yield _story(number, befores, events, job)
            elif lives != NOBODY:
                self._lives[number] = lives
        if claimed > len(claims):
            yield f"{claimed} jobs were claimed without an answer, by {len(claims)} claims"


def _possible(befores: Iterable[Life], events: Sequence[Event], job: Job | None) -> frozenset[Life]:
    """What a job may be that is now shown so."""
    lives = explain(befores, events)
    if job is None:
        return lives & NOBODY
    return frozenset(life.seen(job) for life in lives if life is not None and life.fits(job))


def _by_job(events: Iterable[Event]) -> dict[int, list[Event]]:
    """The events of each job. Claims that gave none, or no answer, belong to no job."""
    by_job: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        match event.operation:
            case Create():
                by_job[event.number].append(event)
            case Claim():
                if event.outcome is not None and event.outcome.status == 200:
                    by_job[read_job(event.outcome.body).number].append(event)
            case operation:
                by_job[operation.job].append(event)
    return by_job


def _open_claims(events: Iterable[Event]) -> list[Event]:
    return [event for event in events if is_open_claim(event)]


def _story(number: int, befores: Iterable[Life], events: Iterable[Event], job: Job | None) -> str:
    told = "\n    ".join(map(_told, events)) or "nothing"
    before = " or ".join(_short(life) for life in befores)
    return f"job {number}\n  was {before}, then:\n    {told}\n  and now is {_short(job)}"


def _told(event: Event) -> str:
    answer = "no answer" if event.outcome is None else f"{event.outcome.status} {_short(event.outcome.body)}"
    return f"{event.began}-{event.ended} {event.operation} → {answer}"


def _short(value: object) -> str:
    text = "not there" if value is None else str(value)
    return text if len(text) < 600 else f"{text[:300]} … {text[-300:]}"
