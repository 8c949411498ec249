"""Who asks, and for which queue: the X-Name and X-Queue headers of API v1."""

from jobengine.errors import DuplicateHeader, HeaderMissing
from jobengine.web.request import Request


def only_header(request: Request, name: str) -> str:
    """The value of a header that must stand exactly once. Raises HeaderMissing, DuplicateHeader."""
    values = request.headers.getall(name, ())
    if len(values) > 1:
        raise DuplicateHeader(f"{name} stands more than once")
    if not values or not values[0]:
        raise HeaderMissing(f"{name} is missing")
    return values[0]
