"""The control socket: who may ask, what is asked, and what becomes of it."""

import asyncio
import socket
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from jobengine.control import server as control
from jobengine.control.address import connect, listen, socket_path
from jobengine.control.client import Control
from jobengine.control.protocol import Compact, Info, Question, Rekey
from jobengine.control.server import CONNECTIONS_MOST, ControlServer
from jobengine.engine.interface import Compacted
from jobengine.errors import (
    ConfigurationWrong,
    Fatal,
    InputOutputFailed,
    JobEngineError,
    OutcomeUnknown,
    StorageFull,
    Unavailable,
    Unreachable,
    WrongSecret,
)
from tests.control.conftest import COMPACTED, EVERY_QUESTION, ScriptedDesk

COMPACT = Compact()


async def ask(database: Path, question: Question = COMPACT, **options: Any) -> Compacted:
    """Ask as a command does, on a thread of its own."""
    reached = await asyncio.to_thread(Control.reach, database)
    assert reached is not None
    return await asyncio.to_thread(reached.ask, question, Compacted, **options)


async def said(database: Path, sent: bytes) -> bytes:
    """All that comes back for these bytes, until the server closes; nothing when it does not read them."""
    return await asyncio.to_thread(_said, connect(socket_path(database), seconds=5), sent)


def _said(connection: socket.socket, sent: bytes) -> bytes:
    with connection, connection.makefile("rb") as answers:
        try:
            connection.sendall(sent)
            return answers.read()
        except ConnectionError:
            return b""


@pytest.mark.parametrize("question", EVERY_QUESTION, ids=lambda question: type(question).__name__)
async def test_a_question_is_handed_on_and_its_answer_comes_back(
    server: ControlServer, desk: ScriptedDesk, database: Path, question: Question
) -> None:
    assert await ask(database, question) == COMPACTED
    assert desk.asked == [question]


async def test_the_socket_is_for_its_owner_alone(server: ControlServer, database: Path) -> None:
    status = socket_path(database).stat()
    assert stat.S_ISSOCK(status.st_mode)
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert [path.name for path in database.parent.iterdir()] == ["jobs.queuedb.sock"]


async def test_stopped_the_server_takes_its_socket_with_it(server: ControlServer, database: Path) -> None:
    await server.stop()
    assert list(database.parent.iterdir()) == []
    assert Control.reach(database) is None


async def test_a_socket_that_a_crash_left_is_replaced(desk: ScriptedDesk, database: Path) -> None:
    listen(socket_path(database)).close()
    assert socket_path(database).exists()
    assert Control.reach(database) is None
    server = ControlServer(database, desk.answer, bytes_written=int)
    await server.start()
    assert await ask(database) == COMPACTED
    await server.stop()
    await server.finish()


async def test_a_path_longer_than_an_address_works(desk: ScriptedDesk, tmp_path: Path) -> None:
    place = tmp_path / ("d" * 200)
    place.mkdir()
    database = place / ("n" * 200 + ".queuedb")
    server = ControlServer(database, desk.answer, bytes_written=int)
    await server.start()
    assert await ask(database) == COMPACTED
    await server.stop()
    await server.finish()
    assert list(place.iterdir()) == []


async def test_a_link_to_the_database_file_leads_to_its_socket(
    server: ControlServer, database: Path, tmp_path: Path
) -> None:
    database.touch()
    link = tmp_path / "link.queuedb"
    link.symlink_to(database)
    assert await ask(link) == COMPACTED


async def test_another_user_is_cut_off_without_a_word(desk: ScriptedDesk, database: Path) -> None:
    server = ControlServer(database, desk.answer, bytes_written=int, users=frozenset({4_000_000_000 >> 1}))
    await server.start()
    assert await said(database, b'{"ask":"info"}\n') == b""
    assert desk.asked == []
    await server.stop()
    await server.finish()


async def test_where_no_socket_can_be_the_server_does_without(desk: ScriptedDesk, tmp_path: Path) -> None:
    server = ControlServer(tmp_path / "nowhere" / "jobs.queuedb", desk.answer, bytes_written=int)
    with capture_logs() as logs:
        await server.start()
    assert [entry["event"] for entry in logs] == ["no_control_socket"]
    await server.stop()
    await server.finish()


async def test_progress_is_told_until_it_is_done(
    server: ControlServer, desk: ScriptedDesk, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "PROGRESS_SECONDS", 0.001)
    desk.let_go.clear()
    desk.bytes_written = 512
    seen: list[int] = []
    loop = asyncio.get_running_loop()

    def observe(progress: Any) -> None:
        seen.append(progress.bytes_written)
        loop.call_soon_threadsafe(desk.let_go.set)

    assert await ask(database, observe=observe) == COMPACTED
    assert set(seen) == {512}


async def test_who_goes_away_does_not_stop_what_was_begun(
    server: ControlServer, desk: ScriptedDesk, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "PROGRESS_SECONDS", 0.001)
    desk.let_go.clear()
    asking = connect(socket_path(database), seconds=5)
    asking.sendall(b'{"ask":"compact"}\n')
    await desk.begun.wait()
    asking.close()
    while server._connections:
        await asyncio.sleep(0)
    assert not desk.finished.is_set()
    desk.let_go.set()
    await asyncio.wait_for(desk.finished.wait(), 5)


