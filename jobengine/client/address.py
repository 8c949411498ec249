"""Where the broker is, and who asks."""

import os
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from jobengine.errors import ConfigurationWrong

DEFAULT_URL: Final = "http://127.0.0.1:6010"


class Address(Struct, frozen=True):
    """The broker's address, the name of the service that asks, and the files for TLS."""

    url: str  # without a slash at its end
    name: str | None  # None: who it is says the certificate
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    @property
    def path(self) -> str:
        """What stands before the paths of API v2."""
        return f"{urlsplit(self.url).path}/api/v2"

    @property
    def ssl_context(self) -> ssl.SSLContext | None:
        """None for plain HTTP. Raises ConfigurationWrong for files that cannot be used."""
        if not self.url.startswith("https:"):
            return None
        try:
            for file in filter(None, (self.ca, self.cert, self.key)):
                file.open("rb").close()  # ssl would not say which it is that it cannot read
            context = ssl.create_default_context(cafile=self.ca)
            if self.cert is not None:
                context.load_cert_chain(self.cert, self.key)
        except ssl.SSLError as error:
            raise ConfigurationWrong(self._unusable(error)) from None
        except OSError as error:
            which = f"{error.filename}: " if error.filename else ""
            raise ConfigurationWrong(
                f"the certificate files cannot be used: {which}{error.strerror or error}"
            ) from None
        return context

    def _unusable(self, error: ssl.SSLError) -> str:
        """Which of the files is none."""
        if self.cert is None or error.reason in ("NO_CERTIFICATE_OR_CRL_FOUND", "NO_CERTIFICATE"):
            return f"there is no certificate in {self.ca or self.cert}: see --ca and JOBENGINE_CA"
        if error.reason == "KEY_VALUES_MISMATCH":
            return f"{self.key or self.cert} is not the key of {self.cert}: see --key and JOBENGINE_KEY"
        if self.key is None:
            return f"{self.cert} holds no key with it: give its key by --key, or set JOBENGINE_KEY"
        return f"{self.cert} and {self.key} are no certificate and its key: see --cert and --key"


def address(
    url: str | None = None,
    name: str | None = None,
    *,
    ca: str | Path | None = None,
    cert: str | Path | None = None,
    key: str | Path | None = None,
) -> Address:
    """What is given; for the rest JOBENGINE_URL, _NAME, _CA, _CERT and _KEY. Raises ConfigurationWrong."""
    url = url or os.environ.get("JOBENGINE_URL") or DEFAULT_URL
    name = name or os.environ.get("JOBENGINE_NAME") or None
    certificate = _file(cert, "CERT")
    if name is None and certificate is None:
        raise ConfigurationWrong(
            "who asks? Give name=, or set JOBENGINE_NAME: a service of the configuration. Or give cert="
        )
    if name is not None and not (name.isascii() and name.isprintable()):
        raise ConfigurationWrong("the name of a service is one line of ASCII: see name= and JOBENGINE_NAME")
    if not _is_address(url):
        raise ConfigurationWrong(f"the broker's address is like {DEFAULT_URL}: see url= and JOBENGINE_URL")
    return Address(url.rstrip("/"), name, _file(ca, "CA"), certificate, _file(key, "KEY"))


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, brackets that do not close
        return False


def _file(given: str | Path | None, variable: str) -> Path | None:
    path = given or os.environ.get(f"JOBENGINE_{variable}")
    return Path(path) if path else None
