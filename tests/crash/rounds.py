"""Start, check, load, kill, and again."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import cycle
from pathlib import Path
from random import Random
from signal import SIGTERM
from types import TracebackType

import msgspec
from msgspec.structs import replace

from tests.crash.checking import Checker
from tests.crash.client import QUEUE
from tests.crash.counts import Counts
from tests.crash.forked import ForkedServer
from tests.crash.ledger import Event, read_ledger
from tests.crash.load import READERS, WORKERS, WRITERS, Go
from tests.crash.operations import Append, Job, read_job, read_list
from tests.crash.renewals import Renewals
from tests.soak.part import Violation
from tests.soak.results import ROOT
from tests.support.server import SECRET, START_SECONDS, ServerProcess
from tests.support.service import Service

NEVER_MINUTES = 100_000  # nothing times out here, and nothing is forgotten
AUDITOR = "auditor"
UNDER_WAY = "a compaction is under way"  # that the server has begun by itself
CONFIGURATION = {
    "job_keep_minutes": NEVER_MINUTES,
    "job_timeout_minutes": NEVER_MINUTES,
    "database": {"compact_above_mib": 1},  # so that it also compacts by itself
    "queues": {
        QUEUE: {
            "read": [*READERS, *WORKERS, AUDITOR],
            "write": [*WRITERS, *WORKERS],
            "keep_logs": 1_000_000,
        }
    },
}


class Kill(StrEnum):
    """When a server is killed."""

    UNDER_LOAD = "under load"
    COMPACTING = "while compacting"
    REKEYING = "while changing the SECRET"
    STARTING = "while starting"
    STOPPING = "while stopping"


# How often a server is killed in which way. All but one in ten are killed under load.
PLAN = (
    *(Kill.COMPACTING, Kill.UNDER_LOAD, Kill.REKEYING, Kill.COMPACTING, Kill.STARTING),
    *(Kill.COMPACTING, Kill.UNDER_LOAD, Kill.STOPPING, Kill.COMPACTING, Kill.UNDER_LOAD),
)


class LoadProcess:
    """The process of the clients."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.load"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # whoever stops a soak from the keyboard means this process, not that one
        )

    def go(self, go: Go) -> None:
        """Let the clients ask this server."""
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(go) + b"\n")
        self._process.stdin.flush()

    def wait(self) -> None:
        """Until they have seen that it is gone."""
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"done\n":
            raise RuntimeError("the process of the clients has ended")

    def end(self) -> None:
        """It is not needed any more."""
        self._process.kill()
        self._process.communicate()


