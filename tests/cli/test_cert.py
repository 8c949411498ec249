"""`jobengine cert`: from nothing to a working set."""

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from tests.support.command import run


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "ssl"


def test_three_commands_make_a_working_set(place: Path) -> None:
    for words in (("ca",), ("server", "jobs.example.org", "10.0.0.1"), ("client", "service1")):
        assert run("cert", *words, "--dir", place).returncode == 0
    authority = x509.load_pem_x509_certificate((place / "ca.crt").read_bytes())
    for name in ("server", "service1"):
        x509.load_pem_x509_certificate((place / f"{name}.crt").read_bytes()).verify_directly_issued_by(
            authority
        )
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in place.glob("*.key")} == {
        "ca.key": 0o600,
        "server.key": 0o600,
        "service1.key": 0o600,
    }


def test_the_directory_comes_from_the_environment_too(place: Path) -> None:
    assert run("cert", "ca", TLS_DIR=place).returncode == 0
    assert (place / "ca.crt").exists()


def test_nothing_is_replaced_unless_that_is_said(place: Path) -> None:
    run("cert", "ca", "--dir", place)
    before = (place / "ca.crt").read_bytes()
    again = run("cert", "ca", "--dir", place)
    assert again.returncode == 64
    assert b"--force" in again.stderr
    assert (place / "ca.crt").read_bytes() == before
    assert run("cert", "ca", "--dir", place, "--force").returncode == 0
    assert (place / "ca.crt").read_bytes() != before


def test_without_an_authority_it_says_how_to_make_one(place: Path) -> None:
    refused = run("cert", "client", "service1", "--dir", place)
    assert refused.returncode == 69
    assert b"jobengine cert ca" in refused.stderr
    assert refused.stderr.count(b"\n") == 1


def test_an_authority_that_is_none_is_told_in_a_line(place: Path) -> None:
    place.mkdir()
    (place / "ca.crt").write_text("junk")
    (place / "ca.key").write_text("junk")
    refused = run("cert", "server", "--dir", place)
    assert refused.returncode == 69
    assert refused.stderr.count(b"\n") == 1


def test_a_service_has_a_name_as_in_the_configuration(place: Path) -> None:
    run("cert", "ca", "--dir", place)
    assert run("cert", "client", "../x", "--dir", place).returncode == 64


def test_a_key_that_is_not_the_authoritys_or_wants_a_password_signs_nothing(place: Path) -> None:
    run("cert", "ca", "--dir", place)
    key = load_pem_private_key((place / "ca.key").read_bytes(), None)
    secret = BestAvailableEncryption(b"secret")
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret)
    run("cert", "ca", "--dir", place / "other")
    for other in (encrypted, (place / "other" / "ca.key").read_bytes()):
        (place / "ca.key").write_bytes(other)
        refused = run("cert", "server", "--dir", place)
        assert (refused.returncode, refused.stderr.count(b"\n")) == (69, 1)
        assert not (place / "server.crt").exists()


@pytest.mark.parametrize(
    "host",
    [
        *("", " ", "bücher.example", "a\nb", "two words", "http://jobs.example.org", "jobs.example.org:6010"),
        *("jobs.example.org/", "[::1]", "10.0.0.1:80", "10.0.0.256", "a..b", "-a", "a.*.b", "a" * 64),
        "fe80::1%eth0",
    ],
)
def test_what_is_no_host_is_told_as_that(place: Path, host: str) -> None:
    run("cert", "ca", "--dir", place)
    refused = run("cert", "server", "--dir", place, "--", host)
    assert (refused.returncode, b"a host is a name" in refused.stderr) == (64, True)
    assert refused.stderr.count(b"\n") == 1
    assert not (place / "server.crt").exists()


@pytest.mark.parametrize("host", ["jobs", "xn--bcher-kva.example", "*.example.org", "a_b", "::1", "10.0.0.1"])
def test_what_is_a_host_has_a_certificate(place: Path, host: str) -> None:
    run("cert", "ca", "--dir", place)
    assert run("cert", "server", host, "--dir", place).returncode == 0


def test_what_cannot_be_written_leaves_the_old_pair_and_nothing_half(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("cert", "ca", "--dir", place)
    run("cert", "server", "--dir", place)
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    (place / ".server.crt.new").mkdir()
    refused = run("cert", "server", "--dir", place, "--force")
    assert (refused.returncode, refused.stderr.count(b"\n")) == (74, 1)
    (place / ".server.crt.new").rmdir()
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before
