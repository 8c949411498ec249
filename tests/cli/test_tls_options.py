"""`--ca --cert --key`: whoever asks is the service of the certificate; and what is said where that fails."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.broker import Terminal
from tests.support.command import run
from tests.support.server import ServerProcess

QUEUES = {"mail": {"read": ["website"], "write": ["website"]}}


class House:
    """A server that demands certificates, and somebody who asks it."""

    def __init__(self, place: Path, server: ServerProcess) -> None:
        self.place = place
        self.port = server.port
        self._terminal = Terminal(server, place)

    def file(self, option: str, name: str) -> str:
        """An option with a file of the house."""
        return f"--{option}={self.place / name}"

    def create(self, *options: str, host: str = "127.0.0.1") -> tuple[int, bytes, str]:
        """How it ends, and what it says."""
        url = f"https://{host}:{self.port}"
        done = self._terminal.type(
            "job", "create", "mail", "1", "-o", "json", "--url", url, *options, name=""
        )
        return done.returncode, done.stdout, done.stderr.decode()

    def refused(self, *options: str, host: str = "127.0.0.1") -> tuple[int, str]:
        """How it ends, and the one line that it says."""
        code, _, line = self.create(*options, host=host)
        assert line.count("\n") == 1
        return code, line


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    place = tmp_path_factory.mktemp("house")
    for words in (("ca",), ("server", "127.0.0.1", "jobs.example.org"), ("client", "website")):
        assert run("cert", *words, "--dir", place).returncode == 0
    for words in (("ca",), ("client", "website")):
        assert run("cert", *words, "--dir", place / "other").returncode == 0
    named = {"cert": "server.crt", "key": "server.key", "client_ca": "ca.crt"}
    tls = {**{each: str(place / file) for each, file in named.items()}, "require_client_cert": True}
    with ServerProcess(place, {"tls": tls, "queues": QUEUES}) as server:
        yield House(place, server)


def test_a_command_asks_with_the_certificate_that_it_is_given(house: House) -> None:
    files = [house.file("ca", "ca.crt"), house.file("cert", "website.crt"), house.file("key", "website.key")]
    code, said, _ = house.create(*files)
    assert (code, json.loads(said)["queue"]) == (0, "mail")


def test_who_shows_no_certificate_is_told_by_what_to_show_one(house: House) -> None:
    code, line = house.refused(house.file("ca", "ca.crt"), "--name=website")
    assert code == 69
    for word in ("client certificate", "--cert", "--key", "JOBENGINE_CERT", "JOBENGINE_KEY"):
        assert word in line


def test_a_certificate_that_the_server_does_not_trust_is_named(house: House) -> None:
    files = [house.file("cert", "other/website.crt"), house.file("key", "other/website.key")]
    code, line = house.refused(house.file("ca", "ca.crt"), *files)
    assert (code, "other/website.crt" in line, "tls.client_ca" in line) == (69, True, True)


@pytest.mark.parametrize("given", [[], ["other/ca.crt"]])
def test_a_server_of_another_authority_is_told_with_the_option_for_it(house: House, given: list[str]) -> None:
    code, line = house.refused("--name=website", *(house.file("ca", name) for name in given))
    assert (code, "--ca" in line, "JOBENGINE_CA" in line) == (69, True, True)
    assert all(name in line for name in given)


def test_a_server_of_other_names_is_told_with_these(house: House) -> None:
    code, line = house.refused(house.file("ca", "ca.crt"), "--name=website", host="localhost")
    assert (code, "it is for 127.0.0.1, jobs.example.org:" in line) == (69, True)


@pytest.mark.parametrize(
    ("cert", "key", "said"),
    [
        ("website.crt", None, "holds no key"),
        ("website.crt", "server.key", "server.key is not the key of"),
        ("ca.key", "ca.key", "are no certificate and its key"),
    ],
)
def test_files_that_do_not_do_are_named(house: House, cert: str, key: str | None, said: str) -> None:
    files = [house.file("cert", cert), *([] if key is None else [house.file("key", key)])]
    code, line = house.refused(house.file("ca", "ca.crt"), *files)
    assert (code, said in line) == (78, True)
