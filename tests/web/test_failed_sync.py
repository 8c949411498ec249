"""A disk that fails under the real server: strace lets a system call fail, as a dying disk would."""

import shutil
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from tests.support.connection import Answer, request
from tests.support.problem import problem
from tests.support.server import ServerProcess
from tests.support.service import Service

pytestmark = pytest.mark.skipif(
    shutil.which("strace") is None, reason="needs strace (apt-get install strace)"
)

SLOW_MICROSECONDS = 400_000
GOOD = b'{"content":{"n":%d},"valid_for":600,"priority":5}'


def failing(system_call: str, error: str, *, from_number: int) -> Sequence[str]:
    """What starts a program whose calls of this kind fail, all from this one on."""
    inject = f"inject={system_call}:error={error}:when={from_number}+"
    return ["strace", "-f", "-qqq", "-o", "/dev/null", "-e", f"trace={system_call}", "-e", inject]


def create_until_refused(owner: Service, created: list[str]) -> Answer:
    for number in range(10_000):
        answer = owner.send_create(GOOD % number)
        if answer.status != 201:
            return answer
        created.append(answer.json()["uid"])
    raise AssertionError("nothing failed")


@pytest.mark.parametrize("number", [8, 15, 30])
def test_after_a_failed_sync_nothing_is_promised_and_the_next_start_is_right(
    tmp_path: Path, number: int
) -> None:
    created: list[str] = []
    server = ServerProcess(tmp_path, before=failing("fdatasync", "EIO", from_number=number))
    with server, server.service("owner") as owner:
        refused = create_until_refused(owner, created)
        problem(refused, 503, "outcome_unknown", closes=refused.closes)
        assert server.wait() == 74
    assert server.events("disk_failed")
    assert "Traceback" not in server.log
    with ServerProcess(tmp_path) as again, again.service("owner") as owner:
        there = [job["uid"] for job in owner.jobs().values()]
        assert there[: len(created)] == created
        assert len(there) <= len(created) + 1
        owner.create()
        assert again.stop() == 0


def test_everyone_who_waits_for_a_failed_sync_is_told(tmp_path: Path) -> None:
    created: list[str] = []
    refused: list[Answer] = []
    with ServerProcess(tmp_path, before=failing("fdatasync", "EIO", from_number=20)) as server:
        services = [server.service("owner") for _ in range(8)]

        def work(owner: Service) -> None:
            with suppress(ConnectionError):  # for who asks once more, after the end
                refused.append(create_until_refused(owner, created))

        workers = [Thread(target=work, args=(service,)) for service in services]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert server.wait() == 74
        for service in services:
            service.connection.close()
    assert refused
    assert {answer.json()["code"] for answer in refused} <= {"outcome_unknown", "unavailable"}
    assert any(answer.json()["code"] == "outcome_unknown" for answer in refused)
    with ServerProcess(tmp_path) as again, again.service("owner") as owner:
        assert set(created) <= {job["uid"] for job in owner.jobs().values()}


def test_a_full_disk_is_507_and_when_there_is_room_again_all_goes_on(tmp_path: Path) -> None:
    """A write fails once; what was undone is not there, what is answered afterwards is."""
    inject = "inject=pwrite64:error=ENOSPC:when=12..14"
    before = ["strace", "-f", "-qqq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", inject]
    with ServerProcess(tmp_path, before=before) as server, server.service("owner") as owner:
        answers = [owner.send_create(GOOD % number) for number in range(20)]
        full = [number for number, answer in enumerate(answers) if answer.status != 201]
        assert full
        for number in full:
            problem(answers[number], 507, "storage_full")
        there = [job["content"]["n"] for job in owner.jobs().values()]
        assert there == [number for number in range(20) if number not in full]
        assert server.stop() == 0
    with ServerProcess(tmp_path) as again, again.service("owner") as owner:
        assert [job["content"]["n"] for job in owner.jobs().values()] == there


def slow_syncs(*, from_number: int) -> Sequence[str]:
    inject = f"inject=fdatasync:delay_enter={SLOW_MICROSECONDS}:when={from_number}+"
    return ["strace", "-f", "-qqq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", inject]


def create_until_slow(owner: Service) -> str:
    """The uid of the first job whose sync took its time."""
    while True:
        started = time.monotonic()
        uid = owner.create()["uid"]
        if time.monotonic() - started > SLOW_MICROSECONDS / 2e6:
            return str(uid)


def test_a_slow_sync_holds_back_the_answers_that_depend_on_it(tmp_path: Path) -> None:
    """Reads too: nobody is shown what a crash could undo."""
    with (
        ServerProcess(tmp_path, before=slow_syncs(from_number=10)) as server,
        server.service("owner") as owner,
    ):
        uid = create_until_slow(owner)
        with server.service("owner") as reader:
            owner.connection.send(request("DELETE", f"/api/v1/jobs/{uid}", {"Host": "a", **owner.headers}))
            began = time.monotonic()
            while reader.ask("GET", f"/api/v1/jobs/{uid}").status == 200:  # the delete has not come yet
                began = time.monotonic()
            assert time.monotonic() - began > SLOW_MICROSECONDS / 4e6
            assert owner.connection.receive(to="DELETE").status == 204


def test_what_is_under_way_when_it_is_to_stop_is_finished(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path, before=slow_syncs(from_number=10))
    with server, server.service("owner") as owner, server.service("owner") as other:
        create_until_slow(owner)
        owner.connection.send(request("PUT", "/api/v1/jobs/create", {"Host": "a", **owner.headers}, GOOD % 7))
        other.connection.send(request("GET", "/api/v1/jobs/next", {"Host": "a", **owner.headers}))
        time.sleep(SLOW_MICROSECONDS / 4e6)  # both are being synced now
        server.send(signal.SIGTERM)
        created, claimed = owner.connection.receive(), other.connection.receive()
        assert (created.status, claimed.status) == (201, 200)
        assert server.wait() == 0
    with ServerProcess(tmp_path) as again, again.service("owner") as owner:
        assert owner.get(created.json()["uid"])["state"] == "queued"
        assert owner.get(claimed.json()["uid"])["state"] == "inprogress"
