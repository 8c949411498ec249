"""Jobs that bring a directory with a script."""

import base64
import io
import os
import stat
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from jobengine.archive.limits import MEBIBYTE, ArchiveLimits
from jobengine.model.log import Stream
from jobengine.settings.run import RunSettings, SandboxKind
from jobengine.work.bundle import BundleRunner
from jobengine.work.conditions import Conditions
from jobengine.work.outcome import Broken, Done, Kind, Refused
from jobengine.work.runner import LogSink
from jobengine.work.source import Claimed
from jobengine.work.spawner.spawner import Spawner
from tests.work.shop import Shop, result_of, shop_of


def make(
    job: Claimed, run: RunSettings, conditions: Conditions, spawner: Spawner, sink: LogSink
) -> BundleRunner:
    """The runner of a job."""
    limits = ArchiveLimits(bytes=run.archive_bytes, unpacked_bytes=run.unpacked_bytes)
    return BundleRunner(job, limits, conditions, spawner, sink)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """Where they run."""
    async with shop_of(make) as shop:
        yield shop


def zipped(*entries: tuple[str | zipfile.ZipInfo, str | bytes]) -> bytes:
    """An archive of these."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return file.getvalue()


def job(archive: bytes) -> dict[str, str]:
    """The content of one."""
    return {"archive": base64.b64encode(archive).decode()}


def script(commands: str, *entries: tuple[str, str | bytes]) -> dict[str, str]:
    """One that runs these commands."""
    return job(zipped(("run.sh", commands), *entries))


def back(result: dict[str, Any]) -> dict[str, bytes]:
    """The files that came back."""
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(result["archive"], validate=True))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("sandbox", SandboxKind)
async def test_the_directory_comes_back_as_the_script_left_it(shop: Shop, sandbox: SandboxKind) -> None:
    commands = "cat in/a >out; rm in/a; mkdir -p deep/er; echo hi >deep/er/b; echo said"
    outcome = await shop.run(script(commands, ("in/a", "given")), sandbox=sandbox)
    assert isinstance(outcome, Done), outcome
    assert back(result_of(outcome)) == {
        "run.sh": commands.encode(),
        "out": b"given",
        "in/": b"",
        "deep/er/b": b"hi\n",
    }
    assert shop.log[Stream.OUT] == b"said\n"


@pytest.mark.parametrize("sandbox", SandboxKind)
async def test_a_script_is_run_as_its_first_line_says(shop: Shop, sandbox: SandboxKind) -> None:
    awk = '#!/usr/bin/env -S awk -f\nBEGIN { print "from awk" }\n'
    assert isinstance(await shop.run(script(awk), sandbox=sandbox), Done)
    assert shop.log[Stream.OUT] == b"from awk\n"


async def test_all_that_is_unpacked_is_its_users_own(shop: Shop) -> None:
    commands = "stat -c '%u %a' . in in/a; id -u; echo more >>in/a"
    assert isinstance(await shop.run(script(commands, ("in/a", "given"))), Done)
    directory, inner, file, user = shop.log[Stream.OUT].decode().split("\n")[:4]
    assert (directory, inner, file) == (f"{user} 700", f"{user} 700", f"{user} 600")


async def test_a_script_that_fails_gives_its_directory_back_too(shop: Shop) -> None:
    outcome = await shop.run(script("echo half >half; exit 3"))
    assert isinstance(outcome, Broken)
    assert (outcome.kind, outcome.text) == (Kind.EXIT_CODE, "it ended with exit code 3")
    assert back(result_of(outcome))["half"] == b"half\n"


def _link() -> bytes:
    entry = zipfile.ZipInfo("way-out")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return zipped((entry, "/etc"), ("way-out/owned", "x"), ("run.sh", "true"))


def _device() -> bytes:
    entry = zipfile.ZipInfo("disk")
    entry.external_attr = (stat.S_IFBLK | 0o666) << 16
    return zipped((entry, ""), ("run.sh", "true"))


def _changed(archive: bytes, old: bytes, new: bytes) -> bytes:
    return archive.replace(old, new)


_FINE = zipped(("run.sh", "true"))
HOSTILE = {
    "upwards": zipped(("../outside", "x"), ("run.sh", "true")),
    "upwards further down": zipped(("a/../../outside", "x"), ("run.sh", "true")),
    "absolute": zipped(("/tmp/outside", "x"), ("run.sh", "true")),
    "of another system": zipped(("..\\outside", "x"), ("run.sh", "true")),
    "a drive": zipped(("C:outside", "x"), ("run.sh", "true")),
    "a link": _link(),
    "a device": _device(),
    "two scripts": _changed(zipped(("run.sh", "true"), ("run.sx", "false")), b"run.sx", b"run.sh"),
    "a file as a directory": zipped(("run.sh", "true"), ("run.sh/more", "x")),
    "no script": zipped(("sub/run.sh", "true")),
    "a directory for a script": zipped(("run.sh/", "")),
    "nothing": b"",
    "no zip file": b"no zip file at all",
    "half of one": _FINE[: len(_FINE) // 2],
    "more behind it": _FINE + b"more",
    "damaged": _changed(zipped((zipfile.ZipInfo("run.sh"), "echo one")), b"echo one", b"echo two"),
    "too many entries": zipped(("run.sh", "true"), *((f"{number}", "") for number in range(1000))),
    "a bomb": zipped(("run.sh", "true"), ("zeros", bytes(5 * MEBIBYTE))),
    "too long": zipped(("run.sh", "true"), ("noise", os.urandom(200_000))),
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_hostile_archive_is_refused_and_nothing_is_written_anywhere(shop: Shop, kind: str) -> None:
    with pytest.raises(Refused) as refused:
        await shop.run(job(HOSTILE[kind]), archive_bytes=100_000)
    assert (refused.value.broken.kind, refused.value.broken.retry) == (Kind.ARCHIVE, False)
    assert not Path("/tmp/outside").exists()
    assert list(shop.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({}, Kind.CONTENT),
        ({"archive": None}, Kind.CONTENT),
        ({"archive": "no base64"}, Kind.BASE64),
        ({"archive": base64.urlsafe_b64encode(_FINE + b"\xff\xff\xff").decode()}, Kind.BASE64),
    ],
)
async def test_what_is_no_bundle_never_runs(shop: Shop, content: Any, kind: Kind) -> None:
    with pytest.raises(Refused) as refused:
        await shop.run(content)
    assert refused.value.broken.kind == kind


async def test_of_links_and_pipes_nothing_comes_back(shop: Shop, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    commands = f"ln -s {secret} link; ln -s {tmp_path} folder; mkfifo pipe; echo x >file; ln file hard"
    outcome = await shop.run(script(commands))
    assert back(result_of(outcome)).keys() == {"run.sh", "file", "hard"}


@pytest.mark.parametrize(
    ("commands", "text"),
    [
        ("head -c 200000 /dev/urandom >big", "the files to pack take more than 106250 bytes, packed"),
        ("head -c 3000000 /dev/zero >big", "the files to pack have more than 1048576 bytes"),
        ("for i in $(seq 1001); do : >$i; done", "there are more than 1000 files to pack"),
        (
            "i=0; while [ $i -lt 70 ]; do mkdir d; cd d; i=$((i + 1)); done",
            "the directories to pack lie more than 64 deep",
        ),
    ],
)
async def test_a_directory_that_cannot_come_back_is_a_failure(shop: Shop, commands: str, text: str) -> None:
    outcome = await shop.run(script(commands), archive_bytes=100_000, unpacked_bytes=MEBIBYTE)
    assert isinstance(outcome, Broken)
    assert (outcome.kind, outcome.text, outcome.retry) == (Kind.ARCHIVE, text, None)
    assert result_of(outcome)["exit_code"] == 0


async def test_a_script_for_which_there_is_no_program_is_told(shop: Shop) -> None:
    outcome = await shop.run(script("#!/no/such/program\n"))
    assert isinstance(outcome, Broken)
    assert outcome.kind == Kind.NOT_FOUND
    assert "archive" not in result_of(outcome)
