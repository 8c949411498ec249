"""Bundles that a real Slurm runs."""

import asyncio
import base64
import io
import os
import pwd
import shutil
import tempfile
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import pytest

from jobengine.archive.limits import ArchiveLimits
from jobengine.model.log import Stream
from jobengine.settings.run import RunSettings
from jobengine.work.conditions import Conditions
from jobengine.work.outcome import Broken, Done, Halted, Kind, Outcome, Refused
from jobengine.work.slurm.cluster import ClusterJob
from jobengine.work.slurm.commands import Commands
from jobengine.work.slurm.job import Unreachable
from jobengine.work.slurm.runner import SlurmRunner
from jobengine.work.source import Claimed
from jobengine.work.spawner.spawner import Spawner
from tests.work.shop import open_directory
from tests.work.slurm_cluster import IS_INSTALLED, command, slurm_cluster
from tests.work.spawner.programs import is_alive, spawning

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason="slurm-wlm and munge are not installed")

LIMITS = ArchiveLimits(bytes=100_000)


class Cluster:
    """Where jobs go."""

    def __init__(self, configuration: Path, parent: Path, spawner: Spawner) -> None:
        self.configuration = configuration
        self.parent = parent
        self.spawner = spawner
        self.log = {stream: bytearray() for stream in Stream}
        self.offsets: list[int] = []

    def runner(
        self,
        script: str,
        *options: str,
        saved: bytes | None = None,
        log_bytes: int = 100_000,
        stop_seconds: float = 20,
    ) -> SlurmRunner:
        """One that has not begun. Another for the same script is for the same job."""
        settings = RunSettings(
            user="nobody" if os.geteuid() == 0 else None,
            environment={"SLURM_CONF": str(self.configuration), "GREETING": "hello"},
        )
        conditions = Conditions.of(settings, {}, directory=str(self.parent), log_bytes=log_bytes)
        job = Claimed("jobs", "1", "lease", 1, bundle(script), saved=saved)
        slurm_job = ClusterJob(job, LIMITS, conditions, self.spawner, self._take, options=options)
        return SlurmRunner(job, slurm_job, poll_seconds=0.05, stop_seconds=stop_seconds)

    async def run(self, script: str, *options: str, **given: Any) -> Outcome:
        """From its beginning to its end. Raises Refused."""
        running = self.runner(script, *options, **given)
        try:
            await running.start()
            return await running.ended()
        finally:
            await running.clean()

    async def until(self, state: str, runner: SlurmRunner) -> None:
        """Wait until Slurm says so of a job."""
        number = (runner.details() or {})["slurm_id"]
        while self.state(number) != state:
            await asyncio.sleep(0.02)

    def state(self, number: int) -> str:
        """What Slurm says."""
        states = ("--states=all", "--format=%T")
        return command(self.configuration, "squeue", "-h", f"--jobs={number}", *states).strip()

    async def _take(self, stream: Stream, offset: int, data: bytes) -> None:
        self.offsets.append(offset)
        self.log[stream] += data


@pytest.fixture(scope="module")
def configuration() -> Iterator[Path]:
    """Of a Slurm that runs."""
    with open_directory() as place, slurm_cluster(place) as configuration:
        yield configuration


@pytest.fixture
async def cluster(configuration: Path) -> AsyncIterator[Cluster]:
    """It; nothing must be left of its jobs."""
    with open_directory() as parent:
        async with spawning() as spawner:
            yield Cluster(configuration, parent, spawner)
        assert list(parent.iterdir()) == []


