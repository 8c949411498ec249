"""One listening socket, with or without TLS."""

import asyncio
import socket
import ssl

from aiohttp.web import ServerRunner, SockSite

from jobengine.errors import Unreachable
from jobengine.web.connection import Door

_BACKLOG = 1024


class Listener:
    """Takes connections for a door. Its certificate may be replaced while it does."""

    def __init__(self, door: Door, host: str, port: int, *, cut_seconds: float) -> None:
        self.door = door
        self.port = port  # that it listens on, once it does: port 0 is any that is free
        self._host = host
        self._runner = ServerRunner(door, shutdown_timeout=cut_seconds)
        self._sockets: list[socket.socket] = []
        self._sites: list[SockSite] = []

    async def start(self, context: ssl.SSLContext | None = None) -> None:
        """Listen. Raises Unreachable."""
        await self._runner.setup()
        try:
            self._sockets = await self._bound()
        except OSError as error:
            where = f"{self._host} port {self.port}"
            raise Unreachable(f"cannot listen on {where}: {error.strerror}") from error
        self.port = self._sockets[0].getsockname()[1]
        await self.replace(context)
        self.door.start()

    async def replace(self, context: ssl.SSLContext | None) -> None:
        """From the next connection on use this. Those that are open go on, and none is refused."""
        before, self._sites = self._sites, []
        for bound in self._sockets:
            site = SockSite(self._runner, bound.dup(), ssl_context=context, backlog=_BACKLOG)
            await site.start()
            self._sites.append(site)
        for site in before:
            await site.stop()

    async def stop(self) -> None:
        """Close it, and all of its connections."""
        self.door.stop()
        await self._runner.cleanup()
        for bound in self._sockets:
            bound.close()

    async def _bound(self) -> list[socket.socket]:
        """A socket for each address of the host. Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(
            self._host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        return [_listening(family, address) for family, _, _, _, address in dict.fromkeys(found)]


def _listening(family: int, address: tuple[object, ...]) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
        bound.listen(_BACKLOG)
        bound.setblocking(False)  # noqa: FBT003
    except OSError:
        bound.close()
        raise
    return bound
