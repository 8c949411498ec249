"""Programs are started, and how they ended is told."""

import asyncio
import os
import signal
import tempfile
from pathlib import Path

import pytest

from jobengine.work.spawner.process import Reason
from jobengine.work.spawner.spawner import Spawner
from tests.work.spawner.programs import Ran, is_alive, launch, line, run, see, shell, spawning, until_gone


async def test_a_program_ends_with_its_exit_code() -> None:
    async with spawning() as spawner:
        ran = await run(spawner, shell("echo one; echo two >&2; exit 3"))
    assert (ran.ended.exit_code, ran.ended.signal, ran.out, ran.err) == (3, None, "one\n", "two\n")


async def test_a_signal_that_ends_it_is_told() -> None:
    async with spawning() as spawner:
        ran = await run(spawner, shell("kill -SEGV $$"))
    assert (ran.ended.exit_code, ran.ended.signal) == (None, signal.SIGSEGV)


async def test_what_it_used_is_told() -> None:
    async with spawning() as spawner:
        ran = await run(spawner, shell("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"))
    assert ran.ended.started_at > 0
    assert 0 < ran.ended.cpu_seconds <= ran.ended.seconds + 0.05
    assert ran.ended.memory_bytes > 100_000


@pytest.mark.parametrize(
    ("program", "reason"),
    [("no-such-program", Reason.NOT_FOUND), ("/no/such", Reason.NOT_FOUND), ("/etc", Reason.NOT_EXECUTABLE)],
)
async def test_a_program_that_cannot_be_executed_says_why(program: str, reason: Reason) -> None:
    async with spawning() as spawner:
        ran = await run(spawner, launch(program))
    assert ran.ended.not_started is not None
    assert ran.ended.not_started.reason is reason


async def test_a_file_that_is_no_program_says_so() -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "nonsense")
        file.write_bytes(b"\x00\x01")
        file.chmod(0o755)
        Path(directory).chmod(0o755)
        async with spawning() as spawner:
            ran = await run(spawner, launch("./nonsense", directory=Path(directory)))
    assert ran.ended.not_started is not None
    assert ran.ended.not_started.reason is Reason.NOT_EXECUTABLE


async def test_a_directory_out_of_reach_is_told() -> None:
    async with spawning() as spawner:
        ran = await run(spawner, launch("true", directory=Path("/no/such/directory")))
    assert ran.ended.not_started is not None
    assert ran.ended.not_started.reason is Reason.DIRECTORY


async def test_its_input_is_empty_and_its_environment_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "hex:" + "5e" * 32)
    async with spawning() as spawner:
        ran = await run(spawner, launch("sh", "-c", "cat; env", NAMED="here"))
    names = {line.partition("=")[0] for line in ran.out.splitlines()}
    assert names == {"PATH", "PWD", "NAMED", "JOBENGINE_RUN"}


async def test_it_inherits_nothing_that_is_open() -> None:
    async with spawning() as spawner:
        ran = await run(spawner, shell("ls /proc/self/fd"))
    assert ran.out.split() == ["0", "1", "2", "3"]  # the last is that of ls itself


async def test_it_has_a_session_of_its_own_and_the_signals_of_a_new_program() -> None:
    async with spawning() as spawner:
        ran = await run(spawner, shell("cat /proc/$$/stat; grep -E 'Sig(Blk|Ign)' /proc/self/status"))
    stat, *masks = ran.out.splitlines()
    number, *_, group, session = stat.split()[:6]
    assert number == group == session
    named = (1 << 31) - 1  # the others are the C library's
    assert [int(mask.split()[1], 16) & named for mask in masks] == [0, 0]


async def test_many_at_once_end_each_with_its_own_code() -> None:
    async with spawning() as spawner:
        codes = list(range(40))
        ran = await asyncio.gather(*(run(spawner, shell(f"exit {code}")) for code in codes))
    assert [each.ended.exit_code for each in ran] == codes


async def test_a_launch_that_is_too_long_is_refused() -> None:
    async with spawning() as spawner:
        with pytest.raises(OSError, match="too long"):
            await spawner.spawn(launch("echo", "x" * 200_000))
        assert (await run(spawner, launch("true"))).ended.exit_code == 0


