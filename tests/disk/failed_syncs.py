"""One sync of the real server fails, as on a dying disk, and all others succeed: strace sees to it."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from tests.soak.part import Violation
from tests.support.server import START_SECONDS, ServerProcess
from tests.support.service import Service

NUMBERS = 50  # of the sync that fails; each thread counts its own
ASKED_MOST = 1000
BODY = b'{"content":{"n":%d},"valid_for":600,"priority":5}'


def fail_sync(number: int, place: Path) -> Counter[str]:
    """Fail this one, and see what is told and what is left. Raises Violation."""
    inject = f"inject=fdatasync:error=EIO:when={number}"
    strace = ["strace", "-f", "-qqq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", inject]
    server = ServerProcess(place, before=strace)
    created: list[str] = []
    refusals: list[str] = []
    try:
        server.launch()
        if _serves(server):
            _create_until_refused(server, created, refusals)
        code = server.process.wait(START_SECONDS)
    finally:
        server._end()
    if code != 74 or "Traceback" in server.log:
        raise Violation(f"sync {number} failed, and the server exited with {code}:\n{server.log}")
    if not set(refusals) <= {"outcome_unknown", "unavailable"}:
        raise Violation(f"sync {number} failed, and clients were told {refusals}")
    _look_at_what_is_left(number, place, created)
    return Counter(syncs=1, acknowledged=len(created))


def pieces(place: Path) -> Iterator[Counter[str]]:
    """All of them in any order, again and again. Raises Violation."""
    for run in count():
        for number in random.sample(range(1, NUMBERS + 1), NUMBERS):
            directory = place / f"{run}-{number}"
            directory.mkdir()
            yield fail_sync(number, directory)


def _serves(server: ServerProcess) -> bool:
    """Whether it comes to that: a sync may also fail in the start."""
    while server.process.poll() is None:
        time.sleep(0.01)
        if server.events("serving"):
            return True
    return False


def _create_until_refused(server: ServerProcess, created: list[str], refusals: list[str]) -> None:
    try:
        with Service(server.port, "owner", "mail") as owner:
            for number in range(ASKED_MOST):
                answer = owner.send_create(BODY % number)
                if answer.status != 201:
                    refusals.append(answer.json()["code"])
                    return
                created.append(answer.json()["uid"])
    except ConnectionError:
        return  # it has ended already


def _look_at_what_is_left(number: int, place: Path, created: list[str]) -> None:
    with ServerProcess(place) as again, again.service("owner") as owner:
        there = [job["uid"] for job in owner.jobs().values()]
        if there[: len(created)] != created or len(there) > len(created) + 1:
            raise Violation(
                f"sync {number} failed: {len(created)} jobs were acknowledged, {len(there)} are there"
            )
        owner.create()
        if again.stop() != 0:
            raise Violation(f"after sync {number} failed the next server did not stop in good order")