class Rounds:
    """Kills servers on one database file, and checks what each left to the next."""

    def __init__(self, place: Path, random: Random) -> None:
        self.counts = Counts()
        self._place = place
        self._ledger = place / "ledger"
        self._random = random
        self._checker = Checker()
        self._secret = SECRET

    def __enter__(self) -> "Rounds":
        self._load = LoadProcess()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._load.end()

    def round(self, kill: Kill) -> None:
        """Kill one server, and see what it left. Raises Violation."""
        match kill:
            case Kill.STARTING:
                self._kill_while_starting()
            case _:
                self._kill_under_load(kill)
        self.counts.kills[kill] += 1

    def finish(self) -> None:
        """Check what the last kill left, and that the server still stops in good order. Raises Violation."""
        with self._server() as server:
            self._check(server)
            code = server.stop()
            if code != 0 or "Traceback" in server.log:
                self._violated([f"a server that was asked to stop exited with {code}:\n{server.log}"])

    def _kill_under_load(self, kill: Kill) -> None:
        with self._server() as server:
            jobs = self._check(server)
            self._load.go(Go(server.port, str(self._ledger), {job.uid: job.number for job in jobs}))
            renewals = Renewals(server.database, self._secret)
            if kill in (Kill.COMPACTING, Kill.REKEYING):
                renewals.begin(rekey=kill is Kill.REKEYING)
            time.sleep(self._random.uniform(0.05, 0.4))
            if server.process.poll() is not None:
                self._violated([f"a server exited by itself, with {server.process.returncode}"])
            if kill is Kill.STOPPING:
                server.send(SIGTERM)
                time.sleep(self._random.uniform(0, self._random.choice((0.01, 0.03))))
            server.kill()
            self._load.wait()
            self._count(renewals, server)

    def _count(self, renewals: Renewals, server: ServerProcess) -> None:
        """What came of them. Raises Violation when not exactly one SECRET opens the file."""
        renewals.end()
        self._violated([refusal for refusal in renewals.refusals if refusal != UNDER_WAY])
        self.counts.compactions += renewals.finished
        is_cut = server.database.with_name(f"{server.database.name}.new").exists()
        self.counts.cut += is_cut
        self.counts.cut_rekeys += is_cut and len(renewals.secrets) > 1
        try:
            self._secret = renewals.secret()
        except ValueError:
            self._violated([f"of {len(renewals.secrets)} SECRETs not exactly one opens the file"])

    def _kill_while_starting(self) -> None:
        server = self._server()
        server.launch()
        _wait_for_recovery(server)
        time.sleep(self._random.uniform(0, 0.03))
        server.kill()

    def _check(self, server: ServerProcess) -> list[Job]:
        """The jobs that the server has. Raises Violation for one that must not be so."""
        events = read_ledger(self._ledger) if self._ledger.exists() else []
        jobs = self._look(server, events)
        self.counts.count(events)
        self.counts.recoveries += 1
        self.counts.jobs += len(jobs)
        self._violated(self._checker.check(events, jobs))
        if self._ledger.exists():
            self._ledger.replace(self._place / "ledger.before")  # tells more, should the next one be puzzling
        return jobs

    def _look(self, server: ServerProcess, events: Sequence[Event]) -> list[Job]:
        """The whole list, and the logs that were written to; some jobs are looked at by themselves, too."""
        written = {event.operation.job for event in events if isinstance(event.operation, Append)}
        with server.service(AUDITOR, QUEUE) as auditor:
            answer = auditor.ask("GET", "/api/v1/jobs")
            jobs = read_list(answer.body) if answer.status == 200 else []
            for job in self._random.sample(jobs, min(5, len(jobs))):
                if read_job(auditor.ask("GET", f"/api/v1/jobs/{job.uid}").body) != job:
                    self._violated([f"job {job.number} is another in the list than by itself"])
            return [_with_log(auditor, job) if job.number in written else job for job in jobs]

    def _server(self) -> ServerProcess:
        """A server to be started; what the one before it said is forgotten when it was in order."""
        server = ForkedServer(self._place, CONFIGURATION, environment={"SECRET": self._secret})
        if "Traceback" in server.log:
            self._violated([f"a server failed:\n{server.log}"])
        (self._place / "log").unlink(missing_ok=True)
        return server

    def _violated(self, wrong: list[str]) -> None:
        self.counts.violations += len(wrong)
        if wrong:
            raise Violation("\n".join(wrong))


def _with_log(auditor: Service, job: Job) -> Job:
    answer = auditor.ask("GET", f"/api/v2/queues/{QUEUE}/jobs/{job.uid}/log?stream=out")
    if answer.status != 200:
        raise Violation(f"the log of job {job.number} was not shown: {answer.status} {answer.body!r}")
    return replace(job, log=answer.body)


def _wait_for_recovery(server: ServerProcess) -> None:
    """Until the process has the lock: what it does next is the recovery."""
    lock = server.database.with_name(server.database.name + ".lock")
    deadline = time.monotonic() + START_SECONDS
    while not (lock.exists() and lock.read_text() == f"{server.process.pid}\n"):
        if server.process.poll() is not None:
            raise Violation(f"a server did not start:\n{server.log}")
        assert time.monotonic() < deadline, server.log
        time.sleep(0.001)


def pieces(place: Path) -> Iterator[Counter[str]]:
    """Kills without end, each in its turn. Raises Violation."""
    place.mkdir()
    with Rounds(place, Random()) as rounds:
        for kill in cycle(PLAN):
            rounds.counts = Counts()
            rounds.round(kill)
            yield rounds.counts.named()
