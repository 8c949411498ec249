"""What every request says of itself."""

from typing import Final

from jobengine import __version__
from jobengine.client.address import Address
from jobengine.client.exchange import Request

AGENT: Final = f"jobengine-python/{__version__}"


def headers(request: Request, address: Address) -> dict[str, str]:
    """Who asks, with what, and what the request has of its own."""
    who = {} if address.name is None else {"X-Name": address.name}
    own = {**who, "User-Agent": AGENT, **request.headers}
    if request.body is not None:
        own.setdefault("Content-Type", "application/json")
    return own