def bundle(script: str) -> bytes:
    """The content of a job: the same for the same script, whenever it is made."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("run.sh"), script)
        archive.writestr(zipfile.ZipInfo("in"), "given")
    return msgspec.json.encode({"archive": file.getvalue()})


def result_of(outcome: Outcome) -> Any:
    """What is told of it."""
    assert isinstance(outcome, Done | Broken), outcome
    return msgspec.json.decode(outcome.result or b"null")


def back(outcome: Outcome) -> dict[str, bytes]:
    """The files that came back."""
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(result_of(outcome)["archive"]))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


async def test_slurm_runs_the_script_and_its_directory_comes_back(cluster: Cluster) -> None:
    script = "cat in >out; id -un; echo $GREETING; echo wrong >&2"
    outcome = await cluster.run(script)
    assert isinstance(outcome, Done)
    assert back(outcome) == {"run.sh": script.encode(), "in": b"given", "out": b"given"}
    user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    assert cluster.log[Stream.OUT].decode() == f"{user}\nhello\n"
    assert cluster.log[Stream.ERR] == b"wrong\n"
    result = result_of(outcome)
    assert (result["exit_code"], result["signal"]) == (0, None)
    assert result["slurm_id"] > 0
    assert result["started"].endswith("Z")


@pytest.mark.parametrize(
    ("script", "kind", "told"),
    [
        ("echo half >half; exit 3", Kind.EXIT_CODE, (3, None)),
        ("echo half >half; kill -ABRT $$", Kind.SIGNAL, (None, "SIGABRT")),
    ],
)
async def test_a_script_that_fails_gives_its_directory_back_too(
    cluster: Cluster, script: str, kind: Kind, told: Any
) -> None:
    outcome = await cluster.run(script)
    assert isinstance(outcome, Broken)
    assert outcome.kind == kind
    assert (result_of(outcome)["exit_code"], result_of(outcome)["signal"]) == told
    assert back(outcome)["half"] == b"half\n"


async def test_before_slurm_has_taken_it_there_is_nothing_to_tell(cluster: Cluster) -> None:
    assert cluster.runner("true").details() == {}


async def test_a_job_that_is_stopped_is_cancelled_with_all_that_it_started(cluster: Cluster) -> None:
    running = cluster.runner("echo $$ >pid; sleep 600; sleep 600")
    await running.start()
    while not (found := [*cluster.parent.glob("*/bundle/pid")]) or not (pid := found[0].read_text()):
        await asyncio.sleep(0.02)
    await running.stop()
    outcome = await running.ended()
    await running.clean()
    assert isinstance(outcome, Broken)
    assert (outcome.kind, outcome.retry) == (Kind.STOPPED, False)
    assert cluster.state(result_of(outcome)["slurm_id"]) == "CANCELLED"
    assert not is_alive(int(pid))


async def test_a_job_that_slurm_cancels_failed(cluster: Cluster) -> None:
    running = cluster.runner("sleep 600")
    await running.start()
    await cluster.until("RUNNING", running)
    command(cluster.configuration, "scancel", str((running.details() or {})["slurm_id"]))
    outcome = await running.ended()
    await running.clean()
    assert isinstance(outcome, Broken)
    assert (outcome.kind, outcome.text) == (Kind.STOPPED, "Slurm says that it ended with CANCELLED")


async def test_a_job_that_is_halted_stands_still_until_it_is_resumed(cluster: Cluster) -> None:
    running = cluster.runner("sleep 600")
    await running.start()
    await cluster.until("RUNNING", running)
    assert await running.halt() is None
    await cluster.until("SUSPENDED", running)
    await running.resume()
    await cluster.until("RUNNING", running)
    await running.stop()
    await running.ended()
    await running.clean()


async def test_a_job_that_waits_can_be_halted_too(cluster: Cluster) -> None:
    running = cluster.runner("true", "--begin=now+1hour")
    await running.start()
    assert await running.halt() is None
    number = str((running.details() or {})["slurm_id"])
    shown = command(cluster.configuration, "scontrol", "show", "job", number)
    await running.stop()
    await running.ended()
    await running.clean()
    assert "Reason=JobHeld" in shown


async def test_the_worker_may_end_and_the_next_one_goes_on_with_the_job(cluster: Cluster) -> None:
    script = "echo begun; while [ ! -e go-on ]; do sleep 0.05; done; echo done"
    first = cluster.runner(script)
    await first.start()
    await cluster.until("RUNNING", first)
    ending = asyncio.ensure_future(first.ended())
    halted = await first.leave()
    await first.stop()
    await first.clean()
    assert isinstance(halted, Halted)
    assert halted == await ending
    directory = Path(msgspec.json.decode(halted.saved or b"")["directory"])
    (directory / "bundle" / "go-on").touch()
    cluster.log[Stream.OUT].clear()
    outcome = await cluster.run(script, saved=halted.saved)
    assert isinstance(outcome, Done)
    assert cluster.log[Stream.OUT] == b"begun\ndone\n"
    assert result_of(outcome)["slurm_id"] == (first.details() or {})["slurm_id"]


async def test_a_job_that_is_stopped_between_two_workers_is_cancelled(cluster: Cluster) -> None:
    first = cluster.runner("sleep 600")
    await first.start()
    await cluster.until("RUNNING", first)
    ending = asyncio.ensure_future(first.ended())
    halted = await first.leave()
    await first.clean()
    assert halted == await ending
    assert isinstance(halted, Halted)
    second = cluster.runner("sleep 600", saved=halted.saved)
    outcome = await second.stop_left()
    await second.clean()
    assert (outcome.kind, outcome.retry) == (Kind.STOPPED, False)
    assert cluster.state((first.details() or {})["slurm_id"]) == "CANCELLED"


async def test_after_a_kill_of_the_worker_the_next_one_finds_its_job(cluster: Cluster) -> None:
    killed = cluster.runner("sleep 600")
    await killed.start()
    following = cluster.runner("sleep 600")
    await following.start()
    assert following.details() == killed.details()
    await following.stop()
    await following.ended()
    await following.clean()
    await killed.ended()


async def test_a_job_that_ends_while_nobody_looks_is_not_run_again(cluster: Cluster) -> None:
    killed = cluster.runner("echo x >> ran; exit 7")
    await killed.start()
    killed._following.cancel()
    await cluster.until("FAILED", killed)
    outcome = await cluster.run("echo x >> ran; exit 7")
    assert result_of(outcome)["slurm_id"] == (killed.details() or {})["slurm_id"]
    assert back(outcome)["ran"] == b"x\n"
    assert result_of(outcome)["exit_code"] == 7


async def test_a_job_that_failed_and_is_tried_again_is_run_again(cluster: Cluster) -> None:
    first, second = [result_of(await cluster.run("exit 7")) for _ in range(2)]
    assert first["slurm_id"] != second["slurm_id"]


async def test_what_slurm_took_before_sbatch_was_cut_off_is_not_given_to_it_again(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit, numbers = Commands.submit, list[int]()

    async def cut_off(self: Commands, *options: str, **named: Any) -> int:
        numbers.append(await submit(self, *options, **named))
        raise Unreachable("sbatch: it took too long")

    monkeypatch.setattr(Commands, "submit", cut_off)
    outcome = await cluster.run("true")
    assert isinstance(outcome, Done)
    assert [result_of(outcome)["slurm_id"]] == numbers


async def test_while_nobody_knows_whether_slurm_has_a_job_its_directory_stays(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def away(_self: Commands, *_options: str, **_named: Any) -> Any:
        asked.append("submit")
        raise Unreachable("it does not answer")

    async def known(_self: Commands, _name: str) -> list[tuple[int, Path]]:
        if asked:
            raise Unreachable("it does not answer")
        return []

    monkeypatch.setattr(Commands, "submit", away)
    monkeypatch.setattr(Commands, "known", known)
    with pytest.raises(Refused):
        await cluster.run("true")
    (left,) = cluster.parent.iterdir()
    assert (left / "bundle" / "run.sh").exists()
    shutil.rmtree(left)


async def test_a_job_that_is_stopped_while_slurm_is_away_keeps_its_directory(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = cluster.runner("sleep 600", stop_seconds=0.1)
    await running.start()
    number = (running.details() or {})["slurm_id"]
    with monkeypatch.context() as patched:
        patched.setattr(Commands, "cancel", mock.Mock(side_effect=Unreachable("it does not answer")))
        await running.stop()
    outcome = await running.ended()
    await running.clean()
    assert isinstance(outcome, Broken)
    assert (outcome.kind, outcome.text) == (Kind.STOPPED, "it was stopped; nobody has seen it end")
    (left,) = cluster.parent.iterdir()
    command(cluster.configuration, "scancel", str(number))
    await cluster.until("CANCELLED", running)
    shutil.rmtree(left)


async def test_a_job_cannot_say_by_its_name_that_it_is_over(cluster: Cluster) -> None:
    script = "while [ ! -e go-on ]; do sleep 0.05; done"
    running = cluster.runner(script)
    await running.start()
    await cluster.until("RUNNING", running)
    number = (running.details() or {})["slurm_id"]
    name = "JobName=x JobState=COMPLETED ExitCode=0:0"
    command(cluster.configuration, "scontrol", "update", f"jobid={number}", name)
    assert await running._job.look() is None
    await running.stop()
    await running.ended()
    await running.clean()


@pytest.mark.parametrize("is_own", [False, True])
async def test_nobody_gets_a_directory_of_the_worker_by_what_they_save(
    cluster: Cluster, tmp_path: Path, is_own: bool
) -> None:
    theirs = Path(tempfile.mkdtemp(prefix="jobengine-run-", dir=cluster.parent if is_own else tmp_path))
    (theirs / "bundle").mkdir()
    (theirs / "bundle" / "secret").write_text("secret")
    saved = msgspec.json.encode({"slurm_id": 1, "directory": str(theirs)})
    outcome = await cluster.run("true", saved=saved)
    assert isinstance(outcome, Done)
    assert back(outcome).keys() == {"run.sh", "in"}
    assert (theirs / "bundle" / "secret").exists()
    shutil.rmtree(theirs)


async def test_a_job_that_slurm_does_not_take_is_told_and_leaves_nothing(cluster: Cluster) -> None:
    with pytest.raises(Refused, match=r"Slurm did not take it: sbatch: .*[Ii]nvalid partition") as refused:
        await cluster.run("true", "--partition=none")
    assert (refused.value.broken.kind, refused.value.broken.retry) == (Kind.NOT_STARTED, None)


async def test_what_is_printed_is_bounded_and_its_end_is_kept(cluster: Cluster) -> None:
    await cluster.run("head -c 5000 /dev/zero | tr '\\0' a; echo end", log_bytes=1000)
    assert len(cluster.log[Stream.OUT]) == 875
    assert cluster.log[Stream.OUT].endswith(b"aend\n")
    assert cluster.offsets[-1] == 5004 - 125