@pytest.mark.parametrize(
    ("refusal", "fatal"),
    [
        (WrongSecret("no"), WrongSecret),
        (StorageFull("full"), InputOutputFailed),
        (Unavailable("busy"), Fatal),
        (OutcomeUnknown("who knows"), Fatal),
        (ConfigurationWrong("one", "two"), ConfigurationWrong),
    ],
)
async def test_a_refusal_reaches_who_asked_with_its_words_and_its_exit_code(
    server: ControlServer, desk: ScriptedDesk, database: Path, refusal: JobEngineError, fatal: type[Fatal]
) -> None:
    desk.outcome = refusal
    with pytest.raises(Fatal) as caught:
        await ask(database)
    assert type(caught.value) is fatal
    assert caught.value.detail == refusal.detail


async def test_a_fault_is_logged_without_its_words_and_the_server_goes_on(
    server: ControlServer, desk: ScriptedDesk, database: Path
) -> None:
    desk.outcome = ZeroDivisionError("hunter2")
    with capture_logs() as logs, pytest.raises(Fatal):
        await ask(database, Rekey("hunter1", "hunter2"))
    (fault,) = [entry for entry in logs if entry["log_level"] == "error"]
    assert fault["error"] == "ZeroDivisionError"
    assert "hunter" not in str(logs)
    desk.outcome = COMPACTED
    assert await ask(database) == COMPACTED


async def test_no_log_line_holds_a_secret(server: ControlServer, database: Path) -> None:
    with capture_logs() as logs:
        await ask(database, Rekey("hunter1", "hunter2"))
    assert [entry["event"] for entry in logs] == ["control_asked", "control_done"]
    assert "hunter" not in str(logs) + repr(Rekey("hunter1", "hunter2"))


@pytest.mark.parametrize("sent", [b"{}\n", b"[]\n", b"\xff\n", b'{"ask":"sing"}\n', b'{"ask":"rekey"}\n'])
async def test_what_is_no_question_is_refused(
    server: ControlServer, desk: ScriptedDesk, database: Path, sent: bytes
) -> None:
    assert msgspec.json.decode(await said(database, sent))["code"] == "bad_request"
    assert desk.asked == []


async def test_a_question_that_does_not_end_is_refused_at_its_limit(
    desk: ScriptedDesk, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "LINE_MOST_BYTES", 1000)
    server = ControlServer(database, desk.answer, bytes_written=int)
    await server.start()
    assert msgspec.json.decode(await said(database, b"x" * 2001))["code"] == "body_too_large"
    await server.stop()
    await server.finish()


async def test_a_question_that_does_not_come_is_not_waited_for(
    server: ControlServer, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "LINE_SECONDS", 0.01)
    assert msgspec.json.decode(await said(database, b'{"ask"'))["code"] == "bad_request"


async def test_too_many_at_a_time_are_refused(
    server: ControlServer, desk: ScriptedDesk, database: Path
) -> None:
    desk.let_go.clear()
    waiting = [connect(socket_path(database), seconds=5) for _ in range(CONNECTIONS_MOST)]
    for each in waiting:
        each.sendall(b'{"ask":"compact"}\n')
    while len(desk.asked) < CONNECTIONS_MOST:
        await asyncio.sleep(0)
    one_more = Control(connect(socket_path(database), seconds=5))
    with pytest.raises(Fatal, match="too many questions at once; try again"):
        await asyncio.to_thread(one_more.ask, Compact(), Compacted)
    assert len(desk.asked) == CONNECTIONS_MOST
    for each in waiting:
        each.close()


async def test_who_has_not_asked_yet_does_not_hold_up_the_stop(server: ControlServer, database: Path) -> None:
    with socket.socket(fileno=connect(socket_path(database), seconds=5).detach()) as silent:
        while not server._unasked:
            await asyncio.sleep(0)
        await server.stop()
        await asyncio.wait_for(server.finish(), 5)
        assert silent.recv(1) == b""


async def test_who_waits_while_the_server_stops_is_told_what_became_of_it(
    server: ControlServer, desk: ScriptedDesk, database: Path
) -> None:
    desk.let_go.clear()
    asking = asyncio.create_task(ask(database))
    await desk.begun.wait()
    await server.stop()
    desk.outcome = Unavailable("the server stops")
    desk.let_go.set()
    await server.finish()
    with pytest.raises(Fatal, match="the server stops"):
        await asking


async def test_what_hangs_does_not_keep_the_server_from_ending(
    server: ControlServer, desk: ScriptedDesk, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "FINISH_SECONDS", 0.01)
    desk.let_go.clear()
    asking = asyncio.create_task(ask(database))
    await desk.begun.wait()
    await server.stop()
    await asyncio.wait_for(server.finish(), 5)
    with pytest.raises(Unreachable):
        await asking


async def test_to_start_and_to_stop_it_twice_does_nothing(
    server: ControlServer, desk: ScriptedDesk, database: Path
) -> None:
    await server.start()
    assert await ask(database, Info()) == COMPACTED
    await server.stop()
    await server.stop()
    await server.start()
    assert await ask(database, Info()) == COMPACTED
