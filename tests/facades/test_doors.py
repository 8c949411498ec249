"""Who comes in by the routes of older systems, and by which door."""

import json
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobengine.access.issuing import Issued, issue_ca, issue_client, issue_server
from jobengine.upkeep import certificates
from tests.facades.conftest import JSON
from tests.support.connection import Connection
from tests.support.ports import free_port
from tests.support.problem import problem
from tests.support.server import ServerProcess

CA = issue_ca("house")
RUN = {"type": "shell", "workers": 0}


class House:
    """The Linux Job Worker's routes on a port of their own, with TLS; a certificate says who asks."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.port = free_port()
        self.write("ca", CA)
        self.write("server", issue_server(CA, ["127.0.0.1"]))
        for service in ("both", "reader", "stranger"):
            self.write(service, issue_client(CA, service))
        files = {"cert": "server.crt", "key": "server.key", "client_ca": "ca.crt"}
        tls = {name: str(place / file) for name, file in files.items()} | {"require_client_cert": True}
        facade = {"queue": "programs", "port": self.port, "tls": tls}
        rights = {"read": ["both", "reader"], "write": ["both"]}
        configuration = {
            "facades": {"linux_job_worker": facade},
            "queues": {"programs": {**rights, "run": RUN}},
        }
        self.server = ServerProcess(place, configuration)

    def write(self, name: str, issued: Issued) -> None:
        """Put both files there."""
        (self.place / f"{name}.crt").write_bytes(issued.cert)
        (self.place / f"{name}.key").write_bytes(issued.key)

    def ask(self, service: str, method: str, path: str, *more: str) -> tuple[int, str]:
        """Status and body, for a client with this certificate."""
        files = {"--cacert": "ca.crt", "--cert": f"{service}.crt", "--key": f"{service}.key"}
        options = [word for option, file in files.items() for word in (option, str(self.place / file))]
        url = f"https://127.0.0.1:{self.port}{path}"
        command = ["curl", "-sS", "-X", method, *options, "-w", "\n%{http_code}", url, *more]
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        body, _, status = answer.rpartition("\n")
        return int(status), body

    def certificate(self) -> bytes | None:
        """What the server shows."""
        context = ssl.create_default_context(cafile=str(self.place / "ca.crt"))
        context.load_cert_chain(self.place / "both.crt", self.place / "both.key")
        with (
            socket.create_connection(("127.0.0.1", self.port)) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as shown,
        ):
            return shown.getpeercert(binary_form=True)

    def start(self, service: str) -> tuple[int, str]:
        """A program is to be run."""
        return self.ask(
            service, "POST", "/jobs", "-H", "Content-Type: application/json", "-d", '{"cmd": ["ls"]}'
        )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("house"))
    with house.server:
        yield house
        assert "Traceback" not in house.server.log


def test_a_certificate_has_the_rights_of_its_service(house: House) -> None:
    status, body = house.start("both")
    assert status == 201
    uid = json.loads(body)["id"]
    assert house.ask("reader", "GET", f"/jobs/{uid}")[0] == 200
    assert house.start("reader") == (403, "to create needs the right to write")
    assert house.ask("reader", "DELETE", f"/jobs/{uid}")[0] == 403
    assert house.ask("reader", "DELETE", "/jobs")[0] == 403
    assert house.ask("both", "DELETE", f"/jobs/{uid}") == (200, '{"success":true}')


def test_for_a_stranger_there_is_nothing(house: House) -> None:
    uid = json.loads(house.start("both")[1])["id"]
    assert house.ask("stranger", "GET", f"/jobs/{uid}") == (404, f"{uid} is not a valid id")
    assert house.ask("stranger", "GET", "/jobs")[0] == 404
    assert house.ask("stranger", "GET", "/jobs/logs")[0] == 404
    assert house.start("stranger")[0] == 404


def test_its_routes_are_behind_its_own_door_only(house: House) -> None:
    with house.server.connect() as client:
        problem(client.ask("GET", "/jobs"), 404, "no_such_path")
    assert house.ask("both", "GET", "/api/v2/queues")[0] == 404


def test_its_new_certificate_is_taken_up(house: House) -> None:
    before = house.certificate()
    house.write("server", issue_server(CA, ["127.0.0.1"]))
    house.server.wait_for("certificate_taken", seconds=3 * certificates.EVERY_SECONDS)
    assert house.certificate() != before
    assert house.start("both")[0] == 201


def test_a_port_that_is_taken_is_told_at_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as other:
        port = other.getsockname()[1]
        server = ServerProcess(tmp_path, _apart(port))
        server.launch()
        assert server.wait() == 69
        assert f"cannot listen on 127.0.0.1 port {port}" in server.log
        assert "Traceback" not in server.log


def test_a_facade_without_a_service_is_told_at_the_start(tmp_path: Path) -> None:
    configuration = _apart(free_port())
    del configuration["facades"]["linux_job_worker"]["service"]
    server = ServerProcess(tmp_path, configuration)
    server.launch()
    assert server.wait() == 78
    assert 'facades.linux_job_worker.queue: needs "service"' in server.log


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Origin": "http://evil.example.org"}, 403, "origin_refused"),
        ({"Host": "evil.example.org"}, 421, "host_refused"),
    ],
)
def test_pages_of_others_come_to_no_door(
    old: Any, client: Connection, headers: dict[str, str], status: int, code: str
) -> None:
    for method, path in [
        ("POST", "/jobs"),
        ("DELETE", "/jobs"),
        ("POST", "/submit"),
        ("POST", "/api/upload"),
    ]:
        problem(client.ask(method, path, JSON | headers, b"{}"), status, code)
    with Connection(old.jobrunner_port) as runner:
        problem(runner.ask("POST", "/payload", JSON | headers, b"{}"), status, code)


def _apart(port: int) -> dict[str, Any]:
    facade = {"queue": "programs", "service": "s", "port": port}
    return {
        "facades": {"linux_job_worker": facade},
        "queues": {"programs": {"read": ["s"], "write": ["s"], "run": RUN}},
    }
