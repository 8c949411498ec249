"""Which Host names the server answers for: a web page must not drive a server in its reader's own network."""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from jobengine.errors import BadRequest, HostRefused, OriginRefused
from jobengine.web.request import Request

_ANY: Final = "*"
_REMEMBERED: Final = 1000


class Hosts:
    """Checks Host and Origin.

    Without being told, it answers for IP addresses and for names without a dot (localhost, a container's
    name): an attacker's page comes from a name with a dot, which then would have to resolve to this server.
    """

    def __init__(self, *, names: Iterable[str], origins: Iterable[str]) -> None:
        self._names = frozenset(name.lower() for name in names)
        self._origins = frozenset(origin.lower() for origin in origins)
        self._accepted: set[str] = set()

    def check(self, request: Request) -> None:
        """Raises BadRequest, HostRefused, OriginRefused."""
        host = _only_host(request)
        if host not in self._accepted:
            self._check_host(host)
        if "Origin" in request.headers:
            self._check_origin(request.headers.getall("Origin"), host)

    def _check_host(self, host: str) -> None:
        name = _host_name(host)
        if not (_ANY in self._names or name in self._names or "." not in name or _is_address(name)):
            raise HostRefused("this server does not answer for that Host; allowed_hosts can name it")
        if len(self._accepted) < _REMEMBERED:
            self._accepted.add(host)

    def _check_origin(self, origins: list[str], host: str) -> None:
        for origin in origins:
            is_own = _network_location(origin) == host.lower()
            if not is_own and origin.lower() not in self._origins:
                raise OriginRefused(
                    "pages of that origin may not use this server; allowed_origins can name it"
                )


def _only_host(request: Request) -> str:
    hosts = request.headers.getall("Host", ())
    if len(hosts) == 1:
        return hosts[0]
    if hosts or request.version.minor:
        raise BadRequest("a request names one Host")
    return "localhost"  # HTTP/1.0 has no Host


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return "."  # no host has this name


def _network_location(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""  # of no page


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
