"""A small certificate authority: for a test, or a small house that has none."""

import ipaddress
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

_HOST_LENGTH: Final = 253
# RFC 1123, 2.1; `_` as container networks have it; `*` for a whole level, RFC 9525.
_HOST_NAME: Final = re.compile(r"(\*\.)?\w([\w-]{0,61}\w)?(\.\w([\w-]{0,61}\w)?)*", re.ASCII)
_DAYS: Final = 365
_CA_DAYS: Final = 10 * 365
_CLOCKS_DIFFER: Final = timedelta(minutes=10)  # a certificate is good a little before it was made


class Issued(Struct, frozen=True):
    """A certificate and its private key, as PEM."""

    cert: bytes
    key: bytes


def issue_ca(name: str) -> Issued:
    """A new authority, good for ten years."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    builder = (
        _builder(subject, subject, key.public_key(), days=_CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
    )
    return _issued(builder, key, key)


def issue_server(ca: Issued, hosts: Iterable[str]) -> Issued:
    """For a server of these host names and IP addresses, good for a year. Raises ValueError."""
    hosts = list(hosts)
    return _issue(ca, hosts[0], [_host(host) for host in hosts], ExtendedKeyUsageOID.SERVER_AUTH)


def issue_client(ca: Issued, service: str) -> Issued:
    """For a service, which is its DNS name and its common name, good for a year. Raises ValueError."""
    return _issue(ca, service, [x509.DNSName(service)], ExtendedKeyUsageOID.CLIENT_AUTH)


def _issue(ca: Issued, name: str, names: list[x509.GeneralName], purpose: x509.ObjectIdentifier) -> Issued:
    authority = x509.load_pem_x509_certificate(ca.cert)
    try:
        authority_key = load_pem_private_key(ca.key, None)
    except TypeError:  # it wants a password
        raise ValueError("the key of the authority is encrypted") from None
    if not isinstance(authority_key, ec.EllipticCurvePrivateKey):
        raise ValueError("the key of the authority is none that `jobengine cert ca` makes")
    if authority_key.public_key() != authority.public_key():
        raise ValueError("the key is not the one of the authority's certificate")
    if authority.not_valid_after_utc <= datetime.now(UTC):
        raise ValueError("the authority's certificate is over")
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(
            _name(name), authority.subject, key.public_key(), days=_DAYS, most=authority.not_valid_after_utc
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
    )
    return _issued(builder, key, authority_key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    *,
    days: int,
    most: datetime | None = None,
) -> x509.CertificateBuilder:
    """Good for so many days, but not longer than whoever signs it."""
    now = datetime.now(UTC)
    until = now + timedelta(days=days)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(until if most is None else min(until, most))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _issued(
    builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey
) -> Issued:
    certificate = builder.sign(signer, hashes.SHA256())
    return Issued(
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])


def is_host(host: str) -> bool:
    """Whether a client could call a server that: by a name, or by an IP address."""
    if _address(host) is not None:
        return True
    is_wrong_address = host.rpartition(".")[2].isdigit()  # no name ends so
    return len(host) <= _HOST_LENGTH and not is_wrong_address and _HOST_NAME.fullmatch(host) is not None


def _host(host: str) -> x509.GeneralName:
    address = _address(host)
    return x509.DNSName(host) if address is None else x509.IPAddress(address)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """None too for one of an interface: fe80::1%eth0 is that on one machine only."""
    try:
        return None if "%" in host else ipaddress.ip_address(host)
    except ValueError:
        return None


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
