"""What must be true. It sees each decision when it is made, and each answer when it is given.

1. Each decision is the one that the plainest broker (judging, settling, passing) takes in the same moment: so
   the order is kept, and nothing is handed out that has expired, is completed, or is at somebody else's.
2. No change breaks what holds for all of them (promises).
3. After each start the jobs are those of the changes up to some place, all of them and in order, and all that
   was answered lies before that place. What lies behind it never was, from then on.
4. What was refused was not stored.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from jobengine.errors import JobEngineError, OutcomeUnknown, QueueFull, StorageFull, Unavailable
from jobengine.model.changes import Change
from jobengine.model.commands import Command, Sweep
from jobengine.model.decision import Decision
from jobengine.model.job import Job
from jobengine.model.ledger import Ledger
from tests.simulation.book import Book, plain_job
from tests.simulation.judging import refusal, wrong
from tests.simulation.passing import left_by_time, present
from tests.simulation.promises import broken


class Violation(AssertionError):
    """A promise was broken."""


class Question:
    """What a client asks, and what has come of it so far."""

    def __init__(self, text: str, *, about: tuple[str, str] | None = None) -> None:
        self.text = text
        self.about = about  # queue and uid of the job that is only looked at
        self.seen = 0  # how many changes were there when it was last looked at
        self.is_stored = False  # a change of its own is on the way to the disk, or there
        self.answer: Any = None  # what it will be told


class Entry:
    """Changes that were stored together."""

    def __init__(self, changes: Sequence[Change], now: int, question: Question | None) -> None:
        self.changes = changes
        self.now = now
        self.question = question


asking: ContextVar[Question | None] = ContextVar("asking", default=None)


class Oracle:
    """Knows what was stored, and how much of it somebody relies on."""

    def __init__(self) -> None:
        self.violation: str | None = None
        self.taken_back_total = 0
        self._relied = Book()  # what somebody relies on
        self._relied_on = 0  # how many entries that is
        self._open: deque[Entry] = deque()  # stored behind that; nobody was told yet
        self._present = Book()  # with all of them
        self._decided: tuple[Command, Decision[Any]] | None = None
        self._waiting: dict[int, Question] = {}  # who asked for a claim that waits, by the id of its command

    @property
    def stored(self) -> int:
        """How many entries there are."""
        return self._relied_on + len(self._open)

    def violated(self, what: str) -> Violation:
        """This must not be. The first of all is kept: whoever asked may swallow what is raised."""
        self.violation = self.violation or what
        return Violation(what)

    # --- while the engine decides ---

    @contextmanager
    def waiting(self, claim: Command) -> Iterator[None]:
        """Whoever asks now may wait for this claim: it is decided when another's change makes it possible."""
        question = asking.get()
        assert question is not None
        self._waiting[id(claim)] = question
        question.answer = ()  # unless a job comes
        try:
            yield
        finally:
            del self._waiting[id(claim)]

    def refused(self, command: Command, refused: JobEngineError, now: int) -> None:
        """The rules have refused a command."""
        self._look(command, None)
        expected = refusal(self._present, command, now)
        if isinstance(refused, QueueFull) and not expected:
            expected = self._full(command)
        if expected != refused.code:
            raise self.violated(f"{command}: {refused.code}, and not {expected or 'accepted'}")

    def decided(self, command: Command, decision: Decision[Any], now: int) -> None:
        """A command was decided."""
        self._look(command, decision.answer)
        self._decided = (command, decision)
        if not decision.changes:
            self._check(command, decision, now)

    def looked(self, seen: Job, now: int) -> None:
        """A job was looked at."""
        job = present(self._present, seen.queue, seen.uid, now)
        self._look(None, seen)
        if job != plain_job(seen):
            raise self.violated(f"{seen} is shown, and it is {job}")

    def missed(self, now: int) -> None:
        """A job was looked for, and not found."""
        question = asking.get()
        if question is not None and question.about is not None:
            queue, uid = question.about
            self._look(None, None)
            job = present(self._present, queue, uid, now)
            if job is not None:
                raise self.violated(f"{uid} is not shown, and it is {job}")

    def stored_next(self, changes: Sequence[Change], now: int) -> None:
        """What was just decided takes its place."""
        if self._decided is None:
            raise self.violated(f"{changes} come from nowhere")
        (command, decision), self._decided = self._decided, None
        question = self._question(command)
        self._open.append(Entry(changes, now, question))
        if question is not None:
            question.is_stored = True
            question.seen = self.stored
        self._check(command, decision, now)
        for what in broken(self._present, command, changes, now):
            raise self.violated(f"{command}: {what}")

    def taken_back(self, newest: int, now: int) -> None:
        """So many of the newest entries did not reach the disk."""
        if newest > len(self._open):
            raise self.violated("an answer was given, and its change is taken back")
        self.taken_back_total += newest
        for _ in range(newest):
            entry = self._open.pop()
            if entry.question is not None:
                entry.question.is_stored = False
        self._present = self._all()

    # --- when clients get their answers ---

    def answered(self, question: Question, answer: Any) -> None:
        """A client was told this, and relies on it."""
        if answer != question.answer:
            raise self.violated(f"{question.text}: {answer}, and not {question.answer}")
        if question.seen > self.stored:
            raise self.violated(f"{question.text} was answered, and is taken back")
        self._rely_on(question.seen)

    def refusal_told(self, question: Question, refusal: JobEngineError) -> None:
        """A client was refused."""
        if isinstance(refusal, OutcomeUnknown):
            return
        if question.is_stored:
            raise self.violated(f"{question.text} was refused ({refusal.code}), and is stored")
        says_nothing_of_jobs = isinstance(refusal, (StorageFull, Unavailable))
        if not says_nothing_of_jobs and question.seen <= self.stored:
            self._rely_on(question.seen)

    # --- after a start ---

    def recovered(self, ledger: Ledger, now: int, *, in_good_order: bool) -> None:
        """This is what a start has found."""
        found, book = Book.of(ledger), self._relied.copy()
        first = "" if in_good_order and self._open else book.difference(found)
        difference, time = first, 0
        while self._open and (difference or in_good_order):
            entry = self._open.popleft()
            self._relied_on += 1
            book.apply(entry.changes)
            difference, time = book.difference(found), entry.now
        if difference:
            raise self.violated(f"no place fits what the start found; at the first: {first or difference}")
        if now < time:
            raise self.violated("the clock of the broker runs back")
        self._open.clear()
        self._relied = book
        self._present = book.copy()
        self._waiting.clear()

    def order(self, queue: str, now: int) -> list[Job]:
        """The jobs of a queue, as they must be listed."""
        settings, jobs = self._present.queues[queue], self._present.jobs[queue].values()
        left = (left_by_time(job, settings, now) for job in jobs)
        return sorted((job for job in left if job is not None), key=lambda job: (-job.priority, job.arrival))

    # --- how ---

    def _question(self, command: Command | None) -> Question | None:
        if isinstance(command, Sweep):
            return None
        return self._waiting.get(id(command)) or asking.get()

    def _look(self, command: Command | None, answer: Any) -> None:
        question = self._question(command)
        if question is not None and (answer or id(command) not in self._waiting):
            question.seen = self.stored  # whoever waits, and gets nothing, has seen nothing
            question.answer = answer

    def _rely_on(self, entries: int) -> None:
        while self._relied_on < entries:
            self._relied.apply(self._open.popleft().changes)
            self._relied_on += 1

    def _all(self) -> Book:
        book = self._relied.copy()
        for entry in self._open:
            book.apply(entry.changes)
        return book

    def _check(self, command: Command, decision: Decision[Any], now: int) -> None:
        """The plainest broker does the same."""
        what = wrong(self._present, command, decision.answer, decision.changes, now)
        if what:
            raise self.violated(f"{command}: {what}")

    def _full(self, command: Command) -> str:
        """The code of a create's refusal, when its queue has a limit that it goes over."""
        queue = self._present.queues[getattr(command, "queue", "")]
        waiting = sum(job.state == "queued" for job in self._present.jobs[queue.name].values())
        drafts = getattr(command, "drafts", ())
        return "queue_full" if 0 < queue.max_jobs < waiting + len(drafts) else ""


def seen(jobs: Sequence[Job]) -> list[Job]:
    """What a list shows of these, as `Oracle.order` has it."""
    return [plain_job(job) for job in jobs]
