"""A disk that does not answer under the real server: strace holds a sync back, as a dying disk would."""

import shutil
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from tests.support.connection import Answer
from tests.support.problem import problem
from tests.support.server import STOP_SECONDS, ServerProcess
from tests.support.service import Service

pytestmark = pytest.mark.skipif(
    shutil.which("strace") is None, reason="needs strace (apt-get install strace)"
)

PROJECT = Path(__file__).parents[2]
GOOD = b'{"content":{},"valid_for":600,"priority":5}'
# The interpreter runs this file before the server: it does not wait as long as it would.
SOONER = "from jobengine.journal import stall\nstall.SLOW_SECONDS = 1.0\nstall.HUNG_SECONDS = 2.5\n"
HANGS_SECONDS = 6


def hanging(seconds: float) -> Sequence[str]:
    """What starts a program whose tenth sync, in a thread, takes so long."""
    inject = f"inject=fdatasync:delay_enter={round(seconds * 1_000_000)}:when=10"
    return ["strace", "-f", "-qqq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", inject]


class Creating(Thread):
    """Creates jobs until one is refused."""

    def __init__(self, owner: Service) -> None:
        super().__init__()
        self.created: list[str] = []
        self.refused: Answer | None = None
        self._owner = owner

    def run(self) -> None:
        with suppress(ConnectionError):  # when the server ends
            while (answer := self._owner.send_create(GOOD)).status == 201:
                self.created.append(answer.json()["uid"])
            self.refused = answer

    def hangs(self) -> bool:
        """Whether none was created for a while."""
        before = len(self.created)
        time.sleep(0.5)
        return before == len(self.created) > 0


def soon(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_while_the_disk_hangs_everybody_is_told_and_afterwards_all_goes_on(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(SOONER)
    paths = {"PYTHONPATH": f"{tmp_path}:{PROJECT}"}
    server = ServerProcess(tmp_path, before=hanging(HANGS_SECONDS), environment=paths)
    with server, server.service("owner") as owner, server.service("owner") as other:
        creating = Creating(owner)
        creating.start()
        soon(lambda: other.ask("GET", "/readyz").status == 503)
        told = problem(other.ask("GET", "/readyz"), 503, "unavailable")
        assert "the disk has not answered" in told["detail"]
        assert other.ask("GET", "/livez").status == 200
        began = time.monotonic()
        problem(other.send_create(GOOD), 503, "unavailable")
        assert time.monotonic() - began < 0.5
        creating.join()
        assert creating.refused is not None
        problem(creating.refused, 503, "outcome_unknown")
        problem(other.ask("GET", "/readyz"), 503, "unavailable")

        soon(lambda: other.ask("GET", "/readyz").status == 200)
        there = [job["uid"] for job in other.jobs().values()]
        assert there[:-1] == creating.created  # and what was told unknown is there
        other.create()
        assert [event["seconds"] for event in server.events("disk_hangs")] == [1.0, 2.5]
        assert len(server.events("disk_answers_again")) == 1
        assert server.stop() == 0


def has_ended(pid: int) -> bool:
    """Whether nothing is left of the server; strace goes on until its delay is over."""
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True


def test_a_server_whose_disk_hangs_can_be_stopped(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path, before=hanging(STOP_SECONDS + 2))
    with server, server.service("owner") as owner:
        creating = Creating(owner)
        creating.start()
        soon(creating.hangs)
        pid, began = server.server_pid, time.monotonic()
        server.send(signal.SIGTERM)
        soon(lambda: has_ended(pid))
        assert time.monotonic() - began < STOP_SECONDS
        assert server.process.wait(20) == 74
        creating.join()
    assert "the disk has not answered" in server.log
    assert "Traceback" not in server.log
    with ServerProcess(tmp_path) as again, again.service("owner") as owner:
        assert set(creating.created) <= {job["uid"] for job in owner.jobs().values()}
        assert again.stop() == 0
