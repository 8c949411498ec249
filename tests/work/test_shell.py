"""Jobs that name a program and its arguments."""

import asyncio
import errno
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import pytest

from jobengine.errors import ConfigurationWrong
from jobengine.model.log import Stream
from jobengine.settings.run import RunSettings, SandboxKind
from jobengine.work.conditions import Conditions
from jobengine.work.directory import remove_directory
from jobengine.work.outcome import Broken, Done, Kind, Outcome, Refused
from jobengine.work.shell import ShellRunner, ShellSettings
from jobengine.work.source import Claimed
from jobengine.work.spawner.spawner import Spawner
from tests.work.spawner.programs import spawning

MEBIBYTE = 1024 * 1024


class Shop:
    """Runs jobs, one after another."""

    def __init__(self, spawner: Spawner, parent: Path) -> None:
        self.spawner = spawner
        self.parent = parent
        self.log = {stream: bytearray() for stream in Stream}
        self.settings = RunSettings(user="nobody" if os.geteuid() == 0 else None, allow_shell=True, grace=200)

    def runner(self, content: object, **settings: Any) -> ShellRunner:
        """One that has not begun. Raises Refused."""
        changed = msgspec.structs.replace(self.settings, **settings)
        conditions = Conditions.of(changed, os.environ, directory=str(self.parent), log_bytes=100_000)
        allowed = ShellSettings(changed.allow_shell, changed.command_length)
        job = Claimed("jobs", "1", "lease", 1, msgspec.json.encode(content))
        return ShellRunner(job, allowed, conditions, self.spawner, self._take)

    async def run(self, content: object, **settings: Any) -> Outcome:
        """From its beginning to its end."""
        for said in self.log.values():
            said.clear()
        runner = self.runner(content, **settings)
        try:
            await runner.start()
            return await runner.ended()
        finally:
            await runner.clean()

    async def _take(self, stream: Stream, offset: int, data: bytes) -> None:
        self.log[stream] += data


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """One whose directories lie where all may go: not below pytest's own, which it closes to others."""
    with tempfile.TemporaryDirectory() as directory:
        parent = Path(directory)
        parent.chmod(0o755)
        async with spawning() as spawner:
            yield Shop(spawner, parent)
        assert list(parent.iterdir()) == []


def result_of(outcome: Outcome) -> dict[str, Any]:
    """What is told of how it ran."""
    assert isinstance(outcome, Done | Broken)
    assert outcome.result is not None
    return msgspec.json.decode(outcome.result, type=dict[str, Any])


async def test_a_program_that_ends_well_is_done_and_tells_what_it_used(shop: Shop) -> None:
    outcome = await shop.run({"argv": ["sh", "-c", "echo out; echo err >&2"]})
    assert isinstance(outcome, Done)
    result = result_of(outcome)
    assert (result["exit_code"], result["signal"]) == (0, None)
    assert result["started"].endswith("Z")
    assert result.keys() == {"exit_code", "signal", "started", "seconds", "cpu_seconds", "memory_bytes"}
    assert (bytes(shop.log[Stream.OUT]), bytes(shop.log[Stream.ERR])) == (b"out\n", b"err\n")


async def test_an_exit_code_is_a_failure_with_a_result(shop: Shop) -> None:
    outcome = await shop.run({"argv": ["sh", "-c", "exit 3"]})
    assert isinstance(outcome, Broken)
    assert (outcome.kind, outcome.text) == (Kind.EXIT_CODE, "it ended with exit code 3")
    assert result_of(outcome)["exit_code"] == 3


@pytest.mark.parametrize("sandbox", SandboxKind)
async def test_a_signal_is_a_failure_that_names_it(shop: Shop, sandbox: SandboxKind) -> None:
    outcome = await shop.run({"argv": ["sh", "-c", "kill -ABRT $$"]}, sandbox=sandbox)
    assert isinstance(outcome, Broken)
    assert (outcome.kind, result_of(outcome)["signal"]) == (Kind.SIGNAL, "SIGABRT")


@pytest.mark.parametrize(
    ("content", "kind", "settings"),
    [
        ({"argv": ["no-such-program"]}, Kind.NOT_FOUND, {}),
        ({"argv": ["/etc/passwd"]}, Kind.NOT_FOUND, {}),
        ({"command": "while :; do :; done"}, Kind.CPU, {"cpu": 1000}),
        ({"command": "head -c 100000 /dev/zero >file"}, Kind.FILE_SIZE, {"file_size": 4096}),
        ({"command": "exec head -c 100000 /dev/zero >file"}, Kind.FILE_SIZE, {"file_size": 4096}),
    ],
)
async def test_a_failure_has_its_reason(
    shop: Shop, content: dict[str, Any], kind: Kind, settings: dict[str, Any]
) -> None:
    outcome = await shop.run(content, **settings)
    assert isinstance(outcome, Broken)
    assert outcome.kind == kind


