"""What the server says and does when its disk is nearly full, full, or has forgotten something."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.problem import problem
from tests.support.server import ServerProcess
from tests.support.service import Service
from tests.web.conftest import StartServer

GOOD = b'{"content":{},"valid_for":600,"priority":5}'
ALL_OF_ANY_DISK_MIB = 1024 * 1024
BACK_SECONDS = 5.0  # after which the server serves again when there is room
OFTEN = {"scrub_hours": 0.0001, "scrub_mib_per_second": 1000}


def until(look: Callable[[], Any], *, seconds: float = 10.0) -> Any:
    """What `look` gives, once it gives something."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return seen


def warnings(service: Service) -> list[str]:
    answer = service.ask("GET", "/readyz")
    assert answer.status == 200
    found: list[str] = answer.json().get("warnings", [])
    return found


def figure(service: Service, name: str) -> float:
    text = service.ask("GET", "/metrics").body.decode()
    (line,) = [line for line in text.splitlines() if line.startswith(f"{name} ")]
    return float(line.split()[1])


def test_on_a_nearly_full_disk_creates_are_refused_and_all_else_goes_on(start_server: StartServer) -> None:
    server = start_server({"admin": ["owner"]})
    with server.service("owner") as owner:
        uid = owner.create()["uid"]
        assert warnings(owner) == []
        assert figure(owner, "jobengine_disk_free_bytes") > 0
    assert server.stop() == 0
    server.configure({"database": {"reserve_mib": ALL_OF_ANY_DISK_MIB}})
    server.start()
    with server.service("owner") as owner:
        for _ in range(3):
            told = problem(owner.send_create(GOOD), 507, "storage_full")
        assert "database.reserve_mib" in told["detail"]
        assert "make room" in told["detail"]
        assert owner.claim()["uid"] == uid
        assert owner.update(uid, status="complete")["state"] == "complete"
        owner.delete(uid)
        (warning,) = warnings(owner)
        assert "MiB free" in warning
        assert len(server.events("disk_nearly_full")) == 1


def test_what_the_disk_has_forgotten_is_found_and_named(start_server: StartServer) -> None:
    server = start_server({"admin": ["owner"], "database": OFTEN})
    with server.service("owner") as owner:
        until(lambda: figure(owner, "jobengine_scrub_last_completed_timestamp_seconds"))
        assert figure(owner, "jobengine_scrub_damaged_bytes") == 0
        assert figure(owner, "jobengine_scrub_read_bytes_total") > 8192
        uid = owner.create()["uid"]
        flip_a_bit(server.database, server.database.stat().st_size - 300)
        (warning,) = until(lambda: warnings(owner))
        assert "jobengine db verify" in warning
        assert figure(owner, "jobengine_scrub_damaged_bytes") >= 128
        assert server.wait_for("scrub_found_damage")["ranges"]
        assert owner.get(uid)["state"] == "queued"  # memory has everything


def flip_a_bit(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one mebibyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount a small file system (root)")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_refuses_loses_nothing_and_serves_again_by_itself(
    tmp_path: Path, small_disk: Path
) -> None:
    ballast = small_disk / "ballast"
    server = ServerProcess(tmp_path, {"database": {"reserve_mib": 0}})
    server.database = small_disk / "jobs.queuedb"
    with server, server.service("owner") as owner:
        first = owner.create()["uid"]
        fill(ballast)
        created = [first, *create_until_full(owner)]
        problem(owner.ask("GET", "/api/v1/jobs/next"), 507, "storage_full")
        assert [job["uid"] for job in owner.jobs().values()] == created
        until(lambda: warnings(owner))
        ballast.unlink()
        assert until(lambda: owner.send_create(GOOD).status == 201, seconds=BACK_SECONDS)
        assert owner.claim()["uid"] == first
        until(lambda: not warnings(owner))
        assert [len(server.events(name)) for name in ("disk_nearly_full", "disk_has_room_again")] == [1, 1]
        server.kill()
    with server, server.service("owner") as owner:
        there = owner.jobs()
        assert {job["uid"] for job in there.values()} >= set(created)
        assert owner.get(first)["state"] == "inprogress"
        assert server.stop() == 0


def fill(ballast: Path) -> None:
    """Leave no room at all."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return


def create_until_full(owner: Service) -> list[str]:
    """The uids of those that still went into the last page of the file."""
    created = []
    while (answer := owner.send_create(GOOD)).status == 201:
        created.append(answer.json()["uid"])
    problem(answer, 507, "storage_full")
    return created
