"""The rules and a ledger by themselves: commands are decided and applied, nothing is stored."""

from typing import Any

from jobengine.errors import JobEngineError
from jobengine.model.commands import Claim, Command, Configure, Sweep, Swept, Update
from jobengine.model.job import Job
from jobengine.model.ledger import Ledger
from jobengine.model.moment import Moment
from jobengine.model.queue import Queue
from jobengine.model.rules import decide
from jobengine.model.rules.passing import current
from jobengine.model.states import State
from tests.support.clock import START_MS
from tests.support.commands import create, only_job

MINUTE_MS = 60_000
MAIL = Queue(name="mail", keep=60 * MINUTE_MS, lease=10 * MINUTE_MS)
MAIL_TOO = Queue(name="mail2", keep=60 * MINUTE_MS, lease=10 * MINUTE_MS)
RETRYING = Queue(name="mail", keep=60 * MINUTE_MS, lease=10 * MINUTE_MS, max_attempts=3)


class PureBroker:
    """Decides and applies, at a time that the test sets."""

    def __init__(self, *queues: Queue, bytes_limit: int | None = None) -> None:
        self.ledger = Ledger(bytes_limit=bytes_limit)
        self.ledger.index()
        self.now = START_MS
        self._decided = 0
        self.do(Configure(queues or (MAIL,)))

    def moment(self) -> Moment:
        """Now, with a seed that no other moment has."""
        self._decided += 1
        return Moment(self.now, self._decided.to_bytes(16))

    def do(self, command: Command) -> Any:
        """Decide, apply, answer."""
        decision = decide(self.ledger, command, self.moment())
        self.ledger.apply(decision.changes)
        return decision.answer

    def refusal(self, command: Command) -> JobEngineError | None:
        """What the command is refused with."""
        try:
            answer = decide(self.ledger, command, self.moment()).answer
        except JobEngineError as refusal:
            return refusal
        refusals = (
            [each for each in answer if isinstance(each, JobEngineError)] if isinstance(answer, tuple) else []
        )
        return refusals[0] if refusals else None

    def create(
        self, *, priority: int = 50, valid_for: int = MINUTE_MS, content: bytes = b"{}", queue: str = "mail"
    ) -> Job:
        """A new job."""
        (job,) = self.do(create(queue, content, priority, valid_for)).jobs
        assert isinstance(job, Job)
        return job

    def claim(self, claimer: str = "reader", *, queue: str = "mail") -> Job | None:
        """The next job."""
        return only_job(self.do(Claim(queue, claimer)))

    def update(self, job: Job, *, caller: str = "writer", may_write: bool = True, **named: Any) -> Job:
        """The job after an update of what is named."""
        updated: Job = self.do(Update(job.queue, job.uid, caller, may_write, **named))
        return updated

    def sweep(self, most: int = 1_000_000) -> Swept:
        """Do what is due."""
        swept: Swept = self.do(Sweep(most))
        return swept

    def look(self, job: Job) -> Job:
        """The job as it is now. Raises NotFound."""
        return current(self.ledger, job.queue, job.uid, self.moment())

    def job_in(self, state: State, **named: Any) -> Job:
        """A new job that came to this state by a writer's word."""
        return self.update(self.create(**named), state=state)

    def uids(self, queue: str = "mail") -> list[str]:
        """All jobs in order, those that are due and not swept included."""
        return [job.uid for job in self.ledger.contents(queue).order.after(-1)]