async def test_a_machine_without_room_for_pipes_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    async with spawning() as spawner:
        await spawner.start()
        with monkeypatch.context() as patched:
            patched.setattr(os, "pipe2", _no_room)
            with pytest.raises(OSError, match="no room"):
                await spawner.spawn(launch("true"))
        assert (await run(spawner, launch("true"))).ended.exit_code == 0


# --- what is left of it ---


async def test_its_background_children_end_with_it() -> None:
    async with spawning() as spawner:
        ran = await run(spawner, shell("sleep 1000 & echo $!"))
    assert not is_alive(int(ran.out))


async def test_a_child_in_a_session_of_its_own_ends_with_it() -> None:
    async with spawning() as spawner:
        ran = await run(spawner, shell("setsid sh -c 'echo $$; sleep 1000' & sleep 0.2"))
        assert not is_alive(int(ran.out))


async def test_an_orphan_that_hides_whose_it_is_ends_when_nothing_runs() -> None:
    async with spawning() as spawner:
        ran = await run(spawner, shell("env -i setsid sh -c 'echo $$; sleep 1000' & sleep 0.2"))
        await until_gone(int(ran.out))


async def test_another_programs_children_are_left_alone() -> None:
    async with spawning() as spawner:
        other = await spawner.spawn(shell("setsid sh -c 'sleep 0.4; echo whole' & wait"))
        assert (await run(spawner, shell("setsid sleep 1000 & exit 0"))).ended.exit_code == 0
        assert (await see(other)).out == "whole\n"


async def test_a_child_that_holds_the_pipe_open_does_not_hold_up_the_end() -> None:
    async with spawning() as spawner:
        ran = await run(spawner, shell("sleep 1000 & echo done"))
    assert (ran.out, ran.ended.exit_code) == ("done\n", 0)


async def test_one_that_closes_its_output_goes_on() -> None:
    async with spawning() as spawner:
        ran = await run(spawner, shell("exec >&- 2>&-; sleep 0.2; exit 7"))
    assert ran.ended.exit_code == 7
    assert ran.ended.seconds > 0.2


# --- halt, resume, stop ---


async def test_a_halted_program_stands_still_until_it_is_resumed() -> None:
    async with spawning() as spawner:
        process = await spawner.spawn(shell("sleep 0.1; echo on"))
        process.halt()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.4):
                await process.ended()
        process.resume()
        assert (await see(process)).out == "on\n"


async def test_stop_lets_it_come_to_its_end() -> None:
    async with spawning() as spawner:
        ran = await _stopped(spawner, "trap 'echo tidy; exit 0' TERM; echo ready; sleep 1000 & wait")
    assert (ran.out, ran.ended.exit_code) == ("ready\ntidy\n", 0)


async def test_stop_ends_one_that_does_not_listen() -> None:
    async with spawning() as spawner:
        ran = await _stopped(spawner, "trap '' TERM; echo ready; sleep 1000", grace_seconds=0.2)
    assert ran.ended.signal == signal.SIGKILL


async def test_stop_reaches_one_that_stands_still() -> None:
    async with spawning() as spawner:
        process = await spawner.spawn(shell("sleep 1000"))
        process.halt()
        await process.stop(5)
        assert (await see(process)).ended.signal == signal.SIGTERM


async def test_what_no_program_can_be_told_ends_no_other(tmp_path: Path) -> None:
    async with spawning() as spawner:
        other = await spawner.spawn(shell("echo ready; read -r _ <&1; exit 0"))
        assert await line(other.output)
        for odd in (launch("echo", "a\0b"), launch("echo", **{"A=B": "c"})):
            assert (await run(spawner, odd)).ended.not_started is not None
        await other.stop(0)
        assert not (await see(other)).ended.is_lost


def _no_room(_flags: int) -> tuple[int, int]:
    raise OSError("no room")


async def _stopped(spawner: Spawner, command: str, *, grace_seconds: float = 10) -> Ran:
    process = await spawner.spawn(shell(command))
    ready = (await line(process.output)).decode()
    await process.stop(grace_seconds)
    ran = await see(process)
    return Ran(ran.ended, ready + ran.out, ran.err)
