"""What the pages about the database let an operator type is typed here, on a database in that state."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from jobengine.journal.journal import Journal
from jobengine.journal.keys import Secret
from jobengine.model.changes import PutJob, PutQueue
from jobengine.model.job import Job
from tests.cli.databases import damage, database, db
from tests.journal.scenes import MAIL, job
from tests.support.command import run
from tests.support.server import SECRET, ServerProcess

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
LOOK_AFTER = (HOW_TO / "look-after-the-database.md").read_text()
DISK_FAILS = (HOW_TO / "when-the-disk-fails.md").read_text()
UID = "2024ab76-a16f-4cd4-a494-5019174aa265"  # the page names it
BEFORE, AFTER = datetime(2026, 1, 31, 11, 50, tzinfo=UTC), datetime(2026, 1, 31, 12, tzinfo=UTC)
DAMAGED_EXIT_CODE = 65


class Section(Struct, frozen=True):
    """What a part of the page takes for granted, and how its commands end when it is not with 0."""

    prepare: Callable[[Path], object] = lambda path: None
    exit_codes: dict[str, int] = {}
    secret: str = SECRET  # that opens the database in the end


def _back_up(path: Path) -> None:
    assert db("backup", path, str(path.parent / "backup")).returncode == 0


def _damage(path: Path) -> None:
    damage(path, 8192 + 300)


def _make_new_secret(path: Path) -> None:
    (path.parent / "new-secret").write_text("new\n")


SECTIONS = {
    "Look": Section(),
    "Back up": Section(),
    "Restore": Section(_back_up),
    "Repair": Section(_damage, {"jobengine db repair": DAMAGED_EXIT_CODE}),
    "What became of one job": Section(),
    "Write it anew": Section(),
    "Change the SECRET": Section(_make_new_secret, secret="new"),
    "Take the jobs elsewhere": Section(),
}


@pytest.mark.parametrize("title", SECTIONS)
def test_each_command_of_the_page_does_what_it_should_and_leaves_a_whole_database(
    title: str, tmp_path: Path
) -> None:
    section, path = SECTIONS[title], tmp_path / "jobs.queuedb"
    (tmp_path / "backup").mkdir()
    asyncio.run(_fill(path))
    section.prepare(path)
    for command in _commands(LOOK_AFTER)[title]:
        finished = _typed(command, tmp_path)
        assert finished.returncode == section.exit_codes.get(command, 0), f"{command}: {finished.stderr}"
    assert db("verify", path, secret=section.secret).returncode == 0


def test_no_command_of_the_page_is_left_out() -> None:
    assert list(_commands(LOOK_AFTER)) == list(SECTIONS)


def test_verify_says_of_damage_what_the_page_shows(tmp_path: Path) -> None:
    path = database(tmp_path)
    damage(path, 8448 + 5)
    finished = db("verify", path)
    (shown,) = re.findall(r"```text\n(.*?)```", LOOK_AFTER, re.DOTALL)
    told = (finished.stdout + finished.stderr).replace(str(path), "data/jobs.queuedb")
    assert _timeless(told) == _timeless(shown)


@pytest.mark.parametrize(
    "command", sorted(set(re.findall(r"`jobengine ((?:db|config) \w+)", LOOK_AFTER + DISK_FAILS)))
)
def test_every_command_that_is_named_exists(command: str) -> None:
    assert run(*command.split(), "--help").returncode == 0


def test_a_running_server_writes_anew_what_the_disk_has_forgotten(tmp_path: Path) -> None:
    assert re.findall(r"^\d\. `(.*?)`", DISK_FAILS, re.MULTILINE) == [
        "jobengine db verify",
        "jobengine db compact",
    ]
    with ServerProcess(tmp_path) as server:
        with server.service("owner") as owner:
            owner.create()
            uid = owner.create()["uid"]
        damage(server.database, 8192 + 700)
        assert _typed("jobengine db verify", tmp_path).returncode == DAMAGED_EXIT_CODE
        assert _typed("jobengine db compact", tmp_path).returncode == 0
        assert _typed("jobengine db verify", tmp_path).returncode == 0
        assert server.stop() == 0
        server.start()
        with server.service("owner") as owner:
            assert owner.get(uid)["uid"] == uid


def _commands(page: str) -> dict[str, list[str]]:
    """Those of each section that has any."""
    sections = re.split(r"^## ", page, flags=re.MULTILINE)[1:]
    by_title = {
        section.partition("\n")[0]: re.findall(r"```sh\n(.*?)```", section, re.DOTALL) for section in sections
    }
    return {title: "".join(blocks).splitlines() for title, blocks in by_title.items() if blocks}


def _typed(command: str, place: Path) -> subprocess.CompletedProcess[str]:
    """Run in a shell that has the command, with what the page cannot know in its place."""
    program = place / "bin" / "jobengine"
    if not program.exists():
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m jobengine "$@"\n')
        program.chmod(0o755)
    for copy in (place / "backup").glob("jobs-*.queuedb"):
        command = re.sub(r"jobs-\w+\.queuedb", copy.name, command)
    environment = {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(HOW_TO.parents[1]),
        "SECRET": SECRET,
        "DB_PATH": str(place / "jobs.queuedb"),
    }
    return subprocess.run(
        ["sh", "-c", command.replace("/backup", f"{place}/backup")],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _timeless(text: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.+]+", "<time>", text)


async def _fill(path: Path) -> None:
    """Two jobs, one of them that of the page, and later a third."""
    now = int(BEFORE.timestamp() * 1000)
    journal = Journal.open(path, Secret.parse(SECRET), replay=lambda changes: None, wall_ms=lambda: now)
    journal.start(now=lambda: now, on_rollback=print, on_failure=print)
    await journal.append([PutQueue(MAIL)])
    for number, uid in enumerate((UID, job(1).uid)):
        await journal.append([PutJob(_with(uid, number, now))])
    now = int(AFTER.timestamp() * 1000)
    await journal.append([PutJob(_with(job(2).uid, 2, now))])
    await journal.close()


def _with(uid: str, number: int, now: int) -> Job:
    return replace(job(number), uid=uid, created=now, updated=now, expires=now + 10**12)
