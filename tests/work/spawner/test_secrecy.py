"""No program can read what the server knows: not in its environment, its memory, or a core dump."""

import asyncio
import ctypes
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jobengine.settings.run import SandboxKind
from jobengine.work.conditions import PATH
from tests.work.spawner.programs import launch, run, spawning

SECRET = "5e" * 32
# Of every process that there is: its environment, what is open there, and its memory.
SEARCH = r"""
env
for process in /proc/[0-9]*; do
    cat $process/environ
    ls -l $process/fd $process/root/
    head -c 1 $process/mem $process/maps
done 2>/dev/null | tr '\\0' '\n' | grep -a hex: | sort -u
echo searched
"""
ROOT = Path(__file__).parents[3]
_GET_DUMPABLE = 3


@pytest.mark.parametrize("sandbox", SandboxKind)
async def test_a_job_does_not_find_the_secret(sandbox: SandboxKind) -> None:
    # A process of its own: what /proc shows of it is the environment that it was started with.
    keeper = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.work.spawner.secret_keeper", sandbox, SEARCH),
        env={"SECRET": f"hex:{SECRET}", "PATH": PATH},
        stdout=asyncio.subprocess.PIPE,
    )
    out = (await keeper.communicate())[0].decode()
    assert out.endswith("searched\n")
    assert SECRET not in out


async def test_who_starts_programs_hides_its_memory() -> None:
    async with spawning() as spawner:
        await spawner.start()
        assert ctypes.CDLL(None).prctl(_GET_DUMPABLE, 0, 0, 0, 0) == 0


async def test_a_hidden_process_leaves_no_core_dump(tmp_path: Path) -> None:
    program = (
        "import os, signal; from jobengine.work.spawner.kernel import hide_memory; hide_memory(); os.abort()"
    )
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", program], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}
        )
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)
    _, status = await asyncio.to_thread(os.waitpid, process.pid, 0)
    process.returncode = 0
    assert os.WTERMSIG(status) == signal.SIGABRT
    assert not os.WCOREDUMP(status)
    assert list(tmp_path.iterdir()) == []


async def test_a_program_gets_no_more_rights_by_what_it_executes() -> None:
    async with spawning() as spawner:
        ran = await run(spawner, launch("grep", "NoNewPrivs", "/proc/self/status"))
    assert ran.out.split() == ["NoNewPrivs:", "1"]
