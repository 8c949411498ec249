"""Certificates that live as long as a test."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Certificates:
    """An authority; a certificate for 127.0.0.1 that it signed; and one for a service."""

    def __init__(self, place: Path) -> None:
        self.ca = place / "ca.pem"
        self.cert, self.key = place / "service.pem", place / "service.key"
        self._broker = place / "broker.pem", place / "broker.key"
        authority = generate_private_key(SECP256R1())
        self.ca.write_bytes(_signed("authority", authority, authority, is_authority=True))
        for certificate, key in (self._broker, (self.cert, self.key)):
            own = generate_private_key(SECP256R1())
            certificate.write_bytes(_signed(certificate.stem, own, authority, is_authority=False))
            key.write_bytes(own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def server(self, *, asks_for_certificates: bool = False) -> ssl.SSLContext:
        """For the broker's side."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.ca)
        context.load_cert_chain(*self._broker)
        if asks_for_certificates:
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def _signed(
    name: str, own: EllipticCurvePrivateKey, authority: EllipticCurvePrivateKey, *, is_authority: bool
) -> bytes:
    now = datetime.now(UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named("authority"))
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
    )
    return builder.sign(authority, SHA256()).public_bytes(Encoding.PEM)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
