"""Why no response came, in a few words."""

import os
import socket
import ssl
from typing import Final
from urllib.parse import urlsplit

from jobengine.client.address import Address

# X509_V_ERR_* of OpenSSL.
_OF_ANOTHER_HOST: Final = frozenset({62, 64})
_OF_ANOTHER_AUTHORITY: Final = frozenset({2, 7, 18, 19, 20, 21, 30})
_SECONDS: Final = 5.0


def root(error: BaseException) -> BaseException:
    """The innermost cause: what stands around it says how the client is built."""
    inner = getattr(error, "os_error", None) or getattr(error, "certificate_error", None)  # aiohttp's
    inner = inner or error.__cause__ or error.__context__
    return error if inner is None else root(inner)


def reason(error: BaseException) -> str:
    """What went wrong at the bottom of it."""
    error = root(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted: {error.verify_message}"
    if _is_ended(error):
        return "it ended the connection"
    if isinstance(error, ssl.SSLError):  # its number is none of the system's
        said = error.reason or error.strerror or "no reason given"
        what = "it refused TLS" if _is_alert(error) else "no TLS there"
        return f"{what}: {said.replace('_', ' ').lower()}"
    if isinstance(error, OSError):
        number = error.errno or 0  # asyncio has words of its own for some
        return os.strerror(number) if number > 0 else error.strerror or str(error)
    return str(error) or "the connection ended"


def advice(error: BaseException, address: Address) -> str:
    """What to do then, where that can be said. A certificate of another host is asked for once more."""
    error = root(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return _advice_on_trust(error.verify_code, address)
    if not address.url.startswith("https:") or not (_is_ended(error) or _is_alert(error)):
        return ""
    if address.cert is None:
        return (
            "does it demand a client certificate? You show none: give --cert and --key, or set "
            "JOBENGINE_CERT and JOBENGINE_KEY"
        )
    return (
        f"does its tls.client_ca trust {address.cert}? Else give another certificate by --cert and --key, or "
        "JOBENGINE_CERT and JOBENGINE_KEY"
    )


def _is_alert(error: BaseException) -> bool:
    """Whether the other side speaks TLS, and says no."""
    return isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or "")


def _is_ended(error: BaseException) -> bool:
    """A server that refuses a client's certificate says no more than that."""
    return isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ConnectionError) and not isinstance(
        error, ConnectionRefusedError
    )


def _advice_on_trust(code: int, address: Address) -> str:
    if code in _OF_ANOTHER_HOST:
        names = ", ".join(_names(address)) or "nobody"
        return f"it is for {names}: use such a name in the address, or make one by `jobengine cert server`"
    if code in _OF_ANOTHER_AUTHORITY:
        what = "no authority is given" if address.ca is None else f"{address.ca} did not sign it"
        return f"{what}: give the broker's ca.crt by --ca, or set JOBENGINE_CA"
    return "the broker needs another one: see `jobengine cert server`"


def _names(address: Address) -> list[str]:
    """For which hosts the broker's certificate is. Nothing when it cannot be asked any more."""
    context, parts = address.ssl_context, urlsplit(address.url)
    if context is None or parts.hostname is None:
        return []
    context.check_hostname = False
    try:
        with (
            socket.create_connection((parts.hostname, parts.port or 443), timeout=_SECONDS) as plain,
            context.wrap_socket(plain) as secure,
        ):
            certificate = secure.getpeercert() or {}
    except OSError:
        return []
    return [str(name[1]) for name in certificate.get("subjectAltName", ())]
