"""Takes up new certificates while the server runs."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import structlog

from jobengine.errors import ConfigurationWrong
from jobengine.settings.certificates import tls_context
from jobengine.settings.doors import TlsSettings
from jobengine.upkeep.background import Background

EVERY_SECONDS: Final = 5.0

Seen = tuple[tuple[int, int] | None, ...]  # of each file its time and its size; None: it is not there

log = structlog.get_logger(__name__)


class CertificateWatch(Background):
    """Looks at the files of one listener, and hands over what they say when they have changed."""

    def __init__(
        self, tls: TlsSettings, *, section: str, replace: Callable[[ssl.SSLContext], Awaitable[object]]
    ) -> None:
        super().__init__()
        self._tls = tls
        self._section = section
        self._replace = replace
        self._seen = self._look()
        self._refusal: str | None = None

    async def look(self) -> None:
        """Take up what has changed. A set that cannot be taken is tried again, and told of once."""
        seen = await asyncio.to_thread(self._look)
        if seen == self._seen:
            return
        try:
            context = await asyncio.to_thread(tls_context, self._tls, section=self._section)
        except ConfigurationWrong as wrong:
            if wrong.detail != self._refusal:
                log.warning("certificate_not_taken", reason=wrong.detail)
            self._refusal = wrong.detail
            return
        self._seen, self._refusal = seen, None
        await self._replace(context)
        log.info("certificate_taken", path=self._tls.cert)

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.look()

    def _look(self) -> Seen:
        return tuple(_seen(Path(path)) for path in self._tls.paths)


def _seen(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
