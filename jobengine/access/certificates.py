"""Which service a client's certificate stands for."""

import re
from collections.abc import Mapping
from typing import Any, Final

from jobengine.errors import CertificateUnknown

_NAME: Final = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def service_of(certificate: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """The service of a verified certificate, as `ssl.SSLSocket.getpeercert` gives it.

    `names` maps common names, and DNS and URI names, to services. Else a certificate with just one DNS or URI
    name stands for the service of that name; of a URI the last part counts. Raises CertificateUnknown.
    """
    said = [value for kind, value in certificate.get("subjectAltName", ()) if kind in ("DNS", "URI")]
    common = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
    for name in (*said, *common):
        if name in names:
            return names[name]
    if len(said) == 1:
        service = re.split("[/:]", said[0])[-1]
        if _NAME.fullmatch(service):
            return service
    raise CertificateUnknown("the certificate names no service that this server knows: see tls.names")
