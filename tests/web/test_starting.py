"""What keeps the server from starting: one line each, an exit code as in sysexits.h, and nothing changed."""

import json
import os
from pathlib import Path

from tests.support.server import QUEUES, SECRET, ServerProcess


def outcome(server: ServerProcess) -> tuple[int, list[str]]:
    """The exit code and what was said, when it ends by itself."""
    already = len(server.log.splitlines())
    server.launch()
    code = server.process.wait(20)
    return code, server.log.splitlines()[already:]


def filled(place: Path) -> ServerProcess:
    """A server, stopped, that has a job in its file."""
    with ServerProcess(place) as server:
        with server.service("owner") as owner:
            owner.create({"marker": "in the file"})
        assert server.stop() == 0
    return server


def test_a_port_in_use_is_69(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with ServerProcess(tmp_path / "other") as first:
        second = ServerProcess(tmp_path)
        second.port = first.port
        code, said = outcome(second)
        assert (code, len(said)) == (69, 1)
        assert str(first.port) in said[0]
        assert not second.database.exists()


def test_no_secret_is_78(tmp_path: Path) -> None:
    code, said = outcome(ServerProcess(tmp_path, environment={"SECRET": ""}))
    assert (code, len(said)) == (78, 1)
    assert "SECRET" in said[0]


def test_a_wrong_secret_is_77_and_changes_nothing(tmp_path: Path) -> None:
    before = filled(tmp_path).database.read_bytes()
    other = "hex:" + "77" * 32
    wrong = ServerProcess(tmp_path, environment={"SECRET": other})
    code, said = outcome(wrong)
    assert (code, len(said)) == (77, 1)
    assert other not in wrong.log
    assert wrong.database.read_bytes() == before


def test_a_second_process_on_the_same_file_is_75_and_names_the_first(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as first:
        second = ServerProcess(tmp_path)
        code, said = outcome(second)
        assert (code, len(said)) == (75, 1)
        assert str(first.process.pid) in said[0]
        with first.service("owner") as owner:
            assert owner.create()["state"] == "queued"


def test_a_damaged_file_is_65_and_stays_as_it_is(tmp_path: Path) -> None:
    server = filled(tmp_path)
    damaged = bytearray(server.database.read_bytes())
    damaged[8192 + 200] ^= 1
    server.database.write_bytes(damaged)
    code, said = outcome(server)
    assert (code, len(said)) == (65, 1)
    assert "8192" in said[0]
    assert server.database.read_bytes() == damaged


def test_a_wrong_configuration_is_78_and_every_mistake_a_line(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path)
    server.configuration.write_text("prot: 1\nhost: [x]\nqueues: {}\n")
    code, said = outcome(server)
    assert code == 78
    assert [line.rpartition("/")[2][:13] for line in said] == ["config.yml:1:", "config.yml:2:"]


def test_a_configuration_that_is_missing_beside_a_database_is_78(tmp_path: Path) -> None:
    """A volume that was not mounted must not empty the queues."""
    server = filled(tmp_path)
    before = server.database.read_bytes()
    server.configuration.unlink()
    assert outcome(server)[0] == 78
    assert not server.configuration.exists()
    assert server.database.read_bytes() == before


def test_without_configuration_and_database_a_default_is_made(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path)
    server.configuration.unlink()
    with server, server.service("owner") as owner:
        assert owner.ask("GET", "/api/v1/jobs").status == 404
        assert server.stop() == 0
    assert "queues" in server.configuration.read_text()


def test_a_directory_that_is_not_there_is_74(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path)
    server.database = tmp_path / "nowhere" / "jobs.queuedb"
    code, said = outcome(server)
    assert (code, len(said)) == (74, 1)


def test_the_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    filled(tmp_path)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("jobs.queuedb*")}
    assert set(modes.values()) == {0o600}
    assert len(modes) >= 2


def test_the_files_show_no_content_and_no_names(tmp_path: Path) -> None:
    filled(tmp_path)
    for path in tmp_path.glob("jobs.queuedb*"):
        data = path.read_bytes()
        for word in (b"in the file", b"marker", b"mail", b"owner", b"queued"):
            assert word not in data


def test_the_running_server_does_not_show_its_secret(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        environment = Path(f"/proc/{server.server_pid}/environ").read_bytes()
        arguments = Path(f"/proc/{server.server_pid}/cmdline").read_bytes()
        assert SECRET.encode() not in environment + arguments
        assert SECRET not in server.log


def test_the_exit_code_reaches_who_started_it_however_it_is_run(tmp_path: Path) -> None:
    configuration = json.dumps({"queues": QUEUES, "port": 99999})
    server = ServerProcess(tmp_path)
    server.configuration.write_text(configuration)
    assert outcome(server)[0] == os.EX_CONFIG


def test_a_disk_without_room_for_the_first_change_is_74_and_one_line(tmp_path: Path) -> None:
    code, said = outcome(ServerProcess(tmp_path, before=["prlimit", "--fsize=8192"]))
    assert code == 74
    assert "Traceback" not in "\n".join(said)


def test_who_ends_a_start_that_waits_to_drop_jobs_keeps_them(tmp_path: Path) -> None:
    server = filled(tmp_path)
    server.configure({"queues": {"another": {"read": [], "write": []}}})  # just written: perhaps half of it
    server.launch()
    server.wait_for("configuration_waits")
    assert server.stop() == 0
    server.configure({})
    with server, server.service("owner") as owner:
        assert [job["content"] for job in owner.jobs().values()] == [{"marker": "in the file"}]
