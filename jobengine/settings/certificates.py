"""TLS as it is configured: files → what OpenSSL takes."""

import ssl
from pathlib import Path

from jobengine.errors import ConfigurationWrong
from jobengine.settings.doors import TlsSettings


def tls_context(tls: TlsSettings, *, section: str) -> ssl.SSLContext:
    """Of a listener. Blocks for a moment. Raises ConfigurationWrong; `section` says where it stands."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if tls.cert is None:
        raise ConfigurationWrong(f"{section}.cert: is missing")
    try:
        context.load_cert_chain(tls.cert, tls.key)
    except (OSError, ssl.SSLError) as error:
        raise _wrong(f"{section}.cert", tls.cert, error) from None
    if tls.client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED if tls.require_client_cert else ssl.CERT_OPTIONAL
        try:
            context.load_verify_locations(tls.client_ca)
        except (OSError, ssl.SSLError) as error:
            raise _wrong(f"{section}.client_ca", tls.client_ca, error) from None
    elif tls.require_client_cert:
        raise ConfigurationWrong(f"{section}.client_ca: is missing: who signs the certificates of clients?")
    return context


def _wrong(option: str, path: str, error: OSError) -> ConfigurationWrong:
    place = Path(path).absolute()
    if isinstance(error, FileNotFoundError):
        return ConfigurationWrong(
            f"{option}: {place}, or its key, is not there (`jobengine cert` makes a set to begin with)"
        )
    if isinstance(error, PermissionError):
        return ConfigurationWrong(f"{option}: {place}, or its key, may not be read by this user")
    if isinstance(error, ssl.SSLError) and "KEY_VALUES_MISMATCH" in str(error):
        return ConfigurationWrong(f"{option}: {place} and the key do not belong together")
    return ConfigurationWrong(f"{option}: {place}, or its key, is no PEM file that can be used")
