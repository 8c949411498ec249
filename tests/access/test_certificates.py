"""Certificates, and the services that they stand for."""

import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509 import load_pem_x509_certificate

from jobengine.access import issuing
from jobengine.access.certificates import service_of
from jobengine.access.issuing import Issued, issue_ca, issue_client, issue_server
from jobengine.errors import CertificateUnknown


def certificate(*names: tuple[str, str], common: str = "somebody") -> dict[str, Any]:
    """As the ssl module shows a verified one."""
    return {"subject": ((("commonName", common),),), "subjectAltName": names}


@pytest.mark.parametrize(
    ("shown", "service"),
    [
        (certificate(("DNS", "service1")), "service1"),
        (certificate(("URI", "spiffe://house.example/service1")), "service1"),
        (certificate(("URI", "urn:jobengine:service1")), "service1"),
        (certificate(("DNS", "service1"), ("IP Address", "127.0.0.1")), "service1"),
        (certificate(common="Ada Lovelace"), "analyst"),
        (certificate(("DNS", "a.example"), ("DNS", "b.example"), common="Ada Lovelace"), "analyst"),
        (certificate(("DNS", "a.example"), ("DNS", "old.example")), "older"),
    ],
)
def test_a_certificate_stands_for_a_service(shown: dict[str, Any], service: str) -> None:
    assert service_of(shown, {"Ada Lovelace": "analyst", "old.example": "older"}) == service


@pytest.mark.parametrize(
    "shown",
    [
        certificate(),
        certificate(common="service1"),
        certificate(("DNS", "a"), ("DNS", "b")),
        certificate(("DNS", "*.example")),
        certificate(("URI", "https://house.example/")),
        certificate(("DNS", "a" * 65)),
        certificate(("email", "service1")),
        {},
    ],
)
def test_one_that_names_no_service_stands_for_none(shown: dict[str, Any]) -> None:
    with pytest.raises(CertificateUnknown):
        service_of(shown, {})


def shaken(tmp_path: Path, ca: Issued, server: Issued, client: Issued) -> dict[str, Any]:
    """What each sees of the other after a handshake, without a network."""
    for name, issued in (("ca", ca), ("server", server), ("client", client)):
        (tmp_path / f"{name}.crt").write_bytes(issued.cert)
        (tmp_path / f"{name}.key").write_bytes(issued.key)
    at_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    at_server.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    at_server.load_verify_locations(tmp_path / "ca.crt")
    at_server.verify_mode = ssl.CERT_REQUIRED
    at_client = ssl.create_default_context(cafile=str(tmp_path / "ca.crt"))
    at_client.verify_flags |= ssl.VERIFY_X509_STRICT
    at_client.load_cert_chain(tmp_path / "client.crt", tmp_path / "client.key")
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = at_client.wrap_bio(to_client, to_server, server_hostname="localhost")
    other = at_server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (one, other):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    shown = other.getpeercert()
    assert shown is not None
    return shown


def test_what_is_issued_works_and_names_the_service(tmp_path: Path) -> None:
    ca = issue_ca("house")
    shown = shaken(tmp_path, ca, issue_server(ca, ["localhost", "127.0.0.1"]), issue_client(ca, "service1"))
    assert service_of(shown, {}) == "service1"


def test_a_client_of_another_authority_is_turned_away(tmp_path: Path) -> None:
    ca = issue_ca("house")
    stranger = issue_client(issue_ca("house"), "service1")
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken(tmp_path, ca, issue_server(ca, ["localhost"]), stranger)


def test_the_certificate_of_a_server_is_none_of_a_client(tmp_path: Path) -> None:
    ca = issue_ca("house")
    with pytest.raises(ssl.SSLCertVerificationError, match="purpose"):
        shaken(tmp_path, ca, issue_server(ca, ["localhost"]), issue_server(ca, ["service1"]))


def test_a_certificate_is_not_good_for_longer_than_its_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuing, "_CA_DAYS", 30)
    ca = issue_ca("a small house")
    ends = [load_pem_x509_certificate(each.cert).not_valid_after_utc for each in (ca, issue_client(ca, "me"))]
    assert ends[0] == ends[1]


def test_an_authority_that_is_over_signs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuing, "_CA_DAYS", 0)
    ca = issue_ca("a small house")
    with pytest.raises(ValueError, match="is over"):
        issue_server(ca, ["localhost"])