@pytest.mark.parametrize("command", ["exit 152", "kill -XCPU $$"])
async def test_without_a_limit_of_cpu_time_nobody_is_said_to_have_reached_it(
    shop: Shop, command: str
) -> None:
    outcome = await shop.run({"command": command})
    assert isinstance(outcome, Broken)
    assert outcome.kind in {Kind.EXIT_CODE, Kind.SIGNAL}


@pytest.mark.parametrize(
    "program", ["no-such-program", "/etc/shadow", "../../etc/passwd", "/usr/../etc/passwd"]
)
async def test_a_program_that_is_not_in_the_sandbox_is_not_found(shop: Shop, program: str) -> None:
    with pytest.raises(Refused) as refused:
        await shop.run({"argv": [program]}, sandbox=SandboxKind.BUBBLEWRAP)
    assert refused.value.broken.kind == Kind.NOT_FOUND


async def test_one_that_gets_no_more_memory_failed_for_that(shop: Shop) -> None:
    outcome = await shop.run({"command": "head -c 900000000 /dev/zero | tail -n 1"}, memory=128 * MEBIBYTE)
    assert isinstance(outcome, Broken)
    assert outcome.kind == Kind.MEMORY


async def test_one_that_asked_for_too_much_at_once_failed_for_memory(shop: Shop) -> None:
    outcome = await shop.run({"argv": ["perl", "-e", '"x" x 900000000']}, memory=128 * MEBIBYTE)
    assert isinstance(outcome, Broken)
    assert outcome.kind == Kind.MEMORY


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"argv": []},
        {"argv": [""]},
        {"argv": "ls"},
        {"argv": ["ls"], "command": "ls"},
        {"argv": ["ls", 1]},
        {"argv": ["ls", "a\0b"]},
        {"argv": ["ls"], "environment": {"LD_PRELOAD": "evil.so"}},
        {"argv": ["ls"], "stdin": "text"},
        {"argv": ["echo", "x" * 5000]},
        {"argv": ["ls"], "x" * 5000: True},
        ["ls"],
    ],
)
async def test_what_is_no_command_is_refused_before_anything_starts(shop: Shop, content: object) -> None:
    with pytest.raises(Refused) as refused:
        shop.runner(content)
    assert (refused.value.broken.kind, refused.value.broken.retry) == (Kind.CONTENT, False)
    assert "xxx" not in refused.value.broken.text


async def test_a_shell_must_be_allowed(shop: Shop) -> None:
    with pytest.raises(Refused, match=r"run\.allow_shell"):
        shop.runner({"command": "ls | wc"}, allow_shell=False)


async def test_a_job_may_set_what_its_queue_names(shop: Shop) -> None:
    settings = {"environment": {"COLOUR": "green", "SIZE": "large"}}
    await shop.run({"command": "echo $COLOUR $SIZE", "environment": {"COLOUR": "red"}}, **settings)
    assert shop.log[Stream.OUT] == b"red large\n"


async def test_a_signal_without_a_name_of_its_own_is_told_too(shop: Shop) -> None:
    outcome = await shop.run({"command": f"kill -{signal.SIGRTMIN + 6} $$"})
    assert isinstance(outcome, Broken)
    assert (outcome.text, result_of(outcome)["signal"]) == ("it was ended by SIGRTMIN+6", "SIGRTMIN+6")


