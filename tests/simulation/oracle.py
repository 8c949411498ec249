"""What must be true. It sees each decision when it is made, and each answer when it is given.

1. Each decision is the one that the plainest broker (tests/engine/reference.py) takes in the same moment: so
   the order is kept, and nothing is handed out that has expired, is completed, or is at somebody else's.
2. After each start the jobs are those of the changes up to some place, all of them and in order, and all that
   was answered lies before that place. What lies behind it never was, from then on.
3. What was refused was not stored.
"""

from collections import deque
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

from jobengine.errors import JobEngineError, OutcomeUnknown, StorageFull, Unavailable
from jobengine.model.changes import Change, MoveJob
from jobengine.model.commands import Claim, Command, Configure, Create, Delete, Sweep, Update
from jobengine.model.decision import Decision
from jobengine.model.job import Job
from jobengine.model.ledger import Ledger
from tests.engine.reference import Plain, Reference, Refused
from tests.simulation.book import Book, plain_content


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
        self._book = Book()  # what somebody relies on
        self._relied_on = 0  # how many entries that is
        self._open: deque[Entry] = deque()  # stored behind that; nobody was told yet
        self._reference = Reference(0)
        self._decided: tuple[Command, Decision[Any]] | None = None

    @property
    def stored(self) -> int:
        """How many entries there are."""
        return self._relied_on + len(self._open)

    def violated(self, what: str) -> Violation:
        """This must not be. The first of all is kept: whoever asked may swallow what is raised."""
        self.violation = self.violation or what
        return Violation(what)

    # --- while the engine decides ---

    def refused(self, command: Command, refusal: JobEngineError, now: int) -> None:
        """The rules have refused a command."""
        reference = self._at(now)
        self._look(command, None)
        try:
            self._do(reference, command, "no-uid")
        except Refused as expected:
            if str(expected) != refusal.code:
                raise self.violated(f"{command}: {refusal.code}, and not {expected}") from None
        else:
            raise self.violated(f"{command} was refused ({refusal.code}), and should not have been")

    def decided(self, command: Command, decision: Decision[Any], now: int) -> None:
        """A command was decided."""
        self._at(now)
        self._look(command, decision.answer)
        self._decided = (command, decision)
        if isinstance(command, Claim) and decision.answer is None:
            waiting = [job.uid for job in self._reference.order(command.queue) if job.status == "queued"]
            if waiting:
                raise self.violated(f"{command} found nothing, and {waiting[0]} waits")

    def looked(self, seen: Job, now: int) -> None:
        """A job was looked at."""
        job = self._at(now).jobs.get(seen.queue, {}).get(seen.uid)
        self._look(None, seen)
        if job is None or _shown(job) != _seen(seen):
            raise self.violated(f"{seen} is shown, and it is {job}")

    def missed(self, now: int) -> None:
        """A job was looked for, and not found."""
        question = asking.get()
        if question is not None and question.about is not None:
            queue, uid = question.about
            self._look(None, None)
            job = self._at(now).jobs.get(queue, {}).get(uid)
            if job is not None:
                raise self.violated(f"{uid} is not shown, and it is {job}")

    def stored_next(self, changes: Sequence[Change], now: int) -> None:
        """What was just decided takes its place."""
        if self._decided is None:
            raise self.violated(f"{changes} come from nowhere")
        (command, decision), self._decided = self._decided, None
        question = None if isinstance(command, Sweep) else asking.get()
        self._open.append(Entry(changes, now, question))
        if question is not None:
            question.is_stored = True
            question.seen = self.stored
        if isinstance(command, Sweep):
            self._check_sweep(changes)
        else:
            self._check(command, decision.answer)

    def taken_back(self, newest: int, now: int) -> None:
        """So many of the newest entries did not reach the disk."""
        if newest > len(self._open):
            raise self.violated("an answer was given, and its change is taken back")
        self.taken_back_total += newest
        for _ in range(newest):
            entry = self._open.pop()
            if entry.question is not None:
                entry.question.is_stored = False
        self._reference = self._all().reference(now)

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
        found, book = Book.of(ledger), self._book.copy()
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
        self._book = book
        self._reference = book.reference(now)

    def order(self, queue: str, now: int) -> list[tuple[Any, ...]]:
        """The jobs of a queue, as they must be listed."""
        return [_shown(job) for job in self._at(now).order(queue)]

    # --- how ---

    def _at(self, now: int) -> Reference:
        if now != self._reference.now:
            self._reference.pass_ms(now - self._reference.now)
        return self._reference

    def _look(self, command: Command | None, answer: Any) -> None:
        question = asking.get()
        if question is not None and not isinstance(command, Sweep):
            question.seen = self.stored
            question.answer = answer

    def _rely_on(self, entries: int) -> None:
        while self._relied_on < entries:
            self._book.apply(self._open.popleft().changes)
            self._relied_on += 1

    def _all(self) -> Book:
        book = self._book.copy()
        for entry in self._open:
            book.apply(entry.changes)
        return book

    def _check(self, command: Command, answer: Any) -> None:
        """The plainest broker does the same."""
        try:
            expected = self._do(self._reference, command, getattr(answer, "uid", ""))
        except Refused as refusal:
            raise self.violated(f"{command} was accepted, and not refused: {refusal}") from None
        if isinstance(expected, Plain) and not (
            isinstance(answer, Job) and _seen(answer) == _shown(expected)
        ):
            raise self.violated(f"{command}: {answer}, and not {expected}")

    def _do(self, reference: Reference, command: Command, uid: str) -> Plain | None:
        match command:
            case Create(queue, content, priority, valid_for):
                if queue not in reference.queues:
                    raise Refused("not_found")
                reference.create(queue, uid, plain_content(content), priority, valid_for)
                return reference.get(queue, uid)
            case Claim(queue, claimer):
                return reference.claim(queue, claimer)
            case Update(queue, uid, caller, may_write, state, content, expires, priority):
                key = None if content is None else plain_content(content)
                return reference.update(
                    *(queue, uid, caller, may_write),
                    state=state,
                    content=key,
                    expires=expires,
                    priority=priority,
                )
            case Delete(queue, uid):
                reference.delete(queue, uid)
            case Configure(queues):
                reference.configure(*queues)
        return None

    def _check_sweep(self, changes: Sequence[Change]) -> None:
        """Sweeping does what time has done."""
        for change in changes:
            job = self._reference.jobs[change.queue].get(change.uid)  # type: ignore[union-attr]
            if isinstance(change, MoveJob):
                swept = (change.state.value, change.updated, change.attempt, change.claimer)
                fits = job and (job.status, job.updated, job.attempt, job.claimer) == swept
            else:
                fits = job is None
            if not fits:
                raise self.violated(f"swept: {change}, and it is {job}")


def _shown(job: Plain) -> tuple[Any, ...]:
    return (
        *(job.uid, job.content, job.priority, job.created, job.updated, job.expires),
        *(job.status, job.lease_ends, job.attempt, job.claimer),
    )


def _seen(job: Job) -> tuple[Any, ...]:
    return (
        *(job.uid, plain_content(job.content), job.priority, job.created, job.updated, job.expires),
        *(job.state.value, job.lease_ends, job.attempt, job.claimer),
    )


def seen(jobs: Sequence[Job]) -> list[tuple[Any, ...]]:
    """What a list shows of these, as `Oracle.order` has it."""
    return [_seen(job) for job in jobs]
