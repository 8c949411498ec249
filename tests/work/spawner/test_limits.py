"""No program gets more than its limits."""

import resource
import signal

from jobengine.work.spawner.limits import Limits
from tests.work.spawner.programs import MEBIBYTE, processes_now, run, shell, spawning


async def test_each_limit_is_set() -> None:
    limits = Limits(cpu_seconds=7, memory_bytes=256 * MEBIBYTE, file_bytes=8192, open_files=99, processes=88)
    async with spawning() as spawner:
        ran = await run(spawner, shell("sleep 0.3; cat /proc/$$/limits", limits))
    table = {line[:26].strip(): line[26:].split()[:2] for line in ran.out.splitlines()}
    assert table["Max cpu time"] == ["7", "12"]
    assert table["Max address space"] == [str(256 * MEBIBYTE)] * 2
    assert table["Max file size"] == ["8192"] * 2
    assert table["Max open files"] == ["99"] * 2
    assert table["Max processes"] == ["88"] * 2
    assert table["Max core file size"] == ["0"] * 2


async def test_no_limit_is_raised() -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    async with spawning() as spawner:
        ran = await run(spawner, shell("ulimit -n", Limits(open_files=most * 2)))
    assert int(ran.out) == most


async def test_a_program_that_only_computes_is_ended() -> None:
    async with spawning() as spawner:
        ran = await run(spawner, shell("while :; do :; done", Limits(cpu_seconds=1)))
    assert ran.ended.signal == signal.SIGXCPU


async def test_a_child_that_it_starts_at_once_is_ended_too() -> None:
    async with spawning() as spawner:
        ran = await run(spawner, shell("(while :; do :; done) & wait $!; echo $?", Limits(cpu_seconds=1)))
    assert int(ran.out) == 128 + signal.SIGXCPU


async def test_a_file_does_not_grow_beyond_its_limit() -> None:
    async with spawning() as spawner:
        ran = await run(
            spawner, shell("cd /tmp; exec head -c 9000 /dev/zero >$(mktemp)", Limits(file_bytes=8192))
        )
    assert ran.ended.signal == signal.SIGXFSZ


async def test_memory_beyond_the_limit_is_not_to_be_had() -> None:
    async with spawning() as spawner:
        limits = Limits(memory_bytes=64 * MEBIBYTE)
        ran = await run(spawner, shell("head -c 200000000 /dev/zero | tail -n 1", limits))
    assert ran.ended.exit_code != 0
    assert "memory" in ran.err


async def test_forks_without_end_end_at_the_limit() -> None:
    async with spawning() as spawner:
        limits = Limits(processes=processes_now() + 40)
        ran = await run(spawner, shell("bomb() { bomb | bomb & }; bomb; sleep 0.3", limits))
        assert "fork" in ran.err
        assert (await run(spawner, shell("exit 5"))).ended.exit_code == 5