async def test_what_is_passed_is_the_workers(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSED", "along")
    monkeypatch.setenv("KEPT", "back")
    await shop.run({"command": "echo $PASSED $KEPT"}, pass_environment=("PASSED", "MISSING"))
    assert shop.log[Stream.OUT] == b"along\n"


async def test_it_runs_in_a_directory_of_its_own_that_is_gone_then(shop: Shop) -> None:
    await shop.run(
        {"command": 'echo $PWD $HOME $TMPDIR; stat -c "%a %U" .; mkdir -p a/b; echo >a/b/c; chmod 0 a'}
    )
    places, rights, user = shop.log[Stream.OUT].decode().rsplit(maxsplit=2)
    assert len(set(places.split())) == 1
    assert (rights, user) == ("700", "nobody" if os.geteuid() == 0 else os.environ.get("USER", user))
    assert not Path(places.split()[0]).exists()


async def test_one_that_deletes_its_own_directory_ends_as_it_says(shop: Shop) -> None:
    assert isinstance(await shop.run({"command": "rm -rf $PWD; exit 0"}), Done)


async def test_a_link_out_of_its_directory_takes_nothing_along(shop: Shop, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept")
    await shop.run(
        {"command": f"mkdir d; ln -s {tmp_path} link; ln -s {tmp_path} d/link; ln -s {precious} file"}
    )
    assert precious.read_text() == "kept"


async def test_a_tree_deeper_than_any_path_is_removed(shop: Shop) -> None:
    path = "dddd/" * 400
    deep = f"for again in 1 2 3; do mkdir -p {path} && cd -P {path} || exit 9; done"
    assert isinstance(await shop.run({"command": deep}, command_length=5000), Done)


async def test_more_files_than_anybody_counts_are_removed(shop: Shop) -> None:
    assert isinstance(await shop.run({"command": "touch $(seq 3000)"}), Done)


async def test_one_in_the_sandbox_leaves_its_directory_to_be_removed(shop: Shop) -> None:
    outcome = await shop.run(
        {"command": "mkdir -p a/b; chmod 0 a; rm -rf $PWD; true"}, sandbox=SandboxKind.BUBBLEWRAP
    )
    assert isinstance(outcome, Done)


async def test_a_program_that_prints_without_end_is_read_to_its_end(shop: Shop) -> None:
    assert isinstance(await shop.run({"command": "head -c 50000000 /dev/zero; echo end"}), Done)
    assert 70_000 < len(shop.log[Stream.OUT]) <= 125_000
    assert shop.log[Stream.OUT].endswith(b"\0end\n")


async def test_a_stopped_program_says_so_and_has_a_result(shop: Shop) -> None:
    runner = shop.runner({"command": "trap '' TERM; sleep 1000"})
    await runner.start()
    await runner.stop()
    outcome = await runner.ended()
    await runner.clean()
    assert isinstance(outcome, Broken)
    assert (outcome.kind, outcome.retry) == (Kind.STOPPED, False)
    assert result_of(outcome)["exit_code"] is None


async def test_a_halted_program_waits(shop: Shop) -> None:
    runner = shop.runner({"command": "sleep 0.1"})
    await runner.start()
    assert await runner.halt() is None
    ending = asyncio.ensure_future(runner.ended())
    done, _ = await asyncio.wait([ending], timeout=0.4)
    assert not done
    await runner.resume()
    assert isinstance(await ending, Done)
    await runner.clean()


async def test_a_program_whose_spawner_dies_has_failed(shop: Shop) -> None:
    outcome = await shop.run({"command": "sleep 0.2; kill -9 $PPID; sleep 1000"})
    assert isinstance(outcome, Broken)
    assert outcome.kind in {Kind.ERROR, Kind.NOT_STARTED}  # by how soon it did it


async def test_a_directory_that_cannot_be_removed_changes_no_outcome(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = shop.runner({"command": "mkdir a"})
    await runner.start()
    assert isinstance(await runner.ended(), Done)
    with monkeypatch.context() as patched:
        patched.setattr(shop.spawner, "spawn", mock.AsyncMock(side_effect=OSError(errno.EMFILE, "no room")))
        await runner.clean()
    (left,) = shop.parent.iterdir()
    await remove_directory(left, shop.spawner)


async def test_a_directory_that_cannot_be_made_is_told(shop: Shop) -> None:
    shop.parent = shop.parent / "missing"
    with pytest.raises(Refused) as refused:
        await shop.run({"argv": ["true"]})
    assert (refused.value.broken.kind, refused.value.broken.retry) == (Kind.NOT_STARTED, None)
    shop.parent = shop.parent.parent


async def test_many_at_once_end_each_as_it_should(shop: Shop) -> None:
    outcomes = await asyncio.gather(*(shop.run({"command": f"exit {code}"}) for code in range(30)))
    assert [result_of(outcome)["exit_code"] for outcome in outcomes] == list(range(30))


@pytest.mark.parametrize("least", [{"memory": 64 * MEBIBYTE}, {"files": 32}])
async def test_the_least_limits_are_enough_to_start(shop: Shop, least: dict[str, int]) -> None:
    assert isinstance(await shop.run({"command": "true"}, **least), Done)
    with pytest.raises(ConfigurationWrong, match="least"):
        shop.runner({"command": "true"}, **{name: value - 1 for name, value in least.items()})
