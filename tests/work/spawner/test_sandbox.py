"""In bubblewrap a program sees its directory and a read-only system, and nothing of it outlives it."""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import structs

from jobengine.errors import ConfigurationWrong
from jobengine.settings.run import RunSettings, SandboxKind
from jobengine.work.conditions import Conditions
from jobengine.work.directory import hand_over, make_directory, remove_directory
from jobengine.work.spawner.launch import Launch
from jobengine.work.spawner.process import Process
from jobengine.work.spawner.spawner import Spawner
from jobengine.work.trial import try_sandbox
from tests.work.spawner.programs import Ran, is_alive, see, spawning


class Sandbox:
    """A spawner, and a directory in which to run."""

    def __init__(self, spawner: Spawner) -> None:
        settings = RunSettings(sandbox=SandboxKind.BUBBLEWRAP)
        self.spawner = spawner
        self.conditions = Conditions.of(settings, {}, directory=None, log_bytes=1000)
        self.directory = make_directory(None)
        hand_over(self.directory, self.conditions.user)

    async def spawn(self, command: str) -> Process:
        """Start a command line."""
        return await self.spawner.spawn(
            Launch(
                argv=self.conditions.enclose(("sh", "-c", command), self.directory),
                directory=self.directory,
                environment=self.conditions.environment_in(self.directory),
                limits=self.conditions.limits,
                user=self.conditions.user,
                is_sandboxed=True,
            )
        )

    async def run(self, command: str) -> Ran:
        """Start a command line, and wait for its end."""
        return await see(await self.spawn(command))


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """One."""
    async with spawning() as spawner:
        sandbox = Sandbox(spawner)
        yield sandbox
        await remove_directory(sandbox.directory, spawner)


async def test_it_writes_into_its_directory_and_nowhere_else(sandbox: Sandbox) -> None:
    ran = await sandbox.run(
        "echo here >file; for p in / /usr /etc /dev /tmp /dev/shm; do touch $p/x && echo $p; done"
    )
    assert ran.out.split() == ["/tmp", "/dev/shm"]
    assert (sandbox.directory / "file").read_text() == "here\n"
    assert not Path("/tmp/x").exists()


async def test_it_does_not_see_the_files_of_this_machine(sandbox: Sandbox) -> None:
    with tempfile.NamedTemporaryFile() as file:
        ran = await sandbox.run(
            f"cat {file.name} /etc/shadow /etc/hostname; ls / /home /root /var; ls /tmp | wc -l"
        )
    assert ran.err.count("No such file") == 6
    assert ran.out.split()[-1] == "1"  # the way to its own directory


async def test_it_has_no_network(sandbox: Sandbox) -> None:
    assert (await sandbox.run("cat /proc/net/dev | tail -n +3 | cut -d: -f1")).out.split() == ["lo"]


async def test_it_sees_no_other_process_and_has_no_rights(sandbox: Sandbox) -> None:
    ran = await sandbox.run("ls /proc | grep -c '^[0-9]'; grep CapEff /proc/self/status; id -u")
    count, _, rights, user = ran.out.split()
    assert int(count) < 8
    assert int(rights, 16) == 0
    assert int(user) != 0


async def test_nothing_outlives_it(sandbox: Sandbox) -> None:
    marker = f"10{os.getpid()}"
    await sandbox.run(f"env -i setsid setsid sleep {marker} & env -i setsid sleep {marker} & sleep 0.2")
    assert not _running(marker)


async def test_its_exit_code_and_what_it_used_are_told(sandbox: Sandbox) -> None:
    ran = await sandbox.run("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; exit 9")
    assert ran.ended.exit_code == 9
    assert ran.ended.cpu_seconds > 0.05


async def test_it_can_be_halted_and_resumed(sandbox: Sandbox) -> None:
    process = await sandbox.spawn("echo ready; sleep 0.1; echo on")
    await _ready(process)
    process.halt()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await process.ended()
    process.resume()
    assert (await see(process)).out == "on\n"


async def test_stop_lets_it_come_to_its_end(sandbox: Sandbox) -> None:
    process = await sandbox.spawn("trap 'echo tidy; exit 4' TERM; echo ready; while :; do sleep 0.05; done")
    await _ready(process)
    await process.stop(10)
    ran = await see(process)
    assert (ran.out, ran.ended.exit_code) == ("tidy\n", 4)


async def test_stop_ends_all_that_does_not_listen(sandbox: Sandbox) -> None:
    marker = f"11{os.getpid()}"
    process = await sandbox.spawn(f"trap '' TERM; setsid sleep {marker} & echo ready; sleep {marker}")
    await _ready(process)
    process.halt()
    await process.stop(0.2)
    assert (await see(process)).ended.signal == signal.SIGKILL
    assert not _running(marker)


async def test_many_at_once_need_no_more_files_than_one(sandbox: Sandbox) -> None:
    limits = structs.replace(sandbox.conditions.limits, open_files=32)
    sandbox.conditions = structs.replace(sandbox.conditions, limits=limits)
    ran = await asyncio.gather(*(sandbox.run(f"sleep 1; exit {code}") for code in range(40)))
    assert [each.ended.exit_code for each in ran] == list(range(40))


async def test_a_sandbox_that_works_is_found_so(sandbox: Sandbox) -> None:
    await try_sandbox(sandbox.conditions, sandbox.spawner)


async def test_a_sandbox_that_is_not_to_be_had_is_an_error_with_its_ways_out(sandbox: Sandbox) -> None:
    broken = structs.replace(sandbox.conditions, bubblewrap=Path("/bin/false"))
    with pytest.raises(ConfigurationWrong, match=r"user namespaces.*run\.user"):
        await try_sandbox(broken, sandbox.spawner)


def test_a_bubblewrap_that_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConfigurationWrong, match="apt-get install bubblewrap"):
        Conditions.of(RunSettings(sandbox=SandboxKind.BUBBLEWRAP), {}, directory=None, log_bytes=1)


async def _ready(process: Process) -> None:
    while True:
        try:
            assert os.read(process.output, 100) == b"ready\n"
        except BlockingIOError:
            await asyncio.sleep(0.01)
        else:
            return


def _running(marker: str) -> bool:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker in path.read_text().split("\0") and is_alive(int(path.parent.name)):
                return True
        except (FileNotFoundError, ProcessLookupError):
            continue
    return False
