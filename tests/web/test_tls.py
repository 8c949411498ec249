"""TLS: who has a certificate is who it says, and new ones are taken up while the server runs."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobengine import Client
from jobengine.access.issuing import Issued, issue_ca, issue_client, issue_server
from jobengine.errors import CertificateUnknown, Forbidden, Unreachable
from jobengine.upkeep import certificates
from tests.support.server import ServerProcess

CA = issue_ca("house")


class House:
    """A server with TLS, and the certificates of its clients."""

    def __init__(self, place: Path, **tls: Any) -> None:
        self.place = place
        self.write("ca", CA)
        self.write("server", issue_server(CA, ["127.0.0.1"]))
        files = {"cert": "server.crt", "key": "server.key", "client_ca": "ca.crt"}
        self.tls = {name: str(place / file) for name, file in files.items()} | tls
        self.server = ServerProcess(place, {"tls": self.tls})

    def write(self, name: str, issued: Issued) -> None:
        """Put both files there."""
        (self.place / f"{name}.crt").write_bytes(issued.cert)
        (self.place / f"{name}.key").write_bytes(issued.key)

    def client(self, service: str | None = None, *, name: str | None = None) -> Client:
        """Somebody with the certificate of a service, or without one."""
        files: dict[str, Any] = {}
        if service is not None:
            self.write(service, issue_client(CA, service))
            files = {"cert": self.place / f"{service}.crt", "key": self.place / f"{service}.key"}
        url = f"https://127.0.0.1:{self.server.port}"
        return Client(url, name=name, ca=self.place / "ca.crt", retry_seconds=0, **files)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("house"), names={"agent-7": "writer"})
    with house.server:
        yield house


def test_a_certificate_says_who_asks(house: House) -> None:
    with house.client("writer") as writer, house.client("reader") as reader:
        job = writer.create("mail", {"hello": "world"})
        (claimed,) = reader.claim("mail")
        assert claimed.uid == job.uid
        with pytest.raises(Forbidden):
            reader.create("mail", {})


def test_a_name_of_the_configuration_is_taken(house: House) -> None:
    with house.client("agent-7") as agent:
        assert agent.create("mail", {}).state == "queued"


def test_the_header_may_not_say_otherwise(house: House) -> None:
    with house.client("reader", name="writer") as liar, pytest.raises(CertificateUnknown):
        liar.create("mail", {})
    with house.client("writer", name="writer") as writer:
        assert writer.create("mail", {}).state == "queued"


def test_without_a_certificate_the_header_is_believed_where_none_is_required(house: House) -> None:
    with house.client(name="writer") as writer:
        assert writer.create("mail", {}).state == "queued"


def test_where_one_is_required_nobody_comes_in_without(tmp_path: Path) -> None:
    house = House(tmp_path, require_client_cert=True)
    with house.server:
        with house.client(name="writer") as stranger, pytest.raises(Unreachable):
            stranger.create("mail", {})
        with house.client("writer") as writer:
            assert writer.create("mail", {}).state == "queued"
        assert "Traceback" not in house.server.log


@pytest.mark.filterwarnings("ignore:.*TLSv1_1.*:DeprecationWarning")
def test_old_versions_of_tls_are_not_spoken(house: House) -> None:
    context = ssl.create_default_context(cafile=str(house.place / "ca.crt"))
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", house.server.port)) as plain,
        pytest.raises((ssl.SSLError, ConnectionResetError)),
    ):
        context.wrap_socket(plain, server_hostname="127.0.0.1")


def test_junk_in_the_place_of_a_handshake_harms_nobody(house: House) -> None:
    with socket.create_connection(("127.0.0.1", house.server.port)) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        plain.settimeout(5)
        assert b"200" not in plain.recv(1000)
    test_a_name_of_the_configuration_is_taken(house)
    assert "Traceback" not in house.server.log


def test_a_new_certificate_is_taken_up_and_those_who_are_there_stay(tmp_path: Path) -> None:
    house = House(tmp_path)
    with house.server, house.client("writer") as writer:
        writer.create("mail", {})
        before = ssl.get_server_certificate(("127.0.0.1", house.server.port))
        house.write("server", issue_server(CA, ["127.0.0.1"]))
        house.server.wait_for("certificate_taken", seconds=3 * certificates.EVERY_SECONDS)
        assert ssl.get_server_certificate(("127.0.0.1", house.server.port)) != before
        writer.create("mail", {})
        (house.place / "server.key").write_bytes(b"half a k")
        told = house.server.wait_for("certificate_not_taken", seconds=3 * certificates.EVERY_SECONDS)
        assert "server.crt" in told["reason"]
        writer.create("mail", {})


@pytest.mark.parametrize(
    ("tls", "said"),
    [
        ({"cert": "nowhere.crt"}, "jobengine cert"),
        ({"key": "ca.key"}, "do not belong together"),
        ({"client_ca": "server.key"}, "tls.client_ca"),
    ],
)
def test_a_set_that_does_not_fit_is_told_at_the_start(tmp_path: Path, tls: dict[str, str], said: str) -> None:
    house = House(tmp_path, **{name: str(tmp_path / file) for name, file in tls.items()})
    house.server.launch()
    assert house.server.wait() == 78
    assert said in house.server.log
    assert "Traceback" not in house.server.log
