"""When a worker asks for more time for its jobs, and when it gives them up."""

from concurrent.futures import Future

from jobengine import CurrentJob, Extended
from jobengine.client.calls import claiming
from jobengine.client.job import Asked
from jobengine.client.results import Settled
from jobengine.client.settlements import Settlement
from jobengine.client.worker.doing import Doing
from jobengine.client.worker.endings import Ending
from jobengine.client.worker.leases import Leases
from jobengine.errors import LeaseLost, StorageFull, ValidationFailed
from tests.client.scripts import Script, answer, job

LEASE = {"id": "00000000000000aa", "epoch": 1, "expires": "2026-01-31T10:01:00.000Z"}


class Held:
    """One job of 60 s, and leases whose clock the test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.cancelled = 0
        self.reports: list[Settlement] = []
        self.leases = Leases(seconds=60, report=self.reports.append, clock=lambda: self.now)
        (claimed,) = Script(answer(200, {"jobs": [job(lease=LEASE)]})).play(claiming.claim("mail"))
        self.doing = Doing(CurrentJob(claimed, self.reports.append), Future[Ending](), self._cancel)
        self.leases.add(self.doing)

    def _cancel(self) -> None:
        self.cancelled += 1

    def hear(self, answer: Settled) -> None:
        """The broker answers what was reported last."""
        self.leases.heard(self.reports[-1], answer)

    @property
    def is_lost(self) -> bool:
        """Whether the function was told so."""
        return self.doing.current.is_lost


def test_a_lease_that_was_renewed_holds_from_when_that_was_asked() -> None:
    held = Held()
    held.now = 20
    held.leases.renew()
    held.now = 50
    held.hear(Settled("a"))
    held.now = 79
    held.leases.give_up()
    assert not held.is_lost
    held.now = 80
    held.leases.give_up()
    assert held.is_lost


def test_what_is_not_answered_is_not_asked_again() -> None:
    held = Held()
    held.leases.renew()
    held.leases.renew()
    assert held.reports == [Extended(held.doing.current.held, 60)]


def test_a_renewal_that_is_refused_for_another_reason_is_asked_again() -> None:
    held = Held()
    for error in (ValidationFailed("no"), StorageFull("no")):
        held.leases.renew()
        held.hear(Settled("a", error=error))
    held.leases.renew()
    assert len(held.reports) == 3
    assert not held.is_lost
    held.now = 60
    held.leases.give_up()
    assert held.is_lost


def test_a_job_that_is_somebody_elses_is_lost_at_once() -> None:
    held = Held()
    held.leases.renew()
    held.hear(Settled("a", error=LeaseLost()))
    assert (held.is_lost, held.cancelled) == (True, 1)


def test_a_job_that_is_to_stop_is_cancelled_once_and_stays_ours() -> None:
    held = Held()
    for _ in range(3):
        held.leases.renew()
        held.hear(Settled("a", control=Asked.STOP))
    assert (held.is_lost, held.cancelled) == (False, 1)


def test_a_job_that_has_ended_is_not_renewed() -> None:
    held = Held()
    held.leases.remove(held.doing)
    held.leases.renew()
    assert held.reports == []
