"""Who asks, and for which queue: a certificate, or the X-Name and X-Queue headers of API v1."""

from jobengine.errors import CertificateUnknown, DuplicateHeader, HeaderMissing
from jobengine.web.request import Request


def who_asks(request: Request) -> str:
    """The service that asks: that of the client's certificate; without one, who X-Name says.

    Raises CertificateUnknown, HeaderMissing, DuplicateHeader.
    """
    certified = request.certified_service
    if certified is None:
        return only_header(request, "X-Name")
    if any(name != certified for name in request.headers.getall("X-Name", ())):
        raise CertificateUnknown("X-Name says another service than the certificate: leave it out")
    return certified


def only_header(request: Request, name: str) -> str:
    """The value of a header that must stand exactly once. Raises HeaderMissing, DuplicateHeader."""
    values = request.headers.getall(name, ())
    if len(values) > 1:
        raise DuplicateHeader(f"{name} stands more than once")
    if not values or not values[0]:
        raise HeaderMissing(f"{name} is missing")
    return values[0]
